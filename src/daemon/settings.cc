#include "daemon/settings.h"

namespace zhitui::daemon {
namespace {

constexpr std::int64_t kDayMs = 24LL * 3600 * 1000;

std::size_t Size(const Value& v) { return static_cast<std::size_t>(v.number); }
Millis Ms(const Value& v) { return Millis(v.number); }

// Row makers: the shape of a key in one line.
using C = Config;
Key<C> Text(std::string path, std::string fallback, std::string meaning, std::function<void(C&, const Value&)> set) {
  return {std::move(path), Type::kText, std::move(fallback), 0, 0, {}, std::move(meaning), std::move(set), false};
}
Key<C> Int(std::string path, std::int64_t fallback, std::int64_t min, std::int64_t max, std::string meaning,
           std::function<void(C&, const Value&)> set) {
  return {std::move(path), Type::kInt, std::to_string(fallback), min, max, {}, std::move(meaning),
          std::move(set),  false};
}
Key<C> Other(Type type, std::string path, std::string fallback, std::string meaning,
             std::function<void(C&, const Value&)> set, std::vector<std::string> choices = {}) {
  return {std::move(path), type, std::move(fallback), 0, 0, std::move(choices), std::move(meaning),
          std::move(set),  false};
}

LogLevel LevelOf(const std::string& name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "warn") return LogLevel::kWarn;
  return name == "error" ? LogLevel::kError : LogLevel::kInfo;
}

std::vector<Key<C>> StreamKeys() {
  return {
      Other(Type::kChoice, "stream.type", "embedded", "where events and decisions are logged",
            [](C& c, const Value& v) { c.kafka = v.text == "kafka"; }, {"embedded", "kafka"}),
      Other(Type::kPath, "stream.embedded.path", "", "SQLite file of the embedded log; empty: the store's own file",
            [](C& c, const Value& v) { c.log_path = v.text; }),
      Int("stream.embedded.max_records_per_topic", 10'000'000, 1000, 1'000'000'000,
          "the oldest records that every reader has done with go first",
          [](C& c, const Value& v) { c.log_max_records = v.number; }),
      Text("stream.kafka.brokers", "", "bootstrap list, host:port,host:port; required for kafka",
           [](C& c, const Value& v) { c.kafka_options.brokers = v.text; }),
      Text("stream.kafka.group", "zhitui", "consumer group; the same for all instances",
           [](C& c, const Value& v) { c.kafka_group = v.text; }),
      Other(Type::kTextTable, "stream.kafka.properties", "",
            "passed to librdkafka: security.protocol, sasl.*, ssl.ca.location, …",
            [](C& c, const Value& v) { c.kafka_options.properties = {v.table.begin(), v.table.end()}; }),
      Int("stream.kafka.session_timeout_ms", 10'000, 1000, 300'000,
          "how long an instance may be silent before its partitions go to others",
          [](C& c, const Value& v) { c.session_timeout = Ms(v); }),
      Int("stream.kafka.connect_timeout_ms", 10'000, 100, 120'000, "time to reach the brokers at start",
          [](C& c, const Value& v) { c.kafka_options.connect_timeout = Ms(v); }),
      Int("stream.kafka.partitions", 16, 1, 1024,
          "of topics that do not exist yet; a power of two, the same for all topics",
          [](C& c, const Value& v) { c.partitions = static_cast<std::int32_t>(v.number); }),
      Int("stream.kafka.replication", -1, -1, 32, "of topics that do not exist yet; -1: the broker's default",
          [](C& c, const Value& v) { c.replication = static_cast<std::int16_t>(v.number); }),
  };
}

std::vector<Key<C>> StoreKeys() {
  return {
      Other(Type::kChoice, "store.type", "sqlite",
            "where profiles, rule states and the ledger are kept; sqlite serves one instance",
            [](C& c, const Value& v) { c.redis = v.text == "redis"; }, {"sqlite", "redis"}),
      Other(Type::kPath, "store.sqlite.path", "zhitui.db", "created when missing, with its folder",
            [](C& c, const Value& v) { c.sqlite_path = v.text; }),
      Int("store.sqlite.busy_timeout_ms", 5000, 10, 60'000, "how long a writer waits for another process",
          [](C& c, const Value& v) { c.sqlite_busy = Ms(v); }),
      Other(Type::kChoice, "store.sqlite.synchronous", "full",
            "full: what is acknowledged survives a power cut; normal: only kill -9, for replays and demos; also of the "
            "embedded log",
            [](C& c, const Value& v) { c.survive_power_cut = v.text != "normal"; }, {"full", "normal"}),
      Text("store.redis.host", "127.0.0.1", "", [](C& c, const Value& v) { c.redis_options.host = v.text; }),
      Int("store.redis.port", 6379, 1, 65535, "",
          [](C& c, const Value& v) { c.redis_options.port = static_cast<std::uint16_t>(v.number); }),
      Text("store.redis.username", "", "ACL user; empty: the default user",
           [](C& c, const Value& v) { c.redis_options.username = v.text; }),
      Other(Type::kSecret, "store.redis.password", "", "empty: none",
            [](C& c, const Value& v) { c.redis_options.password = v.text; }),
      Text("store.redis.key_prefix", "zhitui", "of every key; one per installation",
           [](C& c, const Value& v) { c.redis_options.key_prefix = v.text; }),
      Int("store.redis.connect_timeout_ms", 2000, 10, 60'000, "",
          [](C& c, const Value& v) { c.redis_options.connect_timeout = Ms(v); }),
      Int("store.redis.command_timeout_ms", 5000, 10, 60'000, "",
          [](C& c, const Value& v) { c.redis_options.command_timeout = Ms(v); }),
      Int("store.redis.connections", 4, 1, 64, "", [](C& c, const Value& v) { c.redis_options.connections = Size(v); }),
      Int("store.redis.pipeline", 128, 1, 1024, "commands in flight per connection",
          [](C& c, const Value& v) { c.redis_options.pipeline = Size(v); }),
      Other(Type::kBool, "store.redis.require_durable", "true",
            "refuse a server without appendfsync always and maxmemory-policy noeviction",
            [](C& c, const Value& v) { c.redis_options.require_durable = v.number != 0; }),
  };
}

std::vector<Key<C>> PipelineKeys() {
  return {
      Text("topics.decisions", "zhitui.decisions", "",
           [](C& c, const Value& v) { c.pipeline.topics.decisions = v.text; }),
      Text("topics.deliveries", "zhitui.deliveries", "",
           [](C& c, const Value& v) { c.pipeline.topics.deliveries = v.text; }),
      Text("topics.dead_letters", "zhitui.dead-letters", "",
           [](C& c, const Value& v) { c.pipeline.topics.dead_letters = v.text; }),
      Text("topics.contacts", "zhitui.contacts", "what became of phones, openids and device tokens",
           [](C& c, const Value& v) { c.pipeline.topics.contacts = v.text; }),
      Text("topics.subscription_prefix", "zhitui.topic.", "of the topic that each rule's `topic` is published on",
           [](C& c, const Value& v) { c.pipeline.topics.subscription_prefix = v.text; }),
      Text("topics.ledger", "zhitui.ledger", "compacted copy of intents and outcomes; only with kafka",
           [](C& c, const Value& v) { c.ledger_topic = v.text; }),
      Int("decide.batch", 500, 1, 10'000, "events in one step",
          [](C& c, const Value& v) { c.pipeline.batch = Size(v); }),
      Int("decide.lanes", 2, 1, 64, "threads that evaluate", [](C& c, const Value& v) { c.pipeline.lanes = Size(v); }),
      Int("decide.max_future_ms", 300'000, 0, kDayMs, "an event recorded further ahead of the clock is a dead letter",
          [](C& c, const Value& v) { c.pipeline.max_future = Ms(v); }),
      Int("decide.produce_timeout_ms", 10'000, 100, 120'000, "for a batch of records to be durable",
          [](C& c, const Value& v) { c.pipeline.produce_deadline = Ms(v); }),
      Other(Type::kTimeOfDay, "planning.quiet_from", "21:00", "nothing is sent from then …, Asia/Shanghai",
            [](C& c, const Value& v) { c.pipeline.policy.quiet_from = Ms(v); }),
      Other(Type::kTimeOfDay, "planning.quiet_until", "08:00", "… until then; the same time twice: no quiet hours",
            [](C& c, const Value& v) { c.pipeline.policy.quiet_until = Ms(v); }),
      Other(Type::kMillisList, "planning.retry_after_ms", "30000, 300000, 1800000, 7200000",
            "waits between the tries on one channel; then the next channel",
            [](C& c, const Value& v) {
              c.pipeline.policy.retry_after.clear();
              for (const std::int64_t ms : v.numbers) c.pipeline.policy.retry_after.emplace_back(ms);
            }),
      Int("planning.expires_after_ms", 7 * kDayMs, 60'000, 90 * kDayMs, "a notification not sent by then expires",
          [](C& c, const Value& v) { c.pipeline.policy.expires_after = Ms(v); }),
      Int("delivery.threads", 8, 1, 256, "sending threads of each connector",
          [](C& c, const Value& v) { c.delivery_threads = Size(v); }),
      Int("delivery.queue", 256, 1, 100'000, "sends of each connector that may be begun and not finished",
          [](C& c, const Value& v) { c.delivery_queue = Size(v); }),
      Int("delivery.sends_in_flight", 256, 1, 100'000, "sends of all connectors together",
          [](C& c, const Value& v) { c.pipeline.sends_in_flight = Size(v); }),
      Int("delivery.claim_lease_ms", 30'000, 1000, 3'600'000,
          "another instance's unfinished send is left alone so long",
          [](C& c, const Value& v) { c.pipeline.claim_lease = Ms(v); }),
      Int("delivery.query_again_ms", 1000, 10, 600'000, "between two queries for one unknown outcome",
          [](C& c, const Value& v) { c.pipeline.query_again = Ms(v); }),
      Int("delivery.receipt_wait_ms", 2000, 0, 600'000, "how long a replay waits for an expected receipt",
          [](C& c, const Value& v) { c.pipeline.receipt_wait = Ms(v); }),
      Int("delivery.receipt_index_kept_ms", 7 * kDayMs, 60'000, 90 * kDayMs,
          "how long a provider's message id finds its notification",
          [](C& c, const Value& v) { c.pipeline.index_kept = Ms(v); }),
      Text("delivery.sms_signature", "福田政务", "shown before a text message, without 【】",
           [](C& c, const Value& v) { c.pipeline.render.sms_signature = c.pipeline.policy.sms_signature = v.text; }),
  };
}

std::vector<Key<C>> ServiceKeys() {
  return {
      Text("api.host", "127.0.0.1", "address of both ports", [](C& c, const Value& v) { c.api.host = v.text; }),
      Int("api.port", 8080, 0, 65535, "0: any free port",
          [](C& c, const Value& v) { c.api.port = static_cast<int>(v.number); }),
      Int("api.admin_port", 9090, 0, 65535, "probes and metrics; keep it inside; 0: any free port",
          [](C& c, const Value& v) { c.api.admin_port = static_cast<int>(v.number); }),
      Int("api.threads", 16, 1, 512, "requests answered at the same time",
          [](C& c, const Value& v) { c.api.threads = Size(v); }),
      Int("api.max_body_bytes", 1'048'576, 1024, 16'777'216, "of one request",
          [](C& c, const Value& v) { c.api.max_body_bytes = Size(v); }),
      Int("api.max_header_bytes", 32'768, 1024, 1'048'576, "of one request",
          [](C& c, const Value& v) { c.api.max_header_bytes = Size(v); }),
      Int("api.max_events", 1000, 1, 100'000, "of one request",
          [](C& c, const Value& v) { c.api.max_events = Size(v); }),
      Int("api.keep_alive_ms", 5000, 100, 120'000, "an idle connection is closed after this",
          [](C& c, const Value& v) { c.api.keep_alive = Ms(v); }),
      Int("api.request_timeout_ms", 15'000, 100, 120'000, "to receive one request; to send one answer",
          [](C& c, const Value& v) { c.api.request_timeout = Ms(v); }),
      Other(Type::kChoice, "log.format", "auto", "auto: text on a terminal, else JSON lines",
            [](C& c, const Value& v) { c.log_format = v.text; }, {"auto", "json", "text"}),
      Other(Type::kChoice, "log.level", "info", "", [](C& c, const Value& v) { c.log_level = LevelOf(v.text); },
            {"debug", "info", "warn", "error"}),
      Int("shutdown.deadline_ms", 20'000, 1000, 600'000, "after SIGTERM: finish what is in hand, commit, exit",
          [](C& c, const Value& v) { c.shutdown = Ms(v); }),
  };
}

}  // namespace

