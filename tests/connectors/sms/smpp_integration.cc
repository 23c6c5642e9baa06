// The SMPP connector against the simulated short message centre.
#include <gtest/gtest.h>
#include <httplib.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>

#include "connectors/matrix.h"
#include "delivery/scripted_peer.h"
#include "sandbox/sandbox.h"
#include "sms/sms.h"

namespace zhitui::sms {
namespace {

const auto kIgnored = std::signal(SIGPIPE, SIG_IGN);

using delivery::ReceiptState;
using delivery::SendResult;
using delivery::Verdict;
using nlohmann::json;
using testing::CheckMatrix;
using testing::MatrixRow;

constexpr std::chrono::seconds kPatience(20);

// True as soon as `what` is; false after kPatience.
bool Eventually(const std::function<bool()>& what) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!what()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "smpp-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string Path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

class Centre {
 public:
  explicit Centre(sandbox::Options options = {}) {
    options.smpp.port = -1;
    options.threads = 2;
    options.log_path = folder_.Path("log.ndjson");
    options.receipt_retry_ms = 20;
    server_ = std::make_unique<sandbox::Server>(std::move(options));
    const auto http = server_->Start();
    if (!http) throw std::runtime_error(http.error());
    port_ = server_->Ports().at("smpp");
    http_ = std::make_unique<httplib::Client>("127.0.0.1", *http);
    http_->set_read_timeout(30);
  }
  int port() const { return port_; }
  sandbox::ProviderStats stats() const { return server_->GetStats().at("smpp"); }
  json State() { return json::parse(http_->Get("/smpp/state")->body); }
  // A person's message. The status of the connector's answer; -1: nobody takes it.
  int Say(const json& order) {
    const auto result = http_->Post("/smpp/mo", order.dump(), "application/json");
    return result && result->status == 200 ? json::parse(result->body)["status"].get<int>() : -1;
  }
  std::vector<json> Log() const {
    std::vector<json> lines;
    std::ifstream in(folder_.Path("log.ndjson"));
    for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
    return lines;
  }

 private:
  Folder folder_;
  std::unique_ptr<sandbox::Server> server_;
  std::unique_ptr<httplib::Client> http_;
  int port_ = 0;
};

SmppOptions Options(int port) {
  SmppOptions options;
  options.host = "127.0.0.1";
  options.port = port;
  options.system_id = "sandbox";
  options.password = delivery::Secret("secret01");
  options.source_addr = "106900001";
  options.throttle_pause = Millis(5);
  options.codes = {{0x400, Verdict::kStopChannel}};
  options.dead_errors = {"001"};
  return options;
}

// A connector with what came in on its connections.
class Sender {
 public:
  explicit Sender(SmppOptions options) : connector_(NewSmpp(std::move(options), nullptr)) {
    connector_->Start([this](const std::string& name, const std::vector<delivery::Receipt>& receipts,
                             const std::vector<delivery::Signal>& signals) -> Status {
      const std::scoped_lock lock(mutex_);
      EXPECT_EQ(name, "smpp");
      ++calls_;
      if (failures_ > 0) {
        --failures_;
        return Unavailable("the store does not answer");
      }
      receipts_.insert(receipts_.end(), receipts.begin(), receipts.end());
      signals_.insert(signals_.end(), signals.begin(), signals.end());
      changed_.notify_all();
      return {};
    });
  }
  ~Sender() { connector_->Close(); }
  delivery::Connector& operator*() { return *connector_; }
  delivery::Connector* operator->() { return connector_.get(); }

