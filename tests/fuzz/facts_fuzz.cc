// Any bytes as an event, as facts or as a stored profile: refused with a reason, or a profile that survives storage.
// The first byte says what the rest is: s structured, b binary, d Debezium, t tombstone key, p patch, r snapshot, j
// facts of any source, e a stored profile.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "facts/facts.h"

namespace {

namespace facts = zhitui::facts;

constexpr char kHeld[] = R"({"name":"a","address":{"unit":1},"months":["2026-01-01"],"student":true})";

void Require(bool condition) {
  if (!condition) std::abort();
}

std::shared_ptr<const facts::Schema> FuzzSchema() {
  constexpr char kText[] = R"(
kind: resident
sources: {police: 公安, school: 学校}
facts:
  name: {type: string, source: police, nullable: true, label: 姓名}
  sex: {type: code, values: [male, female], source: police, label: 性别}
  hukou.city: {type: code, source: police, label: 城市}
  hukou.since: {type: date, source: police, nullable: true, label: 入户}
  children: {type: int, source: police, label: 子女}
  income: {type: money, source: police, label: 收入}
  ratio: {type: decimal, source: police, label: 比例}
  seen: {type: timestamp, source: police, label: 时间}
  months: {type: list, of: date, max_items: 3, source: police, label: 月份}
  address: {type: record, source: police, label: 地址, of: {unit: {type: int, nullable: true, label: 单元}, geo: {type: record, label: 坐标, of: {lat: {type: decimal, label: 纬度}}}}}
  student: {type: bool, source: school, label: 学生}
  guardians: {type: list, max_items: 4, source: school, label: 监护人, of: {id: {type: string, label: 编号}, tags: {type: list, of: code, label: 标签}}}
)";
  zhitui::Diagnostics diagnostics;
  const auto document = zhitui::yaml::Parse("facts.yaml", kText, &diagnostics);
  Require(document.has_value());
  auto schema = facts::ParseSchema(*document, &diagnostics);
  Require(schema != nullptr);
  return schema;
}

void CheckStored(const facts::Profile& profile) {
  const std::string bytes = profile.Encode();
  const auto again =
      facts::Profile::Decode(std::shared_ptr<const facts::Schema>(&profile.schema(), [](const auto*) {}), bytes);
  Require(again.has_value());
  Require(again->ToJson() == profile.ToJson());
  Require(again->Encode() == bytes);
}

void Apply(facts::Profile& profile, const facts::Event& event) {
  const std::string before = profile.ToJson();
  const auto report = profile.Merge(event);
  if (!report) {
    Require(report.error().reason != facts::Refusal::kNone && !report.error().detail.empty());
    Require(profile.ToJson() == before);
  }
  CheckStored(profile);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::shared_ptr<const facts::Schema> schema = FuzzSchema();
  if (size == 0) return 0;
  const char what = static_cast<char>(data[0]);
  const std::string rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  facts::Profile profile(schema);
  Require(profile.SetFromJson(kHeld).has_value());
  if (what == 'e') {
    const auto decoded = facts::Profile::Decode(schema, rest);
    if (decoded) CheckStored(*decoded);
  } else if (what == 'j') {
    const auto set = profile.SetFromJson(rest);
    CheckStored(profile);
    // Once more by the long way: a text whose first name has an escape is not read straight.
    const std::size_t quote = rest.find('"');
    if (quote != std::string::npos && quote + 1 < rest.size() && rest[quote + 1] >= 'a' && rest[quote + 1] <= 'z') {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(rest[quote + 1]));
      facts::Profile other(schema);
      Require(other.SetFromJson(kHeld).has_value());
      const auto again = other.SetFromJson(rest.substr(0, quote + 1) + escape + rest.substr(quote + 2));
      Require(set.has_value() == again.has_value() && profile.Encode() == other.Encode());
      Require(set || (set.error().reason == again.error().reason && set.error().detail == again.error().detail));
    }
  } else if (what == 'p' || what == 'r') {
    facts::Event event;
    event.kind = "resident";
    event.time = zhitui::Instant(zhitui::Millis(1));
    event.action = what == 'p' ? facts::Action::kPatch : facts::Action::kReplace;
    event.data = rest;
    for (const char* source : {"police", "school"}) {
      event.source = source;
      Apply(profile, event);
    }
  } else {
    zhitui::Record record;
    record.key = "s1";
    facts::DecodeOptions options;
    options.kind = "resident";
    options.source = "police";
    if (what == 't') {
      record.key = rest;
    } else {
      record.value = rest;
    }
    if (what == 'd') options.format = facts::Format::kDebezium;
    if (what == 'b') {
      record.headers = {{"ce_specversion", "1.0"},
                        {"ce_type", "resident.profile.patched"},
                        {"ce_source", "/police"},
                        {"ce_id", "1"},
                        {"ce_time", "2026-03-01T00:00:00Z"}};
    }
    const auto event = facts::DecodeEvent(record, options);
    if (event) {
      Require(event->kind == "resident" && !event->subject.empty());
      Apply(profile, *event);
    } else {
      Require(event.error().reason != facts::Refusal::kNone && !event.error().detail.empty());
    }
  }
  return 0;
}
