#pragma once

// SIGTERM and SIGINT as a flag. The first asks to stop; the second, or the deadline, ends the process at once: all that
// counts is durable by then or will be done again.

#include <atomic>
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

 private:
  void Watch(Millis deadline, Logger& logger);
  std::atomic<bool> stop_{false};
  std::atomic<bool> done_{false};
  std::thread thread_;
};

}  // namespace zhitui::daemon
