#include "authoring/authoring.h"

#include <algorithm>
#include <random>
#include <set>

#include "gtest/gtest.h"

namespace zhitui::authoring {
namespace {

using rules::SourceFile;

const char* const kSchema = R"(kind: person
sources:
  office: {zh: 办公室, en: Office}
facts:
  a: {type: int, min: 0, max: 6, source: office, label: {zh: 甲, en: A}}
  b: {type: int, min: 0, max: 6, source: office, label: {zh: 乙, en: B}}
  born: {type: date, source: office, label: {zh: 出生日期, en: Date of birth}}
  rent: {type: money, min: 0, source: office, label: {zh: 租金, en: Rent}}
  use: {type: code, values: [own, let], source: office, label: {zh: 用途, en: Use}}
  note: {type: string, nullable: true, source: office, label: {zh: 备注, en: Note}}
  gone: {type: date, nullable: true, source: office, label: {zh: 迁出, en: Gone}}
allow:
  - {lint: unused-fact, because: 测试用}
)";

// A rule with these criteria and what else is given, all of it cited, tested and named in English.
std::string Rule(const std::vector<std::string>& criteria, const std::string& more = "") {
  std::string out =
      "rule: r\nabout: person\ntitle: {zh: 规则, en: Rule}\nowner: 办公室\ntopic: t\nlaw: {std: {title: "
      "办法}}\ncriteria:\n";
  for (std::size_t i = 0; i < criteria.size(); ++i) {
    out += "  c" + std::to_string(i) + ":\n    label: {zh: 条件, en: Criterion}\n    law: std\n    when: |\n      " +
           criteria[i] + "\n";
  }
  return out + "tests:\n  - {name: some, facts: {}, expect: {2026-01-01: {unknown: []}}}\n" + more;
}

std::string Table(const std::vector<std::string>& rows) {
  std::string out = "amount:\n  unit: CNY\n  law: std\n  table:\n";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out += "    - {when: '" + rows[i] + "', is: " + std::to_string(100 + i) + "}\n";
  }
  return out + "    - {is: 0}\n";
}

Diagnostics LintOf(const std::string& rule, const LintOptions& options = {}) {
  const std::vector<SourceFile> files = {{"facts/person.yaml", kSchema}, {"r.yaml", rule}};
  const Report report = Check(files);
  EXPECT_TRUE(report.ok()) << FormatDiagnostics(report.diagnostics);
  Diagnostics out = Lint(report, files, options);
  // Where a rule happens to read every fact there is nothing to allow.
  std::erase_if(out, [](const Diagnostic& d) { return d.code == "idle-allow" && d.at.file == "facts/person.yaml"; });
  return out;
}

std::vector<std::string> Codes(const Diagnostics& found) {
  std::vector<std::string> out;
  for (const Diagnostic& d : found) out.push_back(d.code);
  return out;
}

using List = std::vector<std::string>;

TEST(Lint, ARuleWithoutFaultsHasNoWarnings) {
  const Diagnostics found = LintOf(Rule({"person.a > 3", "person.use == \"own\""}));
  EXPECT_TRUE(found.empty()) << FormatDiagnostics(found);
}

TEST(Lint, AWarningStandsAtItsPlaceAndSaysSo) {
  const Diagnostics found = LintOf(Rule({"person.a > 6"}));
  ASSERT_EQ(Codes(found), List{"never-true"}) << FormatDiagnostics(found);
  EXPECT_EQ(found[0].at.file, "r.yaml");
  EXPECT_EQ(found[0].at.line, 12U);
  EXPECT_EQ(found[0].at.column, 7U);
  EXPECT_EQ(FormatDiagnostics(found).find("r.yaml:12:7: warning [never-true]: "), 0U) << FormatDiagnostics(found);
}

TEST(Lint, TheRangeOfAFactDecidesWhatCanBe) {
  EXPECT_EQ(Codes(LintOf(Rule({"person.a >= 0"}))), List{"never-false"});
  EXPECT_EQ(Codes(LintOf(Rule({"person.a < 0"}))), List{"never-true"});
  EXPECT_EQ(Codes(LintOf(Rule({"person.a <= 5"}))), List{});
  EXPECT_EQ(Codes(LintOf(Rule({"person.rent < decimal(\"0.01\") && person.rent > decimal(0)"}))), List{"never-true"});
  EXPECT_EQ(Codes(LintOf(Rule({"person.rent < decimal(\"0.02\") && person.rent > decimal(0)"}))), List{});
}

