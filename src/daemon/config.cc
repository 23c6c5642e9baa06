#include "daemon/config.h"

#include <algorithm>
#include <bit>
#include <set>

#include "daemon/config_reader.h"

namespace zhitui::daemon {
namespace {

constexpr std::size_t kMinKeyLength = 16;
constexpr std::size_t kMaxListed = 64;  // topics, files, API keys
constexpr std::uintmax_t kMaxConfigBytes = 1 << 20;

bool IsPlainName(std::string_view name) {
  return !name.empty() && name.size() <= 200 && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
  });
}

class Parser {
 public:
  Parser(const yaml::Document& document, Reading reading) : document_(document), in_(std::move(reading)) {}

  void Run(Config& c) {
    const yaml::Node* root = &document_.root();
    ReadGroup<Config>(in_, root, "", "", ConfigKeys(), c, [&](const std::string& group, yaml::Reader* reader) {
      if (group == "input") ReadInput(reader, c);
      if (group == "api") ReadKeys(reader, c);
      if (group.empty()) ReadConnectors(reader == nullptr ? nullptr : reader->Optional("connectors"), c);
    });
    CheckAll(c);
  }

 private:
  template <class T>
  std::vector<std::pair<T, const yaml::Node*>> ReadList(yaml::Reader* reader, const std::string& group,
                                                        const std::string& name, const std::vector<Key<T>>& keys) {
    std::vector<std::pair<T, const yaml::Node*>> out;
    const yaml::Node* list = reader == nullptr ? nullptr : reader->Optional(name);
    if (list == nullptr || list->IsNull()) return out;
    if (!list->IsSequence() || list->items().size() > kMaxListed) {
      in_.diagnostics->push_back(
          list->Fault("wrong-type", "expected a list of at most " + std::to_string(kMaxListed) + " for " + name));
      return out;
    }
    for (const yaml::Node& item : list->items()) {
      const std::string prefix = group + "." + name + "[" + std::to_string(out.size()) + "].";
      T element;
      ReadGroup<T>(in_, &item, prefix, "", keys, element, {});
      out.emplace_back(std::move(element), &item);
    }
    return out;
  }

  void ReadInput(yaml::Reader* reader, Config& c) {
    auto topics = ReadList<InputTopic>(reader, "input", "topics", InputTopicKeys());
    for (auto& [topic, node] : topics) {
      CheckName(node, "topic", topic.topic);
      if (topic.format == facts::Format::kDebezium && topic.agency.empty()) {
        in_.diagnostics->push_back(node->Fault("missing-key", "a debezium topic needs the agency that owns the table",
                                               "add agency: …, as the facts name it in `source`"));
      }
      Distinct(node, topic.topic);
      c.topics.push_back(topic);
    }
    if (reader == nullptr || reader->Optional("topics") == nullptr) {
      c.topics = {{"resident", "residents", facts::Format::kCloudEvents, ""},
                  {"entity", "entities", facts::Format::kCloudEvents, ""},
                  {"dwelling", "dwellings", facts::Format::kCloudEvents, ""}};
      for (std::size_t i = 0; i < c.topics.size(); ++i) {
        const std::string prefix = "input.topics[" + std::to_string(i) + "].";
        in_.effective->emplace_back(prefix + "kind", JsonQuote(c.topics[i].kind));
        in_.effective->emplace_back(prefix + "topic", JsonQuote(c.topics[i].topic));
        names_.insert(c.topics[i].topic);
      }
    }
    auto files = ReadList<InputFile>(reader, "input", "files", InputFileKeys());
    for (auto& [file, node] : files) {
      CheckName(node, "name", file.name);
      Distinct(node, file.name);
      c.files.push_back(file);
    }
    if (!files.empty()) first_file_ = files.front().second;
  }

  void ReadKeys(yaml::Reader* reader, Config& c) {
    std::set<std::string> names;
    std::set<std::string> secrets;
    for (auto& [key, node] : ReadList<api::ApiKey>(reader, "api", "keys", ApiKeyKeys())) {
      if (!key.secret.empty() && key.secret.size() < kMinKeyLength) {
        in_.diagnostics->push_back(
            node->Fault("too-short", "an API key has at least 16 characters", "make one with: openssl rand -hex 32"));
      }
      if (!names.insert(key.name).second || (!key.secret.empty() && !secrets.insert(key.secret).second)) {
        in_.diagnostics->push_back(node->Fault("duplicate", "two API keys have the same name or the same key"));
      }
      c.api.keys.push_back(std::move(key));
    }
  }

