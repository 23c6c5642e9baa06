#include <gmock/gmock.h>

#include <random>

#include "facts/fixture.h"

namespace zhitui::facts {
namespace {

// A profile with a random part of everything.
Profile RandomProfile(std::mt19937& random) {
  const auto below = [&](int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); };
  Profile profile(TestSchema());
  const char* const police[] = {R"({"name":"张三"})",
                                R"({"name":null})",
                                R"({"name":""})",
                                R"({"sex":"male"})",
                                R"({"death_date":"9999-12-31"})",
                                R"({"death_date":null})",
                                R"({"hukou":{"city":"440300","since":"0001-01-01"}})",
                                R"({"children":-9223372036854775808})",
                                R"({"income":"-92233720368547758.07"})",
                                R"({"income":null})",
                                R"({"ratio":0.000000000000000001})",
                                R"({"seen":"0001-01-01T00:00:00Z"})",
                                R"({"seen":"9999-12-31T23:59:59.999Z"})",
                                R"({"months":[]})",
                                R"({"months":["2026-01-01","1969-12-31"]})",
                                R"({"address":{}})",
                                R"({"address":{"unit":null,"geo":{"lon":1}}})",
                                R"({"address":{"street":"x","geo":{"lat":1.5,"lon":2.5}}})"};
  const char* const school[] = {R"({"student":true})", R"({"student":false})", R"({"grades":["a","b"]})",
                                R"({"guardians":[{"id":"g","since":"2026-01-01","tags":["x","y"]},{}]})",
                                R"({"guardians":[{"since":null}],"hukou":{"school":"s"}})"};
  for (int i = below(12); i > 0; --i) {
    const bool first = below(2) == 0;
    const char* data = first ? police[below(std::size(police))] : school[below(std::size(school))];
    EXPECT_EQ(RefusalOf(profile, EventOf(first ? "police" : "school", below(5) * 1000 - 2000, data)), "");
  }
  return profile;
}

TEST(Codec, DecodeOfEncodeIsTheSameProfile) {
  std::mt19937 random(3);
  for (int i = 0; i < 500; ++i) {
    const Profile profile = RandomProfile(random);
    const std::string bytes = profile.Encode();
    Result<Profile> decoded = Profile::Decode(TestSchema(), bytes);
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(decoded->ToJson(), profile.ToJson());
    EXPECT_EQ(decoded->Encode(), bytes) << "event times included";
  }
}

TEST(Codec, ADecodedProfileOwnsItsValuesAndGoesOn) {
  Profile profile(TestSchema());
  ASSERT_EQ(RefusalOf(profile, EventOf("police", 5, R"({"name":"abc","address":{"street":"x","geo":{"lat":1}}})")), "");
  std::string bytes = profile.Encode();
  Result<Profile> decoded = Profile::Decode(TestSchema(), bytes);
  bytes.assign(bytes.size(), '#');
  ASSERT_TRUE(decoded);
  Profile moved = std::move(*decoded);
  EXPECT_EQ(RefusalOf(moved, EventOf("police", 4, R"({"name":"stale"})")), "");
  EXPECT_EQ(RefusalOf(moved, EventOf("police", 6, R"({"address":{"unit":2,"geo":{"lon":3}}})")), "");
  EXPECT_EQ(moved.ToJson(), R"({"name":"abc","address":{"street":"x","unit":2,"geo":{"lat":"1","lon":"3"}}})");
}

TEST(Codec, DamagedBytesAreAnErrorOrAProfileThatFits) {
  std::mt19937 random(5);
  for (int i = 0; i < 300; ++i) {
    const std::string bytes = RandomProfile(random).Encode();
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
      EXPECT_FALSE(Profile::Decode(TestSchema(), std::string_view(bytes).substr(0, cut)));
    }
    EXPECT_FALSE(Profile::Decode(TestSchema(), bytes + "x"));
    std::string flipped = bytes;
    flipped[std::uniform_int_distribution<std::size_t>(0, bytes.size() - 1)(random)] ^=
        static_cast<char>(1 << std::uniform_int_distribution<int>(0, 7)(random));
    const Result<Profile> decoded = Profile::Decode(TestSchema(), flipped);
    if (!decoded) continue;
    for (std::uint32_t slot = 0; slot < decoded->slots().size(); ++slot) {
      const FactDef& def = decoded->schema().facts()[slot];
      if (!decoded->Has(slot)) continue;
      EXPECT_TRUE(def.nullable || !decoded->slots()[slot].is(value::Kind::kNull)) << def.name;
    }
    (void)decoded->Encode();
  }
  EXPECT_FALSE(Profile::Decode(TestSchema(), ""));
  EXPECT_FALSE(Profile::Decode(TestSchema(), std::string("\x02\x00\x00", 3)));
}

