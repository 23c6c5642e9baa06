#include "delivery/delivery.h"
#include "gtest/gtest.h"

namespace zhitui::delivery {
namespace {

using Time = Breaker::Time;

Time At(int ms) { return Time(Millis(1'000'000 + ms)); }

Breaker Opened() {
  Breaker breaker;
  for (std::size_t i = 0; i < Breaker::kFailures; ++i) breaker.Record(Verdict::kUnknown, At(0));
  return breaker;
}

TEST(Breaker, StaysClosedWhileTheProviderAnswersEvenWithRefusals) {
  Breaker breaker;
  for (int i = 0; i < 100; ++i) {
    breaker.Record(i % 9 == 0 ? Verdict::kStopChannel : Verdict::kNotSent, At(i));
    EXPECT_EQ(breaker.Allow(50, 10, At(i)), 50U);
  }
}

TEST(Breaker, OpensAfterSilenceAndLetsOneSendFeelTheWay) {
  Breaker breaker = Opened();
  EXPECT_TRUE(breaker.open());
  EXPECT_EQ(breaker.Allow(50, 0, At(999)), 0U);
  EXPECT_EQ(breaker.Allow(50, 0, At(1000)), 1U);
  EXPECT_EQ(breaker.Allow(50, 1, At(1000)), 0U) << "one at a time";
  EXPECT_EQ(breaker.Allow(0, 0, At(1000)), 0U);
}

TEST(Breaker, AnAnswerClosesIt) {
  Breaker breaker = Opened();
  breaker.Record(Verdict::kThrottled, At(1500));
  EXPECT_FALSE(breaker.open());
  EXPECT_EQ(breaker.Allow(50, 0, At(1500)), 50U);
}

TEST(Breaker, EachVainTryDoublesThePauseUpToTheLongest) {
  Breaker breaker = Opened();
  int now = 0;
  int pause = 1000;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(breaker.Allow(1, 0, At(now + pause - 1)), 0U) << i;
    now += pause;
    ASSERT_EQ(breaker.Allow(1, 0, At(now)), 1U) << i;
    breaker.Record(Verdict::kNotSent, At(now));
    pause = std::min(2 * pause, 30'000);
  }
}

TEST(Breaker, ThoseOnTheirWayWhenItOpensDoNotLengthenThePause) {
  Breaker breaker = Opened();
  for (int i = 0; i < 50; ++i) breaker.Record(Verdict::kUnknown, At(500));
  EXPECT_EQ(breaker.Allow(1, 0, At(1000)), 1U);
}

}  // namespace
}  // namespace zhitui::delivery
