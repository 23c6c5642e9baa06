#pragma once

// The codes of CMPP: status of CONNECT_RESP, result of SUBMIT_RESP, stat of a report (providers.md §2.4).

#include <cstdint>
#include <optional>
#include <string_view>

#include "delivery/delivery.h"

namespace zhitui::sms {

// What sends that wait for the login become.
delivery::Verdict CmppConnectVerdict(std::uint32_t status);
delivery::Verdict CmppSubmitVerdict(std::uint32_t result);
// nullopt: not final yet (ACCEPTD, ENROUTE).
std::optional<delivery::ReceiptState> CmppReportState(std::string_view stat);

}  // namespace zhitui::sms
