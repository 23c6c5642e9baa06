#pragma once

// What goes over the wire to ntfy and back, without the wire. Pure; included by the connector and its tests.

#include <string>
#include <string_view>

#include "app/app.h"
#include "delivery/delivery.h"

namespace zhitui::app {

inline constexpr std::size_t kNtfyMessageBytes = 4096;  // a longer one becomes an attachment

// 1 to 64 of letters, digits, - and _.
bool IsNtfyTopic(std::string_view contact);
// kInvalid: text that is not UTF-8.
Result<std::string> NtfyBody(const NtfyOptions& options, const delivery::SendRequest& request);
delivery::SendResult ParseNtfyAnswer(const delivery::HttpAnswer& answer);

}  // namespace zhitui::app
