// Working days: the calendar that comes with the rules, its mistakes, and what expressions get from it.
#include <map>

#include "rules/rules_support.h"

namespace zhitui::rules {
namespace {

SourceFile Calendar(const std::string& body, const std::string& id = "cn") {
  return {"calendars/" + id + ".yaml", "calendar: " + id + "\ntitle: 日历\n" + body};
}
const char* const kTwoYears = R"(years:
  2025:
    law: {title: 通知一}
    holidays: [{label: 元旦, days: 2025-01-01}, {label: 国庆节, days: 2025-10-01 to 2025-10-08, worked: [2025-09-28, 2025-10-11]}]
  2026:
    law: {title: 通知二}
    holidays: [{label: 元旦, days: 2026-01-01 to 2026-01-03, worked: 2026-01-04}]
)";

SourceFile CnOfTheSamples() {
  for (SourceFile& file : SampleFiles()) {
    if (file.path == "calendars/cn.yaml") return file;
  }
  return {};
}

// What `when` gives for nobody in particular on a day.
std::string On(const RuleSet& set, const std::string& day) {
  const facts::Profile profile = MakeProfile(set, "person", "{}");
  value::Arena arena;
  const Determination d = Evaluate(set.rules()[0], profile, Day(day), arena);
  return d.error.empty() ? AnswerName(d.answer) : d.error;
}

TEST(Calendar, TheYearsOfTheStateCouncilHaveTheWorkingDaysThatTheLawLeaves) {
  // 全国年节及纪念日放假办法: 11 days a year, 13 from 2025 on; what is moved around them keeps the count. Each of the
  // three years has 104 days of weekends.
  const std::map<int, int> expected = {{2024, 366 - 104 - 11}, {2025, 365 - 104 - 13}, {2026, 365 - 104 - 13}};
  const auto set = MustBuild(
      {PersonSchema(), CnOfTheSamples(), PersonRule("criteria:\n  c: {label: 工作日, when: is_working_day(today)}\n")});
  ASSERT_NE(set, nullptr);
  const facts::Profile profile = MakeProfile(*set, "person", "{}");
  value::Arena arena;
  for (const auto& [year, days] : expected) {
    int count = 0;
    for (Date day = MakeDate(year, 1, 1); day < MakeDate(year + 1, 1, 1); day += std::chrono::days(1)) {
      arena.Reset();
      if (Evaluate(set->rules()[0], profile, day, arena).answer == Answer::kEligible) ++count;
    }
    EXPECT_EQ(count, days) << year;
  }
  for (const char* worked : {"2024-02-04", "2024-02-09", "2024-02-18", "2025-02-08", "2025-09-28", "2026-02-28"}) {
    EXPECT_EQ(On(*set, worked), "eligible") << worked;
  }
  for (const char* off : {"2024-02-12", "2024-06-10", "2025-01-28", "2025-10-08", "2026-02-16", "2026-03-07"}) {
    EXPECT_EQ(On(*set, off), "ineligible") << off;
  }
  EXPECT_EQ(On(*set, "2023-12-29"), "criterion c: the calendar `cn` covers 2024 to 2026, not this day");
  EXPECT_EQ(On(*set, "2027-01-04"), "criterion c: the calendar `cn` covers 2024 to 2026, not this day");
}

TEST(Calendar, DeadlinesInWorkingDaysAreAsCountedByHand) {
  const auto check = [](const std::string& when) {
    const auto set = MustBuild(
        {PersonSchema(), CnOfTheSamples(), PersonRule("criteria:\n  c: {label: 期限, when: '" + when + "'}\n")});
    return set == nullptr ? std::string("no set") : On(*set, "2026-03-01");
  };
  for (const char* when : {
           "add_working_days(date(2025, 9, 30), 1) == date(2025, 10, 9)",   // after the holiday
           "add_working_days(date(2025, 10, 9), 3) == date(2025, 10, 13)",  // the 11th, a Saturday, is worked
           "add_working_days(date(2025, 10, 3), 0) == date(2025, 10, 9)",   // the next day that is worked
           "add_working_days(date(2025, 9, 28), 0) == date(2025, 9, 28)",
           "add_working_days(date(2025, 10, 9), -1) == date(2025, 9, 30)",
           "add_working_days(date(2025, 10, 5), -1) == date(2025, 9, 30)",
           "working_days_between(date(2025, 9, 30), date(2025, 10, 13)) == 4",  // 9, 10, 11 and 13 October
           "working_days_between(date(2025, 10, 13), date(2025, 9, 30)) == -4",
           "working_days_between(date(2025, 10, 1), date(2025, 10, 8)) == 0",
       }) {
    EXPECT_EQ(check(when), "eligible") << when;
  }
  EXPECT_NE(check("add_working_days(date(2026, 12, 31), 1) > today").find("covers 2024 to 2026"), std::string::npos);
  EXPECT_NE(check("add_working_days(today, 9223372036854775807) > today").find("covers"), std::string::npos);
}

TEST(Calendar, CountingGoesTogether) {
  const Date off[] = {Day("2025-01-01"), Day("2025-10-01"), Day("2025-10-02"), Day("2025-10-03")};
  const Date worked[] = {Day("2025-09-28"), Day("2025-10-11")};
  const auto calendar = cel::Calendar::Make("x", 2025, 2025, off, worked);
  const auto is_worked = [&](Date day) {
    if (std::find(std::begin(worked), std::end(worked), day) != std::end(worked)) return true;
    const unsigned weekday = std::chrono::weekday(day).c_encoding();
    return weekday != 0 && weekday != 6 && std::find(std::begin(off), std::end(off), day) == std::end(off);
  };
  std::int64_t count = 0;
  for (Date day = calendar->first(); day <= calendar->last(); day += std::chrono::days(1)) {
    ASSERT_EQ(calendar->IsWorkingDay(day), is_worked(day)) << FormatDate(day);
    count += is_worked(day) ? 1 : 0;
    ASSERT_EQ(calendar->CountTo(day), count);
    ASSERT_TRUE(!is_worked(day) || calendar->Nth(count) == day);
  }
  EXPECT_EQ(calendar->Nth(0), std::nullopt);
  EXPECT_EQ(calendar->Nth(count + 1), std::nullopt);
}

TEST(Calendar, ARuleTakesTheOnlyOneOrCnOrTheOneItNames) {
  const std::string body = "criteria:\n  c: {label: 工作日, when: is_working_day(today)}\n";
  const SourceFile other =
      Calendar("years:\n  2026:\n    law: {title: 另一通知}\n    holidays: [{label: 元旦, days: 2026-01-05}]\n", "hk");
  const auto only = MustBuild({PersonSchema(), other, PersonRule(body)});
  EXPECT_EQ(On(*only, "2026-01-05"), "ineligible");
  const auto cn = MustBuild({PersonSchema(), other, Calendar(kTwoYears), PersonRule(body)});
  EXPECT_EQ(On(*cn, "2026-01-05"), "eligible");
  const auto named = MustBuild({PersonSchema(), other, Calendar(kTwoYears), PersonRule("calendar: hk\n" + body)});
  EXPECT_EQ(On(*named, "2026-01-05"), "ineligible");
  EXPECT_EQ(only->rules()[0].hash, named->rules()[0].hash);
  EXPECT_NE(only->rules()[0].hash, cn->rules()[0].hash);
}

TEST(Calendar, ItsContentIsPartOfTheHashOfRulesThatAskItAndOfNoOther) {
  const std::string asks = "criteria:\n  c: {label: 工作日, when: is_working_day(today)}\n";
  const std::string plain = "criteria:\n  c: {label: 会员, when: person.member}\n";
  std::string changed = kTwoYears;
  changed.replace(changed.find("2025-10-11"), 10, "2025-10-12");
  std::string renamed = kTwoYears;
  renamed.replace(renamed.find("通知一"), std::string("通知一").size(), "通知甲");
  const auto hashes = [&](const std::string& calendar) {
    const auto set =
        MustBuild({PersonSchema(), Calendar(calendar), PersonRule(asks, "asks"), PersonRule(plain, "plain")});
    return std::pair(set->Find("asks")->hash, set->Find("plain")->hash);
  };
  const auto before = hashes(kTwoYears);
  EXPECT_NE(hashes(changed).first, before.first);
  EXPECT_EQ(hashes(changed).second, before.second);
  EXPECT_EQ(hashes(renamed).first, before.first);  // the citation decides nothing
}

TEST(Calendar, MistakesAreShownWhereTheyStand) {
  const std::string body = "criteria:\n  c: {label: 工作日, when: is_working_day(today)}\n";
  const auto mistakes = [&](const SourceFile& calendar, const std::string& rule) {
    Diagnostics diagnostics;
    EXPECT_EQ(RuleSet::Build({PersonSchema(), calendar, PersonRule(rule)}, &diagnostics), nullptr);
    std::string out;
    for (const Diagnostic& d : diagnostics) {
      out += d.at.file + ":" + std::to_string(d.at.line) + ":" + std::to_string(d.at.column) + " " + d.code + " " +
             d.message + "\n";
    }
    return out;
  };
  const std::string holidays = "years:\n  2026:\n    law: {title: 通知}\n    holidays:\n";
  // The rule that asks it is not reported as well.
  EXPECT_EQ(mistakes(Calendar(holidays + "      - {label: 元旦, days: 2026-01-32}\n"), body),
            "calendars/cn.yaml:7:27 bad-calendar here days are expected\n");
  EXPECT_EQ(mistakes(Calendar(holidays + "      - {label: 元旦, days: 2026-01-01, worked: 2026-01-05}\n"), body),
            "calendars/cn.yaml:7:47 bad-calendar 2026-01-05 is not on a weekend, it is worked anyway\n");
  EXPECT_EQ(
      mistakes(
          Calendar(holidays +
                   "      - {label: 元旦, days: 2026-01-01 to 2026-01-03}\n      - {label: 又, days: 2026-01-03}\n"),
          body),
      "calendars/cn.yaml:8:26 bad-calendar 2026-01-03 stands in line 7 already\n");
  EXPECT_EQ(mistakes(Calendar(holidays + "      - {label: 元旦, days: 2024-01-01}\n"), body),
            "calendars/cn.yaml:7:27 bad-calendar 2024-01-01 does not belong to 2026\n");
  EXPECT_EQ(mistakes(Calendar("years:\n  2024: {law: {title: 甲}, holidays: [{label: 元旦, days: 2024-01-01}]}\n"
                              "  2026: {law: {title: 乙}, holidays: [{label: 元旦, days: 2026-01-01}]}\n"),
                     body),
            "calendars/cn.yaml:5:3 bad-calendar after 2024 comes 2025\n");
  EXPECT_EQ(
      mistakes(Calendar(holidays + "      - {label: 元旦, day: 2026-01-01}\n"), body),
      "calendars/cn.yaml:7:9 missing-key the key days is missing here\ncalendars/cn.yaml:7:21 unknown-key the key "
      "\"day\" is not known here\n");
  EXPECT_EQ(mistakes({"calendars/us.yaml", Calendar(kTwoYears).text}, body),
            "calendars/us.yaml:1:11 file-name the calendar `cn` is in another file than its name says\n");
  EXPECT_EQ(mistakes(Calendar(kTwoYears), "calendar: hk\n" + body),
            "r.yaml:6:11 unknown-calendar there is no calendar `hk`\nr.yaml:8:25 no-calendar no calendar says which "
            "days are worked\n");
  Diagnostics none;
  EXPECT_EQ(RuleSet::Build({PersonSchema(), PersonRule(body)}, &none), nullptr);
  ASSERT_EQ(none.size(), 1U);
  EXPECT_EQ(none[0].code, "no-calendar");
}

}  // namespace
}  // namespace zhitui::rules
