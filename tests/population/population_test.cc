#include "population/population.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace zhitui::population {
namespace {

using Json = nlohmann::json;

Options WithResidents(std::uint32_t n) {
  Options options;
  options.residents = n;
  return options;
}

std::vector<Json> Parse(const std::string& ndjson) {
  std::vector<Json> events;
  std::istringstream in(ndjson);
  for (std::string line; std::getline(in, line);) events.push_back(Json::parse(line));
  return events;
}

std::string Agency(const Json& event) {
  const std::string source = event.at("source");
  return source.substr(source.rfind('/') + 1);
}

std::string Kind(const Json& event) {
  const std::string type = event.at("type");
  return type.substr(type.rfind('.') + 1);
}

bool IsBaseline(const Json& event) { return event.contains("baseline"); }

Date Day(const Json& text) {
  const auto day = ParseDate(text.get<std::string>());
  EXPECT_TRUE(day.has_value()) << text;
  return day.value_or(Date());
}

Instant At(const Json& text) {
  const auto at = ParseInstant(text.get<std::string>());
  EXPECT_TRUE(at.has_value()) << text;
  return at.value_or(Instant());
}

// GB 11643-1999 as providers publish it: a table of weights and a table of check characters.
bool ChecksumHolds(const std::string& id) {
  static const int kWeights[17] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  if (id.size() != 18) return false;
  int sum = 0;
  for (std::size_t i = 0; i < 17; ++i) {
    if (id[i] < '0' || id[i] > '9') return false;
    sum += (id[i] - '0') * kWeights[i];
  }
  return id[17] == std::string("10X98765432")[static_cast<std::size_t>(sum % 11)];
}

// The profiles after each event, by subject, as RFC 7396 gives them for a snapshot or patch of one agency. Repeats of
// an id count once.
class Profiles {
 public:
  bool Apply(const Json& event) {
    if (!ids_.insert(event.at("id").get<std::string>()).second) return false;
    Json& facts = subjects_[event.at("subject").get<std::string>()][Agency(event)];
    if (Kind(event) == "replaced") {
      facts = event.at("data");
    } else if (Kind(event) == "patched") {
      facts.merge_patch(event.at("data"));
    }
    return true;
  }
  const std::map<std::string, Json>& subjects() const { return subjects_; }
  const Json* Find(const std::string& subject, const std::string& agency) const {
    const auto found = subjects_.find(subject);
    if (found == subjects_.end() || !found->second.contains(agency)) return nullptr;
    return &found->second.at(agency);
  }

 private:
  std::set<std::string> ids_;
  std::map<std::string, Json> subjects_;
};

// What rules/facts/resident.yaml says of each fact, read line by line: its source, and whether it may be null.
struct FactRow {
  std::string source;
  bool nullable = false;
  std::set<std::string> values;
};

std::map<std::string, FactRow> ReadSchema() {
  std::ifstream in(std::string(ZHITUI_SOURCE_DIR) + "/rules/facts/resident.yaml");
  const std::regex name("^  ([a-z_.]+):");
  const std::regex source("^ .*source: ([a-z]+)");
  const std::regex values("values: \\[([a-z, ]+)\\]");
  const std::regex word("[a-z]+");
  std::map<std::string, FactRow> rows;
  bool in_facts = false;
  std::string current;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("facts:")) in_facts = true;
    std::smatch match;
    if (!in_facts) continue;
    if (std::regex_search(line, match, name)) current = match[1];
    if (line.starts_with("      ")) continue;  // the fields of a record
    if (std::regex_search(line, match, source)) rows[current].source = match[1];
    if (line.find("nullable: true") != std::string::npos) rows[current].nullable = true;
    if (std::regex_search(line, match, values)) {
      const std::string list = match[1];
      for (std::sregex_iterator it(list.begin(), list.end(), word), end; it != end; ++it) {
        rows[current].values.insert(it->str());
      }
    }
  }
  return rows;
}

void Leaves(const Json& data, const std::string& prefix, std::map<std::string, Json>& out) {
  for (const auto& [key, value] : data.items()) {
    const std::string path = prefix.empty() ? key : prefix + "." + key;
    if (value.is_object()) {
      Leaves(value, path, out);
    } else {
      out[path] = value;
    }
  }
}

