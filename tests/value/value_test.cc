#include "value/value.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <thread>

namespace zhitui::value {
namespace {

constexpr std::int64_t kMaxInt = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMinInt = std::numeric_limits<std::int64_t>::min();

TEST(Arena, AlignsAndKeepsItsMemoryAcrossReset) {
  Arena arena;
  void* first = arena.Allocate(1, 1);
  for (const std::size_t align : {1, 2, 4, 8, 16, 64}) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(arena.Allocate(3, align)) % align, 0U);
  }
  EXPECT_GE(arena.bytes_used(), 19U);
  arena.Reset();
  EXPECT_EQ(arena.bytes_used(), 0U);
  EXPECT_EQ(arena.Allocate(1, 1), first);
}

TEST(Arena, GivesDistinctMemoryToEveryoneWhateverTheSizes) {
  Arena arena;
  for (int round = 0; round < 3; ++round) {
    std::mt19937 random(7);
    std::vector<std::pair<char*, std::size_t>> blocks;
    for (int i = 0; i < 500; ++i) {
      const std::size_t n = random() % 3000;
      char* p = arena.NewArray<char>(n);
      std::fill(p, p + n, static_cast<char>(i));
      blocks.emplace_back(p, n);
    }
    for (int i = 0; i < 500; ++i) {
      const auto [p, n] = blocks[static_cast<std::size_t>(i)];
      for (std::size_t k = 0; k < n; ++k) ASSERT_EQ(p[k], static_cast<char>(i));
    }
    arena.Reset();
  }
}

TEST(Decimal, ReadsOnlyPlainDecimalsAndKeepsTheirScale) {
  const auto text = [](const char* s) {
    const auto d = Decimal::Parse(s);
    return d ? d->ToString() : std::string("none");
  };
  for (const char* good : {"0", "12.50", "-12.50", "0.000000000000000001", "9223372036854775807",
                           "-9223372036854775808", "-0.05", "922337203685477.5807"}) {
    EXPECT_EQ(text(good), good);
  }
  for (const char* bad : {"", "-", ".", "1.", ".5", "+1", "1e3", " 1", "1 ", "1,000", "0x1", "9223372036854775808",
                          "0.0000000000000000001", "1.2.3", "--1"}) {
    EXPECT_EQ(text(bad), "none") << bad;
  }
}

TEST(Decimal, ArithmeticIsExactOrRefused) {
  const auto d = [](const char* s) { return *Decimal::Parse(s); };
  EXPECT_EQ(Decimal::Add(d("0.1"), d("0.2"))->ToString(), "0.3");
  EXPECT_EQ(Decimal::Subtract(d("1.00"), d("0.001"))->ToString(), "0.999");
  EXPECT_EQ(Decimal::Multiply(d("12.50"), d("-0.08"))->ToString(), "-1.0000");
  EXPECT_EQ(Decimal::Add(d("9223372036854775807"), d("1")), std::nullopt);
  EXPECT_EQ(Decimal::Multiply(d("9223372036854775807"), d("0.1"))->ToString(), "922337203685477580.7");
  EXPECT_EQ(Decimal::Multiply(d("0.000000001"), d("0.0000000001")), std::nullopt);  // 19 digits
  EXPECT_EQ(Decimal::Multiply(d("0.5000000000"), d("0.2000000000"))->ToString(), "0.100000000000000000");
}

TEST(Decimal, ComparesByValueWhateverTheScale) {
  const auto compare = [](const char* a, const char* b) {
    return Decimal::Compare(*Decimal::Parse(a), *Decimal::Parse(b));
  };
  EXPECT_EQ(compare("1.50", "1.5"), 0);
  EXPECT_LT(compare("1.49999", "1.5"), 0);
  EXPECT_GT(compare("9223372036854775807", "0.000000000000000001"), 0);
  EXPECT_EQ(compare("-0.0", "0"), 0);
}

