#include "sandbox/wechat_crypto.h"

#include <openssl/evp.h>

#include <cstdint>
#include <cstdlib>
#include <set>

#include "sandbox/crypto.h"

namespace sandbox {

std::string WechatMessageSignature(std::string_view token, std::string_view timestamp, std::string_view nonce,
                                   std::string_view encrypted) {
  const std::multiset<std::string_view> sorted = {token, timestamp, nonce, encrypted};
  std::string joined;
  for (const auto part : sorted) joined += part;
  return Sha1Hex(joined);
}

std::string WechatEncrypt(std::string_view aes_key, std::string_view receiver, std::string_view random,
                          std::string_view text) {
  const std::string padded_key = std::string(aes_key) + '=';
  unsigned char key[33];
  if (padded_key.size() != 44 ||
      EVP_DecodeBlock(key, reinterpret_cast<const unsigned char*>(padded_key.data()), 44) != 33) {
    std::abort();
  }
  std::string plain(random);
  const auto length = static_cast<uint32_t>(text.size());
  for (const int shift : {24, 16, 8, 0}) plain += static_cast<char>(length >> shift & 0xFF);
  plain += text;
  plain += receiver;
  const size_t pad = 32 - plain.size() % 32;
  plain.append(pad, static_cast<char>(pad));

  std::string cipher(plain.size() + 16, '\0');
  auto* const out = reinterpret_cast<unsigned char*>(cipher.data());
  int done = 0;
  int last = 0;
  EVP_CIPHER_CTX* const ctx = EVP_CIPHER_CTX_new();
  const bool good = ctx != nullptr && EVP_EncryptInit_ex(ctx, EVP_aes_256_cbc(), nullptr, key, key) == 1 &&
                    EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
                    EVP_EncryptUpdate(ctx, out, &done, reinterpret_cast<const unsigned char*>(plain.data()),
                                      static_cast<int>(plain.size())) == 1 &&
                    EVP_EncryptFinal_ex(ctx, out + done, &last) == 1;
  EVP_CIPHER_CTX_free(ctx);
  if (!good) std::abort();
  cipher.resize(static_cast<size_t>(done + last));
  return Base64(cipher);
}

}  // namespace sandbox
