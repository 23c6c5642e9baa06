#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "delivery/scripted_peer.h"
#include "sandbox/sandbox.h"
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
  options.secret = "sandbox-wechat-secret";
  options.callback_token = "sandbox-callback-token";
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
  sandbox::ProviderStats stats() const { return server_.GetStats().at("wechat"); }

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
  options.secret = "wrong";
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

}  // namespace
}  // namespace zhitui::wechat
