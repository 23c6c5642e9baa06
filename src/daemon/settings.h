#pragma once

// The table of the configuration's keys: type, default, limits, meaning, and where the value goes. The reader, `config
// show` and the reference are all made from it.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "daemon/config.h"

namespace zhitui::daemon {

enum class Type : std::uint8_t {
  kText,
  kPath,    // relative paths are below the configuration's folder
  kSecret,  // text; also as KEY_file: path or KEY_env: NAME
  kInt,
  kBool,
  kChoice,
  kTimeOfDay,  // "21:00"; the value is in ms
  kMillisList,
  kTexts,
  kTextTable,  // any keys, text values
};

struct Value {
  std::string text;
  std::int64_t number = 0;  // kInt, kBool, kTimeOfDay
  std::vector<std::int64_t> numbers;
  std::vector<std::string> texts;
  std::vector<std::pair<std::string, std::string>> table;
};

// One key of a block whose values go into a T.
template <class T>
struct Key {
  std::string path;  // "redis.port" below the block
  Type type = Type::kText;
  std::string fallback;  // as in YAML; lists with ", "
  std::int64_t min = 0;
  std::int64_t max = 0;
  std::vector<std::string> choices;
  std::string meaning;
  std::function<void(T&, const Value&)> set;
  bool required = false;
};

const std::vector<Key<Config>>& ConfigKeys();
const std::vector<Key<InputTopic>>& InputTopicKeys();
const std::vector<Key<InputFile>>& InputFileKeys();
const std::vector<Key<api::ApiKey>>& ApiKeyKeys();

// A provider that can be configured under connectors:.
struct ConnectorKind {
  std::string name;
  Channel channel;
  std::string summary;
  std::vector<delivery::SettingDoc> settings;
  // Empty with diagnostics when the settings are wrong.
  std::function<std::shared_ptr<delivery::Connector>(Logger*)> (*build)(const delivery::Settings&, Diagnostics*);
};
const std::vector<ConnectorKind>& ConnectorKinds();

}  // namespace zhitui::daemon
