#include <arpa/inet.h>

// How values are written: for people (ToDisplay) and as JSON (ToJson).
#include <charconv>
#include <cmath>
#include <cstdio>

#include "value/value.h"

namespace zhitui::value {
namespace {

constexpr int kMaxDepth = 64;  // deeper parts are written as …

std::string FormatNanos(std::int64_t nanos) {
  if (nanos == 0) return {};
  char buffer[24];
  std::snprintf(buffer, sizeof buffer, ".%09lld", static_cast<long long>(nanos));
  std::string out = buffer;
  out.erase(out.find_last_not_of('0') + 1);
  return out;
}

// RFC 3339 in UTC with as many digits of the second as there are.
std::string FormatTimestamp(std::int64_t seconds, std::int64_t nanos) {
  constexpr std::int64_t kDay = 86400;
  std::int64_t day = seconds / kDay;
  std::int64_t rest = seconds % kDay;
  if (rest < 0) {
    rest += kDay;
    --day;
  }
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "T%02d:%02d:%02d", static_cast<int>(rest / 3600),
                static_cast<int>(rest / 60 % 60), static_cast<int>(rest % 60));
  return FormatDate(Date(std::chrono::days(day))) + buffer + FormatNanos(nanos) + "Z";
}

std::string FormatDuration(std::int64_t seconds, std::int64_t nanos) {
  const bool negative = seconds < 0 || nanos < 0;
  const std::uint64_t whole =
      seconds < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(seconds) : static_cast<std::uint64_t>(seconds);
  return (negative ? "-" : "") + std::to_string(whole) + FormatNanos(nanos < 0 ? -nanos : nanos) + "s";
}

// The shortest text that reads back as the same double.
std::string FormatDouble(double v) {
  if (std::isnan(v)) return "NaN";
  if (std::isinf(v)) return v > 0 ? "Infinity" : "-Infinity";
  char buffer[40];
  const std::to_chars_result r = std::to_chars(buffer, buffer + sizeof buffer, v);
  std::string out(buffer, r.ptr);
  if (out.find_first_of(".e") == std::string::npos) out += ".0";
  return out;
}

std::string Base64(std::string_view bytes) {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t chunk = 0;
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k) {
      chunk = chunk << 8 | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) out += k <= n ? kAlphabet[chunk >> (18 - 6 * k) & 63U] : '=';
  }
  return out;
}

void Display(const Value& v, std::size_t limit, int depth, std::string& out) {
  if (out.size() > limit) return;
  if (depth > kMaxDepth) {
    out += "…";
    return;
  }
  switch (v.kind()) {
    case Kind::kNull:
      out += "null";
      break;
    case Kind::kBool:
      out += v.AsBool() ? "true" : "false";
      break;
    case Kind::kInt:
      out += std::to_string(v.AsInt());
      break;
    case Kind::kUint:
      out += std::to_string(v.AsUint());
      break;
    case Kind::kDouble:
      out += FormatDouble(v.AsDouble());
      break;
    case Kind::kString:
      out += JsonQuote(v.AsString().substr(0, limit));
      break;
    case Kind::kBytes:
      out += "b\"" + Base64(v.AsString().substr(0, limit)) + "\"";
      break;
    case Kind::kTimestamp:
      out += FormatTimestamp(v.Seconds(), v.Nanos());
      break;
    case Kind::kDuration:
      out += FormatDuration(v.Seconds(), v.Nanos());
      break;
    case Kind::kDate:
      out += FormatDate(v.AsDate());
      break;
    case Kind::kPeriod:
      out += v.AsPeriod().ToString();
      break;
    case Kind::kDecimal:
      out += v.AsDecimal().ToString();
      break;
    case Kind::kType:
      out += v.AsString();
      break;
    case Kind::kList: {
      out += '[';
      bool first = true;
      for (const Value& e : v.AsList()) {
        if (out.size() > limit) break;
        if (!first) out += ", ";
        first = false;
        Display(e, limit, depth + 1, out);
      }
      out += ']';
      break;
    }
    case Kind::kMap: {
      out += '{';
      bool first = true;
      for (const MapEntry& e : v.AsMap()) {
        if (out.size() > limit) break;
        if (!first) out += ", ";
        first = false;
        Display(e.key, limit, depth + 1, out);
        out += ": ";
        Display(e.value, limit, depth + 1, out);
      }
      out += '}';
      break;
    }
    case Kind::kOptional:
      if (v.AsOptional() == nullptr) {
        out += "none";
      } else {
        out += "optional(";
        Display(*v.AsOptional(), limit, depth + 1, out);
        out += ')';
      }
      break;
    case Kind::kIp:
    case Kind::kCidr:
      out += v.AsNetwork().ToString(v.kind());
      break;
    case Kind::kUnknown:
      out += "unknown";
      break;
    case Kind::kError:
      out += "error: ";
      out += v.AsError().message;
      break;
  }
}

