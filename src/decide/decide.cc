#include "decide/decide.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace zhitui::decide {
namespace {

using rules::Answer;
using rules::Determination;
using rules::Notify;
using rules::NotifyOn;
using rules::Outlook;
using rules::Rule;

constexpr std::array<std::string_view, 6> kTransitionNames = {"upcoming", "eligible", "amount_changed",
                                                              "ceased",   "reminder", "correction"};

// How far ahead an outlook looks: longer than any life, so that a due date is never missed for want of horizon.
constexpr std::chrono::years kHorizon{130};

Date HorizonOf(Date today) {
  const std::chrono::year_month_day last(std::chrono::year(9999), std::chrono::December, std::chrono::day(31));
  const Date far = today + std::chrono::days(kHorizon.count() * 366);
  return std::min(far, Date(std::chrono::local_days(last)));
}

bool SameAmount(const std::optional<value::Decimal>& a, const std::optional<value::Decimal>& b) {
  if (a.has_value() != b.has_value()) return false;
  return !a || value::Decimal::Compare(*a, *b) == 0;
}

NotifyOn NotifyFor(Transition transition) {
  switch (transition) {
    case Transition::kUpcoming:
      return NotifyOn::kUpcoming;
    case Transition::kEligible:
      return NotifyOn::kEligible;
    case Transition::kAmountChanged:
      return NotifyOn::kAmountChanged;
    case Transition::kCeased:
      return NotifyOn::kCeased;
    case Transition::kReminder:
      return NotifyOn::kReminder;
    case Transition::kCorrection:
      return NotifyOn::kCorrection;
  }
  return NotifyOn::kEligible;
}

std::optional<Date> Ahead(Date day, value::Period ahead) {
  return value::AddPeriod(day, value::Period{-ahead.months, -ahead.days});
}

// One pass over the rules of a subject at one instant.
class Pass {
 public:
  Pass(const facts::Profile& profile, SubjectState& state, const rules::RuleSet& ruleset, std::string_view subject,
       Instant now, value::Arena& arena, Outcome& outcome)
      : profile_(profile),
        state_(state),
        ruleset_(ruleset),
        subject_(subject),
        now_(now),
        today_(kShanghai.DateOf(now)),
        arena_(arena),
        outcome_(outcome) {}

  // Nobody is told and no decision is made.
  void Quiet() { quiet_ = true; }
  // The event happened on an earlier day than the subject's history has reached.
  void Late(Date event_day) { event_day_ = event_day; }
  // Which values entered after the fact have not been taken account of yet: those of the day itself, or, under a new
  // ruleset, all that the subject has not seen. By default none: what a changed fact does is no correction.
  enum class Entered : std::uint8_t { kNone, kToday, kUnseen };
  void Entries(Entered entered) { entered_ = entered; }

