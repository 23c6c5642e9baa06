#pragma once

// Call-backs of an account: the check of the address (GET), receipts, events and messages (POST), in plain, compatible
// and encrypted mode, XML or JSON. Pure.

#include <chrono>
#include <string>

#include "delivery/delivery.h"
#include "wechat/options.h"
#include "wechat/wechat_events.h"

namespace zhitui::wechat {

struct CallbackCheck {
  std::string token;               // empty: every call-back is refused
  std::string aes_key;             // when set, only what is encrypted counts
  std::string receiver;            // whom encrypted messages are for: app id, corp id
  std::chrono::seconds max_age{};  // of the timestamp, either way; 0: any
  bool always_encrypted = false;   // WeCom: the echo of the address check too
};
CallbackCheck CheckOf(const CallbackOptions& options, const std::string& receiver);

// A forged, altered, old or undecipherable call-back is 401 and says no more; one that is genuine and malformed is 400.
// In encrypted mode everything wrong is 401.
delivery::CallbackReply AnswerCallback(const CallbackCheck& check, const delivery::CallbackRequest& request,
                                       const TemplateNames& names, Instant now);

}  // namespace zhitui::wechat
