#include "api/connection.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <utility>

namespace zhitui::api {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

constexpr int kBacklog = 256;
constexpr Millis kSlice{50};
constexpr Millis kLinger{500};
constexpr std::size_t kLingerBytes = 1 << 20;

// Waits until the socket has `events`, or `until`.
bool Wait(socket_t sock, short events, SteadyTime until) {
  for (;;) {
    const auto left = std::chrono::duration_cast<Millis>(until - std::chrono::steady_clock::now());
    pollfd p{sock, events, 0};
    const int n = ::poll(&p, 1, left.count() > 0 ? static_cast<int>(left.count()) : 0);
    if (n > 0) return true;
    if (n == 0 || errno != EINTR) return false;
  }
}

void NameOf(const sockaddr_storage& address, socklen_t length, std::string& ip, int& port) {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> service{};
  if (::getnameinfo(reinterpret_cast<const sockaddr*>(&address), length, host.data(), host.size(), service.data(),
                    service.size(), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return;
  }
  ip = host.data();
  port = std::atoi(service.data());
}

// A connection as the library reads and writes it, with the limits of the present request.
class LimitedStream final : public httplib::Stream {
 public:
  LimitedStream(socket_t sock, const ConnectionLimits& limits) : sock_(sock), limits_(limits) {}

  void BeginRequest() {
    read_until_ = std::chrono::steady_clock::now() + limits_.request;
    in_head_ = true;
    end_matched_ = 0;
    head_ = 0;
    body_ = 0;
  }
  bool failed() const { return failed_; }
  bool in_head() const { return in_head_; }
  std::size_t body_bytes() const { return body_; }
  bool HasBuffered() const { return at_ < filled_; }

  bool is_readable() const override { return HasBuffered() || Wait(sock_, POLLIN, std::chrono::steady_clock::now()); }
  bool is_writable() const override { return Wait(sock_, POLLOUT, std::chrono::steady_clock::now()); }

  ssize_t read(char* out, size_t size) override {
    if (failed_ || size == 0) return failed_ ? -1 : 0;
    if (at_ == filled_) {
      const ssize_t n = Fill();
      if (n <= 0) return n;
    }
    std::size_t n = std::min(size, filled_ - at_);
    if (in_head_) {
      n = 1;  // so that the end of the head is seen wherever it is
      if (++head_ > limits_.header_bytes) return Fail();
      Match(buffer_[at_]);
    } else {
      body_ += n;
      if (body_ > limits_.body_bytes) return Fail();
    }
    std::copy_n(buffer_.data() + at_, n, out);
    at_ += n;
    return static_cast<ssize_t>(n);
  }

  ssize_t write(const char* data, size_t size) override {
    const SteadyTime until = std::chrono::steady_clock::now() + limits_.request;
    for (;;) {
      if (!Wait(sock_, POLLOUT, until)) return Fail();
      const ssize_t n = ::send(sock_, data, size, MSG_NOSIGNAL);
      if (n >= 0) return n;
      if (errno != EINTR && errno != EAGAIN) return Fail();
    }
  }

  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    if (::getpeername(sock_, reinterpret_cast<sockaddr*>(&address), &length) == 0) NameOf(address, length, ip, port);
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    if (::getsockname(sock_, reinterpret_cast<sockaddr*>(&address), &length) == 0) NameOf(address, length, ip, port);
  }
  socket_t socket() const override { return sock_; }

 private:
  ssize_t Fail() {
    failed_ = true;
    return -1;
  }
  ssize_t Fill() {
    for (;;) {
      if (!Wait(sock_, POLLIN, read_until_)) return Fail();
      const ssize_t n = ::recv(sock_, buffer_.data(), buffer_.size(), 0);
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (n < 0) return Fail();
      at_ = 0;
      filled_ = static_cast<std::size_t>(n);
      if (n == 0) failed_ = true;
      return n;
    }
  }
  void Match(char c) {
    static constexpr std::array<char, 4> kEnd = {'\r', '\n', '\r', '\n'};
    end_matched_ = c == kEnd[end_matched_] ? end_matched_ + 1 : (c == '\r' ? 1 : 0);
    if (end_matched_ == kEnd.size()) in_head_ = false;
  }

  const socket_t sock_;
  const ConnectionLimits& limits_;
  std::array<char, 8192> buffer_{};
  std::size_t at_ = 0;
  std::size_t filled_ = 0;
  SteadyTime read_until_;
  bool in_head_ = true;
  std::size_t end_matched_ = 0;
  std::size_t head_ = 0;
  std::size_t body_ = 0;
  bool failed_ = false;
};

// A socket closed with unread bytes is reset, and the reset can overtake the answer: read on for a moment.
void LingerAndClose(socket_t sock, bool unread) {
  ::shutdown(sock, SHUT_WR);
  if (unread) {
    const SteadyTime until = std::chrono::steady_clock::now() + kLinger;
    std::array<char, 8192> sink{};
    std::size_t total = 0;
    while (total < kLingerBytes && Wait(sock, POLLIN, until)) {
      const ssize_t n = ::recv(sock, sink.data(), sink.size(), 0);
      if (n <= 0) break;
      total += static_cast<std::size_t>(n);
    }
  }
  ::close(sock);
}

// Set while a connection that found no room is being closed.
thread_local bool refused_connection = false;

}  // namespace

