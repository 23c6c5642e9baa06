#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "wechat/wechat.h"
#include "wechat/wechat_callback.h"
#include "wechat/wechat_codes.h"
#include "wechat/wechat_fields.h"
#include "wechat/wechat_wire.h"
#include "wechat/wechat_xml.h"

namespace zhitui::wechat {
namespace {

using delivery::ReceiptState;
using delivery::Verdict;
using nlohmann::json;

constexpr char kToken[] = "futiantoken";
constexpr char kTimestamp[] = "1768442400";
constexpr char kNonce[] = "n0nce";
constexpr char kSignature[] = "bd601c61a1c8a2ebb40c81f6d5ec0a7232e03e47";

TemplateMessageOptions Options() {
  TemplateMessageOptions options;
  options.base_url = "http://127.0.0.1:1";
  options.app_id = "wx1";
  options.secret = "s";
  options.callback_token = kToken;
  options.templates = {{"benefit", "ngqIp"}};
  return options;
}

delivery::SendRequest Request() {
  delivery::SendRequest request;
  request.attempt_id = "n1-1";
  request.contact = "oABCDEF";
  request.key.key = "n1-1";
  request.content.channel = Channel::kWechat;
  request.content.provider_template = "benefit";
  request.content.fields = {{"thing1", "高龄津贴"}, {"time2", "2026年1月15日 10:00"}};
  return request;
}

std::multimap<std::string, std::string> Signed() {
  return {{"signature", kSignature}, {"timestamp", kTimestamp}, {"nonce", kNonce}};
}

std::string ReceiptXml(const std::string& msgid, const std::string& status) {
  return "<xml><ToUserName><![CDATA[gh_7f083739789a]]></"
         "ToUserName><FromUserName><![CDATA[oia2TjuEGTNoeX76QEjQNrcURxG8]]>"
         "</FromUserName><CreateTime>1395658920</CreateTime>\n<MsgType><![CDATA[event]]></MsgType>"
         "<Event><![CDATA[TEMPLATESENDJOBFINISH]]></Event><MsgID>" +
         msgid + "</MsgID><Status><![CDATA[" + status + "]]></Status></xml>";
}

TEST(WechatSignature, IsThePublishedOne) { EXPECT_EQ(CallbackSignature(kToken, kTimestamp, kNonce), kSignature); }

TEST(WechatCallback, TheAddressCheckEchoes) {
  auto query = Signed();
  query.emplace("echostr", "5837465");
  const delivery::CallbackReply reply = AnswerCallback(kToken, {"GET", query, {}, ""});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "5837465");
  EXPECT_EQ(AnswerCallback(kToken, {"GET", Signed(), {}, ""}).status, 400);
}

TEST(WechatCallback, AForgedOrIncompleteSignatureIsRefused) {
  const std::string body = ReceiptXml("1", "success");
  const auto status = [&](std::multimap<std::string, std::string> query, std::string_view token = kToken) {
    const delivery::CallbackReply reply = AnswerCallback(token, {"POST", std::move(query), {}, body});
    EXPECT_EQ(reply.status == 200, !reply.receipts.empty());
    return reply.status;
  };
  EXPECT_EQ(status(Signed()), 200);
  EXPECT_EQ(status(Signed(), "othertoken"), 401);
  EXPECT_EQ(status(Signed(), ""), 401) << "no token, no trust";
  auto query = Signed();
  query.find("signature")->second.back() = '8';
  EXPECT_EQ(status(query), 401);
  query = Signed();
  query.find("timestamp")->second = "1768442401";
  EXPECT_EQ(status(query), 401);
  for (const char* name : {"signature", "timestamp", "nonce"}) {
    query = Signed();
    query.erase(name);
    EXPECT_EQ(status(query), 401) << name;
    query = Signed();
    query.emplace(name, query.find(name)->second);
    EXPECT_EQ(status(query), 401) << name << " twice";
  }
  EXPECT_EQ(AnswerCallback(kToken, {"PUT", Signed(), {}, body}).status, 405);
}

TEST(WechatCallback, AReceiptIsKnownByIts64BitMessageId) {
  const delivery::CallbackReply reply =
      AnswerCallback(kToken, {"POST", Signed(), {}, ReceiptXml("3487542469355618313", "success")});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "success");
  ASSERT_EQ(reply.receipts.size(), 1U);
  EXPECT_EQ(reply.receipts[0].provider_id, "3487542469355618313");
  EXPECT_EQ(reply.receipts[0].attempt_id, "");
  EXPECT_EQ(reply.receipts[0].state, ReceiptState::kDelivered);
  EXPECT_EQ(FormatUtc(reply.receipts[0].at), "2014-03-24T11:02:00Z");
}

