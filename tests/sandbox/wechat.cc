#include "sandbox/wechat.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "sandbox/crypto.h"
#include "sandbox/wechat_fields.h"
#include "sandbox/wechat_push.h"

namespace sandbox {
namespace {

using nlohmann::json;

constexpr int64_t kOverlapMs = 300'000;
constexpr int64_t kDeduplicationMs = 600'000;
constexpr int64_t kDayMs = 86'400'000;
constexpr size_t kTokensKept = 64;
constexpr size_t kTokenLength = 136;
constexpr size_t kMaxClientMsgId = 256;
constexpr size_t kMaxFields = 40;

Reply Json(const json& body) {
  Reply out;
  out.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
  return out;
}

std::string Text(const json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

int64_t SteadyMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

bool WebAddress(const std::string& url) { return url.starts_with("https://") || url.starts_with("http://"); }

bool OpenId(const std::string& id) {
  if (id.size() < 6 || id.size() > 64 || id[0] != 'o') return false;
  return std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  });
}

}  // namespace

int64_t WechatTokens::Overlap() const { return std::min(kOverlapMs, ttl_ms_ / 4); }

WechatTokens::Grant WechatTokens::Issue(int64_t now_ms) {
  if (issued_.size() == kTokensKept) issued_.pop_front();
  issued_.push_back({RandomHex(kTokenLength), now_ms + ttl_ms_});
  return {issued_.back().token, ttl_ms_ / 1000};
}

WechatTokens::Grant WechatTokens::Stable(int64_t now_ms) {
  if (!issued_.empty() && issued_.back().until_ms - now_ms >= Overlap() && issued_.back().until_ms > now_ms) {
    return {issued_.back().token, (issued_.back().until_ms - now_ms) / 1000};
  }
  return Issue(now_ms);
}

WechatTokens::Grant WechatTokens::Next(int64_t now_ms) {
  for (size_t i = 0; i < issued_.size(); ++i) {
    const int64_t last = i + 1 == issued_.size() ? now_ms + Overlap() : now_ms;
    issued_[i].until_ms = std::min(issued_[i].until_ms, last);
  }
  return Issue(now_ms);
}

WechatTokens::Grant WechatTokens::Force(int64_t now_ms) {
  issued_.clear();
  return Issue(now_ms);
}

WechatTokens::State WechatTokens::Check(const std::string& token, int64_t now_ms) const {
  for (const Issued& issued : issued_) {
    if (issued.token == token) return now_ms < issued.until_ms ? State::kGood : State::kExpired;
  }
  return State::kUnknown;
}

Wechat::Wechat(Surroundings around)
    : Wechat(around, {"wechat", around.options.wechat_appid, around.options.wechat_secret, false},
             WechatCourier(around.options)) {}

WechatMini::WechatMini(Surroundings around)
    : Wechat(around, {"wechat_mini", around.options.wechat.mini_appid, around.options.wechat.mini_secret, true},
             WechatMiniCourier(around.options)) {}

Wechat::Wechat(Surroundings around, Identity id, Courier::Config push)
    : around_(around),
      id_(std::move(id)),
      push_(std::move(push)),
      stable_(around.options.token_ttl_s * 1000),
      classic_(around.options.token_ttl_s * 1000),
      recent_(kDeduplicationMs) {}

bool Wechat::Owns(const std::string& path) const { return path.starts_with("/cgi-bin/"); }

Reply Wechat::Error(int64_t code, const std::string& text) {
  tally_.Error(std::to_string(code));
  return Json(
      {{"errcode", code}, {"errmsg", text + " rid: " + RandomHex(8) + '-' + RandomHex(8) + '-' + RandomHex(8)}});
}

std::optional<Reply> Wechat::CheckApp(const std::string& grant_type, const std::string& appid,
                                      const std::string& secret) {
  if (grant_type != "client_credential") return Error(40002, "invalid grant_type");
  if (appid.empty()) return Error(41002, "appid missing");
  if (secret.empty()) return Error(41004, "appsecret missing");
  if (!SameSecret(appid, id_.appid)) return Error(40013, "invalid appid");
  if (!SameSecret(secret, id_.secret)) return Error(40125, "invalid appsecret");
  return std::nullopt;
}

