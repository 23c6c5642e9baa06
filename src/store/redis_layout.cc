#include "store/redis_layout.h"

namespace zhitui::store {
namespace {

constexpr char kFormat = 1;
constexpr std::uint8_t kNoQueue = 255;

void AppendBigEndian(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>((value >> shift) & 0xff));
}

}  // namespace

RedisLayout::RedisLayout(const std::string& prefix) {
  bases_.reserve(kShards);
  for (std::uint32_t shard = 0; shard < kShards; ++shard) {
    bases_.push_back(prefix + ":{" + std::to_string(shard) + "}:");
  }
}

std::string MemberName(Space space, std::string_view key) {
  std::string member;
  member.reserve(key.size() + 2);
  member.push_back(static_cast<char>('0' + static_cast<int>(space)));
  member.push_back(':');
  member.append(key);
  return member;
}

std::optional<std::pair<Space, std::string>> ParseMemberName(std::string_view member) {
  if (member.size() < 3 || member[1] != ':' || member[0] < '0' || member[0] > '2') return std::nullopt;
  return std::pair(static_cast<Space>(member[0] - '0'), std::string(member.substr(2)));
}

void AppendHeader(std::string& out, std::uint64_t version, const std::optional<Due>& due) {
  out.push_back(kFormat);
  AppendBigEndian(out, version);
  out.push_back(static_cast<char>(due ? due->queue : kNoQueue));
  AppendBigEndian(out, due ? static_cast<std::uint64_t>(due->at.time_since_epoch().count()) : 0);
}

std::string VersionBytes(std::uint64_t version) {
  std::string bytes;
  if (version == 0) return bytes;
  bytes.push_back(kFormat);
  AppendBigEndian(bytes, version);
  return bytes;
}

std::optional<StoredRecord> ParseStored(std::string_view stored) {
  if (stored.size() < kHeaderBytes || stored[0] != kFormat) return std::nullopt;
  StoredRecord record;
  for (std::size_t i = 1; i < kVersionBytes; ++i) {
    record.version = (record.version << 8) | static_cast<std::uint8_t>(stored[i]);
  }
  if (record.version == 0) return std::nullopt;
  record.value.assign(stored.substr(kHeaderBytes));
  return record;
}

}  // namespace zhitui::store
