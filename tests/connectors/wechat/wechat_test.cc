#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "wechat/callback_body.h"
#include "wechat/wechat.h"
#include "wechat/wechat_aes.h"
#include "wechat/wechat_callback.h"
#include "wechat/wechat_codes.h"
#include "wechat/wechat_fields.h"
#include "wechat/wechat_wire.h"
#include "wechat/wecom_codes.h"

namespace zhitui::wechat {
namespace {

using delivery::ReceiptState;
using delivery::Signal;
using delivery::SignalKind;
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
  options.secret = delivery::Secret("s");
  options.callback.token = delivery::Secret(kToken);
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

const Instant kThen(std::chrono::seconds(1768442400));

std::string Name(const std::string& template_id) {
  return template_id == "VRR0UEO9VJOLs0MHlU0OilqX6MVFDwH3_3gz3Oc0NIc" ? "benefit" : "";
}

delivery::CallbackReply Answer(std::string_view token, const delivery::CallbackRequest& request, Instant now = kThen) {
  return AnswerCallback({std::string(token), {}, "wx1", std::chrono::seconds(300), false}, request, Name, now);
}

// What a genuine post of that body says.
delivery::CallbackReply Hear(const std::string& body) { return Answer(kToken, {"POST", Signed(), {}, body}); }

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
  const delivery::CallbackReply reply = Answer(kToken, {"GET", query, {}, ""});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "5837465");
  EXPECT_EQ(Answer(kToken, {"GET", Signed(), {}, ""}).status, 400);
}

TEST(WechatCallback, AForgedOrIncompleteSignatureIsRefused) {
  const std::string body = ReceiptXml("1", "success");
  const auto status = [&](std::multimap<std::string, std::string> query, std::string_view token = kToken) {
    const delivery::CallbackReply reply = Answer(token, {"POST", std::move(query), {}, body});
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
  EXPECT_EQ(Answer(kToken, {"PUT", Signed(), {}, body}).status, 405);
}

TEST(WechatCallback, AReceiptIsKnownByIts64BitMessageId) {
  const delivery::CallbackReply reply =
      Answer(kToken, {"POST", Signed(), {}, ReceiptXml("3487542469355618313", "success")});
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
    const auto reply = Answer(kToken, {"POST", Signed(), {}, ReceiptXml("7", status)});
    ASSERT_EQ(reply.receipts.size(), 1U) << status;
    EXPECT_EQ(reply.receipts[0].state, ReceiptState::kUndelivered);
    EXPECT_EQ(reply.receipts[0].code, code);
  }
  EXPECT_EQ(Answer(kToken, {"POST", Signed(), {}, ReceiptXml("7", "maybe")}).status, 400);
  EXPECT_EQ(Answer(kToken, {"POST", Signed(), {}, ReceiptXml("-7", "success")}).status, 400);
}

TEST(WechatCallback, OtherEventsAreHeardAndLeaveNothing) {
  const auto reply =
      Answer(kToken, {"POST", Signed(), {}, "<xml><MsgType><![CDATA[event]]></MsgType><Event>LOCATION</Event></xml>"});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "success");
  EXPECT_TRUE(reply.receipts.empty());
  EXPECT_EQ(Answer(kToken, {"POST", Signed(), {}, "<xml><Encrypt>x</Encrypt></xml>"}).status, 400);
}

TEST(WechatBody, XmlThatCallBacksNeverHoldIsRefused) {
  EXPECT_TRUE(ParseCallbackBody("<xml></xml>").has_value());
  EXPECT_TRUE(ParseCallbackBody(" <xml>\n<A/><B>1</B>\n</xml>\n").has_value());
  for (const char* xml :
       {"", "<a></a>", "<xml>", "<xml><A>1</xml>", "<xml><A>1</B></xml>", "<xml><A>1</A><A>2</A></xml>",
        "<!DOCTYPE xml [<!ENTITY e \"x\">]><xml><A>&e;</A></xml>", "<xml><!DOCTYPE a></xml>", "<xml><A>&e;</A></xml>",
        "<xml><A>&#65;</A></xml>", "<xml><A b=\"1\">1</A></xml>", "<xml><!-- c --></xml>",
        "<?xml version=\"1.0\"?><xml></xml>", "<xml></xml><xml></xml>", "<xml><A><![CDATA[x</A></xml>",
        "<xml>text</xml>", "<xml><1>a</1></xml>"}) {
    EXPECT_FALSE(ParseCallbackBody(xml).has_value()) << xml;
  }
  std::string deep = "<xml>";
  for (int i = 0; i < 100; ++i) deep += "<a>";
  EXPECT_FALSE(ParseCallbackBody(deep).has_value());
  std::string wide = "<xml>";
  for (int i = 0; i < 257; ++i) wide += "<a" + std::to_string(i) + "/>";
  EXPECT_FALSE(ParseCallbackBody(wide + "</xml>").has_value());
}

