// What would make a profile eligible: waiting, or the smallest change of its facts.
//
// Each fact that may be varied is an axis: its domain falls into classes within which no condition over the fact
// changes, and of each class the value nearest to the present one is a candidate. Sets of axes are tried by size; a set
// must touch every criterion that does not hold, and a criterion that reads one fact of the set leaves only the
// candidates that satisfy it, so few combinations reach the evaluation of the whole rule.

#include <algorithm>
#include <array>
#include <cstdlib>

#include "rules/determine.h"

namespace zhitui::rules {
namespace {

using facts::FactDef;
using facts::FactType;
using value::Decimal;
using value::Kind;
using value::Value;
using Relation = Change::Relation;
using Dependence = cel::Dependence;

constexpr std::size_t kMaxAxes = 64;
constexpr std::int64_t kFar = 1'000'000'000'000'000;  // of ints and the coefficients of decimals
constexpr std::uint8_t kMoneyDigits = 2;

// What a candidate stands for.
enum class Class : std::uint8_t { kPoint, kPrefix, kOther, kNone };

struct Candidate {
  Value value;
  Class of = Class::kPoint;
  std::int64_t unit = 0;         // of an ordered fact
  std::string_view prefix = {};  // kPrefix
};

// A fact with the values to try.
struct Axis {
  std::uint32_t slot = 0;
  std::vector<Candidate> candidates;  // nearest first
  bool ordered = false;
  bool whole = true;  // between the candidates nothing changes
  std::uint8_t scale = 0;
  std::int64_t reference = 0;        // ordered: the present value, or where to begin without one
  std::vector<std::uint64_t> holds;  // of each criterion: the candidates with which, alone, it is true
};

class Search {
 public:
  Search(const Rule& rule, const facts::Profile& profile, const Determination& now, Date today, value::Arena& arena)
      : rule_(rule), profile_(profile), now_(now), today_(today), arena_(arena), slots_(profile.slots()) {}

  void Run(Remedy* out) {
    out_ = out;
    for (std::size_t i = 0; i < rule_.criteria.size(); ++i) {
      if (now_.criteria[i] != Truth::kTrue) open_.push_back(i);
    }
    for (const std::size_t i : open_) {
      const std::span<const std::uint32_t> slots = rule_.criteria[i].when.slots();
      if (std::all_of(slots.begin(), slots.end(), [&](std::uint32_t s) { return Def(s).fixed; })) {
        out->settled.push_back(i);
      }
    }
    if (!out->settled.empty()) return;
    CollectConditions();
    MakeAxes();
    for (std::size_t size = 1; size <= Remedy::kMaxFacts && found_.empty() && !spent_; ++size) {
      std::vector<std::size_t> chosen;
      Choose(size, 0, chosen);
    }
    if (spent_) out->complete = false;
    Report();
  }

 private:
  struct Found {
    std::vector<std::size_t> axes;
    std::vector<std::size_t> picks;  // index into candidates
    std::size_t known = 0;           // facts that have a value now
    std::size_t rank = 0;            // how many candidates are nearer, over all facts
  };

  const FactDef& Def(std::uint32_t slot) const { return profile_.schema().facts()[slot]; }

  bool Spend() {
    if (++evaluations_ > Remedy::kMaxEvaluations) spent_ = true;
    return !spent_;
  }
  cel::Activation Now() { return {slots_, today_}; }

  bool Eligible() {
    if (!Spend()) return false;
    scratch_.Reset();
    return EvaluateSlots(rule_, slots_, today_, scratch_).answer == Answer::kEligible;
  }

  // ---- The conditions over each fact

  void CollectConditions() {
    for (const Criterion& criterion : rule_.criteria) Collect(criterion.when);
    for (const AmountRow& row : rule_.amounts) {
      if (row.when) Collect(*row.when);
      for (const std::uint32_t slot : row.is.slots()) opaque_.push_back(slot);
    }
    std::sort(opaque_.begin(), opaque_.end());
  }

  void Collect(const cel::Program& program) {
    for (cel::Condition& condition : program.Split().conditions) {
      if (condition.slots().size() == 1 && conditions_.size() < kMaxConditions) {
        conditions_.push_back(std::move(condition));
      } else {
        opaque_.insert(opaque_.end(), condition.slots().begin(), condition.slots().end());
      }
    }
  }

