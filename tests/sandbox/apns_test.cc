#include "sandbox/apns.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <nlohmann/json.hpp>

#include "sandbox/harness.h"

namespace sandbox {
namespace {

using nlohmann::json;

// ES256 by OpenSSL's own DER signature, taken apart.
std::string Sign(const std::string& pem, const std::string& input) {
  BIO* const bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  EVP_PKEY* const key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  const auto* bytes = reinterpret_cast<const unsigned char*>(input.data());
  size_t size = 0;
  EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key);
  EVP_DigestSign(context, nullptr, &size, bytes, input.size());
  std::vector<unsigned char> der(size);
  EVP_DigestSign(context, der.data(), &size, bytes, input.size());
  const unsigned char* at = der.data();
  ECDSA_SIG* const pair = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size));
  std::string out(64, '\0');
  BN_bn2binpad(ECDSA_SIG_get0_r(pair), reinterpret_cast<unsigned char*>(out.data()), 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(pair), reinterpret_cast<unsigned char*>(out.data()) + 32, 32);
  ECDSA_SIG_free(pair);
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  BIO_free(bio);
  return out;
}

class ApnsBench {
 public:
  ApnsBench() : faults_(options_), apns_(On()) {
    if (auto started = apns_.Listen(); !started) throw std::runtime_error(started.error());
    credentials_ = json::parse(apns_.Credentials(""));
  }
  ~ApnsBench() { apns_.HangUp(); }
  ApnsBench(const ApnsBench&) = delete;
  ApnsBench& operator=(const ApnsBench&) = delete;

  std::string Token(json head, json claims) const {
    const std::string input = Base64UrlText(head.dump()) + "." + Base64UrlText(claims.dump());
    return input + "." + Base64UrlText(Sign(credentials_.at("key"), input));
  }
  std::string Token() const {
    return Token({{"alg", "ES256"}, {"kid", options_.apns.key_id}},
                 {{"iss", options_.apns.team_id}, {"iat", kNow / 1000}});
  }
  Call Good() const {
    Call call;
    call.method = "POST";
    call.path = "/3/device/00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";
    call.headers = {{"authorization", "bearer " + Token()},
                    {"apns-topic", options_.apns.topic},
                    {"apns-push-type", "alert"},
                    {"apns-priority", "10"},
                    {"apns-expiration", "0"},
                    {"apns-id", "123e4567-e89b-12d3-a456-426655440000"}};
    call.body = R"({"aps":{"alert":{"title":"t","body":"b"}}})";
    return call;
  }
  static void Set(Call& call, const std::string& name, const std::string& value) {
    for (auto& [key, old] : call.headers) {
      if (key == name) old = value;
    }
  }
  std::string Reason(const Call& call, uint64_t connection = 1) {
    const Reply reply = apns_.Push(call, connection);
    return reply.status == 200 ? "" : json::parse(reply.body)["reason"].get<std::string>();
  }
  Apns& apns() { return apns_; }
  Options& options() { return options_; }

 private:
  Surroundings On() {
    options_.apns.on = true;
    options_.now_ms = [] { return kNow; };
    return {options_, faults_, journal_, nullptr};
  }
  Options options_;
  Faults faults_;
  Journal journal_;
  Apns apns_;
  json credentials_;
};

TEST(ApnsSim, TakesWhatAppleTakesAndGivesTheIdBack) {
  ApnsBench bench;
  const Reply reply = bench.apns().Push(bench.Good(), 1);
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_TRUE(reply.body.empty());
  ASSERT_EQ(reply.headers.size(), 1U);
  EXPECT_EQ(reply.headers[0].second, "123e4567-e89b-12d3-a456-426655440000");
  // The same id again is a second message.
  EXPECT_EQ(bench.apns().Push(bench.Good(), 1).status, 200);
  EXPECT_EQ(bench.apns().tally().Get().accepted, 2U);
}

