#include "sandbox/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace sandbox {
namespace {

std::string Digest(const EVP_MD* md, std::string_view data) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  if (EVP_Digest(data.data(), data.size(), out.data(), &size, md, nullptr) != 1) std::abort();
  return Hex({reinterpret_cast<const char*>(out.data()), size});
}

std::string Keyed(const EVP_MD* md, std::string_view key, std::string_view data) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  if (HMAC(md, key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(data.data()),
           data.size(), out.data(), &size) == nullptr) {
    std::abort();
  }
  return {reinterpret_cast<const char*>(out.data()), size};
}

}  // namespace

std::string Hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    out += kDigits[b >> 4];
    out += kDigits[b & 15];
  }
  return out;
}

std::string Sha1Hex(std::string_view data) { return Digest(EVP_sha1(), data); }

std::string Sha256Hex(std::string_view data) { return Digest(EVP_sha256(), data); }

std::string Sm3Hex(std::string_view data) { return Digest(EVP_sm3(), data); }

std::string HmacSha256(std::string_view key, std::string_view data) { return Keyed(EVP_sha256(), key, data); }

std::string HmacSha256Hex(std::string_view key, std::string_view data) { return Hex(HmacSha256(key, data)); }

std::string HmacSm3Hex(std::string_view key, std::string_view data) { return Hex(Keyed(EVP_sm3(), key, data)); }

std::string Base64(std::string_view data) {
  std::string out(4 * ((data.size() + 2) / 3) + 1, '\0');
  const int n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                reinterpret_cast<const unsigned char*>(data.data()), static_cast<int>(data.size()));
  out.resize(static_cast<size_t>(n));
  return out;
}

std::string RandomHex(size_t n) {
  std::string bytes((n + 1) / 2, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) != 1) std::abort();
  std::string out = Hex(bytes);
  out.resize(n);
  return out;
}

std::string RandomUuid() {
  std::string hex = RandomHex(32);
  hex[12] = '4';
  hex[16] = "89ab"[static_cast<unsigned char>(hex[16]) & 3];
  return hex.substr(0, 8) + '-' + hex.substr(8, 4) + '-' + hex.substr(12, 4) + '-' + hex.substr(16, 4) + '-' +
         hex.substr(20);
}

bool SameSecret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string ContactHash(std::string_view contact) { return Sha256Hex(contact).substr(0, 16); }

std::string WechatSignature(std::string_view token, std::string_view timestamp, std::string_view nonce) {
  std::array<std::string_view, 3> parts = {token, timestamp, nonce};
  std::sort(parts.begin(), parts.end());
  std::string joined;
  for (const auto part : parts) joined += part;
  return Sha1Hex(joined);
}

}  // namespace sandbox
