#pragma once

// What the connectors of this room have in common in their settings. This file is part of the room's door.

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "base/base.h"
#include "delivery/delivery.h"

namespace zhitui::wechat {

struct AccountOptions {
  std::string base_url;
  std::string ca_file;  // PEM; empty: the system's
  std::string app_id;   // WeCom: the corp id
  delivery::Secret secret;
  Millis connect_timeout{2000};
};

// How call-backs are verified.
struct CallbackOptions {
  delivery::Secret token;             // empty: every call-back is refused
  delivery::Secret aes_key;           // EncodingAESKey; empty: call-backs are not encrypted
  std::chrono::seconds max_age{300};  // of a call-back's timestamp, either way; 0: any
};

struct MessageOptions : AccountOptions {
  CallbackOptions callback;
  std::map<std::string, std::string> templates;  // logical name -> template id
};

// The SettingDocs that all connectors of WeChat share, and their values.
std::vector<delivery::SettingDoc> CommonSettings(bool token_required);
void ReadAccount(const delivery::Settings& settings, const char* base_url, const char* id_key, AccountOptions* options,
                 Diagnostics* found);
void ReadCallback(const delivery::Settings& settings, bool token_required, CallbackOptions* options,
                  Diagnostics* found);
void ReadTemplates(const delivery::Settings& settings, std::map<std::string, std::string>* templates,
                   Diagnostics* found);
// One of `choices`, or `fallback`; a diagnostic otherwise.
std::string ReadChoice(const delivery::Settings& settings, const char* key, const char* fallback,
                       const std::vector<std::string>& choices, Diagnostics* found);

}  // namespace zhitui::wechat
