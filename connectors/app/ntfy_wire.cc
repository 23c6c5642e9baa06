#include "app/ntfy_wire.h"

#include <nlohmann/json.hpp>

#include "app/ntfy_codes.h"

namespace zhitui::app {
namespace {

using nlohmann::json;
using Ordered = nlohmann::ordered_json;

constexpr std::size_t kMaxTopic = 64;
constexpr std::size_t kMaxId = 64;
// A visitor's requests come back at one in five seconds by default.
constexpr Millis kRefill(5000);

int Number(const json& object, const char* key) {
  const auto at = object.find(key);
  if (at == object.end() || !at->is_number_integer()) return 0;
  const auto value = at->get<std::int64_t>();
  return value > 0 && value < 100000 ? static_cast<int>(value) : 0;
}

}  // namespace

bool IsNtfyTopic(std::string_view contact) {
  if (contact.empty() || contact.size() > kMaxTopic) return false;
  for (const char c : contact) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_')) {
      return false;
    }
  }
  return true;
}

Result<std::string> NtfyBody(const NtfyOptions& options, const delivery::SendRequest& request) {
  const Shown shown = ShownOf(options.visible, request.content);
  Ordered body = {
      {"topic", request.contact}, {"title", shown.title}, {"message", shown.body}, {"priority", options.priority}};
  if (!request.content.url.empty()) body["click"] = request.content.url;
  try {
    return body.dump(-1, ' ', false, json::error_handler_t::strict);
  } catch (const json::exception&) {
    return Invalid("the message is not valid UTF-8");
  }
}

delivery::SendResult ParseNtfyAnswer(const delivery::HttpAnswer& answer) {
  using delivery::Verdict;
  delivery::SendResult result;
  result.code = "http " + std::to_string(answer.status);
  const json body = json::parse(answer.body, nullptr, false);
  if (answer.status == 200) {
    const auto id = body.is_object() ? body.find("id") : body.end();
    const auto event = body.is_object() ? body.find("event") : body.end();
    if (!body.is_object() || id == body.end() || !id->is_string() || event == body.end() || *event != "message") {
      result.detail = "malformed answer";
      return result;
    }
    const std::string text = *id;
    if (text.empty() || text.size() > kMaxId) {
      result.detail = "malformed answer";
      return result;
    }
    result.verdict = Verdict::kAccepted;
    result.code = "200";
    result.provider_id = text;
    return result;
  }
  const int code = body.is_object() ? Number(body, "code") : 0;
  if (code != 0) result.code = std::to_string(code);
  result.verdict = NtfyVerdict(code, answer.status);
  if (code == 42901) result.retry_after = kRefill;
  return result;
}

}  // namespace zhitui::app
