#pragma once

#include "cel/ast.h"
#include "cel/report.h"

namespace zhitui::cel {

// Turns a call of has, all, exists, exists_one, map, filter, transformList, transformMap, transformMapEntry, optMap,
// optFlatMap or cel.bind into its node; any other call stays as it is. A macro with wrong arguments is reported.
void ExpandMacro(Expr& call, Reporter& reporter);

}  // namespace zhitui::cel
