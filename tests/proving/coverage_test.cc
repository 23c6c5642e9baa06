#include "proving_support.h"

namespace zhitui::proving {
namespace {

const char* const kCriteria = R"(law:
  one: {title: 第一条}
  two: {title: 第二条}
  three: {title: 第三条}
criteria:
  here: {label: 本地, when: person.city == "A", law: one}
  enough: {label: 够分, when: person.points >= 3 || person.member, law: two}
)";

RuleCoverage CoverageOf(const std::string& body, Diagnostics* notes = nullptr) {
  Options options;
  options.coverage = true;
  const Report report = MustProve({PersonSchema(), PersonRule(body)}, options);
  EXPECT_EQ(report.coverage.size(), 1U);
  EXPECT_EQ(report.tests.failures, std::vector<std::string>());
  if (notes != nullptr) *notes = report.notes;
  return report.coverage.empty() ? RuleCoverage() : report.coverage.front();
}

const char* const kThreeTests = R"(tests:
  - {name: met, facts: {city: A, points: 3, member: false}, expect: {2026-01-01: eligible}}
  - {name: elsewhere, facts: {city: B, points: 3, member: false}, expect: {2026-01-01: ineligible}}
  - {name: too few, facts: {city: A, points: 2, member: false}, expect: {2026-01-01: ineligible}}
)";

TEST(Coverage, CountsWhatEachCriterionWasOverTheTestDays) {
  const RuleCoverage c = CoverageOf(std::string(kCriteria) + kThreeTests +
                                    "  - {name: nothing known, facts: {city: A}, expect: {2026-01-01: {unknown: "
                                    "[points, member]}, 2026-01-02: {unknown: [points, member]}}}\n");
  EXPECT_EQ(c.test_days, 5U);
  ASSERT_EQ(c.criteria.size(), 2U);
  EXPECT_EQ(c.criteria[0].times_true, 4U);
  EXPECT_EQ(c.criteria[0].times_false, 1U);
  EXPECT_EQ(c.criteria[0].times_unknown, 0U);
  EXPECT_EQ(c.criteria[1].times_true, 2U);
  EXPECT_EQ(c.criteria[1].times_false, 1U);
  EXPECT_EQ(c.criteria[1].times_unknown, 2U);
}

TEST(Coverage, AConditionThatNoPairOfDaysTurnsIsNotShownAndHasItsPlace) {
  const RuleCoverage c = CoverageOf(std::string(kCriteria) + kThreeTests);
  // The city and the points each turn the answer alone; that a member needs no points is never seen.
  EXPECT_EQ(c.pairs, 3U);
  EXPECT_EQ(c.pairs_shown, 2U);
  const ConditionCoverage& member = c.criteria[1].conditions.at(1);
  EXPECT_EQ(member.text, "person.member");
  EXPECT_EQ(member.at.file, "r.yaml");
  EXPECT_EQ(member.at.line, 12U);
  EXPECT_EQ(member.at.column, 51U);
  EXPECT_FALSE(member.seen_true);
  EXPECT_TRUE(member.seen_false);
  EXPECT_FALSE(member.independent);
  EXPECT_TRUE(c.criteria[1].conditions.at(0).independent);

  const RuleCoverage more =
      CoverageOf(std::string(kCriteria) + kThreeTests +
                 "  - {name: member, facts: {city: A, points: 0, member: true}, expect: {2026-01-01: eligible}}\n");
  EXPECT_EQ(more.pairs_shown, 3U);
}

TEST(Coverage, ADayOnWhichAnotherCriterionDecidesShowsNothing) {
  const RuleCoverage c = CoverageOf(std::string(kCriteria) + R"(tests:
  - {name: met, facts: {city: B, points: 3, member: false}, expect: {2026-01-01: ineligible}}
  - {name: not met, facts: {city: B, points: 2, member: false}, expect: {2026-01-01: ineligible}}
)");
  EXPECT_TRUE(c.criteria[1].conditions[0].seen_true);
  EXPECT_TRUE(c.criteria[1].conditions[0].seen_false);
  EXPECT_EQ(c.pairs_shown, 0U);
}

