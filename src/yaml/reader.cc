#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "yaml/document.h"

namespace zhitui::yaml {
namespace {

constexpr std::size_t kMaxNamesInHint = 12;
constexpr std::size_t kMostKeys = 16;  // of nearly every mapping

const char* KindWords(const Node& node) {
  switch (node.kind()) {
    case NodeKind::kNull:
      return "nothing";
    case NodeKind::kScalar:
      return "text";
    case NodeKind::kSequence:
      return "a list";
    case NodeKind::kMapping:
      return "key: value entries";
  }
  return "";
}

// "expected …, found …", with the value itself when it is one.
void WrongType(const Node& node, const std::string& expected, Diagnostics* diagnostics, std::string hint = "") {
  const std::string found = node.IsScalar() ? Quote(node.text()) : KindWords(node);
  if (hint.empty() && node.IsScalar() && node.text().find("：") != std::string::npos) {
    hint = "the full-width colon ： is not a colon: write ': '";
  }
  diagnostics->push_back(node.Fault("wrong-type", "expected " + expected + ", found " + found, std::move(hint)));
}

bool IsDigits(std::string_view s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// JSON's grammar of numbers.
bool IsNumber(std::string_view s) {
  if (s.starts_with('-')) s.remove_prefix(1);
  const std::size_t whole = std::min(s.find_first_not_of("0123456789"), s.size());
  if (whole == 0 || (whole > 1 && s[0] == '0')) return false;
  s.remove_prefix(whole);
  if (s.starts_with('.')) {
    s.remove_prefix(1);
    const std::size_t fraction = std::min(s.find_first_not_of("0123456789"), s.size());
    if (fraction == 0) return false;
    s.remove_prefix(fraction);
  }
  if (s.empty()) return true;
  if (s[0] != 'e' && s[0] != 'E') return false;
  s.remove_prefix(1);
  if (!s.empty() && (s[0] == '+' || s[0] == '-')) s.remove_prefix(1);
  return IsDigits(s);
}

std::string Plain(double v) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, v);
  return error == std::errc() ? std::string(buffer, end) : std::string();
}

std::string QuotedHint(const Node& node) { return node.quoted() ? "remove the quotes" : ""; }

std::string Joined(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i == kMaxNamesInHint) return out + ", …";
    out += (i == 0 ? "" : ", ") + names[i];
  }
  return out;
}

// The nearest name, or all of them.
std::string NameHint(std::string_view word, const std::vector<std::string>& names) {
  const std::string_view nearest = NearestName(word, names);
  if (!nearest.empty()) return "did you mean " + std::string(nearest) + "?";
  return names.empty() ? "" : "write one of: " + Joined(names);
}

}  // namespace

std::optional<std::int64_t> ToInt(const Node& node, Diagnostics* diagnostics) {
  std::string_view s = node.text();
  const bool minus = s.starts_with('-');
  const std::string_view digits = s.substr(minus ? 1 : 0);
  const bool shaped =
      node.IsScalar() && !node.quoted() && IsDigits(digits) && (digits.size() == 1 || digits[0] != '0') && s != "-0";
  std::int64_t out = 0;
  if (shaped) {
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), out);
    if (error == std::errc() && end == s.data() + s.size()) return out;
  }
  WrongType(node, "a whole number such as 70", diagnostics, QuotedHint(node));
  return std::nullopt;
}

std::optional<Date> ToDate(const Node& node, Diagnostics* diagnostics) {
  if (node.IsScalar()) {
    const Result<Date> date = ParseDate(node.text());
    if (date) return *date;
  }
  WrongType(node, "a date such as 2026-03-01", diagnostics);
  return std::nullopt;
}

std::optional<bool> ToBool(const Node& node, Diagnostics* diagnostics) {
  if (node.IsScalar() && !node.quoted()) {
    if (node.text() == "true") return true;
    if (node.text() == "false") return false;
  }
  std::string hint = QuotedHint(node);
  if (node.IsScalar() && hint.empty()) hint = "yes, no, on, off and other spellings are not truth values here";
  WrongType(node, "true or false", diagnostics, std::move(hint));
  return std::nullopt;
}

Text ToText(const Node& node, Diagnostics* diagnostics) {
  Text out;
  if (node.IsScalar()) {
    if (node.text().empty()) {
      WrongType(node, "text", diagnostics);
    } else {
      out.zh = node.text();
    }
    return out;
  }
  if (!node.IsMapping()) {
    WrongType(node, "text, or {zh: …, en: …}", diagnostics);
    return out;
  }
  Reader reader(node, diagnostics);
  out.zh = reader.String("zh");
  out.en = reader.String("en", "");
  reader.Done();
  return out;
}

Reader::Reader(const Node& node, Diagnostics* diagnostics)
    : node_(node), diagnostics_(diagnostics), valid_(node.IsMapping()) {
  seen_.reserve(kMostKeys);
  if (!valid_) WrongType(node, "key: value entries", diagnostics);
}

const Node* Reader::Optional(std::string_view key) {
  seen_.emplace_back(key);
  return valid_ ? node_.Find(key) : nullptr;
}