TEST(ApnsSim, ProviderTokensAreVerified) {
  ApnsBench bench;
  const auto with = [&](const std::string& authorization) {
    Call call = bench.Good();
    ApnsBench::Set(call, "authorization", authorization);
    return bench.Reason(call);
  };
  const json head = {{"alg", "ES256"}, {"kid", bench.options().apns.key_id}};
  const json claims = {{"iss", bench.options().apns.team_id}, {"iat", kNow / 1000}};
  EXPECT_EQ(with(""), "MissingProviderToken");
  EXPECT_EQ(with("bearer x"), "InvalidProviderToken");
  std::string forged = bench.Token();
  forged[forged.size() - 10] = forged[forged.size() - 10] == 'A' ? 'B' : 'A';
  EXPECT_EQ(with("bearer " + forged), "InvalidProviderToken");
  EXPECT_EQ(with("bearer " + bench.Token({{"alg", "HS256"}, {"kid", head["kid"]}}, claims)), "InvalidProviderToken");
  EXPECT_EQ(with("bearer " + bench.Token({{"alg", "ES256"}, {"kid", "OTHER"}}, claims)), "InvalidProviderToken");
  EXPECT_EQ(with("bearer " + bench.Token(head, {{"iss", "OTHER"}, {"iat", kNow / 1000}})), "InvalidProviderToken");
  EXPECT_EQ(with("bearer " + bench.Token(head, {{"iss", claims["iss"]}})), "InvalidProviderToken");
  EXPECT_EQ(with("bearer " + bench.Token(head, {{"iss", claims["iss"]}, {"iat", kNow / 1000 - 3601}})),
            "ExpiredProviderToken");
  EXPECT_EQ(with("bearer " + bench.Token()), "");
}

TEST(ApnsSim, HeadersPathAndSizesAreChecked) {
  ApnsBench bench;
  const auto with = [&](const std::string& name, const std::string& value) {
    Call call = bench.Good();
    ApnsBench::Set(call, name, value);
    return bench.Reason(call);
  };
  EXPECT_EQ(with("apns-topic", ""), "MissingTopic");
  EXPECT_EQ(with("apns-topic", "cn.example.other"), "TopicDisallowed");
  EXPECT_EQ(with("apns-push-type", "loud"), "InvalidPushType");
  EXPECT_EQ(with("apns-priority", "7"), "BadPriority");
  EXPECT_EQ(with("apns-expiration", "soon"), "BadExpirationDate");
  EXPECT_EQ(with("apns-id", "n1-1"), "BadMessageId");
  Call call = bench.Good();
  call.headers.emplace_back("apns-collapse-id", std::string(65, 'x'));
  EXPECT_EQ(bench.Reason(call), "BadCollapseId");
  call = bench.Good();
  call.headers.emplace_back("apns-topic", bench.options().apns.topic);
  EXPECT_EQ(bench.Reason(call), "DuplicateHeaders");
  call = bench.Good();
  call.method = "GET";
  EXPECT_EQ(bench.Reason(call), "MethodNotAllowed");
  call = bench.Good();
  call.path = "/2/device/00";
  EXPECT_EQ(bench.Reason(call), "BadPath");
  call = bench.Good();
  call.path = "/3/device/not-hex";
  EXPECT_EQ(bench.Reason(call), "BadDeviceToken");
  call = bench.Good();
  call.path = "/3/device/";
  EXPECT_EQ(bench.Reason(call), "MissingDeviceToken");
  call = bench.Good();
  call.body = "";
  EXPECT_EQ(bench.Reason(call), "PayloadEmpty");
  call.body = R"({"aps":{"alert":")" + std::string(4096, 'x') + R"("}})";
  EXPECT_EQ(bench.Reason(call), "PayloadTooLarge");
  EXPECT_EQ(bench.Reason(bench.Good()), "");
}

TEST(ApnsSim, TokensThatChangeTooOftenAreRefused) {
  ApnsBench bench;
  bench.options().apns.token_updates_ms = 1'200'000;
  EXPECT_EQ(bench.Reason(bench.Good()), "");
  Call call = bench.Good();
  ApnsBench::Set(call, "authorization",
                 "bearer " + bench.Token({{"alg", "ES256"}, {"kid", bench.options().apns.key_id}},
                                         {{"iss", bench.options().apns.team_id}, {"iat", kNow / 1000 - 1}}));
  EXPECT_EQ(bench.Reason(call), "TooManyProviderTokenUpdates");
}

}  // namespace
}  // namespace sandbox
