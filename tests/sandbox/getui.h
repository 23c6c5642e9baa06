// Getui REST API v2: auth and push/single/cid.
#pragma once

#include <string>
#include <unordered_map>

#include "sandbox/push_sim.h"

namespace sandbox {

// Lower-case hex of sha256(app key + milliseconds + master secret).
std::string GetuiSign(const std::string& app_key, const std::string& timestamp, const std::string& master_secret);

class Getui final : public PushSim {
 public:
  explicit Getui(Surroundings around);
  const char* name() const override { return "getui"; }
  bool Owns(const std::string& path) const override { return path.starts_with("/v2/"); }
  Reply Handle(const Call& call) override;

 private:
  Reply Auth(const Call& call);
  Reply Single(const Call& call);
  Reply Refuse(const Push& push, Verdict verdict, int nth) override;
  Reply Answer(const Push& push, const std::string& id) override;
  Reply Repeat(const Push& push, const std::string& first_id) override;
  Reply Code(int status, int code, const std::string& text);

  std::unordered_map<std::string, int64_t> tokens_;  // until when
  int64_t minute_ = 0;
  int64_t auths_ = 0;
};

}  // namespace sandbox
