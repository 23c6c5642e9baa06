#include <httplib.h>

#include <algorithm>

#include <openssl/rand.h>

#include "sms/aliyun_wire.h"
#include "sms/mainland.h"
#include "sms/sms.h"

namespace zhitui::sms {
namespace {

using delivery::Found;
using delivery::HttpAnswer;
using delivery::HttpFate;
using delivery::SendResult;
using delivery::Verdict;
using Link = delivery::HttpLinkOf<httplib::Client, httplib::Request, httplib::Response, httplib::Error>;

// Aliyun knows no idempotency key. The expiry only says when the attempt was made, which a query needs to name the day.
constexpr std::chrono::hours kKeyLife(24);
// A send may wait in a queue and on the wire, and land on the next day.
constexpr std::chrono::minutes kMidnightMargin(10);
constexpr int kPageSize = 50;
// 50 notices a day and number are the provider's own limit for one template; a number with more than this stays open.
constexpr int kMaxPages = 10;
constexpr std::size_t kMaxCallback = 1 << 20;

std::string RandomNonce() {
  unsigned char bytes[16];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return {};
  return HexLower(std::string_view(reinterpret_cast<const char*>(bytes), sizeof bytes));
}

std::string Day(Instant at) {
  std::string day = FormatDate(kShanghai.DateOf(at));
  day.erase(std::remove(day.begin(), day.end(), '-'), day.end());
  return day;
}

class Aliyun final : public delivery::Connector {
 public:
  Aliyun(AliyunOptions options, Logger* logger)
      : options_(std::move(options)),
        logger_(logger == nullptr ? NullLogger() : *logger),
        http_(Http(options_), Link::Make) {}

  const std::string& name() const override { return name_; }
  Channel channel() const override { return Channel::kSms; }
  delivery::UnknownPolicy unknown_policy() const override { return delivery::UnknownPolicy::kQuery; }
  Millis settle_time() const override { return options_.settle_time; }
  bool sends_receipts() const override { return true; }

  std::int64_t CostMicros(const message::Content& content) const override {
    return SmsCost(content, options_.price_micros);
  }

  Status Check(const message::Content& content) const override {
    if (content.channel != Channel::kSms) return Invalid("not a text message");
    if (!options_.templates.contains(content.provider_template)) {
      return Invalid("no TemplateCode is configured for the SMS template " + content.provider_template);
    }
    return CheckParameters(content);
  }

  Result<delivery::IdempotencyKey> NewKey(const std::string& attempt_id) override {
    return delivery::IdempotencyKey{attempt_id, clock_.Now() + kKeyLife};
  }

  SendResult Send(const delivery::SendRequest& request) override {
    SendResult result;
    const auto code = options_.templates.find(request.content.provider_template);
    if (code == options_.templates.end()) return Refused(Verdict::kFixMessage, "template");
    const std::optional<std::string> number = MainlandNumber(request.contact);
    if (!number) return Refused(Verdict::kDropContact, "contact");
    const Result<Pairs> query = SendSmsQuery(options_, code->second, *number, request);
    if (!query) return Refused(Verdict::kFixMessage, "utf8");
    const HttpAnswer answer = Call("SendSms", *query, request.timeout);
    if (answer.fate != HttpFate::kAnswered) {
      return Refused(answer.fate == HttpFate::kNotSent ? Verdict::kNotSent : Verdict::kUnknown, answer.fault);
    }
    result = ParseSendAnswer(answer, clock_.Now());
    Alarm(result);
    return result;
  }

  delivery::QueryResult Query(const delivery::SendRequest& request) override {
    delivery::QueryResult query;
    query.result.code = "query";
    const std::optional<std::string> number = MainlandNumber(request.contact);
    if (!number) return query;
    const auto deadline = std::chrono::steady_clock::now() + request.timeout;
    for (const std::string& day : Days(request)) {
      const DetailsPage page = FindOn(day, *number, request.attempt_id, deadline);
      if (page.found == Found::kYes) {
        query.found = Found::kYes;
        query.result.verdict = Verdict::kAccepted;
        query.result.provider_id = page.biz_id;
        return query;
      }
      if (page.found == Found::kNotYet) return query;
    }
    query.found = Found::kNo;
    return query;
  }

