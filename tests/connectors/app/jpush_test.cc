#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "app/app.h"
#include "app/jpush_codes.h"
#include "app/jpush_wire.h"

namespace zhitui::app {
namespace {

using delivery::Verdict;
using nlohmann::json;

delivery::SendRequest Request() {
  delivery::SendRequest request;
  request.attempt_id = "n1-1";
  request.notification_id = "n1";
  request.contact = "171976fa8a8620a14a4";
  request.key.key = "8103a4c628a0b98974ec1949-711261d4-5f17-4d2f-a855-5e5a8909b26e";
  request.content.channel = Channel::kApp;
  request.content.title = "高龄津贴";
  request.content.body = "您可以申请\"高龄津贴\"";
  request.content.url = "https://example.gov.cn/a?b=1";
  return request;
}

delivery::HttpAnswer Answer(int status, std::string body, std::map<std::string, std::string> headers = {}) {
  delivery::HttpAnswer answer;
  answer.fate = delivery::HttpFate::kAnswered;
  answer.status = status;
  answer.body = std::move(body);
  answer.headers = std::move(headers);
  return answer;
}

std::string ErrorBody(int code) {
  return R"({"error":{"code":)" + std::to_string(code) + R"(,"message":"text with a person in it"}})";
}

TEST(JpushWire, BasicAuthorizationIsThatOfRfc7617) {
  EXPECT_EQ(BasicAuthorization("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  EXPECT_EQ(BasicAuthorization("test", "123£"), "Basic dGVzdDoxMjPCow==");
}

TEST(JpushWire, TheBodyHasTheDocumentedShape) {
  JpushOptions options;
  options.apns_production = false;
  options.time_to_live_s = 60;
  options.visible.full = true;
  const auto text = PushBody(options, Request());
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(text->find("\\u"), std::string::npos) << "raw UTF-8";
  const json expected = json::parse(R"({
    "cid": "8103a4c628a0b98974ec1949-711261d4-5f17-4d2f-a855-5e5a8909b26e",
    "platform": "all",
    "audience": {"registration_id": ["171976fa8a8620a14a4"]},
    "notification": {
      "android": {"alert": "您可以申请\"高龄津贴\"", "title": "高龄津贴",
                  "extras": {"attempt_id": "n1-1", "notification_id": "n1", "url": "https://example.gov.cn/a?b=1"}},
      "ios": {"alert": {"title": "高龄津贴", "body": "您可以申请\"高龄津贴\""}, "sound": "default",
              "extras": {"attempt_id": "n1-1", "notification_id": "n1", "url": "https://example.gov.cn/a?b=1"}}},
    "options": {"time_to_live": 60, "apns_production": false}})");
  EXPECT_EQ(json::parse(*text), expected);
  delivery::SendRequest broken = Request();
  broken.content.body = "\xff";
  EXPECT_FALSE(PushBody(options, broken).has_value());
}

TEST(JpushWire, NeutralTextStandsForTheMessageUnlessTheCityShowsIt) {
  const auto text = PushBody(JpushOptions{}, Request());
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(text->find("高龄津贴"), std::string::npos);
  const json notification = json::parse(*text)["notification"];
  EXPECT_EQ(notification["android"]["title"], "政务服务通知");
  EXPECT_EQ(notification["android"]["alert"], "您有一条新的办事提醒，请打开应用查看");
  EXPECT_EQ(notification["ios"]["alert"]["body"], "您有一条新的办事提醒，请打开应用查看");
  EXPECT_EQ(notification["ios"]["extras"]["notification_id"], "n1");
}

TEST(JpushWire, EveryDocumentedCodeHasItsVerdict) {
  const std::map<int, std::pair<int, Verdict>> table = {
      {1000, {500, Verdict::kRetryLater}},  {1001, {405, Verdict::kFixMessage}},  {1002, {400, Verdict::kFixMessage}},
      {1003, {400, Verdict::kDropContact}}, {1004, {401, Verdict::kStopChannel}}, {1005, {400, Verdict::kFixMessage}},
      {1008, {400, Verdict::kStopChannel}}, {1009, {400, Verdict::kFixMessage}},  {1011, {400, Verdict::kDropContact}},
      {1012, {400, Verdict::kThrottled}},   {1020, {404, Verdict::kStopChannel}}, {1030, {503, Verdict::kRetryLater}},
      {2002, {429, Verdict::kThrottled}},   {2003, {403, Verdict::kStopChannel}}, {2004, {403, Verdict::kStopChannel}},
      {2005, {403, Verdict::kStopChannel}}, {2006, {403, Verdict::kStopChannel}}, {2007, {403, Verdict::kStopChannel}},
      {9999, {400, Verdict::kFixMessage}},  {9998, {500, Verdict::kUnknown}},     {9997, {429, Verdict::kThrottled}},
      {9996, {401, Verdict::kStopChannel}}};
  for (const auto& [code, row] : table) {
    const delivery::SendResult result = ParsePushAnswer(Answer(row.first, ErrorBody(code)));
    EXPECT_EQ(result.verdict, row.second) << code;
    EXPECT_EQ(result.code, std::to_string(code));
    EXPECT_EQ(result.detail.find("person"), std::string::npos) << "no text of the provider";
  }
}

TEST(JpushWire, TheRateHeaderSaysWhenToComeBack) {
  EXPECT_EQ(ParsePushAnswer(Answer(429, ErrorBody(2002), {{"x-rate-limit-reset", "37"}})).retry_after, Millis(37'000));
  EXPECT_FALSE(ParsePushAnswer(Answer(429, ErrorBody(2002))).retry_after.has_value());
  EXPECT_FALSE(ParsePushAnswer(Answer(429, ErrorBody(2002), {{"x-rate-limit-reset", "soon"}})).retry_after.has_value());
}

TEST(JpushWire, AcceptedNeedsAMessageId) {
  const delivery::SendResult accepted = ParsePushAnswer(Answer(200, R"({"sendno":"18","msg_id":"1828256757"})"));
  EXPECT_EQ(accepted.verdict, Verdict::kAccepted);
  EXPECT_EQ(accepted.provider_id, "1828256757");
  EXPECT_EQ(ParsePushAnswer(Answer(200, R"({"sendno":18,"msg_id":54043195528445869})")).provider_id,
            "54043195528445869");
  for (const char* body : {"", "{", "[]", "{}", "null", R"({"msg_id":{}})", R"({"msg_id":""})", "<html>"}) {
    EXPECT_EQ(ParsePushAnswer(Answer(200, body)).verdict, Verdict::kUnknown) << body;
  }
  EXPECT_EQ(ParsePushAnswer(Answer(502, "<html>")).verdict, Verdict::kUnknown) << "a proxy may have passed it on";
  EXPECT_EQ(ParsePushAnswer(Answer(302, "")).verdict, Verdict::kUnknown);
}

TEST(JpushWire, CidListsAreReadStrictly) {
  const auto cids = ParseCids(R"({"cidlist":["a-1","a-2"]})");
  ASSERT_TRUE(cids.has_value());
  EXPECT_EQ(*cids, (std::vector<std::string>{"a-1", "a-2"}));
  for (const char* body : {"", "{}", R"({"cidlist":[]})", R"({"cidlist":[1]})", R"({"cidlist":[""]})", "[]"}) {
    EXPECT_FALSE(ParseCids(body).has_value()) << body;
  }
}

TEST(Jpush, MessagesThatJpushWouldRefuseAreRefusedBefore) {
  JpushOptions options{"http://127.0.0.1:1", "", "k", delivery::Secret("s")};
  options.visible.full = true;
  const auto connector = NewJpush(options, nullptr);
  message::Content content = Request().content;
  EXPECT_TRUE(connector->Check(content).has_value());
  content.body.clear();
  EXPECT_FALSE(connector->Check(content).has_value());
  content = Request().content;
  while (content.body.size() < 2100) content.body += "字";
  EXPECT_FALSE(connector->Check(content).has_value()) << "iOS takes 2000 bytes";
  content = Request().content;
  content.body = "\xff";
  EXPECT_FALSE(connector->Check(content).has_value());
  content = Request().content;
  content.channel = Channel::kSms;
  EXPECT_FALSE(connector->Check(content).has_value());
}

TEST(Jpush, HasNoCallBacksAndResends) {
  const auto connector = NewJpush({"http://127.0.0.1:1", "", "k", delivery::Secret("s")}, nullptr);
  EXPECT_EQ(connector->ParseCallback({"POST", {}, {}, "[]"}).status, 404);
  EXPECT_EQ(connector->Query(Request()).found, delivery::Found::kNotYet);
  EXPECT_EQ(connector->unknown_policy(), delivery::UnknownPolicy::kResend);
  EXPECT_FALSE(connector->sends_receipts());
  EXPECT_EQ(connector->channel(), Channel::kApp);
}

TEST(JpushSettings, DefaultsAreThoseOfTheReference) {
  delivery::Settings settings;
  settings.Set("app_key", "k", {});
  settings.Set("master_secret", "s", {});
  Diagnostics found;
  const auto options = ValidateJpush(settings, &found);
  ASSERT_TRUE(options.has_value()) << FormatDiagnostics(found);
  EXPECT_EQ(options->base_url, "https://api.jpush.cn");
  EXPECT_TRUE(options->apns_production);
  EXPECT_EQ(options->time_to_live_s, 86400);
  EXPECT_EQ(options->cid_batch, 200U);
}

TEST(JpushSettings, AllMistakesComeAtOnce) {
  delivery::Settings settings;
  settings.SetPlace({"zhitui.yaml", 10, 1});
  settings.Set("base_url", "api.jpush.cn", {"zhitui.yaml", 11, 3});
  settings.Set("aap_key", "k", {"zhitui.yaml", 12, 3});
  settings.Set("cid_batch", "1001", {"zhitui.yaml", 13, 3});
  settings.Set("apns_production", "no", {"zhitui.yaml", 14, 3});
  Diagnostics found;
  EXPECT_FALSE(ValidateJpush(settings, &found).has_value());
  std::multiset<std::uint32_t> lines;
  for (const Diagnostic& d : found) lines.insert(d.at.line);
  EXPECT_EQ(lines, (std::multiset<std::uint32_t>{10, 10, 11, 12, 13, 14}));
}

}  // namespace
}  // namespace zhitui::app
