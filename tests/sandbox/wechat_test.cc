#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "sandbox/harness.h"
#include "sandbox/wechat_crypto.h"
#include "sandbox/wechat_push.h"

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

// The vector of the platform's own library (providers.md 1.6).
TEST(WechatCrypto, EncryptsAndSignsThePublishedMessage) {
  const std::string encrypted = WechatEncrypt("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "wxb11529c136998cb6",
                                              "aaaabbbbccccdddd", "我是中文abcd123");
  EXPECT_EQ(encrypted, "jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg==");
  EXPECT_EQ(WechatMessageSignature("pamtest", "1409304348", "xxxxxx", encrypted),
            "82c962d39941aa48552f90ef55aa323dc620cc10");
}

TEST(WechatPush, WritesTheDocumentedForms) {
  const WechatPush xml(false, "oUser", 1'000'000);
  EXPECT_EQ(xml.Popup({"T1", "T2"}, "accept"),
            "<xml><ToUserName><![CDATA[gh_sandbox000001]]></ToUserName><FromUserName><![CDATA[oUser]]></FromUserName>"
            "<CreateTime>1000</CreateTime><MsgType><![CDATA[event]]></MsgType>"
            "<Event><![CDATA[subscribe_msg_popup_event]]></Event><SubscribeMsgPopupEvent>"
            "<List><TemplateId><![CDATA[T1]]></TemplateId><SubscribeStatusString><![CDATA[accept]]>"
            "</SubscribeStatusString><PopupScene><![CDATA[1]]></PopupScene></List>"
            "<List><TemplateId><![CDATA[T2]]></TemplateId><SubscribeStatusString><![CDATA[accept]]>"
            "</SubscribeStatusString><PopupScene><![CDATA[1]]></PopupScene></List></SubscribeMsgPopupEvent></xml>");
  const WechatPush as_json(true, "oUser", 1'000'000);
  EXPECT_TRUE(json::parse(as_json.Change({"T1"}))["List"].is_object()) << "one is no list";
  EXPECT_TRUE(json::parse(as_json.Change({"T1", "T2"}))["List"].is_array());
}

// Calls of a subscription API with the account's token.
struct Caller {
  Bench& bench;
  std::string prefix;
  std::string appid;
  std::string secret;
  std::string token() const {
    const json body = {{"grant_type", "client_credential"}, {"appid", appid}, {"secret", secret}};
    return json::parse(bench.client().Post(prefix + "/cgi-bin/stable_token", body.dump(), "application/json")->body)
        .value("access_token", "");
  }
  json Send(const std::string& path, const json& body) const {
    return json::parse(
        bench.client().Post(prefix + path + "?access_token=" + token(), body.dump(), "application/json")->body);
  }
  void Grant(const char* openid, int count = 1) const {
    const json body = {{"openid", openid}, {"template_id", "tmpl-1"}, {"count", count}};
    EXPECT_EQ(bench.client().Post(prefix + "/sandbox/grant", body.dump(), "application/json")->status, 200);
  }
};
constexpr char kBizSend[] = "/cgi-bin/message/subscribe/bizsend";
constexpr char kMiniSend[] = "/cgi-bin/message/subscribe/send";

Caller Service(Bench& bench) { return {bench, "/wechat", bench.options().wechat_appid, bench.options().wechat_secret}; }
Caller MiniProgram(Bench& bench) {
  return {bench, "/wechat_mini", bench.options().wechat.mini_appid, bench.options().wechat.mini_secret};
}

json SubscriptionBody(const char* openid) {
  json body = Bench::WechatBody(openid, "");
  body.erase("client_msg_id");
  return body;
}

