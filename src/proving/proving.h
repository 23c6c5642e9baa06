#pragma once

// proving: how well the tests beside a rule prove it. Which criteria, amount rows, legal articles and conditions they
// exercise (coverage), which small mistakes in the rule they would notice (mutants), and which cases next to a boundary
// nobody has written down yet. Changes no file. Pure; the caller hands over the files and owns the threads.
//
// Promises
// - A mutant counts as killed only when a test of its rule fails on it; one that is no valid rule is not counted.
// - A proposed case says what the rule answers today. It is an offer to be confirmed, never written by this room.
// - The same files give the same report, in the same order, whatever `each` does.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "rules/rules.h"

namespace zhitui::proving {

// ---- Coverage

// Both values of one condition (a part of an expression without && || !) were seen, and a pair of test days shows that
// it alone turned the outcome (masking MC/DC, see CAST-6 of the certification authorities for DO-178): of a criterion's
// condition, whether all criteria of the rule are met; of an amount row's, whether the row is taken. A condition that
// stands in several criteria is one and turns everywhere at once. Constants are no conditions.
struct ConditionCoverage {
  std::string text;  // as written
  Location at;
  bool seen_true = false;
  bool seen_false = false;
  bool independent = false;  // the pair exists
  std::string waived;        // why no pair can exist, as the author says; empty: not waived, or shown all the same
};
struct CriterionCoverage {
  std::string id;
  Location at;
  std::size_t times_true = 0, times_false = 0, times_unknown = 0;  // over the test days on which the rule is in force
  std::vector<ConditionCoverage> conditions;
};
struct RowCoverage {
  std::string when;  // as written; empty: the last row
  Location at;
  std::size_t times = 0;  // test days on which it gave the amount
  std::vector<ConditionCoverage> conditions;
};
struct LawCoverage {
  std::string id;
  std::string title;
  std::vector<std::string> criteria;  // that cite it; empty: an article without a rule
  bool tested = false;                // one of them was seen both true and false
};
struct RuleCoverage {
  std::string rule;
  Location at;
  std::size_t test_days = 0;
  std::vector<CriterionCoverage> criteria;
  std::vector<RowCoverage> rows;
  std::vector<LawCoverage> laws;
  std::size_t pairs_shown = 0, pairs = 0;  // MC/DC, waived ones not counted
};

// ---- Mutants

enum class MutantFate : std::uint8_t { kKilled, kSurvived, kWaived };
const char* MutantFateName(MutantFate fate);  // "killed", "survived", "waived"
struct Mutant {
  Location at;
  // "boundary" (< for <=), "operator" (== for !=), "connective" (&& for ||), "negation" (! left out), "constant" (one
  // unit off, a text of an `in` list left out), "parameter" and "valid" (a value one unit off, a day one day off),
  // "criterion" (always true), "row" (never taken, or gives one unit more or less)
  std::string kind;
  std::string before;  // as written, on one line
  std::string after;
  MutantFate fate = MutantFate::kSurvived;
  std::string note;  // the test day that killed it, or why it is waived
};
struct RuleMutants {
  std::string rule;
  Location at;
  std::vector<Mutant> mutants;  // by place; those that are no valid rule are not among them
  std::size_t killed = 0, survived = 0, waived = 0;
  double score() const {  // 1 when there is nothing to kill
    return killed + survived == 0 ? 1 : static_cast<double>(killed) / static_cast<double>(killed + survived);
  }
};

// ---- Boundary cases

// A case next to a boundary that no test day stands on: the day before, of and after a flip by time, or a threshold of
// a fact less one unit, itself, and plus one unit, everything else as in the test it comes from.
struct BoundaryCase {
  std::string rule;
  std::string from_test;  // name of the test it is derived from
  std::string why;        // "old_enough becomes true on 2035-03-02", "one unit below the threshold of points, 60"
  std::string yaml;       // a `tests` item, ready to be pasted once confirmed
};

struct Report {
  Diagnostics diagnostics;                        // the rules are not accepted; the rest is empty then
  std::shared_ptr<const rules::RuleSet> ruleset;  // which `tests` points into
  rules::TestReport tests;
  std::vector<RuleCoverage> coverage;  // by rule id
  std::vector<RuleMutants> mutants;    // by rule id; only of rules whose own tests pass
  std::vector<BoundaryCase> cases;     // by rule id
  // Waivers that match nothing or are not needed, rules that were not mutated, what a limit left out.
  Diagnostics notes;
};
struct Options {
  bool coverage = false;
  bool mutants = false;
  bool cases = false;
  std::vector<std::string> rules;  // ids; empty: all. One that is not there is passed over
  std::size_t max_mutants = 2000;  // of one rule; the rest is left out and a note says so
  std::size_t max_cases = 50;      // of one rule, likewise
};
// `each` runs over the mutants of all rules. `progress` is called with the number of mutants done and of all, from any
// thread that `each` uses.
Report Prove(const std::vector<rules::SourceFile>& files, const Options& options,
             const ForEach& each = OneAfterTheOther(),
             const std::function<void(std::size_t, std::size_t)>& progress = {});

// For people, aligned, in "zh" or "en": each failed test day with what was expected, what came out and the facts that
// the rule reads; and everything else of the report.
std::string FailuresToText(const Report& report, std::string_view locale);
std::string ToText(const Report& report, std::string_view locale);
// For programs; docs/rules.md describes it.
std::string ToJson(const Report& report);
// For CI: one <testsuite> for each rule, one <testcase> for each test day, and a failed one for each surviving mutant.
std::string ToJunit(const Report& report);

}  // namespace zhitui::proving
