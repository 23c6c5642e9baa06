#pragma once

// JPush error codes (docs.jiguang.cn, REST API v3 push, "调用返回"; the table of the 2019-08 snapshot).

#include <string>

#include "delivery/delivery.h"

namespace zhitui::app {

// What to do after a documented error answer. Codes that the table does not know go by the HTTP status: 429 throttled,
// 401 and 403 stop the channel, other 4xx mean that the message is wrong, 5xx leave the outcome unknown (a proxy
// answered, or an error that is not documented; the cid makes a second try safe).
delivery::Verdict JpushVerdict(int code, int http_status);

}  // namespace zhitui::app
