#pragma once

#include <array>

namespace zhitui::store {

// Every script takes one key, the base of the shard ("<prefix>:{<shard>}:"), and builds the names of the layout from
// it: the due queue a record leaves is known only inside. All of them share the hash tag, so a cluster runs it in one
// slot.
enum class Script : int { kApply = 0, kReadOutbox = 1, kAckOutbox = 2 };
inline constexpr int kScripts = 3;

// ARGV: the number of writes, then per write: name "<space>:<key>", expected version bytes ('' = must not exist),
// stored string ('' = erase), due queue ('' = none), due instant; then the outbox entries. Answers 1 (applied) or 0
// (conflict). Redis runs a script alone and logs its effects as one MULTI, so the check and the writes are one step.
// Nothing is written before every version was compared; the first write is refused when memory is short, the others
// then are not.
inline constexpr const char* kApplyScript = R"lua(
local base = KEYS[1]
local count = tonumber(ARGV[1])
local last = 1 + count * 5
local heads = {}
for at = 2, last, 5 do
  local head = redis.call('GETRANGE', base .. 'r:' .. ARGV[at], 0, 17)
  if string.sub(head, 1, 9) ~= ARGV[at + 1] then return 0 end
  heads[at] = head
end
for at = 2, last, 5 do
  local name, stored, queue = ARGV[at], ARGV[at + 2], ARGV[at + 3]
  local old_due = string.sub(heads[at], 10, 18)
  local old_queue = string.byte(old_due, 1) or 255
  if stored == '' then
    if heads[at] ~= '' then
      redis.call('DEL', base .. 'r:' .. name)
      redis.call('ZREM', base .. 'k:' .. string.sub(name, 1, 1), string.sub(name, 3))
      if old_queue ~= 255 then redis.call('ZREM', base .. 'd:' .. old_queue, name) end
    end
  else
    redis.call('SET', base .. 'r:' .. name, stored)
    if heads[at] == '' then
      redis.call('ZADD', base .. 'k:' .. string.sub(name, 1, 1), 0, string.sub(name, 3))
    end
    if old_due ~= string.sub(stored, 10, 18) then
      if old_queue ~= 255 and tostring(old_queue) ~= queue then
        redis.call('ZREM', base .. 'd:' .. old_queue, name)
      end
      if queue ~= '' then redis.call('ZADD', base .. 'd:' .. queue, ARGV[at + 4], name) end
    end
  end
end
for at = last + 1, #ARGV do redis.call('RPUSH', base .. 'o', ARGV[at]) end
return 1
)lua";

// ARGV: limit. Answers {acknowledged so far, entry, entry, ...}.
inline constexpr const char* kReadOutboxScript = R"lua(
local entries = redis.call('LRANGE', KEYS[1] .. 'o', 0, tonumber(ARGV[1]) - 1)
if #entries > 0 then table.insert(entries, 1, redis.call('GET', KEYS[1] .. 'oh') or '0') end
return entries
)lua";

// ARGV: sequence. Never counts past the entries that are there, so that the next entry gets a sequence above all
// others.
inline constexpr const char* kAckOutboxScript = R"lua(
local head = tonumber(redis.call('GET', KEYS[1] .. 'oh') or '0')
local drop = math.min(tonumber(ARGV[1]) - head, redis.call('LLEN', KEYS[1] .. 'o'))
if drop <= 0 then return 0 end
redis.call('LTRIM', KEYS[1] .. 'o', drop, -1)
redis.call('INCRBY', KEYS[1] .. 'oh', string.format('%.0f', drop))
return drop
)lua";

inline constexpr std::array<const char*, kScripts> kScriptTexts = {kApplyScript, kReadOutboxScript, kAckOutboxScript};

}  // namespace zhitui::store
