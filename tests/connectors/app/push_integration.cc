#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <thread>

#include "app/app.h"
#include "connectors/app/account.h"
#include "connectors/matrix.h"
#include "delivery/scripted_peer.h"
#include "sandbox/sandbox.h"

namespace zhitui::app {
namespace {

using delivery::Secret;
using delivery::SendResult;
using delivery::Verdict;
using nlohmann::json;
using testing::CheckMatrix;
using testing::HttpAnswerOf;
using testing::MatrixCounts;
using testing::MatrixRow;
using testing::PeerAnswer;
using testing::PeerRequest;
using testing::PushRequest;
using testing::ScriptedPeer;

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "push-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string Path(const std::string& name) const { return (path_ / name).string(); }
  std::string Read(const std::string& name) const {
    std::ifstream in(path_ / name);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }

 private:
  std::filesystem::path path_;
};

class Simulator {
 public:
  explicit Simulator(const std::string& provider, sandbox::Options options = {})
      : provider_(provider), server_(With(std::move(options))) {
    const auto port = server_.Start();
    if (!port) throw std::runtime_error(port.error());
    root_ = "http://127.0.0.1:" + std::to_string(*port);
  }
  std::string url() const { return root_ + "/" + provider_; }
  const std::string& root() const { return root_; }
  std::string credentials() const { return folder_.Read(provider_ + ".json"); }
  const Folder& folder() const { return folder_; }
  sandbox::ProviderStats stats() const { return server_.GetStats().at(provider_); }
  MatrixCounts counts() const {
    const sandbox::ProviderStats now = stats();
    return {now.requests, now.accepted};
  }

