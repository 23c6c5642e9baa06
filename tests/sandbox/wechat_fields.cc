#include "sandbox/wechat_fields.h"

#include <array>
#include <optional>

#include "sandbox/text.h"

namespace sandbox {
namespace {

bool Digit(char32_t c) { return c >= U'0' && c <= U'9'; }
bool Letter(char32_t c) { return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z'); }
bool Control(char32_t c) { return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029; }
// Scripts of East Asia that are not symbols: Han, kana, Hangul, bopomofo.
bool Cjk(char32_t c) {
  return IsHan(c) || (c >= 0x3041 && c <= 0x30FF) || (c >= 0x3105 && c <= 0x318F) || (c >= 0xAC00 && c <= 0xD7AF);
}
bool Emoji(char32_t c) { return (c >= 0x1F000 && c <= 0x1FAFF) || c == 0xFE0F || c == 0x200D; }

template <class Predicate>
bool All(std::u32string_view s, Predicate predicate) {
  for (const char32_t c : s) {
    if (!predicate(c)) return false;
  }
  return true;
}

// Reads one to `max` digits; -1 when there is none.
int Number(std::u32string_view* s, size_t max) {
  int out = 0;
  size_t n = 0;
  while (n < s->size() && n < max && Digit((*s)[n])) out = out * 10 + static_cast<int>((*s)[n++] - U'0');
  s->remove_prefix(n);
  return n == 0 ? -1 : out;
}

bool Eat(std::u32string_view* s, char32_t c) {
  if (s->empty() || s->front() != c) return false;
  s->remove_prefix(1);
  return true;
}

// 2019年10月1日, 2018-01-01, 2018/01/01, 2018.01.01
bool EatDate(std::u32string_view* s) {
  std::u32string_view rest = *s;
  const std::u32string_view start = rest;
  const int year = Number(&rest, 4);
  if (year < 1000 || start.size() - rest.size() != 4 || rest.empty()) return false;
  const char32_t mark = rest.front();
  rest.remove_prefix(1);
  if (mark != U'年' && mark != U'-' && mark != U'/' && mark != U'.') return false;
  const int month = Number(&rest, 2);
  if (month < 1 || month > 12 || !Eat(&rest, mark == U'年' ? U'月' : mark)) return false;
  const int day = Number(&rest, 2);
  static constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  const int last = month == 2 && leap ? 29 : kDays[static_cast<size_t>(month - 1)];
  if (day < 1 || day > last || (mark == U'年' && !Eat(&rest, U'日'))) return false;
  *s = rest;
  return true;
}

// 15:01 or 15:01:02
bool EatClock(std::u32string_view* s) {
  std::u32string_view rest = *s;
  const int hour = Number(&rest, 2);
  if (hour < 0 || hour > 23) return false;
  for (int part = 0; part < 2; ++part) {
    if (!Eat(&rest, U':')) {
      if (part == 0) return false;
      break;
    }
    const size_t before = rest.size();
    const int value = Number(&rest, 2);
    if (before - rest.size() != 2 || value > 59) return false;
  }
  *s = rest;
  return true;
}

bool EatPoint(std::u32string_view* s, bool date_needed) {
  if (EatDate(s)) {
    std::u32string_view rest = *s;
    if (!Eat(&rest, U' ')) return date_needed;
    if (!EatClock(&rest)) return false;
    *s = rest;
    return true;
  }
  return !date_needed && EatClock(s);
}

// A point, or two joined by ~.
bool TimeOrRange(std::u32string_view s, bool date_needed) {
  if (!EatPoint(&s, date_needed)) return false;
  if (s.empty()) return true;
  return Eat(&s, U'~') && EatPoint(&s, date_needed) && s.empty();
}

bool Decimal(std::u32string_view s, size_t max_whole) {
  std::u32string_view rest = s;
  size_t whole = 0;
  while (whole < rest.size() && Digit(rest[whole])) ++whole;
  if (whole == 0 || whole > max_whole) return false;
  rest.remove_prefix(whole);
  if (rest.empty()) return true;
  return Eat(&rest, U'.') && !rest.empty() && All(rest, Digit);
}

bool Amount(std::u32string_view s) {
  if (!s.empty() && std::u32string_view(U"¥￥$€£").find(s.front()) != std::u32string_view::npos) s.remove_prefix(1);
  if (!s.empty() && s.back() == U'元') s.remove_suffix(1);
  return Decimal(s, 10);
}

bool Name(std::u32string_view s) {
  bool han = false;
  for (const char32_t c : s) han = han || IsHan(c);
  return s.size() <= (han ? 10U : 20U) && All(s, [](char32_t c) { return !Digit(c); });
}

std::optional<bool> Allowed(std::string_view type, std::u32string_view s) {
  const auto symbol = [](char32_t c) { return !Digit(c) && !Letter(c) && !Cjk(c); };
  if (type == "thing" || type == "const" || type == "enum" || type == "keyword") return s.size() <= 20;
  if (type == "first" || type == "remark") return true;
  if (type == "character_string") return s.size() <= 32 && All(s, [](char32_t c) { return !Cjk(c); });
  if (type == "number") {
    if (s.size() > 32) return false;
    if (s.front() == U'-') s.remove_prefix(1);
    return Decimal(s, 32);
  }
  if (type == "letter") return s.size() <= 32 && All(s, Letter);
  if (type == "symbol") return s.size() <= 5 && All(s, symbol);
  if (type == "time") return TimeOrRange(s, false);
  if (type == "date") return TimeOrRange(s, true);
  if (type == "amount") return Amount(s);
  if (type == "phone_number") return s.size() <= 17 && All(s, [](char32_t c) { return c < 0x80 && !Letter(c); });
  if (type == "car_number") return s.size() <= 8;
  if (type == "name") return Name(s);
  if (type == "phrase") return s.size() <= 5 && All(s, IsHan);
  return std::nullopt;
}

}  // namespace

std::string WechatFieldFault(std::string_view key, std::string_view value) {
  std::string_view type = key;
  while (!type.empty() && type.back() >= '0' && type.back() <= '9') type.remove_suffix(1);
  const bool numbered = type.size() < key.size();
  if (numbered != WechatFieldShown(type)) return "invalid";
  if (value.empty()) return "value is empty";
  const auto text = DecodeUtf8(value);
  if (!text) return "value invalid";
  if (type != "first" && type != "remark" && !All(*text, [](char32_t c) { return !Control(c); })) {
    return "value invalid";
  }
  const auto allowed = Allowed(type, *text);
  if (!allowed) return "invalid";
  return *allowed ? "" : "value invalid";
}

bool WechatFieldShown(std::string_view key) { return key != "first" && key != "remark"; }

std::string WechatShownValue(std::string_view value) {
  const auto text = DecodeUtf8(value);
  if (!text) return std::string(value);
  std::u32string kept;
  for (const char32_t c : *text) {
    if (!Emoji(c)) kept += c;
  }
  return EncodeUtf8(kept);
}

bool HasEscapedNonAscii(std::string_view json_text) {
  for (size_t i = 0; i + 1 < json_text.size(); ++i) {
    if (json_text[i] != '\\') continue;
    ++i;  // past the escaped character, so that \\u is not taken for an escape
    if (json_text[i] != 'u' || i + 4 >= json_text.size()) continue;
    const std::string_view hex = json_text.substr(i + 1, 4);
    const bool ascii = hex[0] == '0' && hex[1] == '0' && hex[2] >= '0' && hex[2] <= '7';
    if (!ascii) return true;
  }
  return false;
}

}  // namespace sandbox
