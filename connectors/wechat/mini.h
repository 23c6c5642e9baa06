#pragma once

// Subscription messages (订阅消息) of a mini-program: POST /cgi-bin/message/subscribe/send
// (developers.weixin.qq.com; providers.md §1.3). This file is part of the room's door.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/base.h"
#include "delivery/delivery.h"
#include "wechat/options.h"

namespace zhitui::wechat {

struct MiniOptions : MessageOptions {
  bool long_term = false;
  std::string miniprogram_state = "formal";  // developer, trial, formal
  std::string lang;                          // of the mini-program; empty: that of the message
  std::string page;                          // opened when the message's link is no page of the mini-program
};
std::vector<delivery::SettingDoc> MiniSettings();
std::optional<MiniOptions> ValidateMini(const delivery::Settings& settings, Diagnostics* diagnostics);
std::shared_ptr<delivery::Connector> NewMini(MiniOptions options, Logger* logger);

}  // namespace zhitui::wechat
