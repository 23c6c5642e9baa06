#include <gtest/gtest.h>

#include <string>

#include "sms/cmpp_codes.h"
#include "sms/cmpp_pdu.h"
#include "sms/cmpp_text.h"
#include "sms/sms.h"

namespace zhitui::sms {
namespace {

using delivery::ReceiptState;
using delivery::Verdict;

std::string Bytes(std::string_view hex) {
  std::string out;
  std::string digits;
  for (const char c : hex) {
    if (c == ' ') continue;
    digits.push_back(c);
    if (digits.size() < 2) continue;
    out.push_back(static_cast<char>(std::stoi(digits, nullptr, 16)));
    digits.clear();
  }
  return out;
}

std::string Zeros(std::size_t n) { return std::string(n, '\0'); }

// The vectors of bigwhite/gocmpp (connect_test.go, submit_test.go, deliver_test.go).
TEST(CmppPdu, ConnectIsThePublishedOne) {
  EXPECT_EQ(HexLower(CmppAuthenticator("900001", "888888", 1021080510)), "90d00c1d517abd0b4f65f6bcf8535d16");
  CmppConnect connect;
  connect.source_addr = "900001";
  connect.authenticator = CmppAuthenticator("900001", "888888", 1021080510);
  connect.version = 0x21;
  connect.timestamp = 1021080510;
  std::string pdu;
  AppendCmppConnect(connect, 0x17, &pdu);
  EXPECT_EQ(HexLower(pdu), HexLower(Bytes("00000027 00000001 00000017 393030303031 90d00c1d517abd0b4f65f6bcf8535d16 21 "
                                          "3cdc73be")));
}

CmppSubmit PublishedSubmit() {
  CmppSubmit s;
  s.registered_delivery = 1;
  s.msg_level = 1;
  s.service_id = "test";
  s.fee_user_type = 2;
  s.fee_terminal_id = "13500002696";
  s.msg_fmt = 8;
  s.msg_src = "900001";
  s.fee_type = "02";
  s.fee_code = "10";
  s.valid_time = "151105131555101+";
  s.src_id = "900001";
  s.dest = "13500002696";
  s.content = *Ucs2FromUtf8("测试gocmpp submit");
  return s;
}

TEST(CmppPdu, SubmitIsThePublishedOneInBothVersions) {
  const std::string content = Bytes("6d4b8bd50067006f0063006d007000700020007300750062006d00690074");
  const std::string head = Zeros(8) + Bytes("01010101") + "test" + Zeros(6) + "\x02";
  const std::string middle = Zeros(2) + "\x08" + "900001" + "02" + "10" + Zeros(4) + "151105131555101+" +
                             Zeros(1 + 17) + "900001" + Zeros(15) + "\x01";
  std::string v2;
  AppendCmppSubmit(CmppVersion::k20, PublishedSubmit(), 0x17, &v2);
  EXPECT_EQ(
      HexLower(v2),
      HexLower(Bytes("000000bd 00000004 00000017 0000000000000000 01 01 01 01 74657374000000000000 02 "
                     "31333530303030323639360000000000 0000000000 00 00 08 393030303031 3032 313000000000 "
                     "3135313130353133313535353130312b00 0000000000000000000000000000000000 "
                     "393030303031000000000000000000000000000000 01 313335303030303236393600000000000000000000 1e "
                     "6d4b8bd50067006f0063006d007000700020007300750062006d00690074 0000000000000000")));
  std::string v3;
  AppendCmppSubmit(CmppVersion::k30, PublishedSubmit(), 0x17, &v3);
  EXPECT_EQ(HexLower(v3), HexLower(Bytes("000000e1 00000004 00000017") + head + "13500002696" + Zeros(21 + 1) + middle +
                                   "13500002696" + Zeros(21 + 1) + "\x1e" + content + Zeros(20)));
}

TEST(CmppPdu, AnswersAreReadInTheFormOfTheirVersionOnly) {
  const std::string v2 = Bytes("00000015 80000004 00000017 b2b9da8000010000 00");
  const std::string v3 = Bytes("00000018 80000004 00000017 b2b9da8000010000 00000000");
  ASSERT_TRUE(ReadCmppSubmitResp(CmppVersion::k20, v2));
  EXPECT_EQ(ReadCmppSubmitResp(CmppVersion::k20, v2)->msg_id, 12878564852733378560U);
  EXPECT_EQ(ReadCmppSubmitResp(CmppVersion::k20, v2)->result, 0U);
  EXPECT_EQ(ReadCmppSubmitResp(CmppVersion::k30, v3)->msg_id, 12878564852733378560U);
  EXPECT_FALSE(ReadCmppSubmitResp(CmppVersion::k30, v2));
  EXPECT_FALSE(ReadCmppSubmitResp(CmppVersion::k20, v3));
  EXPECT_EQ(ReadCmppSubmitResp(CmppVersion::k30, Bytes("00000018 80000004 00000001 0000000000000000 0000000d"))->result,
            13U);
  EXPECT_EQ(ReadCmppSubmitResp(CmppVersion::k20, Bytes("00000015 80000004 00000001 0000000000000000 08"))->result, 8U);

  const auto refused2 = ReadCmppConnectResp(Bytes("0000001e 80000001 00000001 03") + Zeros(16) + "\x20");
  ASSERT_TRUE(refused2);
  EXPECT_EQ(refused2->status, 3U);
  EXPECT_EQ(refused2->form, CmppVersion::k20);
  const auto refused3 = ReadCmppConnectResp(Bytes("00000021 80000001 00000001 00000003") + Zeros(16) + "\x30");
  ASSERT_TRUE(refused3);
  EXPECT_EQ(refused3->status, 3U);
  EXPECT_EQ(refused3->form, CmppVersion::k30);
}

TEST(CmppPdu, DeliverAndItsAnswerAreThePublishedOnes) {
  const std::string text = "This is a test MO.";
  const std::string v3 = Bytes("0000007f 00000005 00000001 b4c5530000010000") + "900001" + Zeros(15 + 10 + 3) +
                         "13412340000" + Zeros(21 + 1 + 1) + "\x12" + text + Zeros(20);
  const std::string v2 = Bytes("00000067 00000005 00000005 b525628000010000") + "900001" + Zeros(15 + 10 + 3) +
                         "13412340000" + Zeros(10 + 1) + "\x12" + text + Zeros(8);
  for (const bool is_v3 : {false, true}) {
    const CmppVersion version = is_v3 ? CmppVersion::k30 : CmppVersion::k20;
    const std::string& pdu = is_v3 ? v3 : v2;
    const auto d = ReadCmppDeliver(version, pdu);
    ASSERT_TRUE(d);
    EXPECT_EQ(d->msg_id, is_v3 ? 13025908756704198656U : 13052947396898652160U);
    EXPECT_EQ(d->dest_id, "900001");
    EXPECT_EQ(d->src_terminal_id, "13412340000");
    EXPECT_FALSE(d->is_report);
    EXPECT_EQ(d->content, text);
    for (std::size_t n = 0; n < pdu.size(); ++n) EXPECT_FALSE(ReadCmppDeliver(version, pdu.substr(0, n))) << n;
    EXPECT_FALSE(ReadCmppDeliver(version, pdu + "x"));
  }
  std::string resp;
  AppendCmppDeliverResp(CmppVersion::k30, 13025908756704198656U, 0, 1, &resp);
  EXPECT_EQ(resp, Bytes("00000018 80000005 00000001 b4c5530000010000 00000000"));
  resp.clear();
  AppendCmppDeliverResp(CmppVersion::k20, 13052947396898652160U, 0, 5, &resp);
  EXPECT_EQ(resp, Bytes("00000015 80000005 00000005 b525628000010000 00"));
}

TEST(CmppPdu, AReportIsReadWithShortAndLongNumbers) {
  for (const std::size_t number : {21U, 32U}) {
    const std::string content = Bytes("b2b9da8000010000") + "DELIVRD" + "2601151000" + "2601151001" + "13800138000" +
                                Zeros(number - 11) + Bytes("00000007");
    const auto r = ReadCmppReport(content);
    ASSERT_TRUE(r) << number;
    EXPECT_EQ(r->msg_id, 12878564852733378560U);
    EXPECT_EQ(r->stat, "DELIVRD");
    EXPECT_EQ(r->submit_time, "2601151000");
    EXPECT_EQ(r->done_time, "2601151001");
    EXPECT_EQ(r->dest, "13800138000");
    EXPECT_EQ(r->smsc_sequence, 7U);
    EXPECT_FALSE(ReadCmppReport(content + "x"));
    EXPECT_FALSE(ReadCmppReport(content.substr(1)));
  }
}

TEST(CmppPdu, AHeaderMustTellTheLength) {
  EXPECT_TRUE(ReadCmppHeader(Bytes("0000000c 00000008 00000001")));
  EXPECT_FALSE(ReadCmppHeader(Bytes("0000000d 00000008 00000001")));
  EXPECT_FALSE(ReadCmppHeader(Bytes("0000000c 00000008 000000")));
  std::string active;
  AppendCmppActiveTestResp(9, &active);
  EXPECT_EQ(active, Bytes("0000000d 80000008 00000009 00"));
}

std::string Repeat(const std::string& text, std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += text;
  return out;
}

// providers.md §2.3: 70 characters are one segment, more are cut by 67.
TEST(CmppSegments, AreCountedAsTheCarriersDo) {
  const auto count = [](std::size_t n) { return CmppSegments(*Ucs2FromUtf8(Repeat("福", n)), 7).size(); };
  EXPECT_EQ(count(1), 1U);
  EXPECT_EQ(count(70), 1U);
  EXPECT_EQ(count(71), 2U);
  EXPECT_EQ(count(134), 2U);
  EXPECT_EQ(count(135), 3U);
  EXPECT_EQ(count(500), 8U);
  const auto parts = CmppSegments(*Ucs2FromUtf8(Repeat("福", 71)), 7);
  EXPECT_EQ(parts[0], Bytes("050003070201") + Repeat(Bytes("798f"), 67));
  EXPECT_EQ(parts[1], Bytes("050003070202") + Repeat(Bytes("798f"), 4));
}

TEST(CmppSegments, NeverSplitASurrogatePair) {
  // U+20BB7 is d842 dfb7; its first half would be the 67th unit.
  const auto parts = CmppSegments(*Ucs2FromUtf8(Repeat("福", 66) + "𠮷" + Repeat("田", 5)), 1);
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].size(), 6U + 2 * 66);
  EXPECT_EQ(parts[1], Bytes("050003010202 d842dfb7") + Repeat(Bytes("7530"), 5));
}

