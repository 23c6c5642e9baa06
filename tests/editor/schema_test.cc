#include <gtest/gtest.h>

#include <set>

#include "editor/editor.h"
#include "editor/json_checker.h"
#include "editor/shape.h"
#include "editor/support.h"

namespace zhitui::editor {
namespace {

using Json = nlohmann::json;

std::string KindOf(const std::string& path) { return std::string(FileKind(path)); }

TEST(JsonSchema, EveryFileOfTheRulesFolderIsValid) {
  std::size_t files = 0;
  for (const rules::SourceFile& file : RepositoryYaml()) {
    if (!file.path.starts_with("rules/")) continue;
    ++files;
    Diagnostics none;
    const Json value = JsonOf(yaml::Parse(file.path, file.text, &none)->root());
    EXPECT_EQ(JsonChecker(JsonSchema(KindOf(file.path.substr(6)))).Check(value), "") << file.path;
  }
  EXPECT_GT(files, 15U);
}

TEST(JsonSchema, AnUnknownKindHasNone) { EXPECT_EQ(JsonSchema("nothing"), ""); }

// A folder in which every key that the table knows is used.
std::vector<rules::SourceFile> FullFolder() {
  return {{"facts/resident.yaml", R"(
kind: resident
alive_unless: death_date
recipients: guardians
recipients_are: resident
allow: [{lint: unused-fact, at: facts.sex, because: 示例}]
sources: {police: {zh: 公安, en: Public security}, civil: 民政}
facts:
  birth_date: {type: date, source: police, fixed: true, sensitive: true, label: {zh: 出生日期, en: Date of birth}}
  death_date: {type: date, source: police, nullable: true, label: 死亡日期}
  income: {type: money, min: 0, max: 99999.99, source: civil, label: 收入}
  sex: {type: code, values: [m, f], source: police, label: 性别}
  channels: {type: list, of: code, values: [a, b], max_items: 3, source: civil, label: 渠道}
  home: {type: record, source: civil, label: 住房, of: {area: {type: decimal, nullable: true, label: 面积}, kind: {type: code, values: [own, rent], label: 种类}}}
  guardians: {type: list, source: civil, label: 监护人, of: {id: {type: string, label: 编号}, ok: {type: bool, sensitive: true, label: 可}}}
)"},
          {"calendars/cn.yaml", R"(
calendar: cn
title: {zh: 日历, en: Calendar}
years:
  2026:
    law: {title: 通知, url: https://example.org/}
    holidays:
      - {label: {zh: 元旦, en: New Year}, days: 2026-01-01 to 2026-01-03, worked: [2026-01-04]}
)"},
          {"messages/hello.yaml", R"(
message: hello
app: {title: {zh: 你好, en: Hello}, body: {zh: 你好, en: Hello}}
wechat: {template: hello, fields: {thing1: {zh: 你好, en: Hello}}}
sms: {template: hello, params: {day: {zh: 今天, en: today}}, text: {zh: 你好, en: Hello}}
allow: [{lint: long-sms, because: 示例}]
)"},
          {"full.yaml", R"(
rule: full
about: resident
title: {zh: 全, en: Full}
owner: 部门
area: "4403"
by: resident.sex
topic: a.b
law: {std: {title: 文件, url: https://example.org/}}
valid: {from: 2020-01-01, until: 2030-01-01}
calendar: cn
recheck: daily
params:
  months: 12
  age: {2020-01-01: 60, 2025-01-01: {is: 61, entered: 2025-02-01}}
let: {years: 'age(resident.birth_date, today)'}
criteria: {old: {label: {zh: 年龄, en: Age}, when: years >= params.age, law: std}}
amount: {unit: CNY, law: std, table: [{when: years > 90, is: 2, law: std}, {is: 1}]}
apply:
  url: https://example.org/
  deadline: {zh: 月底, en: end of the month}
  materials: [{id: card, label: {zh: 卡, en: card}, on_file: resident.sex == "m"}]
notify:
  - {on: upcoming, ahead: 1 month, message: hello, channels: [app, sms], escalate_after: 3d, to: guardians}
  - {on: eligible, message: hello, channels: [app], escalate_after: 3d, to: subject}
  - {on: reminder, before: 7 days, message: hello, channels: [app], escalate_after: 3d, to: subject}
waive:
  - {mutant: "years > 90 -> years >= 90", because: 示例}
  - {condition: [years > 90], because: 示例}
allow:
  - {lint: no-tests, at: params.months, because: 示例}
  - {lint: stale-param, because: 示例}
tests:
  - name: one
    facts: {birth_date: 1960-01-01}
    expect:
      2026-01-01: eligible
      2019-01-01: {ineligible: [], upcoming: 2020-01-01, next_change: 2020-01-01}
      2026-02-01: {eligible: true, amount: 1, until: 2030-01-01}
  - {name: two, facts: {}, expect: {2026-01-01: {unknown: [birth_date]}}}
)"},
          {"part.yaml", R"(
rule: part
over: full
area: "440304"
law: {own: {title: 文件, url: https://example.org/}}
params: {months: 13}
tests: [{name: one, facts: {birth_date: 1960-01-01, sex: m}, expect: {2026-01-01: {ineligible: [counts_in_area]}}}]
)"}};
}

std::string Codes(const Diagnostics& diagnostics, const std::string& file) {
  std::string out;
  for (const Diagnostic& d : diagnostics) {
    if (d.at.file == file) out += d.code + " (" + d.message + ") ";
  }
  return out;
}

// Mistakes of shape: what a schema can see.
bool OfShape(const Diagnostics& diagnostics, const std::string& file) {
  static const std::set<std::string> codes = {"missing-key", "unknown-key",   "wrong-type",  "not-a-mapping",
                                              "bad-table",   "bad-materials", "no-criteria", "bad-law",
                                              "bad-let",     "bad-test",      "bad-allow"};
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [&](const Diagnostic& d) { return d.at.file == file && codes.contains(d.code); });
}

// Every place of a record in the file, each key it has there, and what the table says of it.
struct Place {
  Json::json_pointer record;
  std::string key;
};
void Places(const Json& value, const Shape& root, std::vector<std::string>& path, const Json::json_pointer& at,
            std::vector<Place>& out, std::set<const Key*>& used) {
  const std::vector<const Shape*> shapes = ShapesAt(root, path);
  if (value.is_object()) {
    const std::vector<const Key*> keys = KeysOf(shapes);
    for (const auto& [name, child] : value.items()) {
      for (const Key* key : keys) {
        if (key->name != name) continue;
        out.push_back({at, name});
        used.insert(key);
      }
      path.push_back(name);
      Places(child, root, path, at / name, out, used);
      path.pop_back();
    }
  } else if (value.is_array()) {
    path.emplace_back("[]");
    for (std::size_t i = 0; i < value.size(); ++i) Places(value[i], root, path, at / i, out, used);
    path.pop_back();
  }
}

TEST(JsonSchema, SchemaAndReaderAgreeOnEveryKeyThatIsDroppedMisspeltOrOfAnotherType) {
  const std::vector<rules::SourceFile> folder = FullFolder();
  const authoring::Report good = authoring::Check(folder);
  ASSERT_TRUE(good.ok()) << FormatDiagnostics(good.diagnostics);
  std::size_t tried = 0;
  for (std::size_t f = 0; f < folder.size(); ++f) {
    const rules::SourceFile& file = folder[f];
    Diagnostics none;
    const Json whole = JsonOf(yaml::Parse(file.path, file.text, &none)->root());
    const JsonChecker schema(JsonSchema(KindOf(file.path)));
    ASSERT_EQ(schema.Check(whole), "") << file.path;
    std::vector<Place> places;
    std::set<const Key*> used;
    std::vector<std::string> path;
    Places(whole, *ShapeOf(KindOf(file.path)), path, Json::json_pointer(), places, used);
    const auto verdicts = [&](const Json& changed, const std::string& what) {
      ++tried;
      std::vector<rules::SourceFile> files = folder;
      // A year is a number in YAML, and a text in JSON.
      files[f].text = std::regex_replace(changed.dump(), std::regex("\"(2026)\":"), "$1: ");
      const authoring::Report report = authoring::Check(files);
      const std::string refused = schema.Check(changed);
      if (report.ok()) {
        EXPECT_EQ(refused, "") << file.path << what;
      } else if (OfShape(report.diagnostics, file.path)) {
        EXPECT_NE(refused, "") << file.path << what << ": " << Codes(report.diagnostics, file.path);
      }
    };
    for (const Place& place : places) {
      const std::string where = " " + place.record.to_string() + "/" + place.key;
      Json dropped = whole;
      dropped[place.record].erase(place.key);
      verdicts(dropped, where + " dropped");
      Json misspelt = dropped;
      misspelt[place.record][place.key + "_x"] = whole[place.record][place.key];
      verdicts(misspelt, where + " misspelt");
      for (const Json& other :
           {Json::array({1}), Json{{"q", 1}}, Json("word"), Json(7), Json(true), Json(nullptr), Json("")}) {
        Json changed = whole;
        changed[place.record][place.key] = other;
        verdicts(changed, where + " = " + other.dump());
      }
    }
  }
  EXPECT_GT(tried, 700U);
}

TEST(JsonSchema, TheHandbookNamesTheSameKeysOfARule) {
  const std::string handbook = ReadText(kRoot / "docs/rules.md");
  const std::size_t begin = handbook.find("## The rule file");
  const std::string part = handbook.substr(begin, handbook.find("## Tests", begin) - begin);
  for (const Key* key : KeysOf(ShapesAt(*ShapeOf("rule"), {}))) {
    const bool row = part.find("\n| `" + key->name) != std::string::npos;
    EXPECT_TRUE(row) << key->name;
  }
}

}  // namespace
}  // namespace zhitui::editor
