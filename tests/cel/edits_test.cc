#include <gtest/gtest.h>

#include <set>

#include "cel/cel.h"

namespace zhitui::cel {
namespace {

using value::Kind;
using value::Primitive;

// "what is around it -> what comes of it", in order.
std::vector<std::string> Show(const std::string& text) {
  std::vector<std::string> out;
  for (const Edit& e : Edits(text)) {
    std::string before = text.substr(e.around, e.around_length);
    std::string after = before;
    after.replace(e.offset - e.around, e.length, e.text);
    out.push_back(before + " -> " + after);
  }
  return out;
}

using Texts = std::vector<std::string>;

TEST(Edits, EachComparisonLosesOrGainsItsEqualCase) {
  EXPECT_EQ(Show("a < b"), Texts{"a < b -> a <= b"});
  EXPECT_EQ(Show("a <= b"), Texts{"a <= b -> a < b"});
  EXPECT_EQ(Show("a > b"), Texts{"a > b -> a >= b"});
  EXPECT_EQ(Show("a >= b"), Texts{"a >= b -> a > b"});
  EXPECT_EQ(Show("a == b"), Texts{"a == b -> a != b"});
  EXPECT_EQ(Show("a != b"), Texts{"a != b -> a == b"});
}

TEST(Edits, AConnectiveIsShownWithAllItJoinsAndAComparisonAlone) {
  EXPECT_EQ(Show("a && (b || !c)"), (Texts{"a && (b || !c) -> a || (b || !c)", "b || !c -> b && !c", "!c -> c"}));
  EXPECT_EQ(Show("((a || b)) && !(c == d)"),
            (Texts{"a || b -> a && b", "((a || b)) && !(c == d) -> ((a || b)) || !(c == d)", "!(c == d) -> (c == d)",
                   "c == d -> c != d"}))
      << "brackets stay whole";
}

TEST(Edits, AnOperatorInSeveralPlacesIsChangedInOneAtATime) {
  EXPECT_EQ(Show("a && b && c"), (Texts{"a && b && c -> a || b && c", "a && b && c -> a && b || c"}));
}

TEST(Edits, AConstantIsOffByOneUnitOfItsLastPlace) {
  EXPECT_EQ(Show("n == 18"), (Texts{"n == 18 -> n != 18", "n == 18 -> n == 17", "n == 18 -> n == 19"}));
  EXPECT_EQ(Show("n + 0"), (Texts{"n + 0 -> n + -1", "n + 0 -> n + 1"}));
  EXPECT_EQ(Show("x * 2.50"), (Texts{"x * 2.50 -> x * 2.49", "x * 2.50 -> x * 2.51"}));
  EXPECT_EQ(Show("decimal(\"0.1\")"),
            (Texts{"decimal(\"0.1\") -> decimal(\"0.0\")", "decimal(\"0.1\") -> decimal(\"0.2\")"}));
  EXPECT_EQ(Show("date('2024-03-01')"),
            (Texts{"date('2024-03-01') -> date('2024-02-29')", "date('2024-03-01') -> date('2024-03-02')"}));
  EXPECT_EQ(Show("period(\"2 months\")"),
            (Texts{"period(\"2 months\") -> period(\"P1M\")", "period(\"2 months\") -> period(\"P3M\")"}));
  EXPECT_EQ(Show("true"), Texts{"true -> false"});
}

TEST(Edits, EachTextOfAnInListIsLeftOutOnce) {
  EXPECT_EQ(Show(R"(c in ["a", 'b', "c"])"),
            (Texts{R"(c in ["a", 'b', "c"] -> c in ['b', "c"])", R"(c in ["a", 'b', "c"] -> c in ["a", "c"])",
                   R"(c in ["a", 'b', "c"] -> c in ["a", 'b'])"}));
  EXPECT_EQ(Show(R"(c in ["a"])"), Texts{R"(c in ["a"] -> c in [])"});
  EXPECT_EQ(Show(R"(["a"].exists(x, x == c))"), Texts{R"(x == c -> x != c)"})
      << "only a list of `in`; what a macro asks stands alone";
}

TEST(Edits, ATextIsNoPlaceForMistakesAndWhatIsNoExpressionHasNone) {
  EXPECT_EQ(Show(R"(c == "a && b < 3")"), Texts{R"(c == "a && b < 3" -> c != "a && b < 3")"});
  EXPECT_EQ(Show("a &&"), Texts());
  EXPECT_EQ(Show(""), Texts());
}

TEST(ConditionPlace, IsWhereItStandsAndWhatComesFromALetWhereThatIsUsed) {
  Env env;
  env.AddVariable("a", Primitive(Kind::kBool), 0);
  env.AddVariable("n", Primitive(Kind::kInt), 1);
  Diagnostics diagnostics;
  env.AddLet("rich", {"a || (n + 1) * 2 > 6", "t", {}}, &diagnostics);
  Source source;
  source.text = "rich &&\n  ((n + 1) < 3 || a)";
  source.file = "rule.yaml";
  source.lines = {{10, 7, ""}, {11, 7, ""}};
  const std::optional<Program> program = Compile(source, env, nullptr, &diagnostics);
  ASSERT_TRUE(program.has_value()) << FormatDiagnostics(diagnostics);
  std::set<std::string> found;
  for (const Condition& c : program->Split().conditions) {
    found.insert(std::to_string(c.line()) + ":" + std::to_string(c.column()) + " " + c.text());
  }
  // The second line begins at column 7 of the file, two spaces and two brackets before n; `a` is first in the let.
  EXPECT_EQ(found, (std::set<std::string>{"10:7 a", "10:7 (n + 1) * 2 > 6", "11:11 (n + 1) < 3"}));
}

}  // namespace
}  // namespace zhitui::cel
