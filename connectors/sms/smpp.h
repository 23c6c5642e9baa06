#pragma once

// SMPP 3.4: a carrier's or an aggregator's short message centre over long TCP connections (SMPP Protocol Specification
// v3.4 Issue 1.2; providers.md §2.5). The protocol has no TLS and no idempotency key: run it over a private line, and
// an unknown outcome waits for a person. This file is part of the room's door.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/base.h"
#include "delivery/delivery.h"

namespace zhitui::sms {

struct SmppOptions {
  std::string host;
  int port = 2775;
  std::string system_id;
  delivery::Secret password;
  std::string system_type;
  bool separate = false;  // connections that send (transmitter) and one that takes (receiver), else transceivers
  int connections = 1;
  int window = 10;
  int per_second = 0;

  std::string source_addr;
  int source_ton = 0;
  int source_npi = 0;
  std::string dest_prefix;  // in front of the eleven digits of a phone, for example 86
  int dest_ton = 1;
  int dest_npi = 1;
  std::string service_type;
  bool receipts = true;     // registered_delivery 1 on the first segment
  bool payload = false;     // a long text goes whole in message_payload, else in segments
  bool gsm_replies = true;  // data_coding 0 of a reply is the GSM alphabet, else Latin-1

  std::string message_ids = "text";  // see SmppSettings
  int utc_offset_minutes = 480;
  std::vector<std::string> dead_stats;
  std::vector<std::string> dead_errors;
  std::map<std::uint32_t, delivery::Verdict> codes;
  std::int64_t price_micros = 0;  // of a segment

  Millis connect_timeout{5000};
  Millis idle{60'000};
  Millis answer_wait{30'000};
  Millis throttle_pause{200};
  int resends = 3;
  Millis join_timeout{600'000};  // for the missing segments of a long reply
};
std::vector<delivery::SettingDoc> SmppSettings();
std::optional<SmppOptions> ValidateSmpp(const delivery::Settings& settings, Diagnostics* diagnostics);
std::shared_ptr<delivery::Connector> NewSmpp(SmppOptions options, Logger* logger);

}  // namespace zhitui::sms
