#include "decide/decide.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace zhitui::decide {
namespace {

constexpr const char* kSchema = R"(kind: resident
alive_unless: death_date
recipients: guardians
sources: {police: {zh: 公安}, civil: {zh: 民政}}
facts:
  birth_date: {type: date, source: police, label: {zh: 出生日期}}
  death_date: {type: date, source: police, nullable: true, label: {zh: 死亡日期}}
  hukou.city: {type: code, source: police, label: {zh: 户籍}}
  registered: {type: bool, source: civil, label: {zh: 登记}}
  guardians:
    type: list
    source: civil
    label: {zh: 监护人}
    of:
      id: {type: string, label: {zh: 编号}}
)";

constexpr const char* kSenior = R"(rule: senior
about: resident
title: {zh: 高龄津贴, en: Senior allowance}
owner: 福田区民政局
topic: benefits.elderly
criteria:
  local: {label: {zh: 深圳户籍, en: Shenzhen hukou}, when: 'resident.hukou.city == "440300"'}
  old: {label: {zh: 满70, en: 70}, when: 'age(resident.birth_date, today) >= 70'}
amount:
  unit: CNY/month
  table:
    - {when: 'age(resident.birth_date, today) >= 80', is: 300}
    - {is: 200}
notify:
  - {on: upcoming, ahead: 2 months, message: soon, channels: [sms]}
  - {on: eligible, message: now, channels: [app, sms]}
  - {on: amount_changed, message: more, channels: [app]}
  - {on: ceased, message: gone, channels: [app]}
)";

constexpr const char* kWindow = R"(rule: window
about: resident
title: {zh: 窗口, en: Window}
owner: 某局
topic: education.enrolment
criteria:
  open: {label: {zh: 开放, en: Open}, when: 'today >= date("2026-05-30") && today < date("2026-06-07")'}
  local: {label: {zh: 深圳户籍, en: Shenzhen hukou}, when: 'resident.hukou.city == "440300"'}
notify:
  - {on: eligible, message: open, channels: [app], to: guardians}
  - {on: reminder, before: 2 days, message: last, channels: [app]}
)";

std::shared_ptr<const rules::RuleSet> Rules(std::vector<rules::SourceFile> files) {
  files.push_back({"facts/resident.yaml", kSchema});
  Diagnostics diagnostics;
  auto ruleset = rules::RuleSet::Build(files, &diagnostics);
  EXPECT_TRUE(ruleset) << FormatDiagnostics(diagnostics);
  return ruleset;
}

// One subject driven by events, as the pipeline does it.
class Person {
 public:
  explicit Person(std::shared_ptr<const rules::RuleSet> ruleset)
      : ruleset_(std::move(ruleset)), profile_(ruleset_->SchemaOf("resident")) {}

  std::vector<Decision> Event(const std::string& day, const std::string& source, const std::string& data,
                              bool baseline = false, const std::string& happened = "") {
    facts::Event event;
    event.id = "e";
    event.source = source;
    event.kind = "resident";
    event.subject = "r-1";
    event.recorded = *ParseInstant(day + "T10:00:00+08:00");
    event.time = happened.empty() ? event.recorded : *ParseInstant(happened + "T10:00:00+08:00");
    event.baseline = baseline;
    event.data = data;
    Change change;
    change.now = std::max(event.recorded, state_.now);
    change.event_time = event.time;
    change.baseline = baseline;
    std::vector<Decision> out = Until(change.now);
    auto merged = profile_.Merge(event);
    EXPECT_TRUE(merged) << facts::RefusalName(merged.error().reason) << " " << merged.error().detail;
    if (!merged) return out;
    change.slots = merged->changed;
    Add(&out, React(profile_, state_, *ruleset_, "r-1", change, arena_));
    return out;
  }
  std::vector<Decision> Until(Instant at) {
    std::vector<Decision> out;
    Add(&out, Advance(profile_, state_, *ruleset_, "r-1", at, arena_));
    return out;
  }
  std::vector<Decision> UntilDay(const std::string& day) { return Until(*ParseInstant(day + "T00:00:00+08:00")); }
  void Use(std::shared_ptr<const rules::RuleSet> ruleset) { ruleset_ = std::move(ruleset); }

  SubjectState& state() { return state_; }

 private:
  static void Add(std::vector<Decision>* out, Outcome outcome) {
    for (Decision& d : outcome.decisions) out->push_back(std::move(d));
  }
  std::shared_ptr<const rules::RuleSet> ruleset_;
  facts::Profile profile_;
  SubjectState state_;
  value::Arena arena_;
};

