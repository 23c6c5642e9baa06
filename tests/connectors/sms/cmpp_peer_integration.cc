// The connector against a gateway that others wrote: SMSGate, started by tests/services/cmpp/cmpp.sh.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "sms/sms.h"

namespace zhitui::sms {
namespace {

using delivery::ReceiptState;
using delivery::SendResult;
using delivery::Verdict;

constexpr int kNotInstalled = 69;

int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(fd);
  return bound ? ntohs(address.sin_port) : 0;
}

// The process and what it prints.
class Peer {
 public:
  Peer() : port_(FreePort()) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return;
    const std::string port = std::to_string(port_);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      const char* const script = ZHITUI_SOURCE_DIR "/tests/services/cmpp/cmpp.sh";
      execl(script, script, "run", port.c_str(), nullptr);
      _exit(127);
    }
    close(ends[1]);
    out_ = fdopen(ends[0], "r");
    reader_ = std::thread([this] { Read(); });
  }
  ~Peer() {
    if (pid_ > 0) kill(pid_, SIGKILL);
    if (reader_.joinable()) reader_.join();
    if (out_ != nullptr) fclose(out_);
    if (pid_ > 0 && !reaped_) waitpid(pid_, nullptr, 0);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  int port() const { return port_; }
  // False: it ended; its exit code is in `code`.
  bool Listening(int* code) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, std::chrono::seconds(240), [&] { return listening_ || ended_; });
      if (listening_) return true;
    }
    int status = 0;
    kill(pid_, SIGKILL);
    waitpid(pid_, &status, 0);
    reaped_ = true;
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return false;
  }
  // The SUBMITs to a number, once there are `n`.
  std::vector<nlohmann::json> Submits(const std::string& dest, std::size_t n) {
    std::vector<nlohmann::json> out;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(20), [&] {
      out.clear();
      for (const nlohmann::json& e : events_) {
        if (e["event"] == "submit" && e["dest"] == dest) out.push_back(e);
      }
      return out.size() >= n;
    });
    return out;
  }
  // Reports and replies that we acknowledged, once there are `n`.
  std::size_t Acknowledged(std::size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(20), [&] { return acknowledged_ >= n; });
    return acknowledged_;
  }

 private:
  void Read() {
    char* line = nullptr;
    std::size_t size = 0;
    while (getline(&line, &size, out_) > 0) {
      nlohmann::json event = nlohmann::json::parse(line, nullptr, false);
      if (event.is_discarded() || !event.contains("event")) continue;
      const std::scoped_lock lock(mutex_);
      if (event["event"] == "listening") listening_ = true;
      if (event["event"] == "deliver_resp" && event["result"] == 0) ++acknowledged_;
      events_.push_back(std::move(event));
      changed_.notify_all();
    }
    free(line);
    const std::scoped_lock lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

  const int port_;
  pid_t pid_ = -1;
  FILE* out_ = nullptr;
  std::thread reader_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool listening_ = false;
  bool ended_ = false;
  bool reaped_ = false;
  std::size_t acknowledged_ = 0;
  std::vector<nlohmann::json> events_;
};

class Inbox {
 public:
  delivery::Intake Intake() {
    return [this](const std::string&, const std::vector<delivery::Receipt>& receipts,
                  const std::vector<delivery::Signal>& signals) -> Status {
      const std::scoped_lock lock(mutex_);
      receipts_.insert(receipts_.end(), receipts.begin(), receipts.end());
      signals_.insert(signals_.end(), signals.begin(), signals.end());
      changed_.notify_all();
      return {};
    };
  }
  // Those of one message, once there are `n`.
  std::vector<delivery::Receipt> Of(const std::string& provider_id, std::size_t n) {
    std::vector<delivery::Receipt> mine;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(20), [&] {
      mine.clear();
      for (const auto& r : receipts_) {
        if (r.provider_id == provider_id) mine.push_back(r);
      }
      return mine.size() >= n;
    });
    return mine;
  }
  std::size_t receipts() {
    const std::scoped_lock lock(mutex_);
    return receipts_.size();
  }
  std::vector<delivery::Signal> Signals(std::size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(20), [&] { return signals_.size() >= n; });
    return signals_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<delivery::Receipt> receipts_;
  std::vector<delivery::Signal> signals_;
};

