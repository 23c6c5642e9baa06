#pragma once

#include "decide/decide.h"
#include "rules/rules.h"

namespace zhitui::authoring {

// The longest values that a real decision of this rule could bring into a text. Private to authoring.
decide::Decision LongestDecision(const rules::Rule& rule, const rules::Notify& notify);

}  // namespace zhitui::authoring
