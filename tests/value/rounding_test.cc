// Rounding and division against their definition: the multiple of the last digit that the mode names.
#include <gtest/gtest.h>

#include <limits>

#include "value/value.h"

namespace zhitui::value {
namespace {

std::int64_t FloorDiv(std::int64_t a, std::int64_t b) {
  const std::int64_t q = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}
std::int64_t Power(int n) { return n == 0 ? 1 : 10 * Power(n - 1); }

// over / by, rounded to a whole number.
std::int64_t Whole(std::int64_t over, std::int64_t by, Rounding mode) {
  const std::int64_t below = FloorDiv(over, by);
  if (below * by == over) return below;
  const std::int64_t above = below + 1;
  // Twice the distance of the number from the one below, in units of 1 / by.
  const std::int64_t twice = 2 * (by > 0 ? over - below * by : below * by - over);
  const std::int64_t one = by > 0 ? by : -by;
  const bool negative = below < 0;
  switch (mode) {
    case Rounding::kHalfUp:
      return twice > one || (twice == one && !negative) ? above : below;
    case Rounding::kHalfEven:
      return twice > one || (twice == one && below % 2 != 0) ? above : below;
    case Rounding::kDown:
      return negative ? above : below;
    case Rounding::kUp:
      return negative ? below : above;
    case Rounding::kCeil:
      return above;
    case Rounding::kFloor:
      return below;
  }
  return 0;
}

constexpr Rounding kModes[] = {Rounding::kHalfUp, Rounding::kHalfEven, Rounding::kDown,
                               Rounding::kUp,     Rounding::kCeil,     Rounding::kFloor};

TEST(Rounding, IsTheMultipleThatTheModeNames) {
  for (const Rounding mode : kModes) {
    for (std::int64_t c = -2600; c <= 2600; ++c) {
      for (int scale = 0; scale <= 3; ++scale) {
        for (int digits = -2; digits <= 3; ++digits) {
          const auto got = Decimal::Round({c, static_cast<std::uint8_t>(scale)}, digits, mode);
          ASSERT_TRUE(got.has_value());
          // c / 10^scale in units of 10^-digits.
          const std::int64_t unit =
              Whole(c * Power(std::max(0, digits)), Power(scale) * Power(std::max(0, -digits)), mode);
          const Decimal wanted =
              digits >= 0 ? Decimal{unit, static_cast<std::uint8_t>(digits)} : Decimal{unit * Power(-digits), 0};
          ASSERT_EQ(Decimal::Compare(*got, wanted), 0)
              << c << "e-" << scale << " to " << digits << ": " << got->ToString() << " not " << wanted.ToString();
        }
      }
    }
  }
}

TEST(Division, IsRoundedOnceFromTheExactQuotient) {
  for (const Rounding mode : kModes) {
    for (std::int64_t a = -130; a <= 130; ++a) {
      for (std::int64_t b = -37; b <= 37; ++b) {
        for (int scales = 0; scales < 9; ++scales) {
          const int x = scales % 3;
          const int y = scales / 3;
          for (int digits = -1; digits <= 3; ++digits) {
            const auto got =
                Decimal::Divide({a, static_cast<std::uint8_t>(x)}, {b, static_cast<std::uint8_t>(y)}, digits, mode);
            ASSERT_EQ(got.has_value(), b != 0);
            if (!got) continue;
            const std::int64_t unit =
                Whole(a * Power(y) * Power(std::max(0, digits)), b * Power(x) * Power(std::max(0, -digits)), mode);
            const Decimal wanted =
                digits >= 0 ? Decimal{unit, static_cast<std::uint8_t>(digits)} : Decimal{unit * Power(-digits), 0};
            ASSERT_EQ(Decimal::Compare(*got, wanted), 0) << a << "e-" << x << " / " << b << "e-" << y;
          }
        }
      }
    }
  }
}

TEST(Rounding, AtTheEdgesIsExactOrRefused) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(Decimal::Round({kMax, 0}, -18, Rounding::kDown)->ToString(), "9000000000000000000");
  EXPECT_FALSE(Decimal::Round({kMax, 0}, -18, Rounding::kUp));
  EXPECT_EQ(Decimal::Round({kMax, 18}, 0, Rounding::kHalfUp)->ToString(), "9");
  EXPECT_EQ(Decimal::Round({kMin, 18}, 17, Rounding::kHalfEven)->ToString(), "-9.22337203685477581");
  EXPECT_EQ(Decimal::Round({5, 1}, 3, Rounding::kDown)->ToString(), "0.500");  // as money is written
  EXPECT_EQ(Decimal::Round({kMax, 0}, 2, Rounding::kDown)->ToString(), "9223372036854775807");
  EXPECT_FALSE(Decimal::Round({1, 0}, 19, Rounding::kDown));
  EXPECT_EQ(Decimal::Divide({1, 0}, {3, 0}, 18, Rounding::kHalfUp)->ToString(), "0.333333333333333333");
  EXPECT_EQ(Decimal::Divide({kMax, 0}, {kMax, 18}, 0, Rounding::kDown)->ToString(), "1000000000000000000");
  EXPECT_FALSE(Decimal::Divide({kMax, 0}, {1, 1}, 0, Rounding::kDown));
  // The smallest quotient there is: a unit up, nothing otherwise.
  EXPECT_EQ(Decimal::Divide({1, 18}, {kMax, 0}, -18, Rounding::kUp)->ToString(), "1000000000000000000");
  EXPECT_EQ(Decimal::Divide({1, 18}, {kMax, 0}, -18, Rounding::kHalfUp)->ToString(), "0");
}

TEST(MonthEnd, EachRuleIsTheLargestCountWhoseSumIsNotLater) {
  for (const MonthEnd rule : {MonthEnd::kLastDay, MonthEnd::kNextDay}) {
    for (Date from = MakeDate(2023, 12, 25); from <= MakeDate(2024, 4, 5); from += std::chrono::days(1)) {
      for (Date to = MakeDate(2022, 1, 25); to <= MakeDate(2026, 4, 5); to += std::chrono::days(1)) {
        const int months = MonthsBetween(from, to, rule);
        ASSERT_LE(*AddPeriod(from, {months, 0}, rule), to) << FormatDate(from) << " " << FormatDate(to);
        ASSERT_GT(*AddPeriod(from, {months + 1, 0}, rule), to) << FormatDate(from) << " " << FormatDate(to);
        const int years = AgeInYears(from, to, rule);
        ASSERT_LE(*AddPeriod(from, {years * 12, 0}, rule), to);
        ASSERT_GT(*AddPeriod(from, {years * 12 + 12, 0}, rule), to);
      }
    }
  }
}

}  // namespace
}  // namespace zhitui::value
