#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "daemon/commands.h"
#include "gtest/gtest.h"

namespace zhitui::daemon {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class Simulate : public testing::Test {
 protected:
  Simulate() {
    std::string name = (fs::temp_directory_path() / "zhitui-simulate-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = name;
    Write("old/facts/person.yaml", R"(kind: person
alive_unless: died
sources:
  office: {zh: 办公室, en: Office}
facts:
  birth_date: {type: date, source: office, sensitive: true, label: {zh: 出生日期, en: Date of birth}}
  died: {type: date, source: office, nullable: true, label: {zh: 死亡, en: Death}}
  home.street: {type: code, source: office, label: {zh: 街道, en: Street}}
  points: {type: int, source: office, label: {zh: 分数, en: Points}}
  nickname: {type: string, source: office, sensitive: true, label: {zh: 昵称, en: Nickname}}
)");
    Write("old/messages/told.yaml", R"(message: told
app:
  title: {zh: 好消息, en: Good news}
  body: {zh: 您可以申请, en: You can apply}
)");
    Write("old/senior.yaml", Senior(65, 100, 200));
    Write("old/points.yaml", Points(5));
    fs::copy(folder_ + "/old", folder_ + "/new", fs::copy_options::recursive);
    Write("new/senior.yaml", Senior(60, 100, 250));
    fs::remove(folder_ + "/new/points.yaml");
  }
  ~Simulate() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  static std::string Senior(int age, int low, int high) {
    return "rule: senior\nabout: person\ntitle: 高龄\nowner: 办公室\ntopic: t\ncriteria:\n  old: {label: 年龄, when: "
           "'age(person.birth_date, today) >= " +
           std::to_string(age) +
           "'}\namount:\n  unit: CNY/month\n  table:\n    - {when: 'age(person.birth_date, today) >= 80', is: " +
           std::to_string(high) + "}\n    - {is: " + std::to_string(low) +
           "}\nnotify:\n  - {on: eligible, message: told, channels: [app]}\n"
           "  - {on: amount_changed, message: told, channels: [app]}\n";
  }
  static std::string Points(int least) {
    return "rule: points\nabout: person\ntitle: 分数\nowner: 办公室\ntopic: t\ncriteria:\n  enough: {label: 分数, "
           "when: "
           "'person.points >= " +
           std::to_string(least) + "'}\nnotify:\n  - {on: ceased, message: told, channels: [app]}\n";
  }

  void Write(const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(folder_ + "/" + path).parent_path());
    std::ofstream(folder_ + "/" + path, std::ios::binary) << text;
  }

  // Ages 0 to 99 on 2026-03-01, the birthday being that day; points missing for every third.
  std::string People(int count) {
    std::string out;
    for (int i = 0; i < count; ++i) {
      json facts{{"birth_date", std::to_string(2026 - i % 100) + "-03-01"},
                 {"home.street", "44030400" + std::to_string(i % 3 + 1)}};
      if (i % 3 != 0) facts["points"] = i % 10;
      if (i % 50 == 49) facts["died"] = "2020-01-01";
      out += json{{"subject", "p-" + std::to_string(i)}, {"kind", "person"}, {"facts", facts}}.dump() + "\n";
    }
    return out;
  }

  int Run(SimulateArguments arguments) {
    arguments.rules = folder_ + "/" + (arguments.rules.empty() ? "new" : arguments.rules);
    if (arguments.profiles.empty()) arguments.profiles = folder_ + "/people.ndjson";
    if (arguments.at.empty()) arguments.at = "2026-03-01";
    if (!arguments.against.empty()) arguments.against = folder_ + "/" + arguments.against;
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = RulesSimulate(arguments);
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return code;
  }
  json Rule(const std::string& id) const {
    const json all = json::parse(out_);
    for (const json& rule : all.at("rules")) {
      if (rule.at("rule") == id) return rule;
    }
    return {};
  }

