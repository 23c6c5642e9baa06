// The folder bad_ten: ten mistakes, each of another kind, found in one pass at their exact places.
#include <algorithm>
#include <tuple>

#include "rules/rules_support.h"

namespace zhitui::rules {
namespace {

struct Mistake {
  const char* file;
  std::uint32_t line;
  std::uint32_t column;
  const char* code;
  const char* says;  // part of the message or the hint
};

// Places counted by hand in the files.
constexpr Mistake kMistakes[] = {
    {"allowance.yaml", 4, 8, "missing-key", "zh"},
    {"allowance.yaml", 11, 29, "wrong-type", "2019-13-01"},
    {"allowance.yaml", 19, 7, "unknown-name", "resident.hukou.city"},
    {"allowance.yaml", 21, 28, "type-mismatch", "bool"},
    {"allowance.yaml", 21, 43, "unknown-law", "std"},
    {"allowance.yaml", 23, 10, "unknown-value", "upcoming"},
    {"allowance.yaml", 24, 1, "unknown-key", "amount"},
    {"second.yaml", 7, 31, "needs-recheck", "recheck: daily"},
    {"second.yaml", 11, 34, "syntax", "=="},
    {"twin.yaml", 1, 7, "duplicate-rule", "second.yaml:1"},
};

TEST(BadTen, TenMistakesAreTenDiagnosticsEachAtItsPlace) {
  Diagnostics diagnostics;
  const auto set = RuleSet::Build(ReadFolder(std::string(ZHITUI_SOURCE_DIR) + "/tests/rules/bad_ten"), &diagnostics);
  EXPECT_EQ(set, nullptr);
  std::stable_sort(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.at.file, a.at.line, a.at.column) < std::tie(b.at.file, b.at.line, b.at.column);
  });
  EXPECT_EQ(diagnostics.size(), std::size(kMistakes)) << FormatDiagnostics(diagnostics);
  for (std::size_t i = 0; i < std::min(diagnostics.size(), std::size(kMistakes)); ++i) {
    const Mistake& expected = kMistakes[i];
    const Diagnostic& got = diagnostics[i];
    const std::string shown = FormatDiagnostics({got});
    EXPECT_EQ(got.at.file, expected.file) << shown;
    EXPECT_EQ(got.at.line, expected.line) << shown;
    EXPECT_EQ(got.at.column, expected.column) << shown;
    EXPECT_EQ(got.code, expected.code) << shown;
    EXPECT_NE((got.message + " " + got.hint).find(expected.says), std::string::npos) << shown;
    EXPECT_FALSE(got.source_line.empty()) << shown;
    EXPECT_TRUE(!got.hint.empty() || got.message.find("such as") != std::string::npos) << shown;
  }
}

TEST(BadTen, TheCaretStandsUnderTheMistakeInsideABlockScalar) {
  Diagnostics diagnostics;
  RuleSet::Build(ReadFolder(std::string(ZHITUI_SOURCE_DIR) + "/tests/rules/bad_ten"), &diagnostics);
  const std::string text = FormatDiagnostics(diagnostics);
  EXPECT_NE(text.find("          resident.hukou.cty == \"440300\"\n          ^^^^^^^^^^^^^^^^^^\n"), std::string::npos)
      << text;
}

}  // namespace
}  // namespace zhitui::rules
