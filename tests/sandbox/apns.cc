#include "sandbox/apns.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>

#include "sandbox/crypto.h"

namespace sandbox {
namespace {

using nlohmann::json;

constexpr int64_t kTokenLifeMs = 3'600'000;
constexpr size_t kMaxPayload = 4096;
constexpr size_t kMaxCollapse = 64;
constexpr size_t kMinToken = 16;
constexpr size_t kMaxToken = 200;
constexpr size_t kMaxKept = 2'000'000;
// Tokens with these beginnings meet what only HTTP/2 can do, on the first try.
constexpr std::string_view kGoawayToken = "facade20";
constexpr std::string_view kRefusedToken = "facade21";

constexpr std::array<std::string_view, 12> kPushTypes = {"alert",   "background",   "controls",     "location",
                                                         "voip",    "complication", "fileprovider", "mdm",
                                                         "widgets", "liveactivity", "pushtotalk",   "controlcenter"};
// Headers that may not come twice.
constexpr std::array<std::string_view, 7> kOnce = {
    "authorization", "apns-id", "apns-expiration", "apns-priority", "apns-collapse-id", "apns-push-type", "apns-topic"};

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); });
}

bool CanonicalUuid(std::string_view text) {
  static constexpr std::string_view kShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  if (text.size() != kShape.size()) return false;
  for (size_t i = 0; i < kShape.size(); ++i) {
    const char c = text[i];
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (kShape[i] == 'x' ? !hex : c != '-') return false;
  }
  return true;
}

std::string Text(const json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

}  // namespace

Apns::Apns(Surroundings around) : around_(around), key_(EcKey::Make()), certificate_(SelfSigned(around.options.host)) {}

std::expected<int, std::string> Apns::Listen() {
  const Options::ApnsSim& options = around_.options.apns;
  if (!options.on) return 0;
  H2Front::Config config;
  config.host = around_.options.host;
  config.port = options.port;
  config.cert_pem = certificate_.cert_pem;
  config.key_pem = certificate_.key_pem;
  config.max_streams = options.max_streams;
  if (!options.ca_file.empty()) {
    std::ofstream out(options.ca_file, std::ios::trunc);
    out << certificate_.cert_pem;
    if (!out.flush()) return std::unexpected("cannot write " + options.ca_file);
  }
  front_ = std::make_unique<H2Front>(std::move(config),
                                     [this](const Call& call, uint64_t number) { return Push(call, number); });
  const auto port = front_->Start();
  if (!port) return std::unexpected(port.error());
  port_ = *port;
  return port_;
}

void Apns::HangUp() {
  if (front_) front_->Stop();
}

std::string Apns::Credentials(const std::string&) {
  const Options::ApnsSim& options = around_.options.apns;
  if (!front_) return {};
  return json({{"base_url", "https://" + around_.options.host + ":" + std::to_string(port_)},
               {"ca", certificate_.cert_pem},
               {"key", key_.Pem()},
               {"key_id", options.key_id},
               {"team_id", options.team_id},
               {"topic", options.topic},
               {"connections", front_->connections()}})  // so far
      .dump();
}

Reply Apns::Handle(const Call&) {
  Reply reply;
  reply.status = 404;
  reply.body = R"({"error":"APNs answers over HTTP/2 on its own port; see /sandbox/credentials/apns"})";
  return reply;
}

Reply Apns::Error(int status, const std::string& reason, const std::string& apns_id) {
  tally_.Error(reason);
  Reply out;
  out.status = status;
  out.headers = {{"apns-id", apns_id}};
  json body = {{"reason", reason}};
  if (status == 410) body["timestamp"] = around_.Now() - 1000;
  out.body = body.dump();
  return out;
}