TEST(Period, ReadsWordsAndIso8601AndNothingElse) {
  const auto iso = [](const char* s) {
    const auto p = Period::Parse(s);
    return p ? p->ToString() : std::string("none");
  };
  EXPECT_EQ(iso("2 months"), "P2M");
  EXPECT_EQ(iso("1 year"), "P1Y");
  EXPECT_EQ(iso("60 days"), "P60D");
  EXPECT_EQ(iso("1 year 6 months"), "P1Y6M");
  EXPECT_EQ(iso("2 weeks"), "P14D");
  EXPECT_EQ(iso("P1Y2M3D"), "P1Y2M3D");
  EXPECT_EQ(iso("P-2M"), "P-2M");
  EXPECT_EQ(iso("P0D"), "P0D");
  for (const char* bad : {"", "P", "2", "months", "2 moons", "P1H", "P1M1Y", "1.5 years", "P1Y garbage", "-1 day",
                          "99999999999 years", "P999999999Y", "1 year,2 days"}) {
    EXPECT_EQ(iso(bad), "none") << bad;
  }
}

TEST(Period, AddsMonthsThenDaysAndClampsToTheEndOfTheMonth) {
  EXPECT_EQ(AddPeriod(MakeDate(2026, 1, 31), {1, 0}), MakeDate(2026, 2, 28));
  EXPECT_EQ(AddPeriod(MakeDate(2024, 1, 31), {1, 0}), MakeDate(2024, 2, 29));
  EXPECT_EQ(AddPeriod(MakeDate(2024, 2, 29), {12, 0}), MakeDate(2025, 2, 28));
  EXPECT_EQ(AddPeriod(MakeDate(2026, 1, 31), {1, 1}), MakeDate(2026, 3, 1));
  EXPECT_EQ(AddPeriod(MakeDate(2026, 3, 31), {-1, 0}), MakeDate(2026, 2, 28));
  EXPECT_EQ(AddPeriod(MakeDate(9999, 12, 31), {0, 1}), std::nullopt);
  EXPECT_EQ(AddPeriod(MakeDate(1, 1, 1), {-1, 0}), std::nullopt);
  EXPECT_EQ(AddPeriod(MakeDate(1, 1, 1), {std::numeric_limits<std::int32_t>::max(), 0}), std::nullopt);
  EXPECT_EQ(AddPeriod(MakeDate(1, 1, 1), {0, std::numeric_limits<std::int32_t>::min()}), std::nullopt);
}

// The definition of the door, tried year by year.
int AgeByDefinition(Date birth, Date on) {
  int n = on >= birth ? 0 : -200;
  while (*AddPeriod(birth, {(n + 1) * 12, 0}) <= on) ++n;
  return n;
}
int MonthsByDefinition(Date from, Date to) {
  int n = to >= from ? 0 : -2400;
  while (*AddPeriod(from, {n + 1, 0}) <= to) ++n;
  return n;
}

TEST(Age, IsTheLargestNumberOfYearsThatFitsForEveryBirthAroundALeapDay) {
  for (Date birth = MakeDate(2000, 2, 25); birth <= MakeDate(2000, 3, 3); birth += std::chrono::days(1)) {
    for (Date on = MakeDate(1995, 1, 1); on < MakeDate(2010, 1, 1); on += std::chrono::days(1)) {
      ASSERT_EQ(AgeInYears(birth, on), AgeByDefinition(birth, on)) << FormatDate(birth) << " " << FormatDate(on);
    }
  }
  EXPECT_EQ(AgeInYears(MakeDate(2004, 2, 29), MakeDate(2022, 2, 27)), 17);
  EXPECT_EQ(AgeInYears(MakeDate(2004, 2, 29), MakeDate(2022, 2, 28)), 18);
}

TEST(Age, AndMonthsAgreeWithTheirDefinitionOnRandomDays) {
  std::mt19937 random(20260301);
  const auto day = [&] { return MakeDate(1900, 1, 1) + std::chrono::days(random() % 73000); };
  for (int i = 0; i < 3000; ++i) {
    const Date a = day();
    const Date b = day();
    ASSERT_EQ(AgeInYears(a, b), AgeByDefinition(a, b)) << FormatDate(a) << " " << FormatDate(b);
    ASSERT_EQ(MonthsBetween(a, b), MonthsByDefinition(a, b)) << FormatDate(a) << " " << FormatDate(b);
  }
}

