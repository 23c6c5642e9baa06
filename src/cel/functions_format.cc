// string.format(list), by cel-spec's doc/extensions/strings.md.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "cel/functions.h"
#include "cel/text.h"

namespace zhitui::cel {
namespace {

using value::Kind;

constexpr int kDefaultPrecision = 6;
constexpr int kMaxPrecision = 100;
constexpr int kMaxDepth = 32;

// The result so far, or the first error.
class Formatter {
 public:
  Formatter(const Call& c, std::string_view format, std::span<const Value> arguments)
      : c_(c), format_(format), arguments_(arguments) {}

  Value Run() {
    for (std::size_t i = 0; i < format_.size() && error_.empty(); ++i) {
      if (format_[i] != '%') {
        out_ += format_[i];
        continue;
      }
      if (++i == format_.size()) return Fail("could not parse formatting clause: unexpected end of string");
      if (format_[i] == '%') {
        out_ += '%';
        continue;
      }
      int precision = kDefaultPrecision;
      if (format_[i] == '.' && !ParsePrecision(i, precision)) break;
      Clause(format_[i], precision);
      if (!c_.Charge(out_.size() - charged_)) return c_.Fail(kCostLimit);
      charged_ = out_.size();
    }
    if (!error_.empty()) return Fail(error_);
    return Value::String(c_.arena.Copy(out_));
  }

 private:
  Value Fail(const std::string& message) { return c_.Fail(c_.arena.Copy(message)); }
  void Refuse(const std::string& message) {
    if (error_.empty()) error_ = message;
  }
  void RefuseKind(const char* clause, const Value& v) {
    Refuse(std::string("error during formatting: ") + clause + ", was given " + value::KindName(v.kind()));
  }

  bool ParsePrecision(std::size_t& i, int& precision) {
    precision = 0;
    std::size_t digits = 0;
    for (++i; i < format_.size() && format_[i] >= '0' && format_[i] <= '9'; ++i, ++digits) {
      precision = std::min(precision * 10 + (format_[i] - '0'), kMaxPrecision + 1);
    }
    if (digits == 0 || i == format_.size() || precision > kMaxPrecision) {
      Refuse("could not parse formatting clause: a precision has one to three digits, is at most " +
             std::to_string(kMaxPrecision) + " and is followed by f or e");
      return false;
    }
    return true;
  }

  void Clause(char clause, int precision) {
    constexpr std::string_view kClauses = "sdfexXob";
    if (kClauses.find(clause) == std::string_view::npos) {
      return Refuse(std::string("could not parse formatting clause: unrecognized formatting clause \"") + clause +
                    "\"");
    }
    if (next_ >= arguments_.size()) return Refuse("index " + std::to_string(next_) + " out of range");
    const Value& v = arguments_[next_++];
    switch (clause) {
      case 's':
        return Text(v, 0);
      case 'd':
        return Decimal(v);
      case 'f':
        return Float(v, 'f', precision, "fixed-point clause can only be used on doubles");
      case 'e':
        return Float(v, 'e', precision, "scientific clause can only be used on doubles");
      case 'x':
      case 'X':
        return Hex(v, clause == 'X');
      case 'o':
        if (!v.is(Kind::kInt) && !v.is(Kind::kUint)) {
          return RefuseKind("octal clause can only be used on integers", v);
        }
        return Whole(v, 8, false);
      default:
        if (v.is(Kind::kBool)) {
          out_ += v.AsBool() ? '1' : '0';
        } else if (v.is(Kind::kInt) || v.is(Kind::kUint)) {
          Whole(v, 2, false);
        } else {
          RefuseKind("only integers and bools can be formatted as binary", v);
        }
    }
  }

  static const char* Special(double d) {
    if (std::isnan(d)) return "NaN";
    return std::isinf(d) ? (d > 0 ? "Infinity" : "-Infinity") : nullptr;
  }

  void Decimal(const Value& v) {
    if (v.is(Kind::kDouble)) {
      const char* special = Special(v.AsDouble());
      out_ += special != nullptr ? special : value::ToDisplay(v);
    } else if (v.is(Kind::kDecimal)) {
      out_ += v.AsDecimal().ToString();
    } else if (v.is(Kind::kInt) || v.is(Kind::kUint)) {
      Whole(v, 10, false);
    } else {
      RefuseKind("decimal clause can only be used on integers", v);
    }
  }

  // In base 2, 8, 10 or 16, with a sign.
  void Whole(const Value& v, unsigned base, bool upper) {
    std::uint64_t n = v.AsUint();
    if (v.is(Kind::kInt) && v.AsInt() < 0) {
      out_ += '-';
      n = ~n + 1;
    }
    const std::string_view alphabet = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    std::string digits;
    do {
      digits += alphabet[n % base];
      n /= base;
    } while (n > 0);
    out_.append(digits.rbegin(), digits.rend());
  }

