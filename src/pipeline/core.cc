#include "pipeline/core.h"

#include <algorithm>

namespace zhitui::pipeline {
namespace {
constexpr std::size_t kDrainPerShard = 256;
}  // namespace

void DueBook::Note(Shard shard, store::DueQueue queue, Instant at) {
  const std::scoped_lock lock(mutex_);
  Cell& cell = cells_[queue][shard];
  cell.at = std::min(cell.at, at);
  ++cell.notes;
}

std::vector<Shard> DueBook::Candidates(const std::bitset<kShards>& owned, store::DueQueue queue, Instant upto) const {
  std::vector<Shard> shards;
  const std::scoped_lock lock(mutex_);
  for (std::size_t s = 0; s < kShards; ++s) {
    if (owned[s] && cells_[queue][s].at <= upto) shards.push_back(static_cast<Shard>(s));
  }
  return shards;
}

std::optional<Instant> DueBook::Earliest(const std::bitset<kShards>& owned, store::DueQueue queue) const {
  Instant earliest = Instant::max();
  const std::scoped_lock lock(mutex_);
  for (std::size_t s = 0; s < kShards; ++s) {
    if (owned[s]) earliest = std::min(earliest, cells_[queue][s].at);
  }
  if (earliest == Instant::max()) return std::nullopt;
  return earliest;
}

void DueBook::Clear() {
  const std::scoped_lock lock(mutex_);
  for (auto& queue : cells_) {
    for (Cell& cell : queue) {
      cell.at = Instant::max();
      ++cell.notes;
    }
  }
}

DueBook::Refresh::Refresh(DueBook& book, std::span<const Shard> shards, store::DueQueue queue)
    : book_(book), shards_(shards.begin(), shards.end()), queue_(queue) {
  const std::scoped_lock lock(book_.mutex_);
  seen_.reserve(shards_.size());
  for (const Shard s : shards_) seen_.push_back(book_.cells_[queue_][s].notes);
}

void DueBook::Refresh::Commit(std::span<const std::optional<Instant>> next) {
  const std::scoped_lock lock(book_.mutex_);
  for (std::size_t i = 0; i < shards_.size() && i < next.size(); ++i) {
    Cell& cell = book_.cells_[queue_][shards_[i]];
    const Instant at = next[i].value_or(Instant::max());
    cell.at = cell.notes == seen_[i] ? at : std::min(cell.at, at);
  }
}

Core::Core(Options o, Parts p) : options(std::move(o)), parts(std::move(p)) {
  if (parts.logger == nullptr) parts.logger = &NullLogger();
  if (parts.metrics == nullptr) parts.metrics = &NullMetrics();
  Metrics& m = *parts.metrics;
  metrics.events = &m.GetCounter("zhitui_events_total", "Profile events read and decoded");
  metrics.dead_letters = &m.GetCounter("zhitui_dead_letters_total", "Input records refused");
  metrics.decisions = &m.GetCounter("zhitui_decisions_total", "Decisions made");
  metrics.dues = &m.GetCounter("zhitui_time_events_total", "Time events fired");
  metrics.evaluations = &m.GetCounter("zhitui_evaluations_total", "Rules evaluated");
  SetBook(RuleBook::Make(std::move(parts.ruleset), std::move(parts.templates)));
  metrics.batch_seconds = &m.GetHistogram("zhitui_decide_batch_seconds", "One batch through the decide loop");
}

std::string Core::InputTopicOf(const std::string& kind) const {
  for (const auto& [topic, decode] : options.inputs) {
    if (decode.format == facts::Format::kCloudEvents && (decode.kind == kind || decode.kind.empty())) return topic;
  }
  return {};
}

Result<std::vector<store::Applied>> Core::Apply(std::span<const store::Transaction> transactions) {
  if (transactions.empty()) return std::vector<store::Applied>{};
  // Noted before the write: a bound that is too early costs one look, one that comes too late loses a due.
  for (const store::Transaction& t : transactions) {
    for (const store::RecordWrite& w : t.writes) {
      if (w.due) due_book.Note(t.shard, w.due->queue, w.due->at);
    }
  }
  Result<std::vector<store::Applied>> applied = parts.store->Apply(transactions);
  if (!applied) return applied;
  // Noted once more: a refresh that read the store before this write may have dropped the first note.
  for (const store::Transaction& t : transactions) {
    for (const store::RecordWrite& w : t.writes) {
      if (w.due) due_book.Note(t.shard, w.due->queue, w.due->at);
    }
  }
  return applied;
}

Status Core::RefreshDue(std::span<const Shard> shards, store::DueQueue queue) {
  if (shards.empty()) return {};
  DueBook::Refresh refresh(due_book, shards, queue);
  Result<std::vector<std::optional<Instant>>> next = parts.store->NextDue(shards, queue);
  if (!next) return std::unexpected(next.error());
  refresh.Commit(*next);
  return {};
}

Result<std::vector<store::DueEntry>> Core::TakeDue(store::DueQueue queue, Instant upto, std::size_t limit) {
  std::vector<Shard> shards = due_book.Candidates(Owned(), queue, upto);
  if (shards.empty() || limit == 0) return std::vector<store::DueEntry>{};
  const std::size_t per_shard = std::max<std::size_t>(1, limit / shards.size());
  if (shards.size() > limit) shards.resize(limit);
  // The bounds of shards that turn out to have nothing due are corrected here; the others are asked again next time.
  DueBook::Refresh refresh(due_book, shards, queue);
  Result<std::vector<store::DueEntry>> due = parts.store->DueUpTo(shards, queue, upto, per_shard);
  if (!due) return due;
  if (due->empty()) {
    Result<std::vector<std::optional<Instant>>> next = parts.store->NextDue(shards, queue);
    if (!next) return std::unexpected(next.error());
    refresh.Commit(*next);
  }
  return due;
}

Status Core::Drain(std::span<const Shard> shards) {
  if (shards.empty()) return {};
  const std::scoped_lock lock(drain_mutex_);
  std::vector<Shard> open(shards.begin(), shards.end());
  std::sort(open.begin(), open.end());
  open.erase(std::unique(open.begin(), open.end()), open.end());
  while (!open.empty()) {
    Result<std::vector<std::vector<store::OutboxEntry>>> entries = parts.store->ReadOutbox(open, kDrainPerShard);
    if (!entries) return std::unexpected(entries.error());
    std::vector<Record> records;
    std::vector<std::pair<Shard, std::uint64_t>> acks;
    std::vector<Shard> more;
    for (std::size_t i = 0; i < open.size(); ++i) {
      const std::vector<store::OutboxEntry>& of_shard = (*entries)[i];
      if (of_shard.empty()) continue;
      for (const store::OutboxEntry& entry : of_shard) {
        Result<Record> record = DecodeOutbox(entry.bytes);
        if (!record) return std::unexpected(record.error());
        if (record->topic == options.topics.decisions) {
          if (const std::string* id = record->FindHeader("ce_id")) Expect(*id);
        }
        records.push_back(std::move(*record));
      }
      acks.emplace_back(open[i], of_shard.back().sequence);
      if (of_shard.size() == kDrainPerShard) more.push_back(open[i]);
    }
    if (!records.empty()) {
      if (Status s = parts.sink->Produce(records, options.produce_deadline); !s) return s;
      if (Status s = parts.store->AckOutbox(acks); !s) return s;
    }
    open = std::move(more);
  }
  return {};
}

std::bitset<kShards> Core::Owned() const {
  const std::scoped_lock lock(owned_mutex_);
  return owned_;
}

void Core::SetOwned(const std::bitset<kShards>& owned) {
  const std::scoped_lock lock(owned_mutex_);
  owned_ = owned;
}

void Core::Expect(const std::string& ce_id) {
  if (!track_expected_) return;
  const std::scoped_lock lock(expected_mutex_);
  expected_.insert(ce_id);
}

void Core::Seen(const std::string& ce_id) {
  if (!track_expected_) return;
  const std::scoped_lock lock(expected_mutex_);
  expected_.erase(ce_id);
}

std::size_t Core::ExpectedCount() const {
  const std::scoped_lock lock(expected_mutex_);
  return expected_.size();
}

std::shared_ptr<const RuleBook> RuleBook::Make(std::shared_ptr<const rules::RuleSet> ruleset,
                                               std::shared_ptr<const message::TemplateSet> templates) {
  auto book = std::make_shared<RuleBook>();
  if (ruleset != nullptr) {
    for (const std::string& kind : ruleset->kinds()) book->engines[kind] = engine::Engine::Build(ruleset, kind);
  }
  book->ruleset = std::move(ruleset);
  book->templates = std::move(templates);
  return book;
}

std::shared_ptr<const RuleBook> Core::Book() const {
  const std::scoped_lock lock(book_mutex_);
  return book_;
}

void Core::SetBook(std::shared_ptr<const RuleBook> book) {
  const std::scoped_lock lock(book_mutex_);
  book_ = std::move(book);
}

Result<std::optional<SubjectView>> Core::View(const rules::RuleSet& ruleset, const std::string& kind,
                                              const std::string& value) {
  std::shared_ptr<const facts::Schema> schema = ruleset.SchemaOf(kind);
  if (!schema || value.empty()) return std::optional<SubjectView>{};
  Result<SubjectRecord> record = SubjectRecord::Decode(value);
  if (!record) return std::unexpected(record.error());
  if (record->profile.empty()) return std::optional<SubjectView>{};
  Result<facts::Profile> profile = facts::Profile::Decode(schema, record->profile);
  if (!profile) return std::unexpected(profile.error());
  Result<decide::SubjectState> state = decide::SubjectState::Decode(record->state);
  if (!state) return std::unexpected(state.error());
  return std::optional<SubjectView>(SubjectView{std::move(*profile), std::move(*state), nullptr});
}

}  // namespace zhitui::pipeline
