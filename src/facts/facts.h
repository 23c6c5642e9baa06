#pragma once

// facts: what may be known about a subject (Schema), what is known (Profile), and how events change it (DecodeEvent,
// Merge). Pure: no clock, no I/O; text comes in, values go out. The event path parses JSON with simdjson.
//
// Promises
// - A Profile holds only values that fit the schema; an event that does not fit changes nothing and says why.
// - Absent is not null: absent = unknown; null = known to be none (only for facts declared nullable).
// - One owning source per fact: an event may set only facts of its own source, so events of different sources commute.
//   Within a source, an event whose time is before the last event time of a fact does not change that fact (stale).
// - Decode and Merge never throw, never read past limits (record size, depth 16, list items as declared).
// Schemas are immutable after load and shared by threads; a Profile belongs to one thread at a time.

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/base.h"
#include "value/value.h"
#include "yaml/yaml.h"

namespace zhitui::facts {

using value::Value;

struct SchemaTree;  // lookup tables over a schema's names

enum class FactType : std::uint8_t { kBool, kInt, kDecimal, kMoney, kString, kCode, kDate, kTimestamp, kList, kRecord };

struct FactDef {
  std::string name;  // dotted, without the kind: "hukou.city"
  FactType type = FactType::kString;
  std::vector<FactDef> element;     // kList: one, the element; a record element has type kRecord
  std::vector<FactDef> fields;      // kRecord
  std::vector<std::string> values;  // kCode: the allowed values; empty: any
  std::string source;               // owning agency id
  bool nullable = false;
  bool sensitive = false;
  bool fixed = false;                 // what a person cannot change: never proposed as the way to become eligible
  std::uint32_t max_items = 100;      // kList
  std::optional<value::Decimal> min;  // kInt, kDecimal, kMoney: the least and the greatest value there is
  std::optional<value::Decimal> max;
  Text label;
  Location at;
  value::Type value_type = nullptr;  // as expressions see it: money and decimal -> decimal, code -> string …
};

// The facts of one kind of subject. slot = index into facts().
class Schema {
 public:
  const std::string& kind() const { return kind_; }
  const std::vector<FactDef>& facts() const { return facts_; }
  std::optional<std::uint32_t> Find(std::string_view name) const;
  const std::map<std::string, Text>& sources() const { return sources_; }
  std::optional<std::uint32_t> alive_unless() const { return alive_unless_; }  // slot of the date of death, or the like
  std::optional<std::uint32_t> recipients() const { return recipients_; }      // slot of the list of records with `id`
  const std::vector<yaml::Allow>& allow() const { return allow_; }             // warnings that may stand
  // The kind of subject that recipients are, unless a record says so in a field `kind`; kind() if not declared.
  const std::string& recipient_kind() const { return recipient_kind_; }
  const std::string& hash() const { return hash_; }  // content hash, hex

