#include "pipeline/record.h"

namespace zhitui::pipeline {
namespace {
constexpr std::uint64_t kSubjectVersion = 1;
constexpr std::uint64_t kOutboxVersion = 1;
}  // namespace

bool SubjectRecord::Applied(std::string_view source, std::int64_t offset) const {
  for (const auto& [name, last] : applied) {
    if (name == source) return offset <= last;
  }
  return false;
}

void SubjectRecord::MarkApplied(std::string_view source, std::int64_t offset) {
  for (auto& [name, last] : applied) {
    if (name == source) {
      last = std::max(last, offset);
      return;
    }
  }
  applied.emplace_back(source, offset);
}

std::string SubjectRecord::Encode() const {
  ByteWriter w;
  w.U64(kSubjectVersion);
  w.U64(applied.size());
  for (const auto& [name, last] : applied) {
    w.Str(name);
    w.I64(last);
  }
  w.Str(profile);
  w.Str(state);
  return w.Take();
}

Result<SubjectRecord> SubjectRecord::Decode(std::string_view bytes) {
  ByteReader r(bytes);
  SubjectRecord record;
  if (r.U64() != kSubjectVersion) return Fatal("a subject's record has an unknown version");
  const std::size_t n = r.Count(2);
  for (std::size_t i = 0; i < n; ++i) {
    std::string name(r.Str());
    const std::int64_t last = r.I64();
    record.applied.emplace_back(std::move(name), last);
  }
  record.profile = r.Str();
  record.state = r.Str();
  if (!r.ok() || !r.AtEnd()) return Fatal("a subject's record is damaged");
  return record;
}

std::string SourceName(const std::string& topic, std::int32_t partition) {
  return topic + "/" + std::to_string(partition);
}

std::string SubjectKey(std::string_view kind, std::string_view id) {
  std::string key(kind);
  key += ':';
  key += id;
  return key;
}

std::string EncodeOutbox(const Record& record) {
  ByteWriter w;
  w.U64(kOutboxVersion);
  w.Str(record.topic);
  w.Str(record.key);
  w.Bool(record.value.has_value());
  if (record.value) w.Str(*record.value);
  w.U64(record.headers.size());
  for (const Header& h : record.headers) {
    w.Str(h.name);
    w.Str(h.value);
  }
  return w.Take();
}

Result<Record> DecodeOutbox(std::string_view bytes) {
  ByteReader r(bytes);
  if (r.U64() != kOutboxVersion) return Fatal("an outbox entry has an unknown version");
  Record record;
  record.topic = r.Str();
  record.key = r.Str();
  if (r.Bool()) record.value = std::string(r.Str());
  const std::size_t n = r.Count(2);
  for (std::size_t i = 0; i < n; ++i) {
    std::string name(r.Str());
    std::string value(r.Str());
    record.headers.push_back({std::move(name), std::move(value)});
  }
  if (!r.ok() || !r.AtEnd()) return Fatal("an outbox entry is damaged");
  return record;
}

std::vector<Header> CloudEventHeaders(std::string id, std::string type, std::string subject, Instant time) {
  return {{"ce_specversion", "1.0"},           {"ce_id", std::move(id)},           {"ce_source", "/zhitui"},
          {"ce_type", std::move(type)},        {"ce_subject", std::move(subject)}, {"ce_time", FormatInstant(time)},
          {"content-type", "application/json"}};
}

}  // namespace zhitui::pipeline
