#include <httplib.h>

#include <condition_variable>
#include <deque>
#include <mutex>

#include "app/app.h"
#include "app/jpush_wire.h"
#include "app/token_push.h"

namespace zhitui::app {
namespace {

using delivery::HttpAnswer;
using delivery::HttpFate;
using delivery::SendResult;
using delivery::Verdict;
using Link = delivery::HttpLinkOf<httplib::Client, httplib::Request, httplib::Response, httplib::Error>;

// A cid is valid for one day; an hour is left for clocks that differ and for a send that waits in a queue.
constexpr std::chrono::hours kCidLife(23);
// One that is about to end is not handed out: its attempt could not be repeated.
constexpr std::chrono::minutes kCidMargin(30);
constexpr Millis kFetchTimeout(5000);
constexpr std::size_t kMaxContact = 128;

class Jpush final : public delivery::Connector {
 public:
  Jpush(JpushOptions options, Logger* logger)
      : options_(std::move(options)),
        logger_(logger == nullptr ? NullLogger() : *logger),
        authorization_(options_.master_secret,
                       [this](const std::string& secret) {
                         return std::make_shared<std::string>(BasicAuthorization(options_.app_key, secret));
                       }),
        http_(HttpTo(options_.base_url, options_.ca_file, options_.connect_timeout), Link::Make) {}

  const std::string& name() const override { return name_; }
  Channel channel() const override { return Channel::kApp; }
  delivery::UnknownPolicy unknown_policy() const override { return delivery::UnknownPolicy::kResend; }
  bool sends_receipts() const override { return false; }

  Status Check(const message::Content& content) const override {
    if (const Status status = CheckAppContent(content); !status) return status;
    return CheckSize(options_, content);
  }

  Result<delivery::IdempotencyKey> NewKey(const std::string&) override {
    std::unique_lock lock(mutex_);
    while (true) {
      const Instant now = clock_.Now();
      while (!cids_.empty() && cids_.front().expires - kCidMargin <= now) cids_.pop_front();
      if (!cids_.empty()) {
        delivery::IdempotencyKey key = std::move(cids_.front());
        cids_.pop_front();
        return key;
      }
      if (fetching_) {  // one thread asks, the others take from what it brings
        const std::uint64_t round = fetches_;
        fetched_.wait(lock, [&] { return fetches_ != round; });
        if (!last_fetch_) return std::unexpected(last_fetch_.error());
        continue;
      }
      fetching_ = true;
      lock.unlock();
      Result<std::vector<std::string>> cids = FetchCids();
      lock.lock();
      fetching_ = false;
      ++fetches_;
      last_fetch_ = cids ? Status() : Status(std::unexpected(cids.error()));
      if (cids) {
        for (std::string& cid : *cids) cids_.push_back({std::move(cid), now + kCidLife});
      }
      fetched_.notify_all();
      if (!cids) return std::unexpected(cids.error());
    }
  }

  SendResult Send(const delivery::SendRequest& request) override {
    SendResult result;
    if (request.contact.empty() || request.contact.size() > kMaxContact) {
      result.verdict = Verdict::kDropContact;
      result.code = "contact";
      return result;
    }
    Result<std::string> body = PushBody(options_, request);
    if (!body) {
      result.verdict = Verdict::kFixMessage;
      result.code = "utf8";
      return result;
    }
    delivery::HttpCall call;
    call.method = "POST";
    call.target = "/v3/push";
    call.headers = {{"Authorization", *authorization_.Get()}, {"Content-Type", "application/json"}};
    call.body = *std::move(body);
    const HttpAnswer answer = http_.Call(call, request.timeout);
    if (answer.fate != HttpFate::kAnswered) {
      result.verdict = answer.fate == HttpFate::kNotSent ? Verdict::kNotSent : Verdict::kUnknown;
      result.code = answer.fault;
    } else {
      result = ParsePushAnswer(answer);
    }
    Alarm(result.verdict, result.code);
    return result;
  }

  delivery::QueryResult Query(const delivery::SendRequest&) override { return {}; }

  delivery::CallbackReply ParseCallback(const delivery::CallbackRequest&) override { return NoCallbacks("JPush"); }

