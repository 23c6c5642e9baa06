#include "sandbox/faults.h"

#include <cstdlib>

#include "sandbox/crypto.h"

namespace sandbox {
namespace {

// Enough for any run; past it the table starts anew and a fault may be met once more.
constexpr size_t kMaxTries = 2'000'000;
constexpr int kTriesPastEveryFault = 2;

bool Digit(char c) { return c >= '0' && c <= '9'; }

std::string TryId(Provider provider, std::string_view contact_hash, std::string_view key) {
  std::string id(Name(provider));
  id += '|';
  id += contact_hash;
  id += '|';
  // Attempts of one message are "<message>-<n>"; their faults are counted together.
  const size_t dash = key.rfind('-');
  const bool numbered = dash != std::string_view::npos && dash + 1 < key.size() && key.size() - dash <= 4 &&
                        key.find_first_not_of("0123456789", dash + 1) == std::string_view::npos;
  id += numbered ? key.substr(0, dash) : key;
  return id;
}

}  // namespace

const char* Name(Provider provider) {
  switch (provider) {
    case Provider::kWechat:
      return "wechat";
    case Provider::kAliyun:
      return "aliyun";
    case Provider::kJpush:
      return "jpush";
  }
  return "";
}

const char* Name(Fate fate) {
  switch (fate) {
    case Fate::kDelivered:
      return "delivered";
    case Fate::kFailed:
      return "failed";
    case Fate::kSilent:
      return "silent";
  }
  return "";
}

int MagicOf(Provider provider, std::string_view contact) {
  if (provider == Provider::kAliyun) {
    if (contact.size() < 4 || contact.substr(contact.size() - 4, 3) != "000" || !Digit(contact.back())) return 0;
    return contact.back() - '0';
  }
  const std::string_view prefix = provider == Provider::kWechat ? "oMAGIC" : "magic";
  if (!contact.starts_with(prefix) || contact.size() < prefix.size() + 2) return 0;
  const char tens = contact[prefix.size()];
  const char ones = contact[prefix.size() + 1];
  return tens == '0' && Digit(ones) ? ones - '0' : 0;
}

Verdict Faults::ByRate(std::string_view rate_key) const {
  const std::string digest = Sha256Hex(std::to_string(options_.seed) + '|' + std::string(rate_key));
  // 52 bits of the digest, so that the quotient is exact.
  const double u = static_cast<double>(std::strtoull(digest.substr(0, 13).c_str(), nullptr, 16)) / 4503599627370496.0;
  double edge = options_.rate_error;
  if (u < edge) return Verdict::kServerError;
  edge += options_.rate_drop_before;
  if (u < edge) return Verdict::kDropBefore;
  edge += options_.rate_drop_after;
  if (u < edge) return Verdict::kAcceptThenDrop;
  edge += options_.rate_slow;
  if (u < edge) return Verdict::kAcceptSlow;
  return Verdict::kAccept;
}

Verdict Faults::Decide(Provider provider, std::string_view contact, std::string_view key, std::string_view rate_key,
                       int* nth_try) {
  *nth_try = 1;
  const int magic = options_.magic ? MagicOf(provider, contact) : 0;
  Verdict by_rate = Verdict::kAccept;
  if (magic == 0) {
    const double sum = options_.rate_error + options_.rate_drop_before + options_.rate_drop_after + options_.rate_slow;
    if (sum > 0) by_rate = ByRate(rate_key.empty() ? contact : rate_key);
    if (by_rate == Verdict::kAccept) return Verdict::kAccept;
  }
  {
    const std::string id = TryId(provider, ContactHash(contact), key);
    const std::lock_guard lock(mutex_);
    if (tries_.size() >= kMaxTries) tries_.clear();
    *nth_try = ++tries_[id];
  }
  const int n = *nth_try;
  if (magic == 0) return n == 1 ? by_rate : Verdict::kAccept;
  switch (magic) {
    case 1:
      return n == 1 ? Verdict::kThrottle : Verdict::kAccept;
    case 2:
      return Verdict::kContactRefused;
    case 3:
      return n <= 2 ? Verdict::kServerError : Verdict::kAccept;
    case 5:
      return n == 1 ? Verdict::kAcceptThenDrop : Verdict::kAccept;
    case 6:
      return n == 1 ? Verdict::kDropBefore : Verdict::kAccept;
    case 7:
      return n == 1 ? Verdict::kAcceptSlow : Verdict::kAccept;
    case 8:
      return Verdict::kOutOfQuota;
    default:
      return Verdict::kAccept;  // 4 and 9 differ in their fate only
  }
}

void Faults::Restore(Provider provider, std::string_view contact_hash, std::string_view key) {
  const std::lock_guard lock(mutex_);
  if (tries_.size() < kMaxTries) tries_[TryId(provider, contact_hash, key)] = kTriesPastEveryFault;
}

Fate Faults::FateOf(Provider provider, std::string_view contact) const {
  const int magic = options_.magic ? MagicOf(provider, contact) : 0;
  if (magic == 4) return Fate::kFailed;
  if (magic == 9) return Fate::kSilent;
  return Fate::kDelivered;
}

void Faults::Reset() {
  const std::lock_guard lock(mutex_);
  tries_.clear();
}

}  // namespace sandbox