std::string Edited(const std::vector<std::pair<std::string, std::string>>& edits) {
  std::string text = kSchemaYaml;
  for (const auto& [from, to] : edits) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    if (at != std::string::npos) text.replace(at, from.size(), to);
  }
  return text;
}

std::string ReadUnder(const std::string& schema, const std::string& json) {
  Profile profile(TestSchema());
  EXPECT_TRUE(profile.SetFromJson(json));
  Result<Profile> decoded = Profile::Decode(SchemaOf(schema), profile.Encode());
  EXPECT_TRUE(decoded);
  return decoded ? decoded->ToJson() : "";
}

TEST(Evolution, FactsMayComeGoAndMove) {
  const std::string name = "  name: {type: string, source: police, sensitive: true, label: 姓名}\n";
  const std::string schema = Edited({{name, "  aaa: {type: int, source: police, label: 新}\n"},
                                     {"  children: {type: int, source: police, label: 子女}\n", ""},
                                     {"  student:", name + "  student:"}});
  EXPECT_EQ(ReadUnder(schema, R"({"name":"n","children":3,"hukou":{"city":"c"},"student":true})"),
            R"({"hukou":{"city":"c"},"name":"n","student":true})");
}

TEST(Evolution, WhatNoLongerFitsIsAbsent) {
  const char* all =
      R"({"name":"n","sex":"female","death_date":null,"children":3,"ratio":1.234,"months":["2026-01-01","2026-02-01"],"grades":["a","c"],"student":true})";
  EXPECT_EQ(ReadUnder(Edited({{"[male, female]", "[male]"}}), R"({"name":"n","sex":"female"})"), R"({"name":"n"})");
  EXPECT_EQ(ReadUnder(Edited({{"type: date, source: police, nullable: true, label: 死亡日期",
                               "type: date, source: police, label: 死亡日期"}}),
                      R"({"name":"n","death_date":null})"),
            R"({"name":"n"})");
  EXPECT_EQ(ReadUnder(Edited({{"children: {type: int", "children: {type: decimal"},
                              {"ratio: {type: decimal", "ratio: {type: money"},
                              {"max_items: 3", "max_items: 1"},
                              {"values: [a, b, c]", "values: [a, b]"},
                              {"student: {type: bool", "student: {type: string"}}),
                      all),
            R"({"name":"n","sex":"female","death_date":null})");
  EXPECT_EQ(
      ReadUnder(Edited({{"sex: {type: code, values: [male, female]", "sex: {type: string"}}), R"({"sex":"female"})"),
      R"({"sex":"female"})")
      << "a code is text";
}

TEST(Evolution, RecordFieldsMayComeGoAndMove) {
  const std::string schema =
      Edited({{"      street: {type: string, label: 街道}\n", "      lane: {type: string, label: 巷}\n"},
              {"lat: {type: decimal, label: 纬度}, lon: {type: decimal, label: 经度}",
               "lon: {type: decimal, label: 经度}, lat: {type: decimal, label: 纬度}"}});
  EXPECT_EQ(ReadUnder(schema, R"({"address":{"street":"x","unit":1,"geo":{"lat":1,"lon":2}}})"),
            R"({"address":{"unit":1,"geo":{"lon":"2","lat":"1"}}})");
  EXPECT_EQ(ReadUnder(Edited({{"unit: {type: int, nullable: true", "unit: {type: string"}}),
                      R"({"name":"n","address":{"unit":1}})"),
            R"({"name":"n"})")
      << "a record of which a part does not fit is dropped whole";
}

TEST(Evolution, EventTimesOutliveTheSchemaChange) {
  Profile profile(TestSchema());
  ASSERT_EQ(RefusalOf(profile, EventOf("police", 5, R"({"name":"new"})")), "");
  Result<Profile> decoded = Profile::Decode(
      SchemaOf(Edited({{"  sex: {type: code, values: [male, female], source: police, label: 性别}\n", ""}})),
      profile.Encode());
  ASSERT_TRUE(decoded);
  EXPECT_EQ(RefusalOf(*decoded, EventOf("police", 4, R"({"name":"old"})")), "");
  EXPECT_EQ(decoded->ToJson(), R"({"name":"new"})");
}

}  // namespace
}  // namespace zhitui::facts
