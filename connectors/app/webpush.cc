#include "app/webpush.h"

#include <httplib.h>

#include <list>
#include <mutex>
#include <utility>

#include "app/app.h"
#include "app/webpush_wire.h"

namespace zhitui::app {
namespace {

using delivery::HttpAnswer;
using delivery::HttpFate;
using delivery::SendRequest;
using delivery::SendResult;
using delivery::Verdict;
using Link = delivery::HttpLinkOf<httplib::Client, httplib::Request, httplib::Response, httplib::Error>;

// exp may be a day away at most (RFC 8292 section 2); clocks differ, and Apple asks for less than a day.
constexpr std::chrono::hours kTokenLife(12);
constexpr std::chrono::hours kTokenMargin(6);
constexpr std::size_t kMaxServices = 16;  // of which connections and a token are kept
constexpr std::size_t kAnswerBytes = 64U << 10;
// Ids of the length the product uses, to measure a message before it has any.
constexpr std::size_t kIdLength = 40;

class Webpush final : public delivery::Connector {
 public:
  Webpush(WebpushOptions options, Logger* logger)
      : options_(std::move(options)), logger_(logger == nullptr ? NullLogger() : *logger) {
    // New is called with options that Validate made, so the list is well formed.
    if (auto hosts = HostList::Parse(options_.allowed_hosts)) hosts_ = *std::move(hosts);
  }

  const std::string& name() const override { return name_; }
  Channel channel() const override { return Channel::kApp; }
  // A message with the same Topic replaces one that still waits, not one that was shown: a repeat may be seen twice.
  delivery::UnknownPolicy unknown_policy() const override { return delivery::UnknownPolicy::kPark; }
  bool sends_receipts() const override { return false; }

  Status Check(const message::Content& content) const override {
    if (Status checked = CheckAppContent(content); !checked) return checked;
    SendRequest request;
    request.attempt_id = request.notification_id = std::string(kIdLength, '0');
    request.content = content;
    const auto text = WebpushText(options_, request);
    if (!text) return std::unexpected(text.error());
    if (text->size() > kPushTextBytes) {
      return Invalid("the message has " + std::to_string(text->size()) + " bytes, a push message takes " +
                     std::to_string(kPushTextBytes));
    }
    return {};
  }

  Result<delivery::IdempotencyKey> NewKey(const std::string& attempt_id) override {
    return delivery::IdempotencyKey{attempt_id, clock_.Now()};
  }

  SendResult Send(const SendRequest& request) override {
    const auto subscription = ParseSubscription(request.contact);
    if (!subscription) return Refused(Verdict::kDropContact, "subscription");
    if (!hosts_.Allows(subscription->service)) return Refused(Verdict::kDropContact, "host");
    const auto text = WebpushText(options_, request);
    if (!text) return Refused(Verdict::kFixMessage, "utf8");
    if (text->size() > kPushTextBytes) return Refused(Verdict::kFixMessage, "too_large");
    const auto sender = NewPushSender();
    if (!sender) return Refused(Verdict::kStopChannel, "random");
    auto body = EncryptPush(subscription->receiver, *sender, *text, WebpushPadding(text->size(), options_.pad_to));
    if (!body) return Refused(Verdict::kDropContact, "subscription");
    const std::shared_ptr<Service> service = ServiceOf(subscription->service);
    const auto token = service->tokens.Get(clock_.Now());
    if (!token) return Refused(Verdict::kStopChannel, "key");
    const HttpAnswer answer = service->http.Call(
        WebpushCall(options_, *subscription, token->text, *std::move(body), request.notification_id), request.timeout);
    SendResult result;
    if (answer.fate != HttpFate::kAnswered) {
      result.verdict = answer.fate == HttpFate::kNotSent ? Verdict::kNotSent : Verdict::kUnknown;
      result.code = answer.fault;
    } else {
      result = ParseWebpushAnswer(answer, clock_.Now());
    }
    Alarm(result);
    return result;
  }

  delivery::QueryResult Query(const SendRequest&) override { return {}; }

  delivery::CallbackReply ParseCallback(const delivery::CallbackRequest&) override {
    delivery::CallbackReply reply;
    reply.status = 404;
    reply.body = "push services send no call-backs";
    return reply;
  }

 private:
  // One push service: its connections, and the token that names it.
  struct Service {
    Service(const WebpushOptions& options, const delivery::BaseUrl& base)
        : origin(WebpushOrigin(base)),
          http(Http(options, base), Link::Make),
          tokens(options.vapid_key, kTokenLife, kTokenMargin,
                 [aud = origin, subject = options.subject](const std::string& key, Instant now) {
                   return VapidAuthorization(key, aud, subject, now + kTokenLife);
                 }) {}
    static delivery::HttpOptions Http(const WebpushOptions& options, const delivery::BaseUrl& base) {
      delivery::HttpOptions http;
      http.base = base;
      http.ca_file = options.ca_file;
      http.connect_timeout = options.connect_timeout;
      http.max_answer_bytes = kAnswerBytes;
      return http;
    }
    const std::string origin;
    delivery::HttpClient http;
    JwtCache tokens;
  };

  std::shared_ptr<Service> ServiceOf(const delivery::BaseUrl& base) {
    const std::string origin = WebpushOrigin(base);
    std::shared_ptr<Service> least;  // ended after the lock is released
    const std::scoped_lock lock(mutex_);
    for (auto at = services_.begin(); at != services_.end(); ++at) {
      if ((*at)->origin != origin) continue;
      services_.splice(services_.begin(), services_, at);
      return services_.front();
    }
    services_.push_front(std::make_shared<Service>(options_, base));
    if (services_.size() > kMaxServices) {
      least = std::move(services_.back());
      services_.pop_back();
    }
    return services_.front();
  }