  void FailNext(int n) {
    const std::scoped_lock lock(mutex_);
    failures_ = n;
  }
  int calls() const {
    const std::scoped_lock lock(mutex_);
    return calls_;
  }
  // Once there are n of them; what there is when that does not happen in time.
  std::vector<delivery::Receipt> Receipts(std::size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return receipts_.size() >= n; });
    return receipts_;
  }
  std::vector<delivery::Signal> Signals(std::size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return signals_.size() >= n; });
    return signals_;
  }

  SendResult Send(const std::string& phone, const std::string& text, Millis timeout = Millis(20'000));

 private:
  std::shared_ptr<delivery::Connector> connector_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<delivery::Receipt> receipts_;
  std::vector<delivery::Signal> signals_;
  int failures_ = 0;
  int calls_ = 0;
};

delivery::SendRequest Request(const std::string& phone, const std::string& text = "【福田政务】您可以领取高龄津贴。") {
  static std::atomic<int> count{0};
  delivery::SendRequest request;
  request.notification_id = "n-" + std::to_string(++count);
  request.attempt_id = request.notification_id + "-1";
  request.contact = phone;
  request.content.channel = Channel::kSms;
  request.content.body = text;
  request.timeout = Millis(20'000);
  return request;
}

SendResult Sender::Send(const std::string& phone, const std::string& text, Millis timeout) {
  delivery::SendRequest request = Request(phone, text);
  request.timeout = timeout;
  return connector_->Send(request);
}

std::string Han(std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += i % 2 == 0 ? "智" : "推";
  return out;
}

TEST(SmppSimulated, EveryFaultHasItsVerdict) {
  sandbox::Options options;
  options.slow_ms = 1500;
  Centre centre(options);
  Sender sender(Options(centre.port()));
  const std::vector<MatrixRow> rows = {
      {"accepted", "13800138001", Verdict::kAccepted, "0x00000000", 1, 1},
      {"throttled, then accepted", "13800130001", Verdict::kAccepted, "0x00000000", 2, 1},
      {"no such number", "13800130002", Verdict::kDropContact, "0x0000000B", 1, 0},
      {"the centre fails", "13800130003", Verdict::kRetryLater, "0x00000008", 1, 0},
      {"the centre fails again", "13800130003", Verdict::kRetryLater, "0x00000008", 1, 0},
      {"and then takes it", "13800130003", Verdict::kAccepted, "", 1, 1},
      {"accepted, the report says failed", "13800130004", Verdict::kAccepted, "", 1, 1},
      {"lost after acceptance", "13800130005", Verdict::kUnknown, "", 1, 1},
      {"lost before acceptance", "13800130006", Verdict::kUnknown, "", 1, 0},
      {"time-out after acceptance", "13800130007", Verdict::kUnknown, "timeout", 1, 1, Millis(300)},
      {"out of credit", "13800130008", Verdict::kStopChannel, "0x00000400", 1, 0},
      {"accepted, no report", "13800130009", Verdict::kAccepted, "", 1, 1},
      {"accepted, unreadable answer", "13800130011", Verdict::kUnknown, "malformed", 1, 1},
      {"the session is forgotten", "13800130012", Verdict::kRetryLater, "0x00000004", 1, 0},
      {"accepted, no such number", "13800130014", Verdict::kAccepted, "", 1, 1},
      {"report before the answer", "13800130015", Verdict::kAccepted, "", 1, 1},
      {"queue full, then accepted", "13800130021", Verdict::kAccepted, "", 2, 1},
      {"never answered", "13800130022", Verdict::kUnknown, "timeout", 1, 1, Millis(300)},
      {"unbound after the answer", "13800130024", Verdict::kAccepted, "", 1, 1},
      {"closed in the middle of the answer", "13800130025", Verdict::kUnknown, "", 1, 1},
      {"generic_nack", "13800130026", Verdict::kFixMessage, "0x00000002", 1, 0},
  };
  CheckMatrix(
      *sender, rows, [](const std::string& contact) { return Request(contact); },
      [&] {
        const auto stats = centre.stats();
        return testing::MatrixCounts{stats.requests, stats.accepted};
      });
  EXPECT_TRUE(Eventually([&] { return centre.State()["sessions"] == 1; })) << "and the connection is there again";
  EXPECT_EQ(sender.Send("13800138001", "after all that").verdict, Verdict::kAccepted);
}

TEST(SmppSimulated, ARefusedConnectionIsNotSent) {
  Sender sender(Options(zhitui::testing::ScriptedPeer::DeadPort()));
  const SendResult result = sender.Send("13800138001", "x", Millis(5000));
  EXPECT_EQ(result.verdict, Verdict::kNotSent) << result.code;
}

TEST(SmppSimulated, WrongCredentialsStopTheChannel) {
  Centre centre;
  SmppOptions wrong = Options(centre.port());
  wrong.password = delivery::Secret("wrong");
  SendResult result = Sender(wrong).Send("13800138001", "x");
  EXPECT_EQ(result.verdict, Verdict::kStopChannel);
  EXPECT_EQ(result.code, "0x0000000E");
  wrong = Options(centre.port());
  wrong.system_id = "nobody";
  result = Sender(wrong).Send("13800138001", "x");
  EXPECT_EQ(result.verdict, Verdict::kStopChannel);
  EXPECT_EQ(result.code, "0x0000000F");
  EXPECT_EQ(centre.stats().requests, 0U);
}

TEST(SmppSimulated, APasswordThatIsChangedIsTakenUpWithoutARestart) {
  Folder folder;
  const std::string path = folder.Path("password");
  std::ofstream(path) << "old00000\n";
  Centre centre;
  SmppOptions options = Options(centre.port());
  options.password = delivery::Secret::FromFile(path, "old00000");
  Sender sender(options);
  EXPECT_EQ(sender.Send("13800138001", "x").verdict, Verdict::kStopChannel);
  std::ofstream(path, std::ios::trunc) << "secret01\n";
  EXPECT_TRUE(Eventually([&] { return sender.Send("13800138001", "x").verdict == Verdict::kAccepted; }));
}

TEST(SmppSimulated, ALongTextArrivesWholeInSegmentsAndAsksForOneReceipt) {
  Centre centre;
  Sender sender(Options(centre.port()));
  const std::string text = "【福田政务】" + Han(59) + "𠮷" + Han(80);  // the pair is the 67th and 68th unit
  const SendResult result = sender.Send("13800138001", text);
  ASSERT_EQ(result.verdict, Verdict::kAccepted) << result.code;
  EXPECT_EQ(centre.stats().requests, 3U);
  EXPECT_EQ(centre.stats().accepted, 1U);
  const auto log = centre.Log();
  ASSERT_EQ(log.size(), 1U);
  EXPECT_EQ(log[0]["content"]["text"], text);
  EXPECT_EQ(log[0]["content"]["from"], "106900001");
  EXPECT_EQ(log[0]["content"]["registered_delivery"], json({1, 0, 0}));
  EXPECT_EQ(log[0]["provider_id"], result.provider_id) << "the id of the first segment, which the receipt has";
  const auto receipts = sender.Receipts(1);
  ASSERT_EQ(receipts.size(), 1U);
  EXPECT_EQ(receipts[0].provider_id, result.provider_id);
}

TEST(SmppSimulated, ALongTextMayGoWholeInAParameter) {
  Centre centre;
  SmppOptions options = Options(centre.port());
  options.payload = true;
  Sender sender(options);
  ASSERT_EQ(sender.Send("13800138001", Han(300)).verdict, Verdict::kAccepted);
  ASSERT_EQ(sender.Send("13800138001", Han(70)).verdict, Verdict::kAccepted);
  EXPECT_EQ(centre.stats().requests, 2U);
  const auto log = centre.Log();
  ASSERT_EQ(log.size(), 2U);
  EXPECT_EQ(log[0]["content"]["text"], Han(300));
  EXPECT_EQ(log[0]["content"]["payload"], true);
  EXPECT_EQ(log[1]["content"]["payload"], false) << "a short one needs none";
}

TEST(SmppSimulated, ACentreWithoutThatParameterSaysSo) {
  sandbox::Options closed;
  closed.smpp.payload = false;
  Centre centre(closed);
  SmppOptions options = Options(centre.port());
  options.payload = true;
  const SendResult result = Sender(options).Send("13800138001", Han(300));
  EXPECT_EQ(result.verdict, Verdict::kFixMessage);
  EXPECT_EQ(result.code, "0x000000C1");
}

TEST(SmppSimulated, ASegmentThatCameTooFastGoesAgainAndARefusedOneLeavesTheOutcomeOpen) {
  Centre centre;
  Sender sender(Options(centre.port()));
  EXPECT_EQ(sender.Send("13800130028", Han(100)).verdict, Verdict::kAccepted);
  EXPECT_EQ(centre.stats().requests, 3U);
  EXPECT_EQ(centre.stats().accepted, 1U);
  const SendResult half = sender.Send("13800130027", Han(100));
  EXPECT_EQ(half.verdict, Verdict::kUnknown) << "a part of it is on its way";
  EXPECT_EQ(half.code, "0x00000008");
  EXPECT_EQ(sender.Send("13800130002", Han(100)).verdict, Verdict::kDropContact) << "no part was taken";
}

TEST(SmppSimulated, AMessageThatStaysTooFastIsThrottled) {
  Centre centre;
  SmppOptions options = Options(centre.port());
  options.resends = 0;
  EXPECT_EQ(Sender(options).Send("13800130001", "x").verdict, Verdict::kThrottled);
  EXPECT_EQ(centre.stats().requests, 1U);
}

// All of them at once, none waited for.
std::map<Verdict, int> SendAll(delivery::Connector& connector, int n) {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<Verdict, int> verdicts;
  int done = 0;
  for (int i = 0; i < n; ++i) {
    connector.Begin(Request("13800138001", "第" + std::to_string(i) + "条"), [&](const SendResult& result) {
      const std::scoped_lock lock(mutex);
      ++verdicts[result.verdict];
      ++done;
      changed.notify_all();
    });
  }
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return done == n; });
  return verdicts;
}

