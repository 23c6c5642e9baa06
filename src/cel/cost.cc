#include "cel/cost.h"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

#include "cel/eval.h"

namespace zhitui::cel {
namespace {

using value::Kind;
using value::TypeRep;

constexpr std::uint64_t kMost = std::uint64_t{1} << 62;  // nothing larger is told apart
constexpr std::uint64_t kBytesPerStep = 16;              // as Call::Charge counts
constexpr std::uint64_t kSmallMap = 16;                  // up to here a look-up is free
constexpr std::uint64_t kPrinted = 512;                  // bytes of any number, date or address, with 100 decimals

std::uint64_t Plus(std::uint64_t a, std::uint64_t b) { return std::min(kMost, a + b); }
std::uint64_t Times(std::uint64_t a, std::uint64_t b) { return a != 0 && b > kMost / a ? kMost : a * b; }
std::uint64_t StepsOf(std::uint64_t bytes) { return bytes / kBytesPerStep; }

// How large a value can be, and the values in it.
struct Shape {
  bool text = false;
  bool list = false;
  bool map = false;
  std::uint64_t bytes = 0;      // of a text at most
  std::uint64_t min_items = 0;  // elements or keys
  std::uint64_t max_items = 0;
  std::shared_ptr<const Shape> key;
  std::shared_ptr<const Shape> element;                                      // or value
  std::vector<std::pair<std::string, std::shared_ptr<const Shape>>> fields;  // known keys; empty: see element

