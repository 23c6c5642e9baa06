// Values that are entered for days gone by: who is told what, from when, and how often.
#include <gtest/gtest.h>

#include <set>

#include "decide/decide.h"

namespace zhitui::decide {
namespace {

using Lines = std::vector<std::string>;

constexpr const char* kSchema = R"(kind: resident
sources: {police: {zh: 公安}}
facts:
  birth_date: {type: date, source: police, label: {zh: 出生日期}}
  city: {type: code, source: police, label: {zh: 城市}}
)";

// min_age and rate as given; eligible in the city from that age on.
std::shared_ptr<const rules::RuleSet> Rules(const std::string& params, const std::string& more = "") {
  const std::string rule = R"(rule: senior
about: resident
title: 津贴
owner: 民政局
topic: benefits.elderly
valid: {from: 2020-01-01}
params:
)" + params + R"(criteria:
  local: {label: 本市, when: 'resident.city == "440300"'}
  old: {label: 年龄, when: 'age(resident.birth_date, today) >= params.min_age'}
)" + more + R"(amount: {unit: CNY/month, table: [{is: params.rate}]}
notify:
  - {on: upcoming, ahead: 3 months, message: soon}
  - {on: eligible, message: now}
  - {on: amount_changed, message: more}
  - {on: ceased, message: gone}
  - {on: correction, message: corrected}
)";
  Diagnostics diagnostics;
  auto set = rules::RuleSet::Build({{"facts/resident.yaml", kSchema}, {"senior.yaml", rule}}, &diagnostics);
  EXPECT_TRUE(set) << FormatDiagnostics(diagnostics);
  return set;
}

constexpr const char* kPlain = "  min_age: {2020-01-01: 70}\n  rate: {2020-01-01: 200}\n";
constexpr const char* kMore =
    "  min_age: {2020-01-01: 70}\n  rate: {2020-01-01: 200, 2025-07-01: {is: 300, entered: 2025-09-10}}\n";
constexpr const char* kYounger =
    "  min_age: {2020-01-01: 70, 2025-07-01: {is: 65, entered: 2025-09-10}}\n  rate: {2020-01-01: 200}\n";

class Person {
 public:
  explicit Person(std::shared_ptr<const rules::RuleSet> set)
      : set_(std::move(set)), profile_(set_->SchemaOf("resident")) {}

  std::vector<Decision> Event(const std::string& day, const std::string& data) {
    facts::Event event;
    event.id = "e";
    event.source = "police";
    event.kind = "resident";
    event.subject = "r-1";
    event.recorded = *ParseInstant(day + "T10:00:00+08:00");
    event.time = event.recorded;
    event.data = data;
    std::vector<Decision> out = Until(event.recorded);
    const auto merged = profile_.Merge(event);
    EXPECT_TRUE(merged);
    Change change;
    change.now = event.recorded;
    change.event_time = event.time;
    change.slots = merged->changed;
    Add(&out, React(profile_, state_, *set_, "r-1", change, arena_));
    return out;
  }
  std::vector<Decision> UntilDay(const std::string& day) { return Until(*ParseInstant(day + "T00:00:00+08:00")); }
  void Use(std::shared_ptr<const rules::RuleSet> set) { set_ = std::move(set); }
  const SubjectState& state() const { return state_; }

 private:
  std::vector<Decision> Until(Instant at) {
    std::vector<Decision> out;
    Add(&out, Advance(profile_, state_, *set_, "r-1", at, arena_));
    return out;
  }
  static void Add(std::vector<Decision>* out, Outcome outcome) {
    for (Decision& d : outcome.decisions) out->push_back(std::move(d));
  }
  std::shared_ptr<const rules::RuleSet> set_;
  facts::Profile profile_;
  SubjectState state_;
  value::Arena arena_;
};

Lines Story(const std::vector<Decision>& decisions) {
  Lines out;
  for (const Decision& d : decisions) {
    std::string line = std::string(TransitionName(d.transition));
    if (d.told_as != d.transition) line += std::string(" to ") + TransitionName(d.told_as);
    line += " " + FormatDate(d.occurrence);
    if (d.amount) line += " " + d.amount->ToString();
    if (d.from) line += " from " + FormatDate(*d.from);
    if (d.until) line += " until " + FormatDate(*d.until);
    out.push_back(line);
  }
  return out;
}

