#include "app/visible.h"

#include <gtest/gtest.h>

namespace zhitui::app {
namespace {

message::Content Content(std::string locale) {
  message::Content content;
  content.channel = Channel::kApp;
  content.locale = std::move(locale);
  content.title = "高龄津贴";
  content.body = "您可以申请高龄津贴";
  content.url = "https://example.gov.cn/a";
  return content;
}

TEST(Visible, NothingOfTheMessageIsShownByDefault) {
  Diagnostics found;
  const Visible visible = ValidateVisible({}, &found);
  EXPECT_TRUE(found.empty());
  const message::Content zh = Content("zh");
  EXPECT_EQ(ShownOf(visible, zh).title, "政务服务通知");
  EXPECT_EQ(ShownOf(visible, zh).body, "您有一条新的办事提醒，请打开应用查看");
  const message::Content en = Content("en");
  EXPECT_EQ(ShownOf(visible, en).title, "Government services");
  EXPECT_EQ(ShownOf(visible, en).body, "You have a new reminder. Please open the app to read it.");
}

TEST(Visible, FullShowsTheMessage) {
  delivery::Settings settings;
  settings.Set("show", "full", {});
  const Visible visible = ValidateVisible(settings, nullptr);
  const message::Content content = Content("zh");
  EXPECT_EQ(ShownOf(visible, content).title, "高龄津贴");
  EXPECT_EQ(ShownOf(visible, content).body, "您可以申请高龄津贴");
}

TEST(Visible, TheNeutralTextIsTheCitysOwn) {
  delivery::Settings settings;
  settings.Set("neutral_title", "福田政务", {});
  settings.Set("neutral_body_en", "Please open the app.", {});
  Diagnostics found;
  const Visible visible = ValidateVisible(settings, &found);
  EXPECT_TRUE(found.empty());
  const message::Content zh = Content("zh");
  EXPECT_EQ(ShownOf(visible, zh).title, "福田政务");
  EXPECT_EQ(ShownOf(visible, zh).body, "您有一条新的办事提醒，请打开应用查看");
  const message::Content en = Content("en");
  EXPECT_EQ(ShownOf(visible, en).title, "Government services");
  EXPECT_EQ(ShownOf(visible, en).body, "Please open the app.");
}

TEST(Visible, MistakesHaveTheirPlace) {
  delivery::Settings settings;
  settings.Set("show", "all", {"zhitui.yaml", 4, 3});
  settings.Set("neutral_title", std::string(101, 'a'), {"zhitui.yaml", 5, 3});
  settings.Set("neutral_body", "", {"zhitui.yaml", 6, 3});
  settings.Set("neutral_body_en", "\xff", {"zhitui.yaml", 7, 3});
  Diagnostics found;
  ValidateVisible(settings, &found);
  ASSERT_EQ(found.size(), 4U) << FormatDiagnostics(found);
  for (std::uint32_t i = 0; i < 4; ++i) EXPECT_EQ(found[i].at.line, 4 + i);
}

TEST(Visible, TheHiddenDataNamesTheMessageAndNobody) {
  delivery::SendRequest request;
  request.attempt_id = "n1-1";
  request.notification_id = "n1";
  request.contact = "171976fa8a8620a14a4";
  request.content = Content("zh");
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"attempt_id", "n1-1"}, {"notification_id", "n1"}, {"url", "https://example.gov.cn/a"}};
  EXPECT_EQ(HiddenData(request), expected);
  request.content.url.clear();
  EXPECT_EQ(HiddenData(request).size(), 2U);
}

TEST(Visible, AMessageForTheAppHasATitleAndABodyInUtf8) {
  EXPECT_TRUE(CheckAppContent(Content("zh")).has_value());
  for (const auto& spoil : std::vector<void (*)(message::Content&)>{
           [](message::Content& c) { c.title.clear(); }, [](message::Content& c) { c.body.clear(); },
           [](message::Content& c) { c.channel = Channel::kSms; }, [](message::Content& c) { c.body = "\xff"; },
           [](message::Content& c) { c.title = "\xe9\xab"; }, [](message::Content& c) { c.url = "\xff"; }}) {
    message::Content content = Content("zh");
    spoil(content);
    EXPECT_FALSE(CheckAppContent(content).has_value());
  }
}

}  // namespace
}  // namespace zhitui::app
