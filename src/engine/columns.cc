// Many subjects at once.

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>

#include "engine/table.h"

namespace zhitui::engine {

namespace {

// A column holds class numbers of one byte. A fact with more classes has several columns, each for some of the
// conditions: what those cannot tell apart is one class there.
constexpr std::size_t kMaxClasses = 256;

struct Column {
  std::uint32_t fact = 0;              // index into Table::Impl::facts; kNone: a computed condition
  std::uint32_t computed = 0;          // index into Table::Impl::computed
  std::vector<std::uint8_t> of_class;  // class of the fact -> class in this column
  std::vector<std::uint8_t> data;      // padded to kLanes
};

struct Test {
  std::uint32_t column = 0;
  bool only_open = false;  // asks what may hold; not needed for subjects of whom all is known
  ClassSet set;
};

ClassSet MakeSet(const std::vector<bool>& in) {
  ClassSet out;
  std::size_t runs = 0;
  for (std::size_t c = 0; c < in.size(); ++c) {
    if (!in[c]) continue;
    out.table[c >> 7][c & 15] = static_cast<std::uint8_t>(out.table[c >> 7][c & 15] | 1U << (c >> 4 & 7));
    if ((c == 0 || !in[c - 1]) && ++runs == 1) out.first = static_cast<std::uint8_t>(c);
    if (runs == 1) out.last = static_cast<std::uint8_t>(c);
  }
  for (auto& half : out.table) {
    for (std::size_t i = 16; i < 64; i += 16) std::copy_n(half, 16, half + i);
  }
  using Form = ClassSet::Form;
  if (runs != 1) return out;
  out.form = out.first == out.last                    ? Form::kOne
             : out.first == 0                         ? Form::kUpTo
             : std::size_t{out.last} + 1 == in.size() ? Form::kFrom
                                                      : Form::kRun;
  return out;
}

}  // namespace

struct Columns::Impl {
  std::shared_ptr<const Table> table;
  std::vector<Column> columns;
  std::size_t size = 0;
  std::vector<bool> open;  // of each kLanes subjects: whether an answer of a condition is open for one of them

  // Bitmaps of literals. The first one is all ones; then for each test the bitmap of its set.
  std::vector<Test> tests;
  // The alternatives of all rules as Kernels::rules reads them, of the certain and of the possible bitmaps.
  std::vector<std::uint32_t> certain;
  std::vector<std::uint32_t> possible;
  std::size_t rules = 0;

  const Table::Impl& t() const { return *table->impl_; }

  // Calls visit(at, inside, certain, possible) with the bitmaps of kLanes subjects from `at` for all rules; `possible`
  // is null when nothing is open there, and `inside` says who is before `end`.
  template <class Visitor>
  void Visit(std::size_t begin, std::size_t end, Visitor visit) const {
    const Kernels& kernels = *t().kernels;
    std::vector<std::uint64_t> storage((tests.size() + 1) * (kLanes / 64), ~std::uint64_t{0});
    const auto* bitmaps = reinterpret_cast<const Bitmap*>(storage.data());
    std::vector<std::uint64_t> results(2 * rules * (kLanes / 64));
    auto* const of_certain = reinterpret_cast<Bitmap*>(results.data());
    auto* const of_possible = of_certain + rules;
    for (std::size_t at = begin; at < end; at += kLanes) {
      const bool any_open = open[at / kLanes];
      for (std::size_t i = 0; i < tests.size(); ++i) {
        if (tests[i].only_open && !any_open) continue;
        kernels.in_set(columns[tests[i].column].data.data() + at, tests[i].set,
                       storage.data() + (i + 1) * (kLanes / 64));
      }
      Bitmap inside;
      for (std::size_t w = 0; w < kLanes / 64; ++w) {
        const std::size_t from = at + w * 64;
        inside[w] = from + 64 <= end ? ~std::uint64_t{0} : from >= end ? 0 : (std::uint64_t{1} << (end - from)) - 1;
      }
      kernels.rules(bitmaps, certain.data(), rules, of_certain);
      if (any_open) kernels.rules(bitmaps, possible.data(), rules, of_possible);
      visit(at, inside, of_certain, any_open ? of_possible : nullptr);
    }
  }
};

namespace {

class Planner {
 public:
  Planner(const Table::Impl& t, std::vector<Column>& columns, std::vector<Test>& tests)
      : t_(t), columns_(columns), tests_(tests) {}

