#pragma once

#include <memory>

#include "cel/ast.h"
#include "cel/report.h"

namespace zhitui::cel {

// Parses one expression with its macros. Mistakes are reported; what cannot be read becomes kError nodes, so that the
// rest is still checked. Null only when nothing can be made of the text (too large, not UTF-8, nested too deeply).
std::unique_ptr<Ast> Parse(const Source& source, const Limits& limits, Reporter& reporter);

}  // namespace zhitui::cel
