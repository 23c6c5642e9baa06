#include "app/fcm_codes.h"

#include <map>

namespace zhitui::app {

delivery::Verdict FcmVerdict(std::string_view code, int http_status) {
  using delivery::Verdict;
  static const std::map<std::string_view, Verdict> table = {
      {"UNREGISTERED", Verdict::kDropContact},        // 404: the token is no more, the app was removed
      {"SENDER_ID_MISMATCH", Verdict::kDropContact},  // 403: the token belongs to another project
      {"INVALID_ARGUMENT", Verdict::kFixMessage},  // 400: a field is wrong (a wrong token is told apart by the reader)
      {"QUOTA_EXCEEDED", Verdict::kThrottled},     // 429: of the project, the device or the topic
      {"UNAVAILABLE", Verdict::kRetryLater},       // 503: overloaded, Retry-After
      {"INTERNAL", Verdict::kRetryLater},          // 500: the server failed
      {"THIRD_PARTY_AUTH_ERROR", Verdict::kStopChannel},  // 401: the APNs or Web Push key in the console is wrong
      // google.rpc statuses that come without an FcmError
      {"RESOURCE_EXHAUSTED", Verdict::kThrottled},     // 429
      {"PERMISSION_DENIED", Verdict::kStopChannel},    // 403: the account may not send for this project
      {"NOT_FOUND", Verdict::kStopChannel},            // 404: no such project
      {"UNAUTHENTICATED", Verdict::kStopChannel},      // 401: the token, when a new one did not help
      {"FAILED_PRECONDITION", Verdict::kStopChannel},  // 400: the project is not set up
  };
  if (const auto found = table.find(code); found != table.end()) return found->second;
  if (http_status == 429) return Verdict::kThrottled;
  if (http_status == 401 || http_status == 403 || http_status == 404) return Verdict::kStopChannel;
  if (http_status >= 400 && http_status < 500) return Verdict::kFixMessage;
  return Verdict::kUnknown;
}

}  // namespace zhitui::app
