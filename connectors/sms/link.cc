#include "sms/link.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

namespace zhitui::sms {
namespace {

using delivery::SendResult;
using delivery::Verdict;
using SteadyClock = std::chrono::steady_clock;
using Time = SteadyClock::time_point;

constexpr Time kNever = Time::max();
constexpr std::uint32_t kLastSequence = 0x7fffffff;  // SMPP's; CMPP has no such bound
constexpr std::size_t kReadBytes = 64 << 10;
constexpr std::size_t kMaxUnsent = 1 << 20;  // answers to a gateway that does not read: then we do not read either
constexpr std::size_t kDeliverBatch = 256;
constexpr Millis kGoodbye{1000};  // for the answer to the end of the session
constexpr int kEvents = 32;

std::uint32_t ReadU32(const char* at) {
  const auto byte = [&](int i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(at[i])); };
  return byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
}

void WriteU32(char* at, std::uint32_t v) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<char>(v >> (24 - 8 * i));
}

SendResult ResultOf(Verdict verdict, std::string code) {
  SendResult result;
  result.verdict = verdict;
  result.code = std::move(code);
  return result;
}

// Wakes a thread that waits in epoll. Shared with a name look-up that may outlive the link.
class Bell {
 public:
  Bell() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~Bell() { ::close(fd_); }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  int fd() const { return fd_; }
  void Ring() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = ::write(fd_, &one, sizeof one);
  }
  void Hush() const {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t n = ::read(fd_, &count, sizeof count);
  }

 private:
  const int fd_;
};

struct Address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
  int family = AF_INET;
};

std::vector<Address> LookUp(const std::string& host, int port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  std::vector<Address> out;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return out;
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    Address address;
    if (a->ai_addrlen > sizeof address.bytes) continue;
    std::memcpy(&address.bytes, a->ai_addr, a->ai_addrlen);
    address.size = a->ai_addrlen;
    address.family = a->ai_family;
    out.push_back(address);
  }
  ::freeaddrinfo(found);
  return out;
}

// A look-up of the gateway's name, which may take long, on a thread of its own.
struct NameLookUp {
  std::mutex mutex;
  bool finished = false;
  std::vector<Address> addresses;
};

// A message on its way. Belongs to the link's thread.
struct Message {
  LinkSend send;
  std::size_t segments = 0;
  std::size_t written = 0;  // segments written at least once, in order
  std::size_t next_at = 0;  // where the next one begins in send.pdus
  std::size_t open = 0;     // written and not answered
  std::size_t delayed = 0;  // refused as too fast, to be written again
  std::size_t taken = 0;
  bool stopped = false;  // no further segment is written
  bool unknown = false;  // a segment may or may not have been taken
  SendResult first;      // of the first segment when it was taken
  std::optional<SendResult> refusal;
  std::string fault;  // why a segment is unknown or was not written
};

struct Slot {
  std::uint32_t sequence = 0;  // 0: free
  Message* message = nullptr;  // nullptr: its message has ended, the place is held until an answer or `until`
  std::size_t at = 0;          // of the segment in its message
  bool is_first = false;
  int tries = 0;
  std::uint64_t starts = 0;  // of its first byte in all that the connection was given
  Time written{};
  Time until{};
};

struct Delayed {
  Time when{};
  Message* message = nullptr;
  std::size_t at = 0;
  bool is_first = false;
  int tries = 0;
};

enum class State : std::uint8_t { kPause, kResolving, kConnecting, kLogin, kReady, kClosing, kClosed };

struct Connection {
  std::size_t index = 0;
  State state = State::kPause;
  std::uint64_t generation = 0;  // of this session: acknowledgements of an earlier one are dropped
  int fd = -1;
  std::uint32_t events = 0;
  std::uint32_t sequence = 0;
  std::string session;  // of AppendLogin
  std::vector<char> in;
  std::size_t in_from = 0;
  std::size_t in_to = 0;
  std::string out;
  std::size_t out_from = 0;
  std::uint64_t given = 0;  // bytes put into `out` in this session
  std::vector<Slot> slots;
  std::size_t in_flight = 0;
  std::size_t overdue = 0;  // of them: without a message
  Message* current = nullptr;
  std::vector<Delayed> delayed;
  Time timer = Time::min();  // of the state
  Time next_until = kNever;  // no slot ends before
  Time heard{};
  int asked = 0;
  bool proven = false;   // the gateway has said more than the answer to the login
  bool blocked = false;  // not read: deliveries or answers pile up
  int failures = 0;
  std::size_t address = 0;
};

struct Acknowledgement {
  std::size_t connection = 0;
  std::uint64_t generation = 0;
  std::string bytes;
};

}  // namespace

