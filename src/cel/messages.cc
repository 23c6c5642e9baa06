#include "cel/messages.h"

namespace zhitui::cel {
namespace {

using value::Kind;
using value::Type;
using Tag = value::TypeRep::Tag;

bool Is(Type t, Kind kind) { return t->tag == Tag::kPrimitive && t->primitive == kind; }

bool IsConst(const Expr& e, Kind kind) { return e.kind == ExprKind::kConst && e.constant.is(kind); }

// `literal` written as the other type, or empty.
std::string Rewritten(const Expr& e, Type wanted) {
  if (e.kind != ExprKind::kConst) return {};
  if (Is(wanted, Kind::kString) && e.constant.is(Kind::kInt)) {
    return "\"" + std::to_string(e.constant.AsInt()) + "\"";
  }
  if (Is(wanted, Kind::kDate) && e.constant.is(Kind::kString) && ParseDate(e.constant.AsString())) {
    return "date(\"" + std::string(e.constant.AsString()) + "\")";
  }
  if (Is(wanted, Kind::kDouble) && e.constant.is(Kind::kInt)) return std::to_string(e.constant.AsInt()) + ".0";
  if (Is(wanted, Kind::kUint) && e.constant.is(Kind::kInt) && e.constant.AsInt() >= 0) {
    return std::to_string(e.constant.AsInt()) + "u";
  }
  if (Is(wanted, Kind::kDecimal) && e.constant.is(Kind::kDouble)) {
    return "decimal(\"" + value::ToDisplay(e.constant) + "\")";
  }
  if (Is(wanted, Kind::kDecimal) && e.constant.is(Kind::kInt)) {
    return "decimal(" + std::to_string(e.constant.AsInt()) + ")";
  }
  if (Is(wanted, Kind::kDecimal) && e.constant.is(Kind::kString)) {
    return "decimal(\"" + std::string(e.constant.AsString()) + "\")";
  }
  return {};
}

}  // namespace

std::string Article(const std::string& name, bool start) {
  const bool vowel = !name.empty() && std::string_view("aeio").find(name[0]) != std::string_view::npos;
  std::string out = vowel ? "an " : "a ";
  if (name == "null_type") return "null";
  if (name == "bool") return start ? "A condition (bool)" : "a condition (bool)";
  if (start) out[0] = 'A';
  return out + name;
}

bool ComparableNumbers(Kind a, Kind b) {
  const auto number = [](Kind k) { return k == Kind::kInt || k == Kind::kUint || k == Kind::kDouble; };
  if (number(a) && number(b)) return true;
  const auto whole = [](Kind k) { return k == Kind::kInt || k == Kind::kUint || k == Kind::kDecimal; };
  return whole(a) && whole(b);
}

bool HasOrder(Kind k) {
  return k == Kind::kBool || k == Kind::kInt || k == Kind::kUint || k == Kind::kDouble || k == Kind::kString ||
         k == Kind::kBytes || k == Kind::kTimestamp || k == Kind::kDuration || k == Kind::kDate || k == Kind::kDecimal;
}

std::string ConversionHint(const Reporter& r, const Expr& e, Type got, Type wanted) {
  if (const std::string text = Rewritten(e, wanted); !text.empty()) return "write " + text;
  if (Is(wanted, Kind::kBool)) return "write a condition, for example " + r.Quote(e.span, "x") + " == …";
  if (Is(wanted, Kind::kDecimal) && Is(got, Kind::kInt)) return "write decimal(" + r.Quote(e.span, "x") + ")";
  if (Is(wanted, Kind::kInt) && Is(got, Kind::kDouble)) return "write int(" + r.Quote(e.span, "x") + ")";
  if (Is(wanted, Kind::kDouble) && Is(got, Kind::kInt)) return "write double(" + r.Quote(e.span, "x") + ")";
  return {};
}

std::string NumberHint(const Reporter& r, Type a, Type b, const Expr& x, const Expr& y) {
  if (const std::string text = Rewritten(y, a); !text.empty()) return ": write " + text;
  if (const std::string text = Rewritten(x, b); !text.empty()) return ": write " + text;
  const auto number = [](Type t) { return Is(t, Kind::kInt) || Is(t, Kind::kUint) || Is(t, Kind::kDouble); };
  if (!number(a) || !number(b)) return {};
  const bool left = Is(b, Kind::kDouble) || (Is(b, Kind::kInt) && Is(a, Kind::kUint));
  return ": write " + value::TypeName(left ? b : a) + "(" + r.Quote(left ? x.span : y.span, "…") + ")";
}

std::string ComparisonHint(const Reporter& r, Type a, Type b, const Expr& x, const Expr& y) {
  if (const std::string text = Rewritten(y, a); !text.empty()) return "write " + text;
  if (const std::string text = Rewritten(x, b); !text.empty()) return "write " + text;
  if (Is(a, Kind::kDate) && Is(b, Kind::kInt)) return "write year(" + r.Quote(x.span, "x") + ") for the year";
  if (Is(a, Kind::kInt) && Is(b, Kind::kDate)) return "write year(" + r.Quote(y.span, "x") + ") for the year";
  if (Is(a, Kind::kDate) && Is(b, Kind::kString)) return "write date(" + r.Quote(y.span, "x") + ")";
  if (Is(a, Kind::kString) && Is(b, Kind::kDate)) return "write date(" + r.Quote(x.span, "x") + ")";
  if (Is(a, Kind::kPeriod) || Is(b, Kind::kPeriod)) return "compare dates: birth + years(18) <= today";
  if (a->tag == Tag::kList && b->tag != Tag::kList)
    return "write " + r.Quote(y.span, "x") + " in " + r.Quote(x.span, "list");
  if (b->tag == Tag::kList && a->tag != Tag::kList)
    return "write " + r.Quote(x.span, "x") + " in " + r.Quote(y.span, "list");
  return {};
}

std::string ArithmeticHint(const Reporter& r, Operator op, Type a, Type b, const Expr& x, const Expr& y) {
  const std::string left = r.Quote(x.span, "x");
  const std::string right = r.Quote(y.span, "y");
  const std::string sign = std::string(" ") + OperatorText(op) + " ";
  if (Is(a, Kind::kDate) && Is(b, Kind::kInt)) {
    return "write " + left + sign + "days(" + right + "), or months(…) or years(…)";
  }
  if (Is(a, Kind::kDate) && Is(b, Kind::kDate) && op == Operator::kAdd) return "add a period: date + months(2)";
  if (Is(a, Kind::kDecimal) && Is(b, Kind::kDouble)) {
    return IsConst(y, Kind::kDouble) ? "write " + Rewritten(y, a) : "a double is not exact: use decimal on both sides";
  }
  if (Is(a, Kind::kDouble) && Is(b, Kind::kDecimal)) {
    return IsConst(x, Kind::kDouble) ? "write " + Rewritten(x, b) : "a double is not exact: use decimal on both sides";
  }
  const auto exact = [](Type t) { return Is(t, Kind::kInt) || Is(t, Kind::kDecimal); };
  if (exact(a) && exact(b) && op == Operator::kDivide) {
    return "a quotient may not be exact, so say how it is rounded: divide(" + left + ", " + right + ", 2, \"half_up\")";
  }
  if (op == Operator::kModulo) {
    for (const Kind k : {Kind::kDecimal, Kind::kDouble}) {
      if (Is(a, k) || Is(b, k)) return "% is for whole numbers";
    }
  }
  const auto number = [](Type t) { return Is(t, Kind::kInt) || Is(t, Kind::kUint) || Is(t, Kind::kDouble); };
  if (number(a) && number(b)) {
    if (Is(a, Kind::kDouble) || Is(b, Kind::kDouble)) {
      const bool whole_left = !Is(a, Kind::kDouble);
      const std::string fixed = Rewritten(whole_left ? x : y, whole_left ? b : a);
      const std::string converted = !fixed.empty() ? fixed : "double(" + (whole_left ? left : right) + ")";
      return whole_left ? "write " + converted + sign + right : "write " + left + sign + converted;
    }
    return Is(a, Kind::kUint) ? "write int(" + left + ")" + sign + right
                              : "write " + left + sign + "int(" + right + ")";
  }
  if (op == Operator::kAdd && Is(a, Kind::kString)) return "write " + left + " + string(" + right + ")";
  if (op == Operator::kAdd && Is(b, Kind::kString)) return "write string(" + left + ") + " + right;
  return {};
}

std::string CallHint(const Reporter& r, const Function& f, const Expr& call) {
  bool other_form = true;
  for (const Overload& o : f.overloads) other_form = other_form && o.member != call.member;
  if (other_form && !call.args.empty()) {
    const std::string first = r.Quote(call.args[0]->span, "x");
    return call.member ? "write " + f.name + "(" + first + ", …)" : "write " + first + "." + f.name + "(…)";
  }
  std::string hint = "it is written ";
  std::size_t listed = 0;
  for (const Overload& o : f.overloads) {
    if (listed == 3) break;
    hint += (listed++ == 0 ? "" : ", ") + o.signature;
  }
  return hint;
}

}  // namespace zhitui::cel
