#include "app/jwt.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>
#include <vector>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

namespace zhitui::app {
namespace {

using std::chrono::seconds;

// The header, claims and keys of RFC 7515, appendices A.2 and A.3.
constexpr std::string_view kClaims =
    "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
constexpr const char* kClaimsPart =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
constexpr const char* kRsaN =
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pC"
    "gNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg6"
    "65xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRW"
    "yuXpoQ";
constexpr const char* kRsaD =
    "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pW"
    "J1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2Qv"
    "Xt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRu"
    "OopznQ";
constexpr const char* kRsaP =
    "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDc"
    "mnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc";
constexpr const char* kRsaQ =
    "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-"
    "TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc";
constexpr const char* kRsaDp =
    "BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV"
    "2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0";
constexpr const char* kRsaDq =
    "h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_"
    "-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU";
constexpr const char* kRsaQi =
    "IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoO"
    "PLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U";
constexpr const char* kRsaSignature =
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t"
    "1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12j"
    "zDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQ"
    "Ge77Rw";
constexpr const char* kEcX = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
constexpr const char* kEcY = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
constexpr const char* kEcD = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";
constexpr const char* kEcSignature =
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

std::string Bytes(const char* base64url) { return FromBase64Url(base64url).value(); }

using Pkey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

class Params {
 public:
  Params() : builder_(OSSL_PARAM_BLD_new()) {}
  ~Params() {
    OSSL_PARAM_BLD_free(builder_);
    for (BIGNUM* number : numbers_) BN_free(number);
  }
  Params(const Params&) = delete;
  Params& operator=(const Params&) = delete;
  void Number(const char* key, const char* base64url) {
    const std::string bytes = Bytes(base64url);
    numbers_.push_back(
        BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr));
    OSSL_PARAM_BLD_push_BN(builder_, key, numbers_.back());
  }
  OSSL_PARAM_BLD* get() const { return builder_; }
  Pkey Key(const char* type) {
    OSSL_PARAM* params = OSSL_PARAM_BLD_to_param(builder_);
    EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr);
    EVP_PKEY* key = nullptr;
    EVP_PKEY_fromdata_init(context);
    EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    return {key, EVP_PKEY_free};
  }

 private:
  OSSL_PARAM_BLD* builder_;
  std::vector<BIGNUM*> numbers_;
};

Pkey RfcRsa() {
  Params params;
  params.Number(OSSL_PKEY_PARAM_RSA_N, kRsaN);
  params.Number(OSSL_PKEY_PARAM_RSA_E, "AQAB");
  params.Number(OSSL_PKEY_PARAM_RSA_D, kRsaD);
  params.Number(OSSL_PKEY_PARAM_RSA_FACTOR1, kRsaP);
  params.Number(OSSL_PKEY_PARAM_RSA_FACTOR2, kRsaQ);
  params.Number(OSSL_PKEY_PARAM_RSA_EXPONENT1, kRsaDp);
  params.Number(OSSL_PKEY_PARAM_RSA_EXPONENT2, kRsaDq);
  params.Number(OSSL_PKEY_PARAM_RSA_COEFFICIENT1, kRsaQi);
  return params.Key("RSA");
}

Pkey RfcEc() {
  Params params;
  const std::string point = "\x04" + Bytes(kEcX) + Bytes(kEcY);
  OSSL_PARAM_BLD_push_utf8_string(params.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(params.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  params.Number(OSSL_PKEY_PARAM_PRIV_KEY, kEcD);
  return params.Key("EC");
}

std::string Drain(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

std::string Pkcs8(EVP_PKEY* key, const char* pass = nullptr) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(bio, key, pass == nullptr ? nullptr : EVP_aes_128_cbc(), pass,
                                pass == nullptr ? 0 : static_cast<int>(std::string_view(pass).size()), nullptr,
                                nullptr);
  return Drain(bio);
}

std::string Traditional(EVP_PKEY* key) {  // PKCS#1 or SEC 1
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey_traditional(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  return Drain(bio);
}

bool Verify(EVP_PKEY* key, const std::string& input, const std::string& signature, bool pss = false) {
  EVP_MD_CTX* digest = EVP_MD_CTX_new();
  EVP_PKEY_CTX* context = nullptr;
  EVP_DigestVerifyInit(digest, &context, EVP_sha256(), nullptr, key);
  if (pss) {
    EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256());
    EVP_PKEY_CTX_set_rsa_pss_saltlen(context, 32);
  }
  const int good = EVP_DigestVerify(digest, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                                    reinterpret_cast<const unsigned char*>(input.data()), input.size());
  EVP_MD_CTX_free(digest);
  return good == 1;
}

bool VerifyEs256(EVP_PKEY* key, const std::string& input, const std::string& raw) {
  if (raw.size() != 64) return false;
  const auto* bytes = reinterpret_cast<const unsigned char*>(raw.data());
  ECDSA_SIG* pair = ECDSA_SIG_new();
  ECDSA_SIG_set0(pair, BN_bin2bn(bytes, 32, nullptr), BN_bin2bn(bytes + 32, 32, nullptr));
  unsigned char* der = nullptr;
  const int length = i2d_ECDSA_SIG(pair, &der);
  const bool good =
      Verify(key, input, std::string(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length)));
  OPENSSL_free(der);
  ECDSA_SIG_free(pair);
  return good;
}

struct Parts {
  std::string input;
  std::string signature;
};
Parts Split(const std::string& token) {
  const std::size_t dot = token.rfind('.');
  return {token.substr(0, dot), FromBase64Url(std::string_view(token).substr(dot + 1)).value()};
}

SigningKey Key(const std::string& pem) {
  auto key = SigningKey::FromPem(pem);
  if (!key) throw std::runtime_error(key.error().message);
  return *std::move(key);
}

TEST(Base64Url, IsThatOfRfc4648WithoutPadding) {
  const std::vector<std::pair<std::string, std::string>> vectors = {
      {"", ""},
      {"f", "Zg"},
      {"fo", "Zm8"},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg"},
      {"fooba", "Zm9vYmE"},
      {"foobar", "Zm9vYmFy"},
      {std::string("\x03\xec\xff\xe0\xc1", 5), "A-z_4ME"}};  // the last of RFC 7515, appendix C
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(Base64Url(bytes), text);
    EXPECT_EQ(FromBase64Url(text), bytes);
  }
  for (const char* bad : {"Zg==", "Z", "Zh", "Zm9", "Zm 8", "Zm9v\n", "Zm+v", "Zm/v", "Zm9vY"}) {
    EXPECT_FALSE(FromBase64Url(bad).has_value()) << bad;
  }
}

