#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cel/cel.h"

namespace zhitui::cel {

// What a function may use while it runs.
struct Call {
  value::Arena& arena;
  std::uint64_t& steps;  // left in this evaluation
  std::uint32_t offset;  // of the call in the source, for errors
  const Calendar* calendar = nullptr;

  // `message` is a literal or lives in the arena.
  Value Fail(std::string_view message) const;
  // Work in proportion to `bytes`; false when the budget is used up (then return Fail(kCostLimit)).
  bool Charge(std::size_t bytes) const;
};
inline constexpr std::string_view kCostLimit = "cost limit exceeded";
inline constexpr std::string_view kNoOverload = "no such overload";

struct Function;

using Implementation = Value (*)(const Call& call, const Value* args, std::size_t count);

// One signature of a function. `transfer` says how the result moves with each argument, for the search for the next
// change: per argument '+' (grows with it), '-' (falls with it), '=' (only when that argument is one value); a name
// stands for a case of its own in abstract.cc ("month", "runs" …). Empty: not known.
struct Overload {
  const Function* function = nullptr;
  std::string signature;
  std::vector<value::Type> params;
  std::vector<std::int16_t> kinds;  // value::Kind that each argument must have, -1: any
  value::Type result = nullptr;
  bool member = false;
  Implementation run = nullptr;  // null for operators
  std::string_view transfer;

  bool Accepts(const Value* args, std::size_t count) const {
    if (count != kinds.size()) return false;
    for (std::size_t i = 0; i < count; ++i) {
      if (kinds[i] >= 0 && kinds[i] != static_cast<std::int16_t>(args[i].kind())) return false;
    }
    return true;
  }
};

struct Function {
  std::string name;
  Text summary;
  std::vector<Overload> overloads;
};

// nullptr: no function of that name. Operators are named "_+_", "_-_", "_*_", "_/_", "_%_", "-_".
const Function* FindFunction(std::string_view name);
const std::vector<std::string>& FunctionNames();  // without operators; sorted

// One row of a table of functions: "size(string) -> int", "string.contains(string) -> bool",
// "optional.of(A) -> optional_type(A)". Single capital letters are type parameters.
struct FunctionRow {
  std::string_view signature;
  Implementation run = nullptr;
  std::string_view transfer;
  std::string_view zh;
  std::string_view en;
};
std::span<const FunctionRow> StandardFunctions();  // size, matching, conversions
std::span<const FunctionRow> TextFunctions();
std::span<const FunctionRow> TimeFunctions();
std::span<const FunctionRow> LawFunctions();
std::span<const FunctionRow> FormatFunctions();
std::span<const FunctionRow> NetworkFunctions();
std::span<const FunctionRow> CalendarFunctions();
bool UsesCalendar(std::string_view function);       // whether a function asks the calendar
std::span<const FunctionRow> ExtensionFunctions();  // math, optional, base64

// A type by its name in signatures ("list(A)", "date"); nullptr when there is none.
value::Type ParseTypeName(std::string_view name);

}  // namespace zhitui::cel
