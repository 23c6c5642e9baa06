#pragma once

// The promises of the store's door, run on every back end: include in one test file per back end and instantiate
// StoreSuite there.

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "store/store.h"
#include "store/store_model.h"

namespace zhitui::store {

// A place that keeps data between Opens; every Backend is empty at first and sees nothing of the others.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual Result<std::unique_ptr<Store>> Open() = 0;
};

struct BackendParam {
  std::string name;
  std::function<std::unique_ptr<Backend>()> make;  // nullptr: cannot be had here
  std::string missing;                             // what to do then
};

inline void PrintTo(const BackendParam& param, std::ostream* out) { *out << param.name; }

inline Instant At(std::int64_t ms) { return Instant(Millis(ms)); }

inline RecordWrite Write(std::string key, std::uint64_t expected, std::string value, std::optional<Due> due = {}) {
  return {.space = Space::kSubject,
          .key = std::move(key),
          .expected_version = expected,
          .value = std::move(value),
          .due = due};
}

inline RecordWrite Erase(std::string key, std::uint64_t expected) {
  return {.space = Space::kSubject, .key = std::move(key), .expected_version = expected, .value = {}, .due = {}};
}

inline std::vector<Shard> AllShards() {
  std::vector<Shard> shards(kShards);
  std::iota(shards.begin(), shards.end(), Shard{0});
  return shards;
}

class StoreSuite : public ::testing::TestWithParam<BackendParam> {
 protected:
  void SetUp() override {
    backend_ = GetParam().make();
    if (!backend_) GTEST_SKIP() << GetParam().missing;
    Reopen();
  }

  void Reopen() {
    store_.reset();
    Result<std::unique_ptr<Store>> opened = backend_->Open();
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(*opened);
  }

  std::vector<Applied> Apply(const std::vector<Transaction>& transactions) {
    Result<std::vector<Applied>> applied = store_->Apply(transactions);
    EXPECT_TRUE(applied) << applied.error().message;
    return applied ? *applied : std::vector<Applied>();
  }

  Applied ApplyOne(Shard shard, std::vector<RecordWrite> writes, std::vector<std::string> outbox = {}) {
    const std::vector<Applied> applied = Apply({{shard, std::move(writes), std::move(outbox)}});
    EXPECT_EQ(applied.size(), 1u);
    return applied.empty() ? Applied::kConflict : applied[0];
  }

  StoredRecord Load(Shard shard, const std::string& key, Space space = Space::kSubject) {
    const RecordKey name{shard, space, key};
    Result<std::vector<StoredRecord>> loaded = store_->Load({&name, 1});
    EXPECT_TRUE(loaded) << loaded.error().message;
    return loaded && loaded->size() == 1 ? (*loaded)[0] : StoredRecord{};
  }

  std::vector<std::string> DueKeys(Shard shard, DueQueue queue, Instant upto, std::size_t limit = 1000) {
    std::vector<std::string> keys;
    Result<std::vector<DueEntry>> due = store_->DueUpTo({&shard, 1}, queue, upto, limit);
    EXPECT_TRUE(due) << due.error().message;
    for (const DueEntry& entry : due.value_or(std::vector<DueEntry>())) keys.push_back(entry.key);
    return keys;
  }

  std::optional<Instant> NextDue(Shard shard, DueQueue queue) {
    auto next = store_->NextDue({&shard, 1}, queue);
    EXPECT_TRUE(next) << next.error().message;
    return next && next->size() == 1 ? (*next)[0] : std::nullopt;
  }

  std::vector<OutboxEntry> Outbox(Shard shard, std::size_t limit = 100000) {
    auto outbox = store_->ReadOutbox({&shard, 1}, limit);
    EXPECT_TRUE(outbox) << outbox.error().message;
    return outbox && outbox->size() == 1 ? (*outbox)[0] : std::vector<OutboxEntry>();
  }

  std::vector<std::string> OutboxBytes(Shard shard, std::size_t limit = 100000) {
    std::vector<std::string> bytes;
    for (OutboxEntry& entry : Outbox(shard, limit)) bytes.push_back(std::move(entry.bytes));
    return bytes;
  }

