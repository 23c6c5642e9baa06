#pragma once

// delivery: the Connector door, the ledger record of a notification with its guarded transitions, the dispatcher that
// runs sends on worker threads, and what every connector needs to call a provider over HTTP without sending twice
// (http.h). Knows no store: pipeline joins ledger and store.
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
#include "delivery/http.h"
#include "delivery/http_link.h"
#include "message/message.h"

namespace zhitui::delivery {

// ---- Connector
// -------------------------------------------------------------------------------------------------------

// What to do after a provider's answer; each connector's code table maps provider codes to one of these.
enum class Verdict : std::uint8_t {
  kAccepted = 0,
  kRetryLater = 1,   // the provider failed; this attempt was not taken
  kThrottled = 2,    // too fast, for this number or for us; not taken
  kDropContact = 3,  // this contact point is dead: next channel
  kStopChannel = 4,  // account, quota, credentials: stop, alarm; not taken
  kFixMessage = 5,   // template or data is wrong: no retry, next channel
  kNotSent = 6,      // no connection was made
  kUnknown = 7,      // may or may not have been taken
};
const char* VerdictName(Verdict verdict);  // "accepted", "retry_later" …

enum class UnknownPolicy : std::uint8_t {
  kResend,  // the provider honours the idempotency key: send again with the same key
  kQuery,   // ask the provider
  kPark,    // a person decides
};

struct IdempotencyKey {
  std::string key;    // WeChat client_msg_id, JPush cid; the attempt id for providers without one
  Instant expires{};  // real time; after it a resend could be a second message
};

struct SendRequest {
  std::string attempt_id;
  std::string notification_id;
  std::string contact;  // phone, openid, device id; never logged
  message::Content content;
  IdempotencyKey key;
  Millis timeout{5000};
};

struct SendResult {
  Verdict verdict = Verdict::kUnknown;
  std::string provider_id;            // message id at the provider, when accepted
  std::string code;                   // the provider's own code ("OK", "40003", "isv.…")
  std::string detail;                 // its request id or text, without personal data
  std::optional<Millis> retry_after;  // what the provider asked for
};

enum class Found : std::uint8_t { kYes, kNo, kNotYet };  // kNo: the provider is sure; kNotYet: ask again later
struct QueryResult {
  Found found = Found::kNotYet;
  SendResult result;  // kYes
};

enum class ReceiptState : std::uint8_t { kDelivered, kUndelivered, kRead };
struct Receipt {
  std::string attempt_id;   // when the provider echoes it
  std::string provider_id;  // otherwise
  ReceiptState state = ReceiptState::kDelivered;
  std::string code;
  Instant at{};
};
struct CallbackRequest {
  std::string method;
  std::multimap<std::string, std::string> query;
  std::multimap<std::string, std::string> headers;
  std::string body;
};
struct CallbackReply {
  int status = 200;
  std::string content_type = "text/plain";
  std::string body;
  std::vector<Receipt> receipts;  // empty when the request was refused (status 401, 400)
};

// One provider of a channel. Thread-safe.
class Connector {
 public:
  virtual ~Connector() = default;
  virtual const std::string& name() const = 0;  // "jpush"
  virtual Channel channel() const = 0;
  virtual UnknownPolicy unknown_policy() const = 0;
  // For kQuery: how long after an unknown outcome a "not found" becomes proof.
  virtual Millis settle_time() const { return Millis(0); }
  // True when the provider calls back after an accepted message.
  virtual bool sends_receipts() const = 0;
  // False when its receipts carry only the provider's message id, so that an index from it to the notification is
  // needed.
  virtual bool receipts_name_attempt() const { return true; }
  // Checks the content against the provider's field rules before anything is stored. kInvalid: fix the message.
  virtual Status Check(const message::Content& content) const = 0;
  // The key an attempt will be sent with; stored before Send. May ask the provider (JPush cid).
  virtual Result<IdempotencyKey> NewKey(const std::string& attempt_id) = 0;
  virtual SendResult Send(const SendRequest& request) = 0;
  virtual QueryResult Query(const SendRequest& request) = 0;
  virtual CallbackReply ParseCallback(const CallbackRequest& request) = 0;
};

// ---- Connector settings
// ----------------------------------------------------------------------------------------------

// One connector's block of the config file, flattened: "templates.benefit_notice" -> value and its place. Secrets are
// already resolved from files or environment.
class Settings {
 public:
  void Set(std::string key, std::string value, Location at);
  const std::string* Find(std::string_view key) const;
  Location At(std::string_view key) const;                                  // of the block when there is no such key
  std::map<std::string, std::string> Table(std::string_view prefix) const;  // "templates" -> {benefit_notice: …}
  std::vector<std::string> Keys() const;
  void SetPlace(Location block) { block_ = std::move(block); }

  // The value of `key` or its default; missing without default, out of range or unparsable: a diagnostic.
  std::string String(std::string_view key, std::optional<std::string> fallback, Diagnostics* diagnostics) const;
  std::int64_t Int(std::string_view key, std::int64_t fallback, std::int64_t min, std::int64_t max,
                   Diagnostics* diagnostics) const;
  bool Bool(std::string_view key, bool fallback, Diagnostics* diagnostics) const;

 private:
  struct Entry {
    std::string value;
    Location at;
  };
  std::map<std::string, Entry, std::less<>> entries_;
  Location block_;
};

// A setting a connector understands; the config reference is generated from these and unknown keys are refused by them.
struct SettingDoc {
  std::string key;       // "templates.*" for a table
  std::string fallback;  // shown as default; empty: required (or an empty table)
  bool required = false;
  bool secret = false;
  Text summary;
};

// A diagnostic for every key of `settings` that `known` does not name, with the nearest key as the hint.
void RefuseUnknownKeys(const Settings& settings, const std::vector<SettingDoc>& known, Diagnostics* diagnostics);
// The base_url of `settings` (or `fallback`); a diagnostic when it is not http(s)://host[:port][/path].
std::string BaseUrlSetting(const Settings& settings, std::string_view fallback, Diagnostics* diagnostics);
// A path to a readable file, or empty when the key is not set; a diagnostic otherwise.
std::string FileSetting(const Settings& settings, std::string_view key, Diagnostics* diagnostics);

// ---- What connectors share
// -------------------------------------------------------------------------------------------

// Takes the same time for every pair of the same length, so that a forged signature cannot be guessed byte by byte.
bool ConstantTimeEqual(std::string_view a, std::string_view b);

// Lets an alarm of one provider code through once a minute: a stopped account fails every send, and one line says it.
// Thread-safe.
class AlarmGate {
 public:
  AlarmGate();
  ~AlarmGate();
  bool Open(const std::string& code);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

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

// Runs sends on `threads` worker threads per connector, so that a slow provider holds up only itself. Completions are
// handed out by Collect on the owner's thread. Submit never blocks: it refuses when a connector has `queue` jobs that
// were submitted and not collected, so no queue grows without bound. A connector that throws gives kUnknown.
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
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;
  // Takes no more jobs. Those that have not begun come back through Collect as kNotSent (queries as kNotYet) with code
  // "shutdown"; collect until in_flight() is 0.
  void Close();
  Connector* For(Channel channel) const;  // nullptr: no connector for it
  std::shared_ptr<Connector> Named(std::string_view name) const;
  std::size_t Room(const std::string& connector) const;  // jobs it would take now
  bool Submit(const std::string& connector, Job job);
  std::size_t in_flight() const;              // submitted and not collected
  std::vector<Done> Collect(Millis timeout);  // waits for the first

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace zhitui::delivery
