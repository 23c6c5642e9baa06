#include "proving_support.h"

namespace zhitui::proving {
namespace {

std::vector<BoundaryCase> CasesOf(const std::string& body, std::size_t limit = 50, Diagnostics* notes = nullptr) {
  Options options;
  options.cases = true;
  options.max_cases = limit;
  const Report report = MustProve({PersonSchema(), PersonRule(body)}, options);
  if (notes != nullptr) *notes = report.notes;
  return report.cases;
}

const char* const kGrown = R"(criteria:
  grown: {label: 成年, when: "age(person.born, today) >= 18"}
tests:
)";

TEST(Cases, TheDaysAroundAFlipOnWhichNoTestStandsAreProposed) {
  const std::vector<BoundaryCase> cases = CasesOf(std::string(kGrown) +
                                                  "  - name: grows up\n    facts: {born: 2008-03-01, city: A}\n"
                                                  "    expect: {2026-02-27: ineligible, 2026-03-01: eligible}\n");
  ASSERT_EQ(cases.size(), 1U);
  EXPECT_EQ(cases[0].rule, "r");
  EXPECT_EQ(cases[0].from_test, "grows up");
  EXPECT_EQ(cases[0].why, "grown becomes true on 2026-03-01");
  // The test stands on the day itself.
  EXPECT_EQ(cases[0].yaml,
            "  - name: grows up, around 2026-03-01\n"
            "    facts: {born: 2008-03-01, city: A}\n"
            "    expect:\n"
            "      2026-02-28: {ineligible: [grown], upcoming: 2026-03-01} # to confirm\n"
            "      2026-03-02: eligible # to confirm\n");
}

TEST(Cases, WhereTestsStandOnAllThreeDaysNothingIsProposed) {
  EXPECT_TRUE(CasesOf(std::string(kGrown) +
                      "  - name: grows up\n    facts: {born: 2008-03-01}\n    expect: {2026-02-28: ineligible, "
                      "2026-03-01: eligible, 2026-03-02: eligible}\n")
                  .empty());
}

TEST(Cases, AThresholdOfAFactIsProposedOnItAndOneUnitToBothSides) {
  const std::vector<BoundaryCase> cases = CasesOf(R"(params: {most: 2000.00}
criteria:
  enough: {label: 够分, when: person.points >= 3}
  poor: {label: 低收入, when: person.income < params.most}
tests:
  - {name: not known, facts: {points: 9}, expect: {2026-01-01: {unknown: [income]}}}
  - {name: met, facts: {points: 4, income: 100.00}, expect: {2026-01-02: eligible}}
)");
  std::vector<std::string> found;
  for (const BoundaryCase& c : cases) found.push_back(c.why + "\n" + c.yaml);
  const auto one = [](const char* why, const char* name, const char* facts, const char* expected) {
    return std::string(why) + "\n  - name: met, " + name + "\n    facts: {" + facts +
           "}\n    expect:\n      2026-01-02: " + expected + " # to confirm\n";
  };
  // 4 points are tested; the case comes from the test in which the fact lets the person be eligible.
  EXPECT_EQ(found, (std::vector<std::string>{
                       one("one unit below the threshold of points, 3", "points 2", "points: 2, income: 100.00",
                           "{ineligible: [enough]}"),
                       one("on the threshold of points, 3", "points 3", "points: 3, income: 100.00", "eligible"),
                       one("one unit below the threshold of income, 2000.00", "income 1999.99",
                           "points: 4, income: 1999.99", "eligible"),
                       one("on the threshold of income, 2000.00", "income 2000.00", "points: 4, income: 2000.00",
                           "{ineligible: [poor]}"),
                       one("one unit above the threshold of income, 2000.00", "income 2000.01",
                           "points: 4, income: 2000.01", "{ineligible: [poor]}"),
                   }));
}

// Whatever the facts hold: a proposal can be pasted below `tests`, and then passes.
TEST(Cases, EveryProposalPastedIntoTheRulePasses) {
  const std::string body = R"(valid: {from: 2020-01-01, until: 2040-01-01}
criteria:
  grown: {label: 成年, when: "age(person.born, today) >= 18"}
  paid: {label: 缴费, when: "count_months(person.paid, today - months(12), today - months(1)) >= 3"}
  home: {label: 住房, when: 'person.homes.exists(h, h.district == "1")'}
  since: {label: 起始, when: person.since == null || person.since >= date("2001-05-05")}
amount:
  unit: CNY
  table: [{when: person.points >= 5, is: 2.50}, {is: 1}]
tests:
  - name: "everything: known, \"odd\" & 多"
    facts:
      born: 2008-03-01
      city: "null"
      points: 7
      income: 12.50
      since: 2001-05-09
      member: true
      paid: [2025-01 to 2026-02, 2026-04-01, 2026-05-02]
      homes: [{district: "1", note: "a, b: {c} # d"}, {district: 2}]
    expect: {2026-03-05: {amount: 2.50}}
  - {name: nothing, facts: {}, expect: {2019-12-31: ineligible, 2026-01-01: {unknown: [born, homes, paid, points, since]}}}
  - {name: none, facts: {born: 2008-03-01, since: null, homes: [], paid: []}, expect: {2026-02-01: ineligible}}
)";
  const std::vector<BoundaryCase> cases = CasesOf(body);
  std::string all = body;
  for (const BoundaryCase& c : cases) all += c.yaml;
  const Report report = MustProve({PersonSchema(), PersonRule(all)}, Options());
  EXPECT_EQ(report.tests.failures, std::vector<std::string>());
  // Flips of the first test: 2027-02-01 at the latest, for want of months paid. Of the second: into force, out of it.
  // Thresholds: since, 3 days; points, 3.
  EXPECT_GE(cases.size(), 9U);
  EXPECT_GT(report.tests.passed, cases.size());
}

TEST(Cases, ARuleThatIsLookedAtDailyHasNoFlips) {
  EXPECT_TRUE(CasesOf("recheck: daily\n" + std::string(kGrown) +
                      "  - {name: grows up, facts: {born: 2008-03-01}, expect: {2026-02-27: ineligible}}\n")
                  .empty());
}

TEST(Cases, BeyondTheLimitTheRestIsLeftOutAndSaidSo) {
  Diagnostics notes;
  const std::string body = R"(criteria:
  enough: {label: 够分, when: person.points >= 3}
tests:
  - {name: met, facts: {points: 9}, expect: {2026-01-02: eligible}}
)";
  EXPECT_EQ(CasesOf(body, 2, &notes).size(), 2U);
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_NE(notes[0].message.find("1 of 3 cases"), std::string::npos) << notes[0].message;
}

}  // namespace
}  // namespace zhitui::proving
