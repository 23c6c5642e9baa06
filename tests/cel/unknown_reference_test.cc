// Unknowns in every operator, macro and function, against a small evaluator of its own that follows the definition:
// && and || absorb, ?: looks at the condition first, everything else is strict, and among strict operands unknowns
// merge and win over errors. all and exists are folds of && and ||; the other macros are strict in their rounds.
#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "cel/fixture.h"

namespace zhitui::cel {
namespace {

using value::Kind;

// --- the definition

struct Result {
  enum class What { kBool, kInt, kText, kList, kError, kUnknown } what = What::kError;
  std::int64_t number = 0;  // also bool
  std::string text;
  std::vector<std::int64_t> list;
  std::set<std::uint32_t> missing;

  bool open() const { return what == What::kError || what == What::kUnknown; }
  bool Is(bool b) const { return what == What::kBool && (number != 0) == b; }
};
using What = Result::What;

Result Bool(bool b) { return {What::kBool, b ? 1 : 0, {}, {}, {}}; }
Result Int(std::int64_t n) { return {What::kInt, n, {}, {}, {}}; }
Result Text(std::string s) { return {What::kText, 0, std::move(s), {}, {}}; }
Result List(std::vector<std::int64_t> l) { return {What::kList, 0, {}, std::move(l), {}}; }
Result Error() { return {}; }

// Of operands at least one of which is open.
Result Strict(const std::vector<Result>& operands) {
  Result r = Error();
  for (const Result& o : operands) {
    if (o.what != What::kUnknown) continue;
    r.what = What::kUnknown;
    r.missing.insert(o.missing.begin(), o.missing.end());
  }
  return r;
}
bool AnyOpen(const std::vector<Result>& operands) {
  return std::any_of(operands.begin(), operands.end(), [](const Result& r) { return r.open(); });
}

enum class Op {
  kSlot,
  kLocal,
  kBool,
  kInt,
  kText,
  kAnd,
  kOr,
  kNot,
  kIf,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kNegate,
  kIn,
  kIndex,
  kSize,
  kContains,
  kStartsWith,
  kList,
  kAll,
  kExists,
  kExistsOne,
  kFilter,
  kMap,
  kMapFiltered,
  kBind,
};

struct Tree {
  Op op = Op::kBool;
  std::int64_t number = 0;  // constant; slot
  std::string text;         // constant
  std::vector<Tree> kids;
};

struct World {
  std::vector<Result> slots;
  std::vector<Result> locals;  // innermost last; all have one name, so that each hides the one before
};

Result Evaluate(const Tree& t, World& w);

Result Logic(const std::vector<Result>& operands, bool absorbing) {
  for (const Result& o : operands) {
    if (o.Is(absorbing)) return Bool(absorbing);
  }
  return AnyOpen(operands) ? Strict(operands) : Bool(!absorbing);
}

Result Macro(const Tree& t, World& w) {
  const Result range = Evaluate(t.kids[0], w);
  if (t.op == Op::kBind) {
    w.locals.push_back(range);
    Result r = Evaluate(t.kids[1], w);
    w.locals.pop_back();
    return r;
  }
  if (range.open()) return range;
  std::vector<Result> rounds;
  std::vector<std::int64_t> kept;
  for (const std::int64_t element : range.list) {
    w.locals.push_back(Int(element));
    Result r = Evaluate(t.kids[1], w);
    if (t.op == Op::kMapFiltered && r.Is(true)) {
      r = Evaluate(t.kids[2], w);
      kept.push_back(r.number);
    } else if (t.op == Op::kMap) {
      kept.push_back(r.number);
    } else if (r.Is(true)) {
      kept.push_back(element);
    }
    w.locals.pop_back();
    rounds.push_back(r);
  }
  if (t.op == Op::kAll) return Logic(rounds, false);
  if (t.op == Op::kExists) return Logic(rounds, true);
  if (AnyOpen(rounds)) return Strict(rounds);
  return t.op == Op::kExistsOne ? Bool(kept.size() == 1) : List(kept);
}

Result Arithmetic(Op op, std::int64_t a, std::int64_t b) {
  std::int64_t r = 0;
  if (op == Op::kAdd) return __builtin_add_overflow(a, b, &r) ? Error() : Int(r);
  if (op == Op::kSubtract) return __builtin_sub_overflow(a, b, &r) ? Error() : Int(r);
  if (op == Op::kMultiply) return __builtin_mul_overflow(a, b, &r) ? Error() : Int(r);
  if (b == 0) return Error();
  return Int(op == Op::kDivide ? a / b : a % b);
}

Result Apply(const Tree& t, const std::vector<Result>& v) {
  const Result& a = v[0];
  const Result& b = v.back();
  const bool equal = a.number == b.number && a.text == b.text && a.list == b.list;
  switch (t.op) {
    case Op::kNot:
      return Bool(a.number == 0);
    case Op::kEqual:
      return Bool(equal);
    case Op::kNotEqual:
      return Bool(!equal);
    case Op::kLess:
      return Bool(a.number < b.number);
    case Op::kLessEqual:
      return Bool(a.number <= b.number);
    case Op::kGreater:
      return Bool(a.number > b.number);
    case Op::kGreaterEqual:
      return Bool(a.number >= b.number);
    case Op::kAdd:
      if (a.what == What::kText) return Text(a.text + b.text);
      if (a.what == What::kList) {
        std::vector<std::int64_t> both = a.list;
        both.insert(both.end(), b.list.begin(), b.list.end());
        return List(both);
      }
      return Arithmetic(t.op, a.number, b.number);
    case Op::kNegate:
      return Arithmetic(Op::kSubtract, 0, a.number);
    case Op::kIn:
      return Bool(std::find(b.list.begin(), b.list.end(), a.number) != b.list.end());
    case Op::kIndex:
      if (b.number < 0 || b.number >= static_cast<std::int64_t>(a.list.size())) return Error();
      return Int(a.list[static_cast<std::size_t>(b.number)]);
    case Op::kSize:
      return Int(static_cast<std::int64_t>(a.what == What::kText ? a.text.size() : a.list.size()));
    case Op::kContains:
      return Bool(a.text.find(b.text) != std::string::npos);
    case Op::kStartsWith:
      return Bool(a.text.rfind(b.text, 0) == 0);
    case Op::kList: {
      std::vector<std::int64_t> list;
      for (const Result& r : v) list.push_back(r.number);
      return List(list);
    }
    default:
      return Arithmetic(t.op, a.number, b.number);
  }
}

Result Evaluate(const Tree& t, World& w) {
  switch (t.op) {
    case Op::kSlot:
      return w.slots[static_cast<std::size_t>(t.number)];
    case Op::kLocal:
      return w.locals.back();
    case Op::kBool:
      return Bool(t.number != 0);
    case Op::kInt:
      return Int(t.number);
    case Op::kText:
      return Text(t.text);
    case Op::kIf: {
      const Result condition = Evaluate(t.kids[0], w);
      return condition.open() ? condition : Evaluate(t.kids[condition.number != 0 ? 1 : 2], w);
    }
    default:
      break;
  }
  if (t.op >= Op::kAll) return Macro(t, w);
  std::vector<Result> operands;
  for (const Tree& kid : t.kids) operands.push_back(Evaluate(kid, w));
  if (t.op == Op::kAnd || t.op == Op::kOr) return Logic(operands, t.op == Op::kOr);
  return AnyOpen(operands) ? Strict(operands) : Apply(t, operands);
}

// --- expressions

const char* const kNames[] = {"p", "q", "u", "v", "l", "s"};

std::string Write(const Tree& t) {
  static const std::map<Op, std::string> infix = {
      {Op::kAnd, "&&"},   {Op::kOr, "||"},        {Op::kEqual, "=="},   {Op::kNotEqual, "!="},
      {Op::kLess, "<"},   {Op::kLessEqual, "<="}, {Op::kGreater, ">"},  {Op::kGreaterEqual, ">="},
      {Op::kAdd, "+"},    {Op::kSubtract, "-"},   {Op::kMultiply, "*"}, {Op::kDivide, "/"},
      {Op::kModulo, "%"}, {Op::kIn, "in"}};
  static const std::map<Op, std::string> macros = {
      {Op::kAll, "all"},       {Op::kExists, "exists"}, {Op::kExistsOne, "exists_one"},
      {Op::kFilter, "filter"}, {Op::kMap, "map"},       {Op::kMapFiltered, "map"}};
  const auto kid = [&t](std::size_t i) { return Write(t.kids[i]); };
  if (const auto it = infix.find(t.op); it != infix.end()) return "(" + kid(0) + " " + it->second + " " + kid(1) + ")";
  if (const auto it = macros.find(t.op); it != macros.end()) {
    return kid(0) + "." + it->second + "(x, " + kid(1) + (t.kids.size() > 2 ? ", " + kid(2) : "") + ")";
  }
  switch (t.op) {
    case Op::kSlot:
      return kNames[t.number];
    case Op::kLocal:
      return "x";
    case Op::kBool:
      return t.number != 0 ? "true" : "false";
    case Op::kInt:
      return std::to_string(t.number);
    case Op::kText:
      return "'" + t.text + "'";
    case Op::kNot:
      return "!" + kid(0);
    case Op::kNegate:
      return "(-(" + kid(0) + "))";
    case Op::kIf:
      return "(" + kid(0) + " ? " + kid(1) + " : " + kid(2) + ")";
    case Op::kIndex:
      return kid(0) + "[" + kid(1) + "]";
    case Op::kSize:
      return "size(" + kid(0) + ")";
    case Op::kContains:
      return kid(0) + ".contains(" + kid(1) + ")";
    case Op::kStartsWith:
      return kid(0) + ".startsWith(" + kid(1) + ")";
    case Op::kList:
      return "[" + kid(0) + ", " + kid(1) + "]";
    case Op::kBind:
      return "cel.bind(x, " + kid(0) + ", " + kid(1) + ")";
    default:
      return "?";
  }
}

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}
  std::uint32_t Below(std::uint32_t n) { return static_cast<std::uint32_t>(random_() % n); }

