// Every mistake and warning has its Chinese: those that the examples of the other tests and of the pages give, and the
// sentences that stand in the sources.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <string>

#include "authoring/authoring.h"
#include "authoring/chinese.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace zhitui::authoring {
namespace {

namespace fs = std::filesystem;

fs::path Root() { return ZHITUI_SOURCE_DIR; }

std::string ReadText(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// ---- What a Chinese sentence may hold

// Names that Chinese texts write in Latin letters.
const std::set<std::string> kProper = {"UTF", "GBK", "YAML", "MiB", "LF", "CR", "RE", "GB", "PEM", "Unicode", "T"};

// English that is left over; empty: none. Outside of back quotes no word; within them no sentence.
std::string LeftOver(const std::string& zh) {
  static const std::regex word("[A-Za-z]+");
  static const std::regex sentence("[a-z]{2,}( [a-z]{2,}){3,}");
  std::string outside;
  bool inside = false;
  std::string quoted;
  for (const char c : zh) {
    if (c == '`') {
      std::smatch m;
      if (inside && std::regex_search(quoted, m, sentence)) return m[0];
      inside = !inside;
      quoted.clear();
      outside += ' ';
    } else {
      (inside ? quoted : outside) += c;
    }
  }
  if (inside) return "an open back quote";
  for (std::sregex_iterator it(outside.begin(), outside.end(), word), end; it != end; ++it) {
    if (!kProper.contains(it->str())) return it->str();
  }
  return "";
}

bool HasLetters(const std::string& text) { return text.find_first_of("abcdefghijklmnopqrstuvwxyz") != text.npos; }

void ExpectChinese(const std::string& english, const std::string& where) {
  if (english.empty()) return;
  const std::string zh = InChinese(english);
  EXPECT_FALSE(zh.empty()) << where << ": " << english;
  EXPECT_EQ(LeftOver(zh), "") << where << ": " << english << "\n" << zh;
}

std::size_t ExpectChinese(const Diagnostics& found, const std::string& where) {
  for (const Diagnostic& d : found) {
    ExpectChinese(d.message, where + " [" + d.code + "] message");
    ExpectChinese(d.hint, where + " [" + d.code + "] hint");
  }
  return found.size();
}

// ---- The catalogue

std::size_t Places(std::string_view en) {
  std::size_t n = 0;
  for (std::size_t at = en.find("{}"); at != std::string_view::npos; at = en.find("{}", at + 2)) ++n;
  return n;
}

TEST(Catalogue, HasOneEntryForASentence) {
  for (const std::span<const Phrase> phrases : {Phrases(), Parts()}) {
    std::set<std::string_view> seen;
    for (const Phrase& phrase : phrases) EXPECT_TRUE(seen.insert(phrase.en).second) << phrase.en;
  }
  EXPECT_GT(Phrases().size(), 250U);
}

// `base_url: {}` leaves out what a library says.
TEST(Catalogue, EveryPlaceIsUsedAndNoneIsOutOfRange) {
  static const std::regex place("\\{(t?)([1-9])\\}");
  for (const std::span<const Phrase> phrases : {Phrases(), Parts()}) {
    for (const Phrase& phrase : phrases) {
      if (phrase.en == "base_url: {}") continue;
      const std::size_t places = Places(phrase.en);
      const std::string zh(phrase.zh);
      std::set<std::size_t> used;
      for (std::sregex_iterator it(zh.begin(), zh.end(), place), end; it != end; ++it) {
        if (phrase.en.find(it->str()) == std::string_view::npos) used.insert(std::stoul((*it)[2]));  // \d{9} is code
      }
      EXPECT_EQ(used.size(), places) << phrase.en;
      EXPECT_TRUE(used.empty() || *used.rbegin() <= places) << phrase.en;
    }
  }
}

TEST(Catalogue, HasNoEnglishAndNoHalfWidthPunctuationOutsideOfBackQuotes) {
  for (const std::span<const Phrase> phrases : {Phrases(), Parts()}) {
    for (const Phrase& phrase : phrases) {
      EXPECT_FALSE(phrase.en.empty()) << phrase.zh;
      const std::string zh = std::regex_replace(std::string(phrase.zh), std::regex("\\{t?[1-9]\\}"), "7");
      EXPECT_EQ(LeftOver(zh), "") << phrase.en;
      const std::string outside = std::regex_replace(zh, std::regex("`[^`]*`"), "");
      EXPECT_EQ(outside.find_first_of(",;:!?\"()"), std::string::npos) << zh << ": half-width punctuation";
    }
  }
}

// ---- Sentences

TEST(InChinese, LeavesNamesAsTheyStandAndTranslatesWhatIsNoName) {
  EXPECT_EQ(InChinese("the key text is missing here"), "此处缺少键 `text`");
  EXPECT_EQ(InChinese("the key \"notfy\" is not known here"), "此处没有 `notfy` 这个键");
  EXPECT_EQ(InChinese("expected a whole number such as 70, found \"x\""), "此处应为整数，如 70，实际是 `x`");
  EXPECT_EQ(InChinese("expected a date such as 2026-03-01, found \"2026-02-30\""),
            "此处应为日期，如 2026-03-01，实际是 `2026-02-30`");
  EXPECT_EQ(InChinese("expected `)`, found the end of the expression"), "此处应为 `)`，实际是表达式的结尾");
  EXPECT_EQ(InChinese("A list(string) has no fields"), "列表（`list(string)`）没有字段");
  EXPECT_EQ(InChinese("this gives an int, but a condition (bool) is needed"),
            "此处的结果是整数（`int`），需要的是条件（`bool`）");
}

TEST(InChinese, APatternWithMoreWordsGoesBeforeOneWithFewer) {
  EXPECT_EQ(InChinese("write has(a.b), or declare the fact nullable"),
            "写成 `has(a.b)`，或把这项资料声明为 `nullable`");
  EXPECT_EQ(InChinese("write has(a.b)"), "写成 `has(a.b)`");
}

TEST(InChinese, WhatIsNotInTheCatalogueIsEmpty) {
  EXPECT_EQ(InChinese("nobody wrote this sentence"), "");
  EXPECT_EQ(InChinese("an int"), "");  // a part is no sentence
}

TEST(InLanguage, KeepsPlacesAndCodesAndTheEnglishWhereThereIsNoChinese) {
  Diagnostic d;
  d.at = {"a.yaml", 3, 5};
  d.code = "missing-key";
  d.message = "the key when is missing here";
  d.hint = "nobody wrote this sentence";
  d.source_line = "  m: {}";
  const Diagnostics zh = InLanguage({d}, "zh");
  ASSERT_EQ(zh.size(), 1U);
  EXPECT_EQ(zh[0].message, "此处缺少键 `when`");
  EXPECT_EQ(zh[0].hint, d.hint);
  EXPECT_EQ(zh[0].code, d.code);
  EXPECT_EQ(zh[0].at.line, 3U);
  EXPECT_EQ(InLanguage({d}, "en")[0].message, d.message);
  EXPECT_EQ(FormatDiagnostics(zh, "zh"),
            "a.yaml:3:5: 错误 [missing-key]：此处缺少键 `when`\n"
            "      m: {}\n"
            "        ^\n"
            "    提示：nobody wrote this sentence\n");
  Diagnostic warning = d;
  warning.severity = Severity::kWarning;
  EXPECT_THAT(FormatDiagnostics({warning}, "zh"), ::testing::HasSubstr("a.yaml:3:5: 警告 [missing-key]："));
  EXPECT_THAT(FormatDiagnostics({warning}), ::testing::HasSubstr("a.yaml:3:5: warning [missing-key]: "));
}

// ---- C++ as text: string literals and calls

// The literal that begins at `at` (a quote, or R"), unescaped; `at` moves behind it.
std::string Literal(const std::string& s, std::size_t& at) {
  if (s.compare(at, 3, "R\"(") == 0) {
    const std::size_t end = s.find(")\"", at);
    const std::string out = s.substr(at + 3, end - at - 3);
    at = end + 2;
    return out;
  }
  std::string out;
  for (++at; at < s.size() && s[at] != '"'; ++at) {
    if (s[at] != '\\') {
      out += s[at];
      continue;
    }
    const char c = s[++at];
    out += c == 'n' ? '\n' : c == 't' ? '\t' : c;
  }
  ++at;
  return out;
}

bool AtLiteral(const std::string& s, std::size_t at) { return s[at] == '"' || s.compare(at, 3, "R\"(") == 0; }

// Moves over one character, literal or character constant.
void Step(const std::string& s, std::size_t& at) {
  if (AtLiteral(s, at)) {
    Literal(s, at);
  } else if (s[at] == '\'') {
    at += s[at + 1] == '\\' ? 4 : 3;
  } else if (s.compare(at, 2, "//") == 0) {
    at = std::min(s.find('\n', at), s.size());
  } else {
    ++at;
  }
}

// What stands between the bracket at `open` and its counterpart.
std::string Inside(const std::string& s, std::size_t open) {
  int depth = 0;
  for (std::size_t at = open; at < s.size();) {
    const char c = s[at];
    const bool literal = AtLiteral(s, at);
    if (!literal && (c == '(' || c == '{' || c == '[')) ++depth;
    if (!literal && (c == ')' || c == '}' || c == ']') && --depth == 0) return s.substr(open + 1, at - open - 1);
    Step(s, at);
  }
  return "";
}

std::string Trim(const std::string& s) {
  const std::size_t first = s.find_first_not_of(" \t\n");
  return first == std::string::npos ? "" : s.substr(first, s.find_last_not_of(" \t\n") - first + 1);
}

// `s` divided at the sign where no bracket is open; the empty text has no part.
std::vector<std::string> SplitAt(const std::string& s, char sign) {
  std::vector<std::string> out;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < s.size();) {
    const char c = s[at];
    const bool literal = AtLiteral(s, at);
    if (!literal && (c == '(' || c == '{' || c == '[')) ++depth;
    if (!literal && (c == ')' || c == '}' || c == ']')) --depth;
    if (!literal && depth == 0 && c == sign) {
      const bool twice = (at + 1 < s.size() && s[at + 1] == sign) || (at > 0 && s[at - 1] == sign);
      if (!twice) {
        out.push_back(Trim(s.substr(begin, at - begin)));
        begin = at + 1;
      }
    }
    Step(s, at);
  }
  if (const std::string last = Trim(s.substr(begin)); !last.empty() || !out.empty()) out.push_back(last);
  return out;
}

// Adjacent literals as one text; nullopt: it is something else.
std::optional<std::string> WholeLiteral(const std::string& expression) {
  std::string out;
  std::size_t at = 0;
  const std::string s = Trim(expression);
  if (s.empty()) return std::nullopt;
  while (at < s.size()) {
    if (!AtLiteral(s, at)) return std::nullopt;
    out += Literal(s, at);
    at = std::min(s.find_first_not_of(" \t\n", at), s.size());
  }
  return out;
}

// The arguments of every call of one of these names in the source.
std::vector<std::vector<std::string>> Calls(const std::string& source, const std::string& names) {
  std::vector<std::vector<std::string>> out;
  const std::regex call("\\b(?:" + names + ")\\s*[({]");
  for (std::sregex_iterator it(source.begin(), source.end(), call), end; it != end; ++it) {
    const auto open = static_cast<std::size_t>(it->position() + it->length() - 1);
    out.push_back(SplitAt(Inside(source, open), ','));
  }
  return out;
}

// ---- The examples of other tests

// All literals of an expression, one after the other; nullopt where a name stands between them that is not `known`.
std::optional<std::string> Texts(const std::string& expression, const std::map<std::string, std::string>& known = {}) {
  std::string out;
  for (const std::string& part : SplitAt(expression, '+')) {
    if (const auto it = known.find(part); it != known.end()) {
      out += it->second;
    } else if (const std::optional<std::string> text = WholeLiteral(part)) {
      out += *text;
    } else if (part.starts_with("std::string(") || part.starts_with("Good(")) {
      const std::optional<std::string> inner = Texts(Inside(part, part.find('(')), known);
      if (!inner) return std::nullopt;
      out += (part[0] == 'G' ? known.at("kGood") : "") + *inner;
    } else {
      return std::nullopt;
    }
  }
  return out;
}

std::size_t ExpectChineseOfFiles(const std::vector<rules::SourceFile>& files, const std::string& where) {
  return ExpectChinese(Check(files).diagnostics, where);
}

TEST(Examples, TheTenMistakesOfARulesFolder) {
  const auto files = LoadFolder((Root() / "tests/rules/bad_ten").string());
  ASSERT_TRUE(files.has_value());
  EXPECT_EQ(ExpectChineseOfFiles(*files, "bad_ten"), 10U);
}

TEST(Examples, EveryDocumentThatIsNoYaml) {
  std::string table = ReadText(Root() / "tests/yaml/bad.txt");
  const std::map<std::string, std::string> signs = {{"<TAB>", "\t"},           {"<CR>", "\r"},
                                                    {"<FF>", "\xFF"},          {"<NUL>", std::string(1, '\0')},
                                                    {"<BOM>", "\xEF\xBB\xBF"}, {"<RLO>", "\xE2\x80\xAE"},
                                                    {"<LS>", "\xE2\x80\xA8"},  {"<NEL>", "\xC2\x85"}};
  std::size_t seen = 0;
  for (std::size_t at = table.find("\n=== "); at != std::string::npos;) {
    const std::size_t next = table.find("\n=== ", at + 1);
    const std::size_t begin = table.find('\n', at + 1) + 1;
    std::string text = table.substr(begin, next == std::string::npos ? next : next + 1 - begin);
    for (const auto& [from, to] : signs) {
      for (std::size_t i = text.find(from); i != std::string::npos; i = text.find(from, i + to.size())) {
        text.replace(i, from.size(), to);
      }
    }
    if (const std::size_t end = text.find("<END>"); end != std::string::npos) text.resize(end);
    Diagnostics found;
    yaml::Parse("f.yaml", text, &found);
    seen += ExpectChinese(found, text);
    at = next;
  }
  EXPECT_GT(seen, 50U);
}

// The table of tests/rules: a body below the head of a rule.
TEST(Examples, EveryMistakeInARuleFile) {
  const std::string source = ReadText(Root() / "tests/rules/loading_test.cc");
  const std::string support = ReadText(Root() / "tests/rules/rules_support.h");
  std::size_t schema_at = support.find("R\"(kind: person");
  ASSERT_NE(schema_at, std::string::npos);
  const rules::SourceFile schema{"facts/person.yaml", Literal(support, schema_at)};
  const std::string good = "criteria:\n  m: {label: 会员, when: person.member}\n";
  std::size_t seen = 0;
  for (const std::vector<std::string>& args : Calls(source, "Case")) {
    if (args.size() != 5) continue;
    const std::optional<std::string> body = Texts(args[1], {{"kGood", good}});
    ASSERT_TRUE(body.has_value()) << args[1];
    Diagnostics found;
    rules::RuleSet::Build(
        {schema, {"r.yaml", "rule: r\nabout: person\ntitle: 规则\nowner: 办公室\ntopic: t\n" + *body}}, &found);
    seen += ExpectChinese(found, *body);
  }
  EXPECT_GE(seen, 40U);
}

TEST(Examples, EveryMistakeInAnExpression) {
  const std::string source = ReadText(Root() / "tests/cel/mistakes_test.cc");
  cel::Env env;
  env.AddVariable("resident.hukou.city", value::Primitive(value::Kind::kString), 0);
  env.AddVariable("resident.birth_date", value::Primitive(value::Kind::kDate), 1);
  env.AddVariable("resident.income", value::Primitive(value::Kind::kDecimal), 2);
  env.AddVariable("resident.rooms", value::Primitive(value::Kind::kInt), 3);
  env.AddVariable("resident.guardians",
                  value::ListOf(value::Record("guardian", {{"hukou_city", value::Primitive(value::Kind::kString)}})),
                  4);
  std::size_t seen = 0;
  const auto look = [&](const std::string& text) {
    Diagnostics found;
    cel::Compile(cel::Source{text, "r.yaml", {}}, env, value::Primitive(value::Kind::kBool), &found);
    seen += ExpectChinese(found, text);
  };
  for (const std::vector<std::string>& args : Calls(source, "Mistake|Source")) {
    if (args.empty()) continue;
    if (const std::optional<std::string> text = WholeLiteral(args[0])) look(*text);
  }
  // Types and operators that the table does not bring together.
  for (const char* text : {"-'x' == 'y'",
                           "resident.rooms in resident.rooms",
                           "[1] == 1",
                           "1 ? true : false",
                           "true ? 1 : 'x'",
                           "{'a': 1}[2] == 1",
                           "1[0]",
                           "resident.guardians['a'] == 1",
                           "duration('1h') + 1 == 2",
                           "resident.birth_date + resident.birth_date == today",
                           "resident.income / 3 > 1",
                           "resident.income % 2 == 1",
                           "optional.of(1) + 1 == 2",
                           "resident.guardians.map(g, g.x) == []",
                           "resident.rooms.exists(x, true)",
                           "resident.guardians.all(g, 1)",
                           "{1.5: 2} == {}",
                           "years(18) > years(2)",
                           "bytes('x') == 1",
                           "1u + 1 == 2",
                           "timestamp('2026-03-01T00:00:00Z') == 1",
                           "resident.birth_date == 2000",
                           "resident",
                           "has(x)",
                           "x.y",
                           "decimal('x') > 1",
                           "period('x') == years(1)",
                           "round(resident.income, 99, 'up') > 1",
                           "age == 1",
                           "round(resident.income, 2, 'x') > 1",
                           "age(today, today, 'x') > 1",
                           "school_year(today, 2, 29) > 1",
                           "[?1] == []",
                           "1 +",
                           "a.",
                           "a.1",
                           "{1} == 1",
                           "f(1,)",
                           "f(1;2)",
                           "[1;2]",
                           "A{b: 1}",
                           "'\\q' == 'q'",
                           "'\\ud800' == 'q'",
                           "1e999 > 1",
                           "99999999999999999999u > 1u",
                           "1a > 1",
                           "a | b",
                           "`",
                           "\x01",
                           "$",
                           "is_working_day(today)",
                           "today.size(1)",
                           "cel.bind(1)",
                           "has()",
                           "[1].all(x, x, true)",
                           "[1].map(x)",
                           "resident.guardians.exists(g, g.hukou_city.exists(x, x))",
                           "type(1) == 1",
                           "resident.rooms == null",
                           "today && true"}) {
    look(text);
  }
  EXPECT_GT(seen, 75U);
}

TEST(Examples, EveryMistakeInAFactFile) {
  const std::string source = ReadText(Root() / "tests/facts/schema_test.cc");
  const std::string head = "kind: k\nsources: {s: 源}\nfacts:\n";
  std::size_t seen = 0;
  const auto look = [&](const std::string& text) {
    Diagnostics found;
    if (const auto document = yaml::Parse("facts/k.yaml", text, &found)) facts::ParseSchema(*document, &found);
    seen += ExpectChinese(found, text);
  };
  for (const std::vector<std::string>& args : Calls(source, "FaultsOf")) {
    if (args.size() != 1) continue;
    if (const std::optional<std::string> text = Texts(args[0])) look(*text);
  }
  for (const std::vector<std::string>& args : Calls(source, "FaultsOfFacts")) {
    if (args.empty()) continue;
    const std::optional<std::string> text = Texts(args[0]);
    const std::optional<std::string> more = args.size() > 1 ? Texts(args[1]) : "";
    if (text && more) look(head + *text + *more);
  }
  EXPECT_GT(seen, 25U);
}

TEST(Examples, EveryMistakeInAMessage) {
  const std::string source = ReadText(Root() / "tests/message/message_test.cc");
  std::size_t seen = 0;
  for (const std::vector<std::string>& args : Calls(source, "Build")) {
    if (args.size() != 2) continue;
    const std::optional<std::string> text = Texts(args[0]);
    if (!text) continue;
    Diagnostics found;
    std::vector<yaml::Document> documents;
    if (auto document = yaml::Parse("messages/m.yaml", *text, &found)) documents.push_back(std::move(*document));
    message::TemplateSet::Build(documents, &found);
    seen += ExpectChinese(found, *text);
  }
  EXPECT_GE(seen, 5U);
}

// ---- The pages of docs/errors

// The blocks of YAML between two places of a page, by file; a block may begin with the name of its file.
std::map<std::string, std::string> Blocks(const std::string& page, std::size_t begin, std::size_t end) {
  std::map<std::string, std::string> out;
  for (std::size_t at = page.find("```yaml\n", begin); at < end; at = page.find("```yaml\n", at)) {
    at += 8;
    std::string text = page.substr(at, page.find("\n```", at) + 1 - at);
    std::string file = "city/allowance.yaml";
    if (text.starts_with("# ")) {
      file = text.substr(2, text.find('\n') - 2);
      text.erase(0, text.find('\n') + 1);
    }
    out[file] = text;
  }
  return out;
}

// The parts of a file that begin in the first column, by key.
std::map<std::string, std::string> TopLevel(const std::string& text) {
  std::map<std::string, std::string> out;
  std::string key;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    if (text[at] != ' ' && text[at] != '\n') key = text.substr(at, text.find(':', at) - at);
    out[key] += text.substr(at, end - at);
    at = end;
  }
  return out;
}