class LimitedServer::Workers final : public httplib::TaskQueue {
 public:
  Workers(LimitedServer& server, std::size_t threads) : server_(server) {
    threads_.reserve(threads);
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
  }

  void enqueue(std::function<void()> fn) override {
    {
      const std::scoped_lock lock(mutex_);
      if (jobs_.size() < server_.limits_.waiting) {
        jobs_.push_back(std::move(fn));
        server_.waiting_ = jobs_.size();
        fn = nullptr;
      }
    }
    if (fn) {
      refused_connection = true;
      fn();
      refused_connection = false;
      return;
    }
    wake_.notify_one();
  }

  void shutdown() override {
    {
      const std::scoped_lock lock(mutex_);
      closed_ = true;
    }
    wake_.notify_all();
    for (std::thread& t : threads_) t.join();
  }

 private:
  void Work() {
    for (;;) {
      std::function<void()> job;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return closed_ || !jobs_.empty(); });
        if (jobs_.empty()) return;
        job = std::move(jobs_.front());
        jobs_.pop_front();
        server_.waiting_ = jobs_.size();
      }
      job();
    }
  }

  LimitedServer& server_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  std::vector<std::thread> threads_;
  bool closed_ = false;
};

LimitedServer::LimitedServer(const ConnectionLimits& limits) : limits_(limits) {
  new_task_queue = [this] { return new Workers(*this, limits_.threads); };
  set_tcp_nodelay(true);  // else head and body of an answer wait 40 ms for each other
  set_keep_alive_max_count(limits_.requests);
  set_keep_alive_timeout(std::max<time_t>(1, static_cast<time_t>(limits_.idle.count() / 1000)));  // for the header only
  // The library sets SO_REUSEPORT, with which a second process would silently share the port.
  set_socket_options([this](socket_t sock) {
    const int yes = 1;
    ::setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    listening_ = sock;
  });
}

int LimitedServer::Bind(const std::string& host, int port) {
  int bound = 0;
  if (port == 0) {
    bound = bind_to_any_port(host);
  } else if (bind_to_port(host, port)) {
    bound = port;
  }
  if (bound <= 0) return 0;
  // The library listens with a backlog of 5; listening again on a listening socket sets a new one.
  ::listen(listening_, kBacklog);
  return bound;
}

// True when a request begins. A connection that has had its answer makes room for those that wait.
bool LimitedServer::WaitForRequest(socket_t sock, bool first) const {
  const SteadyTime until = std::chrono::steady_clock::now() + limits_.idle;
  while (svr_sock_ != INVALID_SOCKET) {
    const SteadyTime now = std::chrono::steady_clock::now();
    if (now >= until) return false;
    if (Wait(sock, POLLIN, std::min(until, now + kSlice))) return true;
    if (!first && waiting_ > 0) return false;
  }
  return false;
}

bool LimitedServer::process_and_close_socket(socket_t sock) {
  if (refused_connection) {
    ::close(sock);
    return false;
  }
  LimitedStream stream(sock, limits_);
  bool unread = false;
  for (std::size_t n = 0; n < limits_.requests && !unread; ++n) {
    if (svr_sock_ == INVALID_SOCKET) break;
    if (!stream.HasBuffered() && !WaitForRequest(sock, n == 0)) break;
    stream.BeginRequest();
    bool closed = false;
    bool chunked = false;
    std::uint64_t declared = 0;
    const bool last = n + 1 == limits_.requests;
    const bool ok = process_request(stream, last, closed, [&](httplib::Request& request) {
      // Ranges may be ignored (RFC 9110 §14.2); many small ones would multiply an answer.
      request.ranges.clear();
      chunked = request.has_header("Transfer-Encoding");
      declared = request.get_header_value<std::uint64_t>("Content-Length");
    });
    // What is left of a body would be read as the next request.
    unread = stream.failed() || stream.in_head() || chunked || stream.body_bytes() != declared;
    if (!ok || closed) break;
  }
  LingerAndClose(sock, unread);
  return true;
}

}  // namespace zhitui::api
