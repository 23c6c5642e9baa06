// The limits of the transport: sizes, framing, connections, threads.

#include "api/api_bench.h"
#include "api/socket.h"

namespace zhitui::api {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLimit = 1048576;

std::string Head(const std::string& method, const std::string& path, const std::string& more) {
  return method + " " + path + " HTTP/1.1\r\nHost: a\r\n" + more + "\r\n";
}
int Answers(const std::string& bytes) {
  int n = 0;
  for (std::size_t at = bytes.find("HTTP/1.1 "); at != std::string::npos; at = bytes.find("HTTP/1.1 ", at + 1)) ++n;
  return n;
}

TEST(Transport, ABodyOverTheLimitIs413AndLeavesNothingBehind) {
  Bench bench;
  auto client = bench.Client(kWriter);
  client.set_keep_alive(true);
  const auto answer = client.Post("/v1/events", std::string(2 * kLimit, ' '), "application/x-ndjson");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
  EXPECT_EQ(answer->get_header_value("Content-Type"), "application/problem+json");
  ASSERT_EQ(client.Post("/v1/events", Birth("r-1", "1950-01-01").dump(), "application/json")->status, 202);
  bench.Known("r-1");
  EXPECT_EQ(bench.pipeline().totals().dead_letters, 0U);
  EXPECT_EQ(bench.pipeline().totals().events, 1U);
}

TEST(Transport, AChunkedBodyHasTheSameLimit) {
  const Bench bench;
  auto client = bench.Client(kWriter);
  const auto send = [&](std::size_t size) {
    std::size_t left = size;
    return client
        .Post(
            "/v1/events",
            [&left](std::size_t, httplib::DataSink& sink) {
              const std::string part(std::min<std::size_t>(left, 65536), ' ');
              left -= part.size();
              if (!part.empty()) sink.write(part.data(), part.size());
              if (left == 0) sink.done();
              return true;
            },
            "application/x-ndjson")
        ->status;
  };
  EXPECT_EQ(send(kLimit + 1), 413);
  EXPECT_EQ(send(1000), 400);  // within it: read, and no event in it
}

TEST(Transport, ACompressedBodyCountsAsWhatItExpandsTo) {
  const Bench bench;
  auto client = bench.Client(kWriter);
  EXPECT_EQ(client.Post("/v1/events", {{"Content-Encoding", "rot13"}}, "x", "application/x-ndjson")->status, 415);
  client.set_compress(true);
  // A few KB on the wire.
  EXPECT_EQ(client.Post("/v1/events", std::string(8 * kLimit, ' '), "application/x-ndjson")->status, 413);
  EXPECT_EQ(client.Post("/v1/events", Birth("r-1", "1950-01-01").dump(), "application/json")->status, 202);
}

TEST(Transport, HeadersOverTheLimitAreRefusedBeforeTheyEnd) {
  const Bench bench;
  Socket socket(bench.port());
  std::string head = "GET /v1/receipts/echo?key=good HTTP/1.1\r\n";
  for (int i = 0; i < 2000; ++i) head += "X-Filler-" + std::to_string(i) + ": 0123456789012345\r\n";
  socket.Send(head);
  EXPECT_TRUE(socket.ReadToEnd().starts_with("HTTP/1.1 400 "));
}

TEST(Transport, UnknownPathsAre404AndWrongMethodsAre405WithAllow) {
  const Bench bench;
  auto client = bench.Client(kChief);
  for (const char* path : {"/", "/v1", "/v1/events/1", "/v2/events", "/%0A"}) {
    const auto answer = client.Get(path);
    ASSERT_TRUE(answer) << path;
    EXPECT_EQ(answer->status, 404) << path;
    EXPECT_EQ(Json::parse(answer->body)["status"], 404) << path;
  }
  EXPECT_EQ(client.Post("/nowhere", "{}", "application/json")->status, 404);
  const auto wrong = client.Get("/v1/events");
  EXPECT_EQ(wrong->status, 405);
  EXPECT_EQ(wrong->get_header_value("Allow"), "POST");
  EXPECT_EQ(client.Put("/v1/events", "{}", "application/json")->status, 405);
  EXPECT_EQ(client.Delete("/v1/events")->status, 405);
  EXPECT_EQ(client.Options("/v1/events")->status, 405);
  const auto head = client.Head("/v1/receipts/echo?key=good");
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->body, "");
}

