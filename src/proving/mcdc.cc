#include "proving/mcdc.h"

#include <array>

namespace zhitui::proving {
namespace {

using cel::Formula;

// Faults behind one guard beyond this number are not tried out.
constexpr std::size_t kMaxFaults = 10;

std::optional<bool> Negate(std::optional<bool> v) {
  if (v) v = !*v;
  return v;
}

}  // namespace

std::optional<bool> Outcome(const Formula& formula, const Vector& vector) {
  if (formula.op == Formula::Op::kCondition) {
    const Seen seen = vector[formula.condition];
    if (seen == Seen::kTrue || seen == Seen::kFalse) return seen == Seen::kTrue;
    return std::nullopt;
  }
  if (formula.op == Formula::Op::kNot) return Negate(Outcome(formula.parts.front(), vector));
  const bool decides = formula.op == Formula::Op::kAny;
  bool open = false;
  for (const Formula& part : formula.parts) {
    const std::optional<bool> v = Outcome(part, vector);
    if (v == decides) return decides;
    open = open || !v;
  }
  if (open) return std::nullopt;
  return !decides;
}

bool Turns(const Formula& formula, const Vector& vector, std::uint32_t condition) {
  const Seen was = vector[condition];
  if (was != Seen::kTrue && was != Seen::kFalse) return false;
  const std::optional<bool> outcome = Outcome(formula, vector);
  if (!outcome) return false;
  Vector other = vector;
  other[condition] = was == Seen::kTrue ? Seen::kFalse : Seen::kTrue;
  if (const std::optional<bool> turned = Outcome(formula, other)) return *turned != *outcome;
  std::vector<std::size_t> faults;
  for (std::size_t i = 0; i < other.size(); ++i) {
    if (other[i] == Seen::kFault) faults.push_back(i);
  }
  if (faults.size() > kMaxFaults) return false;
  for (std::uint32_t values = 0; values < (1U << faults.size()); ++values) {
    for (std::size_t i = 0; i < faults.size(); ++i) {
      other[faults[i]] = (values >> i & 1U) != 0 ? Seen::kTrue : Seen::kFalse;
    }
    if (Outcome(formula, other) == !*outcome) return true;
  }
  return false;
}

std::vector<Shown> ShowConditions(const Formula& formula, const std::vector<Vector>& vectors, std::size_t conditions) {
  std::vector<Shown> out(conditions);
  for (std::uint32_t c = 0; c < conditions; ++c) {
    // turned[v][o]: the condition was v and turned the outcome o.
    std::array<std::array<bool, 2>, 2> turned{};
    for (const Vector& vector : vectors) {
      out[c].seen_true = out[c].seen_true || vector[c] == Seen::kTrue;
      out[c].seen_false = out[c].seen_false || vector[c] == Seen::kFalse;
      if (!Turns(formula, vector, c)) continue;
      turned[vector[c] == Seen::kTrue ? 1 : 0][*Outcome(formula, vector) ? 1 : 0] = true;
    }
    out[c].independent = (turned[1][0] && turned[0][1]) || (turned[1][1] && turned[0][0]);
  }
  return out;
}

}  // namespace zhitui::proving
