#include "sandbox/push_sim.h"

#include <algorithm>
#include <charconv>

#include "sandbox/crypto.h"

namespace sandbox {
namespace {

using nlohmann::json;

constexpr size_t kMaxSeen = 2'000'000;

}  // namespace

std::string TextOf(const json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::string StrangeKey(const json& object, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) return key;
  }
  return {};
}

bool Spelled(std::string_view text, std::string_view allowed, size_t least, size_t most) {
  return text.size() >= least && text.size() <= most && std::all_of(text.begin(), text.end(), [&](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  allowed.find(c) != std::string_view::npos;
         });
}

bool Seconds(std::string_view text, int64_t most) {
  int64_t seconds = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  return error == std::errc() && std::string_view(end, static_cast<size_t>(text.data() + text.size() - end)) == "s" &&
         seconds >= 0 && seconds <= most;
}

Reply JsonReply(int status, const json& body) {
  Reply out;
  out.status = status;
  out.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
  return out;
}

Reply PushSim::Take(const Push& push) {
  const int64_t now = around_.Now();
  const std::string attempt = TextOf(push.data, "attempt_id");
  const std::string hash = ContactHash(push.target);
  const std::string repeat = push.key.empty() ? std::string() : hash + '|' + push.key;
  const std::lock_guard lock(mutex_);
  if (!repeat.empty()) {
    if (const std::string* first = recent_.Find(repeat, now)) {
      tally_.Suppressed();
      return Repeat(push, *first);
    }
  }
  int nth = 0;
  const Verdict verdict = around_.faults.Decide(name(), push.target, attempt.empty() ? push.key : attempt,
                                                attempt.empty() ? push.key : attempt, &nth);
  Reply reply;
  switch (verdict) {
    case Verdict::kThrottle:
    case Verdict::kContactRefused:
    case Verdict::kServerError:
    case Verdict::kOutOfQuota:
    case Verdict::kTokenExpired:
      return Refuse(push, verdict, nth);
    case Verdict::kDropBefore:
      tally_.Dropped();
      reply.abort = true;
      return reply;
    case Verdict::kAccept:
    case Verdict::kAcceptSlow:
    case Verdict::kAcceptThenDrop:
    case Verdict::kAcceptMalformed:
      break;
  }
  Entry entry;
  entry.at_ms = now;
  entry.provider = name();
  entry.message_id = TextOf(push.data, "notification_id");
  entry.attempt_id = attempt;
  entry.key = push.key;
  entry.provider_id = std::to_string(ids_.Next());
  entry.recipient_sha256 = hash;
  entry.fate = around_.faults.FateOf(push.target);
  entry.content = push.shown;
  if (seen_.size() >= kMaxSeen) seen_.clear();
  const auto [first, fresh] = seen_.emplace(attempt + '|' + hash, entry.provider_id);
  if (!fresh) entry.duplicate_of = first->second;
  if (!around_.journal.Append(entry)) return Refuse(push, Verdict::kServerError, 1);
  if (!repeat.empty() && window_ms_ > 0) recent_.Put(repeat, entry.provider_id, now);
  tally_.Accepted();
  reply = Answer(push, entry.provider_id);
  reply.abort = verdict == Verdict::kAcceptThenDrop;
  reply.garble = verdict == Verdict::kAcceptMalformed;
  if (verdict == Verdict::kAcceptSlow) reply.delay_ms = around_.options.slow_ms;
  if (reply.abort) tally_.Dropped();
  return reply;
}

void PushSim::Restore(const Entry& entry) {
  ids_.Skip(entry.provider_id);
  around_.faults.Restore(name(), entry.recipient_sha256, entry.attempt_id.empty() ? entry.key : entry.attempt_id);
  const std::lock_guard lock(mutex_);
  if (!entry.key.empty() && window_ms_ > 0) {
    recent_.Put(entry.recipient_sha256 + '|' + entry.key, entry.provider_id, entry.at_ms);
  }
  seen_.emplace(entry.attempt_id + '|' + entry.recipient_sha256, entry.provider_id);
}

void PushSim::Reset() {
  const std::lock_guard lock(mutex_);
  recent_.Clear();
  seen_.clear();
  tally_.Reset();
}

}  // namespace sandbox
