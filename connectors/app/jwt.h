#pragma once

// JSON Web Signatures for the push services that want one: FCM (RS256), Huawei (PS256), APNs and Web Push (ES256).
// RFC 7515 (compact form) and RFC 7518 (algorithms). Included by the connectors of this room and their tests.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/base.h"
#include "delivery/delivery.h"

namespace zhitui::app {

// RFC 4648 section 5, without padding.
std::string Base64Url(std::string_view bytes);
// nullopt for padding, white space, other characters, or bits after the last byte.
std::optional<std::string> FromBase64Url(std::string_view text);

enum class JwsAlgorithm : std::uint8_t {
  kRs256,  // RSASSA-PKCS1-v1_5, SHA-256
  kPs256,  // RSASSA-PSS, SHA-256, MGF1 with SHA-256, a salt of 32 bytes
  kEs256,  // ECDSA on P-256, SHA-256; r and s of 32 bytes each
};
const char* JwsAlgorithmName(JwsAlgorithm algorithm);  // "RS256" …

// A private key. Copies share it. Thread-safe.
class SigningKey {
 public:
  // The first private key of a PEM text: PKCS#8, PKCS#1 or SEC 1, not encrypted. RSA of at least 2048 bits, or EC on
  // P-256. kInvalid says what is wrong, without a byte of the text.
  static Result<SigningKey> FromPem(std::string_view pem);
  // The signature of `input`, not encoded. kInvalid: the algorithm is for another kind of key.
  Result<std::string> Sign(JwsAlgorithm algorithm, std::string_view input) const;
  // The public point of an EC key, uncompressed (65 bytes); empty for RSA.
  const std::string& PublicPoint() const;

 private:
  struct State;
  explicit SigningKey(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

// "header.claims.signature". `header` and `claims` are JSON texts and go in byte by byte; the caller's header names the
// same algorithm.
Result<std::string> SignJwt(const SigningKey& key, JwsAlgorithm algorithm, std::string_view header,
                            std::string_view claims);

// A signed token that is used until it is about to expire or its secret changes. One thread signs, the others wait for
// it. Thread-safe.
class JwtCache {
 public:
  // Makes a token from the secret's text as of `now`. Called once for each token that is made.
  using Make = std::function<Result<std::string>(const std::string& secret, Instant now)>;
  struct Token {
    std::string text;
    std::uint64_t serial = 0;  // of this token, from 1
  };

  // A token is used for `lifetime` - `margin` after it was made. `min_age`: Drop does nothing to a younger token, for
  // providers that punish frequent renewal.
  JwtCache(delivery::Secret secret, std::chrono::seconds lifetime, std::chrono::seconds margin, Make make,
           std::chrono::seconds min_age = std::chrono::seconds(0));
  // The error is what Make gave; the next call tries again.
  Result<Token> Get(Instant now);
  // The provider refused the token of that serial. True when the next Get makes a new one, also when another thread
  // has dropped or renewed it meanwhile.
  bool Drop(std::uint64_t serial, Instant now);

 private:
  const delivery::Secret secret_;
  const std::chrono::seconds use_for_;
  const std::chrono::seconds min_age_;
  const Make make_;
  std::mutex mutex_;
  Token token_;  // text is empty: none
  std::uint64_t generation_ = 0;
  Instant made_{};
};

}  // namespace zhitui::app
