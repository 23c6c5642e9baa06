#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "delivery/delivery.h"

namespace zhitui::delivery {
namespace {

struct World {
  std::mutex mutex;
  std::condition_variable changed;
  int made = 0;
  int destroyed = 0;
  int aborted = 0;
  int in_use = 0;
  int most_in_use = 0;
  HttpFate fate = HttpFate::kAnswered;
};

// Answers at once, or, for the target "/stuck", only when it is aborted.
class FakeLink final : public HttpLink {
 public:
  explicit FakeLink(World& world) : world_(world) {
    const std::scoped_lock lock(world_.mutex);
    ++world_.made;
  }
  ~FakeLink() override {
    const std::scoped_lock lock(world_.mutex);
    ++world_.destroyed;
  }
  HttpAnswer Do(const HttpCall& call, std::chrono::steady_clock::time_point) override {
    std::unique_lock lock(world_.mutex);
    EXPECT_FALSE(busy_) << "one call at a time on one connection";
    busy_ = true;
    world_.most_in_use = std::max(world_.most_in_use, ++world_.in_use);
    HttpAnswer answer;
    if (call.target == "/stuck") {
      world_.changed.wait(lock, [&] { return aborted_; });
      answer.fault = "read";
    } else {
      answer.fate = world_.fate;
      answer.body = call.target;
    }
    --world_.in_use;
    busy_ = false;
    return answer;
  }
  void Abort() override {
    const std::scoped_lock lock(world_.mutex);
    aborted_ = true;
    ++world_.aborted;
    world_.changed.notify_all();
  }

 private:
  World& world_;
  bool busy_ = false;
  bool aborted_ = false;
};

HttpCall To(std::string target) {
  HttpCall call;
  call.method = "GET";
  call.target = std::move(target);
  return call;
}

TEST(HttpClient, KeepsAConnectionThatAnsweredAndDropsOneThatDidNot) {
  World world;
  HttpClient client({}, [&](const HttpOptions&) { return std::make_unique<FakeLink>(world); });
  for (int i = 0; i < 5; ++i) EXPECT_EQ(client.Call(To("/x"), Millis(1000)).body, "/x");
  EXPECT_EQ(world.made, 1);
  world.fate = HttpFate::kUnknown;
  client.Call(To("/x"), Millis(1000));
  EXPECT_EQ(world.destroyed, 1);
  world.fate = HttpFate::kNotSent;
  client.Call(To("/x"), Millis(1000));
  EXPECT_EQ(world.made, 2);
  EXPECT_EQ(world.destroyed, 2);
}

TEST(HttpClient, ACallThatDoesNotEndIsAborted) {
  World world;
  HttpClient client({}, [&](const HttpOptions&) { return std::make_unique<FakeLink>(world); });
  const HttpAnswer answer = client.Call(To("/stuck"), Millis(1));
  EXPECT_EQ(answer.fate, HttpFate::kUnknown);
  EXPECT_EQ(world.aborted, 1);
  EXPECT_EQ(client.Call(To("/x"), Millis(60'000)).fate, HttpFate::kAnswered) << "the next call has its own connection";
}

TEST(HttpClient, ThreadsNeverShareAConnection) {
  World world;
  {
    HttpClient client({}, [&](const HttpOptions&) { return std::make_unique<FakeLink>(world); });
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 100; ++i) {
          client.Call(To(i % 20 == t ? "/stuck" : "/x"), i % 20 == t ? Millis(1) : Millis(60'000));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_LE(world.most_in_use, 8);
  EXPECT_EQ(world.aborted, 8 * 5);
  EXPECT_EQ(world.made, world.destroyed);
}

}  // namespace
}  // namespace zhitui::delivery
