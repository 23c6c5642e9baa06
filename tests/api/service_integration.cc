// What the service answers: events, recommendations, evaluations, call-backs, keys.

#include "api/api_bench.h"

namespace zhitui::api {
namespace {

using Json = nlohmann::json;

constexpr const char* kEvent = "application/cloudevents+json";
constexpr const char* kBatch = "application/cloudevents-batch+json";
constexpr const char* kLines = "application/x-ndjson";

TEST(Service, AnAcceptedEventIsWhatTheRecommendationsSay) {
  const Bench bench;
  const auto answer = bench.Client(kWriter).Post("/v1/events", Birth("r-1", "1955-03-02").dump(), kEvent);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 202) << answer->body;
  EXPECT_EQ(answer->get_header_value("Content-Type"), "application/json");
  EXPECT_EQ(Json::parse(answer->body), (Json{{"accepted", 1}}));

  const Json known = bench.Known("r-1");
  EXPECT_EQ(known["kind"], "resident");
  EXPECT_EQ(known["id"], "r-1");
  EXPECT_EQ(known["at"], "2026-03-01T09:00:00.000+08:00");
  EXPECT_EQ(known["ruleset"], bench.ruleset().hash());
  // 深民规〔2019〕2号: 70 to 79 years, 200 yuan a month.
  ASSERT_EQ(RulesIn(known["eligible"]), std::vector<std::string>{"senior-allowance"});
  const Json& senior = known["eligible"][0];
  EXPECT_EQ(senior["title"], "高龄津贴");
  EXPECT_EQ(senior["amount"], "200");
  EXPECT_EQ(senior["unit"], "CNY/month");
  EXPECT_EQ(senior["reasons"][0]["law"]["title"], "深民规〔2019〕2号");
  EXPECT_EQ(senior["determination"]["answer"], "eligible");
  EXPECT_EQ(bench.Known("r-1", "?locale=en")["eligible"][0]["title"], "Senior allowance");
}

TEST(Service, WhatComesLaterIsUpcomingWithItsDate) {
  const Bench bench;
  ASSERT_EQ(bench.Client(kWriter).Post("/v1/events", Birth("r-2", "1956-04-15").dump(), kEvent)->status, 202);
  const Json known = bench.Known("r-2");
  EXPECT_TRUE(known["eligible"].empty());
  bool found = false;
  for (const Json& item : known["upcoming"]) {
    if (item["rule"] != "senior-allowance") continue;
    found = true;
    EXPECT_EQ(item["from"], "2026-04-15");  // the seventieth birthday
  }
  EXPECT_TRUE(found) << known.dump();
}

TEST(Service, WhatIsNotKnownIsListedByFact) {
  const Bench bench;
  Json event = Birth("r-3", "1950-01-01");
  event["data"].erase("hukou");
  ASSERT_EQ(bench.Client(kWriter).Post("/v1/events", event.dump(), kEvent)->status, 202);
  const Json known = bench.Known("r-3");
  bool found = false;
  for (const Json& item : known["unknown"]) {
    if (item["rule"] != "senior-allowance") continue;
    found = true;
    ASSERT_EQ(item["missing"].size(), 1U);
    EXPECT_EQ(item["missing"][0]["name"], "hukou.city");
    EXPECT_EQ(item["missing"][0]["source"]["id"], "police");
  }
  EXPECT_TRUE(found) << known.dump();
}

TEST(Service, NothingIsRecommendedToTheDead) {
  const Bench bench;
  Json event = Birth("r-4", "1950-01-01");
  event["data"]["death_date"] = "2026-02-01";
  ASSERT_EQ(bench.Client(kWriter).Post("/v1/events", event.dump(), kEvent)->status, 202);
  const Json known = bench.Known("r-4");
  for (const char* list : {"eligible", "upcoming", "unknown"}) EXPECT_TRUE(known[list].empty()) << list;
}

TEST(Service, ASubjectOrKindThatIsNotKnownIs404AndTheAnswerDoesNotRepeatIt) {
  const Bench bench;
  auto client = bench.Client(kReader);
  for (const char* path :
       {"/v1/subjects/resident/nobody-77/recommendations", "/v1/subjects/ghost/nobody-77/recommendations"}) {
    const auto answer = client.Get(path);
    EXPECT_EQ(answer->status, 404);
    EXPECT_EQ(answer->get_header_value("Content-Type"), "application/problem+json");
    EXPECT_EQ(answer->body.find("nobody-77"), std::string::npos);
  }
  EXPECT_EQ(client.Get("/v1/subjects/resident/x/recommendations?local=en")->status, 400);
  EXPECT_EQ(client.Get("/v1/subjects/resident/x/recommendations?locale=fr")->status, 400);
}

TEST(Service, ABatchAndNdjsonAreAcceptedWhole) {
  const Bench bench;
  auto client = bench.Client(kWriter);
  const std::string one = Birth("r-5", "1950-01-01").dump();
  const std::string two = Birth("r-6", "1951-01-01").dump();
  auto answer = client.Post("/v1/events", "[" + one + "," + two + "]", kBatch);
  EXPECT_EQ(Json::parse(answer->body), (Json{{"accepted", 2}}));
  answer = client.Post("/v1/events", one + "\r\n\n" + two, kLines);
  EXPECT_EQ(answer->status, 202);
  EXPECT_EQ(Json::parse(answer->body), (Json{{"accepted", 2}}));
  EXPECT_EQ(bench.Known("r-6")["eligible"].size(), 1U);
}

TEST(Service, OneBadLineRefusesAllOfThemAndNamesEachFault) {
  Bench bench;
  Json no_time_zone = Birth("r-8", "1950-01-01");
  no_time_zone["time"] = "yesterday";
  Json wrong_type = Birth("r-9", "31 February");
  Json not_owner = Birth("r-10", "1950-01-01");
  not_owner["source"] = "/agencies/insurance";
  Json other_kind = Birth("r-11", "1950-01-01");
  other_kind["type"] = "cn.gov.futian.ghost.profile.patched";
  const std::string body = Birth("r-7", "1950-01-01").dump() + "\n{\"half\n" + no_time_zone.dump() + "\n" +
                           wrong_type.dump() + "\n" + not_owner.dump() + "\n" + other_kind.dump() + "\n";
  const auto answer = bench.Client(kWriter).Post("/v1/events", body, kLines);
  ASSERT_EQ(answer->status, 400);
  EXPECT_EQ(answer->get_header_value("Content-Type"), "application/problem+json");
  const Json problem = Json::parse(answer->body);
  EXPECT_EQ(problem["refused"], 5);
  std::vector<std::pair<int, std::string>> got;
  for (const Json& error : problem["errors"]) got.emplace_back(error["line"], error["reason"]);
  EXPECT_EQ(got, (std::vector<std::pair<int, std::string>>{
                     {2, "not_json"}, {3, "bad_time"}, {4, "wrong_type"}, {5, "not_owner"}, {6, "unknown_kind"}}));
  for (const char* id : {"r-7", "r-8", "31 February"}) EXPECT_EQ(answer->body.find(id), std::string::npos) << id;
  // What comes after it is all that is ever read.
  ASSERT_EQ(bench.Client(kWriter).Post("/v1/events", Birth("r-12", "1950-01-01").dump(), kEvent)->status, 202);
  bench.Known("r-12");
  EXPECT_EQ(bench.pipeline().totals().events, 1U);
  EXPECT_EQ(bench.Client(kReader).Get("/v1/subjects/resident/r-7/recommendations")->status, 404);
}

TEST(Service, AnEventWithoutTimeGetsTheTimeOfItsArrival) {
  const Bench bench;
  Json event = Birth("r-13", "1950-01-01");
  event.erase("time");
  ASSERT_EQ(bench.Client(kWriter).Post("/v1/events", event.dump(), "application/json")->status, 202);
  EXPECT_EQ(bench.Known("r-13")["at"], "2026-03-01T10:00:00.000+08:00");
}

TEST(Service, BodiesThatAreNoEventsAreRefusedWithAReason) {
  const Bench bench;
  auto client = bench.Client(kWriter);
  EXPECT_EQ(client.Post("/v1/events", "{}", "text/plain")->status, 415);
  EXPECT_EQ(client.Post("/v1/events", "{}", "")->status, 415);
  EXPECT_EQ(client.Post("/v1/events", "{}", kBatch)->status, 400);
  EXPECT_EQ(client.Post("/v1/events", "[]", kBatch)->status, 400);
  EXPECT_EQ(client.Post("/v1/events", "\n \n", kLines)->status, 400);
  EXPECT_EQ(client.Post("/v1/events", "", kEvent)->status, 400);
  std::string many;
  for (int i = 0; i < 1001; ++i) many += "{}\n";
  EXPECT_EQ(client.Post("/v1/events", many, kLines)->status, 413);
}

TEST(Service, EvaluateDeterminesEveryRuleOfTheKindAndStoresNothing) {
  Bench bench;
  auto client = bench.Client(kJudge);
  const auto amount = [&](const std::string& at) {
    const Json request = {{"kind", "resident"},
                          {"facts", {{"birth_date", "1936-03-01"}, {"hukou.city", "440300"}, {"death_date", nullptr}}},
                          {"at", at}};
    const auto answer = client.Post("/v1/evaluate", request.dump(), "application/json");
    EXPECT_EQ(answer->status, 200) << answer->body;
    const Json out = Json::parse(answer->body);
    EXPECT_EQ(out["determinations"].size(), bench.ruleset().RulesOf("resident").size());
    for (const Json& d : out["determinations"]) {
      if (d["rule"] == "senior-allowance") return d["amount"];
    }
    return Json();
  };
  // 300 a month from 80, 500 from 90 (深民规〔2019〕2号).
  EXPECT_EQ(amount("2026-02-28"), "300");
  EXPECT_EQ(amount("2026-03-01"), "500");
  EXPECT_EQ(amount("2026-02-28T16:00:00Z"), "500");  // already 1 March in Shanghai
  EXPECT_EQ(bench.pipeline().totals().events, 0U);
}

TEST(Service, EvaluateSaysWhatIsWrongWithItsInput) {
  const Bench bench;
  auto client = bench.Client(kJudge);
  const auto status = [&](const std::string& body) {
    return client.Post("/v1/evaluate", body, "application/json")->status;
  };
  EXPECT_EQ(status(R"({"kind":"resident","facts":{}})"), 200);
  for (const char* body :
       {"", "[]", R"({"kind":"resident"})", R"({"facts":{}})", R"({"kind":"ghost","facts":{}})",
        R"({"kind":1,"facts":{}})", R"({"kind":"resident","facts":[]})",
        R"({"kind":"resident","facts":{},"at":"tomorrow"})", R"({"kind":"resident","facts":{},"extra":1})",
        R"({"kind":"resident","facts":{"birth_date":"1950-02-30"}})",
        R"({"kind":"resident","facts":{"no_such_fact":1}})", R"({"kind":"resident","kind":"entity","facts":{}})"}) {
    EXPECT_EQ(status(body), 400) << body;
  }
  const auto answer =
      client.Post("/v1/evaluate", R"({"kind":"resident","facts":{"birth_date":"1950-02-30"}})", "application/json");
  EXPECT_EQ(Json::parse(answer->body)["reason"], "wrong_type");
  EXPECT_EQ(answer->body.find("1950-02-30"), std::string::npos);
}

TEST(Service, CallBacksGoToTheirConnectorAndItsAnswerComesBack) {
  const Bench bench;
  auto client = bench.Client();
  auto answer = client.Post("/v1/receipts/echo?key=good", "<a/>", "text/xml");
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->get_header_value("Content-Type"), "application/xml");
  EXPECT_EQ(answer->body, "POST <a/>");
  EXPECT_EQ(client.Get("/v1/receipts/echo?key=good")->body, "GET ");
  EXPECT_EQ(client.Post("/v1/receipts/echo?key=bad", "<a/>", "text/xml")->status, 401);
  EXPECT_EQ(client.Post("/v1/receipts/ghost?key=good", "", "text/xml")->status, 404);
}