  void Float(const Value& v, char style, int precision, const char* rule) {
    double d = 0;
    if (v.is(Kind::kDouble)) {
      d = v.AsDouble();
    } else if (v.is(Kind::kInt)) {
      d = static_cast<double>(v.AsInt());
    } else if (v.is(Kind::kUint)) {
      d = static_cast<double>(v.AsUint());
    } else {
      return RefuseKind(rule, v);
    }
    if (const char* special = Special(d)) {
      out_ += special;
      return;
    }
    char buffer[512];  // 309 digits before the point, 100 after it
    const int n = std::snprintf(buffer, sizeof(buffer), style == 'f' ? "%.*f" : "%.*e", precision, d);
    out_.append(buffer, static_cast<std::size_t>(std::max(n, 0)));
  }

  void Hex(const Value& v, bool upper) {
    if (v.is(Kind::kInt) || v.is(Kind::kUint)) return Whole(v, 16, upper);
    if (!v.is(Kind::kString) && !v.is(Kind::kBytes)) {
      return RefuseKind("only integers, byte buffers, and strings can be formatted as hex", v);
    }
    const char* digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    for (const char c : v.AsString()) {
      out_ += digits[static_cast<unsigned char>(c) >> 4];
      out_ += digits[static_cast<unsigned char>(c) & 15];
    }
  }

  void Text(const Value& v, int depth) {
    if (depth > kMaxDepth) return Refuse("error during formatting: a value is nested too deeply");
    // A value may stand in another many times over: each time counts.
    const std::size_t bytes = v.is(Kind::kString) || v.is(Kind::kBytes) ? v.AsString().size() : 0;
    if (!error_.empty() || !c_.Charge(sizeof(Value) + bytes)) return Refuse(std::string(kCostLimit));
    switch (v.kind()) {
      case Kind::kString:
        out_ += v.AsString();
        return;
      case Kind::kBytes:
        return Utf8(v.AsString());
      case Kind::kDouble:
        if (const char* special = Special(v.AsDouble())) {
          out_ += special;
        } else {
          out_ += value::ToDisplay(v);
          if (out_.ends_with(".0")) out_.resize(out_.size() - 2);
        }
        return;
      case Kind::kList: {
        out_ += '[';
        bool first = true;
        for (const Value& e : v.AsList()) {
          if (!std::exchange(first, false)) out_ += ", ";
          Text(e, depth + 1);
        }
        out_ += ']';
        return;
      }
      case Kind::kMap:
        return Map(v, depth);
      case Kind::kOptional:
      case Kind::kUnknown:
      case Kind::kError:
        return RefuseKind(
            "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, "
            "and "
            "timestamps",
            v);
      default:
        out_ += value::ToDisplay(v, std::size_t{1} << 20);
    }
  }

  void Map(const Value& v, int depth) {
    std::vector<std::pair<std::string, const Value*>> entries;
    for (const value::MapEntry& e : v.AsMap()) {
      std::string key;
      key.swap(out_);
      Text(e.key, depth + 1);
      key.swap(out_);
      entries.emplace_back(std::move(key), &e.value);
    }
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    out_ += '{';
    bool first = true;
    for (const auto& [key, element] : entries) {
      if (!std::exchange(first, false)) out_ += ", ";
      out_ += key + ": ";
      Text(*element, depth + 1);
    }
    out_ += '}';
  }

  // A run of bytes that is no UTF-8 becomes one replacement character.
  void Utf8(std::string_view bytes) {
    bool broken = false;
    for (std::size_t i = 0; i < bytes.size();) {
      const std::size_t n = Utf8Length(bytes.substr(i));
      if (n == 0) {
        if (!broken) out_ += "\xef\xbf\xbd";
        broken = true;
        ++i;
        continue;
      }
      broken = false;
      out_ += bytes.substr(i, n);
      i += n;
    }
  }

  // Of the code point at the begin; 0 when it is none (Unicode 15, table 3-7).
  static std::size_t Utf8Length(std::string_view s) {
    const auto byte = [&](std::size_t i) -> unsigned { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0U; };
    const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
    const unsigned b = byte(0);
    if (b < 0x80) return 1;
    if (b >= 0xC2 && b <= 0xDF) return tail(1) ? 2 : 0;
    if (b >= 0xE0 && b <= 0xEF) {
      if (!tail(1) || !tail(2)) return 0;
      if ((b == 0xE0 && byte(1) < 0xA0) || (b == 0xED && byte(1) > 0x9F)) return 0;
      return 3;
    }
    if (b >= 0xF0 && b <= 0xF4) {
      if (!tail(1) || !tail(2) || !tail(3)) return 0;
      if ((b == 0xF0 && byte(1) < 0x90) || (b == 0xF4 && byte(1) > 0x8F)) return 0;
      return 4;
    }
    return 0;
  }

  const Call& c_;
  std::string_view format_;
  std::span<const Value> arguments_;
  std::size_t next_ = 0;
  std::size_t charged_ = 0;
  std::string out_;
  std::string error_;
};

Value Format(const Call& c, const Value* a, std::size_t) {
  if (!c.Charge(a[0].AsString().size())) return c.Fail(kCostLimit);
  return Formatter(c, a[0].AsString(), a[1].AsList()).Run();
}

constexpr std::array kRows{
    FunctionRow{"string.format(list(dyn)) -> string", Format, "", "按格式填入：\"%s 共 %d 个月\".format([名称, 月数])",
                "Fills in values: \"%s for %d months\".format([name, months])"},
};

}  // namespace

std::span<const FunctionRow> FormatFunctions() { return kRows; }

}  // namespace zhitui::cel
