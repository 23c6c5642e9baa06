#include "sandbox/tencent.h"

#include <gtest/gtest.h>

#include "sandbox/harness.h"
#include "sandbox/tc3.h"

namespace sandbox {
namespace {

using nlohmann::json;

// The documented sample of CVM (cloud.tencent.com/document/api/213/30654), signing content type and host.
TEST(Tc3, SignsTheDocumentedSample) {
  const std::string canonical =
      Tc3CanonicalRequest({{"host", "cvm.tencentcloudapi.com"}, {"content-type", "application/json; charset=utf-8"}},
                          {"content-type", "host"},
                          R"({"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]})");
  EXPECT_EQ(Tc3Signature("Gu5t9xGARNpq86cd98joQYCN3EXAMPLE", "cvm", "2019-02-25", "1551113065", canonical),
            "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168");
}

// What the provider's SDK sent for this message at this second.
TEST(Tc3, SignsTheSendSmsOfTheOfficialSdk) {
  const std::string body =
      R"({"PhoneNumberSet":["+8613800138000"],"SmsSdkAppId":"1400006666","TemplateId":"1110","SignName":"福田政务",)"
      R"("TemplateParamSet":["张三","高龄津贴"],"SessionContext":"m-1"})";
  const std::string canonical = Tc3CanonicalRequest(
      {{"content-type", "application/json"}, {"host", "sms.tencentcloudapi.com"}}, {"content-type", "host"}, body);
  EXPECT_EQ(Sha256Hex(canonical), "ae0f45059a5d4bc397593fe248da327f92468e8d41b09c30655187f3ec1cc0c0");
  EXPECT_EQ(Tc3Signature("testsecret", "sms", "2026-01-15", "1768442400", canonical),
            "f1ae2bfdd7cc39098c1416e70f969003e214a4681de126f47d694c6525974867");
}

json SmsBody(const std::string& phone, const std::string& session) {
  return {{"PhoneNumberSet", {phone}},
          {"SmsSdkAppId", "1400006666"},
          {"TemplateId", "1110"},
          {"SignName", "福田政务"},
          {"TemplateParamSet", {"张三", "高龄津贴"}},
          {"SessionContext", session}};
}

// A client that signs as documented; `edit` changes the headers after signing.
struct TcClient {
  Bench& bench;
  int64_t seconds = kNow / 1000;
  std::string host;
  std::string secret = "testsecret";

  httplib::Result Post(
      const std::string& action, const json& body,
      const std::function<void(httplib::Headers&)>& edit = [](httplib::Headers&) {}) {
    const std::string text = body.dump();
    const std::string sent_host = "127.0.0.1:" + std::to_string(bench.port());
    const std::string canonical =
        Tc3CanonicalRequest({{"content-type", "application/json"}, {"host", host.empty() ? sent_host : host}},
                            {"content-type", "host"}, text);
    const std::string date = IsoUtc(seconds * 1000).substr(0, 10);
    httplib::Headers headers = {
        {"Host", sent_host},
        {"X-TC-Action", action},
        {"X-TC-Version", "2021-01-11"},
        {"X-TC-Timestamp", std::to_string(seconds)},
        {"X-TC-Region", "ap-guangzhou"},
        {"Authorization", "TC3-HMAC-SHA256 Credential=testid/" + date +
                              "/sms/tc3_request, SignedHeaders=content-type;host, Signature=" +
                              Tc3Signature(secret, "sms", date, std::to_string(seconds), canonical)}};
    edit(headers);
    return bench.client().Post("/tencent/", headers, text, "application/json");
  }
  json Send(const json& body) { return json::parse(Post("SendSms", body)->body)["Response"]; }
  // The code of the call, or of its only number.
  std::string Code(const json& body) {
    const json answer = Send(body);
    return answer.contains("Error") ? answer["Error"]["Code"] : answer["SendStatusSet"][0]["Code"];
  }
};

