// The next day on which an answer changes, against trying every day.
#include <random>

#include "cel/fixture.h"

namespace zhitui::cel {
namespace {

using testing::MustCompile;
using value::Kind;

// Facts of a made-up resident and parameters that change.
Env TimeEnv() {
  Env env;
  env.AddVariable("r.birth", value::Primitive(Kind::kDate), 0);
  env.AddVariable("r.permit", value::Nullable(value::Primitive(Kind::kDate)), 1);
  env.AddVariable("r.city", value::Primitive(Kind::kString), 2);
  env.AddVariable("r.months", value::ListOf(value::Primitive(Kind::kDate)), 3);
  env.AddVariable("r.score", value::Primitive(Kind::kInt), 4);
  env.AddVariable("r.children", value::ListOf(value::Record("child", {{"born", value::Primitive(Kind::kDate)}})), 5);
  env.AddDated("p.age", value::Primitive(Kind::kInt),
               {{MakeDate(2008, 1, 1), Value::Int(80)},
                {MakeDate(2019, 10, 1), Value::Int(70)},
                {MakeDate(2031, 7, 1), Value::Int(65)}});
  env.AddDated(
      "p.rate", value::Primitive(Kind::kDecimal),
      {{MakeDate(2020, 1, 1), Value::OfDecimal({150, 2})}, {MakeDate(2033, 1, 1), Value::OfDecimal({175, 2})}});
  env.AddDated("p.late", value::Primitive(Kind::kInt), {{MakeDate(2028, 5, 5), Value::Int(3)}});
  Diagnostics d;
  env.AddLet("age_now", Source{"age(r.birth, today)", "l", {}}, &d);
  env.AddLet("insured", Source{"consecutive_months(r.months, today)", "l", {}}, &d);
  EXPECT_TRUE(d.empty());
  std::vector<Date> off;
  for (Date day = MakeDate(2026, 1, 1); day < MakeDate(2029, 1, 1); day += std::chrono::days(37)) off.push_back(day);
  const Date worked[] = {MakeDate(2026, 5, 9), MakeDate(2026, 9, 20), MakeDate(2027, 5, 8)};
  env.SetCalendar(Calendar::Make("x", 2026, 2028, off, worked));
  return env;
}

class Writer {
 public:
  explicit Writer(std::mt19937& r) : r_(r) {}

  std::string Bool(int depth) {
    if (depth > 0) {
      switch (r_() % 9) {
        case 0:
        case 1:
          return "(" + Bool(depth - 1) + " && " + Bool(depth - 1) + ")";
        case 2:
        case 3:
          return "(" + Bool(depth - 1) + " || " + Bool(depth - 1) + ")";
        case 4:
          return "!" + Bool(depth - 1);
        case 5:
          return "(" + Bool(depth - 1) + " ? " + Bool(depth - 1) + " : " + Bool(depth - 1) + ")";
        default:
          break;
      }
    }
    switch (r_() % 14) {
      case 12:
        return "is_working_day(" + Day(1) + ")";
      case 13:
        return "(" + Decimal(2) + Compare() + Decimal(1) + ")";
      case 0:
      case 1:
      case 2:
        return "(" + Int(2) + Compare() + Int(2) + ")";
      case 3:
      case 4:
      case 5:
        return "(" + Day(2) + Compare() + Day(2) + ")";
      case 6:
        return "(" + Int(1) + " in [" + Int(0) + ", " + Int(0) + ", 12])";
      case 7:
        return "r.children.exists(c, age(c.born, today) " + Compare() + Int(0) + ")";
      case 8:
        return "r.children.all(c, c.born + " + Span() + Compare() + "today)";
      case 9:
        return "(r.children.filter(c, age(c.born, today) < " + std::to_string(r_() % 20) + ").size() > 0)";
      case 10:
        return r_() % 2 == 0 ? "(has(r.permit) && today >= r.permit)" : "(r.city == '440300')";
      default:
        return "(" + Day(1) + " in [" + Day(1) + ", today])";
    }
  }

