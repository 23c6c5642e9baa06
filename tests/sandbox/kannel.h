// Kannel's smsbox: sendsms over HTTP, delivery reports and messages from people by GET, as gw/smsbox.c does them.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "sandbox/courier.h"
#include "sandbox/provider.h"

namespace sandbox {

// The escapes of a delivery report's URL: %d the state, %A the SMSC's text, %T the time in seconds, %% a percent sign.
std::string FillDlrUrl(const std::string& url, int state, const std::string& answer, int64_t seconds);

class Kannel final : public ProviderSim {
 public:
  explicit Kannel(Surroundings around) : around_(around) {}
  const char* name() const override { return "kannel"; }
  bool Owns(const std::string&) const override { return false; }  // /cgi-bin is WeChat's: below /kannel only
  Reply Handle(const Call& call) override;
  bool PushReply(const std::string& contact, const std::string& text) override;
  void Restore(const Entry& entry) override;
  void Reset() override;
  Tally& tally() override { return tally_; }

 private:
  Reply Refuse(int status, const std::string& text);
  // Hands the states of a message to the courier, those that its mask asks for.
  void Report(Fate fate, int mask, const std::string& url);

  Surroundings around_;
  Tally tally_;
  Ids ids_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::string> seen_;  // contact hash and key -> provider id
};

Courier::Config KannelCourier(const Options& options);
Courier::Config KannelReplyCourier(const Options& options);

}  // namespace sandbox