  void ReadConnectors(const yaml::Node* node, Config& c) {
    if (node == nullptr || node->IsNull()) return;
    yaml::Reader reader(*node, in_.diagnostics);
    for (const ConnectorKind& kind : ConnectorKinds()) {
      const yaml::Node* block = reader.Optional(kind.name);
      if (block != nullptr) ReadConnector(kind, *block, c);
    }
    reader.Done();
    // In the order of the file: the first of a channel takes the contacts that name no connector.
    const auto place = [&](const ConnectorConfig& connector) {
      return std::find_if(node->entries().begin(), node->entries().end(),
                          [&](const auto& entry) { return entry.first.text() == connector.name; });
    };
    std::stable_sort(c.connectors.begin(), c.connectors.end(),
                     [&](const ConnectorConfig& x, const ConnectorConfig& y) { return place(x) < place(y); });
  }

  void ReadConnector(const ConnectorKind& kind, const yaml::Node& block, Config& c) {
    if (!block.IsMapping()) {
      in_.diagnostics->push_back(block.Fault("wrong-type", "expected the settings of " + kind.name));
      return;
    }
    delivery::Settings settings;
    settings.SetPlace(block.at());
    const std::size_t before = in_.diagnostics->size();
    std::set<std::string> secret_forms;
    {
      // A reader of its own: which keys there are is the connector's to say.
      Diagnostics unused;
      yaml::Reader reader(block, &unused);
      for (const delivery::SettingDoc& doc : kind.settings) {
        if (!doc.secret) continue;
        for (const char* form : {"", "_file", "_env"}) secret_forms.insert(doc.key + form);
        const auto secret = in_.Secret(reader, doc.key);
        if (!secret) continue;
        const yaml::Node* file = reader.Optional(doc.key + "_file");
        settings.SetSecret(doc.key,
                           file == secret->second ? delivery::Secret::FromFile(in_.PathOf(file->text()), secret->first)
                                                  : delivery::Secret(secret->first),
                           secret->second->at());
      }
    }
    for (const auto& [key, value] : block.entries()) {
      if (secret_forms.contains(key.text())) continue;
      if (value.IsScalar()) {
        std::string text = value.text();
        // ca_file and the like: files that the connector opens.
        if (key.text().ends_with("_file") && !text.empty()) text = in_.PathOf(text);
        settings.Set(key.text(), std::move(text), value.at());
      } else if (value.IsMapping()) {
        for (const auto& [name, item] : value.entries()) {
          if (item.IsScalar()) {
            settings.Set(key.text() + "." + name.text(), item.text(), item.at());
          } else {
            in_.diagnostics->push_back(item.Fault("wrong-type", "expected text for " + name.text()));
          }
        }
      } else {
        in_.diagnostics->push_back(value.Fault("wrong-type", "expected a value for " + key.text()));
      }
    }
    if (in_.diagnostics->size() != before) return;
    ConnectorConfig connector;
    connector.name = kind.name;
    connector.templates = settings.Table("templates");
    connector.make = kind.build(settings, in_.diagnostics);
    for (const delivery::SettingDoc& doc : kind.settings) {
      const std::string path = "connectors." + kind.name + "." + doc.key;
      if (doc.key.ends_with(".*")) {
        const std::string prefix = doc.key.substr(0, doc.key.size() - 2);
        for (const auto& [name, value] : settings.Table(prefix)) {
          in_.effective->emplace_back("connectors." + kind.name + "." + prefix + "." + name, JsonQuote(value));
        }
        continue;
      }
      const std::string* value = settings.Find(doc.key);
      const std::string text = value == nullptr ? doc.fallback : *value;
      in_.effective->emplace_back(path, doc.secret && !text.empty() ? "\"***\"" : JsonQuote(text));
    }
    if (connector.make) c.connectors.push_back(std::move(connector));
  }

  void CheckName(const yaml::Node* node, const char* key, const std::string& name) {
    if (name.empty() || IsPlainName(name)) return;  // a missing one is reported already
    const yaml::Node* at = node->Find(key);
    in_.diagnostics->push_back(
        (at == nullptr ? node : at)
            ->Fault("bad-name", std::string(key) + " may hold letters, digits, '.', '_' and '-'"));
  }

  void Distinct(const yaml::Node* node, const std::string& name) {
    if (name.empty() || names_.insert(name).second) return;
    in_.diagnostics->push_back(node->Fault("duplicate", "two inputs have the name " + name));
  }

