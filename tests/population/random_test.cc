#include "population/random.h"

#include <gtest/gtest.h>

#include "population/calendar.h"

namespace zhitui::population {
namespace {

TEST(Random, SplitMix64GivesThePublishedNumbers) {
  std::uint64_t state = 1234567;
  for (const std::uint64_t expected : {6457827717110365317ULL, 3203168211198807973ULL, 9817491932198370423ULL,
                                       4593380528125082431ULL, 16408922859458223821ULL}) {
    EXPECT_EQ(SplitMix64(state), expected);
  }
}

TEST(Random, Xoshiro256StarStarGivesThePublishedNumbers) {
  Random random(std::array<std::uint64_t, 4>{1, 2, 3, 4});
  for (const std::uint64_t expected :
       {11520ULL, 0ULL, 1509978240ULL, 1215971899390074240ULL, 1216172134540287360ULL, 607988272756665600ULL,
        16172922978634559625ULL, 8476171486693032832ULL, 10595114339597558777ULL, 2904607092377533576ULL}) {
    EXPECT_EQ(random.Next(), expected);
  }
}

TEST(Random, DrawsStayInTheirBoundsAndReachThem) {
  Random random(7, 1);
  std::array<int, 6> seen{};
  for (int i = 0; i < 6000; ++i) {
    const int n = random.Between(-2, 3);
    ASSERT_GE(n, -2);
    ASSERT_LE(n, 3);
    ++seen[static_cast<std::size_t>(n + 2)];
  }
  for (const int n : seen) EXPECT_NEAR(n, 1000, 200);
}

TEST(Random, AWeightOfZeroIsNeverDrawn) {
  Random random(7, 2);
  constexpr std::array<std::uint32_t, 3> kWeights = {1, 0, 3};
  for (int i = 0; i < 1000; ++i) EXPECT_NE(random.Weighted(kWeights), 1U);
}

TEST(Calendar, MonthsAndYearsStayInTheMonth) {
  EXPECT_EQ(AddMonths(MakeDate(2026, 1, 31), 1), MakeDate(2026, 2, 28));
  EXPECT_EQ(AddMonths(MakeDate(2026, 3, 1), 10), MakeDate(2027, 1, 1));
  EXPECT_EQ(AddMonths(MakeDate(2026, 3, 31), -1), MakeDate(2026, 2, 28));
  EXPECT_EQ(AddYears(MakeDate(1956, 2, 29), 70), MakeDate(2026, 2, 28));
  EXPECT_EQ(AddYears(MakeDate(1956, 2, 29), 68), MakeDate(2024, 2, 29));
}

TEST(Calendar, OfficesRecordOnTheWholeHourFromNineToSix) {
  const auto office = [](std::string_view at, bool any_day) {
    std::string out;
    AppendInstant(out, OfficeHour(*ParseInstant(at), any_day, 11));
    return out;
  };
  EXPECT_EQ(office("2026-03-02T03:20:00+08:00", false), "2026-03-02T09:00:00+08:00");
  EXPECT_EQ(office("2026-03-02T10:00:00+08:00", false), "2026-03-02T10:00:00+08:00");
  EXPECT_EQ(office("2026-03-02T10:01:00+08:00", false), "2026-03-02T11:00:00+08:00");
  EXPECT_EQ(office("2026-03-02T18:00:00+08:00", false), "2026-03-02T18:00:00+08:00");
  EXPECT_EQ(office("2026-03-02T18:01:00+08:00", false), "2026-03-03T11:00:00+08:00");
  EXPECT_EQ(office("2026-03-06T23:30:00+08:00", false), "2026-03-09T11:00:00+08:00");  // Friday to Monday
  EXPECT_EQ(office("2026-03-07T12:30:00+08:00", true), "2026-03-07T13:00:00+08:00");
  EXPECT_EQ(office("2026-04-30T19:00:00+08:00", false), "2026-05-06T11:00:00+08:00");  // Labour Day
}

}  // namespace
}  // namespace zhitui::population
