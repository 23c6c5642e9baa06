#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "app/apns_wire.h"
#include "app/app.h"
#include "app/gorush_codes.h"
#include "app/gorush_wire.h"
#include "app/ntfy_codes.h"
#include "app/ntfy_wire.h"

namespace zhitui::app {
namespace {

using delivery::Verdict;
using nlohmann::json;

delivery::SendRequest Request(std::string contact) {
  delivery::SendRequest request;
  request.attempt_id = "n1-1";
  request.notification_id = "n1";
  request.contact = std::move(contact);
  request.content.channel = Channel::kApp;
  request.content.title = "高龄津贴";
  request.content.body = "您可以申请高龄津贴";
  request.content.url = "https://example.gov.cn/a";
  return request;
}

delivery::HttpAnswer Answer(int status, std::string body) {
  delivery::HttpAnswer answer;
  answer.fate = delivery::HttpFate::kAnswered;
  answer.status = status;
  answer.body = std::move(body);
  return answer;
}

GorushOptions Gorush() {
  GorushOptions options;
  options.base_url = "http://127.0.0.1:1";
  options.visible.full = true;
  options.callback_key = delivery::Secret("hook-key");
  return options;
}

std::string Log(const std::string& error, const std::string& id = "n1-1") {
  return json({{"notif_id", id},
               {"type", "failed-push"},
               {"platform", "ios"},
               {"token", "T"},
               {"message", "M"},
               {"error", error}})
      .dump();
}

std::string Ok(const std::string& logs, int counts = 1) {
  return R"({"success":"ok","counts":)" + std::to_string(counts) + R"(,"logs":[)" + logs + "]}";
}

TEST(GorushWire, TheContactNamesThePlatform) {
  EXPECT_EQ(ParseGorushContact("2/dbDqU8xX10w:APA91b")->platform, 2);
  EXPECT_EQ(ParseGorushContact("2/dbDqU8xX10w:APA91b")->token, "dbDqU8xX10w:APA91b");
  for (const char* bad : {"", "1/", "4/x", "0/x", "x", "1x", "1/a b", "1/a\nb", "11/x"}) {
    EXPECT_FALSE(ParseGorushContact(bad).has_value()) << bad;
  }
}

TEST(GorushWire, TheBodyHasTheDocumentedShape) {
  GorushOptions options = Gorush();
  options.ios_topic = "cn.example.city";
  const auto ios = GorushBody(options, {1, "T"}, Request("1/T"));
  ASSERT_TRUE(ios.has_value());
  json expected = json::parse(R"({"notifications":[{"notif_id":"n1-1","tokens":["T"],"platform":1,
    "title":"高龄津贴","message":"您可以申请高龄津贴","topic":"cn.example.city","push_type":"alert",
    "data":{"attempt_id":"n1-1","notification_id":"n1","url":"https://example.gov.cn/a"}}]})");
  expected["notifications"][0]["apns_id"] = ApnsId("n1-1");
  EXPECT_EQ(json::parse(*ios), expected);
  const json android = json::parse(*GorushBody(options, {2, "T"}, Request("2/T")));
  EXPECT_FALSE(android["notifications"][0].contains("topic"));
  EXPECT_FALSE(android["notifications"][0].contains("apns_id"));
}

TEST(GorushWire, OnlyASynchronousAnswerTellsAFailure) {
  const std::string dead = Ok(Log("Unregistered"));
  EXPECT_EQ(ParseGorushAnswer(Answer(200, dead), true, "n1-1").verdict, Verdict::kDropContact);
  EXPECT_EQ(ParseGorushAnswer(Answer(200, dead), true, "n1-1").code, "Unregistered");
  EXPECT_EQ(ParseGorushAnswer(Answer(200, dead), false, "n1-1").verdict, Verdict::kAccepted);
  EXPECT_EQ(ParseGorushAnswer(Answer(200, Ok(Log("max capacity reached"))), false, "n1-1").verdict,
            Verdict::kRetryLater);
  EXPECT_EQ(ParseGorushAnswer(Answer(200, Ok(Log("Unregistered", "other-1"))), true, "n1-1").verdict,
            Verdict::kAccepted);
  EXPECT_EQ(ParseGorushAnswer(Answer(200, Ok("")), true, "n1-1").verdict, Verdict::kAccepted);
}

TEST(GorushWire, NothingCountedMeansThatThePlatformIsOff) {
  EXPECT_EQ(ParseGorushAnswer(Answer(200, Ok("", 0)), true, "n1-1").verdict, Verdict::kStopChannel);
}

TEST(GorushWire, WhatGorushRepeatsByItselfIsUnknown) {
  EXPECT_EQ(ParseGorushAnswer(Answer(200, Ok(Log("InternalServerError"))), true, "n1-1").verdict, Verdict::kUnknown);
  EXPECT_EQ(
      ParseGorushAnswer(Answer(200, Ok(Log("InternalServerError") + "," + Log("Unregistered"))), true, "n1-1").verdict,
      Verdict::kDropContact)
      << "the last try counts";
}

