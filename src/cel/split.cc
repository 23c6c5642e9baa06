#include "cel/split.h"

#include <algorithm>
#include <set>

#include "cel/edits.h"
#include "cel/eval.h"
#include "cel/law.h"

namespace zhitui::cel {
namespace {

using value::Kind;

const Node& Behind(const Plan& plan, const Node& n) {  // what a let stands for
  const Node* at = &n;
  while (at->op == Op::kLet) at = &plan.Kid(*at, 0);
  return *at;
}

Motion Flip(Motion m) {
  if (m == Motion::kRises) return Motion::kFalls;
  if (m == Motion::kFalls) return Motion::kRises;
  return m;
}

// Of a sum.
Motion Both(Motion a, Motion b) {
  if (a == Motion::kStill) return b;
  if (b == Motion::kStill || a == b) return a;
  return Motion::kMixed;
}

// 1, 0 or -1; nullopt when it is not a constant number.
std::optional<int> SignOf(const Node& n) {
  if (n.op != Op::kConst) return std::nullopt;
  const Value& v = n.constant;
  if (!v.is(Kind::kInt) && !v.is(Kind::kUint) && !v.is(Kind::kDouble) && !v.is(Kind::kDecimal)) return std::nullopt;
  return value::Compare(v, v.is(Kind::kDecimal) ? Value::OfDecimal({0, 0}) : Value::Int(0));
}

Motion MotionOfProduct(const Plan& plan, const Node& n) {
  const Node& a = Behind(plan, plan.Kid(n, 0));
  const Node& b = Behind(plan, plan.Kid(n, 1));
  const Motion moves_a = MotionOf(plan, a);
  const Motion moves_b = MotionOf(plan, b);
  if (moves_a == Motion::kStill && moves_b == Motion::kStill) return Motion::kStill;
  const bool left_moves = moves_a != Motion::kStill;
  if (left_moves && moves_b != Motion::kStill) return Motion::kMixed;
  if (!left_moves && n.op == Op::kDivide) return Motion::kMixed;
  const std::optional<int> sign = SignOf(left_moves ? b : a);
  const Motion moves = left_moves ? moves_a : moves_b;
  if (!sign || *sign == 0) return Motion::kMixed;
  return *sign > 0 ? moves : Flip(moves);
}

Motion MotionOfCall(const Plan& plan, const Node& n) {
  Motion out = Motion::kStill;
  for (std::uint32_t i = 0; i < n.count; ++i) {
    Motion m = MotionOf(plan, plan.Kid(n, i));
    if (m == Motion::kStill) continue;
    if (n.op != Op::kCall || n.overloads != 1) return Motion::kMixed;
    const std::string_view transfer = plan.overloads[n.a]->transfer;
    if (transfer.size() != n.count) return Motion::kMixed;
    if (transfer[i] == '-') {
      m = Flip(m);
    } else if (transfer[i] != '+') {
      return Motion::kMixed;
    }
    out = Both(out, m);
  }
  return out;
}

bool IsOrdered(Op op) {
  return op == Op::kLess || op == Op::kLessEqual || op == Op::kGreater || op == Op::kGreaterEqual;
}

// The values of an operand without slots on any day; false when they cannot be listed.
bool ListConstants(const Plan& plan, const Node& operand, std::vector<Value>& out) {
  const Node& n = Behind(plan, operand);
  if (n.op == Op::kConst) {
    out.push_back(n.constant);
    return true;
  }
  if (n.op != Op::kDated) return false;
  for (const DatedValue& entry : *plan.dated[n.a]) out.push_back(entry.value);
  return true;
}

bool ListElements(const Plan& plan, const Node& operand, std::vector<Value>& out) {
  const Node& n = Behind(plan, operand);
  if (n.op == Op::kConst && n.constant.is(Kind::kList)) {
    const std::span<const Value> elements = n.constant.AsList();
    out.insert(out.end(), elements.begin(), elements.end());
    return true;
  }
  if (n.op != Op::kList || n.a != kNone) return false;
  for (std::uint32_t i = 0; i < n.count; ++i) {
    if (!ListConstants(plan, plan.Kid(n, i), out)) return false;
  }
  return true;
}

void CollectConstants(const Plan& plan, const Node& n, std::vector<Value>& out) {
  if (ListConstants(plan, n, out)) return;
  for (std::uint32_t i = 0; i < n.count; ++i) {
    if (plan.kids[n.kids + i] != kNoPredicate) CollectConstants(plan, plan.Kid(n, i), out);
  }
}

Dependence Comparison(const Plan& plan, const Node& n) {
  const Node& a = Behind(plan, plan.Kid(n, 0));
  const Node& b = Behind(plan, plan.Kid(n, 1));
  Dependence out;
  if (!IsOrdered(n.op)) {
    const Node& other = a.op == Op::kSlot ? b : a;
    if ((a.op == Op::kSlot || b.op == Op::kSlot) && ListConstants(plan, other, out.members)) {
      out.shape = Dependence::Shape::kMembers;
      return out;
    }
  }
  if (Both(MotionOf(plan, a), Flip(MotionOf(plan, b))) != Motion::kMixed) {
    out.shape = Dependence::Shape::kSteps;
    out.direct = (a.op == Op::kSlot && ListConstants(plan, b, out.members)) ||
                 (b.op == Op::kSlot && ListConstants(plan, a, out.members));
    if (out.direct) return out;
    CollectConstants(plan, a, out.members);
    CollectConstants(plan, b, out.members);
  }
  return out;
}

Dependence PrefixCall(const Plan& plan, const Node& n) {
  Dependence out;
  if (n.op != Op::kCall || n.overloads != 1 || n.count != 2) return out;
  if (Behind(plan, plan.Kid(n, 0)).op != Op::kSlot) return out;
  const std::string& name = plan.overloads[n.a]->function->name;
  if ((name != "startsWith" && name != "within") || !ListConstants(plan, plan.Kid(n, 1), out.members)) return {};
  for (Value& v : out.members) {
    if (!v.is(Kind::kString)) return {};
    if (name == "within") v = Value::String(AreaPrefix(v.AsString()));
  }
  out.shape = Dependence::Shape::kPrefixes;
  return out;
}

void CollectSlots(const Plan& plan, std::uint32_t node, std::set<std::uint32_t>& out) {
  if (node == kNoPredicate) return;
  const Node& n = plan.nodes[node];
  if (n.op == Op::kSlot) out.insert(n.a);
  for (std::uint32_t i = 0; i < n.count; ++i) CollectSlots(plan, plan.kids[n.kids + i], out);
}

const Place* PlaceOf(const Plan& plan, std::uint32_t node) {
  const auto it =
      std::find_if(plan.places.begin(), plan.places.end(), [node](const Place& place) { return place.node == node; });
  return it == plan.places.end() ? nullptr : &*it;
}

}  // namespace

Motion MotionOf(const Plan& plan, const Node& node) {
  const Node& n = Behind(plan, node);
  switch (n.op) {
    case Op::kConst:
    case Op::kFault:
    case Op::kToday:
    case Op::kDated:
      return Motion::kStill;
    case Op::kSlot:
      return Motion::kRises;
    case Op::kAdd:
      return Both(MotionOf(plan, plan.Kid(n, 0)), MotionOf(plan, plan.Kid(n, 1)));
    case Op::kSubtract:
      return Both(MotionOf(plan, plan.Kid(n, 0)), Flip(MotionOf(plan, plan.Kid(n, 1))));
    case Op::kNegate:
      return Flip(MotionOf(plan, plan.Kid(n, 0)));
    case Op::kMultiply:
    case Op::kDivide:
      return MotionOfProduct(plan, n);
    case Op::kLocal:
    case Op::kMacro:
      return Motion::kMixed;
    default:
      return MotionOfCall(plan, n);
  }
}

std::string CanonicalNode(const Plan& plan, std::uint32_t node) {
  if (node == kNoPredicate) return "_";
  const Node& n = Behind(plan, plan.nodes[node]);
  std::string out = std::to_string(static_cast<int>(n.op));
  const auto add = [&out](std::string_view text) { out.append(":").append(text); };
  const auto add_value = [&](const Value& v) {
    add(value::KindName(v.kind()));
    add(v.is(Kind::kError) ? std::string(v.AsError().message) : value::ToJson(v));
  };
  switch (n.op) {
    case Op::kConst:
    case Op::kFault:
    case Op::kSelect:
    case Op::kHasField:
    case Op::kOptSelect:
      add_value(n.constant);
      break;
    case Op::kSlot:
    case Op::kLocal:
      add(std::to_string(n.a));
      break;
    case Op::kDated:
      for (const DatedValue& entry : *plan.dated[n.a]) {
        add(FormatDate(entry.from));
        add_value(entry.value);
      }
      break;
    case Op::kCall:
      add(plan.overloads[n.a]->function->name);
      if (plan.calendar != nullptr && UsesCalendar(plan.overloads[n.a]->function->name)) add(plan.calendar->hash());
      for (std::uint32_t i = 0; i < n.overloads; ++i) add(plan.overloads[n.a + i]->signature);
      break;
    case Op::kMatches:
      break;  // the pattern is a child
    case Op::kMacro:
      add(MacroName(n.macro));
      add(std::to_string(n.a) + "/" + std::to_string(n.variables));
      break;
    case Op::kList:
    case Op::kMap:
      if (n.a != kNone) {
        for (const bool optional : plan.optional_entries[n.a]) out += optional ? '?' : '.';
      }
      break;
    default:
      break;
  }
  out += '(';
  for (std::uint32_t i = 0; i < n.count; ++i) out += CanonicalNode(plan, plan.kids[n.kids + i]) + ",";
  out += ')';
  return out;
}

Conditions Splitter::Run() {
  out_.formula = Take(plan_->root);
  return std::move(out_);
}

Formula Splitter::Take(std::uint32_t node) {
  while (plan_->nodes[node].op == Op::kLet) node = plan_->kids[plan_->nodes[node].kids];
  const Node& n = plan_->nodes[node];
  Formula out;
  if (n.op == Op::kAnd || n.op == Op::kOr || n.op == Op::kNot) {
    out.op = n.op == Op::kAnd ? Formula::Op::kAll : n.op == Op::kOr ? Formula::Op::kAny : Formula::Op::kNot;
    for (std::uint32_t i = 0; i < n.count; ++i) out.parts.push_back(Take(plan_->kids[n.kids + i]));
    return out;
  }
  const auto [it, fresh] =
      known_.emplace(CanonicalNode(*plan_, node), static_cast<std::uint32_t>(out_.conditions.size()));
  if (fresh) {
    out_.conditions.push_back(Make(node));
    out_.conditions.back().canonical_ = it->first;
  }
  out.condition = it->second;
  return out;
}

Condition Splitter::Make(std::uint32_t node) const {
  Condition out;
  out.plan_ = plan_;
  out.node_ = node;
  out.time_dependent_ = plan_->nodes[node].level != Level::kConstant;
  if (const Place* place = PlaceOf(*plan_, node)) {
    out.line_ = place->line;
    out.column_ = place->column;
  }
  std::set<std::uint32_t> slots;
  CollectSlots(*plan_, node, slots);
  out.slots_.assign(slots.begin(), slots.end());
  return out;
}

std::string Condition::text() const {
  const Place* place = PlaceOf(*plan_, node_);
  if (place == nullptr) return {};
  const std::string& text = place->let == kNone ? plan_->text : *plan_->lets[place->let];
  const Span whole = WithBrackets(text, place->span);
  return text.substr(whole.start, whole.end - whole.start);
}

Value Condition::Evaluate(const Activation& activation, Arena& arena) const {
  constexpr std::size_t kInlineLocals = 8;
  const Plan& plan = *plan_;
  Value buffer[kInlineLocals];
  Frame f{plan, activation.slots, activation.today, arena, nullptr, plan.steps};
  if (plan.locals > 0) f.locals = PrepareLocals(plan, buffer, arena);
  const Node& n = plan.nodes[node_];
  const Value v = Eval(f, n);
  if (f.steps == 0) return f.Fail(n.offset, plan.over_budget);
  return v.is(Kind::kBool) || IsOpen(v) ? v : f.Fail(n.offset, kNoOverload);
}

std::optional<int> Condition::Order(const Activation& activation, Arena& arena) const {
  const Plan& plan = *plan_;
  const Node& n = Behind(plan, plan.nodes[node_]);
  if (n.op != Op::kEqual && n.op != Op::kNotEqual && !IsOrdered(n.op)) return std::nullopt;
  Frame f{plan, activation.slots, activation.today, arena, PrepareLocals(plan, {}, arena), plan.steps};
  const Value a = Eval(f, plan.Kid(n, 0));
  const Value b = Eval(f, plan.Kid(n, 1));
  if (IsOpen(a) || IsOpen(b) || f.steps == 0) return std::nullopt;
  return value::Compare(a, b);
}

Dependence Condition::dependence() const {
  if (slots_.size() != 1) return {};
  const Plan& plan = *plan_;
  const Node& n = Behind(plan, plan.nodes[node_]);
  Dependence out;
  switch (n.op) {
    case Op::kSlot:
      out.shape = Dependence::Shape::kMembers;
      out.members = {Value::Bool(false), Value::Bool(true)};
      return out;
    case Op::kHasValue:
      if (Behind(plan, plan.Kid(n, 0)).op == Op::kSlot) out.shape = Dependence::Shape::kMembers;
      return out;
    case Op::kEqual:
    case Op::kNotEqual:
    case Op::kLess:
    case Op::kLessEqual:
    case Op::kGreater:
    case Op::kGreaterEqual:
      return Comparison(plan, n);
    case Op::kIn:
      if (Behind(plan, plan.Kid(n, 0)).op == Op::kSlot && ListElements(plan, plan.Kid(n, 1), out.members)) {
        out.shape = Dependence::Shape::kMembers;
        return out;
      }
      out.members.clear();
      if (Behind(plan, plan.Kid(n, 1)).op == Op::kSlot && Behind(plan, plan.Kid(n, 0)).op == Op::kConst &&
          Behind(plan, plan.Kid(n, 0)).constant.is(Kind::kString)) {
        out.members.push_back(Behind(plan, plan.Kid(n, 0)).constant);
        out.shape = Dependence::Shape::kContains;
        return out;
      }
      return {};
    case Op::kCall:
      return PrefixCall(plan, n);
    default:
      return {};
  }
}

}  // namespace zhitui::cel
