#include "wechat/account.h"

#include <httplib.h>

#include <functional>
#include <utility>

#include "wechat/wechat_codes.h"
#include "wechat/wecom_codes.h"

namespace zhitui::wechat {
namespace {

using delivery::HttpAnswer;
using delivery::HttpFate;
using delivery::SendResult;
using delivery::Verdict;
using Link = delivery::HttpLinkOf<httplib::Client, httplib::Request, httplib::Response, httplib::Error>;

constexpr Millis kThrottlePause(5000);
constexpr Millis kConcurrentPause(1000);
constexpr Millis kQuotaPause(60'000);
constexpr std::int64_t kConcurrent = 43108;
constexpr std::int64_t kDailyQuota = 45009;
constexpr int kBusyTries = 3;
constexpr std::size_t kMaxBusy = 10'000;

delivery::HttpOptions Http(const AccountOptions& options) {
  delivery::HttpOptions http;
  // The options come from a Validate function, so the URL is well formed.
  if (auto base = delivery::ParseBaseUrl(options.base_url)) http.base = *std::move(base);
  http.ca_file = options.ca_file;
  http.connect_timeout = options.connect_timeout;
  return http;
}

// The message the attempt is of: "<notification id>-<n>".
std::string MessageOf(const delivery::SendRequest& request) {
  if (!request.notification_id.empty()) return request.notification_id;
  return request.attempt_id.substr(0, request.attempt_id.rfind('-'));
}

}  // namespace

SendResult Outcome(Verdict verdict, std::string code, std::string detail) {
  SendResult result;
  result.verdict = verdict;
  result.code = std::move(code);
  result.detail = std::move(detail);
  return result;
}

SendResult Conclude(const ApiAnswer& api, Verdict verdict, Instant now) {
  SendResult result = Outcome(verdict, std::to_string(*api.errcode), api.rid);
  if (verdict == Verdict::kAccepted) result.provider_id = api.msgid;
  if (verdict == Verdict::kThrottled) {
    // WeCom's 45009 is of a minute or of an hour.
    result.retry_after = *api.errcode == kConcurrent   ? kConcurrentPause
                         : *api.errcode == kDailyQuota ? kQuotaPause
                                                       : kThrottlePause;
  }
  if (verdict == Verdict::kStopChannel && *api.errcode == kDailyQuota) {
    result.retry_after = kShanghai.StartOf(kShanghai.DateOf(now) + std::chrono::days(1)) - now;
  }
  return result;
}

std::shared_ptr<Account> Account::Of(Platform platform, const AccountOptions& options, Logger* logger) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<Account>> accounts;
  std::string key;
  for (const std::string& part : {std::string(platform == Platform::kWechat ? "wechat" : "wecom"), options.base_url,
                                  options.ca_file, options.app_id, Sha256Hex(options.secret.Get()->text)}) {
    key += part;
    key += '\n';
  }
  const std::scoped_lock lock(mutex);
  std::erase_if(accounts, [](const auto& entry) { return entry.second.expired(); });
  std::shared_ptr<Account> account = accounts[key].lock();
  if (!account) {
    account = std::make_shared<Account>(platform, options, logger == nullptr ? NullLogger() : *logger);
    accounts[key] = account;
  }
  return account;
}

Account::Account(Platform platform, const AccountOptions& options, Logger& logger)
    : platform_(platform),
      app_id_(options.app_id),
      secret_(options.secret),
      logger_(logger),
      http_(Http(options), Link::Make),
      tokens_([this](Millis timeout) { return FetchToken(timeout); }) {}

delivery::TokenCache::Grant Account::Token(Time deadline) {
  delivery::TokenCache::Grant grant = tokens_.Get(deadline);
  if (!grant.token.empty() && secret_.Get()->generation != fetched_with_) {
    tokens_.Drop(grant.generation);
    grant = tokens_.Get(deadline);
  }
  return grant;
}

Account::Called Account::Post(const std::string& path, const std::string& body, Time deadline) {
  // An errcode means that the message was not taken, so a second request is not a second message.
  for (bool renewed = false;; renewed = true) {
    const delivery::TokenCache::Grant grant = Token(deadline);
    if (grant.token.empty()) return {std::nullopt, grant.refused};
    const HttpAnswer answer =
        Call("POST", path + "?access_token=" + delivery::PercentEncode(grant.token), body, deadline);
    if (answer.fate != HttpFate::kAnswered) {
      return {std::nullopt,
              Outcome(answer.fate == HttpFate::kNotSent ? Verdict::kNotSent : Verdict::kUnknown, answer.fault)};
    }
    ApiAnswer api = ParseApiAnswer(answer.body);
    if (!api.errcode || (*api.errcode == 0 && !api.token.empty())) {
      return {std::nullopt, Outcome(Verdict::kUnknown, "http " + std::to_string(answer.status), "malformed answer")};
    }
    if (!IsTokenError(*api.errcode)) return {std::move(api), {}};
    tokens_.Drop(grant.generation);
    if (renewed) return {std::move(api), {}};
  }
}

std::unique_lock<std::timed_mutex> Account::OneAtATime(std::string_view contact, Time deadline) {
  return {lanes_[std::hash<std::string_view>{}(contact) % lanes_.size()], deadline};
}

bool Account::BusyTooOften(const delivery::SendRequest& request) {
  const std::string message = MessageOf(request);
  const std::scoped_lock lock(mutex_);
  if (busy_.size() >= kMaxBusy && !busy_.contains(message)) busy_.clear();
  Busy& busy = busy_[message];
  if (busy.last == request.attempt_id) return false;
  busy.last = request.attempt_id;
  if (++busy.attempts < kBusyTries) return false;
  busy_.erase(message);
  return true;
}

void Account::OutcomeUnknown(const delivery::SendRequest& request) {
  const std::scoped_lock lock(mutex_);
  const auto busy = busy_.find(MessageOf(request));
  if (busy != busy_.end()) busy->second.last = request.attempt_id;
}

void Account::AddTemplates(const std::map<std::string, std::string>& id_by_name) {
  const std::scoped_lock lock(mutex_);
  for (const auto& [name, id] : id_by_name) name_by_template_.emplace(id, name);
}

std::string Account::TemplateName(const std::string& id) const {
  const std::scoped_lock lock(mutex_);
  const auto found = name_by_template_.find(id);
  return found == name_by_template_.end() ? std::string() : found->second;
}

delivery::TokenCache::Fetched Account::FetchToken(Millis timeout) {
  delivery::TokenCache::Fetched fetched;
  const auto secret = secret_.Get();
  const Time deadline = std::chrono::steady_clock::now() + timeout;
  const HttpAnswer answer =
      platform_ == Platform::kWecom
          ? Call("GET", WecomTokenTarget(app_id_, secret->text), {}, deadline)
          : Call("POST", "/cgi-bin/stable_token", StableTokenBody(app_id_, secret->text), deadline);
  fetched_with_ = secret->generation;
  // Whatever happened to the request for a token, the message has not been sent.
  if (answer.fate != HttpFate::kAnswered) {
    fetched.refused = Outcome(Verdict::kNotSent, "token " + answer.fault);
    return fetched;
  }
  ApiAnswer api = ParseApiAnswer(answer.body);
  if (!api.errcode || (*api.errcode == 0 && api.token.empty())) {
    fetched.refused = Outcome(Verdict::kNotSent, "token http " + std::to_string(answer.status), "malformed answer");
    return fetched;
  }
  if (*api.errcode != 0) {
    Verdict verdict = platform_ == Platform::kWecom ? WecomVerdict(*api.errcode) : WechatVerdict(*api.errcode);
    // It is not this message's fault.
    if (verdict == Verdict::kFixMessage || verdict == Verdict::kDropContact) verdict = Verdict::kStopChannel;
    fetched.refused = Conclude(api, verdict, SystemClock().Now());
    return fetched;
  }
  fetched.token = std::move(api.token);
  fetched.lifetime = api.expires_in;
  logger_.Info("wechat_token_renewed", {{"platform", platform_ == Platform::kWecom ? "wecom" : "wechat"},
                                        {"lifetime_s", fetched.lifetime.count()}});
  return fetched;
}

HttpAnswer Account::Call(const char* method, std::string target, std::string body, Time deadline) {
  delivery::HttpCall call;
  call.method = method;
  call.target = std::move(target);
  if (!body.empty()) call.headers = {{"Content-Type", "application/json"}};
  call.body = std::move(body);
  return http_.Call(call, std::chrono::duration_cast<Millis>(deadline - std::chrono::steady_clock::now()));
}

}  // namespace zhitui::wechat
