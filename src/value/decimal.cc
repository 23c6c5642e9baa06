#include <limits>

#include "value/value.h"

namespace zhitui::value {
namespace {

__extension__ using Int128 = __int128;

constexpr std::uint8_t kMaxScale = 18;

constexpr Int128 Pow10(unsigned n) {
  Int128 v = 1;
  for (unsigned i = 0; i < n; ++i) v *= 10;
  return v;
}

// Gives up trailing zeros after the point, and only those, until the number fits.
std::optional<Decimal> Fit(Int128 coefficient, unsigned scale) {
  constexpr Int128 kMin = std::numeric_limits<std::int64_t>::min();
  constexpr Int128 kMax = std::numeric_limits<std::int64_t>::max();
  while (scale > kMaxScale || coefficient < kMin || coefficient > kMax) {
    if (scale == 0 || coefficient % 10 != 0) return std::nullopt;
    coefficient /= 10;
    --scale;
  }
  return Decimal{static_cast<std::int64_t>(coefficient), static_cast<std::uint8_t>(scale)};
}

// 2^63 * 10^18 < 2^123, so two aligned coefficients and their sum fit 128 bits.
Int128 Aligned(Decimal d, unsigned scale) { return Int128{d.coefficient} * Pow10(scale - d.scale); }

}  // namespace

std::optional<Decimal> Decimal::Parse(std::string_view text) {
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  Int128 coefficient = 0;
  unsigned scale = 0;
  bool point = false;
  bool digit_since = false;  // a digit since the start or since the point
  for (const char c : text) {
    if (c == '.') {
      if (point || !digit_since) return std::nullopt;
      point = true;
      digit_since = false;
      continue;
    }
    if (c < '0' || c > '9') return std::nullopt;
    digit_since = true;
    coefficient = coefficient * 10 + (c - '0');
    if (point && ++scale > kMaxScale) return std::nullopt;
    if (coefficient > Int128{std::numeric_limits<std::int64_t>::max()} + 1) return std::nullopt;
  }
  if (!digit_since) return std::nullopt;
  if (negative) coefficient = -coefficient;
  if (coefficient > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  return Decimal{static_cast<std::int64_t>(coefficient), static_cast<std::uint8_t>(scale)};
}

std::string Decimal::ToString() const {
  const bool negative = coefficient < 0;
  const std::uint64_t magnitude =
      negative ? std::uint64_t{0} - static_cast<std::uint64_t>(coefficient) : static_cast<std::uint64_t>(coefficient);
  std::string digits = std::to_string(magnitude);
  if (scale > 0) {
    if (digits.size() <= scale) digits.insert(0, scale + 1U - digits.size(), '0');
    digits.insert(digits.size() - scale, 1, '.');
  }
  return negative ? "-" + digits : digits;
}

std::optional<Decimal> Decimal::Add(Decimal a, Decimal b) {
  const unsigned scale = std::max(a.scale, b.scale);
  return Fit(Aligned(a, scale) + Aligned(b, scale), scale);
}

std::optional<Decimal> Decimal::Subtract(Decimal a, Decimal b) {
  const unsigned scale = std::max(a.scale, b.scale);
  return Fit(Aligned(a, scale) - Aligned(b, scale), scale);
}

std::optional<Decimal> Decimal::Multiply(Decimal a, Decimal b) {
  return Fit(Int128{a.coefficient} * Int128{b.coefficient}, static_cast<unsigned>(a.scale) + b.scale);
}

int Decimal::Compare(Decimal a, Decimal b) {
  const unsigned scale = std::max(a.scale, b.scale);
  const Int128 x = Aligned(a, scale);
  const Int128 y = Aligned(b, scale);
  return x < y ? -1 : x > y ? 1 : 0;
}

}  // namespace zhitui::value