TEST(Service, EachRouteOpensToItsScopeAndAdminOnly) {
  const Bench bench;
  struct Case {
    const char* method;
    const char* path;
    Scope scope;
  };
  const std::vector<std::pair<const char*, Scope>> keys = {{kWriter, Scope::kEventsWrite},
                                                           {kReader, Scope::kRecommendationsRead},
                                                           {kJudge, Scope::kEvaluate},
                                                           {kChief, Scope::kAdmin}};
  for (const Case& c : {Case{"POST", "/v1/events", Scope::kEventsWrite},
                        Case{"GET", "/v1/subjects/resident/x/recommendations", Scope::kRecommendationsRead},
                        Case{"POST", "/v1/evaluate", Scope::kEvaluate}}) {
    const auto status = [&](httplib::Headers headers) {
      auto client = bench.Client();
      const bool post = std::string(c.method) == "POST";
      const auto answer = post ? client.Post(c.path, headers, "{}", "application/json") : client.Get(c.path, headers);
      EXPECT_EQ(answer->get_header_value("WWW-Authenticate"), answer->status == 401 ? "Bearer" : "");
      return answer->status;
    };
    EXPECT_EQ(status({}), 401);
    EXPECT_EQ(status({{"Authorization", "Bearer nonsense-000000000"}}), 401);
    EXPECT_EQ(status({{"X-API-Key", ""}}), 401);
    for (const auto& [key, scope] : keys) {
      const bool allowed = scope == c.scope || scope == Scope::kAdmin;
      const int with_bearer = status({{"Authorization", std::string("Bearer ") + key}});
      const int with_header = status({{"X-API-Key", key}});
      EXPECT_EQ(with_bearer, with_header);
      EXPECT_EQ(with_bearer == 403, !allowed) << c.path << " " << key;
      EXPECT_NE(with_bearer, 401) << c.path << " " << key;
    }
  }
}

