#pragma once

// What goes to Aliyun's SMS service and comes back, without the wire. Pure; included by the connector and its tests.

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "delivery/delivery.h"
#include "sms/acs3.h"
#include "sms/sms.h"

namespace zhitui::sms {

// A JSON object of strings in the template's order, raw UTF-8. kInvalid: text that is not UTF-8.
Result<std::string> TemplateParam(const std::vector<std::pair<std::string, std::string>>& params);

// The parameters of SendSms. `template_code` is the provider's, `number` 11 digits.
Result<Pairs> SendSmsQuery(const AliyunOptions& options, const std::string& template_code, const std::string& number,
                           const delivery::SendRequest& request);

// A signed call of `action` with everything in the query string and an empty body. The access key's secret is read now.
delivery::HttpCall SignedCall(const AliyunOptions& options, const delivery::BaseUrl& base, std::string_view action,
                              const Pairs& query, Instant now, std::string_view nonce);

// `now` is when the answer came; limits of natural minutes and hours end by it.
delivery::SendResult ParseSendAnswer(const delivery::HttpAnswer& answer, Instant now);

// One page of QuerySendDetails.
struct DetailsPage {
  delivery::Found found = delivery::Found::kNotYet;  // kNo: a well-formed page without the id
  std::size_t rows = 0;
  std::size_t total = 0;
  std::string biz_id;  // kYes, when the answer has one
};
DetailsPage ParseDetails(const delivery::HttpAnswer& answer, std::string_view out_id);

// What Aliyun pushes in one array: delivery reports (SmsReport) and replies (SmsUp).
struct AliyunPush {
  std::vector<delivery::Receipt> receipts;
  std::vector<delivery::Signal> signals;
};
// nullopt: not the documented array. A report whose code is in `dead_codes` says that the number is no more.
std::optional<AliyunPush> ParsePush(std::string_view body, const std::set<std::string>& dead_codes);

}  // namespace zhitui::sms
