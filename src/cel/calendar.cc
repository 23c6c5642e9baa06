// Working days from a calendar: the days themselves, and the functions that count them.
#include <algorithm>
#include <array>

#include "cel/functions.h"
#include "cel/law.h"

namespace zhitui::cel {

Calendar::Calendar() = default;

std::shared_ptr<const Calendar> Calendar::Make(std::string id, int first_year, int last_year, std::span<const Date> off,
                                               std::span<const Date> worked) {
  auto calendar = std::shared_ptr<Calendar>(new Calendar());
  calendar->id_ = std::move(id);
  calendar->first_ = MakeDate(first_year, 1, 1);
  calendar->last_ = MakeDate(last_year, 12, 31);
  calendar->outside_ = "the calendar `" + calendar->id_ + "` covers " + std::to_string(first_year) + " to " +
                       std::to_string(last_year) + ", not this day";
  const auto days = static_cast<std::size_t>((calendar->last_ - calendar->first_).count()) + 1;
  calendar->index_.reserve(days);
  std::vector<Date> free(off.begin(), off.end());
  std::vector<Date> made_up(worked.begin(), worked.end());
  std::sort(free.begin(), free.end());
  std::sort(made_up.begin(), made_up.end());
  StableId hash;
  hash.Add("calendar-1").Add(calendar->id_).Add(std::int64_t{first_year}).Add(std::int64_t{last_year});
  for (Date day = calendar->first_; day <= calendar->last_; day += std::chrono::days(1)) {
    const unsigned weekday = std::chrono::weekday(day).iso_encoding();  // Monday 1
    const bool is_off = std::binary_search(free.begin(), free.end(), day);
    const bool is_worked = std::binary_search(made_up.begin(), made_up.end(), day);
    if (is_off || is_worked) hash.Add(FormatDate(day)).Add(is_worked ? "worked" : "off");
    if (is_worked || (weekday <= 5 && !is_off)) calendar->days_.push_back(day);
    calendar->index_.push_back(static_cast<std::uint32_t>(calendar->days_.size()));
  }
  calendar->hash_ = hash.Hex();
  return calendar;
}

std::int64_t Calendar::CountTo(Date day) const { return index_[static_cast<std::size_t>((day - first_).count())]; }

bool Calendar::IsWorkingDay(Date day) const {
  const std::int64_t count = CountTo(day);
  return count > 0 && days_[static_cast<std::size_t>(count - 1)] == day;
}

std::optional<Date> Calendar::Nth(std::int64_t n) const {
  if (n < 1 || n > static_cast<std::int64_t>(days_.size())) return std::nullopt;
  return days_[static_cast<std::size_t>(n - 1)];
}

int AddWorkingDays(const Calendar& calendar, Date day, std::int64_t n, Date& out) {
  if (day < calendar.first()) return -1;
  if (day > calendar.last()) return 1;
  const std::int64_t all = calendar.CountTo(calendar.last());
  const std::int64_t count = calendar.CountTo(day);
  const bool worked = calendar.IsWorkingDay(day);
  // Far beyond the calendar already, before the sum could overflow.
  if (n > all) return 1;
  if (n < -all) return -1;
  std::int64_t nth = count + n;                // the n-th after the day
  if (n == 0) nth = count + (worked ? 0 : 1);  // the day, or the first working day after it
  if (n < 0 && !worked) ++nth;                 // the n-th before the day, which is not one itself
  if (nth < 1) return -1;
  const std::optional<Date> found = calendar.Nth(nth);
  if (!found) return 1;
  out = *found;
  return 0;
}

namespace {

Value Outside(const Call& c) { return c.Fail(c.arena.Copy(c.calendar->outside())); }

// The checker lets nobody come here without a calendar but programs that are not checked.
constexpr std::string_view kNoCalendar = "no calendar says which days are worked";

Value IsWorkingDay(const Call& c, const Value* a, std::size_t) {
  if (c.calendar == nullptr) return c.Fail(kNoCalendar);
  if (!c.calendar->Covers(a[0].AsDate())) return Outside(c);
  return Value::Bool(c.calendar->IsWorkingDay(a[0].AsDate()));
}

Value AddDays(const Call& c, const Value* a, std::size_t) {
  if (c.calendar == nullptr) return c.Fail(kNoCalendar);
  Date out{};
  return AddWorkingDays(*c.calendar, a[0].AsDate(), a[1].AsInt(), out) == 0 ? Value::OfDate(out) : Outside(c);
}

Value DaysBetween(const Call& c, const Value* a, std::size_t) {
  if (c.calendar == nullptr) return c.Fail(kNoCalendar);
  const Date from = a[0].AsDate();
  const Date to = a[1].AsDate();
  if (!c.calendar->Covers(from) || !c.calendar->Covers(to)) return Outside(c);
  return Value::Int(c.calendar->CountTo(to) - c.calendar->CountTo(from));
}

constexpr std::array kRows{
    FunctionRow{"is_working_day(date) -> bool", IsWorkingDay, "workday",
                "是否工作日（按日历：周末和节假日不是，调休上班日是）",
                "Whether a day is worked: not on weekends and holidays, but on make-up days, by the calendar"},
    FunctionRow{"add_working_days(date, int) -> date", AddDays, "add_workdays",
                "某日之后第 n 个工作日；n 为 0：当日，非工作日则顺延到下一工作日；n 为负：之前",
                "The n-th working day after a day; 0: the day itself or else the next working day; negative: before"},
    FunctionRow{"working_days_between(date, date) -> int", DaysBetween, "workdays",
                "两日之间的工作日数：开始当日不计，结束当日计入",
                "Working days after the first day, up to and with the second; negative when it is earlier"},
};

}  // namespace

std::span<const FunctionRow> CalendarFunctions() { return kRows; }

bool UsesCalendar(std::string_view function) {
  return std::any_of(kRows.begin(), kRows.end(), [function](const FunctionRow& row) {
    return row.signature.substr(0, row.signature.find('(')) == function;
  });
}

}  // namespace zhitui::cel
