#pragma once

// The facts of a rule's test, as YAML, to the JSON that a profile reads. Private to rules.

#include <string>

#include "base/base.h"
#include "facts/facts.h"
#include "yaml/yaml.h"

namespace zhitui::rules {

// `node` maps fact names to values; a name may be dotted ("hukou.city") or nested. Types come from the schema, so that
// a code needs no quotes. A list of dates also takes months: "2025-03 to 2026-02" is the first day of each of them.
// Mistakes go to `diagnostics`; the result is then of no use.
std::string FactsToJson(const yaml::Node& node, const facts::Schema& schema, Diagnostics* diagnostics);

}  // namespace zhitui::rules