TEST(WechatCallback, EveryFailureIsUndeliveredWithItsReason) {
  const std::map<std::string, std::string> reasons = {{"failed:user block", "user block"},
                                                      {"failed: system failed", "system failed"},
                                                      {"failed:freq limit", "freq limit"},
                                                      {"failed", "failed"}};
  for (const auto& [status, code] : reasons) {
    const auto reply = AnswerCallback(kToken, {"POST", Signed(), {}, ReceiptXml("7", status)});
    ASSERT_EQ(reply.receipts.size(), 1U) << status;
    EXPECT_EQ(reply.receipts[0].state, ReceiptState::kUndelivered);
    EXPECT_EQ(reply.receipts[0].code, code);
  }
  EXPECT_EQ(AnswerCallback(kToken, {"POST", Signed(), {}, ReceiptXml("7", "maybe")}).status, 400);
  EXPECT_EQ(AnswerCallback(kToken, {"POST", Signed(), {}, ReceiptXml("-7", "success")}).status, 400);
}

TEST(WechatCallback, OtherEventsAreHeardAndLeaveNothing) {
  const auto reply = AnswerCallback(
      kToken, {"POST", Signed(), {}, "<xml><MsgType><![CDATA[event]]></MsgType><Event>subscribe</Event></xml>"});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "success");
  EXPECT_TRUE(reply.receipts.empty());
  EXPECT_EQ(AnswerCallback(kToken, {"POST", Signed(), {}, "<xml><Encrypt>x</Encrypt></xml>"}).status, 400);
}

TEST(WechatXml, RefusesWhatCallBacksNeverHold) {
  EXPECT_TRUE(ParseFlatXml("<xml></xml>").has_value());
  EXPECT_TRUE(ParseFlatXml(" <xml>\n<A/><B>1</B>\n</xml>\n").has_value());
  for (const char* xml :
       {"", "<a></a>", "<xml>", "<xml><A>1</xml>", "<xml><A>1</B></xml>", "<xml><A>1</A><A>2</A></xml>",
        "<!DOCTYPE xml [<!ENTITY e \"x\">]><xml><A>&e;</A></xml>", "<xml><!DOCTYPE a></xml>", "<xml><A>&e;</A></xml>",
        "<xml><A>&#65;</A></xml>", "<xml><A b=\"1\">1</A></xml>", "<xml><!-- c --></xml>",
        "<?xml version=\"1.0\"?><xml></xml>", "<xml></xml><xml></xml>", "<xml><A><![CDATA[x</A></xml>",
        "<xml>text</xml>", "<xml><1>a</1></xml>"}) {
    EXPECT_FALSE(ParseFlatXml(xml).has_value()) << xml;
  }
  std::string deep = "<xml>";
  for (int i = 0; i < 100; ++i) deep += "<a>";
  EXPECT_FALSE(ParseFlatXml(deep).has_value());
  std::string wide = "<xml>";
  for (int i = 0; i < 65; ++i) wide += "<a" + std::to_string(i) + "/>";
  EXPECT_FALSE(ParseFlatXml(wide + "</xml>").has_value());
}

TEST(WechatXml, TextCdataAndTheFiveEntitiesAreRead) {
  const auto fields = ParseFlatXml("<xml><A>a&lt;&amp;&gt;<![CDATA[<b>&lt;]]>c</A><L><I>1</I></L></xml>");
  ASSERT_TRUE(fields.has_value());
  EXPECT_EQ(fields->at("A"), "a<&><b>&lt;c");
  EXPECT_EQ(fields->at("L"), "");
}

TEST(WechatCallback, BodiesAreBounded) {
  EXPECT_EQ(AnswerCallback(kToken, {"POST", Signed(), {}, std::string(65537, ' ')}).status, 413);
}

