#include <gtest/gtest.h>

#include <cstdint>
#include <random>

#include "delivery/delivery.h"
#include "sms/long_text.h"
#include "sms/smpp_codes.h"
#include "sms/smpp_pdu.h"
#include "sms/smpp_receipt.h"
#include "sms/sms.h"

namespace zhitui::sms {
namespace {

using delivery::ReceiptState;
using delivery::Verdict;
using smpp::Command;
using smpp::Pdu;
using smpp::ShortMessage;

// Hexadecimal digits and 'quoted text' with blanks between them.
std::string Bytes(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == ' ') {
      ++i;
    } else if (text[i] == '\'') {
      const std::size_t end = text.find('\'', i + 1);
      out += text.substr(i + 1, end - i - 1);
      i = end + 1;
    } else {
      out.push_back(static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
      i += 2;
    }
  }
  return out;
}

std::string Hex(std::string_view bytes) { return HexLower(bytes); }

// A unit of that command around a body, its length filled in.
std::string Unit(const std::string& command, const std::string& body, const std::string& status = "00000000") {
  std::string out = Bytes("00000000 " + command + " " + status + " 00000007") + body;
  for (int i = 0; i < 4; ++i) {
    out[static_cast<std::size_t>(i)] = static_cast<char>(out.size() >> (24 - 8 * i) & 0xff);
  }
  return out;
}

std::uint32_t FaultOf(const std::string& bytes) {
  const auto pdu = smpp::Decode(bytes);
  return pdu ? smpp::kOk : pdu.error().status;
}

// What Kannel 1.4.5 was seen to send.
constexpr char kKannelBind[] = "0000001e 00000009 00000000 00000001 'u1'00 'p1'00 'VMA'00 34 00 00 00";

// By hand from 4.4.1: the text 福田 to a mainland number, with a receipt.
constexpr char kSubmit[] =
    "00000036 00000004 00000000 00000002 00 05 00 '1069'00 01 01 '8613800138000'00 00 00 00 00 00 01 00 08 00 04 "
    "798f 7530";

ShortMessage Submit() {
  ShortMessage message;
  message.source = {5, 0, "1069"};
  message.destination = {1, 1, "8613800138000"};
  message.registered_delivery = 1;
  message.data_coding = 8;
  message.text = Bytes("798f7530");
  return message;
}

TEST(SmppPdu, KannelsBindIsReadAndWrittenByteForByte) {
  const std::string bytes = Bytes(kKannelBind);
  const auto pdu = smpp::Decode(bytes);
  ASSERT_TRUE(pdu.has_value());
  EXPECT_EQ(pdu->command, Command::kBindTransceiver);
  EXPECT_EQ(pdu->sequence, 1U);
  const auto& bind = std::get<smpp::Bind>(pdu->body);
  EXPECT_EQ(bind.system_id, "u1");
  EXPECT_EQ(bind.password, "p1");
  EXPECT_EQ(bind.system_type, "VMA");
  EXPECT_EQ(bind.interface_version, 0x34);
  EXPECT_EQ(Hex(*smpp::Encode(*pdu)), Hex(bytes));
}

TEST(SmppPdu, ASubmitIsLaidOutAsTheSpecificationSays) {
  const Pdu pdu{Command::kSubmitSm, smpp::kOk, 2, Submit()};
  EXPECT_EQ(Hex(*smpp::Encode(pdu)), Hex(Bytes(kSubmit)));
  const auto read = smpp::Decode(Bytes(kSubmit));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(std::get<ShortMessage>(read->body), Submit());
}

TEST(SmppPdu, UnitsWithoutABodyAreSixteenBytes) {
  for (const auto& [command, hex] : std::vector<std::pair<Command, std::string>>{
           {Command::kEnquireLink, "00000015"},
           {Command::kEnquireLinkResp, "80000015"},
           {Command::kUnbind, "00000006"},
           {Command::kUnbindResp, "80000006"},
           {Command::kGenericNack, "80000000"},
       }) {
    const std::string bytes = *smpp::Encode({command, smpp::kOk, 9, {}});
    EXPECT_EQ(Hex(bytes), "00000010" + hex + "0000000000000009");
    ASSERT_TRUE(smpp::Decode(bytes).has_value());
    EXPECT_EQ(FaultOf(Unit(hex, "x")), smpp::kInvalidCommandLength) << hex;
  }
}

TEST(SmppPdu, AnswersCarryAnIdAndARefusalNeedsNone) {
  const auto submit = smpp::Decode(Unit("80000004", Bytes("'M1'00")));
  ASSERT_TRUE(submit.has_value());
  EXPECT_EQ(std::get<smpp::Named>(submit->body).id, "M1");
  const auto bind = smpp::Decode(Unit("80000009", Bytes("'SMSC'00 0210 0001 34")));
  ASSERT_TRUE(bind.has_value());
  EXPECT_EQ(std::get<smpp::Named>(bind->body).id, "SMSC");
  EXPECT_EQ(*smpp::FindTlv(std::get<smpp::Named>(bind->body).tlvs, smpp::kScInterfaceVersion), "\x34");
  for (const char* body : {"", "00", "'text that nobody asked for'"}) {
    const auto refused = smpp::Decode(Unit("80000004", Bytes(body), "00000058"));
    ASSERT_TRUE(refused.has_value()) << body;
    EXPECT_EQ(refused->status, 0x58U);
    EXPECT_TRUE(std::holds_alternative<std::monostate>(refused->body));
  }
  EXPECT_EQ(FaultOf(Unit("80000004", Bytes("'M1'"))), smpp::kInvalidCommandLength) << "no NUL";
  EXPECT_EQ(FaultOf(Unit("80000004", "")), smpp::kInvalidCommandLength);
}

TEST(SmppPdu, AUnitThatIsCutShortAnywhereIsRefused) {
  for (const char* vector : {kKannelBind, kSubmit}) {
    const std::string whole = Bytes(vector);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      std::string cut = whole.substr(0, size);
      EXPECT_FALSE(smpp::Decode(cut).has_value()) << size;
      if (size < smpp::kHeaderBytes) continue;
      cut[3] = static_cast<char>(size);  // a length that fits what is there
      EXPECT_FALSE(smpp::Decode(cut).has_value()) << size;
    }
    EXPECT_FALSE(smpp::Decode(whole + "x").has_value());
  }
}

