#pragma once

// The inner loops, once for each kind of processor; the best that runs here is chosen at the first use.

#include <cstddef>
#include <cstdint>

namespace zhitui::engine {

inline constexpr std::size_t kWordsOfBlock = 8;  // 512 alternatives
inline constexpr std::size_t kLanes = 512;       // subjects at once in columns: a bitmap of them is one block of words

using Bitmap = std::uint64_t[kLanes / 64];

// One test of a column: which of kLanes class numbers are in the set.
struct ClassSet {
  // Either a run first..last, or any set as the bits of 256 class numbers.
  bool is_run = true;
  std::uint8_t first = 0;
  std::uint8_t last = 0;
  // For any set, made for shuffles: bit (class >> 4 & 7) of table[class >> 7][class & 15].
  // Four times over, for the widest registers.
  alignas(64) std::uint8_t table[2][64] = {};
};

struct Kernels {
  const char* name;
  // out = first & rows[0] & rows[1] & …, block by block of kWordsOfBlock words; a block that is empty ends early.
  void (*and_rows)(const std::uint64_t* first, const std::uint64_t* const* rows, std::size_t count, std::size_t blocks,
                   std::uint64_t* out);
  // Bit i of `out`: whether classes[i] is in the set.
  void (*in_set)(const std::uint8_t* classes, const ClassSet& set, std::uint64_t* out);
  // For each conjunction: out |= the AND of the bitmaps of its literals. `literals` counts each conjunction first, then
  // names its bitmaps.
  void (*alternatives)(const Bitmap* bitmaps, const std::uint32_t* literals, std::size_t conjunctions,
                       std::uint64_t* out);
};

const Kernels& BestKernels();

}  // namespace zhitui::engine
