#pragma once

// One rule file to a Rule, with every mistake at its place. Private to rules.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "rules/rules.h"

namespace zhitui::rules {

// A kind of subject that rules may be about, and the names its expressions start with.
struct Kind {
  std::shared_ptr<const facts::Schema> schema;
  cel::Env env;
};

struct Kinds {
  std::map<std::string, Kind, std::less<>> by_name;
  std::set<std::string, std::less<>> broken;  // declared, but with mistakes: their rules are only partly checked
  // By id; nullptr: declared, but with mistakes.
  std::map<std::string, std::shared_ptr<const cel::Calendar>, std::less<>> calendars;
};

struct Param {
  std::string name;
  value::Type type = nullptr;
  std::vector<cel::DatedValue> values;
  bool constant = false;  // a value for all days
  Location at;
  const yaml::Node* key = nullptr;        // its name
  const yaml::Node* first_day = nullptr;  // of dated values
};

struct LayeredRule;  // rules/overlay.h

// The rule as far as it could be read; of use only when no diagnostic was added. nullopt: not even an id. Of the rules
// that it stands on or that stand on it only the ids are there.
std::optional<Rule> ParseRule(const LayeredRule& layered, const Kinds& kinds, Diagnostics* diagnostics);

// `node` maps names to values or to dated values. Strings in the result point into `node`.
std::vector<Param> ParseParams(const yaml::Node& node, Diagnostics* diagnostics);

// nullptr and a diagnostic when the file has a mistake; `id` is then what it calls itself, if it does.
std::shared_ptr<const cel::Calendar> ParseCalendar(const yaml::Document& document, std::string& id,
                                                   Diagnostics* diagnostics);

// The tests of `rule`, whose criteria are complete. `schema` may be nullptr: facts are then not checked.
std::vector<RuleTest> ParseTests(const yaml::Node& node, const Rule& rule, const facts::Schema* schema,
                                 Diagnostics* diagnostics);

// Content hashes: of what can change a determination; of everything but the tests.
std::string DeterminationHash(const Rule& rule, const std::vector<Param>& params, const facts::Schema& schema);
std::string ContentHash(const Rule& rule);

// Reports a list or mapping that is too long; false then.
bool CheckCount(const yaml::Node& node, std::size_t count, std::size_t limit, const char* what,
                Diagnostics* diagnostics);

}  // namespace zhitui::rules
