#include "delivery/http.h"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>

namespace zhitui::delivery {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

// Load balancers close idle connections after 60 seconds or so; one that is about to be closed is not worth the doubt.
constexpr std::chrono::seconds kIdleLimit(15);

bool HostChar(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.';
}

bool Unreserved(char c) { return HostChar(c) || c == '_' || c == '~'; }

// Takes the host off `rest`; empty when there is none.
std::string TakeHost(std::string_view& rest) {
  std::size_t end = 0;
  if (rest.starts_with('[')) {
    end = rest.find(']');
    // The library behind reads an IPv6 address of digits and colons only.
    if (end == std::string_view::npos || end < 3 ||
        rest.substr(1, end - 1).find_first_not_of("0123456789:") != std::string_view::npos) {
      return {};
    }
    ++end;
  } else {
    while (end < rest.size() && HostChar(rest[end])) ++end;
  }
  std::string host(rest.substr(0, end));
  rest.remove_prefix(end);
  return host;
}

}  // namespace

std::string BaseUrl::Origin() const {
  return std::string(tls ? "https://" : "http://") + host + ":" + std::to_string(port);
}

std::string BaseUrl::HostHeader() const { return port == (tls ? 443 : 80) ? host : host + ":" + std::to_string(port); }

Result<BaseUrl> ParseBaseUrl(std::string_view text) {
  BaseUrl url;
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    url.tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return Invalid("a base URL begins with https:// or http://");
  }
  url.host = TakeHost(rest);
  if (url.host.empty()) return Invalid("a base URL needs a host after //");
  url.port = url.tls ? 443 : 80;
  if (rest.starts_with(':')) {
    rest.remove_prefix(1);
    int port = 0;
    std::size_t digits = 0;
    while (digits < rest.size() && digits < 6 && rest[digits] >= '0' && rest[digits] <= '9') {
      port = port * 10 + (rest[digits++] - '0');
    }
    if (digits == 0 || port < 1 || port > 65535) return Invalid("the port of a base URL is a number from 1 to 65535");
    url.port = port;
    rest.remove_prefix(digits);
  }
  while (rest.ends_with('/')) rest.remove_suffix(1);
  if (!rest.empty() && rest.front() != '/') {
    return Invalid("after host and port a base URL has a path that begins with /");
  }
  for (const char c : rest) {
    if (!Unreserved(c) && c != '/') return Invalid("the path of a base URL has letters, digits, - . _ ~ and / only");
  }
  url.path = rest;
  return url;
}

std::string PercentEncode(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (Unreserved(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15U];
    }
  }
  return out;
}

// Links are owned by the calls that use them; between calls they wait in `idle`, the latest used last.
struct HttpClient::Impl {
  struct Idle {
    std::unique_ptr<HttpLink> link;
    SteadyTime since;
  };
  struct Watch {
    SteadyTime deadline;
    HttpLink* link = nullptr;
    bool aborting = false;
  };

  Impl(HttpOptions o, HttpLinkFactory f) : options(std::move(o)), factory(std::move(f)) {
    watcher = std::thread([this] { WatchLoop(); });
  }

  ~Impl() {
    {
      const std::scoped_lock lock(mutex);
      closed = true;
    }
    changed.notify_all();
    watcher.join();
  }

  std::unique_ptr<HttpLink> Take() {
    std::vector<Idle> expired;  // closed after the lock is released
    const std::scoped_lock lock(mutex);
    const SteadyTime oldest = std::chrono::steady_clock::now() - kIdleLimit;
    while (!idle.empty() && idle.front().since < oldest) {
      expired.push_back(std::move(idle.front()));
      idle.erase(idle.begin());
    }
    if (idle.empty()) return nullptr;
    std::unique_ptr<HttpLink> link = std::move(idle.back().link);
    idle.pop_back();
    return link;
  }

  void GiveBack(std::unique_ptr<HttpLink> link) {
    const std::scoped_lock lock(mutex);
    idle.push_back({std::move(link), std::chrono::steady_clock::now()});
  }

  std::uint64_t Begin(HttpLink* link, SteadyTime deadline) {
    const std::scoped_lock lock(mutex);
    const std::uint64_t id = ++last_id;
    const bool soonest = !next_deadline || deadline < *next_deadline;
    watches.emplace(id, Watch{deadline, link, false});
    if (soonest) changed.notify_all();
    return id;
  }

  // After it returns the watcher does not touch the link.
  void Finish(std::uint64_t id) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return !watches.at(id).aborting; });
    watches.erase(id);
  }

  void WatchLoop() {
    std::unique_lock lock(mutex);
    while (!closed) {
      const SteadyTime now = std::chrono::steady_clock::now();
      next_deadline.reset();
      Watch* due = nullptr;
      for (auto& [id, watch] : watches) {
        if (watch.link == nullptr) continue;  // aborted already
        if (watch.deadline <= now) due = &watch;
        if (!next_deadline || watch.deadline < *next_deadline) next_deadline = watch.deadline;
      }
      if (due != nullptr) {
        HttpLink* link = due->link;
        due->aborting = true;
        due->link = nullptr;
        lock.unlock();
        link->Abort();
        lock.lock();
        due->aborting = false;  // a map's nodes stay where they are, and Finish waits for this
        changed.notify_all();
      } else if (next_deadline) {
        changed.wait_until(lock, *next_deadline);
      } else {
        changed.wait(lock);
      }
    }
  }

  const HttpOptions options;
  const HttpLinkFactory factory;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Idle> idle;
  std::map<std::uint64_t, Watch> watches;
  std::optional<SteadyTime> next_deadline;
  std::uint64_t last_id = 0;
  bool closed = false;
  std::thread watcher;
};

HttpClient::HttpClient(HttpOptions options, HttpLinkFactory factory)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(factory))) {}
HttpClient::~HttpClient() = default;

const HttpOptions& HttpClient::options() const { return impl_->options; }

HttpAnswer HttpClient::Call(const HttpCall& call, Millis timeout) {
  std::unique_ptr<HttpLink> link = impl_->Take();
  if (link == nullptr) link = impl_->factory(impl_->options);
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  const std::uint64_t watch = impl_->Begin(link.get(), deadline);
  HttpAnswer answer = link->Do(call, deadline);
  impl_->Finish(watch);
  // After a fault the connection's state is not known, or there is none.
  if (answer.fate == HttpFate::kAnswered) impl_->GiveBack(std::move(link));
  return answer;
}

}  // namespace zhitui::delivery
