#pragma once

// Text messages of an app in WeCom (企业微信): GET /cgi-bin/gettoken, POST /cgi-bin/message/send
// (developer.work.weixin.qq.com; providers.md §1.7). This file is part of the room's door.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/base.h"
#include "delivery/delivery.h"
#include "wechat/options.h"

namespace zhitui::wechat {

struct WecomOptions : AccountOptions {
  CallbackOptions callback;
  std::int64_t agent_id = 0;
  bool safe = false;  // the text may not be forwarded and carries a watermark
  // Seconds in which WeCom drops a repeated message; 0: it is not asked to.
  std::int64_t duplicate_check_s = 1800;
};
std::vector<delivery::SettingDoc> WecomSettings();
std::optional<WecomOptions> ValidateWecom(const delivery::Settings& settings, Diagnostics* diagnostics);
std::shared_ptr<delivery::Connector> NewWecom(WecomOptions options, Logger* logger);

}  // namespace zhitui::wechat
