#include "cel/eval.h"

#include <re2/re2.h>

#include <algorithm>

namespace zhitui::cel {
namespace {

using value::Kind;
using value::MapEntry;

constexpr std::uint32_t kInlineArguments = 4;

// Takes the cost of one round of a macro; false when the budget is used up.
bool Spend(Frame& f, std::uint64_t cost) {
  if (f.steps <= cost) {
    f.steps = 0;
    return false;
  }
  f.steps -= cost;
  return true;
}

Value EvalLogic(Frame& f, const Node& n) {
  const bool absorbing = n.op == Op::kOr;  // the value that decides
  Value open;
  bool is_open = false;
  for (std::uint32_t i = 0; i < n.count; ++i) {
    const Value v = Eval(f, f.plan.Kid(n, i));
    if (v.is(Kind::kBool)) {
      if (v.AsBool() == absorbing) return v;
      continue;
    }
    const Value bad = IsOpen(v) ? v : f.Fail(f.plan.Kid(n, i).offset, kNoOverload);
    if (!is_open) {
      open = bad;
    } else if (bad.is(Kind::kUnknown)) {
      open = open.is(Kind::kUnknown) ? MergeUnknowns(f.arena, open, bad) : bad;
    }
    is_open = true;
  }
  return is_open ? open : Value::Bool(!absorbing);
}

Value EvalConditional(Frame& f, const Node& n) {
  const Value condition = Eval(f, f.plan.Kid(n, 0));
  if (condition.is(Kind::kBool)) return Eval(f, f.plan.Kid(n, condition.AsBool() ? 1 : 2));
  return IsOpen(condition) ? condition : f.Fail(n.offset, kNoOverload);
}

Value EvalLet(Frame& f, const Node& n) {
  Value v;
  if (n.a == kNone) {
    v = Eval(f, f.plan.Kid(n, 0));
  } else {
    Value& cache = f.locals[n.a];
    // An empty cache is an error without information: no evaluation gives that.
    if (cache.is(Kind::kError) && cache.AsError().message == "error") cache = Eval(f, f.plan.Kid(n, 0));
    v = cache;
  }
  // A fault inside a let is reported where the let is used.
  if (v.is(Kind::kError)) return f.Fail(n.offset, v.AsError().message);
  return v;
}

// Whether an entry written with ? is there; unwraps it. False with `error` set when it is not an optional.
bool TakeOptional(Frame& f, const Node& n, std::size_t entry, Value& v, bool& present, Value& error) {
  present = true;
  if (n.a == kNone || !f.plan.optional_entries[n.a][entry]) return true;
  if (!v.is(Kind::kOptional)) {
    error = f.Fail(n.offset, kNoOverload);
    return false;
  }
  present = v.AsOptional() != nullptr;
  if (present) v = *v.AsOptional();
  return true;
}

Value MakeList(Frame& f, const Node& n, const Value* args) {
  Value* out = f.arena.NewArray<Value>(n.count);
  std::size_t size = 0;
  for (std::uint32_t i = 0; i < n.count; ++i) {
    Value v = args[i];
    bool present = true;
    Value error;
    if (!TakeOptional(f, n, i, v, present, error)) return error;
    if (present) out[size++] = v;
  }
  return Value::List({out, size});
}

// Adds a pair; an error when the key is of a wrong kind or there already.
bool Insert(Frame& f, const Node& n, MapEntry* out, std::size_t& size, const MapEntry& entry, Value& error) {
  const Kind k = entry.key.kind();
  if (k != Kind::kString && k != Kind::kInt && k != Kind::kUint && k != Kind::kBool) {
    error = f.Fail(n.offset, "unsupported key type");
    return false;
  }
  if (size > 16 && !f.CallAt(n.offset).Charge(size * 4)) {
    error = f.Fail(n.offset, kCostLimit);
    return false;
  }
  for (std::size_t i = 0; i < size; ++i) {
    if (value::Equals(out[i].key, entry.key)) {
      error = f.Fail(n.offset, "Failed with repeated key");
      return false;
    }
  }
  out[size++] = entry;
  return true;
}

Value MakeMap(Frame& f, const Node& n, const Value* args) {
  MapEntry* out = f.arena.NewArray<MapEntry>(n.count / 2);
  std::size_t size = 0;
  for (std::uint32_t i = 0; i + 1 < n.count; i += 2) {
    Value v = args[i + 1];
    bool present = true;
    Value error;
    if (!TakeOptional(f, n, i / 2, v, present, error)) return error;
    if (present && !Insert(f, n, out, size, {args[i], v}, error)) return error;
  }
  return Value::Map({out, size});
}

// What a macro gathers while it goes over its range.
class Gather {
 public:
  Gather(Frame& f, const Node& n, std::size_t most) : f_(f), n_(n) {
    switch (n.macro) {
      case Macro::kMap:
      case Macro::kFilter:
        list_ = f.arena.NewArray<Value>(most);
        break;
      case Macro::kTransformMap:
        map_ = f.arena.NewArray<MapEntry>(most);
        break;
      default:
        break;
    }
  }

