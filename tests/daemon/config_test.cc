#include "daemon/config.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "gtest/gtest.h"

namespace zhitui::daemon {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "zhitui-config-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::string path;
};

struct Parsed {
  std::unique_ptr<Config> config;
  Diagnostics diagnostics;

  // "line:column code", in the order of the file.
  std::vector<std::string> Faults() const {
    std::vector<std::string> out;
    for (const Diagnostic& d : diagnostics) {
      out.push_back(std::to_string(d.at.line) + ":" + std::to_string(d.at.column) + " " + d.code);
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  std::string Show() const { return config ? ShowConfig(*config) : std::string(); }
};

Parsed Parse(const std::string& text, const std::string& folder = "/etc/zhitui",
             const std::map<std::string, std::string>& environment = {}) {
  Parsed out;
  out.config = ParseConfig(
      "c.yaml", text, folder,
      [&](const char* name) -> const char* {
        const auto it = environment.find(name);
        return it == environment.end() ? nullptr : it->second.c_str();
      },
      &out.diagnostics);
  return out;
}

TEST(Config, AnEmptyFileIsTheEmbeddedDefault) {
  for (const char* text : {"", "{}", "service:\napi:\n", "# nothing\n"}) {
    const Parsed p = Parse(text);
    ASSERT_TRUE(p.config) << FormatDiagnostics(p.diagnostics);
    const Config& c = *p.config;
    EXPECT_FALSE(c.kafka);
    EXPECT_FALSE(c.redis);
    EXPECT_TRUE(c.survive_power_cut);
    EXPECT_EQ(c.sqlite_path, "/etc/zhitui/zhitui.db");
    EXPECT_EQ(c.log_path, c.sqlite_path);
    EXPECT_EQ(c.rules_dir, "/etc/zhitui/rules");
    ASSERT_EQ(c.topics.size(), 3U);
    EXPECT_EQ(c.topics[0].kind, "resident");
    EXPECT_EQ(c.topics[0].topic, "residents");
    EXPECT_EQ(c.pipeline.topics.decisions, "zhitui.decisions");
    EXPECT_EQ(c.pipeline.policy.quiet_from, Millis(21 * 3'600'000));
    EXPECT_EQ(c.pipeline.policy.quiet_until, Millis(8 * 3'600'000));
    EXPECT_EQ(c.pipeline.policy.retry_after, planning::Policy().retry_after);
    EXPECT_EQ(c.api.host, "127.0.0.1");
    EXPECT_TRUE(c.api.keys.empty());
    EXPECT_TRUE(c.connectors.empty());
  }
}

// One mistake each, with its place.
TEST(Config, EveryMistakeHasItsPlaceAndItsCode) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"servce: {}", "1:1 unknown-key"},
      {"api:\n  prot: 1\n", "2:3 unknown-key"},
      {"api:\n  port: 70000\n", "2:9 out-of-range"},
      {"api:\n  port: 08080\n", "2:9 wrong-type"},
      {"api:\n  port: '8080'\n", "2:10 wrong-type"},
      {"api: [1]", "1:6 wrong-type"},
      {"store:\n  redis: {require_durable: yes}\n", "2:28 wrong-type"},
      {"store: {type: mysql}", "1:15 unknown-value"},
      {"store: {redis: {password: a, password_env: B}}", "1:44 given-twice"},
      {"store: {redis: {password_env: NOT_SET}}", "1:31 missing-variable"},
      {"store: {redis: {password_file: nowhere}}", "1:32 unreadable-file"},
      {"store: {redis: {host_file: nowhere}}", "1:17 unknown-key"},
      {"stream: {type: kafka}", "1:16 missing-key"},
      {"stream: {kafka: {partitions: 12}}", "1:30 bad-value"},
      {"stream: {kafka: {replication: 0}}", "1:31 bad-value"},
      {"planning: {quiet_from: 24:00}", "1:24 wrong-type"},
      {"planning: {quiet_from: 9:00}", "1:24 wrong-type"},
      {"planning: {retry_after_ms: 30000}", "1:28 wrong-type"},
      {"planning: {retry_after_ms: [1, -1]}", "1:32 out-of-range"},
      {"input: {topics: {kind: resident}}", "1:17 wrong-type"},
      {"input: {topics: [{kind: resident}]}", "1:18 missing-key"},
      {"input: {topics: [{kind: resident, topic: a b}]}", "1:42 bad-name"},
      {"input: {topics: [{kind: a, topic: t}, {kind: b, topic: t}]}", "1:39 duplicate"},
      {"input: {topics: [{kind: a, topic: t, format: debezium}]}", "1:18 missing-key"},
      {"input: {topics: [{kind: a, topic: zhitui.decisions}]}\ntopics: {decisions: zhitui.decisions}",
       "2:21 duplicate"},
      {"stream: {type: kafka, kafka: {brokers: 'b:1'}}\ninput: {files: [{name: n, path: p}]}", "2:17 not-with-kafka"},
      {"topics: {ledger: zhitui.deliveries}", "1:18 duplicate"},
      {"api: {port: 9090}", "1:1 duplicate"},
      {"api: {keys: [{name: a, key: short, scopes: [admin]}]}", "1:14 too-short"},
      {"api: {keys: [{name: a, scopes: [admin]}]}", "1:14 missing-key"},
      {"api: {keys: [{name: a, key: 0123456789abcdef, scopes: [evaluation]}]}", "1:56 unknown-value"},
      {"api: {keys: [{name: a, key: 0123456789abcdef, scopes: []}]}", "1:55 wrong-type"},
      {"service: {instance: a/b}", "1:21 bad-name"},
      {"connectors: {twitter: {}}", "1:14 unknown-key"},
      {"connectors: {jpush: on}", "1:21 wrong-type"},
      {"log: {level: loud}", "1:14 unknown-value"},
      {"a: &x 1", "1:4 "},
  };
  for (const auto& [text, expected] : cases) {
    const Parsed p = Parse(text);
    EXPECT_FALSE(p.config) << text;
    const std::vector<std::string> faults = p.Faults();
    ASSERT_GE(faults.size(), 1U) << text;
    EXPECT_TRUE(faults[0].starts_with(expected)) << text << "\n" << FormatDiagnostics(p.diagnostics);
  }
}

