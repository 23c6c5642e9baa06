// `zhitui rules explain`: why a person gets something or does not, and what would change that.

#include <iostream>

#include "daemon/commands.h"
#include "value/value.h"

namespace zhitui::daemon {
namespace {

// Indexes of the rules to explain; empty: the one asked for is not there.
std::vector<std::uint32_t> Chosen(const rules::RuleSet& ruleset, const ExplainArguments& arguments) {
  std::vector<std::uint32_t> out;
  for (const std::uint32_t i : ruleset.RulesOf(arguments.kind)) {
    if (arguments.rule.empty() || ruleset.rules()[i].id == arguments.rule) out.push_back(i);
  }
  return out;
}

}  // namespace

int RulesExplain(const ExplainArguments& arguments) {
  const Result<Date> day = ParseDate(arguments.at);
  if (!day) return Fail(EX_USAGE, "--at takes a date such as 2026-03-01");
  int code = EX_OK;
  const std::optional<authoring::Report> report = RulesOrExit(arguments.rules, &code);
  if (!report) return code;
  const rules::RuleSet& ruleset = *report->ruleset;
  const std::optional<facts::Profile> profile =
      ProfileOrExit(ruleset, arguments.kind, arguments.rules, arguments.facts, &code);
  if (!profile) return code;
  const std::vector<std::uint32_t> chosen = Chosen(ruleset, arguments);
  if (chosen.empty() && !arguments.rule.empty()) {
    return Fail(EX_USAGE, "no rule " + arguments.rule + " about " + arguments.kind + " in " + arguments.rules);
  }
  value::Arena arena;
  bool first = true;
  if (arguments.json) std::cout << "[";
  for (const std::uint32_t i : chosen) {
    arena.Reset();
    const rules::Rule& rule = ruleset.rules()[i];
    const rules::Determination d = rules::Evaluate(rule, *profile, *day, arena);
    const rules::Outlook outlook = rules::LookAhead(rule, *profile, d, *day, HorizonOf(*day), arena);
    const rules::Remedy remedy = rules::FindRemedy(rule, *profile, d, outlook, *day, arena);
    if (arguments.json) {
      std::cout << (first ? "" : ",\n ")
                << rules::ExplainJson(rule, *profile, d, outlook, remedy, *day, arguments.show_sensitive);
    } else {
      std::cout << (first ? "" : "\n")
                << rules::ExplainText(rule, *profile, d, outlook, remedy, *day, arguments.locale,
                                      arguments.show_sensitive);
    }
    first = false;
  }
  if (arguments.json) std::cout << "]\n";
  return EX_OK;
}

}  // namespace zhitui::daemon