TEST(SmppPdu, AFrameIsNamedByItsLengthAndAWrongLengthEndsTheStream) {
  const auto length = [](const char* hex) { return smpp::FrameLength(Bytes(hex)); };
  EXPECT_EQ(*length(""), 0U);
  EXPECT_EQ(*length("000000"), 0U);
  EXPECT_EQ(*length("00000010 00000015 00000000 000000"), 0U);
  EXPECT_EQ(*length("00000010 00000015 00000000 00000001 00"), 16U);
  EXPECT_FALSE(length("0000000f").has_value());
  EXPECT_FALSE(length("00000000").has_value());
  EXPECT_FALSE(length("ffffffff").has_value());
  EXPECT_EQ(*smpp::FrameLength(Bytes("00011170 00000015 00000000 00000001")), 70'000U);
  EXPECT_FALSE(length("00011171").has_value());
}

TEST(SmppPdu, AnUnknownCommandIsToldApart) { EXPECT_EQ(FaultOf(Unit("00000103", "")), smpp::kInvalidCommandId); }

TEST(SmppPdu, FieldsHaveTheLengthsOfTheSpecification) {
  const auto bind = [](std::size_t id, std::size_t password, std::size_t type, std::size_t range) {
    smpp::Bind b;
    b.system_id = std::string(id, 'i');
    b.password = std::string(password, 'p');
    b.system_type = std::string(type, 't');
    b.range.digits = std::string(range, '1');
    return smpp::Encode({Command::kBindTransmitter, smpp::kOk, 1, b}).has_value();
  };
  EXPECT_TRUE(bind(15, 8, 12, 40));
  EXPECT_FALSE(bind(16, 8, 12, 40));
  EXPECT_FALSE(bind(15, 9, 12, 40));
  EXPECT_FALSE(bind(15, 8, 13, 40));
  EXPECT_FALSE(bind(15, 8, 12, 41));

  const auto submit = [](const std::function<void(ShortMessage&)>& change) {
    ShortMessage m = Submit();
    change(m);
    return smpp::Encode({Command::kSubmitSm, smpp::kOk, 1, m}).has_value();
  };
  EXPECT_TRUE(submit([](ShortMessage& m) { m.service_type = "WAP12"; }));
  EXPECT_FALSE(submit([](ShortMessage& m) { m.service_type = "WAP123"; }));
  EXPECT_TRUE(submit([](ShortMessage& m) { m.destination.digits = std::string(20, '1'); }));
  EXPECT_FALSE(submit([](ShortMessage& m) { m.destination.digits = std::string(21, '1'); }));
  EXPECT_FALSE(submit([](ShortMessage& m) { m.source.digits = std::string("1\0002", 3); })) << "a NUL";
  EXPECT_TRUE(submit([](ShortMessage& m) { m.validity = "260115100000032+"; }));
  EXPECT_FALSE(submit([](ShortMessage& m) { m.validity = "260115"; }));
  EXPECT_TRUE(submit([](ShortMessage& m) { m.text.assign(254, 'x'); }));
  EXPECT_FALSE(submit([](ShortMessage& m) { m.text.assign(255, 'x'); }));
  EXPECT_FALSE(submit([](ShortMessage& m) { m.tlvs = {{smpp::kMessagePayload, "x"}}; }));
  EXPECT_FALSE(submit([](ShortMessage& m) { m.tlvs = {{smpp::kMessageState, "xx"}}; }));
  EXPECT_FALSE(submit([](ShortMessage& m) { m.tlvs.assign(65, {0x1400, "x"}); }));
  EXPECT_FALSE(smpp::Encode({Command::kSubmitSm, smpp::kOk, 1, {}}).has_value()) << "no body";
  EXPECT_FALSE(smpp::Encode({Command::kEnquireLink, smpp::kOk, 1, Submit()}).has_value()) << "a body too many";
}

TEST(SmppPdu, AMessageOf255BytesIsRefusedAsItsLengthIsReserved) {
  std::string body = Bytes("00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 ff") + std::string(255, 'x');
  EXPECT_EQ(FaultOf(Unit("00000004", body)), smpp::kInvalidMessageLength);
  body = Bytes("00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 fe") + std::string(254, 'x');
  EXPECT_EQ(FaultOf(Unit("00000004", body)), smpp::kOk);
}

TEST(SmppPdu, APayloadStandsInForTheTextButNotBesideIt) {
  ShortMessage message = Submit();
  message.in_payload = true;
  message.text.assign(300, 'x');
  message.tlvs = {{0x0204, Bytes("0007")}};
  const std::string bytes = *smpp::Encode({Command::kSubmitSm, smpp::kOk, 2, message});
  EXPECT_NE(bytes.find(Bytes("00 0424 012c 'xxx'")), std::string::npos) << "sm_length 0, then the parameter";
  const auto read = smpp::Decode(bytes);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(std::get<ShortMessage>(read->body), message);
  std::string both = Bytes(kSubmit) + Bytes("0424 0001 'x'");
  both[3] = static_cast<char>(both.size());
  EXPECT_EQ(FaultOf(both), smpp::kInvalidMessageLength);
}

TEST(SmppPdu, ParametersAreKeptInOrderAndBrokenOnesRefused) {
  const auto with = [](const char* tlvs) {
    std::string bytes = Bytes(kSubmit) + Bytes(tlvs);
    bytes[3] = static_cast<char>(bytes.size());
    return bytes;
  };
  const auto good = smpp::Decode(with("1401 0000 020c 0002 0007 1400 0001 'x'"));
  ASSERT_TRUE(good.has_value());
  const auto& tlvs = std::get<ShortMessage>(good->body).tlvs;
  ASSERT_EQ(tlvs.size(), 3U);
  EXPECT_EQ(tlvs[0], (smpp::Tlv{0x1401, ""}));
  EXPECT_EQ(tlvs[2], (smpp::Tlv{0x1400, "x"}));
  EXPECT_EQ(smpp::FindTlv(tlvs, 0x9999), nullptr);
  EXPECT_EQ(FaultOf(with("1401")), smpp::kInvalidTlvStream);
  EXPECT_EQ(FaultOf(with("1401 0002 'x'")), smpp::kInvalidTlvStream);
  EXPECT_EQ(FaultOf(with("1401 ffff")), smpp::kInvalidTlvStream);
  EXPECT_EQ(FaultOf(with("0427 0002 0202")), smpp::kInvalidTlvLength) << "message_state is one byte";
  EXPECT_EQ(FaultOf(with("001e 0000")), smpp::kInvalidTlvLength);
}

// Whatever comes: no crash, nothing read past the end, and what is understood is written back as it was.
TEST(SmppPdu, DamagedUnitsAreRefusedOrReadAsTheyAre) {
  std::mt19937 random(20260115);
  std::string receipt = Bytes(kSubmit) + Bytes("001e 0003 'M1'00 0427 0001 02");
  receipt[3] = static_cast<char>(receipt.size());
  std::size_t read = 0;
  for (int i = 0; i < 30'000; ++i) {
    std::string bytes = i % 2 == 0 ? receipt : Bytes(kKannelBind);
    for (int k = 0; k <= i % 3; ++k) bytes[4 + random() % (bytes.size() - 4)] = static_cast<char>(random());
    const auto pdu = smpp::Decode(bytes);
    if (!pdu || smpp::IsResponse(static_cast<std::uint32_t>(pdu->command))) continue;
    ++read;
    const auto again = smpp::Encode(*pdu);
    ASSERT_TRUE(again.has_value()) << Hex(bytes);
    ASSERT_EQ(Hex(*again), Hex(bytes));
  }
  EXPECT_GT(read, 500U);
}

// ---- Receipts

smpp::ReceiptRules Rules() { return {}; }

ShortMessage Receipt(std::string text, std::vector<smpp::Tlv> tlvs = {}) {
  ShortMessage message;
  message.esm_class = 4;
  message.text = std::move(text);
  message.tlvs = std::move(tlvs);
  return message;
}

const Instant kNow = *ParseInstant("2026-01-15T12:00:00+08:00");
constexpr char kReceipt[] =
    "id:M1 sub:001 dlvrd:001 submit date:2601151000 done date:2601151001 stat:DELIVRD err:000 text:";

TEST(SmppReceipt, TheTextOfAppendixBIsUnderstood) {
  const auto receipt = smpp::ToReceipt(Receipt(kReceipt), Rules(), kNow);
  ASSERT_TRUE(receipt.has_value());
  EXPECT_EQ(receipt->provider_id, "M1");
  EXPECT_EQ(receipt->attempt_id, "");
  EXPECT_EQ(receipt->state, ReceiptState::kDelivered);
  EXPECT_EQ(receipt->code, "DELIVRD/000");
  EXPECT_EQ(receipt->at, *ParseInstant("2026-01-15T10:01:00+08:00"));
  EXPECT_FALSE(receipt->contact_dead);
}

TEST(SmppReceipt, FieldsMayComeInAnyOrderAndCase) {
  const auto text =
      smpp::ParseReceiptText("Stat:undeliv ERR:27 done Date:260115100130 submit date:1 Id:abc Text: id:no");
  EXPECT_EQ(text.id, "abc");
  EXPECT_EQ(text.stat, "UNDELIV");
  EXPECT_EQ(text.err, "27");
  EXPECT_EQ(text.done, "260115100130");
  const auto receipt = smpp::ToReceipt(Receipt("stat:UNDELIV err:027 done date:260115100130 id:9"), Rules(), kNow);
  ASSERT_TRUE(receipt.has_value());
  EXPECT_EQ(receipt->state, ReceiptState::kUndelivered);
  EXPECT_EQ(receipt->at, *ParseInstant("2026-01-15T10:01:30+08:00"));
}

TEST(SmppReceipt, AKeyInsideAWordIsNoKey) {
  EXPECT_EQ(smpp::ParseReceiptText("msgid:1 void:2 id:3").id, "3");
  EXPECT_EQ(smpp::ParseReceiptText("id:").id, "");
  EXPECT_EQ(smpp::ParseReceiptText("").stat, "");
}

TEST(SmppReceipt, TheStatesOfTableB2HaveTheirMeaning) {
  const auto state = [](const std::string& stat) {
    const auto receipt = smpp::ToReceipt(Receipt("id:1 stat:" + stat), Rules(), kNow);
    return receipt ? std::optional(receipt->state) : std::nullopt;
  };
  EXPECT_EQ(state("DELIVRD"), ReceiptState::kDelivered);
  for (const char* stat : {"EXPIRED", "DELETED", "UNDELIV", "REJECTD", "MK:0001"}) {
    EXPECT_EQ(state(stat), ReceiptState::kUndelivered) << stat;
  }
  for (const char* stat : {"ENROUTE", "ACCEPTD", "UNKNOWN", ""}) EXPECT_EQ(state(stat), std::nullopt) << stat;
}

TEST(SmppReceipt, ParametersWinOverTheText) {
  const std::vector<smpp::Tlv> tlvs = {{smpp::kReceiptedMessageId, Bytes("'T9'00")}, {smpp::kMessageState, "\x05"}};
  const auto receipt = smpp::ToReceipt(Receipt(kReceipt, tlvs), Rules(), kNow);
  ASSERT_TRUE(receipt.has_value());
  EXPECT_EQ(receipt->provider_id, "T9");
  EXPECT_EQ(receipt->state, ReceiptState::kUndelivered);
  EXPECT_EQ(receipt->code, "UNDELIV/000");
  const auto bare =
      smpp::ToReceipt(Receipt("", {{smpp::kReceiptedMessageId, "T9"}, {smpp::kMessageState, "\x02"}}), Rules(), kNow);
  ASSERT_TRUE(bare.has_value()) << "no text, and no NUL after the id";
  EXPECT_EQ(bare->provider_id, "T9");
  EXPECT_EQ(bare->state, ReceiptState::kDelivered);
  EXPECT_EQ(bare->at, kNow);
  const auto error = smpp::ToReceipt(
      Receipt("id:1 stat:UNDELIV err:000", {{smpp::kNetworkErrorCode, Bytes("03 0001")}}), Rules(), kNow);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code, "UNDELIV/001");
  const auto own = smpp::ToReceipt(Receipt("id:1 stat:MK:0001", {{smpp::kMessageState, "\x05"}}), Rules(), kNow);
  ASSERT_TRUE(own.has_value());
  EXPECT_EQ(own->code, "MK:0001") << "the centre's own word tells more than its state";
}

