// Rules to conditions and alternatives.

#include "engine/model.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace zhitui::engine {
namespace {

using cel::Formula;

// A rule of more alternatives than this is one condition, computed as a whole.
constexpr std::size_t kMaxAlternatives = 256;
constexpr std::size_t kLayers = 8;
constexpr Date kBuildDay = std::chrono::local_days(std::chrono::year(2020) / 1 / 1);

// A conjunction: sorted, distinct literals.
using Conjunction = std::vector<Literal>;
using Disjunction = std::vector<Conjunction>;  // empty: false

Conjunction Join(const Conjunction& a, const Conjunction& b) {
  Conjunction out;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

// A || (A && B) is A in Kleene's logic too.
void Absorb(Disjunction& d) {
  std::sort(d.begin(), d.end(), [](const Conjunction& a, const Conjunction& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  Disjunction kept;
  for (Conjunction& c : d) {
    const bool absorbed = std::any_of(kept.begin(), kept.end(), [&](const Conjunction& k) {
      return std::includes(c.begin(), c.end(), k.begin(), k.end());
    });
    if (!absorbed) kept.push_back(std::move(c));
  }
  d = std::move(kept);
}

// nullopt: more than kMaxAlternatives.
std::optional<Disjunction> And(const Disjunction& a, const Disjunction& b) {
  if (a.size() * b.size() > kMaxAlternatives * 4) return std::nullopt;
  Disjunction out;
  for (const Conjunction& x : a) {
    for (const Conjunction& y : b) out.push_back(Join(x, y));
  }
  Absorb(out);
  if (out.size() > kMaxAlternatives) return std::nullopt;
  return out;
}

class Builder {
 public:
  explicit Builder(Model& model) : model_(model) {}

  void AddRule(std::uint32_t local) {
    const rules::Rule& rule = model_.rule(local);
    std::optional<Disjunction> all = AlternativesOf(rule);
    if (!all) all = Disjunction{{Whole(rule)}};
    of_rule_.push_back(std::move(*all));
  }

  // Gives each condition over one fact its place among the fact's classes.
  void FindFacts() {
    value::Arena arena;
    model_.fact_of_slot.assign(model_.schema->facts().size(), kNone);
    for (std::uint32_t i = 0; i < model_.conditions.size(); ++i) {
      Condition& condition = model_.conditions[i];
      if (!condition.when || condition.slots.size() != 1) {
        model_.computed.push_back(i);
        continue;
      }
      const std::uint32_t slot = condition.slots[0];
      Fact probe = FactOf(slot);
      if (probe.slot == kNone || !Fits(probe, condition)) {
        model_.computed.push_back(i);
        continue;
      }
      std::uint32_t& fact = model_.fact_of_slot[slot];
      if (fact == kNone) {
        fact = static_cast<std::uint32_t>(model_.facts.size());
        model_.facts.push_back(probe);
      }
      condition.fact = fact;
      model_.facts[fact].conditions.push_back(i);
    }
    for (Fact& fact : model_.facts) {
      SetScale(fact);
      KeepFirstAsked(fact);
    }
    for (Fact& fact : model_.facts) {
      std::erase_if(fact.conditions, [&](std::uint32_t i) {
        Condition& condition = model_.conditions[i];
        arena.Reset();
        if (Analyse(model_, fact, condition, kBuildDay, arena)) return false;
        condition.fact = kNone;
        model_.computed.push_back(i);
        return true;
      });
    }
    std::sort(model_.computed.begin(), model_.computed.end());
  }

  // Numbers the rules and gives each alternative its bit. Rules that ask for the same rare thing stand together, so
  // that most subjects leave whole stretches of bits empty.
  void Order() {
    std::vector<std::uint32_t> order(of_rule_.size());
    std::iota(order.begin(), order.end(), 0U);
    const std::vector<double> share = Shares();
    std::vector<std::pair<double, Literal>> rarest;
    for (const Disjunction& all : of_rule_) rarest.push_back(Rarest(all, share));
    const auto layers_of = [&](std::uint32_t rule) { return std::min(of_rule_[rule].size(), kLayers); };
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      if (layers_of(a) != layers_of(b)) return layers_of(a) > layers_of(b);
      return rarest[a] != rarest[b] ? rarest[a] < rarest[b] : a < b;
    });
    std::vector<std::uint32_t> rules;
    std::vector<Disjunction> first;  // of each rule, as numbered now, up to kLayers alternatives
    std::vector<Disjunction> more;
    for (const std::uint32_t old : order) {
      const auto number = static_cast<std::uint32_t>(rules.size());
      rules.push_back(model_.rules[old]);
      Disjunction& all = of_rule_[old];
      for (std::size_t at = kLayers; at < all.size(); at += kLayers) {
        const auto from = all.begin() + static_cast<std::ptrdiff_t>(at);
        more.emplace_back(from, from + static_cast<std::ptrdiff_t>(std::min(kLayers, all.size() - at)));
        model_.more_of.push_back(number);
      }
      all.resize(layers_of(old));
      first.push_back(std::move(all));
    }
    model_.rules = std::move(rules);
    model_.number_of.assign(model_.ruleset->rules().size(), kNone);
    for (std::uint32_t i = 0; i < model_.rules.size(); ++i) model_.number_of[model_.rules[i]] = i;
    // The full ones first.
    std::vector<std::uint32_t> by_size(more.size());
    std::iota(by_size.begin(), by_size.end(), 0U);
    std::stable_sort(by_size.begin(), by_size.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return more[a].size() > more[b].size(); });
    std::vector<Disjunction> sorted;
    std::vector<std::uint32_t> more_of;
    for (const std::uint32_t i : by_size) {
      sorted.push_back(std::move(more[i]));
      more_of.push_back(model_.more_of[i]);
    }
    model_.more_of = std::move(more_of);
    Place(first, model_.layers, [](std::uint32_t row) { return row; });
    Place(sorted, model_.more, [&](std::uint32_t row) { return model_.more_of[row]; });
  }

 private:
  std::uint32_t Number(Condition condition, const std::string& canonical) {
    const auto [it, fresh] = known_.emplace(canonical, static_cast<std::uint32_t>(model_.conditions.size()));
    if (fresh) model_.conditions.push_back(std::move(condition));
    return it->second;
  }

  // The conditions of a program, as numbers in the model.
  std::vector<std::uint32_t> Conditions(cel::Conditions& split) {
    std::vector<std::uint32_t> out;
    for (cel::Condition& part : split.conditions) {
      const std::string canonical = part.canonical();
      Condition condition;
      condition.slots = part.slots();
      condition.time_dependent = part.time_dependent();
      condition.dependence = part.dependence();
      condition.when = std::move(part);
      out.push_back(Number(std::move(condition), canonical));
    }
    return out;
  }

  std::optional<Disjunction> Spread(const Formula& formula, const std::vector<std::uint32_t>& numbers, bool negated) {
    switch (formula.op) {
      case Formula::Op::kCondition:
        return Disjunction{{numbers[formula.condition] * 2 + (negated ? 1U : 0U)}};
      case Formula::Op::kNot:
        return Spread(formula.parts[0], numbers, !negated);
      case Formula::Op::kAll:
      case Formula::Op::kAny:
        break;
    }
    const bool all = (formula.op == Formula::Op::kAll) != negated;
    Disjunction out;
    if (all) out.push_back({});
    for (const Formula& part : formula.parts) {
      const std::optional<Disjunction> more = Spread(part, numbers, negated);
      if (!more) return std::nullopt;
      if (all) {
        std::optional<Disjunction> both = And(out, *more);
        if (!both) return std::nullopt;
        out = std::move(*both);
      } else {
        out.insert(out.end(), more->begin(), more->end());
        Absorb(out);
        if (out.size() > kMaxAlternatives) return std::nullopt;
      }
    }
    return out;
  }

  std::optional<Disjunction> Spread(const cel::Program& program, bool negated) {
    cel::Conditions split = program.Split();
    return Spread(split.formula, Conditions(split), negated);
  }

  // Eligible: every criterion, and the first row of the amount table that holds gives a number.
  std::optional<Disjunction> AlternativesOf(const rules::Rule& rule) {
    Disjunction criteria{{}};
    for (const rules::Criterion& criterion : rule.criteria) {
      const std::optional<Disjunction> one = Spread(criterion.when, false);
      if (!one) return std::nullopt;
      std::optional<Disjunction> both = And(criteria, *one);
      if (!both) return std::nullopt;
      criteria = std::move(*both);
    }
    if (rule.amounts.empty()) return criteria;
    Disjunction out;
    Disjunction before{{}};  // no earlier row holds
    for (const rules::AmountRow& row : rule.amounts) {
      std::optional<Disjunction> here = before;
      if (row.when) {
        const std::optional<Disjunction> holds = Spread(*row.when, false);
        const std::optional<Disjunction> fails = Spread(*row.when, true);
        if (!holds || !fails) return std::nullopt;
        here = And(before, *holds);
        std::optional<Disjunction> rest = And(before, *fails);
        if (!here || !rest) return std::nullopt;
        before = std::move(*rest);
      }
      if (!(row.is.slots().empty() && !row.is.time_dependent())) here = And(*here, {{Amount(row.is)}});
      if (here) here = And(criteria, *here);
      if (!here) return std::nullopt;
      out.insert(out.end(), here->begin(), here->end());
      if (!row.when) {
        Absorb(out);
        return out;
      }
    }
    // No row at all: then the amount, and so the answer, is open.
    std::optional<Disjunction> none = And(before, {{Never()}});
    if (none) none = And(criteria, *none);
    if (!none) return std::nullopt;
    out.insert(out.end(), none->begin(), none->end());
    Absorb(out);
    return out;
  }

  Literal Amount(const cel::Program& program) {
    Condition condition;
    condition.amount = &program;
    condition.slots.assign(program.slots().begin(), program.slots().end());
    condition.time_dependent = program.time_dependent();
    return Number(std::move(condition), "amount " + program.canonical()) * 2;
  }

  Literal Never() { return Number(Condition{}, "open") * 2; }

  Literal Whole(const rules::Rule& rule) {
    Condition condition;
    condition.rule = &rule;
    condition.slots = rule.slots;
    condition.time_dependent = true;
    return Number(std::move(condition), "rule " + rule.id) * 2;
  }

  // The fact of a slot; slot kNone when its values are not divided into classes.
  Fact FactOf(std::uint32_t slot) const {
    Fact out;
    out.slot = slot;
    switch (model_.schema->facts()[slot].type) {
      case facts::FactType::kBool:
        out.key = Key::kBool;
        break;
      case facts::FactType::kInt:
        out.key = Key::kInt;
        break;
      case facts::FactType::kDate:
        out.key = Key::kDate;
        break;
      case facts::FactType::kDecimal:
      case facts::FactType::kMoney:
        out.key = Key::kDecimal;
        break;
      case facts::FactType::kString:
      case facts::FactType::kCode:
        out.key = Key::kString;
        break;
      case facts::FactType::kList: {
        const facts::FactType element = model_.schema->facts()[slot].element.front().type;
        out.key = Key::kSet;
        if (element != facts::FactType::kCode && element != facts::FactType::kString) out.slot = kNone;
        break;
      }
      case facts::FactType::kTimestamp:
      case facts::FactType::kRecord:
        out.slot = kNone;
        break;
    }
    return out;
  }

  static bool Fits(const Fact& fact, const Condition& condition) {
    using Shape = cel::Dependence::Shape;
    const cel::Dependence& d = condition.dependence;
    switch (fact.key) {
      case Key::kBool:
        return true;
      case Key::kInt:
      case Key::kDate:
        return d.shape == Shape::kSteps || d.shape == Shape::kMembers;
      case Key::kDecimal:
        return (d.shape == Shape::kSteps && d.direct) || d.shape == Shape::kMembers;
      case Key::kString:
        return d.shape == Shape::kMembers || d.shape == Shape::kPrefixes;
      case Key::kSet:
        return d.shape == Shape::kContains;
    }
    return false;
  }

  void KeepFirstAsked(Fact& fact) {
    if (fact.key != Key::kSet) return;
    while (fact.conditions.size() > kMaxAsked) {
      model_.conditions[fact.conditions.back()].fact = kNone;
      model_.computed.push_back(fact.conditions.back());
      fact.conditions.pop_back();
    }
  }

  void SetScale(Fact& fact) const {
    if (fact.key != Key::kDecimal) return;
    fact.scale = 2;  // as amounts of money have it: their keys need no division
    for (const std::uint32_t i : fact.conditions) {
      for (const Value& v : model_.conditions[i].dependence.members) {
        if (v.is(value::Kind::kDecimal)) fact.scale = std::max(fact.scale, v.AsDecimal().scale);
      }
    }
  }

  // How many of all subjects a condition may hold for, as far as its form tells.
  std::vector<double> Shares() const {
    std::vector<double> share(model_.conditions.size(), 0.5);
    for (std::size_t i = 0; i < model_.conditions.size(); ++i) {
      const Condition& condition = model_.conditions[i];
      if (condition.fact == kNone || model_.facts[condition.fact].key != Key::kString) continue;
      double all = 1;
      for (const std::uint32_t other : model_.facts[condition.fact].conditions) {
        all = std::max(all, static_cast<double>(model_.conditions[other].words.members.size()));
      }
      share[i] = static_cast<double>(condition.words.members.size()) / (2 * all);
    }
    return share;
  }

  // The literal that most subjects fail, of those that all alternatives share where there are any.
  static std::pair<double, Literal> Rarest(const Disjunction& all, const std::vector<double>& share) {
    Conjunction shared = all.empty() ? Conjunction{} : all.front();
    for (const Conjunction& one : all) {
      Conjunction both;
      std::set_intersection(shared.begin(), shared.end(), one.begin(), one.end(), std::back_inserter(both));
      shared = std::move(both);
    }
    std::pair<double, Literal> best{1.0, 0};
    for (const Literal l : shared) {
      const double s = share[ConditionOf(l)];
      best = std::min(best, std::pair(Negated(l) ? 1 - s : s, l));
    }
    return best;
  }

  template <class RuleOf>
  void Place(std::vector<Disjunction>& rows, std::vector<Layer>& layers, RuleOf rule_of) {
    for (std::size_t k = 0; !rows.empty() && k < std::max<std::size_t>(rows.front().size(), 1); ++k) {
      const auto count = static_cast<std::uint32_t>(
          std::find_if(rows.begin(), rows.end(), [&](const Disjunction& d) { return d.size() <= k; }) - rows.begin());
      const auto word = static_cast<std::uint32_t>(model_.alternatives.size() / 64);
      layers.push_back({word, (count + 63) / 64});
      model_.alternatives.resize((word + layers.back().words) * std::size_t{64});
      for (std::uint32_t row = 0; row < count; ++row) {
        model_.alternatives[word * std::size_t{64} + row] = {rule_of(row), std::move(rows[row][k])};
      }
    }
  }

  Model& model_;
  std::vector<Disjunction> of_rule_;
  std::map<std::string, std::uint32_t, std::less<>> known_;
};

}  // namespace

std::shared_ptr<const Model> BuildModel(std::shared_ptr<const rules::RuleSet> ruleset, std::string_view kind) {
  auto model = std::make_shared<Model>();
  model->schema = ruleset->SchemaOf(kind);
  if (model->schema == nullptr) return nullptr;
  const std::span<const std::uint32_t> of_kind = ruleset->RulesOf(kind);
  model->rules.assign(of_kind.begin(), of_kind.end());
  model->ruleset = std::move(ruleset);
  Builder builder(*model);
  for (std::uint32_t i = 0; i < model->rules.size(); ++i) builder.AddRule(i);
  builder.FindFacts();
  builder.Order();
  return model;
}

}  // namespace zhitui::engine
