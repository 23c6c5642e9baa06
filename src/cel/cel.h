#pragma once

// cel: the Common Expression Language (github.com/google/cel-spec, langdef.md) with what law needs beside it: civil
// dates and periods, exact decimals, dated parameters. Parse, check against declared types, plan to slots, evaluate,
// find the next day on which an answer changes. Pure: no clock, no I/O, no thread, no global; `today` is an argument.
//
// Promises
// - Mistakes in an expression are Diagnostics with a position, never an exception; evaluation faults are Error values.
// - A compiled Program is immutable and may be evaluated by many threads at once, each with its own Arena.
// - Unknowns follow the CEL specification: an absent fact is Unknown, false && unknown = false, true || unknown = true;
//   the resulting set names the facts that would settle the answer.
// - Every evaluation ends: source size, nesting, comprehension steps and regex size are limited. What an expression may
//   cost is estimated when it is compiled, from the sizes declared, and too much is a mistake; when it is evaluated,
//   one step more than the budget is an Error value ("cost limit exceeded: ...").

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/base.h"
#include "value/value.h"

namespace zhitui::cel {

using value::Arena;
using value::Value;

// Where an expression stands in its file, so that a fault inside it is reported there. `lines` holds, for each line of
// the expression text, the place of its first character (block scalars are indented and may start anywhere).
struct Source {
  std::string text;
  std::string file;
  struct Line {
    std::uint32_t line = 1;
    std::uint32_t column = 1;
    std::string source_line;  // the whole line of the file, for the caret
  };
  std::vector<Line> lines;  // empty: the text itself is the file, starting at 1:1
};

struct DatedValue {
  Date from;
  Value value;
  // For a value that is entered after the fact: the day, later than `from`, from which it counts. Before it nobody
  // knows of it, from it on it is the value of `from` and later days.
  std::optional<Date> entered = std::nullopt;
};

// Which days of some whole years are worked: weekends and holidays are not, make-up days (调休) are. Immutable, for
// many threads.
class Calendar {
 public:
  // Years `first_year` to `last_year`. What is neither in `off` nor in `worked` goes by its weekday; days of other
  // years are ignored.
  static std::shared_ptr<const Calendar> Make(std::string id, int first_year, int last_year, std::span<const Date> off,
                                              std::span<const Date> worked);
  const std::string& id() const { return id_; }
  const std::string& hash() const { return hash_; }        // of the id and every day's status
  const std::string& outside() const { return outside_; }  // what to say of a day that is not covered
  Date first() const { return first_; }
  Date last() const { return last_; }
  bool Covers(Date day) const { return day >= first_ && day <= last_; }
  // Of a covered day: whether it is worked; the working days from first() to it, itself included.
  bool IsWorkingDay(Date day) const;
  std::int64_t CountTo(Date day) const;
  std::optional<Date> Nth(std::int64_t n) const;  // the n-th working day from first() on, from 1

 private:
  Calendar();
  std::string id_;
  std::string hash_;
  std::string outside_;
  Date first_{};
  Date last_{};
  std::vector<Date> days_;            // those that are worked
  std::vector<std::uint32_t> index_;  // per covered day: of days_ up to it
};

// How large the value of a variable can be, for the estimate of what an expression may cost. Larger values are computed
// with too, until the budget of the evaluation is used up.
struct Sizes {
  std::uint32_t items = 100;   // of a list or map
  std::uint32_t bytes = 1024;  // of a text
  std::string name;            // of a field
  std::vector<Sizes> parts;    // the element of a list, the fields of a record; what is missing is as above
};

// Steps of one evaluation: at least, when no fact is missing, and at most, while facts keep to their declared sizes.
struct CostEstimate {
  std::uint64_t min = 0;
  std::uint64_t max = 0;
};

// The names an expression may use. Built once per rule; Compile copies what it needs, constants included.
class Env {
 public:
  Env();
  ~Env();
  Env(Env&&) noexcept;
  Env& operator=(Env&&) noexcept;
  // An Env that starts with everything `base` declares.
  static Env Extend(const Env& base);

