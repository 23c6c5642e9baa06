// A file of JSON lines as a source. Three choices the door leaves open:
// - A last line without line end counts once the file has been at rest for two seconds (its modification time); a
//   writer that pauses longer in the middle of a line gets two records, both of them broken.
// - Growth is seen within 50 ms.
// - Positions are written at most every 200 ms and at Close: between them a crash replays, which is harmless.

#include <sys/stat.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "stream/log_tables.h"
#include "stream/ndjson_reader.h"

namespace zhitui::stream {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr Millis kLookAgain{50};
constexpr Millis kSaveEvery{200};

class NdjsonSource final : public Source {
 public:
  NdjsonSource(NdjsonOptions options, std::shared_ptr<std::mutex> writer, File file, File::Stat at_open, Database db)
      : options_(std::move(options)),
        writer_(std::move(writer)),
        at_open_(at_open),
        reader_(std::move(file), options_.max_record_bytes),
        db_(std::move(db)) {}

  Status Prepare() {
    {
      Result<WriteTransaction> tx = WriteTransaction::Begin(db_, *writer_);
      if (!tx) return std::unexpected(tx.error());
      if (Status s =
              db_.Execute("CREATE TABLE IF NOT EXISTS ndjson_position(source BLOB PRIMARY KEY, next INTEGER NOT NULL,"
                          " hash BLOB NOT NULL) WITHOUT ROWID");
          !s) {
        return s;
      }
      if (Status s = tx->Commit(); !s) return s;
    }
    Result<Statement> save = db_.Prepare(
        "INSERT INTO ndjson_position(source, next, hash) VALUES(?1, ?2, ?3)"
        " ON CONFLICT(source) DO UPDATE SET next = excluded.next, hash = excluded.hash");
    if (!save) return std::unexpected(save.error());
    save_ = std::move(*save);
    Result<Statement> find = db_.Prepare("SELECT next, hash FROM ndjson_position WHERE source = ?1");
    if (!find) return std::unexpected(find.error());
    const Result<bool> some = find->BindBytes(1, options_.name).Step();
    if (!some) return std::unexpected(some.error());
    if (*some) {
      saved_ = find->Int(0);
      expected_ = find->Bytes(1);
    }
    committed_ = saved_;
    if (saved_ == 0) {
      if (Status s = reader_.StartAt(0, {}); !s) return s;
      verified_ = true;
    }
    return db_.SetDurability(Database::Durability::kNormal);
  }

  Result<std::vector<Record>> Poll(std::size_t max, Millis timeout) override {
    if (closed_) return Invalid("the source is closed");
    if (broken_) return std::unexpected(*broken_);
    Result<std::vector<Record>> answer = PollUntil(max, SteadyClock::now() + timeout);
    if (!answer && answer.error().kind == ErrorKind::kFatal) broken_ = answer.error();
    return answer;
  }

  Status Commit(std::span<const Position> positions) override {
    if (closed_) return Invalid("the source is closed");
    for (const Position& p : positions) {
      if (!IsOurs(p.topic, p.partition)) return Invalid("topic " + p.topic + " is not read by this source");
      if (!verified_ || p.next > reader_.position()) return Invalid("a position lies before what Poll gave");
      committed_ = std::max(committed_, p.next);
    }
    return SaveSometimes();
  }

  std::vector<Assignment> Assigned() const override {
    if (closed_) return {};
    return {{options_.name, 0, 1, verified_ ? reader_.position() : -1, at_open_.size, paused_}};
  }
  std::uint64_t Generation() const override { return closed_ ? 2 : 1; }

  Status Pause(const std::string& topic, std::int32_t partition) override { return SetPaused(topic, partition, true); }
  Status Resume(const std::string& topic, std::int32_t partition) override {
    return SetPaused(topic, partition, false);
  }

  Status Close(Millis /*deadline: one small transaction*/) override {
    if (closed_) return {};
    closed_ = true;
    if (committed_ == 0 || !verified_) return {};
    if (Status s = db_.SetDurability(Database::Durability::kFull); !s) return s;
    return Save();
  }

 private:
  bool IsOurs(const std::string& topic, std::int32_t partition) const {
    return topic == options_.name && partition == 0;
  }

  Status SetPaused(const std::string& topic, std::int32_t partition, bool paused) {
    if (!IsOurs(topic, partition)) return Invalid("topic " + topic + " is not read by this source");
    paused_ = paused;
    return {};
  }

