#pragma once

// What goes over the wire to gorush and back, without the wire. Pure; included by the connector and its tests.

#include <optional>
#include <string>
#include <string_view>

#include "app/app.h"
#include "delivery/delivery.h"

namespace zhitui::app {

struct GorushContact {
  int platform = 0;  // 1 iOS, 2 Android, 3 Huawei
  std::string_view token;
};
// nullopt: not "1/…", "2/…" or "3/…". A view into `contact`.
std::optional<GorushContact> ParseGorushContact(std::string_view contact);

// kInvalid: text that is not UTF-8.
Result<std::string> GorushBody(const GorushOptions& options, const GorushContact& contact,
                               const delivery::SendRequest& request);

delivery::SendResult ParseGorushAnswer(const delivery::HttpAnswer& answer, bool sync, std::string_view attempt_id);

// The receipt in the body of a feedback hook; kInvalid: not gorush's. No value in it: it says nothing that is certain.
Result<std::optional<delivery::Receipt>> ParseGorushFeedback(std::string_view body, Instant now);

}  // namespace zhitui::app
