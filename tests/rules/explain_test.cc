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

// What `rules explain` says, for one subject of the sample rules.
struct Explained {
  Json json;
  std::string zh;
  std::string en;
};
Explained ExplainSample(const RuleSet& set, const std::string& rule_id, const std::string& facts,
                        const std::string& day_text, bool show_sensitive = false) {
  const Rule& rule = *set.Find(rule_id);
  const facts::Profile profile = MakeProfile(set, rule.kind, facts);
  const Date day = Day(day_text);
  value::Arena arena;
  const Determination d = Evaluate(rule, profile, day, arena);
  const Outlook o = LookAhead(rule, profile, d, day, Day("2150-01-01"), arena);
  const Remedy r = FindRemedy(rule, profile, d, o, day, arena);
  return {Json::parse(ExplainJson(rule, profile, d, o, r, day, show_sensitive)),
          ExplainText(rule, profile, d, o, r, day, "zh", show_sensitive),
          ExplainText(rule, profile, d, o, r, day, "en", show_sensitive)};
}

TEST_F(Explain, APersonOfSixtyNineIsToldToWaitForTheSeventiethBirthday) {
  const Explained said =
      ExplainSample(*set_, "senior-allowance", R"({"birth_date":"1956-09-10","hukou.city":"440300"})", "2026-03-01");
  EXPECT_EQ(said.zh, R"(高龄津贴 (senior-allowance), 2026-03-01
  结果      不符合条件
  是        深圳户籍
            户籍城市：440300
            依据：深民规〔2019〕2号 https://www.gdzwfw.gov.cn/portal/simple-guide/11440300007542195T3442108219000
  否        达到高龄津贴年龄
            出生日期：不显示（敏感）
            依据：深民规〔2019〕2号 https://www.gdzwfw.gov.cn/portal/simple-guide/11440300007542195T3442108219000
  符合之日  2026-09-10
  办法      等到 2026-09-10，其他不用改变
  办理      https://www.gdzwfw.gov.cn/portal/simple-guide/11440300007542195T3442108219000
  材料      本人身份证
  材料      本人银行卡
)");
  EXPECT_EQ(said.en, R"(Senior allowance (senior-allowance), 2026-03-01
  answer         not eligible
  yes            Shenzhen hukou
                 Hukou city: 440300
                 law: 深民规〔2019〕2号 https://www.gdzwfw.gov.cn/portal/simple-guide/11440300007542195T3442108219000
  no             Old enough for the allowance
                 Date of birth: not shown (sensitive)
                 law: 深民规〔2019〕2号 https://www.gdzwfw.gov.cn/portal/simple-guide/11440300007542195T3442108219000
  eligible from  2026-09-10
  to qualify     wait until 2026-09-10, nothing else has to change
  apply          https://www.gdzwfw.gov.cn/portal/simple-guide/11440300007542195T3442108219000
  bring          Your ID card
  bring          Your bank card
)");
  EXPECT_EQ(said.json["remedy"], Json::parse(R"({"wait_until":"2026-09-10","choices":[],"complete":true,
                                                 "settled":["old_enough"]})"));
}

TEST_F(Explain, TheSmallestChangeIsNamedWithThePresentValue) {
  const Explained said =
      ExplainSample(*set_, "senior-allowance", R"({"birth_date":"1950-01-01","hukou.city":"440100"})", "2026-03-01");
  EXPECT_NE(said.zh.find("\n  办法  需要：户籍城市 = 440300（现在：440100）\n"), std::string::npos) << said.zh;
  EXPECT_NE(said.en.find("\n  to qualify  needs: Hukou city = 440300 (now: 440100)\n"), std::string::npos) << said.en;
  EXPECT_EQ(said.json["remedy"]["choices"],
            Json::parse(R"([[{"name":"hukou.city","label":{"zh":"户籍城市","en":"Hukou city"},"known":true,
                              "value":"440100","relation":"is","to":"440300"}]])"));
  const Explained unknown = ExplainSample(*set_, "senior-allowance", R"({"birth_date":"1950-01-01"})", "2026-03-01");
  EXPECT_NE(unknown.zh.find("需要：户籍城市 = 440300（现在：未知）"), std::string::npos) << unknown.zh;
}

TEST_F(Explain, SeveralChangesAreListedOneBelowTheOther) {
  const std::string facts = R"({"hukou.city":"430100","residence":{"permit_issued":"2020-01-01","talent":false},
                                "education.student":false})";
  const Explained said = ExplainSample(*set_, "residence-permit", facts, "2026-03-01");
  EXPECT_NE(said.zh.find("  办法  需要：连续居住登记起始日有记录（现在：未知）\n"
                         "        并且：居住证签发日 = 无（现在：2020-01-01）\n"
                         "        并且：引进人才 = 是（现在：否）\n"
                         "        或者：连续居住登记起始日有记录（现在：未知）\n"
                         "        并且：居住证签发日 = 无（现在：2020-01-01）\n"
                         "        并且：全日制在校生 = 是（现在：否）\n"),
            std::string::npos)
      << said.zh;
}

TEST_F(Explain, WhatCannotBeChangedIsSaid) {
  const Explained young =
      ExplainSample(*set_, "senior-allowance", R"({"birth_date":"1990-01-01","hukou.city":"440100"})", "2026-03-01");
  EXPECT_NE(young.zh.find("没有找到三项以内的改变"), std::string::npos) << young.zh;
  EXPECT_NE(young.zh.find("“达到高龄津贴年龄”由不能改变的资料决定（出生日期）"), std::string::npos) << young.zh;
  const Explained unknown = ExplainSample(*set_, "senior-allowance", R"({"hukou.city":"440300"})", "2026-03-01");
  EXPECT_NE(unknown.zh.find("先补齐缺少的资料，才能确定"), std::string::npos) << unknown.zh;
  const Explained dead = ExplainSample(*set_, "senior-allowance",
                                       R"({"birth_date":"1990-01-01","death_date":"2020-01-01"})", "2026-03-01");
  EXPECT_NE(dead.zh.find("已登记死亡日期，任何规定都不再适用"), std::string::npos) << dead.zh;
  EXPECT_EQ(dead.json["alive"], false);
}

TEST_F(Explain, SensitiveValuesAreShownOnlyWhenAskedFor) {
  const std::string facts = R"({"birth_date":"1956-09-10","hukou.city":"440300"})";
  const Explained masked = ExplainSample(*set_, "senior-allowance", facts, "2026-03-01");
  for (const std::string& text : {masked.json.dump(), masked.zh, masked.en}) {
    EXPECT_EQ(text.find("1956"), std::string::npos) << text;
  }
  const Explained shown = ExplainSample(*set_, "senior-allowance", facts, "2026-03-01", true);
  EXPECT_EQ(shown.json["criteria"][1]["facts"][0]["value"], "1956-09-10");
  EXPECT_NE(shown.zh.find("出生日期：1956-09-10"), std::string::npos) << shown.zh;
}

}  // namespace
}  // namespace zhitui::rules
