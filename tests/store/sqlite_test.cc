#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <random>
#include <thread>

#include "store/steady_writer.h"
#include "store/store.h"
#include "store/store_suite.h"
#include "store/temp_dir.h"

namespace zhitui::store {
namespace {

class SqliteBackend final : public Backend {
 public:
  Result<std::unique_ptr<Store>> Open() override { return OpenSqlite({.path = dir_.File("zhitui.db")}); }

 private:
  const TempDir dir_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreSuite,
                         ::testing::Values(BackendParam{"sqlite", [] { return std::make_unique<SqliteBackend>(); },
                                                        ""}),
                         [](const auto& param_info) { return param_info.param.name; });

// A child process that does `body` with the writing end of a pipe, and the reading end of it.
class Child {
 public:
  explicit Child(const std::function<void(int)>& body) {
    int ends[2];
    if (pipe(ends) != 0) std::abort();
    pid_ = fork();
    if (pid_ == 0) {
      close(ends[0]);
      body(ends[1]);
      _exit(0);
    }
    close(ends[1]);
    in_ = ends[0];
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) Kill();
    close(in_);
  }

  // False at the end of the pipe.
  bool Read(std::uint64_t& number) { return read(in_, &number, sizeof number) == sizeof number; }
  void Kill() {
    kill(pid_, SIGKILL);
    Wait();
  }
  int Wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }

  static void Report(int out, std::uint64_t number) {
    if (write(out, &number, sizeof number) != sizeof number) _exit(3);
  }

 private:
  pid_t pid_ = -1;
  int in_ = -1;
};

class SqliteFile : public ::testing::Test {
 protected:
  std::unique_ptr<Store> MustOpen() {
    Result<std::unique_ptr<Store>> opened = OpenSqlite({.path = path_});
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
  }

  const TempDir dir_;
  const std::string path_ = dir_.File("zhitui.db");
};

TEST_F(SqliteFile, KillNineOfTheWriterLosesNothingAcknowledged) {
  std::mt19937 random(20260301);
  std::uint64_t last = 0;
  for (int round = 0; round < 6; ++round) {
    Child child([&](int out) {
      Result<std::unique_ptr<Store>> store = OpenSqlite({.path = path_});
      if (!store) _exit(2);
      WriteSteadily(**store, [out](std::uint64_t version) { Child::Report(out, version); });
    });
    std::uint64_t acknowledged = last;
    for (auto n = 20 + random() % 60; n > 0; --n) ASSERT_TRUE(child.Read(acknowledged));
    child.Kill();
    while (child.Read(acknowledged)) continue;
    ASSERT_GT(acknowledged, last);
    const std::unique_ptr<Store> store = MustOpen();
    ASSERT_TRUE(store);
    ExpectNothingLost(*store, acknowledged);
    last = acknowledged;
  }
}

TEST_F(SqliteFile, AFileInUseByAnotherProcessIsRefusedUntilThatOneEnds) {
  Child child([&](int out) {
    const Result<std::unique_ptr<Store>> store = OpenSqlite({.path = path_});
    Child::Report(out, store ? 1 : 0);
    for (;;) pause();
  });
  std::uint64_t opened = 0;
  ASSERT_TRUE(child.Read(opened));
  ASSERT_EQ(opened, 1u);
  const auto refused = OpenSqlite({.path = path_});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
  EXPECT_NE(refused.error().message.find("in use by process"), std::string::npos) << refused.error().message;
  child.Kill();
  EXPECT_TRUE(MustOpen());
}

TEST_F(SqliteFile, TwoStoresOfOneProcessShareTheFile) {
  const std::unique_ptr<Store> one = MustOpen();
  const std::unique_ptr<Store> two = MustOpen();
  const Transaction write{1, {Write("k", 0, "v")}, {"a"}};
  EXPECT_EQ((*one->Apply({&write, 1}))[0], Applied::kApplied);
  EXPECT_EQ((*two->Apply({&write, 1}))[0], Applied::kConflict);
  const Transaction more{1, {}, {"b"}};
  EXPECT_EQ((*two->Apply({&more, 1}))[0], Applied::kApplied);
  const Shard shard = 1;
  EXPECT_EQ((*one->ReadOutbox({&shard, 1}, 10))[0].size(), 2u);
}

TEST_F(SqliteFile, OnlyTheOwnerMayReadTheFile) {
  const std::unique_ptr<Store> store = MustOpen();
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
    struct stat info{};
    ASSERT_EQ(stat((path_ + suffix).c_str(), &info), 0) << suffix;
    EXPECT_EQ(info.st_mode & 077u, 0u) << suffix;
  }
}

TEST_F(SqliteFile, AFileOfAnotherKindIsRefusedAndLeftAlone) {
  const std::string text(5000, 't');
  std::ofstream(path_) << text;
  const auto opened = OpenSqlite({.path = path_});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kInvalid);
  std::ifstream in(path_);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), text);
}

TEST_F(SqliteFile, AMissingFolderIsInvalidAndSaysSo) {
  const auto opened = OpenSqlite({.path = dir_.File("absent/zhitui.db")});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kInvalid);
  EXPECT_NE(opened.error().message.find("folder"), std::string::npos);
}

