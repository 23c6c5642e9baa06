#include <gtest/gtest.h>

#include "sandbox/harness.h"

namespace sandbox {
namespace {

using nlohmann::json;

std::string Code(const httplib::Result& result) {
  return result ? json::parse(result->body)["Code"].get<std::string>() : "no answer";
}

// Signs, then changes the request before it is sent.
template <class Edit>
httplib::Result Tampered(Bench& bench, Edit edit, const std::string& body = "") {
  auto call = bench.Sign("SendSms", Bench::SmsQuery("13800138000", "t"));
  edit(call);
  return bench.client().Post(call.target, call.headers, body, "");
}

void Set(httplib::Headers& headers, const std::string& name, const std::string& value) {
  headers.erase(name);
  headers.emplace(name, value);
}

TEST(AliyunGateway, RefusesWhatIsNotSignedExactly) {
  Bench bench;
  using Call = Bench::Signed;
  EXPECT_EQ(Code(Tampered(bench, [](Call& c) { c.target += "&SmsUpExtendCode=1"; })), "SignatureDoesNotMatch");
  EXPECT_EQ(Code(Tampered(bench, [](Call& c) { Set(c.headers, "x-acs-action", "QuerySendDetails"); })),
            "SignatureDoesNotMatch");
  EXPECT_EQ(Code(Tampered(bench, [](Call& c) { Set(c.headers, "host", "dysmsapi.aliyuncs.com"); })),
            "SignatureDoesNotMatch");
  EXPECT_EQ(Code(Tampered(bench, [](Call& c) { Set(c.headers, "x-acs-content-sha256", Sha256Hex("x")); })),
            "SignatureDoesNotMatch");
  const auto body = Tampered(bench, [](Call&) {}, "body");
  EXPECT_NE(Code(body), "OK");
  const auto wrong = Tampered(bench, [](Call& c) {
    std::string authorization = c.headers.find("authorization")->second;
    authorization.back() = authorization.back() == '0' ? '1' : '0';
    Set(c.headers, "authorization", authorization);
  });
  EXPECT_EQ(wrong->status, 400);
  EXPECT_EQ(Code(wrong), "SignatureDoesNotMatch");
  EXPECT_EQ(Code(Tampered(bench, [](Call& c) { c.headers.emplace("x-acs-security-token", "t"); })),
            "IncompleteSignature");
  EXPECT_EQ(Code(Tampered(bench, [](Call& c) { Set(c.headers, "authorization", "Basic dTpw"); })),
            "IncompleteSignature");
  for (const char* name : {"authorization", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce",
                           "x-acs-content-sha256"}) {
    EXPECT_EQ(Code(Tampered(bench, [&](Call& c) { c.headers.erase(name); })), "MissingParameter") << name;
  }
  const auto unknown = Tampered(bench, [](Call& c) {
    std::string authorization = c.headers.find("authorization")->second;
    Set(c.headers, "authorization", authorization.replace(authorization.find("testid"), 6, "nobody"));
  });
  EXPECT_EQ(unknown->status, 404);
  EXPECT_EQ(Code(unknown), "InvalidAccessKeyId.NotFound");
  EXPECT_TRUE(bench.Lines().empty());
  EXPECT_EQ(Code(Tampered(bench, [](Call&) {})), "OK");
}

// The same call as the SDK signs it with SM3, whose digests go into the same header.
TEST(AliyunGateway, VerifiesSm3Too) {
  Bench bench;
  const auto signed_with = [&](Acs3Algorithm algorithm, const std::string& name) {
    const Pairs query = Bench::SmsQuery("13800138000", "t");
    const std::string digest = algorithm == Acs3Algorithm::kSm3 ? Sm3Hex("") : Sha256Hex("");
    const Pairs headers = {{"host", "127.0.0.1:" + std::to_string(bench.port())},
                           {"x-acs-action", "SendSms"},
                           {"x-acs-content-sha256", digest},
                           {"x-acs-date", "2026-01-15T02:00:00Z"},
                           {"x-acs-signature-nonce", RandomHex(32)},
                           {"x-acs-version", "2017-05-25"}};
    std::vector<std::string> names;
    std::string joined;
    httplib::Headers sent;
    for (const auto& [key, value] : headers) {
      names.push_back(key);
      joined += (joined.empty() ? "" : ";") + key;
      sent.emplace(key, value);
    }
    const std::string signature =
        Acs3Signature("testsecret", Acs3CanonicalRequest("POST", "/", query, headers, names, digest), algorithm);
    sent.emplace("authorization", name + " Credential=testid,SignedHeaders=" + joined + ",Signature=" + signature);
    return Code(bench.client().Post(bench.Sign("SendSms", query).target, sent, "", ""));
  };
  EXPECT_EQ(signed_with(Acs3Algorithm::kSm3, "ACS3-HMAC-SM3"), "OK");
  EXPECT_EQ(signed_with(Acs3Algorithm::kSha256, "ACS3-HMAC-SHA256"), "OK");
  EXPECT_EQ(signed_with(Acs3Algorithm::kSm3, "ACS3-HMAC-SHA256"), "SignatureDoesNotMatch");
  EXPECT_EQ(signed_with(Acs3Algorithm::kSha256, "ACS3-HMAC-SM3"), "SignatureDoesNotMatch");
  EXPECT_EQ(signed_with(Acs3Algorithm::kSm3, "ACS3-RSA-SHA256"), "IncompleteSignature");
}

TEST(AliyunGateway, TakesADateWithinFifteenMinutesOnly) {
  Bench bench;
  for (const int64_t late : {-900'000, 900'000}) {
    const auto call = bench.Sign("SendSms", Bench::SmsQuery("13800138000", "t"));
    bench.Advance(late);
    EXPECT_EQ(Code(bench.client().Post(call.target, call.headers, "", "")), "OK") << late;
    bench.Advance(-late);
    const auto again = bench.Sign("SendSms", Bench::SmsQuery("13800138000", "t"));
    const int64_t more = late + (late > 0 ? 1000 : -1000);
    bench.Advance(more);
    EXPECT_EQ(Code(bench.client().Post(again.target, again.headers, "", "")), "InvalidTimeStamp.Expired") << late;
    bench.Advance(-more);
  }
}

TEST(AliyunGateway, NeverTakesANonceTwice) {
  Bench bench;
  const auto query = Bench::SmsQuery("13800138000", "t");
  const auto call = bench.Sign("SendSms", query, "nonce-1");
  EXPECT_EQ(Code(bench.client().Post(call.target, call.headers, "", "")), "OK");
  const auto replay = bench.client().Post(call.target, call.headers, "", "");
  EXPECT_EQ(Code(replay), "SignatureNonceUsed");
  EXPECT_EQ(replay->status, 400);
  bench.Advance(1'000'000);
  const auto later = bench.Sign("SendSms", query, "nonce-1");
  EXPECT_EQ(Code(bench.client().Post(later.target, later.headers, "", "")), "SignatureNonceUsed");
  EXPECT_EQ(bench.Lines().size(), 1U);
}

TEST(AliyunGateway, KnowsItsVersionAndActions) {
  Bench bench;
  const auto other = bench.Rpc("SendCard", {});
  EXPECT_EQ(other->status, 404);
  EXPECT_EQ(Code(other), "InvalidAction.NotFound");
}

TEST(AliyunSendSms, EveryAcceptedCallIsANewMessageEvenWithTheSameOutId) {
  Bench bench;
  const json first = bench.Sms("+8613800138000", "m-1");
  const json second = bench.Sms("13800138000", "m-1");
  EXPECT_EQ(first["Code"], "OK");
  EXPECT_NE(first["BizId"], second["BizId"]);
  const auto lines = bench.Lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_TRUE(lines[0]["duplicate_of"].is_null());
  EXPECT_EQ(lines[1]["duplicate_of"], first["BizId"]);
  for (const json& line : lines) {
    EXPECT_EQ(line["message_id"], "m-1");
    EXPECT_EQ(line["attempt_id"], "m-1");
    EXPECT_EQ(line["recipient_sha256"], Sha256Hex("13800138000").substr(0, 16));
    EXPECT_EQ(line["content"]["sign"], "福田政务");
    EXPECT_EQ(line["content"]["params"]["item"], "高龄津贴");
    EXPECT_EQ(line.dump().find("13800138000"), std::string::npos);
  }
}

TEST(AliyunSendSms, RefusesInTheBusinessAnswerWithHttp200) {
  Options options;
  options.aliyun_signs = {"福田政务"};
  options.aliyun_templates = {{"SMS_154950909", "${name}，您可领取${item}。"}};
  Bench bench(options);
  const auto with = [&](const std::string& key, const std::string& value) {
    Pairs query = Bench::SmsQuery("13800138000", "m-1");
    for (auto& pair : query) {
      if (pair.first == key) pair.second = value;
    }
    const auto result = bench.Rpc("SendSms", query);
    EXPECT_EQ(result->status, 200);
    return Code(result);
  };
  EXPECT_EQ(with("PhoneNumbers", "12800138000"), "isv.MOBILE_NUMBER_ILLEGAL");
  EXPECT_EQ(with("PhoneNumbers", "13800138000,"), "OK");
  EXPECT_EQ(with("SignName", "别的签名"), "isv.SMS_SIGNATURE_ILLEGAL");
  EXPECT_EQ(with("SignName", "【福田政务】"), "isv.SMS_SIGNATURE_ILLEGAL");
  EXPECT_EQ(with("TemplateCode", "SMS_1"), "isv.SMS_TEMPLATE_ILLEGAL");
  EXPECT_EQ(with("TemplateCode", "T1"), "isv.SMS_TEMPLATE_ILLEGAL");
  EXPECT_EQ(with("TemplateParam", "{\"name\":"), "isv.INVALID_JSON_PARAM");
  EXPECT_EQ(with("TemplateParam", "[1]"), "isv.INVALID_JSON_PARAM");
  EXPECT_EQ(with("TemplateParam", R"({"name":"张三"})"), "isv.TEMPLATE_MISSING_PARAMETERS");
  EXPECT_EQ(with("TemplateParam", R"({"name":"张三","item":"https://a.b"})"), "isv.PARAM_NOT_SUPPORT_URL");
  EXPECT_EQ(with("TemplateParam", json({{"name", "x"}, {"item", std::string(500, 'y')}}).dump()),
            "isv.PARAM_LENGTH_LIMIT");
  EXPECT_EQ(with("OutId", std::string(256, 'i')), "isv.INVALID_PARAMETERS");
  EXPECT_EQ(with("OutId", std::string(255, 'i')), "OK");
  EXPECT_EQ(bench.Lines().back()["content"]["text"], "【福田政务】张三，您可领取高龄津贴。");
  const auto missing = bench.Rpc("SendSms", {{"PhoneNumbers", "13800138000"}});
  EXPECT_EQ(missing->status, 400);
  EXPECT_EQ(Code(missing), "MissingSignName");
}

TEST(AliyunSendSms, SendsToSeveralNumbersUnderOneBizId) {
  Bench bench;
  const json answer = bench.Sms("13800138000,13800138001", "m-1");
  const auto lines = bench.Lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0]["provider_id"], answer["BizId"]);
  EXPECT_EQ(lines[1]["provider_id"], answer["BizId"]);
}

TEST(AliyunQuery, FindsWhatWasSentThatDayAndItsFate) {
  Options options;
  options.receipt_delay_ms = 1000;
  Bench bench(options);
  const json sent = bench.Sms("13800138000", "m-1");
  const json failed = bench.Sms("13800130004", "m-2");
  const json silent = bench.Sms("13800130009", "m-3");
  const auto one = [](const json& answer) { return answer["SmsSendDetailDTOs"]["SmsSendDetailDTO"].at(0); };
  EXPECT_EQ(one(bench.Details("13800138000"))["SendStatus"], 1);
  bench.Advance(1000);
  const json answer = bench.Details("13800138000");
  EXPECT_EQ(answer["Code"], "OK");
  EXPECT_EQ(answer["TotalCount"], 1);
  const json detail = one(answer);
  EXPECT_EQ(detail["SendStatus"], 3);
  EXPECT_EQ(detail["ErrCode"], "DELIVERED");
  EXPECT_EQ(detail["OutId"], "m-1");
  EXPECT_EQ(detail["PhoneNum"], "13800138000");
  EXPECT_EQ(detail["SendDate"], "2026-01-15 10:00:00");
  EXPECT_EQ(detail["ReceiveDate"], "2026-01-15 10:00:01");
  EXPECT_EQ(detail["TemplateCode"], "SMS_154950909");
  EXPECT_EQ(one(bench.Details("13800130004"))["SendStatus"], 2);
  EXPECT_EQ(one(bench.Details("13800130009"))["SendStatus"], 1);
  EXPECT_EQ(bench.Details("13800138000", "20260114")["TotalCount"], 0);
  EXPECT_EQ(bench.Details("13900139000")["TotalCount"], 0);
  const Pairs by_biz = {{"PhoneNumber", "13800138000"},
                        {"SendDate", "20260115"},
                        {"PageSize", "10"},
                        {"CurrentPage", "1"},
                        {"BizId", failed["BizId"].get<std::string>()}};
  EXPECT_EQ(json::parse(bench.Rpc("QuerySendDetails", by_biz)->body)["TotalCount"], 0);
}

TEST(AliyunQuery, PagesNewestFirstAndBoundsThePageSize) {
  Bench bench;
  for (int i = 0; i < 5; ++i) bench.Sms("13800138000", "m-" + std::to_string(i));
  const auto page = [&](const char* size, const char* number) {
    return json::parse(
        bench
            .Rpc(
                "QuerySendDetails",
                {{"PhoneNumber", "13800138000"}, {"SendDate", "20260115"}, {"PageSize", size}, {"CurrentPage", number}})
            ->body);
  };
  const json second = page("2", "2");
  EXPECT_EQ(second["TotalCount"], 5);
  const json& list = second["SmsSendDetailDTOs"]["SmsSendDetailDTO"];
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0]["OutId"], "m-2");
  EXPECT_EQ(list[1]["OutId"], "m-1");
  EXPECT_EQ(page("51", "1")["Code"], "isv.INVALID_PARAMETERS");
  EXPECT_EQ(page("0", "1")["Code"], "isv.INVALID_PARAMETERS");
}