TEST(SmppSimulated, TheWindowIsUsedAndNotExceeded) {
  sandbox::Options slow;
  slow.smpp.answer_ms = 3;
  slow.receipts = sandbox::Receipts::kOff;
  Centre centre(slow);
  Sender sender(Options(centre.port()));
  EXPECT_EQ(SendAll(*sender, 300), (std::map<Verdict, int>{{Verdict::kAccepted, 300}}));
  EXPECT_EQ(centre.State()["window_max"], 10);
  EXPECT_TRUE(centre.stats().errors.empty());
  EXPECT_EQ(centre.stats().accepted, 300U);
}

TEST(SmppSimulated, ASmallerWindowAtTheCentreSlowsUsDownAndLosesNothing) {
  sandbox::Options slow;
  slow.smpp.answer_ms = 1;
  slow.smpp.window = 5;
  slow.receipts = sandbox::Receipts::kOff;
  Centre centre(slow);
  SmppOptions options = Options(centre.port());
  options.resends = 50;
  Sender sender(options);
  EXPECT_EQ(SendAll(*sender, 60), (std::map<Verdict, int>{{Verdict::kAccepted, 60}}));
  EXPECT_EQ(centre.stats().accepted, 60U);
  EXPECT_GT(centre.stats().errors["0x00000058"], 0U);
}

