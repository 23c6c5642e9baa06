#include <gtest/gtest.h>

#include <map>
#include <set>

#include "sms/hmac.h"
#include "sms/sms.h"
#include "sms/tc3.h"
#include "sms/tencent_codes.h"
#include "sms/tencent_wire.h"

namespace zhitui::sms {
namespace {

using delivery::ReceiptState;
using delivery::Verdict;

TencentOptions TcOptions() {
  TencentOptions options;
  options.base_url = "https://sms.tencentcloudapi.com";
  options.secret_id = "testid";
  options.secret_key = delivery::Secret("testsecret");
  options.sdk_app_id = "1400006666";
  options.sign_name = "福田政务";
  options.templates = {{"benefit", "1110"}};
  return options;
}

delivery::SendRequest TcRequest() {
  delivery::SendRequest request;
  request.attempt_id = "m-1";
  request.contact = "13800138000";
  request.content.channel = Channel::kSms;
  request.content.provider_template = "benefit";
  request.content.fields = {{"name", "张三"}, {"item", "高龄津贴"}};
  return request;
}

delivery::HttpAnswer TcAnswer(int status, std::string body) {
  delivery::HttpAnswer answer;
  answer.fate = delivery::HttpFate::kAnswered;
  answer.status = status;
  answer.body = std::move(body);
  return answer;
}

std::string Header(const delivery::HttpCall& call, std::string_view name) {
  for (const auto& [key, value] : call.headers) {
    if (key == name) return value;
  }
  return {};
}

const Instant kNoon = *ParseInstant("2026-01-15T12:00:00+08:00");

// The documented sample of CVM (cloud.tencent.com/document/api/213/30654), which signs content type and host.
TEST(Tc3, GivesThePublishedSignatureOfTheDocumentedSample) {
  const Tc3Request request{"cvm", "cvm.tencentcloudapi.com", "application/json; charset=utf-8",
                           R"({"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]})",
                           1551113065};
  EXPECT_EQ(Tc3Signature("Gu5t9xGARNpq86cd98joQYCN3EXAMPLE", request),
            "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168");
}

// What the provider's own SDK sent for the same message at the same second.
TEST(Tc3, GivesTheSdkSignatureOfASendSms) {
  const auto body = SendSmsBody(TcOptions(), "1110", "13800138000", TcRequest());
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ(*body, R"({"PhoneNumberSet":["+8613800138000"],"SmsSdkAppId":"1400006666","TemplateId":"1110",)"
                   R"("SignName":"福田政务","TemplateParamSet":["张三","高龄津贴"],"SessionContext":"m-1"})");
  EXPECT_EQ(DigestHex(Digest::kSha256, *body), "3b6d0941fcf196899db3d2917e8b27d3fb7c2750fe78191beb4bd46e6706c460");
  const Tc3Request request{"sms", "sms.tencentcloudapi.com", "application/json", *body, 1768442400};
  EXPECT_EQ(DigestHex(Digest::kSha256, Tc3CanonicalRequest(request)),
            "ae0f45059a5d4bc397593fe248da327f92468e8d41b09c30655187f3ec1cc0c0");
  const auto base = delivery::ParseBaseUrl("https://sms.tencentcloudapi.com");
  const delivery::HttpCall call =
      TencentCall(TcOptions(), *base, "SendSms", *body, *ParseInstant("2026-01-15T02:00:00Z"));
  EXPECT_EQ(Header(call, "Authorization"),
            "TC3-HMAC-SHA256 Credential=testid/2026-01-15/sms/tc3_request, SignedHeaders=content-type;host, "
            "Signature=f1ae2bfdd7cc39098c1416e70f969003e214a4681de126f47d694c6525974867");
  EXPECT_EQ(call.method, "POST");
  EXPECT_EQ(call.target, "/");
  EXPECT_EQ(Header(call, "Host"), "sms.tencentcloudapi.com");
  EXPECT_EQ(Header(call, "Content-Type"), "application/json");
  EXPECT_EQ(Header(call, "X-TC-Action"), "SendSms");
  EXPECT_EQ(Header(call, "X-TC-Version"), "2021-01-11");
  EXPECT_EQ(Header(call, "X-TC-Timestamp"), "1768442400");
  EXPECT_EQ(Header(call, "X-TC-Region"), "ap-guangzhou");
}

TEST(TencentWire, ATemplateWithoutParametersHasAnEmptySet) {
  delivery::SendRequest request = TcRequest();
  request.content.fields.clear();
  EXPECT_NE(SendSmsBody(TcOptions(), "1110", "13800138000", request)->find(R"("TemplateParamSet":[])"),
            std::string::npos);
  request.content.fields = {{"a", "\xff"}};
  EXPECT_FALSE(SendSmsBody(TcOptions(), "1110", "13800138000", request).has_value());
}