Reply Wechat::StableToken(const Call& call) {
  if (call.method != "POST") return Error(43002, "require POST method");
  const json body = json::parse(call.body, nullptr, false);
  if (!body.is_object()) return Error(47001, "data format error");
  if (auto refused = CheckApp(Text(body, "grant_type"), Text(body, "appid"), Text(body, "secret"))) return *refused;
  const auto force = body.find("force_refresh");
  if (force != body.end() && !force->is_boolean()) return Error(47001, "data format error");
  const int64_t now = around_.Now();
  const std::lock_guard lock(mutex_);
  WechatTokens::Grant grant;
  if (force != body.end() && force->get<bool>()) {
    while (!forced_.empty() && forced_.front() <= now - kDayMs) forced_.pop_front();
    if (forced_.size() >= 20) return Error(45009, "reach max api daily quota limit");
    if (!forced_.empty() && now - forced_.back() < 30'000) {
      return Error(45011, "api minute-quota reach limit  mustslower  retry next minute");
    }
    forced_.push_back(now);
    grant = stable_.Force(now);
  } else {
    grant = stable_.Stable(now);
  }
  return Json({{"access_token", grant.token}, {"expires_in", grant.expires_in_s}});
}

Reply Wechat::ClassicToken(const Call& call) {
  const auto query = ParseQuery(call.query);
  if (call.method != "GET" || !query) return Error(43001, "require GET method");
  const auto value = [&](const char* key) {
    const std::string* found = Find(*query, key);
    return found ? *found : std::string();
  };
  if (auto refused = CheckApp(value("grant_type"), value("appid"), value("secret"))) return *refused;
  const std::lock_guard lock(mutex_);
  const auto grant = classic_.Next(around_.Now());
  return Json({{"access_token", grant.token}, {"expires_in", grant.expires_in_s}});
}

std::optional<Reply> Wechat::CheckToken(const Call& call) {
  const auto query = ParseQuery(call.query);
  const std::string* token = query ? Find(*query, "access_token") : nullptr;
  if (token == nullptr || token->empty()) return Error(41001, "access_token missing");
  const int64_t now = around_.Now();
  auto state = WechatTokens::State::kUnknown;
  {
    const std::lock_guard lock(mutex_);
    state = stable_.Check(*token, now);
    if (state == WechatTokens::State::kUnknown) state = classic_.Check(*token, now);
  }
  if (state == WechatTokens::State::kExpired) return Error(42001, "access_token expired");
  if (state == WechatTokens::State::kUnknown) {
    return Error(40001, "invalid credential, access_token is invalid or not latest");
  }
  return std::nullopt;
}

std::optional<Reply> Wechat::CheckFields(const json& data, json* shown) {
  if (!data.is_object() || data.empty() || data.size() > kMaxFields)
    return Error(47003, "argument invalid! data invalid");
  *shown = json::object();
  for (const auto& [key, field] : data.items()) {
    const auto value = field.is_object() ? field.find("value") : field.end();
    if (!field.is_object() || value == field.end() || !value->is_string()) {
      return Error(47003, "argument invalid! data." + key + ".value invalid");
    }
    const auto text = value->get<std::string>();
    const std::string fault = WechatFieldFault(key, text);
    if (!fault.empty()) {
      return Error(47003, "argument invalid! data." + key + (fault == "invalid" ? " " : ".") + fault);
    }
    if (WechatFieldShown(key)) (*shown)[key] = WechatShownValue(text);
  }
  return std::nullopt;
}

