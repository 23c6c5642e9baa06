#include "sandbox/jpush.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>

#include "sandbox/crypto.h"

namespace sandbox {
namespace {

using nlohmann::json;

constexpr int64_t kCidWindowMs = 86'400'000;
constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kUnlimitedQuota = 1'000'000;
constexpr size_t kMaxTargets = 1000;
constexpr size_t kMaxKept = 2'000'000;
constexpr int64_t kMaxTtlS = 864'000;
constexpr size_t kMaxAndroidBytes = 4000;
constexpr size_t kMaxIosBytes = 2000;

std::string Dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string IdText(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_number_integer() ? value.dump() : std::string();
}

bool RegistrationId(const std::string& id) {
  if (id.empty() || id.size() > 64) return false;
  return std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  });
}

// The first key that is not of the list, or empty.
std::string UnknownKey(const json& object, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) return key;
  }
  return {};
}

}  // namespace

std::string BasicAuthorization(std::string_view user, std::string_view password) {
  return "Basic " + Base64(std::string(user) + ':' + std::string(password));
}

Jpush::Jpush(Surroundings around)
    : around_(around),
      authorization_(BasicAuthorization(around.options.jpush_app_key, around.options.jpush_master_secret)),
      recent_(kCidWindowMs) {}

bool Jpush::Owns(const std::string& path) const { return path.starts_with("/v3/"); }

Reply Jpush::Error(int status, int code, const std::string& message) {
  tally_.Error(std::to_string(code));
  Reply out;
  out.status = status;
  out.body = Dump({{"error", {{"code", code}, {"message", message}}}});
  return out;
}

std::optional<Reply> Jpush::Quota(Pairs* headers) {
  const int64_t limit = around_.options.jpush_quota_per_min;
  const int64_t now = around_.Now();
  const std::lock_guard lock(mutex_);
  if (now - window_start_ms_ >= kMinuteMs || now < window_start_ms_) {
    window_start_ms_ = now;
    window_used_ = 0;
  }
  const int64_t quota = limit > 0 ? limit : kUnlimitedQuota;
  const bool over = limit > 0 && window_used_ >= limit;
  if (!over) ++window_used_;
  const int64_t reset_s = (window_start_ms_ + kMinuteMs - now + 999) / 1000;
  headers->emplace_back("X-Rate-Limit-Quota", std::to_string(quota));
  headers->emplace_back("X-Rate-Limit-Limit", std::to_string(quota));
  headers->emplace_back("X-Rate-Limit-Remaining", std::to_string(std::max<int64_t>(0, quota - window_used_)));
  headers->emplace_back("X-Rate-Limit-Reset", std::to_string(reset_s));
  if (over) return Error(429, 2002, "Rate limit exceeded");
  return std::nullopt;
}

bool Jpush::ValidCid(const std::string& cid) const {
  const std::string prefix = around_.options.jpush_app_key + '-';
  static constexpr std::string_view kUuid = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  if (cid.size() != prefix.size() + kUuid.size() || !cid.starts_with(prefix)) return false;
  for (size_t i = 0; i < kUuid.size(); ++i) {
    const char c = cid[prefix.size() + i];
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (kUuid[i] == 'x' ? !hex : c != '-') return false;
  }
  return true;
}

std::optional<Reply> Jpush::ReadPlatform(const json& body, Draft* draft) {
  const auto platform = body.find("platform");
  if (platform == body.end()) return Error(400, 1002, "Missing parameter: platform");
  if (platform->is_string() && *platform == "all") {
    draft->android = draft->ios = true;
    return std::nullopt;
  }
  if (!platform->is_array() || platform->empty()) return Error(400, 1003, "Invalid platform");
  for (const json& one : *platform) {
    if (one == "android") {
      draft->android = true;
    } else if (one == "ios") {
      draft->ios = true;
    } else if (one != "winphone" && one != "quickapp" && one != "hmos") {
      return Error(400, 1003, "Invalid platform");
    }
  }
  return std::nullopt;
}

std::optional<Reply> Jpush::ReadAudience(const json& body, Draft* draft) {
  const auto audience = body.find("audience");
  if (audience == body.end()) return Error(400, 1002, "Missing parameter: audience");
  if (audience->is_string() && *audience == "all") return Error(400, 1011, "cannot find user by this audience");
  if (!audience->is_object() || audience->empty()) return Error(400, 1003, "Invalid audience");
  if (!UnknownKey(*audience, {"tag", "tag_and", "tag_not", "alias", "registration_id", "segment", "abtest"}).empty()) {
    return Error(400, 1003, "Invalid audience");
  }
  const auto ids = audience->find("registration_id");
  // Only devices named by registration id are known here.
  if (ids == audience->end()) return Error(400, 1011, "cannot find user by this audience");
  if (!ids->is_array() || ids->empty() || ids->size() > kMaxTargets) {
    return Error(400, 1003, "registration_id must be an array of 1 to 1000 strings");
  }
  for (const json& id : *ids) {
    if (!id.is_string() || !RegistrationId(id.get<std::string>())) {
      return Error(400, 1003, "The registration_id is invalid");
    }
    draft->targets.push_back(id.get<std::string>());
  }
  return std::nullopt;
}

