#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "sandbox/harness.h"

namespace sandbox {
namespace {

using nlohmann::json;

Options To(const Receiver& receiver) {
  Options options;
  options.callback_base = receiver.Base();
  options.receipt_retry_ms = 1;
  return options;
}

std::string Between(const std::string& text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  if (at == std::string::npos) return {};
  const size_t start = at + from.size();
  return text.substr(start, text.find(to, start) - start);
}

std::string Query(const Receiver::Got& got, const char* name) {
  const auto at = got.query.find(name);
  return at == got.query.end() ? std::string() : at->second;
}

void WaitAcked(Bench& bench, uint64_t wechat, uint64_t aliyun) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::chrono::steady_clock::now() < deadline) {
    const Stats stats = bench.server().GetStats();
    if (stats.at("wechat").receipts_acked >= wechat && stats.at("aliyun").receipts_acked >= aliyun) return;
    std::this_thread::yield();
  }
}

TEST(WechatReceipts, AreSignedAndSayWhatBecameOfTheMessage) {
  Receiver receiver;
  Bench bench(To(receiver));
  std::map<std::string, std::pair<std::string, std::string>> expected;
  for (const char* who : {"oResident0001", "oMAGIC04aa", "oMAGIC09aa", "oResident0002"}) {
    const json answer = bench.Wechat(Bench::WechatBody(who, "id"));
    const bool failed = std::string(who) == "oMAGIC04aa";
    if (std::string(who) == "oMAGIC09aa") continue;
    expected[std::to_string(answer["msgid"].get<int64_t>())] = {who, failed ? "failed:user block" : "success"};
  }
  WaitAcked(bench, 3, 0);
  const auto got = receiver.Wait(3);
  ASSERT_EQ(got.size(), 3U);
  for (const auto& one : got) {
    EXPECT_EQ(one.path, "/v1/receipts/wechat");
    EXPECT_EQ(Query(one, "signature"),
              WechatSignature(bench.options().wechat_callback_token, Query(one, "timestamp"), Query(one, "nonce")));
    EXPECT_EQ(Between(one.body, "<Event><![CDATA[", "]]>"), "TEMPLATESENDJOBFINISH");
    EXPECT_EQ(Between(one.body, "<MsgType><![CDATA[", "]]>"), "event");
    EXPECT_EQ(Between(one.body, "<CreateTime>", "</"), "1768442400");
    const auto& [who, status] = expected.at(Between(one.body, "<MsgID>", "</"));
    EXPECT_EQ(Between(one.body, "<FromUserName><![CDATA[", "]]>"), who);
    EXPECT_EQ(Between(one.body, "<Status><![CDATA[", "]]>"), status);
  }
  EXPECT_EQ(bench.server().GetStats().at("wechat").receipts_pending, 0U);
}

TEST(AliyunReceipts, AreAnArrayWithTheDocumentedFields) {
  Receiver receiver;
  Options options = To(receiver);
  options.aliyun_callback_key = "shared secret";
  Bench bench(options);
  const json sent = bench.Sms("+8613800138000", "m-1");
  const auto got = receiver.Wait(1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].path, "/v1/receipts/aliyun");
  EXPECT_EQ(Query(got[0], "key"), "shared secret");
  const json array = json::parse(got[0].body);
  ASSERT_EQ(array.size(), 1U);
  EXPECT_EQ(array[0], json({{"phone_number", "13800138000"},
                            {"send_time", "2026-01-15 10:00:00"},
                            {"report_time", "2026-01-15 10:00:00"},
                            {"success", true},
                            {"err_code", "DELIVERED"},
                            {"err_msg", "用户接收成功"},
                            {"sms_size", "1"},
                            {"biz_id", sent["BizId"]},
                            {"out_id", "m-1"}}));
}

TEST(AliyunReceipts, OfFailedAndSilentNumbersDiffer) {
  Receiver receiver;
  Bench bench(To(receiver));
  bench.Sms("13800130009", "silent");
  bench.Sms("13800130004", "failed");
  WaitAcked(bench, 0, 1);
  const auto got = receiver.Wait(1);
  ASSERT_EQ(got.size(), 1U);
  const json array = json::parse(got[0].body);
  ASSERT_EQ(array.size(), 1U);
  EXPECT_EQ(array[0]["out_id"], "failed");
  EXPECT_EQ(array[0]["success"], false);
  EXPECT_EQ(array[0]["err_code"], "UNDELIV");
}