  // Divides the conditions of all facts among columns.
  void Run() {
    const std::size_t conditions = t_.model->conditions.size();
    positive_.resize(conditions);
    negative_.resize(conditions);
    for (std::uint32_t f = 0; f < t_.facts.size(); ++f) AddFact(f);
    for (std::uint32_t c = 0; c < t_.computed.size(); ++c) {
      const std::uint32_t column = static_cast<std::uint32_t>(columns_.size());
      columns_.push_back({kNone, c, {}, {}});
      AddTests(t_.computed[c].condition, column, {Truth::kFalse, Truth::kTrue, Truth::kOpen});
    }
  }

  struct Bitmaps {
    std::uint32_t certain = 0;  // bitmap in which the literal surely holds, or may hold
    std::uint32_t possible = 0;
  };
  const Bitmaps& Of(Literal l) const { return Negated(l) ? negative_[ConditionOf(l)] : positive_[ConditionOf(l)]; }

 private:
  void AddFact(std::uint32_t f) {
    const FactTable& fact = t_.facts[f];
    const std::vector<std::uint32_t>& numbers = t_.model->facts[t_.model->fact_of_slot[fact.slot]].conditions;
    std::vector<std::size_t> taken;
    std::vector<std::uint8_t> of_class(fact.classes, 0);
    std::size_t classes = 1;
    const auto close = [&] {
      if (taken.empty()) return;
      const std::uint32_t column = static_cast<std::uint32_t>(columns_.size());
      columns_.push_back({f, 0, of_class, {}});
      for (const std::size_t c : taken) {
        std::vector<Truth> truths(classes);
        for (std::size_t i = 0; i < fact.classes; ++i) truths[of_class[i]] = fact.truths[c][i];
        AddTests(numbers[c], column, truths);
      }
      taken.clear();
      of_class.assign(fact.classes, 0);
      classes = 1;
    };
    for (std::size_t c = 0; c < numbers.size(); ++c) {
      for (int attempt = 0; attempt < 2; ++attempt) {
        // Classes keep the order of the fact's, so that a range of values stays a range of class numbers.
        std::map<std::pair<std::uint8_t, Truth>, std::size_t> pairs;
        std::vector<std::size_t> finer(fact.classes);
        std::size_t count = 0;
        // None and absent come first: then what lies above a limit reaches to the last class.
        for (std::size_t n = 0; n < fact.classes; ++n) {
          const std::size_t i = (n + fact.classes - 2) % fact.classes;
          const auto [it, fresh] = pairs.emplace(std::pair(of_class[i], fact.truths[c][i]), count);
          if (fresh) ++count;
          finer[i] = it->second;
        }
        if (count > kMaxClasses) {
          close();
          continue;
        }
        for (std::size_t i = 0; i < fact.classes; ++i) of_class[i] = static_cast<std::uint8_t>(finer[i]);
        classes = count;
        taken.push_back(c);
        break;
      }
    }
    close();
  }

  void AddTests(std::uint32_t condition, std::uint32_t column, const std::vector<Truth>& truths) {
    const auto add = [&](Truth a, Truth b) -> std::uint32_t {
      const bool only_open = b == Truth::kOpen;
      std::vector<bool> in(truths.size());
      std::size_t count = 0;
      for (std::size_t i = 0; i < truths.size(); ++i) {
        in[i] = truths[i] == a || truths[i] == b;
        count += in[i] ? 1 : 0;
      }
      if (count == truths.size()) return 0;  // the bitmap of ones
      const auto [it, fresh] = known_.emplace(std::pair(column, in), static_cast<std::uint32_t>(tests_.size() + 1));
      if (fresh) tests_.push_back({column, only_open, MakeSet(in)});
      // Equal sets are one test; it is always made when somebody always needs it.
      if (!only_open) tests_[it->second - 1].only_open = false;
      return it->second;
    };
    positive_[condition] = {add(Truth::kTrue, Truth::kTrue), add(Truth::kTrue, Truth::kOpen)};
    negative_[condition] = {add(Truth::kFalse, Truth::kFalse), add(Truth::kFalse, Truth::kOpen)};
  }