TEST(WechatBody, TextCdataAndTheFiveEntitiesAreRead) {
  const auto fields = ParseCallbackBody("<xml><A>a&lt;&amp;&gt;<![CDATA[<b>&lt;]]>c</A><L><I>1</I></L></xml>");
  ASSERT_TRUE(fields.has_value());
  EXPECT_EQ(fields->Text("A"), "a<&><b>&lt;c");
  EXPECT_EQ(fields->Text("L"), "");
}

TEST(WechatCallback, BodiesAreBounded) {
  EXPECT_EQ(Answer(kToken, {"POST", Signed(), {}, std::string(65537, ' ')}).status, 413);
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
      {Verdict::kFixMessage, {40037, 40033, 40038, 47001, 40249, 41030, 45168, 47003, 40999, 47999, 85000}}};
  for (const auto& [verdict, codes] : table) {
    for (const std::int64_t code : codes) EXPECT_EQ(WechatVerdict(code), verdict) << code;
  }
  for (const std::int64_t code : {40001, 40014, 42001}) EXPECT_TRUE(IsTokenError(code));
  for (const std::int64_t code : {0, -1, 40003, 40125, 41001}) EXPECT_FALSE(IsTokenError(code));
  for (const auto& [verdict, codes] : table) {
    for (const std::int64_t code : codes) {
      EXPECT_EQ(SubscriptionVerdict(code), code == 43101 ? Verdict::kFixMessage : verdict) << code;
    }
  }
  for (const std::int64_t code : {40003, 43004, 50005}) EXPECT_TRUE(IsGone(code));
  for (const std::int64_t code : {0, 43101, 43019, 48002}) EXPECT_FALSE(IsGone(code));
}

