#pragma once

// The parts of a report, and what they share. Inside the proving room only.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "proving/proving.h"

namespace zhitui::proving {

// A text on one line: runs of white space as one space each.
std::string OneLine(std::string_view text);

// A note at a place in a rule file.
Diagnostic Note(Location at, std::string code, std::string message, std::string hint = "");

RuleCoverage Cover(const rules::RuleSet& ruleset, const rules::Rule& rule, Diagnostics& notes);

// The mutants of `rules`, tried by `each`; see Prove.
std::vector<RuleMutants> Mutate(const std::vector<rules::SourceFile>& files, const rules::RuleSet& ruleset,
                                const std::vector<const rules::Rule*>& rules, std::size_t max_mutants,
                                const ForEach& each, const std::function<void(std::size_t, std::size_t)>& progress,
                                Diagnostics& notes);

std::vector<BoundaryCase> FindCases(const rules::RuleSet& ruleset, const rules::Rule& rule, std::size_t max_cases,
                                    Diagnostics& notes);

}  // namespace zhitui::proving
