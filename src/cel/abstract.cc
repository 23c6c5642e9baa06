#include "cel/abstract.h"

#include <algorithm>
#include <cmath>

#include "cel/law.h"

namespace zhitui::cel {
namespace {

using value::Kind;

constexpr std::size_t kMaxArguments = 4;

// A pair of bounds, true and false included.
struct Bounds {
  Value lo;
  Value hi;
};
Bounds BoundsOf(const Abs& a) {
  if (a.tag == Abs::Tag::kBools) return {Value::Bool(false), Value::Bool(true)};
  return {a.lo, a.exact() ? a.lo : a.hi};
}

bool IsFiniteNumber(const Value& v) { return !v.is(Kind::kDouble) || std::isfinite(v.AsDouble()); }

// The range over some values; Top when one of them is not a plain value.
Abs Hull(std::span<const Value> values) {
  Value lo = values[0];
  Value hi = values[0];
  std::uint8_t scale = 0;
  for (const Value& v : values) {
    if (IsOpen(v) || !IsFiniteNumber(v)) return Top();
    const std::optional<int> with_lo = value::Compare(v, lo);
    const std::optional<int> with_hi = value::Compare(v, hi);
    if (!with_lo || !with_hi || v.kind() != lo.kind()) return Top();
    if (*with_lo < 0) lo = v;
    if (*with_hi > 0) hi = v;
    if (v.is(Kind::kDecimal)) scale = std::max(scale, v.AsDecimal().scale);
  }
  Abs out = Range(lo, hi);
  if (out.tag == Abs::Tag::kRange) out.scale = scale;
  return out;
}

std::int64_t PowerOfTen(unsigned n) {
  std::int64_t v = 1;
  for (unsigned i = 0; i < n; ++i) v *= 10;  // 10^18 is the most
  return v;
}

// -1, 1, or 0 when the bounds hold zero or are no number.
int SignOf(const Bounds& b) {
  const Value zero = Value::Int(0);
  const std::optional<int> lo = value::Compare(b.lo, zero);
  const std::optional<int> hi = value::Compare(b.hi, zero);
  if (!lo || !hi) return 0;
  return *lo > 0 ? 1 : *hi < 0 ? -1 : 0;
}

std::uint8_t ScaleOf(const Abs& a) {
  if (a.tag == Abs::Tag::kRange) return a.scale;
  return a.lo.is(Kind::kDecimal) ? a.lo.AsDecimal().scale : std::uint8_t{0};
}

// Whether every decimal within the bounds that has at most `scale` digits after the point can be held: then no
// operation whose results lie there overflows.
bool Holds(const Bounds& b, unsigned scale) {
  if (scale > static_cast<unsigned>(value::kMaxDecimalDigits)) return false;
  const auto fits = [scale](const Value& v) {
    const value::Decimal d = v.AsDecimal();
    return value::Decimal::Multiply(value::Decimal{d.coefficient, 0},
                                    value::Decimal{PowerOfTen(scale - std::min<unsigned>(d.scale, scale)), 0})
        .has_value();
  };
  return fits(b.lo) && fits(b.hi);
}

Abs Corners(const Call& c, Op op, const Bounds& x, const Bounds& y) {
  const Value corners[4] = {Arithmetic(c, op, x.lo, y.lo), Arithmetic(c, op, x.lo, y.hi), Arithmetic(c, op, x.hi, y.lo),
                            Arithmetic(c, op, x.hi, y.hi)};
  return Hull(corners);
}

// Between two decimals lie some with more digits than they have, which may overflow where the two do not: `scale`
// bounds the digits.
Abs DecimalArithmetic(const Call& c, Op op, const Abs& a, const Abs& b) {
  const Bounds x = BoundsOf(a);
  const Bounds y = BoundsOf(b);
  const Value first = Arithmetic(c, op, x.lo, y.lo);
  if (first.is(Kind::kError) && first.AsError().message == kNoOverload) return Exact(first);  // by their kinds
  Abs out;
  unsigned scale = std::max(ScaleOf(a), ScaleOf(b));
  switch (op) {
    case Op::kAdd:
      out = Range(first, Arithmetic(c, op, x.hi, y.hi));
      break;
    case Op::kSubtract:
      out = Range(Arithmetic(c, op, x.lo, y.hi), Arithmetic(c, op, x.hi, y.lo));
      break;
    case Op::kMultiply:
      out = Corners(c, op, x, y);
      scale = static_cast<unsigned>(ScaleOf(a)) + ScaleOf(b);
      break;
    default:
      return Top();
  }
  if (out.tag != Abs::Tag::kRange) return out.exact() && !IsOpen(out.lo) && Holds(BoundsOf(out), scale) ? out : Top();
  if (!Holds(BoundsOf(out), scale)) return Top();
  out.scale = static_cast<std::uint8_t>(scale);
  return out;
}

// round(number, digits, mode) grows with the number; divide(a, b, digits, mode) with each of its two, up or down.
Abs Rounding(const Call& c, const Overload& o, std::span<const Abs> args) {
  const bool divides = o.transfer == "divide";
  const std::size_t numbers = divides ? 2 : 1;
  if (!args[numbers].exact() || !args[numbers + 1].exact()) return Top();
  const Bounds x = BoundsOf(args[0]);
  const Bounds y = divides ? BoundsOf(args[1]) : x;
  if (divides && SignOf(y) == 0) return Top();
  Value corners[4];
  std::size_t count = 0;
  for (const Value& first : {x.lo, x.hi}) {
    for (const Value& second : {y.lo, y.hi}) {
      const Value rounded[3] = {first, args[1].lo, args[2].lo};
      const Value divided[4] = {first, second, args[2].lo, divides ? args[3].lo : args[2].lo};
      corners[count++] = o.run(c, divides ? divided : rounded, divides ? 4 : 3);
    }
  }
  Abs out = Hull(corners);
  if (out.tag == Abs::Tag::kRange) {
    out.scale = static_cast<std::uint8_t>(std::max<std::int64_t>(0, args[numbers].lo.AsInt()));
  }
  return out;
}

// Days that are all before, or all after, what a calendar covers.
bool AllOutside(const Calendar& calendar, const Bounds& days) {
  return days.hi.AsDate() < calendar.first() || days.lo.AsDate() > calendar.last();
}
bool AllCovered(const Calendar& calendar, const Bounds& days) {
  return calendar.Covers(days.lo.AsDate()) && calendar.Covers(days.hi.AsDate());
}

Abs WorkingDay(const Call& c, const Overload& o, const Abs& day) {
  const Bounds days = BoundsOf(day);
  if (AllOutside(*c.calendar, days)) return Exact(o.run(c, &days.lo, 1));
  if (!AllCovered(*c.calendar, days)) return Top();
  const std::int64_t worked = c.calendar->CountTo(days.hi.AsDate()) - c.calendar->CountTo(days.lo.AsDate()) +
                              (c.calendar->IsWorkingDay(days.lo.AsDate()) ? 1 : 0);
  return Bools(worked <= (days.hi.AsDate() - days.lo.AsDate()).count(), worked > 0);
}

Abs AddWorkingDaysOver(const Call& c, const Overload& o, std::span<const Abs> args) {
  const Bounds days = BoundsOf(args[0]);
  const Bounds n = BoundsOf(args[1]);
  Date first{};
  Date last{};
  const int low = AddWorkingDays(*c.calendar, days.lo.AsDate(), n.lo.AsInt(), first);
  const int high = AddWorkingDays(*c.calendar, days.hi.AsDate(), n.hi.AsInt(), last);
  if (low > 0 || high < 0) {
    const Value outside[2] = {days.lo, n.lo};
    const Value other[2] = {days.hi, n.hi};
    return Exact(o.run(c, low > 0 ? outside : other, 2));
  }
  return low == 0 && high == 0 ? Range(Value::OfDate(first), Value::OfDate(last)) : Top();
}

Abs WorkingDaysBetween(const Call& c, const Overload& o, std::span<const Abs> args) {
  const Bounds from = BoundsOf(args[0]);
  const Bounds to = BoundsOf(args[1]);
  const Value least[2] = {from.hi, to.lo};
  const Value most[2] = {from.lo, to.hi};
  if (AllOutside(*c.calendar, from) || AllOutside(*c.calendar, to)) return Exact(o.run(c, least, 2));
  if (!AllCovered(*c.calendar, from) || !AllCovered(*c.calendar, to)) return Top();
  return Range(o.run(c, least, 2), o.run(c, most, 2));
}

Abs Modulo(const Bounds& x, const Bounds& y) {
  if (!x.lo.is(Kind::kInt) || !y.lo.is(Kind::kInt) || y.lo.AsInt() != y.hi.AsInt() || y.lo.AsInt() <= 0) return Top();
  const std::int64_t by = y.lo.AsInt();
  const std::int64_t lo = x.lo.AsInt();
  const std::int64_t hi = x.hi.AsInt();
  if (lo >= 0 && lo / by == hi / by) return Range(Value::Int(lo % by), Value::Int(hi % by));
  return Range(Value::Int(lo >= 0 ? 0 : 1 - by), Value::Int(hi <= 0 ? 0 : by - 1));
}

Abs MonthOf(const Bounds& d) {
  const std::int64_t lo = MonthIndex(d.lo.AsDate());
  const std::int64_t hi = MonthIndex(d.hi.AsDate());
  if (lo / 12 == hi / 12) return Range(Value::Int(lo % 12 + 1), Value::Int(hi % 12 + 1));
  return Range(Value::Int(1), Value::Int(12));
}

Abs DayOf(const Bounds& d) {
  const Date lo = d.lo.AsDate();
  const Date hi = d.hi.AsDate();
  const auto day = [](Date at) { return Value::Int(static_cast<unsigned>(std::chrono::year_month_day(at).day())); };
  if (MonthIndex(lo) == MonthIndex(hi)) return Range(day(lo), day(hi));
  return Range(Value::Int(1), Value::Int(31));
}

// date(y, m, d) and date_of_year(y, m, d) for a range of years.
Abs DateParts(const Call& c, const Overload& o, std::span<const Abs> args) {
  if (!args[1].exact() || !args[2].exact()) return Top();
  const bool leap_day = args[1].lo.AsInt() == 2 && args[2].lo.AsInt() == 29;
  if (leap_day && o.function->name == "date") return Top();  // some years have no such day
  const Bounds y = BoundsOf(args[0]);
  if (args.size() > 3 && !args[3].exact()) return Top();
  const Value rule = args.size() > 3 ? args[3].lo : Value();
  const Value first[4] = {y.lo, args[1].lo, args[2].lo, rule};
  const Value last[4] = {y.hi, args[1].lo, args[2].lo, rule};
  const Value ends[2] = {o.run(c, first, args.size()), o.run(c, last, args.size())};
  return Hull(ends);
}

// consecutive_months(list, until): the same within a month, otherwise tried month by month.
Abs Runs(const Call& c, const Overload& o, std::span<const Abs> args) {
  if (!args[0].exact()) return Top();
  constexpr std::int64_t kTried = 24;
  const Bounds until = BoundsOf(args[1]);
  const std::int64_t first = MonthIndex(until.lo.AsDate());
  const std::int64_t last = MonthIndex(until.hi.AsDate());
  if (last - first > kTried) {
    return Range(Value::Int(0), Value::Int(static_cast<std::int64_t>(args[0].lo.AsList().size())));
  }
  Value results[kTried + 1];
  std::size_t count = 0;
  for (std::int64_t m = first; m <= last; ++m) {
    const std::optional<Date> day = StartOfMonthIndex(m);
    if (!day) return Top();
    const Value call_args[2] = {args[0].lo, Value::OfDate(*day)};
    results[count++] = o.run(c, call_args, 2);
  }
  return Hull({results, count});
}

}  // namespace

Abs Exact(const Value& v) { return {Abs::Tag::kExact, false, 0, 0, v, v}; }
Abs Top() { return {}; }

Abs Range(const Value& lo, const Value& hi) {
  if (lo.kind() != hi.kind() || IsOpen(lo) || !IsFiniteNumber(lo) || !IsFiniteNumber(hi)) return Top();
  if (lo.is(Kind::kBool)) return Bools(!lo.AsBool(), hi.AsBool());
  if (lo.is(Kind::kPeriod)) {
    if (lo.AsPeriod() == hi.AsPeriod()) return Exact(lo);
    if (lo.AsPeriod().months > hi.AsPeriod().months || lo.AsPeriod().days > hi.AsPeriod().days) return Top();
    return {Abs::Tag::kRange, false, 0, 0, lo, hi};
  }
  const std::optional<int> order = value::Compare(lo, hi);
  if (!order || *order > 0) return Top();
  if (*order == 0 && !lo.is(Kind::kDecimal)) return Exact(lo);
  Abs out{Abs::Tag::kRange, false, 0, 0, lo, hi};
  if (lo.is(Kind::kDecimal)) {
    // 1.5 and 1.50 are equal and yet two values: the longer one stands for both.
    out.scale = std::max(lo.AsDecimal().scale, hi.AsDecimal().scale);
    if (*order == 0) return lo.AsDecimal().scale == hi.AsDecimal().scale ? Exact(lo) : out;
  }
  return out;
}

Abs Bools(bool may_be_false, bool may_be_true) {
  if (may_be_false && may_be_true) return {Abs::Tag::kBools, false, 0, 0, Value::Bool(false), Value::Bool(true)};
  return Exact(Value::Bool(may_be_true));
}

Abs Moving(const Abs& range, std::int64_t shift) {
  Abs moving = range;
  moving.moves = range.tag == Abs::Tag::kRange && shift == static_cast<std::int32_t>(shift);
  moving.shift = static_cast<std::int32_t>(shift);
  return moving;
}

Abs Join(const Abs& a, const Abs& b) {
  if (a.top() || b.top()) return Top();
  if (a.exact() && b.exact()) {
    const bool one_scale = !a.lo.is(Kind::kDecimal) || ScaleOf(a) == ScaleOf(b);
    if (SameResult(a.lo, b.lo) && one_scale) return a;
    if (IsOpen(a.lo) || IsOpen(b.lo)) return Top();
  }
  if ((a.exact() && IsOpen(a.lo)) || (b.exact() && IsOpen(b.lo))) return Top();
  const Bounds x = BoundsOf(a);
  const Bounds y = BoundsOf(b);
  if (x.lo.is(Kind::kPeriod) && y.lo.is(Kind::kPeriod)) {
    const value::Period p = x.lo.AsPeriod(), q = y.lo.AsPeriod(), r = x.hi.AsPeriod(), s = y.hi.AsPeriod();
    return Range(Value::OfPeriod({std::min(p.months, q.months), std::min(p.days, q.days)}),
                 Value::OfPeriod({std::max(r.months, s.months), std::max(r.days, s.days)}));
  }
  const Value all[4] = {x.lo, y.lo, x.hi, y.hi};
  Abs out = Hull(all);
  if (out.tag == Abs::Tag::kRange) out.scale = std::max({out.scale, ScaleOf(a), ScaleOf(b)});
  return out;
}

bool SameResult(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) return false;
  if (a.is(Kind::kUnknown)) {
    const value::UnknownSet& x = a.AsUnknown();
    const value::UnknownSet& y = b.AsUnknown();
    return x.count == y.count && std::equal(x.slots, x.slots + x.count, y.slots);
  }
  if (a.is(Kind::kError)) return a.AsError().message == b.AsError().message;
  if (a.is(Kind::kDouble) && std::isnan(a.AsDouble())) return std::isnan(b.AsDouble());
  return value::Equals(a, b);
}