TEST(TencentCodes, EveryDocumentedCodeHasItsVerdict) {
  const std::map<Verdict, std::vector<std::string>> table = {
      {Verdict::kAccepted, {"Ok"}},
      {Verdict::kRetryLater, {"ServiceUnavailable"}},
      {Verdict::kUnknown,
       {"InternalError.Timeout", "InternalError.SendAndRecvFail", "InternalError.OtherError", "InternalError", "OK",
        "ok", "SomethingNew"}},
      {Verdict::kThrottled,
       {"LimitExceeded.PhoneNumberThirtySecondLimit", "LimitExceeded.PhoneNumberOneHourLimit",
        "LimitExceeded.PhoneNumberDailyLimit", "LimitExceeded.PhoneNumberSameContentDailyLimit",
        "LimitExceeded.DeliveryFrequencyLimit", "LimitExceeded", "FailedOperation.MarketingSendTimeConstraint",
        "RequestLimitExceeded", "RequestLimitExceeded.UinLimitExceeded"}},
      {Verdict::kDropContact,
       {"FailedOperation.PhoneNumberInBlacklist", "InvalidParameterValue.IncorrectPhoneNumber",
        "UnsupportedOperation.UnsuportedRegion", "UnsupportedOperation.UnsupportedRegion"}},
      {Verdict::kStopChannel,
       {"FailedOperation.InsufficientBalanceInSmsPackage", "UnauthorizedOperation.SerivceSuspendDueToArrears",
        "UnauthorizedOperation.RequestIpNotInWhitelist", "UnauthorizedOperation.SdkAppIdIsDisabled",
        "AuthFailure.SignatureFailure", "AuthFailure.SignatureExpire", "AuthFailure.SecretIdNotFound",
        "LimitExceeded.AppDailyLimit", "LimitExceeded.AppMainlandChinaDailyLimit",
        "InvalidParameterValue.SdkAppIdNotExist", "InternalError.RequestTimeException",
        "InternalError.SigVerificationFail", "InternalError.SigFieldMissing", "IpInBlacklist", "IpNotInWhitelist",
        "ResourceInsufficient", "InvalidAction", "NoSuchVersion", "UnsupportedRegion"}},
      {Verdict::kFixMessage,
       {"FailedOperation.SignatureIncorrectOrUnapproved", "FailedOperation.TemplateIncorrectOrUnapproved",
        "FailedOperation.TemplateUnapprovedOrNotExist", "FailedOperation.TemplateParamSetNotMatchApprovedTemplate",
        "FailedOperation.ContainSensitiveWord", "FailedOperation.FailResolvePacket", "FailedOperation.JsonParseFail",
        "InvalidParameterValue.ContentLengthLimit", "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter",
        "InvalidParameterValue.TemplateParameterLengthLimit", "InvalidParameterValue.TemplateParameterFormatError",
        "LimitExceeded.PhoneNumberCountLimit", "UnsupportedOperation.ChineseMainlandTemplateToGlobalPhone",
        "UnsupportedOperation.GlobalTemplateToChineseMainlandPhone", "FailedOperation.SomethingNew", "InvalidParameter",
        "MissingParameter", "UnknownParameter", "UnsupportedOperation"}}};
  for (const auto& [verdict, codes] : table) {
    for (const std::string& code : codes) EXPECT_EQ(TencentActionFor(code, kNoon).verdict, verdict) << code;
  }
}

// A second more than the limit, because clocks differ.
TEST(TencentCodes, ALimitSaysWhenItEnds) {
  const auto wait = [](const char* code, const char* now) {
    return TencentActionFor(code, *ParseInstant(now)).retry_after;
  };
  EXPECT_EQ(wait("LimitExceeded.PhoneNumberThirtySecondLimit", "2026-01-15T10:00:00+08:00"), std::chrono::seconds(30));
  EXPECT_EQ(wait("LimitExceeded.PhoneNumberOneHourLimit", "2026-01-15T10:00:00+08:00"), std::chrono::hours(1));
  EXPECT_EQ(wait("LimitExceeded.PhoneNumberDailyLimit", "2026-01-15T23:00:00+08:00"), std::chrono::seconds(3601));
  EXPECT_EQ(wait("LimitExceeded.PhoneNumberSameContentDailyLimit", "2026-01-15T00:00:00+08:00"),
            std::chrono::seconds(86401));
  EXPECT_EQ(wait("LimitExceeded.DeliveryFrequencyLimit", "2026-01-15T10:00:00+08:00"), std::nullopt);
}