TEST(WechatCodes, EveryDocumentedCodeHasItsVerdict) {
  const std::map<Verdict, std::vector<std::int64_t>> table = {
      {Verdict::kAccepted, {0}},
      {Verdict::kRetryLater, {-1, -2}},
      {Verdict::kThrottled, {45011, 45047, 43108, 45999}},
      {Verdict::kDropContact, {40003, 43004, 43019, 43101, 48002, 48008, 50001, 50002, 50005, 43999, 50999}},
      {Verdict::kStopChannel,
       {40001, 40014, 42001, 40013, 40125, 41002, 41004, 41001, 40164, 43107, 45009, 45109, 48001, 48004, 42999,
        61024}},
      {Verdict::kFixMessage, {40037, 40033, 47001, 40249, 41030, 45168, 47003, 40999, 47999, 85000}}};
  for (const auto& [verdict, codes] : table) {
    for (const std::int64_t code : codes) EXPECT_EQ(WechatVerdict(code), verdict) << code;
  }
  for (const std::int64_t code : {40001, 40014, 42001}) EXPECT_TRUE(IsTokenError(code));
  for (const std::int64_t code : {0, -1, 40003, 40125, 41001}) EXPECT_FALSE(IsTokenError(code));
}

TEST(WechatFields, EachTypeHasItsRule) {
  const std::string twenty = "一二三四五六七八九十一二三四五六七八九十";
  const std::vector<std::pair<std::string, std::string>> good = {{"thing1", twenty},
                                                                 {"thing12", "A b，1"},
                                                                 {"character_string1", std::string(32, '9')},
                                                                 {"number3", "12.50"},
                                                                 {"letter1", "abc"},
                                                                 {"symbol1", "!?#"},
                                                                 {"time2", "15:01"},
                                                                 {"time2", "2019年10月1日 15:01"},
                                                                 {"time2", "2019年10月1日 15:01~2019年10月2日 16:00"},
                                                                 {"date1", "2019年10月1日"},
                                                                 {"date1", "2018-01-01"},
                                                                 {"date1", "2018/01/01"},
                                                                 {"date1", "2018.01.01~2018.01.02"},
                                                                 {"date1", "2024年2月29日"},
                                                                 {"amount1", "¥300.00"},
                                                                 {"amount1", "300元"},
                                                                 {"phone_number1", "0755-82918333"},
                                                                 {"car_number1", "粤B12345"},
                                                                 {"name1", "张三"},
                                                                 {"name1", "Zhang San"},
                                                                 {"phrase1", "已通过"},
                                                                 {"enum1", "甲"},
                                                                 {"const1", "甲"}};
  for (const auto& [key, value] : good) EXPECT_EQ(FieldFault(key, value), "") << key << " " << value;
  const std::vector<std::pair<std::string, std::string>> bad = {{"thing1", twenty + "一"},
                                                                {"thing1", ""},
                                                                {"thing1", "a\nb"},
                                                                {"thing1", "a\tb"},
                                                                {"thing1", "\xff"},
                                                                {"thing", "a"},
                                                                {"first", "a"},
                                                                {"foo1", "a"},
                                                                {"1", "a"},
                                                                {"", "a"},
                                                                {"character_string1", "汉"},
                                                                {"character_string1", std::string(33, '9')},
                                                                {"number3", "1a"},
                                                                {"letter1", "a1"},
                                                                {"symbol1", "!!!!!!"},
                                                                {"symbol1", "a"},
                                                                {"time2", "25:00"},
                                                                {"time2", "tomorrow"},
                                                                {"time2", "15:01 2019年10月1日"},
                                                                {"date1", "2019年13月1日"},
                                                                {"date1", "2023年2月29日"},
                                                                {"date1", "15:01"},
                                                                {"date1", "2018-01/01"},
                                                                {"amount1", "12345678901"},
                                                                {"amount1", "三百元"},
                                                                {"phone_number1", std::string(18, '1')},
                                                                {"phone_number1", "电话"},
                                                                {"car_number1", "粤B12345678"},
                                                                {"name1", "一二三四五六七八九十一"},
                                                                {"name1", "张3"},
                                                                {"phrase1", "一二三四五六"},
                                                                {"phrase1", "ok"}};
  for (const auto& [key, value] : bad) EXPECT_NE(FieldFault(key, value), "") << key << " " << value;
}

