#include "store/sqlite_reader.h"

#include <utility>

namespace zhitui::store {

Result<std::unique_ptr<SqliteReader>> SqliteReader::Open(const std::string& path, Millis busy_timeout) {
  Result<SqliteConnection> connection = SqliteConnection::Open(path, busy_timeout);
  if (!connection) return std::unexpected(connection.error());
  auto reader = std::make_unique<SqliteReader>();
  reader->connection = std::move(*connection);
  if (Status s = reader->connection.Execute("PRAGMA query_only = ON; PRAGMA cache_size = -16384;"); !s) {
    return std::unexpected(s.error());
  }
  const std::pair<SqliteStatement*, const char*> statements[] = {
      {&reader->begin, "BEGIN"},
      {&reader->commit, "COMMIT"},
      {&reader->load, "SELECT version, value FROM store_record WHERE shard = ?1 AND space = ?2 AND key = ?3"},
      {&reader->due,
       "SELECT space, key, due_at FROM store_record WHERE due_queue = ?1 AND shard = ?2 AND due_at <= ?3 "
       "ORDER BY due_at, space, key LIMIT ?4"},
      {&reader->next_due,
       "SELECT due_at FROM store_record WHERE due_queue = ?1 AND shard = ?2 ORDER BY due_at LIMIT 1"},
      {&reader->outbox, "SELECT sequence, bytes FROM store_outbox WHERE shard = ?1 ORDER BY sequence LIMIT ?2"},
      {&reader->scan,
       "SELECT key, version, value FROM store_record WHERE shard = ?1 AND space = ?2 AND key > ?3 "
       "ORDER BY key LIMIT ?4"},
      {&reader->ping, "SELECT value FROM store_meta WHERE name = 'schema'"}};
  for (const auto& [statement, sql] : statements) {
    Result<SqliteStatement> prepared = reader->connection.Prepare(sql);
    if (!prepared) return std::unexpected(prepared.error());
    *statement = std::move(*prepared);
  }
  return reader;
}

Result<SqliteReaders::Lease> SqliteReaders::Take() {
  std::unique_ptr<SqliteReader> reader;
  {
    std::unique_lock lock(mutex_);
    one_is_free_.wait(lock, [&] { return !free_.empty(); });
    reader = std::move(free_.back());
    free_.pop_back();
  }
  if (Status s = reader->begin.Run(); !s) {
    GiveBack(std::move(reader));
    return std::unexpected(s.error());
  }
  return Lease(*this, std::move(reader));
}

SqliteReaders::Lease::~Lease() {
  if (!reader_) return;
  // Ending a read transaction changes nothing; a statement that failed midway has been reset already.
  static_cast<void>(reader_->commit.Run());
  pool_->GiveBack(std::move(reader_));
}

void SqliteReaders::GiveBack(std::unique_ptr<SqliteReader> reader) {
  const std::scoped_lock lock(mutex_);
  free_.push_back(std::move(reader));
  one_is_free_.notify_one();
}

}  // namespace zhitui::store
