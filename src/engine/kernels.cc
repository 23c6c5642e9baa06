#include "engine/kernels.h"

#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace zhitui::engine {
namespace {

bool Has(const ClassSet& set, std::uint8_t c) {
  if (set.is_run) return c >= set.first && c <= set.last;
  return (set.table[c >> 7][c & 15] >> (c >> 4 & 7) & 1) != 0;
}

namespace plain {

void AndRows(const std::uint64_t* first, const std::uint64_t* const* rows, std::size_t count, std::size_t blocks,
             std::uint64_t* out) {
  for (std::size_t b = 0; b < blocks; ++b) {
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

void Alternatives(const Bitmap* bitmaps, const std::uint32_t* literals, std::size_t conjunctions, std::uint64_t* out) {
  for (std::size_t c = 0; c < conjunctions; ++c) {
    const std::uint32_t count = *literals++;
    for (std::size_t w = 0; w < kLanes / 64; ++w) {
      std::uint64_t bits = ~std::uint64_t{0};
      for (std::uint32_t i = 0; i < count; ++i) bits &= bitmaps[literals[i]][w];
      out[w] |= bits;
    }
    literals += count;
  }
}

}  // namespace plain

#if defined(__x86_64__)

#define ZHITUI_TARGET __attribute__((target("avx2")))
namespace avx2 {

ZHITUI_TARGET inline __m256i Load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
ZHITUI_TARGET inline void Store(void* p, __m256i v) { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }

ZHITUI_TARGET void AndRows(const std::uint64_t* first, const std::uint64_t* const* rows, std::size_t count,
                           std::size_t blocks, std::uint64_t* out) {
  for (std::size_t b = 0; b < blocks; ++b) {
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

ZHITUI_TARGET void InSet(const std::uint8_t* classes, const ClassSet& set, std::uint64_t* out) {
  auto* const half = reinterpret_cast<std::uint32_t*>(out);
  if (set.is_run) {
    const __m256i first = _mm256_set1_epi8(static_cast<char>(set.first));
    const __m256i width = _mm256_set1_epi8(static_cast<char>(set.last - set.first));
    for (std::size_t i = 0; i < kLanes / 32; ++i) {
      const __m256i off = _mm256_sub_epi8(Load(classes + i * 32), first);
      half[i] = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(off, width), off)));
    }
    return;
  }
  const __m256i below = Load(set.table[0]);
  const __m256i above = Load(set.table[1]);
  const __m256i nibble = _mm256_set1_epi8(15);
  const __m256i bit_of = _mm256_set1_epi64x(static_cast<std::int64_t>(0x8040201008040201U));
  for (std::size_t i = 0; i < kLanes / 32; ++i) {
    const __m256i c = Load(classes + i * 32);
    const __m256i column = _mm256_and_si256(c, nibble);
    const __m256i rows = _mm256_blendv_epi8(_mm256_shuffle_epi8(below, column), _mm256_shuffle_epi8(above, column), c);
    const __m256i bit = _mm256_shuffle_epi8(bit_of, _mm256_and_si256(_mm256_srli_epi16(c, 4), nibble));
    const __m256i found = _mm256_cmpeq_epi8(_mm256_and_si256(rows, bit), bit);
    half[i] = static_cast<std::uint32_t>(_mm256_movemask_epi8(found));
  }
}

ZHITUI_TARGET void Alternatives(const Bitmap* bitmaps, const std::uint32_t* literals, std::size_t conjunctions,
                                std::uint64_t* out) {
  __m256i low = Load(out);
  __m256i high = Load(out + 4);
  for (std::size_t c = 0; c < conjunctions; ++c) {
    const std::uint32_t count = *literals++;
    __m256i a = _mm256_set1_epi8(-1);
    __m256i b = a;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint64_t* bitmap = bitmaps[literals[i]];
      a = _mm256_and_si256(a, Load(bitmap));
      b = _mm256_and_si256(b, Load(bitmap + 4));
    }
    low = _mm256_or_si256(low, a);
    high = _mm256_or_si256(high, b);
    literals += count;
  }
  Store(out, low);
  Store(out + 4, high);
}

}  // namespace avx2
#undef ZHITUI_TARGET

#define ZHITUI_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
namespace avx512 {

ZHITUI_TARGET void AndRows(const std::uint64_t* first, const std::uint64_t* const* rows, std::size_t count,
                           std::size_t blocks, std::uint64_t* out) {
  for (std::size_t b = 0; b < blocks; ++b) {
    const std::size_t at = b * kWordsOfBlock;
    __m512i all = _mm512_loadu_si512(first + at);
    for (std::size_t i = 0; i < count; ++i) {
      all = _mm512_and_si512(all, _mm512_loadu_si512(rows[i] + at));
      if (_mm512_test_epi64_mask(all, all) == 0) break;
    }
    _mm512_storeu_si512(out + at, all);
  }
}

ZHITUI_TARGET void InSet(const std::uint8_t* classes, const ClassSet& set, std::uint64_t* out) {
  if (set.is_run) {
    const __m512i first = _mm512_set1_epi8(static_cast<char>(set.first));
    const __m512i width = _mm512_set1_epi8(static_cast<char>(set.last - set.first));
    for (std::size_t i = 0; i < kLanes / 64; ++i) {
      out[i] = _mm512_cmple_epu8_mask(_mm512_sub_epi8(_mm512_loadu_si512(classes + i * 64), first), width);
    }
    return;
  }
  const __m512i below = _mm512_loadu_si512(set.table[0]);
  const __m512i above = _mm512_loadu_si512(set.table[1]);
  const __m512i nibble = _mm512_set1_epi8(15);
  const __m512i bit_of = _mm512_set1_epi64(static_cast<std::int64_t>(0x8040201008040201U));
  for (std::size_t i = 0; i < kLanes / 64; ++i) {
    const __m512i c = _mm512_loadu_si512(classes + i * 64);
    const __m512i column = _mm512_and_si512(c, nibble);
    const __m512i rows = _mm512_mask_blend_epi8(_mm512_movepi8_mask(c), _mm512_shuffle_epi8(below, column),
                                                _mm512_shuffle_epi8(above, column));
    const __m512i bit = _mm512_shuffle_epi8(bit_of, _mm512_and_si512(_mm512_srli_epi16(c, 4), nibble));
    out[i] = _mm512_test_epi8_mask(rows, bit);
  }
}

ZHITUI_TARGET void Alternatives(const Bitmap* bitmaps, const std::uint32_t* literals, std::size_t conjunctions,
                                std::uint64_t* out) {
  __m512i any = _mm512_loadu_si512(out);
  for (std::size_t c = 0; c < conjunctions; ++c) {
    const std::uint32_t count = *literals++;
    __m512i all = _mm512_set1_epi8(-1);
    for (std::uint32_t i = 0; i < count; ++i) {
      all = _mm512_and_si512(all, _mm512_loadu_si512(bitmaps[literals[i]]));
    }
    any = _mm512_or_si512(any, all);
    literals += count;
  }
  _mm512_storeu_si512(out, any);
}

}  // namespace avx512
#undef ZHITUI_TARGET

#endif

Kernels Choose() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
    return {"AVX-512", avx512::AndRows, avx512::InSet, avx512::Alternatives};
  }
  if (__builtin_cpu_supports("avx2")) return {"AVX2", avx2::AndRows, avx2::InSet, avx2::Alternatives};
#endif
  return {"plain", plain::AndRows, plain::InSet, plain::Alternatives};
}

}  // namespace

const Kernels& BestKernels() {
  static const Kernels kernels = Choose();
  return kernels;
}

}  // namespace zhitui::engine
