#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/benchset/model.h"

namespace zhitui::benchset {

struct Amount {
  std::optional<Condition> when;  // none: the last row
  std::int64_t fen = 0;
  bool per_head = false;  // times the size of the household
};

struct Criterion {
  std::string id;
  std::string zh;
  std::string en;
  Condition when;
};

struct Param {
  std::string name;
  bool money = false;
  bool day = false;
  std::vector<std::pair<std::int64_t, std::int64_t>> values;  // first day, value
};

struct Rule {
  std::string id;
  std::string folder;
  std::string yaml;
  std::optional<std::int64_t> from;
  std::optional<std::int64_t> until;
  std::vector<Criterion> criteria;
  std::vector<Param> params;
  std::vector<Amount> amounts;
};

// Rule `number` of a seed is the same in a catalogue of every length. today: the day at which params and validity are
// looked at (a rule's `params` on that day are the `n` of its conditions).
Rule MakeRule(std::uint64_t seed, std::uint64_t number, std::int64_t today, bool amounts);

// The answer as the rule language defines it: ineligible outside of the validity or when a criterion is false, else
// unknown when a criterion or the amount is, else eligible.
struct Answer {
  Truth eligible = Truth::kFalse;
  std::int64_t fen = 0;
};
Answer Decide(const Rule& rule, const Resident& resident, std::int64_t today);

// All criteria and the validity as one expression of Dialect::kPlain, and as the constraints of one pattern of kDrl.
std::string PlainExpression(const Rule& rule);
std::string DrlConstraints(const Rule& rule);

}  // namespace zhitui::benchset
