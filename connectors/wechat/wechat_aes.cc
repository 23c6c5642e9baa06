#include "wechat/wechat_aes.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/base.h"
#include "delivery/delivery.h"

namespace zhitui::wechat {
namespace {

constexpr std::size_t kKeyChars = 43;
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kBlock = 32;  // of the padding; twice that of AES
constexpr std::size_t kRandom = 16;
constexpr std::size_t kHead = kRandom + 4;

bool Base64Char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

std::optional<std::string> FromBase64(std::string_view text) {
  std::string_view digits = text;
  while (digits.ends_with('=') && text.size() - digits.size() < 2) digits.remove_suffix(1);
  if (text.empty() || text.size() % 4 != 0 || !std::all_of(digits.begin(), digits.end(), Base64Char)) {
    return std::nullopt;
  }
  std::string bytes(text.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size())) < 0) {
    return std::nullopt;
  }
  bytes.resize(bytes.size() - (text.size() - digits.size()));
  return bytes;
}

std::optional<std::string> AesDecrypt(const std::string& key, const std::string& cipher) {
  const std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)> ctx(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  const auto* const key_bytes = reinterpret_cast<const unsigned char*>(key.data());
  if (!ctx || EVP_DecryptInit_ex(ctx.get(), EVP_aes_256_cbc(), nullptr, key_bytes, key_bytes) != 1 ||
      EVP_CIPHER_CTX_set_padding(ctx.get(), 0) != 1) {
    return std::nullopt;
  }
  std::string plain(cipher.size() + kBlock, '\0');
  int size = 0;
  int rest = 0;
  auto* const out = reinterpret_cast<unsigned char*>(plain.data());
  if (EVP_DecryptUpdate(ctx.get(), out, &size, reinterpret_cast<const unsigned char*>(cipher.data()),
                        static_cast<int>(cipher.size())) != 1 ||
      EVP_DecryptFinal_ex(ctx.get(), out + size, &rest) != 1) {
    return std::nullopt;
  }
  plain.resize(static_cast<std::size_t>(size) + static_cast<std::size_t>(rest));
  return plain;
}

std::string Sign(std::vector<std::string_view> parts) {
  std::sort(parts.begin(), parts.end());
  std::string joined;
  for (const std::string_view part : parts) joined += part;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(joined.data(), joined.size(), digest, &size, EVP_sha1(), nullptr);
  return HexLower(std::string_view(reinterpret_cast<const char*>(digest), size));
}

}  // namespace

bool IsEncodingAesKey(std::string_view key) {
  return key.size() == kKeyChars && std::all_of(key.begin(), key.end(), Base64Char);
}

std::string CallbackSignature(std::string_view token, std::string_view timestamp, std::string_view nonce) {
  return Sign({token, timestamp, nonce});
}

std::string MessageSignature(std::string_view token, std::string_view timestamp, std::string_view nonce,
                             std::string_view encrypted) {
  return Sign({token, timestamp, nonce, encrypted});
}

std::optional<std::string> DecryptMessage(std::string_view key, std::string_view receiver, std::string_view encrypted) {
  if (!IsEncodingAesKey(key)) return std::nullopt;
  const auto key_bytes = FromBase64(std::string(key) + "=");
  const auto cipher = FromBase64(encrypted);
  if (!key_bytes || key_bytes->size() != kKeyBytes || !cipher || cipher->empty() || cipher->size() % kBlock != 0) {
    return std::nullopt;
  }
  std::optional<std::string> plain = AesDecrypt(*key_bytes, *cipher);
  if (!plain || plain->empty()) return std::nullopt;

  const auto pad = static_cast<unsigned char>(plain->back());
  if (pad < 1 || pad > kBlock || plain->size() < kHead + pad) return std::nullopt;
  if (!std::all_of(plain->end() - pad, plain->end(), [&](char c) { return static_cast<unsigned char>(c) == pad; })) {
    return std::nullopt;
  }
  plain->resize(plain->size() - pad);

  std::size_t size = 0;
  for (std::size_t i = kRandom; i < kHead; ++i) size = size << 8 | static_cast<unsigned char>((*plain)[i]);
  if (size > plain->size() - kHead) return std::nullopt;
  const std::string_view whose = std::string_view(*plain).substr(kHead + size);
  if (!delivery::ConstantTimeEqual(whose, receiver)) return std::nullopt;
  return plain->substr(kHead, size);
}

}  // namespace zhitui::wechat
