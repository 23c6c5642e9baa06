#pragma once

// FCM error codes (firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode).

#include <string_view>

#include "delivery/delivery.h"

namespace zhitui::app {

// What to do after an error answer with that errorCode of an FcmError, or, without one, that google.rpc status. Those
// that the table does not know go by the HTTP status: 429 throttled, 401, 403 and 404 stop the channel, other 4xx mean
// that the message is wrong, 5xx leave the outcome unknown (a proxy may have answered after passing the message on).
delivery::Verdict FcmVerdict(std::string_view code, int http_status);

}  // namespace zhitui::app
