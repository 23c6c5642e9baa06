#include "app/apns.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <utility>

#include "app/apns_wire.h"
#include "app/app.h"
#include "app/h2.h"
#include "app/jwt.h"

namespace zhitui::app {
namespace {

using delivery::HttpAnswer;
using delivery::HttpFate;
using delivery::SendRequest;
using delivery::SendResult;
using delivery::Verdict;

constexpr std::chrono::seconds kTokenLife(3600);
constexpr std::size_t kAnswerBytes = 16U << 10;

H2Options Http(const ApnsOptions& options) {
  H2Options h2;
  // New is called with options that Validate made, so the URL is well formed.
  if (auto base = delivery::ParseBaseUrl(options.base_url)) h2.http.base = *std::move(base);
  h2.http.ca_file = options.ca_file;
  h2.http.connect_timeout = options.connect_timeout;
  h2.http.max_answer_bytes = kAnswerBytes;
  h2.max_connections = options.connections;
  h2.max_in_flight = options.in_flight;
  return h2;
}

class Apns final : public delivery::Connector {
 public:
  Apns(ApnsOptions options, Logger* logger)
      : options_(std::move(options)),
        logger_(logger == nullptr ? NullLogger() : *logger),
        tokens_(
            options_.key, kTokenLife, kTokenLife - std::chrono::seconds(options_.token_age_s),
            [this](const std::string& key, Instant now) { return ApnsProviderToken(options_, key, now); },
            std::chrono::seconds(options_.token_min_age_s)) {}
  ~Apns() override { Close(); }
  Apns(const Apns&) = delete;
  Apns& operator=(const Apns&) = delete;

  const std::string& name() const override { return name_; }
  Channel channel() const override { return Channel::kApp; }
  // Apple documents apns-id as a name of the notification, not as a guard: the same id twice is shown twice.
  delivery::UnknownPolicy unknown_policy() const override { return delivery::UnknownPolicy::kPark; }
  bool sends_receipts() const override { return false; }

  Status Check(const message::Content& content) const override {
    if (Status checked = CheckAppContent(content); !checked) return checked;
    return CheckApnsSize(options_, content);
  }

  Result<delivery::IdempotencyKey> NewKey(const std::string& attempt_id) override {
    return delivery::IdempotencyKey{ApnsId(attempt_id), clock_.Now()};
  }

  SendResult Send(const SendRequest& request) override { return delivery::SendByBegin(*this, request); }
  bool asynchronous() const override { return true; }

  void Begin(const SendRequest& request, std::function<void(SendResult)> done) override {
    if (!IsApnsToken(request.contact)) return Refuse(done, Verdict::kDropContact, "contact");
    Result<std::string> payload = ApnsPayload(options_, request);
    if (!payload) return Refuse(done, Verdict::kFixMessage, "utf8");
    if (payload->size() > kApnsPayloadBytes) return Refuse(done, Verdict::kFixMessage, "too_large");
    auto job = std::make_shared<Job>();
    job->request = request;
    if (job->request.key.key.size() != 36) job->request.key.key = ApnsId(request.attempt_id);
    job->payload = *std::move(payload);
    job->deadline = std::chrono::steady_clock::now() + request.timeout;
    job->done = std::move(done);
    Post(std::move(job));
  }

  void Close() override {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    if (client_) client_->Close();
    for (const auto& old : retired_) old->Close();
  }

  delivery::QueryResult Query(const SendRequest&) override { return {}; }

  delivery::CallbackReply ParseCallback(const delivery::CallbackRequest&) override {
    delivery::CallbackReply reply;
    reply.status = 404;
    reply.body = "APNs sends no call-backs";
    return reply;
  }

 private:
  struct Job {
    SendRequest request;
    std::string payload;
    H2Client::Time deadline;
    std::function<void(SendResult)> done;
    bool renewed = false;  // sent a second time with a new token
  };

  void Refuse(const std::function<void(SendResult)>& done, Verdict verdict, const char* code) {
    SendResult result;
    result.verdict = verdict;
    result.code = code;
    Alarm(result);
    done(std::move(result));
  }

