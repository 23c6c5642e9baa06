#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "store/sqlite_db.h"

namespace zhitui::store {

// A connection that only reads, with its statements. In WAL mode readers neither wait for the writer nor hold it up.
struct SqliteReader {
  static Result<std::unique_ptr<SqliteReader>> Open(const std::string& path, Millis busy_timeout);

  SqliteConnection connection;
  SqliteStatement begin;
  SqliteStatement commit;
  SqliteStatement load;      // (shard, space, key) -> version, value
  SqliteStatement due;       // (queue, shard, upto, limit) -> space, key, at
  SqliteStatement next_due;  // (queue, shard) -> at
  SqliteStatement outbox;    // (shard, limit) -> sequence, bytes
  SqliteStatement scan;      // (shard, space, after, limit) -> key, version, value
  SqliteStatement ping;
};

// A few readers that threads take turns on. Thread-safe.
class SqliteReaders {
 public:
  explicit SqliteReaders(std::vector<std::unique_ptr<SqliteReader>> readers) : free_(std::move(readers)) {}

  // A reader inside one read transaction: all its answers are of the same moment. Ends with its scope.
  class Lease {
   public:
    Lease(SqliteReaders& pool, std::unique_ptr<SqliteReader> reader) : pool_(&pool), reader_(std::move(reader)) {}
    Lease(Lease&&) = default;
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    SqliteReader* operator->() const { return reader_.get(); }

   private:
    SqliteReaders* pool_;
    std::unique_ptr<SqliteReader> reader_;
  };
  Result<Lease> Take();

 private:
  void GiveBack(std::unique_ptr<SqliteReader> reader);

  std::mutex mutex_;
  std::condition_variable one_is_free_;
  std::vector<std::unique_ptr<SqliteReader>> free_;
};

}  // namespace zhitui::store
