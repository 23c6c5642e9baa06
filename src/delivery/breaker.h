#pragma once

// Leaves a provider alone that does not answer, and feels its way back. Pure. This file is part of delivery's door.
//
// Closed: all sends go. After kFailures sends in a row that found nobody or no answer it opens: nothing goes for a
// pause, which doubles each time up to kLongest. Then one send is let through: its answer, whatever it says, closes the
// breaker; none opens it again. A provider that refuses is there; only silence counts.

#include <chrono>
#include <cstddef>

#include "delivery/connector.h"

namespace zhitui::delivery {

class Breaker {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::size_t kFailures = 10;
  static constexpr Millis kShortest{1000};
  static constexpr Millis kLongest{30'000};

  // How many of `room` sends may go now, `out` being those on their way.
  std::size_t Allow(std::size_t room, std::size_t out, Time now) const;
  void Record(Verdict verdict, Time now);
  bool open() const { return failures_ >= kFailures; }

 private:
  std::size_t failures_ = 0;  // in a row
  Millis pause_ = kShortest;
  Time until_{};
};

}  // namespace zhitui::delivery
