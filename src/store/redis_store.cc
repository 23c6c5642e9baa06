#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <utility>

#include "store/limits.h"
#include "store/redis_durability.h"
#include "store/redis_layout.h"
#include "store/redis_pool.h"
#include "store/redis_scripts.h"
#include "store/redis_wire.h"
#include "store/store.h"

namespace zhitui::store {
namespace {

// A server that loses the scripts again and again is being flushed by someone.
constexpr int kScriptAttempts = 3;
constexpr std::size_t kMaxPrefixBytes = 128;

std::int64_t RedisLimit(std::size_t limit) {
  return static_cast<std::int64_t>(std::min<std::size_t>(limit, std::size_t{1} << 31));
}

// Scores are whole milliseconds within 53 bits; Redis prints them with 17 digits, enough to be exact.
std::optional<Instant> ParseScore(const redisReply& reply) {
  const std::string text(ReplyText(reply));
  char* end = nullptr;
  const double score = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !std::isfinite(score) || std::fabs(score) > 9007199254740992.0) {
    return std::nullopt;
  }
  return Instant(Millis(static_cast<std::int64_t>(score)));
}

class RedisStore final : public Store {
 public:
  explicit RedisStore(const RedisOptions& options) : pool_(options), layout_(options.key_prefix) {}

  Status Start(bool require_durable) {
    if (require_durable) {
      if (Status s = CheckDurable(pool_); !s) return s;
    }
    return LoadScripts();
  }

  Result<std::vector<StoredRecord>> Load(std::span<const RecordKey> keys) override {
    if (Status s = CheckKeys(keys); !s) return std::unexpected(s.error());
    std::vector<StoredRecord> records(keys.size());
    const Status status = Run(
        keys.size(), [&](std::size_t i) { return keys[i].shard; },
        [&](std::size_t i, std::string& out) {
          CommandWriter(out, 2).Arg("GET").Arg(RecordName(keys[i].shard, keys[i].space, keys[i].key));
        },
        [&](std::size_t i, const redisReply& reply) { return TakeRecord(reply, records[i]); });
    if (!status) return std::unexpected(status.error());
    return records;
  }

  Result<std::vector<Applied>> Apply(std::span<const Transaction> transactions) override {
    if (Status s = CheckTransactions(transactions); !s) return std::unexpected(s.error());
    std::vector<Applied> answers(transactions.size(), Applied::kConflict);
    const Status status = RunScript(
        Script::kApply, transactions.size(), [&](std::size_t i) { return transactions[i].shard; },
        [&](std::size_t i) { return 1 + transactions[i].writes.size() * 5 + transactions[i].outbox.size(); },
        [&](std::size_t i, CommandWriter& command) { EncodeTransaction(transactions[i], command); },
        [&](std::size_t i, const redisReply& reply) -> Status {
          if (reply.type != REDIS_REPLY_INTEGER) return Unexpected();
          answers[i] = reply.integer == 1 ? Applied::kApplied : Applied::kConflict;
          return {};
        });
    if (!status) return std::unexpected(status.error());
    return answers;
  }

  Result<std::vector<DueEntry>> DueUpTo(std::span<const Shard> shards, DueQueue queue, Instant upto,
                                        std::size_t limit) override {
    if (Status s = CheckShards(shards); !s) return std::unexpected(s.error());
    if (Status s = CheckQueue(queue); !s) return std::unexpected(s.error());
    std::vector<std::vector<DueEntry>> by_shard(shards.size());
    const Status status = Run(
        shards.size(), [&](std::size_t i) { return shards[i]; },
        [&](std::size_t i, std::string& out) {
          CommandWriter(out, 8)
              .Arg("ZRANGEBYSCORE")
              .Arg(QueueName(shards[i], queue))
              .Arg("-inf")
              .Arg(upto.time_since_epoch().count())
              .Arg("WITHSCORES")
              .Arg("LIMIT")
              .Arg(0)
              .Arg(RedisLimit(limit));
        },
        [&](std::size_t i, const redisReply& reply) { return TakeDue(reply, shards[i], by_shard[i]); });
    if (!status) return std::unexpected(status.error());
    std::vector<DueEntry> entries;
    for (std::vector<DueEntry>& some : by_shard) {
      std::move(some.begin(), some.end(), std::back_inserter(entries));
    }
    return entries;
  }