  Tree MakeBool(int depth) {
    if (depth == 0) return Below(5) == 0 ? Leaf(Op::kBool, Below(2)) : Leaf(Op::kSlot, Below(2));
    const int d = depth - 1;
    switch (Below(14)) {
      case 0:
      case 1:
        return {Op::kAnd, 0, "", {MakeBool(d), MakeBool(d)}};
      case 2:
      case 3:
        return {Op::kOr, 0, "", {MakeBool(d), MakeBool(d)}};
      case 4:
        return {Op::kNot, 0, "", {MakeBool(d)}};
      case 5:
        return {Op::kIf, 0, "", {MakeBool(d), MakeBool(d), MakeBool(d)}};
      case 6: {
        constexpr Op kOps[] = {Op::kEqual, Op::kNotEqual, Op::kLess, Op::kLessEqual, Op::kGreater, Op::kGreaterEqual};
        return {kOps[Below(6)], 0, "", {MakeInt(d), MakeInt(d)}};
      }
      case 7:
        return {Below(2) == 0 ? Op::kEqual : Op::kNotEqual, 0, "", {MakeList(d), MakeList(d)}};
      case 8:
        return {Op::kIn, 0, "", {MakeInt(d), MakeList(d)}};
      case 9:
        return {Below(2) == 0 ? Op::kContains : Op::kStartsWith, 0, "", {MakeText(d), MakeText(d)}};
      case 10:
        return {Op::kBind, 0, "", {MakeInt(d), Within(&Generator::MakeBool, d)}};
      case 11:
        return {Op::kAll, 0, "", {MakeList(d), Within(&Generator::MakeBool, d)}};
      case 12:
        return {Op::kExists, 0, "", {MakeList(d), Within(&Generator::MakeBool, d)}};
      default:
        return {Op::kExistsOne, 0, "", {MakeList(d), Within(&Generator::MakeBool, d)}};
    }
  }

