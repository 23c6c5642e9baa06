#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "store/store.h"

namespace zhitui::store {

// How the store lies in Redis. Everything of a shard carries its hash tag, so a cluster keeps it in one slot and one
// script may touch it:
//   <prefix>:{<shard>}:r:<space>:<key>  string: a header of kHeaderBytes, then the value
//   <prefix>:{<shard>}:d:<queue>        sorted set: member <space>:<key>, score = due instant in ms
//   <prefix>:{<shard>}:k:<space>        sorted set: every key of the space, all scores 0
//   <prefix>:{<shard>}:o                list: the outbox, oldest first
//   <prefix>:{<shard>}:oh               how many outbox entries were acknowledged so far; the entry at index i of the
//                                       list has the sequence oh + i + 1
// The key index is a sorted set walked by ZRANGEBYLEX and not a set walked by SSCAN: it costs about 50 bytes more per
// record, and only creating and erasing touch it. In return pages have an exact size and an order, and a cursor is a
// key that stays good after a restart or on a replica, where an SSCAN cursor would silently skip records (the hash seed
// differs). SCAN MATCH would walk the whole key space once per shard.
class RedisLayout {
 public:
  explicit RedisLayout(const std::string& prefix);

  // "<prefix>:{<shard>}:"
  const std::string& Base(Shard shard) const { return bases_[shard]; }

 private:
  std::vector<std::string> bases_;
};

// "<space>:<key>": the name of a record within its shard.
std::string MemberName(Space space, std::string_view key);
// The other way; nullopt for what MemberName cannot have written.
std::optional<std::pair<Space, std::string>> ParseMemberName(std::string_view member);

// The header of a stored record, big-endian: format (1 byte, 1), version (8), due queue (1, 255 = none), due instant in
// ms (8, 0 = none). The scripts compare bytes 0 to 8 as a string and bytes 9 to 17 for "the due entry stays".
inline constexpr std::size_t kHeaderBytes = 18;
inline constexpr std::size_t kVersionBytes = 9;

void AppendHeader(std::string& out, std::uint64_t version, const std::optional<Due>& due);
// The first kVersionBytes of a record with that version; empty for version 0, as GETRANGE answers for a missing key.
std::string VersionBytes(std::uint64_t version);

// The record in a stored string; nullopt when the header is not one that AppendHeader writes.
std::optional<StoredRecord> ParseStored(std::string_view stored);

}  // namespace zhitui::store
