#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "app/apns_codes.h"
#include "app/apns_wire.h"
#include "app/app.h"
#include "connectors/app/ec_key.h"

namespace zhitui::app {
namespace {

using delivery::Verdict;
using nlohmann::json;

ApnsOptions Options() {
  ApnsOptions options;
  options.base_url = "https://127.0.0.1:1";
  options.key = delivery::Secret(testing::NewEcPem());
  options.key_id = "ABC123DEFG";
  options.team_id = "TEAM123456";
  options.topic = "cn.example.city";
  options.visible.full = true;
  return options;
}

delivery::SendRequest Request() {
  delivery::SendRequest request;
  request.attempt_id = "n1-1";
  request.notification_id = "n1";
  request.contact = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";
  request.key.key = ApnsId("n1-1");
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

TEST(ApnsWire, AnAttemptHasOneCanonicalUuid) {
  // The first 16 bytes of SHA-256("n1-1") by sha256sum, with version 8 and the variant of RFC 9562 set by hand.
  EXPECT_EQ(ApnsId("n1-1"), "8e1e3a37-287f-85ed-9d37-914b77320ef4");
  EXPECT_NE(ApnsId("n1-2"), ApnsId("n1-1"));
}

TEST(ApnsWire, TheProviderTokenIsEs256WithKidIssAndIat) {
  const ApnsOptions options = Options();
  const Instant now{std::chrono::seconds(1768442400)};
  const auto token = ApnsProviderToken(options, options.key.Get()->text, now);
  ASSERT_TRUE(token.has_value());
  const std::size_t first = token->find('.');
  const std::size_t second = token->rfind('.');
  EXPECT_EQ(json::parse(*FromBase64Url(token->substr(0, first))),
            json::parse(R"({"alg":"ES256","typ":"JWT","kid":"ABC123DEFG"})"));
  EXPECT_EQ(json::parse(*FromBase64Url(token->substr(first + 1, second - first - 1))),
            json::parse(R"({"iss":"TEAM123456","iat":1768442400})"));
  const std::string point = SigningKey::FromPem(options.key.Get()->text)->PublicPoint();
  EXPECT_TRUE(testing::Es256Fits(point, token->substr(0, second), *FromBase64Url(token->substr(second + 1))));
}

TEST(ApnsWire, AKeyIdInTheKeyFileGoesOverTheSetting) {
  const ApnsOptions options = Options();
  const auto token = ApnsProviderToken(options, "kid: NEWKEY0001\n" + options.key.Get()->text, Instant{});
  ASSERT_TRUE(token.has_value()) << token.error().message;
  EXPECT_EQ(json::parse(*FromBase64Url(token->substr(0, token->find('.'))))["kid"], "NEWKEY0001");
  EXPECT_FALSE(ApnsProviderToken(options, "kid: a\"b\n" + options.key.Get()->text, Instant{}).has_value());
  EXPECT_FALSE(ApnsProviderToken(options, "no key", Instant{}).has_value());
  ApnsOptions nameless = Options();
  nameless.key_id.clear();
  EXPECT_FALSE(ApnsProviderToken(nameless, nameless.key.Get()->text, Instant{}).has_value());
}

TEST(ApnsWire, TheRequestHasTheDocumentedHeadersAndPayload) {
  const ApnsOptions options = Options();
  const auto payload = ApnsPayload(options, Request());
  ASSERT_TRUE(payload.has_value());
  EXPECT_EQ(json::parse(*payload), json::parse(R"({
    "aps": {"alert": {"title": "高龄津贴", "body": "您可以申请\"高龄津贴\""}, "sound": "default"},
    "attempt_id": "n1-1", "notification_id": "n1", "url": "https://example.gov.cn/a?b=1"})"));
  const Instant now{std::chrono::seconds(1768442400)};
  const delivery::HttpCall call = ApnsCall(options, Request(), *payload, "T", now);
  EXPECT_EQ(call.method, "POST");
  EXPECT_EQ(call.target, "/3/device/" + Request().contact);
  const std::map<std::string, std::string> headers(call.headers.begin(), call.headers.end());
  const std::map<std::string, std::string> expected = {
      {"authorization", "bearer T"},     {"content-type", "application/json"},
      {"apns-topic", "cn.example.city"}, {"apns-push-type", "alert"},
      {"apns-priority", "10"},           {"apns-expiration", "1768528800"},
      {"apns-id", ApnsId("n1-1")},       {"apns-collapse-id", "n1"}};
  EXPECT_EQ(headers, expected);
  ApnsOptions other = Options();
  other.expiration_s = 0;
  other.collapse = false;
  for (const auto& [name, value] : ApnsCall(other, Request(), "{}", "T", now).headers) {
    EXPECT_NE(name, "apns-collapse-id");
    if (name == "apns-expiration") {
      EXPECT_EQ(value, "0");
    }
  }
}

TEST(ApnsWire, TheTextIsNeutralUnlessTheCitySaysOtherwise) {
  ApnsOptions options = Options();
  options.visible.full = false;
  const auto payload = ApnsPayload(options, Request());
  ASSERT_TRUE(payload.has_value());
  EXPECT_EQ(payload->find("高龄"), std::string::npos);
}

// developer.apple.com, "Handling notification responses from APNs": every error string.
TEST(ApnsWire, EveryDocumentedReasonHasItsVerdict) {
  const std::map<std::string, std::pair<int, Verdict>> table = {
      {"BadCollapseId", {400, Verdict::kFixMessage}},
      {"BadDeviceToken", {400, Verdict::kDropContact}},
      {"BadExpirationDate", {400, Verdict::kFixMessage}},
      {"BadMessageId", {400, Verdict::kFixMessage}},
      {"BadPriority", {400, Verdict::kStopChannel}},
      {"BadTopic", {400, Verdict::kStopChannel}},
      {"DeviceTokenNotForTopic", {400, Verdict::kDropContact}},
      {"DuplicateHeaders", {400, Verdict::kFixMessage}},
      {"IdleTimeout", {400, Verdict::kRetryLater}},
      {"InvalidPushType", {400, Verdict::kStopChannel}},
      {"MissingDeviceToken", {400, Verdict::kDropContact}},
      {"MissingTopic", {400, Verdict::kStopChannel}},
      {"PayloadEmpty", {400, Verdict::kFixMessage}},
      {"TopicDisallowed", {400, Verdict::kStopChannel}},
      {"BadCertificate", {403, Verdict::kStopChannel}},
      {"BadCertificateEnvironment", {403, Verdict::kStopChannel}},
      {"ExpiredProviderToken", {403, Verdict::kStopChannel}},
      {"Forbidden", {403, Verdict::kStopChannel}},
      {"InvalidProviderToken", {403, Verdict::kStopChannel}},
      {"MissingProviderToken", {403, Verdict::kStopChannel}},
      {"UnrelatedKeyIdInToken", {403, Verdict::kStopChannel}},
      {"BadEnvironmentKeyIdInToken", {403, Verdict::kStopChannel}},
      {"BadPath", {404, Verdict::kStopChannel}},
      {"MethodNotAllowed", {405, Verdict::kStopChannel}},
      {"ExpiredToken", {410, Verdict::kDropContact}},
      {"Unregistered", {410, Verdict::kDropContact}},
      {"PayloadTooLarge", {413, Verdict::kFixMessage}},
      {"TooManyProviderTokenUpdates", {429, Verdict::kThrottled}},
      {"TooManyRequests", {429, Verdict::kThrottled}},
      {"InternalServerError", {500, Verdict::kRetryLater}},
      {"ServiceUnavailable", {503, Verdict::kRetryLater}},
      {"Shutdown", {503, Verdict::kRetryLater}}};
  for (const auto& [reason, row] : table) {
    const auto result = ParseApnsAnswer(Answer(row.first, R"({"reason":")" + reason + R"("})"));
    EXPECT_EQ(result.verdict, row.second) << reason;
    EXPECT_EQ(result.code, reason);
  }
}

TEST(ApnsWire, UnknownReasonsGoByTheStatus) {
  const std::map<int, Verdict> table = {{400, Verdict::kFixMessage},  {403, Verdict::kStopChannel},
                                        {410, Verdict::kDropContact}, {413, Verdict::kFixMessage},
                                        {429, Verdict::kThrottled},   {500, Verdict::kUnknown},
                                        {502, Verdict::kUnknown},     {302, Verdict::kUnknown}};
  for (const auto& [status, verdict] : table) {
    EXPECT_EQ(ParseApnsAnswer(Answer(status, R"({"reason":"SomethingNew"})")).verdict, verdict) << status;
    EXPECT_EQ(ParseApnsAnswer(Answer(status, "<html>")).verdict, verdict) << status;
  }
  EXPECT_EQ(ParseApnsAnswer(Answer(400, R"({"reason":"a token 00fc13"})")).code, "http 400") << "only a word is kept";
}

TEST(ApnsWire, AcceptedIsAnEmptyAnswerWithTheId) {
  const std::string id = ApnsId("n1-1");
  const auto accepted = ParseApnsAnswer(Answer(200, "", {{"apns-id", id}}));
  EXPECT_EQ(accepted.verdict, Verdict::kAccepted);
  EXPECT_EQ(accepted.provider_id, id);
  EXPECT_EQ(ParseApnsAnswer(Answer(200, "")).verdict, Verdict::kUnknown);
  EXPECT_EQ(ParseApnsAnswer(Answer(200, "<html>", {{"apns-id", id}})).verdict, Verdict::kUnknown);
}

TEST(ApnsWire, WaitsAreThoseTheProviderNames) {
  EXPECT_EQ(ParseApnsAnswer(Answer(429, R"({"reason":"TooManyProviderTokenUpdates"})")).retry_after,
            Millis(20 * 60 * 1000));
  EXPECT_EQ(ParseApnsAnswer(Answer(503, R"({"reason":"Shutdown"})", {{"retry-after", "7"}})).retry_after, Millis(7000));
  EXPECT_FALSE(ParseApnsAnswer(Answer(429, R"({"reason":"TooManyRequests"})")).retry_after.has_value());
}

TEST(Apns, MessagesAndTokensThatApnsWouldRefuseAreRefusedBefore) {
  const auto connector = NewApns(Options(), nullptr);
  message::Content content = Request().content;
  EXPECT_TRUE(connector->Check(content).has_value());
  while (content.body.size() < 4096) content.body += "字";
  EXPECT_FALSE(connector->Check(content).has_value()) << "4096 bytes";
  content = Request().content;
  content.channel = Channel::kSms;
  EXPECT_FALSE(connector->Check(content).has_value());
  for (const char* token : {"", "xyz", "abc", "ab/cd", "00fc13ad?x=1", "00FG"}) {
    delivery::SendRequest request = Request();
    request.contact = token;
    const auto result = connector->Send(request);
    EXPECT_EQ(result.verdict, Verdict::kDropContact) << token;
    EXPECT_EQ(result.code, "contact");
  }
}

TEST(Apns, ParksWhatIsUnknownAndHasNoCallBacks) {
  const auto connector = NewApns(Options(), nullptr);
  EXPECT_EQ(connector->unknown_policy(), delivery::UnknownPolicy::kPark) << "apns-id is no guard against repeats";
  EXPECT_TRUE(connector->asynchronous());
  EXPECT_FALSE(connector->sends_receipts());
  EXPECT_EQ(connector->ParseCallback({"POST", {}, {}, "{}"}).status, 404);
  EXPECT_EQ(connector->NewKey("n1-1")->key, ApnsId("n1-1"));
}

TEST(Apns, AfterCloseNothingIsSent) {
  const auto connector = NewApns(Options(), nullptr);
  connector->Close();
  const auto result = connector->Send(Request());
  EXPECT_EQ(result.verdict, Verdict::kNotSent);
  EXPECT_EQ(result.code, "shutdown");
}

TEST(ApnsSettings, DefaultsAreThoseOfTheReference) {
  delivery::Settings settings;
  settings.Set("key", testing::NewEcPem(), {});
  settings.Set("key_id", "ABC123DEFG", {});
  settings.Set("team_id", "TEAM123456", {});
  settings.Set("topic", "cn.example.city", {});
  Diagnostics found;
  const auto options = ValidateApns(settings, &found);
  ASSERT_TRUE(options.has_value()) << FormatDiagnostics(found);
  EXPECT_EQ(options->base_url, "https://api.push.apple.com");
  EXPECT_EQ(options->push_type, "alert");
  EXPECT_EQ(options->priority, 10);
  EXPECT_EQ(options->sound, "default");
  EXPECT_FALSE(options->visible.full);
}

TEST(ApnsSettings, AllMistakesComeAtOnce) {
  delivery::Settings settings;
  settings.SetPlace({"zhitui.yaml", 10, 1});
  settings.Set("base_url", "http://api.push.apple.com", {"zhitui.yaml", 11, 3});
  settings.Set("kye", "k", {"zhitui.yaml", 12, 3});
  settings.Set("priority", "7", {"zhitui.yaml", 13, 3});
  settings.Set("topic", "a b", {"zhitui.yaml", 14, 3});
  Diagnostics found;
  EXPECT_FALSE(ValidateApns(settings, &found).has_value());
  std::multiset<std::uint32_t> lines;
  for (const Diagnostic& d : found) lines.insert(d.at.line);
  EXPECT_EQ(lines, (std::multiset<std::uint32_t>{10, 10, 11, 12, 13, 14})) << FormatDiagnostics(found);
}

TEST(ApnsSettings, AKeyOfAnotherCurveIsRefused) {
  delivery::Settings settings;
  settings.Set("key", testing::NewEcPem("P-384"), {});
  settings.Set("key_id", "ABC123DEFG", {});
  settings.Set("team_id", "TEAM123456", {});
  settings.Set("topic", "cn.example.city", {});
  Diagnostics found;
  EXPECT_FALSE(ValidateApns(settings, &found).has_value());
  EXPECT_EQ(found.size(), 1U);
}

}  // namespace
}  // namespace zhitui::app
