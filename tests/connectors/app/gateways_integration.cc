// Web Push, gorush and ntfy against the simulator.

#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "app/app.h"
#include "app/webpush_wire.h"
#include "connectors/app/ec_key.h"
#include "connectors/matrix.h"
#include "delivery/scripted_peer.h"
#include "sandbox/ec.h"
#include "sandbox/sandbox.h"

namespace zhitui::app {
namespace {

using delivery::SendResult;
using delivery::Verdict;
using nlohmann::json;

class Simulator {
 public:
  explicit Simulator(sandbox::Options options = {}) : server_(std::move(options)) {
    const auto port = server_.Start();
    if (!port) throw std::runtime_error(port.error());
    port_ = *port;
  }
  std::string url(const std::string& scheme = "http") const { return scheme + "://127.0.0.1:" + std::to_string(port_); }
  sandbox::ProviderStats stats(const std::string& name) const { return server_.GetStats().at(name); }
  testing::MatrixCounts counts(const std::string& name) const { return {stats(name).requests, stats(name).accepted}; }

 private:
  sandbox::Server server_;
  int port_ = 0;
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
  request.key.key = request.attempt_id;
  request.timeout = Millis(20'000);
  return request;
}

WebpushOptions Webpush(const std::string& allowed) {
  WebpushOptions options;
  options.vapid_key = delivery::Secret(testing::NewEcPem());
  options.subject = "mailto:push@example.gov.cn";
  options.allowed_hosts = allowed;
  options.visible.full = true;
  return options;
}

std::string Subscribe(const std::string& origin, const std::string& query, const std::string& ca_file = {}) {
  httplib::Client client(origin);
  if (!ca_file.empty()) client.set_ca_cert_path(ca_file.c_str());
  client.set_read_timeout(20);
  const auto answer = client.Get("/webpush/subscription" + query);
  if (!answer || answer->status != 200) throw std::runtime_error("no subscription");
  return answer->body;
}

TEST(WebpushSimulated, EachOutcomeOfTheMatrix) {
  sandbox::Options sandbox_options;
  sandbox_options.slow_ms = 5000;
  Simulator simulator(sandbox_options);
  const auto connector = NewWebpush(Webpush(simulator.url()), nullptr);
  const auto to = [&](const std::string& id) { return Subscribe(simulator.url(), "?id=" + id); };
  std::string gone = to("gone");
  gone.replace(gone.find("/send/gone"), 10, "/send/nobody");
  testing::CheckMatrix(
      *connector,
      {
          {"accepted", to("city1"), Verdict::kAccepted, "201", 1, 1},
          {"throttled", to("magic01"), Verdict::kThrottled, "429", 1, 0},
          {"contact refused", to("magic02"), Verdict::kDropContact, "410", 1, 0},
          {"server error", to("magic03"), Verdict::kUnknown, "500", 1, 0},
          {"lost after acceptance", to("magic05"), Verdict::kUnknown, "read", 1, 1},
          {"lost before acceptance", to("magic06"), Verdict::kUnknown, "read", 1, 0},
          {"time-out after acceptance", to("magic07"), Verdict::kUnknown, "", 1, 1, Millis(400)},
          {"key blocked", to("magic08"), Verdict::kStopChannel, "401", 1, 0},
          {"malformed answer", to("magic11"), Verdict::kUnknown, "201", 1, 1},
          {"token refused", to("magic12"), Verdict::kStopChannel, "403", 1, 0},
          {"subscription dead", to("magic14"), Verdict::kDropContact, "404", 1, 0},
          {"no such subscription", gone, Verdict::kDropContact, "404", 1, 0},
          {"host not allowed",
           R"({"endpoint":"https://127.0.0.2/x","keys":)" + json::parse(to("city2"))["keys"].dump() + "}",
           Verdict::kDropContact, "host", 0, 0},
      },
      Request, [&] { return simulator.counts("webpush"); });
}

TEST(WebpushSimulated, OverTlsWithASubscriptionBoundToTheKey) {
  std::string folder = (std::filesystem::temp_directory_path() / "webpush-test-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const auto certificate = sandbox::SelfSigned("127.0.0.1");
  std::ofstream(folder + "/cert.pem") << certificate.cert_pem;
  std::ofstream(folder + "/key.pem") << certificate.key_pem;
  sandbox::Options tls;
  tls.tls_cert = folder + "/cert.pem";
  tls.tls_key = folder + "/key.pem";
  Simulator simulator(tls);
  WebpushOptions options = Webpush(simulator.url("https").substr(8));
  options.ca_file = tls.tls_cert;
  const std::string k = Base64Url(VapidKey(options.vapid_key.Get()->text)->PublicPoint());
  const auto connector = NewWebpush(options, nullptr);
  const std::string mine = Subscribe(simulator.url("https"), "?vapid=" + k, tls.tls_cert);
  const SendResult accepted = connector->Send(Request(mine));
  EXPECT_EQ(accepted.verdict, Verdict::kAccepted) << accepted.code;
  const std::string other = Subscribe(simulator.url("https"), "?vapid=BAAA", tls.tls_cert);
  EXPECT_EQ(connector->Send(Request(other)).code, "403");
  std::filesystem::remove_all(folder);
}

TEST(WebpushSimulated, EveryLengthOpens) {
  Simulator simulator;
  WebpushOptions options = Webpush(simulator.url());
  const std::string to = Subscribe(simulator.url(), "");
  for (const std::int64_t pad : {0, 1, 256, 2048}) {
    options.pad_to = pad;
    const auto connector = NewWebpush(options, nullptr);
    for (const std::size_t more : {0U, 100U, 3000U}) {
      auto request = Request(to);
      request.content.body += std::string(more, 'x');
      EXPECT_EQ(connector->Send(request).verdict, Verdict::kAccepted) << pad << " " << more;
    }
  }
  EXPECT_EQ(simulator.stats("webpush").accepted, 12U);
}

TEST(WebpushPeer, NobodyListeningIsNotSentAndRedirectsAreNotFollowed) {
  Simulator simulator;
  json subscription = json::parse(Subscribe(simulator.url(), ""));
  const std::string dead = "http://127.0.0.1:" + std::to_string(testing::ScriptedPeer::DeadPort());
  subscription["endpoint"] = dead + "/x";
  EXPECT_EQ(NewWebpush(Webpush(dead), nullptr)->Send(Request(subscription.dump())).verdict, Verdict::kNotSent);
  testing::ScriptedPeer peer([&](const testing::PeerRequest&) {
    return testing::HttpAnswerOf(307, "", "Location: " + simulator.url() + "/sandbox/health\r\n");
  });
  subscription["endpoint"] = peer.Url() + "/x";
  EXPECT_EQ(NewWebpush(Webpush(peer.Url()), nullptr)->Send(Request(subscription.dump())).verdict, Verdict::kUnknown);
  EXPECT_EQ(peer.Requests().size(), 1U);
}

GorushOptions Gorush(const std::string& url) {
  GorushOptions options;
  options.base_url = url + "/gorush";
  options.callback_key = delivery::Secret("hook-key");
  options.visible.full = true;
  return options;
}

TEST(GorushSimulated, EachOutcomeOfTheMatrix) {
  sandbox::Options sandbox_options;
  sandbox_options.slow_ms = 5000;
  sandbox_options.gorush.platforms = {1, 2};
  Simulator simulator(sandbox_options);
  const auto connector = NewGorush(Gorush(simulator.url()), nullptr);
  testing::CheckMatrix(*connector,
                       {
                           {"accepted, iOS", "1/00fc13ad", Verdict::kAccepted, "ok", 1, 1},
                           {"accepted, Android", "2/dbDqU8xX10w:APA91b", Verdict::kAccepted, "ok", 1, 1},
                           {"queue full", "2/magic01", Verdict::kRetryLater, "queue_full", 1, 0},
                           {"contact refused, iOS", "1/facade02", Verdict::kDropContact, "Unregistered", 1, 0},
                           {"contact refused, Android", "2/magic02", Verdict::kDropContact, "fcm_unregistered", 1, 0},
                           {"server error behind", "1/magic03", Verdict::kUnknown, "InternalServerError", 1, 0},
                           {"lost after acceptance", "2/magic05", Verdict::kUnknown, "read", 1, 1},
                           {"lost before acceptance", "2/magic06", Verdict::kUnknown, "read", 1, 0},
                           {"time-out after acceptance", "2/magic07", Verdict::kUnknown, "", 1, 1, Millis(400)},
                           {"not configured", "2/magic08", Verdict::kStopChannel, "gorush_config", 1, 0},
                           {"malformed answer", "2/magic11", Verdict::kUnknown, "http 200", 1, 1},
                           {"token expired behind", "1/magic12", Verdict::kStopChannel, "ExpiredProviderToken", 1, 0},
                           {"platform off", "3/token", Verdict::kStopChannel, "platform_off", 1, 0},
                           {"no platform", "token", Verdict::kDropContact, "contact", 0, 0},
                       },
                       Request, [&] { return simulator.counts("gorush"); });
}

TEST(GorushSimulated, WithoutSyncTheHookTellsWhatFailed) {
  testing::ScriptedPeer receiver([](const testing::PeerRequest&) { return testing::HttpAnswerOf(200, "ok"); });
  sandbox::Options sandbox_options;
  sandbox_options.gorush.sync = false;
  sandbox_options.gorush.callback_key = "hook-key";
  sandbox_options.callback_base = receiver.Url();
  Simulator simulator(sandbox_options);
  GorushOptions options = Gorush(simulator.url());
  options.sync = false;
  const auto connector = NewGorush(options, nullptr);
  const auto request = Request("1/facade02");
  EXPECT_EQ(connector->Send(request).verdict, Verdict::kAccepted) << "gorush answers before it knows";
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (receiver.Requests().empty() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  ASSERT_EQ(receiver.Requests().size(), 1U);
  const auto posted = receiver.Requests()[0];
  EXPECT_EQ(posted.Line(), "POST /v1/receipts/gorush?key=hook-key HTTP/1.1");
  const auto reply = connector->ParseCallback({"POST", {{"key", "hook-key"}}, {}, posted.body});
  ASSERT_EQ(reply.receipts.size(), 1U);
  EXPECT_EQ(reply.receipts[0].attempt_id, request.attempt_id);
  EXPECT_TRUE(reply.receipts[0].contact_dead);
}

NtfyOptions Ntfy(const std::string& url) {
  NtfyOptions options;
  options.base_url = url + "/ntfy";
  options.token = delivery::Secret("tk_sandbox");
  options.visible.full = true;
  return options;
}

TEST(NtfySimulated, EachOutcomeOfTheMatrix) {
  sandbox::Options sandbox_options;
  sandbox_options.slow_ms = 5000;
  Simulator simulator(sandbox_options);
  const auto connector = NewNtfy(Ntfy(simulator.url()), nullptr);
  testing::CheckMatrix(*connector,
                       {
                           {"accepted", "city-a1", Verdict::kAccepted, "200", 1, 1},
                           {"throttled", "magic01", Verdict::kThrottled, "42901", 1, 0},
                           {"contact refused", "magic02", Verdict::kDropContact, "40010", 1, 0},
                           {"server error", "magic03", Verdict::kUnknown, "50001", 1, 0},
                           {"lost after acceptance", "magic05", Verdict::kUnknown, "read", 1, 1},
                           {"lost before acceptance", "magic06", Verdict::kUnknown, "read", 1, 0},
                           {"time-out after acceptance", "magic07", Verdict::kUnknown, "", 1, 1, Millis(400)},
                           {"out of quota", "magic08", Verdict::kStopChannel, "42908", 1, 0},
                           {"malformed answer", "magic11", Verdict::kUnknown, "http 200", 1, 1},
                           {"token expired", "magic12", Verdict::kStopChannel, "40101", 1, 0},
                           {"no topic", "a/b", Verdict::kDropContact, "contact", 0, 0},
                       },
                       Request, [&] { return simulator.counts("ntfy"); });
  NtfyOptions wrong = Ntfy(simulator.url());
  wrong.token = delivery::Secret("tk_other");
  EXPECT_EQ(NewNtfy(wrong, nullptr)->Send(Request("city-a1")).code, "40101");
}

TEST(GatewaysPeer, NobodyListeningIsNotSent) {
  const std::string dead = "http://127.0.0.1:" + std::to_string(testing::ScriptedPeer::DeadPort());
  EXPECT_EQ(NewGorush(Gorush(dead), nullptr)->Send(Request("1/00fc13ad")).verdict, Verdict::kNotSent);
  EXPECT_EQ(NewNtfy(Ntfy(dead), nullptr)->Send(Request("city-a1")).verdict, Verdict::kNotSent);
}

}  // namespace
}  // namespace zhitui::app