void Jpush::ReadExtras(const json& holder, Draft* draft) {
  const auto extras = holder.find("extras");
  if (extras == holder.end() || !extras->is_object()) return;
  if (const auto id = extras->find("notification_id"); id != extras->end() && draft->notification_id.empty()) {
    draft->notification_id = IdText(*id);
  }
  if (const auto id = extras->find("attempt_id"); id != extras->end() && draft->attempt_id.empty()) {
    draft->attempt_id = IdText(*id);
  }
}

std::optional<Reply> Jpush::ReadContent(const json& body, Draft* draft) {
  const auto notification = body.find("notification");
  const auto message = body.find("message");
  if (notification == body.end() && message == body.end()) {
    return Error(400, 1002, "Missing parameter: notification or message");
  }
  size_t android_bytes = 0;
  draft->shown = json::object();
  if (notification != body.end()) {
    if (!notification->is_object() || notification->empty()) return Error(400, 1003, "Invalid notification");
    if (!UnknownKey(*notification, {"alert", "android", "ios", "winphone", "quickapp", "hmos", "voip"}).empty()) {
      return Error(400, 1009, "notification has an unsupported key");
    }
    const bool common = notification->contains("alert");
    for (const char* name : {"android", "ios"}) {
      const auto part = notification->find(name);
      if (part == notification->end()) continue;
      if (!part->is_object()) return Error(400, 1003, std::string("Invalid notification.") + name);
      const bool android = std::string_view(name) == "android";
      const std::string unknown =
          android
              ? UnknownKey(*part,
                           {"alert",        "title",        "builder_id",         "channel_id",      "priority",
                            "category",     "style",        "alert_type",         "big_text",        "inbox",
                            "big_pic_path", "extras",       "large_icon",         "small_icon_uri",  "icon_bg_color",
                            "intent",       "uri_activity", "uri_action",         "badge_add_num",   "badge_set_num",
                            "badge_class",  "sound",        "display_foreground", "show_begin_time", "show_end_time"})
              : UnknownKey(*part, {"alert", "sound", "badge", "content-available", "mutable-content", "category",
                                   "extras", "thread-id", "interruption-level"});
      if (!unknown.empty()) return Error(400, 1009, std::string("notification.") + name + " has an unsupported key");
      const auto alert = part->find("alert");
      const bool spoken = alert != part->end() && (alert->is_string() || (!android && alert->is_object()));
      if (!spoken && !(alert == part->end() && common)) {
        return Error(400, alert == part->end() ? 1002 : 1003, std::string("notification.") + name + ".alert");
      }
      if (const auto extras = part->find("extras"); extras != part->end() && !extras->is_object()) {
        return Error(400, 1003, std::string("notification.") + name + ".extras must be an object");
      }
      const size_t bytes = Dump(*part).size();
      if (android) android_bytes += bytes;
      if (!android && bytes > kMaxIosBytes) return Error(400, 1005, "The iOS notification is larger than 2000 bytes");
      ReadExtras(*part, draft);
    }
    draft->shown["notification"] = *notification;
  }
  if (message != body.end()) {
    if (!message->is_object() || !message->contains("msg_content")) {
      return Error(400, 1002, "Missing parameter: message.msg_content");
    }
    android_bytes += Dump(*message).size();
    ReadExtras(*message, draft);
    draft->shown["message"] = *message;
  }
  if (android_bytes > kMaxAndroidBytes) return Error(400, 1005, "The Android content is larger than 4000 bytes");
  return std::nullopt;
}

std::optional<Reply> Jpush::ReadOptions(const json& body, Draft* draft) {
  const auto options = body.find("options");
  if (options == body.end()) return std::nullopt;
  if (!options->is_object()) return Error(400, 1003, "Invalid options");
  if (const auto sendno = options->find("sendno"); sendno != options->end()) {
    if (!sendno->is_number_integer()) return Error(400, 1003, "Invalid options.sendno");
    const auto value = sendno->get<int64_t>();
    if (value < INT32_MIN || value > INT32_MAX) return Error(400, 1003, "Invalid options.sendno");
    draft->sendno = value;
  }
  if (const auto ttl = options->find("time_to_live"); ttl != options->end()) {
    if (!ttl->is_number_integer() || ttl->get<int64_t>() < 0 || ttl->get<int64_t>() > kMaxTtlS) {
      return Error(400, 1003, "options.time_to_live must be 0 to 864000 seconds");
    }
  }
  if (const auto production = options->find("apns_production");
      production != options->end() && !production->is_boolean()) {
    return Error(400, 1003, "Invalid options.apns_production");
  }
  return std::nullopt;
}

