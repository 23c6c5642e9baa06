// The configuration reference, docs/config.md.

#include "daemon/settings.h"

namespace zhitui::daemon {
namespace {

const char* TypeWords(Type type) {
  switch (type) {
    case Type::kText:
      return "text";
    case Type::kPath:
      return "path";
    case Type::kSecret:
      return "secret";
    case Type::kInt:
      return "number";
    case Type::kBool:
      return "true or false";
    case Type::kChoice:
      return "choice";
    case Type::kTimeOfDay:
      return "time of day";
    case Type::kMillisList:
      return "list of numbers";
    case Type::kTexts:
      return "list of texts";
    case Type::kTextTable:
      return "table of texts";
  }
  return "";
}

std::string Choices(const std::vector<std::string>& choices) {
  std::string out;
  for (const std::string& c : choices) out += (out.empty() ? "`" : ", `") + c + "`";
  return out;
}

template <class T>
std::string Row(const Key<T>& key) {
  std::string values = TypeWords(key.type);
  if (key.type == Type::kInt) values = std::to_string(key.min) + " to " + std::to_string(key.max);
  if (key.type == Type::kChoice) values = Choices(key.choices);
  std::string fallback = key.required ? "required" : (key.fallback.empty() ? "empty" : "`" + key.fallback + "`");
  if (key.type == Type::kMillisList) fallback = "`[" + key.fallback + "]`";
  std::string meaning = key.meaning;
  if (key.type == Type::kTexts && !key.choices.empty()) meaning += ": " + Choices(key.choices);
  return "| `" + key.path + "` | " + values + " | " + fallback + " | " + meaning + " |\n";
}

constexpr const char* kHead = "| key | values | default | meaning |\n|---|---|---|---|\n";

template <class T>
std::string Table(const std::vector<Key<T>>& keys) {
  std::string out = kHead;
  for (const Key<T>& key : keys) out += Row(key);
  return out;
}

struct Section {
  const char* name;
  const char* about;
};
constexpr Section kSections[] = {
    {"service", "This instance."},
    {"rules", "What is decided."},
    {"input",
     "Where events come from. Without `topics`: `residents` (kind resident), `entities` (entity) and `dwellings` "
     "(dwelling), all CloudEvents. Events sent to the HTTP API go to the topic of their kind."},
    {"stream", "The log of events and decisions."},
    {"store", "The state."},
    {"topics", "Names of the topics that are written."},
    {"decide", "From events to decisions."},
    {"planning", "When and how often people are told."},
    {"delivery", "From decisions to messages."},
    {"api",
     "The HTTP service ([openapi.yaml](openapi.yaml)). Without `keys` only call-backs and the admin port answer."},
    {"log", "Log lines on standard error."},
    {"shutdown", "How it ends."},
};

}  // namespace

std::string ConfigReference() {
  std::string out =
      "# Configuration\n\n"
      "<!-- Printed by `zhitui config reference`; a test compares. -->\n\n"
      "One YAML file, `zhitui serve --config FILE`. Every key has a default or is marked required; an unknown key is "
      "an "
      "error\nwith its line. `zhitui config check --config FILE` prints all mistakes at once and exits with 78; "
      "`zhitui config show --config FILE`\nprints what is in effect. Relative paths are below the file's folder. "
      "Commented examples: [config/zhitui.yaml](../config/zhitui.yaml)\n(one process, one SQLite file) and "
      "[config/cluster.yaml](../config/cluster.yaml) (Kafka and Redis).\n\n"
      "A **secret** `x` is given as `x_file: path` (its trailing line end is dropped), as `x_env: NAME` of an "
      "environment "
      "variable,\nor, for tests, as `x: text`. Secrets are shown as `***`. Names end in their unit: `_ms`, `_s`, "
      "`_bytes`.\n";
  for (const Section& section : kSections) {
    out += std::string("\n## ") + section.name + "\n\n" + section.about + "\n\n" + kHead;
    for (const Key<Config>& key : ConfigKeys()) {
      if (key.path.starts_with(std::string(section.name) + ".")) out += Row(key);
    }
    if (std::string_view(section.name) == "input") {
      out += "\n`input.topics` is a list of\n\n" + Table(InputTopicKeys());
      out += "\n`input.files` is a list of NDJSON files, read with the embedded log only\n\n" + Table(InputFileKeys());
    }
    if (std::string_view(section.name) == "api") {
      out += "\n`api.keys` is a list of\n\n" + Table(ApiKeyKeys());
    }
  }
  out +=
      "\n## connectors\n\nThe providers. A channel without one is not used. A contact `apns:TOKEN` goes to the "
      "connector of "
      "that name; one without a name goes to the first of its channel in the file. A secret may also be given as "
      "`KEY_file` (read again when the file changes) or `KEY_env`. Call-backs arrive at `/v1/receipts/<connector>`.\n";
  for (const ConnectorKind& kind : ConnectorKinds()) {
    out += "\n### connectors." + kind.name + "\n\n" + kind.summary + "; channel `" +
           std::string(ChannelName(kind.channel)) +
           "`.\n\n| key | values | default | meaning | 说明 |\n|---|---|---|---|---|\n";
    for (const delivery::SettingDoc& doc : kind.settings) {
      const bool table = doc.key.ends_with(".*");
      const std::string fallback =
          doc.required ? "required" : (doc.fallback.empty() ? "empty" : "`" + doc.fallback + "`");
      out += "| `" + (table ? doc.key.substr(0, doc.key.size() - 2) : doc.key) + "` | " +
             (doc.secret ? "secret" : (table ? "table of texts" : "text")) + " | " + fallback + " | " + doc.summary.en +
             " | " + doc.summary.zh + " |\n";
    }
  }
  return out;
}

}  // namespace zhitui::daemon
