#include "facts/straight.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "facts/convert.h"

namespace zhitui::facts {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHighs = 0x8080808080808080;
constexpr std::ptrdiff_t kMaxDigits =
    18;  // of a number, so that it fits 64 bits; a digit more is not what has to follow

std::uint64_t Load(const char* p) {
  std::uint64_t w = 0;
  std::memcpy(&w, p, sizeof w);
  return w;
}

// The high bit of each byte that is zero, exact up to the first of them (Mycroft, 1987).
std::uint64_t Zeros(std::uint64_t w) { return (w - kOnes) & ~w & kHighs; }

// The high bit of each byte that ends plain text: a quote, a backslash, a control character; exact up to the first.
std::uint64_t Ends(std::uint64_t w) {
  return Zeros(w ^ (kOnes * '"')) | Zeros(w ^ (kOnes * '\\')) | ((w - kOnes * 0x20) & ~w & kHighs);
}

bool IsDigit(char c) { return static_cast<unsigned char>(c - '0') <= 9; }

const char* Blank(const char* p) {
  if (static_cast<unsigned char>(*p) > ' ') [[likely]]
    return p;
  while (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t') ++p;
  return p;
}

// Behind the word; that it ends there is seen by what has to come next.
template <std::size_t N>
const char* Word(const char* p, const char (&word)[N]) {
  return std::memcmp(p, word, N - 1) == 0 ? p + N - 1 : nullptr;
}

const char* ReadInt(const char* p, Value* out) {
  const bool negative = *p == '-';
  if (negative) ++p;
  const char* begin = p;
  std::int64_t v = 0;
  while (IsDigit(*p) && p - begin < kMaxDigits) v = v * 10 + (*p++ - '0');
  if (p == begin || (*begin == '0' && p - begin > 1)) return nullptr;
  *out = Value::Int(negative ? -v : v);
  return p;
}

const char* ReadDecimal(const char* p, FactType type, Value* out) {
  const bool quoted = *p == '"';
  if (quoted) ++p;
  const bool negative = *p == '-';
  if (negative) ++p;
  const char* begin = p;
  std::int64_t v = 0;
  while (IsDigit(*p) && p - begin < kMaxDigits) v = v * 10 + (*p++ - '0');
  if (p == begin || (*begin == '0' && p - begin > 1)) return nullptr;
  std::ptrdiff_t scale = 0;
  if (*p == '.') {
    const char* point = p++;
    while (IsDigit(*p) && p - begin <= kMaxDigits) v = v * 10 + (*p++ - '0');
    scale = p - point - 1;
    if (scale == 0 || (type == FactType::kMoney && scale > kMoneyScale)) return nullptr;
  }
  if (quoted && *p++ != '"') return nullptr;
  *out = Value::OfDecimal({negative ? -v : v, static_cast<std::uint8_t>(scale)});
  return p;
}

// "2026-03-01": the digits of a word at once.
const char* ReadDate(const char* p, Value* out) {
  const std::uint64_t w = Load(p + 1) ^ 0x2D30302D30303030;  // "0000-00-", so that digits are their values
  const char* last = p + 9;
  if (*p != '"' || (w & 0xFFF0F0FFF0F0F0F0) != 0 || ((w + 0x0606060606060606) & 0xF0F0F0F0F0F0F0F0) != 0 ||
      !IsDigit(last[0]) || !IsDigit(last[1]) || last[2] != '"') {
    return nullptr;
  }
  const auto digit = [&](unsigned i) { return static_cast<unsigned>(w >> (8 * i)) & 0xF; };
  const unsigned year = digit(0) * 1000 + digit(1) * 100 + digit(2) * 10 + digit(3);
  const unsigned month = digit(5) * 10 + digit(6);
  const auto day = static_cast<unsigned>((last[0] - '0') * 10 + (last[1] - '0'));
  const std::chrono::year_month_day ymd(std::chrono::year(static_cast<int>(year)), std::chrono::month(month),
                                        std::chrono::day(day));
  if (year == 0 || !ymd.ok()) return nullptr;
  *out = Value::OfDate(std::chrono::local_days(ymd));
  return p + 12;
}

bool Names(const char* p, const SchemaTree::Child& child) {
  if ((((Load(p) ^ child.first) & child.first_mask) | ((Load(p + 8) ^ child.second) & child.second_mask)) != 0) {
    return false;
  }
  return child.size <= 16 || std::strncmp(p + 16, child.token.data() + 16, child.size - 16) == 0;
}

const value::UnknownSet kNoSlots{};

}  // namespace

void Scratch::Clear(const SchemaTree& tree) {
  values.clear();
  staged.resize(tree.absent.size());
  count = 0;
  slots.assign(tree.absent.size(), 0);
  groups.assign(tree.groups.size(), 0);
}

bool StraightReader::Read(std::string_view text) {
  if constexpr (std::endian::native != std::endian::little) return false;
  // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage): a zero follows the text, see the declaration
  const char* p = ReadGroup(Blank(text.data()), 0);
  if (p == nullptr || Blank(p) != text.data() + text.size()) return false;
  return above_ascii_ == 0 || simdjson::validate_utf8(text.data(), text.size());
}

const char* StraightReader::ReadGroup(const char* p, std::uint32_t index) {
  const SchemaTree::Group& group = tree_.groups[index];
  if (*p != '{') return nullptr;
  p = Blank(p + 1);
  if (*p == '}') return p + 1;
  // Producers mostly write names in one order: that of the declaration is tried first.
  const SchemaTree::Child* next = group.children.data();
  const SchemaTree::Child* const end = next + group.children.size();
  for (;;) {
    if (*p != '"') return nullptr;
    const SchemaTree::Child* child = next;
    std::uint32_t slot = kNoIndex;
    if (next != end && Names(p + 1, *next)) {
      p += 1 + child->size;
    } else {
      p = FindName(p, group, &child, &slot);
      if (p == nullptr) return nullptr;
    }
    if (child != nullptr) {
      next = child + 1;
      slot = child->slot;
    }
    p = Blank(p);
    if (slot != kNoIndex) {
      p = ReadFact(p, slot);
    } else {
      if (std::exchange(scratch_.groups[child->group], std::uint8_t{1}) != 0) return nullptr;
      p = ReadGroup(p, child->group);
    }
    if (p == nullptr) return nullptr;
    p = Blank(p);
    if (*p == '}') return p + 1;
    if (*p != ',') return nullptr;
    p = Blank(p + 1);
  }
}

// The child of that name; or none, and the slot of a fact of the whole kind.
const char* StraightReader::FindName(const char* p, const SchemaTree::Group& group, const SchemaTree::Child** child,
                                     std::uint32_t* slot) {
  const SchemaTree::Child* after = *child + 1;  // one fact is missing
  const SchemaTree::Child* const end = group.children.data() + group.children.size();
  if (*child != end && after != end && Names(p + 1, *after)) {
    *child = after;
    return p + 1 + after->size;
  }
  std::string_view name;
  p = ReadText(p, &name);
  if (p == nullptr) return nullptr;
  p = Blank(p);
  if (*p != ':') return nullptr;
  const std::uint32_t i = group.names.Find(name);
  *child = i == kNoIndex ? nullptr : &group.children[i];
  if (i == kNoIndex && &group == &tree_.groups.front()) *slot = tree_.dotted.Find(name);
  return i == kNoIndex && *slot == kNoIndex ? nullptr : p + 1;
}

const char* StraightReader::ReadFact(const char* p, std::uint32_t slot) {
  if (std::exchange(scratch_.slots[slot], std::uint8_t{1}) != 0) return nullptr;
  if (mode_ != Mode::kSet && tree_.source_of[slot] != source_) return nullptr;
  const SchemaTree::Plain plain = tree_.plain[slot];
  if (*p == 'n') {
    if (mode_ == Mode::kSet && !plain.nullable) return nullptr;
    scratch_.Stage(slot, plain.nullable ? Value::Null() : tree_.absent[slot]);
    return Word(p, "null");
  }
  // A record that is there is merged into (RFC 7396).
  if (plain.type == FactType::kRecord && mode_ != Mode::kReplace && current_[slot].is(value::Kind::kMap)) {
    return nullptr;
  }
  Value value;
  p = ReadValue(p, plain.type, facts_[slot], &tree_.codes[slot], &value);
  scratch_.Stage(slot, value);
  return p;
}

const char* StraightReader::ReadValue(const char* p, FactType type, const FactDef& def, const NameTable* codes,
                                      Value* out) {
  switch (type) {
    case FactType::kBool: {
      const bool yes = *p == 't';
      *out = Value::Bool(yes);
      return yes ? Word(p, "true") : Word(p, "false");
    }
    case FactType::kInt:
      p = ReadInt(p, out);
      return p != nullptr && (def.min || def.max) && !InRange(def, *out) ? nullptr : p;
    case FactType::kDecimal:
    case FactType::kMoney:
      p = ReadDecimal(p, type, out);
      return p != nullptr && (def.min || def.max) && !InRange(def, *out) ? nullptr : p;
    case FactType::kString: {
      std::string_view text;
      p = ReadText(p, &text);
      *out = Value::String(text);
      return p;
    }
    case FactType::kCode:
      return ReadCode(p, def, codes, out);
    case FactType::kDate:
      return ReadDate(p, out);
    case FactType::kTimestamp:
      return ReadTime(p, out);
    case FactType::kList:
      return ReadList(p, def, codes, out);
    case FactType::kRecord:
      return ReadRecord(p, def, out);
  }
  return nullptr;
}

const char* StraightReader::ReadText(const char* p, std::string_view* text) {
  if (*p != '"') return nullptr;
  const char* begin = ++p;
  std::uint64_t w = Load(p);
  std::uint64_t ends = Ends(w);
  while (ends == 0) {
    above_ascii_ |= w & kHighs;
    p += 8;
    w = Load(p);
    ends = Ends(w);
  }
  above_ascii_ |= w & kHighs & ((ends & (0 - ends)) - 1);
  p += std::countr_zero(ends) / 8;
  *text = {begin, static_cast<std::size_t>(p - begin)};
  return *p == '"' ? p + 1 : nullptr;
}

const char* StraightReader::ReadCode(const char* p, const FactDef& def, const NameTable* codes, Value* out) {
  std::string_view text;
  p = ReadText(p, &text);
  if (p == nullptr || text.empty()) return nullptr;
  if (def.values.empty()) {
    *out = Value::String(text);
    return p;
  }
  if (codes != nullptr) {
    const std::uint32_t i = codes->Find(text);
    if (i == kNoIndex) return nullptr;
    *out = Value::Code(text, static_cast<std::uint16_t>(i + 1));
    return p;
  }
  const std::optional<std::uint16_t> number = CodeNumber(def, text);
  if (!number) return nullptr;
  *out = Value::Code(text, *number);
  return p;
}

const char* StraightReader::ReadTime(const char* p, Value* out) {
  std::string_view text;
  p = ReadText(p, &text);
  if (p == nullptr) return nullptr;
  const Result<Instant> at = ParseInstant(text);
  if (!at) return nullptr;
  *out = TimestampOf(*at);
  return p;
}

const char* StraightReader::ReadList(const char* p, const FactDef& def, const NameTable* codes, Value* out) {
  if (*p != '[') return nullptr;
  p = Blank(p + 1);
  if (*p == ']') {
    *out = Value::List({});
    return p + 1;
  }
  const FactDef& element = def.element.front();
  const std::size_t base = scratch_.values.size();
  for (;;) {
    if (scratch_.values.size() - base >= def.max_items) return nullptr;
    Value v;
    if (*p == 'n') {
      p = element.nullable ? Word(p, "null") : nullptr;
    } else {
      p = ReadValue(p, element.type, element, codes, &v);
    }
    if (p == nullptr) return nullptr;
    scratch_.values.push_back(v);
    p = Blank(p);
    if (*p == ']') break;
    if (*p != ',') return nullptr;
    p = Blank(p + 1);
  }
  const std::size_t n = scratch_.values.size() - base;
  Value* items = arena_.NewArray<Value>(n);
  std::copy_n(scratch_.values.begin() + static_cast<std::ptrdiff_t>(base), n, items);
  scratch_.values.resize(base);
  *out = Value::List({items, n});
  return p + 1;
}

// Fields stand in the order of their declaration, as the walk puts them.
const char* StraightReader::ReadRecord(const char* p, const FactDef& def, Value* out) {
  if (*p != '{') return nullptr;
  p = Blank(p + 1);
  const std::size_t base = scratch_.values.size();
  const std::size_t n = def.fields.size();
  scratch_.values.resize(base + n, Value::Unknown(&kNoSlots));
  std::size_t present = 0;
  std::size_t expected = 0;
  while (*p != '}') {
    std::string_view name;
    p = ReadText(p, &name);
    if (p == nullptr) return nullptr;
    p = Blank(p);
    if (*p != ':') return nullptr;
    p = Blank(p + 1);
    std::size_t i = expected;
    if (i >= n || def.fields[i].name != name) {
      i = 0;
      while (i < n && def.fields[i].name != name) ++i;
      if (i == n) return nullptr;
    }
    expected = i + 1;
    const FactDef& field = def.fields[i];
    if (!scratch_.values[base + i].is(value::Kind::kUnknown)) return nullptr;
    Value v;
    if (*p == 'n') {
      p = field.nullable ? Word(p, "null") : nullptr;
    } else {
      p = ReadValue(p, field.type, field, nullptr, &v);
    }
    if (p == nullptr) return nullptr;
    scratch_.values[base + i] = v;
    ++present;
    p = Blank(p);
    if (*p == '}') break;
    if (*p != ',') return nullptr;
    p = Blank(p + 1);
    if (*p == '}') return nullptr;
  }
  value::MapEntry* entries = arena_.NewArray<value::MapEntry>(present);
  std::size_t at = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const Value& v = scratch_.values[base + i];
    if (!v.is(value::Kind::kUnknown)) entries[at++] = {Value::String(def.fields[i].name), v};
  }
  scratch_.values.resize(base);
  *out = Value::Map({entries, present});
  return p + 1;
}

}  // namespace zhitui::facts
