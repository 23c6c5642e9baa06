#pragma once

#include <hiredis/hiredis.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "store/store.h"

namespace zhitui::store {

struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

inline std::string_view ReplyText(const redisReply& reply) {
  return reply.str == nullptr ? std::string_view() : std::string_view(reply.str, static_cast<std::size_t>(reply.len));
}

// One TCP connection to a Redis server, authenticated; one thread at a time. hiredis connects and parses; sending and
// receiving are done here with poll, because several connections share one wait and a closed peer must not raise
// SIGPIPE.
class RedisConnection {
 public:
  // kUnavailable when the server does not answer, kInvalid when it does not accept the user and password.
  static Result<std::unique_ptr<RedisConnection>> Connect(const RedisOptions& options);

  // False once the server closed it, or when something was left unread in it.
  bool Usable() const;
  int fd() const { return context_->fd; }
  redisReader* reader() const { return context_->reader; }

 private:
  struct FreeContext {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  explicit RedisConnection(redisContext* context) : context_(context) {}
  std::unique_ptr<redisContext, FreeContext> context_;
};

// Commands 0 to count-1 of one call.
struct RedisBatch {
  std::size_t count = 0;
  // Which connection a command goes to: commands with the same lane key keep their order.
  std::function<std::size_t(std::size_t command)> lane_key;
  std::function<void(std::size_t command, std::string& out)> encode;
  // An error stops the batch: no more commands are sent, those in flight are waited for. Error replies come here too.
  std::function<Status(std::size_t command, const redisReply& reply)> reply;
};

// Runs a batch over the given connections (one or more), at most `pipeline` commands in flight on each. Answers the
// first error of a `reply`. An I/O error, a closed connection, or `timeout` without a byte moving is kUnavailable:
// commands in flight may have been executed, and none of the connections can be used again (`*broken` is set).
Status RunBatch(std::span<RedisConnection* const> connections, const RedisBatch& batch, std::size_t pipeline,
                Millis timeout, const std::string& server, bool* broken);

std::string ServerName(const RedisOptions& options);  // host:port

}  // namespace zhitui::store
