#pragma once

// wechat: the city's WeChat accounts.
// Each provider has a header of its own; this door is all of them.

#include "wechat/template_message.h"