TEST(CmppText, IsUtf8OfWhatevertheGatewayDelivers) {
  EXPECT_EQ(CmppText(8, Bytes("9000 8ba2")), "退订");
  EXPECT_EQ(CmppText(8, Bytes("d842dfb7")), "𠮷");
  EXPECT_EQ(CmppText(8, Bytes("d842 0041")),
            "\xef\xbf\xbd"
            "A")
      << "half a pair";
  EXPECT_EQ(CmppText(0, "TD"), "TD");
  EXPECT_EQ(CmppText(0, "T\xff"), "T\xef\xbf\xbd");
  EXPECT_EQ(CmppText(15, Bytes("cdcbb6a9")), "退订");
  EXPECT_EQ(CmppText(4, "\x01\x02"), "");
}

TEST(CmppText, NumbersLoseTheCountryCode) {
  for (const char* number : {"13800138000", "8613800138000", "+8613800138000", "008613800138000"}) {
    EXPECT_EQ(DomesticNumber(number), "13800138000") << number;
  }
  EXPECT_EQ(DomesticNumber("10690021"), "10690021");
}

class Joiner : public ::testing::Test {
 protected:
  void Add(int reference, int total, int number, const std::string& text, std::uint64_t id,
           const std::string& phone = "13800138000") {
    CmppDeliver d;
    d.src_terminal_id = phone;
    d.dest_id = "10690021";
    d.msg_fmt = 0;
    d.msg_id = id;
    d.content = std::string("\x05\x00\x03", 3);
    for (const int byte : {reference, total, number}) d.content.push_back(static_cast<char>(byte));
    d.content += text;
    const auto part = ReadCmppPart(d.content);
    ASSERT_TRUE(part);
    joiner.Add(d, *part, now);
  }
  ReplyJoiner joiner{Millis(1000)};
  ReplyJoiner::Time now{};
};

