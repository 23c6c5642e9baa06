#pragma once

// What goes over the wire to FCM and back, without the wire. Pure; included by the connector and its tests.

#include <string>
#include <string_view>

#include "app/fcm.h"
#include "app/jwt.h"
#include "app/token_push.h"
#include "delivery/delivery.h"

namespace zhitui::app {

struct FcmAccount {
  std::string project_id;
  std::string client_email;
  std::string private_key_id;  // may be empty
  std::string token_uri;
  SigningKey key;
};
// Reads the JSON of a service account. kInvalid says what is missing, without a byte of the text.
Result<FcmAccount> ParseFcmAccount(std::string_view json);

// The signed assertion that a token is given for (RFC 7523); good for an hour from `now`.
Result<std::string> FcmAssertion(const FcmAccount& account, Instant now);
// The form of the token request.
std::string FcmTokenForm(std::string_view assertion);
delivery::TokenCache::Fetched ParseFcmToken(const delivery::HttpAnswer& answer);

// The body of messages:send. kInvalid: text that is not UTF-8.
Result<std::string> FcmBody(const FcmOptions& options, const delivery::SendRequest& request);
// kInvalid: what is shown and the data are over 4096 bytes.
Status CheckFcmSize(const FcmOptions& options, const message::Content& content);

// `now` is for quotas that are counted by the minute.
PushOutcome ParseFcmAnswer(const delivery::HttpAnswer& answer, Instant now);

}  // namespace zhitui::app
