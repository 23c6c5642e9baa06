#pragma once

#include <string>

#include "cel/ast.h"
#include "cel/functions.h"
#include "cel/report.h"

namespace zhitui::cel {

// The words of the checker: what is wrong with types, and what to write instead.

std::string Article(const std::string& type_name, bool start_of_sentence = false);  // "an int", "a string"

// Numbers of different types whose values can be compared.
bool ComparableNumbers(value::Kind a, value::Kind b);
bool HasOrder(value::Kind kind);

std::string ConversionHint(const Reporter& r, const Expr& e, value::Type got, value::Type wanted);
std::string NumberHint(const Reporter& r, value::Type a, value::Type b, const Expr& x, const Expr& y);
std::string ComparisonHint(const Reporter& r, value::Type a, value::Type b, const Expr& x, const Expr& y);
std::string ArithmeticHint(const Reporter& r, Operator op, value::Type a, value::Type b, const Expr& x, const Expr& y);
std::string CallHint(const Reporter& r, const Function& f, const Expr& call);

}  // namespace zhitui::cel
