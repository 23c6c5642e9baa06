#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "facts/fixture.h"

namespace zhitui::facts {
namespace {

using ::testing::ElementsAre;

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// "line:column code" of every fault.
std::vector<std::string> FaultsOf(const std::string& text) {
  Diagnostics diagnostics;
  const std::optional<yaml::Document> document = yaml::Parse("f.yaml", text, &diagnostics);
  EXPECT_TRUE(document) << FormatDiagnostics(diagnostics);
  if (document) {
    const bool refused = ParseSchema(*document, &diagnostics) == nullptr;
    EXPECT_EQ(refused, !diagnostics.empty());
  }
  std::vector<std::string> out;
  for (const Diagnostic& d : diagnostics) {
    out.push_back(std::to_string(d.at.line) + ":" + std::to_string(d.at.column) + " " + d.code);
  }
  return out;
}

// Facts that stand from line 4 on.
std::vector<std::string> FaultsOfFacts(const std::string& facts, const std::string& head = "") {
  return FaultsOf("kind: k\nsources: {s: 源}\nfacts:\n" + facts + head);
}

TEST(Schema, DeclaresNamesTypesAndRoles) {
  const auto schema = TestSchema();
  ASSERT_NE(schema, nullptr);
  EXPECT_EQ(schema->kind(), "resident");
  EXPECT_EQ(schema->facts().size(), 15U);
  EXPECT_EQ(schema->facts()[*schema->alive_unless()].name, "death_date");
  EXPECT_EQ(schema->facts()[*schema->recipients()].name, "guardians");
  EXPECT_EQ(schema->sources().at("police"), (Text{"公安", "Police"}));
  EXPECT_EQ(schema->Find("hukou.city"), 3U);
  EXPECT_EQ(schema->Find("hukou"), std::nullopt);
  EXPECT_EQ(schema->hash().size(), 64U);
  const auto type = [&](const char* name) { return schema->facts()[*schema->Find(name)].value_type; };
  EXPECT_EQ(type("name"), value::Primitive(value::Kind::kString));
  EXPECT_EQ(type("sex"), value::Primitive(value::Kind::kString));
  EXPECT_EQ(type("death_date"), value::Nullable(value::Primitive(value::Kind::kDate)));
  EXPECT_EQ(type("children"), value::Primitive(value::Kind::kInt));
  EXPECT_EQ(type("income"), value::Nullable(value::Primitive(value::Kind::kDecimal)));
  EXPECT_EQ(type("ratio"), value::Primitive(value::Kind::kDecimal));
  EXPECT_EQ(type("seen"), value::Primitive(value::Kind::kTimestamp));
  EXPECT_EQ(type("months"), value::ListOf(value::Primitive(value::Kind::kDate)));
  EXPECT_EQ(type("student"), value::Primitive(value::Kind::kBool));
  const value::Type guardians = type("guardians");
  ASSERT_EQ(guardians->tag, value::TypeRep::Tag::kList);
  ASSERT_EQ(guardians->element->tag, value::TypeRep::Tag::kRecord);
  EXPECT_EQ(guardians->element->fields.size(), 3U);
  const FactDef& def = schema->facts()[0];
  EXPECT_TRUE(def.sensitive);
  EXPECT_EQ(def.at.line, 9U);
  EXPECT_EQ(def.at.column, 3U);
}

TEST(Schema, TheShippedFilesAreGood) {
  for (const char* kind : {"resident", "entity", "dwelling"}) {
    const auto schema = SchemaOf(ReadFile(std::string(ZHITUI_SOURCE_DIR "/rules/facts/") + kind + ".yaml"));
    ASSERT_NE(schema, nullptr) << kind;
    EXPECT_EQ(schema->kind(), kind);
    EXPECT_GE(schema->facts().size(), 20U);
    EXPECT_TRUE(schema->alive_unless());
    EXPECT_TRUE(schema->recipients());
    for (const FactDef& def : schema->facts()) EXPECT_FALSE(def.label.en.empty()) << def.name;
  }
}

TEST(Schema, TheHashFollowsTheDeclarationsNotTheLayout) {
  const std::string text = kSchemaYaml;
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string copy = text;
    copy.replace(copy.find(from), from.size(), to);
    return SchemaOf(copy)->hash();
  };
  const std::string hash = TestSchema()->hash();
  EXPECT_EQ(SchemaOf("# a comment\n" + text)->hash(), hash);
  EXPECT_NE(changed("type: int, source", "type: decimal, source"), hash);
  EXPECT_NE(changed("max_items: 3", "max_items: 4"), hash);
  EXPECT_NE(changed("[male, female]", "[male, female, other]"), hash);
  EXPECT_NE(changed("unit: {type: int, nullable: true,", "unit: {type: int,"), hash);
  EXPECT_NE(changed("type: int, source", "type: int, fixed: true, source"), hash);
  EXPECT_EQ(changed("type: int, source", "type: int, fixed: false, source"), hash);
}

TEST(Schema, WhatAPersonCannotChangeIsDeclaredOfFactsOnly) {
  const std::string head = "kind: k\nsources: {s: 源}\nfacts:\n";
  const auto schema = SchemaOf(head +
                               "  born: {type: date, source: s, fixed: true, label: 甲}\n"
                               "  city: {type: code, source: s, label: 乙}\n");
  ASSERT_NE(schema, nullptr);
  EXPECT_TRUE(schema->facts()[0].fixed);
  EXPECT_FALSE(schema->facts()[1].fixed);
  EXPECT_THAT(FaultsOfFacts("  a: {type: record, source: s, label: x, of: {b: {type: int, fixed: true, label: y}}}\n"),
              ElementsAre("4:62 unknown-key"));
  const auto resident = SchemaOf(ReadFile(ZHITUI_SOURCE_DIR "/rules/facts/resident.yaml"));
  for (const char* name : {"birth_date", "sex", "death_date", "name", "id_number"}) {
    EXPECT_TRUE(resident->facts()[*resident->Find(name)].fixed) << name;
  }
}

TEST(Schema, AChangedRecordIsAnotherTypeInTheSameProcess) {
  std::string text = kSchemaYaml;
  const std::string from = "lon: {type: decimal, label: 经度}";
  text.replace(text.find(from), from.size(), "lon: {type: string, label: 经度}");
  const auto a = TestSchema();
  const auto b = SchemaOf(text);
  EXPECT_NE(a->facts()[*a->Find("address")].value_type, b->facts()[*b->Find("address")].value_type);
  EXPECT_EQ(a->facts()[*a->Find("guardians")].value_type, b->facts()[*b->Find("guardians")].value_type);
}

TEST(SchemaFaults, AreAllReportedAtOnceAtTheirPlaces) {
  EXPECT_THAT(FaultsOf("kind: k\n"
                       "alive_unless: gone\n"
                       "recipients: a\n"
                       "sources: {s: 源}\n"
                       "facts:\n"
                       "  a: {type: sting, source: s, label: 甲}\n"
                       "  b: {type: int, source: t, label: 乙}\n"
                       "  c: {type: int, source: s}\n"
                       "  d: {type: int, source: s, label: 丁, nulable: true}\n"),
              ElementsAre("6:13 unknown-type", "7:26 unknown-source", "8:6 missing-key", "9:39 unknown-key",
                          "2:15 unknown-fact", "3:13 wrong-type"));
}

TEST(SchemaFaults, TypesHaveTheirOwnKeys) {
  EXPECT_THAT(FaultsOfFacts("  a: {type: int, source: s, label: x, values: [a]}\n"), ElementsAre("4:47 wrong-key"));
  EXPECT_THAT(FaultsOfFacts("  a: {type: int, source: s, label: x, of: int}\n"), ElementsAre("4:43 wrong-key"));
  EXPECT_THAT(FaultsOfFacts("  a: {type: int, source: s, label: x, max_items: 3}\n"), ElementsAre("4:50 wrong-key"));
  EXPECT_THAT(FaultsOfFacts("  a: {type: list, source: s, label: x}\n"), ElementsAre("4:3 missing-key"));
  EXPECT_THAT(FaultsOfFacts("  a: {type: record, source: s, label: x}\n"), ElementsAre("4:3 missing-key"));
  EXPECT_THAT(FaultsOfFacts("  a: {type: list, of: list, source: s, label: x}\n"), ElementsAre("4:23 unknown-type"));
  EXPECT_THAT(FaultsOfFacts("  a: {type: list, of: int, max_items: 0, source: s, label: x}\n"),
              ElementsAre("4:39 out-of-range"));
  EXPECT_THAT(FaultsOfFacts("  a: {type: code, values: [x, y, x], source: s, label: x}\n"),
              ElementsAre("4:34 duplicate"));
  EXPECT_THAT(FaultsOfFacts("  a: {type: code, values: [], source: s, label: x}\n"), ElementsAre("4:27 wrong-type"));
  EXPECT_THAT(FaultsOfFacts("  a: {type: record, of: {b: {type: int, source: s, label: x}}, source: s, label: x}\n"),
              ElementsAre("4:41 unknown-key"));
}

TEST(SchemaFaults, NamesAreLowerCaseSegmentsThatDoNotCollide) {
  EXPECT_THAT(FaultsOfFacts("  A: {type: int, source: s, label: x}\n"), ElementsAre("4:3 bad-name"));
  EXPECT_THAT(FaultsOfFacts("  a..b: {type: int, source: s, label: x}\n"), ElementsAre("4:3 bad-name"));
  EXPECT_THAT(FaultsOfFacts("  a.: {type: int, source: s, label: x}\n"), ElementsAre("4:3 bad-name"));
  EXPECT_THAT(FaultsOfFacts("  a.in: {type: int, source: s, label: x}\n"), ElementsAre("4:3 bad-name"));
  EXPECT_THAT(FaultsOfFacts("  a: {type: record, of: {b.c: {type: int, label: x}}, source: s, label: x}\n"),
              ElementsAre("4:26 bad-name"));
  EXPECT_THAT(
      FaultsOfFacts("  hukou: {type: int, source: s, label: x}\n  hukou.city: {type: int, source: s, label: x}\n"),
      ElementsAre("5:3 name-collision"));
  EXPECT_THAT(FaultsOfFacts("  a.b.c: {type: int, source: s, label: x}\n  a.b: {type: int, source: s, label: x}\n"),
              ElementsAre("4:3 name-collision"));
}

TEST(SchemaFaults, RolesNameFactsOfTheRightType) {
  const std::string facts =
      "  a: {type: int, source: s, label: x}\n  l: {type: list, of: {n: {type: int, label: x}}, source: s, label: x}\n";
  EXPECT_THAT(FaultsOfFacts(facts, "alive_unless: a\n"), ElementsAre("6:15 wrong-type"));
  EXPECT_THAT(FaultsOfFacts(facts, "recipients: l\n"), ElementsAre("6:13 wrong-type"));
  EXPECT_THAT(FaultsOfFacts(facts, "recipients: [l]\n"), ElementsAre("6:13 wrong-type"));
}

TEST(SchemaFaults, AFileThatIsNotASchemaIsReported) {
  EXPECT_THAT(FaultsOf(""), ElementsAre("1:1 wrong-type"));
  EXPECT_THAT(FaultsOf("kind: k\n"), ElementsAre("1:1 missing-key", "1:1 missing-key"));
  EXPECT_THAT(FaultsOf("kind: k\nsources: {}\nfacts: []\n"), ElementsAre("2:10 wrong-type", "3:8 wrong-type"));
}

TEST(SchemaFaults, AnUnknownSourceSuggestsTheNearest) {
  Diagnostics diagnostics;
  const auto document = yaml::Parse(
      "f.yaml", "kind: k\nsources: {police: 公安}\nfacts:\n  a: {type: int, source: polise, label: x}\n", &diagnostics);
  EXPECT_EQ(ParseSchema(*document, &diagnostics), nullptr);
  ASSERT_EQ(diagnostics.size(), 1U);
  EXPECT_EQ(diagnostics[0].hint, "did you mean police?");
  EXPECT_EQ(diagnostics[0].source_line, "  a: {type: int, source: polise, label: x}");
}

}  // namespace
}  // namespace zhitui::facts
