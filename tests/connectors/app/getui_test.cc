#include <gtest/gtest.h>

#include <set>

#include "app/app.h"
#include "app/getui_codes.h"
#include "app/getui_wire.h"
#include "connectors/app/account.h"

namespace zhitui::app {
namespace {

using delivery::Verdict;
using nlohmann::json;
using testing::AnswerOf;
using testing::PushRequest;

constexpr Instant kNow = Instant(std::chrono::seconds(1'768'442'400));  // the start of a minute

std::string Body(int code, const std::string& message) { return json{{"code", code}, {"msg", message}}.dump(); }

TEST(GetuiWire, TheSignatureIsThatOfTheReference) {
  EXPECT_EQ(GetuiSign("appkey", 1768442400000, "mastersecret"),
            "4195f888e84baad703c030e8523aefb33293145f1e8bbfd5a1121f2a237f46e3");
  EXPECT_EQ(json::parse(GetuiAuthBody("appkey", 1768442400000, "mastersecret").value()),
            (json{{"sign", "4195f888e84baad703c030e8523aefb33293145f1e8bbfd5a1121f2a237f46e3"},
                  {"timestamp", "1768442400000"},
                  {"appkey", "appkey"}}));
}

TEST(GetuiWire, ATokenLivesAsLongAsTheAnswerSaysAndADayAtMost) {
  const auto at = [](const std::string& until) {
    return ParseGetuiAuth(
        AnswerOf(200, R"({"code":0,"msg":"success","data":{"expire_time":)" + until + R"(,"token":"t"}})"), kNow);
  };
  EXPECT_EQ(at("\"1768442460000\"").token, "t");
  EXPECT_EQ(at("\"1768442460000\"").lifetime.count(), 60);
  EXPECT_EQ(at("1768442460000").lifetime.count(), 60) << "a number";
  EXPECT_EQ(at("\"1999999999999\"").lifetime.count(), 86400);
  for (const char* bad : {"\"1768442400000\"", "\"soon\"", "\"\"", "null"}) {
    EXPECT_EQ(at(bad).token.empty() || at(bad).lifetime.count() <= 0, true) << bad;
    EXPECT_EQ(at(bad).refused.verdict, Verdict::kNotSent) << bad;
  }
}

TEST(GetuiWire, ARefusedAuthenticationIsNotTheMessagesFault) {
  const auto refused = [](int status, int code, const char* message) {
    return ParseGetuiAuth(AnswerOf(status, Body(code, message)), kNow + Millis(15'000)).refused;
  };
  EXPECT_EQ(refused(400, 20001, "sign is invalid").verdict, Verdict::kStopChannel);
  EXPECT_EQ(refused(400, 20001, "sign is invalid").code, "token 20001");
  EXPECT_EQ(refused(401, 10002, "").verdict, Verdict::kStopChannel);
  EXPECT_EQ(refused(401, 10003, "").verdict, Verdict::kThrottled);
  EXPECT_EQ(refused(401, 10003, "").retry_after, Millis(45'000));
  EXPECT_EQ(refused(500, 5000, "").verdict, Verdict::kNotSent);
  EXPECT_EQ(ParseGetuiAuth(AnswerOf(502, "<html>"), kNow).refused.verdict, Verdict::kNotSent);
}

TEST(GetuiWire, RequestIdsHave32CharactersAndStandForTheAttempt) {
  // The first half of FIPS 180-4's SHA-256("abc").
  EXPECT_EQ(GetuiRequestId("abc"), "ba7816bf8f01cfea414140de5dae2223");
  EXPECT_EQ(GetuiRequestId(std::string(500, 'x')).size(), 32U);
  EXPECT_NE(GetuiRequestId("n1-1"), GetuiRequestId("n1-2"));
}

TEST(GetuiWire, TheBodyHasTheDocumentedShapeAndNeutralText) {
  GetuiOptions options;
  auto request = PushRequest("0123456789abcdef0123456789abcdef");
  request.key.key = "ba7816bf8f01cfea414140de5dae2223";
  const auto text = GetuiBody(options, request);
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(text->find("高龄津贴"), std::string::npos);
  const std::string payload = R"({"attempt_id":"n1-1","notification_id":"n1","url":"https://example.gov.cn/a?b=1"})";
  json expected = json::parse(R"({
    "request_id": "ba7816bf8f01cfea414140de5dae2223",
    "settings": {"ttl": 86400000},
    "audience": {"cid": ["0123456789abcdef0123456789abcdef"]},
    "push_message": {"notification": {"title": "政务服务通知", "body": "您有一条新的办事提醒，请打开应用查看",
                                      "click_type": "payload"}},
    "push_channel": {
      "android": {"ups": {"notification": {"title": "政务服务通知", "body": "您有一条新的办事提醒，请打开应用查看",
                                           "click_type": "startapp"}}},
      "ios": {"type": "notify", "aps": {"alert": {"title": "政务服务通知",
                                                  "body": "您有一条新的办事提醒，请打开应用查看"},
                                        "content-available": 0}}}})");
  expected["push_message"]["notification"]["payload"] = payload;
  expected["push_channel"]["ios"]["payload"] = payload;
  EXPECT_EQ(json::parse(*text), expected);
  options.vendor_channels = false;
  EXPECT_FALSE(json::parse(GetuiBody(options, request).value()).contains("push_channel"));
}

TEST(GetuiWire, LengthsAreCountedInCharacters) {
  GetuiOptions options;
  options.visible.full = true;
  message::Content content = PushRequest().content;
  const auto text = [](int n) {
    std::string out;
    for (int i = 0; i < n; ++i) out += "字";
    return out;
  };
  content.title = text(50);
  content.body = text(256);
  EXPECT_TRUE(CheckGetuiSize(options, content).has_value());
  content.title = text(51);
  EXPECT_EQ(CheckGetuiSize(options, content).error().message, "the title has 51 characters, Getui takes 50");
  content.title = text(1);
  content.body = text(257);
  EXPECT_EQ(CheckGetuiSize(options, content).error().message, "the body has 257 characters, Getui takes 256");
  content.body = text(1);
  content.url = "https://example.gov.cn/" + std::string(3072, 'a');
  EXPECT_FALSE(CheckGetuiSize(options, content).has_value());
}

TEST(GetuiWire, EveryDocumentedCodeHasItsVerdict) {
  struct Row {
    int status;
    int code;
    const char* message;
    Verdict verdict;
  };
  const std::vector<Row> table = {
      {200, 1, "", Verdict::kFixMessage},
      {200, 2, "", Verdict::kRetryLater},
      {200, 301, "", Verdict::kStopChannel},
      {404, 404, "", Verdict::kStopChannel},
      {405, 405, "", Verdict::kStopChannel},
      {401, 10001, "", Verdict::kStopChannel},
      {401, 10002, "", Verdict::kStopChannel},
      {401, 10003, "", Verdict::kThrottled},
      {401, 10004, "", Verdict::kStopChannel},
      {401, 10005, "", Verdict::kThrottled},
      {400, 20001, "title is invalid", Verdict::kFixMessage},
      {400, 20001, "target user is invalid", Verdict::kDropContact},
      {400, 20001, "permission required by strategy", Verdict::kStopChannel},
      {400, 20001, "request_id cannot be repeat.", Verdict::kAccepted},
      {400, 20001, "request_id size over limit", Verdict::kFixMessage},
      {400, 21001, "", Verdict::kDropContact},
      {400, 22001, "", Verdict::kFixMessage},
      {400, 22002, "", Verdict::kFixMessage},
      {400, 23001, "", Verdict::kFixMessage},
      {403, 30000, "", Verdict::kStopChannel},
      {403, 30001, "", Verdict::kStopChannel},
      {403, 30002, "", Verdict::kStopChannel},
      {403, 30003, "", Verdict::kStopChannel},
      {403, 30004, "", Verdict::kStopChannel},
      {403, 30005, "", Verdict::kFixMessage},
      {403, 30006, "", Verdict::kStopChannel},
      {403, 30007, "", Verdict::kStopChannel},
      {403, 30008, "", Verdict::kStopChannel},
      {403, 30009, "", Verdict::kStopChannel},
      {403, 30010, "", Verdict::kStopChannel},
      {403, 30011, "", Verdict::kStopChannel},
      {403, 30012, "", Verdict::kThrottled},
      {403, 30013, "", Verdict::kThrottled},
      {403, 30014, "", Verdict::kThrottled},
      {403, 30015, "", Verdict::kThrottled},
      {403, 30016, "", Verdict::kFixMessage},
      {403, 30017, "", Verdict::kStopChannel},
      {403, 30018, "", Verdict::kThrottled},
      {403, 30019, "", Verdict::kRetryLater},
      {403, 30999, "", Verdict::kStopChannel},
      {400, 29999, "", Verdict::kFixMessage},
      {200, 99999, "", Verdict::kUnknown},
      {502, 99999, "", Verdict::kUnknown},
  };
  for (const Row& row : table) {
    const PushOutcome outcome = ParseGetuiAnswer(AnswerOf(row.status, Body(row.code, row.message)), kNow);
    EXPECT_EQ(outcome.result.verdict, row.verdict) << row.code << ' ' << row.message;
    EXPECT_EQ(outcome.result.code, std::to_string(row.code));
    EXPECT_EQ(outcome.token_refused, row.code == 10001) << row.code;
    EXPECT_EQ(outcome.result.retry_after == Millis(60'000), row.verdict == Verdict::kThrottled) << row.code;
  }
}

TEST(GetuiWire, AcceptedNeedsATaskAndAStatus) {
  const auto read = [](const std::string& body) { return ParseGetuiAnswer(AnswerOf(200, body), kNow).result; };
  for (const char* status : {"successed_online", "successed_offline"}) {
    const auto result = read(R"({"code":0,"msg":"","data":{"RASS_1":{"cid-1":")" + std::string(status) + R"("}}})");
    EXPECT_EQ(result.verdict, Verdict::kAccepted);
    EXPECT_EQ(result.provider_id, "RASS_1");
  }
  const auto idle = read(R"({"code":0,"data":{"RASS_1":{"cid-1":"successed_ignore"}}})");
  EXPECT_EQ(idle.verdict, Verdict::kDropContact) << "not used for 90 days, nothing is sent";
  EXPECT_EQ(idle.code, "successed_ignore");
  for (const char* body : {"", "{", "[]", "{}", R"({"code":0})", R"({"code":0,"data":{}})", R"({"code":0,"data":[]})",
                           R"({"code":0,"data":{"t":{}}})", R"({"code":0,"data":{"t":{"c":1}}})", "<html>"}) {
    EXPECT_EQ(read(body).verdict, Verdict::kUnknown) << body;
  }
}

TEST(GetuiSettings, DefaultsAreThoseOfTheReference) {
  delivery::Settings settings;
  settings.Set("app_id", "a", {});
  settings.Set("app_key", "k", {});
  settings.SetSecret("master_secret", delivery::Secret("s"), {});
  Diagnostics found;
  const auto options = ValidateGetui(settings, &found);
  ASSERT_TRUE(options.has_value()) << FormatDiagnostics(found);
  EXPECT_EQ(options->base_url, "https://restapi.getui.com/v2");
  const auto connector = NewGetui(*options, nullptr);
  EXPECT_EQ(connector->unknown_policy(), delivery::UnknownPolicy::kResend);
  const Instant now = SystemClock().Now();
  const auto key = connector->NewKey("abc");
  EXPECT_EQ(key->key, "ba7816bf8f01cfea414140de5dae2223");
  EXPECT_LE(key->expires, now + std::chrono::minutes(11));
  EXPECT_GE(key->expires, now + std::chrono::minutes(10));
  settings.Set("repeat_window_s", "0", {});
  EXPECT_EQ(NewGetui(*ValidateGetui(settings, nullptr), nullptr)->unknown_policy(), delivery::UnknownPolicy::kPark);
}

TEST(GetuiSettings, AllMistakesComeAtOnce) {
  delivery::Settings settings;
  settings.SetPlace({"zhitui.yaml", 10, 1});
  settings.Set("base_url", "restapi.getui.com", {"zhitui.yaml", 11, 3});
  settings.Set("time_to_live_s", "259201", {"zhitui.yaml", 12, 3});
  settings.Set("app_keys", "k", {"zhitui.yaml", 13, 3});
  Diagnostics found;
  EXPECT_FALSE(ValidateGetui(settings, &found).has_value());
  std::multiset<std::uint32_t> lines;
  for (const Diagnostic& d : found) lines.insert(d.at.line);
  EXPECT_EQ(lines, (std::multiset<std::uint32_t>{10, 10, 10, 11, 12, 13}));
}

}  // namespace
}  // namespace zhitui::app
