#include "wechat/wechat_connector.h"

#include <utility>

#include "wechat/wechat_callback.h"
#include "wechat/wechat_codes.h"
#include "wechat/wechat_fields.h"
#include "wechat/wechat_wire.h"

namespace zhitui::wechat {
namespace {

using delivery::SendResult;
using delivery::Verdict;

constexpr std::int64_t kInvalidTemplate = 40037;
constexpr std::size_t kMaxContact = 128;
constexpr std::size_t kMaxFields = 20;

class FieldConnector final : public AccountConnector {
 public:
  FieldConnector(FieldMessages how, const MessageOptions& options, Logger* logger)
      : AccountConnector(how.name, Platform::kWechat, options, options.callback, logger),
        how_(std::move(how)),
        templates_(options.templates) {
    account().AddTemplates(templates_);
  }

  delivery::UnknownPolicy unknown_policy() const override { return how_.unknown_policy; }
  bool sends_receipts() const override { return true; }
  bool needs_grant() const override { return how_.needs_grant; }
  const std::string& receipt_scope() const override { return how_.receipt_scope; }

  Status Check(const message::Content& content) const override {
    if (content.channel != Channel::kWechat) return Invalid("not a WeChat message");
    if (!templates_.contains(content.provider_template)) {
      return Invalid("no template id is configured for the WeChat template " + content.provider_template);
    }
    if (content.fields.empty() || content.fields.size() > kMaxFields) {
      return Invalid("a WeChat template message has 1 to 20 fields");
    }
    for (const auto& [key, value] : content.fields) {
      const std::string fault = FieldFault(key, value);
      if (!fault.empty()) return Invalid("the WeChat field " + key + " " + fault);
    }
    return how_.check_link(content.url);
  }

  Result<delivery::IdempotencyKey> NewKey(const std::string& attempt_id) override {
    return delivery::IdempotencyKey{attempt_id, Now() + how_.key_life};
  }

 protected:
  SendResult SendOnce(const delivery::SendRequest& request, Account::Time deadline) override {
    const auto id = templates_.find(request.content.provider_template);
    if (id == templates_.end()) return Outcome(Verdict::kFixMessage, "template");
    if (request.contact.empty() || request.contact.size() > kMaxContact) {
      return Outcome(Verdict::kDropContact, "contact");
    }
    const Result<std::string> body = how_.body(id->second, request);
    if (!body) return Outcome(Verdict::kFixMessage, "utf8");

    std::unique_lock<std::timed_mutex> alone;
    if (how_.one_at_a_time) {
      alone = account().OneAtATime(request.contact, deadline);
      if (!alone.owns_lock()) return Outcome(Verdict::kNotSent, "lane_wait");
    }
    Account::Called called = account().Post(how_.path, *body, deadline);
    // Seen to pass: the same template is refused and taken a moment later. An errcode means that nothing was taken.
    if (called.api && *called.api->errcode == kInvalidTemplate) called = account().Post(how_.path, *body, deadline);
    if (!called.api) return called.result;
    return Conclude(*called.api, how_.verdict(*called.api->errcode), Now());
  }

 private:
  const FieldMessages how_;
  const std::map<std::string, std::string> templates_;
};

}  // namespace

AccountConnector::AccountConnector(std::string name, Platform platform, const AccountOptions& account,
                                   CallbackOptions callback, Logger* logger)
    : name_(std::move(name)),
      platform_(platform),
      receiver_(account.app_id),
      callback_(std::move(callback)),
      logger_(logger == nullptr ? NullLogger() : *logger),
      account_(Account::Of(platform, account, logger)) {}

SendResult AccountConnector::Send(const delivery::SendRequest& request) {
  SendResult result = SendOnce(request, std::chrono::steady_clock::now() + request.timeout);
  if (result.verdict == Verdict::kUnknown) account_->OutcomeUnknown(request);
  if (result.verdict == Verdict::kRetryLater && result.code == std::to_string(kSystemBusy) &&
      account_->BusyTooOften(request)) {
    // Three tries are all that the platforms ask for; the message goes to the next channel.
    result.verdict = Verdict::kFixMessage;
    result.detail += result.detail.empty() ? "third try" : ", third try";
  }
  if (result.verdict == Verdict::kStopChannel && alarms_.Open(result.code)) {
    logger_.Error("connector_stopped", {{"connector", name_}, {"code", result.code}, {"detail", result.detail}});
  }
  return result;
}

delivery::CallbackReply AccountConnector::ParseCallback(const delivery::CallbackRequest& request) {
  CallbackCheck check = CheckOf(callback_, receiver_);
  check.always_encrypted = platform_ == Platform::kWecom;
  return AnswerCallback(check, request, [this](const std::string& id) { return account_->TemplateName(id); }, Now());
}

std::shared_ptr<delivery::Connector> NewFieldMessages(FieldMessages how, const MessageOptions& options,
                                                      Logger* logger) {
  return std::make_shared<FieldConnector>(std::move(how), options, logger);
}

Status CheckServiceLink(const std::string& url, const std::string& miniprogram_app_id) {
  if (!url.empty() && !IsWebLink(url) && miniprogram_app_id.empty()) {
    return Invalid("the link is a mini-program page, but no miniprogram_app_id is configured");
  }
  return {};
}

}  // namespace zhitui::wechat
