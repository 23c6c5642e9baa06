#include <httplib.h>

#include "wechat/wechat.h"
#include "wechat/wechat_callback.h"
#include "wechat/wechat_codes.h"
#include "wechat/wechat_fields.h"
#include "wechat/wechat_wire.h"

namespace zhitui::wechat {
namespace {

using delivery::HttpAnswer;
using delivery::HttpFate;
using delivery::SendResult;
using delivery::Verdict;
using Link = delivery::HttpLinkOf<httplib::Client, httplib::Request, httplib::Response, httplib::Error>;

// WeChat suppresses a repeated client_msg_id of one openid for ten minutes.
constexpr std::chrono::minutes kKeyLife(10);
constexpr Millis kThrottlePause(5000);
constexpr std::int64_t kInvalidTemplate = 40037;
constexpr std::int64_t kDailyQuota = 45009;
constexpr std::size_t kMaxContact = 128;
constexpr std::size_t kMaxFields = 20;

SendResult Outcome(Verdict verdict, std::string code, std::string detail = {}) {
  SendResult result;
  result.verdict = verdict;
  result.code = std::move(code);
  result.detail = std::move(detail);
  return result;
}

class TemplateMessage final : public delivery::Connector {
 public:
  TemplateMessage(TemplateMessageOptions options, Logger* logger)
      : options_(std::move(options)),
        logger_(logger == nullptr ? NullLogger() : *logger),
        http_(Http(options_), Link::Make),
        tokens_([this](Millis timeout) { return FetchToken(timeout); }) {}

  const std::string& name() const override { return name_; }
  Channel channel() const override { return Channel::kWechat; }
  delivery::UnknownPolicy unknown_policy() const override { return delivery::UnknownPolicy::kResend; }
  bool sends_receipts() const override { return true; }
  bool receipts_name_attempt() const override { return false; }

  Status Check(const message::Content& content) const override {
    if (content.channel != Channel::kWechat) return Invalid("not a WeChat message");
    if (!options_.templates.contains(content.provider_template)) {
      return Invalid("no template id is configured for the WeChat template " + content.provider_template);
    }
    if (content.fields.empty() || content.fields.size() > kMaxFields) {
      return Invalid("a WeChat template message has 1 to 20 fields");
    }
    for (const auto& [key, value] : content.fields) {
      const std::string fault = FieldFault(key, value);
      if (!fault.empty()) return Invalid("the WeChat field " + key + " " + fault);
    }
    if (!content.url.empty() && !IsWebLink(content.url) && options_.miniprogram_app_id.empty()) {
      return Invalid("the link is a mini-program page, but no miniprogram_app_id is configured");
    }
    return {};
  }

  Result<delivery::IdempotencyKey> NewKey(const std::string& attempt_id) override {
    return delivery::IdempotencyKey{attempt_id, clock_.Now() + kKeyLife};
  }

  SendResult Send(const delivery::SendRequest& request) override {
    const SendResult result = SendOnce(request);
    if (result.verdict == Verdict::kStopChannel && alarms_.Open(result.code)) {
      logger_.Error("connector_stopped", {{"connector", name_}, {"code", result.code}, {"detail", result.detail}});
    }
    return result;
  }

  delivery::QueryResult Query(const delivery::SendRequest&) override { return {}; }

  delivery::CallbackReply ParseCallback(const delivery::CallbackRequest& request) override {
    return AnswerCallback(options_.callback_token, request);
  }

 private:
  static delivery::HttpOptions Http(const TemplateMessageOptions& options) {
    delivery::HttpOptions http;
    // New is called with options that Validate made, so the URL is well formed.
    if (auto base = delivery::ParseBaseUrl(options.base_url)) http.base = *std::move(base);
    http.ca_file = options.ca_file;
    http.connect_timeout = options.connect_timeout;
    return http;
  }

  SendResult SendOnce(const delivery::SendRequest& request) {
    const auto deadline = std::chrono::steady_clock::now() + request.timeout;
    const auto id = options_.templates.find(request.content.provider_template);
    if (id == options_.templates.end()) return Outcome(Verdict::kFixMessage, "template");
    if (request.contact.empty() || request.contact.size() > kMaxContact) {
      return Outcome(Verdict::kDropContact, "contact");
    }
    const Result<std::string> body = TemplateBody(options_, id->second, request);
    if (!body) return Outcome(Verdict::kFixMessage, "utf8");

    // An errcode means that the message was not taken, so a second request is not a second message.
    bool token_renewed = false;
    bool template_tried = false;
    while (true) {
      delivery::TokenCache::Grant grant = tokens_.Get(deadline);
      if (grant.token.empty()) return grant.refused;
      const HttpAnswer answer =
          Post("/cgi-bin/message/template/send?access_token=" + delivery::PercentEncode(grant.token), *body, deadline);
      if (answer.fate != HttpFate::kAnswered) {
        return Outcome(answer.fate == HttpFate::kNotSent ? Verdict::kNotSent : Verdict::kUnknown, answer.fault);
      }
      const ApiAnswer api = ParseApiAnswer(answer.body);
      if (!api.errcode || (*api.errcode == 0 && !api.token.empty())) {
        return Outcome(Verdict::kUnknown, "http " + std::to_string(answer.status), "malformed answer");
      }
      if (IsTokenError(*api.errcode)) {
        tokens_.Drop(grant.generation);
        if (!std::exchange(token_renewed, true)) continue;
      }
      // Seen to pass: the same template is refused and taken a moment later.
      if (*api.errcode == kInvalidTemplate && !std::exchange(template_tried, true)) continue;
      return Conclude(api);
    }
  }

