#include <chrono>
#include <cstdlib>
#include <limits>

#include "value/value.h"

namespace zhitui::value {
namespace {

using std::chrono::days;
using std::chrono::local_days;
using std::chrono::month;
using std::chrono::year;
using std::chrono::year_month_day;
using std::chrono::year_month_day_last;

constexpr Date kFirstDay = local_days(year(1) / 1 / 1);
constexpr Date kLastDay = local_days(year(9999) / 12 / 31);

// Adds the amount of one unit; false when the period no longer fits.
bool AddUnit(std::int64_t n, char unit, std::int64_t& months, std::int64_t& whole_days) {
  switch (unit) {
    case 'Y':
      months += n * 12;
      break;
    case 'M':
      months += n;
      break;
    case 'W':
      whole_days += n * 7;
      break;
    case 'D':
      whole_days += n;
      break;
    default:
      return false;
  }
  constexpr std::int64_t kMax = std::numeric_limits<std::int32_t>::max();
  return std::abs(months) <= kMax && std::abs(whole_days) <= kMax;
}

std::optional<std::int64_t> EatNumber(std::string_view& text, bool sign_allowed) {
  bool negative = false;
  if (sign_allowed && !text.empty() && text.front() == '-') {
    negative = true;
    text.remove_prefix(1);
  }
  std::int64_t n = 0;
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    if (digits == 10) return std::nullopt;
    n = n * 10 + (text[digits++] - '0');
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  return negative ? -n : n;
}

void EatSpaces(std::string_view& text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
}

std::optional<Period> ParseIso(std::string_view text) {
  std::int64_t months = 0;
  std::int64_t whole_days = 0;
  constexpr std::string_view kOrder = "YMWD";
  std::size_t next = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const std::optional<std::int64_t> n = EatNumber(text, true);
    if (!n || text.empty()) return std::nullopt;
    const std::size_t at = kOrder.find(text.front(), next);
    if (at == std::string_view::npos) return std::nullopt;
    if (!AddUnit(*n, text.front(), months, whole_days)) return std::nullopt;
    next = at + 1;
    text.remove_prefix(1);
  }
  return Period{static_cast<std::int32_t>(months), static_cast<std::int32_t>(whole_days)};
}

}  // namespace

std::optional<Period> Period::Parse(std::string_view text) {
  if (!text.empty() && text.front() == 'P') return ParseIso(text.substr(1));
  std::int64_t months = 0;
  std::int64_t whole_days = 0;
  EatSpaces(text);
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const std::optional<std::int64_t> n = EatNumber(text, false);
    if (!n) return std::nullopt;
    EatSpaces(text);
    std::size_t letters = 0;
    while (letters < text.size() && text[letters] >= 'a' && text[letters] <= 'z') ++letters;
    std::string_view word = text.substr(0, letters);
    text.remove_prefix(letters);
    if (word.size() > 1 && word.back() == 's') word.remove_suffix(1);
    const char unit = word == "year" ? 'Y' : word == "month" ? 'M' : word == "week" ? 'W' : word == "day" ? 'D' : ' ';
    if (!AddUnit(*n, unit, months, whole_days)) return std::nullopt;
    if (!text.empty() && text.front() != ' ') return std::nullopt;
    EatSpaces(text);
  }
  return Period{static_cast<std::int32_t>(months), static_cast<std::int32_t>(whole_days)};
}

std::string Period::ToString() const {
  std::string out = "P";
  if (months / 12 != 0) out += std::to_string(months / 12) + "Y";
  if (months % 12 != 0) out += std::to_string(months % 12) + "M";
  if (days != 0 || months == 0) out += std::to_string(days) + "D";
  return out;
}

std::optional<Date> AddPeriod(Date day, Period period, MonthEnd rule) {
  if (period.months != 0) {
    const year_month_day from(day);
    const std::int64_t index =
        (static_cast<std::int64_t>(static_cast<int>(from.year())) * 12 + static_cast<unsigned>(from.month()) - 1) +
        period.months;
    if (index < 12 || index >= 10000 * 12) return std::nullopt;
    const year y(static_cast<int>(index / 12));
    const month m(static_cast<unsigned>(index % 12) + 1);
    const year_month_day same = y / m / from.day();
    if (same.ok()) {
      day = local_days(same);
    } else {
      day = local_days(y / m / std::chrono::last);
      if (rule == MonthEnd::kNextDay) day += days(1);
    }
  }
  // In 64 bits: the sum of any day and any 32-bit count stays exact.
  const std::int64_t sum = std::int64_t{day.time_since_epoch().count()} + period.days;
  if (sum < kFirstDay.time_since_epoch().count() || sum > kLastDay.time_since_epoch().count()) return std::nullopt;
  return Date(std::chrono::days(sum));
}

int MonthsBetween(Date from, Date to, MonthEnd rule) {
  const year_month_day a(from);
  const year_month_day b(to);
  const int months =
      (static_cast<int>(b.year()) - static_cast<int>(a.year())) * 12 +
      (static_cast<int>(static_cast<unsigned>(b.month())) - static_cast<int>(static_cast<unsigned>(a.month())));
  if (a.day() <= b.day()) return months;
  if (rule == MonthEnd::kNextDay) return months - 1;
  // The day of `from` may lie past the end of b's month: then that month's last day completes it.
  return b.day() == year_month_day_last(b.year(), b.month() / std::chrono::last).day() ? months : months - 1;
}

int AgeInYears(Date birth, Date on, MonthEnd rule) {
  const int months = MonthsBetween(birth, on, rule);
  return months >= 0 ? months / 12 : -((11 - months) / 12);
}

}  // namespace zhitui::value