bool LooksMagic(const std::string& phone) { return std::regex_search(phone, std::regex("000[1-9]$")); }

// 4,000 residents with the other options at their defaults, made once for all tests of a process.
class Corpus : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (output_ != nullptr) return;
    output_ = new Output(Generate(WithResidents(4000)));
    events_ = new std::vector<Json>(Parse(output_->ndjson));
  }
  static const Output& output() { return *output_; }
  static const std::vector<Json>& events() { return *events_; }

 private:
  static Output* output_;
  static std::vector<Json>* events_;
};
Output* Corpus::output_ = nullptr;
std::vector<Json>* Corpus::events_ = nullptr;

TEST(Determinism, SameSeedSameBytes) {
  EXPECT_EQ(Generate(WithResidents(700)).ndjson, Generate(WithResidents(700)).ndjson);
}

TEST(Determinism, AnotherSeedOtherBytes) {
  Options other = WithResidents(700);
  other.seed = 2;
  EXPECT_NE(Generate(WithResidents(700)).ndjson, Generate(other).ndjson);
}

TEST(Determinism, MagicRateLeavesTheRecordsOfAgenciesAlone) {
  Options magic = WithResidents(700);
  magic.magic_ppm = 500000;
  const auto agencies = [](const Options& options) {
    std::vector<std::string> out;
    for (const Json& e : Parse(Generate(options).ndjson)) {
      if (Agency(e) != "self") out.push_back(e.at("data").dump());
    }
    return out;
  };
  EXPECT_EQ(agencies(WithResidents(700)), agencies(magic));
}

TEST_F(Corpus, EveryLineIsACloudEventOfTheAgreedForm) {
  const std::regex source("/agencies/(police|insurance|education|civil|self)");
  const std::regex type("cn\\.gov\\.futian\\.resident\\.profile\\.(patched|replaced|forgotten)");
  const std::regex subject("r-[0-9]{7}");
  const std::set<std::string> required = {"specversion", "id",           "source",          "type", "subject",
                                          "time",        "recordedtime", "datacontenttype", "data"};
  for (const Json& e : events()) {
    std::set<std::string> keys;
    for (const auto& [key, value] : e.items()) keys.insert(key);
    if (keys.erase("baseline") > 0) {
      EXPECT_EQ(e.at("baseline"), Json(true));
    }
    EXPECT_EQ(keys, required);
    EXPECT_EQ(e.at("specversion"), "1.0");
    EXPECT_EQ(e.at("datacontenttype"), "application/json");
    EXPECT_TRUE(std::regex_match(e.at("source").get<std::string>(), source));
    EXPECT_TRUE(std::regex_match(e.at("type").get<std::string>(), type));
    EXPECT_TRUE(std::regex_match(e.at("subject").get<std::string>(), subject));
    EXPECT_EQ(e.at("data").is_null(), Kind(e) == "forgotten");
  }
}

TEST_F(Corpus, LinesComeInTheOrderOfRecording) {
  for (std::size_t i = 1; i < events().size(); ++i) {
    ASSERT_LE(At(events()[i - 1].at("recordedtime")), At(events()[i].at("recordedtime"))) << "line " << i + 1;
  }
}

TEST_F(Corpus, NothingIsRecordedBeforeItHappensOrOutsideTheWindow) {
  const Instant start = kShanghai.StartOf(MakeDate(2026, 3, 1));
  const Instant end = kShanghai.StartOf(MakeDate(2026, 7, 1));
  for (const Json& e : events()) {
    const Instant time = At(e.at("time"));
    const Instant recorded = At(e.at("recordedtime"));
    ASSERT_LE(time, recorded);
    ASSERT_LT(recorded, end);
    if (IsBaseline(e)) {
      ASSERT_EQ(recorded, start);
      ASSERT_EQ(time, start);
      ASSERT_EQ(Kind(e), "replaced");
    } else {
      ASSERT_GT(time, start);
    }
  }
}

