// LookAhead against the plain truth: 2,000 random rules, each for random residents, every day of 120 years.
// A run of the unit tests takes a part of them; ZHITUI_BRUTE=all takes all, ZHITUI_BRUTE=<n> takes n rules.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <random>
#include <thread>

#include "rules/rules_support.h"

namespace zhitui::rules {
namespace {

constexpr unsigned kSeed = 20260302;
constexpr std::size_t kAllRules = 2000;
constexpr std::size_t kUnitRules = 40;
constexpr std::size_t kPeople = 3;  // for each rule; one in the unit tests
constexpr std::size_t kLooks = 60;  // for each rule and resident, at most: after flips, and on any day

constexpr int kPromisedFlips = 64;  // as rules.h has it

const Date kFirst = MakeDate(1950, 1, 1);
const Date kLast = MakeDate(2069, 12, 31);

constexpr const char* kSchema = R"(kind: person
sources: {office: 办公室}
facts:
  born: {type: date, source: office, label: 出生日期}
  since: {type: date, source: office, nullable: true, label: 起始日}
  city: {type: code, source: office, label: 城市}
  months: {type: list, of: date, max_items: 200, source: office, label: 参保月份}
  score: {type: int, source: office, label: 分数}
  income: {type: money, source: office, label: 收入}
  member: {type: bool, source: office, label: 会员}
  children:
    type: list
    source: office
    label: 子女
    of:
      born: {type: date, label: 出生日期}
      left: {type: date, nullable: true, label: 离开日}
)";

class Random {
 public:
  explicit Random(std::uint32_t seed) : random_(seed) {}
  int Between(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  bool Chance(int percent) { return Between(1, 100) <= percent; }
  template <std::size_t n>
  std::string Of(const char* const (&all)[n]) {
    return all[static_cast<std::size_t>(Between(0, static_cast<int>(n) - 1))];
  }
  std::string Number(int low, int high) { return std::to_string(Between(low, high)); }
  // Leap days and month ends more often than chance would have them.
  Date DayIn(int from_year, int to_year) {
    const int year = Between(from_year, to_year);
    if (Chance(12)) return MakeDate(year - year % 4, 2, 29);
    if (Chance(5)) return MakeDate(year, 8, 31);
    if (Chance(5)) return MakeDate(year, 9, 1);
    const auto month = static_cast<unsigned>(Between(1, 12));
    const auto last =
        std::chrono::year_month_day_last(std::chrono::year(year) / std::chrono::month(month) / std::chrono::last);
    const auto days = static_cast<int>(static_cast<unsigned>(last.day()));
    return MakeDate(year, month, static_cast<unsigned>(Chance(20) ? days : Between(1, days)));
  }
  std::string Day(int from_year, int to_year) { return FormatDate(DayIn(from_year, to_year)); }

 private:
  std::mt19937 random_;
};

// Conditions and amounts as an author of the law writes them.
class RuleWriter {
 public:
  explicit RuleWriter(std::uint32_t seed) : r_(seed) {}

  SourceFile Write(std::size_t index) {
    std::string out;
    const int from = r_.Between(1940, 2000);
    if (r_.Chance(70)) {
      out += "valid: {from: " + std::to_string(from) + "-" + r_.Of({"01-01", "02-28", "07-01"});
      if (r_.Chance(40)) out += ", until: " + r_.Day(2001, 2080);
      out += "}\n";
    } else {
      out += "valid: {from: 1900-01-01}\n";
    }
    out += "params:\n  min_age: " + Dated(1900, {"55", "60", "65", "70", "18", "6"}) + "\n";
    out += "  rate: " + Dated(1900, {"100.00", "200.50", "300.00", "99.99", "1000.00", "0.50"}) + "\n";
    out += "  opens: " + Dated(1900, {"1999-05-30", "2010-09-01", "2030-02-28"}) + "\n";
    out += "let:\n  age: " + r_.Of({"age(person.born, today)", "age(person.born, today, \"next_day\")"}) + "\n";
    out += "  insured: consecutive_months(person.months, today)\n";
    out += "criteria:\n";
    for (int i = 0, n = r_.Between(1, 4); i < n; ++i) {
      out += "  c" + std::to_string(i) + ":\n    label: 条件\n    when: |\n      " + Condition(2) + "\n";
    }
    if (r_.Chance(70)) {
      out += "amount:\n  unit: CNY/month\n  table:\n";
      for (int i = 0, n = r_.Between(0, 2); i < n; ++i) {
        out += "    - when: |\n        " + Condition(1) + "\n      is: |\n        " + Amount() + "\n";
      }
      out += "    - is: |\n        " + Amount() + "\n";
    }
    return PersonRule(out, "r" + std::to_string(index));
  }

