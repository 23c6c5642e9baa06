// The next day on which an answer changes: the program is run over stretches of days on abstract values (exact, a
// range, true-or-false, anything), and stretches that cannot be proven equal are cut in half down to single days, which
// are simply evaluated. So the answer is exact; how good the abstraction is only decides how fast it comes.
#include "cel/horizon.h"

#include <algorithm>

#include "cel/abstract.h"

namespace zhitui::cel {
namespace {

using value::Kind;

constexpr std::int64_t kVisits = 20'000;  // abstract nodes per search
constexpr std::size_t kInlineKids = 8;

class Search {
 public:
  Search(const Plan& plan, const Activation& at, value::Arena& arena)
      : plan_(plan),
        frame_{plan, at.slots, at.today, arena, PrepareLocals(plan, {}, arena), plan.steps, at.known},
        locals_(arena.NewArray<Abs>(plan.locals)),
        constants_(arena.NewArray<Value>(plan.nodes.size())),
        known_(arena.NewArray<bool>(plan.nodes.size())) {
    std::fill(known_, known_ + plan.nodes.size(), false);
    std::fill(locals_, locals_ + plan.locals, Top());
  }

  std::optional<Date> Run(Date horizon) {
    const Date today = frame_.today;
    if (horizon <= today) return std::nullopt;
    first_ = Concrete(plan_.nodes[plan_.root], today);
    const Date tomorrow = today + std::chrono::days(1);
    if (plan_.opaque) return Proven(tomorrow, horizon) ? std::nullopt : std::optional(tomorrow);
    std::int64_t length = 1;
    for (Date from = tomorrow; from <= horizon;) {
      const Date to = std::min(horizon, from + std::chrono::days(length - 1));
      if (const std::optional<Date> found = FirstChange(from, to)) return found;
      from = to + std::chrono::days(1);
      length *= 2;
    }
    return std::nullopt;
  }

 private:
  enum class Verdict : std::uint8_t { kSame, kOther, kOpen };

  Verdict Judge(const Abs& a) const {
    if (a.top()) return Verdict::kOpen;
    if (a.exact()) return SameResult(a.lo, first_) ? Verdict::kSame : Verdict::kOther;
    if (IsOpen(first_) || a.lo.kind() != first_.kind()) return Verdict::kOther;
    if (a.tag == Abs::Tag::kBools) return Verdict::kOpen;
    const std::optional<int> below = value::Compare(first_, a.lo);
    const std::optional<int> above = value::Compare(first_, a.hi);
    if (below && above && *below == 0 && *above == 0) return Verdict::kSame;
    return (below && *below < 0) || (above && *above > 0) ? Verdict::kOther : Verdict::kOpen;
  }

  bool Proven(Date from, Date to) { return Judge(Over(from, to)) == Verdict::kSame; }

  Abs Over(Date from, Date to) {
    from_ = from;
    to_ = to;
    ++epoch_;
    return Visit(plan_.nodes[plan_.root]);
  }

  std::optional<Date> FirstChange(Date from, Date to) {
    if (visits_ <= 0) return from;
    if (from == to) {
      const Value v = Concrete(plan_.nodes[plan_.root], from);
      return SameResult(v, first_) ? std::nullopt : std::optional(from);
    }
    const Verdict verdict = Judge(Over(from, to));
    if (verdict == Verdict::kSame) return std::nullopt;
    if (verdict == Verdict::kOther) return from;
    const Date middle = from + (to - from) / 2;
    if (const std::optional<Date> found = FirstChange(from, middle)) return found;
    return FirstChange(middle + std::chrono::days(1), to);
  }

  // The value on one day; what it costs is taken from the visits.
  Value Concrete(const Node& n, Date day) {
    if (frame_.today != day) {
      frame_.today = day;
      for (std::uint32_t i = plan_.first_cache; i < plan_.locals; ++i) frame_.locals[i] = Value::Error(nullptr);
    }
    frame_.steps = plan_.steps;
    const Value v = Eval(frame_, n);
    visits_ -= static_cast<std::int64_t>(n.weight) + static_cast<std::int64_t>(plan_.steps - frame_.steps);
    return frame_.steps == 0 ? frame_.Fail(n.offset, kCostLimit) : v;
  }