  void MakeAxes() {
    std::vector<std::uint32_t> order;  // what the open criteria read comes first
    const auto add = [&](std::uint32_t slot) {
      if (!Def(slot).fixed && std::find(order.begin(), order.end(), slot) == order.end()) order.push_back(slot);
    };
    for (const std::size_t i : open_) {
      for (const std::uint32_t slot : rule_.criteria[i].when.slots()) add(slot);
    }
    for (const std::uint32_t slot : now_.missing) add(slot);
    for (const std::uint32_t slot : rule_.slots) add(slot);
    for (const std::uint32_t slot : order) {
      Axis axis;
      axis.slot = slot;
      axis.whole = !std::binary_search(opaque_.begin(), opaque_.end(), slot);
      Fill(axis);
      if (axis.candidates.empty()) continue;
      if (axes_.size() == kMaxAxes) {
        out_->complete = false;
        break;
      }
      axes_.push_back(std::move(axis));
    }
    for (Axis& axis : axes_) FindWhatHolds(axis);
  }

  void Fill(Axis& axis) {
    const FactDef& def = Def(axis.slot);
    const Value& now = profile_.slots()[axis.slot];
    switch (def.type) {
      case FactType::kBool:
        Add(axis, {Value::Bool(true)});
        Add(axis, {Value::Bool(false)});
        break;
      case FactType::kInt:
      case FactType::kDecimal:
      case FactType::kMoney:
      case FactType::kDate:
        FillOrdered(axis, def, now);
        break;
      case FactType::kCode:
        if (Enumerated(def)) {
          for (const std::string& word : def.values) Add(axis, {Value::String(word)});
          axis.whole = true;
          break;
        }
        FillTexts(axis);
        break;
      case FactType::kString:
        FillTexts(axis);
        break;
      case FactType::kTimestamp:
      case FactType::kList:
      case FactType::kRecord:
        axis.whole = false;
        break;
    }
    if (axis.candidates.size() >= Remedy::kMaxCandidates) {
      axis.candidates.resize(Remedy::kMaxCandidates - 1);
      axis.whole = false;
      out_->complete = false;
    }
    if (def.nullable && !now.is(Kind::kNull)) axis.candidates.push_back({Value::Null(), Class::kNone});
  }

  static bool Enumerated(const FactDef& def) {
    return def.type == FactType::kCode && !def.values.empty() && def.values.size() < Remedy::kMaxCandidates;
  }

  // Unless it is the present value or there already.
  void Add(Axis& axis, Candidate candidate) {
    const Value& now = profile_.slots()[axis.slot];
    if (now.kind() == candidate.value.kind() && value::Equals(now, candidate.value)) return;
    for (const Candidate& c : axis.candidates) {
      if (value::Equals(c.value, candidate.value)) return;
    }
    axis.candidates.push_back(candidate);
  }

  // ---- Ordered facts, counted in units: days, whole numbers, the last digit of a decimal

  static std::optional<std::int64_t> UnitOf(const FactDef& def, const Value& v, std::uint8_t scale) {
    if (def.type == FactType::kDate) {
      if (!v.is(Kind::kDate)) return std::nullopt;
      return v.AsDate().time_since_epoch().count();
    }
    if (def.type == FactType::kInt) {
      if (!v.is(Kind::kInt) || v.AsInt() < -kFar || v.AsInt() > kFar) return std::nullopt;
      return v.AsInt();
    }
    if (!v.is(Kind::kInt) && !v.is(Kind::kDecimal)) return std::nullopt;
    const Decimal d = v.is(Kind::kInt) ? Decimal{v.AsInt(), 0} : v.AsDecimal();
    const std::optional<Decimal> scaled = Decimal::Add(d, Decimal{0, scale});
    if (!scaled || scaled->scale > scale || std::abs(scaled->coefficient) > kFar) return std::nullopt;
    std::int64_t unit = scaled->coefficient;
    for (std::uint8_t s = scaled->scale; s < scale; ++s) {
      if (unit > kFar / 10 || unit < -kFar / 10) return std::nullopt;
      unit *= 10;
    }
    return unit;
  }

  static Value AtUnit(const FactDef& def, std::int64_t unit, std::uint8_t scale) {
    if (def.type == FactType::kDate) return Value::OfDate(Date(std::chrono::days(unit)));
    if (def.type == FactType::kInt) return Value::Int(unit);
    while (scale > 0 && def.type == FactType::kDecimal && unit % 10 == 0) {
      unit /= 10;
      --scale;
    }
    return Value::OfDecimal({unit, scale});
  }

