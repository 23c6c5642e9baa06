#include <gtest/gtest.h>

#include <map>
#include <set>

#include "sms/acs3.h"
#include "sms/aliyun_codes.h"
#include "sms/aliyun_wire.h"
#include "sms/mainland.h"
#include "sms/sms.h"

namespace zhitui::sms {
namespace {

using delivery::Found;
using delivery::ReceiptState;
using delivery::Verdict;

constexpr char kEmptySha256[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

AliyunOptions Options() {
  AliyunOptions options;
  options.base_url = "https://dysmsapi.aliyuncs.com";
  options.access_key_id = "testid";
  options.access_key_secret = delivery::Secret("testsecret");
  options.sign_name = "福田政务";
  options.templates = {{"benefit", "SMS_154950909"}};
  return options;
}

delivery::SendRequest Request() {
  delivery::SendRequest request;
  request.attempt_id = "m-1";
  request.contact = "13800138000";
  request.content.channel = Channel::kSms;
  request.content.provider_template = "benefit";
  request.content.fields = {{"name", "张三"}, {"item", "高龄津贴"}};
  return request;
}

delivery::HttpAnswer Answer(int status, std::string body) {
  delivery::HttpAnswer answer;
  answer.fate = delivery::HttpFate::kAnswered;
  answer.status = status;
  answer.body = std::move(body);
  return answer;
}

// The documented ECS RunInstances sample (help.aliyun.com document 2593177).
TEST(Acs3, GivesThePublishedSignatureOfTheDocumentedSample) {
  const CanonicalRequest request = Canonicalize(
      "POST", "/",
      CanonicalQuery({{"RegionId", "cn-shanghai"}, {"ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"}}),
      {{"x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"},
       {"X-Acs-Date", " 2023-10-26T10:22:32Z "},
       {"host", "ecs.cn-shanghai.aliyuncs.com"},
       {"x-acs-content-sha256", kEmptySha256},
       {"user-agent", "not signed"},
       {"x-acs-action", "RunInstances"},
       {"x-acs-version", "2014-05-26"}},
      kEmptySha256);
  EXPECT_EQ(request.signed_headers,
            "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version");
  EXPECT_EQ(Acs3Signature(Digest::kSha256, "YourAccessKeySecret", request.text),
            "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0");
}

// Signed by the provider's own SDK: the canonical request byte for byte, its hash, and the signature.
TEST(Acs3, GivesTheSdkSignatureOfASendSms) {
  const auto query = SendSmsQuery(Options(), "SMS_154950909", "13800138000", Request());
  ASSERT_TRUE(query.has_value());
  const auto base = delivery::ParseBaseUrl("https://dysmsapi.aliyuncs.com");
  const auto now = ParseInstant("2026-01-15T02:00:00Z");
  const delivery::HttpCall call =
      SignedCall(Options(), *base, "SendSms", *query, *now, "0123456789abcdef0123456789abcdef");
  const std::string canonical_query =
      "OutId=m-1&PhoneNumbers=13800138000&SignName=%E7%A6%8F%E7%94%B0%E6%94%BF%E5%8A%A1&TemplateCode=SMS_154950909&"
      "TemplateParam=%7B%22name%22%3A%22%E5%BC%A0%E4%B8%89%22%2C%22item%22%3A%22%E9%AB%98%E9%BE%84%E6%B4%A5%E8%B4%B4%"
      "22%"
      "7D";
  EXPECT_EQ(call.method, "POST");
  EXPECT_EQ(call.target, "/?" + canonical_query);
  EXPECT_EQ(call.body, "");
  Pairs headers = call.headers;
  const std::string authorization = headers.back().second;
  headers.pop_back();
  const CanonicalRequest canonical = Canonicalize("POST", "/", canonical_query, headers, kEmptySha256);
  EXPECT_EQ(canonical.text,
            "POST\n/\n" + canonical_query +
                "\n"
                "host:dysmsapi.aliyuncs.com\n"
                "x-acs-action:SendSms\n"
                "x-acs-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
                "x-acs-date:2026-01-15T02:00:00Z\n"
                "x-acs-signature-nonce:0123456789abcdef0123456789abcdef\n"
                "x-acs-version:2017-05-25\n"
                "\n"
                "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version\n"
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex(canonical.text), "b056653feb934fd71869d6f6b9714f42053c88c8ddf68dbebbc35ba50825579a");
  EXPECT_EQ(authorization,
            "ACS3-HMAC-SHA256 Credential=testid,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;"
            "x-acs-signature-nonce;x-acs-version,Signature="
            "2d09d64bc5a81f42fb81379340cf585acb5187085036508c170982c1d2d11784");
}

delivery::HttpCall Call(const AliyunOptions& options, const std::string& url) {
  const auto query = SendSmsQuery(options, "SMS_154950909", "13800138000", Request());
  const auto base = delivery::ParseBaseUrl(url);
  const auto now = ParseInstant("2026-01-15T02:00:00Z");
  return SignedCall(options, *base, "SendSms", *query, *now, "0123456789abcdef0123456789abcdef");
}

// The same call signed by the SDK with 国密 SM3.
TEST(Acs3, GivesTheSdkSignatureWithSm3) {
  AliyunOptions options = Options();
  options.sm3 = true;
  const delivery::HttpCall call = Call(options, "https://dysmsapi.aliyuncs.com");
  EXPECT_EQ(call.headers.back().second,
            "ACS3-HMAC-SM3 Credential=testid,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;"
            "x-acs-signature-nonce;x-acs-version,Signature="
            "5dafe80b7ffe1ba4a8fe6fe26bd5ca664a41efdaee4a42e0270afe1605a41e60");
}

// What the SDK sent to a server on 127.0.0.1:18080: it signs the host with its port and a header of its own.
TEST(Acs3, GivesWhatTheSdkSendsToAServerOfOurs) {
  delivery::HttpCall call = Call(Options(), "http://127.0.0.1:18080");
  call.headers.pop_back();
  call.headers.emplace_back("x-acs-credentials-provider", "static_ak");
  const CanonicalRequest send = Canonicalize("POST", "/", call.target.substr(2), call.headers, kEmptySha256);
  EXPECT_EQ(Acs3Signature(Digest::kSha256, "testsecret", send.text),
            "60522c60c57fd8ce40214213f19b7005ae3828947a7bb434099aa4e6fbaeb4d9");
  // SendBatchSms has a form in its body, whose content type is signed.
  const std::string body = CanonicalQuery({{"PhoneNumberJson", R"(["13800138000","13900139000"])"},
                                           {"SignNameJson", R"(["福田政务","福田政务"])"},
                                           {"TemplateParamJson", R"([{"name":"张三"},{"name":"李四"}])"}});
  const std::string digest = DigestHex(Digest::kSha256, body);
  for (auto& [name, value] : call.headers) {
    if (name == "x-acs-action") value = "SendBatchSms";
    if (name == "x-acs-content-sha256") value = digest;
  }
  call.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
  const CanonicalRequest batch = Canonicalize(
      "POST", "/", CanonicalQuery({{"OutId", "m-2"}, {"TemplateCode", "SMS_154950909"}}), call.headers, digest);
  EXPECT_EQ(Acs3Signature(Digest::kSha256, "testsecret", batch.text),
            "d691f5ac874b1627f87238ef8530dd53420da7e5f520dab4e5cebd821e3495c7");
}

// GB/T 32905, example 1.
TEST(Hmac, Sm3IsThatOfTheStandard) {
  EXPECT_EQ(DigestHex(Digest::kSm3, "abc"), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
}

TEST(Mainland, NumbersAreElevenDigitsHoweverTheyArePrefixed) {
  for (const char* text : {"13800138000", "+8613800138000", "008613800138000", "8613800138000"}) {
    EXPECT_EQ(MainlandNumber(text), "13800138000") << text;
  }
  for (const char* text :
       {"", "1380013800", "138001380000", "12800138000", "23800138000", "+85291234567", "1380013800a",
        "+86 13800138000", "13800138000,13800138001", "868613800138000", "10690000"}) {
    EXPECT_EQ(MainlandNumber(text), std::nullopt) << text;
  }
}

TEST(Mainland, ARepliesTextIsCutBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "好";
  const std::string cut = ReplyText(text);
  EXPECT_EQ(cut.size(), 1998U) << "666 characters of three bytes";
  EXPECT_TRUE(IsValidUtf8(cut));
  EXPECT_EQ(ReplyText("TD"), "TD");
}

TEST(Mainland, CodesOfASettingStandBetweenCommas) {
  EXPECT_EQ(CodeList(" A, B:1 ,,C "), (std::set<std::string>{"A", "B:1", "C"}));
  EXPECT_TRUE(CodeList("").empty());
}

TEST(Acs3, HmacIsThatOfRfc4231) {
  EXPECT_EQ(HexLower(Hmac(Digest::kSha256, "Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Acs3, QueriesAreSortedAndEncodedByRfc3986) {
  EXPECT_EQ(CanonicalQuery({{"b", "!'()*"}, {"a", " ~+/"}, {"B", ""}}), "B=&a=%20~%2B%2F&b=%21%27%28%29%2A");
  EXPECT_EQ(CanonicalQuery({}), "");
}

TEST(AliyunWire, TemplateParamIsAnObjectOfStringsInOrder) {
  EXPECT_EQ(*TemplateParam({{"name", "张三"}, {"item", "a\"b\\"}}), "{\"name\":\"张三\",\"item\":\"a\\\"b\\\\\"}");
  EXPECT_EQ(*TemplateParam({}), "{}");
  EXPECT_FALSE(TemplateParam({{"a", "\xff"}}).has_value());
}

TEST(AliyunCodes, EveryDocumentedCodeHasItsVerdict) {
  const std::map<Verdict, std::vector<std::string>> table = {
      {Verdict::kAccepted, {"OK"}},
      {Verdict::kRetryLater, {"isp.SYSTEM_ERROR", "isp.GATEWAY_ERROR", "isv.DATA_NOT_EXIST", "isp.SOMETHING_NEW"}},
      {Verdict::kThrottled, {"isv.BUSINESS_LIMIT_CONTROL", "Throttling.User", "Throttling", "Throttling.Api"}},
      {Verdict::kStopChannel,
       {"isv.OUT_OF_SERVICE", "isv.AMOUNT_NOT_ENOUGH", "isv.DAY_LIMIT_CONTROL", "isv.MONTH_LIMIT_CONTROL",
        "isv.PRODUCT_UN_SUBSCRIPT", "isv.PRODUCT_UNSUBSCRIBE", "isv.ACCOUNT_NOT_EXISTS", "isv.ACCOUNT_ABNORMAL",
        "isv.SECURITY_FROZEN_ACCOUNT", "isp.RAM_PERMISSION_DENY", "isv.DENY_IP_RANGE", "PORT_NOT_REGISTERED"}},
      {Verdict::kDropContact,
       {"isv.MOBILE_NUMBER_ILLEGAL", "isv.BLACK_KEY_CONTROL_LIMIT", "isv.CUSTOMER_REFUSED",
        "isv.DOMESTIC_NUMBER_NOT_SUPPORTED"}},
      {Verdict::kFixMessage,
       {"isv.SMS_TEMPLATE_ILLEGAL",
        "isv.SMS_SIGNATURE_ILLEGAL",
        "isv.SIGN_STATE_ILLEGAL",
        "isv.SMS_SIGNATURE_SCENE_ILLEGAL",
        "isv.TEMPLATE_MISSING_PARAMETERS",
        "isv.INVALID_JSON_PARAM",
        "isv.PARAM_LENGTH_LIMIT",
        "isv.PARAM_NOT_SUPPORT_URL",
        "isv.SMS_CONTENT_ILLEGAL",
        "isv.EXTEND_CODE_ERROR",
        "isv.INVALID_PARAMETERS",
        "isv.MOBILE_COUNT_OVER_LIMIT",
        "isv.SMS_SIGN_ILLEGAL",
        "isv.SIGN_NAME_ILLEGAL",
        "SIGNATURE_BLACKLIST",
        "isv.TEMPLATE_PARAMS_ILLEGAL",
        "isv.UNSUPPORTED_CONTENT",
        "isv.SMS_CONTENT_MISMATCH_TEMPLATE_TYPE",
        "isv.SMS_TEST_SIGN_TEMPLATE_LIMIT",
        "isv.SMS_TEST_NUMBER_LIMIT",
        "isv.SOMETHING_NEW"}}};
  for (const auto& [verdict, codes] : table) {
    for (const std::string& code : codes) EXPECT_EQ(AliyunActionFor(code, "", 200, Instant{}).verdict, verdict) << code;
  }
  EXPECT_EQ(AliyunActionFor("SignatureDoesNotMatch", "", 400, Instant{}).verdict, Verdict::kStopChannel);
  EXPECT_EQ(AliyunActionFor("InvalidAccessKeyId.NotFound", "", 404, Instant{}).verdict, Verdict::kStopChannel);
  EXPECT_EQ(AliyunActionFor("SignatureNonceUsed", "", 400, Instant{}).verdict, Verdict::kRetryLater);
  EXPECT_EQ(AliyunActionFor("InternalError", "", 500, Instant{}).verdict, Verdict::kUnknown);
  EXPECT_EQ(AliyunActionFor("ok", "", 200, Instant{}).verdict, Verdict::kUnknown) << "\"OK\" is not \"ok\"";
}

// Minutes and hours are those of the clock in UTC+8; a day is the last 24 hours. A second more, because clocks differ.
TEST(AliyunCodes, APerNumberLimitLastsUntilItsWindowEnds) {
  const Instant now = *ParseInstant("2026-01-15T10:58:45.250+08:00");
  const auto wait = [&](const char* message) {
    return AliyunActionFor("isv.BUSINESS_LIMIT_CONTROL", message, 200, now).retry_after;
  };
  EXPECT_EQ(wait("触发分钟级流控Permits:1"), Millis(14'750 + 1000)) << "10:59:00";
  EXPECT_EQ(wait("触发小时级流控Permits:5"), Millis(74'750 + 1000)) << "11:00:00";
  EXPECT_EQ(wait("触发天级流控Permits:10"), Millis(86'400'000));
  EXPECT_EQ(wait("触发号码天级流控Permits:40"), Millis(86'400'000));
  EXPECT_EQ(AliyunActionFor("isv.AMOUNT_NOT_ENOUGH", "触发天级流控", 200, now).retry_after, std::nullopt);
}

TEST(AliyunCodes, TheGatewaySaysWhenAThrottledCallerMayComeBack) {
  const auto wait = [](std::map<std::string, std::string> headers) {
    delivery::HttpAnswer answer = Answer(400, R"({"Code":"Throttling.User","RequestId":"R"})");
    answer.headers = std::move(headers);
    const delivery::SendResult result = ParseSendAnswer(answer, Instant{});
    EXPECT_EQ(result.verdict, Verdict::kThrottled);
    return result.retry_after;
  };
  EXPECT_EQ(wait({{"x-acs-retry-after", "1500"}}), Millis(1500));
  EXPECT_EQ(wait({{"x-ratelimit-user-api", "Limit:1,Remain:0,TimeLeft:1000"}}), Millis(1000));
  for (const char* text : {"", "soon", "-1", "99999999999"}) {
    EXPECT_EQ(wait({{"x-acs-retry-after", text}}), std::nullopt) << text;
  }
  EXPECT_EQ(wait({}), std::nullopt);
}

TEST(AliyunWire, AnAnswerOf200MayStillBeARefusal) {
  const delivery::SendResult accepted = ParseSendAnswer(
      Answer(200, R"({"Code":"OK","Message":"OK","RequestId":"R-1","BizId":"900619746936498440^0"})"), Instant{});
  EXPECT_EQ(accepted.verdict, Verdict::kAccepted);
  EXPECT_EQ(accepted.provider_id, "900619746936498440^0");
  EXPECT_EQ(accepted.detail, "R-1");
  const delivery::SendResult refused = ParseSendAnswer(
      Answer(200, R"({"Code":"isv.MOBILE_NUMBER_ILLEGAL","Message":"13800138000 非法","RequestId":"R-2"})"), Instant{});
  EXPECT_EQ(refused.verdict, Verdict::kDropContact);
  EXPECT_EQ(refused.code, "isv.MOBILE_NUMBER_ILLEGAL");
  EXPECT_EQ(refused.detail, "R-2") << "the provider's text may hold the number";
  for (const char* body : {"", "{", "[]", "{}", R"({"Code":1})", R"({"Code":""})", "<html>"}) {
    EXPECT_EQ(ParseSendAnswer(Answer(200, body), Instant{}).verdict, Verdict::kUnknown) << body;
  }
  EXPECT_EQ(ParseSendAnswer(Answer(502, R"({"Code":"OK"})"), Instant{}).verdict, Verdict::kUnknown);
}

TEST(AliyunWire, OnlyAWellFormedListWithoutTheIdIsANo) {
  const auto found = [](int status, const char* body) { return ParseDetails(Answer(status, body), "m-1").found; };
  EXPECT_EQ(found(200, R"({"Code":"OK","TotalCount":1,"SmsSendDetailDTOs":{"SmsSendDetailDTO":[{"OutId":"m-1"}]}})"),
            Found::kYes);
  EXPECT_EQ(found(200, R"({"Code":"OK","TotalCount":"1","SmsSendDetailDTOs":{"SmsSendDetailDTO":[{"OutId":"m-11"}]}})"),
            Found::kNo);
  EXPECT_EQ(found(200, R"({"Code":"OK","TotalCount":0,"SmsSendDetailDTOs":{"SmsSendDetailDTO":[]}})"), Found::kNo);
  EXPECT_EQ(found(200, R"({"Code":"OK","TotalCount":0})"), Found::kNo);
  EXPECT_EQ(found(200, R"({"Code":"OK","TotalCount":3})"), Found::kNotYet) << "rows were promised";
  EXPECT_EQ(found(200, R"({"Code":"OK"})"), Found::kNotYet);
  EXPECT_EQ(found(200, R"({"Code":"isv.DATA_NOT_EXIST"})"), Found::kNotYet);
  EXPECT_EQ(found(500, R"({"Code":"OK","TotalCount":0})"), Found::kNotYet);
  EXPECT_EQ(found(200, "nonsense"), Found::kNotYet);
  EXPECT_EQ(found(200, R"({"Code":"OK","TotalCount":1,"SmsSendDetailDTOs":{"SmsSendDetailDTO":{"OutId":"m-2"}}})"),
            Found::kNotYet);
  EXPECT_EQ(ParseDetails(Answer(200, R"({"Code":"OK","TotalCount":1,"SmsSendDetailDTOs":{"SmsSendDetailDTO":[
                                        {"OutId":"m-1","BizId":"9^0"}]}})"),
                         "m-1")
                .biz_id,
            "9^0");
}

constexpr char kReport[] =
    R"([{"phone_number":"1381111****","send_time":"2017-01-01 00:00:00","report_time":"2017-01-01 00:00:10","success":true,
        "err_code":"DELIVERED","err_msg":"用户接收成功","sms_size":"1","biz_id":"12345","out_id":"m-1"},
       {"success":false,"err_code":"UNDELIV","out_id":"m-2","biz_id":"6"},
       {"success":true,"err_code":"DELIVERED"}])";

TEST(AliyunCallback, ReportsBecomeReceipts) {
  const auto connector = NewAliyun(Options(), nullptr);
  const delivery::CallbackReply reply = connector->ParseCallback({"POST", {}, {}, kReport});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, R"({"code":0,"msg":"接收成功"})");
  EXPECT_EQ(reply.content_type, "application/json");
  ASSERT_EQ(reply.receipts.size(), 2U) << "a report without our id is not ours";
  EXPECT_EQ(reply.receipts[0].attempt_id, "m-1");
  EXPECT_EQ(reply.receipts[0].provider_id, "12345");
  EXPECT_EQ(reply.receipts[0].state, ReceiptState::kDelivered);
  EXPECT_EQ(reply.receipts[0].code, "DELIVERED");
  EXPECT_EQ(FormatUtc(reply.receipts[0].at), "2016-12-31T16:00:10Z");
  EXPECT_EQ(reply.receipts[1].state, ReceiptState::kUndelivered);
  EXPECT_EQ(reply.receipts[1].code, "UNDELIV");
}

TEST(AliyunCallback, ACodeOfTheSettingMarksTheNumberAsDead) {
  AliyunOptions options = Options();
  options.dead_codes = {"MOBILE_NOT_ON_SERVICE"};
  constexpr char kBody[] = R"([{"success":false,"err_code":"MOBILE_NOT_ON_SERVICE","out_id":"m-1"},
                               {"success":false,"err_code":"MOBILE_SEND_LIMIT","out_id":"m-2"},
                               {"success":true,"err_code":"MOBILE_NOT_ON_SERVICE","out_id":"m-3"}])";
  const delivery::CallbackReply reply = NewAliyun(options, nullptr)->ParseCallback({"POST", {}, {}, kBody});
  ASSERT_EQ(reply.receipts.size(), 3U);
  EXPECT_TRUE(reply.receipts[0].contact_dead);
  EXPECT_FALSE(reply.receipts[1].contact_dead);
  EXPECT_FALSE(reply.receipts[2].contact_dead) << "it was delivered";
  EXPECT_FALSE(NewAliyun(Options(), nullptr)->ParseCallback({"POST", {}, {}, kBody}).receipts[0].contact_dead)
      << "the code is also that of a phone that is off";
}

// help.aliyun.com, SmsUp; sequence_id was a number in earlier versions of that page.
TEST(AliyunCallback, RepliesBecomeSignals) {
  const auto connector = NewAliyun(Options(), nullptr);
  const delivery::CallbackReply reply = connector->ParseCallback({"POST", {}, {}, R"([
      {"phone_number":"+8613811110000","send_time":"2017-09-01 00:00:00","content":"TD","sign_name":"福田政务",
       "dest_code":"1234","sequence_id":1234567890},
      {"phone_number":"13811110001","send_time":"","content":"","dest_code":"1234","sequence_id":"77"},
      {"phone_number":"+85291234567","content":"hi"},
      {"success":true,"out_id":"m-1"}])"});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, R"({"code":0,"msg":"接收成功"})");
  ASSERT_EQ(reply.signals.size(), 2U);
  EXPECT_EQ(reply.signals[0].kind, delivery::SignalKind::kReply);
  EXPECT_EQ(reply.signals[0].contact, "13811110000");
  EXPECT_EQ(reply.signals[0].provider_id, "1234567890");
  EXPECT_EQ(reply.signals[0].text, "TD");
  EXPECT_EQ(reply.signals[0].answered, "福田政务");
  EXPECT_EQ(FormatUtc(reply.signals[0].at), "2017-08-31T16:00:00Z");
  EXPECT_EQ(reply.signals[1].provider_id, "77");
  EXPECT_EQ(reply.signals[1].answered, "1234");
  EXPECT_EQ(reply.receipts.size(), 1U);
}

TEST(AliyunCallback, AConfiguredKeyIsRequired) {
  AliyunOptions options = Options();
  options.callback_key = delivery::Secret("k3y");
  const auto connector = NewAliyun(options, nullptr);
  const auto status = [&](std::multimap<std::string, std::string> query) {
    return connector->ParseCallback({"POST", std::move(query), {}, "[]"}).status;
  };
  EXPECT_EQ(status({{"key", "k3y"}}), 200);
  EXPECT_EQ(status({}), 401);
  EXPECT_EQ(status({{"key", "k3z"}}), 401);
  EXPECT_EQ(status({{"key", ""}}), 401);
  EXPECT_EQ(status({{"key", "k3y"}, {"key", "k3y"}}), 401);
}

TEST(AliyunCallback, AnythingElseIsRefusedWithoutReceipts) {
  const auto connector = NewAliyun(Options(), nullptr);
  for (const char* body :
       {"", "{}", "{\"success\":true}", "[1]", "[{\"success\":\"true\",\"out_id\":\"m\"}]", "[{\"out_id\":\"m\"}]", "[",
        "null", "[{\"content\":\"TD\"}]", "[{\"phone_number\":\"13800138000\",\"content\":1}]"}) {
    const delivery::CallbackReply reply = connector->ParseCallback({"POST", {}, {}, body});
    EXPECT_EQ(reply.status, 400) << body;
    EXPECT_TRUE(reply.receipts.empty());
    EXPECT_TRUE(reply.signals.empty());
  }
  EXPECT_EQ(connector->ParseCallback({"GET", {}, {}, "[]"}).status, 405);
  EXPECT_EQ(connector->ParseCallback({"POST", {}, {}, std::string((1 << 20) + 1, ' ')}).status, 413);
}

TEST(Aliyun, MessagesThatAliyunWouldRefuseAreRefusedBefore) {
  const auto connector = NewAliyun(Options(), nullptr);
  const message::Content good = Request().content;
  EXPECT_TRUE(connector->Check(good).has_value());
  message::Content content = good;
  content.provider_template = "other";
  EXPECT_FALSE(connector->Check(content).has_value());
  for (const char* value : {"", "a\nb", "http://x.cn", "【x】", "\xff"}) {
    content = good;
    content.fields[0].second = value;
    const Status checked = connector->Check(content);
    ASSERT_FALSE(checked.has_value()) << value;
    EXPECT_EQ(checked.error().kind, ErrorKind::kInvalid);
  }
  content = good;
  content.channel = Channel::kApp;
  EXPECT_FALSE(connector->Check(content).has_value());
}

TEST(Aliyun, AsksAfterAnUnknownOutcome) {
  const auto connector = NewAliyun(Options(), nullptr);
  EXPECT_EQ(connector->unknown_policy(), delivery::UnknownPolicy::kQuery);
  EXPECT_EQ(connector->settle_time(), Millis(60'000));
  EXPECT_TRUE(connector->sends_receipts());
  const auto key = connector->NewKey("m-1");
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->key, "m-1");
}

TEST(Aliyun, AMessageCostsItsSegments) {
  AliyunOptions options = Options();
  message::Content content = Request().content;
  content.segments = 3;
  EXPECT_EQ(NewAliyun(options, nullptr)->CostMicros(content), 0);
  options.price_micros = 45'000;
  EXPECT_EQ(NewAliyun(options, nullptr)->CostMicros(content), 135'000);
}

TEST(AliyunSettings, AllMistakesComeAtOnce) {
  delivery::Settings settings;
  settings.SetPlace({"zhitui.yaml", 1, 1});
  settings.Set("base_url", "http:/x", {"zhitui.yaml", 2, 1});
  settings.Set("sign_name", "【福田政务】", {"zhitui.yaml", 3, 1});
  settings.Set("templates.a", "154950909", {"zhitui.yaml", 4, 1});
  settings.Set("template.b", "SMS_1", {"zhitui.yaml", 5, 1});
  settings.Set("settle_time_ms", "1", {"zhitui.yaml", 6, 1});
  settings.Set("signature", "md5", {"zhitui.yaml", 7, 1});
  settings.Set("price_cny", "free", {"zhitui.yaml", 8, 1});
  Diagnostics found;
  EXPECT_FALSE(ValidateAliyun(settings, &found).has_value());
  std::multiset<std::uint32_t> lines;
  for (const Diagnostic& d : found) lines.insert(d.at.line);
  EXPECT_EQ(lines, (std::multiset<std::uint32_t>{1, 1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(AliyunSettings, AGoodBlockGivesOptions) {
  delivery::Settings settings;
  settings.Set("access_key_id", "id", {});
  settings.Set("access_key_secret", "s", {});
  settings.Set("sign_name", "福田政务", {});
  settings.Set("templates.benefit", "SMS_1", {});
  settings.Set("signature", "sm3", {});
  settings.Set("dead_codes", "A, B", {});
  settings.Set("price_cny", "0.045", {});
  Diagnostics found;
  const auto options = ValidateAliyun(settings, &found);
  ASSERT_TRUE(options.has_value()) << FormatDiagnostics(found);
  EXPECT_EQ(options->base_url, "https://dysmsapi.aliyuncs.com");
  EXPECT_EQ(options->templates.at("benefit"), "SMS_1");
  EXPECT_TRUE(options->sm3);
  EXPECT_EQ(options->dead_codes, (std::set<std::string>{"A", "B"}));
  EXPECT_EQ(options->price_micros, 45'000);
  EXPECT_EQ(options->access_key_secret.Get()->text, "s");
}

}  // namespace
}  // namespace zhitui::sms
