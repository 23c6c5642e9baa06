// Which criteria, rows, articles and conditions the tests of a rule exercise.

#include <algorithm>
#include <map>
#include <utility>

#include "proving/mcdc.h"
#include "proving/parts.h"

namespace zhitui::proving {
namespace {

using cel::Formula;
using rules::Rule;
using rules::Truth;

// The conditions of several programs, each once, and the formula of each program over them.
class Conditions {
 public:
  // The formula of `program`; `own` gets the numbers of its conditions and where they stand in it.
  Formula Take(const cel::Program& program, std::vector<std::pair<std::uint32_t, cel::Condition>>& own) {
    cel::Conditions split = program.Split();
    std::vector<std::uint32_t> numbers;
    for (cel::Condition& condition : split.conditions) {
      const auto [it, fresh] = known_.emplace(condition.canonical(), static_cast<std::uint32_t>(all_.size()));
      if (fresh) all_.push_back(condition);
      numbers.push_back(it->second);
      // A constant cannot turn anything.
      if (!condition.slots().empty() || condition.time_dependent()) own.emplace_back(it->second, std::move(condition));
    }
    Renumber(split.formula, numbers);
    return std::move(split.formula);
  }

  Vector See(const cel::Activation& activation, value::Arena& arena) const {
    Vector out;
    for (const cel::Condition& condition : all_) {
      const value::Value v = condition.Evaluate(activation, arena);
      out.push_back(v.IsTrue()                    ? Seen::kTrue
                    : v.IsFalse()                 ? Seen::kFalse
                    : v.is(value::Kind::kUnknown) ? Seen::kUnknown
                                                  : Seen::kFault);
    }
    return out;
  }
  std::size_t size() const { return all_.size(); }

 private:
  static void Renumber(Formula& formula, const std::vector<std::uint32_t>& numbers) {
    if (formula.op == Formula::Op::kCondition) formula.condition = numbers[formula.condition];
    for (Formula& part : formula.parts) Renumber(part, numbers);
  }

  std::vector<cel::Condition> all_;
  std::map<std::string, std::uint32_t> known_;
};

using Owned = std::vector<std::pair<std::uint32_t, cel::Condition>>;

class Coverer {
 public:
  Coverer(const rules::RuleSet& ruleset, const Rule& rule, Diagnostics& notes)
      : ruleset_(ruleset), rule_(rule), notes_(notes), waivers_(rule.waivers.size()) {}

  RuleCoverage Run() {
    out_.rule = rule_.id;
    out_.at = rule_.at;
    std::vector<Owned> of_criteria(rule_.criteria.size());
    std::vector<Owned> of_rows(rule_.amounts.size());
    Formula all_met{Formula::Op::kAll, {}, 0};
    for (std::size_t i = 0; i < rule_.criteria.size(); ++i) {
      all_met.parts.push_back(criteria_.Take(rule_.criteria[i].when, of_criteria[i]));
      out_.criteria.push_back({rule_.criteria[i].id, rule_.criteria[i].at, 0, 0, 0, {}});
    }
    std::vector<Formula> whens;
    for (std::size_t i = 0; i < rule_.amounts.size(); ++i) {
      const rules::AmountRow& row = rule_.amounts[i];
      RowCoverage& covered = out_.rows.emplace_back();
      covered.at = row.at;
      if (!row.when) continue;
      covered.when = OneLine(row.when->text());
      whens.push_back(rows_.Take(*row.when, of_rows[i]));
    }
    Watch();
    const std::vector<Shown> shown = ShowConditions(all_met, when_met_, criteria_.size());
    for (std::size_t i = 0; i < of_criteria.size(); ++i) Place(of_criteria[i], shown, out_.criteria[i].conditions);
    for (std::size_t i = 0; i < whens.size(); ++i) {
      Formula taken{Formula::Op::kAll, {}, 0};
      for (std::size_t above = 0; above < i; ++above) taken.parts.push_back({Formula::Op::kNot, {whens[above]}, 0});
      taken.parts.push_back(whens[i]);
      Place(of_rows[i], ShowConditions(taken, when_paid_, rows_.size()), out_.rows[i].conditions);
    }
    Laws();
    Waivers();
    return std::move(out_);
  }

