#include "app/apns_wire.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "app/apns_codes.h"

namespace zhitui::app {
namespace {

using nlohmann::json;
using Ordered = nlohmann::ordered_json;

constexpr std::size_t kMaxToken = 200;
constexpr std::size_t kMaxReason = 64;
constexpr std::size_t kCollapseBytes = 64;
// Ids of the length the product uses, to measure a message before it has any.
constexpr std::size_t kIdLength = 40;
constexpr std::chrono::minutes kTokenUpdates(20);

bool IsHexDigit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool IsWord(std::string_view text, std::size_t max) {
  if (text.empty() || text.size() > max) return false;
  for (const char c : text) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) return false;
  }
  return true;
}

std::int64_t Seconds(Instant t) {
  return std::chrono::duration_cast<std::chrono::seconds>(t.time_since_epoch()).count();
}

// Of "kid: ABC123DEFG" before the key; empty when there is no such line.
std::string KeyIdIn(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.starts_with("-----BEGIN")) break;
    if (!line.starts_with("kid:")) continue;
    line.remove_prefix(4);
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
    return std::string(line);
  }
  return {};
}

Result<std::string> Payload(const ApnsOptions& options, const delivery::SendRequest& request) {
  const Shown shown = ShownOf(options.visible, request.content);
  Ordered aps = {{"alert", {{"title", shown.title}, {"body", shown.body}}}};
  if (!options.sound.empty()) aps["sound"] = options.sound;
  if (options.mutable_content) aps["mutable-content"] = 1;
  Ordered body = {{"aps", std::move(aps)}};
  for (auto& [key, value] : HiddenData(request)) body[key] = std::move(value);
  try {
    return body.dump(-1, ' ', false, json::error_handler_t::strict);
  } catch (const json::exception&) {
    return Invalid("the message is not valid UTF-8");
  }
}

std::optional<Millis> RetryAfter(const delivery::HttpAnswer& answer) {
  const auto header = answer.headers.find("retry-after");
  if (header == answer.headers.end()) return std::nullopt;
  int seconds = 0;
  const char* end = header->second.data() + header->second.size();
  const auto [stop, error] = std::from_chars(header->second.data(), end, seconds);
  if (error != std::errc() || stop != end || seconds < 0 || seconds > 3600) return std::nullopt;
  return Millis(seconds * 1000);
}

}  // namespace

std::string ApnsId(std::string_view attempt_id) {
  auto digest = Sha256(attempt_id);
  digest[6] = static_cast<std::uint8_t>((digest[6] & 0x0FU) | 0x80U);
  digest[8] = static_cast<std::uint8_t>((digest[8] & 0x3FU) | 0x80U);
  const std::string hex = HexLower({reinterpret_cast<const char*>(digest.data()), 16});
  return hex.substr(0, 8) + '-' + hex.substr(8, 4) + '-' + hex.substr(12, 4) + '-' + hex.substr(16, 4) + '-' +
         hex.substr(20);
}

bool IsApnsToken(std::string_view contact) {
  if (contact.empty() || contact.size() > kMaxToken || contact.size() % 2 != 0) return false;
  for (const char c : contact) {
    if (!IsHexDigit(c)) return false;
  }
  return true;
}

Result<std::string> ApnsProviderToken(const ApnsOptions& options, const std::string& key_text, Instant now) {
  const auto key = SigningKey::FromPem(key_text);
  if (!key) return std::unexpected(key.error());
  std::string kid = KeyIdIn(key_text);
  if (kid.empty()) kid = options.key_id;
  if (!IsWord(kid, 32)) return Invalid("the key id is letters and digits");
  const std::string header = R"({"alg":"ES256","typ":"JWT","kid":")" + kid + R"("})";
  const std::string claims = R"({"iss":")" + options.team_id + R"(","iat":)" + std::to_string(Seconds(now)) + "}";
  return SignJwt(*key, JwsAlgorithm::kEs256, header, claims);
}

Result<std::string> ApnsPayload(const ApnsOptions& options, const delivery::SendRequest& request) {
  return Payload(options, request);
}

Status CheckApnsSize(const ApnsOptions& options, const message::Content& content) {
  delivery::SendRequest request;
  request.attempt_id = request.notification_id = std::string(kIdLength, '0');
  request.content = content;
  const Result<std::string> payload = Payload(options, request);
  if (!payload) return std::unexpected(payload.error());
  if (payload->size() > kApnsPayloadBytes) {
    return Invalid("the payload has " + std::to_string(payload->size()) + " bytes, APNs takes 4096");
  }
  return {};
}

delivery::HttpCall ApnsCall(const ApnsOptions& options, const delivery::SendRequest& request, std::string payload,
                            const std::string& token, Instant now) {
  delivery::HttpCall call;
  call.method = "POST";
  call.target = "/3/device/" + request.contact;
  const std::int64_t expires = options.expiration_s == 0 ? 0 : Seconds(now) + options.expiration_s;
  call.headers = {{"authorization", "bearer " + token},
                  {"content-type", "application/json"},
                  {"apns-topic", options.topic},
                  {"apns-push-type", options.push_type},
                  {"apns-priority", std::to_string(options.priority)},
                  {"apns-expiration", std::to_string(expires)},
                  {"apns-id", request.key.key}};
  if (options.collapse && request.notification_id.size() <= kCollapseBytes) {
    call.headers.emplace_back("apns-collapse-id", request.notification_id);
  }
  call.body = std::move(payload);
  return call;
}

delivery::SendResult ParseApnsAnswer(const delivery::HttpAnswer& answer) {
  using delivery::Verdict;
  delivery::SendResult result;
  if (answer.status == 200) {
    // The body of a success is empty, and APNs gives the apns-id back. Anything else is not APNs.
    const auto id = answer.headers.find("apns-id");
    if (!answer.body.empty() || id == answer.headers.end() || id->second.size() != 36) {
      result.code = "http 200";
      result.detail = "malformed answer";
      return result;
    }
    result.verdict = Verdict::kAccepted;
    result.code = "200";
    result.provider_id = id->second;
    return result;
  }
  result.code = "http " + std::to_string(answer.status);
  std::string reason;
  const json body = json::parse(answer.body, nullptr, false);
  if (body.is_object()) {
    if (const auto found = body.find("reason"); found != body.end() && found->is_string()) reason = *found;
    if (!IsWord(reason, kMaxReason)) reason.clear();
    if (!reason.empty()) result.code = reason;
    const auto since = body.find("timestamp");
    if (since != body.end() && since->is_number_integer()) result.detail = "since " + since->dump();
  }
  result.verdict = ApnsVerdict(reason, answer.status);
  if (result.verdict == Verdict::kThrottled || result.verdict == Verdict::kRetryLater) {
    result.retry_after = RetryAfter(answer);
    if (!result.retry_after && reason == "TooManyProviderTokenUpdates") result.retry_after = Millis(kTokenUpdates);
  }
  return result;
}

}  // namespace zhitui::app
