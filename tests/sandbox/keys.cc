#include "sandbox/keys.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>

namespace sandbox {
namespace {

struct Pair {
  std::shared_ptr<EVP_PKEY> key;
  std::string pem;
};

const Pair& PairOf(const std::string& name) {
  static std::mutex mutex;
  static std::map<std::string, Pair> pairs;
  const std::lock_guard lock(mutex);
  Pair& pair = pairs[name];
  if (pair.key == nullptr) {
    pair.key = {EVP_RSA_gen(2048), EVP_PKEY_free};
    BIO* out = BIO_new(BIO_s_mem());
    if (pair.key == nullptr || out == nullptr ||
        PEM_write_bio_PKCS8PrivateKey(out, pair.key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
      std::abort();
    }
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    pair.pem.assign(data, static_cast<size_t>(size));
    BIO_free(out);
  }
  return pair;
}

bool Verify(EVP_PKEY* key, bool pss, std::string_view input, std::string_view signature) {
  EVP_MD_CTX* digest = EVP_MD_CTX_new();
  EVP_PKEY_CTX* context = nullptr;
  bool good = EVP_DigestVerifyInit(digest, &context, EVP_sha256(), nullptr, key) == 1;
  if (good && pss) {
    good = EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, 32) == 1;
  }
  good = good && EVP_DigestVerify(digest, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                                  reinterpret_cast<const unsigned char*>(input.data()), input.size()) == 1;
  EVP_MD_CTX_free(digest);
  return good;
}

}  // namespace

const std::string& PrivateKeyPem(const std::string& name) { return PairOf(name).pem; }

std::optional<std::string> DecodeBase64Url(std::string_view text) {
  std::string out;
  uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    uint32_t value = 0;
    if (c >= 'A' && c <= 'Z') {
      value = static_cast<uint32_t>(c - 'A');
    } else if (c >= 'a' && c <= 'z') {
      value = static_cast<uint32_t>(c - 'a' + 26);
    } else if (c >= '0' && c <= '9') {
      value = static_cast<uint32_t>(c - '0' + 52);
    } else if (c == '-' || c == '_') {
      value = c == '-' ? 62 : 63;
    } else {
      return std::nullopt;
    }
    bits = (bits << 6 | value) & 0xffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> held & 0xff);
  }
  return out;
}

std::optional<Jws> VerifyJws(const std::string& name, std::string_view algorithm, std::string_view token) {
  const size_t first = token.find('.');
  const size_t last = token.rfind('.');
  if (first == std::string_view::npos || last == first || token.find('.', first + 1) != last) return std::nullopt;
  const auto header = DecodeBase64Url(token.substr(0, first));
  const auto claims = DecodeBase64Url(token.substr(first + 1, last - first - 1));
  const auto signature = DecodeBase64Url(token.substr(last + 1));
  if (!header || !claims || !signature) return std::nullopt;
  Jws jws{nlohmann::json::parse(*header, nullptr, false), nlohmann::json::parse(*claims, nullptr, false)};
  if (!jws.header.is_object() || !jws.claims.is_object()) return std::nullopt;
  if (!jws.header.contains("alg") || jws.header["alg"] != algorithm) return std::nullopt;
  if (!Verify(PairOf(name).key.get(), algorithm == "PS256", token.substr(0, last), *signature)) return std::nullopt;
  return jws;
}

}  // namespace sandbox
