#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/base.h"
#include "cel/cel.h"

namespace zhitui::cel {

// Months since year 0: year * 12 + month - 1.
std::int64_t MonthIndex(Date d);
std::optional<Date> StartOfMonthIndex(std::int64_t index);  // nullopt outside the years 0001 to 9999
Date EndOfMonth(Date d);
// nullopt when there is no such day; with `clamp_leap_day` 29 February of a common year is the 28th.
std::optional<Date> DateFromParts(std::int64_t year, std::int64_t month, std::int64_t day, bool clamp_leap_day);

// The n-th working day after a day (n < 0: before; 0: the day, or else the next one), in `out`. 0 when it is covered,
// -1 or 1 when the day or the result lies before or after what the calendar covers; grows with both day and n.
int AddWorkingDays(const Calendar& calendar, Date day, std::int64_t n, Date& out);

}  // namespace zhitui::cel
