// Contact points and replies in a running pipeline: the sample rules, the SQLite store, the embedded log, and a
// connector that answers as the test says.

#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "gtest/gtest.h"
#include "pipeline/pipeline.h"

namespace zhitui::pipeline {
namespace {

using Json = nlohmann::json;

template <class T>
T Must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

std::vector<rules::SourceFile> Files(const std::string& folder) {
  const std::filesystem::path root = std::filesystem::path(ZHITUI_SOURCE_DIR) / folder;
  std::vector<rules::SourceFile> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().extension() != ".yaml") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    files.push_back(
        {entry.path().lexically_relative(root).generic_string(), std::string(std::istreambuf_iterator<char>(in), {})});
  }
  return files;
}

// Answers by contact and remembers what it was sent.
class Scripted final : public delivery::Connector {
 public:
  Scripted(std::string name, Channel channel) : name_(std::move(name)), channel_(channel) {}
  const std::string& name() const override { return name_; }
  Channel channel() const override { return channel_; }
  delivery::UnknownPolicy unknown_policy() const override { return delivery::UnknownPolicy::kPark; }
  bool sends_receipts() const override { return true; }
  bool needs_grant() const override { return channel_ == Channel::kWechat; }
  Status Check(const message::Content&) const override { return {}; }
  Result<delivery::IdempotencyKey> NewKey(const std::string& id) override {
    return delivery::IdempotencyKey{id, Instant::max()};
  }
  void Start(delivery::Intake intake) override { intake_ = std::move(intake); }
  delivery::SendResult Send(const delivery::SendRequest& request) override {
    const std::scoped_lock lock(mutex_);
    sent_.push_back(request);
    const auto found = answers.find(request.contact);
    return {
        found == answers.end() ? delivery::Verdict::kAccepted : found->second, "p-" + request.attempt_id, "", "", {}};
  }
  delivery::QueryResult Query(const delivery::SendRequest&) override { return {}; }
  delivery::CallbackReply ParseCallback(const delivery::CallbackRequest&) override { return {}; }

  std::vector<delivery::SendRequest> sent() const {
    const std::scoped_lock lock(mutex_);
    return sent_;
  }
  Status Say(const std::vector<delivery::Receipt>& receipts, const std::vector<delivery::Signal>& signals) {
    return intake_(name_, receipts, signals);
  }

  std::map<std::string, delivery::Verdict> answers;  // set before the pipeline runs

 private:
  const std::string name_;
  const Channel channel_;
  delivery::Intake intake_;
  mutable std::mutex mutex_;
  std::vector<delivery::SendRequest> sent_;
};