 private:
  std::string Dated(int from_year, std::initializer_list<const char*> values) {
    const std::vector<std::string> all(values.begin(), values.end());
    const auto any = [&] { return all[static_cast<std::size_t>(r_.Between(0, static_cast<int>(all.size()) - 1))]; };
    std::string out = "{" + std::to_string(from_year) + "-01-01: " + any();
    int year = 1950;
    for (int i = 0, n = r_.Between(0, 4); i < n && year < 2060; ++i) {
      year = r_.Between(year + 4, year + 30);
      const Date from = r_.DayIn(year, year);
      year = static_cast<int>(std::chrono::year_month_day(from).year()) + 1;
      if (r_.Chance(25)) {
        out += ", " + FormatDate(from) + ": {is: " + any() +
               ", entered: " + FormatDate(from + std::chrono::days(r_.Between(1, 900))) + "}";
      } else {
        out += ", " + FormatDate(from) + ": " + any();
      }
    }
    return out + "}";
  }

  std::string Compare() { return r_.Of({" >= ", " < ", " > ", " <= ", " == "}); }
  std::string Mode() { return r_.Of({"\"half_up\"", "\"half_even\"", "\"down\"", "\"up\""}); }
  std::string Span() { return r_.Of({"years(", "months(", "days("}) + r_.Number(1, 40) + ")"; }
  std::string End() { return r_.Chance(30) ? ", \"next_day\"" : ""; }

  std::string Condition(int depth) {
    if (depth > 0 && r_.Chance(45)) {
      switch (r_.Between(0, 5)) {
        case 0:
        case 1:
          return "(" + Condition(depth - 1) + " && " + Condition(depth - 1) + ")";
        case 2:
        case 3:
          return "(" + Condition(depth - 1) + " || " + Condition(depth - 1) + ")";
        case 4:
          return "!" + Condition(depth - 1);
        default:
          return "(" + Condition(0) + " ? " + Condition(depth - 1) + " : " + Condition(depth - 1) + ")";
      }
    }
    switch (r_.Between(0, 25)) {
      case 0:
      case 1:
        return "(age >= params.min_age)";
      case 2:
        return "(age" + Compare() + r_.Number(0, 90) + ")";
      case 3:
        return "(age >= " + r_.Number(0, 30) + " && age < " + r_.Number(30, 99) + ")";
      case 4:
        return "(person.since != null && today >= person.since + " + Span() + ")";
      case 5:
        return "(person.since != null && today < add_period(person.since, " + Span() + ", " +
               r_.Of({"\"next_day\"", "\"last_day\""}) + "))";
      case 6:
        return "(person.since != null && months_between(person.since, today" + End() + ")" + Compare() +
               r_.Number(0, 60) + ")";
      case 7:
        return "(today >= next_anniversary(person.born, today" + End() + ") - " + Span() + ")";
      case 8:
        return "(age(person.born, school_year_start(today)" + End() + ") " + r_.Of({">= 6", "== 6", "< 18"}) + ")";
      case 9:
        return "(school_year(today) - year(person.born) >= " + r_.Number(5, 19) + ")";
      case 10:
        return "(age(person.born, date_of_year(year(today), 8, 31)) >= " + r_.Number(3, 7) + ")";
      case 11:
        return "(month(today) in [" + r_.Number(1, 12) + ", " + r_.Number(1, 12) + "])";
      case 12:
        return "(day(today) " + r_.Of({"== 15", ">= 28", "< 3"}) + ")";
      case 13:
        return "(today" + Compare() + "date_of_year(year(today), 2, 29" + End() + "))";
      case 14:
        return "(person.since != null && today <= add_working_days(person.since, " + r_.Number(-20, 60) + "))";
      case 15:
        return "(is_working_day(today) && person.member)";
      case 16:
        return "(person.since != null && working_days_between(person.since, today) <= " + r_.Number(0, 200) + ")";
      case 17:
        return "person.children.exists(c, age(c.born, today) < " + r_.Number(1, 18) + ")";
      case 18:
        return "(size(person.children.filter(c, age(c.born, today) < " + r_.Number(3, 18) +
               " && c.left == null)) >= " + r_.Number(1, 3) + ")";
      case 19:
        return "person.children.all(c, has(c.left) ? today >= c.left : age(c.born, today) >= " + r_.Number(1, 20) + ")";
      case 20:
        return "(insured >= " + r_.Number(1, 24) + ")";
      case 21:
        return "(count_months(person.months, today - months(" + r_.Number(6, 36) + "), today) >= " + r_.Number(1, 12) +
               ")";
      case 22:
        return "(today >= params.opens && today < params.opens + " + Span() + ")";
      case 23:
        return "(person.city == \"440300\")";
      case 24:
        return "(person.income * age" + Compare() + "divide(params.rate * (today - person.born), 365, 2, " + Mode() +
               "))";
      default:
        return "(later(person.born + years(18), date(" + r_.Number(1990, 2030) + ", 9, 1)) <= today)";
    }
  }