  Call At(const Node& n) {
    frame_.steps = plan_.steps;
    return frame_.CallAt(n.offset);
  }

  Abs Visit(const Node& n) {
    if (--visits_ <= 0) return Top();
    if (n.level == Level::kConstant) {
      if (n.closed) {
        const auto index = static_cast<std::size_t>(&n - plan_.nodes.data());
        if (!known_[index]) {
          constants_[index] = Concrete(n, frame_.today);
          known_[index] = true;
        }
        return Exact(constants_[index]);
      }
      if (inexact_ == 0) return Exact(Concrete(n, frame_.today));
    }
    switch (n.op) {
      case Op::kToday:
        return Moving(Range(Value::OfDate(from_), Value::OfDate(to_)), 0);
      case Op::kDated:
        return Dated(n);
      case Op::kLocal:
        return locals_[n.a];
      case Op::kLet:
        return Let(n);
      case Op::kAnd:
      case Op::kOr:
        return Logic(n);
      case Op::kConditional:
        return Conditional(n);
      case Op::kMacro:
        return MacroOver(n);
      case Op::kConst:
      case Op::kFault:
      case Op::kSlot:
        return Exact(Concrete(n, frame_.today));
      default:
        return Strict(n);
    }
  }

  Abs Dated(const Node& n) {
    const std::vector<DatedValue>& entries = *plan_.dated[n.a];
    if (frame_.known && !plan_.entered[n.a]->empty()) {
      Abs seen = Exact(DatedAt(plan_, n.a, from_, frame_.known));
      for (const DatedValue& e : *plan_.entered[n.a]) {
        if (e.from <= from_ || e.from > to_) continue;
        seen = Join(seen, Exact(DatedAt(plan_, n.a, e.from, frame_.known)));
      }
      return seen;
    }
    const auto index = [&entries](Date day) {
      return std::upper_bound(entries.begin(), entries.end(), day,
                              [](Date d, const DatedValue& e) { return d < e.from; }) -
             entries.begin();
    };
    const auto first = index(from_);
    const auto last = index(to_);
    if (first == last) return Exact(DatedAt(plan_, n.a, from_, std::nullopt));
    if (first == 0) return Top();
    Abs all = Exact(entries[static_cast<std::size_t>(first - 1)].value);
    for (auto i = first; i < last; ++i) all = Join(all, Exact(entries[static_cast<std::size_t>(i)].value));
    return all;
  }

  // A let that is used several times is computed once for a stretch of days.
  Abs Let(const Node& n) {
    if (n.a == kNone) return Visit(plan_.Kid(n, 0));
    const auto index = static_cast<std::size_t>(n.a - plan_.first_cache);
    if (lets_.size() <= index) lets_.resize(plan_.locals - plan_.first_cache);
    if (lets_[index].epoch != epoch_) {
      const Abs a = Visit(plan_.Kid(n, 0));
      lets_[index] = {epoch_, a};
    }
    return lets_[index].value;
  }

  // What && and || know so far of their operands.
  struct Tally {
    bool decided = false;  // some operand decides
    bool may_decide = false;
    bool top = false;
    std::vector<Value> open;  // exact unknowns and errors
  };
  void Count(Tally& t, const Node& n, const Abs& a, bool absorbing) {
    if (a.top()) {
      t.top = true;
    } else if (a.tag == Abs::Tag::kBools) {
      t.may_decide = true;
    } else if (a.exact() && a.lo.is(Kind::kBool)) {
      t.decided = t.decided || a.lo.AsBool() == absorbing;
    } else {
      t.open.push_back(a.exact() && IsOpen(a.lo) ? a.lo : frame_.Fail(n.offset, kNoOverload));
    }
  }
  Abs Total(const Tally& t, bool absorbing) {
    if (t.decided) return Exact(Value::Bool(absorbing));
    if (t.top) return Top();
    if (!t.open.empty()) {
      return t.may_decide ? Top() : Exact(Absorb(frame_, t.open.data(), t.open.size()));
    }
    if (!t.may_decide) return Exact(Value::Bool(!absorbing));
    return Bools(true, true);
  }

