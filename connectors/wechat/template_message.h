#pragma once

// Template messages (类目模板) of a service account with stable_token and client_msg_id
// (developers.weixin.qq.com; providers.md §1.1–1.6). This file is part of the room's door.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/base.h"
#include "delivery/delivery.h"

namespace zhitui::wechat {

struct TemplateMessageOptions {
  std::string base_url;  // https://api.weixin.qq.com
  std::string ca_file;
  std::string app_id;
  std::string secret;
  std::string callback_token;                    // signs call-backs
  std::map<std::string, std::string> templates;  // logical name -> template_id
  std::string miniprogram_app_id;                // empty: messages open `url`
  Millis connect_timeout{2000};
};
std::vector<delivery::SettingDoc> TemplateMessageSettings();
std::optional<TemplateMessageOptions> ValidateTemplateMessage(const delivery::Settings& settings,
                                                              Diagnostics* diagnostics);
std::shared_ptr<delivery::Connector> NewTemplateMessage(TemplateMessageOptions options, Logger* logger);

}  // namespace zhitui::wechat
