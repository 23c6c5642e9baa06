#pragma once

// The limits and small languages of a rule file: ids, durations, periods. Private to rules.

#include <cstddef>
#include <optional>
#include <string_view>

#include "base/base.h"
#include "value/value.h"

namespace zhitui::rules {

inline constexpr std::size_t kMaxRules = 20'000;
inline constexpr std::size_t kMaxCriteria = 64;
inline constexpr std::size_t kMaxOver = 128;   // rules directly over one
inline constexpr std::size_t kMaxLayers = 12;  // rules over each other: an area code has at most 12 digits
inline constexpr std::size_t kMaxParams = 64;
inline constexpr std::size_t kMaxDatedValues = 200;
inline constexpr std::size_t kMaxLets = 64;
inline constexpr std::size_t kMaxLaws = 32;
inline constexpr std::size_t kMaxAmountRows = 100;
inline constexpr std::size_t kMaxMaterials = 32;
inline constexpr std::size_t kMaxNotify = 32;
inline constexpr std::size_t kMaxTests = 500;
inline constexpr std::size_t kMaxTestDays = 200;
inline constexpr std::size_t kMaxWaivers = 200;
inline constexpr std::size_t kMaxExpressionBytes = 16 * 1024;
inline constexpr std::size_t kMaxListItems = 1000;
inline constexpr std::size_t kMaxCalendars = 100;
inline constexpr std::size_t kMaxCalendarYears = 100;
inline constexpr std::size_t kMaxHolidays = 100;  // a year, and make-up days of one
inline constexpr std::size_t kMaxIdBytes = 64;
inline constexpr std::size_t kMaxTextBytes = 600;  // 200 Chinese characters
inline constexpr std::size_t kMaxUrlBytes = 500;

// Lower-case words of letters and digits joined by single - or _, the first one starting with a letter.
bool IsId(std::string_view text);
// A name an expression can use: as an id, without '-', and not a word of the expression language.
bool IsName(std::string_view text);
// IsId words joined by dots: a topic.
bool IsDottedId(std::string_view text);
// A GB/T 2260 or GB/T 10114 code or the beginning of one: 2 to 12 digits.
bool IsAreaCode(std::string_view text);
// "3d", "12h", "30m", above zero and at most 90 days.
std::optional<Millis> ParseDuration(std::string_view text);
// value::Period::Parse, above zero and at most 10 years.
std::optional<value::Period> ParseLead(std::string_view text);
// A month, "2026-03", as its first day.
std::optional<Date> ParseMonth(std::string_view text);

}  // namespace zhitui::rules
