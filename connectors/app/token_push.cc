#include "app/token_push.h"

#include <algorithm>
#include <charconv>

namespace zhitui::app {

using delivery::HttpAnswer;
using delivery::HttpFate;
using delivery::SendResult;
using delivery::TokenCache;
using delivery::Verdict;

SendResult Refusal(Verdict verdict, std::string code, std::string detail) {
  SendResult result;
  result.verdict = verdict;
  result.code = std::move(code);
  result.detail = std::move(detail);
  return result;
}

TokenCache::Fetched NoToken(Verdict verdict, std::string code, std::string detail) {
  TokenCache::Fetched fetched;
  fetched.refused = Refusal(verdict, std::move(code), std::move(detail));
  return fetched;
}

SendResult SendWithToken(delivery::HttpClient& http, TokenCache& tokens, Millis timeout,
                         const std::function<delivery::HttpCall(const std::string& token)>& call,
                         const std::function<PushOutcome(const HttpAnswer&)>& read) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (bool renewed = false;; renewed = true) {
    TokenCache::Grant grant = tokens.Get(deadline);
    if (grant.token.empty()) return std::move(grant.refused);
    const auto left = std::chrono::duration_cast<Millis>(deadline - std::chrono::steady_clock::now());
    const HttpAnswer answer = http.Call(call(grant.token), left);
    if (answer.fate != HttpFate::kAnswered) {
      return Refusal(answer.fate == HttpFate::kNotSent ? Verdict::kNotSent : Verdict::kUnknown, answer.fault);
    }
    PushOutcome outcome = read(answer);
    if (!outcome.token_refused) return std::move(outcome.result);
    tokens.Drop(grant.generation);
    if (renewed) {
      outcome.result.verdict = Verdict::kStopChannel;
      return std::move(outcome.result);
    }
  }
}

std::optional<Millis> RetryAfter(const HttpAnswer& answer) {
  constexpr int kMostSeconds = 3600;
  const auto header = answer.headers.find("retry-after");
  if (header == answer.headers.end()) return std::nullopt;
  int seconds = 0;
  const char* end = header->second.data() + header->second.size();
  const auto [stop, error] = std::from_chars(header->second.data(), end, seconds);
  if (error != std::errc() || stop != end || seconds < 0) return std::nullopt;
  return Millis(1000) * std::min(seconds, kMostSeconds);
}

Millis UntilNextMinute(Instant now) {
  const auto minute = std::chrono::floor<std::chrono::minutes>(now);
  return minute + std::chrono::minutes(1) - now;
}

delivery::HttpOptions HttpTo(const std::string& url, const std::string& ca_file, Millis connect_timeout) {
  delivery::HttpOptions http;
  if (auto base = delivery::ParseBaseUrl(url)) http.base = *std::move(base);
  http.ca_file = ca_file;
  http.connect_timeout = connect_timeout;
  return http;
}

delivery::CallbackReply NoCallbacks(std::string_view provider) {
  delivery::CallbackReply reply;
  reply.status = 404;
  reply.body = std::string(provider) + " sends no call-backs";
  return reply;
}

}  // namespace zhitui::app
