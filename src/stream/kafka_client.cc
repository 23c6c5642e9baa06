#include "stream/kafka_client.h"

#include <syslog.h>

#include <algorithm>
#include <array>
#include <future>
#include <thread>
#include <utility>

namespace zhitui::stream {
namespace {

constexpr std::size_t kMaxKinds = 64;
constexpr Millis kSayEvery{10000};
constexpr std::size_t kMaxDetailBytes = 512;

// What the product's promises rest on, or what would load code; also under librdkafka's other names for them.
constexpr std::array<std::string_view, 20> kReserved = {"acks",
                                                        "auto.offset.reset",
                                                        "bootstrap.servers",
                                                        "enable.auto.commit",
                                                        "auto.commit.enable",
                                                        "enable.auto.offset.store",
                                                        "enable.idempotence",
                                                        "enable.partition.eof",
                                                        "group.id",
                                                        "group.instance.id",
                                                        "max.in.flight",
                                                        "max.in.flight.requests.per.connection",
                                                        "metadata.broker.list",
                                                        "opaque",
                                                        "partition.assignment.strategy",
                                                        "partitioner",
                                                        "plugin.library.paths",
                                                        "request.required.acks",
                                                        "session.timeout.ms",
                                                        "transactional.id"};

void OnLog(const rd_kafka_t* client, int level, const char* facility, const char* text) {
  auto* state = static_cast<KafkaState*>(rd_kafka_opaque(client));
  if (state == nullptr) return;
  const LogLevel ours = level <= LOG_ERR ? LogLevel::kWarn : level <= LOG_WARNING ? LogLevel::kInfo : LogLevel::kDebug;
  state->log.Say(ours, "kafka_client", facility, text);
}

Status Set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  std::array<char, 8> unused{};  // librdkafka's text may quote the value, and values may be secret
  switch (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), unused.data(), unused.size())) {
    case RD_KAFKA_CONF_OK:
      return {};
    case RD_KAFKA_CONF_UNKNOWN:
      return Invalid("Kafka property " + name + " is unknown to the client library");
    default:
      return Invalid("Kafka property " + name + " has a value that the client library refuses");
  }
}

}  // namespace

int MillisUntil(SteadyClock::time_point until) {
  const auto left = std::chrono::ceil<Millis>(until - SteadyClock::now()).count();
  return static_cast<int>(std::clamp<Millis::rep>(left, 0, 1'000'000'000));
}

void KafkaLog::Say(LogLevel level, std::string_view event, std::string_view kind, std::string_view detail) {
  const std::scoped_lock lock(mutex_);
  if (logger_ == nullptr) return;
  const auto now = SteadyClock::now();
  std::int64_t left_out = 0;
  auto it = last_.find(kind);
  if (it != last_.end()) {
    if (now - it->second.at < kSayEvery) {
      ++it->second.left_out;
      return;
    }
    left_out = std::exchange(it->second.left_out, 0);
    it->second.at = now;
  } else {
    if (last_.size() >= kMaxKinds) last_.clear();
    last_.emplace(kind, Last{now, 0});
  }
  logger_->Log(level, event, {{"kind", kind}, {"detail", detail.substr(0, kMaxDetailBytes)}, {"left_out", left_out}});
}

void KafkaLog::Detach() {
  const std::scoped_lock lock(mutex_);
  logger_ = nullptr;
}

Result<KafkaHandle> KafkaHandle::New(rd_kafka_type_t type, const KafkaOptions& options, const Settings& ours,
                                     std::shared_ptr<KafkaState> state,
                                     const std::function<void(rd_kafka_conf_t*)>& callbacks) {
  if (options.brokers.empty()) return Invalid("the list of Kafka brokers is empty");
  KafkaConf conf(rd_kafka_conf_new());
  Settings all = {
      {"client.id", "zhitui"},           {"bootstrap.servers", options.brokers}, {"socket.keepalive.enable", "true"},
      {"log.connection.close", "false"}, {"reconnect.backoff.ms", "50"},         {"reconnect.backoff.max.ms", "2000"}};
  for (const auto& [name, value] : options.properties) {
    if (std::ranges::find(kReserved, std::string_view(name)) != kReserved.end()) {
      return Invalid("Kafka property " + name + " is set by zhitui itself and cannot be given");
    }
  }
  all.insert(all.end(), ours.begin(), ours.end());
  all.insert(all.end(), options.properties.begin(), options.properties.end());  // tuning may override ours
  for (const auto& [name, value] : all) {
    if (Status s = Set(conf.get(), name, value); !s) return std::unexpected(s.error());
  }

  rd_kafka_conf_set_opaque(conf.get(), state.get());
  rd_kafka_conf_set_log_cb(conf.get(), &OnLog);
  if (callbacks) callbacks(conf.get());

  KafkaHandle handle;
  handle.state_ = std::move(state);
  std::array<char, 256> why{};
  handle.client_ = rd_kafka_new(type, conf.get(), why.data(), why.size());
  if (handle.client_ == nullptr) return Invalid(std::string("Kafka client: ") + why.data());
  static_cast<void>(conf.release());  // the client owns it now
  return handle;
}

void KafkaHandle::Destroy(Millis deadline) {
  rd_kafka_t* client = std::exchange(client_, nullptr);
  if (client == nullptr) return;
  auto done = std::make_shared<std::promise<void>>();
  std::future<void> finished = done->get_future();
  std::thread([client, done, state = state_] {
    rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    done->set_value();
  }).detach();
  finished.wait_for(deadline);
  state_->log.Detach();
}

Status KafkaHandle::CheckFatal() const {
  std::array<char, 256> why{};
  const rd_kafka_resp_err_t err = rd_kafka_fatal_error(client_, why.data(), why.size());
  if (err == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  if (err == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) {
    return Fatal("another instance joined the Kafka group with the same instance id; stop this one");
  }
  return Fatal(std::string("Kafka: ") + rd_kafka_err2str(err) + ": " + why.data());
}

Result<std::int32_t> KafkaHandle::PartitionCount(const std::string& topic, Millis timeout) const {
  const KafkaTopic handle(rd_kafka_topic_new(client_, topic.c_str(), nullptr));
  if (handle == nullptr) return Invalid("Kafka topic name " + topic + " is refused by the client library");
  const rd_kafka_metadata_t* raw = nullptr;
  const rd_kafka_resp_err_t err = rd_kafka_metadata(client_, 0, handle.get(), &raw, static_cast<int>(timeout.count()));
  if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return Unavailable(std::string("Kafka metadata: ") + rd_kafka_err2str(err));
  const std::unique_ptr<const rd_kafka_metadata_t, Free<rd_kafka_metadata_destroy>> metadata(raw);
  if (metadata->topic_cnt != 1) return 0;
  const rd_kafka_metadata_topic_t& found = metadata->topics[0];
  switch (found.err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return found.partition_cnt;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
      return 0;
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
      return Invalid("Kafka topic name " + topic + " is refused by the broker");
    default:
      return Unavailable("Kafka topic " + topic + ": " + rd_kafka_err2str(found.err));
  }
}

Status KafkaHandle::Reach(Millis timeout) const {
  const rd_kafka_metadata_t* raw = nullptr;
  const rd_kafka_resp_err_t err = rd_kafka_metadata(client_, 0, nullptr, &raw, static_cast<int>(timeout.count()));
  if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return Unavailable(std::string("no Kafka broker answers: ") + rd_kafka_err2str(err));
  }
  rd_kafka_metadata_destroy(raw);
  return {};
}

}  // namespace zhitui::stream
