// Values entered after the fact: what each day says, when it changes, and what is wrong in the file.
#include <random>

#include "rules/rules_support.h"

namespace zhitui::rules {
namespace {

std::shared_ptr<const RuleSet> WithRate(const std::string& rate) {
  return MustBuild({PersonSchema(), PersonRule("valid: {from: 2024-01-01}\nparams: {rate: " + rate +
                                               "}\ncriteria:\n  c: {label: 总是, when: 'true'}\n"
                                               "amount: {unit: CNY/month, table: [{is: params.rate}]}\n")});
}

std::string AmountOn(const RuleSet& set, const std::string& day) {
  const facts::Profile profile = MakeProfile(set, "person", "{}");
  value::Arena arena;
  const Determination d = Evaluate(set.rules()[0], profile, Day(day), arena);
  return d.amount ? d.amount->ToString() : d.error;
}

TEST(EnteredLater, CountsFromTheDayItIsEnteredAndChangesThen) {
  const auto set = WithRate("{2024-01-01: 250, 2025-07-01: {is: 300, entered: 2025-09-10}}");
  EXPECT_EQ(AmountOn(*set, "2025-07-01"), "250");
  EXPECT_EQ(AmountOn(*set, "2025-09-09"), "250");
  EXPECT_EQ(AmountOn(*set, "2025-09-10"), "300");
  const facts::Profile profile = MakeProfile(*set, "person", "{}");
  value::Arena arena;
  const Rule& rule = set->rules()[0];
  for (const char* day : {"2024-05-05", "2025-07-01", "2025-09-09"}) {
    const Determination now = Evaluate(rule, profile, Day(day), arena);
    EXPECT_EQ(LookAhead(rule, profile, now, Day(day), Day("2100-01-01"), arena).next_change, Day("2025-09-10"));
    EXPECT_EQ(NextRecomputation(rule, profile, Day(day), arena)->day, Day("2025-09-10"));
  }
  EXPECT_FALSE(NextRecomputation(rule, profile, Day("2025-09-10"), arena));
  const auto changed = Recompute(rule, profile, Day("2025-07-01"), Day("2025-09-09"), Day("2025-09-10"), arena);
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->from, Day("2025-07-01"));
  EXPECT_EQ(changed->until, std::nullopt);
  EXPECT_EQ(changed->was.amount->ToString(), "250");
  EXPECT_EQ(changed->is.amount->ToString(), "300");
}

TEST(EnteredLater, IsPartOfTheHash) {
  const auto a = WithRate("{2024-01-01: 250, 2025-07-01: {is: 300, entered: 2025-09-10}}");
  const auto b = WithRate("{2024-01-01: 250, 2025-07-01: {is: 300, entered: 2025-09-11}}");
  const auto c = WithRate("{2024-01-01: 250, 2025-09-10: 300}");  // the same on each day, but not of earlier ones
  EXPECT_NE(a->rules()[0].hash, b->rules()[0].hash);
  EXPECT_NE(a->rules()[0].hash, c->rules()[0].hash);
}

// Against the rule as it is written in the guide: of the values known, the latest day, of one day the last entered.
TEST(EnteredLater, EachDayTakesOfTheValuesItKnowsTheLatestOnRandomHistories) {
  std::mt19937 random(20260301);
  for (int round = 0; round < 300; ++round) {
    struct Entry {
      Date from;
      std::optional<Date> entered;
      int value;
    };
    std::vector<Entry> entries;
    std::string text = "{2024-01-01: 1";
    entries.push_back({Day("2024-01-01"), std::nullopt, 1});
    Date from = Day("2024-01-01");
    for (int i = 0, n = static_cast<int>(random() % 5); i < n; ++i) {
      from += std::chrono::days(1 + random() % 60);
      text += ", " + FormatDate(from) + ": [";
      std::optional<Date> entered;
      for (std::size_t k = 0, m = 1 + random() % 3; k < m; ++k) {
        const int value = static_cast<int>(random() % 5);
        if (k == 0 && random() % 2 == 0) {
          text += std::to_string(value);
        } else {
          entered = entered.value_or(from) + std::chrono::days(1 + random() % 70);
          text += std::string(k > 0 ? ", " : "") + "{is: " + std::to_string(value) +
                  ", entered: " + FormatDate(*entered) + "}";
        }
        entries.push_back({from, entered, value});
      }
      text += "]";
    }
    const auto set = WithRate(text + "}");
    ASSERT_NE(set, nullptr) << text;
    const Rule& rule = set->rules()[0];
    const facts::Profile profile = MakeProfile(*set, "person", "{}");
    const auto value_of = [&](Date day, Date known) {
      const Entry* best = nullptr;
      for (const Entry& e : entries) {
        if (e.from > day || (e.entered && *e.entered > known)) continue;
        if (best == nullptr || e.from > best->from ||
            (e.from == best->from && e.entered.value_or(e.from) > best->entered.value_or(best->from))) {
          best = &e;
        }
      }
      return best->value;
    };
    value::Arena arena;
    const Date last = Day("2025-12-31");
    for (Date day = Day("2024-01-01"); day <= last; day += std::chrono::days(1)) {
      arena.Reset();
      const Determination d = Evaluate(rule, profile, day, arena);
      ASSERT_EQ(d.amount->coefficient, value_of(day, day)) << text << " on " << FormatDate(day);
    }
    // What each day on which something was entered changes of the days before it.
    for (const Retroactive& r : rule.retroactive) {
      std::optional<Date> first;
      std::optional<Date> end;
      const Date before = r.entered - std::chrono::days(1);
      for (Date day = Day("2024-01-01"); day <= r.entered; day += std::chrono::days(1)) {
        if (value_of(day, before) == value_of(day, r.entered)) continue;
        if (!first && day < r.entered) first = day;
        end = day + std::chrono::days(1);
      }
      const auto got = Recompute(rule, profile, Day("2024-01-01"), before, r.entered, arena);
      ASSERT_EQ(got.has_value(), first.has_value()) << text << " entered " << FormatDate(r.entered);
      if (!got) continue;
      ASSERT_EQ(got->from, *first) << text;
      ASSERT_EQ(got->until, *end > r.entered ? std::nullopt : end) << text;
    }
  }
}

TEST(EnteredLater, MistakesAreShownWhereTheyStand) {
  const auto mistake = [](const std::string& rate) {
    Diagnostics diagnostics;
    EXPECT_EQ(RuleSet::Build({PersonSchema(), PersonRule("valid: {from: 2024-01-01}\nparams:\n  rate: " + rate +
                                                         "\ncriteria:\n  c: {label: 甲, when: params.rate > 1}\n")},
                             &diagnostics),
              nullptr)
        << rate;
    if (diagnostics.empty()) return std::string();
    const Diagnostic& d = diagnostics[0];
    return std::to_string(d.at.line) + ":" + std::to_string(d.at.column) + " " + d.code + " " + d.message;
  };
  EXPECT_EQ(mistake("{2024-01-01: 1, 2025-07-01: {is: 2, entered: 2025-07-01}}"),
            "8:54 bad-param it is entered by 2025-07-01, before it counts from 2025-07-01 on");
  EXPECT_EQ(mistake("{2024-01-01: 1, 2025-07-01: {is: 2}}"), "8:37 missing-key the key entered is missing here");
  EXPECT_EQ(mistake("{2024-01-01: 1, 2025-07-01: {is: 2, entered: 2025-09-10, by: x}}"),
            "8:66 unknown-key the key \"by\" is not known here");
  EXPECT_EQ(mistake("{2024-01-01: 1, 2025-07-01: [2, 3]}"),
            "8:41 bad-param a later value of one day needs a later `entered`");
  EXPECT_EQ(mistake("{2024-01-01: 1, 2025-07-01: []}"), "8:37 bad-param `rate` needs a value");
  EXPECT_EQ(mistake("{2024-01-01: 1, 2025-07-01: {is: x, entered: 2025-09-10}}"),
            "8:42 bad-param `x` is not a number, a date, true or false");
  EXPECT_EQ(mistake("{2024-01-01: 1, 2025-07-01: {is: \"a\", entered: 2025-09-10}}"),
            "8:43 bad-param `rate` is int elsewhere and string here");
  EXPECT_EQ(mistake("{2024-01-01: {is: 2, entered: 2024-05-01}}"),
            "8:10 param-gap `rate` has no value before 2024-05-01, but the rule is in force then");
}

}  // namespace
}  // namespace zhitui::rules
