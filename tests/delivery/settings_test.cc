#include <gtest/gtest.h>

#include "delivery/delivery.h"

namespace zhitui::delivery {
namespace {

Location Line(std::uint32_t line) { return {"zhitui.yaml", line, 3}; }

const std::vector<SettingDoc> kDocs = {{"base_url", "https://a.example", false, false, {}},
                                       {"secret", "", true, true, {}},
                                       {"templates.*", "", false, false, {}}};

TEST(Settings, UnknownKeysAreRefusedAtTheirPlaceWithTheNearestKey) {
  Settings settings;
  settings.Set("bas_url", "x", Line(4));
  settings.Set("secret", "s", Line(5));
  settings.Set("templates.a", "1", Line(6));
  settings.Set("template.b", "2", Line(7));
  settings.Set("zzzzzzzzzzzz", "2", Line(8));
  Diagnostics found;
  RefuseUnknownKeys(settings, kDocs, &found);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].at.line, 4U);
  EXPECT_EQ(found[0].code, "unknown-key");
  EXPECT_EQ(found[0].hint, "did you mean base_url?");
  EXPECT_EQ(found[1].at.line, 7U);
  EXPECT_EQ(found[1].hint, "did you mean templates.b?");
  EXPECT_EQ(found[2].hint, "known are base_url, secret, templates");
}

TEST(Settings, ValuesAreTakenStrictly) {
  Settings settings;
  settings.SetPlace(Line(1));
  settings.Set("n", "12", Line(2));
  settings.Set("bad", "12x", Line(3));
  settings.Set("big", "99999999999999999999", Line(4));
  settings.Set("yes", "yes", Line(5));
  settings.Set("on", "true", Line(6));
  settings.Set("empty", "", Line(7));
  settings.Set("t.a", "1", Line(8));
  settings.Set("t.b", "2", Line(9));
  settings.Set("tx", "3", Line(9));
  Diagnostics found;
  EXPECT_EQ(settings.Int("n", 1, 0, 20, &found), 12);
  EXPECT_EQ(settings.Int("none", 7, 0, 20, &found), 7);
  EXPECT_TRUE(settings.Bool("on", false, &found));
  EXPECT_EQ(settings.String("none", "d", &found), "d");
  EXPECT_EQ(settings.String("empty", "d", &found), "");
  EXPECT_EQ(settings.Table("t"), (std::map<std::string, std::string>{{"a", "1"}, {"b", "2"}}));
  EXPECT_TRUE(found.empty());
  settings.Int("n", 1, 0, 5, &found);
  settings.Int("bad", 1, 0, 5, &found);
  settings.Int("big", 1, 0, 5, &found);
  settings.Int("empty", 1, 0, 5, &found);
  settings.Bool("yes", true, &found);
  settings.String("none", std::nullopt, &found);
  settings.String("empty", std::nullopt, &found);
  ASSERT_EQ(found.size(), 7U);
  EXPECT_EQ(found[1].at.line, 3U);
  EXPECT_EQ(found[5].at.line, 1U) << "a missing key is reported at the block";
  EXPECT_EQ(found[6].at.line, 7U);
}

TEST(BaseUrl, IsSchemeHostPortAndPathOnly) {
  const Result<BaseUrl> plain = ParseBaseUrl("https://api.jpush.cn");
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(plain->Origin(), "https://api.jpush.cn:443");
  EXPECT_EQ(plain->HostHeader(), "api.jpush.cn");
  EXPECT_EQ(plain->path, "");
  const Result<BaseUrl> full = ParseBaseUrl("http://127.0.0.1:18080/a/b/");
  ASSERT_TRUE(full.has_value());
  EXPECT_EQ(full->HostHeader(), "127.0.0.1:18080");
  EXPECT_EQ(full->path, "/a/b");
  EXPECT_TRUE(ParseBaseUrl("http://[::1]:8080").has_value());
  for (const char* bad : {"", "api.jpush.cn", "ftp://a", "https://", "http://:80", "http://a:0", "http://a:65536",
                          "http://a:", "http://a:8o", "http://u:p@a", "http://a?x=1", "http://a/#f", "http://a/b c",
                          "http://[::1", "http://[]", "HTTPS://a", "http://a:999999999999"}) {
    EXPECT_FALSE(ParseBaseUrl(bad).has_value()) << bad;
  }
}

TEST(BaseUrl, MistakesAreDiagnostics) {
  Settings settings;
  settings.Set("base_url", "api.example", Line(3));
  Diagnostics found;
  BaseUrlSetting(settings, "https://a.example", &found);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].code, "bad-url");
  EXPECT_EQ(found[0].at.line, 3U);
  settings.Set("ca_file", "/nonexistent/ca.pem", Line(4));
  FileSetting(settings, "ca_file", &found);
  EXPECT_EQ(found.size(), 2U);
}

TEST(PercentEncode, EscapesAllButTheUnreserved) {
  EXPECT_EQ(PercentEncode("aZ09-_.~"), "aZ09-_.~");
  EXPECT_EQ(PercentEncode(" !'()*+,/:;=?@[]&%\"福"),
            "%20%21%27%28%29%2A%2B%2C%2F%3A%3B%3D%3F%40%5B%5D%26%25%22%E7%A6%8F");
}

TEST(Guards, ConstantTimeEqualComparesWholeStrings) {
  EXPECT_TRUE(ConstantTimeEqual("", ""));
  EXPECT_TRUE(ConstantTimeEqual("abc", "abc"));
  EXPECT_FALSE(ConstantTimeEqual("abc", "abd"));
  EXPECT_FALSE(ConstantTimeEqual("abc", "xbc"));
  EXPECT_FALSE(ConstantTimeEqual("abc", "abcd"));
}

TEST(Guards, AnAlarmOpensOncePerCode) {
  AlarmGate gate;
  EXPECT_TRUE(gate.Open("45009"));
  EXPECT_FALSE(gate.Open("45009"));
  EXPECT_TRUE(gate.Open("48001"));
}

TEST(Names, EveryStateHasItsOwnName) {
  std::vector<std::string> names;
  for (int i = 0; i <= 7; ++i) names.push_back(VerdictName(static_cast<Verdict>(i)));
  EXPECT_EQ(names, (std::vector<std::string>{"accepted", "retry_later", "throttled", "drop_contact", "stop_channel",
                                             "fix_message", "not_sent", "unknown"}));
  EXPECT_STREQ(NotificationStateName(NotificationState::kExpired), "expired");
  EXPECT_STREQ(AttemptStateName(AttemptState::kParked), "parked");
}

}  // namespace
}  // namespace zhitui::delivery
