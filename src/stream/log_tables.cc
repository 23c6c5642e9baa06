#include "stream/log_tables.h"

namespace zhitui::stream {
namespace {

constexpr std::uint64_t kHeadersVersion = 1;

}  // namespace

std::uint64_t Signal::Count() const {
  const std::scoped_lock lock(mutex_);
  return count_;
}

void Signal::Raise() {
  const std::scoped_lock lock(mutex_);
  ++count_;
  raised_.notify_all();
}

void Signal::WaitPast(std::uint64_t seen, Millis timeout) const {
  std::unique_lock lock(mutex_);
  raised_.wait_for(lock, timeout, [&] { return count_ != seen; });
}

Status CreateLogTables(Database& db, std::mutex& writer) {
  Result<WriteTransaction> tx = WriteTransaction::Begin(db, writer);
  if (!tx) return std::unexpected(tx.error());
  const Status made = db.Execute(
      "CREATE TABLE IF NOT EXISTS log_topic(id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE,"
      " first INTEGER NOT NULL, next INTEGER NOT NULL);"
      "CREATE TABLE IF NOT EXISTS log_record(place INTEGER PRIMARY KEY, key BLOB NOT NULL, value BLOB,"
      " headers BLOB NOT NULL, timestamp INTEGER NOT NULL);"
      "CREATE TABLE IF NOT EXISTS log_position(group_name BLOB NOT NULL, topic INTEGER NOT NULL,"
      " next INTEGER NOT NULL, PRIMARY KEY(group_name, topic)) WITHOUT ROWID;"
      "CREATE INDEX IF NOT EXISTS log_position_by_topic ON log_position(topic, next);");
  if (!made) return made;
  return tx->Commit();
}

Result<TopicTable> TopicTable::Open(Database& db) {
  Result<Statement> find = db.Prepare("SELECT id, first, next FROM log_topic WHERE name = ?1");
  if (!find) return std::unexpected(find.error());
  Result<Statement> insert = db.Prepare("INSERT INTO log_topic(name, first, next) VALUES(?1, 0, 0)");
  if (!insert) return std::unexpected(insert.error());
  Result<Statement> save = db.Prepare("UPDATE log_topic SET first = ?2, next = ?3 WHERE id = ?1");
  if (!save) return std::unexpected(save.error());
  TopicTable table;
  table.find_ = std::move(*find);
  table.insert_ = std::move(*insert);
  table.save_ = std::move(*save);
  return table;
}

Result<TopicRow> TopicTable::FindOrCreate(const std::string& name) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    const Result<bool> found = find_.BindBytes(1, name).Step();
    TopicRow row;
    if (found && *found) row = {find_.Int(0), find_.Int(1), find_.Int(2)};
    find_.Reset();
    if (!found) return std::unexpected(found.error());
    if (row.id > kMaxTopics) return Fatal("the log holds too many topics");
    if (row.id > 0) return row;
    if (Status s = insert_.BindBytes(1, name).Run(); !s) return std::unexpected(s.error());
  }
  return Fatal("a topic of the log vanished while it was made");
}

Status TopicTable::Save(const TopicRow& row) {
  return save_.Bind(1, row.id).Bind(2, row.first).Bind(3, row.next).Run();
}

Status CheckName(std::string_view what, std::string_view name) {
  if (name.empty()) return Invalid(std::string(what) + " is empty");
  if (name.size() > kMaxNameBytes) return Invalid(std::string(what) + " is longer than 249 bytes");
  return {};
}

std::string EncodeHeaders(const std::vector<Header>& headers) {
  if (headers.empty()) return {};
  ByteWriter writer;
  writer.U64(kHeadersVersion);
  writer.U64(headers.size());
  for (const Header& h : headers) {
    writer.Str(h.name);
    writer.Str(h.value);
  }
  return writer.Take();
}

bool DecodeHeaders(std::string_view bytes, std::vector<Header>& headers) {
  headers.clear();
  if (bytes.empty()) return true;
  ByteReader reader(bytes);
  if (reader.U64() != kHeadersVersion) return false;
  const std::size_t count = reader.Count(2);
  headers.reserve(count);
  for (std::size_t i = 0; i < count && reader.ok(); ++i) {
    Header h;
    h.name = reader.Str();
    h.value = reader.Str();
    headers.push_back(std::move(h));
  }
  return reader.ok() && reader.AtEnd();
}

}  // namespace zhitui::stream
