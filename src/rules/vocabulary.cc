#include "rules/vocabulary.h"

#include <algorithm>
#include <array>
#include <string>

#include "rules/rules.h"

namespace zhitui::rules {
namespace {

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// CEL's keywords and reserved identifiers (langdef.md, "Syntax"), and the names every rule has.
constexpr std::array<std::string_view, 25> kTaken = {
    "as",     "break", "const", "continue", "else",      "false",   "for",    "function", "if",
    "import", "in",    "let",   "loop",     "namespace", "package", "params", "return",   "null",
    "today",  "true",  "var",   "void",     "while",     "this",    "type"};

}  // namespace

bool IsId(std::string_view text) {
  if (text.empty() || text.size() > kMaxIdBytes || !IsLower(text.front())) return false;
  bool joined = false;
  for (const char c : text) {
    if (c == '-' || c == '_') {
      if (joined) return false;
      joined = true;
    } else if (IsLower(c) || IsDigit(c)) {
      joined = false;
    } else {
      return false;
    }
  }
  return !joined;
}

bool IsName(std::string_view text) {
  return IsId(text) && text.find('-') == std::string_view::npos &&
         std::find(kTaken.begin(), kTaken.end(), text) == kTaken.end();
}

bool IsDottedId(std::string_view text) {
  if (text.size() > kMaxIdBytes) return false;
  while (true) {
    const std::size_t dot = text.find('.');
    if (!IsId(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool IsAreaCode(std::string_view text) {
  return text.size() >= 2 && text.size() <= 12 && std::all_of(text.begin(), text.end(), IsDigit);
}

std::optional<Millis> ParseDuration(std::string_view text) {
  if (text.size() < 2 || text.size() > 6) return std::nullopt;
  std::int64_t n = 0;
  for (const char c : text.substr(0, text.size() - 1)) {
    if (!IsDigit(c)) return std::nullopt;
    n = n * 10 + (c - '0');
  }
  constexpr std::int64_t kMinute = 60'000;
  std::int64_t unit = 0;
  switch (text.back()) {
    case 'd':
      unit = 24 * 60 * kMinute;
      break;
    case 'h':
      unit = 60 * kMinute;
      break;
    case 'm':
      unit = kMinute;
      break;
    default:
      return std::nullopt;
  }
  const Millis result(n * unit);
  if (result.count() <= 0 || result > Millis(90 * 24 * 60 * kMinute)) return std::nullopt;
  return result;
}

std::optional<value::Period> ParseLead(std::string_view text) {
  const std::optional<value::Period> period = value::Period::Parse(text);
  if (!period || period->months < 0 || period->days < 0) return std::nullopt;
  if (period->months == 0 && period->days == 0) return std::nullopt;
  if (period->months > 120 || period->days > 3660) return std::nullopt;
  return period;
}

std::optional<Date> ParseMonth(std::string_view text) {
  if (text.size() != 7) return std::nullopt;
  const Result<Date> day = ParseDate(std::string(text) + "-01");
  if (!day) return std::nullopt;
  return *day;
}

const char* NotifyOnName(NotifyOn on) {
  static constexpr std::array<const char*, 6> kNames = {"upcoming", "eligible", "amount_changed",
                                                        "ceased",   "reminder", "correction"};
  return kNames[static_cast<std::size_t>(on)];
}

const char* AnswerName(Answer answer) {
  static constexpr std::array<const char*, 3> kNames = {"ineligible", "eligible", "unknown"};
  return kNames[static_cast<std::size_t>(answer)];
}

}  // namespace zhitui::rules
