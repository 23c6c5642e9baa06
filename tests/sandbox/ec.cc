#include "sandbox/ec.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace sandbox {
namespace {

constexpr size_t kPoint = 65;
constexpr size_t kHalf = 32;
constexpr size_t kTag = 16;
constexpr size_t kNonce = 12;
constexpr long kTenYears = 10L * 365 * 86400;

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

void Need(bool good) {
  if (!good) throw std::runtime_error("OpenSSL refused");
}

std::string Drain(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string out(data, static_cast<size_t>(size));
  BIO_free(bio);
  return out;
}

std::string PrivatePem(EVP_PKEY* key) {
  BIO* const bio = BIO_new(BIO_s_mem());
  Need(bio != nullptr && PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return Drain(bio);
}

// Null when the bytes are not a point of the curve.
EVP_PKEY* FromPoint(std::string_view point) {
  if (point.size() != kPoint || point[0] != 4) return nullptr;
  OSSL_PARAM_BLD* const build = OSSL_PARAM_BLD_new();
  OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  OSSL_PARAM* const params = OSSL_PARAM_BLD_to_param(build);
  EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata_init(context) != 1 || EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
    key = nullptr;
  }
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(params);
  OSSL_PARAM_BLD_free(build);
  return key;
}

}  // namespace

Certificate SelfSigned(const std::string& host) {
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const cert = X509_new();
  Need(key != nullptr && cert != nullptr);
  X509_set_version(cert, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
  X509_gmtime_adj(X509_getm_notBefore(cert), -86400);
  X509_gmtime_adj(X509_getm_notAfter(cert), kTenYears);
  X509_set_pubkey(cert, key);
  X509_NAME* const name = X509_get_subject_name(cert);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("zhitui-sandbox"), -1, -1,
                             0);
  X509_set_issuer_name(cert, name);
  std::string names = "DNS:localhost,IP:127.0.0.1";
  if (host != "127.0.0.1" && host != "localhost") {
    const bool address = host.find_first_not_of("0123456789.") == std::string::npos;
    names += (address ? ",IP:" : ",DNS:") + host;
  }
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, cert, cert, nullptr, nullptr, 0);
  const std::array<std::pair<int, const char*>, 2> extensions = {std::pair{NID_basic_constraints, "critical,CA:TRUE"},
                                                                 std::pair{NID_subject_alt_name, names.c_str()}};
  for (const auto& [id, value] : extensions) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, id, value);
    Need(extension != nullptr && X509_add_ext(cert, extension, -1) == 1);
    X509_EXTENSION_free(extension);
  }
  Need(X509_sign(cert, key, EVP_sha256()) != 0);
  Certificate out;
  BIO* const bio = BIO_new(BIO_s_mem());
  Need(PEM_write_bio_X509(bio, cert) == 1);
  out.cert_pem = Drain(bio);
  out.key_pem = PrivatePem(key);
  X509_free(cert);
  EVP_PKEY_free(key);
  return out;
}

struct EcKey::Held {
  EVP_PKEY* key = nullptr;
  Held() = default;
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() { EVP_PKEY_free(key); }
};

EcKey EcKey::Make() {
  auto held = std::make_shared<Held>();
  held->key = EVP_EC_gen("P-256");
  Need(held->key != nullptr);
  EcKey out;
  out.held_ = std::move(held);
  return out;
}

std::string EcKey::Pem() const { return PrivatePem(held_->key); }

std::string EcKey::Point() const {
  std::string out(kPoint, '\0');
  size_t size = 0;
  Need(EVP_PKEY_get_octet_string_param(held_->key, OSSL_PKEY_PARAM_PUB_KEY,
                                       reinterpret_cast<unsigned char*>(out.data()), out.size(), &size) == 1 &&
       size == kPoint);
  return out;
}

