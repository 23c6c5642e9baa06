// A report for people, for programs and for CI.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "proving/parts.h"
#include "proving/proving.h"

namespace zhitui::proving {
namespace {

using Json = nlohmann::ordered_json;

std::string Pad(const std::string& text, std::size_t width) {
  const std::size_t has = DisplayWidth(text);
  return text + std::string(width > has ? width - has : 0, ' ');
}

std::string Right(std::size_t n, std::size_t width) {
  const std::string text = std::to_string(n);
  return std::string(width > text.size() ? width - text.size() : 0, ' ') + text;
}

std::string Where(const Location& at) {
  std::string out = at.file + ":" + std::to_string(at.line);
  if (at.column > 0) out += ":" + std::to_string(at.column);
  return out;
}

// Part of a whole, rounded down: 100 % is all.
std::string Percent(std::size_t part, std::size_t whole) {
  if (whole == 0) return "100 %";
  char out[32];
  std::snprintf(out, sizeof(out), "%.1f %%",
                std::floor(1000.0 * static_cast<double>(part) / static_cast<double>(whole)) / 10);
  return out;
}

// The words of one language.
struct Words {
  bool zh;
  std::string operator()(const char* chinese, const char* english) const { return zh ? chinese : english; }
};

// The facts of the test that the rule reads, one a line.
std::vector<std::string> FactsThatMatter(const Report& report, const rules::TestDay& day) {
  std::vector<std::string> out;
  const auto schema = report.ruleset->SchemaOf(day.rule->kind);
  const auto profile = rules::ProfileOf(*day.rule, *day.test, schema);
  if (!profile) return out;
  for (const std::uint32_t slot : day.rule->slots) {
    if (profile->Has(slot)) {
      out.push_back(schema->facts()[slot].name + ": " + value::ToDisplay(profile->slots()[slot]));
    }
  }
  return out;
}

class Writer {
 public:
  Writer(const Report& report, std::string_view locale) : report_(report), say_{locale == "zh"} {}

  std::string Failures() {
    const std::size_t width = say_.zh ? 6 : 10;
    for (const rules::TestDay& day : report_.tests.days) {
      if (day.differences.empty()) continue;
      out_ += Where(day.expected != nullptr ? Location{day.expected->at.file, day.expected->at.line, 0}
                                            : Location{day.test->at.file, day.test->at.line, 0}) +
              ": " + day.rule->id + say_("，测试“", ", test \"") + day.test->name + say_("”", "\"");
      if (day.expected != nullptr) out_ += say_("，", ", ") + FormatDate(day.expected->day);
      out_ += "\n";
      for (const rules::Difference& d : day.differences) {
        out_ += "  " + Pad(say_("预期", "expected"), width) + d.expected + "\n";
        out_ += "  " + Pad(say_("实际", "got"), width) + d.got + "\n";
      }
      std::string label = say_("事实", "facts");
      for (const std::string& fact : FactsThatMatter(report_, day)) {
        out_ += "  " + Pad(label, width) + fact + "\n";
        label.clear();
      }
    }
    return std::move(out_);
  }

  std::string Rest() {
    std::map<std::string, const RuleMutants*> mutants;
    for (const RuleMutants& m : report_.mutants) mutants[m.rule] = &m;
    for (const RuleCoverage& c : report_.coverage) {
      Coverage(c);
      if (const auto it = mutants.find(c.rule); it != mutants.end()) Mutants(*it->second, false);
    }
    if (report_.coverage.empty()) {
      for (const RuleMutants& m : report_.mutants) Mutants(m, true);
    }
    Totals();
    Cases();
    for (const Diagnostic& note : report_.notes) {
      out_ += say_("注意：", "note: ") + Where(note.at) + ": " + note.message;
      if (!note.hint.empty()) out_ += "; " + note.hint;
      out_ += "\n";
    }
    return std::move(out_);
  }

