#pragma once

#include <optional>

#include "cel/eval.h"

namespace zhitui::cel {

// The first day after `today`, not after `horizon`, on which the program gives another result; see Program::NextChange.
std::optional<Date> FindNextChange(const Plan& plan, std::span<const Value> slots, Date today, Date horizon,
                                   value::Arena& arena);

}  // namespace zhitui::cel
