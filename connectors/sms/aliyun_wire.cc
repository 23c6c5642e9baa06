#include "sms/aliyun_wire.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "sms/aliyun_codes.h"
#include "sms/mainland.h"

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

// What the gateway says of when a throttled caller may come back: x-acs-retry-after in milliseconds, before that
// "…,TimeLeft:1000" of x-ratelimit-user-api.
std::optional<Millis> TimeLeft(const delivery::HttpAnswer& answer) {
  constexpr std::int64_t kMax = 86'400'000;
  std::string_view text;
  if (const auto plain = answer.headers.find("x-acs-retry-after"); plain != answer.headers.end()) {
    text = plain->second;
  } else if (const auto limit = answer.headers.find("x-ratelimit-user-api"); limit != answer.headers.end()) {
    constexpr std::string_view kKey = "TimeLeft:";
    const std::size_t at = limit->second.find(kKey);
    if (at != std::string::npos) text = std::string_view(limit->second).substr(at + kKey.size());
  }
  std::int64_t left = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), left);
  if (error != std::errc() || left <= 0 || left > kMax) return std::nullopt;
  return Millis(left);
}

// An id that is written as text or as a number.
std::string IdOf(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return {};
  if (found->is_string()) return found->get<std::string>();
  return found->is_number_integer() ? found->dump() : std::string();
}

std::optional<delivery::Receipt> ReportOf(const json& report, const std::set<std::string>& dead_codes) {
  const auto success = report.find("success");
  if (!success->is_boolean()) return std::nullopt;
  delivery::Receipt receipt;
  receipt.attempt_id = Text(report, "out_id");
  receipt.provider_id = Text(report, "biz_id");
  if (receipt.attempt_id.size() > kMaxId || receipt.provider_id.size() > kMaxId) return std::nullopt;
  receipt.state = success->get<bool>() ? delivery::ReceiptState::kDelivered : delivery::ReceiptState::kUndelivered;
  receipt.code = Text(report, "err_code").substr(0, kMaxId);
  receipt.at = BeijingTime(Text(report, "report_time"));
  receipt.contact_dead = receipt.state == delivery::ReceiptState::kUndelivered && dead_codes.contains(receipt.code);
  return receipt;
}

std::optional<delivery::Signal> ReplyOf(const json& reply) {
  const auto content = reply.find("content");
  const std::string phone = Text(reply, "phone_number");
  if (content == reply.end() || !content->is_string() || phone.empty()) return std::nullopt;
  delivery::Signal signal;
  signal.kind = delivery::SignalKind::kReply;
  signal.contact = MainlandNumber(phone).value_or(std::string());
  signal.provider_id = IdOf(reply, "sequence_id");
  signal.text = ReplyText(content->get<std::string>());
  signal.answered = Text(reply, "sign_name");
  if (signal.answered.empty()) signal.answered = Text(reply, "dest_code");
  signal.at = BeijingTime(Text(reply, "send_time"));
  if (signal.provider_id.size() > kMaxId || signal.answered.size() > kMaxId) return std::nullopt;
  return signal;
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

Result<Pairs> SendSmsQuery(const AliyunOptions& options, const std::string& template_code, const std::string& number,
                           const delivery::SendRequest& request) {
  Pairs query = {{"OutId", request.attempt_id},
                 {"PhoneNumbers", number},
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
  const Digest digest = options.sm3 ? Digest::kSm3 : Digest::kSha256;
  const std::string content_digest = DigestHex(digest, "");
  const std::string canonical_query = CanonicalQuery(query);
  delivery::HttpCall call;
  call.method = "POST";
  call.target = "/?" + canonical_query;
  call.headers = {{"host", base.HostHeader()},
                  {"x-acs-action", std::string(action)},
                  {"x-acs-content-sha256", content_digest},  // called so with SM3 too
                  {"x-acs-date", FormatUtc(now)},
                  {"x-acs-signature-nonce", std::string(nonce)},
                  {"x-acs-version", "2017-05-25"}};
  const CanonicalRequest canonical =
      Canonicalize(call.method, base.path + "/", canonical_query, call.headers, content_digest);
  call.headers.emplace_back("Authorization", Acs3Authorization(digest, options.access_key_id,
                                                               options.access_key_secret.Get()->text, canonical));
  return call;
}

delivery::SendResult ParseSendAnswer(const delivery::HttpAnswer& answer, Instant now) {
  delivery::SendResult result;
  const json body = json::parse(answer.body, nullptr, false);
  result.code = body.is_object() ? Text(body, "Code") : std::string();
  if (body.is_object()) result.detail = Text(body, "RequestId").substr(0, kMaxId);
  if (result.code.empty() || result.code.size() > kMaxId) {
    result.code = "http " + std::to_string(answer.status);
    result.detail = "malformed answer";
    return result;  // unknown: something answered, not the service
  }
  const AliyunAction action = AliyunActionFor(result.code, Text(body, "Message"), answer.status, now);
  result.verdict = action.verdict;
  result.retry_after = action.retry_after;
  if (result.verdict == Verdict::kThrottled && !result.retry_after) result.retry_after = TimeLeft(answer);
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

std::optional<AliyunPush> ParsePush(std::string_view body, const std::set<std::string>& dead_codes) {
  const json items = json::parse(body, nullptr, false);
  if (!items.is_array() || items.size() > kMaxReports) return std::nullopt;
  AliyunPush push;
  for (const json& item : items) {
    if (!item.is_object()) return std::nullopt;
    if (item.contains("success")) {
      auto receipt = ReportOf(item, dead_codes);
      if (!receipt) return std::nullopt;
      // Without an id it is not of a message of ours.
      if (!receipt->attempt_id.empty() || !receipt->provider_id.empty()) push.receipts.push_back(*std::move(receipt));
    } else {
      auto signal = ReplyOf(item);
      if (!signal) return std::nullopt;
      // From abroad nobody has been written to.
      if (!signal->contact.empty()) push.signals.push_back(*std::move(signal));
    }
  }
  return push;
}

}  // namespace zhitui::sms
