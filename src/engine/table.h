#pragma once

// The engine on one day: for each fact the class of a value, for each class the rows of alternatives that it leaves.

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "engine/kernels.h"
#include "engine/model.h"

namespace zhitui::engine {

// Finds the class of a text among the listed ones. Texts of up to 16 bytes are compared as two words.
class WordIndex {
 public:
  void Add(std::string word, std::uint16_t number);
  void Finish();  // after the last Add
  static constexpr std::uint16_t kMissing = 0xffff;
  // kMissing: not listed.
  std::uint16_t Find(std::string_view word) const {
    if (table_.empty()) return kMissing;
    const Entry e = EntryOf(word);
    for (std::uint64_t at = Hash(e) & mask_;; at = (at + 1) & mask_) {
      const Entry& other = table_[at];
      if (other.number == kMissing) return kMissing;
      if (other.a != e.a || other.b != e.b || other.size != e.size) continue;
      if (e.size <= 16 || words_[long_words_[at]].first == word) return other.number;
    }
  }

 private:
  struct Entry {
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    std::uint32_t size = 0;
    std::uint16_t number = kMissing;
  };
  template <class Word>
  static std::uint64_t Load(const char* p) {
    Word out;
    std::memcpy(&out, p, sizeof(out));
    return out;
  }
  static Entry EntryOf(std::string_view word) {
    const std::size_t n = word.size();
    const char* p = word.data();
    Entry out;
    out.size = static_cast<std::uint32_t>(n);
    if (n >= 8) {
      out.a = Load<std::uint64_t>(p);
      out.b = Load<std::uint64_t>(p + n - 8);
    } else if (n >= 4) {
      out.a = Load<std::uint32_t>(p);
      out.b = Load<std::uint32_t>(p + n - 4);
    } else if (n > 0) {
      out.a = Load<std::uint8_t>(p);
      out.b = Load<std::uint8_t>(p + n / 2) << 8 | Load<std::uint8_t>(p + n - 1);
    }
    return out;
  }
  std::uint64_t Hash(const Entry& e) const {
    const std::uint64_t h = (e.a ^ std::rotl(e.b, 32) ^ e.size) * factor_;
    return h ^ h >> 32;
  }
  std::size_t Fill(std::uint64_t factor);  // gives how many words are not at their first place

  std::vector<std::pair<std::string, std::uint16_t>> words_;
  std::vector<Entry> table_;
  std::vector<std::uint32_t> long_words_;  // of each place of the table: index into words_
  std::uint64_t mask_ = 0;
  std::uint64_t factor_ = 1;
};

// The rows that a class leaves, as offsets into Table::Impl::rows. The two are equal unless it leaves an answer open.
struct RowPair {
  std::uint32_t certain = 0;
  std::uint32_t possible = 0;
};

inline constexpr std::uint16_t kCutsInPart = 4;

struct FactTable {
  std::uint32_t slot = 0;
  std::uint32_t position = 0;  // at which its row is ANDed: what leaves the fewest alternatives comes first
  Key key = Key::kInt;
  std::uint8_t scale = 0;  // kDecimal, as Fact::scale
  std::uint16_t null = 0;
  std::uint16_t absent = 0;
  std::uint16_t classes = 0;

  // Ordered: class i holds the keys from cuts[i - 1] up to cuts[i]. The range of the cuts is divided into equal parts,
  // of which none holds more than `most_in_part` cuts: so many comparisons find the class. kCutsInPart, or more where
  // the cuts crowd.
  std::uint16_t most_in_part = 0;
  std::uint8_t part_shift = 0;
  std::int64_t below = 0;          // the number before the first cut
  std::int64_t high = 0;           // the last cut
  std::vector<std::int64_t> cuts;  // and most_in_part of the highest number
  std::vector<std::uint16_t> first_of_part;

  // Text, and the texts asked for in a list.
  std::vector<std::uint16_t> of_code;  // by number of a declared code: the class, or its bit in the class of a list
  WordIndex words;
  WordIndex prefixes;                       // -> class of the texts that begin with it and are not listed
  std::vector<std::uint32_t> prefix_sizes;  // the longest first
  std::uint16_t other = 0;

  std::vector<RowPair> rows;         // of each class
  std::vector<std::uint32_t> later;  // possible on this or any later day

  // Of each class and condition of the fact, for columns.
  std::vector<std::vector<Truth>> truths;  // [condition in Fact::conditions][class]

  std::uint16_t ClassOfText(const Value& v) const {
    if (const std::uint16_t number = v.CodeNumber(); number != 0 && number < of_code.size()) return of_code[number];
    return ClassOfText(v.AsString());
  }
  std::uint16_t ClassOfText(std::string_view text) const {
    const std::uint16_t found = words.Find(text);
    return found != WordIndex::kMissing ? found : ClassOfUnlisted(text);
  }
  std::uint16_t ClassOfUnlisted(std::string_view text) const;
  std::uint16_t ClassOfList(std::span<const Value> elements) const;
};

// What a look-up needs of a FactTable, in one cache line.
struct alignas(64) HotFact {
  const std::int64_t* cuts = nullptr;
  const std::uint16_t* first_of_part = nullptr;
  const RowPair* rows = nullptr;
  const FactTable* words = nullptr;
  std::int64_t below = 0;
  std::int64_t high = 0;
  std::uint32_t slot = 0;
  std::uint16_t position = 0;
  std::uint16_t null = 0;
  std::uint16_t absent = 0;
  std::uint16_t most_in_part = 0;
  Key key = Key::kInt;
  std::uint8_t part_shift = 0;
  std::uint8_t scale = 0;

