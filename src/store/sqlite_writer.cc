#include "store/sqlite_writer.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "store/sqlite_schema.h"

namespace zhitui::store {

struct SqliteWriter::Found {
  std::int64_t id = 0;
  std::uint64_t version = 0;  // 0: there is none
  std::optional<Due> due;
};

Result<std::unique_ptr<SqliteWriter>> SqliteWriter::Open(const std::string& path, Millis busy_timeout,
                                                         bool survive_power_cut) {
  Result<SqliteConnection> connection = SqliteConnection::Open(path, busy_timeout);
  if (!connection) return std::unexpected(connection.error());
  if (Status s = PrepareSchema(*connection, path, survive_power_cut); !s) return std::unexpected(s.error());
  auto writer = std::make_unique<SqliteWriter>();
  writer->connection_ = std::move(*connection);
  // A second update without the due columns keeps the due index untouched when the entry stays as it is.
  const std::pair<SqliteStatement*, const char*> statements[] = {
      {&writer->begin_, "BEGIN IMMEDIATE"},
      {&writer->commit_, "COMMIT"},
      {&writer->rollback_, "ROLLBACK"},
      {&writer->find_,
       "SELECT id, version, due_queue, due_at FROM store_record WHERE shard = ?1 AND space = ?2 AND key = ?3"},
      {&writer->insert_,
       "INSERT INTO store_record(shard, space, key, version, value, due_queue, due_at) "
       "VALUES(?1, ?2, ?3, 1, ?4, ?5, ?6)"},
      {&writer->update_, "UPDATE store_record SET version = version + 1, value = ?2 WHERE id = ?1"},
      {&writer->update_with_due_,
       "UPDATE store_record SET version = version + 1, value = ?2, due_queue = ?3, due_at = ?4 WHERE id = ?1"},
      {&writer->erase_, "DELETE FROM store_record WHERE id = ?1"},
      {&writer->append_, "INSERT INTO store_outbox(sequence, shard, bytes) VALUES(?1, ?2, ?3)"},
      {&writer->load_sequence_, "SELECT value FROM store_meta WHERE name = 'outbox_sequence'"},
      {&writer->save_sequence_, "UPDATE store_meta SET value = ?1 WHERE name = 'outbox_sequence'"},
      {&writer->ack_, "DELETE FROM store_outbox WHERE shard = ?1 AND sequence <= ?2"}};
  for (const auto& [statement, sql] : statements) {
    Result<SqliteStatement> prepared = writer->connection_.Prepare(sql);
    if (!prepared) return std::unexpected(prepared.error());
    *statement = std::move(*prepared);
  }
  return writer;
}

template <class Body>
Status SqliteWriter::InTransaction(const Body& body) {
  sequence_ = -1;
  if (Status s = begin_.Run(); !s) return s;
  Status status = body();
  if (status) status = SaveSequence();
  if (status) status = commit_.Run();
  // SQLite rolls some failures back by itself; then this rollback has nothing to do and its error says only that.
  if (!status) static_cast<void>(rollback_.Run());
  return status;
}

Result<std::vector<Applied>> SqliteWriter::Apply(std::span<const Transaction> transactions) {
  std::vector<Applied> answers;
  answers.reserve(transactions.size());
  const Status status = InTransaction([&]() -> Status {
    for (const Transaction& transaction : transactions) {
      const Result<Applied> applied = ApplyOne(transaction);
      if (!applied) return std::unexpected(applied.error());
      answers.push_back(*applied);
    }
    return {};
  });
  if (!status) return std::unexpected(status.error());
  return answers;
}

Result<Applied> SqliteWriter::ApplyOne(const Transaction& transaction) {
  // All versions are compared before anything is written, so a conflict needs no undoing.
  std::array<Found, kMaxWrites> found;
  std::size_t i = 0;
  for (const RecordWrite& write : transaction.writes) {
    const Result<Found> record = Find(transaction.shard, write);
    if (!record) return std::unexpected(record.error());
    if (record->version != write.expected_version) return Applied::kConflict;
    found[i++] = *record;
  }
  i = 0;
  for (const RecordWrite& write : transaction.writes) {
    if (Status s = Write(transaction.shard, write, found[i++]); !s) return std::unexpected(s.error());
  }
  if (Status s = Append(transaction.shard, transaction.outbox); !s) return std::unexpected(s.error());
  return Applied::kApplied;
}

Result<SqliteWriter::Found> SqliteWriter::Find(Shard shard, const RecordWrite& write) {
  find_.Bind(1, shard);
  find_.Bind(2, static_cast<std::int64_t>(write.space));
  find_.BindBlob(3, write.key);
  const Result<bool> row = find_.Step();
  if (!row) return std::unexpected(row.error());
  Found found;
  if (!*row) return found;
  found.id = find_.Int(0);
  found.version = find_.Unsigned(1);
  if (!find_.IsNull(2)) found.due = Due{static_cast<DueQueue>(find_.Int(2)), Instant(Millis(find_.Int(3)))};
  find_.Reset();
  return found;
}

Status SqliteWriter::Write(Shard shard, const RecordWrite& write, const Found& found) {
  const auto bind_due = [&](SqliteStatement& statement, int index) {
    if (write.due) {
      statement.Bind(index, write.due->queue);
      statement.Bind(index + 1, write.due->at.time_since_epoch().count());
    } else {
      statement.BindNull(index);
      statement.BindNull(index + 1);
    }
  };
  if (!write.value) {
    if (found.version == 0) return {};
    erase_.Bind(1, found.id);
    return erase_.Run();
  }
  if (found.version == 0) {
    insert_.Bind(1, shard);
    insert_.Bind(2, static_cast<std::int64_t>(write.space));
    insert_.BindBlob(3, write.key);
    insert_.BindBlob(4, *write.value);
    bind_due(insert_, 5);
    return insert_.Run();
  }
  SqliteStatement& update = found.due == write.due ? update_ : update_with_due_;
  update.Bind(1, found.id);
  update.BindBlob(2, *write.value);
  if (&update == &update_with_due_) bind_due(update, 3);
  return update.Run();
}

Status SqliteWriter::Append(Shard shard, const std::vector<std::string>& outbox) {
  if (outbox.empty()) return {};
  if (sequence_ < 0) {
    const Result<bool> row = load_sequence_.Step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return Fatal("the outbox sequence is missing from the store file");
    sequence_ = load_sequence_.Int(0);
    load_sequence_.Reset();
  }
  for (const std::string& bytes : outbox) {
    append_.Bind(1, ++sequence_);
    append_.Bind(2, shard);
    append_.BindBlob(3, bytes);
    if (Status s = append_.Run(); !s) return s;
  }
  return {};
}

// The sequence is kept apart from the entries: after all of them are acknowledged it must not start again, or a late
// acknowledgement would forget new entries.
Status SqliteWriter::SaveSequence() {
  if (sequence_ < 0) return {};
  save_sequence_.Bind(1, sequence_);
  return save_sequence_.Run();
}

Status SqliteWriter::Ack(std::span<const std::pair<Shard, std::uint64_t>> upto) {
  return InTransaction([&]() -> Status {
    for (const auto& [shard, sequence] : upto) {
      ack_.Bind(1, shard);
      ack_.Bind(2, static_cast<std::int64_t>(std::min<std::uint64_t>(sequence, INT64_MAX)));
      if (Status s = ack_.Run(); !s) return s;
    }
    return {};
  });
}

}  // namespace zhitui::store