  void Look(const Rule& rule) {
    arena_.Reset();
    ++outcome_.evaluations;
    const Determination determination = rules::Evaluate(rule, profile_, today_, arena_);
    Outlook outlook = rules::LookAhead(rule, profile_, determination, today_, HorizonOf(today_), arena_);
    // What a value yet to be entered will change of days then over is told as a correction, and not foretold.
    const std::optional<rules::Recomputation> recomputed = rules::NextRecomputation(rule, profile_, today_, arena_);
    if (recomputed && recomputed->open) {
      if (outlook.eligible_from == recomputed->day) outlook.eligible_from.reset();
      if (outlook.eligible_until == recomputed->day) outlook.eligible_until.reset();
    }

    RuleState next = Find(rule.id);
    const Standing was = next.standing;
    const bool was_eligible = was == Standing::kEligible || was == Standing::kUnknownWasEligible;
    switch (determination.answer) {
      case Answer::kEligible:
        next.standing = Standing::kEligible;
        break;
      case Answer::kIneligible:
        next.standing = Standing::kIneligible;
        break;
      case Answer::kUnknown:
        next.standing = was_eligible ? Standing::kUnknownWasEligible : Standing::kUnknown;
        break;
    }
    if (next.standing != was) next.since = today_;
    next.upcoming = determination.answer == Answer::kEligible ? std::nullopt : outlook.eligible_from;
    next.until = determination.answer == Answer::kEligible ? outlook.eligible_until : std::nullopt;

    std::optional<Transition> moved;
    if (determination.answer == Answer::kEligible && !was_eligible) {
      moved = Transition::kEligible;
    } else if (determination.answer == Answer::kIneligible && was_eligible) {
      moved = Transition::kCeased;
    } else if (determination.answer == Answer::kEligible && was_eligible &&
               !SameAmount(next.amount, determination.amount)) {
      moved = Transition::kAmountChanged;
    }
    const std::optional<Date> from = Correct(rule, determination, outlook, moved.has_value(), next);
    if (moved) {
      const bool ceased = *moved == Transition::kCeased;
      Decide(rule, next, determination, from ? Transition::kCorrection : *moved, *moved, today_,
             ceased ? next.amount : determination.amount, from, ceased ? std::nullopt : outlook.eligible_until, "");
    }
    if (determination.answer == Answer::kEligible) {
      next.amount = determination.amount;
    } else if (determination.answer == Answer::kIneligible) {
      next.amount.reset();
    }

    std::optional<Date> due = outlook.next_change;
    const auto sooner = [&](std::optional<Date> day) {
      if (day && *day > today_ && (!due || *day < *due)) due = day;
    };
    for (std::size_t i = 0; i < rule.notify.size(); ++i) {
      const Notify& entry = rule.notify[i];
      if (entry.on == NotifyOn::kUpcoming && next.upcoming) {
        const std::optional<Date> tell = Ahead(*next.upcoming, entry.ahead);
        if (tell && *tell <= today_) {
          if (next.told_upcoming != next.upcoming) {
            DecideEntry(rule, determination, Transition::kUpcoming, static_cast<std::int32_t>(i), *next.upcoming,
                        std::nullopt, std::nullopt);
          }
        } else {
          sooner(tell);
        }
      } else if (entry.on == NotifyOn::kReminder && next.until) {
        const std::optional<Date> tell = Ahead(*next.until, entry.ahead);
        if (tell && *tell <= today_) {
          // Who became eligible inside the reminder's period has just been told; the end is in that message.
          if (next.told_reminder != next.until && next.since < *tell) {
            DecideEntry(rule, determination, Transition::kReminder, static_cast<std::int32_t>(i), *next.until,
                        determination.amount, next.until);
          }
        } else {
          sooner(tell);
        }
      }
    }
    if (next.upcoming && Reached(rule, NotifyOn::kUpcoming, *next.upcoming)) next.told_upcoming = next.upcoming;
    if (next.until && Reached(rule, NotifyOn::kReminder, *next.until)) next.told_reminder = next.until;
    if (recomputed) sooner(recomputed->day);
    if (rule.recheck_daily) sooner(today_ + std::chrono::days(1));
    next.due = due;
    Put(std::move(next));
  }

  // The rule is gone, or the subject is dead.
  void End(const RuleState& old, const Rule* rule, std::string_view reason) {
    RuleState next = old;
    const bool was_eligible = old.standing == Standing::kEligible || old.standing == Standing::kUnknownWasEligible;
    next.standing = Standing::kIneligible;
    next.since = today_;
    next.upcoming.reset();
    next.until.reset();
    next.due.reset();
    if (was_eligible && !quiet_) {
      Occur(next, today_);
      Decision d = Base(old.rule, rule, Transition::kCeased, Transition::kCeased, today_, old.amount);
      d.reason = reason;
      if (rule != nullptr && reason != "dead") {
        bool told = false;
        for (std::size_t i = 0; i < rule->notify.size(); ++i) {
          if (rule->notify[i].on == NotifyOn::kCeased) {
            told = true;
            Emit(d, rule, static_cast<std::int32_t>(i), next.flips);
          }
        }
        if (!told) Emit(d, rule, -1, next.flips);
      } else {
        Emit(d, rule, -1, next.flips);
      }
    }
    next.amount.reset();
    Put(std::move(next));
  }

