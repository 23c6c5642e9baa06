#include "sandbox/tc3.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "sandbox/crypto.h"
#include "sandbox/text.h"

namespace sandbox {
namespace {

constexpr std::string_view kAlgorithm = "TC3-HMAC-SHA256";
constexpr int64_t kSkewSeconds = 300;

// "Name=value" of the comma separated parts of the header.
std::string_view Part(std::string_view header, std::string_view name) {
  const std::string wanted = std::string(name) + "=";
  while (!header.empty()) {
    std::string_view one = header.substr(0, header.find(','));
    header.remove_prefix(std::min(header.size(), one.size() + 1));
    while (one.starts_with(' ')) one.remove_prefix(1);
    if (one.starts_with(wanted)) return one.substr(wanted.size());
  }
  return {};
}

}  // namespace

std::string Tc3CanonicalRequest(const Pairs& headers, const std::vector<std::string>& signed_headers,
                                std::string_view body) {
  std::string out = "POST\n/\n\n";
  std::string names;
  for (const std::string& name : signed_headers) {
    for (const auto& [key, value] : headers) {
      if (key == name) out += name + ":" + value + "\n";
    }
    names += (names.empty() ? "" : ";") + name;
  }
  return out + "\n" + names + "\n" + Sha256Hex(body);
}

std::string Tc3Signature(std::string_view secret_key, std::string_view service, std::string_view date,
                         std::string_view timestamp, std::string_view canonical_request) {
  std::string key = HmacSha256("TC3" + std::string(secret_key), date);
  key = HmacSha256(key, service);
  key = HmacSha256(key, "tc3_request");
  std::string to_sign(kAlgorithm);
  to_sign.append("\n").append(timestamp).append("\n").append(date).append("/").append(service).append("/tc3_request\n");
  return HmacSha256Hex(key, to_sign + Sha256Hex(canonical_request));
}

std::optional<Tc3Error> VerifyTc3(const Call& call, std::string_view service, std::string_view secret_id,
                                  std::string_view secret_key, int64_t now_ms) {
  std::string_view header = call.Header("authorization");
  const std::string_view timestamp = call.Header("x-tc-timestamp");
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(timestamp.data(), timestamp.data() + timestamp.size(), seconds);
  if (timestamp.empty() || error != std::errc() || end != timestamp.data() + timestamp.size()) {
    return Tc3Error{"MissingParameter", "The header X-TC-Timestamp is required."};
  }
  if (!header.starts_with(std::string(kAlgorithm) + " ")) {
    return Tc3Error{"AuthFailure.InvalidAuthorization", "The Authorization header is not TC3-HMAC-SHA256."};
  }
  header.remove_prefix(kAlgorithm.size() + 1);
  const std::string_view credential = Part(header, "Credential");
  const std::string_view signature = Part(header, "Signature");
  const std::string signed_headers(Part(header, "SignedHeaders"));
  const std::string date = IsoUtc(seconds * 1000).substr(0, 10);
  const std::string scope = "/" + date + "/" + std::string(service) + "/tc3_request";
  if (signature.empty() || !credential.ends_with(scope)) {
    return Tc3Error{"AuthFailure.InvalidAuthorization", "The credential's scope is not date/service/tc3_request."};
  }
  if (std::llabs(seconds - now_ms / 1000) > kSkewSeconds) {
    return Tc3Error{"AuthFailure.SignatureExpire", "The signature has expired."};
  }
  if (credential.substr(0, credential.size() - scope.size()) != secret_id) {
    return Tc3Error{"AuthFailure.SecretIdNotFound", "The SecretId is not found."};
  }
  std::vector<std::string> names;
  for (std::string_view rest = signed_headers; !rest.empty();) {
    const std::string_view one = rest.substr(0, rest.find(';'));
    names.emplace_back(one);
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
  }
  for (const char* must : {"content-type", "host"}) {
    if (!std::binary_search(names.begin(), names.end(), must)) {
      return Tc3Error{"AuthFailure.InvalidAuthorization", std::string("The header ") + must + " is not signed."};
    }
  }
  Pairs headers = call.headers;
  for (int without_port = 0; without_port < 2; ++without_port) {
    if (SameSecret(Tc3Signature(secret_key, service, date, timestamp, Tc3CanonicalRequest(headers, names, call.body)),
                   signature)) {
      return std::nullopt;
    }
    for (auto& [name, value] : headers) {
      if (name == "host") value = value.substr(0, value.find(':'));
    }
  }
  return Tc3Error{"AuthFailure.SignatureFailure", "The provided credentials could not be validated."};
}

}  // namespace sandbox