const std::vector<Key<Config>>& ConfigKeys() {
  static const std::vector<Key<Config>> keys = [] {
    std::vector<Key<C>> out = {
        Text("service.instance", "zhitui-0",
             "stable name of this instance, different for each; `serve --instance` overrides it",
             [](C& c, const Value& v) { c.pipeline.instance = v.text; }),
        Other(Type::kPath, "rules.dir", "rules", "folder of facts, rules and messages",
              [](C& c, const Value& v) { c.rules_dir = v.text; }),
        Int("rules.watch_ms", 2'000, 0, 3'600'000,
            "how often the folder is looked at for changes, which are then taken up without a restart; 0: only on "
            "SIGHUP",
            [](C& c, const Value& v) { c.rules_watch = Ms(v); }),
        Int("input.max_event_bytes", 1'048'576, 1024, 4'194'304, "a larger record is a dead letter",
            [](C& c, const Value& v) { c.kafka_options.max_record_bytes = c.api.max_event_bytes = Size(v); }),
    };
    for (auto part : {StreamKeys(), StoreKeys(), PipelineKeys(), ServiceKeys()}) {
      out.insert(out.end(), std::make_move_iterator(part.begin()), std::make_move_iterator(part.end()));
    }
    return out;
  }();
  return keys;
}

