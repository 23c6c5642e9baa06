#include "app/fcm_wire.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "app/fcm_codes.h"

namespace zhitui::app {
namespace {

using delivery::Verdict;
using nlohmann::json;
using Ordered = nlohmann::ordered_json;

constexpr std::size_t kMaxPayload = 4096;
constexpr std::size_t kMaxCollapseId = 64;  // of APNs
// Ids of the length the product uses, to measure a message before it has any.
constexpr std::size_t kIdLength = 40;
constexpr std::int64_t kAssertionLife = 3600;
constexpr std::int64_t kLongestToken = 86400;
constexpr const char* kScope = "https://www.googleapis.com/auth/firebase.messaging";
constexpr const char* kGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
constexpr std::string_view kErrorType = "google.firebase.fcm.v1.FcmError";

std::string Dump(const Ordered& value) { return value.dump(-1, ' ', false, json::error_handler_t::strict); }

std::string Word(const json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Codes go to logs: a provider's word, never its sentences.
bool IsWord(std::string_view text) {
  return !text.empty() && text.size() <= 40 &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789") ==
             std::string_view::npos;
}

Ordered Notification(const FcmOptions& options, const message::Content& content) {
  const Shown shown = ShownOf(options.visible, content);
  return {{"title", shown.title}, {"body", shown.body}};
}

Ordered Data(const delivery::SendRequest& request) {
  Ordered data = Ordered::object();
  for (auto& [key, value] : HiddenData(request)) data[key] = value;
  return data;
}

struct Complaint {
  std::string code;    // errorCode of an FcmError, else the status
  bool token = false;  // it is the device token that is wrong
};

Complaint ComplaintOf(const json& body) {
  Complaint complaint;
  if (!body.is_object() || !body.contains("error") || !body["error"].is_object()) return complaint;
  const json& error = body["error"];
  complaint.code = Word(error, "status");
  const auto details = error.find("details");
  bool fcm = false;
  bool fields = false;
  bool other_field = false;
  if (details != error.end() && details->is_array()) {
    for (const json& detail : *details) {
      if (Word(detail, "@type").ends_with(kErrorType)) {
        fcm = true;
        if (const std::string code = Word(detail, "errorCode"); IsWord(code)) complaint.code = code;
      }
      if (!detail.is_object() || !detail.contains("fieldViolations") || !detail["fieldViolations"].is_array()) continue;
      for (const json& violation : detail["fieldViolations"]) {
        fields = true;
        if (Word(violation, "field") != "message.token") other_field = true;
      }
    }
  }
  if (!IsWord(complaint.code)) complaint.code.clear();
  // The documented answers to a bad token: an FcmError alone, or one beside a violation of message.token.
  complaint.token = complaint.code == "INVALID_ARGUMENT" &&
                    ((fields && !other_field) ||
                     (!fields && fcm && Word(error, "message").find("registration token") != std::string::npos));
  return complaint;
}

}  // namespace

Result<FcmAccount> ParseFcmAccount(std::string_view text) {
  const json file = json::parse(text, nullptr, false);
  if (!file.is_object()) return Invalid("the service account is not a JSON object");
  for (const char* key : {"project_id", "client_email", "private_key", "token_uri"}) {
    if (Word(file, key).empty()) return Invalid(std::string("the service account has no ") + key);
  }
  auto key = SigningKey::FromPem(Word(file, "private_key"));
  if (!key) return Invalid("the service account's private_key: " + key.error().message);
  return FcmAccount{Word(file, "project_id"), Word(file, "client_email"), Word(file, "private_key_id"),
                    Word(file, "token_uri"), *std::move(key)};
}

Result<std::string> FcmAssertion(const FcmAccount& account, Instant now) {
  const std::int64_t at = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  Ordered header = {{"alg", "RS256"}, {"typ", "JWT"}};
  if (!account.private_key_id.empty()) header["kid"] = account.private_key_id;
  const Ordered claims = {{"iss", account.client_email},
                          {"scope", kScope},
                          {"aud", account.token_uri},
                          {"iat", at},
                          {"exp", at + kAssertionLife}};
  try {
    return SignJwt(account.key, JwsAlgorithm::kRs256, Dump(header), Dump(claims));
  } catch (const json::exception&) {
    return Invalid("the service account is not valid UTF-8");
  }
}

std::string FcmTokenForm(std::string_view assertion) {
  return "grant_type=" + delivery::PercentEncode(kGrant) + "&assertion=" + delivery::PercentEncode(assertion);
}

delivery::TokenCache::Fetched ParseFcmToken(const delivery::HttpAnswer& answer) {
  const json body = json::parse(answer.body, nullptr, false);
  if (answer.status == 200) {
    delivery::TokenCache::Fetched fetched;
    fetched.token = Word(body, "access_token");
    const auto life = body.is_object() ? body.find("expires_in") : body.end();
    const bool alive = !fetched.token.empty() && life != body.end() && life->is_number_integer();
    if (alive) fetched.lifetime = std::chrono::seconds(life->get<std::int64_t>());
    if (alive && fetched.lifetime.count() > 0 && fetched.lifetime.count() <= kLongestToken) return fetched;
    return NoToken(Verdict::kNotSent, "token http 200", "malformed answer");
  }
  const std::string error = Word(body, "error");
  const bool ours = answer.status >= 400 && answer.status < 500 && answer.status != 429;
  return NoToken(ours ? Verdict::kStopChannel : Verdict::kNotSent,
                 IsWord(error) ? "token " + error : "token http " + std::to_string(answer.status));
}

Result<std::string> FcmBody(const FcmOptions& options, const delivery::SendRequest& request) {
  const std::string& id = request.notification_id;
  Ordered apns_headers = {{"apns-priority", options.high_priority ? "10" : "5"}};
  // What is shown twice replaces itself: by its tag on Android, by its collapse id on iOS.
  if (!id.empty() && id.size() <= kMaxCollapseId) apns_headers["apns-collapse-id"] = id;
  Ordered android = {{"priority", options.high_priority ? "high" : "normal"},
                     {"ttl", std::to_string(options.time_to_live_s) + "s"}};
  if (!id.empty()) android["notification"] = {{"tag", id}};
  try {
    const Ordered body = {
        {"message",
         {{"token", request.contact},
          {"notification", Notification(options, request.content)},
          {"data", Data(request)},
          {"android", std::move(android)},
          {"apns", {{"headers", std::move(apns_headers)}, {"payload", {{"aps", {{"sound", "default"}}}}}}}}}};
    return Dump(body);
  } catch (const json::exception&) {
    return Invalid("the message is not valid UTF-8");
  }
}

Status CheckFcmSize(const FcmOptions& options, const message::Content& content) {
  delivery::SendRequest request;
  request.attempt_id = request.notification_id = std::string(kIdLength, '0');
  request.content = content;
  try {
    const std::size_t size = Dump({{"notification", Notification(options, content)}, {"data", Data(request)}}).size();
    if (size > kMaxPayload) return Invalid("the message has " + std::to_string(size) + " bytes, FCM takes 4096");
  } catch (const json::exception&) {
    return Invalid("the message is not valid UTF-8");
  }
  return {};
}

PushOutcome ParseFcmAnswer(const delivery::HttpAnswer& answer, Instant now) {
  PushOutcome outcome;
  delivery::SendResult& result = outcome.result;
  result.code = "http " + std::to_string(answer.status);
  const json body = json::parse(answer.body, nullptr, false);
  if (answer.status == 200) {
    result.provider_id = Word(body, "name");
    result.verdict = result.provider_id.empty() ? Verdict::kUnknown : Verdict::kAccepted;
    result.code = result.provider_id.empty() ? result.code : "200";
    if (result.provider_id.empty()) result.detail = "malformed answer";
    return outcome;
  }
  const Complaint complaint = ComplaintOf(body);
  if (!complaint.code.empty()) result.code = complaint.code;
  result.verdict = complaint.token ? Verdict::kDropContact : FcmVerdict(complaint.code, answer.status);
  outcome.token_refused = answer.status == 401 && complaint.code != "THIRD_PARTY_AUTH_ERROR";
  if (result.verdict == Verdict::kThrottled || result.verdict == Verdict::kRetryLater) {
    result.retry_after = RetryAfter(answer);
  }
  if (result.verdict == Verdict::kThrottled && !result.retry_after) result.retry_after = UntilNextMinute(now);
  return outcome;
}

}  // namespace zhitui::app