  void Ack(Shard shard, std::uint64_t sequence) {
    const std::pair<Shard, std::uint64_t> upto(shard, sequence);
    const Status acked = store_->AckOutbox({&upto, 1});
    EXPECT_TRUE(acked) << acked.error().message;
  }

  std::vector<std::pair<std::string, StoredRecord>> ScanAll(Shard shard, Space space, std::size_t limit) {
    std::vector<std::pair<std::string, StoredRecord>> all;
    std::string cursor;
    do {
      Result<ScanPage> page = store_->Scan(shard, space, cursor, limit);
      EXPECT_TRUE(page) << page.error().message;
      if (!page) break;
      EXPECT_LE(page->records.size(), limit);
      all.insert(all.end(), page->records.begin(), page->records.end());
      cursor = page->next_cursor;
    } while (!cursor.empty());
    return all;
  }

  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Store> store_;
};

TEST_P(StoreSuite, AnswersAPing) { EXPECT_TRUE(store_->Ping()); }

TEST_P(StoreSuite, AMissingRecordHasVersionZero) {
  EXPECT_EQ(Load(5, "nobody").version, 0u);
  EXPECT_EQ(Load(5, "nobody").value, "");
}

TEST_P(StoreSuite, VersionsCountTheWritesFromOne) {
  for (std::uint64_t n = 0; n < 300; ++n) {
    ASSERT_EQ(ApplyOne(3, {Write("k", n, "v" + std::to_string(n))}), Applied::kApplied);
    const StoredRecord record = Load(3, "k");
    ASSERT_EQ(record.version, n + 1);
    ASSERT_EQ(record.value, "v" + std::to_string(n));
  }
}

TEST_P(StoreSuite, RecordsAreNamedByShardSpaceAndKeyTogether) {
  for (const Shard shard : {Shard{0}, Shard{1}, Shard{1023}}) {
    for (const Space space : {Space::kSubject, Space::kNotification, Space::kMeta}) {
      RecordWrite write = Write("k", 0, std::to_string(shard) + "/" + std::to_string(static_cast<int>(space)));
      write.space = space;
      ASSERT_EQ(ApplyOne(shard, {write}), Applied::kApplied);
    }
  }
  EXPECT_EQ(Load(1, "k", Space::kMeta).value, "1/2");
  EXPECT_EQ(Load(1023, "k", Space::kNotification).value, "1023/1");
  EXPECT_EQ(Load(0, "k", Space::kSubject).value, "0/0");
}

TEST_P(StoreSuite, BytesComeBackAsTheyWereWritten) {
  std::string all_bytes;
  for (int b = 0; b < 256; ++b) all_bytes.push_back(static_cast<char>(b));
  const std::vector<std::string> values = {"", std::string(1, '\0'), all_bytes, "\r\n$-1\r\n",
                                           std::string(3 << 20, 'x')};
  for (std::size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(ApplyOne(9, {Write(all_bytes + std::to_string(i), 0, values[i])}, {values[i]}), Applied::kApplied);
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const StoredRecord record = Load(9, all_bytes + std::to_string(i));
    EXPECT_EQ(record.version, 1u);
    EXPECT_TRUE(record.value == values[i]) << "value " << i;
  }
  EXPECT_TRUE(OutboxBytes(9) == values);
}

TEST_P(StoreSuite, LoadAnswersInTheOrderOfItsKeys) {
  std::vector<Transaction> writes;
  std::vector<RecordKey> keys;
  for (int i = 0; i < 1500; ++i) {
    const auto shard = static_cast<Shard>((i * 37) % 1024);
    if (i % 3 != 0) writes.push_back({shard, {Write("k" + std::to_string(i), 0, std::to_string(i))}, {}});
    keys.push_back({shard, Space::kSubject, "k" + std::to_string(i)});
  }
  Apply(writes);
  const Result<std::vector<StoredRecord>> loaded = store_->Load(keys);
  ASSERT_TRUE(loaded);
  ASSERT_EQ(loaded->size(), 1500u);
  for (int i = 0; i < 1500; ++i) {
    const StoredRecord& record = (*loaded)[static_cast<std::size_t>(i)];
    ASSERT_EQ(record.version, i % 3 == 0 ? 0u : 1u);
    ASSERT_EQ(record.value, i % 3 == 0 ? "" : std::to_string(i));
  }
}

