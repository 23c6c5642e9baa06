// Criteria and amount rows that never, or always, hold.
//
// A condition over one fact changes its answer at few values of it. Those values are found, and what lies between them
// is represented by one value each; then the whole rule is looked at for every combination of representatives. What is
// not understood (lists, texts taken apart, conditions over several facts) may be true as well as false, so a warning
// that something can never happen is not given because of it.

#include <algorithm>
#include <limits>
#include <memory>
#include <set>

#include "authoring/lint.h"

namespace zhitui::authoring {
namespace {

using facts::FactDef;
using facts::FactType;
using value::Kind;
using value::Value;

constexpr std::size_t kMaxCombinations = 20'000;
constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kMaxValues = 200;  // of one fact
constexpr std::int64_t kWidest = 1'000'000'000'000;
constexpr Date kFirstDay = std::chrono::local_days(std::chrono::year(1800) / 1 / 1);
constexpr Date kLastDay = std::chrono::local_days(std::chrono::year(2150) / 12 / 31);

// What an answer can be; neither: an error whatever happens.
struct May {
  bool be_true = false;
  bool be_false = false;
};
constexpr May kEither{true, true};

// The values of one fact, as whole numbers where they have an order: an int itself, a date by its days, a decimal in
// units of its last digit.
class Domain {
 public:
  explicit Domain(const FactDef& fact) : fact_(fact) {
    switch (fact.type) {
      case FactType::kBool:
      case FactType::kCode:
      case FactType::kString:
        known_ = true;
        break;
      case FactType::kDate:
        low_ = kFirstDay.time_since_epoch().count();
        high_ = kLastDay.time_since_epoch().count();
        known_ = ordered_ = true;
        break;
      case FactType::kInt:
        known_ = ordered_ = true;
        break;
      case FactType::kMoney:
        scale_ = 2;
        known_ = ordered_ = true;
        break;
      case FactType::kDecimal:
        scale_ = 6;
        known_ = ordered_ = true;
        break;
      default:
        break;
    }
    if (fact.type == FactType::kInt || scale_ > 0) {
      std::int64_t unit = 1;
      for (int i = 0; i < scale_; ++i) unit *= 10;
      low_ = -kWidest * unit;
      high_ = kWidest * unit;
    }
    widest_low_ = low_;
    widest_high_ = high_;
    if (fact.min) low_ = std::max(low_, KeyOf(*fact.min, true));
    if (fact.max) high_ = std::min(high_, KeyOf(*fact.max, false));
  }

  bool known() const { return known_; }
  bool ordered() const { return ordered_; }
  std::int64_t low() const { return low_; }
  std::int64_t high() const { return high_; }
  const FactDef& fact() const { return fact_; }

  Value At(std::int64_t key) const {
    if (fact_.type == FactType::kDate) return Value::OfDate(Date(std::chrono::days(key)));
    return fact_.type == FactType::kInt ? Value::Int(key) : Value::OfDecimal({key, scale_});
  }

  // Of a constant that the fact is compared with: its key, or the next one above it. nullopt: too far from what is
  // looked at, or too fine.
  std::optional<std::int64_t> Key(const Value& v) const {
    std::int64_t key = 0;
    if (v.is(Kind::kDate) && fact_.type == FactType::kDate) {
      key = v.AsDate().time_since_epoch().count();
    } else if (v.is(Kind::kInt) || v.is(Kind::kDecimal)) {
      const value::Decimal d = v.is(Kind::kInt) ? value::Decimal{v.AsInt(), 0} : v.AsDecimal();
      if (fact_.type == FactType::kDecimal && d.scale > scale_) return std::nullopt;
      key = KeyOf(d, true);
    } else {
      return std::nullopt;
    }
    if (key <= widest_low_ || key >= widest_high_) return std::nullopt;
    return key;
  }

  std::string Show(std::int64_t key) const { return value::ToDisplay(At(key)); }

 private:
  // The nearest key that is not below (`up`) or not above the number.
  std::int64_t KeyOf(value::Decimal d, bool up) const {
    if (value::Decimal::Compare(d, {kWidest, 0}) >= 0) return widest_high_;
    if (value::Decimal::Compare(d, {-kWidest, 0}) <= 0) return widest_low_;
    const std::optional<value::Decimal> at =
        value::Decimal::Round(d, scale_, up ? value::Rounding::kCeil : value::Rounding::kFloor);
    if (!at) return up ? widest_high_ : widest_low_;
    std::int64_t key = at->coefficient;
    for (int i = at->scale; i < scale_; ++i) key *= 10;
    return key;
  }

