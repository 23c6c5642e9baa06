#include "engine/kernels.h"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace zhitui::engine {
namespace {

bool Has(const ClassSet& set, std::uint8_t c) {
  switch (set.form) {
    case ClassSet::Form::kOne:
      return c == set.first;
    case ClassSet::Form::kUpTo:
      return c <= set.last;
    case ClassSet::Form::kFrom:
      return c >= set.first;
    case ClassSet::Form::kRun:
      return c >= set.first && c <= set.last;
    case ClassSet::Form::kAny:
      break;
  }
  return (set.table[c >> 7][c & 15] >> (c >> 4 & 7) & 1) != 0;
}

namespace plain {

void AndRows(const std::uint64_t* first, const std::uint64_t* const* rows, std::size_t count, std::size_t blocks,
             std::uint64_t which, std::uint64_t* out) {
  for (std::size_t b = 0; b < blocks; ++b) {
    if ((which >> b % 64 & 1) == 0) continue;
    const std::size_t at = b * kWordsOfBlock;
    std::uint64_t word[kWordsOfBlock];
    std::memcpy(word, first + at, sizeof(word));
    for (std::size_t i = 0; i < count; ++i) {
      std::uint64_t any = 0;
      for (std::size_t w = 0; w < kWordsOfBlock; ++w) any |= word[w] &= rows[i][at + w];
      if (any == 0) break;
    }
    std::memcpy(out + at, word, sizeof(word));
  }
}

void InSet(const std::uint8_t* classes, const ClassSet& set, std::uint64_t* out) {
  for (std::size_t w = 0; w < kLanes / 64; ++w) {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < 64; ++i) bits |= std::uint64_t{Has(set, classes[w * 64 + i]) ? 1U : 0U} << i;
    out[w] = bits;
  }
}

void Rules(const Bitmap* bitmaps, const std::uint32_t* code, std::size_t rules, Bitmap* out) {
  for (std::size_t r = 0; r < rules; ++r) {
    std::fill_n(out[r], kLanes / 64, 0);
    for (std::uint32_t conjunctions = *code++; conjunctions > 0; --conjunctions) {
      const std::uint32_t count = *code++;
      for (std::size_t w = 0; w < kLanes / 64; ++w) {
        std::uint64_t bits = ~std::uint64_t{0};
        for (std::uint32_t i = 0; i < count; ++i) bits &= bitmaps[code[i]][w];
        out[r][w] |= bits;
      }
      code += count;
    }
  }
}

void Count(const Bitmap* a, const Bitmap* b, const Bitmap& mask, std::size_t bitmaps, std::uint64_t* totals) {
  for (std::size_t i = 0; i < bitmaps; ++i) {
    for (std::size_t w = 0; w < kLanes / 64; ++w) {
      const std::uint64_t bits = a[i][w] & mask[w] & ~(b == nullptr ? 0 : b[i][w]);
      totals[i] += static_cast<std::uint64_t>(std::popcount(bits));
    }
  }
}

}  // namespace plain

#if defined(__x86_64__)

