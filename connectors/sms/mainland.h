#pragma once

// What text messages to mainland numbers have in common, whoever carries them. Pure.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "delivery/delivery.h"

namespace zhitui::sms {

// The 11 digits of a mainland mobile number, written bare or after +86, 0086 or 86; nullopt: it is none.
std::optional<std::string> MainlandNumber(std::string_view text);

// "2026-01-15 10:00:00", Beijing time; the epoch when it is not written so.
Instant BeijingTime(std::string_view text);

// A reply's text, cut between characters at delivery::kMaxReplyBytes.
std::string ReplyText(std::string text);

// The codes of a setting, between commas: "A, B".
std::set<std::string> CodeList(std::string_view text);

// Whether the providers of templates would take these parameters: no empty one, no link, no 【】, no line break.
Status CheckParameters(const message::Content& content);

// True when the call-back carries ?key= once and with that value, or when no key is wanted (empty).
bool HasCallbackKey(const delivery::CallbackRequest& request, const delivery::Secret& key);

// Segments times the price of one.
std::int64_t SmsCost(const message::Content& content, std::int64_t price_micros);

}  // namespace zhitui::sms
