// gorush: POST /api/push, with or without core.sync, and the feedback hook.
#pragma once

#include <string>

#include "sandbox/provider.h"

namespace sandbox {

// The feedback hook's posts: one failed push each.
Courier::Config GorushCourier(const Options& options);

class Gorush final : public ProviderSim {
 public:
  explicit Gorush(Surroundings around) : around_(around) {}
  const char* name() const override { return "gorush"; }
  bool Owns(const std::string& path) const override { return path.starts_with("/api/"); }
  Reply Handle(const Call& call) override;
  void Restore(const Entry& entry) override;
  void Reset() override { tally_.Reset(); }
  Tally& tally() override { return tally_; }

 private:
  Reply Error(int status, const std::string& message);

  Surroundings around_;
  Tally tally_;
  Ids ids_;
};

}  // namespace sandbox
