#include <gtest/gtest.h>
#include <httplib.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "connectors/matrix.h"
#include "delivery/scripted_peer.h"
#include "sandbox/crypto.h"
#include "sandbox/sandbox.h"
#include "sandbox/wechat_crypto.h"
#include "sandbox/wechat_push.h"
#include "wechat/wechat.h"

namespace zhitui::wechat {
namespace {

using delivery::SendResult;
using delivery::Verdict;
using testing::HttpAnswerOf;
using testing::PeerAnswer;
using testing::PeerRequest;
using testing::ScriptedPeer;

TemplateMessageOptions Options(std::string url) {
  TemplateMessageOptions options;
  options.base_url = std::move(url);
  options.app_id = "wxsandbox00000001";
  options.secret = delivery::Secret("sandbox-wechat-secret");
  options.callback.token = delivery::Secret("sandbox-callback-token");
  options.templates = {{"benefit", "ngqIpbwh8bUfcSsECmogfXcV14J0tQlEpBO27izEYtY"}};
  return options;
}

delivery::SendRequest Request(std::string openid, std::string attempt) {
  delivery::SendRequest request;
  request.attempt_id = attempt;
  request.contact = std::move(openid);
  request.key = {std::move(attempt), {}};
  request.content.channel = Channel::kWechat;
  request.content.provider_template = "benefit";
  request.content.fields = {{"thing1", "高龄津贴"}, {"date2", "2026年1月15日"}};
  request.content.url = "https://example.gov.cn/a";
  request.timeout = Millis(20'000);
  return request;
}

class Simulator {
 public:
  explicit Simulator(sandbox::Options options = {}) : server_(std::move(options)) {
    const auto port = server_.Start();
    if (!port) throw std::runtime_error(port.error());
    url_ = "http://127.0.0.1:" + std::to_string(*port);
  }
  const std::string& url() const { return url_; }
  sandbox::ProviderStats stats(const std::string& provider = "wechat") const { return server_.GetStats().at(provider); }
  // A person acts: POST to /sandbox/grant or /sandbox/event of an account.
  void Act(const std::string& path, const nlohmann::json& body) const {
    httplib::Client client(url_);
    const auto answer = client.Post(path, body.dump(), "application/json");
    if (!answer || answer->status != 200) throw std::runtime_error("the simulator refused " + path);
  }

 private:
  sandbox::Server server_;
  std::string url_;
};

TEST(WechatSimulated, AcceptsAndARepeatWithTheSameKeyIsOneMessage) {
  Simulator simulator;
  const auto connector = NewTemplateMessage(Options(simulator.url()), nullptr);
  const SendResult first = connector->Send(Request("oABCDEF", "n1-1"));
  ASSERT_EQ(first.verdict, Verdict::kAccepted) << first.code << first.detail;
  const SendResult again = connector->Send(Request("oABCDEF", "n1-1"));
  EXPECT_EQ(again.verdict, Verdict::kAccepted);
  EXPECT_EQ(again.provider_id, first.provider_id);
  EXPECT_EQ(simulator.stats().accepted, 1U);
  EXPECT_EQ(connector->Send(Request("oABCDEF", "n2-1")).verdict, Verdict::kAccepted);
  EXPECT_EQ(simulator.stats().accepted, 2U);
}

TEST(WechatSimulated, EachFaultHasItsVerdict) {
  sandbox::Options options;
  options.slow_ms = 5000;
  Simulator simulator(options);
  const auto connector = NewTemplateMessage(Options(simulator.url()), nullptr);
  const auto verdict = [&](const char* openid, Millis timeout = Millis(20'000)) {
    auto request = Request(openid, std::string("n-") + openid);
    request.timeout = timeout;
    return connector->Send(request).verdict;
  };
  EXPECT_EQ(verdict("oMAGIC01a"), Verdict::kThrottled);
  EXPECT_EQ(verdict("oMAGIC02a"), Verdict::kDropContact);
  EXPECT_EQ(verdict("oMAGIC03a"), Verdict::kRetryLater);
  EXPECT_EQ(verdict("oMAGIC05a"), Verdict::kUnknown);
  EXPECT_EQ(verdict("oMAGIC05a"), Verdict::kAccepted) << "the same key again";
  EXPECT_EQ(verdict("oMAGIC06a"), Verdict::kUnknown);
  EXPECT_EQ(verdict("oMAGIC06a"), Verdict::kAccepted);
  EXPECT_EQ(verdict("oMAGIC07a", Millis(200)), Verdict::kUnknown);
  EXPECT_EQ(verdict("oMAGIC08a"), Verdict::kStopChannel);
  EXPECT_EQ(simulator.stats().accepted, 3U);
}

TEST(WechatSimulated, WhatCheckLetsThroughTheProviderTakes) {
  Simulator simulator;
  const auto connector = NewTemplateMessage(Options(simulator.url()), nullptr);
  const std::vector<std::pair<std::string, std::string>> fields = {
      {"thing1", "一二三四五六七八九十一二三四五六七八九十"},
      {"character_string2", "AB-12"},
      {"number3", "12.5"},
      {"letter4", "abc"},
      {"time5", "2026年1月15日 10:00"},
      {"time6", "10:00"},
      {"date7", "2026-01-15"},
      {"date8", "2026年1月15日~2026年2月1日"},
      {"amount9", "¥300.00"},
      {"amount10", "300元"},
      {"phone_number11", "0755-12345"},
      {"car_number12", "粤B12345"},
      {"name13", "张三"},
      {"phrase14", "已通过"}};
  int n = 0;
  for (const auto& field : fields) {
    auto request = Request("oABCDEF", "f-" + std::to_string(n++));
    request.content.fields = {field};
    ASSERT_TRUE(connector->Check(request.content).has_value()) << field.first;
    EXPECT_EQ(connector->Send(request).verdict, Verdict::kAccepted) << field.first << " " << field.second;
  }
}

TEST(WechatSimulated, WrongSecretsStopTheChannel) {
  Simulator simulator;
  TemplateMessageOptions options = Options(simulator.url());
  options.secret = delivery::Secret("wrong");
  const SendResult result = NewTemplateMessage(options, nullptr)->Send(Request("oABCDEF", "n1-1"));
  EXPECT_EQ(result.verdict, Verdict::kStopChannel);
  EXPECT_EQ(result.code, "40125");
}

std::string TokenBody(int n) { return R"({"access_token":"T)" + std::to_string(n) + R"(","expires_in":7200})"; }

// A provider with tokens T1, T2 …: only the newest is good.
class TokenWorld {
 public:
  PeerAnswer Answer(const PeerRequest& request) {
    if (request.Has("/cgi-bin/stable_token")) {
      tokens.fetch_add(1);
      return HttpAnswerOf(200, TokenBody(good.load()));
    }
    if (!request.Has("access_token=T" + std::to_string(good.load()) + " ")) {
      return HttpAnswerOf(200, R"({"errcode":42001,"errmsg":"expired rid: aa-bb"})");
    }
    return HttpAnswerOf(200, R"({"errcode":0,"errmsg":"ok","msgid":3487542469355618313})");
  }
  std::atomic<int> good{1};
  std::atomic<int> tokens{0};
};

TEST(WechatToken, OneRefreshServesAllThreadsAtStartAndAfterAnExpiry) {
  TokenWorld world;
  ScriptedPeer peer([&](const PeerRequest& request) { return world.Answer(request); });
  const auto connector = NewTemplateMessage(Options(peer.Url()), nullptr);
  const auto all = [&](const std::string& round) {
    std::atomic<int> accepted{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 32; ++t) {
      threads.emplace_back([&, t] {
        const SendResult result = connector->Send(Request("oABCDEF", round + std::to_string(t)));
        if (result.verdict == Verdict::kAccepted && result.provider_id == "3487542469355618313") accepted.fetch_add(1);
      });
    }
    for (std::thread& thread : threads) thread.join();
    return accepted.load();
  };
  EXPECT_EQ(all("a"), 32);
  EXPECT_EQ(world.tokens, 1);
  world.good = 2;
  EXPECT_EQ(all("b"), 32);
  EXPECT_EQ(world.tokens, 2) << "exactly one refresh";
  EXPECT_EQ(peer.Count("\"force_refresh\":false"), 2U);
}

TEST(WechatToken, ATokenThatStaysBadStopsTheChannelAfterOneRefetch) {
  std::atomic<int> tokens{0};
  ScriptedPeer peer([&](const PeerRequest& request) {
    if (request.Has("/cgi-bin/stable_token")) return HttpAnswerOf(200, TokenBody(tokens.fetch_add(1)));
    return HttpAnswerOf(200, R"({"errcode":40001,"errmsg":"invalid credential rid: aa-bb"})");
  });
  const SendResult result = NewTemplateMessage(Options(peer.Url()), nullptr)->Send(Request("oABCDEF", "n1-1"));
  EXPECT_EQ(result.verdict, Verdict::kStopChannel);
  EXPECT_EQ(result.code, "40001");
  EXPECT_EQ(result.detail, "rid aa-bb");
  EXPECT_EQ(tokens, 2);
  EXPECT_EQ(peer.Count("\"client_msg_id\":\"n1-1\""), 2U) << "both with the same key";
}

TEST(WechatToken, WithoutATokenNothingWasSent) {
  const std::vector<PeerAnswer> answers = {
      HttpAnswerOf(200, "{"), HttpAnswerOf(502, "<html>"), {"", PeerAnswer::kReset}};
  for (std::size_t i = 0; i < answers.size(); ++i) {
    ScriptedPeer peer([&](const PeerRequest&) { return answers[i]; });
    const SendResult result = NewTemplateMessage(Options(peer.Url()), nullptr)->Send(Request("oABCDEF", "n1-1"));
    EXPECT_EQ(result.verdict, Verdict::kNotSent) << i;
    EXPECT_EQ(peer.Count("template/send"), 0U);
  }
  ScriptedPeer busy([](const PeerRequest&) { return HttpAnswerOf(200, R"({"errcode":-1,"errmsg":"busy"})"); });
  EXPECT_EQ(NewTemplateMessage(Options(busy.Url()), nullptr)->Send(Request("oABCDEF", "n1-1")).verdict,
            Verdict::kRetryLater);
  ScriptedPeer mute([](const PeerRequest&) { return PeerAnswer{"", PeerAnswer::kHold}; });
  auto hurried = Request("oABCDEF", "n1-1");
  hurried.timeout = Millis(100);
  EXPECT_EQ(NewTemplateMessage(Options(mute.Url()), nullptr)->Send(hurried).verdict, Verdict::kNotSent);
}

TEST(WechatPeer, ARefusedTemplateIsTriedOnceMore) {
  std::atomic<int> sends{0};
  std::atomic<int> refusals{1};
  ScriptedPeer peer([&](const PeerRequest& request) {
    if (request.Has("/cgi-bin/stable_token")) return HttpAnswerOf(200, TokenBody(1));
    sends.fetch_add(1);
    if (refusals.fetch_sub(1) > 0) return HttpAnswerOf(200, R"({"errcode":40037,"errmsg":"invalid template_id"})");
    return HttpAnswerOf(200, R"({"errcode":0,"msgid":1})");
  });
  const auto connector = NewTemplateMessage(Options(peer.Url()), nullptr);
  EXPECT_EQ(connector->Send(Request("oABCDEF", "n1-1")).verdict, Verdict::kAccepted);
  refusals = 9;
  EXPECT_EQ(connector->Send(Request("oABCDEF", "n1-2")).verdict, Verdict::kFixMessage);
  EXPECT_EQ(sends, 4);
}

TEST(WechatPeer, TheDailyQuotaStopsUntilMidnight) {
  ScriptedPeer peer([](const PeerRequest& request) {
    if (request.Has("/cgi-bin/stable_token")) return HttpAnswerOf(200, TokenBody(1));
    return HttpAnswerOf(200, R"({"errcode":45009,"errmsg":"reach max api daily quota limit"})");
  });
  const SendResult result = NewTemplateMessage(Options(peer.Url()), nullptr)->Send(Request("oABCDEF", "n1-1"));
  EXPECT_EQ(result.verdict, Verdict::kStopChannel);
  ASSERT_TRUE(result.retry_after.has_value());
  EXPECT_GT(*result.retry_after, Millis(0));
  EXPECT_LE(*result.retry_after, std::chrono::hours(24));
}

TEST(WechatPeer, MalformedAnswersAreUnknownAndSentOnce) {
  const std::vector<PeerAnswer> answers = {HttpAnswerOf(200, "ok"),
                                           HttpAnswerOf(200, "{}"),
                                           HttpAnswerOf(200, R"({"errcode":"0"})"),
                                           HttpAnswerOf(504, ""),
                                           HttpAnswerOf(200, std::string((1 << 20) + 1, ' ')),
                                           {"", PeerAnswer::kClose},
                                           {"", PeerAnswer::kReset}};
  for (std::size_t i = 0; i < answers.size(); ++i) {
    ScriptedPeer peer([&](const PeerRequest& request) {
      return request.Has("/cgi-bin/stable_token") ? HttpAnswerOf(200, TokenBody(1)) : answers[i];
    });
    EXPECT_EQ(NewTemplateMessage(Options(peer.Url()), nullptr)->Send(Request("oABCDEF", "n1-1")).verdict,
              Verdict::kUnknown)
        << i;
    EXPECT_EQ(peer.Count("template/send"), 1U) << i;
  }
}

TEST(WechatPeer, NobodyListeningIsNotSent) {
  const auto connector =
      NewTemplateMessage(Options("http://127.0.0.1:" + std::to_string(ScriptedPeer::DeadPort())), nullptr);
  EXPECT_EQ(connector->Send(Request("oABCDEF", "n1-1")).verdict, Verdict::kNotSent);
}

// A log that remembers, to see what is said and what is not.
class MemoryLogger final : public Logger {
 public:
  void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) override {
    const std::scoped_lock lock(mutex_);
    if (level == LogLevel::kError) ++errors_;
    text_ += std::string(event) + " ";
    for (const LogField& field : fields) {
      if (const auto* text = std::get_if<std::string_view>(&field.value)) text_ += std::string(*text) + " ";
    }
  }
  int errors() const { return errors_; }
  const std::string& text() const { return text_; }

 private:
  std::mutex mutex_;
  int errors_ = 0;
  std::string text_;
};

TEST(WechatPeer, AStoppedChannelIsOneAlarmWithoutSecretsOrPeople) {
  ScriptedPeer peer([](const PeerRequest& request) {
    if (request.Has("/cgi-bin/stable_token")) return HttpAnswerOf(200, TokenBody(1));
    return HttpAnswerOf(200, R"({"errcode":48001,"errmsg":"api unauthorized oABCDEF 高龄津贴 rid: aa-bb"})");
  });
  MemoryLogger log;
  const auto connector = NewTemplateMessage(Options(peer.Url()), &log);
  for (int i = 0; i < 5; ++i) connector->Send(Request("oABCDEF", "n1-" + std::to_string(i)));
  EXPECT_EQ(log.errors(), 1);
  EXPECT_NE(log.text().find("48001"), std::string::npos);
  for (const char* secret : {"oABCDEF", "高龄", "sandbox-wechat-secret", "T1"}) {
    EXPECT_EQ(log.text().find(secret), std::string::npos) << secret;
  }
}

// ---- The matrix: four connectors, everything that can happen

SubscriptionOptions Subscription(const std::string& url) {
  SubscriptionOptions options;
  static_cast<MessageOptions&>(options) = Options(url);
  options.long_term = true;
  return options;
}

MiniOptions Mini(const std::string& url) {
  MiniOptions options;
  static_cast<MessageOptions&>(options) = Options(url + "/wechat_mini");
  options.app_id = "wxsandbox00000002";
  options.secret = delivery::Secret("sandbox-mini-secret");
  options.long_term = true;
  return options;
}

WecomOptions Corp(const std::string& url) {
  WecomOptions options;
  options.base_url = url + "/wecom";
  options.app_id = "wwsandbox00000001";
  options.secret = delivery::Secret("sandbox-wecom-secret");
  options.agent_id = 1000002;
  return options;
}

delivery::SendRequest Text(std::string user, std::string attempt) {
  auto request = Request(std::move(user), std::move(attempt));
  request.content.title = "高龄津贴";
  request.content.body = "您可以领取 " + request.attempt_id;  // a text of its own
  return request;
}

// Counts token requests: each is logged once.
class TokenCounter final : public Logger {
 public:
  void Log(LogLevel, std::string_view event, std::initializer_list<LogField>) override {
    if (event == "wechat_token_renewed") count.fetch_add(1);
  }
  std::atomic<std::uint64_t> count{0};
};

sandbox::Options Consented() {
  sandbox::Options options;
  options.wechat.one_off = false;
  options.slow_ms = 5000;
  return options;
}

// `magic` begins a contact. `refused`, `throttled`: the codes of those faults.
std::vector<testing::MatrixRow> Rows(const std::string& magic, const std::string& refused, const std::string& throttled,
                                     Verdict quota) {
  return {
      {"accepted", magic + "20a", Verdict::kAccepted, "0", 1, 1},
      {"throttled", magic + "01a", Verdict::kThrottled, throttled, 1, 0},
      {"contact refused", magic + "02a", Verdict::kDropContact, refused, 1, 0},
      {"busy", magic + "03a", Verdict::kRetryLater, "-1", 1, 0},
      {"failed later", magic + "04a", Verdict::kAccepted, "0", 1, 1},
      {"accepted, answer lost", magic + "05a", Verdict::kUnknown, "", 1, 1},
      {"lost before acceptance", magic + "06a", Verdict::kUnknown, "", 1, 0},
      {"time-out after acceptance", magic + "07a", Verdict::kUnknown, "", 1, 1, Millis(300)},
      {"out of quota", magic + "08a", quota, "45009", 1, 0},
      {"never a receipt", magic + "09a", Verdict::kAccepted, "0", 1, 1},
      {"malformed answer", magic + "11a", Verdict::kUnknown, "", 1, 1},
      {"token expired", magic + "12a", Verdict::kAccepted, "0", 2, 1},
      {"nobody there later", magic + "14a", Verdict::kAccepted, "0", 1, 1},
  };
}

void RunMatrix(delivery::Connector& connector, const Simulator& simulator, const std::string& provider,
               TokenCounter& tokens, const std::vector<testing::MatrixRow>& rows,
               delivery::SendRequest (*make)(std::string, std::string)) {
  int n = 0;
  testing::CheckMatrix(
      connector, rows,
      [&](const std::string& contact) { return make(contact, connector.name() + std::to_string(++n) + "-1"); },
      [&] {
        const auto stats = simulator.stats(provider);
        return testing::MatrixCounts{stats.requests - tokens.count, stats.accepted};
      });
}

TEST(WechatMatrix, OfTemplateMessages) {
  Simulator simulator(Consented());
  TokenCounter tokens;
  const auto connector = NewTemplateMessage(Options(simulator.url()), &tokens);
  RunMatrix(*connector, simulator, "wechat", tokens, Rows("oMAGIC", "40003", "45011", Verdict::kStopChannel), Request);
}

TEST(WechatMatrix, OfSubscriptionMessages) {
  Simulator simulator(Consented());
  TokenCounter tokens;
  const auto connector = NewSubscription(Subscription(simulator.url()), &tokens);
  RunMatrix(*connector, simulator, "wechat", tokens, Rows("oMAGIC", "40003", "45011", Verdict::kStopChannel), Request);
}

TEST(WechatMatrix, OfMiniProgramMessages) {
  Simulator simulator(Consented());
  TokenCounter tokens;
  const auto connector = NewMini(Mini(simulator.url()), &tokens);
  RunMatrix(*connector, simulator, "wechat_mini", tokens, Rows("oMAGIC", "40003", "45011", Verdict::kStopChannel),
            Request);
}

TEST(WechatMatrix, OfWecomMessages) {
  Simulator simulator(Consented());
  TokenCounter tokens;
  const auto connector = NewWecom(Corp(simulator.url()), &tokens);
  RunMatrix(*connector, simulator, "wecom", tokens, Rows("magic", "81013", "45033", Verdict::kThrottled), Text);
}

TEST(WechatMatrix, NobodyListeningIsNotSentByAnyOfThem) {
  const std::string dead = "http://127.0.0.1:" + std::to_string(ScriptedPeer::DeadPort());
  for (const auto& connector :
       {NewTemplateMessage(Options(dead), nullptr), NewSubscription(Subscription(dead), nullptr),
        NewMini(Mini(dead), nullptr), NewWecom(Corp(dead), nullptr)}) {
    EXPECT_EQ(connector->Send(Text(connector->name() == "wecom" ? "zhangsan" : "oABCDEF", "n1-1")).verdict,
              Verdict::kNotSent)
        << connector->name();
  }
}

// ---- One account

TEST(WechatAccount, ConnectorsOfOneAccountMakeOneTokenRequestBetweenThem) {
  Simulator simulator(Consented());
  const auto first = NewTemplateMessage(Options(simulator.url()), nullptr);
  const auto second = NewSubscription(Subscription(simulator.url()), nullptr);
  EXPECT_EQ(first->Send(Request("oABCDEF", "n1-1")).verdict, Verdict::kAccepted);
  EXPECT_EQ(second->Send(Request("oABCDEF", "n1-2")).verdict, Verdict::kAccepted);
  EXPECT_EQ(simulator.stats().requests, 3U) << "one token, two messages";
}

// Another address of the same account stands for another process: nothing is shared but the account at WeChat.
TEST(WechatAccount, InstancesKeepEachOthersTokenValid) {
  Simulator simulator(Consented());
  const auto here = NewTemplateMessage(Options(simulator.url()), nullptr);
  const auto there = NewTemplateMessage(Options(simulator.url() + "/wechat"), nullptr);
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(here->Send(Request("oABCDEF", "a" + std::to_string(round) + "-1")).verdict, Verdict::kAccepted);
    EXPECT_EQ(there->Send(Request("oABCDEF", "b" + std::to_string(round) + "-1")).verdict, Verdict::kAccepted);
  }
  const auto stats = simulator.stats();
  EXPECT_EQ(stats.requests, 8U) << "a token each, and six messages";
  EXPECT_TRUE(stats.errors.empty()) << "no token was ever refused";
}

TEST(WechatAccount, ARotatedSecretIsTakenUpAndItsTokenFetchedAnew) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("wechat-secret-" + std::to_string(::getpid()))).string();
  std::ofstream(path) << "old";
  ScriptedPeer peer([](const PeerRequest& request) {
    if (request.Has("stable_token")) return HttpAnswerOf(200, TokenBody(request.Has("\"secret\":\"new\"") ? 2 : 1));
    return HttpAnswerOf(200, R"({"errcode":0,"msgid":1})");
  });
  TemplateMessageOptions options = Options(peer.Url());
  options.secret = delivery::Secret::FromFile(path, "old");
  const auto connector = NewTemplateMessage(options, nullptr);
  EXPECT_EQ(connector->Send(Request("oABCDEF", "n1-1")).verdict, Verdict::kAccepted);
  std::ofstream(path) << "new";
  // The file is looked at once a second.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  for (int n = 2; peer.Count("access_token=T2 ") == 0 && std::chrono::steady_clock::now() < deadline; ++n) {
    connector->Send(Request("oABCDEF", "n" + std::to_string(n) + "-1"));
  }
  std::filesystem::remove(path);
  EXPECT_GT(peer.Count("access_token=T2 "), 0U);
  EXPECT_EQ(peer.Count("stable_token"), 2U);
}

