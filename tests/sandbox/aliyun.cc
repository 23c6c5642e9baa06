#include "sandbox/aliyun.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "sandbox/crypto.h"

namespace sandbox {
namespace {

using nlohmann::json;

constexpr size_t kMaxNumbers = 1000;
constexpr size_t kMaxOutId = 255;
constexpr size_t kMaxUnits = 500;
constexpr size_t kMaxKept = 2'000'000;
// How many of a number's latest messages are looked at for a repeated out id.
constexpr size_t kRepeatWindow = 200;

bool AllDigits(std::string_view s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Reply Json(int status, const json& body) {
  Reply out;
  out.status = status;
  out.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
  return out;
}

std::string RequestId() {
  std::string id = RandomUuid();
  std::transform(id.begin(), id.end(), id.begin(), [](char c) { return c >= 'a' && c <= 'f' ? char(c - 32) : c; });
  return id;
}

// 1..max, or 0.
int64_t Number(const std::string* text, int64_t max) {
  int64_t out = 0;
  if (text == nullptr || !AllDigits(*text)) return 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), out);
  return error == std::errc() && end == text->data() + text->size() && out >= 1 && out <= max ? out : 0;
}

bool Arrives(Fate fate) { return fate == Fate::kDelivered || fate == Fate::kReportFirst; }

// Of a report.
const char* CodeOf(Fate fate) {
  return Arrives(fate) ? "DELIVERED" : fate == Fate::kDead ? "MOBILE_NOT_ON_SERVICE" : "UNDELIV";
}

}  // namespace

std::optional<std::string> MainlandNumber(std::string_view text) {
  for (const std::string_view prefix : {"+86", "0086", "86"}) {
    if (text.size() == prefix.size() + 11 && text.starts_with(prefix)) {
      text.remove_prefix(prefix.size());
      break;
    }
  }
  if (text.size() != 11 || !AllDigits(text) || text[0] != '1' || text[1] < '3') return std::nullopt;
  return std::string(text);
}

size_t SmsSegments(size_t utf16_units) { return utf16_units <= 70 ? 1 : (utf16_units + 66) / 67; }

Aliyun::Aliyun(Surroundings around)
    : around_(around), verifier_(around.options.aliyun_key_id, around.options.aliyun_key_secret) {}

bool Aliyun::Owns(const std::string& path) const { return path == "/"; }

Reply Aliyun::Refuse(int status, const std::string& code, const std::string& message) {
  tally_.Error(code);
  return Json(status, {{"Code", code},
                       {"Message", message},
                       {"RequestId", RequestId()},
                       {"HostId", "dysmsapi.aliyuncs.com"},
                       {"Recommend", "https://api.aliyun.com/troubleshoot?q=" + PercentEncode(code)}});
}

Reply Aliyun::Business(const std::string& code, const std::string& message) {
  tally_.Error(code);
  return Json(200, {{"Code", code}, {"Message", message}, {"RequestId", RequestId()}});
}

std::optional<Reply> Aliyun::Render(const std::string& template_param, Draft* draft) {
  draft->params = json::object();
  if (!template_param.empty()) {
    draft->params = json::parse(template_param, nullptr, false);
    if (!draft->params.is_object()) return Business("isv.INVALID_JSON_PARAM", "参数格式错误，请修改为字符串值");
  }
  std::string joined;
  for (const auto& [name, value] : draft->params.items()) {
    if (!value.is_string() && !value.is_number()) {
      return Business("isv.INVALID_JSON_PARAM", "参数格式错误，请修改为字符串值");
    }
    if (value.is_number()) draft->params[name] = value.dump();
    const auto text = draft->params[name].get<std::string>();
    if (text.find("://") != std::string::npos) return Business("isv.PARAM_NOT_SUPPORT_URL", "不支持URL");
    joined += text;
  }
  const auto& templates = around_.options.aliyun_templates;
  std::string body = joined;
  if (!templates.empty()) {
    const std::string& wanted = templates.at(draft->template_code);
    body.clear();
    for (size_t i = 0; i < wanted.size();) {
      const size_t end = wanted.compare(i, 2, "${") == 0 ? wanted.find('}', i) : std::string::npos;
      if (end == std::string::npos) {
        body += wanted[i++];
        continue;
      }
      const auto value = draft->params.find(wanted.substr(i + 2, end - i - 2));
      if (value == draft->params.end()) return Business("isv.TEMPLATE_MISSING_PARAMETERS", "模板变量缺失对应参数值");
      body += value->get<std::string>();
      i = end + 1;
    }
  }
  draft->text = "【" + draft->sign + "】" + body;
  const auto units = DecodeUtf8(draft->text);
  if (!units || Utf16Length(*units) > kMaxUnits) return Business("isv.PARAM_LENGTH_LIMIT", "参数超过长度限制");
  return std::nullopt;
}