TEST(WecomCodes, EveryDocumentedCodeHasItsVerdict) {
  const std::map<Verdict, std::vector<std::int64_t>> table = {
      {Verdict::kAccepted, {0}},
      {Verdict::kRetryLater, {-1, -2}},
      {Verdict::kThrottled, {45009, 45033, 45999}},
      {Verdict::kDropContact, {40003, 40031, 60011, 60111, 81013, 82001}},
      {Verdict::kStopChannel,
       {40001, 40013, 40014, 40056, 40091, 41001, 41002, 41004, 41011, 42001, 48002, 50003, 60020, 301002, 99999}},
      {Verdict::kFixMessage, {40058, 44004, 45002, 47001, 40999, 41999, 44999, 46999, 47999}}};
  for (const auto& [verdict, codes] : table) {
    for (const std::int64_t code : codes) EXPECT_EQ(WecomVerdict(code), verdict) << code;
  }
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
                                                                 {"time2", "15:01~16:30"},
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
                                                                {"time2", "2019年10月1日"},
                                                                {"time2", "15:01~"},
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
  EXPECT_EQ(json::parse(StableTokenBody("wx1", "s")),
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

// ---- Encryption. The vector is that of the platform's own library (providers.md §1.6).

constexpr char kAesKey[] = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
constexpr char kAesApp[] = "wxb11529c136998cb6";
constexpr char kAesText[] = "jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg==";
constexpr char kAesSignature[] = "82c962d39941aa48552f90ef55aa323dc620cc10";

TEST(WechatAes, ThePublishedMessageIsReadAndItsSignatureIsTheOne) {
  EXPECT_EQ(DecryptMessage(kAesKey, kAesApp, kAesText), "我是中文abcd123");
  EXPECT_EQ(MessageSignature("pamtest", "1409304348", "xxxxxx", kAesText), kAesSignature);
}

TEST(WechatAes, AnythingElseIsNoMessage) {
  const std::string text = kAesText;
  EXPECT_FALSE(DecryptMessage(kAesKey, "wxb11529c136998cb7", text)) << "for somebody else";
  EXPECT_FALSE(DecryptMessage(kAesKey, "wxb11529c136998cb", text));
  EXPECT_FALSE(DecryptMessage(kAesKey, "", text));
  EXPECT_FALSE(DecryptMessage("bbcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", kAesApp, text));
  for (const char* key :
       {"", "abc", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEF",
        "abcdefghijklmnopqrstuvwxyz0123456789ABCDEF=", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH"}) {
    EXPECT_FALSE(DecryptMessage(key, kAesApp, text)) << key;
  }
  // Cut after each group of four characters: never a whole message.
  for (std::size_t n = 0; n + 4 <= text.size(); n += 4)
    EXPECT_FALSE(DecryptMessage(kAesKey, kAesApp, text.substr(0, n)));
  for (const char* bad : {"====", "jn1L 3DB", "\n", "jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmk="}) {
    EXPECT_FALSE(DecryptMessage(kAesKey, kAesApp, bad)) << bad;
  }
  // The padding is in the last block: a change of the block before it reaches it bit by bit.
  std::string changed = text;
  changed[text.size() - 26] = changed[text.size() - 26] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(DecryptMessage(kAesKey, kAesApp, changed));
}

TEST(WechatCallback, WithAKeyWhatIsNotEncryptedIsForged) {
  const CallbackCheck check = {"pamtest", kAesKey, kAesApp, std::chrono::seconds(0), false};
  const auto status = [&](const std::string& body, const std::string& signature) {
    const std::multimap<std::string, std::string> query = {
        {"signature", CallbackSignature("pamtest", "1409304348", "xxxxxx")},
        {"timestamp", "1409304348"},
        {"nonce", "xxxxxx"},
        {"encrypt_type", "aes"},
        {"msg_signature", signature}};
    const delivery::CallbackReply reply = AnswerCallback(check, {"POST", query, {}, body}, Name, kThen);
    EXPECT_TRUE(reply.receipts.empty());
    EXPECT_EQ(reply.body, "wrong signature") << "no failure says more than another";
    return reply.status;
  };
  EXPECT_EQ(status(ReceiptXml("1", "success"), kAesSignature), 401) << "plain";
  EXPECT_EQ(status("<xml><Encrypt>" + std::string(kAesText) + "</Encrypt></xml>", std::string(40, '0')), 401);
  EXPECT_EQ(status("<xml><Encrypt>" + std::string(kAesText) + "</Encrypt></xml>", ""), 401);
  EXPECT_EQ(status("<xml><Encrypt>" + std::string(kAesText) + "</Encrypt></xml>", kAesSignature), 401)
      << "genuine, but what is in it is no XML";
  const std::string garbage = "AAAA";
  EXPECT_EQ(status("<xml><Encrypt>AAAA</Encrypt></xml>", MessageSignature("pamtest", "1409304348", "xxxxxx", garbage)),
            401);
  EXPECT_EQ(status("{", kAesSignature), 401);
}

TEST(WechatCallback, AnOldOrFutureOneIsRefused) {
  const delivery::CallbackRequest request = {"POST", Signed(), {}, ReceiptXml("1", "success")};
  const auto at = [&](int seconds) { return Answer(kToken, request, kThen + std::chrono::seconds(seconds)).status; };
  EXPECT_EQ(at(300), 200);
  EXPECT_EQ(at(301), 401);
  EXPECT_EQ(at(-300), 200);
  EXPECT_EQ(at(-301), 401);
  EXPECT_EQ(AnswerCallback({kToken, {}, "wx1", std::chrono::seconds(0), false}, request, Name, Instant()).status, 200)
      << "0: any age";
  auto query = Signed();
  query.find("timestamp")->second = "17684x2400";
  query.find("signature")->second = CallbackSignature(kToken, "17684x2400", kNonce);
  EXPECT_EQ(Answer(kToken, {"POST", query, {}, request.body}).status, 401);
}

// ---- Events: the published samples.

constexpr char kUser[] = "otFpruAK8D-E6EfStSYonYSBZ8_4";

std::string Subscribed(const std::string& event, const std::string& wrapper, const std::string& list) {
  return "<xml>\n<ToUserName><![CDATA[gh_123456789abc]]></ToUserName>\n<FromUserName><![CDATA[" + std::string(kUser) +
         "]]></FromUserName>\n<CreateTime>1610969440</CreateTime>\n<MsgType><![CDATA[event]]></MsgType>\n"
         "<Event><![CDATA[" +
         event + "]]></Event>\n<" + wrapper + ">\n" + list + "</" + wrapper + ">\n</xml>\n";
}

std::string Entry(const std::string& template_id, const std::string& status) {
  return "<List><TemplateId><![CDATA[" + template_id + "]]></TemplateId><SubscribeStatusString><![CDATA[" + status +
         "]]></SubscribeStatusString><PopupScene>2</PopupScene></List>\n";
}

constexpr char kOurs[] = "VRR0UEO9VJOLs0MHlU0OilqX6MVFDwH3_3gz3Oc0NIc";
constexpr char kOther[] = "9nLIlbOQZC5Y89AZteFEux3WCXRRRG5Wfzkpssu4bLI";

TEST(WechatEvents, AnAcceptedPopupIsAGrantAndARejectedOneARefusal) {
  const auto accepted = Hear(Subscribed("subscribe_msg_popup_event", "SubscribeMsgPopupEvent",
                                        Entry(kOurs, "accept") + Entry(kOther, "reject")));
  EXPECT_EQ(accepted.status, 200);
  EXPECT_EQ(accepted.body, "success");
  ASSERT_EQ(accepted.signals.size(), 1U) << "the other template is not ours";
  const Signal& grant = accepted.signals[0];
  EXPECT_EQ(grant.kind, SignalKind::kGrant);
  EXPECT_EQ(grant.contact, kUser);
  EXPECT_EQ(grant.text, "benefit") << "the logical name";
  EXPECT_EQ(FormatUtc(grant.at), "2021-01-18T11:30:40Z");
  EXPECT_EQ(grant.provider_id.size(), 32U);
  EXPECT_EQ(grant.provider_id.find(kUser), std::string::npos);

  const auto rejected = Hear(Subscribed("subscribe_msg_popup_event", "SubscribeMsgPopupEvent", Entry(kOurs, "reject")));
  ASSERT_EQ(rejected.signals.size(), 1U);
  EXPECT_EQ(rejected.signals[0].kind, SignalKind::kRefusal);
}

TEST(WechatEvents, TheSameEventHasTheSameIdAndAnotherHasAnother) {
  const auto id = [](const std::string& xml) { return Hear(xml).signals.at(0).provider_id; };
  const std::string xml = Subscribed("subscribe_msg_popup_event", "SubscribeMsgPopupEvent", Entry(kOurs, "accept"));
  EXPECT_EQ(id(xml), id(xml));
  std::string later = xml;
  later.replace(later.find("1610969440"), 10, "1610969441");
  EXPECT_NE(id(later), id(xml));
  EXPECT_NE(id(Subscribed("subscribe_msg_change_event", "SubscribeMsgChangeEvent", Entry(kOurs, "reject"))), id(xml));
}

TEST(WechatEvents, AChangeIsARefusalAlsoInThePublishedSamplesWrapper) {
  for (const char* wrapper : {"SubscribeMsgChangeEvent", "SubscribeMsgPopupEvent"}) {
    const auto reply = Hear(Subscribed("subscribe_msg_change_event", wrapper, Entry(kOurs, "reject")));
    ASSERT_EQ(reply.signals.size(), 1U) << wrapper;
    EXPECT_EQ(reply.signals[0].kind, SignalKind::kRefusal);
  }
  EXPECT_TRUE(
      Hear(Subscribed("subscribe_msg_change_event", "SubscribeMsgChangeEvent", Entry(kOurs, "accept"))).signals.empty())
      << "switching on again grants nothing";
}

TEST(WechatEvents, JsonHoldsTheListAtTheRootAsAnObjectOrAnArrayAndTimeAsNumberOrText) {
  const std::string head = R"({"ToUserName":"gh_123456789abc","FromUserName":"o7esq5OI1Uej6Xixw1lA2H7XDVbc",)";
  const std::string ours =
      R"({"TemplateId":"VRR0UEO9VJOLs0MHlU0OilqX6MVFDwH3_3gz3Oc0NIc","SubscribeStatusString":"reject"})";
  for (const std::string& time : {std::string(R"("1620973045")"), std::string("1620973045")}) {
    for (const std::string& list : {ours, "[" + ours + "]", "[" + ours + "," + ours + "]"}) {
      const auto reply = Hear(head + R"("CreateTime":)" + time +
                              R"(,"MsgType":"event","Event":"subscribe_msg_change_event","List":)" + list + "}");
      ASSERT_FALSE(reply.signals.empty()) << list;
      EXPECT_EQ(reply.signals[0].kind, SignalKind::kRefusal);
      EXPECT_EQ(FormatUtc(reply.signals[0].at), "2021-05-14T06:17:25Z");
    }
  }
}

TEST(WechatEvents, ASentEventIsTheReceiptOfEachMessageInIt) {
  const auto item = [](const std::string& id, const std::string& code) {
    return "<List><TemplateId><![CDATA[" + std::string(kOurs) + "]]></TemplateId><MsgID>" + id + "</MsgID><ErrorCode>" +
           code + "</ErrorCode><ErrorStatus><![CDATA[x]]></ErrorStatus></List>";
  };
  const auto sent = [&](const std::string& list) {
    return Hear(Subscribed("subscribe_msg_sent_event", "SubscribeMsgSentEvent", list));
  };
  const auto reply = sent(item("3487542469355618313", "0") + item("2", "43101") + item("3", "43004"));
  ASSERT_EQ(reply.receipts.size(), 3U);
  EXPECT_EQ(reply.receipts[0].provider_id, "3487542469355618313");
  EXPECT_EQ(reply.receipts[0].state, ReceiptState::kDelivered);
  EXPECT_EQ(reply.receipts[0].code, "success");
  EXPECT_EQ(reply.receipts[1].state, ReceiptState::kUndelivered);
  EXPECT_EQ(reply.receipts[1].code, "43101");
  EXPECT_FALSE(reply.receipts[1].contact_dead) << "no permission for this template";
  EXPECT_TRUE(reply.receipts[2].contact_dead) << "no follower";
  EXPECT_EQ(sent(item("x", "0")).status, 400);
  EXPECT_EQ(sent(item("1", "ok")).status, 400);
  EXPECT_EQ(sent(item("1", "")).status, 400);
  const auto json_reply =
      Hear(R"({"FromUserName":"o","CreateTime":1,"MsgType":"event","Event":"subscribe_msg_sent_event",)"
           R"("List":{"TemplateId":"t","MsgID":18446744073709551615,"ErrorCode":"0"}})");
  ASSERT_EQ(json_reply.receipts.size(), 1U);
  EXPECT_EQ(json_reply.receipts[0].provider_id, "18446744073709551615");
}

TEST(WechatEvents, WhoUnfollowsIsGoneUntilTheyFollowAgainAndWhoWritesIsHeard) {
  const std::string head =
      "<xml><ToUserName>gh_1</ToUserName><FromUserName>oUser</FromUserName><CreateTime>1</CreateTime>";
  const auto gone = Hear(head + "<MsgType>event</MsgType><Event>unsubscribe</Event></xml>");
  ASSERT_EQ(gone.signals.size(), 1U);
  EXPECT_EQ(gone.signals[0].kind, SignalKind::kGone);
  EXPECT_EQ(gone.signals[0].contact, "oUser");
  const auto back = Hear(head + "<MsgType>event</MsgType><Event>subscribe</Event></xml>");
  ASSERT_EQ(back.signals.size(), 1U);
  EXPECT_EQ(back.signals[0].kind, SignalKind::kBack);

  const auto text = [&](const std::string& content) {
    return Hear(head + "<MsgType>text</MsgType><Content><![CDATA[" + content +
                "]]></Content><MsgId>1234567890123456</MsgId></xml>");
  };
  const auto said = text("退订");
  ASSERT_EQ(said.signals.size(), 1U);
  EXPECT_EQ(said.signals[0].kind, SignalKind::kReply);
  EXPECT_EQ(said.signals[0].text, "退订");
  EXPECT_EQ(said.signals[0].provider_id, "1234567890123456");
  EXPECT_EQ(said.signals[0].answered, "gh_1");
  std::string much;
  for (int i = 0; i < 700; ++i) much += "好";
  const auto cut = text(much).signals.at(0).text;
  EXPECT_EQ(cut.size(), 1998U) << "whole characters within 2000 bytes";
  EXPECT_EQ(Hear(head + "<MsgType>text</MsgType><Content>x</Content></xml>").status, 400) << "no id";
  EXPECT_TRUE(Hear(head + "<MsgType>image</MsgType><MsgId>1</MsgId></xml>").signals.empty());
}

TEST(WechatBody, JsonIsBounded) {
  std::string deep = "{\"a\":";
  for (int i = 0; i < 1000; ++i) deep += '[';
  EXPECT_FALSE(ParseCallbackBody(deep));
  deep += "1";
  for (int i = 0; i < 1000; ++i) deep += ']';
  EXPECT_FALSE(ParseCallbackBody(deep + "}"));
  std::string wide = "{\"a\":[0";
  for (int i = 0; i < 2000; ++i) wide += ",0";
  EXPECT_FALSE(ParseCallbackBody(wide + "]}"));
  for (const char* bad : {"{", "[]", "{\"a\":1}x", "null", "  "}) EXPECT_FALSE(ParseCallbackBody(bad)) << bad;
  EXPECT_TRUE(ParseCallbackBody(" {\"a\":null,\"b\":true}"));
}

TEST(WecomCallback, TheEchoOfTheAddressCheckIsDecrypted) {
  WecomOptions options;
  options.base_url = "http://127.0.0.1:1";
  options.app_id = kAesApp;
  options.callback.token = delivery::Secret("pamtest");
  options.callback.aes_key = delivery::Secret(kAesKey);
  options.callback.max_age = std::chrono::seconds(0);
  const auto connector = NewWecom(options, nullptr);
  std::multimap<std::string, std::string> query = {
      {"msg_signature", kAesSignature}, {"timestamp", "1409304348"}, {"nonce", "xxxxxx"}, {"echostr", kAesText}};
  const auto reply = connector->ParseCallback({"GET", query, {}, ""});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "我是中文abcd123");
  query.find("nonce")->second = "xxxxxy";
  EXPECT_EQ(connector->ParseCallback({"GET", query, {}, ""}).status, 401);
  options.callback = {};
  EXPECT_EQ(NewWecom(options, nullptr)->ParseCallback({"GET", query, {}, ""}).status, 401) << "nothing is configured";
}

// ---- Bodies of the other three

SubscriptionOptions Subscription() {
  SubscriptionOptions options;
  static_cast<MessageOptions&>(options) = Options();
  return options;
}

MiniOptions Mini() {
  MiniOptions options;
  static_cast<MessageOptions&>(options) = Options();
  return options;
}

WecomOptions Corp() {
  WecomOptions options;
  static_cast<AccountOptions&>(options) = Options();
  options.agent_id = 1000002;
  return options;
}

TEST(WechatWire, ASubscriptionMessageHasNoKeyAndItsLinkIsThePage) {
  delivery::SendRequest request = Request();
  request.content.url = "https://example.gov.cn/a";
  EXPECT_EQ(*SubscriptionBody(Subscription(), "T1", request),
            R"({"touser":"oABCDEF","template_id":"T1","page":"https://example.gov.cn/a",)"
            R"("data":{"thing1":{"value":"高龄津贴"},"time2":{"value":"2026年1月15日 10:00"}}})");
  SubscriptionOptions mini = Subscription();
  mini.miniprogram_app_id = "wx9";
  request.content.url = "pages/index";
  const json page = json::parse(*SubscriptionBody(mini, "T1", request));
  EXPECT_EQ(page["miniprogram"], json::parse(R"({"appid":"wx9","pagepath":"pages/index"})"));
  EXPECT_FALSE(page.contains("page"));
}

TEST(WechatWire, AMiniProgramMessageOpensAPageInAStateAndALanguage) {
  delivery::SendRequest request = Request();
  request.content.url = "pages/index?a=b";
  request.content.locale = "en";
  EXPECT_EQ(*MiniBody(Mini(), "T1", request),
            R"({"touser":"oABCDEF","template_id":"T1","page":"pages/index?a=b","miniprogram_state":"formal",)"
            R"("lang":"en_US","data":{"thing1":{"value":"高龄津贴"},"time2":{"value":"2026年1月15日 10:00"}}})");
  MiniOptions options = Mini();
  request.content.url = "https://example.gov.cn/a";
  request.content.locale = "zh";
  json body = json::parse(*MiniBody(options, "T1", request));
  EXPECT_FALSE(body.contains("page")) << "a web address is no page";
  EXPECT_EQ(body["lang"], "zh_CN");
  options.page = "pages/web";
  options.lang = "zh_HK";
  options.miniprogram_state = "trial";
  body = json::parse(*MiniBody(options, "T1", request));
  EXPECT_EQ(body["page"], "pages/web");
  EXPECT_EQ(body["lang"], "zh_HK");
  EXPECT_EQ(body["miniprogram_state"], "trial");
}

TEST(WechatWire, AWecomTextIsTitleBodyAndLinkWithin2048Bytes) {
  delivery::SendRequest request = Request();
  request.contact = "zhangsan";
  request.content.title = "高龄津贴";
  request.content.body = "您可以领取";
  request.content.url = "https://example.gov.cn/a";
  EXPECT_EQ(*WecomBody(Corp(), request),
            R"({"touser":"zhangsan","msgtype":"text","agentid":1000002,"text":{"content":"高龄津贴\n您可以领取\n)"
            R"(https://example.gov.cn/a"},"safe":0,"enable_duplicate_check":1,"duplicate_check_interval":1800})");
  WecomOptions options = Corp();
  options.duplicate_check_s = 0;
  options.safe = true;
  const json body = json::parse(*WecomBody(options, request));
  EXPECT_FALSE(body.contains("enable_duplicate_check"));
  EXPECT_EQ(body["safe"], 1);

  for (int extra = 0; extra < 4; ++extra) {
    request.content.title = std::string(static_cast<std::size_t>(extra), 'x') + "标题";
    request.content.body.clear();
    for (int i = 0; i < 1000; ++i) request.content.body += "好";
    const std::string text = WecomText(request.content);
    EXPECT_LE(text.size(), 2048U);
    EXPECT_GT(text.size(), 2048U - 4U);
    EXPECT_TRUE(IsValidUtf8(text));
    EXPECT_TRUE(text.ends_with("好…\nhttps://example.gov.cn/a"));
  }
  request.content.url.clear();
  request.content.title = std::string(1000, 'x');
  request.content.body = std::string(1047, 'y');
  EXPECT_EQ(WecomText(request.content).size(), 2048U);
  EXPECT_TRUE(WecomText(request.content).ends_with('y')) << "what fits is not cut";
}