TEST(SmppReceipt, ANumberIsDeadOnlyByTheCodesOfTheConfiguration) {
  smpp::ReceiptRules rules = Rules();
  const auto dead = [&](const char* text) { return smpp::ToReceipt(Receipt(text), rules, kNow)->contact_dead; };
  EXPECT_FALSE(dead("id:1 stat:UNDELIV err:001"));
  rules.dead_errors = {"001"};
  rules.dead_stats = {"MK:0001"};
  EXPECT_TRUE(dead("id:1 stat:UNDELIV err:001"));
  EXPECT_TRUE(dead("id:1 stat:MK:0001 err:000"));
  EXPECT_FALSE(dead("id:1 stat:UNDELIV err:027"));
  EXPECT_FALSE(dead("id:1 stat:DELIVRD err:001"));
}

TEST(SmppReceipt, IdsInTwoNotationsMeet) {
  using smpp::IdForm;
  EXPECT_EQ(smpp::AnswerId(IdForm::kText, "00FF"), "00FF");
  EXPECT_EQ(smpp::ReceiptId(IdForm::kText, "00FF"), "00FF");
  // 0x1f4 is 500.
  EXPECT_EQ(smpp::AnswerId(IdForm::kHexThenDecimal, "000001F4"), "1f4");
  EXPECT_EQ(smpp::ReceiptId(IdForm::kHexThenDecimal, "0000000500"), "1f4");
  EXPECT_EQ(smpp::AnswerId(IdForm::kDecimalThenHex, "500"), "500");
  EXPECT_EQ(smpp::ReceiptId(IdForm::kDecimalThenHex, "1F4"), "500");
  EXPECT_EQ(smpp::AnswerId(IdForm::kDecimal, "500"), "500");
  EXPECT_EQ(smpp::ReceiptId(IdForm::kDecimal, "0000000500"), "500");
  EXPECT_EQ(smpp::ReceiptId(IdForm::kHexThenDecimal, "not a number"), "not a number");
  EXPECT_EQ(smpp::AnswerId(IdForm::kHexThenDecimal, "FFFFFFFFFFFFFFFFF"), "FFFFFFFFFFFFFFFFF") << "over 64 bits";
  smpp::ReceiptRules rules = Rules();
  rules.ids = IdForm::kHexThenDecimal;
  EXPECT_EQ(smpp::ToReceipt(Receipt("id:500 stat:DELIVRD"), rules, kNow)->provider_id, "1f4");
  EXPECT_EQ(
      smpp::ToReceipt(Receipt("id:500 stat:DELIVRD", {{smpp::kReceiptedMessageId, "1F4"}}), rules, kNow)->provider_id,
      "1f4")
      << "the parameter is written as the answer was";
}

