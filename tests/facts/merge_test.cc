#include <gmock/gmock.h>
#include <malloc.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "facts/fixture.h"

namespace zhitui::facts {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class MergeTest : public ::testing::Test {
 protected:
  std::string Police(std::int64_t time, const std::string& data) {
    return RefusalOf(profile_, EventOf("police", time, data));
  }
  std::string School(std::int64_t time, const std::string& data) {
    return RefusalOf(profile_, EventOf("school", time, data));
  }
  const Value& At(const char* name) { return profile_.slots()[*profile_.schema().Find(name)]; }
  Profile profile_{TestSchema()};
};

TEST_F(MergeTest, AFreshProfileKnowsNothing) {
  EXPECT_EQ(profile_.ToJson(), "{}");
  for (std::uint32_t slot = 0; slot < profile_.slots().size(); ++slot) {
    EXPECT_FALSE(profile_.Has(slot));
    const value::UnknownSet& set = profile_.slots()[slot].AsUnknown();
    ASSERT_EQ(set.count, 1U);
    EXPECT_EQ(set.slots[0], slot);
  }
  EXPECT_FALSE(profile_.Dead());
}

TEST_F(MergeTest, EveryTypeBecomesItsValue) {
  EXPECT_EQ(
      Police(1, R"({"name":"张\u4e09\n","sex":"female","hukou":{"city":"440300","since":"2001-02-03"},"children":-2,
                          "income":12.50,"ratio":"0.123456789012345678","seen":"2026-03-01T08:00:00.5+08:00",
                          "months":["2026-01-01","2026-02-01"],
                          "address":{"street":"福田","unit":null,"geo":{"lat":22.5,"lon":"114.05"}}})"),
      "");
  EXPECT_EQ(
      School(1, R"({"student":true,"guardians":[{"id":"g1","since":null,"tags":["a"]},{"id":"g2"}],"grades":[]})"), "");
  EXPECT_EQ(At("name").AsString(), "张三\n");
  EXPECT_EQ(At("sex").AsString(), "female");
  EXPECT_EQ(At("hukou.since").AsDate(), MakeDate(2001, 2, 3));
  EXPECT_EQ(At("children").AsInt(), -2);
  EXPECT_EQ(At("income").AsDecimal().ToString(), "12.50");
  EXPECT_EQ(At("ratio").AsDecimal().ToString(), "0.123456789012345678");
  EXPECT_EQ(At("seen").Seconds(), 1772323200);
  EXPECT_EQ(At("seen").Nanos(), 500'000'000);
  EXPECT_EQ(At("months").AsList().size(), 2U);
  EXPECT_TRUE(At("student").IsTrue());
  EXPECT_EQ(json::parse(profile_.ToJson()), json::parse(R"({
      "name":"张三\n","sex":"female","hukou":{"city":"440300","since":"2001-02-03"},"children":-2,"income":"12.50",
      "ratio":"0.123456789012345678","seen":"2026-03-01T00:00:00.5Z","months":["2026-01-01","2026-02-01"],
      "address":{"street":"福田","unit":null,"geo":{"lat":"22.5","lon":"114.05"}},
      "student":true,"grades":[],"guardians":[{"id":"g1","since":null,"tags":["a"]},{"id":"g2"}]})"));
}

TEST_F(MergeTest, MoneyAndDecimalsDoNotPassThroughBinaryFractions) {
  EXPECT_EQ(Police(1, R"({"income":90071992547409.93})"), "");
  EXPECT_EQ(At("income").AsDecimal().ToString(), "90071992547409.93");
  EXPECT_EQ(Police(2, R"({"ratio":0.100000000000000005})"), "");
  EXPECT_EQ(At("ratio").AsDecimal().ToString(), "0.100000000000000005");
  EXPECT_EQ(Police(2, R"({"ratio":0.1000000000000000055})"),
            "wrong_type ratio: expected a decimal such as 1.25 or \"1.25\", at most 18 digits");
}

struct WrongCase {
  const char* source;
  const char* data;
  const char* refusal;
};

