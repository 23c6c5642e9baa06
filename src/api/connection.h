#pragma once

// The library's server with the limits it lacks: header bytes, a deadline for a whole request, body bytes of a refused
// request, waiting connections. An idle keep-alive connection gives its thread up as soon as another one waits.

#include <httplib.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/base.h"

namespace zhitui::api {

struct ConnectionLimits {
  std::size_t threads = 16;
  std::size_t waiting = 512;  // connections without a thread; more are closed at once
  std::size_t header_bytes = 32768;
  std::size_t body_bytes = 64 << 20;  // read of one request, wanted or not
  std::size_t requests = 1000;        // of one connection
  Millis idle{5000};
  Millis request{15'000};
};

class LimitedServer final : public httplib::Server {
 public:
  explicit LimitedServer(const ConnectionLimits& limits);

  // Binds (port 0: any free one) and gives the port, or 0.
  int Bind(const std::string& host, int port);

 private:
  class Workers;
  bool process_and_close_socket(socket_t sock) override;
  bool WaitForRequest(socket_t sock, bool first) const;

  const ConnectionLimits limits_;
  std::atomic<std::size_t> waiting_{0};
  socket_t listening_ = INVALID_SOCKET;
};

}  // namespace zhitui::api
