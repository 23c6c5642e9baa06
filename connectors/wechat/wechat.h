#pragma once

// wechat: the city's WeChat accounts and its WeCom.
// Each provider has a header of its own; this door is all of them.

#include "wechat/mini.h"
#include "wechat/options.h"
#include "wechat/subscription.h"
#include "wechat/template_message.h"
#include "wechat/wecom.h"
