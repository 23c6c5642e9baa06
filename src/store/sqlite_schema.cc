#include "store/sqlite_schema.h"

namespace zhitui::store {
namespace {

constexpr const char* kSchemaVersion = "1";

// Records sit in a rowid table and not in a WITHOUT ROWID one: rows of 1 KB and more would put most of their bytes on
// overflow pages of an index tree. The due index is partial (few records of a space have a due entry) and covers what
// DueUpTo answers. The user_version of the file is left alone: the embedded log lives in the same file.
constexpr const char* kTables = R"sql(
CREATE TABLE store_meta(name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE store_record(
  id INTEGER PRIMARY KEY,
  shard INTEGER NOT NULL,
  space INTEGER NOT NULL,
  key BLOB NOT NULL,
  version INTEGER NOT NULL,
  value BLOB NOT NULL,
  due_queue INTEGER,
  due_at INTEGER);
CREATE UNIQUE INDEX store_record_key ON store_record(shard, space, key);
CREATE INDEX store_record_due ON store_record(due_queue, shard, due_at, space, key) WHERE due_queue IS NOT NULL;
CREATE TABLE store_outbox(sequence INTEGER PRIMARY KEY, shard INTEGER NOT NULL, bytes BLOB NOT NULL);
CREATE INDEX store_outbox_shard ON store_outbox(shard);
INSERT INTO store_meta(name, value) VALUES('schema', '1'), ('outbox_sequence', 0);
)sql";

Status MakeTables(SqliteConnection& connection, const std::string& path) {
  const Result<std::string> tables =
      connection.QueryText("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'store_meta'");
  if (!tables) return std::unexpected(tables.error());
  if (*tables == "0") {
    const Result<std::string> foreign = connection.QueryText(
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('store_record', 'store_outbox')");
    if (!foreign) return std::unexpected(foreign.error());
    if (*foreign != "0")
      return Invalid(path + " holds tables of another program; name a file of its own for the store");
    return connection.Execute(kTables);
  }
  const Result<std::string> version =
      connection.QueryText("SELECT CAST(value AS TEXT) FROM store_meta WHERE name = 'schema'");
  if (!version) return std::unexpected(version.error());
  if (*version == kSchemaVersion) return {};
  return Invalid(path + " has store schema '" + *version + "' and this program knows " + kSchemaVersion +
                 "; start the program that made it, or name another file");
}

}  // namespace

Status PrepareSchema(SqliteConnection& connection, const std::string& path, bool survive_power_cut) {
  const Result<std::string> journal = connection.QueryText("PRAGMA journal_mode = WAL");
  if (!journal) {
    if (journal.error().message.find("not a database") != std::string::npos) {
      return Invalid(path + " is not an SQLite file; name another file for the store");
    }
    return std::unexpected(journal.error());
  }
  if (*journal != "wal") {
    return Invalid(path + " cannot use a write-ahead log (journal mode " + *journal +
                   "); put it on a local file system");
  }
  // A large automatic checkpoint lets one page be written back once for many commits; the size limit gives the log's
  // space back after a burst.
  if (Status s = connection.Execute(survive_power_cut ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
      !s) {
    return s;
  }
  if (Status s = connection.Execute("PRAGMA foreign_keys = ON;"
                                    "PRAGMA trusted_schema = OFF;"
                                    "PRAGMA cell_size_check = ON;"
                                    "PRAGMA wal_autocheckpoint = 8192;"
                                    "PRAGMA journal_size_limit = 67108864;"
                                    "PRAGMA cache_size = -65536;");
      !s) {
    return s;
  }
  if (Status s = connection.Execute("BEGIN IMMEDIATE"); !s) return s;
  Status made = MakeTables(connection, path);
  if (made) made = connection.Execute("COMMIT");
  if (!made) static_cast<void>(connection.Execute("ROLLBACK"));
  return made;
}

}  // namespace zhitui::store
