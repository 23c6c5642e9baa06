#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <set>
#include <stdexcept>

#include "delivery/delivery.h"

namespace zhitui::delivery {
namespace {

constexpr Millis kLong(60'000);

// Sends wait at a gate until the test opens it.
class GatedConnector final : public Connector {
 public:
  GatedConnector(std::string name, Channel channel, bool open)
      : name_(std::move(name)), channel_(channel), open_(open) {}
  const std::string& name() const override { return name_; }
  Channel channel() const override { return channel_; }
  UnknownPolicy unknown_policy() const override { return UnknownPolicy::kPark; }
  bool sends_receipts() const override { return false; }
  Status Check(const message::Content&) const override { return {}; }
  Result<IdempotencyKey> NewKey(const std::string& id) override { return IdempotencyKey{id, {}}; }
  SendResult Send(const SendRequest& request) override {
    std::unique_lock lock(mutex_);
    ++entered_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
    if (request.contact == "throw") throw std::runtime_error("a bug");
    SendResult result;
    result.verdict = Verdict::kAccepted;
    result.provider_id = "p-" + request.attempt_id;
    return result;
  }
  QueryResult Query(const SendRequest&) override { return {Found::kNo, {}}; }
  CallbackReply ParseCallback(const CallbackRequest&) override { return {}; }

  void Open() {
    const std::scoped_lock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void AwaitEntered(int n) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return entered_ >= n; });
  }
  int entered() {
    const std::scoped_lock lock(mutex_);
    return entered_;
  }

 private:
  const std::string name_;
  const Channel channel_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int entered_ = 0;
  bool open_;
};

Dispatcher::Job JobOf(const std::string& id, bool query = false) {
  Dispatcher::Job job;
  job.request.attempt_id = id;
  job.query = query;
  return job;
}

TEST(Dispatcher, EveryJobComesBackOnceWithItsOwnResult) {
  auto connector = std::make_shared<GatedConnector>("app", Channel::kApp, true);
  Dispatcher dispatcher({connector}, 4, 64);
  std::set<std::string> wanted;
  std::set<std::string> got;
  int submitted = 0;
  while (got.size() < 500) {
    while (submitted < 500 && dispatcher.Submit("app", JobOf(std::to_string(submitted)))) {
      wanted.insert(std::to_string(submitted++));
    }
    for (const Dispatcher::Done& done : dispatcher.Collect(kLong)) {
      EXPECT_EQ(done.result.verdict, Verdict::kAccepted);
      EXPECT_EQ(done.result.provider_id, "p-" + done.request.attempt_id);
      EXPECT_TRUE(got.insert(done.request.attempt_id).second);
    }
  }
  EXPECT_EQ(got, wanted);
  EXPECT_EQ(dispatcher.in_flight(), 0U);
}

TEST(Dispatcher, ASlowProviderHoldsUpOnlyItselfAndItsQueueIsBounded) {
  auto slow = std::make_shared<GatedConnector>("sms", Channel::kSms, false);
  auto fast = std::make_shared<GatedConnector>("app", Channel::kApp, true);
  Dispatcher dispatcher({slow, fast}, 1, 3);
  EXPECT_EQ(dispatcher.Room("sms"), 3U);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(dispatcher.Submit("sms", JobOf(std::to_string(i))));
  EXPECT_EQ(dispatcher.Room("sms"), 0U);
  EXPECT_FALSE(dispatcher.Submit("sms", JobOf("more"))) << "refused, not blocked";
  EXPECT_FALSE(dispatcher.Submit("fax", JobOf("nobody")));
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(dispatcher.Submit("app", JobOf("f")));
    EXPECT_EQ(dispatcher.Collect(kLong).size(), 1U);
  }
  EXPECT_EQ(dispatcher.in_flight(), 3U);
  slow->Open();
  std::size_t back = 0;
  while (back < 3) back += dispatcher.Collect(kLong).size();
  EXPECT_EQ(dispatcher.Room("sms"), 3U);
}

