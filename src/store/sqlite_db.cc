#include "store/sqlite_db.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace zhitui::store {

Error SqliteError(sqlite3* db, int code, std::string_view doing) {
  Error error;
  error.message = "SQLite, " + std::string(doing) + ": " + (db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code));
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_INTERRUPT:
      error.kind = ErrorKind::kUnavailable;
      break;
    default:
      error.kind = ErrorKind::kFatal;
      break;
  }
  return error;
}

Result<bool> SqliteStatement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    Reset();
    return false;
  }
  Error error = SqliteError(sqlite3_db_handle(statement_.get()), code, "running a statement");
  Reset();
  return std::unexpected(std::move(error));
}

Status SqliteStatement::Run() {
  const Result<bool> row = Step();
  if (!row) return std::unexpected(row.error());
  if (*row) Reset();
  return {};
}

std::string_view SqliteStatement::Blob(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data == nullptr ? std::string_view()
                         : std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

Result<SqliteConnection> SqliteConnection::Open(const std::string& path, Millis busy_timeout) {
  // SQLite gives the WAL and its index the mode of the file, so setting it here protects all three. Only a file that is
  // new may be opened and closed outside SQLite: closing any descriptor of a file drops the POSIX locks of the process
  // on it, those of other connections too.
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0) {
    close(fd);
  } else if (errno != EEXIST) {
    return Invalid("cannot make the store file " + path + ": " + std::strerror(errno) +
                   "; the folder must exist and be writable");
  }
  SqliteConnection connection;
  sqlite3* db = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  connection.db_.reset(db);
  if (code != SQLITE_OK) return std::unexpected(SqliteError(db, code, "opening " + path));
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_timeout(db, static_cast<int>(busy_timeout.count()));
  return connection;
}

Status SqliteConnection::Execute(const char* sql) {
  const int code = sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return std::unexpected(SqliteError(db_.get(), code, "preparing the file"));
  return {};
}

Result<SqliteStatement> SqliteConnection::Prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code =
      sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  SqliteStatement statement;
  statement.statement_.reset(raw);
  if (code != SQLITE_OK) return std::unexpected(SqliteError(db_.get(), code, "preparing a statement"));
  return statement;
}

Result<std::string> SqliteConnection::QueryText(const char* sql) {
  Result<SqliteStatement> statement = Prepare(sql);
  if (!statement) return std::unexpected(statement.error());
  const Result<bool> row = statement->Step();
  if (!row) return std::unexpected(row.error());
  return *row ? std::string(statement->Blob(0)) : std::string();
}

}  // namespace zhitui::store