 private:
  friend struct SchemaBuilder;
  friend class Profile;
  std::string kind_;
  std::vector<FactDef> facts_;
  std::map<std::string, std::uint32_t, std::less<>> by_name_;
  std::map<std::string, Text> sources_;
  std::optional<std::uint32_t> alive_unless_;
  std::optional<std::uint32_t> recipients_;
  std::string recipient_kind_;
  std::vector<yaml::Allow> allow_;
  std::string hash_;
  std::shared_ptr<const SchemaTree> tree_;
};

// One file of rules/facts/. All mistakes at once; nullptr when there was any. Names are dotted segments of a–z, 0–9 and
// _; a record (or the record in a list) declares its fields under `of`.
std::shared_ptr<const Schema> ParseSchema(const yaml::Document& document, Diagnostics* diagnostics);

enum class Action : std::uint8_t {
  kPatch,    // RFC 7396 merge patch of the source's facts
  kReplace,  // snapshot: all facts of the source; those not in it become absent
  kForget,   // tombstone: everything known about the subject goes
};

struct Event {
  std::string id;
  std::string source;   // agency id: the last path segment of the CloudEvents `source`
  std::string kind;     // "resident"
  std::string subject;  // subject id; never logged
  Action action = Action::kPatch;
  Instant time{};         // when it happened
  Instant recorded{};     // when the source recorded it (CloudEvents extension `recordedtime`; default: time)
  bool baseline = false;  // extension `baseline`: sets state, tells nobody
  std::string data;       // JSON object; empty for kForget
};

enum class Format : std::uint8_t {
  kCloudEvents,  // structured (application/cloudevents+json, or a JSON object with specversion and no ce_ headers) or
                 // binary mode (headers ce_id, ce_source, … with the data as value)
  kDebezium,     // {"payload":{…}} or {before, after, op, ts_ms}: after -> snapshot, op d -> forget, op r (the initial
                 // read of the table) -> snapshot that is a baseline; ts_ms is the time; key = subject id
};

struct DecodeOptions {
  Format format = Format::kCloudEvents;
  std::string kind;    // the kind this topic carries; an event of another kind is invalid. Empty: any known
  std::string source;  // Debezium: the agency that owns the table
  std::size_t max_bytes = 1048576;  // value and key together
};

// Why an event was refused; stable words for the dead letter's header and the metric.
enum class Refusal : std::uint8_t {
  kNone,
  kTooLarge,
  kNotJson,
  kNotCloudEvent,
  kUnknownKind,
  kNoSubject,
  kSubjectMismatch,
  kBadTime,
  kNoTime,
  kUnknownFact,
  kWrongType,
  kNotOwner,
  kNotNullable,
  kTooDeep,
  kTooMany,
};
const char* RefusalName(Refusal refusal);  // "not_json", "wrong_type" …
struct Refused {
  Refusal reason = Refusal::kNone;
  std::string detail;  // the fact or attribute by name and what was expected; never a value
};

// A record without value and with a key is a tombstone of that subject; its time is the header ce_time or else the
// record's timestamp, its kind options.kind. The event's `subject` must equal the record's key when both are there.
// Binary and structured mode: CloudEvents 1.0 spec §3 and Kafka protocol binding 1.0.2 (§3.2, 3.3); event types end in
// ".<kind>.profile.patched", ".replaced" or ".forgotten".
std::expected<Event, Refused> DecodeEvent(const Record& record, const DecodeOptions& options);

struct MergeReport {
  std::vector<std::uint32_t> changed;  // slots whose value is another one now, sorted
  std::uint32_t stale = 0;             // facts left alone because a later event of the source had set them
};

class Profile {
 public:
  explicit Profile(std::shared_ptr<const Schema> schema);
  Profile(Profile&&) noexcept;
  Profile& operator=(Profile&&) noexcept;
  ~Profile();

  const Schema& schema() const { return *schema_; }
  // One Value per slot for cel::Activation: a value, Null (known to be none), or Unknown (absent).
  const std::vector<Value>& slots() const { return slots_; }
  bool Has(std::uint32_t slot) const { return !slots_[slot].is(value::Kind::kUnknown); }
  bool Dead() const;  // alive_unless has a value

  // Forgets everything, and keeps the memory for the next subject.
  void Clear();

  // Applies one event of this kind. Refused: nothing changed. Names in `data` nest ({"hukou":{"city":…}}) or are dotted
  // at the top ({"hukou.city":…}, as a table's columns may be); the same name twice is refused. null for a whole group
  // stands for null of each of its facts that the source owns. Equal times apply: the later record wins.
  std::expected<MergeReport, Refused> Merge(const Event& event);

  // Sets facts from a JSON object, all sources at once, no times: for evaluate, rule tests and simulations. Dotted keys
  // ("hukou.city") and nested objects are both accepted; an explicit null on a nullable fact is "none".
  // `also`: another version of the schema; facts and groups that only it declares are passed over.
  std::expected<void, Refused> SetFromJson(std::string_view json, const Schema* also = nullptr);

  // Storage form: versioned by the schema's names, not slots, so that a schema may gain, lose and reorder facts; what
  // no longer fits its declaration is dropped to absent.
  std::string Encode() const;
  static Result<Profile> Decode(std::shared_ptr<const Schema> schema, std::string_view bytes);

  // {"hukou":{"city":"440300"}, …}; absent facts are left out. Contains personal data.
  std::string ToJson() const;

 private:
  std::shared_ptr<const Schema> schema_;
  std::vector<Value> slots_;
  std::vector<Instant> times_;  // last event time of each slot
  std::unique_ptr<value::Arena> arena_;
  std::size_t compact_at_ = 0;  // arena bytes at which merges rebuild it

  void Compact();
};

// One line of a file of profiles: {"subject": "…", "kind": "resident", "facts": {…}}; other members are ignored.
struct ProfileLine {
  std::string subject;
  std::string kind;
  std::string facts;  // a JSON object, for Profile::SetFromJson
};
// At most 1 MiB. Refused: kTooLarge, kNotJson, kWrongType, kNoSubject, kUnknownKind (no kind).
std::expected<ProfileLine, Refused> SplitProfileLine(std::string_view line);

}  // namespace zhitui::facts