  Result<std::vector<std::optional<Instant>>> NextDue(std::span<const Shard> shards, DueQueue queue) override {
    if (Status s = CheckShards(shards); !s) return std::unexpected(s.error());
    if (Status s = CheckQueue(queue); !s) return std::unexpected(s.error());
    std::vector<std::optional<Instant>> instants(shards.size());
    const Status status = Run(
        shards.size(), [&](std::size_t i) { return shards[i]; },
        [&](std::size_t i, std::string& out) {
          CommandWriter(out, 5).Arg("ZRANGE").Arg(QueueName(shards[i], queue)).Arg(0).Arg(0).Arg("WITHSCORES");
        },
        [&](std::size_t i, const redisReply& reply) -> Status {
          std::vector<DueEntry> first;
          if (Status s = TakeDue(reply, shards[i], first); !s) return s;
          if (!first.empty()) instants[i] = first.front().at;
          return {};
        });
    if (!status) return std::unexpected(status.error());
    return instants;
  }

  Result<std::vector<std::vector<OutboxEntry>>> ReadOutbox(std::span<const Shard> shards, std::size_t limit) override {
    if (Status s = CheckShards(shards); !s) return std::unexpected(s.error());
    std::vector<std::vector<OutboxEntry>> entries(shards.size());
    // A range of 0 to -1 would be the whole list.
    if (limit == 0) return entries;
    const Status status = RunScript(
        Script::kReadOutbox, shards.size(), [&](std::size_t i) { return shards[i]; },
        [](std::size_t) { return std::size_t{1}; },
        [&](std::size_t, CommandWriter& command) { command.Arg(RedisLimit(limit)); },
        [&](std::size_t i, const redisReply& reply) -> Status {
          if (reply.type != REDIS_REPLY_ARRAY) return Unexpected();
          if (reply.elements == 0) return {};
          const std::uint64_t head = std::strtoull(std::string(ReplyText(*reply.element[0])).c_str(), nullptr, 10);
          for (std::size_t n = 1; n < reply.elements; ++n) {
            entries[i].push_back({.sequence = head + n, .bytes = std::string(ReplyText(*reply.element[n]))});
          }
          return {};
        });
    if (!status) return std::unexpected(status.error());
    return entries;
  }

  Status AckOutbox(std::span<const std::pair<Shard, std::uint64_t>> upto) override {
    for (const auto& [shard, sequence] : upto) {
      if (Status s = CheckShards({&shard, 1}); !s) return s;
    }
    return RunScript(
        Script::kAckOutbox, upto.size(), [&](std::size_t i) { return upto[i].first; },
        [](std::size_t) { return std::size_t{1}; },
        [&](std::size_t i, CommandWriter& command) {
          command.Arg(static_cast<std::int64_t>(std::min<std::uint64_t>(upto[i].second, std::uint64_t{1} << 53)));
        },
        [&](std::size_t, const redisReply& reply) {
          return reply.type == REDIS_REPLY_INTEGER ? Status() : Unexpected();
        });
  }

