#include "pipeline/pipeline.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <thread>

#include "pipeline/core.h"
#include "pipeline/decider.h"
#include "pipeline/planner.h"
#include "pipeline/reader.h"
#include "pipeline/sender.h"

namespace zhitui::pipeline {
namespace {

constexpr std::string_view kClockKey = "clock";
constexpr std::size_t kCountPage = 1000;
constexpr Millis kPollWait{100};
constexpr Millis kStoreClockEvery{500};
constexpr Millis kSendWait{5};
constexpr Millis kBackoffMin{100};
constexpr Millis kBackoffMax{5000};

Instant CeilHour(Instant at) { return std::chrono::ceil<std::chrono::hours>(at); }

}  // namespace

struct Pipeline::Impl {
  Impl(Options o, Parts p)
      : core(std::move(o), std::move(p)),
        decider(core),
        planner(core),
        sender(core),
        reader(core, [this](const Record& r) { return decider.RecordedAt(r); }) {}

  Core core;
  Decider decider;
  Planner planner;
  Sender sender;
  Reader reader;
  std::atomic<bool> ready{false};
  std::mutex wake_mutex;
  std::condition_variable wake;
  std::uint64_t clock_version = 0;
  std::mutex published_mutex;
  std::shared_ptr<const RuleBook> published;  // waits for the decide loop to take it up

  // Between two batches.
  void TakeUpPublished() {
    std::shared_ptr<const RuleBook> book;
    {
      const std::scoped_lock lock(published_mutex);
      book = std::exchange(published, nullptr);
    }
    if (book == nullptr) return;
    core.log().Info("rules_taken_up", {{"ruleset", book->ruleset->hash()}, {"rules", book->ruleset->rules().size()}});
    core.SetBook(std::move(book));
    decider.MarkAll();
  }

  // Applies what is in hand, up to the gate. Kept until it is applied: a failed batch is tried again as it was.
  std::vector<Record> inputs;
  std::vector<Record> decisions;

  Result<std::size_t> ApplyInHand(std::optional<Instant> gate) {
    std::size_t n = 0;
    if (inputs.empty()) inputs = reader.TakeInputs(core.options.batch, gate);
    if (!inputs.empty()) {
      if (Status s = decider.Apply(inputs, reader.Partitions()); !s) return std::unexpected(s.error());
      n += inputs.size();
      inputs.clear();
    }
    if (decisions.empty()) decisions = reader.TakeDecisions(core.options.batch);
    if (!decisions.empty()) {
      if (Status s = planner.Plan(decisions); !s) return std::unexpected(s.error());
      n += decisions.size();
      decisions.clear();
      wake.notify_one();
    }
    if (n > 0) {
      if (Status s = reader.CommitTaken(); !s) return std::unexpected(s.error());
    }
    return n;
  }

  Status Reassign() {
    std::vector<Shard> gained;
    if (!reader.Reassigned(&gained)) return {};
    inputs.clear();
    decisions.clear();
    core.log().Info("shards_owned", {{"count", core.Owned().count()}, {"gained", gained.size()}});
    return decider.TakeOver(gained);
  }

  // One round of the decide side in real time.
  Result<std::size_t> Round() {
    TakeUpPublished();
    Result<std::size_t> read = reader.Fill(decider.marking() ? Millis(0) : kPollWait);
    if (!read) return read;
    if (Status s = Reassign(); !s) return std::unexpected(s.error());
    if (decider.marking()) {
      if (Status s = decider.MarkSome(); !s) return std::unexpected(s.error());
    }
    Result<std::size_t> n = ApplyInHand(std::nullopt);
    if (!n) return n;
    if (reader.CaughtUp()) {
      if (reader.Empty()) ready = true;
      // Time events fire only once the input has been read to the end seen at start.
      Result<std::size_t> fired = decider.FireDues(core.Now());
      if (!fired) return fired;
      *n += *fired;
    }
    return n;
  }