TEST(Lint, OnlyTheDeclaredCodesCanBe) {
  EXPECT_EQ(Codes(LintOf(Rule({"person.use == \"rent\""}))), List{"never-true"});
  EXPECT_EQ(Codes(LintOf(Rule({"person.use in [\"own\", \"let\"]"}))), List{"never-false"});
  EXPECT_EQ(Codes(LintOf(Rule({"person.note != \"x\""}))), List{});
}

TEST(Lint, WhatIsNotUnderstoodIsNotCalledImpossible) {
  EXPECT_EQ(Codes(LintOf(Rule({"person.note != null && person.note.matches(\"^x$\")"}))), List{});
  EXPECT_EQ(Codes(LintOf(Rule({"person.a * person.b == 7"}))), List{});
  EXPECT_EQ(Codes(LintOf(Rule({"person.gone == null || person.gone == date(9999, 12, 31)"}))), List{});
}

TEST(Lint, ADayOfTheYearIsFoundWhereverItIs) {
  EXPECT_EQ(Codes(LintOf(Rule({"month(today) == 2 && day(today) == 29"}))), List{});
  EXPECT_EQ(Codes(LintOf(Rule({"month(today) == 2 && day(today) == 30"}))), List{"never-true"});
  EXPECT_EQ(Codes(LintOf(Rule({"age(person.born, today) >= 70"}))), List{});
}

TEST(Lint, CriteriaThatExcludeEachOtherAreFoundTogether) {
  EXPECT_EQ(Codes(LintOf(Rule({"age(person.born, today) >= 70", "age(person.born, today) < 70"}))),
            List{"never-eligible"});
  EXPECT_EQ(Codes(LintOf(Rule({"age(person.born, today) >= 70", "age(person.born, today) < 71"}))), List{});
}

TEST(Lint, ARowBelowAWiderOneIsDead) {
  const Diagnostics found = LintOf(Rule({"person.b > 1"}, Table({"person.a >= 2", "person.a >= 4"})));
  ASSERT_EQ(Codes(found), List{"dead-row"}) << FormatDiagnostics(found);
  EXPECT_NE(found[0].message.find("row 2"), std::string::npos);
}

TEST(Lint, ARowThatTheCriteriaExcludeIsDead) {
  EXPECT_EQ(Codes(LintOf(Rule({"person.a >= 4"}, Table({"person.a < 3", "person.a < 5"})))), List{"dead-row"});
}

TEST(Lint, TheGapBetweenTwoRowsIsNamed) {
  const Diagnostics found = LintOf(Rule({"person.b > 1"}, Table({"person.a >= 5", "person.a >= 1 && person.a < 4"})));
  ASSERT_EQ(Codes(found), List{"row-gap"}) << FormatDiagnostics(found);
  EXPECT_NE(found[0].message.find("a from 4 to 4"), std::string::npos) << found[0].message;
}

TEST(Lint, TheOverlapOfTwoRowsIsNamedAndANestedRowIsNone) {
  const Diagnostics found =
      LintOf(Rule({"person.b > 1"}, Table({"person.a >= 1 && person.a <= 3", "person.a >= 3 && person.a <= 5"})));
  ASSERT_EQ(Codes(found), List{"row-overlap"}) << FormatDiagnostics(found);
  EXPECT_NE(found[0].message.find("a 3"), std::string::npos) << found[0].message;
  EXPECT_EQ(Codes(LintOf(Rule({"person.b > 1"}, Table({"person.a >= 5", "person.a >= 3"})))), List{});
}

// Random conditions over two small facts, against every value that the facts can have.
TEST(Lint, WhatItCallsImpossibleIsWhatNoValueMeets) {
  std::mt19937 random(20260301);
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  struct Atom {
    bool b;
    int op;
    int bound;
    bool Holds(int va, int vb) const {
      const int v = b ? vb : va;
      return op == 0 ? v < bound : op == 1 ? v >= bound : op == 2 ? v == bound : v != bound;
    }
    std::string Text() const {
      static const char* const kOps[] = {" < ", " >= ", " == ", " != "};
      return std::string(b ? "person.b" : "person.a") + kOps[op] + std::to_string(bound);
    }
  };
  int never_true = 0;
  int never_false = 0;
  int never_eligible = 0;
  for (int round = 0; round < 300; ++round) {
    // (x && y) || !(z), and a second criterion of one condition
    const auto atom = [&] { return Atom{pick(2) == 1, pick(4), pick(9) - 1}; };
    const Atom x = atom();
    const Atom y = atom();
    const Atom z = atom();
    const bool with_or = pick(2) == 1;
    const Atom second = atom();
    bool some_true = false;
    bool some_false = false;
    bool second_true = false;
    bool second_false = false;
    bool both = false;
    for (int a = 0; a <= 6; ++a) {
      for (int b = 0; b <= 6; ++b) {
        const bool first = (x.Holds(a, b) && y.Holds(a, b)) || (with_or && !z.Holds(a, b));
        const bool other = second.Holds(a, b);
        (first ? some_true : some_false) = true;
        (other ? second_true : second_false) = true;
        both = both || (first && other);
      }
    }
    List expected;
    if (!some_true) expected.emplace_back("never-true");
    if (!some_false) expected.emplace_back("never-false");
    if (!second_true) expected.emplace_back("never-true");
    if (!second_false) expected.emplace_back("never-false");
    if (expected.empty() && !both) expected.emplace_back("never-eligible");
    for (const std::string& code : expected) {
      never_true += code == "never-true" ? 1 : 0;
      never_false += code == "never-false" ? 1 : 0;
      never_eligible += code == "never-eligible" ? 1 : 0;
    }
    const std::string first = "(" + x.Text() + " && " + y.Text() + ")" + (with_or ? " || !(" + z.Text() + ")" : "");
    List got = Codes(LintOf(Rule({first, second.Text()})));
    std::erase(got, "same-criterion");
    std::sort(got.begin(), got.end());
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(got, expected) << first << "   and   " << second.Text();
  }
  EXPECT_GT(never_true, 20);
  EXPECT_GT(never_false, 20);
  EXPECT_GT(never_eligible, 5);
}