void Json(const Value& v, int depth, std::string& out) {
  if (depth > kMaxDepth) {
    out += "null";
    return;
  }
  switch (v.kind()) {
    case Kind::kNull:
      out += "null";
      break;
    case Kind::kBool:
      out += v.AsBool() ? "true" : "false";
      break;
    case Kind::kInt:
      out += std::to_string(v.AsInt());
      break;
    case Kind::kUint:
      out += std::to_string(v.AsUint());
      break;
    case Kind::kDouble: {
      const std::string text = FormatDouble(v.AsDouble());
      out += std::isfinite(v.AsDouble()) ? text : "\"" + text + "\"";
      break;
    }
    case Kind::kString:
    case Kind::kType:
      out += JsonQuote(v.AsString());
      break;
    case Kind::kBytes:
      out += "\"" + Base64(v.AsString()) + "\"";
      break;
    case Kind::kList: {
      out += '[';
      bool first = true;
      for (const Value& e : v.AsList()) {
        if (!first) out += ',';
        first = false;
        Json(e, depth + 1, out);
      }
      out += ']';
      break;
    }
    case Kind::kMap: {
      out += '{';
      bool first = true;
      for (const MapEntry& e : v.AsMap()) {
        if (!first) out += ',';
        first = false;
        if (e.key.is(Kind::kString)) {
          out += JsonQuote(e.key.AsString());
        } else {
          std::string key;
          Display(e.key, 200, 0, key);
          out += JsonQuote(key);
        }
        out += ':';
        Json(e.value, depth + 1, out);
      }
      out += '}';
      break;
    }
    case Kind::kOptional:
      if (v.AsOptional() == nullptr) {
        out += "null";
      } else {
        Json(*v.AsOptional(), depth + 1, out);
      }
      break;
    default: {
      std::string text;
      Display(v, 1000, 0, text);
      out += JsonQuote(text);
    }
  }
}

}  // namespace

bool Network::IsV4() const {
  static constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::equal(kMapped.begin(), kMapped.end(), bytes.begin());
}

std::string Network::ToString(Kind kind) const {
  char text[INET6_ADDRSTRLEN] = {};
  if (family == 4) {
    inet_ntop(AF_INET, bytes.data() + 12, text, sizeof(text));
  } else {
    inet_ntop(AF_INET6, bytes.data(), text, sizeof(text));
  }
  return kind == Kind::kIp ? text : text + ("/" + std::to_string(prefix));
}

std::string ToDisplay(const Value& v, std::size_t limit) {
  std::string out;
  Display(v, limit, 0, out);
  if (out.size() <= limit) return out;
  constexpr std::string_view kEllipsis = "…";
  std::size_t end = limit < kEllipsis.size() ? 0 : limit - kEllipsis.size();
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0U) == 0x80U) --end;  // not inside a code point
  out.resize(end);
  if (limit >= kEllipsis.size()) out += kEllipsis;
  return out;
}

std::string ToJson(const Value& v) {
  std::string out;
  Json(v, 0, out);
  return out;
}

}  // namespace zhitui::value
