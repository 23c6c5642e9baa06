#pragma once

// Reads facts straight from JSON text in one pass, without an index of it. Inside the facts room only.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "facts/tree.h"

namespace zhitui::facts {

enum class Mode : std::uint8_t { kPatch, kReplace, kSet };

struct Staged {
  std::uint32_t slot = 0;
  Value value;  // Unknown: absent
};

// Working memory of one thread, kept between calls.
struct Scratch {
  std::vector<Value> values;
  std::vector<Staged> staged;        // as many as there are facts; those before `count` are meant
  std::size_t count = 0;             // each fact is staged once
  std::vector<std::uint8_t> slots;   // named already
  std::vector<std::uint8_t> groups;  // named already

  void Clear(const SchemaTree& tree);
  void Stage(std::uint32_t slot, const Value& value) { staged[count++] = {slot, value}; }
  std::span<const Staged> all() const { return std::span(staged).first(count); }
};

// Takes what producers write as a rule: names in the order of the declaration or in another, no escapes, no exponents,
// every value as declared. It accepts nothing that the walk over simdjson refuses and gives the same values; whatever
// is out of the ordinary, mistakes included, it leaves to that walk, which knows what to say.
class StraightReader {
 public:
  // `current` and `source` as for the walk: what the profile holds, and the source whose facts may be set.
  StraightReader(const Schema& schema, const SchemaTree& tree, const std::vector<Value>& current, std::uint32_t source,
                 Mode mode, value::Arena* arena, Scratch* scratch)
      : facts_(schema.facts()),
        tree_(tree),
        current_(current),
        source_(source),
        mode_(mode),
        arena_(*arena),
        scratch_(*scratch) {}

  // Fills scratch.staged; values point into `text`, which is followed by at least 32 bytes that may be read, the first
  // of them 0. False: not read; the scratch is in disorder.
  bool Read(std::string_view text);

 private:
  // Each takes the place where its part begins and gives the place behind it; nullptr: left to the walk.
  const char* ReadGroup(const char* p, std::uint32_t group);
  const char* FindName(const char* p, const SchemaTree::Group& group, const SchemaTree::Child** child,
                       std::uint32_t* slot);
  const char* ReadFact(const char* p, std::uint32_t slot);
  const char* ReadValue(const char* p, FactType type, const FactDef& def, const NameTable* codes, Value* out);
  const char* ReadText(const char* p, std::string_view* text);
  const char* ReadCode(const char* p, const FactDef& def, const NameTable* codes, Value* out);
  const char* ReadTime(const char* p, Value* out);
  const char* ReadList(const char* p, const FactDef& def, const NameTable* codes, Value* out);
  const char* ReadRecord(const char* p, const FactDef& def, Value* out);

  const std::vector<FactDef>& facts_;
  const SchemaTree& tree_;
  const std::vector<Value>& current_;
  std::uint32_t source_;
  Mode mode_;
  value::Arena& arena_;
  Scratch& scratch_;
  std::uint64_t above_ascii_ = 0;  // a byte of UTF-8 was met
};

}  // namespace zhitui::facts
