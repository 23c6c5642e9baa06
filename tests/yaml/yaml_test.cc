#include "yaml/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace zhitui::yaml {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

Document Good(std::string text) {
  Diagnostics diagnostics;
  std::optional<Document> document = Parse("f.yaml", std::move(text), &diagnostics);
  EXPECT_TRUE(document) << FormatDiagnostics(diagnostics);
  return document ? std::move(*document) : Document();
}

Diagnostics Bad(std::string text) {
  Diagnostics diagnostics;
  EXPECT_FALSE(Parse("f.yaml", std::move(text), &diagnostics));
  EXPECT_FALSE(diagnostics.empty());
  return diagnostics;
}

std::string PlaceOf(const Location& at) { return std::to_string(at.line) + ":" + std::to_string(at.column); }

void ReplaceAll(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t i = text.find(from); i != std::string::npos; i = text.find(from, i + to.size())) {
    text.replace(i, from.size(), to);
  }
}

TEST(Bad, EveryDocumentOfTheTableIsRefusedAtItsPlace) {
  std::istringstream in(ReadFile(ZHITUI_SOURCE_DIR "/tests/yaml/bad.txt"));
  std::string line;
  std::string expected;
  std::string text;
  int cases = 0;
  const auto check = [&] {
    if (expected.empty()) return;
    ++cases;
    for (const auto& [from, to] :
         std::initializer_list<std::pair<const char*, std::string>>{{"<TAB>", "\t"},
                                                                    {"<CR>", "\r"},
                                                                    {"<FF>", "\xFF"},
                                                                    {"<NUL>", std::string(1, '\0')},
                                                                    {"<BOM>", "\xEF\xBB\xBF"},
                                                                    {"<RLO>", "\xE2\x80\xAE"},
                                                                    {"<LS>", "\xE2\x80\xA8"},
                                                                    {"<NEL>", "\xC2\x85"}}) {
      ReplaceAll(text, from, to);
    }
    if (const std::size_t end = text.find("<END>"); end != std::string::npos) text.resize(end);
    std::string got;
    const Diagnostics diagnostics = Bad(text);
    for (const Diagnostic& d : diagnostics) {
      got += (got.empty() ? "" : ", ") + PlaceOf(d.at) + " " + d.code;
      EXPECT_FALSE(d.message.empty());
      EXPECT_EQ(d.at.file, "f.yaml");
    }
    EXPECT_EQ(got, expected) << text << FormatDiagnostics(diagnostics);
    text.clear();
  };
  while (std::getline(in, line)) {
    if (line.starts_with("=== ")) {
      check();
      expected = line.substr(4);
    } else if (!expected.empty()) {
      text += line + "\n";
    }
  }
  check();
  EXPECT_GE(cases, 50);
}

TEST(Good, NodesKnowTheirKindTextAndPlace) {
  const Document d = Good(
      "# comment\n"
      "名字: 值  # note\n"
      "quoted: 'it''s'\n"
      "double: \"a\\tb\"\n"
      "list:\n"
      "  - x\n"
      "  - {k: v, 键: 二}\n"
      "  - - deep\n");
  const Node& root = d.root();
  ASSERT_TRUE(root.IsMapping());
  EXPECT_EQ(PlaceOf(root.at()), "2:1");
  const Node* name = root.Find("名字");
  ASSERT_NE(name, nullptr);
  EXPECT_EQ(name->text(), "值");
  EXPECT_EQ(PlaceOf(name->at()), "2:5");
  EXPECT_EQ(name->length(), 1U);
  EXPECT_FALSE(name->quoted());
  const Node* quoted = root.Find("quoted");
  EXPECT_EQ(quoted->text(), "it's");
  EXPECT_TRUE(quoted->quoted());
  EXPECT_EQ(PlaceOf(quoted->at()), "3:10");
  EXPECT_EQ(root.Find("double")->text(), "a\tb");
  const Node* list = root.Find("list");
  ASSERT_TRUE(list->IsSequence());
  EXPECT_EQ(PlaceOf(list->at()), "6:3");
  EXPECT_EQ(PlaceOf(list->items()[0].at()), "6:5");
  EXPECT_EQ(PlaceOf(list->items()[1].at()), "7:5");
  EXPECT_EQ(PlaceOf(list->items()[1].entries()[1].first.at()), "7:12");
  EXPECT_EQ(PlaceOf(list->items()[1].Find("键")->at()), "7:15");
  EXPECT_EQ(PlaceOf(list->items()[2].items()[0].at()), "8:7");
  EXPECT_EQ(root.Find("nothing"), nullptr);
  EXPECT_EQ(d.SourceLine(2), "名字: 值  # note");
  EXPECT_EQ(d.SourceLine(0), "");
  EXPECT_EQ(d.SourceLine(99), "");
  EXPECT_EQ(d.file(), "f.yaml");
}

