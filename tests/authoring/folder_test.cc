#include <algorithm>
#include <filesystem>
#include <fstream>

#include "authoring/authoring.h"
#include "gtest/gtest.h"

namespace zhitui::authoring {
namespace {

namespace fs = std::filesystem;

class Folder : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(::testing::TempDir()) /
            ("authoring_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }
  void Write(const std::string& name, const std::string& text) {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name, std::ios::binary) << text;
  }
  fs::path root_;
};

TEST_F(Folder, GivesEveryYamlFileSortedWithItsRelativePath) {
  Write("b.yaml", "b");
  Write("a/x.yml", "x");
  Write("a/y.yaml", "");
  Write("README.md", "no");
  Write(".hidden.yaml", "no");
  Write(".git/config.yaml", "no");
  const auto files = LoadFolder(root_.string());
  ASSERT_TRUE(files.has_value()) << files.error().message;
  ASSERT_EQ(files->size(), 3U);
  EXPECT_EQ((*files)[0].path, "a/x.yml");
  EXPECT_EQ((*files)[0].text, "x");
  EXPECT_EQ((*files)[1].path, "a/y.yaml");
  EXPECT_EQ((*files)[2].path, "b.yaml");
}

TEST_F(Folder, FollowsTheLinksOfAMountedConfigMap) {
  Write("..2026_03_01/rule.yaml", "r");
  Write("..2026_03_01/facts/p.yaml", "p");
  fs::create_directory_symlink("..2026_03_01", root_ / "..data");
  fs::create_symlink("..data/rule.yaml", root_ / "rule.yaml");
  fs::create_directory_symlink("..data/facts", root_ / "facts");
  const auto files = LoadFolder(root_.string());
  ASSERT_TRUE(files.has_value()) << files.error().message;
  ASSERT_EQ(files->size(), 2U);
  EXPECT_EQ((*files)[0].path, "facts/p.yaml");
  EXPECT_EQ((*files)[1].path, "rule.yaml");
}

TEST_F(Folder, RefusesWhatIsNotThereEmptyTooLargeOrEndless) {
  EXPECT_EQ(LoadFolder((root_ / "nowhere").string()).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(LoadFolder(root_.string()).error().kind, ErrorKind::kInvalid);
  Write("big.yaml", std::string(1024 * 1024 + 1, ' '));
  EXPECT_EQ(LoadFolder(root_.string()).error().kind, ErrorKind::kInvalid);
  fs::remove(root_ / "big.yaml");
  Write("a.yaml", "a");
  fs::create_directory_symlink(root_, root_ / "loop");
  const auto endless = LoadFolder(root_.string());
  ASSERT_FALSE(endless.has_value());
  EXPECT_NE(endless.error().message.find("folders deep"), std::string::npos) << endless.error().message;
}

TEST(Samples, TheRulesFolderOfTheProductIsCorrectAndItsTestsHold) {
  const auto files = LoadFolder(std::string(ZHITUI_SOURCE_DIR) + "/rules");
  ASSERT_TRUE(files.has_value()) << files.error().message;
  const TestRun run = RunAll(*files);
  EXPECT_TRUE(run.report.ok()) << FormatDiagnostics(run.report.diagnostics);
  EXPECT_EQ(run.report.rules, 18U);
  EXPECT_EQ(run.report.templates, 37U);
  for (const std::string& failure : run.tests.failures) ADD_FAILURE() << failure;
  const Diagnostics warnings = Lint(run.report, *files);
  EXPECT_TRUE(warnings.empty()) << FormatDiagnostics(warnings);
}

TEST(Samples, NoMessageNamesADisabilityAHardshipOrAFamily) {
  const auto files = LoadFolder(std::string(ZHITUI_SOURCE_DIR) + "/rules");
  ASSERT_TRUE(files.has_value()) << files.error().message;
  const Report report = Check(*files);
  ASSERT_TRUE(report.ruleset);
  std::size_t looked = 0;
  for (const rules::Rule& rule : report.ruleset->rules()) {
    const bool reads = std::any_of(rule.slots.begin(), rule.slots.end(), [&](std::uint32_t slot) {
      const std::string& name = report.ruleset->SchemaOf(rule.kind)->facts()[slot].name;
      return name == "children" || name.starts_with("disability.") || name.starts_with("hardship.");
    });
    if (!reads) continue;
    for (const rules::Notify& notify : rule.notify) {
      const auto file = std::find_if(files->begin(), files->end(), [&](const rules::SourceFile& one) {
        return one.path == "messages/" + notify.message + ".yaml";
      });
      ASSERT_NE(file, files->end()) << notify.message;
      ++looked;
      // The labels of the criteria, the title and the amount tell what it is.
      for (const char* word : {"{{reasons}}", "{{title}}", "{{amount}}", "{{rule}}", "残疾", "护理", "困难", "低保",
                               "独生", "子女", "disab", "hardship", "care ", "child"}) {
        EXPECT_EQ(file->text.find(word), std::string::npos) << file->path << " " << word;
      }
    }
  }
  EXPECT_GE(looked, 6U);
}

TEST(BadTen, TheCheckOfAllFilesFindsTheSameTenMistakes) {
  const auto files = LoadFolder(std::string(ZHITUI_SOURCE_DIR) + "/tests/rules/bad_ten");
  ASSERT_TRUE(files.has_value());
  const Report report = Check(*files);
  EXPECT_EQ(report.diagnostics.size(), 10U) << FormatDiagnostics(report.diagnostics);
}

}  // namespace
}  // namespace zhitui::authoring
