#include "sandbox/front.h"

#include <arpa/inet.h>
#include <httplib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace sandbox {
namespace {

constexpr int kBacklog = 1024;
constexpr int kReadTimeoutMs = 10'000;
constexpr int kIdleTimeoutMs = 300'000;
constexpr size_t kMaxBody = 1U << 20;
constexpr size_t kMaxThreads = 512;

// One connection, buffered both ways: an answer leaves in one send, and not at all after Abort.
class Connection final : public httplib::Stream {
 public:
  Connection(int fd, SSL* ssl) : fd_(fd), ssl_(ssl) {}

  bool is_readable() const override { return begin_ < end_ || Wait(kReadTimeoutMs); }
  bool is_writable() const override { return !aborted_; }

  ssize_t read(char* data, size_t size) override {
    if (begin_ == end_) {
      // The client may be waiting for "100 Continue" before it sends more.
      if (!Flush() || !Wait(kReadTimeoutMs)) return -1;
      const ssize_t n = Receive();
      if (n <= 0) return n;
    }
    const size_t n = std::min(size, end_ - begin_);
    std::memcpy(data, in_.data() + begin_, n);
    begin_ += n;
    return static_cast<ssize_t>(n);
  }

  ssize_t write(const char* data, size_t size) override {
    if (aborted_) return -1;
    out_.append(data, size);
    return static_cast<ssize_t>(size);
  }

  void get_remote_ip_and_port(std::string& ip, int& port) const override { ip.clear(), port = 0; }
  void get_local_ip_and_port(std::string& ip, int& port) const override { ip.clear(), port = 0; }
  // Not the descriptor: the library compares this with FD_SETSIZE and uses it for nothing else.
  socket_t socket() const override { return 0; }

  // True when a request has begun to arrive; false when the client left, stayed idle, or `stop_fd` became readable.
  bool WaitForRequest(int stop_fd) {
    if (begin_ < end_ || (ssl_ != nullptr && SSL_pending(ssl_) > 0)) return true;
    std::array<pollfd, 2> fds = {pollfd{fd_, POLLIN, 0}, pollfd{stop_fd, POLLIN, 0}};
    int n = 0;
    do {
      n = ::poll(fds.data(), fds.size(), kIdleTimeoutMs);
    } while (n < 0 && errno == EINTR);
    if (n <= 0 || fds[1].revents != 0) return false;
    return Receive() > 0;
  }

  bool Flush() {
    if (aborted_) return false;
    for (size_t sent = 0; sent < out_.size();) {
      const ssize_t n = ssl_ != nullptr ? SSL_write(ssl_, out_.data() + sent, static_cast<int>(out_.size() - sent))
                                        : ::send(fd_, out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR && ssl_ == nullptr) continue;
      if (n <= 0) return false;
      sent += static_cast<size_t>(n);
    }
    out_.clear();
    return true;
  }

  void Abort() {
    aborted_ = true;
    out_.clear();
  }
  bool aborted() const { return aborted_; }

 private:
  bool Wait(int timeout_ms) const {
    if (ssl_ != nullptr && SSL_pending(ssl_) > 0) return true;
    pollfd fd{fd_, POLLIN, 0};
    int n = 0;
    do {
      n = ::poll(&fd, 1, timeout_ms);
    } while (n < 0 && errno == EINTR);
    return n > 0;
  }

  ssize_t Receive() {
    ssize_t n = 0;
    do {
      n = ssl_ != nullptr ? SSL_read(ssl_, in_.data(), static_cast<int>(in_.size()))
                          : ::recv(fd_, in_.data(), in_.size(), 0);
    } while (n < 0 && errno == EINTR && ssl_ == nullptr);
    begin_ = 0;
    end_ = n > 0 ? static_cast<size_t>(n) : 0;
    return n;
  }

  int fd_;
  SSL* ssl_;
  std::array<char, 16384> in_{};
  size_t begin_ = 0;
  size_t end_ = 0;
  std::string out_;
  bool aborted_ = false;
};

thread_local Connection* current_connection = nullptr;

// A keep-alive connection holds its thread, so a thread is added whenever a connection would wait.
class GrowingPool final : public httplib::TaskQueue {
 public:
  explicit GrowingPool(size_t threads) {
    for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
  }

  void enqueue(std::function<void()> task) override {
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
      if (tasks_.size() > idle_ && threads_.size() < kMaxThreads) threads_.emplace_back([this] { Work(); });
    }
    wake_.notify_one();
  }

  void shutdown() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

 private:
  void Work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      --idle_;
      if (tasks_.empty()) return;
      const auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
  bool stopping_ = false;
};

class HttpServer final : public httplib::Server {
 public:
  HttpServer(SSL_CTX* tls, int stop_fd) : tls_(tls), stop_fd_(stop_fd) {}

  // The library listens with a backlog of 5, in which a burst of connections waits a second for its SYN again.
  void WidenBacklog() { ::listen(svr_sock_, kBacklog); }

 private:
  bool process_and_close_socket(socket_t fd) override {
    const int yes = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    SSL* ssl = nullptr;
    bool usable = true;
    if (tls_ != nullptr) {
      ssl = SSL_new(tls_);
      usable = ssl != nullptr && SSL_set_fd(ssl, fd) == 1 && SSL_accept(ssl) == 1;
    }
    bool aborted = false;
    if (usable) {
      const auto connection = std::make_unique<Connection>(fd, ssl);
      current_connection = connection.get();
      bool closed = false;
      while (!closed && connection->WaitForRequest(stop_fd_)) {
        if (!process_request(*connection, false, closed, nullptr) || !connection->Flush()) break;
      }
      current_connection = nullptr;
      aborted = connection->aborted();
      if (!aborted) connection->Flush();
    }
    if (aborted) {
      const linger hard{1, 0};  // close sends RST, not FIN
      ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    } else {
      if (ssl != nullptr && usable) SSL_shutdown(ssl);
      ::shutdown(fd, SHUT_RDWR);
    }
    if (ssl != nullptr) SSL_free(ssl);
    ERR_clear_error();
    ::close(fd);
    return !aborted;
  }

