#include <gtest/gtest.h>

#include "editor/editor.h"
#include "editor/support.h"

namespace zhitui::editor {
namespace {

std::string Formatted(const std::string& text) {
  Diagnostics found;
  const std::optional<std::string> out = Format("x.yaml", text, &found);
  EXPECT_TRUE(out.has_value()) << FormatDiagnostics(found);
  return out.value_or("");
}

// What stands behind each # that begins a comment, found by the reader's own places: not inside a scalar.
std::vector<std::string> Comments(const std::string& text) {
  std::vector<std::string> out;
  std::size_t block = std::string::npos;  // the indent of the key of a block text
  std::size_t from = 0;
  while (from < text.size()) {
    const std::size_t stop = std::min(text.find('\n', from), text.size());
    const std::string line = text.substr(from, stop - from);
    from = stop + 1;
    const std::size_t ink = line.find_first_not_of(' ');
    if (block != std::string::npos && (ink == std::string::npos || ink > block)) continue;
    block = std::string::npos;
    char quote = 0;
    std::string bare;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const char c = line[i];
      const bool begins = i == 0 || std::string_view(" {[,:").find(line[i - 1]) != std::string_view::npos;
      if (quote == 0 && (c == '"' || c == '\'') && begins) {
        quote = c;
      } else if (quote != 0 && c == quote) {
        quote = 0;
      } else if (quote == 0 && c == '#' && (i == 0 || line[i - 1] == ' ')) {
        out.push_back(line.substr(i));
        break;
      }
      bare += c;
    }
    while (bare.ends_with(' ')) bare.pop_back();
    if (bare.ends_with(": |") || bare.ends_with(": >") || bare.ends_with(": |-") || bare.ends_with(": >-")) block = ink;
  }
  return out;
}

TEST(Format, EveryFileOfTheRepositoryKeepsItsValuesAndComments) {
  for (const rules::SourceFile& file : RepositoryYaml()) {
    const std::string out = Formatted(file.text);
    Diagnostics none;
    const auto before = yaml::Parse(file.path, file.text, &none);
    const auto after = yaml::Parse(file.path, out, &none);
    ASSERT_TRUE(before && after) << file.path;
    EXPECT_TRUE(SameNodes(before->root(), after->root())) << file.path;
    EXPECT_EQ(Comments(file.text), Comments(out)) << file.path;
    EXPECT_EQ(Formatted(out), out) << file.path;
  }
}

TEST(Format, TheRulesOfTheRepositoryAreFormatted) {
  for (const rules::SourceFile& file : RepositoryYaml()) {
    if (!file.path.starts_with("rules/")) continue;
    EXPECT_EQ(Formatted(file.text), file.text) << file.path;
  }
}

TEST(Format, IndentsByTwoAndPutsListsBelowTheirKey) {
  EXPECT_EQ(Formatted("a:\n    b:   1\n    c:\n    - x\n    -   y:  2\n        z: 3\n"),
            "a:\n  b: 1\n  c:\n    - x\n    - y: 2\n      z: 3\n");
}

TEST(Format, SpacesInsideBracketsAreThoseOfTheHandbook) {
  EXPECT_EQ(Formatted("a: { b: 1,c:  [ x,y ] }\nd: {  }\ne: [ ]\n"), "a: {b: 1, c: [x, y]}\nd: {}\ne: []\n");
}

TEST(Format, BlankLinesStayAndRunsOfThemBecomeOne) {
  EXPECT_EQ(Formatted("\n\na: 1\n\n\n\nb: 2\nc: 3\n\n\n"), "a: 1\n\nb: 2\nc: 3\n");
}

TEST(Format, CommentsStayWithWhatTheyBelongTo) {
  EXPECT_EQ(Formatted("# head\na:   # of a\n    # of b\n    b: 1   # behind b\n    # end of a\n# of c\nc: 2\n# foot\n"),
            "# head\na:   # of a\n  # of b\n  b: 1   # behind b\n  # end of a\n# of c\nc: 2\n# foot\n");
}

TEST(Format, ExpressionsAndTextsStayAsTheyAre) {
  const std::string text =
      "when: |\n  a  &&\n    b   ||c\nother: \"x  y\"\nthird: 'it''s'\nfourth: >-\n  two\n  lines\n";
  EXPECT_EQ(Formatted(text), text);
  EXPECT_EQ(Formatted("a:\n    when: |\n        x &&\n          y\n"), "a:\n  when: |\n    x &&\n      y\n");
}

TEST(Format, AFlowMapThatFits140CodePointsStaysOnItsLineAndALongerOneBecomesLines) {
  // `k: {a: ` has 7 code points, `, b: c}` 7.
  const auto with = [](std::size_t n) { return "k: {a: " + std::string(n, 'x') + ", b: c}\n"; };
  EXPECT_EQ(Formatted(with(140 - 14)), with(140 - 14));
  EXPECT_EQ(Formatted(with(141 - 14)), "k:\n  a: " + std::string(141 - 14, 'x') + "\n  b: c\n");
  std::string han;
  for (int i = 0; i < 140 - 14; ++i) han += "中";
  EXPECT_EQ(Formatted("k: {a: " + han + ", b: c}\n"), "k: {a: " + han + ", b: c}\n");
}

TEST(Format, LongPartsInsideLongPartsBecomeLinesToo) {
  const std::string x(100, 'x');
  EXPECT_EQ(Formatted("- {a: [" + x + ", " + x + "], b: {c: 1}} # why\n- {d: " + x + ", e: " + x + "}\n"),
            "- # why\n  a:\n    - " + x + "\n    - " + x + "\n  b: {c: 1}\n- d: " + x + "\n  e: " + x + "\n");
}

TEST(Format, AFlowMapOverSeveralLinesIsJoinedWhereItFitsAndHoldsNoComment) {
  EXPECT_EQ(Formatted("a: {b: 1,\n    c: 2}\n"), "a: {b: 1, c: 2}\n");
  const std::string commented = "a: {b: 1,  # one\n    c: 2}\n";
  EXPECT_EQ(Comments(Formatted(commented)), std::vector<std::string>{"# one"});
  EXPECT_EQ(Formatted(Formatted(commented)), Formatted(commented));
}

TEST(Format, LineEndsBecomeLfAndTheLastLineHasOne) {
  EXPECT_EQ(Formatted("a: 1\r\nb: |\r\n  x\r\n"), "a: 1\nb: |\n  x\n");
  EXPECT_EQ(Formatted("a: 1"), "a: 1\n");
  EXPECT_EQ(Formatted(""), "");
  EXPECT_EQ(Formatted("# only\n"), "# only\n");
}

TEST(Format, ATextThatIsNotYamlIsLeftAloneWithDiagnostics) {
  Diagnostics found;
  EXPECT_FALSE(Format("x.yaml", "a: [1\n", &found));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].at.file, "x.yaml");
}

TEST(Format, AnyCutOfTheSamplesThatIsYamlKeepsItsValues) {
  const std::string text = ReadText(kRoot / "rules/futian/primary-school-enrolment.yaml");
  for (std::size_t n = 10; n < text.size(); n += 37) {
    const std::string cut = text.substr(0, n);
    Diagnostics found;
    const std::optional<std::string> out = Format("x.yaml", cut, &found);
    if (!out) continue;
    Diagnostics none;
    EXPECT_TRUE(SameNodes(yaml::Parse("x", cut, &none)->root(), yaml::Parse("x", *out, &none)->root())) << n;
  }
}

}  // namespace
}  // namespace zhitui::editor
