#include "engine/kernels.h"

#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace zhitui::engine {
namespace {

// The best kernels of this machine against the plain ones, which are loops over bits.
class Kernel : public testing::Test {
 protected:
  std::mt19937_64 random_{7};
  const Kernels& best_ = BestKernels();
  const Kernels& plain_ = PlainKernels();

  std::vector<std::uint64_t> Words(std::size_t count, int dense) {
    std::vector<std::uint64_t> out(count);
    for (std::uint64_t& w : out) {
      w = ~std::uint64_t{0};
      for (int i = 0; i < dense; ++i) w &= random_();
    }
    return out;
  }
};

TEST_F(Kernel, RowsAreAndedInTheBlocksAskedFor) {
  constexpr std::size_t kBlocks = 67;  // more than one bit of `which` for some
  for (const std::size_t count : {0U, 1U, 2U, 9U}) {
    const auto first = Words(kBlocks * kWordsOfBlock, 1);
    std::vector<std::vector<std::uint64_t>> rows;
    std::vector<const std::uint64_t*> pointers;
    for (std::size_t i = 0; i < count; ++i) rows.push_back(Words(kBlocks * kWordsOfBlock, static_cast<int>(i)));
    for (const auto& row : rows) pointers.push_back(row.data());
    const std::uint64_t which = random_();
    auto expected = Words(kBlocks * kWordsOfBlock, 1);
    auto got = expected;
    plain_.and_rows(first.data(), pointers.data(), count, kBlocks, which, expected.data());
    best_.and_rows(first.data(), pointers.data(), count, kBlocks, which, got.data());
    EXPECT_EQ(got, expected) << best_.name;
    for (std::size_t w = 0; w < expected.size(); ++w) {
      if ((which >> w / kWordsOfBlock % 64 & 1) == 0) continue;
      std::uint64_t bits = first[w];
      for (const auto& row : rows) bits &= row[w];
      EXPECT_EQ(expected[w], bits);
    }
  }
}

TEST_F(Kernel, EveryFormOfSetFindsItsClasses) {
  std::vector<std::uint8_t> classes(kLanes);
  for (std::uint8_t& c : classes) c = static_cast<std::uint8_t>(random_());
  for (int round = 0; round < 500; ++round) {
    ClassSet set;
    set.form = static_cast<ClassSet::Form>(round % 5);
    set.first = static_cast<std::uint8_t>(random_());
    set.last = static_cast<std::uint8_t>(random_());
    if (set.first > set.last) std::swap(set.first, set.last);
    std::vector<bool> in(256);
    for (int c = 0; c < 256; ++c) {
      const bool run = c >= set.first && c <= set.last;
      in[static_cast<std::size_t>(c)] = set.form == ClassSet::Form::kOne    ? c == set.first
                                        : set.form == ClassSet::Form::kUpTo ? c <= set.last
                                        : set.form == ClassSet::Form::kFrom ? c >= set.first
                                        : set.form == ClassSet::Form::kRun  ? run
                                                                            : random_() % 3 == 0;
      if (set.form == ClassSet::Form::kAny && in[static_cast<std::size_t>(c)]) {
        for (int copy = 0; copy < 64; copy += 16) {
          std::uint8_t& byte = set.table[c >> 7][copy + (c & 15)];
          byte = static_cast<std::uint8_t>(byte | 1U << (c >> 4 & 7));
        }
      }
    }
    Bitmap expected;
    Bitmap got;
    plain_.in_set(classes.data(), set, expected);
    best_.in_set(classes.data(), set, got);
    for (std::size_t i = 0; i < kLanes; ++i) {
      ASSERT_EQ((expected[i / 64] >> i % 64 & 1) != 0, in[classes[i]]) << "form " << round % 5;
    }
    for (std::size_t w = 0; w < kLanes / 64; ++w) ASSERT_EQ(got[w], expected[w]) << best_.name << " form " << round % 5;
  }
}

TEST_F(Kernel, RulesAreTheOrOfTheirAlternativesAndAreCounted) {
  constexpr std::size_t kBitmaps = 40;
  constexpr std::size_t kRules = 300;
  const auto storage = Words(kBitmaps * (kLanes / 64), 1);
  const auto* bitmaps = reinterpret_cast<const Bitmap*>(storage.data());
  std::vector<std::uint32_t> code;
  for (std::size_t r = 0; r < kRules; ++r) {
    const auto conjunctions = static_cast<std::uint32_t>(random_() % 4);
    code.push_back(conjunctions);
    for (std::uint32_t c = 0; c < conjunctions; ++c) {
      const auto literals = static_cast<std::uint32_t>(random_() % 5);
      code.push_back(literals);
      for (std::uint32_t l = 0; l < literals; ++l) code.push_back(static_cast<std::uint32_t>(random_() % kBitmaps));
    }
  }
  std::vector<std::uint64_t> expected(kRules * (kLanes / 64));
  auto got = Words(expected.size(), 1);
  plain_.rules(bitmaps, code.data(), kRules, reinterpret_cast<Bitmap*>(expected.data()));
  best_.rules(bitmaps, code.data(), kRules, reinterpret_cast<Bitmap*>(got.data()));
  EXPECT_EQ(got, expected) << best_.name;

  const auto mask = Words(kLanes / 64, 1);
  const auto other = Words(expected.size(), 1);
  const auto& inside = *reinterpret_cast<const Bitmap*>(mask.data());
  for (const Bitmap* b : {static_cast<const Bitmap*>(nullptr), reinterpret_cast<const Bitmap*>(other.data())}) {
    std::vector<std::uint64_t> plain(kRules, 5);
    auto best = plain;
    plain_.count(reinterpret_cast<const Bitmap*>(got.data()), b, inside, kRules, plain.data());
    best_.count(reinterpret_cast<const Bitmap*>(got.data()), b, inside, kRules, best.data());
    EXPECT_EQ(best, plain) << best_.name;
  }
}

}  // namespace
}  // namespace zhitui::engine
