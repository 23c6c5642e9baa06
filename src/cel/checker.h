#pragma once

#include "cel/ast.h"
#include "cel/env.h"
#include "cel/report.h"

namespace zhitui::cel {

struct Checked {
  std::uint64_t nodes = 0;  // after inlining lets
  std::uint32_t depth = 0;
};

// Resolves names and functions, gives every node its type and reports what does not fit. `expected` may be null.
Checked Check(Ast& ast, const Names& env, value::Type expected, const Limits& limits, Reporter& reporter);

}  // namespace zhitui::cel
