#include "decide/decide.h"
#include "engine/random_rules.h"
#include "gtest/gtest.h"

namespace zhitui::decide {
namespace {

using engine::RandomRules;

// Rules that compile, with a rule that is looked at daily here and there.
std::shared_ptr<const rules::RuleSet> RandomSet(RandomRules& random, int count) {
  std::vector<rules::SourceFile> files;
  const rules::SourceFile schema{"facts/person.yaml", engine::kPersonSchema};
  for (int tried = 0; tried < 3 * count && static_cast<int>(files.size()) < count; ++tried) {
    rules::SourceFile file = random.Rule(tried);
    if (tried % 7 != 0) file.text.erase(file.text.find("recheck: daily\n"), 15);
    file.text +=
        "notify:\n  - {on: upcoming, ahead: 2 months, message: m}\n  - {on: eligible, message: m}\n"
        "  - {on: ceased, message: m}\n";
    Diagnostics diagnostics;
    if (rules::RuleSet::Build({file, schema}, &diagnostics) != nullptr) files.push_back(std::move(file));
  }
  files.push_back(schema);
  Diagnostics diagnostics;
  return rules::RuleSet::Build(files, &diagnostics);
}

std::vector<std::string> Ids(const Outcome& outcome) {
  std::vector<std::string> out;
  for (const Decision& d : outcome.decisions) out.push_back(d.id);
  return out;
}

TEST(Shortcut, PassingOverRulesChangesNoStateAndNoDecision) {
  RandomRules random(31);
  const auto set = RandomSet(random, 60);
  ASSERT_NE(set, nullptr);
  ASSERT_GE(set->rules().size(), 50U);
  const auto engine = engine::Engine::Build(set, "person");
  engine::Scratch scratch;
  value::Arena arena;
  std::size_t decisions = 0;
  std::uint32_t looked = 0;
  std::uint32_t all = 0;
  for (int subject = 0; subject < 15; ++subject) {
    SubjectState with;
    SubjectState without;
    Instant now = kShanghai.StartOf(MakeDate(2024, 1, 1));
    for (int event = 0; event < 8; ++event) {
      facts::Profile profile(set->SchemaOf("person"));
      ASSERT_TRUE(profile.SetFromJson(random.Facts(event == 0 ? 2 : 6)).has_value());
      now += std::chrono::hours(24 * random.Below(200));
      EXPECT_EQ(Ids(Advance(profile, with, *set, "s", now, arena)),
                Ids(Advance(profile, without, *set, "s", now, arena)));
      std::vector<std::uint32_t> changed;
      for (std::uint32_t slot = 0; slot < profile.slots().size(); ++slot) changed.push_back(slot);
      const Change change{now, now, changed, event == 1};
      const Outcome fast = React(profile, with, *set, "s", change, arena, Shortcut{*engine, scratch});
      const Outcome slow = React(profile, without, *set, "s", change, arena);
      EXPECT_EQ(Ids(fast), Ids(slow));
      ASSERT_EQ(with.Encode(), without.Encode());
      decisions += slow.decisions.size();
      looked += fast.evaluations;
      all += slow.evaluations;
    }
  }
  EXPECT_GT(decisions, 30U);
  EXPECT_LT(looked * 10, all * 9);  // some rules really are passed over
}

}  // namespace
}  // namespace zhitui::decide
