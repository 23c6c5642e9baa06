#include "app/ntfy_codes.h"

namespace zhitui::app {

delivery::Verdict NtfyVerdict(int code, int http_status) {
  using delivery::Verdict;
  switch (code) {
    case 40009:  // topic invalid
    case 40010:  // topic name not allowed
    case 50701:  // a UnifiedPush topic without a subscriber
      return Verdict::kDropContact;
    case 40101:  // unauthorized
    case 40301:  // forbidden: this token may not write to the topic
    case 40401:  // page not found: base_url is not ntfy's root
    case 42904:  // the server has as many topics as it may
    case 42905:  // daily bandwidth
    case 42908:  // daily message quota
    case 42909:  // too many failed logins
    case 50003:  // base-url is not configured
      return Verdict::kStopChannel;
    case 42901:  // too many requests
    case 42902:  // too many e-mails
    case 42903:  // too many subscriptions
    case 42906:
    case 42907:
    case 42910:
      return Verdict::kThrottled;
    default:
      break;
  }
  // 40000 to 40046, 409xx, 41001, 41301 to 41303: the request.
  if (code >= 40000 && code < 42000) return Verdict::kFixMessage;
  switch (http_status) {
    case 401:
    case 403:
    case 404:
      return Verdict::kStopChannel;
    case 429:
      return Verdict::kThrottled;
    default:
      break;
  }
  if (http_status >= 400 && http_status < 500) return Verdict::kFixMessage;
  // 50001 too: ntfy tells subscribers before it stores a message, so one that failed there may have been seen.
  return Verdict::kUnknown;
}

}  // namespace zhitui::app
