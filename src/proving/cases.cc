// Cases next to a boundary on which no test day stands, as an author would write them.

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "proving/parts.h"
#include "value/value.h"

namespace zhitui::proving {
namespace {

using facts::FactDef;
using facts::FactType;
using rules::Answer;
using rules::Determination;
using value::Kind;
using value::Value;

// As far as tests look ahead.
constexpr std::chrono::days kHorizon{366 * 120};
constexpr std::chrono::days kDay{1};
// Facts on one line up to this length, otherwise one a line.
constexpr std::size_t kMaxFactsLine = 90;

// A text as a YAML scalar that is read as it is; `flow`: inside braces and brackets, too.
std::string Scalar(std::string_view text, bool flow = true) {
  const auto plain = [flow](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' ||
           c == '/' || c == '-' || c == ' ' || (c == ',' && !flow) || (static_cast<unsigned char>(c) & 0x80U) != 0;
  };
  const bool edges = !text.empty() && text.front() != '-' && text.front() != ',' && text.front() != ' ' &&
                     text.back() != ' ' && text != "null" && text != "Null" && text != "NULL";
  return edges && std::all_of(text.begin(), text.end(), plain) ? std::string(text) : JsonQuote(text);
}

bool IsMonth(const Value& v) {
  return v.is(Kind::kDate) && std::chrono::year_month_day(v.AsDate()).day() == std::chrono::day(1);
}

std::string Month(Date day) { return FormatDate(day).substr(0, 7); }

std::string Yaml(const FactDef& fact, const Value& v);

// Dates that are the first days of consecutive months as `2025-03 to 2026-02`.
std::string YamlList(const FactDef& fact, std::span<const Value> items) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < items.size();) {
    std::size_t end = i + 1;
    while (IsMonth(items[i]) && end < items.size() && IsMonth(items[end]) &&
           value::AddPeriod(items[end - 1].AsDate(), {1, 0}) == items[end].AsDate()) {
      ++end;
    }
    if (end - i > 1) {
      parts.push_back(Month(items[i].AsDate()) + " to " + Month(items[end - 1].AsDate()));
    } else {
      parts.push_back(Yaml(fact.element.front(), items[i]));
    }
    i = end;
  }
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : ", ") + part;
  return "[" + out + "]";
}

std::string YamlRecord(const FactDef& fact, const Value& v) {
  std::string out;
  for (const FactDef& field : fact.fields) {
    for (const value::MapEntry& entry : v.AsMap()) {
      if (!entry.key.is(Kind::kString) || entry.key.AsString() != field.name || entry.value.is(Kind::kUnknown))
        continue;
      out += (out.empty() ? "" : ", ") + field.name + ": " + Yaml(field, entry.value);
    }
  }
  return "{" + out + "}";
}

std::string Yaml(const FactDef& fact, const Value& v) {
  switch (v.kind()) {
    case Kind::kNull:
      return "null";
    case Kind::kString:
      return Scalar(v.AsString());
    case Kind::kList:
      return YamlList(fact, v.AsList());
    case Kind::kMap:
      return YamlRecord(fact, v);
    case Kind::kTimestamp:
      return JsonQuote(FormatInstant(Instant(std::chrono::seconds(v.Seconds()) +
                                             std::chrono::duration_cast<Millis>(std::chrono::nanoseconds(v.Nanos())))));
    default:
      return value::ToDisplay(v);
  }
}

std::string List(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return "[" + out + "]";
}

// What a rule answers on one day, as an expectation.
struct Answered {
  Date day;
  std::string expected;
};

class Finder {
 public:
  Finder(const rules::RuleSet& ruleset, const rules::Rule& rule) : rule_(rule), schema_(ruleset.SchemaOf(rule.kind)) {}

  std::vector<BoundaryCase> Run() {
    for (const rules::RuleTest& test : rule_.tests) {
      if (auto profile = rules::ProfileOf(rule_, test, schema_)) profiles_.emplace_back(&test, std::move(*profile));
    }
    // A rule that is looked at daily has no day of its own on which it changes.
    if (!rule_.recheck_daily) {
      for (const auto& [test, profile] : profiles_) Flips(*test, profile);
    }
    Thresholds();
    return std::move(out_);
  }

