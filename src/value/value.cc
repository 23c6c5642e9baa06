#include "value/value.h"

#include <cmath>
#include <cstring>
#include <limits>

namespace zhitui::value {
namespace {

constexpr double kTwo63 = 9223372036854775808.0;
constexpr double kTwo64 = 18446744073709551616.0;

template <class T>
int Order(T a, T b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

int CompareIntUint(std::int64_t a, std::uint64_t b) { return a < 0 ? -1 : Order(static_cast<std::uint64_t>(a), b); }

// Exact: the double is split into its integer part, which fits once it is in range, and the rest. One exception, which
// CEL's conformance suite demands: the first double past the range, 2^63, counts as the largest int (2^64 for uint).
std::optional<int> CompareIntDouble(std::int64_t a, double b) {
  if (std::isnan(b)) return std::nullopt;
  if (b == kTwo63) return a == std::numeric_limits<std::int64_t>::max() ? 0 : -1;
  if (b > kTwo63) return -1;
  if (b < -kTwo63) return 1;
  const double whole = std::trunc(b);
  const int order = Order(a, static_cast<std::int64_t>(whole));
  return order != 0 ? order : Order(whole, b);
}

std::optional<int> CompareUintDouble(std::uint64_t a, double b) {
  if (std::isnan(b)) return std::nullopt;
  if (b == kTwo64) return a == std::numeric_limits<std::uint64_t>::max() ? 0 : -1;
  if (b > kTwo64) return -1;
  if (b < 0) return 1;
  const double whole = std::trunc(b);
  const int order = Order(a, static_cast<std::uint64_t>(whole));
  return order != 0 ? order : Order(whole, b);
}

std::optional<int> Reversed(std::optional<int> order) {
  if (order) order = -*order;
  return order;
}

bool IsNumber(Kind k) { return k == Kind::kInt || k == Kind::kUint || k == Kind::kDouble; }

std::optional<int> CompareNumbers(const Value& a, const Value& b) {
  switch (a.kind()) {
    case Kind::kInt:
      if (b.is(Kind::kInt)) return Order(a.AsInt(), b.AsInt());
      if (b.is(Kind::kUint)) return CompareIntUint(a.AsInt(), b.AsUint());
      return CompareIntDouble(a.AsInt(), b.AsDouble());
    case Kind::kUint:
      if (b.is(Kind::kUint)) return Order(a.AsUint(), b.AsUint());
      if (b.is(Kind::kInt)) return -CompareIntUint(b.AsInt(), a.AsUint());
      return CompareUintDouble(a.AsUint(), b.AsDouble());
    default:
      if (b.is(Kind::kInt)) return Reversed(CompareIntDouble(b.AsInt(), a.AsDouble()));
      if (b.is(Kind::kUint)) return Reversed(CompareUintDouble(b.AsUint(), a.AsDouble()));
      if (std::isnan(a.AsDouble()) || std::isnan(b.AsDouble())) return std::nullopt;
      return Order(a.AsDouble(), b.AsDouble());
  }
}

std::optional<int> CompareDecimal(Decimal a, const Value& b) {
  switch (b.kind()) {
    case Kind::kDecimal:
      return Decimal::Compare(a, b.AsDecimal());
    case Kind::kInt:
      return Decimal::Compare(a, Decimal{b.AsInt(), 0});
    case Kind::kUint:
      if (b.AsUint() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return -1;
      return Decimal::Compare(a, Decimal{static_cast<std::int64_t>(b.AsUint()), 0});
    default:
      return std::nullopt;
  }
}

bool MapsEqual(std::span<const MapEntry> a, std::span<const MapEntry> b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    bool found = false;
    for (std::size_t k = 0; k < b.size() && !found; ++k) {
      const MapEntry& other = b[(i + k) % b.size()];  // maps built the same way match at once
      if (Equals(a[i].key, other.key)) {
        if (!Equals(a[i].value, other.value)) return false;
        found = true;
      }
    }
    if (!found) return false;
  }
  return true;
}

}  // namespace

const char* KindName(Kind kind) {
  switch (kind) {
    case Kind::kNull:
      return "null_type";
    case Kind::kBool:
      return "bool";
    case Kind::kInt:
      return "int";
    case Kind::kUint:
      return "uint";
    case Kind::kDouble:
      return "double";
    case Kind::kString:
      return "string";
    case Kind::kBytes:
      return "bytes";
    case Kind::kList:
      return "list";
    case Kind::kMap:
      return "map";
    case Kind::kTimestamp:
      return "google.protobuf.Timestamp";
    case Kind::kDuration:
      return "google.protobuf.Duration";
    case Kind::kDate:
      return "date";
    case Kind::kPeriod:
      return "period";
    case Kind::kDecimal:
      return "decimal";
    case Kind::kType:
      return "type";
    case Kind::kOptional:
      return "optional_type";
    case Kind::kIp:
      return "net.IP";
    case Kind::kCidr:
      return "net.CIDR";
    case Kind::kUnknown:
      return "unknown";
    case Kind::kError:
      return "error";
  }
  return "error";
}

Value Value::Double(double v) {
  Value r(Kind::kDouble, 0, std::int64_t{0});
  r.d_ = v;
  return r;
}
Value Value::Map(std::span<const MapEntry> v) {
  Value r(Kind::kMap, static_cast<std::uint32_t>(v.size()), 0);
  r.p_ = v.data();
  return r;
}
Value Value::OfPeriod(Period p) { return Value(Kind::kPeriod, static_cast<std::uint32_t>(p.days), p.months); }
Value Value::Type(std::string_view name) {
  Value r(Kind::kType, static_cast<std::uint32_t>(name.size()), 0);
  r.p_ = name.data();
  return r;
}
Value Value::Optional(const Value* v) {
  Value r(Kind::kOptional, 0, std::int64_t{0});
  r.p_ = v;
  return r;
}

std::span<const MapEntry> Value::AsMap() const { return {static_cast<const MapEntry*>(p_), aux_}; }
Period Value::AsPeriod() const { return {static_cast<std::int32_t>(i_), static_cast<std::int32_t>(aux_)}; }
const Value* Value::AsOptional() const { return static_cast<const Value*>(p_); }

const UnknownSet& Value::AsUnknown() const {
  static constexpr UnknownSet kNone{};
  return p_ == nullptr ? kNone : *static_cast<const UnknownSet*>(p_);
}
const ErrorInfo& Value::AsError() const {
  static constexpr ErrorInfo kUnnamed{"error", 0};
  return p_ == nullptr ? kUnnamed : *static_cast<const ErrorInfo*>(p_);
}

bool Equals(const Value& a, const Value& b) {
  if (IsNumber(a.kind()) && IsNumber(b.kind())) return CompareNumbers(a, b) == 0;
  if (a.is(Kind::kDecimal)) return CompareDecimal(a.AsDecimal(), b) == 0;
  if (b.is(Kind::kDecimal)) return CompareDecimal(b.AsDecimal(), a) == 0;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::kNull:
      return true;
    case Kind::kBool:
    case Kind::kDate:
      return a.AsInt() == b.AsInt();
    case Kind::kString:
    case Kind::kBytes:
    case Kind::kType:
      return a.AsString() == b.AsString();
    case Kind::kTimestamp:
    case Kind::kDuration:
      return a.Seconds() == b.Seconds() && a.Nanos() == b.Nanos();
    case Kind::kPeriod:
      return a.AsPeriod() == b.AsPeriod();
    case Kind::kList: {
      const std::span<const Value> x = a.AsList();
      const std::span<const Value> y = b.AsList();
      if (x.size() != y.size()) return false;
      for (std::size_t i = 0; i < x.size(); ++i) {
        if (!Equals(x[i], y[i])) return false;
      }
      return true;
    }
    case Kind::kMap:
      return MapsEqual(a.AsMap(), b.AsMap());
    case Kind::kIp:
      return a.AsNetwork().bytes == b.AsNetwork().bytes;
    case Kind::kCidr: {
      const Network& x = a.AsNetwork();
      const Network& y = b.AsNetwork();
      return x.bytes == y.bytes && x.prefix == y.prefix && x.family == y.family;
    }
    case Kind::kOptional: {
      const Value* x = a.AsOptional();
      const Value* y = b.AsOptional();
      return x == nullptr || y == nullptr ? x == y : Equals(*x, *y);
    }
    default:
      return false;
  }
}

std::optional<int> Compare(const Value& a, const Value& b) {
  if (IsNumber(a.kind()) && IsNumber(b.kind())) return CompareNumbers(a, b);
  if (a.is(Kind::kDecimal)) return CompareDecimal(a.AsDecimal(), b);
  if (b.is(Kind::kDecimal)) return Reversed(CompareDecimal(b.AsDecimal(), a));
  if (a.kind() != b.kind()) return std::nullopt;
  switch (a.kind()) {
    case Kind::kBool:
    case Kind::kDate:
      return Order(a.AsInt(), b.AsInt());
    // UTF-8 keeps the order of code points bytewise; char_traits<char> compares as unsigned char.
    case Kind::kString:
    case Kind::kBytes:
      return Order(a.AsString().compare(b.AsString()), 0);
    case Kind::kTimestamp:
    case Kind::kDuration: {
      const int order = Order(a.Seconds(), b.Seconds());
      return order != 0 ? order : Order(a.Nanos(), b.Nanos());
    }
    default:
      return std::nullopt;
  }
}

Value DeepCopy(const Value& v, Arena& arena) {
  switch (v.kind()) {
    case Kind::kString:
      return Value::Code(arena.Copy(v.AsString()), v.CodeNumber());
    case Kind::kBytes:
      return Value::Bytes(arena.Copy(v.AsString()));
    case Kind::kType:
      return Value::Type(arena.Copy(v.AsString()));
    case Kind::kList: {
      const std::span<const Value> from = v.AsList();
      Value* to = arena.NewArray<Value>(from.size());
      for (std::size_t i = 0; i < from.size(); ++i) to[i] = DeepCopy(from[i], arena);
      return Value::List({to, from.size()});
    }
    case Kind::kMap: {
      const std::span<const MapEntry> from = v.AsMap();
      MapEntry* to = arena.NewArray<MapEntry>(from.size());
      for (std::size_t i = 0; i < from.size(); ++i) {
        to[i] = MapEntry{DeepCopy(from[i].key, arena), DeepCopy(from[i].value, arena)};
      }
      return Value::Map({to, from.size()});
    }
    case Kind::kOptional: {
      if (v.AsOptional() == nullptr) return v;
      Value* to = arena.NewArray<Value>(1);
      *to = DeepCopy(*v.AsOptional(), arena);
      return Value::Optional(to);
    }
    case Kind::kIp:
    case Kind::kCidr: {
      auto* to = arena.NewArray<Network>(1);
      *to = v.AsNetwork();
      return Value::OfNetwork(v.kind(), to);
    }
    case Kind::kUnknown: {
      const UnknownSet& from = v.AsUnknown();
      auto* slots = arena.NewArray<std::uint32_t>(from.count);
      if (from.count > 0) std::memcpy(slots, from.slots, from.count * sizeof(std::uint32_t));
      auto* set = arena.NewArray<UnknownSet>(1);
      *set = UnknownSet{from.count, slots};
      return Value::Unknown(set);
    }
    case Kind::kError: {
      auto* info = arena.NewArray<ErrorInfo>(1);
      *info = ErrorInfo{arena.Copy(v.AsError().message), v.AsError().offset};
      return Value::Error(info);
    }
    default:
      return v;
  }
}

}  // namespace zhitui::value
