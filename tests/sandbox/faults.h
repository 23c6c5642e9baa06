// What goes wrong with a message: by the recipient's magic number, else by rate.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "sandbox/sandbox.h"

namespace sandbox {

enum class Verdict {
  kAccept,
  kAcceptSlow,      // accept, answer after slow_ms
  kAcceptThenDrop,  // accept, then reset the connection
  kDropBefore,      // reset the connection, nothing accepted
  kThrottle,
  kContactRefused,
  kServerError,
  kOutOfQuota,
  kAcceptMalformed,  // accept, then answer 200 with something that cannot be read
  kTokenExpired,     // the access token counts as expired, though it is not; without tokens: a wrong signature
};

// What becomes of an accepted message.
enum class Fate {
  kDelivered,
  kFailed,
  kSilent,
  kDead,        // undelivered: there is no such number, device or follower
  kReportFirst  // delivered, and reported before the answer to the submit
};
const char* Name(Fate fate);

// The number NN of a magic contact (1..9, 11, 12, 14, 15), or 0. Magic are a phone number that ends in 00NN, an openid
// oMAGICNN..., a token facadeNN... of hex digits, and every other token magicNN....
int MagicOf(std::string_view contact);

class Faults {
 public:
  explicit Faults(const Options& options) : options_(options) {}

  // Decides one try of (contact, key) and counts it. `key` is the attempt id, out id or idempotency key; keys
  // "<message>-<n>", n of one to three digits, count as tries of one message. `rate_key` selects the fault by rate.
  // Threads: any.
  Verdict Decide(std::string_view provider, std::string_view contact, std::string_view key, std::string_view rate_key,
                 int* nth_try);
  // An accepted message of an earlier run: its faults are behind it.
  void Restore(std::string_view provider, std::string_view contact_hash, std::string_view key);
  Fate FateOf(std::string_view contact) const;
  void Reset();

 private:
  Verdict ByRate(std::string_view rate_key) const;

  const Options& options_;
  std::mutex mutex_;
  std::unordered_map<std::string, int> tries_;  // of contacts and keys that may fail; others are not kept
};

}  // namespace sandbox
