// The handbook is complete in both languages: what an author may write, and what an author may be told, is in it.
// That its examples hold is checked by the handbook's own test, beside the commands they run.
#include <set>

#include "rules/rules_support.h"

namespace zhitui::rules {
namespace {

std::string Text(const std::string& path) {
  std::ifstream in(std::string(ZHITUI_SOURCE_DIR) + "/" + path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

TEST(Docs, EveryFunctionAnAuthorMayCallIsNamed) {
  for (const char* page : {"docs/rules.md", "docs/rules.zh.md"}) {
    const std::string doc = Text(page);
    ASSERT_FALSE(doc.empty());
    for (const cel::FunctionDoc& function : cel::Functions()) {
      EXPECT_NE(doc.find(function.name), std::string::npos) << page << ": " << function.name;
    }
  }
}

// The codes as they stand in the sources of the rooms that read what authors write: Fault(…, "code" and the like.
TEST(Docs, EveryErrorCodeOfTheRulesRoomIsExplained) {
  std::set<std::string> codes;
  for (const char* room : {"rules", "authoring"}) {
    for (const auto& entry : std::filesystem::directory_iterator(std::string(ZHITUI_SOURCE_DIR) + "/src/" + room)) {
      if (entry.path().extension() != ".cc") continue;
      const std::string source = Text("src/" + std::string(room) + "/" + entry.path().filename().string());
      for (const char* prefix : {"\"bad-", "\"unknown-", "\"no-", "\"too-", "\"duplicate-", "\"missing-", "\"param-",
                                 "\"needs-", "\"unreachable-", "\"wrong-", "\"type-", "\"file-"}) {
        for (std::size_t at = source.find(prefix); at != std::string::npos; at = source.find(prefix, at + 1)) {
          const std::size_t end = source.find('"', at + 1);
          codes.insert(source.substr(at + 1, end - at - 1));
        }
      }
    }
  }
  EXPECT_GT(codes.size(), 30U);
  for (const char* page : {"docs/rules.md", "docs/rules.zh.md"}) {
    const std::string doc = Text(page);
    for (const std::string& code : codes) {
      EXPECT_NE(doc.find("`" + code + "`"), std::string::npos) << page << ": " << code;
    }
  }
}

}  // namespace
}  // namespace zhitui::rules
