#include "base/text.h"

#include <cstdio>

namespace zhitui {

bool IsValidUtf8(std::string_view s) {
  const auto* p = reinterpret_cast<const unsigned char*>(s.data());
  const auto* end = p + s.size();
  const auto tail = [&](const unsigned char* q, int n) {
    for (int i = 1; i <= n; ++i) {
      if (q + i >= end || (q[i] & 0xC0) != 0x80) return false;
    }
    return true;
  };
  while (p < end) {
    if (*p < 0x80) {
      ++p;
    } else if (*p >= 0xC2 && *p <= 0xDF && tail(p, 1)) {
      p += 2;
    } else if ((*p & 0xF0) == 0xE0 && tail(p, 2)) {
      if ((*p == 0xE0 && p[1] < 0xA0) || (*p == 0xED && p[1] > 0x9F)) return false;  // overlong, surrogate
      p += 3;
    } else if (*p >= 0xF0 && *p <= 0xF4 && tail(p, 3)) {
      if ((*p == 0xF0 && p[1] < 0x90) || (*p == 0xF4 && p[1] > 0x8F)) return false;
      p += 4;
    } else {
      return false;
    }
  }
  return true;
}

std::string JsonQuote(std::string_view s) {
  std::string out;
  out.reserve(s.size() + 2);
  out += '"';
  for (const char c : s) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          char buffer[8];
          std::snprintf(buffer, sizeof buffer, "\\u%04x", static_cast<unsigned>(c));
          out += buffer;
        } else {
          out += c;
        }
    }
  }
  out += '"';
  return out;
}

std::string MaskPhone(std::string_view phone) {
  if (phone.size() != 11) return "***";
  for (const char c : phone) {
    if (c < '0' || c > '9') return "***";
  }
  return std::string(phone.substr(0, 3)) + "****" + std::string(phone.substr(7));
}

}  // namespace zhitui
