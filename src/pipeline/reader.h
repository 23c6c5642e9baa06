#pragma once

// Reads the sources and hands out records in order: all of them (Run), or only what was recorded up to a gate (Replay).
// Knows what may be committed. One thread.

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/core.h"

namespace zhitui::pipeline {

class Reader {
 public:
  using RecordedAt = std::function<std::optional<Instant>(const Record&)>;
  Reader(Core& core, RecordedAt recorded_at) : core_(core), recorded_at_(std::move(recorded_at)) {}

  // Reads what the sources have, waiting at most `timeout` when nothing is in hand. Gives how many records came in.
  Result<std::size_t> Fill(Millis timeout);

  // Takes up to `max` input records recorded at or before `gate` / decision records, in partition order.
  std::vector<Record> TakeInputs(std::size_t max, std::optional<Instant> gate);
  std::vector<Record> TakeDecisions(std::size_t max);
  // Commits everything taken so far; call when it has been applied.
  Status CommitTaken();

  // True when Fill saw another set of partitions; `gained` then has the shards that are new.
  bool Reassigned(std::vector<Shard>* gained);

  bool CaughtUp() const;  // every partition read to the end seen at assignment
  // Every input partition is read to the end or has its next record in hand, and every decision there was is in: Head
  // tells what comes next.
  bool HeadsKnown() const;
  // The earliest recorded time in hand; nullopt: nothing is held back.
  std::optional<Instant> Head() const;
  std::map<std::string, std::int32_t> Partitions() const;  // partition count by topic
  bool Empty() const;                                      // nothing in hand
  Status Close(Millis deadline);

 private:
  struct Held {
    Record record;
    Instant recorded{};  // inputs; a record that cannot be decoded passes with the one before it
  };
  struct Lane {
    std::deque<Held> held;
    bool decisions = false;
    bool paused = false;
    bool taken = false;  // something was taken since the last commit
    Instant last_recorded{};
  };
  using LaneKey = std::pair<std::size_t, std::string>;  // source index, "topic/partition"

  Status Relieve();

  Core& core_;
  RecordedAt recorded_at_;
  std::map<LaneKey, Lane> lanes_;
  std::vector<std::uint64_t> generations_;
  bool first_ = true;
  bool reassigned_ = false;
  std::vector<Shard> gained_;
};

}  // namespace zhitui::pipeline