 private:
  void Coverage(const RuleCoverage& c) {
    out_ += c.rule + "  " + c.at.file + "  " + std::to_string(c.test_days) +
            say_(" 个测试日", c.test_days == 1 ? " test day" : " test days") + "\n";
    std::size_t width = DisplayWidth(say_("条件", "criteria"));
    for (const CriterionCoverage& one : c.criteria) width = std::max(width, DisplayWidth(one.id));
    for (const RowCoverage& row : c.rows) width = std::max(width, DisplayWidth(RowName(row)));
    out_ += "  " + Pad(say_("条件", "criteria"), width) + say_("      是      否    未知", "    true   false unknown") +
            "\n";
    for (const CriterionCoverage& one : c.criteria) {
      out_ += "  " + Pad(one.id, width) + Right(one.times_true, 8) + Right(one.times_false, 8) +
              Right(one.times_unknown, 8) + "\n";
    }
    if (!c.rows.empty()) {
      out_ += "  " + Pad(say_("金额", "amount"), width) + say_("      天", "    days") + "\n";
      for (const RowCoverage& row : c.rows) out_ += "  " + Pad(RowName(row), width) + Right(row.times, 8) + "\n";
    }
    for (const LawCoverage& law : c.laws) {
      if (law.tested) continue;
      out_ += "  " + say_("依据未测到：", "law not tested: ") + law.id + " (" + law.title + ")";
      if (law.criteria.empty()) out_ += say_("，没有条件引用它", ", no criterion cites it");
      out_ += "\n";
    }
    out_ += "  " + say_("已证明的判断（MC/DC）：", "conditions shown (MC/DC): ") + std::to_string(c.pairs_shown) +
            say_(" / ", " of ") + std::to_string(c.pairs) + "\n";
    for (const CriterionCoverage& one : c.criteria) Conditions(one.conditions);
    for (const RowCoverage& row : c.rows) Conditions(row.conditions);
  }

  std::string RowName(const RowCoverage& row) const {
    return row.when.empty() ? say_("（其余）", "(otherwise)") : row.when;
  }

  void Conditions(const std::vector<ConditionCoverage>& conditions) {
    for (const ConditionCoverage& c : conditions) {
      if (c.independent) continue;
      out_ += "    " + Where(c.at) + "  " + c.text + "  ";
      if (!c.waived.empty()) {
        out_ += say_("豁免：", "waived: ") + c.waived;
      } else if (!c.seen_true && !c.seen_false) {
        out_ += say_("从未为真，也从未为假", "never true and never false");
      } else if (!c.seen_true) {
        out_ += say_("从未为真", "never true");
      } else if (!c.seen_false) {
        out_ += say_("从未为假", "never false");
      } else {
        out_ += say_("真假都出现过，但从未单独改变结果", "true and false, but no two days show that it alone decides");
      }
      out_ += "\n";
    }
  }

  void Mutants(const RuleMutants& m, bool name) {
    if (name) out_ += m.rule + "  " + m.at.file + "\n";
    out_ += "  " + say_("变异：", "mutants: ") + std::to_string(m.killed) + say_(" / ", " of ") +
            std::to_string(m.killed + m.survived) + say_(" 被测试发现，", " killed, ") +
            Percent(m.killed, m.killed + m.survived);
    if (m.waived > 0) out_ += say_("，豁免 ", ", ") + std::to_string(m.waived) + say_(" 个", " waived");
    out_ += "\n";
    for (const Mutant& mutant : m.mutants) {
      if (mutant.fate != MutantFate::kSurvived) continue;
      out_ += "    " + Where(mutant.at) + "  " + mutant.before + " -> " + mutant.after + "  (" + mutant.kind + ")\n";
    }
  }

