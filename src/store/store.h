#pragma once

// store: versioned records, due indexes and outboxes, sharded by subject id. What a record means is its writer's
// business: records are bytes here. Two back ends stand behind this one door, SQLite (embedded) and Redis, and pass one
// test-suite.
//
// Promises
// - A Transaction is atomic: all its record writes, due entries and outbox entries happen, or none. It happens only if
//   every record still has the version that was read (compare and set); otherwise it answers kConflict and changes
//   nothing. That check and the write are one step (a Lua script in Redis, a transaction in SQLite).
// - When Apply returns, what was applied survives kill -9 and, with the durability settings Open insists on, a power
// cut
//   (SQLite: WAL with synchronous=FULL; Redis: appendonly with appendfsync always, noeviction).
// - An outbox keeps the order in which its shard's transactions were applied, until it is acknowledged.
// - All functions are thread-safe and bounded in time: kUnavailable (nothing of the call happened or the caller cannot
//   know; reading the record again tells) after the configured time-out. Out of disk or memory is kFatal: stop, do not
//   skip.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/base.h"

namespace zhitui::store {

// Key spaces; one record is named by (shard, space, key).
enum class Space : std::uint8_t { kSubject = 0, kNotification = 1, kMeta = 2, kContact = 3 };

// Limits of one call; over one of them the answer is kInvalid and nothing of the call happens. Keys have 1 byte or
// more; versions and due instants (in ms) stay within 53 bits, what a Redis score holds exactly.
inline constexpr std::size_t kMaxWrites = 64;           // per transaction
inline constexpr std::size_t kMaxOutboxEntries = 1024;  // per transaction
inline constexpr std::size_t kMaxKeyBytes = 512;
inline constexpr std::size_t kMaxValueBytes = 8 << 20;  // of a record, and of an outbox entry
inline constexpr std::size_t kMaxScanPage = 10'000;     // a larger or zero limit of Scan is clamped

// Independent due indexes, numbered by the caller (0 to 15). A record is in at most one of them at a time.
using DueQueue = std::uint8_t;
inline constexpr DueQueue kMaxDueQueue = 15;
struct Due {
  DueQueue queue = 0;
  Instant at{};
  bool operator==(const Due&) const = default;
};

struct RecordKey {
  Shard shard = 0;
  Space space = Space::kSubject;
  std::string key;
};

struct StoredRecord {
  // 0: there is no such record; 1 for a first write, then +1 with every write. A record that was erased starts again at
  // 1, so whoever erases keeps a stub when an older reader may still write.
  std::uint64_t version = 0;
  std::string value;
};

struct RecordWrite {
  Space space = Space::kSubject;
  std::string key;
  std::uint64_t expected_version = 0;  // 0: must not exist yet
  std::optional<std::string> value;    // nullopt erases the record and its due entry
  std::optional<Due> due;              // replaces the record's due entry; nullopt removes it
};

// Without writes nothing guards it: repeated after kUnavailable, its outbox entries may be there twice.
struct Transaction {
  Shard shard = 0;
  std::vector<RecordWrite> writes;  // at most kMaxWrites, distinct (space, key)
  std::vector<std::string> outbox;  // appended in this order
};

enum class Applied : std::uint8_t { kApplied, kConflict };

struct DueEntry {
  Shard shard = 0;
  Space space = Space::kSubject;
  std::string key;
  Instant at{};
};

struct OutboxEntry {
  std::uint64_t sequence = 0;  // grows within a shard
  std::string bytes;
};

struct ScanPage {
  std::vector<std::pair<std::string, StoredRecord>> records;  // key, record
  std::string next_cursor;                                    // empty: the scan is complete
};

class Store {
 public:
  virtual ~Store() = default;

  // One answer per key, in order; a missing record has version 0. Pipelined.
  virtual Result<std::vector<StoredRecord>> Load(std::span<const RecordKey> keys) = 0;

  // One answer per transaction, in order. Each transaction stands alone: a conflict of one does not touch the others.
  // Batches are pipelined (Redis) or share one commit (SQLite), so prefer few large calls. A failed call may have
  // applied some of its transactions.
  virtual Result<std::vector<Applied>> Apply(std::span<const Transaction> transactions) = 0;

  // Entries of a queue with `at` <= upto in the given shards, in the order of the shards, within one by time, space and
  // key, at most `limit` per shard.
  virtual Result<std::vector<DueEntry>> DueUpTo(std::span<const Shard> shards, DueQueue queue, Instant upto,
                                                std::size_t limit) = 0;
  // The earliest due instant of each given shard in a queue, in order.
  virtual Result<std::vector<std::optional<Instant>>> NextDue(std::span<const Shard> shards, DueQueue queue) = 0;

  // The oldest unacknowledged outbox entries of each given shard, in order, at most `limit` per shard. Pipelined.
  virtual Result<std::vector<std::vector<OutboxEntry>>> ReadOutbox(std::span<const Shard> shards,
                                                                   std::size_t limit) = 0;
  // Forgets the entries of a shard up to and including `sequence`. Acknowledging again is a no-op.
  virtual Status AckOutbox(std::span<const std::pair<Shard, std::uint64_t>> upto) = 0;

  // Walks the records of a space in a shard; every record that exists during the whole scan is given at least once.
  // `cursor` is empty at first, then the last page's next_cursor; it stays good over a restart of the back end. Pages
  // are in key order and hold at most `limit` records; one may be empty although the scan goes on.
  virtual Result<ScanPage> Scan(Shard shard, Space space, const std::string& cursor, std::size_t limit) = 0;

  // One round trip to the back end; for readiness.
  virtual Status Ping() = 0;
};

struct SqliteOptions {
  std::string path;  // created when missing
  // Shared by everything in this process that writes to the same file, so that writers queue instead of polling the
  // file lock.
  std::shared_ptr<std::mutex> writer = std::make_shared<std::mutex>();
  Millis busy_timeout{5000};
  // False: a commit survives kill -9 but a power cut may undo the last ones (synchronous=NORMAL). For replays and
  // demos.
  bool survive_power_cut = true;
};
// The file belongs to one process at a time: a second OpenSqlite of the same path in another process is kUnavailable
// with a message that says so.
Result<std::unique_ptr<Store>> OpenSqlite(const SqliteOptions& options);

struct RedisOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  std::string username;  // ACL user; empty: none
  std::string password;
  std::string key_prefix = "zhitui";
  Millis connect_timeout{2000};
  Millis command_timeout{5000};
  std::size_t connections = 4;
  std::size_t pipeline = 128;   // commands in flight per connection
  bool require_durable = true;  // refuse a server without appendfsync always and noeviction
};
Result<std::unique_ptr<Store>> OpenRedis(const RedisOptions& options);

}  // namespace zhitui::store
