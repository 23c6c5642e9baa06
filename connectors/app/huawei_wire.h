#pragma once

// What goes over the wire to Huawei Push Kit and back, without the wire. Pure; included by the connector and its tests.

#include <string>
#include <string_view>

#include "app/huawei.h"
#include "app/jwt.h"
#include "app/token_push.h"
#include "delivery/delivery.h"

namespace zhitui::app {

struct HuaweiAccount {
  std::string project_id;
  std::string key_id;
  std::string sub_account;
  SigningKey key;
};
// Reads the key file of a service account. kInvalid says what is missing, without a byte of the text.
Result<HuaweiAccount> ParseHuaweiAccount(std::string_view json);
// The bearer token of v3, good for an hour from `now`: PS256.
Result<std::string> HuaweiToken(const HuaweiAccount& account, std::string_view audience, Instant now);

// v1: the form of the token request, and its answer.
std::string HuaweiTokenForm(std::string_view app_id, std::string_view client_secret);
delivery::TokenCache::Fetched ParseHuaweiToken(const delivery::HttpAnswer& answer);

// The id by which a phone tells a repeat: 1 to 64 characters that Huawei allows, made from an attempt id.
std::string HuaweiMessageId(std::string_view attempt_id);

// The body of messages:send of options.api. kInvalid: text that is not UTF-8.
Result<std::string> HuaweiBody(const HuaweiOptions& options, const delivery::SendRequest& request);
// kInvalid: over 4096 bytes without the token.
Status CheckHuaweiSize(const HuaweiOptions& options, const message::Content& content);

PushOutcome ParseHuaweiAnswer(const delivery::HttpAnswer& answer);

}  // namespace zhitui::app
