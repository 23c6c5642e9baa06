#include "sandbox/courier.h"

#include <httplib.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "sandbox/text.h"

namespace sandbox {
namespace {

// A receiver that is down for long must not eat the memory; the oldest receipts are given up.
constexpr size_t kMaxQueue = 1'000'000;
constexpr int kAnswerWithinSeconds = 5;
constexpr int64_t kHoldFactor = 20;

int64_t SteadyUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void Prepare(httplib::Client& client) {
  client.set_keep_alive(true);
  client.set_tcp_nodelay(true);
  client.set_connection_timeout(kAnswerWithinSeconds);
  client.set_read_timeout(kAnswerWithinSeconds);
  client.set_write_timeout(kAnswerWithinSeconds);
  client.enable_server_certificate_verification(false);
}

}  // namespace

void Courier::Start() {
  if (config_.base.empty() || config_.mode == Receipts::kOff) return;
  // The pairs of duplicate mode keep their order only with one thread.
  const size_t n = config_.mode == Receipts::kDuplicate ? 1 : config_.threads;
  for (size_t i = 0; i < n; ++i) threads_.emplace_back([this] { Work(); });
}

void Courier::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

void Courier::AddTwice(std::string item, int64_t now) {
  const int64_t due = now + config_.delay_ms * 1000;
  if (held_) {
    Item first = (*held_)->second;
    queue_.erase(*held_);
    held_.reset();
    queue_.emplace(due, Item{item});
    queue_.emplace(due + 1, first);
    queue_.emplace(due + 2, std::move(first));
    queue_.emplace(due + 3, Item{std::move(item)});
    return;
  }
  held_ = queue_.emplace(now + config_.delay_ms * kHoldFactor * 1000, Item{std::move(item)});
}

void Courier::Add(std::string item) {
  if (config_.base.empty() || config_.mode == Receipts::kOff) return;
  const int64_t now = SteadyUs();
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= kMaxQueue) {
      if (held_ && *held_ == queue_.begin()) held_.reset();
      queue_.erase(queue_.begin());
      ++stats_.given_up;
    }
    if (config_.mode == Receipts::kDuplicate) {
      AddTwice(std::move(item), now);
    } else {
      queue_.emplace(now + config_.delay_ms * 1000, Item{std::move(item)});
    }
  }
  wake_.notify_one();
}

bool Courier::Send(httplib::Client& client, const std::vector<std::string>& items) const {
  const Post post = config_.render(items);
  const auto result =
      post.get ? client.Get(post.target) : client.Post(post.target, post.body, post.content_type.c_str());
  return result && config_.acknowledged(result->status, result->body);
}

void Courier::Deliver(std::string item) {
  if (config_.base.empty() || config_.mode == Receipts::kOff) return;
  httplib::Client client(config_.base);
  Prepare(client);
  const bool ok = Send(client, {item});
  {
    const std::lock_guard lock(mutex_);
    ++stats_.sent;
    if (ok) ++stats_.acked;
  }
  if (!ok) Add(std::move(item));
}

void Courier::Work() {
  httplib::Client client(config_.base);
  Prepare(client);

  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (queue_.empty()) {
      wake_.wait(lock);
      continue;
    }
    const int64_t now = SteadyUs();
    const int64_t due = queue_.begin()->first;
    if (due > now) {
      wake_.wait_for(lock, std::chrono::microseconds(due - now));
      continue;
    }
    std::vector<Item> items;
    while (!queue_.empty() && items.size() < config_.batch && queue_.begin()->first <= now) {
      if (held_ && *held_ == queue_.begin()) {
        // Nobody came to overtake it: it goes twice, alone.
        held_.reset();
        queue_.emplace(now, queue_.begin()->second);
      }
      items.push_back(std::move(queue_.begin()->second));
      queue_.erase(queue_.begin());
    }
    const uint64_t epoch = epoch_;
    in_flight_ += items.size();
    lock.unlock();

    std::vector<std::string> texts;
    for (const Item& item : items) texts.push_back(item.text);
    const bool ok = Send(client, texts);

    lock.lock();
    in_flight_ -= items.size();
    if (epoch != epoch_) continue;
    stats_.sent += items.size();
    if (ok) {
      stats_.acked += items.size();
      continue;
    }
    for (Item& item : items) {
      if (item.failures == config_.retry_ms.size()) {
        ++stats_.given_up;
        continue;
      }
      const int64_t wait = config_.retry_ms[item.failures++];
      queue_.emplace(SteadyUs() + wait * 1000, std::move(item));
    }
  }
}

CourierStats Courier::GetStats() const {
  const std::lock_guard lock(mutex_);
  CourierStats out = stats_;
  out.pending = queue_.size() + in_flight_;
  return out;
}

void Courier::Reset() {
  const std::lock_guard lock(mutex_);
  queue_.clear();
  held_.reset();
  stats_ = {};
  ++epoch_;
}

namespace {

// Arrays of up to a hundred, acknowledged by {"code": <number>}.
Courier::Config AliyunPushes(const Options& options, const std::string& path) {
  Courier::Config config;
  config.base = options.callback_base;
  config.mode = options.receipts;
  config.delay_ms = options.receipt_delay_ms;
  config.retry_ms = {options.receipt_retry_ms, 5 * options.receipt_retry_ms, 10 * options.receipt_retry_ms};
  config.batch = 100;
  config.render = [path, key = options.aliyun_callback_key](const std::vector<std::string>& items) {
    std::string body = "[";
    for (const std::string& item : items) {
      if (body.size() > 1) body += ',';
      body += item;
    }
    body += ']';
    return Courier::Post{key.empty() ? path : path + "?key=" + PercentEncode(key), std::move(body),
                         "application/json;charset=utf-8", false};
  };
  config.acknowledged = [](int status, const std::string& body) {
    if (status != 200) return false;
    const auto answer = nlohmann::json::parse(body, nullptr, false);
    return answer.is_object() && answer.contains("code") && answer["code"].is_number() && answer["code"] == 0;
  };
  return config;
}

}  // namespace

Courier::Config AliyunCourier(const Options& options) { return AliyunPushes(options, options.aliyun_callback_path); }

Courier::Config AliyunReplyCourier(const Options& options) { return AliyunPushes(options, options.aliyun_reply_path); }

}  // namespace sandbox
