#include "stream/sqlite.h"

#include <utility>

namespace zhitui::stream {

Error SqliteError(sqlite3* db, int code, std::string_view doing) {
  const int primary = code & 0xff;
  std::string message(doing);
  message += ": ";
  message += db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code);
  switch (primary) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorKind::kUnavailable, std::move(message)};
    case SQLITE_CANTOPEN:
    case SQLITE_TOOBIG:
      return {ErrorKind::kInvalid, std::move(message)};
    default:
      return {ErrorKind::kFatal, std::move(message)};
  }
}

Result<Statement> Statement::Prepare(sqlite3* db, std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code =
      sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) return std::unexpected(SqliteError(db, code, "preparing a statement"));
  Statement statement;
  statement.statement_.reset(raw);
  return statement;
}

Statement& Statement::Bind(int index, std::int64_t value) {
  const int code = sqlite3_bind_int64(statement_.get(), index, value);
  if (code != SQLITE_OK) bind_error_ = code;
  return *this;
}

Statement& Statement::BindBytes(int index, std::string_view value) {
  // A null pointer would bind NULL, and an empty value is not a missing one.
  const char* data = value.data() != nullptr ? value.data() : "";
  const int code = sqlite3_bind_blob64(statement_.get(), index, data, value.size(), SQLITE_STATIC);
  if (code != SQLITE_OK) bind_error_ = code;
  return *this;
}

Statement& Statement::BindNull(int index) {
  const int code = sqlite3_bind_null(statement_.get(), index);
  if (code != SQLITE_OK) bind_error_ = code;
  return *this;
}

Result<bool> Statement::Step() {
  sqlite3* db = sqlite3_db_handle(statement_.get());
  if (bind_error_ != SQLITE_OK) return std::unexpected(SqliteError(db, bind_error_, "binding a value"));
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return std::unexpected(SqliteError(db, code, "running a statement"));
}

Status Statement::Run() {
  const Result<bool> row = Step();
  Reset();
  if (!row) return std::unexpected(row.error());
  return {};
}

void Statement::Reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  bind_error_ = SQLITE_OK;
}

std::string_view Statement::Bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (data == nullptr || size <= 0) return {};
  return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

Result<Database> Database::Open(const std::string& path, Millis busy_timeout, Durability durability) {
  sqlite3* raw = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  Database db;
  db.db_.reset(raw);
  if (code != SQLITE_OK) return std::unexpected(SqliteError(raw, code, "opening " + path));
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, static_cast<int>(busy_timeout.count()));
  // The switch to WAL needs the file alone for a moment and does not honour the busy handler: ask again for a while.
  const auto until = std::chrono::steady_clock::now() + busy_timeout;
  Status wal = db.Execute("PRAGMA journal_mode=WAL");
  while (!wal && wal.error().kind == ErrorKind::kUnavailable && std::chrono::steady_clock::now() < until) {
    sqlite3_sleep(5);
    wal = db.Execute("PRAGMA journal_mode=WAL");
  }
  if (!wal) return std::unexpected(wal.error());
  if (Status s = db.SetDurability(durability); !s) return std::unexpected(s.error());
  // Fewer, larger checkpoints: 16 MiB of WAL.
  if (Status s = db.Execute("PRAGMA wal_autocheckpoint=4096"); !s) return std::unexpected(s.error());
  return db;
}

Status Database::SetDurability(Durability durability) {
  return Execute(durability == Durability::kFull ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
}

Status Database::Execute(const char* sql) {
  const int code = sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return std::unexpected(SqliteError(db_.get(), code, "running a statement"));
  return {};
}

Result<WriteTransaction> WriteTransaction::Begin(Database& db, std::mutex& writer) {
  std::unique_lock lock(writer);
  if (Status s = db.Execute("BEGIN IMMEDIATE"); !s) return std::unexpected(s.error());
  return WriteTransaction(std::move(lock), db);
}

WriteTransaction::~WriteTransaction() {
  // SQLite may have rolled back by itself; then this fails and that is fine.
  if (db_ != nullptr) static_cast<void>(db_->Execute("ROLLBACK"));
}

Status WriteTransaction::Commit() {
  Status s = db_->Execute("COMMIT");
  if (s) db_ = nullptr;
  return s;
}

}  // namespace zhitui::stream