TEST(Equality, ComparesNumbersOfDifferentKindsByTheirValue) {
  const std::int64_t kOdd = (std::int64_t{1} << 53) + 1;  // not a double
  EXPECT_TRUE(Equals(Value::Int(1), Value::Double(1.0)));
  EXPECT_TRUE(Equals(Value::Uint(1), Value::Int(1)));
  EXPECT_FALSE(Equals(Value::Int(kOdd), Value::Double(static_cast<double>(kOdd))));
  EXPECT_FALSE(Equals(Value::Int(-1), Value::Uint(std::numeric_limits<std::uint64_t>::max())));
  EXPECT_FALSE(Equals(Value::Double(std::nan("")), Value::Double(std::nan(""))));
  EXPECT_TRUE(Equals(Value::Double(0.0), Value::Double(-0.0)));
  EXPECT_FALSE(Equals(Value::Int(1), Value::Bool(true)));
  EXPECT_FALSE(Equals(Value::String("1"), Value::Int(1)));
  EXPECT_FALSE(Equals(Value::Null(), Value::Int(0)));
  EXPECT_TRUE(Equals(Value::OfDecimal({150, 2}), Value::OfDecimal({15, 1})));
  EXPECT_TRUE(Equals(Value::OfDecimal({500, 2}), Value::Int(5)));
}

TEST(Order, IsExactNear2To63AndOneLineForAllNumbers) {
  // Ascending; each is less than every later one. 2^63 as a double counts as the largest int (CEL conformance).
  const std::array ascending{Value::Double(-HUGE_VAL),
                             Value::Double(-9223372036854777856.0),
                             Value::Int(kMinInt),
                             Value::Int(kMinInt + 1),
                             Value::Double(-9223372036854774784.0),
                             Value::Double(-1.5),
                             Value::Int(-1),
                             Value::Double(-0.5),
                             Value::Uint(0),
                             Value::Double(0.5),
                             Value::Int(1),
                             Value::Double(9223372036854774784.0),
                             Value::Int(kMaxInt - 1),
                             Value::Int(kMaxInt),
                             Value::Uint(9223372036854775808U),
                             Value::Double(9223372036854777856.0),
                             Value::Uint(std::numeric_limits<std::uint64_t>::max() - 1),
                             Value::Uint(std::numeric_limits<std::uint64_t>::max()),
                             Value::Double(18446744073709555712.0),
                             Value::Double(HUGE_VAL)};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t k = 0; k < ascending.size(); ++k) {
      const int expected = i < k ? -1 : i > k ? 1 : 0;
      EXPECT_EQ(Compare(ascending[i], ascending[k]), expected)
          << ToDisplay(ascending[i]) << " " << ToDisplay(ascending[k]);
    }
  }
  EXPECT_EQ(Compare(Value::Int(1), Value::Double(std::nan(""))), std::nullopt);
}

TEST(Order, TakesTextsByCodePointAndRefusesOtherKinds) {
  EXPECT_EQ(Compare(Value::String("a"), Value::String("é")), -1);
  EXPECT_EQ(Compare(Value::String("\xEF\xBF\xBD"), Value::String("\xF0\x9F\x98\x80")), -1);  // U+FFFD < U+1F600
  EXPECT_EQ(Compare(Value::OfDate(MakeDate(2026, 3, 1)), Value::OfDate(MakeDate(2026, 2, 28))), 1);
  EXPECT_EQ(Compare(Value::OfDecimal({100, 2}), Value::Int(2)), -1);
  EXPECT_EQ(Compare(Value::Uint(std::numeric_limits<std::uint64_t>::max()), Value::OfDecimal({1, 0})), 1);
  EXPECT_EQ(Compare(Value::String("1"), Value::Int(1)), std::nullopt);
  EXPECT_EQ(Compare(Value::OfPeriod({1, 0}), Value::OfPeriod({2, 0})), std::nullopt);
}

