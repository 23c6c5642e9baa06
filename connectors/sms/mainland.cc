#include "sms/mainland.h"

#include <algorithm>

namespace zhitui::sms {

std::optional<std::string> MainlandNumber(std::string_view text) {
  constexpr std::size_t kDigits = 11;
  for (const std::string_view prefix : {"+86", "0086", "86"}) {
    if (text.size() == prefix.size() + kDigits && text.starts_with(prefix)) {
      text.remove_prefix(prefix.size());
      break;
    }
  }
  const bool digits = std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (text.size() != kDigits || !digits || text[0] != '1' || text[1] < '3') return std::nullopt;
  return std::string(text);
}

Instant BeijingTime(std::string_view text) {
  if (text.size() != 19) return {};
  const Result<Instant> at = ParseInstant(std::string(text) + "+08:00");
  return at ? *at : Instant{};
}

std::string ReplyText(std::string text) {
  if (text.size() <= delivery::kMaxReplyBytes) return text;
  std::size_t end = delivery::kMaxReplyBytes;
  // A byte 10xxxxxx goes on with the character before it.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text;
}

std::set<std::string> CodeList(std::string_view text) {
  std::set<std::string> codes;
  while (!text.empty()) {
    std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (!one.empty()) codes.emplace(one);
  }
  return codes;
}

Status CheckParameters(const message::Content& content) {
  for (const auto& [name, value] : content.fields) {
    if (name.empty() || value.empty()) return Invalid("the SMS parameter " + name + " is empty");
    if (!IsValidUtf8(value)) return Invalid("the SMS parameter " + name + " is not valid UTF-8");
    for (const char* forbidden : {"://", "【", "】"}) {
      if (value.find(forbidden) != std::string::npos) {
        return Invalid("the SMS parameter " + name + " must not hold a link or 【】");
      }
    }
    if (std::any_of(value.begin(), value.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
      return Invalid("the SMS parameter " + name + " holds a line break or control character");
    }
  }
  return {};
}

bool HasCallbackKey(const delivery::CallbackRequest& request, const delivery::Secret& key) {
  const auto wanted = key.Get();
  if (wanted->text.empty()) return true;
  const auto given = request.query.find("key");
  return request.query.count("key") == 1 && delivery::ConstantTimeEqual(given->second, wanted->text);
}

std::int64_t SmsCost(const message::Content& content, std::int64_t price_micros) {
  return static_cast<std::int64_t>(std::max<std::uint32_t>(content.segments, 1)) * price_micros;
}

}  // namespace zhitui::sms
