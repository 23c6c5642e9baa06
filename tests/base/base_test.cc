#include "base/base.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

namespace zhitui {
namespace {

// org.apache.kafka.common.utils.UtilsTest#testMurmur2 lists these keys and hashes.
TEST(Murmur2, GivesKafkasHashes) {
  EXPECT_EQ(static_cast<std::int32_t>(Murmur2("21")), -973932308);
  EXPECT_EQ(static_cast<std::int32_t>(Murmur2("foobar")), -790332482);
  EXPECT_EQ(static_cast<std::int32_t>(Murmur2("a-little-bit-long-string")), -985981536);
  EXPECT_EQ(static_cast<std::int32_t>(Murmur2("a-little-bit-longer-string")), -1486304829);
  EXPECT_EQ(static_cast<std::int32_t>(Murmur2("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8")), -58897971);
  EXPECT_EQ(static_cast<std::int32_t>(Murmur2("abc")), 479470107);
}

// FIPS 180-2, appendix B.1 and B.2.
TEST(Sha256, GivesTheStandardsDigests) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(StableId, KeepsPartsApart) {
  EXPECT_NE(StableId().Add("ab").Add("c").Hex(), StableId().Add("a").Add("bc").Hex());
  EXPECT_NE(StableId().Add("a").Hex(), StableId().Add("a").Add("").Hex());
  EXPECT_EQ(StableId().Add("a").Add(std::int64_t{7}).Hex().size(), 32U);
}

TEST(ByteCodec, GivesBackWhatWasWritten) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::uint64_t> numbers;
    ByteWriter w;
    for (int i = 0; i < 20; ++i) {
      numbers.push_back(random() >> (random() % 64));
      w.U64(numbers.back());
      w.I64(static_cast<std::int64_t>(numbers.back()));
      w.Str(std::string(numbers.back() % 50, 'x'));
    }
    const std::string bytes = w.Take();
    ByteReader r(bytes);
    for (const std::uint64_t n : numbers) {
      ASSERT_EQ(r.U64(), n);
      ASSERT_EQ(r.I64(), static_cast<std::int64_t>(n));
      ASSERT_EQ(r.Str().size(), n % 50);
    }
    ASSERT_TRUE(r.ok() && r.AtEnd());
  }
}

TEST(ByteCodec, SaysWhenTheInputIsCutAnywhere) {
  ByteWriter w;
  w.Str("hello");
  w.U64(1ULL << 40);
  w.Str("world");
  const std::string bytes = w.Take();
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    ByteReader r(std::string_view(bytes).substr(0, n));
    r.Str();
    r.U64();
    r.Str();
    EXPECT_FALSE(r.ok()) << n;
  }
}

TEST(ByteCodec, RefusesACountTheInputCannotHold) {
  ByteWriter w;
  w.U64(1'000'000'000);
  ByteReader r(w.bytes());
  EXPECT_EQ(r.Count(), 0U);
  EXPECT_FALSE(r.ok());
}

TEST(BoundedQueue, LosesNothingBetweenThreads) {
  BoundedQueue<int> queue(8);
  std::atomic<long> sum{0};
  std::vector<std::thread> readers;
  for (int t = 0; t < 3; ++t) {
    readers.emplace_back([&] {
      while (std::optional<int> v = queue.Pop()) sum += *v;
    });
  }
  std::vector<std::thread> writers;
  for (int t = 0; t < 3; ++t) {
    writers.emplace_back([&] {
      for (int i = 1; i <= 2000; ++i) ASSERT_TRUE(queue.Push(i));
    });
  }
  for (std::thread& t : writers) t.join();
  queue.Close();
  for (std::thread& t : readers) t.join();
  EXPECT_EQ(sum, 3L * 2000 * 2001 / 2);
  EXPECT_FALSE(queue.Push(1));
}

TEST(Diagnostics, PutTheCaretUnderTheWordBehindChineseText) {
  Diagnostic d;
  d.at = {"a.yaml", 3, 9};
  d.length = 3;
  d.code = "unknown-name";
  d.message = "there is no agx";
  d.hint = "did you mean age?";
  d.source_line = "年龄: 满70 agx";
  EXPECT_EQ(FormatDiagnostics({d}),
            "a.yaml:3:9: error [unknown-name]: there is no agx\n"
            "    年龄: 满70 agx\n"
            "               ^^^\n"
            "    hint: did you mean age?\n");
}

TEST(NearestName, FindsTheSlipAndNotTheStranger) {
  const std::vector<std::string> names = {"birth_date", "hukou.city", "hukou.district"};
  EXPECT_EQ(NearestName("hukou.citty", names), "hukou.city");
  EXPECT_EQ(NearestName("birthdate", names), "birth_date");
  EXPECT_EQ(NearestName("zzzzzzzzzzzzzzzzz", names), "");
}

TEST(Text, JsonQuoteEscapesControlCharactersOnly) {
  EXPECT_EQ(JsonQuote("a\"b\\c\n\x01高"), "\"a\\\"b\\\\c\\n\\u0001高\"");
}

TEST(Text, Utf8CheckRefusesOverlongSurrogatesAndCutSequences) {
  EXPECT_TRUE(IsValidUtf8("高龄津贴 \xF0\x9F\x8E\x82"));
  for (const char* bad : {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE9\xAB", "\xFF", "\x80"}) {
    EXPECT_FALSE(IsValidUtf8(bad));
  }
}

TEST(Text, MaskPhoneKeepsThreeAndFour) {
  EXPECT_EQ(MaskPhone("13800131234"), "138****1234");
  EXPECT_EQ(MaskPhone("+8613800131234"), "***");
}

}  // namespace
}  // namespace zhitui
