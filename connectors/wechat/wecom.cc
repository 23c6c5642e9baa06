#include "wechat/wecom.h"

#include <algorithm>
#include <utility>

#include "wechat/wechat_connector.h"
#include "wechat/wechat_wire.h"
#include "wechat/wecom_codes.h"

namespace zhitui::wechat {
namespace {

using delivery::SendResult;
using delivery::Verdict;

constexpr char kBaseUrl[] = "https://qyapi.weixin.qq.com";
constexpr std::size_t kMaxUserId = 64;
// A repeat is not sent in the last minute: it could arrive after the check has ended.
constexpr std::chrono::seconds kMargin(60);

// One member. "@all" and lists, whose separator is |, would tell others.
bool IsUserId(const std::string& id) {
  return !id.empty() && id.size() <= kMaxUserId && id.front() != '@' && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '@' || c == '.';
  });
}

class Wecom final : public AccountConnector {
 public:
  Wecom(WecomOptions options, Logger* logger)
      : AccountConnector("wecom", Platform::kWecom, options, options.callback, logger), options_(std::move(options)) {}

  delivery::UnknownPolicy unknown_policy() const override {
    return KeyLife() > std::chrono::seconds(0) ? delivery::UnknownPolicy::kResend : delivery::UnknownPolicy::kPark;
  }
  bool sends_receipts() const override { return false; }

  Status Check(const message::Content& content) const override {
    if (content.channel != Channel::kWechat) return Invalid("not a WeChat message");
    if (content.title.empty() || content.body.empty()) return Invalid("a WeCom message needs a title and a body");
    if (!IsValidUtf8(content.title) || !IsValidUtf8(content.body)) return Invalid("the message is not valid UTF-8");
    return {};
  }

  Result<delivery::IdempotencyKey> NewKey(const std::string& attempt_id) override {
    return delivery::IdempotencyKey{attempt_id, Now() + KeyLife()};
  }

 protected:
  SendResult SendOnce(const delivery::SendRequest& request, Account::Time deadline) override {
    if (!IsUserId(request.contact)) return Outcome(Verdict::kDropContact, "contact");
    if (request.content.title.empty() || request.content.body.empty()) return Outcome(Verdict::kFixMessage, "empty");
    const Result<std::string> body = WecomBody(options_, request);
    if (!body) return Outcome(Verdict::kFixMessage, "utf8");
    const Account::Called called = account().Post("/cgi-bin/message/send", *body, deadline);
    if (!called.api) return called.result;
    // Taken for nobody: the one receiver is not among the app's members.
    if (*called.api->errcode == 0 && !called.api->unreached.empty()) {
      return Outcome(Verdict::kDropContact, called.api->unreached);
    }
    return Conclude(*called.api, WecomVerdict(*called.api->errcode), Now());
  }

 private:
  std::chrono::seconds KeyLife() const {
    return std::max(std::chrono::seconds(options_.duplicate_check_s) - kMargin, std::chrono::seconds(0));
  }

  const WecomOptions options_;
};

}  // namespace

std::vector<delivery::SettingDoc> WecomSettings() {
  std::vector<delivery::SettingDoc> docs = {
      {"base_url", kBaseUrl, false, false, {"接口地址", "address of the API"}},
      {"corp_id", "", true, false, {"企业 ID", "id of the corporation"}},
      {"secret", "", true, true, {"应用的 Secret", "secret of the app"}},
      {"agent_id", "", true, false, {"应用的 AgentId", "AgentId of the app"}},
      {"safe", "false", false, false, {"保密消息：不能转发，带水印", "no forwarding, with a watermark"}},
      {"duplicate_check_s",
       "1800",
       false,
       false,
       {"企业微信丢弃重复消息的时间窗口（秒），最多 14400；0 为不查重，结果未知时交人工",
        "seconds in which WeCom drops a repeated message, at most 14400; 0: not at all, and unknown outcomes wait for "
        "a person"}},
  };
  for (delivery::SettingDoc& doc : CommonSettings(false)) docs.push_back(std::move(doc));
  return docs;
}

std::optional<WecomOptions> ValidateWecom(const delivery::Settings& settings, Diagnostics* diagnostics) {
  Diagnostics found;
  delivery::RefuseUnknownKeys(settings, WecomSettings(), &found);
  WecomOptions o;
  ReadAccount(settings, kBaseUrl, "corp_id", &o, &found);
  ReadCallback(settings, false, &o.callback, &found);
  settings.String("agent_id", std::nullopt, &found);
  if (settings.Find("agent_id") != nullptr) o.agent_id = settings.Int("agent_id", 0, 1, 2'147'483'647, &found);
  o.safe = settings.Bool("safe", false, &found);
  o.duplicate_check_s = settings.Int("duplicate_check_s", 1800, 0, 14400, &found);
  const bool good = found.empty();
  if (diagnostics != nullptr) diagnostics->insert(diagnostics->end(), found.begin(), found.end());
  if (!good) return std::nullopt;
  return o;
}

std::shared_ptr<delivery::Connector> NewWecom(WecomOptions options, Logger* logger) {
  return std::make_shared<Wecom>(std::move(options), logger);
}

}  // namespace zhitui::wechat
