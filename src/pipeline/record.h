#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/base.h"
#include "store/store.h"

namespace zhitui::pipeline {

// What the store holds for a subject: how far each source partition has been applied, the profile and the rules'
// standing. A forgotten subject keeps only the offsets and its now, so that a replay stays a no-op.
struct SubjectRecord {
  std::vector<std::pair<std::string, std::int64_t>> applied;  // "<topic>/<partition>" -> last applied offset
  std::string profile;
  std::string state;

  bool Applied(std::string_view source, std::int64_t offset) const;
  void MarkApplied(std::string_view source, std::int64_t offset);
  std::string Encode() const;
  static Result<SubjectRecord> Decode(std::string_view bytes);
};

std::string SourceName(const std::string& topic, std::int32_t partition);
std::string SubjectKey(std::string_view kind, std::string_view id);  // key in Space::kSubject

// An outbox entry is one record to produce.
std::string EncodeOutbox(const Record& record);
Result<Record> DecodeOutbox(std::string_view bytes);

// Due queues.
inline constexpr store::DueQueue kTimeQueue = 0;
inline constexpr store::DueQueue kCleanupQueue = 8;
inline constexpr store::DueQueue SendQueue(Channel channel) {
  return static_cast<store::DueQueue>(1 + static_cast<unsigned>(channel));
}

// CloudEvents 1.0 binary-mode headers (Kafka protocol binding 1.0.2).
std::vector<Header> CloudEventHeaders(std::string id, std::string type, std::string subject, Instant time);

}  // namespace zhitui::pipeline