TEST(SmppReceipt, AnIdThatCannotBePrintedStillMeetsItsMessage) {
  const std::string id = "M\xff\x01";
  EXPECT_EQ(smpp::AnswerId(smpp::IdForm::kText, id), "M??");
  EXPECT_EQ(smpp::ReceiptId(smpp::IdForm::kText, id), "M??");
  EXPECT_EQ(smpp::AnswerId(smpp::IdForm::kHexThenDecimal, id), "M??");
}

TEST(SmppReceipt, WithoutAnIdThereIsNone) {
  EXPECT_FALSE(smpp::ToReceipt(Receipt("stat:DELIVRD err:000"), Rules(), kNow).has_value());
  EXPECT_FALSE(smpp::ToReceipt(Receipt(std::string("\0\xff", 2)), Rules(), kNow).has_value());
}

TEST(SmppReceipt, ADateThatCannotBeIsReplacedByNow) {
  for (const char* date : {"2602301000", "26011510", "260115100x", "2601152500"}) {
    const auto receipt = smpp::ToReceipt(Receipt("id:1 stat:DELIVRD done date:" + std::string(date)), Rules(), kNow);
    ASSERT_TRUE(receipt.has_value());
    EXPECT_EQ(receipt->at, kNow) << date;
  }
}

TEST(SmppReceipt, TheCodeHoldsNothingThatCannotBePrinted) {
  const auto receipt = smpp::ToReceipt(Receipt("id:1 stat:A\x01\xff" + std::string(100, 'X')), Rules(), kNow);
  ASSERT_TRUE(receipt.has_value());
  EXPECT_EQ(receipt->code, "A??" + std::string(29, 'X'));
}

