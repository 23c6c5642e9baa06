#include "sms/smpp.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <mutex>
#include <utility>

#include <openssl/rand.h>

#include "sms/link.h"
#include "sms/long_text.h"
#include "sms/smpp_codes.h"
#include "sms/smpp_pdu.h"
#include "sms/smpp_receipt.h"

namespace zhitui::sms {
namespace {

using delivery::SendResult;
using delivery::Verdict;
using smpp::Command;
using smpp::Pdu;
using smpp::ShortMessage;

constexpr std::uint8_t kDataCodingUcs2 = 8;
constexpr std::uint32_t kReceiverBusy = 0x64;     // ESME_RX_T_APPN: the centre delivers again
constexpr std::uint32_t kReceiverRefuses = 0x65;  // ESME_RX_P_APPN: it does not
constexpr std::size_t kMaxAddress = 20;
constexpr std::size_t kMaxOpenReplies = 1000;
constexpr std::size_t kMaxOpenBytes = 1 << 20;
constexpr Millis kIntakeRetry{1000};

bool Digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A mainland number as its eleven digits; any other as it is.
std::string Phone(std::string_view number) {
  std::string_view digits = number;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  if (digits.starts_with("00")) digits.remove_prefix(2);
  if (digits.size() == 13 && digits.starts_with("861")) digits.remove_prefix(2);
  const bool mobile = digits.size() == 11 && digits.front() == '1' && Digits(digits);
  return mobile ? std::string(digits) : smpp::Printable(number);
}

std::string Cut(std::string text, std::size_t max) {
  if (text.size() <= max) return text;
  std::size_t end = max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  text.resize(end);
  return text;
}

enum class Coding { kGsm, kLatin1, kUcs2, kUnreadable };

// data_coding of the specification (5.2.19), and the groups of GSM 03.38 that centres pass on as they are.
Coding CodingOf(std::uint8_t data_coding, bool gsm) {
  const Coding standard = gsm ? Coding::kGsm : Coding::kLatin1;
  switch (data_coding) {
    case 0x00:
      return standard;
    case 0x01:
    case 0x03:
      return Coding::kLatin1;
    case kDataCodingUcs2:
      return Coding::kUcs2;
    default:
      break;
  }
  if (data_coding >= 0xf0) return (data_coding & 0x04U) == 0 ? standard : Coding::kUnreadable;
  if (data_coding >= 0x10 && data_coding < 0x20) {  // with a message class, not compressed
    if ((data_coding & 0x0cU) == 0x00) return standard;
    if ((data_coding & 0x0cU) == 0x08) return Coding::kUcs2;
  }
  return Coding::kUnreadable;
}

std::string Decoded(Coding coding, std::string_view bytes) {
  switch (coding) {
    case Coding::kGsm:
      return FromGsm(bytes);
    case Coding::kLatin1:
      return FromLatin1(bytes);
    case Coding::kUcs2:
      return FromUcs2(bytes);
    case Coding::kUnreadable:
      break;
  }
  return {};
}

// Takes what the centre delivers. On the link's second thread alone; two links of one connector take turns.
class Inbox {
 public:
  Inbox(const SmppOptions& options, std::string name, Logger& logger)
      : name_(std::move(name)),
        logger_(logger),
        gsm_(options.gsm_replies),
        joiner_(kMaxOpenReplies, kMaxOpenBytes, options.join_timeout) {
    rules_.offset = std::chrono::minutes(options.utc_offset_minutes);
    rules_.dead_stats = options.dead_stats;
    rules_.dead_errors = options.dead_errors;
  }

  void SetIds(smpp::IdForm form) { rules_.ids = form; }
  void SetIntake(delivery::Intake intake) {
    const std::scoped_lock lock(mutex_);
    intake_ = std::move(intake);
  }

