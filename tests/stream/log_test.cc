// The embedded log keeps what the door promises.

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include <map>
#include <thread>

#include "stream_testing.h"

namespace zhitui::stream {
namespace {

constexpr Millis kSoon{5000};

class LogTest : public ::testing::Test {
 protected:
  std::unique_ptr<Log> Open() {
    LogOptions options;
    options.path = folder_.File("log.db");
    options.writer = writer_;
    options.max_records_per_topic = max_records_;
    Result<std::unique_ptr<Log>> log = OpenLog(options);
    EXPECT_TRUE(log) << log.error().message;
    return std::move(*log);
  }
  static std::unique_ptr<Source> Reader(Log& log, const std::string& group, std::vector<std::string> topics = {"in"}) {
    Result<std::unique_ptr<Source>> source = log.OpenSource(group, topics);
    EXPECT_TRUE(source) << source.error().message;
    return std::move(*source);
  }
  static void Append(Log& log, std::vector<Record> records) {
    const Status s = log.sink().Produce(records, kSoon);
    ASSERT_TRUE(s) << s.error().message;
  }

  TempFolder folder_;
  std::shared_ptr<std::mutex> writer_ = std::make_shared<std::mutex>();
  std::uint64_t max_records_ = 10'000'000;
};

TEST_F(LogTest, RecordsComeInTheOrderTheyWereAppendedWithRisingOffsets) {
  auto log = Open();
  Append(*log, Numbered("in", 0, 3));
  Append(*log, Numbered("in", 3, 4));
  auto source = Reader(*log, "g");
  const std::vector<Record> got = Read(*source, 7);
  EXPECT_EQ(Values(got), (std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6"}));
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].offset, static_cast<std::int64_t>(i));
    EXPECT_EQ(got[i].partition, 0);
    EXPECT_EQ(got[i].topic, "in");
  }
}

TEST_F(LogTest, KeysHeadersEmptyValuesAndTombstonesSurvive) {
  auto log = Open();
  const std::string binary("\0\xff\n\r ", 5);
  Append(*log, {MakeRecord("in", binary, binary, {{"ce_id", "1"}, {"ce_id", "2"}, {"", ""}, {"bytes", binary}}),
                MakeRecord("in", "", ""), MakeRecord("in", "gone", std::nullopt)});
  auto source = Reader(*log, "g");
  const std::vector<Record> got = Read(*source, 3);
  ASSERT_EQ(got.size(), 3U);
  EXPECT_EQ(got[0].key, binary);
  EXPECT_EQ(got[0].value, binary);
  EXPECT_EQ(got[0].headers, (std::vector<Header>{{"ce_id", "1"}, {"ce_id", "2"}, {"", ""}, {"bytes", binary}}));
  EXPECT_EQ(got[1].key, "");
  EXPECT_EQ(got[1].value, "");
  EXPECT_EQ(got[2].key, "gone");
  EXPECT_EQ(got[2].value, std::nullopt);
}

TEST_F(LogTest, ReadingResumesExactlyWhereItWasCommittedAfterAReopen) {
  {
    auto log = Open();
    Append(*log, Numbered("in", 0, 10));
    auto source = Reader(*log, "g");
    ASSERT_EQ(Read(*source, 8).size(), 8U);
    ASSERT_TRUE(source->Commit(std::vector<Position>{{"in", 0, 6}}));
    ASSERT_TRUE(source->Close(kSoon));
  }
  auto log = Open();
  auto source = Reader(*log, "g");
  EXPECT_EQ(Values(Read(*source, 4)), (std::vector<std::string>{"6", "7", "8", "9"}));
}

TEST_F(LogTest, WhatWasNotCommittedComesAgainAfterASourceDiesWithoutClose) {
  auto log = Open();
  Append(*log, Numbered("in", 0, 5));
  {
    auto source = Reader(*log, "g");
    ASSERT_EQ(Read(*source, 5).size(), 5U);
  }
  auto source = Reader(*log, "g");
  EXPECT_EQ(Values(Read(*source, 5)), (std::vector<std::string>{"0", "1", "2", "3", "4"}));
}

TEST_F(LogTest, RecordsSurviveAProcessThatIsKilled) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    LogOptions options;
    options.path = folder_.File("log.db");
    Result<std::unique_ptr<Log>> log = OpenLog(options);
    if (!log || !(*log)->sink().Produce(Numbered("in", 0, 100), kSoon)) ::_exit(1);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  auto log = Open();
  auto source = Reader(*log, "g");
  EXPECT_EQ(Read(*source, 100).size(), 100U);
}