TEST(Good, EntriesKeepTheOrderOfTheFile) {
  const Document d = Good("z: 1\na: 2\nm: 3\n");
  std::vector<std::string> keys;
  for (const auto& [key, value] : d.root().entries()) keys.push_back(key.text());
  EXPECT_THAT(keys, ElementsAre("z", "a", "m"));
}

TEST(Good, EmptyAndCommentOnlyFilesAreNull) {
  for (const char* text : {"", "\n", "# only a comment\n", "---\n", "\xEF\xBB\xBF"}) {
    const Document d = Good(text);
    EXPECT_TRUE(d.root().IsNull()) << text;
    EXPECT_EQ(PlaceOf(d.root().at()), "1:1");
  }
}

TEST(Good, WhatYaml11WouldConvertStaysText) {
  const Document d = Good("[no, yes, on, off, y, 010, 0o7, 0x1F, 1_000, 1:30, 1e3, .5, TRUE, 2026-03-01, .nan, +1]");
  std::vector<std::string> texts;
  for (const Node& item : d.root().items()) {
    ASSERT_TRUE(item.IsScalar());
    texts.push_back(item.text());
  }
  EXPECT_THAT(texts, ElementsAre("no", "yes", "on", "off", "y", "010", "0o7", "0x1F", "1_000", "1:30", "1e3", ".5",
                                 "TRUE", "2026-03-01", ".nan", "+1"));
}

TEST(Good, NullIsOnlyTheUnquotedWordOrNothing) {
  const Document d = Good("a:\nb: null\nc: ~\nd: 'null'\ne: \"\"\nf: nullable\ng: Null\n");
  EXPECT_TRUE(d.root().Find("a")->IsNull());
  EXPECT_TRUE(d.root().Find("b")->IsNull());
  EXPECT_TRUE(d.root().Find("c")->IsNull());
  EXPECT_TRUE(d.root().Find("d")->IsScalar());
  EXPECT_TRUE(d.root().Find("e")->IsScalar());
  EXPECT_TRUE(d.root().Find("e")->quoted());
  EXPECT_TRUE(d.root().Find("f")->IsScalar());
  EXPECT_TRUE(d.root().Find("g")->IsNull());
}

TEST(Good, AnEmptyValueIsPlacedAtItsKeyOrDash) {
  const Document d = Good("first: 1\nempty:\n# note\nnext:\n  null\nlist:\n  -\n  - x\n  -\nlast:\n");
  EXPECT_EQ(PlaceOf(d.root().Find("empty")->at()), "2:1");
  EXPECT_EQ(d.root().Find("empty")->length(), 5U);
  EXPECT_EQ(PlaceOf(d.root().Find("next")->at()), "5:3");
  EXPECT_EQ(PlaceOf(d.root().Find("list")->items()[0].at()), "7:3");
  EXPECT_EQ(PlaceOf(d.root().Find("list")->items()[2].at()), "9:3");
  EXPECT_EQ(PlaceOf(d.root().Find("last")->at()), "10:1");
}

TEST(Good, WindowsLineEndsDoNotMovePlaces) {
  const Document d = Good("a: 1\r\nb: x y\r\nc: |\r\n  one\r\n  two\r\n");
  EXPECT_EQ(d.root().Find("b")->text(), "x y");
  EXPECT_EQ(PlaceOf(d.root().Find("b")->at()), "2:4");
  EXPECT_EQ(d.SourceLine(2), "b: x y");
  EXPECT_EQ(PlaceOf(d.root().Find("c")->at()), "4:3");
  EXPECT_EQ(d.root().Find("c")->Lines()[1].source_line, "  two");
}