  std::optional<Millis> Take(std::vector<LinkDelivery>& batch) {
    const std::scoped_lock lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    Found found;
    std::vector<std::uint32_t> statuses;
    for (const LinkDelivery& one : batch) statuses.push_back(Read(one.pdu, now, found));
    for (const Joiner::Joined& joined : joiner_.Overdue(now)) {
      if (std::find(found.whole.begin(), found.whole.end(), joined.key) != found.whole.end()) continue;
      AddReply(joined, found);
    }
    const bool taken = Pass(found);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const bool lost = !taken && statuses[i] == kOfIntake;
      Answer(batch[i], lost ? kReceiverBusy : statuses[i] == kOfIntake ? smpp::kOk : statuses[i]);
    }
    if (!taken) return kIntakeRetry;
    for (const std::string& key : found.whole) joiner_.Forget(key);
    const auto due = joiner_.NextDue();
    if (!due) return std::nullopt;
    return std::max(Millis(1), std::chrono::ceil<Millis>(*due - now));
  }

 private:
  // Not a status of SMPP: good when what the unit brought has been taken.
  static constexpr std::uint32_t kOfIntake = 0xffffffff;

  struct Found {
    std::vector<delivery::Receipt> receipts;
    std::vector<delivery::Signal> signals;
    std::vector<std::string> whole;  // keys of joined replies among the signals
  };

  std::uint32_t Read(std::string_view bytes, Joiner::Time now, Found& found) {
    const auto pdu = smpp::Decode(bytes);
    if (!pdu) {
      Complain(std::string(pdu.error().what));
      return pdu.error().status;
    }
    const auto& message = std::get<ShortMessage>(pdu->body);
    if (smpp::IsReceipt(message)) {
      auto receipt = smpp::ToReceipt(message, rules_, clock_.Now());
      if (!receipt) return smpp::kOk;
      found.receipts.push_back(*std::move(receipt));
      return kOfIntake;
    }
    // Acknowledgements of the handset and intermediate notifications say nothing that is kept.
    if ((message.esm_class & smpp::kTypeMask) != 0) return smpp::kOk;
    return ReadReply(message, now, found);
  }

  std::uint32_t ReadReply(const ShortMessage& message, Joiner::Time now, Found& found) {
    const Coding coding = CodingOf(message.data_coding, gsm_);
    if (coding == Coding::kUnreadable) {
      Complain("data_coding");
      return kReceiverRefuses;
    }
    UserData data{SarPart(message), message.text};
    if ((message.esm_class & smpp::kUdhi) != 0) {
      const auto parsed = ParseUserData(message.text);
      if (!parsed) {
        Complain("user_data_header");
        return kReceiverRefuses;
      }
      data = *parsed;
    }
    ByteWriter context;
    context.U64(static_cast<std::uint64_t>(coding));
    context.Str(message.source.digits);
    context.Str(message.destination.digits);
    if (!data.part || data.text.size() > smpp::kMaxShortMessage) {
      AddReply({{}, std::string(data.text), true, context.Take()}, found);
      return kOfIntake;
    }
    const std::uint64_t dropped = joiner_.dropped();
    const auto joined = joiner_.Add(context.bytes(), *data.part, data.text, context.bytes(), now);
    if (joiner_.dropped() != dropped) Complain("too_many_long_replies");
    if (!joined) return smpp::kOk;
    AddReply(*joined, found);
    return kOfIntake;
  }

  static std::optional<Part> SarPart(const ShortMessage& message) {
    const std::string* reference = smpp::FindTlv(message.tlvs, smpp::kSarRefNum);
    const std::string* total = smpp::FindTlv(message.tlvs, smpp::kSarTotal);
    const std::string* number = smpp::FindTlv(message.tlvs, smpp::kSarNumber);
    if (reference == nullptr || total == nullptr || number == nullptr) return std::nullopt;
    const auto byte = [](const std::string& text, std::size_t at) { return static_cast<std::uint8_t>(text[at]); };
    Part part;
    part.reference = static_cast<std::uint16_t>(byte(*reference, 0) << 8 | byte(*reference, 1));
    part.total = byte(*total, 0);
    part.number = byte(*number, 0);
    if (part.number == 0 || part.number > part.total || part.total == 1) return std::nullopt;
    return part;
  }