TEST_F(Joiner, JoinsPartsInTheirOrderWhateverOrderTheyComeIn) {
  Add(7, 3, 3, "c", 103);
  Add(7, 3, 1, "a", 101);
  EXPECT_TRUE(joiner.Take(now).empty());
  Add(7, 3, 2, "b", 102);
  const auto whole = joiner.Take(now);
  ASSERT_EQ(whole.size(), 1U);
  EXPECT_EQ(whole[0].text, "abc");
  EXPECT_EQ(whole[0].msg_id, 101U);
  EXPECT_EQ(joiner.Take(now).size(), 1U) << "until it is dropped";
  joiner.Drop(now);
  EXPECT_TRUE(joiner.Take(now).empty());
}

TEST_F(Joiner, APartThatIsDeliveredAgainAfterTheEndIsNoNewReply) {
  Add(7, 2, 1, "a", 101);
  Add(7, 2, 2, "b", 102);
  joiner.Drop(now);
  Add(7, 2, 2, "b", 102);
  now += Millis(1000);
  EXPECT_TRUE(joiner.Take(now).empty());
  Add(7, 2, 1, "x", 201);
  Add(7, 2, 2, "y", 202);
  ASSERT_EQ(joiner.Take(now).size(), 1U) << "the phone used its reference again";
  EXPECT_EQ(joiner.Take(now)[0].text, "xy");
}

