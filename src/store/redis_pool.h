#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "store/redis_connection.h"

namespace zhitui::store {

// At most options.connections connections, made when they are first wanted and replaced by fresh ones when they break.
// Thread-safe.
class RedisPool {
 public:
  explicit RedisPool(const RedisOptions& options);

  // Runs a batch over one connection, or over several free ones when it is large: the server then syncs its log once
  // for what it reads from all of them. Waits at most command_timeout for a connection; kUnavailable after that.
  Status Run(const RedisBatch& batch);

  const std::string& server() const { return server_; }

 private:
  using Connections = std::vector<std::unique_ptr<RedisConnection>>;

  // One slot or more, up to `wanted`: a slot is the right to hold one connection.
  Result<std::size_t> TakeSlots(std::size_t wanted, Connections& taken);
  void GiveBack(std::size_t slots, Connections connections);

  const RedisOptions options_;
  const std::string server_;
  std::mutex mutex_;
  std::condition_variable slot_is_free_;
  std::size_t free_slots_;
  Connections idle_;  // never more than free_slots_
};

}  // namespace zhitui::store
