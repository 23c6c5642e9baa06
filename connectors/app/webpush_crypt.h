#pragma once

// Message encryption for Web Push (RFC 8291) in the content encoding aes128gcm (RFC 8188), one record. Pure but for the
// system's random numbers; included by the connector and its tests.

#include <string>
#include <string_view>

#include "base/base.h"

namespace zhitui::app {

inline constexpr std::size_t kPushBodyBytes = 4096;  // what every push service takes
inline constexpr std::size_t kPushHeaderBytes = 86;  // salt 16, record size 4, length 1, public key 65
// Of text in one body: header, the delimiter and the tag of 16 bytes go off.
inline constexpr std::size_t kPushTextBytes = kPushBodyBytes - kPushHeaderBytes - 1 - 16;

struct PushReceiver {
  std::string point;  // p256dh: the browser's public key, 65 bytes
  std::string auth;   // 16 bytes
};
struct PushSender {
  std::string scalar;  // private key of this message, 32 bytes
  std::string salt;    // 16 bytes
};
// New ones for each message. kFatal: there are no random numbers.
Result<PushSender> NewPushSender();

// The body of a push message with `padding` zero bytes after the text. kInvalid: the receiver's key is not a point of
// the curve, or the text is too long.
Result<std::string> EncryptPush(const PushReceiver& receiver, const PushSender& sender, std::string_view text,
                                std::size_t padding);

// The PEM of a P-256 private key of 32 bytes.
std::string EcScalarPem(std::string_view scalar);

}  // namespace zhitui::app