  void FillOrdered(Axis& axis, const FactDef& def, const Value& now) {
    axis.ordered = true;
    std::vector<std::pair<const cel::Condition*, Dependence>> of;
    for (const cel::Condition& condition : conditions_) {
      if (condition.slots()[0] == axis.slot) of.emplace_back(&condition, condition.dependence());
    }
    if (def.type == FactType::kDecimal || def.type == FactType::kMoney) {
      axis.scale = kMoneyDigits;
      const auto refine = [&](const Value& v) {
        if (v.is(Kind::kDecimal)) axis.scale = std::max(axis.scale, v.AsDecimal().scale);
      };
      if (def.type == FactType::kDecimal) {
        refine(now);
        for (const auto& [condition, dependence] : of) {
          for (const Value& member : dependence.members) refine(member);
        }
      }
    }
    const bool has_value = !now.is(Kind::kUnknown) && !now.is(Kind::kNull);
    if (has_value) {
      const std::optional<std::int64_t> unit = UnitOf(def, now, axis.scale);
      if (!unit) {
        axis.whole = false;
        return;
      }
      axis.reference = *unit;
    } else if (def.type == FactType::kDate) {
      axis.reference = today_.time_since_epoch().count();
    }
    std::vector<std::int64_t> units;
    if (!has_value) units.push_back(axis.reference);
    for (const auto& [condition, dependence] : of) {
      if (dependence.shape == Dependence::Shape::kSteps) {
        if (!AddSteps(axis, def, *condition, units)) axis.whole = false;
      } else if (dependence.shape == Dependence::Shape::kMembers) {
        for (const Value& member : dependence.members) {
          if (member.is(Kind::kNull)) continue;
          const std::optional<std::int64_t> unit = UnitOf(def, member, axis.scale);
          if (!unit) {
            axis.whole = false;
            continue;
          }
          units.push_back(*unit);
          if (*unit >= axis.reference) units.push_back(*unit + 1);
          if (*unit <= axis.reference) units.push_back(*unit - 1);
        }
      } else {
        axis.whole = false;
      }
    }
    if (!axis.whole) Probe(axis, def, units);
    const auto [low, high] = Ends(def);
    std::erase_if(units, [lo = low, hi = high](std::int64_t u) { return u < lo || u > hi; });
    std::sort(units.begin(), units.end(), [&](std::int64_t a, std::int64_t b) {
      const std::int64_t da = std::abs(a - axis.reference);
      const std::int64_t db = std::abs(b - axis.reference);
      return da != db ? da < db : a > b;
    });
    units.erase(std::unique(units.begin(), units.end()), units.end());
    for (const std::int64_t unit : units) {
      if (has_value && unit == axis.reference) continue;
      axis.candidates.push_back({AtUnit(def, unit, axis.scale), Class::kPoint, unit, {}});
    }
  }

  static std::pair<std::int64_t, std::int64_t> Ends(const FactDef& def) {
    if (def.type != FactType::kDate) return {-kFar, kFar};
    return {MakeDate(1, 1, 1).time_since_epoch().count(), MakeDate(9999, 12, 31).time_since_epoch().count()};
  }

  // Where the order of the comparison changes on both sides of the reference. False: it has none there.
  bool AddSteps(const Axis& axis, const FactDef& def, const cel::Condition& condition,
                std::vector<std::int64_t>& units) {
    const auto order = [&](std::int64_t unit) -> std::optional<int> {
      if (!Spend()) return std::nullopt;
      scratch_.Reset();
      slots_[axis.slot] = AtUnit(def, unit, axis.scale);
      const std::optional<int> sign = condition.Order(Now(), scratch_);
      if (!sign) return std::nullopt;
      return *sign < 0 ? -1 : *sign > 0 ? 1 : 0;
    };
    const std::optional<int> at_reference = order(axis.reference);
    if (at_reference) {
      for (const int direction : {1, -1}) {
        const std::int64_t end = direction > 0 ? Ends(def).second : Ends(def).first;
        std::int64_t from = axis.reference;
        std::optional<int> here = at_reference;
        while (here) {  // an order has two changes at most
          const std::optional<std::int64_t> next = FirstOther(from, end, direction, *here, order);
          if (!next) break;
          from = *next;
          here = order(from);
          if (here) units.push_back(from);
        }
      }
    }
    slots_[axis.slot] = profile_.slots()[axis.slot];
    return at_reference.has_value();
  }

