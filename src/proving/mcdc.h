#pragma once

// Which conditions of a formula are shown to turn its outcome alone. Inside the proving room only.

#include <cstdint>
#include <optional>
#include <vector>

#include "cel/cel.h"

namespace zhitui::proving {

// What a condition was on a test day. A fault is an evaluation error, such as the age of null.
enum class Seen : std::uint8_t { kFalse, kTrue, kUnknown, kFault };
using Vector = std::vector<Seen>;  // one for each condition

// Kleene's strong logic; nullopt: open.
std::optional<bool> Outcome(const cel::Formula& formula, const Vector& vector);

// Whether the outcome would be the other one if `condition` alone had its other value. A condition that is a fault may
// then have either value: it stands behind the one that guards it (`x != null && age(x, today) > 6`), and where that
// turns, it can be asked. What is unknown stays unknown.
bool Turns(const cel::Formula& formula, const Vector& vector, std::uint32_t condition);

struct Shown {
  bool seen_true = false;
  bool seen_false = false;
  bool independent = false;
};
// Masking MC/DC over all vectors: a condition is independent when it turns the outcome of one in which it is true and
// of one in which it is false, and the two outcomes differ. O(conditions * vectors * formula).
std::vector<Shown> ShowConditions(const cel::Formula& formula, const std::vector<Vector>& vectors,
                                  std::size_t conditions);

}  // namespace zhitui::proving
