// One event through decode, merge and decide, against two floors in the same run: decoding alone, and copying the
// bytes.
#include <benchmark/benchmark.h>

#include <cstring>

#include "authoring/authoring.h"
#include "decide/decide.h"
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

Record Snapshot() {
  Record r;
  r.topic = "residents";
  r.value =
      R"({"specversion":"1.0","id":"e1","source":"/agencies/police","type":"cn.gov.futian.resident.profile.replaced",)"
      R"("subject":"r-0000001","time":"2026-03-02T10:00:00+08:00","data":{"name":"张三","id_number":"44030419501231002X",)"
      R"("sex":"female","birth_date":"1950-12-31","death_date":null,"hukou":{"city":"440300","district":"440304","since":"1985-06-01"},)"
      R"("residence":{"street":"440304006","registered_since":"1999-01-01","permit_issued":null,"talent":false}}})";
  return r;
}

void CopyBytes(benchmark::State& state) {
  const Record record = Snapshot();
  std::string copy(record.value->size(), '\0');
  for (auto _ : state) {
    std::memcpy(copy.data(), record.value->data(), copy.size());
    benchmark::DoNotOptimize(copy.data());
  }
}

void DecodeOnly(benchmark::State& state) {
  const Record record = Snapshot();
  for (auto _ : state) benchmark::DoNotOptimize(facts::DecodeEvent(record, {}));
}

void DecodeMergeDecide(benchmark::State& state) {
  const auto ruleset = Rules();
  if (!ruleset) return state.SkipWithError("the rules folder is not usable");
  const Record record = Snapshot();
  value::Arena arena;
  for (auto _ : state) {
    auto event = facts::DecodeEvent(record, {});
    facts::Profile profile(ruleset->SchemaOf("resident"));
    decide::SubjectState subject;
    auto merged = profile.Merge(*event);
    decide::Change change;
    change.now = event->recorded;
    change.event_time = event->time;
    change.slots = merged->changed;
    benchmark::DoNotOptimize(decide::React(profile, subject, *ruleset, event->subject, change, arena));
  }
  state.counters["rules"] = static_cast<double>(ruleset->rules().size());
}

BENCHMARK(CopyBytes);
BENCHMARK(DecodeOnly);
BENCHMARK(DecodeMergeDecide);

}  // namespace
}  // namespace zhitui

BENCHMARK_MAIN();
