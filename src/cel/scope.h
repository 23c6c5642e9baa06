#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cel/ast.h"
#include "cel/env.h"

namespace zhitui::cel {

// The names that can be used at one place of an expression: the variables of the macros around it and the environment.
class Scope {
 public:
  struct Variable {
    std::string name;
    value::Type type = nullptr;
  };

  explicit Scope(const Names& env) : env_(env) {}

  // The innermost variable of a macro that `ident` means, or nullptr; a rooted name never means one.
  const Variable* FindLocal(const Expr& ident, std::uint32_t* index) const;
  // The declaration of a name, searched in the enclosing containers innermost first, or nullptr.
  std::shared_ptr<const Declaration> Lookup(const std::string& name, bool rooted) const;
  // Calls `found` with the name in each enclosing container, innermost first, until it answers true.
  template <class F>
  bool InContainers(const std::string& name, bool rooted, F found) const {
    std::string container = rooted ? std::string() : env_.container;
    for (;;) {
      std::string full = container;
      if (!full.empty()) full += '.';
      full += name;
      if (found(full)) return true;
      if (container.empty()) return false;
      const std::size_t dot = container.rfind('.');
      container.resize(dot == std::string::npos ? 0 : dot);
    }
  }
  // The name in use that looks most like this one; empty when none does.
  std::string Nearest(const std::string& name) const;

  // The type that a name of a type ("int", "google.protobuf.Duration") stands for, or nullptr; and the name as a text
  // that lives for ever.
  static value::Type NamedType(const std::string& name);
  static std::string_view TypeConstant(const std::string& name);

  std::vector<Variable> locals;

 private:
  const Names& env_;
};

}  // namespace zhitui::cel
