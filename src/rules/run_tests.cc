// Runs the tests that stand beside the rules.

#include <algorithm>

#include "rules/rules.h"

namespace zhitui::rules {
namespace {

// Far enough for a hundredth birthday of somebody born yesterday.
constexpr std::chrono::days kHorizon{366 * 120};

std::string List(const std::vector<std::string>& names) {
  std::string out = "[";
  for (const std::string& name : names) out += (out.size() > 1 ? ", " : "") + name;
  return out + "]";
}

std::string Day(const std::optional<Date>& day) { return day ? FormatDate(*day) : "never"; }

// What came out, in the words an author would have written.
std::string Describe(const Rule& rule, const facts::Schema& schema, const Determination& got) {
  std::string out;
  switch (got.answer) {
    case Answer::kEligible:
      out = "eligible";
      if (got.amount) out += " with amount " + got.amount->ToString();
      break;
    case Answer::kIneligible:
      out = got.in_force ? "ineligible " + List(FalseCriteria(rule, got)) : "ineligible, the rule is not in force";
      break;
    case Answer::kUnknown:
      out = "unknown " + List(MissingFacts(schema, got));
      break;
  }
  if (!got.error.empty()) out += " (" + got.error + ")";
  return out;
}

class Checker {
 public:
  Checker(const Rule& rule, const facts::Schema& schema, const Expectation& expected, const Determination& got,
          const Outlook& outlook)
      : rule_(rule), schema_(schema), expected_(expected), got_(got), outlook_(outlook) {}

  // Empty when everything is as expected.
  std::vector<Difference> Differences() {
    CheckAnswer();
    if (expected_.upcoming && outlook_.eligible_from != expected_.upcoming) {
      Say("upcoming " + FormatDate(*expected_.upcoming), Day(outlook_.eligible_from));
    }
    if (expected_.until && outlook_.eligible_until != expected_.until) {
      Say("until " + FormatDate(*expected_.until), Day(outlook_.eligible_until));
    }
    if (expected_.next_change && outlook_.next_change != expected_.next_change) {
      Say("next_change " + FormatDate(*expected_.next_change), Day(outlook_.next_change));
    }
    return std::move(out_);
  }

 private:
  void Say(std::string expected, std::string got) { out_.push_back({std::move(expected), std::move(got)}); }

  void CheckAnswer() {
    const std::string got = Describe(rule_, schema_, got_);
    if (expected_.amount) {
      if (!got_.amount || value::Decimal::Compare(*got_.amount, *expected_.amount) != 0) {
        Say("amount " + expected_.amount->ToString(), got);
      }
    } else if (expected_.ineligible) {
      if (got_.answer != Answer::kIneligible || FalseCriteria(rule_, got_) != *expected_.ineligible) {
        Say("ineligible " + List(*expected_.ineligible), got);
      }
    } else if (expected_.unknown) {
      if (got_.answer != Answer::kUnknown || MissingFacts(schema_, got_) != *expected_.unknown) {
        Say("unknown " + List(*expected_.unknown), got);
      }
    } else if (expected_.eligible) {
      const Answer wanted = *expected_.eligible ? Answer::kEligible : Answer::kIneligible;
      if (got_.answer != wanted) Say(AnswerName(wanted), got);
    } else if (expected_.until && got_.answer != Answer::kEligible) {
      Say("eligible", got);
    } else if (expected_.upcoming && got_.answer == Answer::kEligible) {
      Say("not eligible yet", got);
    }
  }

