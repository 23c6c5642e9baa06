#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cel/cel.h"

namespace zhitui::cel::testing {

using value::Kind;

inline const Date kToday = MakeDate(2026, 3, 1);

// Compiles and evaluates at kToday; what does not compile gives its diagnostics.
inline std::string Show(const Env& env, const std::string& text, std::span<const Value> slots = {},
                        Date today = kToday) {
  Diagnostics diagnostics;
  const std::optional<Program> p = Compile(Source{text, "rule.yaml", {}}, env, nullptr, &diagnostics);
  if (!p) return FormatDiagnostics(diagnostics);
  Arena arena;
  return value::ToDisplay(p->Evaluate({slots, today}, arena));
}
inline std::string Show(const std::string& text) { return Show(Env(), text); }

inline Program MustCompile(const Env& env, const std::string& text) {
  Diagnostics diagnostics;
  std::optional<Program> p = Compile(Source{text, "rule.yaml", {}}, env, nullptr, &diagnostics);
  EXPECT_TRUE(p.has_value()) << text << "\n" << FormatDiagnostics(diagnostics);
  return p ? std::move(*p) : Program();
}

}  // namespace zhitui::cel::testing