 private:
  static Tree Leaf(Op op, std::int64_t n) { return {op, n, "", {}}; }

  Tree Within(Tree (Generator::*make)(int), int depth) {
    ++nested_;
    Tree t = (this->*make)(depth);
    --nested_;
    return t;
  }

  Tree MakeInt(int depth) {
    if (depth == 0) {
      if (nested_ > 0 && Below(2) == 0) return Leaf(Op::kLocal, 0);
      return Below(2) == 0 ? Leaf(Op::kInt, Below(4)) : Leaf(Op::kSlot, 2 + Below(2));
    }
    const int d = depth - 1;
    switch (Below(6)) {
      case 0:
      case 1: {
        constexpr Op kOps[] = {Op::kAdd, Op::kSubtract, Op::kMultiply, Op::kDivide, Op::kModulo};
        return {kOps[Below(5)], 0, "", {MakeInt(d), MakeInt(d)}};
      }
      case 2:
        return {Op::kNegate, 0, "", {MakeInt(d)}};
      case 3:
        return {Op::kIf, 0, "", {MakeBool(d), MakeInt(d), MakeInt(d)}};
      case 4:
        return {Op::kIndex, 0, "", {MakeList(d), MakeInt(d)}};
      default:
        return {Op::kSize, 0, "", {Below(2) == 0 ? MakeList(d) : MakeText(d)}};
    }
  }

