#include "population/random.h"

#include <bit>

namespace zhitui::population {

std::uint64_t SplitMix64(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

Random::Random(std::uint64_t seed, std::uint64_t stream) : state_{} {
  std::uint64_t mixed = seed;
  std::uint64_t s = SplitMix64(mixed) ^ (stream * 0xd1342543de82ef95ULL);
  for (std::uint64_t& word : state_) word = SplitMix64(s);
}

std::uint64_t Random::Next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::uint32_t Random::Below(std::uint32_t n) {
  const std::uint32_t reject_below = (0U - n) % n;  // 2^32 mod n: what is left over would favour small numbers
  for (;;) {
    const auto x = static_cast<std::uint32_t>(Next() >> 32);
    if (x >= reject_below) return x % n;
  }
}

int Random::Between(int low, int high) {
  return low + static_cast<int>(Below(static_cast<std::uint32_t>(high - low) + 1));
}

bool Random::Chance(std::uint32_t per_10000) { return Below(10000) < per_10000; }

bool Random::ChancePpm(std::uint32_t per_million) { return Below(1000000) < per_million; }

}  // namespace zhitui::population
