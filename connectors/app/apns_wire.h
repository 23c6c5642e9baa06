#pragma once

// What goes over the wire to APNs and back, without the wire. Pure; included by the connector and its tests.

#include <string>
#include <string_view>

#include "app/app.h"
#include "app/jwt.h"
#include "delivery/delivery.h"

namespace zhitui::app {

inline constexpr std::size_t kApnsPayloadBytes = 4096;

// apns-id of an attempt: the same attempt has the same canonical UUID (RFC 9562, version 8 over SHA-256).
std::string ApnsId(std::string_view attempt_id);

// A device token: hex digits, of no fixed length (Apple says so); at most 200 here.
bool IsApnsToken(std::string_view contact);

// The provider token. `key_text` is the .p8 file with or without its "kid:" line. kInvalid: no P-256 key.
Result<std::string> ApnsProviderToken(const ApnsOptions& options, const std::string& key_text, Instant now);

// kInvalid: text that is not UTF-8.
Result<std::string> ApnsPayload(const ApnsOptions& options, const delivery::SendRequest& request);
// kInvalid: the payload could be over 4096 bytes.
Status CheckApnsSize(const ApnsOptions& options, const message::Content& content);

delivery::HttpCall ApnsCall(const ApnsOptions& options, const delivery::SendRequest& request, std::string payload,
                            const std::string& token, Instant now);

delivery::SendResult ParseApnsAnswer(const delivery::HttpAnswer& answer);

}  // namespace zhitui::app
