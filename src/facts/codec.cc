// The storage form of a profile. Facts and record fields are known by a hash of their name, values carry their own
// kind, so a record can be read under a later schema: what that no longer declares, or declares otherwise, is absent.
//
//   version byte (1)
//   count, then that many event times (ms since 1970, signed)
//   count, then that many facts: id, (index of its time + 1, or 0) * 16 + tag, payload

#include <algorithm>
#include <utility>

#include "facts/convert.h"
#include "facts/tree.h"

namespace zhitui::facts {
namespace {

constexpr std::uint64_t kVersion = 1;
constexpr int kMaxNesting = 16;
constexpr std::uint64_t kMaxScale = 18;
constexpr std::int64_t kMinDay = -719162;  // 0001-01-01
constexpr std::int64_t kMaxDay = 2932896;  // 9999-12-31

enum Tag : std::uint64_t {
  kAbsent,
  kNullTag,
  kFalse,
  kTrue,
  kIntTag,
  kDecimalTag,
  kStringTag,
  kDateTag,
  kTimestampTag,
  kListTag,
  kRecordTag,
};

std::uint64_t TagOf(const Value& v) {
  switch (v.kind()) {
    case value::Kind::kNull:
      return kNullTag;
    case value::Kind::kBool:
      return v.AsBool() ? kTrue : kFalse;
    case value::Kind::kInt:
      return kIntTag;
    case value::Kind::kDecimal:
      return kDecimalTag;
    case value::Kind::kString:
      return kStringTag;
    case value::Kind::kDate:
      return kDateTag;
    case value::Kind::kTimestamp:
      return kTimestampTag;
    case value::Kind::kList:
      return kListTag;
    case value::Kind::kMap:
      return kRecordTag;
    default:
      return kAbsent;
  }
}

void WritePayload(const Value& v, const FactDef& def, const FieldIds& ids, ByteWriter* out) {
  switch (TagOf(v)) {
    case kIntTag:
      out->I64(v.AsInt());
      break;
    case kDecimalTag:
      out->U64(v.AsDecimal().scale);
      out->I64(v.AsDecimal().coefficient);
      break;
    case kStringTag:
      out->Str(v.AsString());
      break;
    case kDateTag:
      out->I64(v.AsDate().time_since_epoch().count());
      break;
    case kTimestampTag:
      out->I64(v.Seconds());
      out->U64(static_cast<std::uint64_t>(v.Nanos()));
      break;
    case kListTag:
      out->U64(v.AsList().size());
      for (const Value& item : v.AsList()) {
        out->U64(TagOf(item));
        WritePayload(item, def.element.front(), ids, out);
      }
      break;
    case kRecordTag: {
      out->U64(v.AsMap().size());
      std::size_t i = 0;  // entries stand in the order of the declaration
      for (const value::MapEntry& entry : v.AsMap()) {
        while (i < def.fields.size() && def.fields[i].name != entry.key.AsString()) ++i;
        if (i == def.fields.size()) break;
        out->U64(ids.ids[i]);
        out->U64(TagOf(entry.value));
        WritePayload(entry.value, def.fields[i], ids.nested[i], out);
      }
      break;
    }
    default:
      break;
  }
}

// Reads one value; the input was copied into the arena, so strings view it. The value is consumed whole whatever
// becomes of it. False: it does not fit `def` (nullptr fits nothing).
class ValueReader {
 public:
  ValueReader(ByteReader* in, value::Arena* arena) : in_(*in), arena_(*arena) {}

  bool broken() const { return broken_; }

