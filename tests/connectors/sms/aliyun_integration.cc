#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <set>
#include <thread>

#include "connectors/matrix.h"
#include "connectors/sms/callback_server.h"
#include "delivery/scripted_peer.h"
#include "sandbox/sandbox.h"
#include "sms/sms.h"

namespace zhitui::sms {
namespace {

// As the program does at its start: OpenSSL writes to a socket that the peer may have closed.
const auto kIgnored = std::signal(SIGPIPE, SIG_IGN);

using delivery::Found;
using delivery::SendResult;
using delivery::Verdict;
using testing::HttpAnswerOf;
using testing::PeerAnswer;
using testing::PeerRequest;
using testing::ScriptedPeer;

constexpr char kAccepted[] = R"({"Code":"OK","Message":"OK","RequestId":"R-1","BizId":"9^0"})";

AliyunOptions Options(std::string url) {
  AliyunOptions options;
  options.base_url = std::move(url);
  options.access_key_id = "testid";
  options.access_key_secret = delivery::Secret("testsecret");
  options.sign_name = "福田政务";
  options.templates = {{"benefit", "SMS_154950909"}};
  return options;
}

delivery::SendRequest Request(std::string phone, std::string attempt) {
  delivery::SendRequest request;
  request.attempt_id = std::move(attempt);
  request.contact = std::move(phone);
  request.content.channel = Channel::kSms;
  request.content.provider_template = "benefit";
  request.content.fields = {{"name", "张三 & 'co'(1)*~"}, {"item", "高龄津贴"}};
  request.timeout = Millis(20'000);
  return request;
}

delivery::SendRequest Keyed(delivery::Connector& connector, std::string phone, std::string attempt) {
  delivery::SendRequest request = Request(std::move(phone), std::move(attempt));
  request.key = *connector.NewKey(request.attempt_id);
  return request;
}

class Simulator {
 public:
  explicit Simulator(sandbox::Options options = {}) : server_(std::move(options)) {
    const auto port = server_.Start();
    if (!port) throw std::runtime_error(port.error());
    url_ = "http://127.0.0.1:" + std::to_string(*port);
  }
  const std::string& url() const { return url_; }
  sandbox::ProviderStats stats() const { return server_.GetStats().at("aliyun"); }
  sandbox::Server& server() { return server_; }

 private:
  sandbox::Server server_;
  std::string url_;
};

TEST(AliyunSimulated, TheSignatureIsAcceptedAndTheMessageTaken) {
  Simulator simulator;
  const auto connector = NewAliyun(Options(simulator.url()), nullptr);
  for (int i = 0; i < 3; ++i) {
    const SendResult result = connector->Send(Request("13800138001", "m-" + std::to_string(i)));
    EXPECT_EQ(result.verdict, Verdict::kAccepted) << result.code;
    EXPECT_FALSE(result.provider_id.empty());
  }
  EXPECT_EQ(simulator.stats().accepted, 3U);
}

TEST(AliyunSimulated, Sm3IsVerifiedToo) {
  Simulator simulator;
  AliyunOptions options = Options(simulator.url());
  options.sm3 = true;
  EXPECT_EQ(NewAliyun(options, nullptr)->Send(Request("13800138001", "m-1")).verdict, Verdict::kAccepted);
}

TEST(AliyunSimulated, Matrix) {
  sandbox::Options options;
  options.slow_ms = 5000;
  Simulator simulator(options);
  const auto connector = NewAliyun(Options(simulator.url()), nullptr);
  int n = 0;
  testing::CheckMatrix(
      *connector,
      {{"accepted", "13800138001", Verdict::kAccepted, "OK", 1, 1},
       {"accepted, number with +86", "+8613800138001", Verdict::kAccepted, "OK", 1, 1},
       {"throttled", "13800130001", Verdict::kThrottled, "Throttling.User", 1, 0},
       {"contact refused", "13800130002", Verdict::kDropContact, "isv.MOBILE_NUMBER_ILLEGAL", 1, 0},
       {"not a mainland number", "+85291234567", Verdict::kDropContact, "contact", 0, 0},
       {"server error", "13800130003", Verdict::kRetryLater, "isp.SYSTEM_ERROR", 1, 0},
       {"accepted, undelivered later", "13800130004", Verdict::kAccepted, "OK", 1, 1},
       {"accepted, connection reset", "13800130005", Verdict::kUnknown, "", 1, 1},
       {"connection reset before", "13800130006", Verdict::kUnknown, "", 1, 0},
       {"time-out after acceptance", "13800130007", Verdict::kUnknown, "", 1, 1, Millis(200)},
       {"out of money", "13800130008", Verdict::kStopChannel, "isv.AMOUNT_NOT_ENOUGH", 1, 0},
       {"accepted, no report", "13800130009", Verdict::kAccepted, "OK", 1, 1},
       {"accepted, malformed answer", "13800130011", Verdict::kUnknown, "http 200", 1, 1},
       {"stale date", "13800130012", Verdict::kStopChannel, "InvalidTimeStamp.Expired", 1, 0}},
      [&](const std::string& contact) { return Request(contact, "m" + std::to_string(++n) + "-1"); },
      [&] { return testing::MatrixCounts{simulator.stats().requests, simulator.stats().accepted}; });
}

TEST(AliyunSimulated, ReportsAndRepliesComeBack) {
  std::shared_ptr<delivery::Connector> connector;
  CallbackServer callbacks([&](const delivery::CallbackRequest& request) { return connector->ParseCallback(request); });
  sandbox::Options options;
  options.callback_base = callbacks.Base();
  options.aliyun_callback_key = "k/3 y";
  options.receipt_retry_ms = 10;
  Simulator simulator(options);
  AliyunOptions mine = Options(simulator.url());
  mine.callback_key = delivery::Secret("k/3 y");
  mine.dead_codes = {"MOBILE_NOT_ON_SERVICE"};
  connector = NewAliyun(mine, nullptr);
  ASSERT_EQ(connector->Send(Request("13800138001", "m-good")).verdict, Verdict::kAccepted);
  ASSERT_EQ(connector->Send(Request("13800130004", "m-failed")).verdict, Verdict::kAccepted);
  ASSERT_EQ(connector->Send(Request("13800130014", "m-dead")).verdict, Verdict::kAccepted);
  ASSERT_EQ(connector->Send(Request("13800130009", "m-silent")).verdict, Verdict::kAccepted);
  callbacks.WaitReceipts(3);
  ASSERT_EQ(connector->Send(Request("13800130015", "m-first")).verdict, Verdict::kAccepted);
  EXPECT_EQ(callbacks.Receipts().count("m-first"), 1U) << "before the answer to the send";
  ASSERT_TRUE(simulator.server().Push({"aliyun", "13800138001", "退订"}));
  const auto receipts = callbacks.WaitReceipts(4);
  ASSERT_EQ(receipts.size(), 4U);
  EXPECT_EQ(receipts.at("m-good").state, delivery::ReceiptState::kDelivered);
  EXPECT_EQ(receipts.at("m-failed").state, delivery::ReceiptState::kUndelivered);
  EXPECT_FALSE(receipts.at("m-failed").contact_dead);
  EXPECT_TRUE(receipts.at("m-dead").contact_dead);
  const auto signals = callbacks.WaitSignals(1);
  ASSERT_EQ(signals.size(), 1U);
  EXPECT_EQ(signals[0].contact, "13800138001");
  EXPECT_EQ(signals[0].text, "退订");
  EXPECT_FALSE(signals[0].provider_id.empty());
  EXPECT_EQ(callbacks.refused(), 0U);
}

TEST(AliyunSimulated, ARotatedSecretIsTakenUp) {
  const TempFile file("testsecret-old\n");
  Simulator simulator;
  AliyunOptions options = Options(simulator.url());
  options.access_key_secret = delivery::Secret::FromFile(file.path(), "testsecret-old");
  const auto connector = NewAliyun(options, nullptr);
  EXPECT_EQ(connector->Send(Request("13800138001", "m-1")).code, "SignatureDoesNotMatch");
  file.Replace("testsecret\n");
  EXPECT_TRUE(Eventually([&] { return connector->Send(Request("13800138001", "m-2")).verdict == Verdict::kAccepted; }));
}

TEST(AliyunSimulated, AQueryTellsTakenFromNotTaken) {
  Simulator simulator;
  const auto connector = NewAliyun(Options(simulator.url()), nullptr);
  const auto taken = Keyed(*connector, "13800130005", "m-taken");
  ASSERT_EQ(connector->Send(taken).verdict, Verdict::kUnknown);
  const delivery::QueryResult yes = connector->Query(taken);
  EXPECT_EQ(yes.found, Found::kYes);
  EXPECT_EQ(yes.result.verdict, Verdict::kAccepted);
  const auto lost = Keyed(*connector, "13800130006", "m-lost");
  ASSERT_EQ(connector->Send(lost).verdict, Verdict::kUnknown);
  EXPECT_EQ(connector->Query(lost).found, Found::kNo);
  EXPECT_EQ(simulator.stats().accepted, 1U);
}

TEST(AliyunSimulated, AQueryReadsEveryPage) {
  Simulator simulator;
  const auto connector = NewAliyun(Options(simulator.url()), nullptr);
  for (int i = 0; i < 120; ++i) {
    ASSERT_EQ(connector->Send(Request("13800138001", "m-" + std::to_string(i))).verdict, Verdict::kAccepted);
  }
  EXPECT_EQ(connector->Query(Keyed(*connector, "13800138001", "m-0")).found, Found::kYes) << "on the last page";
  EXPECT_EQ(connector->Query(Keyed(*connector, "13800138001", "m-none")).found, Found::kNo);
}

TEST(AliyunSimulated, AWrongSecretStopsTheChannelAndIsNoAnswerToAQuery) {
  Simulator simulator;
  AliyunOptions options = Options(simulator.url());
  options.access_key_secret = delivery::Secret("wrong");
  const auto connector = NewAliyun(options, nullptr);
  EXPECT_EQ(connector->Send(Request("13800138001", "m-1")).verdict, Verdict::kStopChannel);
  EXPECT_EQ(connector->Query(Keyed(*connector, "13800138001", "m-1")).found, Found::kNotYet);
}

std::string Days(const ScriptedPeer& peer) {
  std::string days;
  for (const PeerRequest& request : peer.Requests()) {
    const std::size_t at = request.head.find("SendDate=");
    days += request.head.substr(at + 9, 8) + " ";
  }
  return days;
}

// The key expires a day after it was made: the query asks for the day it was made on, and for the next one too when the
// send may have passed midnight (UTC+8).
TEST(AliyunPeer, AQueryAsksForTheDayOfTheSend) {
  ScriptedPeer peer([](const PeerRequest&) { return HttpAnswerOf(200, R"({"Code":"OK","TotalCount":0})"); });
  const auto connector = NewAliyun(Options(peer.Url()), nullptr);
  auto request = Request("13800138000", "m-1");
  request.key.expires = *ParseInstant("2026-01-16T12:00:00+08:00");
  EXPECT_EQ(connector->Query(request).found, Found::kNo);
  EXPECT_EQ(Days(peer), "20260115 ");
  request.key.expires = *ParseInstant("2026-01-16T23:55:00+08:00");
  EXPECT_EQ(connector->Query(request).found, Found::kNo);
  EXPECT_EQ(Days(peer), "20260115 20260116 20260115 ");
}

TEST(AliyunPeer, AFailedQueryIsNeitherYesNorNo) {
  std::atomic<int> calls{0};
  ScriptedPeer peer([&](const PeerRequest&) {
    switch (calls.fetch_add(1)) {
      case 0:
        return HttpAnswerOf(500, R"({"Code":"InternalError"})");
      case 1:
        return HttpAnswerOf(200, R"({"Code":"OK","TotalCount":90,"SmsSendDetailDTOs":{"SmsSendDetailDTO":[]}})");
      case 2:
        return PeerAnswer{"", PeerAnswer::kReset};
      default:
        return HttpAnswerOf(200, "]");
    }
  });
  const auto connector = NewAliyun(Options(peer.Url()), nullptr);
  auto request = Request("13800138000", "m-1");
  request.key.expires = *ParseInstant("2026-01-16T12:00:00+08:00");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(connector->Query(request).found, Found::kNotYet) << i;
}

TEST(AliyunPeer, AnEmptyBodyAndNoContentTypeGoOut) {
  ScriptedPeer peer([](const PeerRequest&) { return HttpAnswerOf(200, kAccepted); });
  const auto connector = NewAliyun(Options(peer.Url()), nullptr);
  EXPECT_EQ(connector->Send(Request("13800138000", "m-1")).verdict, Verdict::kAccepted);
  EXPECT_EQ(connector->Send(Request("13800138000", "m-2")).verdict, Verdict::kAccepted);
  std::set<std::string> nonces;
  for (const PeerRequest& request : peer.Requests()) {
    EXPECT_EQ(request.body, "");
    EXPECT_FALSE(request.Has("Content-Type"));
    EXPECT_TRUE(request.Has("Content-Length: 0\r\n"));
    EXPECT_TRUE(request.Has("host: 127.0.0.1:" + std::to_string(peer.port()) + "\r\n"));
    const std::size_t at = request.head.find("x-acs-signature-nonce: ");
    nonces.insert(request.head.substr(at + 23, 32));
  }
  EXPECT_EQ(nonces.size(), 2U) << "a nonce is used once";
  EXPECT_EQ(peer.Connections(), 1U) << "connections are kept";
}

TEST(AliyunPeer, AfterAnIdleHangUpTheNextSendUsesANewConnection) {
  ScriptedPeer peer([](const PeerRequest&) { return HttpAnswerOf(200, kAccepted); });
  const auto connector = NewAliyun(Options(peer.Url()), nullptr);
  ASSERT_EQ(connector->Send(Request("13800138000", "m-1")).verdict, Verdict::kAccepted);
  peer.HangUp();
  EXPECT_EQ(connector->Send(Request("13800138000", "m-2")).verdict, Verdict::kAccepted);
  EXPECT_EQ(peer.Requests().size(), 2U);
  EXPECT_EQ(peer.Connections(), 2U);
}

TEST(AliyunPeer, WhatTheProviderMayHaveTakenIsUnknownAndSentOnce) {
  const std::vector<PeerAnswer> answers = {
      {"", PeerAnswer::kClose},
      {"", PeerAnswer::kReset},
      {"HTTP/1.1 200 OK\r\nContent-Le", PeerAnswer::kClose},
      {"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{\"Code\":\"OK\"", PeerAnswer::kClose},
      HttpAnswerOf(200, "<html>"),
      HttpAnswerOf(200, std::string(2 << 20, 'x')),
      HttpAnswerOf(503, ""),
      {"HTTP/1.1 307 X\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n", PeerAnswer::kKeep},
      {"HTTP/1.1 401 X\r\nWWW-Authenticate: Digest realm=\"x\"\r\nContent-Length: 0\r\n\r\n", PeerAnswer::kKeep},
  };
  for (std::size_t i = 0; i < answers.size(); ++i) {
    bool first = true;
    ScriptedPeer peer(
        [&](const PeerRequest&) { return std::exchange(first, false) ? HttpAnswerOf(200, kAccepted) : answers[i]; });
    const auto connector = NewAliyun(Options(peer.Url()), nullptr);
    ASSERT_EQ(connector->Send(Request("13800138000", "m-0")).verdict, Verdict::kAccepted);
    EXPECT_EQ(connector->Send(Request("13800138000", "m-1")).verdict, Verdict::kUnknown) << i;
    EXPECT_EQ(peer.Count("OutId=m-1&"), 1U) << i;
  }
}

TEST(AliyunPeer, SilenceAndATrickleBothEndAtTheTimeOut) {
  for (const char* bytes : {"", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"}) {
    ScriptedPeer peer([&](const PeerRequest&) { return PeerAnswer{bytes, PeerAnswer::kHold}; });
    const auto connector = NewAliyun(Options(peer.Url()), nullptr);
    auto request = Request("13800138000", "m-1");
    request.timeout = Millis(100);
    EXPECT_EQ(connector->Send(request).verdict, Verdict::kUnknown);
    EXPECT_EQ(peer.Count("OutId=m-1&"), 1U);
  }
}

TEST(AliyunPeer, WithoutAConnectionNothingWasSent) {
  const auto dead = NewAliyun(Options("http://127.0.0.1:" + std::to_string(ScriptedPeer::DeadPort())), nullptr);
  EXPECT_EQ(dead->Send(Request("13800138000", "m-1")).verdict, Verdict::kNotSent);
  const auto nameless = NewAliyun(Options("http://no-such-host.invalid"), nullptr);
  EXPECT_EQ(nameless->Send(Request("13800138000", "m-1")).verdict, Verdict::kNotSent);
}

TEST(AliyunPeer, ASendIsOnePhoneNumber) {
  ScriptedPeer peer([](const PeerRequest&) { return HttpAnswerOf(200, kAccepted); });
  const auto connector = NewAliyun(Options(peer.Url()), nullptr);
  EXPECT_EQ(connector->Send(Request("13800138000,13800138001", "m-1")).verdict, Verdict::kDropContact);
  EXPECT_EQ(connector->Send(Request("", "m-1")).verdict, Verdict::kDropContact);
  EXPECT_TRUE(peer.Requests().empty());
}

}  // namespace
}  // namespace zhitui::sms