TEST(Config, AllMistakesAreReportedAtOnceWithTheNearestKey) {
  const Parsed p = Parse(
      "store:\n"
      "  typ: sqlite\n"
      "api:\n"
      "  port: many\n"
      "connectors:\n"
      "  jpush: {app_key: a}\n"
      "shutdown: {deadline_ms: 1}\n");
  EXPECT_EQ(p.Faults().size(), 4U) << FormatDiagnostics(p.diagnostics);
  const std::string text = FormatDiagnostics(p.diagnostics);
  EXPECT_NE(text.find("c.yaml:2:3: error [unknown-key]"), std::string::npos) << text;
  EXPECT_NE(text.find("did you mean type?"), std::string::npos) << text;
  EXPECT_NE(text.find("c.yaml:4:9: error [wrong-type]"), std::string::npos) << text;
  EXPECT_NE(text.find("master_secret"), std::string::npos) << text;
  EXPECT_NE(text.find("c.yaml:7:25: error [out-of-range]"), std::string::npos) << text;
}

TEST(Config, SecretsComeFromFilesAndVariablesAndAreNeverShown) {
  const TempFolder folder;
  std::ofstream(folder.path + "/redis") << "from-the-file\n";
  std::ofstream(folder.path + "/master") << "master-from-file\r\n";
  const Parsed p = Parse(
      "store: {redis: {password_file: redis}}\n"
      "stream: {kafka: {properties: {sasl.password: kafka-secret}}}\n"
      "api: {keys: [{name: a, key_env: API_KEY, scopes: [admin]}]}\n"
      "connectors:\n"
      "  jpush: {app_key: k, master_secret_file: master}\n",
      folder.path, {{"API_KEY", "from-the-environment"}});
  ASSERT_TRUE(p.config) << FormatDiagnostics(p.diagnostics);
  EXPECT_EQ(p.config->redis_options.password, "from-the-file");
  EXPECT_EQ(p.config->api.keys[0].secret, "from-the-environment");
  ASSERT_EQ(p.config->connectors.size(), 1U);
  const std::string shown = p.Show();
  for (const char* secret : {"from-the-file", "from-the-environment", "master-from-file", "kafka-secret"}) {
    EXPECT_EQ(shown.find(secret), std::string::npos) << secret;
  }
  EXPECT_NE(shown.find("store.redis.password: \"***\"\n"), std::string::npos) << shown;
  EXPECT_NE(shown.find("api.keys[0].key: \"***\"\n"), std::string::npos);
  EXPECT_NE(shown.find("connectors.jpush.master_secret: \"***\"\n"), std::string::npos);
  EXPECT_NE(shown.find("connectors.jpush.app_key: \"k\"\n"), std::string::npos);
}

