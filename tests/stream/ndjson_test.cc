// The NDJSON source keeps what the door promises. Expected lines and offsets come from a naive reading of the same
// bytes.

#include <fstream>
#include <random>

#include "stream_testing.h"

namespace zhitui::stream {
namespace {

constexpr Millis kSoon{5000};
constexpr std::size_t kMebibyte = 1 << 20;

class NdjsonTest : public ::testing::Test {
 protected:
  void Write(const std::string& bytes, std::ios::openmode mode = std::ios::trunc) {
    std::ofstream out(path_, std::ios::binary | mode);
    out << bytes;
    ASSERT_TRUE(out.good());
  }
  void Append(const std::string& bytes) { Write(bytes, std::ios::app); }
  // Makes the file one that nobody has written to for an hour.
  void LetRest() {
    std::filesystem::last_write_time(path_, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  }
  std::unique_ptr<Source> Open() {
    LogOptions positions;
    positions.path = folder_.File("positions.db");
    Result<std::unique_ptr<Source>> source = OpenNdjsonSource({"events", path_, max_bytes_}, positions);
    EXPECT_TRUE(source) << source.error().message;
    return std::move(*source);
  }
  // Everything that is there now, in one go.
  static std::vector<Record> Drain(Source& source) {
    std::vector<Record> all;
    while (true) {
      const Assignment before = source.Assigned()[0];
      Result<std::vector<Record>> some = source.Poll(1000, Millis(0));
      if (!some) {
        ADD_FAILURE() << some.error().message;
        return all;
      }
      for (Record& r : *some) all.push_back(std::move(r));
      idle_ = some->empty() && source.Assigned()[0].position == before.position ? idle_ + 1 : 0;
      if (idle_ > 8) {
        idle_ = 0;
        return all;
      }
    }
  }

  TempFolder folder_;
  std::string path_ = folder_.File("events.ndjson");
  std::size_t max_bytes_ = 1'048'576;
  static inline int idle_ = 0;
};

TEST_F(NdjsonTest, EachLineIsARecordWithItsByteOffset) {
  Write("{\"a\":1}\n{\"b\":2}\r\n\n   \n{\"c\":3}\n");
  auto source = Open();
  const std::vector<Record> got = Drain(*source);
  EXPECT_EQ(Values(got), (std::vector<std::string>{"{\"a\":1}", "{\"b\":2}", "{\"c\":3}"}));
  EXPECT_EQ(got[0].offset, 0);
  EXPECT_EQ(got[1].offset, 8);
  EXPECT_EQ(got[2].offset, 22);
  for (const Record& r : got) {
    EXPECT_EQ(r.topic, "events");
    EXPECT_EQ(r.partition, 0);
    EXPECT_EQ(r.key, "");
    EXPECT_EQ(r.oversize_bytes, 0U);
  }
  EXPECT_EQ(source->Assigned()[0].position, 30);
  EXPECT_TRUE(source->Assigned()[0].CaughtUp());
}

TEST_F(NdjsonTest, AnyMixOfLineLengthsIsReadAsANaiveReaderWould) {
  std::mt19937 random(7);
  std::string bytes;
  std::vector<std::pair<std::int64_t, std::string>> expected;
  for (int i = 0; i < 3000; ++i) {
    // Around the block size too, so that lines end before, on and behind a block's edge.
    const std::size_t size = i % 500 == 499 ? kMebibyte - 3 + random() % 6 : random() % 2000;
    std::string line(size, 'x');
    for (char& c : line) c = static_cast<char>('a' + random() % 26);
    if (!line.empty()) expected.emplace_back(static_cast<std::int64_t>(bytes.size()), line);
    bytes += line + "\n";
  }
  Write(bytes);
  max_bytes_ = 2 * kMebibyte;
  auto source = Open();
  const std::vector<Record> got = Drain(*source);
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].offset, expected[i].first);
    EXPECT_TRUE(got[i].value == expected[i].second) << i;
  }
}

TEST_F(NdjsonTest, ALineWithoutEndWaitsUntilItIsCompleteOrTheFileIsAtRest) {
  Write("one\ntw");
  auto source = Open();
  EXPECT_EQ(Values(Drain(*source)), (std::vector<std::string>{"one"}));
  Append("o\nthree");
  EXPECT_EQ(Values(Drain(*source)), (std::vector<std::string>{"two"}));
  EXPECT_FALSE(source->Assigned()[0].position == 13);
  LetRest();
  EXPECT_EQ(Values(Drain(*source)), (std::vector<std::string>{"three"}));
  EXPECT_EQ(source->Assigned()[0].position, 13);
  Append("\nfour\n");
  EXPECT_EQ(Values(Drain(*source)), (std::vector<std::string>{"four"}));
}

