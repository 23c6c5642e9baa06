// What an expression may cost, before it is evaluated: never less than it does cost.
#include <random>
#include <utility>

#include "cel/fixture.h"

namespace zhitui::cel {
namespace {

using testing::MustCompile;
using value::Kind;

constexpr std::uint64_t kAny = ~std::uint64_t{0};

Env Declared() {
  Env env;
  Sizes numbers;
  numbers.items = 20;
  env.AddVariable("n", value::ListOf(value::Primitive(Kind::kInt)), 0, numbers);
  Sizes text;
  text.bytes = 64;
  env.AddVariable("s", value::Primitive(Kind::kString), 1, text);
  Sizes people;
  people.items = 10;
  Sizes tags;
  tags.items = 5;
  tags.name = "tags";
  tags.parts = {text};
  people.parts.resize(1);
  people.parts[0].parts = {tags};
  const value::Type person = value::Record(
      "person", {{"tags", value::ListOf(value::Primitive(Kind::kString))}, {"age", value::Primitive(Kind::kInt)}});
  env.AddVariable("people", value::ListOf(person), 2, people);
  env.AddVariable("d", value::Dyn(), 3);
  return env;
}

std::optional<Program> CompileWith(const std::string& text, const Limits& limits, Diagnostics* d) {
  return Compile(Source{text, "rule.yaml", {}}, Declared(), nullptr, d, limits);
}

std::pair<std::uint64_t, std::uint64_t> Cost(const std::string& text) {
  Diagnostics d;
  const std::optional<Program> p = CompileWith(text, {.estimate = kAny}, &d);
  EXPECT_TRUE(p.has_value()) << text << FormatDiagnostics(d);
  return p ? std::pair(p->cost().min, p->cost().max) : std::pair(kAny, kAny);
}

using Bounds = std::pair<std::uint64_t, std::uint64_t>;

TEST(Cost, CountsThePartsOfAMacroForEachElementThatIsDeclared) {
  EXPECT_EQ(Cost("1 + 2 == 3"), Bounds(0, 0));
  // The macro, n, and x > 0 with its two parts: five parts, twenty elements.
  EXPECT_EQ(Cost("n.all(x, x > 0)"), Bounds(0, 100));
  EXPECT_EQ(Cost("[1, 2, 3].all(x, x > 0)"), Bounds(5, 15));
  EXPECT_EQ(Cost("[1, 2, 3].map(x, x > 0)"), Bounds(15, 15));
  // Inside: macro, n, y > x with two parts: five; outside: macro, n and those five: seven.
  EXPECT_EQ(Cost("n.all(x, n.all(y, y > x))"), Bounds(0, 20 * (7 + 100)));
  // A filter keeps at most what was there: macro, n, x > 0 with two parts, then macro, filter's five, y > 1 with two.
  EXPECT_EQ(Cost("n.filter(x, x > 0).all(y, y > 1)"), Bounds(0, 100 + 20 * 9));
}

TEST(Cost, TakesTheDearerWayOfAChoice) {
  EXPECT_EQ(Cost("s == '' ? n.all(x, x > 0) : true"), Bounds(0, 100));
  EXPECT_EQ(Cost("n.all(x, x > 0) && n.exists(x, x > 0)"), Bounds(0, 200));
}

TEST(Cost, CountsTextByItsDeclaredBytes) {
  EXPECT_EQ(Cost("s.matches('^a+$')"), Bounds(0, 64 / 16));
  EXPECT_EQ(Cost("s.contains('a')"), Bounds(0, 65 / 16));
  EXPECT_EQ(Cost("s + s"), Bounds(0, (64 + 64 + 16) / 16));
}

TEST(Cost, FollowsSizesIntoRecords) {
  // Inside: macro, p.tags with p, t == '' with two parts: six; outside: macro, people and those six: eight.
  EXPECT_EQ(Cost("people.exists(p, p.tags.exists(t, t == ''))"), Bounds(0, 10 * (8 + 5 * 6)));
}

TEST(Cost, TooMuchIsRefusedAtItsPlaceWithWhatToDo) {
  Diagnostics d;
  EXPECT_FALSE(CompileWith("s == '' ||\n  n.all(x, n.all(y, y > x))", {.estimate = 2139}, &d).has_value());
  ASSERT_EQ(d.size(), 1U);
  EXPECT_EQ(d[0].code, "cost");
  EXPECT_EQ(d[0].at.line, 2U);
  EXPECT_EQ(d[0].at.column, 5U);
  EXPECT_EQ(d[0].length, 3U);
  EXPECT_NE(d[0].message.find("may cost up to 2140 steps, the limit is 2139"), std::string::npos) << d[0].message;
  EXPECT_NE(d[0].hint.find("max_items"), std::string::npos);
  EXPECT_TRUE(CompileWith("s == '' ||\n  n.all(x, n.all(y, y > x))", {.estimate = 2140}, &d).has_value());
}

TEST(Cost, AFactLargerThanDeclaredIsStoppedByTheBudget) {
  Diagnostics d;
  const std::optional<Program> p = CompileWith("n.all(x, x > 0)", {.steps = 100, .estimate = 100}, &d);
  ASSERT_TRUE(p.has_value());
  const std::vector<Value> twenty(20, Value::Int(1));
  const std::vector<Value> more(21, Value::Int(1));
  Arena arena;
  Value slot = Value::List(twenty);
  EXPECT_EQ(value::ToDisplay(p->Evaluate({{&slot, 1}, testing::kToday}, arena)), "true");
  slot = Value::List(more);
  EXPECT_EQ(value::ToDisplay(p->Evaluate({{&slot, 1}, testing::kToday}, arena)),
            "error: cost limit exceeded: the limit is 100 steps, the sizes declared allow up to 100");
}

// Random expressions over facts of their full size: the estimate is enough, and one step less than min is not.
std::string RandomList(std::mt19937& r, int depth);
std::string RandomText(std::mt19937& r, int depth) {
  if (depth == 0) return r() % 2 == 0 ? "s" : "'a,b,c,d,e,f,g,h,i,j,k,l,m'";
  switch (r() % 9) {
    case 0:
      return "(" + RandomText(r, depth - 1) + " + " + RandomText(r, depth - 1) + ")";
    case 1:
      return RandomText(r, depth - 1) + ".replace(',', " + RandomText(r, 0) + ")";
    case 2:
      return RandomText(r, depth - 1) + ".replace('', " + RandomText(r, 0) + ")";
    case 3:
      return RandomList(r, depth - 1) + ".map(x, string(x)).join(" + RandomText(r, 0) + ")";
    case 4:
      return "'%s %s'.format([" + RandomText(r, depth - 1) + ", " + RandomList(r, depth - 1) + "])";
    case 5:
      return RandomText(r, depth - 1) + ".reverse()";
    case 6:
      return "strings.quote(" + RandomText(r, depth - 1) + ")";
    case 7:
      return "base64.encode(bytes(" + RandomText(r, depth - 1) + "))";
    default:
      return RandomText(r, depth - 1) + ".split(',').join('--')";
  }
}
std::string RandomBool(std::mt19937& r, int depth) {
  switch (r() % 7) {
    case 0:
      return "(" + RandomList(r, depth) + " == " + RandomList(r, depth) + ")";
    case 1:
      return "(" + std::to_string(r() % 30) + " in " + RandomList(r, depth) + ")";
    case 2:
      return RandomList(r, depth) + (r() % 2 == 0 ? ".all" : ".exists") + "(y, y " + (r() % 2 == 0 ? ">" : "<") +
             " 5 || " + std::to_string(r() % 30) + " in n)";
    case 3:
      return RandomText(r, depth) + ".contains('k')";
    case 4:
      return RandomText(r, depth) + ".matches('a+b*$')";
    case 5:
      return "('7' in {'7': 1, 'k': 2}.transformMap(k, v, " + RandomText(r, depth) + "))";
    default:
      return "people.exists(p, p.tags.exists(t, t == " + RandomText(r, depth) + " || p.age in n))";
  }
}
std::string RandomList(std::mt19937& r, int depth) {
  if (depth == 0) return r() % 2 == 0 ? "n" : "[1, 2, 3, 4, 5]";
  switch (r() % 5) {
    case 0:
      return "(" + RandomList(r, depth - 1) + " + " + RandomList(r, depth - 1) + ")";
    case 1:
      return RandomList(r, depth - 1) + ".filter(z, z != 3)";
    case 2:
      return RandomList(r, depth - 1) + ".map(w, w + math.greatest(" + RandomList(r, depth - 1) + "))";
    case 3:
      return RandomText(r, depth - 1) + ".split('').map(c, size(c))";
    default:
      return "(" + RandomBool(r, depth - 1) + " ? " + RandomList(r, depth - 1) + " : " + RandomList(r, depth - 1) + ")";
  }
}

TEST(Cost, IsNeverLessThanWhatAnEvaluationTakes) {
  std::mt19937 r(11);
  const Env env = Declared();
  std::vector<Value> numbers;
  for (int i = 0; i < 20; ++i) numbers.push_back(Value::Int(i));
  const std::string text = std::string(32, 'a') + std::string(32, ',');
  const std::vector<Value> tags(5, Value::String(text));
  const value::MapEntry person[2] = {{Value::String("tags"), Value::List(tags)},
                                     {Value::String("age"), Value::Int(30)}};
  const std::vector<Value> people(10, Value::Map(person));
  const Value slots[3] = {Value::List(numbers), Value::String(text), Value::List(people)};
  constexpr std::uint64_t kAffordable = 2'000'000;
  int tried = 0;
  int needy = 0;
  for (int round = 0; round < 1500; ++round) {
    const std::string source = RandomBool(r, static_cast<int>(r() % 3));
    const auto [min, max] = Cost(source);
    ASSERT_LE(min, max) << source;
    if (max > kAffordable) continue;
    ++tried;
    Diagnostics d;
    Arena arena;
    const auto runs_out = [&](std::uint64_t steps) {
      const auto p = CompileWith(source, {.steps = steps, .estimate = kAny}, &d);
      return value::ToDisplay(p->Evaluate({slots, testing::kToday}, arena)).starts_with("error: cost limit exceeded");
    };
    ASSERT_FALSE(runs_out(max)) << source << " needs more than " << max;
    if (min == 0) continue;
    ++needy;
    ASSERT_TRUE(runs_out(min - 1)) << source << " needs less than " << min;
  }
  EXPECT_GT(tried, 500);
  EXPECT_GT(needy, 50);
}

}  // namespace
}  // namespace zhitui::cel