TEST_F(Corpus, LifeIsRecordedInOfficeHoursMostlyOnWorkingDays) {
  std::size_t weekend = 0;
  std::size_t all = 0;
  for (const Json& e : events()) {
    if (IsBaseline(e)) continue;
    const std::string recorded = e.at("recordedtime");
    ASSERT_TRUE(std::regex_match(recorded, std::regex(".*T(09|1[0-8]):00:00\\+08:00"))) << recorded;
    const std::chrono::weekday day(Day(recorded.substr(0, 10)));
    ++all;
    if (day == std::chrono::Saturday || day == std::chrono::Sunday) ++weekend;
  }
  EXPECT_LT(weekend * 20, all);
}

// What the population says nothing of: rules that ask for one of these stay unknown or ineligible.
const std::set<std::string> kSilent = {
    "residence.permit_suspended",
    "residence.moved_in",
    "residence.housing",
    "education.final_primary_year",
    "allowance.checked_on",
    "allowance.agreed_on",
    "consent.refused_signatures",
    "transit.senior_card",
    "hardship.status",
    "disability.certified",
    "disability.grade",
    "disability.kinds",
    "disability.household",
    "children",
    "childcare.applied_on",
    "childcare.renewed_on",
};

TEST_F(Corpus, AnEventCarriesOnlyFactsOfItsAgencyAndOfTheSchema) {
  const std::map<std::string, FactRow> schema = ReadSchema();
  ASSERT_GE(schema.size(), 26U);
  std::set<std::string> seen;
  for (const Json& e : events()) {
    if (e.at("data").is_null()) continue;
    std::map<std::string, Json> leaves;
    Leaves(e.at("data"), "", leaves);
    ASSERT_FALSE(leaves.empty());
    for (const auto& [fact, value] : leaves) {
      const auto row = schema.find(fact);
      ASSERT_TRUE(row != schema.end()) << fact;
      ASSERT_EQ(row->second.source, Agency(e)) << fact;
      ASSERT_TRUE(!value.is_null() || row->second.nullable) << fact << " may not be null";
      if (!row->second.values.empty()) {
        for (const Json& one : value.is_array() ? value : Json::array({value})) {
          ASSERT_TRUE(row->second.values.contains(one.get<std::string>())) << fact << " " << one;
        }
      }
      seen.insert(fact);
    }
  }
  for (const auto& [fact, row] : schema) EXPECT_EQ(seen.contains(fact), !kSilent.contains(fact)) << fact;
  for (const std::string& fact : kSilent) EXPECT_TRUE(schema.contains(fact)) << fact;
}

TEST(IdNumber, CheckDigitAgreesWithKnownNumbers) {
  for (const std::string id :
       {"34052419800101001X", "123456789012345677", "44030419501231002X", "440304201908310012"}) {
    EXPECT_EQ(IdCheckDigit(id.substr(0, 17)), id[17]) << id;
    EXPECT_TRUE(ChecksumHolds(id)) << id;
  }
  EXPECT_FALSE(ChecksumHolds("440304195012310021"));
}

TEST_F(Corpus, EveryIdNumberIsValidUniqueAndAgreesWithBirthDateAndSex) {
  Profiles profiles;
  std::map<std::string, std::string> owners;
  std::size_t checked = 0;
  for (const Json& e : events()) {
    if (!profiles.Apply(e) || Agency(e) != "police") continue;
    const Json& police = *profiles.Find(e.at("subject"), "police");
    ASSERT_EQ(police.contains("id_number"), police.contains("birth_date"));
    if (!police.contains("id_number")) continue;
    const std::string id = police.at("id_number");
    ASSERT_TRUE(ChecksumHolds(id)) << id;
    std::string birth = police.at("birth_date");
    std::erase(birth, '-');
    ASSERT_EQ(id.substr(6, 8), birth);
    ASSERT_EQ((id[16] - '0') % 2 == 1, police.at("sex") == "male");
    const auto [owner, first] = owners.emplace(id, e.at("subject"));
    ASSERT_TRUE(first || owner->second == e.at("subject")) << "two people have one number";
    ++checked;
  }
  EXPECT_GT(checked, 4000U);
}

