#pragma once

#include <optional>

#include "cel/plan.h"

namespace zhitui::cel {

// What one evaluation of a plan can spend, in the steps that the evaluator counts: each round of a macro costs the
// parts of the macro, each 16 bytes of text, each element and each key that an operation goes over cost one. After
// cel-go's estimator: sizes come from the literals and from what the environment declares; where a choice is open, max
// takes the dearer way and min the cheaper one. max holds while facts keep to their declared sizes and nothing is dyn;
// beyond that the budget at run time stops the evaluation.
//
// Reports, at the smallest part that may do it, that an evaluation may cost more than `limit`; nullopt then.
std::optional<CostEstimate> CheckCost(const Plan& plan, std::uint64_t limit, Reporter& reporter);

}  // namespace zhitui::cel
