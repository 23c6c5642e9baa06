#include "app/gorush_codes.h"

#include <array>

#include "app/apns_codes.h"

namespace zhitui::app {
namespace {

using delivery::Verdict;

constexpr std::size_t kMaxReason = 40;

struct Row {
  std::string_view part;  // of the text, in lower case
  Verdict verdict;
  const char* code;
};
constexpr std::array<Row, 20> kTable = {{
    // Firebase: UNREGISTERED, and the words of the older API
    {"requested entity was not found", Verdict::kDropContact, "fcm_unregistered"},
    {"registration-token-not-registered", Verdict::kDropContact, "fcm_unregistered"},
    {"unregistered", Verdict::kDropContact, "fcm_unregistered"},
    {"notregistered", Verdict::kDropContact, "fcm_unregistered"},
    {"not a valid fcm registration token", Verdict::kDropContact, "fcm_invalid_token"},
    {"invalidregistration", Verdict::kDropContact, "fcm_invalid_token"},
    {"senderid mismatch", Verdict::kDropContact, "fcm_sender_mismatch"},
    {"mismatchsenderid", Verdict::kDropContact, "fcm_sender_mismatch"},
    {"mismatched-credential", Verdict::kDropContact, "fcm_sender_mismatch"},
    {"quota exceeded", Verdict::kThrottled, "fcm_quota"},
    {"message-rate-exceeded", Verdict::kThrottled, "fcm_quota"},
    {"message is too big", Verdict::kFixMessage, "fcm_too_big"},
    // Huawei
    {"80300007", Verdict::kDropContact, "hms_80300007"},  // all tokens are invalid
    {"80300008", Verdict::kFixMessage, "hms_80300008"},   // over 4 KB
    {"80300002", Verdict::kStopChannel, "hms_80300002"},  // not permitted
    // gorush itself: its queue is full, or it lacks a credential
    {"max capacity reached", Verdict::kRetryLater, "queue_full"},
    {"please enable ios", Verdict::kStopChannel, "gorush_config"},
    {"missing fcm credential", Verdict::kStopChannel, "gorush_config"},
    {"missing huawei app", Verdict::kStopChannel, "gorush_config"},
    {"missing ios certificate", Verdict::kStopChannel, "gorush_config"},
}};

bool IsReason(std::string_view text) {
  if (text.empty() || text.size() > kMaxReason || text.front() < 'A' || text.front() > 'Z') return false;
  for (const char c : text) {
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) return false;
  }
  return true;
}

}  // namespace

GorushError GorushErrorOf(std::string_view text) {
  if (IsReason(text)) {
    // Of APNs, by its table; status 0 leaves what the table does not know unknown.
    const Verdict verdict = ApnsVerdict(text, 0);
    if (verdict == Verdict::kRetryLater) return {Verdict::kUnknown, std::string(text)};
    if (verdict != Verdict::kUnknown) return {verdict, std::string(text)};
  }
  std::string lower(text.substr(0, 1000));
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  for (const Row& row : kTable) {
    if (lower.find(row.part) != std::string::npos) return {row.verdict, row.code};
  }
  return {Verdict::kUnknown, "failed"};
}

}  // namespace zhitui::app
