// A small HTTP/2 server over TLS on a port of its own, for providers that speak nothing else. nghttp2 frames, one
// thread serves all connections. HTTP/1.1 is refused in the handshake (ALPN).
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "sandbox/call.h"

namespace sandbox {

class H2Front {
 public:
  // `connection` counts connections from 1. Called on the server's thread.
  using Handler = std::function<Reply(const Call&, uint64_t connection)>;

  struct Config {
    std::string host = "127.0.0.1";
    int port = 0;  // 0 = any free port
    std::string cert_pem;
    std::string key_pem;
    uint32_t max_streams = 1000;  // on one connection
  };

  H2Front(Config config, Handler handler);
  ~H2Front();  // stops
  H2Front(const H2Front&) = delete;
  H2Front& operator=(const H2Front&) = delete;

  // The port, or a sentence saying what is wrong.
  std::expected<int, std::string> Start();
  // Closes every connection; answers that wait are not sent.
  void Stop();
  uint64_t connections() const;  // accepted so far, handshake included

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sandbox