TEST_F(MergeTest, WhatDoesNotFitIsRefusedByNameAndChangesNothing) {
  ASSERT_EQ(Police(1, R"({"name":"a","children":1})"), "");
  const std::string before = profile_.Encode();
  for (const WrongCase& c : std::initializer_list<WrongCase>{
           {"police", R"({"name":"b","death_date":"2026-02-30"})",
            "wrong_type death_date: expected a date such as 2026-03-01"},
           {"police", R"({"death_date":"2026-3-1"})", "wrong_type death_date: expected a date such as 2026-03-01"},
           {"police", R"({"death_date":20260301})", "wrong_type death_date: expected a date such as 2026-03-01"},
           {"police", R"({"death_date":"2026-03-01T00:00:00Z"})",
            "wrong_type death_date: expected a date such as 2026-03-01"},
           {"police", R"({"children":5.0})", "wrong_type children: expected a whole number such as 12"},
           {"police", R"({"children":1e2})", "wrong_type children: expected a whole number such as 12"},
           {"police", R"({"children":"5"})", "wrong_type children: expected a whole number such as 12"},
           {"police", R"({"children":9223372036854775808})", "wrong_type children: expected a whole number such as 12"},
           {"police", R"({"children":true})", "wrong_type children: expected a whole number such as 12"},
           {"police", R"({"children":[1]})", "wrong_type children: expected a whole number such as 12"},
           {"police", R"({"income":1.234})",
            "wrong_type income: expected an amount such as 12.50 or \"12.50\", at most 2 decimals"},
           {"police", R"({"income":"1,234.00"})",
            "wrong_type income: expected an amount such as 12.50 or \"12.50\", at most 2 decimals"},
           {"police", R"({"income":1e2})",
            "wrong_type income: expected an amount such as 12.50 or \"12.50\", at most 2 decimals"},
           {"police", R"({"income":"007"})",
            "wrong_type income: expected an amount such as 12.50 or \"12.50\", at most 2 decimals"},
           {"police", R"({"ratio":"1."})",
            "wrong_type ratio: expected a decimal such as 1.25 or \"1.25\", at most 18 digits"},
           {"police", R"({"name":5})", "wrong_type name: expected text"},
           {"police", R"({"name":{"a":"b"}})", "wrong_type name: expected text"},
           {"police", R"({"sex":"other"})", "wrong_type sex: expected one of male, female"},
           {"police", R"({"sex":1})", "wrong_type sex: expected a code in quotes"},
           {"police", R"({"hukou":{"city":""}})", "wrong_type hukou.city: expected a code in quotes"},
           {"police", R"({"hukou":"440300"})", "wrong_type hukou: expected an object"},
           {"police", R"({"seen":"2026-03-01"})", "wrong_type seen: expected a time such as 2026-03-01T08:00:00+08:00"},
           {"police", R"({"months":"2026-01-01"})", "wrong_type months: expected a list"},
           {"police", R"({"months":["2026-01-01","2026-13-01"]})",
            "wrong_type months[1]: expected a date such as 2026-03-01"},
           {"police", R"({"months":[null]})", "not_nullable months[0]: may not be null"},
           {"police", R"({"months":["2026-01-01","2026-01-01","2026-01-01","2026-01-01"]})",
            "too_many months: more than 3 items"},
           {"police", R"({"address":"x"})", "wrong_type address: expected an object"},
           {"police", R"({"address":{"unit":"x"}})", "wrong_type address.unit: expected a whole number such as 12"},
           {"police", R"({"address":{"geo":{"lat":"x"}}})",
            "wrong_type address.geo.lat: expected a decimal such as 1.25 or \"1.25\", at most 18 digits"},
           {"police", R"({"address":{"town":"x"}})", "unknown_fact address.town: not a field of this record"},
           {"police", R"({"address":{"unit":1,"unit":2}})", "not_json address.unit: the same name twice"},
           {"school", R"({"student":"true"})", "wrong_type student: expected true or false"},
           {"school", R"({"student":1})", "wrong_type student: expected true or false"},
           {"school", R"({"grades":["a","d"]})", "wrong_type grades[1]: expected one of a, b, c"},
           {"school", R"({"guardians":[{"id":"a"},{"id":null}]})", "not_nullable guardians[1].id: may not be null"},
           {"school", R"({"guardians":[{"id":"a","tags":["x",1]}]})", "wrong_type guardians[0].tags[1]: expected text"},
           {"school", R"({"guardians":[{},{},{}]})", "too_many guardians: more than 2 items"},
           {"school", R"({"guardians":{"id":"a"}})", "wrong_type guardians: expected a list"},
           {"police", R"({"nome":"x"})", "unknown_fact nome: not a fact of resident"},
           {"police", R"({"hukou":{"town":"x"}})", "unknown_fact hukou.town: not a fact of resident"},
           {"police", R"({"hukou":{"hukou.city":"x"}})", "unknown_fact hukou.hukou.city: not a fact of resident"},
           {"police", R"({"student":true})", "not_owner student: belongs to the source school"},
           {"school", R"({"hukou":{"school":"x","city":"y"}})", "not_owner hukou.city: belongs to the source police"},
           {"school", R"({"hukou.city":null})", "not_owner hukou.city: belongs to the source police"},
           {"fire", "{}", "not_owner source: owns no fact of resident"},
           {"police", R"({"name":"a","name":"b"})", "not_json name: the same name twice"},
           {"police", R"({"hukou":{"city":"a"},"hukou":{"since":null}})", "not_json hukou: the same name twice"},
           {"police", R"({"hukou":{"city":"a"},"hukou.city":"a"})", "not_json hukou.city: the same name twice"},
           {"police", R"({"hukou.city":"a","hukou":null})", "not_json hukou.city: the same name twice"},
           {"police", R"({"na\u006de":"a","name":"b"})", "not_json name: the same name twice"},
           {"police", "", "not_json data: not well-formed JSON"},
           {"police", "[]", "not_json data: expected a JSON object"},
           {"police", "5", "not_json data: expected a JSON object"},
           {"police", R"({"name":"b")", "not_json data: not well-formed JSON"},
           {"police", R"({"name":"b"}})", "not_json data: not well-formed JSON"},
           {"police", R"({"name":"b"} {})", "not_json data: not well-formed JSON"},
           {"police", R"({"name":"b",})", "not_json data: not well-formed JSON"},
           {"police", R"({"name" "b"})", "not_json data: not well-formed JSON"},
           {"police", R"({"children":01})", "not_json children: not well-formed JSON"},
           {"police", R"({"children":+1})", "not_json data: not well-formed JSON"},
           {"police", R"({"children":5x})", "not_json children: not well-formed JSON"},
           {"police", R"({"name":"\x"})", "not_json name: not well-formed JSON"},
           {"police", R"({"death_date":nul})", "not_json data: not well-formed JSON"},
           {"school", R"({"student":truth})", "not_json student: not well-formed JSON"},
           {"police", "{\"name\":\"\xFF\"}", "not_json data: not well-formed JSON"}}) {
    EXPECT_EQ(RefusalOf(profile_, EventOf(c.source, 9, c.data)), c.refusal) << c.data;
    EXPECT_EQ(RefusalOf(profile_, EventOf(c.source, 9, c.data, Action::kReplace)), c.refusal) << c.data;
    EXPECT_EQ(profile_.Encode(), before) << c.data;
  }
  Event other = EventOf("police", 9, "{}");
  other.kind = "entity";
  EXPECT_EQ(RefusalOf(profile_, other), "unknown_kind kind: expected resident");
}

