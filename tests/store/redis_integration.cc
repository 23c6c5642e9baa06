#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>

#include "store/redis_server.h"
#include "store/steady_writer.h"
#include "store/store.h"
#include "store/store_suite.h"

namespace zhitui::store {
namespace {

constexpr const char* kMissing =
    "redis-server is not installed: install it, or name a running one with ZHITUI_TEST_REDIS=host:port";

// The server of the suite: the one that is named, or one of this process.
std::optional<RedisOptions> SuiteServer() {
  if (const char* named = std::getenv("ZHITUI_TEST_REDIS"); named != nullptr && *named != '\0') {
    const std::string address = named;
    const std::size_t colon = address.rfind(':');
    RedisOptions options;
    options.host = address.substr(0, colon);
    options.port = static_cast<std::uint16_t>(std::atoi(address.c_str() + colon + 1));
    return options;
  }
  if (!RedisServer::Installed()) return std::nullopt;
  static RedisServer server;
  RedisOptions options;
  options.port = server.port();
  return options;
}

class RedisBackend final : public Backend {
 public:
  explicit RedisBackend(RedisOptions options) : options_(std::move(options)) {
    static std::atomic<int> count = 0;
    const auto now = std::chrono::system_clock::now().time_since_epoch().count();
    options_.key_prefix =
        "test-" + std::to_string(getpid()) + "-" + std::to_string(now) + "-" + std::to_string(count++);
  }
  Result<std::unique_ptr<Store>> Open() override { return OpenRedis(options_); }

 private:
  RedisOptions options_;
};

std::unique_ptr<Backend> MakeRedisBackend() {
  const std::optional<RedisOptions> options = SuiteServer();
  return options ? std::make_unique<RedisBackend>(*options) : nullptr;
}

std::unique_ptr<Backend> MakeNarrowRedisBackend() {
  std::optional<RedisOptions> options = SuiteServer();
  if (!options) return nullptr;
  options->connections = 1;
  options->pipeline = 1;
  return std::make_unique<RedisBackend>(*options);
}

INSTANTIATE_TEST_SUITE_P(Redis, StoreSuite,
                         ::testing::Values(BackendParam{"redis", MakeRedisBackend, kMissing},
                                           BackendParam{"redis_one_at_a_time", MakeNarrowRedisBackend, kMissing}),
                         [](const auto& param_info) { return param_info.param.name; });

// Tests that change, stop or kill the server have one of their own.
class OwnRedis : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::Installed()) GTEST_SKIP() << kMissing;
  }

  static RedisOptions Options(const RedisServer& server) {
    RedisOptions options;
    options.port = server.port();
    options.command_timeout = Millis(5000);
    return options;
  }

  static std::unique_ptr<Store> MustOpen(const RedisOptions& options) {
    Result<std::unique_ptr<Store>> opened = OpenRedis(options);
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
  }

  static Error ErrorOfOpen(const RedisOptions& options) {
    const auto opened = OpenRedis(options);
    EXPECT_FALSE(opened);
    return opened ? Error{} : opened.error();
  }
};

TEST_F(OwnRedis, KillNineOfTheServerLosesNothingAcknowledged) {
  RedisServer server;
  ASSERT_TRUE(server.running());
  const std::unique_ptr<Store> store = MustOpen(Options(server));
  ASSERT_TRUE(store);
  std::mt19937 random(20260301);
  std::uint64_t last = 0;
  for (int round = 0; round < 5; ++round) {
    std::atomic<std::uint64_t> acknowledged = last;
    std::atomic<bool> stopped = false;
    Error ended;
    std::thread writer([&] {
      ended = WriteSteadily(*store, [&](std::uint64_t version) { acknowledged = version; });
      stopped = true;
    });
    const std::uint64_t enough = last + 30 + random() % 60;
    while (acknowledged < enough && !stopped) std::this_thread::yield();
    server.KillNine();
    writer.join();
    EXPECT_EQ(ended.kind, ErrorKind::kUnavailable) << ended.message;
    EXPECT_EQ(store->Ping().error().kind, ErrorKind::kUnavailable);
    server.Start();
    ASSERT_TRUE(server.running());
    // The same store goes on with fresh connections.
    ExpectNothingLost(*store, acknowledged);
    last = acknowledged;
  }
}

TEST_F(OwnRedis, AServerWithWeakDurabilityIsRefusedWithWhatToSet) {
  const std::pair<std::vector<std::string>, std::string> cases[] = {
      {{"appendonly", "no"}, "set appendonly yes"},
      {{"appendfsync", "everysec"}, "set appendfsync always"},
      {{"maxmemory-policy", "allkeys-lru"}, "set maxmemory-policy noeviction"}};
  for (const auto& [settings, advice] : cases) {
    const RedisServer server(settings);
    ASSERT_TRUE(server.running());
    RedisOptions options = Options(server);
    const Error error = ErrorOfOpen(options);
    EXPECT_EQ(error.kind, ErrorKind::kInvalid);
    EXPECT_NE(error.message.find(advice), std::string::npos) << error.message;
    options.require_durable = false;
    EXPECT_TRUE(MustOpen(options));
  }
}

