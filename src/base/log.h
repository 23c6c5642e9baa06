#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <type_traits>
#include <variant>

namespace zhitui {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };

// One key and value of a structured log line. Keys are snake_case. Never a resident id, phone, name or token: the
// types cannot check that, reviews do.
struct LogField {
  template <class T>
  LogField(std::string_view k, const T& v) : key(k) {
    if constexpr (std::is_same_v<T, bool>) {
      value = v;
    } else if constexpr (std::is_integral_v<T>) {
      value = static_cast<std::int64_t>(v);
    } else if constexpr (std::is_floating_point_v<T>) {
      value = static_cast<double>(v);
    } else {
      value = std::string_view(v);
    }
  }
  std::string_view key;
  std::variant<std::string_view, std::int64_t, double, bool> value;
};

// The door of logging; the vendor stands behind it in daemon. Thread-safe. `event` is a fixed snake_case word that
// operators can search for; details go into fields.
class Logger {
 public:
  virtual ~Logger() = default;
  virtual void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) = 0;
  void Debug(std::string_view event, std::initializer_list<LogField> f = {}) { Log(LogLevel::kDebug, event, f); }
  void Info(std::string_view event, std::initializer_list<LogField> f = {}) { Log(LogLevel::kInfo, event, f); }
  void Warn(std::string_view event, std::initializer_list<LogField> f = {}) { Log(LogLevel::kWarn, event, f); }
  void Error(std::string_view event, std::initializer_list<LogField> f = {}) { Log(LogLevel::kError, event, f); }
};

Logger& NullLogger();  // swallows everything

}  // namespace zhitui