struct Link::Impl {
  Impl(LinkOptions the_options, std::shared_ptr<LinkProtocol> the_protocol, Logger* the_logger)
      : options(std::move(the_options)),
        protocol(std::move(the_protocol)),
        logger(the_logger == nullptr ? NullLogger() : *the_logger),
        sequence_at(protocol->sequence_offset()) {
    const std::size_t ring = std::bit_ceil(static_cast<std::size_t>(std::max(options.window, 1)) * 4);
    connections.resize(static_cast<std::size_t>(std::max(options.connections, 1)));
    for (std::size_t i = 0; i < connections.size(); ++i) {
      connections[i].index = i;
      connections[i].slots.resize(ring);
      connections[i].in.resize(std::max(kReadBytes, 2 * protocol->max_pdu_bytes()));
    }
  }

  // ---- Any thread

  void Send(LinkSend send) {
    if (held.load(std::memory_order_relaxed) >= options.queue) {
      SendResult full = ResultOf(Verdict::kThrottled, "queue_full");
      full.retry_after = Millis(1000);
      send.done(std::move(full));
      return;
    }
    {
      const std::scoped_lock lock(mutex);
      if (started && !closing) {
        held.fetch_add(1, std::memory_order_relaxed);
        inbox.push_back(std::move(send));
        if (std::exchange(asleep, false)) bell->Ring();
        return;
      }
    }
    send.done(ResultOf(Verdict::kNotSent, "shutdown"));
  }