  Tree MakeList(int depth) {
    if (depth == 0) {
      if (Below(2) == 0) return Leaf(Op::kSlot, 4);
      return {Op::kList, 0, "", {MakeInt(0), MakeInt(0)}};
    }
    const int d = depth - 1;
    switch (Below(6)) {
      case 0:
        return {Op::kList, 0, "", {MakeInt(d), MakeInt(d)}};
      case 1:
        return {Op::kAdd, 0, "", {MakeList(d), MakeList(d)}};
      case 2:
        return {Op::kIf, 0, "", {MakeBool(d), MakeList(d), MakeList(d)}};
      case 3:
        return {Op::kFilter, 0, "", {MakeList(d), Within(&Generator::MakeBool, d)}};
      case 4:
        return {Op::kMap, 0, "", {MakeList(d), Within(&Generator::MakeInt, d)}};
      default:
        return {
            Op::kMapFiltered, 0, "", {MakeList(d), Within(&Generator::MakeBool, d), Within(&Generator::MakeInt, d)}};
    }
  }

  Tree MakeText(int depth) {
    if (depth == 0) {
      if (Below(2) == 0) return Leaf(Op::kSlot, 5);
      return {Op::kText, 0, Below(2) == 0 ? "a" : "ab", {}};
    }
    if (Below(2) == 0) return {Op::kAdd, 0, "", {MakeText(depth - 1), MakeText(depth - 1)}};
    return {Op::kIf, 0, "", {MakeBool(depth - 1), MakeText(depth - 1), MakeText(depth - 1)}};
  }

  std::mt19937 random_;
  int nested_ = 0;
};

// --- the facts

constexpr std::size_t kSlots = 6;
const std::vector<std::vector<Result>>& Domains() {
  static const auto* const domains = new std::vector<std::vector<Result>>{
      {Bool(false), Bool(true)}, {Bool(false), Bool(true)},           {Int(0), Int(1), Int(3)},
      {Int(0), Int(1), Int(3)},  {List({}), List({1}), List({0, 2})}, {Text(""), Text("ab")}};
  return *domains;
}

Env Facts() {
  Env env;
  const value::Type whole = value::Primitive(Kind::kInt);
  const value::Type types[kSlots] = {value::Primitive(Kind::kBool), value::Primitive(Kind::kBool),  whole, whole,
                                     value::ListOf(whole),          value::Primitive(Kind::kString)};
  for (std::uint32_t i = 0; i < kSlots; ++i) {
    Sizes sizes;
    sizes.items = 2;
    sizes.bytes = 2;
    env.AddVariable(kNames[i], types[i], i, sizes);
  }
  return env;
}

Value ToValue(const Result& r, Arena& arena) {
  switch (r.what) {
    case What::kBool:
      return Value::Bool(r.number != 0);
    case What::kInt:
      return Value::Int(r.number);
    case What::kText:
      return Value::String(arena.Copy(r.text));
    case What::kList: {
      Value* out = arena.NewArray<Value>(r.list.size());
      for (std::size_t i = 0; i < r.list.size(); ++i) out[i] = Value::Int(r.list[i]);
      return Value::List({out, r.list.size()});
    }
    default:
      return Value::Unknown(nullptr);
  }
}