  // A variable that is read from `slot` of the activation. Dotted names ("resident.hukou.city") are resolved longest
  // first, as CEL's name resolution demands. `label` is used in explanations.
  void AddVariable(const std::string& name, value::Type type, std::uint32_t slot, Sizes sizes = {});
  // A value that depends on the day: of the entries known by then the one with the latest `from` not after today wins,
  // of several for one day the one entered last; before the first one it is an Error. All entries have the same type.
  // Sorted by `from`, then by `entered`, none first. At least one.
  void AddDated(const std::string& name, value::Type type, std::vector<DatedValue> entries);
  // A name for an expression over the names declared before it; checked here, inlined where used.
  // On a mistake: diagnostics are appended and the name has the error type (its uses are not reported again).
  void AddLet(const std::string& name, const Source& source, Diagnostics* diagnostics);
  // A function that expressions may name but not run: its calls are checked, and fail when evaluated. For conformance
  // cases and editors. Several overloads of a name are declared one after the other.
  void DeclareFunction(const std::string& name, std::vector<value::Type> params, value::Type result, bool member);
  // The evaluation day is always declared: the variable `today`, of type date.
  // Where is_working_day and its like look; without one their use is a mistake.
  void SetCalendar(std::shared_ptr<const Calendar> calendar);
  // CEL's `container` for name resolution ("a.b"); default empty.
  void SetContainer(std::string container);
  // Check nothing statically: every name is dyn unless declared (conformance cases with disable_check).
  void SetUnchecked(bool unchecked);

 private:
  friend class Compiler;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct Limits {
  std::size_t source_bytes = 16 * 1024;
  std::size_t nodes = 10'000;  // after inlining lets and expanding macros
  std::size_t depth = 64;
  std::uint64_t steps = 100'000;     // per evaluation: one more is an Error value
  std::uint64_t estimate = 100'000;  // an expression that may cost more steps by the sizes declared is not compiled
};

// What an evaluation reads. slots[i] is the value of slot i; an absent fact is marked by an Unknown value (any set) or
// by i >= slots.size(). Dates are civil days in the rule's zone.
struct Activation {
  std::span<const Value> slots;
  Date today{};
  // The day as of which entered values (DatedValue::entered) are known: to look back at what a past day is now, or was
  // before something was entered. nullopt: on each day what was known then.
  std::optional<Date> known = std::nullopt;
};

struct Plan;  // a program ready to run; opaque

// How the answer of a condition depends on the one slot it reads, the day being fixed. It never depends on more.
struct Dependence {
  enum class Shape : std::uint8_t {
    kAny,       // not known
    kSteps,     // a comparison whose Order never falls, or never rises, as the value of an int or date grows; open at
                // both ends of the type's range only
    kMembers,   // the same for all values of the slot's type but `members`; null apart
    kPrefixes,  // for strings: the same for all strings whose longest prefix among `members` is the same
    kContains,  // for lists: whether an element equals the one string in `members`; null apart
  };
  Shape shape = Shape::kAny;
  bool direct = false;  // kSteps: the slot itself is compared with `members`, any one of them on some day
  // kMembers, kPrefixes: on any day. For kSteps the constants that stand in the condition, to suggest values from.
  std::vector<Value> members;
};

// A part of a boolean program without &&, || or ! at its top: `age >= params.min_age`. Shares the program's storage and
// may outlive it. Immutable.
class Condition {
 public:
  Value Evaluate(const Activation& activation, Arena& arena) const;  // bool, Unknown or Error (also for another type)
  // For a comparison: below 0, 0, above 0 as its left side is less than, equal to or greater than its right side.
  // nullopt: not a comparison, or a side is open, or the sides have no order.
  std::optional<int> Order(const Activation& activation, Arena& arena) const;
  const std::vector<std::uint32_t>& slots() const { return slots_; }  // sorted, distinct
  bool time_dependent() const { return time_dependent_; }
  // Equal conditions have equal forms, whatever program they are of.
  const std::string& canonical() const { return canonical_; }
  Dependence dependence() const;  // kAny unless it reads exactly one slot
  // As it is written, in the expression or in the let that it comes from.
  std::string text() const;
  // Where it begins in the file of its expression. What comes from a let is where that is used first; a condition that
  // stands in several places is at the first.
  std::uint32_t line() const { return line_; }
  std::uint32_t column() const { return column_; }