  void AddReply(const Joiner::Joined& joined, Found& found) {
    ByteReader context(joined.context);
    const auto coding = static_cast<Coding>(context.U64());
    delivery::Signal signal;
    signal.kind = delivery::SignalKind::kReply;
    signal.contact = Phone(context.Str());
    signal.answered = smpp::Printable(context.Str());
    signal.text = Decoded(coding, joined.text);
    if (!joined.whole) signal.text += "…";
    signal.text = Cut(std::move(signal.text), delivery::kMaxReplyBytes);
    signal.at = clock_.Now();
    found.signals.push_back(std::move(signal));
    if (!joined.key.empty()) found.whole.push_back(joined.key);
  }

  bool Pass(const Found& found) {
    if (found.receipts.empty() && found.signals.empty()) return true;
    if (!intake_) return false;
    const Status status = intake_(name_, found.receipts, found.signals);
    if (!status) Complain("intake");
    return status.has_value();
  }

  static void Answer(LinkDelivery& delivery, std::uint32_t status) {
    Pdu answer;
    answer.command = Command::kDeliverSmResp;
    answer.status = status;
    if (const auto header = smpp::PeekHeader(delivery.pdu)) answer.sequence = header->sequence;
    answer.body = smpp::Named{};  // message_id is unused and set to NULL (4.6.2)
    if (auto bytes = smpp::Encode(answer)) delivery.reply = *std::move(bytes);
  }

  void Complain(const std::string& what) {
    if (gate_.Open(what)) logger_.Warn("delivery_refused", {{"connector", name_}, {"reason", what}});
  }

  const std::string name_;
  Logger& logger_;
  const bool gsm_;
  const SystemClock clock_;
  delivery::AlarmGate gate_;
  std::mutex mutex_;
  smpp::ReceiptRules rules_;
  delivery::Intake intake_;
  Joiner joiner_;
};

class Protocol final : public LinkProtocol {
 public:
  Protocol(const SmppOptions& options, Command bind, smpp::IdForm ids, std::shared_ptr<Inbox> inbox)
      : system_id_(options.system_id),
        password_(options.password),
        system_type_(options.system_type),
        codes_(options.codes),
        bind_(bind),
        ids_(ids),
        inbox_(std::move(inbox)) {}

  std::size_t header_bytes() const override { return smpp::kHeaderBytes; }
  std::size_t sequence_offset() const override { return 12; }
  std::size_t max_pdu_bytes() const override { return smpp::kMaxPduBytes; }

  std::string AppendLogin(std::uint32_t sequence, std::string* out) override {
    smpp::Bind bind;
    bind.system_id = system_id_;
    bind.password = password_.Get()->text;
    bind.system_type = system_type_;
    if (!Append({bind_, smpp::kOk, sequence, bind}, out)) {
      // A password that was changed to one the protocol has no room for. The centre's refusal raises the alarm.
      bind.password.clear();
      Append({bind_, smpp::kOk, sequence, bind}, out);
    }
    return {};
  }

  void AppendKeepAlive(std::uint32_t sequence, std::string* out) override {
    Append({Command::kEnquireLink, smpp::kOk, sequence, {}}, out);
  }
  void AppendClose(std::uint32_t sequence, std::string* out) override {
    Append({Command::kUnbind, smpp::kOk, sequence, {}}, out);
  }

  void AppendReply(std::string_view pdu, std::string* out) override {
    const auto header = smpp::PeekHeader(pdu);
    if (!header || smpp::IsResponse(header->command) || header->command == kAlertNotification) return;
    const auto command = static_cast<Command>(header->command);
    if (command == Command::kEnquireLink || command == Command::kUnbind) {
      Append({smpp::ResponseTo(command), smpp::kOk, header->sequence, {}}, out);
    } else {
      Append({Command::kGenericNack, smpp::kInvalidCommandId, header->sequence, {}}, out);
    }
  }