TEST(TencentCodes, MarketingMessagesWaitForEightInTheMorning) {
  const auto wait = [](const char* now) {
    return TencentActionFor("FailedOperation.MarketingSendTimeConstraint", *ParseInstant(now)).retry_after;
  };
  EXPECT_EQ(wait("2026-01-15T07:59:00+08:00"), std::chrono::seconds(61));
  EXPECT_EQ(wait("2026-01-15T00:00:00+08:00"), std::chrono::seconds(8 * 3600 + 1));
  EXPECT_EQ(wait("2026-01-15T22:30:00+08:00"), std::chrono::seconds(9 * 3600 + 1800 + 1));
  EXPECT_EQ(wait("2026-01-14T23:59:59Z"), std::chrono::seconds(2)) << "07:59:59 in Shanghai";
}

TEST(TencentWire, TheCodeOfTheNumberCounts) {
  const delivery::SendResult accepted =
      ParseTencentAnswer(TcAnswer(200, R"({"Response":{"SendStatusSet":[{"SerialNo":"5000:1045710669157053657849499619",
        "PhoneNumber":"+8613800138000","Fee":1,"SessionContext":"m-1","Code":"Ok","Message":"send success",
        "IsoCode":"CN"}],"RequestId":"R-1"}})"),
                         kNoon);
  EXPECT_EQ(accepted.verdict, Verdict::kAccepted);
  EXPECT_EQ(accepted.provider_id, "5000:1045710669157053657849499619");
  EXPECT_EQ(accepted.detail, "R-1");
  const delivery::SendResult refused = ParseTencentAnswer(
      TcAnswer(200, R"({"Response":{"SendStatusSet":[{"SerialNo":"","PhoneNumber":"+8613800138000","Fee":0,
        "Code":"FailedOperation.PhoneNumberInBlacklist","Message":"13800138000 in blacklist"}],"RequestId":"R-2"}})"),
      kNoon);
  EXPECT_EQ(refused.verdict, Verdict::kDropContact);
  EXPECT_EQ(refused.code, "FailedOperation.PhoneNumberInBlacklist");
  EXPECT_EQ(refused.detail, "R-2") << "the provider's text may hold the number";
  EXPECT_EQ(refused.provider_id, "");
  const delivery::SendResult whole = ParseTencentAnswer(
      TcAnswer(200,
               R"({"Response":{"Error":{"Code":"AuthFailure.SignatureFailure","Message":"x"},"RequestId":"R-3"}})"),
      kNoon);
  EXPECT_EQ(whole.verdict, Verdict::kStopChannel);
}

TEST(TencentWire, AnythingElseIsUnknown) {
  for (const char* body :
       {"", "{", "[]", "{}", "<html>", R"({"Response":{}})", R"({"Response":[]})", R"({"Response":{"Error":"x"}})",
        R"({"Response":{"SendStatusSet":[]}})", R"({"Response":{"SendStatusSet":[{"Code":1}]}})",
        R"({"Response":{"SendStatusSet":[{"Code":"Ok"},{"Code":"Ok"}]}})"}) {
    EXPECT_EQ(ParseTencentAnswer(TcAnswer(200, body), kNoon).verdict, Verdict::kUnknown) << body;
  }
  EXPECT_EQ(ParseTencentAnswer(TcAnswer(502, R"({"Response":{"SendStatusSet":[{"Code":"Ok"}]}})"), kNoon).verdict,
            Verdict::kUnknown);
}

TEST(TencentWire, AMessageIsFoundByItsSessionOnly) {
  const auto find = [](int status, const char* body) { return FindSession(TcAnswer(status, body), "m-1"); };
  EXPECT_EQ(find(200, R"({"Response":{"PullSmsSendStatusSet":[{"SerialNo":"5000:1","SessionContext":"m-11"},
      {"SerialNo":"5000:2","SessionContext":"m-1","ReportStatus":"SUCCESS"}]}})"),
            "5000:2");
  for (const char* body :
       {R"({"Response":{"PullSmsSendStatusSet":[{"SerialNo":"5000:1","SessionContext":""}]}})",
        R"({"Response":{"PullSmsSendStatusSet":[]}})", R"({"Response":{"Error":{"Code":"X"}}})", "]"}) {
    EXPECT_EQ(find(200, body), std::nullopt) << body;
  }
  EXPECT_EQ(find(500, R"({"Response":{"PullSmsSendStatusSet":[{"SerialNo":"5000:2","SessionContext":"m-1"}]}})"),
            std::nullopt);
  EXPECT_EQ(PullStatusBody(TcOptions(), "13800138000", *ParseInstant("2026-01-15T02:00:00Z"),
                           *ParseInstant("2026-01-15T03:00:00Z")),
            R"({"BeginTime":1768442400,"EndTime":1768446000,"Offset":0,"Limit":100,)"
            R"("PhoneNumber":"+8613800138000","SmsSdkAppId":"1400006666"})");
}

