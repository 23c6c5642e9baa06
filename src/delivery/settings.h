#pragma once

// The settings of a connector and what connectors share. This file is part of delivery's door.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "delivery/secret.h"

namespace zhitui::delivery {

// One connector's block of the config file, flattened: "templates.benefit_notice" -> value and its place. Secrets are
// already resolved from files or environment.
class Settings {
 public:
  void Set(std::string key, std::string value, Location at);
  void SetSecret(std::string key, Secret value, Location at);
  const std::string* Find(std::string_view key) const;
  Location At(std::string_view key) const;                                  // of the block when there is no such key
  std::map<std::string, std::string> Table(std::string_view prefix) const;  // "templates" -> {benefit_notice: …}
  std::vector<std::string> Keys() const;
  void SetPlace(Location block) { block_ = std::move(block); }

  // The value of `key` or its default; missing without default, out of range or unparsable: a diagnostic.
  std::string String(std::string_view key, std::optional<std::string> fallback, Diagnostics* diagnostics) const;
  std::int64_t Int(std::string_view key, std::int64_t fallback, std::int64_t min, std::int64_t max,
                   Diagnostics* diagnostics) const;
  bool Bool(std::string_view key, bool fallback, Diagnostics* diagnostics) const;
  // A SettingDoc with `secret`. Missing while `required`: a diagnostic.
  Secret SecretOf(std::string_view key, bool required, Diagnostics* diagnostics) const;
  // An amount of yuan with at most six decimals ("0.045"), in millionths; 0 when it is not set.
  std::int64_t PriceMicros(std::string_view key, Diagnostics* diagnostics) const;

 private:
  struct Entry {
    std::string value;
    Location at;
    std::optional<Secret> secret;
  };
  std::map<std::string, Entry, std::less<>> entries_;
  Location block_;
};

// A setting a connector understands; the config reference is generated from these and unknown keys are refused by them.
struct SettingDoc {
  std::string key;       // "templates.*" for a table
  std::string fallback;  // shown as default; empty: required (or an empty table)
  bool required = false;
  bool secret = false;
  Text summary;
};

// A diagnostic for every key of `settings` that `known` does not name, with the nearest key as the hint.
void RefuseUnknownKeys(const Settings& settings, const std::vector<SettingDoc>& known, Diagnostics* diagnostics);
// The base_url of `settings` (or `fallback`); a diagnostic when it is not http(s)://host[:port][/path].
std::string BaseUrlSetting(const Settings& settings, std::string_view fallback, Diagnostics* diagnostics);
// A path to a readable file, or empty when the key is not set; a diagnostic otherwise.
std::string FileSetting(const Settings& settings, std::string_view key, Diagnostics* diagnostics);

// Takes the same time for every pair of the same length, so that a forged signature cannot be guessed byte by byte.
bool ConstantTimeEqual(std::string_view a, std::string_view b);

// Lets an alarm of one provider code through once a minute: a stopped account fails every send, and one line says it.
// Thread-safe.
class AlarmGate {
 public:
  AlarmGate();
  ~AlarmGate();
  bool Open(const std::string& code);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace zhitui::delivery
