// Explaining one determination: evaluating and looking ahead, saying it, and searching the smallest change.
#include <benchmark/benchmark.h>

#include "authoring/authoring.h"
#include "facts/facts.h"
#include "rules/rules.h"

namespace zhitui {
namespace {

std::shared_ptr<const rules::RuleSet> Rules() {
  static const std::shared_ptr<const rules::RuleSet> ruleset = [] {
    Result<std::vector<rules::SourceFile>> files = authoring::LoadFolder(std::string(ZHITUI_SOURCE_DIR) + "/rules");
    Diagnostics diagnostics;
    return files ? rules::RuleSet::Build(*files, &diagnostics) : nullptr;
  }();
  return ruleset;
}

constexpr Date kDay = std::chrono::local_days(std::chrono::year(2026) / 3 / 1);
constexpr Date kHorizon = std::chrono::local_days(std::chrono::year(2156) / 3 / 1);

// A profile under the sample rule of the senior allowance.
struct Subject {
  std::shared_ptr<const rules::RuleSet> ruleset = Rules();
  const rules::Rule* rule = ruleset == nullptr ? nullptr : ruleset->Find("senior-allowance");
  std::optional<facts::Profile> profile;
  value::Arena arena;

  bool Make(benchmark::State& state, const char* facts) {
    if (rule == nullptr) {
      state.SkipWithError("the rules folder is not usable");
      return false;
    }
    profile.emplace(ruleset->SchemaOf("resident"));
    if (profile->SetFromJson(facts)) return true;
    state.SkipWithError("the facts do not fit");
    return false;
  }
};

constexpr const char* kYoung = R"({"birth_date":"1956-09-10","hukou.city":"440300","documents.id_card":true})";
constexpr const char* kElsewhere = R"({"birth_date":"1950-01-01","hukou.city":"440100"})";

void EvaluateOnly(benchmark::State& state) {
  Subject s;
  if (!s.Make(state, kYoung)) return;
  for (auto _ : state) {
    s.arena.Reset();
    benchmark::DoNotOptimize(rules::Evaluate(*s.rule, *s.profile, kDay, s.arena));
  }
}

void LookAheadOnly(benchmark::State& state) {
  Subject s;
  if (!s.Make(state, kYoung)) return;
  const rules::Determination d = rules::Evaluate(*s.rule, *s.profile, kDay, s.arena);
  for (auto _ : state) {
    benchmark::DoNotOptimize(rules::LookAhead(*s.rule, *s.profile, d, kDay, kHorizon, s.arena));
    s.arena.Reset();
  }
}

void EvaluateAndToText(benchmark::State& state) {
  Subject s;
  if (!s.Make(state, kYoung)) return;
  const rules::Determination now = rules::Evaluate(*s.rule, *s.profile, kDay, s.arena);
  const rules::Outlook outlook = rules::LookAhead(*s.rule, *s.profile, now, kDay, kHorizon, s.arena);
  for (auto _ : state) {
    s.arena.Reset();
    const rules::Determination d = rules::Evaluate(*s.rule, *s.profile, kDay, s.arena);
    benchmark::DoNotOptimize(rules::ToText(*s.rule, *s.profile, d, outlook, kDay, "zh"));
  }
}

void EvaluateAndExplainText(benchmark::State& state) {
  Subject s;
  if (!s.Make(state, kYoung)) return;
  const rules::Determination now = rules::Evaluate(*s.rule, *s.profile, kDay, s.arena);
  const rules::Outlook outlook = rules::LookAhead(*s.rule, *s.profile, now, kDay, kHorizon, s.arena);
  const rules::Remedy remedy = rules::FindRemedy(*s.rule, *s.profile, now, outlook, kDay, s.arena);
  for (auto _ : state) {
    s.arena.Reset();
    const rules::Determination d = rules::Evaluate(*s.rule, *s.profile, kDay, s.arena);
    benchmark::DoNotOptimize(rules::ExplainText(*s.rule, *s.profile, d, outlook, remedy, kDay, "zh", false));
  }
}

void SearchForTheSmallestChange(benchmark::State& state) {
  Subject s;
  if (!s.Make(state, kElsewhere)) return;
  const rules::Determination now = rules::Evaluate(*s.rule, *s.profile, kDay, s.arena);
  const rules::Outlook outlook;
  value::Arena arena;
  for (auto _ : state) {
    arena.Reset();
    benchmark::DoNotOptimize(rules::FindRemedy(*s.rule, *s.profile, now, outlook, kDay, arena));
  }
}

BENCHMARK(EvaluateOnly);
BENCHMARK(LookAheadOnly);
BENCHMARK(EvaluateAndToText);
BENCHMARK(EvaluateAndExplainText);
BENCHMARK(SearchForTheSmallestChange);

}  // namespace
}  // namespace zhitui

BENCHMARK_MAIN();