  Abs Logic(const Node& n) {
    const bool absorbing = n.op == Op::kOr;
    Tally t;
    for (std::uint32_t i = 0; i < n.count && !t.decided; ++i) {
      const Node& kid = plan_.Kid(n, i);
      Count(t, kid, Visit(kid), absorbing);
    }
    return Total(t, absorbing);
  }

  Abs Conditional(const Node& n) {
    const Abs condition = Visit(plan_.Kid(n, 0));
    if (condition.exact()) {
      if (condition.lo.is(Kind::kBool)) return Visit(plan_.Kid(n, condition.lo.AsBool() ? 1 : 2));
      return Exact(IsOpen(condition.lo) ? condition.lo : frame_.Fail(n.offset, kNoOverload));
    }
    if (condition.tag != Abs::Tag::kBools) return Top();
    const Abs yes = Visit(plan_.Kid(n, 1));
    return yes.top() ? yes : Join(yes, Visit(plan_.Kid(n, 2)));
  }

  Abs Strict(const Node& n) {
    if (n.op == Op::kIn && plan_.Kid(n, 1).op == Op::kList && plan_.Kid(n, 1).a == kNone) return InLiteral(n);
    if (n.count > kInlineKids) return Many(n);
    Abs kids[kInlineKids];
    for (std::uint32_t i = 0; i < n.count; ++i) {
      if (IsSizeOfFilter(n)) return FilterCount(plan_.Kid(n, 0));
      kids[i] = Visit(plan_.Kid(n, i));
    }
    return Combine(n, {kids, n.count});
  }

  // Large lists and maps: exact or nothing.
  Abs Many(const Node& n) {
    Value* values = frame_.arena.NewArray<Value>(n.count);
    for (std::uint32_t i = 0; i < n.count; ++i) {
      const Abs a = Visit(plan_.Kid(n, i));
      if (!a.exact()) return Top();
      values[i] = a.lo;
    }
    return ExactResult(n, values);
  }

  Abs ExactResult(const Node& n, const Value* values) {
    const bool open = std::any_of(values, values + n.count, [](const Value& v) { return IsOpen(v); });
    if (open) return Exact(Absorb(frame_, values, n.count));
    frame_.steps = plan_.steps;
    const Value v = Apply(frame_, n, values);
    return frame_.steps == 0 ? Top() : Exact(v);
  }

  // Unknowns and errors among operands that are known otherwise; true when that settles the result.
  bool Settled(std::span<const Abs> kids, Abs& out) {
    bool top = false;
    std::vector<Value> open;
    for (const Abs& k : kids) {
      top = top || k.top();
      if (k.exact() && IsOpen(k.lo)) open.push_back(k.lo);
    }
    if (top) {
      out = Top();
      return true;
    }
    if (open.empty()) return false;
    out = Exact(Absorb(frame_, open.data(), open.size()));
    return true;
  }

  Abs Combine(const Node& n, std::span<const Abs> kids) {
    if (std::all_of(kids.begin(), kids.end(), [](const Abs& a) { return a.exact(); })) {
      Value values[kInlineKids];
      for (std::size_t i = 0; i < kids.size(); ++i) values[i] = kids[i].lo;
      return ExactResult(n, values);
    }
    Abs settled;
    if (Settled(kids, settled)) return settled;
    switch (n.op) {
      case Op::kHasValue:
        return Exact(Value::Bool(true));
      case Op::kNot:
        return kids[0].tag == Abs::Tag::kBools ? kids[0] : Top();
      case Op::kNegate:
        return AbsNegate(At(n), kids[0]);
      case Op::kAdd:
      case Op::kSubtract:
      case Op::kMultiply:
      case Op::kDivide:
      case Op::kModulo:
        return AbsArithmetic(At(n), n.op, kids[0], kids[1]);
      case Op::kLess:
      case Op::kLessEqual:
      case Op::kGreater:
      case Op::kGreaterEqual:
        return AbsCompare(At(n), n.op, kids[0], kids[1]);
      case Op::kEqual:
        return AbsEqual(kids[0], kids[1]);
      case Op::kNotEqual: {
        const Abs equal = AbsEqual(kids[0], kids[1]);
        return equal.exact() ? Exact(Value::Bool(!equal.lo.AsBool())) : equal;
      }
      case Op::kIn:
        return InExact(kids[0], kids[1]);
      case Op::kCall:
        return CallOver(n, kids);
      default:
        return Top();
    }
  }

