#pragma once

// Tencent Cloud SMS 2021-01-11, SendSms (cloud.tencent.com/document/api/382/55981). This file is part of the room's
// door.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/base.h"
#include "delivery/delivery.h"

namespace zhitui::sms {

struct TencentOptions {
  std::string base_url;  // https://sms.tencentcloudapi.com
  std::string ca_file;
  std::string secret_id;
  delivery::Secret secret_key;
  std::string region = "ap-guangzhou";  // X-TC-Region
  std::string sdk_app_id;               // SmsSdkAppId
  std::string sign_name;
  std::map<std::string, std::string> templates;  // logical name -> TemplateId
  delivery::Secret callback_key;     // Tencent signs no call-back: the ?key= that its call-back URLs carry; empty: none
  std::set<std::string> dead_codes;  // errmsg of reports that say: there is no such number
  std::int64_t price_micros = 0;     // of one segment, in millionths of a yuan
  bool session_echo = false;    // the account's status answers carry SessionContext (Tencent enables it on request)
  Millis settle_time{600'000};  // how long such an answer is asked for after an unknown outcome
  Millis connect_timeout{2000};
};
std::vector<delivery::SettingDoc> TencentSettings();
std::optional<TencentOptions> ValidateTencent(const delivery::Settings& settings, Diagnostics* diagnostics);
std::shared_ptr<delivery::Connector> NewTencent(TencentOptions options, Logger* logger);

}  // namespace zhitui::sms
