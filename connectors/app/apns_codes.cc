#include "app/apns_codes.h"

#include <map>

namespace zhitui::app {

delivery::Verdict ApnsVerdict(std::string_view reason, int http_status) {
  using delivery::Verdict;
  static const std::map<std::string_view, Verdict> table = {
      // 400
      {"BadCollapseId", Verdict::kFixMessage},      // the collapse identifier is over 64 bytes
      {"BadDeviceToken", Verdict::kDropContact},    // not a token, or one of the other environment
      {"BadExpirationDate", Verdict::kFixMessage},  // apns-expiration
      {"BadMessageId", Verdict::kFixMessage},       // apns-id is not a UUID
      {"BadPriority", Verdict::kStopChannel},       // apns-priority: the same setting for every message
      {"BadTopic", Verdict::kStopChannel},          // apns-topic
      {"DeviceTokenNotForTopic", Verdict::kDropContact},
      {"DuplicateHeaders", Verdict::kFixMessage},
      {"IdleTimeout", Verdict::kRetryLater},
      {"InvalidPushType", Verdict::kStopChannel},
      {"MissingDeviceToken", Verdict::kDropContact},
      {"MissingTopic", Verdict::kStopChannel},
      {"PayloadEmpty", Verdict::kFixMessage},
      {"TopicDisallowed", Verdict::kStopChannel},  // this key may not push to the topic
      // 403
      {"BadCertificate", Verdict::kStopChannel},
      {"BadCertificateEnvironment", Verdict::kStopChannel},
      {"ExpiredProviderToken", Verdict::kStopChannel},
      {"Forbidden", Verdict::kStopChannel},
      {"InvalidProviderToken", Verdict::kStopChannel},  // wrong key, key id or team
      {"MissingProviderToken", Verdict::kStopChannel},
      {"UnrelatedKeyIdInToken", Verdict::kStopChannel},       // not the key this connection began with
      {"BadEnvironmentKeyIdInToken", Verdict::kStopChannel},  // a key of the other environment
      // 404, 405
      {"BadPath", Verdict::kStopChannel},
      {"MethodNotAllowed", Verdict::kStopChannel},
      // 410
      {"ExpiredToken", Verdict::kDropContact},
      {"Unregistered", Verdict::kDropContact},
      // 413
      {"PayloadTooLarge", Verdict::kFixMessage},
      // 429
      {"TooManyProviderTokenUpdates", Verdict::kThrottled},  // the token was renewed too often
      {"TooManyRequests", Verdict::kThrottled},              // too many for this device
      // 500, 503
      {"InternalServerError", Verdict::kRetryLater},
      {"ServiceUnavailable", Verdict::kRetryLater},
      {"Shutdown", Verdict::kRetryLater},
  };
  if (const auto found = table.find(reason); found != table.end()) return found->second;
  switch (http_status) {
    case 410:
      return Verdict::kDropContact;
    case 413:
      return Verdict::kFixMessage;
    case 429:
      return Verdict::kThrottled;
    case 403:
    case 404:
    case 405:
      return Verdict::kStopChannel;
    default:
      break;
  }
  if (http_status >= 400 && http_status < 500) return Verdict::kFixMessage;
  return Verdict::kUnknown;  // not one of Apple's: something between may have answered
}

}  // namespace zhitui::app