TEST(GorushWire, ErrorTextsOfTheServicesBehind) {
  const std::map<std::string, std::pair<Verdict, std::string>> table = {
      {"BadDeviceToken", {Verdict::kDropContact, "BadDeviceToken"}},
      {"ExpiredProviderToken", {Verdict::kStopChannel, "ExpiredProviderToken"}},
      {"PayloadTooLarge", {Verdict::kFixMessage, "PayloadTooLarge"}},
      {"Requested entity was not found.", {Verdict::kDropContact, "fcm_unregistered"}},
      {"The registration token is not a valid FCM registration token", {Verdict::kDropContact, "fcm_invalid_token"}},
      {"SenderId mismatch", {Verdict::kDropContact, "fcm_sender_mismatch"}},
      {"80300007", {Verdict::kDropContact, "hms_80300007"}},
      {"missing fcm credential data", {Verdict::kStopChannel, "gorush_config"}},
      {"Post \"https://fcm.googleapis.com/…/1/TOKEN\": context deadline exceeded", {Verdict::kUnknown, "failed"}},
      {"SomethingNew", {Verdict::kUnknown, "failed"}},
      {"", {Verdict::kUnknown, "failed"}}};
  for (const auto& [text, row] : table) {
    const GorushError error = GorushErrorOf(text);
    EXPECT_EQ(error.verdict, row.first) << text;
    EXPECT_EQ(error.code, row.second) << text;
  }
}

TEST(GorushWire, StatusesAndMalformedAnswers) {
  const std::map<int, Verdict> table = {{400, Verdict::kFixMessage},  {401, Verdict::kStopChannel},
                                        {403, Verdict::kStopChannel}, {404, Verdict::kStopChannel},
                                        {429, Verdict::kThrottled},   {500, Verdict::kUnknown},
                                        {502, Verdict::kUnknown}};
  for (const auto& [status, verdict] : table) {
    EXPECT_EQ(ParseGorushAnswer(Answer(status, R"({"code":400,"message":"x"})"), true, "n1-1").verdict, verdict)
        << status;
  }
  for (const char* body : {"", "{", "[]", "{}", R"({"success":"ok"})", R"({"success":"no","counts":1})", "<html>"}) {
    EXPECT_EQ(ParseGorushAnswer(Answer(200, body), true, "n1-1").verdict, Verdict::kUnknown) << body;
  }
}

TEST(Gorush, TheFeedbackHookGivesReceipts) {
  const auto connector = NewGorush(Gorush(), nullptr);
  const auto call = [&](const std::string& body, std::multimap<std::string, std::string> query) {
    return connector->ParseCallback({"POST", std::move(query), {}, body});
  };
  const auto dead = call(Log("Unregistered"), {{"key", "hook-key"}});
  EXPECT_EQ(dead.status, 200);
  ASSERT_EQ(dead.receipts.size(), 1U);
  EXPECT_EQ(dead.receipts[0].attempt_id, "n1-1");
  EXPECT_EQ(dead.receipts[0].state, delivery::ReceiptState::kUndelivered);
  EXPECT_TRUE(dead.receipts[0].contact_dead);
  EXPECT_EQ(dead.receipts[0].code, "Unregistered");
  const auto refused = call(Log("TopicDisallowed"), {{"key", "hook-key"}});
  ASSERT_EQ(refused.receipts.size(), 1U);
  EXPECT_FALSE(refused.receipts[0].contact_dead);
  EXPECT_TRUE(call(Log("InternalServerError"), {{"key", "hook-key"}}).receipts.empty()) << "gorush tries it again";
  EXPECT_EQ(connector->ParseCallback({"POST", {}, {{"x-gorush-key", "hook-key"}}, Log("Unregistered")}).status, 200);
}

TEST(Gorush, ForgedAndMalformedCallBacksAreRefused) {
  const auto connector = NewGorush(Gorush(), nullptr);
  for (const std::multimap<std::string, std::string>& query :
       {std::multimap<std::string, std::string>{}, {{"key", "hook-kez"}}, {{"key", "hook-key"}, {"key", "hook-key"}}}) {
    const auto reply = connector->ParseCallback({"POST", query, {}, Log("Unregistered")});
    EXPECT_EQ(reply.status, 401);
    EXPECT_TRUE(reply.receipts.empty());
  }
  for (const std::string& body : {std::string(), std::string("{"), std::string("[]"), std::string("{}"), Log("x", ""),
                                  std::string(R"({"type":"succeeded-push","notif_id":"n1-1"})")}) {
    const auto reply = connector->ParseCallback({"POST", {{"key", "hook-key"}}, {}, body});
    EXPECT_EQ(reply.status, 400) << body;
    EXPECT_TRUE(reply.receipts.empty());
  }
  GorushOptions closed = Gorush();
  closed.callback_key = delivery::Secret();
  EXPECT_EQ(NewGorush(closed, nullptr)->ParseCallback({"POST", {{"key", ""}}, {}, Log("x")}).status, 404);
}

