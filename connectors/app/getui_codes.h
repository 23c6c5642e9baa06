#pragma once

// Getui return codes (docs.getui.com/getui/server/rest_v2/code).

#include <string_view>

#include "delivery/delivery.h"

namespace zhitui::app {

inline constexpr int kGetuiToken = 10001;  // the token is wrong or has expired: a new one may help

// What to do after a return code that is not 0. 20001 stands for every wrong parameter and is told apart by its
// message. Codes that the table does not know go by the HTTP status: 429 throttled, 401, 403 and 404 stop the channel,
// other 4xx mean that the message is wrong, and the rest leaves the outcome unknown.
delivery::Verdict GetuiVerdict(int code, std::string_view message, int http_status);
// Counted by the minute: come back in the next one.
bool IsGetuiMinuteLimit(int code);

}  // namespace zhitui::app
