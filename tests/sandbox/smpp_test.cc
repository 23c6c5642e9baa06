// The simulated SMPP centre, spoken to with bytes written by hand from the specification.
#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>

#include "sandbox/harness.h"

namespace sandbox {
namespace {

using nlohmann::json;

std::string Bytes(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    if (text[i] == ' ') {
      ++i;
    } else if (text[i] == '\'') {
      const size_t end = text.find('\'', i + 1);
      out += text.substr(i + 1, end - i - 1);
      i = end + 1;
    } else {
      out.push_back(static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
      i += 2;
    }
  }
  return out;
}

// Kannel's own bind, with this centre's credentials in place of its own.
constexpr char kBind[] = "00000029 00000009 00000000 00000001 'sandbox'00 'secret01'00 'VMA'00 34 00 00 00";

uint32_t Word(const std::string& unit, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(unit[at + i]);
  return value;
}

class Peer {
 public:
  explicit Peer(int port) {
    fd_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) throw std::runtime_error("connect");
  }
  ~Peer() { close(fd_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void Send(const std::string& bytes) {
    ASSERT_EQ(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  // The next unit but for the centre's enquire_link; nothing when the connection ends or nothing comes.
  std::optional<std::string> Unit() {
    while (true) {
      while (in_.size() < 16 || in_.size() < Word(in_, 0)) {
        pollfd peer{fd_, POLLIN, 0};
        char chunk[4096];
        if (poll(&peer, 1, 20'000) <= 0) return std::nullopt;
        const ssize_t n = recv(fd_, chunk, sizeof chunk, 0);
        if (n <= 0) return std::nullopt;
        in_.append(chunk, static_cast<size_t>(n));
      }
      std::string unit = in_.substr(0, Word(in_, 0));
      in_.erase(0, unit.size());
      if (Word(unit, 4) != 0x15) return unit;
    }
  }
  // The status of the next unit that is no receipt, which must be of that command.
  uint32_t Status(uint32_t command) {
    std::optional<std::string> unit;
    do {
      unit = Unit();
    } while (unit && Word(*unit, 4) == 5);
    if (!unit || Word(*unit, 4) != command) return 0xffffffff;
    return Word(*unit, 8);
  }

 private:
  int fd_ = -1;
  std::string in_;
};

// A submit_sm with what a test changes.
struct Draft {
  std::string service = "00";
  std::string source = "00 00 '106900001'00";
  std::string to = "01 01 '13800138001'00";
  std::string esm_class = "00";
  std::string priority = "00";
  std::string schedule = "00";
  std::string validity = "00";
  std::string registered = "01";
  std::string replace = "00";
  std::string coding = "08";
  std::string text = "798f7530";
  std::string length;  // of the text when it is not told rightly
  std::string optional;

  std::string Encode() const {
    const std::string message = Bytes(text);
    std::string out = Bytes("00000000 00000004 00000000 00000002" + service + source + to + esm_class + "00" +
                            priority + schedule + validity + registered + replace + coding + "00");
    out += length.empty() ? std::string(1, static_cast<char>(message.size())) : Bytes(length);
    out += message + Bytes(optional);
    out[2] = static_cast<char>(out.size() >> 8);
    out[3] = static_cast<char>(out.size());
    return out;
  }
};

class SmppSandbox : public ::testing::Test {
 protected:
  static Options On() {
    Options options;
    options.smpp.port = -1;
    return options;
  }
  void Start(Options options = On()) {
    bench_ = std::make_unique<Bench>(options);
    peer_ = std::make_unique<Peer>(bench_->server().Ports().at("smpp"));
  }
  void Bound(Options options = On()) {
    Start(options);
    peer_->Send(Bytes(kBind));
    ASSERT_EQ(peer_->Status(0x80000009), 0U);
  }
  uint32_t Try(const std::function<void(Draft&)>& change) {
    Draft draft;
    change(draft);
    peer_->Send(draft.Encode());
    return peer_->Status(0x80000004);
  }
  Bench& bench() { return *bench_; }
  Peer& peer() { return *peer_; }

 private:
  std::unique_ptr<Bench> bench_;
  std::unique_ptr<Peer> peer_;
};

TEST(SmppSandboxOff, IsOffUnlessItHasAPort) {
  Bench bench;
  EXPECT_TRUE(bench.server().Ports().empty());
}

TEST_F(SmppSandbox, BindsOnlyWithTheRightCredentials) {
  for (const auto& [bytes, status] : std::vector<std::pair<std::string, uint32_t>>{
           {"00000029 00000009 00000000 00000001 'sandbox'00 'secret02'00 'VMA'00 34 00 00 00", 0x0e},
           {"00000029 00000009 00000000 00000001 'nobody!'00 'secret01'00 'VMA'00 34 00 00 00", 0x0f},
           {"00000029 00000009 00000000 00000001 'sandbox'00 'secret01'00 'VMA'00 50 00 00 00", 0x0d},
       }) {
    Start();
    peer().Send(Bytes(bytes));
    EXPECT_EQ(peer().Status(0x80000009), status);
  }
  Bound();
  peer().Send(Bytes(kBind));
  EXPECT_EQ(peer().Status(0x80000009), 0x05U) << "bound already";
}

TEST_F(SmppSandbox, TakesNothingBeforeABindNorFromAReceiver) {
  Start();
  EXPECT_EQ(Try([](Draft&) {}), 0x04U);
  Start();
  peer().Send(Bytes("00000029 00000001 00000000 00000001 'sandbox'00 'secret01'00 'VMA'00 34 00 00 00"));
  EXPECT_EQ(peer().Status(0x80000001), 0U);
  EXPECT_EQ(Try([](Draft&) {}), 0x04U);
}

TEST_F(SmppSandbox, ChecksEveryFieldOfAMessage) {
  Bound();
  EXPECT_EQ(Try([](Draft&) {}), 0U);
  EXPECT_EQ(Try([](Draft& d) { d.service = "'toolong'00"; }), 0x15U);
  EXPECT_EQ(Try([](Draft& d) { d.source = "07 00 '1'00"; }), 0x48U);
  EXPECT_EQ(Try([](Draft& d) { d.source = "00 02 '1'00"; }), 0x49U);
  EXPECT_EQ(Try([](Draft& d) { d.source = "00 00 '123456789012345678901'00"; }), 0x0aU);
  EXPECT_EQ(Try([](Draft& d) { d.to = "07 01 '13800138001'00"; }), 0x50U);
  EXPECT_EQ(Try([](Draft& d) { d.to = "01 02 '13800138001'00"; }), 0x51U);
  EXPECT_EQ(Try([](Draft& d) { d.to = "01 01 '12800138001'00"; }), 0x0bU);
  EXPECT_EQ(Try([](Draft& d) { d.to = "01 01 '8613800138001'00"; }), 0U);
  EXPECT_EQ(Try([](Draft& d) { d.to = "01 01 '+8613800138001'00"; }), 0x0bU);
  EXPECT_EQ(Try([](Draft& d) { d.esm_class = "04"; }), 0x43U) << "a sender sends no receipts";
  EXPECT_EQ(Try([](Draft& d) { d.esm_class = "80"; }), 0x43U);
  EXPECT_EQ(Try([](Draft& d) { d.esm_class = "03"; }), 0U) << "store and forward, as Kannel writes it";
  EXPECT_EQ(Try([](Draft& d) { d.priority = "04"; }), 0x06U);
  EXPECT_EQ(Try([](Draft& d) { d.schedule = "'260115'00"; }), 0x61U);
  EXPECT_EQ(Try([](Draft& d) { d.validity = "'000001000000000R'00"; }), 0U);
  EXPECT_EQ(Try([](Draft& d) { d.validity = "'000001000000000X'00"; }), 0x62U);
  EXPECT_EQ(Try([](Draft& d) { d.registered = "03"; }), 0x07U);
  EXPECT_EQ(Try([](Draft& d) { d.registered = "20"; }), 0x07U);
  EXPECT_EQ(Try([](Draft& d) { d.registered = "11"; }), 0U) << "as Kannel writes it";
  EXPECT_EQ(Try([](Draft& d) { d.replace = "02"; }), 0x54U);
  EXPECT_EQ(Try([](Draft& d) { d.coding = "0b"; }), 0x45U);
  EXPECT_EQ(bench().server().GetStats().at("smpp").errors.at("0x0000000B"), 2U);
}

TEST_F(SmppSandbox, ChecksLengthsAndCodingOfTheText) {
  Bound();
  std::string seventy;
  for (int i = 0; i < 70; ++i) seventy += "798f";
  EXPECT_EQ(Try([&](Draft& d) { d.text = seventy; }), 0U);
  EXPECT_EQ(Try([&](Draft& d) { d.text = seventy + "7530"; }), 0x01U);
  EXPECT_EQ(Try([](Draft& d) { d.text = ""; }), 0x01U);
  EXPECT_EQ(Try([](Draft& d) { d.text = "798f75"; }), 0x01U) << "half a unit";
  EXPECT_EQ(Try([](Draft& d) { d.text = "798fd842"; }), 0x45U) << "half a pair";
  EXPECT_EQ(Try([](Draft& d) { d.length = "0a"; }), 0x01U) << "longer than what is there";
  EXPECT_EQ(Try([](Draft& d) { d.length = "02"; }), 0xc0U) << "what is left over is no parameter";
  EXPECT_EQ(Try([](Draft& d) { d.coding = "00", d.text = "'Hello'"; }), 0U);
  EXPECT_EQ(Try([](Draft& d) { d.text = "", d.optional = "0424 0004 798f7530"; }), 0U);
  EXPECT_EQ(Try([](Draft& d) { d.optional = "0424 0004 798f7530"; }), 0x01U) << "two texts";
  EXPECT_EQ(Try([](Draft& d) { d.optional = "0424 0009 798f"; }), 0xc0U);
}

TEST_F(SmppSandbox, ChecksTheHeaderOfASegmentAndLogsAWholeMessageOnce) {
  Bound();
  for (const char* text :
       {"0500030102", "050003010101 798f", "050003010203 798f", "050003010200 798f", "04000301 798f"}) {
    EXPECT_EQ(Try([&](Draft& d) { d.esm_class = "40", d.text = text; }), 0x43U) << text;
  }
  EXPECT_EQ(Try([](Draft& d) { d.esm_class = "40", d.text = "050003010202 7530", d.registered = "00"; }), 0U);
  EXPECT_EQ(bench().server().GetStats().at("smpp").accepted, 0U);
  EXPECT_EQ(Try([](Draft& d) { d.esm_class = "40", d.text = "050003010201 798f"; }), 0U);
  EXPECT_EQ(bench().server().GetStats().at("smpp").accepted, 1U);
  const auto lines = bench().Lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]["provider"], "smpp");
  EXPECT_EQ(lines[0]["content"]["text"], "福田");
  EXPECT_EQ(lines[0]["content"]["segments"], 2);
  EXPECT_EQ(lines[0]["content"]["registered_delivery"], json({1, 0}));
}

TEST_F(SmppSandbox, ThrottlesWhatIsBeyondTheWindow) {
  Options options = On();
  options.smpp.window = 2;
  options.smpp.answer_ms = 50;
  Bound(options);
  for (int i = 0; i < 3; ++i) peer().Send(Draft().Encode());
  EXPECT_EQ(peer().Status(0x80000004), 0U);
  EXPECT_EQ(peer().Status(0x80000004), 0U);
  EXPECT_EQ(peer().Status(0x80000004), 0x58U);
}

// The receipt is what Kannel and others are known to understand: text and parameters.
TEST_F(SmppSandbox, SendsAReceiptAndAgainWhenItIsRefusedForNow) {
  Options options = On();
  options.receipt_retry_ms = 1;
  Bound(options);
  peer().Send(Draft().Encode());
  const auto answer = peer().Unit();
  ASSERT_TRUE(answer.has_value());
  const std::string id = answer->substr(16, answer->size() - 17);
  for (const char* status : {"00000064", "00000000"}) {
    const auto receipt = peer().Unit();
    ASSERT_TRUE(receipt.has_value());
    EXPECT_EQ(Word(*receipt, 4), 5U);
    EXPECT_NE(receipt->find("id:" + id +
                            " sub:001 dlvrd:001 submit date:2601151000 done date:2601151000 stat:DELIVRD "
                            "err:000 text:"),
              std::string::npos);
    EXPECT_NE(receipt->find(Bytes("001e 0014") + id + '\0' + Bytes("0427 0001 02")), std::string::npos);
    peer().Send(Bytes("00000011 80000005 " + std::string(status)) + receipt->substr(12, 4) + '\0');
  }
  while (bench().server().GetStats().at("smpp").receipts_acked < 1) std::this_thread::yield();
  EXPECT_EQ(bench().server().GetStats().at("smpp").receipts_sent, 2U);
}

TEST_F(SmppSandbox, ReportsBeforeTheAnswerWhenAsked) {
  Bound();
  Draft draft;
  draft.to = "01 01 '13800130015'00";
  peer().Send(draft.Encode());
  EXPECT_EQ(Word(*peer().Unit(), 4), 5U);
  EXPECT_EQ(Word(*peer().Unit(), 4), 0x80000004U);
}

TEST_F(SmppSandbox, MagicNumbersFailAsTheTableSays) {
  Bound();
  const auto to = [&](const char* phone) {
    return Try([&](Draft& d) {
      d.to = "01 01 '" + std::string(phone) + "'00";
      d.registered = "00";
    });
  };
  EXPECT_EQ(to("13800130001"), 0x58U);
  EXPECT_EQ(to("13800130001"), 0U);
  EXPECT_EQ(to("13800130002"), 0x0bU);
  EXPECT_EQ(to("13800130003"), 0x08U);
  EXPECT_EQ(to("13800130003"), 0x08U);
  EXPECT_EQ(to("13800130003"), 0U);
  EXPECT_EQ(to("13800130008"), 0x400U);
  EXPECT_EQ(to("13800130012"), 0x04U);
  EXPECT_EQ(to("13800130021"), 0x14U);
  EXPECT_EQ(to("13800130021"), 0U);
  Draft draft;
  draft.to = "01 01 '13800130026'00";
  peer().Send(draft.Encode());
  EXPECT_EQ(peer().Status(0x80000000), 0x02U);
  draft.to = "01 01 '13800130025'00";
  peer().Send(draft.Encode());
  EXPECT_FALSE(peer().Unit().has_value()) << "closed in the middle of a unit";
}

TEST_F(SmppSandbox, EndsWhatItCannotReadAndAnswersWhatItDoesNotKnow) {
  Bound();
  peer().Send(Bytes("00000010 00000103 00000000 00000009"));
  EXPECT_EQ(peer().Status(0x80000000), 0x03U);
  peer().Send(Bytes("00000010 00000015 00000000 0000000a"));
  EXPECT_EQ(peer().Status(0x80000015), 0U);
  peer().Send(Bytes("00000010 00000006 00000000 0000000b"));
  EXPECT_EQ(peer().Status(0x80000006), 0U);
  EXPECT_FALSE(peer().Unit().has_value());
  Bound();
  peer().Send(Bytes("0000000f 00000015 00000000 0000000a"));
  EXPECT_EQ(peer().Status(0x80000000), 0x02U);
  EXPECT_FALSE(peer().Unit().has_value());
}

}  // namespace
}  // namespace sandbox
