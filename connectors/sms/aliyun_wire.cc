#include "sms/aliyun_wire.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "sms/aliyun_codes.h"

namespace zhitui::sms {
namespace {

using delivery::Found;
using delivery::Verdict;
using nlohmann::json;

constexpr std::size_t kMaxReports = 10'000;
constexpr std::size_t kMaxId = 256;

std::string Text(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// A count comes as a number or as a string.
std::optional<std::size_t> Count(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return std::nullopt;
  const std::string text = found->is_string()            ? found->get<std::string>()
                           : found->is_number_unsigned() ? found->dump()
                                                         : std::string();
  std::size_t n = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || stop != text.data() + text.size() || text.empty()) return std::nullopt;
  return n;
}

// "2017-01-01 00:00:00", Beijing time.
Instant BeijingTime(std::string text) {
  if (text.size() != 19) return {};
  const Result<Instant> at = ParseInstant(text + "+08:00");
  return at ? *at : Instant{};
}

}  // namespace

Result<std::string> TemplateParam(const std::vector<std::pair<std::string, std::string>>& params) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const auto& [name, value] : params) object[name] = value;
  try {
    return object.dump(-1, ' ', false, json::error_handler_t::strict);
  } catch (const json::exception&) {
    return Invalid("a template parameter is not valid UTF-8");
  }
}

Result<Pairs> SendSmsQuery(const AliyunOptions& options, const std::string& template_code,
                           const delivery::SendRequest& request) {
  Pairs query = {{"OutId", request.attempt_id},
                 {"PhoneNumbers", request.contact},
                 {"SignName", options.sign_name},
                 {"TemplateCode", template_code}};
  if (!request.content.fields.empty()) {
    Result<std::string> param = TemplateParam(request.content.fields);
    if (!param) return std::unexpected(param.error());
    query.emplace_back("TemplateParam", *std::move(param));
  }
  return query;
}

delivery::HttpCall SignedCall(const AliyunOptions& options, const delivery::BaseUrl& base, std::string_view action,
                              const Pairs& query, Instant now, std::string_view nonce) {
  const std::string content_sha256 = Sha256Hex("");
  const std::string canonical_query = CanonicalQuery(query);
  delivery::HttpCall call;
  call.method = "POST";
  call.target = "/?" + canonical_query;
  call.headers = {{"host", base.HostHeader()},
                  {"x-acs-action", std::string(action)},
                  {"x-acs-content-sha256", content_sha256},
                  {"x-acs-date", FormatUtc(now)},
                  {"x-acs-signature-nonce", std::string(nonce)},
                  {"x-acs-version", "2017-05-25"}};
  const CanonicalRequest canonical =
      Canonicalize(call.method, base.path + "/", canonical_query, call.headers, content_sha256);
  call.headers.emplace_back("Authorization",
                            Acs3Authorization(options.access_key_id, options.access_key_secret, canonical));
  return call;
}

delivery::SendResult ParseSendAnswer(const delivery::HttpAnswer& answer) {
  delivery::SendResult result;
  const json body = json::parse(answer.body, nullptr, false);
  result.code = body.is_object() ? Text(body, "Code") : std::string();
  if (body.is_object()) result.detail = Text(body, "RequestId").substr(0, kMaxId);
  if (result.code.empty() || result.code.size() > kMaxId) {
    result.code = "http " + std::to_string(answer.status);
    result.detail = "malformed answer";
    return result;  // unknown: something answered, not the service
  }
  const AliyunAction action = AliyunActionFor(result.code, Text(body, "Message"), answer.status);
  result.verdict = action.verdict;
  result.retry_after = action.retry_after;
  if (result.verdict == Verdict::kAccepted) {
    if (answer.status != 200) {
      result.verdict = Verdict::kUnknown;
    } else {
      result.provider_id = Text(body, "BizId").substr(0, kMaxId);
    }
  }
  return result;
}

DetailsPage ParseDetails(const delivery::HttpAnswer& answer, std::string_view out_id) {
  DetailsPage page;
  if (answer.fate != delivery::HttpFate::kAnswered || answer.status != 200) return page;
  const json body = json::parse(answer.body, nullptr, false);
  if (!body.is_object() || Text(body, "Code") != "OK") return page;
  const std::optional<std::size_t> total = Count(body, "TotalCount");
  if (!total) return page;
  page.total = *total;
  const auto outer = body.find("SmsSendDetailDTOs");
  if (outer != body.end() && outer->is_object() && outer->contains("SmsSendDetailDTO")) {
    const json& list = (*outer)["SmsSendDetailDTO"];
    if (!list.is_array()) return page;
    for (const json& row : list) {
      if (!row.is_object()) return page;
      ++page.rows;
      if (Text(row, "OutId") == out_id) {
        page.found = Found::kYes;
        page.biz_id = Text(row, "BizId").substr(0, kMaxId);
        return page;
      }
    }
  } else if (page.total > 0) {
    return page;  // rows were promised and are not there
  }
  page.found = Found::kNo;
  return page;
}

std::optional<std::vector<delivery::Receipt>> ParseReports(std::string_view body) {
  const json reports = json::parse(body, nullptr, false);
  if (!reports.is_array() || reports.size() > kMaxReports) return std::nullopt;
  std::vector<delivery::Receipt> receipts;
  for (const json& report : reports) {
    if (!report.is_object()) return std::nullopt;
    const auto success = report.find("success");
    if (success == report.end() || !success->is_boolean()) return std::nullopt;
    delivery::Receipt receipt;
    receipt.attempt_id = Text(report, "out_id");
    receipt.provider_id = Text(report, "biz_id");
    if (receipt.attempt_id.size() > kMaxId || receipt.provider_id.size() > kMaxId) return std::nullopt;
    if (receipt.attempt_id.empty() && receipt.provider_id.empty()) continue;  // not one of ours
    receipt.state = success->get<bool>() ? delivery::ReceiptState::kDelivered : delivery::ReceiptState::kUndelivered;
    receipt.code = Text(report, "err_code").substr(0, kMaxId);
    receipt.at = BeijingTime(Text(report, "report_time"));
    receipts.push_back(std::move(receipt));
  }
  return receipts;
}

}  // namespace zhitui::sms