  Result<ScanPage> Scan(Shard shard, Space space, const std::string& cursor, std::size_t limit) override {
    if (Status s = CheckShards({&shard, 1}); !s) return std::unexpected(s.error());
    // The cursor is the lower bound of ZRANGEBYLEX: "(" and the last key given.
    if (!cursor.empty() && cursor.front() != '(') return Invalid("this is not a cursor of a scan");
    const std::size_t page_limit = ClampPage(limit);
    std::vector<std::string> keys;
    Status status = Run(
        1, [&](std::size_t) { return shard; },
        [&](std::size_t, std::string& out) {
          CommandWriter(out, 7)
              .Arg("ZRANGEBYLEX")
              .Arg(layout_.Base(shard) + "k:" + std::to_string(static_cast<int>(space)))
              .Arg(cursor.empty() ? "-" : std::string_view(cursor))
              .Arg("+")
              .Arg("LIMIT")
              .Arg(0)
              .Arg(RedisLimit(page_limit));
        },
        [&](std::size_t, const redisReply& reply) -> Status {
          if (reply.type != REDIS_REPLY_ARRAY) return Unexpected();
          for (std::size_t i = 0; i < reply.elements; ++i) keys.emplace_back(ReplyText(*reply.element[i]));
          return {};
        });
    if (!status) return std::unexpected(status.error());
    std::vector<StoredRecord> records(keys.size());
    status = Run(
        keys.size(), [&](std::size_t) { return shard; },
        [&](std::size_t i, std::string& out) {
          CommandWriter(out, 2).Arg("GET").Arg(RecordName(shard, space, keys[i]));
        },
        [&](std::size_t i, const redisReply& reply) { return TakeRecord(reply, records[i]); });
    if (!status) return std::unexpected(status.error());
    ScanPage page;
    if (keys.size() == page_limit) page.next_cursor = "(" + keys.back();
    for (std::size_t i = 0; i < keys.size(); ++i) {
      // A record erased between the two reads is not there any more.
      if (records[i].version != 0) page.records.emplace_back(std::move(keys[i]), std::move(records[i]));
    }
    return page;
  }

  Status Ping() override {
    return Run(
        1, [](std::size_t) { return 0; }, [](std::size_t, std::string& out) { CommandWriter(out, 1).Arg("PING"); },
        [](std::size_t, const redisReply&) { return Status(); });
  }

 private:
  std::string RecordName(Shard shard, Space space, std::string_view key) const {
    return layout_.Base(shard) + "r:" + MemberName(space, key);
  }
  std::string QueueName(Shard shard, DueQueue queue) const {
    return layout_.Base(shard) + "d:" + std::to_string(queue);
  }
  Status Unexpected() const {
    return Fatal("Redis at " + pool_.server() +
                 " holds something under the store's key prefix that the store did not write");
  }

  template <class ShardOf, class Encode, class Take>
  Status Run(std::size_t count, const ShardOf& shard_of, const Encode& encode, const Take& take) {
    return pool_.Run({.count = count,
                      .lane_key = [&](std::size_t i) { return static_cast<std::size_t>(shard_of(i)); },
                      .encode = encode,
                      .reply = [&](std::size_t i, const redisReply& reply) -> Status {
                        if (reply.type == REDIS_REPLY_ERROR) {
                          return std::unexpected(RedisReplyError(ReplyText(reply), pool_.server()));
                        }
                        return take(i, reply);
                      }});
  }

  // One script call per element. A server that forgot the script executed nothing of that call, so it is loaded and
  // exactly those calls are made again, in their order.
  template <class ShardOf, class Count, class Encode, class Take>
  Status RunScript(Script script, std::size_t count, const ShardOf& shard_of, const Count& arguments,
                   const Encode& encode, const Take& take) {
    std::vector<std::size_t> calls(count);
    for (std::size_t i = 0; i < count; ++i) calls[i] = i;
    for (int attempt = 0; !calls.empty(); ++attempt) {
      if (attempt == kScriptAttempts) {
        return Unavailable("Redis at " + pool_.server() +
                           " keeps losing the store's scripts; does someone flush them?");
      }
      if (attempt > 0) {
        if (Status s = LoadScripts(); !s) return s;
      }
      std::vector<std::size_t> again;
      const std::string& sha = shas_[static_cast<std::size_t>(script)];
      const Status status =
          pool_.Run({.count = calls.size(),
                     .lane_key = [&](std::size_t n) { return static_cast<std::size_t>(shard_of(calls[n])); },
                     .encode =
                         [&](std::size_t n, std::string& out) {
                           CommandWriter command(out, 4 + arguments(calls[n]));
                           command.Arg("EVALSHA").Arg(sha).Arg(1).Arg(layout_.Base(shard_of(calls[n])));
                           encode(calls[n], command);
                         },
                     .reply = [&](std::size_t n, const redisReply& reply) -> Status {
                       if (reply.type != REDIS_REPLY_ERROR) return take(calls[n], reply);
                       if (!IsNoScript(ReplyText(reply))) {
                         return std::unexpected(RedisReplyError(ReplyText(reply), pool_.server()));
                       }
                       again.push_back(calls[n]);
                       return {};
                     }});
      if (!status) return status;
      std::sort(again.begin(), again.end());
      calls = std::move(again);
    }
    return {};
  }