std::string ErrorOf(const httplib::Result& result) {
  const json answer = json::parse(result->body)["Response"];
  return answer.contains("Error") ? answer["Error"]["Code"].get<std::string>() : "none";
}

TEST(TencentGateway, RefusesWhatIsNotSignedExactly) {
  Bench bench;
  TcClient client{bench, kNow / 1000, "", "testsecret"};
  const json body = SmsBody("+8613800138000", "t");
  const auto with = [&](const char* name, const char* value) {
    return ErrorOf(client.Post("SendSms", body, [&](httplib::Headers& headers) {
      headers.erase(name);
      if (value != nullptr) headers.emplace(name, value);
    }));
  };
  EXPECT_EQ(with("Authorization", nullptr), "AuthFailure.InvalidAuthorization");
  EXPECT_EQ(with("Authorization", "Basic dTpw"), "AuthFailure.InvalidAuthorization");
  EXPECT_EQ(with("X-TC-Timestamp", nullptr), "MissingParameter");
  EXPECT_EQ(with("X-TC-Timestamp", "1768442401"), "AuthFailure.SignatureFailure");
  EXPECT_EQ(with("X-TC-Version", "2019-07-11"), "NoSuchVersion");
  EXPECT_EQ(with("X-TC-Region", nullptr), "MissingParameter");
  EXPECT_EQ(with("X-TC-Action", "SendMail"), "InvalidAction");
  client.secret = "wrong";
  EXPECT_EQ(client.Code(body), "AuthFailure.SignatureFailure");
  client.secret = "testsecret";
  client.host = "sms.tencentcloudapi.com";
  EXPECT_EQ(client.Code(body), "AuthFailure.SignatureFailure") << "not the host that was asked";
  client.host = "127.0.0.1";
  EXPECT_EQ(client.Code(body), "Ok") << "the SDK leaves the port out";
  EXPECT_EQ(bench.Lines().size(), 1U);
}

TEST(TencentGateway, TakesATimeWithinFiveMinutesOnly) {
  Bench bench;
  for (const int late : {-300, 300}) {
    TcClient client{bench, kNow / 1000 + late, "", "testsecret"};
    EXPECT_EQ(client.Code(SmsBody("13800138000", "t")), "Ok") << late;
    client.seconds += late > 0 ? 1 : -1;
    EXPECT_EQ(client.Code(SmsBody("13800138000", "t")), "AuthFailure.SignatureExpire") << late;
  }
}

TEST(TencentSendSms, ChecksNumbersSignatureTemplateAndParameters) {
  Options options;
  options.tencent.signs = {"福田政务"};
  options.tencent.templates = {{"1110", "{1}，您可领取{2}。"}};
  Bench bench(options);
  TcClient client{bench, kNow / 1000, "", "testsecret"};
  const auto with = [&](const char* key, const json& value) {
    json body = SmsBody("+8613800138000", "t");
    body[key] = value;
    return client.Code(body);
  };
  EXPECT_EQ(with("PhoneNumberSet", {"12800138000"}), "InvalidParameterValue.IncorrectPhoneNumber");
  EXPECT_EQ(with("PhoneNumberSet", json::array()), "MissingParameter");
  EXPECT_EQ(with("PhoneNumberSet", std::vector<std::string>(201, "13800138000")),
            "LimitExceeded.PhoneNumberCountLimit");
  EXPECT_EQ(with("SmsSdkAppId", "1"), "InvalidParameterValue.SdkAppIdNotExist");
  EXPECT_EQ(with("SignName", "别的"), "FailedOperation.SignatureIncorrectOrUnapproved");
  EXPECT_EQ(with("TemplateId", "1111"), "FailedOperation.TemplateUnapprovedOrNotExist");
  EXPECT_EQ(with("TemplateParamSet", {"张三"}), "FailedOperation.TemplateParamSetNotMatchApprovedTemplate");
  EXPECT_EQ(with("TemplateParamSet", {"张三", "b", "c"}), "FailedOperation.TemplateParamSetNotMatchApprovedTemplate");
  EXPECT_EQ(with("TemplateParamSet", {"张三", "http://a"}),
            "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter");
  EXPECT_EQ(with("TemplateParamSet", {"张三", std::string(500, 'y')}), "InvalidParameterValue.ContentLengthLimit");
  EXPECT_EQ(with("SessionContext", std::string(512, 's')), "InvalidParameterValue");
  EXPECT_EQ(with("OutId", "x"), "UnknownParameter");
  EXPECT_TRUE(bench.Lines().empty());
  EXPECT_EQ(with("SessionContext", "t-9"), "Ok");
  const json line = bench.Lines().at(0);
  EXPECT_EQ(line["provider"], "tencent");
  EXPECT_EQ(line["attempt_id"], "t-9");
  EXPECT_EQ(line["content"]["text"], "【福田政务】张三，您可领取高龄津贴。");
  EXPECT_EQ(line.dump().find("13800138000"), std::string::npos);
}

