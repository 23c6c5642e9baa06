// What is known about one subject, and how events change it.

#include <algorithm>
#include <cstring>
#include <utility>

#include "facts/convert.h"
#include "facts/straight.h"

namespace zhitui::facts {
namespace {

constexpr std::size_t kCompactFrom = 8192;  // bytes; below that garbage costs nothing

Scratch& ThreadScratch(const SchemaTree& tree) {
  thread_local Scratch scratch;
  scratch.Clear(tree);
  return scratch;
}

// Reads the facts of one JSON object into `scratch.staged`.
class Walker {
 public:
  Walker(const Schema& schema, const SchemaTree& tree, const std::vector<Value>& current, std::uint32_t source,
         Mode mode, value::Arena* arena, Scratch* scratch, const SchemaTree* also = nullptr)
      : schema_(schema),
        tree_(tree),
        also_(also),
        current_(current),
        source_(source),
        mode_(mode),
        arena_(*arena),
        scratch_(*scratch),
        straight_(schema, tree, current, source, mode, arena, scratch),
        converter_(arena, &scratch->values) {}

  bool Read(std::string_view text) {
    if (text.size() > kMaxJsonBytes) return converter_.Refuse(Refusal::kTooLarge, "data");
    // The text comes to lie in the arena, and the texts among its values in it.
    char* copy = arena_.NewArray<char>(text.size() + simdjson::SIMDJSON_PADDING);
    if (!text.empty()) std::memcpy(copy, text.data(), text.size());
    std::memset(copy + text.size(), 0, simdjson::SIMDJSON_PADDING);
    const simdjson::padded_string_view padded(copy, text.size(), text.size() + simdjson::SIMDJSON_PADDING);
    if (straight_.Read(padded)) return true;
    scratch_.Clear(tree_);
    json::document document;
    json::object object;
    if (ThreadParser().iterate(padded).get(document) != simdjson::SUCCESS) return Broken();
    const simdjson::error_code error = document.get_object().get(object);
    if (error == simdjson::INCORRECT_TYPE) {
      return converter_.Refuse(Refusal::kNotJson, "data: expected a JSON object");
    }
    if (error != simdjson::SUCCESS) return Broken();
    if (!ReadGroup(0, object)) return false;
    return document.current_location().error() == simdjson::OUT_OF_BOUNDS ? true : Broken();
  }

  Refused& refused() { return converter_.refused(); }

 private:
  bool Broken() { return converter_.Refuse(Refusal::kNotJson, "data: not well-formed JSON"); }
  bool Twice(const std::string& name) { return converter_.Refuse(Refusal::kNotJson, name + ": the same name twice"); }

  bool ReadGroup(std::uint32_t group, json::object& object) {
    for (auto item : object) {
      json::field field;
      std::string_view name;
      if (std::move(item).get(field) != simdjson::SUCCESS || field.unescaped_key().get(name) != simdjson::SUCCESS)
        return Broken();
      const SchemaTree::Group& g = tree_.groups[group];
      const std::uint32_t index = g.names.Find(name);
      std::uint32_t slot = kNoIndex;
      if (index != kNoIndex) {
        const SchemaTree::Child& child = g.children[index];
        if (child.group != kNoIndex) {
          if (!ReadChildGroup(child.group, field.value())) return false;
          continue;
        }
        slot = child.slot;
      } else if (group == 0) {
        slot = tree_.dotted.Find(name);
      }
      if (slot == kNoIndex) {
        if (also_ != nullptr && also_->Declares(g.path, name)) continue;
        return converter_.Refuse(Refusal::kUnknownFact, (g.path.empty() ? "" : g.path + ".") + SafeName(name) +
                                                            ": not a fact of " + schema_.kind());
      }
      if (!ReadFact(slot, field.value())) return false;
    }
    return true;
  }

  bool ReadChildGroup(std::uint32_t group, json::value& in) {
    const SchemaTree::Group& g = tree_.groups[group];
    if (std::exchange(scratch_.groups[group], std::uint8_t{1}) != 0) return Twice(g.path);
    json::json_type type{};
    if (in.type().get(type) != simdjson::SUCCESS) return Broken();
    if (type == json::json_type::object) {
      json::object object;
      if (in.get_object().get(object) != simdjson::SUCCESS) return Broken();
      return ReadGroup(group, object);
    }
    if (type != json::json_type::null) {
      return converter_.Refuse(Refusal::kWrongType, g.path + ": expected an object");
    }
    bool null = false;
    if (in.is_null().get(null) != simdjson::SUCCESS || !null) return Broken();
    bool any = false;
    if (!NullGroup(g, &any)) return false;
    if (any) return true;
    return converter_.Refuse(Refusal::kNotOwner, g.path + ": the event's source owns no fact of this group");
  }

