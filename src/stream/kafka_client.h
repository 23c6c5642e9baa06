#pragma once

// RAII and configuration around librdkafka's C API, for the Kafka source, sink and topic administration.

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/base.h"
#include "stream/stream.h"

namespace zhitui::stream {

using SteadyClock = std::chrono::steady_clock;

// What is left until then, in whole milliseconds, never negative.
int MillisUntil(SteadyClock::time_point until);

template <auto F>
struct Free {
  template <class T>
  void operator()(T* p) const {
    F(p);
  }
};
using KafkaConf = std::unique_ptr<rd_kafka_conf_t, Free<rd_kafka_conf_destroy>>;
using KafkaQueue = std::unique_ptr<rd_kafka_queue_t, Free<rd_kafka_queue_destroy>>;
using KafkaTopic = std::unique_ptr<rd_kafka_topic_t, Free<rd_kafka_topic_destroy>>;
using KafkaMessage = std::unique_ptr<rd_kafka_message_t, Free<rd_kafka_message_destroy>>;
using KafkaError = std::unique_ptr<rd_kafka_error_t, Free<rd_kafka_error_destroy>>;
using KafkaPartitions = std::unique_ptr<rd_kafka_topic_partition_list_t, Free<rd_kafka_topic_partition_list_destroy>>;

// Sends what librdkafka has to say to the product's log, each kind of line at most every ten seconds with the number
// left out. Thread-safe: librdkafka calls from its own threads. Detach ends all use of the logger.
class KafkaLog {
 public:
  explicit KafkaLog(Logger* logger) : logger_(logger) {}
  void Say(LogLevel level, std::string_view event, std::string_view kind, std::string_view detail);
  void Detach();

 private:
  struct Last {
    SteadyClock::time_point at{};
    std::int64_t left_out = 0;
  };
  std::mutex mutex_;
  Logger* logger_;
  std::map<std::string, Last, std::less<>> last_;  // at most kMaxKinds
};

// What a client's call-backs reach through librdkafka's opaque pointer. Kept alive as long as the library may use it.
struct KafkaState {
  explicit KafkaState(Logger* logger) : log(logger) {}
  virtual ~KafkaState() = default;
  KafkaLog log;
};

// A librdkafka client. Destruction takes at most `kDestroyDeadline`: when the library does not come back in time (it
// can wait on dead brokers), its threads are left to end by themselves, and what they still use is kept alive.
class KafkaHandle {
 public:
  static constexpr Millis kDestroyDeadline{2000};
  using Settings = std::vector<std::pair<std::string, std::string>>;

  // `ours` are properties beyond the common ones; the user's come last, but may not name those that promises rest on.
  // `callbacks` sets them on the configuration, whose opaque pointer is `state`. kInvalid: a property is unknown, has a
  // bad value, or may not be given.
  static Result<KafkaHandle> New(rd_kafka_type_t type, const KafkaOptions& options, const Settings& ours,
                                 std::shared_ptr<KafkaState> state,
                                 const std::function<void(rd_kafka_conf_t*)>& callbacks = {});
  KafkaHandle() = default;
  KafkaHandle(KafkaHandle&& o) noexcept : client_(std::exchange(o.client_, nullptr)), state_(std::move(o.state_)) {}
  KafkaHandle& operator=(KafkaHandle&& o) noexcept {
    std::swap(client_, o.client_);
    std::swap(state_, o.state_);
    return *this;
  }
  ~KafkaHandle() { Destroy(kDestroyDeadline); }

  rd_kafka_t* get() const { return client_; }
  explicit operator bool() const { return client_ != nullptr; }
  // Every topic, queue, list and message of the client must be gone before: librdkafka waits for them.
  void Destroy(Millis deadline);

  // kFatal with the cause when the client is beyond repair (fenced, for one).
  Status CheckFatal() const;
  // The partition count of a topic; 0: there is no such topic. kUnavailable: no answer in time.
  Result<std::int32_t> PartitionCount(const std::string& topic, Millis timeout) const;
  // kUnavailable: no broker answers in time.
  Status Reach(Millis timeout) const;

 private:
  rd_kafka_t* client_ = nullptr;
  std::shared_ptr<KafkaState> state_;
};

}  // namespace zhitui::stream