  bool container() const { return list || map; }
};
using ShapePtr = std::shared_ptr<const Shape>;

const ShapePtr& Scalar() {
  static const ShapePtr* const shape = new ShapePtr(std::make_shared<Shape>());
  return *shape;
}

ShapePtr TextOf(std::uint64_t bytes) {
  auto shape = std::make_shared<Shape>();
  shape->text = true;
  shape->bytes = std::min(bytes, kMost);
  return shape;
}

ShapePtr ListOf(std::uint64_t min, std::uint64_t max, ShapePtr element) {
  auto shape = std::make_shared<Shape>();
  shape->list = true;
  shape->min_items = std::min(min, kMost);
  shape->max_items = std::min(max, kMost);
  shape->element = std::move(element);
  return shape;
}

// Fields are told apart two levels deep; below, one shape stands for all of them.
ShapePtr Join(const ShapePtr& a, const ShapePtr& b, int depth = 0) {
  constexpr int kNamedDepth = 2;
  if (a == nullptr || a == b) return b;
  if (b == nullptr) return a;
  auto shape = std::make_shared<Shape>();
  shape->text = a->text || b->text;
  shape->list = a->list || b->list;
  shape->map = a->map || b->map;
  shape->bytes = std::max(a->bytes, b->bytes);
  shape->min_items = std::min(a->min_items, b->min_items);
  shape->max_items = std::max(a->max_items, b->max_items);
  shape->key = Join(a->key, b->key, depth + 1);
  shape->element = Join(a->element, b->element, depth + 1);
  const bool same = depth < kNamedDepth && std::equal(
                                               a->fields.begin(), a->fields.end(), b->fields.begin(), b->fields.end(),
                                               [](const auto& x, const auto& y) { return x.first == y.first; });
  if (same) {
    for (std::size_t i = 0; i < a->fields.size(); ++i) {
      shape->fields.emplace_back(a->fields[i].first, Join(a->fields[i].second, b->fields[i].second, depth + 1));
    }
  }
  return shape;
}

// Of a value that is declared with a type. What is dyn is taken as a text, a list and a map of plain values at once.
ShapePtr ShapeOfType(value::Type type, const Sizes& sizes) {
  switch (type->tag) {
    case TypeRep::Tag::kPrimitive:
      return type->primitive == Kind::kString || type->primitive == Kind::kBytes ? TextOf(sizes.bytes) : Scalar();
    case TypeRep::Tag::kOptional:
      return ShapeOfType(type->element, sizes);
    case TypeRep::Tag::kList: {
      static const Sizes kDefault;
      return ListOf(0, sizes.items, ShapeOfType(type->element, sizes.parts.empty() ? kDefault : sizes.parts[0]));
    }
    case TypeRep::Tag::kMap: {
      auto shape = std::make_shared<Shape>(*ListOf(0, sizes.items, ShapeOfType(type->element, Sizes{})));
      shape->list = false;
      shape->map = true;
      shape->key = ShapeOfType(type->key, Sizes{});
      return shape;
    }
    case TypeRep::Tag::kRecord: {
      auto shape = std::make_shared<Shape>();
      shape->map = true;
      shape->max_items = type->fields.size();
      std::uint64_t longest = 0;
      for (const auto& [name, field] : type->fields) {
        const auto declared = std::find_if(sizes.parts.begin(), sizes.parts.end(),
                                           [&wanted = name](const Sizes& s) { return s.name == wanted; });
        shape->fields.emplace_back(name, ShapeOfType(field, declared == sizes.parts.end() ? Sizes{} : *declared));
        shape->element = Join(shape->element, shape->fields.back().second);
        longest = std::max<std::uint64_t>(longest, name.size());
      }
      shape->key = TextOf(longest);
      return shape;
    }
    case TypeRep::Tag::kDyn:
    case TypeRep::Tag::kTypeParam: {
      auto shape = std::make_shared<Shape>(*ListOf(0, sizes.items, TextOf(sizes.bytes)));
      shape->map = true;
      shape->text = true;
      shape->bytes = sizes.bytes;
      shape->key = TextOf(sizes.bytes);
      return shape;
    }
    default:
      return Scalar();
  }
}

ShapePtr ShapeOfValue(const Value& v) {
  switch (v.kind()) {
    case Kind::kString:
    case Kind::kBytes:
      return TextOf(v.AsString().size());
    case Kind::kOptional:
      return v.AsOptional() == nullptr ? Scalar() : ShapeOfValue(*v.AsOptional());
    case Kind::kList: {
      ShapePtr element;
      for (const Value& e : v.AsList()) element = Join(element, ShapeOfValue(e));
      return ListOf(v.AsList().size(), v.AsList().size(), std::move(element));
    }
    case Kind::kMap: {
      auto shape = std::make_shared<Shape>();
      shape->map = true;
      shape->min_items = shape->max_items = v.AsMap().size();
      for (const value::MapEntry& e : v.AsMap()) {
        shape->key = Join(shape->key, ShapeOfValue(e.key));
        shape->element = Join(shape->element, ShapeOfValue(e.value));
      }
      return shape;
    }
    default:
      return Scalar();
  }
}

const ShapePtr& Inside(const ShapePtr& part) { return part != nullptr ? part : Scalar(); }

struct Estimate {
  std::uint64_t min = 0;
  std::uint64_t max = 0;
  ShapePtr shape = Scalar();