const std::vector<Key<InputTopic>>& InputTopicKeys() {
  static const std::vector<Key<InputTopic>> keys = {
      {"kind",
       Type::kText,
       "",
       0,
       0,
       {},
       "kind of subject, as in the rules folder",
       [](InputTopic& t, const Value& v) { t.kind = v.text; },
       true},
      {"topic", Type::kText, "", 0, 0, {}, "its topic", [](InputTopic& t, const Value& v) { t.topic = v.text; }, true},
      {"format",
       Type::kChoice,
       "cloudevents",
       0,
       0,
       {"cloudevents", "debezium"},
       "what the records are",
       [](InputTopic& t, const Value& v) {
         t.format = v.text == "debezium" ? facts::Format::kDebezium : facts::Format::kCloudEvents;
       },
       false},
      {"agency",
       Type::kText,
       "",
       0,
       0,
       {},
       "debezium: the agency that owns the table",
       [](InputTopic& t, const Value& v) { t.agency = v.text; },
       false},
  };
  return keys;
}

const std::vector<Key<InputFile>>& InputFileKeys() {
  static const std::vector<Key<InputFile>> keys = {
      {"name",
       Type::kText,
       "",
       0,
       0,
       {},
       "stable name of the source, also when the file moves",
       [](InputFile& f, const Value& v) { f.name = v.text; },
       true},
      {"path",
       Type::kPath,
       "",
       0,
       0,
       {},
       "CloudEvents, one a line",
       [](InputFile& f, const Value& v) { f.path = v.text; },
       true},
      {"kind",
       Type::kText,
       "",
       0,
       0,
       {},
       "kind of subject; empty: any",
       [](InputFile& f, const Value& v) { f.kind = v.text; },
       false},
  };
  return keys;
}

const std::vector<Key<api::ApiKey>>& ApiKeyKeys() {
  static const std::vector<Key<api::ApiKey>> keys = {
      {"name",
       Type::kText,
       "",
       0,
       0,
       {},
       "shown in the access log",
       [](api::ApiKey& k, const Value& v) { k.name = v.text; },
       true},
      {"key",
       Type::kSecret,
       "",
       0,
       0,
       {},
       "what the client sends; at least 16 characters",
       [](api::ApiKey& k, const Value& v) { k.secret = v.text; },
       true},
      {"scopes", Type::kTexts, "", 0, 0, api::ScopeNames(), "what the client may do",
       [](api::ApiKey& k, const Value& v) {
         for (const std::string& name : v.texts) {
           if (const auto scope = api::ParseScope(name)) k.scopes.push_back(*scope);
         }
       },
       true},
  };
  return keys;
}

}  // namespace zhitui::daemon
