// The smallest change that makes a profile eligible, against trying every change of small domains.

#include <gmock/gmock.h>

#include <functional>
#include <random>
#include <set>

#include "rules/rules_support.h"

namespace zhitui::rules {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using value::Kind;
using value::Value;
using Relation = Change::Relation;

// Facts of every type that is varied, with domains small enough to try all.
SourceFile Schema() {
  return {"facts/person.yaml", R"(kind: person
alive_unless: died
sources:
  office: {zh: 办公室, en: Office}
facts:
  born: {type: date, source: office, fixed: true, sensitive: true, label: {zh: 出生日期, en: Date of birth}}
  died: {type: date, source: office, fixed: true, nullable: true, label: {zh: 死亡日期, en: Date of death}}
  city: {type: code, source: office, label: {zh: 户籍城市, en: Hukou city}}
  use: {type: code, values: [rent, own, none], source: office, label: {zh: 用途, en: Use}}
  months: {type: int, source: office, label: {zh: 参保月数, en: Months insured}}
  points: {type: int, source: office, label: {zh: 分数, en: Points}}
  income: {type: money, source: office, sensitive: true, nullable: true, label: {zh: 收入, en: Income}}
  since: {type: date, source: office, nullable: true, label: {zh: 起始日, en: Since}}
  member: {type: bool, source: office, label: {zh: 会员, en: Member}}
  student: {type: bool, source: office, label: {zh: 学生, en: Student}}
  dates: {type: list, of: date, source: office, label: {zh: 月份, en: Months}}
)"};
}

const char* const kDay = "2026-03-01";

struct Case {
  std::shared_ptr<const RuleSet> set;
  const Rule& rule() const { return set->rules()[0]; }
  std::uint32_t SlotOf(const std::string& name) const { return *set->SchemaOf("person")->Find(name); }
};

Case Make(const std::string& body) {
  Case out{MustBuild({Schema(), PersonRule(body)})};
  EXPECT_NE(out.set, nullptr);
  return out;
}

// Criteria a, b, c … of the given conditions.
Case OfCriteria(const std::vector<std::string>& conditions) {
  std::string body = "criteria:\n";
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    const std::string id(1, static_cast<char>('a' + i));
    body += "  " + id + ": {label: 条件" + id + ", when: '" + conditions[i] + "'}\n";
  }
  return Make(body);
}

struct Asked {
  Determination determination;
  Outlook outlook;
  Remedy remedy;
  value::Arena arena;
};
std::unique_ptr<Asked> Ask(const Case& c, const std::string& facts) {
  auto out = std::make_unique<Asked>();
  const facts::Profile profile = MakeProfile(*c.set, "person", facts);
  out->determination = Evaluate(c.rule(), profile, Day(kDay), out->arena);
  out->outlook = LookAhead(c.rule(), profile, out->determination, Day(kDay), Day("2150-01-01"), out->arena);
  out->remedy = FindRemedy(c.rule(), profile, out->determination, out->outlook, Day(kDay), out->arena);
  return out;
}

std::string Word(const Value& v) { return value::ToDisplay(v); }

// "months at_least 12" of every choice, joined by " + ".
std::vector<std::string> Choices(const Case& c, const Remedy& remedy) {
  std::vector<std::string> out;
  for (const std::vector<Change>& choice : remedy.choices) {
    std::string text;
    for (const Change& change : choice) {
      text += (text.empty() ? "" : " + ") + c.set->SchemaOf("person")->facts()[change.slot].name + " " +
              RelationName(change.relation);
      if (change.relation != Relation::kNone && change.relation != Relation::kSome) text += " " + Word(change.to);
      if (change.relation == Relation::kBetween) text += ".." + Word(change.upper);
      if (change.relation == Relation::kNot && !change.upper.AsList().empty()) text += " " + Word(change.upper);
    }
    out.push_back(text);
  }
  return out;
}

std::vector<std::string> ChoicesOf(const std::vector<std::string>& conditions, const std::string& facts) {
  const Case c = OfCriteria(conditions);
  return Choices(c, Ask(c, facts)->remedy);
}

