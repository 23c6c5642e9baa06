#include "base/log.h"

namespace zhitui {
namespace {
class SilentLogger final : public Logger {
 public:
  void Log(LogLevel, std::string_view, std::initializer_list<LogField>) override {}
};
}  // namespace

Logger& NullLogger() {
  static SilentLogger logger;
  return logger;
}

}  // namespace zhitui