TEST(WechatWire, WecomAnswersNameTheReceiverThatWasNotReached) {
  EXPECT_EQ(ParseApiAnswer(R"({"errcode":0,"errmsg":"ok","invaliduser":"","msgid":"abc"})").unreached, "");
  EXPECT_EQ(ParseApiAnswer(R"({"errcode":0,"errmsg":"ok","invaliduser":"","msgid":"abc"})").msgid, "abc");
  EXPECT_EQ(ParseApiAnswer(R"({"errcode":0,"invaliduser":"zhangsan"})").unreached, "invaliduser");
  EXPECT_EQ(ParseApiAnswer(R"({"errcode":0,"unlicenseduser":"zhangsan"})").unreached, "unlicenseduser");
  EXPECT_EQ(ParseApiAnswer(R"({"errcode":40013,"errmsg":"x","access_token":""})").errcode, 40013);
  EXPECT_EQ(WecomTokenTarget("ww1", "a+b/c"), "/cgi-bin/gettoken?corpid=ww1&corpsecret=a%2Bb%2Fc");
}

TEST(Wechat, OnlyOneOffSubscriptionsNeedAGrant) {
  SubscriptionOptions subscription = Subscription();
  MiniOptions mini = Mini();
  EXPECT_FALSE(NewTemplateMessage(Options(), nullptr)->needs_grant());
  EXPECT_FALSE(NewWecom(Corp(), nullptr)->needs_grant());
  EXPECT_TRUE(NewSubscription(subscription, nullptr)->needs_grant());
  EXPECT_TRUE(NewMini(mini, nullptr)->needs_grant());
  subscription.long_term = true;
  mini.long_term = true;
  EXPECT_FALSE(NewSubscription(subscription, nullptr)->needs_grant());
  EXPECT_FALSE(NewMini(mini, nullptr)->needs_grant());
}