TEST(AliyunQuery, DoesNotSeeYoungMessagesWhenALagIsSet) {
  Options options;
  options.aliyun_query_lag_ms = 500;
  Bench bench(options);
  bench.Sms("13800138000", "m-1");
  EXPECT_EQ(bench.Details("13800138000")["TotalCount"], 0);
  bench.Advance(500);
  EXPECT_EQ(bench.Details("13800138000")["TotalCount"], 1);
}

TEST(AliyunMagic, EachNumberFailsAsDocumented) {
  Bench bench;
  const auto send = [&](const char* phone) { return Code(bench.Rpc("SendSms", Bench::SmsQuery(phone, "id"))); };
  const auto lines = [&] { return bench.Lines().size(); };
  const auto throttled = bench.Rpc("SendSms", Bench::SmsQuery("13800130001", "id"));
  EXPECT_EQ(throttled->status, 400);
  EXPECT_EQ(Code(throttled), "Throttling.User");
  EXPECT_EQ(send("13800130001"), "OK");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(send("13800130002"), "isv.MOBILE_NUMBER_ILLEGAL");
  EXPECT_EQ(send("13800130003"), "isp.SYSTEM_ERROR");
  EXPECT_EQ(send("13800130003"), "isp.SYSTEM_ERROR");
  EXPECT_EQ(lines(), 1U);
  EXPECT_EQ(send("13800130003"), "OK");
  EXPECT_EQ(send("13800130004"), "OK");
  EXPECT_EQ(lines(), 3U);

  EXPECT_EQ(send("13800130005"), "no answer");
  EXPECT_EQ(lines(), 4U);
  EXPECT_EQ(bench.Details("13800130005")["SmsSendDetailDTOs"]["SmsSendDetailDTO"][0]["OutId"], "id");
  EXPECT_EQ(send("13800130005"), "OK");
  EXPECT_EQ(lines(), 5U);
  EXPECT_EQ(bench.Lines()[4]["duplicate_of"], bench.Lines()[3]["provider_id"]);

  EXPECT_EQ(send("13800130006"), "no answer");
  EXPECT_EQ(lines(), 5U);
  EXPECT_EQ(bench.Details("13800130006")["TotalCount"], 0);
  EXPECT_EQ(send("13800130006"), "OK");
  EXPECT_EQ(lines(), 6U);

  EXPECT_EQ(send("13800130007"), "OK");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(send("13800130008"), "isv.AMOUNT_NOT_ENOUGH");
  EXPECT_EQ(send("13800130009"), "OK");
  EXPECT_EQ(lines(), 8U);
}

