#include "sms/tencent_wire.h"

#include <nlohmann/json.hpp>

#include "sms/mainland.h"
#include "sms/tc3.h"
#include "sms/tencent_codes.h"

namespace zhitui::sms {
namespace {

using delivery::Verdict;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t kMaxStates = 10'000;
constexpr std::size_t kMaxId = 256;
constexpr int kPullLimit = 100;  // the most that is given at once
constexpr char kContentType[] = "application/json";

std::string Text(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// The object under Response, or an empty one.
json ResponseOf(const delivery::HttpAnswer& answer) {
  json body = json::parse(answer.body, nullptr, false);
  if (!body.is_object()) return json::object();
  const auto response = body.find("Response");
  return response != body.end() && response->is_object() ? *response : json::object();
}

std::optional<delivery::Receipt> StateOf(const json& state, const std::set<std::string>& dead_codes) {
  if (!state.is_object()) return std::nullopt;
  const std::string status = Text(state, "report_status");
  if (status != "SUCCESS" && status != "FAIL") return std::nullopt;
  delivery::Receipt receipt;
  receipt.provider_id = Text(state, "sid");
  if (receipt.provider_id.size() > kMaxId) return std::nullopt;
  receipt.state = status == "SUCCESS" ? delivery::ReceiptState::kDelivered : delivery::ReceiptState::kUndelivered;
  receipt.code = Text(state, "errmsg").substr(0, kMaxId);
  receipt.at = BeijingTime(Text(state, "user_receive_time"));
  receipt.contact_dead = status == "FAIL" && dead_codes.contains(receipt.code);
  return receipt;
}

std::optional<delivery::Signal> ReplyOf(const json& reply) {
  const auto text = reply.find("text");
  const auto time = reply.find("time");
  const std::string mobile = Text(reply, "mobile");
  if (text == reply.end() || !text->is_string() || time == reply.end() || !time->is_number_integer() ||
      mobile.empty()) {
    return std::nullopt;
  }
  delivery::Signal signal;
  signal.kind = delivery::SignalKind::kReply;
  const std::string nation = Text(reply, "nationcode");
  if (nation.empty() || nation == "86") signal.contact = MainlandNumber(mobile).value_or(std::string());
  signal.answered = Text(reply, "sign");
  if (signal.answered.size() > kMaxId) return std::nullopt;
  const std::int64_t seconds = time->get<std::int64_t>();
  constexpr std::int64_t kYear9999 = 253'402'300'799;
  if (seconds < 0 || seconds > kYear9999) return std::nullopt;
  signal.at = Instant(std::chrono::seconds(seconds));
  // A reply has no id of its own: the same words of the same person in the same second are one.
  signal.provider_id = StableId().Add(seconds).Add(mobile).Add(signal.answered).Add(text->get<std::string>()).Hex();
  signal.text = ReplyText(text->get<std::string>());
  return signal;
}

}  // namespace

Result<std::string> SendSmsBody(const TencentOptions& options, const std::string& template_id,
                                const std::string& number, const delivery::SendRequest& request) {
  ordered_json body;
  body["PhoneNumberSet"] = {"+86" + number};
  body["SmsSdkAppId"] = options.sdk_app_id;
  body["TemplateId"] = template_id;
  body["SignName"] = options.sign_name;
  body["TemplateParamSet"] = ordered_json::array();
  for (const auto& [name, value] : request.content.fields) body["TemplateParamSet"].push_back(value);
  body["SessionContext"] = request.attempt_id;
  try {
    return body.dump(-1, ' ', false, json::error_handler_t::strict);
  } catch (const json::exception&) {
    return Invalid("a template parameter is not valid UTF-8");
  }
}

std::string PullStatusBody(const TencentOptions& options, const std::string& number, Instant from, Instant to) {
  const auto seconds = [](Instant at) {
    return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
  };
  ordered_json body;
  body["BeginTime"] = seconds(from);
  body["EndTime"] = seconds(to);
  body["Offset"] = 0;  // the documentation allows no other
  body["Limit"] = kPullLimit;
  body["PhoneNumber"] = "+86" + number;
  body["SmsSdkAppId"] = options.sdk_app_id;
  return body.dump();
}

delivery::HttpCall TencentCall(const TencentOptions& options, const delivery::BaseUrl& base, std::string_view action,
                               std::string body, Instant now) {
  const std::int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  const std::string host = base.HostHeader();
  delivery::HttpCall call;
  call.method = "POST";
  call.target = "/";
  call.body = std::move(body);
  const Tc3Request signed_part{"sms", host, kContentType, call.body, seconds};
  call.headers = {{"Authorization", Tc3Authorization(options.secret_id, options.secret_key.Get()->text, signed_part)},
                  {"Content-Type", kContentType},
                  {"Host", host},
                  {"X-TC-Action", std::string(action)},
                  {"X-TC-Version", "2021-01-11"},
                  {"X-TC-Timestamp", std::to_string(seconds)},
                  {"X-TC-Region", options.region}};
  return call;
}

delivery::SendResult ParseTencentAnswer(const delivery::HttpAnswer& answer, Instant now) {
  delivery::SendResult result;
  const json response = ResponseOf(answer);
  result.detail = Text(response, "RequestId").substr(0, kMaxId);
  if (const auto error = response.find("Error"); error != response.end() && error->is_object()) {
    result.code = Text(*error, "Code");
  } else if (const auto states = response.find("SendStatusSet");
             states != response.end() && states->is_array() && states->size() == 1 && (*states)[0].is_object()) {
    result.code = Text((*states)[0], "Code");
    result.provider_id = Text((*states)[0], "SerialNo").substr(0, kMaxId);
  }
  if (result.code.empty() || result.code.size() > kMaxId) {
    result.code = "http " + std::to_string(answer.status);
    result.detail = "malformed answer";
    result.provider_id.clear();
    return result;  // unknown: something answered, not the service
  }
  const TencentAction action = TencentActionFor(result.code, now);
  result.verdict = action.verdict;
  result.retry_after = action.retry_after;
  if (result.verdict == Verdict::kAccepted) {
    if (answer.status != 200) result.verdict = Verdict::kUnknown;
  } else {
    result.provider_id.clear();
  }
  return result;
}

std::optional<std::string> FindSession(const delivery::HttpAnswer& answer, std::string_view session) {
  if (answer.fate != delivery::HttpFate::kAnswered || answer.status != 200 || session.empty()) return std::nullopt;
  const json response = ResponseOf(answer);
  const auto states = response.find("PullSmsSendStatusSet");
  if (states == response.end() || !states->is_array()) return std::nullopt;
  for (const json& state : *states) {
    if (state.is_object() && Text(state, "SessionContext") == session) {
      return Text(state, "SerialNo").substr(0, kMaxId);
    }
  }
  return std::nullopt;
}

std::optional<TencentPush> ParseTencentPush(std::string_view body, const std::set<std::string>& dead_codes) {
  const json pushed = json::parse(body, nullptr, false);
  TencentPush push;
  if (pushed.is_object()) {
    auto signal = ReplyOf(pushed);
    if (!signal) return std::nullopt;
    // From abroad nobody has been written to.
    if (!signal->contact.empty()) push.signals.push_back(*std::move(signal));
    return push;
  }
  if (!pushed.is_array() || pushed.size() > kMaxStates) return std::nullopt;
  for (const json& state : pushed) {
    auto receipt = StateOf(state, dead_codes);
    if (!receipt) return std::nullopt;
    if (!receipt->provider_id.empty()) push.receipts.push_back(*std::move(receipt));
  }
  return push;
}

}  // namespace zhitui::sms
