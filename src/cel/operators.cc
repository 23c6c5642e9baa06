// Operators on known values.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "cel/eval.h"
#include "cel/text.h"

namespace zhitui::cel {
namespace {

using value::Decimal;
using value::Kind;
using value::MapEntry;
using value::Period;

constexpr std::string_view kOverflow = "integer overflow";
constexpr std::string_view kDivideByZero = "divide by zero";
constexpr std::string_view kModulusByZero = "modulus by zero";
constexpr std::string_view kNoSuchKey = "no such key";
constexpr std::string_view kDateRange = "range error: the date is outside the years 0001 to 9999";

Value IntArithmetic(const Call& c, Op op, std::int64_t a, std::int64_t b) {
  std::int64_t r = 0;
  bool overflow = false;
  switch (op) {
    case Op::kAdd:
      overflow = __builtin_add_overflow(a, b, &r);
      break;
    case Op::kSubtract:
      overflow = __builtin_sub_overflow(a, b, &r);
      break;
    case Op::kMultiply:
      overflow = __builtin_mul_overflow(a, b, &r);
      break;
    default:
      if (b == 0) return c.Fail(op == Op::kDivide ? kDivideByZero : kModulusByZero);
      if (a == std::numeric_limits<std::int64_t>::min() && b == -1) return c.Fail(kOverflow);
      r = op == Op::kDivide ? a / b : a % b;
  }
  return overflow ? c.Fail(kOverflow) : Value::Int(r);
}

Value UintArithmetic(const Call& c, Op op, std::uint64_t a, std::uint64_t b) {
  std::uint64_t r = 0;
  bool overflow = false;
  switch (op) {
    case Op::kAdd:
      overflow = __builtin_add_overflow(a, b, &r);
      break;
    case Op::kSubtract:
      overflow = __builtin_sub_overflow(a, b, &r);
      break;
    case Op::kMultiply:
      overflow = __builtin_mul_overflow(a, b, &r);
      break;
    default:
      if (b == 0) return c.Fail(op == Op::kDivide ? kDivideByZero : kModulusByZero);
      r = op == Op::kDivide ? a / b : a % b;
  }
  return overflow ? c.Fail(kOverflow) : Value::Uint(r);
}

Value DoubleArithmetic(const Call& c, Op op, double a, double b) {
  switch (op) {
    case Op::kAdd:
      return Value::Double(a + b);
    case Op::kSubtract:
      return Value::Double(a - b);
    case Op::kMultiply:
      return Value::Double(a * b);
    case Op::kDivide:
      return Value::Double(a / b);
    default:
      return c.Fail(kNoOverload);
  }
}

Value DecimalArithmetic(const Call& c, Op op, Decimal a, Decimal b) {
  std::optional<Decimal> r;
  switch (op) {
    case Op::kAdd:
      r = Decimal::Add(a, b);
      break;
    case Op::kSubtract:
      r = Decimal::Subtract(a, b);
      break;
    case Op::kMultiply:
      r = Decimal::Multiply(a, b);
      break;
    default:
      return c.Fail(kNoOverload);
  }
  return r ? Value::OfDecimal(*r) : c.Fail("decimal overflow");
}

Value DateArithmetic(const Call& c, Date d, Period p) {
  const std::optional<Date> r = value::AddPeriod(d, p);
  return r ? Value::OfDate(*r) : c.Fail(kDateRange);
}

Period Negated(Period p) { return {-p.months, -p.days}; }  // periods keep clear of the least int

Value PeriodSum(const Call& c, Period a, Period b) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int32_t>::max();
  const std::int64_t months = std::int64_t{a.months} + b.months;
  const std::int64_t days = std::int64_t{a.days} + b.days;
  if (months > kMax || months < -kMax || days > kMax || days < -kMax) {
    return c.Fail("range error: the period is too long");
  }
  return Value::OfPeriod({static_cast<std::int32_t>(months), static_cast<std::int32_t>(days)});
}

Value MakeTimestamp(const Call& c, std::int64_t seconds, std::int64_t nanos) {
  constexpr std::int64_t kGiga = 1000000000;
  seconds += nanos / kGiga;
  nanos %= kGiga;
  if (nanos < 0) {
    nanos += kGiga;
    --seconds;
  }
  if (seconds < kMinTimestamp || seconds > kMaxTimestamp) return c.Fail("range error: timestamp");
  return Value::Timestamp(seconds, static_cast<std::uint32_t>(nanos));
}

Value MakeSpan(const Call& c, std::int64_t seconds, std::int64_t nanos) {
  Value v;
  return MakeDuration(seconds, nanos, v) ? v : c.Fail("range error: duration");
}

Value TimeArithmetic(const Call& c, Op op, const Value& a, const Value& b) {
  const bool add = op == Op::kAdd;
  if (a.is(Kind::kTimestamp) && b.is(Kind::kDuration) && (add || op == Op::kSubtract)) {
    return add ? MakeTimestamp(c, a.Seconds() + b.Seconds(), std::int64_t{a.Nanos()} + b.Nanos())
               : MakeTimestamp(c, a.Seconds() - b.Seconds(), std::int64_t{a.Nanos()} - b.Nanos());
  }
  if (a.is(Kind::kDuration) && b.is(Kind::kTimestamp) && add) return TimeArithmetic(c, op, b, a);
  if (a.is(Kind::kTimestamp) && b.is(Kind::kTimestamp) && op == Op::kSubtract) {
    return MakeSpan(c, a.Seconds() - b.Seconds(), std::int64_t{a.Nanos()} - b.Nanos());
  }
  if (a.is(Kind::kDuration) && b.is(Kind::kDuration) && (add || op == Op::kSubtract)) {
    return add ? MakeSpan(c, a.Seconds() + b.Seconds(), std::int64_t{a.Nanos()} + b.Nanos())
               : MakeSpan(c, a.Seconds() - b.Seconds(), std::int64_t{a.Nanos()} - b.Nanos());
  }
  return c.Fail(kNoOverload);
}

Value Concatenate(const Call& c, const Value& a, const Value& b) {
  if (a.is(Kind::kList)) {
    const std::span<const Value> x = a.AsList();
    const std::span<const Value> y = b.AsList();
    if (x.empty()) return b;
    if (y.empty()) return a;
    if (!c.Charge((x.size() + y.size()) * sizeof(Value))) return c.Fail(kCostLimit);
    Value* out = c.arena.NewArray<Value>(x.size() + y.size());
    std::copy(x.begin(), x.end(), out);
    std::copy(y.begin(), y.end(), out + x.size());
    return Value::List({out, x.size() + y.size()});
  }
  const std::string_view x = a.AsString();
  const std::string_view y = b.AsString();
  if (!c.Charge(x.size() + y.size() + 16)) return c.Fail(kCostLimit);
  char* out = c.arena.NewArray<char>(x.size() + y.size());
  if (!x.empty()) std::memcpy(out, x.data(), x.size());
  if (!y.empty()) std::memcpy(out + x.size(), y.data(), y.size());
  const std::string_view joined(out, x.size() + y.size());
  return a.is(Kind::kString) ? Value::String(joined) : Value::Bytes(joined);
}

// A list index that is a whole number in range; false otherwise with the error.
bool ListIndex(const Call& c, std::span<const Value> list, const Value& index, std::size_t& out, Value& error) {
  std::int64_t i = -1;
  switch (index.kind()) {
    case Kind::kInt:
      i = index.AsInt();
      break;
    case Kind::kUint:
      i = index.AsUint() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())
              ? -1
              : static_cast<std::int64_t>(index.AsUint());
      break;
    case Kind::kDouble: {
      const double d = index.AsDouble();
      if (d != std::floor(d) || !(std::fabs(d) < 1e15)) {
        error = c.Fail("invalid argument: a list index is a whole number");
        return false;
      }
      i = static_cast<std::int64_t>(d);
      break;
    }
    default:
      error = c.Fail(kNoOverload);
      return false;
  }
  if (i < 0 || static_cast<std::uint64_t>(i) >= list.size()) {
    error = c.Fail("index out of bounds");
    return false;
  }
  out = static_cast<std::size_t>(i);
  return true;
}