TEST(AliyunReceipts, GoInBatchesOfAtMostAHundred) {
  Receiver receiver;
  receiver.FailNext(1);
  Bench bench(To(receiver));
  std::string numbers;
  for (int i = 0; i < 250; ++i) numbers += (i == 0 ? "" : ",") + std::to_string(13800138000 + i);
  EXPECT_EQ(bench.Sms(numbers, "m-1")["Code"], "OK");
  WaitAcked(bench, 0, 250);
  std::map<std::string, int> seen;
  for (const auto& one : receiver.Wait(3)) {
    const json array = json::parse(one.body);
    EXPECT_LE(array.size(), 100U);
    for (const json& report : array) ++seen[report["phone_number"]];
  }
  EXPECT_EQ(seen.size(), 250U);
}

TEST(Receipts, AreRepeatedThreeTimesAndThenGivenUp) {
  Receiver receiver;
  Bench bench(To(receiver));
  receiver.FailNext(3);
  bench.Wechat(Bench::WechatBody("oResident0001", "a"));
  auto got = receiver.Wait(4);
  ASSERT_EQ(got.size(), 4U);
  for (const auto& one : got) EXPECT_EQ(one.body, got[0].body);
  WaitAcked(bench, 1, 0);
  EXPECT_EQ(bench.server().GetStats().at("wechat").receipts_given_up, 0U);

  receiver.FailNext(4);
  bench.Wechat(Bench::WechatBody("oResident0001", "b"));
  bench.Wechat(Bench::WechatBody("oMAGIC09aa", "c"));
  got = receiver.Wait(8);
  ASSERT_EQ(got.size(), 8U);
  while (bench.server().GetStats().at("wechat").receipts_pending > 0) std::this_thread::yield();
  const Stats stats = bench.server().GetStats();
  EXPECT_EQ(stats.at("wechat").receipts_given_up, 1U);
  EXPECT_EQ(stats.at("wechat").receipts_acked, 1U);
  EXPECT_EQ(stats.at("wechat").receipts_sent, 8U);
}

TEST(Receipts, ComeTwiceAndOutOfOrderInDuplicateMode) {
  Receiver receiver;
  Options options = To(receiver);
  options.receipts = Receipts::kDuplicate;
  options.receipt_delay_ms = 50;
  Bench bench(options);
  const auto send = [&](const char* id) {
    return std::to_string(bench.Wechat(Bench::WechatBody("oResident0001", id))["msgid"].get<int64_t>());
  };
  const std::string a = send("a");
  const std::string b = send("b");
  const auto got = receiver.Wait(4);
  ASSERT_EQ(got.size(), 4U);
  std::vector<std::string> order;
  for (const auto& one : got) order.push_back(Between(one.body, "<MsgID>", "</"));
  EXPECT_EQ(order, (std::vector<std::string>{b, a, a, b}));
}

TEST(Receipts, OfASingleMessageComeTwiceInDuplicateModeToo) {
  Receiver receiver;
  Options options = To(receiver);
  options.receipts = Receipts::kDuplicate;
  options.receipt_delay_ms = 1;
  Bench bench(options);
  bench.Wechat(Bench::WechatBody("oResident0001", "a"));
  const auto got = receiver.Wait(2);
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].body, got[1].body);
}

TEST(Receipts, AreNotSentWhenOff) {
  Receiver receiver;
  Options options = To(receiver);
  options.receipts = Receipts::kOff;
  Bench bench(options);
  bench.Wechat(Bench::WechatBody("oResident0001", "a"));
  bench.Sms("13800138000", "b");
  const Stats stats = bench.server().GetStats();
  EXPECT_EQ(stats.at("wechat").receipts_pending + stats.at("aliyun").receipts_pending, 0U);
  EXPECT_EQ(stats.at("wechat").receipts_sent + stats.at("aliyun").receipts_sent, 0U);
}

TEST(Receipts, OfARepeatAreNotSentAgain) {
  Receiver receiver;
  Bench bench(To(receiver));
  bench.Wechat(Bench::WechatBody("oResident0001", "a"));
  bench.Wechat(Bench::WechatBody("oResident0001", "a"));
  WaitAcked(bench, 1, 0);
  EXPECT_EQ(bench.server().GetStats().at("wechat").receipts_pending, 0U);
  EXPECT_EQ(receiver.Wait(1).size(), 1U);
}

}  // namespace
}  // namespace sandbox
