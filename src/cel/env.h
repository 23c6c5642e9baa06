#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cel/ast.h"

namespace zhitui::cel {

// What a name stands for. Immutable once made; shared by the environments that extend each other and by the syntax
// trees that use it.
struct Declaration {
  enum class What : std::uint8_t { kVariable, kDated, kLet, kToday, kBroken };
  What what = What::kVariable;
  std::string name;
  value::Type type = nullptr;
  std::uint32_t slot = 0;           // kVariable
  Sizes sizes;                      // kVariable
  std::vector<DatedValue> entries;  // kDated: what each day knows, sorted by `from`; values live in `arena`
  std::vector<DatedValue> entered;  // kDated: all values, when one was entered after the fact; otherwise empty
  std::shared_ptr<value::Arena> arena;
  std::shared_ptr<const Ast> body;          // kLet
  std::shared_ptr<const std::string> text;  // kLet: of the body
  std::uint64_t nodes = 1;                  // kLet: parts after inlining
  std::uint32_t depth = 1;
};

// Everything an environment knows.
struct Names {
  std::map<std::string, std::shared_ptr<const Declaration>, std::less<>> names;
  std::map<std::string, std::shared_ptr<Function>, std::less<>> functions;  // declared only
  std::string container;
  std::shared_ptr<const Calendar> calendar;
  bool unchecked = false;
  // Whether a declared name begins with "prefix.".
  bool IsGroup(std::string_view prefix) const;
};

// The entry that counts for a day by what is known on another; nullptr: none.
const DatedValue* WinnerAsKnown(const std::vector<DatedValue>& all, Date day, Date known);

struct Env::Impl : Names {};

}  // namespace zhitui::cel
