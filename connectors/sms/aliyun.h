#pragma once

// Aliyun Dysmsapi 2017-05-25 SendSms, signed ACS3-HMAC-SHA256 (help.aliyun.com; providers.md §2.1). This file is part of the room's door.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/base.h"
#include "delivery/delivery.h"

namespace zhitui::sms {

struct AliyunOptions {
  std::string base_url;  // https://dysmsapi.aliyuncs.com
  std::string ca_file;
  std::string access_key_id;
  std::string access_key_secret;
  std::string sign_name;
  std::map<std::string, std::string> templates;  // logical name -> TemplateCode
  std::string callback_key;                      // Aliyun does not sign reports: the ?key= its call-back URL carries
  Millis settle_time{60'000};                    // after an unknown outcome, how long until "not found" is proof
  Millis connect_timeout{2000};
};
std::vector<delivery::SettingDoc> AliyunSettings();
std::optional<AliyunOptions> ValidateAliyun(const delivery::Settings& settings, Diagnostics* diagnostics);
std::shared_ptr<delivery::Connector> NewAliyun(AliyunOptions options, Logger* logger);

}  // namespace zhitui::sms