  bool NullGroup(const SchemaTree::Group& g, bool* any) {
    for (const SchemaTree::Child& child : g.children) {
      if (child.group != kNoIndex) {
        if (!NullGroup(tree_.groups[child.group], any)) return false;
      } else if (mode_ == Mode::kSet || tree_.source_of[child.slot] == source_) {
        *any = true;
        if (!Mark(child.slot)) return false;
        StageNull(child.slot);
      }
    }
    return true;
  }

  bool Mark(std::uint32_t slot) {
    return std::exchange(scratch_.slots[slot], std::uint8_t{1}) == 0 ? true : Twice(schema_.facts()[slot].name);
  }

  void StageNull(std::uint32_t slot) {
    scratch_.Stage(slot, schema_.facts()[slot].nullable ? Value::Null() : tree_.absent[slot]);
  }

  bool ReadFact(std::uint32_t slot, json::value& in) {
    const FactDef& def = schema_.facts()[slot];
    if (!Mark(slot)) return false;
    if (mode_ != Mode::kSet && tree_.source_of[slot] != source_) {
      return converter_.Refuse(Refusal::kNotOwner, def.name + ": belongs to the source " + def.source);
    }
    json::json_type type{};
    if (in.type().get(type) != simdjson::SUCCESS) return Broken();
    if (type == json::json_type::null) {
      bool null = false;
      if (in.is_null().get(null) != simdjson::SUCCESS || !null) return Broken();
      if (mode_ == Mode::kSet && !def.nullable) {
        return converter_.Refuse(Refusal::kNotNullable,
                                 def.name + ": may not be null; leave it out when it is unknown");
      }
      StageNull(slot);
      return true;
    }
    Value value;
    if (!converter_.Convert(def, in, mode_ == Mode::kReplace ? nullptr : &current_[slot], &value)) {
      refused().detail.insert(0, def.name);
      return false;
    }
    scratch_.Stage(slot, value);
    return true;
  }

