#pragma once

// What goes to smsbox and comes back, without the wire. Pure; included by the connector and its tests.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "delivery/delivery.h"
#include "sms/sms.h"

namespace zhitui::sms {

// The URL that smsbox calls for a report: our key and the attempt id, and escapes that it fills in.
std::string DlrUrl(const KannelOptions& options, const std::string& attempt_id);

// The sendsms of a message to a number of 11 digits. Password and key are read now.
delivery::HttpCall SendsmsCall(const KannelOptions& options, const std::string& number,
                               const delivery::SendRequest& request);

delivery::SendResult ParseSendsmsAnswer(const delivery::HttpAnswer& answer);

// "stat:UNDELIV" and "err:001" of an SMPP report's text as "UNDELIV/001"; what else stands there may be the message.
std::string DlrCode(std::string_view type, std::string_view text);

// A call-back's parameters: a report or a reply. nullopt: neither.
struct KannelPush {
  std::optional<delivery::Receipt> receipt;
  std::optional<delivery::Signal> signal;
};
std::optional<KannelPush> ParseKannelPush(const std::multimap<std::string, std::string>& query,
                                          const std::set<std::string>& dead_codes);

// Text of that charset (%C: UTF-16BE, else UTF-8) as UTF-8; nullopt: it is not well-formed.
std::optional<std::string> ReplyUtf8(std::string_view bytes, std::string_view charset);

}  // namespace zhitui::sms
