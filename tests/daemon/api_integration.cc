// The HTTP service as `zhitui serve` wires it: a configuration, the sample rules, the real connectors and the provider
// simulator. What the routes answer by themselves is tested beside the room api.

#include <httplib.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "api/api.h"
#include "authoring/authoring.h"
#include "daemon/observe.h"
#include "daemon/wiring.h"
#include "gtest/gtest.h"
#include "sandbox/sandbox.h"
#include "yaml/yaml.h"

namespace zhitui::daemon {
namespace {

using Json = nlohmann::json;

constexpr const char* kNdjson = "application/x-ndjson";
constexpr const char* kCloudEvent = "application/cloudevents+json";
constexpr const char* kRecommendations = "/v1/subjects/{kind}/{id}/recommendations";
constexpr const char* kReceipts = "/v1/receipts/{connector}";

template <class T>
T Must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "zhitui-wired-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path = name;
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::string path;
};

// A store whose back end can be taken away.
class CutStore final : public store::Store {
 public:
  explicit CutStore(std::shared_ptr<store::Store> store) : store_(std::move(store)) {}
  void Cut() { cut_ = true; }

  Result<std::vector<store::StoredRecord>> Load(std::span<const store::RecordKey> keys) override {
    return cut_ ? Away() : store_->Load(keys);
  }
  Result<std::vector<store::Applied>> Apply(std::span<const store::Transaction> transactions) override {
    return cut_ ? Away() : store_->Apply(transactions);
  }
  Result<std::vector<store::DueEntry>> DueUpTo(std::span<const Shard> shards, store::DueQueue queue, Instant upto,
                                               std::size_t limit) override {
    return cut_ ? Away() : store_->DueUpTo(shards, queue, upto, limit);
  }
  Result<std::vector<std::optional<Instant>>> NextDue(std::span<const Shard> shards, store::DueQueue queue) override {
    return cut_ ? Away() : store_->NextDue(shards, queue);
  }
  Result<std::vector<std::vector<store::OutboxEntry>>> ReadOutbox(std::span<const Shard> shards,
                                                                  std::size_t limit) override {
    return cut_ ? Away() : store_->ReadOutbox(shards, limit);
  }
  Status AckOutbox(std::span<const std::pair<Shard, std::uint64_t>> upto) override {
    return cut_ ? Away() : store_->AckOutbox(upto);
  }
  Result<store::ScanPage> Scan(Shard shard, store::Space space, const std::string& cursor, std::size_t limit) override {
    return cut_ ? Away() : store_->Scan(shard, space, cursor, limit);
  }
  Status Ping() override { return cut_ ? Away() : store_->Ping(); }

 private:
  // Converts to every answer of the door.
  struct Absent {
    template <class T>
    operator Result<T>() const {
      return Unavailable("the back end at 192.0.2.1 does not answer");
    }
  };
  static Absent Away() { return {}; }

  std::shared_ptr<store::Store> store_;
  std::atomic<bool> cut_{false};
};

// For documents whose plain scalars are texts and whole numbers.
Json ToJson(const yaml::Node& node) {
  Json out;
  Diagnostics none;
  for (const yaml::Node& item : node.items()) out.push_back(ToJson(item));
  for (const auto& [key, value] : node.entries()) out[key.text()] = ToJson(value);
  if (!node.IsScalar()) return out;
  if (const auto number = node.quoted() ? std::nullopt : yaml::ToInt(node, &none)) return *number;
  return node.text();
}

// docs/openapi.yaml, as far as a test asks it.
class OpenApi {
 public:
  OpenApi() {
    std::ifstream in(std::string(ZHITUI_SOURCE_DIR) + "/docs/openapi.yaml", std::ios::binary);
    Diagnostics diagnostics;
    document_ = yaml::Parse("openapi.yaml", std::string(std::istreambuf_iterator<char>(in), {}), &diagnostics);
    if (!document_) throw std::runtime_error(FormatDiagnostics(diagnostics));
  }