TEST(Remedies, AThresholdIsNamedWithItsDirection) {
  EXPECT_THAT(ChoicesOf({"person.months >= 12"}, R"({"months":9})"), ElementsAre("months at_least 12"));
  EXPECT_THAT(ChoicesOf({"person.months < 12"}, R"({"months":30})"), ElementsAre("months at_most 11"));
  EXPECT_THAT(ChoicesOf({"person.months * 2 - 1 >= 12"}, R"({"months":0})"), ElementsAre("months at_least 7"));
  EXPECT_THAT(ChoicesOf({"person.months >= 12 && person.months < 20"}, R"({"months":25})"),
              ElementsAre("months between 12..19"));
  EXPECT_THAT(ChoicesOf({"person.months == 12"}, R"({"months":25})"), ElementsAre("months is 12"));
  EXPECT_THAT(ChoicesOf({"person.months != 12"}, R"({"months":12})"), ElementsAre("months at_least 13"));
  EXPECT_THAT(ChoicesOf({"person.income <= decimal(\"1000.00\")"}, R"({"income":"1000.01"})"),
              ElementsAre("income at_most 1000.00"));
  EXPECT_THAT(ChoicesOf({"person.income < 1000"}, R"({"income":"5000"})"), ElementsAre("income at_most 999.99"));
  // A year before 1 March 2026 is 1 March 2025; 31 December 2025 + 60 days is 1 March 2026, not later.
  EXPECT_THAT(ChoicesOf({"months_between(person.since, today) >= 12"}, R"({"since":"2025-06-10"})"),
              ElementsAre("since at_most 2025-03-01"));
  EXPECT_THAT(ChoicesOf({"person.since + days(60) > today"}, R"({"since":"2020-01-01"})"),
              ElementsAre("since at_least 2026-01-01"));
}

TEST(Remedies, CodesBoolsAndNoneAreNamed) {
  EXPECT_THAT(ChoicesOf({"person.city == \"440300\""}, R"({"city":"440100"})"), ElementsAre("city is \"440300\""));
  EXPECT_THAT(ChoicesOf({"person.city != \"440300\""}, R"({"city":"440300"})"), ElementsAre("city not [\"440300\"]"));
  EXPECT_THAT(ChoicesOf({"person.city in [\"1\", \"2\"]"}, R"({"city":"3"})"),
              ElementsAre("city one_of [\"1\", \"2\"]"));
  EXPECT_THAT(ChoicesOf({"within(person.city, \"440300\")"}, R"({"city":"440100"})"),
              ElementsAre("city starts_with \"4403\""));
  EXPECT_THAT(ChoicesOf({"!within(person.city, \"4403\")"}, R"({"city":"440304"})"),
              ElementsAre("city not [] [\"4403\"]"));
  EXPECT_THAT(ChoicesOf({"person.use != \"none\""}, R"({"use":"none"})"), ElementsAre("use not [\"none\"]"));
  EXPECT_THAT(ChoicesOf({"person.use == \"own\""}, R"({"use":"none"})"), ElementsAre("use is \"own\""));
  EXPECT_THAT(ChoicesOf({"person.member"}, R"({"member":false})"), ElementsAre("member is true"));
  EXPECT_THAT(ChoicesOf({"!person.member"}, R"({"member":true})"), ElementsAre("member is false"));
  EXPECT_THAT(ChoicesOf({"person.since == null"}, R"({"since":"2020-01-01"})"), ElementsAre("since none"));
  EXPECT_THAT(ChoicesOf({"person.since != null"}, R"({"since":null})"), ElementsAre("since some"));
}

TEST(Remedies, WhatIsMissingIsAChangeToo) {
  EXPECT_THAT(ChoicesOf({"person.months >= 12"}, "{}"), ElementsAre("months at_least 12"));
  EXPECT_THAT(ChoicesOf({"person.months < 5"}, "{}"), ElementsAre("months at_most 4"));
  EXPECT_THAT(ChoicesOf({"person.city != \"440300\""}, "{}"), ElementsAre("city not [\"440300\"]"));
  EXPECT_THAT(ChoicesOf({"person.since != null"}, "{}"), ElementsAre("since some"));
  // To say what is not known is nearer than to change what is.
  EXPECT_THAT(ChoicesOf({"person.member || person.student"}, R"({"member":false})"),
              ElementsAre("student is true", "member is true"));
}