TEST(Coverage, DaysOutsideTheRulesTimeShowNothing) {
  const RuleCoverage c = CoverageOf("valid: {from: 2027-01-01}\n" + std::string(kCriteria) + R"(tests:
  - {name: met, facts: {city: A, points: 3, member: false}, expect: {2026-01-01: ineligible}}
  - {name: elsewhere, facts: {city: B, points: 3, member: false}, expect: {2027-01-01: ineligible}}
)");
  EXPECT_EQ(c.test_days, 2U);
  EXPECT_EQ(c.criteria[0].times_true, 0U);
  EXPECT_EQ(c.criteria[0].times_false, 1U);
  EXPECT_EQ(c.pairs_shown, 0U);
}

TEST(Coverage, AnArticleIsTestedWhenACriterionThatCitesItWasTrueAndFalse) {
  const RuleCoverage c = CoverageOf(std::string(kCriteria) + R"(tests:
  - {name: met, facts: {city: A, points: 3}, expect: {2026-01-01: eligible}}
  - {name: too few, facts: {city: A, points: 2, member: false}, expect: {2026-01-01: ineligible}}
)");
  ASSERT_EQ(c.laws.size(), 3U);
  EXPECT_EQ(c.laws[0].criteria, std::vector<std::string>{"here"});
  EXPECT_FALSE(c.laws[0].tested);  // never elsewhere
  EXPECT_TRUE(c.laws[1].tested);
  EXPECT_TRUE(c.laws[2].criteria.empty());
  EXPECT_FALSE(c.laws[2].tested);
}

TEST(Coverage, ARowIsTakenOnTheDaysOnWhichItGivesTheAmount) {
  const RuleCoverage c = CoverageOf(R"(criteria:
  here: {label: 本地, when: person.city == "A"}
amount:
  unit: CNY
  table:
    - {when: person.points >= 9, is: 50}
    - {when: person.points >= 5, is: 30}
    - {is: 20}
tests:
  - {name: most, facts: {city: A, points: 9}, expect: {2026-01-01: {amount: 50}}}
  - {name: middle, facts: {city: A, points: 5}, expect: {2026-01-01: {amount: 30}}}
  - {name: no more, facts: {city: B, points: 1}, expect: {2026-01-01: ineligible}}
)");
  ASSERT_EQ(c.rows.size(), 3U);
  EXPECT_EQ(c.rows[0].times, 1U);
  EXPECT_EQ(c.rows[1].times, 1U);
  EXPECT_EQ(c.rows[2].times, 0U);
  EXPECT_EQ(c.rows[0].when, "person.points >= 9");
  EXPECT_EQ(c.rows[2].when, "");
  EXPECT_TRUE(c.rows[0].conditions[0].independent);
  // Of who gets an amount nobody has fewer than 5 points.
  EXPECT_FALSE(c.rows[1].conditions[0].independent);
}

TEST(Coverage, AConditionThatStandsTwiceIsOneAndAGuardIsShownByNull) {
  const RuleCoverage c = CoverageOf(R"(criteria:
  known: {label: 有, when: person.since != null}
  long: {label: 久, when: 'person.since != null && person.since + years(1) <= today && true'}
tests:
  - {name: a year, facts: {since: 2025-01-01}, expect: {2025-12-31: ineligible, 2026-01-01: eligible}}
  - {name: none, facts: {since: null}, expect: {2026-01-01: {ineligible: [known, long]}}}
)");
  // The guard in both criteria and the year; `true` is no condition.
  EXPECT_EQ(c.pairs, 3U);
  EXPECT_EQ(c.pairs_shown, 3U);
}

TEST(Coverage, AWaivedConditionIsNotCountedAndAWaiverThatIsNotNeededIsReported) {
  Diagnostics notes;
  const RuleCoverage c = CoverageOf(std::string(kCriteria) + R"(waive:
  - {condition: person.member, because: members are not recorded yet}
  - {condition: "person.city  ==  \"A\"", because: not needed}
  - {condition: person.age > 3, because: nowhere}
)" + kThreeTests,
                                    &notes);
  EXPECT_EQ(c.pairs, 2U);
  EXPECT_EQ(c.pairs_shown, 2U);
  EXPECT_EQ(c.criteria[1].conditions[1].waived, "members are not recorded yet");
  ASSERT_EQ(notes.size(), 2U);
  EXPECT_EQ(notes[0].at.line, 15U);
  EXPECT_NE(notes[0].message.find("needs no waiver"), std::string::npos);
  EXPECT_EQ(notes[1].at.line, 16U);
  EXPECT_NE(notes[1].message.find("there is no condition"), std::string::npos);
}

}  // namespace
}  // namespace zhitui::proving