#define ZHITUI_TARGET __attribute__((target("avx2,popcnt")))
namespace avx2 {

ZHITUI_TARGET inline __m256i Load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
ZHITUI_TARGET inline void Store(void* p, __m256i v) { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }

ZHITUI_TARGET void AndRows(const std::uint64_t* first, const std::uint64_t* const* rows, std::size_t count,
                           std::size_t blocks, std::uint64_t which, std::uint64_t* out) {
  for (std::size_t b = 0; b < blocks; ++b) {
    if ((which >> b % 64 & 1) == 0) continue;
    const std::size_t at = b * kWordsOfBlock;
    __m256i low = Load(first + at);
    __m256i high = Load(first + at + 4);
    for (std::size_t i = 0; i < count; ++i) {
      low = _mm256_and_si256(low, Load(rows[i] + at));
      high = _mm256_and_si256(high, Load(rows[i] + at + 4));
      const __m256i any = _mm256_or_si256(low, high);
      if (_mm256_testz_si256(any, any) != 0) break;
    }
    Store(out + at, low);
    Store(out + at + 4, high);
  }
}

template <class Test>
ZHITUI_TARGET inline void EachOf(const std::uint8_t* classes, std::uint64_t* out, Test test) {
  for (std::size_t i = 0; i < kLanes / 64; ++i) {
    const auto low = static_cast<std::uint32_t>(_mm256_movemask_epi8(test(Load(classes + i * 64))));
    const auto high = static_cast<std::uint32_t>(_mm256_movemask_epi8(test(Load(classes + i * 64 + 32))));
    out[i] = std::uint64_t{high} << 32 | low;
  }
}

ZHITUI_TARGET void InSet(const std::uint8_t* classes, const ClassSet& set, std::uint64_t* out) {
  const __m256i first = _mm256_set1_epi8(static_cast<char>(set.first));
  const __m256i last = _mm256_set1_epi8(static_cast<char>(set.last));
  switch (set.form) {
    case ClassSet::Form::kOne:
      return EachOf(classes, out, [=](__m256i c) ZHITUI_TARGET { return _mm256_cmpeq_epi8(c, first); });
    case ClassSet::Form::kUpTo:
      return EachOf(classes, out,
                    [=](__m256i c) ZHITUI_TARGET { return _mm256_cmpeq_epi8(_mm256_min_epu8(c, last), c); });
    case ClassSet::Form::kFrom:
      return EachOf(classes, out,
                    [=](__m256i c) ZHITUI_TARGET { return _mm256_cmpeq_epi8(_mm256_max_epu8(c, first), c); });
    case ClassSet::Form::kRun: {
      const __m256i width = _mm256_sub_epi8(last, first);
      return EachOf(classes, out, [=](__m256i c) ZHITUI_TARGET {
        const __m256i off = _mm256_sub_epi8(c, first);
        return _mm256_cmpeq_epi8(_mm256_min_epu8(off, width), off);
      });
    }
    case ClassSet::Form::kAny:
      break;
  }
  const __m256i below = Load(set.table[0]);
  const __m256i above = Load(set.table[1]);
  const __m256i nibble = _mm256_set1_epi8(15);
  const __m256i bit_of = _mm256_set1_epi64x(static_cast<std::int64_t>(0x8040201008040201U));
  EachOf(classes, out, [=](__m256i c) ZHITUI_TARGET {
    const __m256i column = _mm256_and_si256(c, nibble);
    const __m256i rows = _mm256_blendv_epi8(_mm256_shuffle_epi8(below, column), _mm256_shuffle_epi8(above, column), c);
    const __m256i bit = _mm256_shuffle_epi8(bit_of, _mm256_and_si256(_mm256_srli_epi16(c, 4), nibble));
    return _mm256_cmpeq_epi8(_mm256_and_si256(rows, bit), bit);
  });
}

ZHITUI_TARGET void Rules(const Bitmap* bitmaps, const std::uint32_t* code, std::size_t rules, Bitmap* out) {
  const __m256i ones = _mm256_set1_epi8(-1);
  for (std::size_t r = 0; r < rules; ++r) {
    __m256i low = _mm256_setzero_si256();
    __m256i high = low;
    for (std::uint32_t conjunctions = *code++; conjunctions > 0; --conjunctions) {
      const std::uint32_t count = *code++;
      __m256i a = ones;
      __m256i b = ones;
      for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint64_t* bitmap = bitmaps[code[i]];
        a = _mm256_and_si256(a, Load(bitmap));
        b = _mm256_and_si256(b, Load(bitmap + 4));
      }
      low = _mm256_or_si256(low, a);
      high = _mm256_or_si256(high, b);
      code += count;
    }
    Store(out[r], low);
    Store(out[r] + 4, high);
  }
}

ZHITUI_TARGET void Count(const Bitmap* a, const Bitmap* b, const Bitmap& mask, std::size_t bitmaps,
                         std::uint64_t* totals) {
  for (std::size_t i = 0; i < bitmaps; ++i) {
    std::int64_t total = 0;
    for (std::size_t w = 0; w < kLanes / 64; ++w) {
      total += _mm_popcnt_u64(a[i][w] & mask[w] & ~(b == nullptr ? 0 : b[i][w]));
    }
    totals[i] += static_cast<std::uint64_t>(total);
  }
}

}  // namespace avx2
#undef ZHITUI_TARGET

