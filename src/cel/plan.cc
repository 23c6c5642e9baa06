#include "cel/plan.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "cel/eval.h"
#include "cel/regex.h"

namespace zhitui::cel {
namespace {

using value::Kind;

constexpr Date kFirstDay = std::chrono::local_days(std::chrono::year(1) / 1 / 1);

Op OpOf(Operator op) {
  switch (op) {
    case Operator::kFunction:
      return Op::kCall;
    case Operator::kAnd:
      return Op::kAnd;
    case Operator::kOr:
      return Op::kOr;
    case Operator::kNot:
      return Op::kNot;
    case Operator::kNegate:
      return Op::kNegate;
    case Operator::kConditional:
      return Op::kConditional;
    case Operator::kIndex:
      return Op::kIndex;
    case Operator::kOptIndex:
      return Op::kOptIndex;
    case Operator::kAdd:
      return Op::kAdd;
    case Operator::kSubtract:
      return Op::kSubtract;
    case Operator::kMultiply:
      return Op::kMultiply;
    case Operator::kDivide:
      return Op::kDivide;
    case Operator::kModulo:
      return Op::kModulo;
    case Operator::kEqual:
      return Op::kEqual;
    case Operator::kNotEqual:
      return Op::kNotEqual;
    case Operator::kLess:
      return Op::kLess;
    case Operator::kLessEqual:
      return Op::kLessEqual;
    case Operator::kGreater:
      return Op::kGreater;
    case Operator::kGreaterEqual:
      return Op::kGreaterEqual;
    case Operator::kIn:
      return Op::kIn;
  }
  return Op::kFault;
}

// The result of these is the same for at least a month, or a day in a year, whatever daily dates go in.
bool IsQuantised(std::string_view function) {
  for (const std::string_view f :
       {"age", "months_between", "start_of_month", "end_of_month", "year", "month", "next_anniversary", "count_months",
        "consecutive_months", "school_year", "school_year_start", "is_working_day"}) {
    if (f == function) return true;
  }
  return false;
}

class Planner {
 public:
  Planner(const Ast& ast, const Names& env, const Limits& limits, const Reporter& reporter)
      : ast_(ast), env_(env), limits_(limits), reporter_(reporter), plan_(std::make_unique<Plan>()) {}

  std::unique_ptr<Plan> Run() {
    plan_->type = ast_.root->type;
    plan_->steps = std::min(limits_.steps, ~std::uint64_t{0} - 1) + 1;
    plan_->root = Make(*ast_.root);
    plan_->functions = ast_.functions;
    plan_->canonical = Canonical(*ast_.root);
    if (plan_->calendar != nullptr) {
      plan_->canonical += "@calendar{" + plan_->calendar->id() + ":" + plan_->calendar->hash() + "}";
    }
    plan_->time_dependent = plan_->nodes[plan_->root].level != Level::kConstant;
    Finish();
    return std::move(plan_);
  }

 private:
  struct Binding {
    std::uint32_t local;
    Level level;
  };
  struct Shared {
    std::uint32_t node;
    std::uint32_t uses;
  };

  std::uint32_t Push(Node n) {
    plan_->nodes.push_back(n);
    return static_cast<std::uint32_t>(plan_->nodes.size() - 1);
  }

  std::uint32_t Offset(const Expr& e) const { return use_offset_ != kNone ? use_offset_ : e.span.start; }
  std::uint32_t NameOffset(const Expr& e) const { return use_offset_ != kNone ? use_offset_ : e.name_span.start; }

  void MarkOpaque(std::uint32_t offset) {
    if (!plan_->opaque) plan_->opaque = reporter_.Locate(offset);
  }

  // Appends the children of a node, in one run.
  void SetKids(Node& n, const std::vector<std::uint32_t>& kids) {
    n.kids = static_cast<std::uint32_t>(plan_->kids.size());
    n.count = static_cast<std::uint32_t>(kids.size());
    plan_->kids.insert(plan_->kids.end(), kids.begin(), kids.end());
    std::uint64_t weight = 1;
    for (const std::uint32_t k : kids) {
      if (k == kNoPredicate) continue;
      weight += plan_->nodes[k].weight;
      n.level = std::max(n.level, plan_->nodes[k].level);
    }
    n.weight = static_cast<std::uint32_t>(std::min<std::uint64_t>(weight, 1U << 30));
  }

