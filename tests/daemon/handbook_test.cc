// The handbook for rule authors is true: every example of its four pages is written into a folder, checked and tested,
// every command is run and answers what the page prints, and both languages show the same examples.
//
// How a page marks what a reader is to do:
//   `ex/city/a.yaml`:                    the block below is the whole file
//   `ex/city/a.yaml`, some words:        the block below is a part of it: its top-level keys replace those of the file
//                                        or follow at its end, an indented block follows at its end
//   In `a.yaml`, change `b` to `c`.      one place of the file; with "for a moment" only until the next command was run
//   ```console                           lines with $ are commands, the lines below them the answer; … is any hash

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "authoring/authoring.h"
#include "daemon/daemon.h"
#include "gtest/gtest.h"
#include "yaml/yaml.h"

namespace zhitui::daemon {
namespace {

namespace fs = std::filesystem;

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

enum class Do : std::uint8_t { kFile, kPart, kChange, kCommand, kNothing };

struct Step {
  Do what = Do::kNothing;
  std::size_t line = 0;  // on the page
  std::string language;  // of the block
  std::string path;      // kFile, kPart, kChange
  std::string text;      // kFile, kPart, kNothing: the block; kCommand: the command
  std::string from, to;  // kChange
  bool for_a_moment = false;
  std::vector<std::string> answer;  // kCommand
  bool ends_block = false;          // kCommand
};

struct Page {
  std::vector<Step> steps;
  std::vector<std::string> headings;  // "##" and the like
  std::set<std::string> anchors;      // of the headings, as a link writes them
  std::vector<std::string> links;     // "page.md#anchor" or "#anchor"
  std::vector<std::string> sections;  // comments that keep a place
};

Step FileStep(const std::string& before) {
  static const std::regex kMarker("`([^` ]+\\.(?:yaml|json|ndjson))`(.*)(?::|：)");
  Step step;
  std::smatch match;
  if (std::regex_match(before, match, kMarker)) {
    step.what = match[2].length() == 0 ? Do::kFile : Do::kPart;
    step.path = match[1];
  }
  return step;
}

// What stands behind the # of a link to a heading: lower case, without punctuation, blanks as hyphens.
std::string Anchor(std::string heading) {
  for (const std::string_view sign : {"，", "、", "？", "…", "（", "）", "“", "”"}) {
    for (std::size_t at = heading.find(sign); at != std::string::npos; at = heading.find(sign)) {
      heading.erase(at, sign.size());
    }
  }
  std::string anchor;
  for (const char c : heading) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == ' ') {
      anchor += '-';
    } else if (byte >= 0x80 || c == '-' || c == '_' || std::isalnum(byte) != 0) {
      anchor += static_cast<char>(byte < 0x80 ? std::tolower(byte) : byte);
    }
  }
  return anchor;
}

