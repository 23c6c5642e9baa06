#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "app/app.h"
#include "app/webpush_codes.h"
#include "app/webpush_wire.h"
#include "connectors/app/ec_key.h"

namespace zhitui::app {
namespace {

using delivery::Verdict;
using nlohmann::json;

// RFC 8291 section 5 and appendix A.
constexpr const char* kPlaintext = "When I grow up, I want to be a watermelon";
constexpr const char* kReceiverPoint =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
constexpr const char* kAuth = "BTBZMqHH6r4Tts7J_aSIgg";
constexpr const char* kSenderScalar = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
constexpr const char* kSalt = "DGv6ra1nlYgDCS1FRnbzlw";
constexpr const char* kBody =
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_"
    "c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
    "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
// RFC 8292 section 2.4.
constexpr const char* kVapidToken =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9."
    "eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0."
    "i3C"
    "Yb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA";
constexpr const char* kVapidPoint =
    "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs";

std::string Bytes(std::string_view base64url) { return FromBase64Url(base64url).value(); }

WebpushOptions Options() {
  WebpushOptions options;
  options.vapid_key = delivery::Secret(testing::NewEcPem());
  options.subject = "mailto:push@example.gov.cn";
  options.visible.full = true;
  return options;
}

std::string Contact(const std::string& endpoint) {
  return json({{"endpoint", endpoint},
               {"expirationTime", nullptr},
               {"keys", {{"p256dh", kReceiverPoint}, {"auth", kAuth}}}})
      .dump();
}

delivery::SendRequest Request(const std::string& contact) {
  delivery::SendRequest request;
  request.attempt_id = "n1-1";
  request.notification_id = "n1";
  request.contact = contact;
  request.content.channel = Channel::kApp;
  request.content.title = "高龄津贴";
  request.content.body = "您可以申请高龄津贴";
  return request;
}

delivery::BaseUrl Url(const std::string& text) { return delivery::ParseBaseUrl(text).value(); }

delivery::HttpAnswer Answer(int status, std::map<std::string, std::string> headers = {}) {
  delivery::HttpAnswer answer;
  answer.fate = delivery::HttpFate::kAnswered;
  answer.status = status;
  answer.headers = std::move(headers);
  return answer;
}

TEST(WebpushCrypt, TheExampleOfRfc8291) {
  const auto body =
      EncryptPush({Bytes(kReceiverPoint), Bytes(kAuth)}, {Bytes(kSenderScalar), Bytes(kSalt)}, kPlaintext, 0);
  ASSERT_TRUE(body.has_value()) << body.error().message;
  EXPECT_EQ(Base64Url(*body), kBody);
}

TEST(WebpushCrypt, PaddingAddsItsLengthAndNothingElse) {
  const PushReceiver to{Bytes(kReceiverPoint), Bytes(kAuth)};
  const PushSender from{Bytes(kSenderScalar), Bytes(kSalt)};
  const std::size_t plain = EncryptPush(to, from, "abc", 0)->size();
  EXPECT_EQ(plain, 86U + 3 + 1 + 16);
  EXPECT_EQ(EncryptPush(to, from, "abc", 253)->size(), plain + 253);
  EXPECT_EQ(EncryptPush(to, from, std::string(kPushTextBytes, 'a'), 0)->size(), 4096U);
  EXPECT_FALSE(EncryptPush(to, from, std::string(kPushTextBytes, 'a'), 1).has_value());
  EXPECT_FALSE(EncryptPush(to, from, std::string(kPushTextBytes + 1, 'a'), 0).has_value());
}

TEST(WebpushCrypt, APointOffTheCurveIsRefused) {
  std::string point = Bytes(kReceiverPoint);
  point[64] = static_cast<char>(point[64] ^ 1);
  EXPECT_FALSE(EncryptPush({point, Bytes(kAuth)}, {Bytes(kSenderScalar), Bytes(kSalt)}, "a", 0).has_value());
  EXPECT_FALSE(
      EncryptPush({Bytes(kReceiverPoint).substr(1), Bytes(kAuth)}, {Bytes(kSenderScalar), Bytes(kSalt)}, "a", 0)
          .has_value());
}

TEST(WebpushCrypt, EveryMessageHasItsOwnKeyAndSalt) {
  std::set<std::string> scalars;
  std::set<std::string> salts;
  for (int i = 0; i < 50; ++i) {
    const auto sender = NewPushSender();
    ASSERT_TRUE(sender.has_value());
    EXPECT_EQ(sender->scalar.size(), 32U);
    EXPECT_EQ(sender->salt.size(), 16U);
    scalars.insert(sender->scalar);
    salts.insert(sender->salt);
  }
  EXPECT_EQ(scalars.size(), 50U);
  EXPECT_EQ(salts.size(), 50U);
}

TEST(WebpushVapid, TheExampleOfRfc8292) {
  const std::string token = kVapidToken;
  const std::size_t second = token.rfind('.');
  // Ours has the same header and claims, byte by byte; the signature is random, so theirs is verified.
  EXPECT_EQ(Base64Url(R"({"typ":"JWT","alg":"ES256"})") + "." +
                Base64Url(VapidClaims("https://push.example.net", "mailto:push@example.com",
                                      Instant{std::chrono::seconds(1453523768)})),
            token.substr(0, second));
  EXPECT_TRUE(testing::Es256Fits(Bytes(kVapidPoint), token.substr(0, second), Bytes(token.substr(second + 1))));
}

TEST(WebpushVapid, TheHeaderNamesTheKeyThatSigned) {
  const auto header = VapidAuthorization(testing::NewEcPem(), "https://push.example.net", "mailto:a@example.gov.cn",
                                         Instant{std::chrono::seconds(1453523768)});
  ASSERT_TRUE(header.has_value());
  ASSERT_TRUE(header->starts_with("vapid t="));
  const std::size_t comma = header->find(", k=");
  ASSERT_NE(comma, std::string::npos);
  const std::string token = header->substr(8, comma - 8);
  const std::size_t second = token.rfind('.');
  EXPECT_TRUE(
      testing::Es256Fits(Bytes(header->substr(comma + 4)), token.substr(0, second), Bytes(token.substr(second + 1))));
}

TEST(WebpushVapid, AKeyOf32BytesIsTheOneThatToolsPrint) {
  // The pair of RFC 8291, appendix A: as_private and as_public.
  const auto key = VapidKey(kSenderScalar);
  ASSERT_TRUE(key.has_value()) << key.error().message;
  EXPECT_EQ(Base64Url(key->PublicPoint()),
            "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8");
  EXPECT_FALSE(VapidKey("yfWPiYE").has_value());
  EXPECT_FALSE(VapidKey(testing::NewEcPem("P-384")).has_value());
}

TEST(WebpushHosts, OnlyListedHostsAreCalled) {
  const HostList list = HostList::Parse(kWebpushHosts).value();
  for (const char* url : {"https://fcm.googleapis.com", "https://updates.push.services.mozilla.com",
                          "https://web.push.apple.com", "https://wns2-by3p.notify.windows.com"}) {
    EXPECT_TRUE(list.Allows(Url(url))) << url;
  }
  for (const char* url :
       {"http://fcm.googleapis.com", "https://fcm.googleapis.com:8443", "https://evil.example",
        "https://fcm.googleapis.com.evil.example", "https://push.apple.com", "https://xpush.apple.com",
        "https://127.0.0.1", "https://localhost", "https://10.0.0.1", "https://169.254.169.254", "https://[::1]",
        "https://2130706433", "https://0x7f.1", "https://.push.apple.com"}) {
    EXPECT_FALSE(list.Allows(Url(url))) << url;
  }
}

TEST(WebpushHosts, AnAddressMustStandInTheListItself) {
  const HostList list = HostList::Parse("127.0.0.1:8443, http://127.0.0.1:8080").value();
  EXPECT_TRUE(list.Allows(Url("https://127.0.0.1:8443")));
  EXPECT_TRUE(list.Allows(Url("http://127.0.0.1:8080")));
  EXPECT_FALSE(list.Allows(Url("https://127.0.0.1")));
  EXPECT_FALSE(list.Allows(Url("http://127.0.0.1:8443")));
  for (const char* bad :
       {"", "*", "*.com", "*.1", "*.localhost", "https://a.example/path", "a b/c", "*.http://a.example"}) {
    EXPECT_FALSE(HostList::Parse(bad).has_value()) << bad;
  }
}

TEST(WebpushSubscription, IsReadAsBrowsersWriteIt) {
  const auto subscription = ParseSubscription(Contact("https://FCM.googleapis.com/fcm/send/dbDqU8xX10w:APA91b?x=%2F"));
  ASSERT_TRUE(subscription.has_value());
  EXPECT_EQ(WebpushOrigin(subscription->service), "https://fcm.googleapis.com");
  EXPECT_EQ(subscription->target, "/fcm/send/dbDqU8xX10w:APA91b?x=%2F");
  EXPECT_EQ(WebpushOrigin(Url("https://127.0.0.1:8443")), "https://127.0.0.1:8443");
}

TEST(WebpushSubscription, AnythingElseIsRefused) {
  for (
      const std::string& contact :
      {std::string("{}"), std::string("[]"), std::string("https://fcm.googleapis.com/x"),
       Contact("https://fcm.googleapis.com"), Contact("ftp://fcm.googleapis.com/x"),
       Contact("https://user@fcm.googleapis.com/x"), Contact("https://fcm.googleapis.com@evil.example/x"),
       Contact("https://fcm.googleapis.com/x y"), Contact("https://fcm.googleapis.com/x\r\nHost: evil"),
       Contact("https://fcm.googleapis.com/x#y"), Contact("https://fcm.googleapis.com\\@evil.example/x"),
       Contact("https://fcm.googleapis.com/" + std::string(5000, 'x')),
       std::string(
           R"({"endpoint":"https://fcm.googleapis.com/x","keys":{"p256dh":"AAAA","auth":"BTBZMqHH6r4Tts7J_aSIgg"}})")}) {
    EXPECT_FALSE(ParseSubscription(contact).has_value()) << contact.substr(0, 80);
  }
}

TEST(WebpushWire, TheRequestHasTheHeadersOfRfc8030) {
  const auto subscription = ParseSubscription(Contact("https://fcm.googleapis.com/fcm/send/a"));
  const delivery::HttpCall call = WebpushCall(Options(), *subscription, "vapid t=T, k=K", "BODY", "n1");
  const std::map<std::string, std::string> headers(call.headers.begin(), call.headers.end());
  const std::map<std::string, std::string> expected = {{"Authorization", "vapid t=T, k=K"},
                                                       {"Content-Type", "application/octet-stream"},
                                                       {"Content-Encoding", "aes128gcm"},
                                                       {"TTL", "86400"},
                                                       {"Urgency", "normal"},
                                                       {"Topic", WebpushTopic("n1")}};
  EXPECT_EQ(headers, expected);
  EXPECT_EQ(call.target, "/fcm/send/a");
  EXPECT_EQ(WebpushTopic("n1").size(), 32U);
  EXPECT_EQ(WebpushTopic("n1").find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            std::string::npos);
}

TEST(WebpushWire, LengthsAreRoundedUp) {
  EXPECT_EQ(WebpushPadding(1, 256), 255U);
  EXPECT_EQ(WebpushPadding(256, 256), 0U);
  EXPECT_EQ(WebpushPadding(257, 256), 255U);
  EXPECT_EQ(WebpushPadding(100, 0), 0U);
  EXPECT_EQ(WebpushPadding(3990, 256), 3U) << "4096 bytes of body";
}

TEST(WebpushWire, EveryStatusHasItsVerdict) {
  const std::map<int, Verdict> table = {
      {400, Verdict::kStopChannel}, {401, Verdict::kStopChannel}, {403, Verdict::kStopChannel},
      {404, Verdict::kDropContact}, {410, Verdict::kDropContact}, {413, Verdict::kFixMessage},
      {429, Verdict::kThrottled},   {500, Verdict::kUnknown},     {502, Verdict::kUnknown},
      {503, Verdict::kRetryLater},  {406, Verdict::kFixMessage},  {200, Verdict::kUnknown},
      {201, Verdict::kUnknown},     {302, Verdict::kUnknown}};
  for (const auto& [status, verdict] : table) {
    EXPECT_EQ(ParseWebpushAnswer(Answer(status), Instant{}).verdict, verdict) << status;
  }
  for (const int status : {201, 202}) {
    const auto result = ParseWebpushAnswer(Answer(status, {{"location", "https://push.example.net/m/1"}}), Instant{});
    EXPECT_EQ(result.verdict, Verdict::kAccepted);
    EXPECT_EQ(result.provider_id, "https://push.example.net/m/1");
  }
}

TEST(WebpushWire, RetryAfterIsSecondsOrADate) {
  const Instant now = ParseInstant("2026-10-21T07:27:00Z").value();
  const auto wait = [&](const char* text) {
    return ParseWebpushAnswer(Answer(429, {{"retry-after", text}}), now).retry_after;
  };
  EXPECT_EQ(wait("30"), Millis(30'000));
  EXPECT_EQ(wait("Wed, 21 Oct 2026 07:28:00 GMT"), Millis(60'000));
  EXPECT_FALSE(wait("soon").has_value());
  EXPECT_FALSE(wait("-1").has_value());
  EXPECT_FALSE(wait("Wed, 21 Xyz 2026 07:28:00 GMT").has_value());
}

TEST(Webpush, WhatIsNotAllowedIsNeverCalled) {
  const auto connector = NewWebpush(Options(), nullptr);
  const auto refused = connector->Send(Request(Contact("https://127.0.0.1:9/x")));
  EXPECT_EQ(refused.verdict, Verdict::kDropContact);
  EXPECT_EQ(refused.code, "host");
  EXPECT_EQ(connector->Send(Request("no json")).code, "subscription");
  EXPECT_EQ(connector->unknown_policy(), delivery::UnknownPolicy::kPark);
  message::Content content = Request("").content;
  EXPECT_TRUE(connector->Check(content).has_value());
  while (content.body.size() < 4000) content.body += "字";
  EXPECT_FALSE(connector->Check(content).has_value());
}

TEST(WebpushSettings, DefaultsAndMistakes) {
  delivery::Settings good;
  good.Set("vapid_key", testing::NewEcPem(), {});
  good.Set("subject", "mailto:push@example.gov.cn", {});
  Diagnostics found;
  const auto options = ValidateWebpush(good, &found);
  ASSERT_TRUE(options.has_value()) << FormatDiagnostics(found);
  EXPECT_EQ(options->allowed_hosts, kWebpushHosts);
  EXPECT_EQ(options->ttl_s, 86400);
  delivery::Settings bad;
  bad.SetPlace({"zhitui.yaml", 10, 1});
  bad.Set("vapid_key", "nonsense", {"zhitui.yaml", 11, 1});
  bad.Set("subject", "push@example.gov.cn", {"zhitui.yaml", 12, 1});
  bad.Set("urgency", "now", {"zhitui.yaml", 13, 1});
  bad.Set("allowed_hosts", "*", {"zhitui.yaml", 14, 1});
  bad.Set("tll_s", "1", {"zhitui.yaml", 15, 1});
  EXPECT_FALSE(ValidateWebpush(bad, &found).has_value());
  std::multiset<std::uint32_t> lines;
  for (const Diagnostic& d : found) lines.insert(d.at.line);
  EXPECT_EQ(lines, (std::multiset<std::uint32_t>{11, 12, 13, 14, 15})) << FormatDiagnostics(found);
}

}  // namespace
}  // namespace zhitui::app
