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

struct FactTable {
  std::uint32_t slot = 0;
  Key key = Key::kInt;

  // Ordered: class i holds the keys from cuts[i - 1] up to cuts[i]. The range of the cuts is divided into equal parts,
  // so that few cuts are left to compare.
  std::vector<std::int64_t> cuts;
  std::vector<std::uint16_t> first_of_part;
  int part_shift = 0;

  // Text.
  WordIndex words;
  WordIndex prefixes;                       // -> class of the texts that begin with it and are not listed
  std::vector<std::uint32_t> prefix_sizes;  // the longest first
  std::uint16_t other = 0;

  std::uint16_t null = 0;
  std::uint16_t absent = 0;
  std::uint16_t classes = 0;

  // Of each class, as offsets into Table::Impl::rows. Equal unless the class leaves an answer open.
  std::vector<std::uint32_t> certain;
  std::vector<std::uint32_t> possible;
  std::vector<std::uint32_t> later;  // possible on this or any later day

  // Of each class and condition of the fact, for columns.
  std::vector<std::vector<Truth>> truths;  // [condition in Fact::conditions][class]
};

struct Computed {
  std::uint32_t condition = 0;
  std::uint32_t positive = 0;  // rows of the alternatives that need it true, or false
  std::uint32_t negative = 0;
  bool constant = false;  // reads no fact: found once for the table
  Truth truth = Truth::kOpen;
};

struct Table::Impl {
  std::shared_ptr<const Model> model;
  Date day;
  const Kernels* kernels = nullptr;
  std::size_t blocks = 0;        // of kWordsOfBlock words
  std::vector<FactTable> facts;  // in the order in which rows are ANDed
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
  std::uint16_t ClassOf(const FactTable& fact, const Value& v) const;
};

std::unique_ptr<const Table::Impl> MakeTable(std::shared_ptr<const Model> model, Date day);

}  // namespace zhitui::engine