  void Add(std::uint64_t least, std::uint64_t most) {
    min = Plus(min, least);
    max = Plus(max, most);
  }
};

std::uint64_t LookUp(const Shape& container) {
  return container.map && container.max_items > kSmallMap ? StepsOf(Times(container.max_items, 4)) : 0;
}

// Only what has the same size is gone over.
std::uint64_t EqualCost(const Shape& a, const Shape& b) {
  const bool maps = a.map && b.map;
  if (!maps && !(a.list && b.list)) return 0;
  const std::uint64_t pairs = std::min(a.max_items, b.max_items);
  const std::uint64_t keys = maps ? StepsOf(Times(pairs, std::max(pairs, kBytesPerStep))) : 0;
  return Plus(std::max(pairs, keys), Times(pairs, EqualCost(*Inside(a.element), *Inside(b.element))));
}

// Filling a map of n keys looks for each new one among those before it.
std::uint64_t FillCost(std::uint64_t n) { return n > kSmallMap ? Times(n, n) / 8 : 0; }

std::uint64_t PrintedBytes(const Shape& shape) {
  std::uint64_t bytes = Plus(kPrinted, Times(shape.bytes, 2));
  if (shape.container()) {
    std::uint64_t each = Plus(4, PrintedBytes(*Inside(shape.element)));
    if (shape.map) each = Plus(each, PrintedBytes(*Inside(shape.key)));
    bytes = Plus(bytes, Times(shape.max_items, each));
  }
  return bytes;
}

// Parts that string.format goes over: one step each.
std::uint64_t PartsOf(const Shape& shape) {
  if (!shape.container()) return 1;
  const std::uint64_t each = Plus(PartsOf(*Inside(shape.element)), shape.map ? 1 : 0);
  return Plus(1, Times(shape.max_items, each));
}

class Estimator {
 public:
  Estimator(const Plan& plan, std::uint64_t limit) : plan_(plan), limit_(limit), locals_(plan.locals) {}

  Estimate Run() {
    Estimate e = Visit(plan_.root);
    for (const auto& [cache, body] : cached_) e.max = Plus(e.max, body.max);
    if (e.max > limit_ && culprit_ == kNone) {
      culprit_ = plan_.root;
      culprit_cost_ = e.max;
    }
    return e;
  }
  std::uint32_t culprit() const { return culprit_; }  // kNone: nothing is above the limit
  std::uint64_t culprit_cost() const { return culprit_cost_; }
  std::uint64_t rounds() const { return rounds_; }

 private:
  Estimate Visit(std::uint32_t index) {
    const Node& n = plan_.nodes[index];
    Estimate e = Cost(n);
    if (e.max > limit_ && culprit_ == kNone) {
      culprit_ = index;
      culprit_cost_ = e.max;
      if (n.op == Op::kMacro) rounds_ = last_rounds_;
    }
    return e;
  }

  std::uint32_t KidIndex(const Node& n, std::uint32_t i) const { return plan_.kids[n.kids + i]; }

  Estimate Cost(const Node& n) {
    switch (n.op) {
      case Op::kConst:
        return {0, 0, ShapeOfValue(n.constant)};
      case Op::kSlot: {
        const Declaration& d = *plan_.variables.at(n.a);
        return {0, 0, ShapeOfType(d.type, d.sizes)};
      }
      case Op::kDated: {
        ShapePtr shape;
        for (const DatedValue& v : *plan_.dated[n.a]) shape = Join(shape, ShapeOfValue(v.value));
        return {0, 0, Inside(shape)};
      }
      case Op::kLocal:
        return {0, 0, Inside(locals_[n.a])};
      case Op::kLet:
        return Let(n);
      case Op::kConditional: {
        Estimate e = Visit(KidIndex(n, 0));
        const Estimate yes = Visit(KidIndex(n, 1));
        const Estimate no = Visit(KidIndex(n, 2));
        e.Add(0, std::max(yes.max, no.max));
        e.shape = Join(yes.shape, no.shape);
        return e;
      }
      case Op::kAnd:
      case Op::kOr: {
        Estimate e;
        for (std::uint32_t i = 0; i < n.count; ++i) {
          const Estimate kid = Visit(KidIndex(n, i));
          e.Add(i == 0 ? kid.min : 0, kid.max);
        }
        return e;
      }
      case Op::kMacro:
        return MacroCost(n);
      default:
        return Strict(n);
    }
  }

  // A value that is kept costs once, wherever it is needed first.
  Estimate Let(const Node& n) {
    if (n.a == kNone) return Visit(KidIndex(n, 0));
    auto it = cached_.find(n.a);
    if (it == cached_.end()) it = cached_.emplace(n.a, Visit(KidIndex(n, 0))).first;
    return {0, 0, it->second.shape};
  }

