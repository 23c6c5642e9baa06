#pragma once

// The Connector door: one provider of a channel, and what is said through it. This file is part of delivery's door.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/base.h"
#include "message/message.h"

namespace zhitui::delivery {

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
  bool contact_dead = false;  // undelivered because this contact point is no more (no such number, token removed)
};

// What a person says, or a provider says of a contact point, outside any attempt.
enum class SignalKind : std::uint8_t {
  kReply = 0,    // a text message from the person
  kGrant = 1,    // may be sent one more message of a template (WeChat subscription)
  kRefusal = 2,  // wants no messages of that template any more
  kGone = 3,     // the contact point is no more: unfollowed, uninstalled, number given up
  kBack = 4,     // it is there again: followed once more
};
const char* SignalName(SignalKind kind);  // "reply" …
inline constexpr std::size_t kMaxReplyBytes = 2000;
struct Signal {
  SignalKind kind = SignalKind::kReply;
  std::string contact;      // phone as 11 digits, openid, device token; never logged
  std::string provider_id;  // of this signal at the provider: the same twice is one. Empty: it has none
  std::string text;         // kReply: what was written, cut at kMaxReplyBytes. kGrant, kRefusal: the logical template
  std::string answered;     // kReply: the signature or number the person answered to, when the provider tells
  Instant at{};             // when the provider says it happened
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
  std::vector<Signal> signals;
};

// Takes what arrives on a connector's own long connections. Durable when it returns; after an error the connector does
// not acknowledge, so that the provider sends it again. May be called from any thread.
using Intake = std::function<Status(const std::string& connector, const std::vector<Receipt>& receipts,
                                    const std::vector<Signal>& signals)>;

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
  // Where its messages are looked up by the provider's id. Connectors of one account with one call-back address for all
  // its messages give the same, so that a receipt is found whichever of them it reaches.
  virtual const std::string& receipt_scope() const { return name(); }
  // Checks the content against the provider's field rules before anything is stored. kInvalid: fix the message.
  virtual Status Check(const message::Content& content) const = 0;
  // What sending this content costs, in millionths of a yuan; 0: nothing, or nobody has told the price.
  virtual std::int64_t CostMicros(const message::Content& content) const;
  // True when a message of this content may be sent only against a grant of the person (WeChat subscription messages
  // that are not long-term); the caller keeps the grants and takes one for each send.
  virtual bool needs_grant() const { return false; }

  // Long connections are opened now, and what arrives on them goes to `intake`. Once, before the first send.
  virtual void Start(Intake intake);
  // Takes no more sends: those that have not left yet end as kNotSent with code "shutdown", what is on the wire ends as
  // usual. `intake` is not called after it returns. Sends after it: kNotSent.
  virtual void Close() {}

  // The key an attempt will be sent with; stored before Send. May ask the provider (JPush cid).
  virtual Result<IdempotencyKey> NewKey(const std::string& attempt_id) = 0;
  // Returns within request.timeout.
  virtual SendResult Send(const SendRequest& request) = 0;
  // True: the dispatcher uses Begin and keeps no thread for a send.
  virtual bool asynchronous() const { return false; }
  // Begins a send and returns at once. `done` is called exactly once, from any thread, perhaps before Begin returns, at
  // the latest a second after request.timeout (which counts from here, waiting for a free place in a window included).
  virtual void Begin(const SendRequest& request, std::function<void(SendResult)> done);
  virtual QueryResult Query(const SendRequest& request) = 0;
  virtual CallbackReply ParseCallback(const CallbackRequest& request) = 0;
};

// Send for a connector whose own way is Begin.
SendResult SendByBegin(Connector& connector, const SendRequest& request);

}  // namespace zhitui::delivery
