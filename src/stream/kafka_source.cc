// The Kafka source. How it deals with librdkafka 2.0.2:
// - Records come through rd_kafka_consumer_poll one by one; the batch calls lose records around pause.
// - An assignment is answered at once with an empty one. Then Poll looks up the committed position and the bounds of
//   each partition, within its time-out, and only then starts fetching at explicit offsets. So a position that the log
//   no longer holds is seen (kFatal) and not skipped, and `end_at_start` is known before the first record.
// - auto.offset.reset is "error" for the same reason: the beginning is chosen by us, where nothing was committed, and
//   never by the library, where records were lost.
// - Commits are asynchronous on a queue of their own, one in flight; the rest waits for it, so nothing piles up.

#include <algorithm>
#include <optional>
#include <utility>

#include "stream/kafka_client.h"

namespace zhitui::stream {
namespace {

// How much longer than its time-out Poll may take while it looks up a new assignment: one answer of a broker.
constexpr Millis kLookupFloor{250};
// A leader that has just changed may report an end that lags; only an end that stays below the position is a loss.
constexpr Millis kLossGrace{5000};
constexpr Millis kDestructorLeave{1500};
constexpr Millis kCommitRetry{200};
// How long a call into the library may take at a time while something else is waited for.
constexpr int kSliceMillis = 50;
constexpr std::size_t kMaxTopics = 256;

using PartitionName = std::pair<std::string, std::int32_t>;

struct Partition {
  Assignment seen;
  std::optional<std::int64_t> committed;  // looked up; -1: none
  bool bounded = false;                   // the bounds are known
  std::int64_t to_commit = -1;            // asked for
  std::int64_t sent = -1;                 // in the commit in flight
  std::int64_t done = -1;                 // acknowledged
  bool Pending() const { return to_commit > done; }
};

class KafkaSource;

struct ConsumerState final : KafkaState {
  using KafkaState::KafkaState;
  KafkaSource* source = nullptr;  // set while it lives; call-backs other than the log come from its own calls only
};

class KafkaSource final : public Source {
 public:
  KafkaSource(KafkaSourceOptions options, std::shared_ptr<ConsumerState> state)
      : options_(std::move(options)), state_(std::move(state)) {
    state_->source = this;
  }

  ~KafkaSource() override {
    if (client_) Leave(SteadyClock::now() + kDestructorLeave, KafkaHandle::kDestroyDeadline);
    state_->source = nullptr;
  }

  Status Start();
  Result<std::vector<Record>> Poll(std::size_t max, Millis timeout) override;
  Status Commit(std::span<const Position> positions) override;
  std::vector<Assignment> Assigned() const override {
    std::vector<Assignment> all;
    all.reserve(owned_.size());
    for (const auto& [name, partition] : owned_) all.push_back(partition.seen);
    return all;
  }
  std::uint64_t Generation() const override { return generation_; }
  Status Pause(const std::string& topic, std::int32_t partition) override { return SetPaused(topic, partition, true); }
  Status Resume(const std::string& topic, std::int32_t partition) override {
    return SetPaused(topic, partition, false);
  }
  Status Close(Millis deadline) override;

 private:
  static void OnRebalance(rd_kafka_t* client, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t* partitions,
                          void* opaque) {
    static_cast<ConsumerState*>(opaque)->source->Rebalance(client, err, *partitions);
  }
  static void OnError(rd_kafka_t*, int err, const char* reason, void* opaque) {
    const auto code = static_cast<rd_kafka_resp_err_t>(err);
    static_cast<ConsumerState*>(opaque)->log.Say(LogLevel::kWarn, "kafka_error", rd_kafka_err2name(code), reason);
  }
  static void OnCommitted(rd_kafka_t*, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t* offsets,
                          void* opaque) {
    static_cast<KafkaSource*>(opaque)->Committed(err, offsets);
  }

