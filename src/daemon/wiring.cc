#include "daemon/wiring.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <random>
#include <set>

namespace zhitui::daemon {
namespace {

constexpr const char* kLogGroup = "zhitui";
// One fixed name: the embedded log keeps a row for every group it has seen.
constexpr const char* kReaderGroup = "zhitui-reader";
constexpr std::size_t kReadBatch = 1000;
constexpr Millis kReadWait{200};
constexpr Millis kReadSilence{60'000};

stream::LogOptions LogOptionsOf(const Config& config, const std::shared_ptr<std::mutex>& writer) {
  stream::LogOptions options;
  options.path = config.log_path;
  options.busy_timeout = config.sqlite_busy;
  options.survive_power_cut = config.survive_power_cut;
  options.max_records_per_topic = static_cast<std::uint64_t>(config.log_max_records);
  if (writer) options.writer = writer;
  return options;
}

std::vector<std::string> SourceTopics(const Config& config) {
  std::vector<std::string> topics;
  for (const InputTopic& input : config.topics) topics.push_back(input.topic);
  topics.push_back(config.pipeline.topics.decisions);
  return topics;
}

Result<std::shared_ptr<stream::Log>> OpenLogOf(const Config& config, const std::shared_ptr<std::mutex>& writer) {
  Result<std::unique_ptr<stream::Log>> log = stream::OpenLog(LogOptionsOf(config, writer));
  if (!log) return std::unexpected(log.error());
  return std::shared_ptr<stream::Log>(std::move(*log));
}

Result<std::shared_ptr<stream::Sink>> OpenKafkaSinkOf(const Config& config, Logger* logger) {
  stream::KafkaSinkOptions options;
  options.kafka = config.kafka_options;
  options.logger = logger;
  Result<std::unique_ptr<stream::Sink>> sink = stream::OpenKafkaSink(options);
  if (!sink) return std::unexpected(sink.error());
  return std::shared_ptr<stream::Sink>(std::move(*sink));
}

Result<std::unique_ptr<stream::Source>> OpenKafkaSourceOf(const Config& config, const std::string& group,
                                                          const std::string& instance,
                                                          const std::vector<std::string>& topics, Logger* logger) {
  stream::KafkaSourceOptions options;
  options.kafka = config.kafka_options;
  options.group = group;
  options.instance_id = instance;
  options.topics = topics;
  options.session_timeout = config.session_timeout;
  options.logger = logger;
  return stream::OpenKafkaSource(options);
}

// Embedded: the NDJSON files, then the log, which is the one that is waited for.
Status OpenEmbeddedSources(const Config& config, const stream::LogOptions& positions, Backends& out) {
  for (const InputFile& file : config.files) {
    stream::NdjsonOptions options;
    options.name = file.name;
    options.path = file.path;
    options.max_record_bytes = config.kafka_options.max_record_bytes;
    Result<std::unique_ptr<stream::Source>> source = stream::OpenNdjsonSource(options, positions);
    if (!source) return std::unexpected(source.error());
    out.sources.push_back(std::move(*source));
  }
  Result<std::unique_ptr<stream::Source>> source = out.log->OpenSource(kLogGroup, SourceTopics(config));
  if (!source) return std::unexpected(source.error());
  out.sources.push_back(std::move(*source));
  return {};
}

// What a person can do about a dependency that does not answer.
std::unexpected<Error> Advise(Error error, const std::string& advice) {
  if (error.kind == ErrorKind::kUnavailable || error.kind == ErrorKind::kDeadline) error.message += "; " + advice;
  return std::unexpected(std::move(error));
}

}  // namespace

std::string RandomHex() {
  std::random_device device;
  std::string out;
  for (int i = 0; i < 2; ++i) {
    char buffer[16];
    std::snprintf(buffer, sizeof buffer, "%08x", device());
    out += buffer;
  }
  return out;
}

Status MakeFolders(const Config& config) {
  std::vector<std::string> paths;
  if (!config.redis) paths.push_back(config.sqlite_path);
  if (!config.kafka) paths.push_back(config.log_path);
  for (const std::string& path : paths) {
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    if (folder.empty()) continue;
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) {
      return Unavailable("cannot create the folder " + folder.string() + " (" + error.message() +
                         "); create it or set store.sqlite.path to a folder that may be written");
    }
  }
  return {};
}

std::vector<stream::TopicSpec> TopicsOf(const Config& config, const rules::RuleSet* ruleset) {
  const pipeline::Topics& topics = config.pipeline.topics;
  std::set<std::string> names = {topics.decisions, topics.deliveries, topics.dead_letters, topics.contacts};
  for (const InputTopic& input : config.topics) names.insert(input.topic);
  if (ruleset != nullptr) {
    for (const rules::Rule& rule : ruleset->rules()) {
      if (!rule.topic.empty()) names.insert(topics.subscription_prefix + rule.topic);
    }
  }
  std::vector<stream::TopicSpec> out;
  for (const std::string& name : names) out.push_back({name, config.partitions, false});
  out.push_back({config.ledger_topic, config.partitions, true});
  return out;
}

Status EnsureTopics(const Config& config, const rules::RuleSet* ruleset) {
  const std::vector<stream::TopicSpec> topics = TopicsOf(config, ruleset);
  const Result<std::vector<std::int32_t>> counts =
      stream::EnsureKafkaTopics(config.kafka_options, topics, config.replication);
  if (!counts) {
    return Advise(counts.error(),
                  "start the brokers or correct stream.kafka.brokers (" + config.kafka_options.brokers + ")");
  }
  for (std::size_t i = 1; i < counts->size(); ++i) {
    if ((*counts)[i] == (*counts)[0]) continue;
    return Invalid("topic " + topics[0].name + " has " + std::to_string((*counts)[0]) + " partitions and " +
                   topics[i].name + " has " + std::to_string((*counts)[i]) +
                   "; all topics need the same number: set stream.kafka.partitions to that of the inputs and recreate "
                   "the other ones");
  }
  return {};
}

Result<std::shared_ptr<store::Store>> OpenStore(const Config& config, const std::shared_ptr<std::mutex>& writer) {
  Result<std::unique_ptr<store::Store>> store = [&] {
    if (config.redis) return store::OpenRedis(config.redis_options);
    store::SqliteOptions options;
    options.path = config.sqlite_path;
    options.busy_timeout = config.sqlite_busy;
    options.survive_power_cut = config.survive_power_cut;
    if (writer) options.writer = writer;
    return store::OpenSqlite(options);
  }();
  if (!store && config.redis) {
    return Advise(store.error(), "start Redis or correct store.redis (" + config.redis_options.host + ":" +
                                     std::to_string(config.redis_options.port) + ")");
  }
  if (!store) return std::unexpected(store.error());
  return std::shared_ptr<store::Store>(std::move(*store));
}

Result<Backends> OpenBackends(const Config& config, const rules::RuleSet& ruleset, Logger& logger) {
  Backends out;
  // Writers to one file take turns; two files need no common turn.
  const auto store_writer = std::make_shared<std::mutex>();
  const auto log_writer = config.log_path == config.sqlite_path ? store_writer : std::make_shared<std::mutex>();
  Result<std::shared_ptr<store::Store>> store = OpenStore(config, store_writer);
  if (!store) return std::unexpected(store.error());
  out.store = std::move(*store);
  if (!config.kafka) {
    Result<std::shared_ptr<stream::Log>> log = OpenLogOf(config, log_writer);
    if (!log) return std::unexpected(log.error());
    out.log = std::move(*log);
    out.sink = std::shared_ptr<stream::Sink>(out.log, &out.log->sink());
    if (Status s = OpenEmbeddedSources(config, LogOptionsOf(config, log_writer), out); !s) {
      return std::unexpected(s.error());
    }
    return out;
  }
  if (Status s = EnsureTopics(config, &ruleset); !s) return std::unexpected(s.error());
  Result<std::shared_ptr<stream::Sink>> sink = OpenKafkaSinkOf(config, &logger);
  if (!sink) return std::unexpected(sink.error());
  out.sink = std::move(*sink);
  Result<std::unique_ptr<stream::Source>> source =
      OpenKafkaSourceOf(config, config.kafka_group, config.pipeline.instance, SourceTopics(config), &logger);
  if (!source) return std::unexpected(source.error());
  out.sources.push_back(std::move(*source));
  return out;
}

Result<std::shared_ptr<stream::Sink>> OpenSink(const Config& config, std::shared_ptr<stream::Log>* log,
                                               Logger* logger) {
  if (config.kafka) {
    if (Status s = EnsureTopics(config, nullptr); !s) return std::unexpected(s.error());
    return OpenKafkaSinkOf(config, logger);
  }
  Result<std::shared_ptr<stream::Log>> opened = OpenLogOf(config, nullptr);
  if (!opened) return std::unexpected(opened.error());
  *log = std::move(*opened);
  return std::shared_ptr<stream::Sink>(*log, &(*log)->sink());
}

Status ReadTopic(const Config& config, const std::string& topic, const std::function<void(const Record&)>& each) {
  std::shared_ptr<stream::Log> log;
  std::unique_ptr<stream::Source> source;
  if (config.kafka) {
    if (Status s = EnsureTopics(config, nullptr); !s) return s;
    Result<std::unique_ptr<stream::Source>> opened =
        OpenKafkaSourceOf(config, config.kafka_group + "-reader-" + RandomHex(), "", {topic}, nullptr);
    if (!opened) return std::unexpected(opened.error());
    source = std::move(*opened);
  } else {
    Result<std::shared_ptr<stream::Log>> opened = OpenLogOf(config, nullptr);
    if (!opened) return std::unexpected(opened.error());
    log = std::move(*opened);
    Result<std::unique_ptr<stream::Source>> reading = log->OpenSource(kReaderGroup, {topic});
    if (!reading) return std::unexpected(reading.error());
    source = std::move(*reading);
  }
  auto heard = std::chrono::steady_clock::now();
  for (;;) {
    Result<std::vector<Record>> records = source->Poll(kReadBatch, kReadWait);
    if (!records) return std::unexpected(records.error());
    for (const Record& record : *records) each(record);
    if (!records->empty()) {
      heard = std::chrono::steady_clock::now();
      continue;
    }
    const std::vector<stream::Assignment> assigned = source->Assigned();
    if (!assigned.empty() &&
        std::all_of(assigned.begin(), assigned.end(), [](const stream::Assignment& a) { return a.CaughtUp(); })) {
      break;
    }
    if (std::chrono::steady_clock::now() - heard > kReadSilence) {
      return Unavailable("nothing more came of the topic " + topic + " within a minute; check the brokers");
    }
  }
  return source->Close(Millis(5000));
}

pipeline::Options PipelineOptions(const Config& config) {
  pipeline::Options options = config.pipeline;
  for (const InputTopic& input : config.topics) {
    facts::DecodeOptions decode;
    decode.format = input.format;
    decode.kind = input.kind;
    decode.source = input.agency;
    decode.max_bytes = config.kafka_options.max_record_bytes;
    options.inputs.emplace(input.topic, std::move(decode));
  }
  for (const InputFile& file : config.files) {
    facts::DecodeOptions decode;
    decode.kind = file.kind;
    decode.max_bytes = config.kafka_options.max_record_bytes;
    options.inputs.emplace(file.name, std::move(decode));
  }
  options.topics.ledger = config.kafka ? config.ledger_topic : "";
  options.epoch = RandomHex();
  return options;
}

}  // namespace zhitui::daemon
