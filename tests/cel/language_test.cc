// The language by example; expected values from the CEL definition and, for law, from the calendar.
#include <array>

#include "cel/fixture.h"

namespace zhitui::cel {
namespace {

using testing::kToday;
using testing::Show;

struct Case {
  const char* text;
  const char* expected;
};

class Table : public ::testing::TestWithParam<Case> {};
TEST_P(Table, Gives) { EXPECT_EQ(Show(GetParam().text), GetParam().expected) << GetParam().text; }

INSTANTIATE_TEST_SUITE_P(Literals, Table,
                         ::testing::Values(Case{"0xFF", "255"}, Case{"-0x10", "-16"}, Case{"12u", "12"},
                                           Case{"-9223372036854775808", "-9223372036854775808"},
                                           Case{"1.5e3", "1500.0"}, Case{".5", "0.5"}, Case{"1e-3", "0.001"},
                                           Case{"r'\\n'", "\"\\\\n\""}, Case{"'a\\u0041\\x42\\103'", "\"aABC\""},
                                           Case{"'''a\n'b''' == \"a\\n'b\"", "true"}, Case{"b'\\xff'", "b\"/w==\""},
                                           Case{"br'\\d' == b'\\\\d'", "true"}, Case{"size('年😀')", "2"},
                                           Case{"[1, 2,]", "[1, 2]"}, Case{"{'a': 1}.a", "1"},
                                           Case{"1 // the rest\n+ 1", "2"}, Case{"true ? 1 : false ? 2 : 3", "1"},
                                           Case{"- -1", "1"}, Case{"!!true", "true"}, Case{"{'a-b': 1}.`a-b`", "1"}));

INSTANTIATE_TEST_SUITE_P(Operators, Table,
                         ::testing::Values(Case{"9223372036854775807 + 1", "error: integer overflow"},
                                           Case{"-9223372036854775808 - 1", "error: integer overflow"},
                                           Case{"-(-9223372036854775807 - 1)", "error: integer overflow"},
                                           Case{"0u - 1u", "error: integer overflow"}, Case{"7 / -2", "-3"},
                                           Case{"7 % -2", "1"}, Case{"1 / 0", "error: divide by zero"},
                                           Case{"1 % 0", "error: modulus by zero"}, Case{"1.0 / 0.0", "Infinity"},
                                           Case{"1 < 1.5", "true"}, Case{"2u >= 2", "true"},
                                           Case{"'a' < 'b' && b'a' < b'b'", "true"}, Case{"1 == 1.0", "true"},
                                           Case{"0.0/0.0 == 0.0/0.0", "false"}, Case{"0.0/0.0 < 1.0", "false"},
                                           Case{"2 in [1, 2]", "true"}, Case{"'a' in {'a': 1}", "true"},
                                           Case{"[1] + [2]", "[1, 2]"}, Case{"1 + 2 * 3 - 4 / 2", "5"},
                                           Case{"1 < 2 == true", "true"}));

INSTANTIATE_TEST_SUITE_P(
    ErrorsAreAbsorbed, Table,
    ::testing::Values(Case{"1/0 > 0 && false", "false"}, Case{"false && 1/0 > 0", "false"},
                      Case{"1/0 > 0 || true", "true"}, Case{"1/0 > 0 && true", "error: divide by zero"},
                      Case{"true ? 1 : 1/0", "1"}, Case{"[1, 0].exists(x, 1 / x > 0)", "true"},
                      Case{"[0, 1].all(x, 1 / x > 5)", "false"},
                      Case{"[0, 1].all(x, 1 / x > 0)", "error: divide by zero"},
                      Case{"[0, 1].exists_one(x, 1 / x > 0)", "error: divide by zero"},
                      Case{"{'a': 1}.b", "error: no such key"}, Case{"[1][1]", "error: index out of bounds"},
                      Case{"{'a': 1, 'a': 2}", "error: Failed with repeated key"},
                      Case{"dyn('a') + 1", "error: no such overload"}, Case{"has({'a': 1}.b)", "false"}));

INSTANTIATE_TEST_SUITE_P(
    Macros, Table,
    ::testing::Values(Case{"[1, 2, 3].filter(x, x > 1).map(x, x * x)", "[4, 9]"},
                      Case{"[1, 2, 3].map(x, x > 1, x * x)", "[4, 9]"},
                      Case{"[[1], [2, 3]].map(x, x.map(y, x.size() + y))", "[[2], [4, 5]]"},
                      Case{"{'b': 1, 'c': 2}.exists(k, k == 'c')", "true"}, Case{"[].all(x, false)", "true"},
                      Case{"[1, 2].exists_one(x, x == 2)", "true"},
                      Case{"[1, 2].exists(x, [1].exists(x, x == 2))", "false"},
                      Case{"cel.bind(x, 2, x + cel.bind(y, 3, x * y))", "8"}, Case{"cel.bind(x, 1/0, true)", "true"},
                      Case{"optional.of(1).optMap(x, x + 1).orValue(0)", "2"}, Case{"{'a': 1}[?'b'].orValue(7)", "7"}));

INSTANTIATE_TEST_SUITE_P(
    Functions, Table,
    ::testing::Values(
        Case{"'a,b,c'.split(',')", R"(["a", "b", "c"])"}, Case{"['a', 'b'].join('-')", "\"a-b\""},
        Case{"' 年 '.trim()", "\"年\""}, Case{"'年月日'.substring(1, 2)", "\"月\""},
        Case{"'Ab'.lowerAscii() + 'Ab'.upperAscii()", "\"abAB\""}, Case{"'aa'.replace('a', 'b', 1)", "\"ba\""},
        Case{"'13800000000'.matches(r'^1[3-9]\\d{9}$')", "true"}, Case{"int('12') + int(3.9) + int(4u)", "19"},
        Case{"int('x')", "error: type conversion error: not an int"},
        Case{"int(1e19)", "error: range error: the number does not fit the type"},
        Case{"uint(-1)", "error: range error: the number does not fit the type"},
        Case{"string(1.5) + string(true) + string(b'a')", "\"1.5truea\""},
        Case{"string(b'\\xff')", "error: invalid UTF-8 in bytes, cannot convert to string"},
        Case{"type(1) == int && type('') == string && type([]) == list", "true"}, Case{"type(type(1))", "type"},
        Case{"timestamp('2026-03-01T00:00:00+08:00')", "2026-02-28T16:00:00Z"},
        Case{"timestamp('2026-03-01T00:00:00Z').getHours('+08:00')", "8"},
        Case{"timestamp('2026-03-01T00:00:00Z').getDayOfWeek()", "0"},
        Case{"duration('1h30m') + duration('30s')", "5430s"}, Case{"duration('1.5s').getMilliseconds()", "500"},
        Case{"timestamp('2026-03-01T00:00:00Z') - duration('1s')", "2026-02-28T23:59:59Z"},
        Case{"math.greatest(1, 5, 3)", "5"}, Case{"base64.encode(b'hello')", "\"aGVsbG8=\""}));

INSTANTIATE_TEST_SUITE_P(
    Law, Table,
    ::testing::Values(
        Case{"date('2026-03-01') == date(2026, 3, 1)", "true"}, Case{"date('2026-01-31') + months(1)", "2026-02-28"},
        Case{"date('2024-02-29') + years(1)", "2025-02-28"},
        Case{"date('2026-03-31') - period('1 month')", "2026-02-28"},
        Case{"date('2026-03-01') - date('2026-02-01')", "28"}, Case{"days(1) + months(2)", "P2M1D"},
        Case{"age(date('2004-02-29'), date('2022-02-28'))", "18"}, Case{"age(date('1956-03-02'), today)", "69"},
        Case{"months_between(date('2025-01-31'), date('2025-02-28'))", "1"},
        Case{"start_of_month(date('2024-02-29'))", "2024-02-01"},
        Case{"end_of_month(date('2024-02-01'))", "2024-02-29"},
        Case{"[year(today), month(today), day(today)]", "[2026, 3, 1]"},
        Case{"date_of_year(2025, 2, 29)", "2025-02-28"}, Case{"date_of_year(2024, 2, 29)", "2024-02-29"},
        Case{"date(year(today), month(today) - 1, 30)", "error: invalid date: no such day"},
        Case{"next_anniversary(date('2025-03-01'), today)", "2026-03-01"},
        Case{"next_anniversary(date('2025-02-28'), today)", "2027-02-28"},
        Case{"next_anniversary(date('2024-02-29'), date('2025-02-28'))", "2025-02-28"},
        Case{"next_anniversary(date('2026-03-01'), today)", "2027-03-01"},
        Case{"count_months([date('2026-01-05'), date('2026-01-20'), date('2025-12-31')], date('2026-01-31'), today)",
             "1"},
        Case{"consecutive_months([date('2025-12-01'), date('2026-01-01'), date('2026-02-01')], today)", "3"},
        Case{"consecutive_months([date('2025-12-01'), date('2026-02-01'), date('2026-03-09')], today)", "2"},
        Case{"consecutive_months([date('2025-12-01'), date('2026-01-01')], today)", "0"},
        Case{"within('440304', '4403') && within('440304001', '440304') && within('440304', '440300')", "true"},
        Case{"within('440304', '4401')", "false"}, Case{"within('440304', '')", "true"},
        Case{"decimal('12.50') * 2 + decimal('0.10')", "25.10"},
        Case{"decimal('2.50') == decimal('2.5') && decimal('3') > 2", "true"},
        Case{"decimal('9223372036854775807') + 1", "error: decimal overflow"},
        Case{"date('9999-12-31') + days(1)", "error: range error: the date is outside the years 0001 to 9999"},
        Case{"today in [date('2026-03-01')]", "true"}));

TEST(Names, ResolveLongestFirstAndLetsAndDatedValuesAreNames) {
  Env env;
  env.AddVariable("resident.hukou", value::MapOf(value::Primitive(value::Kind::kString), value::Dyn()), 0);
  env.AddVariable("resident.hukou.city", value::Primitive(value::Kind::kString), 1);
  env.AddDated("params.min_age", value::Primitive(value::Kind::kInt),
               {{MakeDate(2008, 1, 1), Value::Int(80)}, {MakeDate(2019, 10, 1), Value::Int(70)}});
  Diagnostics none;
  env.AddLet("local", Source{"resident.hukou.city == '440300'", "f", {}}, &none);
  env.AddLet("both", Source{"local && params.min_age == 70", "f", {}}, &none);
  ASSERT_TRUE(none.empty());
  const value::MapEntry entry[1] = {{Value::String("kind"), Value::String("home")}};
  const Value slots[2] = {Value::Map(entry), Value::String("440300")};
  EXPECT_EQ(Show(env, "resident.hukou.city", slots), "\"440300\"");
  EXPECT_EQ(Show(env, "resident.hukou.kind", slots), "\"home\"");
  EXPECT_EQ(Show(env, "both", slots), "true");
  EXPECT_EQ(Show(env, "both", slots, MakeDate(2019, 9, 30)), "false");
  EXPECT_EQ(Show(env, "both", slots, MakeDate(2007, 9, 30)), "error: no value is in force on this day");
  EXPECT_EQ(Show(env, "[1].exists(local, local == 1) && local", slots), "true");
  const Program p = testing::MustCompile(env, "both");
  EXPECT_EQ(std::vector<std::uint32_t>(p.slots().begin(), p.slots().end()), std::vector<std::uint32_t>{1});
  EXPECT_TRUE(p.time_dependent());
}

TEST(Names, ContainerIsSearchedInnermostFirst) {
  Env env;
  env.SetContainer("a.b");
  env.AddVariable("a.x", value::Primitive(value::Kind::kInt), 0);
  env.AddVariable("x", value::Primitive(value::Kind::kInt), 1);
  const Value slots[2] = {Value::Int(1), Value::Int(2)};
  EXPECT_EQ(Show(env, "[x, .x]", slots), "[1, 2]");
}

TEST(Facts, NullIsKnownToBeNoneAndAbsentIsUnknown) {
  Env env;
  env.AddVariable("r.death", value::Nullable(value::Primitive(value::Kind::kDate)), 0);
  const Value null[1] = {Value::Null()};
  const Value there[1] = {Value::OfDate(kToday)};
  EXPECT_EQ(Show(env, "has(r.death)", there), "true");
  EXPECT_EQ(Show(env, "has(r.death)", null), "false");
  EXPECT_EQ(Show(env, "has(r.death)"), "unknown");
  EXPECT_EQ(Show(env, "r.death == null", null), "true");
  EXPECT_EQ(Show(env, "r.death == null"), "unknown");
  EXPECT_EQ(Show(env, "has(r.death) && r.death > today", null), "false");
  EXPECT_EQ(Show(env, "r.death > today", null), "error: no such overload");
}

TEST(Canonical, IsEqualForEqualProgramsAndDiffersOtherwise) {
  Env env;
  env.AddVariable("a", value::Primitive(value::Kind::kInt), 0);
  Diagnostics none;
  env.AddLet("big", Source{"a > 10", "f", {}}, &none);
  const auto form = [&](const char* text) { return testing::MustCompile(env, text).canonical(); };
  EXPECT_EQ(form("big && true"), form("( a>10 )   && true // note"));
  EXPECT_EQ(form("[1].all(x, x > a)"), form("[1].all(y, y > a)"));
  EXPECT_NE(form("a > 10"), form("a >= 10"));
  EXPECT_NE(form("a == 1"), form("a == 1u"));
  EXPECT_NE(form("'1'"), form("1"));
  Env other;
  other.AddVariable("a", value::Primitive(value::Kind::kInt), 1);
  EXPECT_NE(form("a > 10"), testing::MustCompile(other, "a > 10").canonical());
}

TEST(Functions, AreListedWithSignatureAndSummaryInBothLanguages) {
  const std::vector<FunctionDoc> docs = Functions();
  ASSERT_GT(docs.size(), 100U);
  std::string last;
  for (const FunctionDoc& d : docs) {
    EXPECT_FALSE(d.summary.zh.empty()) << d.signature;
    EXPECT_FALSE(d.summary.en.empty()) << d.signature;
    EXPECT_LE(last, d.name);
    last = d.name;
  }
}

}  // namespace
}  // namespace zhitui::cel
