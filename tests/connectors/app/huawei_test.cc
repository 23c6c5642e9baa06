#include <gtest/gtest.h>

#include <set>

#include "app/app.h"
#include "app/huawei_codes.h"
#include "app/huawei_wire.h"
#include "connectors/app/account.h"

namespace zhitui::app {
namespace {

using delivery::Verdict;
using nlohmann::json;
using testing::AnswerOf;
using testing::PushRequest;

constexpr Instant kNow = Instant(std::chrono::seconds(1'768'442'400));

json AccountJson() {
  return {{"project_id", "3158"}, {"key_id", "k-1"}, {"private_key", testing::TestRsaPem()}, {"sub_account", "100"}};
}

std::string Body(const std::string& code, const std::string& message = "words about a person") {
  return json{{"code", code}, {"msg", message}, {"requestId", "16905701"}}.dump();
}

std::string Refused(const std::string& reason) {
  return json{{"failure", 1}, {"illegalTokens", {{reason, json::array({"device-token-1"})}}}}.dump();
}

TEST(HuaweiWire, TheTokenIsSignedWithPssAsTheGuideSays) {
  const auto account = ParseHuaweiAccount(AccountJson().dump());
  ASSERT_TRUE(account.has_value());
  const auto token = HuaweiToken(*account, "https://oauth-login.cloud.huawei.com/oauth2/v3/token", kNow);
  ASSERT_TRUE(token.has_value());
  const testing::OpenedJwt jwt = testing::OpenJwt(*token, true);
  EXPECT_TRUE(jwt.verified);
  EXPECT_EQ(jwt.header, (json{{"kid", "k-1"}, {"typ", "JWT"}, {"alg", "PS256"}}));
  EXPECT_EQ(jwt.claims, (json{{"aud", "https://oauth-login.cloud.huawei.com/oauth2/v3/token"},
                              {"iss", "100"},
                              {"exp", 1768446000},
                              {"iat", 1768442400}}));
}

TEST(HuaweiWire, AServiceAccountThatCannotBeUsedIsRefusedWithAReason) {
  for (const char* key : {"project_id", "key_id", "private_key", "sub_account"}) {
    json file = AccountJson();
    file.erase(key);
    EXPECT_EQ(ParseHuaweiAccount(file.dump()).error().message, std::string("the service account has no ") + key);
  }
  EXPECT_FALSE(ParseHuaweiAccount("").has_value());
}

TEST(HuaweiWire, TheBodyOfV3HasTheDocumentedShapeAndNeutralText) {
  const auto text = HuaweiBody({}, PushRequest());
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(text->find("高龄津贴"), std::string::npos);
  EXPECT_EQ(json::parse(*text), json::parse(R"({
    "payload": {"notification": {
      "category": "MARKETING", "title": "政务服务通知", "body": "您有一条新的办事提醒，请打开应用查看",
      "clickAction": {"actionType": 0, "data": {"attempt_id": "n1-1", "notification_id": "n1",
                                                 "url": "https://example.gov.cn/a?b=1"}},
      "appMessageId": "n1-1"}},
    "target": {"token": ["device-token-1"]},
    "pushOptions": {"ttl": 86400, "testMessage": false}})"));
}

TEST(HuaweiWire, TheBodyOfV1HasTheDocumentedShapeAndNeutralText) {
  HuaweiOptions options;
  options.api = HuaweiApi::kV1;
  options.test_message = true;
  options.category = "WORK";
  const auto text = HuaweiBody(options, PushRequest());
  ASSERT_TRUE(text.has_value());
  json body = json::parse(*text);
  EXPECT_EQ(json::parse(body["message"]["data"].get<std::string>()),
            json::parse(R"({"attempt_id":"n1-1","notification_id":"n1","url":"https://example.gov.cn/a?b=1"})"));
  body["message"].erase("data");
  EXPECT_EQ(body, json::parse(R"({"validate_only": false, "message": {
    "android": {"category": "WORK", "ttl": "86400s", "target_user_type": 1, "notification": {
      "title": "政务服务通知", "body": "您有一条新的办事提醒，请打开应用查看", "click_action": {"type": 3},
      "tag": "n1"}},
    "token": ["device-token-1"]}})"));
  EXPECT_EQ(HuaweiTokenForm("a b", "s&="), "grant_type=client_credentials&client_id=a%20b&client_secret=s%26%3D");
}

TEST(HuaweiWire, MessageIdsFitWhateverTheAttemptIsCalled) {
  EXPECT_EQ(HuaweiMessageId("n1-1"), "n1-1");
  EXPECT_EQ(HuaweiMessageId("a:b").size(), 64U);
  EXPECT_EQ(HuaweiMessageId(std::string(65, 'a')).size(), 64U);
  EXPECT_NE(HuaweiMessageId("a:b"), HuaweiMessageId("a:c"));
}

TEST(HuaweiWire, EveryDocumentedCodeHasItsVerdict) {
  const std::vector<std::pair<const char*, Verdict>> table = {
      {"80000000", Verdict::kAccepted},    {"80100000", Verdict::kDropContact}, {"80100001", Verdict::kFixMessage},
      {"80100003", Verdict::kFixMessage},  {"80100004", Verdict::kFixMessage},  {"80100013", Verdict::kFixMessage},
      {"80100016", Verdict::kFixMessage},  {"80100017", Verdict::kThrottled},   {"80100018", Verdict::kFixMessage},
      {"80100022", Verdict::kFixMessage},  {"80200001", Verdict::kStopChannel}, {"80200003", Verdict::kStopChannel},
      {"80200005", Verdict::kStopChannel}, {"80200006", Verdict::kStopChannel}, {"80300002", Verdict::kStopChannel},
      {"80300007", Verdict::kDropContact}, {"80300008", Verdict::kFixMessage},  {"80300010", Verdict::kFixMessage},
      {"80300011", Verdict::kStopChannel}, {"80300013", Verdict::kStopChannel}, {"80300029", Verdict::kThrottled},
      {"80300030", Verdict::kFixMessage},  {"80300036", Verdict::kStopChannel}, {"80300037", Verdict::kStopChannel},
      {"80600003", Verdict::kRetryLater},  {"81000001", Verdict::kRetryLater},  {"89999999", Verdict::kUnknown}};
  for (const auto& [code, verdict] : table) {
    const PushOutcome outcome = ParseHuaweiAnswer(AnswerOf(200, Body(code)));
    EXPECT_EQ(outcome.result.verdict, verdict) << code;
    EXPECT_EQ(outcome.result.code, code);
    EXPECT_EQ(outcome.result.detail.find("person"), std::string::npos) << "no text of the provider";
    const std::string text = code;
    EXPECT_EQ(outcome.token_refused, text == "80200001" || text == "80200003" || text == "80200005") << code;
  }
  EXPECT_EQ(ParseHuaweiAnswer(AnswerOf(200, Body("80000000"))).result.provider_id, "16905701");
}

TEST(HuaweiWire, WhyATokenWasRefusedDecidesWhetherItIsDead) {
  const std::vector<std::pair<const char*, Verdict>> table = {
      {"tokenFormatError", Verdict::kDropContact},
      {"noRight", Verdict::kDropContact},
      {"tokenPlatformNotSupport", Verdict::kDropContact},
      {"countryNotSupport", Verdict::kFixMessage},
      {"atomicUnableSendUnsubscribedMsg", Verdict::kFixMessage},
      {"differentImgVerifyPolicy", Verdict::kFixMessage},
      {"notSupportPlayVoice", Verdict::kFixMessage},
      {"noPushTypeRight", Verdict::kStopChannel},
      {"disableSendHuaweiMsgBecauseOfPenalty", Verdict::kStopChannel},
      {"appinfoError", Verdict::kStopChannel},
      {"noRightToSendThisLiveNotificationEvent", Verdict::kStopChannel},
      {"aReasonOfTomorrow", Verdict::kDropContact}};
  for (const auto& [reason, verdict] : table) {
    for (const char* code : {"80100000", "80300007"}) {
      const auto result = ParseHuaweiAnswer(AnswerOf(200, Body(code, Refused(reason)))).result;
      EXPECT_EQ(result.verdict, verdict) << reason;
      EXPECT_EQ(result.code, std::string(code) + " " + reason);
    }
  }
  EXPECT_EQ(ParseHuaweiAnswer(AnswerOf(200, Body("80100000", Refused(" tokenFormatError ")))).result.code,
            "80100000 tokenFormatError");
  EXPECT_EQ(
      ParseHuaweiAnswer(AnswerOf(200, Body("80300007", R"({"failure":1,"illegal_tokens":["t"]})"))).result.verdict,
      Verdict::kDropContact)
      << "v1 gives no reason";
}

TEST(HuaweiWire, WithoutABusinessCodeTheStatusDecides) {
  const auto flow = ParseHuaweiAnswer(AnswerOf(503, "")).result;
  EXPECT_EQ(flow.verdict, Verdict::kThrottled);
  EXPECT_EQ(flow.retry_after, Millis(5000));
  EXPECT_EQ(ParseHuaweiAnswer(AnswerOf(503, "", {{"retry-after", "2"}})).result.retry_after, Millis(2000));
  EXPECT_TRUE(ParseHuaweiAnswer(AnswerOf(401, "")).token_refused);
  EXPECT_EQ(ParseHuaweiAnswer(AnswerOf(404, "")).result.verdict, Verdict::kStopChannel);
  EXPECT_EQ(ParseHuaweiAnswer(AnswerOf(400, "")).result.verdict, Verdict::kFixMessage);
  for (const int status : {200, 302, 500, 502}) {
    EXPECT_EQ(ParseHuaweiAnswer(AnswerOf(status, "<html>")).result.verdict, Verdict::kUnknown) << status;
  }
  for (const char* body : {"{}", "[]", R"({"code":""})", R"({"code":[]})", R"({"code":"a b"})"}) {
    EXPECT_EQ(ParseHuaweiAnswer(AnswerOf(200, body)).result.verdict, Verdict::kUnknown) << body;
  }
  EXPECT_EQ(ParseHuaweiAnswer(AnswerOf(200, R"({"code":80000000})")).result.verdict, Verdict::kAccepted);
}

TEST(HuaweiWire, TokensOfV1AreReadStrictly) {
  const auto good = ParseHuaweiToken(AnswerOf(200, R"({"access_token":"DAEA","expires_in":3600})"));
  EXPECT_EQ(good.token, "DAEA");
  EXPECT_EQ(good.lifetime.count(), 3600);
  const auto refused = ParseHuaweiToken(AnswerOf(400, R"({"error":1101,"sub_error":20048,"error_description":"x"})"));
  EXPECT_EQ(refused.refused.verdict, Verdict::kStopChannel);
  EXPECT_EQ(refused.refused.code, "token 1101");
  EXPECT_EQ(ParseHuaweiToken(AnswerOf(200, R"({"error":1101})")).refused.verdict, Verdict::kStopChannel);
  for (const char* body : {"", "{}", R"({"access_token":"a"})", R"({"access_token":"a","expires_in":0})"}) {
    EXPECT_EQ(ParseHuaweiToken(AnswerOf(200, body)).refused.verdict, Verdict::kNotSent) << body;
  }
  EXPECT_EQ(ParseHuaweiToken(AnswerOf(503, "")).refused.verdict, Verdict::kNotSent);
}

TEST(HuaweiWire, MessagesOver4096BytesWithoutTheTokenAreRefusedBefore) {
  HuaweiOptions options;
  options.visible.full = true;
  message::Content content = PushRequest().content;
  for (const HuaweiApi api : {HuaweiApi::kV3, HuaweiApi::kV1}) {
    options.api = api;
    EXPECT_TRUE(CheckHuaweiSize(options, content).has_value());
    message::Content large = content;
    large.body = std::string(4096, 'b');
    EXPECT_FALSE(CheckHuaweiSize(options, large).has_value());
  }
}

TEST(HuaweiSettings, EachVersionAsksForItsOwnCredentials) {
  delivery::Settings v3;
  v3.SetSecret("service_account", delivery::Secret(AccountJson().dump()), {});
  Diagnostics found;
  const auto options = ValidateHuawei(v3, &found);
  ASSERT_TRUE(options.has_value()) << FormatDiagnostics(found);
  EXPECT_EQ(options->base_url, "https://push-api.cloud.huawei.com");
  EXPECT_EQ(NewHuawei(*options, nullptr)->unknown_policy(), delivery::UnknownPolicy::kPark);
  v3.Set("resend_unknown", "true", {});
  const auto resending = NewHuawei(*ValidateHuawei(v3, nullptr), nullptr);
  EXPECT_EQ(resending->unknown_policy(), delivery::UnknownPolicy::kResend);
  const Instant now = SystemClock().Now();
  const auto key = resending->NewKey("n1-1");
  EXPECT_GT(key->expires, now + std::chrono::hours(22));
  EXPECT_LT(key->expires, now + std::chrono::hours(24));

  delivery::Settings v1;
  v1.Set("api", "v1", {});
  EXPECT_FALSE(ValidateHuawei(v1, nullptr).has_value()) << "app_id and client_secret";
  v1.Set("app_id", "100", {});
  v1.SetSecret("client_secret", delivery::Secret("s"), {});
  EXPECT_TRUE(ValidateHuawei(v1, nullptr).has_value());
  v1.Set("resend_unknown", "true", {});
  EXPECT_FALSE(ValidateHuawei(v1, nullptr).has_value()) << "v1 cannot tell a repeat";
  EXPECT_FALSE(ValidateHuawei({}, nullptr).has_value());
}

TEST(HuaweiSettings, AllMistakesComeAtOnce) {
  delivery::Settings settings;
  settings.Set("api", "v2", {"zhitui.yaml", 1, 3});
  settings.SetSecret("service_account", delivery::Secret("{}"), {"zhitui.yaml", 2, 3});
  settings.Set("token_url", "x", {"zhitui.yaml", 3, 3});
  settings.Set("category", "work", {"zhitui.yaml", 4, 3});
  settings.Set("time_to_live_s", "0", {"zhitui.yaml", 5, 3});
  Diagnostics found;
  EXPECT_FALSE(ValidateHuawei(settings, &found).has_value());
  std::multiset<std::uint32_t> lines;
  for (const Diagnostic& d : found) lines.insert(d.at.line);
  EXPECT_EQ(lines, (std::multiset<std::uint32_t>{1, 2, 3, 4, 5}));
}

}  // namespace
}  // namespace zhitui::app
