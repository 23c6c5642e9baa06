// ntfy: publishing as JSON to the root.
#pragma once

#include <string>

#include "sandbox/provider.h"

namespace sandbox {

class Ntfy final : public ProviderSim {
 public:
  explicit Ntfy(Surroundings around) : around_(around) {}
  const char* name() const override { return "ntfy"; }
  bool Owns(const std::string&) const override { return false; }  // only below /ntfy: the root is Aliyun's
  Reply Handle(const Call& call) override;
  void Restore(const Entry& entry) override;
  void Reset() override { tally_.Reset(); }
  Tally& tally() override { return tally_; }

 private:
  Reply Error(int code, const std::string& message);

  Surroundings around_;
  Tally tally_;
};

}  // namespace sandbox