  LinkKind Classify(std::string_view pdu) override {
    const auto header = smpp::PeekHeader(pdu);
    if (!header) return LinkKind::kBroken;
    switch (static_cast<Command>(header->command)) {
      case Command::kBindReceiverResp:
      case Command::kBindTransmitterResp:
      case Command::kBindTransceiverResp:
        return LinkKind::kLoginAnswer;
      case Command::kSubmitSmResp:
        return LinkKind::kAnswer;
      case Command::kGenericNack:
        // Without a sequence number the centre could not read where a unit begins: nothing after it can be trusted.
        return header->sequence == 0 ? LinkKind::kBroken : LinkKind::kAnswer;
      case Command::kEnquireLink:
        return LinkKind::kKeepAlive;
      case Command::kEnquireLinkResp:
        return LinkKind::kKeepAliveAnswer;
      case Command::kDeliverSm:
        return LinkKind::kDelivery;
      case Command::kUnbind:
        return LinkKind::kClose;
      case Command::kUnbindResp:
        return LinkKind::kCloseAnswer;
      default:
        return LinkKind::kOther;
    }
  }

  LinkLogin ParseLogin(std::string_view pdu, std::string_view /*session*/) override {
    LinkLogin login;
    const auto answer = smpp::Decode(pdu);
    if (!answer || answer->command != smpp::ResponseTo(bind_)) {
      login.code = "bind";
      return login;
    }
    login.ok = answer->status == smpp::kOk;
    if (login.ok) return login;
    login.verdict = smpp::BindVerdict(answer->status);
    login.code = smpp::StatusCode(answer->status);
    return login;
  }

  LinkAnswer ParseAnswer(std::string_view pdu) override {
    LinkAnswer out;
    const auto answer = smpp::Decode(pdu);
    if (!answer) {
      out.result.code = "malformed";
      return out;
    }
    std::uint32_t status = answer->status;
    if (answer->command == Command::kGenericNack && status == smpp::kOk) status = smpp::kInvalidCommandId;
    const smpp::StatusAction action = smpp::SubmitAction(status, codes_);
    out.result.verdict = action.verdict;
    out.result.code = smpp::StatusCode(status);
    out.again = action.again;
    if (const auto* named = std::get_if<smpp::Named>(&answer->body)) {
      out.result.provider_id = smpp::AnswerId(ids_, named->id);
    }
    return out;
  }

  std::optional<Millis> Deliver(std::vector<LinkDelivery>& batch) override { return inbox_->Take(batch); }

 private:
  static constexpr std::uint32_t kAlertNotification = 0x102;  // has no answer

  static bool Append(const Pdu& pdu, std::string* out) {
    const auto bytes = smpp::Encode(pdu);
    if (bytes) out->append(*bytes);
    return bytes.has_value();
  }

  const std::string system_id_;
  const delivery::Secret password_;
  const std::string system_type_;
  const smpp::StatusOverrides codes_;
  const Command bind_;
  const smpp::IdForm ids_;
  const std::shared_ptr<Inbox> inbox_;
};

constexpr std::array<std::pair<std::string_view, smpp::IdForm>, 4> kIdForms = {{
    {"text", smpp::IdForm::kText},
    {"decimal", smpp::IdForm::kDecimal},
    {"hex_then_decimal", smpp::IdForm::kHexThenDecimal},
    {"decimal_then_hex", smpp::IdForm::kDecimalThenHex},
}};
std::optional<smpp::IdForm> IdFormOf(std::string_view name) {
  for (const auto& [word, form] : kIdForms) {
    if (word == name) return form;
  }
  return std::nullopt;
}

class Smpp final : public delivery::Connector {
 public:
  Smpp(SmppOptions options, Logger* logger)
      : options_(std::move(options)),
        logger_(logger == nullptr ? NullLogger() : *logger),
        inbox_(std::make_shared<Inbox>(options_, name_, logger_)) {
    const smpp::IdForm ids = IdFormOf(options_.message_ids).value_or(smpp::IdForm::kText);
    inbox_->SetIds(ids);
    unsigned char first = 0;
    if (RAND_bytes(&first, 1) == 1) reference_ = first;
    LinkOptions link;
    link.name = name_;
    link.host = options_.host;
    link.port = options_.port;
    link.connections = options_.connections;
    link.window = options_.window;
    link.per_second = options_.per_second;
    link.connect_timeout = options_.connect_timeout;
    link.idle = options_.idle;
    link.answer_wait = options_.answer_wait;
    link.throttle_pause = options_.throttle_pause;
    link.resends = options_.resends;
    const auto open = [&](Command bind) {
      return std::make_unique<Link>(link, std::make_shared<Protocol>(options_, bind, ids, inbox_), &logger_);
    };
    sender_ = open(options_.separate ? Command::kBindTransmitter : Command::kBindTransceiver);
    if (options_.separate) {
      link.connections = 1;
      receiver_ = open(Command::kBindReceiver);
    }
  }