TEST(TencentSendSms, AnswersForEachNumberAndBillsItsSegments) {
  Bench bench;
  TcClient client{bench, kNow / 1000, "", "testsecret"};
  json body = SmsBody("+8613800138000", "t");
  body["PhoneNumberSet"] = {"+8613800138000", "13800130002", "8613800138001"};
  body["TemplateParamSet"] = {std::string(80, 'x')};
  const json states = client.Send(body)["SendStatusSet"];
  ASSERT_EQ(states.size(), 3U);
  EXPECT_EQ(states[0]["Code"], "Ok");
  EXPECT_EQ(states[0]["Fee"], 2) << "86 characters";
  EXPECT_EQ(states[0]["SessionContext"], "t");
  EXPECT_EQ(states[1]["Code"], "FailedOperation.PhoneNumberInBlacklist");
  EXPECT_EQ(states[1]["SerialNo"], "");
  EXPECT_EQ(states[2]["Code"], "Ok");
  EXPECT_NE(states[0]["SerialNo"], states[2]["SerialNo"]);
}

TEST(TencentPull, ListsWhatCarriersHaveAnsweredFor) {
  Options options;
  options.receipt_delay_ms = 1000;
  Bench bench(options);
  TcClient client{bench, kNow / 1000, "", "testsecret"};
  client.Send(SmsBody("13800138000", "t-1"));
  client.Send(SmsBody("13800130009", "t-2"));
  const auto pull = [&](const char* phone, json more = json::object()) {
    json body = {{"BeginTime", kNow / 1000 - 60},
                 {"Offset", 0},
                 {"Limit", 100},
                 {"PhoneNumber", phone},
                 {"SmsSdkAppId", "1400006666"}};
    body.update(more);
    return json::parse(client.Post("PullSmsSendStatusByPhoneNumber", body)->body)["Response"];
  };
  EXPECT_TRUE(pull("+8613800138000")["PullSmsSendStatusSet"].empty());
  bench.Advance(1000);
  const json states = pull("+8613800138000")["PullSmsSendStatusSet"];
  ASSERT_EQ(states.size(), 1U);
  EXPECT_EQ(states[0]["SessionContext"], "t-1");
  EXPECT_EQ(states[0]["ReportStatus"], "SUCCESS");
  EXPECT_EQ(states[0]["Description"], "DELIVRD");
  EXPECT_EQ(states[0]["UserReceiveTime"], kNow / 1000 + 1);
  EXPECT_TRUE(pull("+8613800130009")["PullSmsSendStatusSet"].empty()) << "no answer of the carrier";
  EXPECT_TRUE(pull("+8613800138000", {{"BeginTime", kNow / 1000 + 60}})["PullSmsSendStatusSet"].empty());
  EXPECT_EQ(pull("+8613800138000", {{"Limit", 101}})["Error"]["Code"], "InvalidParameterValue");
  EXPECT_EQ(pull("13800138000")["Error"]["Code"], "InvalidParameterValue");
}