// What a page shows replaces what the folder of the examples has: a key of a file, or the file if it begins one.
std::vector<rules::SourceFile> Shown(const std::map<std::string, std::string>& base,
                                     const std::map<std::string, std::string>& blocks) {
  std::map<std::string, std::string> files = base;
  for (const auto& [file, text] : blocks) {
    std::map<std::string, std::string> parts = TopLevel(text);
    const bool whole = parts.contains("kind") || parts.contains("message") || parts.contains("calendar") ||
                       (parts.contains("rule") && parts.contains("about"));
    if (whole || !files.contains(file)) {
      files[file] = text;
      continue;
    }
    parts.merge(TopLevel(files[file]));
    files[file].clear();
    for (const auto& [key, part] : parts) files[file] += part;
  }
  std::vector<rules::SourceFile> out;
  for (const auto& [file, text] : files) out.push_back({file, text});
  return out;
}

// Mistakes, or else warnings where the room has such.
template <class CheckReport>
Diagnostics FoundIn(const CheckReport& report, const std::vector<rules::SourceFile>& files) {
  if constexpr (requires { Lint(report, files); }) {
    if (report.ok()) return Lint(report, files);
  }
  return report.diagnostics;
}

TEST(Examples, EveryWrongExampleOfThePages) {
  const fs::path pages = Root() / "docs" / "errors";
  ASSERT_TRUE(fs::exists(pages));
  const std::string index = ReadText(pages / "README.md");
  const std::map<std::string, std::string> base = Blocks(index, 0, index.size());
  ASSERT_FALSE(base.empty());
  std::size_t shown = 0;
  std::size_t found_its_code = 0;
  for (const auto& entry : fs::directory_iterator(pages)) {
    const std::string page = ReadText(entry.path());
    const std::size_t wrong = page.find("\n## Wrong\n");
    if (wrong == std::string::npos) continue;
    const std::vector<rules::SourceFile> files =
        Shown(base, Blocks(page, wrong, std::min(page.find("\n## ", wrong + 1), page.size())));
    const Diagnostics found = FoundIn(Check(files), files);
    ExpectChinese(found, entry.path().filename().string());
    ++shown;
    const std::string code = entry.path().stem().string();
    if (std::any_of(found.begin(), found.end(), [&](const Diagnostic& d) { return d.code == code; })) ++found_its_code;
  }
  EXPECT_GT(shown, 0U);
  EXPECT_GT(found_its_code, 0U);
}

