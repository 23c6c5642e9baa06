// What law needs beside CEL: civil dates and periods, ages, months, area codes, exact decimals.
#include <algorithm>
#include <array>
#include <limits>

#include "cel/functions.h"
#include "cel/law.h"

namespace zhitui::cel {

using std::chrono::day;
using std::chrono::local_days;
using std::chrono::month;
using std::chrono::year;
using std::chrono::year_month_day;

std::int64_t MonthIndex(Date d) {
  const year_month_day ymd(d);
  return static_cast<std::int64_t>(static_cast<int>(ymd.year())) * 12 + static_cast<unsigned>(ymd.month()) - 1;
}

std::optional<Date> StartOfMonthIndex(std::int64_t index) {
  if (index < 12 || index >= 10000 * 12) return std::nullopt;
  return local_days(year(static_cast<int>(index / 12)) / static_cast<int>(index % 12 + 1) / 1);
}

Date EndOfMonth(Date d) {
  const year_month_day ymd(d);
  return local_days(ymd.year() / ymd.month() / std::chrono::last);
}

std::optional<Date> DateFromParts(std::int64_t y, std::int64_t m, std::int64_t d, bool clamp_leap_day) {
  if (y < 1 || y > 9999 || m < 1 || m > 12 || d < 1 || d > 31) return std::nullopt;
  year_month_day ymd(year(static_cast<int>(y)), month(static_cast<unsigned>(m)), day(static_cast<unsigned>(d)));
  if (!ymd.ok() && clamp_leap_day && m == 2 && d == 29) ymd = ymd.year() / 2 / 28;
  if (!ymd.ok()) return std::nullopt;
  return local_days(ymd);
}

namespace {

using value::Decimal;
using value::Kind;
using value::Period;

constexpr std::string_view kDateRange = "range error: the date is outside the years 0001 to 9999";
constexpr std::string_view kPeriodRange = "range error: the period is too long";

constexpr std::string_view kDigits = "invalid digits: a number of digits is from -18 to 18";
constexpr std::string_view kMode =
    "invalid rounding: write \"half_up\", \"half_even\", \"down\", \"up\", \"ceil\" or \"floor\"";
constexpr std::string_view kMonthEnd = "invalid month end: write \"last_day\" or \"next_day\"";

Value Same(const Call&, const Value* a, std::size_t) { return a[0]; }

// The rule for days that a month does not have, from the argument at `index`, which may be left out; false: another
// text.
bool MonthEndOf(const Value* a, std::size_t count, std::size_t index, value::MonthEnd& rule) {
  rule = value::MonthEnd::kLastDay;
  if (index >= count) return true;
  if (a[index].AsString() == "next_day") rule = value::MonthEnd::kNextDay;
  return rule == value::MonthEnd::kNextDay || a[index].AsString() == "last_day";
}

Value DateOfString(const Call& c, const Value* a, std::size_t) {
  const Result<Date> d = ParseDate(a[0].AsString());
  return d ? Value::OfDate(*d) : c.Fail("invalid date: write it as 2026-03-01");
}
Value DateOfParts(const Call& c, const Value* a, std::size_t) {
  const std::optional<Date> d = DateFromParts(a[0].AsInt(), a[1].AsInt(), a[2].AsInt(), false);
  return d ? Value::OfDate(*d) : c.Fail("invalid date: no such day");
}
Value DateOfYear(const Call& c, const Value* a, std::size_t count) {
  value::MonthEnd rule{};
  if (!MonthEndOf(a, count, 3, rule)) return c.Fail(kMonthEnd);
  std::optional<Date> d = DateFromParts(a[0].AsInt(), a[1].AsInt(), a[2].AsInt(), true);
  // In a common year 29 February has become the 28th.
  const bool moved = d && a[2].AsInt() == 29 && static_cast<unsigned>(year_month_day(*d).day()) == 28;
  if (moved && rule == value::MonthEnd::kNextDay) d = *d + std::chrono::days(1);
  return d ? Value::OfDate(*d) : c.Fail("invalid date: no such day");
}

Value MakePeriod(const Call& c, std::int64_t n, std::int64_t months, std::int64_t days) {
  constexpr std::int64_t kMax = 200000;  // beyond any date of the years 0001 to 9999 in months; days have room too
  if (n > kMax * 20 || n < -kMax * 20) return c.Fail(kPeriodRange);
  return Value::OfPeriod({static_cast<std::int32_t>(n * months), static_cast<std::int32_t>(n * days)});
}
Value Years(const Call& c, const Value* a, std::size_t) { return MakePeriod(c, a[0].AsInt(), 12, 0); }
Value Months(const Call& c, const Value* a, std::size_t) { return MakePeriod(c, a[0].AsInt(), 1, 0); }
Value Days(const Call& c, const Value* a, std::size_t) { return MakePeriod(c, a[0].AsInt(), 0, 1); }
Value PeriodOfString(const Call& c, const Value* a, std::size_t) {
  const std::optional<Period> p = Period::Parse(a[0].AsString());
  return p ? Value::OfPeriod(*p) : c.Fail("invalid period: write it as 1 year 6 months, or P1Y6M");
}

Value Age(const Call& c, const Value* a, std::size_t count) {
  value::MonthEnd rule{};
  if (!MonthEndOf(a, count, 2, rule)) return c.Fail(kMonthEnd);
  return Value::Int(value::AgeInYears(a[0].AsDate(), a[1].AsDate(), rule));
}
Value MonthsBetween(const Call& c, const Value* a, std::size_t count) {
  value::MonthEnd rule{};
  if (!MonthEndOf(a, count, 2, rule)) return c.Fail(kMonthEnd);
  return Value::Int(value::MonthsBetween(a[0].AsDate(), a[1].AsDate(), rule));
}
Value AddPeriod(const Call& c, const Value* a, std::size_t count) {
  value::MonthEnd rule{};
  if (!MonthEndOf(a, count, 2, rule)) return c.Fail(kMonthEnd);
  const std::optional<Date> d = value::AddPeriod(a[0].AsDate(), a[1].AsPeriod(), rule);
  return d ? Value::OfDate(*d) : c.Fail(kDateRange);
}

// The first day of the school year in which a day lies: it begins on 1 September, or on the day of the year given.
Value SchoolYearStart(const Call& c, const Value* a, std::size_t count) {
  const std::int64_t start_month = count == 3 ? a[1].AsInt() : 9;
  const std::int64_t start_day = count == 3 ? a[2].AsInt() : 1;
  // A common year shows whether every year has that day.
  if (!DateFromParts(2001, start_month, start_day, false)) {
    return c.Fail("invalid start: a school year begins on a day that every year has, such as 9, 1");
  }
  const Date on = a[0].AsDate();
  const auto y = std::int64_t{static_cast<int>(year_month_day(on).year())};
  std::optional<Date> start = DateFromParts(y, start_month, start_day, false);
  if (start && *start > on) start = DateFromParts(y - 1, start_month, start_day, false);
  return start ? Value::OfDate(*start) : c.Fail(kDateRange);
}
Value SchoolYear(const Call& c, const Value* a, std::size_t count) {
  const Value start = SchoolYearStart(c, a, count);
  return start.is(Kind::kDate) ? Value::Int(static_cast<int>(year_month_day(start.AsDate()).year())) : start;
}

Value StartOfMonth(const Call&, const Value* a, std::size_t) {
  const year_month_day ymd(a[0].AsDate());
  return Value::OfDate(local_days(ymd.year() / ymd.month() / 1));
}
Value EndOfMonthOf(const Call&, const Value* a, std::size_t) { return Value::OfDate(EndOfMonth(a[0].AsDate())); }
Value YearOf(const Call&, const Value* a, std::size_t) {
  return Value::Int(static_cast<int>(year_month_day(a[0].AsDate()).year()));
}
Value MonthOf(const Call&, const Value* a, std::size_t) {
  return Value::Int(static_cast<unsigned>(year_month_day(a[0].AsDate()).month()));
}
Value DayOf(const Call&, const Value* a, std::size_t) {
  return Value::Int(static_cast<unsigned>(year_month_day(a[0].AsDate()).day()));
}

// The anniversaries of d are d + 1 year, d + 2 years, …; the day itself is not one.
Value NextAnniversary(const Call& c, const Value* a, std::size_t count) {
  value::MonthEnd rule{};
  if (!MonthEndOf(a, count, 2, rule)) return c.Fail(kMonthEnd);
  const Date d = a[0].AsDate();
  const Date on = a[1].AsDate();
  std::int32_t n = std::max(1, value::AgeInYears(d, on, rule));
  for (;; ++n) {
    const std::optional<Date> next = value::AddPeriod(d, {n * 12, 0}, rule);
    if (!next) return c.Fail(kDateRange);
    if (*next >= on) return Value::OfDate(*next);
  }
}

// The months of a list of dates, sorted and distinct; false when something else is in it.
bool DistinctMonths(const Call& c, const Value& list, std::span<std::int64_t>& out) {
  const std::span<const Value> dates = list.AsList();
  if (!c.Charge(dates.size() * sizeof(Value))) return false;
  auto* months = c.arena.NewArray<std::int64_t>(dates.size());
  for (std::size_t i = 0; i < dates.size(); ++i) {
    if (!dates[i].is(Kind::kDate)) return false;
    months[i] = MonthIndex(dates[i].AsDate());
  }
  std::sort(months, months + dates.size());
  out = {months, static_cast<std::size_t>(std::unique(months, months + dates.size()) - months)};
  return true;
}

Value CountMonths(const Call& c, const Value* a, std::size_t) {
  std::span<std::int64_t> months;
  if (!DistinctMonths(c, a[0], months)) return c.Fail(kNoOverload);
  const std::int64_t from = MonthIndex(a[1].AsDate());
  const std::int64_t to = MonthIndex(a[2].AsDate());
  return Value::Int(std::count_if(months.begin(), months.end(), [&](std::int64_t m) { return m >= from && m <= to; }));
}

// Agencies book a month in the next one, so a run that ends in the month before `until` is still unbroken.
Value ConsecutiveMonths(const Call& c, const Value* a, std::size_t) {
  std::span<std::int64_t> months;
  if (!DistinctMonths(c, a[0], months)) return c.Fail(kNoOverload);
  const std::int64_t until = MonthIndex(a[1].AsDate());
  auto it = std::upper_bound(months.begin(), months.end(), until);
  if (it == months.begin() || *(it - 1) < until - 1) return Value::Int(0);
  --it;
  std::int64_t run = 1;
  while (it != months.begin() && *(it - 1) == *it - 1) {
    --it;
    ++run;
  }
  return Value::Int(run);
}

Value Within(const Call&, const Value* a, std::size_t) {
  return Value::Bool(a[0].AsString().starts_with(AreaPrefix(a[1].AsString())));
}

Value DecimalOfString(const Call& c, const Value* a, std::size_t) {
  const std::optional<Decimal> d = Decimal::Parse(a[0].AsString());
  return d ? Value::OfDecimal(*d) : c.Fail("invalid decimal: write it as 12.50");
}
Value DecimalOfInt(const Call&, const Value* a, std::size_t) { return Value::OfDecimal({a[0].AsInt(), 0}); }

Decimal ToDecimal(const Value& v) { return v.is(Kind::kInt) ? Decimal{v.AsInt(), 0} : v.AsDecimal(); }

// The number of digits and the mode that stand at the end of the arguments; an error otherwise.
std::optional<Value> RoundingOf(const Call& c, const Value* a, int& digits, value::Rounding& mode) {
  if (a[0].AsInt() < -value::kMaxDecimalDigits || a[0].AsInt() > value::kMaxDecimalDigits) return c.Fail(kDigits);
  digits = static_cast<int>(a[0].AsInt());
  const std::optional<value::Rounding> known = value::ParseRounding(a[1].AsString());
  if (!known) return c.Fail(kMode);
  mode = *known;
  return std::nullopt;
}
Value Round(const Call& c, const Value* a, std::size_t) {
  int digits = 0;
  value::Rounding mode{};
  if (const std::optional<Value> error = RoundingOf(c, a + 1, digits, mode)) return *error;
  const std::optional<Decimal> d = Decimal::Round(ToDecimal(a[0]), digits, mode);
  return d ? Value::OfDecimal(*d) : c.Fail("decimal overflow");
}
Value Divide(const Call& c, const Value* a, std::size_t) {
  int digits = 0;
  value::Rounding mode{};
  if (const std::optional<Value> error = RoundingOf(c, a + 2, digits, mode)) return *error;
  const Decimal by = ToDecimal(a[1]);
  if (by.coefficient == 0) return c.Fail("divide by zero");
  const std::optional<Decimal> d = Decimal::Divide(ToDecimal(a[0]), by, digits, mode);
  return d ? Value::OfDecimal(*d) : c.Fail("decimal overflow");
}

template <bool later>
Value Outer(const Call&, const Value* a, std::size_t) {
  return (a[0].AsDate() > a[1].AsDate()) == later ? a[0] : a[1];
}

constexpr std::array kRows{
    FunctionRow{"date(string) -> date", DateOfString, "", "日期：date(\"2026-03-01\") 或 date(2026, 3, 1)",
                "A date: date(\"2026-03-01\") or date(2026, 3, 1)"},
    FunctionRow{"date(int, int, int) -> date", DateOfParts, "parts", "", ""},
    FunctionRow{"date(date) -> date", Same, "+", "", ""},
    FunctionRow{"date_of_year(int, int, int) -> date", DateOfYear, "parts",
                "某年的某月某日，平年的 2 月 29 日算 2 月 28 日",
                "A day of a year; 29 February of a common year is the 28th"},
    FunctionRow{"date_of_year(int, int, int, string) -> date", DateOfYear, "parts", "", ""},
    FunctionRow{"years(int) -> period", Years, "+", "若干年", "A number of years"},
    FunctionRow{"months(int) -> period", Months, "+", "若干月", "A number of months"},
    FunctionRow{"days(int) -> period", Days, "+", "若干天", "A number of days"},
    FunctionRow{"period(string) -> period", PeriodOfString, "", "期间：period(\"2 months\")",
                "A period: period(\"2 months\")"},
    FunctionRow{"period(period) -> period", Same, "+", "", ""},
    FunctionRow{"age(date, date) -> int", Age, "-+", "周岁：age(出生日期, 某日)；2 月 29 日出生者平年 2 月 28 日满岁",
                "Completed years at a day; born on 29 February completes them on the 28th of a common year"},
    FunctionRow{"age(date, date, string) -> int", Age, "-+=", "", ""},
    FunctionRow{"months_between(date, date) -> int", MonthsBetween, "-+", "两日之间的整月数",
                "Completed months between two days"},
    FunctionRow{"months_between(date, date, string) -> int", MonthsBetween, "-+=", "", ""},
    FunctionRow{"add_period(date, period, string) -> date", AddPeriod,
                "++=", "日期加期间；月末规则 last_day（当月最后一天）或 next_day（次月 1 日）",
                "A date plus a period, with the rule for days a month does not have: last_day or next_day"},
    FunctionRow{"school_year(date) -> int", SchoolYear, "+", "所在学年的起始年份（9 月 1 日开学）",
                "The year in which the school year of a day began, on 1 September"},
    FunctionRow{"school_year(date, int, int) -> int", SchoolYear, "+==", "", ""},
    FunctionRow{"school_year_start(date) -> date", SchoolYearStart, "+", "所在学年的第一天（9 月 1 日）",
                "The first day of the school year of a day, 1 September"},
    FunctionRow{"school_year_start(date, int, int) -> date", SchoolYearStart, "+==", "", ""},
    FunctionRow{"earlier(date, date) -> date", Outer<false>, "++", "两日中较早的一日", "The earlier of two days"},
    FunctionRow{"later(date, date) -> date", Outer<true>, "++", "两日中较晚的一日", "The later of two days"},
    FunctionRow{"start_of_month(date) -> date", StartOfMonth, "+", "当月第一天", "The first day of the month"},
    FunctionRow{"end_of_month(date) -> date", EndOfMonthOf, "+", "当月最后一天", "The last day of the month"},
    FunctionRow{"year(date) -> int", YearOf, "+", "年", "The year"},
    FunctionRow{"month(date) -> int", MonthOf, "month", "月（1 到 12）", "The month, 1 to 12"},
    FunctionRow{"day(date) -> int", DayOf, "day", "日（1 到 31）", "The day of the month, 1 to 31"},
    FunctionRow{"next_anniversary(date, date) -> date", NextAnniversary, "=+",
                "某日当天或之后的第一个周年日（满一年起算）",
                "The first anniversary that is not before a day; the first one is a year after the date"},
    FunctionRow{"next_anniversary(date, date, string) -> date", NextAnniversary, "=+=", "", ""},
    FunctionRow{"count_months(list(date), date, date) -> int", CountMonths, "=-+", "列表中在两日之间（按月）的不同月数",
                "Distinct months of the list from one day's month to another's"},
    FunctionRow{"consecutive_months(list(date), date) -> int", ConsecutiveMonths, "runs",
                "截至某日所在月或其上月的连续月数（机构入账晚一个月）",
                "Length of the unbroken run of months that ends in the month of a day or the month before it (agencies "
                "book a month late)"},
    FunctionRow{"within(string, string) -> bool", Within, "", "行政区划代码属于某地区：within(\"440304\", \"4403\")",
                "An area code lies in an area: within(\"440304\", \"4403\")"},
    FunctionRow{"decimal(string) -> decimal", DecimalOfString, "", "精确小数：decimal(\"12.50\")",
                "An exact decimal: decimal(\"12.50\")"},
    FunctionRow{"decimal(int) -> decimal", DecimalOfInt, "+", "", ""},
    FunctionRow{"decimal(decimal) -> decimal", Same, "+", "", ""},
    FunctionRow{"round(decimal, int, string) -> decimal", Round, "round",
                "按声明的方式舍入到若干位小数：round(x, 2, \"half_up\")",
                "Rounded to so many digits in the way declared: round(x, 2, \"half_up\")"},
    FunctionRow{"round(int, int, string) -> decimal", Round, "round", "", ""},
    FunctionRow{"divide(decimal, decimal, int, string) -> decimal", Divide, "divide",
                "精确相除后按声明的方式舍入一次：divide(x, 12, 2, \"half_up\")",
                "The quotient, rounded once in the way declared: divide(x, 12, 2, \"half_up\")"},
    FunctionRow{"divide(decimal, int, int, string) -> decimal", Divide, "divide", "", ""},
    FunctionRow{"divide(int, decimal, int, string) -> decimal", Divide, "divide", "", ""},
    FunctionRow{"divide(int, int, int, string) -> decimal", Divide, "divide", "", ""},
};

}  // namespace

std::string_view AreaPrefix(std::string_view code) {
  if (code.size() == 12 && code.ends_with("000")) code.remove_suffix(3);
  if (code.size() == 9 && code.ends_with("000")) code.remove_suffix(3);
  if (code.size() == 6 && code.ends_with("00")) code.remove_suffix(2);
  if (code.size() == 4 && code.ends_with("00")) code.remove_suffix(2);
  return code;
}

std::span<const FunctionRow> LawFunctions() { return kRows; }

}  // namespace zhitui::cel