  // Closed means: reads nothing below `scope` variables. Tracked by the lowest free variable.
  bool KidsClosed(const std::vector<std::uint32_t>& kids) const {
    return std::all_of(kids.begin(), kids.end(),
                       [this](std::uint32_t k) { return k == kNoPredicate || plan_->nodes[k].closed; });
  }

  std::uint32_t Constant(const Value& v, std::uint32_t offset) {
    Node n;
    n.op = Op::kConst;
    n.offset = offset;
    n.constant = value::DeepCopy(v, plan_->arena);
    return Push(n);
  }

  std::uint32_t Fault(const std::string& message, std::uint32_t offset) {
    auto* info = plan_->arena.NewArray<value::ErrorInfo>(1);
    *info = value::ErrorInfo{plan_->arena.Copy(message), offset};
    Node n;
    n.op = Op::kFault;
    n.offset = offset;
    n.constant = Value::Error(info);
    return Push(n);
  }

  std::uint32_t Make(const Expr& e) {
    const std::uint32_t node = MakeNode(e);
    NotePlace(e, node);
    return node;
  }

  // Of what may become a condition; see Program::Split.
  void NotePlace(const Expr& e, std::uint32_t node) {
    const bool truth = e.type == value::Primitive(Kind::kBool) || (e.type != nullptr && e.type == value::Dyn());
    const bool connective =
        e.kind == ExprKind::kCall && (e.op == Operator::kAnd || e.op == Operator::kOr || e.op == Operator::kNot);
    const bool let = e.ref == Ref::kDeclared && e.declared->what == Declaration::What::kLet;
    if (!truth || connective || let || !scope_.empty()) return;
    const Location at = reporter_.Locate(Offset(e));
    plan_->places.push_back({node, at.line, at.column, let_text_, e.span});
  }

  std::uint32_t MakeNode(const Expr& e) {
    if (e.ref == Ref::kLocal) return MakeLocal(e);
    if (e.ref == Ref::kTypeName) return Constant(e.constant, Offset(e));
    if (e.ref == Ref::kDeclared) return MakeDeclared(e);
    switch (e.kind) {
      case ExprKind::kConst:
        return Constant(e.constant, Offset(e));
      case ExprKind::kIdent:
        return Fault("undeclared reference to '" + e.name + "'", Offset(e));
      case ExprKind::kSelect:
        return MakeSelect(e);
      case ExprKind::kCall:
        return MakeCall(e);
      case ExprKind::kList:
      case ExprKind::kMap:
        return MakeLiteral(e);
      case ExprKind::kMacro:
        return MakeMacro(e);
      case ExprKind::kError:
        break;
    }
    return Fault("error", Offset(e));
  }

  std::uint32_t MakeLocal(const Expr& e) {
    const Binding& b = scope_[e.local];
    Node n;
    n.op = Op::kLocal;
    n.offset = Offset(e);
    n.a = b.local;
    n.level = b.level;
    n.closed = false;
    return Push(n);
  }

  std::uint32_t MakeDeclared(const Expr& e) {
    const Declaration& d = *e.declared;
    std::uint32_t node = 0;
    switch (d.what) {
      case Declaration::What::kVariable:
        plan_->variables.emplace(d.slot, e.declared);
        node = MakeSlot(d.slot, Offset(e));
        break;
      case Declaration::What::kToday: {
        Node n;
        n.op = Op::kToday;
        n.offset = Offset(e);
        n.level = Level::kDaily;
        node = Push(n);
        break;
      }
      case Declaration::What::kDated:
        node = MakeDated(e);
        break;
      case Declaration::What::kLet:
        node = MakeLet(e);
        break;
      case Declaration::What::kBroken:
        node = Fault("error", Offset(e));
        break;
    }
    if (!e.test) return node;
    Node n;
    n.op = Op::kHasValue;
    n.offset = Offset(e);
    SetKids(n, {node});
    n.level = std::min(n.level, Level::kStepwise);
    return Push(n);
  }