TEST(Jws, Rs256GivesTheTokenOfRfc7515AppendixA2) {
  const Pkey rsa = RfcRsa();
  ASSERT_TRUE(rsa != nullptr);
  for (const std::string& pem : {Pkcs8(rsa.get()), Traditional(rsa.get())}) {
    const auto token = SignJwt(Key(pem), JwsAlgorithm::kRs256, R"({"alg":"RS256"})", kClaims);
    ASSERT_TRUE(token.has_value());
    EXPECT_EQ(*token, std::string("eyJhbGciOiJSUzI1NiJ9.") + kClaimsPart + "." + kRsaSignature);
  }
}

TEST(Jws, Es256IsVerifiedWithTheKeyOfRfc7515AppendixA3) {
  const Pkey ec = RfcEc();
  ASSERT_TRUE(ec != nullptr);
  const std::string input = std::string("eyJhbGciOiJFUzI1NiJ9.") + kClaimsPart;
  ASSERT_TRUE(VerifyEs256(ec.get(), input, Bytes(kEcSignature))) << "the verifier takes the signature of the RFC";
  for (const std::string& pem : {Pkcs8(ec.get()), Traditional(ec.get())}) {
    const SigningKey key = Key(pem);
    EXPECT_EQ(key.PublicPoint(), "\x04" + Bytes(kEcX) + Bytes(kEcY));
    // r and s lose a leading zero byte one time in 128; raw signatures keep it.
    for (int i = 0; i < 300; ++i) {
      const auto token = SignJwt(key, JwsAlgorithm::kEs256, R"({"alg":"ES256"})", kClaims);
      ASSERT_TRUE(token.has_value());
      const Parts parts = Split(*token);
      EXPECT_EQ(parts.input, input);
      EXPECT_TRUE(VerifyEs256(ec.get(), parts.input, parts.signature));
    }
  }
}

TEST(Jws, Ps256IsVerifiedByOpensslWithASaltOfTheHashLength) {
  const Pkey rsa = RfcRsa();
  const SigningKey key = Key(Pkcs8(rsa.get()));
  const auto first = SignJwt(key, JwsAlgorithm::kPs256, R"({"alg":"PS256"})", kClaims);
  const auto second = SignJwt(key, JwsAlgorithm::kPs256, R"({"alg":"PS256"})", kClaims);
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_NE(*first, *second) << "the salt is random";
  Parts parts = Split(*first);
  EXPECT_EQ(parts.input, std::string("eyJhbGciOiJQUzI1NiJ9.") + kClaimsPart);
  EXPECT_TRUE(Verify(rsa.get(), parts.input, parts.signature, true));
  EXPECT_FALSE(Verify(rsa.get(), parts.input, parts.signature, false)) << "not the older padding";
  parts.input += "x";
  EXPECT_FALSE(Verify(rsa.get(), parts.input, parts.signature, true));
}

TEST(Jws, AKeySignsOnlyItsOwnAlgorithms) {
  const SigningKey rsa = Key(Pkcs8(RfcRsa().get()));
  const SigningKey ec = Key(Pkcs8(RfcEc().get()));
  EXPECT_EQ(rsa.Sign(JwsAlgorithm::kEs256, "x").error().message, "ES256 needs an EC key, this one is RSA");
  EXPECT_EQ(ec.Sign(JwsAlgorithm::kRs256, "x").error().message, "RS256 needs an RSA key, this one is EC");
  EXPECT_FALSE(ec.Sign(JwsAlgorithm::kPs256, "x").has_value());
  EXPECT_EQ(rsa.PublicPoint(), "");
}

