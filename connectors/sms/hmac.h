#pragma once

// Digests and keyed digests of request signatures. Pure.

#include <cstdint>
#include <string>
#include <string_view>

namespace zhitui::sms {

enum class Digest : std::uint8_t { kSha256, kSm3 };  // FIPS 180-4, GB/T 32905

// Lower-case hex.
std::string DigestHex(Digest digest, std::string_view text);
// The 32 bytes of RFC 2104.
std::string Hmac(Digest digest, std::string_view key, std::string_view text);

}  // namespace zhitui::sms
