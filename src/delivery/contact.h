#pragma once

// The life of contact points: the phones, openids and device tokens that a person was ever reached at. This file is
// part of delivery's door. Pure.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "delivery/connector.h"

namespace zhitui::delivery {

enum class ContactState : std::uint8_t {
  kUntried = 0,   // nothing is known of it yet
  kVerified = 1,  // a message was delivered or read there, or the person answered from it
  kBounced = 2,   // the last message was not delivered; it is tried again with the next one
  kDead = 3,      // there is no such number, device or follower: never tried again until it comes back
  kReplaced = 4,  // the profile names another one now
};
const char* ContactStateName(ContactState state);  // "untried" …

// Names a contact without telling it: "sms-" and 32 hex digits of a SHA-256. `contact` is without the connector's
// prefix; phones are compared as 11 digits, whatever +86 or 0086 stands before them.
std::string ContactId(Channel channel, std::string_view contact);

struct ContactPoint {
  std::string id;  // ContactId
  Channel channel = Channel::kApp;
  ContactState state = ContactState::kUntried;
  Instant since{};                              // of the state
  std::string connector;                        // that told the state
  std::string code;                             // its provider's code
  std::uint32_t bounces = 0;                    // in a row
  std::map<std::string, std::uint32_t> grants;  // logical template -> messages that may still be sent
  std::vector<std::string> refused;             // logical templates the person wants no more
  std::vector<std::string> seen;                // signals that were counted, oldest first

  // Each gives false when nothing changed. What a dead point says does not revive it; only Return does.
  bool Verify(const std::string& by, Instant now);
  bool Bounce(const std::string& by, const std::string& reason, Instant now);
  bool Kill(const std::string& by, const std::string& reason, Instant now);
  bool Return(const std::string& by, Instant now);
  // One more message of a template may be sent, or none any more. False: this signal was counted already.
  bool Grant(const std::string& tmpl, const std::string& signal);
  bool Refuse(const std::string& tmpl, const std::string& signal);
  bool Refuses(std::string_view tmpl) const;
  // Uses up one grant; false: there is none.
  bool TakeGrant(const std::string& tmpl);
};

// All contact points of one recipient. Stored in the recipient's shard.
struct Reach {
  static constexpr std::size_t kMaxPoints = 32;  // the oldest replaced ones are forgotten

  std::vector<ContactPoint> points;

  ContactPoint* Find(std::string_view id);
  // The person is reached at this point of the channel from now on: adds it, or takes it up again, and the one before
  // is replaced. False when nothing changed.
  bool Use(Channel channel, const std::string& id, Instant now);

  std::string Encode() const;
  static Result<Reach> Decode(std::string_view bytes);  // of "": nobody was reached yet
};

// What a person's text message means. Compared whole, after blanks, punctuation and quotes around it are dropped, full
// width made half and letters upper case.
enum class ReplyMeaning : std::uint8_t {
  kAgree,   // 同意
  kOptOut,  // R, T, TD, N, 退订, 拒收 (providers.md §4)
  kOther,
};
ReplyMeaning ReadReply(std::string_view text);

}  // namespace zhitui::delivery
