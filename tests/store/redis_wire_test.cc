#include "store/redis_wire.h"

#include <gtest/gtest.h>

#include "store/redis_layout.h"

namespace zhitui::store {
namespace {

TEST(RedisWire, CommandsAreArraysOfBulkStrings) {
  // The Redis serialization protocol, version 2.
  std::string out;
  CommandWriter(out, 4).Arg("SET").Arg("k").Arg(std::string_view("a\r\n\0", 4)).Arg(-15);
  constexpr char kExpected[] = "*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\r\n\0\r\n$3\r\n-15\r\n";
  EXPECT_EQ(out, std::string(kExpected, sizeof kExpected - 1));
}

struct Case {
  const char* reply;
  ErrorKind kind;
};

// Error replies of Redis 6.2 and 7.0 as their servers write them.
constexpr Case kCases[] = {
    {"OOM command not allowed when used memory > 'maxmemory'.", ErrorKind::kFatal},
    {"OOM command not allowed when used memory > 'maxmemory'. script: 1f, on @user_script:12.", ErrorKind::kFatal},
    {"ERR Error running script (call to f_1f): @user_script:12: -OOM command not allowed when used memory > "
     "'maxmemory'.",
     ErrorKind::kFatal},
    {"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
     ErrorKind::kFatal},
    {"MISCONF Errors writing to the AOF file: No space left on device", ErrorKind::kFatal},
    {"READONLY You can't write against a read only replica.", ErrorKind::kFatal},
    {"NOAUTH Authentication required.", ErrorKind::kFatal},
    {"NOPERM this user has no permissions to run the 'evalsha' command", ErrorKind::kFatal},
    {"MOVED 3999 127.0.0.1:6381", ErrorKind::kFatal},
    {"WRONGTYPE Operation against a key holding the wrong kind of value", ErrorKind::kFatal},
    {"LOADING Redis is loading the dataset in memory", ErrorKind::kUnavailable},
    {"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", ErrorKind::kUnavailable},
    {"TRYAGAIN Multiple keys request during rehashing of slot", ErrorKind::kUnavailable},
    {"CLUSTERDOWN The cluster is down", ErrorKind::kUnavailable},
    {"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", ErrorKind::kUnavailable},
    {"NOREPLICAS Not enough good replicas to write.", ErrorKind::kUnavailable},
};

TEST(RedisWire, ErrorRepliesSayWhetherToStopOrToTryAgain) {
  for (const Case& c : kCases) EXPECT_EQ(RedisReplyError(c.reply, "h:1").kind, c.kind) << c.reply;
}

TEST(RedisWire, ArgumentsQuotedByAnErrorReplyStayOutOfTheMessage) {
  for (const char* reply :
       {"ERR unknown command 'EVALSHA', with args beginning with: '1f' '1' 'zhitui:{5}:r:0:SUBJECT'",
        "NOPERM No permissions to access a key 'zhitui:{5}:r:0:SUBJECT'", "SUBJECT'7 is odd"}) {
    EXPECT_EQ(RedisReplyError(reply, "h:1").message.find("zhitui:{5}"), std::string::npos) << reply;
  }
}

TEST(RedisLayoutTest, AHeaderKeepsItsVersionAndIsCheckedWhenRead) {
  for (const std::uint64_t version :
       {std::uint64_t{1}, std::uint64_t{255}, std::uint64_t{256}, (std::uint64_t{1} << 53)}) {
    std::string stored;
    AppendHeader(stored, version, Due{15, Instant(Millis(-7))});
    EXPECT_EQ(stored.size(), kHeaderBytes);
    EXPECT_EQ(stored.substr(0, kVersionBytes), VersionBytes(version));
    const auto read = ParseStored(stored + "value");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->version, version);
    EXPECT_EQ(read->value, "value");
  }
  EXPECT_FALSE(ParseStored(""));
  EXPECT_FALSE(ParseStored(std::string(kHeaderBytes - 1, '\1')));
  EXPECT_FALSE(ParseStored(std::string(kHeaderBytes, '\2')));
  EXPECT_FALSE(ParseStored("a foreign string value of some length"));
}

}  // namespace
}  // namespace zhitui::store
