#pragma once

// SIGTERM and SIGINT as a flag. The first asks to stop; the second, or the deadline, ends the process at once: all that
// counts is durable by then or will be done again. SIGHUP asks to read the rules again and is counted.

#include <atomic>
#include <cstdint>
#include <thread>

#include "base/base.h"

namespace zhitui::daemon {

class StopSignal {
 public:
  static void Block();  // in main, before any other thread: all threads inherit the mask.

  StopSignal(Millis deadline, Logger& logger);
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;
  const std::atomic<bool>& stop() const { return stop_; }
  std::uint64_t hangups() const { return hangups_; }

 private:
  void Watch(Millis deadline, Logger& logger);
  std::atomic<bool> stop_{false};
  std::atomic<bool> done_{false};
  std::atomic<std::uint64_t> hangups_{0};
  std::thread thread_;
};

}  // namespace zhitui::daemon
