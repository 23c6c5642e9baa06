#pragma once

// The decide half: input records and time events -> profiles, standings, dues, decisions, dead letters.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/core.h"

namespace zhitui::pipeline {

class Decider {
 public:
  explicit Decider(Core& core) : core_(core) {}

  // Applies records in order. On success all of it is durable, the outboxes are drained and the dead letters produced:
  // the records' offsets may be committed. `partitions`: partition count by topic, to find records on a wrong
  // partition.
  Status Apply(const std::vector<Record>& records, const std::map<std::string, std::int32_t>& partitions);

  // Fires time events due at or before `upto`; gives how many subjects were looked at (0: none is due).
  Result<std::size_t> FireDues(Instant upto);

  // Shards this instance has just got: drains what a predecessor left, learns their dues, and marks every subject for
  // evaluation when the ruleset is another one.
  Status TakeOver(const std::vector<Shard>& gained);

  // After other rules were published: the owned shards are to be marked, a few with each call of MarkSome.
  void MarkAll();
  bool marking() const { return !to_mark_.empty(); }
  Status MarkSome();

  // When the event was recorded, for Replay's gate: nullopt when the record cannot be decoded (it may pass at once).
  std::optional<Instant> RecordedAt(const Record& record) const;

 private:
  struct Pending;
  struct Group;
  struct Computed;

  Status Settle(std::vector<Group>& groups);
  struct Lane;  // what one thread works with
  Computed Compute(const RuleBook& book, const Group& group, const store::StoredRecord& stored, Lane& lane) const;
  // Marks the subjects of shards that were last marked for another ruleset.
  Status Mark(std::span<const Shard> shards);
  Status Write(std::vector<Group*>& open, std::vector<Computed>& computed, std::vector<Shard>& touched);
  void DeadLetter(const Record& record, const std::string& reason, const std::string& detail);
  Status FlushDeadLetters();

  Core& core_;
  std::vector<Shard> to_mark_;
  std::vector<Record> dead_letters_;
};

// One notification's move, for subscribers of the deliveries topic.
Record DeliveryRecord(const Topics& topics, const delivery::Notification& n, const decide::Decision& decision,
                      Instant now);

}  // namespace zhitui::pipeline