TEST(Remedies, AnAmountThatIsOpenIsSettledToo) {
  const Case c = Make(R"(amount: {unit: CNY/month, table: [{when: person.months >= 12, is: 300}, {is: 200}]}
criteria: {a: {label: 甲, when: person.member}}
)");
  const auto any = Ask(c, R"({"member":true})");
  ASSERT_EQ(any->determination.answer, Answer::kUnknown);
  EXPECT_THAT(Choices(c, any->remedy), ElementsAre("months some"));
  EXPECT_THAT(Choices(c, Ask(c, R"({"member":false,"months":3})")->remedy), ElementsAre("member is true"));
}

TEST(Remedies, WhatNobodyCanChangeIsNeverProposedAndWaitingIs) {
  const Case c = OfCriteria({"age(person.born, today) >= 70", "person.member"});
  const auto young = Ask(c, R"({"born":"1957-03-02","member":true})");
  EXPECT_EQ(young->remedy.wait_until, Day("2027-03-02"));
  EXPECT_THAT(young->remedy.choices, IsEmpty());
  EXPECT_THAT(young->remedy.settled, ElementsAre(0U));
  const auto unknown = Ask(c, R"({"member":true})");
  EXPECT_EQ(unknown->remedy.wait_until, std::nullopt);
  EXPECT_THAT(unknown->remedy.choices, IsEmpty());
  EXPECT_TRUE(unknown->remedy.complete);
}

TEST(Remedies, WaitingAndChangingStandBesideEachOther) {
  const Case c = OfCriteria({"months_between(person.since, today) >= 12 || person.member"});
  const auto asked = Ask(c, R"({"since":"2025-06-10","member":false})");
  EXPECT_EQ(asked->remedy.wait_until, Day("2026-06-10"));
  EXPECT_THAT(Choices(c, asked->remedy), ElementsAre("since at_most 2025-03-01", "member is true"));
}

TEST(Remedies, TheEligibleTheDeadAndARuleNotInForceNeedNoChange) {
  const Case c = OfCriteria({"person.member"});
  for (const char* facts : {R"({"member":true})", R"({"member":false,"died":"2025-01-01"})"}) {
    const auto asked = Ask(c, facts);
    EXPECT_EQ(asked->remedy.wait_until, std::nullopt) << facts;
    EXPECT_THAT(asked->remedy.choices, IsEmpty()) << facts;
  }
  const Case later = Make("valid: {from: 2027-01-01}\ncriteria: {a: {label: 甲, when: person.member}}\n");
  const auto asked = Ask(later, R"({"member":true})");
  EXPECT_EQ(asked->remedy.wait_until, Day("2027-01-01"));
  EXPECT_THAT(asked->remedy.choices, IsEmpty());
  EXPECT_THAT(Ask(later, R"({"member":false})")->remedy.choices, IsEmpty());
}

TEST(Remedies, AChangeOfMoreThanThreeFactsIsNotLookedFor) {
  const std::vector<std::string> four = {"person.member", "person.student", "person.months >= 1",
                                         "person.city == \"1\""};
  EXPECT_THAT(ChoicesOf(four, R"({"member":false,"student":false,"months":0,"city":"2"})"), IsEmpty());
  EXPECT_THAT(ChoicesOf(four, R"({"member":false,"student":false,"months":0,"city":"1"})"),
              ElementsAre("months at_least 1 + member is true + student is true"));
}

