#pragma once

// Long TCP connections to one gateway that takes requests in a window and answers them by sequence number (CMPP, SMPP).
// The protocol's own part is a LinkProtocol. Not part of the room's door.
//
// Promises
// - One thread for all connections (epoll) and one that hands over what the gateway delivers, whatever the traffic.
// - A send that was not written ends as kNotSent, one that was written and not answered by its deadline, or whose
//   connection was lost, as kUnknown. `done` is called exactly once. Nothing is written twice but a segment that the
//   gateway itself refused as too fast.
// - While no connection stands and the last try to open one failed, sends end at once as that try did. While a
//   connection is being opened they wait.
// - What the gateway delivers is acknowledged only after LinkProtocol::Deliver has taken it. When more than
//   `deliveries` of them wait, nothing more is read from the gateway until there is room.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "delivery/delivery.h"

namespace zhitui::sms {

// What a PDU is to the link.
enum class LinkKind : std::uint8_t {
  kLoginAnswer,
  kAnswer,     // of the send with its sequence number
  kKeepAlive,  // answered at once by AppendReply
  kKeepAliveAnswer,
  kDelivery,  // goes to Deliver
  kClose,     // the gateway ends the session: answered by AppendReply, then the connection is closed
  kCloseAnswer,
  kOther,   // AppendReply may answer it
  kBroken,  // cannot be understood: the connection is closed
};

struct LinkLogin {
  bool ok = false;
  delivery::Verdict verdict = delivery::Verdict::kNotSent;  // else: of the sends that wait (kStopChannel: credentials)
  std::string code;
};

// What the gateway says of one segment.
struct LinkAnswer {
  delivery::SendResult result;
  bool again = false;  // not taken because we are too fast: the link pauses as a whole, then sends the segment again
};

struct LinkDelivery {
  std::string pdu;    // whole, header included
  std::string reply;  // set by Deliver: the acknowledgement, whole. Empty: none, so that the gateway delivers again
};

// The protocol. A PDU begins with its whole length as four bytes, most significant first; its sequence number is four
// bytes too. But for Deliver all is called on the link's thread alone.
class LinkProtocol {
 public:
  virtual ~LinkProtocol() = default;
  virtual std::size_t header_bytes() const = 0;  // the shortest PDU
  virtual std::size_t sequence_offset() const = 0;
  virtual std::size_t max_pdu_bytes() const = 0;  // a longer one from the gateway closes the connection

  // Append whole PDUs to `out`. AppendLogin returns what ParseLogin of that connection is to be given (the proof the
  // gateway's own must match); it reads the credentials afresh.
  virtual std::string AppendLogin(std::uint32_t sequence, std::string* out) = 0;
  virtual void AppendKeepAlive(std::uint32_t sequence, std::string* out) = 0;
  virtual void AppendClose(std::uint32_t sequence, std::string* out) = 0;
  // The answer to a kKeepAlive, kClose or kOther; nothing when there is none.
  virtual void AppendReply(std::string_view pdu, std::string* out) = 0;

  virtual LinkKind Classify(std::string_view pdu) = 0;  // at least header_bytes, of the length it says
  virtual LinkLogin ParseLogin(std::string_view pdu, std::string_view session) = 0;
  virtual LinkAnswer ParseAnswer(std::string_view pdu) = 0;

  // Takes what was delivered, in the order of arrival on each connection, and sets the replies. On the second thread;
  // may block. Returns in how long it wants to be called again although nothing has come (with an empty batch).
  virtual std::optional<Millis> Deliver(std::vector<LinkDelivery>& batch) = 0;
};

struct LinkOptions {
  std::string name;  // of the connector, for the log
  std::string host;
  int port = 0;
  int connections = 1;
  int window = 16;            // unanswered sends per connection
  std::size_t queue = 10000;  // sends that wait for a place; more are kThrottled, "queue_full"
  int per_second = 0;         // segments a second over all connections; 0: as fast as the window lets
  std::size_t deliveries = 1024;
  Millis connect_timeout{5000};  // to connect, and as long again for the answer to the login
  Millis idle{180'000};          // C: nothing heard for so long: ask
  Millis answer_wait{60'000};    // T: for the answer to a keep-alive; a place in the window is lost for no longer
  int keep_alives = 3;           // N: asked in vain so often: the connection is closed
  Millis reconnect_min{500};     // pauses between tries, doubled each time, each shortened by up to a half at random
  Millis reconnect_max{30'000};
  Millis throttle_pause{200};  // after "too fast"; doubled while it goes on, at most to throttle_max
  Millis throttle_max{5000};
  int resends = 3;             // of a segment that was refused as too fast
  Millis close_timeout{5000};  // Close waits so long for answers
};

// One message: its segments go out in order on one connection. Its result is that of the first segment when all were
// taken, kUnknown when some were and others were not, else the first refusal; after a refusal no further one is
// written.
struct LinkSend {
  std::string pdus;  // whole request PDUs one after another, sequence numbers left to the link
  std::chrono::steady_clock::time_point deadline;
  std::function<void(delivery::SendResult)> done;  // on the link's thread, or in Send when it is refused; quick
};

struct LinkStats {
  std::size_t ready = 0;      // connections that are logged in
  std::size_t waiting = 0;    // messages without a connection yet
  std::size_t in_flight = 0;  // segments written and not answered
  std::uint64_t written = 0;  // segments
  std::uint64_t logins = 0;
  std::uint64_t deliveries = 0;
};

// Thread-safe.
class Link {
 public:
  Link(LinkOptions options, std::shared_ptr<LinkProtocol> protocol, Logger* logger);
  ~Link();  // Close
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  void Start();  // once; opens the connections and returns at once
  // Never blocks. Before Start and after Close: kNotSent.
  void Send(LinkSend send);
  // What has not been written ends as kNotSent, "shutdown"; answers are waited for (close_timeout), what was delivered
  // is taken and acknowledged, then the session is ended. Deliver is not called after it returns.
  void Close();
  LinkStats Stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace zhitui::sms
