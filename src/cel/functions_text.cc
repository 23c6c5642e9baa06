// Text functions by code points (the strings extension of CEL).
#include <algorithm>
#include <array>

#include "cel/functions.h"
#include "cel/text.h"

namespace zhitui::cel {

std::size_t CountCodePoints(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::size_t ByteOfCodePoint(std::string_view utf8, std::size_t index) {
  std::size_t at = 0;
  while (index > 0 && at < utf8.size()) {
    ++at;
    while (at < utf8.size() && (static_cast<unsigned char>(utf8[at]) & 0xC0U) == 0x80U) ++at;
    --index;
  }
  return index > 0 ? std::string_view::npos : at;
}

std::uint32_t DecodeAt(std::string_view utf8, std::size_t& at) {
  const auto b = static_cast<unsigned char>(utf8[at]);
  const std::size_t n = std::min<std::size_t>(b < 0x80 ? 1 : b < 0xE0 ? 2 : b < 0xF0 ? 3 : 4, utf8.size() - at);
  std::uint32_t cp = n == 1 ? b : b & (0xFFU >> (n + 1));
  for (std::size_t i = 1; i < n; ++i) cp = cp << 6 | (static_cast<unsigned char>(utf8[at + i]) & 0x3FU);
  at += n;
  return cp;
}

namespace {

using value::Kind;

// Adds to a text in the arena.
Value Print(const Call& c, const std::string& text) {
  if (!c.Charge(text.size())) return c.Fail(kCostLimit);
  return Value::String(c.arena.Copy(text));
}

bool ChargeArguments(const Call& c, const Value* a, std::size_t n) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (a[i].is(Kind::kString) || a[i].is(Kind::kBytes)) bytes += a[i].AsString().size();
  }
  return c.Charge(bytes);
}

Value IndexError(const Call& c, std::int64_t index) {
  return c.Fail(c.arena.Copy("index out of range: " + std::to_string(index)));
}

Value CharAt(const Call& c, const Value* a, std::size_t n) {
  if (!ChargeArguments(c, a, n)) return c.Fail(kCostLimit);
  const std::string_view s = a[0].AsString();
  const std::int64_t index = a[1].AsInt();
  const std::size_t at = index < 0 ? std::string_view::npos : ByteOfCodePoint(s, static_cast<std::size_t>(index));
  if (at == std::string_view::npos) return IndexError(c, index);
  std::size_t end = at;
  if (at < s.size()) DecodeAt(s, end);
  return Value::String(s.substr(at, end - at));
}

Value Index(std::string_view s, std::size_t byte) {
  return Value::Int(byte == std::string_view::npos ? -1
                                                   : static_cast<std::int64_t>(CountCodePoints(s.substr(0, byte))));
}

Value IndexOf(const Call& c, const Value* a, std::size_t n) {
  if (!ChargeArguments(c, a, n)) return c.Fail(kCostLimit);
  const std::string_view s = a[0].AsString();
  std::size_t from = 0;
  if (n == 3) {
    const std::int64_t index = a[2].AsInt();
    from = index < 0 ? std::string_view::npos : ByteOfCodePoint(s, static_cast<std::size_t>(index));
    if (from == std::string_view::npos) return IndexError(c, index);
  }
  return Index(s, s.find(a[1].AsString(), from));
}

Value LastIndexOf(const Call& c, const Value* a, std::size_t n) {
  if (!ChargeArguments(c, a, n)) return c.Fail(kCostLimit);
  const std::string_view s = a[0].AsString();
  std::size_t from = std::string_view::npos;
  if (n == 3) {
    const std::int64_t index = a[2].AsInt();
    from = index < 0 ? std::string_view::npos : ByteOfCodePoint(s, static_cast<std::size_t>(index));
    if (from == std::string_view::npos) return IndexError(c, index);
  }
  return Index(s, s.rfind(a[1].AsString(), from));
}

Value MapAscii(const Call& c, const Value* a, char first, char last, int delta) {
  std::string out(a[0].AsString());
  for (char& ch : out) {
    if (ch >= first && ch <= last) ch = static_cast<char>(ch + delta);
  }
  return Print(c, out);
}
Value LowerAscii(const Call& c, const Value* a, std::size_t) { return MapAscii(c, a, 'A', 'Z', 'a' - 'A'); }
Value UpperAscii(const Call& c, const Value* a, std::size_t) { return MapAscii(c, a, 'a', 'z', 'A' - 'a'); }

// Unicode White_Space.
bool IsSpace(std::uint32_t cp) {
  return (cp >= 0x09 && cp <= 0x0D) || cp == 0x20 || cp == 0x85 || cp == 0xA0 || cp == 0x1680 ||
         (cp >= 0x2000 && cp <= 0x200A) || cp == 0x2028 || cp == 0x2029 || cp == 0x202F || cp == 0x205F || cp == 0x3000;
}

Value Trim(const Call& c, const Value* a, std::size_t n) {
  if (!ChargeArguments(c, a, n)) return c.Fail(kCostLimit);
  const std::string_view s = a[0].AsString();
  std::size_t start = 0;
  while (start < s.size()) {
    std::size_t next = start;
    if (!IsSpace(DecodeAt(s, next))) break;
    start = next;
  }
  std::size_t end = start;  // just past the last visible character
  for (std::size_t at = start; at < s.size();) {
    if (!IsSpace(DecodeAt(s, at))) end = at;
  }
  return Value::String(s.substr(start, end - start));
}

Value Replace(const Call& c, const Value* a, std::size_t n) {
  if (!ChargeArguments(c, a, n)) return c.Fail(kCostLimit);
  const std::string_view s = a[0].AsString();
  const std::string_view old = a[1].AsString();
  const std::string_view fresh = a[2].AsString();
  std::int64_t left = n == 4 ? a[3].AsInt() : -1;  // negative: all
  std::string out;
  std::size_t at = 0;
  while (left != 0) {
    std::size_t found;
    std::size_t next;
    if (old.empty()) {  // before every character and at the end
      if (at > s.size()) break;
      found = at;
      next = at;
      if (at < s.size()) DecodeAt(s, next);
      if (!c.Charge(fresh.size())) return c.Fail(kCostLimit);
      out += fresh;
      out += s.substr(found, next - found);
      if (at == s.size()) {
        at = s.size() + 1;
        break;
      }
      at = next;
    } else {
      found = s.find(old, at);
      if (found == std::string_view::npos) break;
      if (!c.Charge(fresh.size())) return c.Fail(kCostLimit);
      out += s.substr(at, found - at);
      out += fresh;
      at = found + old.size();
    }
    if (left > 0) --left;
  }
  if (at < s.size()) out += s.substr(at);
  return Print(c, out);
}

Value Split(const Call& c, const Value* a, std::size_t n) {
  if (!ChargeArguments(c, a, n)) return c.Fail(kCostLimit);
  const std::string_view s = a[0].AsString();
  const std::string_view separator = a[1].AsString();
  const std::int64_t limit = n == 3 ? a[2].AsInt() : -1;
  std::vector<Value> parts;
  if (limit != 0) {
    std::size_t at = 0;
    while (limit < 0 || static_cast<std::int64_t>(parts.size()) + 1 < limit) {
      std::size_t end;
      std::size_t next;
      if (separator.empty()) {
        if (at >= s.size()) break;
        end = at;
        DecodeAt(s, end);
        next = end;
        if (next >= s.size()) break;
      } else {
        end = s.find(separator, at);
        if (end == std::string_view::npos) break;
        next = end + separator.size();
      }
      parts.push_back(Value::String(s.substr(at, end - at)));
      at = next;
    }
    if (!separator.empty() || at < s.size()) parts.push_back(Value::String(s.substr(at)));
  }
  if (!c.Charge(parts.size() * sizeof(Value))) return c.Fail(kCostLimit);
  Value* list = c.arena.NewArray<Value>(parts.size());
  std::copy(parts.begin(), parts.end(), list);
  return Value::List({list, parts.size()});
}

Value Substring(const Call& c, const Value* a, std::size_t n) {
  if (!ChargeArguments(c, a, n)) return c.Fail(kCostLimit);
  const std::string_view s = a[0].AsString();
  const std::int64_t start = a[1].AsInt();
  const std::size_t from = start < 0 ? std::string_view::npos : ByteOfCodePoint(s, static_cast<std::size_t>(start));
  if (from == std::string_view::npos) return IndexError(c, start);
  if (n == 2) return Value::String(s.substr(from));
  const std::int64_t end = a[2].AsInt();
  const std::size_t to = end < 0 ? std::string_view::npos : ByteOfCodePoint(s, static_cast<std::size_t>(end));
  if (to == std::string_view::npos) return IndexError(c, end);
  if (start > end) {
    return c.Fail(
        c.arena.Copy("invalid substring range. start: " + std::to_string(start) + ", end: " + std::to_string(end)));
  }
  return Value::String(s.substr(from, to - from));
}

Value Join(const Call& c, const Value* a, std::size_t n) {
  const std::string_view separator = n == 2 ? a[1].AsString() : std::string_view();
  std::string out;
  bool first = true;
  for (const Value& part : a[0].AsList()) {
    if (!part.is(Kind::kString)) return c.Fail(kNoOverload);
    if (!c.Charge(part.AsString().size() + separator.size() + 16)) return c.Fail(kCostLimit);
    if (!first) out += separator;
    first = false;
    out += part.AsString();
  }
  return Print(c, out);
}

Value Reverse(const Call& c, const Value* a, std::size_t) {
  const std::string_view s = a[0].AsString();
  std::string out;
  out.reserve(s.size());
  std::size_t end = s.size();
  while (end > 0) {
    std::size_t start = end - 1;
    while (start > 0 && (static_cast<unsigned char>(s[start]) & 0xC0U) == 0x80U) --start;
    out += s.substr(start, end - start);
    end = start;
  }
  return Print(c, out);
}

Value QuoteText(const Call& c, const Value* a, std::size_t) {
  std::string out = "\"";
  for (const char ch : a[0].AsString()) {
    switch (ch) {
      case '\a':
        out += "\\a";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
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
      case '\v':
        out += "\\v";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '"':
        out += "\\\"";
        break;
      default:
        out += ch;
    }
  }
  out += '"';
  return Print(c, out);
}

constexpr std::array kRows{
    FunctionRow{"string.charAt(int) -> string", CharAt, "", "第几个字符（从 0 起）",
                "The character at an index from 0"},
    FunctionRow{"string.indexOf(string) -> int", IndexOf, "", "文字首次出现的位置，没有为 -1",
                "Where the text first occurs, or -1"},
    FunctionRow{"string.indexOf(string, int) -> int", IndexOf, "", "", ""},
    FunctionRow{"string.lastIndexOf(string) -> int", LastIndexOf, "", "文字最后出现的位置，没有为 -1",
                "Where the text last occurs, or -1"},
    FunctionRow{"string.lastIndexOf(string, int) -> int", LastIndexOf, "", "", ""},
    FunctionRow{"string.lowerAscii() -> string", LowerAscii, "", "英文字母转小写", "ASCII letters in lower case"},
    FunctionRow{"string.upperAscii() -> string", UpperAscii, "", "英文字母转大写", "ASCII letters in upper case"},
    FunctionRow{"string.trim() -> string", Trim, "", "去掉首尾空白", "Without white space at both ends"},
    FunctionRow{"string.replace(string, string) -> string", Replace, "", "替换文字", "Replaces a text"},
    FunctionRow{"string.replace(string, string, int) -> string", Replace, "", "", ""},
    FunctionRow{"string.split(string) -> list(string)", Split, "", "按分隔符拆开", "Split at a separator"},
    FunctionRow{"string.split(string, int) -> list(string)", Split, "", "", ""},
    FunctionRow{"string.substring(int) -> string", Substring, "", "从某位置起的文字", "The text from an index on"},
    FunctionRow{"string.substring(int, int) -> string", Substring, "", "", ""},
    FunctionRow{"list(string).join() -> string", Join, "", "连接成一段文字", "Joins texts"},
    FunctionRow{"list(string).join(string) -> string", Join, "", "", ""},
    FunctionRow{"string.reverse() -> string", Reverse, "", "字符倒序", "The characters in reverse"},
    FunctionRow{"strings.quote(string) -> string", QuoteText, "", "加引号并转义", "Quoted and escaped"},
};

}  // namespace

std::span<const FunctionRow> TextFunctions() { return kRows; }

}  // namespace zhitui::cel
