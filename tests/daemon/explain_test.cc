// `zhitui rules explain` as it is called: exit codes, output, what it must not print.

#include <stdlib.h>
#include <sysexits.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "daemon/daemon.h"
#include "gtest/gtest.h"

namespace zhitui::daemon {
namespace {

using Json = nlohmann::json;

const std::string kRules = std::string(ZHITUI_SOURCE_DIR) + "/rules";

class RulesExplainCommand : public ::testing::Test {
 protected:
  RulesExplainCommand() {
    std::string name = (std::filesystem::temp_directory_path() / "zhitui-explain-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = name;
  }
  ~RulesExplainCommand() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string Write(const std::string& name, const std::string& text) const {
    const std::string path = folder_ + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  struct Output {
    int code = 0;
    std::string out;
    std::string err;
  };
  static Output Explain(std::vector<std::string> words) {
    words.insert(words.begin(), {"zhitui", "rules", "explain"});
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    Output output;
    output.code = Main(static_cast<int>(words.size()), argv.data(), "1.2.3");
    output.out = testing::internal::GetCapturedStdout();
    output.err = testing::internal::GetCapturedStderr();
    return output;
  }
  std::string folder_;
};

TEST_F(RulesExplainCommand, MistakesHaveTheirExitCodesAndRevealNoValue) {
  const std::string good = Write("facts.json", R"({"birth_date":"1956-09-10"})");
  const std::string bad = Write("bad.json", R"({"birth_date":"1956-02-30"})");
  Write("bad-rules/facts/person.yaml", "kind: person\nsources: {s: 源}\nfacts: {a: {type: int}}\n");
  const auto code = [&](std::vector<std::string> words) {
    const Output output = Explain(std::move(words));
    EXPECT_TRUE(output.out.empty()) << output.out;
    EXPECT_FALSE(output.err.empty());
    EXPECT_EQ(output.err.find("1956"), std::string::npos) << output.err;
    return output.code;
  };
  const std::string day = "2026-03-01";
  EXPECT_EQ(code({"--rules", kRules, "--at", day}), EX_USAGE);
  EXPECT_EQ(code({"--rules", kRules, "--facts", good, "--at", "March"}), EX_USAGE);
  EXPECT_EQ(code({"--rules", kRules, "--facts", good, "--at", day, "--lang", "fr"}), EX_USAGE);
  EXPECT_EQ(code({"--rules", kRules, "--facts", good, "--at", day, "--kind", "ghost"}), EX_USAGE);
  EXPECT_EQ(code({"--rules", kRules, "--facts", good, "--at", day, "--rule", "ghost"}), EX_USAGE);
  EXPECT_EQ(code({"--rules", kRules, "--facts", bad, "--at", day}), EX_DATAERR);
  EXPECT_EQ(code({"--rules", kRules, "--facts", folder_ + "/nowhere.json", "--at", day}), EX_NOINPUT);
  EXPECT_EQ(code({"--rules", folder_ + "/nowhere", "--facts", good, "--at", day}), EX_NOINPUT);
  EXPECT_EQ(code({"--rules", folder_ + "/bad-rules", "--facts", good, "--at", day}), EX_CONFIG);
}

TEST_F(RulesExplainCommand, ExplainsEveryRuleOfTheKindOrOne) {
  const std::string facts = Write("facts.json", R"({"birth_date":"1956-09-10","hukou.city":"440100"})");
  const Output all = Explain({"--rules", kRules, "--facts", facts, "--at", "2026-09-10", "--json"});
  ASSERT_EQ(all.code, EX_OK) << all.err;
  EXPECT_EQ(all.out.find("1956"), std::string::npos);
  const Json list = Json::parse(all.out);
  EXPECT_GE(list.size(), 4U);
  for (const Json& one : list) {
    EXPECT_TRUE(one.contains("criteria"));
    EXPECT_TRUE(one["remedy"].contains("choices"));
  }
  const Output one =
      Explain({"--rules", kRules, "--facts", facts, "--at", "2026-09-10", "--rule", "senior-allowance", "--json"});
  ASSERT_EQ(Json::parse(one.out).size(), 1U);
  EXPECT_EQ(Json::parse(one.out)[0]["remedy"]["choices"][0][0]["to"], "440300");
  const Output text = Explain({"--rules", kRules, "--facts", facts, "--at", "2026-09-10", "--rule", "senior-allowance",
                               "--lang", "en", "--show-sensitive"});
  EXPECT_EQ(text.code, EX_OK);
  EXPECT_NE(text.out.find("needs: Hukou city = 440300 (now: 440100)"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("Date of birth: 1956-09-10"), std::string::npos) << text.out;
}

}  // namespace
}  // namespace zhitui::daemon
