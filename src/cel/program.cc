#include "cel/cel.h"
#include "cel/checker.h"
#include "cel/cost.h"
#include "cel/env.h"
#include "cel/eval.h"
#include "cel/horizon.h"
#include "cel/parser.h"
#include "cel/plan.h"
#include "cel/split.h"

namespace zhitui::cel {

struct Program::Impl {
  std::shared_ptr<const Plan> plan;
};

Program::Program() = default;
Program::~Program() = default;
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;

Value Program::Evaluate(const Activation& activation, Arena& arena) const {
  constexpr std::size_t kInlineLocals = 8;
  const Plan& plan = *impl_->plan;
  Value buffer[kInlineLocals];
  Frame f{plan, activation.slots, activation.today, arena, nullptr, plan.steps, activation.known};
  if (plan.locals > 0) f.locals = PrepareLocals(plan, buffer, arena);
  const Value v = Eval(f, plan.nodes[plan.root]);
  return f.steps == 0 ? f.Fail(plan.nodes[plan.root].offset, plan.over_budget) : v;
}

std::optional<Date> Program::NextChange(const Activation& activation, Date horizon, Arena& arena) const {
  return FindNextChange(*impl_->plan, activation, horizon, false, arena);
}

std::optional<Date> Program::NextTurn(const Activation& activation, Date horizon, Arena& arena) const {
  return FindNextChange(*impl_->plan, activation, horizon, true, arena);
}

Conditions Program::Split() const { return Splitter(impl_->plan).Run(); }

CostEstimate Program::cost() const { return impl_->plan->cost; }

value::Type Program::type() const { return impl_->plan->type; }
std::span<const std::uint32_t> Program::slots() const { return impl_->plan->slots; }
bool Program::time_dependent() const { return impl_->plan->time_dependent; }
std::optional<Location> Program::time_opaque() const { return impl_->plan->opaque; }
const Calendar* Program::calendar() const { return impl_->plan->calendar.get(); }
const std::string& Program::text() const { return impl_->plan->text; }
const std::string& Program::canonical() const { return impl_->plan->canonical; }

class Compiler {
 public:
  static std::optional<Program> Run(const Source& source, const Env& env, value::Type expected,
                                    Diagnostics* diagnostics, const Limits& limits) {
    Reporter reporter(source, diagnostics);
    const std::unique_ptr<Ast> ast = Parse(source, limits, reporter);
    if (ast == nullptr) return std::nullopt;
    Check(*ast, *env.impl_, expected, limits, reporter);
    if (reporter.count() > 0 || UsesBroken(*ast)) return std::nullopt;
    std::unique_ptr<Plan> plan = MakePlan(*ast, *env.impl_, limits, reporter);
    const std::optional<CostEstimate> cost = CheckCost(*plan, limits.estimate, reporter);
    if (!cost) return std::nullopt;
    plan->cost = *cost;
    plan->over_budget = plan->arena.Copy(std::string(kCostLimit) + ": the limit is " + std::to_string(limits.steps) +
                                         " steps, the sizes declared allow up to " + std::to_string(plan->cost.max));
    plan->text = source.text;
    Program program;
    program.impl_ = std::make_unique<Program::Impl>();
    program.impl_->plan = std::move(plan);
    return program;
  }

 private:
  // A let with a mistake was reported where it is written; what uses it cannot run either.
  static bool UsesBroken(const Ast& ast) {
    for (const Expr& e : ast.nodes) {
      if (e.ref == Ref::kDeclared && e.declared->what == Declaration::What::kBroken) return true;
    }
    return false;
  }
};

std::optional<Program> Compile(const Source& source, const Env& env, value::Type expected, Diagnostics* diagnostics,
                               const Limits& limits) {
  return Compiler::Run(source, env, expected, diagnostics, limits);
}

}  // namespace zhitui::cel
