#pragma once

// The configuration: one YAML file. Every key has a default or says that it is required; all mistakes are reported at
// once with their place. docs/config.md is printed from the same table that reads the file.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/api.h"
#include "base/base.h"
#include "delivery/delivery.h"
#include "facts/facts.h"
#include "pipeline/pipeline.h"
#include "store/store.h"
#include "stream/stream.h"

namespace zhitui::daemon {

struct InputTopic {
  std::string kind;
  std::string topic;
  facts::Format format = facts::Format::kCloudEvents;
  std::string agency;  // Debezium: owns the table
};

struct InputFile {
  std::string name;
  std::string path;
  std::string kind;  // empty: any
};

struct ConnectorConfig {
  std::string name;  // "jpush"
  std::map<std::string, std::string> templates;
  std::function<std::shared_ptr<delivery::Connector>(Logger*)> make;
};

struct Config {
  std::string rules_dir;
  Millis rules_watch{2'000};
  std::vector<InputTopic> topics;
  std::vector<InputFile> files;
  bool kafka = false;  // else the embedded log
  std::string log_path;
  std::int64_t log_max_records = 0;
  stream::KafkaOptions kafka_options;
  std::string kafka_group;
  Millis session_timeout{0};
  std::int32_t partitions = 16;
  std::int16_t replication = -1;
  bool redis = false;  // else SQLite
  std::string sqlite_path;
  Millis sqlite_busy{0};
  bool survive_power_cut = true;  // store and embedded log
  store::RedisOptions redis_options;
  std::string ledger_topic;
  pipeline::Options pipeline;  // inputs, epoch and topics.ledger are filled in by the wiring
  std::size_t delivery_threads = 0;
  std::size_t delivery_queue = 0;
  std::vector<ConnectorConfig> connectors;
  api::Options api;
  std::string log_format;  // auto, json, text
  LogLevel log_level = LogLevel::kInfo;
  Millis shutdown{0};

  // What is in effect, in file order: "api.port" -> "8080"; secrets are ***. Lists and tables by index and name.
  std::vector<std::pair<std::string, std::string>> effective;
};

// Reads environment variables; a test hands in its own.
using Environment = std::function<const char*(const char*)>;

// nullptr and at least one diagnostic when anything is wrong. Reads the secret files that the text names; relative
// paths are below `folder`. Does not open anything else.
std::unique_ptr<Config> ParseConfig(const std::string& file, std::string text, const std::string& folder,
                                    const Environment& environment, Diagnostics* diagnostics);
// The same from disk. kInvalid: no such file (the message says so).
Result<std::unique_ptr<Config>> LoadConfig(const std::string& path, Diagnostics* diagnostics);

std::string ConfigReference();                 // docs/config.md
std::string ShowConfig(const Config& config);  // effective values, one "path: value" a line

}  // namespace zhitui::daemon