TEST_F(Corpus, NumbersOfPeopleBornInShenzhenNameADistrictThatWasThere) {
  for (const Json& e : events()) {
    if (!IsBaseline(e) || Agency(e) != "police" || !e.at("data").contains("id_number")) continue;
    const std::string id = e.at("data").at("id_number");
    if (!id.starts_with("4403")) continue;
    const int year = std::stoi(id.substr(6, 4));
    const std::string area = id.substr(0, 6);
    if (area == "440304") {
      ASSERT_GE(year, 1990);
    }
    if (area == "440309") {
      ASSERT_GE(year, 2017);
    }
    if (year < 1990) {
      ASSERT_EQ(area, "440301");
    }
  }
}

TEST_F(Corpus, ContactsHaveTheFormOfTheirChannel) {
  const std::regex phone("^1[3-9][0-9]{9}$");
  const std::regex wechat("^o[A-Za-z0-9_-]{27}$");
  const std::regex app("^(1[0-9a-f]{18,19}|magic0[1-4][0-9a-f]{12})$");
  std::set<std::string> phones;
  std::size_t n = 0;
  std::size_t magic = 0;
  Profiles profiles;
  for (const Json& e : events()) {
    if (!profiles.Apply(e) || Agency(e) != "self" || !e.at("data").is_object()) continue;
    const Json contacts = e.at("data").value("contacts", Json::object());
    for (const auto& [channel, value] : contacts.items()) {
      if (value.is_null()) continue;
      const std::string text = value;
      ++n;
      if (channel == "phone") {
        ASSERT_TRUE(std::regex_match(text, phone)) << text;
        if (LooksMagic(text)) ++magic;
        phones.insert(text);
      } else if (channel == "wechat") {
        ASSERT_TRUE(std::regex_match(text, wechat)) << text;
        if (text.starts_with("oMAGIC")) ++magic;
      } else {
        ASSERT_TRUE(std::regex_match(text, app)) << text;
        if (text.starts_with("magic")) ++magic;
      }
    }
  }
  EXPECT_GT(n, 4000U);
  EXPECT_GT(magic * 200, n);  // one in a hundred: more than half, less than double of it
  EXPECT_LT(magic * 50, n);
}

TEST(Magic, NoOrdinaryContactLooksMagicAndAllDoWhenAsked) {
  for (const std::uint32_t ppm : {0U, 1000000U}) {
    Options options = WithResidents(3000);
    options.magic_ppm = ppm;
    std::size_t n = 0;
    for (const Json& e : Parse(Generate(options).ndjson)) {
      if (Agency(e) != "self" || !e.at("data").is_object()) continue;
      const Json contacts = e.at("data").value("contacts", Json::object());
      for (const auto& [channel, value] : contacts.items()) {
        if (value.is_null()) continue;
        const std::string text = value;
        const bool magic =
            channel == "phone" ? LooksMagic(text) : text.starts_with(channel == "app" ? "magic0" : "oMAGIC0");
        ASSERT_EQ(magic, ppm > 0) << text;
        ++n;
      }
    }
    EXPECT_GT(n, 3000U);
  }
}

TEST_F(Corpus, GuardiansAreGrownPeopleOfThePopulationAndEveryChildFromFiveToSevenHasThem) {
  Profiles profiles;
  std::size_t children = 0;
  for (const Json& e : events()) {
    profiles.Apply(e);
    if (!e.at("data").is_object() || !e.at("data").contains("guardians")) continue;
    const Json& guardians = e.at("data").at("guardians");
    ASSERT_FALSE(guardians.empty());
    for (const Json& g : guardians) ASSERT_NE(profiles.Find(g.at("id"), "police"), nullptr);
    ++children;
  }
  EXPECT_GT(children, 400U);
  const Date start = MakeDate(2026, 3, 1);
  for (const auto& [subject, agencies] : profiles.subjects()) {
    const Json* education = profiles.Find(subject, "education");
    const Json* police = profiles.Find(subject, "police");
    if (police == nullptr || !police->contains("birth_date")) continue;
    const Date birth = Day(police->at("birth_date"));
    const auto age_days = (start - birth).count();
    if (age_days > 5 * 366 && age_days < 7 * 365) {
      ASSERT_NE(education, nullptr);
      ASSERT_TRUE(education->contains("guardians"));
    }
    if (education == nullptr || !education->contains("guardians")) continue;
    for (const Json& g : education->at("guardians")) {
      const Json* guardian = profiles.Find(g.at("id"), "police");
      if (guardian->contains("birth_date")) {
        ASSERT_GT((birth - Day(guardian->at("birth_date"))).count(), 16 * 365);
      }
    }
  }
}

