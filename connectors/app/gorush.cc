#include "app/gorush.h"

#include <httplib.h>

#include <utility>

#include "app/app.h"
#include "app/gorush_wire.h"

namespace zhitui::app {
namespace {

using delivery::HttpAnswer;
using delivery::HttpFate;
using delivery::SendRequest;
using delivery::SendResult;
using delivery::Verdict;
using Link = delivery::HttpLinkOf<httplib::Client, httplib::Request, httplib::Response, httplib::Error>;

constexpr std::size_t kAnswerBytes = 256U << 10;
constexpr std::size_t kMaxCallback = 64U << 10;
constexpr std::size_t kPayloadBytes = 4000;  // what APNs, FCM and Huawei all take, with room for what gorush adds
constexpr std::size_t kIdLength = 40;

delivery::HttpOptions Http(const GorushOptions& options) {
  delivery::HttpOptions http;
  // New is called with options that Validate made, so the URL is well formed.
  if (auto base = delivery::ParseBaseUrl(options.base_url)) http.base = *std::move(base);
  http.ca_file = options.ca_file;
  http.connect_timeout = options.connect_timeout;
  http.max_answer_bytes = kAnswerBytes;
  return http;
}

class Gorush final : public delivery::Connector {
 public:
  Gorush(GorushOptions options, Logger* logger)
      : options_(std::move(options)),
        logger_(logger == nullptr ? NullLogger() : *logger),
        http_(Http(options_), Link::Make) {}

  const std::string& name() const override { return name_; }
  Channel channel() const override { return Channel::kApp; }
  // notif_id is a name in gorush's log, nothing more.
  delivery::UnknownPolicy unknown_policy() const override { return delivery::UnknownPolicy::kPark; }
  // The feedback hook tells failures only; of a message that arrives nothing comes.
  bool sends_receipts() const override { return false; }

  Status Check(const message::Content& content) const override {
    if (Status checked = CheckAppContent(content); !checked) return checked;
    SendRequest request;
    request.attempt_id = request.notification_id = std::string(kIdLength, '0');
    request.content = content;
    const auto body = GorushBody(options_, {1, ""}, request);
    if (!body) return std::unexpected(body.error());
    if (body->size() > kPayloadBytes) {
      return Invalid("the message has " + std::to_string(body->size()) + " bytes, push services take 4000");
    }
    return {};
  }

  Result<delivery::IdempotencyKey> NewKey(const std::string& attempt_id) override {
    return delivery::IdempotencyKey{attempt_id, clock_.Now()};
  }

  SendResult Send(const SendRequest& request) override {
    SendResult result;
    const auto contact = ParseGorushContact(request.contact);
    if (!contact) {
      result.verdict = Verdict::kDropContact;
      result.code = "contact";
      return result;
    }
    auto body = GorushBody(options_, *contact, request);
    if (!body) {
      result.verdict = Verdict::kFixMessage;
      result.code = "utf8";
      return result;
    }
    delivery::HttpCall call;
    call.method = "POST";
    call.target = "/api/push";
    call.headers = {{"Content-Type", "application/json"}};
    if (const auto secret = options_.authorization.Get(); !secret->text.empty()) {
      call.headers.emplace_back("Authorization", secret->text);
    }
    call.body = *std::move(body);
    const HttpAnswer answer = http_.Call(call, request.timeout);
    if (answer.fate != HttpFate::kAnswered) {
      result.verdict = answer.fate == HttpFate::kNotSent ? Verdict::kNotSent : Verdict::kUnknown;
      result.code = answer.fault;
    } else {
      result = ParseGorushAnswer(answer, options_.sync, request.attempt_id);
    }
    if (result.verdict == Verdict::kStopChannel && alarms_.Open(result.code)) {
      logger_.Error("connector_stopped", {{"connector", name_}, {"code", result.code}});
    }
    return result;
  }

  delivery::QueryResult Query(const SendRequest&) override { return {}; }