const Node* Reader::Required(std::string_view key) {
  const Node* found = Optional(key);
  if (valid_ && found == nullptr) {
    diagnostics_->push_back(node_.Fault("missing-key", "the key " + std::string(key) + " is missing here",
                                        "add " + std::string(key) + ": …"));
  }
  return found;
}

std::string Reader::String(std::string_view key, std::optional<std::string> fallback) {
  const Node* found = fallback ? Optional(key) : Required(key);
  std::string otherwise = fallback ? *std::move(fallback) : std::string();
  if (found == nullptr) return otherwise;
  if (found->IsScalar()) return found->text();
  WrongType(*found, "text for " + std::string(key), diagnostics_);
  return otherwise;
}

bool Reader::Bool(std::string_view key, std::optional<bool> fallback) {
  const Node* found = fallback ? Optional(key) : Required(key);
  if (found == nullptr) return fallback.value_or(false);
  return ToBool(*found, diagnostics_).value_or(fallback.value_or(false));
}

std::int64_t Reader::Int(std::string_view key, std::optional<std::int64_t> fallback, std::int64_t min,
                         std::int64_t max) {
  const Node* found = fallback ? Optional(key) : Required(key);
  const std::int64_t otherwise = fallback.value_or(min);
  if (found == nullptr) return otherwise;
  const std::optional<std::int64_t> value = ToInt(*found, diagnostics_);
  if (!value) return otherwise;
  if (*value >= min && *value <= max) return *value;
  diagnostics_->push_back(found->Fault(
      "out-of-range", std::string(key) + " must be from " + std::to_string(min) + " to " + std::to_string(max)));
  return otherwise;
}

double Reader::Double(std::string_view key, std::optional<double> fallback, double min, double max) {
  const Node* found = fallback ? Optional(key) : Required(key);
  const double otherwise = fallback.value_or(min);
  if (found == nullptr) return otherwise;
  double value = 0;
  const std::string& s = found->text();
  const bool shaped = found->IsScalar() && !found->quoted() && IsNumber(s) &&
                      std::from_chars(s.data(), s.data() + s.size(), value).ec == std::errc() && std::isfinite(value);
  if (!shaped) {
    WrongType(*found, "a number such as 0.5", diagnostics_, QuotedHint(*found));
    return otherwise;
  }
  if (value >= min && value <= max) return value;
  diagnostics_->push_back(
      found->Fault("out-of-range", std::string(key) + " must be from " + Plain(min) + " to " + Plain(max)));
  return otherwise;
}

std::optional<Date> Reader::DateAt(std::string_view key, bool required) {
  const Node* found = required ? Required(key) : Optional(key);
  if (found == nullptr) return std::nullopt;
  return ToDate(*found, diagnostics_);
}

std::vector<std::string> Reader::Strings(std::string_view key, bool required) {
  std::vector<std::string> out;
  const Node* found = required ? Required(key) : Optional(key);
  if (found == nullptr) return out;
  if (found->IsScalar()) return {found->text()};
  if (!found->IsSequence()) {
    WrongType(*found, "a list such as [a, b] for " + std::string(key), diagnostics_);
    return out;
  }
  for (const Node& item : found->items()) {
    if (item.IsScalar()) {
      out.push_back(item.text());
    } else {
      WrongType(item, "text", diagnostics_);
    }
  }
  if (required && found->items().empty()) {
    diagnostics_->push_back(found->Fault("empty-list", std::string(key) + " needs at least one item"));
  }
  return out;
}

std::string Reader::OneOf(std::string_view key, std::optional<std::string> fallback,
                          std::initializer_list<std::string_view> values) {
  const Node* found = fallback ? Optional(key) : Required(key);
  std::string otherwise = fallback ? *std::move(fallback) : std::string();
  if (found == nullptr) return otherwise;
  const std::vector<std::string> names(values.begin(), values.end());
  if (!found->IsScalar()) {
    WrongType(*found, "one of " + Joined(names), diagnostics_);
    return otherwise;
  }
  if (std::find(names.begin(), names.end(), found->text()) != names.end()) return found->text();
  diagnostics_->push_back(found->Fault("unknown-value", Quote(found->text()) + " is not a value of " + std::string(key),
                                       NameHint(found->text(), names)));
  return otherwise;
}

Text Reader::LocalText(std::string_view key, bool required) {
  const Node* found = required ? Required(key) : Optional(key);
  return found == nullptr ? Text{} : ToText(*found, diagnostics_);
}

void Reader::Done() {
  if (!valid_) return;
  for (const auto& [key, value] : node_.entries()) {
    if (std::find(seen_.begin(), seen_.end(), key.text()) != seen_.end()) continue;
    std::vector<std::string> free;  // a key that is already here is not what was meant
    for (const std::string& name : seen_) {
      if (node_.Find(name) == nullptr) free.push_back(name);
    }
    const std::string_view nearest = NearestName(key.text(), free);
    std::string hint = !nearest.empty() ? "did you mean " + std::string(nearest) + "?" : NameHint(key.text(), seen_);
    if (nearest.empty() && key.text().find("：") != std::string::npos) {
      hint = "the full-width colon ： is not a colon: write ': '";
    }
    diagnostics_->push_back(
        key.Fault("unknown-key", "the key " + Quote(key.text()) + " is not known here", std::move(hint)));
  }
}

}  // namespace zhitui::yaml
