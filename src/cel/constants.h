#pragma once

#include "cel/ast.h"
#include "cel/functions.h"
#include "cel/report.h"

namespace zhitui::cel {

// Reports constant arguments that can never work, such as date("2026-02-30") or a broken regular expression: they are
// mistakes of the author, not of the data. `e` is a call of `f` whose overloads are chosen.
void CheckConstantArguments(const Expr& e, const Function& f, Reporter& reporter);

}  // namespace zhitui::cel