TEST(Config, AMistakeNeverQuotesASecret) {
  for (const char* text :
       {"api: {keys: [{name: a, key: s3cret, scopes: [admin]}]}", "store: {redis: {password: [s3cret]}}",
        "store: {redis: {password: s3cret, password_env: X}}"}) {
    const Parsed p = Parse(text);
    ASSERT_FALSE(p.config);
    for (const Diagnostic& d : p.diagnostics) {
      EXPECT_EQ(d.message.find("s3cret"), std::string::npos);
      EXPECT_EQ(d.hint.find("s3cret"), std::string::npos);
    }
  }
}

TEST(Config, RelativePathsAreBelowTheFilesFolder) {
  const Parsed p = Parse(
      "rules: {dir: ../rules}\n"
      "store: {sqlite: {path: /var/lib/z.db}}\n"
      "stream: {embedded: {path: data/log.db}}\n"
      "input: {files: [{name: f, path: ./events.ndjson}]}\n");
  ASSERT_TRUE(p.config) << FormatDiagnostics(p.diagnostics);
  EXPECT_EQ(p.config->rules_dir, "/etc/rules");
  EXPECT_EQ(p.config->sqlite_path, "/var/lib/z.db");
  EXPECT_EQ(p.config->log_path, "/etc/zhitui/data/log.db");
  EXPECT_EQ(p.config->files[0].path, "/etc/zhitui/events.ndjson");
}

