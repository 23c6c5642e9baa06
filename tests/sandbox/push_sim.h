// What the push providers have in common: one POST a message, faults by the device token, one line for each message.
#pragma once

#include <cstdint>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_map>

#include "sandbox/provider.h"

namespace sandbox {

class PushSim : public ProviderSim {
 public:
  // `window_ms`: for how long a repeated key is known; 0 = the provider knows no keys.
  PushSim(Surroundings around, int64_t window_ms) : around_(around), window_ms_(window_ms), recent_(window_ms) {}
  void Restore(const Entry& entry) override;
  void Reset() override;
  Tally& tally() override { return tally_; }

 protected:
  struct Push {
    std::string target;
    std::string key;                                 // by which the provider tells a repeat; empty = it does not
    nlohmann::json data = nlohmann::json::object();  // notification_id and attempt_id are looked for here
    nlohmann::json shown;
  };
  // Faults, repeats and the log, for a message that is valid.
  Reply Take(const Push& push);
  // A fault that takes nothing: throttle, contact, server error, quota, token. `nth` counts the tries from 1.
  virtual Reply Refuse(const Push& push, Verdict verdict, int nth) = 0;
  virtual Reply Answer(const Push& push, const std::string& id) = 0;
  // What a repeat within the window is told.
  virtual Reply Repeat(const Push& push, const std::string& first_id) { return Answer(push, first_id); }

  Surroundings around_;
  Tally tally_;
  std::mutex mutex_;  // of the provider's own state too; Take locks it

 private:
  const int64_t window_ms_;
  Ids ids_;
  Recent recent_;
  std::unordered_map<std::string, std::string> seen_;  // attempt and recipient -> first provider id
};

// A text member, or empty.
std::string TextOf(const nlohmann::json& object, const char* key);
// The first member that is not of the list, or empty.
std::string StrangeKey(const nlohmann::json& object, std::initializer_list<std::string_view> known);
// All of `allowed` or letters and digits, and of that length.
bool Spelled(std::string_view text, std::string_view allowed, size_t least, size_t most);
// "86400s", at most that many seconds.
bool Seconds(std::string_view text, int64_t most);
Reply JsonReply(int status, const nlohmann::json& body);

}  // namespace sandbox
