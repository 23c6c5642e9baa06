#include <set>

#include "rules/rules_support.h"

namespace zhitui::rules {
namespace {

TEST(Samples, EveryTestBesideASampleRuleHolds) {
  const auto set = MustBuild(SampleFiles());
  ASSERT_NE(set, nullptr);
  EXPECT_EQ(set->rules().size(), 18U);
  const TestReport report = RunTests(*set);
  EXPECT_EQ(report.failed, 0U);
  for (const std::string& failure : report.failures) ADD_FAILURE() << failure;
  EXPECT_GT(report.passed, 60U);
}

TEST(Samples, EachIsMarkedAsASampleAndCitesTheLawInEveryCriterion) {
  for (const SourceFile& file : SampleFiles()) {
    if (file.path.starts_with("facts/")) continue;
    EXPECT_TRUE(file.text.starts_with("# Sample. Verify against the current policy before use.\n")) << file.path;
  }
  const auto set = MustBuild(SampleFiles());
  for (const Rule& rule : set->rules()) {
    EXPECT_FALSE(rule.tests.empty()) << rule.id;
    for (const Criterion& criterion : rule.criteria) {
      EXPECT_FALSE(criterion.law.empty()) << rule.id << " " << criterion.id;
      EXPECT_FALSE(criterion.label.en.empty()) << rule.id << " " << criterion.id;
    }
  }
}

TEST(RunTests, AFailureSaysWhereItStandsWhatWasExpectedAndWhatCameOut) {
  const auto set = MustBuild({PersonSchema(), PersonRule(R"(criteria:
  here: {label: 本地, when: person.city == "A"}
  grown: {label: 成年, when: "age(person.born, today) >= 18"}
amount: {unit: CNY, table: [{is: 20}]}
tests:
  - name: grows up
    facts: {city: A, born: 2008-03-01}
    expect:
      2026-02-28: {ineligible: [grown], upcoming: 2026-03-01}
      2026-03-01: {amount: 20}
      2026-03-02: {amount: 30}
      2026-03-03: ineligible
  - name: not known
    facts: {city: A}
    expect:
      2026-03-01: {ineligible: [here]}
      2026-03-02: {unknown: [city]}
      2026-03-03: {unknown: [born]}
  - name: outlook
    facts: {city: A, born: 2008-03-01}
    expect:
      2026-02-28: {upcoming: 2026-03-05, next_change: 2026-03-01}
      2026-03-01: {until: 2030-01-01}
)")});
  ASSERT_NE(set, nullptr);
  const TestReport report = RunTests(*set);
  EXPECT_EQ(report.passed, 3U);
  EXPECT_EQ(report.failed, 6U);
  const std::vector<std::string> expected = {
      "r.yaml:16: r, test \"grows up\", 2026-03-02: expected amount 30, got eligible with amount 20",
      "r.yaml:17: r, test \"grows up\", 2026-03-03: expected ineligible, got eligible with amount 20",
      "r.yaml:21: r, test \"not known\", 2026-03-01: expected ineligible [here], got unknown [born]",
      "r.yaml:22: r, test \"not known\", 2026-03-02: expected unknown [city], got unknown [born]",
      "r.yaml:27: r, test \"outlook\", 2026-02-28: expected upcoming 2026-03-05, got 2026-03-01",
      "r.yaml:28: r, test \"outlook\", 2026-03-01: expected until 2030-01-01, got never",
  };
  EXPECT_EQ(report.failures, expected);
}

TEST(RunTests, MonthsInATestAreTheFirstDaysOfThoseMonths) {
  SourceFile schema = PersonSchema();
  schema.text += "  paid: {type: list, of: date, max_items: 30, source: office, label: 缴费月份}\n";
  const auto set = MustBuild({schema, PersonRule(R"(criteria:
  enough: {label: 够月, when: 'person.paid.size() == 5 && person.paid.exists(d, d == date("2026-01-01"))'}
tests:
  - {name: a run, facts: {paid: 2025-11 to 2026-03}, expect: {2026-05-01: eligible}}
  - {name: mixed, facts: {paid: [2025-10-01, 2025-12 to 2026-02, 2026-04-01]}, expect: {2026-05-01: eligible}}
  - {name: none, facts: {paid: []}, expect: {2026-05-01: ineligible}}
)")});
  ASSERT_NE(set, nullptr);
  EXPECT_EQ(RunTests(*set).failures, std::vector<std::string>());
}

}  // namespace
}  // namespace zhitui::rules
