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
    Row{"isp.SYSTEM_ERROR", Verdict::kRetryLater},    // its own failure
    Row{"isp.GATEWAY_ERROR", Verdict::kRetryLater},   // the part that sends could not be reached
    Row{"isv.DATA_NOT_EXIST", Verdict::kRetryLater},  // of a query that came too early
    Row{"SignatureNonceUsed", Verdict::kRetryLater},  // the next try has another nonce
    // Too much for this number.
    Row{"isv.BUSINESS_LIMIT_CONTROL", Verdict::kThrottled},
    // Account, quota, rights.
    Row{"isv.OUT_OF_SERVICE", Verdict::kStopChannel},           // suspended for want of money
    Row{"isv.AMOUNT_NOT_ENOUGH", Verdict::kStopChannel},        // the balance is too low
    Row{"isv.DAY_LIMIT_CONTROL", Verdict::kStopChannel},        // the account's own limit of a day
    Row{"isv.MONTH_LIMIT_CONTROL", Verdict::kStopChannel},      // and of a month
    Row{"isv.PRODUCT_UN_SUBSCRIPT", Verdict::kStopChannel},     // the service was never opened
    Row{"isv.PRODUCT_UNSUBSCRIBE", Verdict::kStopChannel},      // this part of it was not
    Row{"isv.ACCOUNT_NOT_EXISTS", Verdict::kStopChannel},       // no such account
    Row{"isv.ACCOUNT_ABNORMAL", Verdict::kStopChannel},         // the account is in disorder
    Row{"isv.SECURITY_FROZEN_ACCOUNT", Verdict::kStopChannel},  // frozen because it was idle for long
    Row{"isp.RAM_PERMISSION_DENY", Verdict::kStopChannel},      // the key may not send
    Row{"isv.DENY_IP_RANGE", Verdict::kStopChannel},            // the caller is outside the mainland
    Row{"PORT_NOT_REGISTERED", Verdict::kStopChannel},          // the signature is not filed with the carriers yet
    // This number.
    Row{"isv.MOBILE_NUMBER_ILLEGAL", Verdict::kDropContact},          // not a number
    Row{"isv.BLACK_KEY_CONTROL_LIMIT", Verdict::kDropContact},        // has complained or unsubscribed
    Row{"isv.CUSTOMER_REFUSED", Verdict::kDropContact},               // has unsubscribed
    Row{"isv.DOMESTIC_NUMBER_NOT_SUPPORTED", Verdict::kDropContact},  // a template for abroad, a number at home
    // Template, signature, parameters.
    Row{"isv.SMS_TEMPLATE_ILLEGAL", Verdict::kFixMessage},                // unknown or not approved
    Row{"isv.SMS_SIGNATURE_ILLEGAL", Verdict::kFixMessage},               // unknown or not approved
    Row{"isv.SMS_SIGN_ILLEGAL", Verdict::kFixMessage},                    // forbidden
    Row{"isv.SIGN_NAME_ILLEGAL", Verdict::kFixMessage},                   // against the rules of names
    Row{"isv.SIGN_STATE_ILLEGAL", Verdict::kFixMessage},                  // not usable at present
    Row{"SIGNATURE_BLACKLIST", Verdict::kFixMessage},                     // the signature is on the black list
    Row{"isv.SMS_SIGNATURE_SCENE_ILLEGAL", Verdict::kFixMessage},         // its kind does not go with the template
    Row{"isv.TEMPLATE_MISSING_PARAMETERS", Verdict::kFixMessage},         // a variable without a value
    Row{"isv.TEMPLATE_PARAMS_ILLEGAL", Verdict::kFixMessage},             // a value that is not of the variable's kind
    Row{"isv.INVALID_JSON_PARAM", Verdict::kFixMessage},                  // TemplateParam is no object of strings
    Row{"isv.PARAM_LENGTH_LIMIT", Verdict::kFixMessage},                  // a value is too long
    Row{"isv.PARAM_NOT_SUPPORT_URL", Verdict::kFixMessage},               // a value holds a link
    Row{"isv.SMS_CONTENT_ILLEGAL", Verdict::kFixMessage},                 // forbidden words
    Row{"isv.UNSUPPORTED_CONTENT", Verdict::kFixMessage},                 // characters that are not carried
    Row{"isv.SMS_CONTENT_MISMATCH_TEMPLATE_TYPE", Verdict::kFixMessage},  // advertising in a notice
    Row{"isv.EXTEND_CODE_ERROR", Verdict::kFixMessage},                   // one extension for two signatures
    Row{"isv.INVALID_PARAMETERS", Verdict::kFixMessage},                  // a parameter is not well-formed
    Row{"isv.MOBILE_COUNT_OVER_LIMIT", Verdict::kFixMessage},             // too many numbers
    Row{"isv.SMS_TEST_SIGN_TEMPLATE_LIMIT", Verdict::kFixMessage},        // a test signature with a real template
    Row{"isv.SMS_TEST_NUMBER_LIMIT", Verdict::kFixMessage},               // a test signature to a real number
};

// Clocks differ; a second too early would be refused again.
constexpr std::chrono::seconds kMargin(1);

// Until the window of that length ends. Minutes and hours of UTC+8 end when those of UTC do.
Millis Rest(Instant now, Millis window) {
  const Millis into = now.time_since_epoch() % window;
  return window - into + kMargin;
}

Millis WindowOf(std::string_view message, Instant now) {
  if (message.find("天级") != std::string_view::npos) return std::chrono::hours(24);
  if (message.find("小时级") != std::string_view::npos) return Rest(now, std::chrono::hours(1));
  return Rest(now, std::chrono::minutes(1));
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

AliyunAction AliyunActionFor(std::string_view code, std::string_view message, int http_status, Instant now) {
  AliyunAction action;
  const auto row = std::find_if(kTable.begin(), kTable.end(), [&](const Row& r) { return r.code == code; });
  action.verdict = row != kTable.end() ? row->verdict : ByClass(code, http_status);
  if (code == "isv.BUSINESS_LIMIT_CONTROL") action.retry_after = WindowOf(message, now);
  return action;
}

}  // namespace zhitui::sms