Abs AbsCompare(const Call& c, Op op, const Abs& a, const Abs& b) {
  if (a.moves && b.moves) {
    const bool less = a.shift < b.shift;
    const bool equal = a.shift == b.shift;
    switch (op) {
      case Op::kLess:
        return Exact(Value::Bool(less));
      case Op::kLessEqual:
        return Exact(Value::Bool(less || equal));
      case Op::kGreater:
        return Exact(Value::Bool(!less && !equal));
      default:
        return Exact(Value::Bool(!less));
    }
  }
  const Bounds x = BoundsOf(a);
  const Bounds y = BoundsOf(b);
  const std::optional<int> below = value::Compare(x.hi, y.lo);
  const std::optional<int> above = value::Compare(x.lo, y.hi);
  // Without an order the kinds decide, which are the same on all days.
  if (!below || !above) return Exact(CompareWith(c, op, x.lo, y.lo));
  switch (op) {
    case Op::kLess:
      return Bools(*below >= 0, *above < 0);
    case Op::kLessEqual:
      return Bools(*below > 0, *above <= 0);
    case Op::kGreater:
      return Bools(*above <= 0, *below > 0);
    default:
      return Bools(*above < 0, *below >= 0);
  }
}

Abs AbsEqual(const Abs& a, const Abs& b) {
  if (a.moves && b.moves) return Exact(Value::Bool(a.shift == b.shift));
  const Bounds x = BoundsOf(a);
  const Bounds y = BoundsOf(b);
  const std::optional<int> below = value::Compare(x.hi, y.lo);
  const std::optional<int> above = value::Compare(x.lo, y.hi);
  if (!below || !above) {
    // Without an order two kinds are unequal; periods stay open.
    return x.lo.is(Kind::kPeriod) && y.lo.is(Kind::kPeriod) ? Bools(true, true) : Exact(Value::Bool(false));
  }
  if (*below < 0 || *above > 0) return Exact(Value::Bool(false));
  return *below == 0 && *above == 0 ? Exact(Value::Bool(true)) : Bools(true, true);
}

