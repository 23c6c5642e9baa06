#include "sandbox/kannel.h"

#include <gtest/gtest.h>

#include "sandbox/harness.h"

namespace sandbox {
namespace {

TEST(Kannel, FillsTheEscapesOfAReportUrl) {
  EXPECT_EQ(FillDlrUrl("/r?a=m-1&k=1%%2F2&type=%d&answer=%A&t=%T&x=%z%", 8, "ACK/ x", 1768442400),
            "/r?a=m-1&k=1%2F2&type=8&answer=ACK%2F%20x&t=1768442400&x=%z%");
}

struct Smsbox {
  Bench& bench;
  httplib::Result Get(const Pairs& query) {
    std::string target = "/kannel/cgi-bin/sendsms";
    for (const auto& [key, value] : query) {
      target += (target.find('?') == std::string::npos ? "?" : "&") + key + "=" + PercentEncode(value);
    }
    return bench.client().Get(target);
  }
  static Pairs Good(const std::string& to) {
    return {{"username", "sandbox"},      {"password", "sandbox-kannel-secret"},
            {"from", "10690000"},         {"to", to},
            {"text", "您可领取高龄津贴"}, {"coding", "2"},
            {"charset", "UTF-8"}};
  }
  // Status and text of a call with one parameter changed; no value: left out.
  std::string With(const std::string& key, const std::optional<std::string>& value) {
    Pairs query;
    for (const auto& pair : Good("13800138000")) {
      if (pair.first != key) query.push_back(pair);
    }
    if (value) query.emplace_back(key, *value);
    const auto result = Get(query);
    return std::to_string(result->status) + " " + result->body;
  }
};

// The texts are those of Kannel 1.4.5.
TEST(KannelSendsms, AnswersAsSmsboxDoes) {
  Bench bench;
  Smsbox box{bench};
  EXPECT_EQ(box.With("", std::nullopt), "202 0: Accepted for delivery");
  EXPECT_EQ(box.With("password", "x"), "403 Authorization failed for sendsms");
  EXPECT_EQ(box.With("username", std::nullopt), "403 Authorization failed for sendsms");
  EXPECT_EQ(box.With("to", std::nullopt), "400 Missing receiver number, rejected");
  EXPECT_EQ(box.With("to", ""), "400 Empty receiver number not allowed, rejected");
  EXPECT_EQ(box.With("to", "abc"), "400 Garbage 'to' field, rejected.");
  EXPECT_EQ(box.With("text", "\xff").substr(0, 3), "400");
  EXPECT_EQ(box.With("coding", "0").substr(0, 3), "400");
  const auto lines = bench.Lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]["content"]["text"], "您可领取高龄津贴");
  EXPECT_EQ(lines[0].dump().find("13800138000"), std::string::npos);
}

TEST(KannelReports, GoWhereTheMessageSaysWithTheStatesOfItsMask) {
  Receiver receiver;
  Options options;
  options.callback_base = receiver.Base();
  Bench bench(options);
  Smsbox box{bench};
  const auto send = [&](const std::string& to, const std::string& attempt, const std::string& mask) {
    Pairs query = Smsbox::Good(to);
    query.emplace_back("dlr-mask", mask);
    query.emplace_back("dlr-url", receiver.Base() + "/v1/receipts/kannel?attempt=" + attempt + "&type=%d&answer=%A");
    return box.Get(query)->status;
  };
  EXPECT_EQ(send("13800138000", "m-1", "0"), 400);
  EXPECT_EQ(send("13800138000", "m-1", "31"), 202);
  auto got = receiver.Wait(2);
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].query.find("type")->second, "8");
  EXPECT_EQ(got[1].query.find("type")->second, "1");
  EXPECT_EQ(got[1].query.find("attempt")->second, "m-1");
  EXPECT_NE(got[1].query.find("answer")->second.find("stat:DELIVRD err:000"), std::string::npos);
  EXPECT_EQ(send("13800130015", "m-2", "31"), 202);
  got = receiver.Wait(4);
  ASSERT_EQ(got.size(), 4U);
  EXPECT_EQ(got[2].query.find("type")->second, "1") << "before the answer";
  EXPECT_EQ(got[3].query.find("type")->second, "8") << "and before what the SMSC said";
  EXPECT_EQ(send("13800130014", "m-3", "19"), 202);
  got = receiver.Wait(5);
  ASSERT_EQ(got.size(), 5U);
  EXPECT_EQ(got[4].query.find("type")->second, "2");
  EXPECT_NE(got[4].query.find("answer")->second.find("stat:UNDELIV err:001"), std::string::npos);
  EXPECT_EQ(bench.Lines().back()["attempt_id"], "m-3");
}

TEST(KannelReplies, ComeAsTheServiceUrlSays) {
  Receiver receiver;
  Options options;
  options.callback_base = receiver.Base();
  options.kannel.callback_key = "k";
  Bench bench(options);
  EXPECT_TRUE(bench.server().Push({"kannel", "13800138000", "TD"}));
  EXPECT_TRUE(bench.server().Push({"kannel", "13800138000", "退"}));
  const auto got = receiver.Wait(2);
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].path, "/v1/receipts/kannel");
  EXPECT_EQ(got[0].query.find("key")->second, "k");
  EXPECT_EQ(got[0].query.find("from")->second, "+8613800138000");
  EXPECT_EQ(got[0].query.find("text")->second, "TD");
  EXPECT_EQ(got[0].query.find("charset")->second, "UTF-8");
  EXPECT_EQ(got[0].query.find("time")->second, "1768442400");
  EXPECT_EQ(got[1].query.find("charset")->second, "UTF-16BE");
  EXPECT_EQ(got[1].query.find("text")->second, std::string("\x90\x00", 2)) << "U+9000";
}

}  // namespace
}  // namespace sandbox
