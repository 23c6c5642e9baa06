#pragma once

// engine: all rules of one kind of subject, compiled together, answered for many profiles fast. The same answers as
// rules::Evaluate, which stays the definition; reasons and missing facts are asked of it, for the few that need them.
// Pure: the day is an argument; a caller that wants two cores runs two calls.
//
// How: every criterion and amount row is split at && || ! into conditions; equal conditions are one. A condition that
// reads one fact divides that fact's values into classes (ranges, listed values, none, absent), so a profile is a row
// of small class numbers. For each class one bit mask says which alternatives (conjunctions) of which rules it leaves
// certain and which possible; the masks of a profile's classes are ANDed. Conditions over several facts are evaluated
// by their program, and only while an alternative that needs them is still possible.
//
// Promises
// - Answers equal those of rules::Evaluate for every profile, day and rule: eligible, unknown, ineligible, amount row.
// - Engine and Table are immutable and shared by threads; Scratch, Subject and Columns belong to one thread at a time.
// - A Table holds for one day. Tables of a day are made once and kept while they are among the last few asked for.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "rules/rules.h"
#include "value/value.h"

namespace zhitui::engine {

using value::Value;

// What can be said of all rules of the kind for one subject: a view. Rules are numbered as in Engine::rules().
class Answers {
 public:
  rules::Answer of(std::size_t rule) const {
    const std::uint64_t bit = std::uint64_t{1} << (rule % 64);
    if ((eligible_[rule / 64] & bit) != 0) return rules::Answer::kEligible;
    return (unknown_[rule / 64] & bit) != 0 ? rules::Answer::kUnknown : rules::Answer::kIneligible;
  }
  // 64 rules to a word; a rule is in at most one of both.
  std::span<const std::uint64_t> eligible() const { return eligible_; }
  std::span<const std::uint64_t> unknown() const { return unknown_; }

 private:
  friend class Table;
  friend class Subject;
  Answers(std::span<const std::uint64_t> eligible, std::span<const std::uint64_t> unknown)
      : eligible_(eligible), unknown_(unknown) {}
  std::span<const std::uint64_t> eligible_;
  std::span<const std::uint64_t> unknown_;
};

// Working memory of one thread.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(Scratch&&) noexcept;
  Scratch& operator=(Scratch&&) noexcept;

 private:
  friend class Table;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A subject that is kept between events: the classes of its facts, so that one changed fact costs one look-up. Belongs
// to the table that began it.
class Subject {
 public:
  Answers answers() const {  // valid until the next change
    return {std::span(state_).subspan(answers_, rule_words_), std::span(state_).subspan(answers_ + rule_words_)};
  }

 private:
  friend class Table;
  // In one piece, so that it is read in one go: classes, answers of computed conditions, alternatives, answers.
  std::vector<std::uint64_t> state_;
  std::uint32_t answers_ = 0;
  std::uint32_t rule_words_ = 0;
};

struct Size {
  std::size_t rules = 0;
  std::size_t conditions = 0;    // distinct
  std::size_t computed = 0;      // of them: over several facts, or of a form that has no classes
  std::size_t alternatives = 0;  // conjunctions
  std::size_t facts = 0;         // with classes
  std::size_t classes = 0;
};

class Columns;

class Table {
 public:
  ~Table();
  Date day() const;
  Size size() const;

  // Slots as in facts::Profile::slots().
  // The answers are valid until the next call with this scratch.
  Answers Answer(std::span<const Value> slots, Scratch& scratch) const;

  // The same, kept; then the answers after the facts in `changed` got other values in `slots`.
  void Begin(std::span<const Value> slots, Scratch& scratch, Subject* subject) const;
  void Change(std::span<const Value> slots, std::span<const std::uint32_t> changed, Scratch& scratch,
              Subject* subject) const;

  // Rules that can be eligible or unknown on this or any later day with these facts, whatever the day does: the others
  // need no look ahead. A superset is allowed, a missing rule is not.
  void Open(std::span<const Value> slots, Scratch& scratch, std::vector<std::uint64_t>* rules) const;

  // For an eligible rule: the index of its amount row (0 when the rule has none).
  std::size_t AmountRow(std::size_t rule, std::span<const Value> slots, Scratch& scratch) const;

  struct Impl;

 private:
  friend class Engine;
  friend class Columns;
  explicit Table(std::unique_ptr<const Impl> impl);
  struct State;
  bool Refresh(std::span<const Value> slots, std::uint64_t blocks, Scratch& scratch, const State& state) const;
  std::uint8_t Compute(std::size_t computed, std::span<const Value> slots, Scratch& scratch) const;
  std::unique_ptr<const Impl> impl_;
};

class Engine {
 public:
  // All rules of the kind. nullptr when the ruleset does not know the kind.
  static std::shared_ptr<const Engine> Build(std::shared_ptr<const rules::RuleSet> ruleset, std::string_view kind);
  ~Engine();
  std::shared_ptr<const Table> At(Date day) const;  // thread-safe
  const rules::RuleSet& ruleset() const;
  // Indexes into ruleset().rules(), in an order of the engine's own: the number of a rule in answers is its place here.
  std::span<const std::uint32_t> rules() const;
  // The place in rules() of a rule of this kind, by its index in ruleset().rules().
  std::uint32_t NumberOf(std::uint32_t rule) const;

 private:
  struct Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// A population in columns of classes, for one table: a byte or two for each subject and fact. Many are answered at
// once.
class Columns {
 public:
  explicit Columns(std::shared_ptr<const Table> table);
  ~Columns();
  Columns(Columns&&) noexcept;
  Columns& operator=(Columns&&) noexcept;

  void Append(std::span<const Value> slots, Scratch& scratch);
  std::size_t size() const;   // subjects
  std::size_t bytes() const;  // of all columns

  // How many subjects are eligible and unknown, for each rule, among those numbered from `begin` up to `end` (multiples
  // of kBlock, or the end). Several threads may count different ranges of the same columns.
  static constexpr std::size_t kBlock = 4096;
  struct Counts {
    std::vector<std::uint64_t> eligible;
    std::vector<std::uint64_t> unknown;
  };
  Counts Count(std::size_t begin, std::size_t end) const;

  // Who: one bit for each subject of a block, kBlock / 64 words for each rule. What is beyond size() is zero.
  void Answer(std::size_t block, std::vector<std::uint64_t>* eligible, std::vector<std::uint64_t>* unknown) const;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace zhitui::engine
