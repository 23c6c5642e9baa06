#include "wechat/wechat_wire.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace zhitui::wechat {
namespace {

using nlohmann::json;
using Ordered = nlohmann::ordered_json;

constexpr std::size_t kMaxToken = 2048;
constexpr std::int64_t kMaxLifetime = 7 * 86400;

// The run of `allowed` characters after `mark` in `text`.
std::string After(std::string_view text, std::string_view mark, std::string_view allowed) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + mark.size());
  const std::size_t end = std::min(text.find_first_not_of(allowed), std::size_t{64});
  return std::string(text.substr(0, end));
}

std::string Dump(const Ordered& value) { return value.dump(-1, ' ', false, json::error_handler_t::strict); }

}  // namespace

std::string StableTokenBody(const TemplateMessageOptions& options) {
  const Ordered body = {{"grant_type", "client_credential"},
                        {"appid", options.app_id},
                        {"secret", options.secret},
                        {"force_refresh", false}};
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool IsWebLink(std::string_view url) { return url.starts_with("https://") || url.starts_with("http://"); }

Result<std::string> TemplateBody(const TemplateMessageOptions& options, const std::string& template_id,
                                 const delivery::SendRequest& request) {
  try {
    Ordered body = {{"touser", request.contact}, {"template_id", template_id}, {"client_msg_id", request.key.key}};
    const std::string& url = request.content.url;
    if (IsWebLink(url)) {
      body["url"] = url;
    } else if (!url.empty() && !options.miniprogram_app_id.empty()) {
      body["miniprogram"] = {{"appid", options.miniprogram_app_id}, {"pagepath", url}};
    }
    Ordered data = Ordered::object();
    for (const auto& [key, value] : request.content.fields) data[key] = {{"value", value}};
    body["data"] = std::move(data);
    return Dump(body);
  } catch (const json::exception&) {
    return Invalid("the message is not valid UTF-8");
  }
}

ApiAnswer ParseApiAnswer(std::string_view text) {
  ApiAnswer answer;
  const json body = json::parse(text, nullptr, false);
  if (!body.is_object()) return answer;
  if (const auto token = body.find("access_token"); token != body.end()) {
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
  const auto code = body.find("errcode");
  if (code == body.end() || !code->is_number_integer()) return answer;
  answer.errcode = code->get<std::int64_t>();
  if (const auto id = body.find("msgid"); id != body.end() && id->is_number_integer()) answer.msgid = id->dump();
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