  Estimate MacroCost(const Node& n) {
    Estimate e = Visit(KidIndex(n, 0));
    const ShapePtr range = e.shape;
    if (n.macro == Macro::kBind || n.macro == Macro::kOptMap || n.macro == Macro::kOptFlatMap) {
      locals_[n.a] = range;
      const Estimate body = Visit(KidIndex(n, 2));
      e.Add(n.macro == Macro::kBind ? body.min : 0, body.max);
      e.shape = n.macro == Macro::kBind ? body.shape : Join(body.shape, Scalar());
      return e;
    }
    const ShapePtr first = n.variables == 2 ? Join(range->key, Scalar())
                           : range->list    ? Join(range->element, range->map ? range->key : nullptr)
                                            : range->key;
    locals_[n.a] = Inside(first);
    if (n.variables == 2) locals_[n.a + 1] = Inside(range->element);
    const bool filters = KidIndex(n, 1) != kNoPredicate;
    const bool gathers = KidIndex(n, 2) != kNoPredicate;
    Estimate round;
    round.Add(n.weight, n.weight);
    Estimate transform;
    if (filters) {
      const Estimate predicate = Visit(KidIndex(n, 1));
      round.Add(predicate.min, predicate.max);
    }
    if (gathers) {
      transform = Visit(KidIndex(n, 2));
      round.Add(filters ? 0 : transform.min, transform.max);
    }
    const bool may_stop = n.macro == Macro::kAll || n.macro == Macro::kExists;
    const std::uint64_t least = range->container() ? range->min_items : 0;
    const std::uint64_t most = range->container() ? range->max_items : 0;
    e.Add(Times(may_stop ? std::min<std::uint64_t>(least, 1) : least, round.min), Times(most, round.max));
    e.shape = Gathered(n, *range, transform.shape, filters, most, e);
    last_rounds_ = most;
    return e;
  }

  ShapePtr Gathered(const Node& n, const Shape& range, const ShapePtr& transformed, bool filters, std::uint64_t most,
                    Estimate& e) const {
    const std::uint64_t least = filters || !range.container() ? 0 : range.min_items;
    switch (n.macro) {
      case Macro::kFilter:
        return ListOf(0, most, range.list ? Join(range.element, range.map ? range.key : nullptr) : range.key);
      case Macro::kMap:
        return ListOf(least, most, transformed);
      case Macro::kTransformMap: {
        auto shape = std::make_shared<Shape>();
        shape->map = true;
        shape->min_items = least;
        shape->max_items = most;
        shape->key = range.list ? Join(range.key, Scalar()) : range.key;
        shape->element = transformed;
        return shape;
      }
      case Macro::kTransformMapEntry: {
        const std::uint64_t keys = Times(most, transformed->max_items);
        e.Add(0, Plus(keys, FillCost(keys)));
        auto shape = std::make_shared<Shape>(*transformed);
        shape->min_items = 0;
        shape->max_items = keys;
        shape->fields.clear();
        return shape;
      }
      default:
        return Scalar();
    }
  }