const char* const kOld = R"({"birth_date":"1950-03-02","city":"440300"})";      // 75 in 2025
const char* const kSixties = R"({"birth_date":"1958-03-02","city":"440300"})";  // 67
const char* const kTurns = R"({"birth_date":"1960-08-15","city":"440300"})";    // 65 in August 2025

TEST(EnteredLater, ARaisedAmountIsACorrectionOnTheDayItIsEnteredAndSaysFromWhen) {
  Person p(Rules(kMore));
  EXPECT_EQ(Story(p.Event("2025-01-05", kOld)), Lines{"eligible 2025-01-05 200"});
  EXPECT_EQ(Story(p.UntilDay("2025-09-09")), Lines{});  // until then nobody knows of it
  const std::vector<Decision> told = p.UntilDay("2025-09-10");
  ASSERT_EQ(Story(told), Lines{"correction to amount_changed 2025-09-10 300 from 2025-07-01"});
  EXPECT_EQ(told[0].message, "corrected");
  EXPECT_EQ(StillTrue(told[0], p.state()), "");
  EXPECT_EQ(Story(p.UntilDay("2030-01-01")), Lines{});
}

TEST(EnteredLater, WhoBecomesEligibleByItIsToldOnceAndNotAnnounced) {
  Person p(Rules(kYounger));
  EXPECT_EQ(Story(p.Event("2025-01-05", kSixties)), Lines{});
  EXPECT_EQ(Story(p.UntilDay("2025-09-09")), Lines{});  // no upcoming either
  EXPECT_EQ(Story(p.UntilDay("2025-09-10")), Lines{"correction to eligible 2025-09-10 200 from 2025-07-01"});
  EXPECT_EQ(Story(p.UntilDay("2035-01-01")), Lines{});
}

TEST(EnteredLater, TheDaysConcernedBeginWithTheBirthdayOfWhoWasStillTooYoung) {
  Person p(Rules(kYounger));
  p.Event("2025-01-05", kTurns);
  EXPECT_EQ(Story(p.UntilDay("2025-09-10")), Lines{"correction to eligible 2025-09-10 200 from 2025-08-15"});
  // For whom nothing changes before the day it is entered, it is an ordinary day.
  Person later(Rules(kYounger));
  later.Event("2025-01-05", R"({"birth_date":"1960-10-01","city":"440300"})");
  EXPECT_EQ(Story(later.UntilDay("2025-09-30")), Lines{"upcoming 2025-10-01"});
  EXPECT_EQ(Story(later.UntilDay("2025-10-01")), Lines{"eligible 2025-10-01 200"});
  Person same(Rules(kYounger));
  same.Event("2025-01-05", R"({"birth_date":"1960-09-10","city":"440300"})");
  EXPECT_EQ(Story(same.UntilDay("2025-09-10")), (Lines{"upcoming 2025-09-10", "eligible 2025-09-10 200"}));
}

TEST(EnteredLater, WhoLosesByItIsToldSinceWhen) {
  Person p(
      Rules("  min_age: {2020-01-01: 65, 2025-07-01: {is: 70, entered: 2025-09-10}}\n  rate: {2020-01-01: 200}\n"));
  EXPECT_EQ(Story(p.Event("2025-01-05", kSixties)), Lines{"eligible 2025-01-05 200"});
  EXPECT_EQ(Story(p.UntilDay("2025-10-10")), Lines{"correction to ceased 2025-09-10 200 from 2025-07-01"});
}

TEST(EnteredLater, AFileThatComesAfterTheDayCorrectsAsSoonAsItIsThere) {
  for (const bool known : {true, false}) {
    Person p(Rules(kPlain));
    p.Event("2025-01-05", known ? kOld : kSixties);
    p.Event("2025-09-11", R"({"city":"440300"})");
    p.Use(Rules(known ? kMore : kYounger));
    EXPECT_EQ(Story(p.Event("2025-09-12", "{}")),
              Lines{known ? "correction to amount_changed 2025-09-12 300 from 2025-07-01"
                          : "correction to eligible 2025-09-12 200 from 2025-07-01"});
    // Once: not again with the next ruleset, nor with a fact.
    p.Use(Rules(known ? kMore : kYounger, "  more: {label: 多, when: 'true'}\n"));
    EXPECT_EQ(Story(p.Event("2025-10-01", "{}")), Lines{});
  }
}

