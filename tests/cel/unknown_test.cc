// Unknowns: by the CEL definition, and sound against every substitution.
#include <algorithm>
#include <random>
#include <set>

#include "cel/fixture.h"

namespace zhitui::cel {
namespace {

using testing::MustCompile;
using value::Kind;

Env Bits() {
  Env env;
  for (std::uint32_t i = 0; i < 4; ++i) {
    env.AddVariable(std::string(1, static_cast<char>('p' + i)), value::Primitive(Kind::kBool), i);
  }
  for (std::uint32_t i = 4; i < 6; ++i) {
    env.AddVariable(std::string(1, static_cast<char>('u' + i - 4)), value::Primitive(Kind::kInt), i);
  }
  return env;
}

std::string Open(const std::string& text, std::span<const Value> slots = {}) {
  const Program p = MustCompile(Bits(), text);
  Arena arena;
  const Value v = p.Evaluate({slots, testing::kToday}, arena);
  if (!v.is(Kind::kUnknown)) return value::ToDisplay(v);
  std::string out = "?";
  for (std::uint32_t i = 0; i < v.AsUnknown().count; ++i) out += std::to_string(v.AsUnknown().slots[i]);
  return out;
}

TEST(Unknown, IsAbsorbedWhereTheAnswerDoesNotDependOnIt) {
  EXPECT_EQ(Open("p && false"), "false");
  EXPECT_EQ(Open("true || p"), "true");
  EXPECT_EQ(Open("true ? 1 : u"), "1");
  EXPECT_EQ(Open("[1, 2].exists(x, p || x == 2)"), "true");
  EXPECT_EQ(Open("[1, 2].all(x, p && x == 2)"), "false");
}

TEST(Unknown, NamesTheFactsThatAreMissingAndNoOthers) {
  EXPECT_EQ(Open("p"), "?0");
  EXPECT_EQ(Open("p && q"), "?01");
  EXPECT_EQ(Open("q || p || q"), "?01");
  EXPECT_EQ(Open("p ? u : v"), "?0");
  EXPECT_EQ(Open("u + v > 3"), "?45");
  EXPECT_EQ(Open("[u, v].exists(x, x > 1)"), "?45");
  EXPECT_EQ(Open("true && p && (q || true)"), "?0");
}

TEST(Unknown, WinsOverAnErrorInAStrictOperation) {
  EXPECT_EQ(Open("u + 1 / 0 == 1"), "?4");
  EXPECT_EQ(Open("p && 1 / 0 > 0"), "?0");
  EXPECT_EQ(Open("1 / 0 > 0 && p"), "?0");
  EXPECT_EQ(Open("1 / 0 > 0 && p && false"), "false");
}

std::string RandomInt(std::mt19937& r, int depth);
std::string RandomBool(std::mt19937& r, int depth) {
  if (depth == 0) return std::string(1, static_cast<char>('p' + r() % 4));
  switch (r() % 8) {
    case 0:
      return "(" + RandomBool(r, depth - 1) + " && " + RandomBool(r, depth - 1) + ")";
    case 1:
      return "(" + RandomBool(r, depth - 1) + " || " + RandomBool(r, depth - 1) + ")";
    case 2:
      return "!" + RandomBool(r, depth - 1);
    case 3:
      return "(" + RandomBool(r, depth - 1) + " ? " + RandomBool(r, depth - 1) + " : " + RandomBool(r, depth - 1) + ")";
    case 4:
      return "(" + RandomInt(r, depth - 1) + (r() % 2 == 0 ? " < " : " == ") + RandomInt(r, depth - 1) + ")";
    case 5:
      return "[0, " + RandomInt(r, depth - 1) + "].exists(x, x > " + RandomInt(r, depth - 1) + " || " +
             RandomBool(r, depth - 1) + ")";
    case 6:
      return "[1, " + RandomInt(r, depth - 1) + "].all(x, x == 1 && " + RandomBool(r, depth - 1) + ")";
    default:
      return "(" + RandomInt(r, depth - 1) + " in [0, " + RandomInt(r, depth - 1) + "])";
  }
}
std::string RandomInt(std::mt19937& r, int depth) {
  if (depth == 0) return r() % 2 == 0 ? std::string(1, static_cast<char>('u' + r() % 2)) : std::to_string(r() % 3);
  switch (r() % 4) {
    case 0:
      return "(" + RandomInt(r, depth - 1) + " + " + RandomInt(r, depth - 1) + ")";
    case 1:
      return "(1 / " + RandomInt(r, depth - 1) + ")";
    case 2:
      return "(" + RandomBool(r, depth - 1) + " ? " + RandomInt(r, depth - 1) + " : " + RandomInt(r, depth - 1) + ")";
    default:
      return "[" + RandomInt(r, depth - 1) + ", 2].filter(x, x > 0).size()";
  }
}

// Whatever is known while facts are missing stays so whatever the facts turn out to be; and of the facts named as
// missing, giving all of them settles the answer.
TEST(Unknown, KnownAnswersAgreeWithEverySubstitution) {
  std::mt19937 r(4);
  const Env env = Bits();
  int known = 0;
  int unknown = 0;
  for (int round = 0; round < 1500; ++round) {
    const std::string text = RandomBool(r, 3);
    const Program p = MustCompile(env, text);
    std::vector<Value> slots(6, Value::Unknown(nullptr));
    std::vector<std::size_t> missing;
    for (std::size_t i = 0; i < slots.size(); ++i) {
      if (r() % 2 == 0) {
        missing.push_back(i);
      } else {
        slots[i] = i < 4 ? Value::Bool(r() % 2 == 0) : Value::Int(static_cast<std::int64_t>(r() % 3));
      }
    }
    Arena arena;
    const Value partial = p.Evaluate({slots, testing::kToday}, arena);
    std::set<std::uint32_t> named;
    if (partial.is(Kind::kUnknown)) {
      ++unknown;
      const auto& set = partial.AsUnknown();
      named.insert(set.slots, set.slots + set.count);
      EXPECT_EQ(named.size(), set.count);
      EXPECT_TRUE(std::is_sorted(set.slots, set.slots + set.count));
      ASSERT_FALSE(named.empty()) << text;
      for (const std::uint32_t s : named) {
        ASSERT_TRUE(std::find(missing.begin(), missing.end(), s) != missing.end()) << text;
      }
    } else {
      ++known;
    }
    std::size_t combinations = 1;
    for (const std::size_t i : missing) combinations *= i < 4 ? 2U : 3U;
    for (std::size_t c = 0; c < combinations; ++c) {
      std::vector<Value> full = slots;
      std::size_t rest = c;
      for (const std::size_t i : missing) {
        const std::size_t domain = i < 4 ? 2 : 3;
        full[i] = i < 4 ? Value::Bool(rest % domain == 1) : Value::Int(static_cast<std::int64_t>(rest % domain));
        rest /= domain;
      }
      const Value v = p.Evaluate({full, testing::kToday}, arena);
      ASSERT_FALSE(v.is(Kind::kUnknown)) << text;
      if (partial.is(Kind::kBool)) {
        ASSERT_EQ(value::ToDisplay(v), value::ToDisplay(partial)) << text;
      } else if (partial.is(Kind::kError)) {
        ASSERT_TRUE(v.is(Kind::kError)) << text;
      }
    }
  }
  EXPECT_GT(known, 200);
  EXPECT_GT(unknown, 200);
}

}  // namespace
}  // namespace zhitui::cel