TEST(SmppReceipt, AMessageWithAStateIsAReceiptThoughItsClassDoesNotSaySo) {
  ShortMessage message = Receipt(kReceipt);
  EXPECT_TRUE(smpp::IsReceipt(message));
  message.esm_class = 0;
  EXPECT_FALSE(smpp::IsReceipt(message));
  message.tlvs = {{smpp::kReceiptedMessageId, "M1"}, {smpp::kMessageState, "\x02"}};
  EXPECT_TRUE(smpp::IsReceipt(message));
  message.esm_class = 0x20;
  EXPECT_FALSE(smpp::IsReceipt(message)) << "an intermediate notification";
}

// ---- Statuses

TEST(SmppCodes, EachClassOfTheTableHasItsVerdict) {
  const auto verdict = [](std::uint32_t status) { return smpp::SubmitAction(status, {}).verdict; };
  EXPECT_EQ(verdict(0x00), Verdict::kAccepted);
  EXPECT_EQ(verdict(0x01), Verdict::kFixMessage);
  EXPECT_EQ(verdict(0x08), Verdict::kRetryLater);
  EXPECT_EQ(verdict(0x0a), Verdict::kStopChannel);
  EXPECT_EQ(verdict(0x0b), Verdict::kDropContact);
  EXPECT_EQ(verdict(0x0d), Verdict::kStopChannel);
  EXPECT_EQ(verdict(0x0e), Verdict::kStopChannel);
  EXPECT_EQ(verdict(0x14), Verdict::kThrottled);
  EXPECT_EQ(verdict(0x45), Verdict::kRetryLater);
  EXPECT_EQ(verdict(0x58), Verdict::kThrottled);
  EXPECT_EQ(verdict(0x64), Verdict::kRetryLater);
  EXPECT_EQ(verdict(0xc1), Verdict::kFixMessage);
  EXPECT_EQ(verdict(0xff), Verdict::kRetryLater);
  EXPECT_EQ(verdict(0x0400), Verdict::kRetryLater) << "a centre's own";
}

TEST(SmppCodes, TooFastIsTriedAgainAndNothingElse) {
  for (std::uint32_t status = 0; status < 0x500; ++status) {
    EXPECT_EQ(smpp::SubmitAction(status, {}).again, status == 0x14 || status == 0x58) << status;
  }
}

TEST(SmppCodes, NoRefusalIsTakenForAnAcceptanceOrAnUnknownOutcome) {
  for (std::uint32_t status = 1; status < 0x500; ++status) {
    const Verdict verdict = smpp::SubmitAction(status, {}).verdict;
    EXPECT_NE(verdict, Verdict::kAccepted) << status;
    EXPECT_NE(verdict, Verdict::kUnknown) << status;
    EXPECT_NE(verdict, Verdict::kNotSent) << status;
  }
}

TEST(SmppCodes, TheConfigurationHasTheLastWord) {
  const smpp::StatusOverrides own = {{0x0400, Verdict::kStopChannel}, {0x0b, Verdict::kRetryLater}};
  EXPECT_EQ(smpp::SubmitAction(0x0400, own).verdict, Verdict::kStopChannel);
  EXPECT_EQ(smpp::SubmitAction(0x0b, own).verdict, Verdict::kRetryLater);
  EXPECT_EQ(smpp::StatusCode(0x0400), "0x00000400");
}

TEST(SmppCodes, WrongCredentialsStopTheChannelAndABusyCentreDoesNot) {
  for (const std::uint32_t status : {0x0d, 0x0e, 0x0f}) EXPECT_EQ(smpp::BindVerdict(status), Verdict::kStopChannel);
  for (const std::uint32_t status : {0x05, 0x08, 0x14, 0x58}) EXPECT_EQ(smpp::BindVerdict(status), Verdict::kNotSent);
}

// ---- Texts

TEST(LongText, Ucs2IsUtf16MostSignificantByteFirst) {
  EXPECT_EQ(Hex(*ToUcs2("A福𠮷")), "0041798fd842dfb7");
  EXPECT_FALSE(ToUcs2("\xff").has_value());
  EXPECT_EQ(FromUcs2(Bytes("0041798fd842dfb7")), "A福𠮷");
  EXPECT_EQ(FromUcs2(Bytes("d842 0041 dfb7 00")),
            "\uFFFD"
            "A"
            "\uFFFD"
            "\uFFFD");
}

