#include "sandbox/huawei.h"

#include "sandbox/crypto.h"
#include "sandbox/keys.h"

namespace sandbox {
namespace {

using nlohmann::json;

constexpr int64_t kDayMs = 86'400'000;
constexpr size_t kMaxBody = 4096;
constexpr size_t kMaxTokens = 1000;
constexpr int64_t kMaxTtlS = 1'296'000;
constexpr const char* kAudience = "https://oauth-login.cloud.huawei.com/oauth2/v3/token";

bool Category(const std::string& text) {
  for (const char* known : {"IM", "VOIP", "MISS_CALL", "SUBSCRIPTION", "TRAVEL", "HEALTH", "WORK", "ACCOUNT", "EXPRESS",
                            "FINANCE", "DEVICE_REMINDER", "MAIL", "MARKETING"}) {
    if (text == known) return true;
  }
  return false;
}

std::string Between(const std::string& path, std::string_view before, std::string_view after) {
  if (!path.starts_with(before) || !path.ends_with(after) || path.size() <= before.size() + after.size()) return {};
  return path.substr(before.size(), path.size() - before.size() - after.size());
}

}  // namespace

// The phone shows one appMessageId once in 24 hours.
Huawei::Huawei(Surroundings around) : PushSim(around, kDayMs) {}

std::string Huawei::Credentials(const std::string&) {
  const Options::HuaweiSim& own = around_.options.huawei;
  return json{{"project_id", own.project_id},
              {"key_id", own.key_id},
              {"private_key", PrivateKeyPem("huawei")},
              {"sub_account", own.sub_account},
              {"auth_uri", "https://oauth-login.cloud.huawei.com/oauth2/v3/authorize"},
              {"token_uri", kAudience}}
      .dump(2);
}

Reply Huawei::Code(int status, const char* code, const std::string& text) {
  tally_.Error(code);
  return JsonReply(status, {{"code", code}, {"msg", text}, {"requestId", std::to_string(around_.Now()) + "000001"}});
}

Reply Huawei::Token(const Call& call) {
  const auto form = ParseQuery(call.body);
  const auto value = [&](const char* key) {
    const std::string* found = form ? Find(*form, key) : nullptr;
    return found != nullptr ? *found : std::string();
  };
  const auto refuse = [&](int error, int sub_error, const char* text) {
    tally_.Error(std::to_string(error));
    return JsonReply(400, {{"error", error}, {"sub_error", sub_error}, {"error_description", text}});
  };
  if (call.method != "POST" || value("grant_type") != "client_credentials") {
    return refuse(1102, 20001, "grant_type is missing or wrong");
  }
  const Options::HuaweiSim& own = around_.options.huawei;
  if (value("client_id") != own.app_id) return refuse(1101, 20001, "client id is not existed");
  if (!SameSecret(value("client_secret"), own.client_secret)) return refuse(1101, 20048, "client secret is error");
  const std::string token = "DAEAsandbox" + RandomHex(40);
  const std::lock_guard lock(mutex_);
  tokens_[token] = around_.Now() + own.token_ttl_s * 1000;
  return JsonReply(200, {{"access_token", token}, {"expires_in", own.token_ttl_s}, {"token_type", "Bearer"}});
}

Reply Huawei::BadToken(const Push& push, const char* reason) {
  json detail = {{"failure", 1}};
  if (*reason == '\0') {
    detail["illegal_tokens"] = json::array({push.target});
  } else {
    detail["illegalTokens"] = {{reason, json::array({push.target})}};
  }
  return Code(200, "80300007", detail.dump());
}

bool Huawei::Tokens(const json& holder, const json& whole, Push* push, Reply* refused) {
  const auto tokens = holder.find("token");
  if (tokens == holder.end() || !tokens->is_array() || tokens->empty() || tokens->size() > kMaxTokens) {
    *refused = Code(400, "80300010", "token count should within 1 and 1000.");
    return false;
  }
  size_t bytes = whole.dump().size();
  for (const json& token : *tokens) bytes -= token.dump().size();
  if (bytes > kMaxBody) {
    *refused = Code(400, "80300008", "Push message size is too long.");
    return false;
  }
  push->target = tokens->front().is_string() ? tokens->front().get<std::string>() : std::string();
  return true;
}

Reply Huawei::SendV3(const Call& call, const std::string& project) {
  tally_.Request();
  const Options::HuaweiSim& own = around_.options.huawei;
  const std::string_view bearer = call.Header("authorization");
  if (!bearer.starts_with("Bearer ")) return Code(401, "80200001", "Authentication Error.");
  const auto jws = VerifyJws("huawei", "PS256", bearer.substr(7));
  if (!jws || TextOf(jws->header, "typ") != "JWT" || TextOf(jws->header, "kid") != own.key_id ||
      TextOf(jws->claims, "iss") != own.sub_account || TextOf(jws->claims, "aud") != kAudience ||
      project != own.project_id) {
    return Code(401, "80200001", "Authentication Error.");
  }
  const json& claims = jws->claims;
  if (!claims.contains("iat") || !claims.contains("exp") || !claims["iat"].is_number_integer() ||
      !claims["exp"].is_number_integer()) {
    return Code(401, "80200001", "Authentication Error.");
  }
  const int64_t now_s = around_.Now() / 1000;
  if (claims["exp"].get<int64_t>() <= now_s || claims["iat"].get<int64_t>() > now_s + 300) {
    return Code(401, "80200005", "Jwt token expired.");
  }
  if (claims["exp"].get<int64_t>() - claims["iat"].get<int64_t>() > 86400) {
    return Code(401, "80300036", "JWT expire period over threshold.");
  }
  if (call.Header("push-type") != "0") return Code(400, "80100001", "push-type is illegal");

  const json body = json::parse(call.body, nullptr, false);
  if (!body.is_object() || !StrangeKey(body, {"payload", "target", "pushOptions"}).empty() ||
      !body.contains("payload") || !body["payload"].is_object() || !body["payload"].contains("notification") ||
      !body.contains("target") || !body["target"].is_object()) {
    return Code(400, "80100003", "Illegal payload");
  }
  const json& shown = body["payload"]["notification"];
  if (!shown.is_object() ||
      !StrangeKey(shown, {"category", "title", "body", "image", "style", "notifyId", "appMessageId", "profileId",
                          "inboxContent", "clickAction", "badge", "sound", "soundDuration", "foregroundShow"})
           .empty()) {
    return Code(400, "80100003", "Illegal payload, unknown field");
  }
  if (!Category(TextOf(shown, "category"))) return Code(400, "80100003", "Illegal payload, category");
  if (TextOf(shown, "title").empty() || TextOf(shown, "body").empty()) {
    return Code(400, "80100003", "Illegal payload, title and body");
  }
  const auto click = shown.find("clickAction");
  if (click == shown.end() || !click->is_object() || !click->contains("actionType") ||
      ((*click)["actionType"] != 0 && (*click)["actionType"] != 1)) {
    return Code(400, "80100003", "Illegal payload, clickAction");
  }
  Push push;
  push.key = TextOf(shown, "appMessageId");
  if (shown.contains("appMessageId") && !Spelled(push.key, "+/=-_ ", 1, 64)) {
    return Code(400, "80100003", "Illegal payload, appMessageId");
  }
  if (const auto data = click->find("data"); data != click->end()) {
    if (!data->is_object()) return Code(400, "80100003", "Illegal payload, clickAction.data");
    push.data = *data;
  }
  Reply refused;
  if (!Tokens(body["target"], body, &push, &refused)) return refused;
  if (const auto options = body.find("pushOptions"); options != body.end()) {
    const auto ttl = options->find("ttl");
    if (ttl != options->end() &&
        (!ttl->is_number_integer() || ttl->get<int64_t>() < 1 || ttl->get<int64_t>() > kMaxTtlS)) {
      return Code(400, "80100004", "Illegal expire time.");
    }
    const auto test = options->find("testMessage");
    if (test != options->end() && !test->is_boolean()) return Code(400, "80100001", "testMessage");
  }
  if (!Spelled(push.target, "_-", 4, 512)) return BadToken(push, "tokenFormatError");
  push.shown = {{"api", "v3"}, {"notification", shown}};
  return Take(push);
}

Reply Huawei::SendV1(const Call& call, const std::string& app) {
  tally_.Request();
  const std::string_view bearer = call.Header("authorization");
  if (!bearer.starts_with("Bearer ") || app != around_.options.huawei.app_id) {
    return Code(401, "80200001", "Authentication Error");
  }
  {
    const std::lock_guard lock(mutex_);
    const auto token = tokens_.find(std::string(bearer.substr(7)));
    if (token == tokens_.end()) return Code(401, "80200001", "Authentication Error");
    if (around_.Now() >= token->second) return Code(401, "80200003", "Access token expired");
  }
  const json body = json::parse(call.body, nullptr, false);
  if (!body.is_object() || !body.contains("message") || !body["message"].is_object()) {
    return Code(400, "80100003", "Incorrect message structure");
  }
  const json& message = body["message"];
  Push push;
  Reply refused;
  if (!Tokens(message, body, &push, &refused)) return refused;
  const auto android = message.find("android");
  if (android == message.end() || !android->is_object() || !android->contains("notification") ||
      !(*android)["notification"].is_object()) {
    return Code(400, "80100003", "Incorrect message structure, android");
  }
  const json& shown = (*android)["notification"];
  if (TextOf(shown, "title").empty() || TextOf(shown, "body").empty()) {
    return Code(400, "80100003", "title and body are needed");
  }
  const auto click = shown.find("click_action");
  if (click == shown.end() || !click->is_object() || !click->contains("type") ||
      !(*click)["type"].is_number_integer()) {
    return Code(400, "80100003", "click_action is needed");
  }
  if (android->contains("ttl") && !Seconds(TextOf(*android, "ttl"), kMaxTtlS)) return Code(400, "80100004", "ttl");
  if (android->contains("category") && !Category(TextOf(*android, "category"))) {
    return Code(400, "80100001", "category");
  }
  if (const std::string data = TextOf(message, "data"); !data.empty()) {
    push.data = json::parse(data, nullptr, false);
    if (!push.data.is_object()) return Code(400, "80100003", "data of a notification is a JSON text");
  }
  if (!Spelled(push.target, "_-", 4, 512)) return BadToken(push, "");
  push.shown = {{"api", "v1"}, {"notification", shown}};
  return Take(push);
}

Reply Huawei::Refuse(const Push& push, Verdict verdict, int nth) {
  const bool v3 = push.shown.value("api", "") == "v3";
  switch (verdict) {
    case Verdict::kThrottle: {
      tally_.Error("503");
      Reply reply;
      reply.status = 503;
      return reply;
    }
    case Verdict::kContactRefused:
      return BadToken(push, v3 ? "noRight" : "");
    case Verdict::kOutOfQuota:
      return Code(200, "80300002", "No permission to send message to these tmIDs.");
    case Verdict::kTokenExpired:
      return v3 ? Code(401, "80200005", "Jwt token expired.") : Code(401, "80200003", "Access token expired");
    default:
      return Code(nth == 2 ? 500 : 200, "81000001", "Inner Error.");
  }
}

Reply Huawei::Answer(const Push&, const std::string& id) {
  return JsonReply(200, {{"code", "80000000"}, {"msg", "Success"}, {"requestId", id}});
}

Reply Huawei::Handle(const Call& call) {
  if (call.path == "/oauth2/v3/token") return Token(call);
  if (call.method == "POST") {
    if (const std::string id = Between(call.path, "/v3/", "/messages:send"); !id.empty()) return SendV3(call, id);
    if (const std::string id = Between(call.path, "/v1/", "/messages:send"); !id.empty()) return SendV1(call, id);
  }
  tally_.Request();
  Reply reply;
  reply.status = 404;
  return reply;
}

}  // namespace sandbox