  SendResult Refused(Verdict verdict, const char* code) {
    SendResult result;
    result.verdict = verdict;
    result.code = code;
    Alarm(result);
    return result;
  }

  void Alarm(const SendResult& result) {
    if (result.verdict == Verdict::kStopChannel) {
      if (alarms_.Open(result.code)) logger_.Error("connector_stopped", {{"connector", name_}, {"code", result.code}});
    } else if (result.code == "host" && alarms_.Open(result.code)) {
      // Somebody tries the service out as a way into the network, or allowed_hosts lacks a push service.
      logger_.Warn("webpush_host_refused", {{"connector", name_}});
    }
  }

  const WebpushOptions options_;
  Logger& logger_;
  const std::string name_ = "webpush";
  const SystemClock clock_;
  HostList hosts_;
  delivery::AlarmGate alarms_;
  std::mutex mutex_;
  std::list<std::shared_ptr<Service>> services_;  // the latest used first
};

}  // namespace

std::vector<delivery::SettingDoc> WebpushSettings() {
  std::vector<delivery::SettingDoc> docs = {
      {"ca_file", "", false, false, {"受信任的根证书（PEM）", "trusted roots (PEM); empty: the system's"}},
      {"vapid_key",
       "",
       true,
       true,
       {"VAPID 私钥：PEM，或 32 字节的 base64url", "VAPID private key: PEM, or its 32 bytes in base64url"}},
      {"subject",
       "",
       true,
       false,
       {"联系方式，mailto: 或 https:", "how push services reach the operator: mailto: or https:"}},
      {"allowed_hosts",
       kWebpushHosts,
       false,
       false,
       {"允许访问的推送服务主机，用空格分隔", "hosts of push services that may be called, apart by spaces"}},
      {"ttl_s", "86400", false, false, {"浏览器离线时保留的秒数", "seconds a message waits for a browser that is off"}},
      {"urgency", "normal", false, false, {"very-low、low、normal 或 high", "very-low, low, normal or high"}},
      {"topic",
       "true",
       false,
       false,
       {"同一通知的再次发送替换尚未送达的一条",
        "an attempt replaces an earlier one of its notification that still waits"}},
      {"pad_to",
       "256",
       false,
       false,
       {"长度补齐到该字节数的倍数；0 不补", "lengths are rounded up to a multiple of so many bytes; 0: not"}},
      {"connect_timeout_ms", "2000", false, false, {"建立连接的时限", "time to connect"}},
  };
  for (delivery::SettingDoc& doc : VisibleSettings()) docs.push_back(std::move(doc));
  return docs;
}

std::optional<WebpushOptions> ValidateWebpush(const delivery::Settings& settings, Diagnostics* diagnostics) {
  Diagnostics found;
  delivery::RefuseUnknownKeys(settings, WebpushSettings(), &found);
  const auto wrong = [&](const char* key, std::string message, std::string hint) {
    Diagnostic d;
    d.at = settings.At(key);
    d.code = "bad-value";
    d.message = std::move(message);
    d.hint = std::move(hint);
    found.push_back(std::move(d));
  };
  WebpushOptions o;
  o.ca_file = delivery::FileSetting(settings, "ca_file", &found);
  o.vapid_key = settings.SecretOf("vapid_key", true, &found);
  o.subject = settings.String("subject", std::nullopt, &found);
  o.allowed_hosts = settings.String("allowed_hosts", kWebpushHosts, &found);
  o.ttl_s = settings.Int("ttl_s", 86400, 0, 2419200, &found);
  o.urgency = settings.String("urgency", "normal", &found);
  o.topic = settings.Bool("topic", true, &found);
  o.pad_to = settings.Int("pad_to", 256, 0, 2048, &found);
  o.visible = ValidateVisible(settings, &found);
  o.connect_timeout = Millis(settings.Int("connect_timeout_ms", 2000, 10, 60000, &found));
  if (!o.subject.empty() && !o.subject.starts_with("mailto:") && !o.subject.starts_with("https:")) {
    wrong("subject", "subject begins with neither mailto: nor https:", "for example mailto:push@example.gov.cn");
  }
  if (o.urgency != "very-low" && o.urgency != "low" && o.urgency != "normal" && o.urgency != "high") {
    wrong("urgency", "urgency is not one of very-low, low, normal, high", "normal");
  }
  if (const auto hosts = HostList::Parse(o.allowed_hosts); !hosts) {
    wrong("allowed_hosts", hosts.error().message, kWebpushHosts);
  }
  if (const auto secret = o.vapid_key.Get(); !secret->text.empty()) {
    if (const auto key = VapidKey(secret->text); !key) {
      wrong("vapid_key", key.error().message, "give a P-256 private key as PEM or as 32 bytes in base64url");
    }
  }
  const bool good = found.empty();
  if (diagnostics != nullptr) diagnostics->insert(diagnostics->end(), found.begin(), found.end());
  if (!good) return std::nullopt;
  return o;
}

std::shared_ptr<delivery::Connector> NewWebpush(WebpushOptions options, Logger* logger) {
  return std::make_shared<Webpush>(std::move(options), logger);
}

}  // namespace zhitui::app