TEST_F(Corpus, NobodyHasAnEventBeforeBirthNorAFactFromBeforeIt) {
  Profiles profiles;
  for (const Json& e : events()) profiles.Apply(e);
  std::map<std::string, Date> births;
  for (const auto& [subject, agencies] : profiles.subjects()) {
    const Json* police = profiles.Find(subject, "police");
    if (police == nullptr || !police->contains("birth_date")) continue;
    const Date birth = Day(police->at("birth_date"));
    births[subject] = birth;
    const Json& residence = police->at("residence");
    for (const Json& day : {police->at("hukou").value("since", Json()), residence.value("registered_since", Json()),
                            residence.value("permit_issued", Json())}) {
      if (!day.is_null()) {
        ASSERT_GE(Day(day), birth);
      }
    }
  }
  for (const Json& e : events()) {
    const auto birth = births.find(e.at("subject").get<std::string>());
    if (birth != births.end()) {
      ASSERT_GE(At(e.at("time")), kShanghai.StartOf(birth->second));
    }
  }
}

TEST_F(Corpus, NothingHappensToTheDeadOrIsSaidOfTheForgotten) {
  std::map<std::string, Instant> deaths;
  std::map<std::string, Instant> forgotten;
  for (const Json& e : events()) {
    if (Kind(e) == "forgotten") forgotten[e.at("subject")] = At(e.at("recordedtime"));
    if (e.at("data").is_object() && !e.at("data").value("death_date", Json()).is_null()) {
      deaths[e.at("subject")] = At(e.at("time"));
    }
  }
  EXPECT_GE(forgotten.size(), 1U);
  EXPECT_GE(deaths.size(), 1U);
  for (const Json& e : events()) {
    const std::string subject = e.at("subject");
    if (deaths.contains(subject)) {
      EXPECT_LE(At(e.at("time")), deaths[subject]);
    }
    if (forgotten.contains(subject)) {
      EXPECT_LE(At(e.at("recordedtime")), forgotten[subject]);
    }
  }
}

TEST_F(Corpus, ARepeatedIdHasTheSameContentAndTheSummaryCountsIt) {
  std::map<std::string, Json> first;
  std::size_t repeats = 0;
  std::size_t same_bytes = 0;
  for (Json e : events()) {
    const std::string key = e.at("source").get<std::string>() + " " + e.at("id").get<std::string>();
    const auto [known, is_new] = first.emplace(key, e);
    if (is_new) continue;
    ++repeats;
    if (known->second == e) ++same_bytes;
    e["recordedtime"] = known->second.at("recordedtime");
    EXPECT_EQ(known->second, e);
  }
  EXPECT_GE(same_bytes, 1U);
  EXPECT_GT(repeats, same_bytes);
  EXPECT_EQ(output().summary.duplicate, repeats);
}

