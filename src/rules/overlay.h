#pragma once

// A rule of a smaller area over that of a larger one, put together before anything is compiled. Private to rules.
//
// Of a rule and all that stand over it, directly or not, one decides for each subject: of those in force in whose area
// the subject counts, the one of the smallest area. Who that is, each of them asks by a criterion of its own.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rules/rule_parser.h"

namespace zhitui::rules {

// A condition of a rule's own area or of a smaller one, as an expression over the facts named by `by`.
struct AreaCondition {
  std::string text;                // empty: none
  std::string rule;                // the rule that decides where it holds
  const yaml::Node* by = nullptr;  // where the fact is named
};

// A rule file with what it stands on.
struct LayeredRule {
  const yaml::Node* root = nullptr;           // all keys that hold; of the file alone where it stands on nothing
  std::unique_ptr<yaml::Node> composed;       // owner of `root` where it does
  std::vector<const yaml::Document*> layers;  // of the largest area first, the file itself last
  const yaml::Node* over = nullptr;           // the id of the rule that it stands on
  AreaCondition counts;                       // a subject counts in the area; only with `over`
  Text counts_label;
  std::vector<AreaCondition> smaller;  // another rule decides; by area
  AreaCondition none_smaller;          // none of them does; only with `smaller`
  bool readable = true;                // false: what it stands on cannot be told, so that it has no meaning
};

// For each document (nullptr: a file that is no YAML) what it is composed with. Mistakes go to the list of the file in
// which they stand, `diagnostics[i]` for `documents[i]`.
std::vector<LayeredRule> Layer(const std::vector<const yaml::Document*>& documents, const Kinds& kinds,
                               std::vector<Diagnostics>& diagnostics);

// The values of a smaller area's param over those of the larger one's: from its first day on only they count.
std::vector<Param> OverlayParams(std::vector<Param> larger, std::vector<Param> smaller, Diagnostics* diagnostics);

}  // namespace zhitui::rules