// Another room's connection to the same file.
class OtherWriter {
 public:
  explicit OtherWriter(const std::string& path) {
    sqlite3_open(path.c_str(), &db_);
    sqlite3_busy_timeout(db_, 5000);
  }
  OtherWriter(const OtherWriter&) = delete;
  OtherWriter& operator=(const OtherWriter&) = delete;
  ~OtherWriter() { sqlite3_close(db_); }
  bool Execute(const char* sql) { return sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == SQLITE_OK; }
  std::int64_t Number(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(db_, sql, -1, &statement, nullptr);
    const std::int64_t number = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
    sqlite3_finalize(statement);
    return number;
  }

 private:
  sqlite3* db_ = nullptr;
};

TEST_F(SqliteFile, ASchemaOfANewerProgramIsRefused) {
  MustOpen().reset();
  ASSERT_TRUE(OtherWriter(path_).Execute("UPDATE store_meta SET value = '99' WHERE name = 'schema'"));
  const auto opened = OpenSqlite({.path = path_});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kInvalid);
  EXPECT_NE(opened.error().message.find("99"), std::string::npos);
}

TEST_F(SqliteFile, TheUserVersionAndTablesOfOthersAreLeftAlone) {
  OtherWriter other(path_);
  ASSERT_TRUE(other.Execute("PRAGMA user_version = 42; CREATE TABLE log_entry(x); INSERT INTO log_entry VALUES(1)"));
  const std::unique_ptr<Store> store = MustOpen();
  ASSERT_TRUE(store);
  EXPECT_EQ(other.Number("PRAGMA user_version"), 42);
  EXPECT_EQ(other.Number("SELECT x FROM log_entry"), 1);
}

TEST_F(SqliteFile, AWriterElsewhereThatDoesNotLetGoIsUnavailableAndThenItGoesOn) {
  const auto opened = OpenSqlite({.path = path_, .busy_timeout = Millis(20)});
  ASSERT_TRUE(opened);
  const Transaction write{1, {Write("k", 0, "v")}, {}};
  OtherWriter other(path_);
  ASSERT_TRUE(other.Execute("BEGIN IMMEDIATE"));
  const auto refused = (*opened)->Apply({&write, 1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
  const RecordKey name{1, Space::kSubject, "k"};
  EXPECT_EQ((*(*opened)->Load({&name, 1}))[0].version, 0u);  // readers go on meanwhile
  ASSERT_TRUE(other.Execute("COMMIT"));
  EXPECT_EQ((*(*opened)->Apply({&write, 1}))[0], Applied::kApplied);
}

TEST_F(SqliteFile, AnotherWriterUnderTheSameMutexNeverMakesItBusy) {
  const auto mutex = std::make_shared<std::mutex>();
  const auto opened = OpenSqlite({.path = path_, .writer = mutex, .busy_timeout = Millis(0)});
  ASSERT_TRUE(opened);
  OtherWriter other(path_);
  {
    const std::scoped_lock lock(*mutex);
    ASSERT_TRUE(other.Execute("CREATE TABLE log_entry(x)"));
  }
  std::atomic<int> failed = 0;
  std::thread log([&] {
    for (int i = 0; i < 200; ++i) {
      const std::scoped_lock lock(*mutex);
      if (!other.Execute("BEGIN IMMEDIATE; INSERT INTO log_entry VALUES(1); COMMIT")) ++failed;
    }
  });
  for (std::uint64_t i = 0; i < 200; ++i) {
    const Transaction write{1, {Write("k", i, "v")}, {}};
    if (!(*opened)->Apply({&write, 1})) ++failed;
  }
  log.join();
  EXPECT_EQ(failed, 0);
}

TEST_F(SqliteFile, AFullDiskIsFatalAndKeepsWhatWasAcknowledged) {
  constexpr std::uint64_t kFatalMark = ~std::uint64_t{0};
  // A limit on the size of files is what a child can have of a full disk.
  Child child([&](int out) {
    signal(SIGXFSZ, SIG_IGN);
    const Result<std::unique_ptr<Store>> store = OpenSqlite({.path = path_});
    if (!store) _exit(2);
    const rlimit limit{.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
    setrlimit(RLIMIT_FSIZE, &limit);
    const Error error = WriteSteadily(**store, [out](std::uint64_t version) { Child::Report(out, version); });
    if (error.kind == ErrorKind::kFatal) Child::Report(out, kFatalMark);
  });
  std::uint64_t acknowledged = 0;
  std::uint64_t number = 0;
  while (child.Read(number) && number != kFatalMark) acknowledged = number;
  EXPECT_EQ(number, kFatalMark);
  EXPECT_EQ(child.Wait(), 0);
  const std::unique_ptr<Store> store = MustOpen();
  ASSERT_TRUE(store);
  EXPECT_GT(acknowledged, 0u);
  ExpectNothingLost(*store, acknowledged);
}

}  // namespace
}  // namespace zhitui::store