TEST(Lint, AParamIsStaleByTheDayGivenAndTheYearsGiven) {
  const std::string rule = Rule({"person.a > params.least"},
                                "valid: {from: 2020-01-01}\nparams:\n  least: {2020-01-01: 1, 2022-03-01: 2}\n");
  EXPECT_EQ(Codes(LintOf(rule)), List{});  // the newest day of the files is its own
  EXPECT_EQ(Codes(LintOf(rule, {MakeDate(2025, 3, 1), 3})), List{});
  EXPECT_EQ(Codes(LintOf(rule, {MakeDate(2025, 3, 2), 3})), List{"stale-param"});
  EXPECT_EQ(Codes(LintOf(rule, {MakeDate(2025, 3, 2), 4})), List{});
}

TEST(Lint, ALetThatOnlyAnUnusedLetUsesIsUnusedToo) {
  const std::string lets = "let:\n  x: person.a + 1\n  y: x + 1\n  z: person.b + 1\n";
  EXPECT_EQ(Codes(LintOf(Rule({"z > 3"}, lets))), (List{"unused-let", "unused-let"}));
  EXPECT_EQ(Codes(LintOf(Rule({"y > 3 && z > 3"}, lets))), List{});
}

TEST(Lint, ANameInATextOrARemarkOrOfAFunctionIsNoUse) {
  EXPECT_EQ(Codes(LintOf(Rule({"age(person.born, today) > 2"}, "let: {age: person.a + 1}\n"))), List{"unused-let"});
  const std::string more = "params: {least: 1}\n";
  EXPECT_EQ(Codes(LintOf(Rule({"person.note == \"params.least\""}, more))), List{"unused-param"});
  EXPECT_EQ(Codes(LintOf(Rule({"person.a > 2 // params.least"}, more))), List{"unused-param"});
  EXPECT_EQ(Codes(LintOf(Rule({"person.a > params.least"}, more))), List{});
}

TEST(Lint, AnAllowCoversItsPlaceOnly) {
  const std::string more =
      "params: {one: 1, two: 2}\nallow:\n  - {lint: unused-param, at: params.one, because: 备用}\n";
  const Diagnostics found = LintOf(Rule({"person.a > 2"}, more));
  ASSERT_EQ(Codes(found), List{"unused-param"}) << FormatDiagnostics(found);
  EXPECT_NE(found[0].message.find("params.two"), std::string::npos);
}

TEST(Lint, AnAllowDoesNotChangeTheContentOfARule) {
  const std::vector<SourceFile> with = {{"facts/person.yaml", kSchema},
                                        {"r.yaml", Rule({"person.a > 2"}, "allow: [{lint: no-tests, because: 无}]\n")}};
  const std::vector<SourceFile> without = {{"facts/person.yaml", kSchema}, {"r.yaml", Rule({"person.a > 2"})}};
  EXPECT_EQ(Check(with).ruleset->hash(), Check(without).ruleset->hash());
}

TEST(Lint, NothingIsLintedThatHasMistakes) {
  const std::vector<SourceFile> files = {{"facts/person.yaml", kSchema}, {"r.yaml", Rule({"person.c > 2"})}};
  const Report report = Check(files);
  EXPECT_FALSE(report.ok());
  EXPECT_TRUE(Lint(report, files).empty());
}

}  // namespace
}  // namespace zhitui::authoring
