#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "delivery/delivery.h"

namespace zhitui::delivery {
namespace {

// Tokens of FCM have a colon too, behind 22 characters.
constexpr std::size_t kMaxConnectorName = 20;

bool IsConnectorName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxConnectorName &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

}  // namespace

// One mutex guards the small bookkeeping; sends run outside it.
struct Dispatcher::Impl {
  struct Lane {
    std::shared_ptr<Connector> connector;
    std::deque<Job> waiting;
    std::size_t outstanding = 0;  // submitted and not collected
    std::size_t running = 0;      // of them those that have not ended
    Breaker breaker;
    std::condition_variable work;
    std::vector<std::thread> threads;
  };
  struct Finished {
    Done done;
    Lane* lane = nullptr;
  };

  Impl(std::vector<std::shared_ptr<Connector>> connectors, std::size_t threads, std::size_t queue) : limit(queue) {
    for (std::shared_ptr<Connector>& connector : connectors) {
      lanes.push_back(std::make_unique<Lane>());
      lanes.back()->connector = std::move(connector);
    }
    for (const auto& lane : lanes) {
      // An asynchronous connector needs a thread only for what it is asked.
      const std::size_t wanted = lane->connector->asynchronous() ? 1 : std::max<std::size_t>(threads, 1);
      for (std::size_t i = 0; i < wanted; ++i) {
        lane->threads.emplace_back([this, l = lane.get()] { Work(*l); });
      }
    }
  }

  ~Impl() {
    Close();
    for (const auto& lane : lanes) {
      for (std::thread& thread : lane->threads) thread.join();
    }
    std::unique_lock lock(mutex);
    arrived.wait(lock, [&] { return begun == 0; });
  }

  // With the mutex held.
  std::size_t Room(const Lane& lane) const {
    if (closed || lane.outstanding >= limit) return 0;
    return lane.breaker.Allow(limit - lane.outstanding, lane.running, std::chrono::steady_clock::now());
  }
  void End(Lane& lane, Done done) {
    --lane.running;
    if (!done.query) lane.breaker.Record(done.result.verdict, std::chrono::steady_clock::now());
    finished.push_back({std::move(done), &lane});
  }

  Lane* Find(std::string_view name) const {
    for (const auto& lane : lanes) {
      if (lane->connector->name() == name) return lane.get();
    }
    return nullptr;
  }

  void Close() {
    {
      const std::scoped_lock lock(mutex);
      if (closed) return;
      closed = true;
    }
    for (const auto& lane : lanes) lane->connector->Close();
    const std::scoped_lock lock(mutex);
    for (const auto& lane : lanes) {
      for (Job& job : lane->waiting) {
        Done done;
        done.query = job.query;
        done.found = job.query ? Found::kNotYet : Found::kYes;
        done.result.verdict = job.query ? Verdict::kUnknown : Verdict::kNotSent;
        done.result.code = "shutdown";
        done.request = std::move(job.request);
        --lane->running;
        finished.push_back({std::move(done), lane.get()});
      }
      lane->waiting.clear();
      lane->work.notify_all();
    }
    arrived.notify_all();
  }

  static Done Run(Connector& connector, Job job) {
    Done done;
    done.query = job.query;
    done.request = std::move(job.request);
    try {
      if (job.query) {
        QueryResult answer = connector.Query(done.request);
        done.found = answer.found;
        done.result = std::move(answer.result);
      } else {
        done.result = connector.Send(done.request);
      }
    } catch (const std::exception&) {
      done.found = job.query ? Found::kNotYet : Found::kYes;
      done.result = SendResult{};
      done.result.code = "exception";
    }
    return done;
  }

  void Work(Lane& lane) {
    std::unique_lock lock(mutex);
    while (true) {
      lane.work.wait(lock, [&] { return closed || !lane.waiting.empty(); });
      if (lane.waiting.empty()) return;
      Job job = std::move(lane.waiting.front());
      lane.waiting.pop_front();
      lock.unlock();
      Done done = Run(*lane.connector, std::move(job));
      lock.lock();
      End(lane, std::move(done));
      arrived.notify_one();
    }
  }