  const FactDef& fact_;
  std::uint8_t scale_ = 0;
  bool known_ = false;
  bool ordered_ = false;
  std::int64_t low_ = 0;
  std::int64_t high_ = 0;
  std::int64_t widest_low_ = 0;
  std::int64_t widest_high_ = 0;
};

// The first key of (below, at] for which `holds`; it holds at `at` and, once it does, goes on to.
template <class Holds>
std::int64_t FirstOf(std::int64_t below, std::int64_t at, Holds holds) {
  while (at - below > 1) {
    const std::int64_t middle = below + (at - below) / 2;
    (holds(middle) ? at : below) = middle;
  }
  return at;
}

// One fact and the values that stand for all of its values.
struct Axis {
  Domain domain;
  std::set<std::int64_t> keys;     // where it has an order
  std::vector<std::string> texts;  // where it has none
  std::vector<Value> values;
};

// A condition of the rule.
struct Part {
  const cel::Condition* condition;
  std::optional<std::uint32_t> slot;  // the one fact it reads; nullopt: none
  bool free = false;                  // not understood
  std::vector<May> answers;           // by value of its axis; one where it reads no fact
};

// The whole of one formula, with its parts numbered across the rule.
struct Whole {
  cel::Formula formula;
  std::vector<std::uint32_t> parts;
};

class Reach {
 public:
  Reach(const Scene& scene, const rules::Rule& rule, Findings& out)
      : scene_(scene),
        rule_(rule),
        root_(scene.RootOf(rule.at)),
        schema_(*scene.ruleset.SchemaOf(rule.kind)),
        out_(out),
        slots_(schema_.facts().size(), Value::Unknown(nullptr)) {}

  void Run() {
    if (rule_.recheck_daily) return;  // its days cannot be followed
    for (const rules::Criterion& criterion : rule_.criteria) criteria_.push_back(Take(criterion.when));
    for (const rules::AmountRow& row : rule_.amounts) {
      rows_.push_back(row.when ? std::optional<Whole>(Take(*row.when)) : std::nullopt);
    }
    std::vector<bool> dull(criteria_.size(), false);
    for (std::size_t i = 0; i < criteria_.size(); ++i) dull[i] = Criterion(i);
    if (std::any_of(dull.begin(), dull.end(), [](bool b) { return b; })) return;  // the rest would follow from it
    if (!Rule()) return;
    Rows();
    if (Prepare(Today(), AllOf(true))) Shape();
  }

 private:
  Whole Take(const cel::Program& program) {
    cel::Conditions conditions = program.Split();
    Whole whole{std::move(conditions.formula), {}};
    for (cel::Condition& condition : conditions.conditions) {
      const auto [it, fresh] = known_.emplace(condition.canonical(), static_cast<std::uint32_t>(parts_.size()));
      if (fresh) {
        by_time_ = by_time_ || condition.time_dependent();
        owned_.push_back(std::make_unique<cel::Condition>(std::move(condition)));
        Part part{owned_.back().get(), std::nullopt, false, {}};
        const std::vector<std::uint32_t>& slots = part.condition->slots();
        if (slots.size() == 1) part.slot = slots.front();
        part.free =
            slots.size() > 1 || (part.slot && part.condition->dependence().shape == cel::Dependence::Shape::kAny);
        if (part.slot && !Domain(schema_.facts()[*part.slot]).known()) part.free = true;
        parts_.push_back(std::move(part));
      }
      whole.parts.push_back(it->second);
    }
    return whole;
  }

  std::vector<const Whole*> AllOf(bool with_rows) const {
    std::vector<const Whole*> out;
    for (const Whole& whole : criteria_) out.push_back(&whole);
    if (!with_rows) return out;
    for (const std::optional<Whole>& row : rows_) {
      if (row) out.push_back(&*row);
    }
    return out;
  }