  const std::string& name() const override { return name_; }
  Channel channel() const override { return Channel::kSms; }
  delivery::UnknownPolicy unknown_policy() const override { return delivery::UnknownPolicy::kPark; }
  bool sends_receipts() const override { return options_.receipts; }
  bool receipts_name_attempt() const override { return false; }

  Status Check(const message::Content& content) const override {
    if (content.channel != Channel::kSms) return Invalid("not a text message");
    if (content.body.empty()) return Invalid("the text of the SMS is empty");
    if (!IsValidUtf8(content.body)) return Invalid("the text of the SMS is not valid UTF-8");
    if (content.body.find('\0') != std::string::npos) return Invalid("the text of the SMS holds a NUL");
    if (message::SmsSegments(message::Utf16Length(content.body)) == 0) {
      return Invalid("the text of the SMS is longer than 500 characters");
    }
    return {};
  }

  std::int64_t CostMicros(const message::Content& content) const override {
    return options_.price_micros * static_cast<std::int64_t>(SegmentsOf(content.body));
  }

  void Start(delivery::Intake intake) override {
    inbox_->SetIntake(std::move(intake));
    if (receiver_) receiver_->Start();
    sender_->Start();
  }

  void Close() override {
    sender_->Close();
    if (receiver_) receiver_->Close();
  }

  // SMPP has no key: a second submit is a second message.
  Result<delivery::IdempotencyKey> NewKey(const std::string& attempt_id) override {
    return delivery::IdempotencyKey{attempt_id, clock_.Now()};
  }

  SendResult Send(const delivery::SendRequest& request) override { return SendByBegin(*this, request); }
  bool asynchronous() const override { return true; }

  void Begin(const delivery::SendRequest& request, std::function<void(SendResult)> done) override {
    const auto deadline = std::chrono::steady_clock::now() + request.timeout;
    const std::string number = options_.dest_prefix + request.contact;
    if (!Digits(request.contact) || number.size() > kMaxAddress) return done(Refused(Verdict::kDropContact, "contact"));
    if (const Status good = Check(request.content); !good) return done(Refused(Verdict::kFixMessage, "content"));
    auto pdus = Pdus(number, request.content.body);
    if (!pdus) return done(Refused(Verdict::kFixMessage, "length"));
    LinkSend send;
    send.pdus = *std::move(pdus);
    send.deadline = deadline;
    send.done = [this, done = std::move(done)](SendResult result) {
      Alarm(result);
      done(std::move(result));
    };
    sender_->Send(std::move(send));
  }

  // Asking (query_sm) needs the message id, which an attempt without an answer does not have.
  delivery::QueryResult Query(const delivery::SendRequest& /*request*/) override { return {}; }

  delivery::CallbackReply ParseCallback(const delivery::CallbackRequest& /*request*/) override {
    delivery::CallbackReply reply;
    reply.status = 404;
    reply.body = "SMPP delivers on its own connections";
    return reply;
  }

 private:
  static SendResult Refused(Verdict verdict, std::string code) {
    SendResult result;
    result.verdict = verdict;
    result.code = std::move(code);
    return result;
  }

