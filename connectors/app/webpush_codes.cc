#include "app/webpush_codes.h"

namespace zhitui::app {

delivery::Verdict WebpushVerdict(int http_status) {
  using delivery::Verdict;
  switch (http_status) {
    case 201:  // created: taken
    case 202:  // taken, with a receipt asked for
      return Verdict::kAccepted;
    case 404:  // the subscription is no more (RFC 8030 section 7.3)
    case 410:  // likewise
      return Verdict::kDropContact;
    case 413:  // over what the service takes, at least 4096 bytes
      return Verdict::kFixMessage;
    case 429:
      return Verdict::kThrottled;
    case 503:  // asks to come back
      return Verdict::kRetryLater;
    case 400:  // a header or the token is malformed: the same for every message
    case 401:  // the VAPID token is not valid
    case 403:  // not the key this subscription was made with
      return Verdict::kStopChannel;
    default:
      break;
  }
  if (http_status >= 400 && http_status < 500) return Verdict::kFixMessage;
  return Verdict::kUnknown;
}

}  // namespace zhitui::app
