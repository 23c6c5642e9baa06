#pragma once

// What goes to the APIs of WeChat and WeCom and comes back, without the wire. Pure; included by the connectors and
// their tests. Bodies are raw UTF-8, because WeChat refuses escaped Chinese (40033).

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "delivery/delivery.h"
#include "wechat/wechat.h"

namespace zhitui::wechat {

std::string StableTokenBody(const std::string& app_id, const std::string& secret);
std::string WecomTokenTarget(const std::string& corp_id, const std::string& secret);

// kInvalid: text that is not UTF-8.
Result<std::string> TemplateBody(const TemplateMessageOptions& options, const std::string& template_id,
                                 const delivery::SendRequest& request);
Result<std::string> SubscriptionBody(const SubscriptionOptions& options, const std::string& template_id,
                                     const delivery::SendRequest& request);
Result<std::string> MiniBody(const MiniOptions& options, const std::string& template_id,
                             const delivery::SendRequest& request);
Result<std::string> WecomBody(const WecomOptions& options, const delivery::SendRequest& request);

// What the person reads: title, body and a link, at most kWecomTextBytes. The body is cut at a code point and marked
// with …; title and link are kept whole where they fit at all.
inline constexpr std::size_t kWecomTextBytes = 2048;
std::string WecomText(const message::Content& content);

// A link opens a web page; anything else is a page of a mini-program.
bool IsWebLink(std::string_view url);

struct ApiAnswer {
  std::optional<std::int64_t> errcode;  // 0 when the answer has none and is good; nullopt: malformed
  std::string rid;                      // "rid 5f2b…", and the bad field of 47003; nothing else of the text
  std::string msgid;
  std::string token;  // of a token request
  std::chrono::seconds expires_in{0};
  std::string unreached;  // WeCom: "invaliduser" or "unlicenseduser" when the one receiver is in that list
};
ApiAnswer ParseApiAnswer(std::string_view body);

}  // namespace zhitui::wechat