  bool InForce(Date day) const {
    return (!rule_.valid_from || day >= *rule_.valid_from) && (!rule_.valid_until || day < *rule_.valid_until);
  }
  Date Today() const {
    Date day = std::max(scene_.at, MakeDate(2000, 1, 1));  // files without any day have none to offer
    if (rule_.valid_from) day = std::max(day, *rule_.valid_from);
    if (rule_.valid_until) day = std::min(day, *rule_.valid_until - std::chrono::days(1));
    return day;
  }

  // The days on which a rule that depends on the day is tried: each of two years, the beginnings and ends of all
  // params, the beginnings of months of other years, and 29 February.
  std::vector<Date> Days() const {
    std::set<Date> out{Today()};
    if (!by_time_) return {out.begin(), out.end()};
    const auto add = [&](Date day) {
      if (InForce(day)) out.insert(day);
    };
    for (int i = 0; i < 731; ++i) add(Today() + std::chrono::days(i));
    const int year = static_cast<int>(std::chrono::year_month_day(Today()).year());
    for (int y = std::max(1900, year - 10); y <= std::min(9990, year + 10); ++y) {
      for (unsigned m = 1; m <= 12; ++m) add(MakeDate(y, m, 1));
      if (std::chrono::year(y).is_leap()) add(MakeDate(y, 2, 29));
    }
    if (rule_.valid_from) add(*rule_.valid_from);
    if (rule_.valid_until) add(*rule_.valid_until - std::chrono::days(1));
    if (const yaml::Node* params = At(&root_, {"params"}); params != nullptr && params->IsMapping()) {
      for (const auto& [name, dated] : params->entries()) {
        for (const auto& [key, v] : dated.entries()) {
          const Result<Date> day = ParseDate(key.text());
          if (!day) continue;
          add(*day);
          add(*day - std::chrono::days(1));
        }
      }
    }
    return {out.begin(), out.end()};
  }

  Value Answer(const Part& part, const Value& v, Date day) {
    if (part.slot) slots_[*part.slot] = v;
    const Value out = part.condition->Evaluate({slots_, day}, arena_);
    if (part.slot) slots_[*part.slot] = Value::Unknown(nullptr);
    return out;
  }

  // The keys of an ordered fact at which a comparison may change its answer, with their neighbours.
  void Cut(Part& part, Axis& axis, Date day) {
    const cel::Dependence dependence = part.condition->dependence();
    const std::int64_t low = axis.domain.low();
    const std::int64_t high = axis.domain.high();
    const auto add = [&](std::int64_t key) {
      for (const std::int64_t near : {std::int64_t{-1}, std::int64_t{0}, std::int64_t{1}}) {
        if (key + near >= low && key + near <= high) axis.keys.insert(key + near);
      }
    };
    add(low);
    add(high);
    std::vector<std::int64_t> inside{low, high, low + (high - low) / 2};
    for (const std::int64_t some : {std::int64_t{0}, day.time_since_epoch().count()}) {
      if (some > low && some < high) inside.push_back(some);
    }
    for (const Value& member : dependence.members) {
      if (member.is(Kind::kNull)) continue;
      const std::optional<std::int64_t> key = axis.domain.Key(member);
      if (!key) {
        part.free = true;
        continue;
      }
      add(*key);
      if (*key >= low && *key <= high) inside.push_back(*key);
    }
    if (dependence.shape != cel::Dependence::Shape::kSteps) return;
    const auto order = [&](std::int64_t key) {
      slots_[*part.slot] = axis.domain.At(key);
      const std::optional<int> out = part.condition->Order({slots_, day}, arena_);
      slots_[*part.slot] = Value::Unknown(nullptr);
      return out;
    };
    const auto some =
        std::find_if(inside.begin(), inside.end(), [&](std::int64_t key) { return order(key).has_value(); });
    if (some == inside.end()) {
      part.free = true;
      return;
    }
    std::int64_t first = low;
    std::int64_t last = high;
    if (!order(low)) first = FirstOf(low, *some, [&](std::int64_t key) { return order(key).has_value(); });
    if (!order(high)) last = FirstOf(*some, high, [&](std::int64_t key) { return !order(key); }) - 1;
    add(first);
    add(last);
    const bool rises = *order(last) >= *order(first);
    for (const int bound : {0, 1}) {
      const auto reached = [&](std::int64_t key) { return (rises ? 1 : -1) * order(key).value_or(0) >= bound; };
      if (!reached(first) && reached(last)) add(FirstOf(first, last, reached));
    }
  }

