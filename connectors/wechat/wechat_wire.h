#pragma once

// What goes to WeChat's API and comes back, without the wire. Pure; included by the connector and its tests.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "delivery/delivery.h"
#include "wechat/wechat.h"

namespace zhitui::wechat {

std::string StableTokenBody(const TemplateMessageOptions& options);

// Body of template/send; raw UTF-8, because escaped Chinese is refused (40033). kInvalid: text that is not UTF-8.
Result<std::string> TemplateBody(const TemplateMessageOptions& options, const std::string& template_id,
                                 const delivery::SendRequest& request);

// A link opens a web page; anything else is a page of the configured mini-program.
bool IsWebLink(std::string_view url);

struct ApiAnswer {
  std::optional<std::int64_t> errcode;  // 0 when the answer has none and is good; nullopt: malformed
  std::string rid;                      // "rid 5f2b…", and the bad field of 47003; nothing else of the text
  std::string msgid;                    // decimal
  std::string token;                    // stable_token
  std::chrono::seconds expires_in{0};
};
ApiAnswer ParseApiAnswer(std::string_view body);

}  // namespace zhitui::wechat
