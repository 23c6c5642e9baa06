#include "cel/constants.h"

#include "cel/regex.h"

namespace zhitui::cel {

using value::Kind;

void CheckConstantArguments(const Expr& e, const Function& f, Reporter& reporter) {
  if (f.name == "matches") {
    const Expr& pattern = *e.args.back();
    if (pattern.kind == ExprKind::kConst && pattern.constant.is(Kind::kString) &&
        CompileRegex(pattern.constant.AsString()) == nullptr) {
      reporter.Report(pattern.span, "bad-regex", "not a regular expression of RE2, or too large",
                      "write it as a raw text: r\"^1[3-9]\\d{9}$\"");
    }
    return;
  }
  if (f.name != "date" && f.name != "date_of_year" && f.name != "period" && f.name != "decimal") return;
  std::vector<Value> args;
  for (const Expr* a : e.args) {
    if (a->kind != ExprKind::kConst) return;
    args.push_back(a->constant);
  }
  value::Arena arena;
  std::uint64_t steps = 1000;
  const Call call{arena, steps, e.span.start};
  for (const Overload* o : e.overloads) {
    if (!o->Accepts(args.data(), args.size())) continue;
    const Value v = o->run(call, args.data(), args.size());
    if (v.is(Kind::kError)) {
      const std::string_view message = v.AsError().message;
      const std::size_t colon = message.find(": ");
      reporter.Report(e.args.size() == 1 ? e.args[0]->span : e.span, "bad-literal",
                      std::string(message.substr(0, colon)),
                      colon == std::string_view::npos ? std::string() : std::string(message.substr(colon + 2)));
    }
    return;
  }
}

}  // namespace zhitui::cel