 private:
  Result<std::vector<std::string>> FetchCids() {
    delivery::HttpCall call;
    call.method = "GET";
    call.target = "/v3/push/cid?count=" + std::to_string(options_.cid_batch);
    call.headers = {{"Authorization", *authorization_.Get()}};
    const HttpAnswer answer = http_.Call(call, kFetchTimeout);
    if (answer.fate != HttpFate::kAnswered) return Unavailable("JPush gave no cids: " + answer.fault);
    if (answer.status == 200) {
      if (auto cids = ParseCids(answer.body)) return *std::move(cids);
      return Unavailable("JPush gave no cids: malformed answer");
    }
    const SendResult refused = ParsePushAnswer(answer);
    Alarm(refused.verdict, refused.code);
    return Unavailable("JPush gave no cids: code " + refused.code);
  }

  void Alarm(Verdict verdict, const std::string& code) {
    if (verdict != Verdict::kStopChannel || !alarms_.Open(code)) return;
    logger_.Error("connector_stopped", {{"connector", name_}, {"code", code}});
  }

  const JpushOptions options_;
  Logger& logger_;
  const std::string name_ = "jpush";
  PerSecret<std::string> authorization_;
  const SystemClock clock_;
  delivery::AlarmGate alarms_;
  delivery::HttpClient http_;

  std::mutex mutex_;
  std::condition_variable fetched_;
  std::deque<delivery::IdempotencyKey> cids_;  // oldest first
  bool fetching_ = false;
  std::uint64_t fetches_ = 0;
  Status last_fetch_;
};

}  // namespace

std::vector<delivery::SettingDoc> JpushSettings() {
  std::vector<delivery::SettingDoc> docs = {
      {"base_url", "https://api.jpush.cn", false, false, {"接口地址", "address of the API"}},
      {"ca_file", "", false, false, {"受信任的根证书（PEM）", "trusted roots (PEM); empty: the system's"}},
      {"app_key", "", true, false, {"极光应用的 AppKey", "AppKey of the JPush application"}},
      {"master_secret", "", true, true, {"极光应用的 Master Secret", "its Master Secret"}},
      {"apns_production", "true", false, false, {"是否使用 APNs 生产环境", "use the APNs production environment"}},
      {"time_to_live_s",
       "86400",
       false,
       false,
       {"离线消息保留秒数，最多 10 天", "seconds a message waits for a device that is off; at most ten days"}},
      {"cid_batch", "200", false, false, {"一次预取的 cid 个数", "cids fetched ahead at once; at most 1000"}},
      {"connect_timeout_ms", "2000", false, false, {"建立连接的时限", "time to connect"}},
  };
  for (delivery::SettingDoc& doc : VisibleSettings()) docs.push_back(std::move(doc));
  return docs;
}

std::optional<JpushOptions> ValidateJpush(const delivery::Settings& settings, Diagnostics* diagnostics) {
  Diagnostics found;
  delivery::RefuseUnknownKeys(settings, JpushSettings(), &found);
  JpushOptions o;
  o.base_url = delivery::BaseUrlSetting(settings, "https://api.jpush.cn", &found);
  o.ca_file = delivery::FileSetting(settings, "ca_file", &found);
  o.app_key = settings.String("app_key", std::nullopt, &found);
  o.master_secret = settings.SecretOf("master_secret", true, &found);
  o.apns_production = settings.Bool("apns_production", true, &found);
  o.time_to_live_s = settings.Int("time_to_live_s", 86400, 0, 864000, &found);
  o.cid_batch = static_cast<std::size_t>(settings.Int("cid_batch", 200, 1, 1000, &found));
  o.visible = ValidateVisible(settings, &found);
  o.connect_timeout = Millis(settings.Int("connect_timeout_ms", 2000, 10, 60000, &found));
  const bool good = found.empty();
  if (diagnostics != nullptr) diagnostics->insert(diagnostics->end(), found.begin(), found.end());
  if (!good) return std::nullopt;
  return o;
}

std::shared_ptr<delivery::Connector> NewJpush(JpushOptions options, Logger* logger) {
  return std::make_shared<Jpush>(std::move(options), logger);
}

}  // namespace zhitui::app