TEST(Dispatcher, QueriesAskAndExceptionsAreUnknown) {
  auto connector = std::make_shared<GatedConnector>("app", Channel::kApp, true);
  Dispatcher dispatcher({connector}, 1, 8);
  ASSERT_TRUE(dispatcher.Submit("app", JobOf("q", true)));
  std::vector<Dispatcher::Done> done = dispatcher.Collect(kLong);
  ASSERT_EQ(done.size(), 1U);
  EXPECT_TRUE(done[0].query);
  EXPECT_EQ(done[0].found, Found::kNo);
  EXPECT_EQ(connector->entered(), 0);
  Dispatcher::Job bad = JobOf("x");
  bad.request.contact = "throw";
  ASSERT_TRUE(dispatcher.Submit("app", bad));
  done = dispatcher.Collect(kLong);
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].result.verdict, Verdict::kUnknown);
}

TEST(Dispatcher, ClosingSendsNothingMoreAndLosesNothing) {
  auto connector = std::make_shared<GatedConnector>("app", Channel::kApp, false);
  Dispatcher dispatcher({connector}, 1, 8);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(dispatcher.Submit("app", JobOf(std::to_string(i), i == 4)));
  connector->AwaitEntered(1);
  dispatcher.Close();
  EXPECT_FALSE(dispatcher.Submit("app", JobOf("late")));
  EXPECT_EQ(dispatcher.Room("app"), 0U);
  connector->Open();
  int sent = 0;
  int returned = 0;
  while (dispatcher.in_flight() > 0) {
    for (const Dispatcher::Done& done : dispatcher.Collect(kLong)) {
      sent += done.result.verdict == Verdict::kAccepted ? 1 : 0;
      returned += done.result.code == "shutdown" ? 1 : 0;
      if (done.query) {
        EXPECT_EQ(done.found, Found::kNotYet);
      }
      if (!done.query && done.result.code == "shutdown") {
        EXPECT_EQ(done.result.verdict, Verdict::kNotSent);
      }
    }
  }
  EXPECT_EQ(sent, 1);
  EXPECT_EQ(returned, 4);
  EXPECT_EQ(connector->entered(), 1);
}

TEST(Dispatcher, FindsConnectorsByChannelAndName) {
  auto app = std::make_shared<GatedConnector>("jpush", Channel::kApp, true);
  Dispatcher dispatcher({app}, 1, 1);
  EXPECT_EQ(dispatcher.RouteFor(Channel::kApp, "token").connector, app.get());
  EXPECT_EQ(dispatcher.RouteFor(Channel::kSms, "13800138000").connector, nullptr);
  EXPECT_EQ(dispatcher.Named("jpush"), app);
  EXPECT_EQ(dispatcher.Named("x"), nullptr);
}

// Holds what it was given until the test answers it.
class PatientConnector final : public Connector {
 public:
  ~PatientConnector() override { EXPECT_TRUE(held_.empty()); }
  const std::string& name() const override { return name_; }
  Channel channel() const override { return Channel::kSms; }
  UnknownPolicy unknown_policy() const override { return UnknownPolicy::kPark; }
  bool sends_receipts() const override { return false; }
  Status Check(const message::Content&) const override { return {}; }
  Result<IdempotencyKey> NewKey(const std::string& id) override { return IdempotencyKey{id, {}}; }
  bool asynchronous() const override { return true; }
  SendResult Send(const SendRequest& request) override { return SendByBegin(*this, request); }
  void Begin(const SendRequest& request, std::function<void(SendResult)> done) override {
    if (closed_) return done({Verdict::kNotSent, "", "shutdown", "", {}});
    if (request.contact == "at once") return done({Verdict::kAccepted, "p", "", "", {}});
    held_.push_back(std::move(done));
  }
  void Close() override {
    closed_ = true;
    AnswerAll(Verdict::kNotSent);
  }
  QueryResult Query(const SendRequest&) override { return {Found::kNo, {}}; }
  CallbackReply ParseCallback(const CallbackRequest&) override { return {}; }
  void AnswerAll(Verdict verdict) {
    for (const auto& done : std::exchange(held_, {})) done({verdict, "p", "", "", {}});
  }
  std::size_t held() const { return held_.size(); }