// The reason to refuse the provider token, or empty.
std::string Apns::CheckToken(const Call& call, uint64_t connection, int* status) {
  *status = 403;
  const std::string_view header = call.Header("authorization");
  if (header.size() < 8 || (!header.starts_with("bearer ") && !header.starts_with("Bearer "))) {
    return "MissingProviderToken";
  }
  const std::string token(header.substr(7));
  const size_t first = token.find('.');
  const size_t second = token.rfind('.');
  if (first == std::string::npos || second == first) return "InvalidProviderToken";
  const auto head_text = Base64UrlBytes(token.substr(0, first));
  const auto claims_text = Base64UrlBytes(token.substr(first + 1, second - first - 1));
  const auto signature = Base64UrlBytes(token.substr(second + 1));
  if (!head_text || !claims_text || !signature) return "InvalidProviderToken";
  const json head = json::parse(*head_text, nullptr, false);
  const json claims = json::parse(*claims_text, nullptr, false);
  if (!head.is_object() || !claims.is_object() || Text(head, "alg") != "ES256") return "InvalidProviderToken";
  const auto issued = claims.find("iat");
  if (issued == claims.end() || !issued->is_number_integer()) return "InvalidProviderToken";
  const Options::ApnsSim& options = around_.options.apns;
  if (Text(head, "kid") != options.key_id || Text(claims, "iss") != options.team_id ||
      !VerifyEs256(key_.Point(), token.substr(0, second), *signature)) {
    return "InvalidProviderToken";
  }
  const int64_t now = around_.Now();
  if (issued->get<int64_t>() * 1000 + kTokenLifeMs < now) return "ExpiredProviderToken";
  const std::lock_guard lock(mutex_);
  const auto [pinned, added] = pinned_.emplace(connection, Text(head, "kid"));
  if (!added && pinned->second != Text(head, "kid")) return "UnrelatedKeyIdInToken";
  if (token != last_token_) {
    const bool soon = !last_token_.empty() && now - last_token_ms_ < options.token_updates_ms;
    if (soon) {
      *status = 429;
      return "TooManyProviderTokenUpdates";
    }
    last_token_ = token;
    last_token_ms_ = now;
  }
  return {};
}

// The reason to refuse the other headers, or empty.
std::string Apns::CheckHeaders(const Call& call, int* status) const {
  *status = 400;
  for (const std::string_view name : kOnce) {
    if (std::count_if(call.headers.begin(), call.headers.end(), [&](const auto& h) { return h.first == name; }) > 1) {
      return "DuplicateHeaders";
    }
  }
  const std::string_view topic = call.Header("apns-topic");
  if (topic.empty()) return "MissingTopic";
  if (topic != around_.options.apns.topic) return "TopicDisallowed";
  if (std::find(kPushTypes.begin(), kPushTypes.end(), call.Header("apns-push-type")) == kPushTypes.end()) {
    return "InvalidPushType";
  }
  const std::string_view priority = call.Header("apns-priority");
  if (!priority.empty() && priority != "10" && priority != "5" && priority != "1") return "BadPriority";
  const std::string_view expiration = call.Header("apns-expiration");
  if (expiration.size() > 11 || expiration.find_first_not_of("0123456789") != std::string_view::npos) {
    return "BadExpirationDate";
  }
  if (call.Header("apns-collapse-id").size() > kMaxCollapse) return "BadCollapseId";
  const std::string_view id = call.Header("apns-id");
  if (!id.empty() && !CanonicalUuid(id)) return "BadMessageId";
  return {};
}

