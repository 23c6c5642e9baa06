#pragma once

// Getui REST API v2 (docs.getui.com/getui/server/rest_v2; providers.md §3.5). This file is part of the room's door.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/visible.h"
#include "base/base.h"
#include "delivery/delivery.h"

namespace zhitui::app {

struct GetuiOptions {
  std::string base_url = "https://restapi.getui.com/v2";
  std::string ca_file;  // PEM; empty: the system's
  std::string app_id;
  std::string app_key;
  delivery::Secret master_secret;
  std::int64_t time_to_live_s = 86400;
  bool vendor_channels = true;         // also for phones that are reached over their maker's channel, and for iOS
  std::int64_t repeat_window_s = 600;  // how long a request_id that was seen is trusted to be known
  Visible visible;
  Millis connect_timeout{2000};
};
std::vector<delivery::SettingDoc> GetuiSettings();
std::optional<GetuiOptions> ValidateGetui(const delivery::Settings& settings, Diagnostics* diagnostics);
std::shared_ptr<delivery::Connector> NewGetui(GetuiOptions options, Logger* logger);

}  // namespace zhitui::app