TEST(Remedies, WhereMoreIsAskedOfAFactOnlyAVerifiedValueIsNamed) {
  // months is read by a calculation with points too, so nothing is said of other values.
  EXPECT_THAT(ChoicesOf({"person.months >= 12", "person.months + person.points < 100"}, R"({"months":9,"points":1})"),
              ElementsAre("months is 12"));
  // Calculations with several facts are followed with the others as they are.
  EXPECT_THAT(ChoicesOf({"person.months + person.points >= 100"}, R"({"months":9,"points":1})"),
              ElementsAre("months is 99", "points is 91"));
  EXPECT_THAT(
      ChoicesOf({"person.member ? person.months > 5 : person.points > 5"}, R"({"member":true,"months":0,"points":0})"),
      ElementsAre("months is 6"));
  EXPECT_THAT(ChoicesOf({"size(person.dates) > 2"}, R"({"dates":[]})"), IsEmpty());
}

TEST(Remedies, NoValueNamedTellsASensitiveFact) {
  // 5000 - income would be the points needed.
  EXPECT_THAT(ChoicesOf({"person.income + person.points >= 5000"}, R"({"income":"4000","points":1})"),
              ElementsAre("income is 4999.00"));
  const Case c = OfCriteria({"person.income < 1000"});
  const Date day = Day(kDay);
  const facts::Profile profile = MakeProfile(*c.set, "person", R"({"income":"4321.09"})");
  const auto asked = Ask(c, R"({"income":"4321.09"})");
  for (const char* locale : {"zh", "en"}) {
    const std::string text =
        ExplainText(c.rule(), profile, asked->determination, asked->outlook, asked->remedy, day, locale, false);
    EXPECT_EQ(text.find("4321"), std::string::npos) << text;
    EXPECT_NE(text.find("999.99"), std::string::npos) << text;
  }
  const std::string json =
      ExplainJson(c.rule(), profile, asked->determination, asked->outlook, asked->remedy, day, false);
  EXPECT_EQ(json.find("4321"), std::string::npos) << json;
}

// ---- Against trying everything

struct Domain {
  std::string name;
  std::vector<std::string> values;  // JSON; "" is absent. The fact's whole range as far as these rules can tell.
};

std::string Facts(const std::vector<Domain>& domains, const std::vector<std::size_t>& at) {
  std::string out;
  for (std::size_t i = 0; i < domains.size(); ++i) {
    const std::string& v = domains[i].values[at[i]];
    if (!v.empty()) out += (out.empty() ? "" : ",") + ("\"" + domains[i].name + "\":" + v);
  }
  return "{" + out + "}";
}