TEST_F(Joiner, TellsWhatItHasWhenTheRestDoesNotCome) {
  Add(7, 3, 2, "b", 102);
  EXPECT_EQ(joiner.next(), now + Millis(1000));
  now += Millis(1000);
  ASSERT_EQ(joiner.Take(now).size(), 1U);
  EXPECT_EQ(joiner.Take(now)[0].text, "…b…");
}

TEST_F(Joiner, IsBounded) {
  for (std::size_t i = 0; i <= ReplyJoiner::kMaxOpen; ++i) {
    Add(7, 2, 1, "a", i + 1, std::to_string(13800138000 + i));
    now += Millis(1);
  }
  ASSERT_EQ(joiner.Take(now).size(), 1U);
  EXPECT_EQ(joiner.Take(now)[0].phone, "13800138000") << "the oldest gave way";
}

TEST(CmppCodes, EachHasItsVerdict) {
  const std::vector<Verdict> of_results = {
      Verdict::kAccepted,    Verdict::kStopChannel, Verdict::kStopChannel, Verdict::kRetryLater,  Verdict::kFixMessage,
      Verdict::kStopChannel, Verdict::kFixMessage,  Verdict::kStopChannel, Verdict::kThrottled,   Verdict::kFixMessage,
      Verdict::kStopChannel, Verdict::kStopChannel, Verdict::kStopChannel, Verdict::kDropContact, Verdict::kRetryLater};
  for (std::uint32_t i = 0; i < of_results.size(); ++i) EXPECT_EQ(CmppSubmitVerdict(i), of_results[i]) << i;
  for (std::uint32_t i = 1; i <= 4; ++i) EXPECT_EQ(CmppConnectVerdict(i), Verdict::kStopChannel) << i;
  EXPECT_EQ(CmppConnectVerdict(0), Verdict::kAccepted);
  EXPECT_EQ(CmppConnectVerdict(5), Verdict::kNotSent);
  EXPECT_EQ(CmppReportState("DELIVRD"), ReceiptState::kDelivered);
  for (const char* stat : {"EXPIRED", "UNDELIV", "REJECTD", "MK:0001", "DB:0144", "XX:9999"}) {
    EXPECT_EQ(CmppReportState(stat), ReceiptState::kUndelivered) << stat;
  }
  EXPECT_EQ(CmppReportState("ACCEPTD"), std::nullopt);
}

delivery::Settings Minimal() {
  delivery::Settings s;
  s.Set("host", "127.0.0.1", {});
  s.Set("source_addr", "900001", {});
  s.SetSecret("secret", delivery::Secret("s3cret"), {});
  s.Set("service_id", "BENEFIT", {});
  s.Set("src_id", "1069002101", {});
  return s;
}

TEST(CmppSettings, HaveTheDefaultsOfTheProtocol) {
  Diagnostics found;
  const auto o = ValidateCmpp(Minimal(), &found);
  ASSERT_TRUE(o) << found.size();
  EXPECT_EQ(o->port, 7890);
  EXPECT_FALSE(o->v3);
  EXPECT_EQ(o->window, 16);
  EXPECT_EQ(o->idle, Millis(180'000));
  EXPECT_EQ(o->answer_wait, Millis(60'000));
  EXPECT_EQ(o->keep_alives, 3);
  EXPECT_TRUE(o->dead_stats.contains("MK:0001"));
}

TEST(CmppSettings, RefuseWhatDoesNotFitItsField) {
  for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{{"version", "2.1"},
                                                                                   {"source_addr", "9000011"},
                                                                                   {"service_id", "12345678901"},
                                                                                   {"src_id", "106x"},
                                                                                   {"fee_user_type", "3"},
                                                                                   {"connections", "17"},
                                                                                   {"window", "257"},
                                                                                   {"dead_stats", "MK:0001 MK:0002"},
                                                                                   {"price_cny", "-1"},
                                                                                   {"no_such_key", "1"}}) {
    delivery::Settings s = Minimal();
    s.Set(key, value, {});
    Diagnostics found;
    EXPECT_FALSE(ValidateCmpp(s, &found)) << key;
    EXPECT_EQ(found.size(), 1U) << key;
  }
}

TEST(CmppConnector, CostsByTheSegment) {
  CmppOptions options;
  options.price_micros = 45'000;
  const auto connector = NewCmpp(options, nullptr);
  message::Content content;
  content.channel = Channel::kSms;
  content.body = Repeat("福", 70);
  EXPECT_EQ(connector->CostMicros(content), 45'000);
  content.body = Repeat("福", 135);
  EXPECT_EQ(connector->CostMicros(content), 135'000);
  EXPECT_TRUE(connector->Check(content));
  content.body = Repeat("福", 501);
  EXPECT_FALSE(connector->Check(content));
}

}  // namespace
}  // namespace zhitui::sms