  SendResult Conclude(const ApiAnswer& api) const {
    SendResult result = Outcome(WechatVerdict(*api.errcode), std::to_string(*api.errcode), api.rid);
    if (result.verdict == Verdict::kAccepted) result.provider_id = api.msgid;
    if (result.verdict == Verdict::kThrottled) result.retry_after = kThrottlePause;
    if (*api.errcode == kDailyQuota) {
      const Instant now = clock_.Now();
      result.retry_after = kShanghai.StartOf(kShanghai.DateOf(now) + std::chrono::days(1)) - now;
    }
    return result;
  }

  delivery::TokenCache::Fetched FetchToken(Millis timeout) {
    delivery::TokenCache::Fetched fetched;
    const HttpAnswer answer =
        Post("/cgi-bin/stable_token", StableTokenBody(options_), std::chrono::steady_clock::now() + timeout);
    // Whatever happened to the request for a token, the message has not been sent.
    if (answer.fate != HttpFate::kAnswered) {
      fetched.refused = Outcome(Verdict::kNotSent, "token " + answer.fault);
      return fetched;
    }
    ApiAnswer api = ParseApiAnswer(answer.body);
    if (!api.errcode || (*api.errcode == 0 && api.token.empty())) {
      fetched.refused = Outcome(Verdict::kNotSent, "token http " + std::to_string(answer.status), "malformed answer");
      return fetched;
    }
    if (*api.errcode != 0) {
      fetched.refused = Conclude(api);
      fetched.refused.provider_id.clear();
      if (fetched.refused.verdict == Verdict::kFixMessage || fetched.refused.verdict == Verdict::kDropContact) {
        fetched.refused.verdict = Verdict::kStopChannel;  // it is not this message's fault
      }
      return fetched;
    }
    fetched.token = std::move(api.token);
    fetched.lifetime = api.expires_in;
    logger_.Info("wechat_token_renewed", {{"connector", name_}, {"lifetime_s", fetched.lifetime.count()}});
    return fetched;
  }

  HttpAnswer Post(std::string target, std::string body, std::chrono::steady_clock::time_point deadline) {
    delivery::HttpCall call;
    call.method = "POST";
    call.target = std::move(target);
    call.headers = {{"Content-Type", "application/json"}};
    call.body = std::move(body);
    return http_.Call(call, std::chrono::duration_cast<Millis>(deadline - std::chrono::steady_clock::now()));
  }

  const TemplateMessageOptions options_;
  Logger& logger_;
  const std::string name_ = "wechat";
  const SystemClock clock_;
  delivery::AlarmGate alarms_;
  delivery::HttpClient http_;
  delivery::TokenCache tokens_;
};

}  // namespace

std::vector<delivery::SettingDoc> TemplateMessageSettings() {
  return {
      {"base_url", "https://api.weixin.qq.com", false, false, {"接口地址", "address of the API"}},
      {"ca_file", "", false, false, {"受信任的根证书（PEM）", "trusted roots (PEM); empty: the system's"}},
      {"app_id", "", true, false, {"服务号的 AppID", "AppID of the service account"}},
      {"secret", "", true, true, {"服务号的 AppSecret", "its AppSecret"}},
      {"callback_token", "", true, true, {"消息推送的 Token，用于验签", "the token that signs call-backs"}},
      {"templates.*", "", false, false, {"模板名到模板 ID 的对应", "template id of each WeChat template"}},
      {"miniprogram_app_id",
       "",
       false,
       false,
       {"小程序 AppID；链接不是网址时跳转到它的页面", "mini-program that opens links which are pages, not URLs"}},
      {"connect_timeout_ms", "2000", false, false, {"建立连接的时限", "time to connect"}},
  };
}

std::optional<TemplateMessageOptions> ValidateTemplateMessage(const delivery::Settings& settings,
                                                              Diagnostics* diagnostics) {
  Diagnostics found;
  delivery::RefuseUnknownKeys(settings, TemplateMessageSettings(), &found);
  TemplateMessageOptions o;
  o.base_url = delivery::BaseUrlSetting(settings, "https://api.weixin.qq.com", &found);
  o.ca_file = delivery::FileSetting(settings, "ca_file", &found);
  o.app_id = settings.String("app_id", std::nullopt, &found);
  o.secret = settings.String("secret", std::nullopt, &found);
  o.callback_token = settings.String("callback_token", std::nullopt, &found);
  o.templates = settings.Table("templates");
  for (const auto& [name, id] : o.templates) {
    if (!id.empty()) continue;
    found.push_back({settings.At("templates." + name),
                     1,
                     "bad-value",
                     "the template id of " + name + " is empty",
                     "copy it from the account's template library",
                     {}});
  }
  o.miniprogram_app_id = settings.String("miniprogram_app_id", std::string(), &found);
  o.connect_timeout = Millis(settings.Int("connect_timeout_ms", 2000, 10, 60000, &found));
  const bool good = found.empty();
  if (diagnostics != nullptr) diagnostics->insert(diagnostics->end(), found.begin(), found.end());
  if (!good) return std::nullopt;
  return o;
}

std::shared_ptr<delivery::Connector> NewTemplateMessage(TemplateMessageOptions options, Logger* logger) {
  return std::make_shared<TemplateMessage>(std::move(options), logger);
}

}  // namespace zhitui::wechat
