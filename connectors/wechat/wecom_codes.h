#pragma once

// WeCom errcodes (developer.work.weixin.qq.com, global error codes; names as in WxJava's WxCpErrorMsgEnum).

#include <cstdint>

#include "delivery/delivery.h"

namespace zhitui::wechat {

// What to do after an errcode of message/send or gettoken. Codes that the table does not know: negative, try later;
// 40xxx, 41xxx, 44xxx, 46xxx and 47xxx, the request is wrong; 45xxx, a limit; others, stop the channel.
delivery::Verdict WecomVerdict(std::int64_t errcode);

}  // namespace zhitui::wechat
