// What is read straight from the text and what goes the long way by simdjson are the same: every text is read as it is,
// and once more with an escape in its first name, which only the long way takes.

#include <gtest/gtest.h>

#include <random>

#include "facts/fixture.h"

namespace zhitui::facts {
namespace {

constexpr char kSchema[] = R"(
kind: resident
sources: {police: 公安, school: 学校}
facts:
  name: {type: string, source: police, nullable: true, label: 姓名}
  sex: {type: code, values: [male, female, "not stated", "a code of more than sixteen bytes"], source: police, label: 性别}
  hukou.city: {type: code, source: police, label: 城市}
  hukou.since: {type: date, source: police, nullable: true, label: 入户}
  hukou.a_name_of_more_than_sixteen_bytes: {type: bool, source: police, label: 长名}
  hukou.a_name_of_more_than_sixteen_bits: {type: bool, source: police, label: 长名}
  children: {type: int, source: police, label: 子女}
  income: {type: money, source: police, label: 收入}
  ratio: {type: decimal, source: police, nullable: true, label: 比例}
  seen: {type: timestamp, source: police, label: 时间}
  tags: {type: list, of: code, values: [a, bb, ccc], source: police, label: 标签}
  months: {type: list, of: date, max_items: 3, source: police, label: 月份}
  address: {type: record, source: police, label: 地址, of: {unit: {type: int, nullable: true, label: 单元}, geo: {type: record, label: 坐标, of: {lat: {type: decimal, label: 纬度}}}}}
  student: {type: bool, source: school, label: 学生}
  guardians: {type: list, max_items: 4, source: school, label: 监护人, of: {id: {type: string, label: 编号}, tags: {type: list, of: code, values: [a, bb, ccc], label: 标签}}}
)";

struct Outcome {
  std::string json;
  std::string refused;
  bool operator==(const Outcome&) const = default;
};

class StraightTest : public testing::Test {
 protected:
  static std::shared_ptr<const Schema> Declared() {
    Diagnostics diagnostics;
    const auto document = yaml::Parse("facts.yaml", kSchema, &diagnostics);
    auto schema = document ? ParseSchema(*document, &diagnostics) : nullptr;
    EXPECT_NE(schema, nullptr) << FormatDiagnostics(diagnostics);
    return schema;
  }

  Outcome Set(const std::string& held, const std::string& text) const {
    Profile profile(schema_);
    EXPECT_TRUE(profile.SetFromJson(held));
    const auto set = profile.SetFromJson(text);
    return {profile.ToJson(), set ? "" : std::string(RefusalName(set.error().reason)) + " " + set.error().detail};
  }

  Outcome Merge(const std::string& held, const std::string& text, Action action) const {
    Profile profile(schema_);
    EXPECT_TRUE(profile.SetFromJson(held));
    Event event;
    event.kind = "resident";
    event.source = "police";
    event.action = action;
    event.data = text;
    const auto report = profile.Merge(event);
    std::string refused = report ? "" : std::string(RefusalName(report.error().reason)) + " " + report.error().detail;
    if (report) {
      for (const std::uint32_t slot : report->changed) refused += ' ' + std::to_string(slot);
    }
    return {profile.ToJson(), refused};
  }

  // Writes the first letter of the first name as an escape.
  static std::string Escaped(const std::string& text) {
    const std::size_t at = text.find('"');
    if (at == std::string::npos || at + 1 >= text.size() || text[at + 1] < 'a' || text[at + 1] > 'z') return text;
    char escape[8];
    std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(text[at + 1]));
    return text.substr(0, at + 1) + escape + text.substr(at + 2);
  }

  void ExpectSame(const std::string& text) const {
    const std::string other = Escaped(text);
    for (const char* held :
         {"{}", R"({"address":{"unit":7,"geo":{"lat":1.5}},"name":"old","months":["2026-01-01"]})"}) {
      EXPECT_EQ(Set(held, text), Set(held, other)) << held << '\n' << text;
      EXPECT_EQ(Merge(held, text, Action::kPatch), Merge(held, other, Action::kPatch)) << held << '\n' << text;
      EXPECT_EQ(Merge(held, text, Action::kReplace), Merge(held, other, Action::kReplace)) << held << '\n' << text;
    }
  }

  const std::shared_ptr<const Schema> schema_ = Declared();
};