  void Rebalance(rd_kafka_t* client, rd_kafka_resp_err_t err, const rd_kafka_topic_partition_list_t& partitions);
  void Committed(rd_kafka_resp_err_t err, const rd_kafka_topic_partition_list_t* offsets);
  Status LookUp(SteadyClock::time_point until);
  Status LookUpCounts(SteadyClock::time_point until);
  Status LookUpCommitted(SteadyClock::time_point until);
  Status LookUpBounds(Partition& partition, SteadyClock::time_point until);
  Status StartFetching();
  Result<std::vector<Record>> PollUntil(std::size_t max, SteadyClock::time_point until);
  Status Take(const rd_kafka_message_t& message, std::vector<Record>& records, std::size_t& bytes);
  std::size_t Give(const rd_kafka_message_t& message, const Partition& partition, Record& record) const;
  Status Trouble(const rd_kafka_message_t& message);
  void SendCommit();
  bool CommitPending() const {
    return commit_in_flight_ || std::ranges::any_of(owned_, [](const auto& p) { return p.second.Pending(); });
  }
  Status SetPaused(const std::string& topic, std::int32_t partition, bool paused);
  void Leave(SteadyClock::time_point until, Millis destroy_at_least);

  Partition* Find(const std::string& topic, std::int32_t partition) {
    const auto it = owned_.find({topic, partition});
    return it == owned_.end() ? nullptr : &it->second;
  }
  Partition* Find(const rd_kafka_message_t& message);

  const KafkaSourceOptions options_;
  const std::shared_ptr<ConsumerState> state_;
  KafkaHandle client_;
  KafkaQueue commits_;
  std::map<std::string, std::int32_t> partition_counts_;
  std::map<PartitionName, Partition> owned_;
  std::uint64_t generation_ = 0;
  bool looking_up_ = false;    // owned_ has partitions that are not fetched yet
  bool counts_known_ = false;  // partition_counts_ is as of this assignment
  SteadyClock::time_point assigned_at_{};
  bool commit_in_flight_ = false;
  SteadyClock::time_point commit_not_before_{};
  bool leaving_ = false;
  std::optional<Error> broken_;
  // The partition of the last message: the next one is mostly of the same.
  rd_kafka_topic_t* last_topic_ = nullptr;
  std::int32_t last_number_ = -1;
  Partition* last_ = nullptr;
};

Status KafkaSource::Start() {
  const auto until = SteadyClock::now() + options_.kafka.connect_timeout;
  const auto kilobytes = std::max<std::size_t>(options_.kafka.max_poll_bytes / 1024, 1024);
  const std::size_t fetch = std::max<std::size_t>(4 * 1024 * 1024, options_.kafka.max_record_bytes);
  const auto heartbeat = std::clamp<Millis::rep>(options_.session_timeout.count() / 3, 100, 3000);
  KafkaHandle::Settings settings = {
      {"group.id", options_.group},
      {"partition.assignment.strategy", "range"},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"auto.offset.reset", "error"},
      {"enable.partition.eof", "true"},
      {"allow.auto.create.topics", "false"},
      {"session.timeout.ms", std::to_string(options_.session_timeout.count())},
      {"heartbeat.interval.ms", std::to_string(heartbeat)},
      {"max.poll.interval.ms", std::to_string(std::max<Millis::rep>(300000, options_.session_timeout.count()))},
      {"queued.max.messages.kbytes", std::to_string(std::min<std::size_t>(kilobytes, 2097151))},
      // A record larger than this still comes, alone.
      {"fetch.message.max.bytes", std::to_string(std::min<std::size_t>(fetch, 1000000000))},
      // Short, because a lookup waits behind a fetch on the same connection.
      {"fetch.wait.max.ms", "100"},
      {"fetch.error.backoff.ms", "100"},
      {"check.crcs", "true"},
  };
  if (!options_.instance_id.empty()) settings.emplace_back("group.instance.id", options_.instance_id);
  Result<KafkaHandle> client =
      KafkaHandle::New(RD_KAFKA_CONSUMER, options_.kafka, settings, state_, [](rd_kafka_conf_t* conf) {
        rd_kafka_conf_set_rebalance_cb(conf, &OnRebalance);
        rd_kafka_conf_set_error_cb(conf, &OnError);
      });
  if (!client) return std::unexpected(client.error());
  client_ = std::move(*client);
  rd_kafka_poll_set_consumer(client_.get());
  commits_.reset(rd_kafka_queue_new(client_.get()));