TEST(AliyunMagic, ADeadNumberIsToldInTheReportAndTheQuery) {
  Receiver receiver;
  Options options;
  options.callback_base = receiver.Base();
  options.receipt_delay_ms = 0;
  Bench bench(options);
  EXPECT_EQ(bench.Sms("13800130014", "m-1")["Code"], "OK");
  const auto got = receiver.Wait(1);
  ASSERT_EQ(got.size(), 1U);
  const json report = json::parse(got[0].body).at(0);
  EXPECT_EQ(report["success"], false);
  EXPECT_EQ(report["err_code"], "MOBILE_NOT_ON_SERVICE");
  const json detail = bench.Details("13800130014")["SmsSendDetailDTOs"]["SmsSendDetailDTO"][0];
  EXPECT_EQ(detail["SendStatus"], 2);
  EXPECT_EQ(detail["ErrCode"], "MOBILE_NOT_ON_SERVICE");
}

TEST(AliyunMagic, AReportMayComeBeforeTheAnswer) {
  Receiver receiver;
  Options options;
  options.callback_base = receiver.Base();
  Bench bench(options);
  EXPECT_EQ(bench.Sms("13800130015", "m-1")["Code"], "OK");
  EXPECT_EQ(receiver.Wait(0).size(), 1U) << "it was there when the answer came";
  EXPECT_EQ(bench.server().GetStats().at("aliyun").receipts_acked, 1U);
}

