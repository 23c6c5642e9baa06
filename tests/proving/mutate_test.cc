#include <algorithm>

#include "proving_support.h"

namespace zhitui::proving {
namespace {

using Texts = std::vector<std::string>;

const char* const kRule = R"(params: {least: 3}
criteria:
  here: {label: 本地, when: person.city == "A"}
  enough: {label: 够分, when: person.points >= params.least}
amount:
  unit: CNY
  table:
    - {when: person.points > 10, is: 50}
    - {is: 20}
)";
const char* const kTests = R"(tests:
  - {name: least, facts: {city: A, points: 3}, expect: {2026-01-01: {amount: 20}}}
  - {name: too few, facts: {city: A, points: 2}, expect: {2026-01-01: {ineligible: [enough]}}}
  - {name: elsewhere, facts: {city: B, points: 3}, expect: {2026-01-01: {ineligible: [here]}}}
  - {name: more, facts: {city: A, points: 11}, expect: {2026-01-01: {amount: 50}}}
)";
const char* const kTen = "  - {name: ten, facts: {city: A, points: 10}, expect: {2026-01-01: {amount: 20}}}\n";

Options Mutants() {
  Options options;
  options.mutants = true;
  return options;
}

Report ReportOf(const std::string& body, const Options& options = Mutants()) {
  return MustProve({PersonSchema(), PersonRule(body)}, options);
}

Texts Show(const RuleMutants& m, MutantFate fate) {
  Texts out;
  for (const Mutant& one : m.mutants) {
    if (one.fate == fate) out.push_back(one.kind + " " + one.before + " -> " + one.after);
  }
  return out;
}

// All mutants of kRule, counted by hand.
const Texts kAll = {
    "parameter least: 3 -> least: 2",
    "parameter least: 3 -> least: 4",
    "criterion here -> true",
    R"(operator person.city == "A" -> person.city != "A")",
    "criterion enough -> true",
    "boundary person.points >= params.least -> person.points > params.least",
    "row person.points > 10 -> false",
    "boundary person.points > 10 -> person.points >= 10",
    "constant person.points > 10 -> person.points > 9",
    "constant person.points > 10 -> person.points > 11",
    "row 50 -> 49",
    "row 50 -> 51",
    "row 20 -> 19",
    "row 20 -> 21",
};

TEST(Mutants, EverySmallMistakeIsMadeOnceAndGoodTestsKillThemAll) {
  const Report report = ReportOf(std::string(kRule) + kTests + kTen);
  ASSERT_EQ(report.mutants.size(), 1U);
  EXPECT_EQ(Show(report.mutants[0], MutantFate::kKilled), kAll);
  EXPECT_EQ(report.mutants[0].killed, 14U);
  EXPECT_EQ(report.mutants[0].survived, 0U);
  EXPECT_EQ(report.mutants[0].score(), 1.0);
}

TEST(Mutants, WhatNoTestNoticesSurvivesWithItsPlace) {
  // Without the day with 10 points nobody stands beside 10 but the one with 11.
  const Report report = ReportOf(std::string(kRule) + kTests);
  const RuleMutants& m = report.mutants.at(0);
  EXPECT_EQ(Show(m, MutantFate::kSurvived), (Texts{"boundary person.points > 10 -> person.points >= 10",
                                                   "constant person.points > 10 -> person.points > 9"}));
  EXPECT_EQ(m.killed, 12U);
  const auto survivor = std::find_if(m.mutants.begin(), m.mutants.end(),
                                     [](const Mutant& one) { return one.fate == MutantFate::kSurvived; });
  EXPECT_EQ(survivor->at.file, "r.yaml");
  EXPECT_EQ(survivor->at.line, 13U);
  EXPECT_EQ(survivor->at.column, 28U);
  // The note of a killed one names the day that killed it.
  EXPECT_EQ(m.mutants[1].note, "least, 2026-01-01");
}

