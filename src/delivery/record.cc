// The stored form of a notification. A field is never moved or dropped within a version; a reader knows all versions.
#include "delivery/delivery.h"

namespace zhitui::delivery {
namespace {

constexpr std::uint64_t kVersion = 2;  // 2: attempts know their contact

std::int64_t Ms(Instant at) { return at.time_since_epoch().count(); }

void Write(ByteWriter& out, const Attempt& a) {
  out.Str(a.id);
  out.U64(static_cast<std::uint64_t>(a.channel));
  out.Str(a.connector);
  out.U64(static_cast<std::uint64_t>(a.state));
  out.Str(a.key.key);
  out.I64(Ms(a.key.expires));
  out.Str(a.claimed_by);
  out.I64(Ms(a.claimed_at));
  out.I64(Ms(a.claimed_real));
  out.I64(Ms(a.settled_at));
  out.U64(static_cast<std::uint64_t>(a.verdict));
  out.Str(a.provider_id);
  out.Str(a.code);
  out.Str(a.content_hash);
  out.Str(a.contact);
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : in_(bytes) {}
  ByteReader& in() { return in_; }
  std::string Str() { return std::string(in_.Str()); }
  Instant At() { return Instant(Millis(in_.I64())); }
  std::uint32_t U32() {
    const std::uint64_t v = in_.U64();
    if (v > 0xFFFFFFFFU) bad_ = true;
    return static_cast<std::uint32_t>(v);
  }
  template <class E>
  E Enum(E last) {
    const std::uint64_t v = in_.U64();
    if (v > static_cast<std::uint64_t>(last)) {
      bad_ = true;
      return last;
    }
    return static_cast<E>(v);
  }
  bool Whole() const { return in_.ok() && in_.AtEnd() && !bad_; }

 private:
  ByteReader in_;
  bool bad_ = false;
};

Attempt ReadAttempt(Reader& in, std::uint64_t version) {
  Attempt a;
  a.id = in.Str();
  a.channel = in.Enum(Channel::kSms);
  a.connector = in.Str();
  a.state = in.Enum(AttemptState::kParked);
  a.key.key = in.Str();
  a.key.expires = in.At();
  a.claimed_by = in.Str();
  a.claimed_at = in.At();
  a.claimed_real = in.At();
  a.settled_at = in.At();
  a.verdict = in.Enum(Verdict::kUnknown);
  a.provider_id = in.Str();
  a.code = in.Str();
  a.content_hash = in.Str();
  if (version >= 2) a.contact = in.Str();
  return a;
}

}  // namespace

std::string Notification::Encode() const {
  ByteWriter out;
  out.U64(kVersion);
  out.Str(id);
  out.Str(decision);
  out.Str(kind);
  out.Str(recipient);
  out.U64(static_cast<std::uint64_t>(state));
  out.Str(reason);
  out.U64(channels.size());
  for (const Channel c : channels) out.U64(static_cast<std::uint64_t>(c));
  out.U64(rung);
  out.U64(failed_on_rung);
  out.I64(Ms(planned_at));
  out.I64(Ms(expires));
  out.Bool(next.has_value());
  if (next) out.I64(Ms(*next));
  out.U64(attempts.size());
  for (const Attempt& a : attempts) Write(out, a);
  return out.Take();
}

Result<Notification> Notification::Decode(std::string_view bytes) {
  Reader in(bytes);
  const std::uint64_t version = in.in().U64();
  if (version == 0 || version > kVersion) {
    return Invalid("a notification record of another version: read it with the release that wrote it");
  }
  Notification n;
  n.id = in.Str();
  n.decision = in.Str();
  n.kind = in.Str();
  n.recipient = in.Str();
  n.state = in.Enum(NotificationState::kUnknown);
  n.reason = in.Str();
  n.channels.resize(in.in().Count());
  for (Channel& c : n.channels) c = in.Enum(Channel::kSms);
  n.rung = in.U32();
  n.failed_on_rung = in.U32();
  n.planned_at = in.At();
  n.expires = in.At();
  if (in.in().Bool()) n.next = in.At();
  constexpr std::size_t kSmallestAttempt = 14;  // one byte a field
  const std::size_t attempts = in.in().Count(kSmallestAttempt);
  n.attempts.reserve(attempts);
  for (std::size_t i = 0; i < attempts; ++i) n.attempts.push_back(ReadAttempt(in, version));
  if (!in.Whole()) return Invalid("a notification record is damaged");
  return n;
}

}  // namespace zhitui::delivery