bool IsKey(const Value& v) {
  return v.is(Kind::kString) || v.is(Kind::kInt) || v.is(Kind::kUint) || v.is(Kind::kBool) || v.is(Kind::kDouble);
}

const Value* FindKey(const Call& c, std::span<const MapEntry> map, const Value& key) {
  if (map.size() > 16 && !c.Charge(map.size() * 4)) return nullptr;
  for (const MapEntry& e : map) {
    if (value::Equals(e.key, key)) return &e.value;
  }
  return nullptr;
}

// Equality that counts what it goes over: a value may stand in another many times over. False with `done` unset when
// the budget is used up.
bool EqualCharged(const Call& c, const Value& a, const Value& b, bool& done) {
  if (a.is(Kind::kOptional) && b.is(Kind::kOptional)) {
    if (a.AsOptional() == nullptr || b.AsOptional() == nullptr) return a.AsOptional() == b.AsOptional();
    return EqualCharged(c, *a.AsOptional(), *b.AsOptional(), done);
  }
  if (a.is(Kind::kList) && b.is(Kind::kList)) {
    const std::span<const Value> x = a.AsList();
    const std::span<const Value> y = b.AsList();
    if (x.size() != y.size()) return false;
    if (!c.Charge(x.size() * sizeof(Value))) return done = false;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (!EqualCharged(c, x[i], y[i], done)) return false;
    }
    return true;
  }
  if (a.is(Kind::kMap) && b.is(Kind::kMap)) {
    // Each key is compared with each key at worst.
    const std::span<const MapEntry> x = a.AsMap();
    const std::span<const MapEntry> y = b.AsMap();
    if (x.size() != y.size()) return false;
    if (!c.Charge(x.size() * std::max(y.size(), sizeof(Value)))) return done = false;
    for (const MapEntry& e : x) {
      const auto same =
          std::find_if(y.begin(), y.end(), [&](const MapEntry& o) { return value::Equals(o.key, e.key); });
      if (same == y.end() || !EqualCharged(c, e.value, same->value, done)) return false;
    }
    return true;
  }
  return value::Equals(a, b);
}

