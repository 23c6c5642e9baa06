// APNs against the simulator: HTTP/2 over TLS on a port of its own.

#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "app/apns_wire.h"
#include "app/app.h"
#include "app/h2.h"
#include "connectors/app/ec_key.h"
#include "connectors/matrix.h"
#include "delivery/scripted_peer.h"
#include "sandbox/ec.h"
#include "sandbox/h2.h"
#include "sandbox/sandbox.h"

namespace zhitui::app {
namespace {

using delivery::SendResult;
using delivery::Verdict;

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "apns-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string Write(const std::string& name, const std::string& text) const {
    // A rename over the old file is what a rotation does.
    std::ofstream(path_ + "/part", std::ios::trunc) << text;
    std::filesystem::rename(path_ + "/part", path_ + "/" + name);
    return path_ + "/" + name;
  }

 private:
  std::string path_;
};

class Simulator {
 public:
  explicit Simulator(sandbox::Options options = {}) : server_(On(std::move(options))) {
    const auto port = server_.Start();
    if (!port) throw std::runtime_error(port.error());
    port_ = *port;
    credentials_ = Ask();
    ca_file_ = folder_.Write("ca.pem", credentials_.at("ca"));
  }
  ApnsOptions Options() const {
    ApnsOptions options;
    options.base_url = credentials_.at("base_url");
    options.ca_file = ca_file_;
    options.key = delivery::Secret(credentials_.at("key").get<std::string>());
    options.key_id = credentials_.at("key_id");
    options.team_id = credentials_.at("team_id");
    options.topic = credentials_.at("topic");
    options.visible.full = true;
    return options;
  }
  const nlohmann::json& credentials() const { return credentials_; }
  const Folder& folder() const { return folder_; }
  sandbox::ProviderStats stats() const { return server_.GetStats().at("apns"); }
  testing::MatrixCounts counts() const { return {stats().requests, stats().accepted}; }
  int connections() const { return Ask().at("connections"); }

 private:
  static sandbox::Options On(sandbox::Options options) {
    options.apns.on = true;
    return options;
  }
  nlohmann::json Ask() const {
    httplib::Client client("127.0.0.1", port_);
    client.set_read_timeout(20);
    const auto answer = client.Get("/sandbox/credentials/apns");
    if (!answer || answer->status != 200) throw std::runtime_error("no credentials");
    return nlohmann::json::parse(answer->body);
  }
  Folder folder_;
  sandbox::Server server_;
  int port_ = 0;
  nlohmann::json credentials_;
  std::string ca_file_;
};

