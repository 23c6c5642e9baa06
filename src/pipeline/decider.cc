#include "pipeline/decider.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <unordered_map>

namespace zhitui::pipeline {
namespace {

constexpr int kConflictRetries = 16;
constexpr std::size_t kParallelFrom = 64;
constexpr std::size_t kScanPage = 500;
constexpr std::size_t kMarkedAtOnce = 16;  // shards, between two batches
constexpr std::string_view kRulesetKey = "ruleset";

// fn(i, lane) for i in [0, n), split over `lanes` threads.
template <class Fn>
void ForEach(std::size_t n, std::size_t lanes, const Fn& fn) {
  if (lanes <= 1 || n < kParallelFrom) {
    for (std::size_t i = 0; i < n; ++i) fn(i, 0);
    return;
  }
  std::vector<std::thread> threads;
  threads.reserve(lanes - 1);
  const auto run = [&](std::size_t lane) {
    for (std::size_t i = lane; i < n; i += lanes) fn(i, lane);
  };
  for (std::size_t lane = 1; lane < lanes; ++lane) threads.emplace_back(run, lane);
  run(0);
  for (std::thread& t : threads) t.join();
}

Record DecisionRecord(const std::string& topic, const decide::Decision& d, const std::string& json, std::string id,
                      const std::string& key, const decide::Recipient* recipient) {
  Record r;
  r.topic = topic;
  r.key = key;
  r.headers = CloudEventHeaders(std::move(id), std::string("zhitui.decision.") + decide::TransitionName(d.transition),
                                d.subject, d.at);
  r.headers.push_back({"ce_decision", d.id});
  if (recipient != nullptr) {
    r.headers.push_back({"ce_recipient", recipient->id});
    r.headers.push_back({"ce_recipientkind", recipient->kind});
  }
  r.value = json;
  return r;
}

}  // namespace

struct Decider::Pending {
  const Record* record = nullptr;  // null: a time event
  std::string source;
  facts::Event event;
  Instant due{};  // of a time event
};

struct Decider::Group {
  std::string kind;
  std::string subject;
  std::string key;
  Shard shard = 0;
  std::vector<Pending> work;
};

struct Decider::Computed {
  store::Transaction transaction;
  bool write = false;
  std::vector<std::pair<const Record*, facts::Refused>> refused;
  std::vector<std::string> decided;  // "<rule> <transition>"
  std::uint64_t applied = 0;
  std::uint64_t replayed = 0;
  std::uint64_t stale = 0;
  std::uint64_t evaluations = 0;
  Status status;
};

std::optional<Instant> Decider::RecordedAt(const Record& record) const {
  const auto input = core_.options.inputs.find(record.topic);
  if (input == core_.options.inputs.end()) return std::nullopt;
  const std::expected<facts::Event, facts::Refused> event = facts::DecodeEvent(record, input->second);
  if (!event) return std::nullopt;
  return std::max(event->recorded, event->time);
}

void Decider::DeadLetter(const Record& record, const std::string& reason, const std::string& detail) {
  Record dead;
  dead.topic = core_.options.topics.dead_letters;
  dead.key = record.key;
  dead.value = record.value;
  dead.headers = record.headers;
  const std::string id = SourceName(record.topic, record.partition) + "/" + std::to_string(record.offset);
  dead.headers.push_back({"zhitui_id", id});
  dead.headers.push_back({"zhitui_reason", reason});
  dead.headers.push_back({"zhitui_detail", detail});
  dead.headers.push_back({"zhitui_topic", record.topic});
  dead.headers.push_back({"zhitui_partition", std::to_string(record.partition)});
  dead.headers.push_back({"zhitui_offset", std::to_string(record.offset)});
  if (record.oversize_bytes > 0) {
    dead.headers.push_back({"zhitui_original_bytes", std::to_string(record.oversize_bytes)});
    if (record.value) dead.headers.push_back({"zhitui_prefix_sha256", Sha256Hex(*record.value)});
  }
  dead_letters_.push_back(std::move(dead));
  ++core_.counters.dead_letters;
  core_.metrics.dead_letters->Add();
  core_.log().Warn("dead_letter", {{"reason", reason},
                                   {"detail", detail},
                                   {"topic", record.topic},
                                   {"partition", record.partition},
                                   {"offset", record.offset}});
}

Status Decider::FlushDeadLetters() {
  if (dead_letters_.empty()) return {};
  Status s = core_.parts.sink->Produce(dead_letters_, core_.options.produce_deadline);
  if (s) dead_letters_.clear();
  return s;
}

Status Decider::Apply(const std::vector<Record>& records, const std::map<std::string, std::int32_t>& partitions) {
  const auto started = std::chrono::steady_clock::now();
  dead_letters_.clear();
  std::vector<Group> groups;
  std::unordered_map<std::string, std::size_t> by_key;
  const Instant limit = core_.Now() + core_.options.max_future;
  const std::shared_ptr<const RuleBook> book = core_.Book();
  for (const Record& record : records) {
    ++core_.counters.events;
    core_.metrics.events->Add();
    const auto input = core_.options.inputs.find(record.topic);
    if (input == core_.options.inputs.end()) {
      DeadLetter(record, "unknown_topic", "no input is configured for this topic");
      continue;
    }
    std::expected<facts::Event, facts::Refused> event = facts::DecodeEvent(record, input->second);
    if (!event) {
      DeadLetter(record, facts::RefusalName(event.error().reason), event.error().detail);
      continue;
    }
    if (book->ruleset->SchemaOf(event->kind) == nullptr) {
      DeadLetter(record, facts::RefusalName(facts::Refusal::kUnknownKind),
                 "no facts are declared for this kind of subject");
      continue;
    }
    if (std::max(event->recorded, event->time) > limit) {
      DeadLetter(record, "time_in_future", "the event's time is ahead of the clock");
      continue;
    }
    const Shard shard = ShardOf(event->subject);
    const auto count = partitions.find(record.topic);
    if (!record.key.empty() && count != partitions.end() && count->second > 1 &&
        static_cast<std::int32_t>(shard & static_cast<unsigned>(count->second - 1)) != record.partition) {
      DeadLetter(record, "wrong_partition", "the record is not on the partition of its key (murmur2_random)");
      continue;
    }
    std::string key = SubjectKey(event->kind, event->subject);
    const auto [it, fresh] = by_key.try_emplace(key, groups.size());
    if (fresh) {
      Group g;
      g.kind = event->kind;
      g.subject = event->subject;
      g.key = std::move(key);
      g.shard = shard;
      groups.push_back(std::move(g));
    }
    Pending p;
    p.record = &record;
    p.source = SourceName(record.topic, record.partition);
    p.event = std::move(*event);
    groups[it->second].work.push_back(std::move(p));
  }
  if (Status s = Settle(groups); !s) return s;
  Status s = FlushDeadLetters();
  core_.metrics.batch_seconds->Observe(
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
  return s;
}

struct Decider::Lane {
  value::Arena arena;
  engine::Scratch scratch;
};

Status Decider::Settle(std::vector<Group>& groups) {
  std::vector<Group*> open;
  open.reserve(groups.size());
  for (Group& g : groups) open.push_back(&g);
  std::vector<Shard> touched;
  const std::size_t lanes = std::max<std::size_t>(1, core_.options.lanes);
  std::vector<Lane> threads(lanes);
  const std::shared_ptr<const RuleBook> book = core_.Book();
  for (int attempt = 0; !open.empty(); ++attempt) {
    if (attempt == kConflictRetries) return Unavailable("subject records keep changing under the decide loop");
    std::vector<store::RecordKey> keys;
    keys.reserve(open.size());
    for (const Group* g : open) keys.push_back({g->shard, store::Space::kSubject, g->key});
    Result<std::vector<store::StoredRecord>> stored = core_.parts.store->Load(keys);
    if (!stored) return std::unexpected(stored.error());
    std::vector<Computed> computed(open.size());
    ForEach(open.size(), lanes, [&](std::size_t i, std::size_t lane) {
      computed[i] = Compute(*book, *open[i], (*stored)[i], threads[lane]);
    });
    if (Status s = Write(open, computed, touched); !s) return s;
  }
  return core_.Drain(touched);
}

// Writes what was computed; groups whose record changed meanwhile stay in `open` for another round.
Status Decider::Write(std::vector<Group*>& open, std::vector<Computed>& computed, std::vector<Shard>& touched) {
  std::vector<store::Transaction> transactions;
  std::vector<std::size_t> of;
  for (std::size_t i = 0; i < open.size(); ++i) {
    if (!computed[i].status) return computed[i].status;
    if (computed[i].write) {
      of.push_back(i);
      transactions.push_back(std::move(computed[i].transaction));
    }
  }
  Result<std::vector<store::Applied>> applied = core_.Apply(transactions);
  if (!applied) return std::unexpected(applied.error());
  std::vector<bool> conflict(open.size(), false);
  for (std::size_t t = 0; t < of.size(); ++t) {
    if ((*applied)[t] == store::Applied::kConflict) conflict[of[t]] = true;
  }
  std::vector<Group*> again;
  for (std::size_t i = 0; i < open.size(); ++i) {
    const Computed& c = computed[i];
    if (conflict[i]) {
      again.push_back(open[i]);
      continue;
    }
    // An outbox may hold entries of an earlier life of this process even when nothing new was written.
    touched.push_back(open[i]->shard);
    for (const auto& [record, why] : c.refused) DeadLetter(*record, facts::RefusalName(why.reason), why.detail);
    core_.counters.applied += c.applied;
    core_.counters.replayed += c.replayed;
    core_.counters.stale += c.stale;
    core_.counters.evaluations += c.evaluations;
    core_.metrics.evaluations->Add(static_cast<double>(c.evaluations));
    if (!c.decided.empty()) {
      core_.counters.decisions += c.decided.size();
      core_.metrics.decisions->Add(static_cast<double>(c.decided.size()));
      const std::scoped_lock lock(core_.counters.mutex);
      for (const std::string& d : c.decided) ++core_.counters.decisions_by[d];
    }
  }
  open = std::move(again);
  return {};
}

Decider::Computed Decider::Compute(const RuleBook& book, const Group& group, const store::StoredRecord& stored,
                                   Lane& lane) const {
  value::Arena& arena = lane.arena;
  std::optional<decide::Shortcut> shortcut;
  if (const auto engine = book.engines.find(group.kind); engine != book.engines.end()) {
    shortcut.emplace(decide::Shortcut{*engine->second, lane.scratch});
  }
  Computed out;
  const rules::RuleSet& ruleset = *book.ruleset;
  const std::shared_ptr<const facts::Schema> schema = ruleset.SchemaOf(group.kind);
  SubjectRecord record;
  facts::Profile profile(schema);
  decide::SubjectState state;
  if (stored.version > 0) {
    Result<SubjectRecord> decoded = SubjectRecord::Decode(stored.value);
    if (!decoded) {
      out.status = std::unexpected(decoded.error());
      return out;
    }
    record = std::move(*decoded);
    if (!record.profile.empty()) {
      Result<facts::Profile> p = facts::Profile::Decode(schema, record.profile);
      Result<decide::SubjectState> s = decide::SubjectState::Decode(record.state);
      if (!p || !s) {
        out.status = std::unexpected(!p ? p.error() : s.error());
        return out;
      }
      profile = std::move(*p);
      state = std::move(*s);
    }
  }
  bool known = !record.profile.empty();
  std::vector<decide::Decision> decisions;
  const auto take = [&](decide::Outcome outcome) {
    out.evaluations += outcome.evaluations;
    for (decide::Decision& d : outcome.decisions) decisions.push_back(std::move(d));
  };

  for (const Pending& p : group.work) {
    if (p.record == nullptr) {
      out.write = true;
      if (!known) continue;
      take(decide::Advance(profile, state, ruleset, group.subject, p.due, arena));
      if (state.ruleset != decide::RulesetTag(ruleset)) {
        decide::Change change;
        change.now = std::max(state.now, p.due);
        change.event_time = change.now;
        take(decide::React(profile, state, ruleset, group.subject, change, arena, shortcut));
      }
      continue;
    }
    if (record.Applied(p.source, p.record->offset)) {
      ++out.replayed;
      continue;
    }
    out.write = true;
    record.MarkApplied(p.source, p.record->offset);
    if (p.event.action == facts::Action::kForget) {
      profile = facts::Profile(schema);
      state = decide::SubjectState{};
      known = false;
      ++out.applied;
      continue;
    }
    decide::Change change;
    change.now = std::max({p.event.recorded, p.event.time, state.now});
    change.event_time = p.event.time;
    change.baseline = p.event.baseline;
    if (known) take(decide::Advance(profile, state, ruleset, group.subject, change.now, arena));
    std::expected<facts::MergeReport, facts::Refused> merged = profile.Merge(p.event);
    if (!merged) {
      out.refused.emplace_back(p.record, merged.error());
      continue;
    }
    ++out.applied;
    if (merged->changed.empty() && merged->stale > 0) ++out.stale;
    known = true;
    change.slots = merged->changed;
    take(decide::React(profile, state, ruleset, group.subject, change, arena, shortcut));
  }
  if (!out.write) return out;

  record.profile = known ? profile.Encode() : std::string();
  record.state = known ? state.Encode() : std::string();
  store::RecordWrite write;
  write.space = store::Space::kSubject;
  write.key = group.key;
  write.expected_version = stored.version;
  write.value = record.Encode();
  if (known) {
    if (const std::optional<Date> due = state.NextDue()) write.due = store::Due{kTimeQueue, kShanghai.StartOf(*due)};
  }
  out.transaction.shard = group.shard;
  out.transaction.writes.push_back(std::move(write));
  for (const decide::Decision& d : decisions) {
    out.decided.push_back(d.rule + " " + decide::TransitionName(d.transition));
    const std::string json = d.ToJson();
    const Topics& topics = core_.options.topics;
    if (d.recipients.empty()) {
      out.transaction.outbox.push_back(
          EncodeOutbox(DecisionRecord(topics.decisions, d, json, d.id, d.subject, nullptr)));
    }
    for (const decide::Recipient& recipient : d.recipients) {
      out.transaction.outbox.push_back(EncodeOutbox(DecisionRecord(
          topics.decisions, d, json, decide::NotificationId(d.id, recipient.id), recipient.id, &recipient)));
    }
    if (!d.topic.empty()) {
      out.transaction.outbox.push_back(
          EncodeOutbox(DecisionRecord(topics.subscription_prefix + d.topic, d, json, d.id, d.subject, nullptr)));
    }
  }
  return out;
}

Result<std::size_t> Decider::FireDues(Instant upto) {
  Result<std::vector<store::DueEntry>> due = core_.TakeDue(kTimeQueue, upto, core_.options.batch);
  if (!due) return std::unexpected(due.error());
  if (due->empty()) return std::size_t{0};
  std::vector<Group> groups;
  for (const store::DueEntry& entry : *due) {
    const std::size_t colon = entry.key.find(':');
    if (entry.space != store::Space::kSubject || colon == std::string::npos) continue;
    Group g;
    g.kind = entry.key.substr(0, colon);
    g.subject = entry.key.substr(colon + 1);
    g.key = entry.key;
    g.shard = entry.shard;
    if (core_.Book()->ruleset->SchemaOf(g.kind) == nullptr) {
      return Invalid("the rules folder no longer declares facts for a kind of subject that is stored: " + g.kind);
    }
    Pending p;
    p.due = upto;
    g.work.push_back(std::move(p));
    groups.push_back(std::move(g));
  }
  core_.counters.dues += groups.size();
  core_.metrics.dues->Add(static_cast<double>(groups.size()));
  if (Status s = Settle(groups); !s) return std::unexpected(s.error());
  return groups.size();
}

Status Decider::TakeOver(const std::vector<Shard>& gained) {
  if (gained.empty()) return {};
  if (Status s = core_.Drain(gained); !s) return s;
  if (Status s = Mark(gained); !s) return s;
  for (store::DueQueue q = 0; q <= kCleanupQueue; ++q) {
    if (Status s = core_.RefreshDue(gained, q); !s) return s;
  }
  return {};
}

void Decider::MarkAll() {
  const std::bitset<kShards> owned = core_.Owned();
  to_mark_.clear();
  for (std::size_t s = 0; s < kShards; ++s) {
    if (owned[s]) to_mark_.push_back(static_cast<Shard>(s));
  }
}

Status Decider::MarkSome() {
  const std::size_t from = to_mark_.size() - std::min(to_mark_.size(), kMarkedAtOnce);
  const std::bitset<kShards> owned = core_.Owned();
  std::vector<Shard> some(to_mark_.begin() + static_cast<std::ptrdiff_t>(from), to_mark_.end());
  std::erase_if(some, [&](Shard s) { return !owned[s]; });  // lost since
  if (Status s = Mark(some); !s) return s;
  to_mark_.resize(from);
  return {};
}

Status Decider::Mark(std::span<const Shard> shards) {
  std::vector<store::RecordKey> keys;
  keys.reserve(shards.size());
  for (const Shard shard : shards) keys.push_back({shard, store::Space::kMeta, std::string(kRulesetKey)});
  Result<std::vector<store::StoredRecord>> known = core_.parts.store->Load(keys);
  if (!known) return std::unexpected(known.error());
  const std::string tag = decide::RulesetTag(*core_.Book()->ruleset);
  const Instant now = core_.Now();
  std::vector<store::Transaction> marks;
  std::uint64_t subjects = 0;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    if ((*known)[i].value == tag) continue;
    if ((*known)[i].version > 0) {
      std::string cursor;
      do {
        Result<store::ScanPage> page = core_.parts.store->Scan(shards[i], store::Space::kSubject, cursor, kScanPage);
        if (!page) return std::unexpected(page.error());
        std::vector<store::Transaction> writes;
        for (auto& [key, record] : page->records) {
          store::Transaction t;
          t.shard = shards[i];
          t.writes.push_back(
              {store::Space::kSubject, key, record.version, std::move(record.value), store::Due{kTimeQueue, now}});
          writes.push_back(std::move(t));
        }
        // A conflict means somebody has just evaluated the subject; with the new ruleset, since this instance owns it.
        if (auto applied = core_.Apply(writes); !applied) return std::unexpected(applied.error());
        subjects += writes.size();
        cursor = page->next_cursor;
      } while (!cursor.empty());
    }
    store::Transaction t;
    t.shard = shards[i];
    t.writes.push_back({store::Space::kMeta, std::string(kRulesetKey), (*known)[i].version, tag, std::nullopt});
    marks.push_back(std::move(t));
  }
  if (auto applied = core_.Apply(marks); !applied) return std::unexpected(applied.error());
  if (subjects > 0) core_.log().Info("ruleset_changed", {{"ruleset", tag}, {"subjects", subjects}});
  return {};
}

}  // namespace zhitui::pipeline