  void Totals() {
    if (report_.coverage.size() + report_.mutants.size() == 0) return;
    std::string line;
    if (!report_.coverage.empty()) {
      std::size_t shown = 0, pairs = 0;
      for (const RuleCoverage& c : report_.coverage) {
        shown += c.pairs_shown;
        pairs += c.pairs;
      }
      line += say_("已证明的判断 ", "conditions shown ") + std::to_string(shown) + say_(" / ", " of ") +
              std::to_string(pairs) + ", " + Percent(shown, pairs);
    }
    if (!report_.mutants.empty()) {
      std::size_t killed = 0, survived = 0;
      for (const RuleMutants& m : report_.mutants) {
        killed += m.killed;
        survived += m.survived;
      }
      line += (line.empty() ? "" : "; ") + say_("被发现的变异 ", "mutants killed ") + std::to_string(killed) +
              say_(" / ", " of ") + std::to_string(killed + survived) + ", " + Percent(killed, killed + survived);
    }
    out_ += say_("合计：", "all rules: ") + line + "\n";
  }

  void Cases() {
    std::string rule;
    for (const BoundaryCase& one : report_.cases) {
      if (one.rule != rule) {
        rule = one.rule;
        out_ += "# " + rule +
                say_("：边界上还没有测试的情形，确认后可以贴到 tests 下",
                     ": cases at a boundary that no test stands on, for `tests` once confirmed") +
                "\n";
      }
      out_ += "  # " + one.why + "\n" + one.yaml;
    }
  }