// ---- The sentences of the sources

constexpr const char* kValue = "7";  // stands for what is not known before it runs

// The texts that an expression may give; a value that is computed is kValue. `constants` are texts with a name.
std::set<std::string> Alternatives(const std::string& expression, const std::map<std::string, std::string>& constants) {
  const std::string s = Trim(expression);
  if (s.starts_with('(') && Inside(s, 0).size() + 2 == s.size()) return Alternatives(Inside(s, 0), constants);
  const std::vector<std::string> choice = SplitAt(s, '?');
  if (choice.size() > 1) {
    // c ? a : b, where b may choose again.
    std::string rest = s.substr(s.find(choice[0]) + choice[0].size());
    rest = rest.substr(rest.find('?') + 1);
    const std::vector<std::string> arms = SplitAt(rest, ':');
    if (arms.size() < 2) return {kValue};
    std::set<std::string> out = Alternatives(arms[0], constants);
    std::string other = arms[1];
    for (std::size_t i = 2; i < arms.size(); ++i) other += " : " + arms[i];
    out.merge(Alternatives(other, constants));
    return out;
  }
  std::set<std::string> out = {""};
  for (const std::string& part : SplitAt(s, '+')) {
    std::set<std::string> texts = {kValue};
    if (const std::optional<std::string> text = WholeLiteral(part)) {
      texts = {*text};
    } else if (const auto it = constants.find(part); it != constants.end()) {
      texts = {it->second};
    } else if (part.starts_with("Quote(") || part.starts_with("JsonQuote(")) {
      texts = {"\"7\""};
    } else if (part.starts_with("NumberHint(")) {
      texts = {"", ": write 7"};
    } else if (part.starts_with("std::string(") && Inside(part, 11).size() + 13 == part.size()) {
      texts = Alternatives(Inside(part, 11), constants);
    } else if (part.starts_with('(')) {
      texts = Alternatives(part, constants);
    }
    std::set<std::string> longer;
    for (const std::string& before : out) {
      for (const std::string& text : texts) longer.insert(before + text);
    }
    out = std::move(longer);
  }
  return out;
}

