#include "population/calendar.h"

#include <algorithm>
#include <chrono>

namespace zhitui::population {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::year_month_day;

void AppendPadded(std::string& out, unsigned value, unsigned digits) {
  char text[4];
  for (unsigned i = digits; i > 0; --i, value /= 10) text[i - 1] = static_cast<char>('0' + value % 10);
  out.append(text, digits);
}

}  // namespace

Date AddMonths(Date day, int months) {
  const year_month_day from(day);
  const auto month = from.year() / from.month() + std::chrono::months(months);
  const year_month_day last(month / std::chrono::last);
  return Date(month / std::min(from.day(), last.day()));
}

int YearOf(Date day) { return static_cast<int>(year_month_day(day).year()); }

unsigned MonthOf(Date day) { return static_cast<unsigned>(year_month_day(day).month()); }

bool IsLeapDay(Date day) {
  const year_month_day ymd(day);
  return ymd.month() == std::chrono::February && ymd.day() == std::chrono::day(29);
}

int AgeOn(Date birth, Date day) {
  const year_month_day b(birth);
  const year_month_day d(day);
  const int years = static_cast<int>(d.year()) - static_cast<int>(b.year());
  const bool before = d.month() < b.month() || (d.month() == b.month() && d.day() < b.day());
  return before ? years - 1 : years;
}

int MonthIndex(Date day) { return YearOf(day) * 12 + static_cast<int>(MonthOf(day)) - 1; }

Date FirstOfMonth(int month_index) {
  return Date(std::chrono::year(month_index / 12) / (month_index % 12 + 1) / std::chrono::day(1));
}

Date LaterOf(Date a, Date b) { return a < b ? b : a; }

bool IsWorkingDay(Date day) {
  const std::chrono::weekday weekday(day);
  if (weekday == std::chrono::Saturday || weekday == std::chrono::Sunday) return false;
  const year_month_day ymd(day);
  const auto d = static_cast<unsigned>(ymd.day());
  if (ymd.month() == std::chrono::January) return d != 1;
  if (ymd.month() == std::chrono::May) return d > 5;
  if (ymd.month() == std::chrono::October) return d > 7;
  return true;
}

Instant OfficeHour(Instant at, bool any_day, int next_day_hour) {
  const auto local = std::chrono::ceil<hours>(kShanghai.Local(at));
  Date day = std::chrono::floor<days>(local);
  auto hour = local - std::chrono::floor<hours>(std::chrono::local_time<Millis>(day));
  if (hour > hours(18)) {
    day += days(1);
    hour = hours(next_day_hour);
  }
  while (!any_day && !IsWorkingDay(day)) {
    day += days(1);
    hour = hours(next_day_hour);
  }
  return kShanghai.StartOf(day) + std::max<Millis>(hour, hours(9));
}

void AppendDate(std::string& out, Date day) {
  const year_month_day ymd(day);
  AppendPadded(out, static_cast<unsigned>(static_cast<int>(ymd.year())), 4);
  out += '-';
  AppendPadded(out, static_cast<unsigned>(ymd.month()), 2);
  out += '-';
  AppendPadded(out, static_cast<unsigned>(ymd.day()), 2);
}

void AppendInstant(std::string& out, Instant at) {
  const auto local = kShanghai.Local(at);
  const Date day = std::chrono::floor<days>(local);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(local - day));
  AppendDate(out, day);
  out += 'T';
  AppendPadded(out, static_cast<unsigned>(clock.hours().count()), 2);
  out += ':';
  AppendPadded(out, static_cast<unsigned>(clock.minutes().count()), 2);
  out += ':';
  AppendPadded(out, static_cast<unsigned>(clock.seconds().count()), 2);
  out += "+08:00";
}

}  // namespace zhitui::population