 private:
  // The days around each flip by time that follows a test day.
  void Flips(const rules::RuleTest& test, const facts::Profile& profile) {
    std::set<Date> tested;
    for (const rules::Expectation& e : test.expect) tested.insert(e.day);
    std::set<Date> flips;
    for (const Date day : tested) {
      arena_.Reset();
      const Determination now = rules::Evaluate(rule_, profile, day, arena_);
      const Date horizon = std::min(day + kHorizon, MakeDate(9999, 12, 30));
      const rules::Outlook outlook = rules::LookAhead(rule_, profile, now, day, horizon, arena_);
      if (outlook.next_change) flips.insert(*outlook.next_change);
    }
    for (const Date flip : flips) {
      const Determination before = rules::Evaluate(rule_, profile, flip - kDay, arena_);
      const Determination after = rules::Evaluate(rule_, profile, flip, arena_);
      std::vector<Answered> days;
      for (const Date day : {flip - kDay, flip, flip + kDay}) {
        if (tested.contains(day)) continue;
        const bool comes = day < flip && before.answer != Answer::kEligible && after.answer == Answer::kEligible;
        days.push_back({day, Expected(profile, day, comes ? std::optional(flip) : std::nullopt)});
      }
      if (days.empty()) continue;
      Add(test, profile, test.name + ", around " + FormatDate(flip),
          WhatTurns(before, after) + " on " + FormatDate(flip), days);
    }
  }

  std::string WhatTurns(const Determination& before, const Determination& after) const {
    if (before.in_force != after.in_force) return after.in_force ? "the rule comes into force" : "the rule ends";
    std::string out;
    for (std::size_t i = 0; i < rule_.criteria.size(); ++i) {
      if (before.criteria[i] == after.criteria[i]) continue;
      const char* now = after.criteria[i] == rules::Truth::kTrue    ? " becomes true"
                        : after.criteria[i] == rules::Truth::kFalse ? " becomes false"
                                                                    : " becomes unknown";
      out += (out.empty() ? "" : ", ") + rule_.criteria[i].id + now;
    }
    if (!out.empty()) return out;
    if (!before.amount || !after.amount) return "the answer changes";
    return "the amount changes from " + before.amount->ToString() + " to " + after.amount->ToString();
  }

  std::vector<const cel::Program*> Programs() const {
    std::vector<const cel::Program*> out;
    for (const rules::Criterion& c : rule_.criteria) out.push_back(&c.when);
    for (const rules::AmountRow& row : rule_.amounts) {
      if (row.when) out.push_back(&*row.when);
    }
    return out;
  }

  // Facts that are compared with constants, at each constant and one unit to its sides.
  void Thresholds() {
    std::map<std::uint32_t, std::map<std::string, std::string>> wanted;  // slot -> value as JSON takes it -> why
    std::vector<std::pair<std::uint32_t, std::string>> order;
    for (const cel::Program* program : Programs()) {
      for (const cel::Condition& condition : program->Split().conditions) {
        const cel::Dependence dependence = condition.dependence();
        if (dependence.shape != cel::Dependence::Shape::kSteps || !dependence.direct) continue;
        const std::uint32_t slot = condition.slots().front();
        for (const Value& member : dependence.members) {
          for (const int step : {-1, 0, 1}) {
            const std::optional<std::string> at = Beside(schema_->facts()[slot], member, step);
            if (!at) continue;
            const std::string why = std::string(step < 0   ? "one unit below the threshold of "
                                                : step > 0 ? "one unit above the threshold of "
                                                           : "on the threshold of ") +
                                    schema_->facts()[slot].name + ", " + value::ToDisplay(member);
            if (wanted[slot].emplace(*at, why).second) order.emplace_back(slot, *at);
          }
        }
      }
    }
    for (const auto& [slot, at] : order) Threshold(slot, at, wanted[slot][at]);
  }

  // `member` `step` units on, as the fact's value; nullopt: the fact has no units.
  static std::optional<std::string> Beside(const FactDef& fact, const Value& member, int step) {
    if (fact.type == FactType::kDate && member.is(Kind::kDate)) return FormatDate(member.AsDate() + step * kDay);
    if (fact.type == FactType::kInt && member.is(Kind::kInt)) return std::to_string(member.AsInt() + step);
    if (fact.type != FactType::kMoney && fact.type != FactType::kDecimal) return std::nullopt;
    const value::Decimal of = member.is(Kind::kInt)       ? value::Decimal{member.AsInt(), 0}
                              : member.is(Kind::kDecimal) ? member.AsDecimal()
                                                          : value::Decimal{0, value::kMaxDecimalDigits};
    if (!member.is(Kind::kInt) && !member.is(Kind::kDecimal)) return std::nullopt;
    const std::uint8_t cents = 2;
    const std::uint8_t scale = fact.type == FactType::kMoney ? cents : of.scale;
    const std::optional<value::Decimal> next = value::Decimal::Add(of, {step, scale});
    if (!next) return std::nullopt;
    return next->ToString();
  }