 private:
  // Takes account of a late event and of values entered after the fact. The first day concerned when what moved today
  // is a correction; what is corrected of days that are over, or already stands as it should, is told here.
  std::optional<Date> Correct(const Rule& rule, const Determination& determination, const Outlook& outlook, bool moved,
                              RuleState& next) {
    const std::optional<Date> seen = next.corrected;
    std::optional<Date> first;
    std::optional<Date> entered;
    for (const rules::Retroactive& r : rule.retroactive) {
      if (r.entered > today_) break;
      next.corrected = r.entered;
      const bool fresh = entered_ == Entered::kToday ? r.entered == today_ : entered_ == Entered::kUnseen;
      if (!fresh || (seen && r.entered <= *seen)) continue;
      first = first ? std::min(*first, r.from) : r.from;
      entered = entered ? std::min(*entered, r.entered) : r.entered;
    }
    if (entered) {
      const std::optional<rules::Recomputed> changed =
          rules::Recompute(rule, profile_, *first, *entered - std::chrono::days(1), today_, arena_);
      if (changed && moved && !changed->until) return changed->from;
      if (changed) {
        const bool was = changed->was.answer == Answer::kEligible;
        const bool is = changed->is.answer == Answer::kEligible;
        const Transition told_as = !is ? Transition::kCeased : was ? Transition::kAmountChanged : Transition::kEligible;
        Decide(rule, next, changed->is, Transition::kCorrection, told_as, today_,
               is ? changed->is.amount : changed->was.amount, changed->from,
               changed->until ? changed->until : outlook.eligible_until, "");
      }
    }
    // A late event that turns over what was told for a later day is a correction of it.
    const bool told_later = event_day_ && Find(rule.id).since > *event_day_ && Find(rule.id).flips > 0;
    if (!told_later || !moved) return std::nullopt;
    return std::max(Find(rule.id).since, rules::HoldsSince(rule, profile_, determination, *event_day_, today_, arena_));
  }

  RuleState Find(const std::string& rule) const {
    const auto it = std::lower_bound(state_.rules.begin(), state_.rules.end(), rule,
                                     [](const RuleState& s, const std::string& id) { return s.rule < id; });
    if (it != state_.rules.end() && it->rule == rule) return *it;
    RuleState fresh;
    fresh.rule = rule;
    return fresh;
  }

  void Put(RuleState next) {
    const bool keep = next.standing != Standing::kIneligible || next.due || next.flips > 0 || next.told_upcoming ||
                      next.told_reminder || next.upcoming || next.corrected;
    const auto it = std::lower_bound(state_.rules.begin(), state_.rules.end(), next.rule,
                                     [](const RuleState& s, const std::string& id) { return s.rule < id; });
    const bool there = it != state_.rules.end() && it->rule == next.rule;
    if (!keep) {
      if (there) state_.rules.erase(it);
    } else if (there) {
      *it = std::move(next);
    } else {
      state_.rules.insert(it, std::move(next));
    }
  }

  // The moment to tell about `day` by some entry of that kind has come.
  bool Reached(const Rule& rule, NotifyOn on, Date day) const {
    return std::any_of(rule.notify.begin(), rule.notify.end(), [&](const Notify& entry) {
      const std::optional<Date> tell = Ahead(day, entry.ahead);
      return entry.on == on && tell && *tell <= today_;
    });
  }

  static void Occur(RuleState& state, Date occurrence) {
    state.flips = state.flips > 0 && state.occurrence == occurrence ? state.flips + 1 : 1;
    state.occurrence = occurrence;
  }

  void Decide(const Rule& rule, RuleState& next, const Determination& determination, Transition transition,
              Transition told_as, Date occurrence, const std::optional<value::Decimal>& amount,
              std::optional<Date> from, std::optional<Date> until, std::string_view reason) {
    Occur(next, occurrence);
    if (quiet_) return;
    Decision d = Base(rule.id, &rule, transition, told_as, occurrence, amount);
    d.from = from;
    d.until = until;
    d.reason = reason;
    Fill(d, rule, determination);
    // A correction is told by its own entries, or else by those of what it corrects to.
    bool told = Tell(d, rule, NotifyFor(transition), next.flips);
    if (!told && transition != told_as) told = Tell(d, rule, NotifyFor(told_as), next.flips);
    if (!told) Emit(d, &rule, -1, next.flips);
  }

