#pragma once

// Template messages (类目模板) of a service account with stable_token and client_msg_id
// (developers.weixin.qq.com; providers.md §1.1–1.6). This file is part of the room's door.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/base.h"
#include "delivery/delivery.h"
#include "wechat/options.h"

namespace zhitui::wechat {

struct TemplateMessageOptions : MessageOptions {
  std::string miniprogram_app_id;  // empty: messages open `url`
};
std::vector<delivery::SettingDoc> TemplateMessageSettings();
std::optional<TemplateMessageOptions> ValidateTemplateMessage(const delivery::Settings& settings,
                                                              Diagnostics* diagnostics);
std::shared_ptr<delivery::Connector> NewTemplateMessage(TemplateMessageOptions options, Logger* logger);

}  // namespace zhitui::wechat
