#pragma once

// Reads one block of the configuration by a table of keys.

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/settings.h"
#include "yaml/yaml.h"

namespace zhitui::daemon {

// What reading a configuration needs and collects.
struct Reading {
  std::string folder;
  Environment environment;
  Diagnostics* diagnostics = nullptr;
  std::vector<std::pair<std::string, std::string>>* effective = nullptr;
  std::map<std::string, const yaml::Node*> places;  // path -> the value's node, where there is one

  std::string PathOf(const std::string& path) const;  // relative ones are below the folder
  // A value of that type; nullopt and a diagnostic when the node is not one.
  std::optional<Value> Parse(const yaml::Node& node, Type type, std::string_view name, std::int64_t min,
                             std::int64_t max, const std::vector<std::string>& choices);
  // The default of a key, as written in its table.
  static Value Default(Type type, const std::string& fallback);
  // KEY, KEY_file or KEY_env of a mapping; nullptr value: none of them. Marks the three as known.
  std::optional<std::pair<std::string, const yaml::Node*>> Secret(yaml::Reader& reader, const std::string& key);
  void Note(const std::string& path, Type type, const Value& value);
};

// Called for every group of keys ("" is the block itself) so that the caller can take keys that are not in the table.
using GroupHook = std::function<void(const std::string& group, yaml::Reader* reader)>;

template <class T>
void ReadGroup(Reading& in, const yaml::Node* node, const std::string& prefix, const std::string& group,
               const std::vector<Key<T>>& keys, T& into, const GroupHook& hook) {
  if (node != nullptr && node->IsNull()) node = nullptr;
  std::optional<yaml::Reader> reader;
  if (node != nullptr) reader.emplace(*node, in.diagnostics);
  std::vector<std::string> done;
  for (const Key<T>& key : keys) {
    if (!group.empty() && !key.path.starts_with(group + ".")) continue;
    const std::string rest = group.empty() ? key.path : key.path.substr(group.size() + 1);
    if (const std::size_t dot = rest.find('.'); dot != std::string::npos) {
      const std::string name = rest.substr(0, dot);
      if (std::find(done.begin(), done.end(), name) != done.end()) continue;
      done.push_back(name);
      const yaml::Node* child = reader ? reader->Optional(name) : nullptr;
      ReadGroup(in, child, prefix, group.empty() ? name : group + "." + name, keys, into, hook);
      continue;
    }
    const std::string path = prefix + key.path;
    std::optional<Value> value;
    if (reader && key.type == Type::kSecret) {
      if (auto secret = in.Secret(*reader, rest)) {
        in.places[path] = secret->second;
        value.emplace();
        value->text = std::move(secret->first);
      } else if (key.required) {
        in.diagnostics->push_back(
            node->Fault("missing-key", "the key " + rest + " is missing here",
                        "add " + rest + "_file: path, " + rest + "_env: NAME or " + rest + ": …"));
      }
    } else if (const yaml::Node* found =
                   !reader ? nullptr : (key.required ? reader->Required(rest) : reader->Optional(rest))) {
      in.places[path] = found;
      value = in.Parse(*found, key.type, rest, key.min, key.max, key.choices);
    }
    if (!value) value = Reading::Default(key.type, key.fallback);
    if (key.type == Type::kPath && !value->text.empty()) value->text = in.PathOf(value->text);
    in.Note(path, key.type, *value);
    key.set(into, *value);
  }
  if (hook) hook(group, reader ? &*reader : nullptr);
  if (reader) reader->Done();
}

}  // namespace zhitui::daemon
