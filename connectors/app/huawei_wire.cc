#include "app/huawei_wire.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "app/huawei_codes.h"

namespace zhitui::app {
namespace {

using delivery::Verdict;
using nlohmann::json;
using Ordered = nlohmann::ordered_json;

constexpr std::size_t kMaxBody = 4096;
constexpr std::size_t kMaxMessageId = 64;
// Ids of the length the product uses, to measure a message before it has any.
constexpr std::size_t kIdLength = 40;
constexpr std::int64_t kTokenLife = 3600;
constexpr std::int64_t kLongestToken = 86400;
constexpr Millis kFlowControlPause(5000);
constexpr Millis kTestPause(60'000);

std::string Dump(const Ordered& value) { return value.dump(-1, ' ', false, json::error_handler_t::strict); }

std::string Word(const json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  if (found == object.end()) return {};
  if (found->is_string()) return found->get<std::string>();
  return found->is_number_integer() ? found->dump() : std::string();
}

bool IsWord(std::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") ==
             std::string_view::npos;
}

Ordered Data(const delivery::SendRequest& request) {
  Ordered data = Ordered::object();
  for (auto& [key, value] : HiddenData(request)) data[key] = value;
  return data;
}

Ordered BodyV3(const HuaweiOptions& options, const delivery::SendRequest& request, const Shown& shown) {
  return {{"payload",
           {{"notification",
             {{"category", options.category},
              {"title", shown.title},
              {"body", shown.body},
              {"clickAction", {{"actionType", 0}, {"data", Data(request)}}},
              {"appMessageId", HuaweiMessageId(request.attempt_id)}}}}},
          {"target", {{"token", Ordered::array({request.contact})}}},
          {"pushOptions", {{"ttl", options.time_to_live_s}, {"testMessage", options.test_message}}}};
}

Ordered BodyV1(const HuaweiOptions& options, const delivery::SendRequest& request, const Shown& shown) {
  Ordered notification = {{"title", shown.title}, {"body", shown.body}, {"click_action", {{"type", 3}}}};
  // What is shown twice replaces itself.
  if (!request.notification_id.empty()) notification["tag"] = request.notification_id;
  return {{"validate_only", false},
          {"message",
           {{"data", Dump(Data(request))},
            {"android",
             {{"category", options.category},
              {"ttl", std::to_string(options.time_to_live_s) + "s"},
              {"target_user_type", options.test_message ? 1 : 0},
              {"notification", std::move(notification)}}},
            {"token", Ordered::array({request.contact})}}}};
}

// v3 says why it refused a token: {"illegalTokens":{"<reason>":["<token>"]}}, as text in msg.
std::string ReasonOf(const json& body) {
  const json detail = json::parse(Word(body, "msg"), nullptr, false);
  if (!detail.is_object() || !detail.contains("illegalTokens") || !detail["illegalTokens"].is_object()) return {};
  const json& reasons = detail["illegalTokens"];
  if (reasons.size() != 1) return {};
  std::string reason = reasons.begin().key();
  while (reason.starts_with(' ')) reason.erase(0, 1);  // the documentation's example has spaces around it
  while (reason.ends_with(' ')) reason.pop_back();
  return IsWord(reason) ? reason : std::string();
}

}  // namespace

Result<HuaweiAccount> ParseHuaweiAccount(std::string_view text) {
  const json file = json::parse(text, nullptr, false);
  if (!file.is_object()) return Invalid("the service account is not a JSON object");
  for (const char* key : {"project_id", "key_id", "private_key", "sub_account"}) {
    if (Word(file, key).empty()) return Invalid(std::string("the service account has no ") + key);
  }
  auto key = SigningKey::FromPem(Word(file, "private_key"));
  if (!key) return Invalid("the service account's private_key: " + key.error().message);
  return HuaweiAccount{Word(file, "project_id"), Word(file, "key_id"), Word(file, "sub_account"), *std::move(key)};
}

Result<std::string> HuaweiToken(const HuaweiAccount& account, std::string_view audience, Instant now) {
  const std::int64_t at = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  const Ordered header = {{"kid", account.key_id}, {"typ", "JWT"}, {"alg", "PS256"}};
  const Ordered claims = {{"aud", audience}, {"iss", account.sub_account}, {"exp", at + kTokenLife}, {"iat", at}};
  try {
    return SignJwt(account.key, JwsAlgorithm::kPs256, Dump(header), Dump(claims));
  } catch (const json::exception&) {
    return Invalid("the service account is not valid UTF-8");
  }
}

std::string HuaweiTokenForm(std::string_view app_id, std::string_view client_secret) {
  return "grant_type=client_credentials&client_id=" + delivery::PercentEncode(app_id) +
         "&client_secret=" + delivery::PercentEncode(client_secret);
}

delivery::TokenCache::Fetched ParseHuaweiToken(const delivery::HttpAnswer& answer) {
  const json body = json::parse(answer.body, nullptr, false);
  // OAuth refusals carry a number: 1101 wrong client, 1102 missing parameter …
  const std::string error = Word(body, "error");
  if (answer.status == 200 && error.empty()) {
    delivery::TokenCache::Fetched fetched;
    fetched.token = Word(body, "access_token");
    const auto life = body.is_object() ? body.find("expires_in") : body.end();
    const bool alive = !fetched.token.empty() && life != body.end() && life->is_number_integer();
    if (alive) fetched.lifetime = std::chrono::seconds(life->get<std::int64_t>());
    if (alive && fetched.lifetime.count() > 0 && fetched.lifetime.count() <= kLongestToken) return fetched;
    return NoToken(Verdict::kNotSent, "token http 200", "malformed answer");
  }
  const bool ours = answer.status < 500 && answer.status != 429;
  return NoToken(ours ? Verdict::kStopChannel : Verdict::kNotSent,
                 IsWord(error) ? "token " + error : "token http " + std::to_string(answer.status));
}

std::string HuaweiMessageId(std::string_view attempt_id) {
  const bool fits =
      !attempt_id.empty() && attempt_id.size() <= kMaxMessageId &&
      attempt_id.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_") ==
          std::string_view::npos;
  return fits ? std::string(attempt_id) : Sha256Hex(attempt_id);
}

Result<std::string> HuaweiBody(const HuaweiOptions& options, const delivery::SendRequest& request) {
  const Shown shown = ShownOf(options.visible, request.content);
  try {
    return Dump(options.api == HuaweiApi::kV3 ? BodyV3(options, request, shown) : BodyV1(options, request, shown));
  } catch (const json::exception&) {
    return Invalid("the message is not valid UTF-8");
  }
}

Status CheckHuaweiSize(const HuaweiOptions& options, const message::Content& content) {
  delivery::SendRequest request;
  request.attempt_id = request.notification_id = std::string(kIdLength, '0');
  request.content = content;
  const Result<std::string> body = HuaweiBody(options, request);
  if (!body) return std::unexpected(body.error());
  if (body->size() > kMaxBody) {
    return Invalid("the message has " + std::to_string(body->size()) + " bytes, Huawei takes 4096");
  }
  return {};
}

PushOutcome ParseHuaweiAnswer(const delivery::HttpAnswer& answer) {
  PushOutcome outcome;
  delivery::SendResult& result = outcome.result;
  const json body = json::parse(answer.body, nullptr, false);
  const std::string code = Word(body, "code");
  const bool coded = IsWord(code);
  result.code = coded ? code : "http " + std::to_string(answer.status);
  result.verdict = HuaweiVerdict(code, answer.status);
  if (answer.status == 200 && !coded) result.detail = "malformed answer";
  if (const std::string id = Word(body, "requestId"); IsWord(id)) {
    if (result.verdict == Verdict::kAccepted) result.provider_id = id;
    if (result.verdict != Verdict::kAccepted) result.detail = "request " + id;
  }
  if (result.verdict == Verdict::kDropContact) {
    if (const std::string reason = ReasonOf(body); !reason.empty()) {
      result.verdict = HuaweiTokenVerdict(reason);
      result.code += " " + reason;
    }
  }
  outcome.token_refused = IsHuaweiTokenError(code) || (!coded && answer.status == 401);
  if (result.verdict == Verdict::kThrottled) {
    result.retry_after = RetryAfter(answer).value_or(coded ? kTestPause : kFlowControlPause);
  }
  return outcome;
}

}  // namespace zhitui::app
