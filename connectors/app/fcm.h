#pragma once

// Firebase Cloud Messaging, HTTP v1 (firebase.google.com/docs/reference/fcm/rest/v1; providers.md §3.1). This file is
// part of the room's door.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/visible.h"
#include "base/base.h"
#include "delivery/delivery.h"

namespace zhitui::app {

struct FcmOptions {
  std::string base_url = "https://fcm.googleapis.com";
  std::string ca_file;               // PEM; empty: the system's
  delivery::Secret service_account;  // the JSON file of a service account
  std::string token_url;             // where tokens come from; Validate takes it from the file when it is not set
  std::int64_t time_to_live_s = 86400;
  bool high_priority = true;
  Visible visible;
  Millis connect_timeout{2000};
};
std::vector<delivery::SettingDoc> FcmSettings();
std::optional<FcmOptions> ValidateFcm(const delivery::Settings& settings, Diagnostics* diagnostics);
std::shared_ptr<delivery::Connector> NewFcm(FcmOptions options, Logger* logger);

}  // namespace zhitui::app