class Sources : public ::testing::Test {
 protected:
  static std::vector<fs::path> Files() {
    std::vector<fs::path> out;
    for (const char* room : {"yaml", "facts", "cel", "rules", "message", "authoring"}) {
      for (const auto& entry : fs::directory_iterator(Root() / "src" / room)) {
        const std::string name = entry.path().filename().string();
        if (name != "phrases.cc" && name != "chinese.cc") out.push_back(entry.path());
      }
    }
    for (const char* file :
         {"src/daemon/config.cc", "src/daemon/config_reader.cc", "src/daemon/config_reader.h",
          "src/delivery/settings.cc", "connectors/sms/aliyun.cc", "connectors/wechat/template_message.cc"}) {
      out.push_back(Root() / file);
    }
    return out;
  }

  static std::map<std::string, std::string> Constants(const std::string& source) {
    static const std::regex named("\\b(k[A-Z][A-Za-z]+)\\s*=\\s*(?=\")");
    std::map<std::string, std::string> out;
    for (std::sregex_iterator it(source.begin(), source.end(), named), end; it != end; ++it) {
      const auto at = static_cast<std::size_t>(it->position() + it->length());
      if (const auto text = WholeLiteral(source.substr(at, source.find(';', at) - at))) out[(*it)[1]] = *text;
    }
    return out;
  }

