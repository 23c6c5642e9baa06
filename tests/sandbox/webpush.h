// A push service for browsers: RFC 8030 with RFC 8292 (VAPID), and the browser that decrypts (RFC 8291).
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "sandbox/ec.h"
#include "sandbox/provider.h"

namespace sandbox {

// The text of a push message, or nothing when it does not open. `shared` is the ECDH secret of the browser's key and
// the one in the body's header; PushSenderPoint takes that one out.
std::optional<std::string> PushSenderPoint(std::string_view body);
std::optional<std::string> OpenPush(std::string_view body, std::string_view shared, std::string_view point,
                                    std::string_view auth);

// What is wrong with "vapid t=…, k=…" for a service of that origin, or empty; `k` gets the key's point.
std::string CheckVapid(std::string_view header, std::string_view origin, int64_t now_ms, std::string* k);

class Webpush final : public ProviderSim {
 public:
  explicit Webpush(Surroundings around) : around_(around) {}
  const char* name() const override { return "webpush"; }
  bool Owns(const std::string&) const override { return false; }  // only below /webpush
  Reply Handle(const Call& call) override;
  void Restore(const Entry& entry) override;
  void Reset() override;
  Tally& tally() override { return tally_; }

 private:
  struct Subscription {
    EcKey key;
    std::string auth;
    std::string vapid;  // k of the only key that may send; empty = any
  };

  // GET /subscription?id=NAME&vapid=K: a new subscription; both may be left out.
  Reply Subscribe(const Call& call);
  Reply Send(const Call& call, const std::string& id);
  Reply Error(int status, const std::string& message);
  std::string Origin(const Call& call) const;

  Surroundings around_;
  Tally tally_;
  std::mutex mutex_;
  std::unordered_map<std::string, Subscription> subscriptions_;
};

}  // namespace sandbox
