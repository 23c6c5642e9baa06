// What the providers have in common.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <expected>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "sandbox/call.h"
#include "sandbox/courier.h"
#include "sandbox/faults.h"
#include "sandbox/journal.h"
#include "sandbox/sandbox.h"
#include "sandbox/text.h"

namespace sandbox {

// What a provider works with; owned by the server and outliving the provider.
struct Surroundings {
  const Options& options;
  Faults& faults;
  Journal& journal;
  Courier* courier = nullptr;  // null = this provider pushes no receipts
  Courier* replies = nullptr;  // null = this provider pushes no replies

  int64_t Now() const { return options.now_ms ? options.now_ms() : SystemNowMs(); }
};

// Counters. Threads: any.
class Tally {
 public:
  void Request() { ++requests_; }
  void Accepted() { ++accepted_; }
  void Suppressed() { ++suppressed_; }
  void Dropped() { ++dropped_; }
  void Error(const std::string& code) {
    const std::lock_guard lock(mutex_);
    ++errors_[code];
  }
  ProviderStats Get() const {
    ProviderStats out;
    out.requests = requests_;
    out.accepted = accepted_;
    out.suppressed = suppressed_;
    out.dropped = dropped_;
    const std::lock_guard lock(mutex_);
    out.errors = errors_;
    return out;
  }
  void Reset() {
    requests_ = accepted_ = suppressed_ = dropped_ = 0;
    const std::lock_guard lock(mutex_);
    errors_.clear();
  }

 private:
  std::atomic<uint64_t> requests_{0}, accepted_{0}, suppressed_{0}, dropped_{0};
  mutable std::mutex mutex_;
  std::map<std::string, uint64_t> errors_;
};

// One simulated provider behind the HTTP port. Threads: Handle from any; the rest before and after.
class ProviderSim {
 public:
  virtual ~ProviderSim() = default;
  virtual const char* name() const = 0;
  // True for a path that no other provider has. Calls below /<name> come without that prefix and are not asked for.
  virtual bool Owns(const std::string& path) const = 0;
  virtual Reply Handle(const Call& call) = 0;
  // A person writes `text` from `contact`; pushed as this provider does it. False: it has no such push.
  virtual bool PushReply(const std::string& contact, const std::string& text) {
    (void)contact, (void)text;
    return false;
  }
  virtual void Restore(const Entry& entry) = 0;
  virtual void Reset() = 0;
  virtual Tally& tally() = 0;
  // A protocol with a TCP port of its own listens on it: the port, 0 when it is switched off, or what is wrong.
  virtual std::expected<int, std::string> Listen() { return 0; }
  virtual void HangUp() {}
  // Receipts that go another way than by a courier.
  virtual void AddReceipts(ProviderStats* /*stats*/) const {}
  // The file a client of this provider is given (a service account), with the simulator's address where it names one;
  // empty = there is none.
  virtual std::string Credentials(const std::string& /*base_url*/) { return {}; }
};

// Idempotency keys and their first results, for `window_ms`. Not thread safe.
class Recent {
 public:
  explicit Recent(int64_t window_ms) : window_ms_(window_ms) {}
  const std::string* Find(const std::string& key, int64_t now_ms) {
    while (!age_.empty() && age_.front().first <= now_ms) {
      const auto at = results_.find(age_.front().second);
      if (at != results_.end() && at->second.first == age_.front().first) results_.erase(at);
      age_.pop_front();
    }
    const auto at = results_.find(key);
    return at == results_.end() ? nullptr : &at->second.second;
  }
  void Put(const std::string& key, std::string result, int64_t now_ms) {
    results_[key] = {now_ms + window_ms_, std::move(result)};
    age_.emplace_back(now_ms + window_ms_, key);
  }
  void Clear() {
    results_.clear();
    age_.clear();
  }

 private:
  int64_t window_ms_;
  std::unordered_map<std::string, std::pair<int64_t, std::string>> results_;
  std::deque<std::pair<int64_t, std::string>> age_;
};

// Increasing 64-bit ids above 2^53 that a restarted simulator does not give out again.
class Ids {
 public:
  int64_t Next() { return next_++; }
  // An id of an earlier run; a restart within its millisecond would give it out again. Not while Next is called.
  void Skip(const std::string& used) { next_ = std::max<int64_t>(next_, std::strtoll(used.c_str(), nullptr, 10) + 1); }

 private:
  static constexpr int64_t kEpochMs = 1577836800000;  // 2020
  static constexpr int64_t kBase = 3'400'000'000'000'000'000;
  std::atomic<int64_t> next_{kBase + ((SystemNowMs() - kEpochMs) << 20)};
};

}  // namespace sandbox