  void Look(const std::string& expression, const std::map<std::string, std::string>& constants,
            const std::string& where) {
    for (const std::string& text : Alternatives(expression, constants)) {
      if (text.find_first_not_of("7\"") == std::string::npos) continue;
      ++seen_;
      ExpectChinese(text, where);
      if (text.find(kValue) != std::string::npos) continue;
      const bool whole = std::any_of(Phrases().begin(), Phrases().end(), [&](const Phrase& p) { return p.en == text; });
      EXPECT_TRUE(whole) << where << ": no entry of its own: " << text;
    }
  }

  std::size_t seen_ = 0;
};

bool IsCode(const std::string& argument) {
  static const std::regex code("\"[a-z]+(-[a-z]+)*\"");
  return std::regex_match(argument, code);
}

TEST_F(Sources, EverySentenceOfADiagnosticHasItsChinese) {
  for (const fs::path& file : Files()) {
    const std::string source = ReadText(file);
    const std::string where = file.filename().string();
    const std::map<std::string, std::string> constants = Constants(source);
    for (std::vector<std::string> args :
         Calls(source, "Fault|FaultAt|Report|Mistake|Complain|TextFault|Add|push_back")) {
      if (args.size() == 1 && args[0].starts_with('{')) args = SplitAt(Inside(args[0], 0), ',');
      const auto code = std::find_if(args.begin(), args.end(), IsCode);
      if (code == args.end()) continue;
      auto message = code + 1;
      if (source.find("out_.Add(") != std::string::npos && where.starts_with("lint") && message != args.end())
        ++message;
      for (auto it = message; it != args.end() && it < message + 2; ++it) Look(*it, constants, where);
    }
    // A row of the table of libyaml's words.
    static const std::regex row("Wording::k[A-Za-z]+, *\n? *\"[a-z-]+\",");
    for (std::sregex_iterator it(source.begin(), source.end(), row), end; it != end; ++it) {
      const auto at = static_cast<std::size_t>(it->position() + it->length());
      for (const std::string& text : SplitAt(Inside("{" + source.substr(at), 0), ',')) Look(text, constants, where);
    }
    static const std::regex assigned("\\b(?:message|hint) = ([^;]*);");
    for (std::sregex_iterator it(source.begin(), source.end(), assigned), end; it != end; ++it) {
      const std::string text = (*it)[1];
      const bool begins = text == "\"write one of its values:\"" || text == "\"it is written \"" ||
                          text.starts_with("\"the expression may cost up to");  // more is added
      if (!begins) Look(text, constants, where);
    }
  }
  EXPECT_GT(seen_, 300U);
}

