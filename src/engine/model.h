#pragma once

// What Engine::Build makes of a ruleset, for any day: conditions, the alternatives of each rule, and the facts that the
// conditions divide into classes.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace zhitui::engine {

enum class Truth : std::uint8_t { kFalse, kTrue, kOpen };

// How the values of a fact are looked up.
enum class Key : std::uint8_t { kBool, kInt, kDate, kDecimal, kString, kSet };

// Of a list the conditions ask whether it contains one text each: its class is the set of those that it contains.
inline constexpr std::size_t kMaxAsked = 7;  // texts of one list; conditions on more are computed

inline constexpr std::uint32_t kNone = ~std::uint32_t{0};

// The answer of a condition as a function of an ordered key: from `start` on, up to the next step.
struct Step {
  std::int64_t start;
  Truth truth;
};

// The answer of a condition as a function of a text.
struct Words {
  Truth otherwise = Truth::kFalse;
  std::vector<std::pair<std::string, Truth>> members;   // equal to
  std::vector<std::pair<std::string, Truth>> prefixes;  // sorted by length, the longest first
  // kSet: members has the one text asked for, with the answer where the list contains it.
};

struct Condition {
  // Exactly one of the three.
  std::optional<cel::Condition> when;
  const cel::Program* amount = nullptr;  // true when it gives a number, else open
  const rules::Rule* rule = nullptr;     // a rule of too many alternatives, as a whole

  std::vector<std::uint32_t> slots;
  bool time_dependent = false;
  cel::Dependence dependence;
  std::uint32_t fact = kNone;  // with classes; kNone: computed
  // What `null` and an absent fact give, and the function of the value; for a condition that depends on the day they
  // are found for each table.
  Truth of_null = Truth::kOpen;
  Truth of_absent = Truth::kOpen;
  std::vector<Step> steps;
  Words words;
};

struct Fact {
  std::uint32_t slot = 0;
  Key key = Key::kInt;
  std::uint8_t scale = 0;  // kDecimal: digits after the point in the constants
  std::vector<std::uint32_t> conditions;
};

using Literal = std::uint32_t;  // condition * 2, + 1 when it must be false
inline std::uint32_t ConditionOf(Literal l) { return l / 2; }
inline bool Negated(Literal l) { return (l & 1) != 0; }

struct Alternative {
  std::uint32_t rule = kNone;     // as numbered by Engine::rules(); kNone: a bit that stands for nothing
  std::vector<Literal> literals;  // sorted, distinct
};

// Words of alternatives that lie above each other: bit b of each layer is an alternative of the same rule. The rules
// with the most alternatives come first, so a layer is a prefix of the one below.
struct Layer {
  std::uint32_t word = 0;  // the first
  std::uint32_t words = 0;
};

struct Model {
  std::shared_ptr<const rules::RuleSet> ruleset;
  std::shared_ptr<const facts::Schema> schema;
  std::vector<std::uint32_t> rules;      // indexes into ruleset->rules(), in the order in which the engine numbers them
  std::vector<std::uint32_t> number_of;  // the other way round; kNone for rules of other kinds
  std::vector<Condition> conditions;
  std::vector<Alternative> alternatives;  // by their bit
  std::vector<Layer> layers;              // bit b: an alternative of rule b
  std::vector<Layer> more;                // bit b: one more alternative of rule more_of[b], which has very many
  std::vector<std::uint32_t> more_of;
  std::vector<Fact> facts;
  std::vector<std::uint32_t> computed;      // conditions without a fact
  std::vector<std::uint32_t> fact_of_slot;  // kNone: without classes

  const rules::Rule& rule(std::size_t local) const { return ruleset->rules()[rules[local]]; }
};

std::shared_ptr<const Model> BuildModel(std::shared_ptr<const rules::RuleSet> ruleset, std::string_view kind);

// The key of a decimal or an int among decimals of `scale` digits; numbers beyond the range of keys are at its ends.
std::int64_t DecimalKey(const Value& v, std::uint8_t scale);

// Finds of_null, of_absent and steps or words for a day. False when the condition has no classes after all; then its
// answer must be computed. On a day other than that of Build only an answer of open can be new.
bool Analyse(const Model& model, const Fact& fact, Condition& condition, Date day, value::Arena& arena);

// The answer of a condition for a profile.
Truth Evaluate(const Condition& condition, std::span<const Value> slots, Date day, value::Arena& arena);

}  // namespace zhitui::engine