TEST_F(OwnRedis, AServerThatHidesItsSettingsIsRefusedWithThatReason) {
  const RedisServer server;
  ASSERT_EQ(server.Command({"ACL", "SETUSER", "app", "on", ">secret", "~*", "+@all", "-config"}), "OK");
  RedisOptions options = Options(server);
  options.username = "app";
  options.password = "secret";
  const Error error = ErrorOfOpen(options);
  EXPECT_EQ(error.kind, ErrorKind::kInvalid);
  EXPECT_NE(error.message.find("CONFIG GET"), std::string::npos) << error.message;
  ASSERT_EQ(server.Command({"ACL", "SETUSER", "app", "+config|get"}), "OK");
  EXPECT_TRUE(MustOpen(options));
}

TEST_F(OwnRedis, AWrongPasswordIsInvalidAndStaysOutOfTheMessage) {
  const RedisServer server;
  ASSERT_EQ(server.Command({"ACL", "SETUSER", "app", "on", ">secret", "~*", "+@all"}), "OK");
  RedisOptions options = Options(server);
  options.username = "app";
  options.password = "guess-work";
  const Error error = ErrorOfOpen(options);
  EXPECT_EQ(error.kind, ErrorKind::kInvalid);
  EXPECT_EQ(error.message.find("guess-work"), std::string::npos);
}