  bool Read(std::uint64_t tag, const FactDef* def, const FieldIds* ids, int depth, Value* out) {
    switch (tag) {
      case kAbsent:
        return false;
      case kNullTag:
        *out = Value::Null();
        return def != nullptr && def->nullable;
      case kFalse:
      case kTrue:
        *out = Value::Bool(tag == kTrue);
        return Is(def, FactType::kBool);
      case kIntTag:
        *out = Value::Int(in_.I64());
        return Is(def, FactType::kInt);
      case kDecimalTag:
        return ReadDecimal(def, out);
      case kStringTag: {
        const std::string_view text = in_.Str();
        *out = Value::String(text);
        if (Is(def, FactType::kString)) return true;
        if (!Is(def, FactType::kCode)) return false;
        const std::optional<std::uint16_t> number = CodeNumber(*def, text);
        if (number) *out = Value::Code(text, *number);
        return number.has_value();
      }
      case kDateTag: {
        const std::int64_t day = in_.I64();
        if (day < kMinDay || day > kMaxDay) return Break();
        *out = Value::OfDate(Date(std::chrono::days(day)));
        return Is(def, FactType::kDate);
      }
      case kTimestampTag: {
        const std::int64_t seconds = in_.I64();
        const std::uint64_t nanos = in_.U64();
        if (seconds < kMinDay * 86400 || seconds >= (kMaxDay + 1) * 86400 || nanos > 999'999'999) return Break();
        *out = Value::Timestamp(seconds, static_cast<std::uint32_t>(nanos));
        return Is(def, FactType::kTimestamp);
      }
      case kListTag:
        return ReadList(def, ids, depth, out);
      case kRecordTag:
        return ReadRecord(def, ids, depth, out);
      default:
        return Break();
    }
  }

 private:
  static bool Is(const FactDef* def, FactType type) { return def != nullptr && def->type == type; }

  bool Break() {
    broken_ = true;
    return false;
  }

  bool ReadDecimal(const FactDef* def, Value* out) {
    const std::uint64_t scale = in_.U64();
    const std::int64_t coefficient = in_.I64();
    if (scale > kMaxScale) return Break();
    *out = Value::OfDecimal({coefficient, static_cast<std::uint8_t>(scale)});
    return Is(def, FactType::kDecimal) || (Is(def, FactType::kMoney) && scale <= 2);
  }

  bool ReadList(const FactDef* def, const FieldIds* ids, int depth, Value* out) {
    const std::size_t n = in_.Count();
    if (depth >= kMaxNesting) return Break();
    bool fits = Is(def, FactType::kList) && n <= def->max_items;
    Value* items = fits ? arena_.NewArray<Value>(n) : nullptr;
    for (std::size_t i = 0; i < n && in_.ok() && !broken_; ++i) {
      Value item;
      fits = Read(in_.U64(), fits ? &def->element.front() : nullptr, ids, depth + 1, &item) && fits;
      if (fits) items[i] = item;
    }
    if (fits) *out = Value::List({items, n});
    return fits && in_.ok();
  }

  bool ReadRecord(const FactDef* def, const FieldIds* ids, int depth, Value* out) {
    const std::size_t n = in_.Count(2);
    if (depth >= kMaxNesting) return Break();
    bool fits = Is(def, FactType::kRecord);
    const std::size_t fields = fits ? def->fields.size() : 0;
    Value* values = arena_.NewArray<Value>(fields);
    bool* present = arena_.NewArray<bool>(fields);
    std::fill_n(present, fields, false);
    std::size_t count = 0;
    std::size_t guess = 0;  // written in the order of the declaration
    for (std::size_t i = 0; i < n && in_.ok() && !broken_; ++i) {
      const std::uint64_t id = in_.U64();
      const std::uint64_t tag = in_.U64();
      std::size_t at = guess;
      while (at < fields && ids->ids[at] != id) ++at;
      if (at == fields)
        at = static_cast<std::size_t>(std::find(ids_begin(ids, fields), ids_end(ids, fields), id) -
                                      ids_begin(ids, fields));
      Value v;
      if (at >= fields) {
        Read(tag, nullptr, nullptr, depth + 1, &v);  // a field that is no longer declared
        continue;
      }
      guess = at + 1;
      fits = Read(tag, &def->fields[at], &ids->nested[at], depth + 1, &v) && fits && !present[at];
      if (!fits) continue;
      values[at] = v;
      present[at] = true;
      ++count;
    }
    if (!fits || !in_.ok()) return false;
    value::MapEntry* entries = arena_.NewArray<value::MapEntry>(count);
    std::size_t next = 0;
    for (std::size_t i = 0; i < fields; ++i) {
      if (present[i]) entries[next++] = {Value::String(def->fields[i].name), values[i]};
    }
    *out = Value::Map({entries, count});
    return true;
  }