  void Threshold(std::uint32_t slot, const std::string& at, const std::string& why) {
    const FactDef& fact = schema_->facts()[slot];
    // From the first test in which the fact counts: with it the person is eligible. Otherwise the first that knows it.
    const std::pair<const rules::RuleTest*, facts::Profile>* from = nullptr;
    std::optional<Date> day;
    bool eligible = false;
    for (const auto& one : profiles_) {
      const Value& v = one.second.slots()[slot];
      if (v.is(Kind::kUnknown) || v.is(Kind::kNull)) continue;
      if (Same(v, at)) return;  // a test stands on it
      for (const rules::Expectation& e : one.first->expect) {
        if (eligible) break;
        arena_.Reset();
        eligible = rules::Evaluate(rule_, one.second, e.day, arena_).answer == Answer::kEligible;
        if (!eligible && day) continue;
        from = &one;
        day = e.day;
      }
    }
    if (from == nullptr || !day) return;
    nlohmann::json json = nlohmann::json::parse(from->first->facts_json, nullptr, false);
    if (json.is_discarded()) return;
    if (fact.type == FactType::kInt) {
      json[fact.name] = std::stoll(at);
    } else {
      json[fact.name] = at;
    }
    rules::RuleTest changed = *from->first;
    changed.facts_json = json.dump();
    const auto profile = rules::ProfileOf(rule_, changed, schema_);
    if (!profile) return;
    Add(*from->first, *profile, from->first->name + ", " + fact.name + " " + at, why,
        {{*day, Expected(*profile, *day, std::nullopt)}});
  }

  static bool Same(const Value& v, const std::string& at) {
    if (v.is(Kind::kDate)) return FormatDate(v.AsDate()) == at;
    const std::optional<value::Decimal> wanted = value::Decimal::Parse(at);
    if (!wanted) return false;
    const std::optional<int> order = value::Compare(v, Value::OfDecimal(*wanted));
    return order && *order == 0;
  }

  std::string Expected(const facts::Profile& profile, Date day, std::optional<Date> upcoming) {
    arena_.Reset();
    const Determination got = rules::Evaluate(rule_, profile, day, arena_);
    const std::string also = upcoming ? ", upcoming: " + FormatDate(*upcoming) : "";
    switch (got.answer) {
      case Answer::kEligible:
        return got.amount ? "{amount: " + got.amount->ToString() + "}" : "eligible";
      case Answer::kIneligible:
        return "{ineligible: " + List(rules::FalseCriteria(rule_, got)) + also + "}";
      case Answer::kUnknown:
        break;
    }
    return "{unknown: " + List(rules::MissingFacts(*schema_, got)) + also + "}";
  }

  void Add(const rules::RuleTest& test, const facts::Profile& profile, const std::string& name, const std::string& why,
           const std::vector<Answered>& days) {
    std::vector<std::string> facts;
    std::size_t length = 0;
    for (std::uint32_t slot = 0; slot < schema_->facts().size(); ++slot) {
      if (!profile.Has(slot)) continue;
      const FactDef& fact = schema_->facts()[slot];
      facts.push_back(fact.name + ": " + Yaml(fact, profile.slots()[slot]));
      length += facts.back().size() + 2;
    }
    BoundaryCase& out = out_.emplace_back();
    out.rule = rule_.id;
    out.from_test = test.name;
    out.why = why;
    out.yaml = "  - name: " + Scalar(name, false) + "\n    facts:";
    if (length > kMaxFactsLine) {
      for (const std::string& fact : facts) out.yaml += "\n      " + fact;
    } else {
      std::string line;
      for (const std::string& fact : facts) line += (line.empty() ? "" : ", ") + fact;
      out.yaml += " {" + line + "}";
    }
    out.yaml += "\n    expect:\n";
    for (const Answered& day : days) {
      out.yaml += "      " + FormatDate(day.day) + ": " + day.expected + " # to confirm\n";
    }
  }

  const rules::Rule& rule_;
  std::shared_ptr<const facts::Schema> schema_;
  std::vector<std::pair<const rules::RuleTest*, facts::Profile>> profiles_;
  value::Arena arena_;
  std::vector<BoundaryCase> out_;
};

}  // namespace

std::vector<BoundaryCase> FindCases(const rules::RuleSet& ruleset, const rules::Rule& rule, std::size_t max_cases,
                                    Diagnostics& notes) {
  std::vector<BoundaryCase> out = Finder(ruleset, rule).Run();
  if (out.size() > max_cases) {
    notes.push_back(Note(rule.at, "too-many",
                         rule.id + ": " + std::to_string(out.size() - max_cases) + " of " + std::to_string(out.size()) +
                             " cases were left out"));
    out.resize(max_cases);
  }
  return out;
}

}  // namespace zhitui::proving
