// Sends delivery receipts to the product, from its own threads.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "sandbox/faults.h"
#include "sandbox/sandbox.h"

namespace httplib {
class Client;
}

namespace sandbox {

struct CourierStats {
  uint64_t sent = 0;
  uint64_t acked = 0;
  uint64_t pending = 0;
  uint64_t given_up = 0;
};

// One provider's receipts: due items are rendered into posts of at most `batch` and repeated while they are not
// acknowledged.
class Courier {
 public:
  struct Post {
    std::string target;  // path and query
    std::string body;
    std::string content_type;
    bool get = false;  // a GET without a body
  };
  struct Config {
    std::string base;  // empty = off
    Receipts mode = Receipts::kOn;
    int64_t delay_ms = 0;
    std::vector<int64_t> retry_ms;  // waiting times; given up after the last
    size_t batch = 1;
    size_t threads = 1;
    std::function<Post(const std::vector<std::string>&)> render;
    std::function<bool(int status, const std::string& body)> acknowledged;
  };

  explicit Courier(Config config) : config_(std::move(config)) {}
  ~Courier() { Stop(); }
  void Start();
  // What is being posted is finished (5 s at most), the rest is dropped.
  void Stop();
  // Threads: any.
  void Add(std::string item);
  // Posts it before it returns; when nobody acknowledges it, it is repeated like any other. Threads: any.
  void Deliver(std::string item);
  CourierStats GetStats() const;
  void Reset();

 private:
  struct Item {
    std::string text;
    size_t failures = 0;
  };
  using Queue = std::multimap<int64_t, Item>;  // by the steady clock, in microseconds

  void Work();
  bool Send(httplib::Client& client, const std::vector<std::string>& items) const;
  // In duplicate mode a receipt waits for the next one, which is then sent before it: B A A B.
  void AddTwice(std::string item, int64_t now);

  const Config config_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  Queue queue_;
  std::optional<Queue::iterator> held_;
  CourierStats stats_;
  uint64_t in_flight_ = 0;
  uint64_t epoch_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

// How the providers post.
Courier::Config AliyunCourier(const Options& options);
Courier::Config AliyunReplyCourier(const Options& options);

}  // namespace sandbox
