// Floors: what the same work costs with nothing but the machine, beside ours in the same run. Time is that of the
// processor. `us_per_resident` is the figure that ./dev bench prints.
#include <benchmark/benchmark.h>
#include <immintrin.h>
#include <simdjson.h>

#include <bit>
#include <map>
#include <string>
#include <vector>

#include "bench/benchset/catalogue.h"
#include "bench/benchset/model.h"
#include "bench/benchset/people.h"
#include "facts/facts.h"

namespace zhitui {
namespace {

constexpr std::uint64_t kSeed = 1;
constexpr std::size_t kRules = 431;
constexpr std::size_t kResidents = 4096;
const std::int64_t kToday = benchset::DayOf({2026, 3, 1});

const std::vector<simdjson::padded_string>& Profiles(std::uint32_t missing_ppm) {
  static std::map<std::uint32_t, std::vector<simdjson::padded_string>> all;
  std::vector<simdjson::padded_string>& out = all[missing_ppm];
  for (std::uint64_t i = out.size(); i < kResidents; ++i) {
    out.emplace_back(benchset::FactsJson(benchset::MakeResident(kSeed, i, kToday, missing_ppm)));
  }
  return out;
}

std::shared_ptr<const facts::Schema> Schema() {
  static const std::shared_ptr<const facts::Schema> schema = [] {
    Diagnostics diagnostics;
    const auto document = yaml::Parse("facts/resident.yaml", benchset::SchemaYaml(), &diagnostics);
    return document ? facts::ParseSchema(*document, &diagnostics) : nullptr;
  }();
  return schema;
}

void PerResident(benchmark::State& state, double residents_an_iteration) {
  state.counters["us_per_resident"] = benchmark::Counter(
      residents_an_iteration / 1e6, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

// simdjson alone: every value of a profile into the next slot, by its JSON type; names, dates and codes are not looked
// at.
struct Slots {
  std::array<std::uint64_t, 64> values{};
  std::size_t n = 0;

  void Take(simdjson::ondemand::value value) {
    switch (value.type().value_unsafe()) {
      case simdjson::ondemand::json_type::object:
        for (auto field : value.get_object()) Take(field.value());
        return;
      case simdjson::ondemand::json_type::array:
        for (auto element : value.get_array()) Take(element.value());
        return;
      case simdjson::ondemand::json_type::string: {
        const std::string_view text = value.get_string().value_unsafe();
        return Put(text.size() ^ reinterpret_cast<std::uintptr_t>(text.data()));
      }
      case simdjson::ondemand::json_type::number:
        return Put(static_cast<std::uint64_t>(value.get_double().value_unsafe()));
      case simdjson::ondemand::json_type::boolean:
        return Put(value.get_bool().value_unsafe() ? 1 : 0);
      default:
        return Put(value.is_null().value_unsafe() ? 2 : 3);
    }
  }
  void Put(std::uint64_t v) {
    values[n] = v;
    n = (n + 1) % values.size();
  }
};

void DecodeFloorSimdjson(benchmark::State& state) {
  const auto& profiles = Profiles(0);
  simdjson::ondemand::parser parser;
  Slots slots;
  std::size_t i = 0;
  for (auto _ : state) {
    auto document = parser.iterate(profiles[i++ % kResidents]);
    slots.n = 0;
    for (auto field : document.get_object()) slots.Take(field.value());
    benchmark::DoNotOptimize(slots);
  }
  PerResident(state, 1);
}

void Decode(benchmark::State& state, std::uint32_t missing_ppm) {
  const auto& profiles = Profiles(missing_ppm);
  facts::Profile profile(Schema());
  std::size_t i = 0;
  for (auto _ : state) {
    profile.Clear();
    if (!profile.SetFromJson(profiles[i++ % kResidents])) return state.SkipWithError("the profile is refused");
    benchmark::DoNotOptimize(profile.slots().data());
  }
  PerResident(state, 1);
}

// The set's conditions as ranges over columns of bytes, each distinct one once, and its rules as conjunctions of them.
struct Columns {
  static constexpr std::size_t kBlock = 16384;
  std::vector<std::vector<std::uint8_t>> bytes;  // one per fact
  struct Range {
    std::size_t column;
    std::uint8_t low, width;
  };
  std::vector<Range> conditions;
  std::vector<std::vector<std::size_t>> rules;

  Columns() {
    std::uint64_t x = 88172645463325252;  // Marsaglia, "Xorshift RNGs"
    const auto next = [&] {
      x ^= x << 13;
      x ^= x >> 7;
      x ^= x << 17;
      return static_cast<std::uint8_t>(x >> 32);
    };
    bytes.assign(benchset::kFields, std::vector<std::uint8_t>(kBlock));
    for (auto& column : bytes) {
      for (std::uint8_t& b : column) b = next();
    }
    std::map<std::string, std::size_t> distinct;
    for (std::uint64_t r = 0; r < kRules; ++r) {
      std::vector<std::size_t>& rule = rules.emplace_back();
      for (const auto& criterion : benchset::MakeRule(kSeed, r, kToday, true).criteria) {
        const auto [at, added] =
            distinct.emplace(benchset::Print(criterion.when, benchset::Dialect::kPlain), conditions.size());
        if (added) conditions.push_back({next() % benchset::kFields, next(), next()});
        rule.push_back(at->second);
      }
    }
  }
};

using Bits = std::vector<std::uint64_t>;

// 64 residents a compare.
__attribute__((target("avx512f,avx512bw"))) void CompareWide(const std::uint8_t* column, std::uint8_t low,
                                                             std::uint8_t width, std::uint64_t* out) {
  const __m512i from = _mm512_set1_epi8(static_cast<char>(low));
  const __m512i span = _mm512_set1_epi8(static_cast<char>(width));
  for (std::size_t i = 0; i < Columns::kBlock; i += 64) {
    out[i / 64] = _mm512_cmple_epu8_mask(_mm512_sub_epi8(_mm512_loadu_si512(column + i), from), span);
  }
}

__attribute__((target("avx2"))) void CompareNarrow(const std::uint8_t* column, std::uint8_t low, std::uint8_t width,
                                                   std::uint64_t* out) {
  const __m256i from = _mm256_set1_epi8(static_cast<char>(low));
  const __m256i span = _mm256_set1_epi8(static_cast<char>(width));
  const auto half = [&](const std::uint8_t* p) __attribute__((target("avx2"))) {
    const __m256i v = _mm256_sub_epi8(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)), from);
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(v, span), span)));
  };
  for (std::size_t i = 0; i < Columns::kBlock; i += 64) {
    out[i / 64] = half(column + i) | (std::uint64_t{half(column + i + 32)} << 32);
  }
}