constexpr char kWhole[] =
    R"({"name":"张三","sex":"a code of more than sixteen bytes","hukou":{"city":"440300","since":"2024-02-29",)"
    R"("a_name_of_more_than_sixteen_bytes":true,"a_name_of_more_than_sixteen_bits":false},"children":2,)"
    R"("income":12.50,"ratio":-0.125,"seen":"2026-03-01T08:00:00+08:00","months":["2026-01-01","2026-02-01"],)"
    R"("address":{"unit":null,"geo":{"lat":"22.5"}}})";

TEST_F(StraightTest, AWholeProfileIsReadAsItIsWritten) {
  const Outcome set = Set("{}", kWhole);
  EXPECT_EQ(set.refused, "");
  EXPECT_EQ(set.json,
            R"({"name":"张三","sex":"a code of more than sixteen bytes","hukou":{"city":"440300","since":"2024-02-29",)"
            R"("a_name_of_more_than_sixteen_bytes":true,"a_name_of_more_than_sixteen_bits":false},"children":2,)"
            R"("income":"12.50","ratio":"-0.125","seen":"2026-03-01T00:00:00Z","months":["2026-01-01","2026-02-01"],)"
            R"("address":{"unit":null,"geo":{"lat":"22.5"}}})");
}

TEST_F(StraightTest, EveryFormOfAValueIsTheSameBothWays) {
  for (const char* text : {
           kWhole,
           "{}",
           " { } ",
           "{ \"sex\" : \"male\" , \"children\" : 3 } \n",
           R"({"student":true})",
           R"({"hukou.city":"440300","hukou":{"since":null}})",
           R"({"hukou":{"city":"1"},"hukou":{"since":null}})",
           R"({"hukou":{"city":"1"},"hukou.city":"2"})",
           R"({"sex":"male","sex":"male"})",
           R"({"hukou":null})",
           R"({"name":null,"sex":null})",
           R"({"sex":"mal"})",
           R"({"sex":""})",
           R"({"hukou":{"city":""}})",
           R"({"sex":"a code of more than sixteen bytez"})",
           R"({"hukou":{"a_name_of_more_than_sixteen_bytez":true}})",
           R"({"children":0})",
           R"({"children":-0})",
           R"({"children":007})",
           R"({"children":-5})",
           R"({"children":1.0})",
           R"({"children":1e2})",
           R"({"children":999999999999999999})",
           R"({"children":9223372036854775807})",
           R"({"children":9223372036854775808})",
           R"({"children":-})",
           R"({"children":5 })",
           R"({"children":5x})",
           R"({"children":"5"})",
           R"({"children":true})",
           R"({"income":"12.50"})",
           R"({"income":12.505})",
           R"({"income":"12.5})",
           R"({"income":.5})",
           R"({"income":5.})",
           R"({"income":1e2})",
           R"({"income":"1e2"})",
           R"({"income":-0.01})",
           R"({"income":01.5})",
           R"({"income":1234567890123456.78})",
           R"({"income":12345678901234567.89})",
           R"({"ratio":0.123456789012345678})",
           R"({"ratio":0.12345678901234567})",
           R"({"ratio":"0.1234567890123456789"})",
           R"({"ratio":123456789012345678})",
           R"({"ratio":123456789012345678.1})",
           R"({"ratio":1234567890123456789})",
           R"({"hukou":{"since":"2023-02-29"}})",
           R"({"hukou":{"since":"0000-01-01"}})",
           R"({"hukou":{"since":"0001-01-01"}})",
           R"({"hukou":{"since":"9999-12-31"}})",
           R"({"hukou":{"since":"2024-13-01"}})",
           R"({"hukou":{"since":"2024-00-01"}})",
           R"({"hukou":{"since":"2024-01-00"}})",
           R"({"hukou":{"since":"2024-01-32"}})",
           R"({"hukou":{"since":"2024-1-01"}})",
           R"({"hukou":{"since":"2024/01/01"}})",
           R"({"hukou":{"since":"2024-01-01T"}})",
           R"({"hukou":{"since":"2:24-01-01"}})",
           R"({"hukou":{"since":20240101}})",
           R"({"hukou":{"since":"2024-01-0:"}})",
           R"({"seen":"2026-03-01T08:00:00Z"})",
           R"({"seen":"2026-03-01"})",
           R"({"student":tru})",
           R"({"student":truex})",
           R"({"student":false})",
           R"({"months":[]})",
           R"({"months":[ ]})",
           R"({"months":["2026-01-01",]})",
           R"({"months":["2026-01-01" , "2026-01-02"]})",
           R"({"months":["2026-01-01","2026-01-02","2026-01-03","2026-01-04"]})",
           R"({"months":[null]})",
           R"({"months":{}})",
           R"({"address":{}})",
           R"({"address":{"unit":1,"unit":2}})",
           R"({"address":{"unit":1,}})",
           R"({"address":{"nothing":1}})",
           R"({"address":{"geo":{"lat":null}}})",
           R"({"address":{"geo":null}})",
           R"({"address":[]})",
           R"({"address":null})",
           R"({"guardians":[{"id":"G1","tags":["a","ccc"]},{"tags":[],"id":"李四"}]})",
           R"({"guardians":[{"id":"G1","tags":["dd"]}]})",
           R"({"guardians":[{},{},{},{},{}]})",
           R"({"name":"a\"b"})",
           R"({"name":"a\u4e00"})",
           R"({"name":"a\)",
           R"({"name":"a)",
           R"({"name":"")",
           "{\"name\":\"a\tb\"}",
           "{\"name\":\"\x7f\"}",
           "{\"name\":\"\xff\xfe\"}",
           "{\"name\":\"\xe5\xbc\"}",
           "{\"name\":\"12345678\xc3\xa9\"}",
           "\xef\xbb\xbf{}",
           R"({"sex":"male"}{})",
           R"({"sex":"male"},)",
           R"({"sex":"male")",
           R"({"sex":)",
           R"({"sex")",
           R"({"sex)",
           "{",
           "",
           " ",
           "[]",
           "null",
           R"({,})",
           R"({"sex":"male",})",
           R"({"sex":"male" "children":1})",
           R"({"nothing":1})",
           R"({"children":1,"":2})",
       }) {
    ExpectSame(text);
  }
  ExpectSame(std::string("{\"name\":\"a\0b\"}", 14));
  ExpectSame(std::string("{\"sex\":\"male\"}\0", 15));
  for (std::size_t n = 0; n < sizeof kWhole; ++n) ExpectSame(std::string(kWhole, n));
}

