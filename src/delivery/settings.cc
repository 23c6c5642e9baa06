#include <algorithm>
#include <charconv>
#include <fstream>

#include "delivery/delivery.h"

namespace zhitui::delivery {
namespace {

void Complain(Diagnostics* diagnostics, Location at, const char* code, std::string message, std::string hint = {}) {
  if (diagnostics == nullptr) return;
  Diagnostic d;
  d.at = std::move(at);
  d.code = code;
  d.message = std::move(message);
  d.hint = std::move(hint);
  diagnostics->push_back(std::move(d));
}

}  // namespace

void Settings::Set(std::string key, std::string value, Location at) {
  entries_.insert_or_assign(std::move(key), Entry{std::move(value), std::move(at), std::nullopt});
}

void Settings::SetSecret(std::string key, Secret value, Location at) {
  std::string text = value.Get()->text;
  entries_.insert_or_assign(std::move(key), Entry{std::move(text), std::move(at), std::move(value)});
}

const std::string* Settings::Find(std::string_view key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second.value;
}

Location Settings::At(std::string_view key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? block_ : found->second.at;
}

std::map<std::string, std::string> Settings::Table(std::string_view prefix) const {
  const std::string start = std::string(prefix) + ".";
  std::map<std::string, std::string> table;
  for (auto it = entries_.lower_bound(start); it != entries_.end() && it->first.starts_with(start); ++it) {
    table.emplace(it->first.substr(start.size()), it->second.value);
  }
  return table;
}

std::vector<std::string> Settings::Keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, entry] : entries_) keys.push_back(key);
  return keys;
}

std::string Settings::String(std::string_view key, std::optional<std::string> fallback,
                             Diagnostics* diagnostics) const {
  const std::string* value = Find(key);
  if (value != nullptr && !(value->empty() && !fallback)) return *value;
  if (fallback) return *fallback;
  Complain(diagnostics, At(key), "missing-setting", "the setting " + std::string(key) + " has no value",
           "write " + std::string(key) + ": <value>");
  return {};
}

std::int64_t Settings::Int(std::string_view key, std::int64_t fallback, std::int64_t min, std::int64_t max,
                           Diagnostics* diagnostics) const {
  const std::string* value = Find(key);
  if (value == nullptr) return fallback;
  std::int64_t number = 0;
  const char* end = value->data() + value->size();
  const auto [stop, error] = std::from_chars(value->data(), end, number);
  if (error == std::errc() && stop == end && !value->empty() && number >= min && number <= max) return number;
  Complain(diagnostics, At(key), "bad-value",
           std::string(key) + " is not a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  return fallback;
}

bool Settings::Bool(std::string_view key, bool fallback, Diagnostics* diagnostics) const {
  const std::string* value = Find(key);
  if (value == nullptr) return fallback;
  if (*value == "true") return true;
  if (*value == "false") return false;
  Complain(diagnostics, At(key), "bad-value", std::string(key) + " is neither true nor false");
  return fallback;
}

Secret Settings::SecretOf(std::string_view key, bool required, Diagnostics* diagnostics) const {
  const auto found = entries_.find(key);
  if (found != entries_.end() && found->second.secret) return *found->second.secret;
  return Secret(String(key, required ? std::nullopt : std::optional<std::string>(""), diagnostics));
}

std::int64_t Settings::PriceMicros(std::string_view key, Diagnostics* diagnostics) const {
  constexpr std::size_t kMaxYuanDigits = 6;
  constexpr std::size_t kDecimals = 6;
  const std::string* value = Find(key);
  if (value == nullptr) return 0;
  const std::size_t dot = value->find('.');
  const std::string whole = value->substr(0, dot);
  std::string decimals = dot == std::string::npos ? "" : value->substr(dot + 1);
  const bool digits = (whole + decimals).find_first_not_of("0123456789") == std::string::npos;
  if (!digits || whole.empty() || whole.size() > kMaxYuanDigits || decimals.size() > kDecimals ||
      (dot != std::string::npos && decimals.empty())) {
    Complain(diagnostics, At(key), "bad-value", std::string(key) + " is not an amount of yuan", "for example 0.045");
    return 0;
  }
  decimals.resize(kDecimals, '0');
  return std::stoll(whole + decimals);
}

void RefuseUnknownKeys(const Settings& settings, const std::vector<SettingDoc>& known, Diagnostics* diagnostics) {
  std::vector<std::string> names;
  std::vector<std::string> tables;  // "templates."
  for (const SettingDoc& doc : known) {
    if (doc.key.ends_with(".*")) {
      tables.push_back(doc.key.substr(0, doc.key.size() - 1));
      names.push_back(doc.key.substr(0, doc.key.size() - 2));
    } else {
      names.push_back(doc.key);
    }
  }
  for (const std::string& key : settings.Keys()) {
    const bool in_table = std::any_of(tables.begin(), tables.end(), [&](const std::string& table) {
      return key.size() > table.size() && key.starts_with(table);
    });
    const bool is_known = std::any_of(known.begin(), known.end(), [&](const SettingDoc& d) { return d.key == key; });
    if (in_table || is_known) continue;
    const std::size_t dot = key.find('.');
    const std::string_view nearest = NearestName(std::string_view(key).substr(0, dot), names);
    std::string hint;
    if (!nearest.empty()) {
      hint = "did you mean " + std::string(nearest) +
             (dot == std::string::npos || key.substr(0, dot) == nearest ? "" : key.substr(dot)) + "?";
    } else {
      for (const std::string& name : names) hint += (hint.empty() ? "known are " : ", ") + name;
    }
    Complain(diagnostics, settings.At(key), "unknown-key", "there is no setting " + key, std::move(hint));
  }
}

std::string BaseUrlSetting(const Settings& settings, std::string_view fallback, Diagnostics* diagnostics) {
  std::string text = settings.String("base_url", std::string(fallback), diagnostics);
  const Result<BaseUrl> url = ParseBaseUrl(text);
  if (!url) {
    Complain(diagnostics, settings.At("base_url"), "bad-url", "base_url: " + url.error().message,
             "for example " + std::string(fallback));
  }
  return text;
}

std::string FileSetting(const Settings& settings, std::string_view key, Diagnostics* diagnostics) {
  std::string path = settings.String(key, std::string(), diagnostics);
  if (!path.empty() && !std::ifstream(path).good()) {
    Complain(diagnostics, settings.At(key), "bad-value", std::string(key) + " names a file that cannot be read",
             "give the path of a PEM file, or leave it out for the system's certificates");
  }
  return path;
}

}  // namespace zhitui::delivery
