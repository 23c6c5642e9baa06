#pragma once

// An HTTP/2 client for a provider that speaks nothing else (APNs): one thread, few connections, many streams on each.
// Over libcurl. Included by the connectors of this room and their tests.
//
// What libcurl 7.88 does (read in its source): when a kept connection ends without an answer, or a stream is refused,
// it sends the request again by itself. Here the hook that runs before a request leaves stops the second time, so that
// a request leaves at most once.

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "base/base.h"
#include "delivery/delivery.h"

namespace zhitui::app {

struct H2Options {
  delivery::HttpOptions http;
  std::size_t max_connections = 2;
  std::size_t max_in_flight = 500;     // calls on the wire at once; further ones wait
  std::size_t max_waiting = 1U << 16;  // further ones end as kNotSent, "queue_full"
};

// Thread-safe. HTTP/1.1 is refused before a request leaves: kNotSent, fault "http1".
class H2Client {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Done = std::function<void(delivery::HttpAnswer)>;

  explicit H2Client(H2Options options);
  ~H2Client();  // Close, then waits for what is on the wire
  H2Client(const H2Client&) = delete;
  H2Client& operator=(const H2Client&) = delete;

  // Never blocks. `done` is called exactly once, on the client's thread, about `deadline` at the latest, or at once on
  // the caller's when the client is closed or full. What is known of a call without an answer: kNotSent when nothing of
  // it left (look-up, connection, TLS, HTTP/1.1, a kept connection that the peer has closed, waiting too long) or the
  // peer said that it did not process it
  // ("refused": GOAWAY with a smaller stream id, REFUSED_STREAM on a new connection); else kUnknown.
  void Call(delivery::HttpCall call, Time deadline, Done done);
  // Takes no more calls. Those that wait end as kNotSent with fault "shutdown"; those on the wire end as usual.
  void Close();
  bool idle() const;  // nothing waits, nothing is on the wire

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace zhitui::app