  std::string folder_;
  std::string out_;
  std::string err_;
};

TEST_F(Simulate, EveryPersonIsCountedAsTheirAgeAndPointsSay) {
  Write("people.ndjson", People(1000));
  for (const std::size_t threads : {1U, 3U}) {
    SimulateArguments arguments;
    arguments.against = "old";
    arguments.json = true;
    arguments.threads = threads;
    arguments.subjects = folder_ + "/changed.ndjson";
    ASSERT_EQ(Run(arguments), EX_OK) << err_;
    // Counted here by hand: who is dead has no answer.
    int senior = 0, gains = 0, more = 0, eligible_points = 0, unknown_points = 0;
    long amount = 0, before = 0;
    for (int i = 0; i < 1000; ++i) {
      if (i % 50 == 49) continue;
      const int age = i % 100;
      senior += age >= 60 ? 1 : 0;
      gains += age >= 60 && age < 65 ? 1 : 0;
      more += age >= 80 ? 1 : 0;
      amount += age >= 80 ? 250 : age >= 60 ? 100 : 0;
      before += age >= 80 ? 200 : age >= 65 ? 100 : 0;
      eligible_points += i % 3 != 0 && i % 10 >= 5 ? 1 : 0;
      unknown_points += i % 3 == 0 ? 1 : 0;
    }
    const json rule = Rule("senior");
    EXPECT_EQ(rule["eligible"], senior);
    EXPECT_EQ(rule["ineligible"], 980 - senior);
    EXPECT_EQ(rule["gains"], gains);
    EXPECT_EQ(rule["loses"], 0);
    EXPECT_EQ(rule["amount_rises"], more);
    EXPECT_EQ(rule["amount_falls"], 0);
    EXPECT_EQ(rule["amount"], std::to_string(amount));
    EXPECT_EQ(rule["amount_before"], std::to_string(before));
    EXPECT_EQ(Rule("points")["eligible"], 0);  // repealed by the draft
    EXPECT_EQ(Rule("points")["loses"], eligible_points);
    const json all = json::parse(out_);
    EXPECT_EQ(all["subjects"], 1000);
    EXPECT_EQ(all["dead"], 20);
    std::map<std::string, int> told;
    for (const json& message : all["messages"]) told[message["on"]] += message["people"].get<int>();
    EXPECT_EQ(told["eligible"], gains);
    EXPECT_EQ(told["amount_changed"], more);
    EXPECT_EQ(told["ceased"], eligible_points);
    const json total = json::array({{{"unit", "CNY/month"},
                                     {"amount", std::to_string(amount)},
                                     {"amount_before", std::to_string(before)},
                                     {"difference", std::to_string(amount - before)}}});
    EXPECT_EQ(all["totals"], total);
    EXPECT_EQ(Rule("points")["ineligible"], 980);
    using fs::perms;
    EXPECT_EQ(fs::status(arguments.subjects).permissions() & (perms::group_all | perms::others_all), perms::none);
    std::ifstream changed(arguments.subjects);
    int lines = 0;
    for (std::string line; std::getline(changed, line);) ++lines;
    EXPECT_EQ(lines, gains + more + eligible_points);

    SimulateArguments now;
    now.rules = "old";
    now.json = true;
    ASSERT_EQ(Run(now), EX_OK);
    EXPECT_EQ(Rule("points")["unknown"], unknown_points);
    EXPECT_EQ(Rule("points")["eligible"], eligible_points);
  }
}

TEST_F(Simulate, ADraftMayAddAndDropFactsAndKinds) {
  // The draft knows `home.floor` and no more `points`; each profile holds both.
  std::string facts;
  {
    std::ifstream in(folder_ + "/new/facts/person.yaml");
    facts.assign(std::istreambuf_iterator<char>(in), {});
  }
  facts.replace(facts.find("  points: {type: int"), facts.find("  nickname:") - facts.find("  points: {type: int"),
                "  home.floor: {type: int, source: office, label: {zh: 楼层, en: Floor}}\n");
  Write("new/facts/person.yaml", facts);
  Write("new/facts/shop.yaml",
        "kind: shop\nsources: {office: {zh: 办公室, en: Office}}\nfacts:\n  open: {type: bool, source: office, label: "
        "营业}\n");
  Write("new/shop.yaml",
        "rule: shop\nabout: shop\ntitle: 店\nowner: 办公室\ntopic: t\ncriteria:\n  open: {label: 营业, when: "
        "shop.open}\n");
  const std::string both =
      R"("kind": "person", "facts": {"points": 9, "home": {"floor": 3, "street": "1"}, "birth_date": ")";
  Write("people.ndjson", R"({"subject": "a", )" + both + "1950-01-01\"}}\n" + R"({"subject": "b", )" + both +
                             "2000-01-01\"}}\n" + R"({"subject": "c", "kind": "shop", "facts": {"open": true}})" +
                             "\n" + R"({"subject": "d", "kind": "person", "facts": {"colour": "red"}})" + "\n");
  SimulateArguments arguments;
  arguments.against = "old";
  arguments.json = true;
  EXPECT_EQ(Run(arguments), EX_DATAERR);
  EXPECT_NE(err_.find(":4: unknown_fact: colour"), std::string::npos) << err_;
  EXPECT_EQ(json::parse(out_)["subjects"], 3);
  EXPECT_EQ(Rule("senior")["eligible"], 1);
  EXPECT_EQ(Rule("senior")["gains"], 0);
  EXPECT_EQ(Rule("points")["loses"], 2);
  EXPECT_EQ(Rule("shop")["gains"], 1);
  EXPECT_EQ(Rule("shop")["ineligible"], 0);

  // The other way round the kind is withdrawn.
  arguments.rules = "old";
  arguments.against = "new";
  EXPECT_EQ(Run(arguments), EX_DATAERR);
  EXPECT_EQ(Rule("points")["gains"], 2);
  EXPECT_EQ(Rule("shop")["loses"], 1);
}

