#include "wechat/wechat_callback.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <openssl/evp.h>

#include "wechat/wechat_xml.h"

namespace zhitui::wechat {
namespace {

constexpr std::size_t kMaxBody = 64 << 10;
constexpr std::size_t kMaxEcho = 256;
constexpr std::size_t kMaxParameter = 128;
constexpr std::size_t kMaxCode = 64;

delivery::CallbackReply Reply(int status, std::string body) {
  delivery::CallbackReply reply;
  reply.status = status;
  reply.body = std::move(body);
  return reply;
}

// The one value of a query parameter; nullopt when it is missing, repeated or too long.
std::optional<std::string> One(const delivery::CallbackRequest& request, const std::string& name) {
  if (request.query.count(name) != 1) return std::nullopt;
  const std::string& value = request.query.find(name)->second;
  if (value.empty() || value.size() > kMaxEcho) return std::nullopt;
  return value;
}

bool Genuine(std::string_view token, const delivery::CallbackRequest& request) {
  const auto signature = One(request, "signature");
  const auto timestamp = One(request, "timestamp");
  const auto nonce = One(request, "nonce");
  if (token.empty() || !signature || !timestamp || !nonce) return false;
  if (timestamp->size() > kMaxParameter || nonce->size() > kMaxParameter) return false;
  return delivery::ConstantTimeEqual(*signature, CallbackSignature(token, *timestamp, *nonce));
}

std::string_view Trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

bool Decimal(const std::string& text, std::size_t max) {
  return !text.empty() && text.size() <= max &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string CallbackSignature(std::string_view token, std::string_view timestamp, std::string_view nonce) {
  std::array<std::string_view, 3> parts = {token, timestamp, nonce};
  std::sort(parts.begin(), parts.end());
  std::string joined;
  for (const std::string_view part : parts) joined += part;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(joined.data(), joined.size(), digest, &size, EVP_sha1(), nullptr);
  return HexLower(std::string_view(reinterpret_cast<const char*>(digest), size));
}

delivery::CallbackReply AnswerCallback(std::string_view token, const delivery::CallbackRequest& request) {
  if (request.method != "GET" && request.method != "POST") return Reply(405, "GET or POST only");
  if (!Genuine(token, request)) return Reply(401, "wrong signature");
  if (request.method == "GET") {
    const auto echo = One(request, "echostr");
    return echo ? Reply(200, *echo) : Reply(400, "echostr is missing");
  }
  if (request.body.size() > kMaxBody) return Reply(413, "too large");
  const auto fields = ParseFlatXml(request.body);
  if (!fields) return Reply(400, "not the XML of a call-back");
  const auto field = [&](const char* name) {
    const auto found = fields->find(name);
    return found == fields->end() ? std::string() : found->second;
  };
  if (field("MsgType").empty() && fields->contains("Encrypt")) {
    return Reply(400, "encrypted only: set the account's message mode to plain or compatible");
  }
  delivery::CallbackReply reply = Reply(200, "success");
  if (field("MsgType") != "event" || field("Event") != "TEMPLATESENDJOBFINISH") return reply;  // not ours, but heard

  delivery::Receipt receipt;
  receipt.provider_id = field("MsgID");
  if (!Decimal(receipt.provider_id, 20)) return Reply(400, "MsgID is not a number");
  const std::string status = field("Status");
  if (status == "success") {
    receipt.state = delivery::ReceiptState::kDelivered;
    receipt.code = status;
  } else if (status.starts_with("failed")) {
    // "failed:user block", "failed: system failed"
    const std::size_t colon = status.find(':');
    receipt.state = delivery::ReceiptState::kUndelivered;
    receipt.code = colon == std::string::npos ? status : std::string(Trim(std::string_view(status).substr(colon + 1)));
  } else {
    return Reply(400, "unknown Status");
  }
  receipt.code.resize(std::min(receipt.code.size(), kMaxCode));
  const std::string created = field("CreateTime");
  if (Decimal(created, 11)) {
    std::int64_t seconds = 0;
    std::from_chars(created.data(), created.data() + created.size(), seconds);
    receipt.at = Instant(std::chrono::seconds(seconds));
  }
  reply.receipts.push_back(std::move(receipt));
  return reply;
}

}  // namespace zhitui::wechat
