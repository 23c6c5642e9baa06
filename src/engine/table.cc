// One subject at a time.

#include "engine/table.h"

#include <algorithm>
#include <bit>
#include <mutex>

namespace zhitui::engine {

namespace {

constexpr std::size_t kArenaBytes = 1 << 20;  // a scratch that holds more is emptied first
constexpr std::uint64_t kAllBlocks = ~std::uint64_t{0};
constexpr std::uint8_t kNotYet = 3;  // of a computed condition that nobody asked for

}  // namespace

struct Scratch::Impl {
  value::Arena arena;
  std::vector<const std::uint64_t*> certain_rows;
  std::vector<const std::uint64_t*> possible_rows;
  std::vector<std::uint64_t> certain;
  std::vector<std::uint64_t> possible;
  std::vector<std::uint64_t> answers;  // eligible, then unknown
  std::vector<std::uint8_t> computed;  // a Truth of each computed condition, or kNotYet
  std::vector<std::uint16_t> classes;  // of each fact, by position
  std::vector<std::uint64_t> before;   // alternatives

  // The rows of the classes. False: none of them leaves an answer open; `possible_rows` is not filled then.
  bool ListRows(const Table::Impl& t, const std::uint16_t* of_facts) {
    const std::size_t facts = t.facts.size();
    certain_rows.resize(facts);
    const std::uint64_t* const rows = t.rows.data();
    const std::uint64_t** const to_certain = certain_rows.data();
    const RowPair* const* const rows_at = t.rows_at.data();
    std::uint32_t open = 0;
    for (std::size_t i = 0; i < facts; ++i) {
      const RowPair pair = rows_at[i][of_facts[i]];
      to_certain[i] = rows + pair.certain;
      open |= pair.certain ^ pair.possible;
    }
    if (open == 0) return false;
    possible_rows.resize(facts);
    for (std::size_t i = 0; i < facts; ++i) possible_rows[i] = rows + rows_at[i][of_facts[i]].possible;
    return true;
  }

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
  for (const auto& of_rule : impl_->of_rule) out.alternatives += of_rule.size();
  out.facts = impl_->facts.size();
  out.classes = impl_->distinct_classes;
  return out;
}

namespace {

// Takes from the alternatives of the words [from, to) those that a computed condition rules out. Only asks for what is
// still possible. `answer_of` may be called for one condition more than once.
template <class AnswerOf>
void ApplyComputed(const Table::Impl& t, std::uint64_t* certain, std::uint64_t* possible, std::size_t from,
                   std::size_t to, AnswerOf answer_of) {
  for (std::size_t w = from; w < to; ++w) {
    if ((possible[w] & t.needing[w]) == 0) continue;
    for (std::uint32_t i = t.needs_of_word[w]; i < t.needs_of_word[w + 1]; ++i) {
      const Need& need = t.needs[i];
      const std::uint64_t bit = std::uint64_t{1} << need.alternative % 64;
      if ((possible[w] & bit) == 0) continue;
      const Computed& computed = t.computed[need.computed];
      const Truth truth = computed.constant ? computed.truth : answer_of(need.computed);
      if (truth == need.wanted) continue;
      certain[w] &= ~bit;
      if (truth != Truth::kOpen) possible[w] &= ~bit;
    }
  }
}

// The answer of a computed condition, found once and kept in `known`.
Truth Known(const Table::Impl& t, std::size_t computed, std::uint8_t& known, std::span<const Value> slots,
            value::Arena& arena) {
  if (known == kNotYet) {
    const Condition& condition = t.model->conditions[t.computed[computed].condition];
    known = static_cast<std::uint8_t>(Evaluate(condition, slots, t.day, arena));
  }
  return static_cast<Truth>(known);
}

void Gather(const Model& model, const std::uint64_t* alternatives, std::size_t rule_words, std::uint64_t* rules) {
  std::fill_n(rules, rule_words, 0);
  for (const Layer& layer : model.layers) {
    for (std::uint32_t w = 0; w < layer.words; ++w) rules[w] |= alternatives[layer.word + w];
  }
  for (const Layer& layer : model.more) {
    for (std::uint32_t w = 0; w < layer.words; ++w) {
      for (std::uint64_t bits = alternatives[layer.word + w]; bits != 0; bits &= bits - 1) {
        const std::uint32_t rule = model.more_of[w * 64 + static_cast<std::uint32_t>(std::countr_zero(bits))];
        rules[rule / 64] |= std::uint64_t{1} << rule % 64;
      }
    }
  }
}

// Rules from alternatives.
void Gather(const Table::Impl& t, const std::uint64_t* certain, const std::uint64_t* possible, std::uint64_t* eligible,
            std::uint64_t* unknown) {
  const std::size_t rule_words = t.rule_words();
  Gather(*t.model, certain, rule_words, eligible);
  if (std::equal(certain, certain + t.words(), possible)) {  // mostly nothing is open
    std::fill_n(unknown, rule_words, 0);
    return;
  }
  Gather(*t.model, possible, rule_words, unknown);
  for (std::size_t w = 0; w < rule_words; ++w) unknown[w] &= ~eligible[w];
}

const Value kAbsent = Value::Unknown(nullptr);
const Value& SlotOf(std::span<const Value> slots, std::uint32_t slot) {
  return slot < slots.size() ? slots[slot] : kAbsent;
}

}  // namespace

namespace {

void Classify(const Table::Impl& t, std::span<const Value> slots, std::uint16_t* classes) {
  const HotFact* const hot = t.hot.data();
  const auto each = [&](Family family, auto class_of) {
    const std::size_t end = t.families[static_cast<std::size_t>(family) + 1];
    for (std::size_t i = t.families[static_cast<std::size_t>(family)]; i < end; ++i) {
      classes[hot[i].position] = class_of(hot[i], slots[hot[i].slot]);
    }
  };
  if (slots.size() < t.fact_of_slot.size()) [[unlikely]] {
    for (const HotFact& fact : t.hot) classes[fact.position] = fact.ClassOf(SlotOf(slots, fact.slot));
    return;
  }
  each(Family::kNumbers, [](const HotFact& fact, const Value& v) { return fact.ClassOfPlain(v); });
  each(Family::kDecimals, [](const HotFact& fact, const Value& v) { return fact.ClassOfDecimal(v); });
  each(Family::kCodes, [](const HotFact& fact, const Value& v) { return fact.ClassOfCode(v); });
  each(Family::kOthers, [](const HotFact& fact, const Value& v) { return fact.ClassOf(v); });
}

}  // namespace

// Where the parts of a subject stand in its state.
struct Table::State {
  std::uint16_t* classes;  // of each fact, by position
  std::uint8_t* computed;  // of each computed condition: a Truth or kNotYet
  std::uint64_t* certain;  // alternatives
  std::uint64_t* possible;
  std::uint64_t* eligible;  // rules
  std::uint64_t* unknown;

