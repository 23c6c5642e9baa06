#include "proving/proving.h"

#include <algorithm>
#include <set>

#include "proving/parts.h"

namespace zhitui::proving {

std::string OneLine(std::string_view text) {
  std::string out;
  bool space = false;
  for (const char c : text) {
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
      space = !out.empty();
      continue;
    }
    if (space) out += ' ';
    space = false;
    out += c;
  }
  return out;
}

Diagnostic Note(Location at, std::string code, std::string message, std::string hint) {
  Diagnostic out;
  out.at = std::move(at);
  out.code = std::move(code);
  out.message = std::move(message);
  out.hint = std::move(hint);
  return out;
}

Report Prove(const std::vector<rules::SourceFile>& files, const Options& options, const ForEach& each,
             const std::function<void(std::size_t, std::size_t)>& progress) {
  Report report;
  report.ruleset = rules::RuleSet::Build(files, &report.diagnostics, each);
  if (report.ruleset == nullptr) return report;
  const rules::RuleSet& ruleset = *report.ruleset;
  std::vector<const rules::Rule*> unbroken;  // by its own tests
  for (const rules::Rule& rule : ruleset.rules()) {
    const auto wanted = std::find(options.rules.begin(), options.rules.end(), rule.id);
    if (!options.rules.empty() && wanted == options.rules.end()) continue;
    rules::TestReport tests = rules::RunTests(ruleset, rule);
    if (options.coverage) report.coverage.push_back(Cover(ruleset, rule, report.notes));
    if (options.cases) {
      std::vector<BoundaryCase> cases = FindCases(ruleset, rule, options.max_cases, report.notes);
      std::move(cases.begin(), cases.end(), std::back_inserter(report.cases));
    }
    if (tests.failed == 0) {
      unbroken.push_back(&rule);
    } else if (options.mutants) {
      report.notes.push_back(
          Note(rule.at, "not-mutated", rule.id + ": its tests fail, so mutants of it would tell nothing"));
    }
    report.tests.passed += tests.passed;
    report.tests.failed += tests.failed;
    std::move(tests.failures.begin(), tests.failures.end(), std::back_inserter(report.tests.failures));
    std::move(tests.days.begin(), tests.days.end(), std::back_inserter(report.tests.days));
  }
  if (options.mutants) {
    report.mutants = Mutate(files, ruleset, unbroken, options.max_mutants, each, progress, report.notes);
  }
  return report;
}

}  // namespace zhitui::proving
