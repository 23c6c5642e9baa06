#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace zhitui {

// Kafka's default partitioner hash (org.apache.kafka.common.utils.Utils.murmur2), bit for bit.
std::uint32_t Murmur2(std::string_view bytes);

inline constexpr std::uint32_t kShards = 1024;

// The shard of a subject id. With P partitions, P a power of two up to 1024, Kafka's murmur2_random partitioner puts
// the key on partition shard & (P - 1), so one partition owns whole shards.
using Shard = std::uint16_t;
inline Shard ShardOf(std::string_view subject_id) { return static_cast<Shard>(Murmur2(subject_id) & (kShards - 1)); }

// FIPS 180-4.
std::array<std::uint8_t, 32> Sha256(std::string_view bytes);
std::string HexLower(std::string_view bytes);
std::string Sha256Hex(std::string_view bytes);

// A name made of parts: the first 128 bits of SHA-256 over the parts, each preceded by its length, in lower-case hex.
// The length prefix keeps ("ab","c") and ("a","bc") apart.
class StableId {
 public:
  StableId& Add(std::string_view part);
  StableId& Add(std::int64_t part);
  std::string Hex() const;

 private:
  std::string bytes_;
};

}  // namespace zhitui
