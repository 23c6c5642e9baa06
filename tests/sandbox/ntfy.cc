#include "sandbox/ntfy.h"

#include <algorithm>

#include "sandbox/crypto.h"

namespace sandbox {
namespace {

using nlohmann::json;

constexpr size_t kMaxBody = 32768;
constexpr size_t kMaxMessage = 4096;
constexpr size_t kMaxTopic = 64;
constexpr size_t kIdDigits = 12;

std::string Text(const json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

bool Topic(const std::string& text) {
  return !text.empty() && text.size() <= kMaxTopic && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  });
}

}  // namespace

Reply Ntfy::Error(int code, const std::string& message) {
  tally_.Error(std::to_string(code));
  Reply out;
  out.status = code / 100;
  out.body = json({{"code", code}, {"http", code / 100}, {"error", message}}).dump();
  return out;
}

Reply Ntfy::Handle(const Call& call) {
  tally_.Request();
  if (call.path != "/") return Error(40401, "page not found");
  if (call.method != "POST" && call.method != "PUT") return Error(40401, "page not found");
  const std::string& token = around_.options.ntfy.token;
  if (!token.empty() && !SameSecret(call.Header("authorization"), "Bearer " + token)) {
    return call.Header("authorization").empty() ? Error(40301, "forbidden") : Error(40101, "unauthorized");
  }
  if (call.body.size() > kMaxBody) return Error(41303, "JSON body too large");
  const json body = json::parse(call.body, nullptr, false);
  if (!body.is_object()) return Error(40017, "invalid request: request body must be message JSON");
  const std::string topic = Text(body, "topic");
  if (!Topic(topic)) return Error(40009, "invalid request: topic invalid");
  const auto priority = body.find("priority");
  if (priority != body.end() &&
      (!priority->is_number_integer() || priority->get<int64_t>() < 0 || priority->get<int64_t>() > 5)) {
    return Error(40007, "invalid priority parameter");
  }
  // The real one makes an attachment of it; here attachments are off.
  if (Text(body, "message").size() > kMaxMessage) return Error(40014, "invalid request: attachments not allowed");

  Entry entry;
  entry.at_ms = around_.Now();
  entry.provider = name();
  entry.provider_id = RandomHex(kIdDigits);
  entry.recipient_sha256 = ContactHash(topic);
  entry.content = body;
  entry.fate = around_.faults.FateOf(topic);
  int nth = 0;
  Reply reply;
  // ntfy sees nothing that names a message, so tries are counted by topic.
  const Verdict verdict = around_.faults.Decide(name(), topic, topic, entry.provider_id, &nth);
  switch (verdict) {
    case Verdict::kThrottle:
      return Error(42901, "limit reached: too many requests");
    case Verdict::kContactRefused:
      return Error(40010, "invalid request: topic name is not allowed");
    case Verdict::kServerError:
      return Error(50001, "internal server error");
    case Verdict::kOutOfQuota:
      return Error(42908, "limit reached: daily message quota reached");
    case Verdict::kTokenExpired:
      return Error(40101, "unauthorized");
    case Verdict::kDropBefore:
      tally_.Dropped();
      reply.abort = true;
      return reply;
    default:
      break;
  }
  if (!around_.journal.Append(entry)) return Error(50001, "internal server error");
  tally_.Accepted();
  json answer = {{"id", entry.provider_id},
                 {"time", entry.at_ms / 1000},
                 {"event", "message"},
                 {"topic", topic},
                 {"message", Text(body, "message")}};
  reply.body = answer.dump();
  if (verdict == Verdict::kAcceptThenDrop) {
    tally_.Dropped();
    reply.abort = true;
  }
  if (verdict == Verdict::kAcceptSlow) reply.delay_ms = around_.options.slow_ms;
  if (verdict == Verdict::kAcceptMalformed) reply.garble = true;
  return reply;
}

void Ntfy::Restore(const Entry& entry) { around_.faults.Restore(name(), entry.recipient_sha256, entry.provider_id); }

}  // namespace sandbox
