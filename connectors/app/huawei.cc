#include "app/huawei.h"

#include <httplib.h>

#include "app/huawei_wire.h"

namespace zhitui::app {
namespace {

using delivery::HttpAnswer;
using delivery::HttpFate;
using delivery::SendResult;
using delivery::TokenCache;
using delivery::Verdict;
using Link = delivery::HttpLinkOf<httplib::Client, httplib::Request, httplib::Response, httplib::Error>;

constexpr std::size_t kMaxContact = 512;
constexpr std::int64_t kMaxTtl = 1'296'000;  // 15 days
// A signed token is good for an hour; it is made anew a little earlier, for clocks that differ.
constexpr std::chrono::seconds kTokenUse(3300);
// A phone tells a repeat for 24 hours; an hour is left for a message that waits there.
constexpr std::chrono::hours kRepeatLife(23);

// All that comes from one state of the secret.
struct Account {
  std::optional<HuaweiAccount> file;  // v3
  std::string fault;                  // why there is none
  std::unique_ptr<TokenCache> tokens;
};

class Huawei final : public delivery::Connector {
 public:
  Huawei(HuaweiOptions options, Logger* logger)
      : options_(std::move(options)),
        logger_(logger == nullptr ? NullLogger() : *logger),
        http_(HttpTo(options_.base_url, options_.ca_file, options_.connect_timeout), Link::Make),
        token_http_(HttpTo(options_.token_url, options_.ca_file, options_.connect_timeout), Link::Make),
        accounts_(v3() ? options_.service_account : options_.client_secret,
                  [this](const std::string& text) { return v3() ? AccountV3(text) : AccountV1(text); }) {}

  const std::string& name() const override { return name_; }
  Channel channel() const override { return Channel::kApp; }
  delivery::UnknownPolicy unknown_policy() const override {
    return v3() && options_.resend_unknown ? delivery::UnknownPolicy::kResend : delivery::UnknownPolicy::kPark;
  }
  bool sends_receipts() const override { return false; }

  Status Check(const message::Content& content) const override {
    if (const Status status = CheckAppContent(content); !status) return status;
    return CheckHuaweiSize(options_, content);
  }

  Result<delivery::IdempotencyKey> NewKey(const std::string& attempt_id) override {
    const Instant now = clock_.Now();
    return delivery::IdempotencyKey{attempt_id,
                                    unknown_policy() == delivery::UnknownPolicy::kResend ? now + kRepeatLife : now};
  }

  SendResult Send(const delivery::SendRequest& request) override {
    const SendResult result = SendOnce(request);
    if (result.verdict == Verdict::kStopChannel && alarms_.Open(result.code)) {
      logger_.Error("connector_stopped", {{"connector", name_}, {"code", result.code}, {"detail", result.detail}});
    }
    return result;
  }

  delivery::QueryResult Query(const delivery::SendRequest&) override { return {}; }
  delivery::CallbackReply ParseCallback(const delivery::CallbackRequest&) override { return NoCallbacks("Huawei"); }

 private:
  bool v3() const { return options_.api == HuaweiApi::kV3; }

  SendResult SendOnce(const delivery::SendRequest& request) {
    if (request.contact.empty() || request.contact.size() > kMaxContact || !IsValidUtf8(request.contact)) {
      return Refusal(Verdict::kDropContact, "contact");
    }
    const Result<std::string> body = HuaweiBody(options_, request);
    if (!body) return Refusal(Verdict::kFixMessage, "utf8");
    const std::shared_ptr<Account> account = accounts_.Get();
    if (!account->fault.empty()) return Refusal(Verdict::kStopChannel, "credentials", account->fault);
    const std::string target = v3() ? "/v3/" + delivery::PercentEncode(account->file->project_id) + "/messages:send"
                                    : "/v1/" + delivery::PercentEncode(options_.app_id) + "/messages:send";
    return SendWithToken(
        http_, *account->tokens, request.timeout,
        [&](const std::string& token) {
          delivery::HttpCall call;
          call.method = "POST";
          call.target = target;
          call.headers = {{"Authorization", "Bearer " + token}, {"Content-Type", "application/json;charset=UTF-8"}};
          if (v3()) call.headers.emplace_back("push-type", "0");
          call.body = *body;
          return call;
        },
        ParseHuaweiAnswer);
  }

  std::shared_ptr<Account> AccountV3(const std::string& text) {
    auto account = std::make_shared<Account>();
    Result<HuaweiAccount> file = ParseHuaweiAccount(text);
    if (!file) {
      account->fault = file.error().message;
      return account;
    }
    account->file = *std::move(file);
    // The cache lives in the account, so the account outlives every call of it.
    const HuaweiAccount& signer = *account->file;
    account->tokens = std::make_unique<TokenCache>([this, &signer](Millis) {
      Result<std::string> token = HuaweiToken(signer, options_.audience, clock_.Now());
      if (!token) return NoToken(Verdict::kStopChannel, "credentials", token.error().message);
      TokenCache::Fetched fetched;
      fetched.token = *std::move(token);
      fetched.lifetime = kTokenUse;
      return fetched;
    });
    return account;
  }

  std::shared_ptr<Account> AccountV1(const std::string& secret) {
    auto account = std::make_shared<Account>();
    account->tokens = std::make_unique<TokenCache>([this, secret](Millis timeout) {
      delivery::HttpCall call;
      call.method = "POST";
      call.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
      call.body = HuaweiTokenForm(options_.app_id, secret);
      const HttpAnswer answer = token_http_.Call(call, timeout);
      if (answer.fate != HttpFate::kAnswered) return NoToken(Verdict::kNotSent, "token " + answer.fault);
      return ParseHuaweiToken(answer);
    });
    return account;
  }