  std::uint32_t MakeSlot(std::uint32_t slot, std::uint32_t offset) {
    plan_->slots.push_back(slot);
    Node n;
    n.op = Op::kSlot;
    n.offset = offset;
    n.a = slot;
    return Push(n);
  }

  std::uint32_t MakeDated(const Expr& e) {
    const Declaration& d = *e.declared;
    const bool constant = d.entered.empty() && d.entries.size() == 1 && d.entries[0].from <= kFirstDay;
    if (constant) return Constant(d.entries[0].value, Offset(e));
    plan_->keep.push_back(e.declared);
    Node n;
    n.op = Op::kDated;
    n.offset = Offset(e);
    n.a = static_cast<std::uint32_t>(plan_->dated.size());
    n.level = Level::kStepwise;
    plan_->dated.push_back(&d.entries);
    plan_->entered.push_back(&d.entered);
    return Push(n);
  }

  // A let is planned once; each use is a node of its own, for the place of a fault. Used more than once, its value is
  // kept for the evaluation.
  std::uint32_t MakeLet(const Expr& e) {
    const Declaration* d = e.declared.get();
    auto it = lets_.find(d);
    if (it == lets_.end()) {
      std::vector<Binding> outside;
      outside.swap(scope_);
      const std::uint32_t outer_use = use_offset_;
      const std::uint32_t outer_text = let_text_;
      if (use_offset_ == kNone) use_offset_ = e.span.start;
      let_text_ = static_cast<std::uint32_t>(plan_->lets.size());
      plan_->lets.push_back(d->text);
      const std::uint32_t body = Make(*d->body->root);
      use_offset_ = outer_use;
      let_text_ = outer_text;
      scope_.swap(outside);
      it = lets_.emplace(d, Shared{body, 0}).first;
    }
    ++it->second.uses;
    Node n;
    n.op = Op::kLet;
    n.offset = Offset(e);
    n.a = kNone;
    SetKids(n, {it->second.node});
    const std::uint32_t index = Push(n);
    let_uses_.emplace_back(index, d);
    if (plan_->nodes[it->second.node].op == Op::kConst) return it->second.node;
    return index;
  }

  std::uint32_t MakeSelect(const Expr& e) {
    const std::uint32_t operand = Make(*e.args[0]);
    Node n;
    n.op = e.test ? Op::kHasField : e.optional ? Op::kOptSelect : Op::kSelect;
    n.offset = NameOffset(e);
    n.constant = Value::String(plan_->arena.Copy(e.name));
    SetKids(n, {operand});
    n.closed = plan_->nodes[operand].closed;
    if (n.level == Level::kDaily) MarkOpaque(n.offset);
    return Fold(n);
  }

  std::uint32_t MakeCall(const Expr& e) {
    std::vector<std::uint32_t> kids;
    for (std::size_t i = 0; i < e.args.size(); ++i) {
      list_of_in_ = e.op == Operator::kIn && i == 1 && e.args[i]->kind == ExprKind::kList;
      kids.push_back(Make(*e.args[i]));
    }
    Node n;
    n.op = OpOf(e.op);
    n.offset = NameOffset(e);
    n.closed = KidsClosed(kids);
    SetKids(n, kids);
    switch (n.op) {
      case Op::kAnd:
      case Op::kOr: {
        n.level = std::min(n.level, Level::kStepwise);
        return Push(n);
      }
      case Op::kConditional: {
        const Level condition = std::min(plan_->nodes[kids[0]].level, Level::kStepwise);
        n.level = std::max({condition, plan_->nodes[kids[1]].level, plan_->nodes[kids[2]].level});
        return Push(n);
      }
      case Op::kNot:
      case Op::kEqual:
      case Op::kNotEqual:
      case Op::kLess:
      case Op::kLessEqual:
      case Op::kGreater:
      case Op::kGreaterEqual:
      case Op::kIn:
        n.level = std::min(n.level, Level::kStepwise);
        return Fold(n);
      case Op::kIndex:
      case Op::kOptIndex:
        if (n.level == Level::kDaily) MarkOpaque(n.offset);
        return Fold(n);
      case Op::kAdd:
      case Op::kSubtract:
      case Op::kMultiply:
      case Op::kDivide:
      case Op::kModulo: {
        // The remainder is followed while what divides stays the same.
        const bool moves = n.op == Op::kModulo && plan_->nodes[kids[1]].level == Level::kDaily;
        const bool untyped = e.type->tag == value::TypeRep::Tag::kDyn;
        if (moves || (untyped && n.level == Level::kDaily)) MarkOpaque(n.offset);
        return Fold(n);
      }
      case Op::kCall:
        return MakeFunction(e, n, kids);
      default:
        return Fold(n);
    }
  }

