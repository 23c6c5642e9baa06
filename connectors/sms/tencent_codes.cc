#include "sms/tencent_codes.h"

#include <algorithm>
#include <array>

namespace zhitui::sms {
namespace {

using delivery::Verdict;

enum class Wait : std::uint8_t { kNone, kSecond, kHalfMinute, kHour, kMidnight, kMorning };

struct Row {
  std::string_view code;
  Verdict verdict;
  Wait wait = Wait::kNone;
};

constexpr std::array kTable = {
    Row{"Ok", Verdict::kAccepted},
    // The provider failed before it took the message.
    Row{"ServiceUnavailable", Verdict::kRetryLater},
    // It failed while it sent: the message may be on its way.
    Row{"InternalError.Timeout", Verdict::kUnknown}, Row{"InternalError.SendAndRecvFail", Verdict::kUnknown},
    // Too much for this number.
    Row{"LimitExceeded.PhoneNumberThirtySecondLimit", Verdict::kThrottled, Wait::kHalfMinute},
    Row{"LimitExceeded.PhoneNumberOneHourLimit", Verdict::kThrottled, Wait::kHour},
    Row{"LimitExceeded.PhoneNumberDailyLimit", Verdict::kThrottled, Wait::kMidnight},
    Row{"LimitExceeded.PhoneNumberSameContentDailyLimit", Verdict::kThrottled, Wait::kMidnight},
    Row{"LimitExceeded.DeliveryFrequencyLimit", Verdict::kThrottled},  // a limit set in the console
    // Marketing messages go out from 08:00 to 22:00 only.
    Row{"FailedOperation.MarketingSendTimeConstraint", Verdict::kThrottled, Wait::kMorning},
    // Calls a second.
    Row{"RequestLimitExceeded", Verdict::kThrottled, Wait::kSecond},
    // Account, quota, credentials, clock.
    Row{"FailedOperation.InsufficientBalanceInSmsPackage", Verdict::kStopChannel},  // the package is used up
    Row{"LimitExceeded.AppDailyLimit", Verdict::kStopChannel},                      // the application's limit of a day
    Row{"LimitExceeded.AppMainlandChinaDailyLimit", Verdict::kStopChannel},         // the same, mainland
    Row{"InvalidParameterValue.SdkAppIdNotExist", Verdict::kStopChannel},           // no such application
    Row{"InternalError.RequestTimeException", Verdict::kStopChannel},               // our clock is wrong
    Row{"InternalError.SigVerificationFail", Verdict::kStopChannel},                // the signature is wrong
    Row{"InternalError.SigFieldMissing", Verdict::kStopChannel},                    // there is none
    Row{"IpInBlacklist", Verdict::kStopChannel}, Row{"IpNotInWhitelist", Verdict::kStopChannel},
    Row{"ResourceInsufficient", Verdict::kStopChannel},  // the package is used up
    Row{"InvalidAction", Verdict::kStopChannel},         // not the SMS service
    Row{"NoSuchVersion", Verdict::kStopChannel}, Row{"UnsupportedRegion", Verdict::kStopChannel},  // X-TC-Region
    // This number.
    Row{"FailedOperation.PhoneNumberInBlacklist", Verdict::kDropContact},      // has unsubscribed
    Row{"InvalidParameterValue.IncorrectPhoneNumber", Verdict::kDropContact},  // not a number
    Row{"UnsupportedOperation.UnsuportedRegion", Verdict::kDropContact},       // a country that is not served, misspelt
    Row{"UnsupportedOperation.UnsupportedRegion", Verdict::kDropContact},      // by the documentation
    // Template, signature, parameters.
    Row{"FailedOperation.SignatureIncorrectOrUnapproved", Verdict::kFixMessage},
    Row{"FailedOperation.TemplateIncorrectOrUnapproved", Verdict::kFixMessage},
    Row{"FailedOperation.TemplateUnapprovedOrNotExist", Verdict::kFixMessage},
    Row{"FailedOperation.TemplateParamSetNotMatchApprovedTemplate", Verdict::kFixMessage},   // their number
    Row{"FailedOperation.ContainSensitiveWord", Verdict::kFixMessage},                       // forbidden words
    Row{"FailedOperation.FailResolvePacket", Verdict::kFixMessage},                          // not the API's form
    Row{"FailedOperation.JsonParseFail", Verdict::kFixMessage},                              // not JSON
    Row{"InvalidParameterValue.ContentLengthLimit", Verdict::kFixMessage},                   // too long
    Row{"InvalidParameterValue.ProhibitedUseUrlInTemplateParameter", Verdict::kFixMessage},  // a value holds a link
    Row{"InvalidParameterValue.TemplateParameterLengthLimit", Verdict::kFixMessage},         // a value is too long
    Row{"InvalidParameterValue.TemplateParameterFormatError", Verdict::kFixMessage},         // digits only
    Row{"LimitExceeded.PhoneNumberCountLimit", Verdict::kFixMessage},                        // more than 200 numbers
    Row{"UnsupportedOperation.ChineseMainlandTemplateToGlobalPhone", Verdict::kFixMessage},  // template and number
    Row{"UnsupportedOperation.GlobalTemplateToChineseMainlandPhone", Verdict::kFixMessage},  // do not go together
};

// Clocks differ; a second too early would be refused again.
constexpr std::chrono::seconds kMargin(1);
constexpr std::chrono::hours kMorning(8);

std::optional<Millis> WaitOf(Wait wait, Instant now) {
  const Instant today = kShanghai.StartOf(kShanghai.DateOf(now));
  const Instant morning = today + kMorning;
  switch (wait) {
    case Wait::kNone:
      return std::nullopt;
    case Wait::kSecond:
      return std::chrono::seconds(1);
    case Wait::kHalfMinute:
      return std::chrono::seconds(30);
    case Wait::kHour:
      return std::chrono::hours(1);
    case Wait::kMidnight:
      return today + std::chrono::hours(24) - now + kMargin;
    case Wait::kMorning:
      return (now < morning ? morning : morning + std::chrono::hours(24)) - now + kMargin;
  }
  return std::nullopt;
}

Row ByClass(std::string_view code) {
  const std::string_view head = code.substr(0, code.find('.'));
  if (head == "RequestLimitExceeded") return {code, Verdict::kThrottled, Wait::kSecond};
  if (head == "LimitExceeded") return {code, Verdict::kThrottled};
  if (head == "AuthFailure" || head == "UnauthorizedOperation") return {code, Verdict::kStopChannel};
  for (const std::string_view wrong : {"FailedOperation", "Invalid", "Missing", "Unknown", "Unsupported"}) {
    if (head.starts_with(wrong)) return {code, Verdict::kFixMessage};
  }
  return {code, Verdict::kUnknown};
}

}  // namespace

TencentAction TencentActionFor(std::string_view code, Instant now) {
  const auto known = std::find_if(kTable.begin(), kTable.end(), [&](const Row& r) { return r.code == code; });
  const Row row = known != kTable.end() ? *known : ByClass(code);
  return {row.verdict, WaitOf(row.wait, now)};
}

}  // namespace zhitui::sms