  Status StoreClock(Instant at) {
    store::Transaction t;
    t.shard = 0;
    t.writes.push_back({store::Space::kMeta, std::string(kClockKey), clock_version,
                        std::to_string(at.time_since_epoch().count()), std::nullopt});
    Result<std::vector<store::Applied>> applied = core.parts.store->Apply({&t, 1});
    if (!applied) return std::unexpected(applied.error());
    if ((*applied)[0] == store::Applied::kConflict) return Fatal("another process drives this store's clock");
    ++clock_version;
    return {};
  }

  Result<std::optional<Instant>> LoadClock() {
    const store::RecordKey key{0, store::Space::kMeta, std::string(kClockKey)};
    Result<std::vector<store::StoredRecord>> stored = core.parts.store->Load({&key, 1});
    if (!stored) return std::unexpected(stored.error());
    clock_version = (*stored)[0].version;
    if (clock_version == 0) return std::optional<Instant>{};
    return std::optional<Instant>(Instant(Millis(std::stoll((*stored)[0].value))));
  }

  // Replay: the next instant at which anything happens.
  std::optional<Instant> NextInstant() const {
    std::optional<Instant> next = reader.Head();
    const auto sooner = [&](std::optional<Instant> at) {
      if (at && (!next || *at < *next)) next = at;
    };
    const std::bitset<kShards> owned = core.Owned();
    sooner(core.due_book.Earliest(owned, kTimeQueue));
    for (const Channel c : kChannels) sooner(core.due_book.Earliest(owned, SendQueue(c)));
    return next;
  }

  // Replay: everything that can happen at or before `now`; true when nothing is left to do.
  Result<bool> SettleOnce(Instant now) {
    const bool waiting = !reader.HeadsKnown();
    Result<std::size_t> read = reader.Fill(waiting || core.ExpectedCount() > 0 ? Millis(20) : Millis(0));
    if (!read) return std::unexpected(read.error());
    if (Status s = Reassign(); !s) return std::unexpected(s.error());
    Result<std::size_t> applied = ApplyInHand(now);
    if (!applied) return std::unexpected(applied.error());
    if (*applied > 0 || *read > 0) return false;
    if (!reader.HeadsKnown()) return false;
    const std::optional<Instant> head = reader.Head();
    if (head && *head <= now) return false;
    ready = true;
    Result<std::size_t> fired = decider.FireDues(now);
    if (!fired) return std::unexpected(fired.error());
    if (*fired > 0 || core.ExpectedCount() > 0) return false;
    // Only now, so that what is sent was checked against everything known at this instant.
    Result<std::size_t> moved = sender.Step(now, kSendWait);
    if (!moved) return std::unexpected(moved.error());
    if (*moved > 0) return false;
    if (sender.in_flight() > 0) return false;
    if (sender.waiting() > 0 || sender.ExpectedReceipts() > 0) {
      std::this_thread::sleep_for(Millis(2));
      return false;
    }
    return true;
  }

  Status FinishSends(Instant now, Millis drain) {
    sender.StopClaiming();
    const auto until = std::chrono::steady_clock::now() + drain;
    while (sender.in_flight() > 0 && std::chrono::steady_clock::now() < until) {
      if (Result<std::size_t> moved = sender.Step(now, Millis(50)); !moved) return std::unexpected(moved.error());
    }
    return {};
  }
};

Pipeline::Pipeline(Options options, Parts parts)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(parts))) {}
Pipeline::~Pipeline() = default;

