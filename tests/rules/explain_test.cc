#include <nlohmann/json.hpp>

#include "rules/rules_support.h"

namespace zhitui::rules {
namespace {

using Json = nlohmann::json;

class Explain : public ::testing::Test {
 protected:
  void SetUp() override {
    set_ = MustBuild(SampleFiles());
    ASSERT_NE(set_, nullptr);
  }
  struct Said {
    Json json;
    std::string raw;
    std::string zh;
    std::string en;
  };
  Said Say(const std::string& rule_id, const std::string& facts, const std::string& day_text) {
    const Rule& rule = *set_->Find(rule_id);
    const facts::Profile profile = MakeProfile(*set_, rule.kind, facts);
    const Date day = Day(day_text);
    value::Arena arena;
    const Determination d = Evaluate(rule, profile, day, arena);
    const Outlook o = LookAhead(rule, profile, d, day, Day("2100-01-01"), arena);
    const std::string raw = ToJson(rule, profile, d, o, day);
    return {Json::parse(raw), raw, ToText(rule, profile, d, o, day, "zh"), ToText(rule, profile, d, o, day, "en")};
  }
  std::shared_ptr<const RuleSet> set_;
};

TEST_F(Explain, JsonNamesAnswerAmountCriteriaCitationsAndOutlook) {
  const Said said = Say("senior-allowance",
                        R"({"birth_date":"1955-03-02","hukou.city":"440300","documents.id_card":true})", "2025-03-02");
  const Json& j = said.json;
  EXPECT_EQ(j["rule"], "senior-allowance");
  EXPECT_EQ(j["answer"], "eligible");
  EXPECT_EQ(j["amount"], "200");
  EXPECT_EQ(j["unit"], "CNY/month");
  EXPECT_EQ(j["day"], "2025-03-02");
  EXPECT_EQ(j["next_change"], "2035-03-02");
  EXPECT_TRUE(j["eligible_from"].is_null());
  ASSERT_EQ(j["criteria"].size(), 2U);
  EXPECT_EQ(j["criteria"][0]["id"], "registered");
  EXPECT_EQ(j["criteria"][0]["truth"], "true");
  EXPECT_EQ(j["criteria"][0]["label"]["zh"], "深圳户籍");
  EXPECT_EQ(j["criteria"][0]["law"]["title"], "深民规〔2019〕2号");
  EXPECT_EQ(j["criteria"][0]["facts"][0]["name"], "hukou.city");
  EXPECT_EQ(j["criteria"][0]["facts"][0]["value"], "440300");
  EXPECT_EQ(j["apply"]["materials"][0]["on_file"], true);
  EXPECT_TRUE(j["apply"]["materials"][1]["on_file"].is_null());
  EXPECT_TRUE(j["missing"].empty());
}

TEST_F(Explain, ASensitiveFactIsNamedButItsValueIsNowhere) {
  const Said said = Say("senior-allowance", R"({"birth_date":"1991-07-23","hukou.city":"440300"})", "2025-03-02");
  const Json& fact = said.json["criteria"][1]["facts"][0];
  EXPECT_EQ(fact["name"], "birth_date");
  EXPECT_EQ(fact["sensitive"], true);
  EXPECT_EQ(fact["known"], true);
  EXPECT_FALSE(fact.contains("value"));
  for (const std::string& text : {said.raw, said.zh, said.en}) {
    EXPECT_EQ(text.find("1991-07-23"), std::string::npos) << text;
  }
}

TEST_F(Explain, WhatIsMissingIsNamedWithItsSource) {
  const Said said = Say("senior-allowance", R"({"hukou.city":"440300"})", "2025-03-02");
  EXPECT_EQ(said.json["answer"], "unknown");
  ASSERT_EQ(said.json["missing"].size(), 1U);
  EXPECT_EQ(said.json["missing"][0]["name"], "birth_date");
  EXPECT_EQ(said.json["missing"][0]["source"]["id"], "police");
  EXPECT_EQ(said.json["missing"][0]["source"]["label"]["zh"], "公安");
  EXPECT_NE(said.zh.find("缺少"), std::string::npos);
  EXPECT_NE(said.zh.find("出生日期"), std::string::npos);
  EXPECT_NE(said.en.find("Date of birth"), std::string::npos);
}

TEST_F(Explain, TextIsAlignedByWhatATerminalShows) {
  const Said said = Say("senior-allowance", R"({"birth_date":"1955-03-02","hukou.city":"440300"})", "2025-03-01");
  EXPECT_NE(said.zh.find("高龄津贴 (senior-allowance), 2025-03-01\n"), std::string::npos) << said.zh;
  EXPECT_NE(said.zh.find("不符合条件"), std::string::npos) << said.zh;
  EXPECT_NE(said.en.find("not eligible"), std::string::npos) << said.en;
  EXPECT_NE(said.en.find("2025-03-02"), std::string::npos) << said.en;
  // The labels of the criteria start in the same cell of their lines.
  const auto column = [](const std::string& text, const std::string& word) {
    const std::size_t at = text.find(word);
    EXPECT_NE(at, std::string::npos) << word << " in " << text;
    return DisplayWidth(std::string_view(text).substr(text.rfind('\n', at) + 1, at - text.rfind('\n', at) - 1));
  };
  EXPECT_EQ(column(said.zh, "深圳户籍"), column(said.zh, "达到高龄津贴年龄"));
  EXPECT_EQ(column(said.zh, "深圳户籍"), column(said.zh, "不符合条件"));
}

}  // namespace
}  // namespace zhitui::rules
