#pragma once

// command_status of SMPP 3.4 (SMPP Protocol Specification v3.4 Issue 1.2, 5.1.3) and what is to be done about it.

#include <cstdint>
#include <map>
#include <string>

#include "delivery/delivery.h"

namespace zhitui::sms::smpp {

struct StatusAction {
  delivery::Verdict verdict = delivery::Verdict::kUnknown;
  bool again = false;  // too fast: the same segment may go again after a pause
};
// Verdicts that a centre's own statuses (0x400 to 0x4ff) or a different reading of the standard ones are given in the
// configuration.
using StatusOverrides = std::map<std::uint32_t, delivery::Verdict>;

// Of the answer to submit_sm. A status says that the message was not taken; one that the table does not know is tried
// later, because nothing tells what is wrong.
StatusAction SubmitAction(std::uint32_t status, const StatusOverrides& overrides);
// Of the answer to a bind: of the messages that wait. Wrong credentials stop the channel.
delivery::Verdict BindVerdict(std::uint32_t status);
// "0x0000000B"
std::string StatusCode(std::uint32_t status);

}  // namespace zhitui::sms::smpp
