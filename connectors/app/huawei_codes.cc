#include "app/huawei_codes.h"

#include <map>

namespace zhitui::app {

using delivery::Verdict;

Verdict HuaweiVerdict(std::string_view code, int http_status) {
  static const std::map<std::string_view, Verdict> table = {
      {"80000000", Verdict::kAccepted},
      {"80100000", Verdict::kDropContact},  // some tokens were refused: ours, there is only one
      {"80300007", Verdict::kDropContact},  // all tokens are invalid
      {"80100001", Verdict::kFixMessage},   // some parameters are wrong
      {"80100003", Verdict::kFixMessage},   // the structure of the message is wrong
      {"80100004", Verdict::kFixMessage},   // the message expires before it is sent
      {"80100013", Verdict::kFixMessage},   // v1: collapse_key is wrong
      {"80100016", Verdict::kFixMessage},   // v1: the message has sensitive words
      {"80100018", Verdict::kFixMessage},   // v1: the reviewer's signature does not fit the message
      {"80100022", Verdict::kFixMessage},   // an image was not checked
      {"80300008", Verdict::kFixMessage},   // over 4096 bytes without the token
      {"80300010", Verdict::kFixMessage},   // too many tokens
      {"80300030", Verdict::kFixMessage},   // too many tokens in a test message
      {"80100017", Verdict::kThrottled},    // v1: more than 100 topic tasks at a time
      {"80300029", Verdict::kThrottled},    // test messages too often
      {"80200001", Verdict::kStopChannel},  // authentication
      {"80200003", Verdict::kStopChannel},  // v1: the access token has expired, and so has the next one
      {"80200005", Verdict::kStopChannel},  // the signed token has expired, and so has the next one
      {"80200006", Verdict::kStopChannel},  // the token is disabled: the app was punished
      {"80300002", Verdict::kStopChannel},  // the app may not push
      {"80300011", Verdict::kStopChannel},  // v1: no right to high priority
      {"80300013", Verdict::kStopChannel},  // v1: the receipt address is wrong
      {"80300036", Verdict::kStopChannel},  // the signed token lives longer than a day
      {"80300037", Verdict::kStopChannel},  // the app was punished
      {"80600003", Verdict::kRetryLater},   // v1: their OAuth service failed
      {"81000001", Verdict::kRetryLater},   // system error
  };
  if (const auto found = table.find(code); found != table.end()) return found->second;
  if (http_status == 503) return Verdict::kThrottled;
  if (http_status == 401 || http_status == 403 || http_status == 404) return Verdict::kStopChannel;
  if (http_status == 429) return Verdict::kThrottled;
  if (http_status >= 400 && http_status < 500) return Verdict::kFixMessage;
  return Verdict::kUnknown;
}

bool IsHuaweiTokenError(std::string_view code) {
  return code == "80200001" || code == "80200003" || code == "80200005";
}

Verdict HuaweiTokenVerdict(std::string_view reason) {
  static const std::map<std::string_view, Verdict> table = {
      {"tokenFormatError", Verdict::kDropContact},
      {"noRight", Verdict::kDropContact},  // of another project, or from before the phone's upgrade to HarmonyOS 5
      {"tokenPlatformNotSupport", Verdict::kDropContact},  // of an agent that is not served
      // This phone's country is not served. Nothing is wrong with the token, and the other phones are not affected.
      {"countryNotSupport", Verdict::kFixMessage},
      {"atomicUnableSendUnsubscribedMsg", Verdict::kFixMessage},  // a service without installation takes other messages
      {"differentImgVerifyPolicy", Verdict::kFixMessage},         // an image was checked for another push-type
      {"notSupportPlayVoice", Verdict::kFixMessage},              // the category wants another push-type
      {"noPushTypeRight", Verdict::kStopChannel},                 // the app has no right to this push-type
      {"disableSendHuaweiMsgBecauseOfPenalty", Verdict::kStopChannel},
      {"appinfoError", Verdict::kStopChannel},  // no such app
      {"noRightToSendThisLiveNotificationEvent", Verdict::kStopChannel},
  };
  const auto found = table.find(reason);
  return found == table.end() ? Verdict::kDropContact : found->second;
}

}  // namespace zhitui::app
