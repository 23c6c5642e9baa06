// What the product's call-back endpoint is to a connector, for tests: takes what a provider pushes, lets the connector
// parse it, answers as it says, and keeps what came of it.
#pragma once

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <httplib.h>

#include "delivery/delivery.h"

namespace zhitui::sms {

class CallbackServer {
 public:
  using Parse = std::function<delivery::CallbackReply(const delivery::CallbackRequest&)>;

  explicit CallbackServer(Parse parse) : parse_(std::move(parse)) {
    const auto take = [this](const httplib::Request& request, httplib::Response& response) { Take(request, response); };
    server_.Post("/.*", take);
    server_.Get("/.*", take);
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~CallbackServer() {
    server_.stop();
    thread_.join();
  }
  CallbackServer(const CallbackServer&) = delete;
  CallbackServer& operator=(const CallbackServer&) = delete;

  int port() const { return port_; }
  std::string Base() const { return "http://127.0.0.1:" + std::to_string(port_); }

  // By attempt id, or by the provider's when there is none. The last one of each counts.
  std::map<std::string, delivery::Receipt> Receipts() const {
    const std::scoped_lock lock(mutex_);
    return receipts_;
  }
  // All that came in, in order.
  std::vector<delivery::Receipt> History() const {
    const std::scoped_lock lock(mutex_);
    return history_;
  }
  // Those so far, once there are `n`, or after half a minute.
  std::map<std::string, delivery::Receipt> WaitReceipts(std::size_t n) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, kPatience, [&] { return receipts_.size() >= n; });
    return receipts_;
  }
  std::vector<delivery::Signal> WaitSignals(std::size_t n) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, kPatience, [&] { return signals_.size() >= n; });
    return signals_;
  }
  // Call-backs that were not answered with 200.
  std::size_t refused() const {
    const std::scoped_lock lock(mutex_);
    return refused_;
  }

 private:
  static constexpr std::chrono::seconds kPatience{30};

  void Take(const httplib::Request& request, httplib::Response& response) {
    delivery::CallbackRequest call;
    call.method = request.method;
    call.query.insert(request.params.begin(), request.params.end());
    for (const auto& [name, value] : request.headers) call.headers.emplace(name, value);
    call.body = request.body;
    const delivery::CallbackReply reply = parse_(call);
    response.status = reply.status;
    response.set_content(reply.body, reply.content_type.c_str());
    const std::scoped_lock lock(mutex_);
    if (reply.status != 200) ++refused_;
    for (const delivery::Receipt& receipt : reply.receipts) {
      history_.push_back(receipt);
      receipts_.insert_or_assign(receipt.attempt_id.empty() ? receipt.provider_id : receipt.attempt_id, receipt);
    }
    signals_.insert(signals_.end(), reply.signals.begin(), reply.signals.end());
    arrived_.notify_all();
  }

  const Parse parse_;
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::map<std::string, delivery::Receipt> receipts_;
  std::vector<delivery::Receipt> history_;
  std::vector<delivery::Signal> signals_;
  std::size_t refused_ = 0;
};

// A file that is replaced as an operator does it: written beside and renamed.
class TempFile {
 public:
  explicit TempFile(const std::string& text) {
    std::string name = (std::filesystem::temp_directory_path() / "zhitui-sms-XXXXXX").string();
    const int fd = mkstemp(name.data());
    if (fd < 0) throw std::runtime_error("mkstemp");
    close(fd);
    path_ = name;
    Replace(text);
  }
  ~TempFile() { std::remove(path_.c_str()); }
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  const std::string& path() const { return path_; }
  void Replace(const std::string& text) const {
    std::ofstream(path_ + ".new") << text;
    std::rename((path_ + ".new").c_str(), path_.c_str());
  }

 private:
  std::string path_;
};

// Asks again and again, for at most half a minute.
inline bool Eventually(const std::function<bool()>& what) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::chrono::steady_clock::now() < deadline) {
    if (what()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return false;
}

}  // namespace zhitui::sms