TEST_F(OwnRedis, OutOfMemoryIsFatalAndNothingOfTheTransactionHappens) {
  const RedisServer server;
  const std::unique_ptr<Store> store = MustOpen(Options(server));
  const Transaction first{1, {Write("a", 0, "a1", Due{0, At(5)})}, {"one"}};
  ASSERT_TRUE(store->Apply({&first, 1}));
  ASSERT_EQ(server.Command({"CONFIG", "SET", "maxmemory", "1"}), "OK");
  const Transaction second{1, {Write("a", 1, "a2"), Write("b", 0, "b1", Due{0, At(6)})}, {"two"}};
  const auto refused = store->Apply({&second, 1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kFatal) << refused.error().message;
  ASSERT_EQ(server.Command({"CONFIG", "SET", "maxmemory", "0"}), "OK");
  const Shard shard = 1;
  const RecordKey names[] = {{1, Space::kSubject, "a"}, {1, Space::kSubject, "b"}};
  const auto loaded = store->Load(names);
  ASSERT_TRUE(loaded);
  EXPECT_EQ((*loaded)[0].value, "a1");
  EXPECT_EQ((*loaded)[1].version, 0u);
  EXPECT_EQ((*store->NextDue({&shard, 1}, 0))[0], At(5));
  EXPECT_EQ((*store->ReadOutbox({&shard, 1}, 10))[0].size(), 1u);

  // One that begins with an erasure is let through by Redis; then all of it happens.
  ASSERT_EQ(server.Command({"CONFIG", "SET", "maxmemory", "1"}), "OK");
  const Transaction third{1, {Erase("a", 1), Write("b", 0, "b1", Due{0, At(6)})}, {"two"}};
  const auto applied = store->Apply({&third, 1});
  const auto after = store->Load(names);
  ASSERT_TRUE(after);
  EXPECT_EQ((*after)[0].version, applied ? 0u : 1u);
  EXPECT_EQ((*after)[1].version, applied ? 1u : 0u);
  EXPECT_EQ((*store->NextDue({&shard, 1}, 0))[0], applied ? At(6) : At(5));
  EXPECT_EQ((*store->ReadOutbox({&shard, 1}, 10))[0].size(), applied ? 2u : 1u);
}

TEST_F(OwnRedis, AReplicaIsFatal) {
  const RedisServer server;
  const std::unique_ptr<Store> store = MustOpen(Options(server));
  ASSERT_EQ(server.Command({"REPLICAOF", "127.0.0.1", "1"}), "OK");
  const Transaction write{1, {Write("a", 0, "a1")}, {}};
  const auto refused = store->Apply({&write, 1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kFatal) << refused.error().message;
}

TEST_F(OwnRedis, LostScriptsAreLoadedAgainAndNothingIsAppliedTwice) {
  const RedisServer server;
  const std::unique_ptr<Store> store = MustOpen(Options(server));
  ASSERT_EQ(server.Command({"SCRIPT", "FLUSH"}), "OK");
  std::vector<Transaction> transactions;
  for (std::uint64_t n = 0; n < 400; ++n) {
    transactions.push_back({static_cast<Shard>(n % 2), {Write("k", n / 2, "v")}, {std::to_string(n / 2)}});
  }
  const auto applied = store->Apply(transactions);
  ASSERT_TRUE(applied) << applied.error().message;
  EXPECT_EQ(*applied, std::vector<Applied>(400, Applied::kApplied));
  const Shard shards[] = {0, 1};
  ASSERT_EQ(server.Command({"SCRIPT", "FLUSH"}), "OK");
  const auto outbox = store->ReadOutbox(shards, 1000);
  ASSERT_TRUE(outbox);
  for (const std::vector<OutboxEntry>& entries : *outbox) {
    ASSERT_EQ(entries.size(), 200u);
    for (std::size_t n = 0; n < 200; ++n) ASSERT_EQ(entries[n].bytes, std::to_string(n));
  }
}

TEST_F(OwnRedis, ASilentServerIsUnavailableAndAFreshConnectionFollows) {
  const RedisServer server;
  RedisOptions options = Options(server);
  options.command_timeout = Millis(200);
  const std::unique_ptr<Store> store = MustOpen(options);
  server.Signal(SIGSTOP);
  const Transaction write{1, {Write("a", 0, "a1")}, {}};
  const auto refused = store->Apply({&write, 1});
  server.Signal(SIGCONT);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
  // Reading tells whether it was applied: the answer of the old connection is not taken for that of the new one.
  const RecordKey name{1, Space::kSubject, "a"};
  Result<std::vector<StoredRecord>> loaded = store->Load({&name, 1});
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_TRUE((*loaded)[0].version == 0 || (*loaded)[0].value == "a1");
}

TEST_F(OwnRedis, NoServerIsUnavailable) {
  RedisServer server;
  const RedisOptions options = Options(server);
  server.KillNine();
  EXPECT_EQ(ErrorOfOpen(options).kind, ErrorKind::kUnavailable);
}

TEST_F(OwnRedis, AForeignValueUnderThePrefixIsFatalAndNotOverwritten) {
  const RedisServer server;
  const std::unique_ptr<Store> store = MustOpen(Options(server));
  ASSERT_EQ(server.Command({"SET", "zhitui:{1}:r:0:a", "somebody else's string"}), "OK");
  const RecordKey name{1, Space::kSubject, "a"};
  EXPECT_EQ(store->Load({&name, 1}).error().kind, ErrorKind::kFatal);
  const Transaction write{1, {Write("a", 0, "mine")}, {}};
  EXPECT_EQ((*store->Apply({&write, 1}))[0], Applied::kConflict);
  EXPECT_EQ(server.Command({"GET", "zhitui:{1}:r:0:a"}), "somebody else's string");
}

TEST_F(OwnRedis, EveryKeyCarriesThePrefixAndTheHashTagOfItsShard) {
  const RedisServer server;
  RedisOptions options = Options(server);
  options.key_prefix = "city";
  const std::unique_ptr<Store> store = MustOpen(options);
  const Transaction write{77, {Write("a", 0, "v", Due{3, At(5)}), Write("b", 0, "v")}, {"x", "y"}};
  ASSERT_TRUE(store->Apply({&write, 1}));
  const std::pair<Shard, std::uint64_t> upto(77, 1);
  ASSERT_TRUE(store->AckOutbox({&upto, 1}));
  EXPECT_EQ(server.Command({"DBSIZE"}), "6");
  for (const char* name : {"r:0:a", "r:0:b", "d:3", "k:0", "o", "oh"}) {
    EXPECT_EQ(server.Command({"EXISTS", std::string("city:{77}:") + name}), "1") << name;
  }
  // What is erased and acknowledged leaves nothing but the acknowledged count.
  const Transaction erase{77, {Erase("a", 1), Erase("b", 1)}, {}};
  ASSERT_TRUE(store->Apply({&erase, 1}));
  const std::pair<Shard, std::uint64_t> all(77, 2);
  ASSERT_TRUE(store->AckOutbox({&all, 1}));
  EXPECT_EQ(server.Command({"KEYS", "*"}), "city:{77}:oh");
}

TEST_F(OwnRedis, ManyThreadsShareFewConnections) {
  const RedisServer server;
  RedisOptions options = Options(server);
  options.connections = 2;
  const std::unique_ptr<Store> store = MustOpen(options);
  std::atomic<int> failed = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        std::vector<Transaction> batch;
        for (int n = 0; n < 150; ++n) {
          batch.push_back({static_cast<Shard>((t * 150 + n) % 1024),
                           {Write(std::to_string(t) + "/" + std::to_string(n), static_cast<std::uint64_t>(i), "v")},
                           {}});
        }
        const auto applied = store->Apply(batch);
        if (!applied || *applied != std::vector<Applied>(150, Applied::kApplied)) ++failed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  const std::string clients = server.Command({"INFO", "clients"});
  const std::size_t at = clients.find("connected_clients:");
  ASSERT_NE(at, std::string::npos);
  EXPECT_LE(std::atoi(clients.c_str() + at + 18), 3);  // the store's two, and the one that asks
}

}  // namespace
}  // namespace zhitui::store
