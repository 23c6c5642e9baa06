// WeCom: the token of an app and its text messages, below /wecom.
#pragma once

#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

#include "sandbox/provider.h"
#include "sandbox/wechat.h"

namespace sandbox {

class Wecom final : public ProviderSim {
 public:
  explicit Wecom(Surroundings around);
  const char* name() const override { return "wecom"; }
  bool Owns(const std::string&) const override { return false; }
  Reply Handle(const Call& call) override;
  void Restore(const Entry& entry) override;
  void Reset() override;
  Tally& tally() override { return tally_; }

 private:
  Reply Token(const Call& call);
  Reply Send(const Call& call);
  Reply Error(int64_t code, const std::string& text, const std::string& invalid = {});

  Surroundings around_;
  Tally tally_;
  Ids ids_;
  std::mutex mutex_;
  WechatTokens tokens_;
  std::map<int64_t, Recent> repeats_;  // by the interval that a message names
};

}  // namespace sandbox
