#pragma once

// What the loops of a pipeline share: its parts, the shards it owns, the due book, the outbox drain, counters.

#include <array>
#include <atomic>
#include <bitset>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/engine.h"
#include "pipeline/pipeline.h"
#include "pipeline/record.h"

namespace zhitui::pipeline {

// A lower bound of the earliest due instant of each shard and queue, so that a tick asks the store only about shards
// that have something due. Thread-safe.
class DueBook {
 public:
  static constexpr std::size_t kQueues = store::kMaxDueQueue + 1;

  void Note(Shard shard, store::DueQueue queue, Instant at);
  // Shards of `owned` that may have an entry of `queue` at or before `upto`.
  std::vector<Shard> Candidates(const std::bitset<kShards>& owned, store::DueQueue queue, Instant upto) const;
  std::optional<Instant> Earliest(const std::bitset<kShards>& owned, store::DueQueue queue) const;
  void Clear();

  // Sets the exact answers of the store, except where Note came in between.
  class Refresh {
   public:
    Refresh(DueBook& book, std::span<const Shard> shards, store::DueQueue queue);
    void Commit(std::span<const std::optional<Instant>> next);

   private:
    DueBook& book_;
    std::vector<Shard> shards_;
    store::DueQueue queue_;
    std::vector<std::uint64_t> seen_;
  };

 private:
  struct Cell {
    Instant at = Instant::max();
    std::uint64_t notes = 0;
  };
  mutable std::mutex mutex_;
  std::array<std::array<Cell, kShards>, kQueues> cells_{};
};

struct Counters {
  std::atomic<std::uint64_t> events{0}, applied{0}, replayed{0}, stale{0}, dead_letters{0}, dues{0}, evaluations{0},
      decisions{0}, planned{0}, suppressed{0}, attempts{0}, receipts{0};
  std::mutex mutex;
  std::map<std::string, std::uint64_t> decisions_by;
};

// What is decided by and told with. Immutable; replaced as a whole. Whoever works with it holds it for one batch.
struct RuleBook {
  std::shared_ptr<const rules::RuleSet> ruleset;  // nullptr: a pipeline that only looks at the store
  std::shared_ptr<const message::TemplateSet> templates;
  std::map<std::string, std::shared_ptr<const engine::Engine>, std::less<>> engines;  // by kind

  static std::shared_ptr<const RuleBook> Make(std::shared_ptr<const rules::RuleSet> ruleset,
                                              std::shared_ptr<const message::TemplateSet> templates);
};

class Core {
 public:
  Core(Options o, Parts p);

  Options options;
  Parts parts;
  Counters counters;
  DueBook due_book;

  std::shared_ptr<const RuleBook> Book() const;
  void SetBook(std::shared_ptr<const RuleBook> book);

  Instant Now() const { return parts.clock->Now(); }
  Instant RealNow() const { return parts.real_clock->Now(); }
  Logger& log() const { return *parts.logger; }

  // The topic that carries a kind's CloudEvents; empty: none.
  std::string InputTopicOf(const std::string& kind) const;

  // Store.Apply that also keeps the due book.
  Result<std::vector<store::Applied>> Apply(std::span<const store::Transaction> transactions);
  // Due entries of a queue in the owned shards, at most about `limit`; refreshes the book of the shards it asked.
  Result<std::vector<store::DueEntry>> TakeDue(store::DueQueue queue, Instant upto, std::size_t limit);
  Status RefreshDue(std::span<const Shard> shards, store::DueQueue queue);

  // Produces what the outboxes of these shards hold, then acknowledges it. One drain at a time.
  Status Drain(std::span<const Shard> shards);

  std::bitset<kShards> Owned() const;
  void SetOwned(const std::bitset<kShards>& owned);

  // Decision records produced by this process that its own deliver loop has not seen yet (Replay waits for them).
  void Expect(const std::string& ce_id);
  void Seen(const std::string& ce_id);
  std::size_t ExpectedCount() const;
  void TrackExpected(bool on) { track_expected_ = on; }

  // A subject's record: what it holds, or nothing.
  static Result<std::optional<SubjectView>> View(const rules::RuleSet& ruleset, const std::string& kind,
                                                 const std::string& value);

  struct {
    Counter* events;
    Counter* dead_letters;
    Counter* decisions;
    Counter* dues;
    Counter* evaluations;
    Histogram* batch_seconds;
  } metrics{};

 private:
  mutable std::mutex book_mutex_;
  std::shared_ptr<const RuleBook> book_;
  mutable std::mutex owned_mutex_;
  std::bitset<kShards> owned_;
  std::mutex drain_mutex_;
  mutable std::mutex expected_mutex_;
  std::unordered_set<std::string> expected_;
  std::atomic<bool> track_expected_{false};
};

}  // namespace zhitui::pipeline