std::string Describe(const Result& r) {
  if (r.what == What::kError) return "error";
  if (r.what != What::kUnknown) return r.number != 0 ? "true" : "false";
  std::string out = "?";
  for (const std::uint32_t s : r.missing) out += kNames[s];
  return out;
}
std::string Describe(const Value& v) {
  if (v.is(Kind::kError)) return "error";
  if (!v.is(Kind::kUnknown)) return value::ToDisplay(v);
  std::string out = "?";
  for (std::uint32_t i = 0; i < v.AsUnknown().count; ++i) out += kNames[v.AsUnknown().slots[i]];
  return out;
}

TEST(UnknownReference, ResultsAndMissingFactsAreThoseOfTheDefinitionAndSound) {
  Generator g(20260301);
  const Env env = Facts();
  std::map<std::string, int> seen;
  for (int round = 0; round < 4000; ++round) {
    const Tree tree = g.MakeBool(1 + static_cast<int>(g.Below(4)));
    const std::string text = Write(tree);
    Diagnostics d;
    const std::optional<Program> p =
        Compile(Source{text, "r", {}}, env, nullptr, &d, {.steps = 1'000'000, .estimate = ~std::uint64_t{0}});
    ASSERT_TRUE(p.has_value()) << text << FormatDiagnostics(d);
    World world;
    std::vector<std::size_t> missing;
    for (std::uint32_t i = 0; i < kSlots; ++i) {
      if (g.Below(2) == 0) {
        missing.push_back(i);
        world.slots.push_back({What::kUnknown, 0, {}, {}, {i}});
      } else {
        const auto& domain = Domains()[i];
        world.slots.push_back(domain[g.Below(static_cast<std::uint32_t>(domain.size()))]);
      }
    }
    Arena arena;
    const auto run = [&](const std::vector<Result>& slots) {
      std::vector<Value> values;
      for (const Result& r : slots) values.push_back(ToValue(r, arena));
      return Describe(p->Evaluate({values, testing::kToday}, arena));
    };
    const std::string partial = run(world.slots);
    ASSERT_EQ(partial, Describe(Evaluate(tree, world))) << text;
    ++seen[partial[0] == '?' ? "unknown" : partial];
    std::size_t fillings = 1;
    for (const std::size_t i : missing) fillings *= Domains()[i].size();
    for (std::size_t filling = 0; filling < fillings; ++filling) {
      World full = world;
      std::size_t rest = filling;
      for (const std::size_t i : missing) {
        full.slots[i] = Domains()[i][rest % Domains()[i].size()];
        rest /= Domains()[i].size();
      }
      const std::string whole = run(full.slots);
      ASSERT_EQ(whole, Describe(Evaluate(tree, full))) << text;
      if (partial[0] != '?') {
        ASSERT_EQ(whole, partial) << text << ": known already, and changed when the facts came in";
      }
    }
  }
  for (const char* outcome : {"true", "false", "error", "unknown"}) EXPECT_GT(seen[outcome], 40) << outcome;
}

// --- every function

struct Sample {
  value::Type type;
  Value value;
};

// A value for a type of a signature; type parameters stand for int.
std::optional<Sample> SampleOf(const std::string& name) {
  static const Value one = Value::Int(1);
  static const Value text = Value::String("1");
  static const Value date = Value::OfDate(MakeDate(2026, 3, 1));
  static const value::MapEntry entry{Value::Int(1), Value::Int(1)};
  static const value::Network network{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 10, 0, 0, 1}, 4, 24};
  const auto of = [](Kind kind, const Value& v) { return Sample{value::Primitive(kind), v}; };
  const value::Type whole = value::Primitive(Kind::kInt);
  if (name == "bool") return of(Kind::kBool, Value::Bool(true));
  if (name == "int") return of(Kind::kInt, one);
  if (name == "uint") return of(Kind::kUint, Value::Uint(1));
  if (name == "double") return of(Kind::kDouble, Value::Double(1.5));
  if (name == "string") return of(Kind::kString, text);
  if (name == "bytes") return of(Kind::kBytes, Value::Bytes("1"));
  if (name == "date") return of(Kind::kDate, date);
  if (name == "period") return of(Kind::kPeriod, Value::OfPeriod({1, 0}));
  if (name == "decimal") return of(Kind::kDecimal, Value::OfDecimal({15, 1}));
  if (name == "timestamp") return of(Kind::kTimestamp, Value::Timestamp(0, 0));
  if (name == "duration") return of(Kind::kDuration, Value::Duration(1, 0));
  if (name == "net_ip") return of(Kind::kIp, Value::OfNetwork(Kind::kIp, &network));
  if (name == "net_cidr") return of(Kind::kCidr, Value::OfNetwork(Kind::kCidr, &network));
  if (name == "A" || name == "B") return Sample{whole, one};
  if (name == "dyn") return Sample{value::Dyn(), one};
  if (name == "list(A)") return Sample{value::ListOf(whole), Value::List({&one, 1})};
  if (name == "list(dyn)") return Sample{value::ListOf(value::Dyn()), Value::List({&one, 1})};
  if (name == "list(string)") return Sample{value::ListOf(value::Primitive(Kind::kString)), Value::List({&text, 1})};
  if (name == "list(date)") return Sample{value::ListOf(value::Primitive(Kind::kDate)), Value::List({&date, 1})};
  if (name == "map(A, B)") return Sample{value::MapOf(whole, whole), Value::Map({&entry, 1})};
  if (name == "optional_type(A)") return Sample{value::OptionalOf(whole), Value::Optional(&one)};
  return std::nullopt;
}