  Estimate Strict(const Node& n) {
    Estimate e;
    std::vector<ShapePtr> args;
    for (std::uint32_t i = 0; i < n.count; ++i) {
      const Estimate kid = Visit(KidIndex(n, i));
      e.Add(kid.min, kid.max);
      args.push_back(kid.shape);
    }
    switch (n.op) {
      case Op::kSelect:
      case Op::kOptSelect:
        e.Add(0, LookUp(*args[0]));
        e.shape = Inside(args[0]->element);
        for (const auto& [name, field] : args[0]->fields) {
          if (name == n.constant.AsString()) e.shape = field;
        }
        break;
      case Op::kHasField:
        e.Add(0, LookUp(*args[0]));
        break;
      case Op::kIndex:
      case Op::kOptIndex:
        e.Add(0, LookUp(*args[0]));
        e.shape = Inside(args[0]->element);
        break;
      case Op::kIn: {
        std::uint64_t most = LookUp(*args[1]);
        if (args[1]->list) {
          const std::uint64_t items = args[1]->max_items;
          const std::uint64_t scan = items > kSmallMap ? StepsOf(Times(items, 4)) : 0;
          most = std::max(most, Plus(scan, Times(items, EqualCost(*Inside(args[1]->element), *args[0]))));
        }
        e.Add(0, most);
        break;
      }
      case Op::kEqual:
      case Op::kNotEqual:
        e.Add(0, EqualCost(*args[0], *args[1]));
        break;
      case Op::kMatches:
        e.Add(0, StepsOf(args[0]->bytes));
        break;
      case Op::kAdd:
        AddCost(*args[0], *args[1], args, e);
        break;
      case Op::kList: {
        ShapePtr element;
        for (const ShapePtr& a : args) element = Join(element, a);
        e.shape = ListOf(n.a == kNone ? n.count : 0, n.count, std::move(element));
        break;
      }
      case Op::kMap:
        MapLiteral(n, args, e);
        break;
      case Op::kCall:
        CallCost(plan_.overloads[n.a]->function->name, args, e);
        break;
      default:
        break;
    }
    return e;
  }

  static void AddCost(const Shape& a, const Shape& b, const std::vector<ShapePtr>& args, Estimate& e) {
    const bool texts = a.text && b.text;
    const bool lists = a.list && b.list;
    if (!texts && !lists) return;
    auto shape = std::make_shared<Shape>(*Join(args[0], args[1]));
    shape->bytes = Plus(a.bytes, b.bytes);
    shape->min_items = Plus(a.min_items, b.min_items);
    shape->max_items = Plus(a.max_items, b.max_items);
    // One value is a text or a list, never both.
    const std::uint64_t text_cost = texts ? StepsOf(Plus(shape->bytes, kBytesPerStep)) : 0;
    e.Add(0, std::max(text_cost, lists ? shape->max_items : 0));
    e.shape = std::move(shape);
  }

  void MapLiteral(const Node& n, const std::vector<ShapePtr>& args, Estimate& e) const {
    auto shape = std::make_shared<Shape>();
    shape->map = true;
    shape->max_items = n.count / 2;
    shape->min_items = n.a == kNone ? shape->max_items : 0;
    bool named = true;
    for (std::uint32_t i = 0; i + 1 < n.count; i += 2) {
      // Only plain values are keys; anything else is an error.
      shape->key = Join(shape->key, args[i]->container() ? Scalar() : args[i]);
      shape->element = Join(shape->element, args[i + 1]);
      const Node& key = plan_.Kid(n, i);
      named = named && key.op == Op::kConst && key.constant.is(Kind::kString);
      if (named) shape->fields.emplace_back(std::string(key.constant.AsString()), args[i + 1]);
    }
    if (!named) shape->fields.clear();
    e.Add(0, FillCost(shape->max_items));
    e.shape = std::move(shape);
  }

