#pragma once

// What goes over the wire to Getui and back, without the wire. Pure; included by the connector and its tests.

#include <string>
#include <string_view>

#include "app/getui.h"
#include "app/token_push.h"
#include "delivery/delivery.h"

namespace zhitui::app {

// sha256 of app key, milliseconds since 1970 and master secret, in lower-case hex.
std::string GetuiSign(std::string_view app_key, std::int64_t at_ms, std::string_view master_secret);
// The body of POST /auth. kInvalid: an app key that is not UTF-8.
Result<std::string> GetuiAuthBody(std::string_view app_key, std::int64_t at_ms, std::string_view master_secret);
delivery::TokenCache::Fetched ParseGetuiAuth(const delivery::HttpAnswer& answer, Instant now);

// 32 characters that stand for an attempt; Getui takes 10 to 32.
std::string GetuiRequestId(std::string_view attempt_id);

// The body of POST /push/single/cid. kInvalid: text that is not UTF-8.
Result<std::string> GetuiBody(const GetuiOptions& options, const delivery::SendRequest& request);
// Title 50, body 256, payload 3072 characters.
Status CheckGetuiSize(const GetuiOptions& options, const message::Content& content);

// `now` is for quotas that are counted by the minute.
PushOutcome ParseGetuiAnswer(const delivery::HttpAnswer& answer, Instant now);

}  // namespace zhitui::app
