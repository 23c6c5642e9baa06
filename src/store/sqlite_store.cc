#include <algorithm>
#include <memory>
#include <utility>

#include "store/file_hold.h"
#include "store/limits.h"
#include "store/sqlite_reader.h"
#include "store/sqlite_writer.h"
#include "store/store.h"

namespace zhitui::store {
namespace {

// As many as there are likely to be threads that read at the same moment; the rest take turns.
constexpr std::size_t kReaders = 4;

std::int64_t SqlLimit(std::size_t limit) {
  return static_cast<std::int64_t>(std::min<std::size_t>(limit, static_cast<std::size_t>(INT64_MAX)));
}

// A cursor is one letter and the last key given, so that it is never empty while the scan goes on.
constexpr char kCursorMark = '>';

class SqliteStore final : public Store {
 public:
  SqliteStore(std::shared_ptr<FileHold> hold, std::shared_ptr<std::mutex> mutex, std::unique_ptr<SqliteWriter> writer,
              std::vector<std::unique_ptr<SqliteReader>> readers)
      : hold_(std::move(hold)), mutex_(std::move(mutex)), writer_(std::move(writer)), readers_(std::move(readers)) {}

  Result<std::vector<StoredRecord>> Load(std::span<const RecordKey> keys) override {
    if (Status s = CheckKeys(keys); !s) return std::unexpected(s.error());
    Result<SqliteReaders::Lease> reader = readers_.Take();
    if (!reader) return std::unexpected(reader.error());
    SqliteStatement& load = (*reader)->load;
    std::vector<StoredRecord> records(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      load.Bind(1, keys[i].shard);
      load.Bind(2, static_cast<std::int64_t>(keys[i].space));
      load.BindBlob(3, keys[i].key);
      const Result<bool> row = load.Step();
      if (!row) return std::unexpected(row.error());
      if (!*row) continue;
      records[i] = {load.Unsigned(0), std::string(load.Blob(1))};
      load.Reset();
    }
    return records;
  }

  Result<std::vector<Applied>> Apply(std::span<const Transaction> transactions) override {
    if (Status s = CheckTransactions(transactions); !s) return std::unexpected(s.error());
    if (transactions.empty()) return std::vector<Applied>();
    const std::scoped_lock lock(*mutex_);
    return writer_->Apply(transactions);
  }

  // DueUpTo, NextDue and ReadOutbox descend the index once per shard in one read transaction. One grouped query would
  // have to walk every entry of the queue, a million of them, to find the first of each of 1024 shards.
  Result<std::vector<DueEntry>> DueUpTo(std::span<const Shard> shards, DueQueue queue, Instant upto,
                                        std::size_t limit) override {
    if (Status s = CheckShards(shards); !s) return std::unexpected(s.error());
    if (Status s = CheckQueue(queue); !s) return std::unexpected(s.error());
    Result<SqliteReaders::Lease> reader = readers_.Take();
    if (!reader) return std::unexpected(reader.error());
    SqliteStatement& due = (*reader)->due;
    std::vector<DueEntry> entries;
    for (const Shard shard : shards) {
      due.Bind(1, queue);
      due.Bind(2, shard);
      due.Bind(3, upto.time_since_epoch().count());
      due.Bind(4, SqlLimit(limit));
      Result<bool> row = due.Step();
      for (; row && *row; row = due.Step()) {
        entries.push_back({.shard = shard,
                           .space = static_cast<Space>(due.Int(0)),
                           .key = std::string(due.Blob(1)),
                           .at = Instant(Millis(due.Int(2)))});
      }
      if (!row) return std::unexpected(row.error());
    }
    return entries;
  }

  Result<std::vector<std::optional<Instant>>> NextDue(std::span<const Shard> shards, DueQueue queue) override {
    if (Status s = CheckShards(shards); !s) return std::unexpected(s.error());
    if (Status s = CheckQueue(queue); !s) return std::unexpected(s.error());
    Result<SqliteReaders::Lease> reader = readers_.Take();
    if (!reader) return std::unexpected(reader.error());
    SqliteStatement& next = (*reader)->next_due;
    std::vector<std::optional<Instant>> instants(shards.size());
    for (std::size_t i = 0; i < shards.size(); ++i) {
      next.Bind(1, queue);
      next.Bind(2, shards[i]);
      const Result<bool> row = next.Step();
      if (!row) return std::unexpected(row.error());
      if (!*row) continue;
      instants[i] = Instant(Millis(next.Int(0)));
      next.Reset();
    }
    return instants;
  }

