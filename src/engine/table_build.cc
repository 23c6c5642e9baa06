// The tables of one day.

#include <algorithm>
#include <bit>
#include <cstring>
#include <deque>
#include <limits>
#include <map>
#include <set>

#include "engine/table.h"

namespace zhitui::engine {
namespace {

constexpr std::size_t kFewParts = 256;
constexpr std::size_t kMaxParts = 4096;

// Sets the bits of one row; equal rows are stored once.
class Rows {
 public:
  Rows(std::vector<std::uint64_t>& rows, std::size_t words) : rows_(rows), words_(words) {
    rows_.assign(words_, ~std::uint64_t{0});
    known_.emplace(rows_, 0);
  }
  std::uint32_t Number(const std::vector<std::uint64_t>& row) {
    const auto [it, fresh] = known_.emplace(row, static_cast<std::uint32_t>(rows_.size()));
    if (fresh) rows_.insert(rows_.end(), row.begin(), row.end());
    return it->second;
  }

 private:
  std::vector<std::uint64_t>& rows_;
  std::size_t words_;
  std::map<std::vector<std::uint64_t>, std::uint32_t> known_;
};

class TableBuilder {
 public:
  TableBuilder(std::shared_ptr<const Model> model, Date day) : model_(*model) {
    out_ = std::make_unique<Table::Impl>();
    out_->model = std::move(model);
    out_->day = day;
    out_->kernels = &BestKernels();
    out_->blocks = (model_.alternatives.size() + kWordsOfBlock * 64 - 1) / (kWordsOfBlock * 64);
    words_ = out_->words();
  }

  std::unique_ptr<const Table::Impl> Run() {
    Rows rows(out_->rows, words_);
    uses_.resize(model_.conditions.size());
    for (std::uint32_t i = 0; i < model_.alternatives.size(); ++i) {
      for (const Literal l : model_.alternatives[i].literals) uses_[ConditionOf(l)].push_back({i, Negated(l)});
    }
    AddRules();
    std::vector<std::uint32_t> by_slot;
    for (std::uint32_t f = 0; f < model_.facts.size(); ++f) {
      if (!model_.facts[f].conditions.empty()) by_slot.push_back(f);
    }
    const auto literals = [&](std::uint32_t f) {
      std::size_t out = 0;
      for (const std::uint32_t c : model_.facts[f].conditions) out += uses_[c].size();
      return out;
    };
    std::vector<std::uint32_t> by_use = by_slot;
    std::stable_sort(by_use.begin(), by_use.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return literals(a) > literals(b); });
    std::sort(by_slot.begin(), by_slot.end(),
              [&](std::uint32_t a, std::uint32_t b) { return model_.facts[a].slot < model_.facts[b].slot; });
    out_->fact_of_slot.assign(model_.schema->facts().size(), kNone);
    out_->facts.reserve(by_slot.size());
    for (const std::uint32_t f : by_slot) {
      const Fact& fact = model_.facts[f];
      out_->fact_of_slot[fact.slot] = static_cast<std::uint32_t>(out_->facts.size());
      out_->facts.push_back(MakeFact(fact, rows));
      out_->facts.back().position =
          static_cast<std::uint32_t>(std::find(by_use.begin(), by_use.end(), f) - by_use.begin());
    }
    AddHotFacts();
    AddComputed();
    return std::move(out_);
  }

 private:
  static Family FamilyOf(const FactTable& fact) {
    if (fact.key == Key::kDecimal) return Family::kDecimals;
    if (fact.key == Key::kString && !fact.of_code.empty()) return Family::kCodes;
    if (fact.key == Key::kString || fact.key == Key::kSet || fact.most_in_part > kCutsInPart) return Family::kOthers;
    return Family::kNumbers;
  }

  void AddHotFacts() {
    out_->hot_of_fact.resize(out_->facts.size());
    out_->rows_at.resize(out_->facts.size());
    for (std::size_t family = 0; family < kFamilies; ++family) {
      out_->families[family] = out_->hot.size();
      for (std::uint32_t f = 0; f < out_->facts.size(); ++f) {
        const FactTable& fact = out_->facts[f];
        if (FamilyOf(fact) != static_cast<Family>(family)) continue;
        out_->hot_of_fact[f] = static_cast<std::uint32_t>(out_->hot.size());
        out_->hot.emplace_back(fact);
        out_->rows_at[fact.position] = fact.rows.data();
      }
    }
    out_->families.back() = out_->hot.size();
  }