TEST(Service, BeforeItIsReadyEventsAreToldToComeBack) {
  Bench::Setup setup;
  setup.ready = [] { return false; };
  const Bench bench(setup);
  const auto answer = bench.Client(kWriter).Post("/v1/events", Birth("r-1", "1950-01-01").dump(), kEvent);
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->get_header_value("Retry-After"), "5");
  EXPECT_EQ(bench.Admin().Get("/readyz")->status, 503);
  EXPECT_EQ(bench.Admin().Get("/livez")->status, 200);
}

TEST(Service, WhenTheEventLogIsAwayNothingIsAccepted) {
  Bench::Setup setup;
  setup.log_away = true;
  const Bench bench(setup);
  const auto answer = bench.Client(kWriter).Post("/v1/events", Birth("r-1", "1950-01-01").dump(), kEvent);
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->get_header_value("Retry-After"), "5");
  EXPECT_EQ(answer->body.find("brokers"), std::string::npos);
}

TEST(Service, ProbesMetricsAndVersionAnswerOnTheAdminPortOnly) {
  const Bench bench;
  auto admin = bench.Admin();
  EXPECT_EQ(admin.Get("/livez")->status, 200);
  EXPECT_EQ(admin.Get("/readyz")->status, 200);
  EXPECT_EQ(admin.Get("/metrics")->body, "zhitui_test 1\n");
  const Json version = Json::parse(admin.Get("/version")->body);
  EXPECT_EQ(version["version"], "1.2.3");
  EXPECT_EQ(version["ruleset"], bench.ruleset().hash());
  EXPECT_EQ(admin.Post("/v1/events", "{}", kEvent)->status, 404);
  for (const char* path : {"/livez", "/readyz", "/metrics", "/version"})
    EXPECT_EQ(bench.Client(kChief).Get(path)->status, 404);
}

TEST(Service, TheAccessLogNamesTheRouteAndNobody) {
  const Bench bench;
  ASSERT_EQ(bench.Client(kWriter).Post("/v1/events", Birth("r-secret", "1950-01-01").dump(), kEvent)->status, 202);
  bench.Known("r-secret", "?locale=en");
  bool routed = false;
  for (const std::string& line : bench.logger().lines()) {
    for (const char* word : {"r-secret", "1950-01-01", "locale=en", kReader, kWriter}) {
      EXPECT_EQ(line.find(word), std::string::npos) << line;
    }
    routed =
        routed || line.find("route=/v1/subjects/{kind}/{id}/recommendations method=GET status=200 client=reader") !=
                      std::string::npos;
  }
  EXPECT_TRUE(routed);
}

}  // namespace
}  // namespace zhitui::api
