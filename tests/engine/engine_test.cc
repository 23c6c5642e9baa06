#include "engine/engine.h"

#include <cstdlib>
#include <memory>

#include "gtest/gtest.h"
#include "random_rules.h"

namespace zhitui::engine {
namespace {

constexpr Date kDay = std::chrono::local_days(std::chrono::year(2026) / 2 / 28);

std::shared_ptr<const rules::RuleSet> BuildSet(std::vector<rules::SourceFile> files) {
  files.push_back({"facts/person.yaml", kPersonSchema});
  Diagnostics diagnostics;
  std::shared_ptr<const rules::RuleSet> set = rules::RuleSet::Build(files, &diagnostics);
  EXPECT_TRUE(diagnostics.empty()) << FormatDiagnostics(diagnostics);
  return set;
}

// The random rules that compile: a few are refused as senseless by the checker, each on its own.
std::shared_ptr<const rules::RuleSet> RandomSet(RandomRules& random, int count) {
  std::vector<rules::SourceFile> files;
  for (int tried = 0; static_cast<int>(files.size()) < count; ++tried) {
    EXPECT_LT(tried, 2 * count) << "most of the random rules are refused";
    if (tried >= 2 * count) break;
    rules::SourceFile file = random.Rule(tried);
    Diagnostics diagnostics;
    if (rules::RuleSet::Build({file, {"facts/person.yaml", kPersonSchema}}, &diagnostics) == nullptr) {
      if (std::getenv("ZHITUI_SHOW_REFUSED") != nullptr) ADD_FAILURE() << FormatDiagnostics(diagnostics);
      continue;
    }
    files.push_back(std::move(file));
  }
  return BuildSet(std::move(files));
}

facts::Profile MakeProfile(const rules::RuleSet& set, const std::string& json) {
  facts::Profile profile(set.SchemaOf("person"));
  const auto result = profile.SetFromJson(json);
  EXPECT_TRUE(result.has_value()) << result.error().detail << " in " << json;
  return profile;
}

std::shared_ptr<const rules::RuleSet> OneRule(const std::string& when, const std::string& more = "") {
  return BuildSet({{"r.yaml", "rule: r\nabout: person\ntitle: 规则\nowner: 办公室\ntopic: t\n" + more +
                                  "criteria:\n  c: {label: 条件, when: " + RandomRules::Quoted(when) + "}\n"}});
}

rules::Answer AnswerOf(const std::string& when, const std::string& facts) {
  const auto set = OneRule(when);
  const auto engine = Engine::Build(set, "person");
  Scratch scratch;
  return engine->At(kDay)->Answer(MakeProfile(*set, facts).slots(), scratch).of(0);
}

TEST(Engine, AMissingFactLeavesTheAnswerOpenUnlessItIsSettledWithoutIt) {
  EXPECT_EQ(AnswerOf("person.member && person.points > 3", R"({"member": true})"), rules::Answer::kUnknown);
  EXPECT_EQ(AnswerOf("person.member && person.points > 3", R"({"member": false})"), rules::Answer::kIneligible);
  EXPECT_EQ(AnswerOf("person.member || person.points > 3", R"({"member": true})"), rules::Answer::kEligible);
  EXPECT_EQ(AnswerOf("person.member || person.points > 3", R"({"member": true, "points": 1})"),
            rules::Answer::kEligible);
  // Kleene's logic does not know that one of both must hold.
  EXPECT_EQ(AnswerOf("person.points > 3 || person.points <= 3", "{}"), rules::Answer::kUnknown);
}

TEST(Engine, AnUnknownConditionOfAChoiceIsUnknownThoughBothBranchesAgree) {
  EXPECT_EQ(AnswerOf("person.member ? person.points > 3 : person.points > 3", R"({"points": 9})"),
            rules::Answer::kUnknown);
}

TEST(Engine, AKindWithoutRulesHasNoAnswersAndAnUnknownKindNoEngine) {
  const auto set = BuildSet({});
  const auto engine = Engine::Build(set, "person");
  ASSERT_NE(engine, nullptr);
  Scratch scratch;
  EXPECT_TRUE(engine->At(kDay)->Answer(MakeProfile(*set, "{}").slots(), scratch).eligible().empty());
  EXPECT_EQ(Engine::Build(set, "ghost"), nullptr);
}

TEST(Engine, EqualConditionsOfSeveralRulesAreOne) {
  std::vector<rules::SourceFile> files;
  for (const char* id : {"a", "b", "c"}) {
    files.push_back(
        {std::string(id) + ".yaml",
         "rule: " + std::string(id) +
             "\nabout: person\ntitle: 规则\nowner: 办公室\ntopic: t\nlet:\n  n: person.points\ncriteria:\n"
             "  c: {label: 条件, when: n > 3}\n  d: {label: 条件, when: person.points > 3 && person.member}\n"});
  }
  const auto engine = Engine::Build(BuildSet(files), "person");
  const Size size = engine->At(kDay)->size();
  EXPECT_EQ(size.rules, 3U);
  EXPECT_EQ(size.conditions, 2U);
  EXPECT_EQ(size.computed, 0U);
  EXPECT_EQ(size.alternatives, 3U);
}

TEST(Engine, ARuleOfVeryManyAlternativesIsStillAnswered) {
  std::string when;
  for (int i = 0; i < 12; ++i) {
    when += (when.empty() ? "(" : " && (") + std::string("person.points == ") + std::to_string(i) +
            " || person.months == " + std::to_string(11 - i) + " || person.income > decimal(\"" + std::to_string(i) +
            "\"))";
  }
  EXPECT_EQ(AnswerOf(when, R"({"income": "12"})"), rules::Answer::kEligible);
  EXPECT_EQ(AnswerOf(when, R"({"income": "5", "points": 3, "months": 3})"), rules::Answer::kIneligible);
  EXPECT_EQ(AnswerOf(when, R"({"income": "5"})"), rules::Answer::kUnknown);
}

TEST(Engine, OneTableServesADayUntilOthersPushItOut) {
  const auto engine = Engine::Build(OneRule("person.born < today", "recheck: daily\n"), "person");
  const auto first = engine->At(kDay);
  EXPECT_EQ(engine->At(kDay), first);
  for (int i = 1; i < 10; ++i) engine->At(kDay + std::chrono::days(i));
  EXPECT_NE(engine->At(kDay), first);
  EXPECT_EQ(first->day(), kDay);  // whoever holds it keeps it
}

class EveryMode : public testing::TestWithParam<std::uint32_t> {};

// The definition, rules::Evaluate, against each fast way, on random rules and profiles with missing facts.
TEST_P(EveryMode, AnswersAsTheDefinitionDoes) {
  constexpr int kRules = 250;
  constexpr int kProfiles = 250;
  RandomRules random(GetParam());
  const auto set = RandomSet(random, kRules);
  ASSERT_NE(set, nullptr);
  const auto engine = Engine::Build(set, "person");
  const Date day = kDay + std::chrono::days(random.Below(20'000) - 8'000);
  const auto table = engine->At(day);
  ASSERT_EQ(engine->rules().size(), static_cast<std::size_t>(kRules));

  const auto rule_at = [&](std::size_t number) -> const rules::Rule& { return set->rules()[engine->rules()[number]]; };
  Scratch scratch;
  Columns columns(table);
  value::Arena arena;
  value::Arena keep;  // of values taken from other profiles
  std::vector<std::vector<rules::Answer>> expected;
  std::size_t differences = 0;
  std::size_t settled[3] = {};
  const auto expect = [&](rules::Answer want, rules::Answer got, std::size_t rule, const char* mode,
                          const std::string& facts) {
    if (want == got) return;
    if (++differences > 5) return;
    ADD_FAILURE() << mode << ": " << AnswerName(want) << " expected, " << AnswerName(got) << " found on "
                  << FormatDate(day) << " for " << facts << " by\n"
                  << rule_at(rule).id;
  };
  const auto define = [&](const facts::Profile& profile) {
    std::vector<rules::Answer> out;
    for (std::size_t r = 0; r < set->rules().size(); ++r) {
      arena.Reset();
      const rules::Determination d = rules::Evaluate(rule_at(r), profile, day, arena);
      out.push_back(d.answer);
      ++settled[static_cast<std::size_t>(d.answer)];
      if (d.answer == rules::Answer::kEligible && d.amount) {
        const rules::AmountRow& row = rule_at(r).amounts[table->AmountRow(r, profile.slots(), scratch)];
        const Value is = row.is.Evaluate({profile.slots(), day}, arena);
        const value::Decimal amount = is.is(value::Kind::kInt) ? value::Decimal{is.AsInt(), 0} : is.AsDecimal();
        EXPECT_EQ(value::Decimal::Compare(amount, *d.amount), 0);
      }
    }
    return out;
  };
  std::vector<std::uint64_t> open;
  for (int p = 0; p < kProfiles; ++p) {
    const int missing = p % 3 == 0 ? 1000 : 2 + random.Below(8);
    const std::string facts = random.Facts(missing);
    const facts::Profile profile = MakeProfile(*set, facts);
    expected.push_back(define(profile));
    const Answers answers = table->Answer(profile.slots(), scratch);
    for (std::size_t r = 0; r < expected.back().size(); ++r) {
      expect(expected.back()[r], answers.of(r), r, "per event", facts);
    }
    columns.Append(profile.slots(), scratch);

    // Rules that are not open stay ineligible on every later day.
    table->Open(profile.slots(), scratch, &open);
    for (const int later : {0, 1, 400, 9000, 30'000}) {
      for (std::size_t r = 0; r < set->rules().size(); r += 7) {
        if ((open[r / 64] >> r % 64 & 1) != 0) continue;
        arena.Reset();
        const auto d = rules::Evaluate(rule_at(r), profile, day + std::chrono::days(later), arena);
        expect(rules::Answer::kIneligible, d.answer, r, "open", facts);
      }
    }

    if (p % 5 != 0) continue;
    // A kept subject whose facts change, a few at a time.
    Subject subject;
    table->Begin(profile.slots(), scratch, &subject);
    for (std::size_t r = 0; r < expected.back().size(); ++r) {
      expect(expected.back()[r], subject.answers().of(r), r, "begin", facts);
    }
    std::vector<Value> slots = profile.slots();
    for (int step = 0; step < 4; ++step) {
      const std::string others = random.Facts(4);
      const facts::Profile other = MakeProfile(*set, others);
      std::vector<std::uint32_t> changed;
      for (std::uint32_t s = 0; s < slots.size(); ++s) {
        if (!random.OneIn(step == 0 ? 12 : 5)) continue;
        changed.push_back(s);
        slots[s] = other.slots()[s];
      }
      table->Change(slots, changed, scratch, &subject);
      // The definition wants a profile: the per-event answer, compared above, stands for it.
      const Answers full = table->Answer(slots, scratch);
      for (std::size_t r = 0; r < set->rules().size(); ++r) {
        expect(full.of(r), subject.answers().of(r), r, "incremental", others);
      }
      for (Value& v : slots) v = value::DeepCopy(v, keep);
    }
  }

  const Columns::Counts counts = columns.Count(0, columns.size());
  std::vector<std::uint64_t> eligible;
  std::vector<std::uint64_t> unknown;
  columns.Answer(0, &eligible, &unknown);
  for (std::size_t r = 0; r < set->rules().size(); ++r) {
    std::uint64_t all[3] = {};
    for (std::size_t p = 0; p < expected.size(); ++p) {
      ++all[static_cast<std::size_t>(expected[p][r])];
      const std::size_t word = r * (Columns::kBlock / 64) + p / 64;
      const rules::Answer got = (eligible[word] >> p % 64 & 1) != 0  ? rules::Answer::kEligible
                                : (unknown[word] >> p % 64 & 1) != 0 ? rules::Answer::kUnknown
                                                                     : rules::Answer::kIneligible;
      expect(expected[p][r], got, r, "columns", std::to_string(p));
    }
    EXPECT_EQ(counts.eligible[r], all[static_cast<std::size_t>(rules::Answer::kEligible)]);
    EXPECT_EQ(counts.unknown[r], all[static_cast<std::size_t>(rules::Answer::kUnknown)]);
  }
  EXPECT_EQ(differences, 0U);
  // The set says something: each answer is frequent.
  for (const std::size_t n : settled) EXPECT_GT(n, expected.size() * set->rules().size() / 100);
}

INSTANTIATE_TEST_SUITE_P(Seeds, EveryMode, testing::Range(1U, 17U));

// A random rule of a city with one of a district and one of a street over it, whose criteria are partly their own.
std::shared_ptr<const rules::RuleSet> AreaSet(RandomRules& random, int count) {
  std::vector<rules::SourceFile> files;
  for (int i = 0; i < count; ++i) {
    const std::string id = "a" + std::to_string(1000 + i);
    const auto criterion = [&](const char* name) {
      return "  " + std::string(name) +
             ": {label: 条件, when: " + RandomRules::Quoted("person.points < " + random.Int(2, 20)) + "}\n";
    };
    files.push_back({id + ".yaml", "rule: " + id +
                                       "\nabout: person\ntitle: 规则\nowner: 办公室\ntopic: t\narea: \"4403\"\n"
                                       "by: person.city\nvalid: {from: 2001-01-01}\ncriteria:\n" +
                                       criterion("c") + criterion("d")});
    files.push_back({id + "d.yaml", "rule: " + id + "d\nover: " + id +
                                        "\narea: \"440304\"\nlaw: {district: {title: 文件}}\nvalid: {from: " +
                                        random.Int(2002, 2030) + "-03-01}\ncriteria:\n" + criterion("c")});
    files.push_back({id + "s.yaml", "rule: " + id + "s\nover: " + id +
                                        "d\narea: \"440304001\"\nlaw: {street: {title: 文件}}\nvalid: {from: " +
                                        random.Int(2002, 2030) + "-03-01}\ncriteria:\n" + criterion("e")});
  }
  return BuildSet(std::move(files));
}

TEST(Engine, AnswersForRulesOverEachOtherAsTheyDoOneByOne) {
  RandomRules random(7);
  const auto set = AreaSet(random, 20);
  ASSERT_NE(set, nullptr);
  const auto engine = Engine::Build(set, "person");
  value::Arena arena;
  std::size_t settled[3] = {};
  for (int year = 2000; year <= 2031; year += 3) {
    const Date day = kDay + std::chrono::days((year - 2026) * 365);
    const auto table = engine->At(day);
    Scratch scratch;
    Columns columns(table);
    std::vector<std::uint64_t> eligible(set->rules().size());
    for (int p = 0; p < 60; ++p) {
      const std::string facts = random.Facts(6);
      const facts::Profile profile = MakeProfile(*set, facts);
      const Answers answers = table->Answer(profile.slots(), scratch);
      columns.Append(profile.slots(), scratch);
      for (std::size_t r = 0; r < engine->rules().size(); ++r) {
        arena.Reset();
        const rules::Rule& rule = set->rules()[engine->rules()[r]];
        const rules::Answer expected = rules::Evaluate(rule, profile, day, arena).answer;
        EXPECT_EQ(answers.of(r), expected) << rule.id << " for " << facts << " on " << FormatDate(day);
        ++settled[static_cast<std::size_t>(expected)];
        eligible[r] += expected == rules::Answer::kEligible ? 1 : 0;
      }
    }
    EXPECT_EQ(columns.Count(0, columns.size()).eligible, eligible);
  }
  for (const std::size_t n : settled) EXPECT_GT(n, 500U);
}

TEST(Columns, ManyBlocksAreCountedInAnyDivision) {
  RandomRules random(99);
  const auto set = RandomSet(random, 40);
  const auto table = Engine::Build(set, "person")->At(kDay);
  Columns columns(table);
  Scratch scratch;
  std::vector<std::uint64_t> expected(set->rules().size());
  const std::size_t subjects = 2 * Columns::kBlock + 777;
  std::vector<facts::Profile> profiles;
  for (int i = 0; i < 100; ++i) profiles.push_back(MakeProfile(*set, random.Facts(9)));
  for (std::size_t i = 0; i < subjects; ++i) {
    const facts::Profile& profile = profiles[i * 7 % profiles.size()];
    columns.Append(profile.slots(), scratch);
    const Answers answers = table->Answer(profile.slots(), scratch);
    for (std::size_t r = 0; r < expected.size(); ++r) expected[r] += answers.of(r) == rules::Answer::kEligible ? 1 : 0;
  }
  EXPECT_EQ(columns.size(), subjects);
  EXPECT_EQ(columns.Count(0, subjects).eligible, expected);
  std::vector<std::uint64_t> sum(expected.size());
  for (std::size_t b = 0; b < subjects; b += Columns::kBlock) {
    const Columns::Counts part = columns.Count(b, std::min(b + Columns::kBlock, subjects));
    for (std::size_t r = 0; r < sum.size(); ++r) sum[r] += part.eligible[r];
  }
  EXPECT_EQ(sum, expected);
}

}  // namespace
}  // namespace zhitui::engine