class Running {
 public:
  Running() {
    std::string folder = (std::filesystem::temp_directory_path() / "zhitui-contacts-XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = folder;
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    stop_ = true;
    if (loop_.joinable()) loop_.join();
    EXPECT_TRUE(status_) << status_.error().message;
    pipeline_.reset();
    reader_.reset();
    log_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Start() {
    Diagnostics diagnostics;
    const auto ruleset = rules::RuleSet::Build(Files("rules"), &diagnostics);
    if (!ruleset) throw std::runtime_error(FormatDiagnostics(diagnostics));
    std::vector<yaml::Document> documents;
    for (const rules::SourceFile& file : Files("rules/messages")) {
      documents.push_back(*yaml::Parse(file.path, file.text, &diagnostics));
    }
    const auto writer = std::make_shared<std::mutex>();
    store::SqliteOptions store_options;
    store_options.path = folder_ + "/zhitui.db";
    store_options.writer = writer;
    stream::LogOptions log_options;
    log_options.path = store_options.path;
    log_options.writer = writer;
    log_ = Must(stream::OpenLog(log_options));
    Parts parts;
    parts.store = store_ = std::shared_ptr<store::Store>(Must(store::OpenSqlite(store_options)));
    parts.sources.push_back(Must(log_->OpenSource("test", {"residents", "zhitui.decisions"})));
    parts.sink = std::shared_ptr<stream::Sink>(log_, &log_->sink());
    parts.ruleset = ruleset;
    parts.templates = message::TemplateSet::Build(documents, &diagnostics);
    if (!parts.templates) throw std::runtime_error(FormatDiagnostics(diagnostics));
    parts.dispatcher = std::make_shared<delivery::Dispatcher>(
        std::vector<std::shared_ptr<delivery::Connector>>{sms, app, wechat}, 2, 64);
    parts.clock = &clock;
    parts.real_clock = &real_clock_;
    parts.logger = &NullLogger();
    parts.metrics = &NullMetrics();
    Options options;
    facts::DecodeOptions decode;
    decode.kind = "resident";
    options.inputs.emplace("residents", decode);
    options.epoch = "test";
    options.policy.sms_signature = options.render.sms_signature;
    pipeline_ = std::make_unique<Pipeline>(options, std::move(parts));
    loop_ = std::thread([this] { status_ = pipeline_->Run(stop_, Millis(5000)); });
    reader_ = Must(log_->OpenSource("look", {"zhitui.contacts", "residents", "zhitui.deliveries"}));
    Await([&] { return pipeline_->Ready(); });
  }

  void Tell(const std::string& agency, const std::string& subject, const Json& data) {
    Record r;
    r.topic = "residents";
    r.key = subject;
    r.headers = {{"content-type", "application/cloudevents+json"}};
    r.value = Json({{"specversion", "1.0"},
                    {"id", "e-" + std::to_string(++events_)},
                    {"source", "/agencies/" + agency},
                    {"type", "cn.gov.futian.resident.profile.patched"},
                    {"subject", subject},
                    {"time", FormatInstant(clock.Now())},
                    {"data", data}})
                  .dump();
    ASSERT_TRUE(pipeline_->Append({r}));
  }

  // Somebody of Shenzhen who turns seventy on 2026-04-20, so the upcoming message is due on 2026-03-01.
  void Elder(const std::string& subject, const Json& contacts, const std::vector<std::string>& channels) {
    Tell("self", subject, {{"contacts", contacts}, {"preferences", {{"channels", channels}}}});
    Tell("police", subject, {{"birth_date", "1956-04-20"}, {"death_date", nullptr}, {"hukou", {{"city", "440300"}}}});
  }

  template <class F>
  static void Await(const F& done) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!done()) {
      if (std::chrono::steady_clock::now() > until) throw std::runtime_error("waited in vain");
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  // The first record of a topic, from the last call on, that fits.
  Record AwaitRecord(const std::string& topic, const std::function<bool(const Record&)>& fits) {
    Record found;
    Await([&] {
      for (Record& r : Must(reader_->Poll(100, Millis(20)))) seen_.push_back(std::move(r));
      const auto at =
          std::find_if(seen_.begin(), seen_.end(), [&](const Record& r) { return r.topic == topic && fits(r); });
      if (at == seen_.end()) return false;
      found = *at;
      seen_.erase(at);
      return true;
    });
    return found;
  }
  Json AwaitContact(const std::string& state) {
    return Json::parse(*AwaitRecord("zhitui.contacts", [&](const Record& r) {
                          return *r.FindHeader("ce_type") == "zhitui.contact." + state;
                        }).value);
  }
  std::string Fact(const std::string& subject, const std::string& name) {
    const auto view = Must(pipeline_->ReadSubject("resident", subject));
    if (!view) return "";
    const Json facts = Json::parse(view->profile.ToJson());
    const std::size_t dot = name.find('.');
    const Json& group = facts.contains(name.substr(0, dot)) ? facts.at(name.substr(0, dot)) : Json();
    return group.contains(name.substr(dot + 1)) ? group.at(name.substr(dot + 1)).dump() : "";
  }
  Pipeline& pipeline() { return *pipeline_; }

  const std::shared_ptr<Scripted> sms = std::make_shared<Scripted>("aliyun", Channel::kSms);
  const std::shared_ptr<Scripted> app = std::make_shared<Scripted>("jpush", Channel::kApp);
  const std::shared_ptr<Scripted> wechat = std::make_shared<Scripted>("wechat", Channel::kWechat);
  DrivenClock clock{*ParseInstant("2026-03-01T10:00:00+08:00")};

 private:
  std::string folder_;
  SystemClock real_clock_;
  std::shared_ptr<store::Store> store_;
  std::shared_ptr<stream::Log> log_;
  std::unique_ptr<stream::Source> reader_;
  std::vector<Record> seen_;
  std::unique_ptr<Pipeline> pipeline_;
  std::atomic<bool> stop_{false};
  Status status_;
  std::thread loop_;
  int events_ = 0;
};

constexpr const char* kPhone = "13800138000";

delivery::Signal ReplyOf(const std::string& contact, const std::string& text, const std::string& id, Instant at) {
  delivery::Signal s;
  s.kind = delivery::SignalKind::kReply;
  s.contact = contact;
  s.text = text;
  s.provider_id = id;
  s.at = at;
  return s;
}

TEST(Contacts, ADeadOneIsToldToItsSourceAndNeverTriedAgain) {
  Running run;
  run.app->answers["dead-token"] = delivery::Verdict::kDropContact;
  run.Start();
  run.Elder("r-1", {{"app", "dead-token"}, {"phone", kPhone}}, {"app"});
  const Json told = run.AwaitContact("dead");
  EXPECT_EQ(told["recipient"], "r-1");
  EXPECT_EQ(told["kind"], "resident");
  EXPECT_EQ(told["fact"], "contacts.app");
  EXPECT_EQ(told["connector"], "jpush");
  EXPECT_FALSE(told.dump().contains("dead-token")) << "the source knows it; nobody else is told";
  Running::Await([&] { return run.sms->sent().size() == 1; });
  ASSERT_EQ(run.app->sent().size(), 1U);

  // The day of the birthday brings the next message of the rule.
  run.clock.AdvanceTo(*ParseInstant("2026-04-20T10:00:00+08:00"));
  Running::Await([&] { return run.sms->sent().size() == 2; });
  EXPECT_EQ(run.app->sent().size(), 1U) << "the dead token was not asked";

  // A new device is a new contact.
  run.Tell("self", "r-1", {{"contacts", {{"app", "new-token"}}}});
  run.Tell("police", "r-1", {{"hukou", {{"city", "440100"}}}});
  Running::Await([&] { return run.app->sent().size() == 2; });
  EXPECT_EQ(run.app->sent()[1].contact, "new-token");
}

TEST(Contacts, AReceiptThatTheNumberIsGoneKillsThePhone) {
  Running run;
  run.Start();
  run.Elder("r-1", {{"phone", kPhone}}, {"sms"});
  Running::Await([&] { return run.sms->sent().size() == 1; });
  delivery::Receipt receipt;
  receipt.attempt_id = run.sms->sent()[0].attempt_id;
  receipt.state = delivery::ReceiptState::kUndelivered;
  receipt.code = "MK:0001";
  receipt.contact_dead = true;
  receipt.at = run.clock.Now();
  ASSERT_TRUE(run.sms->Say({receipt}, {}));
  EXPECT_EQ(run.AwaitContact("dead")["code"], "MK:0001");
}

TEST(Contacts, OneThatDeliversIsVerifiedAndAChangeOfPhoneReplacesIt) {
  Running run;
  run.Start();
  run.Elder("r-1", {{"phone", kPhone}}, {"sms"});
  Running::Await([&] { return run.sms->sent().size() == 1; });
  delivery::Receipt receipt;
  receipt.attempt_id = run.sms->sent()[0].attempt_id;
  receipt.code = "DELIVRD";
  receipt.at = run.clock.Now();
  ASSERT_TRUE(run.sms->Say({receipt}, {}));
  EXPECT_EQ(run.AwaitContact("verified")["fact"], "contacts.phone");
  run.Tell("self", "r-1", {{"contacts", {{"phone", "13900139000"}}}});
  run.clock.AdvanceTo(*ParseInstant("2026-04-20T10:00:00+08:00"));
  EXPECT_EQ(run.AwaitContact("replaced")["recipient"], "r-1");
  Running::Await([&] { return run.sms->sent().size() == 2; });
  EXPECT_EQ(run.sms->sent()[1].contact, "13900139000");
}

TEST(Replies, AgreementIsAnApplicationAndReadsTheMessage) {
  Running run;
  run.Start();
  run.Elder("r-1", {{"phone", kPhone}}, {"sms"});
  Running::Await([&] { return run.sms->sent().size() == 1; });
  const Instant at = *ParseInstant("2026-03-01T10:00:00+08:00");
  ASSERT_TRUE(run.sms->Say({}, {ReplyOf("+8613800138000", "同意。", "mo-1", at)}));
  ASSERT_TRUE(run.sms->Say({}, {ReplyOf("+8613800138000", "同意。", "mo-1", at)})) << "told twice";
  Running::Await([&] { return run.Fact("r-1", "allowance.agreed_on") == "\"2026-03-01\""; });
  const Record event =
      run.AwaitRecord("residents", [](const Record& r) { return r.FindHeader("ce_recordedtime") != nullptr; });
  EXPECT_EQ(event.key, "r-1");
  EXPECT_EQ(*event.FindHeader("ce_source"), "/zhitui/self") << "the agency that owns the fact";
  run.AwaitRecord("zhitui.deliveries",
                  [](const Record& r) { return *r.FindHeader("ce_type") == "zhitui.delivery.read"; });
}

TEST(Replies, AWordToOptOutStopsTextMessagesAndNothingElse) {
  Running run;
  run.Start();
  run.Elder("r-1", {{"phone", kPhone}, {"app", "token"}}, {"sms"});
  Running::Await([&] { return run.sms->sent().size() == 1; });
  ASSERT_TRUE(run.sms->Say({}, {ReplyOf(kPhone, "ＴＤ", "mo-1", run.clock.Now())}));
  Running::Await([&] { return run.Fact("r-1", "consent.refused_signatures") == "[\"福田政务\"]"; });
  run.clock.AdvanceTo(*ParseInstant("2026-04-20T10:00:00+08:00"));
  Running::Await([&] { return !run.app->sent().empty(); });
  EXPECT_EQ(run.sms->sent().size(), 1U);
}

TEST(Replies, ThoseOfStrangersAndOtherWordsChangeNothing) {
  Running run;
  run.Start();
  run.Elder("r-1", {{"phone", kPhone}}, {"sms"});
  Running::Await([&] { return run.sms->sent().size() == 1; });
  ASSERT_TRUE(run.sms->Say({}, {ReplyOf("13700137000", "同意", "mo-1", run.clock.Now()),
                                ReplyOf(kPhone, "这是什么", "mo-2", run.clock.Now())}));
  EXPECT_EQ(run.AwaitContact("verified")["recipient"], "r-1") << "whoever writes from a phone has it";
  EXPECT_EQ(run.Fact("r-1", "allowance.agreed_on"), "");
  EXPECT_EQ(run.Fact("r-1", "consent.refused_signatures"), "");
}

TEST(Grants, OneGrantIsOneMessageAlsoWhenItWasGivenBeforeAnybodyWasKnownThere) {
  Running run;
  run.Start();
  delivery::Signal grant;
  grant.kind = delivery::SignalKind::kGrant;
  grant.contact = "openid-1";
  grant.text = "benefit_granted";
  grant.provider_id = "ev-1";
  grant.at = run.clock.Now();
  ASSERT_TRUE(run.wechat->Say({}, {grant}));
  ASSERT_TRUE(run.wechat->Say({}, {grant})) << "WeChat calls back up to three times";
  run.Elder("r-1", {{"phone", kPhone}, {"wechat", "openid-1"}}, {"sms", "wechat"});
  Running::Await([&] { return run.sms->sent().size() == 1; });
  run.Tell("self", "r-1", {{"preferences", {{"channels", {"wechat", "sms"}}}}});
  run.clock.AdvanceTo(*ParseInstant("2026-04-20T10:00:00+08:00"));
  Running::Await([&] { return run.wechat->sent().size() == 1; });

  // The end of the allowance is another template, and there is no grant for it.
  run.Tell("police", "r-1", {{"hukou", {{"city", "440100"}}}});
  Running::Await([&] { return run.sms->sent().size() == 2; });
  EXPECT_EQ(run.wechat->sent().size(), 1U);
}

}  // namespace
}  // namespace zhitui::pipeline