  std::string Int(int depth) {
    if (depth > 0 && r_() % 3 == 0) {
      switch (r_() % 5) {
        case 0:
          return "(" + Int(depth - 1) + " + " + Int(depth - 1) + ")";
        case 1:
          return "(" + Int(depth - 1) + " - " + Int(depth - 1) + ")";
        case 2:
          return "(" + Int(depth - 1) + " * " + std::to_string(r_() % 5) + ")";
        case 3:
          return "(" + Int(depth - 1) + " / " + std::to_string(1 + r_() % 9) + ")";
        default:
          return "(" + Int(depth - 1) + " % " + std::to_string(1 + r_() % 9) + ")";
      }
    }
    switch (r_() % 20) {
      case 12:
        return "age(r.birth, " + Day(depth > 0 ? depth - 1 : 0) + ", 'next_day')";
      case 13:
        return "school_year(" + Day(0) + ")";
      case 14:
        return "working_days_between(" + Day(0) + ", " + Day(0) + ")";
      case 15:
        return "int(round(" + Decimal(1) + ", 0, " + Mode() + "))";
      case 0:
        return "age(r.birth, " + Day(depth > 0 ? depth - 1 : 0) + ")";
      case 1:
        return "age_now";
      case 2:
        return "months_between(r.birth, " + Day(0) + ")";
      case 3:
        return "year(" + Day(0) + ")";
      case 4:
        return "month(" + Day(0) + ")";
      case 5:
        return "day(" + Day(0) + ")";
      case 6:
        return "p.age";
      case 7:
        return "p.late";
      case 8:
        return "count_months(r.months, today - months(" + std::to_string(r_() % 30) + "), today)";
      case 9:
        return "insured";
      case 10:
        return "r.score";
      case 11:
        return "(today - " + Day(0) + ")";
      default:
        return std::to_string(r_() % 110);
    }
  }

  std::string Day(int depth) {
    if (depth > 0 && r_() % 2 == 0) {
      switch (r_() % 11) {
        case 6:
          return "add_working_days(" + Day(depth - 1) + ", " + std::to_string(static_cast<int>(r_() % 40) - 10) + ")";
        case 7:
          return "add_period(" + Day(depth - 1) + ", " + Span() + ", 'next_day')";
        case 8:
          return "school_year_start(" + Day(depth - 1) + ")";
        case 9:
          return (r_() % 2 == 0 ? "earlier(" : "later(") + Day(depth - 1) + ", " + Day(0) + ")";
        case 10:
          return "next_anniversary(r.birth, " + Day(depth - 1) + ", 'next_day')";
        case 0:
          return "(" + Day(depth - 1) + " + " + Span() + ")";
        case 1:
          return "(" + Day(depth - 1) + " - " + Span() + ")";
        case 2:
          return "start_of_month(" + Day(depth - 1) + ")";
        case 3:
          return "end_of_month(" + Day(depth - 1) + ")";
        case 4:
          return "next_anniversary(r.birth, " + Day(depth - 1) + ")";
        default:
          return "date_of_year(year(" + Day(depth - 1) + "), " + std::to_string(1 + r_() % 12) + ", " +
                 std::to_string(1 + r_() % 28) + ")";
      }
    }
    switch (r_() % 6) {
      case 0:
        return "r.birth";
      case 1:
        return "r.permit";
      case 2:
        return "date('" + FormatDate(MakeDate(2020, 1, 1) + std::chrono::days(r_() % 14000)) + "')";
      default:
        return "today";
    }
  }

  std::string Decimal(int depth) {
    if (depth > 0 && r_() % 2 == 0) {
      switch (r_() % 5) {
        case 0:
          return "(" + Decimal(depth - 1) + " + " + Decimal(depth - 1) + ")";
        case 1:
          return "(" + Decimal(depth - 1) + " - " + Int(0) + ")";
        case 2:
          return "(" + Decimal(depth - 1) + " * " + Decimal(depth - 1) + ")";
        case 3:
          return "round(" + Decimal(depth - 1) + ", " + std::to_string(static_cast<int>(r_() % 5) - 2) + ", " + Mode() +
                 ")";
        default:
          return "divide(" + Decimal(depth - 1) + ", " + (r_() % 2 == 0 ? Int(0) : Decimal(0)) + ", " +
                 std::to_string(r_() % 4) + ", " + Mode() + ")";
      }
    }
    switch (r_() % 3) {
      case 0:
        return "p.rate";
      case 1:
        return "decimal(" + Int(1) + ")";
      default:
        return "decimal('" + std::to_string(r_() % 100) + "." + std::to_string(r_() % 10) + "')";
    }
  }

  std::string Any() {
    switch (r_() % 10) {
      case 8:
      case 9:
        return Decimal(2);
      case 0:
        return Int(2);
      case 1:
        return "(" + Bool(1) + " ? p.rate * age_now : decimal('1.5'))";
      case 2:
        return "(" + Bool(1) + " ? date('2030-01-01') : r.birth)";
      case 3:
        return "[1, 2].map(x, x + age_now)";
      default:
        return Bool(3);
    }
  }

