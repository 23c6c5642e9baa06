// The public CEL conformance cases, read from $ZHITUI_SHARED/conformance/cel (default <source dir>/../shared); skipped
// when they are not there.
#include <cstdlib>
#include <fstream>

#include "daemon/cel_cases.h"
#include "gtest/gtest.h"

namespace zhitui::daemon {
namespace {

using What = CelOutcome::What;

TEST(Conformance, EveryPublicCaseThatNeedsNoProtobufPasses) {
  const char* shared = std::getenv("ZHITUI_SHARED");
  const std::string dir = shared != nullptr ? shared : std::string(ZHITUI_SOURCE_DIR) + "/../shared";
  std::ifstream file(dir + "/conformance/cel/cases.ndjson");
  if (!file) GTEST_SKIP() << "no CEL conformance cases in " << dir << "; set ZHITUI_SHARED";
  std::size_t passed = 0;
  for (std::string line; std::getline(file, line);) {
    const CelOutcome o = RunCelCase(line);
    EXPECT_TRUE(o.what == What::kPassed || (o.what == What::kSkipped && o.note.starts_with("needs protobuf")))
        << o.name << ": " << o.expression << "\n"
        << o.note;
    passed += o.what == What::kPassed ? 1 : 0;
  }
  EXPECT_GT(passed, 800U);
}

TEST(CelCase, ExpectationsAreReallyCompared) {
  const auto run = [](const std::string& expr, const std::string& expect) {
    return RunCelCase(R"({"suite":"s","file":"f","section":"x","name":"n","line":7,"expr":")" + expr +
                      R"(","expect":)" + expect + "}");
  };
  EXPECT_EQ(run("1 + 1", R"({"value":{"int":"2"}})").what, What::kPassed);
  const CelOutcome wrong = run("1 + 1", R"({"value":{"int":"3"}})");
  EXPECT_EQ(wrong.what, What::kFailed);
  EXPECT_EQ(wrong.name, "f/x/n:7");
  EXPECT_EQ(wrong.note, "expected 3 (int)\ngot      2 (int)");
  EXPECT_EQ(run("1 + 1", R"({"value":{"uint":"2"}})").what, What::kFailed);  // equal, but another type
  EXPECT_EQ(run("1 / 0", R"({"error":["divide by zero"]})").what, What::kPassed);
  EXPECT_EQ(run("1 / 1", R"({"error":["divide by zero"]})").what, What::kFailed);
  EXPECT_EQ(run("1 +", R"({"value":{"int":"1"}})").what, What::kFailed);
  EXPECT_EQ(run("[1]", R"({"typed_result":{"deduced_type":{"list":"uint"}}})").what, What::kFailed);
  EXPECT_EQ(run("1", R"({"value":{"object":{"@type":"a.B"}}})").what, What::kSkipped);
}

TEST(CelCase, AMalformedLineIsNoFailedCase) {
  for (const std::string& line :
       {std::string("{"), std::string("[]"), std::string(R"({"expr":1})"), std::string(R"({"suite":"s"})"),
        std::string(100, '[') + std::string(100, ']'), std::string(2 << 20, ' ')}) {
    EXPECT_EQ(RunCelCase(line).what, What::kMalformed) << line.substr(0, 40);
  }
}

}  // namespace
}  // namespace zhitui::daemon
