#pragma once

#include "cel/plan.h"

namespace zhitui::cel {

// One evaluation under way.
struct Frame {
  const Plan& plan;
  std::span<const Value> slots;
  Date today;
  value::Arena& arena;
  Value* locals;
  std::uint64_t steps;
  std::optional<Date> known = std::nullopt;  // see Activation

  Call CallAt(std::uint32_t offset) { return Call{arena, steps, offset, plan.calendar.get()}; }
  Value Fail(std::uint32_t offset, std::string_view message) { return CallAt(offset).Fail(message); }
};

inline bool IsOpen(const Value& v) { return v.kind() >= value::Kind::kUnknown; }  // unknown or error

Value Eval(Frame& f, const Node& n);
// Runs a node that is not a macro, a logical operator or a conditional, on values already computed.
Value Apply(Frame& f, const Node& n, const Value* args);

// The outcome of strict operations on arguments of which one is unknown or an error: unknowns merge and win.
Value Absorb(Frame& f, const Value* args, std::size_t count);
Value MergeUnknowns(value::Arena& arena, const Value& a, const Value& b);
// && and || over values already known, as CEL defines them.
Value CombineLogic(Frame& f, const Node& n, const Value* args, std::size_t count);

// Locals for a frame, from `buffer` when it is large enough.
Value* PrepareLocals(const Plan& plan, std::span<Value> buffer, value::Arena& arena);

// The value of the dated name `index` on a day, by what that day knows or by what `known` does.
Value DatedAt(const Plan& plan, std::uint32_t index, Date day, std::optional<Date> known);

// Operators on values that are neither unknown nor errors (operators.cc).
Value Arithmetic(const Call& c, Op op, const Value& a, const Value& b);
Value Negate(const Call& c, const Value& a);
Value CompareWith(const Call& c, Op op, const Value& a, const Value& b);
Value EqualWith(const Call& c, const Value& a, const Value& b, bool negated);
Value Contains(const Call& c, const Value& item, const Value& container);
Value SelectField(const Call& c, const Value& operand, std::string_view field);
Value HasField(const Call& c, const Value& operand, std::string_view field);
Value IndexInto(const Call& c, const Value& operand, const Value& index);
Value OptionalIndex(const Call& c, const Value& operand, const Value& index);

}  // namespace zhitui::cel
