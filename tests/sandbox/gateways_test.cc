#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sandbox/ec.h"
#include "sandbox/harness.h"
#include "sandbox/webpush.h"

namespace sandbox {
namespace {

using nlohmann::json;

std::string Bytes(std::string_view text) { return Base64UrlBytes(text).value(); }

// RFC 8291 section 5 and appendix A: the shared secret, the browser's keys, the body.
constexpr const char* kShared = "kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs";
constexpr const char* kPoint =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
constexpr const char* kAuth = "BTBZMqHH6r4Tts7J_aSIgg";
constexpr const char* kBody =
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_"
    "c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
    "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
// RFC 8292 section 2.4.
constexpr const char* kVapid =
    "vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9."
    "eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0."
    "i3C"
    "Yb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA, "
    "k=BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs";

TEST(WebpushSim, OpensTheExampleOfRfc8291) {
  const std::string body = Bytes(kBody);
  EXPECT_EQ(OpenPush(body, Bytes(kShared), Bytes(kPoint), Bytes(kAuth)), "When I grow up, I want to be a watermelon");
  for (const size_t at : {size_t{0}, size_t{30}, body.size() - 1}) {
    std::string changed = body;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(OpenPush(changed, Bytes(kShared), Bytes(kPoint), Bytes(kAuth)).has_value()) << at;
  }
  EXPECT_FALSE(OpenPush(body.substr(0, 86), Bytes(kShared), Bytes(kPoint), Bytes(kAuth)).has_value());
}

TEST(WebpushSim, VerifiesTheExampleOfRfc8292) {
  constexpr int64_t kHourBefore = (1453523768LL - 3600) * 1000;
  const std::string origin = "https://push.example.net";
  std::string k;
  EXPECT_EQ(CheckVapid(kVapid, origin, kHourBefore, &k), "");
  EXPECT_EQ(k, "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs");
  EXPECT_NE(CheckVapid(kVapid, "https://other.example", kHourBefore, &k), "");
  EXPECT_NE(CheckVapid(kVapid, origin, 1453523768LL * 1000, &k), "") << "expired";
  EXPECT_NE(CheckVapid(kVapid, origin, kHourBefore - 86'400'000, &k), "") << "more than a day away";
  std::string forged = kVapid;
  forged[forged.find(".i3C") + 5] = 'X';
  EXPECT_NE(CheckVapid(forged, origin, kHourBefore, &k), "");
  EXPECT_NE(CheckVapid("Bearer x", origin, kHourBefore, &k), "");
}

TEST(WebpushSim, RefusesWhatIsNotAPushMessage) {
  Bench bench;
  auto& client = bench.client();
  const auto given = client.Get("/webpush/subscription?id=city1");
  ASSERT_EQ(given->status, 200);
  const json subscription = json::parse(given->body);
  EXPECT_EQ(Bytes(subscription["keys"]["p256dh"].get<std::string>()).size(), 65U);
  EXPECT_EQ(Bytes(subscription["keys"]["auth"].get<std::string>()).size(), 16U);
  EXPECT_TRUE(subscription["endpoint"].get<std::string>().ends_with("/webpush/send/city1"));
  const httplib::Headers ttl = {{"TTL", "60"}};
  EXPECT_EQ(client.Post("/webpush/send/nobody", ttl, "x", "application/octet-stream")->status, 404);
  EXPECT_EQ(client.Post("/webpush/send/city1", "x", "application/octet-stream")->status, 400) << "no TTL";
  EXPECT_EQ(client.Post("/webpush/send/city1", ttl, "x", "application/octet-stream")->status, 401) << "no VAPID";
  const httplib::Headers wrong = {{"TTL", "60"}, {"Authorization", kVapid}};
  EXPECT_EQ(client.Post("/webpush/send/city1", wrong, "x", "application/octet-stream")->status, 403);
  const httplib::Headers topic = {{"TTL", "60"}, {"Topic", std::string(33, 'a')}};
  EXPECT_EQ(client.Post("/webpush/send/city1", topic, "x", "application/octet-stream")->status, 400);
  EXPECT_EQ(bench.server().GetStats().at("webpush").accepted, 0U);
}

TEST(GorushSim, AnswersAsGorushDoes) {
  Bench bench;
  const auto post = [&](const json& body) {
    const auto answer = bench.client().Post("/gorush/api/push", body.dump(), "application/json");
    return std::pair(answer->status, json::parse(answer->body));
  };
  EXPECT_EQ(post({{"x", 1}}).second["message"], "Missing notifications field.");
  EXPECT_EQ(post({{"notifications", json::array()}}).second["message"], "Notifications field is empty.");
  json many = json::array();
  for (int i = 0; i < 101; ++i) many.push_back({{"tokens", {"T"}}, {"platform", 2}});
  EXPECT_EQ(post({{"notifications", many}}).first, 400);
  const json one = {{"notif_id", "n1-1"}, {"tokens", {"T"}}, {"platform", 2}, {"title", "t"}, {"message", "m"}};
  const auto [status, answer] = post({{"notifications", {one}}});
  EXPECT_EQ(status, 200);
  EXPECT_EQ(answer, json::parse(R"({"success":"ok","counts":1,"logs":[]})"));
  EXPECT_EQ(bench.Lines().size(), 1U);
  EXPECT_EQ(bench.Lines()[0]["attempt_id"], "n1-1");
}

TEST(NtfySim, AnswersAsNtfyDoes) {
  Bench bench;
  const auto post = [&](const std::string& body, const std::string& token) {
    const auto answer = bench.client().Post("/ntfy/", {{"Authorization", "Bearer " + token}}, body, "application/json");
    return json::parse(answer->body);
  };
  EXPECT_EQ(post("{", "tk_sandbox")["code"], 40017);
  EXPECT_EQ(post(R"({"topic":"a/b"})", "tk_sandbox")["code"], 40009);
  EXPECT_EQ(post(R"({"topic":"a","priority":9})", "tk_sandbox")["code"], 40007);
  EXPECT_EQ(post(R"({"topic":"a","message":"m"})", "tk_other")["code"], 40101);
  const json taken = post(R"({"topic":"a","message":"m"})", "tk_sandbox");
  EXPECT_EQ(taken["event"], "message");
  EXPECT_EQ(taken["topic"], "a");
  EXPECT_FALSE(taken["id"].get<std::string>().empty());
}

}  // namespace
}  // namespace sandbox