  Abs CallOver(const Node& n, std::span<const Abs> kids) {
    Value low[kInlineKids];
    for (std::size_t i = 0; i < kids.size(); ++i) low[i] = kids[i].lo;
    for (std::uint32_t i = 0; i < n.overloads; ++i) {
      const Overload& o = *plan_.overloads[n.a + i];
      if (o.Accepts(low, kids.size())) return AbsCall(At(n), o, kids);
    }
    return Exact(frame_.Fail(n.offset, kNoOverload));
  }

  // A range in a list or among the keys of a map that is known.
  Abs InExact(const Abs& item, const Abs& container) {
    if (!container.exact()) return Top();
    bool maybe = false;
    const auto take = [&](const Value& v) {
      const Abs equal = AbsEqual(item, Exact(v));
      maybe = maybe || !equal.exact();
      return equal.exact() && equal.lo.IsTrue();
    };
    if (container.lo.is(Kind::kList)) {
      visits_ -= static_cast<std::int64_t>(container.lo.AsList().size()) / 4;
      for (const Value& v : container.lo.AsList()) {
        if (take(v)) return Exact(Value::Bool(true));
      }
    } else if (container.lo.is(Kind::kMap)) {
      visits_ -= static_cast<std::int64_t>(container.lo.AsMap().size()) / 4;
      for (const value::MapEntry& e : container.lo.AsMap()) {
        if (take(e.key)) return Exact(Value::Bool(true));
      }
    } else {
      return Top();
    }
    return maybe ? Bools(true, true) : Exact(Value::Bool(false));
  }

  // x in [a, b]: the elements may move as well.
  Abs InLiteral(const Node& n) {
    const Node& list = plan_.Kid(n, 1);
    std::vector<Abs> all;
    all.reserve(list.count + 1);
    all.push_back(Visit(plan_.Kid(n, 0)));
    for (std::uint32_t i = 0; i < list.count; ++i) all.push_back(Visit(plan_.Kid(list, i)));
    Abs settled;
    if (Settled(all, settled)) return settled;
    bool maybe = false;
    for (std::size_t i = 1; i < all.size(); ++i) {
      const Abs equal = all[0].exact() && all[i].exact() ? Exact(Value::Bool(value::Equals(all[0].lo, all[i].lo)))
                                                         : AbsEqual(all[0], all[i]);
      if (equal.exact() && equal.lo.IsTrue()) return equal;
      maybe = maybe || !equal.exact();
    }
    return maybe ? Bools(true, true) : Exact(Value::Bool(false));
  }

  // --- macros

  void Bind(std::uint32_t local, const Abs& a) {
    locals_[local] = a;
    if (a.exact()) {
      frame_.locals[local] = a.lo;
    } else {
      ++inexact_;
    }
  }
  void Unbind(std::uint32_t local) {
    if (!locals_[local].exact()) --inexact_;
  }

  // Calls `round` for each element with the variables bound until it answers false. False when the range cannot be gone
  // over; then `result` is what the macro gives.
  template <class F>
  bool Each(const Node& n, Abs& result, F round) {
    const Abs range = Visit(plan_.Kid(n, 0));
    result = Top();
    if (!range.exact()) return false;
    if (IsOpen(range.lo)) {
      result = range;
      return false;
    }
    if (range.lo.is(Kind::kList)) {
      const std::span<const Value> list = range.lo.AsList();
      for (std::size_t i = 0; i < list.size() && visits_ > 0; ++i) {
        if (n.variables == 2) {
          Bind(n.a, Exact(Value::Int(static_cast<std::int64_t>(i))));
          Bind(n.a + 1, Exact(list[i]));
        } else {
          Bind(n.a, Exact(list[i]));
        }
        if (!round()) break;
      }
    } else if (range.lo.is(Kind::kMap)) {
      for (const value::MapEntry& e : range.lo.AsMap()) {
        if (visits_ <= 0) break;
        Bind(n.a, Exact(e.key));
        if (n.variables == 2) Bind(n.a + 1, Exact(e.value));
        if (!round()) break;
      }
    } else {
      result = Exact(frame_.Fail(n.offset, kNoOverload));
      return false;
    }
    return visits_ > 0;
  }