  bool Tell(const Decision& d, const Rule& rule, NotifyOn on, std::uint32_t flip) {
    bool told = false;
    for (std::size_t i = 0; i < rule.notify.size(); ++i) {
      if (rule.notify[i].on != on) continue;
      Emit(d, &rule, static_cast<std::int32_t>(i), flip);
      told = true;
    }
    return told;
  }

  // Announcements do not count as flips: their occurrence and their entry name them.
  void DecideEntry(const Rule& rule, const Determination& determination, Transition transition, std::int32_t entry,
                   Date occurrence, const std::optional<value::Decimal>& amount, std::optional<Date> until) {
    if (quiet_) return;
    Decision d = Base(rule.id, &rule, transition, transition, occurrence, amount);
    d.until = until;
    Fill(d, rule, determination);
    Emit(d, &rule, entry, 1);
  }

  Decision Base(const std::string& id, const Rule* rule, Transition transition, Transition told_as, Date occurrence,
                const std::optional<value::Decimal>& amount) const {
    Decision d;
    d.kind = profile_.schema().kind();
    d.subject = subject_;
    d.rule = id;
    d.transition = transition;
    d.told_as = told_as;
    d.occurrence = occurrence;
    d.at = now_;
    d.amount = amount;
    d.ruleset = ruleset_.hash();
    if (rule != nullptr) {
      d.topic = rule->topic;
      d.title = rule->title;
      d.owner = rule->owner;
      d.unit = rule->unit;
      d.apply_url = rule->apply.url;
      d.deadline = rule->apply.deadline;
    }
    return d;
  }

  void Fill(Decision& d, const Rule& rule, const Determination& determination) {
    for (std::size_t i = 0; i < rule.criteria.size() && i < determination.criteria.size(); ++i) {
      const rules::Criterion& c = rule.criteria[i];
      CriterionResult r;
      r.id = c.id;
      r.label = c.label;
      switch (determination.criteria[i]) {
        case rules::Truth::kTrue:
          r.truth = "true";
          break;
        case rules::Truth::kFalse:
          r.truth = "false";
          break;
        default:
          r.truth = "unknown";
          break;
      }
      for (const rules::Law& law : rule.laws) {
        if (law.id == c.law) r.law = law.title;
      }
      d.criteria.push_back(std::move(r));
    }
    const cel::Activation activation{profile_.slots(), today_};
    for (const rules::Material& m : rule.apply.materials) {
      if (m.on_file && m.on_file->Evaluate(activation, arena_).IsTrue()) continue;
      d.materials.push_back(m.label);
    }
  }

  void Emit(Decision d, const Rule* rule, std::int32_t entry, std::uint32_t flip) {
    d.notify = entry;
    if (rule != nullptr && entry >= 0) {
      const Notify& notify = rule->notify[static_cast<std::size_t>(entry)];
      d.message = notify.message;
      d.channels = notify.channels;
      if (d.channels.empty()) d.channels.assign(kChannels.begin(), kChannels.end());
      d.escalate_after = notify.escalate_after;
      d.recipients = Recipients(notify);
    }
    d.id = StableId()
               .Add(d.kind)
               .Add(d.subject)
               .Add(d.rule)
               .Add(static_cast<std::int64_t>(entry))
               .Add(TransitionName(d.transition))
               .Add(FormatDate(d.occurrence))
               .Add(d.amount ? AmountKey(*d.amount) : std::string())
               .Add(static_cast<std::int64_t>(flip))
               .Hex();
    outcome_.decisions.push_back(std::move(d));
  }

  // Equal amounts have one key whatever their scale.
  static std::string AmountKey(value::Decimal amount) {
    while (amount.scale > 0 && amount.coefficient % 10 == 0) {
      amount.coefficient /= 10;
      --amount.scale;
    }
    return amount.ToString();
  }