 private:
  std::string Compare() {
    static const char* const kAll[] = {" < ", " <= ", " > ", " >= ", " == ", " != "};
    return kAll[r_() % 6];
  }
  std::string Mode() {
    static const char* const kAll[] = {"'half_up'", "'half_even'", "'down'", "'up'", "'ceil'", "'floor'"};
    return kAll[r_() % 6];
  }
  std::string Span() {
    switch (r_() % 5) {
      case 0:
        return "years(" + std::to_string(r_() % 80) + ")";
      case 1:
        return "months(" + std::to_string(r_() % 40) + ")";
      case 2:
        return "days(" + std::to_string(r_() % 400) + ")";
      case 3:
        return "years(p.age)";
      default:
        return "period('1 year 1 month')";
    }
  }

  std::mt19937& r_;
};

std::vector<Value> RandomFacts(std::mt19937& r, Arena& arena) {
  const auto day = [&](int from, int years) {
    return Value::OfDate(MakeDate(from, 1, 1) + std::chrono::days(r() % static_cast<unsigned>(365 * years)));
  };
  std::vector<Value> slots(6, Value::Unknown(nullptr));
  const Date leap[] = {MakeDate(1956, 2, 29), MakeDate(2020, 2, 29),  MakeDate(1960, 2, 28),
                       MakeDate(1955, 3, 1),  MakeDate(1958, 12, 31), MakeDate(1959, 1, 31)};
  if (r() % 10 > 0) slots[0] = r() % 3 == 0 ? Value::OfDate(leap[r() % 6]) : day(1930, 95);
  if (r() % 10 > 1) slots[1] = r() % 4 == 0 ? Value::Null() : day(2015, 20);
  if (r() % 10 > 0) slots[2] = Value::String(r() % 2 == 0 ? "440300" : "110000");
  if (r() % 10 > 0) {
    const std::size_t n = r() % 24;
    Value* list = arena.NewArray<Value>(n);
    for (std::size_t i = 0; i < n; ++i) list[i] = day(2024, 4);
    slots[3] = Value::List({list, n});
  }
  if (r() % 10 > 0) slots[4] = Value::Int(r() % 100);
  if (r() % 10 > 0) {
    const std::size_t n = r() % 3;
    Value* list = arena.NewArray<Value>(n);
    for (std::size_t i = 0; i < n; ++i) {
      value::MapEntry* born = arena.NewArray<value::MapEntry>(1);
      born[0] = {Value::String("born"), day(2010, 16)};
      list[i] = Value::Map({born, 1});
    }
    slots[5] = Value::List({list, n});
  }
  return slots;
}

// The same result, as the door means it.
std::string Shown(const Value& v) {
  std::string out = std::string(value::KindName(v.kind())) + ":";
  if (v.is(Kind::kUnknown)) {
    for (std::uint32_t i = 0; i < v.AsUnknown().count; ++i) out += std::to_string(v.AsUnknown().slots[i]) + ",";
    return out;
  }
  if (v.is(Kind::kDecimal)) {  // 1.50 and 1.5 are one amount
    std::string text = value::ToDisplay(v);
    if (text.find('.') != std::string::npos) text.erase(text.find_last_not_of('0') + 1);
    return out + text;
  }
  return out + value::ToDisplay(v, 2000);
}

TEST(NextChange, IsTheFirstDayWithAnotherAnswerOnRandomRulesForFortyYears) {
  std::mt19937 r(20260301);
  const Env env = TimeEnv();
  Arena facts_arena;
  Arena arena;
  int exact = 0;
  int early = 0;
  int changes = 0;
  std::string early_texts;
  for (int round = 0; round < 700; ++round) {
    const std::string text = Writer(r).Any();
    const Program p = MustCompile(env, text);
    facts_arena.Reset();
    const std::vector<Value> slots = RandomFacts(r, facts_arena);
    ASSERT_FALSE(p.time_opaque().has_value()) << text;
    Date today = MakeDate(2026, 3, 1) + std::chrono::days(r() % 300);
    const Date horizon = today + std::chrono::days(365 * 40);
    for (int flips = 0; flips < 4 && today < horizon; ++flips) {
      arena.Reset();
      const std::string now = Shown(p.Evaluate({slots, today}, arena));
      const std::optional<Date> found = p.NextChange({slots, today}, horizon, arena);
      const Date until = found.value_or(horizon);
      Date day = today + std::chrono::days(1);
      for (; day <= until; day += std::chrono::days(1)) {
        if (day.time_since_epoch().count() % 64 == 0) arena.Reset();
        if (Shown(p.Evaluate({slots, day}, arena)) != now) break;
      }
      if (!found) {
        ASSERT_GT(day, horizon) << text << " changes on " << FormatDate(day) << " from " << now;
        ++exact;
        break;
      }
      ASSERT_FALSE(day < *found) << text << " changes on " << FormatDate(day) << ", not " << FormatDate(*found);
      if (day == *found) {
        ++exact;
        ++changes;
      } else {
        ++early;
        early_texts += text + "\n";
      }
      today = *found;
    }
  }
  // Too early is allowed only where the work limit of one call was reached.
  EXPECT_GT(changes, 700);
  EXPECT_LE(early * 40, exact) << early << " of " << exact << "\n" << early_texts;
}

TEST(NextChange, IsTheDayOfTheLawOnTheSampleRules) {
  Env env;
  env.AddVariable("birth", value::Primitive(Kind::kDate), 0);
  env.AddVariable("permit", value::Primitive(Kind::kDate), 1);
  env.AddDated("min_age", value::Primitive(Kind::kInt),
               {{MakeDate(2008, 1, 1), Value::Int(80)}, {MakeDate(2019, 10, 1), Value::Int(70)}});
  const auto next = [&](const char* text, Date birth, Date today) -> std::string {
    const Program p = MustCompile(env, text);
    const Value slots[2] = {Value::OfDate(birth), Value::OfDate(MakeDate(2025, 6, 30))};
    Arena arena;
    const auto d = p.NextChange({slots, today}, MakeDate(2100, 1, 1), arena);
    return d ? FormatDate(*d) : "never";
  };
  const char* old = "age(birth, today) >= min_age";
  EXPECT_EQ(next(old, MakeDate(1955, 3, 2), MakeDate(2025, 1, 1)), "2025-03-02");
  EXPECT_EQ(next(old, MakeDate(1955, 3, 2), MakeDate(2025, 3, 1)), "2025-03-02");
  EXPECT_EQ(next(old, MakeDate(1955, 3, 2), MakeDate(2025, 3, 2)), "never");
  EXPECT_EQ(next(old, MakeDate(1956, 2, 29), MakeDate(2025, 1, 1)), "2026-02-28");
  EXPECT_EQ(next(old, MakeDate(1945, 5, 5), MakeDate(2018, 1, 1)), "2019-10-01");
  EXPECT_EQ(next("today >= next_anniversary(permit, today) - days(60)", MakeDate(1990, 1, 1), MakeDate(2025, 7, 1)),
            "2026-05-01");
  EXPECT_EQ(next("age(birth, date(year(today), 8, 31)) >= 6", MakeDate(2020, 9, 1), MakeDate(2026, 1, 1)),
            "2027-01-01");
  EXPECT_EQ(next("birth > today && string(today) == ''", MakeDate(1990, 1, 1), MakeDate(2025, 7, 1)), "never");
}

TEST(NextChange, SaysWhereItCannotFollowAndThenAnswersTheNextDay) {
  const Program p = MustCompile(Env(), "true &&\n string(today).endsWith('-05')");
  ASSERT_TRUE(p.time_opaque().has_value());
  EXPECT_EQ(p.time_opaque()->line, 2U);
  EXPECT_EQ(p.time_opaque()->column, 2U);
  Arena arena;
  EXPECT_EQ(p.NextChange({{}, testing::kToday}, MakeDate(2030, 1, 1), arena), MakeDate(2026, 3, 2));
  EXPECT_EQ(p.NextChange({{}, testing::kToday}, testing::kToday, arena), std::nullopt);
  EXPECT_FALSE(MustCompile(Env(), "string(age(today, today)) == '1'").time_opaque().has_value());
  EXPECT_TRUE(MustCompile(Env(), "[today].size() == 1").time_opaque().has_value());
  EXPECT_FALSE(MustCompile(Env(), "1 == 1").time_dependent());
}

TEST(NextChange, OfUnknownAnswersIsTheDayTheyBecomeKnown) {
  Env env;
  env.AddVariable("city", value::Primitive(Kind::kString), 0);
  const Program p = MustCompile(env, "city == 'x' && today < date('2026-05-01')");
  Arena arena;
  EXPECT_EQ(p.NextChange({{}, testing::kToday}, MakeDate(2030, 1, 1), arena), MakeDate(2026, 5, 1));
  EXPECT_EQ(p.NextChange({{}, MakeDate(2026, 5, 1)}, MakeDate(2030, 1, 1), arena), std::nullopt);
}

}  // namespace
}  // namespace zhitui::cel