// "list(A).size(int) -> int": the types of the receiver, if there is one, and of the arguments.
std::vector<std::string> Parameters(const std::string& signature, const std::string& name, bool* member) {
  std::vector<std::string> out;
  const std::size_t at = signature.find(name + "(");
  *member = at > 0;
  if (at > 0) out.push_back(signature.substr(0, at - 1));
  const std::size_t end = signature.find(") -> ");
  std::string part;
  int depth = 0;
  for (std::size_t i = at + name.size() + 1; i < end; ++i) {
    const char c = signature[i];
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c == ',' && depth == 0) {
      out.push_back(part);
      part.clear();
    } else if (c != ' ' || depth > 0) {
      part += c;
    }
  }
  if (!part.empty()) out.push_back(part);
  return out;
}

TEST(UnknownReference, EveryFunctionNamesTheArgumentsThatAreMissing) {
  const std::set<std::string> macros = {"has", "all", "exists", "exists_one", "filter", "map"};
  Sizes small;
  small.items = 1;
  small.bytes = 1;
  small.parts = {small};
  const auto calendar = Calendar::Make("cn", 2024, 2026, {}, {});
  int calls = 0;
  for (const FunctionDoc& f : Functions()) {
    if (macros.contains(f.name)) continue;
    SCOPED_TRACE(f.signature);
    bool member = false;
    const std::vector<std::string> parameters = Parameters(f.signature, f.name, &member);
    Env env;
    env.SetCalendar(calendar);
    std::vector<Value> values;
    std::string text = member ? "a0." + f.name + "(" : f.name + "(";
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const std::optional<Sample> sample = SampleOf(parameters[i]);
      ASSERT_TRUE(sample.has_value()) << parameters[i];
      env.AddVariable("a" + std::to_string(i), sample->type, static_cast<std::uint32_t>(i), small);
      values.push_back(sample->value);
      if (member && i == 0) continue;
      if (text.back() != '(') text += ", ";
      text += "a" + std::to_string(i);
    }
    text += ")";
    const Program p = testing::MustCompile(env, text);
    for (std::uint32_t subset = 1; subset < (1U << parameters.size()); ++subset) {
      std::vector<Value> slots = values;
      std::vector<std::uint32_t> expected;
      for (std::uint32_t i = 0; i < parameters.size(); ++i) {
        if ((subset & (1U << i)) == 0) continue;
        slots[i] = Value::Unknown(nullptr);
        expected.push_back(i);
      }
      Arena arena;
      const Value v = p.Evaluate({slots, testing::kToday}, arena);
      ASSERT_TRUE(v.is(Kind::kUnknown)) << subset << ": " << value::ToDisplay(v);
      const value::UnknownSet& set = v.AsUnknown();
      EXPECT_EQ(std::vector<std::uint32_t>(set.slots, set.slots + set.count), expected) << subset;
      ++calls;
    }
  }
  EXPECT_GT(calls, 300);
}

}  // namespace
}  // namespace zhitui::cel
