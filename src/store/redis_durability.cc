#include "store/redis_durability.h"

#include <iterator>

#include "store/redis_wire.h"

namespace zhitui::store {
namespace {

struct Setting {
  const char* name;
  const char* wanted;
  const char* reason;
};

constexpr Setting kSettings[] = {
    {"appendonly", "yes", "without it a restart forgets writes"},
    {"appendfsync", "always", "otherwise a power cut forgets the last writes that were acknowledged"},
    {"maxmemory-policy", "noeviction", "otherwise records vanish when memory is short"},
};

}  // namespace

Status CheckDurable(RedisPool& pool) {
  std::string missing;
  bool hidden = false;
  RedisBatch batch;
  batch.count = std::size(kSettings);
  batch.lane_key = [](std::size_t) { return std::size_t{0}; };
  batch.encode = [](std::size_t i, std::string& out) {
    CommandWriter(out, 3).Arg("CONFIG").Arg("GET").Arg(kSettings[i].name);
  };
  batch.reply = [&](std::size_t i, const redisReply& reply) -> Status {
    if (reply.type == REDIS_REPLY_ERROR) {
      const Error error = RedisReplyError(ReplyText(reply), pool.server());
      if (error.kind == ErrorKind::kUnavailable || ReplyText(reply).starts_with("NOAUTH"))
        return std::unexpected(error);
      hidden = true;
      return {};
    }
    if (reply.type != REDIS_REPLY_ARRAY || reply.elements != 2 || reply.element[1]->type != REDIS_REPLY_STRING) {
      hidden = true;
      return {};
    }
    const Setting& setting = kSettings[i];
    const std::string_view value = ReplyText(*reply.element[1]);
    if (value == setting.wanted) return {};
    missing += std::string(missing.empty() ? "" : "; ") + "set " + setting.name + " " + setting.wanted + " (now " +
               std::string(value.substr(0, 32)) + "): " + setting.reason;
    return {};
  };
  if (Status s = pool.Run(batch); !s) return s;
  if (hidden) {
    return Invalid(
        "Redis at " + pool.server() +
        " does not let the store's user read its settings (CONFIG GET), so its durability cannot be checked: "
        "allow it (ACL rule +config|get), or turn the check off when the server is known to run appendonly "
        "yes, appendfsync always, maxmemory-policy noeviction");
  }
  if (!missing.empty())
    return Invalid("Redis at " + pool.server() + " is not durable enough for the store: " + missing);
  return {};
}

}  // namespace zhitui::store