TEST(LongText, TheGsmAlphabetHasItsExtensionTable) {
  EXPECT_EQ(FromGsm(Bytes("00 01 02 03 04 05 06 07 08 09")), "@£$¥èéùìòÇ");
  EXPECT_EQ(FromGsm(Bytes("0b 0c 0e 0f 10 11 12 13 14 15 16 17 18 19 1a 1c 1d 1e 1f")), "ØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ");
  EXPECT_EQ(FromGsm(Bytes("24 40 5b 5c 5d 5e 5f 60 7b 7c 7d 7e 7f")), "¤¡ÄÖÑÜ§¿äöñüà");
  EXPECT_EQ(FromGsm("Hello TD 123"), "Hello TD 123");
  EXPECT_EQ(FromGsm(Bytes("1b14 1b28 1b29 1b2f 1b3c 1b3d 1b3e 1b40 1b65")), "^{}\\[~]|€");
  EXPECT_EQ(FromGsm(Bytes("1b41")), "A") << "what the extension table does not have";
  EXPECT_EQ(FromGsm(Bytes("41 80 1b")), "A\uFFFD\uFFFD");
}

TEST(LongText, Latin1IsTheFirst256CodePoints) { EXPECT_EQ(FromLatin1(Bytes("41 e9 ff")), "Aéÿ"); }

std::string Han(std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += "智";
  return out;
}

TEST(LongText, SeventyCharactersGoAloneAndMoreInSegmentsOf67) {
  for (const auto& [characters, segments] : std::vector<std::pair<std::size_t, std::size_t>>{
           {1, 1}, {70, 1}, {71, 2}, {134, 2}, {135, 3}, {160, 3}, {500, 8}}) {
    EXPECT_EQ(SegmentsOf(Han(characters)), segments) << characters;
    EXPECT_EQ(SplitUcs2(*ToUcs2(Han(characters)), 0).size(), segments) << characters;
  }
  EXPECT_EQ(SegmentsOf("\xff"), 0U);
  EXPECT_EQ(SplitUcs2(*ToUcs2("智"), 3).front(), Bytes("667a")) << "no header";
}

// Kannel's two segments of 96 characters: lengths 0x8c and 0x40, the header 05 00 03 01 02 0n.
TEST(LongText, SegmentsHaveKannelsShape) {
  const auto segments = SplitUcs2(*ToUcs2(Han(96)), 1);
  ASSERT_EQ(segments.size(), 2U);
  EXPECT_EQ(segments[0].size(), 0x8cU);
  EXPECT_EQ(segments[1].size(), 0x40U);
  EXPECT_EQ(Hex(segments[0].substr(0, 8)), "050003010201667a");
  EXPECT_EQ(Hex(segments[1].substr(0, 8)), "050003010202667a");
}

TEST(LongText, ACharacterOfTwoUnitsIsNotCut) {
  const std::string text = Han(66) + "𠮷" + Han(66);  // its halves would be the 67th and 68th unit
  const auto segments = SplitUcs2(*ToUcs2(text), 9);
  ASSERT_EQ(segments.size(), 3U);
  EXPECT_EQ(segments[0].size(), 6U + 132U);
  EXPECT_EQ(SegmentsOf(text), 3U);
  std::string joined;
  for (const std::string& segment : segments) joined += segment.substr(6);
  EXPECT_EQ(FromUcs2(joined), text);
}

TEST(LongText, MoreThan255SegmentsAreRefused) {
  EXPECT_EQ(SplitUcs2(std::string(255 * 134, '\x66'), 0).size(), 255U);
  EXPECT_TRUE(SplitUcs2(std::string(255 * 134 + 2, '\x66'), 0).empty());
}

TEST(LongText, HeadersOfBothKindsAreRead) {
  const std::string narrow_bytes = Bytes("05 00 03 07 02 01 'text'");  // the parts point into it
  const auto narrow = ParseUserData(narrow_bytes);
  ASSERT_TRUE(narrow && narrow->part);
  EXPECT_EQ(narrow->part->reference, 7);
  EXPECT_EQ(narrow->part->total, 2);
  EXPECT_EQ(narrow->part->number, 1);
  EXPECT_EQ(narrow->text, "text");
  const auto wide = ParseUserData(Bytes("0a 05 02 1234 08 04 0102 03 03 'x'"));
  ASSERT_TRUE(wide && wide->part) << "after an element that is not known";
  EXPECT_EQ(wide->part->reference, 0x0102);
  EXPECT_EQ(wide->part->number, 3);
  const auto none = ParseUserData(Bytes("00 'x'"));
  ASSERT_TRUE(none.has_value());
  EXPECT_FALSE(none->part.has_value());
  EXPECT_FALSE(ParseUserData(Bytes("05 00 03 07 02 00 'x'"))->part.has_value()) << "there is no segment 0";
  EXPECT_FALSE(ParseUserData(Bytes("05 00 03 07 02 03 'x'"))->part.has_value());
  EXPECT_FALSE(ParseUserData("").has_value());
  EXPECT_FALSE(ParseUserData(Bytes("05 00 03 07")).has_value());
  EXPECT_FALSE(ParseUserData(Bytes("02 00 03 07 02 01")).has_value()) << "an element longer than the header";
}

constexpr Joiner::Time kStart{};