TEST(WechatAccount, MessagesToOnePersonGoOneAfterTheOther) {
  sandbox::Options options = Consented();
  options.slow_ms = 300;
  Simulator simulator(options);
  const auto first = NewSubscription(Subscription(simulator.url()), nullptr);
  std::vector<std::thread> threads;
  std::atomic<int> accepted{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      if (first->Send(Request("oMAGIC07a", std::to_string(t) + "-1")).verdict == Verdict::kAccepted)
        accepted.fetch_add(1);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(accepted, 4);
  EXPECT_EQ(simulator.stats().errors.count("43108"), 0U);

  // The provider itself refuses what comes at the same time.
  ScriptedPeer strict([](const PeerRequest& request) {
    if (request.Has("stable_token")) return HttpAnswerOf(200, TokenBody(1));
    return HttpAnswerOf(200, R"({"errcode":43108,"errmsg":"Cannot make concurrent calls to the same OpenID"})");
  });
  const SendResult refused = NewSubscription(Subscription(strict.Url()), nullptr)->Send(Request("oABCDEF", "n1-1"));
  EXPECT_EQ(refused.verdict, Verdict::kThrottled);
  EXPECT_EQ(refused.retry_after, Millis(1000));
}

TEST(WechatAccount, AfterThreeBusyAnswersTheMessageGoesToTheNextChannel) {
  ScriptedPeer peer([](const PeerRequest& request) {
    if (request.Has("stable_token")) return HttpAnswerOf(200, TokenBody(1));
    return HttpAnswerOf(200, R"({"errcode":-1,"errmsg":"system error"})");
  });
  const auto connector = NewTemplateMessage(Options(peer.Url()), nullptr);
  EXPECT_EQ(connector->Send(Request("oABCDEF", "n1-1")).verdict, Verdict::kRetryLater);
  EXPECT_EQ(connector->Send(Request("oABCDEF", "n2-1")).verdict, Verdict::kRetryLater) << "another message";
  EXPECT_EQ(connector->Send(Request("oABCDEF", "n1-2")).verdict, Verdict::kRetryLater);
  EXPECT_EQ(connector->Send(Request("oABCDEF", "n1-3")).verdict, Verdict::kFixMessage);
  EXPECT_EQ(peer.Count("template/send"), 4U);
}

TEST(WechatAccount, AnAttemptThatMayHaveBeenTakenIsNotGivenUpBecauseItsRepeatMeetsBusyAnswers) {
  std::atomic<bool> mute{false};
  ScriptedPeer peer([&](const PeerRequest& request) {
    if (request.Has("stable_token")) return HttpAnswerOf(200, TokenBody(1));
    if (mute) return PeerAnswer{"", PeerAnswer::kClose};
    return HttpAnswerOf(200, R"({"errcode":-1,"errmsg":"system error"})");
  });
  const auto connector = NewTemplateMessage(Options(peer.Url()), nullptr);
  EXPECT_EQ(connector->Send(Request("oABCDEF", "n1-1")).verdict, Verdict::kRetryLater);
  EXPECT_EQ(connector->Send(Request("oABCDEF", "n1-2")).verdict, Verdict::kRetryLater);
  mute = true;
  EXPECT_EQ(connector->Send(Request("oABCDEF", "n1-3")).verdict, Verdict::kUnknown);
  mute = false;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(connector->Send(Request("oABCDEF", "n1-3")).verdict, Verdict::kRetryLater) << i;
}

// ---- Grants and call-backs, end to end with the simulator

// Gives what is posted to a connector, answers what it answers, and keeps both.
class CallbackServer {
 public:
  using Hear = std::function<delivery::CallbackReply(const delivery::CallbackRequest&)>;
  void HearWith(Hear hear) {
    const std::scoped_lock lock(mutex_);
    hear_ = std::move(hear);
  }
  std::string Url() const { return peer_.Url(); }
  std::vector<delivery::CallbackReply> Wait(std::size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(20), [&] { return replies_.size() >= n; });
    return replies_;
  }
  std::vector<PeerRequest> Requests() const { return peer_.Requests(); }

 private:
  PeerAnswer Answer(const PeerRequest& request) {
    const std::string line = request.Line();
    const std::string target = line.substr(line.find(' ') + 1, line.rfind(' ') - line.find(' ') - 1);
    httplib::Params params;
    httplib::detail::parse_query_text(target.substr(target.find('?') + 1), params);
    const std::scoped_lock lock(mutex_);
    delivery::CallbackReply reply = hear_({"POST", {params.begin(), params.end()}, {}, request.body});
    replies_.push_back(reply);
    changed_.notify_all();
    return HttpAnswerOf(reply.status, reply.body);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  Hear hear_;
  std::vector<delivery::CallbackReply> replies_;
  ScriptedPeer peer_{[this](const PeerRequest& request) { return Answer(request); }};
};

constexpr char kTemplate[] = "ngqIpbwh8bUfcSsECmogfXcV14J0tQlEpBO27izEYtY";

// What follows must hold in each way in which an account may be set to post.
struct Posting {
  const char* what;
  std::string aes_key;
  bool compatible;
  bool json;
};
std::vector<Posting> Postings() {
  const std::string key = sandbox::RandomHex(42) + "A";
  return {{"plain XML", "", false, false},      {"plain JSON", "", false, true},
          {"encrypted XML", key, false, false}, {"encrypted JSON", key, false, true},
          {"compatible XML", key, true, false}, {"compatible JSON", key, true, true}};
}

TEST(WechatCallbacks, AOneOffGrantIsOneMessageAndEveryEventIsHeardInEveryMode) {
  for (const Posting& posting : Postings()) {
    SCOPED_TRACE(posting.what);
    CallbackServer receiver;
    sandbox::Options options;
    options.callback_base = receiver.Url();
    options.wechat.aes_key = posting.aes_key;
    options.wechat.compatible = posting.compatible;
    options.wechat.json = posting.json;
    Simulator simulator(options);
    SubscriptionOptions mine = Subscription(simulator.url());
    mine.long_term = false;
    mine.callback.aes_key = delivery::Secret(posting.aes_key);
    const auto connector = NewSubscription(mine, nullptr);
    receiver.HearWith([&](const delivery::CallbackRequest& request) { return connector->ParseCallback(request); });

    const SendResult early = connector->Send(Request("oABCDEF", "n0-1"));
    EXPECT_EQ(early.verdict, Verdict::kFixMessage) << "the openid lives";
    EXPECT_EQ(early.code, "43101");
    simulator.Act("/wechat/sandbox/grant", {{"openid", "oABCDEF"}, {"template_id", kTemplate}});
    auto heard = receiver.Wait(1);
    ASSERT_EQ(heard.size(), 1U);
    ASSERT_EQ(heard[0].signals.size(), 1U) << heard[0].status << heard[0].body;
    EXPECT_EQ(heard[0].signals[0].kind, delivery::SignalKind::kGrant);
    EXPECT_EQ(heard[0].signals[0].text, "benefit");
    EXPECT_EQ(heard[0].signals[0].contact, "oABCDEF");
    EXPECT_EQ(heard[0].body, posting.aes_key.empty() ? "success" : "");

    const SendResult sent = connector->Send(Request("oABCDEF", "n1-1"));
    ASSERT_EQ(sent.verdict, Verdict::kAccepted) << sent.code << sent.detail;
    EXPECT_EQ(connector->Send(Request("oABCDEF", "n2-1")).code, "43101") << "used up";
    heard = receiver.Wait(2);
    ASSERT_EQ(heard.size(), 2U);
    ASSERT_EQ(heard[1].receipts.size(), 1U);
    EXPECT_EQ(heard[1].receipts[0].provider_id, sent.provider_id);
    EXPECT_EQ(heard[1].receipts[0].state, delivery::ReceiptState::kDelivered);

    const std::vector<std::pair<std::string, delivery::SignalKind>> acts = {{"reject", delivery::SignalKind::kRefusal},
                                                                            {"change", delivery::SignalKind::kRefusal},
                                                                            {"unfollow", delivery::SignalKind::kGone},
                                                                            {"text", delivery::SignalKind::kReply}};
    std::size_t n = 2;
    for (const auto& [act, kind] : acts) {
      simulator.Act("/wechat/sandbox/event",
                    {{"openid", "oABCDEF"}, {"event", act}, {"template_id", kTemplate}, {"text", "退订"}});
      heard = receiver.Wait(++n);
      ASSERT_EQ(heard.size(), n) << act;
      ASSERT_EQ(heard.back().signals.size(), 1U) << act;
      EXPECT_EQ(heard.back().signals[0].kind, kind) << act;
    }
    EXPECT_EQ(heard.back().signals[0].text, "退订");
  }
}

TEST(WechatCallbacks, TheSamePostTwiceGivesTheSameIds) {
  CallbackServer receiver;
  sandbox::Options options;
  options.callback_base = receiver.Url();
  options.receipts = sandbox::Receipts::kDuplicate;
  options.receipt_delay_ms = 1;
  Simulator simulator(options);
  const auto connector = NewSubscription(Subscription(simulator.url()), nullptr);
  receiver.HearWith([&](const delivery::CallbackRequest& request) { return connector->ParseCallback(request); });
  simulator.Act("/wechat/sandbox/grant", {{"openid", "oABCDEF"}, {"template_id", kTemplate}});
  const auto heard = receiver.Wait(2);
  ASSERT_EQ(heard.size(), 2U);
  EXPECT_EQ(heard[0].signals.at(0).provider_id, heard[1].signals.at(0).provider_id);
}

TEST(WechatCallbacks, ReceiptsComeInAnyOrderAndTellTheirFate) {
  for (const bool mini : {false, true}) {
    CallbackServer receiver;
    sandbox::Options options = Consented();
    options.callback_base = receiver.Url();
    Simulator simulator(options);
    const auto connector =
        mini ? NewMini(Mini(simulator.url()), nullptr) : NewSubscription(Subscription(simulator.url()), nullptr);
    receiver.HearWith([&](const delivery::CallbackRequest& request) { return connector->ParseCallback(request); });

    // Before the answer: the receipt has been heard when Send returns.
    const SendResult first = connector->Send(Request("oMAGIC15a", "n1-1"));
    ASSERT_EQ(first.verdict, Verdict::kAccepted);
    ASSERT_EQ(receiver.Requests().size(), 1U);
    EXPECT_EQ(receiver.Wait(1)[0].receipts.at(0).provider_id, first.provider_id);

    connector->Send(Request("oMAGIC04a", "n2-1"));
    auto heard = receiver.Wait(2);
    EXPECT_EQ(heard.at(1).receipts.at(0).state, delivery::ReceiptState::kUndelivered);
    EXPECT_FALSE(heard.at(1).receipts.at(0).contact_dead);
    connector->Send(Request("oMAGIC14a", "n3-1"));
    heard = receiver.Wait(4);  // a receipt and the event of the one who left, in either order
    ASSERT_EQ(heard.size(), 4U);
    std::size_t dead = 0;
    std::size_t gone = 0;
    for (const auto& reply : heard) {
      for (const auto& receipt : reply.receipts) dead += receipt.contact_dead ? 1 : 0;
      gone += reply.signals.size();
    }
    EXPECT_EQ(dead, 1U);
    EXPECT_EQ(gone, 1U);
  }
}

TEST(WechatCallbacks, OfWecomAreEncryptedForTheCorporation) {
  const std::string key = sandbox::RandomHex(43);
  WecomOptions options = Corp("http://127.0.0.1:1");
  options.callback.token = delivery::Secret("corp-token");
  options.callback.aes_key = delivery::Secret(key);
  const auto connector = NewWecom(options, nullptr);
  const std::string timestamp =
      std::to_string(std::chrono::duration_cast<std::chrono::seconds>(SystemClock().Now().time_since_epoch()).count());
  const auto post = [&](const std::string& receiver, const std::string& body) {
    const std::string encrypted = sandbox::WechatEncrypt(key, receiver, sandbox::RandomHex(16), body);
    const std::multimap<std::string, std::string> query = {
        {"msg_signature", sandbox::WechatMessageSignature("corp-token", timestamp, "n0nce", encrypted)},
        {"timestamp", timestamp},
        {"nonce", "n0nce"}};
    return connector->ParseCallback(
        {"POST", query, {}, "<xml><ToUserName>ww</ToUserName><Encrypt>" + encrypted + "</Encrypt></xml>"});
  };
  const std::string body = sandbox::WechatPush(false, "zhangsan", 1000).Text(7, "收到");
  const auto reply = post("wwsandbox00000001", body);
  EXPECT_EQ(reply.status, 200);
  ASSERT_EQ(reply.signals.size(), 1U);
  EXPECT_EQ(reply.signals[0].contact, "zhangsan");
  EXPECT_EQ(reply.signals[0].text, "收到");
  EXPECT_EQ(post("wwsandbox00000002", body).status, 401) << "for another corporation";
  EXPECT_EQ(post("wwsandbox00000001", "<xml>").status, 401);
}

// ---- WeCom

TEST(WecomSimulated, ALostAnswerIsRepeatedWithoutASecondMessage) {
  Simulator simulator(Consented());
  const auto connector = NewWecom(Corp(simulator.url()), nullptr);
  const auto request = Text("magic05a", "n1-1");
  EXPECT_EQ(connector->Send(request).verdict, Verdict::kUnknown);
  const SendResult again = connector->Send(request);
  EXPECT_EQ(again.verdict, Verdict::kAccepted);
  EXPECT_FALSE(again.provider_id.empty());
  EXPECT_EQ(simulator.stats("wecom").accepted, 1U);
  EXPECT_EQ(simulator.stats("wecom").suppressed, 1U);
}

TEST(WecomSimulated, TheLongestTextIsTaken) {
  Simulator simulator(Consented());
  const auto connector = NewWecom(Corp(simulator.url()), nullptr);
  auto request = Text("zhangsan", "n1-1");
  for (int i = 0; i < 2000; ++i) request.content.body += "好";
  EXPECT_EQ(connector->Send(request).verdict, Verdict::kAccepted);
}

TEST(WecomSimulated, WrongSettingsStopTheChannel) {
  Simulator simulator(Consented());
  WecomOptions options = Corp(simulator.url());
  options.agent_id = 7;
  EXPECT_EQ(NewWecom(options, nullptr)->Send(Text("zhangsan", "n1-1")).code, "40056");
  options = Corp(simulator.url());
  options.secret = delivery::Secret("wrong");
  const SendResult result = NewWecom(options, nullptr)->Send(Text("zhangsan", "n1-1"));
  EXPECT_EQ(result.verdict, Verdict::kStopChannel);
  EXPECT_EQ(result.code, "40001");
}

TEST(WecomPeer, AReceiverInTheListOfInvalidOnesWasNotTold) {
  std::string list = "invaliduser";
  ScriptedPeer peer([&](const PeerRequest& request) {
    if (request.Has("gettoken")) return HttpAnswerOf(200, R"({"errcode":0,"access_token":"T","expires_in":7200})");
    return HttpAnswerOf(200, R"({"errcode":0,"errmsg":"ok",")" + list + R"(":"zhangsan","msgid":"m"})");
  });
  const auto connector = NewWecom(Corp(peer.Url()), nullptr);
  for (const char* name : {"invaliduser", "unlicenseduser"}) {
    list = name;
    const SendResult result = connector->Send(Text("ZhangSan", "n1-1"));
    EXPECT_EQ(result.verdict, Verdict::kDropContact);
    EXPECT_EQ(result.code, name);
    EXPECT_EQ(result.provider_id, "");
  }
  EXPECT_EQ(peer.Count("gettoken"), 1U);
}

}  // namespace
}  // namespace zhitui::wechat
