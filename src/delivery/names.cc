#include "delivery/delivery.h"

namespace zhitui::delivery {

const char* VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kAccepted:
      return "accepted";
    case Verdict::kRetryLater:
      return "retry_later";
    case Verdict::kThrottled:
      return "throttled";
    case Verdict::kDropContact:
      return "drop_contact";
    case Verdict::kStopChannel:
      return "stop_channel";
    case Verdict::kFixMessage:
      return "fix_message";
    case Verdict::kNotSent:
      return "not_sent";
    case Verdict::kUnknown:
      return "unknown";
  }
  return "unknown";
}

const char* SignalName(SignalKind kind) {
  switch (kind) {
    case SignalKind::kReply:
      return "reply";
    case SignalKind::kGrant:
      return "grant";
    case SignalKind::kRefusal:
      return "refusal";
    case SignalKind::kGone:
      return "gone";
    case SignalKind::kBack:
      return "back";
  }
  return "reply";
}

const char* NotificationStateName(NotificationState state) {
  switch (state) {
    case NotificationState::kPlanned:
      return "planned";
    case NotificationState::kSending:
      return "sending";
    case NotificationState::kAccepted:
      return "accepted";
    case NotificationState::kDelivered:
      return "delivered";
    case NotificationState::kRead:
      return "read";
    case NotificationState::kFailed:
      return "failed";
    case NotificationState::kSuppressed:
      return "suppressed";
    case NotificationState::kExpired:
      return "expired";
    case NotificationState::kUnknown:
      return "unknown";
  }
  return "unknown";
}

const char* AttemptStateName(AttemptState state) {
  switch (state) {
    case AttemptState::kClaimed:
      return "claimed";
    case AttemptState::kAccepted:
      return "accepted";
    case AttemptState::kDelivered:
      return "delivered";
    case AttemptState::kRead:
      return "read";
    case AttemptState::kUndelivered:
      return "undelivered";
    case AttemptState::kRejected:
      return "rejected";
    case AttemptState::kUnknown:
      return "unknown";
    case AttemptState::kParked:
      return "parked";
  }
  return "unknown";
}

}  // namespace zhitui::delivery