TEST(Config, ValuesReachTheirPlaces) {
  const Parsed p = Parse(
      "service: {instance: zhitui-3}\n"
      "input: {topics: [{kind: resident, topic: t, format: debezium, agency: police}], max_event_bytes: 2048}\n"
      "stream: {type: kafka, kafka: {brokers: 'b:1,c:2', group: g, partitions: 8, replication: 3, session_timeout_ms: "
      "6000,"
      " properties: {security.protocol: ssl}}}\n"
      "store: {type: redis, sqlite: {synchronous: normal}, redis: {host: h, port: 7000, key_prefix: p, "
      "require_durable: false}}\n"
      "planning: {quiet_from: '22:30', quiet_until: '06:15', retry_after_ms: []}\n"
      "delivery: {threads: 3, claim_lease_ms: 5000, sms_signature: 测试}\n"
      "api: {max_events: 5}\n"
      "log: {format: json, level: warn}\n"
      "shutdown: {deadline_ms: 3000}\n");
  ASSERT_TRUE(p.config) << FormatDiagnostics(p.diagnostics);
  const Config& c = *p.config;
  EXPECT_EQ(c.pipeline.instance, "zhitui-3");
  EXPECT_EQ(c.topics[0].format, facts::Format::kDebezium);
  EXPECT_EQ(c.topics[0].agency, "police");
  EXPECT_EQ(c.kafka_options.max_record_bytes, 2048U);
  EXPECT_TRUE(c.kafka);
  EXPECT_EQ(c.kafka_options.brokers, "b:1,c:2");
  EXPECT_EQ(c.kafka_options.properties.at("security.protocol"), "ssl");
  EXPECT_EQ(c.kafka_group, "g");
  EXPECT_EQ(c.partitions, 8);
  EXPECT_EQ(c.replication, 3);
  EXPECT_EQ(c.session_timeout, Millis(6000));
  EXPECT_TRUE(c.redis);
  EXPECT_FALSE(c.survive_power_cut);
  EXPECT_EQ(c.redis_options.host, "h");
  EXPECT_EQ(c.redis_options.port, 7000);
  EXPECT_EQ(c.redis_options.key_prefix, "p");
  EXPECT_FALSE(c.redis_options.require_durable);
  EXPECT_EQ(c.pipeline.policy.quiet_from, Millis((22 * 60 + 30) * 60'000));
  EXPECT_EQ(c.pipeline.policy.quiet_until, Millis((6 * 60 + 15) * 60'000));
  EXPECT_TRUE(c.pipeline.policy.retry_after.empty());
  EXPECT_EQ(c.delivery_threads, 3U);
  EXPECT_EQ(c.pipeline.claim_lease, Millis(5000));
  EXPECT_EQ(c.pipeline.render.sms_signature, "测试");
  EXPECT_EQ(c.api.max_events, 5U);
  EXPECT_EQ(c.log_level, LogLevel::kWarn);
  EXPECT_EQ(c.shutdown, Millis(3000));
}

TEST(Config, TheExamplesAreAcceptedAndTheReferenceExampleShowsTheDefaults) {
  const std::string folder = std::string(ZHITUI_SOURCE_DIR) + "/config";
  const Parsed example = Parse(ReadFile(folder + "/zhitui.yaml"), folder);
  ASSERT_TRUE(example.config) << FormatDiagnostics(example.diagnostics);
  const Parsed cluster = Parse(ReadFile(folder + "/cluster.yaml"), folder);
  ASSERT_TRUE(cluster.config) << FormatDiagnostics(cluster.diagnostics);
  EXPECT_TRUE(cluster.config->kafka && cluster.config->redis);
  EXPECT_EQ(cluster.config->connectors.size(), 3U);

  const Parsed defaults = Parse("", folder);
  std::map<std::string, std::string> shown(example.config->effective.begin(), example.config->effective.end());
  for (const auto& [path, value] : defaults.config->effective) {
    if (path == "rules.dir" || path == "store.sqlite.path") continue;  // the file says so beside them
    EXPECT_EQ(shown[path], value) << path;
  }
}

TEST(Config, TheReferenceInDocsIsWhatTheProgramPrints) {
  EXPECT_EQ(ReadFile(std::string(ZHITUI_SOURCE_DIR) + "/docs/config.md"), ConfigReference())
      << "run: zhitui config reference > docs/config.md";
}

TEST(Config, NoKeyIsDeclaredTwice) {
  // The reference has a table for each block, made from the declarations; a blank line ends a table.
  std::istringstream reference(ConfigReference());
  std::set<std::string> table;
  std::size_t rows = 0;
  for (std::string line; std::getline(reference, line);) {
    if (line.empty()) table.clear();
    if (!line.starts_with("| `")) continue;
    ++rows;
    EXPECT_TRUE(table.insert(line.substr(0, line.find(" |", 2))).second) << line;
  }
  EXPECT_GT(rows, 50U);
}

TEST(Config, TheReferenceNamesEveryKeyThatIsInEffect) {
  const std::string reference = ConfigReference();
  const Parsed defaults = Parse("");
  for (const auto& [path, value] : defaults.config->effective) {
    const std::string name = path.starts_with("input.topics[") ? path.substr(path.rfind('.') + 1) : path;
    EXPECT_NE(reference.find("| `" + name + "` |"), std::string::npos) << path;
  }
}

}  // namespace
}  // namespace zhitui::daemon
