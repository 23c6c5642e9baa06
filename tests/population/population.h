#pragma once

// Seeded generator of synthetic residents and of what happens to them, as CloudEvents for the topic of residents.
// Every person is invented. The same options give the same bytes on every machine. Knows the fact schema
// rules/facts/resident.yaml; links nothing of the product but base. Single-threaded; no global state.

#include <cstdint>
#include <map>
#include <string>

#include "population/people.h"

namespace zhitui::population {

struct Summary {
  std::uint64_t residents = 0;  // subjects: those of the start and those born
  std::uint64_t events = 0;     // lines
  std::uint64_t baseline = 0;
  std::uint64_t life = 0;
  std::map<std::string, std::uint64_t> by_type;    // by the last word: patched, replaced, forgotten
  std::map<std::string, std::uint64_t> by_agency;  // police, insurance, education, civil, self
  std::uint64_t late = 0;                          // recorded 7 days or more after it happened
  std::uint64_t duplicate = 0;                     // lines whose source and id came before
  std::uint64_t stale = 0;  // first deliveries with a fact for which the agency's newer word came before
  std::uint64_t births = 0;
  std::uint64_t deaths = 0;
  std::uint64_t corrections = 0;  // a date of birth replaced by another
  std::uint64_t completions = 0;  // a date of birth that was missing
  std::uint64_t forgotten = 0;
  std::uint64_t permits = 0;
  std::uint64_t hukou_moves = 0;
  std::uint64_t enrolments = 0;
  std::uint64_t magic_contacts = 0;  // handed out with a value of the provider simulator
  std::string ToJson() const;        // one object, keys as above, ends with a newline
};

struct Output {
  std::string ndjson;
  Summary summary;
};

// options: residents 1 to 1,000,000, months 1 to 24.
Output Generate(const Options& options);

}  // namespace zhitui::population
