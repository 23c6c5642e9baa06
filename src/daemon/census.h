#pragma once

// What `rules simulate` has counted, and how it is told.

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "value/value.h"

namespace zhitui::daemon {

// A sum that knows when it has left what a decimal can hold.
struct Sum {
  value::Decimal value{0, 0};
  bool overflow = false;
  void Add(const value::Decimal& d) {
    const std::optional<value::Decimal> next = value::Decimal::Add(value, d);
    overflow = overflow || !next;
    if (next) value = *next;
  }
  void Add(const Sum& other) {
    overflow = overflow || other.overflow;
    Add(other.value);
  }
  std::string ToString() const { return overflow ? "too large" : value.ToString(); }
};

struct Counts {
  std::uint64_t eligible = 0;
  std::uint64_t unknown = 0;
  std::uint64_t ineligible = 0;
  std::uint64_t gains = 0;   // not eligible by the rules in force, eligible by the draft
  std::uint64_t loses = 0;   // eligible, then ineligible
  std::uint64_t unsure = 0;  // eligible, then unknown
  std::uint64_t more = 0;    // another amount
  std::uint64_t less = 0;
  Sum amount;         // by the draft
  Sum amount_before;  // by the rules in force

  void Add(const Counts& o) {
    eligible += o.eligible;
    unknown += o.unknown;
    ineligible += o.ineligible;
    gains += o.gains;
    loses += o.loses;
    unsure += o.unsure;
    more += o.more;
    less += o.less;
    amount.Add(o.amount);
    amount_before.Add(o.amount_before);
  }
  bool changes() const { return gains + loses + unsure + more + less > 0; }
};

// Order of names in which 9 comes before 10.
struct NaturalLess {
  bool operator()(std::string_view a, std::string_view b) const {
    const auto digits = [](std::string_view text) {
      return std::min(text.find_first_not_of("0123456789"), text.size());
    };
    std::string_view left = a;
    std::string_view right = b;
    while (!left.empty() && !right.empty()) {
      const std::size_t n = digits(left);
      const std::size_t m = digits(right);
      if (n == 0 || m == 0) {
        if (left.front() != right.front()) return left.front() < right.front();
        left.remove_prefix(1);
        right.remove_prefix(1);
        continue;
      }
      const auto number = [](std::string_view run) {
        run.remove_prefix(std::min(run.find_first_not_of('0'), run.size()));
        return std::pair(run.size(), run);
      };
      if (const auto x = number(left.substr(0, n)), y = number(right.substr(0, m)); x != y) return x < y;
      left.remove_prefix(n);
      right.remove_prefix(m);
    }
    if (left.empty() != right.empty()) return left.empty();
    return a < b;
  }
};

struct Census {
  std::string at;
  std::string draft;  // folders, and what is in them
  std::string draft_hash;
  std::string against;  // empty: nothing is compared
  std::string against_hash;
  std::vector<std::string> by;     // names of the facts by which subjects are grouped
  std::vector<std::string> names;  // of each rule, by row
  std::vector<std::string> units;
  std::vector<Counts> rules;
  std::map<std::string, std::map<std::uint32_t, Counts>, NaturalLess> groups;  // values with tabs between -> row
  std::map<std::string, Counts> totals;                                        // by unit; only the amounts
  std::map<std::string, std::uint64_t> messages;  // message, when, channels with tabs between -> people
  std::uint64_t subjects = 0;
  std::uint64_t dead = 0;
  std::uint64_t bad_lines = 0;

  bool compare() const { return !against.empty(); }
};

std::string ToJson(const Census& census);
std::string ToText(const Census& census);

}  // namespace zhitui::daemon