std::vector<std::string> Story(const std::vector<Decision>& decisions) {
  std::vector<std::string> out;
  for (const Decision& d : decisions) {
    out.push_back(d.rule + " " + TransitionName(d.transition) + " " + FormatDate(d.occurrence) +
                  (d.amount ? " " + d.amount->ToString() : ""));
  }
  return out;
}
using Lines = std::vector<std::string>;

TEST(Decide, TellsOfTheBirthdayTwoMonthsAheadThenOnTheDayThenOfMoreAtEighty) {
  Person p(Rules({{"senior.yaml", kSenior}}));
  EXPECT_EQ(Story(p.Event("2026-01-05", "police", R"({"birth_date":"1956-05-20","hukou":{"city":"440300"}})")),
            Lines{});
  EXPECT_EQ(Story(p.UntilDay("2026-03-19")), Lines{});
  EXPECT_EQ(Story(p.UntilDay("2026-03-20")), (Lines{"senior upcoming 2026-05-20"}));
  EXPECT_EQ(Story(p.UntilDay("2026-05-19")), Lines{});
  EXPECT_EQ(Story(p.UntilDay("2026-05-20")), (Lines{"senior eligible 2026-05-20 200"}));
  EXPECT_EQ(Story(p.UntilDay("2036-05-19")), Lines{});
  EXPECT_EQ(Story(p.UntilDay("2040-01-01")), (Lines{"senior amount_changed 2036-05-20 300"}));
}

TEST(Decide, ADueThatFellBeforeTheEventFiresFirstAndAtItsOwnInstant) {
  Person p(Rules({{"senior.yaml", kSenior}}));
  p.Event("2026-01-05", "police", R"({"birth_date":"1956-05-20","hukou":{"city":"440300"}})");
  const std::vector<Decision> all = p.Event("2026-06-10", "police", R"({"hukou":{"city":"110100"}})");
  EXPECT_EQ(Story(all),
            (Lines{"senior upcoming 2026-05-20", "senior eligible 2026-05-20 200", "senior ceased 2026-06-10 200"}));
  EXPECT_EQ(all[0].at, *ParseInstant("2026-03-20T00:00:00+08:00"));
  EXPECT_EQ(all[1].at, *ParseInstant("2026-05-20T00:00:00+08:00"));
}

TEST(Decide, ABaselineSetsStateAndTellsNobody) {
  Person p(Rules({{"senior.yaml", kSenior}}));
  EXPECT_EQ(Story(p.Event("2026-01-05", "police", R"({"birth_date":"1946-05-20","hukou":{"city":"440300"}})", true)),
            Lines{});
  EXPECT_EQ(Story(p.Event("2026-01-06", "civil", R"({"registered":true})")), Lines{});
  EXPECT_EQ(Story(p.UntilDay("2026-05-20")), (Lines{"senior amount_changed 2026-05-20 300"}));
}

TEST(Decide, AnAnswerThatBecomesUnknownIsKeptQuietAndItsReturnTooButNotItsEnd) {
  Person p(Rules({{"senior.yaml", kSenior}}));
  p.Event("2026-01-05", "police", R"({"birth_date":"1950-05-20","hukou":{"city":"440300"}})");
  EXPECT_EQ(Story(p.Event("2026-01-06", "police", R"({"hukou":{"city":null}})")), Lines{});
  EXPECT_EQ(p.state().rules.at(0).standing, Standing::kUnknownWasEligible);
  EXPECT_EQ(Story(p.Event("2026-01-07", "police", R"({"hukou":{"city":"440300"}})")), Lines{});
  p.Event("2026-01-08", "police", R"({"hukou":{"city":null}})");
  EXPECT_EQ(Story(p.Event("2026-01-09", "police", R"({"hukou":{"city":"110100"}})")),
            (Lines{"senior ceased 2026-01-09 200"}));
}

TEST(Decide, DeathEndsEverythingAndNobodyIsTold) {
  Person p(Rules({{"senior.yaml", kSenior}}));
  p.Event("2026-01-05", "police", R"({"birth_date":"1950-05-20","hukou":{"city":"440300"}})");
  const std::vector<Decision> end = p.Event("2026-02-01", "police", R"({"death_date":"2026-01-30"})");
  ASSERT_EQ(Story(end), (Lines{"senior ceased 2026-02-01 200"}));
  EXPECT_EQ(end[0].reason, "dead");
  EXPECT_TRUE(end[0].recipients.empty());
  EXPECT_EQ(p.state().NextDue(), std::nullopt);
  EXPECT_EQ(Story(p.UntilDay("2036-01-01")), Lines{});
}

