#pragma once

// A running service over real sockets: the sample rules, SQLite store and embedded log in a folder of its own, the
// pipeline on a thread, a clock that stands at 2026-03-01 10:00 in Shanghai.

#include <httplib.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "api/api.h"
#include "gtest/gtest.h"
#include "message/message.h"
#include "pipeline/pipeline.h"
#include "store/store.h"
#include "stream/stream.h"

namespace zhitui::api {

inline constexpr const char* kWriter = "writer-key-000000000";
inline constexpr const char* kReader = "reader-key-000000000";
inline constexpr const char* kJudge = "judge-key-0000000000";
inline constexpr const char* kChief = "chief-key-0000000000";

// Remembers every line as text.
class MemoryLogger final : public Logger {
 public:
  void Log(LogLevel, std::string_view event, std::initializer_list<LogField> fields) override {
    std::string line(event);
    for (const LogField& f : fields) {
      line.append(" ").append(f.key).append("=");
      if (const auto* text = std::get_if<std::string_view>(&f.value)) line.append(*text);
      if (const auto* number = std::get_if<std::int64_t>(&f.value)) line += std::to_string(*number);
    }
    const std::scoped_lock lock(mutex_);
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> lines() const {
    const std::scoped_lock lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

// A connector that is only called back.
class EchoConnector final : public delivery::Connector {
 public:
  const std::string& name() const override { return name_; }
  Channel channel() const override { return Channel::kSms; }
  delivery::UnknownPolicy unknown_policy() const override { return delivery::UnknownPolicy::kPark; }
  bool sends_receipts() const override { return false; }
  Status Check(const message::Content&) const override { return {}; }
  Result<delivery::IdempotencyKey> NewKey(const std::string& attempt_id) override {
    return delivery::IdempotencyKey{attempt_id, Instant::max()};
  }
  delivery::SendResult Send(const delivery::SendRequest&) override {
    return {delivery::Verdict::kStopChannel, "", "", "", {}};
  }
  delivery::QueryResult Query(const delivery::SendRequest&) override { return {}; }
  delivery::CallbackReply ParseCallback(const delivery::CallbackRequest& request) override {
    const auto key = request.query.find("key");
    if (key == request.query.end() || key->second != "good") return {401, "text/plain", "no", {}, {}};
    return {200, "application/xml", request.method + " " + request.body, {}, {}};
  }

 private:
  std::string name_ = "echo";
};

class AwaySink final : public stream::Sink {
 public:
  Status Produce(std::span<const Record>, Millis) override { return Unavailable("the brokers do not answer"); }
};

inline std::vector<rules::SourceFile> SampleRules() {
  const std::filesystem::path folder = std::filesystem::path(ZHITUI_SOURCE_DIR) / "rules";
  std::vector<rules::SourceFile> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.path().extension() != ".yaml") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    files.push_back({entry.path().lexically_relative(folder).generic_string(),
                     std::string(std::istreambuf_iterator<char>(in), {})});
  }
  return files;
}

class Bench {
 public:
  struct Setup {
    std::size_t threads = 8;
    Millis keep_alive{5000};
    Millis request_timeout{15'000};
    bool log_away = false;  // the event log does not answer
    std::function<bool()> ready;
  };