  Result<std::string> Pdus(const std::string& number, const std::string& text) {
    const auto ucs2 = ToUcs2(text);
    if (!ucs2) return Invalid("not valid UTF-8");
    std::vector<std::string> segments;
    const bool payload = options_.payload && ucs2->size() > kSegmentBytes;
    if (payload) {
      segments = {*ucs2};
    } else {
      segments = SplitUcs2(*ucs2, reference_.fetch_add(1));
    }
    if (segments.empty()) return Invalid("too many segments");
    std::string out;
    for (std::size_t i = 0; i < segments.size(); ++i) {
      ShortMessage message;
      message.service_type = options_.service_type;
      message.source = {static_cast<std::uint8_t>(options_.source_ton), static_cast<std::uint8_t>(options_.source_npi),
                        options_.source_addr};
      message.destination = {static_cast<std::uint8_t>(options_.dest_ton), static_cast<std::uint8_t>(options_.dest_npi),
                             number};
      message.esm_class = segments.size() > 1 ? smpp::kUdhi : 0;
      // One receipt tells the fate of a message; a receipt of every segment would only repeat it.
      message.registered_delivery = options_.receipts && i == 0 ? 1 : 0;
      message.data_coding = kDataCodingUcs2;
      message.text = segments[i];
      message.in_payload = payload;
      auto bytes = smpp::Encode({Command::kSubmitSm, smpp::kOk, 0, std::move(message)});
      if (!bytes) return bytes;
      out += *bytes;
    }
    return out;
  }

  void Alarm(const SendResult& result) {
    if (result.verdict != Verdict::kStopChannel || !alarms_.Open(result.code)) return;
    logger_.Error("connector_stopped", {{"connector", name_}, {"code", result.code}});
  }

  const SmppOptions options_;
  Logger& logger_;
  const std::string name_ = "smpp";
  const SystemClock clock_;
  delivery::AlarmGate alarms_;
  std::atomic<std::uint8_t> reference_{0};
  std::shared_ptr<Inbox> inbox_;
  // Last, so that they end first: what they call back uses the rest.
  std::unique_ptr<Link> receiver_;
  std::unique_ptr<Link> sender_;
};

// ---- Settings

void Bad(const delivery::Settings& settings, const std::string& key, std::string message, std::string hint,
         Diagnostics* diagnostics) {
  diagnostics->push_back({settings.At(key), 1, "bad-value", std::move(message), std::move(hint), {}});
}

std::string ShortText(const delivery::Settings& settings, const std::string& key, std::optional<std::string> fallback,
                      std::size_t max, Diagnostics* diagnostics) {
  std::string value = settings.String(key, std::move(fallback), diagnostics);
  const bool plain = std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (value.size() > max || !plain) {
    Bad(settings, key, key + " is not of at most " + std::to_string(max) + " ASCII characters",
        "SMPP has no room for more", diagnostics);
  }
  return value;
}

bool OneOf(const delivery::Settings& settings, const std::string& key, const char* first, const char* second,
           Diagnostics* diagnostics) {
  const std::string value = settings.String(key, first, diagnostics);
  if (value != first && value != second) {
    Bad(settings, key, key + " is neither " + first + " nor " + second, "write " + std::string(first) + " or " + second,
        diagnostics);
  }
  return value == second;
}

std::vector<std::string> Words(const std::string& list) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : list + ",") {
    if (c == ',') {
      if (!word.empty()) words.push_back(std::exchange(word, {}));
    } else if (c != ' ') {
      word.push_back(c);
    }
  }
  return words;
}

std::optional<std::uint32_t> StatusOf(std::string_view text) {
  if (!text.starts_with("0x") && !text.starts_with("0X")) return std::nullopt;
  text.remove_prefix(2);
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size() || value == smpp::kOk) return std::nullopt;
  return value;
}

std::optional<Verdict> RefusalOf(std::string_view word) {
  for (const Verdict verdict : {Verdict::kRetryLater, Verdict::kThrottled, Verdict::kDropContact, Verdict::kStopChannel,
                                Verdict::kFixMessage}) {
    if (word == delivery::VerdictName(verdict)) return verdict;
  }
  return std::nullopt;
}

void ReadCodes(const delivery::Settings& settings, SmppOptions& options, Diagnostics* diagnostics) {
  for (const auto& [name, word] : settings.Table("codes")) {
    const auto status = StatusOf(name);
    const auto verdict = RefusalOf(word);
    if (status && verdict) {
      options.codes[*status] = *verdict;
      continue;
    }
    Bad(settings, "codes." + name, "the rule for the status " + name + " cannot be read",
        "for example 0x0400: stop_channel (or retry_later, throttled, drop_contact, fix_message)", diagnostics);
  }
}

}  // namespace