  const Report& report_;
  Words say_;
  std::string out_;
};

Json Place(const Location& at) { return {{"file", at.file}, {"line", at.line}, {"column", at.column}}; }

Json ConditionsJson(const std::vector<ConditionCoverage>& conditions) {
  Json out = Json::array();
  for (const ConditionCoverage& c : conditions) {
    Json one = {{"text", c.text},
                {"at", Place(c.at)},
                {"true", c.seen_true},
                {"false", c.seen_false},
                {"shown", c.independent}};
    if (!c.waived.empty()) one["waived"] = c.waived;
    out.push_back(std::move(one));
  }
  return out;
}

Json CoverageJson(const RuleCoverage& c) {
  Json out = {{"rule", c.rule}, {"at", Place(c.at)}, {"test_days", c.test_days}};
  out["criteria"] = Json::array();
  for (const CriterionCoverage& one : c.criteria) {
    out["criteria"].push_back({{"id", one.id},
                               {"at", Place(one.at)},
                               {"true", one.times_true},
                               {"false", one.times_false},
                               {"unknown", one.times_unknown},
                               {"conditions", ConditionsJson(one.conditions)}});
  }
  out["rows"] = Json::array();
  for (const RowCoverage& row : c.rows) {
    out["rows"].push_back({{"when", row.when},
                           {"at", Place(row.at)},
                           {"days", row.times},
                           {"conditions", ConditionsJson(row.conditions)}});
  }
  out["laws"] = Json::array();
  for (const LawCoverage& law : c.laws) {
    out["laws"].push_back({{"id", law.id}, {"title", law.title}, {"criteria", law.criteria}, {"tested", law.tested}});
  }
  out["shown"] = c.pairs_shown;
  out["conditions"] = c.pairs;
  return out;
}

Json MutantsJson(const RuleMutants& m) {
  Json out = {{"rule", m.rule}, {"killed", m.killed}, {"survived", m.survived}, {"waived", m.waived}};
  out["mutants"] = Json::array();
  for (const Mutant& one : m.mutants) {
    out["mutants"].push_back({{"at", Place(one.at)},
                              {"kind", one.kind},
                              {"before", one.before},
                              {"after", one.after},
                              {"fate", MutantFateName(one.fate)},
                              {"note", one.note}});
  }
  return out;
}

// XML text or attribute value; control characters, which XML cannot hold, become spaces.
std::string Xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

std::string TestCase(const std::string& suite, const std::string& name, const Location& at, const std::string& message,
                     const std::string& text) {
  std::string out = "    <testcase classname=\"" + Xml(suite) + "\" name=\"" + Xml(name) + "\" file=\"" + Xml(at.file) +
                    "\" line=\"" + std::to_string(at.line) + "\"";
  if (message.empty()) return out + "/>\n";
  return out + ">\n      <failure message=\"" + Xml(message) + "\">" + Xml(text) + "</failure>\n    </testcase>\n";
}

}  // namespace

std::string FailuresToText(const Report& report, std::string_view locale) { return Writer(report, locale).Failures(); }

std::string ToText(const Report& report, std::string_view locale) { return Writer(report, locale).Rest(); }

std::string ToJson(const Report& report) {
  Json out = {{"passed", report.tests.passed}, {"failed", report.tests.failed}};
  out["failures"] = Json::array();
  for (const rules::TestDay& day : report.tests.days) {
    if (day.differences.empty()) continue;
    Json one = {{"rule", day.rule->id}, {"test", day.test->name}};
    one["day"] = day.expected == nullptr ? Json() : Json(FormatDate(day.expected->day));
    one["at"] = Place(day.expected == nullptr ? day.test->at : day.expected->at);
    one["differences"] = Json::array();
    for (const rules::Difference& d : day.differences) {
      one["differences"].push_back({{"expected", d.expected}, {"got", d.got}});
    }
    out["failures"].push_back(std::move(one));
  }
  for (const RuleCoverage& c : report.coverage) out["coverage"].push_back(CoverageJson(c));
  for (const RuleMutants& m : report.mutants) out["mutants"].push_back(MutantsJson(m));
  for (const BoundaryCase& c : report.cases) {
    out["cases"].push_back({{"rule", c.rule}, {"from_test", c.from_test}, {"why", c.why}, {"yaml", c.yaml}});
  }
  out["notes"] = Json::array();
  for (const Diagnostic& note : report.notes) {
    out["notes"].push_back(
        {{"at", Place(note.at)}, {"code", note.code}, {"message", note.message}, {"hint", note.hint}});
  }
  return out.dump() + "\n";
}

std::string ToJunit(const Report& report) {
  struct Suite {
    std::size_t tests = 0;
    std::size_t failures = 0;
    std::string cases;
  };
  std::map<std::string, Suite> suites;
  const auto add = [&](const std::string& rule, const std::string& name, const Location& at, const std::string& message,
                       const std::string& text) {
    Suite& suite = suites[rule];
    ++suite.tests;
    suite.failures += message.empty() ? 0 : 1;
    suite.cases += TestCase(rule, name, at, message, text);
  };
  for (const rules::TestDay& day : report.tests.days) {
    std::string message;
    std::string text;
    for (const rules::Difference& d : day.differences) {
      message += (message.empty() ? "" : "; ") + ("expected " + d.expected + ", got " + d.got);
    }
    if (!message.empty()) {
      for (const std::string& fact : FactsThatMatter(report, day)) text += (text.empty() ? "" : ", ") + fact;
    }
    const std::string when = day.expected == nullptr ? "" : ", " + FormatDate(day.expected->day);
    add(day.rule->id, day.test->name + when, day.expected == nullptr ? day.test->at : day.expected->at, message, text);
  }
  for (const RuleMutants& m : report.mutants) {
    for (const Mutant& one : m.mutants) {
      if (one.fate != MutantFate::kSurvived) continue;
      add(m.rule, "mutant " + one.before + " -> " + one.after, one.at, "no test notices this mutant", Where(one.at));
    }
  }
  std::size_t tests = 0;
  std::size_t failures = 0;
  std::string body;
  for (const auto& [rule, suite] : suites) {
    tests += suite.tests;
    failures += suite.failures;
    body += "  <testsuite name=\"" + Xml(rule) + "\" tests=\"" + std::to_string(suite.tests) + "\" failures=\"" +
            std::to_string(suite.failures) + "\" errors=\"0\" skipped=\"0\">\n" + suite.cases + "  </testsuite>\n";
  }
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"zhitui rules\" tests=\"" +
         std::to_string(tests) + "\" failures=\"" + std::to_string(failures) + "\">\n" + body + "</testsuites>\n";
}

}  // namespace zhitui::proving