TEST(SmppSimulated, SeveralConnectionsShareTheWork) {
  sandbox::Options slow;
  slow.smpp.answer_ms = 5;
  slow.receipts = sandbox::Receipts::kOff;
  Centre centre(slow);
  SmppOptions options = Options(centre.port());
  options.connections = 3;
  Sender sender(options);
  ASSERT_TRUE(Eventually([&] { return centre.State()["sessions"] == 3; }));
  EXPECT_EQ(SendAll(*sender, 100), (std::map<Verdict, int>{{Verdict::kAccepted, 100}}));
}

// ---- Receipts

TEST(SmppReceipts, SayWhatBecameOfAMessage) {
  Centre centre;
  Sender sender(Options(centre.port()));
  const std::vector<std::tuple<std::string, ReceiptState, std::string, bool>> expected = {
      {"13800138001", ReceiptState::kDelivered, "DELIVRD/000", false},
      {"13800130004", ReceiptState::kUndelivered, "UNDELIV/027", false},
      {"13800130014", ReceiptState::kUndelivered, "UNDELIV/001", true},
      {"13800130029", ReceiptState::kDelivered, "DELIVRD/000", false},
      {"13800130015", ReceiptState::kDelivered, "DELIVRD/000", false},
  };
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto& [phone, state, code, dead] = expected[i];
    SCOPED_TRACE(phone);
    const SendResult result = sender.Send(phone, "x");
    ASSERT_EQ(result.verdict, Verdict::kAccepted);
    const auto receipts = sender.Receipts(i + 1);
    ASSERT_EQ(receipts.size(), i + 1);
    EXPECT_EQ(receipts[i].provider_id, result.provider_id);
    EXPECT_EQ(receipts[i].attempt_id, "");
    EXPECT_EQ(receipts[i].state, state);
    EXPECT_EQ(receipts[i].code, code);
    EXPECT_EQ(receipts[i].contact_dead, dead);
  }
  EXPECT_TRUE(Eventually([&] { return centre.stats().receipts_acked == expected.size(); }));
}

