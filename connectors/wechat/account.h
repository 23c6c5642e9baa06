#pragma once

// One account at WeChat or WeCom: its access token, its connections and what its connectors share. Included by the
// connectors of this room.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/base.h"
#include "delivery/delivery.h"
#include "wechat/options.h"
#include "wechat/wechat_wire.h"

namespace zhitui::wechat {

enum class Platform : std::uint8_t { kWechat, kWecom };

// Thread-safe.
class Account {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // The account of these options. Connectors that name the same account with the same secret get the same object while
  // one of them lives, so that they make one token request between them.
  static std::shared_ptr<Account> Of(Platform platform, const AccountOptions& options, Logger* logger);

  Account(Platform platform, const AccountOptions& options, Logger& logger);

  // Posts `body` to `path` with the token. After a token error the token is fetched anew and the body sent once more.
  // `result` says why there is no answer of the API; with one it is empty and the caller judges the errcode.
  struct Called {
    std::optional<ApiAnswer> api;
    delivery::SendResult result;
  };
  Called Post(const std::string& path, const std::string& body, Time deadline);

  // Sends to one person one after the other: subscription messages to one openid at the same time are refused (43108).
  // People share locks by hash. Not locked: the deadline passed first.
  std::unique_lock<std::timed_mutex> OneAtATime(std::string_view contact, Time deadline);

  // -1 means to try again, at most three times in all: counts the attempts of a notification that ended so and is true
  // from the third on. An attempt that is repeated, because its outcome was unknown, never ends that way: what a repeat
  // is told says nothing about the first request. Counts are of this process and bounded.
  bool BusyTooOften(const delivery::SendRequest& request);
  void OutcomeUnknown(const delivery::SendRequest& request);

  // The template ids of all connectors of the account, because a call-back reaches one of them and may be about any.
  void AddTemplates(const std::map<std::string, std::string>& id_by_name);
  std::string TemplateName(const std::string& id) const;  // empty: nobody's

 private:
  delivery::TokenCache::Grant Token(Time deadline);
  delivery::TokenCache::Fetched FetchToken(Millis timeout);
  delivery::HttpAnswer Call(const char* method, std::string target, std::string body, Time deadline);

  const Platform platform_;
  const std::string app_id_;
  const delivery::Secret secret_;
  Logger& logger_;
  delivery::HttpClient http_;
  std::atomic<std::uint64_t> fetched_with_{0};  // generation of the secret behind the last token
  delivery::TokenCache tokens_;

  std::array<std::timed_mutex, 64> lanes_;
  mutable std::mutex mutex_;
  struct Busy {
    int attempts = 0;
    std::string last;  // attempt id
  };
  std::unordered_map<std::string, Busy> busy_;  // by notification
  std::map<std::string, std::string> name_by_template_;
};

// What a connector says of an errcode: the verdict, how long to wait where that is known, and nothing personal.
delivery::SendResult Conclude(const ApiAnswer& api, delivery::Verdict verdict, Instant now);
delivery::SendResult Outcome(delivery::Verdict verdict, std::string code, std::string detail = {});

}  // namespace zhitui::wechat
