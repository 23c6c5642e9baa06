#include "store/redis_pool.h"

#include <algorithm>
#include <utility>

namespace zhitui::store {
namespace {

// A connection more pays from this many commands on.
constexpr std::size_t kCommandsPerConnection = 64;

}  // namespace

RedisPool::RedisPool(const RedisOptions& options)
    : options_(options),
      server_(ServerName(options)),
      free_slots_(std::clamp<std::size_t>(options.connections, 1, 1024)) {}

Status RedisPool::Run(const RedisBatch& batch) {
  if (batch.count == 0) return {};
  Connections connections;
  const std::size_t wanted = 1 + batch.count / kCommandsPerConnection;
  const Result<std::size_t> slots = TakeSlots(wanted, connections);
  if (!slots) return std::unexpected(slots.error());
  // An idle connection may have been closed by the server since; nothing was sent on it, so it is safe to take another.
  std::erase_if(connections, [](const auto& connection) { return !connection->Usable(); });
  while (connections.size() < *slots) {
    Result<std::unique_ptr<RedisConnection>> fresh = RedisConnection::Connect(options_);
    if (!fresh) {
      GiveBack(*slots, std::move(connections));
      return std::unexpected(fresh.error());
    }
    connections.push_back(std::move(*fresh));
  }
  std::vector<RedisConnection*> lanes;
  lanes.reserve(connections.size());
  for (const auto& connection : connections) lanes.push_back(connection.get());
  bool broken = false;
  const Status status = RunBatch(lanes, batch, options_.pipeline, options_.command_timeout, server_, &broken);
  if (broken) connections.clear();
  GiveBack(*slots, std::move(connections));
  return status;
}

Result<std::size_t> RedisPool::TakeSlots(std::size_t wanted, Connections& taken) {
  std::unique_lock lock(mutex_);
  if (!slot_is_free_.wait_for(lock, options_.command_timeout, [&] { return free_slots_ > 0; })) {
    return Unavailable("all connections to Redis at " + server_ + " are in use; try again, or raise their number");
  }
  const std::size_t slots = std::min(wanted, free_slots_);
  free_slots_ -= slots;
  while (taken.size() < slots && !idle_.empty()) {
    taken.push_back(std::move(idle_.back()));
    idle_.pop_back();
  }
  return slots;
}

void RedisPool::GiveBack(std::size_t slots, Connections connections) {
  const std::scoped_lock lock(mutex_);
  free_slots_ += slots;
  for (auto& connection : connections) idle_.push_back(std::move(connection));
  slot_is_free_.notify_all();
}

}  // namespace zhitui::store