  static const std::uint32_t* ids_begin(const FieldIds* ids, std::size_t fields) {
    return fields == 0 ? nullptr : ids->ids.data();
  }
  static const std::uint32_t* ids_end(const FieldIds* ids, std::size_t fields) {
    return fields == 0 ? nullptr : ids->ids.data() + fields;
  }

  ByteReader& in_;
  value::Arena& arena_;
  bool broken_ = false;
};

}  // namespace

std::string Profile::Encode() const {
  const SchemaTree& tree = *schema_->tree_;
  const std::vector<FactDef>& facts = schema_->facts();
  std::vector<Instant> times;
  std::size_t count = 0;
  for (std::uint32_t slot = 0; slot < slots_.size(); ++slot) {
    if (Has(slot) || times_[slot] != Instant{}) ++count;
    if (times_[slot] != Instant{}) times.push_back(times_[slot]);
  }
  std::sort(times.begin(), times.end());
  times.erase(std::unique(times.begin(), times.end()), times.end());
  ByteWriter out;
  out.U64(kVersion);
  out.U64(times.size());
  for (const Instant at : times) out.I64(at.time_since_epoch().count());
  out.U64(count);
  for (std::uint32_t slot = 0; slot < slots_.size(); ++slot) {
    const bool timed = times_[slot] != Instant{};
    if (!Has(slot) && !timed) continue;
    std::uint64_t index = 0;
    if (timed) {
      index =
          static_cast<std::uint64_t>(std::lower_bound(times.begin(), times.end(), times_[slot]) - times.begin()) + 1;
    }
    out.U64(tree.ids[slot]);
    out.U64(index * 16 + TagOf(slots_[slot]));
    WritePayload(slots_[slot], facts[slot], tree.fields[slot], &out);
  }
  return out.Take();
}

Result<Profile> Profile::Decode(std::shared_ptr<const Schema> schema, std::string_view bytes) {
  Profile profile(std::move(schema));
  const SchemaTree& tree = *profile.schema_->tree_;
  ByteReader in(profile.arena_->Copy(bytes));
  ValueReader values(&in, profile.arena_.get());
  if (in.U64() != kVersion) return Invalid("the stored profile has another version");
  const std::size_t time_count = in.Count();
  Instant* times = profile.arena_->NewArray<Instant>(time_count);
  for (std::size_t i = 0; i < time_count; ++i) times[i] = Instant(Millis(in.I64()));
  const std::size_t count = in.Count(2);
  for (std::size_t i = 0; i < count && in.ok() && !values.broken(); ++i) {
    const std::uint64_t id = in.U64();
    const std::uint64_t word = in.U64();
    const std::uint64_t time = word / 16;
    if (time > time_count) return Invalid("the stored profile is damaged");
    const std::uint32_t slot = id <= 0x0FFFFFFF ? tree.SlotOfId(static_cast<std::uint32_t>(id)) : kNoIndex;
    Value v;
    if (slot == kNoIndex) {
      values.Read(word % 16, nullptr, nullptr, 0, &v);
      continue;
    }
    if (values.Read(word % 16, &profile.schema_->facts()[slot], &tree.fields[slot], 0, &v)) profile.slots_[slot] = v;
    if (time > 0) profile.times_[slot] = times[time - 1];
  }
  if (!in.ok() || values.broken() || !in.AtEnd()) return Invalid("the stored profile is damaged");
  profile.compact_at_ = std::max(profile.compact_at_, 2 * profile.arena_->bytes_used());
  return profile;
}

}  // namespace zhitui::facts
