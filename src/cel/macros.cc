#include "cel/macros.h"

#include <array>
#include <string_view>

namespace zhitui::cel {
namespace {

struct MacroRow {
  std::string_view name;
  std::size_t variables;
  bool filter;  // takes a predicate before the transform
  Macro macro;
  bool transform;  // has a transform
};

constexpr std::array kMacros{
    MacroRow{"all", 1, true, Macro::kAll, false},
    MacroRow{"all", 2, true, Macro::kAll, false},
    MacroRow{"exists", 1, true, Macro::kExists, false},
    MacroRow{"exists", 2, true, Macro::kExists, false},
    MacroRow{"exists_one", 1, true, Macro::kExistsOne, false},
    MacroRow{"exists_one", 2, true, Macro::kExistsOne, false},
    MacroRow{"existsOne", 1, true, Macro::kExistsOne, false},
    MacroRow{"existsOne", 2, true, Macro::kExistsOne, false},
    MacroRow{"filter", 1, true, Macro::kFilter, false},
    MacroRow{"map", 1, false, Macro::kMap, true},
    MacroRow{"map", 1, true, Macro::kMap, true},
    MacroRow{"transformList", 2, false, Macro::kMap, true},
    MacroRow{"transformList", 2, true, Macro::kMap, true},
    MacroRow{"transformMap", 2, false, Macro::kTransformMap, true},
    MacroRow{"transformMap", 2, true, Macro::kTransformMap, true},
    MacroRow{"transformMapEntry", 2, false, Macro::kTransformMapEntry, true},
    MacroRow{"transformMapEntry", 2, true, Macro::kTransformMapEntry, true},
    MacroRow{"optMap", 1, false, Macro::kOptMap, true},
    MacroRow{"optFlatMap", 1, false, Macro::kOptFlatMap, true},
};

std::size_t Arguments(const MacroRow& row) {
  return row.variables + (row.filter ? 1U : 0U) + (row.transform ? 1U : 0U);
}

bool IsVariable(const Expr& e) { return e.kind == ExprKind::kIdent && !e.rooted; }

void BadVariable(const Expr& call, const Expr& e, Reporter& reporter) {
  reporter.Report(e.span, "macro", "`" + call.name + "` needs a plain name here for the element",
                  "write for example list." + call.name + "(x, …)");
}

void ExpandHas(Expr& call, Reporter& reporter) {
  Expr* arg = call.args.size() == 1 ? call.args[0] : nullptr;
  if (arg == nullptr || arg->kind != ExprKind::kSelect) {
    if (arg == nullptr || arg->kind != ExprKind::kError) {
      reporter.Report(call.span, "macro", "has() takes one field, such as has(resident.birth_date)",
                      "write has(a.b); to test a whole value compare it with null");
    }
    call.kind = ExprKind::kError;
    return;
  }
  const Span span = call.span;
  call = *arg;
  call.span = span;
  call.test = true;
}

// cel.bind(name, value, expression)
void ExpandBind(Expr& call, Reporter& reporter) {
  if (call.args.size() != 4) {
    reporter.Report(call.span, "macro", "cel.bind takes three arguments: a name, its value, an expression");
    call.kind = ExprKind::kError;
    return;
  }
  if (!IsVariable(*call.args[1])) {
    BadVariable(call, *call.args[1], reporter);
    call.kind = ExprKind::kError;
    return;
  }
  call.kind = ExprKind::kMacro;
  call.macro = Macro::kBind;
  call.variables = {call.args[1]->name};
  call.args = {call.args[2], nullptr, call.args[3]};
}

}  // namespace

void ExpandMacro(Expr& call, Reporter& reporter) {
  if (call.rooted) return;
  if (!call.member) {
    if (call.name == "has") ExpandHas(call, reporter);
    return;
  }
  const Expr& target = *call.args[0];
  if (call.name == "bind" && target.kind == ExprKind::kIdent && target.name == "cel") return ExpandBind(call, reporter);
  const std::size_t given = call.args.size() - 1;
  const MacroRow* row = nullptr;
  bool known = false;
  for (const MacroRow& r : kMacros) {
    if (r.name != call.name) continue;
    known = true;
    if (Arguments(r) == given) row = &r;
  }
  if (!known) return;
  if (row == nullptr) {
    reporter.Report(
        call.name_span, "macro",
        "`" + call.name + "` is not written with " + std::to_string(given) + (given == 1 ? " argument" : " arguments"),
        "write for example list." + call.name + "(x, …) with x for the element");
    call.kind = ExprKind::kError;
    return;
  }
  for (std::size_t i = 1; i <= row->variables; ++i) {
    if (!IsVariable(*call.args[i])) {
      if (call.args[i]->kind != ExprKind::kError) BadVariable(call, *call.args[i], reporter);
      call.kind = ExprKind::kError;
      return;
    }
    call.variables.push_back(call.args[i]->name);
  }
  if (row->variables == 2 && call.variables[0] == call.variables[1]) {
    reporter.Report(call.args[2]->span, "macro", "the two names of `" + call.name + "` must differ");
    call.kind = ExprKind::kError;
    return;
  }
  std::size_t next = row->variables + 1;
  Expr* filter = row->filter ? call.args[next++] : nullptr;
  Expr* transform = row->transform ? call.args[next] : nullptr;
  call.kind = ExprKind::kMacro;
  call.macro = row->macro;
  call.args = {call.args[0], filter, transform};
}

}  // namespace zhitui::cel