void ColumnsFloor(benchmark::State& state) {
  const bool wide = __builtin_cpu_supports("avx512bw") != 0;
  if (!wide && __builtin_cpu_supports("avx2") == 0) return state.SkipWithError("needs AVX2");
  static const Columns columns;
  constexpr std::size_t kWords = Columns::kBlock / 64;
  Bits bits(columns.conditions.size() * kWords);
  std::vector<std::uint64_t> eligible(columns.rules.size());
  for (auto _ : state) {
    for (std::size_t c = 0; c < columns.conditions.size(); ++c) {
      const auto& [column, low, width] = columns.conditions[c];
      (wide ? CompareWide : CompareNarrow)(columns.bytes[column].data(), low, width, &bits[c * kWords]);
    }
    for (std::size_t r = 0; r < columns.rules.size(); ++r) {
      for (std::size_t w = 0; w < kWords; ++w) {
        std::uint64_t all = ~std::uint64_t{0};
        for (const std::size_t c : columns.rules[r]) all &= bits[c * kWords + w];
        eligible[r] += static_cast<std::uint64_t>(std::popcount(all));
      }
    }
    benchmark::DoNotOptimize(eligible.data());
  }
  PerResident(state, static_cast<double>(Columns::kBlock));
  state.counters["conditions"] = static_cast<double>(columns.conditions.size());
}

BENCHMARK(DecodeFloorSimdjson);
BENCHMARK_CAPTURE(Decode, all_known, 0);
BENCHMARK_CAPTURE(Decode, a_tenth_missing, 100'000);
BENCHMARK(ColumnsFloor);

}  // namespace
}  // namespace zhitui

BENCHMARK_MAIN();