// cloud.tencent.com/document/api/382/5807
TEST(TencentCallback, StatesBecomeReceipts) {
  TencentOptions options = TcOptions();
  options.dead_codes = {"MI:0210"};
  const auto connector = NewTencent(options, nullptr);
  const delivery::CallbackReply reply = connector->ParseCallback({"POST", {}, {}, R"([
      {"user_receive_time":"2015-10-17 08:03:04","nationcode":"86","mobile":"13811110000","report_status":"SUCCESS",
       "errmsg":"DELIVRD","description":"用户短信送达成功","sid":"5000:1"},
      {"report_status":"FAIL","errmsg":"MI:0210","sid":"5000:2"},
      {"report_status":"FAIL","errmsg":"MI:0024","sid":"5000:3"},
      {"report_status":"FAIL","errmsg":"x"}])"});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, R"({"result":0,"errmsg":"OK"})");
  EXPECT_EQ(reply.content_type, "application/json");
  ASSERT_EQ(reply.receipts.size(), 3U);
  EXPECT_EQ(reply.receipts[0].provider_id, "5000:1");
  EXPECT_EQ(reply.receipts[0].state, ReceiptState::kDelivered);
  EXPECT_EQ(reply.receipts[0].code, "DELIVRD");
  EXPECT_EQ(FormatUtc(reply.receipts[0].at), "2015-10-17T00:03:04Z");
  EXPECT_EQ(reply.receipts[1].state, ReceiptState::kUndelivered);
  EXPECT_TRUE(reply.receipts[1].contact_dead);
  EXPECT_FALSE(reply.receipts[2].contact_dead);
  EXPECT_FALSE(connector->receipts_name_attempt()) << "the state has the provider's id only";
}

// tencentcloud.com/document/product/382/43548
TEST(TencentCallback, AReplyBecomesASignal) {
  const auto connector = NewTencent(TcOptions(), nullptr);
  constexpr char kBody[] = R"({"extend":"","mobile":"13811110000","nationcode":"86","sign":"福田政务","text":"T",
                               "time":1457336869})";
  const delivery::CallbackReply reply = connector->ParseCallback({"POST", {}, {}, kBody});
  EXPECT_EQ(reply.status, 200);
  ASSERT_EQ(reply.signals.size(), 1U);
  EXPECT_EQ(reply.signals[0].kind, delivery::SignalKind::kReply);
  EXPECT_EQ(reply.signals[0].contact, "13811110000");
  EXPECT_EQ(reply.signals[0].text, "T");
  EXPECT_EQ(reply.signals[0].answered, "福田政务");
  EXPECT_EQ(FormatUtc(reply.signals[0].at), "2016-03-07T07:47:49Z");
  EXPECT_FALSE(reply.signals[0].provider_id.empty());
  EXPECT_EQ(connector->ParseCallback({"POST", {}, {}, kBody}).signals[0].provider_id, reply.signals[0].provider_id)
      << "the same twice is one";
  const delivery::CallbackReply other = connector->ParseCallback(
      {"POST", {}, {}, R"({"mobile":"13811110000","nationcode":"86","text":"T","time":1457336870})"});
  EXPECT_NE(other.signals[0].provider_id, reply.signals[0].provider_id);
  const delivery::CallbackReply abroad =
      connector->ParseCallback({"POST", {}, {}, R"({"mobile":"13811110000","nationcode":"1","text":"T","time":1})"});
  EXPECT_EQ(abroad.status, 200);
  EXPECT_TRUE(abroad.signals.empty());
}

TEST(TencentCallback, AConfiguredKeyIsRequired) {
  TencentOptions options = TcOptions();
  options.callback_key = delivery::Secret("k3y");
  const auto connector = NewTencent(options, nullptr);
  const auto status = [&](std::multimap<std::string, std::string> query) {
    return connector->ParseCallback({"POST", std::move(query), {}, "[]"}).status;
  };
  EXPECT_EQ(status({{"key", "k3y"}}), 200);
  EXPECT_EQ(status({}), 401);
  EXPECT_EQ(status({{"key", "k3z"}}), 401);
  EXPECT_EQ(status({{"key", "k3y"}, {"key", "k3y"}}), 401);
}