std::optional<Reply> Wechat::CheckSubscription(const json& body, Api api, const std::string& openid,
                                               const std::string& template_id) {
  const std::string page = Text(body, "page");
  if (api == Api::kMini) {
    if (WebAddress(page) || page.starts_with("/")) return Error(41030, "invalid page");
    static constexpr std::array kStates = {"developer", "trial", "formal"};
    static constexpr std::array kLangs = {"zh_CN", "en_US", "zh_HK", "zh_TW"};
    const auto one_of = [&](const char* key, const auto& allowed) {
      return !body.contains(key) || std::find(allowed.begin(), allowed.end(), Text(body, key)) != allowed.end();
    };
    if (!one_of("miniprogram_state", kStates)) return Error(47003, "argument invalid! miniprogram_state invalid");
    if (!one_of("lang", kLangs)) return Error(47003, "argument invalid! lang invalid");
  } else {
    if (!page.empty() && !WebAddress(page)) return Error(41030, "invalid page");
    const auto mini = body.find("miniprogram");
    if (mini != body.end() && (Text(*mini, "appid").empty() || Text(*mini, "pagepath").empty())) {
      return Error(40013, "invalid appid");
    }
  }
  const auto busy = busy_until_.find(openid);
  if (busy != busy_until_.end() && SteadyMs() < busy->second) {
    return Error(43108, "Cannot make concurrent calls to the same OpenID, please try again");
  }
  const auto granted = grants_.find(openid + '|' + template_id);
  if (around_.options.wechat.one_off && (granted == grants_.end() || granted->second == 0)) {
    return Error(43101, "user refuse to accept the msg");
  }
  return std::nullopt;
}

Reply Wechat::Act(const Call& call) {
  const json body = json::parse(call.body, nullptr, false);
  const std::string openid = Text(body.is_object() ? body : json::object(), "openid");
  Reply reply;
  if (call.method != "POST" || openid.empty()) {
    reply.status = 400;
    reply.body = R"({"error":"POST an object with openid"})";
    return reply;
  }
  const std::string template_id = Text(body, "template_id");
  const std::string key = openid + '|' + template_id;
  const WechatPush push(around_.options.wechat.json, openid, around_.Now());
  const std::string event = call.path == "/sandbox/grant" ? "accept" : Text(body, "event");
  const int64_t count = event == "accept" ? std::clamp<int64_t>(body.value("count", int64_t{1}), 1, 1000) : 1;
  std::string post;
  {
    const std::lock_guard lock(mutex_);
    if (event == "accept") grants_[key] += count;
    if (event == "change" || event == "reject") grants_.erase(key);
  }
  if (event == "accept" || event == "reject") {
    post = push.Popup({template_id}, event);
  } else if (event == "change") {
    post = push.Change({template_id});
  } else if (event == "follow" || event == "unfollow") {
    post = push.Follow(event == "follow");
  } else if (event == "text") {
    post = push.Text(ids_.Next(), Text(body, "text"));
  } else {
    reply.status = 400;
    reply.body = R"({"error":"unknown event"})";
    return reply;
  }
  for (int64_t i = 0; i < count && around_.courier != nullptr; ++i) around_.courier->Add(post);
  reply.body = R"({"status":"done"})";
  return reply;
}

