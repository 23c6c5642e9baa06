#pragma once

// The engine on one day: for each fact the class of a value, for each class the rows of alternatives that it leaves.

#include <array>
#include <cstdint>
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
  // kMissing: not listed.
  std::uint16_t Find(std::string_view word) const;
  static constexpr std::uint16_t kMissing = 0xffff;

 private:
  struct Entry {
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    std::uint32_t size = 0;
    std::uint16_t number = kMissing;
  };
  static Entry EntryOf(std::string_view word);
  static std::uint64_t Hash(const Entry& e);

  std::vector<std::pair<std::string, std::uint16_t>> words_;
  std::vector<Entry> table_;
  std::vector<std::uint32_t> long_words_;  // of each table place: index into words_, for texts over 16 bytes
  std::uint64_t mask_ = 0;
};

// The rows that a class leaves, as offsets into Table::Impl::rows. The two are equal unless it leaves an answer open.
struct RowPair {
  std::uint32_t certain = 0;
  std::uint32_t possible = 0;
};

struct FactTable {
  std::uint32_t slot = 0;
  std::uint32_t position = 0;  // at which its row is ANDed: what leaves the fewest alternatives comes first
  Key key = Key::kInt;
  std::uint8_t scale = 0;  // kDecimal, as Fact::scale
  std::uint16_t null = 0;
  std::uint16_t absent = 0;
  std::uint16_t classes = 0;

  // Ordered: class i holds the keys from cuts[i - 1] up to cuts[i]. The range of the cuts is divided into equal parts,
  // of which none holds more than `most_in_part` cuts: so many comparisons find the class.
  std::uint16_t most_in_part = 0;
  int part_shift = 0;
  std::int64_t low = 0;            // the first cut
  std::int64_t high = 0;           // the last cut
  std::vector<std::int64_t> cuts;  // and most_in_part of the highest number
  std::vector<std::uint16_t> first_of_part;

  // Text.
  WordIndex words;
  WordIndex prefixes;                       // -> class of the texts that begin with it and are not listed
  std::vector<std::uint32_t> prefix_sizes;  // the longest first
  std::uint16_t other = 0;

  std::vector<RowPair> rows;         // of each class
  std::vector<std::uint32_t> later;  // possible on this or any later day

  // Of each class and condition of the fact, for columns.
  std::vector<std::vector<Truth>> truths;  // [condition in Fact::conditions][class]

  std::uint16_t ClassOf(const Value& v) const {
    if (v.is(value::Kind::kUnknown)) return absent;
    if (v.is(value::Kind::kNull)) return null;
    if (key == Key::kString) return ClassOfText(v.AsString());
    return ClassOfKey(key == Key::kDecimal ? DecimalKey(v, scale) : v.AsInt());
  }

 private:
  std::uint16_t ClassOfText(std::string_view text) const;
  std::uint16_t ClassOfKey(std::int64_t number) const {
    if (cuts.empty() || number < low) return 0;
    const std::size_t last = cuts.size() - most_in_part;
    if (number >= high) return static_cast<std::uint16_t>(last);
    const std::uint64_t offset = static_cast<std::uint64_t>(number) - static_cast<std::uint64_t>(low);
    std::uint16_t at = first_of_part[offset >> part_shift];
    for (std::uint16_t i = 0; i < most_in_part; ++i) at = static_cast<std::uint16_t>(at + (cuts[at] <= number ? 1 : 0));
    return at;
  }
};

struct Computed {
  std::uint32_t condition = 0;
  // The alternatives that need it true, or false, where there are any.
  struct Word {
    std::uint32_t word = 0;
    std::uint64_t positive = 0;
    std::uint64_t negative = 0;
  };
  std::vector<Word> words;  // sorted
  bool constant = false;    // reads no fact: found once for the table
  Truth truth = Truth::kOpen;
};

struct Table::Impl {
  std::shared_ptr<const Model> model;
  Date day;
  const Kernels* kernels = nullptr;
  std::size_t blocks = 0;        // of kWordsOfBlock words
  std::vector<FactTable> facts;  // by slot, so that a profile is read from its begin to its end
  std::vector<std::uint32_t> fact_of_slot;
  std::vector<Computed> computed;
  std::vector<std::uint64_t> rows;                  // the first one is all ones
  std::vector<std::uint64_t> live;                  // alternatives of rules in force today
  std::vector<std::uint64_t> live_later;            // … or on a later day
  std::vector<std::uint32_t> rule_of;               // alternative -> rule
  std::vector<std::vector<std::uint32_t>> of_rule;  // rule -> alternatives
  // Blocks that have a literal on the fact, or the computed condition: bit b % 64 for block b.
  std::vector<std::uint64_t> blocks_of_fact;
  std::vector<std::uint64_t> blocks_of_computed;
  std::vector<std::vector<std::uint32_t>> computed_of_slot;  // indexes into computed
  std::size_t distinct_classes = 0;

  std::size_t words() const { return blocks * kWordsOfBlock; }
  std::size_t rule_words() const { return (model->rules.size() + 63) / 64; }
  const std::uint64_t* row(std::uint32_t offset) const { return rows.data() + offset; }
};

std::unique_ptr<const Table::Impl> MakeTable(std::shared_ptr<const Model> model, Date day);

}  // namespace zhitui::engine
