#pragma once

// Aliyun Dysmsapi 2017-05-25, SendSms (help.aliyun.com). This file is part of the room's door.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/base.h"
#include "delivery/delivery.h"

namespace zhitui::sms {

struct AliyunOptions {
  std::string base_url;  // https://dysmsapi.aliyuncs.com
  std::string ca_file;
  std::string access_key_id;
  delivery::Secret access_key_secret;
  bool sm3 = false;  // sign with ACS3-HMAC-SM3 instead of ACS3-HMAC-SHA256
  std::string sign_name;
  std::map<std::string, std::string> templates;  // logical name -> TemplateCode
  delivery::Secret callback_key;     // Aliyun signs no call-back: the ?key= that its call-back URLs carry; empty: none
  std::set<std::string> dead_codes;  // codes of reports that say: there is no such number
  std::int64_t price_micros = 0;     // of one segment, in millionths of a yuan
  Millis settle_time{60'000};        // after an unknown outcome, how long until "not found" is proof
  Millis connect_timeout{2000};
};
std::vector<delivery::SettingDoc> AliyunSettings();
std::optional<AliyunOptions> ValidateAliyun(const delivery::Settings& settings, Diagnostics* diagnostics);
std::shared_ptr<delivery::Connector> NewAliyun(AliyunOptions options, Logger* logger);

}  // namespace zhitui::sms
