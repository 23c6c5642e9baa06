#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace zhitui {

// A way to reach a person. The numbers are stored; do not change them.
enum class Channel : std::uint8_t { kApp = 0, kWechat = 1, kSms = 2 };
inline constexpr std::array<Channel, 3> kChannels = {Channel::kApp, Channel::kWechat, Channel::kSms};

constexpr std::string_view ChannelName(Channel channel) {
  constexpr std::array<std::string_view, 3> kNames = {"app", "wechat", "sms"};
  return kNames[static_cast<std::size_t>(channel)];
}
constexpr std::optional<Channel> ParseChannel(std::string_view name) {
  for (const Channel c : kChannels) {
    if (ChannelName(c) == name) return c;
  }
  return std::nullopt;
}

}  // namespace zhitui
