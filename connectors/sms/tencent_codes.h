#pragma once

// Error codes of Tencent Cloud SMS 2021-01-11 (cloud.tencent.com/document/api/382/59177) and of its API gateway.

#include <optional>
#include <string_view>

#include "delivery/delivery.h"

namespace zhitui::sms {

struct TencentAction {
  delivery::Verdict verdict = delivery::Verdict::kUnknown;
  std::optional<Millis> retry_after;
};

// Waits end 30 seconds or an hour later, at the next midnight of UTC+8 for limits of a day, or at 08:00 for marketing
// messages outside 08:00 to 22:00. Codes that the table does not know go by what stands before their dot:
// RequestLimitExceeded and LimitExceeded too fast; AuthFailure and UnauthorizedOperation stop the channel;
// FailedOperation, Invalid*, Missing*, Unknown* and Unsupported* the request is wrong; InternalError and all others
// leave the outcome unknown, because nothing repeats safely here.
TencentAction TencentActionFor(std::string_view code, Instant now);

}  // namespace zhitui::sms