  static void AddTexts(const Part& part, Axis& axis) {
    const cel::Dependence dependence = part.condition->dependence();
    for (const Value& member : dependence.members) {
      if (!member.is(Kind::kString)) continue;
      axis.texts.emplace_back(member.AsString());
      if (dependence.shape == cel::Dependence::Shape::kPrefixes) axis.texts.push_back(axis.texts.back() + "\x7f");
    }
  }

  // The values of each fact on that day, and the answers of all parts for each. False: nothing can be said.
  bool Prepare(Date day, const std::vector<const Whole*>& wholes) {
    arena_.Reset();
    axes_.clear();
    std::set<std::uint32_t> used;
    for (const Whole* whole : wholes) used.insert(whole->parts.begin(), whole->parts.end());
    for (const std::uint32_t i : used) {
      Part& part = parts_[i];
      if (part.free || !part.slot) continue;
      Axis& axis = axes_.try_emplace(*part.slot, Axis{Domain(schema_.facts()[*part.slot]), {}, {}, {}}).first->second;
      if (axis.domain.ordered()) {
        Cut(part, axis, day);
      } else {
        AddTexts(part, axis);
      }
    }
    for (auto& [slot, axis] : axes_) {
      if (!Fill(axis)) return false;
    }
    day_ = day;
    for (const std::uint32_t i : used) {
      Part& part = parts_[i];
      part.answers.clear();
      if (part.free) continue;
      const auto answer = [&](const Value& v) {
        const Value a = Answer(part, v, day);
        part.answers.push_back({a.IsTrue(), a.IsFalse()});
      };
      if (!part.slot) {
        answer(Value());
      } else {
        for (const Value& v : axes_.at(*part.slot).values) answer(v);
      }
    }
    return true;
  }

  bool Fill(Axis& axis) const {
    const FactDef& fact = axis.domain.fact();
    if (fact.type == FactType::kBool) axis.values = {Value::Bool(false), Value::Bool(true)};
    if (axis.domain.ordered()) {
      for (const std::int64_t key : axis.keys) axis.values.push_back(axis.domain.At(key));
    }
    if (fact.type == FactType::kCode || fact.type == FactType::kString) {
      if (fact.values.empty()) {
        std::string other = "\x7f";
        for (const std::string& text : axis.texts) other += text;  // longer than each, and equal to none
        axis.texts.push_back(std::move(other));
      } else {
        axis.texts = fact.values;
      }
      std::sort(axis.texts.begin(), axis.texts.end());
      axis.texts.erase(std::unique(axis.texts.begin(), axis.texts.end()), axis.texts.end());
      for (const std::string& text : axis.texts) axis.values.push_back(Value::String(text));
    }
    if (fact.nullable) axis.values.push_back(Value::Null());
    return axis.values.size() <= kMaxValues;
  }

  May PartAt(std::uint32_t i, const std::map<std::uint32_t, std::size_t>& at) const {
    const Part& part = parts_[i];
    if (part.free) return kEither;
    if (!part.slot) return part.answers.front();
    const auto it = at.find(*part.slot);
    return it == at.end() ? kEither : part.answers[it->second];
  }

  May Of(const cel::Formula& formula, const Whole& whole, const std::map<std::uint32_t, std::size_t>& at) const {
    if (formula.op == cel::Formula::Op::kCondition) return PartAt(whole.parts[formula.condition], at);
    if (formula.op == cel::Formula::Op::kNot) {
      const May may = Of(formula.parts.front(), whole, at);
      return {may.be_false, may.be_true};
    }
    const bool all = formula.op == cel::Formula::Op::kAll;
    May out{all, !all};
    for (const cel::Formula& part : formula.parts) {
      const May may = Of(part, whole, at);
      out.be_true = all ? out.be_true && may.be_true : out.be_true || may.be_true;
      out.be_false = all ? out.be_false || may.be_false : out.be_false && may.be_false;
    }
    return out;
  }
  May Of(const Whole& whole, const std::map<std::uint32_t, std::size_t>& at) const {
    return Of(whole.formula, whole, at);
  }

