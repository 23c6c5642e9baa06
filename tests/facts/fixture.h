#pragma once

// What the tests of facts share: schemas from text, events, comparison.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "facts/facts.h"

namespace zhitui::facts {

// Facts of every type, of two sources.
inline constexpr char kSchemaYaml[] = R"(
kind: resident
alive_unless: death_date
recipients: guardians
sources:
  police: {zh: 公安, en: Police}
  school: {zh: 学校, en: School}
facts:
  name: {type: string, source: police, sensitive: true, label: 姓名}
  sex: {type: code, values: [male, female], source: police, label: 性别}
  death_date: {type: date, source: police, nullable: true, label: 死亡日期}
  hukou.city: {type: code, source: police, label: 城市}
  hukou.since: {type: date, source: police, nullable: true, label: 入户}
  children: {type: int, source: police, label: 子女}
  income: {type: money, source: police, nullable: true, label: 收入}
  ratio: {type: decimal, source: police, label: 比例}
  seen: {type: timestamp, source: police, label: 时间}
  months: {type: list, of: date, max_items: 3, source: police, label: 月份}
  address:
    type: record
    source: police
    nullable: true
    label: 地址
    of:
      street: {type: string, label: 街道}
      unit: {type: int, nullable: true, label: 单元}
      geo: {type: record, label: 坐标, of: {lat: {type: decimal, label: 纬度}, lon: {type: decimal, label: 经度}}}
  student: {type: bool, source: school, label: 学生}
  hukou.school: {type: code, source: school, label: 学校}
  grades: {type: list, of: code, values: [a, b, c], source: school, label: 成绩}
  guardians:
    type: list
    max_items: 2
    source: school
    label: 监护人
    of:
      id: {type: string, label: 编号}
      since: {type: date, nullable: true, label: 起}
      tags: {type: list, of: string, max_items: 4, label: 标签}
)";

inline std::shared_ptr<const Schema> SchemaOf(const std::string& text) {
  Diagnostics diagnostics;
  const std::optional<yaml::Document> document = yaml::Parse("facts.yaml", text, &diagnostics);
  std::shared_ptr<const Schema> schema = document ? ParseSchema(*document, &diagnostics) : nullptr;
  EXPECT_NE(schema, nullptr) << FormatDiagnostics(diagnostics);
  return schema;
}

inline std::shared_ptr<const Schema> TestSchema() {
  static const std::shared_ptr<const Schema> schema = SchemaOf(kSchemaYaml);
  return schema;
}

inline Event EventOf(std::string source, std::int64_t time, std::string data, Action action = Action::kPatch) {
  Event event;
  event.id = "1";
  event.source = std::move(source);
  event.kind = "resident";
  event.subject = "s1";
  event.action = action;
  event.time = Instant(Millis(time));
  event.recorded = event.time;
  event.data = std::move(data);
  return event;
}

// The refusal and its detail, "" when the event was applied.
inline std::string RefusalOf(Profile& profile, const Event& event) {
  const auto report = profile.Merge(event);
  return report ? "" : std::string(RefusalName(report.error().reason)) + " " + report.error().detail;
}

}  // namespace zhitui::facts
