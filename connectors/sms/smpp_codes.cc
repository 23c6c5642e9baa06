#include "sms/smpp_codes.h"

#include <algorithm>
#include <array>

namespace zhitui::sms::smpp {
namespace {

using delivery::Verdict;

struct Row {
  std::uint32_t status;
  Verdict verdict;
};

constexpr std::array kTable = {
    Row{0x00, Verdict::kAccepted},     // ESME_ROK
    Row{0x01, Verdict::kFixMessage},   // ESME_RINVMSGLEN: length of the message
    Row{0x02, Verdict::kFixMessage},   // ESME_RINVCMDLEN: length of the unit
    Row{0x03, Verdict::kStopChannel},  // ESME_RINVCMDID: the centre does not know submit_sm
    Row{0x04, Verdict::kRetryLater},   // ESME_RINVBNDSTS: it takes the session for one that is not bound to send
    Row{0x05, Verdict::kRetryLater},   // ESME_RALYBND: bound already
    Row{0x06, Verdict::kFixMessage},   // ESME_RINVPRTFLG: priority_flag
    Row{0x07, Verdict::kFixMessage},   // ESME_RINVREGDLVFLG: registered_delivery
    Row{0x08, Verdict::kRetryLater},   // ESME_RSYSERR: the centre failed
    Row{0x0a, Verdict::kStopChannel},  // ESME_RINVSRCADR: our number
    Row{0x0b, Verdict::kDropContact},  // ESME_RINVDSTADR: the person's number
    Row{0x0c, Verdict::kFixMessage},   // ESME_RINVMSGID: message_id
    Row{0x0d, Verdict::kStopChannel},  // ESME_RBINDFAIL
    Row{0x0e, Verdict::kStopChannel},  // ESME_RINVPASWD
    Row{0x0f, Verdict::kStopChannel},  // ESME_RINVSYSID
    Row{0x11, Verdict::kFixMessage},   // ESME_RCANCELFAIL: of cancel_sm
    Row{0x13, Verdict::kFixMessage},   // ESME_RREPLACEFAIL: of replace_sm
    Row{0x14, Verdict::kThrottled},    // ESME_RMSGQFUL: the centre's queue is full
    Row{0x15, Verdict::kStopChannel},  // ESME_RINVSERTYP: service_type
    Row{0x33, Verdict::kFixMessage},   // ESME_RINVNUMDESTS: of submit_multi
    Row{0x34, Verdict::kFixMessage},   // ESME_RINVDLNAME: of submit_multi
    Row{0x40, Verdict::kFixMessage},   // ESME_RINVDESTFLAG: of submit_multi
    Row{0x42, Verdict::kFixMessage},   // ESME_RINVSUBREP: replace_if_present_flag
    Row{0x43, Verdict::kFixMessage},   // ESME_RINVESMCLASS: esm_class
    Row{0x44, Verdict::kFixMessage},   // ESME_RCNTSUBDL: of submit_multi
    Row{0x45, Verdict::kRetryLater},   // ESME_RSUBMITFAIL: submit_sm failed
    Row{0x48, Verdict::kStopChannel},  // ESME_RINVSRCTON
    Row{0x49, Verdict::kStopChannel},  // ESME_RINVSRCNPI
    Row{0x50, Verdict::kStopChannel},  // ESME_RINVDSTTON: a setting of ours
    Row{0x51, Verdict::kStopChannel},  // ESME_RINVDSTNPI: a setting of ours
    Row{0x53, Verdict::kStopChannel},  // ESME_RINVSYSTYP: system_type
    Row{0x54, Verdict::kFixMessage},   // ESME_RINVREPFLAG: replace_if_present_flag
    Row{0x55, Verdict::kFixMessage},   // ESME_RINVNUMMSGS: of query_last_msgs
    Row{0x58, Verdict::kThrottled},    // ESME_RTHROTTLED: over the allowed rate
    Row{0x61, Verdict::kFixMessage},   // ESME_RINVSCHED: schedule_delivery_time
    Row{0x62, Verdict::kFixMessage},   // ESME_RINVEXPIRY: validity_period
    Row{0x63, Verdict::kFixMessage},   // ESME_RINVDFTMSGID: sm_default_msg_id
    Row{0x64, Verdict::kRetryLater},   // ESME_RX_T_APPN: the receiver fails for now
    Row{0x65, Verdict::kFixMessage},   // ESME_RX_P_APPN: the receiver fails for good
    Row{0x66, Verdict::kFixMessage},   // ESME_RX_R_APPN: the receiver refuses the message
    Row{0x67, Verdict::kFixMessage},   // ESME_RQUERYFAIL: of query_sm
    Row{0xc0, Verdict::kFixMessage},   // ESME_RINVOPTPARSTREAM: the optional parameters
    Row{0xc1, Verdict::kFixMessage},   // ESME_ROPTPARNOTALLWD: one that is not allowed (message_payload)
    Row{0xc2, Verdict::kFixMessage},   // ESME_RINVPARLEN: the length of one
    Row{0xc3, Verdict::kFixMessage},   // ESME_RMISSINGOPTPARAM: one that is missing
    Row{0xc4, Verdict::kFixMessage},   // ESME_RINVOPTPARAMVAL: the value of one
    Row{0xfe, Verdict::kRetryLater},   // ESME_RDELIVERYFAILURE: of data_sm
    Row{0xff, Verdict::kRetryLater},   // ESME_RUNKNOWNERR
};

}  // namespace

StatusAction SubmitAction(std::uint32_t status, const StatusOverrides& overrides) {
  StatusAction action;
  if (const auto own = overrides.find(status); own != overrides.end()) {
    action.verdict = own->second;
  } else {
    const auto row = std::find_if(kTable.begin(), kTable.end(), [&](const Row& r) { return r.status == status; });
    action.verdict = row != kTable.end() ? row->verdict : Verdict::kRetryLater;
  }
  action.again = action.verdict == Verdict::kThrottled;
  return action;
}

Verdict BindVerdict(std::uint32_t status) {
  switch (status) {
    case 0x03:  // the bind itself is not known
    case 0x0d:
    case 0x0e:
    case 0x0f:
    case 0x53:
      return Verdict::kStopChannel;
    default:  // a system error, too many sessions, one of ours that the centre has not given up yet
      return Verdict::kNotSent;
  }
}

std::string StatusCode(std::uint32_t status) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string code = "0x";
  for (int shift = 28; shift >= 0; shift -= 4) code.push_back(kDigits[status >> shift & 0xf]);
  return code;
}

}  // namespace zhitui::sms::smpp