TEST(Wechat, AnUnknownOutcomeIsRepeatedOnlyWhereRepeatsAreDropped) {
  EXPECT_EQ(NewSubscription(Subscription(), nullptr)->unknown_policy(), delivery::UnknownPolicy::kPark);
  EXPECT_EQ(NewMini(Mini(), nullptr)->unknown_policy(), delivery::UnknownPolicy::kPark);
  WecomOptions corp = Corp();
  const auto checked = NewWecom(corp, nullptr);
  EXPECT_EQ(checked->unknown_policy(), delivery::UnknownPolicy::kResend);
  const Instant after = SystemClock().Now() + std::chrono::minutes(30);
  EXPECT_LT(checked->NewKey("n1-1")->expires, after) << "within the interval";
  corp.duplicate_check_s = 0;
  EXPECT_EQ(NewWecom(corp, nullptr)->unknown_policy(), delivery::UnknownPolicy::kPark);
}

TEST(Wechat, AReceiptIsFoundWhicheverConnectorOfTheServiceAccountItReaches) {
  EXPECT_EQ(NewSubscription(Subscription(), nullptr)->receipt_scope(),
            NewTemplateMessage(Options(), nullptr)->receipt_scope());
  EXPECT_EQ(NewMini(Mini(), nullptr)->receipt_scope(), "wechat_mini");
}

