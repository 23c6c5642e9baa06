// The Kafka sink: an idempotent producer whose Produce waits for the delivery report of every record of the call.

#include <algorithm>
#include <condition_variable>
#include <thread>
#include <utility>

#include "stream/kafka_client.h"

namespace zhitui::stream {
namespace {

constexpr std::size_t kMaxMessageBytes = 4 * 1024 * 1024;
// librdkafka counts its own framing into message.max.bytes.
constexpr std::size_t kFramingBytes = 1024;
constexpr Millis kPollSlice{50};
constexpr Millis kRoomRetry{2};
constexpr std::size_t kMaxHeaders = 256;

// One call of Produce and its records in flight. The library may report after the call has given up, so the call and
// each record hold a share of it.
class Call {
 public:
  void Add() {
    const std::scoped_lock lock(mutex_);
    ++shares_;
    ++open_;
  }
  // A record that never went to the library.
  void TakeBack() { End(RD_KAFKA_RESP_ERR_NO_ERROR); }
  void Report(rd_kafka_resp_err_t err) { End(err); }
  bool WaitUntil(SteadyClock::time_point until) {
    std::unique_lock lock(mutex_);
    return done_.wait_until(lock, until, [&] { return open_ == 0; });
  }
  rd_kafka_resp_err_t error() {
    const std::scoped_lock lock(mutex_);
    return error_;
  }
  void Drop() {
    bool last = false;
    {
      const std::scoped_lock lock(mutex_);
      last = --shares_ == 0;
    }
    if (last) delete this;
  }

 private:
  void End(rd_kafka_resp_err_t err) {
    {
      const std::scoped_lock lock(mutex_);
      if (err != RD_KAFKA_RESP_ERR_NO_ERROR && error_ == RD_KAFKA_RESP_ERR_NO_ERROR) error_ = err;
      if (--open_ == 0) done_.notify_all();
    }
    Drop();
  }

  std::mutex mutex_;
  std::condition_variable done_;
  std::size_t shares_ = 1;  // the call itself
  std::size_t open_ = 0;
  rd_kafka_resp_err_t error_ = RD_KAFKA_RESP_ERR_NO_ERROR;
};

struct DropCall {
  void operator()(Call* call) const { call->Drop(); }
};

class KafkaSink final : public Sink {
 public:
  KafkaSink(KafkaSinkOptions options, std::shared_ptr<KafkaState> state)
      : options_(std::move(options)), state_(std::move(state)) {}

  ~KafkaSink() override {
    if (poller_.joinable()) {
      stop_ = true;
      poller_.join();
    }
    if (!client_) return;
    // What is still in flight belongs to calls that have given up.
    rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    const auto until = SteadyClock::now() + KafkaHandle::kDestroyDeadline / 2;
    while (rd_kafka_outq_len(client_.get()) > 0 && MillisUntil(until) > 0) rd_kafka_poll(client_.get(), 10);
    topics_.clear();
    client_.Destroy(KafkaHandle::kDestroyDeadline);
  }

  Status Start() {
    KafkaHandle::Settings settings = {
        {"enable.idempotence", "true"},
        {"acks", "all"},
        {"partitioner", "murmur2_random"},
        {"linger.ms", std::to_string(options_.linger.count())},
        {"compression.codec", options_.compression},
        {"message.max.bytes", std::to_string(kMaxMessageBytes)},
        {"batch.size", "1000000"},
        {"queue.buffering.max.messages", "200000"},
        {"queue.buffering.max.kbytes", "262144"},
        // A record that its call has given up does not stay for long.
        {"message.timeout.ms", "30000"},
        {"topic.metadata.propagation.max.ms", "5000"},
    };
    Result<KafkaHandle> client =
        KafkaHandle::New(RD_KAFKA_PRODUCER, options_.kafka, settings, state_, [](rd_kafka_conf_t* conf) {
          rd_kafka_conf_set_dr_msg_cb(conf, &OnDelivery);
          rd_kafka_conf_set_error_cb(conf, &OnError);
        });
    if (!client) return std::unexpected(client.error());
    client_ = std::move(*client);
    if (Status s = client_.Reach(options_.kafka.connect_timeout); !s) return s;
    poller_ = std::thread([this] {
      while (!stop_) rd_kafka_poll(client_.get(), static_cast<int>(kPollSlice.count()));
    });
    return {};
  }

  Status Produce(std::span<const Record> records, Millis deadline) override {
    if (records.empty()) return {};
    const auto until = SteadyClock::now() + deadline;
    for (const Record& r : records) {
      if (Status s = Check(r); !s) return s;
    }
    const std::unique_ptr<Call, DropCall> call(new Call);
    for (const Record& r : records) {
      if (Status s = Send(r, *call, until); !s) return s;
    }
    if (!call->WaitUntil(until)) {
      if (Status s = client_.CheckFatal(); !s) return s;
      return Deadline("Kafka did not acknowledge all records in time");
    }
    return ToStatus(call->error());
  }