  std::vector<Recipient> Recipients(const Notify& notify) const {
    const facts::Schema& schema = profile_.schema();
    if (!notify.to_recipients) return {{std::string(subject_), schema.kind()}};
    std::vector<Recipient> out;
    const std::optional<std::uint32_t> slot = schema.recipients();
    if (!slot || !profile_.slots()[*slot].is(value::Kind::kList)) return out;
    for (const value::Value& record : profile_.slots()[*slot].AsList()) {
      if (!record.is(value::Kind::kMap)) continue;
      Recipient one{"", schema.recipient_kind()};
      for (const value::MapEntry& entry : record.AsMap()) {
        if (!entry.key.is(value::Kind::kString) || !entry.value.is(value::Kind::kString)) continue;
        if (entry.key.AsString() == "id") one.id = entry.value.AsString();
        if (entry.key.AsString() == "kind") one.kind = entry.value.AsString();
      }
      if (!one.id.empty() && std::find(out.begin(), out.end(), one) == out.end()) out.push_back(std::move(one));
    }
    return out;
  }

  const facts::Profile& profile_;
  SubjectState& state_;
  const rules::RuleSet& ruleset_;
  std::string_view subject_;
  const Instant now_;
  const Date today_;
  value::Arena& arena_;
  Outcome& outcome_;
  bool quiet_ = false;
  std::optional<Date> event_day_;
  Entered entered_ = Entered::kNone;
};

// Rules in the state that the ruleset no longer has.
std::vector<RuleState> Repealed(const SubjectState& state, const rules::RuleSet& ruleset) {
  std::vector<RuleState> gone;
  for (const RuleState& s : state.rules) {
    if (ruleset.Find(s.rule) == nullptr) gone.push_back(s);
  }
  return gone;
}

}  // namespace

const char* TransitionName(Transition transition) {
  return kTransitionNames[static_cast<std::size_t>(transition)].data();
}

std::string RulesetTag(const rules::RuleSet& ruleset) { return ruleset.hash().substr(0, 16); }

std::optional<Transition> ParseTransition(std::string_view name) {
  for (std::size_t i = 0; i < kTransitionNames.size(); ++i) {
    if (kTransitionNames[i] == name) return static_cast<Transition>(i);
  }
  return std::nullopt;
}

Outcome Advance(const facts::Profile& profile, SubjectState& state, const rules::RuleSet& ruleset,
                std::string_view subject, Instant upto, value::Arena& arena) {
  Outcome outcome;
  if (state.dead) return outcome;
  for (;;) {
    const std::optional<Date> due = state.NextDue();
    if (!due) break;
    const Instant at = kShanghai.StartOf(*due);
    if (at > upto) break;
    state.now = std::max(state.now, at);
    Pass pass(profile, state, ruleset, subject, at, arena, outcome);
    pass.Entries(Pass::Entered::kToday);
    std::vector<std::string> fire;
    for (const RuleState& s : state.rules) {
      if (s.due && *s.due <= *due) fire.push_back(s.rule);
    }
    for (const std::string& id : fire) {
      const Rule* rule = ruleset.Find(id);
      if (rule != nullptr) {
        pass.Look(*rule);
      } else {
        // Repealed: React closes it when it sees the new ruleset; it has nothing more to fire.
        for (RuleState& s : state.rules) {
          if (s.rule == id) s.due.reset();
        }
      }
    }
  }
  return outcome;
}

namespace {

bool HasState(const SubjectState& state, const std::string& rule) {
  const auto it = std::lower_bound(state.rules.begin(), state.rules.end(), rule,
                                   [](const RuleState& s, const std::string& id) { return s.rule < id; });
  return it != state.rules.end() && it->rule == rule;
}

}  // namespace

