#include "facts/tree.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace zhitui::facts {
namespace {

FieldIds IdsOf(const FactDef& def) {
  const FactDef& record = def.type == FactType::kList ? def.element.front() : def;
  FieldIds out;
  for (const FactDef& field : record.fields) {
    out.ids.push_back(StoredId(field.name));
    out.nested.push_back(IdsOf(field));
  }
  return out;
}

}  // namespace

// Up to eight bytes as two parts that may overlap: no loop over bytes. Names of up to eight bytes with the same head
// and size are equal.
std::uint64_t NameTable::Head(std::string_view name) {
  const char* p = name.data();
  const std::size_t n = name.size();
  if (n >= 8) {
    std::uint64_t w = 0;
    std::memcpy(&w, p, 8);
    return w;
  }
  if (n >= 4) {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    std::memcpy(&low, p, 4);
    std::memcpy(&high, p + n - 4, 4);
    return low | (std::uint64_t{high} << 32);
  }
  std::uint64_t w = 0;
  for (std::size_t i = 0; i < n; ++i) w = (w << 8) | static_cast<unsigned char>(p[i]);
  return w;
}

std::size_t NameTable::Hash(std::string_view name, std::uint64_t head) {
  constexpr std::uint64_t kFactor = 0x9E3779B97F4A7C15ULL;
  std::uint64_t h = (head ^ name.size()) * kFactor;
  if (name.size() > 8) {
    const std::uint64_t tail = Head(name.substr(name.size() - 8));
    h = (h ^ (h >> 32) ^ tail) * kFactor;
  }
  return static_cast<std::size_t>(h ^ (h >> 32));
}

void NameTable::Insert(Cell cell) {
  std::size_t i = Hash(cell.name, cell.head) & (cells_.size() - 1);
  while (cells_[i].index != kNoIndex) i = (i + 1) & (cells_.size() - 1);
  cells_[i] = std::move(cell);
}

void NameTable::Add(std::string_view name, std::uint32_t index) {
  if ((used_ + 1) * 2 > cells_.size()) {
    std::vector<Cell> old = std::exchange(cells_, std::vector<Cell>(std::max<std::size_t>(8, cells_.size() * 2)));
    for (Cell& cell : old) {
      if (cell.index != kNoIndex) Insert(std::move(cell));
    }
  }
  Insert({Head(name), static_cast<std::uint32_t>(name.size()), index, std::string(name)});
  ++used_;
}

std::uint32_t NameTable::Find(std::string_view name) const {
  if (cells_.empty()) return kNoIndex;
  const std::uint64_t head = Head(name);
  std::size_t i = Hash(name, head) & (cells_.size() - 1);
  while (cells_[i].index != kNoIndex) {
    const Cell& cell = cells_[i];
    if (cell.head == head && cell.size == name.size() && (name.size() <= 8 || cell.name == name)) return cell.index;
    i = (i + 1) & (cells_.size() - 1);
  }
  return kNoIndex;
}

SchemaTree::Child::Child(std::string segment) : name(std::move(segment)), token(name + "\":") {
  const auto word = [&](std::size_t from, std::uint64_t* bytes, std::uint64_t* mask) {
    for (std::size_t i = from; i < std::min(token.size(), from + 8); ++i) {
      *bytes |= std::uint64_t{static_cast<unsigned char>(token[i])} << (8 * (i - from));
      *mask |= std::uint64_t{0xFF} << (8 * (i - from));
    }
  };
  size = static_cast<std::uint32_t>(token.size());
  word(0, &first, &first_mask);
  word(8, &second, &second_mask);
}

std::uint32_t StoredId(std::string_view name) {
  const auto digest = Sha256(name);
  std::uint32_t id = 0;
  std::memcpy(&id, digest.data(), sizeof id);
  if constexpr (std::endian::native == std::endian::big) id = std::byteswap(id);
  return id & 0x0FFFFFFF;
}

std::uint32_t SchemaTree::SlotOfId(std::uint32_t id) const {
  std::size_t i = id & (id_slots.size() - 1);
  while (id_slots[i] != kNoIndex) {
    if (ids[id_slots[i]] == id) return id_slots[i];
    i = (i + 1) & (id_slots.size() - 1);
  }
  return kNoIndex;
}

bool SchemaTree::Declares(std::string_view path, std::string_view name) const {
  if (path.empty() && dotted.Find(name) != kNoIndex) return true;
  return std::any_of(groups.begin(), groups.end(),
                     [&](const Group& group) { return group.path == path && group.names.Find(name) != kNoIndex; });
}

void SchemaTree::AddName(const std::string& name, std::uint32_t slot) {
  if (groups.empty()) groups.emplace_back();
  if (name.find('.') != std::string::npos) dotted.Add(name, slot);
  std::uint32_t group = 0;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t dot = name.find('.', begin);
    const std::string segment = name.substr(begin, dot == std::string::npos ? dot : dot - begin);
    std::uint32_t child = groups[group].names.Find(segment);
    if (child == kNoIndex) {
      child = static_cast<std::uint32_t>(groups[group].children.size());
      groups[group].names.Add(segment, child);
      groups[group].children.emplace_back(segment);
    }
    if (dot == std::string::npos) {
      groups[group].children[child].slot = slot;
      return;
    }
    if (groups[group].children[child].group == kNoIndex) {
      groups[group].children[child].group = static_cast<std::uint32_t>(groups.size());
      Group next;
      next.path = name.substr(0, dot);
      groups.push_back(std::move(next));
    }
    group = groups[group].children[child].group;
    begin = dot + 1;
  }
}

void SchemaTree::Finish(const std::vector<FactDef>& facts) {
  if (groups.empty()) groups.emplace_back();
  const auto n = static_cast<std::uint32_t>(facts.size());
  for (std::uint32_t slot = 0; slot < n; ++slot) numbers.push_back(slot);
  for (std::uint32_t slot = 0; slot < n; ++slot) unknowns.push_back({1, &numbers[slot]});
  id_slots.assign(std::bit_ceil(std::max<std::size_t>(8, std::size_t{n} * 2)), kNoIndex);
  for (std::uint32_t slot = 0; slot < n; ++slot) {
    absent.push_back(Value::Unknown(&unknowns[slot]));
    ids.push_back(StoredId(facts[slot].name));
    fields.push_back(IdsOf(facts[slot]));
    plain.push_back({facts[slot].type, facts[slot].nullable});
    const FactDef& coded = facts[slot].type == FactType::kList ? facts[slot].element.front() : facts[slot];
    NameTable& table = codes.emplace_back();
    for (std::uint32_t i = 0; i < coded.values.size(); ++i) {
      if (table.Find(coded.values[i]) == kNoIndex) table.Add(coded.values[i], i);
    }
    std::size_t i = ids[slot] & (id_slots.size() - 1);
    while (id_slots[i] != kNoIndex) i = (i + 1) & (id_slots.size() - 1);
    id_slots[i] = slot;
    const auto source = std::find(sources.begin(), sources.end(), facts[slot].source);
    source_of.push_back(static_cast<std::uint32_t>(source - sources.begin()));
    if (source == sources.end()) sources.push_back(facts[slot].source);
  }
}

}  // namespace zhitui::facts
