#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "daemon/commands.h"
#include "gtest/gtest.h"

namespace zhitui::daemon {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class RulesTestCommand : public testing::Test {
 protected:
  RulesTestCommand() {
    std::string name = (fs::temp_directory_path() / "zhitui-rules-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = name;
    Write("facts/person.yaml",
          "kind: person\nsources: {office: {zh: 办公室, en: Office}}\nfacts:\n"
          "  points: {type: int, source: office, label: {zh: 分数, en: Points}}\n");
    Write("good.yaml", Rule("good", "eligible"));
  }
  ~RulesTestCommand() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  static std::string Rule(const std::string& id, const std::string& expected) {
    return "rule: " + id +
           "\nabout: person\ntitle: 分\nowner: 办公室\ntopic: t\ncriteria:\n  enough: {label: 够分, when: "
           "person.points >= 3}\ntests:\n  - name: three\n    facts: {points: 3}\n    expect: {2026-01-01: " +
           expected + "}\n";
  }
  void Write(const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(folder_ + "/" + path).parent_path());
    std::ofstream(folder_ + "/" + path, std::ios::binary) << text;
  }
  std::string Read(const std::string& path) const {
    std::ifstream in(folder_ + "/" + path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
  int Run(RulesTestArguments arguments) {
    arguments.folder = folder_;
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = RulesTest(arguments);
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return code;
  }

  std::string folder_;
  std::string out_;
  std::string err_;
};

TEST_F(RulesTestCommand, SaysHowManyPassedAndShowsWhatFailed) {
  EXPECT_EQ(Run({}), EX_OK);
  EXPECT_EQ(out_, folder_ + ": 1 passed, 0 failed\n");
  EXPECT_EQ(err_, "");
  Write("wrong.yaml", Rule("wrong", "ineligible"));
  EXPECT_EQ(Run({}), EX_CONFIG);
  EXPECT_EQ(out_, folder_ + ": 1 passed, 1 failed\n");
  EXPECT_EQ(err_,
            "wrong.yaml:11: wrong, test \"three\", 2026-01-01\n  expected  ineligible\n  got       eligible\n"
            "  facts     points: 3\n");
  RulesTestArguments one;
  one.rules = {"good"};
  one.locale = "zh";
  EXPECT_EQ(Run(one), EX_OK);
  EXPECT_EQ(out_, folder_ + "：1 项通过，0 项失败\n");
  one.rules = {"nowhere"};
  EXPECT_EQ(Run(one), EX_USAGE);
  EXPECT_NE(err_.find("no rule nowhere in "), std::string::npos) << err_;
}

TEST_F(RulesTestCommand, ReportsAndWritesNoFileOfTheRules) {
  const std::string before = Read("good.yaml");
  RulesTestArguments all;
  all.coverage = all.mutate = all.cases = all.json = true;
  all.junit = folder_ + "/junit.xml";
  // What the tests leave unproved is no failure.
  ASSERT_EQ(Run(all), EX_OK) << err_;
  const json report = json::parse(out_);
  EXPECT_EQ(report["passed"], 1);
  EXPECT_EQ(report["coverage"][0]["shown"], 0);
  // true for the criterion and 2 for 3 survive; > for >= and 4 for 3 do not.
  EXPECT_EQ(report["mutants"][0]["killed"], 2);
  EXPECT_EQ(report["mutants"][0]["survived"], 2);
  EXPECT_EQ(report["cases"].size(), 2U);
  EXPECT_NE(Read("junit.xml").find("<testsuite name=\"good\" tests=\"3\" failures=\"2\""), std::string::npos);
  EXPECT_EQ(Read("good.yaml"), before);
  all.junit = folder_ + "/nowhere/junit.xml";
  EXPECT_EQ(Run(all), EX_CANTCREAT);
}

}  // namespace
}  // namespace zhitui::daemon