  // Calls `look` for each combination of values until it answers false. Facts with too many values to combine stay
  // open: their conditions may be both.
  template <class Look>
  void Combine(Look look) const {
    std::vector<std::pair<std::uint32_t, std::size_t>> sizes;
    for (const auto& [slot, axis] : axes_) sizes.emplace_back(slot, axis.values.size());
    std::sort(sizes.begin(), sizes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    std::map<std::uint32_t, std::size_t> at;
    std::size_t product = 1;
    for (const auto& [slot, size] : sizes) {
      if (product * size > kMaxCombinations) break;
      product *= size;
      at.emplace(slot, 0);
    }
    while (look(at)) {
      auto it = at.begin();
      while (it != at.end() && ++it->second == axes_.at(it->first).values.size()) {
        it->second = 0;
        ++it;
      }
      if (it == at.end()) return;
    }
  }

  const yaml::Node& CriterionNode(const std::string& id) const { return *At(&root_, {"criteria", id, "when"}); }

  // True when it never or always holds.
  bool Criterion(std::size_t i) {
    if (rule_.criteria[i].id == rules::kNoSmallerArea) return false;  // nobody wrote it
    May may;
    for (const Date day : Days()) {
      if (!Prepare(day, {&criteria_[i]})) return false;
      Combine([&](const std::map<std::uint32_t, std::size_t>& at) {
        const May here = Of(criteria_[i], at);
        may = {may.be_true || here.be_true, may.be_false || here.be_false};
        return !may.be_true || !may.be_false;
      });
      if (may.be_true && may.be_false) return false;
    }
    const std::string& id = rule_.criteria[i].id;
    if (!may.be_true) {
      out_.Add(CriterionNode(id), "never-true", "criteria." + id,
               "the criterion `" + id + "` can never be true, so nobody can be eligible",
               "compare it with the values that the fact can have, in facts/" + rule_.kind + ".yaml");
    } else {
      out_.Add(CriterionNode(id), "never-false", "criteria." + id,
               "the criterion `" + id + "` can never be false, so it asks nothing",
               "delete it, or correct its condition");
    }
    return true;
  }

  // False when nobody can be eligible.
  bool Rule() {
    for (const Date day : Days()) {
      if (!Prepare(day, AllOf(false))) return true;
      bool possible = false;
      Combine([&](const std::map<std::uint32_t, std::size_t>& at) {
        possible = Possible(at);
        return !possible;
      });
      if (possible) return true;
    }
    out_.Add(*root_.Find("rule"), "never-eligible", "criteria",
             "the criteria of `" + rule_.id + "` can never be true together, so nobody can be eligible",
             "look for two criteria that exclude each other");
    return false;
  }

  bool Possible(const std::map<std::uint32_t, std::size_t>& at) const {
    return std::all_of(criteria_.begin(), criteria_.end(), [&](const Whole& c) { return Of(c, at).be_true; });
  }

  // Rows that no eligible person ever gets.
  void Rows() {
    std::vector<bool> reached(rows_.size(), false);
    const auto open = [&] { return std::find(reached.begin(), reached.end(), false) != reached.end(); };
    if (rows_.size() < 2) return;
    for (const Date day : Days()) {
      if (!Prepare(day, AllOf(true))) return;
      Combine([&](const std::map<std::uint32_t, std::size_t>& at) {
        if (!Possible(at)) return true;
        for (std::size_t i = 0; i < rows_.size(); ++i) {
          const May may = rows_[i] ? Of(*rows_[i], at) : May{true, false};
          if (may.be_true) reached[i] = true;
          if (!may.be_false) break;
        }
        return open();
      });
      if (!open()) return;
    }
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (reached[i]) continue;
      const std::string n = std::to_string(i + 1);
      out_.Add(
          Row(i), "dead-row", "amount.table." + n, "nobody ever gets the amount of row " + n,
          rows_[i]
              ? "whoever is eligible and meets its condition is met by a row above; correct the order or the condition"
              : "the rows above leave nobody: delete the `when` of the row above, and this row");
      dead_ = true;
    }
  }

  const yaml::Node& Row(std::size_t i) const { return At(&root_, {"amount", "table"})->items()[i]; }

