// Apple Push Notification service: the HTTP/2 API with provider tokens, on a port of its own.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include "sandbox/ec.h"
#include "sandbox/h2.h"
#include "sandbox/provider.h"

namespace sandbox {

class Apns final : public ProviderSim {
 public:
  explicit Apns(Surroundings around);
  const char* name() const override { return "apns"; }
  bool Owns(const std::string&) const override { return false; }
  // On the common HTTP port there is no APNs.
  Reply Handle(const Call& call) override;
  std::expected<int, std::string> Listen() override;
  void HangUp() override;
  void Restore(const Entry& entry) override;
  void Reset() override;
  Tally& tally() override { return tally_; }
  // The .p8 key, its id, the team, the topic, the address and the CA.
  std::string Credentials(const std::string& base_url) override;

  // What the server does with one request; `connection` tells connections apart.
  Reply Push(const Call& call, uint64_t connection);

 private:
  Reply Error(int status, const std::string& reason, const std::string& apns_id);
  std::string CheckToken(const Call& call, uint64_t connection, int* status);
  std::string CheckHeaders(const Call& call, int* status) const;

  Surroundings around_;
  Tally tally_;
  const EcKey key_;
  const Certificate certificate_;
  std::unique_ptr<H2Front> front_;
  int port_ = 0;
  std::mutex mutex_;
  std::map<uint64_t, std::string> pinned_;  // connection -> key id of its first request
  std::unordered_set<std::string> seen_;    // apns-id and recipient of accepted messages
  std::string last_token_;
  int64_t last_token_ms_ = 0;
};

}  // namespace sandbox
