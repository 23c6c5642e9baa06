// The HTTP side: cpp-httplib parses and writes, but the connection is ours, so that it can be reset without a byte.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "sandbox/call.h"
#include "sandbox/sandbox.h"

namespace sandbox {

class Front {
 public:
  using Handler = std::function<Reply(const Call&)>;

  Front(const Options& options, Handler handler);
  ~Front();
  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;

  std::expected<int, std::string> Start();
  // Waits for the answers under way; waiting (slow) answers are sent at once.
  void Stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sandbox
