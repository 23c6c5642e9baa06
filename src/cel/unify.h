#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "value/value.h"

namespace zhitui::cel {

// Type inference with parameters, dyn and nullable types.
class Unifier {
 public:
  // A new parameter that stands for a type not yet known.
  value::Type Fresh();
  // `type` with its own parameters (A, B …) replaced by new ones; the same name gives the same parameter.
  value::Type Instantiate(value::Type type, std::vector<std::pair<value::Type, value::Type>>& renamed);
  // What is known of a type now.
  value::Type Resolve(value::Type type) const;
  // The same with everything still open as dyn.
  value::Type Close(value::Type type) const;
  // Whether a value of type `from` can stand where `to` is wanted; binds parameters when it can.
  bool Assignable(value::Type from, value::Type to);
  // The type that covers both, or nullptr.
  value::Type Join(value::Type a, value::Type b);

  // Whether values of the two types can be equal: numbers among each other, everything else with its own kind.
  bool Comparable(value::Type a, value::Type b);

  using Mark = std::unordered_map<value::Type, value::Type>;
  Mark Save() const { return bound_; }
  void Restore(Mark mark) { bound_ = std::move(mark); }
  bool HasBindings() const { return !bound_.empty(); }

 private:
  bool Unify(value::Type from, value::Type to);
  bool Occurs(value::Type parameter, value::Type in) const;
  bool MoreGeneral(value::Type a, value::Type b) const;

  std::unordered_map<value::Type, value::Type> bound_;
  unsigned next_ = 0;
};

// Known neither now nor later: dyn, a parameter, or a mistake reported already.
bool IsOpenType(value::Type type);
// Without the permission to be null.
value::Type NotNull(value::Type type);

}  // namespace zhitui::cel
