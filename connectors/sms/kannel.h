#pragma once

// Kannel's smsbox, sendsms over HTTP (Kannel user guide 1.4.5, chapter 6). This file is part of the room's door.

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/base.h"
#include "delivery/delivery.h"

namespace zhitui::sms {

struct KannelOptions {
  std::string base_url;  // http://smsbox:13013
  std::string ca_file;
  std::string path = "/cgi-bin/sendsms";
  std::string username;
  delivery::Secret password;
  std::string from;                  // the sender's number
  std::string smsc;                  // the SMSC connection to use; empty: smsbox chooses
  std::string number_prefix;         // before the 11 digits: "", "86", "+86" or "0086"
  std::string callback_url;          // where smsbox reaches this product's call-backs; empty: no reports are asked for
  delivery::Secret callback_key;     // Kannel signs nothing: the ?key= of call-backs; empty: none
  std::set<std::string> dead_codes;  // codes of reports, "UNDELIV/001", that say: there is no such number
  std::int64_t price_micros = 0;     // of one segment, in millionths of a yuan
  Millis connect_timeout{2000};
};
std::vector<delivery::SettingDoc> KannelSettings();
std::optional<KannelOptions> ValidateKannel(const delivery::Settings& settings, Diagnostics* diagnostics);
std::shared_ptr<delivery::Connector> NewKannel(KannelOptions options, Logger* logger);

}  // namespace zhitui::sms