  const Table::Impl& t_;
  std::vector<Column>& columns_;
  std::vector<Test>& tests_;
  std::vector<Bitmaps> positive_;
  std::vector<Bitmaps> negative_;
  std::map<std::pair<std::uint32_t, std::vector<bool>>, std::uint32_t> known_;
};

}  // namespace

Columns::Columns(std::shared_ptr<const Table> table) : impl_(std::make_unique<Impl>()) {
  impl_->table = std::move(table);
  const Table::Impl& t = impl_->t();
  Planner planner(t, impl_->columns, impl_->tests);
  planner.Run();
  impl_->rules = t.model->rules.size();
  for (auto* code : {&impl_->certain, &impl_->possible}) {
    for (std::size_t r = 0; r < impl_->rules; ++r) {
      const std::size_t head = code->size();
      code->push_back(0);
      for (const std::uint32_t i : t.of_rule[r]) {
        if ((t.live[i / 64] >> i % 64 & 1) == 0) continue;
        ++(*code)[head];
        const std::size_t at = code->size();
        code->push_back(0);
        for (const Literal l : t.model->alternatives[i].literals) {
          const std::uint32_t bitmap = code == &impl_->certain ? planner.Of(l).certain : planner.Of(l).possible;
          if (bitmap != 0) code->push_back(bitmap);
        }
        (*code)[at] = static_cast<std::uint32_t>(code->size() - at - 1);
      }
    }
  }
}

Columns::~Columns() = default;
Columns::Columns(Columns&&) noexcept = default;
Columns& Columns::operator=(Columns&&) noexcept = default;

std::size_t Columns::size() const { return impl_->size; }

std::size_t Columns::bytes() const {
  std::size_t out = 0;
  for (const Column& column : impl_->columns) out += column.data.capacity();
  return out;
}

void Columns::Append(std::span<const Value> slots, Scratch& scratch) {
  const Table::Impl& t = impl_->t();
  const std::size_t at = impl_->size++;
  if (at % kBlock == 0) {
    for (Column& column : impl_->columns) column.data.resize(at + kBlock);
    impl_->open.resize((at + kBlock) / kLanes);
  }
  std::uint32_t last_fact = kNone;
  std::uint16_t last_class = 0;
  bool open = false;
  for (Column& column : impl_->columns) {
    if (column.fact == kNone) {
      column.data[at] = impl_->table->Compute(column.computed, slots, scratch);
      open = open || column.data[at] == static_cast<std::uint8_t>(Truth::kOpen);
      continue;
    }
    if (column.fact != last_fact) {
      last_fact = column.fact;
      const FactTable& fact = t.facts[column.fact];
      last_class = t.HotOf(column.fact).ClassOf(fact.slot < slots.size() ? slots[fact.slot] : Value::Unknown(nullptr));
      open = open || fact.rows[last_class].certain != fact.rows[last_class].possible;
    }
    column.data[at] = column.of_class[last_class];
  }
  if (open) impl_->open[at / kLanes] = true;
}

Columns::Counts Columns::Count(std::size_t begin, std::size_t end) const {
  const Kernels& kernels = *impl_->t().kernels;
  Counts out;
  out.eligible.resize(impl_->rules);
  out.unknown.resize(impl_->rules);
  impl_->Visit(begin, std::min(end, impl_->size),
               [&](std::size_t, const Bitmap& inside, const Bitmap* certain, const Bitmap* possible) {
                 kernels.count(certain, nullptr, inside, impl_->rules, out.eligible.data());
                 if (possible != nullptr) {
                   kernels.count(possible, certain, inside, impl_->rules, out.unknown.data());
                 }
               });
  return out;
}

void Columns::Answer(std::size_t block, std::vector<std::uint64_t>* eligible,
                     std::vector<std::uint64_t>* unknown) const {
  constexpr std::size_t kRow = kBlock / 64;
  eligible->assign(impl_->rules * kRow, 0);
  unknown->assign(eligible->size(), 0);
  const std::size_t begin = block * kBlock;
  impl_->Visit(begin, std::min(begin + kBlock, impl_->size),
               [&](std::size_t at, const Bitmap& inside, const Bitmap* certain, const Bitmap* possible) {
                 for (std::size_t r = 0; r < impl_->rules; ++r) {
                   const std::size_t word = r * kRow + (at - begin) / 64;
                   for (std::size_t w = 0; w < kLanes / 64; ++w) {
                     (*eligible)[word + w] = certain[r][w] & inside[w];
                     if (possible != nullptr) (*unknown)[word + w] = possible[r][w] & ~certain[r][w] & inside[w];
                   }
                 }
               });
}

}  // namespace zhitui::engine
