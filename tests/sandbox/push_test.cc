// FCM, Huawei and Getui: what they refuse, as clients written here from the documentation see it.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "sandbox/getui.h"
#include "sandbox/harness.h"
#include "sandbox/keys.h"

namespace sandbox {
namespace {

using nlohmann::json;

std::string Url64(const std::string& bytes) {
  std::string text = Base64(bytes);
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  text.erase(text.find_last_not_of('=') + 1);
  return text;
}

std::string Sign(const std::string& pem, const json& header, const json& claims, bool pss) {
  const std::string input = Url64(header.dump()) + '.' + Url64(claims.dump());
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  EVP_MD_CTX* digest = EVP_MD_CTX_new();
  EVP_PKEY_CTX* context = nullptr;
  EVP_DigestSignInit(digest, &context, EVP_sha256(), nullptr, key);
  if (pss) {
    EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(context, 32);
  }
  std::string signature(256, '\0');
  size_t size = signature.size();
  EVP_DigestSign(digest, reinterpret_cast<unsigned char*>(signature.data()), &size,
                 reinterpret_cast<const unsigned char*>(input.data()), input.size());
  EVP_MD_CTX_free(digest);
  EVP_PKEY_free(key);
  return input + '.' + Url64(signature);
}

json Credentials(Bench& bench, const std::string& provider) {
  return json::parse(bench.client().Get("/sandbox/credentials/" + provider)->body);
}

json FcmClaims(const json& account) {
  return {
      {"iss", account["client_email"]},
      {"scope", "https://www.googleapis.com/auth/cloud-platform https://www.googleapis.com/auth/firebase.messaging"},
      {"aud", "https://oauth2.googleapis.com/token"},
      {"iat", kNow / 1000},
      {"exp", kNow / 1000 + 3600}};
}

httplib::Result FcmToken(Bench& bench, const std::string& assertion) {
  return bench.client().Post("/fcm/token",
                             "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" + assertion,
                             "application/x-www-form-urlencoded");
}

json FcmMessage(const std::string& token) {
  return {{"message",
           {{"token", token},
            {"notification", {{"title", "t"}, {"body", "b"}}},
            {"data", {{"notification_id", "n1"}, {"attempt_id", "n1-1"}}},
            {"android", {{"priority", "high"}, {"ttl", "3600s"}}},
            {"apns", {{"headers", {{"apns-priority", "10"}}}, {"payload", {{"aps", {{"sound", "default"}}}}}}}}}};
}

TEST(FcmSimulator, GivesATokenOnlyForAnAssertionOfItsOwnKey) {
  Bench bench;
  const json account = Credentials(bench, "fcm");
  const std::string pem = account["private_key"];
  EXPECT_EQ(account["token_uri"], "http://127.0.0.1:" + std::to_string(bench.port()) + "/fcm/token");
  const json header = {{"alg", "RS256"}};
  const auto good = FcmToken(bench, Sign(pem, header, FcmClaims(account), false));
  ASSERT_EQ(good->status, 200) << good->body;
  EXPECT_EQ(json::parse(good->body)["expires_in"], 3599);
  const auto error = [&](const std::string& assertion) {
    return json::parse(FcmToken(bench, assertion)->body).value("error", "");
  };
  EXPECT_EQ(error(Sign(PrivateKeyPem("another"), header, FcmClaims(account), false)), "invalid_grant");
  EXPECT_EQ(error(Sign(pem, header, FcmClaims(account), true)), "invalid_grant") << "PSS is not RS256";
  EXPECT_EQ(error(Sign(pem, {{"alg", "PS256"}}, FcmClaims(account), false)), "invalid_grant");
  EXPECT_EQ(error("a.b"), "invalid_grant");
  for (const auto& [key, value] : std::vector<std::pair<const char*, json>>{{"iss", "x"},
                                                                            {"aud", "https://example.com"},
                                                                            {"exp", kNow / 1000},
                                                                            {"exp", kNow / 1000 + 3601},
                                                                            {"iat", kNow / 1000 + 301}}) {
    json claims = FcmClaims(account);
    claims[key] = value;
    EXPECT_EQ(error(Sign(pem, header, claims, false)), "invalid_grant") << key;
  }
  json claims = FcmClaims(account);
  claims["scope"] = "https://www.googleapis.com/auth/drive";
  EXPECT_EQ(error(Sign(pem, header, claims, false)), "invalid_scope");
}

TEST(FcmSimulator, RefusesWhatTheServiceRefuses) {
  Bench bench;
  const json account = Credentials(bench, "fcm");
  const auto grant = FcmToken(bench, Sign(account["private_key"], {{"alg", "RS256"}}, FcmClaims(account), false));
  const httplib::Headers auth = {
      {"Authorization", "Bearer " + json::parse(grant->body)["access_token"].get<std::string>()}};
  const auto send = [&](const json& body, const std::string& project = "sandbox-project") {
    return bench.client().Post("/fcm/v1/projects/" + project + "/messages:send", auth, body.dump(), "application/json");
  };
  const auto code = [&](const json& body) {
    const json answer = json::parse(send(body)->body);
    if (!answer.contains("error")) return std::string("accepted");
    const json& details = answer["error"]["details"];
    return details.empty() || !details[0].contains("errorCode") ? answer["error"]["status"].get<std::string>()
                                                                : details[0]["errorCode"].get<std::string>();
  };
  EXPECT_EQ(code(FcmMessage("device-token")), "accepted");
  ASSERT_EQ(bench.Lines().size(), 1U);
  EXPECT_EQ(bench.Lines()[0]["attempt_id"], "n1-1");
  EXPECT_EQ(bench.Lines()[0]["message_id"], "n1");
  json body = FcmMessage("device-token");
  body["message"]["data"]["n"] = 1;
  EXPECT_EQ(code(body), "INVALID_ARGUMENT") << "data values are strings";
  body = FcmMessage("device-token");
  body["message"]["data"]["gcm.x"] = "1";
  EXPECT_EQ(code(body), "INVALID_ARGUMENT");
  body = FcmMessage("device-token");
  body["message"]["notification"]["body"] = std::string(4096, 'b');
  EXPECT_EQ(code(body), "INVALID_ARGUMENT");
  body = FcmMessage("device-token");
  body["message"]["android"]["ttl"] = "2419201s";
  EXPECT_EQ(code(body), "INVALID_ARGUMENT");
  body = FcmMessage("device-token");
  body["message"]["colour"] = "red";
  EXPECT_EQ(code(body), "INVALID_ARGUMENT");
  EXPECT_EQ(code(FcmMessage("not a token")), "INVALID_ARGUMENT");
  EXPECT_EQ(code(FcmMessage("magic02aa")), "UNREGISTERED");
  EXPECT_EQ(send(FcmMessage("device-token"), "another")->status, 403);
  EXPECT_EQ(bench.client()
                .Post("/fcm/v1/projects/sandbox-project/messages:send", FcmMessage("t").dump(), "application/json")
                ->status,
            401);
  bench.Advance(3'599'000);
  EXPECT_EQ(send(FcmMessage("device-token"))->status, 401) << "the token has expired";
  EXPECT_EQ(bench.Lines().size(), 1U);
}

json HuaweiMessage(const std::string& token) {
  return {{"payload",
           {{"notification",
             {{"category", "MARKETING"},
              {"title", "t"},
              {"body", "b"},
              {"clickAction", {{"actionType", 0}, {"data", {{"attempt_id", "n1-1"}}}}},
              {"appMessageId", "n1-1"}}}}},
          {"target", {{"token", {token}}}},
          {"pushOptions", {{"ttl", 86400}, {"testMessage", false}}}};
}

TEST(HuaweiSimulator, VerifiesThePssSignatureAndTheClaims) {
  Bench bench;
  const json account = Credentials(bench, "huawei");
  const std::string pem = account["private_key"];
  const json header = {{"kid", account["key_id"]}, {"typ", "JWT"}, {"alg", "PS256"}};
  const json claims = {{"aud", "https://oauth-login.cloud.huawei.com/oauth2/v3/token"},
                       {"iss", account["sub_account"]},
                       {"iat", kNow / 1000},
                       {"exp", kNow / 1000 + 3600}};
  const auto code = [&](const std::string& token, const json& body, const char* type = "0") {
    const auto answer = bench.client().Post("/huawei/v3/" + account["project_id"].get<std::string>() + "/messages:send",
                                            {{"Authorization", "Bearer " + token}, {"push-type", type}}, body.dump(),
                                            "application/json");
    return json::parse(answer->body)["code"].get<std::string>();
  };
  const std::string good = Sign(pem, header, claims, true);
  EXPECT_EQ(code(good, HuaweiMessage("device-token")), "80000000");
  EXPECT_EQ(code(good, HuaweiMessage("device-token")), "80000000");
  EXPECT_EQ(bench.Lines().size(), 1U) << "the phone shows one appMessageId once";
  EXPECT_EQ(code(Sign(pem, header, claims, false), HuaweiMessage("t")), "80200001") << "not PSS";
  EXPECT_EQ(code(Sign(PrivateKeyPem("another"), header, claims, true), HuaweiMessage("t")), "80200001");
  json wrong = header;
  wrong["kid"] = "x";
  EXPECT_EQ(code(Sign(pem, wrong, claims, true), HuaweiMessage("t")), "80200001");
  json late = claims;
  late["exp"] = kNow / 1000;
  EXPECT_EQ(code(Sign(pem, header, late, true), HuaweiMessage("t")), "80200005");
  json longer = claims;
  longer["exp"] = kNow / 1000 + 86401;
  EXPECT_EQ(code(Sign(pem, header, longer, true), HuaweiMessage("t")), "80300036");

  EXPECT_EQ(code(good, HuaweiMessage("device-token"), "1"), "80100001");
  json body = HuaweiMessage("device-token");
  body["payload"]["notification"].erase("category");
  EXPECT_EQ(code(good, body), "80100003");
  body = HuaweiMessage("device-token");
  body["payload"]["notification"].erase("clickAction");
  EXPECT_EQ(code(good, body), "80100003");
  body = HuaweiMessage("device-token");
  body["payload"]["notification"]["body"] = std::string(4096, 'b');
  EXPECT_EQ(code(good, body), "80300008");
  body = HuaweiMessage("device-token");
  body["pushOptions"]["ttl"] = 1'296'001;
  EXPECT_EQ(code(good, body), "80100004");
  body = HuaweiMessage("device-token");
  body["target"]["token"] = json::array();
  EXPECT_EQ(code(good, body), "80300010");
  EXPECT_EQ(code(good, HuaweiMessage("not a token")), "80300007");
  EXPECT_EQ(bench.Lines().size(), 1U);
}

TEST(HuaweiSimulator, V1WantsTheTokenOfItsClient) {
  Bench bench;
  const auto token = [&](const std::string& secret) {
    return json::parse(bench.client()
                           .Post("/huawei/oauth2/v3/token",
                                 "grant_type=client_credentials&client_id=100000003&client_secret=" + secret,
                                 "application/x-www-form-urlencoded")
                           ->body);
  };
  EXPECT_EQ(token("wrong")["error"], 1101);
  const std::string bearer = token("sandbox-huawei-secret")["access_token"];
  json body = {{"validate_only", false},
               {"message",
                {{"data", R"({"attempt_id":"n1-1"})"},
                 {"android",
                  {{"category", "WORK"},
                   {"ttl", "86400s"},
                   {"notification", {{"title", "t"}, {"body", "b"}, {"click_action", {{"type", 3}}}}}}},
                 {"token", {"device-token"}}}}};
  const auto code = [&](const std::string& with) {
    return json::parse(bench.client()
                           .Post("/huawei/v1/100000003/messages:send", {{"Authorization", "Bearer " + with}},
                                 body.dump(), "application/json")
                           ->body)["code"]
        .get<std::string>();
  };
  EXPECT_EQ(code("x"), "80200001");
  EXPECT_EQ(code(bearer), "80000000");
  EXPECT_EQ(code(bearer), "80000000");
  EXPECT_EQ(bench.Lines().size(), 2U) << "v1 knows no repeats";
  EXPECT_FALSE(bench.Lines()[1]["duplicate_of"].is_null());
  bench.Advance(3'600'000);
  EXPECT_EQ(code(bearer), "80200003");
  EXPECT_EQ(code(token("sandbox-huawei-secret")["access_token"]), "80000000");
  body["message"]["android"]["ttl"] = "86400";
  EXPECT_EQ(code(token("sandbox-huawei-secret")["access_token"]), "80100004");
}

TEST(GetuiSimulator, SignsAsTheReferenceAndRefusesWhatTheServiceRefuses) {
  EXPECT_EQ(GetuiSign("appkey", "1768442400000", "mastersecret"),
            "4195f888e84baad703c030e8523aefb33293145f1e8bbfd5a1121f2a237f46e3");
  Bench bench;
  const std::string now = std::to_string(kNow);
  const auto post = [&](const std::string& path, const json& body, const std::string& token = {}) {
    return json::parse(
        bench.client()
            .Post("/getui/v2/sandboxgetuiapp" + path, {{"token", token}}, body.dump(), "application/json")
            ->body);
  };
  const auto auth = [&](const std::string& secret, const std::string& stamp) {
    return post(
        "/auth",
        {{"sign", GetuiSign("sandboxgetuikey", stamp, secret)}, {"timestamp", stamp}, {"appkey", "sandboxgetuikey"}});
  };
  EXPECT_EQ(auth("wrong", now)["code"], 20001);
  EXPECT_EQ(auth("sandboxgetuimaster", "1768442400")["code"], 20001) << "seconds";
  EXPECT_EQ(auth("sandboxgetuimaster", std::to_string(kNow - 600'001))["code"], 20001);
  const json grant = auth("sandboxgetuimaster", now);
  ASSERT_EQ(grant["code"], 0);
  EXPECT_EQ(grant["data"]["expire_time"], std::to_string(kNow + 86'400'000));
  const std::string token = grant["data"]["token"];
  const json good = {
      {"request_id", "0123456789abcdef"},
      {"settings", {{"ttl", 7'200'000}}},
      {"audience", {{"cid", {"abcdef0123456789"}}}},
      {"push_message",
       {{"notification",
         {{"title", "t"}, {"body", "b"}, {"click_type", "payload"}, {"payload", R"({"attempt_id":"n1-1"})"}}}}}};
  const auto code = [&](auto&& edit) {
    json body = good;
    body["request_id"] = RandomHex(32);
    edit(body);
    return post("/push/single/cid", body, token)["code"].get<int>();
  };
  EXPECT_EQ(post("/push/single/cid", good, "x")["code"], 10001);
  const json first = post("/push/single/cid", good, token);
  EXPECT_EQ(first["code"], 0);
  EXPECT_EQ(first["data"].begin()->begin().key(), "abcdef0123456789");
  EXPECT_EQ(post("/push/single/cid", good, token), first) << "a repeat is told the first result";
  EXPECT_EQ(bench.Lines().size(), 1U);
  EXPECT_EQ(code([](json& b) { b.erase("request_id"); }), 20001);
  EXPECT_EQ(code([](json& b) { b["request_id"] = "123456789"; }), 20001);
  EXPECT_EQ(code([](json& b) { b["request_id"] = std::string(33, 'a'); }), 20001);
  EXPECT_EQ(code([](json& b) { b["audience"]["cid"] = {"a123", "b123"}; }), 20001);
  EXPECT_EQ(code([](json& b) { b["settings"]["ttl"] = 259'200'001; }), 20001);
  EXPECT_EQ(code([](json& b) { b["push_message"]["notification"]["title"] = std::string(51, 'a'); }), 20001);
  EXPECT_EQ(code([](json& b) { b["push_message"]["notification"]["body"] = std::string(257, 'a'); }), 20001);
  EXPECT_EQ(code([](json& b) { b["push_message"]["notification"]["click_type"] = "tap"; }), 20001);
  EXPECT_EQ(code([](json& b) { b["push_message"]["transmission"] = "x"; }), 20001);
  EXPECT_EQ(code([](json& b) { b["push_channel"] = {{"ios", {{"type", "x"}}}}; }), 20001);
  EXPECT_EQ(code([](json& b) { b["audience"]["cid"] = {"not a cid"}; }), 20001);
  EXPECT_EQ(code([](json&) {}), 0);
  bench.Advance(86'400'000);
  EXPECT_EQ(code([](json&) {}), 10001);
  for (int i = 0; i < 100; ++i) auth("sandboxgetuimaster", std::to_string(kNow + 86'400'000));
  EXPECT_EQ(auth("sandboxgetuimaster", std::to_string(kNow + 86'400'000))["code"], 10003) << "100 a minute";
}

}  // namespace
}  // namespace sandbox
