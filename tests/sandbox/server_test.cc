#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "sandbox/faults.h"
#include "sandbox/harness.h"

namespace sandbox {
namespace {

using nlohmann::json;

// What a bare socket sees of one request.
struct Wire {
  std::string bytes;
  bool reset = false;  // ended by RST rather than by FIN
};

Wire Exchange(int port, const std::string& request) {
  Wire out;
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval limit{20, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0 &&
      ::send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
    char buffer[4096];
    ssize_t n = 0;
    while ((n = ::recv(fd, buffer, sizeof(buffer), 0)) > 0) out.bytes.append(buffer, static_cast<size_t>(n));
    out.reset = n < 0 && errno == ECONNRESET;
  }
  ::close(fd);
  return out;
}

std::string RawPush(const Bench& bench, const json& body) {
  const std::string text = body.dump();
  return "POST /v3/push HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: " +
         BasicAuthorization(bench.options().jpush_app_key, bench.options().jpush_master_secret) +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text;
}

TEST(Drop, LeavesNoByteOnTheWireAndTheLogTellsBeforeFromAfter) {
  Bench bench;
  const Wire before = Exchange(bench.port(), RawPush(bench, Bench::PushBody("magic06", bench.Cid(), "a")));
  EXPECT_EQ(before.bytes, "");
  EXPECT_TRUE(before.reset);
  EXPECT_EQ(bench.Lines().size(), 0U);
  const Wire after = Exchange(bench.port(), RawPush(bench, Bench::PushBody("magic05", bench.Cid(), "b")));
  EXPECT_EQ(after.bytes, "");
  EXPECT_TRUE(after.reset);
  EXPECT_EQ(bench.Lines().size(), 1U);
  const Wire normal = Exchange(bench.port(), RawPush(bench, Bench::PushBody("18171adc0a1", bench.Cid(), "c")));
  EXPECT_EQ(normal.bytes.find("HTTP/1.1 200 OK\r\n"), 0U);
  EXPECT_FALSE(normal.reset);
  EXPECT_EQ(bench.Lines().size(), 2U);
}

TEST(Rates, HitTheSameMessagesInEveryRunAndOnTheFirstTryOnly) {
  const auto run = [](uint64_t seed) {
    Options options;
    options.seed = seed;
    options.rate_error = 0.25;
    options.rate_drop_before = 0.25;
    options.rate_drop_after = 0.25;
    Bench bench(options);
    std::string out;
    for (int i = 0; i < 40; ++i) {
      const std::string id = "m" + std::to_string(i);
      const size_t lines = bench.Lines().size();
      const auto result = bench.WechatRaw(Bench::WechatBody("oResident0001", id).dump());
      const bool accepted = bench.Lines().size() > lines;
      out += result ? (accepted ? 'K' : 'E') : (accepted ? 'A' : 'B');
      EXPECT_EQ(bench.Wechat(Bench::WechatBody("oResident0001", id))["errcode"], 0) << id;
    }
    EXPECT_EQ(bench.Lines().size(), 40U);
    return out;
  };
  const std::string first = run(7);
  EXPECT_EQ(run(7), first);
  EXPECT_NE(run(8), first);
  EXPECT_EQ((std::set<char>(first.begin(), first.end())), (std::set<char>{'A', 'B', 'E', 'K'}));
}

TEST(Rates, AreMetWithinThreeStandardDeviations) {
  Options options;
  options.rate_error = 0.1;
  Faults faults(options);
  int errors = 0;
  for (int i = 0; i < 10'000; ++i) {
    int nth = 0;
    const std::string id = std::to_string(i);
    if (faults.Decide("wechat", "oResident0001", id, id, &nth) == Verdict::kServerError) ++errors;
  }
  EXPECT_NEAR(errors, 1000, 90);
}

TEST(Magic, CountsNumberedAttemptsOfOneMessageTogether) {
  const Options options;
  Faults faults(options);
  const auto decide = [&](const char* key) {
    int nth = 0;
    return faults.Decide("aliyun", "13800130003", key, key, &nth);
  };
  EXPECT_EQ(decide("message-1"), Verdict::kServerError);
  EXPECT_EQ(decide("message-2"), Verdict::kServerError);
  EXPECT_EQ(decide("message-3"), Verdict::kAccept);
  EXPECT_EQ(decide("message-004"), Verdict::kAccept);
  for (const char* other : {"other-1", "message", "message-1234", "message-x", "message-"}) {
    EXPECT_EQ(decide(other), std::string(other) == "message" ? Verdict::kAccept : Verdict::kServerError) << other;
  }
}

TEST(Magic, IsReadFromTheDocumentedPlacesOnly) {
  EXPECT_EQ(MagicOf("13800130005"), 5);
  EXPECT_EQ(MagicOf("13800130000"), 0);
  EXPECT_EQ(MagicOf("13800138005"), 0);
  EXPECT_EQ(MagicOf("magic07abc"), 7);
  EXPECT_EQ(MagicOf("magic17"), 0);
  EXPECT_EQ(MagicOf("xmagic07"), 0);
  EXPECT_EQ(MagicOf("oMAGIC09"), 9);
  EXPECT_EQ(MagicOf("oMAGIC9"), 0);
  EXPECT_EQ(MagicOf("omagic09"), 0);
}

TEST(Endpoints, TellHealthAndStatsAndReset) {
  Bench bench;
  EXPECT_EQ(json::parse(bench.client().Get("/sandbox/health")->body)["status"], "ok");
  bench.Wechat(Bench::WechatBody("oResident0001", "a"));
  bench.Wechat(Bench::WechatBody("oResident0001", "a"));
  bench.Wechat(Bench::WechatBody("oMAGIC02", "a"));
  bench.Sms("13800138000", "b");
  const json stats = json::parse(bench.client().Get("/sandbox/stats")->body);
  EXPECT_EQ(stats["wechat"]["requests"], 4);  // the token too
  EXPECT_EQ(stats["wechat"]["accepted"], 1);
  EXPECT_EQ(stats["wechat"]["suppressed"], 1);
  EXPECT_EQ(stats["wechat"]["errors"], json({{"40003", 1}}));
  EXPECT_EQ(stats["aliyun"]["accepted"], 1);
  EXPECT_EQ(stats["jpush"]["requests"], 0);
  EXPECT_EQ(bench.client().Post("/sandbox/reset", "", "text/plain")->status, 200);
  EXPECT_EQ(bench.server().GetStats().at("wechat").requests, 0U);
  EXPECT_EQ(bench.Details("13800138000")["TotalCount"], 0);
  bench.Wechat(Bench::WechatBody("oResident0001", "a"));
  EXPECT_EQ(bench.Lines().size(), 3U);
  EXPECT_EQ(bench.client().Get("/elsewhere")->status, 404);
}

TEST(Server, SaysWhyItCannotStart) {
  Bench bench;
  Options options;
  options.port = bench.port();
  Server second(options);
  const auto port = second.Start();
  ASSERT_FALSE(port);
  EXPECT_NE(port.error().find("cannot listen on 127.0.0.1:"), std::string::npos);
  Options no_log;
  no_log.log_path = bench.dir().Path("missing/log");
  Server third(no_log);
  EXPECT_FALSE(third.Start());
  Options no_key;
  no_key.tls_cert = bench.dir().Path("cert.pem");
  Server fourth(no_key);
  EXPECT_FALSE(fourth.Start());
}

TEST(Server, StopsWhileClientsStayConnectedAndASlowAnswerWaits) {
  Options options;
  options.slow_ms = 600'000;
  Bench bench(options);
  const json slow = Bench::PushBody("magic07", bench.Cid(), "a");
  std::thread sender([&] {
    httplib::Client client("127.0.0.1", bench.port());
    client.set_read_timeout(60);
    const auto result = client.Post("/v3/push", bench.JpushAuth(), slow.dump(), "application/json");
    EXPECT_TRUE(result);
  });
  while (bench.server().GetStats().at("jpush").accepted == 0) std::this_thread::yield();
  bench.server().Stop();
  sender.join();
  EXPECT_EQ(bench.Lines().size(), 1U);
}

TEST(Server, ServesMoreKeepAliveConnectionsThanThreadsAtStart) {
  Bench bench;
  std::vector<std::unique_ptr<httplib::Client>> clients;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(std::make_unique<httplib::Client>("127.0.0.1", bench.port()));
    clients.back()->set_keep_alive(true);
    clients.back()->set_read_timeout(20);
    const auto result = clients.back()->Get("/sandbox/health");
    ASSERT_TRUE(result) << i;
  }
}

TEST(Server, CountsEachMessageOnceUnderConcurrentRepeats) {
  Bench bench;
  const std::string token = bench.Token()["access_token"];
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      httplib::Client client("127.0.0.1", bench.port());
      client.set_keep_alive(true);
      client.set_tcp_nodelay(true);
      for (int i = 0; i < 100; ++i) {
        const auto result = client.Post("/cgi-bin/message/template/send?access_token=" + token,
                                        Bench::WechatBody("oResident0001", std::to_string(i)).dump(), "text/json");
        EXPECT_TRUE(result && json::parse(result->body)["errcode"] == 0);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(bench.Lines().size(), 100U);
  EXPECT_EQ(bench.server().GetStats().at("wechat").suppressed, 300U);
}

TEST(Log, SurvivesALineThatACrashCutOff) {
  Bench bench;
  bench.Wechat(Bench::WechatBody("oResident0001", "a"));
  bench.server().Stop();
  std::ofstream(bench.dir().Log(), std::ios::app) << R"({"at":"2026-01-15T0)";
  bench.Restart();
  bench.Wechat(Bench::WechatBody("oResident0001", "a"));
  bench.Wechat(Bench::WechatBody("oResident0001", "b"));
  std::ifstream in(bench.dir().Log());
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(json::parse(lines[0])["key"], "a");
  EXPECT_EQ(json::parse(lines[2])["key"], "b");
}

TEST(Log, ThatCannotBeWrittenMeansNoAcceptance) {
  if (access("/dev/full", W_OK) != 0) GTEST_SKIP() << "this system has no /dev/full";
  Options options;
  options.log_path = "/dev/full";
  Server server(options);
  const auto port = server.Start();
  ASSERT_TRUE(port) << port.error();
  httplib::Client client("127.0.0.1", *port);
  const httplib::Headers auth = {
      {"Authorization", BasicAuthorization(options.jpush_app_key, options.jpush_master_secret)}};
  json body = Bench::PushBody("18171adc0a1", "", "a");
  body.erase("cid");
  EXPECT_EQ(client.Post("/v3/push", auth, body.dump(), "application/json")->status, 500);
  EXPECT_EQ(server.GetStats().at("jpush").accepted, 0U);
}

// A certificate for 127.0.0.1 signed by its own key.
void WriteCertificate(const std::string& cert_path, const std::string& key_path) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* cert = X509_new();
  ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
  X509_gmtime_adj(X509_getm_notBefore(cert), -60);
  X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
  X509_set_pubkey(cert, key);
  X509_NAME* name = X509_get_subject_name(cert);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("127.0.0.1"), -1, -1, 0);
  X509_set_issuer_name(cert, name);
  X509_sign(cert, key, EVP_sha256());
  FILE* out = fopen(cert_path.c_str(), "w");
  PEM_write_X509(out, cert);
  fclose(out);
  out = fopen(key_path.c_str(), "w");
  PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  fclose(out);
  X509_free(cert);
  EVP_PKEY_free(key);
}

TEST(Tls, AnswersAndDropsLikePlainHttp) {
  const TempDir dir;
  Options options;
  options.tls_cert = dir.Path("cert.pem");
  options.tls_key = dir.Path("key.pem");
  options.log_path = dir.Log();
  WriteCertificate(options.tls_cert, options.tls_key);
  Server server(options);
  const auto port = server.Start();
  ASSERT_TRUE(port) << port.error();
  httplib::Client client("https://127.0.0.1:" + std::to_string(*port));
  client.enable_server_certificate_verification(false);
  client.set_keep_alive(true);
  client.set_read_timeout(20);
  const httplib::Headers auth = {
      {"Authorization", BasicAuthorization(options.jpush_app_key, options.jpush_master_secret)}};
  const auto push = [&](const char* device) {
    json body = Bench::PushBody(device, "", "a");
    body.erase("cid");
    return client.Post("/v3/push", auth, body.dump(), "application/json");
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(push("18171adc0a1")->status, 200);
  EXPECT_FALSE(push("magic06"));
  EXPECT_EQ(dir.Lines().size(), 3U);
  EXPECT_FALSE(push("magic05"));
  EXPECT_EQ(dir.Lines().size(), 4U);
}

}  // namespace
}  // namespace sandbox
