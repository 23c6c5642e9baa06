#pragma once

// Evaluation over values that are not a profile's. Inside the rules room only.

#include <span>

#include "rules/rules.h"

namespace zhitui::rules {

// Evaluate for one Value per slot.
Determination EvaluateSlots(const Rule& rule, std::span<const value::Value> slots, Date today, value::Arena& arena);

}  // namespace zhitui::rules
