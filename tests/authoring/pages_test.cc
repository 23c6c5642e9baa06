// docs/errors: every code has a page, and every page keeps its word: what it shows as wrong is found with exactly its
// code, what it shows as right is silent, and what it lets stand is silent too.
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "authoring/authoring.h"
#include "gtest/gtest.h"

namespace zhitui::authoring {
namespace {

namespace fs = std::filesystem;

// Codes that no rule file can show, or none of a readable size; their pages say why.
const std::set<std::string> kNotShown = {
    "bad-value", "control-character", "empty-list", "encoding", "given-twice",    "line-end",  "missing-variable",
    "no-facts",  "not-with-kafka",    "too-large",  "too-long", "too-many-nodes", "too-short", "unreadable-file"};

fs::path Root() { return ZHITUI_SOURCE_DIR; }

std::string Text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

using Folder = std::map<std::string, std::string>;  // file -> text

struct Block {
  std::string file;
  std::string text;
};

// The blocks of YAML below the heading; of the whole page when it is empty.
std::vector<Block> BlocksOf(const std::string& page, const std::string& heading) {
  std::size_t begin = 0;
  std::size_t end = page.size();
  if (!heading.empty()) {
    begin = page.find("\n## " + heading + "\n");
    if (begin == std::string::npos) return {};
    end = std::min(page.find("\n## ", begin + 1), page.size());
  }
  std::vector<Block> out;
  const std::string fence = "```yaml\n";
  for (std::size_t at = page.find(fence, begin); at < end; at = page.find(fence, at)) {
    at += fence.size();
    const std::size_t close = page.find("\n```", at);
    Block block{"city/allowance.yaml", page.substr(at, close + 1 - at)};
    if (block.text.starts_with("# ")) {
      const std::size_t line = block.text.find('\n');
      block.file = block.text.substr(2, line - 2);
      block.text.erase(0, line + 1);
    }
    out.push_back(std::move(block));
    at = close;
  }
  return out;
}

// A file as the pages take it apart: top-level keys, and of those that hold further keys each of these.
struct Section {
  std::string key;
  std::string head;
  std::vector<std::pair<std::string, std::string>> entries;
};

std::vector<Section> Sections(const std::string& text) {
  std::vector<Section> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    const std::string line = text.substr(at, end - at);
    at = end;
    const std::size_t colon = line.find(':');
    if (out.empty() || (line[0] != ' ' && line[0] != '\n')) {
      out.push_back({line.substr(0, colon), line, {}});
    } else if (line.size() > 3 && line.starts_with("  ") && line[2] != ' ' && line[2] != '-' &&
               colon != std::string::npos) {
      out.back().entries.emplace_back(line.substr(2, colon - 2), line);
    } else if (out.back().entries.empty()) {
      out.back().head += line;
    } else {
      out.back().entries.back().second += line;
    }
  }
  return out;
}

std::string Merge(const std::string& base, const std::string& part) {
  std::vector<Section> sections = Sections(base);
  const std::vector<Section> changes = Sections(part);
  for (const Section& change : changes) {
    const auto same =
        std::find_if(sections.begin(), sections.end(), [&](const Section& s) { return s.key == change.key; });
    if (same == sections.end()) {
      sections.push_back(change);
      continue;
    }
    if (change.entries.empty() || same->entries.empty()) {
      *same = change;
      continue;
    }
    for (const auto& [key, text] : change.entries) {
      std::erase_if(same->entries, [&k = key](const auto& entry) { return entry.first == k; });
    }
    same->entries.insert(same->entries.end(), change.entries.begin(), change.entries.end());
  }
  std::string out;
  for (const Section& section : sections) {
    out += section.head;
    for (const auto& [key, text] : section.entries) out += text;
  }
  return out;
}

// A block that begins a file of its own replaces it.
bool IsWhole(const std::string& text) {
  const auto begins = [&](const char* key) {
    return text.starts_with(key) || text.find(std::string("\n") + key) != std::string::npos;
  };
  return begins("kind:") || begins("message:") || begins("calendar: cn") || begins("title: {zh: 节假日") ||
         (begins("rule:") && begins("about:"));
}

Folder With(Folder folder, const std::vector<Block>& blocks) {
  for (const Block& block : blocks) {
    std::string& file = folder[block.file];
    file = file.empty() || IsWhole(block.text) ? block.text : Merge(file, block.text);
  }
  return folder;
}

Diagnostics Found(const Folder& folder) {
  std::vector<rules::SourceFile> files;
  for (const auto& [path, text] : folder) files.push_back({path, text});
  const Report report = Check(files);
  return report.ok() ? Lint(report, files) : report.diagnostics;
}

std::set<std::string> CodesOf(const Diagnostics& found) {
  std::set<std::string> out;
  for (const Diagnostic& d : found) out.insert(d.code);
  return out;
}

const fs::path& Pages() {
  static const fs::path path = Root() / "docs" / "errors";
  return path;
}

Folder Base() { return With({}, BlocksOf(Text(Pages() / "README.md"), "The folder of the examples")); }

std::map<std::string, std::string> AllPages() {
  std::map<std::string, std::string> out;
  for (const auto& entry : fs::directory_iterator(Pages())) {
    const std::string name = entry.path().stem().string();
    if (name != "README") out.emplace(name, Text(entry.path()));
  }
  return out;
}

// Words with a hyphen stand in these sources as codes only; those of one word follow the call that reports them.
std::set<std::string> CodesOfSources() {
  static const std::set<std::string> kNoCodes = {"content-type", "error", "matches"};
  static const std::regex kHyphened("\"([a-z]+(?:-[a-z]+)+)\"");
  static const std::regex kReported("(?:Fault|Report|TextFault)\\s*[({][^\"]{0,90}\"([a-z]+)\"");
  std::set<std::string> out;
  std::vector<fs::path> files;
  for (const char* room : {"yaml", "facts", "cel", "rules", "message", "authoring"}) {
    for (const auto& entry : fs::directory_iterator(Root() / "src" / room)) files.push_back(entry.path());
  }
  for (const char* file : {"config.cc", "config_reader.cc", "config_reader.h"}) {
    files.push_back(Root() / "src" / "daemon" / file);
  }
  for (const fs::path& file : files) {
    const std::string source = Text(file);
    for (const std::regex* shape : {&kHyphened, &kReported}) {
      for (std::sregex_iterator it(source.begin(), source.end(), *shape), end; it != end; ++it) out.insert((*it)[1]);
    }
  }
  for (const std::string& word : kNoCodes) out.erase(word);
  return out;
}

TEST(Pages, EveryCodeHasAPageAndEveryPageACode) {
  const std::set<std::string> codes = CodesOfSources();
  EXPECT_GT(codes.size(), 110U);
  std::set<std::string> pages;
  for (const auto& [code, page] : AllPages()) {
    pages.insert(code);
    EXPECT_TRUE(page.starts_with("# " + code + "\n")) << code;
  }
  EXPECT_EQ(pages, codes);
}

TEST(Pages, TheIndexListsEveryPage) {
  const std::string index = Text(Pages() / "README.md");
  for (const auto& [code, page] : AllPages()) {
    EXPECT_NE(index.find("| [" + code + "](" + code + ".md)"), std::string::npos) << code;
  }
}

TEST(Pages, TheFolderOfTheExamplesIsSilent) {
  const Folder base = Base();
  EXPECT_EQ(base.size(), 4U);
  const Diagnostics found = Found(base);
  EXPECT_TRUE(found.empty()) << FormatDiagnostics(found);
}

TEST(Pages, WhatIsNotShownSaysWhy) {
  std::set<std::string> not_shown;
  for (const auto& [code, page] : AllPages()) {
    if (page.find("\nNot shown here: ") != std::string::npos) not_shown.insert(code);
  }
  EXPECT_EQ(not_shown, kNotShown);
}

TEST(Pages, TheWrongExampleIsFoundWithExactlyItsCode) {
  const Folder base = Base();
  for (const auto& [code, page] : AllPages()) {
    if (kNotShown.contains(code)) continue;
    const std::vector<Block> wrong = BlocksOf(page, "Wrong");
    ASSERT_FALSE(wrong.empty()) << code;
    const Diagnostics found = Found(With(base, wrong));
    EXPECT_EQ(CodesOf(found), std::set<std::string>{code}) << code << "\n" << FormatDiagnostics(found);
    const bool lint = std::find(LintCodes().begin(), LintCodes().end(), code) != LintCodes().end();
    for (const Diagnostic& d : found) EXPECT_EQ(d.severity == Severity::kWarning, lint) << code;
    EXPECT_NE(page.find(lint ? "\nWarning. " : "\nError. "), std::string::npos) << code;
  }
}

TEST(Pages, TheRightExampleIsSilent) {
  const Folder base = Base();
  for (const auto& [code, page] : AllPages()) {
    if (kNotShown.contains(code)) continue;
    const std::vector<Block> right = BlocksOf(page, "Right");
    ASSERT_FALSE(right.empty()) << code;
    const Diagnostics found = Found(With(base, right));
    EXPECT_TRUE(found.empty()) << code << "\n" << FormatDiagnostics(found);
  }
}

TEST(Pages, WhatAWarningsPageLetsStandIsSilent) {
  const Folder base = Base();
  for (const std::string& code : LintCodes()) {
    if (code == "idle-allow") continue;  // cannot be allowed
    const std::string page = Text(Pages() / (code + ".md"));
    const std::vector<Block> allowed = BlocksOf(page, "To let it stand");
    ASSERT_FALSE(allowed.empty()) << code;
    const Diagnostics found = Found(With(With(base, BlocksOf(page, "Wrong")), allowed));
    EXPECT_TRUE(found.empty()) << code << "\n" << FormatDiagnostics(found);
  }
}

// Pages are read by people of both languages.
TEST(Pages, EveryPageSpeaksChineseToo) {
  for (const auto& [code, page] : AllPages()) EXPECT_NE(page.find("。"), std::string::npos) << code;
}

}  // namespace
}  // namespace zhitui::authoring
