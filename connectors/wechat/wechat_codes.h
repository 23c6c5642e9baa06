#pragma once

// WeChat errcodes (developers.weixin.qq.com, global return codes; names as in WxJava's WxMpErrorMsgEnum).

#include <cstdint>

#include "delivery/delivery.h"

namespace zhitui::wechat {

// What to do after an errcode of template/send or stable_token. Every errcode but 0 means that the message was not
// taken. Codes that the table does not know: negative, try later; 40xxx, 41xxx, 44xxx, 46xxx and 47xxx, the request is
// wrong; 42xxx, 48xxx, 49xxx and 6xxxx, stop the channel; 43xxx and 50xxx, the person cannot be reached this way;
// 45xxx, a limit.
delivery::Verdict WechatVerdict(std::int64_t errcode);

// The token is bad or has expired: drop it, fetch once, send once more.
bool IsTokenError(std::int64_t errcode);

}  // namespace zhitui::wechat