Abs AbsArithmetic(const Call& c, Op op, const Abs& a, const Abs& b) {
  const Bounds x = BoundsOf(a);
  const Bounds y = BoundsOf(b);
  if (x.lo.is(Kind::kDecimal) || y.lo.is(Kind::kDecimal)) return DecimalArithmetic(c, op, a, b);
  const Value first = Arithmetic(c, op, x.lo, y.lo);
  if (first.is(Kind::kError) && first.AsError().message == kNoOverload) return Exact(first);  // by their kinds
  const bool days = b.exact() && b.lo.is(Kind::kPeriod) && b.lo.AsPeriod().months == 0;
  switch (op) {
    case Op::kAdd: {
      const Abs sum = Range(first, Arithmetic(c, op, x.hi, y.hi));
      return a.moves && days ? Moving(sum, std::int64_t{a.shift} + b.lo.AsPeriod().days) : sum;
    }
    case Op::kSubtract:
      if (a.moves && b.moves) return Exact(Value::Int(std::int64_t{a.shift} - b.shift));
      if (a.moves && days) {
        return Moving(Range(Arithmetic(c, op, x.lo, y.lo), Arithmetic(c, op, x.hi, y.lo)),
                      std::int64_t{a.shift} - b.lo.AsPeriod().days);
      }
      return Range(Arithmetic(c, op, x.lo, y.hi), Arithmetic(c, op, x.hi, y.lo));
    case Op::kMultiply:
      return Corners(c, op, x, y);
    case Op::kDivide:
      return SignOf(y) == 0 ? Top() : Corners(c, op, x, y);
    case Op::kModulo:
      return Modulo(x, y);
    default:
      return Top();
  }
}

