#include <functional>

#include "cel/cel.h"
#include "gtest/gtest.h"

namespace zhitui::cel {
namespace {

using value::Kind;
using value::Primitive;

constexpr Date kDay = std::chrono::local_days(std::chrono::year(2026) / 3 / 1);

class Split : public testing::Test {
 protected:
  Split() {
    env_.AddVariable("a", Primitive(Kind::kBool), 0);
    env_.AddVariable("b", Primitive(Kind::kBool), 1);
    env_.AddVariable("n", Primitive(Kind::kInt), 2);
    env_.AddVariable("born", Primitive(Kind::kDate), 3);
    env_.AddVariable("code", Primitive(Kind::kString), 4);
    env_.AddVariable("tags", value::ListOf(Primitive(Kind::kString)), 5);
  }
  Program Must(const std::string& text) {
    Diagnostics diagnostics;
    std::optional<Program> program = Compile({text, "t", {}}, env_, nullptr, &diagnostics);
    EXPECT_TRUE(program.has_value()) << FormatDiagnostics(diagnostics);
    return std::move(*program);
  }
  Dependence Of(const std::string& text) {
    const Conditions conditions = Must(text).Split();
    EXPECT_EQ(conditions.conditions.size(), 1U);
    return conditions.conditions[0].dependence();
  }

