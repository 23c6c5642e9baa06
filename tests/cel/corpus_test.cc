// The fuzzer's seeds and past findings, run as a plain test.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "fuzz/cel_fuzz.cc"
#include "gtest/gtest.h"

namespace {

TEST(Corpus, EverySeedRunsWithoutHarm) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(ZHITUI_SOURCE_DIR "/tests/fuzz/corpus/cel")) {
    std::ifstream file(entry.path(), std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    const std::string bytes = text.str();
    SCOPED_TRACE(entry.path().filename().string());
    EXPECT_EQ(LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()), 0);
    ++count;
  }
  EXPECT_GT(count, 20U);
}

}  // namespace
