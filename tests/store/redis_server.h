#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "store/temp_dir.h"

namespace zhitui::store {

// A redis-server of the test's own, on a free port, with its data in a temporary folder. Ends with its scope.
class RedisServer {
 public:
  static constexpr const char* kProgram = "/usr/bin/redis-server";
  static bool Installed() { return access(kProgram, X_OK) == 0; }

  // Durable settings, then `settings` as {name, value} pairs over them.
  explicit RedisServer(std::vector<std::string> settings = {}) : settings_(std::move(settings)) {
    for (int attempt = 0; attempt < 5 && pid_ < 0; ++attempt) {
      port_ = FreePort();
      Start();
    }
  }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;
  ~RedisServer() { KillNine(); }

  bool running() const { return pid_ > 0; }
  std::uint16_t port() const { return port_; }
  void Signal(int number) const { kill(pid_, number); }

  void KillNine() {
    if (pid_ < 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

  // On the same port and folder; returns once it answers, with running() false when it ended instead.
  void Start() {
    pid_ = fork();
    if (pid_ == 0) Execute();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < deadline) {
      if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
        pid_ = -1;
        return;
      }
      if (Command({"PING"}) == "PONG") return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    KillNine();
  }

  // The answer as text: a string or status as it is, "(error) ..." for an error, array elements with a space between.
  std::string Command(const std::vector<std::string>& words) const {
    const std::unique_ptr<redisContext, void (*)(redisContext*)> context(
        redisConnectWithTimeout("127.0.0.1", port_, {.tv_sec = 5, .tv_usec = 0}), redisFree);
    if (!context || context->err != 0) return "(no connection)";
    redisSetTimeout(context.get(), {.tv_sec = 5, .tv_usec = 0});
    std::vector<const char*> argv;
    std::vector<std::size_t> sizes;
    for (const std::string& word : words) {
      argv.push_back(word.data());
      sizes.push_back(word.size());
    }
    auto* reply = static_cast<redisReply*>(
        redisCommandArgv(context.get(), static_cast<int>(argv.size()), argv.data(), sizes.data()));
    if (reply == nullptr) return "(no answer)";
    std::string text = Text(*reply);
    freeReplyObject(reply);
    return text;
  }

 private:
  static std::string Text(const redisReply& reply) {
    if (reply.type == REDIS_REPLY_INTEGER) return std::to_string(reply.integer);
    if (reply.type == REDIS_REPLY_NIL) return "(nil)";
    if (reply.type == REDIS_REPLY_ARRAY) {
      std::string all;
      for (std::size_t i = 0; i < reply.elements; ++i) all += (i == 0 ? "" : " ") + Text(*reply.element[i]);
      return all;
    }
    const std::string text(reply.str, static_cast<std::size_t>(reply.len));
    return reply.type == REDIS_REPLY_ERROR ? "(error) " + text : text;
  }

  static std::uint16_t FreePort() {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    bind(fd, reinterpret_cast<sockaddr*>(&address), size);
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    close(fd);
    return ntohs(address.sin_port);
  }

  [[noreturn]] void Execute() const {
    // The server must not outlive a test that crashes.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::vector<std::string> words = {
        kProgram,       "--port",    std::to_string(port_), "--bind", "127.0.0.1", "--dir", dir_.path(),
        "--appendonly", "yes",       "--appendfsync",       "always", "--save",    "",      "--maxmemory-policy",
        "noeviction",   "--logfile", dir_.File("redis.log")};
    for (std::size_t i = 0; i + 1 < settings_.size(); i += 2) {
      words.push_back("--" + settings_[i]);
      words.push_back(settings_[i + 1]);
    }
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    execv(kProgram, argv.data());
    _exit(127);
  }

  const TempDir dir_;
  const std::vector<std::string> settings_;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace zhitui::store
