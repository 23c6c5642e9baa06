#include "sandbox/fcm.h"

#include "sandbox/crypto.h"
#include "sandbox/keys.h"

namespace sandbox {
namespace {

using nlohmann::json;

constexpr size_t kMaxPayload = 4096;
constexpr int64_t kMaxTtlS = 2'419'200;
constexpr const char* kGoogleToken = "https://oauth2.googleapis.com/token";
constexpr std::string_view kTokenPath = "/fcm/token";
constexpr const char* kFcmError = "type.googleapis.com/google.firebase.fcm.v1.FcmError";
constexpr const char* kBadRequest = "type.googleapis.com/google.rpc.BadRequest";

bool Reserved(const std::string& key) {
  return key == "from" || key == "message_type" || key.starts_with("google") || key.starts_with("gcm");
}

}  // namespace

bool Fcm::Owns(const std::string& path) const { return path.starts_with("/v1/projects/") || path == "/token"; }

std::string Fcm::Credentials(const std::string& base_url) {
  const Options::FcmSim& own = around_.options.fcm;
  return json{{"type", "service_account"},
              {"project_id", own.project_id},
              {"private_key_id", "sandbox-fcm-key"},
              {"private_key", PrivateKeyPem("fcm")},
              {"client_email", own.client_email},
              {"client_id", "100000000000000000001"},
              {"token_uri", base_url + std::string(kTokenPath)}}
      .dump(2);
}

Reply Fcm::TokenError(int status, const char* error, const char* text) {
  tally_.Error(error);
  return JsonReply(status, {{"error", error}, {"error_description", text}});
}

Reply Fcm::Token(const Call& call) {
  const auto form = ParseQuery(call.body);
  const std::string* grant = form ? Find(*form, "grant_type") : nullptr;
  const std::string* assertion = form ? Find(*form, "assertion") : nullptr;
  if (call.method != "POST" || !call.Header("content-type").starts_with("application/x-www-form-urlencoded") ||
      grant == nullptr || assertion == nullptr) {
    return TokenError(400, "invalid_request", "Bad form");
  }
  if (*grant != "urn:ietf:params:oauth:grant-type:jwt-bearer") {
    return TokenError(400, "unsupported_grant_type", "Invalid grant_type");
  }
  const auto jws = VerifyJws("fcm", "RS256", *assertion);
  if (!jws) return TokenError(400, "invalid_grant", "Invalid JWT Signature.");
  const json& claims = jws->claims;
  if (TextOf(claims, "iss") != around_.options.fcm.client_email) {
    return TokenError(400, "invalid_grant", "Invalid grant: account not found");
  }
  const std::string aud = TextOf(claims, "aud");
  if (aud != kGoogleToken && !aud.ends_with(kTokenPath)) return TokenError(400, "invalid_grant", "Invalid JWT: aud");
  if (TextOf(claims, "scope").find("https://www.googleapis.com/auth/firebase.messaging") == std::string::npos) {
    return TokenError(400, "invalid_scope", "Empty or missing scope not allowed.");
  }
  const int64_t now_s = around_.Now() / 1000;
  if (!claims.contains("iat") || !claims.contains("exp") || !claims["iat"].is_number_integer() ||
      !claims["exp"].is_number_integer()) {
    return TokenError(400, "invalid_grant", "Invalid JWT: iat and exp");
  }
  const auto iat = claims["iat"].get<int64_t>();
  const auto exp = claims["exp"].get<int64_t>();
  if (exp - iat > 3600 || iat > now_s + 300 || exp <= now_s) {
    return TokenError(400, "invalid_grant", "Invalid JWT: Token must be a short-lived token");
  }
  const std::string token = "ya29.sandbox-" + RandomHex(40);
  const int64_t life = around_.options.fcm.token_ttl_s;
  const std::lock_guard lock(mutex_);
  tokens_[token] = around_.Now() + life * 1000;
  return JsonReply(200, {{"access_token", token}, {"expires_in", life}, {"token_type", "Bearer"}});
}

Reply Fcm::Error(int status, const char* rpc, const std::string& code, const std::string& text,
                 const std::string& field) {
  tally_.Error(code.empty() ? rpc : code);
  json details = json::array();
  if (!code.empty()) details.push_back({{"@type", kFcmError}, {"errorCode", code}});
  if (!field.empty()) {
    details.push_back(
        {{"@type", kBadRequest}, {"fieldViolations", json::array({{{"field", field}, {"description", text}}})}});
  }
  return JsonReply(
      status, {{"error", {{"code", status}, {"message", text}, {"status", rpc}, {"details", std::move(details)}}}});
}

bool Fcm::Authorized(const Call& call) {
  const std::string_view bearer = call.Header("authorization");
  if (!bearer.starts_with("Bearer ")) return false;
  const std::lock_guard lock(mutex_);
  const auto found = tokens_.find(std::string(bearer.substr(7)));
  return found != tokens_.end() && around_.Now() < found->second;
}

Reply Fcm::Send(const Call& call, const std::string& project) {
  tally_.Request();
  if (!Authorized(call)) return Error(401, "UNAUTHENTICATED", "", "Request had invalid authentication credentials.");
  if (project != around_.options.fcm.project_id) return Error(403, "PERMISSION_DENIED", "", "Permission denied");
  const auto wrong = [&](const std::string& field, const std::string& text) {
    return Error(400, "INVALID_ARGUMENT", "", text, field);
  };
  const json body = json::parse(call.body, nullptr, false);
  if (!body.is_object() || !body.contains("message") || !body["message"].is_object()) {
    return wrong("message", "Invalid JSON payload received.");
  }
  if (!StrangeKey(body, {"message", "validate_only"}).empty()) return wrong("", "Unknown name");
  const json& message = body["message"];
  if (const std::string strange =
          StrangeKey(message, {"token", "notification", "data", "android", "apns", "webpush", "fcm_options", "name"});
      !strange.empty()) {
    return wrong("message", "Invalid JSON payload received. Unknown name \"" + strange + "\"");
  }
  Push push;
  push.target = TextOf(message, "token");
  size_t bytes = 0;
  if (const auto data = message.find("data"); data != message.end()) {
    if (!data->is_object()) return wrong("message.data", "Invalid value");
    for (const auto& [key, value] : data->items()) {
      if (!value.is_string()) return wrong("message.data[0].value", "Invalid value (TYPE_STRING)");
      if (Reserved(key)) return Error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "Invalid data payload key: " + key);
      bytes += key.size() + value.get<std::string>().size();
    }
    push.data = *data;
  }
  if (const auto shown = message.find("notification"); shown != message.end()) {
    if (!shown->is_object() || !StrangeKey(*shown, {"title", "body", "image"}).empty()) {
      return wrong("message.notification", "Invalid value");
    }
    for (const auto& [key, value] : shown->items()) {
      if (!value.is_string()) return wrong("message.notification." + key, "Invalid value (TYPE_STRING)");
      bytes += key.size() + value.get<std::string>().size();
    }
  }
  if (const auto android = message.find("android"); android != message.end()) {
    const std::string priority = TextOf(*android, "priority");
    if (!priority.empty() && priority != "high" && priority != "normal") {
      return wrong("message.android.priority", "Invalid value");
    }
    if (android->contains("ttl") && !Seconds(TextOf(*android, "ttl"), kMaxTtlS)) {
      return Error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "Illegal field format; Field: ttl",
                   "message.android.ttl");
    }
  }
  if (const auto apns = message.find("apns"); apns != message.end()) {
    const auto headers = apns->find("headers");
    if (headers != apns->end() && TextOf(*headers, "apns-collapse-id").size() > 64) {
      return Error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "apns-collapse-id is too long");
    }
  }
  if (bytes > kMaxPayload) return Error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "Message is too big");
  if (!Spelled(push.target, "_-:", 4, 4096)) {
    return Error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT",
                 "The registration token is not a valid FCM registration token", "message.token");
  }
  push.shown = {{"notification", message.value("notification", json::object())},
                {"data", push.data},
                {"android", message.value("android", json::object())}};
  return Take(push);
}

