#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "cel/cel.h"
#include "cel/report.h"

namespace zhitui::cel {

struct Function;
struct Overload;
struct Declaration;

enum class ExprKind : std::uint8_t { kError, kConst, kIdent, kSelect, kCall, kList, kMap, kMacro };

// What a kCall does. kFunction is a named function; the others are operators.
enum class Operator : std::uint8_t {
  kFunction,
  kAnd,
  kOr,
  kNot,
  kNegate,
  kConditional,
  kIndex,
  kOptIndex,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
};
const char* OperatorText(Operator op);  // "+", "&&", "in" …

// Macros stay nodes of their own instead of becoming CEL's general fold: they run without building accumulators, and
// the search for the next change can follow them.
enum class Macro : std::uint8_t {
  kAll,
  kExists,
  kExistsOne,
  kFilter,
  kMap,
  kTransformMap,
  kTransformMapEntry,
  kOptMap,
  kOptFlatMap,
  kBind,
};
const char* MacroName(Macro macro);

// How the checker resolved a name.
enum class Ref : std::uint8_t { kNone, kLocal, kDeclared, kTypeName };

struct Expr {
  ExprKind kind = ExprKind::kError;
  Operator op = Operator::kFunction;
  Macro macro = Macro::kAll;
  bool rooted = false;    // kIdent: written with a leading dot
  bool test = false;      // kSelect: inside has()
  bool optional = false;  // kSelect: written .?
  bool member = false;    // kCall of a function: args[0] is the receiver
  std::uint16_t depth = 1;
  Span span;         // the whole expression
  Span name_span;    // the name or the operator in it
  Value constant;    // kConst; strings live in the Ast's arena
  std::string name;  // kIdent, kSelect (field), kCall (function)
  // kSelect: operand. kCall: arguments. kList: elements. kMap: key, value, key, value … kMacro: range (or the bound
  // value), predicate or filter (may be null), transform (kMap, kTransform*, kOpt*, kBind).
  std::vector<Expr*> args;
  std::vector<bool> optional_entries;  // kList, kMap: entries written with ?; empty: none
  std::vector<std::string> variables;  // kMacro: one or two

  // Set by the checker.
  value::Type type = nullptr;
  Ref ref = Ref::kNone;
  std::uint32_t local = 0;                      // kLocal; for a kMacro the index of its first variable
  std::shared_ptr<const Declaration> declared;  // kDeclared
  const Function* function = nullptr;
  std::vector<const Overload*> overloads;  // that may apply, by static types
};

// One expression: owns its nodes and its literals.
struct Ast {
  std::deque<Expr> nodes;
  value::Arena arena;
  std::vector<std::shared_ptr<const Function>> functions;  // declared ones that are called
  Expr* root = nullptr;
  std::uint32_t locals = 0;  // local variables in use at once
};

// "a.b.c" when the expression is a plain chain of names, otherwise empty. `root` gets the leading identifier.
std::string QualifiedName(const Expr& e, const Expr** root);

}  // namespace zhitui::cel
