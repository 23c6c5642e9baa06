// size, string tests, matches and the conversions of the CEL standard.
#include <re2/re2.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "cel/functions.h"
#include "cel/regex.h"
#include "cel/text.h"

namespace zhitui::cel {
namespace {

constexpr std::string_view kRange = "range error: the number does not fit the type";

Value SizeString(const Call& c, const Value* a, std::size_t) {
  if (!c.Charge(a[0].AsString().size())) return c.Fail(kCostLimit);
  return Value::Int(static_cast<std::int64_t>(CountCodePoints(a[0].AsString())));
}
Value SizeBytes(const Call&, const Value* a, std::size_t) {
  return Value::Int(static_cast<std::int64_t>(a[0].AsString().size()));
}
Value SizeList(const Call&, const Value* a, std::size_t) {
  return Value::Int(static_cast<std::int64_t>(a[0].AsList().size()));
}
Value SizeMap(const Call&, const Value* a, std::size_t) {
  return Value::Int(static_cast<std::int64_t>(a[0].AsMap().size()));
}

Value Contains(const Call& c, const Value* a, std::size_t) {
  if (!c.Charge(a[0].AsString().size())) return c.Fail(kCostLimit);
  return Value::Bool(a[0].AsString().find(a[1].AsString()) != std::string_view::npos);
}
Value StartsWith(const Call&, const Value* a, std::size_t) {
  return Value::Bool(a[0].AsString().starts_with(a[1].AsString()));
}
Value EndsWith(const Call&, const Value* a, std::size_t) {
  return Value::Bool(a[0].AsString().ends_with(a[1].AsString()));
}

// Only patterns that are not constants come here; constant ones are compiled when the program is.
Value Matches(const Call& c, const Value* a, std::size_t) {
  constexpr std::size_t kCompile = 4096;  // what compiling costs beyond the text, in bytes of work
  if (!c.Charge(a[0].AsString().size() + 16 * a[1].AsString().size() + kCompile)) return c.Fail(kCostLimit);
  const std::shared_ptr<const re2::RE2> regex = CompileRegex(a[1].AsString());
  if (regex == nullptr) return c.Fail("invalid regular expression");
  return Value::Bool(re2::RE2::PartialMatch(re2::StringPiece(a[0].AsString().data(), a[0].AsString().size()), *regex));
}

Value Same(const Call&, const Value* a, std::size_t) { return a[0]; }

// --- int
Value IntOfUint(const Call& c, const Value* a, std::size_t) {
  if (a[0].AsUint() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return c.Fail(kRange);
  return Value::Int(static_cast<std::int64_t>(a[0].AsUint()));
}
Value IntOfDouble(const Call& c, const Value* a, std::size_t) {
  // The ends are left out as well: neither is known to be exact.
  const double v = a[0].AsDouble();
  if (!(v > -9223372036854775808.0 && v < 9223372036854775808.0)) return c.Fail(kRange);
  return Value::Int(static_cast<std::int64_t>(v));
}
template <class T>
bool ParseWhole(std::string_view text, T& out) {
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  const auto r = std::from_chars(text.data(), text.data() + text.size(), out);
  return r.ec == std::errc() && r.ptr == text.data() + text.size();
}
Value IntOfString(const Call& c, const Value* a, std::size_t) {
  std::int64_t v = 0;
  if (!ParseWhole(a[0].AsString(), v)) return c.Fail("type conversion error: not an int");
  return Value::Int(v);
}
Value IntOfTimestamp(const Call&, const Value* a, std::size_t) { return Value::Int(a[0].Seconds()); }
Value IntOfDecimal(const Call& c, const Value* a, std::size_t) {
  value::Decimal d = a[0].AsDecimal();
  while (d.scale > 0) {
    if (d.coefficient % 10 != 0) return c.Fail("type conversion error: the decimal is not whole");
    d.coefficient /= 10;
    --d.scale;
  }
  return Value::Int(d.coefficient);
}

// --- uint
Value UintOfInt(const Call& c, const Value* a, std::size_t) {
  if (a[0].AsInt() < 0) return c.Fail(kRange);
  return Value::Uint(static_cast<std::uint64_t>(a[0].AsInt()));
}
Value UintOfDouble(const Call& c, const Value* a, std::size_t) {
  const double v = a[0].AsDouble();
  if (!(v > -1.0 && v < 18446744073709551616.0)) return c.Fail(kRange);
  return Value::Uint(static_cast<std::uint64_t>(v));
}
Value UintOfString(const Call& c, const Value* a, std::size_t) {
  std::uint64_t v = 0;
  if (!ParseWhole(a[0].AsString(), v)) return c.Fail("type conversion error: not a uint");
  return Value::Uint(v);
}

// --- double
Value DoubleOfInt(const Call&, const Value* a, std::size_t) { return Value::Double(static_cast<double>(a[0].AsInt())); }
Value DoubleOfUint(const Call&, const Value* a, std::size_t) {
  return Value::Double(static_cast<double>(a[0].AsUint()));
}
Value DoubleOfString(const Call& c, const Value* a, std::size_t) {
  std::string_view text = a[0].AsString();
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  double v = 0;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), v);
  if (r.ptr != text.data() + text.size() || text.empty()) return c.Fail("type conversion error: not a double");
  if (r.ec == std::errc::result_out_of_range) return c.Fail(kRange);
  if (r.ec != std::errc()) return c.Fail("type conversion error: not a double");
  return Value::Double(v);
}
Value DoubleOfDecimal(const Call& c, const Value* a, std::size_t n) {
  const std::string text = a[0].AsDecimal().ToString();
  const Value v = Value::String(text);
  return DoubleOfString(c, &v, n);
}

// --- string
Value Print(const Call& c, const std::string& text) { return Value::String(c.arena.Copy(text)); }
Value StringOfDouble(const Call& c, const Value* a, std::size_t) {
  const double v = a[0].AsDouble();
  if (std::isnan(v)) return Value::String("NaN");
  if (std::isinf(v)) return Value::String(v > 0 ? "+Inf" : "-Inf");
  char buffer[40];
  const auto r = std::to_chars(buffer, buffer + sizeof buffer, v);
  return Value::String(c.arena.Copy({buffer, static_cast<std::size_t>(r.ptr - buffer)}));
}
Value StringOfDisplay(const Call& c, const Value* a, std::size_t) { return Print(c, value::ToDisplay(a[0])); }
Value StringOfBytes(const Call& c, const Value* a, std::size_t) {
  if (!c.Charge(a[0].AsString().size())) return c.Fail(kCostLimit);
  if (!IsValidUtf8(a[0].AsString())) return c.Fail("invalid UTF-8 in bytes, cannot convert to string");
  return Value::String(a[0].AsString());
}
Value BytesOfString(const Call&, const Value* a, std::size_t) { return Value::Bytes(a[0].AsString()); }

Value BoolOfString(const Call& c, const Value* a, std::size_t) {
  const std::string_view t = a[0].AsString();
  for (const std::string_view yes : {"true", "True", "TRUE", "t", "T", "1"}) {
    if (t == yes) return Value::Bool(true);
  }
  for (const std::string_view no : {"false", "False", "FALSE", "f", "F", "0"}) {
    if (t == no) return Value::Bool(false);
  }
  return c.Fail("type conversion error: not a bool");
}

Value TypeOfValue(const Call&, const Value* a, std::size_t) { return Value::Type(value::KindName(a[0].kind())); }

constexpr std::array kRows{
    FunctionRow{"size(string) -> int", SizeString, "", "长度：字符数、字节数、元素数",
                "Length in characters, bytes or elements"},
    FunctionRow{"size(bytes) -> int", SizeBytes, "", "", ""},
    FunctionRow{"size(list(A)) -> int", SizeList, "", "", ""},
    FunctionRow{"size(map(A, B)) -> int", SizeMap, "", "", ""},
    FunctionRow{"string.size() -> int", SizeString, "", "", ""},
    FunctionRow{"bytes.size() -> int", SizeBytes, "", "", ""},
    FunctionRow{"list(A).size() -> int", SizeList, "", "", ""},
    FunctionRow{"map(A, B).size() -> int", SizeMap, "", "", ""},
    FunctionRow{"string.contains(string) -> bool", Contains, "", "包含文字", "Contains the text"},
    FunctionRow{"string.startsWith(string) -> bool", StartsWith, "", "以文字开头", "Begins with the text"},
    FunctionRow{"string.endsWith(string) -> bool", EndsWith, "", "以文字结尾", "Ends with the text"},
    FunctionRow{"string.matches(string) -> bool", Matches, "", "与正则表达式（RE2）有匹配",
                "Some part matches the RE2 expression"},
    FunctionRow{"matches(string, string) -> bool", Matches, "", "", ""},
    FunctionRow{"dyn(A) -> dyn", Same, "+", "去掉静态类型", "Drops the static type"},
    FunctionRow{"type(A) -> type(A)", TypeOfValue, "", "值的类型", "The type of a value"},
    FunctionRow{"bool(bool) -> bool", Same, "+", "转为布尔值", "Converts to bool"},
    FunctionRow{"bool(string) -> bool", BoolOfString, "", "", ""},
    FunctionRow{"int(int) -> int", Same, "+", "转为整数", "Converts to int"},
    FunctionRow{"int(uint) -> int", IntOfUint, "+", "", ""},
    FunctionRow{"int(double) -> int", IntOfDouble, "+", "", ""},
    FunctionRow{"int(string) -> int", IntOfString, "", "", ""},
    FunctionRow{"int(timestamp) -> int", IntOfTimestamp, "+", "", ""},
    FunctionRow{"int(decimal) -> int", IntOfDecimal, "whole", "", ""},
    FunctionRow{"uint(uint) -> uint", Same, "+", "转为无符号整数", "Converts to uint"},
    FunctionRow{"uint(int) -> uint", UintOfInt, "+", "", ""},
    FunctionRow{"uint(double) -> uint", UintOfDouble, "+", "", ""},
    FunctionRow{"uint(string) -> uint", UintOfString, "", "", ""},
    FunctionRow{"double(double) -> double", Same, "+", "转为浮点数", "Converts to double"},
    FunctionRow{"double(int) -> double", DoubleOfInt, "+", "", ""},
    FunctionRow{"double(uint) -> double", DoubleOfUint, "+", "", ""},
    FunctionRow{"double(string) -> double", DoubleOfString, "", "", ""},
    FunctionRow{"double(decimal) -> double", DoubleOfDecimal, "+", "", ""},
    FunctionRow{"string(string) -> string", Same, "", "转为文字", "Converts to text"},
    FunctionRow{"string(bool) -> string", StringOfDisplay, "", "", ""},
    FunctionRow{"string(int) -> string", StringOfDisplay, "", "", ""},
    FunctionRow{"string(uint) -> string", StringOfDisplay, "", "", ""},
    FunctionRow{"string(double) -> string", StringOfDouble, "", "", ""},
    FunctionRow{"string(bytes) -> string", StringOfBytes, "", "", ""},
    FunctionRow{"string(timestamp) -> string", StringOfDisplay, "", "", ""},
    FunctionRow{"string(duration) -> string", StringOfDisplay, "", "", ""},
    FunctionRow{"string(date) -> string", StringOfDisplay, "", "", ""},
    FunctionRow{"string(period) -> string", StringOfDisplay, "", "", ""},
    FunctionRow{"string(decimal) -> string", StringOfDisplay, "", "", ""},
    FunctionRow{"bytes(bytes) -> bytes", Same, "", "转为字节", "Converts to bytes"},
    FunctionRow{"bytes(string) -> bytes", BytesOfString, "", "", ""},
};

}  // namespace

std::span<const FunctionRow> StandardFunctions() { return kRows; }

std::shared_ptr<const re2::RE2> CompileRegex(std::string_view pattern) {
  constexpr std::int64_t kMaxMemory = std::int64_t{1} << 20;
  if (pattern.size() > 4096) return nullptr;
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(kMaxMemory);
  auto regex = std::make_shared<re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!regex->ok()) return nullptr;
  return regex;
}

}  // namespace zhitui::cel