  for (const std::string& topic : options_.topics) {
    const Result<std::int32_t> count = client_.PartitionCount(topic, Millis(std::max(MillisUntil(until), 1)));
    if (!count) return std::unexpected(count.error());
    if (*count == 0) return Invalid("Kafka topic " + topic + " does not exist");
    partition_counts_[topic] = *count;
  }
  const KafkaPartitions topics(rd_kafka_topic_partition_list_new(static_cast<int>(options_.topics.size())));
  for (const std::string& topic : options_.topics) {
    rd_kafka_topic_partition_list_add(topics.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  }
  const rd_kafka_resp_err_t err = rd_kafka_subscribe(client_.get(), topics.get());
  if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return Invalid(std::string("Kafka subscription: ") + rd_kafka_err2str(err));
  return {};
}

// ---- Assignment ---------------------------------------------------------------------------------------------------

void KafkaSource::Rebalance(rd_kafka_t* client, rd_kafka_resp_err_t err,
                            const rd_kafka_topic_partition_list_t& partitions) {
  if (!leaving_) SendCommit();  // the last chance for what was asked in the old assignment
  rd_kafka_yield(client);       // Poll goes on with the new assignment at once
  owned_.clear();
  last_ = nullptr;
  last_topic_ = nullptr;
  looking_up_ = false;
  ++generation_;
  if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS && !leaving_) {
    for (int i = 0; i < partitions.cnt; ++i) {
      const rd_kafka_topic_partition_t& p = partitions.elems[i];
      Partition& partition = owned_[{p.topic, p.partition}];
      partition.seen.topic = p.topic;
      partition.seen.partition = p.partition;
      partition.seen.partition_count = partition_counts_[p.topic];
      partition.seen.position = -1;
    }
    looking_up_ = !owned_.empty();
    counts_known_ = false;
    assigned_at_ = SteadyClock::now();
    const KafkaPartitions none(rd_kafka_topic_partition_list_new(0));
    rd_kafka_assign(client, none.get());
    return;
  }
  if (err != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS && err != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    state_->log.Say(LogLevel::kWarn, "kafka_rebalance_failed", rd_kafka_err2name(err), rd_kafka_err2str(err));
  }
  rd_kafka_assign(client, nullptr);
}

Status KafkaSource::LookUp(SteadyClock::time_point until) {
  if (Status s = LookUpCounts(until); !s) return s;
  if (Status s = LookUpCommitted(until); !s) return s;
  for (auto& [name, partition] : owned_) {
    if (partition.bounded) continue;
    if (Status s = LookUpBounds(partition, until); !s) return s;
  }
  return StartFetching();
}

// A topic may have grown since the start.
Status KafkaSource::LookUpCounts(SteadyClock::time_point until) {
  if (counts_known_) return {};
  for (auto& [topic, count] : partition_counts_) {
    const Result<std::int32_t> now = client_.PartitionCount(topic, Millis(std::max(MillisUntil(until), 1)));
    if (!now) return std::unexpected(now.error());
    if (*now > 0) count = *now;
  }
  for (auto& [name, partition] : owned_) partition.seen.partition_count = partition_counts_[name.first];
  counts_known_ = true;
  return {};
}

Status KafkaSource::LookUpCommitted(SteadyClock::time_point until) {
  const KafkaPartitions asked(rd_kafka_topic_partition_list_new(static_cast<int>(owned_.size())));
  for (const auto& [name, partition] : owned_) {
    if (!partition.committed) rd_kafka_topic_partition_list_add(asked.get(), name.first.c_str(), name.second);
  }
  if (asked->cnt == 0) return {};
  const rd_kafka_resp_err_t err = rd_kafka_committed(client_.get(), asked.get(), std::max(MillisUntil(until), 1));
  if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
    return Unavailable(std::string("committed positions: ") + rd_kafka_err2str(err));
  for (int i = 0; i < asked->cnt; ++i) {
    const rd_kafka_topic_partition_t& p = asked->elems[i];
    if (p.err != RD_KAFKA_RESP_ERR_NO_ERROR)
      return Unavailable(std::string("committed positions: ") + rd_kafka_err2str(p.err));
    if (Partition* partition = Find(p.topic, p.partition)) partition->committed = std::max<std::int64_t>(p.offset, -1);
  }
  return {};
}

Status KafkaSource::LookUpBounds(Partition& partition, SteadyClock::time_point until) {
  Assignment& seen = partition.seen;
  std::int64_t low = 0;
  std::int64_t high = 0;
  const rd_kafka_resp_err_t err = rd_kafka_query_watermark_offsets(client_.get(), seen.topic.c_str(), seen.partition,
                                                                   &low, &high, std::max(MillisUntil(until), 1));
  if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
    return Unavailable(std::string("bounds of a partition: ") + rd_kafka_err2str(err));
  const std::int64_t committed = *partition.committed;
  const std::string name = "partition " + std::to_string(seen.partition) + " of Kafka topic " + seen.topic;
  if (committed >= 0 && committed < low) {
    return Fatal(name + " was deleted up to offset " + std::to_string(low) + " while group " + options_.group +
                 " had read it up to " + std::to_string(committed) +
                 " only: records are lost; restore them or move the group's position");
  }
  if (committed > high) {
    const std::string what = name + " ends at offset " + std::to_string(high) + ", before the committed position " +
                             std::to_string(committed);
    if (SteadyClock::now() < assigned_at_ + kLossGrace) return Unavailable(what);
    return Fatal(what + ": the topic was truncated or made anew; move the group's position");
  }
  seen.position = committed >= 0 ? committed : low;
  seen.end_at_start = high;
  partition.bounded = true;
  return {};
}

Status KafkaSource::StartFetching() {
  const KafkaPartitions all(rd_kafka_topic_partition_list_new(static_cast<int>(owned_.size())));
  const KafkaPartitions paused(rd_kafka_topic_partition_list_new(1));
  for (const auto& [name, partition] : owned_) {
    rd_kafka_topic_partition_t* p = rd_kafka_topic_partition_list_add(all.get(), name.first.c_str(), name.second);
    // The first offset may move on before the fetch; the beginning does not.
    p->offset = *partition.committed >= 0 ? *partition.committed : RD_KAFKA_OFFSET_BEGINNING;
    if (partition.seen.paused) rd_kafka_topic_partition_list_add(paused.get(), name.first.c_str(), name.second);
  }
  const rd_kafka_resp_err_t err = rd_kafka_assign(client_.get(), all.get());
  if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return Unavailable(std::string("assignment: ") + rd_kafka_err2str(err));
  if (paused->cnt > 0) rd_kafka_pause_partitions(client_.get(), paused.get());
  looking_up_ = false;
  return {};
}

Status KafkaSource::SetPaused(const std::string& topic, std::int32_t number, bool paused) {
  Partition* partition = Find(topic, number);
  if (partition == nullptr) return Invalid("partition " + std::to_string(number) + " of " + topic + " is not assigned");
  if (partition->seen.paused == paused) return {};
  partition->seen.paused = paused;
  if (looking_up_) return {};  // StartFetching sees to it
  const KafkaPartitions one(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(one.get(), topic.c_str(), number);
  const rd_kafka_resp_err_t err = paused ? rd_kafka_pause_partitions(client_.get(), one.get())
                                         : rd_kafka_resume_partitions(client_.get(), one.get());
  if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return Unavailable(std::string("pause or resume: ") + rd_kafka_err2str(err));
  return {};
}

// ---- Records ------------------------------------------------------------------------------------------------------

Result<std::vector<Record>> KafkaSource::Poll(std::size_t max, Millis timeout) {
  if (!client_) return Invalid("the source is closed");
  if (broken_) return std::unexpected(*broken_);
  rd_kafka_queue_poll_callback(commits_.get(), 0);
  SendCommit();
  Result<std::vector<Record>> answer = PollUntil(max, SteadyClock::now() + timeout);
  if (answer && answer->empty()) {
    if (Status s = client_.CheckFatal(); !s) answer = std::unexpected(s.error());
  }
  if (!answer) broken_ = answer.error();
  return answer;
}

Result<std::vector<Record>> KafkaSource::PollUntil(std::size_t max, SteadyClock::time_point until) {
  std::vector<Record> records;
  std::size_t bytes = 0;
  while (records.size() < max && bytes < options_.kafka.max_poll_bytes) {
    if (looking_up_) {
      const Status s = LookUp(std::max(until, SteadyClock::now() + kLookupFloor));
      if (!s && s.error().kind == ErrorKind::kFatal) return std::unexpected(s.error());
      if (!s) state_->log.Say(LogLevel::kWarn, "kafka_assignment_waits", "lookup", s.error().message);
    }
    const std::uint64_t generation = generation_;
    const int left = MillisUntil(until);
    const int wait = !records.empty() ? 0 : looking_up_ ? std::min(left, kSliceMillis) : left;
    const KafkaMessage message(rd_kafka_consumer_poll(client_.get(), wait));
    if (generation != generation_) {
      records.clear();  // their partitions are gone; the new owner reads them again
      bytes = 0;
    }
    if (message != nullptr) {
      if (Status s = Take(*message, records, bytes); !s) return std::unexpected(s.error());
    } else if (!records.empty()) {
      break;
    }
    if (records.empty() && MillisUntil(until) == 0) break;
  }
  return records;
}

Partition* KafkaSource::Find(const rd_kafka_message_t& message) {
  if (message.rkt == nullptr) return nullptr;
  if (message.rkt != last_topic_ || message.partition != last_number_ || last_ == nullptr) {
    last_ = Find(rd_kafka_topic_name(message.rkt), message.partition);
    last_topic_ = message.rkt;
    last_number_ = message.partition;
  }
  return last_;
}

Status KafkaSource::Take(const rd_kafka_message_t& message, std::vector<Record>& records, std::size_t& bytes) {
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR && message.err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
    return Trouble(message);
  Partition* partition = Find(message);
  if (partition == nullptr || partition->seen.position < 0) return {};  // of an assignment that is gone
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    // What lies between the last record and the end (compacted away, transaction marks) is behind us too.
    partition->seen.position = std::max(partition->seen.position, message.offset);
    return {};
  }
  if (message.offset < partition->seen.position) return {};  // given already, before a pause
  bytes += Give(message, *partition, records.emplace_back());
  partition->seen.position = message.offset + 1;
  return {};
}

// Fills the record; gives the bytes it holds.
std::size_t KafkaSource::Give(const rd_kafka_message_t& message, const Partition& partition, Record& record) const {
  record.topic = partition.seen.topic;
  record.partition = message.partition;
  record.offset = message.offset;
  record.key.assign(static_cast<const char*>(message.key), message.key != nullptr ? message.key_len : 0);
  rd_kafka_timestamp_type_t kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  const std::int64_t at = rd_kafka_message_timestamp(&message, &kind);
  if (kind != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) record.timestamp = Instant(Millis(at));
  std::size_t size = message.key_len + message.len;
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR && headers != nullptr) {
    const std::size_t count = rd_kafka_header_cnt(headers);
    record.headers.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      const char* name = nullptr;
      const void* value = nullptr;
      std::size_t value_size = 0;
      if (rd_kafka_header_get_all(headers, i, &name, &value, &value_size) != RD_KAFKA_RESP_ERR_NO_ERROR) break;
      Header& h = record.headers.emplace_back();
      h.name = name;
      if (value != nullptr) h.value.assign(static_cast<const char*>(value), value_size);
      size += h.name.size() + value_size;
    }
  }
  if (size > options_.kafka.max_record_bytes) record.oversize_bytes = size;
  if (message.payload != nullptr) {
    record.value.emplace(static_cast<const char*>(message.payload),
                         std::min(message.len, options_.kafka.max_record_bytes));
  }
  return size;
}

