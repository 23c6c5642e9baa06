#include <httplib.h>

#include <algorithm>

#include "sms/kannel_wire.h"
#include "sms/mainland.h"
#include "sms/sms.h"

namespace zhitui::sms {
namespace {

using delivery::HttpAnswer;
using delivery::HttpFate;
using delivery::SendResult;
using delivery::Verdict;
using Link = delivery::HttpLinkOf<httplib::Client, httplib::Request, httplib::Response, httplib::Error>;

constexpr char kDefaultUrl[] = "http://127.0.0.1:13013";
constexpr char kDefaultPath[] = "/cgi-bin/sendsms";

class Kannel final : public delivery::Connector {
 public:
  Kannel(KannelOptions options, Logger* logger)
      : options_(std::move(options)),
        logger_(logger == nullptr ? NullLogger() : *logger),
        http_(Http(options_), Link::Make) {}

  const std::string& name() const override { return name_; }
  Channel channel() const override { return Channel::kSms; }
  // smsbox knows no idempotency key and cannot be asked.
  delivery::UnknownPolicy unknown_policy() const override { return delivery::UnknownPolicy::kPark; }
  bool sends_receipts() const override { return !options_.callback_url.empty(); }
  std::int64_t CostMicros(const message::Content& content) const override {
    return SmsCost(content, options_.price_micros);
  }

  Status Check(const message::Content& content) const override {
    if (content.channel != Channel::kSms) return Invalid("not a text message");
    if (content.body.empty()) return Invalid("the text message is empty");
    if (!IsValidUtf8(content.body)) return Invalid("the text message is not valid UTF-8");
    if (message::SmsSegments(message::Utf16Length(content.body)) == 0) {
      return Invalid("the text message is longer than 500 characters");
    }
    return {};
  }

  Result<delivery::IdempotencyKey> NewKey(const std::string& attempt_id) override {
    return delivery::IdempotencyKey{attempt_id, clock_.Now()};
  }

  SendResult Send(const delivery::SendRequest& request) override {
    const std::optional<std::string> number = MainlandNumber(request.contact);
    if (!number) return Refused(Verdict::kDropContact, "contact");
    if (!Check(request.content)) return Refused(Verdict::kFixMessage, "text");
    const HttpAnswer answer = http_.Call(SendsmsCall(options_, *number, request), request.timeout);
    if (answer.fate != HttpFate::kAnswered) {
      return Refused(answer.fate == HttpFate::kNotSent ? Verdict::kNotSent : Verdict::kUnknown, answer.fault);
    }
    SendResult result = ParseSendsmsAnswer(answer);
    if (result.verdict == Verdict::kStopChannel && alarms_.Open(result.code)) {
      logger_.Error("connector_stopped", {{"connector", name_}, {"code", result.code}});
    }
    return result;
  }

  delivery::QueryResult Query(const delivery::SendRequest&) override { return {}; }

  // What is answered to a reply would be sent to the person, so every answer is empty.
  delivery::CallbackReply ParseCallback(const delivery::CallbackRequest& request) override {
    delivery::CallbackReply reply;
    if (request.method != "GET") {
      reply.status = 405;
      return reply;
    }
    if (!HasCallbackKey(request, options_.callback_key)) {
      reply.status = 401;
      return reply;
    }
    auto push = ParseKannelPush(request.query, options_.dead_codes);
    if (!push) {
      reply.status = 400;
      return reply;
    }
    if (push->receipt) reply.receipts.push_back(*std::move(push->receipt));
    if (push->signal) reply.signals.push_back(*std::move(push->signal));
    return reply;
  }

