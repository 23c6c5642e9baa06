#include "cel/constants.h"

#include "cel/law.h"
#include "cel/regex.h"

namespace zhitui::cel {

using value::Kind;

namespace {

// Texts and numbers that choose how a function works: how to round, what stands for 29 February, when a school year
// begins.
void CheckChoices(const Expr& e, const Function& f, Reporter& reporter) {
  const auto constant = [&e](std::size_t i, Kind kind) {
    return i < e.args.size() && e.args[i]->kind == ExprKind::kConst && e.args[i]->constant.is(kind) ? e.args[i]
                                                                                                    : nullptr;
  };
  const std::size_t last = e.args.size() - 1;
  if (f.name == "round" || f.name == "divide") {
    const Expr* digits = constant(last - 1, Kind::kInt);
    if (digits != nullptr &&
        (digits->constant.AsInt() < -value::kMaxDecimalDigits || digits->constant.AsInt() > value::kMaxDecimalDigits)) {
      reporter.Report(digits->span, "bad-literal", "a number of digits is from -18 to 18", "for 分 write 2");
    }
    const Expr* mode = constant(last, Kind::kString);
    if (mode != nullptr && !value::ParseRounding(mode->constant.AsString())) {
      reporter.Report(mode->span, "bad-literal", "this is not a way to round",
                      R"(write "half_up", "half_even", "down", "up", "ceil" or "floor")");
    }
  } else if (f.name == "age" || f.name == "months_between" || f.name == "next_anniversary" || f.name == "add_period" ||
             f.name == "date_of_year") {
    const Expr* rule = constant(last, Kind::kString);
    if (rule != nullptr && rule->constant.AsString() != "last_day" && rule->constant.AsString() != "next_day") {
      reporter.Report(rule->span, "bad-literal", "this is not a rule for days that a month does not have",
                      R"(write "last_day" or "next_day")");
    }
  } else if (f.name == "school_year" || f.name == "school_year_start") {
    const Expr* month = constant(1, Kind::kInt);
    const Expr* day = constant(2, Kind::kInt);
    if (month != nullptr && day != nullptr &&
        !DateFromParts(2001, month->constant.AsInt(), day->constant.AsInt(), false)) {
      reporter.Report(month->span, "bad-literal", "a school year begins on a day that every year has",
                      "write month and day: 9, 1");
    }
  }
}

}  // namespace

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
  CheckChoices(e, f, reporter);
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
