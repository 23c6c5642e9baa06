#pragma once

// Huawei Push Kit (developer.huawei.com: push-scenariozed-api for v3, https-send-api for v1; providers.md §3.4). This
// file is part of the room's door.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/visible.h"
#include "base/base.h"
#include "delivery/delivery.h"

namespace zhitui::app {

enum class HuaweiApi : std::uint8_t {
  kV3,  // HarmonyOS 5 and later; signed by a service account
  kV1,  // HarmonyOS 3 and 4, EMUI; client credentials
};

struct HuaweiOptions {
  HuaweiApi api = HuaweiApi::kV3;
  std::string base_url = "https://push-api.cloud.huawei.com";
  std::string ca_file;               // PEM; empty: the system's
  delivery::Secret service_account;  // v3: the JSON key file of a service account
  std::string audience = "https://oauth-login.cloud.huawei.com/oauth2/v3/token";   // v3: aud of the signed token
  std::string app_id;                                                              // v1: the client id
  delivery::Secret client_secret;                                                  // v1
  std::string token_url = "https://oauth-login.cloud.huawei.com/oauth2/v3/token";  // v1
  std::string category = "MARKETING";
  std::int64_t time_to_live_s = 86400;
  bool test_message = false;
  bool resend_unknown = false;  // v3: trust the phone to show one appMessageId once
  Visible visible;
  Millis connect_timeout{2000};
};
std::vector<delivery::SettingDoc> HuaweiSettings();
std::optional<HuaweiOptions> ValidateHuawei(const delivery::Settings& settings, Diagnostics* diagnostics);
std::shared_ptr<delivery::Connector> NewHuawei(HuaweiOptions options, Logger* logger);

}  // namespace zhitui::app