TEST_P(StoreSuite, AStaleOrWrongVersionConflictsAndChangesNothing) {
  ApplyOne(3, {Write("k", 0, "one", Due{2, At(50)})}, {"first"});
  for (const std::uint64_t wrong : {0, 2, 77}) {
    EXPECT_EQ(ApplyOne(3, {Write("k", wrong, "other", Due{1, At(1)})}, {"lost"}), Applied::kConflict);
    EXPECT_EQ(ApplyOne(3, {Erase("k", wrong)}), Applied::kConflict);
  }
  EXPECT_EQ(ApplyOne(3, {Write("absent", 1, "x")}), Applied::kConflict);
  EXPECT_EQ(Load(3, "k").version, 1u);
  EXPECT_EQ(Load(3, "k").value, "one");
  EXPECT_EQ(Load(3, "absent").version, 0u);
  EXPECT_EQ(NextDue(3, 2), At(50));
  EXPECT_EQ(NextDue(3, 1), std::nullopt);
  EXPECT_EQ(OutboxBytes(3), std::vector<std::string>{"first"});
}

TEST_P(StoreSuite, OneStaleRecordStopsAllWritesOfItsTransaction) {
  ApplyOne(4, {Write("a", 0, "a1", Due{0, At(10)}), Write("b", 0, "b1")});
  // The stale one is last, in the middle, first.
  for (std::size_t stale = 0; stale < 3; ++stale) {
    std::vector<RecordWrite> writes = {Write("a", 1, "a2", Due{1, At(20)}), Erase("b", 1),
                                       Write("c", 0, "c1", Due{0, At(5)})};
    writes[stale].expected_version = 9;
    EXPECT_EQ(ApplyOne(4, writes, {"never"}), Applied::kConflict);
  }
  EXPECT_EQ(Load(4, "a").value, "a1");
  EXPECT_EQ(Load(4, "b").value, "b1");
  EXPECT_EQ(Load(4, "c").version, 0u);
  EXPECT_EQ(DueKeys(4, 0, At(100)), std::vector<std::string>{"a"});
  EXPECT_TRUE(DueKeys(4, 1, At(100)).empty());
  EXPECT_TRUE(Outbox(4).empty());
}

TEST_P(StoreSuite, AConflictLeavesTheOtherTransactionsOfTheCallAlone) {
  const std::vector<Applied> applied = Apply({{1, {Write("a", 0, "x")}, {"1"}},
                                              {1, {Write("b", 5, "x")}, {"2"}},
                                              {1, {Write("c", 0, "x")}, {"3"}},
                                              {2, {Write("d", 1, "x")}, {"4"}},
                                              {1, {}, {"5", "6"}},
                                              {1, {}, {}}});
  EXPECT_EQ(applied, (std::vector<Applied>{Applied::kApplied, Applied::kConflict, Applied::kApplied, Applied::kConflict,
                                           Applied::kApplied, Applied::kApplied}));
  EXPECT_EQ(OutboxBytes(1), (std::vector<std::string>{"1", "3", "5", "6"}));
  EXPECT_TRUE(Outbox(2).empty());
}

