#pragma once

// Opens what a configuration names and puts the parts together.

#include <memory>
#include <string>
#include <vector>

#include "daemon/config.h"
#include "message/message.h"
#include "pipeline/pipeline.h"
#include "rules/rules.h"
#include "store/store.h"
#include "stream/stream.h"

namespace zhitui::daemon {

struct Backends {
  std::shared_ptr<stream::Log> log;  // embedded; outlives sources and sink
  std::shared_ptr<store::Store> store;
  std::shared_ptr<stream::Sink> sink;
  std::vector<std::unique_ptr<stream::Source>> sources;
};

// Creates the folders of the SQLite files. False with a sentence when one cannot be made.
Status MakeFolders(const Config& config);

// All topics of an installation; Kafka only. `ruleset`: for its subscription topics; may be nullptr.
std::vector<stream::TopicSpec> TopicsOf(const Config& config, const rules::RuleSet* ruleset);
// Creates the missing ones and refuses unequal partition counts.
Status EnsureTopics(const Config& config, const rules::RuleSet* ruleset);

Result<std::shared_ptr<store::Store>> OpenStore(const Config& config, const std::shared_ptr<std::mutex>& writer);
Result<Backends> OpenBackends(const Config& config, const rules::RuleSet& ruleset, Logger& logger);
// The sink alone, for programs that only append; `log` keeps an embedded one alive.
Result<std::shared_ptr<stream::Sink>> OpenSink(const Config& config, std::shared_ptr<stream::Log>* log, Logger* logger);

// Reads a topic from its beginning to the end seen at the start. Leaves the installation's own positions alone.
Status ReadTopic(const Config& config, const std::string& topic, const std::function<void(const Record&)>& each);

// The pipeline's options: inputs, topics, epoch.
pipeline::Options PipelineOptions(const Config& config);

std::string RandomHex();

}  // namespace zhitui::daemon
