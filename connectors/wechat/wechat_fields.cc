#include "wechat/wechat_fields.h"

#include <algorithm>
#include <array>

#include "base/base.h"

namespace zhitui::wechat {
namespace {

// The code points of text that is valid UTF-8.
std::u32string Decode(std::string_view utf8) {
  std::u32string out;
  for (std::size_t i = 0; i < utf8.size();) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    const std::size_t n = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t c = n == 1 ? lead : lead & (0xFFU >> (n + 1));
    for (std::size_t k = 1; k < n; ++k) c = c << 6 | (static_cast<unsigned char>(utf8[i + k]) & 0x3FU);
    out += c;
    i += n;
  }
  return out;
}

bool Digit(char32_t c) { return c >= U'0' && c <= U'9'; }
bool Letter(char32_t c) { return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z'); }
bool Control(char32_t c) { return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029; }
bool Han(char32_t c) {
  return (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x20000 && c <= 0x3FFFD) || c == 0x3007;
}
bool EastAsian(char32_t c) { return Han(c) || (c >= 0x3041 && c <= 0x318F) || (c >= 0xAC00 && c <= 0xD7AF); }

template <class Predicate>
bool All(std::u32string_view text, Predicate predicate) {
  return std::all_of(text.begin(), text.end(), predicate);
}

// Reads from the front of a text; a failed read leaves it where it was.
class Scanner {
 public:
  explicit Scanner(std::u32string_view text) : rest_(text) {}
  bool AtEnd() const { return rest_.empty(); }
  bool Eat(char32_t c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // A number of min to max digits; -1 otherwise.
  int Number(std::size_t min, std::size_t max) {
    int value = 0;
    std::size_t n = 0;
    while (n < rest_.size() && n < max && Digit(rest_[n])) value = value * 10 + static_cast<int>(rest_[n++] - U'0');
    if (n < min) return -1;
    rest_.remove_prefix(n);
    return value;
  }
  bool Date() {
    const std::u32string_view start = rest_;
    if (TryDate()) return true;
    rest_ = start;
    return false;
  }
  bool Clock() {
    const std::u32string_view start = rest_;
    const int hour = Number(1, 2);
    if (hour >= 0 && hour <= 23 && Eat(U':') && InRange(Number(2, 2), 59)) {
      const std::u32string_view minutes = rest_;
      if (!Eat(U':') || InRange(Number(2, 2), 59)) return true;
      rest_ = minutes;
      return true;
    }
    rest_ = start;
    return false;
  }
  // Of a date: a day, with or without a time of day. Of a time: a time of day, with or without a day.
  bool Point(bool date_needed) {
    if (!Date()) return !date_needed && Clock();
    const std::u32string_view day = rest_;
    if (Eat(U' ') && Clock()) return true;
    rest_ = day;
    return date_needed;
  }

 private:
  static bool InRange(int value, int max) { return value >= 0 && value <= max; }
  bool TryDate() {
    const int year = Number(4, 4);
    if (year < 0 || rest_.empty()) return false;
    const char32_t mark = rest_.front();
    if (mark != U'年' && mark != U'-' && mark != U'/' && mark != U'.') return false;
    rest_.remove_prefix(1);
    const int month = Number(1, 2);
    if (month < 1 || month > 12 || !Eat(mark == U'年' ? U'月' : mark)) return false;
    const int day = Number(1, 2);
    const std::chrono::year_month_day ymd(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                          std::chrono::day(static_cast<unsigned>(std::max(day, 0))));
    return ymd.ok() && (mark != U'年' || Eat(U'日'));
  }

  std::u32string_view rest_;
};

bool TimeOrRange(std::u32string_view text, bool date_needed) {
  Scanner in(text);
  return in.Point(date_needed) && (in.AtEnd() || (in.Eat(U'~') && in.Point(date_needed) && in.AtEnd()));
}

// Digits with at most `whole` before the point.
bool Decimal(std::u32string_view text, std::size_t whole) {
  const std::size_t point = text.find(U'.');
  const std::u32string_view before = text.substr(0, point);
  if (before.empty() || before.size() > whole || !All(before, Digit)) return false;
  if (point == std::u32string_view::npos) return true;
  const std::u32string_view after = text.substr(point + 1);
  return !after.empty() && All(after, Digit);
}

bool Amount(std::u32string_view text) {
  constexpr std::u32string_view kSigns = U"¥￥$€£";
  if (!text.empty() && kSigns.find(text.front()) != std::u32string_view::npos) text.remove_prefix(1);
  if (!text.empty() && text.back() == U'元') text.remove_suffix(1);
  return Decimal(text, 10);
}

bool Name(std::u32string_view text) {
  if (All(text, [](char32_t c) { return Letter(c) || c == U' ' || c == U'.' || c == U'·'; })) return text.size() <= 20;
  return text.size() <= 10 && All(text, [](char32_t c) { return Han(c) || c == U'·'; });
}

using Rule = bool (*)(std::u32string_view);
struct Row {
  std::string_view prefix;
  Rule fits;
  const char* rule;
};
constexpr std::array kRules = {
    Row{"thing", [](std::u32string_view t) { return t.size() <= 20; }, "at most 20 characters"},
    Row{"character_string",
        [](std::u32string_view t) { return t.size() <= 32 && !std::any_of(t.begin(), t.end(), EastAsian); },
        "at most 32 digits, letters or symbols"},
    Row{"number",
        [](std::u32string_view t) { return t.size() <= 32 && Decimal(t.substr(t.starts_with(U'-') ? 1 : 0), 32); },
        "a number of at most 32 digits"},
    Row{"letter", [](std::u32string_view t) { return t.size() <= 32 && All(t, Letter); }, "at most 32 letters"},
    Row{"symbol",
        [](std::u32string_view t) {
          return t.size() <= 5 && All(t, [](char32_t c) { return !Digit(c) && !Letter(c) && !EastAsian(c); });
        },
        "at most 5 symbols"},
    Row{"time", [](std::u32string_view t) { return TimeOrRange(t, false); },
        "a time such as 15:01 or 2019年10月1日 15:01"},
    Row{"date", [](std::u32string_view t) { return TimeOrRange(t, true); }, "a date such as 2019年10月1日"},
    Row{"amount", Amount, "an amount of at most 10 digits"},
    Row{"phone_number",
        [](std::u32string_view t) {
          return t.size() <= 17 && All(t, [](char32_t c) { return c < 0x80 && !Letter(c); });
        },
        "at most 17 digits or ASCII symbols"},
    Row{"car_number", [](std::u32string_view t) { return t.size() <= 8; }, "at most 8 characters"},
    Row{"name", Name, "at most 10 Chinese characters or 20 letters"},
    Row{"phrase", [](std::u32string_view t) { return t.size() <= 5 && All(t, Han); }, "at most 5 Chinese characters"},
    Row{"enum", [](std::u32string_view t) { return t.size() <= 20; }, "one of the template's values"},
    Row{"const", [](std::u32string_view t) { return t.size() <= 20; }, "at most 20 characters"},
};

}  // namespace

std::string FieldFault(std::string_view key, std::string_view value) {
  std::string_view prefix = key;
  while (!prefix.empty() && prefix.back() >= '0' && prefix.back() <= '9') prefix.remove_suffix(1);
  const auto row = std::find_if(kRules.begin(), kRules.end(), [&](const Row& r) { return r.prefix == prefix; });
  if (row == kRules.end() || prefix.size() == key.size()) return "is not a field of a template message";
  if (value.empty()) return "is empty";
  if (!IsValidUtf8(value)) return "is not valid UTF-8";
  const std::u32string text = Decode(value);
  if (std::any_of(text.begin(), text.end(), Control)) return "holds a line break or control character";
  return row->fits(text) ? std::string() : std::string("must be ") + row->rule;
}

}  // namespace zhitui::wechat
