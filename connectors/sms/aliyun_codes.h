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

// `message` tells which window a per-number limit belongs to (触发分钟级流控, 小时级, 天级). Codes that the table does
// not know: isp.* the provider failed, try later; isv.* the request is wrong; Throttling* too fast; Signature*,
// InvalidAccessKey*, Forbidden* and other gateway refusals (4xx) stop the channel; a gateway failure (5xx) leaves the
// outcome unknown, because nothing repeats safely here.
AliyunAction AliyunActionFor(std::string_view code, std::string_view message, int http_status);

}  // namespace zhitui::sms
