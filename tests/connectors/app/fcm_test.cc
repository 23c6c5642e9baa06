#include <gtest/gtest.h>

#include <set>

#include "app/app.h"
#include "app/fcm_codes.h"
#include "app/fcm_wire.h"
#include "connectors/app/account.h"

namespace zhitui::app {
namespace {

using delivery::Verdict;
using nlohmann::json;
using testing::AnswerOf;
using testing::PushRequest;

constexpr Instant kNow = Instant(std::chrono::seconds(1'768'442'400));  // 02:00:00 UTC, the start of a minute

json AccountJson() {
  return {{"type", "service_account"},
          {"project_id", "p1"},
          {"private_key_id", "key-1"},
          {"private_key", testing::TestRsaPem()},
          {"client_email", "robot@p1.example.com"},
          {"token_uri", "https://oauth2.googleapis.com/token"}};
}

// As the reference documents them: an FcmError, and perhaps a violation of a field.
std::string ErrorBody(int http, const std::string& status, const std::string& code, const std::string& field = {},
                      const std::string& message = "words about a person") {
  json details = json::array();
  if (!code.empty()) {
    details.push_back({{"@type", "type.googleapis.com/google.firebase.fcm.v1.FcmError"}, {"errorCode", code}});
  }
  if (!field.empty()) {
    details.push_back({{"@type", "type.googleapis.com/google.rpc.BadRequest"},
                       {"fieldViolations", json::array({{{"field", field}, {"description", message}}})}});
  }
  return json{{"error", {{"code", http}, {"message", message}, {"status", status}, {"details", details}}}}.dump();
}

TEST(FcmWire, TheAssertionIsThatOfTheServiceAccount) {
  const auto account = ParseFcmAccount(AccountJson().dump());
  ASSERT_TRUE(account.has_value());
  const auto assertion = FcmAssertion(*account, kNow + Millis(999));
  ASSERT_TRUE(assertion.has_value());
  const testing::OpenedJwt jwt = testing::OpenJwt(*assertion, false);
  EXPECT_TRUE(jwt.verified);
  EXPECT_EQ(jwt.header, (json{{"alg", "RS256"}, {"typ", "JWT"}, {"kid", "key-1"}}));
  EXPECT_EQ(jwt.claims, (json{{"iss", "robot@p1.example.com"},
                              {"scope", "https://www.googleapis.com/auth/firebase.messaging"},
                              {"aud", "https://oauth2.googleapis.com/token"},
                              {"iat", 1768442400},
                              {"exp", 1768446000}}));
  EXPECT_EQ(FcmTokenForm("a.b.c"), "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=a.b.c");
}

TEST(FcmWire, AServiceAccountThatCannotBeUsedIsRefusedWithoutShowingIt) {
  for (const char* key : {"project_id", "client_email", "private_key", "token_uri"}) {
    json file = AccountJson();
    file.erase(key);
    EXPECT_EQ(ParseFcmAccount(file.dump()).error().message, std::string("the service account has no ") + key);
  }
  json file = AccountJson();
  file["private_key"] = "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n";
  EXPECT_EQ(ParseFcmAccount(file.dump()).error().message.find("secret\n"), std::string::npos);
  EXPECT_FALSE(ParseFcmAccount("not JSON").has_value());
  EXPECT_FALSE(ParseFcmAccount("[]").has_value());
}

TEST(FcmWire, TokensAreReadStrictly) {
  const auto good =
      ParseFcmToken(AnswerOf(200, R"({"access_token":"ya29.a","expires_in":3599,"token_type":"Bearer"})"));
  EXPECT_EQ(good.token, "ya29.a");
  EXPECT_EQ(good.lifetime.count(), 3599);
  for (const char* body : {"", "{}", "[]", R"({"access_token":"a"})", R"({"access_token":"","expires_in":1})",
                           R"({"access_token":"a","expires_in":0})", R"({"access_token":"a","expires_in":"1"})",
                           R"({"access_token":"a","expires_in":86401})"}) {
    const auto bad = ParseFcmToken(AnswerOf(200, body));
    EXPECT_EQ(bad.token, "") << body;
    EXPECT_EQ(bad.refused.verdict, Verdict::kNotSent) << body;
  }
  const auto refused = ParseFcmToken(AnswerOf(400, R"({"error":"invalid_grant","error_description":"x"})"));
  EXPECT_EQ(refused.refused.verdict, Verdict::kStopChannel);
  EXPECT_EQ(refused.refused.code, "token invalid_grant");
  EXPECT_EQ(ParseFcmToken(AnswerOf(503, "")).refused.verdict, Verdict::kNotSent);
}

TEST(FcmWire, TheBodyHasTheDocumentedShapeAndNeutralText) {
  FcmOptions options;
  options.time_to_live_s = 3600;
  const auto text = FcmBody(options, PushRequest());
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(text->find("高龄津贴"), std::string::npos) << "the message itself waits in the inbox";
  const json expected = json::parse(R"({"message": {
    "token": "device-token-1",
    "notification": {"title": "政务服务通知", "body": "您有一条新的办事提醒，请打开应用查看"},
    "data": {"attempt_id": "n1-1", "notification_id": "n1", "url": "https://example.gov.cn/a?b=1"},
    "android": {"priority": "high", "ttl": "3600s", "notification": {"tag": "n1"}},
    "apns": {"headers": {"apns-priority": "10", "apns-collapse-id": "n1"}, "payload": {"aps": {"sound": "default"}}}}})");
  EXPECT_EQ(json::parse(*text), expected);
  options.visible.full = true;
  options.high_priority = false;
  const json full = json::parse(FcmBody(options, PushRequest()).value())["message"];
  EXPECT_EQ(full["notification"]["title"], "高龄津贴");
  EXPECT_EQ(full["android"]["priority"], "normal");
  EXPECT_EQ(full["apns"]["headers"]["apns-priority"], "5");
  auto broken = PushRequest("\xff");
  EXPECT_FALSE(FcmBody(options, broken).has_value());
}

TEST(FcmWire, MessagesOver4096BytesAreRefusedBefore) {
  FcmOptions options;
  options.visible.full = true;
  message::Content content = PushRequest().content;
  content.url.clear();
  // {"notification":{"title":"t","body":""},"data":{"attempt_id":"<40>","notification_id":"<40>"}} has 166 bytes.
  content.title = "t";
  content.body = std::string(4096 - 166, 'b');
  EXPECT_TRUE(CheckFcmSize(options, content).has_value());
  content.body += 'b';
  EXPECT_EQ(CheckFcmSize(options, content).error().message, "the message has 4097 bytes, FCM takes 4096");
  options.visible.full = false;
  EXPECT_TRUE(CheckFcmSize(options, content).has_value()) << "only what goes over the wire counts";
}

TEST(FcmWire, EveryDocumentedCodeHasItsVerdict) {
  struct Row {
    int http;
    const char* status;
    const char* code;
    Verdict verdict;
  };
  for (const Row& row : std::vector<Row>{
           {400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", Verdict::kFixMessage},
           {404, "NOT_FOUND", "UNREGISTERED", Verdict::kDropContact},
           {403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH", Verdict::kDropContact},
           {429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", Verdict::kThrottled},
           {503, "UNAVAILABLE", "UNAVAILABLE", Verdict::kRetryLater},
           {500, "INTERNAL", "INTERNAL", Verdict::kRetryLater},
           {401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR", Verdict::kStopChannel},
           {400, "INVALID_ARGUMENT", "UNSPECIFIED_ERROR", Verdict::kFixMessage},
           {500, "UNKNOWN", "UNSPECIFIED_ERROR", Verdict::kUnknown},
       }) {
    const PushOutcome outcome = ParseFcmAnswer(AnswerOf(row.http, ErrorBody(row.http, row.status, row.code)), kNow);
    EXPECT_EQ(outcome.result.verdict, row.verdict) << row.code;
    EXPECT_EQ(outcome.result.code, row.code);
    EXPECT_FALSE(outcome.token_refused) << row.code;
    EXPECT_EQ(outcome.result.detail, "") << "no text of the provider";
  }
  const auto bare = [](int http, const char* status) {
    return ParseFcmAnswer(AnswerOf(http, ErrorBody(http, status, "")), kNow).result.verdict;
  };
  EXPECT_EQ(bare(403, "PERMISSION_DENIED"), Verdict::kStopChannel);
  EXPECT_EQ(bare(404, "NOT_FOUND"), Verdict::kStopChannel) << "the project, not the device";
  EXPECT_EQ(bare(503, "UNAVAILABLE"), Verdict::kRetryLater);
  EXPECT_EQ(ParseFcmAnswer(AnswerOf(502, "<html>"), kNow).result.verdict, Verdict::kUnknown);
}

TEST(FcmWire, ABadDeviceTokenIsToldApartFromABadMessage) {
  const auto verdict = [](const std::string& body) { return ParseFcmAnswer(AnswerOf(400, body), kNow).result.verdict; };
  const std::string words = "The registration token is not a valid FCM registration token";
  EXPECT_EQ(verdict(ErrorBody(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "", words)), Verdict::kDropContact);
  EXPECT_EQ(verdict(ErrorBody(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "message.token", words)),
            Verdict::kDropContact);
  EXPECT_EQ(verdict(ErrorBody(400, "INVALID_ARGUMENT", "", "message.data[0].value")), Verdict::kFixMessage);
  EXPECT_EQ(verdict(ErrorBody(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "message.android.ttl")),
            Verdict::kFixMessage);
}

TEST(FcmWire, ARefusedTokenAsksForAnother) {
  EXPECT_TRUE(ParseFcmAnswer(AnswerOf(401, ErrorBody(401, "UNAUTHENTICATED", "")), kNow).token_refused);
  EXPECT_TRUE(ParseFcmAnswer(AnswerOf(401, ""), kNow).token_refused);
}

TEST(FcmWire, WhenToComeBackIsTheProvidersWordOrTheNextMinute) {
  const std::string quota = ErrorBody(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED");
  EXPECT_EQ(ParseFcmAnswer(AnswerOf(429, quota, {{"retry-after", "31"}}), kNow).result.retry_after, Millis(31'000));
  EXPECT_EQ(ParseFcmAnswer(AnswerOf(429, quota), kNow + Millis(20'500)).result.retry_after, Millis(39'500));
  EXPECT_EQ(ParseFcmAnswer(AnswerOf(429, quota), kNow).result.retry_after, Millis(60'000));
  const std::string busy = ErrorBody(503, "UNAVAILABLE", "UNAVAILABLE");
  EXPECT_EQ(ParseFcmAnswer(AnswerOf(503, busy, {{"retry-after", "7"}}), kNow).result.retry_after, Millis(7000));
  EXPECT_FALSE(ParseFcmAnswer(AnswerOf(503, busy), kNow).result.retry_after.has_value());
  EXPECT_EQ(ParseFcmAnswer(AnswerOf(503, busy, {{"retry-after", "999999"}}), kNow).result.retry_after,
            Millis(3'600'000));
}

TEST(FcmWire, AcceptedNeedsAName) {
  const auto accepted = ParseFcmAnswer(AnswerOf(200, R"({"name":"projects/p1/messages/0:15004"})"), kNow).result;
  EXPECT_EQ(accepted.verdict, Verdict::kAccepted);
  EXPECT_EQ(accepted.provider_id, "projects/p1/messages/0:15004");
  for (const char* body : {"", "{", "[]", "{}", "null", R"({"name":1})", R"({"name":""})", "<html>"}) {
    EXPECT_EQ(ParseFcmAnswer(AnswerOf(200, body), kNow).result.verdict, Verdict::kUnknown) << body;
  }
  for (const char* body : {R"({"error":1})", R"({"error":{"details":[1,{"fieldViolations":[1]}]}})",
                           R"({"error":{"status":"a b","details":{}}})"}) {
    EXPECT_EQ(ParseFcmAnswer(AnswerOf(400, body), kNow).result.verdict, Verdict::kFixMessage) << body;
  }
}

TEST(FcmSettings, TheTokenUrlComesFromTheServiceAccount) {
  delivery::Settings settings;
  settings.SetSecret("service_account", delivery::Secret(AccountJson().dump()), {});
  Diagnostics found;
  const auto options = ValidateFcm(settings, &found);
  ASSERT_TRUE(options.has_value()) << FormatDiagnostics(found);
  EXPECT_EQ(options->token_url, "https://oauth2.googleapis.com/token");
  EXPECT_EQ(options->base_url, "https://fcm.googleapis.com");
  EXPECT_EQ(options->time_to_live_s, 86400);
  EXPECT_FALSE(options->visible.full);
  const auto connector = NewFcm(*options, nullptr);
  EXPECT_EQ(connector->unknown_policy(), delivery::UnknownPolicy::kPark);
  EXPECT_FALSE(connector->sends_receipts());
  EXPECT_EQ(connector->ParseCallback({"POST", {}, {}, "{}"}).status, 404);
}

TEST(FcmSettings, AllMistakesComeAtOnce) {
  delivery::Settings settings;
  settings.SetPlace({"zhitui.yaml", 10, 1});
  settings.Set("base_url", "fcm.googleapis.com", {"zhitui.yaml", 11, 3});
  settings.SetSecret("service_account", delivery::Secret("{}"), {"zhitui.yaml", 12, 3});
  settings.Set("token_url", "x", {"zhitui.yaml", 13, 3});
  settings.Set("time_to_live_s", "2419201", {"zhitui.yaml", 14, 3});
  settings.Set("show", "x", {"zhitui.yaml", 15, 3});
  settings.Set("colour", "x", {"zhitui.yaml", 16, 3});
  Diagnostics found;
  EXPECT_FALSE(ValidateFcm(settings, &found).has_value());
  std::multiset<std::uint32_t> lines;
  for (const Diagnostic& d : found) lines.insert(d.at.line);
  EXPECT_EQ(lines, (std::multiset<std::uint32_t>{11, 12, 13, 14, 15, 16}));
  EXPECT_FALSE(ValidateFcm({}, nullptr).has_value()) << "without a service account";
}

}  // namespace
}  // namespace zhitui::app
