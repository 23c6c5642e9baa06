#pragma once

// Subscription messages (订阅通知) of a service account: POST /cgi-bin/message/subscribe/bizsend
// (developers.weixin.qq.com; providers.md §1.3). This file is part of the room's door.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/base.h"
#include "delivery/delivery.h"
#include "wechat/options.h"

namespace zhitui::wechat {

struct SubscriptionOptions : MessageOptions {
  std::string miniprogram_app_id;  // empty: messages open `url`
  bool long_term = false;          // the account's templates are long-term: one consent for all messages
};
std::vector<delivery::SettingDoc> SubscriptionSettings();
std::optional<SubscriptionOptions> ValidateSubscription(const delivery::Settings& settings, Diagnostics* diagnostics);
std::shared_ptr<delivery::Connector> NewSubscription(SubscriptionOptions options, Logger* logger);

}  // namespace zhitui::wechat
