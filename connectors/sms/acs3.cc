#include "sms/acs3.h"

#include <algorithm>
#include <cctype>

#include "base/base.h"
#include "delivery/delivery.h"

namespace zhitui::sms {
namespace {

std::string_view Algorithm(Digest digest) { return digest == Digest::kSm3 ? "ACS3-HMAC-SM3" : "ACS3-HMAC-SHA256"; }

std::string Lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  return out;
}

std::string_view Trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string CanonicalQuery(Pairs query) {
  std::sort(query.begin(), query.end());
  std::string out;
  for (const auto& [key, value] : query) {
    if (!out.empty()) out += '&';
    out += delivery::PercentEncode(key);
    out += '=';
    out += delivery::PercentEncode(value);
  }
  return out;
}

CanonicalRequest Canonicalize(std::string_view method, std::string_view path, std::string_view canonical_query,
                              const Pairs& headers, std::string_view content_digest) {
  Pairs chosen;
  for (const auto& [name, value] : headers) {
    std::string lower = Lower(name);
    if (lower == "host" || lower == "content-type" || lower.starts_with("x-acs-")) {
      chosen.emplace_back(std::move(lower), Trim(value));
    }
  }
  std::sort(chosen.begin(), chosen.end());
  CanonicalRequest out;
  std::string lines;
  for (const auto& [name, value] : chosen) {
    lines += name + ":" + value + "\n";
    out.signed_headers += (out.signed_headers.empty() ? "" : ";") + name;
  }
  out.text.append(method).append("\n").append(path).append("\n").append(canonical_query).append("\n");
  out.text.append(lines).append("\n").append(out.signed_headers).append("\n").append(content_digest);
  return out;
}

std::string Acs3Signature(Digest digest, std::string_view secret, std::string_view canonical_request) {
  return HexLower(Hmac(digest, secret, std::string(Algorithm(digest)) + "\n" + DigestHex(digest, canonical_request)));
}

std::string Acs3Authorization(Digest digest, std::string_view access_key_id, std::string_view secret,
                              const CanonicalRequest& request) {
  std::string out(Algorithm(digest));
  out.append(" Credential=").append(access_key_id);
  out.append(",SignedHeaders=").append(request.signed_headers);
  out.append(",Signature=").append(Acs3Signature(digest, secret, request.text));
  return out;
}

}  // namespace zhitui::sms
