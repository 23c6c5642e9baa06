#include "message/message.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace zhitui::message {
namespace {

std::shared_ptr<const TemplateSet> Build(const std::string& text, Diagnostics* diagnostics) {
  std::vector<yaml::Document> documents;
  std::optional<yaml::Document> document = yaml::Parse("m.yaml", text, diagnostics);
  if (!document) return nullptr;
  documents.push_back(std::move(*document));
  return TemplateSet::Build(documents, diagnostics);
}

constexpr const char* kSenior = R"(message: senior-now
app:
  title: {zh: "{{title}}", en: "{{title}}"}
  body: {zh: "您已满足：{{reasons}}。每月{{amount}}{{unit}}，从{{ occurrence }}起。", en: "You qualify: {{reasons}}. {{amount}} {{unit}} from {{occurrence}}."}
wechat:
  template: benefit_notice
  fields:
    thing1: {zh: "{{title}}可以申领，请携带材料到街道办事处办理手续", en: "{{title}}"}
    time2: {zh: "{{occurrence}}", en: "{{occurrence}}"}
sms:
  template: senior_now
  params: {item: "{{title}}"}
  text: {zh: "您可以申领{{title}}，详见i深圳。", en: "You can apply for the {{title}}."}
)";

decide::Decision Senior() {
  decide::Decision d;
  d.title = {"高龄津贴", "Senior allowance"};
  d.occurrence = MakeDate(2026, 3, 2);
  d.amount = value::Decimal{200, 0};
  d.unit = "CNY/month";
  d.criteria = {{"a", "true", {"深圳户籍", "Shenzhen hukou"}, ""},
                {"b", "true", {"年满70周岁", "Aged 70"}, ""},
                {"c", "false", {"别的", "Other"}, ""}};
  return d;
}

TEST(Render, FillsEveryPlaceholderInTheReadersLanguage) {
  Diagnostics diagnostics;
  const auto set = Build(kSenior, &diagnostics);
  ASSERT_TRUE(set) << FormatDiagnostics(diagnostics);
  const Template& t = *set->Find("senior-now");
  EXPECT_EQ(Render(t, Senior(), Channel::kApp, "zh", {})->body,
            "您已满足：深圳户籍、年满70周岁。每月200元/月，从2026年3月2日起。");
  EXPECT_EQ(Render(t, Senior(), Channel::kApp, "en", {})->body,
            "You qualify: Shenzhen hukou, Aged 70. 200 CNY/month from 2026-03-02.");
}

TEST(Render, CutsAWechatThingTo20CharactersWithAMark) {
  Diagnostics diagnostics;
  const auto set = Build(kSenior, &diagnostics);
  ASSERT_TRUE(set);
  const Result<Content> c = Render(*set->Find("senior-now"), Senior(), Channel::kWechat, "zh", {});
  ASSERT_TRUE(c);
  EXPECT_EQ(c->fields[0], (std::pair<std::string, std::string>{"thing1", "高龄津贴可以申领，请携带材料到街道办事…"}));
  EXPECT_EQ(c->provider_template, "benefit_notice");
}

TEST(Render, CountsTheSignatureIntoTheSms) {
  Diagnostics diagnostics;
  const auto set = Build(kSenior, &diagnostics);
  ASSERT_TRUE(set);
  const Result<Content> c = Render(*set->Find("senior-now"), Senior(), Channel::kSms, "zh", {});
  ASSERT_TRUE(c);
  EXPECT_EQ(c->body, "【福田政务】您可以申领高龄津贴，详见i深圳。");
  EXPECT_EQ(c->segments, 1U);
  EXPECT_EQ(c->fields, (std::vector<std::pair<std::string, std::string>>{{"item", "高龄津贴"}}));
}

// providers.md §2.3.
TEST(SmsSegments, AreCountedAsTheCarriersDo) {
  const std::vector<std::pair<std::size_t, std::uint32_t>> cases = {{1, 1},   {68, 1},  {70, 1},  {71, 2}, {134, 2},
                                                                    {135, 3}, {160, 3}, {500, 8}, {501, 0}};
  for (const auto& [length, segments] : cases) EXPECT_EQ(SmsSegments(length), segments) << length;
}

