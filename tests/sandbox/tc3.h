// Verification of Tencent Cloud's request signature TC3-HMAC-SHA256.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/call.h"

namespace sandbox {

// Of a POST to /. `headers` has lower-case names; those named in `signed_headers` are taken, in that order.
std::string Tc3CanonicalRequest(const Pairs& headers, const std::vector<std::string>& signed_headers,
                                std::string_view body);
// `date` is that of the timestamp in UTC, "2026-01-15".
std::string Tc3Signature(std::string_view secret_key, std::string_view service, std::string_view date,
                         std::string_view timestamp, std::string_view canonical_request);

struct Tc3Error {
  std::string code;
  std::string message;
};
// Nothing when the request is genuine and no older or newer than five minutes. The host is signed as it is sent or, as
// the provider's SDK does it, without its port.
std::optional<Tc3Error> VerifyTc3(const Call& call, std::string_view service, std::string_view secret_id,
                                  std::string_view secret_key, int64_t now_ms);

}  // namespace sandbox
