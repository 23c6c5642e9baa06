#pragma once

// What the push services have in common that take one POST a message under a token of limited life: the token follows
// the secret, and a message refused for its token is sent once more under a new one.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/base.h"
#include "delivery/delivery.h"

namespace zhitui::app {

// Something made from a secret, made again when the secret changes. Thread-safe.
template <class T>
class PerSecret {
 public:
  using Make = std::function<std::shared_ptr<T>(const std::string& text)>;
  PerSecret(delivery::Secret secret, Make make) : secret_(std::move(secret)), make_(std::move(make)) {}
  std::shared_ptr<T> Get() {
    const auto value = secret_.Get();
    const std::scoped_lock lock(mutex_);
    // A caller that read the secret just before it changed does not bring the old one back.
    if (!made_ || value->generation > generation_) {
      made_ = make_(value->text);
      generation_ = value->generation;
    }
    return made_;
  }

 private:
  const delivery::Secret secret_;
  const Make make_;
  std::mutex mutex_;
  std::shared_ptr<T> made_;
  std::uint64_t generation_ = 0;
};

struct PushOutcome {
  delivery::SendResult result;
  bool token_refused = false;  // nothing was taken; a new token may help
};

// Calls `call` with a token of `tokens` and gives the answer to `read`. After a refused token once more with a new one;
// a second refusal is kStopChannel. Lasts at most `timeout`.
delivery::SendResult SendWithToken(delivery::HttpClient& http, delivery::TokenCache& tokens, Millis timeout,
                                   const std::function<delivery::HttpCall(const std::string& token)>& call,
                                   const std::function<PushOutcome(const delivery::HttpAnswer&)>& read);

delivery::SendResult Refusal(delivery::Verdict verdict, std::string code, std::string detail = {});
// A token could not be fetched: whatever happened to that request, the message has not been sent.
delivery::TokenCache::Fetched NoToken(delivery::Verdict verdict, std::string code, std::string detail = {});

// The seconds of a Retry-After header, at most an hour. nullopt: none, or a date.
std::optional<Millis> RetryAfter(const delivery::HttpAnswer& answer);
// To the first moment of the next minute, where quotas are counted by the minute.
Millis UntilNextMinute(Instant now);

// The HTTP options of a URL that was validated.
delivery::HttpOptions HttpTo(const std::string& url, const std::string& ca_file, Millis connect_timeout);

// What every provider of this room says to a call-back: there are none.
delivery::CallbackReply NoCallbacks(std::string_view provider);

}  // namespace zhitui::app
