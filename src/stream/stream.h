#pragma once

// stream: where records come from (Source) and go to (Sink): Kafka, an NDJSON file, and the embedded log (topics inside
// a SQLite file). Order holds within a partition. Nothing here knows what a record means.
//
// Promises
// - At least once: after a restart a Source starts at the last committed position of its group, or at the beginning.
// - A Sink's Produce returns success only when every record is durable (Kafka: acks=all, idempotent producer; embedded
//   log: committed with synchronous=FULL).
// - A record larger than the limit does not stop its partition: it arrives with oversize_bytes set and a prefix.
// - Nothing blocks longer than its time-out, the destructors included (their own deadline, not the library's).
// A Source belongs to one thread; a Sink is thread-safe.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/base.h"

namespace zhitui::stream {

struct Position {
  std::string topic;
  std::int32_t partition = 0;
  // The offset of the last record that is done, plus one. (NDJSON: any offset inside a line means that line is done.)
  std::int64_t next = 0;
};

// One partition this source owns now.
struct Assignment {
  std::string topic;
  std::int32_t partition = 0;
  std::int32_t partition_count = 1;  // of the topic
  std::int64_t position = 0;         // the next offset Poll will give; -1 until known
  std::int64_t end_at_start = 0;     // the end of the partition when it was assigned
  bool paused = false;
  // Nothing between position and the end seen at assignment: replayed history is behind us.
  bool CaughtUp() const { return position >= 0 && position >= end_at_start; }
};

class Source {
 public:
  virtual ~Source() = default;

  // Up to `max` records, waiting at most `timeout` for the first (Kafka: up to 250 ms longer while a new assignment is
  // looked up). An empty answer is not an error; brokers that are away give one. Assignment changes take effect inside
  // Poll only (see Generation). kFatal: the input is not what it was (a changed NDJSON prefix, a log truncated below
  // the committed position, records deleted before they were read) or the group fenced this instance; stop.
  virtual Result<std::vector<Record>> Poll(std::size_t max, Millis timeout) = 0;

  // Marks everything before these positions as done. Durable soon (Kafka: asynchronously; a crash may replay).
  // Positions never go back. Kafka: a partition that is not owned now is passed over. Log and file: an unknown topic,
  // and a position beyond what Poll gave, are kInvalid.
  virtual Status Commit(std::span<const Position> positions) = 0;

  // The partitions owned now; the positions move with Poll.
  virtual std::vector<Assignment> Assigned() const = 0;
  // Grows whenever the set of owned partitions changed during Poll: drop what is in hand of partitions no longer owned.
  virtual std::uint64_t Generation() const = 0;

  // A paused partition gives no records until resumed; what Poll already gave stays valid.
  virtual Status Pause(const std::string& topic, std::int32_t partition) = 0;
  virtual Status Resume(const std::string& topic, std::int32_t partition) = 0;

  // Commits synchronously what was given to Commit and leaves the group, within `deadline`. kDeadline: the last
  // positions may not be durable and will be replayed. Afterwards nothing is assigned and Poll is kInvalid. A
  // destructor without Close leaves the group too, but waits for no commit.
  virtual Status Close(Millis deadline) = 0;
};

class Sink {
 public:
  virtual ~Sink() = default;
  // All records durable, or an error after `deadline` (then any subset may be durable: produce them again, consumers
  // deduplicate on ce_id). Partition by key with murmur2_random; a record without key is spread. kInvalid: a record is
  // larger than the broker takes.
  virtual Status Produce(std::span<const Record> records, Millis deadline) = 0;
};

struct TopicSpec {
  std::string name;
  std::int32_t partitions = 1;
  bool compacted = false;
};

// ---- Kafka --------------------------------------------------------------------------------------------------------
struct KafkaOptions {
  std::string brokers;                            // bootstrap list
  std::map<std::string, std::string> properties;  // passed to librdkafka (security.protocol, sasl.*, ssl.ca.location …)
  Millis connect_timeout{10000};
  // Larger records (key, value and headers together) arrive with oversize_bytes, key and headers whole, and at most
  // this much of the value.
  std::size_t max_record_bytes = 1048576;
  std::size_t max_poll_bytes = 64 * 1024 * 1024;  // fetched ahead
};
struct KafkaSourceOptions {
  KafkaOptions kafka;
  std::string group;
  std::string instance_id;  // static membership; empty: dynamic
  std::vector<std::string> topics;
  Millis session_timeout{10000};
  Logger* logger = nullptr;
};
// Eager range assignor (partition i of every topic goes to the same member), manual commits; a group without a position
// starts at the beginning, and one whose position the topic no longer holds gets kFatal from Poll instead of a silent
// gap. kInvalid: a topic does not exist, or a property is unknown or one that these promises rest on. kUnavailable: no
// broker answers within connect_timeout.
Result<std::unique_ptr<Source>> OpenKafkaSource(const KafkaSourceOptions& options);
struct KafkaSinkOptions {
  KafkaOptions kafka;
  Millis linger{2};
  std::string compression = "lz4";
  Logger* logger = nullptr;
};
Result<std::unique_ptr<Sink>> OpenKafkaSink(const KafkaSinkOptions& options);
// Creates the topics that are missing and gives each one's partition count, in order. kInvalid: a count, asked for or
// existing, is not a power of two up to 1024. `replication`: factor for new topics (-1: the broker's default).
Result<std::vector<std::int32_t>> EnsureKafkaTopics(const KafkaOptions& options, std::span<const TopicSpec> topics,
                                                    std::int16_t replication);

// ---- Embedded log -------------------------------------------------------------------------------------------------
// Topics with one partition (0) each and group positions, in a SQLite file that may be the store's own. Readers of a
// Log are woken by its sink; any other writer is seen within 200 ms. A record holds at most 4 MiB (else kInvalid).
// Calls of Produce that wait at the same time share one flush to disk.
struct LogOptions {
  std::string path;
  std::shared_ptr<std::mutex> writer = std::make_shared<std::mutex>();  // see store::SqliteOptions::writer
  Millis busy_timeout{5000};
  bool survive_power_cut = true;  // see store::SqliteOptions
  // Beyond it the oldest go, as far as every group that ever opened the topic has committed them.
  std::uint64_t max_records_per_topic = 10'000'000;
};
class Log {
 public:
  virtual ~Log() = default;
  // Makes missing topics. Valid only while the Log lives. kInvalid: a living source of this Log reads one of the topics
  // for this group already. kFatal: a topic ends before the group's position.
  virtual Result<std::unique_ptr<Source>> OpenSource(const std::string& group,
                                                     const std::vector<std::string>& topics) = 0;
  virtual Sink& sink() = 0;
};
Result<std::unique_ptr<Log>> OpenLog(const LogOptions& options);

// ---- NDJSON file --------------------------------------------------------------------------------------------------
// One record a line (LF or CRLF; a final line without line end counts once the file was not written to for two
// seconds). Topic = name, partition 0, offset = byte offset of the line; key and headers are empty; timestamp = file
// time. Blank lines are skipped; growth is seen within 50 ms. Positions are kept in the log's SQLite file together with
// a hash of what was read: a file whose earlier bytes changed, that was cut, or that was replaced while open is kFatal.
// Poll checks the hash first, within its time-out; until then the position is -1. kInvalid: no such regular file.
struct NdjsonOptions {
  std::string name;  // the source's configured name, stable across moves of the file
  std::string path;
  std::size_t max_record_bytes = 1048576;
};
Result<std::unique_ptr<Source>> OpenNdjsonSource(const NdjsonOptions& options, const LogOptions& positions);

}  // namespace zhitui::stream
