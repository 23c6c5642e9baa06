#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <thread>

#include "connectors/matrix.h"
#include "sandbox/cmpp.h"
#include "sms/sms.h"

namespace zhitui::sms {
namespace {

using delivery::ReceiptState;
using delivery::SendResult;
using delivery::Verdict;

constexpr char kText[] = "【福田政务】您好，您可以申领高龄津贴，请携带身份证到所在社区办理。";

class Gateway {
 public:
  explicit Gateway(sandbox::Options o = {})
      : options_(std::move(o)), faults_(options_), gateway_({options_, faults_, journal_, nullptr}) {
    options_.cmpp.port = -1;
    const auto port = gateway_.Start();
    if (!port) throw std::runtime_error(port.error());
    port_ = *port;
  }
  int port() const { return port_; }
  sandbox::CmppGateway& operator*() { return gateway_; }
  sandbox::CmppGateway* operator->() { return &gateway_; }
  std::uint64_t Errors(const std::string& code) const {
    const auto errors = gateway_.GetStats().errors;
    const auto at = errors.find(code);
    return at == errors.end() ? 0 : at->second;
  }

 private:
  sandbox::Options options_;
  sandbox::Faults faults_;
  sandbox::Journal journal_;
  sandbox::CmppGateway gateway_;
  int port_ = 0;
};

// What the connector hands in; refuses when told to.
class Inbox {
 public:
  delivery::Intake Intake() {
    return [this](const std::string& connector, const std::vector<delivery::Receipt>& receipts,
                  const std::vector<delivery::Signal>& signals) -> Status {
      EXPECT_EQ(connector, "cmpp");
      const std::scoped_lock lock(mutex_);
      ++calls_;
      if (refusals_ > 0) {
        --refusals_;
        changed_.notify_all();
        return Unavailable("the store does not answer");
      }
      receipts_.insert(receipts_.end(), receipts.begin(), receipts.end());
      signals_.insert(signals_.end(), signals.begin(), signals.end());
      changed_.notify_all();
      return {};
    };
  }
  void Refuse(int n) {
    const std::scoped_lock lock(mutex_);
    refusals_ = n;
  }
  std::vector<delivery::Receipt> Receipts(std::size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(20), [&] { return receipts_.size() >= n; });
    return receipts_;
  }
  std::vector<delivery::Signal> Signals(std::size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(20), [&] { return signals_.size() >= n; });
    return signals_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int calls_ = 0;
  int refusals_ = 0;
  std::vector<delivery::Receipt> receipts_;
  std::vector<delivery::Signal> signals_;
};

CmppOptions OptionsFor(int port, bool v3 = false) {
  CmppOptions o;
  o.host = "127.0.0.1";
  o.port = port;
  o.v3 = v3;
  o.source_addr = "900001";
  o.secret = delivery::Secret("sandbox-cmpp-secret");
  o.service_id = "BENEFIT";
  o.src_id = "1069002101";
  o.verify_gateway = true;
  o.reconnect_min = Millis(10);
  o.throttle_pause = Millis(5);
  return o;
}

delivery::SendRequest Request(std::string phone, std::string text = kText) {
  delivery::SendRequest r;
  r.attempt_id = "m-" + phone;
  r.contact = std::move(phone);
  r.content.channel = Channel::kSms;
  r.content.body = std::move(text);
  r.timeout = Millis(10'000);
  return r;
}

bool Eventually(const std::function<bool()>& is_so) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

std::string Repeat(const std::string& text, std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += text;
  return out;
}

class CmppSimulated : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Versions, CmppSimulated, ::testing::Values(false, true),
                         [](const auto& v) { return v.param ? "V30" : "V20"; });

// A connection that is lost again before it was of any use is opened after a pause only, so each loss is followed by a
// message that goes.
TEST_P(CmppSimulated, EverythingThatCanHappenHasItsVerdict) {
  sandbox::Options o;
  o.slow_ms = 20'000;
  Gateway gateway(o);
  Inbox inbox;
  const auto connector = NewCmpp(OptionsFor(gateway.port(), GetParam()), nullptr);
  connector->Start(inbox.Intake());
  const std::vector<testing::MatrixRow> rows = {
      {"accepted", "13800138001", Verdict::kAccepted, "0", 1, 1},
      {"too fast once: sent again", "13800130001", Verdict::kAccepted, "0", 2, 1},
      {"too fast for good", "13800130026", Verdict::kThrottled, "8", 4, 0},
      {"number refused", "13800130002", Verdict::kDropContact, "13", 1, 0},
      {"an error of the gateway", "13800130003", Verdict::kRetryLater, "20", 1, 0},
      {"taken, then reset", "13800130005", Verdict::kUnknown, "", 1, 1},
      {"and the next one goes", "13800138031", Verdict::kAccepted, "0", 1, 1},
      {"reset before it was taken", "13800130006", Verdict::kUnknown, "", 1, 0},
      {"and the next one goes", "13800138032", Verdict::kAccepted, "0", 1, 1},
      {"taken, answered too late", "13800130007", Verdict::kUnknown, "timeout", 1, 1, Millis(150)},
      {"taken, never answered", "13800130021", Verdict::kUnknown, "timeout", 1, 1, Millis(150)},
      {"account stopped", "13800130008", Verdict::kStopChannel, "7", 1, 0},
      {"an answer that cannot be read", "13800130011", Verdict::kUnknown, "malformed", 1, 1},
      {"closed in the middle of the answer", "13800130022", Verdict::kUnknown, "closed", 1, 1},
      {"and the next one goes", "13800138033", Verdict::kAccepted, "0", 1, 1},
      {"the gateway ends the session", "13800130012", Verdict::kUnknown, "closed", 1, 0},
      {"accepted after all that", "13800138002", Verdict::kAccepted, "0", 1, 1},
  };
  testing::CheckMatrix(
      *connector, rows, [](const std::string& contact) { return Request(contact); },
      [&] {
        const auto stats = gateway->GetStats();
        return testing::MatrixCounts{stats.requests, stats.accepted};
      });
  EXPECT_EQ(gateway.Errors("1"), 0U) << "the simulator found nothing wrong with our PDUs";
}

TEST_P(CmppSimulated, ReportsComeInAnyOrderAndNameTheMessage) {
  Gateway gateway;
  Inbox inbox;
  const auto connector = NewCmpp(OptionsFor(gateway.port(), GetParam()), nullptr);
  connector->Start(inbox.Intake());
  struct Row {
    const char* phone;
    std::size_t reports;
    ReceiptState state;
    const char* code;
    bool dead;
  };
  std::size_t so_far = 0;
  for (const Row& row : {Row{"13800138001", 1, ReceiptState::kDelivered, "DELIVRD", false},
                         Row{"13800130004", 1, ReceiptState::kUndelivered, "UNDELIV", false},
                         Row{"13800130014", 1, ReceiptState::kUndelivered, "MK:0001", true},
                         Row{"13800130015", 1, ReceiptState::kDelivered, "DELIVRD", false},  // before the answer
                         Row{"13800130023", 2, ReceiptState::kDelivered, "DELIVRD", false}}) {
    const SendResult sent = connector->Send(Request(row.phone));
    ASSERT_EQ(sent.verdict, Verdict::kAccepted) << row.phone;
    so_far += row.reports;
    const auto receipts = inbox.Receipts(so_far);
    ASSERT_EQ(receipts.size(), so_far) << row.phone;
    const delivery::Receipt& last = receipts.back();
    EXPECT_EQ(last.provider_id, sent.provider_id) << row.phone;
    EXPECT_EQ(last.attempt_id, "");
    EXPECT_EQ(last.state, row.state) << row.phone;
    EXPECT_EQ(last.code, row.code) << row.phone;
    EXPECT_EQ(last.contact_dead, row.dead) << row.phone;
    EXPECT_LT(std::chrono::abs(last.at - SystemClock().Now()), std::chrono::minutes(2));
  }
  EXPECT_TRUE(Eventually([&] { return gateway->GetStats().receipts_acked == so_far; }));
}

TEST_P(CmppSimulated, RepliesAreHandedInAndLongOnesJoined) {
  Gateway gateway;
  Inbox inbox;
  const auto connector = NewCmpp(OptionsFor(gateway.port(), GetParam()), nullptr);
  connector->Start(inbox.Intake());
  ASSERT_EQ(connector->Send(Request("13800130024")).verdict, Verdict::kAccepted);
  ASSERT_EQ(inbox.Signals(1).size(), 1U);
  ASSERT_EQ(connector->Send(Request("13800130025")).verdict, Verdict::kAccepted);
  const auto signals = inbox.Signals(2);
  ASSERT_EQ(signals.size(), 2U);
  EXPECT_EQ(signals[0].kind, delivery::SignalKind::kReply);
  EXPECT_EQ(signals[0].contact, "13800130024");
  EXPECT_EQ(signals[0].text, "退订");
  EXPECT_EQ(signals[0].answered, "1069002101");
  EXPECT_FALSE(signals[0].provider_id.empty());
  EXPECT_EQ(signals[1].contact, "13800130025");
  EXPECT_EQ(signals[1].text, "第一段第二段");
  EXPECT_TRUE(Eventually([&] { return gateway->replies_acked() == 3; }));
}

TEST_P(CmppSimulated, ALongMessageIsSeveralSegmentsAndOneReport) {
  Gateway gateway;
  Inbox inbox;
  const auto connector = NewCmpp(OptionsFor(gateway.port(), GetParam()), nullptr);
  connector->Start(inbox.Intake());
  const SendResult sent = connector->Send(Request("13800138001", Repeat("福", 66) + "𠮷" + Repeat("田", 100)));
  EXPECT_EQ(sent.verdict, Verdict::kAccepted) << sent.code;
  EXPECT_EQ(gateway->GetStats().accepted, 3U);
  ASSERT_EQ(inbox.Receipts(1).size(), 1U);
  EXPECT_EQ(inbox.Receipts(1)[0].provider_id, sent.provider_id);
  // Each of its segments is too fast once and goes again by itself.
  EXPECT_EQ(connector->Send(Request("13800130001", Repeat("田", 140))).verdict, Verdict::kAccepted);
  EXPECT_EQ(gateway->GetStats().accepted, 6U);
  EXPECT_EQ(gateway->GetStats().requests, 3U + 6U);
  EXPECT_EQ(inbox.Receipts(2).size(), 2U);
  EXPECT_EQ(gateway->GetStats().receipts_sent, 2U) << "asked for on the first segment only";
}

TEST_P(CmppSimulated, TheWindowIsNeverOverrun) {
  sandbox::Options o;
  o.cmpp.window = 4;
  o.receipts = sandbox::Receipts::kOff;
  Gateway gateway(o);
  CmppOptions options = OptionsFor(gateway.port(), GetParam());
  options.window = 4;
  options.connections = 3;
  const auto connector = NewCmpp(options, nullptr);
  connector->Start(Inbox().Intake());
  constexpr int kSends = 3000;
  std::atomic<int> accepted{0};
  std::atomic<int> ended{0};
  for (int i = 0; i < kSends; ++i) {
    connector->Begin(Request(std::to_string(13800201000 + i)), [&](const SendResult& r) {
      if (r.verdict == Verdict::kAccepted) ++accepted;
      ++ended;
    });
  }
  ASSERT_TRUE(Eventually([&] { return ended == kSends; }));
  EXPECT_EQ(accepted, kSends);
  EXPECT_EQ(gateway->GetStats().accepted, static_cast<std::uint64_t>(kSends));
  EXPECT_EQ(gateway.Errors("window"), 0U);
  connector->Close();
}

TEST(CmppLink, AWrongSecretStopsTheChannelAndANewOneInTheFileIsTakenUp) {
  Gateway gateway;
  const std::string file =
      (std::filesystem::temp_directory_path() / ("cmpp-secret-" + std::to_string(getpid()))).string();
  std::ofstream(file) << "wrong\n";
  CmppOptions options = OptionsFor(gateway.port());
  options.secret = delivery::Secret::FromFile(file, "wrong");
  options.reconnect_max = Millis(50);
  Inbox inbox;
  const auto connector = NewCmpp(options, nullptr);
  connector->Start(inbox.Intake());
  const SendResult refused = connector->Send(Request("13800138001"));
  EXPECT_EQ(refused.verdict, Verdict::kStopChannel);
  EXPECT_EQ(refused.code, "connect_3");
  std::ofstream(file + ".new") << "sandbox-cmpp-secret\n";
  std::filesystem::rename(file + ".new", file);
  EXPECT_TRUE(Eventually([&] { return connector->Send(Request("13800138001")).verdict == Verdict::kAccepted; }));
  std::filesystem::remove(file);
}

TEST(CmppLink, WithoutAGatewayNothingIsSentAndItIsSaidAtOnce) {
  int port = 0;
  {
    Gateway gone;
    port = gone.port();
  }
  const auto connector = NewCmpp(OptionsFor(port), nullptr);
  EXPECT_EQ(connector->Send(Request("13800138001")).verdict, Verdict::kNotSent) << "not started";
  connector->Start(Inbox().Intake());
  const auto began = std::chrono::steady_clock::now();
  const SendResult result = connector->Send(Request("13800138001"));
  EXPECT_EQ(result.verdict, Verdict::kNotSent);
  EXPECT_EQ(result.code, "connect");
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
}

TEST(CmppLink, ANameThatIsNoneIsNotSent) {
  CmppOptions options = OptionsFor(7890);
  options.host = "no-such-host.invalid";
  const auto connector = NewCmpp(options, nullptr);
  connector->Start(Inbox().Intake());
  EXPECT_EQ(connector->Send(Request("13800138001")).verdict, Verdict::kNotSent);
}

TEST(CmppLink, AfterALostConnectionTheNextSendUsesANewOne) {
  Gateway gateway;
  const auto connector = NewCmpp(OptionsFor(gateway.port()), nullptr);
  connector->Start(Inbox().Intake());
  ASSERT_EQ(connector->Send(Request("13800138001")).verdict, Verdict::kAccepted);
  gateway->DropConnections();
  ASSERT_TRUE(Eventually([&] { return gateway->logins() == 2; }));
  EXPECT_EQ(connector->Send(Request("13800138002")).verdict, Verdict::kAccepted);
}

TEST(CmppLink, KeepAlivesKeepAConnectionAndASilentGatewayLosesIt) {
  for (const bool answers : {true, false}) {
    sandbox::Options o;
    o.cmpp.answer_active_test = answers;
    Gateway gateway(o);
    CmppOptions options = OptionsFor(gateway.port());
    options.idle = Millis(20);
    options.answer_wait = Millis(300);
    const auto connector = NewCmpp(options, nullptr);
    connector->Start(Inbox().Intake());
    ASSERT_EQ(connector->Send(Request("13800138001")).verdict, Verdict::kAccepted);
    if (answers) {
      EXPECT_EQ(connector
                    ->Send([] {
                      auto r = Request("13800130021");
                      r.timeout = Millis(1500);
                      return r;
                    }())
                    .verdict,
                Verdict::kUnknown);
      EXPECT_EQ(gateway->logins(), 1U) << "more than one test went by";
    } else {
      EXPECT_TRUE(Eventually([&] { return gateway->logins() >= 2; }));
    }
  }
}

TEST(CmppLink, WhatTheStoreDoesNotTakeIsNotAcknowledgedAndComesAgain) {
  sandbox::Options o;
  o.receipt_retry_ms = 50;
  Gateway gateway(o);
  Inbox inbox;
  inbox.Refuse(2);
  const auto connector = NewCmpp(OptionsFor(gateway.port()), nullptr);
  connector->Start(inbox.Intake());
  const SendResult sent = connector->Send(Request("13800138001"));
  ASSERT_EQ(inbox.Receipts(1).size(), 1U);
  EXPECT_EQ(inbox.Receipts(1)[0].provider_id, sent.provider_id);
  EXPECT_TRUE(Eventually([&] { return gateway->GetStats().receipts_acked == 1; }));
  EXPECT_EQ(gateway->GetStats().receipts_sent, 3U);
}

TEST(CmppLink, ASlowStoreDoesNotHoldUpSends) {
  Gateway gateway;
  std::promise<void> go;
  std::shared_future<void> gone = go.get_future().share();
  const auto connector = NewCmpp(OptionsFor(gateway.port()), nullptr);
  connector->Start([gone](const std::string&, const auto&, const auto&) -> Status {
    gone.wait();
    return {};
  });
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(connector->Send(Request(std::to_string(13800201000 + i))).verdict, Verdict::kAccepted) << i;
  }
  EXPECT_EQ(gateway->GetStats().receipts_acked, 0U);
  go.set_value();
  EXPECT_TRUE(Eventually([&] { return gateway->GetStats().receipts_acked == 200; }));
}

