#include "app/fcm.h"

#include <httplib.h>

#include "app/fcm_wire.h"

namespace zhitui::app {
namespace {

using delivery::HttpAnswer;
using delivery::HttpFate;
using delivery::SendResult;
using delivery::TokenCache;
using delivery::Verdict;
using Link = delivery::HttpLinkOf<httplib::Client, httplib::Request, httplib::Response, httplib::Error>;

constexpr std::size_t kMaxContact = 4096;
constexpr std::int64_t kMaxTtl = 2'419'200;  // four weeks

// All that comes from one state of the service account.
struct Account {
  Result<FcmAccount> file;
  std::unique_ptr<TokenCache> tokens;
};

class Fcm final : public delivery::Connector {
 public:
  Fcm(FcmOptions options, Logger* logger)
      : options_(std::move(options)),
        logger_(logger == nullptr ? NullLogger() : *logger),
        http_(HttpTo(options_.base_url, options_.ca_file, options_.connect_timeout), Link::Make),
        token_http_(HttpTo(options_.token_url, options_.ca_file, options_.connect_timeout), Link::Make),
        accounts_(options_.service_account, [this](const std::string& text) { return NewAccount(text); }) {}

  const std::string& name() const override { return name_; }
  Channel channel() const override { return Channel::kApp; }
  delivery::UnknownPolicy unknown_policy() const override { return delivery::UnknownPolicy::kPark; }
  bool sends_receipts() const override { return false; }

  Status Check(const message::Content& content) const override {
    if (const Status status = CheckAppContent(content); !status) return status;
    return CheckFcmSize(options_, content);
  }

  Result<delivery::IdempotencyKey> NewKey(const std::string& attempt_id) override {
    return delivery::IdempotencyKey{attempt_id, clock_.Now()};
  }

  SendResult Send(const delivery::SendRequest& request) override {
    const SendResult result = SendOnce(request);
    if (result.verdict == Verdict::kStopChannel && alarms_.Open(result.code)) {
      logger_.Error("connector_stopped", {{"connector", name_}, {"code", result.code}, {"detail", result.detail}});
    }
    return result;
  }

  delivery::QueryResult Query(const delivery::SendRequest&) override { return {}; }
  delivery::CallbackReply ParseCallback(const delivery::CallbackRequest&) override { return NoCallbacks("FCM"); }

 private:
  SendResult SendOnce(const delivery::SendRequest& request) {
    if (request.contact.empty() || request.contact.size() > kMaxContact || !IsValidUtf8(request.contact)) {
      return Refusal(Verdict::kDropContact, "contact");
    }
    const Result<std::string> body = FcmBody(options_, request);
    if (!body) return Refusal(Verdict::kFixMessage, "utf8");
    const std::shared_ptr<Account> account = accounts_.Get();
    if (!account->file) return Refusal(Verdict::kStopChannel, "credentials", account->file.error().message);
    const std::string target = "/v1/projects/" + delivery::PercentEncode(account->file->project_id) + "/messages:send";
    return SendWithToken(
        http_, *account->tokens, request.timeout,
        [&](const std::string& token) {
          return delivery::HttpCall{
              "POST", target, {{"Authorization", "Bearer " + token}, {"Content-Type", "application/json"}}, *body};
        },
        [&](const HttpAnswer& answer) { return ParseFcmAnswer(answer, clock_.Now()); });
  }

  std::shared_ptr<Account> NewAccount(const std::string& text) {
    auto account = std::make_shared<Account>(Account{ParseFcmAccount(text), nullptr});
    if (!account->file) return account;
    // The cache lives in the account, so the account outlives every call of it.
    const FcmAccount& file = *account->file;
    account->tokens = std::make_unique<TokenCache>([this, &file](Millis timeout) { return FetchToken(file, timeout); });
    return account;
  }

