#include "sms/cmpp.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <ctime>

#include "sms/cmpp_codes.h"
#include "sms/cmpp_pdu.h"
#include "sms/cmpp_text.h"
#include "sms/link.h"

namespace zhitui::sms {
namespace {

using delivery::SendResult;
using delivery::Verdict;

constexpr std::chrono::hours kKeyLife(24);
constexpr std::size_t kMaxUnits = 500;  // of a text, its signature included
constexpr std::size_t kMobileDigits = 11;
constexpr std::uint32_t kWrongStructure = 1;  // result of a DELIVER that cannot be read

bool IsMobile(std::string_view number) {
  return number.size() == kMobileDigits && number[0] == '1' && number[1] >= '3' &&
         std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// MMDDHHMMSS of Shanghai as a number.
std::uint32_t LoginTime(Instant now) {
  const auto local = std::chrono::floor<std::chrono::seconds>(kShanghai.Local(now));
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(local - day);
  const auto number = [](auto v) { return static_cast<std::uint32_t>(v); };
  return ((((static_cast<unsigned>(date.month()) * 100 + static_cast<unsigned>(date.day())) * 100 +
            number(time.hours().count())) *
               100 +
           number(time.minutes().count())) *
              100 +
          number(time.seconds().count()));
}

// YYMMDDHHMM of Shanghai; `fallback` when it is not that.
Instant ReportTime(std::string_view text, Instant fallback) {
  std::array<unsigned, 5> part{};
  if (text.size() != 10) return fallback;
  for (std::size_t i = 0; i < part.size(); ++i) {
    const char* const at = text.data() + 2 * i;
    const auto [stop, error] = std::from_chars(at, at + 2, part[i]);
    if (error != std::errc() || stop != at + 2) return fallback;
  }
  const std::chrono::year_month_day date(std::chrono::year(2000 + static_cast<int>(part[0])),
                                         std::chrono::month(part[1]), std::chrono::day(part[2]));
  if (!date.ok() || part[3] > 23 || part[4] > 59) return fallback;
  return kShanghai.StartOf(Date(date)) + std::chrono::hours(part[3]) + std::chrono::minutes(part[4]);
}

std::string CutReply(std::string text) {
  if (text.size() <= delivery::kMaxReplyBytes) return text;
  std::size_t end = delivery::kMaxReplyBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
  return text;
}

class Protocol final : public LinkProtocol {
 public:
  Protocol(const CmppOptions& options, Logger& logger, const std::string& name)
      : options_(options),
        version_(options.v3 ? CmppVersion::k30 : CmppVersion::k20),
        logger_(logger),
        name_(name),
        joiner_(options.join_wait) {}

  void SetIntake(delivery::Intake intake) { intake_ = std::move(intake); }

  std::size_t header_bytes() const override { return kCmppHeader; }
  std::size_t sequence_offset() const override { return kCmppSequenceAt; }
  std::size_t max_pdu_bytes() const override { return kCmppMaxPdu; }

  std::string AppendLogin(std::uint32_t sequence, std::string* out) override {
    const auto secret = options_.secret.Get();
    CmppConnect connect;
    connect.source_addr = options_.source_addr;
    connect.timestamp = LoginTime(clock_.Now());
    connect.authenticator = CmppAuthenticator(options_.source_addr, secret->text, connect.timestamp);
    connect.version = static_cast<std::uint8_t>(version_);
    AppendCmppConnect(connect, sequence, out);
    // Gateways of 2.0 differ in how many bytes of the status they count.
    return CmppGatewayAuthenticator(CmppVersion::k20, 0, connect.authenticator, secret->text) +
           CmppGatewayAuthenticator(CmppVersion::k30, 0, connect.authenticator, secret->text);
  }
  void AppendKeepAlive(std::uint32_t sequence, std::string* out) override {
    AppendCmppBare(kCmppActiveTest, sequence, out);
  }
  void AppendClose(std::uint32_t sequence, std::string* out) override { AppendCmppBare(kCmppTerminate, sequence, out); }
  void AppendReply(std::string_view pdu, std::string* out) override {
    const auto header = ReadCmppHeader(pdu);
    if (!header) return;
    if (header->command == kCmppActiveTest) AppendCmppActiveTestResp(header->sequence, out);
    if (header->command == kCmppTerminate) AppendCmppBare(kCmppTerminate | kCmppResponse, header->sequence, out);
  }

  LinkKind Classify(std::string_view pdu) override {
    const auto header = ReadCmppHeader(pdu);
    if (!header) return LinkKind::kBroken;
    switch (header->command) {
      case kCmppConnect | kCmppResponse:
        return LinkKind::kLoginAnswer;
      case kCmppSubmit | kCmppResponse:
        return LinkKind::kAnswer;
      case kCmppDeliver:
        return LinkKind::kDelivery;
      case kCmppActiveTest:
        return LinkKind::kKeepAlive;
      case kCmppActiveTest | kCmppResponse:
        return LinkKind::kKeepAliveAnswer;
      case kCmppTerminate:
        return LinkKind::kClose;
      case kCmppTerminate | kCmppResponse:
        return LinkKind::kCloseAnswer;
      default:
        return LinkKind::kOther;
    }
  }

  LinkLogin ParseLogin(std::string_view pdu, std::string_view session) override {
    LinkLogin login;
    const auto resp = ReadCmppConnectResp(pdu);
    if (!resp) {
      login.code = "malformed";
      return login;
    }
    login.code = "connect_" + std::to_string(resp->status);
    login.verdict = CmppConnectVerdict(resp->status);
    if (resp->status == 0 && resp->form != version_) {
      login.verdict = Verdict::kStopChannel;
      login.code = "version";
    } else if (resp->status == 0 && options_.verify_gateway &&
               !delivery::ConstantTimeEqual(resp->authenticator, session.substr(0, session.size() / 2)) &&
               !delivery::ConstantTimeEqual(resp->authenticator, session.substr(session.size() / 2))) {
      login.verdict = Verdict::kStopChannel;
      login.code = "gateway_authenticator";
    }
    login.ok = login.verdict == Verdict::kAccepted;
    return login;
  }

  LinkAnswer ParseAnswer(std::string_view pdu) override {
    LinkAnswer answer;
    const auto resp = ReadCmppSubmitResp(version_, pdu);
    if (!resp) {
      answer.result.code = "malformed";  // unknown: it may have been taken
      return answer;
    }
    answer.result.verdict = CmppSubmitVerdict(resp->result);
    answer.result.code = std::to_string(resp->result);
    answer.again = answer.result.verdict == Verdict::kThrottled;
    if (answer.result.verdict == Verdict::kAccepted) answer.result.provider_id = std::to_string(resp->msg_id);
    if (answer.result.verdict == Verdict::kStopChannel && alarms_.Open(answer.result.code)) {
      logger_.Error("connector_stopped", {{"connector", name_}, {"code", answer.result.code}});
    }
    return answer;
  }

  std::optional<Millis> Deliver(std::vector<LinkDelivery>& batch) override {
    const auto now = std::chrono::steady_clock::now();
    std::vector<delivery::Receipt> receipts;
    std::vector<delivery::Signal> signals;
    for (LinkDelivery& d : batch) Take(d, now, &receipts, &signals);
    for (ReplyJoiner::Whole& whole : joiner_.Take(now)) {
      signals.push_back(Reply(whole.phone, whole.dest_id, whole.msg_id, std::move(whole.text)));
    }
    Status stored;
    if (intake_ && (!receipts.empty() || !signals.empty())) stored = intake_(name_, receipts, signals);
    if (stored) {
      joiner_.Drop(now);
    } else {
      for (LinkDelivery& d : batch) d.reply.clear();
      if (alarms_.Open("intake")) {
        logger_.Error("connector_delivery_failed",
                      {{"connector", name_}, {"code", ErrorKindName(stored.error().kind)}});
      }
    }
    const auto next = joiner_.next();
    if (!next) return std::nullopt;
    const auto left = std::chrono::ceil<Millis>(*next - now);
    return std::max(left, stored ? Millis(1) : Millis(1000));
  }

 private:
  void Take(LinkDelivery& d, ReplyJoiner::Time now, std::vector<delivery::Receipt>* receipts,
            std::vector<delivery::Signal>* signals) {
    const auto header = ReadCmppHeader(d.pdu);
    const auto deliver = ReadCmppDeliver(version_, d.pdu);
    const auto report = deliver && deliver->is_report ? ReadCmppReport(deliver->content) : std::nullopt;
    if (!deliver || (deliver->is_report && !report)) {
      // Refused, so that the gateway does not deliver it for ever.
      std::uint64_t id = 0;
      if (d.pdu.size() >= kCmppHeader + 8) {
        for (std::size_t i = 0; i < 8; ++i) id = id << 8 | static_cast<unsigned char>(d.pdu[kCmppHeader + i]);
      }
      AppendCmppDeliverResp(version_, id, kWrongStructure, header ? header->sequence : 0, &d.reply);
      if (alarms_.Open("deliver")) {
        logger_.Warn("connector_delivery_malformed", {{"connector", name_}, {"bytes", d.pdu.size()}});
      }
      return;
    }
    AppendCmppDeliverResp(version_, deliver->msg_id, 0, header->sequence, &d.reply);
    if (report) {
      const auto state = CmppReportState(report->stat);
      if (!state) return;
      delivery::Receipt receipt;
      receipt.provider_id = std::to_string(report->msg_id);
      receipt.state = *state;
      receipt.code = report->stat;
      receipt.at = ReportTime(report->done_time, clock_.Now());
      receipt.contact_dead = options_.dead_stats.contains(report->stat);
      receipts->push_back(std::move(receipt));
      return;
    }
    std::string_view text = deliver->content;
    if (deliver->tp_udhi == 1) {
      const auto part = ReadCmppPart(deliver->content);
      if (part && part->total > 1 && part->total <= ReplyJoiner::kMaxParts) {
        joiner_.Add(*deliver, *part, now);
        return;
      }
      text = BehindUserDataHeader(deliver->content).value_or(std::string_view());
    }
    signals->push_back(
        Reply(deliver->src_terminal_id, deliver->dest_id, deliver->msg_id, CmppText(deliver->msg_fmt, text)));
  }

  delivery::Signal Reply(const std::string& phone, const std::string& dest_id, std::uint64_t msg_id,
                         std::string text) const {
    delivery::Signal signal;
    signal.kind = delivery::SignalKind::kReply;
    signal.contact = DomesticNumber(phone);
    signal.provider_id = std::to_string(msg_id);
    signal.text = CutReply(std::move(text));
    signal.answered = dest_id;
    signal.at = clock_.Now();
    return signal;
  }

  const CmppOptions& options_;
  const CmppVersion version_;
  Logger& logger_;
  const std::string& name_;
  const SystemClock clock_;
  delivery::AlarmGate alarms_;
  delivery::Intake intake_;
  ReplyJoiner joiner_;  // of the second thread
};

class Cmpp final : public delivery::Connector {
 public:
  Cmpp(CmppOptions options, Logger* logger)
      : options_(std::move(options)),
        version_(options_.v3 ? CmppVersion::k30 : CmppVersion::k20),
        protocol_(std::make_shared<Protocol>(options_, logger == nullptr ? NullLogger() : *logger, name_)),
        link_(LinkOf(options_, name_), protocol_, logger) {
    submit_.service_id = options_.service_id;
    submit_.fee_user_type = static_cast<std::uint8_t>(options_.fee_user_type);
    submit_.fee_terminal_id = options_.fee_terminal_id;
    submit_.msg_src = options_.msg_src.empty() ? options_.source_addr : options_.msg_src;
    submit_.fee_type = options_.fee_type;
    submit_.fee_code = options_.fee_code;
    submit_.src_id = options_.src_id;
  }
  ~Cmpp() override { link_.Close(); }

  const std::string& name() const override { return name_; }
  Channel channel() const override { return Channel::kSms; }
  delivery::UnknownPolicy unknown_policy() const override { return delivery::UnknownPolicy::kPark; }
  bool sends_receipts() const override { return true; }
  bool receipts_name_attempt() const override { return false; }
  bool asynchronous() const override { return true; }

  Status Check(const message::Content& content) const override {
    if (content.channel != Channel::kSms) return Invalid("not a text message");
    if (content.body.empty()) return Invalid("the SMS has no text");
    const auto ucs2 = Ucs2FromUtf8(content.body);
    if (!ucs2) return Invalid("the SMS is not valid UTF-8");
    if (ucs2->size() / 2 > kMaxUnits) return Invalid("the SMS has more than 500 characters");
    return {};
  }

  std::int64_t CostMicros(const message::Content& content) const override {
    const auto ucs2 = Ucs2FromUtf8(content.body);
    return ucs2 ? options_.price_micros * static_cast<std::int64_t>(CmppSegments(*ucs2, 0).size()) : 0;
  }

  void Start(delivery::Intake intake) override {
    protocol_->SetIntake(std::move(intake));
    link_.Start();
  }
  void Close() override { link_.Close(); }

  Result<delivery::IdempotencyKey> NewKey(const std::string& attempt_id) override {
    return delivery::IdempotencyKey{attempt_id, clock_.Now() + kKeyLife};
  }

  SendResult Send(const delivery::SendRequest& request) override { return delivery::SendByBegin(*this, request); }

  void Begin(const delivery::SendRequest& request, std::function<void(SendResult)> done) override {
    const auto refuse = [&](Verdict verdict, const char* code) {
      SendResult result;
      result.verdict = verdict;
      result.code = code;
      done(std::move(result));
    };
    if (!IsMobile(request.contact)) return refuse(Verdict::kDropContact, "contact");
    if (request.content.channel != Channel::kSms) return refuse(Verdict::kFixMessage, "channel");
    const auto ucs2 = Ucs2FromUtf8(request.content.body);
    if (!ucs2 || ucs2->empty()) return refuse(Verdict::kFixMessage, "text");
    if (ucs2->size() / 2 > kMaxUnits) return refuse(Verdict::kFixMessage, "too_long");

    LinkSend send;
    send.deadline = std::chrono::steady_clock::now() + request.timeout;
    send.done = std::move(done);
    const std::vector<std::string> segments =
        CmppSegments(*ucs2, static_cast<std::uint8_t>(reference_.fetch_add(1, std::memory_order_relaxed)));
    CmppSubmit submit = submit_;
    submit.dest = request.contact;
    submit.pk_total = static_cast<std::uint8_t>(segments.size());
    submit.tp_udhi = segments.size() > 1 ? 1 : 0;
    for (std::size_t i = 0; i < segments.size(); ++i) {
      submit.pk_number = static_cast<std::uint8_t>(i + 1);
      submit.registered_delivery = i == 0 ? 1 : 0;  // one report a message
      submit.content = segments[i];
      AppendCmppSubmit(version_, submit, 0, &send.pdus);
    }
    link_.Send(std::move(send));
  }

  delivery::QueryResult Query(const delivery::SendRequest& /*request*/) override {
    delivery::QueryResult query;
    query.result.code = "query";
    return query;
  }

  delivery::CallbackReply ParseCallback(const delivery::CallbackRequest& /*request*/) override {
    delivery::CallbackReply reply;
    reply.status = 404;
    reply.body = "CMPP has no call-backs";
    return reply;
  }

 private:
  static LinkOptions LinkOf(const CmppOptions& options, const std::string& name) {
    LinkOptions link;
    link.name = name;
    link.host = options.host;
    link.port = options.port;
    link.connections = options.connections;
    link.window = options.window;
    link.queue = static_cast<std::size_t>(options.queue);
    link.per_second = options.per_second;
    link.connect_timeout = options.connect_timeout;
    link.idle = options.idle;
    link.answer_wait = options.answer_wait;
    link.keep_alives = options.keep_alives;
    link.reconnect_min = options.reconnect_min;
    link.reconnect_max = options.reconnect_max;
    link.throttle_pause = options.throttle_pause;
    return link;
  }

  const CmppOptions options_;
  const CmppVersion version_;
  const std::string name_ = "cmpp";
  const SystemClock clock_;
  CmppSubmit submit_;  // what all have in common
  std::atomic<unsigned> reference_{0};
  const std::shared_ptr<Protocol> protocol_;
  Link link_;
};

void Complain(const delivery::Settings& settings, const char* key, std::string message, std::string hint,
              Diagnostics* found) {
  found->push_back({settings.At(key), 1, "bad-value", std::move(message), std::move(hint), {}});
}

}  // namespace

std::vector<delivery::SettingDoc> CmppSettings() {
  return {
      {"host", "", true, false, {"网关地址", "address of the gateway (ISMG)"}},
      {"port", "7890", false, false, {"网关端口", "its port"}},
      {"version", "2.0", false, false, {"协议版本 2.0 或 3.0", "2.0 or 3.0"}},
      {"source_addr", "", true, false, {"企业代码（登录名），6 位", "account (SP_Id), at most 6 characters"}},
      {"secret", "", true, true, {"登录密码", "shared secret"}},
      {"service_id", "", true, false, {"业务代码", "service id, at most 10 characters"}},
      {"src_id", "", true, false, {"接入号加扩展码", "the number people see: port number and extension"}},
      {"msg_src", "", false, false, {"信息来源；默认同企业代码", "Msg_src; default: source_addr"}},
      {"fee_user_type",
       "2",
       false,
       false,
       {"计费用户类型 0–3", "who is charged: 0 receiver, 1 sender, 2 SP, 3 fee_terminal_id"}},
      {"fee_terminal_id", "", false, false, {"被计费号码", "the charged number, when fee_user_type is 3"}},
      {"fee_type", "01", false, false, {"资费类别", "01: free for the receiver"}},
      {"fee_code", "000000", false, false, {"资费代码", "fee code"}},
      {"connections", "1", false, false, {"连接数 1–16", "connections, 1 to 16"}},
      {"window", "16", false, false, {"每个连接的滑动窗口", "unanswered segments per connection, 1 to 256"}},
      {"per_second",
       "0",
       false,
       false,
       {"每秒条数上限，0 为不限", "segments a second as contracted; 0: no limit of ours"}},
      {"queue", "10000", false, false, {"等待窗口的短信数上限", "messages that may wait for the window"}},
      {"verify_gateway",
       "false",
       false,
       false,
       {"校验网关的 AuthenticatorISMG；部分网关算得不对",
        "refuse a gateway that cannot prove that it knows the secret; some real ones compute it wrongly"}},
      {"dead_stats",
       "MK:0001",
       false,
       false,
       {"表示空号的状态码，逗号分隔", "stats that mean that there is no such number, separated by commas"}},
      {"price_cny", "", false, false, {"每条价格（元）", "yuan for each segment"}},
      {"connect_timeout_ms", "5000", false, false, {"建立连接和登录的时限", "time to connect, and for the login"}},
      {"idle_s", "180", false, false, {"空闲多久发链路检测（C）", "C: nothing heard for so long: ACTIVE_TEST"}},
      {"answer_wait_s", "60", false, false, {"等待响应的时间（T）", "T: wait for its answer"}},
      {"keep_alives", "3", false, false, {"链路检测次数（N）", "N: unanswered tests before the connection is closed"}},
  };
}

std::optional<CmppOptions> ValidateCmpp(const delivery::Settings& settings, Diagnostics* diagnostics) {
  Diagnostics found;
  delivery::RefuseUnknownKeys(settings, CmppSettings(), &found);
  CmppOptions o;
  o.host = settings.String("host", std::nullopt, &found);
  o.port = static_cast<int>(settings.Int("port", 7890, 1, 65535, &found));
  const std::string version = settings.String("version", std::string("2.0"), &found);
  o.v3 = version == "3.0";
  if (version != "2.0" && version != "3.0") {
    Complain(settings, "version", "version is neither 2.0 nor 3.0", "2.0 is what most gateways speak", &found);
  }
  // A field that would be cut is a mistake.
  const auto field = [&](const char* key, std::optional<std::string> fallback, std::size_t size, bool digits) {
    std::string text = settings.String(key, std::move(fallback), &found);
    if (text.size() > size) {
      Complain(settings, key, std::string(key) + " has more than " + std::to_string(size) + " characters", {}, &found);
    } else if (digits && text.find_first_not_of("0123456789") != std::string::npos) {
      Complain(settings, key, std::string(key) + " is not made of digits", {}, &found);
    }
    return text;
  };
  o.source_addr = field("source_addr", std::nullopt, 6, false);
  o.secret = settings.SecretOf("secret", true, &found);
  o.service_id = field("service_id", std::nullopt, 10, false);
  o.src_id = field("src_id", std::nullopt, 21, true);
  o.msg_src = field("msg_src", std::string(), 6, false);
  o.fee_user_type = static_cast<int>(settings.Int("fee_user_type", 2, 0, 3, &found));
  o.fee_terminal_id = field("fee_terminal_id", std::string(), 21, true);
  if (o.fee_user_type == 3 && o.fee_terminal_id.empty()) {
    Complain(settings, "fee_terminal_id", "fee_user_type 3 needs a fee_terminal_id", {}, &found);
  }
  o.fee_type = field("fee_type", std::string("01"), 2, true);
  o.fee_code = field("fee_code", std::string("000000"), 6, true);
  o.connections = static_cast<int>(settings.Int("connections", 1, 1, 16, &found));
  o.window = static_cast<int>(settings.Int("window", 16, 1, 256, &found));
  o.per_second = static_cast<int>(settings.Int("per_second", 0, 0, 100'000, &found));
  o.queue = static_cast<int>(settings.Int("queue", 10'000, 1, 1'000'000, &found));
  o.verify_gateway = settings.Bool("verify_gateway", false, &found);
  const std::string dead = settings.String("dead_stats", std::string("MK:0001"), &found);
  o.dead_stats.clear();
  for (std::size_t at = 0; at <= dead.size();) {
    const std::size_t comma = std::min(dead.find(',', at), dead.size());
    const std::string stat = dead.substr(at, comma - at);
    if (stat.size() > 7) {
      Complain(settings, "dead_stats", "dead_stats names a stat of more than 7 characters",
               "separate them by commas, without spaces", &found);
    }
    if (!stat.empty()) o.dead_stats.insert(stat);
    at = comma + 1;
  }
  o.price_micros = settings.PriceMicros("price_cny", &found);
  o.connect_timeout = Millis(settings.Int("connect_timeout_ms", 5000, 10, 60'000, &found));
  o.idle = std::chrono::seconds(settings.Int("idle_s", 180, 1, 3600, &found));
  o.answer_wait = std::chrono::seconds(settings.Int("answer_wait_s", 60, 1, 600, &found));
  o.keep_alives = static_cast<int>(settings.Int("keep_alives", 3, 1, 10, &found));
  const bool good = found.empty();
  if (diagnostics != nullptr) diagnostics->insert(diagnostics->end(), found.begin(), found.end());
  if (!good) return std::nullopt;
  return o;
}

std::shared_ptr<delivery::Connector> NewCmpp(CmppOptions options, Logger* logger) {
  return std::make_shared<Cmpp>(std::move(options), logger);
}

}  // namespace zhitui::sms