  // One round with the variables set; true to stop.
  bool Round(const Value& key, const Value& element) {
    const std::uint32_t predicate = f_.plan.kids[n_.kids + 1];
    if (predicate != kNoPredicate) {
      const Value v = Eval(f_, f_.plan.nodes[predicate]);
      if (!v.is(Kind::kBool)) {
        Open(IsOpen(v) ? v : f_.Fail(f_.plan.nodes[predicate].offset, kNoOverload));
        return false;
      }
      switch (n_.macro) {
        case Macro::kAll:
        case Macro::kExists:
          decided_ = v.AsBool() == (n_.macro == Macro::kExists);
          return decided_;
        case Macro::kExistsOne:
          count_ += v.AsBool() ? 1 : 0;
          return false;
        case Macro::kFilter:
          if (v.AsBool()) list_[size_++] = element;
          return false;
        default:
          if (!v.AsBool()) return false;
      }
    }
    const Value v = Eval(f_, f_.plan.Kid(n_, 2));
    if (IsOpen(v)) {
      Open(v);
      return false;
    }
    if (n_.macro == Macro::kMap) {
      list_[size_++] = v;
    } else if (n_.macro == Macro::kTransformMap) {
      map_[size_++] = {key, v};
    } else {
      Merge(v);
    }
    return false;
  }

  Value Result() {
    if (n_.macro == Macro::kAll || n_.macro == Macro::kExists) {
      const bool exists = n_.macro == Macro::kExists;
      if (decided_) return Value::Bool(exists);
      return is_open_ ? open_ : Value::Bool(!exists);
    }
    if (is_open_) return open_;
    switch (n_.macro) {
      case Macro::kExistsOne:
        return Value::Bool(count_ == 1);
      case Macro::kMap:
      case Macro::kFilter:
        return Value::List({list_, size_});
      default:
        return Value::Map({map_, size_});
    }
  }

 private:
  void Open(const Value& v) {
    if (!is_open_) {
      open_ = v;
    } else if (v.is(Kind::kUnknown)) {
      open_ = open_.is(Kind::kUnknown) ? MergeUnknowns(f_.arena, open_, v) : v;
    }
    is_open_ = true;
  }

  void Merge(const Value& v) {
    if (!v.is(Kind::kMap)) return Open(f_.Fail(n_.offset, kNoOverload));
    const std::span<const MapEntry> more = v.AsMap();
    if (!Spend(f_, more.size())) return;
    if (size_ + more.size() > capacity_) {
      capacity_ = std::max(size_ + more.size(), 2 * capacity_);
      MapEntry* larger = f_.arena.NewArray<MapEntry>(capacity_);
      std::copy(map_, map_ + size_, larger);
      map_ = larger;
    }
    for (const MapEntry& e : more) {
      Value error;
      if (!Insert(f_, n_, map_, size_, e, error)) return Open(error);
    }
  }

