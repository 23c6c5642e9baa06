#pragma once

#include <string>

#include "base/base.h"

namespace zhitui::population {

// Civil dates as the generator needs them. 29 February plus a number of years that are not leap is 28 February; a month
// end stays within its month.
Date AddMonths(Date day, int months);
inline Date AddYears(Date day, int years) { return AddMonths(day, 12 * years); }
int YearOf(Date day);
unsigned MonthOf(Date day);
bool IsLeapDay(Date day);  // 29 February
int AgeOn(Date birth, Date day);
// Months as one number, year * 12 + month - 1.
int MonthIndex(Date day);
Date FirstOfMonth(int month_index);
Date LaterOf(Date a, Date b);

bool IsWorkingDay(Date day);  // not a weekend, not New Year, Labour Day or the National Day week
// The first whole hour from 09:00 to 18:00 at or after `at`, Shanghai; on a working day unless `any_day`. What has to
// wait for the next day is done at `next_day_hour`, 9 to 18.
Instant OfficeHour(Instant at, bool any_day, int next_day_hour);

void AppendDate(std::string& out, Date day);       // 2026-03-01
void AppendInstant(std::string& out, Instant at);  // 2026-03-01T09:00:00+08:00, whole seconds

}  // namespace zhitui::population