TEST(Good, AByteOrderMarkAtTheStartIsSkipped) {
  const Document d = Good(
      "\xEF\xBB\xBF"
      "a: 1\n");
  EXPECT_EQ(PlaceOf(d.root().Find("a")->at()), "1:4");
  EXPECT_EQ(d.SourceLine(1), "a: 1");
}

TEST(Good, TabsInsideTextsAndAfterKeysAreKept) {
  const Document d = Good("a: |\n  x\n  \ty\nb:\t1\nc: \"p\n\tq\"\nd: z\n");
  EXPECT_EQ(d.root().Find("a")->text(), "x\n\ty\n");
  EXPECT_EQ(d.root().Find("b")->text(), "1");
  EXPECT_EQ(d.root().Find("c")->text(), "p q");
}

TEST(Good, AnEntryWithoutAValueInBracesIsNull) {
  const Document d = Good("{甲, b: , c: ~, \"d\"}");
  ASSERT_EQ(d.root().entries().size(), 4U);
  const std::vector<std::string> places = {"1:2", "1:5", "1:13", "1:17"};
  for (std::size_t i = 0; i < places.size(); ++i) {
    EXPECT_TRUE(d.root().entries()[i].second.IsNull()) << i;
    EXPECT_EQ(PlaceOf(d.root().entries()[i].second.at()), places[i]) << i;
  }
}

TEST(Good, APairInBracketsIsAMapping) {
  const Document d = Good("[a: 1, 甲, b: ]");
  ASSERT_EQ(d.root().items().size(), 3U);
  EXPECT_EQ(d.root().items()[0].Find("a")->text(), "1");
  EXPECT_EQ(d.root().items()[1].text(), "甲");
  EXPECT_TRUE(d.root().items()[2].Find("b")->IsNull());
  EXPECT_EQ(PlaceOf(d.root().items()[2].at()), "1:11");
}

TEST(Good, ACommaMayEndBracesAndBrackets) {
  const Document d = Good("{a: [1, 2, ], b: {c: d, }, }");
  EXPECT_EQ(d.root().Find("a")->items().size(), 2U);
  EXPECT_EQ(d.root().Find("b")->entries().size(), 1U);
}

TEST(Good, AQuestionMarkOrColonInsideATextIsText) {
  const Document d = Good("a: {url: https://example.org/x?y=1, b: x ? y, \"c\":d, e?: 10:30}\nf: a:b ?c\n");
  const Node& a = *d.root().Find("a");
  EXPECT_EQ(a.Find("url")->text(), "https://example.org/x?y=1");
  EXPECT_EQ(a.Find("b")->text(), "x ? y");
  EXPECT_EQ(a.Find("c")->text(), "d");
  EXPECT_EQ(a.Find("e?")->text(), "10:30");
  EXPECT_EQ(d.root().Find("f")->text(), "a:b ?c");
}

TEST(Good, OneDocumentMayBeMarked) {
  for (const char* text : {"---\na: 1\n", "--- # note\na: 1\n...\n", "# note\n---\na: 1\n... # end\n# note\n"}) {
    EXPECT_EQ(Good(text).root().Find("a")->text(), "1") << text;
  }
  EXPECT_EQ(Good("--- x\n").root().text(), "x");
}

TEST(Good, BlockTextsKeepTheLineEndsTheirHeaderAsksFor) {
  const std::pair<const char*, const char*> cases[] = {
      {"a: |\n  x\n  y\n\n\nb: 1\n", "x\ny\n"},
      {"a: |-\n  x\n  y\n\n\nb: 1\n", "x\ny"},
      {"a: |+\n  x\n  y\n\n\nb: 1\n", "x\ny\n\n\n"},
      {"a: >\n  x\n  y\n\n  z\n\nb: 1\n", "x y\nz\n"},
      {"a: >-\n  x\n\n\n  y\nb: 1\n", "x\n\ny"},
      {"a: >+\n  x\n   y\n  z\n\nb: 1\n", "x\n y\nz\n\n"},
      {"a: |2-\n    x\n   y\nb: 1\n", "  x\n y"},
      {"a: |+1\n  x\n\nb: 1\n", " x\n\n"},
      {"a: |\r\n  x\r\n\r\n  y\r\nb: 1\r\n", "x\n\ny\n"},
      {"a: |\n  x", "x"},
      {"a: >-\n  x\n  ", "x"},
      {"a: |\n\nb: 1\n", ""},
      {"a: |+\n\nb: 1\n", "\n"},
      {"a: |\n  # x\n  - y: [\n", "# x\n- y: [\n"},
  };
  for (const auto& [text, value] : cases) EXPECT_EQ(Good(text).root().Find("a")->text(), value) << text;
}

