#pragma once

// Web Push to browsers: RFC 8030 (delivery), RFC 8291 (encryption), RFC 8292 (VAPID); providers.md §3.6. This file is
// part of the room's door.
//
// The contact is the browser's subscription as JSON: {"endpoint":"https://…","keys":{"p256dh":"…","auth":"…"}}. The
// endpoint comes from outside, so only hosts of a list are called.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/visible.h"
#include "base/base.h"
#include "delivery/delivery.h"

namespace zhitui::app {

inline constexpr const char* kWebpushHosts =
    "fcm.googleapis.com updates.push.services.mozilla.com *.push.apple.com *.notify.windows.com";

struct WebpushOptions {
  std::string ca_file;                        // PEM; empty: the system's
  delivery::Secret vapid_key;                 // P-256: PEM, or the 32 bytes in base64url as web-push tools print them
  std::string subject;                        // mailto: or https:, for the operators of push services
  std::string allowed_hosts = kWebpushHosts;  // see HostList
  std::int64_t ttl_s = 86400;
  std::string urgency = "normal";
  bool topic = true;          // a later attempt of one notification replaces one that waits
  std::int64_t pad_to = 256;  // lengths are rounded up to a multiple, so that they tell less; 0: not
  Visible visible;
  Millis connect_timeout{2000};
};
std::vector<delivery::SettingDoc> WebpushSettings();
std::optional<WebpushOptions> ValidateWebpush(const delivery::Settings& settings, Diagnostics* diagnostics);
std::shared_ptr<delivery::Connector> NewWebpush(WebpushOptions options, Logger* logger);

}  // namespace zhitui::app
