#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "store/store.h"

namespace zhitui::store {

// The store as its door describes it, in the plainest form: maps in memory, one thread.
class StoreModel {
 public:
  struct Record {
    std::uint64_t version = 0;
    std::string value;
    std::optional<Due> due;
  };

  Applied Apply(const Transaction& t) {
    for (const RecordWrite& w : t.writes) {
      if (Version(t.shard, w.space, w.key) != w.expected_version) return Applied::kConflict;
    }
    for (const RecordWrite& w : t.writes) {
      const Name name(t.shard, w.space, w.key);
      if (w.value) {
        records_[name] = {w.expected_version + 1, *w.value, w.due};
      } else {
        records_.erase(name);
      }
    }
    for (const std::string& entry : t.outbox) outbox_[t.shard].push_back(entry);
    return Applied::kApplied;
  }

  StoredRecord Load(const RecordKey& k) const {
    const auto it = records_.find(Name(k.shard, k.space, k.key));
    return it == records_.end() ? StoredRecord{} : StoredRecord{it->second.version, it->second.value};
  }

  std::uint64_t Version(Shard shard, Space space, const std::string& key) const {
    return Load({shard, space, key}).version;
  }

  std::vector<DueEntry> DueUpTo(Shard shard, DueQueue queue, Instant upto, std::size_t limit) const {
    std::vector<DueEntry> entries;
    for (const auto& [name, record] : records_) {
      if (std::get<0>(name) != shard || !record.due || record.due->queue != queue || record.due->at > upto) continue;
      entries.push_back({shard, std::get<1>(name), std::get<2>(name), record.due->at});
    }
    std::sort(entries.begin(), entries.end(), [](const DueEntry& a, const DueEntry& b) {
      return std::tie(a.at, a.space, a.key) < std::tie(b.at, b.space, b.key);
    });
    if (entries.size() > limit) entries.resize(limit);
    return entries;
  }

  std::vector<std::pair<std::string, StoredRecord>> Scan(Shard shard, Space space) const {
    std::vector<std::pair<std::string, StoredRecord>> found;
    for (const auto& [name, record] : records_) {
      if (std::get<0>(name) == shard && std::get<1>(name) == space) {
        found.emplace_back(std::get<2>(name), StoredRecord{record.version, record.value});
      }
    }
    return found;
  }

  std::deque<std::string>& outbox(Shard shard) { return outbox_[shard]; }

 private:
  using Name = std::tuple<Shard, Space, std::string>;
  std::map<Name, Record> records_;
  std::map<Shard, std::deque<std::string>> outbox_;
};

// Random calls over few shards, keys and instants, so that they meet often.
class RandomCalls {
 public:
  explicit RandomCalls(unsigned seed) : random_(seed) {}

  static const std::vector<Shard>& Shards() {
    static const std::vector<Shard> shards = {0, 7, 1023};
    return shards;
  }

  std::size_t Below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }
  bool Chance(std::size_t percent) { return Below(100) < percent; }
  Shard AnyShard() { return Shards()[Below(3)]; }
  Space AnySpace() { return static_cast<Space>(Below(3)); }
  std::string AnyKey() {
    static const std::string keys[] = {"a", "ab", "b", std::string("b\0c", 3), "\xff", "1", "2:x", "\xe5\xb8\x82"};
    return keys[Below(8)];
  }
  Instant AnyInstant() { return Instant(Millis(static_cast<std::int64_t>(Below(40)) - 5)); }

  Transaction AnyTransaction(const StoreModel& model) {
    Transaction t;
    t.shard = AnyShard();
    for (std::size_t n = Below(4) + (Chance(80) ? 1 : 0); n > 0; --n) {
      RecordWrite w{.space = AnySpace(), .key = AnyKey(), .expected_version = 0, .value = {}, .due = {}};
      const auto same = [&](const RecordWrite& o) { return o.space == w.space && o.key == w.key; };
      if (std::any_of(t.writes.begin(), t.writes.end(), same)) continue;
      w.expected_version = Chance(90) ? model.Version(t.shard, w.space, w.key) : Below(4);
      if (Chance(85)) w.value = "v" + std::to_string(Below(1000));
      if (w.value && Chance(60)) w.due = Due{static_cast<DueQueue>(Below(3)), AnyInstant()};
      t.writes.push_back(std::move(w));
    }
    for (std::size_t n = Below(3); n > 0; --n) t.outbox.push_back("o" + std::to_string(Below(100000)));
    return t;
  }

 private:
  std::mt19937 random_;
};

}  // namespace zhitui::store