  Env env_;
  value::Arena arena_;
};

enum class Three { kFalse, kTrue, kOpen };
Three ThreeOf(const Value& v) { return v.IsTrue() ? Three::kTrue : v.IsFalse() ? Three::kFalse : Three::kOpen; }

// Kleene's tables, written out.
Three Join(const Formula& f, const std::vector<Three>& values) {
  if (f.op == Formula::Op::kCondition) return values[f.condition];
  if (f.op == Formula::Op::kNot) {
    const Three v = Join(f.parts[0], values);
    return v == Three::kTrue ? Three::kFalse : v == Three::kFalse ? Three::kTrue : Three::kOpen;
  }
  const Three decides = f.op == Formula::Op::kAll ? Three::kFalse : Three::kTrue;
  bool open = false;
  for (const Formula& part : f.parts) {
    const Three v = Join(part, values);
    if (v == decides) return v;
    open = open || v == Three::kOpen;
  }
  return open ? Three::kOpen : decides == Three::kFalse ? Three::kTrue : Three::kFalse;
}

TEST_F(Split, TheConditionsJoinedByKleenesTablesGiveWhatTheProgramGives) {
  const Value bools[] = {Value::Bool(false), Value::Bool(true), Value::Unknown(nullptr)};
  const Value ints[] = {Value::Int(0), Value::Int(7), Value::Unknown(nullptr)};
  for (const char* text :
       {"a", "!a", "a && b", "a || b && n > 3", "!(a || !b) && (n > 3 || a)", "(a ? b : n > 3) || !b", "true && a",
        "false || b", "10 / n > 1 && a", "10 / n > 1 || b", "a && a && !a", "[a, b].exists(x, x) && n in [7]"}) {
    const Program program = Must(text);
    const Conditions split = program.Split();
    for (const Value& a : bools) {
      for (const Value& b : bools) {
        for (const Value& n : ints) {
          const Value slots[] = {a, b, n};
          std::vector<Three> values;
          for (const Condition& c : split.conditions) values.push_back(ThreeOf(c.Evaluate({slots, kDay}, arena_)));
          EXPECT_EQ(Join(split.formula, values), ThreeOf(program.Evaluate({slots, kDay}, arena_))) << text;
        }
      }
    }
  }
}

TEST_F(Split, EqualConditionsAreOneAndLetsAreSeenThrough) {
  Diagnostics diagnostics;
  env_.AddLet("grown", {"age(born, today) >= 18", "t", {}}, &diagnostics);
  const Conditions split = Must("grown && n > 3 || age(born, today) >= 18 && !(n > 3)").Split();
  ASSERT_EQ(split.conditions.size(), 2U);
  EXPECT_EQ(split.conditions[0].slots(), std::vector<std::uint32_t>{3});
  EXPECT_TRUE(split.conditions[0].time_dependent());
  EXPECT_FALSE(split.conditions[1].time_dependent());
  EXPECT_EQ(split.conditions[0].canonical(), Must("age(born, today) >= 18").Split().conditions[0].canonical());
  EXPECT_NE(split.conditions[0].canonical(), Must("age(born, today) > 18").Split().conditions[0].canonical());
}

TEST_F(Split, AConditionOutlivesItsProgram) {
  std::optional<Condition> kept;
  {
    const Conditions split = Must("code == \"440300\"").Split();
    kept = split.conditions[0];
  }
  const Value slots[] = {Value(), Value(), Value(), Value(), Value::String("440300")};
  EXPECT_TRUE(kept->Evaluate({slots, kDay}, arena_).IsTrue());
}

TEST_F(Split, ADependenceIsStatedOnlyWhereItIsTrue) {
  using Shape = Dependence::Shape;
  for (const char* text :
       {"age(born, today) >= 18", "born + years(60) <= today", "year(today) - year(born) == 6", "n * 3 - 7 > 20",
        "-n < 4", "n / 2 >= 3", "months_between(born, today) < 12", "today - period(\"2 months\") >= born"}) {
    EXPECT_EQ(Of(text).shape, Shape::kSteps) << text;
  }
  for (const char* text : {"code == \"a\"", "\"a\" != code", "code in [\"a\", \"b\"]", "n == 3", "n in [1, 2]", "a"}) {
    EXPECT_EQ(Of(text).shape, Shape::kMembers) << text;
  }
  for (const char* text : {"code.startsWith(\"44\")", "within(code, \"4403\")"}) {
    EXPECT_EQ(Of(text).shape, Shape::kPrefixes) << text;
  }
  const Conditions in_tags = Must("\"x\" in tags").Split();  // owns what the dependence points to
  const Dependence contains = in_tags.conditions.at(0).dependence();
  EXPECT_EQ(contains.shape, Shape::kContains);
  ASSERT_EQ(contains.members.size(), 1U);
  EXPECT_EQ(contains.members[0].AsString(), "x");
  for (const char* text :
       {"tags.exists(t, t == \"x\")", "size(tags) > 1", "n % 2 == 0", "n * n > 4", "10 / n > 1", "n - n == 0",
        "code.matches(\"^4\")", "month(born) == 3", "n > 3 ? a : b", "n > int(code)", "a == b"}) {
    EXPECT_EQ(Of(text).shape, Shape::kAny) << text;
  }
}

TEST_F(Split, TheOrderOfStepsNeverTurnsBack) {
  for (const char* text : {"age(born, today) >= 18", "born + years(1000) <= today", "year(today) - year(born) == 6",
                           "months_between(born, today) < 12", "born + months(1) < date(\"2026-02-28\")"}) {
    const Conditions split = Must(text).Split();
    const Condition& condition = split.conditions[0];
    int turns = 0;
    std::optional<int> before;
    int direction = 0;
    bool ended = false;
    for (int year = 1; year < 9999; year += 1) {
      for (const unsigned month : {1U, 2U, 3U, 12U}) {
        Value slots[4];
        slots[3] = Value::OfDate(std::chrono::local_days(std::chrono::year(year) / month / std::chrono::last));
        const std::optional<int> order = condition.Order({slots, kDay}, arena_);
        if (!order) {
          ended = before.has_value();
          continue;
        }
        EXPECT_FALSE(ended) << text << " is open in the middle";
        if (before && *order != *before) {
          const int now = *order > *before ? 1 : -1;
          if (direction != 0 && now != direction) ++turns;
          direction = now;
        }
        before = order;
      }
      arena_.Reset();
    }
    EXPECT_EQ(turns, 0) << text;
    EXPECT_NE(direction, 0) << text;
  }
}

}  // namespace
}  // namespace zhitui::cel