delivery::SendRequest Request(const std::string& phone, std::string text, Millis timeout = Millis(10'000)) {
  delivery::SendRequest r;
  r.attempt_id = "m-" + phone;
  r.contact = phone;
  r.content.channel = Channel::kSms;
  r.content.body = std::move(text);
  r.timeout = timeout;
  return r;
}

void TryVersion(Peer& peer, bool v3) {
  SCOPED_TRACE(v3 ? "CMPP 3.0" : "CMPP 2.0");
  const char* const text = "【福田政务】您可以申领高龄津贴。";
  CmppOptions options;
  options.host = "127.0.0.1";
  options.port = peer.port();
  options.v3 = v3;
  options.source_addr = v3 ? "900002" : "900001";
  options.secret = delivery::Secret(v3 ? "secret30" : "secret20");
  options.service_id = "BENEFIT";
  options.src_id = "1069002101";
  options.verify_gateway = true;
  options.throttle_pause = Millis(20);
  Inbox inbox;
  const auto connector = NewCmpp(options, nullptr);
  connector->Start(inbox.Intake());
  // Numbers of the two versions differ, so that what the gateway prints can be told apart.
  const auto phone = [&](const std::string& last4) { return (v3 ? "1390013" : "1380013") + last4; };

  const SendResult sent = connector->Send(Request(phone("1000"), text));
  ASSERT_EQ(sent.verdict, Verdict::kAccepted) << sent.code;
  const auto submits = peer.Submits(phone("1000"), 1);
  ASSERT_EQ(submits.size(), 1U);
  EXPECT_EQ(submits[0]["text"], text);
  EXPECT_EQ(submits[0]["format"], 8);
  EXPECT_EQ(submits[0]["src"], "1069002101");
  EXPECT_EQ(submits[0]["service"], "BENEFIT");
  EXPECT_EQ(submits[0]["msg_src"], options.source_addr);
  EXPECT_EQ(submits[0]["report"], 1);
  const auto delivered = inbox.Of(sent.provider_id, 1);
  ASSERT_EQ(delivered.size(), 1U) << "the report names the message by the Msg_Id of its answer";
  EXPECT_EQ(delivered[0].state, ReceiptState::kDelivered);

  std::string longer = "【福田政务】";
  for (int i = 0; i < 100; ++i) longer += "福";
  const SendResult two = connector->Send(Request(phone("1001"), longer));
  EXPECT_EQ(two.verdict, Verdict::kAccepted) << two.code;
  const auto parts = peer.Submits(phone("1001"), 2);
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0]["pk_total"], 2);
  EXPECT_EQ(parts[1]["pk_number"], 2);
  EXPECT_EQ(parts[0]["udhi"], 1);
  EXPECT_EQ(parts[0]["bytes"], 140);
  EXPECT_EQ(parts[0]["report"], 1);
  EXPECT_EQ(parts[1]["report"], 0);
  EXPECT_EQ(inbox.Of(two.provider_id, 1).size(), 1U);

  struct Refusal {
    const char* last4;
    Verdict verdict;
    std::size_t submits;
  };
  for (const Refusal& r : {Refusal{"8001", Verdict::kStopChannel, 1},
                           {"8002", Verdict::kStopChannel, 1},
                           {"8003", Verdict::kRetryLater, 1},
                           {"8004", Verdict::kFixMessage, 1},
                           {"8005", Verdict::kStopChannel, 1},
                           {"8006", Verdict::kFixMessage, 1},
                           {"8007", Verdict::kStopChannel, 1},
                           {"8008", Verdict::kThrottled, 4},
                           {"8009", Verdict::kFixMessage, 1},
                           {"8010", Verdict::kStopChannel, 1},
                           {"8011", Verdict::kStopChannel, 1},
                           {"8012", Verdict::kStopChannel, 1},
                           {"8013", Verdict::kDropContact, 1}}) {
    const SendResult result = connector->Send(Request(phone(r.last4), text));
    EXPECT_STREQ(delivery::VerdictName(result.verdict), delivery::VerdictName(r.verdict)) << r.last4;
    EXPECT_EQ(result.code, std::to_string(std::stoi(std::string(r.last4).substr(2)))) << r.last4;
    EXPECT_EQ(peer.Submits(phone(r.last4), r.submits).size(), r.submits) << r.last4;
  }

  EXPECT_EQ(connector->Send(Request(phone("8100"), text, Millis(500))).verdict, Verdict::kUnknown) << "no answer";
  const SendResult undelivered = connector->Send(Request(phone("8200"), text));
  ASSERT_EQ(inbox.Of(undelivered.provider_id, 1).size(), 1U);
  EXPECT_EQ(inbox.Of(undelivered.provider_id, 1)[0].state, ReceiptState::kUndelivered);
  EXPECT_EQ(inbox.Of(undelivered.provider_id, 1)[0].code, "UNDELIV");
  EXPECT_EQ(connector->Send(Request(phone("8300"), text)).verdict, Verdict::kAccepted) << "no report";
  EXPECT_EQ(connector->Send(Request(phone("8400"), text)).verdict, Verdict::kUnknown) << "closed instead of an answer";
  EXPECT_EQ(connector->Send(Request(phone("8500"), text, Millis(500))).verdict, Verdict::kUnknown) << "too late";
  const SendResult late = connector->Send(Request(phone("8501"), text));
  EXPECT_EQ(late.verdict, Verdict::kAccepted) << "late, but in time";
  const SendResult first = connector->Send(Request(phone("8700"), text));
  EXPECT_EQ(first.verdict, Verdict::kAccepted);
  EXPECT_EQ(inbox.Of(first.provider_id, 1).size(), 1U) << "the report came before the answer";
  const SendResult twice = connector->Send(Request(phone("8800"), text));
  EXPECT_EQ(inbox.Of(twice.provider_id, 2).size(), 2U);

  EXPECT_EQ(connector->Send(Request(phone("8600"), text)).verdict, Verdict::kAccepted);
  const auto signals = inbox.Signals(1);
  ASSERT_EQ(signals.size(), 1U);
  EXPECT_EQ(signals[0].text, "退订");
  EXPECT_EQ(signals[0].contact, phone("8600"));
  EXPECT_EQ(signals[0].answered, "1069002101");
  connector->Close();
}

