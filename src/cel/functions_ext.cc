// Extensions of CEL: math, optional values, base64.
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "cel/functions.h"

namespace zhitui::cel {
namespace {

using value::Kind;

// --- math
template <bool greatest>
Value Extreme(const Call& c, const Value* a, std::size_t n) {
  std::span<const Value> all(a, n);
  if (n == 1 && a[0].is(Kind::kList)) all = a[0].AsList();
  if (all.empty()) return c.Fail("math.greatest and math.least need at least one number");
  Value best = all[0];
  for (const Value& v : all) {
    if (!v.is(Kind::kInt) && !v.is(Kind::kUint) && !v.is(Kind::kDouble) && !v.is(Kind::kDecimal)) {
      return c.Fail(kNoOverload);
    }
    const std::optional<int> order = value::Compare(v, best);
    // A double and a decimal have no order; of NaN the first number stands.
    if (!order && v.is(Kind::kDecimal) != best.is(Kind::kDecimal)) return c.Fail(kNoOverload);
    if (order && (greatest ? *order > 0 : *order < 0)) best = v;
  }
  return best;
}

template <double (*f)(double)>
Value OfDouble(const Call&, const Value* a, std::size_t) {
  return Value::Double(f(a[0].AsDouble()));
}
double Ceil(double v) { return std::ceil(v); }
double Floor(double v) { return std::floor(v); }
double Round(double v) { return std::round(v); }
double Trunc(double v) { return std::trunc(v); }
double Magnitude(double v) { return std::fabs(v); }
double Root(double v) { return std::sqrt(v); }
double SignOf(double v) { return std::isnan(v) ? v : v > 0 ? 1.0 : v < 0 ? -1.0 : 0.0; }

Value RootInt(const Call&, const Value* a, std::size_t) {
  return Value::Double(std::sqrt(static_cast<double>(a[0].AsInt())));
}
Value RootUint(const Call&, const Value* a, std::size_t) {
  return Value::Double(std::sqrt(static_cast<double>(a[0].AsUint())));
}
Value AbsInt(const Call& c, const Value* a, std::size_t) {
  if (a[0].AsInt() == std::numeric_limits<std::int64_t>::min()) return c.Fail("integer overflow");
  return Value::Int(a[0].AsInt() < 0 ? -a[0].AsInt() : a[0].AsInt());
}
Value AbsUint(const Call&, const Value* a, std::size_t) { return a[0]; }
Value SignInt(const Call&, const Value* a, std::size_t) {
  return Value::Int(a[0].AsInt() > 0 ? 1 : a[0].AsInt() < 0 ? -1 : 0);
}
Value SignUint(const Call&, const Value* a, std::size_t) { return Value::Uint(a[0].AsUint() > 0 ? 1 : 0); }
Value IsNan(const Call&, const Value* a, std::size_t) { return Value::Bool(std::isnan(a[0].AsDouble())); }
Value IsInf(const Call&, const Value* a, std::size_t) { return Value::Bool(std::isinf(a[0].AsDouble())); }
Value IsFinite(const Call&, const Value* a, std::size_t) { return Value::Bool(std::isfinite(a[0].AsDouble())); }

std::uint64_t Bits(const Value& v) { return v.AsUint(); }  // the same 64 bits for int and uint
Value OfBits(const Value& like, std::uint64_t bits) {
  return like.is(Kind::kUint) ? Value::Uint(bits) : Value::Int(std::bit_cast<std::int64_t>(bits));
}
Value BitOr(const Call&, const Value* a, std::size_t) { return OfBits(a[0], Bits(a[0]) | Bits(a[1])); }
Value BitAnd(const Call&, const Value* a, std::size_t) { return OfBits(a[0], Bits(a[0]) & Bits(a[1])); }
Value BitXor(const Call&, const Value* a, std::size_t) { return OfBits(a[0], Bits(a[0]) ^ Bits(a[1])); }
Value BitNot(const Call&, const Value* a, std::size_t) { return OfBits(a[0], ~Bits(a[0])); }
Value ShiftLeft(const Call& c, const Value* a, std::size_t) {
  const std::int64_t by = a[1].AsInt();
  if (by < 0) return c.Fail("math.bitShiftLeft: negative offset");
  return OfBits(a[0], by > 63 ? 0 : Bits(a[0]) << by);
}
Value ShiftRight(const Call& c, const Value* a, std::size_t) {
  const std::int64_t by = a[1].AsInt();
  if (by < 0) return c.Fail("math.bitShiftRight: negative offset");
  return OfBits(a[0], by > 63 ? 0 : Bits(a[0]) >> by);  // logical, also for negative ints
}

// --- optional
Value OptionalOf(const Call& c, const Value* a, std::size_t) {
  Value* v = c.arena.NewArray<Value>(1);
  *v = a[0];
  return Value::Optional(v);
}
bool IsZero(const Value& v) {
  switch (v.kind()) {
    case Kind::kNull:
      return true;
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kUint:
      return v.AsInt() == 0;
    case Kind::kDouble:
      return v.AsDouble() == 0;
    case Kind::kString:
    case Kind::kBytes:
      return v.AsString().empty();
    case Kind::kList:
      return v.AsList().empty();
    case Kind::kMap:
      return v.AsMap().empty();
    case Kind::kTimestamp:
    case Kind::kDuration:
      return v.Seconds() == 0 && v.Nanos() == 0;
    case Kind::kDecimal:
      return v.AsDecimal().coefficient == 0;
    case Kind::kPeriod:
      return v.AsPeriod() == value::Period{};
    default:
      return false;
  }
}
Value OptionalOfNonZero(const Call& c, const Value* a, std::size_t n) {
  return IsZero(a[0]) ? Value::Optional(nullptr) : OptionalOf(c, a, n);
}
Value OptionalNone(const Call&, const Value*, std::size_t) { return Value::Optional(nullptr); }
Value HasValue(const Call&, const Value* a, std::size_t) { return Value::Bool(a[0].AsOptional() != nullptr); }
Value ValueOf(const Call& c, const Value* a, std::size_t) {
  return a[0].AsOptional() != nullptr ? *a[0].AsOptional() : c.Fail("optional.none() dereference");
}
Value Or(const Call&, const Value* a, std::size_t) { return a[0].AsOptional() != nullptr ? a[0] : a[1]; }
Value OrValue(const Call&, const Value* a, std::size_t) {
  return a[0].AsOptional() != nullptr ? *a[0].AsOptional() : a[1];
}
Value FirstOf(const Call& c, const Value* a, std::size_t n) {
  return a[0].AsList().empty() ? Value::Optional(nullptr) : OptionalOf(c, a[0].AsList().data(), n);
}
Value LastOf(const Call& c, const Value* a, std::size_t n) {
  return a[0].AsList().empty() ? Value::Optional(nullptr) : OptionalOf(c, &a[0].AsList().back(), n);
}

// --- base64
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

Value Encode(const Call& c, const Value* a, std::size_t) {
  const std::string_view in = a[0].AsString();
  if (!c.Charge(2 * in.size())) return c.Fail(kCostLimit);
  std::string out;
  for (std::size_t i = 0; i < in.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, in.size() - i);
    std::uint32_t chunk = 0;
    for (std::size_t k = 0; k < 3; ++k) chunk = chunk << 8 | (k < n ? static_cast<unsigned char>(in[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) out += k <= n ? kAlphabet[chunk >> (18 - 6 * k) & 63U] : '=';
  }
  return Value::String(c.arena.Copy(out));
}
Value Decode(const Call& c, const Value* a, std::size_t) {
  std::string_view in = a[0].AsString();
  if (!c.Charge(in.size())) return c.Fail(kCostLimit);
  if (in.size() % 4 == 0 && in.ends_with("==")) {
    in.remove_suffix(2);
  } else if (in.size() % 4 == 0 && in.ends_with("=")) {
    in.remove_suffix(1);
  }
  if (in.size() % 4 == 1) return c.Fail("invalid base64");
  std::string out;
  std::uint32_t chunk = 0;
  unsigned bits = 0;
  for (const char ch : in) {
    const std::size_t v = kAlphabet.find(ch);
    if (v == std::string_view::npos) return c.Fail("invalid base64");
    chunk = (chunk << 6 | static_cast<std::uint32_t>(v)) & 0xFFFFFU;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>(chunk >> bits & 0xFFU);
    }
  }
  return Value::Bytes(c.arena.Copy(out));
}

constexpr std::array kRows{
    FunctionRow{"math.greatest(dyn) -> dyn", Extreme<true>, "", "最大的数", "The greatest number"},
    FunctionRow{"math.greatest(int, int) -> int", Extreme<true>, "++", "", ""},
    FunctionRow{"math.greatest(uint, uint) -> uint", Extreme<true>, "++", "", ""},
    FunctionRow{"math.greatest(double, double) -> double", Extreme<true>, "++", "", ""},
    FunctionRow{"math.greatest(decimal, decimal) -> decimal", Extreme<true>, "++", "", ""},
    FunctionRow{"math.greatest(dyn, dyn) -> dyn", Extreme<true>, "", "", ""},
    FunctionRow{"math.greatest(dyn, dyn, dyn) -> dyn", Extreme<true>, "", "", ""},
    FunctionRow{"math.greatest(dyn, dyn, dyn, dyn) -> dyn", Extreme<true>, "", "", ""},
    FunctionRow{"math.greatest(dyn, dyn, dyn, dyn, dyn) -> dyn", Extreme<true>, "", "", ""},
    FunctionRow{"math.greatest(dyn, dyn, dyn, dyn, dyn, dyn) -> dyn", Extreme<true>, "", "", ""},
    FunctionRow{"math.greatest(dyn, dyn, dyn, dyn, dyn, dyn, dyn) -> dyn", Extreme<true>, "", "", ""},
    FunctionRow{"math.greatest(dyn, dyn, dyn, dyn, dyn, dyn, dyn, dyn) -> dyn", Extreme<true>, "", "", ""},
    FunctionRow{"math.least(dyn) -> dyn", Extreme<false>, "", "最小的数", "The least number"},
    FunctionRow{"math.least(int, int) -> int", Extreme<false>, "++", "", ""},
    FunctionRow{"math.least(uint, uint) -> uint", Extreme<false>, "++", "", ""},
    FunctionRow{"math.least(double, double) -> double", Extreme<false>, "++", "", ""},
    FunctionRow{"math.least(decimal, decimal) -> decimal", Extreme<false>, "++", "", ""},
    FunctionRow{"math.least(dyn, dyn) -> dyn", Extreme<false>, "", "", ""},
    FunctionRow{"math.least(dyn, dyn, dyn) -> dyn", Extreme<false>, "", "", ""},
    FunctionRow{"math.least(dyn, dyn, dyn, dyn) -> dyn", Extreme<false>, "", "", ""},
    FunctionRow{"math.least(dyn, dyn, dyn, dyn, dyn) -> dyn", Extreme<false>, "", "", ""},
    FunctionRow{"math.least(dyn, dyn, dyn, dyn, dyn, dyn) -> dyn", Extreme<false>, "", "", ""},
    FunctionRow{"math.least(dyn, dyn, dyn, dyn, dyn, dyn, dyn) -> dyn", Extreme<false>, "", "", ""},
    FunctionRow{"math.least(dyn, dyn, dyn, dyn, dyn, dyn, dyn, dyn) -> dyn", Extreme<false>, "", "", ""},
    FunctionRow{"math.ceil(double) -> double", OfDouble<Ceil>, "+", "向上取整", "Rounded up"},
    FunctionRow{"math.floor(double) -> double", OfDouble<Floor>, "+", "向下取整", "Rounded down"},
    FunctionRow{"math.round(double) -> double", OfDouble<Round>, "+", "四舍五入", "Rounded, halves away from zero"},
    FunctionRow{"math.trunc(double) -> double", OfDouble<Trunc>, "+", "舍去小数", "Without the fraction"},
    FunctionRow{"math.abs(double) -> double", OfDouble<Magnitude>, "", "绝对值", "The magnitude"},
    FunctionRow{"math.abs(int) -> int", AbsInt, "", "", ""},
    FunctionRow{"math.abs(uint) -> uint", AbsUint, "+", "", ""},
    FunctionRow{"math.sign(double) -> double", OfDouble<SignOf>, "+", "符号：-1、0、1", "The sign: -1, 0 or 1"},
    FunctionRow{"math.sign(int) -> int", SignInt, "+", "", ""},
    FunctionRow{"math.sign(uint) -> uint", SignUint, "+", "", ""},
    FunctionRow{"math.sqrt(double) -> double", OfDouble<Root>, "", "平方根", "The square root"},
    FunctionRow{"math.sqrt(int) -> double", RootInt, "", "", ""},
    FunctionRow{"math.sqrt(uint) -> double", RootUint, "", "", ""},
    FunctionRow{"math.isNaN(double) -> bool", IsNan, "", "不是数", "Not a number"},
    FunctionRow{"math.isInf(double) -> bool", IsInf, "", "无穷大", "Infinite"},
    FunctionRow{"math.isFinite(double) -> bool", IsFinite, "", "有限", "Finite"},
    FunctionRow{"math.bitOr(int, int) -> int", BitOr, "", "按位或", "Bitwise or"},
    FunctionRow{"math.bitOr(uint, uint) -> uint", BitOr, "", "", ""},
    FunctionRow{"math.bitAnd(int, int) -> int", BitAnd, "", "按位与", "Bitwise and"},
    FunctionRow{"math.bitAnd(uint, uint) -> uint", BitAnd, "", "", ""},
    FunctionRow{"math.bitXor(int, int) -> int", BitXor, "", "按位异或", "Bitwise exclusive or"},
    FunctionRow{"math.bitXor(uint, uint) -> uint", BitXor, "", "", ""},
    FunctionRow{"math.bitNot(int) -> int", BitNot, "", "按位取反", "Bitwise not"},
    FunctionRow{"math.bitNot(uint) -> uint", BitNot, "", "", ""},
    FunctionRow{"math.bitShiftLeft(int, int) -> int", ShiftLeft, "", "左移", "Shifted left"},
    FunctionRow{"math.bitShiftLeft(uint, int) -> uint", ShiftLeft, "", "", ""},
    FunctionRow{"math.bitShiftRight(int, int) -> int", ShiftRight, "", "右移（补零）",
                "Shifted right, filled with zeros"},
    FunctionRow{"math.bitShiftRight(uint, int) -> uint", ShiftRight, "", "", ""},
    FunctionRow{"optional.of(A) -> optional_type(A)", OptionalOf, "", "有值的可选值", "An optional with a value"},
    FunctionRow{"optional.ofNonZeroValue(A) -> optional_type(A)", OptionalOfNonZero, "", "非零值才有值的可选值",
                "An optional with a value unless it is zero or empty"},
    FunctionRow{"optional.none() -> optional_type(A)", OptionalNone, "", "没有值的可选值",
                "An optional without a value"},
    FunctionRow{"optional_type(A).hasValue() -> bool", HasValue, "", "有值", "There is a value"},
    FunctionRow{"optional_type(A).value() -> A", ValueOf, "", "取值，没有则出错",
                "The value; an error when there is none"},
    FunctionRow{"optional_type(A).or(optional_type(A)) -> optional_type(A)", Or, "", "没有值则取另一个",
                "This one, or the other when there is none"},
    FunctionRow{"optional_type(A).orValue(A) -> A", OrValue, "", "没有值则取默认值", "The value, or a default"},
    FunctionRow{"list(A).first() -> optional_type(A)", FirstOf, "", "第一个元素", "The first element"},
    FunctionRow{"list(A).last() -> optional_type(A)", LastOf, "", "最后一个元素", "The last element"},
    FunctionRow{"base64.encode(bytes) -> string", Encode, "", "Base64 编码", "As base64"},
    FunctionRow{"base64.decode(string) -> bytes", Decode, "", "Base64 解码", "From base64"},
};

}  // namespace

std::span<const FunctionRow> ExtensionFunctions() { return kRows; }

}  // namespace zhitui::cel