TEST_F(NdjsonTest, AnOversizedLineIsAPrefixWithItsSizeAndTheNextLineIsWhole) {
  max_bytes_ = 10;
  const std::size_t huge = 3 * kMebibyte + 17;
  Write("0123456789\n0123456789A\n" + std::string(huge, 'y') + "\nshort\n");
  auto source = Open();
  const std::vector<Record> got = Drain(*source);
  EXPECT_EQ(Values(got), (std::vector<std::string>{"0123456789", "0123456789", "yyyyyyyyyy", "short"}));
  EXPECT_EQ(got[0].oversize_bytes, 0U);
  EXPECT_EQ(got[1].oversize_bytes, 11U);
  EXPECT_EQ(got[2].oversize_bytes, huge);
  EXPECT_EQ(got[3].oversize_bytes, 0U);
}

TEST_F(NdjsonTest, ReadingResumesExactlyBehindTheCommittedLine) {
  Write("a\nbb\nccc\ndddd\n");
  for (const std::int64_t next : {std::int64_t{3}, std::int64_t{5}}) {  // offset + 1 of "bb", and the start of "ccc"
    {
      auto source = Open();
      Drain(*source);
      ASSERT_TRUE(source->Commit(std::vector<Position>{{"events", 0, next}}));
      ASSERT_TRUE(source->Close(kSoon));
    }
    auto source = Open();
    EXPECT_EQ(Values(Drain(*source)), (std::vector<std::string>{"ccc", "dddd"}));
  }
}

TEST_F(NdjsonTest, ReadingResumesAtEveryPositionOfAFileOfSeveralBlocks) {
  std::string bytes;
  std::vector<std::int64_t> starts;
  while (bytes.size() < 2 * kMebibyte + 1000) {
    starts.push_back(static_cast<std::int64_t>(bytes.size()));
    bytes += std::string(starts.size() % 3 == 0 ? 65535 : 40000, static_cast<char>('a' + starts.size() % 26)) + "\n";
  }
  // A line that ends exactly with the second block.
  starts.push_back(static_cast<std::int64_t>(bytes.size()));
  bytes += std::string(3 * kMebibyte - bytes.size() - 1, 'z') + "\n";
  starts.push_back(static_cast<std::int64_t>(bytes.size()));
  bytes += "last\n";
  Write(bytes);
  for (std::size_t i = 0; i + 1 < starts.size(); i += 5) {
    {
      auto source = Open();
      ASSERT_GT(Drain(*source).size(), 0U);
      ASSERT_TRUE(source->Commit(std::vector<Position>{{"events", 0, starts[i] + 1}}));
      ASSERT_TRUE(source->Close(kSoon));
    }
    auto source = Open();
    const std::vector<Record> got = Drain(*source);
    ASSERT_EQ(got.size(), starts.size() - i - 1);
    EXPECT_EQ(got.front().offset, starts[i + 1]);
  }
  {
    auto source = Open();
    Drain(*source);
    ASSERT_TRUE(source->Commit(std::vector<Position>{{"events", 0, 3 * static_cast<std::int64_t>(kMebibyte)}}));
    ASSERT_TRUE(source->Close(kSoon));
  }
  auto source = Open();
  EXPECT_EQ(Values(Drain(*source)), (std::vector<std::string>{"last"}));
}

TEST_F(NdjsonTest, WhatWasNotCommittedComesAgainAfterASourceDiesWithoutClose) {
  Write("a\nb\n");
  {
    EXPECT_EQ(Drain(*Open()).size(), 2U);
  }
  EXPECT_EQ(Drain(*Open()).size(), 2U);
}

TEST_F(NdjsonTest, AFileThatGrewGoesOnWhereItWas) {
  Write("a\nb\n");
  {
    auto source = Open();
    Drain(*source);
    ASSERT_TRUE(source->Commit(std::vector<Position>{{"events", 0, 4}}));
    ASSERT_TRUE(source->Close(kSoon));
  }
  Append("c\n");
  auto source = Open();
  EXPECT_EQ(Values(Drain(*source)), (std::vector<std::string>{"c"}));
}