  SSL_CTX* tls_;
  int stop_fd_;
};

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

}  // namespace

struct Front::Impl {
  const Options& options;
  Handler handler;
  int stop_fd = -1;
  SSL_CTX* tls = nullptr;
  std::unique_ptr<HttpServer> server;
  std::thread thread;
  std::mutex mutex;
  std::condition_variable stop_signal;
  bool stopping = false;
  std::atomic<bool> ended{false};

  Impl(const Options& the_options, Handler the_handler) : options(the_options), handler(std::move(the_handler)) {}

  void Handle(const httplib::Request& request, httplib::Response& response) {
    Call call;
    call.method = request.method;
    call.path = request.path;
    if (const size_t at = request.target.find('?'); at != std::string::npos) call.query = request.target.substr(at + 1);
    for (const auto& [name, value] : request.headers) call.headers.emplace_back(Lower(name), value);
    call.body = request.body;
    Reply reply = handler(call);
    if (reply.delay_ms > 0) {
      std::unique_lock lock(mutex);
      stop_signal.wait_for(lock, std::chrono::milliseconds(reply.delay_ms), [this] { return stopping; });
    }
    if (reply.abort) {
      if (current_connection != nullptr) current_connection->Abort();
      return;
    }
    response.status = reply.status;
    for (const auto& [name, value] : reply.headers) response.set_header(name, value);
    response.set_content(reply.garble ? "<html>502 Bad Gateway</html>" : reply.body, "application/json; charset=utf-8");
  }

  std::expected<void, std::string> OpenTls() {
    if (options.tls_cert.empty() && options.tls_key.empty()) return {};
    tls = SSL_CTX_new(TLS_server_method());
    if (tls == nullptr || SSL_CTX_use_certificate_chain_file(tls, options.tls_cert.c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls, options.tls_key.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(tls) != 1) {
      return std::unexpected("cannot use the TLS certificate " + options.tls_cert + " with the key " + options.tls_key +
                             "; both must be PEM files that belong together");
    }
    SSL_CTX_set_mode(tls, SSL_MODE_AUTO_RETRY);
    return {};
  }
};

Front::Front(const Options& options, Handler handler) : impl_(std::make_unique<Impl>(options, std::move(handler))) {}

Front::~Front() { Stop(); }

std::expected<int, std::string> Front::Start() {
  Impl& self = *impl_;
  if (auto tls = self.OpenTls(); !tls) return std::unexpected(tls.error());
  self.stop_fd = ::eventfd(0, EFD_CLOEXEC);
  if (self.stop_fd < 0) return std::unexpected(std::string("eventfd: ") + std::strerror(errno));
  self.server = std::make_unique<HttpServer>(self.tls, self.stop_fd);
  HttpServer& server = *self.server;
  const auto handle = [this](const httplib::Request& request, httplib::Response& response) {
    impl_->Handle(request, response);
  };
  server.Get("/.*", handle);
  server.Post("/.*", handle);
  server.set_payload_max_length(kMaxBody);
  server.set_keep_alive_timeout(kIdleTimeoutMs / 1000);
  server.set_keep_alive_max_count(1'000'000'000);
  server.set_read_timeout(kReadTimeoutMs / 1000);
  server.set_write_timeout(kReadTimeoutMs / 1000);
  server.set_tcp_nodelay(true);
  // The library's default sets SO_REUSEPORT, with which two simulators would share a port unnoticed.
  server.set_socket_options([](socket_t fd) {
    const int yes = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  });
  const auto threads = static_cast<size_t>(std::clamp(self.options.threads, 1, static_cast<int>(kMaxThreads)));
  server.new_task_queue = [threads] { return new GrowingPool(threads); };
  int port = self.options.port;
  if (port == 0) {
    port = server.bind_to_any_port(self.options.host);
  } else if (!server.bind_to_port(self.options.host, port)) {
    port = -1;
  }
  if (port <= 0) {
    return std::unexpected("cannot listen on " + self.options.host + ":" + std::to_string(self.options.port) + ": " +
                           std::strerror(errno));
  }
  server.WidenBacklog();
  self.thread = std::thread([&self, &server] {
    server.listen_after_bind();
    self.ended = true;
  });
  // stop() does nothing before the library calls itself running.
  while (!server.is_running() && !self.ended) std::this_thread::yield();
  return port;
}

void Front::Stop() {
  Impl& self = *impl_;
  {
    const std::lock_guard lock(self.mutex);
    self.stopping = true;
  }
  self.stop_signal.notify_all();
  if (self.stop_fd >= 0) {
    const uint64_t one = 1;
    // An eventfd that is already set stays set; either way every poll on it returns.
    if (::write(self.stop_fd, &one, sizeof(one)) < 0) errno = 0;
  }
  if (self.thread.joinable()) {
    self.server->stop();
    self.thread.join();
  }
  self.server.reset();
  if (self.stop_fd >= 0) ::close(self.stop_fd);
  self.stop_fd = -1;
  if (self.tls != nullptr) SSL_CTX_free(self.tls);
  self.tls = nullptr;
}

}  // namespace sandbox