Outcome React(const facts::Profile& profile, SubjectState& state, const rules::RuleSet& ruleset,
              std::string_view subject, const Change& change, value::Arena& arena, std::optional<Shortcut> shortcut) {
  Outcome outcome;
  state.now = std::max(state.now, change.now);
  Pass pass(profile, state, ruleset, subject, state.now, arena, outcome);
  if (change.baseline) pass.Quiet();
  const Date event_day = kShanghai.DateOf(change.event_time);
  if (event_day < kShanghai.DateOf(state.now)) pass.Late(event_day);

  const bool dead = profile.Dead();
  if (dead) {
    if (!state.dead) {
      const std::vector<RuleState> open = state.rules;
      for (const RuleState& s : open) pass.End(s, ruleset.Find(s.rule), "dead");
    }
    state.dead = true;
    state.ruleset = RulesetTag(ruleset);
    return outcome;
  }
  const bool all = state.ruleset != RulesetTag(ruleset) || state.dead;
  state.dead = false;
  const auto look = [&](std::span<const std::uint32_t> touched) {
    std::vector<std::uint64_t> open;
    if (shortcut) {
      shortcut->engine.At(kShanghai.DateOf(state.now))->Open(profile.slots(), shortcut->scratch, &open);
    }
    for (const std::uint32_t i : touched) {
      const Rule& rule = ruleset.rules()[i];
      if (shortcut && !rule.recheck_daily && !HasState(state, rule.id)) {
        const std::uint32_t number = shortcut->engine.NumberOf(i);
        if ((open[number / 64] >> number % 64 & 1) == 0) continue;
      }
      pass.Look(rule);
    }
  };
  if (all) {
    // Who has never been looked at has been told nothing that could be corrected.
    if (!state.ruleset.empty() && state.ruleset != RulesetTag(ruleset)) pass.Entries(Pass::Entered::kUnseen);
    for (const RuleState& gone : Repealed(state, ruleset)) pass.End(gone, nullptr, "repealed");
    look(ruleset.RulesOf(profile.schema().kind()));
    state.ruleset = RulesetTag(ruleset);
  } else {
    look(ruleset.Touched(profile.schema().kind(), change.slots));
  }
  return outcome;
}

std::string NotificationId(std::string_view decision_id, std::string_view recipient) {
  const Shard shard = ShardOf(recipient);
  const char bytes[2] = {static_cast<char>(shard >> 8), static_cast<char>(shard & 0xFF)};
  return StableId().Add(decision_id).Add(recipient).Hex().substr(0, 28) + HexLower(std::string_view(bytes, 2));
}

std::optional<Shard> ShardOfNotification(std::string_view id) {
  if (id.size() != 32) return std::nullopt;
  unsigned shard = 0;
  for (std::size_t i = 0; i < id.size(); ++i) {
    const char c = id[i];
    const int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (v < 0) return std::nullopt;
    if (i >= 28) shard = shard * 16 + static_cast<unsigned>(v);
  }
  if (shard >= kShards) return std::nullopt;
  return static_cast<Shard>(shard);
}

std::string StillTrue(const Decision& decision, const SubjectState& state) {
  if (state.dead) return "subject_dead";
  const auto it =
      std::find_if(state.rules.begin(), state.rules.end(), [&](const RuleState& s) { return s.rule == decision.rule; });
  const Standing standing = it == state.rules.end() ? Standing::kIneligible : it->standing;
  // Days that are over do not change by what holds today.
  const bool over = decision.transition == Transition::kCorrection && decision.from && decision.until &&
                    *decision.until <= decision.occurrence;
  if (over) return "";
  const bool holds = standing == Standing::kEligible || standing == Standing::kUnknownWasEligible;
  switch (decision.told_as) {
    case Transition::kEligible:
    case Transition::kReminder:
      return holds ? "" : "no_longer_true";
    case Transition::kAmountChanged:
      return holds && it != state.rules.end() && SameAmount(it->amount, decision.amount) ? "" : "no_longer_true";
    case Transition::kUpcoming:
      if (holds) return "";
      return it != state.rules.end() && it->upcoming == decision.occurrence ? "" : "no_longer_true";
    case Transition::kCeased:
    case Transition::kCorrection:
      return holds ? "no_longer_true" : "";
  }
  return "";
}

}  // namespace zhitui::decide