TEST_F(NdjsonTest, AFileMovedElsewhereGoesOnUnderTheSameName) {
  Write("a\nb\n");
  {
    auto source = Open();
    Drain(*source);
    ASSERT_TRUE(source->Commit(std::vector<Position>{{"events", 0, 1}}));
    ASSERT_TRUE(source->Close(kSoon));
  }
  const std::string moved = folder_.File("moved.ndjson");
  std::filesystem::rename(path_, moved);
  path_ = moved;
  EXPECT_EQ(Values(Drain(*Open())), (std::vector<std::string>{"b"}));
}

class ChangedFile : public NdjsonTest, public ::testing::WithParamInterface<std::pair<std::size_t, std::size_t>> {};

// (bytes committed, which byte changes)
TEST_P(ChangedFile, IsFatalWhereverTheChangeIs) {
  const auto [committed, changed] = GetParam();
  std::string bytes;
  while (bytes.size() < 3 * kMebibyte) bytes += std::string(1023, 'a') + "\n";
  Write(bytes);
  {
    auto source = Open();
    Drain(*source);
    ASSERT_TRUE(source->Commit(std::vector<Position>{{"events", 0, static_cast<std::int64_t>(committed)}}));
    ASSERT_TRUE(source->Close(kSoon));
  }
  bytes[changed] = 'b';
  Write(bytes);
  auto source = Open();
  Result<std::vector<Record>> got = source->Poll(10, kSoon);
  ASSERT_EQ(!got, changed < committed);
  if (!got) {
    EXPECT_EQ(got.error().kind, ErrorKind::kFatal);
    EXPECT_EQ(source->Poll(10, Millis(0)).error().kind, ErrorKind::kFatal);  // and stays so
  }
}

INSTANTIATE_TEST_SUITE_P(Prefixes, ChangedFile,
                         ::testing::Values(std::pair(1024U, 0U), std::pair(1024U, 1022U), std::pair(1024U, 1024U),
                                           std::pair(kMebibyte, kMebibyte - 2), std::pair(kMebibyte, 5U),
                                           std::pair(kMebibyte, kMebibyte), std::pair(2 * kMebibyte + 2048, 100U),
                                           std::pair(2 * kMebibyte + 2048, kMebibyte + 7),
                                           std::pair(2 * kMebibyte + 2048, 2 * kMebibyte + 2000),
                                           std::pair(2 * kMebibyte + 2048, 2 * kMebibyte + 2048)));

TEST_F(NdjsonTest, AFileShorterThanWhatWasReadIsFatal) {
  Write("aaaa\nbbbb\n");
  auto source = Open();
  Drain(*source);
  ASSERT_TRUE(source->Commit(std::vector<Position>{{"events", 0, 10}}));
  ASSERT_TRUE(source->Close(kSoon));
  Write("aaaa\n");
  source = Open();
  EXPECT_EQ(source->Poll(1, kSoon).error().kind, ErrorKind::kFatal);
}

TEST_F(NdjsonTest, AFileCutWhileItIsReadIsFatal) {
  Write("aaaa\nbbbb\n");
  auto source = Open();
  Drain(*source);
  std::filesystem::resize_file(path_, 5);
  EXPECT_EQ(source->Poll(1, Millis(0)).error().kind, ErrorKind::kFatal);
}

TEST_F(NdjsonTest, AFileReplacedWhileItIsReadIsFatal) {
  Write("aaaa\n");
  auto source = Open();
  Drain(*source);
  std::filesystem::rename(path_, path_ + ".old");
  Write("aaaa\ncccc\n");
  EXPECT_EQ(source->Poll(1, kSoon).error().kind, ErrorKind::kFatal);
}

TEST_F(NdjsonTest, APausedSourceGivesNothingUntilResumed) {
  Write("a\nb\n");
  auto source = Open();
  ASSERT_TRUE(source->Pause("events", 0));
  EXPECT_TRUE(source->Poll(10, Millis(0))->empty());
  ASSERT_TRUE(source->Resume("events", 0));
  EXPECT_EQ(Drain(*source).size(), 2U);
}

TEST_F(NdjsonTest, AMissingFileAndAFolderAreInvalid) {
  LogOptions positions;
  positions.path = folder_.File("positions.db");
  EXPECT_EQ(OpenNdjsonSource({"events", path_, 100}, positions).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(OpenNdjsonSource({"events", folder_.path().string(), 100}, positions).error().kind, ErrorKind::kInvalid);
}

}  // namespace
}  // namespace zhitui::stream
