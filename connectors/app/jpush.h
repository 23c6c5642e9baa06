#pragma once

// JPush v3 (docs.jiguang.cn, REST API v3 push; providers.md §3.3). This file is part of the room's door.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/visible.h"
#include "base/base.h"
#include "delivery/delivery.h"

namespace zhitui::app {

struct JpushOptions {
  std::string base_url;  // https://api.jpush.cn
  std::string ca_file;   // PEM; empty: the system's
  std::string app_key;
  delivery::Secret master_secret;
  bool apns_production = true;
  std::int64_t time_to_live_s = 86400;
  std::size_t cid_batch = 200;  // cids fetched at once (at most 1000, valid one day)
  Visible visible{};
  Millis connect_timeout{2000};
};
std::vector<delivery::SettingDoc> JpushSettings();
std::optional<JpushOptions> ValidateJpush(const delivery::Settings& settings, Diagnostics* diagnostics);
std::shared_ptr<delivery::Connector> NewJpush(JpushOptions options, Logger* logger);

}  // namespace zhitui::app
