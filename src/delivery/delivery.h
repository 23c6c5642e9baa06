#pragma once

// delivery: the Connector door, the ledger record of a notification with its guarded transitions, the dispatcher that
// runs sends on worker threads, and what every connector needs to call a provider over HTTP without sending twice
// (http.h). Knows no store: pipeline joins ledger and store.
//
// The door is this file and those it includes: breaker.h, connector.h, contact.h, settings.h, secret.h, token_cache.h,
// http.h, http_link.h.
//
// Promises
// - The ledger moves forward, never back: notification (planned -> sending -> accepted -> delivered -> read; failed,
//   suppressed, expired), attempt (claimed -> accepted | rejected | unknown -> delivered | undelivered …).
// - A provider sees each attempt id once, except when its policy is `resend`: then with the same idempotency key,
// within
//   the key's real-time expiry.
// - Send returns within the request's time-out; what it cannot know is kUnknown, never a guess. Connection refused or a
//   failed name look-up is kNotSent.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/base.h"
#include "delivery/breaker.h"
#include "delivery/connector.h"
#include "delivery/contact.h"
#include "delivery/http.h"
#include "delivery/http_link.h"
#include "delivery/secret.h"
#include "delivery/settings.h"
#include "delivery/token_cache.h"
#include "message/message.h"

namespace zhitui::delivery {

// ---- Ledger
// ----------------------------------------------------------------------------------------------------------

enum class NotificationState : std::uint8_t {
  kPlanned = 0,
  kSending = 1,
  kAccepted = 2,
  kDelivered = 3,
  kRead = 4,
  kFailed = 5,
  kSuppressed = 6,
  kExpired = 7,
  kUnknown = 8,  // parked: a person decides
};
const char* NotificationStateName(NotificationState state);

enum class AttemptState : std::uint8_t {
  kClaimed = 0,
  kAccepted = 1,
  kDelivered = 2,
  kRead = 3,
  kUndelivered = 4,
  kRejected = 5,
  kUnknown = 6,
  kParked = 7,
};
const char* AttemptStateName(AttemptState state);

struct Attempt {
  std::string id;  // "<notification id>-<n>"
  Channel channel = Channel::kApp;
  std::string connector;
  AttemptState state = AttemptState::kClaimed;
  IdempotencyKey key;
  std::string claimed_by;  // "<instance>/<epoch>" of the process that claimed it
  Instant claimed_at{};    // product time
  Instant claimed_real{};  // real time
  Instant settled_at{};    // product time of the last change
  Verdict verdict = Verdict::kUnknown;
  std::string provider_id;
  std::string code;
  std::string content_hash;  // of what was sent
  std::string contact;       // ContactId of where it was sent; "" in records of before
};

// One notification: a decision for one recipient. Stored in the recipient's shard under its notification id.
struct Notification {
  std::string id;
  std::string decision;   // the decision's JSON, all that is needed to render and re-check
  std::string kind;       // of the recipient
  std::string recipient;  // subject id of the recipient
  NotificationState state = NotificationState::kPlanned;
  std::string reason;             // of a suppression, failure or expiry
  std::vector<Channel> channels;  // the ladder
  std::uint32_t rung = 0;         // the channel being tried
  std::uint32_t failed_on_rung = 0;
  Instant planned_at{};
  Instant expires{};
  std::optional<Instant> next;  // when the sender must look again; nullopt: nothing to do
  std::vector<Attempt> attempts;

  std::string Encode() const;
  static Result<Notification> Decode(std::string_view bytes);