TEST(Transport, ABodyThatWasNotReadIsNeverTakenForTheNextRequest) {
  const Bench bench;
  const std::string inner = Head("GET", "/v1/receipts/echo?key=good", "");
  Socket put(bench.port());
  put.Send(Head("PUT", "/v1/events", "Content-Length: " + std::to_string(inner.size()) + "\r\n") + inner);
  EXPECT_EQ(Answers(put.ReadToEnd()), 1);

  Socket both(bench.port());
  both.Send(Head("POST", "/v1/events", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n" + inner);
  const std::string answers = both.ReadToEnd();
  EXPECT_TRUE(answers.starts_with("HTTP/1.1 400 ")) << answers;
  EXPECT_EQ(Answers(answers), 1);
}

TEST(Transport, PipelinedRequestsAreAnsweredInOrder) {
  const Bench bench;
  Socket socket(bench.port());
  const std::string post = Head("POST", "/v1/receipts/echo?key=good", "Content-Length: 3\r\n");
  socket.Send(post + "one" + post + "two" +
              Head("POST", "/v1/receipts/echo?key=good", "Content-Length: 3\r\nConnection: close\r\n") + "end");
  const std::string answers = socket.ReadToEnd();
  EXPECT_EQ(Answers(answers), 3);
  const std::size_t one = answers.find("POST one");
  const std::size_t two = answers.find("POST two");
  const std::size_t end = answers.find("POST end");
  EXPECT_TRUE(one < two && two < end && end != std::string::npos) << answers;
}

TEST(Transport, ManySmallRangesDoNotMultiplyAnAnswer) {
  const Bench bench;
  std::string ranges = "Range: bytes=0-";
  for (int i = 0; i < 1000; ++i) ranges += ",0-";
  Socket socket(bench.port());
  socket.Send(Head("GET", "/nowhere", ranges + "\r\nConnection: close\r\n"));
  const std::string answer = socket.ReadToEnd();
  EXPECT_LT(answer.size(), 2000U);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 404 ")) << answer;
}

TEST(Transport, ARequestThatNeverEndsIsCutAtTheDeadline) {
  Bench::Setup setup;
  setup.request_timeout = Millis(200);
  const Bench bench(setup);
  Socket socket(bench.port());
  socket.Send("GET /v1/receipts/echo HTTP/1.1\r\nX-Slow: ");
  socket.ReadToEnd();  // returns because the server ends the connection
  Socket half(bench.port());
  half.Send(Head("POST", "/v1/receipts/echo?key=good", "Content-Length: 10\r\n") + "half");
  EXPECT_TRUE(half.ReadToEnd().starts_with("HTTP/1.1 400 "));
}

TEST(Transport, ProbesAnswerWhileThePublicPortHasNoThreadLeft) {
  Bench::Setup setup;
  setup.threads = 2;
  const Bench bench(setup);
  std::vector<std::unique_ptr<Socket>> held;
  for (int i = 0; i < 8; ++i) {
    held.push_back(std::make_unique<Socket>(bench.port()));
    // Half a request: it holds its thread until the deadline.
    ASSERT_TRUE(held.back()->Send("POST /v1/events HTTP/1.1\r\nHost: a\r\n"));
  }
  for (int i = 0; i < 5; ++i) EXPECT_EQ(bench.Admin().Get("/livez")->status, 200);
  EXPECT_EQ(bench.Admin().Get("/readyz")->status, 200);
}

TEST(Transport, IdleConnectionsGiveTheirThreadToTheOnesThatWait) {
  Bench::Setup setup;
  setup.threads = 2;
  setup.keep_alive = Millis(3'600'000);
  const Bench bench(setup);
  std::vector<std::unique_ptr<Socket>> idle;
  for (int i = 0; i < 6; ++i) {
    idle.push_back(std::make_unique<Socket>(bench.port()));
    idle.back()->Send(Head("GET", "/v1/receipts/echo?key=good", ""));
    EXPECT_TRUE(idle.back()->ReadUntil("GET ").ends_with("GET ")) << i;  // the whole answer; the connection stays open
  }
  EXPECT_EQ(bench.Client().Get("/v1/receipts/echo?key=good")->status, 200);
}

TEST(Transport, EveryAnswerCarriesARequestIdAndKeepsAPlainOne) {
  const Bench bench;
  auto client = bench.Client();
  EXPECT_EQ(client.Get("/nowhere", {{"X-Request-Id", "abc-1.2_3"}})->get_header_value("X-Request-Id"), "abc-1.2_3");
  const std::string made = client.Get("/nowhere", {{"X-Request-Id", "a b"}})->get_header_value("X-Request-Id");
  EXPECT_EQ(made.size(), 16U);
  EXPECT_NE(client.Get("/nowhere")->get_header_value("X-Request-Id"), made);
  EXPECT_EQ(client.Get("/nowhere")->get_header_value("Cache-Control"), "no-store");
}

TEST(Transport, APortThatIsTakenIsAnErrorThatSaysWhichKeyToChange) {
  const Bench bench;
  Options options;
  options.port = bench.port();
  options.admin_port = 0;
  Deps deps;
  Server second(options, deps);
  const Result<int> started = second.Start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::kUnavailable);
  EXPECT_NE(started.error().message.find("api.port"), std::string::npos);
}

}  // namespace
}  // namespace zhitui::api