Status KafkaSource::Trouble(const rd_kafka_message_t& message) {
  if (Status s = client_.CheckFatal(); !s) return s;
  if (message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && message.rkt != nullptr) {
    return Fatal("partition " + std::to_string(message.partition) + " of Kafka topic " +
                 rd_kafka_topic_name(message.rkt) + " no longer holds the position of group " + options_.group +
                 ": records are lost; restore them or move the group's position");
  }
  state_->log.Say(LogLevel::kWarn, "kafka_poll_failed", rd_kafka_err2name(message.err),
                  rd_kafka_message_errstr(&message));
  return {};
}

// ---- Positions ----------------------------------------------------------------------------------------------------

Status KafkaSource::Commit(std::span<const Position> positions) {
  if (!client_) return Invalid("the source is closed");
  for (const Position& p : positions) {
    // A partition that is gone belongs to another instance: its position is that one's business.
    if (Partition* partition = Find(p.topic, p.partition))
      partition->to_commit = std::max(partition->to_commit, p.next);
  }
  rd_kafka_queue_poll_callback(commits_.get(), 0);
  SendCommit();
  return {};
}

void KafkaSource::SendCommit() {
  if (commit_in_flight_ || SteadyClock::now() < commit_not_before_) return;
  const KafkaPartitions list(rd_kafka_topic_partition_list_new(8));
  for (auto& [name, partition] : owned_) {
    if (!partition.Pending()) continue;
    rd_kafka_topic_partition_list_add(list.get(), name.first.c_str(), name.second)->offset = partition.to_commit;
    partition.sent = partition.to_commit;
  }
  if (list->cnt == 0) return;
  commit_in_flight_ = true;
  const rd_kafka_resp_err_t err = rd_kafka_commit_queue(client_.get(), list.get(), commits_.get(), &OnCommitted, this);
  if (err != RD_KAFKA_RESP_ERR_NO_ERROR) Committed(err, nullptr);
}

