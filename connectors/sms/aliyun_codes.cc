#include "sms/aliyun_codes.h"

#include <algorithm>
#include <array>

namespace zhitui::sms {
namespace {

using delivery::Verdict;

struct Row {
  std::string_view code;
  Verdict verdict;
};

constexpr std::array kTable = {
    Row{"OK", Verdict::kAccepted},
    // The provider failed.
    Row{"isp.SYSTEM_ERROR", Verdict::kRetryLater},
    Row{"isp.GATEWAY_ERROR", Verdict::kRetryLater},
    Row{"isv.DATA_NOT_EXIST", Verdict::kRetryLater},  // of a query that came too early
    Row{"SignatureNonceUsed", Verdict::kRetryLater},
    // Too much for this number.
    Row{"isv.BUSINESS_LIMIT_CONTROL", Verdict::kThrottled},
    // Account, quota, rights.
    Row{"isv.OUT_OF_SERVICE", Verdict::kStopChannel},
    Row{"isv.AMOUNT_NOT_ENOUGH", Verdict::kStopChannel},
    Row{"isv.DAY_LIMIT_CONTROL", Verdict::kStopChannel},
    Row{"isv.MONTH_LIMIT_CONTROL", Verdict::kStopChannel},
    Row{"isv.PRODUCT_UN_SUBSCRIPT", Verdict::kStopChannel},
    Row{"isv.PRODUCT_UNSUBSCRIBE", Verdict::kStopChannel},
    Row{"isv.ACCOUNT_NOT_EXISTS", Verdict::kStopChannel},
    Row{"isv.ACCOUNT_ABNORMAL", Verdict::kStopChannel},
    Row{"isp.RAM_PERMISSION_DENY", Verdict::kStopChannel},
    Row{"isv.DENY_IP_RANGE", Verdict::kStopChannel},  // the caller is outside the mainland
    // This number.
    Row{"isv.MOBILE_NUMBER_ILLEGAL", Verdict::kDropContact},
    Row{"isv.BLACK_KEY_CONTROL_LIMIT", Verdict::kDropContact},
    Row{"isv.DOMESTIC_NUMBER_NOT_SUPPORTED", Verdict::kDropContact},
    // Template, signature, parameters.
    Row{"isv.SMS_TEMPLATE_ILLEGAL", Verdict::kFixMessage},
    Row{"isv.SMS_SIGNATURE_ILLEGAL", Verdict::kFixMessage},
    Row{"isv.SIGN_STATE_ILLEGAL", Verdict::kFixMessage},
    Row{"isv.SMS_SIGNATURE_SCENE_ILLEGAL", Verdict::kFixMessage},
    Row{"isv.TEMPLATE_MISSING_PARAMETERS", Verdict::kFixMessage},
    Row{"isv.INVALID_JSON_PARAM", Verdict::kFixMessage},
    Row{"isv.PARAM_LENGTH_LIMIT", Verdict::kFixMessage},
    Row{"isv.PARAM_NOT_SUPPORT_URL", Verdict::kFixMessage},
    Row{"isv.SMS_CONTENT_ILLEGAL", Verdict::kFixMessage},
    Row{"isv.EXTEND_CODE_ERROR", Verdict::kFixMessage},
    Row{"isv.INVALID_PARAMETERS", Verdict::kFixMessage},
    Row{"isv.MOBILE_COUNT_OVER_LIMIT", Verdict::kFixMessage},
};

Millis WindowOf(std::string_view message) {
  if (message.find("天级") != std::string_view::npos) return std::chrono::hours(24);  // a rolling day
  if (message.find("小时级") != std::string_view::npos) return std::chrono::hours(1);
  return std::chrono::minutes(1);
}

Verdict ByClass(std::string_view code, int http_status) {
  if (code.find("Throttling") != std::string_view::npos) return Verdict::kThrottled;
  if (code.starts_with("isp.")) return Verdict::kRetryLater;
  if (code.starts_with("isv.")) return Verdict::kFixMessage;
  if (http_status == 429) return Verdict::kThrottled;
  if (http_status >= 400 && http_status < 500) return Verdict::kStopChannel;
  return Verdict::kUnknown;
}

}  // namespace

AliyunAction AliyunActionFor(std::string_view code, std::string_view message, int http_status) {
  AliyunAction action;
  const auto row = std::find_if(kTable.begin(), kTable.end(), [&](const Row& r) { return r.code == code; });
  action.verdict = row != kTable.end() ? row->verdict : ByClass(code, http_status);
  if (code == "isv.BUSINESS_LIMIT_CONTROL") action.retry_after = WindowOf(message);
  return action;
}

}  // namespace zhitui::sms
