#include "sandbox/getui.h"

#include <cstdlib>

#include "sandbox/crypto.h"

namespace sandbox {
namespace {

using nlohmann::json;

constexpr int64_t kDayMs = 86'400'000;
constexpr int64_t kClockMs = 600'000;
constexpr int64_t kMaxTtlMs = 259'200'000;
constexpr int64_t kAuthsPerMinute = 100;
// The documentation says that a repeated request_id loses the message and not for how long; this is our choice.
constexpr int64_t kRepeatMs = 600'000;

size_t Characters(const std::string& text) {
  const auto points = DecodeUtf8(text);
  return points ? points->size() : SIZE_MAX;
}

}  // namespace

std::string GetuiSign(const std::string& app_key, const std::string& timestamp, const std::string& master_secret) {
  return Sha256Hex(app_key + timestamp + master_secret);
}

Getui::Getui(Surroundings around) : PushSim(around, kRepeatMs) {}

Reply Getui::Code(int status, int code, const std::string& text) {
  tally_.Error(std::to_string(code));
  return JsonReply(status, {{"code", code}, {"msg", text}});
}

Reply Getui::Auth(const Call& call) {
  const Options::GetuiSim& own = around_.options.getui;
  const json body = json::parse(call.body, nullptr, false);
  if (!body.is_object()) return Code(200, 1, "failed");
  const std::string stamp = TextOf(body, "timestamp");
  const int64_t now = around_.Now();
  if (stamp.size() != 13 || stamp.find_first_not_of("0123456789") != std::string::npos ||
      std::llabs(std::strtoll(stamp.c_str(), nullptr, 10) - now) > kClockMs) {
    return Code(400, 20001, "timestamp is invalid");
  }
  if (TextOf(body, "appkey") != own.app_key) return Code(400, 20001, "appkey is invalid");
  if (!SameSecret(TextOf(body, "sign"), GetuiSign(own.app_key, stamp, own.master_secret))) {
    return Code(400, 20001, "sign is invalid");
  }
  const std::lock_guard lock(mutex_);
  if (minute_ != now / 60'000) {
    minute_ = now / 60'000;
    auths_ = 0;
  }
  if (++auths_ > kAuthsPerMinute) return Code(401, 10003, "auth too often");
  const std::string token = RandomHex(64);
  tokens_[token] = now + kDayMs;
  return JsonReply(
      200,
      {{"code", 0}, {"msg", "success"}, {"data", {{"expire_time", std::to_string(now + kDayMs)}, {"token", token}}}});
}

Reply Getui::Single(const Call& call) {
  tally_.Request();
  {
    const std::lock_guard lock(mutex_);
    const auto token = tokens_.find(std::string(call.Header("token")));
    if (token == tokens_.end() || around_.Now() >= token->second) return Code(401, 10001, "token is invalid");
  }
  const auto wrong = [&](const char* text) { return Code(400, 20001, text); };
  const json body = json::parse(call.body, nullptr, false);
  if (!body.is_object()) return Code(200, 1, "failed");
  if (!StrangeKey(body, {"request_id", "group_name", "audience", "settings", "push_message", "push_channel"}).empty()) {
    return wrong("unknown parameter");
  }
  Push push;
  push.key = TextOf(body, "request_id");
  if (push.key.empty()) return wrong("request_id can not be empty");
  if (push.key.size() < 10 || push.key.size() > 32) return wrong("request_id size over limit");
  if (const auto settings = body.find("settings"); settings != body.end()) {
    const auto ttl = settings->is_object() ? settings->find("ttl") : settings->end();
    if (!settings->is_object()) return wrong("settings type error");
    if (ttl != settings->end() &&
        (!ttl->is_number_integer() || ttl->get<int64_t>() < -1 || ttl->get<int64_t>() > kMaxTtlMs)) {
      return wrong("ttl is invalid");
    }
  }
  const auto audience = body.find("audience");
  if (audience == body.end() || !audience->is_object() || !audience->contains("cid") ||
      !(*audience)["cid"].is_array() || (*audience)["cid"].size() != 1 || !(*audience)["cid"][0].is_string()) {
    return wrong("audience is invalid");
  }
  push.target = (*audience)["cid"][0].get<std::string>();
  const auto message = body.find("push_message");
  if (message == body.end() || !message->is_object()) return wrong("push_message cannot be null");
  if (message->size() != 1 ||
      (!message->contains("notification") && !message->contains("transmission") && !message->contains("revoke"))) {
    return wrong("please choose one of notification and transmission and revoke");
  }
  if (const auto shown = message->find("notification"); shown != message->end()) {
    const size_t title = Characters(TextOf(*shown, "title"));
    const size_t text = Characters(TextOf(*shown, "body"));
    if (title == 0 || text == 0) return wrong("title and body can not be empty");
    if (title > 50) return wrong("title size over limit");
    if (text > 256) return wrong("body size over limit");
    const std::string click = TextOf(*shown, "click_type");
    if (click != "intent" && click != "url" && click != "payload" && click != "payload_custom" && click != "startapp" &&
        click != "none") {
      return wrong("click_type is invalid");
    }
    const std::string payload = TextOf(*shown, "payload");
    if (click == "payload" && payload.empty()) return wrong("payload can not be empty");
    if (Characters(payload) > 3072) return wrong("payload size over limit");
    push.data = json::parse(payload, nullptr, false);
    if (!push.data.is_object()) push.data = json::object();
  }
  if (const auto channel = body.find("push_channel"); channel != body.end()) {
    if (!channel->is_object() || !StrangeKey(*channel, {"android", "ios", "harmony"}).empty()) {
      return wrong("push_channel is invalid");
    }
    if (channel->contains("ios") && TextOf((*channel)["ios"], "type") != "notify") return wrong("ios.type is invalid");
  }
  if (!Spelled(push.target, "", 4, 64)) return wrong("target user is invalid");
  push.shown = {{"push_message", *message}, {"push_channel", body.value("push_channel", json::object())}};
  if (around_.faults.FateOf(push.target) == Fate::kDead) {  // not used for 90 days
    return JsonReply(
        200, {{"code", 0}, {"msg", ""}, {"data", {{"RASS_sandbox_" + push.key, {{push.target, "successed_ignore"}}}}}});
  }
  return Take(push);
}

Reply Getui::Refuse(const Push&, Verdict verdict, int nth) {
  switch (verdict) {
    case Verdict::kThrottle:
      return Code(401, 10005, "call too often");
    case Verdict::kContactRefused:
      return Code(400, 20001, "target user is invalid");
    case Verdict::kOutOfQuota:
      return Code(403, 30009, "push total over limit");
    case Verdict::kTokenExpired:
      return Code(401, 10001, "token is invalid");
    default:
      return nth == 2 ? Code(403, 30019, "system busy") : Code(200, 2, "service starting");
  }
}

Reply Getui::Answer(const Push& push, const std::string& id) {
  return JsonReply(200,
                   {{"code", 0}, {"msg", ""}, {"data", {{"RASS_sandbox_" + id, {{push.target, "successed_online"}}}}}});
}

Reply Getui::Repeat(const Push& push, const std::string& first_id) {
  if (around_.options.getui.repeat_is_error) return Code(400, 20001, "request_id cannot be repeat.");
  return Answer(push, first_id);
}

Reply Getui::Handle(const Call& call) {
  const std::string app = (call.path.starts_with("/v2/") ? "/v2/" : "/") + around_.options.getui.app_id;
  if (call.path == app + "/auth" && call.method == "POST") return Auth(call);
  if (call.path == app + "/push/single/cid" && call.method == "POST") return Single(call);
  tally_.Request();
  return Code(404, 404, "url error");
}

}  // namespace sandbox