std::optional<Reply> Aliyun::ReadDraft(const Pairs& query, Draft* draft) {
  for (const char* name : {"PhoneNumbers", "SignName", "TemplateCode"}) {
    const std::string* value = Find(query, name);
    if (value == nullptr || value->empty()) {
      return Refuse(400, std::string("Missing") + name, std::string(name) + " is mandatory for this action.");
    }
    if (!DecodeUtf8(*value)) return Business("isv.INVALID_PARAMETERS", "参数异常");
  }
  std::string_view numbers = *Find(query, "PhoneNumbers");
  while (!numbers.empty()) {
    const std::string_view one = numbers.substr(0, numbers.find(','));
    numbers.remove_prefix(one.size() == numbers.size() ? one.size() : one.size() + 1);
    auto number = MainlandNumber(one);
    if (!number) return Business("isv.MOBILE_NUMBER_ILLEGAL", "非法手机号");
    if (draft->numbers.size() == kMaxNumbers) return Business("isv.MOBILE_COUNT_OVER_LIMIT", "手机号码数量超过限制");
    draft->numbers.push_back(std::move(*number));
  }
  draft->sign = *Find(query, "SignName");
  const auto& signs = around_.options.aliyun_signs;
  const auto sign = DecodeUtf8(draft->sign);
  if (sign->size() < 2 || sign->size() > 12 || draft->sign.find("【") != std::string::npos ||
      (!signs.empty() && std::find(signs.begin(), signs.end(), draft->sign) == signs.end())) {
    return Business("isv.SMS_SIGNATURE_ILLEGAL", "该账号下找不到对应签名");
  }
  draft->template_code = *Find(query, "TemplateCode");
  const auto& templates = around_.options.aliyun_templates;
  if (!draft->template_code.starts_with("SMS_") || !AllDigits(std::string_view(draft->template_code).substr(4)) ||
      (!templates.empty() && !templates.contains(draft->template_code))) {
    return Business("isv.SMS_TEMPLATE_ILLEGAL", "该账号下找不到对应模板");
  }
  const std::string* out_id = Find(query, "OutId");
  if (out_id != nullptr && (out_id->size() > kMaxOutId || !DecodeUtf8(*out_id))) {
    return Business("isv.INVALID_PARAMETERS", "参数异常");
  }
  if (out_id != nullptr) draft->out_id = *out_id;
  const std::string* param = Find(query, "TemplateParam");
  return Render(param == nullptr ? std::string() : *param, draft);
}

