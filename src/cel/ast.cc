#include "cel/ast.h"

namespace zhitui::cel {

const char* OperatorText(Operator op) {
  switch (op) {
    case Operator::kFunction:
      return "call";
    case Operator::kAnd:
      return "&&";
    case Operator::kOr:
      return "||";
    case Operator::kNot:
      return "!";
    case Operator::kNegate:
      return "-";
    case Operator::kConditional:
      return "?:";
    case Operator::kIndex:
      return "[]";
    case Operator::kOptIndex:
      return "[?]";
    case Operator::kAdd:
      return "+";
    case Operator::kSubtract:
      return "-";
    case Operator::kMultiply:
      return "*";
    case Operator::kDivide:
      return "/";
    case Operator::kModulo:
      return "%";
    case Operator::kEqual:
      return "==";
    case Operator::kNotEqual:
      return "!=";
    case Operator::kLess:
      return "<";
    case Operator::kLessEqual:
      return "<=";
    case Operator::kGreater:
      return ">";
    case Operator::kGreaterEqual:
      return ">=";
    case Operator::kIn:
      return "in";
  }
  return "";
}

const char* MacroName(Macro macro) {
  switch (macro) {
    case Macro::kAll:
      return "all";
    case Macro::kExists:
      return "exists";
    case Macro::kExistsOne:
      return "exists_one";
    case Macro::kFilter:
      return "filter";
    case Macro::kMap:
      return "map";
    case Macro::kTransformMap:
      return "transformMap";
    case Macro::kTransformMapEntry:
      return "transformMapEntry";
    case Macro::kOptMap:
      return "optMap";
    case Macro::kOptFlatMap:
      return "optFlatMap";
    case Macro::kBind:
      return "cel.bind";
  }
  return "";
}

std::string QualifiedName(const Expr& e, const Expr** root) {
  if (e.kind == ExprKind::kIdent) {
    if (root != nullptr) *root = &e;
    return e.name;
  }
  if (e.kind != ExprKind::kSelect || e.optional) return {};
  std::string base = QualifiedName(*e.args[0], root);
  if (base.empty()) return {};
  base += '.';
  base += e.name;
  return base;
}

}  // namespace zhitui::cel
