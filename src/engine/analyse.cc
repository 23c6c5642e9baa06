// The answer of a condition as a function of the one fact it reads.

#include <algorithm>
#include <array>
#include <limits>

#include "engine/model.h"

namespace zhitui::engine {
namespace {

using value::Kind;

constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();
constexpr Date kFirstDay = std::chrono::local_days(std::chrono::year(1) / 1 / 1);
constexpr Date kLastDay = std::chrono::local_days(std::chrono::year(9999) / 12 / 31);
constexpr std::int64_t kKeyEnd = std::int64_t{1} << 62;
constexpr std::uint8_t kMaxScale = 6;

// A condition with its one fact set to any value.
class Probe {
 public:
  Probe(const Condition& condition, const Fact& fact, Date day, value::Arena& arena)
      : condition_(condition), fact_(fact), day_(day), arena_(arena), slots_(fact.slot + 1) {
    for (Value& v : slots_) v = Value::Unknown(nullptr);
  }

  Truth At(const Value& v) {
    slots_[fact_.slot] = v;
    return Evaluate(condition_, slots_, day_, arena_);
  }
  Truth AtKey(std::int64_t key) { return At(ValueOf(key)); }
  std::optional<int> OrderAt(std::int64_t key) {
    slots_[fact_.slot] = ValueOf(key);
    return condition_.when->Order({slots_, day_}, arena_);
  }

 private:
  Value ValueOf(std::int64_t key) const {
    if (fact_.key == Key::kDate) return Value::OfDate(Date(std::chrono::days(key)));
    return fact_.key == Key::kBool ? Value::Bool(key != 0) : Value::Int(key);
  }