  delivery::CallbackReply ParseCallback(const delivery::CallbackRequest& request) override {
    const std::string expected = options_.callback_key.Get()->text;
    if (expected.empty()) return Reply(404, "no callback_key is set");
    if (request.method != "POST") return Reply(405, "POST only");
    const auto query = request.query.find("key");
    const auto header = request.headers.find("x-gorush-key");
    const bool by_query = request.query.count("key") == 1 && delivery::ConstantTimeEqual(query->second, expected);
    const bool by_header =
        request.headers.count("x-gorush-key") == 1 && delivery::ConstantTimeEqual(header->second, expected);
    if (!by_query && !by_header) return Reply(401, "wrong key");
    if (request.body.size() > kMaxCallback) return Reply(413, "too large");
    auto receipt = ParseGorushFeedback(request.body, clock_.Now());
    if (!receipt) return Reply(400, "not a log entry of gorush");
    delivery::CallbackReply reply = Reply(200, "ok");
    if (*receipt) reply.receipts.push_back(**std::move(receipt));
    return reply;
  }

 private:
  static delivery::CallbackReply Reply(int status, std::string body) {
    delivery::CallbackReply reply;
    reply.status = status;
    reply.body = std::move(body);
    return reply;
  }

  const GorushOptions options_;
  Logger& logger_;
  const std::string name_ = "gorush";
  const SystemClock clock_;
  delivery::AlarmGate alarms_;
  delivery::HttpClient http_;
};

}  // namespace

std::vector<delivery::SettingDoc> GorushSettings() {
  std::vector<delivery::SettingDoc> docs = {
      {"base_url", "", true, false, {"gorush 的地址", "address of gorush, for example http://gorush:8088"}},
      {"ca_file", "", false, false, {"受信任的根证书（PEM）", "trusted roots (PEM); empty: the system's"}},
      {"authorization",
       "",
       false,
       true,
       {"前置代理要求的 Authorization 请求头", "value of the Authorization header, for a proxy in front of gorush"}},
      {"sync",
       "true",
       false,
       false,
       {"gorush 是否以 core.sync: true 运行", "gorush runs with core.sync: true, so its answers tell what failed"}},
      {"ios_topic", "", false, false, {"iOS 应用的 Bundle ID", "bundle id of the iOS app; empty: gorush's setting"}},
      {"callback_key",
       "",
       false,
       true,
       {"feedback_hook_url 的密钥",
        "key of feedback_hook_url: ?key= or the header X-Gorush-Key; empty: none is taken"}},
      {"connect_timeout_ms", "2000", false, false, {"建立连接的时限", "time to connect"}},
  };
  for (delivery::SettingDoc& doc : VisibleSettings()) docs.push_back(std::move(doc));
  return docs;
}

std::optional<GorushOptions> ValidateGorush(const delivery::Settings& settings, Diagnostics* diagnostics) {
  Diagnostics found;
  delivery::RefuseUnknownKeys(settings, GorushSettings(), &found);
  GorushOptions o;
  if (!settings.String("base_url", std::nullopt, &found).empty()) {
    o.base_url = delivery::BaseUrlSetting(settings, "http://127.0.0.1:8088", &found);
  }
  o.ca_file = delivery::FileSetting(settings, "ca_file", &found);
  o.authorization = settings.SecretOf("authorization", false, &found);
  o.sync = settings.Bool("sync", true, &found);
  o.ios_topic = settings.String("ios_topic", "", &found);
  o.callback_key = settings.SecretOf("callback_key", false, &found);
  o.visible = ValidateVisible(settings, &found);
  o.connect_timeout = Millis(settings.Int("connect_timeout_ms", 2000, 10, 60000, &found));
  const bool good = found.empty();
  if (diagnostics != nullptr) diagnostics->insert(diagnostics->end(), found.begin(), found.end());
  if (!good) return std::nullopt;
  return o;
}

std::shared_ptr<delivery::Connector> NewGorush(GorushOptions options, Logger* logger) {
  return std::make_shared<Gorush>(std::move(options), logger);
}

}  // namespace zhitui::app