std::optional<Reply> Jpush::ReadDraft(const json& body, Draft* draft) {
  if (!body.is_object()) return Error(400, 1003, "The body is not a JSON object");
  if (const std::string unknown = UnknownKey(body, {"cid", "platform", "audience", "notification", "message", "options",
                                                    "sms_message", "callback", "notification_3rd"});
      !unknown.empty()) {
    return Error(400, 1003, "Unknown parameter");
  }
  if (auto refused = ReadPlatform(body, draft)) return refused;
  if (auto refused = ReadAudience(body, draft)) return refused;
  if (auto refused = ReadContent(body, draft)) return refused;
  if (auto refused = ReadOptions(body, draft)) return refused;
  if (const auto cid = body.find("cid"); cid != body.end()) {
    if (!cid->is_string() || !ValidCid(cid->get<std::string>())) return Error(400, 1003, "Invalid cid");
    draft->cid = cid->get<std::string>();
  }
  return std::nullopt;
}

Reply Jpush::Accepted(const Draft& draft, const std::string& msg_id) const {
  Reply out;
  out.body = Dump({{"sendno", std::to_string(draft.sendno)}, {"msg_id", msg_id}});
  return out;
}

Reply Jpush::Push(const Call& call) {
  Pairs headers;
  if (auto refused = Quota(&headers)) {
    refused->headers = std::move(headers);
    return *refused;
  }
  const auto answer = [&](Reply reply) {
    reply.headers = headers;
    return reply;
  };
  Draft draft;
  if (auto refused = ReadDraft(json::parse(call.body, nullptr, false), &draft)) return answer(std::move(*refused));

  const int64_t now = around_.Now();
  std::string joined;
  std::string unlucky = draft.targets.front();
  int64_t delivered = 0;
  auto fate = Fate::kSilent;
  for (const std::string& target : draft.targets) {
    if (!joined.empty()) joined += ',';
    joined += target;
    if (around_.options.magic && MagicOf(target) != 0) unlucky = target;
    const Fate one = around_.faults.FateOf(target);
    if (one == Fate::kDelivered) ++delivered;
    if (one == Fate::kFailed && fate == Fate::kSilent) fate = one;
  }
  if (delivered > 0) fate = Fate::kDelivered;

  Reply reply;
  const std::lock_guard lock(mutex_);
  if (!draft.cid.empty()) {
    if (const std::string* first = recent_.Find(draft.cid, now)) {
      tally_.Suppressed();
      const size_t at = first->find('|');
      draft.sendno = std::stoll(first->substr(0, at));
      return answer(Accepted(draft, first->substr(at + 1)));
    }
  }
  int nth = 0;
  const std::string& rate_key = draft.attempt_id.empty() ? draft.cid : draft.attempt_id;
  switch (around_.faults.Decide("jpush", unlucky, draft.attempt_id.empty() ? draft.cid : draft.attempt_id, rate_key,
                                &nth)) {
    case Verdict::kThrottle:
      return answer(Error(429, 2002, "Rate limit exceeded"));
    case Verdict::kContactRefused:
      return answer(Error(400, 1011, "cannot find user by this audience"));
    case Verdict::kServerError:
      return answer(nth == 2 ? Error(503, 1030, "Internal service timeout") : Error(500, 1000, "Internal error"));
    case Verdict::kTokenExpired:
      return answer(Error(401, 1004, "Authen failed"));
    case Verdict::kOutOfQuota:
      return answer(Error(403, 2003, "The app key is not allowed to call the API"));
    case Verdict::kDropBefore:
      tally_.Dropped();
      reply.abort = true;
      return reply;
    case Verdict::kAcceptSlow:
      reply.delay_ms = around_.options.slow_ms;
      break;
    case Verdict::kAcceptThenDrop:
      reply.abort = true;
      break;
    case Verdict::kAcceptMalformed:
      reply.garble = true;
      break;
    case Verdict::kAccept:
      break;
  }
  const std::string msg_id = std::to_string(ids_.Next());
  Entry entry;
  entry.at_ms = now;
  entry.provider = "jpush";
  entry.message_id = draft.notification_id;
  entry.attempt_id = draft.attempt_id;
  entry.key = draft.cid;
  entry.provider_id = msg_id;
  entry.recipient_sha256 = ContactHash(joined);
  entry.fate = fate;
  entry.content = draft.shown;
  entry.content["sendno"] = draft.sendno;
  entry.content["devices"] = draft.targets.size();
  if (!around_.journal.Append(entry)) return answer(Error(500, 1000, "Internal error"));
  if (!draft.cid.empty()) recent_.Put(draft.cid, std::to_string(draft.sendno) + '|' + msg_id, now);
  Keep(msg_id, {now, delivered, draft.android});
  tally_.Accepted();
  if (reply.abort) tally_.Dropped();
  reply.body = Accepted(draft, msg_id).body;
  return answer(std::move(reply));
}