TEST(CmppLink, CloseWaitsForAnswersAndSendsNothingMore) {
  sandbox::Options o;
  o.slow_ms = 300;
  Gateway gateway(o);
  CmppOptions options = OptionsFor(gateway.port());
  options.window = 1;
  const auto connector = NewCmpp(options, nullptr);
  connector->Start(Inbox().Intake());
  ASSERT_EQ(connector->Send(Request("13800138001")).verdict, Verdict::kAccepted);
  std::promise<SendResult> slow;
  std::promise<SendResult> waiting;
  connector->Begin(Request("13800130007"), [&](SendResult r) { slow.set_value(std::move(r)); });
  connector->Begin(Request("13800138002"), [&](SendResult r) { waiting.set_value(std::move(r)); });
  ASSERT_TRUE(Eventually([&] { return gateway->GetStats().requests == 2; }));
  connector->Close();
  EXPECT_EQ(slow.get_future().get().verdict, Verdict::kAccepted);
  const SendResult second = waiting.get_future().get();
  EXPECT_EQ(second.verdict, Verdict::kNotSent);
  EXPECT_EQ(second.code, "shutdown");
  EXPECT_EQ(connector->Send(Request("13800138003")).verdict, Verdict::kNotSent);
  EXPECT_EQ(gateway->GetStats().requests, 2U);
}

