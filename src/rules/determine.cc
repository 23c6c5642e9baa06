// The answer of one rule for one profile on one day, and when it changes next.

#include <algorithm>

#include "rules/determine.h"

namespace zhitui::rules {
namespace {

using value::Kind;
using value::Value;

// A rule whose answer flips this often without differing from today's is looked at again at the last day reached.
constexpr int kMaxSteps = 64;

bool InForce(const Rule& rule, Date day) {
  return (!rule.valid_from || day >= *rule.valid_from) && (!rule.valid_until || day < *rule.valid_until);
}

std::optional<value::Decimal> ToAmount(const Value& v) {
  if (v.is(Kind::kInt)) return value::Decimal{v.AsInt(), 0};
  if (v.is(Kind::kDecimal)) return v.AsDecimal();
  return std::nullopt;
}

Truth TruthOf(const Value& v) {
  if (v.IsTrue()) return Truth::kTrue;
  if (v.IsFalse()) return Truth::kFalse;
  return v.is(Kind::kUnknown) ? Truth::kUnknown : Truth::kError;
}

void AddMissing(const Value& v, std::vector<std::uint32_t>& missing) {
  if (!v.is(Kind::kUnknown)) return;
  const value::UnknownSet& set = v.AsUnknown();
  missing.insert(missing.end(), set.slots, set.slots + set.count);
}

void NoteError(const Value& v, std::string_view where, std::string_view id, std::string& error) {
  if (!error.empty()) return;
  error.append(where);
  if (!id.empty()) error.append(" ").append(id);
  error += ": ";
  error += v.is(Kind::kError) ? v.AsError().message : std::string_view("not a value of the declared type");
}

// The first row that holds. An undecided row before it leaves the amount open.
struct AmountResult {
  std::optional<value::Decimal> amount;
  Value open;  // kUnknown or kError when there is no amount
};

AmountResult AmountOf(const Rule& rule, const cel::Activation& activation, value::Arena& arena) {
  for (const AmountRow& row : rule.amounts) {
    if (row.when) {
      const Value held = row.when->Evaluate(activation, arena);
      if (held.IsFalse()) continue;
      if (!held.IsTrue()) return {std::nullopt, held};
    }
    const Value is = row.is.Evaluate(activation, arena);
    return {ToAmount(is), is};
  }
  return {};
}

void Earliest(std::optional<Date>& best, std::optional<Date> candidate) {
  if (candidate && (!best || *candidate < *best)) best = candidate;
}

// The earliest later change of whatever decides the amount today.
std::optional<Date> NextAmountChange(const Rule& rule, const cel::Activation& activation, Date horizon,
                                     value::Arena& arena) {
  std::optional<Date> best;
  for (const AmountRow& row : rule.amounts) {
    if (row.when) {
      if (row.when->time_dependent()) Earliest(best, row.when->NextTurn(activation, horizon, arena));
      const Value held = row.when->Evaluate(activation, arena);
      if (held.IsFalse()) continue;
      if (!held.IsTrue()) return best;
    }
    if (row.is.time_dependent()) Earliest(best, row.is.NextTurn(activation, horizon, arena));
    return best;
  }
  return best;
}

// A day after the activation's until which answer and amount cannot differ from `now`; nullopt: they never do.
std::optional<Date> NextCandidate(const Rule& rule, const cel::Activation& activation, const Determination& now,
                                  Date horizon, value::Arena& arena) {
  const Date today = activation.today;
  if (!now.in_force) {
    if (rule.valid_from && today < *rule.valid_from) return rule.valid_from;
    return std::nullopt;
  }
  if (now.answer == Answer::kIneligible) {
    // Every false criterion has to change before the answer can.
    std::optional<Date> latest;
    for (std::size_t i = 0; i < rule.criteria.size(); ++i) {
      if (now.criteria[i] != Truth::kFalse) continue;
      const cel::Program& when = rule.criteria[i].when;
      if (!when.time_dependent()) return std::nullopt;
      const std::optional<Date> change = when.NextTurn(activation, horizon, arena);
      if (!change) return std::nullopt;
      if (!latest || *change > *latest) latest = change;
    }
    if (latest && rule.valid_until && *latest >= *rule.valid_until) return std::nullopt;
    return latest;
  }
  std::optional<Date> best = rule.valid_until;
  bool settled = true;
  for (std::size_t i = 0; i < rule.criteria.size(); ++i) {
    if (now.criteria[i] != Truth::kTrue) settled = false;
    const cel::Program& when = rule.criteria[i].when;
    if (when.time_dependent()) Earliest(best, when.NextTurn(activation, horizon, arena));
  }
  if (settled) Earliest(best, NextAmountChange(rule, activation, horizon, arena));
  return best;
}

bool Differ(const Determination& a, const Determination& b) {
  if (a.answer != b.answer || a.amount.has_value() != b.amount.has_value()) return true;
  return a.amount && value::Decimal::Compare(*a.amount, *b.amount) != 0;
}

Determination EvaluateAt(const Rule& rule, const cel::Activation& activation, value::Arena& arena) {
  Determination out;
  out.in_force = InForce(rule, activation.today);
  out.criteria.reserve(rule.criteria.size());
  bool any_false = false;
  bool any_open = false;
  for (const Criterion& criterion : rule.criteria) {
    const Value v = criterion.when.Evaluate(activation, arena);
    const Truth truth = TruthOf(v);
    out.criteria.push_back(truth);
    if (truth == Truth::kFalse) any_false = true;
    if (truth == Truth::kUnknown || truth == Truth::kError) any_open = true;
    if (truth == Truth::kError && out.in_force) NoteError(v, "criterion", criterion.id, out.error);
    AddMissing(v, out.missing);
  }
  if (!out.in_force || any_false) {
    out.answer = Answer::kIneligible;
    out.missing.clear();
    out.error.clear();  // it did not matter
    return out;
  }
  out.answer = any_open ? Answer::kUnknown : Answer::kEligible;
  if (!rule.amounts.empty()) {
    const AmountResult result = AmountOf(rule, activation, arena);
    if (!result.amount) {
      out.answer = Answer::kUnknown;
      AddMissing(result.open, out.missing);
      if (!result.open.is(Kind::kUnknown)) NoteError(result.open, "amount", "", out.error);
    } else if (out.answer == Answer::kEligible) {
      out.amount = result.amount;
    }
  }
  std::sort(out.missing.begin(), out.missing.end());
  out.missing.erase(std::unique(out.missing.begin(), out.missing.end()), out.missing.end());
  return out;
}

Outlook LookAheadAt(const Rule& rule, cel::Activation activation, const Determination& now, Date horizon,
                    value::Arena& arena) {
  Outlook out;
  const bool eligible_now = now.answer == Answer::kEligible;
  Determination current = now;
  for (int step = 0; step < kMaxSteps; ++step) {
    const std::optional<Date> next = NextCandidate(rule, activation, current, horizon, arena);
    if (!next || *next > horizon || *next <= activation.today) return out;
    activation.today = *next;
    current = EvaluateAt(rule, activation, arena);
    if (!out.next_change && Differ(current, now)) out.next_change = *next;
    const bool eligible_then = current.answer == Answer::kEligible;
    if (eligible_then != eligible_now) {
      (eligible_now ? out.eligible_until : out.eligible_from) = *next;
      return out;
    }
  }
  if (!out.next_change) out.next_change = activation.today;
  return out;
}

// The next day after the activation's, not after `last`, on which answer or amount may differ.
Date NextOf(const Rule& rule, const cel::Activation& activation, const Determination& now, Date last,
            value::Arena& arena) {
  const std::optional<Date> next = LookAheadAt(rule, activation, now, last, arena).next_change;
  return next.value_or(last + std::chrono::days(1));
}

// What a person was or is told: an unknown answer is nothing.
bool TellsApart(const Determination& was, const Determination& is) {
  if (was.answer == Answer::kUnknown || is.answer == Answer::kUnknown) return false;
  return Differ(was, is);
}

}  // namespace

Determination Evaluate(const Rule& rule, const facts::Profile& profile, Date today, value::Arena& arena) {
  return EvaluateAt(rule, {profile.slots(), today}, arena);
}

Determination EvaluateSlots(const Rule& rule, std::span<const Value> slots, Date today, value::Arena& arena) {
  return EvaluateAt(rule, {slots, today}, arena);
}

Outlook LookAhead(const Rule& rule, const facts::Profile& profile, const Determination& now, Date today, Date horizon,
                  value::Arena& arena) {
  return LookAheadAt(rule, {profile.slots(), today}, now, horizon, arena);
}

std::optional<Recomputed> Recompute(const Rule& rule, const facts::Profile& profile, Date first, Date before,
                                    Date today, value::Arena& arena) {
  if (rule.valid_from) first = std::max(first, *rule.valid_from);
  std::optional<Recomputed> out;
  for (Date day = first; day <= today && (out || day < today);) {
    const cel::Activation then{profile.slots(), day, before};
    const cel::Activation now{profile.slots(), day, today};
    Determination was = EvaluateAt(rule, then, arena);
    Determination is = EvaluateAt(rule, now, arena);
    const Date next = std::min(NextOf(rule, then, was, today, arena), NextOf(rule, now, is, today, arena));
    if (TellsApart(was, is)) {
      if (!out) out = Recomputed{day, std::nullopt, {}, {}};
      out->until.reset();
      out->was = std::move(was);
      out->is = std::move(is);
    } else if (out && !out->until) {
      out->until = day;
    }
    day = next;
  }
  return out;
}

std::optional<Recomputation> NextRecomputation(const Rule& rule, const facts::Profile& profile, Date today,
                                               value::Arena& arena) {
  for (std::size_t i = 0; i < rule.retroactive.size(); ++i) {
    const Date entered = rule.retroactive[i].entered;
    if (entered <= today || (i > 0 && rule.retroactive[i - 1].entered == entered)) continue;
    Date first = entered;
    for (const Retroactive& r : rule.retroactive) {
      if (r.entered == entered) first = std::min(first, r.from);
    }
    const std::optional<Recomputed> changed =
        Recompute(rule, profile, first, entered - std::chrono::days(1), entered, arena);
    if (changed) return Recomputation{entered, !changed->until};
  }
  return std::nullopt;
}

Date HoldsSince(const Rule& rule, const facts::Profile& profile, const Determination& now, Date earliest, Date today,
                value::Arena& arena) {
  Date since = today;
  bool holds = false;
  for (Date day = earliest; day < today;) {
    const cel::Activation activation{profile.slots(), day, today};
    const Determination then = EvaluateAt(rule, activation, arena);
    const bool same = !Differ(then, now);
    if (same && !holds) since = day;
    holds = same;
    day = NextOf(rule, activation, then, today, arena);
  }
  return holds ? since : today;
}

}  // namespace zhitui::rules