 private:
  static delivery::HttpOptions Http(const KannelOptions& options) {
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

  const KannelOptions options_;
  Logger& logger_;
  const std::string name_ = "kannel";
  const SystemClock clock_;
  delivery::AlarmGate alarms_;
  delivery::HttpClient http_;
};

}  // namespace

std::vector<delivery::SettingDoc> KannelSettings() {
  return {
      {"base_url", kDefaultUrl, false, false, {"smsbox 的地址", "address of smsbox"}},
      {"ca_file", "", false, false, {"受信任的根证书（PEM）", "trusted roots (PEM); empty: the system's"}},
      {"path", kDefaultPath, false, false, {"sendsms 的路径", "path of sendsms (sendsms-url)"}},
      {"username", "", true, false, {"sendsms-user 的用户名", "name of the sendsms-user"}},
      {"password", "", true, true, {"sendsms-user 的密码", "its password"}},
      {"from", "", true, false, {"发送号码", "the sender's number"}},
      {"smsc", "", false, false, {"使用的 SMSC 连接", "the SMSC connection to use (smsc-id)"}},
      {"number_prefix",
       "",
       false,
       false,
       {"手机号前缀：空、86、+86 或 0086", "before the 11 digits of a number: nothing, 86, +86 or 0086"}},
      {"callback_url",
       "",
       false,
       false,
       {"smsbox 访问本服务回调的地址；空则不要求状态报告",
        "where smsbox reaches this service's call-backs; empty: no delivery reports are asked for"}},
      {"callback_key",
       "",
       false,
       true,
       {"回调地址里 ?key= 的值；Kannel 不签名回调，建议设置",
        "value of ?key= in call-back URLs; Kannel does not sign call-backs, so set it"}},
      {"dead_codes",
       "",
       false,
       false,
       {"表示空号的状态码（如 UNDELIV/001），以逗号分隔",
        "codes of reports (UNDELIV/001), between commas, that mark a number as dead"}},
      {"price_cny", "0", false, false, {"每条（计费条）的价格，元", "price of one segment, in yuan"}},
      {"connect_timeout_ms", "2000", false, false, {"建立连接的时限", "time to connect"}},
  };
}

std::optional<KannelOptions> ValidateKannel(const delivery::Settings& settings, Diagnostics* diagnostics) {
  Diagnostics found;
  const auto wrong = [&](const char* key, std::string message, std::string hint) {
    found.push_back({settings.At(key), 1, "bad-value", std::move(message), std::move(hint), {}});
  };
  delivery::RefuseUnknownKeys(settings, KannelSettings(), &found);
  KannelOptions o;
  o.base_url = delivery::BaseUrlSetting(settings, kDefaultUrl, &found);
  o.ca_file = delivery::FileSetting(settings, "ca_file", &found);
  o.path = settings.String("path", kDefaultPath, &found);
  if (!o.path.starts_with('/') || o.path.find_first_of("?#% ") != std::string::npos) {
    wrong("path", "path is not the path of a URL", std::string("for example ") + kDefaultPath);
  }
  o.username = settings.String("username", std::nullopt, &found);
  o.password = settings.SecretOf("password", true, &found);
  o.from = settings.String("from", std::nullopt, &found);
  o.smsc = settings.String("smsc", std::string(), &found);
  o.number_prefix = settings.String("number_prefix", std::string(), &found);
  const std::vector<std::string> prefixes = {"", "86", "+86", "0086"};
  if (std::find(prefixes.begin(), prefixes.end(), o.number_prefix) == prefixes.end()) {
    wrong("number_prefix", "number_prefix is none of 86, +86 and 0086", "leave it out for the bare number");
  }
  o.callback_url = settings.String("callback_url", std::string(), &found);
  if (!o.callback_url.empty() &&
      (!delivery::ParseBaseUrl(o.callback_url) || o.callback_url.find('%') != std::string::npos)) {
    wrong("callback_url", "callback_url is not http(s)://host[:port]/path",
          "for example http://zhitui:8080/v1/receipts/kannel");
  }
  o.callback_key = settings.SecretOf("callback_key", false, &found);
  o.dead_codes = CodeList(settings.String("dead_codes", std::string(), &found));
  o.price_micros = settings.PriceMicros("price_cny", &found);
  o.connect_timeout = Millis(settings.Int("connect_timeout_ms", 2000, 10, 60000, &found));
  const bool good = found.empty();
  if (diagnostics != nullptr) diagnostics->insert(diagnostics->end(), found.begin(), found.end());
  if (!good) return std::nullopt;
  return o;
}

std::shared_ptr<delivery::Connector> NewKannel(KannelOptions options, Logger* logger) {
  return std::make_shared<Kannel>(std::move(options), logger);
}

}  // namespace zhitui::sms