  Result<std::vector<std::vector<OutboxEntry>>> ReadOutbox(std::span<const Shard> shards, std::size_t limit) override {
    if (Status s = CheckShards(shards); !s) return std::unexpected(s.error());
    Result<SqliteReaders::Lease> reader = readers_.Take();
    if (!reader) return std::unexpected(reader.error());
    SqliteStatement& outbox = (*reader)->outbox;
    std::vector<std::vector<OutboxEntry>> entries(shards.size());
    for (std::size_t i = 0; i < shards.size(); ++i) {
      outbox.Bind(1, shards[i]);
      outbox.Bind(2, SqlLimit(limit));
      Result<bool> row = outbox.Step();
      for (; row && *row; row = outbox.Step()) {
        entries[i].push_back({.sequence = outbox.Unsigned(0), .bytes = std::string(outbox.Blob(1))});
      }
      if (!row) return std::unexpected(row.error());
    }
    return entries;
  }

  Status AckOutbox(std::span<const std::pair<Shard, std::uint64_t>> upto) override {
    for (const auto& [shard, sequence] : upto) {
      if (Status s = CheckShards({&shard, 1}); !s) return s;
    }
    if (upto.empty()) return {};
    const std::scoped_lock lock(*mutex_);
    return writer_->Ack(upto);
  }

  Result<ScanPage> Scan(Shard shard, Space space, const std::string& cursor, std::size_t limit) override {
    if (Status s = CheckShards({&shard, 1}); !s) return std::unexpected(s.error());
    if (!cursor.empty() && cursor.front() != kCursorMark) return Invalid("this is not a cursor of a scan");
    const std::string_view after = cursor.empty() ? std::string_view() : std::string_view(cursor).substr(1);
    Result<SqliteReaders::Lease> reader = readers_.Take();
    if (!reader) return std::unexpected(reader.error());
    SqliteStatement& scan = (*reader)->scan;
    const std::size_t page_limit = ClampPage(limit);
    scan.Bind(1, shard);
    scan.Bind(2, static_cast<std::int64_t>(space));
    scan.BindBlob(3, after);
    scan.Bind(4, SqlLimit(page_limit));
    ScanPage page;
    Result<bool> row = scan.Step();
    for (; row && *row; row = scan.Step()) {
      page.records.emplace_back(std::string(scan.Blob(0)), StoredRecord{scan.Unsigned(1), std::string(scan.Blob(2))});
    }
    if (!row) return std::unexpected(row.error());
    if (page.records.size() == page_limit) page.next_cursor = kCursorMark + page.records.back().first;
    return page;
  }

  Status Ping() override {
    Result<SqliteReaders::Lease> reader = readers_.Take();
    if (!reader) return std::unexpected(reader.error());
    return (*reader)->ping.Run();
  }

 private:
  // Order matters: readers close first, then the writer (the last to close moves the log into the file), then the hold
  // is given up.
  const std::shared_ptr<FileHold> hold_;
  const std::shared_ptr<std::mutex> mutex_;
  const std::unique_ptr<SqliteWriter> writer_;
  SqliteReaders readers_;
};

}  // namespace

Result<std::unique_ptr<Store>> OpenSqlite(const SqliteOptions& options) {
  if (options.path.empty()) return Invalid("the store has no path; name a file for it");
  const std::shared_ptr<std::mutex> mutex = options.writer ? options.writer : std::make_shared<std::mutex>();
  Result<std::shared_ptr<FileHold>> hold = FileHold::Take(options.path);
  if (!hold) return std::unexpected(hold.error());
  const std::scoped_lock lock(*mutex);
  Result<std::unique_ptr<SqliteWriter>> writer =
      SqliteWriter::Open(options.path, options.busy_timeout, options.survive_power_cut);
  if (!writer) return std::unexpected(writer.error());
  std::vector<std::unique_ptr<SqliteReader>> readers;
  for (std::size_t i = 0; i < kReaders; ++i) {
    Result<std::unique_ptr<SqliteReader>> reader = SqliteReader::Open(options.path, options.busy_timeout);
    if (!reader) return std::unexpected(reader.error());
    readers.push_back(std::move(*reader));
  }
  return std::make_unique<SqliteStore>(std::move(*hold), mutex, std::move(*writer), std::move(readers));
}

}  // namespace zhitui::store
