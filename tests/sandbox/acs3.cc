#include "sandbox/acs3.h"

#include <algorithm>
#include <cstdlib>

#include "sandbox/crypto.h"
#include "sandbox/text.h"

namespace sandbox {
namespace {

constexpr std::string_view kSha256 = "ACS3-HMAC-SHA256";
constexpr std::string_view kSm3 = "ACS3-HMAC-SM3";
constexpr int64_t kSkewMs = 15LL * 60 * 1000;
// A request stays fresh from 15 minutes before its date to 15 minutes after, so a nonce is kept for longer than that.
constexpr int64_t kNonceMemoryMs = 2 * kSkewMs + 60'000;
constexpr size_t kMaxNonce = 128;

std::string_view Trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

std::vector<std::string> Split(std::string_view text, char by) {
  std::vector<std::string> out;
  for (;;) {
    const size_t at = text.find(by);
    out.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

std::string_view NameOf(Acs3Algorithm algorithm) { return algorithm == Acs3Algorithm::kSm3 ? kSm3 : kSha256; }

std::string DigestOf(Acs3Algorithm algorithm, std::string_view data) {
  return algorithm == Acs3Algorithm::kSm3 ? Sm3Hex(data) : Sha256Hex(data);
}

struct Authorization {
  Acs3Algorithm algorithm = Acs3Algorithm::kSha256;
  std::string credential;
  std::vector<std::string> signed_headers;
  std::string signature;
};

std::optional<Authorization> ParseAuthorization(std::string_view header) {
  Authorization out;
  const size_t blank = header.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  const std::string_view algorithm = header.substr(0, blank);
  if (algorithm != kSha256 && algorithm != kSm3) return std::nullopt;
  if (algorithm == kSm3) out.algorithm = Acs3Algorithm::kSm3;
  for (const std::string& part : Split(header.substr(blank + 1), ',')) {
    const std::string_view item = Trim(part);
    const size_t equals = item.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view name = item.substr(0, equals);
    const std::string_view value = item.substr(equals + 1);
    if (name == "Credential") out.credential = value;
    if (name == "SignedHeaders") out.signed_headers = Split(value, ';');
    if (name == "Signature") out.signature = value;
  }
  if (out.credential.empty() || out.signed_headers.empty() || out.signature.empty()) return std::nullopt;
  return out;
}

}  // namespace

std::string Acs3CanonicalRequest(std::string_view method, std::string_view path, Pairs query, const Pairs& headers,
                                 const std::vector<std::string>& signed_headers, std::string_view content_digest) {
  std::string out(method);
  out += '\n';
  out += path.empty() ? "/" : path;
  out += '\n';
  std::sort(query.begin(), query.end());
  for (size_t i = 0; i < query.size(); ++i) {
    if (i > 0) out += '&';
    out += PercentEncode(query[i].first);
    out += '=';
    out += PercentEncode(query[i].second);
  }
  out += '\n';
  for (const std::string& name : signed_headers) {
    for (const auto& [key, value] : headers) {
      if (key != name) continue;
      out += name;
      out += ':';
      out += Trim(value);
      out += '\n';
    }
  }
  out += '\n';
  for (size_t i = 0; i < signed_headers.size(); ++i) {
    if (i > 0) out += ';';
    out += signed_headers[i];
  }
  out += '\n';
  out += content_digest;
  return out;
}

std::string Acs3Signature(std::string_view secret, std::string_view canonical_request, Acs3Algorithm algorithm) {
  const std::string to_sign = std::string(NameOf(algorithm)) + '\n' + DigestOf(algorithm, canonical_request);
  return algorithm == Acs3Algorithm::kSm3 ? HmacSm3Hex(secret, to_sign) : HmacSha256Hex(secret, to_sign);
}

std::optional<Acs3Error> Acs3Verifier::Verify(const Call& call, const Pairs& query, int64_t now_ms) {
  for (const char* name : {"host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce",
                           "x-acs-content-sha256", "authorization"}) {
    if (call.Header(name).empty()) {
      return Acs3Error{400, "MissingParameter", std::string("The header ") + name + " is required."};
    }
  }
  const auto authorization = ParseAuthorization(call.Header("authorization"));
  if (!authorization) {
    return Acs3Error{400, "IncompleteSignature",
                     "Authorization must be \"ACS3-HMAC-SHA256 Credential=..,SignedHeaders=..,Signature=..\"."};
  }
  const auto& names = authorization->signed_headers;
  if (!std::is_sorted(names.begin(), names.end())) {
    return Acs3Error{400, "IncompleteSignature", "SignedHeaders must be in alphabetical order."};
  }
  for (const auto& [key, value] : call.headers) {
    const bool must = key == "host" || key.starts_with("x-acs-") || (key == "content-type" && !call.body.empty());
    if (must && !std::binary_search(names.begin(), names.end(), key)) {
      return Acs3Error{400, "IncompleteSignature", "The header " + key + " is not signed."};
    }
  }
  const std::string_view date_text = call.Header("x-acs-date");
  const auto date = date_text.size() == 20 ? ParseIsoUtc(date_text) : std::nullopt;
  if (!date) return Acs3Error{400, "InvalidTimeStamp.Format", "x-acs-date must be yyyy-MM-ddTHH:mm:ssZ."};
  if (std::llabs(*date - now_ms) > kSkewMs) {
    return Acs3Error{400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired."};
  }
  if (authorization->credential != key_id_) {
    return Acs3Error{404, "InvalidAccessKeyId.NotFound", "Specified access key is not found."};
  }
  const Acs3Algorithm algorithm = authorization->algorithm;
  const std::string content = DigestOf(algorithm, call.body);
  const std::string canonical =
      Acs3CanonicalRequest(call.method, call.path, query, call.headers, authorization->signed_headers, content);
  if (content != call.Header("x-acs-content-sha256") ||
      !SameSecret(Acs3Signature(secret_, canonical, algorithm), authorization->signature)) {
    return Acs3Error{400, "SignatureDoesNotMatch",
                     "Specified signature does not match our calculation. server CanonicalRequest is [" + canonical +
                         "], server StringToSign is [" + std::string(NameOf(algorithm)) + "\n" +
                         DigestOf(algorithm, canonical) + "]"};
  }
  while (!nonce_age_.empty() && nonce_age_.front().first <= now_ms) {
    nonces_.erase(nonce_age_.front().second);
    nonce_age_.pop_front();
  }
  std::string nonce(call.Header("x-acs-signature-nonce"));
  if (nonce.size() > kMaxNonce) return Acs3Error{400, "InvalidParameter", "The signature nonce is too long."};
  if (!nonces_.insert(nonce).second) {
    return Acs3Error{400, "SignatureNonceUsed", "Specified signature nonce was used already."};
  }
  nonce_age_.emplace_back(now_ms + kNonceMemoryMs, std::move(nonce));
  return std::nullopt;
}

void Acs3Verifier::Reset() {
  nonces_.clear();
  nonce_age_.clear();
}

}  // namespace sandbox
