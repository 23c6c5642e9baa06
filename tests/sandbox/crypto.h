// Digests and encodings, over OpenSSL.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sandbox {

std::string Hex(std::string_view bytes);
std::string Sha1Hex(std::string_view data);
std::string Sha256Hex(std::string_view data);
std::string HmacSha256Hex(std::string_view key, std::string_view data);
std::string Sm3Hex(std::string_view data);
std::string HmacSm3Hex(std::string_view key, std::string_view data);
// The 32 bytes.
std::string HmacSha256(std::string_view key, std::string_view data);
std::string Base64(std::string_view data);
// n lower-case hex digits from the system's generator.
std::string RandomHex(size_t n);
// xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx
std::string RandomUuid();
// Time independent of the position of the first difference.
bool SameSecret(std::string_view a, std::string_view b);
// The first 16 hex digits of SHA-256: how a contact is named in the log.
std::string ContactHash(std::string_view contact);
// WeChat's callback signature: sha1 of the sorted, joined token, timestamp and nonce.
std::string WechatSignature(std::string_view token, std::string_view timestamp, std::string_view nonce);

}  // namespace sandbox
