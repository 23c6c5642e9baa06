#pragma once

// The access token of one account, shared by all threads and by all connectors of that account: one request at a time
// renews it, the others wait for its result. This file is part of delivery's door.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include "delivery/connector.h"

namespace zhitui::delivery {

class TokenCache {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Fetched {
    std::string token;  // empty: refused
    std::chrono::seconds lifetime{0};
    SendResult refused;
  };
  using Fetch = std::function<Fetched(Millis timeout)>;
  struct Grant {
    std::string token;  // empty: refused
    std::uint64_t generation = 0;
    SendResult refused;
  };

  explicit TokenCache(Fetch fetch) : fetch_(std::move(fetch)) {}
  // The cached token, or a new one when it is missing or about to expire.
  Grant Get(Time deadline);
  // The provider refused the token of that generation. Nothing happens when another thread has renewed it meanwhile.
  void Drop(std::uint64_t generation);

 private:
  const Fetch fetch_;
  std::mutex mutex_;
  std::condition_variable renewed_;
  std::string token_;
  std::uint64_t generation_ = 0;
  Time fresh_until_{};
  bool fetching_ = false;
  std::uint64_t fetches_ = 0;
  SendResult refused_;  // of the last fetch; meaningful while token_ is empty
};

}  // namespace zhitui::delivery