  Frame& f_;
  const Node& n_;
  Value* list_ = nullptr;
  MapEntry* map_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;  // of map_ for transformMapEntry
  std::int64_t count_ = 0;
  bool decided_ = false;
  bool is_open_ = false;
  Value open_;
};

Value EvalOptionalMacro(Frame& f, const Node& n, const Value& range) {
  if (IsOpen(range)) return range;
  if (!range.is(Kind::kOptional)) return f.Fail(n.offset, kNoOverload);
  if (range.AsOptional() == nullptr) return range;
  f.locals[n.a] = *range.AsOptional();
  const Value v = Eval(f, f.plan.Kid(n, 2));
  if (IsOpen(v)) return v;
  if (n.macro == Macro::kOptFlatMap) return v.is(Kind::kOptional) ? v : f.Fail(n.offset, kNoOverload);
  Value* copy = f.arena.NewArray<Value>(1);
  *copy = v;
  return Value::Optional(copy);
}

Value EvalMacro(Frame& f, const Node& n) {
  const Value range = Eval(f, f.plan.Kid(n, 0));
  if (n.macro == Macro::kBind) {
    f.locals[n.a] = range;
    return Eval(f, f.plan.Kid(n, 2));
  }
  if (n.macro == Macro::kOptMap || n.macro == Macro::kOptFlatMap) return EvalOptionalMacro(f, n, range);
  if (IsOpen(range)) return range;
  if (range.is(Kind::kList)) {
    const std::span<const Value> list = range.AsList();
    Gather gather(f, n, list.size());
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (!Spend(f, n.weight)) return f.Fail(n.offset, kCostLimit);
      if (n.variables == 2) {
        f.locals[n.a] = Value::Int(static_cast<std::int64_t>(i));
        f.locals[n.a + 1] = list[i];
      } else {
        f.locals[n.a] = list[i];
      }
      if (gather.Round(f.locals[n.a], list[i])) break;
    }
    return gather.Result();
  }
  if (!range.is(Kind::kMap)) return f.Fail(n.offset, kNoOverload);
  const std::span<const MapEntry> map = range.AsMap();
  Gather gather(f, n, map.size());
  for (const MapEntry& e : map) {
    if (!Spend(f, n.weight)) return f.Fail(n.offset, kCostLimit);
    f.locals[n.a] = e.key;
    if (n.variables == 2) f.locals[n.a + 1] = e.value;
    if (gather.Round(e.key, e.key)) break;
  }
  return gather.Result();
}

// Evaluates the children and applies the node; with many children they live in the arena.
Value EvalStrict(Frame& f, const Node& n) {
  Value inline_args[kInlineArguments];
  Value* args = n.count <= kInlineArguments ? inline_args : f.arena.NewArray<Value>(n.count);
  bool open = false;
  for (std::uint32_t i = 0; i < n.count; ++i) {
    args[i] = Eval(f, f.plan.Kid(n, i));
    open = open || IsOpen(args[i]);
  }
  return open ? Absorb(f, args, n.count) : Apply(f, n, args);
}

}  // namespace

Value MergeUnknowns(value::Arena& arena, const Value& a, const Value& b) {
  const value::UnknownSet& x = a.AsUnknown();
  const value::UnknownSet& y = b.AsUnknown();
  if (&x == &y) return a;
  auto* slots = arena.NewArray<std::uint32_t>(x.count + y.count);
  std::uint32_t* end = std::set_union(x.slots, x.slots + x.count, y.slots, y.slots + y.count, slots);
  auto* set = arena.NewArray<value::UnknownSet>(1);
  *set = value::UnknownSet{static_cast<std::uint32_t>(end - slots), slots};
  return Value::Unknown(set);
}

Value Absorb(Frame& f, const Value* args, std::size_t count) {
  Value result;
  bool found = false;
  for (std::size_t i = 0; i < count; ++i) {
    if (!IsOpen(args[i])) continue;
    if (!found) {
      result = args[i];
      found = true;
    } else if (args[i].is(Kind::kUnknown)) {
      result = result.is(Kind::kUnknown) ? MergeUnknowns(f.arena, result, args[i]) : args[i];
    }
  }
  return result;
}

Value CombineLogic(Frame& f, const Node& n, const Value* args, std::size_t count) {
  const bool absorbing = n.op == Op::kOr;
  Value open[2];
  std::size_t opened = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (args[i].is(Kind::kBool)) {
      if (args[i].AsBool() == absorbing) return args[i];
      continue;
    }
    open[opened] = IsOpen(args[i]) ? args[i] : f.Fail(n.offset, kNoOverload);
    if (opened == 0) {
      opened = 1;
    } else {
      open[0] = Absorb(f, open, 2);
    }
  }
  return opened > 0 ? open[0] : Value::Bool(!absorbing);
}

Value DatedAt(const Plan& plan, std::uint32_t index, Date day, std::optional<Date> known) {
  static constexpr value::ErrorInfo kBefore{"no value is in force on this day", 0};
  if (known && !plan.entered[index]->empty()) {
    const DatedValue* winner = WinnerAsKnown(*plan.entered[index], day, *known);
    return winner == nullptr ? Value::Error(&kBefore) : winner->value;
  }
  const std::vector<DatedValue>& entries = *plan.dated[index];
  const auto it =
      std::upper_bound(entries.begin(), entries.end(), day, [](Date d, const DatedValue& e) { return d < e.from; });
  return it == entries.begin() ? Value::Error(&kBefore) : (it - 1)->value;
}