  struct Use {
    std::uint32_t alternative;
    bool negated;
  };

  void AddRules() {
    out_->live.assign(words_, 0);
    out_->live_later.assign(words_, 0);
    out_->of_rule.resize(model_.rules.size());
    for (std::uint32_t i = 0; i < model_.alternatives.size(); ++i) {
      const std::uint32_t local = model_.alternatives[i].rule;
      if (local == kNone) continue;
      const rules::Rule& rule = model_.rule(local);
      const bool ended = rule.valid_until && out_->day >= *rule.valid_until;
      const bool begun = !rule.valid_from || out_->day >= *rule.valid_from;
      if (!ended) Set(out_->live_later, i);
      if (!ended && begun) Set(out_->live, i);
      out_->of_rule[local].push_back(i);
    }
  }

  static void Set(std::vector<std::uint64_t>& row, std::size_t bit) { row[bit / 64] |= std::uint64_t{1} << bit % 64; }
  static void Clear(std::vector<std::uint64_t>& row, std::size_t bit) {
    row[bit / 64] &= ~(std::uint64_t{1} << bit % 64);
  }

  FactTable MakeFact(const Fact& fact, Rows& rows) {
    FactTable table;
    table.slot = fact.slot;
    table.key = fact.key;
    table.scale = fact.scale;
    conditions_.clear();
    for (const std::uint32_t i : fact.conditions) {
      conditions_.push_back(&model_.conditions[i]);
      if (!model_.conditions[i].time_dependent) continue;
      Condition& today = today_.emplace_back(Copy(model_.conditions[i]));
      arena_.Reset();
      Analyse(model_, fact, today, out_->day, arena_);
      conditions_.back() = &today;
    }
    if (fact.key == Key::kString) {
      ListWords(table);
    } else if (fact.key == Key::kSet) {
      ListSets(table);
    } else {
      ListCuts(table);
    }
    table.null = table.classes++;
    table.absent = table.classes++;
    for (std::size_t c = 0; c < conditions_.size(); ++c) {
      table.truths[c].push_back(conditions_[c]->of_null);
      table.truths[c].push_back(conditions_[c]->of_absent);
    }
    out_->distinct_classes += table.classes;
    MakeRows(fact, table, rows);
    today_.clear();
    return table;
  }

  // What Analyse writes and reads; a cel::Condition is shared by copying.
  static Condition Copy(const Condition& c) {
    Condition out;
    out.when = c.when;
    out.slots = c.slots;
    out.dependence = c.dependence;
    out.time_dependent = true;
    return out;
  }

  void ListCuts(FactTable& table) {
    for (const Condition* c : conditions_) {
      for (const Step& step : c->steps) table.cuts.push_back(step.start);
    }
    std::sort(table.cuts.begin(), table.cuts.end());
    table.cuts.erase(std::unique(table.cuts.begin(), table.cuts.end()), table.cuts.end());
    // The first step of each condition begins at the lowest key.
    if (!table.cuts.empty()) table.cuts.erase(table.cuts.begin());
    table.classes = static_cast<std::uint16_t>(table.cuts.size() + 1);
    for (const Condition* c : conditions_) {
      std::vector<Truth>& truths = table.truths.emplace_back();
      std::size_t at = 0;
      for (std::size_t i = 0; i < table.classes; ++i) {
        if (i > 0) {
          while (at + 1 < c->steps.size() && c->steps[at + 1].start <= table.cuts[i - 1]) ++at;
        }
        truths.push_back(c->steps[at].truth);
      }
    }
    DivideCuts(table);
  }

