#pragma once

// Error codes of Aliyun Dysmsapi 2017-05-25 (help.aliyun.com document 101346 and 101347) and of the API gateway.

#include <optional>
#include <string_view>

#include "delivery/delivery.h"

namespace zhitui::sms {

struct AliyunAction {
  delivery::Verdict verdict = delivery::Verdict::kUnknown;
  std::optional<Millis> retry_after;
};

// `message` tells which window a limit of one number belongs to: 触发分钟级流控 and 小时级 end with the natural minute
// or hour of UTC+8, 天级 is the last 24 hours, of which a day is the longest wait. Codes that the table does not know:
// isp.* the provider failed, try later; isv.* the request is wrong; Throttling* too fast; Signature*,
// InvalidAccessKey*, Forbidden* and other gateway refusals (4xx) stop the channel; a gateway failure (5xx) leaves the
// outcome unknown, because nothing repeats safely here.
AliyunAction AliyunActionFor(std::string_view code, std::string_view message, int http_status, Instant now);

}  // namespace zhitui::sms
