#pragma once

// What goes to Tencent Cloud SMS and comes back, without the wire. Pure; included by the connector and its tests.

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "delivery/delivery.h"
#include "sms/sms.h"

namespace zhitui::sms {

// The body of SendSms to one number of 11 digits; the fields' values in their order are TemplateParamSet. kInvalid:
// text that is not UTF-8.
Result<std::string> SendSmsBody(const TencentOptions& options, const std::string& template_id,
                                const std::string& number, const delivery::SendRequest& request);
// The body of PullSmsSendStatusByPhoneNumber: the hundred first states of messages sent in that time.
std::string PullStatusBody(const TencentOptions& options, const std::string& number, Instant from, Instant to);

// A signed call. The secret key is read now.
delivery::HttpCall TencentCall(const TencentOptions& options, const delivery::BaseUrl& base, std::string_view action,
                               std::string body, Instant now);

// `now` is when the answer came; limits end by it.
delivery::SendResult ParseTencentAnswer(const delivery::HttpAnswer& answer, Instant now);

// The SerialNo of the message with that SessionContext; nullopt: not in the list, which is no proof, because only
// messages that a carrier has answered for are listed.
std::optional<std::string> FindSession(const delivery::HttpAnswer& answer, std::string_view session);

// What Tencent pushes: an array of states, or a reply.
struct TencentPush {
  std::vector<delivery::Receipt> receipts;
  std::vector<delivery::Signal> signals;
};
// nullopt: neither. A state whose errmsg is in `dead_codes` says that the number is no more.
std::optional<TencentPush> ParseTencentPush(std::string_view body, const std::set<std::string>& dead_codes);

}  // namespace zhitui::sms
