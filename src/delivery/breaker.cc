#include "delivery/breaker.h"

#include <algorithm>

namespace zhitui::delivery {

std::size_t Breaker::Allow(std::size_t room, std::size_t out, Time now) const {
  if (!open()) return room;
  if (now < until_ || out > 0) return 0;
  return std::min<std::size_t>(room, 1);
}

void Breaker::Record(Verdict verdict, Time now) {
  if (verdict != Verdict::kNotSent && verdict != Verdict::kUnknown) {
    failures_ = 0;
    pause_ = kShortest;
    return;
  }
  // Of those that were on their way when it opened, each would double the pause.
  if (open() && now < until_) return;
  if (++failures_ < kFailures) return;
  until_ = now + pause_;
  pause_ = std::min(pause_ * 2, kLongest);
}

}  // namespace zhitui::delivery
