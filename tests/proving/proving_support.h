#pragma once

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "proving/proving.h"

namespace zhitui::proving {

inline rules::SourceFile PersonSchema() {
  return {"facts/person.yaml", R"(kind: person
sources:
  office: {zh: 办公室, en: Office}
facts:
  born: {type: date, source: office, sensitive: true, label: {zh: 出生日期, en: Date of birth}}
  city: {type: code, source: office, label: {zh: 城市, en: City}}
  points: {type: int, source: office, label: {zh: 分数, en: Points}}
  income: {type: money, source: office, label: {zh: 收入, en: Income}}
  since: {type: date, source: office, nullable: true, label: {zh: 起始日, en: Since}}
  member: {type: bool, source: office, label: {zh: 会员, en: Member}}
  paid: {type: list, of: date, source: office, label: {zh: 缴费月份, en: Months paid}}
  homes:
    type: list
    source: office
    label: {zh: 住房, en: Homes}
    of:
      district: {type: code, label: {zh: 区, en: District}}
      note: {type: string, label: {zh: 备注, en: Note}}
)"};
}

// The body begins in line 6.
inline rules::SourceFile PersonRule(const std::string& body, const std::string& id = "r") {
  return {id + ".yaml", "rule: " + id + "\nabout: person\ntitle: 规则\nowner: 办公室\ntopic: t\n" + body};
}

inline Report MustProve(const std::vector<rules::SourceFile>& files, const Options& options,
                        const ForEach& each = OneAfterTheOther()) {
  Report report = Prove(files, options, each);
  EXPECT_TRUE(report.diagnostics.empty()) << FormatDiagnostics(report.diagnostics);
  return report;
}

}  // namespace zhitui::proving