// An error leaves the positions pending; they go out again, unless the partitions are gone by then.
void KafkaSource::Committed(rd_kafka_resp_err_t err, const rd_kafka_topic_partition_list_t* offsets) {
  commit_in_flight_ = false;
  if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    commit_not_before_ = SteadyClock::now() + kCommitRetry;
    state_->log.Say(LogLevel::kWarn, "kafka_commit_failed", rd_kafka_err2name(err), rd_kafka_err2str(err));
    return;
  }
  for (int i = 0; offsets != nullptr && i < offsets->cnt; ++i) {
    const rd_kafka_topic_partition_t& p = offsets->elems[i];
    Partition* partition = Find(p.topic, p.partition);
    if (partition != nullptr && p.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      partition->done = std::max(partition->done, std::min(partition->sent, p.offset));
    }
  }
}

Status KafkaSource::Close(Millis deadline) {
  if (!client_) return {};
  const auto until = SteadyClock::now() + deadline;
  const auto commit_until = SteadyClock::now() + deadline / 2;
  Status result;
  while (CommitPending()) {
    SendCommit();
    rd_kafka_queue_poll_callback(commits_.get(), std::min(MillisUntil(commit_until), kSliceMillis));
    if (MillisUntil(commit_until) > 0) continue;
    if (CommitPending()) result = Deadline("the last positions could not be committed in time; they will be replayed");
    break;
  }
  Leave(SteadyClock::now() + (until - SteadyClock::now()) * 2 / 3, Millis(1));
  return result;
}