  // A fact of a calculation with others: the nearest values found by doubling steps with which a criterion that does
  // not hold would, everything else being as it is.
  void Probe(const Axis& axis, const FactDef& def, std::vector<std::int64_t>& units) {
    for (const std::size_t c : open_) {
      const cel::Program& when = rule_.criteria[c].when;
      if (!std::binary_search(when.slots().begin(), when.slots().end(), axis.slot)) continue;
      const auto reveals = [&](std::uint32_t slot) { return slot != axis.slot && Def(slot).sensitive; };
      if (std::any_of(when.slots().begin(), when.slots().end(), reveals)) continue;
      const auto holds = [&](std::int64_t unit) -> std::optional<int> {
        if (!Spend()) return std::nullopt;
        scratch_.Reset();
        slots_[axis.slot] = AtUnit(def, unit, axis.scale);
        return when.Evaluate(Now(), scratch_).IsTrue() ? 1 : 0;
      };
      if (holds(axis.reference) == 1) continue;
      for (const int direction : {1, -1}) {
        const std::int64_t end = direction > 0 ? Ends(def).second : Ends(def).first;
        const std::optional<std::int64_t> unit = FirstOther(axis.reference, end, direction, 0, holds);
        if (unit && !spent_) units.push_back(*unit);
      }
    }
    slots_[axis.slot] = profile_.slots()[axis.slot];
  }

  // The value nearest to `from` in the direction whose order is not `here`.
  template <class Order>
  static std::optional<std::int64_t> FirstOther(std::int64_t from, std::int64_t end, int direction, int here,
                                                const Order& order) {
    std::int64_t same = from;
    std::int64_t step = 1;
    std::int64_t other = from;
    do {
      if (other == end) return std::nullopt;
      same = other;
      other = std::abs(end - from) <= step ? end : from + direction * step;
      step *= 2;
    } while (order(other) == here);
    while (std::abs(other - same) > 1) {
      const std::int64_t middle = same + (other - same) / 2;
      (order(middle) == here ? same : other) = middle;
    }
    return other;
  }

  // ---- Texts

  void FillTexts(Axis& axis) {
    std::vector<std::string_view> members;
    std::vector<std::string_view> prefixes;
    for (const cel::Condition& condition : conditions_) {
      if (condition.slots()[0] != axis.slot) continue;
      const Dependence dependence = condition.dependence();
      const bool by_prefix = dependence.shape == Dependence::Shape::kPrefixes;
      if (!by_prefix && dependence.shape != Dependence::Shape::kMembers) {
        axis.whole = false;
        continue;
      }
      for (const Value& member : dependence.members) {
        // What it points to belongs to the program, which the rule keeps.
        if (member.is(Kind::kString)) (by_prefix ? prefixes : members).push_back(member.AsString());
      }
    }
    const bool is_code = Def(axis.slot).type == FactType::kCode;
    const auto longest = [&](std::string_view text) {
      std::optional<std::string_view> best;
      for (const std::string_view p : prefixes) {
        if (text.starts_with(p) && (!best || p.size() > best->size())) best = p;
      }
      return best;
    };
    const auto is_member = [&](std::string_view text) {
      return std::find(members.begin(), members.end(), text) != members.end();
    };
    const auto allowed = [&](std::string_view text) {
      const std::vector<std::string>& values = Def(axis.slot).values;
      return !(is_code && text.empty()) &&
             (values.empty() || std::find(values.begin(), values.end(), text) != values.end());
    };
    for (const std::string_view member : members) {
      if (allowed(member)) Add(axis, {Value::String(member)});
    }
    if (!Def(axis.slot).values.empty()) {  // more codes than candidates
      axis.whole = false;
      return;
    }
    for (const std::string_view prefix : prefixes) {
      std::string text(prefix);
      while (is_member(text) || !allowed(text)) text += '0';
      if (longest(text) == prefix) {
        Add(axis, {Value::String(arena_.Copy(text)), Class::kPrefix, 0, prefix});
      } else {
        axis.whole = false;
      }
    }
    if (!axis.whole) return;  // whatever else it is, cannot be put in words
    for (const char first : std::string_view("0123456789abcdefghijklmnopqrstuvwxyz")) {
      std::string text(1, first);
      while (is_member(text)) text += first;
      if (longest(text)) continue;
      Add(axis, {Value::String(arena_.Copy(text)), Class::kOther});
      break;
    }
  }

