#include "api/call.h"

#include <nlohmann/json.hpp>

#include "gtest/gtest.h"

namespace zhitui::api {
namespace {

Router MakeRouter() {
  Router router;
  for (const Route& route : Server::Routes()) router.Add(route, [](const Call&) { return Reply{}; });
  return router;
}

TEST(Router, ParametersAreDecodedSegmentBySegment) {
  const Router router = MakeRouter();
  const auto match = router.Find("GET", "/v1/subjects/resident/a%2Fb%20%E4%B8%AD/recommendations?locale=zh");
  ASSERT_NE(match.entry, nullptr);
  EXPECT_EQ(match.params, (std::vector<std::string>{"resident", "a/b 中"}));
}

TEST(Router, PathsThatAreNotThereHaveNoRouteAndNoAllow) {
  const Router router = MakeRouter();
  for (const char* target :
       {"/", "", "*", "v1/events", "/v1", "/v1/events/", "/v1/events/x", "//v1/events", "/V1/events",
        "/v1/subjects//x/recommendations", "/v1/subjects/resident//recommendations",
        "/v1/subjects/a/b/c/recommendations", "/v1/subjects/resident/%/recommendations",
        "/v1/subjects/resident/%00/recommendations", "/v1/subjects/resident/%ff/recommendations"}) {
    const auto match = router.Find("GET", target);
    EXPECT_EQ(match.entry, nullptr) << target;
    EXPECT_EQ(match.allow, "") << target;
  }
}

TEST(Router, AnotherMethodIsToldWhichOnesThereAre) {
  const Router router = MakeRouter();
  EXPECT_EQ(router.Find("GET", "/v1/events").allow, "POST");
  EXPECT_EQ(router.Find("PUT", "/v1/receipts/x").allow, "GET, HEAD, POST");
  EXPECT_NE(router.Find("HEAD", "/v1/receipts/x").entry, nullptr);
}

TEST(Scopes, NamesReadBackAsTheSameScope) {
  for (const std::string& name : ScopeNames()) EXPECT_STREQ(ScopeName(*ParseScope(name)), name.c_str());
  EXPECT_FALSE(ParseScope("events"));
}

Call With(const std::string& header, const std::string& value) {
  Call call;
  call.headers.emplace(header, value);
  return call;
}

TEST(Keys, AKeyIsFoundInEitherHeaderAndNothingElseIs) {
  const Keys keys({{"one", "secret-one-000000", {Scope::kEvaluate}}, {"two", "secret-two-000000", {Scope::kAdmin}}});
  EXPECT_EQ(keys.Find(With("authorization", "Bearer secret-one-000000"))->name, "one");
  EXPECT_EQ(keys.Find(With("authorization", "bearer secret-two-000000"))->name, "two");
  EXPECT_EQ(keys.Find(With("x-api-key", "secret-two-000000"))->name, "two");
  for (const char* wrong : {"Bearer ", "Bearer", "Basic secret-one-000000", "Bearer secret-one-00000",
                            "secret-one-000000", "Bearer secret-one-000000 ", "Bearer  secret-one-000000"}) {
    EXPECT_EQ(keys.Find(With("authorization", wrong)), nullptr) << wrong;
  }
  EXPECT_EQ(keys.Find(With("x-api-key", "")), nullptr);
  EXPECT_EQ(keys.Find(Call{}), nullptr);
  EXPECT_EQ(Keys({}).Find(With("x-api-key", "")), nullptr);
}

TEST(Keys, AKeyAllowsItsScopesAndAdminAllowsAll) {
  const ApiKey one{"one", "s", {Scope::kEvaluate}};
  const ApiKey admin{"admin", "s", {Scope::kAdmin}};
  EXPECT_TRUE(Keys::Allows(one, Scope::kEvaluate));
  EXPECT_FALSE(Keys::Allows(one, Scope::kEventsWrite));
  EXPECT_FALSE(Keys::Allows({"none", "s", {}}, Scope::kEvaluate));
  for (const std::string& name : ScopeNames()) EXPECT_TRUE(Keys::Allows(admin, *ParseScope(name)));
}

TEST(Problems, AreRfc9457DocumentsWhateverTheTextHolds) {
  const Reply reply = Problem(400, "bad", "a \"quote\"\n中", "\"errors\":[1]");
  EXPECT_EQ(reply.content_type, "application/problem+json");
  const auto json = nlohmann::json::parse(reply.body);
  EXPECT_EQ(json["type"], "urn:zhitui:problem:bad");
  EXPECT_EQ(json["title"], "Bad Request");
  EXPECT_EQ(json["status"], 400);
  EXPECT_EQ(json["detail"], "a \"quote\"\n中");
  EXPECT_EQ(json["errors"], nlohmann::json::array({1}));
}

TEST(Problems, ADependencysErrorTextIsNotPassedOn) {
  for (const ErrorKind kind : {ErrorKind::kInvalid, ErrorKind::kUnavailable, ErrorKind::kDeadline, ErrorKind::kFatal}) {
    const Reply reply = ProblemOf({kind, "inner-detail"});
    EXPECT_EQ(reply.body.find("inner-detail"), std::string::npos);
    EXPECT_GE(reply.status, 400);
  }
  EXPECT_EQ(ProblemOf({ErrorKind::kUnavailable, ""}).status, 503);
  EXPECT_EQ(ProblemOf({ErrorKind::kFatal, ""}).status, 500);
}

TEST(MediaType, IsTheTypeWithoutParametersInLowerCase) {
  EXPECT_EQ(With("content-type", "Application/JSON; charset=utf-8").MediaType(), "application/json");
  EXPECT_EQ(With("content-type", "text/plain ").MediaType(), "text/plain");
  EXPECT_EQ(Call{}.MediaType(), "");
}

}  // namespace
}  // namespace zhitui::api
