#include <array>
#include <limits>
#include <utility>

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

// The quotient `whole` with `rest` / `by` left over, both magnitudes, rounded; the sign is that of the number.
Int128 Rounded(Int128 whole, Int128 rest, Int128 by, bool negative, Rounding mode) {
  if (rest == 0) return negative ? -whole : whole;
  const Int128 left = by - rest;
  bool away = false;
  switch (mode) {
    case Rounding::kHalfUp:
      away = rest >= left;
      break;
    case Rounding::kHalfEven:
      away = rest > left || (rest == left && whole % 2 != 0);
      break;
    case Rounding::kDown:
      break;
    case Rounding::kUp:
      away = true;
      break;
    case Rounding::kCeil:
      away = !negative;
      break;
    case Rounding::kFloor:
      away = negative;
      break;
  }
  if (away) ++whole;
  return negative ? -whole : whole;
}

// coefficient * 10^-digits, where digits may be negative.
std::optional<Decimal> WithDigits(Int128 coefficient, int digits) {
  if (digits >= 0) return Fit(coefficient, static_cast<unsigned>(digits));
  constexpr Int128 kMax = std::numeric_limits<std::int64_t>::max();
  if (coefficient > kMax || coefficient < -kMax) return std::nullopt;  // before the product leaves 128 bits
  return Fit(coefficient * Pow10(static_cast<unsigned>(-digits)), 0);
}

bool GoodDigits(int digits) { return digits >= -kMaxDecimalDigits && digits <= kMaxDecimalDigits; }

Int128 Magnitude(std::int64_t v) { return v < 0 ? -Int128{v} : Int128{v}; }

}  // namespace

std::optional<Rounding> ParseRounding(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, Rounding>, 6> kNames{{{"half_up", Rounding::kHalfUp},
                                                                         {"half_even", Rounding::kHalfEven},
                                                                         {"down", Rounding::kDown},
                                                                         {"up", Rounding::kUp},
                                                                         {"ceil", Rounding::kCeil},
                                                                         {"floor", Rounding::kFloor}}};
  for (const auto& [known, mode] : kNames) {
    if (known == name) return mode;
  }
  return std::nullopt;
}

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

std::optional<Decimal> Decimal::Round(Decimal a, int digits, Rounding mode) {
  if (!GoodDigits(digits)) return std::nullopt;
  if (digits >= a.scale) {
    // Nothing to round: the same number, with zeros at its end as far as they fit.
    const Int128 longer = Aligned(a, static_cast<unsigned>(digits));
    constexpr Int128 kMax = std::numeric_limits<std::int64_t>::max();
    if (longer > kMax || longer < -kMax) return a;
    return Decimal{static_cast<std::int64_t>(longer), static_cast<std::uint8_t>(digits)};
  }
  const Int128 by = Pow10(static_cast<unsigned>(a.scale - digits));
  const Int128 whole = Magnitude(a.coefficient);
  return WithDigits(Rounded(whole / by, whole % by, by, a.coefficient < 0, mode), digits);
}

std::optional<Decimal> Decimal::Divide(Decimal a, Decimal b, int digits, Rounding mode) {
  if (!GoodDigits(digits) || b.coefficient == 0) return std::nullopt;
  const bool negative = (a.coefficient < 0) != (b.coefficient < 0);
  const Int128 over = Magnitude(a.coefficient);
  Int128 by = Magnitude(b.coefficient);
  // over / by * 10^shift is the quotient in units of its last digit.
  int shift = b.scale - a.scale + digits;
  // Below a quarter of a unit every mode gives the same, however far below.
  for (; shift < 0 && by <= 4 * over; ++shift) by *= 10;
  Int128 whole = over / by;
  Int128 rest = over % by;
  constexpr Int128 kMax = std::numeric_limits<std::int64_t>::max();
  for (; shift > 0; --shift) {
    whole = whole * 10 + rest * 10 / by;
    rest = rest * 10 % by;
    if (whole > kMax) return std::nullopt;
  }
  return WithDigits(Rounded(whole, rest, by, negative, mode), digits);
}

int Decimal::Compare(Decimal a, Decimal b) {
  const unsigned scale = std::max(a.scale, b.scale);
  const Int128 x = Aligned(a, scale);
  const Int128 y = Aligned(b, scale);
  return x < y ? -1 : x > y ? 1 : 0;
}

}  // namespace zhitui::value