TEST(LongReplies, PutsSegmentsTogetherInAnyOrder) {
  Joiner joiner(10, 10'000, Millis(1000));
  EXPECT_FALSE(joiner.Add("k", {7, 3, 3}, "c", "who", kStart).has_value());
  EXPECT_FALSE(joiner.Add("k", {7, 3, 1}, "a", "who", kStart).has_value());
  EXPECT_FALSE(joiner.Add("k", {7, 3, 1}, "a", "who", kStart).has_value()) << "the same again";
  const auto joined = joiner.Add("k", {7, 3, 2}, "b", "who", kStart);
  ASSERT_TRUE(joined.has_value());
  EXPECT_EQ(joined->text, "abc");
  EXPECT_EQ(joined->context, "who");
  EXPECT_TRUE(joined->whole);
  ASSERT_TRUE(joiner.Add("k", {7, 3, 2}, "b", "who", kStart).has_value()) << "until it is forgotten";
  joiner.Forget(joined->key);
  EXPECT_EQ(joiner.size(), 0U);
  EXPECT_FALSE(joiner.NextDue().has_value());
}

TEST(LongReplies, KeepsSendersAndReferencesApart) {
  Joiner joiner(10, 10'000, Millis(1000));
  EXPECT_FALSE(joiner.Add("a", {1, 2, 1}, "x", "", kStart).has_value());
  EXPECT_FALSE(joiner.Add("b", {1, 2, 2}, "y", "", kStart).has_value());
  EXPECT_FALSE(joiner.Add("a", {2, 2, 2}, "y", "", kStart).has_value());
  EXPECT_FALSE(joiner.Add("a", {1, 3, 2}, "y", "", kStart).has_value());
  EXPECT_EQ(joiner.size(), 4U);
}

TEST(LongReplies, GivesOutWhatIsThereWhenItsTimeIsOver) {
  Joiner joiner(10, 10'000, Millis(1000));
  EXPECT_FALSE(joiner.Add("k", {1, 3, 3}, "c", "who", kStart).has_value());
  EXPECT_FALSE(joiner.Add("k", {1, 3, 1}, "a", "who", kStart + Millis(900)).has_value());
  EXPECT_EQ(joiner.NextDue(), kStart + Millis(1000));
  EXPECT_TRUE(joiner.Overdue(kStart + Millis(999)).empty());
  const auto overdue = joiner.Overdue(kStart + Millis(1000));
  ASSERT_EQ(overdue.size(), 1U);
  EXPECT_EQ(overdue[0].text, "ac");
  EXPECT_FALSE(overdue[0].whole);
  EXPECT_EQ(joiner.size(), 1U) << "until it is forgotten";
}

TEST(LongReplies, DropsTheOldestWhenThereAreTooManyOrTooLong) {
  Joiner few(2, 10'000, Millis(1000));
  for (std::uint16_t i = 0; i < 3; ++i) few.Add("k", {i, 2, 1}, "x", "", kStart + Millis(i));
  EXPECT_EQ(few.size(), 2U);
  EXPECT_EQ(few.dropped(), 1U);
  EXPECT_TRUE(few.Add("k", {1, 2, 2}, "y", "", kStart).has_value());
  EXPECT_FALSE(few.Add("k", {0, 2, 2}, "y", "", kStart).has_value()) << "the first has gone";
  Joiner small(100, 300, Millis(1000));
  for (std::uint16_t i = 0; i < 10; ++i) small.Add("k", {i, 2, 1}, std::string(100, 'x'), "", kStart + Millis(i));
  EXPECT_LE(small.size(), 2U);
}

// ---- The connector without a connection

SmppOptions Options() {
  SmppOptions options;
  options.host = "127.0.0.1";
  options.system_id = "sandbox";
  options.password = delivery::Secret("secret01");
  return options;
}

message::Content Text(std::string text) {
  message::Content content;
  content.channel = Channel::kSms;
  content.body = std::move(text);
  return content;
}

TEST(Smpp, ContentThatCannotBeSentIsSaidBefore) {
  const auto connector = NewSmpp(Options(), nullptr);
  EXPECT_TRUE(connector->Check(Text("【福田政务】您好")).has_value());
  EXPECT_TRUE(connector->Check(Text(Han(500))).has_value());
  EXPECT_FALSE(connector->Check(Text(Han(501))).has_value());
  EXPECT_FALSE(connector->Check(Text("")).has_value());
  EXPECT_FALSE(connector->Check(Text("\xff")).has_value());
  message::Content app = Text("x");
  app.channel = Channel::kApp;
  EXPECT_FALSE(connector->Check(app).has_value());
}

TEST(Smpp, APriceCountsForEverySegment) {
  SmppOptions options = Options();
  options.price_micros = 45'000;
  const auto connector = NewSmpp(options, nullptr);
  EXPECT_EQ(connector->CostMicros(Text(Han(70))), 45'000);
  EXPECT_EQ(connector->CostMicros(Text(Han(71))), 90'000);
}

TEST(Smpp, PromisesNoMoreThanTheProtocolHas) {
  const auto connector = NewSmpp(Options(), nullptr);
  EXPECT_EQ(connector->unknown_policy(), delivery::UnknownPolicy::kPark);
  EXPECT_FALSE(connector->receipts_name_attempt());
  EXPECT_TRUE(connector->sends_receipts());
  EXPECT_TRUE(connector->asynchronous());
  EXPECT_EQ(connector->ParseCallback({}).status, 404);
  EXPECT_EQ(connector->Query({}).found, delivery::Found::kNotYet);
}

TEST(Smpp, BeforeItsStartAndAfterItsCloseNothingIsSent) {
  const auto connector = NewSmpp(Options(), nullptr);
  delivery::SendRequest request;
  request.contact = "13800138000";
  request.content = Text("x");
  EXPECT_EQ(connector->Send(request).verdict, Verdict::kNotSent);
  connector->Close();
  EXPECT_EQ(connector->Send(request).verdict, Verdict::kNotSent);
}

TEST(Smpp, AContactThatIsNoNumberIsDropped) {
  const auto connector = NewSmpp(Options(), nullptr);
  for (const char* contact : {"", "+8613800138000", "1380013800x", "138001380001380013800"}) {
    delivery::SendRequest request;
    request.contact = contact;
    request.content = Text("x");
    EXPECT_EQ(connector->Send(request).verdict, Verdict::kDropContact) << contact;
  }
}

delivery::Settings SettingsOf(const std::map<std::string, std::string>& values) {
  delivery::Settings settings;
  for (const auto& [key, value] : values) settings.Set(key, value, {"zhitui.yaml", 1, 1});
  settings.SetSecret("password", delivery::Secret("secret01"), {"zhitui.yaml", 1, 1});
  return settings;
}

TEST(SmppSettings, AShortBlockIsEnough) {
  Diagnostics diagnostics;
  const auto options = ValidateSmpp(SettingsOf({{"host", "smsc.example"}, {"system_id", "futian"}}), &diagnostics);
  ASSERT_TRUE(options.has_value()) << FormatDiagnostics(diagnostics);
  EXPECT_EQ(options->port, 2775);
  EXPECT_EQ(options->window, 10);
  EXPECT_EQ(options->dest_ton, 1);
  EXPECT_TRUE(options->receipts);
  EXPECT_FALSE(options->payload);
}

TEST(SmppSettings, EveryKeyIsRead) {
  Diagnostics diagnostics;
  const auto options = ValidateSmpp(SettingsOf({{"host", "smsc.example"},
                                                {"port", "3000"},
                                                {"system_id", "futian"},
                                                {"system_type", "VMA"},
                                                {"bind", "separate"},
                                                {"connections", "2"},
                                                {"window", "20"},
                                                {"per_second", "50"},
                                                {"source_addr", "106900001"},
                                                {"source_ton", "5"},
                                                {"source_npi", "1"},
                                                {"dest_prefix", "86"},
                                                {"dest_ton", "2"},
                                                {"dest_npi", "8"},
                                                {"service_type", "CMT"},
                                                {"receipts", "false"},
                                                {"long_messages", "payload"},
                                                {"default_alphabet", "latin1"},
                                                {"message_ids", "hex_then_decimal"},
                                                {"utc_offset_minutes", "0"},
                                                {"dead_stats", "mk:0001, MK:0005"},
                                                {"dead_errors", "001,005"},
                                                {"codes.0x0400", "stop_channel"},
                                                {"codes.0x0B", "retry_later"},
                                                {"price_cny", "0.045"},
                                                {"idle_ms", "1000"},
                                                {"answer_wait_ms", "2000"},
                                                {"throttle_pause_ms", "300"},
                                                {"resends", "1"},
                                                {"connect_timeout_ms", "1234"},
                                                {"join_timeout_s", "60"}}),
                                    &diagnostics);
  ASSERT_TRUE(options.has_value()) << FormatDiagnostics(diagnostics);
  EXPECT_TRUE(options->separate);
  EXPECT_EQ(options->dead_stats, (std::vector<std::string>{"MK:0001", "MK:0005"}));
  EXPECT_EQ(options->dead_errors, (std::vector<std::string>{"001", "005"}));
  EXPECT_EQ(options->codes,
            (std::map<std::uint32_t, Verdict>{{0x400, Verdict::kStopChannel}, {0xb, Verdict::kRetryLater}}));
  EXPECT_EQ(options->price_micros, 45'000);
  EXPECT_TRUE(options->payload);
  EXPECT_FALSE(options->gsm_replies);
  EXPECT_EQ(options->join_timeout, Millis(60'000));
}

TEST(SmppSettings, WhatTheProtocolCannotCarryIsADiagnostic) {
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"system_id", "sixteen_chars_xx"},
                                                        {"system_type", "thirteen_char"},
                                                        {"source_addr", "123456789012345678901"},
                                                        {"dest_prefix", "+86"},
                                                        {"service_type", "sixsix"},
                                                        {"port", "0"},
                                                        {"window", "0"},
                                                        {"dest_ton", "256"},
                                                        {"bind", "both"},
                                                        {"long_messages", "sar"},
                                                        {"default_alphabet", "utf8"},
                                                        {"message_ids", "hex"},
                                                        {"codes.0x0", "retry_later"},
                                                        {"codes.1024", "retry_later"},
                                                        {"codes.0x400", "accepted"},
                                                        {"price_cny", "-1"},
                                                        {"no_such_key", "1"}}) {
    auto values = std::map<std::string, std::string>{{"host", "smsc.example"}, {"system_id", "futian"}};
    values[key] = value;
    Diagnostics diagnostics;
    EXPECT_FALSE(ValidateSmpp(SettingsOf(values), &diagnostics).has_value()) << key;
    EXPECT_FALSE(diagnostics.empty()) << key;
  }
  delivery::Settings settings = SettingsOf({{"host", "smsc.example"}, {"system_id", "futian"}});
  settings.SetSecret("password", delivery::Secret("nine_char"), {});
  EXPECT_FALSE(ValidateSmpp(settings, nullptr).has_value());
}

}  // namespace
}  // namespace zhitui::sms
