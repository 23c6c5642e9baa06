// One subject at a time.

#include "engine/table.h"

#include <algorithm>
#include <bit>
#include <mutex>

namespace zhitui::engine {

namespace {

constexpr std::size_t kArenaBytes = 1 << 20;  // a scratch that holds more is emptied first
constexpr std::uint8_t kNotYet = 3;           // of a computed condition that nobody asked for

bool Any(const std::uint64_t* words, std::size_t count) {
  std::uint64_t any = 0;
  for (std::size_t i = 0; i < count; ++i) any |= words[i];
  return any != 0;
}

}  // namespace

struct Scratch::Impl {
  value::Arena arena;
  std::vector<const std::uint64_t*> certain_rows;
  std::vector<const std::uint64_t*> possible_rows;
  std::vector<std::uint64_t> certain;
  std::vector<std::uint64_t> possible;

  value::Arena& FreshArena() {
    if (arena.bytes_used() > kArenaBytes) arena.Reset();
    return arena;
  }
};

Scratch::Scratch() : impl_(std::make_unique<Impl>()) {}
Scratch::~Scratch() = default;
Scratch::Scratch(Scratch&&) noexcept = default;
Scratch& Scratch::operator=(Scratch&&) noexcept = default;

Table::Table(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Table::~Table() = default;

Date Table::day() const { return impl_->day; }

Size Table::size() const {
  Size out;
  out.rules = impl_->model->rules.size();
  out.conditions = impl_->model->conditions.size();
  out.computed = impl_->model->computed.size();
  out.alternatives = impl_->model->alternatives.size();
  out.facts = impl_->facts.size();
  out.classes = impl_->distinct_classes;
  return out;
}

namespace {

// Takes from the alternatives those that a computed condition rules out. Only asks for what is still possible.
template <class AnswerOf>
void ApplyComputed(const Table::Impl& t, std::uint64_t* certain, std::uint64_t* possible, std::size_t from,
                   std::size_t to, AnswerOf answer_of) {
  for (std::size_t c = 0; c < t.computed.size(); ++c) {
    const Computed& computed = t.computed[c];
    const std::uint64_t* positive = t.row(computed.positive);
    const std::uint64_t* negative = t.row(computed.negative);
    std::uint64_t needed = 0;
    for (std::size_t w = from; w < to; ++w) needed |= possible[w] & (positive[w] | negative[w]);
    if (needed == 0) continue;
    const Truth truth = computed.constant ? computed.truth : answer_of(c);
    for (std::size_t w = from; w < to; ++w) {
      const std::uint64_t certain_out = truth == Truth::kTrue    ? negative[w]
                                        : truth == Truth::kFalse ? positive[w]
                                                                 : positive[w] | negative[w];
      certain[w] &= ~certain_out;
      if (truth != Truth::kOpen) possible[w] &= ~certain_out;
    }
  }
}

// Rules from alternatives.
void Gather(const Table::Impl& t, const std::uint64_t* certain, const std::uint64_t* possible,
            std::vector<std::uint64_t>& eligible, std::vector<std::uint64_t>& unknown) {
  eligible.assign(t.rule_words(), 0);
  unknown.assign(t.rule_words(), 0);
  const std::uint32_t* rule_of = t.rule_of.data();
  for (std::size_t w = 0; w < t.words(); ++w) {
    for (std::uint64_t bits = certain[w]; bits != 0; bits &= bits - 1) {
      const std::uint32_t rule = rule_of[w * 64 + static_cast<std::size_t>(std::countr_zero(bits))];
      eligible[rule / 64] |= std::uint64_t{1} << rule % 64;
    }
    for (std::uint64_t bits = possible[w] & ~certain[w]; bits != 0; bits &= bits - 1) {
      const std::uint32_t rule = rule_of[w * 64 + static_cast<std::size_t>(std::countr_zero(bits))];
      unknown[rule / 64] |= std::uint64_t{1} << rule % 64;
    }
  }
  for (std::size_t w = 0; w < t.rule_words(); ++w) unknown[w] &= ~eligible[w];
}

const Value& SlotOf(std::span<const Value> slots, std::uint32_t slot) {
  static const Value absent = Value::Unknown(nullptr);
  return slot < slots.size() ? slots[slot] : absent;
}

}  // namespace

void Table::Answer(std::span<const Value> slots, Scratch& scratch, Answers* answers) const {
  const Impl& t = *impl_;
  Scratch::Impl& s = *scratch.impl_;
  const std::size_t facts = t.facts.size();
  s.certain_rows.resize(facts);
  s.possible_rows.resize(facts);
  s.certain.resize(t.words());
  bool open = false;
  for (std::size_t f = 0; f < facts; ++f) {
    const FactTable& fact = t.facts[f];
    const std::uint16_t c = t.ClassOf(fact, SlotOf(slots, fact.slot));
    s.certain_rows[f] = t.row(fact.certain[c]);
    s.possible_rows[f] = t.row(fact.possible[c]);
    open = open || s.certain_rows[f] != s.possible_rows[f];
  }
  t.kernels->and_rows(t.live.data(), s.certain_rows.data(), facts, t.blocks, s.certain.data());
  if (open) {
    s.possible.resize(t.words());
    t.kernels->and_rows(t.live.data(), s.possible_rows.data(), facts, t.blocks, s.possible.data());
  } else {
    s.possible = s.certain;
  }
  if (!t.computed.empty()) {
    value::Arena& arena = s.FreshArena();
    ApplyComputed(t, s.certain.data(), s.possible.data(), 0, t.words(), [&](std::size_t c) {
      return Evaluate(t.model->conditions[t.computed[c].condition], slots, t.day, arena);
    });
  }
  Gather(t, s.certain.data(), s.possible.data(), answers->eligible_, answers->unknown_);
}

void Table::Begin(std::span<const Value> slots, Scratch& scratch, Subject* subject) const {
  const Impl& t = *impl_;
  subject->classes_.resize(t.facts.size());
  for (std::size_t f = 0; f < t.facts.size(); ++f) {
    subject->classes_[f] = t.ClassOf(t.facts[f], SlotOf(slots, t.facts[f].slot));
  }
  subject->computed_.assign(t.computed.size(), kNotYet);
  subject->certain_.assign(t.words(), 0);
  subject->possible_.assign(t.words(), 0);
  for (std::size_t b = 0; b < t.blocks; ++b) Refresh(slots, b, scratch, subject);
  Gather(t, subject->certain_.data(), subject->possible_.data(), subject->answers_.eligible_,
         subject->answers_.unknown_);
}

// Computes one block of alternatives from the classes.
void Table::Refresh(std::span<const Value> slots, std::size_t block, Scratch& scratch, Subject* subject) const {
  const Impl& t = *impl_;
  const std::size_t from = block * kWordsOfBlock;
  std::uint64_t certain[kWordsOfBlock];
  std::uint64_t possible[kWordsOfBlock];
  std::copy_n(t.live.data() + from, kWordsOfBlock, certain);
  std::copy_n(t.live.data() + from, kWordsOfBlock, possible);
  Scratch::Impl& s = *scratch.impl_;
  s.certain_rows.resize(t.facts.size());
  s.possible_rows.resize(t.facts.size());
  bool open = false;
  for (std::size_t f = 0; f < t.facts.size(); ++f) {
    const std::uint16_t c = subject->classes_[f];
    s.certain_rows[f] = t.row(t.facts[f].certain[c]) + from;
    s.possible_rows[f] = t.row(t.facts[f].possible[c]) + from;
    open = open || s.certain_rows[f] != s.possible_rows[f];
  }
  t.kernels->and_rows(t.live.data() + from, s.certain_rows.data(), t.facts.size(), 1, certain);
  if (open) {
    t.kernels->and_rows(t.live.data() + from, s.possible_rows.data(), t.facts.size(), 1, possible);
  } else {
    std::copy_n(certain, kWordsOfBlock, possible);
  }
  std::uint64_t* const kept_certain = subject->certain_.data() + from;
  std::uint64_t* const kept_possible = subject->possible_.data() + from;
  std::copy_n(certain, kWordsOfBlock, kept_certain);
  std::copy_n(possible, kWordsOfBlock, kept_possible);
  if (t.computed.empty() || !Any(possible, kWordsOfBlock)) return;
  value::Arena& arena = s.FreshArena();
  ApplyComputed(t, subject->certain_.data(), subject->possible_.data(), from, from + kWordsOfBlock, [&](std::size_t c) {
    std::uint8_t& known = subject->computed_[c];
    if (known == kNotYet) {
      const Condition& condition = t.model->conditions[t.computed[c].condition];
      known = static_cast<std::uint8_t>(Evaluate(condition, slots, t.day, arena));
    }
    return static_cast<Truth>(known);
  });
}

void Table::Change(std::span<const Value> slots, std::span<const std::uint32_t> changed, Scratch& scratch,
                   Subject* subject) const {
  const Impl& t = *impl_;
  // A bit for each block that must be computed again; beyond 64 blocks several share one.
  std::uint64_t stale = 0;
  for (const std::uint32_t slot : changed) {
    if (slot >= t.fact_of_slot.size()) continue;
    if (const std::uint32_t f = t.fact_of_slot[slot]; f != kNone) {
      const FactTable& fact = t.facts[f];
      const std::uint16_t now = t.ClassOf(fact, SlotOf(slots, slot));
      const std::uint16_t before = std::exchange(subject->classes_[f], now);
      if (fact.certain[now] != fact.certain[before] || fact.possible[now] != fact.possible[before]) {
        stale |= t.blocks_of_fact[f];
      }
    }
    for (const std::uint32_t c : t.computed_of_slot[slot]) {
      subject->computed_[c] = kNotYet;
      stale |= t.blocks_of_computed[c];
    }
  }
  if (stale == 0) return;
  for (std::size_t b = 0; b < t.blocks; ++b) {
    if ((stale >> b % 64 & 1) == 0) continue;
    const std::size_t from = b * kWordsOfBlock;
    std::uint64_t certain[kWordsOfBlock];
    std::uint64_t possible[kWordsOfBlock];
    std::copy_n(subject->certain_.data() + from, kWordsOfBlock, certain);
    std::copy_n(subject->possible_.data() + from, kWordsOfBlock, possible);
    Refresh(slots, b, scratch, subject);
    for (std::size_t w = 0; w < kWordsOfBlock; ++w) {
      std::uint64_t flipped = (certain[w] ^ subject->certain_[from + w]) | (possible[w] ^ subject->possible_[from + w]);
      for (; flipped != 0; flipped &= flipped - 1) {
        Settle(t.rule_of[(from + w) * 64 + static_cast<std::size_t>(std::countr_zero(flipped))], subject);
      }
    }
  }
}

// The answer of one rule from its alternatives. Blocks that are still to be computed settle it again.
void Table::Settle(std::uint32_t rule, Subject* subject) const {
  bool eligible = false;
  bool possible = false;
  for (const std::uint32_t i : impl_->of_rule[rule]) {
    eligible = eligible || (subject->certain_[i / 64] >> i % 64 & 1) != 0;
    possible = possible || (subject->possible_[i / 64] >> i % 64 & 1) != 0;
  }
  const std::uint64_t bit = std::uint64_t{1} << rule % 64;
  std::uint64_t& in_eligible = subject->answers_.eligible_[rule / 64];
  std::uint64_t& in_unknown = subject->answers_.unknown_[rule / 64];
  in_eligible = eligible ? in_eligible | bit : in_eligible & ~bit;
  in_unknown = possible && !eligible ? in_unknown | bit : in_unknown & ~bit;
}

void Table::Open(std::span<const Value> slots, Scratch& scratch, std::vector<std::uint64_t>* rules) const {
  const Impl& t = *impl_;
  Scratch::Impl& s = *scratch.impl_;
  s.possible_rows.resize(t.facts.size());
  s.possible.resize(t.words());
  for (std::size_t f = 0; f < t.facts.size(); ++f) {
    const FactTable& fact = t.facts[f];
    s.possible_rows[f] = t.row(fact.later[t.ClassOf(fact, SlotOf(slots, fact.slot))]);
  }
  t.kernels->and_rows(t.live_later.data(), s.possible_rows.data(), t.facts.size(), t.blocks, s.possible.data());
  rules->assign(t.rule_words(), 0);
  for (std::size_t w = 0; w < t.words(); ++w) {
    for (std::uint64_t bits = s.possible[w]; bits != 0; bits &= bits - 1) {
      const std::uint32_t rule = t.rule_of[w * 64 + static_cast<std::size_t>(std::countr_zero(bits))];
      (*rules)[rule / 64] |= std::uint64_t{1} << rule % 64;
    }
  }
}

std::size_t Table::AmountRow(std::size_t rule, std::span<const Value> slots, Scratch& scratch) const {
  const std::vector<rules::AmountRow>& rows = impl_->model->rule(rule).amounts;
  value::Arena& arena = scratch.impl_->FreshArena();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i].when || rows[i].when->Evaluate({slots, impl_->day}, arena).IsTrue()) return i;
  }
  return 0;
}

