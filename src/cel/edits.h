#pragma once

#include <string_view>

#include "cel/report.h"

namespace zhitui::cel {

// `at`, grown until every bracket in it has its partner: the span of an expression begins behind the brackets around
// its first part, and ends before those around its last.
Span WithBrackets(std::string_view text, Span at);

}  // namespace zhitui::cel
