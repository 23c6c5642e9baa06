#pragma once

// Rules that change while the service runs.

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <thread>

#include "authoring/authoring.h"
#include "base/base.h"

namespace zhitui::daemon {

// Looks at the rules folder in a thread of its own and hands over what passes all checks. A folder that is being
// written is left alone until two looks in a row find it the same; one with mistakes is reported once, and the rules in
// use stay.
class RulesReload {
 public:
  struct Options {
    std::string folder;
    Millis every{2'000};                                // 0: only when asked
    std::string hash;                                   // of the rules in use at the start
    std::function<std::uint64_t()> asked;               // grows when somebody asks for it: then at once
    std::function<Status(authoring::Report&)> publish;  // called in the thread; an error is reported like a mistake
  };
  RulesReload(Options options, Logger& logger, Metrics& metrics);

 private:
  void Watch(const std::stop_token& stop);
  void Load();

  Options options_;
  Logger& logger_;
  Counter& accepted_;
  Counter& refused_;
  std::jthread thread_;  // the last: it uses the others
};

}  // namespace zhitui::daemon