TEST_F(LogTest, GroupsHaveIndependentPositions) {
  auto log = Open();
  Append(*log, Numbered("in", 0, 4));
  auto first = Reader(*log, "first");
  ASSERT_EQ(Read(*first, 4).size(), 4U);
  ASSERT_TRUE(first->Commit(std::vector<Position>{{"in", 0, 4}}));
  first.reset();
  auto second = Reader(*log, "second");
  EXPECT_EQ(Values(Read(*second, 4)), (std::vector<std::string>{"0", "1", "2", "3"}));
  second.reset();
  first = Reader(*log, "first");
  EXPECT_TRUE(first->Poll(10, Millis(0))->empty());
}

TEST_F(LogTest, TopicsHaveIndependentOffsetsAndPositions) {
  auto log = Open();
  Append(*log, {MakeRecord("a", "", "a0"), MakeRecord("b", "", "b0"), MakeRecord("a", "", "a1")});
  auto source = Reader(*log, "g", {"a", "b"});
  std::map<std::string, std::vector<std::string>> by_topic;
  for (const Record& r : Read(*source, 3)) by_topic[r.topic].push_back(*r.value + "@" + std::to_string(r.offset));
  EXPECT_EQ(by_topic["a"], (std::vector<std::string>{"a0@0", "a1@1"}));
  EXPECT_EQ(by_topic["b"], (std::vector<std::string>{"b0@0"}));
  ASSERT_TRUE(source->Commit(std::vector<Position>{{"a", 0, 1}, {"b", 0, 1}}));
  ASSERT_TRUE(source->Close(kSoon));
  source.reset();
  source = Reader(*log, "g", {"a", "b"});
  EXPECT_EQ(Values(Read(*source, 1)), (std::vector<std::string>{"a1"}));
}

TEST_F(LogTest, ConcurrentAppendersKeepOneOrderAndNoRecordIsLost) {
  constexpr int kThreads = 4;
  constexpr int kEach = 50;
  auto log = Open();
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          const std::vector<Record> two = {MakeRecord("in", std::to_string(t), std::to_string(2 * i)),
                                           MakeRecord("in", std::to_string(t), std::to_string(2 * i + 1))};
          EXPECT_TRUE(log->sink().Produce(two, kSoon));
        }
      });
    }
  }
  auto one = Reader(*log, "one");
  auto two = Reader(*log, "two");
  const std::vector<Record> got = Read(*one, 2 * kThreads * kEach);
  const std::vector<Record> again = Read(*two, 2 * kThreads * kEach);
  ASSERT_EQ(got.size(), static_cast<std::size_t>(2 * kThreads * kEach));
  ASSERT_EQ(again.size(), got.size());
  std::map<std::string, int> next;
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].offset, static_cast<std::int64_t>(i));
    EXPECT_EQ(got[i].value, std::to_string(next[got[i].key]++));
    EXPECT_EQ(again[i].key, got[i].key);
    EXPECT_EQ(again[i].value, got[i].value);
    if (i % 2 == 0) {  // a call's records stay together
      EXPECT_EQ(got[i].key, got[i + 1].key);
    }
  }
}

TEST_F(LogTest, AWaitingReaderGetsWhatAnotherThreadAppends) {
  auto log = Open();
  auto source = Reader(*log, "g");
  std::jthread writer([&] { Append(*log, Numbered("in", 0, 1)); });
  EXPECT_EQ(Values(Read(*source, 1)), (std::vector<std::string>{"0"}));
}

TEST_F(LogTest, AWriterThroughAnotherLogOnTheSameFileIsSeen) {
  auto log = Open();
  auto other = Open();
  auto source = Reader(*log, "g");
  Append(*other, Numbered("in", 0, 2));
  EXPECT_EQ(Values(Read(*source, 2)), (std::vector<std::string>{"0", "1"}));
}

TEST_F(LogTest, APausedTopicGivesNothingUntilResumedAndLosesNothing) {
  auto log = Open();
  Append(*log, Numbered("a", 0, 4));
  Append(*log, Numbered("b", 10, 2));
  auto source = Reader(*log, "g", {"a", "b"});
  ASSERT_TRUE(source->Pause("a", 0));
  EXPECT_EQ(Values(Read(*source, 2)), (std::vector<std::string>{"10", "11"}));
  EXPECT_TRUE(source->Poll(10, Millis(0))->empty());
  EXPECT_TRUE(source->Assigned()[0].paused);
  ASSERT_TRUE(source->Resume("a", 0));
  EXPECT_EQ(Values(Read(*source, 4)), (std::vector<std::string>{"0", "1", "2", "3"}));
  EXPECT_EQ(source->Pause("c", 0).error().kind, ErrorKind::kInvalid);
}

TEST_F(LogTest, CaughtUpMeansTheEndSeenAtTheStartIsReached) {
  auto log = Open();
  Append(*log, Numbered("in", 0, 3));
  auto source = Reader(*log, "g");
  EXPECT_EQ(source->Assigned()[0].end_at_start, 3);
  EXPECT_FALSE(source->Assigned()[0].CaughtUp());
  ASSERT_EQ(Read(*source, 2).size(), 2U);
  EXPECT_EQ(source->Assigned()[0].position, 2);
  EXPECT_FALSE(source->Assigned()[0].CaughtUp());
  Append(*log, Numbered("in", 3, 1));  // later records do not move the mark
  ASSERT_EQ(Read(*source, 1).size(), 1U);
  EXPECT_TRUE(source->Assigned()[0].CaughtUp());
}

