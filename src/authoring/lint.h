#pragma once

// The parts of Lint. Private to authoring.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "authoring/authoring.h"
#include "yaml/yaml.h"

namespace zhitui::authoring {

// A warning before anybody has allowed it.
struct Finding {
  Diagnostic diagnostic;
  std::string at;  // where, as `allow` names it: "params.min_age", "amount.table.2"
};

// Takes down what is found in one file.
class Findings {
 public:
  void Add(const yaml::Node& node, std::string code, std::string at, std::string message, std::string hint);
  std::vector<Finding> Take() { return std::move(found_); }

 private:
  std::vector<Finding> found_;
};

// What all parts look at. Everything lives longer than the parts.
struct Scene {
  const rules::RuleSet& ruleset;
  const message::TemplateSet& templates;
  const std::map<std::string, yaml::Document>& documents;  // by file
  Date at;
  int stale_years;

  const yaml::Node& RootOf(const Location& place) const { return documents.at(place.file).root(); }
};

// The node below `root` along keys; nullptr where there is none.
const yaml::Node* At(const yaml::Node* root, std::initializer_list<std::string_view> keys);

// lint_rule.cc: what can be said of one rule without its conditions.
void LintRule(const Scene& scene, const rules::Rule& rule, Findings& out);
// lint_reach.cc: criteria and amount rows that never, or always, hold.
void LintReach(const Scene& scene, const rules::Rule& rule, Findings& out);
// lint_folder.cc: what is there and nobody uses; rules that say the same; messages.
void LintSchemas(const Scene& scene, Findings& out);
void LintRules(const Scene& scene, Findings& out);
void LintMessages(const Scene& scene, Findings& out);
// One text that people read: whether it names a sensitive fact of the kind, whether it has English.
void LintText(const facts::Schema& schema, const yaml::Node& node, const std::string& at, Findings& out);

}  // namespace zhitui::authoring