TEST(Wechat, ACallBackKnowsTheTemplatesOfAllConnectorsOfTheAccount) {
  SubscriptionOptions subscription = Subscription();
  subscription.templates = {{"renewal", kOurs}};
  TemplateMessageOptions options = Options();
  options.callback.max_age = std::chrono::seconds(0);
  const auto heard_by = NewTemplateMessage(options, nullptr);
  const auto other = NewSubscription(subscription, nullptr);
  const auto reply = heard_by->ParseCallback(
      {"POST",
       Signed(),
       {},
       Subscribed("subscribe_msg_popup_event", "SubscribeMsgPopupEvent", Entry(kOurs, "accept"))});
  ASSERT_EQ(reply.signals.size(), 1U);
  EXPECT_EQ(reply.signals[0].text, "renewal");
}

TEST(Wecom, ATextNeedsTitleAndBodyAndOneMember) {
  const auto connector = NewWecom(Corp(), nullptr);
  message::Content content = Request().content;
  EXPECT_FALSE(connector->Check(content)) << "fields are not what the person reads";
  content.title = "a";
  EXPECT_FALSE(connector->Check(content));
  content.body = "b";
  EXPECT_TRUE(connector->Check(content));
  content.body = "\xff";
  EXPECT_FALSE(connector->Check(content));
  content.body = "b";
  content.channel = Channel::kApp;
  EXPECT_FALSE(connector->Check(content));
  delivery::SendRequest request = Request();
  request.content.title = request.content.body = "a";
  for (const std::string& id :
       {std::string(), std::string("@all"), std::string("a|b"), std::string("a b"), std::string(65, 'a')}) {
    request.contact = id;
    EXPECT_EQ(connector->Send(request).verdict, Verdict::kDropContact) << id;
  }
}

