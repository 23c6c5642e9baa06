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
  enum class Form : std::uint8_t { kOne, kUpTo, kFrom, kRun, kAny };
  Form form = Form::kAny;
  std::uint8_t first = 0;  // kOne, kFrom, kRun
  std::uint8_t last = 0;   // kUpTo, kRun
  // kAny: the bits of 256 class numbers, made for shuffles: bit (class >> 4 & 7) of table[class >> 7][class & 15]. Four
  // times over, for the widest registers.
  alignas(64) std::uint8_t table[2][64] = {};
};

struct Kernels {
  const char* name;
  // out = first & rows[0] & rows[1] & …, for each block b of kWordsOfBlock words with bit b % 64 in `which`; a block
  // that is empty ends early.
  void (*and_rows)(const std::uint64_t* first, const std::uint64_t* const* rows, std::size_t count, std::size_t blocks,
                   std::uint64_t which, std::uint64_t* out);
  // Bit i of `out`: whether classes[i] is in the set.
  void (*in_set)(const std::uint8_t* classes, const ClassSet& set, std::uint64_t* out);
  // For each rule the OR over its conjunctions of the AND of their bitmaps, to out[rule]. `code` holds for each rule
  // the number of its conjunctions, then for each of them the number of its bitmaps and which.
  void (*rules)(const Bitmap* bitmaps, const std::uint32_t* code, std::size_t rules, Bitmap* out);
  // totals[i] += the number of bits of a[i] & mask, or of a[i] & ~b[i] & mask when there is a b.
  void (*count)(const Bitmap* a, const Bitmap* b, const Bitmap& mask, std::size_t bitmaps, std::uint64_t* totals);
};

const Kernels& BestKernels();
const Kernels& PlainKernels();  // what the others must agree with

}  // namespace zhitui::engine