TEST(Good, EscapesStandForTheirCharacters) {
  const Document d = Good(R"(["\u4e2d\U0001F600\x41", "\0\a\b\t\n\v\f\r\e", "\ \"\/\\", "\N\_\L\P", 'a\n'])");
  std::vector<std::string> texts;
  for (const Node& item : d.root().items()) texts.push_back(item.text());
  EXPECT_THAT(texts, ElementsAre("中\xF0\x9F\x98\x80"
                                 "A",
                                 std::string("\0\a\b\t\n\v\f\r\x1B", 9), " \"/\\",
                                 "\xC2\x85\xC2\xA0\xE2\x80\xA8\xE2\x80\xA9", "a\\n"));
}

TEST(Good, PlacesCountCharactersOfAnyLength) {
  const Document d = Good("é: {中文: \xF0\x9F\x98\x80, b: [甲, \"乙\"]}\r\n甲乙: |\r\n  丙\r\nc: 'it''s 中' \n");
  const Node& e = d.root().entries()[0].second;
  EXPECT_EQ(PlaceOf(e.at()), "1:4");
  EXPECT_EQ(PlaceOf(e.Find("中文")->at()), "1:9");
  EXPECT_EQ(e.Find("中文")->length(), 1U);
  EXPECT_EQ(PlaceOf(e.Find("b")->at()), "1:15");
  EXPECT_EQ(PlaceOf(e.Find("b")->items()[1].at()), "1:20");
  EXPECT_EQ(PlaceOf(d.root().Find("甲乙")->at()), "3:3");
  EXPECT_EQ(PlaceOf(d.root().Find("c")->at()), "4:5");
  EXPECT_EQ(d.root().Find("c")->length(), 7U);
}

TEST(Good, OnlyBracketsThatNestCountAsDepth) {
  const std::string run(40, '[');
  EXPECT_EQ(Good("# " + run + "\na: '" + run + "'\nb: |\n  " + run + "\n").root().Find("a")->text(), run);
}

struct LinesCase {
  const char* name;
  const char* text;  // the value of key a
  std::vector<std::string> places;
  const char* unfolded;
};

class LinesTest : public ::testing::TestWithParam<LinesCase> {};

TEST_P(LinesTest, EveryLineOfAScalarKnowsItsPlace) {
  const Document d = Good(GetParam().text);
  const Node* a = d.root().Find("a");
  ASSERT_NE(a, nullptr);
  std::vector<std::string> places;
  for (const Node::Line& line : a->Lines()) {
    places.push_back(PlaceOf({"", line.line, line.column}));
    EXPECT_EQ(line.source_line, d.SourceLine(line.line));
  }
  EXPECT_EQ(places, GetParam().places);
  EXPECT_EQ(a->Unfolded(), GetParam().unfolded);
  EXPECT_EQ(PlaceOf(a->at()), GetParam().places.front());
}

