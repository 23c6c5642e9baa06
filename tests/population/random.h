#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace zhitui::population {

// splitmix64 (Vigna): advances `state` and gives the next number. Used to fill the state of Random.
std::uint64_t SplitMix64(std::uint64_t& state);

// xoshiro256** (Blackman, Vigna) with integer distributions only, so that a seed gives the same numbers on every
// machine and with every standard library. Not for cryptography.
class Random {
 public:
  // Each stream of a seed is a sequence of its own: drawing more of one thing does not change another.
  Random(std::uint64_t seed, std::uint64_t stream);
  explicit Random(const std::array<std::uint64_t, 4>& state) : state_(state) {}

  std::uint64_t Next();
  std::uint32_t Below(std::uint32_t n);  // 0 to n-1, without bias; n > 0
  int Between(int low, int high);        // both included; low <= high
  bool Chance(std::uint32_t per_10000);  // true in that many of ten thousand
  bool ChancePpm(std::uint32_t per_million);

  // An index, drawn by weight; at least one weight is not 0.
  template <std::size_t N>
  std::size_t Weighted(const std::array<std::uint32_t, N>& weights) {
    std::uint32_t total = 0;
    for (const std::uint32_t w : weights) total += w;
    std::uint32_t at = Below(total);
    for (std::size_t i = 0; i < N; ++i) {
      if (at < weights[i]) return i;
      at -= weights[i];
    }
    return N - 1;
  }

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace zhitui::population