Reply Wechat::Send(const Call& call, Api api) {
  if (call.method != "POST") return Error(43002, "require POST method");
  if (auto refused = CheckToken(call)) return *refused;
  if (call.body.empty()) return Error(44002, "empty post data");
  if (HasEscapedNonAscii(call.body)) return Error(40033, "invalid charset. please check your request");
  const json body = json::parse(call.body, nullptr, false);
  if (!body.is_object()) return Error(47001, "data format error");

  const std::string openid = Text(body, "touser");
  if (!OpenId(openid)) return Error(40003, "invalid openid");
  const std::string template_id = Text(body, "template_id");
  const auto& known = around_.options.wechat_templates;
  if (template_id.empty() || template_id.size() > 128 ||
      (!known.empty() && std::find(known.begin(), known.end(), template_id) == known.end())) {
    return Error(40037, "invalid template_id");
  }
  // Only template messages have an idempotency key.
  const auto id_field = api == Api::kTemplate ? body.find("client_msg_id") : body.end();
  const std::string client_msg_id = api == Api::kTemplate ? Text(body, "client_msg_id") : std::string();
  if ((id_field != body.end() && !id_field->is_string()) || client_msg_id.size() > kMaxClientMsgId) {
    return Error(47003, "argument invalid! client_msg_id invalid");
  }
  json shown;
  const auto data = body.find("data");
  if (auto refused = CheckFields(data == body.end() ? json() : *data, &shown)) return *refused;

  const std::string hash = ContactHash(openid);
  const std::string key = hash + '|' + client_msg_id;
  const int64_t now = around_.Now();
  Reply reply;
  int64_t msgid = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!client_msg_id.empty()) {
      if (const std::string* first = recent_.Find(key, now)) {
        tally_.Suppressed();
        return Json({{"errcode", 0}, {"errmsg", "ok"}, {"msgid", std::stoll(*first)}});
      }
    }
    if (api != Api::kTemplate) {
      if (auto refused = CheckSubscription(body, api, openid, template_id)) return *refused;
    }
    int nth = 0;
    switch (around_.faults.Decide(id_.name, openid, client_msg_id, client_msg_id, &nth)) {
      case Verdict::kThrottle:
        return Error(45011, "api minute-quota reach limit  mustslower  retry next minute");
      case Verdict::kContactRefused:
        return Error(40003, "invalid openid");
      case Verdict::kServerError:
        return Error(-1, "system error");
      case Verdict::kTokenExpired:
        return Error(42001, "access_token expired");
      case Verdict::kOutOfQuota:
        return Error(45009, "reach max api daily quota limit");
      case Verdict::kDropBefore:
        tally_.Dropped();
        reply.abort = true;
        return reply;
      case Verdict::kAcceptSlow:
        reply.delay_ms = around_.options.slow_ms;
        busy_until_[openid] = SteadyMs() + reply.delay_ms;
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
    msgid = ids_.Next();
    Entry entry;
    entry.at_ms = now;
    entry.provider = id_.name;
    entry.message_id = entry.attempt_id = entry.key = client_msg_id;
    entry.provider_id = std::to_string(msgid);
    entry.recipient_sha256 = hash;
    entry.fate = around_.faults.FateOf(openid);
    entry.content = {{"template_id", template_id}, {"fields", std::move(shown)}};
    if (api != Api::kTemplate) entry.content["kind"] = "subscription";
    for (const char* link : {"url", "miniprogram", "page", "miniprogram_state", "lang"}) {
      if (body.contains(link)) entry.content[link] = body[link];
    }
    if (!around_.journal.Append(entry)) return Error(-1, "system error");
    if (!client_msg_id.empty()) recent_.Put(key, entry.provider_id, now);
    if (api != Api::kTemplate && around_.options.wechat.one_off) --grants_[openid + '|' + template_id];
  }
  tally_.Accepted();
  if (reply.abort) tally_.Dropped();
  const Fate fate = around_.faults.FateOf(openid);
  if (around_.courier != nullptr && fate != Fate::kSilent) {
    const WechatPush push(around_.options.wechat.json, openid, now);
    const std::string report =
        api == Api::kTemplate ? push.TemplateReceipt(msgid, fate) : push.SentReceipt(template_id, msgid, fate);
    if (fate == Fate::kReportFirst) {
      PostNow(push_, report);
    } else {
      around_.courier->Add(report);
    }
    if (fate == Fate::kDead) around_.courier->Add(push.Follow(false));
  }
  reply.body = Json({{"errcode", 0}, {"errmsg", "ok"}, {"msgid", msgid}}).body;
  return reply;
}

Reply Wechat::Handle(const Call& call) {
  if (call.path == "/sandbox/grant" || call.path == "/sandbox/event") return Act(call);
  tally_.Request();
  if (call.path == "/cgi-bin/stable_token") return StableToken(call);
  if (call.path == "/cgi-bin/token") return ClassicToken(call);
  if (id_.mini) {
    if (call.path == "/cgi-bin/message/template/send") return Error(45109, "api no longer supported");
    if (call.path == "/cgi-bin/message/subscribe/send") return Send(call, Api::kMini);
  } else {
    if (call.path == "/cgi-bin/message/template/send") return Send(call, Api::kTemplate);
    if (call.path == "/cgi-bin/message/subscribe/bizsend") return Send(call, Api::kService);
  }
  Reply out = Error(40066, "invalid url");
  out.status = 404;
  return out;
}

void Wechat::Restore(const Entry& entry) {
  ids_.Skip(entry.provider_id);
  around_.faults.Restore(id_.name, entry.recipient_sha256, entry.key);
  const std::lock_guard lock(mutex_);
  if (!entry.key.empty()) recent_.Put(entry.recipient_sha256 + '|' + entry.key, entry.provider_id, entry.at_ms);
}

void Wechat::Reset() {
  const std::lock_guard lock(mutex_);
  recent_.Clear();
  grants_.clear();
  busy_until_.clear();
  forced_.clear();
  tally_.Reset();
}

}  // namespace sandbox
