#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "store/store.h"

namespace zhitui::store {

// The limits of the door, checked before a back end sees the call. kInvalid names the limit, never a key or a value.
Status CheckTransactions(std::span<const Transaction> transactions);
Status CheckKeys(std::span<const RecordKey> keys);
Status CheckShards(std::span<const Shard> shards);
Status CheckQueue(DueQueue queue);
Status CheckInstant(Instant at);

// The limit of Scan within 1 to kMaxScanPage.
std::size_t ClampPage(std::size_t limit);

}  // namespace zhitui::store