// help.aliyun.com, SmsUp.
TEST(AliyunReplies, ArePushedAsTheProviderDoes) {
  Receiver receiver;
  Options options;
  options.callback_base = receiver.Base();
  options.aliyun_callback_key = "k";
  Bench bench(options);
  const auto push = [&](const std::string& body) {
    return bench.client().Post("/sandbox/reply", body, "application/json")->status;
  };
  EXPECT_EQ(push(R"({"provider":"aliyun","phone":"+8613800138000","text":"退订"})"), 200);
  EXPECT_EQ(push(R"({"provider":"aliyun","phone":"1"})"), 404) << "not a number";
  EXPECT_EQ(push(R"({"provider":"jpush","phone":"13800138000","text":"x"})"), 404) << "nobody answers a push";
  EXPECT_EQ(push(R"({"provider":"aliyun"})"), 400);
  EXPECT_EQ(push("]"), 400);
  const auto got = receiver.Wait(1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].path, "/v1/receipts/aliyun");
  EXPECT_EQ(got[0].query.find("key")->second, "k");
  const json reply = json::parse(got[0].body).at(0);
  EXPECT_EQ(reply["phone_number"], "13800138000");
  EXPECT_EQ(reply["content"], "退订");
  EXPECT_EQ(reply["send_time"], "2026-01-15 10:00:00");
  EXPECT_TRUE(reply["sign_name"].is_string());
  EXPECT_TRUE(reply["dest_code"].is_string());
  EXPECT_TRUE(reply["sequence_id"].is_string());
}

TEST(AliyunRestart, StillFindsMessagesAndSeesRepeats) {
  Bench bench;
  const json first = bench.Sms("13800138000", "m-1");
  EXPECT_EQ(Code(bench.Rpc("SendSms", Bench::SmsQuery("13800130005", "m-5"))), "no answer");
  bench.Restart();
  EXPECT_EQ(bench.Details("13800138000")["SmsSendDetailDTOs"]["SmsSendDetailDTO"][0]["OutId"], "m-1");
  const json second = bench.Sms("13800138000", "m-1");
  EXPECT_NE(second["BizId"], first["BizId"]);
  EXPECT_EQ(bench.Lines().back()["duplicate_of"], first["BizId"]);
  EXPECT_EQ(Code(bench.Rpc("SendSms", Bench::SmsQuery("13800130005", "m-5"))), "OK");
}

}  // namespace
}  // namespace sandbox