std::vector<delivery::SettingDoc> SmppSettings() {
  return {
      {"host", "", true, false, {"短信中心的主机名或地址", "host name or address of the short message centre"}},
      {"port", "2775", false, false, {"端口", "its port"}},
      {"system_id", "", true, false, {"登录名，至多 15 个字符", "name to bind with, at most 15 characters"}},
      {"password", "", true, true, {"密码，至多 8 个字符", "password, at most 8 characters"}},
      {"system_type", "", false, false, {"短信中心要求的 system_type", "system_type, when the centre asks for one"}},
      {"bind",
       "transceiver",
       false,
       false,
       {"transceiver：每条连接收发兼用；separate：收发各用连接",
        "transceiver: every connection sends and takes; separate: each does one"}},
      {"connections", "1", false, false, {"发送连接数", "connections that send"}},
      {"window", "10", false, false, {"每条连接未应答的上限", "unanswered messages per connection"}},
      {"per_second", "0", false, false, {"每秒至多几条分段；0 为不限", "segments a second; 0: no limit"}},
      {"source_addr", "", false, false, {"发送方号码", "number that messages come from"}},
      {"source_ton", "0", false, false, {"发送方号码类型（TON）", "type of that number (TON)"}},
      {"source_npi", "0", false, false, {"发送方编号计划（NPI）", "its numbering plan (NPI)"}},
      {"dest_prefix", "", false, false, {"加在 11 位号码前，例如 86", "put before the eleven digits, for example 86"}},
      {"dest_ton", "1", false, false, {"接收号码类型（TON）", "type of the person's number (TON)"}},
      {"dest_npi", "1", false, false, {"接收号码编号计划（NPI）", "its numbering plan (NPI)"}},
      {"service_type", "", false, false, {"service_type，至多 5 个字符", "service_type, at most 5 characters"}},
      {"receipts", "true", false, false, {"是否要求状态报告", "ask for delivery receipts"}},
      {"long_messages",
       "segments",
       false,
       false,
       {"segments：带 UDH 分段；payload：整条放入 message_payload",
        "segments: cut, with a user data header; payload: whole in message_payload"}},
      {"default_alphabet",
       "gsm",
       false,
       false,
       {"回复中 data_coding 0 的编码：gsm 或 latin1", "what data_coding 0 of a reply means: gsm or latin1"}},
      {"message_ids",
       "text",
       false,
       false,
       {"应答与状态报告中消息号的写法：text、decimal、hex_then_decimal、decimal_then_hex",
        "how message ids are written in the answer and in the receipt: text (alike), decimal, hex_then_decimal, "
        "decimal_then_hex"}},
      {"utc_offset_minutes",
       "480",
       false,
       false,
       {"状态报告时间的时区", "the centre's clock in receipts, minutes from UTC"}},
      {"dead_stats",
       "",
       false,
       false,
       {"表示号码不存在的 stat，用逗号分隔", "values of stat that say there is no such subscriber, with commas"}},
      {"dead_errors",
       "",
       false,
       false,
       {"表示号码不存在的 err，用逗号分隔，例如 001", "values of err that say so, with commas, for example 001"}},
      {"codes.*",
       "",
       false,
       false,
       {"短信中心自定义状态码的处理，例如 0x0400: stop_channel",
        "what to do about the centre's own statuses, for example 0x0400: stop_channel"}},
      {"price_cny", "0", false, false, {"每段价格（元）", "price of a segment in yuan"}},
      {"connect_timeout_ms", "5000", false, false, {"建立连接和登录的时限", "time to connect, and to bind"}},
      {"idle_ms", "60000", false, false, {"空闲多久发送 enquire_link", "silence after which enquire_link is sent"}},
      {"answer_wait_ms", "30000", false, false, {"等待应答的时限", "how long an answer is waited for"}},
      {"throttle_pause_ms", "200", false, false, {"限速后的首次停顿", "first pause after a refusal as too fast"}},
      {"resends", "3", false, false, {"限速后同一分段重发次数", "how often a segment refused as too fast goes again"}},
      {"join_timeout_s",
       "600",
       false,
       false,
       {"等待长回复其余分段的时限（秒）", "how long the rest of a long reply is waited for, in seconds"}},
  };
}