TEST_F(LogTest, PruningTakesOnlyWhatEveryGroupHasCommitted) {
  max_records_ = 10;
  auto log = Open();
  auto slow = Reader(*log, "slow");
  auto quick = Reader(*log, "quick");
  Append(*log, Numbered("in", 0, 30));
  ASSERT_EQ(Read(*quick, 30).size(), 30U);
  ASSERT_TRUE(quick->Commit(std::vector<Position>{{"in", 0, 30}}));
  ASSERT_EQ(Read(*slow, 5).size(), 5U);
  ASSERT_TRUE(slow->Commit(std::vector<Position>{{"in", 0, 5}}));
  Append(*log, Numbered("in", 30, 1));
  auto late = Reader(*log, "late");
  EXPECT_EQ(Read(*late, 26).front().offset, 5);
  EXPECT_EQ(Read(*slow, 26).front().offset, 5);
}

TEST_F(LogTest, PruningKeepsTheNewestRecordsAndOffsetsAreNeverUsedTwice) {
  max_records_ = 10;
  {
    auto log = Open();
    Append(*log, Numbered("in", 0, 25));
  }
  auto log = Open();
  Append(*log, Numbered("in", 25, 1));
  auto source = Reader(*log, "g");
  const std::vector<Record> got = Read(*source, 10);
  ASSERT_EQ(got.size(), 10U);
  EXPECT_EQ(got.front().offset, 16);
  EXPECT_EQ(got.back().offset, 25);
  EXPECT_EQ(got.back().value, "25");
  EXPECT_TRUE(source->Poll(10, Millis(0))->empty());
}

TEST_F(LogTest, AFileThatEndsBeforeTheCommittedPositionIsRefused) {
  const std::string path = folder_.File("log.db");
  {
    auto log = Open();
    Append(*log, Numbered("in", 0, 1));
    auto source = Reader(*log, "g");
    ASSERT_EQ(Read(*source, 1).size(), 1U);
    ASSERT_TRUE(source->Commit(std::vector<Position>{{"in", 0, 1}}));
    ASSERT_TRUE(source->Close(kSoon));
  }
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, "UPDATE log_topic SET next = 0", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
  auto log = Open();
  const Result<std::unique_ptr<Source>> source = log->OpenSource("g", {"in"});
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().kind, ErrorKind::kFatal);
}

TEST_F(LogTest, ARecordOverFourMebibytesIsInvalidAndNothingOfTheCallIsAppended) {
  auto log = Open();
  const std::vector<Record> records = {MakeRecord("in", "k", "small"),
                                       MakeRecord("in", "k", std::string(4 * 1024 * 1024, 'x'))};
  const Status s = log->sink().Produce(records, kSoon);
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().kind, ErrorKind::kInvalid);
  auto source = Reader(*log, "g");
  EXPECT_TRUE(source->Poll(10, Millis(0))->empty());
}

TEST_F(LogTest, ASecondReaderOfAGroupIsRefusedWhileTheFirstLives) {
  auto log = Open();
  auto first = Reader(*log, "g");
  const Result<std::unique_ptr<Source>> second = log->OpenSource("g", {"other", "in"});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kInvalid);
  first.reset();
  EXPECT_TRUE(log->OpenSource("g", {"in"}));
  EXPECT_TRUE(log->OpenSource("g", {"other"}));  // the refused one left no claim behind
}

TEST_F(LogTest, CommitsOfWhatWasNotGivenAreRefusedAndOlderOnesChangeNothing) {
  auto log = Open();
  Append(*log, Numbered("in", 0, 3));
  {
    auto source = Reader(*log, "g");
    EXPECT_EQ(source->Commit(std::vector<Position>{{"in", 0, 1}}).error().kind, ErrorKind::kInvalid);
    ASSERT_EQ(Read(*source, 3).size(), 3U);
    ASSERT_TRUE(source->Commit(std::vector<Position>{{"in", 0, 3}}));
    ASSERT_TRUE(source->Commit(std::vector<Position>{{"in", 0, 1}}));
  }
  auto source = Reader(*log, "g");
  EXPECT_EQ(source->Assigned()[0].position, 3);
}

TEST_F(LogTest, AFolderThatIsMissingIsInvalid) {
  LogOptions options;
  options.path = folder_.File("no/such/folder/log.db");
  const Result<std::unique_ptr<Log>> log = OpenLog(options);
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().kind, ErrorKind::kInvalid);
}

}  // namespace
}  // namespace zhitui::stream