  const Condition& condition_;
  const Fact& fact_;
  Date day_;
  value::Arena& arena_;
  std::vector<Value> slots_;
};

// The first key of (below, at] for which `holds`, which is monotone there; `at` holds.
template <class Holds>
std::int64_t FirstOf(std::int64_t below, std::int64_t at, Holds holds) {
  while (static_cast<std::uint64_t>(at) - static_cast<std::uint64_t>(below) > 1) {
    const auto middle = static_cast<std::int64_t>(
        static_cast<std::uint64_t>(below) + (static_cast<std::uint64_t>(at) - static_cast<std::uint64_t>(below)) / 2);
    (holds(middle) ? at : below) = middle;
  }
  return at;
}

void Add(std::vector<Step>& steps, std::int64_t start, Truth truth) {
  if (!steps.empty() && steps.back().truth == truth) return;
  steps.push_back({start, truth});
}

// The keys at which a comparison of which neither side ever turns back may change its answer.
std::vector<std::int64_t> CutsOfOrder(Probe& probe, std::int64_t low, std::int64_t high,
                                      std::span<const std::int64_t> inside) {
  const auto closed = [&](std::int64_t key) { return probe.OrderAt(key).has_value(); };
  std::vector<std::int64_t> cuts;
  std::optional<std::int64_t> some;
  for (const std::int64_t key : inside) {
    if (closed(key)) {
      some = key;
      break;
    }
  }
  if (!some) return cuts;
  if (!closed(low)) {
    const std::int64_t first = FirstOf(low, *some, closed);
    cuts.push_back(first);
    low = first;
  }
  if (!closed(high)) {
    const std::int64_t first_open = FirstOf(*some, high, [&](std::int64_t key) { return !closed(key); });
    cuts.push_back(first_open);
    high = first_open - 1;
  }
  const int at_low = *probe.OrderAt(low);
  const int at_high = *probe.OrderAt(high);
  const int direction = at_high > at_low ? 1 : -1;
  if (at_low == at_high) return cuts;
  for (const int bound : {0, 1}) {  // where the order stops being behind, and where it begins to be ahead
    const auto reached = [&](std::int64_t key) { return probe.OrderAt(key).value_or(0) * direction >= bound; };
    if (reached(low) || !reached(high)) continue;
    cuts.push_back(FirstOf(low, high, reached));
  }
  return cuts;
}

void AnalyseOrdered(const Fact& fact, Condition& condition, Date day, Probe& probe) {
  const std::int64_t today = day.time_since_epoch().count();
  std::int64_t low = kLowest;
  std::int64_t high = kHighest;
  std::vector<std::int64_t> cuts;
  std::vector<std::int64_t> inside{0, 1, -1, 100, 100'000, -100'000, 1'000'000'000, -1'000'000'000};
  if (fact.key == Key::kBool) {
    low = 0;
    high = 1;
    cuts = {1};
  } else if (fact.key == Key::kDate) {
    low = kFirstDay.time_since_epoch().count();
    high = kLastDay.time_since_epoch().count();
    inside = {today};
    // A calendar's functions are closed for the years it covers only.
    for (int year = 1900; year <= 2100; ++year) inside.push_back(MakeDate(year, 7, 1).time_since_epoch().count());
  }
  inside.push_back(low);
  inside.push_back(high);
  if (fact.key != Key::kBool && condition.dependence.shape == cel::Dependence::Shape::kSteps) {
    cuts = CutsOfOrder(probe, low, high, inside);
  } else if (fact.key != Key::kBool) {
    for (const Value& v : condition.dependence.members) {
      // An int fact may be compared with 3.0 or decimal("3"); other numbers equal no int.
      for (const std::int64_t near : {std::int64_t{-1}, std::int64_t{0}, std::int64_t{1}}) {
        std::int64_t key = 0;
        if (v.is(Kind::kInt)) {
          key = v.AsInt();
        } else if (v.is(Kind::kDate)) {
          key = v.AsDate().time_since_epoch().count();
        } else if (v.is(Kind::kUint)) {
          key = v.AsUint() > static_cast<std::uint64_t>(kHighest) ? kHighest : v.AsInt();
        } else if (v.is(Kind::kDouble)) {
          if (!(v.AsDouble() > -9.2e18 && v.AsDouble() < 9.2e18)) continue;
          key = static_cast<std::int64_t>(v.AsDouble());
        } else if (v.is(Kind::kDecimal)) {
          key = v.AsDecimal().coefficient;
          for (int i = 0; i < v.AsDecimal().scale; ++i) key /= 10;
        } else {
          continue;
        }
        if ((near < 0 && key == kLowest) || (near > 0 && key >= kHighest - 1)) continue;
        cuts.push_back(key + near);
        cuts.push_back(key + near + (key + near == kHighest ? 0 : 1));
      }
    }
  }
  std::sort(cuts.begin(), cuts.end());
  Add(condition.steps, kLowest, probe.AtKey(low));
  for (const std::int64_t cut : cuts) {
    if (cut > low && cut <= high) Add(condition.steps, cut, probe.AtKey(cut));
  }
}

// Keys of decimals are twice the value in units of the fact's scale, one more when digits are left over: a constant has
// an even key, what lies between two of them an odd one.
bool AnalyseDecimal(const Fact& fact, Condition& condition, Probe& probe) {
  if (fact.scale > kMaxScale) return false;
  std::vector<std::int64_t> constants;
  for (const Value& v : condition.dependence.members) {
    if (!v.is(Kind::kDecimal) && !v.is(Kind::kInt)) return false;
    const std::int64_t key = DecimalKey(v, fact.scale);
    if (key <= -kKeyEnd / 10 || key >= kKeyEnd / 10) return false;
    constants.push_back(key);
  }
  std::sort(constants.begin(), constants.end());
  constants.erase(std::unique(constants.begin(), constants.end()), constants.end());
  const auto between = [&](std::int64_t key) {  // just below (key - 1) or above (key + 1) a constant
    const std::int64_t tenths = (key - 1) / 2 * 10 + 5;
    return Value::OfDecimal({tenths, static_cast<std::uint8_t>(fact.scale + 1)});
  };
  if (constants.empty()) {
    Add(condition.steps, kLowest, probe.At(Value::OfDecimal({0, 0})));
    return true;
  }
  Add(condition.steps, kLowest, probe.At(between(constants.front() - 1)));
  for (const std::int64_t key : constants) {
    Add(condition.steps, key, probe.At(Value::OfDecimal({key / 2, fact.scale})));
    Add(condition.steps, key + 1, probe.At(between(key + 1)));
  }
  return true;
}

void AnalyseWords(Condition& condition, Probe& probe) {
  const bool by_prefix = condition.dependence.shape == cel::Dependence::Shape::kPrefixes;
  std::vector<std::string> members;
  for (const Value& v : condition.dependence.members) {
    if (v.is(Kind::kString)) members.emplace_back(v.AsString());
  }
  std::sort(members.begin(), members.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
  members.erase(std::unique(members.begin(), members.end()), members.end());
  // A text that no condition names: longer than all, of a character that no code has.
  const std::string other = std::string(members.empty() ? 1 : members.front().size() + 1, '\x7f');
  Words& words = condition.words;
  words.otherwise = probe.At(Value::String(other));
  for (const std::string& member : members) {
    if (by_prefix) {
      const std::string longer = member + other;
      words.prefixes.emplace_back(member, probe.At(Value::String(longer)));
    } else {
      words.members.emplace_back(member, probe.At(Value::String(member)));
    }
  }
}

void AnalyseSet(Condition& condition, Probe& probe) {
  const Value text = condition.dependence.members.front();
  condition.words.otherwise = probe.At(Value::List({}));
  condition.words.members.emplace_back(text.AsString(), probe.At(Value::List({&text, 1})));
}

Truth TruthOf(const Value& v) {
  if (v.IsTrue()) return Truth::kTrue;
  return v.IsFalse() ? Truth::kFalse : Truth::kOpen;
}

Truth EvaluateRule(const rules::Rule& rule, const cel::Activation& activation, value::Arena& arena) {
  bool open = false;
  for (const rules::Criterion& criterion : rule.criteria) {
    const Truth truth = TruthOf(criterion.when.Evaluate(activation, arena));
    if (truth == Truth::kFalse) return truth;
    open = open || truth == Truth::kOpen;
  }
  if (open) return Truth::kOpen;
  if (rule.amounts.empty()) return Truth::kTrue;
  for (const rules::AmountRow& row : rule.amounts) {
    if (row.when) {
      const Truth holds = TruthOf(row.when->Evaluate(activation, arena));
      if (holds == Truth::kFalse) continue;
      if (holds == Truth::kOpen) return holds;
    }
    const Value is = row.is.Evaluate(activation, arena);
    return is.is(Kind::kInt) || is.is(Kind::kDecimal) ? Truth::kTrue : Truth::kOpen;
  }
  return Truth::kOpen;
}

}  // namespace

std::int64_t DecimalKey(const Value& v, std::uint8_t scale) {
  constexpr std::array<std::int64_t, 19> kPowers = [] {
    std::array<std::int64_t, 19> out{1};
    for (std::size_t i = 1; i < out.size(); ++i) out[i] = out[i - 1] * 10;
    return out;
  }();
  const value::Decimal d = v.is(Kind::kInt) ? value::Decimal{v.AsInt(), 0} : v.AsDecimal();
  if (d.scale <= scale) {
    std::int64_t key = 0;
    if (!__builtin_mul_overflow(d.coefficient, kPowers[scale - d.scale] * 2, &key) && key < kKeyEnd && key > -kKeyEnd) {
      return key;
    }
    return d.coefficient > 0 ? kKeyEnd : -kKeyEnd;
  }
  const std::int64_t power = kPowers[d.scale - scale];
  const std::int64_t rest = d.coefficient % power;
  const std::int64_t units = d.coefficient / power - (rest < 0 ? 1 : 0);
  if (units >= kKeyEnd / 2) return kKeyEnd;
  if (units <= -kKeyEnd / 2) return -kKeyEnd;
  return units * 2 + (rest != 0 ? 1 : 0);
}

bool Analyse(const Model& model, const Fact& fact, Condition& condition, Date day, value::Arena& arena) {
  Probe probe(condition, fact, day, arena);
  condition.steps.clear();
  condition.words = {};
  condition.of_absent = probe.At(Value::Unknown(nullptr));
  condition.of_null = model.schema->facts()[fact.slot].nullable ? probe.At(Value::Null()) : Truth::kOpen;
  switch (fact.key) {
    case Key::kBool:
    case Key::kInt:
    case Key::kDate:
      AnalyseOrdered(fact, condition, day, probe);
      return true;
    case Key::kDecimal:
      return AnalyseDecimal(fact, condition, probe);
    case Key::kString:
      AnalyseWords(condition, probe);
      return true;
    case Key::kSet:
      AnalyseSet(condition, probe);
      return true;
  }
  return false;
}

Truth Evaluate(const Condition& condition, std::span<const Value> slots, Date day, value::Arena& arena) {
  const cel::Activation activation{slots, day};
  if (condition.when) return TruthOf(condition.when->Evaluate(activation, arena));
  if (condition.rule != nullptr) return EvaluateRule(*condition.rule, activation, arena);
  if (condition.amount == nullptr) return Truth::kOpen;
  const Value v = condition.amount->Evaluate(activation, arena);
  return v.is(Kind::kInt) || v.is(Kind::kDecimal) ? Truth::kTrue : Truth::kOpen;
}

}  // namespace zhitui::engine
