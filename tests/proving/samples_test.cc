#include <filesystem>
#include <fstream>
#include <iterator>

#include "proving_support.h"

namespace zhitui::proving {
namespace {

namespace fs = std::filesystem;

std::vector<rules::SourceFile> SampleFiles() {
  const std::string folder = std::string(ZHITUI_SOURCE_DIR) + "/rules";
  std::vector<rules::SourceFile> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".yaml") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    files.push_back({entry.path().lexically_relative(folder).generic_string(),
                     std::string(std::istreambuf_iterator<char>(in), {})});
  }
  return files;
}

TEST(Samples, TheTestsShowEveryConditionAndKillAtLeast95OutOf100Mutants) {
  Options options;
  options.coverage = options.mutants = true;
  const Report report = MustProve(SampleFiles(), options, OnThreads(2));
  EXPECT_EQ(report.tests.failed, 0U);
  EXPECT_GE(report.coverage.size(), 4U);
  ASSERT_EQ(report.mutants.size(), report.coverage.size());
  for (const RuleCoverage& c : report.coverage)
    EXPECT_EQ(c.pairs_shown, c.pairs) << c.rule << "\n" << ToText(report, "en");
  for (const RuleMutants& m : report.mutants) {
    EXPECT_GE(m.score(), 0.95) << m.rule << "\n" << ToText(report, "en");
    EXPECT_GE(m.killed, 10U) << m.rule;
  }
  // Every waiver is needed.
  EXPECT_TRUE(report.notes.empty()) << FormatDiagnostics(report.notes);
}

}  // namespace
}  // namespace zhitui::proving
