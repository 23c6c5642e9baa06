#include <httplib.h>

#include <algorithm>

#include "sms/mainland.h"
#include "sms/sms.h"
#include "sms/tencent_wire.h"

namespace zhitui::sms {
namespace {

using delivery::Found;
using delivery::HttpAnswer;
using delivery::HttpFate;
using delivery::SendResult;
using delivery::Verdict;
using Link = delivery::HttpLinkOf<httplib::Client, httplib::Request, httplib::Response, httplib::Error>;

constexpr char kDefaultUrl[] = "https://sms.tencentcloudapi.com";
// Tencent knows no idempotency key. The expiry only says when the attempt was made, which a query needs.
constexpr std::chrono::hours kKeyLife(24);
constexpr std::chrono::minutes kQueryMargin(10);
constexpr std::size_t kMaxCallback = 1 << 20;
constexpr std::size_t kMaxSession = 511;

class Tencent final : public delivery::Connector {
 public:
  Tencent(TencentOptions options, Logger* logger)
      : options_(std::move(options)),
        logger_(logger == nullptr ? NullLogger() : *logger),
        http_(Http(options_), Link::Make) {}

  const std::string& name() const override { return name_; }
  Channel channel() const override { return Channel::kSms; }
  delivery::UnknownPolicy unknown_policy() const override {
    return options_.session_echo ? delivery::UnknownPolicy::kQuery : delivery::UnknownPolicy::kPark;
  }
  Millis settle_time() const override { return options_.settle_time; }
  bool sends_receipts() const override { return true; }
  bool receipts_name_attempt() const override { return false; }
  std::int64_t CostMicros(const message::Content& content) const override {
    return SmsCost(content, options_.price_micros);
  }

  Status Check(const message::Content& content) const override {
    if (content.channel != Channel::kSms) return Invalid("not a text message");
    if (!options_.templates.contains(content.provider_template)) {
      return Invalid("no TemplateId is configured for the SMS template " + content.provider_template);
    }
    return CheckParameters(content);
  }

  Result<delivery::IdempotencyKey> NewKey(const std::string& attempt_id) override {
    return delivery::IdempotencyKey{attempt_id, clock_.Now() + kKeyLife};
  }

  SendResult Send(const delivery::SendRequest& request) override {
    const auto id = options_.templates.find(request.content.provider_template);
    if (id == options_.templates.end()) return Refused(Verdict::kFixMessage, "template");
    const std::optional<std::string> number = MainlandNumber(request.contact);
    if (!number) return Refused(Verdict::kDropContact, "contact");
    if (request.attempt_id.size() > kMaxSession) return Refused(Verdict::kFixMessage, "session");
    Result<std::string> body = SendSmsBody(options_, id->second, *number, request);
    if (!body) return Refused(Verdict::kFixMessage, "utf8");
    const HttpAnswer answer = Call("SendSms", *std::move(body), request.timeout);
    if (answer.fate != HttpFate::kAnswered) {
      return Refused(answer.fate == HttpFate::kNotSent ? Verdict::kNotSent : Verdict::kUnknown, answer.fault);
    }
    SendResult result = ParseTencentAnswer(answer, clock_.Now());
    Alarm(result);
    return result;
  }

  delivery::QueryResult Query(const delivery::SendRequest& request) override {
    delivery::QueryResult query;
    query.result.code = "query";
    const std::optional<std::string> number = MainlandNumber(request.contact);
    if (!options_.session_echo || !number) return query;
    const Instant now = clock_.Now();
    const bool dated = request.key.expires > Instant{} + kKeyLife;
    const Instant from = (dated ? request.key.expires - kKeyLife : now) - kQueryMargin;
    const HttpAnswer answer =
        Call("PullSmsSendStatusByPhoneNumber", PullStatusBody(options_, *number, from, now), request.timeout);
    if (auto serial = FindSession(answer, request.attempt_id)) {
      query.found = Found::kYes;
      query.result.verdict = Verdict::kAccepted;
      query.result.provider_id = *std::move(serial);
    }
    return query;
  }

  delivery::CallbackReply ParseCallback(const delivery::CallbackRequest& request) override {
    if (request.method != "POST") return Reply(405, "POST only");
    if (!HasCallbackKey(request, options_.callback_key)) return Reply(401, "wrong key");
    if (request.body.size() > kMaxCallback) return Reply(413, "too large");
    auto push = ParseTencentPush(request.body, options_.dead_codes);
    if (!push) return Reply(400, "neither an array of states nor a reply");
    delivery::CallbackReply reply;
    reply.content_type = "application/json";
    reply.body = R"({"result":0,"errmsg":"OK"})";
    reply.receipts = std::move(push->receipts);
    reply.signals = std::move(push->signals);
    return reply;
  }

 private:
  static delivery::HttpOptions Http(const TencentOptions& options) {
    delivery::HttpOptions http;
    // New is called with options that Validate made, so the URL is well formed.
    if (auto base = delivery::ParseBaseUrl(options.base_url)) http.base = *std::move(base);
    http.ca_file = options.ca_file;
    http.connect_timeout = options.connect_timeout;
    return http;
  }

  static SendResult Refused(Verdict verdict, std::string code) {
    SendResult result;
    result.verdict = verdict;
    result.code = std::move(code);
    return result;
  }

