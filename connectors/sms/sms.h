#pragma once

// sms: text messages.
// Each provider has a header of its own; this door is all of them.

#include "sms/aliyun.h"
#include "sms/cmpp.h"
#include "sms/kannel.h"
#include "sms/smpp.h"
#include "sms/tencent.h"