// A gateway that answers as a script says: one connection after another, CMPP 2.0.
class ScriptedGateway {
 public:
  // The result of the n-th SUBMIT (from 0); -1: close the connection.
  explicit ScriptedGateway(std::vector<int> results) : results_(std::move(results)) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 8) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("cannot listen on the loopback address");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Run(); });
  }
  ~ScriptedGateway() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  int port() const { return port_; }
  std::size_t submits() const { return submits_; }

 private:
  static bool Read(int fd, std::size_t n, std::string* out) {
    out->resize(n);
    return recv(fd, out->data(), n, MSG_WAITALL) == static_cast<ssize_t>(n);
  }
  void Run() {
    while (true) {
      const int fd = accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      std::string head;
      std::string body;
      while (Read(fd, 12, &head)) {
        const auto length = static_cast<unsigned char>(head[2]) * 256U + static_cast<unsigned char>(head[3]);
        if (length > 12 && !Read(fd, length - 12, &body)) break;
        std::string answer = head;
        answer[4] = '\x80';
        answer[2] = '\0';
        if (head[7] == 1) {
          answer[3] = 30;
          answer += std::string(17, '\0') + "\x20";
        } else if (head[7] == 4) {
          const std::size_t n = submits_++;
          const int result = n < results_.size() ? results_[n] : 0;
          if (result < 0) break;
          answer[3] = 21;
          answer += std::string(7, '\0') + static_cast<char>(n + 1) + static_cast<char>(result);
        } else {
          answer[3] = 12;
        }
        if (send(fd, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) break;
      }
      close(fd);
    }
  }

  const std::vector<int> results_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<std::size_t> submits_{0};
  std::thread thread_;
};