TEST(SmppReceipts, TwiceIsPassedOnTwiceWithTheSameId) {
  Centre centre;
  Sender sender(Options(centre.port()));
  const SendResult result = sender.Send("13800130023", "x");
  const auto receipts = sender.Receipts(2);
  ASSERT_EQ(receipts.size(), 2U);
  EXPECT_EQ(receipts[0].provider_id, result.provider_id);
  EXPECT_EQ(receipts[1].provider_id, result.provider_id);
}

TEST(SmppReceipts, ThatCouldNotBeStoredAreDeliveredAgain) {
  Centre centre;
  Sender sender(Options(centre.port()));
  sender.FailNext(2);
  const SendResult result = sender.Send("13800138001", "x");
  const auto receipts = sender.Receipts(1);
  ASSERT_EQ(receipts.size(), 1U);
  EXPECT_EQ(receipts[0].provider_id, result.provider_id);
  EXPECT_TRUE(Eventually([&] { return centre.stats().receipts_acked == 1; }));
  EXPECT_EQ(centre.stats().receipts_sent, 3U);
  EXPECT_EQ(sender.calls(), 3);
}

TEST(SmppReceipts, WithIdsInTwoNotationsFindTheirMessage) {
  sandbox::Options options;
  options.smpp.hex_ids = true;
  Centre centre(options);
  SmppOptions hex = Options(centre.port());
  hex.message_ids = "hex_then_decimal";
  Sender sender(hex);
  const SendResult result = sender.Send("13800138001", "x");
  ASSERT_FALSE(result.provider_id.empty());
  const auto receipts = sender.Receipts(1);
  ASSERT_EQ(receipts.size(), 1U);
  EXPECT_EQ(receipts[0].provider_id, result.provider_id);
}

TEST(SmppReceipts, ComeOnTheConnectionThatTakesWhenSendingIsSeparate) {
  Centre centre;
  SmppOptions options = Options(centre.port());
  options.separate = true;
  options.connections = 2;
  Sender sender(options);
  ASSERT_TRUE(Eventually([&] { return centre.State()["binds"] == 3; }));
  const SendResult result = sender.Send("13800138001", "x");
  ASSERT_EQ(result.verdict, Verdict::kAccepted);
  const auto receipts = sender.Receipts(1);
  ASSERT_EQ(receipts.size(), 1U);
  EXPECT_EQ(receipts[0].provider_id, result.provider_id);
}