  void Start() {
    const std::scoped_lock lock(mutex);
    if (started || closing) return;
    started = true;
    epoll = ::epoll_create1(EPOLL_CLOEXEC);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = connections.size();
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, bell->fd(), &event);
    fixed = LookUp(options.host, options.port, AI_NUMERICHOST);
    deliverer = std::thread([this] { DeliverLoop(); });
    thread = std::thread([this] { Run(); });
  }

  void Close() {
    const std::scoped_lock once(close_mutex);
    {
      const std::scoped_lock lock(mutex);
      closing = true;
      if (!started) return;
    }
    bell->Ring();
    if (thread.joinable()) thread.join();
    {
      const std::scoped_lock lock(deliver_mutex);
      deliver_stop = true;
    }
    deliver_work.notify_all();
    if (deliverer.joinable()) deliverer.join();
    if (epoll >= 0) ::close(std::exchange(epoll, -1));
  }

  // ---- The second thread

  void DeliverLoop() {
    std::vector<Acknowledgement> from;
    std::vector<LinkDelivery> batch;
    std::optional<Millis> again;
    while (true) {
      from.clear();
      batch.clear();
      {
        std::unique_lock lock(deliver_mutex);
        const auto awake = [&] { return deliver_stop || !delivered.empty(); };
        if (again) {
          deliver_work.wait_for(lock, *again, awake);
        } else {
          deliver_work.wait(lock, awake);
        }
        if (delivered.empty() && deliver_stop) return;
        while (!delivered.empty() && batch.size() < kDeliverBatch) {
          from.push_back({delivered.front().connection, delivered.front().generation, {}});
          batch.push_back({std::move(delivered.front().bytes), {}});
          delivered.pop_front();
        }
      }
      try {
        again = protocol->Deliver(batch);
      } catch (const std::exception&) {  // nothing is acknowledged: the gateway delivers it again
        for (LinkDelivery& d : batch) d.reply.clear();
        if (alarms.Open("deliver")) {
          logger.Error("connector_delivery_failed", {{"connector", options.name}, {"code", "exception"}});
        }
      }
      if (batch.empty()) continue;
      bool ring = false;
      {
        const std::scoped_lock lock(mutex);
        for (std::size_t i = 0; i < batch.size(); ++i) {
          from[i].bytes = std::move(batch[i].reply);
          acknowledged.push_back(std::move(from[i]));
        }
        ring = std::exchange(asleep, false);
      }
      if (ring) bell->Ring();
    }
  }

  // ---- The link's thread

  void Run() {
    std::array<epoll_event, kEvents> events{};
    while (true) {
      now = SteadyClock::now();
      TakeInbox();
      Timers();
      if (draining && Drained()) break;
      for (Connection& c : connections) {
        if (c.blocked) Parse(c);
      }
      PumpAll();
      for (Connection& c : connections) Flush(c);

      const int n = ::epoll_wait(epoll, events.data(), kEvents, Sleep());
      now = SteadyClock::now();
      {
        const std::scoped_lock lock(mutex);
        asleep = false;
      }
      for (int i = 0; i < n; ++i) {
        const std::size_t which = events[static_cast<std::size_t>(i)].data.u64;
        if (which >= connections.size()) {
          bell->Hush();
          continue;
        }
        Happened(connections[which], events[static_cast<std::size_t>(i)].events);
      }
    }
  }

  // How long epoll may wait, in milliseconds; afterwards whoever has something new rings.
  int Sleep() {
    Time next = next_waiting;
    for (const Connection& c : connections) {
      next = std::min(next, NextTimer(c));
      if (c.state != State::kReady) continue;
      next = std::min(next, c.next_until);
      if (c.in_flight >= static_cast<std::size_t>(options.window)) continue;
      for (const Delayed& d : c.delayed) next = std::min(next, std::max(d.when, NextWrite()));
      if (c.current != nullptr || !waiting.empty()) next = std::min(next, NextWrite());
    }
    if (draining) next = std::min(next, close_by);
    const std::scoped_lock lock(mutex);
    if (!inbox.empty() || !acknowledged.empty() || (closing && !draining)) return 0;
    asleep = true;
    if (next == kNever) return -1;
    const auto left = std::chrono::ceil<Millis>(next - SteadyClock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }

  Time NextTimer(const Connection& c) const {
    if (c.state == State::kClosed || c.state == State::kResolving) return kNever;
    if (c.state == State::kReady) return c.blocked ? kNever : KeepAliveAt(c);
    return c.timer;
  }

  Time KeepAliveAt(const Connection& c) const { return c.heard + options.idle + c.asked * options.answer_wait; }

  void TakeInbox() {
    taken_in.clear();
    acks_in.clear();
    bool close_now = false;
    {
      const std::scoped_lock lock(mutex);
      taken_in.swap(inbox);
      acks_in.swap(acknowledged);
      close_now = closing && !draining;
    }
    for (LinkSend& send : taken_in) {
      Message* const m = NewMessage(std::move(send));
      next_waiting = std::min(next_waiting, m->send.deadline);
      waiting.push_back(m);
    }
    if (!acks_in.empty()) {
      undelivered -= acks_in.size();
      for (const Acknowledgement& a : acks_in) {
        Connection& c = connections[a.connection];
        if (a.bytes.empty() || a.generation != c.generation) continue;
        if (c.state == State::kReady || c.state == State::kClosing) Put(c, a.bytes);
      }
    }
    if (look_up) TakeLookUp();
    if (close_now) BeginDrain();
    // Nothing is being opened and the last try failed: nobody waits for the next one.
    if (!taken_in.empty() && down && !Hopeful()) FailWaiting(*down);
  }

  void Timers() {
    for (Connection& c : connections) {
      if (c.next_until <= now) EndSlots(c);
      switch (c.state) {
        case State::kPause:
          if (c.timer <= now) Open(c);
          break;
        case State::kConnecting:
          if (c.timer <= now) Fail(c, ResultOf(Verdict::kNotSent, "connect_timeout"));
          break;
        case State::kLogin:
          if (c.timer <= now) Fail(c, ResultOf(Verdict::kNotSent, "login_timeout"));
          break;
        case State::kReady:
          if (!c.blocked && KeepAliveAt(c) <= now) KeepAlive(c);
          break;
        case State::kClosing:
          if (c.timer <= now) Shut(c);
          break;
        case State::kResolving:
        case State::kClosed:
          break;
      }
    }
    if (next_waiting <= now) EndWaiting();
  }

  void KeepAlive(Connection& c) {
    if (c.asked >= options.keep_alives) {
      Lose(c, "silent");
      return;
    }
    ++c.asked;
    std::string pdu;
    protocol->AppendKeepAlive(NextSequence(c), &pdu);
    Put(c, pdu);
  }

  // ---- Opening

  // True while a connection stands or is being opened.
  bool Hopeful() const {
    return std::any_of(connections.begin(), connections.end(), [](const Connection& c) {
      return c.state == State::kReady || c.state == State::kResolving || c.state == State::kConnecting ||
             c.state == State::kLogin;
    });
  }

  void Open(Connection& c) {
    if (!fixed.empty()) {
      Connect(c, fixed);
      return;
    }
    c.state = State::kResolving;
    if (look_up) return;
    look_up = std::make_shared<NameLookUp>();
    std::thread([job = look_up, ring = bell, host = options.host, port = options.port] {
      std::vector<Address> found = LookUp(host, port, 0);
      {
        const std::scoped_lock lock(job->mutex);
        job->addresses = std::move(found);
        job->finished = true;
      }
      ring->Ring();
    }).detach();
  }

  void TakeLookUp() {
    std::vector<Address> found;
    {
      const std::scoped_lock lock(look_up->mutex);
      if (!look_up->finished) return;
      found = look_up->addresses;
    }
    look_up.reset();
    for (Connection& c : connections) {
      if (c.state != State::kResolving) continue;
      if (found.empty()) {
        Fail(c, ResultOf(Verdict::kNotSent, "name"));
      } else {
        Connect(c, found);
      }
    }
  }

  void Connect(Connection& c, const std::vector<Address>& addresses) {
    const Address& to = addresses[c.address++ % addresses.size()];
    ++c.generation;
    c.state = State::kConnecting;
    c.timer = now + options.connect_timeout;
    c.fd = ::socket(to.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c.fd < 0) {
      Fail(c, ResultOf(Verdict::kNotSent, "socket"));
      return;
    }
    const int on = 1;
    ::setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(c.fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    if (::connect(c.fd, reinterpret_cast<const sockaddr*>(&to.bytes), to.size) != 0 && errno != EINPROGRESS) {
      Fail(c, ResultOf(Verdict::kNotSent, "connect"));
      return;
    }
    c.events = EPOLLOUT;
    epoll_event event{};
    event.events = c.events;
    event.data.u64 = c.index;
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, c.fd, &event);
  }

  void Connected(Connection& c) {
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(c.fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
      Fail(c, ResultOf(Verdict::kNotSent, "connect"));
      return;
    }
    c.state = State::kLogin;
    c.timer = now + options.connect_timeout;
    c.sequence = 0;
    std::string pdu;
    c.session = protocol->AppendLogin(NextSequence(c), &pdu);
    Put(c, pdu);
  }

  void LoggedIn(Connection& c, std::string_view pdu) {
    const LinkLogin login = protocol->ParseLogin(pdu, c.session);
    c.session.clear();
    if (!login.ok) {
      Fail(c, ResultOf(login.verdict, login.code));
      return;
    }
    c.state = State::kReady;
    c.heard = now;
    c.asked = 0;
    c.proven = false;
    logins.fetch_add(1, std::memory_order_relaxed);
    ready.fetch_add(1, std::memory_order_relaxed);
    if (down) {
      down.reset();
      if (alarms.Open("up")) logger.Info("gateway_connected", {{"connector", options.name}});
    }
  }

  // A try to open failed.
  void Fail(Connection& c, SendResult why) {
    Shut(c);
    Pause(c);
    const bool stopped = why.verdict == Verdict::kStopChannel;
    if (alarms.Open(why.code)) {
      logger.Log(stopped ? LogLevel::kError : LogLevel::kWarn, stopped ? "connector_stopped" : "gateway_unreachable",
                 {{"connector", options.name}, {"code", why.code}});
    }
    if (Hopeful()) return;
    down = std::move(why);
    FailWaiting(*down);
  }

  void Pause(Connection& c) {
    if (draining) {
      c.state = State::kClosed;
      return;
    }
    Millis pause = options.reconnect_min;
    for (int i = 0; i < c.failures && pause < options.reconnect_max; ++i) pause *= 2;
    pause = std::min(pause, options.reconnect_max);
    ++c.failures;
    c.state = State::kPause;
    c.timer = now + pause - Millis(std::uniform_int_distribution<Millis::rep>(0, pause.count() / 2)(random));
  }

  // Closes the socket; what was on it has been seen to.
  void Shut(Connection& c) {
    if (c.fd >= 0) ::close(std::exchange(c.fd, -1));
    if (c.state == State::kReady) ready.fetch_sub(1, std::memory_order_relaxed);
    c.state = State::kClosed;
    ++c.generation;
    c.in_from = c.in_to = 0;
    c.out.clear();
    c.out_from = 0;
    c.given = 0;
    c.blocked = false;
    c.next_until = kNever;
  }

  // A connection that was logged in is gone.
  void Lose(Connection& c, const char* why) {
    const std::uint64_t gone = c.given - (c.out.size() - c.out_from);
    const bool proven = c.proven;
    Shut(c);
    std::vector<Message*> hurt;
    const auto add = [&](Message* m) {
      if (m != nullptr && std::find(hurt.begin(), hurt.end(), m) == hurt.end()) hurt.push_back(m);
    };
    for (Slot& slot : c.slots) {
      if (slot.sequence == 0) continue;
      if (slot.message != nullptr) {
        add(slot.message);
        if (slot.starts < gone) {
          slot.message->unknown = true;
        } else {
          slot.message->stopped = true;
        }
        --slot.message->open;
      }
      slot = Slot{};
    }
    in_flight.fetch_sub(c.in_flight, std::memory_order_relaxed);
    c.in_flight = c.overdue = 0;
    for (const Delayed& d : c.delayed) {
      add(d.message);
      --d.message->delayed;
    }
    c.delayed.clear();
    add(std::exchange(c.current, nullptr));
    for (Message* m : hurt) {
      m->stopped = true;
      if (m->fault.empty()) m->fault = why;
      if (!m->unknown && m->taken == 0 && !m->refusal && !draining) {
        Again(m);
      } else {
        Conclude(m);
      }
    }
    if (alarms.Open(why)) {
      logger.Warn("gateway_connection_lost", {{"connector", options.name}, {"code", why}});
    }
    Pause(c);
    if (proven && !draining) {
      c.failures = 0;
      c.timer = now;
      Open(c);
    } else if (!Hopeful()) {
      down = ResultOf(Verdict::kNotSent, why);
      FailWaiting(*down);
    }
  }

  // Not a byte of it was written: it waits for the next connection.
  void Again(Message* m) {
    m->written = m->next_at = 0;
    m->stopped = false;
    m->fault.clear();
    held.fetch_add(1, std::memory_order_relaxed);
    next_waiting = std::min(next_waiting, m->send.deadline);
    waiting.push_front(m);
  }

  // ---- Reading

  void Happened(Connection& c, std::uint32_t events) {
    if (c.fd < 0) return;
    if (c.state == State::kConnecting) {
      Connected(c);
      return;
    }
    if ((events & (EPOLLHUP | EPOLLERR)) != 0 && c.in_to - c.in_from == c.in.size()) {
      Gone(c, "reset");  // nothing can be read that would say so
    } else if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
      Read(c);
    }
  }

  void Gone(Connection& c, const char* why) {
    switch (c.state) {
      case State::kReady:
        Lose(c, why);
        break;
      case State::kLogin:
        Fail(c, ResultOf(Verdict::kNotSent, why));
        break;
      default:
        Shut(c);
        break;
    }
  }

  void Read(Connection& c) {
    if (c.in_from > 0) {
      std::memmove(c.in.data(), c.in.data() + c.in_from, c.in_to - c.in_from);
      c.in_to -= c.in_from;
      c.in_from = 0;
    }
    if (c.in_to == c.in.size()) return;  // blocked, and full of what was not taken yet
    const ssize_t n = ::recv(c.fd, c.in.data() + c.in_to, c.in.size() - c.in_to, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
      Gone(c, n == 0 ? "closed" : "reset");
      return;
    }
    c.in_to += static_cast<std::size_t>(n);
    c.heard = now;
    c.asked = 0;
    Parse(c);
  }

  void Parse(Connection& c) {
    if (c.blocked) {
      if (undelivered >= options.deliveries || c.out.size() - c.out_from >= kMaxUnsent) return;
      c.blocked = false;
      c.heard = now;
    }
    const std::uint64_t session = c.generation;
    while (c.in_to - c.in_from >= 4) {
      const char* const start = c.in.data() + c.in_from;
      const std::size_t size = ReadU32(start);
      if (size < protocol->header_bytes() || size > protocol->max_pdu_bytes()) {
        Gone(c, "malformed");
        return;
      }
      if (c.in_to - c.in_from < size) return;
      if (c.out.size() - c.out_from >= kMaxUnsent || !TakePdu(c, std::string_view(start, size))) {
        c.blocked = true;
        return;
      }
      if (c.generation != session) return;  // the connection is gone, and its buffer with it
      c.in_from += size;
    }
  }

  // False: there is no room for it; it is to be given again.
  bool TakePdu(Connection& c, std::string_view pdu) {
    const LinkKind kind = protocol->Classify(pdu);
    if (c.state == State::kLogin) {
      if (kind == LinkKind::kLoginAnswer) {
        LoggedIn(c, pdu);
      } else {
        Fail(c, ResultOf(Verdict::kNotSent, "malformed"));
      }
      return true;
    }
    switch (kind) {
      case LinkKind::kAnswer:
        Answered(c, pdu);
        break;
      case LinkKind::kDelivery:
        if (phase_two) break;  // not acknowledged: it is delivered again to the next session
        if (undelivered >= options.deliveries) return false;
        ++undelivered;
        deliveries.fetch_add(1, std::memory_order_relaxed);
        {
          const std::scoped_lock lock(deliver_mutex);
          delivered.push_back({c.index, c.generation, std::string(pdu)});
        }
        deliver_work.notify_one();
        break;
      case LinkKind::kKeepAlive:
      case LinkKind::kOther:
        Reply(c, pdu);
        break;
      case LinkKind::kClose:
        Reply(c, pdu);
        Flush(c);
        if (c.fd >= 0) Gone(c, "closed");
        return true;
      case LinkKind::kCloseAnswer:
        if (c.state == State::kClosing) Shut(c);
        return true;
      case LinkKind::kBroken:
        Gone(c, "malformed");
        return true;
      case LinkKind::kLoginAnswer:
      case LinkKind::kKeepAliveAnswer:
        break;
    }
    c.proven = true;
    c.failures = 0;
    return true;
  }

  void Reply(Connection& c, std::string_view pdu) {
    std::string reply;
    protocol->AppendReply(pdu, &reply);
    if (!reply.empty()) Put(c, reply);
  }

  void Answered(Connection& c, std::string_view pdu) {
    const std::uint32_t sequence = ReadU32(pdu.data() + sequence_at);
    Slot& slot = SlotOf(c, sequence);
    if (sequence == 0 || slot.sequence != sequence) return;  // later than its place was held
    const Slot was = std::exchange(slot, Slot{});
    --c.in_flight;
    in_flight.fetch_sub(1, std::memory_order_relaxed);
    Message* const m = was.message;
    if (m == nullptr) {
      --c.overdue;
      return;
    }
    --m->open;
    LinkAnswer answer = protocol->ParseAnswer(pdu);
    if (answer.again) {
      SlowDown();
      const Time when = std::max(paused_until, now + Grown(options.throttle_pause, was.tries));
      if (was.tries < options.resends && !m->stopped && when < m->send.deadline) {
        c.delayed.push_back({when, m, was.at, was.is_first, was.tries + 1});
        ++m->delayed;
        return;
      }
    }
    if (answer.result.verdict == Verdict::kAccepted) {
      if (now >= paused_until) throttles = 0;
      ++m->taken;
      if (was.is_first) m->first = std::move(answer.result);
    } else if (answer.result.verdict == Verdict::kUnknown) {
      m->unknown = m->stopped = true;
      if (m->fault.empty()) m->fault = answer.result.code;
    } else {
      m->stopped = true;
      if (!m->refusal) m->refusal = std::move(answer.result);
    }
    if (m->stopped) Stop(c, m);
    if (m->open == 0 && m->delayed == 0 && (m->stopped || m->written == m->segments)) Conclude(m);
  }

  // Nothing more of it is written.
  void Stop(Connection& c, Message* m) {
    if (c.current == m) c.current = nullptr;
    if (m->delayed == 0) return;
    std::erase_if(c.delayed, [&](const Delayed& d) { return d.message == m; });
    m->delayed = 0;
  }

  void SlowDown() {
    if (now < paused_until) return;  // one of the same burst
    paused_until = now + Grown(options.throttle_pause, throttles++);
  }

  Millis Grown(Millis pause, int doublings) const {
    for (int i = 0; i < doublings && pause < options.throttle_max; ++i) pause *= 2;
    return std::min(pause, options.throttle_max);
  }

  // ---- Writing

  Slot& SlotOf(Connection& c, std::uint32_t sequence) { return c.slots[sequence & (c.slots.size() - 1)]; }

  // The next number whose place in the ring is free; there are more places than the window has.
  std::uint32_t NextSequence(Connection& c) {
    do {
      c.sequence = c.sequence >= kLastSequence ? 1 : c.sequence + 1;
    } while (SlotOf(c, c.sequence).sequence != 0);
    return c.sequence;
  }

  void Put(Connection& c, std::string_view bytes) {
    c.out.append(bytes);
    c.given += bytes.size();
  }

  // When the next segment may be written as far as pauses and the rate go.
  Time NextWrite() const { return std::max(paused_until, options.per_second > 0 ? next_token : Time::min()); }

  void SpendToken() {
    written.fetch_add(1, std::memory_order_relaxed);
    if (options.per_second <= 0) return;
    const auto each = std::chrono::duration_cast<SteadyClock::duration>(std::chrono::seconds(1)) / options.per_second;
    // What a late wake-up left unused may be made up for, up to 20 ms of it.
    next_token = std::max(next_token, now - Millis(20)) + each;
  }

  void PumpAll() {
    // Each starts another round, so that no connection is always the last to get a message.
    ++turn;
    for (std::size_t i = 0; i < connections.size(); ++i) Pump(connections[(turn + i) % connections.size()]);
  }

  void Pump(Connection& c) {
    if (c.state != State::kReady) return;
    while (c.in_flight < static_cast<std::size_t>(options.window) && NextWrite() <= now) {
      if (!c.delayed.empty()) {
        const auto due =
            std::find_if(c.delayed.begin(), c.delayed.end(), [&](const Delayed& d) { return d.when <= now; });
        if (due != c.delayed.end()) {
          const Delayed d = *due;
          c.delayed.erase(due);
          --d.message->delayed;
          Write(c, d.message, d.at, d.is_first, d.tries);
          continue;
        }
      }
      if (c.current == nullptr) {
        if (waiting.empty() || phase_two) return;
        c.current = waiting.front();
        waiting.pop_front();
        held.fetch_sub(1, std::memory_order_relaxed);
        if (c.current->send.deadline <= now) {
          c.current->fault = "deadline";
          Conclude(std::exchange(c.current, nullptr));
          continue;
        }
      }
      Message* const m = c.current;
      const std::size_t at = m->next_at;
      m->next_at += ReadU32(m->send.pdus.data() + at);
      ++m->written;
      if (m->written == m->segments) c.current = nullptr;
      Write(c, m, at, at == 0, 0);
    }
  }

  void Write(Connection& c, Message* m, std::size_t at, bool is_first, int tries) {
    const std::uint32_t sequence = NextSequence(c);
    Slot& slot = SlotOf(c, sequence);
    slot.sequence = sequence;
    slot.message = m;
    slot.at = at;
    slot.is_first = is_first;
    slot.tries = tries;
    slot.starts = c.given;
    slot.written = now;
    slot.until = m->send.deadline;
    c.next_until = std::min(c.next_until, slot.until);
    ++c.in_flight;
    in_flight.fetch_add(1, std::memory_order_relaxed);
    ++m->open;
    const std::string_view pdu(m->send.pdus.data() + at, ReadU32(m->send.pdus.data() + at));
    const std::size_t before = c.out.size();
    Put(c, pdu);
    WriteU32(c.out.data() + before + sequence_at, sequence);
    SpendToken();
  }

  void Flush(Connection& c) {
    if (c.fd < 0 || c.state == State::kConnecting) return;
    while (c.out_from < c.out.size()) {
      const ssize_t n = ::send(c.fd, c.out.data() + c.out_from, c.out.size() - c.out_from, MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) break;
      if (n < 0) {
        Gone(c, "write");
        return;
      }
      c.out_from += static_cast<std::size_t>(n);
    }
    if (c.out_from == c.out.size()) {
      c.out.clear();
      c.out_from = 0;
    } else if (c.out_from > kReadBytes) {
      c.out.erase(0, c.out_from);
      c.out_from = 0;
    }
    const std::uint32_t want = (c.blocked ? 0U : EPOLLIN) | (c.out.empty() ? 0U : EPOLLOUT);
    if (want == c.events) return;
    c.events = want;
    epoll_event event{};
    event.events = want;
    event.data.u64 = c.index;
    ::epoll_ctl(epoll, EPOLL_CTL_MOD, c.fd, &event);
  }

  // ---- Ends

  // The deadlines of what was written, and places held for answers that never came.
  void EndSlots(Connection& c) {
    c.next_until = kNever;
    for (Slot& slot : c.slots) {
      if (slot.sequence == 0) continue;
      if (slot.until <= now && slot.message != nullptr) {
        Message* const m = slot.message;
        m->unknown = m->stopped = true;
        if (m->fault.empty()) m->fault = "timeout";
        Release(c, m);
        Stop(c, m);
        Conclude(m);
      } else if (slot.until <= now) {
        slot = Slot{};
        --c.in_flight;
        --c.overdue;
        in_flight.fetch_sub(1, std::memory_order_relaxed);
        continue;
      }
      c.next_until = std::min(c.next_until, slot.until);
    }
    // A window full of what is never answered is of no use.
    if (c.overdue > 0 && c.overdue >= static_cast<std::size_t>(options.window)) Lose(c, "unanswered");
  }

  // The message ends before its answers came: its places are held for them.
  void Release(Connection& c, Message* m) {
    for (Slot& slot : c.slots) {
      if (slot.sequence == 0 || slot.message != m) continue;
      slot.message = nullptr;
      slot.until = std::max(slot.written + options.answer_wait, now + Millis(1));
      c.next_until = std::min(c.next_until, slot.until);
      ++c.overdue;
      --m->open;
    }
  }

  void EndWaiting() {
    next_waiting = kNever;
    std::vector<Message*> ended;
    std::erase_if(waiting, [&](Message* m) {
      if (m->send.deadline <= now) {
        ended.push_back(m);
        return true;
      }
      next_waiting = std::min(next_waiting, m->send.deadline);
      return false;
    });
    held.fetch_sub(ended.size(), std::memory_order_relaxed);
    for (Message* m : ended) {
      m->fault = "deadline";
      Conclude(m);
    }
  }

  void FailWaiting(const SendResult& why) {
    std::deque<Message*> all;
    all.swap(waiting);
    next_waiting = kNever;
    held.fetch_sub(all.size(), std::memory_order_relaxed);
    for (Message* m : all) {
      m->refusal = why;
      Conclude(m);
    }
  }

  Message* NewMessage(LinkSend send) {
    if (spare.empty()) {
      messages.push_back(std::make_unique<Message>());
      spare.push_back(messages.back().get());
    }
    Message* const m = spare.back();
    spare.pop_back();
    *m = Message{};
    m->send = std::move(send);
    for (std::size_t at = 0; at + 4 <= m->send.pdus.size(); at += ReadU32(m->send.pdus.data() + at)) ++m->segments;
    return m;
  }

  void Conclude(Message* m) {
    SendResult result;
    if (m->unknown || (m->taken > 0 && m->taken < m->segments)) {
      result = m->refusal ? *m->refusal : ResultOf(Verdict::kUnknown, m->fault);
      result.verdict = Verdict::kUnknown;
      result.retry_after.reset();
      result.provider_id = m->first.provider_id;
      if (m->segments > 1) {
        result.detail = std::to_string(m->taken) + " of " + std::to_string(m->segments) + " segments were taken";
      }
    } else if (m->taken == m->segments) {
      result = std::move(m->first);
    } else if (m->refusal) {
      result = *std::move(m->refusal);
    } else {
      result = ResultOf(Verdict::kNotSent, m->fault);
    }
    const auto done = std::move(m->send.done);
    m->send = LinkSend{};
    spare.push_back(m);
    done(std::move(result));
  }

  // ---- Closing: first what is on the wire, then what was delivered, then the session.

  void BeginDrain() {
    draining = true;
    close_by = now + options.close_timeout;
    FailWaiting(ResultOf(Verdict::kNotSent, "shutdown"));
    for (Connection& c : connections) {
      if (c.state != State::kReady) Shut(c);
    }
  }

  bool Drained() {
    const bool late = now >= close_by;
    if (!phase_two) {
      const bool busy = std::any_of(connections.begin(), connections.end(), [](const Connection& c) {
        return c.state == State::kReady && (c.in_flight > c.overdue || c.current != nullptr || !c.delayed.empty());
      });
      if (busy && !late) return false;
      for (Connection& c : connections) {
        if (busy && c.state == State::kReady) Lose(c, "shutdown");
      }
      phase_two = true;
    }
    if (!saying_goodbye) {
      if (undelivered > 0 && !late) return false;
      saying_goodbye = true;
      for (Connection& c : connections) {
        if (c.state != State::kReady) continue;
        std::string pdu;
        protocol->AppendClose(NextSequence(c), &pdu);
        Put(c, pdu);
        ready.fetch_sub(1, std::memory_order_relaxed);
        c.state = State::kClosing;
        c.timer = now + kGoodbye;
      }
    }
    return std::all_of(connections.begin(), connections.end(),
                       [](const Connection& c) { return c.state == State::kClosed; });
  }

  const LinkOptions options;
  const std::shared_ptr<LinkProtocol> protocol;
  Logger& logger;
  const std::size_t sequence_at;
  delivery::AlarmGate alarms;
  const std::shared_ptr<Bell> bell = std::make_shared<Bell>();

  std::mutex mutex;  // guards the next block
  std::vector<LinkSend> inbox;
  std::vector<Acknowledgement> acknowledged;  // empty bytes: only counted
  bool asleep = false;
  bool started = false;
  bool closing = false;

  std::mutex close_mutex;
  std::mutex deliver_mutex;  // guards the next block
  std::condition_variable deliver_work;
  std::deque<Acknowledgement> delivered;  // bytes: the PDU
  bool deliver_stop = false;

  std::atomic<std::size_t> held{0};  // in the inbox and waiting
  std::atomic<std::size_t> ready{0};
  std::atomic<std::size_t> in_flight{0};
  std::atomic<std::uint64_t> written{0};
  std::atomic<std::uint64_t> logins{0};
  std::atomic<std::uint64_t> deliveries{0};

  // Of the link's thread.
  int epoll = -1;
  Time now{};
  std::vector<Connection> connections;
  std::vector<Address> fixed;  // of a host that is an address
  std::shared_ptr<NameLookUp> look_up;
  std::vector<LinkSend> taken_in;
  std::vector<Acknowledgement> acks_in;
  std::deque<Message*> waiting;
  Time next_waiting = kNever;
  std::vector<std::unique_ptr<Message>> messages;
  std::vector<Message*> spare;
  std::optional<SendResult> down;  // what the last failed try made of sends
  std::size_t undelivered = 0;     // given to the second thread and not back
  std::size_t turn = 0;
  Time paused_until = Time::min();
  int throttles = 0;
  Time next_token = Time::min();
  bool draining = false;
  bool phase_two = false;
  bool saying_goodbye = false;
  Time close_by = kNever;
  std::mt19937 random{std::random_device{}()};

  std::thread deliverer;
  std::thread thread;
};

Link::Link(LinkOptions options, std::shared_ptr<LinkProtocol> protocol, Logger* logger)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(protocol), logger)) {}

Link::~Link() { Close(); }

void Link::Start() { impl_->Start(); }

void Link::Send(LinkSend send) { impl_->Send(std::move(send)); }

void Link::Close() { impl_->Close(); }

LinkStats Link::Stats() const {
  LinkStats stats;
  stats.ready = impl_->ready;
  stats.waiting = impl_->held;
  stats.in_flight = impl_->in_flight;
  stats.written = impl_->written;
  stats.logins = impl_->logins;
  stats.deliveries = impl_->deliveries;
  return stats;
}

}  // namespace zhitui::sms