INSTANTIATE_TEST_SUITE_P(
    Styles, LinesTest,
    ::testing::Values(
        LinesCase{"plain", "a: x + y # c\n", {"1:4"}, "x + y"}, LinesCase{"plain_next_line", "a:\n  x\n", {"2:3"}, "x"},
        LinesCase{"plain_folded", "a: x &&\n    y ||\n   z  # c\nb: 1\n", {"1:4", "2:5", "3:4"}, "x &&\ny ||\nz"},
        LinesCase{"plain_blank_line", "a: x\n\n  y\n", {"1:4", "2:1", "3:3"}, "x\n\ny"},
        LinesCase{"plain_flow", "{b: 1, a: 甲 乙\n  丙, c: 2}\n", {"1:11", "2:3"}, "甲 乙\n丙"},
        LinesCase{"single", "a: 'x y'\n", {"1:5"}, "x y"},
        LinesCase{"single_quote_pair", "a: 'x''y'\n", {"1:5"}, "x'y"},
        LinesCase{"single_folded", "a: 'x  \n   y\n\n   z'\n", {"1:5", "2:4", "3:1", "4:4"}, "x\ny\n\nz"},
        LinesCase{"double", "甲: 1\na: \"x y\"\n", {"2:5"}, "x y"},
        LinesCase{"double_escape", "a: \"x\\ny\\u4e2dz\"\n", {"1:5", "1:8"}, "x\ny中z"},
        LinesCase{"double_joined", "a: \"x\\\n   y\"\n", {"1:5"}, "xy"},
        LinesCase{"literal", "a: |\n  x\n    y\n  z\nb: 1\n", {"2:3", "3:3", "4:3"}, "x\n  y\nz"},
        LinesCase{"literal_strip", "a: |-\n    x\n\n    y\n\n\nb: 1\n", {"2:5", "3:1", "4:5"}, "x\n\ny"},
        LinesCase{"literal_keep", "a: |+\n    x\n\nb: 1\n", {"2:5"}, "x"},
        LinesCase{"literal_comment", "a: | # note\n   x # kept\n", {"2:4"}, "x # kept"},
        LinesCase{"literal_indicator", "a: |2\n    x\n  y\n", {"2:3", "3:3"}, "  x\ny"},
        LinesCase{"literal_nested", "b:\n  - c: 1\n# top\na: |\n 甲\n 乙\n", {"5:2", "6:2"}, "甲\n乙"},
        LinesCase{"folded", "a: >\n  x &&\n  y\n  || z\n", {"2:3", "3:3", "4:3"}, "x &&\ny\n|| z"},
        LinesCase{
            "folded_more_indented", "a: >-\n  x\n    y\n\n  z\nb: 1\n", {"2:3", "3:3", "4:1", "5:3"}, "x\n  y\n\nz"},
        LinesCase{"folded_indicator", "a: >1\n  x\n y\n", {"2:2", "3:2"}, " x\ny"}),
    [](const auto& param_info) { return param_info.param.name; });

TEST(Lines, LeadingBlankLinesOfALiteralAreLines) {
  const Document d = Good("a: |\n\n  x\n  y\n");
  const Node* a = d.root().Find("a");
  EXPECT_EQ(a->text(), "\nx\ny\n");
  EXPECT_EQ(PlaceOf(a->at()), "3:3");
  ASSERT_EQ(a->Lines().size(), 3U);
  EXPECT_EQ(a->Lines()[0].line, 2U);
  EXPECT_EQ(PlaceOf({"", a->Lines()[1].line, a->Lines()[1].column}), "3:3");
  EXPECT_EQ(a->Unfolded(), "\nx\ny");
}

TEST(Limits, DepthIs32) {
  const auto nested = [](int n) {
    return std::string(static_cast<std::size_t>(n), '[') + std::string(static_cast<std::size_t>(n), ']');
  };
  Good(nested(32));
  EXPECT_EQ(Bad(nested(33))[0].code, "too-deep");
  std::string block;
  for (std::size_t i = 0; i < 33; ++i) block += std::string(i, ' ') + "a:\n";
  EXPECT_EQ(Bad(block)[0].code, "too-deep");
}

