// Service accounts for tests, with keys made at run time.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "app/jwt.h"
#include "delivery/delivery.h"

namespace zhitui::testing {

inline std::shared_ptr<EVP_PKEY> TestRsaKey() {
  static const std::shared_ptr<EVP_PKEY> key(EVP_RSA_gen(2048), EVP_PKEY_free);
  return key;
}

inline std::string TestRsaPem() {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(bio, TestRsaKey().get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return pem;
}

struct OpenedJwt {
  bool verified = false;
  nlohmann::json header;
  nlohmann::json claims;
};
// Verified with the public half of TestRsaKey, by OpenSSL.
inline OpenedJwt OpenJwt(const std::string& token, bool pss) {
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  OpenedJwt jwt;
  const std::string signature = app::FromBase64Url(token.substr(last + 1)).value();
  EVP_MD_CTX* digest = EVP_MD_CTX_new();
  EVP_PKEY_CTX* context = nullptr;
  EVP_DigestVerifyInit(digest, &context, EVP_sha256(), nullptr, TestRsaKey().get());
  if (pss) {
    EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(context, 32);
  }
  jwt.verified = EVP_DigestVerify(digest, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                                  reinterpret_cast<const unsigned char*>(token.data()), last) == 1;
  EVP_MD_CTX_free(digest);
  jwt.header = nlohmann::json::parse(app::FromBase64Url(token.substr(0, first)).value());
  jwt.claims = nlohmann::json::parse(app::FromBase64Url(token.substr(first + 1, last - first - 1)).value());
  return jwt;
}

inline delivery::HttpAnswer AnswerOf(int status, std::string body, std::map<std::string, std::string> headers = {}) {
  delivery::HttpAnswer answer;
  answer.fate = delivery::HttpFate::kAnswered;
  answer.status = status;
  answer.body = std::move(body);
  answer.headers = std::move(headers);
  return answer;
}

inline delivery::SendRequest PushRequest(std::string contact = "device-token-1") {
  delivery::SendRequest request;
  request.attempt_id = "n1-1";
  request.notification_id = "n1";
  request.contact = std::move(contact);
  request.key.key = "n1-1";
  request.content.channel = Channel::kApp;
  request.content.locale = "zh";
  request.content.title = "高龄津贴";
  request.content.body = "您可以申请\"高龄津贴\"";
  request.content.url = "https://example.gov.cn/a?b=1";
  request.timeout = Millis(20'000);
  return request;
}

}  // namespace zhitui::testing