TEST(Copy, OutlivesTheArenaItCameFrom) {
  Arena to;
  Value copy;
  {
    Arena from;
    Value inner[2] = {Value::String(from.Copy("文字")), Value::Bytes(from.Copy(std::string_view("\0\xFF", 2)))};
    MapEntry entry[1] = {{Value::String(from.Copy("k")), Value::List(inner)}};
    const std::uint32_t slots[2] = {3, 7};
    const UnknownSet set{2, slots};
    Value all[3] = {Value::Map(entry), Value::Optional(&inner[0]), Value::Unknown(&set)};
    copy = DeepCopy(Value::List(all), to);
  }
  EXPECT_EQ(ToDisplay(copy.AsList()[0]), R"({"k": ["文字", b"AP8="]})");
  EXPECT_EQ(ToDisplay(*copy.AsList()[1].AsOptional()), "\"文字\"");
  EXPECT_EQ(copy.AsList()[2].AsUnknown().slots[1], 7U);
}

TEST(Display, ShowsValuesAsPeopleWriteThem) {
  EXPECT_EQ(ToDisplay(Value::OfDate(MakeDate(2026, 3, 1))), "2026-03-01");
  EXPECT_EQ(ToDisplay(Value::OfDecimal({1250, 2})), "12.50");
  EXPECT_EQ(ToDisplay(Value::Double(1)), "1.0");
  EXPECT_EQ(ToDisplay(Value::Timestamp(1234567890, 500000000)), "2009-02-13T23:31:30.5Z");
  EXPECT_EQ(ToDisplay(Value::Duration(-1, -500000000)), "-1.5s");
  EXPECT_EQ(ToDisplay(Value::String(std::string(100, 'x')), 10), "\"xxxxxx…");
  EXPECT_LE(ToDisplay(Value::String("年年年年年年年年"), 11).size(), 11U);
  EXPECT_TRUE(IsValidUtf8(ToDisplay(Value::String("年年年年年年年年"), 11)));
}

TEST(Json, IsValidForEveryKind) {
  EXPECT_EQ(ToJson(Value::Double(std::nan(""))), "\"NaN\"");
  EXPECT_EQ(ToJson(Value::OfDecimal({1250, 2})), "\"12.50\"");
  EXPECT_EQ(ToJson(Value::OfDate(MakeDate(2026, 3, 1))), "\"2026-03-01\"");
  MapEntry entry[2] = {{Value::Int(1), Value::Null()}, {Value::String("a\"b"), Value::Bytes("\xFF")}};
  EXPECT_EQ(ToJson(Value::Map(entry)), R"({"1":null,"a\"b":"/w=="})");
}

TEST(Types, AreTheSameObjectWhenTheyAreTheSameType) {
  EXPECT_EQ(ListOf(Primitive(Kind::kDate)), ListOf(Primitive(Kind::kDate)));
  EXPECT_NE(Nullable(Primitive(Kind::kDate)), Primitive(Kind::kDate));
  EXPECT_EQ(Nullable(Nullable(Primitive(Kind::kDate))), Nullable(Primitive(Kind::kDate)));
  EXPECT_EQ(Record("child", {{"b", Dyn()}, {"a", Primitive(Kind::kInt)}}),
            Record("child", {{"a", Primitive(Kind::kInt)}, {"b", Dyn()}}));
  EXPECT_EQ(TypeName(MapOf(Primitive(Kind::kString), ListOf(Primitive(Kind::kInt)))), "map(string, list(int))");
  std::vector<Type> seen(8);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    threads.emplace_back([&seen, i] { seen[i] = MapOf(Primitive(Kind::kInt), ListOf(Primitive(Kind::kBytes))); });
  }
  for (std::thread& t : threads) t.join();
  for (const Type t : seen) EXPECT_EQ(t, seen[0]);
}

}  // namespace
}  // namespace zhitui::value
