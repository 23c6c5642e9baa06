// Records -> events: CloudEvents in both modes, Debezium envelopes, tombstones.

#include <algorithm>
#include <array>
#include <utility>

#include "facts/convert.h"

namespace zhitui::facts {
namespace {

constexpr std::size_t kMaxDepth = 16;  // of an event's data
constexpr std::size_t kMaxSubjectBytes = 256;
constexpr std::size_t kMaxIdBytes = 1024;
constexpr std::int64_t kMaxMillis = 253'402'300'799'999;  // the end of the year 9999

using Failure = std::unexpected<Refused>;

Failure Fail(Refusal reason, std::string detail) { return Failure(Refused{reason, std::move(detail)}); }

// The attributes of CloudEvents that matter here.
struct Attributes {
  std::optional<std::string> id, source, specversion, type, subject, time, recordedtime, baseline, datacontenttype;

  std::optional<std::string>* At(std::string_view name) {
    if (name == "id") return &id;
    if (name == "source") return &source;
    if (name == "specversion") return &specversion;
    if (name == "type") return &type;
    if (name == "subject") return &subject;
    if (name == "time") return &time;
    if (name == "recordedtime") return &recordedtime;
    if (name == "baseline") return &baseline;
    if (name == "datacontenttype") return &datacontenttype;
    return nullptr;
  }
};

// Whether `text` is JSON whose objects and lists nest no deeper than `outer` levels around data of kMaxDepth.
// simdjson's DOM parser validates everything; ondemand, which reads the values, only what it passes.
std::optional<Refused> CheckJson(simdjson::padded_string_view text, std::size_t outer) {
  thread_local std::array<simdjson::dom::parser, 3> parsers;
  simdjson::dom::parser& parser = parsers[outer];
  if (parser.capacity() < text.size()) {
    const std::size_t capacity = std::max<std::size_t>(text.size() + text.size() / 2, 16 * 1024);
    if (parser.allocate(capacity, kMaxDepth + outer) != simdjson::SUCCESS) return NotJson("no memory to read it");
  }
  const simdjson::error_code error = parser.parse(text.data(), text.size(), false).error();
  switch (error) {
    case simdjson::SUCCESS:
      return std::nullopt;
    case simdjson::DEPTH_ERROR:
      return Refused{Refusal::kTooDeep, "data: nested deeper than " + std::to_string(kMaxDepth) + " levels"};
    case simdjson::NUMBER_ERROR:
      return NotJson("a number that is malformed or out of range");
    case simdjson::UTF8_ERROR:
      return NotJson("not UTF-8");
    case simdjson::EMPTY:
      return NotJson("empty");
    default:
      return NotJson();
  }
}

bool IsJsonType(std::string_view content_type) {
  const std::size_t end = content_type.find_first_of("; ");
  std::string media(content_type.substr(0, end));
  std::transform(media.begin(), media.end(), media.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return media == "application/json" || media == "text/json" || media.ends_with("+json");
}

std::expected<std::string, Refused> SubjectOf(const Record& record, const std::optional<std::string>& attribute) {
  if (!record.key.empty() && attribute && *attribute != record.key) {
    return Fail(Refusal::kSubjectMismatch, "subject: differs from the record's key");
  }
  std::string subject = attribute ? *attribute : record.key;
  const bool good =
      !subject.empty() && subject.size() <= kMaxSubjectBytes && IsValidUtf8(subject) &&
      std::none_of(subject.begin(), subject.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  if (!good) {
    return Fail(Refusal::kNoSubject,
                "subject: expected the subject's id as `subject` or as the key, 1 to 256 bytes of UTF-8");
  }
  return subject;
}

// The last path segment of a URI reference: "/agencies/police?x#y" -> "police".
std::string LastSegment(std::string_view uri) {
  uri = uri.substr(0, uri.find_first_of("?#"));
  const std::size_t slash = uri.rfind('/');
  return std::string(slash == std::string_view::npos ? uri : uri.substr(slash + 1));
}

struct EventType {
  std::string kind;
  Action action = Action::kPatch;
};

// "cn.gov.sz.resident.profile.patched" -> resident, patch.
std::optional<EventType> ParseType(std::string_view type) {
  EventType out;
  const auto strip = [&](std::string_view suffix) {
    if (!type.ends_with(suffix)) return false;
    type.remove_suffix(suffix.size());
    return true;
  };
  if (strip(".profile.patched")) {
    out.action = Action::kPatch;
  } else if (strip(".profile.replaced")) {
    out.action = Action::kReplace;
  } else if (strip(".profile.forgotten")) {
    out.action = Action::kForget;
  } else {
    return std::nullopt;
  }
  const std::size_t dot = type.rfind('.');
  out.kind = std::string(dot == std::string_view::npos ? type : type.substr(dot + 1));
  if (out.kind.empty() || out.kind.size() > 64) return std::nullopt;
  return out;
}

std::string PositionId(const Record& record) {
  return record.topic + "-" + std::to_string(record.partition) + "-" + std::to_string(record.offset);
}

// Everything but the data.
std::expected<Event, Refused> FromAttributes(const Record& record, const DecodeOptions& options,
                                             Attributes attributes) {
  const auto missing = [](const char* name) { return Fail(Refusal::kNotCloudEvent, std::string(name) + ": missing"); };
  const auto present = [](const std::optional<std::string>& a) { return a && !a->empty(); };
  if (!present(attributes.specversion)) return missing("specversion");
  if (*attributes.specversion != "1.0") return Fail(Refusal::kNotCloudEvent, "specversion: expected 1.0");
  if (!present(attributes.id)) return missing("id");
  if (!present(attributes.source)) return missing("source");
  if (!present(attributes.type)) return missing("type");
  for (const std::string* text : {&*attributes.id, &*attributes.source, &*attributes.type}) {
    if (text->size() > kMaxIdBytes || !IsValidUtf8(*text)) {
      return Fail(Refusal::kNotCloudEvent, "id, source and type: expected at most 1024 bytes of UTF-8");
    }
  }
  Event event;
  event.id = *std::move(attributes.id);
  event.source = LastSegment(*attributes.source);
  if (event.source.empty()) return Fail(Refusal::kNotCloudEvent, "source: its last path segment names no agency");
  std::optional<EventType> type = ParseType(*attributes.type);
  if (!type) {
    return Fail(Refusal::kNotCloudEvent,
                "type: expected one that ends in .<kind>.profile.patched, .profile.replaced or .profile.forgotten");
  }
  if (!options.kind.empty() && type->kind != options.kind) {
    return Fail(Refusal::kUnknownKind, "type: expected the kind " + options.kind);
  }
  event.kind = std::move(type->kind);
  event.action = type->action;
  std::expected<std::string, Refused> subject = SubjectOf(record, attributes.subject);
  if (!subject) return Failure(std::move(subject.error()));
  event.subject = *std::move(subject);
  if (!attributes.time) return Fail(Refusal::kNoTime, "time: missing");
  const Result<Instant> time = ParseInstant(*attributes.time);
  if (!time) return Fail(Refusal::kBadTime, "time: expected a time such as 2026-03-01T08:00:00+08:00");
  event.time = *time;
  event.recorded = *time;
  if (attributes.recordedtime) {
    const Result<Instant> recorded = ParseInstant(*attributes.recordedtime);
    if (!recorded) return Fail(Refusal::kBadTime, "recordedtime: expected a time such as 2026-03-01T08:00:00+08:00");
    event.recorded = *recorded;
  }
  if (attributes.baseline) {
    if (*attributes.baseline != "true" && *attributes.baseline != "false") {
      return Fail(Refusal::kNotCloudEvent, "baseline: expected true or false");
    }
    event.baseline = *attributes.baseline == "true";
  }
  if (attributes.datacontenttype && event.action != Action::kForget && !IsJsonType(*attributes.datacontenttype)) {
    return Fail(Refusal::kNotJson, "datacontenttype: expected application/json");
  }
  return event;
}

std::expected<Attributes, Refused> HeaderAttributes(const Record& record) {
  Attributes attributes;
  for (const Header& header : record.headers) {
    std::optional<std::string>* at = nullptr;
    if (header.name.starts_with("ce_")) {
      at = attributes.At(std::string_view(header.name).substr(3));
    } else if (header.name == "content-type") {
      at = &attributes.datacontenttype;
    }
    if (at == nullptr) continue;
    if (*at) return Fail(Refusal::kNotCloudEvent, header.name + ": the header is there twice");
    *at = header.value;
  }
  return attributes;
}

std::expected<Event, Refused> DecodeBinary(const Record& record, const DecodeOptions& options) {
  std::expected<Attributes, Refused> attributes = HeaderAttributes(record);
  if (!attributes) return Failure(std::move(attributes.error()));
  std::expected<Event, Refused> event = FromAttributes(record, options, *std::move(attributes));
  if (!event || event->action == Action::kForget) return event;
  const simdjson::padded_string_view text = Padded(*record.value);
  if (std::optional<Refused> refused = CheckJson(text, 0)) return Failure(std::move(*refused));
  if (text[text.find_first_not_of(" \t\r\n")] != '{') return Fail(Refusal::kNotJson, "data: expected a JSON object");
  event->data = *record.value;
  return event;
}

// A JSON member's object as it stands in the text; false: not an object.
bool RawObject(json::value& in, std::string* out) {
  json::object object;
  std::string_view raw;
  if (in.get_object().get(object) != simdjson::SUCCESS || object.raw_json().get(raw) != simdjson::SUCCESS) return false;
  const std::size_t end = raw.rfind('}');  // what follows the object up to the next token is included
  out->assign(raw.substr(0, end + 1));
  return true;
}

std::expected<Event, Refused> DecodeStructured(const Record& record, const DecodeOptions& options) {
  const simdjson::padded_string_view text = Padded(*record.value);
  if (std::optional<Refused> refused = CheckJson(text, 1)) return Failure(std::move(*refused));
  json::document document;
  json::object object;
  if (ThreadParser().iterate(text).get(document) != simdjson::SUCCESS) return Failure(NotJson());
  if (document.get_object().get(object) != simdjson::SUCCESS) {
    return Fail(Refusal::kNotCloudEvent, "expected a JSON object with specversion");
  }
  Attributes attributes;
  std::string data;
  enum class Data : std::uint8_t { kNone, kObject, kOther, kBase64 } found = Data::kNone;
  for (auto item : object) {
    json::field field;
    std::string_view name;
    if (std::move(item).get(field) != simdjson::SUCCESS || field.unescaped_key().get(name) != simdjson::SUCCESS) {
      return Failure(NotJson());
    }
    json::value& value = field.value();
    json::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return Failure(NotJson());
    if (name == "data" || name == "data_base64") {
      if (found != Data::kNone) return Failure(NotJson("data: the same name twice"));
      if (type == json::json_type::null) continue;
      found = name == "data_base64" ? Data::kBase64 : type != json::json_type::object ? Data::kOther : Data::kObject;
      if (found == Data::kObject && !RawObject(value, &data)) return Failure(NotJson());
      continue;
    }
    std::optional<std::string>* at = attributes.At(name);
    if (at == nullptr || type == json::json_type::null) continue;
    if (*at) return Failure(NotJson(std::string(name) + ": the same name twice"));
    bool flag = false;
    std::string_view string;
    if (at == &attributes.baseline && type == json::json_type::boolean) {
      if (value.get_bool().get(flag) != simdjson::SUCCESS) return Failure(NotJson());
      *at = flag ? "true" : "false";
    } else if (type == json::json_type::string && value.get_string().get(string) == simdjson::SUCCESS) {
      *at = std::string(string);
    } else {
      return Fail(Refusal::kNotCloudEvent, std::string(name) + ": expected text");
    }
  }
  std::expected<Event, Refused> event = FromAttributes(record, options, std::move(attributes));
  if (!event || event->action == Action::kForget) return event;
  if (found != Data::kObject) {
    return Fail(Refusal::kNotJson,
                found == Data::kBase64 ? "data_base64: expected JSON in data" : "data: expected a JSON object");
  }
  event->data = std::move(data);
  return event;
}

// The members of a Debezium envelope.
struct Envelope {
  bool wrapped = false;
  std::string op;
  std::string after;
  bool has_after = false;
  std::optional<std::int64_t> ts_ms;
};

std::optional<Refused> ReadEnvelope(json::object& object, bool outer, Envelope* out) {
  const auto twice = [](std::string_view name) { return NotJson(std::string(name) + ": the same name twice"); };
  for (auto item : object) {
    json::field field;
    std::string_view name;
    if (std::move(item).get(field) != simdjson::SUCCESS || field.unescaped_key().get(name) != simdjson::SUCCESS)
      return NotJson();
    json::value& value = field.value();
    json::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return NotJson();
    if (name == "payload" && outer) {
      if (out->wrapped) return twice(name);
      json::object payload;
      if (type != json::json_type::object || value.get_object().get(payload) != simdjson::SUCCESS) {
        return Refused{Refusal::kNotCloudEvent, "payload: expected an object"};
      }
      out->wrapped = true;
      if (std::optional<Refused> refused = ReadEnvelope(payload, false, out)) return refused;
    } else if (name == "after") {
      if (out->has_after) return twice(name);
      if (type == json::json_type::null) continue;
      if (type != json::json_type::object) return NotJson("after: expected a JSON object");
      if (!RawObject(value, &out->after)) return NotJson();
      out->has_after = true;
    } else if (name == "op") {
      std::string_view op;
      if (!out->op.empty()) return twice(name);
      if (type != json::json_type::string || value.get_string().get(op) != simdjson::SUCCESS) {
        return Refused{Refusal::kNotCloudEvent, "op: expected c, u, r or d"};
      }
      out->op = std::string(op);
    } else if (name == "ts_ms") {
      std::int64_t ms = 0;
      if (out->ts_ms) return twice(name);
      if (type == json::json_type::null) continue;
      if (value.get_int64().get(ms) != simdjson::SUCCESS || ms <= 0 || ms > kMaxMillis) {
        return Refused{Refusal::kBadTime, "ts_ms: expected milliseconds since 1970"};
      }
      out->ts_ms = ms;
    }
  }
  return std::nullopt;
}

std::expected<Event, Refused> DecodeDebezium(const Record& record, const DecodeOptions& options) {
  if (options.kind.empty()) return Fail(Refusal::kUnknownKind, "a Debezium topic needs a configured kind");
  const simdjson::padded_string_view text = Padded(*record.value);
  if (std::optional<Refused> refused = CheckJson(text, 2)) return Failure(std::move(*refused));
  json::document document;
  json::object object;
  if (ThreadParser().iterate(text).get(document) != simdjson::SUCCESS) return Failure(NotJson());
  if (document.get_object().get(object) != simdjson::SUCCESS) {
    return Fail(Refusal::kNotCloudEvent, "expected a Debezium envelope with op, ts_ms and after");
  }
  Envelope envelope;
  if (std::optional<Refused> refused = ReadEnvelope(object, true, &envelope)) return Failure(std::move(*refused));
  const std::string& op = envelope.op;
  if (op != "c" && op != "u" && op != "r" && op != "d")
    return Fail(Refusal::kNotCloudEvent, "op: expected c, u, r or d");
  Event event;
  event.id = PositionId(record);
  event.source = options.source;
  event.kind = options.kind;
  std::expected<std::string, Refused> subject = SubjectOf(record, std::nullopt);
  if (!subject) return Failure(std::move(subject.error()));
  event.subject = *std::move(subject);
  if (!envelope.ts_ms) return Fail(Refusal::kNoTime, "ts_ms: missing");
  event.time = Instant(Millis(*envelope.ts_ms));
  event.recorded = event.time;
  event.baseline = op == "r";
  if (op == "d") {
    event.action = Action::kForget;
    return event;
  }
  if (!envelope.has_after) return Fail(Refusal::kNotJson, "after: expected a JSON object");
  event.action = Action::kReplace;
  event.data = std::move(envelope.after);
  return event;
}

std::expected<Event, Refused> DecodeTombstone(const Record& record, const DecodeOptions& options) {
  std::expected<Attributes, Refused> attributes = HeaderAttributes(record);
  if (!attributes) return Failure(std::move(attributes.error()));
  Event event;
  event.action = Action::kForget;
  event.kind = options.kind;
  if (attributes->type) {
    const std::optional<EventType> type = ParseType(*attributes->type);
    if (!type || type->action != Action::kForget) {
      return Fail(Refusal::kNotCloudEvent, "type: a record without a value can only be .<kind>.profile.forgotten");
    }
    if (!options.kind.empty() && type->kind != options.kind) {
      return Fail(Refusal::kUnknownKind, "type: expected the kind " + options.kind);
    }
    event.kind = type->kind;
  }
  if (event.kind.empty()) return Fail(Refusal::kUnknownKind, "a record without a value needs a topic of one kind");
  std::expected<std::string, Refused> subject = SubjectOf(record, attributes->subject);
  if (!subject) return Failure(std::move(subject.error()));
  event.subject = *std::move(subject);
  event.id = attributes->id && !attributes->id->empty() ? *attributes->id : PositionId(record);
  event.source = attributes->source ? LastSegment(*attributes->source) : options.source;
  if (attributes->time) {
    const Result<Instant> time = ParseInstant(*attributes->time);
    if (!time) return Fail(Refusal::kBadTime, "time: expected a time such as 2026-03-01T08:00:00+08:00");
    event.time = *time;
  } else if (record.timestamp > Instant{}) {
    event.time = record.timestamp;
  } else {
    return Fail(Refusal::kNoTime, "time: missing");
  }
  event.recorded = event.time;
  return event;
}

}  // namespace

std::expected<Event, Refused> DecodeEvent(const Record& record, const DecodeOptions& options) {
  const std::size_t size = record.key.size() + (record.value ? record.value->size() : 0);
  if (record.oversize_bytes > 0 || size > std::min(options.max_bytes, kMaxJsonBytes)) {
    return Fail(Refusal::kTooLarge, "expected at most " + std::to_string(options.max_bytes) + " bytes");
  }
  if (!record.value) return DecodeTombstone(record, options);
  if (options.format == Format::kDebezium) return DecodeDebezium(record, options);
  const std::string* content_type = record.FindHeader("content-type");
  if (content_type != nullptr && content_type->starts_with("application/cloudevents")) {
    if (content_type->starts_with("application/cloudevents+json")) return DecodeStructured(record, options);
    return Fail(Refusal::kNotCloudEvent, "content-type: expected application/cloudevents+json, one event a record");
  }
  const bool binary = std::any_of(record.headers.begin(), record.headers.end(),
                                  [](const Header& header) { return header.name.starts_with("ce_"); });
  return binary ? DecodeBinary(record, options) : DecodeStructured(record, options);
}

}  // namespace zhitui::facts
