#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "sandbox/harness.h"

namespace sandbox {
namespace {

using nlohmann::json;

int Code(const json& answer) { return answer.value("errcode", 0); }

TEST(WechatToken, StaysTheSameUntilItsLastFiveMinutesAndThenBothWork) {
  Bench bench;
  const json first = bench.Token();
  EXPECT_EQ(first["expires_in"], 7200);
  bench.Advance(6'900'000);
  const json same = bench.Token();
  EXPECT_EQ(same["access_token"], first["access_token"]);
  EXPECT_EQ(same["expires_in"], 300);
  bench.Advance(1000);
  const json second = bench.Token();
  EXPECT_NE(second["access_token"], first["access_token"]);
  const auto send = [&](const json& token, const std::string& id) {
    const auto result = bench.client().Post("/cgi-bin/message/template/send?access_token=" + token.get<std::string>(),
                                            Bench::WechatBody("oResident0001", id).dump(), "application/json");
    return Code(json::parse(result->body));
  };
  EXPECT_EQ(send(first["access_token"], "a"), 0);
  EXPECT_EQ(send(second["access_token"], "b"), 0);
  bench.Advance(299'000);
  EXPECT_EQ(send(first["access_token"], "c"), 42001);
  EXPECT_EQ(send(second["access_token"], "d"), 0);
}

TEST(WechatToken, ForceRefreshKillsTheOldOneAndIsRationed) {
  Bench bench;
  const std::string old = bench.Token()["access_token"];
  EXPECT_NE(bench.Token(true)["access_token"], old);
  const auto result = bench.client().Post("/cgi-bin/message/template/send?access_token=" + old, "{}", "text/json");
  EXPECT_EQ(Code(json::parse(result->body)), 40001);
  EXPECT_EQ(Code(bench.Token(true)), 45011);
  for (int i = 0; i < 19; ++i) {
    bench.Advance(30'000);
    EXPECT_EQ(Code(bench.Token(true)), 0) << i;
  }
  bench.Advance(30'000);
  EXPECT_EQ(Code(bench.Token(true)), 45009);
}

TEST(WechatToken, ClassicAndStableDoNotInvalidateEachOther) {
  Bench bench;
  const std::string stable = bench.Token()["access_token"];
  const std::string path = "/cgi-bin/token?grant_type=client_credential&appid=" + bench.options().wechat_appid +
                           "&secret=" + bench.options().wechat_secret;
  const auto classic = [&] { return json::parse(bench.client().Get(path)->body)["access_token"].get<std::string>(); };
  const auto send = [&](const std::string& token) {
    return Code(json::parse(bench.client()
                                .Post("/cgi-bin/message/template/send?access_token=" + token,
                                      Bench::WechatBody("oResident0001", "same").dump(), "application/json")
                                ->body));
  };
  const std::string one = classic();
  const std::string two = classic();
  EXPECT_NE(one, two);
  EXPECT_EQ(send(one), 0);
  bench.Advance(300'000);
  EXPECT_EQ(send(one), 42001);
  EXPECT_EQ(send(two), 0);
  EXPECT_EQ(send(stable), 0);
}

TEST(WechatToken, RefusesWrongCredentialsWithTheDocumentedCodes) {
  Bench bench;
  const auto ask = [&](const json& body) {
    const auto result = bench.client().Post("/cgi-bin/stable_token", body.dump(), "application/json");
    EXPECT_EQ(result->status, 200);
    const json answer = json::parse(result->body);
    EXPECT_NE(answer.value("errmsg", "").find(" rid: "), std::string::npos);
    return Code(answer);
  };
  const std::string id = bench.options().wechat_appid;
  EXPECT_EQ(ask({{"grant_type", "client_credential"}, {"appid", "wx0"}, {"secret", "s"}}), 40013);
  EXPECT_EQ(ask({{"grant_type", "client_credential"}, {"appid", id}, {"secret", "s"}}), 40125);
  EXPECT_EQ(ask({{"grant_type", "client_credential"}, {"secret", "s"}}), 41002);
  EXPECT_EQ(ask({{"grant_type", "client_credential"}, {"appid", id}}), 41004);
  EXPECT_EQ(ask({{"grant_type", "refresh"}, {"appid", id}, {"secret", "s"}}), 40002);
}

TEST(WechatSend, AcceptsAndLogsWhatTheResidentSees) {
  Bench bench;
  json body = Bench::WechatBody("oResident0001", "attempt-1");
  body["data"]["first"] = {{"value", "never shown"}};
  body["url"] = "https://example.org/apply";
  const json answer = bench.Wechat(body);
  EXPECT_EQ(answer["errcode"], 0);
  EXPECT_EQ(answer["errmsg"], "ok");
  EXPECT_GT(answer["msgid"].get<int64_t>(), int64_t{1} << 53);
  const auto lines = bench.Lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]["at"], "2026-01-15T02:00:00.000Z");
  EXPECT_EQ(lines[0]["provider"], "wechat");
  EXPECT_EQ(lines[0]["message_id"], "attempt-1");
  EXPECT_EQ(lines[0]["attempt_id"], "attempt-1");
  EXPECT_EQ(lines[0]["key"], "attempt-1");
  EXPECT_EQ(lines[0]["provider_id"], std::to_string(answer["msgid"].get<int64_t>()));
  EXPECT_EQ(lines[0]["recipient_sha256"], Sha256Hex("oResident0001").substr(0, 16));
  EXPECT_TRUE(lines[0]["duplicate_of"].is_null());
  EXPECT_EQ(lines[0]["content"]["fields"], json({{"thing1", "高龄津贴"}, {"time2", "2026年1月15日 10:00"}}));
  EXPECT_EQ(lines[0]["content"]["url"], "https://example.org/apply");
  EXPECT_EQ(lines[0].dump().find("oResident0001"), std::string::npos);
}

TEST(WechatSend, RepeatWithinTenMinutesReturnsTheFirstMsgidAndIsNoNewMessage) {
  Bench bench;
  const auto send = [&](const char* who, const char* id) {
    return bench.Wechat(Bench::WechatBody(who, id))["msgid"].get<int64_t>();
  };
  const int64_t first = send("oResident0001", "m");
  bench.Advance(599'999);
  EXPECT_EQ(send("oResident0001", "m"), first);
  EXPECT_EQ(bench.Lines().size(), 1U);
  EXPECT_NE(send("oResident0002", "m"), first);
  EXPECT_NE(send("oResident0001", "n"), first);
  EXPECT_EQ(bench.Lines().size(), 3U);
  bench.Advance(1);
  EXPECT_NE(send("oResident0001", "m"), first);
  EXPECT_EQ(bench.Lines().size(), 4U);
  const Stats stats = bench.server().GetStats();
  EXPECT_EQ(stats.at("wechat").accepted, 4U);
  EXPECT_EQ(stats.at("wechat").suppressed, 1U);
}

TEST(WechatSend, WithoutClientMsgIdEveryCallIsAMessage) {
  Bench bench;
  json body = Bench::WechatBody("oResident0001", "");
  body.erase("client_msg_id");
  EXPECT_NE(bench.Wechat(body)["msgid"], bench.Wechat(body)["msgid"]);
  EXPECT_EQ(bench.Lines().size(), 2U);
}

TEST(WechatSend, RefusesWithTheDocumentedCodes) {
  Options options;
  options.wechat_templates = {"tmpl-1"};
  Bench bench(options);
  const auto change = [](auto&& edit) {
    json body = Bench::WechatBody("oResident0001", "x");
    edit(body);
    return body;
  };
  EXPECT_EQ(Code(bench.Wechat(change([](json& b) { b["touser"] = "resident"; }))), 40003);
  EXPECT_EQ(Code(bench.Wechat(change([](json& b) { b.erase("touser"); }))), 40003);
  EXPECT_EQ(Code(bench.Wechat(change([](json& b) { b["template_id"] = "tmpl-2"; }))), 40037);
  const json field = bench.Wechat(change([](json& b) { b["data"]["thing3"]["value"] = std::string(21, 'x'); }));
  EXPECT_EQ(Code(field), 47003);
  EXPECT_EQ(field["errmsg"].get<std::string>().find("argument invalid! data.thing3.value invalid rid: "), 0U);
  EXPECT_EQ(Code(bench.Wechat(change([](json& b) { b["data"]["time2"]["value"] = "tomorrow"; }))), 47003);
  EXPECT_EQ(Code(bench.Wechat(change([](json& b) { b["data"]["thing1"] = "bare"; }))), 47003);
  EXPECT_EQ(Code(bench.Wechat(change([](json& b) { b["data"] = json::object(); }))), 47003);
  EXPECT_EQ(Code(json::parse(bench.WechatRaw("{\"touser\":")->body)), 47001);
  EXPECT_EQ(Code(json::parse(bench.WechatRaw("")->body)), 44002);
  const std::string escaped = Bench::WechatBody("oResident0001", "x").dump(-1, ' ', true);
  EXPECT_EQ(Code(json::parse(bench.WechatRaw(escaped)->body)), 40033);
  EXPECT_EQ(Code(json::parse(bench.client().Post("/cgi-bin/message/template/send", "{}", "text/json")->body)), 41001);
  EXPECT_EQ(
      Code(json::parse(bench.client().Post("/cgi-bin/message/template/send?access_token=no", "{}", "text/json")->body)),
      40001);
  EXPECT_EQ(Code(json::parse(bench.client().Get("/cgi-bin/message/template/send?access_token=no")->body)), 43002);
  EXPECT_TRUE(bench.Lines().empty());
  EXPECT_EQ(bench.server().GetStats().at("wechat").errors.at("47003"), 4U);
}

TEST(WechatMagic, EachNumberFailsAsDocumented) {
  Bench bench;
  const auto send = [&](const char* who) { return Code(bench.Wechat(Bench::WechatBody(who, "id"))); };
  const auto lines = [&] { return bench.Lines().size(); };
  EXPECT_EQ(send("oMAGIC01aa"), 45011);
  EXPECT_EQ(lines(), 0U);
  EXPECT_EQ(send("oMAGIC01aa"), 0);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(send("oMAGIC02aa"), 40003);
  EXPECT_EQ(send("oMAGIC03aa"), -1);
  EXPECT_EQ(send("oMAGIC03aa"), -1);
  EXPECT_EQ(lines(), 1U);
  EXPECT_EQ(send("oMAGIC03aa"), 0);
  EXPECT_EQ(send("oMAGIC04aa"), 0);
  EXPECT_EQ(bench.Lines().back()["fate"], "failed");
  EXPECT_EQ(lines(), 3U);

  const std::string drop_after = Bench::WechatBody("oMAGIC05aa", "id").dump();
  EXPECT_FALSE(bench.WechatRaw(drop_after));
  EXPECT_EQ(lines(), 4U);
  const std::string msgid = bench.Lines().back()["provider_id"];
  const json repeat = json::parse(bench.WechatRaw(drop_after)->body);
  EXPECT_EQ(std::to_string(repeat["msgid"].get<int64_t>()), msgid);
  EXPECT_EQ(lines(), 4U);

  const std::string drop_before = Bench::WechatBody("oMAGIC06aa", "id").dump();
  EXPECT_FALSE(bench.WechatRaw(drop_before));
  EXPECT_EQ(lines(), 4U);
  EXPECT_EQ(Code(json::parse(bench.WechatRaw(drop_before)->body)), 0);
  EXPECT_EQ(lines(), 5U);

  EXPECT_EQ(send("oMAGIC07aa"), 0);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(send("oMAGIC08aa"), 45009);
  EXPECT_EQ(send("oMAGIC09aa"), 0);
  EXPECT_EQ(bench.Lines().back()["fate"], "silent");
  EXPECT_EQ(lines(), 7U);
  EXPECT_EQ(bench.server().GetStats().at("wechat").dropped, 2U);
}

TEST(WechatMagic, CountsTriesPerMessageNotPerRecipient) {
  Bench bench;
  for (const char* id : {"a", "b"}) {
    EXPECT_EQ(Code(bench.Wechat(Bench::WechatBody("oMAGIC01aa", id))), 45011);
    EXPECT_EQ(Code(bench.Wechat(Bench::WechatBody("oMAGIC01aa", id))), 0);
  }
}

TEST(WechatMagic, CanBeSwitchedOff) {
  Options options;
  options.magic = false;
  Bench bench(options);
  EXPECT_EQ(Code(bench.Wechat(Bench::WechatBody("oMAGIC02aa", "a"))), 0);
}

TEST(WechatRestart, RemembersWhatTheLogHolds) {
  Bench bench;
  const json first = bench.Wechat(Bench::WechatBody("oResident0001", "m"));
  bench.Restart();
  EXPECT_EQ(bench.Wechat(Bench::WechatBody("oResident0001", "m"))["msgid"], first["msgid"]);
  EXPECT_NE(bench.Wechat(Bench::WechatBody("oResident0001", "n"))["msgid"], first["msgid"]);
  EXPECT_EQ(bench.Lines().size(), 2U);
}

}  // namespace
}  // namespace sandbox
