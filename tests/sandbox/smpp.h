// An SMPP 3.4 short message centre on a TCP port of its own, with its own codec: SMPP Protocol Specification v3.4 Issue
// 1.2. It checks what a centre checks (bind, lengths, coding, user data headers, window), answers, sends receipts and
// takes messages of persons from a test.
//
// Below /smpp/ on the HTTP port:
//   GET  /state  {"sessions","binds","unbinds","enquires","enquire_answers","window_max","segments"}
//   POST /mo     {"from","to","hex","data_coding","esm_class","payload","tlvs":{"0x020c":"0001"}}: delivers a person's
//                message to a bound receiver and answers {"status": of deliver_sm_resp}; 409 when nobody is bound.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "sandbox/provider.h"

namespace sandbox {

class Smpp final : public ProviderSim {
 public:
  explicit Smpp(Surroundings around);
  ~Smpp() override;
  const char* name() const override { return "smpp"; }
  bool Owns(const std::string& /*path*/) const override { return false; }
  Reply Handle(const Call& call) override;
  void Restore(const Entry& entry) override;
  void Reset() override;
  Tally& tally() override { return tally_; }
  std::expected<int, std::string> Listen() override;
  void HangUp() override;
  void AddReceipts(ProviderStats* stats) const override;

 private:
  struct Loop;

  Surroundings around_;
  Tally tally_;
  Ids ids_;
  std::unique_ptr<Loop> loop_;
};

}  // namespace sandbox
