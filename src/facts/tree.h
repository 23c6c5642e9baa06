#pragma once

// The lookup tables of a schema, built once at load. Inside the facts room only.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "facts/facts.h"

namespace zhitui::facts {

inline constexpr std::uint32_t kNoIndex = 0xFFFFFFFF;

// Names -> small numbers; open addressing, built once.
class NameTable {
 public:
  void Add(std::string_view name, std::uint32_t index);  // distinct names; the table copies them
  std::uint32_t Find(std::string_view name) const;       // kNoIndex: not there

 private:
  struct Cell {
    std::string name;
    std::uint32_t index = kNoIndex;
  };
  static std::size_t Hash(std::string_view name);
  void Insert(Cell cell);

  std::vector<Cell> cells_;
  std::size_t used_ = 0;
};

// The name of a fact or of a record's field as stored records know it: 28 bits of its SHA-256.
std::uint32_t StoredId(std::string_view name);

// The stored ids of a record's fields (or of those of a list's records), in the order of FactDef::fields.
struct FieldIds {
  std::vector<std::uint32_t> ids;
  std::vector<FieldIds> nested;  // one per field
};

struct SchemaTree {
  struct Child {
    std::string name;  // the segment
    std::uint32_t slot = kNoIndex;
    std::uint32_t group = kNoIndex;  // exactly one of the two is set
  };
  struct Group {
    std::string path;  // "hukou"; empty for the root
    std::vector<Child> children;
    NameTable names;  // segment -> index into children
  };
  std::vector<Group> groups;  // 0 is the root
  NameTable dotted;           // "hukou.city" -> slot; only names with a dot

  std::vector<std::uint32_t> numbers;       // 0, 1, 2 …: what the unknown sets point to
  std::vector<value::UnknownSet> unknowns;  // one per slot
  std::vector<Value> absent;                // a profile about which nothing is known
  std::vector<std::uint32_t> ids;           // StoredId of each slot
  std::vector<FieldIds> fields;             // of each slot
  std::vector<std::uint32_t> id_slots;      // open addressing over ids; a power of two
  std::vector<std::uint32_t> source_of;     // index of the owning source
  std::vector<std::string> sources;

  std::uint32_t SlotOfId(std::uint32_t id) const;
  // A fact or group of that name in the group of that path; at the root a dotted name too.
  bool Declares(std::string_view path, std::string_view name) const;
  void AddName(const std::string& name, std::uint32_t slot);
  void Finish(const std::vector<FactDef>& facts);
};

}  // namespace zhitui::facts
