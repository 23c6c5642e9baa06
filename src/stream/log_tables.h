#pragma once

// The embedded log's tables and what its sink and its sources share.
//
//   log_topic(id, name, first, next)       the kept offsets are first <= offset < next, without gaps
//   log_record(place, key, value, headers, timestamp)
//   log_position(group_name, topic, next)  a row from the first OpenSource on, so nothing unread is pruned
//
// `place` is topic id and offset in one integer: a plain rowid table keeps records up to a page in place, which a
// two-column primary key would not (its index pages spill everything above 1 KB).

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/base.h"
#include "stream/sqlite.h"
#include "stream/stream.h"

namespace zhitui::stream {

inline constexpr int kOffsetBits = 40;
inline constexpr std::int64_t kMaxOffset = (std::int64_t{1} << kOffsetBits) - 1;
inline constexpr std::int64_t kMaxTopics = 1 << 20;
inline constexpr std::size_t kMaxNameBytes = 249;                // as in Kafka
inline constexpr std::size_t kMaxStoredBytes = 4 * 1024 * 1024;  // of one record, as the Kafka sink
inline constexpr std::size_t kMaxPollBytes = 64 * 1024 * 1024;   // of one answer of Poll

inline std::int64_t PlaceOf(std::int64_t topic, std::int64_t offset) { return (topic << kOffsetBits) | offset; }
inline std::int64_t OffsetOf(std::int64_t place) { return place & kMaxOffset; }

// Wakes readers. Counted, so that nothing raised between a look and a wait is missed.
class Signal {
 public:
  std::uint64_t Count() const;
  void Raise();
  void WaitPast(std::uint64_t seen, Millis timeout) const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable raised_;
  std::uint64_t count_ = 0;
};

struct LogShared {
  LogOptions options;
  Signal signal;
  std::mutex mutex;
  std::set<std::pair<std::string, std::string>> open;  // (group, topic) read by a living source; under mutex
};

struct TopicRow {
  std::int64_t id = 0;
  std::int64_t first = 0;
  std::int64_t next = 0;
};

Status CreateLogTables(Database& db, std::mutex& writer);
// The row of a topic, made when missing; inside a write transaction.
class TopicTable {
 public:
  static Result<TopicTable> Open(Database& db);
  Result<TopicRow> FindOrCreate(const std::string& name);
  Status Save(const TopicRow& row);

 private:
  Statement find_;
  Statement insert_;
  Statement save_;
};

Status CheckName(std::string_view what, std::string_view name);

// One version byte, then name and value of each header.
std::string EncodeHeaders(const std::vector<Header>& headers);
bool DecodeHeaders(std::string_view bytes, std::vector<Header>& headers);

Result<std::unique_ptr<Source>> OpenLogSource(std::shared_ptr<LogShared> shared, const std::string& group,
                                              const std::vector<std::string>& topics);

}  // namespace zhitui::stream