std::optional<SmppOptions> ValidateSmpp(const delivery::Settings& settings, Diagnostics* diagnostics) {
  Diagnostics found;
  delivery::RefuseUnknownKeys(settings, SmppSettings(), &found);
  const auto number = [&](const char* key, std::int64_t fallback, std::int64_t min, std::int64_t max) {
    return static_cast<int>(settings.Int(key, fallback, min, max, &found));
  };
  SmppOptions o;
  o.host = settings.String("host", std::nullopt, &found);
  o.port = number("port", 2775, 1, 65535);
  o.system_id = ShortText(settings, "system_id", std::nullopt, 15, &found);
  o.password = settings.SecretOf("password", true, &found);
  if (o.password.Get()->text.size() > 8) {
    Bad(settings, "password", "the password is longer than 8 characters", "SMPP has no room for more", &found);
  }
  o.system_type = ShortText(settings, "system_type", std::string(), 12, &found);
  o.separate = OneOf(settings, "bind", "transceiver", "separate", &found);
  o.connections = number("connections", 1, 1, 64);
  o.window = number("window", 10, 1, 1000);
  o.per_second = number("per_second", 0, 0, 100'000);
  o.source_addr = ShortText(settings, "source_addr", std::string(), 20, &found);
  o.source_ton = number("source_ton", 0, 0, 255);
  o.source_npi = number("source_npi", 0, 0, 255);
  o.dest_prefix = settings.String("dest_prefix", std::string(), &found);
  if (o.dest_prefix.size() > 9 || (!o.dest_prefix.empty() && !Digits(o.dest_prefix))) {
    Bad(settings, "dest_prefix", "dest_prefix is not of at most 9 digits", "for example 86", &found);
  }
  o.dest_ton = number("dest_ton", 1, 0, 255);
  o.dest_npi = number("dest_npi", 1, 0, 255);
  o.service_type = ShortText(settings, "service_type", std::string(), 5, &found);
  o.receipts = settings.Bool("receipts", true, &found);
  o.payload = OneOf(settings, "long_messages", "segments", "payload", &found);
  o.gsm_replies = !OneOf(settings, "default_alphabet", "gsm", "latin1", &found);
  o.message_ids = settings.String("message_ids", "text", &found);
  if (!IdFormOf(o.message_ids)) {
    Bad(settings, "message_ids", "message_ids is none of text, decimal, hex_then_decimal, decimal_then_hex",
        "text, unless the ids in receipts differ from those in answers", &found);
  }
  o.utc_offset_minutes = number("utc_offset_minutes", 480, -720, 840);
  o.dead_stats = Words(settings.String("dead_stats", std::string(), &found));
  for (std::string& word : o.dead_stats) {
    std::transform(word.begin(), word.end(), word.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  }
  o.dead_errors = Words(settings.String("dead_errors", std::string(), &found));
  ReadCodes(settings, o, &found);
  o.price_micros = settings.PriceMicros("price_cny", &found);
  o.connect_timeout = Millis(number("connect_timeout_ms", 5000, 10, 60'000));
  o.idle = Millis(number("idle_ms", 60'000, 100, 3'600'000));
  o.answer_wait = Millis(number("answer_wait_ms", 30'000, 100, 600'000));
  o.throttle_pause = Millis(number("throttle_pause_ms", 200, 1, 60'000));
  o.resends = number("resends", 3, 0, 100);
  o.join_timeout = std::chrono::seconds(number("join_timeout_s", 600, 1, 86'400));
  const bool good = found.empty();
  if (diagnostics != nullptr) diagnostics->insert(diagnostics->end(), found.begin(), found.end());
  if (!good) return std::nullopt;
  return o;
}

std::shared_ptr<delivery::Connector> NewSmpp(SmppOptions options, Logger* logger) {
  return std::make_shared<Smpp>(std::move(options), logger);
}

}  // namespace zhitui::sms
