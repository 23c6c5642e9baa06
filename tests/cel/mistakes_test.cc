// Where a mistake is reported and what to write instead.
#include "cel/fixture.h"

namespace zhitui::cel {
namespace {

using value::Kind;

Env FactsEnv() {
  Env env;
  env.AddVariable("resident.hukou.city", value::Primitive(Kind::kString), 0);
  env.AddVariable("resident.birth_date", value::Primitive(Kind::kDate), 1);
  env.AddVariable("resident.income", value::Primitive(Kind::kDecimal), 2);
  env.AddVariable("resident.rooms", value::Primitive(Kind::kInt), 3);
  const value::Type guardian = value::Record(
      "guardian", {{"hukou_city", value::Primitive(Kind::kString)}, {"lives_there", value::Primitive(Kind::kBool)}});
  env.AddVariable("resident.guardians", value::ListOf(guardian), 4);
  env.AddVariable("resident.death_date", value::Nullable(value::Primitive(Kind::kDate)), 5);
  env.AddDated("params.min_age", value::Primitive(Kind::kInt), {{MakeDate(1, 1, 1), Value::Int(70)}});
  return env;
}

struct Mistake {
  const char* text;
  std::uint32_t line;
  std::uint32_t column;
  std::uint32_t length;
  const char* code;
  const char* hint;  // a part of it
};

class Mistakes : public ::testing::TestWithParam<Mistake> {};

TEST_P(Mistakes, AreReportedOnceAtTheirPlaceWithWhatToWrite) {
  const Mistake& m = GetParam();
  Diagnostics d;
  EXPECT_FALSE(Compile(Source{m.text, "rule.yaml", {}}, FactsEnv(), value::Primitive(Kind::kBool), &d).has_value());
  ASSERT_EQ(d.size(), 1U) << m.text << "\n" << FormatDiagnostics(d);
  EXPECT_EQ(d[0].at.line, m.line) << FormatDiagnostics(d);
  EXPECT_EQ(d[0].at.column, m.column) << FormatDiagnostics(d);
  EXPECT_EQ(d[0].length, m.length) << FormatDiagnostics(d);
  EXPECT_EQ(d[0].code, m.code) << FormatDiagnostics(d);
  EXPECT_NE(d[0].hint.find(m.hint), std::string::npos) << FormatDiagnostics(d);
}

INSTANTIATE_TEST_SUITE_P(
    Ten, Mistakes,
    ::testing::Values(
        Mistake{"resident.hukuo.city == '440300'", 1, 1, 19, "unknown-name", "resident.hukou.city"},
        Mistake{"aeg(resident.birth_date, today) >= 70", 1, 1, 3, "unknown-function", "`age`"},
        Mistake{"resident.hukou.city == 440300", 1, 21, 2, "type-mismatch", "\"440300\""},
        Mistake{"resident.birth_date <= '1956-03-02'", 1, 21, 2, "type-mismatch", "date(\"1956-03-02\")"},
        Mistake{"resident.birth_date + 30 < today", 1, 21, 1, "type-mismatch", "days(30)"},
        Mistake{"resident.rooms * 1.5 > 2.0", 1, 16, 1, "type-mismatch", "double(resident.rooms) * 1.5"},
        Mistake{"resident.income > 12.5", 1, 17, 1, "type-mismatch", "decimal(\"12.5\")"},
        Mistake{"resident.guardians.exists(g,\n  g.hukou_ciyt == '440300')", 2, 5, 10, "unknown-field", "hukou_city"},
        Mistake{"true &&\n// 说明\n  age(resident.birth_date) >= 70", 3, 3, 3, "wrong-arguments", "age(date, date)"},
        Mistake{"resident.hukou.city = '440300'", 1, 21, 1, "syntax", "write =="},
        Mistake{"date('2026-02-30') < today", 1, 6, 12, "bad-literal", "2026-03-01"},
        Mistake{"resident.hukou.city.matches('[')", 1, 29, 3, "bad-regex", "r\""},
        Mistake{"resident.birth_date == null", 1, 1, 19, "type-mismatch", "has(resident.birth_date)"},
        Mistake{"age(resident.birth_date, today)", 1, 1, 31, "type-mismatch", "condition"},
        Mistake{"(resident.rooms > 2", 1, 20, 1, "syntax", "`)`"},
        Mistake{"'年年' == resident.hukou.city && resident", 1, 32, 8, "unknown-name", "resident.birth_date"},
        Mistake{"resident.rooms > 2 and true", 1, 20, 3, "syntax", "&&"},
        Mistake{"resident.rooms ＞ 2", 1, 16, 1, "syntax", "half-width sign >"},
        Mistake{"if == 2", 1, 1, 2, "reserved-word", "another name"},
        Mistake{"resident.guardians.all(g.x, true)", 1, 24, 3, "macro", "all(x"},
        Mistake{"has(today)", 1, 1, 10, "macro", "has(a.b)"}, Mistake{"'abc", 1, 1, 4, "syntax", "end it with '"},
        Mistake{"9223372036854775808 > 1", 1, 1, 19, "bad-literal", "quotes"},
        Mistake{"resident.income + 1.5 > 2", 1, 17, 1, "type-mismatch", "decimal(\"1.5\")"},
        Mistake{"resident.hukou.city in '440300'", 1, 24, 8, "type-mismatch", "contains"},
        Mistake{"resident.hukou.city.startsWith()", 1, 21, 10, "wrong-arguments", "startsWith"}));

TEST(Mistakes, OfOneExpressionAreAllReportedAtOnce) {
  Diagnostics d;
  Compile(
      Source{"aeg(today) > 3 && resident.hukou.ctiy == 'x' || resident.rooms + 'a' == 1 || date('x') < today", "r", {}},
      FactsEnv(), nullptr, &d);
  EXPECT_EQ(d.size(), 4U) << FormatDiagnostics(d);
}

TEST(Mistakes, OfSyntaxDoNotHideThoseThatFollow) {
  Diagnostics d;
  Compile(Source{"(1 + ) > 2 && [1, ; 2] == [] && nonsense > 1", "r", {}}, FactsEnv(), nullptr, &d);
  EXPECT_EQ(d.size(), 3U) << FormatDiagnostics(d);
}

TEST(Mistakes, StandAtTheirPlaceInTheFileAroundTheExpression) {
  Source source{"today > date('2026-01-01')\n  && tody < today", "rules/a.yaml", {}};
  source.lines = {{12, 11, "    when: |  today > date('2026-01-01')"}, {13, 9, "        && tody < today"}};
  source.text = "today > date('2026-01-01')\n&& tody < today";
  Diagnostics d;
  EXPECT_FALSE(Compile(source, Env(), nullptr, &d).has_value());
  EXPECT_EQ(FormatDiagnostics(d),
            "rules/a.yaml:13:12: error [unknown-name]: there is no `tody`\n"
            "            && tody < today\n"
            "               ^^^^\n"
            "    hint: did you mean `today`?\n");
}

TEST(Mistakes, InALetAreReportedThereAndNotWhereItIsUsed) {
  Env env;
  Diagnostics d;
  env.AddLet("a", Source{"1 + 'x'", "let.yaml", {}}, &d);
  ASSERT_EQ(d.size(), 1U);
  EXPECT_EQ(d[0].at.file, "let.yaml");
  EXPECT_FALSE(Compile(Source{"a > 3 && a == 'x'", "use.yaml", {}}, env, nullptr, &d).has_value());
  EXPECT_EQ(d.size(), 1U) << FormatDiagnostics(d);
}

TEST(Mistakes, AtRunTimeNameTheByteOfTheOperation) {
  Diagnostics d;
  const std::optional<Program> p = Compile(Source{"true && 1 / 0 == 1", "r", {}}, Env(), nullptr, &d);
  ASSERT_TRUE(p.has_value());
  Arena arena;
  const Value v = p->Evaluate({}, arena);
  ASSERT_TRUE(v.is(Kind::kError));
  EXPECT_EQ(v.AsError().offset, 10U);
}

}  // namespace
}  // namespace zhitui::cel