TEST(SmppReceipts, AreNotAskedForWhenTheConfigurationDoesNotWantThem) {
  Centre centre;
  SmppOptions options = Options(centre.port());
  options.receipts = false;
  Sender sender(options);
  EXPECT_FALSE(sender->sends_receipts());
  ASSERT_EQ(sender.Send("13800138001", "x").verdict, Verdict::kAccepted);
  EXPECT_EQ(centre.Log().at(0)["content"]["registered_delivery"], json({0}));
}

// ---- Replies

TEST(SmppReplies, AreReadInTheirCoding) {
  Centre centre;
  Sender sender(Options(centre.port()));
  ASSERT_TRUE(Eventually([&] { return centre.State()["sessions"] == 1; }));
  struct Case {
    const char* hex;
    int coding;
    const char* text;
  };
  const std::vector<Case> cases = {
      {"90008ba2ff1a00540044", 8, "退订：TD"},
      {"5444", 0, "TD"},
      {"541b651b3c401b3e", 0, "T€[¡]"},
      {"54e9", 3, "Té"},
      {"5444", 1, "TD"},
      {"5444", 0xf1, "TD"},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(centre.Say({{"hex", cases[i].hex}, {"data_coding", cases[i].coding}}), 0);
    const auto signals = sender.Signals(i + 1);
    ASSERT_EQ(signals.size(), i + 1);
    EXPECT_EQ(signals[i].text, cases[i].text);
    EXPECT_EQ(signals[i].kind, delivery::SignalKind::kReply);
    EXPECT_EQ(signals[i].contact, "13800138000");
    EXPECT_EQ(signals[i].answered, "106900001");
  }
  EXPECT_EQ(centre.Say({{"hex", "54e9"}, {"data_coding", 4}}), 0x65) << "binary data is no text";
  EXPECT_EQ(centre.Say({{"hex", "0900"}, {"esm_class", 0x40}}), 0x65) << "a header that does not fit";
  EXPECT_EQ(sender.Signals(cases.size()).size(), cases.size());
}

TEST(SmppReplies, LongOnesAreJoinedInAnyOrderAndByBothWays) {
  Centre centre;
  Sender sender(Options(centre.port()));
  ASSERT_TRUE(Eventually([&] { return centre.State()["sessions"] == 1; }));
  // 退 | 订, the second part first; then T | € cut between escape and letter; then by parameters.
  EXPECT_EQ(centre.Say({{"hex", "0500030702028ba2"}, {"esm_class", 0x40}}), 0);
  EXPECT_EQ(centre.Say({{"hex", "0500030702019000"}, {"esm_class", 0x40}}), 0);
  ASSERT_EQ(sender.Signals(1).size(), 1U);
  EXPECT_EQ(sender.Signals(1)[0].text, "退订");
  EXPECT_EQ(centre.Say({{"hex", "06080401020201541b"}, {"esm_class", 0x40}, {"data_coding", 0}}), 0);
  EXPECT_EQ(centre.Say({{"hex", "0608040102020265"}, {"esm_class", 0x40}, {"data_coding", 0}}), 0);
  ASSERT_EQ(sender.Signals(2).size(), 2U);
  EXPECT_EQ(sender.Signals(2)[1].text, "T€");
  EXPECT_EQ(centre.Say({{"hex", "9000"}, {"tlvs", {{"0x020c", "0009"}, {"0x020e", "02"}, {"0x020f", "01"}}}}), 0);
  EXPECT_EQ(centre.Say({{"hex", "8ba2"}, {"tlvs", {{"0x020c", "0009"}, {"0x020e", "02"}, {"0x020f", "02"}}}}), 0);
  ASSERT_EQ(sender.Signals(3).size(), 3U);
  EXPECT_EQ(sender.Signals(3)[2].text, "退订");
  std::string han;
  for (int i = 0; i < 300; ++i) han += "9000";
  EXPECT_EQ(centre.Say({{"hex", han}, {"payload", true}}), 0);
  ASSERT_EQ(sender.Signals(4).size(), 4U);
  EXPECT_EQ(sender.Signals(4)[3].text.size(), 900U);
}

