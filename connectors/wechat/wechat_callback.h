#pragma once

// Call-backs of a service account: the check of the address (GET) and the receipt TEMPLATESENDJOBFINISH (POST). Pure.

#include <string>
#include <string_view>

#include "delivery/delivery.h"

namespace zhitui::wechat {

// sha1 over the three strings, sorted and joined; lower-case hex.
std::string CallbackSignature(std::string_view token, std::string_view timestamp, std::string_view nonce);

delivery::CallbackReply AnswerCallback(std::string_view token, const delivery::CallbackRequest& request);

}  // namespace zhitui::wechat