TEST_F(Corpus, LateStaleAndCorrectedEventsOccurAndTheSummaryCountsThem) {
  std::set<std::string> ids;
  std::map<std::string, std::uint64_t> types;
  std::map<std::string, std::map<std::string, Instant>> newest;  // by subject and fact
  std::uint64_t late = 0;
  std::uint64_t stale = 0;
  std::uint64_t corrections = 0;
  Profiles profiles;
  for (const Json& e : events()) {
    ++types[Kind(e)];
    const Json* before = profiles.Find(e.at("subject"), "police");
    const bool known_birth = before != nullptr && before->contains("birth_date");
    const bool is_first = profiles.Apply(e);
    if (is_first && At(e.at("recordedtime")) - At(e.at("time")) >= std::chrono::days(7)) ++late;
    if (!e.at("data").is_object()) continue;
    if (is_first && Kind(e) == "patched" && known_birth && e.at("data").contains("birth_date")) ++corrections;
    std::map<std::string, Json> leaves;
    Leaves(e.at("data"), "", leaves);
    bool older = false;
    for (const auto& [fact, value] : leaves) {
      Instant& at = newest[e.at("subject")][fact];
      older = older || At(e.at("time")) < at;
      at = std::max(at, At(e.at("time")));
    }
    if (older && is_first) ++stale;
  }
  EXPECT_GT(late, 10U);
  EXPECT_GT(corrections, 3U);
  EXPECT_EQ(output().summary.late, late);
  EXPECT_EQ(output().summary.stale, stale);
  EXPECT_EQ(output().summary.corrections, corrections);
  EXPECT_EQ(output().summary.by_type, types);
}

TEST(Anomalies, NoneWhenTheirRateIsZero) {
  Options options = WithResidents(2000);
  options.anomaly_percent = 0;
  const Summary summary = Generate(options).summary;
  EXPECT_EQ(summary.duplicate, 0U);
  EXPECT_EQ(summary.corrections, 0U);
  EXPECT_EQ(summary.stale, 0U);
}

TEST_F(Corpus, TheNewbornComeFirstFromThePoliceAndThenWithTheirGuardians) {
  std::map<std::string, std::vector<const Json*>> newborn;
  for (const Json& e : events()) {
    if (std::stoi(e.at("subject").get<std::string>().substr(2)) > 4000) newborn[e.at("subject")].push_back(&e);
  }
  EXPECT_EQ(newborn.size(), output().summary.births);
  EXPECT_EQ(output().summary.residents, 4000 + newborn.size());
  std::size_t with_guardians = 0;
  for (const auto& [subject, own] : newborn) {
    EXPECT_EQ(Agency(*own[0]), "police");
    EXPECT_EQ(Kind(*own[0]), "replaced");
    EXPECT_FALSE(IsBaseline(*own[0]));
    for (const Json* e : own) with_guardians += e->at("data").contains("guardians") ? 1 : 0;
  }
  EXPECT_GE(newborn.size(), 10U);
  EXPECT_GE(with_guardians, newborn.size() / 3);
}

TEST_F(Corpus, InsuredMonthsAreFirstDaysAscendingAtMost36AndNotAhead) {
  bool gap = false;
  for (const Json& e : events()) {
    if (Agency(e) != "insurance") continue;
    const Json& months = e.at("data").at("insurance").at("months");
    ASSERT_LE(months.size(), 36U);
    Date last{};
    for (const Json& text : months) {
      const Date day = Day(text);
      ASSERT_EQ(std::chrono::year_month_day(day).day(), std::chrono::day(1));
      if (last != Date{}) {
        ASSERT_LT(last, day);
        gap = gap || (day - last).count() > 31;
      }
      last = day;
    }
    ASSERT_LE(last, kShanghai.DateOf(At(e.at("time"))));
  }
  EXPECT_TRUE(gap);
}

TEST(Window, OtherWindowsAreKept) {
  Options options = WithResidents(500);
  options.from = MakeDate(2024, 1, 31);
  options.months = 1;
  const std::vector<Json> events = Parse(Generate(options).ndjson);
  std::size_t baseline = 0;
  for (const Json& e : events) {
    EXPECT_GE(At(e.at("time")), kShanghai.StartOf(MakeDate(2024, 1, 31)));
    EXPECT_LT(At(e.at("recordedtime")), kShanghai.StartOf(MakeDate(2024, 2, 29)));
    baseline += IsBaseline(e) ? 1 : 0;
  }
  EXPECT_LT(baseline, events.size());
}

TEST(Window, ASingleResidentIsEnough) {
  const Output output = Generate(WithResidents(1));
  EXPECT_GE(Parse(output.ndjson).size(), 1U);
}