std::uint8_t Table::Compute(std::size_t computed, std::span<const Value> slots, Scratch& scratch) const {
  const Computed& c = impl_->computed[computed];
  if (c.constant) return static_cast<std::uint8_t>(c.truth);
  const Condition& condition = impl_->model->conditions[c.condition];
  return static_cast<std::uint8_t>(Evaluate(condition, slots, impl_->day, scratch.impl_->FreshArena()));
}

struct Engine::Impl {
  std::shared_ptr<const Model> model;
  mutable std::mutex mutex;
  mutable std::vector<std::shared_ptr<const Table>> tables;  // the last asked for is the last
};

namespace {
constexpr std::size_t kKeptTables = 4;
}

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;

std::shared_ptr<const Engine> Engine::Build(std::shared_ptr<const rules::RuleSet> ruleset, std::string_view kind) {
  std::shared_ptr<const Model> model = BuildModel(std::move(ruleset), kind);
  if (model == nullptr) return nullptr;
  auto impl = std::make_unique<Impl>();
  impl->model = std::move(model);
  return std::shared_ptr<const Engine>(new Engine(std::move(impl)));
}

std::shared_ptr<const Table> Engine::At(Date day) const {
  const std::scoped_lock lock(impl_->mutex);
  std::vector<std::shared_ptr<const Table>>& tables = impl_->tables;
  const auto found = std::find_if(tables.begin(), tables.end(), [&](const auto& t) { return t->day() == day; });
  if (found != tables.end()) {
    std::rotate(found, found + 1, tables.end());
    return tables.back();
  }
  if (tables.size() == kKeptTables) tables.erase(tables.begin());
  tables.push_back(std::shared_ptr<const Table>(new Table(MakeTable(impl_->model, day))));
  return tables.back();
}

const rules::RuleSet& Engine::ruleset() const { return *impl_->model->ruleset; }
std::span<const std::uint32_t> Engine::rules() const { return impl_->model->rules; }

}  // namespace zhitui::engine