  // As few parts as leave kCutsInPart cuts in each, at most kMaxParts.
  static void DivideCuts(FactTable& table) {
    if (table.cuts.empty()) table.cuts.push_back(std::numeric_limits<std::int64_t>::max());  // above every key
    table.below = table.cuts.front() - 1;
    table.high = table.cuts.back();
    const std::uint64_t range = static_cast<std::uint64_t>(table.high) - static_cast<std::uint64_t>(table.below);
    while ((range >> table.part_shift) >= kFewParts) ++table.part_shift;
    DivideRange(table, range);
    while (table.most_in_part > kCutsInPart && table.part_shift > 0 && (range >> (table.part_shift - 1)) < kMaxParts) {
      --table.part_shift;
      DivideRange(table, range);
    }
    table.most_in_part = std::max(table.most_in_part, kCutsInPart);
    table.cuts.insert(table.cuts.end(), table.most_in_part, std::numeric_limits<std::int64_t>::max());
  }

  static void DivideRange(FactTable& table, std::uint64_t range) {
    const std::size_t parts = (range >> table.part_shift) + 1;
    table.first_of_part.clear();
    table.most_in_part = 0;
    for (std::size_t part = 0; part < parts; ++part) {
      const std::uint64_t offset = static_cast<std::uint64_t>(part) << table.part_shift;
      const auto first = static_cast<std::int64_t>(static_cast<std::uint64_t>(table.below) + offset);
      const auto it = std::upper_bound(table.cuts.begin(), table.cuts.end(), first);
      table.first_of_part.push_back(static_cast<std::uint16_t>(it - table.cuts.begin()));
      if (part > 0) {
        const int more = table.first_of_part[part] - table.first_of_part[part - 1];
        table.most_in_part = std::max(table.most_in_part, static_cast<std::uint16_t>(more));
      }
    }
    const auto in_last = table.cuts.size() - table.first_of_part.back();
    table.most_in_part = std::max(table.most_in_part, static_cast<std::uint16_t>(in_last));
  }

  static Truth ByPrefix(const Words& words, std::string_view text) {
    for (const auto& [prefix, truth] : words.prefixes) {
      if (text.starts_with(prefix)) return truth;
    }
    return words.otherwise;
  }

  void ListWords(FactTable& table) {
    std::set<std::string, std::less<>> members;
    std::set<std::string, std::less<>> prefixes;
    for (const Condition* c : conditions_) {
      for (const auto& [word, truth] : c->words.members) members.insert(word);
      for (const auto& [word, truth] : c->words.prefixes) prefixes.insert(word);
    }
    const std::size_t count = members.size() + prefixes.size() + 1;
    table.classes = static_cast<std::uint16_t>(count);
    table.other = static_cast<std::uint16_t>(count - 1);
    std::vector<std::string_view> texts;
    for (const std::string& word : members) {
      table.words.Add(word, static_cast<std::uint16_t>(texts.size()));
      texts.push_back(word);
    }
    std::set<std::uint32_t, std::greater<>> sizes;
    for (const std::string& prefix : prefixes) {
      table.prefixes.Add(prefix, static_cast<std::uint16_t>(texts.size()));
      texts.push_back(prefix);
      sizes.insert(static_cast<std::uint32_t>(prefix.size()));
    }
    table.words.Finish();
    table.prefixes.Finish();
    table.prefix_sizes.assign(sizes.begin(), sizes.end());
    const std::vector<std::string>& codes = model_.schema->facts()[table.slot].values;
    if (!codes.empty()) table.of_code.push_back(table.other);
    for (const std::string& code : codes) table.of_code.push_back(table.ClassOfText(std::string_view(code)));
    for (const Condition* c : conditions_) {
      std::vector<Truth>& truths = table.truths.emplace_back(count, c->words.otherwise);
      if (!c->words.prefixes.empty()) {
        for (std::size_t i = 0; i < texts.size(); ++i) truths[i] = ByPrefix(c->words, texts[i]);
      }
      for (const auto& [word, truth] : c->words.members) {
        const auto it = std::lower_bound(texts.begin(), texts.begin() + static_cast<std::ptrdiff_t>(members.size()),
                                         std::string_view(word));
        truths[static_cast<std::size_t>(it - texts.begin())] = truth;
      }
    }
  }