  std::uint32_t MakeFunction(const Expr& e, Node n, const std::vector<std::uint32_t>& kids) {
    if (e.overloads.empty()) return Fault(std::string(kNoOverload), n.offset);
    if (e.overloads.front()->function->name == "matches" && kids.size() == 2) {
      const Node& pattern = plan_->nodes[kids[1]];
      if (pattern.op == Op::kConst && pattern.constant.is(Kind::kString)) {
        if (std::shared_ptr<const re2::RE2> regex = CompileRegex(pattern.constant.AsString())) {
          n.op = Op::kMatches;
          n.a = static_cast<std::uint32_t>(plan_->regexes.size());
          plan_->regexes.push_back(std::move(regex));
          return Fold(n);
        }
      }
    }
    if (UsesCalendar(e.overloads.front()->function->name)) plan_->calendar = env_.calendar;
    n.a = static_cast<std::uint32_t>(plan_->overloads.size());
    n.overloads = static_cast<std::uint16_t>(e.overloads.size());
    plan_->overloads.insert(plan_->overloads.end(), e.overloads.begin(), e.overloads.end());
    if (n.level == Level::kDaily) {
      bool followed = true;
      for (const Overload* o : e.overloads) followed = followed && Follows(*o, kids);
      if (!followed) {
        MarkOpaque(n.offset);
      } else if (IsQuantised(e.overloads.front()->function->name)) {
        n.level = Level::kStepwise;
      }
    }
    return Fold(n);
  }

  // Whether the search for the next change can follow this overload through the daily ones of its arguments.
  bool Follows(const Overload& o, const std::vector<std::uint32_t>& kids) const {
    if (o.transfer.empty()) return false;
    if (o.transfer[0] != '+' && o.transfer[0] != '-' && o.transfer[0] != '=') {
      // The first argument may vary; for runs the second, for divide both numbers.
      const std::size_t varying = o.transfer == "runs" ? 1 : 0;
      for (std::size_t i = 0; i < kids.size(); ++i) {
        const bool second = o.transfer == "divide" || o.transfer == "workdays" || o.transfer == "add_workdays";
        const bool may = i == varying || (second && i == 1);
        if (!may && plan_->nodes[kids[i]].level == Level::kDaily) return false;
      }
      return true;
    }
    for (std::size_t i = 0; i < kids.size(); ++i) {
      if (o.transfer[i] == '=' && plan_->nodes[kids[i]].level == Level::kDaily) return false;
    }
    return true;
  }

  std::uint32_t MakeLiteral(const Expr& e) {
    // A list of dates that move with the day is followed under `in` only.
    const bool followed = std::exchange(list_of_in_, false) && e.optional_entries.empty();
    std::vector<std::uint32_t> kids;
    for (const Expr* a : e.args) kids.push_back(Make(*a));
    Node n;
    n.op = e.kind == ExprKind::kList ? Op::kList : Op::kMap;
    n.offset = Offset(e);
    n.a = kNone;
    n.closed = KidsClosed(kids);
    SetKids(n, kids);
    if (!e.optional_entries.empty()) {
      n.a = static_cast<std::uint32_t>(plan_->optional_entries.size());
      plan_->optional_entries.push_back(e.optional_entries);
    }
    if (n.level == Level::kDaily && !followed) MarkOpaque(n.offset);
    return Fold(n);
  }

