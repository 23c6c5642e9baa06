// Huawei Push Kit: v3 under a signed token, v1 under client credentials.
#pragma once

#include <string>
#include <unordered_map>

#include "sandbox/push_sim.h"

namespace sandbox {

class Huawei final : public PushSim {
 public:
  explicit Huawei(Surroundings around);
  const char* name() const override { return "huawei"; }
  bool Owns(const std::string& path) const override { return path == "/oauth2/v3/token"; }
  Reply Handle(const Call& call) override;
  std::string Credentials(const std::string& base_url) override;

 private:
  Reply Token(const Call& call);
  Reply SendV3(const Call& call, const std::string& project);
  Reply SendV1(const Call& call, const std::string& app);
  Reply Refuse(const Push& push, Verdict verdict, int nth) override;
  Reply Answer(const Push& push, const std::string& id) override;
  Reply Code(int status, const char* code, const std::string& text);
  Reply BadToken(const Push& push, const char* reason);
  // What is wrong with the tokens of a message or its size; an empty status 200 = nothing.
  bool Tokens(const nlohmann::json& holder, const nlohmann::json& whole, Push* push, Reply* refused);

  std::unordered_map<std::string, int64_t> tokens_;  // until when
};

}  // namespace sandbox
