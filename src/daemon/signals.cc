#include "daemon/signals.h"

#include <sysexits.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <optional>

namespace zhitui::daemon {
namespace {

sigset_t Watched() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  return set;
}

}  // namespace

void StopSignal::Block() {
  const sigset_t set = Watched();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

StopSignal::StopSignal(Millis deadline, Logger& logger)
    : thread_([this, deadline, &logger] { Watch(deadline, logger); }) {}

StopSignal::~StopSignal() {
  done_ = true;
  thread_.join();
}

void StopSignal::Watch(Millis deadline, Logger& logger) {
  const sigset_t set = Watched();
  std::optional<std::chrono::steady_clock::time_point> until;
  while (!done_) {
    const timespec slice{0, 50'000'000};
    const int got = sigtimedwait(&set, nullptr, &slice);
    if (got == SIGHUP) {
      ++hangups_;
      continue;
    }
    if (got > 0 && stop_) ::_exit(128 + got);
    if (got > 0) {
      stop_ = true;
      until = std::chrono::steady_clock::now() + deadline;
      logger.Info("stopping", {{"signal", got}, {"deadline_ms", deadline.count()}});
    }
    if (until && std::chrono::steady_clock::now() > *until && !done_) {
      logger.Error("shutdown_deadline_passed", {{"deadline_ms", deadline.count()}});
      ::_exit(EX_SOFTWARE);
    }
  }
}

}  // namespace zhitui::daemon