 private:
  static void OnDelivery(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
    static_cast<Call*>(message->_private)->Report(message->err);
  }
  static void OnError(rd_kafka_t*, int err, const char* reason, void* opaque) {
    const auto code = static_cast<rd_kafka_resp_err_t>(err);
    static_cast<KafkaState*>(opaque)->log.Say(LogLevel::kWarn, "kafka_error", rd_kafka_err2name(code), reason);
  }

  static Status Check(const Record& r) {
    if (r.topic.empty()) return Invalid("a record has no topic");
    if (r.headers.size() > kMaxHeaders) return Invalid("a record has more than 256 headers");
    std::size_t size = r.key.size() + (r.value ? r.value->size() : 0) + kFramingBytes;
    for (const Header& h : r.headers) size += h.name.size() + h.value.size() + 10;
    if (size > kMaxMessageBytes) return Invalid("a record for topic " + r.topic + " is larger than 4 MiB");
    return {};
  }

  Status ToStatus(rd_kafka_resp_err_t err) const {
    const std::string what = std::string("Kafka: ") + rd_kafka_err2str(err);
    switch (err) {
      case RD_KAFKA_RESP_ERR_NO_ERROR:
        return {};
      case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
      case RD_KAFKA_RESP_ERR_INVALID_RECORD:
      case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
      case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        return Invalid(what);
      default:
        if (Status s = client_.CheckFatal(); !s) return s;
        return Unavailable(what);
    }
  }

  Result<rd_kafka_topic_t*> TopicOf(const std::string& name) {
    const std::scoped_lock lock(mutex_);
    const auto it = topics_.find(name);
    if (it != topics_.end()) return it->second.get();
    KafkaTopic topic(rd_kafka_topic_new(client_.get(), name.c_str(), nullptr));
    if (topic == nullptr) return Invalid("Kafka topic name " + name + " is refused by the client library");
    return topics_.emplace(name, std::move(topic)).first->second.get();
  }

  // Hands a record to the library; when its queue is full, waits for room until the deadline.
  Status Send(const Record& r, Call& call, SteadyClock::time_point until) {
    const Result<rd_kafka_topic_t*> topic = TopicOf(r.topic);
    if (!topic) return std::unexpected(topic.error());
    std::vector<rd_kafka_vu_t> fields;
    fields.reserve(6 + r.headers.size());
    Field(fields, RD_KAFKA_VTYPE_RKT).rkt = *topic;
    Field(fields, RD_KAFKA_VTYPE_PARTITION).i32 = r.partition < 0 ? RD_KAFKA_PARTITION_UA : r.partition;
    Field(fields, RD_KAFKA_VTYPE_MSGFLAGS).i = RD_KAFKA_MSG_F_COPY;
    Field(fields, RD_KAFKA_VTYPE_OPAQUE).ptr = &call;
    if (!r.key.empty()) Field(fields, RD_KAFKA_VTYPE_KEY).mem = {const_cast<char*>(r.key.data()), r.key.size()};
    if (r.value) Field(fields, RD_KAFKA_VTYPE_VALUE).mem = {const_cast<char*>(r.value->data()), r.value->size()};
    for (const Header& h : r.headers) {
      Field(fields, RD_KAFKA_VTYPE_HEADER).header = {h.name.c_str(), h.value.data(),
                                                     static_cast<ssize_t>(h.value.size())};
    }
    for (;;) {
      call.Add();
      const KafkaError error(rd_kafka_produceva(client_.get(), fields.data(), fields.size()));
      if (error == nullptr) return {};
      call.TakeBack();
      const rd_kafka_resp_err_t code = rd_kafka_error_code(error.get());
      if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) return ToStatus(code);
      if (MillisUntil(until) == 0) return Deadline("the queue to Kafka stayed full");
      std::this_thread::sleep_for(kRoomRetry);
    }
  }

  static decltype(rd_kafka_vu_t::u)& Field(std::vector<rd_kafka_vu_t>& fields, rd_kafka_vtype_t type) {
    rd_kafka_vu_t& field = fields.emplace_back();
    field.vtype = type;
    return field.u;
  }

  const KafkaSinkOptions options_;
  const std::shared_ptr<KafkaState> state_;
  KafkaHandle client_;
  std::mutex mutex_;
  std::map<std::string, KafkaTopic> topics_;  // under mutex_; gone before the client
  std::atomic<bool> stop_ = false;
  std::thread poller_;  // serves the delivery reports
};

}  // namespace

Result<std::unique_ptr<Sink>> OpenKafkaSink(const KafkaSinkOptions& options) {
  auto sink = std::make_unique<KafkaSink>(options, std::make_shared<KafkaState>(options.logger));
  if (Status s = sink->Start(); !s) return std::unexpected(s.error());
  return sink;
}

}  // namespace zhitui::stream
