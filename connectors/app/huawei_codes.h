#pragma once

// Huawei Push Kit response codes: those of push-scenariozed-api-response (v3, 2026-02) and of https-send-api (v1,
// 2025-08). A business code comes with HTTP 200 as well as with an error status.

#include <string_view>

#include "delivery/delivery.h"

namespace zhitui::app {

// What to do after an answer with that business code. Without one, or with one that the table does not know, it goes by
// the HTTP status: 503 is flow control, 401 and 404 stop the channel, other 4xx mean that the message is wrong, and the
// rest leaves the outcome unknown.
delivery::Verdict HuaweiVerdict(std::string_view code, int http_status);
// The bearer token is wrong or has expired: a new one may help.
bool IsHuaweiTokenError(std::string_view code);
// What to do when the one token of a message was refused for that reason (80100000 and 80300007 of v3 give one). No
// reason: the token is dead.
delivery::Verdict HuaweiTokenVerdict(std::string_view reason);

}  // namespace zhitui::app
