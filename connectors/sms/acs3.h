#pragma once

// Aliyun's V3 request signature: ACS3-HMAC-SHA256 (help.aliyun.com document 2593177), or ACS3-HMAC-SM3 as its SDK makes
// it, with SM3 for the digests and for the keyed digest. Pure.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sms/hmac.h"

namespace zhitui::sms {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// Sorted by key, each part percent-encoded (RFC 3986), joined by = and &. Also the query string as it is sent.
std::string CanonicalQuery(Pairs query);

struct CanonicalRequest {
  std::string text;
  std::string signed_headers;  // "host;x-acs-action;…"
};
// Signs host, content-type and every x-acs-* of `headers`; names in any case.
CanonicalRequest Canonicalize(std::string_view method, std::string_view path, std::string_view canonical_query,
                              const Pairs& headers, std::string_view content_digest);

// Lower-case hex.
std::string Acs3Signature(Digest digest, std::string_view secret, std::string_view canonical_request);
std::string Acs3Authorization(Digest digest, std::string_view access_key_id, std::string_view secret,
                              const CanonicalRequest& request);

}  // namespace zhitui::sms