TEST(CmppPeer, AgreesWithAGatewayThatOthersWrote) {
  Peer peer;
  int code = 0;
  if (!peer.Listening(&code)) {
    if (code == kNotInstalled) GTEST_SKIP() << "java, javac or mvn is not installed, or Maven could not fetch SMSGate";
    FAIL() << "the gateway ended with exit code " << code;
  }
  TryVersion(peer, false);
  TryVersion(peer, true);
  EXPECT_EQ(peer.Acknowledged(20), 20U) << "what was delivered is acknowledged in a form it understands";
}

TEST(CmppPeer, RefusesAWrongSecret) {
  Peer peer;
  int code = 0;
  if (!peer.Listening(&code)) {
    if (code == kNotInstalled) GTEST_SKIP() << "java, javac or mvn is not installed, or Maven could not fetch SMSGate";
    FAIL() << "the gateway ended with exit code " << code;
  }
  CmppOptions options;
  options.host = "127.0.0.1";
  options.port = peer.port();
  options.source_addr = "900001";
  options.secret = delivery::Secret("wrong");
  options.service_id = "BENEFIT";
  options.src_id = "1069002101";
  const auto connector = NewCmpp(options, nullptr);
  connector->Start([](const std::string&, const auto&, const auto&) -> Status { return {}; });
  const SendResult result = connector->Send(Request("13800131000", "你好"));
  EXPECT_EQ(result.verdict, Verdict::kStopChannel);
  EXPECT_EQ(result.code, "connect_3");
}

}  // namespace
}  // namespace zhitui::sms
