#pragma once

// ntfy, a self-hosted publish and subscribe service (docs.ntfy.sh; providers.md §3.7). This file is part of the room's
// door. The contact is the topic.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/visible.h"
#include "base/base.h"
#include "delivery/delivery.h"

namespace zhitui::app {

struct NtfyOptions {
  std::string base_url;    // https://ntfy.example.gov.cn
  std::string ca_file;     // PEM; empty: the system's
  delivery::Secret token;  // access token (tk_…); empty: topics are open
  std::int64_t priority = 3;
  Visible visible;
  Millis connect_timeout{2000};
};
std::vector<delivery::SettingDoc> NtfySettings();
std::optional<NtfyOptions> ValidateNtfy(const delivery::Settings& settings, Diagnostics* diagnostics);
std::shared_ptr<delivery::Connector> NewNtfy(NtfyOptions options, Logger* logger);

}  // namespace zhitui::app
