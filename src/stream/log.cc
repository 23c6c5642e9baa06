// The embedded log: its sink, and the door's OpenLog.

#include <deque>
#include <map>
#include <utility>

#include "stream/log_tables.h"

namespace zhitui::stream {
namespace {

// Rows that one append may prune beyond what it adds: a lowered limit is reached over several appends, none of them
// long.
constexpr std::int64_t kPruneExtra = 1000;
// Records of one shared transaction, give or take the last call's.
constexpr std::size_t kMaxBatch = 5000;

class LogSink final : public Sink {
 public:
  static Result<std::unique_ptr<LogSink>> Open(std::shared_ptr<LogShared> shared) {
    Result<Database> db =
        Database::Open(shared->options.path, shared->options.busy_timeout,
                       shared->options.survive_power_cut ? Database::Durability::kFull : Database::Durability::kNormal);
    if (!db) return std::unexpected(db.error());
    if (Status s = CreateLogTables(*db, *shared->options.writer); !s) return std::unexpected(s.error());
    auto sink = std::unique_ptr<LogSink>(new LogSink(std::move(shared), std::move(*db)));
    if (Status s = sink->Prepare(); !s) return std::unexpected(s.error());
    return sink;
  }

  // Calls that wait at the same time share one transaction, so one flush to disk: the first of them leads, and takes
  // what has queued up by the time it is its turn to write. In order of arrival.
  Status Produce(std::span<const Record> records, Millis deadline) override {
    if (records.empty()) return {};
    for (const Record& r : records) {
      if (Status s = Check(r); !s) return s;
    }
    const auto until = std::chrono::steady_clock::now() + deadline;
    Job job{records, false, {}};
    std::unique_lock lock(mutex_);
    queue_.push_back(&job);
    while (!job.done) {
      if (!leading_) {
        Lead(lock);
      } else if (std::chrono::steady_clock::now() < until) {
        turn_over_.wait_until(lock, until);
      } else if (std::erase(queue_, &job) == 1) {
        return Deadline("the log's writer was busy; nothing was appended");
      } else {
        turn_over_.wait(lock);  // a leader has it: the outcome comes soon, and only it says what happened
      }
    }
    return job.result;
  }

 private:
  LogSink(std::shared_ptr<LogShared> shared, Database db) : shared_(std::move(shared)), db_(std::move(db)) {}

  Status Prepare() {
    Result<TopicTable> topics = TopicTable::Open(db_);
    if (!topics) return std::unexpected(topics.error());
    topics_ = std::move(*topics);
    Result<Statement> insert =
        db_.Prepare("INSERT INTO log_record(place, key, value, headers, timestamp) VALUES(?1, ?2, ?3, ?4, ?5)");
    if (!insert) return std::unexpected(insert.error());
    insert_ = std::move(*insert);
    Result<Statement> slowest = db_.Prepare("SELECT MIN(next) FROM log_position WHERE topic = ?1");
    if (!slowest) return std::unexpected(slowest.error());
    slowest_ = std::move(*slowest);
    Result<Statement> prune = db_.Prepare("DELETE FROM log_record WHERE place >= ?1 AND place < ?2");
    if (!prune) return std::unexpected(prune.error());
    prune_ = std::move(*prune);
    return {};
  }

  struct Job {
    std::span<const Record> records;
    bool done = false;
    Status result;
  };

  // One transaction. `lock` is held on entry and on return.
  void Lead(std::unique_lock<std::mutex>& lock) {
    leading_ = true;
    lock.unlock();
    Result<WriteTransaction> tx = WriteTransaction::Begin(db_, *shared_->options.writer);
    lock.lock();
    std::vector<Job*> batch;
    for (std::size_t count = 0; !queue_.empty() && count < kMaxBatch; queue_.pop_front()) {
      batch.push_back(queue_.front());
      count += queue_.front()->records.size();
    }
    lock.unlock();
    const Status result = tx ? AppendAll(batch, *tx) : Status(std::unexpected(tx.error()));
    if (result) shared_->signal.Raise();
    lock.lock();
    for (Job* job : batch) {
      job->result = result;
      job->done = true;
    }
    leading_ = false;
    turn_over_.notify_all();
  }