std::optional<std::string> EcKey::Agree(std::string_view point) const {
  EVP_PKEY* const peer = FromPoint(point);
  if (peer == nullptr) return std::nullopt;
  EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new(held_->key, nullptr);
  std::string out(kHalf, '\0');
  size_t size = out.size();
  const bool good = EVP_PKEY_derive_init(context) == 1 && EVP_PKEY_derive_set_peer(context, peer) == 1 &&
                    EVP_PKEY_derive(context, reinterpret_cast<unsigned char*>(out.data()), &size) == 1 && size == kHalf;
  EVP_PKEY_CTX_free(context);
  EVP_PKEY_free(peer);
  if (!good) return std::nullopt;
  return out;
}

bool VerifyEs256(std::string_view point, std::string_view input, std::string_view signature) {
  if (signature.size() != 2 * kHalf) return false;
  EVP_PKEY* const key = FromPoint(point);
  if (key == nullptr) return false;
  ECDSA_SIG* const pair = ECDSA_SIG_new();
  ECDSA_SIG_set0(pair, BN_bin2bn(Bytes(signature), kHalf, nullptr),
                 BN_bin2bn(Bytes(signature.substr(kHalf)), kHalf, nullptr));
  unsigned char* der = nullptr;
  const int der_size = i2d_ECDSA_SIG(pair, &der);
  EVP_MD_CTX* const digest = EVP_MD_CTX_new();
  const bool good = der_size > 0 && EVP_DigestVerifyInit(digest, nullptr, EVP_sha256(), nullptr, key) == 1 &&
                    EVP_DigestVerify(digest, der, static_cast<size_t>(der_size), Bytes(input), input.size()) == 1;
  EVP_MD_CTX_free(digest);
  OPENSSL_free(der);
  ECDSA_SIG_free(pair);
  EVP_PKEY_free(key);
  return good;
}

std::string Base64UrlText(std::string_view bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  uint32_t bits = 0;
  int held = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    held += 8;
    while (held >= 6) {
      held -= 6;
      out += kDigits[(bits >> held) & 63];
    }
  }
  if (held > 0) out += kDigits[(bits << (6 - held)) & 63];
  return out;
}

std::optional<std::string> Base64UrlBytes(std::string_view text) {
  std::string out;
  uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    uint32_t digit = 0;
    if (c >= 'A' && c <= 'Z') {
      digit = static_cast<uint32_t>(c - 'A');
    } else if (c >= 'a' && c <= 'z') {
      digit = static_cast<uint32_t>(c - 'a') + 26;
    } else if (c >= '0' && c <= '9') {
      digit = static_cast<uint32_t>(c - '0') + 52;
    } else if (c == '-') {
      digit = 62;
    } else if (c == '_') {
      digit = 63;
    } else {
      return std::nullopt;
    }
    bits = (bits << 6) | digit;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out += static_cast<char>((bits >> held) & 255);
    }
  }
  if (held >= 6) return std::nullopt;
  return out;
}

std::optional<std::string> OpenAes128Gcm(std::string_view key, std::string_view nonce, std::string_view sealed) {
  if (key.size() != 16 || nonce.size() != kNonce || sealed.size() < kTag) return std::nullopt;
  const std::string_view text = sealed.substr(0, sealed.size() - kTag);
  std::string tag(sealed.substr(sealed.size() - kTag));
  std::string out(text.size(), '\0');
  EVP_CIPHER_CTX* const context = EVP_CIPHER_CTX_new();
  int size = 0;
  int rest = 0;
  std::array<unsigned char, 16> end{};
  const bool good = EVP_DecryptInit_ex(context, EVP_aes_128_gcm(), nullptr, Bytes(key), Bytes(nonce)) == 1 &&
                    EVP_DecryptUpdate(context, reinterpret_cast<unsigned char*>(out.data()), &size, Bytes(text),
                                      static_cast<int>(text.size())) == 1 &&
                    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, kTag, tag.data()) == 1 &&
                    EVP_DecryptFinal_ex(context, end.data(), &rest) == 1;
  EVP_CIPHER_CTX_free(context);
  if (!good) return std::nullopt;
  return out;
}

}  // namespace sandbox