Reply Aliyun::SendSms(const Pairs& query) {
  Draft draft;
  if (auto refused = ReadDraft(query, &draft)) return *refused;
  const int64_t now = around_.Now();
  Reply reply;
  std::vector<std::pair<std::string, Fate>> reports;
  const std::string biz_id = std::to_string(ids_.Next()) + "^0";
  {
    const std::lock_guard lock(mutex_);
    auto verdict = Verdict::kAccept;
    for (const std::string& number : draft.numbers) {
      int nth = 0;
      verdict = around_.faults.Decide("aliyun", number, draft.out_id, draft.out_id, &nth);
      if (verdict != Verdict::kAccept) break;
    }
    switch (verdict) {
      case Verdict::kThrottle:
        reply = Refuse(400, "Throttling.User", "Request was denied due to user flow control.");
        reply.headers.emplace_back("x-ratelimit-user-api", "Limit:1,Remain:0,TimeLeft:1000");
        return reply;
      case Verdict::kContactRefused:
        return Business("isv.MOBILE_NUMBER_ILLEGAL", "非法手机号");
      case Verdict::kServerError:
        return Business("isp.SYSTEM_ERROR", "SYSTEM_ERROR");
      case Verdict::kTokenExpired:
        return Refuse(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.");
      case Verdict::kOutOfQuota:
        return Business("isv.AMOUNT_NOT_ENOUGH", "账户余额不足");
      case Verdict::kDropBefore:
        tally_.Dropped();
        reply.abort = true;
        return reply;
      case Verdict::kAcceptSlow:
        reply.delay_ms = around_.options.slow_ms;
        break;
      case Verdict::kAcceptThenDrop:
        reply.abort = true;
        break;
      case Verdict::kAcceptMalformed:
        reply.garble = true;
        break;
      case Verdict::kAccept:
        break;
    }
    for (const std::string& number : draft.numbers) {
      const std::string hash = ContactHash(number);
      Entry entry;
      entry.at_ms = now;
      entry.provider = "aliyun";
      entry.message_id = entry.attempt_id = entry.key = draft.out_id;
      entry.provider_id = biz_id;
      entry.recipient_sha256 = hash;
      entry.fate = around_.faults.FateOf(number);
      entry.duplicate_of = EarlierWith(hash, draft.out_id);
      entry.content = {
          {"sign", draft.sign}, {"template_code", draft.template_code}, {"params", draft.params}, {"text", draft.text}};
      if (!around_.journal.Append(entry)) return Business("isp.SYSTEM_ERROR", "SYSTEM_ERROR");
      Keep(hash, {biz_id, draft.out_id, draft.template_code, draft.text, now, entry.fate});
      tally_.Accepted();
      reports.emplace_back(number, entry.fate);
    }
  }
  if (reply.abort) tally_.Dropped();
  if (around_.courier != nullptr) {
    const std::string size = std::to_string(SmsSegments(Utf16Length(*DecodeUtf8(draft.text))));
    for (const auto& [number, fate] : reports) {
      if (fate == Fate::kSilent) continue;
      const bool ok = Arrives(fate);
      std::string report = json({{"phone_number", number},
                                 {"send_time", BeijingTime(now)},
                                 {"report_time", BeijingTime(now + around_.options.receipt_delay_ms)},
                                 {"success", ok},
                                 {"err_code", CodeOf(fate)},
                                 {"err_msg", ok ? "用户接收成功" : "用户接收失败"},
                                 {"sms_size", size},
                                 {"biz_id", biz_id},
                                 {"out_id", draft.out_id}})
                               .dump();
      if (fate == Fate::kReportFirst) {
        around_.courier->Deliver(std::move(report));
      } else {
        around_.courier->Add(std::move(report));
      }
    }
  }
  reply.body = Json(200, {{"Code", "OK"}, {"Message", "OK"}, {"RequestId", RequestId()}, {"BizId", biz_id}}).body;
  return reply;
}

Reply Aliyun::QuerySendDetails(const Pairs& query) {
  for (const char* name : {"PhoneNumber", "SendDate", "PageSize", "CurrentPage"}) {
    if (Find(query, name) == nullptr) {
      return Refuse(400, std::string("Missing") + name, std::string(name) + " is mandatory for this action.");
    }
  }
  const auto number = MainlandNumber(*Find(query, "PhoneNumber"));
  if (!number) return Business("isv.MOBILE_NUMBER_ILLEGAL", "非法手机号");
  const std::string& day = *Find(query, "SendDate");
  const int64_t page_size = Number(Find(query, "PageSize"), 50);
  const int64_t page = Number(Find(query, "CurrentPage"), 1'000'000);
  if (day.size() != 8 || !AllDigits(day) || page_size == 0 || page == 0) {
    return Business("isv.INVALID_PARAMETERS", "参数异常");
  }
  const std::string* biz_id = Find(query, "BizId");
  const int64_t now = around_.Now();
  int64_t total = 0;
  json details = json::array();
  {
    const std::lock_guard lock(mutex_);
    const auto found = sent_.find(ContactHash(*number));
    const size_t n = found == sent_.end() ? 0 : found->second.size();
    for (size_t i = n; i-- > 0;) {
      const Sms& sms = found->second[i];
      if (BeijingDay(sms.at_ms) != day || (biz_id != nullptr && !biz_id->empty() && sms.biz_id != *biz_id) ||
          now - sms.at_ms < around_.options.aliyun_query_lag_ms) {
        continue;
      }
      const int64_t index = total++;
      if (index < (page - 1) * page_size || index >= page * page_size) continue;
      const int64_t reported_at = sms.at_ms + around_.options.receipt_delay_ms;
      const bool waiting = sms.fate == Fate::kSilent || now < reported_at;
      json detail = {{"PhoneNum", *number},
                     {"SendDate", BeijingTime(sms.at_ms)},
                     {"SendStatus", waiting             ? 1
                                    : Arrives(sms.fate) ? 3
                                                        : 2},
                     {"ErrCode", waiting ? "" : CodeOf(sms.fate)},
                     {"TemplateCode", sms.template_code},
                     {"Content", sms.text},
                     {"OutId", sms.out_id}};
      if (!waiting) detail["ReceiveDate"] = BeijingTime(reported_at);
      details.push_back(std::move(detail));
    }
  }
  return Json(200, {{"Code", "OK"},
                    {"Message", "OK"},
                    {"RequestId", RequestId()},
                    {"TotalCount", total},
                    {"SmsSendDetailDTOs", {{"SmsSendDetailDTO", std::move(details)}}}});
}

Reply Aliyun::Handle(const Call& call) {
  tally_.Request();
  const auto query = ParseQuery(call.query);
  if (!query) return Refuse(400, "InvalidParameter", "The query string is not well-formed.");
  {
    const std::lock_guard lock(mutex_);
    if (const auto error = verifier_.Verify(call, *query, around_.Now())) {
      return Refuse(error->status, error->code, error->message);
    }
  }
  if (call.Header("x-acs-version") != "2017-05-25") {
    return Refuse(404, "InvalidVersion", "Specified parameter Version is not valid.");
  }
  if (call.method != "POST" && call.method != "GET") {
    return Refuse(405, "UnsupportedHTTPMethod", "This http method is not supported.");
  }
  const std::string_view action = call.Header("x-acs-action");
  if (action == "SendSms") return SendSms(*query);
  if (action == "QuerySendDetails") return QuerySendDetails(*query);
  return Refuse(404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method.");
}

std::string Aliyun::EarlierWith(const std::string& contact_hash, const std::string& out_id) const {
  const auto found = sent_.find(contact_hash);
  if (out_id.empty() || found == sent_.end()) return {};
  const auto& all = found->second;
  const size_t from = all.size() > kRepeatWindow ? all.size() - kRepeatWindow : 0;
  for (size_t i = from; i < all.size(); ++i) {
    if (all[i].out_id == out_id) return all[i].biz_id;
  }
  return {};
}

void Aliyun::Keep(const std::string& contact_hash, Sms sms) {
  if (kept_ >= kMaxKept) {
    sent_.clear();
    kept_ = 0;
  }
  sent_[contact_hash].push_back(std::move(sms));
  ++kept_;
}

bool Aliyun::PushReply(const std::string& contact, const std::string& text) {
  const auto number = MainlandNumber(contact);
  if (!number || around_.replies == nullptr) return false;
  const auto& signs = around_.options.aliyun_signs;
  around_.replies->Add(json({{"phone_number", *number},
                             {"content", text},
                             {"sign_name", signs.empty() ? "福田政务" : signs.front()},
                             {"send_time", BeijingTime(around_.Now())},
                             {"dest_code", "1234"},
                             {"sequence_id", std::to_string(ids_.Next())}})
                           .dump());
  return true;
}

void Aliyun::Restore(const Entry& entry) {
  ids_.Skip(entry.provider_id);
  around_.faults.Restore("aliyun", entry.recipient_sha256, entry.key);
  const auto text = [&](const char* key) {
    const auto at = entry.content.find(key);
    return at != entry.content.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  const std::lock_guard lock(mutex_);
  Keep(entry.recipient_sha256,
       {entry.provider_id, entry.key, text("template_code"), text("text"), entry.at_ms, entry.fate});
}

void Aliyun::Reset() {
  const std::lock_guard lock(mutex_);
  verifier_.Reset();
  sent_.clear();
  kept_ = 0;
  tally_.Reset();
}

}  // namespace sandbox
