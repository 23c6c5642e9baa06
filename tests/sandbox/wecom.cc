#include "sandbox/wecom.h"

#include <algorithm>
#include <array>

#include "sandbox/crypto.h"

namespace sandbox {
namespace {

using nlohmann::json;

constexpr size_t kMaxText = 2048;
constexpr int64_t kMaxInterval = 14400;

std::string Text(const json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

int64_t Number(const json& object, const char* key, int64_t fallback) {
  const auto at = object.find(key);
  return at != object.end() && at->is_number_integer() ? at->get<int64_t>() : fallback;
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

Reply Json(const json& body) {
  Reply out;
  out.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
  return out;
}

}  // namespace

Wecom::Wecom(Surroundings around) : around_(around), tokens_(around.options.token_ttl_s * 1000) {}

Reply Wecom::Error(int64_t code, const std::string& text, const std::string& invalid) {
  tally_.Error(std::to_string(code));
  json body = {{"errcode", code}, {"errmsg", text + ", hint: [" + RandomHex(16) + "]"}};
  if (!invalid.empty()) body["invaliduser"] = invalid;
  return Json(body);
}

Reply Wecom::Token(const Call& call) {
  const auto query = ParseQuery(call.query);
  if (call.method != "GET" || !query) return Error(43001, "require GET method");
  const std::string* const corp = Find(*query, "corpid");
  const std::string* const secret = Find(*query, "corpsecret");
  if (corp == nullptr || corp->empty()) return Error(41002, "corpid missing");
  if (secret == nullptr || secret->empty()) return Error(41004, "corpsecret missing");
  if (!SameSecret(*corp, around_.options.wecom.corp_id)) return Error(40013, "invalid corpid");
  if (!SameSecret(*secret, around_.options.wecom.secret)) return Error(40001, "invalid credential");
  const std::lock_guard lock(mutex_);
  const auto grant = tokens_.Stable(around_.Now());
  return Json({{"errcode", 0}, {"errmsg", "ok"}, {"access_token", grant.token}, {"expires_in", grant.expires_in_s}});
}

Reply Wecom::Send(const Call& call) {
  if (call.method != "POST") return Error(43002, "require POST method");
  const auto query = ParseQuery(call.query);
  const std::string* const token = query ? Find(*query, "access_token") : nullptr;
  if (token == nullptr || token->empty()) return Error(41001, "access_token missing");
  const int64_t now = around_.Now();
  {
    const std::lock_guard lock(mutex_);
    const auto state = tokens_.Check(*token, now);
    if (state == WechatTokens::State::kExpired) return Error(42001, "access_token expired");
    if (state == WechatTokens::State::kUnknown) return Error(40014, "invalid access_token");
  }
  const json body = json::parse(call.body, nullptr, false);
  if (!body.is_object()) return Error(47001, "data format error");
  const std::string user = Text(body, "touser");
  if (user.empty()) return Error(40031, "invalid UserID list");
  if (user.find('|') != std::string::npos || user == "@all") return Error(40031, "a test must not tell others");
  if (Number(body, "agentid", -1) != around_.options.wecom.agent_id) return Error(40056, "invalid agentid");
  if (Text(body, "msgtype") != "text") return Error(40008, "invalid message type");
  const auto text_object = body.find("text");
  const std::string text =
      text_object != body.end() && text_object->is_object() ? Text(*text_object, "content") : std::string();
  if (text.empty()) return Error(44004, "empty content");
  // The real one cuts; nothing that we send may need that.
  if (text.size() > kMaxText) return Error(45002, "content size out of limit");
  const int64_t safe = Number(body, "safe", 0);
  const int64_t check = Number(body, "enable_duplicate_check", 0);
  const int64_t interval = Number(body, "duplicate_check_interval", 1800);
  if ((safe != 0 && safe != 1) || (check != 0 && check != 1) || interval < 1 || interval > kMaxInterval) {
    return Error(40058, "invalid Request Parameter");
  }

  const std::string hash = ContactHash(Lower(user));
  const std::string repeat = hash + '|' + Sha256Hex(text);
  Reply reply;
  std::string msgid;
  {
    const std::lock_guard lock(mutex_);
    Recent& recent = repeats_.try_emplace(interval, interval * 1000).first->second;
    if (check == 1) {
      if (const std::string* first = recent.Find(repeat, now)) {
        tally_.Suppressed();
        return Json({{"errcode", 0}, {"errmsg", "ok"}, {"invaliduser", ""}, {"msgid", *first}});
      }
    }
    int nth = 0;
    switch (around_.faults.Decide("wecom", user, {}, user + text, &nth)) {
      case Verdict::kThrottle:
        return Error(45033, "api concurrent out of limit");
      case Verdict::kContactRefused:
        return Error(81013, "user & party & tag all invalid", Lower(user));
      case Verdict::kServerError:
        return Error(-1, "system error");
      case Verdict::kTokenExpired:
        return Error(42001, "access_token expired");
      case Verdict::kOutOfQuota:
        return Error(45009, "reach max api quota limit");
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
    msgid = "wecom-" + std::to_string(ids_.Next());
    Entry entry;
    entry.at_ms = now;
    entry.provider = "wecom";
    entry.provider_id = msgid;
    entry.recipient_sha256 = hash;
    entry.fate = Fate::kSilent;
    entry.content = {{"text", text}, {"safe", safe}};
    if (!around_.journal.Append(entry)) return Error(-1, "system error");
    if (check == 1) recent.Put(repeat, msgid, now);
  }
  tally_.Accepted();
  if (reply.abort) tally_.Dropped();
  reply.body = Json({{"errcode", 0},
                     {"errmsg", "ok"},
                     {"invaliduser", ""},
                     {"invalidparty", ""},
                     {"invalidtag", ""},
                     {"msgid", msgid},
                     {"response_code", ""}})
                   .body;
  return reply;
}

Reply Wecom::Handle(const Call& call) {
  tally_.Request();
  if (call.path == "/cgi-bin/gettoken") return Token(call);
  if (call.path == "/cgi-bin/message/send") return Send(call);
  Reply out = Error(40066, "invalid url");
  out.status = 404;
  return out;
}

void Wecom::Restore(const Entry& entry) {
  const size_t dash = entry.provider_id.rfind('-');
  if (dash != std::string::npos) ids_.Skip(entry.provider_id.substr(dash + 1));
}

void Wecom::Reset() {
  const std::lock_guard lock(mutex_);
  repeats_.clear();
  tally_.Reset();
}

}  // namespace sandbox