 private:
  struct WaiverUse {
    bool matched = false;
    bool needed = false;
  };

  // Every test day once.
  void Watch() {
    value::Arena arena;
    for (const rules::RuleTest& test : rule_.tests) {
      const auto profile = rules::ProfileOf(rule_, test, ruleset_.SchemaOf(rule_.kind));
      if (!profile) continue;
      for (const rules::Expectation& expected : test.expect) {
        arena.Reset();
        ++out_.test_days;
        const rules::Determination got = rules::Evaluate(rule_, *profile, expected.day, arena);
        if (!got.in_force) continue;
        for (std::size_t i = 0; i < got.criteria.size(); ++i) {
          CriterionCoverage& c = out_.criteria[i];
          ++(got.criteria[i] == Truth::kTrue    ? c.times_true
             : got.criteria[i] == Truth::kFalse ? c.times_false
                                                : c.times_unknown);
        }
        const cel::Activation activation{profile->slots(), expected.day};
        when_met_.push_back(criteria_.See(activation, arena));
        if (got.answer != rules::Answer::kEligible || rule_.amounts.empty()) continue;
        when_paid_.push_back(rows_.See(activation, arena));
        for (std::size_t i = 0; i < rule_.amounts.size(); ++i) {
          const auto& when = rule_.amounts[i].when;
          if (when && !when->Evaluate(activation, arena).IsTrue()) continue;
          ++out_.rows[i].times;
          break;
        }
      }
    }
  }

  void Place(const Owned& own, const std::vector<Shown>& shown, std::vector<ConditionCoverage>& out) {
    for (const auto& [number, condition] : own) {
      ConditionCoverage& c = out.emplace_back();
      c.text = OneLine(condition.text());
      c.at = {rule_.at.file, condition.line(), condition.column()};
      c.seen_true = shown[number].seen_true;
      c.seen_false = shown[number].seen_false;
      c.independent = shown[number].independent;
      for (std::size_t i = 0; i < rule_.waivers.size(); ++i) {
        const rules::Waiver& waiver = rule_.waivers[i];
        if (waiver.mutant || OneLine(waiver.text) != c.text) continue;
        waivers_[i].matched = true;
        if (c.independent) continue;
        waivers_[i].needed = true;
        c.waived = waiver.because;
      }
      if (!c.waived.empty()) continue;
      ++out_.pairs;
      out_.pairs_shown += c.independent ? 1 : 0;
    }
  }

  void Laws() {
    for (const rules::Law& law : rule_.laws) {
      LawCoverage& covered = out_.laws.emplace_back();
      covered.id = law.id;
      covered.title = law.title;
      for (std::size_t i = 0; i < rule_.criteria.size(); ++i) {
        if (rule_.criteria[i].law != law.id) continue;
        covered.criteria.push_back(rule_.criteria[i].id);
        const CriterionCoverage& c = out_.criteria[i];
        covered.tested = covered.tested || (c.times_true > 0 && c.times_false > 0);
      }
    }
  }

  void Waivers() {
    for (std::size_t i = 0; i < rule_.waivers.size(); ++i) {
      const rules::Waiver& waiver = rule_.waivers[i];
      if (waiver.mutant || waivers_[i].needed) continue;
      notes_.push_back(Note(waiver.at, "unused-waiver",
                            waivers_[i].matched ? "the tests show `" + OneLine(waiver.text) + "`, it needs no waiver"
                                                : "there is no condition `" + OneLine(waiver.text) + "`",
                            "delete the waiver, or correct its text"));
    }
  }

  const rules::RuleSet& ruleset_;
  const Rule& rule_;
  Diagnostics& notes_;
  RuleCoverage out_;
  Conditions criteria_;
  Conditions rows_;
  std::vector<Vector> when_met_;   // of the criteria's conditions, on the days on which the rule is in force
  std::vector<Vector> when_paid_;  // of the rows' conditions, on the days on which there is an amount
  std::vector<WaiverUse> waivers_;
};

}  // namespace

RuleCoverage Cover(const rules::RuleSet& ruleset, const Rule& rule, Diagnostics& notes) {
  return Coverer(ruleset, rule, notes).Run();
}

}  // namespace zhitui::proving
