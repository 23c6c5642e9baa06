// JPush v3: push, cid pool, and the received report.
#pragma once

#include <cstdint>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sandbox/provider.h"

namespace sandbox {

// "Basic " + base64(appKey:masterSecret)
std::string BasicAuthorization(std::string_view user, std::string_view password);

class Jpush final : public ProviderSim {
 public:
  explicit Jpush(Surroundings around);
  const char* name() const override { return "jpush"; }
  bool Owns(const std::string& path) const override;
  Reply Handle(const Call& call) override;
  void Restore(const Entry& entry) override;
  void Reset() override;
  Tally& tally() override { return tally_; }

 private:
  struct Draft {
    std::vector<std::string> targets;
    std::string cid;
    int64_t sendno = 0;
    bool android = false;
    bool ios = false;
    nlohmann::json shown;
    std::string notification_id;
    std::string attempt_id;
  };
  struct Sent {
    int64_t at_ms;
    int64_t delivered;  // devices that will report
    bool android;
  };

  Reply Cids(const Call& call);
  Reply Push(const Call& call);
  Reply Received(const Call& call);
  Reply Error(int status, int code, const std::string& message);
  std::optional<Reply> Quota(Pairs* headers);
  std::optional<Reply> ReadDraft(const nlohmann::json& body, Draft* draft);
  std::optional<Reply> ReadPlatform(const nlohmann::json& body, Draft* draft);
  std::optional<Reply> ReadAudience(const nlohmann::json& body, Draft* draft);
  std::optional<Reply> ReadContent(const nlohmann::json& body, Draft* draft);
  std::optional<Reply> ReadOptions(const nlohmann::json& body, Draft* draft);
  void ReadExtras(const nlohmann::json& holder, Draft* draft);
  bool ValidCid(const std::string& cid) const;
  Reply Accepted(const Draft& draft, const std::string& msg_id) const;
  void Keep(const std::string& msg_id, const Sent& sent);

  Surroundings around_;
  Tally tally_;
  Ids ids_;
  std::string authorization_;
  std::mutex mutex_;
  Recent recent_;
  std::unordered_map<std::string, Sent> sent_;
  int64_t window_start_ms_ = 0;
  int64_t window_used_ = 0;
};

}  // namespace sandbox