  std::uint32_t MakeMacro(const Expr& e) {
    const std::uint32_t range = Make(*e.args[0]);
    const Level range_level = plan_->nodes[range].level;
    const std::uint32_t local = plan_->locals;
    plan_->locals += static_cast<std::uint32_t>(e.variables.size());
    // The checker numbers variables by nesting; the frame gives each macro its own.
    const std::size_t outer = scope_.size();
    for (std::size_t i = 0; i < e.variables.size(); ++i) {
      scope_.push_back({local + static_cast<std::uint32_t>(i), range_level});
    }
    const std::uint32_t predicate = e.args[1] == nullptr ? kNoPredicate : Make(*e.args[1]);
    const std::uint32_t transform = e.args[2] == nullptr ? kNoPredicate : Make(*e.args[2]);
    scope_.resize(outer);
    Node n;
    n.op = Op::kMacro;
    n.macro = e.macro;
    n.offset = NameOffset(e);
    n.a = local;
    n.variables = static_cast<std::uint8_t>(e.variables.size());
    SetKids(n, {range, predicate, transform});
    // Closed when nothing outside is read: only known for macros that stand outside every other.
    n.closed = outer == 0;
    const bool daily_range = range_level == Level::kDaily && e.macro != Macro::kBind;
    const bool daily_transform = transform != kNoPredicate && plan_->nodes[transform].level == Level::kDaily;
    if (daily_range || (daily_transform && e.macro != Macro::kBind)) MarkOpaque(n.offset);
    switch (e.macro) {
      case Macro::kBind:
        n.level = daily_transform ? Level::kDaily : std::min(n.level, Level::kStepwise);
        break;
      case Macro::kAll:
      case Macro::kExists:
      case Macro::kExistsOne:
      case Macro::kFilter:
        n.level = std::min(n.level, Level::kStepwise);
        break;
      default:
        break;
    }
    return Push(n);
  }

  // Computes what is constant already; what fails or depends on facts stays a node.
  std::uint32_t Fold(const Node& n) {
    const std::uint32_t index = Push(n);
    for (std::uint32_t i = 0; i < n.count; ++i) {
      if (plan_->Kid(n, i).op != Op::kConst) return index;
    }
    scratch_.Reset();
    Frame f{*plan_, {}, Date{}, scratch_, nullptr, 10'000};
    const Value v = Eval(f, plan_->nodes[index]);
    if (IsOpen(v) || f.steps == 0) return index;
    Node& folded = plan_->nodes[index];
    const std::uint32_t offset = folded.offset;
    folded = Node{};
    folded.offset = offset;
    folded.constant = value::DeepCopy(v, plan_->arena);
    return index;
  }

  void Finish() {
    std::sort(plan_->slots.begin(), plan_->slots.end());
    plan_->slots.erase(std::unique(plan_->slots.begin(), plan_->slots.end()), plan_->slots.end());
    plan_->unknowns.reserve(plan_->slots.size());
    for (const std::uint32_t& slot : plan_->slots) plan_->unknowns.push_back({1, &slot});
    for (Node& n : plan_->nodes) {
      if (n.op != Op::kSlot) continue;
      n.b = static_cast<std::uint32_t>(std::lower_bound(plan_->slots.begin(), plan_->slots.end(), n.a) -
                                       plan_->slots.begin());
    }
    plan_->first_cache = plan_->locals;
    std::unordered_map<const Declaration*, std::uint32_t> caches;
    for (const auto& [index, d] : let_uses_) {
      if (lets_[d].uses < 2) continue;
      const auto [it, fresh] = caches.emplace(d, plan_->locals);
      if (fresh) ++plan_->locals;
      plan_->nodes[index].a = it->second;
    }
  }

  const Ast& ast_;
  const Names& env_;
  const Limits& limits_;
  const Reporter& reporter_;
  std::unique_ptr<Plan> plan_;
  value::Arena scratch_;  // of Fold
  std::vector<Binding> scope_;
  std::unordered_map<const Declaration*, Shared> lets_;
  std::vector<std::pair<std::uint32_t, const Declaration*>> let_uses_;
  bool list_of_in_ = false;           // the next list literal stands right of `in`
  std::uint32_t use_offset_ = kNone;  // where the let being planned is used
  std::uint32_t let_text_ = kNone;    // index into Plan::lets of the let being planned
};

}  // namespace

std::unique_ptr<Plan> MakePlan(const Ast& ast, const Names& env, const Limits& limits, const Reporter& reporter) {
  return Planner(ast, env, limits, reporter).Run();
}

}  // namespace zhitui::cel