  // The answer has a status of the operation and a content type that the status lists; a problem has the schema's
  // required members.
  void Expect(const std::string& path, const std::string& method, int status, const httplib::Result& answer) const {
    ASSERT_TRUE(answer) << path;
    ASSERT_EQ(answer->status, status) << path << " " << answer->body;
    const yaml::Node* responses = At({"paths", path, method, "responses"});
    ASSERT_NE(responses, nullptr) << path << " is not in the file";
    const yaml::Node* response = Resolve(responses->Find(std::to_string(status)));
    if (response == nullptr) response = responses->Find("default");
    ASSERT_NE(response, nullptr) << method << " " << path << " does not document " << status;
    const yaml::Node* content = response->Find("content");
    if (content == nullptr) return;  // left to the provider's protocol
    std::string type = answer->get_header_value("Content-Type");
    type = type.substr(0, type.find(';'));
    ASSERT_NE(content->Find(type), nullptr) << method << " " << path << " " << status << " answers " << type;
    if (type != "application/problem+json") return;
    const Json problem = Json::parse(answer->body);
    for (const yaml::Node& name : At({"components", "schemas", "Problem", "required"})->items()) {
      EXPECT_TRUE(problem.contains(name.text())) << name.text();
    }
    EXPECT_EQ(problem["status"], status);
  }

  // The problem is the file's example, word for word. `name`: of several; empty: the only one.
  void ExpectExample(const std::vector<std::string>& response, const std::string& name,
                     const httplib::Result& answer) const {
    std::vector<std::string> path = response;
    path.insert(path.end(), {"content", "application/problem+json"});
    if (name.empty()) {
      path.emplace_back("example");
    } else {
      path.insert(path.end(), {"examples", name, "value"});
    }
    const yaml::Node* example = At(path);
    ASSERT_NE(example, nullptr) << name;
    ASSERT_TRUE(answer);
    EXPECT_EQ(Json::parse(answer->body), ToJson(*example));
  }

 private:
  const yaml::Node* At(const std::vector<std::string>& path) const {
    const yaml::Node* node = &document_->root();
    for (const std::string& name : path) node = node == nullptr ? nullptr : node->Find(name);
    return node;
  }
  const yaml::Node* Resolve(const yaml::Node* node) const {
    const yaml::Node* ref = node == nullptr ? nullptr : node->Find("$ref");
    if (ref == nullptr) return node;
    std::vector<std::string> path;
    std::istringstream words(ref->text().substr(2));  // after "#/"
    for (std::string word; std::getline(words, word, '/');) path.push_back(word);
    return At(path);
  }

  std::optional<yaml::Document> document_;
};

// The simulator posts its receipts to an address that is known before the service has one: this hands them on.
class Relay {
 public:
  Relay() {
    server_.Post(".*", [this](const httplib::Request& request, httplib::Response& response) {
      httplib::Client client("127.0.0.1", port_);
      const auto answer = client.Post(request.target, request.body, request.get_header_value("Content-Type"));
      response.status = answer ? answer->status : 503;  // the simulator comes again
      if (answer) response.set_content(answer->body, answer->get_header_value("Content-Type"));
    });
    url_ = "http://127.0.0.1:" + std::to_string(server_.bind_to_any_port("127.0.0.1"));
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~Relay() {
    server_.stop();
    thread_.join();
  }
  const std::string& url() const { return url_; }
  void SendTo(int port) { port_ = port; }

 private:
  httplib::Server server_;
  std::atomic<int> port_{1};
  std::string url_;
  std::thread thread_;
};

constexpr const char* kKeys =
    "[{name: agency, key: synthetic-key-agency, scopes: ['events:write']},"
    " {name: portal, key: synthetic-key-portal, scopes: ['recommendations:read', evaluate]},"
    " {name: chief, key: synthetic-key-chief0, scopes: [admin]}]";
constexpr const char* kAgency = "synthetic-key-agency";
constexpr const char* kPortal = "synthetic-key-portal";
constexpr const char* kChief = "synthetic-key-chief0";

class Wired {
 public:
  struct Setup {
    std::string api;         // more of the block api
    std::string input;       // the block input
    std::string connectors;  // the block connectors
    bool runs = true;        // the pipeline's loops
    std::function<bool()> live;
  };

