#include "app/gorush_wire.h"

#include <nlohmann/json.hpp>

#include "app/apns_wire.h"
#include "app/gorush_codes.h"

namespace zhitui::app {
namespace {

using delivery::Verdict;
using nlohmann::json;
using Ordered = nlohmann::ordered_json;

constexpr std::size_t kMaxToken = 4096;
constexpr std::size_t kMaxAttempt = 128;
constexpr std::size_t kMaxLogs = 1000;
constexpr int kIos = 1;

std::string Text(const json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

}  // namespace

std::optional<GorushContact> ParseGorushContact(std::string_view contact) {
  if (contact.size() < 3 || contact.size() > kMaxToken || contact[1] != '/' || contact[0] < '1' || contact[0] > '3') {
    return std::nullopt;
  }
  const std::string_view token = contact.substr(2);
  for (const char c : token) {
    if (c <= ' ' || c >= '\x7f') return std::nullopt;
  }
  return GorushContact{contact[0] - '0', token};
}

Result<std::string> GorushBody(const GorushOptions& options, const GorushContact& contact,
                               const delivery::SendRequest& request) {
  const Shown shown = ShownOf(options.visible, request.content);
  Ordered data = Ordered::object();
  for (auto& [key, value] : HiddenData(request)) data[key] = std::move(value);
  Ordered one = {{"notif_id", request.attempt_id}, {"tokens", Ordered::array({contact.token})},
                 {"platform", contact.platform},   {"title", shown.title},
                 {"message", shown.body},          {"data", std::move(data)}};
  if (contact.platform == kIos) {
    one["apns_id"] = ApnsId(request.attempt_id);
    one["push_type"] = "alert";
    if (!options.ios_topic.empty()) one["topic"] = options.ios_topic;
  }
  try {
    return Ordered{{"notifications", Ordered::array({std::move(one)})}}.dump(-1, ' ', false,
                                                                             json::error_handler_t::strict);
  } catch (const json::exception&) {
    return Invalid("the message is not valid UTF-8");
  }
}

delivery::SendResult ParseGorushAnswer(const delivery::HttpAnswer& answer, bool sync, std::string_view attempt_id) {
  delivery::SendResult result;
  result.code = "http " + std::to_string(answer.status);
  if (answer.status != 200) {
    switch (answer.status) {
      case 400:  // {"code":400,"message"}: the request is not as gorush wants it
        result.verdict = Verdict::kFixMessage;
        break;
      case 401:
      case 403:
      case 404:
        result.verdict = Verdict::kStopChannel;
        break;
      case 429:
        result.verdict = Verdict::kThrottled;
        break;
      default:
        result.verdict = Verdict::kUnknown;
    }
    return result;
  }
  const json body = json::parse(answer.body, nullptr, false);
  const auto counts = body.is_object() ? body.find("counts") : body.end();
  if (!body.is_object() || Text(body, "success") != "ok" || counts == body.end() || !counts->is_number_integer()) {
    result.detail = "malformed answer";
    return result;
  }
  if (counts->get<std::int64_t>() <= 0) {
    // gorush leaves out platforms that its configuration has not enabled, and says nothing more.
    result.verdict = Verdict::kStopChannel;
    result.code = "platform_off";
    return result;
  }
  result.verdict = Verdict::kAccepted;
  result.code = "ok";
  const auto logs = body.find("logs");
  if (logs == body.end() || !logs->is_array() || logs->size() > kMaxLogs) return result;
  for (const json& entry : *logs) {
    if (!entry.is_object()) continue;
    const std::string id = Text(entry, "notif_id");
    if ((!id.empty() && id != attempt_id) || Text(entry, "type") != "failed-push") continue;
    // The last entry is of the last try. Without core.sync only a full queue is told.
    const GorushError error = GorushErrorOf(Text(entry, "error"));
    if (!sync && error.code != "queue_full") continue;
    result.verdict = error.verdict;
    result.code = error.code;
  }
  return result;
}

Result<std::optional<delivery::Receipt>> ParseGorushFeedback(std::string_view body, Instant now) {
  const json entry = json::parse(body, nullptr, false);
  if (!entry.is_object() || Text(entry, "type") != "failed-push") {
    return Invalid("not a log entry of gorush");
  }
  delivery::Receipt receipt;
  receipt.attempt_id = Text(entry, "notif_id");
  if (receipt.attempt_id.empty() || receipt.attempt_id.size() > kMaxAttempt) {
    return Invalid("a log entry without notif_id");
  }
  const GorushError error = GorushErrorOf(Text(entry, "error"));
  // A try that gorush may have repeated with success says nothing.
  if (error.verdict == Verdict::kUnknown) return std::optional<delivery::Receipt>();
  receipt.state = delivery::ReceiptState::kUndelivered;
  receipt.code = error.code;
  receipt.at = now;
  receipt.contact_dead = error.verdict == Verdict::kDropContact;
  return std::optional<delivery::Receipt>(std::move(receipt));
}

}  // namespace zhitui::app
