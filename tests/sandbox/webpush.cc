#include "sandbox/webpush.h"

#include <algorithm>

#include "sandbox/crypto.h"

namespace sandbox {
namespace {

using nlohmann::json;

constexpr size_t kMaxBody = 4096;
constexpr size_t kHeader = 86;
constexpr size_t kSalt = 16;
constexpr size_t kPoint = 65;
constexpr size_t kMinRecord = 18;
constexpr int64_t kDayS = 86400;
constexpr size_t kMaxTopic = 32;
constexpr size_t kMaxKept = 100'000;

bool Base64UrlOnly(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  });
}

std::string Text(const json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

// The value of a parameter of "vapid t=…, k=…".
std::string Parameter(std::string_view header, char name) {
  for (size_t at = 0; at < header.size();) {
    while (at < header.size() && (header[at] == ' ' || header[at] == ',')) ++at;
    const size_t end = std::min(header.find(',', at), header.size());
    if (at + 1 < end && header[at] == name && header[at + 1] == '=') {
      return std::string(header.substr(at + 2, end - at - 2));
    }
    at = end;
  }
  return {};
}

}  // namespace

std::optional<std::string> PushSenderPoint(std::string_view body) {
  if (body.size() <= kHeader || static_cast<unsigned char>(body[20]) != kPoint) return std::nullopt;
  return std::string(body.substr(21, kPoint));
}

std::optional<std::string> OpenPush(std::string_view body, std::string_view shared, std::string_view point,
                                    std::string_view auth) {
  const auto sender = PushSenderPoint(body);
  if (!sender) return std::nullopt;
  uint32_t record = 0;
  for (size_t i = 0; i < 4; ++i) record = (record << 8) | static_cast<unsigned char>(body[kSalt + i]);
  const std::string_view sealed = body.substr(kHeader);
  // RFC 8291 section 4: one record only.
  if (record < kMinRecord || sealed.size() > record) return std::nullopt;
  const std::string zero(1, '\0');
  const std::string one(1, '\1');
  const std::string ikm =
      HmacSha256(HmacSha256(auth, shared), "WebPush: info" + zero + std::string(point) + *sender + one);
  const std::string prk = HmacSha256(body.substr(0, kSalt), ikm);
  const std::string key = HmacSha256(prk, "Content-Encoding: aes128gcm" + zero + one).substr(0, 16);
  const std::string nonce = HmacSha256(prk, "Content-Encoding: nonce" + zero + one).substr(0, 12);
  auto text = OpenAes128Gcm(key, nonce, sealed);
  if (!text) return std::nullopt;
  const size_t last = text->find_last_not_of('\0');
  if (last == std::string::npos || (*text)[last] != '\2') return std::nullopt;
  text->resize(last);
  return text;
}

std::string CheckVapid(std::string_view header, std::string_view origin, int64_t now_ms, std::string* k) {
  if (!header.starts_with("vapid ")) return "no vapid credentials";
  header.remove_prefix(6);
  const std::string token = Parameter(header, 't');
  const std::string key = Parameter(header, 'k');
  const auto point = Base64UrlBytes(key);
  const size_t first = token.find('.');
  const size_t second = token.rfind('.');
  if (!point || first == std::string::npos || first == second) return "malformed vapid credentials";
  const auto head_text = Base64UrlBytes(token.substr(0, first));
  const auto claims_text = Base64UrlBytes(token.substr(first + 1, second - first - 1));
  const auto signature = Base64UrlBytes(token.substr(second + 1));
  if (!head_text || !claims_text || !signature) return "malformed vapid credentials";
  const json head = json::parse(*head_text, nullptr, false);
  const json claims = json::parse(*claims_text, nullptr, false);
  if (!head.is_object() || !claims.is_object() || Text(head, "alg") != "ES256") return "the token is not ES256";
  if (!VerifyEs256(*point, token.substr(0, second), *signature)) return "the signature does not fit k";
  if (Text(claims, "aud") != origin) return "aud is not this service";
  const auto expires = claims.find("exp");
  if (expires == claims.end() || !expires->is_number_integer()) return "no exp";
  const int64_t left = expires->get<int64_t>() - now_ms / 1000;
  if (left <= 0) return "the token has expired";
  if (left > kDayS) return "exp is more than a day away";
  const std::string subject = Text(claims, "sub");
  if (claims.contains("sub") && !subject.starts_with("mailto:") && !subject.starts_with("https:")) return "bad sub";
  *k = key;
  return {};
}

Reply Webpush::Error(int status, const std::string& message) {
  tally_.Error(std::to_string(status));
  Reply out;
  out.status = status;
  out.body = json({{"code", status}, {"message", message}}).dump();
  return out;
}

std::string Webpush::Origin(const Call& call) const {
  if (!around_.options.webpush.origin.empty()) return around_.options.webpush.origin;
  return (around_.options.tls_cert.empty() ? "http://" : "https://") + std::string(call.Header("host"));
}