  // What a function charges and how large its result is. Functions without a row go over the texts they are given once
  // and make no text longer than those together.
  static void CallCost(std::string_view name, const std::vector<ShapePtr>& args, Estimate& e) {
    constexpr std::uint64_t kCompile = 4096;  // as matches() charges for a pattern that is no constant
    std::uint64_t given = 0;
    for (const ShapePtr& a : args) given = Plus(given, a->bytes);
    const auto text = [&](std::uint64_t bytes) {
      e.Add(0, Plus(StepsOf(given), Plus(1, StepsOf(bytes))));
      e.shape = TextOf(bytes);
    };
    const auto any = [&](std::initializer_list<std::string_view> names) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (any({"size", "contains", "startsWith", "endsWith", "indexOf", "lastIndexOf"})) {
      e.Add(0, StepsOf(given));
    } else if (name == "matches") {
      e.Add(0, StepsOf(Plus(kCompile, Plus(args[0]->bytes, Times(16, args[1]->bytes)))));
    } else if (name == "replace") {
      const std::uint64_t fresh = Times(Plus(args[0]->bytes, 1), args[2]->bytes);
      e.Add(0, StepsOf(fresh));
      text(Plus(args[0]->bytes, fresh));
    } else if (name == "split") {
      const std::uint64_t parts = Plus(args[0]->bytes, 1);
      e.Add(0, Plus(StepsOf(given), parts));
      e.shape = ListOf(0, parts, TextOf(args[0]->bytes));
    } else if (name == "join") {
      const std::uint64_t each = Plus(Inside(args[0]->element)->bytes, args.size() == 2 ? args[1]->bytes : 0);
      const std::uint64_t items = args[0]->max_items;
      e.Add(0, Times(items, Plus(1, StepsOf(each))));
      text(Times(items, each));
    } else if (name == "format") {
      const std::uint64_t values = Times(args[1]->max_items, PrintedBytes(*Inside(args[1]->element)));
      // Each part is charged as it is gone over, each clause when it is written.
      e.Add(0, Plus(PartsOf(*args[1]), StepsOf(values)));
      text(Plus(args[0]->bytes, values));
    } else if (name == "strings.quote" || name == "base64.encode") {
      text(Plus(16, Times(2, given)));
    } else if (any({"count_months", "consecutive_months", "math.greatest", "math.least"})) {
      e.Add(0, std::max<std::uint64_t>(args[0]->max_items, args.size()));
    } else if (any({"string", "lowerAscii", "upperAscii", "trim", "reverse", "substring", "charAt", "base64.decode",
                    "bytes"})) {
      text(Plus(kPrinted, given));
    } else if (any({"dyn", "optional.of", "optional.ofNonZeroValue", "value", "or", "orValue"})) {
      ShapePtr shape;
      for (const ShapePtr& a : args) shape = Join(shape, a);
      e.shape = Inside(shape);
    } else if (any({"first", "last"})) {
      e.shape = Inside(args[0]->element);
    } else {
      e.Add(0, StepsOf(given));
    }
  }

  const Plan& plan_;
  const std::uint64_t limit_;
  std::vector<ShapePtr> locals_;
  std::unordered_map<std::uint32_t, Estimate> cached_;
  std::uint32_t culprit_ = kNone;
  std::uint64_t culprit_cost_ = 0;
  std::uint64_t rounds_ = 0;
  std::uint64_t last_rounds_ = 0;
};

std::string Number(std::uint64_t steps) {
  return steps >= kMost ? "more than " + std::to_string(kMost) : std::to_string(steps);
}

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

std::optional<CostEstimate> CheckCost(const Plan& plan, std::uint64_t limit, Reporter& reporter) {
  Estimator estimator(plan, std::min(limit, kMost - 1));
  const Estimate all = estimator.Run();
  if (estimator.culprit() == kNone) return CostEstimate{all.min, all.max};
  const Node& n = plan.nodes[estimator.culprit()];
  Span at{n.offset, n.offset + 1};
  const std::string_view rest = reporter.Text({n.offset, n.offset + 64});
  const auto end = std::find_if_not(rest.begin(), rest.end(), IsNameByte);
  at.end = n.offset + std::max<std::uint32_t>(1, static_cast<std::uint32_t>(end - rest.begin()));
  std::string message = "the expression may cost up to " + Number(all.max) + " steps, the limit is " +
                        std::to_string(limit) + ": this part ";
  message += n.op == Op::kMacro && estimator.rounds() > 0
                 ? "goes over up to " + Number(estimator.rounds()) + " elements in "
                 : "takes ";
  message += Number(estimator.culprit_cost()) + " steps";
  reporter.Report(
      at, "cost", std::move(message),
      "declare a smaller max_items for the list, filter it before, avoid lists within lists, or take shorter texts");
  return std::nullopt;
}

}  // namespace zhitui::cel
