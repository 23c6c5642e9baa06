// WeChat: access tokens, template and subscription messages of a service account, and those of a mini-program.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "sandbox/provider.h"

namespace sandbox {

// One kind of access token (stable or classic; they do not invalidate each other). Not thread safe.
class WechatTokens {
 public:
  explicit WechatTokens(int64_t ttl_ms) : ttl_ms_(ttl_ms) {}
  struct Grant {
    std::string token;
    int64_t expires_in_s;
  };
  // The same token until its last five minutes, then a new one beside it.
  Grant Stable(int64_t now_ms);
  // A new token; the one before works for five more minutes.
  Grant Next(int64_t now_ms);
  // A new token; every other is dead at once.
  Grant Force(int64_t now_ms);
  enum class State { kUnknown, kGood, kExpired };
  State Check(const std::string& token, int64_t now_ms) const;

 private:
  struct Issued {
    std::string token;
    int64_t until_ms;
  };
  int64_t Overlap() const;
  Grant Issue(int64_t now_ms);

  int64_t ttl_ms_;
  std::deque<Issued> issued_;  // newest last
};

// A service account. Below its prefix it also takes POST /sandbox/grant and /sandbox/event, by which a person acts:
//   {"openid", "template_id", "count"}: accepts the template so often
//   {"openid", "event": "reject" | "change" | "follow" | "unfollow" | "text", "template_id", "text"}
class Wechat : public ProviderSim {
 public:
  explicit Wechat(Surroundings around);
  const char* name() const override { return id_.name; }
  bool Owns(const std::string& path) const override;
  Reply Handle(const Call& call) override;
  void Restore(const Entry& entry) override;
  void Reset() override;
  Tally& tally() override { return tally_; }

 protected:
  struct Identity {
    const char* name;
    std::string appid;
    std::string secret;
    bool mini = false;
  };
  Wechat(Surroundings around, Identity id, Courier::Config push);

 private:
  enum class Api { kTemplate, kService, kMini };
  Reply StableToken(const Call& call);
  Reply ClassicToken(const Call& call);
  Reply Send(const Call& call, Api api);
  Reply Act(const Call& call);
  // The token-independent checks of a subscription message; a reply when it is refused.
  std::optional<Reply> CheckSubscription(const nlohmann::json& body, Api api, const std::string& openid,
                                         const std::string& template_id);
  Reply Error(int64_t code, const std::string& text);
  std::optional<Reply> CheckApp(const std::string& grant_type, const std::string& appid, const std::string& secret);
  std::optional<Reply> CheckToken(const Call& call);
  // The fields as shown to the resident; a reply when one breaks its rule.
  std::optional<Reply> CheckFields(const nlohmann::json& data, nlohmann::json* shown);

  Surroundings around_;
  const Identity id_;
  const Courier::Config push_;
  Tally tally_;
  Ids ids_;
  std::mutex mutex_;
  WechatTokens stable_;
  WechatTokens classic_;
  std::deque<int64_t> forced_;  // when force_refresh was used in the last day
  Recent recent_;
  std::map<std::string, int64_t> grants_;      // by openid and template
  std::map<std::string, int64_t> busy_until_;  // openids with a slow answer under way, by the steady clock
};

// A mini-program: its own account at the same paths, below /wechat_mini.
class WechatMini final : public Wechat {
 public:
  explicit WechatMini(Surroundings around);
  bool Owns(const std::string&) const override { return false; }
};

}  // namespace sandbox