Status Pipeline::Run(const std::atomic<bool>& stop, Millis drain) {
  Impl& p = *impl_;
  std::atomic<bool> stop_sends{false};
  Status send_status;
  std::mutex status_mutex;
  // A dependency that is away is waited for, with growing pauses; anything else stops the process.
  const auto survive = [&](const Error& error, Millis& backoff, const char* where) {
    if (error.kind != ErrorKind::kUnavailable && error.kind != ErrorKind::kDeadline) return false;
    p.core.log().Warn("dependency_unavailable",
                      {{"where", where}, {"error", error.message}, {"retry_in_ms", backoff.count()}});
    std::this_thread::sleep_for(backoff);
    backoff = std::min(backoff * 2, kBackoffMax);
    return true;
  };
  std::thread sends([&] {
    Millis backoff = kBackoffMin;
    while (!stop_sends) {
      if (!p.ready) {
        std::unique_lock lock(p.wake_mutex);
        p.wake.wait_for(lock, Millis(20));
        continue;
      }
      Result<std::size_t> moved = p.sender.Step(p.core.Now(), Millis(20));
      if (!moved) {
        if (survive(moved.error(), backoff, "send")) continue;
        const std::scoped_lock lock(status_mutex);
        send_status = std::unexpected(moved.error());
        return;
      }
      backoff = kBackoffMin;
      if (*moved == 0 && p.sender.in_flight() == 0) {
        std::unique_lock lock(p.wake_mutex);
        p.wake.wait_for(lock, Millis(50));
      }
    }
  });
  Status status;
  Millis backoff = kBackoffMin;
  while (!stop) {
    {
      const std::scoped_lock lock(status_mutex);
      if (!send_status) break;
    }
    Result<std::size_t> n = p.Round();
    if (n) {
      backoff = kBackoffMin;
      continue;
    }
    if (survive(n.error(), backoff, "decide")) continue;
    status = std::unexpected(n.error());
    break;
  }
  p.core.log().Info("draining", {{"in_flight", p.core.parts.dispatcher->in_flight()}});
  stop_sends = true;
  p.wake.notify_one();
  sends.join();
  if (status && !send_status) status = send_status;
  Status finished = p.FinishSends(p.core.Now(), drain);
  Status closed = p.reader.Close(drain);
  if (!status) return status;
  return !finished ? finished : closed;
}

