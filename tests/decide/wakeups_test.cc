// Dues wake a subject only for something: ten years of a generated population under the sample rules.
// A run of the unit tests takes 150 residents; ZHITUI_WAKEUPS=<n> takes n.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "decide/decide.h"
#include "population/population.h"

namespace zhitui::decide {
namespace {

std::shared_ptr<const rules::RuleSet> Samples() {
  const std::string folder = std::string(ZHITUI_SOURCE_DIR) + "/rules";
  std::vector<rules::SourceFile> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.path().extension() != ".yaml") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    files.push_back({entry.path().lexically_relative(folder).generic_string(),
                     std::string(std::istreambuf_iterator<char>(in), {})});
  }
  Diagnostics diagnostics;
  auto set = rules::RuleSet::Build(files, &diagnostics);
  EXPECT_TRUE(set) << FormatDiagnostics(diagnostics);
  return set;
}

struct Subject {
  explicit Subject(const std::shared_ptr<const facts::Schema>& schema) : profile(schema) {}
  facts::Profile profile;
  SubjectState state;
};

// What an answer is: standing and amount of each rule.
std::map<std::string, std::string> Answers(const SubjectState& state) {
  std::map<std::string, std::string> out;
  for (const RuleState& s : state.rules) {
    if (s.standing == Standing::kIneligible) continue;
    out[s.rule] = std::to_string(static_cast<int>(s.standing)) + (s.amount ? s.amount->ToString() : "");
  }
  return out;
}

TEST(WakeUps, AtMostTwoOfAHundredAreForNothing) {
  const char* wanted = std::getenv("ZHITUI_WAKEUPS");
  population::Options options;
  options.residents = wanted == nullptr ? 150 : static_cast<decltype(options.residents)>(std::stoul(wanted));
  options.months = 4;
  const std::string events = population::Generate(options).ndjson;
  const auto set = Samples();
  ASSERT_TRUE(set);
  std::map<std::string, Subject> subjects;
  value::Arena arena;
  std::istringstream lines(events);
  std::string line;
  while (std::getline(lines, line)) {
    Record record;
    record.value = line;
    const auto event = facts::DecodeEvent(record, {});
    ASSERT_TRUE(event) << facts::RefusalName(event.error().reason);
    if (event->action == facts::Action::kForget) continue;
    Subject& s = subjects.try_emplace(event->subject, set->SchemaOf("resident")).first->second;
    Change change;
    change.now = std::max(event->recorded, s.state.now);
    change.event_time = event->time;
    change.baseline = event->baseline;
    Advance(s.profile, s.state, *set, event->subject, change.now, arena);
    const auto merged = s.profile.Merge(*event);
    if (!merged) continue;
    change.slots = merged->changed;
    React(s.profile, s.state, *set, event->subject, change, arena);
  }
  std::size_t wakes = 0;
  std::size_t wasted = 0;
  std::size_t looks = 0;
  std::map<std::string, std::size_t> by_rule;
  const Date end = MakeDate(2036, 7, 1);
  for (auto& [id, s] : subjects) {
    for (std::optional<Date> due = s.state.NextDue(); due && *due < end && !s.state.dead; due = s.state.NextDue()) {
      const auto before = Answers(s.state);
      std::vector<std::string> fired;
      for (const RuleState& r : s.state.rules) {
        if (r.due && *r.due <= *due) fired.push_back(r.rule);
      }
      const Outcome outcome = Advance(s.profile, s.state, *set, id, kShanghai.StartOf(*due), arena);
      ++wakes;
      looks += outcome.evaluations;
      if (!outcome.decisions.empty() || Answers(s.state) != before) continue;
      ++wasted;
      for (const std::string& rule : fired) ++by_rule[rule];
    }
  }
  std::string where;
  for (const auto& [rule, n] : by_rule) where += " " + rule + " " + std::to_string(n);
  std::printf("residents %zu, wake-ups %zu, looks at a rule %zu, for nothing %zu (%.2f %%)%s\n", subjects.size(), wakes,
              looks, wasted, wakes == 0 ? 0.0 : 100.0 * static_cast<double>(wasted) / static_cast<double>(wakes),
              where.c_str());
  EXPECT_GT(wakes, subjects.size() / 4);
  EXPECT_LE(wasted * 100, wakes * 2) << where;
}

}  // namespace
}  // namespace zhitui::decide
