#include "wechat/wechat_wire.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace zhitui::wechat {
namespace {

using nlohmann::json;
using Ordered = nlohmann::ordered_json;

constexpr std::size_t kMaxToken = 2048;
constexpr std::size_t kMaxMsgId = 128;
constexpr std::int64_t kMaxLifetime = 7 * 86400;
constexpr std::string_view kCutMark = "…";

// The run of `allowed` characters after `mark` in `text`.
std::string After(std::string_view text, std::string_view mark, std::string_view allowed) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + mark.size());
  const std::size_t end = std::min(text.find_first_not_of(allowed), std::size_t{64});
  return std::string(text.substr(0, end));
}

Result<std::string> Dump(const Ordered& value) {
  try {
    return value.dump(-1, ' ', false, json::error_handler_t::strict);
  } catch (const json::exception&) {
    return Invalid("the message is not valid UTF-8");
  }
}

Ordered Data(const message::Content& content) {
  Ordered data = Ordered::object();
  for (const auto& [key, value] : content.fields) data[key] = {{"value", value}};
  return data;
}

// At most `max` bytes of text, whole code points, with a mark where something is missing.
std::string CutText(const std::string& text, std::size_t max) {
  if (text.size() <= max) return text;
  if (max < kCutMark.size()) return {};
  std::size_t n = max - kCutMark.size();
  while (n > 0 && (static_cast<unsigned char>(text[n]) & 0xC0U) == 0x80) --n;
  return text.substr(0, n) + std::string(kCutMark);
}

bool NotEmpty(const json& body, const char* key) {
  const auto list = body.find(key);
  return list != body.end() && list->is_string() && !list->get_ref<const std::string&>().empty();
}

}  // namespace

std::string StableTokenBody(const std::string& app_id, const std::string& secret) {
  const Ordered body = {
      {"grant_type", "client_credential"}, {"appid", app_id}, {"secret", secret}, {"force_refresh", false}};
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string WecomTokenTarget(const std::string& corp_id, const std::string& secret) {
  return "/cgi-bin/gettoken?corpid=" + delivery::PercentEncode(corp_id) +
         "&corpsecret=" + delivery::PercentEncode(secret);
}

bool IsWebLink(std::string_view url) { return url.starts_with("https://") || url.starts_with("http://"); }

Result<std::string> TemplateBody(const TemplateMessageOptions& options, const std::string& template_id,
                                 const delivery::SendRequest& request) {
  Ordered body = {{"touser", request.contact}, {"template_id", template_id}, {"client_msg_id", request.key.key}};
  const std::string& url = request.content.url;
  if (IsWebLink(url)) {
    body["url"] = url;
  } else if (!url.empty() && !options.miniprogram_app_id.empty()) {
    body["miniprogram"] = {{"appid", options.miniprogram_app_id}, {"pagepath", url}};
  }
  body["data"] = Data(request.content);
  return Dump(body);
}

Result<std::string> SubscriptionBody(const SubscriptionOptions& options, const std::string& template_id,
                                     const delivery::SendRequest& request) {
  Ordered body = {{"touser", request.contact}, {"template_id", template_id}};
  const std::string& url = request.content.url;
  if (IsWebLink(url)) {
    body["page"] = url;
  } else if (!url.empty() && !options.miniprogram_app_id.empty()) {
    body["miniprogram"] = {{"appid", options.miniprogram_app_id}, {"pagepath", url}};
  }
  body["data"] = Data(request.content);
  return Dump(body);
}

Result<std::string> MiniBody(const MiniOptions& options, const std::string& template_id,
                             const delivery::SendRequest& request) {
  Ordered body = {{"touser", request.contact}, {"template_id", template_id}};
  const std::string& url = request.content.url;
  const std::string& page = url.empty() || IsWebLink(url) ? options.page : url;
  if (!page.empty()) body["page"] = page;
  body["miniprogram_state"] = options.miniprogram_state;
  body["lang"] = !options.lang.empty() ? options.lang : request.content.locale == "en" ? "en_US" : "zh_CN";
  body["data"] = Data(request.content);
  return Dump(body);
}

std::string WecomText(const message::Content& content) {
  std::string tail = content.url;
  if (!tail.empty()) tail.insert(0, "\n");
  // A link that leaves no room for words is not shown.
  if (tail.size() > kWecomTextBytes / 2) tail.clear();
  return CutText(content.title + '\n' + content.body, kWecomTextBytes - tail.size()) + tail;
}

Result<std::string> WecomBody(const WecomOptions& options, const delivery::SendRequest& request) {
  Ordered body = {{"touser", request.contact},
                  {"msgtype", "text"},
                  {"agentid", options.agent_id},
                  {"text", {{"content", WecomText(request.content)}}},
                  {"safe", options.safe ? 1 : 0}};
  if (options.duplicate_check_s > 0) {
    body["enable_duplicate_check"] = 1;
    body["duplicate_check_interval"] = options.duplicate_check_s;
  }
  return Dump(body);
}

ApiAnswer ParseApiAnswer(std::string_view text) {
  ApiAnswer answer;
  const json body = json::parse(text, nullptr, false);
  if (!body.is_object()) return answer;
  const auto code = body.find("errcode");
  if (code != body.end() && !code->is_number_integer()) return answer;
  const std::int64_t errcode = code == body.end() ? 0 : code->get<std::int64_t>();
  if (const auto token = body.find("access_token"); token != body.end() && errcode == 0) {
    const auto life = body.find("expires_in");
    if (!token->is_string() || life == body.end() || !life->is_number_integer()) return answer;
    answer.token = token->get<std::string>();
    const std::int64_t seconds = life->is_number_unsigned() && life->get<std::uint64_t>() > kMaxLifetime
                                     ? kMaxLifetime
                                     : life->get<std::int64_t>();
    if (answer.token.empty() || answer.token.size() > kMaxToken || seconds <= 0) {
      answer.token.clear();
      return answer;
    }
    answer.expires_in = std::chrono::seconds(std::min(seconds, kMaxLifetime));
    answer.errcode = 0;
    return answer;
  }
  if (code == body.end()) return answer;
  answer.errcode = errcode;
  if (const auto id = body.find("msgid"); id != body.end()) {
    if (id->is_number_integer()) {
      answer.msgid = id->dump();
    } else if (id->is_string() && id->get_ref<const std::string&>().size() <= kMaxMsgId) {
      answer.msgid = id->get<std::string>();
    }
  }
  for (const char* list : {"invaliduser", "unlicenseduser"}) {
    if (answer.unreached.empty() && NotEmpty(body, list)) answer.unreached = list;
  }
  if (const auto message = body.find("errmsg"); message != body.end() && message->is_string()) {
    const auto& errmsg = message->get_ref<const std::string&>();
    const std::string rid = After(errmsg, "rid: ", "0123456789abcdefABCDEF-");
    const std::string field = After(errmsg, "data.", "abcdefghijklmnopqrstuvwxyz_0123456789");
    if (!rid.empty()) answer.rid = "rid " + rid;
    if (answer.errcode == 47003 && !field.empty()) answer.rid += (answer.rid.empty() ? "field " : ", field ") + field;
  }
  return answer;
}

}  // namespace zhitui::wechat
