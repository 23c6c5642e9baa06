// The transitions of a notification and its attempts. Two tables say what may follow what; every change goes through
// them, so results and receipts may come twice, late or in any order.
#include <algorithm>
#include <initializer_list>

#include "delivery/delivery.h"

namespace zhitui::delivery {
namespace {

using A = AttemptState;
using N = NotificationState;

template <class E>
constexpr unsigned Set(std::initializer_list<E> states) {
  unsigned bits = 0;
  for (const E s : states) bits |= 1U << static_cast<unsigned>(s);
  return bits;
}

// A report from the phone outweighs everything said before: a message that was "rejected" and then read was read.
constexpr unsigned AfterAttempt(A from) {
  switch (from) {
    case A::kClaimed:
      return Set({A::kAccepted, A::kDelivered, A::kRead, A::kUndelivered, A::kRejected, A::kUnknown, A::kParked});
    case A::kUnknown:
      return Set({A::kAccepted, A::kDelivered, A::kRead, A::kUndelivered, A::kRejected, A::kParked});
    case A::kParked:
      return Set({A::kAccepted, A::kDelivered, A::kRead, A::kUndelivered, A::kRejected});
    case A::kAccepted:
    case A::kRejected:
      return Set({A::kDelivered, A::kRead, A::kUndelivered});
    case A::kUndelivered:
      return Set({A::kDelivered, A::kRead});
    case A::kDelivered:
      return Set({A::kRead});
    case A::kRead:
      return 0;
  }
  return 0;
}

// Back from unknown to sending only when the question is answered. From accepted to unknown when the accepted attempt
// turned out undelivered and the next one is parked; to suppressed or expired when it ends before another was taken.
constexpr unsigned AfterNotification(N from) {
  switch (from) {
    case N::kPlanned:
      return Set({N::kSending, N::kSuppressed, N::kExpired, N::kFailed});
    case N::kSending:
      return Set({N::kAccepted, N::kDelivered, N::kRead, N::kFailed, N::kSuppressed, N::kExpired, N::kUnknown});
    case N::kUnknown:
      return Set({N::kSending, N::kAccepted, N::kDelivered, N::kRead, N::kFailed, N::kExpired, N::kSuppressed});
    case N::kAccepted:
      return Set({N::kDelivered, N::kRead, N::kFailed, N::kUnknown, N::kSuppressed, N::kExpired});
    case N::kSuppressed:
    case N::kExpired:
      return Set({N::kAccepted, N::kDelivered, N::kRead});
    case N::kFailed:
      return Set({N::kDelivered, N::kRead});
    case N::kDelivered:
      return Set({N::kRead});
    case N::kRead:
      return 0;
  }
  return 0;
}

bool MayBecome(const Attempt& a, A to) { return (AfterAttempt(a.state) & Set({to})) != 0; }

bool Move(Notification& n, N to) {
  if ((AfterNotification(n.state) & Set({to})) == 0) return false;
  n.state = to;
  return true;
}

bool InTheAir(const Attempt& a) { return a.state == A::kAccepted || a.state == A::kDelivered || a.state == A::kRead; }
bool OpenOrParked(const Attempt& a) {
  return a.state == A::kClaimed || a.state == A::kUnknown || a.state == A::kParked;
}

template <class Predicate>
bool Any(const Notification& n, Predicate predicate) {
  return std::any_of(n.attempts.begin(), n.attempts.end(), predicate);
}

bool MoreRungs(const Notification& n) { return n.rung + 1 < n.channels.size(); }
bool RungTried(const Notification& n) {
  return Any(n, [&](const Attempt& a) { return a.channel == n.channel(); });
}
// A message of this rung is in the air. Not always the last attempt: one that was rejected may turn out to have
// arrived.
bool RungHolds(const Notification& n) {
  return Any(n, [&](const Attempt& a) { return a.channel == n.channel() && InTheAir(a); });
}

// Whether the ladder goes on after an attempt that ended badly.
bool Wanted(const Notification& n, const LadderPolicy& policy) {
  if (n.state == N::kRead || n.state == N::kSuppressed || n.state == N::kExpired) return false;
  return policy.escalate_after > Millis(0) || !Any(n, InTheAir);
}

void ScheduleEscalation(Notification& n, Instant now, const LadderPolicy& policy) {
  n.next.reset();
  if (n.OpenAttempt() != nullptr || !Wanted(n, policy)) return;
  if (MoreRungs(n) || !RungTried(n)) n.next = now + policy.escalate_after;
}

// The present rung is over: on to the next one, or failed when it was the last and nothing is in the air.
void GoOn(Notification& n, Instant now, const LadderPolicy& policy, const std::string& reason) {
  if (n.OpenAttempt() != nullptr) return;
  if (RungHolds(n)) return;  // its own end goes on
  n.next.reset();
  if (!Wanted(n, policy)) return;
  if (RungTried(n)) {
    if (OpenOrParked(n.attempts.back())) {
      if (!Any(n, InTheAir)) Move(n, N::kUnknown);  // a person decides about what is left
      return;
    }
    if (!MoreRungs(n)) {
      if (Any(n, InTheAir)) return;
      if (Any(n, OpenOrParked)) {
        Move(n, N::kUnknown);
      } else if (Move(n, N::kFailed)) {
        n.reason = reason;
      }
      return;
    }
    ++n.rung;
    n.failed_on_rung = 0;
  }
  n.next = now;
  Move(n, N::kSending);
}

std::string ReasonOf(const Attempt& a) {
  std::string reason(ChannelName(a.channel));
  reason += ": ";
  reason += a.state == A::kUndelivered ? "undelivered" : VerdictName(a.verdict);
  if (!a.code.empty()) reason += " " + a.code;
  return reason;
}

void Record(Attempt& a, const SendResult& result, Instant now) {
  a.verdict = result.verdict;
  a.code = result.code;
  if (!result.provider_id.empty()) a.provider_id = result.provider_id;
  a.settled_at = now;
}

std::optional<Instant> NextTry(Notification& n, std::optional<Millis> hint, Instant now, const LadderPolicy& policy) {
  ++n.failed_on_rung;
  return policy.next_try ? policy.next_try(n.failed_on_rung, hint, now) : std::nullopt;
}

void ParkAttempt(Notification& n, Attempt& a, Instant now) {
  a.state = A::kParked;
  a.settled_at = now;
  n.next.reset();
  if (!Any(n, InTheAir)) Move(n, N::kUnknown);
}

void Accept(Notification& n, Attempt& a, Instant now, const LadderPolicy& policy) {
  a.state = A::kAccepted;
  Move(n, N::kAccepted);
  ScheduleEscalation(n, now, policy);
}

// `again`: the provider may take the same message later on the same rung.
void Reject(Notification& n, Attempt& a, bool again, std::optional<Millis> hint, Instant now,
            const LadderPolicy& policy) {
  a.state = A::kRejected;
  if (n.state == N::kUnknown) Move(n, N::kSending);
  if (RungHolds(n)) {
    ScheduleEscalation(n, now, policy);
    return;
  }
  if (again && Wanted(n, policy)) {
    if (const std::optional<Instant> at = NextTry(n, hint, now, policy)) {
      n.next = at;
      return;
    }
  }
  GoOn(n, now, policy, ReasonOf(a));
}

}  // namespace

Attempt* Notification::FindAttempt(std::string_view attempt_id) {
  const auto found =
      std::find_if(attempts.begin(), attempts.end(), [&](const Attempt& a) { return a.id == attempt_id; });
  return found == attempts.end() ? nullptr : &*found;
}

Attempt* Notification::OpenAttempt() {
  const auto found = std::find_if(attempts.begin(), attempts.end(), [](const Attempt& a) {
    return a.state == AttemptState::kClaimed || a.state == AttemptState::kUnknown;
  });
  return found == attempts.end() ? nullptr : &*found;
}

bool Notification::Final() const {
  if (next || Any(*this, [](const Attempt& a) { return a.state == A::kClaimed || a.state == A::kUnknown; })) {
    return false;
  }
  switch (state) {
    case N::kPlanned:
    case N::kSending:
      return false;
    case N::kAccepted:
      // An undelivered report would still go to the next rung.
      return !(MoreRungs(*this) && Any(*this, InTheAir));
    default:
      return true;
  }
}

bool PrepareClaim(Notification& n) {
  if (n.channels.empty() || n.OpenAttempt() != nullptr) return false;
  if (n.state != N::kPlanned && n.state != N::kSending && n.state != N::kAccepted && n.state != N::kDelivered) {
    return false;
  }
  if (Any(n, [&](const Attempt& a) { return a.channel == n.channel() && a.state == A::kParked; })) return false;
  if (!RungHolds(n)) return true;  // not tried, or ended badly and the policy chose this rung again
  if (!MoreRungs(n)) return false;
  ++n.rung;
  n.failed_on_rung = 0;
  return true;
}

Attempt& Claim(Notification& n, const std::string& connector, const IdempotencyKey& key, const std::string& claimed_by,
               Instant now, Instant real_now) {
  Attempt a;
  a.id = n.id + "-" + std::to_string(n.attempts.size() + 1);
  a.channel = n.channel();
  a.connector = connector;
  a.key = key;
  a.claimed_by = claimed_by;
  a.claimed_at = now;
  a.claimed_real = real_now;
  a.settled_at = now;
  n.attempts.push_back(std::move(a));
  n.next.reset();
  Move(n, N::kSending);
  return n.attempts.back();
}

bool Settle(Notification& n, std::string_view attempt_id, const SendResult& result, Instant now,
            const LadderPolicy& policy) {
  Attempt* a = n.FindAttempt(attempt_id);
  if (a == nullptr || !OpenOrParked(*a)) return false;
  const bool first_answer = a->state == A::kClaimed;
  switch (result.verdict) {
    case Verdict::kAccepted:
      Record(*a, result, now);
      Accept(n, *a, now, policy);
      return true;
    case Verdict::kDropContact:
    case Verdict::kFixMessage:
      Record(*a, result, now);
      Reject(n, *a, false, std::nullopt, now, policy);
      return true;
    case Verdict::kRetryLater:
    case Verdict::kThrottled:
    case Verdict::kNotSent:
    case Verdict::kStopChannel:
      if (first_answer) {
        Record(*a, result, now);
        Reject(n, *a, result.verdict != Verdict::kStopChannel, result.retry_after, now, policy);
        return true;
      }
      break;
    case Verdict::kUnknown:
      if (first_answer) {
        Record(*a, result, now);
        a->state = A::kUnknown;
        Move(n, N::kSending);
        n.next = now;
        return true;
      }
      break;
  }
  // A second try told nothing about the first.
  if (a->state == A::kParked) return false;
  a->code = result.code;
  a->settled_at = now;
  if (const std::optional<Instant> at = NextTry(n, result.retry_after, now, policy)) {
    n.next = at;
  } else {
    ParkAttempt(n, *a, now);
  }
  return true;
}

bool SettleAbsent(Notification& n, std::string_view attempt_id, Instant now, const LadderPolicy& policy) {
  Attempt* a = n.FindAttempt(attempt_id);
  if (a == nullptr || !OpenOrParked(*a)) return false;
  a->verdict = Verdict::kNotSent;
  a->code = "absent";
  a->settled_at = now;
  Reject(n, *a, true, std::nullopt, now, policy);
  return true;
}

bool Apply(Notification& n, const Receipt& receipt, Instant now, const LadderPolicy& policy) {
  Attempt* a = receipt.attempt_id.empty() ? nullptr : n.FindAttempt(receipt.attempt_id);
  if (a == nullptr && receipt.attempt_id.empty() && !receipt.provider_id.empty()) {
    const auto found = std::find_if(n.attempts.rbegin(), n.attempts.rend(),
                                    [&](const Attempt& at) { return at.provider_id == receipt.provider_id; });
    if (found != n.attempts.rend()) a = &*found;
  }
  if (a == nullptr) return false;
  const A to = receipt.state == ReceiptState::kRead        ? A::kRead
               : receipt.state == ReceiptState::kDelivered ? A::kDelivered
                                                           : A::kUndelivered;
  if (!MayBecome(*a, to)) return false;
  const A from = a->state;
  a->state = to;
  a->settled_at = now;
  a->code = receipt.code;
  if (a->provider_id.empty()) a->provider_id = receipt.provider_id;
  switch (to) {
    case A::kRead:
      Move(n, N::kRead);
      n.next.reset();
      break;
    case A::kDelivered:
      Move(n, N::kDelivered);
      // The time to escalate runs from the acceptance.
      if (from != A::kAccepted || !Wanted(n, policy)) ScheduleEscalation(n, now, policy);
      break;
    default:
      if ((a == &n.attempts.back() && RungTried(n)) || !n.next) GoOn(n, now, policy, ReasonOf(*a));
      break;
  }
  return true;
}

void Park(Notification& n, std::string_view attempt_id, Instant now) {
  Attempt* a = n.FindAttempt(attempt_id);
  if (a != nullptr && MayBecome(*a, A::kParked)) ParkAttempt(n, *a, now);
}

bool End(Notification& n, NotificationState to, const std::string& reason) {
  if (n.OpenAttempt() != nullptr || (to != N::kSuppressed && to != N::kExpired)) return false;
  n.next.reset();
  n.reason = reason;
  if (!Any(n, InTheAir) && !Any(n, OpenOrParked)) Move(n, to);
  return true;
}

}  // namespace zhitui::delivery
