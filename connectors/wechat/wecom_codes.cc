#include "wechat/wecom_codes.h"

#include <algorithm>
#include <array>

namespace zhitui::wechat {
namespace {

using delivery::Verdict;

struct Row {
  std::int64_t code;
  Verdict verdict;
};

constexpr std::array kTable = {
    Row{-1, Verdict::kRetryLater},       // system busy
    Row{0, Verdict::kAccepted},          //
    Row{40001, Verdict::kStopChannel},   // invalid secret, after the token was fetched anew
    Row{40003, Verdict::kDropContact},   // invalid userid
    Row{40013, Verdict::kStopChannel},   // invalid corp id
    Row{40014, Verdict::kStopChannel},   // invalid access_token
    Row{40031, Verdict::kDropContact},   // invalid list of userids
    Row{40056, Verdict::kStopChannel},   // invalid agent id
    Row{40058, Verdict::kFixMessage},    // a parameter is wrong
    Row{40091, Verdict::kStopChannel},   // invalid secret
    Row{41001, Verdict::kStopChannel},   // access_token missing
    Row{41002, Verdict::kStopChannel},   // corp id missing
    Row{41004, Verdict::kStopChannel},   // secret missing
    Row{41011, Verdict::kStopChannel},   // agent id missing
    Row{42001, Verdict::kStopChannel},   // access_token expired
    Row{44004, Verdict::kFixMessage},    // empty text
    Row{45002, Verdict::kFixMessage},    // the text is too long
    Row{45009, Verdict::kThrottled},     // calls of a minute, hour or day used up; which one is not said
    Row{45033, Verdict::kThrottled},     // too many calls at the same time
    Row{47001, Verdict::kFixMessage},    // JSON parse error
    Row{48002, Verdict::kStopChannel},   // the API is not authorised for the app
    Row{50001, Verdict::kStopChannel},   // redirect URL; the app is not set up
    Row{50003, Verdict::kStopChannel},   // the app is switched off
    Row{60011, Verdict::kDropContact},   // no right to this member, who is outside the app's visible range
    Row{60020, Verdict::kStopChannel},   // the caller's address is not in the white list
    Row{60111, Verdict::kDropContact},   // no such userid
    Row{81013, Verdict::kDropContact},   // all receivers are invalid or not visible
    Row{82001, Verdict::kDropContact},   // all receivers are invalid
    Row{301002, Verdict::kStopChannel},  // the app's token and agent id do not belong together
};

}  // namespace

Verdict WecomVerdict(std::int64_t errcode) {
  const auto row = std::find_if(kTable.begin(), kTable.end(), [&](const Row& r) { return r.code == errcode; });
  if (row != kTable.end()) return row->verdict;
  if (errcode < 0) return Verdict::kRetryLater;
  switch (errcode / 1000) {
    case 40:
    case 41:
    case 44:
    case 46:
    case 47:
      return Verdict::kFixMessage;
    case 45:
      return Verdict::kThrottled;
    default:
      return Verdict::kStopChannel;
  }
}

}  // namespace zhitui::wechat