Reply Jpush::Cids(const Call& call) {
  const auto query = ParseQuery(call.query);
  const std::string* count_text = query ? Find(*query, "count") : nullptr;
  const std::string* type = query ? Find(*query, "type") : nullptr;
  int64_t count = 1;
  if (count_text != nullptr) {
    const auto [end, error] = std::from_chars(count_text->data(), count_text->data() + count_text->size(), count);
    if (error != std::errc() || end != count_text->data() + count_text->size()) count = 0;
  }
  if (!query || count < 1 || count > 1000 || (type != nullptr && *type != "push" && *type != "schedule")) {
    return Error(400, 1003, "count must be 1 to 1000");
  }
  json list = json::array();
  for (int64_t i = 0; i < count; ++i) list.push_back(around_.options.jpush_app_key + '-' + RandomUuid());
  Reply out;
  out.body = Dump({{"cidlist", std::move(list)}});
  return out;
}

Reply Jpush::Received(const Call& call) {
  const auto query = ParseQuery(call.query);
  const std::string* ids = query ? Find(*query, "msg_ids") : nullptr;
  if (ids == nullptr || ids->empty()) return Error(400, 1002, "Missing parameter: msg_ids");
  if (std::count(ids->begin(), ids->end(), ',') >= 100) return Error(400, 1003, "At most 100 msg_ids");
  const int64_t now = around_.Now();
  json out = json::array();
  std::string_view rest = *ids;
  const std::lock_guard lock(mutex_);
  while (!rest.empty()) {
    const std::string id(rest.substr(0, rest.find(',')));
    rest.remove_prefix(std::min(rest.size(), id.size() + 1));
    if (id.empty() || !std::all_of(id.begin(), id.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      return Error(400, 1003, "A msg_id is not a number");
    }
    json one = {{"msg_id", id},
                {"jpush_received", nullptr},
                {"android_pns_sent", nullptr},
                {"ios_apns_sent", nullptr},
                {"ios_apns_received", nullptr},
                {"ios_msg_received", nullptr},
                {"wp_mpns_sent", nullptr}};
    const auto found = sent_.find(id);
    if (found != sent_.end() && now >= found->second.at_ms + around_.options.receipt_delay_ms &&
        found->second.delivered > 0) {
      if (found->second.android) {
        one["jpush_received"] = found->second.delivered;
      } else {
        one["ios_apns_sent"] = one["ios_apns_received"] = found->second.delivered;
      }
    }
    out.push_back(std::move(one));
  }
  Reply reply;
  reply.body = Dump(out);
  return reply;
}

Reply Jpush::Handle(const Call& call) {
  tally_.Request();
  if (!SameSecret(call.Header("authorization"), authorization_)) return Error(401, 1004, "Basic authentication failed");
  const bool get = call.method == "GET";
  if (call.path == "/v3/push/cid" && get) return Cids(call);
  if (call.path == "/v3/push") return call.method == "POST" ? Push(call) : Error(405, 1001, "Only POST is supported");
  if (call.path == "/v3/received/detail" && get) return Received(call);
  return Error(404, 1003, "No such resource");
}

void Jpush::Keep(const std::string& msg_id, const Sent& sent) {
  if (sent_.size() >= kMaxKept) sent_.clear();
  sent_[msg_id] = sent;
}

void Jpush::Restore(const Entry& entry) {
  ids_.Skip(entry.provider_id);
  around_.faults.Restore("jpush", entry.recipient_sha256, entry.attempt_id.empty() ? entry.key : entry.attempt_id);
  const std::lock_guard lock(mutex_);
  const auto number = [&](const char* key) -> int64_t {
    const auto at = entry.content.find(key);
    return at != entry.content.end() && at->is_number_integer() ? at->get<int64_t>() : 0;
  };
  const std::string sendno = std::to_string(number("sendno"));
  if (!entry.key.empty()) recent_.Put(entry.key, sendno + '|' + entry.provider_id, entry.at_ms);
  const auto notification = entry.content.find("notification");
  const bool android =
      notification == entry.content.end() || notification->contains("android") || !notification->contains("ios");
  Keep(entry.provider_id, {entry.at_ms, entry.fate == Fate::kDelivered ? number("devices") : 0, android});
}

void Jpush::Reset() {
  const std::lock_guard lock(mutex_);
  recent_.Clear();
  sent_.clear();
  window_used_ = 0;
  tally_.Reset();
}

}  // namespace sandbox
