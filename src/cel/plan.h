#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cel/ast.h"
#include "cel/env.h"
#include "cel/functions.h"
#include "cel/report.h"

namespace re2 {
class RE2;
}

namespace zhitui::cel {

enum class Op : std::uint8_t {
  kConst,
  kFault,
  kSlot,
  kDated,
  kToday,
  kLocal,
  kLet,
  kHasValue,
  kSelect,
  kHasField,
  kOptSelect,
  kIndex,
  kOptIndex,
  kAnd,
  kOr,
  kNot,
  kNegate,
  kConditional,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kCall,
  kMatches,
  kList,
  kMap,
  kMacro,
};

// How a result moves with the day.
enum class Level : std::uint8_t {
  kConstant,  // not at all
  kStepwise,  // stays the same for stretches of days
  kDaily,     // may be another one every day
};

struct Node {
  Op op = Op::kConst;
  Macro macro = Macro::kAll;
  Level level = Level::kConstant;
  bool closed = true;           // reads no local variable of an enclosing macro
  std::uint8_t variables = 0;   // kMacro
  std::uint16_t overloads = 0;  // kCall: how many
  std::uint32_t kids = 0;       // first child in Plan::kids
  std::uint32_t count = 0;      // of children
  std::uint32_t offset = 0;     // in the source
  std::uint32_t a = 0;       // kSlot: slot; kLocal, kMacro: first local; kDated, kMatches: index; kLet: cache or kNone;
                             // kCall: first overload; kList, kMap: index into Plan::optional_entries or kNone
  std::uint32_t b = 0;       // kSlot: index among the program's slots
  std::uint32_t weight = 1;  // nodes below and itself, lets counted once per use
  Value constant;            // kConst; kSelect, kHasField, kOptSelect: field name; kFault: the error
};
inline constexpr std::uint32_t kNone = ~std::uint32_t{0};
inline constexpr std::uint32_t kNoPredicate = kNone;

// Where a boolean part of the expression that is no connective stands, and its text.
struct Place {
  std::uint32_t node = 0;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::uint32_t let = kNone;  // index into Plan::lets; kNone: the text is Plan::text
  Span span;
};

// A program ready to run. Immutable after planning.
struct Plan {
  std::vector<Node> nodes;
  std::vector<std::uint32_t> kids;
  std::uint32_t root = 0;
  std::uint32_t locals = 0;                             // variables of macros and caches of lets
  std::uint32_t first_cache = 0;                        // locals from here on are caches
  std::vector<std::uint32_t> slots;                     // sorted, distinct
  std::vector<value::UnknownSet> unknowns;              // one per slot, {that slot}
  std::vector<const std::vector<DatedValue>*> dated;    // see Declaration::entries
  std::vector<const std::vector<DatedValue>*> entered;  // for each of `dated`, see Declaration::entered
  std::vector<const Overload*> overloads;
  std::vector<std::shared_ptr<const re2::RE2>> regexes;
  std::vector<std::vector<bool>> optional_entries;
  std::map<std::uint32_t, std::shared_ptr<const Declaration>> variables;  // by slot
  std::vector<std::shared_ptr<const Declaration>> keep;                   // owners of dated values
  std::vector<std::shared_ptr<const Function>> functions;                 // owners of declared overloads
  value::Arena arena;                                                     // constants
  std::shared_ptr<const Calendar> calendar;                               // when a function asks it
  value::Type type = nullptr;
  bool time_dependent = false;
  std::optional<Location> opaque;
  std::uint64_t steps = 0;       // that an evaluation begins with; when none is left the budget is used up
  std::string_view over_budget;  // the error then; in `arena`
  CostEstimate cost;
  std::string text;
  std::string canonical;
  std::vector<Place> places;
  std::vector<std::shared_ptr<const std::string>> lets;  // texts of the lets in which places are

  const Node& Kid(const Node& n, std::uint32_t i) const { return nodes[kids[n.kids + i]]; }
};

std::unique_ptr<Plan> MakePlan(const Ast& ast, const Names& env, const Limits& limits, const Reporter& reporter);

// The checked expression with lets inlined, names resolved and variables of macros numbered.
std::string Canonical(const Expr& root);

}  // namespace zhitui::cel
