// Firebase Cloud Messaging, HTTP v1: tokens for signed assertions, and messages:send.
#pragma once

#include <string>
#include <unordered_map>

#include "sandbox/push_sim.h"

namespace sandbox {

class Fcm final : public PushSim {
 public:
  explicit Fcm(Surroundings around) : PushSim(around, 0) {}
  const char* name() const override { return "fcm"; }
  bool Owns(const std::string& path) const override;
  Reply Handle(const Call& call) override;
  std::string Credentials(const std::string& base_url) override;

 private:
  Reply Token(const Call& call);
  Reply Send(const Call& call, const std::string& project);
  Reply Refuse(const Push& push, Verdict verdict, int nth) override;
  Reply Answer(const Push& push, const std::string& id) override;
  Reply TokenError(int status, const char* error, const char* text);
  // An error of the API; `code` of an FcmError may be empty, and so may the field.
  Reply Error(int status, const char* rpc, const std::string& code, const std::string& text,
              const std::string& field = {});
  bool Authorized(const Call& call);

  std::unordered_map<std::string, int64_t> tokens_;  // until when
};

}  // namespace sandbox
