#include "sms/tc3.h"

#include "base/base.h"
#include "sms/hmac.h"

namespace zhitui::sms {
namespace {

constexpr std::string_view kAlgorithm = "TC3-HMAC-SHA256";
constexpr std::string_view kSignedHeaders = "content-type;host";

std::string DateOf(const Tc3Request& request) {
  return FormatUtc(Instant(std::chrono::seconds(request.unix_seconds))).substr(0, 10);
}

std::string Scope(const Tc3Request& request) {
  return DateOf(request) + "/" + std::string(request.service) + "/tc3_request";
}

}  // namespace

std::string Tc3CanonicalRequest(const Tc3Request& request) {
  std::string text = "POST\n/\n\ncontent-type:";
  text.append(request.content_type).append("\nhost:").append(request.host).append("\n\n").append(kSignedHeaders);
  return text + "\n" + DigestHex(Digest::kSha256, request.body);
}

std::string Tc3Signature(std::string_view secret_key, const Tc3Request& request) {
  const std::string to_sign = std::string(kAlgorithm) + "\n" + std::to_string(request.unix_seconds) + "\n" +
                              Scope(request) + "\n" + DigestHex(Digest::kSha256, Tc3CanonicalRequest(request));
  const std::string date = Hmac(Digest::kSha256, "TC3" + std::string(secret_key), DateOf(request));
  const std::string service = Hmac(Digest::kSha256, date, request.service);
  return HexLower(Hmac(Digest::kSha256, Hmac(Digest::kSha256, service, "tc3_request"), to_sign));
}

std::string Tc3Authorization(std::string_view secret_id, std::string_view secret_key, const Tc3Request& request) {
  std::string out(kAlgorithm);
  out.append(" Credential=").append(secret_id).append("/").append(Scope(request));
  out.append(", SignedHeaders=").append(kSignedHeaders);
  out.append(", Signature=").append(Tc3Signature(secret_key, request));
  return out;
}

}  // namespace zhitui::sms