const Value* FindField(const Call& c, std::span<const MapEntry> map, std::string_view field) {
  if (map.size() > 16 && !c.Charge(map.size() * 4)) return nullptr;
  for (const MapEntry& e : map) {
    if (e.key.is(Kind::kString) && e.key.AsString() == field) return &e.value;
  }
  return nullptr;
}

}  // namespace

Value Arithmetic(const Call& c, Op op, const Value& a, const Value& b) {
  if (a.kind() == b.kind()) {
    switch (a.kind()) {
      case Kind::kInt:
        return IntArithmetic(c, op, a.AsInt(), b.AsInt());
      case Kind::kUint:
        return UintArithmetic(c, op, a.AsUint(), b.AsUint());
      case Kind::kDouble:
        return DoubleArithmetic(c, op, a.AsDouble(), b.AsDouble());
      case Kind::kDecimal:
        return DecimalArithmetic(c, op, a.AsDecimal(), b.AsDecimal());
      case Kind::kString:
      case Kind::kBytes:
      case Kind::kList:
        return op == Op::kAdd ? Concatenate(c, a, b) : c.Fail(kNoOverload);
      case Kind::kPeriod:
        if (op == Op::kAdd) return PeriodSum(c, a.AsPeriod(), b.AsPeriod());
        if (op == Op::kSubtract) return PeriodSum(c, a.AsPeriod(), Negated(b.AsPeriod()));
        return c.Fail(kNoOverload);
      case Kind::kDate:
        return op == Op::kSubtract ? Value::Int((a.AsDate() - b.AsDate()).count()) : c.Fail(kNoOverload);
      case Kind::kTimestamp:
      case Kind::kDuration:
        return TimeArithmetic(c, op, a, b);
      default:
        return c.Fail(kNoOverload);
    }
  }
  if (a.is(Kind::kDate) && b.is(Kind::kPeriod)) {
    if (op == Op::kAdd) return DateArithmetic(c, a.AsDate(), b.AsPeriod());
    if (op == Op::kSubtract) return DateArithmetic(c, a.AsDate(), Negated(b.AsPeriod()));
    return c.Fail(kNoOverload);
  }
  if (a.is(Kind::kPeriod) && b.is(Kind::kDate) && op == Op::kAdd) return DateArithmetic(c, b.AsDate(), a.AsPeriod());
  if (a.is(Kind::kDecimal) && b.is(Kind::kInt)) return DecimalArithmetic(c, op, a.AsDecimal(), {b.AsInt(), 0});
  if (a.is(Kind::kInt) && b.is(Kind::kDecimal)) return DecimalArithmetic(c, op, {a.AsInt(), 0}, b.AsDecimal());
  return TimeArithmetic(c, op, a, b);
}

Value Negate(const Call& c, const Value& a) {
  switch (a.kind()) {
    case Kind::kInt:
      return IntArithmetic(c, Op::kSubtract, 0, a.AsInt());
    case Kind::kDouble:
      return Value::Double(-a.AsDouble());
    case Kind::kDecimal:
      return DecimalArithmetic(c, Op::kSubtract, {0, a.AsDecimal().scale}, a.AsDecimal());
    default:
      return c.Fail(kNoOverload);
  }
}

