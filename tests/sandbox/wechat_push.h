// What WeChat posts to an account's server: receipts, events and messages.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sandbox/courier.h"
#include "sandbox/faults.h"
#include "sandbox/sandbox.h"

namespace sandbox {

// The body of a post as WeChat writes it, XML or JSON. A List of one is an object in JSON, and at the root there.
class WechatPush {
 public:
  WechatPush(bool json, std::string openid, int64_t at_ms)
      : json_(json), openid_(std::move(openid)), at_s_(at_ms / 1000) {}

  std::string TemplateReceipt(int64_t msgid, Fate fate) const;
  std::string SentReceipt(const std::string& template_id, int64_t msgid, Fate fate) const;
  // `status`: accept or reject, for each template id.
  std::string Popup(const std::vector<std::string>& template_ids, const std::string& status) const;
  std::string Change(const std::vector<std::string>& template_ids) const;
  std::string Follow(bool follows) const;
  std::string Text(int64_t msgid, const std::string& content) const;

 private:
  std::string Event(const std::string& name, const std::string& wrapper, nlohmann::ordered_json more) const;
  std::string Write(const nlohmann::ordered_json& message) const;

  bool json_;
  std::string openid_;
  int64_t at_s_;
};

Courier::Config WechatCourier(const Options& options);
Courier::Config WechatMiniCourier(const Options& options);
// Posts at once, on this thread, without repeats.
void PostNow(const Courier::Config& config, const std::string& body);

}  // namespace sandbox