  static delivery::CallbackReply Reply(int status, std::string body) {
    delivery::CallbackReply reply;
    reply.status = status;
    reply.body = std::move(body);
    return reply;
  }

  HttpAnswer Call(std::string_view action, std::string body, Millis timeout) {
    return http_.Call(TencentCall(options_, http_.options().base, action, std::move(body), clock_.Now()), timeout);
  }

  void Alarm(const SendResult& result) {
    if (result.verdict != Verdict::kStopChannel || !alarms_.Open(result.code)) return;
    logger_.Error("connector_stopped", {{"connector", name_}, {"code", result.code}, {"request_id", result.detail}});
  }

  const TencentOptions options_;
  Logger& logger_;
  const std::string name_ = "tencent";
  const SystemClock clock_;
  delivery::AlarmGate alarms_;
  delivery::HttpClient http_;
};

bool Digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::vector<delivery::SettingDoc> TencentSettings() {
  return {
      {"base_url", kDefaultUrl, false, false, {"接口地址", "address of the API"}},
      {"ca_file", "", false, false, {"受信任的根证书（PEM）", "trusted roots (PEM); empty: the system's"}},
      {"secret_id", "", true, false, {"SecretId", "SecretId"}},
      {"secret_key", "", true, true, {"SecretKey", "SecretKey"}},
      {"region", "ap-guangzhou", false, false, {"地域（X-TC-Region）", "region of the API (X-TC-Region)"}},
      {"sdk_app_id", "", true, false, {"短信应用的 SdkAppId", "SdkAppId of the SMS application"}},
      {"sign_name", "", true, false, {"短信签名内容，不带【】", "the approved signature, without 【】"}},
      {"templates.*", "", false, false, {"模板名到 TemplateId 的对应", "TemplateId of each SMS template"}},
      {"callback_key",
       "",
       false,
       true,
       {"回调地址里 ?key= 的值；腾讯云不签名回调，建议设置",
        "value of ?key= in the call-back URL; Tencent does not sign call-backs, so set it"}},
      {"dead_codes",
       "",
       false,
       false,
       {"表示空号的状态码（errmsg），以逗号分隔", "errmsg of reports, between commas, that mark a number as dead"}},
      {"price_cny", "0", false, false, {"每条（计费条）的价格，元", "price of one segment, in yuan"}},
      {"session_echo",
       "false",
       false,
       false,
       {"账号已开通状态中回传 SessionContext；开通后结果未知时可以查询",
        "Tencent has enabled SessionContext in this account's status answers; then an unknown outcome can be asked "
        "for"}},
      {"settle_time_ms",
       "600000",
       false,
       false,
       {"结果未知后查询多久；仍查不到则转人工", "how long an unknown outcome is asked for before a person decides"}},
      {"connect_timeout_ms", "2000", false, false, {"建立连接的时限", "time to connect"}},
  };
}

std::optional<TencentOptions> ValidateTencent(const delivery::Settings& settings, Diagnostics* diagnostics) {
  Diagnostics found;
  const auto wrong = [&](const std::string& key, std::string message, std::string hint) {
    found.push_back({settings.At(key), 1, "bad-value", std::move(message), std::move(hint), {}});
  };
  delivery::RefuseUnknownKeys(settings, TencentSettings(), &found);
  TencentOptions o;
  o.base_url = delivery::BaseUrlSetting(settings, kDefaultUrl, &found);
  o.ca_file = delivery::FileSetting(settings, "ca_file", &found);
  o.secret_id = settings.String("secret_id", std::nullopt, &found);
  o.secret_key = settings.SecretOf("secret_key", true, &found);
  o.region = settings.String("region", "ap-guangzhou", &found);
  o.sdk_app_id = settings.String("sdk_app_id", std::nullopt, &found);
  if (!o.sdk_app_id.empty() && !Digits(o.sdk_app_id)) {
    wrong("sdk_app_id", "sdk_app_id is not a number", "for example 1400006666");
  }
  o.sign_name = settings.String("sign_name", std::nullopt, &found);
  if (o.sign_name.find("【") != std::string::npos || o.sign_name.find("】") != std::string::npos) {
    wrong("sign_name", "sign_name has 【】, which the provider adds itself", "write the signature without 【】");
  }
  o.templates = settings.Table("templates");
  for (const auto& [name, id] : o.templates) {
    if (Digits(id)) continue;
    wrong("templates." + name, "the TemplateId of " + name + " is not a number", "for example 1110");
  }
  o.callback_key = settings.SecretOf("callback_key", false, &found);
  o.dead_codes = CodeList(settings.String("dead_codes", std::string(), &found));
  o.price_micros = settings.PriceMicros("price_cny", &found);
  o.session_echo = settings.Bool("session_echo", false, &found);
  o.settle_time = Millis(settings.Int("settle_time_ms", 600'000, 1'000, 86'400'000, &found));
  o.connect_timeout = Millis(settings.Int("connect_timeout_ms", 2000, 10, 60000, &found));
  const bool good = found.empty();
  if (diagnostics != nullptr) diagnostics->insert(diagnostics->end(), found.begin(), found.end());
  if (!good) return std::nullopt;
  return o;
}

std::shared_ptr<delivery::Connector> NewTencent(TencentOptions options, Logger* logger) {
  return std::make_shared<Tencent>(std::move(options), logger);
}

}  // namespace zhitui::sms