delivery::SendRequest Request(const std::string& contact) {
  static std::atomic<int> next{0};
  delivery::SendRequest request;
  request.notification_id = "n" + std::to_string(++next);
  request.attempt_id = request.notification_id + "-1";
  request.contact = contact;
  request.content.channel = Channel::kApp;
  request.content.title = "高龄津贴";
  request.content.body = "您可以申请高龄津贴";
  request.key.key = ApnsId(request.attempt_id);
  request.timeout = Millis(20'000);
  return request;
}

std::string Token(const std::string& start) {
  std::string token = start;
  token.resize(64, 'a');
  return token;
}

TEST(ApnsSimulated, EachOutcomeOfTheMatrix) {
  sandbox::Options sandbox_options;
  sandbox_options.slow_ms = 5000;
  Simulator simulator(sandbox_options);
  ApnsOptions options = simulator.Options();
  options.token_min_age_s = 0;
  const auto connector = NewApns(options, nullptr);
  testing::CheckMatrix(
      *connector,
      {
          {"accepted", Token("00fc13ad"), Verdict::kAccepted, "200", 1, 1},
          {"throttled", Token("facade01"), Verdict::kThrottled, "TooManyRequests", 1, 0},
          {"contact refused", Token("facade02"), Verdict::kDropContact, "BadDeviceToken", 1, 0},
          {"server error", Token("facade03"), Verdict::kRetryLater, "InternalServerError", 1, 0},
          {"not delivered later", Token("facade04"), Verdict::kAccepted, "200", 1, 1},
          {"lost after acceptance", Token("facade05"), Verdict::kUnknown, "", 1, 1},
          {"accepted on a new connection", Token("00fc13ad"), Verdict::kAccepted, "200", 1, 1},
          {"lost before acceptance", Token("facade06"), Verdict::kUnknown, "", 1, 0},
          {"time-out after acceptance", Token("facade07"), Verdict::kUnknown, "timeout", 1, 1, Millis(400)},
          {"not allowed", Token("facade08"), Verdict::kStopChannel, "Forbidden", 1, 0},
          {"malformed answer", Token("facade11"), Verdict::kUnknown, "http 200", 1, 1},
          {"token expired once", Token("facade12"), Verdict::kAccepted, "200", 2, 1},
          {"app removed", Token("facade14"), Verdict::kDropContact, "Unregistered", 1, 0},
          {"GOAWAY before this stream", Token("facade20"), Verdict::kNotSent, "refused", 1, 0},
          {"accepted after GOAWAY", Token("00fc13ad"), Verdict::kAccepted, "200", 1, 1},
          {"stream refused, kept connection", Token("facade21"), Verdict::kUnknown, "read", 1, 0},
          {"accepted after that", Token("00fc13ad"), Verdict::kAccepted, "200", 1, 1},
          {"no token at all", "zz", Verdict::kDropContact, "contact", 0, 0},
      },
      Request, [&] { return simulator.counts(); });
}

TEST(ApnsSimulated, AStreamRefusedOnANewConnectionWasNotSent) {
  Simulator simulator;
  const auto connector = NewApns(simulator.Options(), nullptr);
  const auto request = Request(Token("facade21"));
  const SendResult refused = connector->Send(request);
  EXPECT_EQ(refused.verdict, Verdict::kNotSent);
  EXPECT_EQ(refused.code, "refused");
  EXPECT_EQ(simulator.stats().requests, 1U) << "libcurl does not repeat it by itself";
  EXPECT_EQ(connector->Send(request).verdict, Verdict::kAccepted);
  EXPECT_EQ(simulator.stats().accepted, 1U);
}

TEST(ApnsSimulated, ManyMessagesShareFewConnections) {
  Simulator simulator;
  const auto connector = NewApns(simulator.Options(), nullptr);
  constexpr int kMessages = 400;
  std::mutex mutex;
  std::condition_variable all;
  int accepted = 0;
  int ended = 0;
  for (int i = 0; i < kMessages; ++i) {
    connector->Begin(Request(Token("00fc13ad")), [&](SendResult result) {
      const std::scoped_lock lock(mutex);
      if (result.verdict == Verdict::kAccepted) ++accepted;
      if (++ended == kMessages) all.notify_all();
    });
  }
  std::unique_lock lock(mutex);
  ASSERT_TRUE(all.wait_for(lock, std::chrono::seconds(60), [&] { return ended == kMessages; }));
  EXPECT_EQ(accepted, kMessages);
  EXPECT_EQ(simulator.stats().accepted, static_cast<std::uint64_t>(kMessages));
  EXPECT_LE(simulator.connections(), 2);
}

TEST(ApnsSimulated, AFullWindowMakesTheNextOneWaitAndItsTimeOutHolds) {
  sandbox::Options sandbox_options;
  sandbox_options.slow_ms = 20'000;
  Simulator simulator(sandbox_options);
  ApnsOptions options = simulator.Options();
  options.in_flight = 1;
  options.connections = 1;
  const auto connector = NewApns(options, nullptr);
  std::promise<SendResult> slow;
  auto first = Request(Token("facade07"));
  first.timeout = Millis(3000);
  connector->Begin(first, [&](SendResult result) { slow.set_value(std::move(result)); });
  while (simulator.stats().requests == 0) std::this_thread::yield();  // the first is on the wire
  auto second = Request(Token("00fc13ad"));
  second.timeout = Millis(500);
  const SendResult late = connector->Send(second);
  EXPECT_EQ(late.verdict, Verdict::kNotSent) << "it never left";
  EXPECT_EQ(late.code, "deadline");
  EXPECT_EQ(slow.get_future().get().verdict, Verdict::kUnknown);
}

TEST(ApnsSimulated, AFreshTokenThatIsRefusedIsNotRenewed) {
  Simulator simulator;
  const auto connector = NewApns(simulator.Options(), nullptr);
  const SendResult result = connector->Send(Request(Token("facade12")));
  EXPECT_EQ(result.verdict, Verdict::kStopChannel) << "Apple punishes more than one token in 20 minutes";
  EXPECT_EQ(result.code, "ExpiredProviderToken");
  EXPECT_EQ(simulator.stats().requests, 1U);
}

TEST(ApnsSimulated, OneTokenServesManyMessages) {
  sandbox::Options sandbox_options;
  sandbox_options.apns.token_updates_ms = 1'200'000;
  Simulator simulator(sandbox_options);
  const auto connector = NewApns(simulator.Options(), nullptr);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(connector->Send(Request(Token("00fc13ad"))).verdict, Verdict::kAccepted);
  // Another process signs another token.
  const SendResult other = NewApns(simulator.Options(), nullptr)->Send(Request(Token("00fc13ad")));
  EXPECT_EQ(other.verdict, Verdict::kThrottled);
  EXPECT_EQ(other.code, "TooManyProviderTokenUpdates");
  EXPECT_EQ(other.retry_after, Millis(20 * 60 * 1000));
}

TEST(ApnsSimulated, WrongCredentialsStopTheChannel) {
  Simulator simulator;
  ApnsOptions options = simulator.Options();
  options.key_id = "OTHERKEY01";
  EXPECT_EQ(NewApns(options, nullptr)->Send(Request(Token("00fc13ad"))).code, "InvalidProviderToken");
  options = simulator.Options();
  options.key = delivery::Secret(testing::NewEcPem());
  EXPECT_EQ(NewApns(options, nullptr)->Send(Request(Token("00fc13ad"))).verdict, Verdict::kStopChannel);
  options = simulator.Options();
  options.topic = "cn.example.other";
  EXPECT_EQ(NewApns(options, nullptr)->Send(Request(Token("00fc13ad"))).code, "TopicDisallowed");
}

TEST(ApnsSimulated, ARotatedKeyIsTakenUpWithItsIdOnNewConnections) {
  Simulator simulator;
  const std::string old_key = "kid: OLDKEY0001\n" + testing::NewEcPem();
  const std::string path = simulator.folder().Write("key.p8", old_key);
  ApnsOptions options = simulator.Options();
  options.key = delivery::Secret::FromFile(path, old_key);
  const auto connector = NewApns(options, nullptr);
  EXPECT_EQ(connector->Send(Request(Token("00fc13ad"))).code, "InvalidProviderToken");
  const int before = simulator.connections();
  simulator.folder().Write("key.p8", "kid: " + simulator.credentials().at("key_id").get<std::string>() + "\n" +
                                         simulator.credentials().at("key").get<std::string>());
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  SendResult result;
  do {  // the file is looked at once a second
    result = connector->Send(Request(Token("00fc13ad")));
  } while (result.verdict != Verdict::kAccepted && std::chrono::steady_clock::now() < deadline);
  EXPECT_EQ(result.verdict, Verdict::kAccepted) << result.code;
  EXPECT_GT(simulator.connections(), before);
}

// The client alone, against a server of its own.
class H2Pair {
 public:
  explicit H2Pair(sandbox::Reply reply) : reply_(std::move(reply)) {
    Serve(0);
    H2Options options;
    options.http.base = delivery::ParseBaseUrl("https://127.0.0.1:" + std::to_string(port_)).value();
    options.http.ca_file = folder_.Write("ca.pem", certificate_.cert_pem);
    options.http.max_answer_bytes = 1000;
    client_ = std::make_unique<H2Client>(std::move(options));
  }
  void Restart() {
    front_.reset();
    Serve(port_);
  }
  delivery::HttpAnswer Post() {
    std::promise<delivery::HttpAnswer> answer;
    client_->Call({"POST", "/x", {}, "body"}, std::chrono::steady_clock::now() + std::chrono::seconds(20),
                  [&](delivery::HttpAnswer a) { answer.set_value(std::move(a)); });
    return answer.get_future().get();
  }
  int served() const { return served_; }

 private:
  void Serve(int port) {
    sandbox::H2Front::Config config;
    config.port = port;
    config.cert_pem = certificate_.cert_pem;
    config.key_pem = certificate_.key_pem;
    front_ = std::make_unique<sandbox::H2Front>(std::move(config), [this](const sandbox::Call&, std::uint64_t) {
      ++served_;
      return reply_;
    });
    const auto started = front_->Start();
    if (!started) throw std::runtime_error(started.error());
    port_ = *started;
  }
  const sandbox::Reply reply_;
  const sandbox::Certificate certificate_ = sandbox::SelfSigned("127.0.0.1");
  const Folder folder_;
  std::atomic<int> served_{0};
  int port_ = 0;
  std::unique_ptr<sandbox::H2Front> front_;
  std::unique_ptr<H2Client> client_;
};

TEST(H2, NothingLeavesOnAConnectionThatThePeerHasClosed) {
  H2Pair pair({});
  EXPECT_EQ(pair.Post().fate, delivery::HttpFate::kAnswered);
  pair.Restart();
  // libcurl takes the dead connection once more, or has seen its end and opens another.
  const auto answer = pair.Post();
  EXPECT_NE(answer.fate, delivery::HttpFate::kUnknown) << answer.fault;
  EXPECT_EQ(pair.served(), answer.fate == delivery::HttpFate::kAnswered ? 2 : 1);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  auto later = answer;
  while (later.fate != delivery::HttpFate::kAnswered && std::chrono::steady_clock::now() < deadline)
    later = pair.Post();
  EXPECT_EQ(later.fate, delivery::HttpFate::kAnswered);
}

TEST(H2, AnAnswerOverTheLimitIsUnknown) {
  sandbox::Reply reply;
  reply.body = std::string(1001, 'x');
  H2Pair pair(reply);
  const auto answer = pair.Post();
  EXPECT_EQ(answer.fate, delivery::HttpFate::kUnknown);
  EXPECT_EQ(answer.fault, "too_large");
  EXPECT_TRUE(answer.body.empty());
  EXPECT_EQ(pair.served(), 1);
}

TEST(ApnsPeer, NobodyListeningIsNotSent) {
  Simulator simulator;
  ApnsOptions options = simulator.Options();
  options.base_url = "https://127.0.0.1:" + std::to_string(testing::ScriptedPeer::DeadPort());
  const SendResult result = NewApns(options, nullptr)->Send(Request(Token("00fc13ad")));
  EXPECT_EQ(result.verdict, Verdict::kNotSent);
  EXPECT_EQ(result.code, "connect");
}

TEST(ApnsPeer, AnUnknownCertificateIsNotSent) {
  Simulator simulator;
  ApnsOptions options = simulator.Options();
  options.ca_file = simulator.folder().Write("other.pem", sandbox::SelfSigned("127.0.0.1").cert_pem);
  const SendResult result = NewApns(options, nullptr)->Send(Request(Token("00fc13ad")));
  EXPECT_EQ(result.verdict, Verdict::kNotSent);
  EXPECT_EQ(result.code, "certificate");
  EXPECT_EQ(simulator.stats().requests, 0U);
}

TEST(ApnsPeer, APeerWithoutHttp2IsRefusedBeforeAnythingLeaves) {
  const Folder folder;
  const auto certificate = sandbox::SelfSigned("127.0.0.1");
  sandbox::Options http1;
  http1.tls_cert = folder.Write("cert.pem", certificate.cert_pem);
  http1.tls_key = folder.Write("key.pem", certificate.key_pem);
  sandbox::Server server(http1);
  const auto port = server.Start();
  ASSERT_TRUE(port.has_value()) << port.error();
  Simulator simulator;
  ApnsOptions options = simulator.Options();
  options.base_url = "https://127.0.0.1:" + std::to_string(*port) + "/apns";
  options.ca_file = http1.tls_cert;
  const SendResult result = NewApns(options, nullptr)->Send(Request(Token("00fc13ad")));
  EXPECT_EQ(result.verdict, Verdict::kNotSent);
  EXPECT_EQ(result.code, "http1");
}

}  // namespace
}  // namespace zhitui::app
