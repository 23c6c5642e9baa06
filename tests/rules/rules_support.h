#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "rules/rules.h"

namespace zhitui::rules {

// Every .yaml of a folder, with paths relative to it.
inline std::vector<SourceFile> ReadFolder(const std::string& folder) {
  std::vector<SourceFile> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.path().extension() != ".yaml") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    files.push_back({entry.path().lexically_relative(folder).generic_string(),
                     std::string(std::istreambuf_iterator<char>(in), {})});
  }
  return files;
}

inline std::vector<SourceFile> SampleFiles() { return ReadFolder(std::string(ZHITUI_SOURCE_DIR) + "/rules"); }

inline std::shared_ptr<const RuleSet> MustBuild(const std::vector<SourceFile>& files) {
  Diagnostics diagnostics;
  std::shared_ptr<const RuleSet> set = RuleSet::Build(files, &diagnostics);
  EXPECT_TRUE(diagnostics.empty()) << FormatDiagnostics(diagnostics);
  return set;
}

inline facts::Profile MakeProfile(const RuleSet& set, const std::string& kind, const std::string& json) {
  facts::Profile profile(set.SchemaOf(kind));
  const auto result = profile.SetFromJson(json);
  EXPECT_TRUE(result.has_value()) << result.error().detail << " in " << json;
  return profile;
}

// A small kind of its own, so that a test shows all it depends on.
inline SourceFile PersonSchema() {
  return {"facts/person.yaml", R"(kind: person
sources:
  office: {zh: 办公室, en: Office}
facts:
  born: {type: date, source: office, sensitive: true, label: {zh: 出生日期, en: Date of birth}}
  city: {type: code, source: office, label: {zh: 城市, en: City}}
  points: {type: int, source: office, label: {zh: 分数, en: Points}}
  since: {type: date, source: office, nullable: true, label: {zh: 起始日, en: Since}}
  member: {type: bool, source: office, label: {zh: 会员, en: Member}}
)"};
}

// A rule about person with the given lines below its head.
inline SourceFile PersonRule(const std::string& body, const std::string& id = "r") {
  return {id + ".yaml", "rule: " + id + "\nabout: person\ntitle: 规则\nowner: 办公室\ntopic: t\n" + body};
}

inline Date Day(const std::string& text) {
  const Result<Date> day = ParseDate(text);
  EXPECT_TRUE(day.has_value()) << text;
  return *day;
}

}  // namespace zhitui::rules
