#pragma once

// China Mobile's gateway protocol CMPP 2.0 and 3.0 (providers.md §2.4). This file is part of the room's door.

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/base.h"
#include "delivery/delivery.h"

namespace zhitui::sms {

struct CmppOptions {
  std::string host;
  int port = 7890;
  bool v3 = false;
  std::string source_addr;  // account (SP_Id), 6 characters
  delivery::Secret secret;
  std::string service_id;
  std::string src_id;   // the number the person sees: port number and extension
  std::string msg_src;  // empty: source_addr
  int fee_user_type = 2;
  std::string fee_terminal_id;
  std::string fee_type = "01";
  std::string fee_code = "000000";
  int connections = 1;
  int window = 16;
  int per_second = 0;  // segments; 0: no limit of ours
  int queue = 10'000;
  bool verify_gateway = false;  // refuse a gateway whose AuthenticatorISMG is not ours
  std::set<std::string, std::less<>> dead_stats = {"MK:0001"};
  std::int64_t price_micros = 0;  // of a segment
  Millis connect_timeout{5000};
  Millis idle{180'000};        // C
  Millis answer_wait{60'000};  // T
  int keep_alives = 3;         // N
  Millis reconnect_min{500};
  Millis reconnect_max{30'000};
  Millis throttle_pause{200};
  Millis join_wait{120'000};  // for the other parts of a long reply
};
std::vector<delivery::SettingDoc> CmppSettings();
std::optional<CmppOptions> ValidateCmpp(const delivery::Settings& settings, Diagnostics* diagnostics);
std::shared_ptr<delivery::Connector> NewCmpp(CmppOptions options, Logger* logger);

}  // namespace zhitui::sms
