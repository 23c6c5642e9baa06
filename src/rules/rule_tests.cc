// The tests that stand beside a rule: reading them from YAML.

#include <algorithm>

#include "rules/rule_parser.h"
#include "rules/test_facts.h"
#include "rules/vocabulary.h"

namespace zhitui::rules {
namespace {

class TestsParser {
 public:
  TestsParser(const Rule& rule, const facts::Schema* schema, Diagnostics* diagnostics)
      : rule_(rule), schema_(schema), diagnostics_(diagnostics) {
    for (const Criterion& criterion : rule.criteria) criteria_.push_back(criterion.id);
    if (schema != nullptr) {
      for (const facts::FactDef& fact : schema->facts()) facts_.push_back(fact.name);
    }
  }

  RuleTest Test(const yaml::Node& node) {
    RuleTest test;
    test.at = node.at();
    yaml::Reader reader(node, diagnostics_);
    if (!reader.valid()) return test;
    test.name = reader.String("name");
    const yaml::Node* facts = reader.Required("facts");
    const yaml::Node* expect = reader.Required("expect");
    reader.Done();
    if (facts != nullptr && schema_ != nullptr) Facts(*facts, test);
    if (expect != nullptr) Days(*expect, test);
    return test;
  }

 private:
  void Fault(const yaml::Node& node, const char* code, std::string message, std::string hint = "") {
    diagnostics_->push_back(node.Fault(code, std::move(message), std::move(hint)));
  }

  void Facts(const yaml::Node& node, RuleTest& test) {
    const std::size_t before = diagnostics_->size();
    test.facts_json = FactsToJson(node, *schema_, diagnostics_);
    if (diagnostics_->size() != before) return;
    facts::Profile profile(std::shared_ptr<const facts::Schema>(std::shared_ptr<void>(), schema_));
    if (const auto set = profile.SetFromJson(test.facts_json); !set) {
      Fault(node, "bad-fact", "the facts do not fit their declaration: " + set.error().detail,
            "see facts/" + schema_->kind() + ".yaml");
    }
  }

  void Days(const yaml::Node& node, RuleTest& test) {
    if (!node.IsMapping() || node.entries().empty()) {
      Fault(node, "bad-expectation", "expect maps days to what is expected of them",
            "for example `2025-03-02: {amount: 200}`");
      return;
    }
    if (!CheckCount(node, node.entries().size(), kMaxTestDays, "days in expect", diagnostics_)) return;
    for (const auto& [key, value] : node.entries()) {
      if (const std::optional<Date> day = yaml::ToDate(key, diagnostics_)) {
        Expectation expectation = OneDay(value);
        expectation.day = *day;
        expectation.at = key.at();
        test.expect.push_back(std::move(expectation));
      }
    }
  }

  Expectation OneDay(const yaml::Node& node) {
    Expectation out;
    if (node.IsScalar()) {
      if (node.text() == "eligible" || node.text() == "ineligible") {
        out.eligible = node.text() == "eligible";
      } else {
        Fault(node, "bad-expectation", "`" + node.text() + "` is not an expectation",
              node.text() == "unknown" ? "name the missing facts: {unknown: [birth_date]}"
                                       : "write eligible, ineligible, or {ineligible: […], unknown: […], amount: …}");
      }
      return out;
    }
    yaml::Reader reader(node, diagnostics_);
    if (!reader.valid()) return out;
    if (const yaml::Node* n = reader.Optional("eligible")) out.eligible = yaml::ToBool(*n, diagnostics_);
    if (const yaml::Node* n = reader.Optional("ineligible")) {
      out.ineligible = Names(*n, criteria_, "unknown-criterion", "is not a criterion of this rule");
    }
    if (const yaml::Node* n = reader.Optional("unknown")) {
      out.unknown = schema_ == nullptr ? std::vector<std::string>{}
                                       : Names(*n, facts_, "unknown-fact", "is not a fact of " + schema_->kind());
    }
    if (const yaml::Node* n = reader.Optional("amount")) {
      out.amount = n->IsScalar() ? value::Decimal::Parse(n->text()) : std::nullopt;
      if (!out.amount) {
        Fault(*n, "bad-expectation", "amount takes a number", "for example 200 or 12.50");
      } else if (rule_.amounts.empty()) {
        Fault(*n, "bad-expectation", "this rule has no amount", "remove it, or give the rule an amount");
      }
    }
    out.upcoming = reader.DateAt("upcoming", false);
    out.until = reader.DateAt("until", false);
    out.next_change = reader.DateAt("next_change", false);
    reader.Done();
    const bool says_eligible = out.eligible.value_or(false) || out.amount || out.until;
    const bool says_other = out.ineligible || out.unknown || out.upcoming || !out.eligible.value_or(true);
    if ((says_eligible && says_other) || (out.ineligible && out.unknown)) {
      Fault(node, "bad-expectation", "these expectations contradict each other",
            "a day is either eligible (amount, until), ineligible, or unknown");
    }
    return out;
  }

  std::vector<std::string> Names(const yaml::Node& node, const std::vector<std::string>& known, const char* code,
                                 const std::string& what) {
    std::vector<std::string> out;
    const auto one = [&](const yaml::Node& item) {
      if (item.IsScalar() && std::find(known.begin(), known.end(), item.text()) != known.end()) {
        out.push_back(item.text());
        return;
      }
      const std::string_view near = NearestName(item.text(), known);
      Fault(item, code, "`" + item.text() + "` " + what,
            near.empty() ? "" : "did you mean `" + std::string(near) + "`?");
    };
    if (node.IsSequence()) {
      for (const yaml::Node& item : node.items()) one(item);
    } else {
      one(node);
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  const Rule& rule_;
  const facts::Schema* schema_;
  Diagnostics* diagnostics_;
  std::vector<std::string> criteria_;
  std::vector<std::string> facts_;
};

}  // namespace

std::vector<RuleTest> ParseTests(const yaml::Node& node, const Rule& rule, const facts::Schema* schema,
                                 Diagnostics* diagnostics) {
  std::vector<RuleTest> out;
  if (!node.IsSequence()) {
    diagnostics->push_back(node.Fault("bad-test", "tests is a list", "start each test with `- name:`"));
    return out;
  }
  if (!CheckCount(node, node.items().size(), kMaxTests, "tests", diagnostics)) return out;
  TestsParser parser(rule, schema, diagnostics);
  for (const yaml::Node& item : node.items()) out.push_back(parser.Test(item));
  return out;
}

}  // namespace zhitui::rules
