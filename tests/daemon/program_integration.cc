// The program as it is called: exit codes, output, a replay against the provider simulator, a service that stops.

#include <httplib.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "daemon/daemon.h"
#include "daemon/signals.h"
#include "gtest/gtest.h"
#include "sandbox/sandbox.h"

namespace zhitui::daemon {
namespace {

using Json = nlohmann::json;

const std::string kRules = std::string(ZHITUI_SOURCE_DIR) + "/rules";

struct Output {
  int code = 0;
  std::string out;
  std::string err;
};

int Call(std::vector<std::string> words) {
  words.insert(words.begin(), "zhitui");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return Main(static_cast<int>(words.size()), argv.data(), "1.2.3");
}

Output Zhitui(const std::vector<std::string>& words) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Output output;
  output.code = Call(words);
  output.out = testing::internal::GetCapturedStdout();
  output.err = testing::internal::GetCapturedStderr();
  return output;
}

std::vector<Json> LinesOf(const std::string& text) {
  std::vector<Json> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(Json::parse(line));
  return out;
}

class Program : public ::testing::Test {
 protected:
  Program() {
    std::string name = (std::filesystem::temp_directory_path() / "zhitui-program-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = name;
  }
  ~Program() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string Write(const std::string& name, const std::string& text) const {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  std::string Config(const std::string& more = "") const {
    return Write("zhitui.yaml",
                 "rules: {dir: " + kRules +
                     "}\n"
                     "store: {sqlite: {path: state/zhitui.db, synchronous: normal}}\n"
                     "log: {format: json}\n"
                     "planning: {quiet_from: '08:00', quiet_until: '08:00'}\n"
                     "api: {port: 0, admin_port: 0, keys: [{name: t, key: synthetic-test-key, scopes: [admin]}]}\n" +
                     more);
  }
  // A resident with hukou in Shenzhen and a phone, known from 1 March 2026 on.
  static std::string Resident(const std::string& id, const std::string& born, const std::string& phone) {
    const auto event = [&](const std::string& agency, const Json& data) {
      return Json({{"specversion", "1.0"},
                   {"id", agency + id},
                   {"source", "/agencies/" + agency},
                   {"type", "cn.gov.futian.resident.profile.replaced"},
                   {"subject", id},
                   {"time", "2026-03-01T09:00:00+08:00"},
                   {"data", data}})
                 .dump() +
             "\n";
    };
    return event("self", {{"contacts", {{"phone", phone}, {"app", nullptr}, {"wechat", nullptr}}},
                          {"consent", {{"messages", true}}}}) +
           event("police", {{"birth_date", born}, {"death_date", nullptr}, {"hukou", {{"city", "440300"}}}});
  }

  std::string folder_;
};

TEST_F(Program, UsageMistakesExitWith64) {
  const std::vector<std::vector<std::string>> calls = {
      {},
      {"fly"},
      {"serve"},
      {"config"},
      {"rules", "check"},
      {"serve", "--config", "x", "--clock", "2026-03-01"},
      {"serve", "--config", "x", "--speed", "max"},
      {"serve", "--config", "x", "--clock", "2026-03-01", "--until", "2026-04-01", "--speed", "2"},
      {"serve", "--config", "x", "--clock", "March", "--until", "2026-04-01"},
      {"serve", "--config", "x", "--clock", "2026-03-02", "--until", "2026-03-01"},
      {"evaluate", "--rules", kRules, "--facts", "x", "--at", "March"},
      {"evaluate", "--rules", kRules, "--facts", "x", "--at", "2026-03-01", "--kind", "ghost"}};
  for (const auto& words : calls) {
    const Output output = Zhitui(words);
    EXPECT_EQ(output.code, EX_USAGE) << output.err;
    EXPECT_FALSE(output.err.empty());
  }
  EXPECT_EQ(Zhitui({"--help"}).code, EX_OK);
}

TEST_F(Program, MissingInputsExitWith66AndBadConfigurationWith78) {
  const std::string bad = Write("bad.yaml", "api: {prot: 1}\n");
  const std::vector<std::vector<std::string>> takes_config = {
      {"config", "check"}, {"config", "show"}, {"serve"}, {"ledger"}, {"decisions"}, {"dead-letters"}};
  for (std::vector<std::string> words : takes_config) {
    words.push_back("--config");
    words.push_back(folder_ + "/nowhere.yaml");
    EXPECT_EQ(Zhitui(words).code, EX_NOINPUT) << words[0];
    words.back() = bad;
    const Output output = Zhitui(words);
    EXPECT_EQ(output.code, EX_CONFIG) << words[0];
    EXPECT_NE(output.err.find("bad.yaml:1:7: error [unknown-key]"), std::string::npos) << output.err;
  }
  EXPECT_EQ(Zhitui({"rules", "check", folder_ + "/nowhere"}).code, EX_NOINPUT);
  const std::string config = Config();
  EXPECT_EQ(Zhitui({"ingest", "--config", config, folder_ + "/nowhere.ndjson"}).code, EX_NOINPUT);
  for (const char* reader : {"ledger", "decisions", "dead-letters"}) {
    EXPECT_EQ(Zhitui({reader, "--config", config}).code, EX_NOINPUT) << reader;  // and no file is made
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/state"));
}

TEST_F(Program, RulesCheckWarnsAndFailsOnWarningsOnlyWhenToldTo) {
  const std::string folder = folder_ + "/drafts";
  std::filesystem::create_directories(folder + "/facts");
  Write("drafts/facts/person.yaml",
        "kind: person\nsources: {office: {zh: 办公室, en: Office}}\n"
        "facts:\n  member: {type: bool, source: office, label: {zh: 会员, en: Member}}\n");
  Write("drafts/r.yaml",
        "rule: r\nabout: person\ntitle: {zh: 规则, en: Rule}\nowner: 办公室\ntopic: t\nlaw: {std: {title: 办法}}\n"
        "params: {fee: 2}\ncriteria:\n  m: {label: {zh: 会员, en: Member}, when: person.member, law: std}\n"
        "tests:\n  - {name: no, facts: {member: false}, expect: {2026-01-01: ineligible}}\n");
  EXPECT_EQ(Zhitui({"rules", "check", folder}).code, EX_OK);
  EXPECT_NE(Zhitui({"rules", "check", folder}).out.find(", 1 warning, "), std::string::npos);
  EXPECT_EQ(Zhitui({"rules", "check", folder, "--strict"}).code, EX_CONFIG);
  EXPECT_EQ(Zhitui({"rules", "check", folder, "--at", "yesterday"}).code, EX_USAGE);
  const Output json = Zhitui({"rules", "check", folder, "--json"});
  EXPECT_EQ(json.code, EX_OK);
  const Json list = Json::parse(json.out);
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0]["severity"], "warning");
  EXPECT_EQ(list[0]["code"], "unused-param");
  EXPECT_EQ(list[0]["file"], "r.yaml");
  EXPECT_EQ(list[0]["line"], 7);
  EXPECT_EQ(list[0]["column"], 10);
  EXPECT_EQ(list[0]["page"], "docs/errors/unused-param.md");
}

TEST_F(Program, ConfigCheckPrintsAllMistakesAsTextOrJson) {
  const std::string bad = Write("bad.yaml", "api: {prot: 1}\nlog: {level: loud}\n");
  const Output json = Zhitui({"config", "check", "--config", bad, "--json"});
  EXPECT_EQ(json.code, EX_CONFIG);
  const Json list = Json::parse(json.out);
  ASSERT_EQ(list.size(), 2U);
  std::set<std::pair<int, int>> places;
  for (const Json& one : list) places.emplace(one["line"], one["column"]);
  EXPECT_EQ(places, (std::set<std::pair<int, int>>{{1, 7}, {2, 14}}));
  EXPECT_EQ(Zhitui({"config", "check", "--config", Config(), "--json"}).out, "[]\n");
}

TEST_F(Program, RulesCheckAndTestSpeakOfTheSampleRules) {
  const Output check = Zhitui({"rules", "check", kRules});
  EXPECT_EQ(check.code, EX_OK) << check.err;
  EXPECT_NE(check.out.find("ok, "), std::string::npos);
  const Output test = Zhitui({"rules", "test", kRules});
  EXPECT_EQ(test.code, EX_OK) << test.err;
  EXPECT_NE(test.out.find(" passed, 0 failed"), std::string::npos);

  std::filesystem::create_directories(folder_ + "/rules");
  std::filesystem::copy(kRules, folder_ + "/rules", std::filesystem::copy_options::recursive);
  Write("rules/shenzhen/broken.yaml", "rule: broken\nabout: resident\ntitel: x\n");
  const Output broken = Zhitui({"rules", "check", folder_ + "/rules"});
  EXPECT_EQ(broken.code, EX_CONFIG);
  EXPECT_NE(broken.err.find("shenzhen/broken.yaml:3:1: error"), std::string::npos) << broken.err;
}

TEST_F(Program, EvaluatePrintsDeterminationsAndRefusesFactsThatDoNotFit) {
  const std::string facts = Write("facts.json", R"({"birth_date":"1955-03-02","hukou.city":"440300"})");
  const Output json = Zhitui({"evaluate", "--rules", kRules, "--facts", facts, "--at", "2025-03-01", "--json"});
  ASSERT_EQ(json.code, EX_OK) << json.err;
  bool found = false;
  for (const Json& d : Json::parse(json.out)) {
    if (d["rule"] != "senior-allowance") continue;
    found = true;
    EXPECT_EQ(d["answer"], "ineligible");
    EXPECT_EQ(d["eligible_from"], "2025-03-02");  // the seventieth birthday
  }
  EXPECT_TRUE(found);
  const Output text = Zhitui({"evaluate", "--rules", kRules, "--facts", facts, "--at", "2025-03-02", "--locale", "en"});
  EXPECT_NE(text.out.find("Senior allowance (senior-allowance), 2025-03-02"), std::string::npos) << text.out;
  const std::string bad = Write("bad.json", R"({"birth_date":"1955-02-30"})");
  const Output refused = Zhitui({"evaluate", "--rules", kRules, "--facts", bad, "--at", "2025-03-02"});
  EXPECT_EQ(refused.code, EX_DATAERR);
  EXPECT_EQ(refused.err.find("1955-02-30"), std::string::npos);
}

TEST_F(Program, AReplayTellsTheRightPersonOnceAndResumesWhereItWas) {
  sandbox::Options options;
  options.log_path = folder_ + "/accepted.ndjson";
  options.receipts = sandbox::Receipts::kOff;
  sandbox::Server provider(options);
  const auto port = provider.Start();
  ASSERT_TRUE(port) << port.error();
  std::string templates;
  int n = 0;
  for (const char* name : {"senior_allowance_upcoming", "senior_allowance_eligible", "senior_allowance_amount_changed",
                           "senior_allowance_ceased", "senior_allowance_correction"}) {
    templates += std::string(n == 0 ? "" : ", ") + name + ": SMS_10000000" + std::to_string(n);
    ++n;
  }
  const std::string config = Config(
      "delivery: {receipt_wait_ms: 0}\n"
      "connectors:\n"
      "  aliyun: {base_url: 'http://127.0.0.1:" +
      std::to_string(*port) +
      "', access_key_id: testid, access_key_secret: testsecret, sign_name: 福田政务, templates: {" + templates +
      "}}\n");

  // Seventy on 10 March 2026; seventy long ago; broken lines.
  const std::string input = Write("events.ndjson", Resident("r-1", "1956-03-10", "13800131111") +
                                                       Resident("r-2", "1990-01-01", "13800132222") + "{\"half\n\n" +
                                                       R"({"specversion":"1.0","id":"x"})" + "\n");
  const Output ingest = Zhitui({"ingest", "--config", config, input});
  ASSERT_EQ(ingest.code, EX_OK) << ingest.err;
  EXPECT_EQ(ingest.out, "appended 6 records (2 of the lines are no events), refused 0\n");

  const auto replay = [&](const std::string& until) {
    return Zhitui({"serve", "--config", config, "--clock", "2026-03-01T00:00+08:00", "--until", until, "--speed", "max",
                   "--json"});
  };
  const Output first = replay("2026-03-09");
  ASSERT_EQ(first.code, EX_OK) << first.err;
  const Json before = Json::parse(first.out);
  EXPECT_EQ(before["complete"], true);
  EXPECT_EQ(before["clock"], "2026-03-09T23:59:59.999+08:00");
  EXPECT_EQ(before["events"], 6);
  EXPECT_EQ(before["applied"], 4);
  EXPECT_EQ(before["dead_letters"], 2);
  EXPECT_FALSE(before["decisions_by"].contains("senior-allowance eligible"));

  const Output second = replay("2026-03-31");
  ASSERT_EQ(second.code, EX_OK) << second.err;
  const Json after = Json::parse(second.out);
  EXPECT_EQ(after["events"], 0);
  EXPECT_EQ(after["decisions_by"]["senior-allowance eligible"], 1);

  std::set<std::string> notifications;
  std::size_t birthday = 0;
  const Output decisions = Zhitui({"decisions", "--config", config, "--json"});
  for (const Json& line : LinesOf(decisions.out)) {
    if (line.contains("notification")) notifications.insert(line["notification"].get<std::string>());
    if (line["rule"] == "senior-allowance" && line["transition"] == "eligible") {
      ++birthday;
      EXPECT_EQ(line["occurrence"], "2026-03-10");
    }
    EXPECT_EQ(line.dump().find("r-1"), std::string::npos);
  }
  EXPECT_EQ(birthday, 1U);
  std::istringstream ids(Zhitui({"decisions", "--config", config}).out);
  std::vector<std::string> sorted;
  for (std::string id; std::getline(ids, id);) sorted.push_back(id);
  EXPECT_TRUE(std::is_sorted(sorted.begin(), sorted.end()));
  EXPECT_EQ(std::set<std::string>(sorted.begin(), sorted.end()).size(), sorted.size());

  std::ifstream log(options.log_path);
  std::size_t accepted = 0;
  for (std::string line; std::getline(log, line); ++accepted) {
    const std::string attempt = Json::parse(line)["attempt_id"].get<std::string>();
    EXPECT_TRUE(notifications.contains(attempt.substr(0, attempt.find('-')))) << attempt;
  }
  EXPECT_GE(accepted, 1U);
  const Json ledger = Json::parse(Zhitui({"ledger", "--config", config, "--json"}).out);
  EXPECT_EQ(ledger["accepted_by_connector"]["aliyun"], accepted);
  EXPECT_TRUE(ledger["unknown"].empty());

  std::multiset<std::string> reasons;
  for (const Json& line : LinesOf(Zhitui({"dead-letters", "--config", config}).out)) {
    reasons.insert(line["reason"].get<std::string>());
    EXPECT_FALSE(line["detail"].get<std::string>().empty());
  }
  EXPECT_EQ(reasons, (std::multiset<std::string>{"not_cloud_event", "not_json"}));
  // No log line names a resident.
  for (const Output& run : {first, second}) {
    for (const char* word : {"r-1", "13800131111", "synthetic-test-key", "testsecret"}) {
      EXPECT_EQ(run.err.find(word), std::string::npos) << word;
    }
  }
}

TEST_F(Program, ALandlordIsToldAboutADwellingAtTheirOwnContacts) {
  sandbox::Options options;
  options.log_path = folder_ + "/accepted.ndjson";
  options.receipts = sandbox::Receipts::kOff;
  sandbox::Server provider(options);
  const auto port = provider.Start();
  ASSERT_TRUE(port) << port.error();
  const std::string config = Config(
      "delivery: {receipt_wait_ms: 0}\n"
      "connectors:\n"
      "  aliyun: {base_url: 'http://127.0.0.1:" +
      std::to_string(*port) +
      "', access_key_id: testid, access_key_secret: testsecret, sign_name: 福田政务, templates: "
      "{tenant_declaration_eligible: SMS_100000001, tenant_declaration_reminder: SMS_100000002}}\n");
  const auto dwelling = [](const std::string& agency, const Json& data) {
    return Json({{"specversion", "1.0"},
                 {"id", agency},
                 {"source", "/agencies/" + agency},
                 {"type", "cn.gov.futian.dwelling.profile.replaced"},
                 {"subject", "d-1"},
                 {"time", "2026-03-02T09:00:00+08:00"},
                 {"data", data}})
               .dump() +
           "\n";
  };
  const std::string people = Write("people.ndjson", Resident("r-1", "1970-01-01", "13800131111"));
  const std::string dwellings = Write(
      "dwellings.ndjson",
      dwelling("land", {{"landlords", {{{"id", "r-1"}, {"kind", "resident"}}}}}) +
          dwelling("grid", {{"use", "rented"},
                            {"address", {{"district", "440304"}}},
                            {"tenants", {{"moved_in", "2026-03-02"}, {"declared_on", nullptr}, {"declared", 0}}}}));
  for (const std::string& file : {people, dwellings}) {
    const Output ingest = Zhitui({"ingest", "--config", config, file});
    ASSERT_EQ(ingest.code, EX_OK) << ingest.err;
  }
  const Output run =
      Zhitui({"serve", "--config", config, "--clock", "2026-03-01T00:00+08:00", "--until", "2026-03-04", "--json"});
  ASSERT_EQ(run.code, EX_OK) << run.err;
  std::ifstream accepted(folder_ + "/accepted.ndjson");
  std::string line;
  // Nobody else has a contact.
  ASSERT_TRUE(std::getline(accepted, line)) << run.err;
  EXPECT_FALSE(std::getline(accepted, line)) << line;
}

TEST_F(Program, ATermSignalDrainsTheServiceAndExitsWith0) {
  const std::string config = Config();
  const std::string ports = folder_ + "/ports";
  StopSignal::Block();  // here too: the signal must find no thread that takes it
  int code = -1;
  std::thread service([&] { code = Call({"serve", "--config", config, "--port-file", ports}); });
  int port = 0;
  int admin = 0;
  while (admin == 0) {
    std::ifstream in(ports);
    in >> port >> admin;
    std::this_thread::yield();
  }
  httplib::Client probe("127.0.0.1", admin);
  for (auto ready = probe.Get("/readyz"); !ready || ready->status != 200;) ready = probe.Get("/readyz");
  httplib::Client client("127.0.0.1", port);
  client.set_bearer_token_auth("synthetic-test-key");
  const auto posted = client.Post("/v1/events", Resident("r-1", "1950-01-01", "13800131111"), "application/x-ndjson");
  ASSERT_TRUE(posted);
  EXPECT_EQ(posted->status, 202) << posted->body;
  const std::string path = "/v1/subjects/resident/r-1/recommendations";
  for (auto known = client.Get(path); !known || Json::parse(known->body).value("eligible", Json::array()).empty();) {
    known = client.Get(path);
  }
  const auto metrics = probe.Get("/metrics");
  for (const char* line : {"zhitui_decisions_total 1\n", "zhitui_ready 1\n", "zhitui_build_info{",
                           "zhitui_http_requests_total{method=\"POST\",route=\"/v1/events\",status=\"202\"} 1\n"}) {
    EXPECT_NE(metrics->body.find(line), std::string::npos) << line << metrics->body;
  }
  ::kill(::getpid(), SIGTERM);
  service.join();
  EXPECT_EQ(code, EX_OK);
  EXPECT_EQ(Zhitui({"ledger", "--config", config}).code, EX_OK);
}

TEST_F(Program, ChangedRulesAreTakenUpWithoutARestartAndBadOnesNever) {
  const std::string rules = folder_ + "/rules";
  std::filesystem::copy(kRules, rules, std::filesystem::copy_options::recursive);
  const std::string rule = rules + "/shenzhen/senior-allowance.yaml";
  std::string text;
  {
    std::ifstream in(rule, std::ios::binary);
    text.assign(std::istreambuf_iterator<char>(in), {});
  }
  text.erase(text.find("\ntests:"));  // they hold for the age of 70
  const std::string limit = "2019-10-01: 70}";
  ASSERT_NE(text.find(limit), std::string::npos);
  const auto with = [&](const std::string& other) {
    std::string out = text;
    out.replace(out.find(limit), limit.size(), other);
    std::ofstream(rule + ".new", std::ios::binary) << out;
    std::filesystem::rename(rule + ".new", rule);
  };
  std::string config_text;
  {
    std::ifstream in(Config(), std::ios::binary);
    config_text.assign(std::istreambuf_iterator<char>(in), {});
  }
  config_text.replace(config_text.find(kRules), kRules.size(), rules + ", watch_ms: 20");
  const std::string config = Write("reload.yaml", config_text);
  const std::string ports = folder_ + "/ports";
  StopSignal::Block();
  int code = -1;
  std::thread service([&] { code = Call({"serve", "--config", config, "--port-file", ports}); });
  int port = 0;
  int admin = 0;
  while (admin == 0) {
    std::ifstream in(ports);
    in >> port >> admin;
    std::this_thread::yield();
  }
  httplib::Client probe("127.0.0.1", admin);
  for (auto ready = probe.Get("/readyz"); !ready || ready->status != 200;) ready = probe.Get("/readyz");
  httplib::Client client("127.0.0.1", port);
  client.set_bearer_token_auth("synthetic-test-key");
  const auto hash = [&] { return Json::parse(probe.Get("/version")->body)["ruleset"].get<std::string>(); };
  const auto has = [&](const std::string& line) { return probe.Get("/metrics")->body.find(line) != std::string::npos; };
  const std::string first = hash();
  // Too young at 65 for the rule as it is.
  ASSERT_EQ(client.Post("/v1/events", Resident("r-1", "1961-01-01", "13800131111"), "application/x-ndjson")->status,
            202);
  while (!has("zhitui_events_total 2\n")) std::this_thread::yield();
  const std::string path = "/v1/subjects/resident/r-1/recommendations";
  EXPECT_TRUE(Json::parse(client.Get(path)->body)["eligible"].empty());

  with("2019-10-01: 60}");
  // Decided without an event: the subject was marked, and the decision goes out like any other.
  while (!has("zhitui_decisions_total 1\n")) std::this_thread::yield();
  const Json known = Json::parse(client.Get(path)->body);
  EXPECT_EQ(known["eligible"][0]["rule"], "senior-allowance");
  EXPECT_EQ(known["ruleset"], hash());
  const std::string second = hash();
  EXPECT_NE(second, first);
  EXPECT_TRUE(has("zhitui_rule_reloads_total{result=\"accepted\"} 1\n"));

  with("2019-10-01: sixty}");
  while (!has("zhitui_rule_reloads_total{result=\"refused\"} 1\n")) std::this_thread::yield();
  EXPECT_EQ(hash(), second);
  EXPECT_EQ(client.Get(path)->status, 200);

  // A signal asks at once; the rules that were in use are read again like any others.
  ::kill(::getpid(), SIGHUP);
  while (!has("zhitui_rule_reloads_total{result=\"refused\"} 2\n")) std::this_thread::yield();
  with("2019-10-01: 70}");
  while (hash() == second) std::this_thread::yield();
  ::kill(::getpid(), SIGTERM);
  service.join();
  EXPECT_EQ(code, EX_OK);
}

TEST_F(Program, AnAddressOrServerThatIsNotThereExitsWith69) {
  httplib::Server taken;
  const int port = taken.bind_to_any_port("127.0.0.1");
  const std::string config =
      Write("taken.yaml", "rules: {dir: " + kRules +
                              "}\nlog: {format: json}\napi: {admin_port: 0, port: " + std::to_string(port) + "}\n");
  const Output output = Zhitui({"serve", "--config", config});
  EXPECT_EQ(output.code, EX_UNAVAILABLE);
  EXPECT_NE(output.err.find("api.port"), std::string::npos) << output.err;
  const std::string redis =
      Write("redis.yaml", "rules: {dir: " + kRules + "}\nlog: {format: json}\nstore: {type: redis, redis: {port: " +
                              std::to_string(port) + ", connect_timeout_ms: 50, command_timeout_ms: 50}}\n");
  EXPECT_EQ(Zhitui({"serve", "--config", redis}).code, EX_UNAVAILABLE);
}

}  // namespace
}  // namespace zhitui::daemon
