// Aliyun Dysmsapi 2017-05-25: SendSms and QuerySendDetails over the RPC gateway with signature version 3.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sandbox/acs3.h"
#include "sandbox/provider.h"

namespace sandbox {

// 11 digits without +86, 0086 or 86; nothing when it is not a mainland mobile number.
std::optional<std::string> MainlandNumber(std::string_view text);
// Messages a carrier bills: 1 up to 70 units, then one per 67 begun.
size_t SmsSegments(size_t utf16_units);

class Aliyun final : public ProviderSim {
 public:
  explicit Aliyun(Surroundings around);
  const char* name() const override { return "aliyun"; }
  bool Owns(const std::string& path) const override;
  Reply Handle(const Call& call) override;
  bool PushReply(const std::string& contact, const std::string& text) override;
  void Restore(const Entry& entry) override;
  void Reset() override;
  Tally& tally() override { return tally_; }

 private:
  struct Sms {
    std::string biz_id;
    std::string out_id;
    std::string template_code;
    std::string text;
    int64_t at_ms;
    Fate fate;
  };
  struct Draft {
    std::vector<std::string> numbers;
    std::string sign;
    std::string template_code;
    std::string out_id;
    std::string text;  // what the resident reads
    nlohmann::json params;
  };

  Reply SendSms(const Pairs& query);
  Reply QuerySendDetails(const Pairs& query);
  // A refusal of the gateway: HTTP 4xx or 5xx.
  Reply Refuse(int status, const std::string& code, const std::string& message);
  // A business answer: HTTP 200.
  Reply Business(const std::string& code, const std::string& message);
  std::optional<Reply> ReadDraft(const Pairs& query, Draft* draft);
  std::optional<Reply> Render(const std::string& template_param, Draft* draft);
  // The BizId of an earlier message to that contact with the same out id, or empty.
  std::string EarlierWith(const std::string& contact_hash, const std::string& out_id) const;
  void Keep(const std::string& contact_hash, Sms sms);

  Surroundings around_;
  Tally tally_;
  Ids ids_;
  std::mutex mutex_;
  Acs3Verifier verifier_;
  std::unordered_map<std::string, std::vector<Sms>> sent_;  // by contact hash, oldest first
  size_t kept_ = 0;
};

}  // namespace sandbox
