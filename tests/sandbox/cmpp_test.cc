#include "sandbox/cmpp.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "sandbox/crypto.h"

namespace sandbox {
namespace {

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

// bigwhite/gocmpp: connect_test.go (account 900001, secret 888888) and submit_test.go, version 2.0.
const std::string kConnect =
    Bytes("00000027 00000001 00000017 393030303031 90d00c1d517abd0b4f65f6bcf8535d16 21 3cdc73be");
const std::string kSubmit = Bytes(
    "000000bd 00000004 00000017 0000000000000000 01 01 01 01 74657374000000000000 02 "
    "31333530303030323639360000000000 0000000000 00 00 08 393030303031 3032 313000000000 "
    "3135313130353133313535353130312b00 0000000000000000000000000000000000 "
    "393030303031000000000000000000000000000000 01 313335303030303236393600000000000000000000 1e "
    "6d4b8bd50067006f0063006d007000700020007300750062006d00690074 0000000000000000");

class CmppGatewayTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options.cmpp.port = -1;
    options.cmpp.secret = "888888";
    gateway = std::make_unique<CmppGateway>(Surroundings{options, faults, journal, nullptr});
    const auto port = gateway->Start();
    ASSERT_TRUE(port) << port.error();
    fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(*port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  }
  void TearDown() override { close(fd); }

  void Send(const std::string& bytes) {
    ASSERT_EQ(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  // The next PDU in hex; empty: the gateway closed the connection.
  std::string Next() {
    std::string head(12, '\0');
    if (recv(fd, head.data(), head.size(), MSG_WAITALL) != 12) return {};
    std::string body(static_cast<uint8_t>(head[3]) - 12U, '\0');
    if (!body.empty() && recv(fd, body.data(), body.size(), MSG_WAITALL) != static_cast<ssize_t>(body.size()))
      return {};
    return Hex(head + body);
  }
  std::string Result(std::string submit) {
    Send(submit);
    const std::string answer = Next();
    return answer.size() == 42 ? answer.substr(40) : answer;
  }

  Options options;
  Faults faults{options};
  Journal journal;
  std::unique_ptr<CmppGateway> gateway;
  int fd = -1;
};

TEST_F(CmppGatewayTest, TakesThePublishedConnectAndSubmitAndReports) {
  Send(kConnect);
  const std::string welcome = Next();
  EXPECT_EQ(welcome.substr(0, 26), "0000001e800000010000001700");
  EXPECT_EQ(welcome.substr(58), "21");
  Send(kSubmit);
  const std::string answer = Next();
  ASSERT_EQ(answer.size(), 42U);
  EXPECT_EQ(answer.substr(0, 24), "000000158000000400000017");
  EXPECT_EQ(answer.substr(40), "00");
  const std::string report = Next();
  // 12 + 8 + 21 + 10 + 3 + 21 + 1 + 1 + 60 + 8 bytes; the report begins with the Msg_Id of the answer.
  ASSERT_EQ(report.size(), 2 * 145U);
  EXPECT_EQ(report.substr(8, 8), "00000005");
  EXPECT_EQ(report.substr(2 * 75, 4), "013c");
  EXPECT_EQ(report.substr(2 * 77, 16), answer.substr(24, 16));
  EXPECT_EQ(report.substr(2 * 85, 14), Hex("DELIVRD"));
  EXPECT_EQ(gateway->GetStats().accepted, 1U);
}

TEST_F(CmppGatewayTest, RefusesAForgedAuthenticator) {
  std::string forged = kConnect;
  forged[20] = static_cast<char>(forged[20] ^ 1);
  Send(forged);
  EXPECT_EQ(Next().substr(0, 26), "0000001e800000010000001703");
  EXPECT_EQ(Next(), "");
}

TEST_F(CmppGatewayTest, TakesNothingBeforeTheLogin) {
  Send(kSubmit);
  EXPECT_EQ(Next(), "");
  EXPECT_EQ(gateway->GetStats().requests, 0U);
}

TEST_F(CmppGatewayTest, RefusesWhatARealGatewayRefuses) {
  Send(kConnect);
  Next();
  const auto with = [](size_t at, std::string_view bytes) {
    std::string pdu = kSubmit;
    return pdu.replace(at, bytes.size(), bytes);
  };
  // on.
  EXPECT_EQ(Result(with(20, std::string(1, '\0'))), "01") << "Pk_total 0";
  EXPECT_EQ(Result(with(20, "\x02")), "01") << "two segments without a user data header";
  EXPECT_EQ(Result(with(150, "\x1c")), "04") << "Msg_Length is not that of the PDU";
  EXPECT_EQ(Result(with(65, "99")), "05") << "FeeType";
  EXPECT_EQ(Result(with(24, std::string(10, '\0'))), "07") << "Service_Id";
  EXPECT_EQ(Result(with(107, "x")), "0a") << "Src_Id";
  EXPECT_EQ(Result(with(59, "900002")), "0b") << "Msg_src";
  EXPECT_EQ(Result(with(129, "1350000x")), "0d") << "Dest_terminal_Id";
  EXPECT_EQ(Result(with(151, std::string("\xd8\x00", 2))), "01") << "half a surrogate pair";
  EXPECT_EQ(gateway->GetStats().accepted, 0U);
  EXPECT_EQ(Result(kSubmit), "00");
}

TEST_F(CmppGatewayTest, SubmitsBeyondTheWindowAreAnsweredWithEight) {
  Send(kConnect);
  Next();
  std::string burst;
  for (int i = 0; i < options.cmpp.window + 1; ++i) burst += kSubmit;
  Send(burst);
  // So little in one write is read at once on the loopback.
  int refused = 0;
  for (int answers = 0; answers <= options.cmpp.window;) {
    const std::string pdu = Next();
    if (pdu.substr(8, 8) != "80000004") continue;
    ++answers;
    if (pdu.substr(40) == "08") ++refused;
  }
  EXPECT_EQ(refused, 1);
}

TEST_F(CmppGatewayTest, AnswersActiveTestAndTerminate) {
  Send(kConnect);
  Next();
  Send(Bytes("0000000c 00000008 00000005"));
  EXPECT_EQ(Next(), "0000000d800000080000000500");
  Send(Bytes("0000000c 00000002 00000006"));
  EXPECT_EQ(Next(), "0000000c8000000200000006");
  EXPECT_EQ(Next(), "");
}

}  // namespace
}  // namespace sandbox
