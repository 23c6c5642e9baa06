#include "app/ntfy.h"

#include <httplib.h>

#include <utility>

#include "app/app.h"
#include "app/ntfy_wire.h"

namespace zhitui::app {
namespace {

using delivery::HttpAnswer;
using delivery::HttpFate;
using delivery::SendRequest;
using delivery::SendResult;
using delivery::Verdict;
using Link = delivery::HttpLinkOf<httplib::Client, httplib::Request, httplib::Response, httplib::Error>;

constexpr std::size_t kAnswerBytes = 64U << 10;

delivery::HttpOptions Http(const NtfyOptions& options) {
  delivery::HttpOptions http;
  // New is called with options that Validate made, so the URL is well formed.
  if (auto base = delivery::ParseBaseUrl(options.base_url)) http.base = *std::move(base);
  http.ca_file = options.ca_file;
  http.connect_timeout = options.connect_timeout;
  http.max_answer_bytes = kAnswerBytes;
  return http;
}

class Ntfy final : public delivery::Connector {
 public:
  Ntfy(NtfyOptions options, Logger* logger)
      : options_(std::move(options)),
        logger_(logger == nullptr ? NullLogger() : *logger),
        http_(Http(options_), Link::Make) {}

  const std::string& name() const override { return name_; }
  Channel channel() const override { return Channel::kApp; }
  // ntfy gives each message an id of its own and compares nothing: the same twice is two messages.
  delivery::UnknownPolicy unknown_policy() const override { return delivery::UnknownPolicy::kPark; }
  bool sends_receipts() const override { return false; }

  Status Check(const message::Content& content) const override {
    if (Status checked = CheckAppContent(content); !checked) return checked;
    const Shown shown = ShownOf(options_.visible, content);
    if (shown.body.size() > kNtfyMessageBytes) {
      return Invalid("the message has " + std::to_string(shown.body.size()) + " bytes, ntfy takes 4096");
    }
    return {};
  }

  Result<delivery::IdempotencyKey> NewKey(const std::string& attempt_id) override {
    return delivery::IdempotencyKey{attempt_id, clock_.Now()};
  }

  SendResult Send(const SendRequest& request) override {
    SendResult result;
    if (!IsNtfyTopic(request.contact)) {
      result.verdict = Verdict::kDropContact;
      result.code = "contact";
      return result;
    }
    auto body = NtfyBody(options_, request);
    if (!body) {
      result.verdict = Verdict::kFixMessage;
      result.code = "utf8";
      return result;
    }
    delivery::HttpCall call;
    call.method = "POST";
    call.target = "/";
    call.headers = {{"Content-Type", "application/json"}};
    if (const auto token = options_.token.Get(); !token->text.empty()) {
      call.headers.emplace_back("Authorization", "Bearer " + token->text);
    }
    call.body = *std::move(body);
    const HttpAnswer answer = http_.Call(call, request.timeout);
    if (answer.fate != HttpFate::kAnswered) {
      result.verdict = answer.fate == HttpFate::kNotSent ? Verdict::kNotSent : Verdict::kUnknown;
      result.code = answer.fault;
    } else {
      result = ParseNtfyAnswer(answer);
    }
    if (result.verdict == Verdict::kStopChannel && alarms_.Open(result.code)) {
      logger_.Error("connector_stopped", {{"connector", name_}, {"code", result.code}});
    }
    return result;
  }

  delivery::QueryResult Query(const SendRequest&) override { return {}; }

  delivery::CallbackReply ParseCallback(const delivery::CallbackRequest&) override {
    delivery::CallbackReply reply;
    reply.status = 404;
    reply.body = "ntfy sends no call-backs";
    return reply;
  }

 private:
  const NtfyOptions options_;
  Logger& logger_;
  const std::string name_ = "ntfy";
  const SystemClock clock_;
  delivery::AlarmGate alarms_;
  delivery::HttpClient http_;
};

}  // namespace

std::vector<delivery::SettingDoc> NtfySettings() {
  std::vector<delivery::SettingDoc> docs = {
      {"base_url", "", true, false, {"ntfy 的地址", "address of ntfy, for example https://ntfy.example.gov.cn"}},
      {"ca_file", "", false, false, {"受信任的根证书（PEM）", "trusted roots (PEM); empty: the system's"}},
      {"token", "", false, true, {"访问令牌（tk_…）", "access token (tk_…)"}},
      {"priority", "3", false, false, {"优先级 1 到 5", "priority, 1 to 5"}},
      {"connect_timeout_ms", "2000", false, false, {"建立连接的时限", "time to connect"}},
  };
  for (delivery::SettingDoc& doc : VisibleSettings()) docs.push_back(std::move(doc));
  return docs;
}

std::optional<NtfyOptions> ValidateNtfy(const delivery::Settings& settings, Diagnostics* diagnostics) {
  Diagnostics found;
  delivery::RefuseUnknownKeys(settings, NtfySettings(), &found);
  NtfyOptions o;
  if (!settings.String("base_url", std::nullopt, &found).empty()) {
    o.base_url = delivery::BaseUrlSetting(settings, "https://ntfy.sh", &found);
  }
  o.ca_file = delivery::FileSetting(settings, "ca_file", &found);
  o.token = settings.SecretOf("token", false, &found);
  o.priority = settings.Int("priority", 3, 1, 5, &found);
  o.visible = ValidateVisible(settings, &found);
  o.connect_timeout = Millis(settings.Int("connect_timeout_ms", 2000, 10, 60000, &found));
  const bool good = found.empty();
  if (diagnostics != nullptr) diagnostics->insert(diagnostics->end(), found.begin(), found.end());
  if (!good) return std::nullopt;
  return o;
}

std::shared_ptr<delivery::Connector> NewNtfy(NtfyOptions options, Logger* logger) {
  return std::make_shared<Ntfy>(std::move(options), logger);
}

}  // namespace zhitui::app