  // ---- The search

  void FindWhatHolds(Axis& axis) {
    axis.holds.assign(rule_.criteria.size(), ~std::uint64_t{0});
    for (std::size_t c = 0; c < rule_.criteria.size(); ++c) {
      const cel::Program& when = rule_.criteria[c].when;
      const std::span<const std::uint32_t> slots = when.slots();
      if (!std::binary_search(slots.begin(), slots.end(), axis.slot)) continue;
      std::uint64_t mask = 0;
      for (std::size_t i = 0; i < axis.candidates.size() && Spend(); ++i) {
        scratch_.Reset();
        slots_[axis.slot] = axis.candidates[i].value;
        if (when.Evaluate(Now(), scratch_).IsTrue()) mask |= std::uint64_t{1} << i;
      }
      axis.holds[c] = mask;
    }
    slots_[axis.slot] = profile_.slots()[axis.slot];
  }

  void Choose(std::size_t size, std::size_t from, std::vector<std::size_t>& chosen) {
    if (spent_) return;
    if (chosen.size() == size) return Try(chosen);
    for (std::size_t i = from; i < axes_.size(); ++i) {
      chosen.push_back(i);
      Choose(size, i + 1, chosen);
      chosen.pop_back();
    }
  }

  // The candidates of each axis that the criteria reading no other fact of the set leave.
  bool Allowed(const std::vector<std::size_t>& chosen, std::array<std::uint64_t, Remedy::kMaxFacts>& left) const {
    left.fill(~std::uint64_t{0});
    for (std::size_t c = 0; c < rule_.criteria.size(); ++c) {
      const std::span<const std::uint32_t> slots = rule_.criteria[c].when.slots();
      std::size_t read = 0;
      std::size_t which = 0;
      for (std::size_t i = 0; i < chosen.size(); ++i) {
        if (!std::binary_search(slots.begin(), slots.end(), axes_[chosen[i]].slot)) continue;
        ++read;
        which = i;
      }
      if (read == 0 && now_.criteria[c] != Truth::kTrue) return false;
      if (read == 1) left[which] &= axes_[chosen[which]].holds[c];
    }
    return std::all_of(left.begin(), left.end(), [](std::uint64_t mask) { return mask != 0; });
  }

  // The combination whose values are nearest, if any makes the rule eligible.
  void Try(const std::vector<std::size_t>& chosen) {
    std::array<std::uint64_t, Remedy::kMaxFacts> left{};
    if (!Allowed(chosen, left)) return;
    std::vector<std::vector<std::size_t>> lists(chosen.size());
    std::size_t most = 0;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      for (std::size_t k = 0; k < axes_[chosen[i]].candidates.size(); ++k) {
        if ((left[i] >> k & 1) != 0) lists[i].push_back(k);
      }
      if (lists[i].empty()) return;
      most += lists[i].back();
    }
    std::vector<std::size_t> picks(chosen.size());
    for (std::size_t rank = 0; rank <= most && !spent_; ++rank) {
      if (!Pick(chosen, lists, 0, rank, picks)) continue;
      Found found{chosen, picks, 0, rank};
      for (const std::size_t a : chosen) {
        const Value& now = profile_.slots()[axes_[a].slot];
        if (!now.is(Kind::kUnknown) && !now.is(Kind::kNull)) ++found.known;
      }
      found_.push_back(std::move(found));
      break;
    }
    Restore(chosen);
  }

  // Whether a combination of that rank from the i-th fact on makes it eligible; `picks` is then that combination.
  bool Pick(const std::vector<std::size_t>& chosen, const std::vector<std::vector<std::size_t>>& lists, std::size_t i,
            std::size_t rank, std::vector<std::size_t>& picks) {
    const Axis& axis = axes_[chosen[i]];
    for (const std::size_t k : lists[i]) {
      if (k > rank || spent_) break;
      if (i + 1 == chosen.size() && k != rank) continue;
      slots_[axis.slot] = axis.candidates[k].value;
      picks[i] = k;
      if (i + 1 == chosen.size() ? Eligible() : Pick(chosen, lists, i + 1, rank - k, picks)) return true;
    }
    return false;
  }

