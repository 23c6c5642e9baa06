// Tencent Cloud SMS 2021-01-11: SendSms and PullSmsSendStatusByPhoneNumber behind the API gateway's TC3 signature.
#pragma once

#include <cstdint>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sandbox/courier.h"
#include "sandbox/provider.h"

namespace sandbox {

class Tencent final : public ProviderSim {
 public:
  explicit Tencent(Surroundings around) : around_(around) {}
  const char* name() const override { return "tencent"; }
  bool Owns(const std::string&) const override { return false; }  // "/" is Aliyun's: below /tencent only
  Reply Handle(const Call& call) override;
  bool PushReply(const std::string& contact, const std::string& text) override;
  void Restore(const Entry& entry) override;
  void Reset() override;
  Tally& tally() override { return tally_; }

 private:
  struct Sms {
    std::string serial;
    std::string session;
    int64_t at_ms;
    Fate fate;
  };
  struct Draft {
    std::string sign;
    std::string template_id;
    std::string session;
    std::string text;  // what the resident reads
    std::vector<std::string> params;
  };

  // A failure of the whole call.
  Reply Refuse(const std::string& code, const std::string& message);
  Reply Answer(nlohmann::json response) const;
  Reply SendSms(const nlohmann::json& body);
  Reply PullByNumber(const nlohmann::json& body);
  std::optional<Reply> ReadDraft(const nlohmann::json& body, Draft* draft);
  // The state of one number; `reply` takes what happens to the connection.
  nlohmann::json SendOne(const std::string& written, const Draft& draft, Reply* reply, std::optional<Reply>* whole,
                         std::vector<std::pair<Fate, std::string>>* reports);
  void Keep(const std::string& contact_hash, Sms sms);

  Surroundings around_;
  Tally tally_;
  Ids ids_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::vector<Sms>> sent_;  // by contact hash, oldest first
  size_t kept_ = 0;
};

Courier::Config TencentCourier(const Options& options);
Courier::Config TencentReplyCourier(const Options& options);

}  // namespace sandbox
