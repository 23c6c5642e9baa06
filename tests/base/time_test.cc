#include <gtest/gtest.h>

#include <set>

#include "base/base.h"

namespace zhitui {
namespace {

TEST(ParseDate, AcceptsRealDaysOnly) {
  EXPECT_EQ(*ParseDate("2026-03-01"), MakeDate(2026, 3, 1));
  EXPECT_EQ(*ParseDate("2024-02-29"), MakeDate(2024, 2, 29));
  for (const char* bad : {"2025-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "2026-3-1", "26-03-01", " 2026-03-01",
                          "2026-03-01 ", "2026/03/01", "", "0000-01-01", "2026-03-01T00:00:00Z"}) {
    EXPECT_FALSE(ParseDate(bad)) << bad;
  }
}

TEST(ParseDate, IsTheInverseOfFormatDateForEveryDayOfFourCenturies) {
  for (Date day = MakeDate(1800, 1, 1); day < MakeDate(2200, 1, 1); day += std::chrono::days(1)) {
    const Result<Date> back = ParseDate(FormatDate(day));
    ASSERT_TRUE(back && *back == day) << FormatDate(day);
  }
}

// RFC 3339 §5.8 gives these; the first two and the last two name the same instants.
TEST(ParseInstant, ReadsTheExamplesOfRfc3339) {
  EXPECT_EQ(FormatUtc(*ParseInstant("1985-04-12T23:20:50.52Z")), "1985-04-12T23:20:50Z");
  EXPECT_EQ(*ParseInstant("1996-12-19T16:39:57-08:00"), *ParseInstant("1996-12-20T00:39:57Z"));
  EXPECT_EQ(*ParseInstant("1937-01-01T12:00:27.87+00:20"), *ParseInstant("1937-01-01T11:40:27.87Z"));
  EXPECT_TRUE(ParseInstant("1990-12-31T23:59:60Z"));
}

TEST(ParseInstant, KeepsMilliseconds) {
  EXPECT_EQ(ParseInstant("2026-03-01T00:00:00.5Z")->time_since_epoch().count() % 1000, 500);
  EXPECT_EQ(ParseInstant("2026-03-01T00:00:00.123456789Z")->time_since_epoch().count() % 1000, 123);
}

TEST(ParseInstant, RefusesWhatIsNoTime) {
  for (const char* bad :
       {"2026-03-01", "2026-03-01T25:00:00Z", "2026-03-01T00:60:00Z", "2026-03-01T00:00:00", "2026-02-30T00:00:00Z",
        "2026-03-01T00:00:00.Z", "2026-03-01T00:00:00+0800", "2026-03-01T00:00:00Zjunk", "yesterday", ""}) {
    EXPECT_FALSE(ParseInstant(bad)) << bad;
  }
}

TEST(Zone, DayOfShanghaiStartsAt16UtcTheDayBefore) {
  EXPECT_EQ(kShanghai.DateOf(*ParseInstant("2026-02-28T15:59:59.999Z")), MakeDate(2026, 2, 28));
  EXPECT_EQ(kShanghai.DateOf(*ParseInstant("2026-02-28T16:00:00Z")), MakeDate(2026, 3, 1));
  EXPECT_EQ(kShanghai.StartOf(MakeDate(2026, 3, 1)), *ParseInstant("2026-03-01T00:00:00+08:00"));
  EXPECT_EQ(FormatInstant(*ParseInstant("2026-02-28T16:00:00Z")), "2026-03-01T00:00:00.000+08:00");
}

TEST(DrivenClock, NeverGoesBack) {
  DrivenClock clock(*ParseInstant("2026-03-01T00:00:00Z"));
  clock.AdvanceTo(*ParseInstant("2026-03-02T00:00:00Z"));
  clock.AdvanceTo(*ParseInstant("2026-03-01T12:00:00Z"));
  EXPECT_EQ(clock.Now(), *ParseInstant("2026-03-02T00:00:00Z"));
}

}  // namespace
}  // namespace zhitui