TEST(Jws, KeysThatCannotBeUsedAreRefusedWithAReason) {
  EXPECT_FALSE(SigningKey::FromPem("").has_value());
  EXPECT_FALSE(SigningKey::FromPem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").has_value());
  EXPECT_FALSE(SigningKey::FromPem(Pkcs8(RfcEc().get(), "pass phrase")).has_value()) << "nobody is asked for it";
  const Pkey weak(EVP_RSA_gen(1024), EVP_PKEY_free);
  EXPECT_EQ(SigningKey::FromPem(Pkcs8(weak.get())).error().message, "an RSA key needs at least 2048 bits");
  const Pkey other(EVP_EC_gen("secp384r1"), EVP_PKEY_free);
  EXPECT_EQ(SigningKey::FromPem(Pkcs8(other.get())).error().message, "an EC key must be on the curve P-256");
  const Pkey edwards(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free);
  EXPECT_EQ(SigningKey::FromPem(Pkcs8(edwards.get())).error().message, "the private key is neither RSA nor EC");
}

Result<std::string> Count(int& made, const std::string& secret) { return secret + " " + std::to_string(++made); }

TEST(JwtCache, ATokenServesUntilItsMarginAndThenANewOne) {
  int made = 0;
  JwtCache cache(delivery::Secret("k"), seconds(3600), seconds(300),
                 [&](const std::string& secret, Instant) { return Count(made, secret); });
  const Instant start = Instant(seconds(1'768'442'400));
  EXPECT_EQ(cache.Get(start)->text, "k 1");
  EXPECT_EQ(cache.Get(start + seconds(3299))->text, "k 1");
  EXPECT_EQ(cache.Get(start + seconds(3300))->text, "k 2");
  EXPECT_EQ(cache.Get(start)->text, "k 3") << "the clock was set back";
}

TEST(JwtCache, ARefusedTokenIsReplacedOnceAndNotBeforeItsMinimumAge) {
  int made = 0;
  JwtCache cache(
      delivery::Secret("k"), seconds(3600), seconds(300),
      [&](const std::string& secret, Instant) { return Count(made, secret); }, seconds(1200));
  const Instant start = Instant(seconds(1'768'442'400));
  const auto first = cache.Get(start);
  EXPECT_FALSE(cache.Drop(first->serial, start + seconds(1199)));
  EXPECT_EQ(cache.Get(start + seconds(1199))->text, "k 1");
  EXPECT_TRUE(cache.Drop(first->serial, start + seconds(1200)));
  const auto second = cache.Get(start + seconds(1200));
  EXPECT_EQ(second->text, "k 2");
  EXPECT_TRUE(cache.Drop(first->serial, start + seconds(4000))) << "another thread has renewed it";
  EXPECT_EQ(cache.Get(start + seconds(1201))->text, "k 2");
}

TEST(JwtCache, AFailureIsPassedOnAndTheNextCallTriesAgain) {
  int made = 0;
  JwtCache cache(delivery::Secret("k"), seconds(3600), seconds(300),
                 [&](const std::string& secret, Instant) -> Result<std::string> {
                   if (made++ == 0) return Invalid("no key");
                   return secret;
                 });
  EXPECT_EQ(cache.Get(Instant(seconds(10))).error().message, "no key");
  EXPECT_EQ(cache.Get(Instant(seconds(10)))->text, "k");
}

TEST(JwtCache, AChangedSecretGivesANewTokenAtOnce) {
  const auto path = std::filesystem::temp_directory_path() / ("jwt_test." + std::to_string(::getpid()));
  std::ofstream(path) << "new\n";
  int made = 0;
  // What was read at the start has been replaced since: the first look reads the file.
  const delivery::Secret secret = delivery::Secret::FromFile(path.string(), "old");
  JwtCache cache(secret, seconds(3600), seconds(300),
                 [&](const std::string& text, Instant) { return Count(made, text); });
  EXPECT_EQ(cache.Get(Instant(seconds(10)))->text, "new 1");
  EXPECT_EQ(cache.Get(Instant(seconds(11)))->text, "new 1");
  std::filesystem::remove(path);
}

TEST(JwtCache, ManyThreadsShareOneToken) {
  std::atomic<int> made{0};
  JwtCache cache(delivery::Secret("k"), seconds(3600), seconds(300),
                 [&](const std::string& secret, Instant) -> Result<std::string> {
                   return secret + std::to_string(made.fetch_add(1));
                 });
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) EXPECT_EQ(cache.Get(Instant(seconds(10)))->text, "k0");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made, 1);
}

}  // namespace
}  // namespace zhitui::app