  void ListSets(FactTable& table) {
    table.classes = static_cast<std::uint16_t>(1U << conditions_.size());
    for (std::size_t c = 0; c < conditions_.size(); ++c) {
      const auto& [word, truth] = conditions_[c]->words.members.front();
      table.words.Add(word, static_cast<std::uint16_t>(c));
      std::vector<Truth>& truths = table.truths.emplace_back(table.classes, conditions_[c]->words.otherwise);
      for (std::size_t i = 0; i < table.classes; ++i) {
        if ((i >> c & 1) != 0) truths[i] = truth;
      }
    }
    table.words.Finish();
    table.of_code.push_back(0);
    for (const std::string& code : model_.schema->facts()[table.slot].element.front().values) {
      const std::uint16_t c = table.words.Find(code);
      table.of_code.push_back(c == WordIndex::kMissing ? std::uint16_t{0} : static_cast<std::uint16_t>(1U << c));
    }
  }

  // Starts from the row of the class before and changes what the conditions that differ say.
  void MakeRows(const Fact& fact, FactTable& table, Rows& rows) {
    std::vector<std::uint64_t> certain(words_, ~std::uint64_t{0});
    std::vector<std::uint64_t> possible = certain;
    std::vector<std::uint64_t> later = certain;
    // How many literals of the fact each alternative fails; it can have several on one fact.
    std::vector<std::uint16_t> not_certain(model_.alternatives.size());
    std::vector<std::uint16_t> not_possible(model_.alternatives.size());
    std::vector<std::uint16_t> not_later(model_.alternatives.size());
    std::vector<Truth> before;
    const auto count = [](std::vector<std::uint16_t>& counts, std::vector<std::uint64_t>& row, std::uint32_t i,
                          int by) {
      counts[i] = static_cast<std::uint16_t>(counts[i] + by);
      if (counts[i] == 0) Set(row, i);
      if (counts[i] == 1 && by > 0) Clear(row, i);
    };
    const auto apply = [&](std::size_t c, Truth truth, int by) {
      for (const Use& use : uses_[fact.conditions[c]]) {
        const bool holds = truth == (use.negated ? Truth::kFalse : Truth::kTrue);
        const bool open = truth == Truth::kOpen;
        if (!holds) count(not_certain, certain, use.alternative, by);
        if (!holds && !open) count(not_possible, possible, use.alternative, by);
        if (!holds && !open && !conditions_[c]->time_dependent) count(not_later, later, use.alternative, by);
      }
    };
    bool changed = false;
    for (std::size_t i = 0; i < table.classes; ++i) {
      for (std::size_t c = 0; c < conditions_.size(); ++c) {
        const Truth truth = table.truths[c][i];
        if (i > 0 && before[c] == truth) continue;
        if (i > 0) apply(c, before[c], -1);
        apply(c, truth, 1);
        changed = true;
        if (i == 0) {
          before.push_back(truth);
        } else {
          before[c] = truth;
        }
      }
      if (!changed && i > 0) {
        table.rows.push_back(table.rows.back());
        table.later.push_back(table.later.back());
        continue;
      }
      changed = false;
      RowPair& pair = table.rows.emplace_back();
      pair.certain = rows.Number(certain);
      pair.possible = possible == certain ? pair.certain : rows.Number(possible);
      table.later.push_back(later == possible ? pair.possible : rows.Number(later));
    }
    std::uint64_t blocks = 0;
    for (const std::uint32_t c : fact.conditions) blocks |= BlocksOf(c);
    out_->blocks_of_fact.push_back(blocks);
  }

  std::uint64_t BlocksOf(std::uint32_t condition) const {
    std::uint64_t blocks = 0;
    for (const Use& use : uses_[condition]) {
      blocks |= std::uint64_t{1} << use.alternative / (kWordsOfBlock * 64) % 64;
    }
    return blocks;
  }

  void AddComputed() {
    out_->computed_of_slot.resize(model_.schema->facts().size());
    for (const std::uint32_t i : model_.computed) {
      const Condition& condition = model_.conditions[i];
      for (const std::uint32_t slot : condition.slots) {
        out_->computed_of_slot[slot].push_back(static_cast<std::uint32_t>(out_->computed.size()));
      }
      out_->blocks_of_computed.push_back(BlocksOf(i));
      for (const Use& use : uses_[i]) {
        const auto number = static_cast<std::uint32_t>(out_->computed.size());
        out_->needs.push_back({use.alternative, number, use.negated ? Truth::kFalse : Truth::kTrue});
      }
      Computed computed;
      computed.condition = i;
      computed.constant = condition.slots.empty();
      arena_.Reset();
      if (computed.constant) computed.truth = Evaluate(condition, {}, out_->day, arena_);
      out_->computed.push_back(computed);
    }
    std::sort(out_->needs.begin(), out_->needs.end(), [](const Need& a, const Need& b) {
      return std::pair(a.alternative, a.computed) < std::pair(b.alternative, b.computed);
    });
    out_->needing.assign(words_, 0);
    for (const Need& need : out_->needs) Set(out_->needing, need.alternative);
    for (std::uint32_t w = 0, at = 0; w <= words_; ++w) {
      while (at < out_->needs.size() && out_->needs[at].alternative < w * 64) ++at;
      out_->needs_of_word.push_back(at);
    }
  }

