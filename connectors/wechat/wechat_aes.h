#pragma once

// The encryption of call-backs (消息加解密): AES-256-CBC with the EncodingAESKey, whose first 16 bytes are the IV, over
// 16 random bytes, the length, the message and the id of its receiver, padded to blocks of 32 bytes. Pure.

#include <optional>
#include <string>
#include <string_view>

namespace zhitui::wechat {

// 43 characters of base64.
bool IsEncodingAesKey(std::string_view key);

// sha1 over the strings, sorted and joined; lower-case hex. Three sign a request (token, timestamp, nonce), a fourth is
// the text of Encrypt.
std::string CallbackSignature(std::string_view token, std::string_view timestamp, std::string_view nonce);
std::string MessageSignature(std::string_view token, std::string_view timestamp, std::string_view nonce,
                             std::string_view encrypted);

// The message in `encrypted` (base64); nullopt when anything is wrong, its receiver included.
std::optional<std::string> DecryptMessage(std::string_view key, std::string_view receiver, std::string_view encrypted);

}  // namespace zhitui::wechat
