#include <gtest/gtest.h>

#include "bench/benchset/catalogue.h"
#include "bench/benchset/model.h"
#include "bench/benchset/people.h"
#include "facts/facts.h"
#include "rules/rules.h"

namespace zhitui::benchset {
namespace {

const std::int64_t kToday = DayOf({2026, 3, 1});

TEST(BenchSet, ARuleAndAResidentAreTheSameInASetOfEverySize) {
  EXPECT_EQ(MakeRule(1, 40, kToday, true).yaml, MakeRule(1, 40, kToday, true).yaml);
  EXPECT_NE(MakeRule(1, 40, kToday, true).yaml, MakeRule(2, 40, kToday, true).yaml);
  EXPECT_EQ(FactsJson(MakeResident(1, 7, kToday, 0)), FactsJson(MakeResident(1, 7, kToday, 0)));
}

TEST(BenchSet, DaysAndMonthsAreThoseOfTheCalendar) {
  EXPECT_EQ(DayOf({1970, 1, 1}), 0);
  EXPECT_EQ(DayOf({2000, 3, 1}), 11017);
  EXPECT_EQ(DayText(11016), "2000-02-29");
  // Civil Code, art. 202: a month without such a day ends on its last day.
  EXPECT_EQ(MonthsBetween(DayOf({2025, 1, 31}), DayOf({2025, 2, 28})), 1);
  EXPECT_EQ(MonthsBetween(DayOf({1960, 2, 29}), DayOf({2025, 2, 28})) / 12, 65);
  EXPECT_EQ(MonthsBetween(DayOf({1960, 2, 29}), DayOf({2024, 2, 28})) / 12, 63);
}

// Two programs that share no code: the set's own count, and the rule language on the rules and facts as written.
void SameAnswers(std::uint32_t missing_ppm) {
  constexpr std::uint64_t kRules = 150;
  std::vector<Rule> rules;
  std::vector<rules::SourceFile> files = {{"facts/resident.yaml", SchemaYaml()}};
  for (std::uint64_t i = 0; i < kRules; ++i) {
    rules.push_back(MakeRule(3, i, kToday, true));
    files.push_back({rules.back().folder + '/' + rules.back().id + ".yaml", rules.back().yaml});
  }
  Diagnostics diagnostics;
  const auto set = rules::RuleSet::Build(files, &diagnostics);
  ASSERT_TRUE(set) << FormatDiagnostics(diagnostics);
  const Date today = MakeDate(2026, 3, 1);
  std::uint64_t eligible = 0;
  for (std::uint64_t n = 0; n < 150; ++n) {
    const Resident resident = MakeResident(3, n, kToday, missing_ppm);
    facts::Profile profile(set->SchemaOf("resident"));
    ASSERT_TRUE(profile.SetFromJson(FactsJson(resident))) << FactsJson(resident);
    for (const Rule& rule : rules) {
      value::Arena arena;
      const rules::Determination d = rules::Evaluate(*set->Find(rule.id), profile, today, arena);
      const Answer expected = Decide(rule, resident, kToday);
      ASSERT_EQ(static_cast<int>(d.answer), static_cast<int>(expected.eligible)) << rule.yaml << FactsJson(resident);
      eligible += d.answer == rules::Answer::kEligible;
    }
  }
  EXPECT_GT(eligible, 150u * kRules / 100);  // a set in which hardly anybody is eligible measures nothing
}

TEST(BenchSet, TheRulesAsWrittenSayWhatTheSetCounts) { SameAnswers(0); }
TEST(BenchSet, TheRulesAsWrittenSayWhatTheSetCountsWhereFactsAreMissing) { SameAnswers(100'000); }

}  // namespace
}  // namespace zhitui::benchset
