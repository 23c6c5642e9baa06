#include "sandbox/text.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace sandbox {
namespace {

constexpr int64_t kBeijingOffsetMs = 8LL * 3600 * 1000;

std::tm UtcFields(int64_t ms) {
  const std::time_t seconds = static_cast<std::time_t>(ms >= 0 ? ms / 1000 : (ms - 999) / 1000);
  std::tm out{};
  gmtime_r(&seconds, &out);
  return out;
}

std::string Format(const char* format, int64_t ms) {
  const std::tm fields = UtcFields(ms);
  std::array<char, 64> buffer{};
  const size_t n = std::strftime(buffer.data(), buffer.size(), format, &fields);
  return {buffer.data(), n};
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<std::u32string> DecodeUtf8(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    size_t extra = 0;
    char32_t c = 0;
    char32_t least = 0;
    if (first < 0x80) {
      c = first;
    } else if (first >= 0xC2 && first < 0xE0) {
      extra = 1, c = first & 0x1FU, least = 0x80;
    } else if (first >= 0xE0 && first < 0xF0) {
      extra = 2, c = first & 0x0FU, least = 0x800;
    } else if (first >= 0xF0 && first < 0xF5) {
      extra = 3, c = first & 0x07U, least = 0x10000;
    } else {
      return std::nullopt;
    }
    if (text.size() - i <= extra) return std::nullopt;
    for (size_t k = 1; k <= extra; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xC0U) != 0x80U) return std::nullopt;
      c = (c << 6) | (next & 0x3FU);
    }
    if (c < least || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) return std::nullopt;
    out += c;
    i += extra + 1;
  }
  return out;
}

std::string EncodeUtf8(std::u32string_view text) {
  std::string out;
  for (const char32_t c : text) {
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else if (c < 0x800) {
      out += static_cast<char>(0xC0U | (c >> 6));
      out += static_cast<char>(0x80U | (c & 0x3FU));
    } else if (c < 0x10000) {
      out += static_cast<char>(0xE0U | (c >> 12));
      out += static_cast<char>(0x80U | ((c >> 6) & 0x3FU));
      out += static_cast<char>(0x80U | (c & 0x3FU));
    } else {
      out += static_cast<char>(0xF0U | (c >> 18));
      out += static_cast<char>(0x80U | ((c >> 12) & 0x3FU));
      out += static_cast<char>(0x80U | ((c >> 6) & 0x3FU));
      out += static_cast<char>(0x80U | (c & 0x3FU));
    }
  }
  return out;
}

size_t Utf16Length(std::u32string_view text) {
  size_t n = 0;
  for (const char32_t c : text) n += c >= 0x10000 ? 2 : 1;
  return n;
}

bool IsHan(char32_t c) {
  return (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x20000 && c <= 0x323AF) || c == 0x3007;
}

std::string PercentEncode(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size() * 3);
  for (const char c : text) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      const auto b = static_cast<unsigned char>(c);
      out += '%';
      out += kDigits[b >> 4];
      out += kDigits[b & 15];
    }
  }
  return out;
}

std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = HexValue(text[i + 1]);
      const int low = HexValue(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::optional<Pairs> ParseQuery(std::string_view query) {
  constexpr size_t kMaxPairs = 200;
  Pairs out;
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(part.size() == query.size() ? part.size() : part.size() + 1);
    if (part.empty()) continue;
    const size_t equals = part.find('=');
    auto key = PercentDecode(part.substr(0, equals), true);
    auto value = equals == std::string_view::npos ? std::string() : PercentDecode(part.substr(equals + 1), true);
    if (!key || !value || out.size() == kMaxPairs) return std::nullopt;
    out.emplace_back(std::move(*key), std::move(*value));
  }
  return out;
}

const std::string* Find(const Pairs& pairs, std::string_view key) {
  for (const auto& pair : pairs) {
    if (pair.first == key) return &pair.second;
  }
  return nullptr;
}

int64_t SystemNowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string IsoUtc(int64_t ms) {
  std::array<char, 8> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03dZ", static_cast<int>(((ms % 1000) + 1000) % 1000));
  return Format("%Y-%m-%dT%H:%M:%S", ms) + fraction.data();
}

std::optional<int64_t> ParseIsoUtc(std::string_view text) {
  static constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  if (text.size() < kShape.size() + 1 || text.back() != 'Z') return std::nullopt;
  for (size_t i = 0; i < kShape.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kShape[i] == 'd' ? !digit : text[i] != kShape[i]) return std::nullopt;
  }
  const auto number = [&](size_t at, size_t n) {
    int out = 0;
    for (size_t i = at; i < at + n; ++i) out = out * 10 + (text[i] - '0');
    return out;
  };
  std::tm fields{};
  fields.tm_year = number(0, 4) - 1900;
  fields.tm_mon = number(5, 2) - 1;
  fields.tm_mday = number(8, 2);
  fields.tm_hour = number(11, 2);
  fields.tm_min = number(14, 2);
  fields.tm_sec = number(17, 2);
  const std::tm asked = fields;
  const int64_t seconds = timegm(&fields);
  // timegm moves 31 February into March; a date that moved was not a date.
  if (fields.tm_mon != asked.tm_mon || fields.tm_mday != asked.tm_mday || fields.tm_hour != asked.tm_hour ||
      fields.tm_min != asked.tm_min || fields.tm_sec != asked.tm_sec) {
    return std::nullopt;
  }
  const std::string_view fraction = text.substr(kShape.size(), text.size() - kShape.size() - 1);
  if (fraction.empty()) return seconds * 1000;
  if (fraction.size() != 4 || fraction[0] != '.') return std::nullopt;
  for (const char c : fraction.substr(1)) {
    if (c < '0' || c > '9') return std::nullopt;
  }
  return seconds * 1000 + number(kShape.size() + 1, 3);
}

std::string BeijingTime(int64_t ms) { return Format("%Y-%m-%d %H:%M:%S", ms + kBeijingOffsetMs); }

std::string BeijingDay(int64_t ms) { return Format("%Y%m%d", ms + kBeijingOffsetMs); }

}  // namespace sandbox