TEST(Utf16Length, CountsCharactersBeyondTheBasicPlaneTwice) {
  EXPECT_EQ(Utf16Length("a高\xF0\x9F\x8E\x82"), 4U);
  EXPECT_EQ(Utf16Length("【华为云】"), 5U);  // providers.md §2.3
}

// providers.md §1.4.
TEST(WechatField, FitsTheLimitOfItsType) {
  const std::string long_text(60, '1');
  EXPECT_EQ(FitWechatField("character_string3", long_text), std::string(32, '1'));
  EXPECT_EQ(FitWechatField("phone_number1", long_text), std::string(17, '1'));
  EXPECT_EQ(FitWechatField("phrase4", "一二三四五六"), "一二三四五");
  EXPECT_EQ(FitWechatField("thing1", "一行\n两行"), "一行 两行");
  EXPECT_EQ(FitWechatField("time2", "2026年3月2日"), "2026年3月2日");
  EXPECT_EQ(FitWechatField("letter1", std::string(40, 'a')), std::string(32, 'a'));
  EXPECT_EQ(FitWechatField("symbol1", "!!!!!!"), "!!!!!");
  EXPECT_EQ(FitWechatField("car_number1", "粤B123456789"), "粤B123456");
  EXPECT_EQ(FitWechatField("name1", "一二三四五六七八九十一"), "一二三四五六七八九十");
  EXPECT_EQ(FitWechatField("name1", "Alexander Wellington Smith"), "Alexander Wellington");
  EXPECT_EQ(FitWechatField("const1", "一二三四五六七八九十一二三四五六七八九十一"),
            "一二三四五六七八九十一二三四五六七八九…");
  EXPECT_EQ(FitWechatField("thing1", "一\u2028二\u0085三"), "一 二 三");
}

TEST(WechatField, ANumberOrAnAmountIsNeverCutIntoAnother) {
  const std::string digits(33, '7');
  EXPECT_EQ(FitWechatField("number1", digits), digits);
  EXPECT_EQ(FitWechatField("amount1", digits), digits);
}

TEST(Templates, RefuseUnknownPlaceholdersWithTheirPlace) {
  Diagnostics diagnostics;
  EXPECT_FALSE(Build("message: m\napp:\n  title: a\n  body: \"hello {{titel}}\"\n", &diagnostics));
  ASSERT_EQ(diagnostics.size(), 1U);
  EXPECT_EQ(diagnostics[0].code, "unknown-placeholder");
  EXPECT_EQ(diagnostics[0].at.line, 4U);
  EXPECT_EQ(diagnostics[0].hint, "did you mean {{title}}?");
}

TEST(Templates, ReportEveryMistakeAtOnce) {
  Diagnostics diagnostics;
  EXPECT_FALSE(Build(
      "message: m\nap: x\nwechat:\n  template: t\n  fields: {heading1: a}\nsms:\n  template: s\n  text: 【x】{{nope\n",
      &diagnostics));
  std::vector<std::string> codes;
  for (const Diagnostic& d : diagnostics) codes.push_back(d.code);
  EXPECT_EQ(std::count(codes.begin(), codes.end(), "wechat-field"), 1);
  EXPECT_EQ(std::count(codes.begin(), codes.end(), "sms-brackets"), 1);
  EXPECT_EQ(std::count(codes.begin(), codes.end(), "bad-placeholder"), 1);
  EXPECT_EQ(diagnostics.size(), 4U) << FormatDiagnostics(diagnostics);  // and the unknown key `ap`
}

TEST(Content, SurvivesItsEncoding) {
  Diagnostics diagnostics;
  const auto set = Build(kSenior, &diagnostics);
  ASSERT_TRUE(set);
  for (const Channel channel : kChannels) {
    const Result<Content> c = Render(*set->Find("senior-now"), Senior(), channel, "zh", {});
    ASSERT_TRUE(c);
    const Result<Content> back = Content::Decode(c->Encode());
    ASSERT_TRUE(back);
    EXPECT_EQ(back->Encode(), c->Encode());
    EXPECT_EQ(back->fields, c->fields);
    const std::string bytes = c->Encode();
    for (std::size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(Content::Decode(bytes.substr(0, n)));
  }
}

}  // namespace
}  // namespace zhitui::message
