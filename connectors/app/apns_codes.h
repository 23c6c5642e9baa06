#pragma once

// The error strings of APNs (developer.apple.com, "Handling notification responses from APNs").

#include <string_view>

#include "delivery/delivery.h"

namespace zhitui::app {

// What to do after an answer with that reason; one that the table does not know goes by the HTTP status. kStopChannel
// for ExpiredProviderToken too: that the token is renewed once comes before.
delivery::Verdict ApnsVerdict(std::string_view reason, int http_status);

}  // namespace zhitui::app
