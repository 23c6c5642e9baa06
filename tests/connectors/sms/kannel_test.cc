#include <gtest/gtest.h>

#include <set>

#include "sms/kannel_codes.h"
#include "sms/kannel_wire.h"
#include "sms/sms.h"

namespace zhitui::sms {
namespace {

using delivery::ReceiptState;
using delivery::Verdict;
using Query = std::multimap<std::string, std::string>;

KannelOptions KnOptions() {
  KannelOptions options;
  options.base_url = "http://smsbox:13013";
  options.username = "zhitui";
  options.password = delivery::Secret("p&w");
  options.from = "10690000";
  options.callback_url = "http://zhitui:8080/v1/receipts/kannel";
  options.callback_key = delivery::Secret("k/3 y");
  return options;
}

delivery::SendRequest KnRequest() {
  delivery::SendRequest request;
  request.attempt_id = "m-1";
  request.contact = "13800138000";
  request.content.channel = Channel::kSms;
  request.content.body = "【福田政务】您好";
  return request;
}

// Kannel user guide 1.4.5, "CGI-variables of sendsms". smsbox fills %d, %A and %T in, so a percent sign of our own is
// doubled before the whole is encoded.
TEST(KannelWire, ASendsmsHasItsParametersEncoded) {
  const delivery::HttpCall call = SendsmsCall(KnOptions(), "13800138000", KnRequest());
  EXPECT_EQ(call.method, "GET");
  EXPECT_EQ(call.body, "");
  EXPECT_EQ(call.target,
            "/cgi-bin/sendsms?username=zhitui&password=p%26w&from=10690000&to=13800138000"
            "&text=%E3%80%90%E7%A6%8F%E7%94%B0%E6%94%BF%E5%8A%A1%E3%80%91%E6%82%A8%E5%A5%BD"
            "&coding=2&charset=UTF-8&dlr-mask=19&dlr-url=http%3A%2F%2Fzhitui%3A8080%2Fv1%2Freceipts%2Fkannel"
            "%3Fkey%3Dk%25%252F3%25%2520y%26attempt%3Dm-1%26type%3D%25d%26answer%3D%25A%26time%3D%25T");
}

TEST(KannelWire, WithoutACallBackNoReportIsAskedFor) {
  KannelOptions options = KnOptions();
  options.callback_url.clear();
  options.number_prefix = "+86";
  options.smsc = "cmpp";
  const std::string target = SendsmsCall(options, "13800138000", KnRequest()).target;
  EXPECT_EQ(target.find("dlr"), std::string::npos);
  EXPECT_NE(target.find("&to=%2B8613800138000&"), std::string::npos);
  EXPECT_NE(target.find("&smsc=cmpp"), std::string::npos);
  EXPECT_FALSE(NewKannel(options, nullptr)->sends_receipts());
  EXPECT_TRUE(NewKannel(KnOptions(), nullptr)->sends_receipts());
}

// The texts are those that Kannel 1.4.5 was seen to give.
TEST(KannelCodes, EachAnswerHasItsVerdict) {
  EXPECT_EQ(KannelVerdictFor(202, "0: Accepted for delivery"), Verdict::kAccepted);
  EXPECT_EQ(KannelVerdictFor(202, "3: Queued for later delivery"), Verdict::kAccepted);
  EXPECT_EQ(KannelVerdictFor(403, "Authorization failed for sendsms"), Verdict::kStopChannel);
  EXPECT_EQ(KannelVerdictFor(401, ""), Verdict::kStopChannel);
  EXPECT_EQ(KannelVerdictFor(400, "Missing receiver number, rejected"), Verdict::kDropContact);
  EXPECT_EQ(KannelVerdictFor(400, "Empty receiver number not allowed, rejected"), Verdict::kDropContact);
  EXPECT_EQ(KannelVerdictFor(400, "Garbage 'to' field, rejected."), Verdict::kDropContact);
  EXPECT_EQ(KannelVerdictFor(400, "Charset or body misformed, rejected"), Verdict::kFixMessage);
  EXPECT_EQ(KannelVerdictFor(404, "Number(s) has/have been denied by white- and/or black-lists."),
            Verdict::kDropContact);
  EXPECT_EQ(KannelVerdictFor(404, "Unknown request."), Verdict::kStopChannel);
  EXPECT_EQ(KannelVerdictFor(503, "Temporal failure, try again later."), Verdict::kRetryLater);
  for (const int status : {200, 302, 500, 502}) {
    EXPECT_EQ(KannelVerdictFor(status, "0: Accepted for delivery"), Verdict::kUnknown) << status;
  }
  const auto code = [](int status, const char* body) {
    delivery::HttpAnswer answer;
    answer.status = status;
    answer.body = body;
    return ParseSendsmsAnswer(answer).code;
  };
  EXPECT_EQ(code(202, "0: Accepted for delivery"), "0");
  EXPECT_EQ(code(202, "3: Queued for later delivery"), "3");
  EXPECT_EQ(code(202, "Sent."), "http 202");
  EXPECT_EQ(code(400, "Garbage 'to' field 13800138000"), "http 400") << "the text may hold the number";
}

TEST(KannelCodes, OnlyTheLastStatesAreReceipts) {
  EXPECT_EQ(KannelStateOf("1"), ReceiptState::kDelivered);
  EXPECT_EQ(KannelStateOf("2"), ReceiptState::kUndelivered);
  EXPECT_EQ(KannelStateOf("16"), ReceiptState::kUndelivered);
  for (const char* type : {"4", "8", "32", "0", "3", ""}) EXPECT_EQ(KannelStateOf(type), std::nullopt) << type;
}

TEST(KannelWire, TheCodeOfAReportHoldsNoMessage) {
  EXPECT_EQ(DlrCode("2",
                    "id:77 sub:001 dlvrd:000 submit date:2601151000 done date:2601151001 stat:UNDELIV err:001 "
                    "text:您可领取"),
            "UNDELIV/001");
  EXPECT_EQ(DlrCode("1", "stat:DELIVRD"), "DELIVRD");
  EXPECT_EQ(DlrCode("2", "NACK/10/Invalid"), "dlr 2");
  EXPECT_EQ(DlrCode("2", ""), "dlr 2");
  EXPECT_EQ(DlrCode("2", "stat:ABCDEFGHIJKLMN"), "dlr 2") << "no state is that long";
}

TEST(KannelCallback, AReportNamesTheAttempt) {
  KannelOptions options = KnOptions();
  options.dead_codes = {"UNDELIV/001"};
  const auto connector = NewKannel(options, nullptr);
  const auto parse = [&](Query query) {
    query.emplace("key", "k/3 y");
    return connector->ParseCallback({"GET", std::move(query), {}, ""});
  };
  const auto good =
      parse({{"attempt", "m-1"}, {"type", "1"}, {"answer", "stat:DELIVRD err:000"}, {"time", "1768442400"}});
  EXPECT_EQ(good.status, 200);
  EXPECT_EQ(good.body, "");
  ASSERT_EQ(good.receipts.size(), 1U);
  EXPECT_EQ(good.receipts[0].attempt_id, "m-1");
  EXPECT_EQ(good.receipts[0].state, ReceiptState::kDelivered);
  EXPECT_EQ(FormatUtc(good.receipts[0].at), "2026-01-15T02:00:00Z");
  EXPECT_TRUE(connector->receipts_name_attempt());
  const auto late = parse({{"attempt", "m-1"}, {"type", "8"}, {"answer", "ACK/"}});
  EXPECT_EQ(late.status, 200) << "the SMSC's word may come after the phone's";
  EXPECT_TRUE(late.receipts.empty());
  EXPECT_TRUE(parse({{"attempt", "m-1"}, {"type", "2"}, {"answer", "stat:UNDELIV err:001"}}).receipts[0].contact_dead);
  EXPECT_FALSE(parse({{"attempt", "m-1"}, {"type", "2"}, {"answer", "stat:UNDELIV err:027"}}).receipts[0].contact_dead);
  EXPECT_EQ(parse({{"attempt", "m-1"}, {"type", "16"}, {"answer", "NACK/"}}).receipts[0].state,
            ReceiptState::kUndelivered);
}

TEST(KannelCallback, AMessageFromAPersonIsASignal) {
  const auto connector = NewKannel(KnOptions(), nullptr);
  const auto parse = [&](Query query) {
    query.emplace("key", "k/3 y");
    return connector->ParseCallback({"GET", std::move(query), {}, ""});
  };
  const auto reply = parse({{"from", "+8613800138000"},
                            {"to", "10690000"},
                            {"text", "TD"},
                            {"charset", "GSM"},
                            {"time", "1768442400"},
                            {"id", "u-1"}});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "") << "smsbox would send it to the person";
  ASSERT_EQ(reply.signals.size(), 1U);
  EXPECT_EQ(reply.signals[0].contact, "13800138000");
  EXPECT_EQ(reply.signals[0].answered, "10690000");
  EXPECT_EQ(reply.signals[0].text, "TD");
  EXPECT_EQ(reply.signals[0].provider_id, "u-1");
  EXPECT_EQ(FormatUtc(reply.signals[0].at), "2026-01-15T02:00:00Z");
  // 退订 in UCS-2, as phones send what is not Latin.
  const auto chinese =
      parse({{"from", "13800138000"}, {"text", std::string("\x90\x00\x8b\xa2", 4)}, {"charset", "UTF-16BE"}});
  ASSERT_EQ(chinese.signals.size(), 1U);
  EXPECT_EQ(chinese.signals[0].text, "退订");
  EXPECT_TRUE(parse({{"from", "+85291234567"}, {"text", "hi"}}).signals.empty());
}

TEST(KannelWire, Ucs2IsReadWithItsSurrogates) {
  EXPECT_EQ(ReplyUtf8(std::string("\xd8\x3d\xde\x00\x00\x41", 6), "UTF-16BE"), "😀A");
  EXPECT_EQ(ReplyUtf8(std::string("\x00\x41\x00", 3), "UTF-16BE"), std::nullopt);
  EXPECT_EQ(ReplyUtf8(std::string("\xd8\x3d\x00\x41", 4), "UTF-16BE"), std::nullopt);
  EXPECT_EQ(ReplyUtf8(std::string("\xd8\x3d", 2), "UTF-16BE"), std::nullopt);
  EXPECT_EQ(ReplyUtf8("\xff", "UTF-8"), std::nullopt);
}

TEST(KannelCallback, AnythingElseIsRefused) {
  const auto connector = NewKannel(KnOptions(), nullptr);
  const auto status = [&](const char* method, Query query) {
    return connector->ParseCallback({method, std::move(query), {}, ""}).status;
  };
  EXPECT_EQ(status("GET", {{"attempt", "m-1"}, {"type", "1"}}), 401);
  EXPECT_EQ(status("GET", {{"key", "x"}, {"attempt", "m-1"}, {"type", "1"}}), 401);
  EXPECT_EQ(status("POST", {{"key", "k/3 y"}, {"attempt", "m-1"}, {"type", "1"}}), 405);
  EXPECT_EQ(status("GET", {{"key", "k/3 y"}}), 400);
  EXPECT_EQ(status("GET", {{"key", "k/3 y"}, {"attempt", ""}, {"type", "1"}}), 400);
  EXPECT_EQ(status("GET", {{"key", "k/3 y"}, {"attempt", "m-1"}}), 400);
  EXPECT_EQ(status("GET", {{"key", "k/3 y"}, {"attempt", "m-1"}, {"type", "x"}}), 400);
  EXPECT_EQ(status("GET", {{"key", "k/3 y"}, {"attempt", "m-1"}, {"attempt", "m-2"}, {"type", "1"}}), 400);
  EXPECT_EQ(status("GET", {{"key", "k/3 y"}, {"from", "13800138000"}}), 400);
  EXPECT_EQ(status("GET", {{"key", "k/3 y"}, {"from", "13800138000"}, {"text", "\xff"}}), 400);
}

TEST(Kannel, OnlyTextsThatSmsCarriesAreTaken) {
  const auto connector = NewKannel(KnOptions(), nullptr);
  message::Content content = KnRequest().content;
  EXPECT_TRUE(connector->Check(content).has_value());
  for (const std::string& body : {std::string(), std::string("\xff"), std::string(501, 'x')}) {
    content.body = body;
    EXPECT_FALSE(connector->Check(content).has_value());
  }
  content.body = std::string(500, 'x');
  EXPECT_TRUE(connector->Check(content).has_value());
  EXPECT_EQ(connector->unknown_policy(), delivery::UnknownPolicy::kPark);
}

TEST(KannelSettings, AllMistakesComeAtOnce) {
  delivery::Settings settings;
  settings.SetPlace({"zhitui.yaml", 1, 1});  // username, password and from are missing
  settings.Set("base_url", "http:/x", {"zhitui.yaml", 2, 1});
  settings.Set("path", "sendsms", {"zhitui.yaml", 3, 1});
  settings.Set("number_prefix", "0", {"zhitui.yaml", 4, 1});
  settings.Set("callback_url", "zhitui/receipts", {"zhitui.yaml", 5, 1});
  settings.Set("price_cny", "-1", {"zhitui.yaml", 6, 1});
  Diagnostics found;
  EXPECT_FALSE(ValidateKannel(settings, &found).has_value());
  std::multiset<std::uint32_t> lines;
  for (const Diagnostic& d : found) lines.insert(d.at.line);
  EXPECT_EQ(lines, (std::multiset<std::uint32_t>{1, 1, 1, 2, 3, 4, 5, 6}));
}

TEST(KannelSettings, AGoodBlockGivesOptions) {
  delivery::Settings settings;
  settings.Set("username", "u", {});
  settings.Set("password", "p", {});
  settings.Set("from", "10690000", {});
  settings.Set("callback_url", "http://zhitui:8080/v1/receipts/kannel", {});
  Diagnostics found;
  const auto options = ValidateKannel(settings, &found);
  ASSERT_TRUE(options.has_value()) << FormatDiagnostics(found);
  EXPECT_EQ(options->path, "/cgi-bin/sendsms");
  EXPECT_EQ(options->password.Get()->text, "p");
}

}  // namespace
}  // namespace zhitui::sms