  const Rule& rule_;
  const facts::Schema& schema_;
  const Expectation& expected_;
  const Determination& got_;
  const Outlook& outlook_;
  std::vector<Difference> out_;
};

// Facts that a test of the larger area's rule leaves out say that no smaller area's rule decides, so that the tests of
// a city stay as they are when a district has a rule of its own: those that only this criterion reads. As JSON.
std::vector<std::string> FactsOfNoSmallerArea(const Rule& rule, const facts::Profile& profile) {
  std::vector<std::uint32_t> read;
  const auto add = [&read](const cel::Program& program) {
    read.insert(read.end(), program.slots().begin(), program.slots().end());
  };
  for (const Criterion& criterion : rule.criteria) {
    if (criterion.id != kNoSmallerArea) add(criterion.when);
  }
  for (const AmountRow& row : rule.amounts) {
    if (row.when) add(*row.when);
    add(row.is);
  }
  std::vector<std::string> out;
  for (const std::uint32_t slot : rule.slots) {
    if (profile.Has(slot) || std::find(read.begin(), read.end(), slot) != read.end()) continue;
    const facts::FactDef& fact = profile.schema().facts()[slot];
    const std::vector<std::string> codes = fact.values.empty() ? std::vector<std::string>{rule.area} : fact.values;
    const auto elsewhere = std::find_if(codes.begin(), codes.end(), [&](const std::string& code) {
      return std::none_of(rule.smaller.begin(), rule.smaller.end(), [&](const SmallerRule& smaller) {
        return code.starts_with(cel::AreaPrefix(smaller.rule.area));
      });
    });
    if (elsewhere != codes.end()) out.push_back("{" + JsonQuote(fact.name) + ":" + JsonQuote(*elsewhere) + "}");
  }
  return out;
}

void RunTest(const Rule& rule, const std::shared_ptr<const facts::Schema>& schema, const RuleTest& test,
             bool until_failure, TestReport& report) {
  const auto fail = [&](const Location& at, const std::string& what) {
    ++report.failed;
    report.failures.push_back(at.file + ":" + std::to_string(at.line) + ": " + rule.id + ", test \"" + test.name +
                              "\"" + what);
  };
  const std::expected<facts::Profile, facts::Refused> profile = ProfileOf(rule, test, schema);
  if (!profile) {
    report.days.push_back({&rule, &test, nullptr, {{"facts of the schema", profile.error().detail}}});
    fail(test.at, ": the facts do not fit the schema: " + profile.error().detail);
    return;
  }
  value::Arena arena;
  for (const Expectation& expected : test.expect) {
    arena.Reset();
    const Determination got = Evaluate(rule, *profile, expected.day, arena);
    Outlook outlook;
    if (expected.upcoming || expected.until || expected.next_change) {
      const Date horizon = std::min(expected.day + kHorizon, MakeDate(9999, 12, 31));
      outlook = LookAhead(rule, *profile, got, expected.day, horizon, arena);
    }
    TestDay& day = report.days.emplace_back();
    day.rule = &rule;
    day.test = &test;
    day.expected = &expected;
    day.differences = Checker(rule, *schema, expected, got, outlook).Differences();
    if (day.differences.empty()) {
      ++report.passed;
      continue;
    }
    std::string what;
    for (const Difference& d : day.differences) {
      what += (what.empty() ? "" : "; ") + ("expected " + d.expected + ", got " + d.got);
    }
    fail(expected.at, ", " + FormatDate(expected.day) + ": " + what);
    if (until_failure) return;
  }
}

void RunRule(const RuleSet& ruleset, const Rule& rule, bool until_failure, TestReport& report) {
  const std::shared_ptr<const facts::Schema> schema = ruleset.SchemaOf(rule.kind);
  for (const RuleTest& test : rule.tests) {
    RunTest(rule, schema, test, until_failure, report);
    if (until_failure && report.failed > 0) return;
  }
}

}  // namespace

std::vector<std::string> FalseCriteria(const Rule& rule, const Determination& determination) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < rule.criteria.size(); ++i) {
    if (determination.criteria[i] == Truth::kFalse) out.push_back(rule.criteria[i].id);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> MissingFacts(const facts::Schema& schema, const Determination& determination) {
  std::vector<std::string> out;
  for (const std::uint32_t slot : determination.missing) out.push_back(schema.facts()[slot].name);
  std::sort(out.begin(), out.end());
  return out;
}

std::expected<facts::Profile, facts::Refused> ProfileOf(const Rule& rule, const RuleTest& test,
                                                        std::shared_ptr<const facts::Schema> schema) {
  facts::Profile profile(std::move(schema));
  if (const auto set = profile.SetFromJson(test.facts_json); !set) return std::unexpected(set.error());
  for (const std::string& facts : FactsOfNoSmallerArea(rule, profile)) {
    if (const auto set = profile.SetFromJson(facts); !set) return std::unexpected(set.error());
  }
  return profile;
}

TestReport RunTests(const RuleSet& ruleset) {
  TestReport report;
  for (const Rule& rule : ruleset.rules()) RunRule(ruleset, rule, false, report);
  return report;
}

TestReport RunTests(const RuleSet& ruleset, const Rule& rule, bool until_failure) {
  TestReport report;
  RunRule(ruleset, rule, until_failure, report);
  return report;
}

}  // namespace zhitui::rules
