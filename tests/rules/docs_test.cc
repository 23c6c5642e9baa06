// docs/rules.md is complete: what an author may write, and what an author may be told, is in it.
#include <set>

#include "rules/rules_support.h"

namespace zhitui::rules {
namespace {

std::string Text(const std::string& path) {
  std::ifstream in(std::string(ZHITUI_SOURCE_DIR) + "/" + path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

TEST(Docs, EveryFunctionAnAuthorMayCallIsNamed) {
  const std::string doc = Text("docs/rules.md");
  ASSERT_FALSE(doc.empty());
  for (const cel::FunctionDoc& function : cel::Functions()) {
    EXPECT_NE(doc.find(function.name), std::string::npos) << function.name;
  }
}

// The codes as they stand in the sources of the rooms that read what authors write: Fault(…, "code" and the like.
TEST(Docs, EveryErrorCodeOfTheRulesRoomIsExplained) {
  const std::string doc = Text("docs/rules.md");
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
  for (const std::string& code : codes) EXPECT_NE(doc.find("`" + code + "`"), std::string::npos) << code;
}

// The rule of the walk-through, as a reader would copy it.
TEST(Docs, TheRuleOfTheWalkThroughIsCorrectAndItsTestsHold) {
  const std::string doc = Text("docs/rules.md");
  const std::size_t from = doc.find("```yaml\nrule: my-allowance");
  ASSERT_NE(from, std::string::npos);
  const std::size_t to = doc.find("```", from + 8);
  SourceFile rule{"shenzhen/my-allowance.yaml", doc.substr(from + 8, to - from - 8)};
  SourceFile schema{"facts/resident.yaml", Text("rules/facts/resident.yaml")};
  const auto set = MustBuild({schema, rule});
  ASSERT_NE(set, nullptr);
  EXPECT_EQ(RunTests(*set).failures, std::vector<std::string>());

  // The mistake it makes on purpose is told as it is shown there.
  rule.text.replace(rule.text.find("hukou.city =="), 13, "hukou.cty ==");
  Diagnostics diagnostics;
  RuleSet::Build({schema, rule}, &diagnostics);
  EXPECT_NE(doc.find(FormatDiagnostics(diagnostics)), std::string::npos) << FormatDiagnostics(diagnostics);
}

}  // namespace
}  // namespace zhitui::rules