  TokenCache::Fetched FetchToken(const FcmAccount& account, Millis timeout) {
    const Result<std::string> assertion = FcmAssertion(account, clock_.Now());
    if (!assertion) return NoToken(Verdict::kStopChannel, "credentials", assertion.error().message);
    delivery::HttpCall call;
    call.method = "POST";
    call.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
    call.body = FcmTokenForm(*assertion);
    const HttpAnswer answer = token_http_.Call(call, timeout);
    if (answer.fate != HttpFate::kAnswered) return NoToken(Verdict::kNotSent, "token " + answer.fault);
    return ParseFcmToken(answer);
  }

  const FcmOptions options_;
  Logger& logger_;
  const std::string name_ = "fcm";
  const SystemClock clock_;
  delivery::AlarmGate alarms_;
  delivery::HttpClient http_;
  delivery::HttpClient token_http_;
  PerSecret<Account> accounts_;
};

}  // namespace

std::vector<delivery::SettingDoc> FcmSettings() {
  std::vector<delivery::SettingDoc> docs = {
      {"base_url", "https://fcm.googleapis.com", false, false, {"接口地址", "address of the API"}},
      {"token_url",
       "",
       false,
       false,
       {"换取令牌的地址；默认取服务账号文件中的 token_uri",
        "where tokens are fetched; default: token_uri of the service account"}},
      {"ca_file", "", false, false, {"受信任的根证书（PEM）", "trusted roots (PEM); empty: the system's"}},
      {"service_account", "", true, true, {"Firebase 服务账号的 JSON", "the JSON of a Firebase service account"}},
      {"time_to_live_s",
       "86400",
       false,
       false,
       {"离线消息保留秒数，最多四周", "seconds a message waits for a device that is off; at most four weeks"}},
      {"high_priority", "true", false, false, {"高优先级，立即唤醒设备", "high priority: wakes the device at once"}},
      {"connect_timeout_ms", "2000", false, false, {"建立连接的时限", "time to connect"}},
  };
  for (delivery::SettingDoc& doc : VisibleSettings()) docs.push_back(std::move(doc));
  return docs;
}

std::optional<FcmOptions> ValidateFcm(const delivery::Settings& settings, Diagnostics* diagnostics) {
  Diagnostics found;
  delivery::RefuseUnknownKeys(settings, FcmSettings(), &found);
  FcmOptions o;
  o.base_url = delivery::BaseUrlSetting(settings, "https://fcm.googleapis.com", &found);
  o.ca_file = delivery::FileSetting(settings, "ca_file", &found);
  o.service_account = settings.SecretOf("service_account", true, &found);
  o.token_url = settings.String("token_url", std::string(), &found);
  if (const std::string& text = o.service_account.Get()->text; !text.empty()) {
    const Result<FcmAccount> account = ParseFcmAccount(text);
    if (!account) {
      found.push_back({settings.At("service_account"),
                       1,
                       "bad-value",
                       account.error().message,
                       "download a new key of the service account from the Firebase console",
                       {}});
    } else if (o.token_url.empty()) {
      o.token_url = account->token_uri;
    }
  }
  if (!o.token_url.empty() && !delivery::ParseBaseUrl(o.token_url)) {
    found.push_back({settings.At("token_url"),
                     1,
                     "bad-value",
                     "token_url is not an http or https URL",
                     "for example https://oauth2.googleapis.com/token",
                     {}});
  }
  o.time_to_live_s = settings.Int("time_to_live_s", 86400, 0, kMaxTtl, &found);
  o.high_priority = settings.Bool("high_priority", true, &found);
  o.visible = ValidateVisible(settings, &found);
  o.connect_timeout = Millis(settings.Int("connect_timeout_ms", 2000, 10, 60000, &found));
  const bool good = found.empty();
  if (diagnostics != nullptr) diagnostics->insert(diagnostics->end(), found.begin(), found.end());
  if (!good) return std::nullopt;
  return o;
}

std::shared_ptr<delivery::Connector> NewFcm(FcmOptions options, Logger* logger) {
  return std::make_shared<Fcm>(std::move(options), logger);
}

}  // namespace zhitui::app
