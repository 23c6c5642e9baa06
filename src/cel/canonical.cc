#include "cel/plan.h"

namespace zhitui::cel {
namespace {

using value::Kind;

void Print(const Expr& e, std::string& out);

// A literal with its kind, so that 1, 1u and 1.0 differ.
void PrintValue(const Value& v, std::string& out) {
  constexpr std::size_t kNoLimit = std::size_t{1} << 30;
  switch (v.kind()) {
    case Kind::kNull:
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kString:
    case Kind::kType:
      out += value::ToDisplay(v, kNoLimit);
      return;
    case Kind::kUint:
      out += value::ToDisplay(v, kNoLimit) + "u";
      return;
    default:
      break;
  }
  out += value::KindName(v.kind());
  out += '(';
  if (v.is(Kind::kList)) {
    for (const Value& element : v.AsList()) {
      PrintValue(element, out);
      out += ',';
    }
  } else if (v.is(Kind::kMap)) {
    for (const value::MapEntry& entry : v.AsMap()) {
      PrintValue(entry.key, out);
      out += ':';
      PrintValue(entry.value, out);
      out += ',';
    }
  } else {
    out += value::ToDisplay(v, kNoLimit);
  }
  out += ')';
}

void PrintDeclared(const Declaration& d, std::string& out) {
  switch (d.what) {
    case Declaration::What::kToday:
      out += "@today";
      break;
    case Declaration::What::kVariable:
      out += d.name + "@" + std::to_string(d.slot);
      break;
    case Declaration::What::kLet:
      Print(*d.body->root, out);
      break;
    case Declaration::What::kBroken:
      out += "@error";
      break;
    case Declaration::What::kDated:
      out += "@dated{";
      for (const DatedValue& e : d.entered.empty() ? d.entries : d.entered) {
        out += FormatDate(e.from);
        if (e.entered) out += "/" + FormatDate(*e.entered);
        out += ':';
        PrintValue(e.value, out);
        out += ',';
      }
      out += '}';
      break;
  }
}

void PrintArguments(const Expr& e, std::string& out) {
  out += '(';
  for (std::size_t i = 0; i < e.args.size(); ++i) {
    if (i > 0) out += ',';
    if (i < e.optional_entries.size() && e.optional_entries[i] && e.kind == ExprKind::kList) out += '?';
    if (i % 2 == 0 && e.kind == ExprKind::kMap && i / 2 < e.optional_entries.size() && e.optional_entries[i / 2]) {
      out += '?';
    }
    if (e.args[i] == nullptr) {
      out += '_';
    } else {
      Print(*e.args[i], out);
    }
  }
  out += ')';
}

void Print(const Expr& e, std::string& out) {
  if (e.ref == Ref::kLocal) {
    out += "$" + std::to_string(e.local);
    return;
  }
  if (e.ref == Ref::kTypeName) return PrintValue(e.constant, out);
  if (e.ref == Ref::kDeclared) {
    if (e.test) out += "has(";
    PrintDeclared(*e.declared, out);
    if (e.test) out += ')';
    return;
  }
  switch (e.kind) {
    case ExprKind::kError:
      out += "@error";
      break;
    case ExprKind::kConst:
      PrintValue(e.constant, out);
      break;
    case ExprKind::kIdent:
      out += "@undeclared(" + e.name + ")";
      break;
    case ExprKind::kSelect:
      out += e.test ? "has(" : "";
      Print(*e.args[0], out);
      out += e.optional ? ".?" : ".";
      out += JsonQuote(e.name);
      out += e.test ? ")" : "";
      break;
    case ExprKind::kCall:
      if (e.op == Operator::kFunction) {
        out += e.member ? "." : "";
        out += e.function != nullptr ? e.function->name : e.name;
      } else {
        out += '`';
        out += OperatorText(e.op);
        out += '`';
      }
      PrintArguments(e, out);
      break;
    case ExprKind::kList:
      out += "list";
      PrintArguments(e, out);
      break;
    case ExprKind::kMap:
      out += "map";
      PrintArguments(e, out);
      break;
    case ExprKind::kMacro:
      out += MacroName(e.macro);
      out += "$" + std::to_string(e.local) + "/" + std::to_string(e.variables.size());
      PrintArguments(e, out);
      break;
  }
}

}  // namespace

std::string Canonical(const Expr& root) {
  std::string out;
  Print(root, out);
  return out;
}

}  // namespace zhitui::cel
