#pragma once

// Tencent Cloud's request signature TC3-HMAC-SHA256 (cloud.tencent.com/document/api/382/52072) of a POST to /. Pure.

#include <cstdint>
#include <string>
#include <string_view>

namespace zhitui::sms {

// What is signed: the content type and the host, as they are sent, the body, and when.
struct Tc3Request {
  std::string_view service;  // "sms"
  std::string_view host;
  std::string_view content_type;
  std::string_view body;
  std::int64_t unix_seconds = 0;
};

std::string Tc3CanonicalRequest(const Tc3Request& request);
// Lower-case hex.
std::string Tc3Signature(std::string_view secret_key, const Tc3Request& request);
// The Authorization header.
std::string Tc3Authorization(std::string_view secret_id, std::string_view secret_key, const Tc3Request& request);

}  // namespace zhitui::sms
