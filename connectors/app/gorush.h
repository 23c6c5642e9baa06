#pragma once

// gorush, a self-hosted gateway to APNs, FCM and Huawei (github.com/appleboy/gorush; providers.md §3.7). This file is
// part of the room's door.
//
// The contact is "<platform>/<token>": 1 iOS, 2 Android, 3 Huawei, as gorush counts them.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/visible.h"
#include "base/base.h"
#include "delivery/delivery.h"

namespace zhitui::app {

struct GorushOptions {
  std::string base_url;  // http://gorush:8088
  std::string ca_file;   // PEM; empty: the system's
  // Value of the Authorization header, for a proxy in front (gorush itself asks for none). Empty: no header.
  delivery::Secret authorization;
  bool sync = true;       // gorush runs with core.sync: true, so its answer tells what failed
  std::string ios_topic;  // bundle id; empty: gorush's own setting
  // Secret of feedback_hook_url: ?key= or the header X-Gorush-Key. Empty: no call-backs are taken.
  delivery::Secret callback_key;
  Visible visible;
  Millis connect_timeout{2000};
};
std::vector<delivery::SettingDoc> GorushSettings();
std::optional<GorushOptions> ValidateGorush(const delivery::Settings& settings, Diagnostics* diagnostics);
std::shared_ptr<delivery::Connector> NewGorush(GorushOptions options, Logger* logger);

}  // namespace zhitui::app