TEST(TencentMagic, EachNumberFailsAsDocumented) {
  Bench bench;
  TcClient client{bench, kNow / 1000, "", "testsecret"};
  const auto send = [&](const char* phone) { return client.Code(SmsBody(phone, "id")); };
  const auto lines = [&] { return bench.Lines().size(); };
  EXPECT_EQ(send("13800130001"), "LimitExceeded.PhoneNumberThirtySecondLimit");
  EXPECT_EQ(send("13800130001"), "Ok");
  EXPECT_EQ(send("13800130003"), "ServiceUnavailable");
  EXPECT_EQ(send("13800130003"), "ServiceUnavailable");
  EXPECT_EQ(send("13800130003"), "Ok");
  EXPECT_EQ(lines(), 2U);
  EXPECT_FALSE(client.Post("SendSms", SmsBody("13800130005", "id")));
  EXPECT_EQ(lines(), 3U);
  EXPECT_FALSE(client.Post("SendSms", SmsBody("13800130006", "id")));
  EXPECT_EQ(lines(), 3U);
  EXPECT_EQ(send("13800130005"), "Ok");
  EXPECT_EQ(bench.Lines()[3]["duplicate_of"], bench.Lines()[2]["provider_id"]);
  EXPECT_EQ(send("13800130008"), "FailedOperation.InsufficientBalanceInSmsPackage");
  EXPECT_EQ(send("13800130012"), "AuthFailure.SignatureExpire");
  EXPECT_EQ(send("13800130012"), "Ok");
}

// cloud.tencent.com/document/api/382/5807 and tencentcloud.com/document/product/382/43548
TEST(TencentPushes, StatesAreArraysAndRepliesAreObjects) {
  Receiver receiver;
  Options options;
  options.callback_base = receiver.Base();
  options.tencent.callback_key = "k";
  Bench bench(options);
  TcClient client{bench, kNow / 1000, "", "testsecret"};
  const json sent = client.Send(SmsBody("+8613800130015", "t-1"));
  auto got = receiver.Wait(0);
  ASSERT_EQ(got.size(), 1U) << "reported before the answer";
  EXPECT_EQ(got[0].path, "/v1/receipts/tencent");
  EXPECT_EQ(got[0].query.find("key")->second, "k");
  const json state = json::parse(got[0].body).at(0);
  EXPECT_EQ(state["sid"], sent["SendStatusSet"][0]["SerialNo"]);
  EXPECT_EQ(state["mobile"], "13800130015");
  EXPECT_EQ(state["nationcode"], "86");
  EXPECT_EQ(state["report_status"], "SUCCESS");
  EXPECT_EQ(state["errmsg"], "DELIVRD");
  EXPECT_TRUE(bench.server().Push({"tencent", "13800138000", "TD"}));
  got = receiver.Wait(2);
  ASSERT_EQ(got.size(), 2U);
  const json reply = json::parse(got[1].body);
  EXPECT_EQ(reply, json({{"extend", ""},
                         {"mobile", "13800138000"},
                         {"nationcode", "86"},
                         {"sign", "福田政务"},
                         {"text", "TD"},
                         {"time", kNow / 1000}}));
}

TEST(TencentRestart, StillSeesRepeats) {
  Bench bench;
  TcClient client{bench, kNow / 1000, "", "testsecret"};
  const json first = client.Send(SmsBody("13800138000", "t-1"));
  bench.Restart();
  client.Send(SmsBody("13800138000", "t-1"));
  EXPECT_EQ(bench.Lines().back()["duplicate_of"], first["SendStatusSet"][0]["SerialNo"]);
  EXPECT_NE(bench.Lines().back()["provider_id"], first["SendStatusSet"][0]["SerialNo"]);
}

}  // namespace
}  // namespace sandbox
