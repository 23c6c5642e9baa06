#include <gtest/gtest.h>

#include <csignal>

#include "connectors/matrix.h"
#include "connectors/sms/callback_server.h"
#include "delivery/scripted_peer.h"
#include "sandbox/sandbox.h"
#include "sms/sms.h"

namespace zhitui::sms {
namespace {

// As the program does at its start: a socket is written to that the peer may have closed.
const auto kIgnored = std::signal(SIGPIPE, SIG_IGN);

using delivery::Found;
using delivery::SendResult;
using delivery::Verdict;
using testing::HttpAnswerOf;
using testing::PeerAnswer;
using testing::PeerRequest;
using testing::ScriptedPeer;

constexpr char kAccepted[] = R"({"Response":{"SendStatusSet":[{"SerialNo":"5000:1","Code":"Ok"}],"RequestId":"R-1"}})";

TencentOptions TcOptions(std::string url) {
  TencentOptions options;
  options.base_url = std::move(url);
  options.secret_id = "testid";
  options.secret_key = delivery::Secret("testsecret");
  options.sdk_app_id = "1400006666";
  options.sign_name = "福田政务";
  options.templates = {{"benefit", "1110"}};
  return options;
}

delivery::SendRequest TcRequest(std::string phone, std::string attempt) {
  delivery::SendRequest request;
  request.attempt_id = std::move(attempt);
  request.contact = std::move(phone);
  request.content.channel = Channel::kSms;
  request.content.provider_template = "benefit";
  request.content.fields = {{"name", "张三 & \"co\"\\"}, {"item", "高龄津贴"}};
  request.timeout = Millis(20'000);
  return request;
}

class TcSimulator {
 public:
  explicit TcSimulator(sandbox::Options options = {}) : server_(std::move(options)) {
    const auto port = server_.Start();
    if (!port) throw std::runtime_error(port.error());
    url_ = "http://127.0.0.1:" + std::to_string(*port) + "/tencent";
  }
  const std::string& url() const { return url_; }
  sandbox::ProviderStats stats() const { return server_.GetStats().at("tencent"); }
  sandbox::Server& server() { return server_; }

 private:
  sandbox::Server server_;
  std::string url_;
};

TEST(TencentSimulated, Matrix) {
  sandbox::Options options;
  options.slow_ms = 5000;
  options.tencent.templates = {{"1110", "{1}，您可领取{2}。"}};
  TcSimulator simulator(options);
  const auto connector = NewTencent(TcOptions(simulator.url()), nullptr);
  int n = 0;
  testing::CheckMatrix(
      *connector,
      {{"accepted", "13800138001", Verdict::kAccepted, "Ok", 1, 1},
       {"accepted, number with 0086", "008613800138001", Verdict::kAccepted, "Ok", 1, 1},
       {"throttled", "13800130001", Verdict::kThrottled, "LimitExceeded.PhoneNumberThirtySecondLimit", 1, 0},
       {"contact refused", "13800130002", Verdict::kDropContact, "FailedOperation.PhoneNumberInBlacklist", 1, 0},
       {"not a mainland number", "+85291234567", Verdict::kDropContact, "contact", 0, 0},
       {"server error", "13800130003", Verdict::kRetryLater, "ServiceUnavailable", 1, 0},
       {"accepted, undelivered later", "13800130004", Verdict::kAccepted, "Ok", 1, 1},
       {"accepted, connection reset", "13800130005", Verdict::kUnknown, "", 1, 1},
       {"connection reset before", "13800130006", Verdict::kUnknown, "", 1, 0},
       {"time-out after acceptance", "13800130007", Verdict::kUnknown, "", 1, 1, Millis(200)},
       {"package used up", "13800130008", Verdict::kStopChannel, "FailedOperation.InsufficientBalanceInSmsPackage", 1,
        0},
       {"accepted, no report", "13800130009", Verdict::kAccepted, "Ok", 1, 1},
       {"accepted, malformed answer", "13800130011", Verdict::kUnknown, "http 200", 1, 1},
       {"signature expired", "13800130012", Verdict::kStopChannel, "AuthFailure.SignatureExpire", 1, 0}},
      [&](const std::string& contact) { return TcRequest(contact, "t" + std::to_string(++n) + "-1"); },
      [&] { return testing::MatrixCounts{simulator.stats().requests, simulator.stats().accepted}; });
}

TEST(TencentSimulated, AnUnknownOutcomeIsFoundOnceTheCarrierHasAnswered) {
  sandbox::Options options;
  options.receipt_delay_ms = 0;
  TcSimulator simulator(options);
  TencentOptions mine = TcOptions(simulator.url());
  mine.session_echo = true;
  const auto connector = NewTencent(mine, nullptr);
  const auto keyed = [&](const char* phone, const char* attempt) {
    delivery::SendRequest request = TcRequest(phone, attempt);
    request.key = *connector->NewKey(attempt);
    return request;
  };
  const auto taken = keyed("13800130005", "t-taken");
  ASSERT_EQ(connector->Send(taken).verdict, Verdict::kUnknown);
  const delivery::QueryResult yes = connector->Query(taken);
  EXPECT_EQ(yes.found, Found::kYes);
  EXPECT_EQ(yes.result.verdict, Verdict::kAccepted);
  EXPECT_TRUE(yes.result.provider_id.starts_with("5000:")) << yes.result.provider_id;
  const auto lost = keyed("13800130006", "t-lost");
  ASSERT_EQ(connector->Send(lost).verdict, Verdict::kUnknown);
  EXPECT_EQ(connector->Query(lost).found, Found::kNotYet) << "not in the list is no proof";
  const auto silent = keyed("13800130009", "t-silent");
  ASSERT_EQ(connector->Send(silent).verdict, Verdict::kAccepted);
  EXPECT_EQ(connector->Query(silent).found, Found::kNotYet) << "no carrier has answered";
}

TEST(TencentSimulated, WithoutTheEchoNoMessageIsFound) {
  sandbox::Options options;
  options.receipt_delay_ms = 0;
  options.tencent.session_echo = false;
  TcSimulator simulator(options);
  TencentOptions mine = TcOptions(simulator.url());
  mine.session_echo = true;
  const auto connector = NewTencent(mine, nullptr);
  const auto request = TcRequest("13800138001", "t-1");
  ASSERT_EQ(connector->Send(request).verdict, Verdict::kAccepted);
  EXPECT_EQ(connector->Query(request).found, Found::kNotYet);
  EXPECT_EQ(simulator.stats().requests, 2U);
  const auto parking = NewTencent(TcOptions(simulator.url()), nullptr);
  EXPECT_EQ(parking->Query(request).found, Found::kNotYet);
  EXPECT_EQ(simulator.stats().requests, 2U) << "it does not ask";
}

TEST(TencentSimulated, StatesAndRepliesComeBack) {
  std::shared_ptr<delivery::Connector> connector;
  CallbackServer callbacks([&](const delivery::CallbackRequest& request) { return connector->ParseCallback(request); });
  sandbox::Options options;
  options.callback_base = callbacks.Base();
  options.tencent.callback_key = "k&3";
  options.receipt_retry_ms = 10;
  options.receipts = sandbox::Receipts::kDuplicate;
  TcSimulator simulator(options);
  TencentOptions mine = TcOptions(simulator.url());
  mine.callback_key = delivery::Secret("k&3");
  mine.dead_codes = {"MI:0210"};
  connector = NewTencent(mine, nullptr);
  const auto serial = [&](const char* phone, const char* attempt) {
    const SendResult result = connector->Send(TcRequest(phone, attempt));
    EXPECT_EQ(result.verdict, Verdict::kAccepted);
    return result.provider_id;
  };
  const std::string good = serial("13800138001", "t-good");
  const std::string failed = serial("13800130004", "t-failed");
  const std::string dead = serial("13800130014", "t-dead");
  const std::string other = serial("13800138002", "t-other");
  callbacks.WaitReceipts(4);
  const std::string first = serial("13800130015", "t-first");
  EXPECT_EQ(callbacks.Receipts().count(first), 1U) << "before the answer to the send";
  const auto receipts = callbacks.WaitReceipts(5);
  ASSERT_EQ(receipts.size(), 5U);
  EXPECT_EQ(receipts.at(good).state, delivery::ReceiptState::kDelivered);
  EXPECT_EQ(receipts.at(failed).state, delivery::ReceiptState::kUndelivered);
  EXPECT_FALSE(receipts.at(failed).contact_dead);
  EXPECT_TRUE(receipts.at(dead).contact_dead);
  ASSERT_TRUE(simulator.server().Push({"tencent", "13800138001", "TD"}));
  const auto signals = callbacks.WaitSignals(2);
  ASSERT_EQ(signals.size(), 2U) << "pushed twice";
  EXPECT_EQ(signals[0].contact, "13800138001");
  EXPECT_EQ(signals[0].text, "TD");
  EXPECT_EQ(signals[0].provider_id, signals[1].provider_id);
  EXPECT_EQ(callbacks.refused(), 0U);
}

TEST(TencentSimulated, ARotatedKeyIsTakenUp) {
  const TempFile file("old\n");
  TcSimulator simulator;
  TencentOptions options = TcOptions(simulator.url());
  options.secret_key = delivery::Secret::FromFile(file.path(), "old");
  const auto connector = NewTencent(options, nullptr);
  EXPECT_EQ(connector->Send(TcRequest("13800138001", "t-1")).code, "AuthFailure.SignatureFailure");
  file.Replace("testsecret\n");
  EXPECT_TRUE(
      Eventually([&] { return connector->Send(TcRequest("13800138001", "t-2")).verdict == Verdict::kAccepted; }));
}

TEST(TencentPeer, WhatTheProviderMayHaveTakenIsUnknownAndSentOnce) {
  const std::vector<PeerAnswer> answers = {
      {"", PeerAnswer::kClose},
      {"", PeerAnswer::kReset},
      {"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{\"Response\"", PeerAnswer::kClose},
      HttpAnswerOf(200, "<html>"),
      HttpAnswerOf(200, std::string(2 << 20, 'x')),
      HttpAnswerOf(503, ""),
      {"HTTP/1.1 307 X\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n", PeerAnswer::kKeep},
  };
  for (std::size_t i = 0; i < answers.size(); ++i) {
    bool first = true;
    ScriptedPeer peer(
        [&](const PeerRequest&) { return std::exchange(first, false) ? HttpAnswerOf(200, kAccepted) : answers[i]; });
    const auto connector = NewTencent(TcOptions(peer.Url()), nullptr);
    ASSERT_EQ(connector->Send(TcRequest("13800138000", "t-0")).verdict, Verdict::kAccepted);
    EXPECT_EQ(connector->Send(TcRequest("13800138000", "t-1")).verdict, Verdict::kUnknown) << i;
    EXPECT_EQ(peer.Count("\"t-1\""), 1U) << i;
  }
}

TEST(TencentPeer, SilenceEndsAtTheTimeOutAndNoConnectionMeansNotSent) {
  ScriptedPeer peer([](const PeerRequest&) { return PeerAnswer{"", PeerAnswer::kHold}; });
  auto request = TcRequest("13800138000", "t-1");
  request.timeout = Millis(100);
  EXPECT_EQ(NewTencent(TcOptions(peer.Url()), nullptr)->Send(request).verdict, Verdict::kUnknown);
  const auto dead = NewTencent(TcOptions("http://127.0.0.1:" + std::to_string(ScriptedPeer::DeadPort())), nullptr);
  EXPECT_EQ(dead->Send(TcRequest("13800138000", "t-1")).verdict, Verdict::kNotSent);
}

}  // namespace
}  // namespace zhitui::sms