  // The channel being tried; kApp when the ladder is empty (a notification that was suppressed when it was planned).
  Channel channel() const {
    return channels.empty() ? Channel::kApp : channels[rung < channels.size() ? rung : channels.size() - 1];
  }
  Attempt* FindAttempt(std::string_view id);
  Attempt* OpenAttempt();  // claimed or unknown; nullptr: none
  bool Final() const;      // nothing will be sent any more without a person
};

// Call before choosing the connector of a new attempt. Moves to the next rung when the present one already holds a
// message in the air (an escalation), so that nobody is told twice on one channel. False: nothing may be sent (an
// attempt is open, the ladder is used up, or the state is final).
bool PrepareClaim(Notification& n);

// Intent: adds the next attempt on the current rung as claimed and returns it. Precondition: PrepareClaim was true.
Attempt& Claim(Notification& n, const std::string& connector, const IdempotencyKey& key, const std::string& claimed_by,
               Instant now, Instant real_now);

struct LadderPolicy {
  // When to try the rung again after its n-th failed attempt (from 1); nullopt: go to the next rung.
  std::function<std::optional<Instant>(std::uint32_t failed, std::optional<Millis> hint, Instant now)> next_try;
  Millis escalate_after{0};  // unread for so long: next rung; zero: a message in the air ends the ladder
};
// Records the outcome of the open attempt and decides what comes next (n.state, n.rung, n.next). A result for an
// attempt that has settled already changes nothing and gives false. An attempt that is unknown already is settled only
// by kAccepted, kDropContact or kFixMessage: that a second try was throttled or could not connect says nothing about
// the first. Other verdicts put off the next try by policy.next_try and park the attempt when the policy gives up.
bool Settle(Notification& n, std::string_view attempt_id, const SendResult& result, Instant now,
            const LadderPolicy& policy);
// The provider is sure that it never took the attempt (Found::kNo past the settle time), or a person says so: it counts
// as not sent. For an attempt that is claimed, unknown or parked; false otherwise.
bool SettleAbsent(Notification& n, std::string_view attempt_id, Instant now, const LadderPolicy& policy);
// Applies a receipt; never back; duplicates, late and unknown ones give false. An undelivered report moves to the next
// rung.
bool Apply(Notification& n, const Receipt& receipt, Instant now, const LadderPolicy& policy);
// An attempt found claimed after its claimer is gone, or left unknown, cannot be resolved: park it.
void Park(Notification& n, std::string_view attempt_id, Instant now);
// Ends the ladder: `to` is kSuppressed or kExpired. A notification with a message in the air or a parked attempt keeps
// its state and is not tried further. False when an attempt is open: resolve or park it first.
bool End(Notification& n, NotificationState to, const std::string& reason);

// ---- Dispatcher
// ------------------------------------------------------------------------------------------------------

// Runs sends on `threads` worker threads per connector, or by Begin for one that is asynchronous, so that a slow
// provider holds up only itself. Completions are handed out by Collect on the owner's thread. Submit never blocks: it
// refuses when a connector has `queue` jobs that were submitted and not collected, so no queue grows without bound. A
// connector that throws gives kUnknown.
//
// A provider that does not answer is left alone for a while (breaker.h): Room is 0 then. Submit takes all the same what
// was claimed before.
//
// Routes: a channel may have several connectors. A contact "apns:TOKEN" belongs to the connector of that name; one
// without such a prefix (at most 20 of a-z, 0-9 and _) to the first of its channel.
class Dispatcher {
 public:
  struct Job {
    SendRequest request;
    bool query = false;  // ask instead of send
  };
  struct Done {
    SendRequest request;
    bool query = false;
    SendResult result;
    Found found = Found::kYes;
  };
  Dispatcher(std::vector<std::shared_ptr<Connector>> connectors, std::size_t threads, std::size_t queue);
  ~Dispatcher();  // Close, then waits for the sends that have begun
  // Starts every connector; before the first Submit.
  void Start(const Intake& intake);
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;
  // Takes no more jobs. Those that have not begun come back through Collect as kNotSent (queries as kNotYet) with code
  // "shutdown"; collect until in_flight() is 0. Closes the connectors.
  void Close();
  struct Route {
    Connector* connector = nullptr;  // nullptr: nobody can reach this contact
    std::string contact;             // without the prefix
  };
  Route RouteFor(Channel channel, std::string_view contact) const;
  std::shared_ptr<Connector> Named(std::string_view name) const;
  std::size_t Room(const std::string& connector) const;  // jobs it would take now
  // The connectors by name, and whether each is left alone at present.
  std::vector<std::pair<std::string, bool>> Silent() const;
  bool Submit(const std::string& connector, Job job);
  std::size_t in_flight() const;              // submitted and not collected
  std::vector<Done> Collect(Millis timeout);  // waits for the first

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace zhitui::delivery
