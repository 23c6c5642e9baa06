#include "wechat/wechat_codes.h"

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
    Row{-1, Verdict::kRetryLater},      // system busy
    Row{0, Verdict::kAccepted},         //
    Row{40001, Verdict::kStopChannel},  // invalid credential, after the token was fetched anew
    Row{40014, Verdict::kStopChannel},  // invalid access_token
    Row{42001, Verdict::kStopChannel},  // access_token expired
    Row{40003, Verdict::kDropContact},  // invalid openid, or no longer a follower
    Row{40037, Verdict::kFixMessage},   // invalid template_id
    Row{40013, Verdict::kStopChannel},  // invalid appid
    Row{40038, Verdict::kFixMessage},   // wrong request; or the fifth long-term message of the day
    Row{40125, Verdict::kStopChannel},  // invalid appsecret
    Row{41001, Verdict::kStopChannel},  // access_token missing
    Row{41002, Verdict::kStopChannel},  // appid missing
    Row{41004, Verdict::kStopChannel},  // appsecret missing
    Row{40033, Verdict::kFixMessage},   // illegal characters
    Row{47001, Verdict::kFixMessage},   // JSON parse error
    Row{40164, Verdict::kStopChannel},  // the caller's address is not in the white list
    Row{40249, Verdict::kFixMessage},   // template message blocked for its content
    Row{41030, Verdict::kFixMessage},   // the page is not in the live mini-program
    Row{43004, Verdict::kDropContact},  // the receiver must follow
    Row{43019, Verdict::kDropContact},  // the receiver is on the account's blacklist
    Row{43101, Verdict::kDropContact},  // the receiver refuses
    Row{43107, Verdict::kStopChannel},  // the ability is banned
    Row{43108, Verdict::kThrottled},    // concurrent sends to one person
    Row{45009, Verdict::kStopChannel},  // daily quota, until midnight UTC+8
    Row{45011, Verdict::kThrottled},    // too frequent
    Row{45047, Verdict::kThrottled},    // customer-service message limit
    Row{45109, Verdict::kStopChannel},  // the interface is no longer offered to this account
    Row{45168, Verdict::kFixMessage},   // sensitive words
    Row{47003, Verdict::kFixMessage},   // a parameter does not fit the field's rule
    Row{48001, Verdict::kStopChannel},  // the API is not authorised
    Row{48002, Verdict::kDropContact},  // the person closed messages
    Row{48004, Verdict::kStopChannel},  // the API is banned
    Row{48008, Verdict::kDropContact},  // no right to this kind of message for the person
    Row{50001, Verdict::kDropContact},  // not authorised by the person
    Row{50002, Verdict::kDropContact},  // the person is restricted
    Row{50005, Verdict::kDropContact},  // the person does not follow
};

}  // namespace

Verdict WechatVerdict(std::int64_t errcode) {
  const auto row = std::find_if(kTable.begin(), kTable.end(), [&](const Row& r) { return r.code == errcode; });
  if (row != kTable.end()) return row->verdict;
  if (errcode < 0) return Verdict::kRetryLater;
  switch (errcode / 1000) {
    case 42:
    case 48:
    case 49:
      return Verdict::kStopChannel;
    case 43:
    case 50:
      return Verdict::kDropContact;
    case 45:
      return Verdict::kThrottled;
    default:
      return errcode >= 60000 && errcode < 70000 ? Verdict::kStopChannel : Verdict::kFixMessage;
  }
}

Verdict SubscriptionVerdict(std::int64_t errcode) {
  return errcode == 43101 ? Verdict::kFixMessage : WechatVerdict(errcode);
}

bool IsTokenError(std::int64_t errcode) { return errcode == 40001 || errcode == 40014 || errcode == 42001; }

bool IsGone(std::int64_t errcode) { return errcode == 40003 || errcode == 43004 || errcode == 50005; }

}  // namespace zhitui::wechat
