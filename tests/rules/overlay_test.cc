// A rule of a smaller area over that of a larger one. All policies and people here are invented.

#include <algorithm>
#include <map>
#include <set>

#include "rules/rules_support.h"

namespace zhitui::rules {
namespace {

SourceFile Schema() {
  return {"facts/person.yaml", R"(kind: person
sources:
  office: {zh: 办公室, en: Office}
facts:
  age: {type: int, source: office, label: {zh: 年龄, en: Age}}
  city: {type: code, source: office, label: {zh: 城市, en: City}}
  district: {type: code, source: office, label: {zh: 区, en: District}}
  street: {type: code, source: office, nullable: true, label: {zh: 街道, en: Street}}
)"};
}

SourceFile City(const std::string& more = "") {
  return {"city/allowance.yaml", R"(rule: allowance
about: person
title: {zh: 津贴, en: Allowance}
owner: 市民政局
area: "4403"
by: person.district
topic: t.city
law: {std: {title: 市文件}}
valid: {from: 2020-01-01}
params:
  min_age: {2020-01-01: 70, 2024-01-01: 68}
let:
  old: person.age >= params.min_age
criteria:
  here: {label: 本市, when: person.city == "440300", law: std}
  old_enough: {label: 够年龄, when: old, law: std}
amount: {unit: CNY, table: [{when: person.age >= 80, is: 300}, {is: 200}]}
)" + more};
}

// Of the district 440304.
SourceFile District(const std::string& more, const std::string& id = "allowance-d", const std::string& area = "440304",
                    const std::string& over = "allowance") {
  return {"district/" + id + ".yaml", "rule: " + id + "\nover: " + over + "\narea: \"" + area + "\"\nlaw: {" + id +
                                          "-law: {title: 区文件}}\n" + more};
}

struct Got {
  std::string answer;
  std::string amount;
  bool operator==(const Got&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Got& got) { return out << got.answer << " " << got.amount; }

Got Ask(const RuleSet& set, const std::string& rule, const std::string& facts, const std::string& day) {
  value::Arena arena;
  const Rule* found = set.Find(rule);
  EXPECT_NE(found, nullptr) << rule;
  if (found == nullptr) return {};
  const Determination got = Evaluate(*found, MakeProfile(set, "person", facts), Day(day), arena);
  EXPECT_EQ(got.error, "");
  return {AnswerName(got.answer), got.amount ? got.amount->ToString() : ""};
}

Diagnostics Mistakes(std::vector<SourceFile> files) {
  files.push_back(Schema());
  Diagnostics diagnostics;
  EXPECT_EQ(RuleSet::Build(files, &diagnostics), nullptr);
  return diagnostics;
}

// The only mistake, as "file:line code".
std::string OneMistake(std::vector<SourceFile> files) {
  const Diagnostics diagnostics = Mistakes(std::move(files));
  EXPECT_EQ(diagnostics.size(), 1U) << FormatDiagnostics(diagnostics);
  if (diagnostics.size() != 1) return "";
  EXPECT_NE(diagnostics[0].hint, "");
  return diagnostics[0].at.file + ":" + std::to_string(diagnostics[0].at.line) + " " + diagnostics[0].code;
}

TEST(Overlay, TheDistrictDecidesForWhoCountsInItAndTheCityForEverybodyElse) {
  // The district's age falls to 65 on 2026-01-01.
  const auto set = MustBuild({Schema(), City(), District("params: {min_age: {2026-01-01: 65}}\n")});
  ASSERT_NE(set, nullptr);
  const Got yes{"eligible", "200"};
  const Got no{"ineligible", ""};
  const Got open{"unknown", ""};
  struct Row {
    std::string facts;
    std::string day;
    Got city;
    Got district;
  };
  const std::string futian = R"("city":"440300","district":"440304","age":)";
  const std::string nanshan = R"("city":"440300","district":"440305","age":)";
  const std::string unknown = R"("city":"440300","age":)";
  const std::vector<Row> rows = {
      // The larger rule's values count until the smaller one's first day.
      {futian + "69", "2023-12-31", no, no},
      {futian + "70", "2023-12-31", no, yes},
      {futian + "68", "2025-12-31", no, yes},
      {futian + "67", "2025-12-31", no, no},
      {futian + "65", "2025-12-31", no, no},
      {futian + "65", "2026-01-01", no, yes},
      {futian + "64", "2026-01-01", no, no},
      {futian + "80", "2026-01-01", no, {"eligible", "300"}},
      {nanshan + "67", "2026-01-01", no, no},
      {nanshan + "68", "2026-01-01", yes, no},
      {nanshan + "80", "2026-01-01", {"eligible", "300"}, no},
      // A district of which only the city is known is in no smaller area.
      {R"("city":"440300","district":"440300","age":70)", "2026-01-01", yes, no},
      // A street's code lies in its district.
      {R"("city":"440300","district":"440304001","age":66)", "2026-01-01", no, yes},
      // Only the district is missing.
      {unknown + "70", "2026-01-01", open, open},
      {unknown + "66", "2026-01-01", no, open},
      {unknown + "60", "2026-01-01", no, no},
      {R"("city":"440100","district":"440304","age":90)", "2026-01-01", no, no},
      {R"("city":"440300","district":"440304")", "2026-01-01", no, open},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(Ask(*set, "allowance", "{" + row.facts + "}", row.day), row.city) << row.facts << " on " << row.day;
    EXPECT_EQ(Ask(*set, "allowance-d", "{" + row.facts + "}", row.day), row.district) << row.facts << " on " << row.day;
  }
}

TEST(Overlay, WhatTheDistrictDoesNotSayIsTheCitys) {
  const auto set = MustBuild({Schema(), City("apply: {url: https://example.org/city}\n"), District("")});
  ASSERT_NE(set, nullptr);
  const Rule& rule = *set->Find("allowance-d");
  EXPECT_EQ(rule.kind, "person");
  EXPECT_EQ(rule.title.zh, "津贴");
  EXPECT_EQ(rule.owner, "市民政局");
  EXPECT_EQ(rule.topic, "t.city");
  EXPECT_EQ(rule.area, "440304");
  EXPECT_EQ(rule.unit, "CNY");
  EXPECT_EQ(rule.valid_from, Day("2020-01-01"));
  EXPECT_EQ(rule.apply.url, "https://example.org/city");
  std::vector<std::string> ids;
  for (const Criterion& criterion : rule.criteria) ids.push_back(criterion.id + ":" + criterion.law);
  EXPECT_EQ(ids, (std::vector<std::string>{"here:std", "old_enough:std", "counts_in_area:allowance-d-law"}));
  EXPECT_EQ(rule.criteria[0].at.file, "city/allowance.yaml");
}

TEST(Overlay, WhatTheDistrictSaysReplacesOrIsAdded) {
  const auto set = MustBuild({Schema(), City(), District(R"(title: 区津贴
owner: 区民政局
topic: t.district
valid: {from: 2021-01-01, until: 2030-01-01}
params: {min_age: 60, oldest: 90}
let:
  few: params.min_age + 1
  old: person.age >= few
criteria:
  not_too_old: {label: 不太老, when: person.age <= params.oldest, law: allowance-d-law}
  here: {label: 全省, when: person.city.startsWith("44"), law: std}
amount: {unit: CNY/month, table: [{is: 9}]}
apply: {url: https://example.org/district}
notify: [{on: eligible, message: hello}]
)")});
  ASSERT_NE(set, nullptr);
  const Rule& rule = *set->Find("allowance-d");
  EXPECT_EQ(rule.title.zh, "区津贴");
  EXPECT_EQ(rule.owner, "区民政局");
  EXPECT_EQ(rule.topic, "t.district");
  EXPECT_EQ(rule.valid_until, Day("2030-01-01"));
  EXPECT_EQ(rule.unit, "CNY/month");
  EXPECT_EQ(rule.apply.url, "https://example.org/district");
  ASSERT_EQ(rule.notify.size(), 1U);
  std::set<std::string> ids;
  for (const Criterion& criterion : rule.criteria) ids.insert(criterion.id);
  EXPECT_EQ(ids, (std::set<std::string>{"here", "old_enough", "not_too_old", "counts_in_area"}));
  const auto at = [&](const std::string& age) {
    return Ask(*set, "allowance-d", R"({"city":"440100","district":"440304","age":)" + age + "}", "2026-01-01").answer;
  };
  EXPECT_EQ(at("60"), "ineligible");
  EXPECT_EQ(at("61"), "eligible");
  EXPECT_EQ(at("90"), "eligible");
  EXPECT_EQ(at("91"), "ineligible");
  EXPECT_TRUE(set->Find("allowance")->notify.empty());
}

TEST(Overlay, DatedValuesFollowAPlainOneAndWholeNumbersBecomeDecimals) {
  SourceFile city = City();
  city.text.replace(city.text.find("{2020-01-01: 70, 2024-01-01: 68}"), 32, "70");
  const auto set = MustBuild({Schema(), city, District(R"(params: {min_age: {2026-01-01: 65.5}}
)")});
  ASSERT_NE(set, nullptr);
  const auto at = [&](const std::string& age, const std::string& day) {
    return Ask(*set, "allowance-d", R"({"city":"440300","district":"440304","age":)" + age + "}", day).answer;
  };
  EXPECT_EQ(at("69", "2025-12-31"), "ineligible");
  EXPECT_EQ(at("70", "2025-12-31"), "eligible");
  EXPECT_EQ(at("65", "2026-01-01"), "ineligible");
  EXPECT_EQ(at("66", "2026-01-01"), "eligible");
}

TEST(Overlay, OutsideTheDaysOfTheDistrictsRuleTheCityDecides) {
  const auto set = MustBuild({Schema(), City(), District("valid: {from: 2025-01-01, until: 2026-01-01}\n")});
  ASSERT_NE(set, nullptr);
  const std::string facts = R"({"city":"440300","district":"440304","age":75})";
  const std::map<std::string, std::pair<std::string, std::string>> days = {
      {"2019-12-31", {"ineligible", "ineligible"}}, {"2020-01-01", {"eligible", "ineligible"}},
      {"2024-12-31", {"eligible", "ineligible"}},   {"2025-01-01", {"ineligible", "eligible"}},
      {"2025-12-31", {"ineligible", "eligible"}},   {"2026-01-01", {"eligible", "ineligible"}},
  };
  for (const auto& [day, answers] : days) {
    EXPECT_EQ(Ask(*set, "allowance", facts, day).answer, answers.first) << day;
    EXPECT_EQ(Ask(*set, "allowance-d", facts, day).answer, answers.second) << day;
  }
  // The day on which the district takes over is told beforehand.
  value::Arena arena;
  const Rule& city = *set->Find("allowance");
  const facts::Profile profile = MakeProfile(*set, "person", facts);
  const Determination now = Evaluate(city, profile, Day("2024-06-01"), arena);
  EXPECT_EQ(LookAhead(city, profile, now, Day("2024-06-01"), Day("2100-01-01"), arena).eligible_until,
            Day("2025-01-01"));
}

TEST(Overlay, AFactKnownToBeNoneLeavesItToTheLargerArea) {
  SourceFile city = City();
  city.text.replace(city.text.find("by: person.district"), 19, "by: person.street");
  const auto set = MustBuild({Schema(), city, District("")});
  ASSERT_NE(set, nullptr);
  const std::string facts = R"({"city":"440300","age":75,"street":)";
  EXPECT_EQ(Ask(*set, "allowance", facts + "null}", "2026-01-01").answer, "eligible");
  EXPECT_EQ(Ask(*set, "allowance-d", facts + "null}", "2026-01-01").answer, "ineligible");
  EXPECT_EQ(Ask(*set, "allowance", facts + "\"440304001\"}", "2026-01-01").answer, "ineligible");
  EXPECT_EQ(Ask(*set, "allowance-d", facts + "\"440304001\"}", "2026-01-01").answer, "eligible");
}

// All rules of a chain ask the same of a person, so that for each whose areas are known exactly one has to say yes on a
// day on which one in whose area the person counts is in force: the one of the smallest area.
struct Standing {
  std::string id;
  std::string over;  // empty: the largest area
  std::string area;
  std::string by;  // empty: as in the larger rule
  std::string from;
  std::string until;  // empty: for ever
};

void ExpectOne(const std::vector<Standing>& rules) {
  std::vector<SourceFile> files = {Schema()};
  std::map<std::string, Standing> by_id;
  for (Standing rule : rules) {
    std::string text = "rule: " + rule.id + "\n";
    if (rule.over.empty()) {
      text +=
          "about: person\ntitle: 规则\nowner: 办公室\ntopic: t\ncriteria:\n  adult: {label: 成年, when: person.age >= "
          "18}\n";
    } else {
      text += "over: " + rule.over + "\nlaw: {" + rule.id + "-law: {title: 文件}}\n";
    }
    text += "area: \"" + rule.area + "\"\n";
    if (!rule.by.empty()) text += "by: person." + rule.by + "\n";
    text += "valid: {from: " + rule.from + (rule.until.empty() ? "" : ", until: " + rule.until) + "}\n";
    files.push_back({rule.id + ".yaml", text});
    if (rule.by.empty()) rule.by = by_id[rule.over].by;
    by_id[rule.id] = rule;
  }
  const auto set = MustBuild(files);
  ASSERT_NE(set, nullptr);

  const std::vector<std::string> codes = {"440300",    "440304",       "440305",       "440306", "440304001",
                                          "440304002", "440304001005", "440304002001", "4403",   "440100",
                                          "110000",    "440304001006", "440305001",    "44",     "x"};
  const std::vector<std::string> days = {"2019-12-31", "2020-01-01", "2022-06-01", "2024-12-31",
                                         "2025-01-01", "2027-12-31", "2028-01-01", "2040-01-01"};
  std::vector<std::string> streets = codes;
  streets.push_back("");  // none
  std::size_t told = 0;
  for (const std::string& district : codes) {
    for (const std::string& street : streets) {
      const auto counts = [&](const Standing& rule) {
        const std::string& code = rule.by == "district" ? district : street;
        return code.substr(0, rule.area.size()) == rule.area;
      };
      const std::string facts = R"({"age":30,"district":")" + district + R"(","street":)" +
                                (street.empty() ? "null" : "\"" + street + "\"") + "}";
      const facts::Profile profile = MakeProfile(*set, "person", facts);
      for (const std::string& day : days) {
        // By hand: the longest way down on which the person counts everywhere, of those the last one in force.
        std::string wanted;
        std::size_t deepest = 0;
        for (const auto& [id, rule] : by_id) {
          std::size_t depth = 1;
          bool all = true;
          for (const Standing* at = &rule; !at->over.empty(); at = &by_id.at(at->over)) {
            all = all && counts(*at);
            ++depth;
          }
          const bool in_force = day >= rule.from && (rule.until.empty() || day < rule.until);
          if (all && in_force && depth > deepest) {
            wanted = id;
            deepest = depth;
          }
        }
        std::string got;
        value::Arena arena;
        for (const Rule& rule : set->rules()) {
          const Answer answer = Evaluate(rule, profile, Day(day), arena).answer;
          EXPECT_NE(answer, Answer::kUnknown) << rule.id << facts;
          if (answer == Answer::kEligible) got += (got.empty() ? "" : "+") + rule.id;
        }
        ASSERT_EQ(got, wanted) << facts << " on " << day;
        told += got.empty() ? 0 : 1;
      }
    }
  }
  EXPECT_GT(told, 1000U);
}

TEST(Overlay, OfTwoLevelsExactlyOneRuleDecides) {
  ExpectOne({{"c", "", "4403", "district", "2020-01-01", ""},
             {"d4", "c", "440304", "", "2020-01-01", ""},
             {"d5", "c", "440305", "", "2025-01-01", "2028-01-01"},
             {"d6", "c", "440306", "", "2019-01-01", "2025-01-01"}});
}

TEST(Overlay, OfThreeLevelsExactlyOneRuleDecides) {
  ExpectOne({{"c", "", "4403", "district", "2020-01-01", ""},
             {"d4", "c", "440304", "", "2020-01-01", ""},
             {"s1", "d4", "440304001", "", "2020-01-01", ""},
             {"s2", "d4", "440304002", "", "2025-01-01", ""},
             {"d5", "c", "440305", "", "2020-01-01", ""}});
}

TEST(Overlay, OfThreeLevelsThatCountByTwoFactsExactlyOneRuleDecides) {
  ExpectOne({{"c", "", "4403", "district", "2020-01-01", ""},
             {"d4", "c", "440304", "", "2020-01-01", ""},
             {"s1", "d4", "440304001", "street", "2020-01-01", ""},
             {"s5", "d4", "440304002", "street", "2025-01-01", "2028-01-01"},
             {"d5", "c", "440305", "", "2025-01-01", ""}});
}

// The street's rule is in force when the district's is no more, and before.
TEST(Overlay, ARuleInForceWithoutTheOneItStandsOnStillDecidesAlone) {
  ExpectOne({{"c", "", "4403", "district", "2020-01-01", ""},
             {"d4", "c", "440304", "", "2022-01-01", "2025-01-01"},
             {"s1", "d4", "440304001", "street", "2020-01-01", "2028-01-01"},
             {"k5", "s1", "440304001005", "", "2019-01-01", ""},
             {"s2", "d4", "440304002", "street", "2025-01-01", ""}});
}

TEST(Overlay, TheCitysTestsHoldWhenADistrictGetsARule) {
  const std::string tests = R"(tests:
  - name: old enough
    facts: {age: 70, city: 440300}
    expect: {2026-01-01: {amount: 200}}
  - name: nothing known
    facts: {}
    expect: {2026-01-01: {unknown: [age, city]}}
  - name: of the district
    facts: {age: 70, city: 440300, district: 440304}
    expect: {2026-01-01: {ineligible: [no_smaller_area]}}
)";
  const auto set = MustBuild({Schema(), City(tests), District(R"(params: {min_age: {2026-01-01: 65}}
tests:
  - name: of the district
    facts: {age: 65, city: 440300, district: 440304}
    expect: {2025-12-31: {ineligible: [old_enough], upcoming: 2026-01-01}, 2026-01-01: {amount: 200}}
  - name: of another
    facts: {age: 70, city: 440300, district: 440305}
    expect: {2026-01-01: {ineligible: [counts_in_area]}}
  - name: the district is not known
    facts: {age: 70, city: 440300}
    expect: {2026-01-01: {unknown: [district]}}
)")});
  ASSERT_NE(set, nullptr);
  const TestReport report = RunTests(*set);
  EXPECT_EQ(report.failures, std::vector<std::string>());
  EXPECT_EQ(report.passed, 7U);
}

// Without what aligns the columns: several spaces are one.
std::string Squeezed(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' || out.empty() || out.back() != ' ') out += c;
  }
  return out;
}

TEST(Overlay, BothSaySoWithBothLaws) {
  const auto set =
      MustBuild({Schema(), City(), District("owner: 区民政局\ntitle: {zh: 区津贴, en: District allowance}\n")});
  ASSERT_NE(set, nullptr);
  const facts::Profile profile = MakeProfile(*set, "person", R"({"city":"440300","district":"440304","age":75})");
  value::Arena arena;
  const Date day = Day("2026-01-01");
  const auto json = [&](const Rule& rule) {
    return ToJson(rule, profile, Evaluate(rule, profile, day, arena), Outlook{}, day);
  };
  const auto text = [&](const Rule& rule, const char* locale) {
    return Squeezed(ToText(rule, profile, Evaluate(rule, profile, day, arena), Outlook{}, day, locale));
  };
  const auto why = [&](const Rule& rule, const char* locale) {
    const Determination got = Evaluate(rule, profile, day, arena);
    return Squeezed(ExplainText(rule, profile, got, Outlook{}, Remedy{}, day, locale, false));
  };
  const auto has = [](const std::string& where, const std::string& what) {
    EXPECT_NE(where.find(what), std::string::npos) << what << " in\n" << where;
  };
  const Rule& district = *set->Find("allowance-d");
  const Rule& city = *set->Find("allowance");
  has(json(district), R"("over":{"rule":"allowance","title":{"zh":"津贴","en":"Allowance"},"owner":"市民政局",)"
                      R"("area":"4403","laws":[{"title":"市文件"}]})");
  has(json(district), R"("id":"counts_in_area","label":{"zh":"区在本规定的地区内（440304）",)"
                      R"j("en":"District lies in the area of this rule (440304)"},"truth":"true",)j"
                      R"("law":{"title":"区文件"})");
  has(json(city), R"("id":"no_smaller_area","label":{"zh":"所在地区没有另行规定",)"
                  R"("en":"No rule of a smaller area decides"},"truth":"false","decided_by":[{"rule":"allowance-d",)"
                  R"("title":{"zh":"区津贴","en":"District allowance"},"owner":"区民政局","area":"440304",)"
                  R"("laws":[{"title":"区文件"}]}])");
  EXPECT_EQ(json(city).find("\"over\""), std::string::npos);
  EXPECT_EQ(text(district, "zh"),
            "区津贴 (allowance-d), 2026-01-01\n"
            " 结果 符合条件，200元\n"
            " 规定 区民政局（440304）的“区津贴”（allowance-d） 区文件\n"
            " 代替 市民政局（4403）的“津贴”（allowance） 市文件\n"
            " 是 本市 市文件\n"
            " 是 够年龄 市文件\n"
            " 是 区在本规定的地区内（440304） 区文件\n");
  has(text(city, "zh"), " 否 所在地区没有另行规定\n 区民政局（440304）的“区津贴”（allowance-d） 区文件\n");
  has(text(district, "en"), " in place of 市民政局 (4403): Allowance (allowance) 市文件\n");
  has(why(district, "zh"), " 规定 区民政局（440304）的“区津贴”（allowance-d）\n 依据：区文件\n");
  has(why(district, "zh"), " 代替 市民政局（4403）的“津贴”（allowance）\n 依据：市文件\n");
  has(why(city, "zh"),
      " 否 所在地区没有另行规定\n 区：440304\n"
      " 另行规定：区民政局（440304）的“区津贴”（allowance-d）\n 依据：区文件\n");
  has(why(city, "en"), "decided by: 区民政局 (440304): District allowance (allowance-d)");
}

TEST(Overlay, OnlyTheSmallerAreasRulesThatMayDecideAreNamed) {
  const auto set = MustBuild({Schema(), City(), District("", "d4", "440304"), District("", "d5", "440305")});
  ASSERT_NE(set, nullptr);
  const auto named = [&](const std::string& district) {
    const facts::Profile profile = MakeProfile(*set, "person", R"({"city":"440300","age":75)" + district + "}");
    value::Arena arena;
    const Rule& rule = *set->Find("allowance");
    const std::string json =
        ToJson(rule, profile, Evaluate(rule, profile, Day("2026-01-01"), arena), Outlook{}, Day("2026-01-01"));
    std::string out;
    for (const char* id : {"d4", "d5"}) {
      if (json.find("{\"rule\":\"" + std::string(id) + "\"") != std::string::npos) out += id;
    }
    return out;
  };
  EXPECT_EQ(named(R"(,"district":"440304")"), "d4");
  EXPECT_EQ(named(R"(,"district":"440305")"), "d5");
  EXPECT_EQ(named(R"(,"district":"440306")"), "");
  EXPECT_EQ(named(""), "d4d5");
}

TEST(Overlay, TheHashCoversWhoStandsOverWhom) {
  const auto hash = [](std::vector<SourceFile> files, const std::string& rule) {
    files.push_back(Schema());
    const auto set = MustBuild(files);
    return std::pair{set->Find(rule)->hash, set->hash()};
  };
  const std::pair alone = hash({City()}, "allowance");
  const std::pair under = hash({City(), District("")}, "allowance");
  EXPECT_NE(alone.first, under.first);
  EXPECT_NE(under.first, hash({City(), District("", "allowance-d", "440305")}, "allowance").first);
  EXPECT_NE(under.first, hash({City(), District("valid: {from: 2026-01-01}\n")}, "allowance").first);
  EXPECT_EQ(under, hash({City(), District("tests: [{name: n, facts: {age: 1}, expect: {2026-01-01: ineligible}}]\n")},
                        "allowance"));
  EXPECT_NE(under.second, hash({City(), District("title: 别的\n")}, "allowance").second);
  EXPECT_EQ(hash({City("# remark\n"), District("")}, "allowance-d"), hash({District(""), City()}, "allowance-d"));
}

TEST(Overlay, TwoRulesForOneAreaClashAndBothPlacesAreNamed) {
  const std::vector<SourceFile> files = {City(), District("", "a"), District("", "b")};
  EXPECT_EQ(OneMistake(files), "district/b.yaml:3 duplicate-area");
  EXPECT_NE(Mistakes(files)[0].message.find("district/a.yaml:3:"), std::string::npos);
  // The same area, filled up with zeros.
  EXPECT_EQ(OneMistake({City(), District("", "a"), District("", "b", "440304000")}),
            "district/b.yaml:3 duplicate-area");
  // An area within the other's: which of the two the street stands on is not a guess.
  const std::vector<SourceFile> inside = {City(), District("", "a"), District("", "b", "440304001")};
  EXPECT_EQ(OneMistake(inside), "district/b.yaml:3 duplicate-area");
  EXPECT_EQ(Mistakes(inside)[0].hint.find("write `over: a`"), 0U) << Mistakes(inside)[0].hint;
  const std::vector<SourceFile> around = {City(), District("", "a", "440304001"), District("", "b")};
  EXPECT_EQ(OneMistake(around), "district/b.yaml:3 duplicate-area");
  EXPECT_EQ(Mistakes(around)[0].hint.find("write `over: b` there"), 0U) << Mistakes(around)[0].hint;
}

TEST(Overlay, WhatItCannotStandOnIsReportedAtItsPlace) {
  EXPECT_EQ(OneMistake({City(), District("", "d", "440304", "alowance")}), "district/d.yaml:2 unknown-rule");
  EXPECT_EQ(Mistakes({City(), District("", "d", "440304", "alowance")})[0].hint, "did you mean `allowance`?");
  EXPECT_EQ(OneMistake({City(), District("", "d", "440304", "[allowance]")}), "district/d.yaml:2 bad-over");
  EXPECT_EQ(OneMistake({City(), District("", "d", "440304", "d")}), "district/d.yaml:2 bad-over");
  EXPECT_EQ(OneMistake({District("", "a", "440304", "b"), District("", "b", "440304001", "a")}),
            "district/b.yaml:2 bad-over");
  EXPECT_EQ(OneMistake({City(), District("", "d", "440100")}), "district/d.yaml:3 bad-area");
  EXPECT_EQ(OneMistake({City(), District("", "d", "44")}), "district/d.yaml:3 bad-area");
  EXPECT_EQ(OneMistake({City(), District("", "d", "440300")}), "district/d.yaml:3 bad-area");
  EXPECT_EQ(OneMistake({City(), District("about: company\n", "d")}), "district/d.yaml:5 bad-over");
  EXPECT_EQ(OneMistake({City(), District("by: person.age\n", "d")}), "district/d.yaml:5 bad-by");
  EXPECT_EQ(OneMistake({City(), District("by: district\n", "d")}), "district/d.yaml:5 bad-by");
  EXPECT_EQ(Mistakes({City(), District("by: district\n", "d")})[0].hint, "did you mean `person.district`?");
}

TEST(Overlay, WhatItLacksIsReported) {
  EXPECT_EQ(OneMistake({City(), {"d.yaml", "rule: d\nover: allowance\nlaw: {l: {title: 文件}}\n"}}),
            "d.yaml:2 missing-key");
  EXPECT_EQ(OneMistake({City(), {"d.yaml", "rule: d\nover: allowance\narea: \"440304\"\n"}}), "d.yaml:2 missing-key");
  SourceFile city = City();
  city.text.replace(city.text.find("by: person.district\n"), 20, "");
  EXPECT_EQ(OneMistake({city, District("", "d")}), "district/d.yaml:2 missing-key");
  EXPECT_NE(MustBuild({Schema(), city, District("by: person.district\n")}), nullptr);
  city = City();
  city.text.replace(city.text.find("area: \"4403\"\n"), 13, "");
  EXPECT_EQ(OneMistake({city, District("", "d")}), "district/d.yaml:2 bad-over");
}

TEST(Overlay, RulesOverOneRuleCountByOneFact) {
  const std::vector<SourceFile> files = {City(), District("", "a"), District("by: person.street\n", "b", "440305")};
  EXPECT_EQ(OneMistake(files), "district/b.yaml:2 bad-by");
  EXPECT_NE(Mistakes(files)[0].message.find("city/allowance.yaml:6:"), std::string::npos);
}

TEST(Overlay, AMistakeIsReportedInTheFileInWhichItStandsAndOnce) {
  // Its own expression.
  EXPECT_EQ(OneMistake({City(), District("criteria:\n  c: {label: 条件, when: person.agee > 1}\n", "d")}),
            "district/d.yaml:6 unknown-name");
  // Of the larger rule: not told again for each that stands over it.
  SourceFile city = City();
  city.text.replace(city.text.find("person.city =="), 14, "person.cty ==");
  EXPECT_EQ(OneMistake({city, District("", "d"), District("", "e", "440304001", "d")}),
            "city/allowance.yaml:15 unknown-name");
  // What the smaller one changes makes the larger one's expression wrong.
  const std::vector<SourceFile> changed = {City(), District("let: {old: person.age}\n", "d")};
  EXPECT_EQ(OneMistake(changed), "district/d.yaml:2 type-mismatch");
  EXPECT_NE(Mistakes(changed)[0].message.find("city/allowance.yaml:16:"), std::string::npos)
      << Mistakes(changed)[0].message;
}

TEST(Overlay, AParamKeepsItsTypeAndSaysWhatItWasBeforeALateEntry) {
  EXPECT_EQ(OneMistake({City(), District("params: {min_age: {2026-01-01: true}}\n", "d")}),
            "district/d.yaml:5 bad-param");
  EXPECT_EQ(OneMistake({City(), District("params:\n  min_age: {2026-01-01: {is: 65, entered: 2026-03-01}}\n", "d")}),
            "district/d.yaml:6 bad-param");
  const auto set = MustBuild(
      {Schema(), City(), District("params:\n  min_age: {2026-01-01: [68, {is: 65, entered: 2026-03-01}]}\n", "d")});
  ASSERT_NE(set, nullptr);
  const std::string facts = R"({"city":"440300","district":"440304","age":66})";
  EXPECT_EQ(Ask(*set, "d", facts, "2026-02-28").answer, "ineligible");
  EXPECT_EQ(Ask(*set, "d", facts, "2026-03-01").answer, "eligible");
}

TEST(Overlay, TheIdsOfItsCriteriaAndTheLawsOfTheLargerRuleAreTaken) {
  EXPECT_EQ(OneMistake({City(), District("criteria:\n  counts_in_area: {label: 条件, when: person.age > 1}\n", "d")}),
            "district/d.yaml:6 bad-id");
  SourceFile city = City();
  city.text.replace(city.text.find("old_enough:"), 11, "no_smaller_area:");
  EXPECT_EQ(OneMistake({city}), "city/allowance.yaml:16 bad-id");
  EXPECT_EQ(OneMistake({City(), {"d.yaml", "rule: d\nover: allowance\narea: \"440304\"\nlaw: {std: {title: 文件}}\n"}}),
            "d.yaml:4 duplicate");
}

TEST(Overlay, NeitherTheNumberNorTheHeightIsUnbounded) {
  std::vector<SourceFile> files = {City()};
  for (int i = 0; i < 129; ++i) {
    files.push_back(District("", "d" + std::to_string(i), "440304" + std::to_string(100 + i)));
  }
  EXPECT_EQ(OneMistake(files), "district/d99.yaml:2 too-many");
  files.erase(
      std::find_if(files.begin(), files.end(), [](const SourceFile& f) { return f.path == "district/d99.yaml"; }));
  files.push_back(Schema());
  const auto set = MustBuild(files);
  ASSERT_NE(set, nullptr);
  EXPECT_EQ(Ask(*set, "allowance", R"({"city":"440300","district":"440304228","age":75})", "2026-01-01").answer,
            "ineligible");
  EXPECT_EQ(Ask(*set, "allowance", R"({"city":"440300","district":"440304229","age":75})", "2026-01-01").answer,
            "eligible");

  std::vector<SourceFile> tower = {City()};
  std::string below = "allowance";
  for (int i = 0; i < 3000; ++i) {
    const std::string id = "t" + std::to_string(i);
    tower.push_back(District("", id, "440304", below));
    below = id;
  }
  const Diagnostics diagnostics = Mistakes(tower);
  EXPECT_TRUE(
      std::any_of(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& d) { return d.code == "too-many"; }));
}

}  // namespace
}  // namespace zhitui::rules