TEST(Remedies, NoSmallerChangeExistsAndTheNamedOneHolds) {
  const std::vector<Domain> domains = {
      {"months", {"", "0", "1", "2", "3", "4", "5", "6", "7"}},
      {"points", {"", "0", "1", "2", "3", "4", "5", "6"}},
      {"member", {"", "false", "true"}},
      {"use", {"", "\"rent\"", "\"own\"", "\"none\""}},
      {"since", {"", "null", "\"2025-02-27\"", "\"2025-02-28\"", "\"2025-03-01\"", "\"2025-03-02\"", "\"2026-03-02\""}},
  };
  const std::vector<std::vector<std::string>> rules = {
      {"person.months >= 3 && person.months != 5", "person.member || person.points > 4"},
      {"person.months < 2 || person.months > 6", "person.points == 3", "person.use in [\"rent\", \"own\"]"},
      {"person.since != null && months_between(person.since, today) >= 12", "person.member"},
      {"!(person.member && person.months > 1)", "person.use == \"own\" || person.points < 2", "person.since == null"},
      {"person.months > 3", "person.points > 3", "person.months < 3 || person.member", "person.use == \"own\""},
      {"person.member && !person.member", "person.months > 1"},
  };
  std::mt19937 random(20260301);
  value::Arena arena;
  std::size_t none = 0;
  std::array<std::size_t, 4> by_size{};
  for (const std::vector<std::string>& conditions : rules) {
    const Case c = OfCriteria(conditions);
    const auto eligible = [&](const std::vector<std::size_t>& at) {
      arena.Reset();
      const facts::Profile profile = MakeProfile(*c.set, "person", Facts(domains, at));
      return Evaluate(c.rule(), profile, Day(kDay), arena).answer == Answer::kEligible;
    };
    for (int trial = 0; trial < 40; ++trial) {
      std::vector<std::size_t> at;
      for (const Domain& d : domains) at.push_back(random() % d.values.size());
      if (eligible(at)) continue;
      // The smallest change by trying all of them: how many facts, and which sets.
      std::set<std::set<std::string>> smallest;
      for (std::size_t size = 1; size <= Remedy::kMaxFacts && smallest.empty(); ++size) {
        const std::function<void(std::size_t, std::size_t, std::vector<std::size_t>&, std::set<std::string>&)> all =
            [&](std::size_t from, std::size_t left, std::vector<std::size_t>& now, std::set<std::string>& names) {
              if (left == 0) {
                if (eligible(now)) smallest.insert(names);
                return;
              }
              for (std::size_t i = from; i < domains.size(); ++i) {
                for (std::size_t v = 1; v < domains[i].values.size(); ++v) {
                  if (v == at[i]) continue;
                  const std::size_t before = now[i];
                  now[i] = v;
                  names.insert(domains[i].name);
                  all(i + 1, left - 1, now, names);
                  names.erase(domains[i].name);
                  now[i] = before;
                }
              }
            };
        std::vector<std::size_t> now = at;
        std::set<std::string> names;
        all(0, size, now, names);
      }
      const std::string facts = Facts(domains, at);
      SCOPED_TRACE(conditions[0] + " … with " + facts);
      const auto asked = Ask(c, facts);
      EXPECT_TRUE(asked->remedy.complete);
      EXPECT_EQ(asked->remedy.choices.size(), std::min(smallest.size(), Remedy::kMaxChoices));
      if (smallest.empty()) ++none;
      for (const std::vector<Change>& choice : asked->remedy.choices) {
        std::set<std::string> names;
        facts::Profile changed = MakeProfile(*c.set, "person", facts);
        for (const Change& change : choice) {
          const std::string& name = changed.schema().facts()[change.slot].name;
          names.insert(name);
          EXPECT_TRUE(changed.SetFromJson("{\"" + name + "\":" + value::ToJson(change.example) + "}").has_value());
        }
        EXPECT_TRUE(smallest.contains(names));
        arena.Reset();
        EXPECT_EQ(Evaluate(c.rule(), changed, Day(kDay), arena).answer, Answer::kEligible);
        ++by_size[choice.size()];
      }
      // Where one int is changed: every value that the words allow makes it eligible, no nearer one does, and no value
      // that the words exclude is at the edge.
      for (const std::vector<Change>& choice : asked->remedy.choices) {
        if (choice.size() != 1) continue;
        const Change& change = choice[0];
        const std::string& name = c.set->SchemaOf("person")->facts()[change.slot].name;
        const auto d = std::find_if(domains.begin(), domains.end(), [&](const Domain& x) { return x.name == name; });
        if (name != "months" && name != "points") continue;
        const auto i = static_cast<std::size_t>(d - domains.begin());
        std::vector<std::size_t> now = at;
        for (std::size_t v = 1; v < d->values.size(); ++v) {
          now[i] = v;
          const std::int64_t n = std::stoll(d->values[v]);
          bool named = false;
          switch (change.relation) {
            case Relation::kIs:
              named = n == change.to.AsInt();
              break;
            case Relation::kAtLeast:
              named = n >= change.to.AsInt();
              break;
            case Relation::kAtMost:
              named = n <= change.to.AsInt();
              break;
            case Relation::kBetween:
              named = n >= change.to.AsInt() && n <= change.upper.AsInt();
              break;
            default:
              named = true;
          }
          if (named) {
            EXPECT_TRUE(eligible(now)) << name << " " << n;
          }
          if (!d->values[at[i]].empty() && eligible(now)) {
            const std::int64_t present = std::stoll(d->values[at[i]]);
            EXPECT_LE(std::abs(change.example.AsInt() - present), std::abs(n - present)) << name << " " << n;
          }
        }
      }
    }
  }
  EXPECT_GT(none, 20U);
  EXPECT_GT(by_size[1], 20U);
  EXPECT_GT(by_size[2], 20U);
  EXPECT_GT(by_size[3], 5U);
}

}  // namespace
}  // namespace zhitui::rules