  // In words from the begin.
  static std::size_t Computed(const Impl& t) { return (t.facts.size() * sizeof(std::uint16_t) + 7) / 8; }
  static std::size_t Certain(const Impl& t) { return Computed(t) + (t.computed.size() + 7) / 8; }
  static std::size_t Eligible(const Impl& t) { return Certain(t) + 2 * t.words(); }
  static std::size_t Size(const Impl& t) { return Eligible(t) + 2 * t.rule_words(); }

  static State Of(const Impl& t, std::uint64_t* begin) {
    State out;
    out.classes = reinterpret_cast<std::uint16_t*>(begin);
    out.computed = reinterpret_cast<std::uint8_t*>(begin + Computed(t));
    out.certain = begin + Certain(t);
    out.possible = out.certain + t.words();
    out.eligible = begin + Eligible(t);
    out.unknown = out.eligible + t.rule_words();
    return out;
  }
};

Answers Table::Answer(std::span<const Value> slots, Scratch& scratch) const {
  const Impl& t = *impl_;
  Scratch::Impl& s = *scratch.impl_;
  const std::size_t facts = t.facts.size();
  s.classes.resize(facts);
  s.certain.resize(t.words());
  s.possible.resize(t.words());
  s.answers.resize(2 * t.rule_words());
  // The profile is often not in the cache: ask for all of it at once.
  constexpr std::size_t kLine = 64;
  for (std::size_t i = 0; i < slots.size_bytes(); i += kLine) {
    __builtin_prefetch(reinterpret_cast<const char*>(slots.data()) + i);
  }
  Classify(t, slots, s.classes.data());
  const bool open = s.ListRows(t, s.classes.data());
  t.kernels->and_rows(t.live.data(), s.certain_rows.data(), facts, t.blocks, kAllBlocks, s.certain.data());
  if (open) {
    t.kernels->and_rows(t.live.data(), s.possible_rows.data(), facts, t.blocks, kAllBlocks, s.possible.data());
  } else {
    std::copy_n(s.certain.data(), t.words(), s.possible.data());
  }
  if (!t.computed.empty()) {
    value::Arena& arena = s.FreshArena();
    s.computed.assign(t.computed.size(), kNotYet);
    ApplyComputed(t, s.certain.data(), s.possible.data(), 0, t.words(),
                  [&](std::size_t c) { return Known(t, c, s.computed[c], slots, arena); });
  }
  const std::span<std::uint64_t> answers(s.answers);
  Gather(t, s.certain.data(), s.possible.data(), answers.data(), answers.data() + t.rule_words());
  return {answers.first(t.rule_words()), answers.subspan(t.rule_words())};
}

void Table::Begin(std::span<const Value> slots, Scratch& scratch, Subject* subject) const {
  const Impl& t = *impl_;
  subject->state_.assign(State::Size(t), 0);
  subject->answers_ = static_cast<std::uint32_t>(State::Eligible(t));
  subject->rule_words_ = static_cast<std::uint32_t>(t.rule_words());
  const State state = State::Of(t, subject->state_.data());
  Classify(t, slots, state.classes);
  std::fill_n(state.computed, t.computed.size(), kNotYet);
  Refresh(slots, kAllBlocks, scratch, state);
  Gather(t, state.certain, state.possible, state.eligible, state.unknown);
}

// Computes the alternatives of some blocks from the classes: bit b % 64 stands for block b. False: none is another.
bool Table::Refresh(std::span<const Value> slots, std::uint64_t blocks, Scratch& scratch, const State& state) const {
  const Impl& t = *impl_;
  Scratch::Impl& s = *scratch.impl_;
  const std::size_t facts = t.facts.size();
  s.before.resize(2 * t.words());
  std::copy_n(state.certain, 2 * t.words(), s.before.data());  // certain and possible stand side by side
  const bool open = s.ListRows(t, state.classes);
  t.kernels->and_rows(t.live.data(), s.certain_rows.data(), facts, t.blocks, blocks, state.certain);
  if (open) t.kernels->and_rows(t.live.data(), s.possible_rows.data(), facts, t.blocks, blocks, state.possible);
  for (std::size_t b = 0; b < t.blocks; ++b) {
    if ((blocks >> b % 64 & 1) == 0) continue;
    const std::size_t from = b * kWordsOfBlock;
    if (!open) std::copy_n(state.certain + from, kWordsOfBlock, state.possible + from);
    if (t.computed.empty()) continue;
    value::Arena& arena = s.FreshArena();
    ApplyComputed(t, state.certain, state.possible, from, from + kWordsOfBlock,
                  [&](std::size_t c) { return Known(t, c, state.computed[c], slots, arena); });
  }
  return !std::equal(s.before.begin(), s.before.end(), state.certain);
}

void Table::Change(std::span<const Value> slots, std::span<const std::uint32_t> changed, Scratch& scratch,
                   Subject* subject) const {
  const Impl& t = *impl_;
  const State state = State::Of(t, subject->state_.data());
  std::uint64_t stale = 0;
  for (const std::uint32_t slot : changed) {
    if (slot >= t.fact_of_slot.size()) continue;
    if (const std::uint32_t f = t.fact_of_slot[slot]; f != kNone) {
      const FactTable& fact = t.facts[f];
      const std::uint16_t now = t.HotOf(f).ClassOf(SlotOf(slots, slot));
      const std::uint16_t before = std::exchange(state.classes[fact.position], now);
      const RowPair& a = fact.rows[now];
      const RowPair& b = fact.rows[before];
      if (a.certain != b.certain || a.possible != b.possible) stale |= t.blocks_of_fact[f];
    }
    for (const std::uint32_t c : t.computed_of_slot[slot]) {
      state.computed[c] = kNotYet;
      stale |= t.blocks_of_computed[c];
    }
  }
  if (stale == 0) return;
  if (!Refresh(slots, stale, scratch, state)) return;
  Gather(t, state.certain, state.possible, state.eligible, state.unknown);
}

void Table::Open(std::span<const Value> slots, Scratch& scratch, std::vector<std::uint64_t>* rules) const {
  const Impl& t = *impl_;
  Scratch::Impl& s = *scratch.impl_;
  s.possible_rows.resize(t.facts.size());
  s.possible.resize(t.words());
  for (std::size_t f = 0; f < t.facts.size(); ++f) {
    const FactTable& fact = t.facts[f];
    s.possible_rows[fact.position] = t.row(fact.later[t.HotOf(f).ClassOf(SlotOf(slots, fact.slot))]);
  }
  t.kernels->and_rows(t.live_later.data(), s.possible_rows.data(), t.facts.size(), t.blocks, kAllBlocks,
                      s.possible.data());
  rules->resize(t.rule_words());
  Gather(*t.model, s.possible.data(), t.rule_words(), rules->data());
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
std::uint32_t Engine::NumberOf(std::uint32_t rule) const { return impl_->model->number_of[rule]; }

}  // namespace zhitui::engine
