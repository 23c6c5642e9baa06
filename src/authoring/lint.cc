// Warnings: what is no mistake and what an author would be glad to be told.

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "authoring/lint.h"

namespace zhitui::authoring {
namespace {

// One `allow` of a file, and whether it was of use.
struct Allowance {
  const yaml::Allow* allow;
  bool used = false;
};
using Allowances = std::map<std::string, std::vector<Allowance>>;  // by file

bool Covers(const yaml::Allow& allow, const Finding& finding) {
  if (allow.lint != finding.diagnostic.code) return false;
  return allow.at.empty() || finding.at == allow.at || finding.at.starts_with(allow.at + ".");
}

Allowances AllowancesOf(const Scene& scene) {
  Allowances out;
  const auto add = [&out](const std::vector<yaml::Allow>& list) {
    for (const yaml::Allow& allow : list) out[allow.place.file].push_back({&allow});
  };
  for (const rules::Rule& rule : scene.ruleset.rules()) add(rule.allow);
  for (const std::string& kind : scene.ruleset.kinds()) add(scene.ruleset.SchemaOf(kind)->allow());
  for (const auto& [name, tmpl] : scene.templates.all()) add(tmpl.allow);
  return out;
}

Diagnostic Idle(const yaml::Allow& allow) {
  Diagnostic d;
  d.at = allow.place;
  d.length = allow.length;
  d.code = "idle-allow";
  d.message = "nothing here gives the warning `" + allow.lint + "`" + (allow.at.empty() ? "" : " at " + allow.at);
  d.hint = allow.at.empty() ? "delete this entry of allow" : "delete this entry of allow, or correct its `at`";
  d.source_line = allow.source_line;
  d.severity = Severity::kWarning;
  return d;
}

void Newest(const yaml::Node* node, Date& newest) {
  if (node == nullptr || !node->IsScalar()) return;
  if (const Result<Date> day = ParseDate(node->text())) newest = std::max(newest, *day);
}

void NewestOfParams(const yaml::Node* params, Date& newest) {
  if (params == nullptr || !params->IsMapping()) return;
  for (const auto& [name, dated] : params->entries()) {
    if (!dated.IsMapping()) continue;
    for (const auto& [day, value] : dated.entries()) {
      Newest(&day, newest);
      if (value.IsMapping()) Newest(value.Find("entered"), newest);
      for (const yaml::Node& item : value.items()) {
        if (item.IsMapping()) Newest(item.Find("entered"), newest);
      }
    }
  }
}

// The newest day from which something counts or was entered. Days of tests and ends of validity lie in a future that
// nobody has reached.
Date NewestDay(const std::map<std::string, yaml::Document>& documents) {
  Date newest = MakeDate(1, 1, 1);
  for (const auto& [file, document] : documents) {
    const yaml::Node& root = document.root();
    if (!root.IsMapping()) continue;
    Newest(At(&root, {"valid", "from"}), newest);
    NewestOfParams(root.Find("params"), newest);
  }
  return newest;
}

}  // namespace

void Findings::Add(const yaml::Node& node, std::string code, std::string at, std::string message, std::string hint) {
  Diagnostic d = node.Fault(std::move(code), std::move(message), std::move(hint));
  d.severity = Severity::kWarning;
  const auto same = [&](const Finding& f) {
    return f.at == at && f.diagnostic.code == d.code && f.diagnostic.message == d.message &&
           f.diagnostic.at.line == d.at.line && f.diagnostic.at.column == d.at.column &&
           f.diagnostic.at.file == d.at.file;
  };
  if (std::none_of(found_.begin(), found_.end(), same)) found_.push_back({std::move(d), std::move(at)});
}

const yaml::Node* At(const yaml::Node* root, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    if (root == nullptr || !root->IsMapping()) return nullptr;
    root = root->Find(key);
  }
  return root;
}

const std::vector<std::string>& LintCodes() {
  static const std::vector<std::string> codes = {
      "dead-row",       "empty-placeholder", "idle-allow",   "long-sms",    "needless-recheck", "never-eligible",
      "never-false",    "never-fires",       "never-true",   "no-english",  "no-law",           "no-next-channel",
      "no-tests",       "outside-validity",  "row-gap",      "row-overlap", "same-criterion",   "same-rule",
      "sensitive-text", "stale-param",       "unused-fact",  "unused-kind", "unused-law",       "unused-let",
      "unused-message", "unused-param",      "unused-source"};
  return codes;
}

std::string PageOf(std::string_view code) { return "docs/errors/" + std::string(code) + ".md"; }

Diagnostics Lint(const Report& report, const std::vector<rules::SourceFile>& files, const LintOptions& options,
                 const ForEach& each) {
  if (report.ruleset == nullptr || report.templates_set == nullptr) return {};
  std::vector<std::optional<yaml::Document>> read(files.size());
  each(read.size(), [&](std::size_t i) {
    Diagnostics unread;  // Check has found nothing wrong with them
    read[i] = yaml::Parse(files[i].path, files[i].text, &unread);
  });
  std::map<std::string, yaml::Document> documents;
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (read[i]) documents.emplace(files[i].path, std::move(*read[i]));
  }
  const Scene scene{*report.ruleset, *report.templates_set, documents, options.at.value_or(NewestDay(documents)),
                    options.stale_years};
  const std::vector<rules::Rule>& rules = report.ruleset->rules();
  std::vector<std::vector<Finding>> parts(rules.size() + 1);
  each(rules.size(), [&](std::size_t i) {
    Findings out;
    LintRule(scene, rules[i], out);
    LintReach(scene, rules[i], out);
    parts[i] = out.Take();
  });
  Findings folder;
  LintSchemas(scene, folder);
  LintRules(scene, folder);
  LintMessages(scene, folder);
  parts.back() = folder.Take();

  Allowances allowances = AllowancesOf(scene);
  Diagnostics out;
  for (std::vector<Finding>& part : parts) {
    for (Finding& finding : part) {
      bool allowed = false;
      for (Allowance& allowance : allowances[finding.diagnostic.at.file]) {
        if (!Covers(*allowance.allow, finding)) continue;
        allowance.used = true;
        allowed = true;
      }
      if (!allowed) out.push_back(std::move(finding.diagnostic));
    }
  }
  for (const auto& [file, list] : allowances) {
    for (const Allowance& allowance : list) {
      if (!allowance.used) out.push_back(Idle(*allowance.allow));
    }
  }
  std::sort(out.begin(), out.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.at.file, a.at.line, a.at.column, a.code, a.message) <
           std::tie(b.at.file, b.at.line, b.at.column, b.code, b.message);
  });
  return out;
}

}  // namespace zhitui::authoring
