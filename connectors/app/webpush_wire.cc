#include "app/webpush_wire.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "app/webpush_codes.h"

namespace zhitui::app {
namespace {

using nlohmann::json;
using Ordered = nlohmann::ordered_json;

constexpr std::size_t kMaxContact = 4096;
constexpr std::size_t kMaxTarget = 2048;
constexpr std::size_t kPoint = 65;
constexpr std::size_t kAuth = 16;
constexpr std::size_t kScalar = 32;
constexpr std::size_t kTopicBytes = 24;  // 32 characters of base64url
constexpr std::size_t kMaxProviderId = 200;
constexpr std::int64_t kMaxRetrySeconds = 86400;

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// A numeric address in any spelling a resolver takes ("127.1", "0x7f.1", "2130706433"), or a name of this machine.
bool IsAddress(std::string_view host) {
  if (host.empty() || host.front() == '[' || host == "localhost" || host.ends_with(".localhost")) return true;
  const std::size_t dot = host.rfind('.');
  const std::string_view last = dot == std::string_view::npos ? host : host.substr(dot + 1);
  return last.empty() || (last.front() >= '0' && last.front() <= '9');
}

Result<delivery::BaseUrl> Origin(std::string_view text) {
  auto url = delivery::ParseBaseUrl(text);
  if (url) url->host = Lower(url->host);
  return url;
}

std::optional<std::string> KeyBytes(const json& keys, const char* name, std::size_t bytes) {
  const auto at = keys.find(name);
  if (at == keys.end() || !at->is_string()) return std::nullopt;
  std::string text = *at;
  while (text.ends_with('=')) text.pop_back();  // some libraries pad
  auto raw = FromBase64Url(text);
  if (!raw || raw->size() != bytes) return std::nullopt;
  return raw;
}

// Printable ASCII that needs no escape: the target goes into the request line as it is.
bool TargetChar(char c) {
  return c > ' ' && c < '\x7f' && std::string_view("\"<>\\^`{|}#").find(c) == std::string_view::npos;
}

// "Wed, 21 Oct 2026 07:28:00 GMT" (RFC 9110 section 5.6.7, the preferred form).
std::optional<Instant> HttpDate(const std::string& text) {
  static constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || !text.ends_with(" GMT")) return std::nullopt;
  const auto month = std::find(kMonths.begin(), kMonths.end(), std::string_view(text).substr(8, 3));
  if (month == kMonths.end()) return std::nullopt;
  const auto number = std::to_string(month - kMonths.begin() + 1);
  const std::string iso = text.substr(12, 4) + (number.size() == 1 ? "-0" : "-") + number + "-" + text.substr(5, 2) +
                          "T" + text.substr(17, 8) + "Z";
  const auto parsed = ParseInstant(iso);
  if (!parsed) return std::nullopt;
  return *parsed;
}

std::optional<Millis> RetryAfter(const delivery::HttpAnswer& answer, Instant now) {
  const auto header = answer.headers.find("retry-after");
  if (header == answer.headers.end()) return std::nullopt;
  const std::string& text = header->second;
  std::int64_t seconds = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || stop != text.data() + text.size()) {
    const auto at = HttpDate(text);
    if (!at) return std::nullopt;
    seconds = std::chrono::duration_cast<std::chrono::seconds>(*at - now).count();
  }
  if (seconds < 0 || seconds > kMaxRetrySeconds) return std::nullopt;
  return Millis(seconds * 1000);
}

}  // namespace