  const Schema& schema_;
  const SchemaTree& tree_;
  const SchemaTree* also_;
  const std::vector<Value>& current_;
  std::uint32_t source_;
  Mode mode_;
  value::Arena& arena_;
  Scratch& scratch_;
  StraightReader straight_;
  Converter converter_;
};

bool Same(const Value& a, const Value& b) {
  if (a.is(value::Kind::kUnknown) || b.is(value::Kind::kUnknown)) return a.kind() == b.kind();
  return a.kind() == b.kind() && value::Equals(a, b);
}

void AppendJson(const SchemaTree& tree, const SchemaTree::Group& group, const std::vector<Value>& slots,
                std::string* out) {
  const char* separator = "{";
  for (const SchemaTree::Child& child : group.children) {
    std::string value;
    if (child.group != kNoIndex) {
      AppendJson(tree, tree.groups[child.group], slots, &value);
      if (value == "{}") continue;
    } else {
      if (slots[child.slot].is(value::Kind::kUnknown)) continue;
      value = value::ToJson(slots[child.slot]);
    }
    *out += separator;
    *out += '"' + child.name + "\":" + value;
    separator = ",";
  }
  *out += *separator == '{' ? "{}" : "}";
}

}  // namespace

const char* RefusalName(Refusal refusal) {
  switch (refusal) {
    case Refusal::kNone:
      return "none";
    case Refusal::kTooLarge:
      return "too_large";
    case Refusal::kNotJson:
      return "not_json";
    case Refusal::kNotCloudEvent:
      return "not_cloud_event";
    case Refusal::kUnknownKind:
      return "unknown_kind";
    case Refusal::kNoSubject:
      return "no_subject";
    case Refusal::kSubjectMismatch:
      return "subject_mismatch";
    case Refusal::kBadTime:
      return "bad_time";
    case Refusal::kNoTime:
      return "no_time";
    case Refusal::kUnknownFact:
      return "unknown_fact";
    case Refusal::kWrongType:
      return "wrong_type";
    case Refusal::kNotOwner:
      return "not_owner";
    case Refusal::kNotNullable:
      return "not_nullable";
    case Refusal::kTooDeep:
      return "too_deep";
    case Refusal::kTooMany:
      return "too_many";
  }
  return "none";
}

Profile::Profile(std::shared_ptr<const Schema> schema)
    : schema_(std::move(schema)),
      slots_(schema_->tree_->absent),
      times_(slots_.size(), Instant{}),
      arena_(std::make_unique<value::Arena>()),
      compact_at_(kCompactFrom) {}

Profile::Profile(Profile&&) noexcept = default;
Profile& Profile::operator=(Profile&&) noexcept = default;
Profile::~Profile() = default;

void Profile::Clear() {
  slots_ = schema_->tree_->absent;
  times_.assign(slots_.size(), Instant{});
  arena_->Reset();
}

bool Profile::Dead() const {
  const std::optional<std::uint32_t> slot = schema_->alive_unless();
  return slot && Has(*slot) && !slots_[*slot].is(value::Kind::kNull);
}

std::expected<MergeReport, Refused> Profile::Merge(const Event& event) {
  const SchemaTree& tree = *schema_->tree_;
  MergeReport report;
  if (event.kind != schema_->kind()) {
    return std::unexpected(Refused{Refusal::kUnknownKind, "kind: expected " + schema_->kind()});
  }
  if (event.action == Action::kForget) {
    for (std::uint32_t slot = 0; slot < slots_.size(); ++slot) {
      if (Has(slot)) report.changed.push_back(slot);
    }
    slots_ = tree.absent;
    std::fill(times_.begin(), times_.end(), Instant{});
    arena_->Reset();
    return report;
  }
  const auto source = std::find(tree.sources.begin(), tree.sources.end(), event.source);
  if (source == tree.sources.end()) {
    return std::unexpected(Refused{Refusal::kNotOwner, "source: owns no fact of " + schema_->kind()});
  }
  const auto source_index = static_cast<std::uint32_t>(source - tree.sources.begin());
  const bool replace = event.action == Action::kReplace;
  Scratch& scratch = ThreadScratch(tree);
  Walker walker(*schema_, tree, slots_, source_index, replace ? Mode::kReplace : Mode::kPatch, arena_.get(), &scratch);
  if (!walker.Read(event.data)) {
    Compact();
    return std::unexpected(std::move(walker.refused()));
  }
  if (replace) {
    for (std::uint32_t slot = 0; slot < slots_.size(); ++slot) {
      if (tree.source_of[slot] == source_index && scratch.slots[slot] == 0) {
        scratch.Stage(slot, tree.absent[slot]);
      }
    }
  }
  for (const Staged& staged : scratch.all()) {
    if (event.time < times_[staged.slot]) {
      ++report.stale;
      continue;
    }
    if (!Same(slots_[staged.slot], staged.value)) report.changed.push_back(staged.slot);
    slots_[staged.slot] = staged.value;
    times_[staged.slot] = event.time;
  }
  std::sort(report.changed.begin(), report.changed.end());
  Compact();
  return report;
}

std::expected<void, Refused> Profile::SetFromJson(std::string_view text, const Schema* also) {
  const SchemaTree& tree = *schema_->tree_;
  Scratch& scratch = ThreadScratch(tree);
  Walker walker(*schema_, tree, slots_, kNoIndex, Mode::kSet, arena_.get(), &scratch,
                also == nullptr ? nullptr : also->tree_.get());
  if (!walker.Read(text)) {
    Compact();
    return std::unexpected(std::move(walker.refused()));
  }
  for (const Staged& staged : scratch.all()) slots_[staged.slot] = staged.value;
  Compact();
  return {};
}

// Values that were replaced stay in the arena; once they may be the larger part, what is live moves to a fresh one.
void Profile::Compact() {
  if (arena_->bytes_used() <= compact_at_) return;
  auto fresh = std::make_unique<value::Arena>();
  for (Value& v : slots_) {
    if (!v.is(value::Kind::kUnknown)) v = value::DeepCopy(v, *fresh);
  }
  arena_ = std::move(fresh);
  compact_at_ = std::max(kCompactFrom, 2 * arena_->bytes_used());
}

std::string Profile::ToJson() const {
  std::string out;
  AppendJson(*schema_->tree_, schema_->tree_->groups.front(), slots_, &out);
  return out;
}

}  // namespace zhitui::facts