TEST(Decide, ARepealedRuleCeasesWithThatReason) {
  Person p(Rules({{"senior.yaml", kSenior}, {"window.yaml", kWindow}}));
  p.Event("2026-01-05", "police", R"({"birth_date":"1950-05-20","hukou":{"city":"440300"}})");
  p.Use(Rules({{"window.yaml", kWindow}}));
  const std::vector<Decision> end = p.Event("2026-02-01", "civil", R"({"registered":true})");
  ASSERT_EQ(Story(end), (Lines{"senior ceased 2026-02-01 200"}));
  EXPECT_EQ(end[0].reason, "repealed");
}

TEST(Decide, TellsTheGuardiansOfAChild) {
  Person p(Rules({{"window.yaml", kWindow}}));
  p.Event("2026-01-05", "police", R"({"hukou":{"city":"440300"}})");
  p.Event("2026-01-05", "civil", R"({"guardians":[{"id":"r-7"},{"id":"r-8"},{"id":"r-7"}]})");
  const std::vector<Decision> open = p.UntilDay("2026-05-30");
  ASSERT_EQ(Story(open), (Lines{"window eligible 2026-05-30"}));
  EXPECT_EQ(open[0].recipients, (std::vector<Recipient>{{"r-7", "resident"}, {"r-8", "resident"}}));
  EXPECT_EQ(open[0].until, MakeDate(2026, 6, 7));
}

TEST(Decide, RemindsBeforeTheEndButNotWhoHasJustBeenTold) {
  Person early(Rules({{"window.yaml", kWindow}}));
  early.Event("2026-01-05", "police", R"({"hukou":{"city":"440300"}})");
  EXPECT_EQ(Story(early.UntilDay("2026-07-01")),
            (Lines{"window eligible 2026-05-30", "window reminder 2026-06-07", "window ceased 2026-06-07"}));
  Person late(Rules({{"window.yaml", kWindow}}));
  EXPECT_EQ(Story(late.Event("2026-06-06", "police", R"({"hukou":{"city":"440300"}})")),
            (Lines{"window eligible 2026-06-06"}));
  EXPECT_EQ(Story(late.UntilDay("2026-07-01")), (Lines{"window ceased 2026-06-07"}));
}

TEST(Decide, ALateEventThatTurnsOverWhatWasToldIsACorrection) {
  Person p(Rules({{"senior.yaml", kSenior}}));
  p.Event("2026-01-05", "police", R"({"birth_date":"1956-05-20"})");
  p.Event("2026-01-06", "police", R"({"hukou":{"city":"440300"}})");
  p.UntilDay("2026-05-20");
  // Recorded in June: the true birthday is a year later, and the agency says it was so since April.
  const std::vector<Decision> d =
      p.Event("2026-06-10", "police", R"({"birth_date":"1957-05-20"})", false, "2026-04-01");
  ASSERT_EQ(Story(d), (Lines{"senior correction 2026-06-10 200"}));
  EXPECT_EQ(d[0].told_as, Transition::kCeased);
  EXPECT_EQ(d[0].message, "gone");
  EXPECT_EQ(d[0].from, MakeDate(2026, 5, 20));  // since the day it had been told for
}

TEST(Decide, TheSameDayTwiceGivesTwoIdsAndAReplayGivesThemAgain) {
  const auto ruleset = Rules({{"senior.yaml", kSenior}});
  const auto run = [&] {
    Person p(ruleset);
    std::vector<std::string> ids;
    const auto add = [&](const std::vector<Decision>& ds) {
      for (const Decision& d : ds) ids.push_back(d.id);
    };
    add(p.Event("2026-01-05", "police", R"({"birth_date":"1950-05-20","hukou":{"city":"440300"}})"));
    for (int i = 0; i < 3; ++i) {
      add(p.Event("2026-01-05", "police", R"({"hukou":{"city":"110100"}})"));
      add(p.Event("2026-01-05", "police", R"({"hukou":{"city":"440300"}})"));
    }
    return ids;
  };
  const std::vector<std::string> first = run();
  EXPECT_EQ(first.size(), 7U);
  EXPECT_EQ(std::set<std::string>(first.begin(), first.end()).size(), 7U);
  EXPECT_EQ(run(), first);
}