  // The name of a script is the SHA-1 of its text, so loading it again answers the same; only Start stores it.
  Status LoadScripts() {
    std::array<std::string, kScripts> shas;
    const Status status = Run(
        kScripts, [](std::size_t) { return 0; },
        [](std::size_t i, std::string& out) { CommandWriter(out, 3).Arg("SCRIPT").Arg("LOAD").Arg(kScriptTexts[i]); },
        [&](std::size_t i, const redisReply& reply) -> Status {
          if (reply.type != REDIS_REPLY_STRING) return Unexpected();
          shas[i].assign(ReplyText(reply));
          return {};
        });
    if (status && shas_[0].empty()) shas_ = std::move(shas);
    return status;
  }

  Status TakeRecord(const redisReply& reply, StoredRecord& record) const {
    if (reply.type == REDIS_REPLY_NIL) return {};
    if (reply.type != REDIS_REPLY_STRING) return Unexpected();
    std::optional<StoredRecord> stored = ParseStored(ReplyText(reply));
    if (!stored) return Unexpected();
    record = std::move(*stored);
    return {};
  }

  Status TakeDue(const redisReply& reply, Shard shard, std::vector<DueEntry>& entries) const {
    if (reply.type != REDIS_REPLY_ARRAY || reply.elements % 2 != 0) return Unexpected();
    for (std::size_t i = 0; i < reply.elements; i += 2) {
      auto name = ParseMemberName(ReplyText(*reply.element[i]));
      const std::optional<Instant> at = ParseScore(*reply.element[i + 1]);
      if (!name || !at) return Unexpected();
      entries.push_back({.shard = shard, .space = name->first, .key = std::move(name->second), .at = *at});
    }
    return {};
  }

  static void EncodeTransaction(const Transaction& transaction, CommandWriter& command) {
    command.Arg(static_cast<std::int64_t>(transaction.writes.size()));
    std::string stored;
    for (const RecordWrite& write : transaction.writes) {
      command.Arg(MemberName(write.space, write.key)).Arg(VersionBytes(write.expected_version));
      if (!write.value) {
        command.Arg("").Arg("").Arg("");
        continue;
      }
      stored.clear();
      AppendHeader(stored, write.expected_version + 1, write.due);
      stored.append(*write.value);
      command.Arg(stored);
      if (write.due) {
        command.Arg(write.due->queue).Arg(write.due->at.time_since_epoch().count());
      } else {
        command.Arg("").Arg("");
      }
    }
    for (const std::string& entry : transaction.outbox) command.Arg(entry);
  }

  RedisPool pool_;
  const RedisLayout layout_;
  std::array<std::string, kScripts> shas_;  // written once, by Start
};

}  // namespace

Result<std::unique_ptr<Store>> OpenRedis(const RedisOptions& options) {
  if (options.host.empty() || options.port == 0) return Invalid("the Redis store needs a host and a port");
  // Braces would be taken for the hash tag.
  if (options.key_prefix.empty() || options.key_prefix.size() > kMaxPrefixBytes ||
      options.key_prefix.find_first_of("{}") != std::string::npos) {
    return Invalid("the key prefix of the Redis store has 1 to " + std::to_string(kMaxPrefixBytes) +
                   " bytes and no braces");
  }
  auto store = std::make_unique<RedisStore>(options);
  if (Status s = store->Start(options.require_durable); !s) return std::unexpected(s.error());
  return store;
}

}  // namespace zhitui::store