 private:
  sandbox::Options With(sandbox::Options options) {
    options.slow_ms = 5000;
    options.credentials_dir = folder_.Path("");
    return options;
  }
  const std::string provider_;
  Folder folder_;
  sandbox::Server server_;
  std::string root_;
};

// A request with a key of its own, as the caller of a connector makes it.
delivery::SendRequest Request(delivery::Connector& connector, const std::string& contact) {
  static std::atomic<int> next{0};
  auto request = PushRequest(contact);
  request.notification_id = "n" + std::to_string(next.fetch_add(1));
  request.attempt_id = request.notification_id + "-1";
  const auto key = connector.NewKey(request.attempt_id);
  EXPECT_TRUE(key.has_value());
  if (key) request.key = *key;
  return request;
}

void RunMatrix(delivery::Connector& connector, const Simulator& simulator, std::vector<MatrixRow> rows) {
  CheckMatrix(
      connector, rows, [&](const std::string& contact) { return Request(connector, contact); },
      [&] { return simulator.counts(); });
}

FcmOptions Fcm(const Simulator& simulator) {
  FcmOptions options;
  options.base_url = simulator.url();
  options.service_account = Secret(simulator.credentials());
  options.token_url = json::parse(simulator.credentials())["token_uri"].get<std::string>();
  return options;
}
HuaweiOptions HuaweiV3(const Simulator& simulator) {
  HuaweiOptions options;
  options.base_url = simulator.url();
  options.service_account = Secret(simulator.credentials());
  return options;
}
HuaweiOptions HuaweiV1(const Simulator& simulator) {
  HuaweiOptions options;
  options.api = HuaweiApi::kV1;
  options.base_url = simulator.url();
  options.token_url = simulator.url() + "/oauth2/v3/token";
  options.app_id = "100000003";
  options.client_secret = Secret("sandbox-huawei-secret");
  return options;
}
GetuiOptions Getui(const Simulator& simulator) {
  GetuiOptions options;
  options.base_url = simulator.url() + "/v2";
  options.app_id = "sandboxgetuiapp";
  options.app_key = "sandboxgetuikey";
  options.master_secret = Secret("sandboxgetuimaster");
  return options;
}

TEST(PushMatrix, Fcm) {
  Simulator simulator("fcm");
  const auto connector = NewFcm(Fcm(simulator), nullptr);
  RunMatrix(*connector, simulator,
            {{"accepted", "device-token-1", Verdict::kAccepted, "200", 1, 1},
             {"throttled", "magic01aa", Verdict::kThrottled, "QUOTA_EXCEEDED", 1, 0},
             {"device gone", "magic02aa", Verdict::kDropContact, "UNREGISTERED", 1, 0},
             {"not a token", "bad token", Verdict::kDropContact, "INVALID_ARGUMENT", 1, 0},
             {"provider fails", "magic03aa", Verdict::kRetryLater, "UNAVAILABLE", 1, 0},
             {"time-out after acceptance", "magic05aa", Verdict::kUnknown, "", 1, 1},
             {"time-out before acceptance", "magic06aa", Verdict::kUnknown, "", 1, 0},
             {"slow", "magic07aa", Verdict::kUnknown, "", 1, 1, Millis(300)},
             {"account refused", "magic08aa", Verdict::kStopChannel, "THIRD_PARTY_AUTH_ERROR", 1, 0},
             {"malformed answer", "magic11aa", Verdict::kUnknown, "http 200", 1, 1},
             {"token expired once", "magic12aa", Verdict::kAccepted, "200", 2, 1}});
}

TEST(PushMatrix, HuaweiV3) {
  Simulator simulator("huawei");
  const auto connector = NewHuawei(HuaweiV3(simulator), nullptr);
  RunMatrix(*connector, simulator,
            {{"accepted", "device-token-1", Verdict::kAccepted, "80000000", 1, 1},
             {"flow control", "magic01aa", Verdict::kThrottled, "http 503", 1, 0},
             {"device gone", "magic02aa", Verdict::kDropContact, "80300007 noRight", 1, 0},
             {"not a token", "bad token", Verdict::kDropContact, "80300007 tokenFormatError", 1, 0},
             {"provider fails", "magic03aa", Verdict::kRetryLater, "81000001", 1, 0},
             {"time-out after acceptance", "magic05aa", Verdict::kUnknown, "", 1, 1},
             {"time-out before acceptance", "magic06aa", Verdict::kUnknown, "", 1, 0},
             {"slow", "magic07aa", Verdict::kUnknown, "", 1, 1, Millis(300)},
             {"account refused", "magic08aa", Verdict::kStopChannel, "80300002", 1, 0},
             {"malformed answer", "magic11aa", Verdict::kUnknown, "http 200", 1, 1},
             {"token expired once", "magic12aa", Verdict::kAccepted, "80000000", 2, 1}});
}

TEST(PushMatrix, HuaweiV1) {
  Simulator simulator("huawei");
  const auto connector = NewHuawei(HuaweiV1(simulator), nullptr);
  RunMatrix(*connector, simulator,
            {{"v1: accepted", "device-token-1", Verdict::kAccepted, "80000000", 1, 1},
             {"v1: flow control", "magic01aa", Verdict::kThrottled, "http 503", 1, 0},
             {"v1: device gone", "magic02aa", Verdict::kDropContact, "80300007", 1, 0},
             {"v1: provider fails", "magic03aa", Verdict::kRetryLater, "81000001", 1, 0},
             {"v1: time-out after acceptance", "magic05aa", Verdict::kUnknown, "", 1, 1},
             {"v1: account refused", "magic08aa", Verdict::kStopChannel, "80300002", 1, 0},
             {"v1: token expired once", "magic12aa", Verdict::kAccepted, "80000000", 2, 1}});
}

TEST(PushMatrix, Getui) {
  Simulator simulator("getui");
  const auto connector = NewGetui(Getui(simulator), nullptr);
  RunMatrix(*connector, simulator,
            {{"accepted", "0123456789abcdef", Verdict::kAccepted, "0", 1, 1},
             {"throttled", "magic01aa", Verdict::kThrottled, "10005", 1, 0},
             {"device gone", "magic02aa", Verdict::kDropContact, "20001", 1, 0},
             {"not used for 90 days", "magic14aa", Verdict::kDropContact, "successed_ignore", 1, 0},
             {"provider fails", "magic03aa", Verdict::kRetryLater, "2", 1, 0},
             {"time-out after acceptance", "magic05aa", Verdict::kUnknown, "", 1, 1},
             {"time-out before acceptance", "magic06aa", Verdict::kUnknown, "", 1, 0},
             {"slow", "magic07aa", Verdict::kUnknown, "", 1, 1, Millis(300)},
             {"out of quota", "magic08aa", Verdict::kStopChannel, "30009", 1, 0},
             {"malformed answer", "magic11aa", Verdict::kUnknown, "http 200", 1, 1},
             {"token expired once", "magic12aa", Verdict::kAccepted, "0", 2, 1}});
}

TEST(PushMatrix, Jpush) {
  Simulator simulator("jpush");
  JpushOptions options;
  options.base_url = simulator.url();
  options.app_key = "sandboxappkey0000000000a";
  options.master_secret = Secret("sandboxmastersecret00000");
  const auto connector = NewJpush(options, nullptr);
  ASSERT_TRUE(connector->NewKey("x").has_value()) << "cids are fetched before the rows count requests";
  RunMatrix(*connector, simulator,
            {{"accepted", "171976fa8a8620a14a4", Verdict::kAccepted, "200", 1, 1},
             {"throttled", "magic01aa", Verdict::kThrottled, "2002", 1, 0},
             {"device gone", "magic02aa", Verdict::kDropContact, "1011", 1, 0},
             {"provider fails", "magic03aa", Verdict::kRetryLater, "1000", 1, 0},
             {"time-out after acceptance", "magic05aa", Verdict::kUnknown, "", 1, 1},
             {"time-out before acceptance", "magic06aa", Verdict::kUnknown, "", 1, 0},
             {"slow", "magic07aa", Verdict::kUnknown, "", 1, 1, Millis(300)},
             {"account refused", "magic08aa", Verdict::kStopChannel, "2003", 1, 0},
             {"malformed answer", "magic11aa", Verdict::kUnknown, "http 200", 1, 1}});
}

TEST(PushRepeats, GetuiTakesOneRequestIdOnceAndSaysSoEitherWay) {
  for (const bool error : {false, true}) {
    sandbox::Options sim;
    sim.getui.repeat_is_error = error;
    Simulator simulator("getui", sim);
    const auto connector = NewGetui(Getui(simulator), nullptr);
    const auto lost = Request(*connector, "magic05aa");
    EXPECT_EQ(connector->Send(lost).verdict, Verdict::kUnknown);
    EXPECT_EQ(connector->Send(lost).verdict, Verdict::kAccepted) << "the same request_id again";
    EXPECT_EQ(simulator.stats().accepted, 1U);
    EXPECT_EQ(simulator.stats().suppressed, 1U);
  }
}

TEST(PushRepeats, AHuaweiPhoneShowsOneMessageIdOnce) {
  Simulator simulator("huawei");
  HuaweiOptions options = HuaweiV3(simulator);
  options.resend_unknown = true;
  const auto connector = NewHuawei(options, nullptr);
  const auto lost = Request(*connector, "magic05aa");
  EXPECT_EQ(connector->Send(lost).verdict, Verdict::kUnknown);
  EXPECT_EQ(connector->Send(lost).verdict, Verdict::kAccepted);
  EXPECT_EQ(simulator.stats().accepted, 1U);
}

TEST(PushTokens, ManyThreadsShareOneToken) {
  std::atomic<int> auths{0};
  ScriptedPeer peer([&](const PeerRequest& request) {
    if (request.Has("/auth")) {
      auths.fetch_add(1);
      return HttpAnswerOf(200, R"({"code":0,"data":{"expire_time":"9999999999999","token":"t"}})");
    }
    return HttpAnswerOf(200, R"({"code":0,"data":{"task":{"cid":"successed_online"}}})");
  });
  GetuiOptions options;
  options.base_url = peer.Url();
  options.app_id = "a";
  options.app_key = "k";
  options.master_secret = Secret("s");
  const auto connector = NewGetui(options, nullptr);
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&] { EXPECT_EQ(connector->Send(PushRequest("cid1")).verdict, Verdict::kAccepted); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(auths, 1);
}

TEST(PushTokens, ASecondRefusalStopsTheChannelAfterTwoMessagesAndTwoTokens) {
  ScriptedPeer peer([&](const PeerRequest& request) {
    if (request.Has("/auth")) {
      return HttpAnswerOf(200, R"({"code":0,"data":{"expire_time":"9999999999999","token":"t"}})");
    }
    return HttpAnswerOf(401, R"({"code":10001,"msg":"token"})");
  });
  GetuiOptions options;
  options.base_url = peer.Url();
  options.app_id = "a";
  options.app_key = "k";
  options.master_secret = Secret("s");
  const auto connector = NewGetui(options, nullptr);
  const SendResult result = connector->Send(PushRequest("cid1"));
  EXPECT_EQ(result.verdict, Verdict::kStopChannel);
  EXPECT_EQ(result.code, "10001");
  EXPECT_EQ(peer.Count("/auth"), 2U);
  EXPECT_EQ(peer.Count("/push/single/cid"), 2U);
}

TEST(PushTokens, NoTokenMeansThatNothingWasSent) {
  std::atomic<int> step{0};
  ScriptedPeer peer([&](const PeerRequest&) {
    switch (step.fetch_add(1)) {
      case 0:
        return HttpAnswerOf(500, "");
      case 1:
        return HttpAnswerOf(200, "not JSON");
      default:
        return PeerAnswer{"", PeerAnswer::kReset};
    }
  });
  HuaweiOptions options;
  options.api = HuaweiApi::kV1;
  options.base_url = "http://127.0.0.1:" + std::to_string(ScriptedPeer::DeadPort());
  options.token_url = peer.Url() + "/token";
  options.app_id = "a";
  options.client_secret = Secret("s");
  const auto connector = NewHuawei(options, nullptr);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(connector->Send(PushRequest()).verdict, Verdict::kNotSent) << i;
  EXPECT_EQ(peer.Count("POST /token"), 3U);
}

// A file that has changed since it was read at the start: the first look finds the new text.
Secret Replaced(const Folder& folder, const std::string& name, const std::string& before, const std::string& now) {
  std::ofstream(folder.Path(name)) << now << '\n';
  return Secret::FromFile(folder.Path(name), before);
}

TEST(PushSecrets, ARotatedSecretWorksWithoutARestart) {
  {
    Simulator simulator("fcm");
    json other = json::parse(simulator.credentials());
    other["private_key"] = testing::TestRsaPem();
    FcmOptions options = Fcm(simulator);
    options.service_account = Secret(other.dump());
    EXPECT_EQ(NewFcm(options, nullptr)->Send(PushRequest()).code, "token invalid_grant") << "another key";
    options.service_account = Replaced(simulator.folder(), "new.json", other.dump(), simulator.credentials());
    EXPECT_EQ(NewFcm(options, nullptr)->Send(PushRequest()).verdict, Verdict::kAccepted);
  }
  {
    Simulator simulator("huawei");
    json other = json::parse(simulator.credentials());
    other["private_key"] = testing::TestRsaPem();
    HuaweiOptions options = HuaweiV3(simulator);
    options.service_account = Secret(other.dump());
    EXPECT_EQ(NewHuawei(options, nullptr)->Send(PushRequest()).verdict, Verdict::kStopChannel);
    EXPECT_EQ(simulator.stats().requests, 2U) << "one more with a new token";
    options.service_account = Replaced(simulator.folder(), "new.json", other.dump(), simulator.credentials());
    EXPECT_EQ(NewHuawei(options, nullptr)->Send(PushRequest()).verdict, Verdict::kAccepted);
    HuaweiOptions v1 = HuaweiV1(simulator);
    v1.client_secret = Secret("old");
    EXPECT_EQ(NewHuawei(v1, nullptr)->Send(PushRequest()).code, "token 1101");
    v1.client_secret = Replaced(simulator.folder(), "secret", "old", "sandbox-huawei-secret");
    EXPECT_EQ(NewHuawei(v1, nullptr)->Send(PushRequest()).verdict, Verdict::kAccepted);
  }
  {
    Simulator simulator("getui");
    GetuiOptions options = Getui(simulator);
    options.master_secret = Secret("old");
    EXPECT_EQ(NewGetui(options, nullptr)->Send(PushRequest("cid1")).code, "token 20001");
    options.master_secret = Replaced(simulator.folder(), "secret", "old", "sandboxgetuimaster");
    const auto connector = NewGetui(options, nullptr);
    EXPECT_EQ(connector->Send(Request(*connector, "cid1")).verdict, Verdict::kAccepted);
  }
  {
    Simulator simulator("jpush");
    JpushOptions options;
    options.base_url = simulator.url();
    options.app_key = "sandboxappkey0000000000a";
    options.master_secret = Replaced(simulator.folder(), "secret", "old", "sandboxmastersecret00000");
    EXPECT_TRUE(NewJpush(options, nullptr)->NewKey("x").has_value());
  }
}

TEST(PushSecrets, AChangeWhileRunningGivesANewTokenAndNotBefore) {
  Folder folder;
  std::ofstream(folder.Path("secret")) << "one\n";
  std::mutex mutex;
  std::vector<std::string> signs;
  ScriptedPeer peer([&](const PeerRequest& request) {
    if (request.Has("/auth")) {
      const std::scoped_lock lock(mutex);
      const json body = json::parse(request.body);
      for (const char* secret : {"one", "two"}) {
        if (body["sign"] == Sha256Hex("k" + body["timestamp"].get<std::string>() + secret)) signs.push_back(secret);
      }
      return HttpAnswerOf(200, R"({"code":0,"data":{"expire_time":"9999999999999","token":"t"}})");
    }
    return HttpAnswerOf(200, R"({"code":0,"data":{"task":{"cid":"successed_online"}}})");
  });
  GetuiOptions options;
  options.base_url = peer.Url();
  options.app_id = "a";
  options.app_key = "k";
  options.master_secret = Secret::FromFile(folder.Path("secret"), "one");
  const auto connector = NewGetui(options, nullptr);
  EXPECT_EQ(connector->Send(PushRequest("cid1")).verdict, Verdict::kAccepted);
  EXPECT_EQ(connector->Send(PushRequest("cid1")).verdict, Verdict::kAccepted);
  std::ofstream(folder.Path("next")) << "two\n";
  std::filesystem::rename(folder.Path("next"), folder.Path("secret"));
  // The file is looked at once a second.
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (peer.Count("/auth") < 2 && std::chrono::steady_clock::now() < until) {
    EXPECT_EQ(connector->Send(PushRequest("cid1")).verdict, Verdict::kAccepted);
  }
  const std::scoped_lock lock(mutex);
  EXPECT_EQ(signs, (std::vector<std::string>{"one", "two"}));
}

TEST(PushPeers, MalformedOversizedAndCutAnswersAreUnknownAndSentOnce) {
  const std::vector<PeerAnswer> answers = {
      HttpAnswerOf(200, "{"),
      HttpAnswerOf(200, std::string((1 << 20) + 1, 'x')),
      {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"code\"", PeerAnswer::kClose},
      {"garbage\r\n\r\n", PeerAnswer::kClose},
      {"", PeerAnswer::kClose},
  };
  for (std::size_t i = 0; i < answers.size(); ++i) {
    ScriptedPeer peer([&](const PeerRequest&) { return answers[i]; });
    HuaweiOptions options;
    options.base_url = peer.Url();
    const json account = {
        {"project_id", "p"}, {"key_id", "k"}, {"private_key", testing::TestRsaPem()}, {"sub_account", "s"}};
    options.service_account = Secret(account.dump());
    EXPECT_EQ(NewHuawei(options, nullptr)->Send(PushRequest()).verdict, Verdict::kUnknown) << i;
    EXPECT_EQ(peer.Requests().size(), 1U) << i << ": sent once";
  }
}

TEST(PushPeers, NobodyListeningIsNotSent) {
  const std::string dead = "http://127.0.0.1:" + std::to_string(ScriptedPeer::DeadPort());
  Simulator fcm("fcm");
  FcmOptions f = Fcm(fcm);
  f.base_url = dead;
  EXPECT_EQ(NewFcm(f, nullptr)->Send(PushRequest()).verdict, Verdict::kNotSent);
  Simulator huawei("huawei");
  HuaweiOptions h = HuaweiV3(huawei);
  h.base_url = dead;
  EXPECT_EQ(NewHuawei(h, nullptr)->Send(PushRequest()).verdict, Verdict::kNotSent);
  GetuiOptions g;
  g.base_url = dead;
  g.app_id = "a";
  EXPECT_EQ(NewGetui(g, nullptr)->Send(PushRequest("cid1")).verdict, Verdict::kNotSent);
}

TEST(PushContacts, WhatCannotBeATokenIsDroppedBeforeTheWire) {
  Simulator simulator("fcm");
  const auto fcm = NewFcm(Fcm(simulator), nullptr);
  for (const std::string& contact : {std::string(), std::string(5000, 'a'), std::string("\xff")}) {
    EXPECT_EQ(fcm->Send(PushRequest(contact)).verdict, Verdict::kDropContact);
  }
  EXPECT_EQ(simulator.stats().requests, 0U);
}

TEST(PushCredentials, TheSimulatorOffersThemOverHttpToo) {
  Simulator simulator("fcm");
  httplib::Client client(simulator.root());
  const auto answer = client.Get("/sandbox/credentials/fcm");
  ASSERT_TRUE(static_cast<bool>(answer));
  EXPECT_EQ(json::parse(answer->body), json::parse(simulator.credentials()));
  EXPECT_EQ(client.Get("/sandbox/credentials/getui")->status, 404) << "it makes none";
}

}  // namespace
}  // namespace zhitui::app
