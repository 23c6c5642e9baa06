#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "app/app.h"
#include "delivery/scripted_peer.h"
#include "sandbox/sandbox.h"

namespace zhitui::app {
namespace {

using delivery::SendResult;
using delivery::Verdict;
using testing::HttpAnswerOf;
using testing::PeerAnswer;
using testing::PeerRequest;
using testing::ScriptedPeer;

JpushOptions Options(std::string url) {
  JpushOptions options;
  options.base_url = std::move(url);
  options.app_key = "sandboxappkey0000000000a";
  options.master_secret = delivery::Secret("sandboxmastersecret00000");
  options.cid_batch = 4;
  return options;
}

delivery::SendRequest Request(std::string contact, delivery::IdempotencyKey key, std::string attempt = "n1-1") {
  delivery::SendRequest request;
  request.attempt_id = std::move(attempt);
  request.notification_id = "n1";
  request.contact = std::move(contact);
  request.content.channel = Channel::kApp;
  request.content.title = "高龄津贴";
  request.content.body = "您可以申请高龄津贴";
  request.key = std::move(key);
  request.timeout = Millis(20'000);
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
  sandbox::ProviderStats stats() const { return server_.GetStats().at("jpush"); }

 private:
  sandbox::Server server_;
  std::string url_;
};

delivery::IdempotencyKey Key(delivery::Connector& connector) {
  const auto key = connector.NewKey("n1-1");
  EXPECT_TRUE(key.has_value()) << key.error().message;
  return key ? *key : delivery::IdempotencyKey{};
}

TEST(JpushSimulated, AcceptsAndRepeatsOfOneCidAreOneMessage) {
  Simulator simulator;
  const auto connector = NewJpush(Options(simulator.url()), nullptr);
  const auto request = Request("171976fa8a8620a14a4", Key(*connector));
  const SendResult first = connector->Send(request);
  ASSERT_EQ(first.verdict, Verdict::kAccepted) << first.code << first.detail;
  const SendResult again = connector->Send(request);
  EXPECT_EQ(again.verdict, Verdict::kAccepted);
  EXPECT_EQ(again.provider_id, first.provider_id);
  EXPECT_EQ(simulator.stats().accepted, 1U);
  EXPECT_EQ(simulator.stats().suppressed, 1U);
}

TEST(JpushSimulated, EachFaultHasItsVerdict) {
  sandbox::Options options;
  options.slow_ms = 5000;
  Simulator simulator(options);
  const auto connector = NewJpush(Options(simulator.url()), nullptr);
  const auto send = [&](const std::string& contact) {
    return connector->Send(Request(contact, Key(*connector))).verdict;
  };
  EXPECT_EQ(send("magic01a"), Verdict::kThrottled);
  EXPECT_EQ(send("magic02a"), Verdict::kDropContact);
  EXPECT_EQ(send("magic03a"), Verdict::kRetryLater);
  const auto lost = Request("magic05a", Key(*connector));
  EXPECT_EQ(connector->Send(lost).verdict, Verdict::kUnknown);
  EXPECT_EQ(connector->Send(lost).verdict, Verdict::kAccepted) << "the same cid again";
  EXPECT_EQ(send("magic06a"), Verdict::kUnknown);
  auto slow = Request("magic07a", Key(*connector));
  slow.timeout = Millis(200);
  EXPECT_EQ(connector->Send(slow).verdict, Verdict::kUnknown);
  EXPECT_EQ(simulator.stats().accepted, 2U);
}

TEST(JpushSimulated, WrongCredentialsStopTheChannel) {
  Simulator simulator;
  JpushOptions options = Options(simulator.url());
  options.master_secret = delivery::Secret("wrong");
  const auto connector = NewJpush(options, nullptr);
  EXPECT_FALSE(connector->NewKey("n1-1").has_value());
  EXPECT_EQ(connector->Send(Request("171976fa8a8620a14a4", {"k-1", {}})).verdict, Verdict::kStopChannel);
}

std::string CidBody(int from, int count) {
  std::string body = R"({"cidlist":[)";
  for (int i = 0; i < count; ++i) body += (i > 0 ? ",\"c-" : "\"c-") + std::to_string(from + i) + "\"";
  return body + "]}";
}

TEST(JpushPeer, CidsAreFetchedAheadOnceForAllThreads) {
  std::atomic<int> next{0};
  ScriptedPeer peer([&](const PeerRequest&) { return HttpAnswerOf(200, CidBody(next.fetch_add(64), 64)); });
  JpushOptions options = Options(peer.Url());
  options.cid_batch = 64;
  const auto connector = NewJpush(options, nullptr);
  std::mutex mutex;
  std::set<std::string> keys;
  std::vector<std::thread> threads;
  for (int t = 0; t < 32; ++t) {
    threads.emplace_back([&] {
      const auto key = connector->NewKey("x");
      const std::scoped_lock lock(mutex);
      if (key) keys.insert(key->key);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(keys.size(), 32U) << "a cid is given out once";
  EXPECT_EQ(peer.Requests().size(), 1U);
  EXPECT_EQ(peer.Count("GET /v3/push/cid?count=64 HTTP/1.1"), 1U);
  const auto key = connector->NewKey("x");
  ASSERT_TRUE(key.has_value());
  const Instant now = SystemClock().Now();
  EXPECT_GT(key->expires, now + std::chrono::hours(22));
  EXPECT_LE(key->expires, now + std::chrono::hours(23));
}

TEST(JpushPeer, WithoutCidsThereIsNoKeyAndTheNextCallAsksAgain) {
  std::atomic<int> calls{0};
  ScriptedPeer peer([&](const PeerRequest&) {
    switch (calls.fetch_add(1)) {
      case 0:
        return HttpAnswerOf(500, R"({"error":{"code":1000,"message":"x"}})");
      case 1:
        return HttpAnswerOf(200, "not JSON");
      case 2:
        return PeerAnswer{"", PeerAnswer::kReset};
      default:
        return HttpAnswerOf(200, CidBody(0, 4));
    }
  });
  const auto connector = NewJpush(Options(peer.Url()), nullptr);
  for (int i = 0; i < 3; ++i) {
    const auto key = connector->NewKey("x");
    ASSERT_FALSE(key.has_value());
    EXPECT_EQ(key.error().kind, ErrorKind::kUnavailable);
  }
  EXPECT_TRUE(connector->NewKey("x").has_value());
}

TEST(JpushPeer, MalformedAndOversizedAnswersAreUnknown) {
  const std::vector<PeerAnswer> answers = {
      HttpAnswerOf(200, "{"),
      HttpAnswerOf(200, std::string((1 << 20) + 1, 'x')),
      {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"msg_id\"", PeerAnswer::kClose},
      {"garbage\r\n\r\n", PeerAnswer::kClose},
      {"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}", PeerAnswer::kClose},
      {"", PeerAnswer::kClose},
  };
  for (std::size_t i = 0; i < answers.size(); ++i) {
    ScriptedPeer peer([&](const PeerRequest&) { return answers[i]; });
    const auto connector = NewJpush(Options(peer.Url()), nullptr);
    EXPECT_EQ(connector->Send(Request("171976fa8a8620a14a4", {"k-1", {}})).verdict, Verdict::kUnknown) << i;
    EXPECT_EQ(peer.Requests().size(), 1U) << i << ": sent once";
  }
}

TEST(JpushPeer, TheBasePathGoesBeforeTheApiPath) {
  ScriptedPeer peer([](const PeerRequest&) { return HttpAnswerOf(200, R"({"sendno":"0","msg_id":"1"})"); });
  const auto connector = NewJpush(Options(peer.Url() + "/gateway/push/"), nullptr);
  EXPECT_EQ(connector->Send(Request("171976fa8a8620a14a4", {"k-1", {}})).verdict, Verdict::kAccepted);
  EXPECT_EQ(peer.Requests().at(0).Line(), "POST /gateway/push/v3/push HTTP/1.1");
}

TEST(JpushPeer, NobodyListeningIsNotSent) {
  const auto connector = NewJpush(Options("http://127.0.0.1:" + std::to_string(ScriptedPeer::DeadPort())), nullptr);
  EXPECT_EQ(connector->Send(Request("171976fa8a8620a14a4", {"k-1", {}})).verdict, Verdict::kNotSent);
}

}  // namespace
}  // namespace zhitui::app
