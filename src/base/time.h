#pragma once

#include <atomic>
#include <chrono>
#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace zhitui {

using Millis = std::chrono::milliseconds;
using Instant = std::chrono::sys_time<Millis>;  // UTC, millisecond resolution
using Date = std::chrono::local_days;           // a civil date, no zone; years 0001 to 9999

// A fixed offset from UTC. Asia/Shanghai has had no daylight saving time since 1991, and every instant the product
// converts is later than that.
struct Zone {
  std::chrono::minutes offset;
  Date DateOf(Instant at) const { return std::chrono::floor<std::chrono::days>(Local(at)); }
  std::chrono::local_time<Millis> Local(Instant at) const {
    return std::chrono::local_time<Millis>(at.time_since_epoch() + offset);
  }
  Instant ToInstant(std::chrono::local_time<Millis> local) const { return Instant(local.time_since_epoch() - offset); }
  Instant StartOf(Date day) const { return ToInstant(std::chrono::local_time<Millis>(day)); }  // 00:00 of that day
};
inline constexpr Zone kShanghai{std::chrono::minutes(8 * 60)};

// "2026-03-01"; four-digit year, a real calendar day, nothing around it. Invalid otherwise.
Result<Date> ParseDate(std::string_view text);
std::string FormatDate(Date day);
// How far a time zone of the IANA database ("America/St_Johns") is ahead of UTC at an instant; nullopt: no such zone.
// The system's database (tzdata) is read once.
std::optional<std::chrono::seconds> ZoneOffset(std::string_view zone, std::chrono::sys_seconds at);
Date MakeDate(int year, unsigned month, unsigned day);  // the arguments form a real day

// RFC 3339 ("2026-03-01T08:00:00Z", fraction to nanoseconds truncated to ms, any offset; seconds may be left out).
Result<Instant> ParseInstant(std::string_view text);
std::string FormatInstant(Instant at, Zone zone = kShanghai);  // "2026-03-01T08:00:00.000+08:00"
std::string FormatUtc(Instant at);                             // "2026-03-01T00:00:00Z", whole seconds

// Where "now" comes from. Pure rooms never see a Clock: time is an argument. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant Now() const = 0;
};

class SystemClock final : public Clock {
 public:
  Instant Now() const override;
};

// Stands still until it is set; never goes back.
class DrivenClock final : public Clock {
 public:
  explicit DrivenClock(Instant start) : now_(start.time_since_epoch().count()) {}
  Instant Now() const override { return Instant(Millis(now_.load())); }
  void AdvanceTo(Instant at);

 private:
  std::atomic<Millis::rep> now_;
};

}  // namespace zhitui
