#include "app/getui_wire.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "app/getui_codes.h"

namespace zhitui::app {
namespace {

using delivery::Verdict;
using nlohmann::json;
using Ordered = nlohmann::ordered_json;

constexpr std::size_t kMaxTitle = 50;
constexpr std::size_t kMaxBody = 256;
constexpr std::size_t kMaxPayload = 3072;
constexpr std::size_t kRequestId = 32;
// Ids of the length the product uses, to measure a message before it has any.
constexpr std::size_t kIdLength = 40;
constexpr std::chrono::hours kLongestToken(24);

std::string Dump(const Ordered& value) { return value.dump(-1, ' ', false, json::error_handler_t::strict); }

std::string Word(const json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  if (found == object.end()) return {};
  if (found->is_string()) return found->get<std::string>();
  return found->is_number_integer() ? found->dump() : std::string();
}

template <class Number>
std::optional<Number> NumberOf(const std::string& text) {
  Number number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

std::size_t Characters(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string Payload(const delivery::SendRequest& request) {
  Ordered data = Ordered::object();
  for (auto& [key, value] : HiddenData(request)) data[key] = value;
  return Dump(data);
}

Verdict TokenVerdict(int code, const std::string& message, int status) {
  const Verdict verdict = GetuiVerdict(code, message, status);
  // It is not this message's fault.
  if (verdict == Verdict::kFixMessage || verdict == Verdict::kDropContact) return Verdict::kStopChannel;
  return verdict == Verdict::kUnknown || verdict == Verdict::kAccepted ? Verdict::kNotSent : verdict;
}

}  // namespace

std::string GetuiSign(std::string_view app_key, std::int64_t at_ms, std::string_view master_secret) {
  return Sha256Hex(std::string(app_key) + std::to_string(at_ms) + std::string(master_secret));
}

Result<std::string> GetuiAuthBody(std::string_view app_key, std::int64_t at_ms, std::string_view master_secret) {
  try {
    return Dump({{"sign", GetuiSign(app_key, at_ms, master_secret)},
                 {"timestamp", std::to_string(at_ms)},
                 {"appkey", app_key}});
  } catch (const json::exception&) {
    return Invalid("the app key is not valid UTF-8");
  }
}

delivery::TokenCache::Fetched ParseGetuiAuth(const delivery::HttpAnswer& answer, Instant now) {
  const json body = json::parse(answer.body, nullptr, false);
  const std::optional<int> code = NumberOf<int>(Word(body, "code"));
  if (code == 0 && body.contains("data")) {
    delivery::TokenCache::Fetched fetched;
    fetched.token = Word(body["data"], "token");
    const auto until = NumberOf<std::int64_t>(Word(body["data"], "expire_time"));
    if (until && !fetched.token.empty()) {
      // Their clock against ours: a token is not used longer than a day.
      const Millis left = std::min<Millis>(Millis(*until) - now.time_since_epoch(), kLongestToken);
      fetched.lifetime = std::chrono::floor<std::chrono::seconds>(left);
      if (fetched.lifetime.count() > 0) return fetched;
    }
  }
  if (!code || *code == 0) {
    return NoToken(Verdict::kNotSent, "token http " + std::to_string(answer.status), "malformed answer");
  }
  delivery::TokenCache::Fetched refused =
      NoToken(TokenVerdict(*code, Word(body, "msg"), answer.status), "token " + std::to_string(*code));
  if (IsGetuiMinuteLimit(*code)) refused.refused.retry_after = UntilNextMinute(now);
  return refused;
}

std::string GetuiRequestId(std::string_view attempt_id) { return Sha256Hex(attempt_id).substr(0, kRequestId); }

Result<std::string> GetuiBody(const GetuiOptions& options, const delivery::SendRequest& request) {
  try {
    const Shown shown = ShownOf(options.visible, request.content);
    const std::string payload = Payload(request);
    Ordered body = {
        {"request_id", request.key.key},
        {"settings", {{"ttl", options.time_to_live_s * 1000}}},
        {"audience", {{"cid", Ordered::array({request.contact})}}},
        {"push_message",
         {{"notification",
           {{"title", shown.title}, {"body", shown.body}, {"click_type", "payload"}, {"payload", payload}}}}},
    };
    if (options.vendor_channels) {
      body["push_channel"] = {
          {"android",
           {{"ups", {{"notification", {{"title", shown.title}, {"body", shown.body}, {"click_type", "startapp"}}}}}}},
          {"ios",
           {{"type", "notify"},
            {"payload", payload},
            {"aps", {{"alert", {{"title", shown.title}, {"body", shown.body}}}, {"content-available", 0}}}}}};
    }
    return Dump(body);
  } catch (const json::exception&) {
    return Invalid("the message is not valid UTF-8");
  }
}

Status CheckGetuiSize(const GetuiOptions& options, const message::Content& content) {
  const Shown shown = ShownOf(options.visible, content);
  if (const std::size_t n = Characters(shown.title); n > kMaxTitle) {
    return Invalid("the title has " + std::to_string(n) + " characters, Getui takes 50");
  }
  if (const std::size_t n = Characters(shown.body); n > kMaxBody) {
    return Invalid("the body has " + std::to_string(n) + " characters, Getui takes 256");
  }
  delivery::SendRequest request;
  request.attempt_id = request.notification_id = std::string(kIdLength, '0');
  request.content = content;
  try {
    if (const std::size_t n = Characters(Payload(request)); n > kMaxPayload) {
      return Invalid("the link makes the payload " + std::to_string(n) + " characters long, Getui takes 3072");
    }
  } catch (const json::exception&) {
    return Invalid("the message is not valid UTF-8");
  }
  return {};
}

PushOutcome ParseGetuiAnswer(const delivery::HttpAnswer& answer, Instant now) {
  PushOutcome outcome;
  delivery::SendResult& result = outcome.result;
  const json body = json::parse(answer.body, nullptr, false);
  const std::optional<int> code = NumberOf<int>(Word(body, "code"));
  result.code = code ? std::to_string(*code) : "http " + std::to_string(answer.status);
  if (code == 0) {
    // {"data":{"<task id>":{"<cid>":"successed_online"}}}
    const auto data = body.find("data");
    if (data != body.end() && data->is_object() && data->size() == 1 && data->begin()->is_object() &&
        data->begin()->size() == 1 && data->begin()->begin()->is_string()) {
      result.provider_id = data->begin().key();
      const auto status = data->begin()->begin()->get<std::string>();
      result.verdict = Verdict::kAccepted;
      // Not used for 90 days: nothing is sent to it any more. The app reports its cid anew when it is opened.
      if (status == "successed_ignore") {
        result.verdict = Verdict::kDropContact;
        result.code = "successed_ignore";
      }
      return outcome;
    }
    result.detail = "malformed answer";
    result.verdict = Verdict::kUnknown;
    return outcome;
  }
  result.verdict = GetuiVerdict(code.value_or(0), Word(body, "msg"), answer.status);
  if (answer.status == 200 && !code) result.detail = "malformed answer";
  if (code && IsGetuiMinuteLimit(*code)) result.retry_after = UntilNextMinute(now);
  outcome.token_refused = code == kGetuiToken;
  return outcome;
}

}  // namespace zhitui::app
