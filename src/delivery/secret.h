#pragma once

// A credential that may change while the service runs. This file is part of delivery's door.

#include <cstdint>
#include <memory>
#include <string>

namespace zhitui::delivery {

// A password, a key or a whole key file. One that comes from a file is read again when the file changes (looked at no
// more than once a second), so that a rotated credential is taken up without a restart. While the file is missing,
// empty or over kMaxSecretBytes the last good value stays. Copies share their state. Thread-safe.
inline constexpr std::size_t kMaxSecretBytes = 64 << 10;
class Secret {
 public:
  struct Value {
    std::string text;              // without the line break at the end
    std::uint64_t generation = 0;  // grows with every change; for what is derived from the text
  };

  Secret() : Secret(std::string()) {}
  explicit Secret(std::string text);  // stays as it is
  // `text` is what was read from the file at start.
  static Secret FromFile(std::string path, std::string text);

  std::shared_ptr<const Value> Get() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace zhitui::delivery
