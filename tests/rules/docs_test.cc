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

// The first block of the guide that starts so, as a reader would copy it.
std::string Block(const std::string& doc, const std::string& start) {
  const std::size_t from = doc.find("```yaml\n" + start);
  if (from == std::string::npos) return {};
  const std::size_t to = doc.find("```", from + 8);
  return doc.substr(from + 8, to - from - 8);
}

TEST(Docs, TheRuleOfTheWalkThroughIsCorrectAndItsTestsHold) {
  const std::string doc = Text("docs/rules.md");
  const SourceFile rule{"city/senior-transit.yaml", Block(doc, "rule: senior-transit")};
  const SourceFile schema{"facts/resident.yaml", Block(doc, "kind: resident")};
  ASSERT_FALSE(rule.text.empty());
  ASSERT_FALSE(schema.text.empty());
  const auto set = MustBuild({schema, rule});
  ASSERT_NE(set, nullptr);
  const TestReport report = RunTests(*set);
  EXPECT_EQ(report.failures, std::vector<std::string>());
  EXPECT_EQ(report.passed, 5U);  // as the guide prints
}

TEST(Docs, TheDistrictsRuleOverTheCitysIsCorrectAndItsTestsHold) {
  const std::string doc = Text("docs/rules.md");
  const SourceFile city{"city/fruit-allowance.yaml", Block(doc, "rule: fruit-allowance\n")};
  const SourceFile district{"futian/fruit-allowance.yaml", Block(doc, "rule: fruit-allowance-futian\n")};
  ASSERT_FALSE(city.text.empty());
  ASSERT_FALSE(district.text.empty());
  const auto set = MustBuild({{"facts/resident.yaml", Text("rules/facts/resident.yaml")}, city, district});
  ASSERT_NE(set, nullptr);
  const TestReport report = RunTests(*set);
  EXPECT_EQ(report.failures, std::vector<std::string>());
  EXPECT_EQ(report.passed, 3U);
}

}  // namespace
}  // namespace zhitui::rules