TEST(WechatSettings, TheOthersTellTheirMistakesToo) {
  const auto lines = [](const delivery::Settings& settings, auto validate) {
    Diagnostics found;
    EXPECT_FALSE(validate(settings, &found).has_value());
    std::multiset<std::uint32_t> at;
    for (const Diagnostic& d : found) at.insert(d.at.line);
    return at;
  };
  delivery::Settings settings;
  settings.SetPlace({"zhitui.yaml", 1, 1});
  settings.Set("app_id", "wx1", {"zhitui.yaml", 2, 1});
  settings.SetSecret("secret", delivery::Secret("s"), {"zhitui.yaml", 3, 1});
  settings.SetSecret("encoding_aes_key", delivery::Secret("short"), {"zhitui.yaml", 4, 1});
  settings.Set("long_term", "maybe", {"zhitui.yaml", 5, 1});
  EXPECT_EQ(lines(settings, ValidateSubscription), (std::multiset<std::uint32_t>{4, 5}));
  settings.Set("miniprogram_state", "beta", {"zhitui.yaml", 6, 1});
  settings.Set("lang", "fr", {"zhitui.yaml", 7, 1});
  EXPECT_EQ(lines(settings, ValidateMini), (std::multiset<std::uint32_t>{4, 5, 6, 7}));
  delivery::Settings corp;
  corp.SetPlace({"zhitui.yaml", 1, 1});
  corp.Set("corp_id", "ww1", {"zhitui.yaml", 2, 1});
  corp.SetSecret("secret", delivery::Secret("s"), {"zhitui.yaml", 3, 1});
  corp.Set("duplicate_check_s", "20000", {"zhitui.yaml", 4, 1});
  EXPECT_EQ(lines(corp, ValidateWecom), (std::multiset<std::uint32_t>{1, 4})) << "agent_id is missing";
  corp.Set("duplicate_check_s", "1800", {"zhitui.yaml", 4, 1});
  corp.Set("agent_id", "1000002", {"zhitui.yaml", 5, 1});
  const auto good = ValidateWecom(corp, nullptr);
  ASSERT_TRUE(good.has_value());
  EXPECT_EQ(good->agent_id, 1000002);
  EXPECT_EQ(good->base_url, "https://qyapi.weixin.qq.com");
  EXPECT_EQ(good->secret.Get()->text, "s");
}

}  // namespace
}  // namespace zhitui::wechat