Page Read(const std::string& text) {
  static const std::regex kChange("(?:In|在) ?`([^` ]+)`.*`(.+)`.*`(.+)`(?:\\.|。)");
  static const std::regex kSection("<!-- (.*) -->");
  static const std::regex kLink(R"(\]\(((?:[a-z-]+(?:\.zh)?\.md)?#[^)]*)\))");
  Page page;
  const std::vector<std::string> lines = LinesOf(text);
  std::string before;  // the last line of text that is not empty
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::smatch match;
    if (!lines[i].starts_with("```")) {
      if (!lines[i].empty()) before = lines[i];
      if (lines[i].starts_with("#")) {
        page.headings.push_back(lines[i].substr(0, lines[i].find(' ')));
        page.anchors.insert(Anchor(lines[i].substr(lines[i].find(' ') + 1)));
      }
      for (std::sregex_iterator link(lines[i].begin(), lines[i].end(), kLink), end; link != end; ++link) {
        page.links.push_back((*link)[1]);
      }
      if (std::regex_match(lines[i], match, kSection)) page.sections.push_back(match[1]);
      if (std::regex_match(lines[i], match, kChange)) {
        Step step;
        step.what = Do::kChange;
        step.line = i + 1;
        step.path = match[1];
        step.from = match[2];
        step.to = match[3];
        step.for_a_moment =
            lines[i].find("for a moment") != std::string::npos || lines[i].find("暂时") != std::string::npos;
        page.steps.push_back(step);
      }
      continue;
    }
    Step step = FileStep(before);
    before.clear();
    step.language = lines[i].substr(3);
    step.line = i + 1;
    const std::size_t first = ++i;
    while (i < lines.size() && lines[i] != "```") ++i;
    if (step.language != "console") {
      for (std::size_t n = first; n < i; ++n) step.text += lines[n] + "\n";
      page.steps.push_back(step);
      continue;
    }
    for (std::size_t n = first; n < i; ++n) {
      if (lines[n].starts_with("$ ")) {
        Step command;
        command.what = Do::kCommand;
        command.line = n + 1;
        command.language = step.language;
        command.text = lines[n].substr(2);
        page.steps.push_back(command);
      } else if (!page.steps.empty()) {
        page.steps.back().answer.push_back(lines[n]);
      }
    }
    if (!page.steps.empty()) page.steps.back().ends_block = true;
  }
  return page;
}

// … stands for one hash or time, or for itself.
bool Matches(std::string_view expected, std::string_view got) {
  static constexpr std::string_view kAny = "…";
  while (!expected.empty()) {
    if (expected.starts_with(kAny) && !got.starts_with(kAny)) {
      const std::size_t end = std::min(got.find_first_not_of("0123456789abcdef:.-TZ+"), got.size());
      if (end == 0) return false;
      got.remove_prefix(end);
      expected.remove_prefix(kAny.size());
      continue;
    }
    if (got.empty() || got.front() != expected.front()) return false;
    got.remove_prefix(1);
    expected.remove_prefix(1);
  }
  return got.empty();
}

// The top-level keys of a block or a file with all that stands under them; first what stands above the first key.
std::vector<std::pair<std::string, std::string>> Parts(const std::string& text) {
  static const std::regex kKey("([a-z_]+):.*");
  std::vector<std::pair<std::string, std::string>> parts{{"", ""}};
  for (const std::string& line : LinesOf(text)) {
    std::smatch match;
    if (std::regex_match(line, match, kKey)) parts.emplace_back(match[1], "");
    parts.back().second += line + "\n";
  }
  return parts;
}

std::string WithPart(const std::string& file, const std::string& block) {
  if (block.starts_with(" ")) return file + block;
  std::vector<std::pair<std::string, std::string>> parts = Parts(file);
  for (const auto& [key, text] : Parts(block)) {
    bool found = false;
    for (auto& [own, own_text] : parts) {
      if (own != key) continue;
      if (!key.empty()) own_text = text;
      found = true;
    }
    if (!found) parts.emplace_back(key, text);
  }
  std::string out;
  for (const auto& [key, text] : parts) out += text;
  return out;
}

