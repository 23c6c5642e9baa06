#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/base.h"

namespace zhitui::store {

// What an SQLite result code means to the caller: busy or locked is kUnavailable; full, I/O, out of memory, corrupt and
// everything unexpected is kFatal. `doing` says what was tried.
Error SqliteError(sqlite3* db, int code, std::string_view doing);

// A prepared statement that is used again and again; one thread at a time. Bound text and blobs are not copied: they
// live until Step answered false or Reset was called.
class SqliteStatement {
 public:
  SqliteStatement() = default;

  void Bind(int index, std::int64_t value) { sqlite3_bind_int64(statement_.get(), index, value); }
  void BindBlob(int index, std::string_view bytes) {
    // A null pointer would bind NULL instead of an empty blob.
    sqlite3_bind_blob64(statement_.get(), index, bytes.empty() ? "" : bytes.data(), bytes.size(), SQLITE_STATIC);
  }
  void BindNull(int index) { sqlite3_bind_null(statement_.get(), index); }

  // True: there is a row. After false or an error the statement is ready to be bound again.
  Result<bool> Step();
  // For statements without rows.
  Status Run();
  void Reset() { sqlite3_reset(statement_.get()); }

  bool IsNull(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }
  std::int64_t Int(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  std::uint64_t Unsigned(int column) const { return static_cast<std::uint64_t>(Int(column)); }
  // Good until the next Step or Reset.
  std::string_view Blob(int column) const;

 private:
  friend class SqliteConnection;
  struct Finalize {
    void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// One connection to a file; one thread at a time. Statements of it must die before it.
class SqliteConnection {
 public:
  // Opens with the given busy time-out; the file is made when it is missing (mode 0600: it holds personal data).
  static Result<SqliteConnection> Open(const std::string& path, Millis busy_timeout);

  Status Execute(const char* sql);  // statements without parameters and without rows that matter
  Result<SqliteStatement> Prepare(std::string_view sql);
  // The text of the first column of the first row; empty when there is no row or it is NULL.
  Result<std::string> QueryText(const char* sql);

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  std::unique_ptr<sqlite3, Close> db_;
};

}  // namespace zhitui::store
