#pragma once

// Error codes of ntfy (server/errors.go): the first three digits are the HTTP status.

#include "delivery/delivery.h"

namespace zhitui::app {

// `code` 0: the answer had none.
delivery::Verdict NtfyVerdict(int code, int http_status);

}  // namespace zhitui::app