// Does what a page says, in a folder of its own that also has the sample rules.
class Reader {
 public:
  Reader() : home_(fs::current_path()) {
    std::string name = (fs::temp_directory_path() / "zhitui-handbook-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = name;
    fs::current_path(folder_);
    fs::create_directory_symlink(std::string(ZHITUI_SOURCE_DIR) + "/rules", "rules");
  }
  ~Reader() {
    std::error_code ignored;
    fs::current_path(home_, ignored);
    fs::remove_all(folder_, ignored);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // What is not as the page says, a line each.
  std::vector<std::string> Follow(const Page& page) {
    for (const Step& step : page.steps) {
      line_ = step.line;
      switch (step.what) {
        case Do::kFile:
          if (fs::exists(step.path)) Wrong("the file " + step.path + " is there already");
          Write(step.path, step.text);
          Check(step.path);
          break;
        case Do::kPart:
          if (!fs::exists(step.path)) Wrong("there is no file " + step.path + " to add to");
          Write(step.path, WithPart(ReadFile(step.path), step.text));
          Check(step.path);
          break;
        case Do::kChange:
          Change(step);
          break;
        case Do::kCommand:
          Command(step);
          break;
        case Do::kNothing:
          if (step.language == "yaml") Wrong("the block names no file");
          break;
      }
      if (step.ends_block) PutBack();
    }
    return wrong_;
  }
  std::size_t commands() const { return commands_; }
  // Days of tests that passed, in the last run of each folder.
  std::size_t tests() const {
    std::size_t sum = 0;
    for (const auto& [folder, passed] : tests_) sum += passed;
    return sum;
  }

 private:
  void Wrong(const std::string& what) { wrong_.push_back("line " + std::to_string(line_) + ": " + what); }

  static void Write(const std::string& path, const std::string& text) {
    if (fs::path(path).has_parent_path()) fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }

  void Change(const Step& step) {
    std::string text = ReadFile(step.path);
    if (step.for_a_moment) moment_.emplace(step.path, text);
    const std::size_t at = text.find(step.from);
    if (at == std::string::npos || text.find(step.from, at + 1) != std::string::npos) {
      return Wrong("`" + step.from + "` does not stand exactly once in " + step.path);
    }
    Write(step.path, text.replace(at, step.from.size(), step.to));
    if (!step.for_a_moment) Check(step.path);
  }

  void PutBack() {
    for (const auto& [path, text] : moment_) Write(path, text);
    moment_.clear();
  }

  // The folder of rules that the file is in, once it has a rule.
  void Check(const std::string& path) {
    const fs::path folder = *fs::path(path).begin();
    if (!fs::is_directory(folder)) return;
    const auto files = authoring::LoadFolder(folder.string());
    if (!files) return Wrong(files.error().message);
    const bool has_rule = std::any_of(files->begin(), files->end(), [](const rules::SourceFile& file) {
      return file.text.starts_with("rule:") || file.text.find("\nrule:") != std::string::npos;
    });
    if (!has_rule) return;
    const authoring::TestRun run = authoring::RunAll(*files);
    if (!run.report.ok()) Wrong(FormatDiagnostics(run.report.diagnostics));
    for (const std::string& failure : run.tests.failures) Wrong(failure);
    tests_[folder.string()] = run.tests.passed;
  }

  void Command(const Step& step) {
    std::vector<std::string> words;
    std::istringstream in(step.text);
    for (std::string word; in >> word;) words.push_back(word);
    ++commands_;
    if (words.size() == 4 && words[0] == "cp" && words[1] == "-r") {
      fs::copy(words[2], words[3], fs::copy_options::recursive);
      return;
    }
    if (words.empty() || words[0] != "zhitui") return Wrong("a reader cannot be asked to run " + step.text);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    Main(static_cast<int>(words.size()), argv.data(), "1.2.3");
    const std::string out = testing::internal::GetCapturedStdout();
    const std::vector<std::string> got = LinesOf(testing::internal::GetCapturedStderr() + out);
    for (std::size_t n = 0; n < std::max(got.size(), step.answer.size()); ++n) {
      const std::string expected = n < step.answer.size() ? step.answer[n] : "(nothing)";
      const std::string is = n < got.size() ? got[n] : "(nothing)";
      if (!Matches(expected, is)) Wrong(step.text + "\n  the page says  " + expected + "\n  the program    " + is);
    }
  }

  fs::path home_;
  std::string folder_;
  std::size_t line_ = 0;
  std::map<std::string, std::string> moment_;  // what stands in these files when the moment is over
  std::vector<std::string> wrong_;
  std::size_t commands_ = 0;
  std::map<std::string, std::size_t> tests_;
};

// Empty when two nodes say the same but for what people read.
std::string Difference(const yaml::Node& a, const yaml::Node& b) {
  static const std::set<std::string> kTexts{"zh", "en", "title", "label", "name", "owner", "deadline", "because"};
  if (a.kind() != b.kind()) return "another shape in line " + std::to_string(a.at().line);
  if (a.IsScalar() && a.text() != b.text()) return a.text() + " and " + b.text();
  if (a.items().size() != b.items().size()) return "another number of items in line " + std::to_string(a.at().line);
  for (std::size_t i = 0; i < a.items().size(); ++i) {
    if (std::string found = Difference(a.items()[i], b.items()[i]); !found.empty()) return found;
  }
  if (a.entries().size() != b.entries().size()) return "other keys in line " + std::to_string(a.at().line);
  for (std::size_t i = 0; i < a.entries().size(); ++i) {
    const std::string& key = a.entries()[i].first.text();
    if (key != b.entries()[i].first.text()) return key + " and " + b.entries()[i].first.text();
    if (kTexts.contains(key)) continue;
    if (std::string found = Difference(a.entries()[i].second, b.entries()[i].second); !found.empty()) return found;
  }
  return {};
}

std::string DifferenceOfYaml(const std::string& a, const std::string& b) {
  Diagnostics diagnostics;
  const std::optional<yaml::Document> one = yaml::Parse("en", a, &diagnostics);
  const std::optional<yaml::Document> two = yaml::Parse("zh", b, &diagnostics);
  if (!one || !two) return FormatDiagnostics(diagnostics);
  return Difference(one->root(), two->root());
}

std::string WithoutLanguage(const std::string& command) {
  return std::regex_replace(command, std::regex(" --(lang|locale) (en|zh)"), "");
}

std::string DifferenceOfPages(const Page& a, const Page& b) {
  for (std::size_t i = 0; i < std::max(a.steps.size(), b.steps.size()); ++i) {
    if (i >= a.steps.size() || i >= b.steps.size()) return "one page has more examples than the other";
    const Step& one = a.steps[i];
    const Step& two = b.steps[i];
    std::string found;
    if (one.what != two.what || one.language != two.language || one.path != two.path || one.from != two.from ||
        one.to != two.to || one.for_a_moment != two.for_a_moment) {
      found = "another kind of example";
    } else if (one.language == "yaml") {
      found = DifferenceOfYaml(one.text, two.text);
    } else if (WithoutLanguage(one.text) != WithoutLanguage(two.text)) {
      found = "other words";
    }
    if (!found.empty()) return "lines " + std::to_string(one.line) + ", " + std::to_string(two.line) + ": " + found;
  }
  return a.headings == b.headings && a.sections == b.sections ? "" : "other headings or places for sections";
}

Page PageOf(const std::string& name) { return Read(ReadFile(std::string(ZHITUI_SOURCE_DIR) + "/docs/" + name)); }

void ExpectTrue(const std::string& name, std::size_t least_commands, std::size_t least_tests) {
  SCOPED_TRACE("docs/" + name);
  Reader reader;
  EXPECT_EQ(reader.Follow(PageOf(name)), std::vector<std::string>());
  EXPECT_GE(reader.commands(), least_commands);
  EXPECT_GE(reader.tests(), least_tests);
}

TEST(Handbook, EveryExampleOfTheRulesPagesHoldsAndEveryCommandAnswersAsPrinted) {
  ExpectTrue("rules.md", 12, 10);
  ExpectTrue("rules.zh.md", 12, 10);
}

TEST(Handbook, EveryExampleOfTheHowDoIPagesHoldsAndEveryCommandAnswersAsPrinted) {
  ExpectTrue("how-do-i.md", 3, 100);
  ExpectTrue("how-do-i.zh.md", 3, 100);
}

TEST(Handbook, BothLanguagesShowTheSameExamplesInTheSameOrder) {
  for (const std::string name : {"rules", "how-do-i"}) {
    EXPECT_EQ(DifferenceOfPages(PageOf(name + ".md"), PageOf(name + ".zh.md")), "") << name;
  }
}

TEST(Handbook, EveryLinkToAHeadingLeadsToOne) {
  for (const std::string name : {"rules.md", "rules.zh.md", "how-do-i.md", "how-do-i.zh.md"}) {
    const Page page = PageOf(name);
    EXPECT_GT(page.links.size(), 10U) << name;
    for (const std::string& link : page.links) {
      const std::size_t sign = link.find('#');
      const Page to = sign == 0 ? page : PageOf(link.substr(0, sign));
      EXPECT_TRUE(to.anchors.contains(link.substr(sign + 1))) << name << ": " << link;
    }
  }
}

// The reader above is worth something only if it sees what is wrong.
constexpr char kGoodPage[] = R"(# A
`ex/facts/person.yaml`:

```yaml
kind: person
sources: {s: {zh: 源, en: Source}}
facts: {n: {type: int, source: s, label: {zh: 数, en: Number}}}
```

`ex/a.yaml`:

```yaml
rule: a
about: person
title: {zh: 甲, en: A}
owner: 某局
topic: t
law: {l: {title: 法}}
criteria: {big: {label: {zh: 大, en: Big}, law: l, when: person.n > 1}}
tests: [{name: two, facts: {n: 2}, expect: {2026-01-01: eligible}}]
```

In `ex/a.yaml`, for a moment, change `person.n > 1` to `person.n > 2`.

```console
$ zhitui rules test ex
a.yaml:8: a, test "two", 2026-01-01
  expected  eligible
  got       ineligible [big]
  facts     n: 2
ex: 0 passed, 1 failed
```

```console
$ zhitui rules check ex
ex: ok, 1 rule, 0 messages, ruleset …
```
)";

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST(Handbook, AReaderFindsWhatIsWrongOnAPage) {
  EXPECT_EQ(Reader().Follow(Read(kGoodPage)), std::vector<std::string>());
  const std::vector<std::pair<std::string, std::string>> slips = {
      {"facts: {n: 2}, expect: {2026-01-01: eligible}", "facts: {n: 2}, expect: {2026-01-01: ineligible}"},
      {"topic: t", "topik: t"},
      {"ex: 0 passed, 1 failed", "ex: 1 passed, 0 failed"},
      {"ex: 0 passed, 1 failed\n", ""},
      {"ruleset …", "ruleset 000000000000"},
      {"change `person.n > 1`", "change `person.n > 3`"},
      {"`ex/a.yaml`:\n", ""},
      {"zhitui rules check ex", "rm ex"},
  };
  for (const auto& [from, to] : slips) {
    EXPECT_FALSE(Reader().Follow(Read(Replaced(kGoodPage, from, to))).empty()) << from << " -> " << to;
  }
}

TEST(Handbook, PagesThatDifferInMoreThanTextsAreFound) {
  const Page page = Read(kGoodPage);
  EXPECT_EQ(DifferenceOfPages(page, Read(Replaced(kGoodPage, "label: {zh: 大, en: Big}", "label: 大"))), "");
  EXPECT_EQ(DifferenceOfPages(page, Read(Replaced(kGoodPage, "rule: a", "# A word.\nrule: a"))), "");
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{{"person.n > 1}}", "person.n >= 1}}"},
                                                                                 {"n: 2", "n: 3"},
                                                                                 {"`ex/a.yaml`:", "`ex/b.yaml`:"},
                                                                                 {"rules check ex", "rules check ey"},
                                                                                 {"`person.n > 2`", "`person.n > 3`"},
                                                                                 {"# A", "## A"}}) {
    EXPECT_NE(DifferenceOfPages(page, Read(Replaced(kGoodPage, from, to))), "") << from << " -> " << to;
  }
}

}  // namespace
}  // namespace zhitui::daemon
