// UTF-8, URL encoding and the times the providers write.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sandbox/call.h"

namespace sandbox {

// The code points of strict UTF-8, or nothing when the bytes are not that.
std::optional<std::u32string> DecodeUtf8(std::string_view text);
std::string EncodeUtf8(std::u32string_view text);
// UTF-16 code units, the unit in which carriers count an SMS.
size_t Utf16Length(std::u32string_view text);
bool IsHan(char32_t c);

// RFC 3986: everything but A-Z a-z 0-9 - _ . ~ becomes %XX.
std::string PercentEncode(std::string_view text);
// Nothing on a broken escape.
std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space);
// Decoded key=value pairs in order; nothing on a broken escape or more than 200 pairs.
std::optional<Pairs> ParseQuery(std::string_view query);
// The first value of that key, or null.
const std::string* Find(const Pairs& pairs, std::string_view key);

int64_t SystemNowMs();
// 2026-01-15T02:00:00.123Z
std::string IsoUtc(int64_t ms);
// The inverse of IsoUtc; also without the fraction.
std::optional<int64_t> ParseIsoUtc(std::string_view text);
// "2026-01-15 10:00:00", Beijing time.
std::string BeijingTime(int64_t ms);
// "20260115", Beijing time.
std::string BeijingDay(int64_t ms);

}  // namespace sandbox
