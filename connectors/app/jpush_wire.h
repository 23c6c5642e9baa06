#pragma once

// What goes over the wire to JPush and back, without the wire. Pure; included by the connector and its tests.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/app.h"
#include "delivery/delivery.h"

namespace zhitui::app {

// "Basic " + base64(app_key:master_secret)
std::string BasicAuthorization(std::string_view app_key, std::string_view master_secret);

// The body of POST /v3/push. kInvalid: text that is not UTF-8.
Result<std::string> PushBody(const JpushOptions& options, const delivery::SendRequest& request);

// The parts the provider limits: Android 4000 bytes, iOS 2000. kInvalid says which one and by how much.
Status CheckSize(const JpushOptions& options, const message::Content& content);

// nullopt: not the documented answer.
std::optional<std::vector<std::string>> ParseCids(std::string_view body);

delivery::SendResult ParsePushAnswer(const delivery::HttpAnswer& answer);

}  // namespace zhitui::app