Status Pipeline::Replay(DrivenClock& clock, Instant until, const std::atomic<bool>& stop,
                        const std::function<void(Instant now, const Totals&)>& progress) {
  Impl& p = *impl_;
  p.core.TrackExpected(true);
  p.sender.TrackReceipts();
  Result<std::optional<Instant>> stored = p.LoadClock();
  if (!stored) return std::unexpected(stored.error());
  if (*stored) clock.AdvanceTo(**stored);
  auto told = std::chrono::steady_clock::now();
  auto stored_at = told;
  while (!stop) {
    Result<bool> settled = p.SettleOnce(clock.Now());
    if (!settled) return std::unexpected(settled.error());
    if (const auto now = std::chrono::steady_clock::now(); progress && now - told > std::chrono::seconds(1)) {
      told = now;
      progress(clock.Now(), totals());
    }
    if (!*settled) continue;
    if (clock.Now() >= until) break;
    const std::optional<Instant> next = p.NextInstant();
    clock.AdvanceTo(next ? std::min(CeilHour(std::max(*next, clock.Now() + Millis(1))), until) : until);
    // A resumed clock may start a little early: what was settled since stays settled.
    if (const auto now = std::chrono::steady_clock::now(); now - stored_at > kStoreClockEvery) {
      stored_at = now;
      if (Status s = p.StoreClock(clock.Now()); !s) return s;
    }
  }
  if (Status s = p.StoreClock(clock.Now()); !s) return s;
  Status finished = p.FinishSends(clock.Now(), Millis(10'000));
  Status closed = p.reader.Close(Millis(5'000));
  if (progress) progress(clock.Now(), totals());
  return !finished ? finished : closed;
}

Result<std::optional<Instant>> Pipeline::StoredClock() { return impl_->LoadClock(); }

Result<std::optional<SubjectView>> Pipeline::ReadSubject(const std::string& kind, const std::string& id) {
  const store::RecordKey key{ShardOf(id), store::Space::kSubject, SubjectKey(kind, id)};
  Result<std::vector<store::StoredRecord>> stored = impl_->core.parts.store->Load({&key, 1});
  if (!stored) return std::unexpected(stored.error());
  const std::shared_ptr<const RuleBook> book = impl_->core.Book();
  Result<std::optional<SubjectView>> view = Core::View(*book->ruleset, kind, (*stored)[0].value);
  if (view && *view) (*view)->ruleset = book->ruleset;
  return view;
}

Status Pipeline::Publish(std::shared_ptr<const rules::RuleSet> ruleset,
                         std::shared_ptr<const message::TemplateSet> templates) {
  const std::shared_ptr<const rules::RuleSet> now = impl_->core.Book()->ruleset;
  for (const std::string& kind : now->kinds()) {
    if (ruleset->SchemaOf(kind) == nullptr) return Invalid("facts about a " + kind + " are no longer declared");
  }
  std::shared_ptr<const RuleBook> book = RuleBook::Make(std::move(ruleset), std::move(templates));
  const std::scoped_lock lock(impl_->published_mutex);
  impl_->published = std::move(book);
  return {};
}

std::shared_ptr<const rules::RuleSet> Pipeline::ruleset() const { return impl_->core.Book()->ruleset; }

Status Pipeline::Append(const std::vector<Record>& records) {
  return impl_->core.parts.sink->Produce(records, impl_->core.options.produce_deadline);
}

std::string Pipeline::InputTopicOf(const std::string& kind) const {
  for (const auto& [topic, decode] : impl_->core.options.inputs) {
    if (decode.format == facts::Format::kCloudEvents && (decode.kind == kind || decode.kind.empty())) return topic;
  }
  return {};
}

Result<delivery::CallbackReply> Pipeline::Callback(const std::string& connector,
                                                   const delivery::CallbackRequest& request) {
  const std::shared_ptr<delivery::Connector> by = impl_->core.parts.dispatcher->Named(connector);
  if (!by) return Invalid("no such connector");
  delivery::CallbackReply reply = by->ParseCallback(request);
  if (!reply.receipts.empty()) {
    if (Status s = impl_->sender.Receive(by->receipt_scope(), reply.receipts); !s) return std::unexpected(s.error());
  }
  return reply;
}

bool Pipeline::Ready() const { return impl_->ready && impl_->core.parts.store->Ping().has_value(); }

Totals Pipeline::totals() const {
  Counters& c = impl_->core.counters;
  Totals t;
  t.events = c.events;
  t.applied = c.applied;
  t.replayed = c.replayed;
  t.stale = c.stale;
  t.dead_letters = c.dead_letters;
  t.dues = c.dues;
  t.evaluations = c.evaluations;
  t.decisions = c.decisions;
  t.planned = c.planned;
  t.suppressed = c.suppressed;
  t.attempts = c.attempts;
  t.receipts = c.receipts;
  const std::scoped_lock lock(c.mutex);
  t.decisions_by = c.decisions_by;
  return t;
}

Result<Pipeline::LedgerCount> Pipeline::CountLedger() {
  LedgerCount count;
  for (std::uint32_t shard = 0; shard < kShards; ++shard) {
    std::string cursor;
    std::map<std::string, bool> seen;  // a scan may give a record twice
    do {
      Result<store::ScanPage> page =
          impl_->core.parts.store->Scan(static_cast<Shard>(shard), store::Space::kNotification, cursor, kCountPage);
      if (!page) return std::unexpected(page.error());
      for (const auto& [key, record] : page->records) {
        if (!seen.emplace(key, true).second) continue;
        Result<delivery::Notification> n = delivery::Notification::Decode(record.value);
        if (!n) return std::unexpected(n.error());
        const char* state = delivery::NotificationStateName(n->state);
        ++count.by_state[state];
        if (!n->channels.empty()) ++count.by_channel[std::string(ChannelName(n->channel()))][state];
        if (!n->reason.empty() &&
            (n->state == delivery::NotificationState::kSuppressed || n->state == delivery::NotificationState::kFailed ||
             n->state == delivery::NotificationState::kExpired)) {
          ++count.by_reason[n->reason];
        }
        for (const delivery::Attempt& a : n->attempts) {
          switch (a.state) {
            case delivery::AttemptState::kAccepted:
            case delivery::AttemptState::kDelivered:
            case delivery::AttemptState::kRead:
            case delivery::AttemptState::kUndelivered:
              ++count.accepted_by_connector[a.connector];
              break;
            case delivery::AttemptState::kClaimed:
            case delivery::AttemptState::kUnknown:
            case delivery::AttemptState::kParked:
              count.unknown.push_back(a.id);
              break;
            case delivery::AttemptState::kRejected:
              break;
          }
        }
      }
      cursor = page->next_cursor;
    } while (!cursor.empty());
  }
  return count;
}

}  // namespace zhitui::pipeline