// What a subject goes through does not depend on when the scan looks at its dues.
TEST(Decide, ScansAtAnyMomentGiveTheSameDecisionsAsNone) {
  const auto ruleset = Rules({{"senior.yaml", kSenior}, {"window.yaml", kWindow}});
  std::mt19937 random(11);
  for (int round = 0; round < 60; ++round) {
    struct Step {
      int day;
      std::string data;
    };
    std::vector<Step> steps;
    int day = 0;
    const int year = 1944 + static_cast<int>(random() % 14);
    steps.push_back({0, R"({"birth_date":")" + std::to_string(year) + R"(-05-20","hukou":{"city":"440300"}})"});
    for (int i = 0; i < 6; ++i) {
      day += static_cast<int>(random() % 60);
      steps.push_back({day, random() % 2 ? R"({"hukou":{"city":"440300"}})" : R"({"hukou":{"city":"110100"}})"});
    }
    const Date start = MakeDate(2026, 1, 1);
    std::vector<std::string> plain;
    std::vector<std::string> scanned;
    for (const bool scan : {false, true}) {
      Person p(ruleset);
      std::vector<std::string>& ids = scan ? scanned : plain;
      const auto add = [&](const std::vector<Decision>& ds) {
        for (const Decision& d : ds) ids.push_back(d.id);
      };
      for (std::size_t i = 0; i < steps.size(); ++i) {
        if (scan && i > 0) {
          for (int d = steps[i - 1].day + 1; d <= steps[i].day; d += 1 + static_cast<int>(random() % 9)) {
            add(p.Until(kShanghai.StartOf(start + std::chrono::days(d)) + Millis(random() % 36'000'000)));
          }
        }
        add(p.Event(FormatDate(start + std::chrono::days(steps[i].day)), "police", steps[i].data));
      }
      add(p.UntilDay("2027-12-31"));
    }
    ASSERT_EQ(plain, scanned) << "round " << round;
  }
}

TEST(SubjectState, SurvivesItsEncodingAndRefusesDamage) {
  Person p(Rules({{"senior.yaml", kSenior}, {"window.yaml", kWindow}}));
  p.Event("2026-01-05", "police", R"({"birth_date":"1956-05-20","hukou":{"city":"440300"}})");
  p.UntilDay("2026-06-05");
  const std::string bytes = p.state().Encode();
  const Result<SubjectState> back = SubjectState::Decode(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->Encode(), bytes);
  for (std::size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(SubjectState::Decode(bytes.substr(0, n)));
}

TEST(Decision, SurvivesItsJson) {
  Person p(Rules({{"senior.yaml", kSenior}}));
  const std::vector<Decision> d =
      p.Event("2026-01-05", "police", R"({"birth_date":"1950-05-20","hukou":{"city":"440300"}})");
  ASSERT_EQ(d.size(), 1U);
  const Result<Decision> back = Decision::FromJson(d[0].ToJson());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->ToJson(), d[0].ToJson());
  EXPECT_FALSE(Decision::FromJson("{}"));
  EXPECT_FALSE(Decision::FromJson("not json"));
}

TEST(NotificationId, TellsItsRecipientsShard) {
  for (int i = 0; i < 2000; ++i) {
    const std::string recipient = "r-" + std::to_string(i);
    EXPECT_EQ(ShardOfNotification(NotificationId("d", recipient)), ShardOf(recipient));
  }
  EXPECT_EQ(ShardOfNotification("short"), std::nullopt);
  EXPECT_EQ(ShardOfNotification("0123456789abcdef0123456789abffff"), std::nullopt);
}

TEST(StillTrue, HoldsUntilTheStandingSaysOtherwise) {
  Person p(Rules({{"senior.yaml", kSenior}}));
  const Decision told =
      p.Event("2026-01-05", "police", R"({"birth_date":"1950-05-20","hukou":{"city":"440300"}})").at(0);
  EXPECT_EQ(StillTrue(told, p.state()), "");
  p.Event("2026-01-06", "police", R"({"hukou":{"city":null}})");
  EXPECT_EQ(StillTrue(told, p.state()), "");
  const Decision ended = p.Event("2026-01-07", "police", R"({"hukou":{"city":"110100"}})").at(0);
  EXPECT_EQ(StillTrue(told, p.state()), "no_longer_true");
  EXPECT_EQ(StillTrue(ended, p.state()), "");
  p.Event("2026-01-08", "police", R"({"death_date":"2026-01-08"})");
  EXPECT_EQ(StillTrue(ended, p.state()), "subject_dead");
}

}  // namespace
}  // namespace zhitui::decide