TEST(SmppReplies, APartThatNeverComesDoesNotHoldTheRestForEver) {
  Centre centre;
  SmppOptions options = Options(centre.port());
  options.join_timeout = Millis(50);
  Sender sender(options);
  ASSERT_TRUE(Eventually([&] { return centre.State()["sessions"] == 1; }));
  EXPECT_EQ(centre.Say({{"hex", "0500030702019000"}, {"esm_class", 0x40}}), 0);
  const auto signals = sender.Signals(1);
  ASSERT_EQ(signals.size(), 1U);
  EXPECT_EQ(signals[0].text, "退…");
}

TEST(SmppReplies, ThatCouldNotBeStoredAreAnsweredAsBusy) {
  Centre centre;
  Sender sender(Options(centre.port()));
  ASSERT_TRUE(Eventually([&] { return centre.State()["sessions"] == 1; }));
  sender.FailNext(2);
  EXPECT_EQ(centre.Say({{"hex", "5444"}, {"data_coding", 0}}), 0x64);
  // Of a long one the last part is asked for again; the first is kept.
  EXPECT_EQ(centre.Say({{"hex", "0500030702019000"}, {"esm_class", 0x40}}), 0);
  EXPECT_EQ(centre.Say({{"hex", "0500030702028ba2"}, {"esm_class", 0x40}}), 0x64);
  EXPECT_EQ(sender.Signals(0).size(), 0U);
  EXPECT_EQ(centre.Say({{"hex", "0500030702028ba2"}, {"esm_class", 0x40}}), 0);
  ASSERT_EQ(sender.Signals(1).size(), 1U);
  EXPECT_EQ(sender.Signals(1)[0].text, "退订");
}

TEST(SmppReplies, AreCutAtTheirLimitBetweenCharacters) {
  Centre centre;
  Sender sender(Options(centre.port()));
  ASSERT_TRUE(Eventually([&] { return centre.State()["sessions"] == 1; }));
  std::string han;
  for (int i = 0; i < 1000; ++i) han += "9000";
  EXPECT_EQ(centre.Say({{"hex", han}, {"payload", true}}), 0);
  const auto signals = sender.Signals(1);
  ASSERT_EQ(signals.size(), 1U);
  EXPECT_EQ(signals[0].text.size(), 1998U) << "666 whole characters";
  EXPECT_TRUE(IsValidUtf8(signals[0].text));
}

// ---- The session

TEST(SmppSession, AnswersTheCentreAsksAndIsAsked) {
  Centre centre;
  SmppOptions options = Options(centre.port());
  options.idle = Millis(100);
  Sender sender(options);
  EXPECT_TRUE(Eventually([&] { return centre.State()["enquire_answers"] >= 1; })) << "the centre asks after each bind";
  EXPECT_TRUE(Eventually([&] { return centre.State()["enquires"] >= 3; })) << "and we ask when nothing comes";
  EXPECT_EQ(centre.State()["sessions"], 1);
}

TEST(SmppSession, EndsWithUnbind) {
  Centre centre;
  {
    Sender sender(Options(centre.port()));
    ASSERT_EQ(sender.Send("13800138001", "x").verdict, Verdict::kAccepted);
  }
  EXPECT_TRUE(Eventually([&] { return centre.State()["sessions"] == 0; }));
  EXPECT_EQ(centre.State()["unbinds"], 1);
}

TEST(SmppSession, IsBoundAgainAfterTheCentreUnbinds) {
  Centre centre;
  Sender sender(Options(centre.port()));
  ASSERT_EQ(sender.Send("13800130024", "x").verdict, Verdict::kAccepted);
  EXPECT_TRUE(Eventually([&] { return centre.State()["binds"] == 2; }));
  EXPECT_EQ(sender.Send("13800138001", "x").verdict, Verdict::kAccepted);
}

}  // namespace
}  // namespace zhitui::sms
