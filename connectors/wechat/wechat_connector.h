#pragma once

// What the connectors of this room have in common. Included by them only.

#include <functional>
#include <memory>
#include <string>

#include "delivery/delivery.h"
#include "wechat/account.h"
#include "wechat/options.h"

namespace zhitui::wechat {

// A connector of an account: call-backs, the alarm, and the end of tries while the platform is busy.
class AccountConnector : public delivery::Connector {
 public:
  AccountConnector(std::string name, Platform platform, const AccountOptions& account, CallbackOptions callback,
                   Logger* logger);

  const std::string& name() const override { return name_; }
  Channel channel() const override { return Channel::kWechat; }
  bool receipts_name_attempt() const override { return false; }
  delivery::SendResult Send(const delivery::SendRequest& request) override;
  delivery::QueryResult Query(const delivery::SendRequest&) override { return {}; }
  delivery::CallbackReply ParseCallback(const delivery::CallbackRequest& request) override;

 protected:
  virtual delivery::SendResult SendOnce(const delivery::SendRequest& request, Account::Time deadline) = 0;
  Account& account() { return *account_; }
  Instant Now() const { return clock_.Now(); }

 private:
  const std::string name_;
  const Platform platform_;
  const std::string receiver_;
  const CallbackOptions callback_;
  Logger& logger_;
  const SystemClock clock_;
  const std::shared_ptr<Account> account_;
  delivery::AlarmGate alarms_;
};

// A connector whose messages are templates with fields.
struct FieldMessages {
  std::string name;
  std::string receipt_scope;
  std::string path;
  delivery::UnknownPolicy unknown_policy = delivery::UnknownPolicy::kPark;
  Millis key_life{0};  // how long the platform knows the idempotency key
  bool one_at_a_time = false;
  bool needs_grant = false;
  delivery::Verdict (*verdict)(std::int64_t errcode) = nullptr;
  std::function<Result<std::string>(const std::string& template_id, const delivery::SendRequest&)> body;
  std::function<Status(const std::string& url)> check_link;
};
std::shared_ptr<delivery::Connector> NewFieldMessages(FieldMessages how, const MessageOptions& options, Logger* logger);

// A link that is no web address needs the mini-program whose page it is.
Status CheckServiceLink(const std::string& url, const std::string& miniprogram_app_id);

}  // namespace zhitui::wechat
