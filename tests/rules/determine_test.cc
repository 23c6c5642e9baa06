#include "rules/rules_support.h"

namespace zhitui::rules {
namespace {

struct Case {
  std::string facts;
  Answer answer;
  std::vector<std::string> missing;
};

void Expect(const RuleSet& set, const Case& c, Date day) {
  const facts::Profile profile = MakeProfile(set, "person", c.facts);
  value::Arena arena;
  const Determination got = Evaluate(set.rules()[0], profile, day, arena);
  EXPECT_STREQ(AnswerName(got.answer), AnswerName(c.answer)) << c.facts;
  std::vector<std::string> missing;
  for (const std::uint32_t slot : got.missing) missing.push_back(profile.schema().facts()[slot].name);
  std::sort(missing.begin(), missing.end());
  EXPECT_EQ(missing, c.missing) << c.facts;
}

TEST(Evaluate, IsUnknownExactlyWhenWhatIsKnownDoesNotSettleIt) {
  const auto set = MustBuild({PersonSchema(), PersonRule(R"(criteria:
  here: {label: 本地, when: person.city == "A"}
  enough: {label: 够分, when: person.points >= 10 || person.member}
)")});
  const Date day = Day("2026-03-01");
  const std::vector<Case> cases = {
      {R"({})", Answer::kUnknown, {"city", "member", "points"}},
      {R"({"city":"A"})", Answer::kUnknown, {"member", "points"}},
      {R"({"city":"B"})", Answer::kIneligible, {}},
      {R"({"city":"A","points":10})", Answer::kEligible, {}},
      {R"({"city":"A","points":9})", Answer::kUnknown, {"member"}},
      {R"({"city":"A","member":true})", Answer::kEligible, {}},
      {R"({"city":"A","member":false})", Answer::kUnknown, {"points"}},
      {R"({"points":9,"member":false})", Answer::kIneligible, {}},
      {R"({"points":10})", Answer::kUnknown, {"city"}},
  };
  for (const Case& c : cases) Expect(*set, c, day);
}

TEST(Evaluate, AnUndecidedAmountLeavesTheAnswerOpenUntilAnEarlierRowHolds) {
  const auto set = MustBuild({PersonSchema(), PersonRule(R"(criteria:
  here: {label: 本地, when: person.city == "A"}
amount:
  unit: CNY
  table:
    - {when: person.points >= 100, is: 3}
    - {when: person.member, is: 2}
    - {is: 12.50}
)")});
  const Date day = Day("2026-03-01");
  const std::vector<Case> cases = {
      {R"({"city":"A"})", Answer::kUnknown, {"points"}},
      {R"({"city":"A","member":true})", Answer::kUnknown, {"points"}},
      {R"({"city":"A","points":1})", Answer::kUnknown, {"member"}},
      {R"({"city":"A","points":100})", Answer::kEligible, {}},
      {R"({"city":"B"})", Answer::kIneligible, {}},
      {R"({})", Answer::kUnknown, {"city", "points"}},
  };
  for (const Case& c : cases) Expect(*set, c, day);

  value::Arena arena;
  const auto amount = [&](const std::string& json) {
    return Evaluate(set->rules()[0], MakeProfile(*set, "person", json), day, arena).amount;
  };
  EXPECT_EQ(amount(R"({"city":"A","points":100})")->ToString(), "3");
  EXPECT_EQ(amount(R"({"city":"A","points":1,"member":true})")->ToString(), "2");
  EXPECT_EQ(amount(R"({"city":"A","points":1,"member":false})")->ToString(), "12.50");
  EXPECT_FALSE(amount(R"({"city":"B","points":1,"member":false})").has_value());
}

TEST(Evaluate, NullIsKnownAndAnErrorIsAbsorbedByWhatSettlesTheAnswer) {
  const auto set = MustBuild({PersonSchema(), PersonRule(R"(criteria:
  member: {label: 会员, when: person.member}
  long_ago: {label: 满一年, when: "person.since != null && months_between(person.since, today) >= 12"}
  safe: {label: 可除, when: 100 / person.points >= 10}
)")});
  const Rule& rule = set->rules()[0];
  value::Arena arena;
  const auto at = [&](const std::string& json) {
    return Evaluate(rule, MakeProfile(*set, "person", json), Day("2026-03-01"), arena);
  };
  EXPECT_EQ(at(R"({"member":true,"since":null,"points":1})").answer, Answer::kIneligible);
  EXPECT_EQ(at(R"({"member":true,"since":"2025-03-01","points":1})").answer, Answer::kEligible);
  const Determination fault = at(R"({"member":true,"since":"2025-03-01","points":0})");
  EXPECT_EQ(fault.answer, Answer::kUnknown);
  EXPECT_TRUE(fault.missing.empty());
  EXPECT_EQ(fault.criteria[2], Truth::kError);
  EXPECT_NE(fault.error.find("criterion safe"), std::string::npos) << fault.error;
  const Determination settled = at(R"({"member":false,"since":"2025-03-01","points":0})");
  EXPECT_EQ(settled.answer, Answer::kIneligible);
  EXPECT_EQ(settled.error, "");
}

TEST(Evaluate, ARuleCountsFromItsFirstDayToTheDayBeforeItsLast) {
  const auto set = MustBuild({PersonSchema(), PersonRule(R"(valid: {from: 2026-01-01, until: 2027-01-01}
criteria:
  member: {label: 会员, when: person.member}
)")});
  const Rule& rule = set->rules()[0];
  const facts::Profile profile = MakeProfile(*set, "person", R"({"member":true})");
  value::Arena arena;
  const auto at = [&](const char* day) { return Evaluate(rule, profile, Day(day), arena); };
  EXPECT_FALSE(at("2025-12-31").in_force);
  EXPECT_EQ(at("2025-12-31").answer, Answer::kIneligible);
  EXPECT_EQ(at("2026-01-01").answer, Answer::kEligible);
  EXPECT_EQ(at("2026-12-31").answer, Answer::kEligible);
  EXPECT_EQ(at("2027-01-01").answer, Answer::kIneligible);
  EXPECT_FALSE(at("2027-01-01").in_force);

  const auto ahead = [&](const char* day) {
    return LookAhead(rule, profile, at(day), Day(day), Day("2100-01-01"), arena);
  };
  EXPECT_EQ(ahead("2020-01-01").eligible_from, Day("2026-01-01"));
  EXPECT_EQ(ahead("2026-06-01").eligible_until, Day("2027-01-01"));
  EXPECT_EQ(ahead("2027-06-01").next_change, std::nullopt);
  EXPECT_EQ(LookAhead(rule, profile, at("2026-06-01"), Day("2026-06-01"), Day("2026-12-31"), arena).eligible_until,
            std::nullopt);
}

}  // namespace
}  // namespace zhitui::rules
