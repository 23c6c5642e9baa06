#pragma once

// WeChat errcodes (developers.weixin.qq.com, global return codes; names as in WxJava's WxMpErrorMsgEnum).

#include <cstdint>

#include "delivery/delivery.h"

namespace zhitui::wechat {

// What to do after an errcode of a send or of stable_token. Every errcode but 0 means that the message was not taken.
// Codes that the table does not know: negative, try later; 40xxx, 41xxx, 44xxx, 46xxx and 47xxx, the request is wrong;
// 42xxx, 48xxx, 49xxx and 6xxxx, stop the channel; 43xxx and 50xxx, the person cannot be reached this way; 45xxx, a
// limit.
delivery::Verdict WechatVerdict(std::int64_t errcode);

// The same for subscription messages. There 43101 says that the person gave no (further) permission for this template:
// the message goes to the next channel, and the openid stays good for other templates.
delivery::Verdict SubscriptionVerdict(std::int64_t errcode);

// The token is bad or has expired: drop it, fetch once, send once more. Of WeChat and WeCom.
bool IsTokenError(std::int64_t errcode);

// The openid is no more: wrong, or no longer a follower.
bool IsGone(std::int64_t errcode);

inline constexpr std::int64_t kSystemBusy = -1;

}  // namespace zhitui::wechat
