// Compiles arbitrary bytes as an expression over a few facts and, when that works, evaluates it with facts present and
// missing and searches its next change. Nothing may crash, hang, or disagree with itself.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "cel/cel.h"

namespace {

using zhitui::MakeDate;
using zhitui::value::Kind;
using zhitui::value::Primitive;
using zhitui::value::Value;

const zhitui::cel::Env& FuzzEnv() {
  static const zhitui::cel::Env* const env = [] {
    auto* e = new zhitui::cel::Env();
    e->AddVariable("a", Primitive(Kind::kInt), 0);
    e->AddVariable("s", Primitive(Kind::kString), 1);
    e->AddVariable("d", zhitui::value::Nullable(Primitive(Kind::kDate)), 2);
    e->AddVariable("l", zhitui::value::ListOf(Primitive(Kind::kDate)), 3);
    e->AddVariable("m.x", zhitui::value::Dyn(), 4);
    e->AddDated("p", Primitive(Kind::kInt),
                {{MakeDate(2008, 1, 1), Value::Int(80)}, {MakeDate(2027, 1, 1), Value::Int(70)}});
    zhitui::Diagnostics diagnostics;
    e->AddLet("t", {"age(d, today) >= p", "let", {}}, &diagnostics);
    return e;
  }();
  return *env;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  zhitui::cel::Limits limits;
  limits.steps = 5'000;  // below the estimate allowed, so that evaluations run out of it too
  zhitui::Diagnostics diagnostics;
  const std::optional<zhitui::cel::Program> program = zhitui::cel::Compile(
      {std::string(reinterpret_cast<const char*>(data), size), "fuzz", {}}, FuzzEnv(), nullptr, &diagnostics, limits);
  zhitui::FormatDiagnostics(diagnostics);
  if (!program) {
    if (diagnostics.empty()) std::abort();  // refused without a reason
    return 0;
  }
  zhitui::value::Arena arena;
  const Value dates[2] = {Value::OfDate(MakeDate(2026, 1, 31)), Value::OfDate(MakeDate(2024, 2, 29))};
  const Value slots[5] = {Value::Int(7), Value::String("a年"), Value::OfDate(MakeDate(1956, 2, 29)), Value::List(dates),
                          Value::Null()};
  for (const std::size_t known : {std::size_t{0}, std::size_t{3}, std::size_t{5}}) {
    arena.Reset();
    const zhitui::cel::Activation activation{{slots, known}, MakeDate(2026, 3, 1)};
    const Value v = program->Evaluate(activation, arena);
    zhitui::value::ToJson(v);
    const std::string shown = zhitui::value::ToDisplay(v);
    const auto next = program->NextChange(activation, MakeDate(2027, 6, 1), arena);
    if (next && *next <= activation.today) std::abort();
    // The estimate holds for what keeps to its declared sizes.
    if (program->cost().max <= limits.steps && shown.find("cost limit exceeded") != std::string::npos) std::abort();
    if (zhitui::value::ToDisplay(program->Evaluate(activation, arena)) != shown) std::abort();
  }
  return 0;
}
