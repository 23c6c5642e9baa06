// The fuzz target of this room over its seed corpus, so that what once was found stays fixed without a fuzzer.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "fuzz/yaml_fuzz.cc"

namespace {

TEST(Corpus, EverySeedKeepsThePromisesOfTheFuzzTarget) {
  int seeds = 0;
  for (const auto& entry : std::filesystem::directory_iterator(ZHITUI_SOURCE_DIR "/tests/fuzz/corpus/yaml")) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    SCOPED_TRACE(entry.path().filename().string());
    EXPECT_EQ(LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()), 0);
    ++seeds;
  }
  EXPECT_GE(seeds, 10);
}

}  // namespace
