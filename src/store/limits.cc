#include "store/limits.h"

#include <algorithm>
#include <string>

namespace zhitui::store {
namespace {

constexpr std::int64_t kMaxExact = std::int64_t{1} << 53;

Status CheckShard(Shard shard) {
  if (shard >= kShards) return Invalid("shard " + std::to_string(shard) + " is not below " + std::to_string(kShards));
  return {};
}

Status CheckKey(Space space, const std::string& key) {
  if (static_cast<std::uint8_t>(space) > static_cast<std::uint8_t>(Space::kContact)) {
    return Invalid("there is no key space " + std::to_string(static_cast<int>(space)));
  }
  if (key.empty() || key.size() > kMaxKeyBytes) {
    return Invalid("a record key has 1 to " + std::to_string(kMaxKeyBytes) + " bytes, this one has " +
                   std::to_string(key.size()));
  }
  return {};
}

Status CheckBytes(const std::string& bytes, const char* what) {
  if (bytes.size() <= kMaxValueBytes) return {};
  return Invalid(std::string(what) + " of " + std::to_string(bytes.size()) + " bytes is over the limit of " +
                 std::to_string(kMaxValueBytes));
}

Status CheckWrite(const RecordWrite& write) {
  if (Status s = CheckKey(write.space, write.key); !s) return s;
  if (write.expected_version >= static_cast<std::uint64_t>(kMaxExact)) {
    return Invalid("an expected version is above 53 bits");
  }
  if (write.value) {
    if (Status s = CheckBytes(*write.value, "a record value"); !s) return s;
  }
  if (!write.due) return {};
  if (Status s = CheckQueue(write.due->queue); !s) return s;
  return CheckInstant(write.due->at);
}

Status CheckTransaction(const Transaction& transaction) {
  if (Status s = CheckShard(transaction.shard); !s) return s;
  const std::vector<RecordWrite>& writes = transaction.writes;
  if (writes.size() > kMaxWrites) {
    return Invalid("a transaction of " + std::to_string(writes.size()) + " writes is over the limit of " +
                   std::to_string(kMaxWrites));
  }
  if (transaction.outbox.size() > kMaxOutboxEntries) {
    return Invalid("a transaction of " + std::to_string(transaction.outbox.size()) +
                   " outbox entries is over the limit of " + std::to_string(kMaxOutboxEntries));
  }
  for (std::size_t i = 0; i < writes.size(); ++i) {
    if (Status s = CheckWrite(writes[i]); !s) return s;
    for (std::size_t j = 0; j < i; ++j) {
      if (writes[i].space == writes[j].space && writes[i].key == writes[j].key) {
        return Invalid("a transaction writes the same record twice");
      }
    }
  }
  for (const std::string& entry : transaction.outbox) {
    if (Status s = CheckBytes(entry, "an outbox entry"); !s) return s;
  }
  return {};
}

}  // namespace

Status CheckTransactions(std::span<const Transaction> transactions) {
  for (const Transaction& transaction : transactions) {
    if (Status s = CheckTransaction(transaction); !s) return s;
  }
  return {};
}

Status CheckKeys(std::span<const RecordKey> keys) {
  for (const RecordKey& key : keys) {
    if (Status s = CheckShard(key.shard); !s) return s;
    if (Status s = CheckKey(key.space, key.key); !s) return s;
  }
  return {};
}

Status CheckShards(std::span<const Shard> shards) {
  for (const Shard shard : shards) {
    if (Status s = CheckShard(shard); !s) return s;
  }
  return {};
}

Status CheckQueue(DueQueue queue) {
  if (queue <= kMaxDueQueue) return {};
  return Invalid("due queue " + std::to_string(queue) + " is above " + std::to_string(kMaxDueQueue));
}

Status CheckInstant(Instant at) {
  const std::int64_t ms = at.time_since_epoch().count();
  if (ms >= -kMaxExact && ms <= kMaxExact) return {};
  return Invalid("a due instant is further than 53 bits of milliseconds from 1970");
}

std::size_t ClampPage(std::size_t limit) { return std::clamp<std::size_t>(limit, 1, kMaxScanPage); }

}  // namespace zhitui::store