  const Model& model_;
  std::unique_ptr<Table::Impl> out_;
  std::size_t words_ = 0;
  std::vector<std::vector<Use>> uses_;        // of each condition
  std::vector<const Condition*> conditions_;  // of the fact being made, as they are on the day
  std::deque<Condition> today_;
  value::Arena arena_;
};

}  // namespace

void WordIndex::Add(std::string word, std::uint16_t number) { words_.emplace_back(std::move(word), number); }

// Looking up is fastest when every word is at its first place: some factor does that for a short list, and nearly so
// for a long one.
void WordIndex::Finish() {
  constexpr int kTries = 64;
  if (words_.empty()) return;
  table_.resize(std::bit_ceil(words_.size() * 4));
  mask_ = table_.size() - 1;
  std::uint64_t factor = 0x9e3779b97f4a7c15U;
  std::uint64_t best = factor;
  std::size_t fewest = Fill(factor);
  for (int i = 1; i < kTries && fewest > 0; ++i) {
    factor = factor * 0xd1342543de82ef95U + 2;
    const std::size_t displaced = Fill(factor | 1);
    if (displaced < fewest) {
      fewest = displaced;
      best = factor | 1;
    }
    if (words_.size() > 256) break;
  }
  if (factor_ != best) Fill(best);
}

std::size_t WordIndex::Fill(std::uint64_t factor) {
  factor_ = factor;
  table_.assign(table_.size(), Entry{});
  long_words_.assign(table_.size(), 0);
  std::size_t displaced = 0;
  for (std::uint32_t i = 0; i < words_.size(); ++i) {
    Entry e = EntryOf(words_[i].first);
    e.number = words_[i].second;
    std::uint64_t at = Hash(e) & mask_;
    displaced += table_[at].number != kMissing ? 1 : 0;
    while (table_[at].number != kMissing) at = (at + 1) & mask_;
    table_[at] = e;
    long_words_[at] = i;
  }
  return displaced;
}

std::uint16_t FactTable::ClassOfUnlisted(std::string_view text) const {
  for (const std::uint32_t size : prefix_sizes) {
    if (text.size() < size) continue;
    const std::uint16_t by_prefix = prefixes.Find(text.substr(0, size));
    if (by_prefix != WordIndex::kMissing) return by_prefix;
  }
  return other;
}

std::uint16_t FactTable::ClassOfList(std::span<const Value> elements) const {
  std::uint16_t out = 0;
  for (const Value& v : elements) {
    if (const std::uint16_t number = v.CodeNumber(); number != 0 && number < of_code.size()) {
      out = static_cast<std::uint16_t>(out | of_code[number]);
    } else if (v.is(value::Kind::kString)) {
      const std::uint16_t c = words.Find(v.AsString());
      if (c != WordIndex::kMissing) out = static_cast<std::uint16_t>(out | 1U << c);
    }
  }
  return out;
}

HotFact::HotFact(const FactTable& fact)
    : cuts(fact.cuts.data()),
      first_of_part(fact.first_of_part.data()),
      rows(fact.rows.data()),
      words(&fact),
      below(fact.below),
      high(fact.high),
      slot(fact.slot),
      position(static_cast<std::uint16_t>(fact.position)),
      null(fact.null),
      absent(fact.absent),
      most_in_part(fact.most_in_part),
      key(fact.key),
      part_shift(fact.part_shift),
      scale(fact.scale) {}

std::unique_ptr<const Table::Impl> MakeTable(std::shared_ptr<const Model> model, Date day) {
  return TableBuilder(std::move(model), day).Run();
}

}  // namespace zhitui::engine