  std::string Amount() {
    switch (r_.Between(0, 7)) {
      case 0:
      case 1:
        return "params.rate";
      case 2:
        return r_.Number(100, 900);
      case 3:
        return "params.rate * size(person.children.filter(c, age(c.born, today) < " + r_.Number(3, 18) + "))";
      case 4:
        return "round(params.rate * age, " + r_.Number(-2, 2) + ", " + Mode() + ")";
      case 5:
        return "divide(params.rate * (13 - month(today)), 12, 2, " + Mode() + ")";
      case 6:
        return "age >= " + r_.Number(20, 80) + " ? params.rate : decimal(\"50.00\")";
      default:
        return "divide(today - person.born, " + r_.Number(300, 3000) + ", 0, " + Mode() + ")";
    }
  }

  Random r_;
};

std::string Quoted(const std::string& text) { return "\"" + text + "\""; }

std::string Resident(Random& r) {
  std::string out = "{\"city\":" + Quoted(r.Chance(70) ? "440300" : "110100");
  if (r.Chance(95)) out += ",\"born\":" + Quoted(r.Day(1920, 2045));
  if (r.Chance(90))
    out += ",\"since\":" + (r.Chance(15) ? "null" : Quoted(r.Chance(40) ? r.Day(2023, 2026) : r.Day(1950, 2060)));
  if (r.Chance(95)) out += ",\"score\":" + r.Number(0, 100);
  if (r.Chance(95)) out += ",\"income\":" + r.Number(0, 9000) + "." + r.Number(10, 99);
  if (r.Chance(95)) out += std::string(",\"member\":") + (r.Chance(60) ? "true" : "false");
  if (r.Chance(90)) {
    out += ",\"months\":[";
    Date month = MakeDate(r.Between(1960, 2050), static_cast<unsigned>(r.Between(1, 12)), 1);
    const int keep = r.Between(60, 100);
    for (int i = 0, n = r.Between(0, 60), written = 0; i < n; ++i, month = *value::AddPeriod(month, {1, 0})) {
      if (r.Chance(keep)) out += (written++ > 0 ? "," : "") + Quoted(FormatDate(month));
    }
    out += "]";
  }
  if (r.Chance(90)) {
    out += ",\"children\":[";
    for (int i = 0, n = r.Between(0, 4); i < n; ++i) {
      out += std::string(i > 0 ? "," : "") + "{\"born\":" + Quoted(r.Day(1945, 2060)) +
             ",\"left\":" + (r.Chance(60) ? "null" : Quoted(r.Day(1960, 2069))) + "}";
    }
    out += "]";
  }
  return out + "}";
}

// Answer and amount of a day in a form that compares fast.
struct Told {
  Answer answer = Answer::kIneligible;
  value::Decimal amount;
  bool operator==(const Told& o) const { return answer == o.answer && value::Decimal::Compare(amount, o.amount) == 0; }
};

struct Counts {
  std::size_t rules = 0;
  std::size_t pairs = 0;
  std::size_t days = 0;
  std::size_t flips = 0;
  std::size_t looks = 0;
  std::size_t late = 0;
  std::size_t early = 0;
  std::size_t unpromised = 0;  // early, after criteria flipped 64 times without changing the answer
  std::size_t wrong = 0;       // eligible_from or eligible_until
  std::vector<std::string> failures;
};

class Brute {
 public:
  Brute(const RuleSet& set, std::size_t people) : set_(set), people_(people) {}

