#pragma once

// A writer that goes on until its store fails, and a check that nothing it was told was applied is lost.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "store/store.h"

namespace zhitui::store {

inline constexpr Shard kSteadyShards[] = {1, 500, 1023};

// From where the store stands: each round writes one record, its due entry and one outbox entry on each shard. Calls
// `acknowledged` with the version that every shard has reached. Ends with the first error.
inline Error WriteSteadily(Store& store, const std::function<void(std::uint64_t)>& acknowledged) {
  const auto load = [&store](Shard shard) {
    const RecordKey name{shard, Space::kSubject, "steady"};
    return store.Load({&name, 1});
  };
  std::vector<std::uint64_t> versions;
  for (const Shard shard : kSteadyShards) {
    const auto loaded = load(shard);
    if (!loaded) return loaded.error();
    versions.push_back((*loaded)[0].version);
  }
  for (;;) {
    std::vector<Transaction> round;
    std::uint64_t lowest = versions[0] + 1;
    for (std::size_t i = 0; i < versions.size(); ++i) {
      const std::uint64_t next = versions[i] + 1;
      RecordWrite write{.space = Space::kSubject,
                        .key = "steady",
                        .expected_version = versions[i],
                        .value = std::string(700, 'p') + std::to_string(next),
                        .due = Due{3, Instant(Millis(static_cast<std::int64_t>(next)))}};
      round.push_back({kSteadyShards[i], {std::move(write)}, {std::to_string(next)}});
      lowest = std::min(lowest, next);
      versions[i] = next;
    }
    const auto applied = store.Apply(round);
    if (!applied) return applied.error();
    for (const Applied one : *applied) {
      if (one != Applied::kApplied) return {ErrorKind::kFatal, "a conflict without another writer"};
    }
    acknowledged(lowest);
  }
}

// Every shard stands at `acknowledged` or one round further, and record, due entry and outbox tell the same story.
inline void ExpectNothingLost(Store& store, std::uint64_t acknowledged) {
  for (const Shard shard : kSteadyShards) {
    const RecordKey name{shard, Space::kSubject, "steady"};
    const auto loaded = store.Load({&name, 1});
    ASSERT_TRUE(loaded) << loaded.error().message;
    const StoredRecord& record = (*loaded)[0];
    ASSERT_GE(record.version, acknowledged) << "an acknowledged write is lost on shard " << shard;
    if (record.version == 0) continue;
    EXPECT_EQ(record.value, std::string(700, 'p') + std::to_string(record.version));
    const auto next = store.NextDue({&shard, 1}, 3);
    ASSERT_TRUE(next) << next.error().message;
    EXPECT_EQ((*next)[0], Instant(Millis(static_cast<std::int64_t>(record.version))));
    const auto outbox = store.ReadOutbox({&shard, 1}, 1'000'000);
    ASSERT_TRUE(outbox) << outbox.error().message;
    ASSERT_EQ((*outbox)[0].size(), record.version);
    for (std::size_t i = 0; i < (*outbox)[0].size(); ++i) ASSERT_EQ((*outbox)[0][i].bytes, std::to_string(i + 1));
  }
}

}  // namespace zhitui::store
