#include "editor/syntax.h"

#include <gtest/gtest.h>

#include "editor/support.h"

namespace zhitui::editor {
namespace {

// Compares with what the reader made of the same text.
void ExpectSame(std::string_view text, const Syntax& syntax, const yaml::Node& node, const std::string& where) {
  switch (node.kind()) {
    case yaml::NodeKind::kNull:
      EXPECT_TRUE(syntax.kind == SyntaxKind::kEmpty || syntax.kind == SyntaxKind::kScalar) << where;
      return;
    case yaml::NodeKind::kScalar: {
      ASSERT_EQ(syntax.kind, SyntaxKind::kScalar) << where;
      const Decoded decoded = Decode(text, syntax);
      EXPECT_EQ(decoded.text, node.text()) << where;
      EXPECT_EQ(decoded.at.size(), decoded.text.size() + 1) << where;
      EXPECT_EQ(syntax.style != 0, node.quoted()) << where;
      return;
    }
    case yaml::NodeKind::kSequence:
      ASSERT_EQ(syntax.kind, SyntaxKind::kList) << where;
      ASSERT_EQ(syntax.values.size(), node.items().size()) << where;
      for (std::size_t i = 0; i < node.items().size(); ++i) {
        ExpectSame(text, syntax.values[i], node.items()[i], where + "/" + std::to_string(i));
      }
      return;
    case yaml::NodeKind::kMapping:
      ASSERT_EQ(syntax.kind, SyntaxKind::kMap) << where;
      ASSERT_EQ(syntax.values.size(), node.entries().size()) << where;
      for (std::size_t i = 0; i < node.entries().size(); ++i) {
        const auto& [key, value] = node.entries()[i];
        ExpectSame(text, syntax.keys[i], key, where + "/(key)");
        ExpectSame(text, syntax.values[i], value, where + "/" + key.text());
      }
      return;
  }
}

TEST(Syntax, EveryFileOfTheRepositoryHasThePartsThatTheReaderSees) {
  const std::vector<rules::SourceFile> files = RepositoryYaml();
  ASSERT_GT(files.size(), 20U);
  for (const rules::SourceFile& file : files) {
    Diagnostics none;
    const std::optional<yaml::Document> document = yaml::Parse(file.path, file.text, &none);
    ExpectSame(file.text, ParseSyntax(file.text), document->root(), file.path);
  }
}

TEST(Syntax, ScalarsOfEveryStyleAreReadAsTheReaderReadsThem) {
  const std::string cases[] = {
      "a: plain\n  that goes on\n\n  after a blank line\nb: 1\n",
      "a: 'it''s\n  two lines'\nb: \"tab\\tand \\u4e2d \\\n  joined\"\n",
      "a: |\n  one\n    deeper\n\n  two\nb: 1\n",
      "a: |-\n  one\nb: |+\n  two\n\nc: 3\n",
      "a: >\n  folded\n  here\n\n  new\n    kept\n  last\nb: 1\n",
      "a: |2\n   indented\n  not\nb: 1\n",
      "- a: 1\n  b:\n  - x\n  - y\n-\n  c: 2\n- - p\n  - q\n",
      "a: {b: [1, {c: d}], e: 'f, g', h, i: }\nj: [k,\n  l]\n",
      "a: https://example.com/#x  # comment\n\"quoted key\": v\n'#': no comment\n",
      "---\na: 1 # one\n\n# between\nb: 2\n",
      "a:\r\n  b: 1\r\n  c: |\r\n    x\r\n    y\r\n",
  };
  for (const std::string& text : cases) {
    Diagnostics found;
    const std::optional<yaml::Document> document = yaml::Parse("x.yaml", text, &found);
    ASSERT_TRUE(document) << text << FormatDiagnostics(found);
    ExpectSame(text, ParseSyntax(text), document->root(), text);
  }
}

TEST(Syntax, EveryByteOfAScalarKnowsItsPlace) {
  const std::string text = "when: \"x == \\\"y\\\" && z\"\n";
  const Syntax root = ParseSyntax(text);
  const Decoded decoded = Decode(text, root.values[0]);
  ASSERT_EQ(decoded.text, "x == \"y\" && z");
  EXPECT_EQ(text.substr(decoded.at[12], 1), "z");
  EXPECT_EQ(text.substr(decoded.at[5], 2), "\\\"");
}

// `^` marks the cursor.
Cursor Marked(std::string text, std::string* clean, Syntax* root) {
  const std::size_t mark = text.find('^');
  text.erase(mark, 1);
  *clean = text;
  *root = ParseSyntax(*clean);
  return At(*clean, *root, mark);
}
std::string PathOf(const std::string& text) {
  std::string clean;
  Syntax root;
  const Cursor cursor = Marked(text, &clean, &root);
  std::string out;
  for (const std::string& step : cursor.path) out += "/" + step;
  return out + (cursor.key ? " key" : "");
}

TEST(Syntax, TheCursorHasAPathEvenWhereTheFileIsUnfinished) {
  EXPECT_EQ(PathOf("^"), " key");
  EXPECT_EQ(PathOf("ru^"), "");
  EXPECT_EQ(PathOf("rule: x\nab^\n"), " key");
  EXPECT_EQ(PathOf("rule: x^"), "/rule");
  EXPECT_EQ(PathOf("rule: ^\nabout: y\n"), "/rule");
  EXPECT_EQ(PathOf("criteria:\n  a:\n    wh^\n    label: x\n"), "/criteria/a key");
  EXPECT_EQ(PathOf("criteria:\n  a:\n    ^\nlaw: {}\n"), "/criteria/a key");
  EXPECT_EQ(PathOf("criteria:\n  a: {label: x, when: resident.^\nlaw: {}\n"), "/criteria/a/when");
  EXPECT_EQ(PathOf("criteria:\n  a: {label: x, ^\nlaw: {}\n"), "/criteria/a key");
  EXPECT_EQ(PathOf("criteria:\n  a: {label: x, la^}\n"), "/criteria/a key");
  EXPECT_EQ(PathOf("criteria:\n  a: {label: x, law: ^}\n"), "/criteria/a/law");
  EXPECT_EQ(PathOf("notify:\n  - ^\n"), "/notify/[] key");
  EXPECT_EQ(PathOf("notify:\n  - {on: eligible, channels: [app, ^]}\n"), "/notify/[]/channels/[]");
  EXPECT_EQ(PathOf("notify:\n  - on: eligible\n    ^\n"), "/notify/[] key");
  EXPECT_EQ(PathOf("a:\n  when: |\n    x &&\n    y^\nb: 1\n"), "/a/when");
}

TEST(Syntax, NoPrefixOfAFileAndNoCursorInItIsTooMuch) {
  const std::string text = ReadText(kRoot / "rules/futian/primary-school-enrolment.yaml").substr(0, 2500);
  for (std::size_t n = 0; n <= text.size(); n += 3) {
    const std::string_view prefix = std::string_view(text).substr(0, n);
    const Syntax root = ParseSyntax(prefix);
    const Cursor cursor = At(prefix, root, n);
    EXPECT_LE(root.end, n);
    EXPECT_LE(cursor.path.size(), 8U);
  }
}

}  // namespace
}  // namespace zhitui::editor
