#include <gtest/gtest.h>

#include "sandbox/harness.h"

namespace sandbox {
namespace {

using nlohmann::json;

struct Refusal {
  int status;
  int code;
  bool operator==(const Refusal&) const = default;
  friend void PrintTo(const Refusal& r, std::ostream* out) { *out << r.status << '/' << r.code; }
};

Refusal Of(const httplib::Result& result) {
  if (!result) return {0, 0};
  const json body = json::parse(result->body);
  return {result->status, body.contains("error") ? body["error"]["code"].get<int>() : 0};
}

constexpr Refusal kOk = {200, 0};
constexpr Refusal kDropped = {0, 0};

TEST(JpushCid, HandsOutAsManyAsAskedWithTheAppKeyInFront) {
  Bench bench;
  const auto result = bench.client().Get("/v3/push/cid?count=3", bench.JpushAuth());
  const json list = json::parse(result->body)["cidlist"];
  ASSERT_EQ(list.size(), 3U);
  for (const json& cid : list) {
    EXPECT_EQ(cid.get<std::string>().find(bench.options().jpush_app_key + "-"), 0U);
    EXPECT_EQ(cid.get<std::string>().size(), bench.options().jpush_app_key.size() + 37);
  }
  EXPECT_NE(list[0], list[1]);
  for (const char* bad : {"0", "1001", "-1", "x", ""}) {
    EXPECT_EQ(Of(bench.client().Get(std::string("/v3/push/cid?count=") + bad, bench.JpushAuth())), (Refusal{400, 1003}))
        << bad;
  }
  EXPECT_EQ(Of(bench.client().Get("/v3/push/cid?count=1")), (Refusal{401, 1004}));
}

TEST(JpushPush, AcceptsAndLogsWhatTheResidentSees) {
  Bench bench;
  const std::string cid = bench.Cid();
  const auto result = bench.Push(Bench::PushBody("18171adc0a1", cid, "a-1"));
  ASSERT_EQ(Of(result), kOk);
  const json answer = json::parse(result->body);
  EXPECT_EQ(answer["sendno"], "18");
  ASSERT_TRUE(answer["msg_id"].is_string());
  for (const char* name : {"X-Rate-Limit-Quota", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset"}) {
    EXPECT_TRUE(result->has_header(name)) << name;
  }
  const auto lines = bench.Lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]["message_id"], "n-a-1");
  EXPECT_EQ(lines[0]["attempt_id"], "a-1");
  EXPECT_EQ(lines[0]["key"], cid);
  EXPECT_EQ(lines[0]["provider_id"], answer["msg_id"]);
  EXPECT_EQ(lines[0]["recipient_sha256"], Sha256Hex("18171adc0a1").substr(0, 16));
  EXPECT_EQ(lines[0]["content"]["notification"]["android"]["alert"], "您可以领取高龄津贴");
}

TEST(JpushPush, RepeatOfACidReturnsTheFirstResultForADay) {
  Bench bench;
  const std::string cid = bench.Cid();
  const json body = Bench::PushBody("18171adc0a1", cid, "a-1");
  const std::string first = bench.Push(body)->body;
  bench.Advance(86'399'999);
  EXPECT_EQ(bench.Push(body)->body, first);
  EXPECT_EQ(bench.Lines().size(), 1U);
  EXPECT_EQ(bench.server().GetStats().at("jpush").suppressed, 1U);
  bench.Advance(1);
  EXPECT_NE(bench.Push(body)->body, first);
  EXPECT_EQ(bench.Lines().size(), 2U);
}

TEST(JpushPush, AFailedTryDoesNotUseUpTheCid) {
  Bench bench;
  const std::string cid = bench.Cid();
  json body = Bench::PushBody("18171adc0a1", cid, "a-1");
  body["platform"] = "symbian";
  EXPECT_EQ(Of(bench.Push(body)), (Refusal{400, 1003}));
  EXPECT_EQ(Of(bench.Push(Bench::PushBody("18171adc0a1", cid, "a-1"))), kOk);
}

TEST(JpushPush, RefusesWithTheDocumentedCodes) {
  Bench bench;
  const auto with = [&](auto&& edit) {
    json body = Bench::PushBody("18171adc0a1", bench.Cid(), "a-1");
    edit(body);
    return Of(bench.Push(body));
  };
  EXPECT_EQ(with([](json& b) { b.erase("platform"); }), (Refusal{400, 1002}));
  EXPECT_EQ(with([](json& b) { b.erase("audience"); }), (Refusal{400, 1002}));
  EXPECT_EQ(with([](json& b) { b.erase("notification"); }), (Refusal{400, 1002}));
  EXPECT_EQ(with([](json& b) { b["notification"]["android"].erase("alert"); }), (Refusal{400, 1002}));
  EXPECT_EQ(with([](json& b) { b["platform"] = {"android", "symbian"}; }), (Refusal{400, 1003}));
  EXPECT_EQ(with([](json& b) { b["audience"]["registration_id"] = json::array(); }), (Refusal{400, 1003}));
  EXPECT_EQ(with([](json& b) { b["audience"]["registration_id"] = {""}; }), (Refusal{400, 1003}));
  EXPECT_EQ(with([](json& b) { b["audience"]["registration_id"] = std::vector<std::string>(1001, "a"); }),
            (Refusal{400, 1003}));
  EXPECT_EQ(with([](json& b) { b["audience"]["regid"] = {"a"}; }), (Refusal{400, 1003}));
  EXPECT_EQ(with([](json& b) { b["audience"] = {{"alias", {"a"}}}; }), (Refusal{400, 1011}));
  EXPECT_EQ(with([](json& b) { b["notification"]["ios"]["content_available"] = true; }), (Refusal{400, 1009}));
  EXPECT_EQ(with([](json& b) { b["notification"]["android"]["alert"] = std::string(4000, 'a'); }),
            (Refusal{400, 1005}));
  EXPECT_EQ(with([](json& b) { b["notification"]["ios"]["alert"] = std::string(2000, 'a'); }), (Refusal{400, 1005}));
  EXPECT_EQ(with([](json& b) { b["options"]["time_to_live"] = 864'001; }), (Refusal{400, 1003}));
  EXPECT_EQ(with([](json& b) { b["options"]["sendno"] = "18"; }), (Refusal{400, 1003}));
  EXPECT_EQ(with([](json& b) { b["cid"] = "my-own-id"; }), (Refusal{400, 1003}));
  EXPECT_EQ(Of(bench.client().Post("/v3/push", bench.JpushAuth(), "{", "application/json")), (Refusal{400, 1003}));
  EXPECT_EQ(Of(bench.client().Get("/v3/push", bench.JpushAuth())), (Refusal{405, 1001}));
  EXPECT_EQ(Of(bench.client().Post("/v3/push", {{"Authorization", BasicAuthorization("a", "b")}}, "{}", "text/json")),
            (Refusal{401, 1004}));
  EXPECT_TRUE(bench.Lines().empty());
}

TEST(JpushPush, EnforcesTheQuotaPerMinuteWhenAsked) {
  Options options;
  options.jpush_quota_per_min = 2;
  Bench bench(options);
  EXPECT_EQ(Of(bench.Push(Bench::PushBody("18171adc0a1", bench.Cid(), "a"))), kOk);
  EXPECT_EQ(Of(bench.Push(Bench::PushBody("18171adc0a1", bench.Cid(), "b"))), kOk);
  bench.Advance(20'000);
  const auto over = bench.Push(Bench::PushBody("18171adc0a1", bench.Cid(), "c"));
  EXPECT_EQ(Of(over), (Refusal{429, 2002}));
  EXPECT_EQ(over->get_header_value("X-Rate-Limit-Quota"), "2");
  EXPECT_EQ(over->get_header_value("X-Rate-Limit-Remaining"), "0");
  EXPECT_EQ(over->get_header_value("X-Rate-Limit-Reset"), "40");
  bench.Advance(40'000);
  EXPECT_EQ(Of(bench.Push(Bench::PushBody("18171adc0a1", bench.Cid(), "c"))), kOk);
}

TEST(JpushReceived, CountsDevicesThatReported) {
  Options options;
  options.receipt_delay_ms = 1000;
  Bench bench(options);
  const auto push = [&](const char* device) {
    return json::parse(bench.Push(Bench::PushBody(device, bench.Cid(), device))->body)["msg_id"].get<std::string>();
  };
  const std::string good = push("18171adc0a1");
  const std::string failed = push("magic04");
  const std::string silent = push("magic09");
  const auto ask = [&] {
    return json::parse(
        bench.client()
            .Get("/v3/received/detail?msg_ids=" + good + "," + failed + "," + silent + ",77", bench.JpushAuth())
            ->body);
  };
  EXPECT_TRUE(ask()[0]["jpush_received"].is_null());
  bench.Advance(1000);
  const json answer = ask();
  ASSERT_EQ(answer.size(), 4U);
  EXPECT_EQ(answer[0]["msg_id"], good);
  EXPECT_EQ(answer[0]["jpush_received"], 1);
  for (size_t i = 1; i < 4; ++i) EXPECT_TRUE(answer[i]["jpush_received"].is_null()) << i;
  EXPECT_EQ(Of(bench.client().Get("/v3/received/detail?msg_ids=x", bench.JpushAuth())), (Refusal{400, 1003}));
}

TEST(JpushMagic, EachNumberFailsAsDocumented) {
  Bench bench;
  const auto lines = [&] { return bench.Lines().size(); };
  const auto body = [&](const char* device) { return Bench::PushBody(device, bench.Cid(), device); };
  const json throttled = body("magic01");
  EXPECT_EQ(Of(bench.Push(throttled)), (Refusal{429, 2002}));
  EXPECT_EQ(Of(bench.Push(throttled)), kOk);
  const json refused = body("magic02ff");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Of(bench.Push(refused)), (Refusal{400, 1011}));
  const json broken = body("magic03ff");
  EXPECT_EQ(Of(bench.Push(broken)), (Refusal{500, 1000}));
  EXPECT_EQ(Of(bench.Push(broken)), (Refusal{503, 1030}));
  EXPECT_EQ(lines(), 1U);
  EXPECT_EQ(Of(bench.Push(broken)), kOk);
  EXPECT_EQ(Of(bench.Push(body("magic04ff"))), kOk);
  EXPECT_EQ(lines(), 3U);

  const json drop_after = body("magic05ff");
  EXPECT_EQ(Of(bench.Push(drop_after)), kDropped);
  EXPECT_EQ(lines(), 4U);
  EXPECT_EQ(json::parse(bench.Push(drop_after)->body)["msg_id"], bench.Lines().back()["provider_id"]);
  EXPECT_EQ(lines(), 4U);

  const json drop_before = body("magic06ff");
  EXPECT_EQ(Of(bench.Push(drop_before)), kDropped);
  EXPECT_EQ(lines(), 4U);
  EXPECT_EQ(Of(bench.Push(drop_before)), kOk);
  EXPECT_EQ(lines(), 5U);

  EXPECT_EQ(Of(bench.Push(body("magic07ff"))), kOk);
  EXPECT_EQ(Of(bench.Push(body("magic08ff"))), (Refusal{403, 2003}));
  EXPECT_EQ(Of(bench.Push(body("magic09ff"))), kOk);
  EXPECT_EQ(lines(), 7U);
}

TEST(JpushRestart, RemembersCidsAndReports) {
  Bench bench;
  const json body = Bench::PushBody("18171adc0a1", bench.Cid(), "a-1");
  const std::string first = bench.Push(body)->body;
  bench.Restart();
  EXPECT_EQ(bench.Push(body)->body, first);
  EXPECT_EQ(bench.Lines().size(), 1U);
  bench.Advance(1000);
  const auto report = bench.client().Get(
      "/v3/received/detail?msg_ids=" + json::parse(first)["msg_id"].get<std::string>(), bench.JpushAuth());
  EXPECT_EQ(json::parse(report->body)[0]["jpush_received"], 1);
}

}  // namespace
}  // namespace sandbox