Result<HostList> HostList::Parse(std::string_view text) {
  HostList list;
  while (!text.empty()) {
    const std::size_t end = text.find_first_of(", \t\n");
    const std::string word = Lower(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (word.empty()) continue;
    Entry entry;
    std::string rest = word;
    if (rest.starts_with("*.")) {
      entry.suffix = true;
      rest.erase(0, 2);
    }
    const bool whole = rest.find("://") != std::string::npos;
    const auto url = Origin(whole ? rest : "https://" + rest);
    if (!url || !url->path.empty() || (entry.suffix && (whole || IsAddress(url->host)))) {
      return Invalid("\"" + word + "\" is not a host, *.suffix, host:port or origin");
    }
    // "*.com" would allow almost every host.
    if (entry.suffix && url->host.find('.') == std::string::npos) {
      return Invalid("\"" + word + "\" is too wide: a suffix has at least two labels");
    }
    entry.tls = url->tls;
    entry.host = url->host;
    entry.port = url->port;
    list.entries_.push_back(std::move(entry));
  }
  if (list.entries_.empty()) return Invalid("the list of hosts is empty");
  return list;
}

bool HostList::Allows(const delivery::BaseUrl& endpoint) const {
  for (const Entry& entry : entries_) {
    if (entry.tls != endpoint.tls || entry.port != endpoint.port) continue;
    if (!entry.suffix) {
      if (endpoint.host == entry.host) return true;
    } else if (!IsAddress(endpoint.host) && endpoint.host.size() > entry.host.size() + 1 &&
               endpoint.host.ends_with("." + entry.host) && endpoint.host.front() != '.') {
      return true;
    }
  }
  return false;
}

std::optional<Subscription> ParseSubscription(std::string_view contact) {
  if (contact.size() > kMaxContact) return std::nullopt;
  const json body = json::parse(contact, nullptr, false);
  if (!body.is_object()) return std::nullopt;
  const auto endpoint = body.find("endpoint");
  const auto keys = body.find("keys");
  if (endpoint == body.end() || !endpoint->is_string() || keys == body.end() || !keys->is_object()) return std::nullopt;
  const std::string url = *endpoint;
  const std::size_t slashes = url.find("://");
  if (slashes == std::string::npos) return std::nullopt;
  const std::size_t path = url.find_first_of("/?#", slashes + 3);
  auto service = Origin(std::string_view(url).substr(0, path));
  if (!service || path == std::string::npos || url[path] != '/') return std::nullopt;
  Subscription out;
  out.service = *std::move(service);
  out.target = url.substr(path);
  if (out.target.size() > kMaxTarget || !std::all_of(out.target.begin(), out.target.end(), TargetChar)) {
    return std::nullopt;
  }
  auto point = KeyBytes(*keys, "p256dh", kPoint);
  auto auth = KeyBytes(*keys, "auth", kAuth);
  if (!point || !auth) return std::nullopt;
  out.receiver = {*std::move(point), *std::move(auth)};
  return out;
}

std::string WebpushOrigin(const delivery::BaseUrl& service) {
  return std::string(service.tls ? "https://" : "http://") + service.HostHeader();
}

Result<SigningKey> VapidKey(const std::string& text) {
  std::string raw_text = text;
  while (raw_text.ends_with('=')) raw_text.pop_back();
  const auto raw = FromBase64Url(raw_text);
  auto key = SigningKey::FromPem(raw && raw->size() == kScalar ? EcScalarPem(*raw) : text);
  if (!key) return key;
  if (key->PublicPoint().empty()) return Invalid("VAPID needs a key on the curve P-256");
  return key;
}

std::string VapidClaims(std::string_view origin, std::string_view subject, Instant expires) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(expires.time_since_epoch()).count();
  return R"({"aud":)" + JsonQuote(origin) + R"(,"exp":)" + std::to_string(seconds) + R"(,"sub":)" + JsonQuote(subject) +
         "}";
}

Result<std::string> VapidAuthorization(const std::string& key_text, std::string_view origin, std::string_view subject,
                                       Instant expires) {
  const auto key = VapidKey(key_text);
  if (!key) return std::unexpected(key.error());
  const auto token =
      SignJwt(*key, JwsAlgorithm::kEs256, R"({"typ":"JWT","alg":"ES256"})", VapidClaims(origin, subject, expires));
  if (!token) return token;
  return "vapid t=" + *token + ", k=" + Base64Url(key->PublicPoint());
}

Result<std::string> WebpushText(const WebpushOptions& options, const delivery::SendRequest& request) {
  const Shown shown = ShownOf(options.visible, request.content);
  Ordered body = {{"title", shown.title}, {"body", shown.body}};
  for (auto& [key, value] : HiddenData(request)) body[key] = std::move(value);
  try {
    return body.dump(-1, ' ', false, json::error_handler_t::strict);
  } catch (const json::exception&) {
    return Invalid("the message is not valid UTF-8");
  }
}

std::size_t WebpushPadding(std::size_t text_bytes, std::int64_t pad_to) {
  if (pad_to <= 0 || text_bytes >= kPushTextBytes) return 0;
  const auto step = static_cast<std::size_t>(pad_to);
  const std::size_t padded = (text_bytes + step - 1) / step * step;
  return std::min(padded, kPushTextBytes) - text_bytes;
}

std::string WebpushTopic(std::string_view notification_id) {
  const auto digest = Sha256(notification_id);
  return Base64Url({reinterpret_cast<const char*>(digest.data()), kTopicBytes});
}

delivery::HttpCall WebpushCall(const WebpushOptions& options, const Subscription& subscription,
                               std::string authorization, std::string body, std::string_view notification_id) {
  delivery::HttpCall call;
  call.method = "POST";
  call.target = subscription.target;
  call.headers = {{"Authorization", std::move(authorization)},
                  {"Content-Type", "application/octet-stream"},
                  {"Content-Encoding", "aes128gcm"},
                  {"TTL", std::to_string(options.ttl_s)},
                  {"Urgency", options.urgency}};
  if (options.topic) call.headers.emplace_back("Topic", WebpushTopic(notification_id));
  call.body = std::move(body);
  return call;
}

delivery::SendResult ParseWebpushAnswer(const delivery::HttpAnswer& answer, Instant now) {
  using delivery::Verdict;
  delivery::SendResult result;
  result.verdict = WebpushVerdict(answer.status);
  result.code = std::to_string(answer.status);
  switch (result.verdict) {
    case Verdict::kAccepted: {
      // RFC 8030 section 5: the answer names the message. One that does not is not a push service's.
      const auto location = answer.headers.find("location");
      if (location == answer.headers.end() || location->second.empty()) {
        result.verdict = Verdict::kUnknown;
        result.detail = "malformed answer";
      } else if (location->second.size() <= kMaxProviderId) {
        result.provider_id = location->second;
      }
      break;
    }
    case Verdict::kThrottled:
    case Verdict::kRetryLater:
      result.retry_after = RetryAfter(answer, now);
      break;
    default:
      break;
  }
  return result;
}

}  // namespace zhitui::app