  delivery::CallbackReply ParseCallback(const delivery::CallbackRequest& request) override {
    delivery::CallbackReply reply;
    if (request.method != "POST") return Reply(405, "POST only");
    if (!HasCallbackKey(request, options_.callback_key)) return Reply(401, "wrong key");
    if (request.body.size() > kMaxCallback) return Reply(413, "too large");
    auto push = ParsePush(request.body, options_.dead_codes);
    if (!push) return Reply(400, "not an array of delivery reports or replies");
    reply.content_type = "application/json";
    reply.body = R"({"code":0,"msg":"接收成功"})";
    reply.receipts = std::move(push->receipts);
    reply.signals = std::move(push->signals);
    return reply;
  }

 private:
  static delivery::HttpOptions Http(const AliyunOptions& options) {
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

  // Every call has a fresh nonce and date: the service refuses a repeated signature.
  HttpAnswer Call(std::string_view action, const Pairs& query, Millis timeout) {
    const std::string nonce = RandomNonce();
    if (nonce.empty()) {
      HttpAnswer answer;
      answer.fate = HttpFate::kNotSent;
      answer.fault = "random";
      return answer;
    }
    return http_.Call(SignedCall(options_, http_.options().base, action, query, clock_.Now(), nonce), timeout);
  }

  // The days (UTC+8) the attempt may have been sent on.
  std::vector<std::string> Days(const delivery::SendRequest& request) const {
    const bool dated = request.key.expires > Instant{} + kKeyLife;
    const Instant from = dated ? request.key.expires - kKeyLife : clock_.Now() - kMidnightMargin;
    std::vector<std::string> days = {Day(from + kMidnightMargin)};
    if (Day(from) != days.front()) days.push_back(Day(from));
    return days;
  }

  DetailsPage FindOn(const std::string& day, const std::string& number, const std::string& attempt_id,
                     std::chrono::steady_clock::time_point deadline) {
    std::size_t seen = 0;
    for (int at = 1; at <= kMaxPages; ++at) {
      const auto left = std::chrono::duration_cast<Millis>(deadline - std::chrono::steady_clock::now());
      const Pairs query = {{"PhoneNumber", number},
                           {"SendDate", day},
                           {"PageSize", std::to_string(kPageSize)},
                           {"CurrentPage", std::to_string(at)}};
      const HttpAnswer answer = Call("QuerySendDetails", query, left);
      DetailsPage page = ParseDetails(answer, attempt_id);
      if (page.found != Found::kNo) return page;
      seen += page.rows;
      if (seen >= page.total) return page;
      if (page.rows == 0) break;
    }
    return {};  // not all of the list was seen
  }

  void Alarm(const SendResult& result) {
    if (result.verdict != Verdict::kStopChannel || !alarms_.Open(result.code)) return;
    logger_.Error("connector_stopped", {{"connector", name_}, {"code", result.code}, {"request_id", result.detail}});
  }

  const AliyunOptions options_;
  Logger& logger_;
  const std::string name_ = "aliyun";
  const SystemClock clock_;
  delivery::AlarmGate alarms_;
  delivery::HttpClient http_;
};

}  // namespace

std::vector<delivery::SettingDoc> AliyunSettings() {
  return {
      {"base_url", "https://dysmsapi.aliyuncs.com", false, false, {"接口地址", "address of the API"}},
      {"ca_file", "", false, false, {"受信任的根证书（PEM）", "trusted roots (PEM); empty: the system's"}},
      {"access_key_id", "", true, false, {"AccessKey ID", "AccessKey ID"}},
      {"access_key_secret", "", true, true, {"AccessKey Secret", "AccessKey Secret"}},
      {"signature", "sha256", false, false, {"签名算法：sha256 或国密 sm3", "how calls are signed: sha256 or sm3"}},
      {"sign_name", "", true, false, {"短信签名，不带【】", "the approved signature, without 【】"}},
      {"templates.*", "", false, false, {"模板名到 TemplateCode 的对应", "TemplateCode of each SMS template"}},
      {"callback_key",
       "",
       false,
       true,
       {"回执地址里 ?key= 的值；阿里云不签名回执，建议设置",
        "value of ?key= in the call-back URL; Aliyun does not sign reports, so set it"}},
      {"dead_codes",
       "",
       false,
       false,
       {"表示空号的回执错误码，以逗号分隔；阿里云的错误码不区分空号与关机，请慎用",
        "codes of reports, between commas, that mark a number as dead; Aliyun's own do not tell an empty number from a "
        "phone that is off"}},
      {"price_cny", "0", false, false, {"每条（计费条）的价格，元", "price of one segment, in yuan"}},
      {"settle_time_ms",
       "60000",
       false,
       false,
       {"结果未知后多久查不到才算没发", "how long after an unknown outcome a message that is not found was not sent"}},
      {"connect_timeout_ms", "2000", false, false, {"建立连接的时限", "time to connect"}},
  };
}

std::optional<AliyunOptions> ValidateAliyun(const delivery::Settings& settings, Diagnostics* diagnostics) {
  Diagnostics found;
  delivery::RefuseUnknownKeys(settings, AliyunSettings(), &found);
  AliyunOptions o;
  o.base_url = delivery::BaseUrlSetting(settings, "https://dysmsapi.aliyuncs.com", &found);
  o.ca_file = delivery::FileSetting(settings, "ca_file", &found);
  o.access_key_id = settings.String("access_key_id", std::nullopt, &found);
  o.access_key_secret = settings.SecretOf("access_key_secret", true, &found);
  const std::string signature = settings.String("signature", "sha256", &found);
  o.sm3 = signature == "sm3";
  if (signature != "sha256" && signature != "sm3") {
    found.push_back({settings.At("signature"),
                     1,
                     "bad-value",
                     "signature is neither sha256 nor sm3",
                     "leave it out for ACS3-HMAC-SHA256",
                     {}});
  }
  o.sign_name = settings.String("sign_name", std::nullopt, &found);
  if (o.sign_name.find("【") != std::string::npos || o.sign_name.find("】") != std::string::npos) {
    found.push_back({settings.At("sign_name"),
                     1,
                     "bad-value",
                     "sign_name has 【】, which the provider adds itself",
                     "write the signature without 【】",
                     {}});
  }
  o.templates = settings.Table("templates");
  for (const auto& [name, code] : o.templates) {
    if (code.starts_with("SMS_")) continue;
    found.push_back({settings.At("templates." + name),
                     1,
                     "bad-value",
                     "the TemplateCode of " + name + " does not begin with SMS_",
                     "for example SMS_154950909",
                     {}});
  }
  o.callback_key = settings.SecretOf("callback_key", false, &found);
  o.dead_codes = CodeList(settings.String("dead_codes", std::string(), &found));
  o.price_micros = settings.PriceMicros("price_cny", &found);
  o.settle_time = Millis(settings.Int("settle_time_ms", 60'000, 1'000, 86'400'000, &found));
  o.connect_timeout = Millis(settings.Int("connect_timeout_ms", 2000, 10, 60000, &found));
  const bool good = found.empty();
  if (diagnostics != nullptr) diagnostics->insert(diagnostics->end(), found.begin(), found.end());
  if (!good) return std::nullopt;
  return o;
}

std::shared_ptr<delivery::Connector> NewAliyun(AliyunOptions options, Logger* logger) {
  return std::make_shared<Aliyun>(std::move(options), logger);
}

}  // namespace zhitui::sms