TEST(WechatSubscription, EachGrantIsOneMessage) {
  Bench bench;
  const Caller caller = Service(bench);
  EXPECT_EQ(Code(caller.Send(kBizSend, SubscriptionBody("oResident0001"))), 43101);
  caller.Grant("oResident0001", 2);
  EXPECT_EQ(Code(caller.Send(kBizSend, SubscriptionBody("oResident0001"))), 0);
  EXPECT_EQ(Code(caller.Send(kBizSend, SubscriptionBody("oResident0002"))), 43101);
  EXPECT_EQ(Code(caller.Send(kBizSend, SubscriptionBody("oResident0001"))), 0) << "no key: each call is a message";
  EXPECT_EQ(Code(caller.Send(kBizSend, SubscriptionBody("oResident0001"))), 43101);
  EXPECT_EQ(bench.Lines().size(), 2U);
  caller.Grant("oResident0001");
  const json refuse = {{"openid", "oResident0001"}, {"event", "change"}, {"template_id", "tmpl-1"}};
  bench.client().Post("/wechat/sandbox/event", refuse.dump(), "application/json");
  EXPECT_EQ(Code(caller.Send(kBizSend, SubscriptionBody("oResident0001"))), 43101) << "the refusal takes it away";
}

TEST(WechatSubscription, RefusesWithTheDocumentedCodes) {
  Options options;
  options.wechat.one_off = false;
  options.wechat_templates = {"tmpl-1"};
  Bench bench(options);
  const auto with = [](const char* key, const json& value) {
    json body = SubscriptionBody("oResident0001");
    body[key] = value;
    return body;
  };
  const Caller service = Service(bench);
  EXPECT_EQ(Code(service.Send(kBizSend, with("page", "https://example.gov.cn"))), 0);
  EXPECT_EQ(Code(service.Send(kBizSend, with("page", "pages/index"))), 41030);
  EXPECT_EQ(Code(service.Send(kBizSend, with("template_id", "other"))), 40037);
  EXPECT_EQ(Code(service.Send(kBizSend, with("touser", "resident"))), 40003);
  EXPECT_EQ(Code(service.Send(kBizSend, with("data", {{"thing1", {{"value", "a\nb"}}}}))), 47003);
  const Caller mini = MiniProgram(bench);
  EXPECT_EQ(Code(mini.Send(kMiniSend, with("page", "pages/index?a=b"))), 0);
  EXPECT_EQ(Code(mini.Send(kMiniSend, with("page", "https://example.gov.cn"))), 41030);
  EXPECT_EQ(Code(mini.Send(kMiniSend, with("miniprogram_state", "beta"))), 47003);
  EXPECT_EQ(Code(mini.Send(kMiniSend, with("lang", "fr"))), 47003);
  EXPECT_EQ(Code(mini.Send("/cgi-bin/message/template/send", SubscriptionBody("oResident0001"))), 45109);
  EXPECT_EQ(bench.server().GetStats().at("wechat_mini").accepted, 1U);
}

TEST(WechatSubscription, TokensOfOneAccountAreUnknownToTheOther) {
  Bench bench;
  const std::string token = Service(bench).token();
  EXPECT_NE(token, MiniProgram(bench).token());
  const auto answer = bench.client().Post(std::string("/wechat_mini") + kMiniSend + "?access_token=" + token,
                                          SubscriptionBody("oResident0001").dump(), "application/json");
  EXPECT_EQ(Code(json::parse(answer->body)), 40001);
}

// ---- WeCom

class Corp {
 public:
  explicit Corp(Bench& bench) : bench_(bench) {}
  json Token(const std::string& corp, const std::string& secret) {
    return json::parse(bench_.client().Get("/wecom/cgi-bin/gettoken?corpid=" + corp + "&corpsecret=" + secret)->body);
  }
  json Send(const json& body) {
    if (token_.empty()) {
      token_ = Token(bench_.options().wecom.corp_id, bench_.options().wecom.secret).value("access_token", "");
    }
    return json::parse(bench_.client()
                           .Post("/wecom/cgi-bin/message/send?access_token=" + token_, body.dump(), "application/json")
                           ->body);
  }
  static json Body(const std::string& user, const std::string& text) {
    return {{"touser", user},
            {"msgtype", "text"},
            {"agentid", 1000002},
            {"text", {{"content", text}}},
            {"safe", 0},
            {"enable_duplicate_check", 1},
            {"duplicate_check_interval", 1800}};
  }

