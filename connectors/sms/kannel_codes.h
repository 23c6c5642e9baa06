#pragma once

// Answers of smsbox's sendsms (Kannel user guide 1.4.5, table 6-7, and gw/smsbox.c) and states of its delivery reports.

#include <optional>
#include <string_view>

#include "delivery/delivery.h"

namespace zhitui::sms {

// By the HTTP status; `text` is the body. Statuses that are not known leave the outcome unknown, because nothing
// repeats safely here.
delivery::Verdict KannelVerdictFor(int http_status, std::string_view text);

// What %d of a delivery report says; nullopt: on its way, or no such state.
std::optional<delivery::ReceiptState> KannelStateOf(std::string_view type);

}  // namespace zhitui::sms