  Result<std::vector<Record>> PollUntil(std::size_t max, SteadyClock::time_point until) {
    if (Status s = SaveSometimes(); !s) return std::unexpected(s.error());
    std::vector<Record> records;
    std::size_t bytes = 0;
    while (!verified_) {
      if (Status s = VerifyBlock(); !s) return std::unexpected(s.error());
      if (SteadyClock::now() >= until) return records;
    }
    NdjsonReader::Line line;
    for (;;) {
      NdjsonReader::Step step = NdjsonReader::Step::kEnd;
      if (!paused_ && records.size() < max) {
        const Result<NdjsonReader::Step> next = reader_.Next(line);
        if (!next) return std::unexpected(next.error());
        step = *next;
      }
      if (step == NdjsonReader::Step::kLine) {
        Give(line, records);
        bytes += line.bytes.size();
        if (records.size() < max && bytes < kMaxPollBytes) continue;
      }
      if (step == NdjsonReader::Step::kMore && SteadyClock::now() < until) continue;
      const auto left = std::chrono::ceil<Millis>(until - SteadyClock::now());
      if (!records.empty() || max == 0 || left <= Millis(0)) return records;
      if (Status s = CheckReplaced(); !s) return std::unexpected(s.error());
      std::this_thread::sleep_for(std::min(left, kLookAgain));
    }
  }

  void Give(const NdjsonReader::Line& line, std::vector<Record>& records) {
    Record& r = records.emplace_back();
    r.topic = options_.name;
    r.partition = 0;
    r.offset = line.offset;
    r.value = std::string(line.bytes);
    r.timestamp = reader_.modified();
    if (line.size > line.bytes.size()) r.oversize_bytes = line.size;
  }

  // One step of comparing what was read before the restart with the file as it is now.
  Status VerifyBlock() {
    const std::int64_t size = std::min(kHashBlock, saved_ - verify_at_);
    std::string block(static_cast<std::size_t>(size), '\0');
    const Result<std::size_t> got = reader_.file().ReadAt(verify_at_, block.data(), block.size());
    if (!got) return std::unexpected(got.error());
    if (*got != block.size()) return Fatal(Changed("is shorter than what was read of it"));
    const bool whole_block = size == kHashBlock;
    const std::string hash = ChainHash(chain_, block);
    if (whole_block) {
      verify_at_ += size;
      chain_ = hash;
      if (verify_at_ < saved_) return {};
    }
    // A prefix that ends with a block still folds in the empty rest behind it.
    const std::string found = whole_block ? ChainHash(chain_, {}) : hash;
    if (found != expected_)
      return Fatal(Changed("is not the file it was: its first " + std::to_string(saved_) + " bytes differ"));
    if (Status s = reader_.StartAt(saved_, chain_); !s) return s;
    verified_ = true;
    return {};
  }

  Status CheckReplaced() const {
    struct stat st{};
    if (::stat(options_.path.c_str(), &st) != 0) return {};  // moved away: the open file is still good
    if (st.st_dev == at_open_.device && st.st_ino == at_open_.inode) return {};
    return Fatal(Changed("was replaced by another file"));
  }

  std::string Changed(const std::string& how) const {
    return "the input file of source " + options_.name + " " + how +
           "; give the source a new name to read it from its start";
  }

  Status SaveSometimes() {
    if (!verified_ || committed_ == saved_ || SteadyClock::now() < next_save_) return {};
    return Save();
  }

  Status Save() {
    const Result<std::string> hash = reader_.HashUpTo(committed_);
    if (!hash) return std::unexpected(hash.error());
    Result<WriteTransaction> tx = WriteTransaction::Begin(db_, *writer_);
    if (!tx) return std::unexpected(tx.error());
    if (Status s = save_.BindBytes(1, options_.name).Bind(2, committed_).BindBytes(3, *hash).Run(); !s) return s;
    if (Status s = tx->Commit(); !s) return s;
    saved_ = committed_;
    next_save_ = SteadyClock::now() + kSaveEvery;
    return {};
  }

  const NdjsonOptions options_;
  const std::shared_ptr<std::mutex> writer_;
  const File::Stat at_open_;
  NdjsonReader reader_;
  Database db_;
  Statement save_;
  std::int64_t saved_ = 0;      // in the table
  std::int64_t committed_ = 0;  // asked for
  SteadyClock::time_point next_save_{};
  bool verified_ = false;
  std::string expected_;  // the saved hash
  std::string chain_;
  std::int64_t verify_at_ = 0;
  bool paused_ = false;
  bool closed_ = false;
  std::optional<Error> broken_;
};

}  // namespace

Result<std::unique_ptr<Source>> OpenNdjsonSource(const NdjsonOptions& options, const LogOptions& positions) {
  if (Status s = CheckName("the name of an NDJSON source", options.name); !s) return std::unexpected(s.error());
  if (options.max_record_bytes == 0) return Invalid("max_record_bytes is 0");
  if (positions.writer == nullptr) return Invalid("an NDJSON source needs a writer mutex for its positions");
  Result<File> file = File::Open(options.path);
  if (!file) return std::unexpected(file.error());
  const Result<File::Stat> at_open = file->Look();
  if (!at_open) return std::unexpected(at_open.error());
  Result<Database> db = Database::Open(positions.path, positions.busy_timeout, Database::Durability::kFull);
  if (!db) return std::unexpected(db.error());
  auto source = std::make_unique<NdjsonSource>(options, positions.writer, std::move(*file), *at_open, std::move(*db));
  if (Status s = source->Prepare(); !s) return std::unexpected(s.error());
  return source;
}

}  // namespace zhitui::stream