  void Restore(const std::vector<std::size_t>& chosen) {
    for (const std::size_t a : chosen) slots_[axes_[a].slot] = profile_.slots()[axes_[a].slot];
  }

  // ---- What was found, in words

  void Report() {
    std::stable_sort(found_.begin(), found_.end(), [](const Found& a, const Found& b) {
      return std::pair(a.known, a.rank) < std::pair(b.known, b.rank);
    });
    if (found_.size() > Remedy::kMaxChoices) found_.resize(Remedy::kMaxChoices);
    // Describing is bounded by the number of candidates; it is not part of the search's budget.
    evaluations_ = 0;
    spent_ = false;
    for (const Found& found : found_) {
      for (std::size_t i = 0; i < found.axes.size(); ++i) {
        const Axis& axis = axes_[found.axes[i]];
        slots_[axis.slot] = axis.candidates[found.picks[i]].value;
      }
      std::vector<Change> choice;
      for (std::size_t i = 0; i < found.axes.size(); ++i) {
        const Axis& axis = axes_[found.axes[i]];
        choice.push_back(Describe(axis, axis.candidates[found.picks[i]]));
        slots_[axis.slot] = axis.candidates[found.picks[i]].value;
      }
      Restore(found.axes);
      std::sort(choice.begin(), choice.end(), [](const Change& a, const Change& b) { return a.slot < b.slot; });
      out_->choices.push_back(std::move(choice));
    }
  }

  bool EligibleWith(const Axis& axis, const Value& v) {
    slots_[axis.slot] = v;
    return Eligible();
  }

  Change Describe(const Axis& axis, const Candidate& picked) {
    Change out;
    out.slot = axis.slot;
    out.example = value::DeepCopy(picked.value, arena_);
    out.to = out.example;
    if (picked.of == Class::kNone) {
      out.relation = Relation::kNone;
    } else if (axis.ordered) {
      if (axis.whole) DescribeRange(axis, picked, &out);
    } else if (Def(axis.slot).type != FactType::kBool) {
      DescribeText(axis, picked, &out);
    }
    return out;
  }

  // The classes around the picked one with which it stays eligible.
  void DescribeRange(const Axis& axis, const Candidate& picked, Change* out) {
    const FactDef& def = Def(axis.slot);
    std::vector<std::int64_t> units{axis.reference};
    for (const Candidate& c : axis.candidates) {
      if (c.of == Class::kPoint && c.unit != axis.reference) units.push_back(c.unit);
    }
    std::sort(units.begin(), units.end());
    const auto holds = [&](std::size_t i) { return EligibleWith(axis, AtUnit(def, units[i], axis.scale)); };
    const auto at = static_cast<std::size_t>(std::find(units.begin(), units.end(), picked.unit) - units.begin());
    std::size_t low = at;
    std::size_t high = at;
    while (low > 0 && holds(low - 1)) --low;
    while (high + 1 < units.size() && holds(high + 1)) ++high;
    // A class reaches from its candidate away from the reference, up to the next candidate; that of the reference
    // itself reaches both ways. The outermost classes have no end.
    const bool open_below = low == 0;
    const bool open_above = high + 1 == units.size();
    const std::int64_t from = open_below ? 0 : units[low] > axis.reference ? units[low] : units[low - 1] + 1;
    const std::int64_t to = open_above ? 0 : units[high] < axis.reference ? units[high] : units[high + 1] - 1;
    if (open_below && open_above) {
      out->relation = Relation::kSome;
    } else if (open_above) {
      out->relation = Relation::kAtLeast;
      out->to = AtUnit(def, from, axis.scale);
    } else if (open_below) {
      out->relation = Relation::kAtMost;
      out->to = AtUnit(def, to, axis.scale);
    } else if (from != to) {
      out->relation = Relation::kBetween;
      out->to = AtUnit(def, from, axis.scale);
      out->upper = AtUnit(def, to, axis.scale);
    }
  }

