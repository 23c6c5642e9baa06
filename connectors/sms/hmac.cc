#include "sms/hmac.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/base.h"

namespace zhitui::sms {
namespace {

const EVP_MD* Function(Digest digest) { return digest == Digest::kSm3 ? EVP_sm3() : EVP_sha256(); }

}  // namespace

std::string DigestHex(Digest digest, std::string_view text) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), out, &size, Function(digest), nullptr) != 1) return {};
  return HexLower(std::string_view(reinterpret_cast<const char*>(out), size));
}

std::string Hmac(Digest digest, std::string_view key, std::string_view text) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (HMAC(Function(digest), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), out, &size) == nullptr) {
    return {};
  }
  return std::string(reinterpret_cast<const char*>(out), size);
}

}  // namespace zhitui::sms