  // Gaps and overlaps of rows that all ask one fact with an order.
  void Shape() {
    if (dead_ || rows_.size() < 3) return;
    std::optional<std::uint32_t> slot;
    for (const std::optional<Whole>& row : rows_) {
      if (!row) continue;
      for (const std::uint32_t part : row->parts) {
        if (parts_[part].free || !parts_[part].slot || (slot && *slot != *parts_[part].slot)) return;
        slot = parts_[part].slot;
      }
    }
    if (!slot) return;
    const Axis& axis = axes_.at(*slot);
    if (!axis.domain.ordered()) return;
    const std::vector<std::int64_t> keys(axis.keys.begin(), axis.keys.end());
    std::vector<std::vector<bool>> holds(rows_.size());  // by row and key
    std::vector<bool> possible;
    for (std::size_t k = 0; k < keys.size(); ++k) {
      const std::map<std::uint32_t, std::size_t> at{{*slot, k}};
      possible.push_back(Possible(at));
      for (std::size_t i = 0; i < rows_.size(); ++i) {
        const May may = rows_[i] ? Of(*rows_[i], at) : May{true, false};
        holds[i].push_back(possible.back() && may.be_true && !may.be_false);
      }
    }
    Gaps(axis, keys, possible, holds);
    Overlaps(axis, keys, holds);
  }

  void Gaps(const Axis& axis, const std::vector<std::int64_t>& keys, const std::vector<bool>& possible,
            const std::vector<std::vector<bool>>& holds) {
    const std::size_t last = rows_.size() - 1;
    std::size_t before = kNone;  // the row of the nearest key below that is not the last row's
    std::size_t begin = kNone;   // of the gap
    for (std::size_t k = 0; k < keys.size(); ++k) {
      if (!possible[k]) {
        before = kNone;
        begin = kNone;
        continue;
      }
      std::size_t row = 0;
      while (row < last && !holds[row][k]) ++row;
      if (row == last) {
        if (before != kNone && begin == kNone) begin = k;
        continue;
      }
      if (before != kNone && begin != kNone) {
        const std::size_t lower = std::max(before, row);
        const std::string n = std::to_string(lower + 1);
        out_.Add(Row(lower), "row-gap", "amount.table." + n,
                 "between row " + std::to_string(std::min(before, row) + 1) + " and row " + n + ", for " +
                     axis.domain.fact().name + " from " + axis.domain.Show(keys[begin]) + " to " +
                     axis.domain.Show(keys[k - 1]) + On() + ", only the last row holds",
                 "let one row begin where the other ends");
      }
      before = row;
      begin = kNone;
    }
  }

  void Overlaps(const Axis& axis, const std::vector<std::int64_t>& keys, const std::vector<std::vector<bool>>& holds) {
    for (std::size_t j = 1; j + 1 < rows_.size(); ++j) {
      for (std::size_t i = 0; i < j; ++i) {
        if (rule_.amounts[i].is.canonical() == rule_.amounts[j].is.canonical()) continue;
        bool only_i = false;
        bool only_j = false;
        std::size_t both = kNone;
        for (std::size_t k = 0; k < keys.size(); ++k) {
          only_i = only_i || (holds[i][k] && !holds[j][k]);
          only_j = only_j || (holds[j][k] && !holds[i][k]);
          if (holds[i][k] && holds[j][k] && both == kNone) both = k;
        }
        if (!only_i || !only_j || both == kNone) continue;
        const std::string n = std::to_string(j + 1);
        out_.Add(Row(j), "row-overlap", "amount.table." + n,
                 "row " + std::to_string(i + 1) + " and row " + n + " both hold for " + axis.domain.fact().name + " " +
                     axis.domain.Show(keys[both]) + On() + "; the first one counts",
                 "let one row begin where the other ends");
      }
    }
  }

  std::string On() const { return by_time_ ? " on " + FormatDate(day_) : ""; }

  const Scene& scene_;
  const rules::Rule& rule_;
  const yaml::Node& root_;
  const facts::Schema& schema_;
  Findings& out_;
  std::vector<Value> slots_;
  value::Arena arena_;
  std::vector<std::unique_ptr<cel::Condition>> owned_;
  std::map<std::string, std::uint32_t> known_;  // parts by canonical form
  std::vector<Part> parts_;
  std::vector<Whole> criteria_;
  std::vector<std::optional<Whole>> rows_;
  std::map<std::uint32_t, Axis> axes_;  // by slot
  Date day_{};
  bool by_time_ = false;
  bool dead_ = false;
};

}  // namespace

void LintReach(const Scene& scene, const rules::Rule& rule, Findings& out) {
  if (!rule.over) Reach(scene, rule, out).Run();  // most of the others stands in another file
}

}  // namespace zhitui::authoring