TEST(GorushSettings, TheAddressIsRequired) {
  Diagnostics found;
  EXPECT_FALSE(ValidateGorush({}, &found).has_value());
  EXPECT_EQ(found.size(), 1U);
  delivery::Settings settings;
  settings.Set("base_url", "http://gorush:8088", {});
  found.clear();
  const auto options = ValidateGorush(settings, &found);
  ASSERT_TRUE(options.has_value()) << FormatDiagnostics(found);
  EXPECT_TRUE(options->sync);
  EXPECT_EQ(NewGorush(*options, nullptr)->unknown_policy(), delivery::UnknownPolicy::kPark);
}

TEST(NtfyWire, TheBodyHasTheDocumentedShape) {
  NtfyOptions options;
  options.visible.full = true;
  options.priority = 4;
  const auto body = NtfyBody(options, Request("city-a1"));
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ(json::parse(*body), json::parse(R"({"topic":"city-a1","title":"高龄津贴","message":"您可以申请高龄津贴",
    "priority":4,"click":"https://example.gov.cn/a"})"));
}

TEST(NtfyWire, TopicsAreThoseOfNtfy) {
  EXPECT_TRUE(IsNtfyTopic("a-B_9"));
  EXPECT_TRUE(IsNtfyTopic(std::string(64, 'a')));
  for (const std::string& bad :
       {std::string(), std::string(65, 'a'), std::string("a/b"), std::string("a b"), std::string("字")}) {
    EXPECT_FALSE(IsNtfyTopic(bad)) << bad;
  }
}

TEST(NtfyWire, EveryCodeHasItsVerdict) {
  const std::map<int, Verdict> table = {
      {40001, Verdict::kFixMessage},  {40007, Verdict::kFixMessage},  {40009, Verdict::kDropContact},
      {40010, Verdict::kDropContact}, {40017, Verdict::kFixMessage},  {40046, Verdict::kFixMessage},
      {40101, Verdict::kStopChannel}, {40301, Verdict::kStopChannel}, {40401, Verdict::kStopChannel},
      {41303, Verdict::kFixMessage},  {42901, Verdict::kThrottled},   {42904, Verdict::kStopChannel},
      {42908, Verdict::kStopChannel}, {42909, Verdict::kStopChannel}, {50001, Verdict::kUnknown},
      {50003, Verdict::kStopChannel}, {50701, Verdict::kDropContact}, {42999, Verdict::kThrottled}};
  for (const auto& [code, verdict] : table) {
    const auto result = ParseNtfyAnswer(Answer(code / 100, R"({"code":)" + std::to_string(code) + R"(,"http":)" +
                                                               std::to_string(code / 100) + R"(,"error":"x"})"));
    EXPECT_EQ(result.verdict, verdict) << code;
    EXPECT_EQ(result.code, std::to_string(code));
  }
  EXPECT_EQ(ParseNtfyAnswer(Answer(429, R"({"code":42901})")).retry_after, Millis(5000));
  EXPECT_EQ(ParseNtfyAnswer(Answer(502, "<html>")).verdict, Verdict::kUnknown);
}

TEST(NtfyWire, AcceptedNeedsAnIdAndTheEvent) {
  const auto accepted =
      ParseNtfyAnswer(Answer(200, R"({"id":"xE73Iyuabi","time":1673542291,"event":"message","topic":"a"})"));
  EXPECT_EQ(accepted.verdict, Verdict::kAccepted);
  EXPECT_EQ(accepted.provider_id, "xE73Iyuabi");
  for (const char* body : {"", "{}", "[]", R"({"id":"a"})", R"({"event":"message"})", R"({"id":1,"event":"message"})",
                           R"({"id":"a","event":"open"})", "<html>"}) {
    EXPECT_EQ(ParseNtfyAnswer(Answer(200, body)).verdict, Verdict::kUnknown) << body;
  }
}

TEST(Ntfy, ChecksAndParks) {
  NtfyOptions options;
  options.base_url = "http://127.0.0.1:1";
  options.visible.full = true;
  const auto connector = NewNtfy(options, nullptr);
  EXPECT_EQ(connector->Send(Request("a/b")).verdict, Verdict::kDropContact);
  EXPECT_EQ(connector->unknown_policy(), delivery::UnknownPolicy::kPark);
  EXPECT_EQ(connector->ParseCallback({"POST", {}, {}, ""}).status, 404);
  message::Content content = Request("").content;
  EXPECT_TRUE(connector->Check(content).has_value());
  while (content.body.size() <= 4096) content.body += "字";
  EXPECT_FALSE(connector->Check(content).has_value());
  Diagnostics found;
  EXPECT_FALSE(ValidateNtfy({}, &found).has_value());
  EXPECT_EQ(found.size(), 1U);
}

}  // namespace
}  // namespace zhitui::app
