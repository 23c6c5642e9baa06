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
    std::uint64_t head = 0;  // the first bytes of the name, as Head gives them
    std::uint32_t size = 0;
    std::uint32_t index = kNoIndex;
    std::string name;
  };
  static std::uint64_t Head(std::string_view name);
  static std::size_t Hash(std::string_view name, std::uint64_t head);
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
    // The name as JSON has it, with quote and colon behind it: `token`, and its first 16 bytes as two little-endian
    // words with masks.
    std::uint64_t first = 0;
    std::uint64_t first_mask = 0;
    std::uint64_t second = 0;
    std::uint64_t second_mask = 0;
    std::uint32_t slot = kNoIndex;
    std::uint32_t group = kNoIndex;  // exactly one of the two is set
    std::uint32_t size = 0;          // of the token
    std::string name;                // the segment
    std::string token;

    explicit Child(std::string segment);
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
  struct Plain {
    FactType type;
    bool nullable;
  };
  std::vector<Plain> plain;              // what is looked at most, of each slot
  std::vector<NameTable> codes;          // of each slot: the codes that it, or the elements of its list, may have
  std::vector<std::uint32_t> source_of;  // index of the owning source
  std::vector<std::string> sources;

  std::uint32_t SlotOfId(std::uint32_t id) const;
  // A fact or group of that name in the group of that path; at the root a dotted name too.
  bool Declares(std::string_view path, std::string_view name) const;
  void AddName(const std::string& name, std::uint32_t slot);
  void Finish(const std::vector<FactDef>& facts);
};

}  // namespace zhitui::facts
