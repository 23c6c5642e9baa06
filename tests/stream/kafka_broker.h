#pragma once

// Real Kafka brokers for the tests of this room. All tests of the binary share one: the one that ZHITUI_TEST_KAFKA
// names, or else one that is started for them and taken down at the end. A test that kills its broker starts its own.

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "stream_testing.h"

namespace zhitui::stream {

inline bool Runs(const std::string& command) { return std::system((command + " > /dev/null 2>&1").c_str()) == 0; }

class LocalKafka {
 public:
  ~LocalKafka() { Do("down"); }
  bool Up() { return Do("up") && !bootstrap_.empty(); }
  bool Do(const std::string& verb) {
    const std::string command =
        "ZHITUI_RUN='" + folder_.path().string() + "' '" ZHITUI_SOURCE_DIR "/tests/services/kafka/kafka.sh' " + verb;
    std::FILE* out = ::popen(command.c_str(), "r");
    if (out == nullptr) return false;
    std::array<char, 256> line{};
    if (std::fgets(line.data(), line.size(), out) != nullptr && verb == "up") {
      bootstrap_ = line.data();
      while (bootstrap_.ends_with('\n')) bootstrap_.pop_back();
    }
    return ::pclose(out) == 0;
  }
  const std::string& bootstrap() const { return bootstrap_; }

 private:
  TempFolder folder_;
  std::string bootstrap_;
};

class SharedKafka : public ::testing::Environment {
 public:
  void SetUp() override {
    const char* given = std::getenv("ZHITUI_TEST_KAFKA");
    if (given != nullptr && *given != '\0') {
      Bootstrap() = given;
      return;
    }
    if (!Runs("command -v java") || !Runs("command -v mvn")) {
      GTEST_SKIP() << "Kafka tests skipped: java or mvn is missing";
    }
    local_ = std::make_unique<LocalKafka>();
    ASSERT_TRUE(local_->Up()) << "Kafka does not start";
    Bootstrap() = local_->bootstrap();
  }
  void TearDown() override { local_.reset(); }

  static std::string& Bootstrap() {
    static std::string bootstrap;
    return bootstrap;
  }

 private:
  std::unique_ptr<LocalKafka> local_;
};

}  // namespace zhitui::stream