Abs AbsNegate(const Call& c, const Abs& a) {
  const Bounds x = BoundsOf(a);
  Abs out = Range(Negate(c, x.hi), Negate(c, x.lo));
  if (out.tag == Abs::Tag::kRange) out.scale = ScaleOf(a);
  return out;
}

Abs AbsCall(const Call& c, const Overload& o, std::span<const Abs> args) {
  if (o.transfer.empty() || args.size() > kMaxArguments) return Top();
  if (o.transfer == "month") return MonthOf(BoundsOf(args[0]));
  if (o.transfer == "day") return DayOf(BoundsOf(args[0]));
  if (o.transfer == "parts") return DateParts(c, o, args);
  if (o.transfer == "runs") return Runs(c, o, args);
  if (o.transfer == "round" || o.transfer == "divide") return Rounding(c, o, args);
  if (o.transfer.ends_with("workday") || o.transfer.ends_with("workdays")) {
    if (c.calendar == nullptr) return Top();
    if (o.transfer == "workday") return WorkingDay(c, o, args[0]);
    return o.transfer == "workdays" ? WorkingDaysBetween(c, o, args) : AddWorkingDaysOver(c, o, args);
  }
  // A decimal with no digit after the point is a whole number; another is an error.
  if (o.transfer == "whole" && ScaleOf(args[0]) > 0) return Top();
  Value low[kMaxArguments];
  Value high[kMaxArguments];
  for (std::size_t i = 0; i < args.size(); ++i) {
    const Bounds b = BoundsOf(args[i]);
    const char way = o.transfer == "whole" ? '+' : o.transfer[i];
    if (way == '=' && !args[i].exact()) return Top();
    low[i] = way == '-' ? b.hi : b.lo;
    high[i] = way == '-' ? b.lo : b.hi;
  }
  Abs out = Range(o.run(c, low, args.size()), o.run(c, high, args.size()));
  if (out.tag == Abs::Tag::kRange) {
    for (const Abs& a : args) out.scale = std::max(out.scale, ScaleOf(a));
  }
  return out;
}

}  // namespace zhitui::cel