Reply Fcm::Refuse(const Push&, Verdict verdict, int nth) {
  Reply reply;
  switch (verdict) {
    case Verdict::kThrottle:
      return Error(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", "Quota exceeded");
    case Verdict::kContactRefused:
      return Error(404, "NOT_FOUND", "UNREGISTERED", "Requested entity was not found.");
    case Verdict::kOutOfQuota:
      return Error(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR", "Auth error from APNS or Web Push Service");
    case Verdict::kTokenExpired:
      return Error(401, "UNAUTHENTICATED", "", "Request had invalid authentication credentials.");
    default:
      if (nth == 2) return Error(500, "INTERNAL", "INTERNAL", "Internal error encountered.");
      reply = Error(503, "UNAVAILABLE", "UNAVAILABLE", "The service is currently unavailable.");
      reply.headers.emplace_back("Retry-After", "7");
      return reply;
  }
}

Reply Fcm::Answer(const Push&, const std::string& id) {
  return JsonReply(200, {{"name", "projects/" + around_.options.fcm.project_id + "/messages/0:" + id}});
}

Reply Fcm::Handle(const Call& call) {
  if (call.path == "/token") return Token(call);
  static constexpr std::string_view kBefore = "/v1/projects/";
  static constexpr std::string_view kAfter = "/messages:send";
  if (call.method == "POST" && call.path.starts_with(kBefore) && call.path.ends_with(kAfter) &&
      call.path.size() > kBefore.size() + kAfter.size()) {
    return Send(call, call.path.substr(kBefore.size(), call.path.size() - kBefore.size() - kAfter.size()));
  }
  tally_.Request();
  return Error(404, "NOT_FOUND", "", "Not found");
}

}  // namespace sandbox
