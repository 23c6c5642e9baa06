#pragma once

// app: push services for the city's mobile app.
// Each provider has a header of its own; this door is all of them.

#include "app/apns.h"
#include "app/fcm.h"
#include "app/getui.h"
#include "app/gorush.h"
#include "app/huawei.h"
#include "app/jpush.h"
#include "app/ntfy.h"
#include "app/webpush.h"
