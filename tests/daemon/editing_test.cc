#include <gtest/gtest.h>

#include "daemon/commands.h"
#include "daemon/config.h"
#include "daemon/settings.h"
#include "editor/json_checker.h"
#include "editor/support.h"

namespace zhitui::daemon {
namespace {

using Json = nlohmann::json;

Json Read(const std::string& path, const std::string& text) {
  Diagnostics none;
  return editor::JsonOf(yaml::Parse(path, text, &none)->root());
}

TEST(ConfigSchema, TheConfigurationsOfTheRepositoryAreValid) {
  const editor::JsonChecker schema(ConfigSchema());
  for (const char* name : {"config/zhitui.yaml", "config/cluster.yaml"}) {
    EXPECT_EQ(schema.Check(Read(name, editor::ReadText(editor::kRoot / name))), "") << name;
  }
}

// What the reader says of a configuration: whether a mistake of shape is among its mistakes.
bool Refused(const Json& config) {
  Diagnostics found;
  (void)ParseConfig("c.yaml", config.dump(), "/", [](const char*) -> const char* { return nullptr; }, &found);
  return std::any_of(found.begin(), found.end(), [](const Diagnostic& d) {
    return d.code == "unknown-key" || d.code == "wrong-type" || d.code == "missing-key" || d.code == "unknown-value" ||
           d.code == "out-of-range";
  });
}

Json Nested(const std::string& path, const Json& value) {
  Json out;
  Json* at = &out;
  std::size_t from = 0;
  for (std::size_t dot = path.find('.'); dot != std::string::npos; dot = path.find('.', from)) {
    at = &(*at)[path.substr(from, dot - from)];
    from = dot + 1;
  }
  (*at)[path.substr(from)] = value;
  return out;
}

TEST(ConfigSchema, SchemaAndReaderAgreeOnEveryKeyMisspeltOrOfAnotherType) {
  const editor::JsonChecker schema(ConfigSchema());
  for (const Key<Config>& key : ConfigKeys()) {
    EXPECT_NE(schema.Check(Nested(key.path + "_x", "a")), "") << key.path;
    EXPECT_TRUE(Refused(Nested(key.path + "_x", "a"))) << key.path;
    std::vector<Json> values = {"word", 7, true, Json::array({1}), Json::array({"a"}), Json{{"q", 1}}};
    if (key.type == Type::kInt) values.insert(values.end(), {key.min, key.min - 1, key.max, key.max + 1});
    for (const std::string& choice : key.choices) values.emplace_back(choice);
    for (const Json& value : values) {
      const Json config = Nested(key.path, value);
      // What needs another key beside it is the reader's to say.
      if (value == "kafka") continue;
      EXPECT_EQ(!schema.Check(config).empty(), Refused(config)) << key.path << " = " << value;
    }
  }
}

}  // namespace
}  // namespace zhitui::daemon