  Wired() : Wired(Setup{}) {}
  explicit Wired(const Setup& setup) {
    const std::string text =
        "store: {sqlite: {path: state/zhitui.db}}\n"
        "planning: {quiet_from: '08:00', quiet_until: '08:00'}\n"
        "api: {port: 0, admin_port: 0, keys: " +
        std::string(kKeys) + setup.api + "}\n" + setup.input + setup.connectors;
    Diagnostics diagnostics;
    config_ = ParseConfig("zhitui.yaml", text, folder_.path, [](const char*) { return nullptr; }, &diagnostics);
    if (!config_) throw std::runtime_error(FormatDiagnostics(diagnostics));
    rules_ = authoring::Check(Must(authoring::LoadFolder(std::string(ZHITUI_SOURCE_DIR) + "/rules")));
    if (!rules_.ok()) throw std::runtime_error(FormatDiagnostics(rules_.diagnostics));
    if (Status s = MakeFolders(*config_); !s) throw std::runtime_error(s.error().message);
    Backends backends = Must(OpenBackends(*config_, *rules_.ruleset, NullLogger()));
    log_ = backends.log;
    store_ = std::make_shared<CutStore>(backends.store);
    std::vector<std::shared_ptr<delivery::Connector>> connectors;
    for (const ConnectorConfig& c : config_->connectors) connectors.push_back(c.make(nullptr));
    pipeline::Parts parts;
    parts.store = store_;
    parts.sources = std::move(backends.sources);
    parts.sink = backends.sink;
    parts.ruleset = rules_.ruleset;
    parts.templates = rules_.templates_set;
    parts.dispatcher = std::make_shared<delivery::Dispatcher>(std::move(connectors), config_->delivery_threads,
                                                              config_->delivery_queue);
    parts.clock = &clock_;
    parts.real_clock = &clock_;
    parts.metrics = &metrics_;
    pipeline_ = std::make_unique<pipeline::Pipeline>(PipelineOptions(*config_), std::move(parts));

    api::Deps deps;
    deps.pipeline = pipeline_.get();
    deps.clock = &clock_;
    deps.metrics = &metrics_;
    deps.metrics_text = [this] { return metrics_.Text(); };
    deps.live = setup.live;
    server_ = std::make_unique<api::Server>(config_->api, deps);
    port_ = Must(server_->Start());
    if (!setup.runs) return;
    loop_ = std::thread([this] { ended_ = pipeline_->Run(stop_, Millis(10'000)); });
    while (!pipeline_->Ready()) std::this_thread::yield();
  }
  ~Wired() {
    server_.reset();
    stop_ = true;
    if (loop_.joinable()) loop_.join();
    EXPECT_TRUE(ended_) << ended_.error().message;
    pipeline_.reset();
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
  int port() const { return port_; }
  pipeline::Pipeline& pipeline() { return *pipeline_; }
  CutStore& store() { return *store_; }

 private:
  const TempFolder folder_;
  const SystemClock clock_;
  PrometheusMetrics metrics_;
  std::unique_ptr<Config> config_;
  authoring::Report rules_;
  std::shared_ptr<stream::Log> log_;
  std::shared_ptr<CutStore> store_;
  std::unique_ptr<pipeline::Pipeline> pipeline_;
  std::unique_ptr<api::Server> server_;
  std::atomic<bool> stop_{false};
  Status ended_;
  std::thread loop_;
  int port_ = 0;
};

Json Event(const std::string& agency, const std::string& subject, const Json& data) {
  return {{"specversion", "1.0"},
          {"id", agency + "-" + subject},
          {"source", "/agencies/" + agency},
          {"type", "cn.gov.futian.resident.profile.replaced"},
          {"subject", subject},
          {"data", data}};
}

// Reachable in one way and, from the second event on, entitled to the senior allowance.
std::string Entitled(const std::string& id, const char* channel, const std::string& contact) {
  Json contacts = {{"app", nullptr}, {"wechat", nullptr}, {"phone", nullptr}};
  contacts[channel] = contact;
  return Event("self", id, {{"contacts", contacts}, {"consent", {{"messages", true}}}}).dump() + "\n" +
         Event("police", id, {{"birth_date", "1940-01-01"}, {"death_date", nullptr}, {"hukou", {{"city", "440300"}}}})
             .dump() +
         "\n";
}

std::string Connectors(const std::string& base_url) {
  return "connectors:\n"
         "  jpush: {base_url: '" +
         base_url +
         "', app_key: sandboxappkey0000000000a, master_secret: sandboxmastersecret00000}\n"
         "  wechat: {base_url: '" +
         base_url +
         "', app_id: wxsandbox00000001, secret: sandbox-wechat-secret, callback_token: synthetic-callback-token,"
         " callback_max_age_s: 0,"
         " templates: {benefit_granted: sandbox-template-01}}\n"
         "  aliyun: {base_url: '" +
         base_url +
         "', access_key_id: testid, access_key_secret: testsecret, sign_name: 福田政务, callback_key: "
         "synthetic-report-key,"
         " templates: {senior_allowance_eligible: SMS_100000002}}\n";
}

std::string Portal(const std::string& id) { return "/v1/subjects/resident/" + id + "/recommendations"; }

TEST(WiredApi, AnEventBecomesAMessageOnItsChannelAndTheReceiptComesBackOverHttp) {
  const TempFolder folder;
  Relay relay;
  sandbox::Options options;
  options.log_path = folder.path + "/accepted.ndjson";
  options.callback_base = relay.url();
  options.receipt_retry_ms = 20;
  options.wechat_callback_token = "synthetic-callback-token";
  options.aliyun_callback_key = "synthetic-report-key";
  sandbox::Server provider(options);
  const auto provider_port = provider.Start();
  ASSERT_TRUE(provider_port) << provider_port.error();
  Wired::Setup setup;
  setup.connectors = Connectors("http://127.0.0.1:" + std::to_string(*provider_port));
  Wired wired(setup);
  relay.SendTo(wired.port());

  const std::string body = Entitled("w-1", "phone", "13800131111") + Entitled("w-2", "wechat", "oSynthetic0000000001") +
                           Entitled("w-3", "app", "1a0018970aa00000001");
  const auto posted = wired.Client(kAgency).Post("/v1/events", body, kNdjson);
  ASSERT_TRUE(posted);
  ASSERT_EQ(posted->status, 202) << posted->body;

  // Reports of SMS and WeChat are posted to us; JPush has none to post.
  pipeline::Pipeline::LedgerCount count;
  do {
    count = Must(wired.pipeline().CountLedger());
    ASSERT_EQ(count.by_state["failed"] + count.by_state["expired"] + count.by_state["suppressed"], 0U);
  } while (count.by_state["delivered"] < 2 || count.accepted_by_connector["jpush"] < 1);
  EXPECT_EQ(count.by_channel["sms"]["delivered"], 1U);
  EXPECT_EQ(count.by_channel["wechat"]["delivered"], 1U);
  EXPECT_TRUE(count.unknown.empty());
  std::multiset<std::string> told;
  std::ifstream log(options.log_path);
  for (std::string line; std::getline(log, line);) told.insert(Json::parse(line)["provider"].get<std::string>());
  EXPECT_EQ(told, (std::multiset<std::string>{"aliyun", "jpush", "wechat"}));

  // The portal says what the message said.
  const auto known = wired.Client(kPortal).Get(Portal("w-1"));
  const Json answer = Json::parse(known->body);
  ASSERT_EQ(answer["eligible"].size(), 1U) << known->body;
  EXPECT_EQ(answer["eligible"][0]["rule"], "senior-allowance");
  EXPECT_EQ(answer["eligible"][0]["determination"]["missing"], Json::array());

  const std::string metrics = wired.Admin().Get("/metrics")->body;
  EXPECT_NE(metrics.find("zhitui_decisions_total 3\n"), std::string::npos) << metrics;
  for (const char* word : {"w-1", "13800131111", "oSynthetic", kAgency}) {
    EXPECT_EQ(metrics.find(word), std::string::npos) << word;
  }
}

TEST(WiredApi, EachProvidersCallBackIsVerifiedByItsConnector) {
  const OpenApi file;
  Wired::Setup setup;
  setup.connectors = Connectors("http://127.0.0.1:9");
  Wired wired(setup);
  auto client = wired.Client();
  const std::string reports = R"([{"phone_number":"13800131111","send_time":"2026-03-01 10:00:00",)"
                              R"("report_time":"2026-03-01 10:00:05","success":true,"err_code":"DELIVERED",)"
                              R"("biz_id":"900000000000000001^0","out_id":"somebody-elses"}])";
  const auto report = [&](const std::string& query, const std::string& body) {
    return client.Post("/v1/receipts/aliyun" + query, body, "application/json");
  };
  file.Expect(kReceipts, "post", 200, report("?key=synthetic-report-key", reports));
  EXPECT_EQ(Json::parse(report("?key=synthetic-report-key", reports)->body)["code"], 0);
  file.Expect(kReceipts, "post", 401, report("?key=wrong", reports));
  file.Expect(kReceipts, "post", 401, report("", reports));
  file.Expect(kReceipts, "post", 400, report("?key=synthetic-report-key", "{}"));
  file.Expect(kReceipts, "get", 405, client.Get("/v1/receipts/aliyun?key=synthetic-report-key"));

  // SHA-1 of "1772330400" "n0nce" "synthetic-callback-token", in that order: sorted as text.
  const std::string signed_query =
      "?signature=1da33615100e85beedde2f708917fa4aa5230514&timestamp=1772330400&nonce=n0nce";
  const auto echo = client.Get("/v1/receipts/wechat" + signed_query + "&echostr=5512087143");
  file.Expect(kReceipts, "get", 200, echo);
  EXPECT_EQ(echo->body, "5512087143");
  file.Expect(kReceipts, "get", 401,
              client.Get("/v1/receipts/wechat?signature=00&timestamp=1772330400&nonce=n0nce&echostr=5512087143"));
  const std::string xml =
      "<xml><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[TEMPLATESENDJOBFINISH]]></Event>"
      "<MsgID>200163836</MsgID><Status><![CDATA[success]]></Status></xml>";
  file.Expect(kReceipts, "post", 200, client.Post("/v1/receipts/wechat" + signed_query, xml, "text/xml"));
  file.Expect(kReceipts, "post", 401, client.Post("/v1/receipts/wechat", xml, "text/xml"));

  file.Expect(kReceipts, "post", 404, client.Post("/v1/receipts/smoke-signals", "", "text/plain"));
  file.Expect(kReceipts, "get", 404, client.Get("/v1/receipts/smoke-signals"));
  EXPECT_EQ(wired.pipeline().totals().dead_letters, 0U);
}

TEST(WiredApi, TheConfiguredKeysOpenWhatTheirScopesSay) {
  const OpenApi file;
  const Wired wired;
  const std::string event = Event("police", "w-4", {{"birth_date", "1990-01-01"}}).dump();
  const std::string facts = R"({"kind":"resident","facts":{"birth_date":"1990-01-01"}})";
  const auto post = [&](const char* key) { return wired.Client(key).Post("/v1/events", event, kCloudEvent); };
  const auto judge = [&](const char* key) { return wired.Client(key).Post("/v1/evaluate", facts, "application/json"); };
  const auto read = [&](const char* key) { return wired.Client(key).Get(Portal("nobody")); };
  for (const char* key : {static_cast<const char*>(nullptr), "synthetic-key-agencyx", "agency"}) {
    file.Expect("/v1/events", "post", 401, post(key));
    file.Expect("/v1/evaluate", "post", 401, judge(key));
    file.Expect(kRecommendations, "get", 401, read(key));
  }
  file.Expect("/v1/events", "post", 202, post(kAgency));
  file.Expect("/v1/evaluate", "post", 403, judge(kAgency));
  file.Expect(kRecommendations, "get", 403, read(kAgency));
  file.Expect("/v1/events", "post", 403, post(kPortal));
  file.Expect("/v1/evaluate", "post", 200, judge(kPortal));
  file.Expect(kRecommendations, "get", 404, read(kPortal));
  file.Expect("/v1/events", "post", 202, post(kChief));
  file.Expect("/v1/evaluate", "post", 200, judge(kChief));
  file.Expect(kRecommendations, "get", 404, read(kChief));
}

TEST(WiredApi, TheProblemsInTheFileAreTheOnesThatAreAnswered) {
  const OpenApi file;
  const Wired wired;
  auto chief = wired.Client(kChief);
  const auto shared = [](const char* name) { return std::vector<std::string>{"components", "responses", name}; };
  const auto own = [](const char* path, const char* method, const char* status) {
    return std::vector<std::string>{"paths", path, method, "responses", status};
  };
  file.ExpectExample(shared("NoKey"), "", wired.Client().Post("/v1/events", "{}", kCloudEvent));
  file.ExpectExample(shared("NoScope"), "", wired.Client(kPortal).Post("/v1/events", "{}", kCloudEvent));
  file.ExpectExample(shared("UnknownConnector"), "", chief.Get("/v1/receipts/smoke-signals"));
  const std::string good = Event("police", "w-8", {{"birth_date", "1990-01-01"}}).dump();
  const std::string bad = Event("police", "w-9", {{"birth_date", "1990-02-30"}}).dump();
  file.ExpectExample(own("/v1/events", "post", "400"), "refused",
                     chief.Post("/v1/events", good + "\n" + bad + "\n", kNdjson));
  file.ExpectExample(own("/v1/events", "post", "400"), "noEvents", chief.Post("/v1/events", "\n", kNdjson));
  file.ExpectExample(own(kRecommendations, "get", "404"), "unknownSubject", chief.Get(Portal("w-8")));
  file.ExpectExample(own(kRecommendations, "get", "404"), "unknownKind",
                     chief.Get("/v1/subjects/ghost/w-8/recommendations"));
}

// What is accepted is taken: an event that the pipeline finds too large never gets a 202.
TEST(WiredApi, AnEventTooLargeForThePipelineIs413AndNoDeadLetter) {
  const OpenApi file;
  constexpr std::size_t kLimit = 4096;
  Wired::Setup setup;
  setup.input = "input: {max_event_bytes: " + std::to_string(kLimit) + "}\n";
  Wired wired(setup);
  auto client = wired.Client(kAgency);
  // The pipeline counts the key, the subject, beside the event.
  const auto sized = [](std::size_t bytes, const std::string& subject, bool time) {
    Json event = Event("police", subject, {{"birth_date", "1990-01-01"}});
    if (time) event["time"] = "2026-03-01T09:00:00+08:00";
    event["note"] = "";
    event["note"] = std::string(bytes - event.dump().size(), 'x');
    return event.dump();
  };
  for (const bool time : {true, false}) {
    const auto exact = client.Post("/v1/events", sized(kLimit, "w-5", time), kCloudEvent);
    file.Expect("/v1/events", "post", 413, exact);
    EXPECT_EQ(exact->body.find("w-5"), std::string::npos);
  }
  file.Expect("/v1/events", "post", 202, client.Post("/v1/events", sized(kLimit - 3, "w-6", true), kCloudEvent));
  for (auto known = wired.Client(kPortal).Get(Portal("w-6")); known->status == 404;) {
    ASSERT_EQ(wired.pipeline().totals().dead_letters, 0U);
    known = wired.Client(kPortal).Get(Portal("w-6"));
  }
  EXPECT_EQ(wired.pipeline().totals().events, 1U);
  EXPECT_EQ(wired.pipeline().totals().dead_letters, 0U);
}

TEST(WiredApi, WithoutItsStoreItAsksToComeBackAndTellsNothingOfIt) {
  const OpenApi file;
  Wired::Setup setup;
  setup.connectors = Connectors("http://127.0.0.1:9");
  setup.runs = false;
  Wired wired(setup);
  wired.store().Cut();
  const auto read = wired.Client(kPortal).Get(Portal("w-7"));
  file.Expect(kRecommendations, "get", 503, read);
  // The name of an attempt of ours: a notification id and a number.
  const std::string reports = R"([{"success":true,"out_id":")" + decide::NotificationId("some-decision", "w-7") +
                              R"(-1","biz_id":"900000000000000001^0"}])";
  const auto report = wired.Client().Post("/v1/receipts/aliyun?key=synthetic-report-key", reports, "application/json");
  file.Expect(kReceipts, "post", 503, report);
  file.Expect("/v1/events", "post", 503, wired.Client(kAgency).Post("/v1/events", "{}", kCloudEvent));
  for (const auto* answer : {&read, &report}) {
    EXPECT_EQ((*answer)->get_header_value("Retry-After"), "5");
    EXPECT_EQ((*answer)->body.find("192.0.2.1"), std::string::npos);
  }
  file.Expect("/readyz", "get", 503, wired.Admin().Get("/readyz"));
  file.Expect("/livez", "get", 200, wired.Admin().Get("/livez"));
}

TEST(WiredApi, AProcessThatNoLongerWorksIsNotLive) {
  Wired::Setup setup;
  setup.runs = false;
  setup.live = [] { return false; };
  const Wired wired(setup);
  const OpenApi file;
  file.Expect("/livez", "get", 503, wired.Admin().Get("/livez"));
}

}  // namespace
}  // namespace zhitui::daemon
