#pragma once

// HTTP statuses of push services (RFC 8030 sections 5, 7.3 and 8.4, RFC 8292 section 4.2).

#include "delivery/delivery.h"

namespace zhitui::app {

delivery::Verdict WebpushVerdict(int http_status);

}  // namespace zhitui::app
