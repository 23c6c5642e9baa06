#pragma once

// What goes over the wire of Web Push and back, without the wire. Pure; included by the connector and its tests.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/app.h"
#include "app/jwt.h"
#include "app/webpush_crypt.h"
#include "delivery/delivery.h"

namespace zhitui::app {

// Which hosts may be called: entries apart by spaces or commas, each a host ("fcm.googleapis.com"), one label or more
// before a suffix ("*.push.apple.com"), with ":port" when it is not 443, or a whole origin "http://127.0.0.1:8080" to
// try a simulator without TLS. An address or localhost is allowed only where it stands in the list itself.
class HostList {
 public:
  static Result<HostList> Parse(std::string_view text);
  bool Allows(const delivery::BaseUrl& endpoint) const;

 private:
  struct Entry {
    bool tls = true;
    bool suffix = false;
    std::string host;
    int port = 443;
  };
  std::vector<Entry> entries_;
};

struct Subscription {
  delivery::BaseUrl service;  // without a path
  std::string target;         // path and query of the endpoint
  PushReceiver receiver;
};
// nullopt: not a subscription (no endpoint, keys of the wrong length, white space or control characters in the URL …).
std::optional<Subscription> ParseSubscription(std::string_view contact);

// aud of the VAPID token: the origin as RFC 6454 writes it, without the scheme's own port.
std::string WebpushOrigin(const delivery::BaseUrl& service);

// The key behind the setting vapid_key. kInvalid: it is neither PEM nor 32 bytes in base64url, or not on P-256.
Result<SigningKey> VapidKey(const std::string& text);
// {"aud","exp","sub"}
std::string VapidClaims(std::string_view origin, std::string_view subject, Instant expires);
// The value of Authorization: "vapid t=…, k=…".
Result<std::string> VapidAuthorization(const std::string& key_text, std::string_view origin, std::string_view subject,
                                       Instant expires);

// What the service worker gets: {"title","body","attempt_id","notification_id","url"}. kInvalid: not UTF-8.
Result<std::string> WebpushText(const WebpushOptions& options, const delivery::SendRequest& request);
// Bytes to add so that the length is a multiple of `pad_to`, as far as they fit.
std::size_t WebpushPadding(std::size_t text_bytes, std::int64_t pad_to);
// Topic of a notification: 32 characters of base64url (RFC 8030 section 5.4).
std::string WebpushTopic(std::string_view notification_id);

delivery::HttpCall WebpushCall(const WebpushOptions& options, const Subscription& subscription,
                               std::string authorization, std::string body, std::string_view notification_id);

// `now` is for a Retry-After that is a date.
delivery::SendResult ParseWebpushAnswer(const delivery::HttpAnswer& answer, Instant now);

}  // namespace zhitui::app