#define ZHITUI_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
namespace avx512 {

ZHITUI_TARGET void AndRows(const std::uint64_t* first, const std::uint64_t* const* rows, std::size_t count,
                           std::size_t blocks, std::uint64_t which, std::uint64_t* out) {
  for (std::size_t b = 0; b < blocks; ++b) {
    if ((which >> b % 64 & 1) == 0) continue;
    const std::size_t at = b * kWordsOfBlock;
    __m512i all = _mm512_loadu_si512(first + at);
    for (std::size_t i = 0; i < count; ++i) {
      all = _mm512_and_si512(all, _mm512_loadu_si512(rows[i] + at));
      if (_mm512_test_epi64_mask(all, all) == 0) break;
    }
    _mm512_storeu_si512(out + at, all);
  }
}

template <class Test>
ZHITUI_TARGET inline void EachOf(const std::uint8_t* classes, std::uint64_t* out, Test test) {
  for (std::size_t i = 0; i < kLanes / 64; ++i) out[i] = test(_mm512_loadu_si512(classes + i * 64));
}

ZHITUI_TARGET void InSet(const std::uint8_t* classes, const ClassSet& set, std::uint64_t* out) {
  const __m512i first = _mm512_set1_epi8(static_cast<char>(set.first));
  const __m512i last = _mm512_set1_epi8(static_cast<char>(set.last));
  switch (set.form) {
    case ClassSet::Form::kOne:
      return EachOf(classes, out, [=](__m512i c) ZHITUI_TARGET { return _mm512_cmpeq_epu8_mask(c, first); });
    case ClassSet::Form::kUpTo:
      return EachOf(classes, out, [=](__m512i c) ZHITUI_TARGET { return _mm512_cmple_epu8_mask(c, last); });
    case ClassSet::Form::kFrom:
      return EachOf(classes, out, [=](__m512i c) ZHITUI_TARGET { return _mm512_cmpge_epu8_mask(c, first); });
    case ClassSet::Form::kRun: {
      const __m512i width = _mm512_sub_epi8(last, first);
      return EachOf(classes, out,
                    [=](__m512i c) ZHITUI_TARGET { return _mm512_cmple_epu8_mask(_mm512_sub_epi8(c, first), width); });
    }
    case ClassSet::Form::kAny:
      break;
  }
  const __m512i below = _mm512_loadu_si512(set.table[0]);
  const __m512i above = _mm512_loadu_si512(set.table[1]);
  const __m512i nibble = _mm512_set1_epi8(15);
  const __m512i bit_of = _mm512_set1_epi64(static_cast<std::int64_t>(0x8040201008040201U));
  EachOf(classes, out, [=](__m512i c) ZHITUI_TARGET {
    const __m512i column = _mm512_and_si512(c, nibble);
    const __m512i rows = _mm512_mask_blend_epi8(_mm512_movepi8_mask(c), _mm512_shuffle_epi8(below, column),
                                                _mm512_shuffle_epi8(above, column));
    const __m512i bit = _mm512_shuffle_epi8(bit_of, _mm512_and_si512(_mm512_srli_epi16(c, 4), nibble));
    return _mm512_test_epi8_mask(rows, bit);
  });
}

ZHITUI_TARGET void Rules(const Bitmap* bitmaps, const std::uint32_t* code, std::size_t rules, Bitmap* out) {
  for (std::size_t r = 0; r < rules; ++r) {
    __m512i any = _mm512_setzero_si512();
    for (std::uint32_t conjunctions = *code++; conjunctions > 0; --conjunctions) {
      const std::uint32_t count = *code++;
      __m512i all = _mm512_set1_epi8(-1);
      for (std::uint32_t i = 0; i < count; ++i) all = _mm512_and_si512(all, _mm512_loadu_si512(bitmaps[code[i]]));
      any = _mm512_or_si512(any, all);
      code += count;
    }
    _mm512_storeu_si512(out[r], any);
  }
}

}  // namespace avx512
#undef ZHITUI_TARGET

#endif

Kernels Choose() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
    return {"AVX-512", avx512::AndRows, avx512::InSet, avx512::Rules, avx2::Count};
  }
  if (__builtin_cpu_supports("avx2")) return {"AVX2", avx2::AndRows, avx2::InSet, avx2::Rules, avx2::Count};
#endif
  return PlainKernels();
}

}  // namespace

const Kernels& PlainKernels() {
  static const Kernels kernels{"plain", plain::AndRows, plain::InSet, plain::Rules, plain::Count};
  return kernels;
}

const Kernels& BestKernels() {
  static const Kernels kernels = Choose();
  return kernels;
}

}  // namespace zhitui::engine