TEST_F(Simulate, ALineMayBeTooLongAndTheNextIsStillRead) {
  const std::string first = R"({"subject": "a", "kind": "person", "facts": {)";
  const std::string last = R"("points": 7}})";
  const std::size_t limit = std::size_t{1} << 20;
  const std::string fits = first + std::string(limit - first.size() - last.size(), ' ') + last;
  Write("people.ndjson",
        fits + "\n" + first + std::string(5 * limit, ' ') + last + "\r\n" + fits + " \n" + first + last);
  SimulateArguments arguments;
  arguments.rules = "old";
  arguments.json = true;
  EXPECT_EQ(Run(arguments), EX_DATAERR);
  for (const char* part : {":2: too_large", ":3: too_large", "2 of the lines"}) {
    EXPECT_NE(err_.find(part), std::string::npos) << part << " in " << err_;
  }
  EXPECT_EQ(json::parse(out_)["subjects"], 2);
  EXPECT_EQ(Rule("points")["eligible"], 2);
}

TEST_F(Simulate, GroupsAddUpToTheWholeInTheOrderOfTheirNumbers) {
  const std::string old =
      R"({"subject": "o", "kind": "person", "facts": {"birth_date": "1920-01-01", "home.street": ")";
  Write("people.ndjson", People(500) + old + "440304001\"}}\n" + old + "440304003\"}}\n");
  SimulateArguments arguments;
  arguments.by = "street,age_band";
  arguments.json = true;
  ASSERT_EQ(Run(arguments), EX_OK) << err_;
  const json all = json::parse(out_);
  std::uint64_t eligible = 0;
  std::vector<std::pair<std::string, int>> order;  // street, first year of the band
  for (const json& group : all["groups"]) {
    if (group["rule"] == "senior") order.emplace_back(group["street"], std::stoi(group["age_band"].get<std::string>()));
    EXPECT_TRUE(group["street"].get<std::string>().starts_with("44030400"));
    if (group["rule"] == "senior") {
      EXPECT_GE(order.back().second, 60);
      eligible += group["eligible"].get<std::uint64_t>();
    }
  }
  EXPECT_EQ(eligible, Rule("senior")["eligible"].get<std::uint64_t>());
  EXPECT_GT(eligible, 0U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(order.back().second, 100);
}

TEST_F(Simulate, BadLinesAreNamedByNumberAndTheOthersCounted) {
  Write("people.ndjson", People(3) + "{\n" +
                             R"({"subject": "secret-1", "kind": "person", "facts": {"points": "many"}})"
                             "\n" +
                             R"({"subject": "secret-2", "kind": "ghost", "facts": {}})"
                             "\n\n" +
                             People(2));
  SimulateArguments arguments;
  arguments.json = true;
  EXPECT_EQ(Run(arguments), EX_DATAERR);
  EXPECT_EQ(json::parse(out_)["subjects"], 5);
  EXPECT_EQ(json::parse(out_)["bad_lines"], 3);
  for (const char* part : {":4: not_json", ":5: wrong_type: points", ":6: unknown_kind", "3 of the lines"}) {
    EXPECT_NE(err_.find(part), std::string::npos) << part << " in " << err_;
  }
  EXPECT_EQ((out_ + err_).find("secret"), std::string::npos);
}

TEST_F(Simulate, WhatCannotBeDoneIsSaidBeforeAnyWork) {
  Write("people.ndjson", People(1));
  SimulateArguments arguments;
  arguments.by = "nickname";
  EXPECT_EQ(Run(arguments), EX_USAGE);
  EXPECT_NE(err_.find("sensitive"), std::string::npos);
  arguments.by = "colour";
  EXPECT_EQ(Run(arguments), EX_USAGE);
  arguments.by = "";
  arguments.subjects = folder_ + "/changed.ndjson";
  EXPECT_EQ(Run(arguments), EX_USAGE);
  EXPECT_NE(err_.find("--against"), std::string::npos);
  EXPECT_FALSE(fs::exists(arguments.subjects));
  arguments.subjects = "";
  arguments.at = "yesterday";
  EXPECT_EQ(Run(arguments), EX_USAGE);
  arguments.at = "2026-03-01";
  arguments.profiles = folder_ + "/nobody.ndjson";
  EXPECT_EQ(Run(arguments), EX_NOINPUT);
  arguments.profiles = folder_;
  EXPECT_EQ(Run(arguments), EX_IOERR);
  arguments.profiles = folder_ + "/nobody.ndjson";
  Write("bad/facts/person.yaml", "kind: person\n");
  arguments.rules = "bad";
  EXPECT_EQ(Run(arguments), EX_CONFIG);
}

TEST_F(Simulate, TextIsAlignedAndSaysWhatIsComparedWithWhat) {
  Write("people.ndjson", People(100));
  SimulateArguments arguments;
  arguments.against = "old";
  ASSERT_EQ(Run(arguments), EX_OK);
  EXPECT_NE(out_.find("100 subjects on 2026-03-01, 2 of them dead and left out"), std::string::npos) << out_;
  EXPECT_NE(out_.find("/new against "), std::string::npos);
  EXPECT_NE(out_.find("\n  senior "), std::string::npos);
  EXPECT_EQ(out_.find(" \n"), std::string::npos);  // no trailing blanks
}

}  // namespace
}  // namespace zhitui::daemon