Value CompareWith(const Call& c, Op op, const Value& a, const Value& b) {
  int order = 0;
  if (a.is(Kind::kInt) && b.is(Kind::kInt)) {
    order = a.AsInt() < b.AsInt() ? -1 : a.AsInt() > b.AsInt() ? 1 : 0;
  } else if (a.is(Kind::kDate) && b.is(Kind::kDate)) {
    order = a.AsDate() < b.AsDate() ? -1 : a.AsDate() > b.AsDate() ? 1 : 0;
  } else {
    const std::optional<int> r = value::Compare(a, b);
    if (!r) {
      const bool numbers = (a.is(Kind::kDouble) || b.is(Kind::kDouble)) && a.kind() >= Kind::kInt &&
                           a.kind() <= Kind::kDouble && b.kind() >= Kind::kInt && b.kind() <= Kind::kDouble;
      return numbers ? Value::Bool(false) : c.Fail(kNoOverload);  // NaN has no order
    }
    order = *r;
  }
  switch (op) {
    case Op::kLess:
      return Value::Bool(order < 0);
    case Op::kLessEqual:
      return Value::Bool(order <= 0);
    case Op::kGreater:
      return Value::Bool(order > 0);
    default:
      return Value::Bool(order >= 0);
  }
}

Value EqualWith(const Call& c, const Value& a, const Value& b, bool negated) {
  bool done = true;
  const bool equal = EqualCharged(c, a, b, done);
  return done ? Value::Bool(equal != negated) : c.Fail(kCostLimit);
}

Value Contains(const Call& c, const Value& item, const Value& container) {
  if (container.is(Kind::kList)) {
    const std::span<const Value> list = container.AsList();
    if (list.size() > 16 && !c.Charge(list.size() * 4)) return c.Fail(kCostLimit);
    for (const Value& v : list) {
      bool done = true;
      if (EqualCharged(c, v, item, done)) return Value::Bool(true);
      if (!done) return c.Fail(kCostLimit);
    }
    return Value::Bool(false);
  }
  if (container.is(Kind::kMap)) return Value::Bool(FindKey(c, container.AsMap(), item) != nullptr);
  return c.Fail(kNoOverload);
}

Value SelectField(const Call& c, const Value& operand, std::string_view field) {
  if (operand.is(Kind::kMap)) {
    const Value* v = FindField(c, operand.AsMap(), field);
    return v != nullptr ? *v : c.Fail(kNoSuchKey);
  }
  if (operand.is(Kind::kOptional)) return OptionalIndex(c, operand, Value::String(field));
  return c.Fail(operand.is(Kind::kNull) ? kNoSuchKey : kNoOverload);
}

Value HasField(const Call& c, const Value& operand, std::string_view field) {
  if (operand.is(Kind::kMap)) return Value::Bool(FindField(c, operand.AsMap(), field) != nullptr);
  if (operand.is(Kind::kOptional)) {
    return operand.AsOptional() == nullptr ? Value::Bool(false) : HasField(c, *operand.AsOptional(), field);
  }
  return c.Fail(kNoOverload);
}

Value IndexInto(const Call& c, const Value& operand, const Value& index) {
  if (operand.is(Kind::kList)) {
    std::size_t i = 0;
    Value error;
    return ListIndex(c, operand.AsList(), index, i, error) ? operand.AsList()[i] : error;
  }
  if (operand.is(Kind::kMap)) {
    if (!IsKey(index)) return c.Fail(kNoOverload);
    const Value* v = FindKey(c, operand.AsMap(), index);
    return v != nullptr ? *v : c.Fail(kNoSuchKey);
  }
  if (operand.is(Kind::kOptional)) return OptionalIndex(c, operand, index);
  return c.Fail(kNoOverload);
}

Value OptionalIndex(const Call& c, const Value& operand, const Value& index) {
  const Value* inner = &operand;
  if (operand.is(Kind::kOptional)) {
    if (operand.AsOptional() == nullptr) return operand;
    inner = operand.AsOptional();
  }
  const Value* found = nullptr;
  if (inner->is(Kind::kMap)) {
    if (!IsKey(index)) return c.Fail(kNoOverload);
    found = FindKey(c, inner->AsMap(), index);
  } else if (inner->is(Kind::kList)) {
    std::size_t i = 0;
    Value error;
    if (ListIndex(c, inner->AsList(), index, i, error)) {
      found = &inner->AsList()[i];
    } else if (!index.is(Kind::kInt) && !index.is(Kind::kUint)) {
      return error;
    }
  } else {
    return c.Fail(inner->is(Kind::kNull) ? kNoSuchKey : kNoOverload);
  }
  if (found == nullptr) return Value::Optional(nullptr);
  Value* copy = c.arena.NewArray<Value>(1);
  *copy = *found;
  return Value::Optional(copy);
}

}  // namespace zhitui::cel
