// The encryption of WeChat's call-backs, over OpenSSL.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sandbox {

// sha1 of the sorted, joined token, timestamp, nonce and encrypted text.
std::string WechatMessageSignature(std::string_view token, std::string_view timestamp, std::string_view nonce,
                                   std::string_view encrypted);
// Base64 of AES-256-CBC over `random` (16 bytes), the length, the text and the receiver. `aes_key` has 43 characters.
std::string WechatEncrypt(std::string_view aes_key, std::string_view receiver, std::string_view random,
                          std::string_view text);

}  // namespace sandbox
