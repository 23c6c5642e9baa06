#include "sms/cmpp_codes.h"

namespace zhitui::sms {

using delivery::Verdict;

Verdict CmppConnectVerdict(std::uint32_t status) {
  switch (status) {
    case 0:
      return Verdict::kAccepted;
    case 1:  // structure of the message
    case 2:  // illegal source address
    case 3:  // authentication
    case 4:  // version too high
      return Verdict::kStopChannel;
    default:  // other errors: of the gateway
      return Verdict::kNotSent;
  }
}

Verdict CmppSubmitVerdict(std::uint32_t result) {
  switch (result) {
    case 0:
      return Verdict::kAccepted;
    case 1:  // structure of the message
    case 2:  // command
      return Verdict::kStopChannel;
    case 3:  // duplicate sequence number: this one was not taken
      return Verdict::kRetryLater;
    case 4:  // length of the message
      return Verdict::kFixMessage;
    case 5:  // fee code
      return Verdict::kStopChannel;
    case 6:  // text too long
      return Verdict::kFixMessage;
    case 7:  // service id
      return Verdict::kStopChannel;
    case 8:  // flow control
      return Verdict::kThrottled;
    case 9:  // this gateway does not serve the charged number: another channel may reach the person
      return Verdict::kFixMessage;
    case 10:  // Src_Id
    case 11:  // Msg_src
    case 12:  // Fee_terminal_Id
      return Verdict::kStopChannel;
    case 13:  // Dest_terminal_Id
      return Verdict::kDropContact;
    default:  // the gateway's own: refused, for a reason that we cannot know
      return Verdict::kRetryLater;
  }
}

std::optional<delivery::ReceiptState> CmppReportState(std::string_view stat) {
  if (stat == "DELIVRD") return delivery::ReceiptState::kDelivered;
  if (stat == "ACCEPTD" || stat == "ENROUTE") return std::nullopt;
  return delivery::ReceiptState::kUndelivered;  // EXPIRED, DELETED, UNDELIV, UNKNOWN, REJECTD, MK:…, MI:…, DB:… and all
                                                // others
}

}  // namespace zhitui::sms
