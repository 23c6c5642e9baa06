// A group's reading of the embedded log: its own read connection, and positions.

#include <algorithm>
#include <utility>

#include "stream/log_tables.h"

namespace zhitui::stream {
namespace {

// How often a reader looks for what another process appended.
constexpr Millis kLookAgain{200};
constexpr std::size_t kMaxSourceTopics = 256;

struct Reading {
  std::string topic;
  std::int64_t id = 0;
  std::int64_t position = 0;
  std::int64_t end_at_start = 0;
  std::int64_t committed = 0;
  bool paused = false;
};

class LogSource final : public Source {
 public:
  LogSource(std::shared_ptr<LogShared> shared, std::string group, std::vector<std::string> topics, Database db)
      : shared_(std::move(shared)), group_(std::move(group)), topics_(std::move(topics)), db_(std::move(db)) {}

  ~LogSource() override {
    const std::scoped_lock lock(shared_->mutex);
    for (const std::string& topic : claimed_) shared_->open.erase({group_, topic});
  }

  // One reader per group and topic: two would both handle every record.
  Status Claim() {
    const std::scoped_lock lock(shared_->mutex);
    for (const std::string& topic : topics_) {
      if (!shared_->open.insert({group_, topic}).second) {
        return Invalid("group " + group_ + " already reads topic " + topic);
      }
      claimed_.push_back(topic);
    }
    return {};
  }

  Status Start() {
    Result<Statement> read = db_.Prepare(
        "SELECT place, key, value, headers, timestamp FROM log_record WHERE place >= ?1 AND place < ?2"
        " ORDER BY place LIMIT ?3");
    if (!read) return std::unexpected(read.error());
    read_ = std::move(*read);
    Result<Statement> save = db_.Prepare(
        "INSERT INTO log_position(group_name, topic, next) VALUES(?1, ?2, ?3)"
        " ON CONFLICT(group_name, topic) DO UPDATE SET next = max(next, excluded.next)");
    if (!save) return std::unexpected(save.error());
    save_ = std::move(*save);
    Result<Statement> find = db_.Prepare("SELECT next FROM log_position WHERE group_name = ?1 AND topic = ?2");
    if (!find) return std::unexpected(find.error());
    Result<TopicTable> table = TopicTable::Open(db_);
    if (!table) return std::unexpected(table.error());

    Result<WriteTransaction> tx = WriteTransaction::Begin(db_, *shared_->options.writer);
    if (!tx) return std::unexpected(tx.error());
    for (const std::string& name : topics_) {
      Result<TopicRow> row = table->FindOrCreate(name);
      if (!row) return std::unexpected(row.error());
      if (Status s = save_.BindBytes(1, group_).Bind(2, row->id).Bind(3, 0).Run(); !s) return s;
      const Result<bool> some = find->BindBytes(1, group_).Bind(2, row->id).Step();
      const std::int64_t committed = some && *some ? find->Int(0) : 0;
      find->Reset();
      if (!some) return std::unexpected(some.error());
      if (committed > row->next) {
        return Fatal("topic " + name + " of the embedded log ends before the position that group " + group_ +
                     " has committed: the file is not the one it was");
      }
      readings_.push_back({name, row->id, std::max(committed, row->first), row->next, committed, false});
    }
    if (Status s = tx->Commit(); !s) return s;
    // Positions may be lost by a power cut (they are replayed), so they need not wait for the disk; Close does.
    return db_.SetDurability(Database::Durability::kNormal);
  }

  Result<std::vector<Record>> Poll(std::size_t max, Millis timeout) override {
    if (closed_) return Invalid("the source is closed");
    const auto until = std::chrono::steady_clock::now() + timeout;
    std::vector<Record> records;
    for (;;) {
      const std::uint64_t seen = shared_->signal.Count();
      if (Status s = Read(max, records); !s) return std::unexpected(s.error());
      const auto left = std::chrono::ceil<Millis>(until - std::chrono::steady_clock::now());
      if (!records.empty() || max == 0 || left <= Millis(0)) return records;
      shared_->signal.WaitPast(seen, std::min(left, kLookAgain));
    }
  }

  Status Commit(std::span<const Position> positions) override {
    if (closed_) return Invalid("the source is closed");
    std::vector<std::pair<Reading*, std::int64_t>> moves;
    for (const Position& p : positions) {
      Reading* reading = Find(p.topic, p.partition);
      if (reading == nullptr) return Invalid("topic " + p.topic + " is not read by this source");
      if (p.next > reading->position) return Invalid("a position of topic " + p.topic + " lies before what Poll gave");
      if (p.next > reading->committed) moves.emplace_back(reading, p.next);
    }
    return Save(moves);
  }

  std::vector<Assignment> Assigned() const override {
    std::vector<Assignment> all;
    if (closed_) return all;
    for (const Reading& r : readings_) all.push_back({r.topic, 0, 1, r.position, r.end_at_start, r.paused});
    return all;
  }
  std::uint64_t Generation() const override { return closed_ ? 2 : 1; }

