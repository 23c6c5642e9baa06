// What goes wrong with a message: by the recipient's magic number, else by rate.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "sandbox/sandbox.h"

namespace sandbox {

enum class Provider { kWechat, kAliyun, kJpush };
const char* Name(Provider provider);

enum class Verdict {
  kAccept,
  kAcceptSlow,      // accept, answer after slow_ms
  kAcceptThenDrop,  // accept, then reset the connection
  kDropBefore,      // reset the connection, nothing accepted
  kThrottle,
  kContactRefused,
  kServerError,
  kOutOfQuota,
};

// What becomes of an accepted message.
enum class Fate { kDelivered, kFailed, kSilent };
const char* Name(Fate fate);

// The two digits of a magic contact, 1..9, or 0: a phone number ending in 000N, an openid oMAGIC0N..., a registration
// id magic0N....
int MagicOf(Provider provider, std::string_view contact);

class Faults {
 public:
  explicit Faults(const Options& options) : options_(options) {}

  // Decides one try of (contact, key) and counts it. `key` is the attempt id, out id or idempotency key; keys
  // "<message>-<n>", n of one to three digits, count as tries of one message. `rate_key` selects the fault by rate.
  // Threads: any.
  Verdict Decide(Provider provider, std::string_view contact, std::string_view key, std::string_view rate_key,
                 int* nth_try);
  // An accepted message of an earlier run: its faults are behind it.
  void Restore(Provider provider, std::string_view contact_hash, std::string_view key);
  Fate FateOf(Provider provider, std::string_view contact) const;
  void Reset();

 private:
  Verdict ByRate(std::string_view rate_key) const;

  const Options& options_;
  std::mutex mutex_;
  std::unordered_map<std::string, int> tries_;  // of contacts and keys that may fail; others are not kept
};

}  // namespace sandbox
