// The log of accepted messages: one NDJSON line each, in the file before the sender gets its answer.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

#include "sandbox/faults.h"

namespace sandbox {

struct Entry {
  int64_t at_ms = 0;
  std::string provider;
  std::string message_id;   // client_msg_id, OutId, or notification_id of the JPush extras
  std::string attempt_id;   // client_msg_id, OutId, or attempt_id of the JPush extras
  std::string key;          // client_msg_id, OutId, or cid
  std::string provider_id;  // msgid, BizId, msg_id
  std::string recipient_sha256;
  std::string duplicate_of;  // provider_id of an earlier message with the same key and recipient; empty = none
  Fate fate = Fate::kDelivered;
  nlohmann::json content;
};

class Journal {
 public:
  ~Journal();
  // Gives every entry of the file to `restore`, in order, then opens it for appending. A last line that a crash cut
  // off is left as it is and closed with a newline. An empty path is a journal that keeps nothing.
  std::expected<void, std::string> Open(const std::string& path, const std::function<void(const Entry&)>& restore);
  // One write(2) for the whole line; false when the line is not in the file. Threads: any.
  bool Append(const Entry& entry);
  void Close();

 private:
  std::mutex mutex_;
  int fd_ = -1;
};

}  // namespace sandbox