TEST_F(Sources, EverySentenceOfTheLexerAndTheParserHasItsChinese) {
  const std::string lexer = ReadText(Root() / "src/cel/lexer.cc");
  for (const std::vector<std::string>& args : Calls(lexer, "Fault")) {
    for (std::size_t i = 2; i < args.size(); ++i) Look(args[i], {}, "lexer.cc");
  }
  const std::string parser = ReadText(Root() / "src/cel/parser.cc");
  for (const std::vector<std::string>& args : Calls(parser, "Fatal")) {
    for (std::size_t i = 1; i < args.size(); ++i) Look(args[i], {}, "parser.cc");
  }
  EXPECT_GT(seen_, 15U);
}

// Hints that the checker puts together: what follows `return` there.
TEST_F(Sources, EveryHintOfTheCheckerHasItsChinese) {
  const std::string source = ReadText(Root() / "src/cel/messages.cc");
  const std::size_t begin = source.find("std::string ConversionHint");
  ASSERT_NE(begin, std::string::npos);
  static const std::regex returned("\\breturn ([^;]*);");
  for (std::sregex_iterator it(source.begin() + static_cast<std::ptrdiff_t>(begin), source.end(), returned), end;
       it != end; ++it) {
    const std::string text = (*it)[1];
    if (text.starts_with("\": write \"")) continue;  // goes on from "give both the same type"
    if (text.find('"') != std::string::npos) Look(text, {}, "messages.cc");
  }
  EXPECT_GT(seen_, 20U);
}

