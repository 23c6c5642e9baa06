#pragma once

#include <cstdint>
#include <span>

#include "cel/eval.h"

namespace zhitui::cel {

// What an expression may give over a stretch of days.
struct Abs {
  enum class Tag : std::uint8_t {
    kExact,  // `lo`, which may be unknown or an error
    kRange,  // a value of one ordered kind from `lo` to `hi`; periods component by component
    kBools,  // true or false
    kTop,    // anything
  };
  Tag tag = Tag::kTop;
  bool moves = false;  // a range of dates that is exactly the day plus `shift` days, so that two of them compare
  std::int32_t shift = 0;
  std::uint8_t scale = 0;  // of a range of decimals: no value in it has more digits after the point
  Value lo;
  Value hi;

  bool exact() const { return tag == Tag::kExact; }
  bool top() const { return tag == Tag::kTop; }
};

Abs Exact(const Value& v);
Abs Range(const Value& lo, const Value& hi);  // Exact when both are equal, Top when they have no order
Abs Bools(bool may_be_false, bool may_be_true);
Abs Top();
Abs Moving(const Abs& range, std::int64_t shift);  // `range` marked as the day plus `shift` days
Abs Join(const Abs& a, const Abs& b);
// Whether two results of a program are the same: unknown of the same facts, the same error, or equal and of one kind.
bool SameResult(const Value& a, const Value& b);

// Operators over abstract values none of which is Top, unknown or an error, and at least one is not exact.
Abs AbsCompare(const Call& c, Op op, const Abs& a, const Abs& b);
Abs AbsEqual(const Abs& a, const Abs& b);
Abs AbsArithmetic(const Call& c, Op op, const Abs& a, const Abs& b);
Abs AbsNegate(const Call& c, const Abs& a);
Abs AbsCall(const Call& c, const Overload& o, std::span<const Abs> args);

}  // namespace zhitui::cel
