#include "app/jwt.h"

#include <array>
#include <utility>
#include <vector>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

namespace zhitui::app {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr int kMinRsaBits = 2048;
constexpr int kHalf = 32;  // bytes of r and of s on P-256
constexpr std::size_t kPointBytes = 65;
constexpr std::size_t kMaxGroupName = 64;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Pkey = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using EcSignature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

// A key under a pass phrase is refused; nobody is asked at a terminal.
int NoPassPhrase(char*, int, int, void*) { return -1; }

// What OpenSSL noted about a failure must not turn up in a later call of this thread.
std::unexpected<Error> Failed(std::string message) {
  ERR_clear_error();
  return Invalid(std::move(message));
}

// A PEM may have the point compressed, so the form is asked for.
std::string UncompressedPoint(EVP_PKEY* key) {
  std::string point(kPointBytes, '\0');
  std::size_t length = 0;
  if (EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed") != 1 ||
      EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, reinterpret_cast<unsigned char*>(point.data()),
                                      point.size(), &length) != 1 ||
      length != kPointBytes) {
    return {};
  }
  return point;
}

Result<std::string> RawEcdsa(std::string_view der) {
  const unsigned char* at = Bytes(der);
  const EcSignature parsed(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  std::string raw(2 * static_cast<std::size_t>(kHalf), '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  if (!parsed || BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), out, kHalf) != kHalf ||
      BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), out + kHalf, kHalf) != kHalf) {
    return Failed("the key made no readable signature");
  }
  return raw;
}

}  // namespace

std::string Base64Url(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    for (held += 8; held >= 6; held -= 6) text += kAlphabet[(bits >> (held - 6)) & 63];
    bits &= 63;  // fewer than six are held
  }
  if (held > 0) text += kAlphabet[(bits << (6 - held)) & 63];
  return text;
}

std::optional<std::string> FromBase64Url(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes += static_cast<char>((bits >> held) & 255);
    }
    bits &= 255;
  }
  if ((bits & ((1U << held) - 1)) != 0) return std::nullopt;
  return bytes;
}

const char* JwsAlgorithmName(JwsAlgorithm algorithm) {
  switch (algorithm) {
    case JwsAlgorithm::kRs256:
      return "RS256";
    case JwsAlgorithm::kPs256:
      return "PS256";
    case JwsAlgorithm::kEs256:
      return "ES256";
  }
  return "";
}

struct SigningKey::State {
  Pkey key;
  bool rsa = false;
  std::string point;
};

Result<SigningKey> SigningKey::FromPem(std::string_view pem) {
  if (pem.size() > delivery::kMaxSecretBytes) return Invalid("the private key is too long");
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) return Failed("no memory for the private key");
  auto state = std::make_shared<State>();
  state->key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassPhrase, nullptr));
  if (!state->key) return Failed("no private key in PEM (PKCS#8, PKCS#1 or EC, without a pass phrase)");
  const EVP_PKEY* key = state->key.get();
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      state->rsa = true;
      if (EVP_PKEY_get_bits(key) < kMinRsaBits) return Invalid("an RSA key needs at least 2048 bits");
      break;
    case EVP_PKEY_EC: {
      std::array<char, kMaxGroupName> group{};
      if (EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) != 1 ||
          std::string_view(group.data()) != "prime256v1") {
        return Failed("an EC key must be on the curve P-256");
      }
      state->point = UncompressedPoint(state->key.get());
      if (state->point.empty()) return Failed("the EC key has no public point");
      break;
    }
    default:
      return Invalid("the private key is neither RSA nor EC");
  }
  return SigningKey(std::move(state));
}

Result<std::string> SigningKey::Sign(JwsAlgorithm algorithm, std::string_view input) const {
  if (state_->rsa == (algorithm == JwsAlgorithm::kEs256)) {
    return Invalid(std::string(JwsAlgorithmName(algorithm)) +
                   (state_->rsa ? " needs an EC key, this one is RSA" : " needs an RSA key, this one is EC"));
  }
  const Digest digest(EVP_MD_CTX_new());
  EVP_PKEY_CTX* context = nullptr;  // belongs to the digest
  if (!digest || EVP_DigestSignInit(digest.get(), &context, EVP_sha256(), nullptr, state_->key.get()) != 1) {
    return Failed("the key cannot sign");
  }
  if (algorithm == JwsAlgorithm::kPs256 && (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) <= 0 ||
                                            EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) <= 0)) {
    return Failed("the key cannot sign with PSS");
  }
  std::size_t length = 0;
  if (EVP_DigestSign(digest.get(), nullptr, &length, Bytes(input), input.size()) != 1) {
    return Failed("the key cannot sign");
  }
  std::string signature(length, '\0');
  if (EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &length, Bytes(input),
                     input.size()) != 1) {
    return Failed("the key cannot sign");
  }
  signature.resize(length);
  return algorithm == JwsAlgorithm::kEs256 ? RawEcdsa(signature) : Result<std::string>(std::move(signature));
}

const std::string& SigningKey::PublicPoint() const { return state_->point; }

Result<std::string> SignJwt(const SigningKey& key, JwsAlgorithm algorithm, std::string_view header,
                            std::string_view claims) {
  std::string token = Base64Url(header) + '.' + Base64Url(claims);
  const Result<std::string> signature = key.Sign(algorithm, token);
  if (!signature) return std::unexpected(signature.error());
  return token + '.' + Base64Url(*signature);
}

JwtCache::JwtCache(delivery::Secret secret, std::chrono::seconds lifetime, std::chrono::seconds margin, Make make,
                   std::chrono::seconds min_age)
    : secret_(std::move(secret)), use_for_(lifetime - margin), min_age_(min_age), make_(std::move(make)) {}

Result<JwtCache::Token> JwtCache::Get(Instant now) {
  const auto secret = secret_.Get();
  const std::scoped_lock lock(mutex_);
  // A token made in the future is one from before the clock was set back; its iat would be refused.
  const bool fresh = !token_.text.empty() && now >= made_ && now < made_ + use_for_;
  // A caller that read the secret just before it changed does not bring the old key back.
  if (fresh && secret->generation <= generation_) return token_;
  Result<std::string> made = make_(secret->text, now);
  if (!made) return std::unexpected(made.error());
  token_.text = *std::move(made);
  ++token_.serial;
  generation_ = secret->generation;
  made_ = now;
  return token_;
}

bool JwtCache::Drop(std::uint64_t serial, Instant now) {
  const std::scoped_lock lock(mutex_);
  if (serial != token_.serial || token_.text.empty()) return true;
  if (now >= made_ && now < made_ + min_age_) return false;
  token_.text.clear();
  return true;
}

}  // namespace zhitui::app
