#pragma once

#include <optional>

#include "cel/eval.h"

namespace zhitui::cel {

// The first day after `at.today`, not after `horizon`, on which the program gives another result; see
// Program::NextChange.
std::optional<Date> FindNextChange(const Plan& plan, const Activation& at, Date horizon, value::Arena& arena);

}  // namespace zhitui::cel