  void Post(std::shared_ptr<Job> job) {
    const Instant now = clock_.Now();
    // A token of a new key must not go over a connection of the old one.
    std::uint64_t generation = options_.key.Get()->generation;
    Result<JwtCache::Token> token = tokens_.Get(now);
    for (std::uint64_t later = 0; (later = options_.key.Get()->generation) != generation; generation = later) {
      token = tokens_.Get(now);
    }
    if (!token) return Refuse(job->done, Verdict::kStopChannel, "key");
    const std::shared_ptr<H2Client> client = Client(generation);
    if (!client) return Refuse(job->done, Verdict::kNotSent, "shutdown");
    const H2Client::Time deadline = job->deadline;
    delivery::HttpCall call = ApnsCall(options_, job->request, job->payload, token->text, now);
    client->Call(std::move(call), deadline, [this, job = std::move(job), serial = token->serial](HttpAnswer answer) {
      Answered(job, serial, answer);
    });
  }

  void Answered(const std::shared_ptr<Job>& job, std::uint64_t serial, const HttpAnswer& answer) {
    SendResult result;
    if (answer.fate != HttpFate::kAnswered) {
      result.verdict = answer.fate == HttpFate::kNotSent ? Verdict::kNotSent : Verdict::kUnknown;
      result.code = answer.fault;
    } else {
      result = ParseApnsAnswer(answer);
      if (result.code == "ExpiredProviderToken" && !job->renewed && tokens_.Drop(serial, clock_.Now())) {
        job->renewed = true;
        return Post(job);
      }
    }
    Alarm(result);
    job->done(std::move(result));
  }

  // The connections of the present key: APNs ties a connection to the key that its first request was signed with.
  std::shared_ptr<H2Client> Client(std::uint64_t generation) {
    std::vector<std::shared_ptr<H2Client>> idle;  // ended after the lock is released
    const std::scoped_lock lock(mutex_);
    if (closed_) return nullptr;
    if (!client_ || generation != generation_) {
      if (client_) {
        client_->Close();
        retired_.push_back(std::move(client_));
      }
      client_ = std::make_shared<H2Client>(Http(options_));
      generation_ = generation;
    }
    for (auto at = retired_.begin(); at != retired_.end();) {
      if (!(*at)->idle()) {
        ++at;
        continue;
      }
      idle.push_back(std::move(*at));
      at = retired_.erase(at);
    }
    return client_;
  }

  void Alarm(const SendResult& result) {
    if (result.verdict == Verdict::kStopChannel) {
      if (alarms_.Open(result.code)) logger_.Error("connector_stopped", {{"connector", name_}, {"code", result.code}});
    } else if (result.code == "BadDeviceToken" && alarms_.Open(result.code)) {
      // One wrong token is nothing; all of them mean that base_url names the other environment.
      logger_.Warn("apns_bad_device_token", {{"connector", name_}});
    }
  }

  const ApnsOptions options_;
  Logger& logger_;
  const std::string name_ = "apns";
  const SystemClock clock_;
  delivery::AlarmGate alarms_;
  JwtCache tokens_;

