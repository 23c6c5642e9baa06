// Nothing that comes in can make an evaluation long or a stack deep.
#include <filesystem>
#include <fstream>
#include <thread>

#include "cel/fixture.h"

namespace zhitui::cel {
namespace {

using testing::MustCompile;
using testing::Show;
using value::Kind;

std::string Repeat(const std::string& s, int n) {
  std::string out;
  for (int i = 0; i < n; ++i) out += s;
  return out;
}

bool Refused(const std::string& text, const Limits& limits = {}) {
  Diagnostics d;
  const bool refused = !Compile(Source{text, "r", {}}, Env(), nullptr, &d, limits).has_value();
  EXPECT_EQ(refused, !d.empty());
  return refused;
}

TEST(Limits, RefuseWhatIsTooDeepTooLongOrTooLarge) {
  EXPECT_FALSE(Refused(Repeat("(", 50) + "1" + Repeat(")", 50)));
  EXPECT_TRUE(Refused(Repeat("(", 8000) + "1" + Repeat(")", 8000)));
  EXPECT_TRUE(Refused(Repeat("[", 8000)));
  EXPECT_TRUE(Refused(Repeat("!", 8000) + "true"));
  EXPECT_TRUE(Refused("1" + Repeat("+1", 7000)));
  EXPECT_TRUE(Refused("x" + Repeat(".x", 7000)));
  EXPECT_TRUE(Refused(Repeat("true ? 1 : ", 1000) + "1"));
  EXPECT_TRUE(Refused(std::string(20000, ' ') + "1"));
  EXPECT_TRUE(Refused("[" + Repeat("1,", 6000) + "1]", Limits{.nodes = 5000}));
  EXPECT_TRUE(Refused("\xFF"));
  EXPECT_TRUE(Refused(""));
}

TEST(Limits, ALongChainOfOneLogicalOperatorIsNotDeep) {
  EXPECT_EQ(Show("true" + Repeat(" && true", 1000)), "true");
  EXPECT_EQ(Show("false" + Repeat(" || false", 1000)), "false");
}

TEST(Limits, LetsCannotBlowUpAProgram) {
  Env env;
  Diagnostics d;
  env.AddLet("x0", Source{"today", "r", {}}, &d);
  for (int i = 1; i < 40; ++i) {
    const std::string before = "x" + std::to_string(i - 1);
    env.AddLet("x" + std::to_string(i), Source{"[" + before + "," + before + "]", "r", {}}, &d);
  }
  EXPECT_FALSE(d.empty());
  EXPECT_LE(d.size(), 3U) << FormatDiagnostics(d);
}

// What is refused when it is loaded, compiled all the same.
std::string Run(const Env& env, const std::string& text, std::span<const Value> slots = {}) {
  Diagnostics d;
  const Limits limits{.estimate = ~std::uint64_t{0}};
  const std::optional<Program> p = Compile(Source{text, "r", {}}, env, nullptr, &d, limits);
  if (!p) return FormatDiagnostics(d);
  Arena arena;
  return value::ToDisplay(p->Evaluate({slots, testing::kToday}, arena));
}

bool RunsOut(const std::string& text) {
  return Run(Env(), text).starts_with("error: cost limit exceeded: the limit is 100000 steps");
}

const std::string kHundred = "[" + Repeat("1,", 99) + "1]";
const std::string kMillionRounds = kHundred + ".all(a," + kHundred + ".all(b," + kHundred + ".all(c, a + b + c > 0)))";

TEST(Limits, AnEvaluationStopsWhenItsBudgetIsUsedUp) {
  EXPECT_TRUE(RunsOut(kMillionRounds));
  EXPECT_TRUE(RunsOut("(" + kMillionRounds + ") || true"));
  EXPECT_EQ(Show(kHundred + ".all(a," + kHundred + ".all(b, a + b > 0))"), "true");
  std::string doubling = "s";
  for (int i = 0; i < 30; ++i) doubling = "cel.bind(s, s + s, " + doubling + ")";
  EXPECT_TRUE(RunsOut("cel.bind(s, 'x', " + doubling + ").size()"));
  EXPECT_TRUE(RunsOut("'" + Repeat("a", 5000) + "'.replace('', '" + Repeat("b", 5000) + "').size()"));
}

TEST(Limits, AValueThatStandsInItselfManyTimesIsNotGoneOverForEver) {
  std::string twice = "[x, x]";
  for (int i = 0; i < 27; ++i) twice = "cel.bind(x, [x, x], " + twice + ")";
  const std::string both = "cel.bind(a, cel.bind(x, [1], " + twice + "), cel.bind(b, cel.bind(x, [1], " + twice + "), ";
  EXPECT_TRUE(RunsOut(both + "a == b))"));
  EXPECT_TRUE(RunsOut(both + "a in [b]))"));
  EXPECT_TRUE(RunsOut("'%s'.format([cel.bind(x, [1], " + twice + ")]).size() > 0"));
}

TEST(Limits, HoldForPatternsGivenByFacts) {
  Env env;
  env.AddVariable("p", value::Primitive(Kind::kString), 0);
  const std::string large = Repeat("(a{1,100}){1,100}", 20);
  const Value slots[1] = {Value::String(large)};
  EXPECT_EQ(Show(env, "'aaa'.matches(p)", slots), "error: invalid regular expression");
  EXPECT_TRUE(Refused("'a'.matches('" + large + "')"));
}

TEST(Program, IsEvaluatedByManyThreadsAtOnce) {
  Env env;
  env.AddVariable("birth", value::Primitive(Kind::kDate), 0);
  env.AddVariable("names", value::ListOf(value::Primitive(Kind::kString)), 1);
  Diagnostics d;
  env.AddLet("old", Source{"age(birth, today) >= 70", "r", {}}, &d);
  const Program p = MustCompile(env, "old && names.exists(n, n.matches('^a+$')) || (old && names.size() > 5)");
  const Value names[2] = {Value::String("b"), Value::String("aaa")};
  std::vector<std::thread> threads;
  std::vector<int> wrong(8, 0);
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      Arena arena;
      for (int i = 0; i < 2000; ++i) {
        arena.Reset();
        const Date birth = MakeDate(1956, 3, 1) + std::chrono::days(i % 3 - 1);
        const Value slots[2] = {Value::OfDate(birth), Value::List(names)};
        const bool expected = birth <= MakeDate(1956, 3, 1);
        if (p.Evaluate({slots, testing::kToday}, arena).IsTrue() != expected) ++wrong[t];
        if (p.NextChange({slots, testing::kToday}, MakeDate(2030, 1, 1), arena).has_value() == expected) ++wrong[t];
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(wrong, std::vector<int>(8, 0));
}

TEST(Program, DoesNotGrowAWarmArena) {
  Env env;
  env.AddVariable("city", value::Primitive(Kind::kString), 0);
  env.AddVariable("birth", value::Primitive(Kind::kDate), 1);
  const Program p = MustCompile(env, "city == '440300' && age(birth, today) >= 70");
  const Value slots[2] = {Value::String("440300"), Value::OfDate(MakeDate(1950, 1, 1))};
  Arena arena;
  EXPECT_TRUE(p.Evaluate({slots, testing::kToday}, arena).IsTrue());
  EXPECT_EQ(arena.bytes_used(), 0U);
}

}  // namespace
}  // namespace zhitui::cel