TEST(TencentCallback, AnythingElseIsRefusedWithoutReceipts) {
  const auto connector = NewTencent(TcOptions(), nullptr);
  for (const char* body : {"", "{}", "[1]", "[{}]", R"([{"report_status":"MAYBE","sid":"1"}])", "[", "null", "\"x\"",
                           R"({"mobile":"13811110000","text":1,"time":1})", R"({"mobile":"13811110000","text":"T"})",
                           R"({"text":"T","time":1})", R"({"mobile":"13811110000","text":"T","time":-1})"}) {
    const delivery::CallbackReply reply = connector->ParseCallback({"POST", {}, {}, body});
    EXPECT_EQ(reply.status, 400) << body;
    EXPECT_TRUE(reply.receipts.empty());
    EXPECT_TRUE(reply.signals.empty());
  }
  EXPECT_EQ(connector->ParseCallback({"GET", {}, {}, "[]"}).status, 405);
  EXPECT_EQ(connector->ParseCallback({"POST", {}, {}, std::string((1 << 20) + 1, ' ')}).status, 413);
}

TEST(Tencent, MessagesThatTencentWouldRefuseAreRefusedBefore) {
  const auto connector = NewTencent(TcOptions(), nullptr);
  const message::Content good = TcRequest().content;
  EXPECT_TRUE(connector->Check(good).has_value());
  message::Content content = good;
  content.provider_template = "other";
  EXPECT_FALSE(connector->Check(content).has_value());
  for (const char* value : {"", "a\nb", "http://x.cn", "【x】", "\xff"}) {
    content = good;
    content.fields[0].second = value;
    EXPECT_FALSE(connector->Check(content).has_value()) << value;
  }
}

TEST(Tencent, AsksAfterAnUnknownOutcomeOnlyWhenTheAnswerCanNameTheMessage) {
  EXPECT_EQ(NewTencent(TcOptions(), nullptr)->unknown_policy(), delivery::UnknownPolicy::kPark);
  TencentOptions options = TcOptions();
  options.session_echo = true;
  EXPECT_EQ(NewTencent(options, nullptr)->unknown_policy(), delivery::UnknownPolicy::kQuery);
}

TEST(Tencent, AMessageCostsItsSegments) {
  TencentOptions options = TcOptions();
  options.price_micros = 50'000;
  message::Content content = TcRequest().content;
  content.segments = 2;
  EXPECT_EQ(NewTencent(options, nullptr)->CostMicros(content), 100'000);
}

TEST(TencentSettings, AllMistakesComeAtOnce) {
  delivery::Settings settings;
  settings.SetPlace({"zhitui.yaml", 1, 1});  // secret_id and secret_key are missing
  settings.Set("base_url", "http:/x", {"zhitui.yaml", 2, 1});
  settings.Set("sign_name", "【福田政务】", {"zhitui.yaml", 3, 1});
  settings.Set("templates.a", "SMS_1", {"zhitui.yaml", 4, 1});
  settings.Set("sdk_app_id", "x", {"zhitui.yaml", 5, 1});
  settings.Set("session_echo", "yes", {"zhitui.yaml", 6, 1});
  settings.Set("secretkey", "x", {"zhitui.yaml", 7, 1});
  Diagnostics found;
  EXPECT_FALSE(ValidateTencent(settings, &found).has_value());
  std::multiset<std::uint32_t> lines;
  for (const Diagnostic& d : found) lines.insert(d.at.line);
  EXPECT_EQ(lines, (std::multiset<std::uint32_t>{1, 1, 2, 3, 4, 5, 6, 7}));
}

TEST(TencentSettings, AGoodBlockGivesOptions) {
  delivery::Settings settings;
  settings.Set("secret_id", "id", {});
  settings.Set("secret_key", "s", {});
  settings.Set("sdk_app_id", "1400006666", {});
  settings.Set("sign_name", "福田政务", {});
  settings.Set("templates.benefit", "1110", {});
  settings.Set("price_cny", "0.05", {});
  Diagnostics found;
  const auto options = ValidateTencent(settings, &found);
  ASSERT_TRUE(options.has_value()) << FormatDiagnostics(found);
  EXPECT_EQ(options->base_url, "https://sms.tencentcloudapi.com");
  EXPECT_EQ(options->templates.at("benefit"), "1110");
  EXPECT_EQ(options->price_micros, 50'000);
  EXPECT_EQ(options->secret_key.Get()->text, "s");
}

}  // namespace
}  // namespace zhitui::sms