Reply Webpush::Subscribe(const Call& call) {
  const auto query = ParseQuery(call.query);
  if (!query) return Error(400, "bad query");
  const std::string* name = Find(*query, "id");
  const std::string* vapid = Find(*query, "vapid");
  const std::string id = name != nullptr && !name->empty() ? *name : RandomHex(32);
  if (!Base64UrlOnly(id) || id.size() > 64) return Error(400, "id has letters, digits, - and _ only");
  Subscription made{EcKey::Make(), RandomHex(16), vapid != nullptr ? *vapid : std::string()};
  Reply reply;
  reply.body = json({{"endpoint", Origin(call) + "/webpush/send/" + id},
                     {"expirationTime", nullptr},
                     {"keys", {{"p256dh", Base64UrlText(made.key.Point())}, {"auth", Base64UrlText(made.auth)}}}})
                   .dump();
  const std::lock_guard lock(mutex_);
  if (subscriptions_.size() >= kMaxKept) subscriptions_.clear();
  subscriptions_.insert_or_assign(id, std::move(made));
  return reply;
}

Reply Webpush::Send(const Call& call, const std::string& id) {
  tally_.Request();
  if (call.method != "POST") return Error(405, "POST only");
  std::optional<Subscription> to;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = subscriptions_.find(id); found != subscriptions_.end()) to = found->second;
  }
  if (!to) return Error(404, "no such subscription");
  const std::string_view ttl = call.Header("ttl");
  if (ttl.empty() || ttl.size() > 10 || ttl.find_first_not_of("0123456789") != std::string_view::npos) {
    return Error(400, "TTL is a number of seconds");
  }
  const std::string_view urgency = call.Header("urgency");
  if (!urgency.empty() && urgency != "very-low" && urgency != "low" && urgency != "normal" && urgency != "high") {
    return Error(400, "unknown Urgency");
  }
  const std::string_view topic = call.Header("topic");
  if (topic.size() > kMaxTopic || !Base64UrlOnly(topic)) return Error(400, "Topic has up to 32 base64url characters");
  const int64_t now = around_.Now();
  std::string k;
  if (call.Header("authorization").empty()) return Error(401, "no vapid credentials");
  if (const std::string wrong = CheckVapid(call.Header("authorization"), Origin(call), now, &k); !wrong.empty()) {
    return Error(403, wrong);
  }
  if (!to->vapid.empty() && to->vapid != k) return Error(403, "the subscription belongs to another key");
  if (call.body.size() > kMaxBody) return Error(413, "more than 4096 bytes");
  if (call.Header("content-encoding") != "aes128gcm") return Error(400, "Content-Encoding is not aes128gcm");
  const auto sender = PushSenderPoint(call.body);
  const auto shared = sender ? to->key.Agree(*sender) : std::nullopt;
  const auto text = shared ? OpenPush(call.body, *shared, to->key.Point(), to->auth) : std::nullopt;
  // A push service cannot tell; here the browser sits behind it.
  if (!text) return Error(400, "the browser cannot open the message");

  json shown = json::parse(*text, nullptr, false);
  if (!shown.is_object()) shown = {{"text", *text}};
  Entry entry;
  entry.at_ms = now;
  entry.provider = name();
  entry.message_id = Text(shown, "notification_id");
  entry.attempt_id = Text(shown, "attempt_id");
  entry.key = entry.attempt_id;
  entry.provider_id = RandomUuid();
  entry.recipient_sha256 = ContactHash(id);
  entry.content = {{"shown", shown}, {"topic", std::string(topic)}, {"bytes", call.body.size()}};
  const std::string tries = entry.attempt_id.empty() ? entry.provider_id : entry.attempt_id;
  int nth = 0;
  Reply reply;
  const Verdict verdict = around_.faults.Decide(name(), id, tries, tries, &nth);
  switch (verdict) {
    case Verdict::kThrottle:
      reply = Error(429, "too many");
      reply.headers = {{"Retry-After", "30"}};
      return reply;
    case Verdict::kContactRefused:
      return Error(410, "gone");
    case Verdict::kServerError:
      return nth % 2 == 1 ? Error(500, "internal error") : Error(503, "come back");
    case Verdict::kOutOfQuota:
      return Error(401, "the key is blocked");
    case Verdict::kTokenExpired:
      return Error(403, "the token has expired");
    case Verdict::kDropBefore:
      tally_.Dropped();
      reply.abort = true;
      return reply;
    default:
      break;
  }
  entry.fate = around_.faults.FateOf(id);
  if (entry.fate == Fate::kDead) return Error(404, "no such subscription");
  if (!around_.journal.Append(entry)) return Error(500, "the log cannot be written");
  tally_.Accepted();
  reply.status = 201;
  if (verdict != Verdict::kAcceptMalformed) {
    reply.headers = {{"Location", Origin(call) + "/webpush/message/" + entry.provider_id}};
  }
  if (verdict == Verdict::kAcceptThenDrop) {
    tally_.Dropped();
    reply.abort = true;
  }
  if (verdict == Verdict::kAcceptSlow) reply.delay_ms = around_.options.slow_ms;
  if (verdict == Verdict::kAcceptMalformed) reply.garble = true;
  return reply;
}

Reply Webpush::Handle(const Call& call) {
  static constexpr std::string_view kSend = "/send/";
  if (call.path == "/subscription" && call.method == "GET") return Subscribe(call);
  if (call.path.starts_with(kSend)) return Send(call, call.path.substr(kSend.size()));
  return Error(404, "no such resource");
}

void Webpush::Restore(const Entry& entry) {
  around_.faults.Restore(name(), entry.recipient_sha256,
                         entry.attempt_id.empty() ? entry.provider_id : entry.attempt_id);
}

void Webpush::Reset() { tally_.Reset(); }

}  // namespace sandbox