  void FaultAt(const std::string& path, const std::string& code, const std::string& message,
               const std::string& hint = "") {
    const auto at = in_.places.find(path);
    const yaml::Node& node = at == in_.places.end() ? document_.root() : *at->second;
    in_.diagnostics->push_back(node.Fault(code, message, hint));
  }

  void CheckAll(const Config& c) {
    if (c.kafka && c.kafka_options.brokers.empty()) {
      FaultAt("stream.type", "missing-key", "stream.type kafka needs stream.kafka.brokers",
              "add kafka: {brokers: \"host:9092\"} under stream");
    }
    if (c.kafka && first_file_ != nullptr) {
      in_.diagnostics->push_back(first_file_->Fault("not-with-kafka",
                                                    "input.files are read with stream.type embedded only",
                                                    "use: zhitui ingest --config … FILE"));
    }
    if (!std::has_single_bit(static_cast<std::uint32_t>(c.partitions))) {
      FaultAt("stream.kafka.partitions", "bad-value",
              "partitions must be a power of two, so that each owns whole shards", "write 1, 2, 4, … 1024");
    }
    if (c.replication == 0) {
      FaultAt("stream.kafka.replication", "bad-value", "replication must be -1 or at least 1");
    }
    if (!IsPlainName(c.pipeline.instance)) {
      FaultAt("service.instance", "bad-name", "instance may hold letters, digits, '.', '_' and '-'");
    }
    const pipeline::Topics& topics = c.pipeline.topics;
    for (const auto& [path, name] : {std::pair<std::string, std::string>{"topics.decisions", topics.decisions},
                                     {"topics.deliveries", topics.deliveries},
                                     {"topics.dead_letters", topics.dead_letters},
                                     {"topics.contacts", topics.contacts},
                                     {"topics.ledger", c.ledger_topic}}) {
      if (!IsPlainName(name)) {
        FaultAt(path, "bad-name", "a topic's name may hold letters, digits, '.', '_' and '-'");
      } else if (!names_.insert(name).second) {
        FaultAt(path, "duplicate", "the topic " + name + " is used twice");
      }
    }
    if (!IsPlainName(topics.subscription_prefix)) {
      FaultAt("topics.subscription_prefix", "bad-name", "a topic's name may hold letters, digits, '.', '_' and '-'");
    }
    if (c.api.port != 0 && c.api.port == c.api.admin_port) {
      FaultAt("api.admin_port", "duplicate", "api.port and api.admin_port are the same");
    }
  }

  const yaml::Document& document_;
  Reading in_;
  std::set<std::string> names_;
  const yaml::Node* first_file_ = nullptr;
};

}  // namespace

std::unique_ptr<Config> ParseConfig(const std::string& file, std::string text, const std::string& folder,
                                    const Environment& environment, Diagnostics* diagnostics) {
  Diagnostics found;
  const std::optional<yaml::Document> document = yaml::Parse(file, std::move(text), &found);
  auto config = std::make_unique<Config>();
  if (document) {
    Reading reading;
    reading.folder = folder;
    reading.environment = environment;
    reading.diagnostics = &found;
    reading.effective = &config->effective;
    Parser(*document, std::move(reading)).Run(*config);
    for (Diagnostic& d : found) {
      if (d.source_line.empty() && d.at.line > 0) d.source_line = std::string(document->SourceLine(d.at.line));
      if (d.at.file.empty()) d.at.file = file;
    }
    if (config->log_path.empty()) config->log_path = config->sqlite_path;
  }
  const bool good = found.empty();
  diagnostics->insert(diagnostics->end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
  return good ? std::move(config) : nullptr;
}

Result<std::unique_ptr<Config>> LoadConfig(const std::string& path, Diagnostics* diagnostics) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return Invalid("cannot read the configuration " + path + "; name an existing file with --config");
  if (size > kMaxConfigBytes) return Invalid("the configuration " + path + " is larger than 1 MiB");
  std::ifstream in(path, std::ios::binary);
  if (!in) return Invalid("cannot read the configuration " + path + "; check its permissions");
  std::string text(std::istreambuf_iterator<char>(in), {});
  const std::filesystem::path folder = std::filesystem::absolute(path, error).parent_path();
  return ParseConfig(
      path, std::move(text), folder.string(), [](const char* name) { return std::getenv(name); }, diagnostics);
}

std::string ShowConfig(const Config& config) {
  std::string out;
  for (const auto& [path, value] : config.effective) out += path + ": " + value + "\n";
  return out;
}

}  // namespace zhitui::daemon