  Counts Run() {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i) {
      threads.emplace_back([this] { Work(); });
    }
    for (std::thread& t : threads) t.join();
    return counts_;
  }

 private:
  void Work() {
    Counts mine;
    for (std::size_t i = next_++; i < set_.rules().size(); i = next_++) {
      const Rule& rule = set_.rules()[i];
      ++mine.rules;
      Random random(kSeed + 100'000 + static_cast<std::uint32_t>(std::stoul(rule.id.substr(1))));
      for (std::size_t person = 0; person < people_; ++person) Pair(rule, Resident(random), random, mine);
    }
    const std::lock_guard lock(mutex_);
    counts_.rules += mine.rules;
    counts_.pairs += mine.pairs;
    counts_.days += mine.days;
    counts_.flips += mine.flips;
    counts_.looks += mine.looks;
    counts_.late += mine.late;
    counts_.early += mine.early;
    counts_.unpromised += mine.unpromised;
    counts_.wrong += mine.wrong;
    counts_.failures.insert(counts_.failures.end(), mine.failures.begin(), mine.failures.end());
  }

  void Pair(const Rule& rule, const std::string& json, Random& random, Counts& out) {
    facts::Profile profile(set_.SchemaOf("person"));
    if (!profile.SetFromJson(json)) {
      out.failures.push_back("the facts do not fit: " + json);
      return;
    }
    const auto count = static_cast<std::size_t>((kLast - kFirst).count()) + 1;
    value::Arena arena;
    std::vector<Told> told(count);
    for (std::size_t i = 0; i < count; ++i) {
      arena.Reset();
      const Determination d = Evaluate(rule, profile, kFirst + std::chrono::days(i), arena);
      told[i] = {d.answer, d.amount.value_or(value::Decimal{})};
    }
    ++out.pairs;
    out.days += count;
    // From behind: the next day that differs, and the next on which eligibility does.
    std::vector<std::uint32_t> next(count, static_cast<std::uint32_t>(count));
    std::vector<std::uint32_t> turn(count, static_cast<std::uint32_t>(count));
    std::vector<std::size_t> looks = {0};
    for (std::size_t i = count - 1; i-- > 0;) {
      const bool same = told[i] == told[i + 1];
      next[i] = same ? next[i + 1] : static_cast<std::uint32_t>(i + 1);
      const bool kept = (told[i].answer == Answer::kEligible) == (told[i + 1].answer == Answer::kEligible);
      turn[i] = kept ? turn[i + 1] : static_cast<std::uint32_t>(i + 1);
      if (same) continue;
      ++out.flips;
      looks.push_back(i);
      looks.push_back(i + 1);
    }
    for (std::size_t i = 0; i < kLooks / 3; ++i) {
      looks.push_back(static_cast<std::size_t>(random.Between(0, static_cast<int>(count) - 2)));
    }
    while (looks.size() > kLooks) {
      std::swap(looks[static_cast<std::size_t>(random.Between(1, static_cast<int>(looks.size()) - 1))], looks.back());
      looks.pop_back();
    }
    for (const std::size_t i : looks) Look(rule, profile, json, i, next, turn, arena, out);
  }

  void Look(const Rule& rule, const facts::Profile& profile, const std::string& json, std::size_t i,
            const std::vector<std::uint32_t>& next, const std::vector<std::uint32_t>& turn, value::Arena& arena,
            Counts& out) {
    const std::size_t count = next.size();
    const Date day = kFirst + std::chrono::days(i);
    arena.Reset();
    const Determination now = Evaluate(rule, profile, day, arena);
    const Outlook got = LookAhead(rule, profile, now, day, kLast, arena);
    ++out.looks;
    const auto index = [&](const std::optional<Date>& d) {
      return d ? static_cast<std::size_t>((*d - kFirst).count()) : count;
    };
    const auto fail = [&](const char* what, std::size_t expected, const std::optional<Date>& d) {
      if (out.failures.size() >= 5) return;
      out.failures.push_back(rule.id + " on " + FormatDate(day) + ": " + what + " " + (d ? FormatDate(*d) : "never") +
                             ", true " + FormatDate(kFirst + std::chrono::days(expected)) + "\n  " + json);
    };
    if (index(got.next_change) > next[i]) {
      ++out.late;
      fail("next_change is late:", next[i], got.next_change);
    } else if (index(got.next_change) < next[i]) {
      int flips = 0;
      std::vector<Truth> before = now.criteria;
      for (Date d = day; d <= *got.next_change; d += std::chrono::days(1)) {
        std::vector<Truth> criteria = Evaluate(rule, profile, d, arena).criteria;
        if (criteria != before) ++flips;
        before = std::move(criteria);
      }
      if (flips >= kPromisedFlips) {
        ++out.unpromised;
      } else {
        ++out.early;
        fail(("next_change is early after " + std::to_string(flips) + " flips:").c_str(), next[i], got.next_change);
      }
    }
    const std::optional<Date> eligibility = now.answer == Answer::kEligible ? got.eligible_until : got.eligible_from;
    // Left empty is allowed where next_change is no promise, too.
    if (eligibility ? index(eligibility) != turn[i] : turn[i] < count && !got.next_change) {
      ++out.wrong;
      fail("eligibility turns", turn[i], eligibility);
    }
  }

  const RuleSet& set_;
  const std::size_t people_;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;
  Counts counts_;
};

TEST(NextChangeBrute, IsNeverLateAndAsExactAsPromisedOnRandomRulesForEveryDayOf120Years) {
  const char* wanted = std::getenv("ZHITUI_BRUTE");
  const bool all = wanted != nullptr && std::string(wanted) == "all";
  const std::size_t rules = all ? kAllRules : wanted != nullptr ? std::stoul(wanted) : kUnitRules;
  std::vector<SourceFile> files = {{"facts/person.yaml", kSchema}};
  for (SourceFile& file : SampleFiles()) {
    if (file.path == "calendars/cn.yaml") files.push_back(std::move(file));
  }
  for (std::size_t i = 0; i < rules; ++i) files.push_back(RuleWriter(kSeed + static_cast<std::uint32_t>(i)).Write(i));
  const auto set = MustBuild(files);
  ASSERT_NE(set, nullptr);
  const Counts c = Brute(*set, wanted == nullptr ? 1 : kPeople).Run();
  std::string failures;
  for (const std::string& f : c.failures) failures += f + "\n";
  std::printf(
      "rules %zu, rule x resident %zu, days %zu, flips %zu, looks %zu: late %zu, early %zu, early where more than 64 "
      "flips of criteria allow it %zu, eligibility wrong %zu\n",
      c.rules, c.pairs, c.days, c.flips, c.looks, c.late, c.early, c.unpromised, c.wrong);
  if (wanted != nullptr) std::printf("%s", failures.c_str());
  EXPECT_EQ(c.late, 0U) << failures;
  EXPECT_EQ(c.wrong, 0U) << failures;
  EXPECT_LE(c.early * 2000, c.looks) << failures;
  EXPECT_GT(c.flips, c.pairs);
}

}  // namespace
}  // namespace zhitui::rules
