#include "sandbox/tencent.h"

#include <algorithm>

#include "sandbox/aliyun.h"
#include "sandbox/crypto.h"
#include "sandbox/tc3.h"

namespace sandbox {
namespace {

using nlohmann::json;

constexpr size_t kMaxNumbers = 200;
constexpr size_t kMaxSession = 511;
constexpr size_t kMaxUnits = 500;
constexpr size_t kMaxKept = 2'000'000;
constexpr int64_t kMaxPull = 100;

bool AllDigits(std::string_view s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
}

const std::string* TextOf(const json& body, const char* key) {
  const auto at = body.find(key);
  return at != body.end() && at->is_string() ? at->get_ptr<const std::string*>() : nullptr;
}

bool Arrives(Fate fate) { return fate == Fate::kDelivered || fate == Fate::kReportFirst; }

// What a carrier says; the codes of failures are carriers' own.
const char* CodeOf(Fate fate) { return Arrives(fate) ? "DELIVRD" : fate == Fate::kDead ? "MI:0210" : "UNDELIV"; }

json StateJson(const std::string& number, const std::string& serial, Fate fate, int64_t at_ms) {
  return {{"user_receive_time", BeijingTime(at_ms)},
          {"nationcode", "86"},
          {"mobile", number},
          {"report_status", Arrives(fate) ? "SUCCESS" : "FAIL"},
          {"errmsg", CodeOf(fate)},
          {"description", Arrives(fate) ? "用户短信送达成功" : "短信发送失败"},
          {"sid", serial}};
}

}  // namespace

Reply Tencent::Answer(json response) const {
  response["RequestId"] = RandomUuid();
  Reply out;
  out.body = json({{"Response", std::move(response)}}).dump(-1, ' ', false, json::error_handler_t::replace);
  return out;
}

Reply Tencent::Refuse(const std::string& code, const std::string& message) {
  tally_.Error(code);
  return Answer({{"Error", {{"Code", code}, {"Message", message}}}});
}

Reply Tencent::Handle(const Call& call) {
  tally_.Request();
  const TencentSim& mine = around_.options.tencent;
  if (call.method != "POST" || call.path != "/" || !call.query.empty()) {
    return Refuse("UnsupportedProtocol", "Only POST / is understood here.");
  }
  if (const auto error = VerifyTc3(call, "sms", mine.secret_id, mine.secret_key, around_.Now())) {
    return Refuse(error->code, error->message);
  }
  if (!call.Header("content-type").starts_with("application/json")) {
    return Refuse("UnsupportedProtocol", "The content type is not application/json.");
  }
  if (call.Header("x-tc-version") != "2021-01-11") return Refuse("NoSuchVersion", "The version does not exist.");
  if (call.Header("x-tc-region").empty()) return Refuse("MissingParameter", "The header X-TC-Region is required.");
  const json body = json::parse(call.body, nullptr, false);
  if (!body.is_object()) return Refuse("InvalidParameter", "The body is not a JSON object.");
  const std::string_view action = call.Header("x-tc-action");
  if (action == "SendSms") return SendSms(body);
  if (action == "PullSmsSendStatusByPhoneNumber") return PullByNumber(body);
  return Refuse("InvalidAction", "The action does not exist.");
}

std::optional<Reply> Tencent::ReadDraft(const json& body, Draft* draft) {
  static constexpr const char* kKnown[] = {"PhoneNumberSet",   "SmsSdkAppId", "TemplateId",     "SignName",
                                           "TemplateParamSet", "ExtendCode",  "SessionContext", "SenderId"};
  for (const auto& [key, value] : body.items()) {
    if (std::find(std::begin(kKnown), std::end(kKnown), key) == std::end(kKnown)) {
      return Refuse("UnknownParameter", "The parameter " + key + " is not recognized.");
    }
  }
  const std::string* app = TextOf(body, "SmsSdkAppId");
  const std::string* id = TextOf(body, "TemplateId");
  const std::string* sign = TextOf(body, "SignName");
  if (app == nullptr || id == nullptr || sign == nullptr) {
    return Refuse("MissingParameter", "SmsSdkAppId, TemplateId and SignName are required.");
  }
  const TencentSim& mine = around_.options.tencent;
  if (*app != mine.sdk_app_id) return Refuse("InvalidParameterValue.SdkAppIdNotExist", "SdkAppId not exist.");
  const auto units = DecodeUtf8(*sign);
  if (!units || units->size() < 2 || units->size() > 12 || sign->find("【") != std::string::npos ||
      (!mine.signs.empty() && std::find(mine.signs.begin(), mine.signs.end(), *sign) == mine.signs.end())) {
    return Refuse("FailedOperation.SignatureIncorrectOrUnapproved", "signature is incorrect or unapproved.");
  }
  const auto wanted = mine.templates.find(*id);
  if (!AllDigits(*id) || (!mine.templates.empty() && wanted == mine.templates.end())) {
    return Refuse("FailedOperation.TemplateUnapprovedOrNotExist", "template is unapproved or does not exist.");
  }
  draft->sign = *sign;
  draft->template_id = *id;
  if (const auto params = body.find("TemplateParamSet"); params != body.end()) {
    if (!params->is_array()) return Refuse("InvalidParameter", "TemplateParamSet is not an array.");
    for (const json& param : *params) {
      if (!param.is_string()) return Refuse("InvalidParameter", "TemplateParamSet holds something else than texts.");
      draft->params.push_back(param.get<std::string>());
      if (draft->params.back().find("://") != std::string::npos) {
        return Refuse("InvalidParameterValue.ProhibitedUseUrlInTemplateParameter", "url in a template parameter.");
      }
    }
  }
  if (const std::string* session = TextOf(body, "SessionContext")) draft->session = *session;
  if (draft->session.size() > kMaxSession) return Refuse("InvalidParameterValue", "SessionContext is too long.");
  std::string text;
  if (wanted == mine.templates.end()) {
    for (const std::string& param : draft->params) text += param;
  } else {
    text = wanted->second;
    size_t used = 0;
    for (size_t i = 1; i <= draft->params.size(); ++i) {
      const std::string hole = "{" + std::to_string(i) + "}";
      const size_t at = text.find(hole);
      if (at == std::string::npos) continue;
      text.replace(at, hole.size(), draft->params[i - 1]);
      ++used;
    }
    if (used != draft->params.size() || text.find("{" + std::to_string(used + 1) + "}") != std::string::npos) {
      return Refuse("FailedOperation.TemplateParamSetNotMatchApprovedTemplate", "the number of parameters is wrong.");
    }
  }
  draft->text = "【" + draft->sign + "】" + text;
  if (Utf16Length(*DecodeUtf8(draft->text)) > kMaxUnits) {
    return Refuse("InvalidParameterValue.ContentLengthLimit", "the message is too long.");
  }
  return std::nullopt;
}

json Tencent::SendOne(const std::string& written, const Draft& draft, Reply* reply, std::optional<Reply>* whole,
                      std::vector<std::pair<Fate, std::string>>* reports) {
  json state = {{"SerialNo", ""}, {"PhoneNumber", written}, {"Fee", 0},       {"SessionContext", draft.session},
                {"Code", ""},     {"Message", ""},          {"IsoCode", "CN"}};
  const auto refused = [&](const char* code) {
    tally_.Error(code);
    state["Code"] = code;
    state["Message"] = "refused";
    return state;
  };
  const auto number = MainlandNumber(written);
  if (!number) return refused("InvalidParameterValue.IncorrectPhoneNumber");
  int nth = 0;
  switch (around_.faults.Decide("tencent", *number, draft.session, draft.session, &nth)) {
    case Verdict::kThrottle:
      return refused("LimitExceeded.PhoneNumberThirtySecondLimit");
    case Verdict::kContactRefused:
      return refused("FailedOperation.PhoneNumberInBlacklist");
    case Verdict::kOutOfQuota:
      return refused("FailedOperation.InsufficientBalanceInSmsPackage");
    case Verdict::kServerError:
      *whole = Refuse("ServiceUnavailable", "The service is unavailable for now.");
      return state;
    case Verdict::kTokenExpired:
      *whole = Refuse("AuthFailure.SignatureExpire", "The signature has expired.");
      return state;
    case Verdict::kDropBefore:
      *whole = Reply{};
      (*whole)->abort = true;
      return state;
    case Verdict::kAcceptSlow:
      reply->delay_ms = around_.options.slow_ms;
      break;
    case Verdict::kAcceptThenDrop:
      reply->abort = true;
      break;
    case Verdict::kAcceptMalformed:
      reply->garble = true;
      break;
    case Verdict::kAccept:
      break;
  }
  const int64_t now = around_.Now();
  const std::string hash = ContactHash(*number);
  const std::string serial = "5000:" + std::to_string(ids_.Next());
  Entry entry;
  entry.at_ms = now;
  entry.provider = "tencent";
  entry.message_id = entry.attempt_id = entry.key = draft.session;
  entry.provider_id = serial;
  entry.recipient_sha256 = hash;
  entry.fate = around_.faults.FateOf(*number);
  for (const Sms& earlier : sent_[hash]) {
    if (!draft.session.empty() && earlier.session == draft.session) entry.duplicate_of = earlier.serial;
  }
  entry.content = {
      {"sign", draft.sign}, {"template_id", draft.template_id}, {"params", draft.params}, {"text", draft.text}};
  if (!around_.journal.Append(entry)) return refused("InternalError.OtherError");
  Keep(hash, {serial, draft.session, now, entry.fate});
  tally_.Accepted();
  reports->emplace_back(entry.fate,
                        StateJson(*number, serial, entry.fate, now + around_.options.receipt_delay_ms).dump());
  state["SerialNo"] = serial;
  state["Fee"] = SmsSegments(Utf16Length(*DecodeUtf8(draft.text)));
  state["Code"] = "Ok";
  state["Message"] = "send success";
  return state;
}

Reply Tencent::SendSms(const json& body) {
  const auto numbers = body.find("PhoneNumberSet");
  if (numbers == body.end() || !numbers->is_array() || numbers->empty()) {
    return Refuse("MissingParameter", "PhoneNumberSet is required.");
  }
  if (numbers->size() > kMaxNumbers) return Refuse("LimitExceeded.PhoneNumberCountLimit", "more than 200 numbers.");
  Draft draft;
  if (auto refused = ReadDraft(body, &draft)) return *refused;
  Reply reply;
  json states = json::array();
  std::vector<std::pair<Fate, std::string>> reports;
  {
    const std::lock_guard lock(mutex_);
    for (const json& number : *numbers) {
      std::optional<Reply> whole;
      states.push_back(SendOne(number.is_string() ? number.get<std::string>() : "", draft, &reply, &whole, &reports));
      if (whole) {
        if (whole->abort) tally_.Dropped();
        return *whole;
      }
    }
  }
  if (reply.abort) tally_.Dropped();
  if (around_.courier != nullptr) {
    for (auto& [fate, report] : reports) {
      if (fate == Fate::kSilent) continue;
      if (fate == Fate::kReportFirst) {
        around_.courier->Deliver(std::move(report));
      } else {
        around_.courier->Add(std::move(report));
      }
    }
  }
  reply.body = Answer({{"SendStatusSet", std::move(states)}}).body;
  return reply;
}

Reply Tencent::PullByNumber(const json& body) {
  const auto number = [&](const char* key) {
    const auto at = body.find(key);
    return at != body.end() && at->is_number_integer() ? at->get<int64_t>() : -1;
  };
  const std::string* phone = TextOf(body, "PhoneNumber");
  const std::string* app = TextOf(body, "SmsSdkAppId");
  if (number("BeginTime") < 0 || number("Offset") != 0 || number("Limit") < 1 || number("Limit") > kMaxPull ||
      phone == nullptr || !phone->starts_with("+") || app == nullptr) {
    return Refuse("InvalidParameterValue", "BeginTime, Offset, Limit, PhoneNumber or SmsSdkAppId is wrong.");
  }
  const auto mainland = MainlandNumber(*phone);
  if (!mainland) return Refuse("InvalidParameterValue.IncorrectPhoneNumber", "not a phone number.");
  const int64_t now = around_.Now();
  const int64_t end = number("EndTime") < 0 ? now / 1000 : number("EndTime");
  json states = json::array();
  const std::lock_guard lock(mutex_);
  for (const Sms& sms : sent_[ContactHash(*mainland)]) {
    const int64_t reported_at = sms.at_ms + around_.options.receipt_delay_ms;
    // Only what a carrier has answered for is listed.
    if (sms.fate == Fate::kSilent || now < reported_at || sms.at_ms / 1000 < number("BeginTime") ||
        sms.at_ms / 1000 > end || static_cast<int64_t>(states.size()) == number("Limit")) {
      continue;
    }
    states.push_back({{"UserReceiveTime", reported_at / 1000},
                      {"CountryCode", "86"},
                      {"SubscriberNumber", *mainland},
                      {"PhoneNumber", "+86" + *mainland},
                      {"SerialNo", sms.serial},
                      {"ReportStatus", Arrives(sms.fate) ? "SUCCESS" : "FAIL"},
                      {"Description", CodeOf(sms.fate)},
                      {"SessionContext", around_.options.tencent.session_echo ? sms.session : ""}});
  }
  return Answer({{"PullSmsSendStatusSet", std::move(states)}});
}

bool Tencent::PushReply(const std::string& contact, const std::string& text) {
  const auto number = MainlandNumber(contact);
  if (!number || around_.replies == nullptr) return false;
  const auto& signs = around_.options.tencent.signs;
  around_.replies->Add(json({{"extend", ""},
                             {"mobile", *number},
                             {"nationcode", "86"},
                             {"sign", signs.empty() ? "福田政务" : signs.front()},
                             {"text", text},
                             {"time", around_.Now() / 1000}})
                           .dump());
  return true;
}

void Tencent::Keep(const std::string& contact_hash, Sms sms) {
  if (kept_ >= kMaxKept) {
    sent_.clear();
    kept_ = 0;
  }
  sent_[contact_hash].push_back(std::move(sms));
  ++kept_;
}

void Tencent::Restore(const Entry& entry) {
  constexpr size_t kPrefix = 5;  // "5000:"
  if (entry.provider_id.size() > kPrefix) ids_.Skip(entry.provider_id.substr(kPrefix));
  around_.faults.Restore("tencent", entry.recipient_sha256, entry.key);
  const std::lock_guard lock(mutex_);
  Keep(entry.recipient_sha256, {entry.provider_id, entry.key, entry.at_ms, entry.fate});
}

void Tencent::Reset() {
  const std::lock_guard lock(mutex_);
  sent_.clear();
  kept_ = 0;
  tally_.Reset();
}

namespace {

Courier::Config TencentPushes(const Options& options, const std::string& path, bool array) {
  Courier::Config config;
  config.base = options.callback_base;
  config.mode = options.receipts;
  config.delay_ms = options.receipt_delay_ms;
  config.retry_ms = {options.receipt_retry_ms, 5 * options.receipt_retry_ms, 10 * options.receipt_retry_ms};
  config.batch = array ? 100 : 1;
  config.render = [path, array, key = options.tencent.callback_key](const std::vector<std::string>& items) {
    std::string body;
    for (const std::string& item : items) body += (body.empty() ? "" : ",") + item;
    if (array) body = "[" + body + "]";
    return Courier::Post{key.empty() ? path : path + "?key=" + PercentEncode(key), std::move(body), "application/json",
                         false};
  };
  config.acknowledged = [](int status, const std::string& body) {
    if (status != 200) return false;
    const auto answer = json::parse(body, nullptr, false);
    return answer.is_object() && answer.contains("result") && answer["result"].is_number() && answer["result"] == 0;
  };
  return config;
}

}  // namespace

Courier::Config TencentCourier(const Options& options) {
  return TencentPushes(options, options.tencent.callback_path, true);
}

Courier::Config TencentReplyCourier(const Options& options) {
  return TencentPushes(options, options.tencent.reply_path, false);
}

}  // namespace sandbox