TEST_F(StraightTest, ATextWithAnyByteChangedIsTheSameBothWays) {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same texts in every run
  constexpr char kBytes[] = "\"\\{}[]:,.-0123456789enulltrafs \t\n\x01\x7f\x80\xe5\xff";
  for (int i = 0; i < 20000; ++i) {
    std::string text = kWhole;
    for (std::uint32_t changes = 1 + random() % 2; changes > 0; --changes) {
      const std::size_t at = 3 + random() % (text.size() - 3);
      const char byte = kBytes[random() % (sizeof kBytes - 1)];
      switch (random() % 3) {
        case 0:
          text[at] = byte;
          break;
        case 1:
          text.insert(at, 1, byte);
          break;
        default:
          text.erase(at, 1);
      }
    }
    const std::string other = Escaped(text);
    ASSERT_EQ(Set("{}", text), Set("{}", other)) << text;
    ASSERT_EQ(Merge("{}", text, Action::kPatch), Merge("{}", other, Action::kPatch)) << text;
  }
}

TEST_F(StraightTest, ACodeHasTheNumberOfItsDeclarationWhicheverWayItWasRead) {
  const auto numbers = [this](const Profile& profile) {
    std::vector<int> out;
    for (const char* name : {"sex", "hukou.city", "name"}) {
      const value::Value& v = profile.slots()[*schema_->Find(name)];
      out.push_back(v.CodeNumber());
    }
    for (const value::Value& v : profile.slots()[*schema_->Find("tags")].AsList()) {
      out.push_back(v.CodeNumber());
    }
    return out;
  };
  const std::string text = R"({"sex": "not stated", "hukou": {"city": "440300"}, "name": "a", "tags": ["ccc", "a"]})";
  const std::vector<int> expected{3, 0, 0, 3, 1};
  Profile straight(schema_);
  ASSERT_TRUE(straight.SetFromJson(text));
  EXPECT_EQ(numbers(straight), expected);
  Profile escaped(schema_);
  ASSERT_TRUE(escaped.SetFromJson(Escaped(text)));
  EXPECT_EQ(numbers(escaped), expected);
  const Result<Profile> decoded = Profile::Decode(schema_, straight.Encode());
  ASSERT_TRUE(decoded);
  EXPECT_EQ(numbers(*decoded), expected);
}

}  // namespace
}  // namespace zhitui::facts