TEST(Summary, IsJsonAndCountsLines) {
  const Output output = Generate(WithResidents(300));
  const Json summary = Json::parse(output.summary.ToJson());
  EXPECT_EQ(summary.at("events"), Parse(output.ndjson).size());
  EXPECT_EQ(summary.at("events"), summary.at("baseline").get<int>() + summary.at("life").get<int>());
}

// The population of the demo, by its defaults: what its numbers promise to the sample rules.
TEST(Demo, IsPlausibleAndLively) {
  const Output output = Generate(Options{});
  const Date start = MakeDate(2026, 3, 1);
  const Date end = MakeDate(2026, 7, 1);
  const auto on = [](Date birth, int years) {
    const std::chrono::year_month_day d(birth);
    const std::chrono::year_month_day day(d.year() + std::chrono::years(years), d.month(), d.day());
    return day.ok() ? Date(day) : Date(day.year() / 3 / 1);
  };
  std::map<std::string, std::size_t> streets;
  std::size_t people = 0, shenzhen = 0, children = 0, over65 = 0, over90 = 0, over100 = 0, round = 0, leap = 0;
  std::size_t school = 0, renewable = 0, unknown_birth = 0, no_self = 0;
  for (const Json& e : Parse(output.ndjson)) {
    if (!IsBaseline(e)) continue;
    if (Agency(e) == "self") ++no_self;
    if (Agency(e) != "police") continue;
    ++people;
    const Json& data = e.at("data");
    const bool local = data.at("hukou").at("city") == "440300";
    shenzhen += local ? 1 : 0;
    const Json& street = data.at("residence").at("street");
    if (!street.is_null()) ++streets[street];
    const Json& permit = data.at("residence").at("permit_issued");
    if (!permit.is_null()) {
      for (int year = 1; year <= 20; ++year) {
        const Date anniversary = on(Day(permit), year);
        if (anniversary >= start && anniversary < end + std::chrono::days(60)) ++renewable;
      }
    }
    if (!data.contains("birth_date")) {
      ++unknown_birth;
      continue;
    }
    const Date birth = Day(data.at("birth_date"));
    children += on(birth, 15) > start ? 1 : 0;
    over65 += on(birth, 65) <= start ? 1 : 0;
    over90 += on(birth, 90) <= start ? 1 : 0;
    over100 += on(birth, 100) <= start ? 1 : 0;
    for (const int age : {70, 80, 90}) round += local && on(birth, age) >= start && on(birth, age) < end ? 1 : 0;
    if (data.at("birth_date").get<std::string>().ends_with("-02-29")) ++leap;
    if (birth > MakeDate(2019, 8, 31) && birth <= MakeDate(2020, 8, 31)) ++school;
  }
  EXPECT_EQ(people, 20000U);
  EXPECT_GT(shenzhen, 8400U);
  EXPECT_LT(shenzhen, 9600U);
  EXPECT_EQ(streets.size(), 11U);
  EXPECT_GT(children, 2400U);  // the census of 2020 counted 15.1 % in Shenzhen
  EXPECT_LT(children, 3600U);
  EXPECT_GT(over65, 1200U);
  EXPECT_LT(over65, 1800U);
  EXPECT_GT(over90, 10U);
  EXPECT_GE(over100, 1U);
  EXPECT_GE(round, 200U);
  EXPECT_GE(school, 200U);
  EXPECT_GE(renewable, 500U);
  EXPECT_GE(leap, 7U);
  EXPECT_LE(leap, 40U);
  EXPECT_GT(unknown_birth, 10U);
  EXPECT_GT(output.summary.baseline, 2.2 * 20000);
  EXPECT_LT(output.summary.baseline, 2.8 * 20000);
  EXPECT_GT(output.summary.life, 1.0 * 20000);
  EXPECT_LT(output.summary.life, 1.5 * 20000);
  EXPECT_GT(output.summary.deaths, 5U);
  EXPECT_GT(output.summary.births, 40U);
  EXPECT_GT(output.summary.permits, 100U);
  EXPECT_GT(output.summary.enrolments, 50U);
  EXPECT_GT(no_self, 10000U);
  EXPECT_LT(no_self, 20000U);
}

}  // namespace
}  // namespace zhitui::population