  explicit HotFact(const FactTable& fact);

  std::uint16_t ClassOf(const Value& v) const {
    if (v.is(value::Kind::kUnknown)) return absent;
    if (v.is(value::Kind::kNull)) return null;
    switch (key) {
      case Key::kString:
        return words->ClassOfText(v);
      case Key::kSet:
        return words->ClassOfList(v.AsList());
      case Key::kDecimal:
        return ClassOfNumber(DecimalKey(v, scale));
      default:
        return ClassOfNumber(v.AsInt());
    }
  }
  // ClassOf for a fact of Family::kNumbers, in which no branch depends on the value: those would be guessed wrong as
  // often as not.
  std::uint16_t ClassOfPlain(const Value& v) const {
    const std::uint16_t number = ClassInPart(v.AsInt());
    const std::uint16_t known = v.is(value::Kind::kNull) ? null : number;
    return v.is(value::Kind::kUnknown) ? absent : known;
  }
  std::uint16_t ClassOfDecimal(const Value& v) const {
    if (!v.is(value::Kind::kDecimal) && !v.is(value::Kind::kInt)) [[unlikely]]
      return ClassOf(v);
    return ClassOfNumber(DecimalKey(v, scale));
  }
  std::uint16_t ClassOfCode(const Value& v) const {
    const std::uint16_t number = v.CodeNumber();
    return number != 0 && number < words->of_code.size() ? words->of_code[number] : ClassOf(v);
  }

 private:
  std::uint16_t ClassInPart(std::int64_t number) const {
    number = std::min(std::max(number, below), high);
    const std::uint64_t offset = static_cast<std::uint64_t>(number) - static_cast<std::uint64_t>(below);
    const std::uint16_t first = first_of_part[offset >> part_shift];
    const std::int64_t* const c = cuts + first;
    static_assert(kCutsInPart == 4);
    const int more = int{c[0] <= number} + int{c[1] <= number} + int{c[2] <= number} + int{c[3] <= number};
    return static_cast<std::uint16_t>(first + more);
  }
  std::uint16_t ClassOfNumber(std::int64_t number) const {
    if (most_in_part == kCutsInPart) return ClassInPart(number);
    const std::int64_t clamped = std::min(std::max(number, below), high);
    const std::uint64_t offset = static_cast<std::uint64_t>(clamped) - static_cast<std::uint64_t>(below);
    const std::uint16_t first = first_of_part[offset >> part_shift];
    const std::int64_t* const c = cuts + first;
    return static_cast<std::uint16_t>(std::upper_bound(c, c + most_in_part, clamped) - cuts);
  }
};
static_assert(sizeof(HotFact) == 64 || sizeof(void*) != 8);

// Facts that are looked up alike. A loop over one family takes the same branches every time.
enum class Family : std::uint8_t { kNumbers, kDecimals, kCodes, kOthers };
inline constexpr std::size_t kFamilies = 4;

struct Computed {
  std::uint32_t condition = 0;
  bool constant = false;  // reads no fact: found once for the table
  Truth truth = Truth::kOpen;
};

// That an alternative needs a computed condition, true or false.
struct Need {
  std::uint32_t alternative = 0;
  std::uint32_t computed = 0;  // index into Table::Impl::computed
  Truth wanted = Truth::kTrue;
};

struct Table::Impl {
  std::shared_ptr<const Model> model;
  Date day;
  const Kernels* kernels = nullptr;
  std::size_t blocks = 0;                             // of kWordsOfBlock words
  std::vector<FactTable> facts;                       // by slot, so that a profile is read from its begin to its end
  std::vector<HotFact> hot;                           // the same by family, and by slot within it
  std::array<std::size_t, kFamilies + 1> families{};  // where each begins in `hot`, and the end
  std::vector<std::uint32_t> hot_of_fact;             // of each of `facts`
  std::vector<const RowPair*> rows_at;                // by position
  std::vector<std::uint32_t> fact_of_slot;
  std::vector<Computed> computed;
  std::vector<std::uint64_t> needing;               // alternatives that need a computed condition
  std::vector<Need> needs;                          // sorted by alternative
  std::vector<std::uint32_t> needs_of_word;         // the first of each word's, and the end
  std::vector<std::uint64_t> rows;                  // the first one is all ones
  std::vector<std::uint64_t> live;                  // alternatives of rules in force today
  std::vector<std::uint64_t> live_later;            // … or on a later day
  std::vector<std::vector<std::uint32_t>> of_rule;  // rule -> alternatives
  // Blocks that have a literal on the fact, or the computed condition: bit b % 64 for block b.
  std::vector<std::uint64_t> blocks_of_fact;
  std::vector<std::uint64_t> blocks_of_computed;
  std::vector<std::vector<std::uint32_t>> computed_of_slot;  // indexes into computed
  std::size_t distinct_classes = 0;

  std::size_t words() const { return blocks * kWordsOfBlock; }
  std::size_t rule_words() const { return (model->rules.size() + 63) / 64; }
  const std::uint64_t* row(std::uint32_t offset) const { return rows.data() + offset; }
  const HotFact& HotOf(std::size_t fact) const { return hot[hot_of_fact[fact]]; }
};

std::unique_ptr<const Table::Impl> MakeTable(std::shared_ptr<const Model> model, Date day);

}  // namespace zhitui::engine