// Leaves the group and ends the client. What brokers do not answer until then is given up.
void KafkaSource::Leave(SteadyClock::time_point until, Millis destroy_at_least) {
  const auto destroy_until = until + (until - SteadyClock::now()) / 2;
  leaving_ = true;
  {
    const KafkaQueue queue(rd_kafka_queue_new(client_.get()));
    const KafkaError refused(rd_kafka_consumer_close_queue(client_.get(), queue.get()));
    while (refused == nullptr && rd_kafka_consumer_closed(client_.get()) == 0 && MillisUntil(until) > 0) {
      // Not rd_kafka_queue_poll_callback: that one aborts at a record, and fetched ones may still come here.
      const KafkaMessage dropped(rd_kafka_consume_queue(queue.get(), std::min(MillisUntil(until), kSliceMillis)));
    }
  }
  owned_.clear();
  ++generation_;
  commits_.reset();
  client_.Destroy(std::max(destroy_at_least, Millis(MillisUntil(destroy_until))));
}

}  // namespace

Result<std::unique_ptr<Source>> OpenKafkaSource(const KafkaSourceOptions& options) {
  if (options.group.empty()) return Invalid("a Kafka source needs a group");
  if (options.topics.empty()) return Invalid("a Kafka source needs a topic");
  if (options.topics.size() > kMaxTopics) return Invalid("a Kafka source reads at most 256 topics");
  for (const std::string& topic : options.topics) {
    if (topic.empty() || topic.starts_with('^')) return Invalid("a topic name is empty or a pattern");
    if (std::ranges::count(options.topics, topic) > 1) return Invalid("topic " + topic + " is named twice");
  }
  if (options.kafka.max_record_bytes == 0 || options.kafka.max_poll_bytes == 0) return Invalid("a limit in bytes is 0");
  auto source = std::make_unique<KafkaSource>(options, std::make_shared<ConsumerState>(options.logger));
  if (Status s = source->Start(); !s) return std::unexpected(s.error());
  return source;
}

}  // namespace zhitui::stream