TEST(WechatWire, TheBodyIsRawUtf8InTheDocumentedShape) {
  delivery::SendRequest request = Request();
  request.content.url = "https://example.gov.cn/a";
  const auto body = TemplateBody(Options(), "ngqIp", request);
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ(*body,
            R"({"touser":"oABCDEF","template_id":"ngqIp","client_msg_id":"n1-1","url":"https://example.gov.cn/a",)"
            R"("data":{"thing1":{"value":"高龄津贴"},"time2":{"value":"2026年1月15日 10:00"}}})");
  TemplateMessageOptions mini = Options();
  mini.miniprogram_app_id = "wx9";
  request.content.url = "pages/index?a=b";
  const json page = json::parse(*TemplateBody(mini, "ngqIp", request));
  EXPECT_EQ(page["miniprogram"], json::parse(R"({"appid":"wx9","pagepath":"pages/index?a=b"})"));
  EXPECT_FALSE(page.contains("url"));
  request.content.fields[0].second = "\xff";
  EXPECT_FALSE(TemplateBody(mini, "ngqIp", request).has_value());
  EXPECT_EQ(json::parse(StableTokenBody(Options())),
            json::parse(R"({"grant_type":"client_credential","appid":"wx1","secret":"s","force_refresh":false})"));
}

TEST(WechatWire, AnswersKeepTheRidAndTheFieldButNotTheText) {
  const ApiAnswer refused = ParseApiAnswer(
      R"({"errcode":47003,"errmsg":"argument invalid! data.thing3.value 张三 invalid rid: 5f2b4c-12ab34cd-56ef"})");
  EXPECT_EQ(refused.errcode, 47003);
  EXPECT_EQ(refused.rid, "rid 5f2b4c-12ab34cd-56ef, field thing3");
  const ApiAnswer sent = ParseApiAnswer(R"({"errcode":0,"errmsg":"ok","msgid":3487542469355618313})");
  EXPECT_EQ(sent.errcode, 0);
  EXPECT_EQ(sent.msgid, "3487542469355618313");
  const ApiAnswer token = ParseApiAnswer(R"({"access_token":"T","expires_in":7200})");
  EXPECT_EQ(token.token, "T");
  EXPECT_EQ(token.expires_in, std::chrono::seconds(7200));
  for (const char* body : {"", "{}", "[]", R"({"errcode":"0"})", R"({"access_token":"","expires_in":1})",
                           R"({"access_token":"T"})", R"({"access_token":"T","expires_in":-1})", "<html>"}) {
    EXPECT_FALSE(ParseApiAnswer(body).errcode.has_value()) << body;
  }
}

TEST(Wechat, MessagesThatWechatWouldRefuseAreRefusedBefore) {
  const auto connector = NewTemplateMessage(Options(), nullptr);
  const message::Content good = Request().content;
  EXPECT_TRUE(connector->Check(good).has_value());
  message::Content content = good;
  content.fields[0].second = "a\nb";
  const Status checked = connector->Check(content);
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().message.find("a\nb"), std::string::npos) << "no values in errors";
  content = good;
  content.provider_template = "other";
  EXPECT_FALSE(connector->Check(content).has_value());
  content = good;
  content.fields.clear();
  EXPECT_FALSE(connector->Check(content).has_value());
  content = good;
  content.url = "pages/index";
  EXPECT_FALSE(connector->Check(content).has_value()) << "no mini-program is configured";
  content = good;
  content.channel = Channel::kApp;
  EXPECT_FALSE(connector->Check(content).has_value());
}

TEST(Wechat, TheKeyIsTheAttemptForTenMinutes) {
  const auto connector = NewTemplateMessage(Options(), nullptr);
  const Instant before = SystemClock().Now();
  const auto key = connector->NewKey("n1-1");
  const Instant after = SystemClock().Now();
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->key, "n1-1");
  EXPECT_GE(key->expires, before + std::chrono::minutes(10));
  EXPECT_LE(key->expires, after + std::chrono::minutes(10));
  EXPECT_EQ(connector->unknown_policy(), delivery::UnknownPolicy::kResend);
  EXPECT_TRUE(connector->sends_receipts());
}

TEST(WechatSettings, AllMistakesComeAtOnce) {
  delivery::Settings settings;
  settings.SetPlace({"zhitui.yaml", 1, 1});
  settings.Set("base_url", "https://", {"zhitui.yaml", 2, 1});
  settings.Set("appid", "wx1", {"zhitui.yaml", 3, 1});
  settings.Set("templates.a", "", {"zhitui.yaml", 4, 1});
  settings.Set("connect_timeout_ms", "0", {"zhitui.yaml", 5, 1});
  Diagnostics found;
  EXPECT_FALSE(ValidateTemplateMessage(settings, &found).has_value());
  std::multiset<std::uint32_t> lines;
  for (const Diagnostic& d : found) lines.insert(d.at.line);
  EXPECT_EQ(lines, (std::multiset<std::uint32_t>{1, 1, 1, 2, 3, 4, 5}));
}

}  // namespace
}  // namespace zhitui::wechat
