#include "app/getui.h"

#include <httplib.h>

#include "app/getui_wire.h"

namespace zhitui::app {
namespace {

using delivery::HttpAnswer;
using delivery::HttpFate;
using delivery::SendResult;
using delivery::TokenCache;
using delivery::Verdict;
using Link = delivery::HttpLinkOf<httplib::Client, httplib::Request, httplib::Response, httplib::Error>;

constexpr std::size_t kMaxContact = 128;
constexpr std::int64_t kMaxTtl = 259'200;  // three days
constexpr const char* kJson = "application/json;charset=utf-8";

class Getui final : public delivery::Connector {
 public:
  Getui(GetuiOptions options, Logger* logger)
      : options_(std::move(options)),
        logger_(logger == nullptr ? NullLogger() : *logger),
        app_(std::string("/") + delivery::PercentEncode(options_.app_id)),
        http_(HttpTo(options_.base_url, options_.ca_file, options_.connect_timeout), Link::Make),
        tokens_(options_.master_secret, [this](const std::string& secret) {
          return std::make_shared<TokenCache>([this, secret](Millis timeout) { return Authenticate(secret, timeout); });
        }) {}

  const std::string& name() const override { return name_; }
  Channel channel() const override { return Channel::kApp; }
  delivery::UnknownPolicy unknown_policy() const override {
    return options_.repeat_window_s > 0 ? delivery::UnknownPolicy::kResend : delivery::UnknownPolicy::kPark;
  }
  bool sends_receipts() const override { return false; }

  Status Check(const message::Content& content) const override {
    if (const Status status = CheckAppContent(content); !status) return status;
    return CheckGetuiSize(options_, content);
  }

  Result<delivery::IdempotencyKey> NewKey(const std::string& attempt_id) override {
    return delivery::IdempotencyKey{GetuiRequestId(attempt_id),
                                    clock_.Now() + std::chrono::seconds(options_.repeat_window_s)};
  }

  SendResult Send(const delivery::SendRequest& request) override {
    const SendResult result = SendOnce(request);
    if (result.verdict == Verdict::kStopChannel && alarms_.Open(result.code)) {
      logger_.Error("connector_stopped", {{"connector", name_}, {"code", result.code}, {"detail", result.detail}});
    }
    return result;
  }

  delivery::QueryResult Query(const delivery::SendRequest&) override { return {}; }
  delivery::CallbackReply ParseCallback(const delivery::CallbackRequest&) override { return NoCallbacks("Getui"); }

 private:
  SendResult SendOnce(const delivery::SendRequest& request) {
    if (request.contact.empty() || request.contact.size() > kMaxContact || !IsValidUtf8(request.contact)) {
      return Refusal(Verdict::kDropContact, "contact");
    }
    const Result<std::string> body = GetuiBody(options_, request);
    if (!body) return Refusal(Verdict::kFixMessage, "utf8");
    const std::shared_ptr<TokenCache> tokens = tokens_.Get();
    return SendWithToken(
        http_, *tokens, request.timeout,
        [&](const std::string& token) {
          return delivery::HttpCall{
              "POST", app_ + "/push/single/cid", {{"token", token}, {"Content-Type", kJson}}, *body};
        },
        [&](const HttpAnswer& answer) { return ParseGetuiAnswer(answer, clock_.Now()); });
  }

  TokenCache::Fetched Authenticate(const std::string& secret, Millis timeout) {
    const Instant now = clock_.Now();
    Result<std::string> body = GetuiAuthBody(options_.app_key, now.time_since_epoch().count(), secret);
    if (!body) return NoToken(Verdict::kStopChannel, "credentials", body.error().message);
    const HttpAnswer answer =
        http_.Call({"POST", app_ + "/auth", {{"Content-Type", kJson}}, *std::move(body)}, timeout);
    if (answer.fate != HttpFate::kAnswered) return NoToken(Verdict::kNotSent, "token " + answer.fault);
    return ParseGetuiAuth(answer, now);
  }

  const GetuiOptions options_;
  Logger& logger_;
  const std::string name_ = "getui";
  const std::string app_;  // "/<app id>"
  const SystemClock clock_;
  delivery::AlarmGate alarms_;
  delivery::HttpClient http_;
  PerSecret<TokenCache> tokens_;
};

}  // namespace

std::vector<delivery::SettingDoc> GetuiSettings() {
  const GetuiOptions defaults;
  std::vector<delivery::SettingDoc> docs = {
      {"base_url", defaults.base_url, false, false, {"接口地址", "address of the API"}},
      {"ca_file", "", false, false, {"受信任的根证书（PEM）", "trusted roots (PEM); empty: the system's"}},
      {"app_id", "", true, false, {"个推应用的 AppID", "AppID of the Getui application"}},
      {"app_key", "", true, false, {"个推应用的 AppKey", "its AppKey"}},
      {"master_secret", "", true, true, {"个推应用的 MasterSecret", "its MasterSecret"}},
      {"time_to_live_s",
       "86400",
       false,
       false,
       {"离线消息保留秒数，最多 3 天", "seconds a message waits for a device that is off; at most three days"}},
      {"vendor_channels",
       "true",
       false,
       false,
       {"同时使用手机厂商通道和 APNs", "use the channels of phone makers and APNs as well"}},
      {"repeat_window_s",
       "600",
       false,
       false,
       {"同一 request_id 多少秒内重发是安全的；0 表示不重发",
        "for how many seconds a request_id may be sent again; 0: never"}},
      {"connect_timeout_ms", "2000", false, false, {"建立连接的时限", "time to connect"}},
  };
  for (delivery::SettingDoc& doc : VisibleSettings()) docs.push_back(std::move(doc));
  return docs;
}

std::optional<GetuiOptions> ValidateGetui(const delivery::Settings& settings, Diagnostics* diagnostics) {
  Diagnostics found;
  delivery::RefuseUnknownKeys(settings, GetuiSettings(), &found);
  GetuiOptions o;
  o.base_url = delivery::BaseUrlSetting(settings, o.base_url, &found);
  o.ca_file = delivery::FileSetting(settings, "ca_file", &found);
  o.app_id = settings.String("app_id", std::nullopt, &found);
  o.app_key = settings.String("app_key", std::nullopt, &found);
  o.master_secret = settings.SecretOf("master_secret", true, &found);
  o.time_to_live_s = settings.Int("time_to_live_s", 86400, 0, kMaxTtl, &found);
  o.vendor_channels = settings.Bool("vendor_channels", true, &found);
  o.repeat_window_s = settings.Int("repeat_window_s", 600, 0, 86400, &found);
  o.visible = ValidateVisible(settings, &found);
  o.connect_timeout = Millis(settings.Int("connect_timeout_ms", 2000, 10, 60000, &found));
  const bool good = found.empty();
  if (diagnostics != nullptr) diagnostics->insert(diagnostics->end(), found.begin(), found.end());
  if (!good) return std::nullopt;
  return o;
}

std::shared_ptr<delivery::Connector> NewGetui(GetuiOptions options, Logger* logger) {
  return std::make_shared<Getui>(std::move(options), logger);
}

}  // namespace zhitui::app