TEST(Limits, DeepNestingOfAnyShapeEndsWithADiagnostic) {
  for (const char* unit :
       {"[", "{", "- ", "? ", "[{", "a: ", "{a: ", "[a, [", "[\n", "{? ", "!a ", "&a ", "'a", "[[]", "[[],"}) {
    std::string text;
    while (text.size() < 200'000) text += unit;
    EXPECT_LE(Bad(text).size(), 100U) << unit;
  }
}

TEST(Limits, SizeIsOneMebibyte) {
  Good("# " + std::string(1024 * 1024 - 3, 'x') + "\n");
  EXPECT_EQ(Bad("# " + std::string(1024 * 1024 - 2, 'x') + "\n")[0].code, "too-large");
}

TEST(Limits, AMebibyteOnOneLineOrInOneTextIsReadInPlace) {
  std::string line = "{";
  while (line.size() < 1'000'000) line += "甲" + std::to_string(line.size()) + ": 乙乙乙乙乙乙乙乙, ";
  const std::size_t entries = static_cast<std::size_t>(std::count(line.begin(), line.end(), ','));
  const Document one = Good(line + "z: 1}");
  ASSERT_EQ(one.root().entries().size(), entries + 1);
  std::size_t points = 0;
  for (const char c : line) points += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  EXPECT_EQ(PlaceOf(one.root().Find("z")->at()), "1:" + std::to_string(points + 4));

  std::string text;
  while (text.size() < 1'000'000) text += "  文字 text\n";
  const Document block = Good("a: |\n" + text + "b: 1\n");
  EXPECT_EQ(block.root().Find("a")->text().size(), text.size() / 14 * 12);
  EXPECT_EQ(PlaceOf(block.root().Find("b")->at()), std::to_string(text.size() / 14 + 2) + ":4");
}

TEST(Limits, AKeyHas1024Characters) {
  const std::string key(1024, 'k');
  EXPECT_EQ(Good(key + ": 1\n").root().Find(key)->text(), "1");
  EXPECT_EQ(PlaceOf(Bad("a: 1\n" + key + "k: 1\n")[0].at), "2:1");
}

TEST(Limits, NodesAre100000) {
  std::string text = "[";
  for (int i = 0; i < 99'999; ++i) text += "1,";
  Good(text + "]");
  EXPECT_EQ(Bad(text + "1]")[0].code, "too-many-nodes");
}

TEST(Limits, AtMost100FaultsAreReported) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += "a: 1\n";
  EXPECT_EQ(Bad(text).size(), 100U);
}

TEST(Bad, Utf16IsNamed) {
  const Diagnostics d =
      Bad(std::string("\xFF\xFE"
                      "a\0",
                      4));
  EXPECT_EQ(d[0].code, "encoding");
  EXPECT_THAT(d[0].message, HasSubstr("UTF-16"));
  EXPECT_EQ(d[0].at.line, 0U);
}

TEST(Bad, TheCaretLineIsTheSourceLine) {
  const Diagnostics d = Bad("好: 1\n好: 2\n");
  EXPECT_EQ(FormatDiagnostics(d),
            "f.yaml:2:1: error [duplicate-key]: the key \"好\" is here twice\n"
            "    好: 2\n"
            "    ^^\n"
            "    hint: the first one is on line 1; keep one of them\n");
}

class ReaderTest : public ::testing::Test {
 protected:
  std::vector<std::string> Faults() const {
    std::vector<std::string> out;
    for (const Diagnostic& d : diagnostics_) out.push_back(PlaceOf(d.at) + " " + d.code);
    return out;
  }
  Diagnostics diagnostics_;
};

TEST_F(ReaderTest, ReadsEveryType) {
  const Document d = Good(
      "s: text\nb: true\ni: -12\nd: 2.5\nday: 2024-02-29\nlist: [a, 'b']\none: x\nchoice: sms\nlabel: {zh: 中, en: e}\n"
      "plain: 文\n");
  Reader r(d.root(), &diagnostics_);
  EXPECT_TRUE(r.valid());
  EXPECT_EQ(r.String("s"), "text");
  EXPECT_TRUE(r.Bool("b"));
  EXPECT_EQ(r.Int("i", std::nullopt, -100, 100), -12);
  EXPECT_EQ(r.Double("d", std::nullopt, 0, 10), 2.5);
  EXPECT_EQ(r.DateAt("day", true), MakeDate(2024, 2, 29));
  EXPECT_THAT(r.Strings("list", true), ElementsAre("a", "b"));
  EXPECT_THAT(r.Strings("one", true), ElementsAre("x"));
  EXPECT_EQ(r.OneOf("choice", std::nullopt, {"app", "sms"}), "sms");
  EXPECT_EQ(r.LocalText("label", true), (Text{"中", "e"}));
  EXPECT_EQ(r.LocalText("plain", true), (Text{"文", ""}));
  EXPECT_EQ(r.String("absent", "default"), "default");
  EXPECT_EQ(r.Int("absent2", 7, 0, 9), 7);
  EXPECT_EQ(r.Optional("absent3"), nullptr);
  EXPECT_EQ(r.DateAt("absent4", false), std::nullopt);
  r.Done();
  EXPECT_THAT(Faults(), IsEmpty()) << FormatDiagnostics(diagnostics_);
}

TEST_F(ReaderTest, ReportsAllThatIsWrongAtItsPlace) {
  const Document d = Good(
      "s: [1]\nb: yes\ni: 010\nd: abc\nday: 2026-02-30\nlist: {a: 1}\nchoice: smss\nlabel: {en: only}\nextra: 1\nbig: "
      "11\n"
      "empty:\n");
  Reader r(d.root(), &diagnostics_);
  r.String("s");
  r.Bool("b");
  r.Int("i", std::nullopt, 0, 100);
  r.Double("d", std::nullopt, 0, 1);
  r.DateAt("day", true);
  r.Strings("list", true);
  r.OneOf("choice", std::nullopt, {"app", "sms"});
  r.LocalText("label", true);
  r.Int("big", std::nullopt, 0, 10);
  r.String("empty");
  r.Required("missing");
  r.Done();
  EXPECT_THAT(Faults(), ElementsAre("1:4 wrong-type", "2:4 wrong-type", "3:4 wrong-type", "4:4 wrong-type",
                                    "5:6 wrong-type", "6:7 wrong-type", "7:9 unknown-value", "8:8 missing-key",
                                    "10:6 out-of-range", "11:1 wrong-type", "1:1 missing-key", "9:1 unknown-key"))
      << FormatDiagnostics(diagnostics_);
  EXPECT_EQ(diagnostics_[6].hint, "did you mean sms?");
}

TEST_F(ReaderTest, AnUnknownKeySuggestsTheNearestOneThatIsFree) {
  const Document d = Good("tittle: x\nowner: y\nquite_other: z\n");
  Reader r(d.root(), &diagnostics_);
  r.String("title", "");
  r.String("owner");
  r.Done();
  ASSERT_EQ(diagnostics_.size(), 2U);
  EXPECT_EQ(diagnostics_[0].hint, "did you mean title?");
  EXPECT_EQ(diagnostics_[0].length, 6U);
  EXPECT_EQ(diagnostics_[1].hint, "write one of: title, owner");
}

TEST_F(ReaderTest, ANodeThatIsNotAMappingIsReportedOnce) {
  const Document d = Good("kind：resident\n");
  Reader r(d.root(), &diagnostics_);
  EXPECT_FALSE(r.valid());
  EXPECT_EQ(r.String("kind"), "");
  EXPECT_EQ(r.Required("facts"), nullptr);
  r.Done();
  ASSERT_EQ(diagnostics_.size(), 1U);
  EXPECT_EQ(diagnostics_[0].code, "wrong-type");
  EXPECT_THAT(diagnostics_[0].hint, HasSubstr("full-width colon"));
}

TEST_F(ReaderTest, NumbersAndTruthValuesHaveOneSpelling) {
  const Document d = Good(
      "ints: [0, -1, 9223372036854775807, 9223372036854775808, 007, '5', 1.0, 1e3, +1, 0x10, 1_000, -0, ~]\n"
      "bools: [true, false, True, yes, 'true', 1]\n");
  std::vector<std::optional<std::int64_t>> ints;
  for (const Node& n : d.root().Find("ints")->items()) ints.push_back(ToInt(n, &diagnostics_));
  EXPECT_THAT(ints, ElementsAre(0, -1, INT64_MAX, std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt,
                                std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt));
  std::vector<std::optional<bool>> bools;
  for (const Node& n : d.root().Find("bools")->items()) bools.push_back(ToBool(n, &diagnostics_));
  EXPECT_THAT(bools, ElementsAre(true, false, std::nullopt, std::nullopt, std::nullopt, std::nullopt));
  EXPECT_EQ(diagnostics_.size(), 14U);
}

TEST_F(ReaderTest, DoublesAreFiniteDecimals) {
  const Document d = Good("a: 1e3\nb: .inf\nc: nan\nd: 1e999\ne: 1.\nf: 0x1p3\ng: '1'\n");
  Reader r(d.root(), &diagnostics_);
  EXPECT_EQ(r.Double("a", std::nullopt, 0, 1e6), 1000);
  for (const char* key : {"b", "c", "d", "e", "f", "g"}) EXPECT_EQ(r.Double(key, 0.25, 0, 1e6), 0.25) << key;
  EXPECT_EQ(diagnostics_.size(), 6U);
}

}  // namespace
}  // namespace zhitui::yaml
