// Creating topics, and checking the ones that are there, through the admin API.

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

#include "stream/kafka_client.h"

namespace zhitui::stream {
namespace {

constexpr std::int32_t kMaxPartitions = static_cast<std::int32_t>(kShards);
constexpr Millis kVisibleRetry{50};

using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, Free<rd_kafka_NewTopic_destroy>>;
using AdminOptions = std::unique_ptr<rd_kafka_AdminOptions_t, Free<rd_kafka_AdminOptions_destroy>>;
using KafkaEvent = std::unique_ptr<rd_kafka_event_t, Free<rd_kafka_event_destroy>>;

Status CheckCount(const std::string& topic, std::int32_t count) {
  if (count >= 1 && count <= kMaxPartitions && (count & (count - 1)) == 0) return {};
  return Invalid("Kafka topic " + topic + " has " + std::to_string(count) +
                 " partitions; it needs a power of two up to " + std::to_string(kMaxPartitions));
}

Result<NewTopic> Describe(const TopicSpec& spec, std::int16_t replication) {
  std::array<char, 256> why{};
  NewTopic topic(rd_kafka_NewTopic_new(spec.name.c_str(), spec.partitions, replication, why.data(), why.size()));
  if (topic == nullptr) return Invalid("Kafka topic " + spec.name + ": " + why.data());
  if (spec.compacted &&
      rd_kafka_NewTopic_set_config(topic.get(), "cleanup.policy", "compact") != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return Invalid("Kafka topic " + spec.name + " cannot be compacted");
  }
  return topic;
}

// Another instance may create the same topic at the same time; that is as good.
Status Create(rd_kafka_t* client, const std::vector<NewTopic>& topics, SteadyClock::time_point until) {
  std::vector<rd_kafka_NewTopic_t*> raw;
  for (const NewTopic& t : topics) raw.push_back(t.get());
  const KafkaQueue queue(rd_kafka_queue_new(client));
  const AdminOptions options(rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_CREATETOPICS));
  const int left = std::max(MillisUntil(until), 1);
  std::array<char, 256> why{};
  if (rd_kafka_AdminOptions_set_request_timeout(options.get(), left, why.data(), why.size()) !=
          RD_KAFKA_RESP_ERR_NO_ERROR ||
      rd_kafka_AdminOptions_set_operation_timeout(options.get(), left, why.data(), why.size()) !=
          RD_KAFKA_RESP_ERR_NO_ERROR) {
    return Invalid(std::string("Kafka time-out: ") + why.data());
  }
  rd_kafka_CreateTopics(client, raw.data(), raw.size(), options.get(), queue.get());
  const KafkaEvent event(rd_kafka_queue_poll(queue.get(), left + 100));
  if (event == nullptr) return Unavailable("Kafka did not answer the creation of topics in time");
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return Unavailable(std::string("creating Kafka topics: ") + rd_kafka_event_error_string(event.get()));
  }
  std::size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const rd_kafka_resp_err_t err = rd_kafka_topic_result_error(results[i]);
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR || err == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue;
    const char* text = rd_kafka_topic_result_error_string(results[i]);
    const std::string what = std::string("creating Kafka topic ") + rd_kafka_topic_result_name(results[i]) + ": " +
                             (text != nullptr ? text : rd_kafka_err2str(err));
    const bool retry = err == RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT || err == RD_KAFKA_RESP_ERR_NOT_CONTROLLER;
    return retry ? Status(Unavailable(what)) : Status(Invalid(what));
  }
  return {};
}

}  // namespace

Result<std::vector<std::int32_t>> EnsureKafkaTopics(const KafkaOptions& options, std::span<const TopicSpec> topics,
                                                    std::int16_t replication) {
  const auto until = SteadyClock::now() + options.connect_timeout;
  for (const TopicSpec& spec : topics) {
    if (Status s = CheckCount(spec.name, spec.partitions); !s) return std::unexpected(s.error());
  }
  // A consumer client: asking for a topic must not create it with the broker's defaults.
  Result<KafkaHandle> client = KafkaHandle::New(RD_KAFKA_CONSUMER, options, {{"allow.auto.create.topics", "false"}},
                                                std::make_shared<KafkaState>(nullptr));
  if (!client) return std::unexpected(client.error());

  std::vector<std::int32_t> counts;
  std::vector<NewTopic> missing;
  for (const TopicSpec& spec : topics) {
    const Result<std::int32_t> count = client->PartitionCount(spec.name, Millis(std::max(MillisUntil(until), 1)));
    if (!count) return std::unexpected(count.error());
    counts.push_back(*count);
    if (*count > 0) continue;
    Result<NewTopic> topic = Describe(spec, replication);
    if (!topic) return std::unexpected(topic.error());
    missing.push_back(std::move(*topic));
  }
  if (!missing.empty()) {
    if (Status s = Create(client->get(), missing, until); !s) return std::unexpected(s.error());
  }
  for (std::size_t i = 0; i < topics.size(); ++i) {
    while (counts[i] == 0) {  // the brokers learn of a new topic one after the other
      const Result<std::int32_t> count =
          client->PartitionCount(topics[i].name, Millis(std::max(MillisUntil(until), 1)));
      if (count) counts[i] = *count;
      if (counts[i] > 0) break;
      if (MillisUntil(until) == 0)
        return Unavailable("Kafka topic " + topics[i].name + " was created but is not there yet");
      std::this_thread::sleep_for(kVisibleRetry);
    }
    if (Status s = CheckCount(topics[i].name, counts[i]); !s) return std::unexpected(s.error());
  }
  return counts;
}

}  // namespace zhitui::stream
