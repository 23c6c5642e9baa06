// Keys that the simulator makes at start, and what a provider does with the public ones. P-256 only. Over OpenSSL.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sandbox {

// A certificate for localhost, 127.0.0.1 and `host`, signed by itself, good for ten years.
struct Certificate {
  std::string cert_pem;
  std::string key_pem;
};
Certificate SelfSigned(const std::string& host);

// A key pair on P-256. Copies share it.
class EcKey {
 public:
  static EcKey Make();
  // PKCS#8 PEM, as Apple's .p8 files are.
  std::string Pem() const;
  // 65 bytes: 04, x, y.
  std::string Point() const;
  // x of the shared point with the holder of `point` (32 bytes); nothing when it is not a point of the curve.
  std::optional<std::string> Agree(std::string_view point) const;

 private:
  struct Held;
  std::shared_ptr<const Held> held_;
};

// Checks an ES256 signature (r and s, 32 bytes each) with an uncompressed point.
bool VerifyEs256(std::string_view point, std::string_view input, std::string_view signature);

std::string Base64UrlText(std::string_view bytes);
// Nothing for padding or characters of another alphabet.
std::optional<std::string> Base64UrlBytes(std::string_view text);

// AES-128-GCM with the tag of 16 bytes at the end; nothing when it does not fit.
std::optional<std::string> OpenAes128Gcm(std::string_view key, std::string_view nonce, std::string_view sealed);

}  // namespace sandbox
