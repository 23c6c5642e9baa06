#pragma once

// decide: (profile, rule state, ruleset, now) -> new state, decisions, next due. Pure and deterministic: the same
// inputs give the same bytes on any machine. Knows no clock, store or stream.
//
// What *now* is: for an event max(its recorded time, the subject's stored now); for a due its own instant. The day of a
// rule is the civil day of now in Asia/Shanghai. Before an event is merged, everything that fell due for the subject at
// or before the event's now has fired, in time order (Advance).

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "engine/engine.h"
#include "facts/facts.h"
#include "rules/rules.h"
#include "value/value.h"

namespace zhitui::decide {

// What a person hears about. Numbers are part of stored records.
enum class Transition : std::uint8_t {
  kUpcoming = 0,
  kEligible = 1,
  kAmountChanged = 2,
  kCeased = 3,
  kReminder = 4,
  kCorrection = 5,  // a late event, or a value entered after the fact, changed what had been true of earlier days
};
const char* TransitionName(Transition transition);
std::optional<Transition> ParseTransition(std::string_view name);

// The stored answer of one rule for one subject.
enum class Standing : std::uint8_t { kIneligible = 0, kEligible = 1, kUnknown = 2, kUnknownWasEligible = 3 };

struct RuleState {
  std::string rule;
  Standing standing = Standing::kIneligible;
  std::optional<value::Decimal> amount;
  Date since{};                       // day of the last change of standing
  Date occurrence{};                  // of the last decision
  std::uint32_t flips = 0;            // decisions with that occurrence so far
  std::optional<Date> upcoming;       // the next day of eligibility, as far as known
  std::optional<Date> until;          // the day it ends, as far as known
  std::optional<Date> told_upcoming;  // the day last announced
  std::optional<Date> told_reminder;  // the end last reminded of
  std::optional<Date> due;            // the next day this rule must be looked at with no new facts
  std::optional<Date> corrected;      // the last day of a value entered after the fact that is taken account of
};

struct SubjectState {
  std::string ruleset;           // hash of the ruleset that gave these states
  Instant now{};                 // never goes back
  std::vector<RuleState> rules;  // sorted by rule id; rules at their default (ineligible, nothing due) are left out
  bool dead = false;

  std::string Encode() const;
  static Result<SubjectState> Decode(std::string_view bytes);
  std::optional<Date> NextDue() const;  // the earliest due day of its rules
};

// The short form of a ruleset's hash that is kept with every subject.
std::string RulesetTag(const rules::RuleSet& ruleset);

struct CriterionResult {
  std::string id;
  std::string truth;  // "true", "false", "unknown"
  Text label;
  std::string law;  // citation title
};

// A transition worth telling, with everything a message, a subscriber or an auditor needs.
// Somebody who is told: a subject, of the decision's kind or another.
struct Recipient {
  std::string id;
  std::string kind;
  bool operator==(const Recipient&) const = default;
};

struct Decision {
  std::string id;  // §ids below
  std::string kind;
  std::string subject;
  std::string rule;
  std::string topic;
  Text title;
  std::string owner;
  Transition transition = Transition::kEligible;
  Transition told_as = Transition::kEligible;  // what a correction corrects to; otherwise equal to transition
  std::int32_t notify = -1;  // index of the rule's notify entry; -1: for subscribers only, nobody is told
  Date occurrence{};         // the legal day: of the flip, of the coming eligibility, of the coming end
  Instant at{};              // now
  std::optional<value::Decimal> amount;
  std::string unit;
  std::optional<Date> from;  // of a correction: the first day it concerns
  std::optional<Date>
      until;            // the day eligibility ends, if known; of a correction of days now over: the day after them
  std::string reason;   // "", "repealed", "dead"
  std::string message;  // template name; empty when notify < 0
  std::vector<Channel> channels;
  Millis escalate_after{0};
  std::vector<Recipient> recipients;  // who is told
  std::vector<CriterionResult> criteria;
  std::string apply_url;
  Text deadline;
  std::vector<Text> materials;  // still to be brought
  std::string ruleset;          // hash

  std::string ToJson() const;  // the `data` of the CloudEvent
  static Result<Decision> FromJson(std::string_view json);
};
// A correction by an entered value has as occurrence the day it was entered (or first noticed, when the rule came
// later); with an `until` not after its occurrence it concerns days that are over and leaves the standing as it is. id
// = StableId(kind, subject, rule, notify entry, transition, occurrence, amount, n-th flip of that occurrence).

// The notification of a decision for one recipient: 28 hex digits of a StableId over decision and recipient, then the
// recipient's shard as 4 hex digits, so that a receipt finds its record without an index.
std::string NotificationId(std::string_view decision_id, std::string_view recipient);
std::optional<Shard> ShardOfNotification(std::string_view notification_id);  // nullopt: not such an id

struct Outcome {
  std::vector<Decision> decisions;  // in order
  std::uint32_t evaluations = 0;
};

// Fires everything due at or before `upto`, each at its own instant, in order. state.now ends at the last one fired.
Outcome Advance(const facts::Profile& profile, SubjectState& state, const rules::RuleSet& ruleset,
                std::string_view subject, Instant upto, value::Arena& arena);

struct Change {
  Instant now{};                         // see above; state.now becomes this
  Instant event_time{};                  // when it happened; before the day of `now`: late
  std::span<const std::uint32_t> slots;  // facts that changed
  bool baseline = false;                 // set states, decide nothing
};
// The kind's engine, to pass over rules that cannot hold before other facts change; the outcome is the same without it.
struct Shortcut {
  const engine::Engine& engine;  // of the same ruleset
  engine::Scratch& scratch;
};
// Reacts to facts that changed (the profile already holds them): evaluates the rules they touch, and all rules when the
// ruleset is another one than the state's, or the subject died or came back.
Outcome React(const facts::Profile& profile, SubjectState& state, const rules::RuleSet& ruleset,
              std::string_view subject, const Change& change, value::Arena& arena,
              std::optional<Shortcut> shortcut = std::nullopt);

// True when the decision still holds: the rule's standing is what the decision told (for upcoming: still to come or
// already eligible), the subject is alive. Otherwise a reason: "no_longer_true", "subject_dead", "rule_repealed".
std::string StillTrue(const Decision& decision, const SubjectState& state);

}  // namespace zhitui::decide
