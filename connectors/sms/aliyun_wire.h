#pragma once

// What goes to Aliyun's SMS service and comes back, without the wire. Pure; included by the connector and its tests.

#include <string>
#include <string_view>
#include <vector>

#include "delivery/delivery.h"
#include "sms/acs3.h"
#include "sms/sms.h"

namespace zhitui::sms {

// A JSON object of strings in the template's order, raw UTF-8. kInvalid: text that is not UTF-8.
Result<std::string> TemplateParam(const std::vector<std::pair<std::string, std::string>>& params);

// The parameters of SendSms. `template_code` is the provider's.
Result<Pairs> SendSmsQuery(const AliyunOptions& options, const std::string& template_code,
                           const delivery::SendRequest& request);

// A signed call of `action` with everything in the query string and an empty body.
delivery::HttpCall SignedCall(const AliyunOptions& options, const delivery::BaseUrl& base, std::string_view action,
                              const Pairs& query, Instant now, std::string_view nonce);

delivery::SendResult ParseSendAnswer(const delivery::HttpAnswer& answer);

// One page of QuerySendDetails.
struct DetailsPage {
  delivery::Found found = delivery::Found::kNotYet;  // kNo: a well-formed page without the id
  std::size_t rows = 0;
  std::size_t total = 0;
  std::string biz_id;  // kYes, when the answer has one
};
DetailsPage ParseDetails(const delivery::HttpAnswer& answer, std::string_view out_id);

// Delivery reports (HTTP batch push). nullopt: not the documented array.
std::optional<std::vector<delivery::Receipt>> ParseReports(std::string_view body);

}  // namespace zhitui::sms