  Status Pause(const std::string& topic, std::int32_t partition) override { return SetPaused(topic, partition, true); }
  Status Resume(const std::string& topic, std::int32_t partition) override {
    return SetPaused(topic, partition, false);
  }

  Status Close(Millis /*deadline: one small transaction*/) override {
    if (closed_) return {};
    closed_ = true;
    if (Status s = db_.SetDurability(Database::Durability::kFull); !s) return s;
    // Written again, now to the disk.
    std::vector<std::pair<Reading*, std::int64_t>> moves;
    for (Reading& r : readings_) {
      if (r.committed > 0) moves.emplace_back(&r, r.committed);
    }
    return Save(moves);
  }

 private:
  Reading* Find(const std::string& topic, std::int32_t partition) {
    if (partition != 0) return nullptr;
    const auto it = std::ranges::find(readings_, topic, &Reading::topic);
    return it == readings_.end() ? nullptr : &*it;
  }

  Status SetPaused(const std::string& topic, std::int32_t partition, bool paused) {
    Reading* reading = Find(topic, partition);
    if (reading == nullptr) return Invalid("topic " + topic + " is not read by this source");
    reading->paused = paused;
    return {};
  }

  // Topics take turns to be first, so that a busy one starves none.
  Status Read(std::size_t max, std::vector<Record>& records) {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < readings_.size() && records.size() < max && bytes < kMaxPollBytes; ++i) {
      Reading& reading = readings_[(turn_ + i) % readings_.size()];
      if (reading.paused) continue;
      const Status s = ReadTopic(reading, max, bytes, records);
      read_.Reset();
      if (!s) return s;
    }
    turn_ = (turn_ + 1) % readings_.size();
    return {};
  }

  Status ReadTopic(Reading& reading, std::size_t max, std::size_t& bytes, std::vector<Record>& records) {
    const auto limit = static_cast<std::int64_t>(max - records.size());
    read_.Bind(1, PlaceOf(reading.id, reading.position)).Bind(2, PlaceOf(reading.id + 1, 0)).Bind(3, limit);
    while (bytes < kMaxPollBytes) {
      const Result<bool> row = read_.Step();
      if (!row) return std::unexpected(row.error());
      if (!*row) break;
      Record& r = records.emplace_back();
      r.topic = reading.topic;
      r.partition = 0;
      r.offset = OffsetOf(read_.Int(0));
      r.key = read_.Bytes(1);
      if (!read_.IsNull(2)) r.value = read_.Bytes(2);
      if (!DecodeHeaders(read_.Bytes(3), r.headers)) return Fatal("a record of the embedded log has damaged headers");
      r.timestamp = Instant(Millis(read_.Int(4)));
      bytes += r.key.size() + (r.value ? r.value->size() : 0) + read_.Bytes(3).size();
      reading.position = r.offset + 1;
    }
    return {};
  }

  Status Save(const std::vector<std::pair<Reading*, std::int64_t>>& moves) {
    if (moves.empty()) return {};
    Result<WriteTransaction> tx = WriteTransaction::Begin(db_, *shared_->options.writer);
    if (!tx) return std::unexpected(tx.error());
    for (const auto& [reading, next] : moves) {
      if (Status s = save_.BindBytes(1, group_).Bind(2, reading->id).Bind(3, next).Run(); !s) return s;
    }
    if (Status s = tx->Commit(); !s) return s;
    for (const auto& [reading, next] : moves) reading->committed = std::max(reading->committed, next);
    return {};
  }

  const std::shared_ptr<LogShared> shared_;
  const std::string group_;
  const std::vector<std::string> topics_;
  std::vector<std::string> claimed_;
  Database db_;
  Statement read_;
  Statement save_;
  std::vector<Reading> readings_;
  std::size_t turn_ = 0;
  bool closed_ = false;
};

}  // namespace

Result<std::unique_ptr<Source>> OpenLogSource(std::shared_ptr<LogShared> shared, const std::string& group,
                                              const std::vector<std::string>& topics) {
  if (Status s = CheckName("the group name", group); !s) return std::unexpected(s.error());
  if (topics.empty()) return Invalid("a source needs a topic");
  if (topics.size() > kMaxSourceTopics) return Invalid("a source reads at most 256 topics");
  for (const std::string& topic : topics) {
    if (Status s = CheckName("a topic name", topic); !s) return std::unexpected(s.error());
    if (std::ranges::count(topics, topic) > 1) return Invalid("topic " + topic + " is named twice");
  }
  Result<Database> db = Database::Open(shared->options.path, shared->options.busy_timeout, Database::Durability::kFull);
  if (!db) return std::unexpected(db.error());
  auto source = std::make_unique<LogSource>(std::move(shared), group, topics, std::move(*db));
  if (Status s = source->Claim(); !s) return std::unexpected(s.error());
  if (Status s = source->Start(); !s) return std::unexpected(s.error());
  return source;
}

}  // namespace zhitui::stream
