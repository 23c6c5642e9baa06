#include <date/tz.h>

#include <algorithm>

#include "base/base.h"

namespace zhitui {

std::optional<std::chrono::seconds> ZoneOffset(std::string_view zone, std::chrono::sys_seconds at) {
  constexpr std::size_t kLongest = 64;
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '+' || c == '/';
  };
  if (zone.empty() || zone.size() > kLongest || zone.front() == '/' || !std::all_of(zone.begin(), zone.end(), good)) {
    return std::nullopt;
  }
  try {
    return date::locate_zone(std::string(zone))->get_info(at).offset;
  } catch (const std::exception&) {
    return std::nullopt;  // the library says "not found" so
  }
}

}  // namespace zhitui
