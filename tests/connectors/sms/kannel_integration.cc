// The connector against the simulator, and against Kannel itself: Debian's bearerbox and smsbox with its fake SMSC.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "connectors/matrix.h"
#include "connectors/sms/callback_server.h"
#include "delivery/scripted_peer.h"
#include "sandbox/sandbox.h"
#include "sms/sms.h"

namespace zhitui::sms {
namespace {

// As the program does at its start: a socket is written to that the peer may have closed.
const auto kIgnored = std::signal(SIGPIPE, SIG_IGN);

using delivery::SendResult;
using delivery::Verdict;
using testing::HttpAnswerOf;
using testing::PeerAnswer;
using testing::PeerRequest;
using testing::ScriptedPeer;

KannelOptions KnOptions(std::string url) {
  KannelOptions options;
  options.base_url = std::move(url);
  options.username = "sandbox";
  options.password = delivery::Secret("sandbox-kannel-secret");
  options.from = "10690000";
  return options;
}

delivery::SendRequest KnRequest(std::string phone, std::string attempt,
                                std::string text = "【福田政务】您可领取高龄津贴") {
  delivery::SendRequest request;
  request.attempt_id = std::move(attempt);
  request.contact = std::move(phone);
  request.content.channel = Channel::kSms;
  request.content.body = std::move(text);
  request.timeout = Millis(20'000);
  return request;
}

TEST(KannelSimulated, Matrix) {
  sandbox::Options options;
  options.slow_ms = 5000;
  options.callback_base = "http://127.0.0.1:" + std::to_string(ScriptedPeer::DeadPort());
  sandbox::Server server(options);
  const auto port = server.Start();
  ASSERT_TRUE(port.has_value());
  KannelOptions mine = KnOptions("http://127.0.0.1:" + std::to_string(*port) + "/kannel");
  mine.callback_url = options.callback_base + "/v1/receipts/kannel";
  const auto connector = NewKannel(mine, nullptr);
  int n = 0;
  testing::CheckMatrix(
      *connector,
      {{"accepted", "13800138001", Verdict::kAccepted, "0", 1, 1},
       {"temporal failure", "13800130001", Verdict::kRetryLater, "http 503", 1, 0},
       {"number denied", "13800130002", Verdict::kDropContact, "http 404", 1, 0},
       {"not a mainland number", "+85291234567", Verdict::kDropContact, "contact", 0, 0},
       {"server error", "13800130003", Verdict::kRetryLater, "http 503", 1, 0},
       {"accepted, undelivered later", "13800130004", Verdict::kAccepted, "0", 1, 1},
       {"accepted, connection reset", "13800130005", Verdict::kUnknown, "", 1, 1},
       {"connection reset before", "13800130006", Verdict::kUnknown, "", 1, 0},
       {"time-out after acceptance", "13800130007", Verdict::kUnknown, "", 1, 1, Millis(200)},
       {"account refused", "13800130008", Verdict::kStopChannel, "http 403", 1, 0},
       {"accepted, no report", "13800130009", Verdict::kAccepted, "0", 1, 1},
       {"accepted, malformed answer", "13800130011", Verdict::kUnknown, "http 200", 1, 1},
       {"password refused", "13800130012", Verdict::kStopChannel, "http 403", 1, 0}},
      [&](const std::string& contact) { return KnRequest(contact, "k" + std::to_string(++n) + "-1"); },
      [&] {
        const sandbox::ProviderStats stats = server.GetStats().at("kannel");
        return testing::MatrixCounts{stats.requests, stats.accepted};
      });
}

TEST(KannelSimulated, ReportsAndRepliesComeBack) {
  std::shared_ptr<delivery::Connector> connector;
  CallbackServer callbacks([&](const delivery::CallbackRequest& request) { return connector->ParseCallback(request); });
  sandbox::Options options;
  options.callback_base = callbacks.Base();
  options.kannel.callback_key = "k%3 y";
  options.receipt_retry_ms = 10;
  sandbox::Server server(options);
  const auto port = server.Start();
  ASSERT_TRUE(port.has_value());
  KannelOptions mine = KnOptions("http://127.0.0.1:" + std::to_string(*port) + "/kannel");
  mine.callback_url = callbacks.Base() + "/v1/receipts/kannel";
  mine.callback_key = delivery::Secret("k%3 y");
  mine.dead_codes = {"UNDELIV/001"};
  connector = NewKannel(mine, nullptr);
  for (const auto& [phone, attempt] : std::map<std::string, std::string>{
           {"13800138001", "k-good"}, {"13800130004", "k-failed"}, {"13800130014", "k-dead"}}) {
    ASSERT_EQ(connector->Send(KnRequest(phone, attempt)).verdict, Verdict::kAccepted);
  }
  callbacks.WaitReceipts(3);
  ASSERT_EQ(connector->Send(KnRequest("13800130015", "k-first")).verdict, Verdict::kAccepted);
  EXPECT_EQ(callbacks.Receipts().count("k-first"), 1U) << "before the answer to the send";
  const auto receipts = callbacks.WaitReceipts(4);
  ASSERT_EQ(receipts.size(), 4U);
  EXPECT_EQ(receipts.at("k-good").state, delivery::ReceiptState::kDelivered);
  EXPECT_EQ(receipts.at("k-failed").state, delivery::ReceiptState::kUndelivered);
  EXPECT_EQ(receipts.at("k-failed").code, "EXPIRED/021");
  EXPECT_TRUE(receipts.at("k-dead").contact_dead);
  ASSERT_TRUE(server.Push({"kannel", "13800138001", "退订"}));
  const auto signals = callbacks.WaitSignals(1);
  ASSERT_EQ(signals.size(), 1U);
  EXPECT_EQ(signals[0].text, "退订");
  EXPECT_EQ(signals[0].contact, "13800138001");
  EXPECT_EQ(callbacks.refused(), 0U);
}

TEST(KannelPeer, WhatSmsboxMayHaveTakenIsUnknownAndSentOnce) {
  const std::vector<PeerAnswer> answers = {{"", PeerAnswer::kClose},
                                           {"", PeerAnswer::kReset},
                                           {"HTTP/1.1 202 X\r\nContent-Length: 50\r\n\r\n0: Acc", PeerAnswer::kClose},
                                           HttpAnswerOf(200, "0: Accepted for delivery"),
                                           HttpAnswerOf(202, std::string(2 << 20, 'x')),
                                           HttpAnswerOf(500, "Sending failed.")};
  for (std::size_t i = 0; i < answers.size(); ++i) {
    ScriptedPeer peer([&](const PeerRequest&) { return answers[i]; });
    const auto connector = NewKannel(KnOptions(peer.Url()), nullptr);
    EXPECT_EQ(connector->Send(KnRequest("13800138000", "k-1")).verdict, Verdict::kUnknown) << i;
    EXPECT_EQ(peer.Requests().size(), 1U) << i;
  }
  const auto dead = NewKannel(KnOptions("http://127.0.0.1:" + std::to_string(ScriptedPeer::DeadPort())), nullptr);
  EXPECT_EQ(dead->Send(KnRequest("13800138000", "k-1")).verdict, Verdict::kNotSent);
}

TEST(KannelPeer, ARotatedPasswordIsTakenUp) {
  const TempFile file("old\n");
  ScriptedPeer peer([](const PeerRequest& request) {
    return request.Has("password=new&") ? HttpAnswerOf(202, "0: Accepted for delivery")
                                        : HttpAnswerOf(403, "Authorization failed for sendsms");
  });
  KannelOptions options = KnOptions(peer.Url());
  options.password = delivery::Secret::FromFile(file.path(), "old");
  const auto connector = NewKannel(options, nullptr);
  EXPECT_EQ(connector->Send(KnRequest("13800138000", "k-1")).verdict, Verdict::kStopChannel);
  file.Replace("new\n");
  EXPECT_TRUE(
      Eventually([&] { return connector->Send(KnRequest("13800138000", "k-2")).verdict == Verdict::kAccepted; }));
}

// ---- Kannel itself

constexpr char kBearerbox[] = "/usr/sbin/bearerbox";
constexpr char kSmsbox[] = "/usr/sbin/smsbox";
constexpr char kFakeSmsc[] = "/usr/lib/kannel/test/fakesmsc";

// A program with its output in a file; ended with the object.
class Process {
 public:
  Process(std::vector<std::string> arguments, const std::string& output) {
    pid_ = fork();
    if (pid_ == 0) {
      const int out = open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      dup2(out, STDOUT_FILENO);
      dup2(out, STDERR_FILENO);
      std::vector<char*> argv;
      for (std::string& argument : arguments) argv.push_back(argument.data());
      argv.push_back(nullptr);
      execv(argv[0], argv.data());
      _exit(127);
    }
  }
  ~Process() {
    if (pid_ <= 0) return;
    kill(pid_, SIGTERM);
    // bearerbox waits for what it has not sent; half a second is enough for a test.
    for (int i = 0; i < 10; ++i) {
      if (waitpid(pid_, nullptr, WNOHANG) == pid_) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

 private:
  pid_t pid_ = -1;
};

std::string ReadAll(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::size_t CountOf(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

TEST(KannelReal, MessagesReportsAndRepliesPassThroughKannel) {
  for (const char* program : {kBearerbox, kSmsbox, kFakeSmsc}) {
    if (access(program, X_OK) != 0) GTEST_SKIP() << "Kannel is not installed: there is no " << program;
  }
  std::string folder = (std::filesystem::temp_directory_path() / "zhitui-kannel-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  std::shared_ptr<delivery::Connector> connector;
  CallbackServer callbacks([&](const delivery::CallbackRequest& request) { return connector->ParseCallback(request); });
  const std::string admin = std::to_string(ScriptedPeer::DeadPort());
  const std::string boxes = std::to_string(ScriptedPeer::DeadPort());
  const std::string smsc = std::to_string(ScriptedPeer::DeadPort());
  const std::string sendsms = std::to_string(ScriptedPeer::DeadPort());
  const std::string config = folder + "/kannel.conf";
  std::ofstream(config) << "group = core\nadmin-port = " << admin
                        << "\nadmin-interface = 127.0.0.1\nadmin-password = a\n"
                        << "smsbox-port = " << boxes << "\nbox-allow-ip = 127.0.0.1\nbox-deny-ip = *.*.*.*\n"
                        << "dlr-storage = internal\n\n"
                        << "group = smsc\nsmsc = fake\nsmsc-id = fake\nhost = 127.0.0.1\nport = " << smsc
                        << "\nconnect-allow-ip = 127.0.0.1\n\n"
                        << "group = smsbox\nbearerbox-host = 127.0.0.1\nsendsms-port = " << sendsms
                        << "\nsendsms-interface = 127.0.0.1\nglobal-sender = 10690000\n\n"
                        << "group = sendsms-user\nusername = zhitui\npassword = pass&word\nmax-messages = 4\n"
                        << "concatenation = true\n\n"
                        << "group = sms-service\nkeyword = default\ncatch-all = true\nmax-messages = 0\nget-url = \""
                        << callbacks.Base() << "/v1/receipts/kannel?key=k%%2F3&from=%p&to=%P&text=%b&charset=%C"
                        << "&time=%T&id=%I\"\n";
  const auto status = [&] {
    httplib::Client client("127.0.0.1", std::stoi(admin));
    const auto page = client.Get("/status.txt?password=a");
    return page ? page->body : std::string();
  };
  const Process bearerbox({kBearerbox, config}, folder + "/bearerbox.out");
  ASSERT_TRUE(Eventually([&] { return !status().empty(); })) << ReadAll(folder + "/bearerbox.out");
  const Process smsbox({kSmsbox, config}, folder + "/smsbox.out");
  ASSERT_TRUE(Eventually([&] {
    return status().find("smsbox:") != std::string::npos &&
           httplib::Client("127.0.0.1", std::stoi(sendsms)).Get("/cgi-bin/sendsms");
  })) << ReadAll(folder + "/smsbox.out");

  KannelOptions options = KnOptions("http://127.0.0.1:" + sendsms);
  options.username = "zhitui";
  options.password = delivery::Secret("wrong");
  EXPECT_EQ(NewKannel(options, nullptr)->Send(KnRequest("13800138000", "k-0")).verdict, Verdict::kStopChannel);
  options.password = delivery::Secret("pass&word");
  options.callback_url = callbacks.Base() + "/v1/receipts/kannel";
  options.callback_key = delivery::Secret("k/3");
  connector = NewKannel(options, nullptr);
  // While no SMSC is up, Kannel keeps the message and sends it later.
  const SendResult queued = connector->Send(KnRequest("13800138000", "k-queued", "您好"));
  EXPECT_EQ(queued.verdict, Verdict::kAccepted) << queued.code;
  EXPECT_EQ(queued.code, "3");

  const std::string heard = folder + "/fakesmsc.out";
  const Process phones(
      {kFakeSmsc, "-H", "127.0.0.1", "-r", smsc, "-i", "0.2", "-m", "1", "+8613800138001 10690000 ucs2 %90%00%8b%a2"},
      heard);
  ASSERT_TRUE(Eventually([&] { return status().find("FAKE:" + smsc + " (online") != std::string::npos; })) << status();
  EXPECT_EQ(connector->Send(KnRequest("13800138000", "k-short", "短")).code, "0");
  std::string text = "【福田政务】";
  for (int i = 0; i < 90; ++i) text += "好";
  EXPECT_EQ(connector->Send(KnRequest("13800138000", "k-long", text)).verdict, Verdict::kAccepted);

  const auto receipts = callbacks.WaitReceipts(3);
  for (const char* attempt : {"k-queued", "k-short", "k-long"}) {
    ASSERT_EQ(receipts.count(attempt), 1U) << attempt;
    EXPECT_EQ(receipts.at(attempt).state, delivery::ReceiptState::kDelivered) << attempt;
  }
  EXPECT_EQ(callbacks.History().size(), 3U) << "one report for a message, however many its parts";
  const auto signals = callbacks.WaitSignals(1);
  ASSERT_EQ(signals.size(), 1U);
  EXPECT_EQ(signals[0].contact, "13800138001");
  EXPECT_EQ(signals[0].text, "退订");
  EXPECT_EQ(signals[0].answered, "10690000");
  EXPECT_FALSE(signals[0].provider_id.empty());
  EXPECT_EQ(callbacks.refused(), 0U);
  // 96 characters are 67 and 29, each part with its header.
  ASSERT_TRUE(Eventually([&] { return CountOf(ReadAll(heard), "Got message") == 4; })) << ReadAll(heard);
  const std::string log = ReadAll(heard);
  EXPECT_EQ(CountOf(log, "13800138000 ucs-2 "), 2U);
  EXPECT_EQ(CountOf(log, "%02%01 data "), 1U);
  EXPECT_EQ(CountOf(log, "%02%02 data "), 1U);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

}  // namespace
}  // namespace zhitui::sms