  Abs MacroOver(const Node& n) {
    switch (n.macro) {
      case Macro::kBind: {
        const Abs init = Visit(plan_.Kid(n, 0));
        Bind(n.a, init);
        const Abs result = Visit(plan_.Kid(n, 2));
        Unbind(n.a);
        return result;
      }
      case Macro::kAll:
      case Macro::kExists: {
        const bool absorbing = n.macro == Macro::kExists;
        const Node& predicate = plan_.Kid(n, 1);
        Tally t;
        Abs result;
        if (!Each(n, result, [&] {
              Count(t, predicate, Visit(predicate), absorbing);
              return !t.decided;
            })) {
          return result;
        }
        return Total(t, absorbing);
      }
      case Macro::kExistsOne: {
        const Abs count = FilterCount(n);
        if (count.top() || IsOpen(count.lo)) return count;
        return count.exact() ? Exact(Value::Bool(count.lo.AsInt() == 1)) : AbsEqual(count, Exact(Value::Int(1)));
      }
      default:
        return WhenExact(n);
    }
  }

  bool IsSizeOfFilter(const Node& n) const {
    if (n.op != Op::kCall || n.count != 1) return false;
    const Node& kid = plan_.Kid(n, 0);
    return kid.op == Op::kMacro && kid.macro == Macro::kFilter && plan_.overloads[n.a]->function->name == "size";
  }

  // How many elements meet the predicate.
  Abs FilterCount(const Node& n) {
    const Node& predicate = plan_.Kid(n, 1);
    std::int64_t least = 0;
    std::int64_t most = 0;
    bool top = false;
    std::vector<Value> open;
    Abs result;
    if (!Each(n, result, [&] {
          const Abs a = Visit(predicate);
          if (a.top()) {
            top = true;
          } else if (a.tag == Abs::Tag::kBools) {
            ++most;
          } else if (a.exact() && a.lo.is(Kind::kBool)) {
            least += a.lo.AsBool() ? 1 : 0;
            most += a.lo.AsBool() ? 1 : 0;
          } else {
            open.push_back(IsOpen(a.lo) ? a.lo : frame_.Fail(predicate.offset, kNoOverload));
          }
          return !top;
        })) {
      return result;
    }
    if (top) return Top();
    if (!open.empty()) return Exact(Absorb(frame_, open.data(), open.size()));
    return Range(Value::Int(least), Value::Int(most));
  }

  // Macros that build something: when every part is the same on all days, so is the whole.
  Abs WhenExact(const Node& n) {
    bool exact = true;
    const auto parts_exact = [&] {
      for (std::uint32_t i = 1; i < 3 && exact; ++i) {
        if (plan_.kids[n.kids + i] != kNoPredicate) exact = Visit(plan_.Kid(n, i)).exact();
      }
      return exact;
    };
    if (n.macro == Macro::kOptMap || n.macro == Macro::kOptFlatMap) {
      const Abs range = Visit(plan_.Kid(n, 0));
      if (!range.exact() || IsOpen(range.lo)) return range.exact() ? range : Top();
      if (range.lo.is(Kind::kOptional) && range.lo.AsOptional() != nullptr) {
        Bind(n.a, Exact(*range.lo.AsOptional()));
        if (!parts_exact()) return Top();
      }
    } else {
      Abs result;
      if (!Each(n, result, parts_exact)) return result;
    }
    if (!exact || inexact_ > 0) return Top();
    return Exact(Concrete(n, from_));
  }

  struct LetValue {
    std::uint64_t epoch = 0;
    Abs value;
  };

  const Plan& plan_;
  Frame frame_;
  Abs* locals_;
  Value* constants_;  // of closed nodes that do not move with the day
  bool* known_;
  Value first_;
  Date from_{};
  Date to_{};
  std::int64_t visits_ = kVisits;
  std::int64_t inexact_ = 0;  // variables bound to something that is not exact
  std::uint64_t epoch_ = 0;
  std::vector<LetValue> lets_;
};

}  // namespace

std::optional<Date> FindNextChange(const Plan& plan, const Activation& at, Date horizon, value::Arena& arena) {
  if (!plan.time_dependent) return std::nullopt;
  return Search(plan, at, arena).Run(horizon);
}

}  // namespace zhitui::cel