Reply Apns::Push(const Call& call, uint64_t connection) {
  tally_.Request();
  std::string apns_id(call.Header("apns-id"));
  if (!CanonicalUuid(apns_id)) apns_id = RandomUuid();
  static constexpr std::string_view kPath = "/3/device/";
  if (!call.path.starts_with(kPath) || call.path.find('/', kPath.size()) != std::string::npos) {
    return Error(404, "BadPath", apns_id);
  }
  if (call.method != "POST") return Error(405, "MethodNotAllowed", apns_id);
  int status = 0;
  if (const std::string reason = CheckToken(call, connection, &status); !reason.empty()) {
    return Error(status, reason, apns_id);
  }
  if (const std::string reason = CheckHeaders(call, &status); !reason.empty()) return Error(status, reason, apns_id);
  const std::string device = call.path.substr(kPath.size());
  if (device.empty()) return Error(400, "MissingDeviceToken", apns_id);
  if (!IsHex(device) || device.size() % 2 != 0 || device.size() < kMinToken || device.size() > kMaxToken) {
    return Error(400, "BadDeviceToken", apns_id);
  }
  if (call.body.empty()) return Error(400, "PayloadEmpty", apns_id);
  if (call.body.size() > kMaxPayload) return Error(413, "PayloadTooLarge", apns_id);
  const json body = json::parse(call.body, nullptr, false);
  const auto aps = body.is_object() ? body.find("aps") : body.end();
  if (!body.is_object() || aps == body.end() || !aps->is_object() || aps->empty()) {
    return Error(400, "PayloadEmpty", apns_id);
  }

  Entry entry;
  entry.at_ms = around_.Now();
  entry.provider = name();
  entry.message_id = Text(body, "notification_id");
  entry.attempt_id = Text(body, "attempt_id");
  entry.key = apns_id;
  entry.provider_id = apns_id;
  entry.recipient_sha256 = ContactHash(device);
  entry.content = body;
  const std::string tries = entry.attempt_id.empty() ? apns_id : entry.attempt_id;
  int nth = 0;
  Reply reply;
  const Verdict verdict = around_.faults.Decide(name(), device, tries, tries, &nth);
  if (around_.options.magic) {
    // One GOAWAY or refused stream for each message; the same apns-id again is taken.
    const bool goaway = device.starts_with(kGoawayToken);
    if (goaway || device.starts_with(kRefusedToken)) {
      const std::lock_guard lock(mutex_);
      if (seen_.insert("refused|" + apns_id).second) {
        reply.refuse = goaway ? Reply::kGoaway : Reply::kStream;
        return reply;
      }
    }
  }
  switch (verdict) {
    case Verdict::kThrottle:
      return Error(429, "TooManyRequests", apns_id);
    case Verdict::kContactRefused:
      return Error(400, "BadDeviceToken", apns_id);
    case Verdict::kServerError:
      return nth % 2 == 1 ? Error(500, "InternalServerError", apns_id) : Error(503, "ServiceUnavailable", apns_id);
    case Verdict::kOutOfQuota:
      return Error(403, "Forbidden", apns_id);
    case Verdict::kTokenExpired:
      return Error(403, "ExpiredProviderToken", apns_id);
    case Verdict::kDropBefore:
      tally_.Dropped();
      reply.abort = true;
      return reply;
    default:
      break;
  }
  entry.fate = around_.faults.FateOf(device);
  // A device whose app is gone: APNs says so at once.
  if (entry.fate == Fate::kDead) return Error(410, "Unregistered", apns_id);
  {
    const std::lock_guard lock(mutex_);
    if (seen_.size() >= kMaxKept) seen_.clear();
    // APNs does not look for repeats: the second one is a second message.
    if (!seen_.insert(apns_id + '|' + entry.recipient_sha256).second) entry.duplicate_of = apns_id;
  }
  if (!around_.journal.Append(entry)) return Error(500, "InternalServerError", apns_id);
  tally_.Accepted();
  reply.headers = {{"apns-id", apns_id}};
  if (verdict == Verdict::kAcceptThenDrop) {
    tally_.Dropped();
    reply.abort = true;
  }
  if (verdict == Verdict::kAcceptSlow) reply.delay_ms = around_.options.slow_ms;
  if (verdict == Verdict::kAcceptMalformed) reply.garble = true;
  return reply;
}

void Apns::Restore(const Entry& entry) {
  around_.faults.Restore(name(), entry.recipient_sha256, entry.attempt_id.empty() ? entry.key : entry.attempt_id);
  const std::lock_guard lock(mutex_);
  seen_.insert(entry.key + '|' + entry.recipient_sha256);
}

void Apns::Reset() {
  const std::lock_guard lock(mutex_);
  seen_.clear();
  last_token_.clear();
  tally_.Reset();
}

}  // namespace sandbox
