// Verification of Aliyun's request signatures ACS3-HMAC-SHA256 and ACS3-HMAC-SM3.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "sandbox/call.h"

namespace sandbox {

// `headers` has lower-case names; only those named in `signed_headers` count, in that order.
std::string Acs3CanonicalRequest(std::string_view method, std::string_view path, Pairs query, const Pairs& headers,
                                 const std::vector<std::string>& signed_headers, std::string_view content_digest);
enum class Acs3Algorithm { kSha256, kSm3 };
std::string Acs3Signature(std::string_view secret, std::string_view canonical_request,
                          Acs3Algorithm algorithm = Acs3Algorithm::kSha256);

struct Acs3Error {
  int status;
  std::string code;
  std::string message;
};

// Not thread safe: the nonces that were used are remembered here.
class Acs3Verifier {
 public:
  Acs3Verifier(std::string key_id, std::string secret) : key_id_(std::move(key_id)), secret_(std::move(secret)) {}
  // Nothing when the request is genuine, fresh and seen for the first time.
  std::optional<Acs3Error> Verify(const Call& call, const Pairs& query, int64_t now_ms);
  void Reset();

 private:
  std::string key_id_;
  std::string secret_;
  std::unordered_set<std::string> nonces_;
  std::deque<std::pair<int64_t, std::string>> nonce_age_;
};

}  // namespace sandbox
