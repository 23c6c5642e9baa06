#pragma once

// Apple Push Notification service, HTTP/2 API with provider tokens (developer.apple.com, "Sending notification requests
// to APNs"; providers.md §3.2). This file is part of the room's door.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/visible.h"
#include "base/base.h"
#include "delivery/delivery.h"

namespace zhitui::app {

struct ApnsOptions {
  std::string base_url;  // https://api.push.apple.com; https://api.sandbox.push.apple.com for development builds
  std::string ca_file;   // PEM; empty: the system's
  // The .p8 file. A line "kid: KEYID" before the key goes over `key_id`, so that both change at once.
  delivery::Secret key;
  std::string key_id;
  std::string team_id;
  std::string topic;  // the app's bundle id
  std::string push_type = "alert";
  std::int64_t priority = 10;
  std::int64_t expiration_s = 86400;  // 0: now or never
  bool collapse = true;               // attempts of one notification replace each other on the device
  std::string sound = "default";      // empty: silent
  bool mutable_content = false;       // the app's service extension may fetch the text
  Visible visible;
  std::int64_t token_age_s = 2400;  // renewed after
  // A token that APNs calls expired is renewed when it is at least this old: Apple punishes more than one in 20
  // minutes.
  std::int64_t token_min_age_s = 1200;
  std::size_t connections = 2;
  std::size_t in_flight = 500;
  Millis connect_timeout{2000};
};
std::vector<delivery::SettingDoc> ApnsSettings();
std::optional<ApnsOptions> ValidateApns(const delivery::Settings& settings, Diagnostics* diagnostics);
std::shared_ptr<delivery::Connector> NewApns(ApnsOptions options, Logger* logger);

}  // namespace zhitui::app
