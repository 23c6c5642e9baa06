#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "cel/functions.h"

namespace zhitui::cel {

// Code points of valid UTF-8.
std::size_t CountCodePoints(std::string_view utf8);
// The byte at which code point `index` starts; utf8.size() for index == count, npos beyond.
std::size_t ByteOfCodePoint(std::string_view utf8, std::size_t index);
// Decodes the code point at `at` and moves past it.
std::uint32_t DecodeAt(std::string_view utf8, std::size_t& at);

// "2009-02-13T23:31:30.5Z" and other offsets; false when it is not RFC 3339 or outside the years 0001 to 9999.
enum class TimeParse : std::uint8_t { kOk, kBad, kRange };
TimeParse ParseTimestamp(std::string_view text, std::int64_t& seconds, std::uint32_t& nanos);
// "1h30m", "-1.5s", "100ms".
TimeParse ParseDuration(std::string_view text, std::int64_t& seconds, std::int32_t& nanos);

inline constexpr std::int64_t kMinTimestamp = -62135596800;  // 0001-01-01T00:00:00Z
inline constexpr std::int64_t kMaxTimestamp = 253402300799;  // 9999-12-31T23:59:59Z
// A duration holds what 64 bits of nanoseconds hold, about 292 years, as CEL says.
bool MakeDuration(std::int64_t seconds, std::int64_t nanos, Value& out);

}  // namespace zhitui::cel
