#pragma once

// RAII over sqlite3 for this room: connections, statements, write transactions. Not thread-safe; every connection has
// one user at a time.

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/base.h"

namespace zhitui::stream {

// What an SQLite result code asks of the caller: busy is kUnavailable; a full disk, a damaged file or an I/O error is
// kFatal. `doing` names the operation; the text never carries bound values.
Error SqliteError(sqlite3* db, int code, std::string_view doing);

class Statement {
 public:
  Statement() = default;
  static Result<Statement> Prepare(sqlite3* db, std::string_view sql);

  // Parameters and columns count from 1 and 0, as in SQLite. Bound bytes must live until Reset.
  Statement& Bind(int index, std::int64_t value);
  Statement& BindBytes(int index, std::string_view value);
  Statement& BindNull(int index);

  Result<bool> Step();  // true: a row is there
  Status Run();         // one step, then Reset; for statements without rows
  void Reset();         // ends the statement's read transaction and drops the bindings

  std::int64_t Int(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  bool IsNull(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }
  std::string_view Bytes(int column) const;  // valid until the next Step or Reset

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bind_error_ = SQLITE_OK;
};

class Database {
 public:
  // kFull: a commit is on disk when it returns. kNormal: a commit is atomic and ordered, a power cut may undo the last
  // ones; a process crash does not.
  enum class Durability : std::uint8_t { kNormal, kFull };
  Status SetDurability(Durability durability);

  // Opens or creates `path` in WAL mode. kInvalid: the path cannot be opened.
  static Result<Database> Open(const std::string& path, Millis busy_timeout, Durability durability);

  Status Execute(const char* sql);
  Result<Statement> Prepare(std::string_view sql) { return Statement::Prepare(db_.get(), sql); }

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  std::unique_ptr<sqlite3, Close> db_;
};

// A write transaction under the process-wide writer mutex of the file; rolled back unless committed.
class WriteTransaction {
 public:
  static Result<WriteTransaction> Begin(Database& db, std::mutex& writer);
  WriteTransaction(WriteTransaction&& other) noexcept : lock_(std::move(other.lock_)), db_(other.db_) {
    other.db_ = nullptr;
  }
  WriteTransaction& operator=(WriteTransaction&&) = delete;
  ~WriteTransaction();
  Status Commit();

 private:
  WriteTransaction(std::unique_lock<std::mutex> lock, Database& db) : lock_(std::move(lock)), db_(&db) {}
  std::unique_lock<std::mutex> lock_;
  Database* db_;
};

}  // namespace zhitui::stream