  // Without the mutex: `done` may be called before Begin returns.
  void Begin(Lane& lane, Job job) {
    const auto held = std::make_shared<Job>(std::move(job));
    const auto settle = [this, &lane, held](SendResult result) {
      Done done;
      done.request = std::move(held->request);
      done.result = std::move(result);
      const std::scoped_lock lock(mutex);
      --begun;
      End(lane, std::move(done));
      // All: Collect and the destructor may both be waiting.
      arrived.notify_all();
    };
    lane.connector->Begin(held->request, settle);
  }

  const std::size_t limit;
  mutable std::mutex mutex;
  std::condition_variable arrived;
  std::vector<std::unique_ptr<Lane>> lanes;
  std::deque<Finished> finished;
  std::size_t in_flight = 0;
  std::size_t begun = 0;  // sends of asynchronous connectors that have not ended
  bool closed = false;
};

Dispatcher::Dispatcher(std::vector<std::shared_ptr<Connector>> connectors, std::size_t threads, std::size_t queue)
    : impl_(std::make_unique<Impl>(std::move(connectors), threads, queue)) {}
Dispatcher::~Dispatcher() = default;

void Dispatcher::Close() { impl_->Close(); }

void Dispatcher::Start(const Intake& intake) {
  for (const auto& lane : impl_->lanes) lane->connector->Start(intake);
}

Dispatcher::Route Dispatcher::RouteFor(Channel channel, std::string_view contact) const {
  const std::size_t colon = contact.find(':');
  if (colon != std::string_view::npos && IsConnectorName(contact.substr(0, colon))) {
    const Impl::Lane* lane = impl_->Find(contact.substr(0, colon));
    if (lane == nullptr || lane->connector->channel() != channel) return {};
    return {lane->connector.get(), std::string(contact.substr(colon + 1))};
  }
  for (const auto& lane : impl_->lanes) {
    if (lane->connector->channel() == channel) return {lane->connector.get(), std::string(contact)};
  }
  return {};
}

std::shared_ptr<Connector> Dispatcher::Named(std::string_view name) const {
  const Impl::Lane* lane = impl_->Find(name);
  return lane == nullptr ? nullptr : lane->connector;
}

std::size_t Dispatcher::Room(const std::string& connector) const {
  const Impl::Lane* lane = impl_->Find(connector);
  const std::scoped_lock lock(impl_->mutex);
  return lane == nullptr ? 0 : impl_->Room(*lane);
}

std::vector<std::pair<std::string, bool>> Dispatcher::Silent() const {
  const std::scoped_lock lock(impl_->mutex);
  std::vector<std::pair<std::string, bool>> out;
  for (const auto& lane : impl_->lanes) out.emplace_back(lane->connector->name(), lane->breaker.open());
  return out;
}

bool Dispatcher::Submit(const std::string& connector, Job job) {
  Impl::Lane* lane = impl_->Find(connector);
  {
    const std::scoped_lock lock(impl_->mutex);
    if (lane == nullptr || impl_->closed || lane->outstanding >= impl_->limit) return false;
    ++lane->outstanding;
    ++lane->running;
    ++impl_->in_flight;
    if (job.query || !lane->connector->asynchronous()) {
      lane->waiting.push_back(std::move(job));
      lane->work.notify_one();
      return true;
    }
    ++impl_->begun;
  }
  impl_->Begin(*lane, std::move(job));
  return true;
}

std::size_t Dispatcher::in_flight() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->in_flight;
}

std::vector<Dispatcher::Done> Dispatcher::Collect(Millis timeout) {
  std::unique_lock lock(impl_->mutex);
  impl_->arrived.wait_for(lock, timeout, [&] { return !impl_->finished.empty(); });
  std::vector<Done> out;
  out.reserve(impl_->finished.size());
  for (Impl::Finished& finished : impl_->finished) {
    --finished.lane->outstanding;
    --impl_->in_flight;
    out.push_back(std::move(finished.done));
  }
  impl_->finished.clear();
  return out;
}

}  // namespace zhitui::delivery
