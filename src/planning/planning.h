#pragma once

// planning: who hears a decision, on which channels, when. Pure: time is an argument.
//
// Promises
// - A plan is either a ladder of at least one reachable channel and a due instant outside quiet hours, or a suppression
//   with a reason. Nothing is dropped without one.
// - The same inputs give the same plan.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "decide/decide.h"
#include "facts/facts.h"
#include "message/message.h"

namespace zhitui::planning {

// What a profile says about reaching a person (facts contacts.*, preferences.*, consent.*).
struct Recipient {
  bool known = false;  // there is a profile
  bool dead = false;
  std::array<std::string, 3> contacts;  // by Channel; empty: none
  std::vector<Channel> preferred;       // in order
  std::vector<Channel> refused_channels;
  std::vector<std::string> refused_topics;
  std::vector<std::string> refused_signatures;  // of text messages
  bool consents = true;  // consent.messages is not false (statutory notices need no consent: PIPL art. 13)
  std::string locale = "zh";
};
Recipient ReadRecipient(const facts::Profile* profile);  // nullptr: unknown person

struct Policy {
  Millis quiet_from{21 * 3600 * 1000};  // time of day, Asia/Shanghai
  Millis quiet_until{8 * 3600 * 1000};  // equal to quiet_from: no quiet hours
  std::vector<Millis> retry_after = {Millis(30'000), Millis(300'000), Millis(1'800'000), Millis(7'200'000)};
  Millis expires_after{7LL * 24 * 3600 * 1000};  // not sent by then: expired
  std::string sms_signature;                     // of our text messages; empty: they have none
};

struct Plan {
  std::vector<Channel> channels;  // the ladder; empty: suppressed
  Instant due{};
  Instant expires{};
  std::string suppressed;  // "", "recipient_unknown", "recipient_dead", "no_consent", "topic_refused",
                           // "unreachable", "no_template"
};
// The rule's channels limited to what the person can be reached on, has not refused and the template offers; the
// person's preferences first, in their order, then the rule's order.
Plan MakePlan(const decide::Decision& decision, const Recipient& recipient, const message::Template* tmpl, Instant now,
              const Policy& policy);

// The same checks once more just before sending; "" or the reason.
std::string Recheck(const decide::Decision& decision, const Recipient& recipient, Channel channel,
                    const Policy& policy);

// `at`, or the end of the quiet hours it falls into.
Instant OutsideQuietHours(Instant at, const Policy& policy);
// When to try again after the n-th failed attempt (from 1) on a channel; nullopt: the ladder is used up. `hint`: what
// the provider asked for; the later of both. Quiet hours apply.
std::optional<Instant> NextTry(std::uint32_t failed_attempts, std::optional<Millis> hint, Instant now,
                               const Policy& policy);

}  // namespace zhitui::planning