Value* PrepareLocals(const Plan& plan, std::span<Value> buffer, value::Arena& arena) {
  Value* locals = plan.locals <= buffer.size() ? buffer.data() : arena.NewArray<Value>(plan.locals);
  for (std::uint32_t i = plan.first_cache; i < plan.locals; ++i) locals[i] = Value::Error(nullptr);
  return locals;
}

Value Apply(Frame& f, const Node& n, const Value* args) {
  const Call call = f.CallAt(n.offset);
  switch (n.op) {
    case Op::kHasValue:
      return Value::Bool(!args[0].is(Kind::kNull));
    case Op::kSelect:
      return SelectField(call, args[0], n.constant.AsString());
    case Op::kHasField:
      return HasField(call, args[0], n.constant.AsString());
    case Op::kOptSelect:
      return OptionalIndex(call, args[0], n.constant);
    case Op::kIndex:
      return IndexInto(call, args[0], args[1]);
    case Op::kOptIndex:
      return OptionalIndex(call, args[0], args[1]);
    case Op::kNot:
      return args[0].is(Kind::kBool) ? Value::Bool(!args[0].AsBool()) : call.Fail(kNoOverload);
    case Op::kNegate:
      return Negate(call, args[0]);
    case Op::kAdd:
    case Op::kSubtract:
    case Op::kMultiply:
    case Op::kDivide:
    case Op::kModulo:
      return Arithmetic(call, n.op, args[0], args[1]);
    case Op::kEqual:
      return EqualWith(call, args[0], args[1], false);
    case Op::kNotEqual:
      return EqualWith(call, args[0], args[1], true);
    case Op::kLess:
    case Op::kLessEqual:
    case Op::kGreater:
    case Op::kGreaterEqual:
      return CompareWith(call, n.op, args[0], args[1]);
    case Op::kIn:
      return Contains(call, args[0], args[1]);
    case Op::kMatches: {
      if (!args[0].is(Kind::kString)) return call.Fail(kNoOverload);
      const std::string_view text = args[0].AsString();
      if (!call.Charge(text.size())) return call.Fail(kCostLimit);
      return Value::Bool(re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *f.plan.regexes[n.a]));
    }
    case Op::kCall:
      for (std::uint32_t i = 0; i < n.overloads; ++i) {
        const Overload& o = *f.plan.overloads[n.a + i];
        if (!o.Accepts(args, n.count)) continue;
        return o.run == nullptr ? call.Fail("this function is only declared") : o.run(call, args, n.count);
      }
      return call.Fail(kNoOverload);
    case Op::kList:
      return MakeList(f, n, args);
    case Op::kMap:
      return MakeMap(f, n, args);
    default:
      return call.Fail(kNoOverload);
  }
}

Value Eval(Frame& f, const Node& n) {
  switch (n.op) {
    case Op::kConst:
    case Op::kFault:
      return n.constant;
    case Op::kSlot:
      if (n.a < f.slots.size()) {
        const Value& v = f.slots[n.a];
        if (!v.is(Kind::kUnknown)) return v;
      }
      return Value::Unknown(&f.plan.unknowns[n.b]);
    case Op::kToday:
      return Value::OfDate(f.today);
    case Op::kLocal:
      return f.locals[n.a];
    case Op::kDated: {
      const Value v = DatedAt(f.plan, n.a, f.today, f.known);
      return v.is(Kind::kError) ? f.Fail(n.offset, v.AsError().message) : v;
    }
    case Op::kLet:
      return EvalLet(f, n);
    case Op::kAnd:
    case Op::kOr:
      return EvalLogic(f, n);
    case Op::kConditional:
      return EvalConditional(f, n);
    case Op::kMacro:
      return EvalMacro(f, n);
    case Op::kEqual: {
      const Value a = Eval(f, f.plan.Kid(n, 0));
      const Value b = Eval(f, f.plan.Kid(n, 1));
      if (a.is(Kind::kString) && b.is(Kind::kString)) return Value::Bool(a.AsString() == b.AsString());
      const Value args[2] = {a, b};
      return IsOpen(a) || IsOpen(b) ? Absorb(f, args, 2) : Apply(f, n, args);
    }
    case Op::kLess:
    case Op::kLessEqual:
    case Op::kGreater:
    case Op::kGreaterEqual: {
      const Value a = Eval(f, f.plan.Kid(n, 0));
      const Value b = Eval(f, f.plan.Kid(n, 1));
      if (!IsOpen(a) && !IsOpen(b)) return CompareWith(f.CallAt(n.offset), n.op, a, b);
      const Value args[2] = {a, b};
      return Absorb(f, args, 2);
    }
    default:
      return EvalStrict(f, n);
  }
}

}  // namespace zhitui::cel
