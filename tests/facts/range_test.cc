// min and max of a fact: what lies outside is refused, by the fast reader as by the one that explains refusals.
#include <memory>
#include <optional>
#include <string>

#include "facts/facts.h"
#include "gtest/gtest.h"
#include "yaml/yaml.h"

namespace zhitui::facts {
namespace {

std::shared_ptr<const Schema> SchemaOf(const std::string& facts, Diagnostics* diagnostics) {
  const std::optional<yaml::Document> document =
      yaml::Parse("facts/person.yaml", "kind: person\nsources: {office: 办公室}\nfacts:\n" + facts, diagnostics);
  return document ? ParseSchema(*document, diagnostics) : nullptr;
}

std::string CodeOf(const std::string& facts) {
  Diagnostics diagnostics;
  SchemaOf(facts, &diagnostics);
  return diagnostics.size() == 1 ? diagnostics[0].code : FormatDiagnostics(diagnostics);
}

std::string Refused(const std::shared_ptr<const Schema>& schema, const std::string& json) {
  Profile profile(schema);
  const auto set = profile.SetFromJson(json);
  return set ? "" : std::string(RefusalName(set.error().reason)) + " " + set.error().detail;
}

TEST(Range, ANumberOutsideIsRefusedAndTheBoundsAreNot) {
  Diagnostics diagnostics;
  const auto schema = SchemaOf(
      "  n: {type: int, min: 1, max: 20, source: office, label: 数}\n"
      "  rent: {type: money, min: 0.50, source: office, label: 租金}\n",
      &diagnostics);
  ASSERT_NE(schema, nullptr) << FormatDiagnostics(diagnostics);
  EXPECT_EQ(Refused(schema, R"({"n": 1, "rent": 0.5})"), "");
  EXPECT_EQ(Refused(schema, R"({"n": 20, "rent": "100000.00"})"), "");
  EXPECT_EQ(Refused(schema, R"({"n": 0})"), "wrong_type n: expected at least 1 and at most 20");
  EXPECT_EQ(Refused(schema, R"({"n": 21})"), "wrong_type n: expected at least 1 and at most 20");
  EXPECT_EQ(Refused(schema, R"({"rent": 0.49})"), "wrong_type rent: expected at least 0.50");
  EXPECT_EQ(Refused(schema, R"({"rent": "0.49"})"), "wrong_type rent: expected at least 0.50");
}

TEST(Range, OnlyNumbersHaveBoundsAndTheyMustLeaveAValue) {
  EXPECT_EQ(CodeOf("  n: {type: int, min: 2, max: 1, source: office, label: 数}\n"), "bad-range");
  EXPECT_EQ(CodeOf("  n: {type: int, min: 1.5, source: office, label: 数}\n"), "wrong-type");
  EXPECT_EQ(CodeOf("  n: {type: money, max: lots, source: office, label: 数}\n"), "wrong-type");
  EXPECT_EQ(CodeOf("  n: {type: date, min: 2020-01-01, source: office, label: 日}\n"), "wrong-key");
}

TEST(Range, BoundsArePartOfTheContentHash) {
  Diagnostics diagnostics;
  const auto with = SchemaOf("  n: {type: int, min: 1, source: office, label: 数}\n", &diagnostics);
  const auto without = SchemaOf("  n: {type: int, source: office, label: 数}\n", &diagnostics);
  ASSERT_TRUE(with != nullptr && without != nullptr);
  EXPECT_NE(with->hash(), without->hash());
}

}  // namespace
}  // namespace zhitui::facts