 private:
  const std::string name_ = "patient";
  std::vector<std::function<void(SendResult)>> held_;  // Submit and AnswerAll are called on the test's thread
  bool closed_ = false;
};

Dispatcher::Job JobTo(std::string contact) {
  Dispatcher::Job job;
  job.request.attempt_id = "n-1";
  job.request.contact = std::move(contact);
  return job;
}

TEST(Dispatcher, AnAsynchronousConnectorHoldsManySendsWithoutAThreadForEach) {
  const auto connector = std::make_shared<PatientConnector>();
  Dispatcher dispatcher({connector}, 1, 100);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(dispatcher.Submit("patient", JobTo("13800138000")));
  EXPECT_EQ(connector->held(), 100U) << "all of them begun by one thread";
  EXPECT_EQ(dispatcher.Room("patient"), 0U);
  EXPECT_FALSE(dispatcher.Submit("patient", JobTo("13800138000"))) << "bounded all the same";
  connector->AnswerAll(Verdict::kAccepted);
  const auto done = dispatcher.Collect(Millis(0));
  ASSERT_EQ(done.size(), 100U);
  EXPECT_EQ(done[0].request.contact, "13800138000");
  EXPECT_EQ(done[0].result.verdict, Verdict::kAccepted);
  EXPECT_EQ(dispatcher.in_flight(), 0U);
}

TEST(Dispatcher, AnAsynchronousAnswerMayComeBeforeSubmitReturns) {
  Dispatcher dispatcher({std::make_shared<PatientConnector>()}, 1, 4);
  ASSERT_TRUE(dispatcher.Submit("patient", JobTo("at once")));
  EXPECT_EQ(dispatcher.Collect(Millis(0)).size(), 1U);
}

TEST(Dispatcher, ClosingEndsWhatAnAsynchronousConnectorHolds) {
  const auto connector = std::make_shared<PatientConnector>();
  Dispatcher dispatcher({connector}, 1, 4);
  ASSERT_TRUE(dispatcher.Submit("patient", JobTo("13800138000")));
  dispatcher.Close();
  const auto done = dispatcher.Collect(Millis(0));
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].result.verdict, Verdict::kNotSent);
}

TEST(Dispatcher, AContactWithAConnectorsNameGoesThereAndOthersToTheFirst) {
  const auto first = std::make_shared<GatedConnector>("jpush", Channel::kApp, true);
  const auto second = std::make_shared<GatedConnector>("apns", Channel::kApp, true);
  Dispatcher dispatcher({first, second}, 1, 4);
  EXPECT_EQ(dispatcher.RouteFor(Channel::kApp, "171976fa").connector, first.get());
  const Dispatcher::Route named = dispatcher.RouteFor(Channel::kApp, "apns:00ff");
  EXPECT_EQ(named.connector, second.get());
  EXPECT_EQ(named.contact, "00ff");
  EXPECT_EQ(dispatcher.RouteFor(Channel::kApp, "fcm:token").connector, nullptr) << "nobody of that name";
  EXPECT_EQ(dispatcher.RouteFor(Channel::kWechat, "apns:00ff").connector, nullptr) << "another channel";
  // A token of FCM: 22 characters, a colon, and the rest.
  const std::string token = "dQw4w9WgXcQ_abcdefghij:APA91bH";
  EXPECT_EQ(dispatcher.RouteFor(Channel::kApp, token).connector, first.get());
  EXPECT_EQ(dispatcher.RouteFor(Channel::kApp, token).contact, token);
}

}  // namespace
}  // namespace zhitui::delivery