TEST(Mutants, NoTestsKillNoneAndWhatIsNoRuleIsNotCounted) {
  const Report report = ReportOf(R"(valid: {from: 2020-01-01}
params:
  p: {2020-01-01: 1.50, 2021-01-01: 2}
  q: {2020-01-01: 1, 2020-07-01: [2, {is: 3, entered: 2020-09-10}]}
criteria:
  a:
    label: 甲
    when: |
      person.member &&
      !(person.city in ["A", 'B'])
  b: {label: 乙, when: "person.city != \"C\" || false"}
  c: {label: 丙, when: 'person.city == ''D'' || person.points < 0'}
amount: {unit: CNY, table: [{is: params.p}]}
)");
  // By hand. `from` a day earlier leaves p without a value, its first value a day later, too; the first values a day
  // earlier nobody can see.
  const Texts expected = {
      "valid valid.from: 2020-01-01 -> valid.from: 2020-01-02",
      "parameter p 2020-01-01: 1.50 -> p 2020-01-01: 1.49",
      "parameter p 2020-01-01: 1.50 -> p 2020-01-01: 1.51",
      "parameter p 2021-01-01 -> p 2020-12-31",
      "parameter p 2021-01-01 -> p 2021-01-02",
      "parameter p 2021-01-01: 2 -> p 2021-01-01: 1",
      "parameter p 2021-01-01: 2 -> p 2021-01-01: 3",
      "parameter q 2020-01-01: 1 -> q 2020-01-01: 0",
      "parameter q 2020-01-01: 1 -> q 2020-01-01: 2",
      "parameter q 2020-07-01 -> q 2020-06-30",
      "parameter q 2020-07-01 -> q 2020-07-02",
      "parameter q 2020-07-01: 2 -> q 2020-07-01: 1",
      "parameter q 2020-07-01: 2 -> q 2020-07-01: 3",
      "parameter q 2020-07-01: 3 -> q 2020-07-01: 2",
      "parameter q 2020-07-01: 3 -> q 2020-07-01: 4",
      "parameter q 2020-07-01 entered 2020-09-10 -> q 2020-07-01 entered 2020-09-09",
      "parameter q 2020-07-01 entered 2020-09-10 -> q 2020-07-01 entered 2020-09-11",
      "criterion a -> true",
      R"(connective person.member && !(person.city in ["A", 'B']) -> person.member || !(person.city in ["A", 'B']))",
      R"(negation !(person.city in ["A", 'B']) -> (person.city in ["A", 'B']))",
      R"(constant person.city in ["A", 'B'] -> person.city in ['B'])",
      R"(constant person.city in ["A", 'B'] -> person.city in ["A"])",
      "criterion b -> true",
      R"(operator person.city != "C" -> person.city == "C")",
      R"(connective person.city != "C" || false -> person.city != "C" && false)",
      "constant false -> true",
      "criterion c -> true",
      R"(operator person.city == 'D' -> person.city != 'D')",
      R"(connective person.city == 'D' || person.points < 0 -> person.city == 'D' && person.points < 0)",
      "boundary person.points < 0 -> person.points <= 0",
      "constant person.points < 0 -> person.points < -1",
      "constant person.points < 0 -> person.points < 1",
  };
  EXPECT_EQ(Show(report.mutants.at(0), MutantFate::kSurvived), expected);
  EXPECT_EQ(report.mutants[0].score(), 0.0);
}

TEST(Mutants, AWaivedOneIsNotCountedAndAWaiverThatIsNotNeededIsReported) {
  const Report report = ReportOf(std::string(kRule) + R"(waive:
  - mutant:
      - "person.points > 10 -> person.points >= 10"
      - "person.points > 10 ->  person.points > 9"
    because: points are odd
  - {mutant: "least: 3 -> least: 4", because: killed}
  - {mutant: "least: 3 -> least: 5", because: nowhere}
)" + kTests);
  const RuleMutants& m = report.mutants.at(0);
  EXPECT_EQ(m.killed, 12U);
  EXPECT_EQ(m.survived, 0U);
  EXPECT_EQ(m.waived, 2U);
  EXPECT_EQ(m.score(), 1.0);
  for (const Mutant& one : m.mutants) {
    if (one.fate == MutantFate::kWaived) {
      EXPECT_EQ(one.note, "points are odd");
    }
  }
  ASSERT_EQ(report.notes.size(), 2U);
  EXPECT_EQ(report.notes[0].at.line, 20U);
  EXPECT_NE(report.notes[0].message.find("needs no waiver"), std::string::npos);
  EXPECT_EQ(report.notes[1].at.line, 21U);
  EXPECT_NE(report.notes[1].message.find("there is no mutant"), std::string::npos);
}

TEST(Mutants, ARuleWhoseTestsFailIsNotMutated) {
  const Report report = ReportOf(std::string(kRule) +
                                 "tests:\n  - {name: wrong, facts: {city: A, points: 3}, expect: "
                                 "{2026-01-01: {amount: 21}}}\n");
  EXPECT_TRUE(report.mutants.empty());
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_EQ(report.notes[0].code, "not-mutated");
}

TEST(Mutants, BeyondTheLimitTheRestIsLeftOutAndSaidSo) {
  Options options = Mutants();
  options.max_mutants = 3;
  const Report report = ReportOf(std::string(kRule) + kTests, options);
  EXPECT_EQ(report.mutants.at(0).mutants.size(), 3U);
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_NE(report.notes[0].message.find("11 of 14"), std::string::npos) << report.notes[0].message;
}

TEST(Mutants, TheReportIsTheSameOnManyThreads) {
  std::vector<rules::SourceFile> files = {PersonSchema()};
  for (const char* id : {"a", "b", "c"}) files.push_back(PersonRule(std::string(kRule) + kTests, id));
  const Report one = MustProve(files, Mutants());
  EXPECT_EQ(ToJson(MustProve(files, Mutants(), OnThreads(4))), ToJson(one));
  ASSERT_EQ(one.mutants.size(), 3U);
  EXPECT_EQ(one.mutants[2].rule, "c");
  EXPECT_EQ(one.mutants[2].killed, 12U);
}

}  // namespace
}  // namespace zhitui::proving