// What a constructor of a literal finds wrong stands as "message: hint".
TEST_F(Sources, EveryFaultOfALiteralHasItsChinese) {
  const std::string source = ReadText(Root() / "src/cel/functions_law.cc");
  std::vector<std::string> texts;
  for (const std::vector<std::string>& args : Calls(source, "Fail")) {
    if (const auto text = WholeLiteral(args.at(0))) texts.push_back(*text);
  }
  for (const auto& [name, text] : Constants(source)) texts.push_back(text);
  for (const std::string& text : texts) {
    const std::size_t colon = text.find(": ");
    if (text.starts_with("no such overload") || text.starts_with("invalid digits") ||
        text.starts_with("invalid rounding") || text.starts_with("invalid start")) {
      continue;  // found before, or only at run time
    }
    Look("R\"(" + text.substr(0, colon) + ")\"", {}, "functions_law.cc");
    if (colon != std::string::npos) Look("R\"(" + text.substr(colon + 2) + ")\"", {}, "functions_law.cc");
  }
  EXPECT_GT(seen_, 8U);
}

// What is expected, what is counted, what has an id: parts of sentences.
TEST_F(Sources, EveryPartOfASentenceHasItsChinese) {
  const auto look = [this](const std::string& text, const std::string& where) {
    if (!HasLetters(text)) return;
    ++seen_;
    const bool known = std::any_of(Parts().begin(), Parts().end(), [&](const Phrase& p) {
      const std::size_t open = p.en.find("{}");
      return p.en == text || (open != std::string_view::npos && open >= 5 && text.starts_with(p.en.substr(0, open)));
    });
    EXPECT_TRUE(known || text.starts_with('`')) << where << ": " << text;
  };
  const std::map<std::string, std::size_t> places = {{"Unexpected", 0}, {"Expect", 1}, {"WrongType", 1},
                                                     {"wrong", 0},      {"Wrong", 2},  {"CheckCount", 3},
                                                     {"CheckId", 1}};
  for (const fs::path& file : Files()) {
    const std::string source = ReadText(file);
    for (const auto& [name, index] : places) {
      for (const std::vector<std::string>& args : Calls(source, name)) {
        if (args.size() <= index) continue;
        for (const std::string& text : Alternatives(args[index], {})) look(text, file.filename().string());
      }
    }
  }
  EXPECT_GT(seen_, 40U);
}

}  // namespace
}  // namespace zhitui::authoring