// Three segments, one after another (window 1).
SendResult SendThree(const std::vector<int>& results, std::size_t* submits) {
  ScriptedGateway gateway(results);
  CmppOptions options = OptionsFor(gateway.port());
  options.verify_gateway = false;
  options.window = 1;
  const auto connector = NewCmpp(options, nullptr);
  connector->Start(Inbox().Intake());
  SendResult result = connector->Send(Request("13800138001", Repeat("福", 180)));
  connector->Close();
  *submits = gateway.submits();
  return result;
}

TEST(CmppSegmented, AMessageIsWhatTheWorstOfItsSegmentsIs) {
  std::size_t submits = 0;
  SendResult r = SendThree({0, 0, 0}, &submits);
  EXPECT_EQ(r.verdict, Verdict::kAccepted);
  EXPECT_EQ(r.provider_id, "1") << "of the first segment";
  EXPECT_EQ(submits, 3U);

  r = SendThree({13}, &submits);
  EXPECT_EQ(r.verdict, Verdict::kDropContact);
  EXPECT_EQ(submits, 1U) << "nothing follows a refused segment";

  r = SendThree({0, 13}, &submits);
  EXPECT_EQ(r.verdict, Verdict::kUnknown) << "a part of it is taken";
  EXPECT_EQ(r.code, "13");
  EXPECT_EQ(r.detail, "1 of 3 segments were taken");
  EXPECT_EQ(submits, 2U);

  r = SendThree({0, 8, 8, 0, 0}, &submits);
  EXPECT_EQ(r.verdict, Verdict::kAccepted) << "that segment alone went again";
  EXPECT_EQ(submits, 5U);

  r = SendThree({0, 8, 8, 8, 8}, &submits);
  EXPECT_EQ(r.verdict, Verdict::kUnknown);
  EXPECT_EQ(submits, 5U) << "three times more, then given up";

  r = SendThree({8, 8, 8, 8}, &submits);
  EXPECT_EQ(r.verdict, Verdict::kThrottled) << "nothing was taken";
  EXPECT_EQ(submits, 4U);

  r = SendThree({0, -1}, &submits);
  EXPECT_EQ(r.verdict, Verdict::kUnknown);
  EXPECT_EQ(submits, 2U) << "not sent again on the next connection";
}

}  // namespace
}  // namespace zhitui::sms
