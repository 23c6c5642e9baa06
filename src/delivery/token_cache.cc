#include "delivery/token_cache.h"

#include <algorithm>

namespace zhitui::delivery {
namespace {

// A token is not used in its last minute: a request with it could arrive after its end.
constexpr std::chrono::seconds kMargin(60);

}  // namespace

TokenCache::Grant TokenCache::Get(Time deadline) {
  std::unique_lock lock(mutex_);
  while (token_.empty() || std::chrono::steady_clock::now() >= fresh_until_) {
    if (fetching_) {
      const std::uint64_t round = fetches_;
      if (!renewed_.wait_until(lock, deadline, [&] { return fetches_ != round; })) {
        Grant late;
        late.refused.verdict = Verdict::kNotSent;
        late.refused.code = "token_wait";
        return late;
      }
      if (token_.empty()) return {{}, 0, refused_};
      continue;
    }
    fetching_ = true;
    lock.unlock();
    const auto left = std::chrono::duration_cast<Millis>(deadline - std::chrono::steady_clock::now());
    Fetched fetched = fetch_(left);
    lock.lock();
    fetching_ = false;
    ++fetches_;
    ++generation_;
    token_ = std::move(fetched.token);
    refused_ = std::move(fetched.refused);
    const std::chrono::seconds margin = std::min(kMargin, fetched.lifetime / 4);
    fresh_until_ = std::chrono::steady_clock::now() + fetched.lifetime - margin;
    renewed_.notify_all();
    // A token just fetched is used once even when it lives too short to be kept.
    if (token_.empty()) return {{}, 0, refused_};
    break;
  }
  return {token_, generation_, {}};
}

void TokenCache::Drop(std::uint64_t generation) {
  const std::scoped_lock lock(mutex_);
  if (generation == generation_) token_.clear();
}

}  // namespace zhitui::delivery