  void DescribeText(const Axis& axis, const Candidate& picked, Change* out) {
    std::vector<Value> points;
    std::vector<Value> not_points;
    std::vector<Value> not_prefixes;
    bool prefix_whole = true;
    bool all = axis.whole;
    for (const Candidate& c : axis.candidates) {
      if (c.of == Class::kNone) continue;
      const bool holds = EligibleWith(axis, c.value);
      all = all && holds;
      if (c.of == Class::kPoint) (holds ? points : not_points).push_back(c.value);
      if (c.of == Class::kPrefix && !holds) not_prefixes.push_back(Value::String(c.prefix));
      if (!holds && picked.of == Class::kPrefix && c.value.AsString().starts_with(picked.prefix)) prefix_whole = false;
    }
    const Value& now = profile_.slots()[axis.slot];
    if (now.is(Kind::kString)) {  // with the present value it does not hold, or it were not changed
      all = false;
      if (picked.of == Class::kPrefix && now.AsString().starts_with(picked.prefix)) prefix_whole = false;
      if (Enumerated(Def(axis.slot))) {
        not_points.push_back(now);
      } else {
        AddPresentClass(axis, now, not_points, not_prefixes);
      }
    }
    if (all) {
      out->relation = Relation::kSome;
    } else if (picked.of == Class::kPrefix && prefix_whole && axis.whole) {
      out->relation = Relation::kStartsWith;
      out->to = value::DeepCopy(Value::String(picked.prefix), arena_);
    } else if (picked.of == Class::kOther ||
               (Enumerated(Def(axis.slot)) && not_points.size() == 1 && points.size() > 1)) {
      out->relation = Relation::kNot;
      out->to = value::DeepCopy(Value::List(not_points), arena_);
      out->upper = value::DeepCopy(Value::List(not_prefixes), arena_);
    } else if (picked.of == Class::kPoint && points.size() > 1) {
      out->relation = Relation::kOneOf;
      out->to = value::DeepCopy(Value::List(points), arena_);
    }
  }

  // The class of the present value is excluded too: it is itself a member, or begins with one of the prefixes.
  void AddPresentClass(const Axis& axis, const Value& now, std::vector<Value>& not_points,
                       std::vector<Value>& not_prefixes) const {
    std::string_view prefix;
    bool by_prefix = false;
    for (const cel::Condition& condition : conditions_) {
      if (condition.slots()[0] != axis.slot) continue;
      const Dependence dependence = condition.dependence();
      for (const Value& member : dependence.members) {
        if (!member.is(Kind::kString)) continue;
        if (dependence.shape == Dependence::Shape::kMembers) {
          if (value::Equals(member, now)) {
            not_points.push_back(now);
            return;
          }
        } else if (now.AsString().starts_with(member.AsString()) && member.AsString().size() >= prefix.size()) {
          prefix = member.AsString();
          by_prefix = true;
        }
      }
    }
    const auto is_prefix = [&](const Value& v) { return v.AsString() == prefix; };
    if (by_prefix && std::none_of(not_prefixes.begin(), not_prefixes.end(), is_prefix)) {
      not_prefixes.push_back(Value::String(prefix));
    }
  }

  static constexpr std::size_t kMaxConditions = 1'000;

  const Rule& rule_;
  const facts::Profile& profile_;
  const Determination& now_;
  const Date today_;
  value::Arena& arena_;
  value::Arena scratch_;
  std::vector<Value> slots_;  // the profile's, one or more of them changed
  Remedy* out_ = nullptr;
  std::vector<std::size_t> open_;           // criteria that are not true
  std::vector<cel::Condition> conditions_;  // over one fact
  std::vector<std::uint32_t> opaque_;       // facts that something else reads too; sorted
  std::vector<Axis> axes_;
  std::vector<Found> found_;
  std::size_t evaluations_ = 0;
  bool spent_ = false;
};

}  // namespace

const char* RelationName(Change::Relation relation) {
  static constexpr std::array<const char*, 9> kNames = {"is",      "one_of",  "not",  "starts_with", "at_least",
                                                        "at_most", "between", "none", "some"};
  return kNames[static_cast<std::size_t>(relation)];
}

Remedy FindRemedy(const Rule& rule, const facts::Profile& profile, const Determination& determination,
                  const Outlook& outlook, Date today, value::Arena& arena) {
  Remedy out;
  if (determination.answer == Answer::kEligible || profile.Dead()) return out;
  out.wait_until = outlook.eligible_from;
  if (determination.in_force) Search(rule, profile, determination, today, arena).Run(&out);
  return out;
}

}  // namespace zhitui::rules
