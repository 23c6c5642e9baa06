// How many single-record transactions a second each back end takes in batches of 500, and what the polls over all
// shards cost. SQLite runs in a temporary folder; Redis runs when ZHITUI_TEST_REDIS names one (tests/services/redis.sh
// up).

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "store/store.h"

namespace zhitui::store {
namespace {

constexpr std::size_t kBatch = 500;
constexpr std::size_t kSubjects = 50'000;

std::string Key(std::size_t subject) { return "resident-" + std::to_string(1'000'000'000 + subject); }

Shard ShardFor(std::size_t subject) { return ShardOf(Key(subject)); }

// What the decide loop writes for one event: a profile of 1 KB with its due date, and now and then a decision.
Transaction Event(std::size_t subject, std::uint64_t version, bool decision) {
  Transaction t;
  t.shard = ShardFor(subject);
  t.writes.push_back(
      {.space = Space::kSubject,
       .key = Key(subject),
       .expected_version = version,
       .value = std::string(1000, static_cast<char>('a' + version % 26)),
       .due = Due{0, Instant(Millis(1'772'323'200'000 + static_cast<std::int64_t>(subject + version)))}});
  if (decision) t.outbox.push_back(std::string(600, 'd'));
  return t;
}

std::unique_ptr<Store> Open(benchmark::State& state, bool redis, std::string& folder) {
  Result<std::unique_ptr<Store>> opened = Unavailable("");
  if (redis) {
    const char* address = std::getenv("ZHITUI_TEST_REDIS");
    if (address == nullptr) {
      state.SkipWithError("set ZHITUI_TEST_REDIS=host:port (tests/services/redis.sh up prints it)");
      return nullptr;
    }
    const std::string text = address;
    RedisOptions options;
    options.host = text.substr(0, text.rfind(':'));
    options.port = static_cast<std::uint16_t>(std::atoi(text.c_str() + text.rfind(':') + 1));
    options.key_prefix = "bench-" + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count());
    opened = OpenRedis(options);
  } else {
    folder = (std::filesystem::temp_directory_path() / "zhitui-bench-XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr) std::abort();
    opened = OpenSqlite({.path = folder + "/zhitui.db"});
  }
  if (!opened) {
    state.SkipWithError(opened.error().message.c_str());
    return nullptr;
  }
  return std::move(*opened);
}

bool Fill(Store& store) {
  for (std::size_t at = 0; at < kSubjects;) {
    std::vector<Transaction> batch;
    for (; batch.size() < kBatch && at < kSubjects; ++at) batch.push_back(Event(at, 0, false));
    if (!store.Apply(batch)) return false;
  }
  return true;
}

void ApplyBatches(benchmark::State& state, bool redis) {
  std::string folder;
  if (const std::unique_ptr<Store> store = Open(state, redis, folder)) {
    if (!Fill(*store)) state.SkipWithError("filling failed");
    std::vector<std::uint64_t> versions(kSubjects, 1);
    std::size_t subject = 0;
    for (auto _ : state) {
      state.PauseTiming();
      std::vector<Transaction> batch;
      for (std::size_t n = 0; n < kBatch; ++n) {
        subject = (subject + 7919) % kSubjects;
        batch.push_back(Event(subject, versions[subject]++, n % 10 == 0));
      }
      state.ResumeTiming();
      const auto applied = store->Apply(batch);
      if (!applied || (*applied)[0] != Applied::kApplied) state.SkipWithError("not applied");
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
  }
  if (!folder.empty()) std::filesystem::remove_all(folder);
}

void LoadBatches(benchmark::State& state, bool redis) {
  std::string folder;
  if (const std::unique_ptr<Store> store = Open(state, redis, folder)) {
    if (!Fill(*store)) state.SkipWithError("filling failed");
    std::size_t subject = 0;
    for (auto _ : state) {
      std::vector<RecordKey> keys;
      for (std::size_t n = 0; n < kBatch; ++n) {
        subject = (subject + 7919) % kSubjects;
        keys.push_back({ShardFor(subject), Space::kSubject, Key(subject)});
      }
      if (!store->Load(keys)) state.SkipWithError("not loaded");
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
  }
  if (!folder.empty()) std::filesystem::remove_all(folder);
}

// One idle round of the loops: the next due date and the outbox of every shard.
void PollAllShards(benchmark::State& state, bool redis) {
  std::string folder;
  if (const std::unique_ptr<Store> store = Open(state, redis, folder)) {
    if (!Fill(*store)) state.SkipWithError("filling failed");
    std::vector<Shard> shards(kShards);
    std::iota(shards.begin(), shards.end(), Shard{0});
    for (auto _ : state) {
      if (!store->NextDue(shards, 0) || !store->ReadOutbox(shards, 100)) state.SkipWithError("not read");
    }
  }
  if (!folder.empty()) std::filesystem::remove_all(folder);
}

BENCHMARK_CAPTURE(ApplyBatches, sqlite, false)->Unit(benchmark::kMillisecond)->UseRealTime()->MinTime(3);
BENCHMARK_CAPTURE(ApplyBatches, redis, true)->Unit(benchmark::kMillisecond)->UseRealTime()->MinTime(3);
BENCHMARK_CAPTURE(LoadBatches, sqlite, false)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(LoadBatches, redis, true)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(PollAllShards, sqlite, false)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(PollAllShards, redis, true)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace zhitui::store

BENCHMARK_MAIN();
