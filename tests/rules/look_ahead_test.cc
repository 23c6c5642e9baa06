// LookAhead and Touched against the plain truth: evaluating every day, changing every fact.
#include <algorithm>
#include <random>

#include "rules/rules_support.h"

namespace zhitui::rules {
namespace {

constexpr unsigned kSeed = 20260301;

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

  // One value for each fact that the sample rules read.
  std::string Value(const std::string& fact) {
    if (fact == "birth_date") return Quoted(Chance(50) ? DayIn(1925, 1975) : DayIn(2010, 2026));
    if (fact == "hukou.city") return City();
    if (fact == "residence.registered_since" || fact == "residence.permit_issued") {
      return Chance(75) ? Quoted(DayIn(2015, 2027)) : "null";
    }
    if (fact == "insurance.months") return Months();
    if (fact == "guardians") return Guardians();
    return Bool();
  }

  // Facts by name; some are left out.
  std::map<std::string, std::string> Person(const RuleSet& set) {
    std::map<std::string, std::string> out;
    for (const Rule& rule : set.rules()) {
      for (const std::uint32_t slot : rule.slots) {
        const std::string& name = set.SchemaOf(rule.kind)->facts()[slot].name;
        if (!out.contains(name)) out[name] = Chance(88) ? Value(name) : "";
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
  std::size_t changes = 0;
  for (int person = 0; person < 120; ++person) {
    const std::string json = Json(people.Person(*set));
    const facts::Profile profile = MakeProfile(*set, "resident", json);
    for (const Rule& rule : set->rules()) {
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
          ++changes;
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
  EXPECT_GT(changes, 300U);
}

TEST(Touched, AChangeOfOneFactNeverAltersARuleThatIsNotTouched) {
  const auto set = MustBuild(SampleFiles());
  ASSERT_NE(set, nullptr);
  const facts::Schema& schema = *set->SchemaOf("resident");
  People people(kSeed + 1);
  value::Arena arena;
  std::size_t altered = 0;
  for (int person = 0; person < 200; ++person) {
    std::map<std::string, std::string> before = people.Person(*set);
    const facts::Profile was = MakeProfile(*set, "resident", Json(before));
    const Date day = Day(people.DayIn(2016, 2030));
    for (int change = 0; change < 10; ++change) {
      const auto slot = static_cast<std::uint32_t>(people.Between(0, static_cast<int>(schema.facts().size()) - 1));
      const std::string& name = schema.facts()[slot].name;
      std::map<std::string, std::string> after = before;
      const bool read = std::any_of(set->rules().begin(), set->rules().end(), [&](const Rule& rule) {
        return std::find(rule.slots.begin(), rule.slots.end(), slot) != rule.slots.end();
      });
      // Of a fact that no rule reads, nothing must be touched; its value is then of no interest.
      const std::vector<std::uint32_t> touched = set->Touched("resident", {&slot, 1});
      if (!read) {
        EXPECT_TRUE(touched.empty()) << name;
        continue;
      }
      if (after.contains(name) && people.Chance(30)) {
        after.erase(name);
      } else {
        after[name] = people.Value(name);
      }
      const facts::Profile is = MakeProfile(*set, "resident", Json(after));
      for (std::uint32_t i = 0; i < set->rules().size(); ++i) {
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