 private:
  Bench& bench_;
  std::string token_;
};

TEST(WecomToken, StaysTheSameAndNeedsTheSecret) {
  Bench bench;
  Corp corp(bench);
  const json first = corp.Token("wwsandbox00000001", "sandbox-wecom-secret");
  EXPECT_EQ(Code(first), 0);
  EXPECT_EQ(first["expires_in"], 7200);
  EXPECT_EQ(corp.Token("wwsandbox00000001", "sandbox-wecom-secret")["access_token"], first["access_token"]);
  EXPECT_EQ(Code(corp.Token("wwsandbox00000001", "wrong")), 40001);
  EXPECT_EQ(Code(corp.Token("ww0", "sandbox-wecom-secret")), 40013);
  EXPECT_EQ(Code(corp.Token("", "x")), 41002);
}

TEST(WecomSend, ARepeatWithinTheIntervalIsNoSecondMessage) {
  Bench bench;
  Corp corp(bench);
  const json first = corp.Send(Corp::Body("ZhangSan", "您可以领取高龄津贴"));
  EXPECT_EQ(Code(first), 0);
  bench.Advance(1'799'999);
  EXPECT_EQ(corp.Send(Corp::Body("zhangsan", "您可以领取高龄津贴"))["msgid"], first["msgid"]) << "userids have no case";
  EXPECT_NE(corp.Send(Corp::Body("lisi", "您可以领取高龄津贴"))["msgid"], first["msgid"]);
  EXPECT_NE(corp.Send(Corp::Body("zhangsan", "另一条"))["msgid"], first["msgid"]);
  bench.Advance(1);
  EXPECT_NE(corp.Send(Corp::Body("zhangsan", "您可以领取高龄津贴"))["msgid"], first["msgid"]);
  json unchecked = Corp::Body("zhangsan", "您可以领取高龄津贴");
  unchecked.erase("enable_duplicate_check");
  corp.Send(unchecked);
  EXPECT_EQ(bench.Lines().size(), 5U);
  EXPECT_EQ(bench.server().GetStats().at("wecom").suppressed, 1U);
}

TEST(WecomSend, RefusesWithTheDocumentedCodes) {
  Bench bench;
  Corp corp(bench);
  const auto with = [](const char* key, const json& value) {
    json body = Corp::Body("zhangsan", "a");
    body[key] = value;
    return body;
  };
  EXPECT_EQ(Code(corp.Send(with("agentid", 1))), 40056);
  EXPECT_EQ(Code(corp.Send(with("touser", ""))), 40031);
  EXPECT_EQ(Code(corp.Send(with("touser", "@all"))), 40031);
  EXPECT_EQ(Code(corp.Send(with("touser", "a|b"))), 40031);
  EXPECT_EQ(Code(corp.Send(with("msgtype", "markdown"))), 40008);
  EXPECT_EQ(Code(corp.Send(with("text", {{"content", ""}}))), 44004);
  EXPECT_EQ(Code(corp.Send(with("text", {{"content", std::string(2049, 'a')}}))), 45002);
  EXPECT_EQ(Code(corp.Send(with("text", {{"content", std::string(2048, 'a')}}))), 0);
  EXPECT_EQ(Code(corp.Send(with("safe", 2))), 40058);
  EXPECT_EQ(Code(corp.Send(with("duplicate_check_interval", 14401))), 40058);
  const json refused = corp.Send(Corp::Body("magic02AB", "a"));
  EXPECT_EQ(Code(refused), 81013);
  EXPECT_EQ(refused["invaliduser"], "magic02ab");
  EXPECT_EQ(
      Code(json::parse(bench.client().Post("/wecom/cgi-bin/message/send?access_token=no", "{}", "text/json")->body)),
      40014);
  EXPECT_EQ(bench.Lines().size(), 1U);
}

}  // namespace
}  // namespace sandbox
