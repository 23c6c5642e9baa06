#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "store/sqlite_db.h"
#include "store/store.h"

namespace zhitui::store {

// The connection that writes, with its statements. One thread at a time: its caller holds the writer mutex.
class SqliteWriter {
 public:
  static Result<std::unique_ptr<SqliteWriter>> Open(const std::string& path, Millis busy_timeout,
                                                    bool survive_power_cut);

  // One commit for all; an error rolls all of them back.
  Result<std::vector<Applied>> Apply(std::span<const Transaction> transactions);
  Status Ack(std::span<const std::pair<Shard, std::uint64_t>> upto);

 private:
  struct Found;
  Result<Applied> ApplyOne(const Transaction& transaction);
  Result<Found> Find(Shard shard, const RecordWrite& write);
  Status Write(Shard shard, const RecordWrite& write, const Found& found);
  Status Append(Shard shard, const std::vector<std::string>& outbox);
  Status SaveSequence();
  template <class Body>
  Status InTransaction(const Body& body);

  SqliteConnection connection_;
  SqliteStatement begin_;
  SqliteStatement commit_;
  SqliteStatement rollback_;
  SqliteStatement find_;
  SqliteStatement insert_;
  SqliteStatement update_;
  SqliteStatement update_with_due_;
  SqliteStatement erase_;
  SqliteStatement append_;
  SqliteStatement load_sequence_;
  SqliteStatement save_sequence_;
  SqliteStatement ack_;

  // The last outbox sequence given out, read from the file once per transaction that needs it; -1: not read.
  std::int64_t sequence_ = -1;
};

}  // namespace zhitui::store
