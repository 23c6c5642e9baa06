#include "app/jpush_wire.h"

#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>

#include <openssl/evp.h>

#include "app/jpush_codes.h"

namespace zhitui::app {
namespace {

using nlohmann::json;
using Ordered = nlohmann::ordered_json;

constexpr std::size_t kAndroidBytes = 4000;
constexpr std::size_t kIosBytes = 2000;
constexpr std::size_t kMaxCids = 1000;
constexpr std::size_t kMaxCidLength = 128;
// Ids of the length the product uses, to measure a message before it has any.
constexpr std::size_t kIdLength = 40;

struct Parts {
  Ordered android;
  Ordered ios;
};

Parts NotificationParts(const JpushOptions& options, const delivery::SendRequest& request) {
  const Shown shown = ShownOf(options.visible, request.content);
  Ordered extras = Ordered::object();
  for (auto& [key, value] : HiddenData(request)) extras[key] = value;
  Parts parts;
  parts.android = {{"alert", shown.body}, {"title", shown.title}, {"extras", extras}};
  parts.ios = {{"alert", {{"title", shown.title}, {"body", shown.body}}}, {"sound", "default"}, {"extras", extras}};
  return parts;
}

// Chinese stays as it is; throws on text that is not UTF-8.
std::string Dump(const Ordered& value) { return value.dump(-1, ' ', false, json::error_handler_t::strict); }

std::string Scalar(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return {};
  if (found->is_string()) return found->get<std::string>();
  return found->is_number_integer() ? found->dump() : std::string();
}

std::optional<Millis> ResetAfter(const delivery::HttpAnswer& answer) {
  const auto header = answer.headers.find("x-rate-limit-reset");
  if (header == answer.headers.end()) return std::nullopt;
  int seconds = 0;
  const char* end = header->second.data() + header->second.size();
  const auto [stop, error] = std::from_chars(header->second.data(), end, seconds);
  if (error != std::errc() || stop != end || seconds < 0 || seconds > 3600) return std::nullopt;
  return Millis(seconds * 1000);
}

}  // namespace

std::string BasicAuthorization(std::string_view app_key, std::string_view master_secret) {
  std::string plain(app_key);
  plain += ':';
  plain += master_secret;
  std::string encoded((plain.size() + 2) / 3 * 4 + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                      reinterpret_cast<const unsigned char*>(plain.data()), static_cast<int>(plain.size()));
  encoded.resize(static_cast<std::size_t>(length));
  return "Basic " + encoded;
}

Result<std::string> PushBody(const JpushOptions& options, const delivery::SendRequest& request) {
  try {
    Parts parts = NotificationParts(options, request);
    const Ordered body = {
        {"cid", request.key.key},
        {"platform", "all"},
        {"audience", {{"registration_id", Ordered::array({request.contact})}}},
        {"notification", {{"android", std::move(parts.android)}, {"ios", std::move(parts.ios)}}},
        {"options", {{"time_to_live", options.time_to_live_s}, {"apns_production", options.apns_production}}},
    };
    return Dump(body);
  } catch (const json::exception&) {
    return Invalid("the message is not valid UTF-8");
  }
}

Status CheckSize(const JpushOptions& options, const message::Content& content) {
  try {
    delivery::SendRequest request;
    request.attempt_id = request.notification_id = std::string(kIdLength, '0');
    request.content = content;
    const Parts parts = NotificationParts(options, request);
    const std::size_t android = Dump(parts.android).size();
    const std::size_t ios = Dump(parts.ios).size();
    if (android > kAndroidBytes) {
      return Invalid("the Android notification has " + std::to_string(android) + " bytes, JPush takes 4000");
    }
    if (ios > kIosBytes) {
      return Invalid("the iOS notification has " + std::to_string(ios) + " bytes, JPush takes 2000");
    }
    return {};
  } catch (const json::exception&) {
    return Invalid("the message is not valid UTF-8");
  }
}

std::optional<std::vector<std::string>> ParseCids(std::string_view body) {
  const json answer = json::parse(body, nullptr, false);
  if (!answer.is_object()) return std::nullopt;
  const auto list = answer.find("cidlist");
  if (list == answer.end() || !list->is_array() || list->empty() || list->size() > kMaxCids) return std::nullopt;
  std::vector<std::string> cids;
  for (const json& cid : *list) {
    if (!cid.is_string()) return std::nullopt;
    cids.push_back(cid.get<std::string>());
    if (cids.back().empty() || cids.back().size() > kMaxCidLength) return std::nullopt;
  }
  return cids;
}

delivery::SendResult ParsePushAnswer(const delivery::HttpAnswer& answer) {
  using delivery::Verdict;
  delivery::SendResult result;
  result.code = "http " + std::to_string(answer.status);
  const json body = json::parse(answer.body, nullptr, false);
  if (body.is_object() && answer.status == 200) {
    result.provider_id = Scalar(body, "msg_id");
    if (!result.provider_id.empty()) {
      result.verdict = Verdict::kAccepted;
      result.code = "200";
      return result;
    }
  }
  const auto error = body.is_object() ? body.find("error") : body.end();
  int code = 0;
  if (body.is_object() && error != body.end() && error->is_object()) {
    const std::string text = Scalar(*error, "code");
    const auto [stop, bad] = std::from_chars(text.data(), text.data() + text.size(), code);
    if (bad == std::errc() && stop == text.data() + text.size()) {
      result.code = text;
    } else {
      code = 0;
    }
  }
  result.verdict = answer.status == 200 && code == 0 ? Verdict::kUnknown : JpushVerdict(code, answer.status);
  if (answer.status == 200 && code == 0) result.detail = "malformed answer";
  if (result.verdict == Verdict::kThrottled) result.retry_after = ResetAfter(answer);
  return result;
}

}  // namespace zhitui::app
