#include "base/parallel.h"

#include <atomic>
#include <stdexcept>
#include <vector>

#include "gtest/gtest.h"

namespace zhitui {
namespace {

TEST(ForEach, EveryIndexIsWorkedOnceOnAnyNumberOfThreads) {
  for (const ForEach& each : {OneAfterTheOther(), OnThreads(1), OnThreads(4), OnThreads()}) {
    std::vector<std::atomic<int>> seen(1000);
    each(seen.size(), [&](std::size_t i) { ++seen[i]; });
    for (const std::atomic<int>& n : seen) EXPECT_EQ(n, 1);
    each(0, [](std::size_t) { FAIL(); });
  }
}

TEST(ForEach, AnExceptionOfTheWorkReachesTheCaller) {
  for (const ForEach& each : {OneAfterTheOther(), OnThreads(3)}) {
    EXPECT_THROW(each(100,
                      [](std::size_t i) {
                        if (i == 50) throw std::runtime_error("50");
                      }),
                 std::runtime_error);
  }
}

}  // namespace
}  // namespace zhitui
