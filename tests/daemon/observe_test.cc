#include "daemon/observe.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "gtest/gtest.h"

namespace zhitui::daemon {
namespace {

TEST(Logs, EveryLineIsOneJsonObjectWhateverTheFieldsHold) {
  testing::internal::CaptureStderr();
  {
    const auto logger = NewLogger("json", LogLevel::kInfo);
    logger->Info(
        "first",
        {{"text", "a \"b\"\n中\x01"}, {"number", -5}, {"big", std::uint64_t{7}}, {"real", 0.5}, {"flag", true}});
    logger->Debug("hidden");
    logger->Error("{}", {{"percent", "%s {}"}});
  }
  std::istringstream lines(testing::internal::GetCapturedStderr());
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  const auto first = nlohmann::json::parse(line);
  EXPECT_EQ(first["event"], "first");
  EXPECT_EQ(first["level"], "info");
  EXPECT_TRUE(ParseInstant(first["ts"].get<std::string>()));
  EXPECT_EQ(first["text"], "a \"b\"\n中\x01");
  EXPECT_EQ(first["number"], -5);
  EXPECT_EQ(first["big"], 7);
  EXPECT_EQ(first["real"], 0.5);
  EXPECT_EQ(first["flag"], true);
  ASSERT_TRUE(std::getline(lines, line));
  const auto second = nlohmann::json::parse(line);
  EXPECT_EQ(second["event"], "{}");
  EXPECT_EQ(second["percent"], "%s {}");
  EXPECT_FALSE(std::getline(lines, line)) << line;
}

TEST(Logs, TextStaysOnOneLine) {
  testing::internal::CaptureStderr();
  NewLogger("text", LogLevel::kInfo)->Warn("word", {{"plain", "abc"}, {"spaced", "a b\nc"}, {"n", 3}});
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(text.ends_with(" warn word plain=abc spaced=\"a b\\nc\" n=3\n")) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

TEST(Metrics, TheSameNameAndLabelsAreTheSameObject) {
  PrometheusMetrics metrics;
  Counter& a = metrics.GetCounter("zhitui_test_total", "Help", {{"route", "a"}});
  EXPECT_EQ(&a, &metrics.GetCounter("zhitui_test_total", "Help", {{"route", "a"}}));
  EXPECT_NE(&a, &metrics.GetCounter("zhitui_test_total", "Help", {{"route", "b"}}));
  a.Add();
  a.Add(2);
  metrics.GetGauge("zhitui_test_ready", "Help").Set(1);
  metrics.GetHistogram("zhitui_test_seconds", "Help").Observe(0.003);
  const std::string text = metrics.Text();
  for (const char* line :
       {"# TYPE zhitui_test_total counter\n", "zhitui_test_total{route=\"a\"} 3\n",
        "zhitui_test_total{route=\"b\"} 0\n", "zhitui_test_ready 1\n", "zhitui_test_seconds_count 1\n",
        "zhitui_test_seconds_bucket{le=\"0.005\"} 1\n", "zhitui_test_seconds_bucket{le=\"0.0025\"} 0\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

}  // namespace
}  // namespace zhitui::daemon
