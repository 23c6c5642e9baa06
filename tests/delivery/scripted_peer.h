// An HTTP peer of raw sockets that does what a test says: answers, falls silent, hangs up, resets. It reads whole
// requests and keeps them, so a test can count what was really sent.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace zhitui::testing {

struct PeerRequest {
  std::string head;  // request line and headers
  std::string body;
  std::string Line() const { return head.substr(0, head.find("\r\n")); }
  bool Has(std::string_view text) const {
    return head.find(text) != std::string::npos || body.find(text) != std::string::npos;
  }
};

struct PeerAnswer {
  enum After { kKeep, kClose, kReset, kHold };
  std::string bytes;
  After after = kKeep;
};

inline PeerAnswer HttpAnswerOf(int status, const std::string& body, const std::string& headers = {}) {
  return {"HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
              headers + "\r\n" + body,
          PeerAnswer::kKeep};
}

class ScriptedPeer {
 public:
  using Script = std::function<PeerAnswer(const PeerRequest&)>;

  explicit ScriptedPeer(Script script) : script_(std::move(script)) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (listener_ < 0 || bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        listen(listener_, 128) != 0 || getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("cannot listen on the loopback address");
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { Accept(); });
  }

  ~ScriptedPeer() {
    {
      const std::scoped_lock lock(mutex_);
      stopped_ = true;
      shutdown(listener_, SHUT_RDWR);
      for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    }
    changed_.notify_all();
    acceptor_.join();
    for (std::thread& thread : threads_) thread.join();
    close(listener_);
  }

  std::string Url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int port() const { return port_; }

  std::vector<PeerRequest> Requests() const {
    const std::scoped_lock lock(mutex_);
    return requests_;
  }
  std::size_t Count(std::string_view text) const {
    const std::scoped_lock lock(mutex_);
    return static_cast<std::size_t>(
        std::count_if(requests_.begin(), requests_.end(), [&](const PeerRequest& r) { return r.Has(text); }));
  }
  std::size_t Connections() const {
    const std::scoped_lock lock(mutex_);
    return connections_;
  }
  // Ends every connection as an idle server does, and waits until that has been done.
  void HangUp() {
    std::unique_lock lock(mutex_);
    for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    changed_.wait(lock, [&] { return open_.empty(); });
  }

  // A port on which nobody listens.
  static int DeadPort() {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("cannot bind the loopback address");
    }
    close(fd);
    return ntohs(address.sin_port);
  }

 private:
  void Accept() {
    while (true) {
      const int fd = accept(listener_, nullptr, nullptr);
      const std::scoped_lock lock(mutex_);
      if (stopped_ || fd < 0) {
        if (fd >= 0) close(fd);
        if (stopped_) return;
        continue;
      }
      ++connections_;
      open_.push_back(fd);
      threads_.emplace_back([this, fd] { Serve(fd); });
    }
  }

  void Serve(int fd) {
    std::string buffer;
    PeerRequest request;
    while (Read(fd, buffer, request)) {
      {
        const std::scoped_lock lock(mutex_);
        requests_.push_back(request);
      }
      const PeerAnswer answer = script_(request);
      if (!answer.bytes.empty() && !Write(fd, answer.bytes)) break;
      if (answer.after == PeerAnswer::kClose) break;
      if (answer.after == PeerAnswer::kReset) {
        const linger reset{1, 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        Forget(fd);
        return;
      }
      if (answer.after == PeerAnswer::kHold) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return stopped_; });
        break;
      }
    }
    shutdown(fd, SHUT_RDWR);
    Forget(fd);
  }

  void Forget(int fd) {
    const std::scoped_lock lock(mutex_);
    open_.erase(std::find(open_.begin(), open_.end(), fd));
    close(fd);
    changed_.notify_all();
  }

  static bool Write(int fd, const std::string& bytes) {
    for (std::size_t sent = 0; sent < bytes.size();) {
      const ssize_t n = send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return false;
      sent += static_cast<std::size_t>(n);
    }
    return true;
  }

  static bool Fill(int fd, std::string& buffer) {
    char chunk[4096];
    const ssize_t n = recv(fd, chunk, sizeof chunk, 0);
    if (n <= 0) return false;
    buffer.append(chunk, static_cast<std::size_t>(n));
    return true;
  }

  static std::size_t Length(std::string head) {
    std::transform(head.begin(), head.end(), head.begin(),
                   [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
    const std::size_t at = head.find("content-length:");
    return at == std::string::npos ? 0 : static_cast<std::size_t>(std::atol(head.c_str() + at + 15));
  }

  static bool Read(int fd, std::string& buffer, PeerRequest& request) {
    std::size_t end = 0;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
      if (!Fill(fd, buffer)) return false;
    }
    request.head = buffer.substr(0, end + 2);
    buffer.erase(0, end + 4);
    const std::size_t length = Length(request.head);
    while (buffer.size() < length) {
      if (!Fill(fd, buffer)) return false;
    }
    request.body = buffer.substr(0, length);
    buffer.erase(0, length);
    return true;
  }

  const Script script_;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<int> open_;
  std::vector<PeerRequest> requests_;
  std::vector<std::thread> threads_;
  std::size_t connections_ = 0;
  bool stopped_ = false;
  std::thread acceptor_;
};

}  // namespace zhitui::testing