TEST_P(StoreSuite, TransactionsOfOneCallOnOneShardHappenInTheirOrder) {
  std::vector<Transaction> transactions;
  for (std::uint64_t n = 0; n < 1000; ++n) {
    for (const Shard shard : {Shard{10}, Shard{11}, Shard{12}, Shard{13}}) {
      transactions.push_back({shard, {Write("k", n, std::to_string(n))}, {std::to_string(n)}});
    }
  }
  const std::vector<Applied> applied = Apply(transactions);
  EXPECT_EQ(applied, std::vector<Applied>(4000, Applied::kApplied));
  for (const Shard shard : {Shard{10}, Shard{11}, Shard{12}, Shard{13}}) {
    EXPECT_EQ(Load(shard, "k").version, 1000u);
    const std::vector<std::string> outbox = OutboxBytes(shard);
    ASSERT_EQ(outbox.size(), 1000u);
    for (std::size_t n = 0; n < 1000; ++n) ASSERT_EQ(outbox[n], std::to_string(n));
  }
}

TEST_P(StoreSuite, ConcurrentIncrementsOfOneRecordLoseNoUpdate) {
  constexpr int kThreads = 6;
  constexpr int kEach = 60;
  std::atomic<int> faults = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      const RecordKey name{77, Space::kSubject, "counter"};
      for (int done = 0; done < kEach;) {
        const auto loaded = store_->Load({&name, 1});
        if (!loaded) {
          ++faults;
          return;
        }
        const StoredRecord& now = (*loaded)[0];
        const std::string next = std::to_string(now.version + 1);
        const Transaction t1{77, {Write("counter", now.version, next)}, {next}};
        const auto applied = store_->Apply({&t1, 1});
        if (!applied) {
          ++faults;
          return;
        }
        if ((*applied)[0] == Applied::kApplied) ++done;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(faults, 0);
  EXPECT_EQ(Load(77, "counter").version, static_cast<std::uint64_t>(kThreads * kEach));
  // The outbox has the order in which the transactions were applied.
  const std::vector<std::string> outbox = OutboxBytes(77);
  ASSERT_EQ(outbox.size(), static_cast<std::size_t>(kThreads * kEach));
  for (std::size_t n = 0; n < outbox.size(); ++n) ASSERT_EQ(outbox[n], std::to_string(n + 1));
}

TEST_P(StoreSuite, AnErasedRecordIsGoneWithItsDueEntryAndStartsAgainAtOne) {
  ApplyOne(6, {Write("k", 0, "a", Due{3, At(1)})});
  ApplyOne(6, {Write("k", 1, "b", Due{3, At(2)})});
  EXPECT_EQ(ApplyOne(6, {Erase("k", 2)}), Applied::kApplied);
  EXPECT_EQ(Load(6, "k").version, 0u);
  EXPECT_EQ(NextDue(6, 3), std::nullopt);
  EXPECT_TRUE(ScanAll(6, Space::kSubject, 10).empty());
  EXPECT_EQ(ApplyOne(6, {Erase("k", 0)}), Applied::kApplied);
  EXPECT_EQ(ApplyOne(6, {Write("k", 0, "c")}), Applied::kApplied);
  EXPECT_EQ(Load(6, "k").version, 1u);
}

TEST_P(StoreSuite, ARecordIsInAtMostOneDueQueueAndLeavesItWhenTold) {
  ApplyOne(8, {Write("k", 0, "v", Due{0, At(100)})});
  EXPECT_EQ(DueKeys(8, 0, At(100)), std::vector<std::string>{"k"});
  EXPECT_TRUE(DueKeys(8, 0, At(99)).empty());
  ApplyOne(8, {Write("k", 1, "v", Due{0, At(50)})});  // earlier
  EXPECT_EQ(NextDue(8, 0), At(50));
  ApplyOne(8, {Write("k", 2, "v", Due{15, At(70)})});  // to another queue
  EXPECT_EQ(NextDue(8, 0), std::nullopt);
  EXPECT_EQ(NextDue(8, 15), At(70));
  ApplyOne(8, {Write("k", 3, "v", Due{15, At(70)})});  // the same again
  EXPECT_EQ(NextDue(8, 15), At(70));
  ApplyOne(8, {Write("k", 4, "v", Due{1, At(70)})});  // the same instant in another queue
  EXPECT_EQ(NextDue(8, 15), std::nullopt);
  EXPECT_EQ(NextDue(8, 1), At(70));
  ApplyOne(8, {Write("k", 5, "v")});  // none
  EXPECT_EQ(NextDue(8, 1), std::nullopt);
  EXPECT_EQ(Load(8, "k").version, 6u);
}

TEST_P(StoreSuite, DueEntriesComeByShardThenTimeAndTheLimitIsPerShard) {
  std::vector<Transaction> transactions;
  for (const Shard shard : {Shard{2}, Shard{900}}) {
    for (const int ms : {30, 10, 20, 40, 10}) {
      transactions.push_back(
          {shard,
           {Write("k" + std::to_string(ms) + "-" + std::to_string(transactions.size()), 0, "", Due{4, At(ms)})},
           {}});
    }
  }
  Apply(transactions);
  const Shard shards[] = {900, 5, 2};
  const auto due = store_->DueUpTo(shards, 4, At(30), 3);
  ASSERT_TRUE(due);
  std::vector<std::pair<Shard, std::int64_t>> got;
  for (const DueEntry& entry : *due) got.emplace_back(entry.shard, entry.at.time_since_epoch().count());
  EXPECT_EQ(got,
            (std::vector<std::pair<Shard, std::int64_t>>{{900, 10}, {900, 10}, {900, 20}, {2, 10}, {2, 10}, {2, 20}}));
  EXPECT_EQ((*due)[0].key, "k10-6");
  EXPECT_EQ((*due)[1].key, "k10-9");
}

TEST_P(StoreSuite, DueInstantsAreExactToTheMillisecond) {
  const std::int64_t limit = std::int64_t{1} << 53;
  const std::vector<std::int64_t> instants = {-limit, -1, 0, 1, 1772323200001, 253402300799999, limit - 1, limit};
  for (std::size_t i = 0; i < instants.size(); ++i) {
    ApplyOne(static_cast<Shard>(i), {Write("k", 0, "", Due{0, At(instants[i])})});
  }
  const auto next = store_->NextDue(AllShards(), 0);
  ASSERT_TRUE(next);
  ASSERT_EQ(next->size(), kShards);
  for (std::size_t i = 0; i < kShards; ++i) {
    ASSERT_EQ((*next)[i], i < instants.size() ? std::optional(At(instants[i])) : std::nullopt) << i;
  }
  for (std::size_t i = 1; i + 1 < instants.size(); ++i) {
    EXPECT_EQ(DueKeys(static_cast<Shard>(i), 0, At(instants[i])).size(), 1u);
    EXPECT_EQ(DueKeys(static_cast<Shard>(i), 0, At(instants[i] - 1)).size(), 0u);
  }
}

TEST_P(StoreSuite, TheDueEntriesOfAllShardsComeInOneCall) {
  std::vector<Transaction> transactions;
  for (const Shard shard : AllShards()) {
    transactions.push_back({shard, {Write("s" + std::to_string(shard), 0, "", Due{1, At(shard)})}, {}});
  }
  Apply(transactions);
  const auto due = store_->DueUpTo(AllShards(), 1, At(511), 10);
  ASSERT_TRUE(due);
  ASSERT_EQ(due->size(), 512u);
  for (std::size_t i = 0; i < due->size(); ++i) {
    ASSERT_EQ((*due)[i].shard, i);
    ASSERT_EQ((*due)[i].key, "s" + std::to_string(i));
  }
}

TEST_P(StoreSuite, TheOutboxGivesTheOldestFirstUntilAcknowledged) {
  ApplyOne(20, {}, {"a", "b"});
  ApplyOne(20, {Write("k", 0, "v")}, {"c"});
  ApplyOne(21, {}, {"other shard"});
  const std::vector<OutboxEntry> two = Outbox(20, 2);
  ASSERT_EQ(two.size(), 2u);
  EXPECT_EQ(two[0].bytes, "a");
  EXPECT_EQ(two[1].bytes, "b");
  EXPECT_LT(two[0].sequence, two[1].sequence);
  EXPECT_EQ(OutboxBytes(20, 2), (std::vector<std::string>{"a", "b"}));  // reading forgets nothing
  EXPECT_TRUE(Outbox(20, 0).empty());
  Ack(20, two[0].sequence);
  EXPECT_EQ(OutboxBytes(20), (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(OutboxBytes(21), std::vector<std::string>{"other shard"});
}

TEST_P(StoreSuite, AcknowledgingAgainOrLateForgetsNothingNew) {
  ApplyOne(20, {}, {"a", "b", "c"});
  const std::vector<OutboxEntry> first = Outbox(20);
  ASSERT_EQ(first.size(), 3u);
  Ack(20, first[2].sequence);
  EXPECT_TRUE(Outbox(20).empty());
  ApplyOne(20, {}, {"d"});
  for (const OutboxEntry& entry : first) Ack(20, entry.sequence);
  Ack(20, 0);
  ASSERT_EQ(OutboxBytes(20), std::vector<std::string>{"d"});
  EXPECT_GT(Outbox(20)[0].sequence, first[2].sequence);
  Reopen();
  for (const OutboxEntry& entry : first) Ack(20, entry.sequence);
  EXPECT_EQ(OutboxBytes(20), std::vector<std::string>{"d"});
}

TEST_P(StoreSuite, SequencesGrowAcrossADrainedOutboxAndAReopen) {
  std::uint64_t last = 0;
  for (int round = 0; round < 5; ++round) {
    ApplyOne(20, {}, {"x", "y"});
    for (const OutboxEntry& entry : Outbox(20)) {
      EXPECT_GT(entry.sequence, last);
      last = entry.sequence;
    }
    Ack(20, last);
    EXPECT_TRUE(Outbox(20).empty());
    Reopen();
  }
}

TEST_P(StoreSuite, AScanGivesEveryRecordOfItsShardAndSpaceInPages) {
  std::vector<Transaction> transactions;
  std::set<std::string> keys;
  for (int i = 0; i < 250; ++i) {
    keys.insert("key-" + std::to_string(i * 7919));
    RecordWrite other = Write("key-" + std::to_string(i), 0, "other space");
    other.space = Space::kMeta;
    transactions.push_back({30, {Write("key-" + std::to_string(i * 7919), 0, std::to_string(i)), other}, {}});
    transactions.push_back({31, {Write("elsewhere-" + std::to_string(i), 0, "")}, {}});
  }
  Apply(transactions);
  for (const std::size_t limit : {1u, 7u, 50u, 250u, 251u, 5000u}) {
    const auto all = ScanAll(30, Space::kSubject, limit);
    std::vector<std::string> got;
    for (const auto& [key, record] : all) {
      got.push_back(key);
      EXPECT_EQ(record.version, 1u);
    }
    EXPECT_EQ(got, std::vector<std::string>(keys.begin(), keys.end())) << "limit " << limit;
  }
  EXPECT_TRUE(ScanAll(30, Space::kNotification, 10).empty());
  EXPECT_EQ(store_->Scan(30, Space::kSubject, "no cursor", 10).error().kind, ErrorKind::kInvalid);
}

TEST_P(StoreSuite, AScanGivesWhatExistsThroughoutWhileOthersComeAndGoAndOverAReopen) {
  std::vector<Transaction> transactions;
  for (int i = 100; i < 300; ++i) transactions.push_back({30, {Write("keep" + std::to_string(i), 0, "")}, {}});
  for (int i = 100; i < 300; ++i) transactions.push_back({30, {Write("drop" + std::to_string(i), 0, "")}, {}});
  Apply(transactions);
  std::set<std::string> got;
  std::string cursor;
  int page_number = 0;
  do {
    const Result<ScanPage> page = store_->Scan(30, Space::kSubject, cursor, 20);
    ASSERT_TRUE(page);
    for (const auto& [key, record] : page->records) got.insert(key);
    cursor = page->next_cursor;
    const std::string n = std::to_string(100 + page_number);
    Apply({{30, {Erase("drop" + n, 1)}, {}},
           {30, {Write("keep" + n, 1, "again")}, {}},
           {30, {Write("new" + n, 0, "")}, {}}});
    if (++page_number % 5 == 0) Reopen();
    ASSERT_LT(page_number, 100);
  } while (!cursor.empty());
  for (int i = 100; i < 300; ++i) EXPECT_TRUE(got.contains("keep" + std::to_string(i))) << i;
}

TEST_P(StoreSuite, EverythingIsThereAfterAReopen) {
  ApplyOne(40, {Write("a", 0, "1", Due{2, At(7)}), Write("b", 0, "2")}, {"x", "y"});
  ApplyOne(40, {Write("a", 1, "3", Due{2, At(9)})}, {"z"});
  const std::vector<OutboxEntry> before = Outbox(40);
  Reopen();
  EXPECT_EQ(Load(40, "a").version, 2u);
  EXPECT_EQ(Load(40, "a").value, "3");
  EXPECT_EQ(Load(40, "b").value, "2");
  EXPECT_EQ(NextDue(40, 2), At(9));
  const std::vector<OutboxEntry> after = Outbox(40);
  ASSERT_EQ(after.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(after[i].sequence, before[i].sequence);
    EXPECT_EQ(after[i].bytes, before[i].bytes);
  }
  EXPECT_EQ(ScanAll(40, Space::kSubject, 10).size(), 2u);
}

TEST_P(StoreSuite, WhatIsOverALimitIsInvalidAndNothingOfTheCallHappens) {
  const Transaction good{1, {Write("good", 0, "v")}, {"good"}};
  std::vector<std::pair<std::string, Transaction>> bad = {
      {"shard", {1024, {Write("k", 0, "v")}, {}}},
      {"empty key", {1, {Write("", 0, "v")}, {}}},
      {"long key", {1, {Write(std::string(513, 'k'), 0, "v")}, {}}},
      {"long value", {1, {Write("k", 0, std::string(kMaxValueBytes + 1, 'v'))}, {}}},
      {"long outbox entry", {1, {}, {std::string(kMaxValueBytes + 1, 'v')}}},
      {"queue", {1, {Write("k", 0, "v", Due{16, At(0)})}, {}}},
      {"instant", {1, {Write("k", 0, "v", Due{0, At((std::int64_t{1} << 53) + 1)})}, {}}},
      {"version", {1, {Write("k", std::uint64_t{1} << 53, "v")}, {}}},
      {"same record twice", {1, {Write("k", 0, "v"), Write("k", 0, "w")}, {}}},
      {"outbox entries", {1, {}, std::vector<std::string>(kMaxOutboxEntries + 1)}},
      {"writes", {1, {}, {}}}};
  for (int i = 0; i < 65; ++i) bad.back().second.writes.push_back(Write("k" + std::to_string(i), 0, "v"));
  for (const auto& [what, transaction] : bad) {
    const Transaction call[] = {good, transaction};
    const auto applied = store_->Apply(call);
    ASSERT_FALSE(applied) << what;
    EXPECT_EQ(applied.error().kind, ErrorKind::kInvalid) << what;
  }
  EXPECT_EQ(Load(1, "good").version, 0u);
  EXPECT_TRUE(Outbox(1).empty());
  bad.back().second.writes.pop_back();
  EXPECT_EQ(ApplyOne(1, bad.back().second.writes), Applied::kApplied);  // 64 are allowed
  const Shard shard = 1024;
  EXPECT_EQ(store_->NextDue({&shard, 1}, 0).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(store_->DueUpTo({}, 16, At(0), 1).error().kind, ErrorKind::kInvalid);
}

TEST_P(StoreSuite, CallsWithNothingInThemAnswerNothing) {
  EXPECT_TRUE(store_->Apply({})->empty());
  EXPECT_TRUE(store_->Load({})->empty());
  EXPECT_TRUE(store_->NextDue({}, 0)->empty());
  EXPECT_TRUE(store_->DueUpTo({}, 0, At(1), 1)->empty());
  EXPECT_TRUE(store_->ReadOutbox({}, 1)->empty());
  EXPECT_TRUE(store_->AckOutbox({}));
}

TEST_P(StoreSuite, RandomCallsAnswerAsThePlainModelDoes) {
  for (const unsigned seed : {1u, 2u, 3u}) {
    store_.reset();
    backend_ = GetParam().make();
    Reopen();
    RandomCalls random(seed);
    StoreModel model;
    std::map<Shard, std::uint64_t> acked;
    for (int step = 0; step < 400; ++step) {
      const std::string where = "seed " + std::to_string(seed) + " step " + std::to_string(step);
      if (random.Chance(2)) Reopen();
      std::vector<Transaction> transactions;
      std::vector<Applied> expected;
      for (std::size_t n = random.Below(6); n > 0; --n) {
        transactions.push_back(random.AnyTransaction(model));
        expected.push_back(model.Apply(transactions.back()));
      }
      ASSERT_EQ(Apply(transactions), expected) << where;

      const Shard shard = random.AnyShard();
      const Space space = random.AnySpace();
      const std::string key = random.AnyKey();
      const StoredRecord want = model.Load({shard, space, key});
      const StoredRecord got = Load(shard, key, space);
      ASSERT_EQ(got.version, want.version) << where;
      ASSERT_EQ(got.value, want.value) << where;

      const auto queue = static_cast<DueQueue>(random.Below(3));
      const Instant upto = random.AnyInstant();
      const std::size_t limit = 1 + random.Below(8);
      const auto due = store_->DueUpTo(RandomCalls::Shards(), queue, upto, limit);
      const auto next = store_->NextDue(RandomCalls::Shards(), queue);
      ASSERT_TRUE(due && next) << where;
      std::vector<DueEntry> want_due;
      for (std::size_t s = 0; s < 3; ++s) {
        const Shard each = RandomCalls::Shards()[s];
        for (DueEntry& entry : model.DueUpTo(each, queue, upto, limit)) want_due.push_back(std::move(entry));
        const auto first = model.DueUpTo(each, queue, Instant::max(), 1);
        ASSERT_EQ((*next)[s], first.empty() ? std::nullopt : std::optional(first[0].at)) << where;
      }
      ASSERT_EQ(due->size(), want_due.size()) << where;
      for (std::size_t i = 0; i < want_due.size(); ++i) {
        ASSERT_EQ(std::tie((*due)[i].shard, (*due)[i].space, (*due)[i].key, (*due)[i].at),
                  std::tie(want_due[i].shard, want_due[i].space, want_due[i].key, want_due[i].at))
            << where;
      }

      std::deque<std::string>& outbox = model.outbox(shard);
      const std::vector<OutboxEntry> entries = Outbox(shard);
      ASSERT_EQ(entries.size(), outbox.size()) << where;
      std::uint64_t previous = acked[shard];
      for (std::size_t i = 0; i < entries.size(); ++i) {
        ASSERT_EQ(entries[i].bytes, outbox[i]) << where;
        ASSERT_GT(entries[i].sequence, previous) << where;
        previous = entries[i].sequence;
      }
      if (!entries.empty() && random.Chance(40)) {
        const std::size_t upto_index = random.Below(entries.size());
        Ack(shard, entries[upto_index].sequence);
        acked[shard] = entries[upto_index].sequence;
        outbox.erase(outbox.begin(), outbox.begin() + static_cast<std::ptrdiff_t>(upto_index) + 1);
      }

      const auto scanned = ScanAll(shard, space, 1 + random.Below(5));
      const auto want_scanned = model.Scan(shard, space);
      ASSERT_EQ(scanned.size(), want_scanned.size()) << where;
      for (std::size_t i = 0; i < scanned.size(); ++i) {
        ASSERT_EQ(scanned[i].first, want_scanned[i].first) << where;
        ASSERT_EQ(scanned[i].second.version, want_scanned[i].second.version) << where;
        ASSERT_EQ(scanned[i].second.value, want_scanned[i].second.value) << where;
      }
    }
  }
}

}  // namespace zhitui::store