 private:
  friend class Splitter;
  std::shared_ptr<const Plan> plan_;
  std::uint32_t node_ = 0;
  std::uint32_t line_ = 0;
  std::uint32_t column_ = 0;
  std::vector<std::uint32_t> slots_;
  bool time_dependent_ = false;
  std::string canonical_;
};

// A boolean program taken apart. Evaluating the conditions and joining them by Kleene's strong logic, with an error for
// unknown, gives true, false or open exactly where the program does.
struct Formula {
  enum class Op : std::uint8_t { kCondition, kAll, kAny, kNot };
  Op op = Op::kCondition;
  std::vector<Formula> parts;   // kAll, kAny; one for kNot
  std::uint32_t condition = 0;  // kCondition: index into Conditions::conditions
};
struct Conditions {
  Formula formula;
  std::vector<Condition> conditions;  // distinct by canonical form
};

class Program {
 public:
  Program();
  ~Program();
  Program(Program&&) noexcept;
  Program& operator=(Program&&) noexcept;

  // The result; Unknown and Error are values. Everything it points to lives in `arena`, in the activation's values or
  // in this program.
  Value Evaluate(const Activation& activation, Arena& arena) const;

  // The first day after `activation.today`, not after `horizon`, on which Evaluate gives another result with the same
  // facts; nullopt when there is none. Exact for everything NextChange can follow (see TimeOpaque); never later than
  // the true change.
  std::optional<Date> NextChange(const Activation& activation, Date horizon, Arena& arena) const;
  // The same for who does not ask why a result is open: unknowns of other facts and errors are all one result.
  std::optional<Date> NextTurn(const Activation& activation, Date horizon, Arena& arena) const;

  Conditions Split() const;

  CostEstimate cost() const;

  value::Type type() const;
  std::span<const std::uint32_t> slots() const;  // read by this program, sorted and distinct
  // Reads today, or a dated value that changes: one with several entries, or with one that begins after 0001-01-01.
  bool time_dependent() const;
  // A place where the day enters an operation whose next change cannot be derived (then NextChange answers the next
  // day); nullopt when everything can be followed.
  std::optional<Location> time_opaque() const;
  const Calendar* calendar() const;  // that the program asks; nullptr: none
  const std::string& text() const;
  // A canonical form of the checked expression: equal programs have equal forms. For sharing and for content hashes.
  const std::string& canonical() const;

 private:
  friend class Compiler;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Parses, checks and plans. All mistakes at once. `expected` (nullptr: anything) is the type the result must have; dyn
// is accepted and checked when evaluated.
std::optional<Program> Compile(const Source& source, const Env& env, value::Type expected, Diagnostics* diagnostics,
                               const Limits& limits = {});

// A small mistake that an author could have made: `length` bytes of an expression from `offset` on replaced by `text`.
struct Edit {
  enum class Kind : std::uint8_t {
    kBoundary,    // < <= > >= with or without the equal case
    kOperator,    // == for != and the other way round
    kConnective,  // && for || and the other way round
    kNegation,    // ! left out
    kConstant,    // a number or day one unit off, true for false, a text missing in the list of an `in`
  };
  Kind kind = Kind::kBoundary;
  std::size_t offset = 0;
  std::size_t length = 0;
  std::string text;
  // The part of the expression that says what is compared or joined there, in bytes.
  std::size_t around = 0;
  std::size_t around_length = 0;
};
// All of them, by place; none for a text that is no expression. What an edit gives may be one that does not compile.
std::vector<Edit> Edits(const std::string& text);

// The digits that all codes of an area begin with: GB/T 2260 and GB/T 10114 fill the code of a larger area with zeros
// (province 440000, city 440300, district 440304, street 440304001, community 440304001007).
std::string_view AreaPrefix(std::string_view code);

// The functions an author may call, for completion and documentation: name, signature, one line.
struct FunctionDoc {
  std::string name;
  std::string signature;
  Text summary;
};
std::vector<FunctionDoc> Functions();

// A token of an expression, for text editors. Blanks and remarks are none.
struct Lexeme {
  enum class Kind : std::uint8_t { kName, kText, kNumber, kSign, kBad };
  Kind kind = Kind::kBad;
  std::uint32_t start = 0;  // bytes
  std::uint32_t end = 0;
  std::string text;  // a name, or a text without its quotes; otherwise as written (`in` is a sign)
};
// Of any text: what is no token is kBad.
std::vector<Lexeme> Lex(std::string_view text);

}  // namespace zhitui::cel
