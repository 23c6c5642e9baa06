#pragma once

// What a call-back says: receipts of messages, and what a person did or wrote. Pure.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "delivery/delivery.h"
#include "wechat/callback_body.h"

namespace zhitui::wechat {

struct Heard {
  std::vector<delivery::Receipt> receipts;
  std::vector<delivery::Signal> signals;
};

// Logical name of a template id; empty: not one of ours.
using TemplateNames = std::function<std::string(const std::string& template_id)>;

// nullopt: an event that we know, but not in its form. Other messages and events are heard and leave nothing.
std::optional<Heard> ReadEvent(const BodyNode& message, const TemplateNames& names);

}  // namespace zhitui::wechat