  Status AppendAll(const std::vector<Job*>& batch, WriteTransaction& tx) {
    if (batch.empty()) return {};
    Rows rows;
    for (const Job* job : batch) {
      if (Status s = Append(job->records, rows); !s) return s;
    }
    for (auto& [name, entry] : rows) {
      if (Status s = Prune(entry.first, entry.second); !s) return s;
      if (Status s = topics_.Save(entry.first); !s) return s;
    }
    return tx.Commit();
  }

  static Status Check(const Record& r) {
    if (Status s = CheckName("a topic name", r.topic); !s) return s;
    if (r.partition > 0) return Invalid("topics of the embedded log have partition 0 only");
    std::size_t size = r.key.size() + (r.value ? r.value->size() : 0);
    for (const Header& h : r.headers) size += h.name.size() + h.value.size();
    if (size > kMaxStoredBytes) return Invalid("a record is larger than 4 MiB");
    return {};
  }

  using Rows = std::map<std::string_view, std::pair<TopicRow, std::int64_t>>;  // with the number added

  Status Append(std::span<const Record> records, Rows& rows) {
    const std::int64_t now = SystemClock().Now().time_since_epoch().count();
    for (const Record& r : records) {
      auto it = rows.find(r.topic);
      if (it == rows.end()) {
        Result<TopicRow> row = topics_.FindOrCreate(r.topic);
        if (!row) return std::unexpected(row.error());
        it = rows.emplace(r.topic, std::pair(*row, std::int64_t{0})).first;
      }
      TopicRow& row = it->second.first;
      if (row.next >= kMaxOffset) return Fatal("a topic of the log is full");
      const std::string headers = EncodeHeaders(r.headers);
      insert_.Bind(1, PlaceOf(row.id, row.next)).BindBytes(2, r.key).BindBytes(4, headers).Bind(5, now);
      if (r.value) {
        insert_.BindBytes(3, *r.value);
      } else {
        insert_.BindNull(3);
      }
      if (Status s = insert_.Run(); !s) return s;
      ++row.next;
      ++it->second.second;
    }
    return {};
  }

  Status Prune(TopicRow& row, std::int64_t added) {
    const auto limit = static_cast<std::int64_t>(
        std::min<std::uint64_t>(shared_->options.max_records_per_topic, static_cast<std::uint64_t>(kMaxOffset)));
    std::int64_t upto = row.next - limit;
    if (upto <= row.first) return {};
    const Result<bool> some = slowest_.Bind(1, row.id).Step();
    if (some && *some && !slowest_.IsNull(0)) upto = std::min(upto, slowest_.Int(0));
    slowest_.Reset();
    if (!some) return std::unexpected(some.error());
    upto = std::min(upto, row.first + added + kPruneExtra);
    if (upto <= row.first) return {};
    if (Status s = prune_.Bind(1, PlaceOf(row.id, row.first)).Bind(2, PlaceOf(row.id, upto)).Run(); !s) return s;
    row.first = upto;
    return {};
  }

  const std::shared_ptr<LogShared> shared_;
  std::mutex mutex_;
  std::condition_variable turn_over_;
  std::deque<Job*> queue_;  // under mutex_
  bool leading_ = false;    // under mutex_
  // Below: the leader's.
  Database db_;
  TopicTable topics_;
  Statement insert_;
  Statement slowest_;
  Statement prune_;
};

class EmbeddedLog final : public Log {
 public:
  EmbeddedLog(std::shared_ptr<LogShared> shared, std::unique_ptr<LogSink> sink)
      : shared_(std::move(shared)), sink_(std::move(sink)) {}
  Result<std::unique_ptr<Source>> OpenSource(const std::string& group,
                                             const std::vector<std::string>& topics) override {
    return OpenLogSource(shared_, group, topics);
  }
  Sink& sink() override { return *sink_; }

 private:
  std::shared_ptr<LogShared> shared_;
  std::unique_ptr<LogSink> sink_;
};

}  // namespace

Result<std::unique_ptr<Log>> OpenLog(const LogOptions& options) {
  if (options.path.empty()) return Invalid("the embedded log needs a path");
  if (options.writer == nullptr) return Invalid("the embedded log needs a writer mutex");
  auto shared = std::make_shared<LogShared>();
  shared->options = options;
  Result<std::unique_ptr<LogSink>> sink = LogSink::Open(shared);
  if (!sink) return std::unexpected(sink.error());
  return std::make_unique<EmbeddedLog>(std::move(shared), std::move(*sink));
}

}  // namespace zhitui::stream