// RFC 7396, appendix A, as far as typed facts can show them.
struct Rfc7396Case {
  const char* before;
  const char* patch;
  const char* after;
};

TEST(Rfc7396, AppendixA) {
  const auto schema = SchemaOf(
      "kind: resident\nsources: {police: 公安}\nfacts:\n"
      "  a: {type: string, source: police, label: x}\n"
      "  b: {type: string, source: police, label: x}\n"
      "  l: {type: list, of: string, source: police, label: x}\n"
      "  m: {type: list, of: {b: {type: string, label: x}}, source: police, label: x}\n"
      "  e: {type: string, source: police, nullable: true, label: x}\n"
      "  g.b: {type: string, source: police, label: x}\n"
      "  g.c: {type: string, source: police, label: x}\n"
      "  r: {type: record, source: police, label: x, of: {b: {type: string, label: x}, c: {type: string, label: x},\n"
      "      bb: {type: record, label: x, of: {ccc: {type: string, label: x}}}}}\n");
  for (const Rfc7396Case& c : std::initializer_list<Rfc7396Case>{
           {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
           {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
           {R"({"a":"b"})", R"({"a":null})", R"({})"},
           {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
           {R"({"l":["b"]})", R"({"l":["c"]})", R"({"l":["c"]})"},
           {R"({"l":["a","b"]})", R"({"l":[]})", R"({"l":[]})"},
           {R"({"m":[{"b":"c"}]})", R"({"m":[{}]})", R"({"m":[{}]})"},
           {R"({"g":{"b":"c"}})", R"({"g":{"b":"d","c":null}})", R"({"g":{"b":"d"}})"},
           {R"({"g":{"b":"c"}})", R"({"g":null})", R"({})"},
           {R"({"g":{"b":"c"}})", R"({"g":{}})", R"({"g":{"b":"c"}})"},
           {R"({"r":{"b":"c"}})", R"({"r":{"b":"d","c":null}})", R"({"r":{"b":"d"}})"},
           {R"({"r":{"b":"c","c":"x"}})", R"({"r":{"b":null}})", R"({"r":{"c":"x"}})"},
           {R"({"r":{"bb":{"ccc":"x"}}})", R"({"r":{"b":"y"}})", R"({"r":{"b":"y","bb":{"ccc":"x"}}})"},
           {R"({"e":null})", R"({"a":"1"})", R"({"a":"1","e":null})"},
           {R"({})", R"({"r":{"bb":{"ccc":null}}})", R"({"r":{"bb":{}}})"},
           {R"({})", R"({"g":{"b":null}})", R"({})"},
       }) {
    Profile profile(schema);
    ASSERT_EQ(RefusalOf(profile, EventOf("police", 1, c.before)), "");
    ASSERT_EQ(RefusalOf(profile, EventOf("police", 2, c.patch)), "");
    EXPECT_EQ(json::parse(profile.ToJson()), json::parse(c.after)) << c.before << " + " << c.patch;
  }
}

TEST_F(MergeTest, NullIsKnownToBeNoneOnlyForNullableFacts) {
  ASSERT_EQ(Police(1, R"({"name":"a","death_date":"2026-01-01","hukou":{"city":"x","since":"2001-01-01"}})"), "");
  EXPECT_TRUE(profile_.Dead());
  ASSERT_EQ(Police(2, R"({"name":null,"death_date":null,"hukou":null})"), "");
  EXPECT_FALSE(profile_.Has(*profile_.schema().Find("name")));
  EXPECT_TRUE(At("death_date").is(value::Kind::kNull));
  EXPECT_FALSE(profile_.Dead());
  EXPECT_EQ(profile_.ToJson(), R"({"death_date":null,"hukou":{"since":null}})");
}

TEST_F(MergeTest, NullOfAGroupTouchesOnlyTheSourcesOwnFacts) {
  ASSERT_EQ(Police(1, R"({"hukou":{"city":"x"}})"), "");
  ASSERT_EQ(School(1, R"({"hukou":{"school":"y"}})"), "");
  ASSERT_EQ(School(2, R"({"hukou":null})"), "");
  EXPECT_EQ(profile_.ToJson(), R"({"hukou":{"city":"x"}})");
}

TEST_F(MergeTest, ASnapshotMakesTheOtherFactsOfItsSourceAbsent) {
  ASSERT_EQ(Police(1, R"({"name":"a","children":1,"address":{"street":"x","unit":4}})"), "");
  ASSERT_EQ(School(1, R"({"student":true})"), "");
  const auto report = profile_.Merge(EventOf("police", 2, R"({"name":"a","address":{"unit":5}})", Action::kReplace));
  ASSERT_TRUE(report);
  EXPECT_THAT(report->changed, ElementsAre(*profile_.schema().Find("children"), *profile_.schema().Find("address")));
  EXPECT_EQ(profile_.ToJson(), R"({"name":"a","address":{"unit":5},"student":true})");
  EXPECT_EQ(Police(1, R"({"children":1})"), "");
  EXPECT_FALSE(profile_.Has(*profile_.schema().Find("children")))
      << "an older patch does not bring back what a snapshot left out";
}

TEST_F(MergeTest, AnOlderEventOfTheSourceIsStalePerFact) {
  ASSERT_EQ(Police(5, R"({"name":"new"})"), "");
  const auto report = profile_.Merge(EventOf("police", 4, R"({"name":"old","children":3})"));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->stale, 1U);
  EXPECT_THAT(report->changed, ElementsAre(*profile_.schema().Find("children")));
  EXPECT_EQ(profile_.ToJson(), R"({"name":"new","children":3})");
  EXPECT_EQ(Police(5, R"({"name":"same time"})"), "");
  EXPECT_EQ(At("name").AsString(), "same time");
  ASSERT_EQ(Police(9, R"({"name":null})"), "");
  EXPECT_EQ(Police(8, R"({"name":"back"})"), "");
  EXPECT_FALSE(profile_.Has(0)) << "withdrawn at 9, so 8 is stale";
}

TEST_F(MergeTest, ChangedNamesOnlyWhatDiffers) {
  const char* data = R"({"name":"a","income":1.50,"months":["2026-01-01"],"address":{"street":"x"},"death_date":null})";
  auto report = profile_.Merge(EventOf("police", 1, data));
  EXPECT_EQ(report->changed.size(), 5U);
  EXPECT_TRUE(std::is_sorted(report->changed.begin(), report->changed.end()));
  report = profile_.Merge(EventOf("police", 2, data));
  EXPECT_THAT(report->changed, IsEmpty());
  report = profile_.Merge(EventOf("police", 3, R"({"income":1.5,"ratio":null})"));
  EXPECT_THAT(report->changed, IsEmpty());
  report = profile_.Merge(EventOf("police", 4, R"({"address":{"unit":null}})"));
  EXPECT_EQ(report->changed.size(), 1U);
}

TEST_F(MergeTest, ForgetEmptiesEverything) {
  ASSERT_EQ(Police(5, R"({"name":"a"})"), "");
  ASSERT_EQ(School(5, R"({"student":true})"), "");
  const auto report = profile_.Merge(EventOf("", 6, "", Action::kForget));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->changed.size(), 2U);
  EXPECT_EQ(profile_.ToJson(), "{}");
  EXPECT_EQ(profile_.Encode(), Profile(TestSchema()).Encode());
  EXPECT_EQ(Police(1, R"({"name":"b"})"), "");
  EXPECT_EQ(profile_.ToJson(), R"({"name":"b"})");
}

TEST_F(MergeTest, SetFromJsonPassesOverOnlyWhatTheOtherSchemaDeclares) {
  const auto other = SchemaOf(R"(
kind: resident
sources: {police: {zh: 公安, en: Police}}
facts:
  points: {type: int, source: police, label: 分}
  hukou.town: {type: code, source: police, label: 镇}
  job.title: {type: string, source: police, label: 职}
)");
  ASSERT_NE(other, nullptr);
  const char* both = R"({"points":7,"name":"a","hukou":{"town":{"odd":[1]},"city":"x"},"job":{"title":"b"}})";
  ASSERT_TRUE(profile_.SetFromJson(both, other.get()));
  EXPECT_EQ(profile_.ToJson(), R"({"name":"a","hukou":{"city":"x"}})");
  ASSERT_TRUE(profile_.SetFromJson(R"({"hukou.town":"x","job.title":null,"student":true})", other.get()));
  EXPECT_EQ(profile_.ToJson(), R"({"name":"a","hukou":{"city":"x"},"student":true})");
  EXPECT_EQ(profile_.SetFromJson(both).error().reason, Refusal::kUnknownFact);
  for (const char* unknown :
       {R"({"wages":1})", R"({"hukou":{"points":1}})", R"({"town":"x"})", R"({"hukou.title":1})"}) {
    const auto set = profile_.SetFromJson(unknown, other.get());
    ASSERT_FALSE(set) << unknown;
    EXPECT_EQ(set.error().reason, Refusal::kUnknownFact) << unknown;
  }
}

TEST_F(MergeTest, SetFromJsonTakesAllSourcesDottedAndNested) {
  EXPECT_TRUE(
      profile_.SetFromJson(R"({"name":"a","hukou.city":"x","hukou":{"school":"y","since":null},"student":false})"));
  EXPECT_EQ(profile_.ToJson(), R"({"name":"a","hukou":{"city":"x","since":null,"school":"y"},"student":false})");
  EXPECT_EQ(profile_.SetFromJson(R"({"name":null})").error().reason, Refusal::kNotNullable);
  EXPECT_EQ(profile_.SetFromJson(R"({"hukou.town":"x"})").error().detail, "hukou.town: not a fact of resident");
  EXPECT_EQ(profile_.SetFromJson("[").error().reason, Refusal::kNotJson);
  EXPECT_EQ(profile_.ToJson(), R"({"name":"a","hukou":{"city":"x","since":null,"school":"y"},"student":false})");
}

TEST_F(MergeTest, ToJsonReadsBackAsTheSameProfile) {
  ASSERT_TRUE(profile_.SetFromJson(
      R"({"name":"q\"\\","income":"-0.05","seen":"2026-03-01T00:00:00Z","address":{"geo":{"lat":"1.0"}},
                                       "guardians":[{"id":"a","tags":["x"]}],"death_date":null})"));
  Profile other(TestSchema());
  ASSERT_TRUE(other.SetFromJson(profile_.ToJson()));
  EXPECT_EQ(other.Encode(), profile_.Encode());
}

TEST_F(MergeTest, RepeatedMergesDoNotGrowWithoutBound) {
  const std::string big(100'000, 'x');
  const auto merge = [&](int i) {
    return Police(i,
                  R"({"name":")" + big + std::to_string(i % 10) + R"(","address":{"unit":)" + std::to_string(i) + "}}");
  };
  const auto allocated = [] {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  for (int i = 0; i < 50; ++i) ASSERT_EQ(merge(i), "");
  const std::size_t before = allocated();
  for (int i = 50; i < 2050; ++i) ASSERT_EQ(merge(i), "");  // 200 MB of values that were replaced
  EXPECT_LT(allocated(), before + 8'000'000);
  EXPECT_EQ(At("name").AsString().size(), big.size() + 1);
  EXPECT_EQ(At("address").AsMap().size(), 1U);
}

// Properties, against models.

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  std::size_t Below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }
  std::mt19937& random() { return random_; }

  // A patch of the source's facts that hold no record: their values do not depend on what was there.
  json Patch(const std::string& source) {
    json out = json::object();
    const auto maybe = [&](json::json_pointer at, const std::vector<json>& values) {
      if (Below(3) == 0) out[at] = values[Below(values.size())];
    };
    if (source == "police") {
      maybe("/name"_json_pointer, {"a", "b", nullptr});
      maybe("/sex"_json_pointer, {"male", "female", nullptr});
      maybe("/death_date"_json_pointer, {"2026-01-01", nullptr});
      maybe("/hukou/city"_json_pointer, {"440300", "440400", nullptr});
      maybe("/hukou/since"_json_pointer, {"2001-01-01", nullptr});
      maybe("/children"_json_pointer, {0, 1, 2, nullptr});
      maybe("/months"_json_pointer, {json::array(), json::array({"2026-01-01"}), nullptr});
    } else {
      maybe("/student"_json_pointer, {true, false, nullptr});
      maybe("/hukou/school"_json_pointer, {"s1", "s2", nullptr});
      maybe("/grades"_json_pointer, {json::array({"a"}), json::array({"b", "c"}), nullptr});
      maybe("/guardians"_json_pointer, {json::array({{{"id", "g"}}}), json::array(), nullptr});
    }
    return out;
  }

 private:
  std::mt19937 random_;
};

const char* const kSourceFacts[][7] = {
    {"name", "sex", "death_date", "hukou.city", "hukou.since", "children", "months"},
    {"student", "hukou.school", "grades", "guardians", nullptr, nullptr, nullptr},
};

json::json_pointer PointerOf(std::string name) {
  std::replace(name.begin(), name.end(), '.', '/');
  return json::json_pointer("/" + name);
}

json WithoutNulls(json v) {
  if (!v.is_object()) return v;
  json out = json::object();
  for (const auto& [key, member] : v.items()) {
    if (member.is_null()) continue;
    const json inner = WithoutNulls(member);
    if (!inner.is_object() || !inner.empty()) out[key] = inner;
  }
  return out;
}

TEST(MergeProperty, PatchesInOrderAreRfc7396) {
  Generator generator(7);
  for (int round = 0; round < 200; ++round) {
    Profile profile(TestSchema());
    json model = json::object();
    for (int i = 0; i < 12; ++i) {
      const std::string source = generator.Below(2) == 0 ? "police" : "school";
      const json patch = generator.Patch(source);
      model.merge_patch(patch);
      ASSERT_EQ(RefusalOf(profile, EventOf(source, i, patch.dump())), "") << patch;
      ASSERT_EQ(WithoutNulls(json::parse(profile.ToJson())), WithoutNulls(model)) << patch;
    }
  }
}

TEST(MergeProperty, AnyArrivalOrderGivesWhatTheLatestEventOfEachFactSays) {
  Generator generator(11);
  const auto schema = TestSchema();
  for (int round = 0; round < 200; ++round) {
    std::vector<Event> events;
    for (int i = 0; i < 10; ++i) {
      const std::string source = generator.Below(2) == 0 ? "police" : "school";
      const Action action = generator.Below(4) == 0 ? Action::kReplace : Action::kPatch;
      events.push_back(EventOf(source, 100 + i, generator.Patch(source).dump(), action));  // distinct times
    }
    // Brute force: for each fact, the event with the greatest time that touches it.
    json expected = json::object();
    for (std::size_t s = 0; s < 2; ++s) {
      for (const char* name : kSourceFacts[s]) {
        if (name == nullptr) continue;
        const FactDef& def = schema->facts()[*schema->Find(name)];
        for (auto event = events.rbegin(); event != events.rend(); ++event) {
          if (event->source != def.source) continue;
          const json data = json::parse(event->data);
          if (data.contains(PointerOf(name))) {
            const json& v = data[PointerOf(name)];
            if (!v.is_null() || def.nullable) expected[PointerOf(name)] = v;
            break;
          }
          if (event->action == Action::kReplace) break;
        }
      }
    }
    std::string first;
    for (int order = 0; order < 5; ++order) {
      Profile profile(schema);
      for (const Event& event : events) ASSERT_EQ(RefusalOf(profile, event), "");
      EXPECT_EQ(json::parse(profile.ToJson()), expected);
      if (first.empty()) first = profile.Encode();
      EXPECT_EQ(profile.Encode(), first) << "times included";
      std::shuffle(events.begin(), events.end(), generator.random());
    }
  }
}

TEST(MergeProperty, SourcesCommuteRecordsIncluded) {
  Generator generator(13);
  for (int round = 0; round < 100; ++round) {
    std::vector<Event> police;
    std::vector<Event> school;
    for (int i = 0; i < 6; ++i) {
      json patch = generator.Patch("police");
      if (generator.Below(2) == 0) patch["address"] = {{"unit", generator.Below(5)}};
      if (generator.Below(2) == 0) patch["address"]["street"] = generator.Below(2) == 0 ? json("x") : json(nullptr);
      police.push_back(EventOf("police", static_cast<std::int64_t>(generator.Below(4)), patch.dump()));
      school.push_back(
          EventOf("school", static_cast<std::int64_t>(generator.Below(4)), generator.Patch("school").dump()));
    }
    std::string first;
    for (int order = 0; order < 6; ++order) {
      std::vector<int> turns(12);
      std::fill(turns.begin() + 6, turns.end(), 1);
      std::shuffle(turns.begin(), turns.end(), generator.random());
      Profile profile(TestSchema());
      std::size_t next[2] = {0, 0};
      for (const int turn : turns) {
        ASSERT_EQ(RefusalOf(profile, (turn == 0 ? police : school)[next[turn]++]), "");
      }
      if (first.empty()) first = profile.Encode();
      EXPECT_EQ(profile.Encode(), first);
    }
  }
}

}  // namespace
}  // namespace zhitui::facts
