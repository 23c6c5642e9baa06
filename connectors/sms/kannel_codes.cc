#include "sms/kannel_codes.h"

namespace zhitui::sms {

using delivery::ReceiptState;
using delivery::Verdict;

delivery::Verdict KannelVerdictFor(int http_status, std::string_view text) {
  switch (http_status) {
    case 202:  // "0: Accepted for delivery", "3: Queued for later delivery" while no SMSC is up
      return Verdict::kAccepted;
    case 400:  // a parameter is wrong: the receiver's number, or another
      return text.find("receiver") != std::string_view::npos || text.find("'to'") != std::string_view::npos
                 ? Verdict::kDropContact
                 : Verdict::kFixMessage;
    case 401:
    case 403:  // "Authorization failed for sendsms"
      return Verdict::kStopChannel;
    case 404:  // the number is on a black list, or no such path
      return text.find("denied") != std::string_view::npos ? Verdict::kDropContact : Verdict::kStopChannel;
    case 503:  // "Temporal failure, try again later."
      return Verdict::kRetryLater;
    default:
      return Verdict::kUnknown;
  }
}

std::optional<delivery::ReceiptState> KannelStateOf(std::string_view type) {
  if (type == "1") return ReceiptState::kDelivered;     // delivered to the phone
  if (type == "2") return ReceiptState::kUndelivered;   // not delivered
  if (type == "16") return ReceiptState::kUndelivered;  // the SMSC refused it
  return std::nullopt;                                  // 4: buffered, 8: the SMSC has it, 32: on its way
}

}  // namespace zhitui::sms