  const HuaweiOptions options_;
  Logger& logger_;
  const std::string name_ = "huawei";
  const SystemClock clock_;
  delivery::AlarmGate alarms_;
  delivery::HttpClient http_;
  delivery::HttpClient token_http_;
  PerSecret<Account> accounts_;
};

bool IsCategory(const std::string& text) {
  return !text.empty() && text.size() <= 32 &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == std::string::npos;
}

void Complain(Diagnostics* found, Location at, std::string message, std::string hint) {
  found->push_back({std::move(at), 1, "bad-value", std::move(message), std::move(hint), {}});
}

}  // namespace

std::vector<delivery::SettingDoc> HuaweiSettings() {
  const HuaweiOptions defaults;
  std::vector<delivery::SettingDoc> docs = {
      {"api",
       "v3",
       false,
       false,
       {"接口版本：v3（HarmonyOS 5 及以上）或 v1（EMUI、HarmonyOS 3 和 4）",
        "version of the API: v3 for HarmonyOS 5 and later, v1 for EMUI and HarmonyOS 3 and 4"}},
      {"base_url", defaults.base_url, false, false, {"接口地址", "address of the API"}},
      {"ca_file", "", false, false, {"受信任的根证书（PEM）", "trusted roots (PEM); empty: the system's"}},
      {"service_account",
       "",
       false,
       true,
       {"v3：服务账号密钥文件的 JSON", "v3: the JSON key file of a service account"}},
      {"audience", defaults.audience, false, false, {"v3：令牌的 aud", "v3: aud of the signed token"}},
      {"app_id", "", false, false, {"v1：OAuth 客户端 ID", "v1: the OAuth client id"}},
      {"client_secret", "", false, true, {"v1：OAuth 客户端密钥", "v1: the OAuth client secret"}},
      {"token_url", defaults.token_url, false, false, {"v1：换取令牌的地址", "v1: where tokens are fetched"}},
      {"category",
       defaults.category,
       false,
       false,
       {"消息类别；未获自分类权益时只能是 MARKETING", "category; MARKETING until Huawei grants another"}},
      {"time_to_live_s",
       "86400",
       false,
       false,
       {"离线消息保留秒数，最多 15 天", "seconds a message waits for a device that is off; at most 15 days"}},
      {"test_message", "false", false, false, {"按测试消息发送，不占日限额", "send as test messages"}},
      {"resend_unknown",
       "false",
       false,
       false,
       {"v3：结果不明时重发，由手机按 appMessageId 去重（24 小时内，重启失效）",
        "v3: resend what is unknown; the phone shows an appMessageId once in 24 hours, until it restarts"}},
      {"connect_timeout_ms", "2000", false, false, {"建立连接的时限", "time to connect"}},
  };
  for (delivery::SettingDoc& doc : VisibleSettings()) docs.push_back(std::move(doc));
  return docs;
}

std::optional<HuaweiOptions> ValidateHuawei(const delivery::Settings& settings, Diagnostics* diagnostics) {
  Diagnostics found;
  delivery::RefuseUnknownKeys(settings, HuaweiSettings(), &found);
  HuaweiOptions o;
  const std::string api = settings.String("api", "v3", &found);
  if (api != "v3" && api != "v1")
    Complain(&found, settings.At("api"), "api is neither v3 nor v1", "leave it out for v3");
  o.api = api == "v1" ? HuaweiApi::kV1 : HuaweiApi::kV3;
  const bool v3 = o.api == HuaweiApi::kV3;
  o.base_url = delivery::BaseUrlSetting(settings, o.base_url, &found);
  o.ca_file = delivery::FileSetting(settings, "ca_file", &found);
  o.service_account = settings.SecretOf("service_account", v3, &found);
  if (const std::string& text = o.service_account.Get()->text; v3 && !text.empty()) {
    const Result<HuaweiAccount> account = ParseHuaweiAccount(text);
    if (!account) {
      Complain(&found, settings.At("service_account"), account.error().message,
               "download a new key file from the API Console of HUAWEI Developers");
    }
  }
  o.audience = settings.String("audience", o.audience, &found);
  o.app_id = settings.String("app_id", v3 ? std::optional<std::string>("") : std::nullopt, &found);
  o.client_secret = settings.SecretOf("client_secret", !v3, &found);
  o.token_url = settings.String("token_url", o.token_url, &found);
  if (!delivery::ParseBaseUrl(o.token_url)) {
    Complain(&found, settings.At("token_url"), "token_url is not an http or https URL", "leave it out for the default");
  }
  o.category = settings.String("category", o.category, &found);
  if (!IsCategory(o.category)) {
    Complain(&found, settings.At("category"), "category is not one of Huawei's", "for example MARKETING or WORK");
  }
  o.time_to_live_s = settings.Int("time_to_live_s", 86400, 1, kMaxTtl, &found);
  o.test_message = settings.Bool("test_message", false, &found);
  o.resend_unknown = settings.Bool("resend_unknown", false, &found);
  if (o.resend_unknown && !v3) {
    Complain(&found, settings.At("resend_unknown"), "resend_unknown needs v3: v1 has no id that tells a repeat",
             "leave it out");
  }
  o.visible = ValidateVisible(settings, &found);
  o.connect_timeout = Millis(settings.Int("connect_timeout_ms", 2000, 10, 60000, &found));
  const bool good = found.empty();
  if (diagnostics != nullptr) diagnostics->insert(diagnostics->end(), found.begin(), found.end());
  if (!good) return std::nullopt;
  return o;
}

std::shared_ptr<delivery::Connector> NewHuawei(HuaweiOptions options, Logger* logger) {
  return std::make_shared<Huawei>(std::move(options), logger);
}

}  // namespace zhitui::app