TEST(EnteredLater, DaysThatAreOverAreCorrectedThoughTodayIsTheSame) {
  // August's value was known before July's was entered.
  const auto set = Rules(
      "  min_age: {2020-01-01: 70}\n"
      "  rate: {2020-01-01: 200, 2025-07-01: {is: 300, entered: 2025-09-10}, 2025-08-01: 350}\n");
  Person p(set);
  p.Event("2025-01-05", kOld);
  EXPECT_EQ(Story(p.UntilDay("2025-09-09")), Lines{"amount_changed 2025-08-01 350"});
  const std::vector<Decision> told = p.UntilDay("2025-12-31");
  ASSERT_EQ(Story(told), Lines{"correction to amount_changed 2025-09-10 300 from 2025-07-01 until 2025-08-01"});
  EXPECT_EQ(p.state().rules.at(0).amount->ToString(), "350");
  EXPECT_EQ(StillTrue(told[0], p.state()), "");
  // Who has left since is still owed July.
  Person left(set);
  left.Event("2025-01-05", kSixties);
  const auto gone = Rules(
      "  min_age: {2020-01-01: 70, 2025-07-01: [70, {is: 65, entered: 2025-09-10}], 2025-08-01: 70}\n"
      "  rate: {2020-01-01: 200}\n");
  Person never(gone);
  never.Event("2025-01-05", kSixties);
  const std::vector<Decision> july = never.UntilDay("2025-12-31");
  ASSERT_EQ(Story(july), Lines{"correction to eligible 2025-09-10 200 from 2025-07-01 until 2025-08-01"});
  EXPECT_EQ(never.state().rules.at(0).standing, Standing::kIneligible);
  EXPECT_EQ(StillTrue(july[0], never.state()), "");
}

TEST(EnteredLater, AValueThatIsEnteredTwiceForOneDayCorrectsTwiceUnderTwoNames) {
  const auto set = Rules(
      "  min_age: {2020-01-01: 70}\n"
      "  rate:\n    2020-01-01: 200\n"
      "    2025-07-01: [250, {is: 300, entered: 2025-09-10}, {is: 250, entered: 2025-10-10}, {is: 300, entered: "
      "2025-11-10}]\n");
  const auto run = [&] {
    Person p(set);
    std::vector<Decision> all = p.Event("2025-01-05", kOld);
    for (Decision& d : p.UntilDay("2026-01-01")) all.push_back(std::move(d));
    return all;
  };
  const std::vector<Decision> all = run();
  EXPECT_EQ(Story(all), (Lines{"eligible 2025-01-05 200", "amount_changed 2025-07-01 250",
                               "correction to amount_changed 2025-09-10 300 from 2025-07-01",
                               "correction to amount_changed 2025-10-10 250 from 2025-07-01",
                               "correction to amount_changed 2025-11-10 300 from 2025-07-01"}));
  std::set<std::string> ids;
  for (const Decision& d : all) ids.insert(d.id);
  EXPECT_EQ(ids.size(), all.size());
  const std::vector<Decision> again = run();
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(again[i].id, all[i].id);
}

TEST(EnteredLater, AFactThatChangesAfterTheDayIsNoCorrection) {
  Person p(Rules(kYounger));
  p.Event("2025-01-05", R"({"birth_date":"1958-03-02","city":"110100"})");
  EXPECT_EQ(Story(p.UntilDay("2025-09-15")), Lines{});
  EXPECT_EQ(Story(p.Event("2025-09-20", R"({"city":"440300"})")), Lines{"eligible 2025-09-20 200"});
  // Nor is the first that is known of somebody.
  Person fresh(Rules(kYounger));
  EXPECT_EQ(Story(fresh.Event("2025-09-20", kSixties)), Lines{"eligible 2025-09-20 200"});
}

TEST(EnteredLater, TheStateAndTheDecisionKeepIt) {
  Person p(Rules(kMore));
  p.Event("2025-01-05", kOld);
  const std::vector<Decision> told = p.UntilDay("2025-09-10");
  const Result<SubjectState> back = SubjectState::Decode(p.state().Encode());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->rules.at(0).corrected, MakeDate(2025, 9, 10));
  ASSERT_EQ(told.size(), 1U);
  const Result<Decision> read = Decision::FromJson(told[0].ToJson());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->from, MakeDate(2025, 7, 1));
  EXPECT_EQ(read->ToJson(), told[0].ToJson());
}

}  // namespace
}  // namespace zhitui::decide
