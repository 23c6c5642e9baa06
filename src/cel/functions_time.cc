// Timestamps and durations of the CEL standard, with the getters in UTC or at a fixed offset.
#include <array>
#include <limits>

#include "cel/functions.h"
#include "cel/text.h"

namespace zhitui::cel {
namespace {

constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kGiga = 1000000000;
__extension__ using Int128 = __int128;

int Digits(std::string_view& text, std::size_t n) {
  if (text.size() < n) return -1;
  int v = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    v = v * 10 + (text[i] - '0');
  }
  text.remove_prefix(n);
  return v;
}

bool Eat(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// "+08:00", "-02:30", "08:00", "UTC" or a name of the IANA database; how far the zone is ahead of UTC at the instant.
std::optional<std::int64_t> OffsetOf(std::string_view zone, std::int64_t at) {
  if (zone == "UTC" || zone == "Z" || zone.empty()) return 0;
  std::string_view rest = zone;
  const int sign = rest.front() == '-' ? -1 : 1;
  if (rest.front() == '-' || rest.front() == '+') rest.remove_prefix(1);
  const int h = Digits(rest, 2);
  if (h < 0) {
    const auto offset = ZoneOffset(zone, std::chrono::sys_seconds(std::chrono::seconds(at)));
    return offset ? std::optional(offset->count()) : std::nullopt;
  }
  if (h > 23 || !Eat(rest, ':')) return std::nullopt;
  const int m = Digits(rest, 2);
  if (m < 0 || m > 59 || !rest.empty()) return std::nullopt;
  return sign * (h * 3600 + m * 60);
}

struct Fields {
  std::chrono::year_month_day date;
  std::int64_t day = 0;     // since 1970-01-01
  std::int64_t second = 0;  // of the day
};

Fields Split(std::int64_t seconds) {
  Fields f;
  f.day = seconds / kDay;
  f.second = seconds % kDay;
  if (f.second < 0) {
    f.second += kDay;
    --f.day;
  }
  f.date = std::chrono::year_month_day(Date(std::chrono::days(f.day)));
  return f;
}

enum class Part : std::uint8_t {
  kYear,
  kMonth,
  kDate,
  kDayOfMonth,
  kDayOfWeek,
  kDayOfYear,
  kHours,
  kMinutes,
  kSeconds,
  kMillis
};

template <Part part>
Value Get(const Call& c, const Value* a, std::size_t n) {
  const std::optional<std::int64_t> offset = n == 2 ? OffsetOf(a[1].AsString(), a[0].Seconds()) : 0;
  if (!offset) return c.Fail("unknown time zone: write an offset such as +08:00, or a name such as Asia/Shanghai");
  const Fields f = Split(a[0].Seconds() + *offset);
  switch (part) {
    case Part::kYear:
      return Value::Int(static_cast<int>(f.date.year()));
    case Part::kMonth:
      return Value::Int(static_cast<int>(static_cast<unsigned>(f.date.month())) - 1);
    case Part::kDate:
      return Value::Int(static_cast<unsigned>(f.date.day()));
    case Part::kDayOfMonth:
      return Value::Int(static_cast<int>(static_cast<unsigned>(f.date.day())) - 1);
    case Part::kDayOfWeek:
      return Value::Int(((f.day % 7) + 7 + 4) % 7);  // 1970-01-01 was a Thursday
    case Part::kDayOfYear:
      return Value::Int(f.day - std::chrono::local_days(f.date.year() / 1 / 1).time_since_epoch().count());
    case Part::kHours:
      return Value::Int(f.second / 3600);
    case Part::kMinutes:
      return Value::Int(f.second / 60 % 60);
    case Part::kSeconds:
      return Value::Int(f.second % 60);
    case Part::kMillis:
      return Value::Int(a[0].Nanos() / 1000000);
  }
  return c.Fail(kNoOverload);
}

Value DurationHours(const Call&, const Value* a, std::size_t) { return Value::Int(a[0].Seconds() / 3600); }
Value DurationMinutes(const Call&, const Value* a, std::size_t) { return Value::Int(a[0].Seconds() / 60); }
Value DurationSeconds(const Call&, const Value* a, std::size_t) { return Value::Int(a[0].Seconds()); }
Value DurationMillis(const Call&, const Value* a, std::size_t) { return Value::Int(a[0].Nanos() / 1000000); }

Value Same(const Call&, const Value* a, std::size_t) { return a[0]; }

Value TimestampOfInt(const Call& c, const Value* a, std::size_t) {
  if (a[0].AsInt() < kMinTimestamp || a[0].AsInt() > kMaxTimestamp) return c.Fail("range error: timestamp");
  return Value::Timestamp(a[0].AsInt(), 0);
}
Value TimestampOfString(const Call& c, const Value* a, std::size_t) {
  std::int64_t seconds = 0;
  std::uint32_t nanos = 0;
  switch (ParseTimestamp(a[0].AsString(), seconds, nanos)) {
    case TimeParse::kOk:
      return Value::Timestamp(seconds, nanos);
    case TimeParse::kRange:
      return c.Fail("range error: timestamp");
    case TimeParse::kBad:
      break;
  }
  return c.Fail("invalid timestamp: write it as 2026-03-01T08:00:00+08:00");
}
Value DurationOfInt(const Call& c, const Value* a, std::size_t) {
  Value v;
  return MakeDuration(a[0].AsInt(), 0, v) ? v : c.Fail("range error: duration");
}
Value DurationOfString(const Call& c, const Value* a, std::size_t) {
  std::int64_t seconds = 0;
  std::int32_t nanos = 0;
  switch (ParseDuration(a[0].AsString(), seconds, nanos)) {
    case TimeParse::kOk:
      return Value::Duration(seconds, nanos);
    case TimeParse::kRange:
      return c.Fail("range error: duration");
    case TimeParse::kBad:
      break;
  }
  return c.Fail("invalid duration: write it as 1h30m");
}

constexpr std::array kRows{
    FunctionRow{"timestamp(timestamp) -> timestamp", Same, "+", "时间点", "An instant"},
    FunctionRow{"timestamp(int) -> timestamp", TimestampOfInt, "+", "", ""},
    FunctionRow{"timestamp(string) -> timestamp", TimestampOfString, "", "", ""},
    FunctionRow{"duration(duration) -> duration", Same, "+", "时长", "A length of time"},
    FunctionRow{"duration(int) -> duration", DurationOfInt, "+", "", ""},
    FunctionRow{"duration(string) -> duration", DurationOfString, "", "", ""},
    FunctionRow{"timestamp.getFullYear() -> int", Get<Part::kYear>, "", "年", "The year"},
    FunctionRow{"timestamp.getFullYear(string) -> int", Get<Part::kYear>, "", "", ""},
    FunctionRow{"timestamp.getMonth() -> int", Get<Part::kMonth>, "", "月（从 0 起）", "The month from 0"},
    FunctionRow{"timestamp.getMonth(string) -> int", Get<Part::kMonth>, "", "", ""},
    FunctionRow{"timestamp.getDate() -> int", Get<Part::kDate>, "", "日（从 1 起）", "The day of the month from 1"},
    FunctionRow{"timestamp.getDate(string) -> int", Get<Part::kDate>, "", "", ""},
    FunctionRow{"timestamp.getDayOfMonth() -> int", Get<Part::kDayOfMonth>, "", "日（从 0 起）",
                "The day of the month from 0"},
    FunctionRow{"timestamp.getDayOfMonth(string) -> int", Get<Part::kDayOfMonth>, "", "", ""},
    FunctionRow{"timestamp.getDayOfWeek() -> int", Get<Part::kDayOfWeek>, "", "星期（周日为 0）",
                "The day of the week, Sunday 0"},
    FunctionRow{"timestamp.getDayOfWeek(string) -> int", Get<Part::kDayOfWeek>, "", "", ""},
    FunctionRow{"timestamp.getDayOfYear() -> int", Get<Part::kDayOfYear>, "", "一年中的第几天（从 0 起）",
                "The day of the year from 0"},
    FunctionRow{"timestamp.getDayOfYear(string) -> int", Get<Part::kDayOfYear>, "", "", ""},
    FunctionRow{"timestamp.getHours() -> int", Get<Part::kHours>, "", "小时", "The hour"},
    FunctionRow{"timestamp.getHours(string) -> int", Get<Part::kHours>, "", "", ""},
    FunctionRow{"timestamp.getMinutes() -> int", Get<Part::kMinutes>, "", "分钟", "The minute"},
    FunctionRow{"timestamp.getMinutes(string) -> int", Get<Part::kMinutes>, "", "", ""},
    FunctionRow{"timestamp.getSeconds() -> int", Get<Part::kSeconds>, "", "秒", "The second"},
    FunctionRow{"timestamp.getSeconds(string) -> int", Get<Part::kSeconds>, "", "", ""},
    FunctionRow{"timestamp.getMilliseconds() -> int", Get<Part::kMillis>, "", "毫秒", "The millisecond"},
    FunctionRow{"timestamp.getMilliseconds(string) -> int", Get<Part::kMillis>, "", "", ""},
    FunctionRow{"duration.getHours() -> int", DurationHours, "", "", ""},
    FunctionRow{"duration.getMinutes() -> int", DurationMinutes, "", "", ""},
    FunctionRow{"duration.getSeconds() -> int", DurationSeconds, "", "", ""},
    FunctionRow{"duration.getMilliseconds() -> int", DurationMillis, "", "", ""},
};

}  // namespace

std::span<const FunctionRow> TimeFunctions() { return kRows; }

bool MakeDuration(std::int64_t seconds, std::int64_t nanos, Value& out) {
  const Int128 total = Int128{seconds} * kGiga + nanos;
  if (total > std::numeric_limits<std::int64_t>::max() || total < std::numeric_limits<std::int64_t>::min()) {
    return false;
  }
  out = Value::Duration(static_cast<std::int64_t>(total / kGiga), static_cast<std::int32_t>(total % kGiga));
  return true;
}

TimeParse ParseTimestamp(std::string_view text, std::int64_t& seconds, std::uint32_t& nanos) {
  const int y = Digits(text, 4);
  if (y < 0 || !Eat(text, '-')) return TimeParse::kBad;
  const int mo = Digits(text, 2);
  if (mo < 1 || !Eat(text, '-')) return TimeParse::kBad;
  const int d = Digits(text, 2);
  const std::chrono::year_month_day date(std::chrono::year(y), std::chrono::month(static_cast<unsigned>(mo)),
                                         std::chrono::day(static_cast<unsigned>(d < 0 ? 0 : d)));
  if (!date.ok() || !(Eat(text, 'T') || Eat(text, 't'))) return TimeParse::kBad;
  const int h = Digits(text, 2);
  if (h < 0 || h > 23 || !Eat(text, ':')) return TimeParse::kBad;
  const int m = Digits(text, 2);
  if (m < 0 || m > 59 || !Eat(text, ':')) return TimeParse::kBad;
  const int s = Digits(text, 2);
  if (s < 0 || s > 59) return TimeParse::kBad;
  nanos = 0;
  if (Eat(text, '.')) {
    std::size_t n = 0;
    while (n < text.size() && text[n] >= '0' && text[n] <= '9') {
      if (n < 9) nanos = nanos * 10 + static_cast<std::uint32_t>(text[n] - '0');
      ++n;
    }
    if (n == 0 || n > 9) return TimeParse::kBad;
    for (std::size_t i = n; i < 9; ++i) nanos *= 10;
    text.remove_prefix(n);
  }
  std::int64_t offset = 0;
  if (!(text.size() == 1 && (Eat(text, 'Z') || Eat(text, 'z')))) {
    if (text.empty() || (text.front() != '+' && text.front() != '-')) return TimeParse::kBad;
    const std::optional<std::int64_t> ahead = OffsetOf(text, 0);
    if (!ahead) return TimeParse::kBad;
    offset = *ahead;
  }
  seconds =
      std::int64_t{std::chrono::local_days(date).time_since_epoch().count()} * kDay + h * 3600 + m * 60 + s - offset;
  return seconds < kMinTimestamp || seconds > kMaxTimestamp ? TimeParse::kRange : TimeParse::kOk;
}

TimeParse ParseDuration(std::string_view text, std::int64_t& seconds, std::int32_t& nanos) {
  const bool negative = Eat(text, '-');
  if (!negative) Eat(text, '+');
  if (text == "0") {
    seconds = 0;
    nanos = 0;
    return TimeParse::kOk;
  }
  if (text.empty()) return TimeParse::kBad;
  constexpr Int128 kLimit = Int128{1} << 100;  // far beyond the range, far below overflow
  Int128 total = 0;
  while (!text.empty()) {
    Int128 whole = 0;
    Int128 fraction = 0;
    Int128 scale = 1;
    bool any = false;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      if (whole < kLimit / 1000) whole = whole * 10 + (text.front() - '0');
      any = true;
      text.remove_prefix(1);
    }
    if (Eat(text, '.')) {
      while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        if (scale < 1000000000000000) {
          fraction = fraction * 10 + (text.front() - '0');
          scale *= 10;
        }
        any = true;
        text.remove_prefix(1);
      }
    }
    if (!any) return TimeParse::kBad;
    std::int64_t unit = 0;
    struct Unit {
      std::string_view name;
      std::int64_t nanos;
    };
    for (const Unit& u : {Unit{"ns", 1}, Unit{"us", 1000}, Unit{"\xC2\xB5s", 1000}, Unit{"\xCE\xBCs", 1000},
                          Unit{"ms", 1000000}, Unit{"s", kGiga}, Unit{"m", 60 * kGiga}, Unit{"h", 3600 * kGiga}}) {
      if (text.starts_with(u.name)) {
        unit = u.nanos;
        text.remove_prefix(u.name.size());
        break;
      }
    }
    if (unit == 0) return TimeParse::kBad;
    if (whole > kLimit / unit) return TimeParse::kRange;
    total += whole * unit + fraction * unit / scale;
    if (total > kLimit) return TimeParse::kRange;
  }
  if (negative) total = -total;
  if (total > std::numeric_limits<std::int64_t>::max() || total < std::numeric_limits<std::int64_t>::min()) {
    return TimeParse::kRange;
  }
  seconds = static_cast<std::int64_t>(total / kGiga);
  nanos = static_cast<std::int32_t>(total % kGiga);
  return TimeParse::kOk;
}

}  // namespace zhitui::cel
