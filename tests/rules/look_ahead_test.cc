// LookAhead and Touched against the plain truth: evaluating every day, changing every fact.
#include <algorithm>
#include <map>
#include <random>

#include "rules/rules_support.h"

namespace zhitui::rules {
namespace {

constexpr unsigned kSeed = 20260301;
constexpr const char* kKinds[] = {"resident", "entity", "dwelling", "dwelling"};  // taken in turn

class People {
 public:
  explicit People(unsigned seed) : random_(seed) {}

  int Between(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  bool Chance(int percent) { return Between(1, 100) <= percent; }
  std::string DayIn(int from_year, int to_year) {
    // Month ends and 29 February more often than chance would have them.
    const int year = Between(from_year, to_year);
    if (Chance(10)) return FormatDate(MakeDate(year - year % 4, 2, 29));
    const auto month = static_cast<unsigned>(Between(1, 12));
    const auto last =
        std::chrono::year_month_day_last(std::chrono::year(year) / std::chrono::month(month) / std::chrono::last);
    const auto days = static_cast<int>(static_cast<unsigned>(last.day()));
    return FormatDate(MakeDate(year, month, static_cast<unsigned>(Chance(20) ? days : Between(1, days))));
  }
  std::string Quoted(const std::string& text) { return "\"" + text + "\""; }
  std::string Bool() { return Chance(50) ? "true" : "false"; }
  std::string City() { return Quoted(Chance(60) ? "440300" : "430100"); }
  std::string Months() {
    std::string out = "[";
    Date day = MakeDate(2022, 1, 1);
    const int keep = Between(50, 100);
    for (int i = 0; i < 60; ++i, day = *value::AddPeriod(day, {1, 0})) {
      if (Chance(keep)) out += (out.size() > 1 ? "," : "") + Quoted(FormatDate(day));
    }
    return out + "]";
  }
  std::string Guardian(int n) {
    std::string out = "{\"id\":\"G" + std::to_string(n) + "\",\"hukou_city\":" + City();
    out += ",\"housing\":" + Quoted(Chance(70) ? "rent" : "none");
    out += ",\"housing_district\":" + Quoted(Chance(70) ? "440304" : "440305");
    out += ",\"lives_there\":" + std::string(Chance(80) ? "true" : "false");
    for (const char* name : {"permit_issued", "registered_since", "insured_since"}) {
      out += std::string(",\"") + name + "\":" + (Chance(80) ? Quoted(DayIn(2018, 2027)) : std::string("null"));
    }
    return out + "}";
  }
  std::string Guardians() {
    std::string out = "[";
    for (int i = 0, n = Between(0, 2); i < n; ++i) out += (i > 0 ? "," : "") + Guardian(i);
    return out + "]";
  }

  // A value as the fact is declared. The facts of the older samples have values that make their rules eligible often.
  std::string Value(const facts::FactDef& fact) {
    if (fact.name == "birth_date") return Quoted(Chance(50) ? DayIn(1925, 1975) : DayIn(2010, 2026));
    if (fact.name == "hukou.city") return City();
    if (fact.name == "insurance.months") return Months();
    if (fact.name == "guardians") return Guardians();
    if (fact.nullable && Chance(25)) return "null";
    switch (fact.type) {
      case facts::FactType::kBool:
        return Bool();
      case facts::FactType::kInt:
        return std::to_string(Chance(50) ? Between(0, 3) : Between(2012, 2028));
      case facts::FactType::kDate:
        return Quoted(DayIn(2015, 2027));
      case facts::FactType::kCode:
        if (fact.values.empty()) return Quoted(Chance(80) ? "440304" : "440104");
        return Quoted(fact.values[static_cast<std::size_t>(Between(0, static_cast<int>(fact.values.size()) - 1))]);
      case facts::FactType::kList: {
        std::string out = "[";
        for (int i = 0, n = Between(0, 3); i < n; ++i) out += (i > 0 ? "," : "") + Value(fact.element[0]);
        return out + "]";
      }
      case facts::FactType::kRecord: {
        std::string out = "{";
        for (const facts::FactDef& field : fact.fields) {
          out += (out.size() > 1 ? ",\"" : "\"") + field.name + "\":" + Value(field);
        }
        return out + "}";
      }
      default:
        return Quoted("x");
    }
  }

  // The facts that the rules about a kind read, by name; some are left out.
  std::map<std::string, std::string> Subject(const RuleSet& set, const std::string& kind) {
    std::map<std::string, std::string> out;
    for (const Rule& rule : set.rules()) {
      if (rule.kind != kind) continue;
      for (const std::uint32_t slot : rule.slots) {
        const facts::FactDef& fact = set.SchemaOf(kind)->facts()[slot];
        if (!out.contains(fact.name)) out[fact.name] = Chance(88) ? Value(fact) : "";
      }
    }
    std::erase_if(out, [](const auto& fact) { return fact.second.empty(); });
    return out;
  }

 private:
  std::mt19937 random_;
};

std::string Json(const std::map<std::string, std::string>& facts) {
  std::string out = "{";
  for (const auto& [name, value] : facts) out += (out.size() > 1 ? ",\"" : "\"") + name + "\":" + value;
  return out + "}";
}

bool Same(const Determination& a, const Determination& b) {
  if (a.answer != b.answer || a.amount.has_value() != b.amount.has_value()) return false;
  return !a.amount || value::Decimal::Compare(*a.amount, *b.amount) == 0;
}

TEST(LookAhead, AgreesWithEvaluatingEveryDayOfFifteenYears) {
  const auto set = MustBuild(SampleFiles());
  ASSERT_NE(set, nullptr);
  const Date first = MakeDate(2015, 1, 1);
  const Date last = MakeDate(2030, 1, 1);
  const auto count = static_cast<std::size_t>((last - first).count()) + 1;
  People people(kSeed);
  value::Arena arena;
  std::size_t looked = 0;
  std::map<std::string, std::size_t> changes;  // by rule
  for (int subject = 0; subject < 320; ++subject) {
    const std::string kind = kKinds[subject % 4];
    const std::string json = Json(people.Subject(*set, kind));
    const facts::Profile profile = MakeProfile(*set, kind, json);
    for (const Rule& rule : set->rules()) {
      if (rule.kind != kind) continue;
      std::vector<Determination> days;
      for (std::size_t i = 0; i < count; ++i) {
        arena.Reset();
        days.push_back(Evaluate(rule, profile, first + std::chrono::days(i), arena));
      }
      // From behind: what comes next after each day.
      Outlook next;
      std::vector<Outlook> expected(count);
      for (std::size_t i = count - 1; i-- > 0;) {
        const Date after = first + std::chrono::days(i + 1);
        const bool now = days[i].answer == Answer::kEligible;
        const bool then = days[i + 1].answer == Answer::kEligible;
        if (!Same(days[i], days[i + 1])) {
          next.next_change = after;
          ++changes[rule.id];
        }
        if (now != then) {
          next.eligible_from = now ? std::nullopt : std::optional(after);
          next.eligible_until = now ? std::optional(after) : std::nullopt;
        }
        expected[i] = next;
      }
      // Every day after and before a change, and a sample of the others.
      for (std::size_t i = 0; i + 1 < count; ++i) {
        const bool edge = (i > 0 && !Same(days[i - 1], days[i])) || !Same(days[i], days[i + 1]);
        if (!edge && people.Between(1, 200) > 1) continue;
        arena.Reset();
        const Date day = first + std::chrono::days(i);
        const Outlook got = LookAhead(rule, profile, days[i], day, last, arena);
        ++looked;
        ASSERT_EQ(got.next_change, expected[i].next_change) << rule.id << " " << FormatDate(day) << " " << json;
        ASSERT_EQ(got.eligible_from, expected[i].eligible_from) << rule.id << " " << FormatDate(day) << " " << json;
        ASSERT_EQ(got.eligible_until, expected[i].eligible_until) << rule.id << " " << FormatDate(day) << " " << json;
      }
    }
  }
  EXPECT_GT(looked, 2000U);
  for (const Rule& rule : set->rules()) EXPECT_GT(changes[rule.id], 0U) << rule.id;
}

TEST(Touched, AChangeOfOneFactNeverAltersARuleThatIsNotTouched) {
  const auto set = MustBuild(SampleFiles());
  ASSERT_NE(set, nullptr);
  People people(kSeed + 1);
  value::Arena arena;
  std::size_t altered = 0;
  for (int subject = 0; subject < 400; ++subject) {
    const std::string kind = kKinds[subject % 4];
    const facts::Schema& schema = *set->SchemaOf(kind);
    std::map<std::string, std::string> before = people.Subject(*set, kind);
    const facts::Profile was = MakeProfile(*set, kind, Json(before));
    const Date day = Day(people.DayIn(2016, 2030));
    for (int change = 0; change < 10; ++change) {
      const auto slot = static_cast<std::uint32_t>(people.Between(0, static_cast<int>(schema.facts().size()) - 1));
      const std::string& name = schema.facts()[slot].name;
      std::map<std::string, std::string> after = before;
      const bool read = std::any_of(set->rules().begin(), set->rules().end(), [&](const Rule& rule) {
        return rule.kind == kind && std::find(rule.slots.begin(), rule.slots.end(), slot) != rule.slots.end();
      });
      // Of a fact that no rule reads, nothing must be touched; its value is then of no interest.
      const std::vector<std::uint32_t> touched = set->Touched(kind, {&slot, 1});
      if (!read) {
        EXPECT_TRUE(touched.empty()) << name;
        continue;
      }
      if (after.contains(name) && people.Chance(30)) {
        after.erase(name);
      } else {
        after[name] = people.Value(schema.facts()[slot]);
      }
      const facts::Profile is = MakeProfile(*set, kind, Json(after));
      for (std::uint32_t i = 0; i < set->rules().size(); ++i) {
        if (set->rules()[i].kind != kind) continue;
        const Determination a = Evaluate(set->rules()[i], was, day, arena);
        const Determination b = Evaluate(set->rules()[i], is, day, arena);
        if (Same(a, b) && a.criteria == b.criteria && a.missing == b.missing) continue;
        ++altered;
        EXPECT_TRUE(std::find(touched.begin(), touched.end(), i) != touched.end())
            << set->rules()[i].id << " altered by " << name;
      }
    }
  }
  EXPECT_GT(altered, 100U);
}

TEST(LookAhead, ARuleThatIsCheckedDailyIsLookedAtAgainWithoutAPromise) {
  const auto set = MustBuild({PersonSchema(), PersonRule(R"(recheck: daily
criteria:
  odd: {label: 奇数日, when: string(today).endsWith("-29")}
)")});
  const facts::Profile profile = MakeProfile(*set, "person", "{}");
  value::Arena arena;
  const Date day = Day("2026-03-01");
  const Rule& rule = set->rules()[0];
  const Outlook got = LookAhead(rule, profile, Evaluate(rule, profile, day, arena), day, Day("2030-01-01"), arena);
  EXPECT_EQ(got.next_change, Day("2026-03-29"));
  EXPECT_EQ(got.eligible_from, Day("2026-03-29"));

  // Too far away to be found by stepping: no day is promised, and the rule is looked at again before it.
  const auto rare = MustBuild({PersonSchema(), PersonRule(R"(recheck: daily
criteria:
  odd: {label: 元旦, when: string(today) == "2029-01-01"}
)")});
  const Rule& far = rare->rules()[0];
  const Outlook later = LookAhead(far, profile, Evaluate(far, profile, day, arena), day, Day("2030-01-01"), arena);
  EXPECT_EQ(later.eligible_from, std::nullopt);
  ASSERT_TRUE(later.next_change.has_value());
  EXPECT_GT(*later.next_change, day);
  EXPECT_LE(*later.next_change, Day("2029-01-01"));
}

}  // namespace
}  // namespace zhitui::rules