  std::mutex mutex_;
  bool closed_ = false;
  std::uint64_t generation_ = 0;
  std::vector<std::shared_ptr<H2Client>> retired_;
  std::shared_ptr<H2Client> client_;  // last: its thread ends before what it uses
};

}  // namespace

std::vector<delivery::SettingDoc> ApnsSettings() {
  std::vector<delivery::SettingDoc> docs = {
      {"base_url",
       "https://api.push.apple.com",
       false,
       false,
       {"接口地址；开发环境用 https://api.sandbox.push.apple.com",
        "address of the API; https://api.sandbox.push.apple.com for development builds"}},
      {"ca_file", "", false, false, {"受信任的根证书（PEM）", "trusted roots (PEM); empty: the system's"}},
      {"key",
       "",
       true,
       true,
       {"APNs 密钥文件（.p8）的内容；密钥之前可有一行 kid: KEYID",
        "text of the .p8 key; a line `kid: KEYID` before it goes over key_id"}},
      {"key_id", "", false, false, {"密钥 ID（kid）", "id of the key (kid), unless the key has its own line"}},
      {"team_id", "", true, false, {"Apple 开发者团队 ID", "id of the Apple developer team"}},
      {"topic", "", true, false, {"应用的 Bundle ID", "bundle id of the app"}},
      {"push_type", "alert", false, false, {"apns-push-type", "apns-push-type"}},
      {"priority", "10", false, false, {"优先级：10、5 或 1", "10, 5 or 1"}},
      {"expiration_s",
       "86400",
       false,
       false,
       {"设备离线时保留的秒数；0 不保留", "seconds a message waits for a device that is off; 0: not at all"}},
      {"collapse",
       "true",
       false,
       false,
       {"同一通知的多次发送在设备上相互替换", "attempts of one notification replace each other on the device"}},
      {"sound", "default", false, false, {"提示音；none 为静音", "the sound; `none`: silent"}},
      {"mutable_content", "false", false, false, {"允许应用扩展改写内容", "let the app's extension change the text"}},
      {"token_age_s", "2400", false, false, {"令牌使用的秒数", "seconds a provider token is used"}},
      {"token_min_age_s",
       "1200",
       false,
       false,
       {"令牌被拒绝后，至少用过这些秒数才更换", "a refused token is renewed when it is at least that old"}},
      {"connections", "2", false, false, {"连接数", "connections"}},
      {"in_flight", "500", false, false, {"同时发送的条数", "messages on the wire at once"}},
      {"connect_timeout_ms", "2000", false, false, {"建立连接的时限", "time to connect"}},
  };
  for (delivery::SettingDoc& doc : VisibleSettings()) docs.push_back(std::move(doc));
  return docs;
}

std::optional<ApnsOptions> ValidateApns(const delivery::Settings& settings, Diagnostics* diagnostics) {
  Diagnostics found;
  delivery::RefuseUnknownKeys(settings, ApnsSettings(), &found);
  ApnsOptions o;
  const auto wrong = [&](const char* key, std::string message, std::string hint) {
    Diagnostic d;
    d.at = settings.At(key);
    d.code = "bad-value";
    d.message = std::move(message);
    d.hint = std::move(hint);
    found.push_back(std::move(d));
  };
  o.base_url = delivery::BaseUrlSetting(settings, "https://api.push.apple.com", &found);
  if (o.base_url.starts_with("http://")) {
    wrong("base_url", "APNs speaks HTTP/2 over TLS only", "write an address that begins with https://");
  }
  o.ca_file = delivery::FileSetting(settings, "ca_file", &found);
  o.key = settings.SecretOf("key", true, &found);
  o.key_id = settings.String("key_id", "", &found);
  o.team_id = settings.String("team_id", std::nullopt, &found);
  o.topic = settings.String("topic", std::nullopt, &found);
  o.push_type = settings.String("push_type", "alert", &found);
  o.priority = settings.Int("priority", 10, 1, 10, &found);
  o.expiration_s = settings.Int("expiration_s", 86400, 0, 2592000, &found);
  o.collapse = settings.Bool("collapse", true, &found);
  o.sound = settings.String("sound", "default", &found);
  if (o.sound == "none") o.sound.clear();
  o.mutable_content = settings.Bool("mutable_content", false, &found);
  o.visible = ValidateVisible(settings, &found);
  o.token_age_s = settings.Int("token_age_s", 2400, 1200, 3540, &found);
  o.token_min_age_s = settings.Int("token_min_age_s", 1200, 0, 3540, &found);
  o.connections = static_cast<std::size_t>(settings.Int("connections", 2, 1, 16, &found));
  o.in_flight = static_cast<std::size_t>(settings.Int("in_flight", 500, 1, 10000, &found));
  o.connect_timeout = Millis(settings.Int("connect_timeout_ms", 2000, 10, 60000, &found));
  const auto word = [](const std::string& text, std::string_view more) {
    return std::all_of(text.begin(), text.end(), [&](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
             more.find(c) != std::string_view::npos;
    });
  };
  if (!word(o.team_id, "")) wrong("team_id", "a team id is letters and digits", "for example ABCDE12345");
  if (!word(o.key_id, "")) wrong("key_id", "a key id is letters and digits", "for example ABC123DEFG");
  if (!word(o.topic, ".-")) wrong("topic", "a bundle id is letters, digits, . and -", "for example cn.gov.futian.app");
  if (!word(o.push_type, "")) wrong("push_type", "a push type is letters and digits", "alert");
  if (o.priority != 10 && o.priority != 5 && o.priority != 1) {
    wrong("priority", "APNs knows the priorities 10, 5 and 1", "10 at once, 5 when it suits the device's battery");
  }
  if (found.empty()) {
    const auto token = ApnsProviderToken(o, o.key.Get()->text, SystemClock().Now());
    if (!token) wrong("key", token.error().message, "give the .p8 file of App Store Connect, and its key_id");
  }
  const bool good = found.empty();
  if (diagnostics != nullptr) diagnostics->insert(diagnostics->end(), found.begin(), found.end());
  if (!good) return std::nullopt;
  return o;
}

std::shared_ptr<delivery::Connector> NewApns(ApnsOptions options, Logger* logger) {
  return std::make_shared<Apns>(std::move(options), logger);
}

}  // namespace zhitui::app