  Bench() : Bench(Setup{}) {}
  explicit Bench(const Setup& setup) {
    std::string folder = (std::filesystem::temp_directory_path() / "zhitui-api-XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = folder;
    Diagnostics diagnostics;
    ruleset_ = rules::RuleSet::Build(SampleRules(), &diagnostics);
    if (!ruleset_) throw std::runtime_error(FormatDiagnostics(diagnostics));
    const auto writer = std::make_shared<std::mutex>();
    store::SqliteOptions store_options;
    store_options.path = folder_ + "/zhitui.db";
    store_options.writer = writer;
    stream::LogOptions log_options;
    log_options.path = store_options.path;
    log_options.writer = writer;
    pipeline::Parts parts;
    parts.store = std::shared_ptr<store::Store>(Must(store::OpenSqlite(store_options)));
    log_ = Must(stream::OpenLog(log_options));
    parts.sources.push_back(Must(log_->OpenSource("test", {"residents", "zhitui.decisions"})));
    parts.sink = setup.log_away ? std::shared_ptr<stream::Sink>(std::make_shared<AwaySink>())
                                : std::shared_ptr<stream::Sink>(log_, &log_->sink());
    parts.ruleset = ruleset_;
    parts.templates = message::TemplateSet::Build({}, &diagnostics);
    parts.dispatcher = std::make_shared<delivery::Dispatcher>(
        std::vector<std::shared_ptr<delivery::Connector>>{std::make_shared<EchoConnector>()}, 1, 16);
    parts.clock = &clock_;
    parts.real_clock = &real_clock_;
    parts.logger = &logger_;
    pipeline::Options options;
    facts::DecodeOptions decode;
    decode.kind = "resident";
    options.inputs.emplace("residents", decode);
    options.epoch = "test";
    pipeline_ = std::make_unique<pipeline::Pipeline>(options, std::move(parts));
    loop_ = std::thread([this] { run_status_ = pipeline_->Run(stop_, Millis(5000)); });

    Options api;
    api.port = 0;
    api.admin_port = 0;
    api.threads = setup.threads;
    api.keep_alive = setup.keep_alive;
    api.request_timeout = setup.request_timeout;
    api.version = "1.2.3";
    api.keys = {{"writer", kWriter, {Scope::kEventsWrite}},
                {"reader", kReader, {Scope::kRecommendationsRead}},
                {"judge", kJudge, {Scope::kEvaluate}},
                {"chief", kChief, {Scope::kAdmin}}};
    Deps deps;
    deps.pipeline = pipeline_.get();
    deps.clock = &clock_;
    deps.logger = &logger_;
    deps.metrics_text = [] { return std::string("zhitui_test 1\n"); };
    deps.ready = setup.ready;
    server_ = std::make_unique<Server>(api, deps);
    port_ = Must(server_->Start());
    if (!setup.ready) {
      while (!pipeline_->Ready()) std::this_thread::yield();
    }
  }
  ~Bench() {
    server_.reset();
    stop_ = true;
    loop_.join();
    EXPECT_TRUE(run_status_) << run_status_.error().message;
    pipeline_.reset();
    log_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  httplib::Client Client(const char* key = nullptr) const {
    httplib::Client client("127.0.0.1", port_);
    client.set_tcp_nodelay(true);
    client.set_read_timeout(30);
    if (key != nullptr) client.set_bearer_token_auth(key);
    return client;
  }
  httplib::Client Admin() const {
    httplib::Client client("127.0.0.1", server_->admin_port());
    client.set_read_timeout(30);
    return client;
  }
  // Recommendations of a subject once it is known; the loop applies events soon after they were accepted.
  nlohmann::json Known(const std::string& id, const std::string& query = "") const {
    httplib::Client client = Client(kReader);
    client.set_keep_alive(true);
    for (;;) {
      const auto answer = client.Get("/v1/subjects/resident/" + id + "/recommendations" + query);
      if (!answer || answer->status != 404) return nlohmann::json::parse(answer ? answer->body : "{}");
    }
  }
  int port() const { return port_; }
  const rules::RuleSet& ruleset() const { return *ruleset_; }
  pipeline::Pipeline& pipeline() { return *pipeline_; }
  const MemoryLogger& logger() const { return logger_; }

  template <class T>
  static T Must(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message);
    return std::move(*result);
  }

 private:
  std::string folder_;
  MemoryLogger logger_;
  DrivenClock clock_{*ParseInstant("2026-03-01T10:00:00+08:00")};
  SystemClock real_clock_;
  std::shared_ptr<const rules::RuleSet> ruleset_;
  std::shared_ptr<stream::Log> log_;
  std::unique_ptr<pipeline::Pipeline> pipeline_;
  std::atomic<bool> stop_{false};
  Status run_status_;
  std::thread loop_;
  std::unique_ptr<Server> server_;
  int port_ = 0;
};

// A patch of the police about a resident with hukou in Shenzhen.
inline nlohmann::json Birth(const std::string& subject, const std::string& date) {
  return {{"specversion", "1.0"},
          {"id", "birth-" + subject},
          {"source", "/agencies/police"},
          {"type", "cn.gov.futian.resident.profile.patched"},
          {"subject", subject},
          {"time", "2026-03-01T09:00:00+08:00"},
          {"data", {{"birth_date", date}, {"death_date", nullptr}, {"hukou", {{"city", "440300"}}}}}};
}

inline std::vector<std::string> RulesIn(const nlohmann::json& list) {
  std::vector<std::string> out;
  for (const auto& item : list) out.push_back(item.at("rule").get<std::string>());
  return out;
}

}  // namespace zhitui::api
