#pragma once

// The names in the files of a rules folder: where each is declared and used. Made from the syntax alone, so it works
// while a file has mistakes. Private to editor.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cel/cel.h"
#include "editor/syntax.h"
#include "facts/facts.h"
#include "rules/rules.h"

namespace zhitui::editor {

// One file with its syntax, which points into nothing but `text`.
struct File {
  std::string path;  // in the rules folder
  std::string text;
  Syntax root;
  std::string ValueOf(std::string_view key) const;  // of a scalar at the root; empty: none
};
std::shared_ptr<const File> MakeFile(std::string path, std::string text);

enum class Thing : std::uint8_t {
  kFact,
  kParam,
  kLet,
  kLaw,
  kCriterion,
  kMessage,
  kCalendar,
  kKind,
  kSource,
  kFunction
};

struct Name {
  Thing thing = Thing::kFact;
  std::string scope;  // fact: its kind; param, let, law, criterion, source: the file; otherwise empty
  std::string name;
  std::size_t begin = 0;  // in the file
  std::size_t end = 0;
  bool declared = false;
  std::string above;  // a fact in nested keys: the part of its name that stands in the keys above, with a dot behind
  bool Is(const Name& other) const { return thing == other.thing && scope == other.scope && name == other.name; }
};

// The facts of each kind, as far as the fact files could be read.
using Schemas = std::map<std::string, std::shared_ptr<const facts::Schema>, std::less<>>;

// All names in a file, in its order.
std::vector<Name> NamesOf(const File& file, const Schemas& schemas);

// An expression of a rule and what it may name.
struct Local {
  std::string name;
  std::size_t from = 0;  // tokens for which it is declared
  std::size_t to = 0;
  const facts::FactDef* fact = nullptr;  // what it is an element of, as far as that is known
};
class Expression {
 public:
  // `lets`: the names that it may use of the rule's let.
  Expression(std::string_view text, std::string kind, const facts::Schema* schema);

  const std::vector<cel::Lexeme>& tokens() const { return tokens_; }
  const std::vector<Local>& locals() const { return locals_; }
  // Facts, params, lets and functions; offsets are of the expression. A let is any name that stands alone and is none
  // of the others; the caller knows which there are.
  std::vector<Name> Names() const;
  // The fact, or the field of one, that the tokens up to `end` (not included) name last: `g.housing`,
  // `resident.guardians[0].id`. nullptr: none.
  const facts::FactDef* FactBefore(std::size_t end) const;

 private:
  bool Sign(std::size_t i, std::string_view text) const;
  bool IsName(std::size_t i) const;
  std::size_t Matching(std::size_t open) const;  // the token of the closing bracket; the end where there is none
  void FindLocals();
  const Local* LocalAt(std::size_t token) const;

  std::vector<cel::Lexeme> tokens_;
  std::string kind_;
  const facts::Schema* schema_;
  std::vector<Local> locals_;
};

// A rule's names for the expression checker, to ask for types. Mistakes are left out.
cel::Env EnvOf(const File& rule, const facts::Schema* schema);
// The type of an expression; empty where it has a mistake.
std::string TypeOf(const std::string& expression, const cel::Env& env);

}  // namespace zhitui::editor
