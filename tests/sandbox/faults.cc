#include "sandbox/faults.h"

#include <cstdlib>

#include "sandbox/crypto.h"

namespace sandbox {
namespace {

// Enough for any run; past it the table starts anew and a fault may be met once more.
constexpr size_t kMaxTries = 2'000'000;
constexpr int kTriesPastEveryFault = 2;

bool Digit(char c) { return c >= '0' && c <= '9'; }

std::string TryId(std::string_view provider, std::string_view contact_hash, std::string_view key) {
  std::string id(provider);
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

const char* Name(Fate fate) {
  switch (fate) {
    case Fate::kDelivered:
      return "delivered";
    case Fate::kFailed:
      return "failed";
    case Fate::kSilent:
      return "silent";
    case Fate::kDead:
      return "dead";
    case Fate::kReportFirst:
      return "report_first";
  }
  return "";
}

int MagicOf(std::string_view contact) {
  std::string_view digits;
  const bool phone = contact.size() >= 11 && contact.find_first_not_of("0123456789") == std::string_view::npos;
  if (phone) {
    if (contact.substr(contact.size() - 4, 2) != "00") return 0;
    digits = contact.substr(contact.size() - 2);
  } else {
    for (const std::string_view prefix : {"oMAGIC", "magic", "facade"}) {
      if (contact.starts_with(prefix)) digits = contact.substr(prefix.size(), 2);
    }
  }
  if (digits.size() != 2 || !Digit(digits[0]) || !Digit(digits[1])) return 0;
  const int number = (digits[0] - '0') * 10 + (digits[1] - '0');
  return number < 10 || number == 11 || number == 12 || number == 14 || number == 15 ? number : 0;
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

Verdict Faults::Decide(std::string_view provider, std::string_view contact, std::string_view key,
                       std::string_view rate_key, int* nth_try) {
  *nth_try = 1;
  const int magic = options_.magic ? MagicOf(contact) : 0;
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
    case 11:
      return n == 1 ? Verdict::kAcceptMalformed : Verdict::kAccept;
    case 12:
      return n == 1 ? Verdict::kTokenExpired : Verdict::kAccept;
    default:
      return Verdict::kAccept;  // 4, 9, 14 and 15 differ in their fate only
  }
}

void Faults::Restore(std::string_view provider, std::string_view contact_hash, std::string_view key) {
  const std::lock_guard lock(mutex_);
  if (tries_.size() < kMaxTries) tries_[TryId(provider, contact_hash, key)] = kTriesPastEveryFault;
}

Fate Faults::FateOf(std::string_view contact) const {
  const int magic = options_.magic ? MagicOf(contact) : 0;
  if (magic == 4) return Fate::kFailed;
  if (magic == 9) return Fate::kSilent;
  if (magic == 14) return Fate::kDead;
  if (magic == 15) return Fate::kReportFirst;
  return Fate::kDelivered;
}

void Faults::Reset() {
  const std::lock_guard lock(mutex_);
  tries_.clear();
}

}  // namespace sandbox
