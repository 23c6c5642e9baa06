#pragma once

// authoring: what needs rules and message templates together. Reads the rules folder, checks all of it at once, warns
// of what is no mistake but hardly meant, runs the tests beside the rules. LoadFolder is the one place that reads rule
// files from disk; the rest is pure.
//
// Promises
// - Check reports every mistake of every file in one pass, whatever kind of file it is in.
// - What Check accepts can be served: every notify entry has a template with content for its channels in zh and en.
// Free of state; any thread may call anything here.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "message/message.h"
#include "rules/rules.h"

namespace zhitui::authoring {

// Every *.yaml and *.yml below `path`, sorted, with paths relative to it. Names that start with a dot are skipped,
// links are followed (a mounted ConfigMap is made of them). Limits: 24,000 files, 1 MiB each, 128 MiB in all, 8 folders
// deep. kInvalid: not a folder, nothing in it, or over a limit. kUnavailable: cannot be read.
Result<std::vector<rules::SourceFile>> LoadFolder(const std::string& path);

// What tells one state of the folder's files from another without reading them: names, sizes, times of the last write.
// Limits and errors as above.
Result<std::string> FolderStamp(const std::string& path);

struct Report {
  Diagnostics diagnostics;    // mistakes; with any of them the two sets below are nullptr
  std::size_t rules = 0;      // rule files
  std::size_t templates = 0;  // message files
  std::shared_ptr<const rules::RuleSet> ruleset;
  std::shared_ptr<const message::TemplateSet> templates_set;
  bool ok() const { return diagnostics.empty(); }
};

// Builds rules and templates and checks them against each other. `each` runs over the rule files.
Report Check(const std::vector<rules::SourceFile>& files, const ForEach& each = OneAfterTheOther());

struct LintOptions {
  // The day by which values are stale and rules in force. Without it, the newest day from which a rule or a value of a
  // param counts, or on which one was entered.
  std::optional<Date> at;
  int stale_years = 3;  // 1 to 100: a param is stale when its last value is older
};

// What is no mistake and what an author would be glad to be told, each a warning with one of LintCodes(), sorted by
// place. Needs a report without mistakes of the same files; otherwise there are none. What a file allows under `allow`
// is left out; what it allows without need is a warning itself. A warning that something can never happen is given only
// where that is certain for all values of the facts, or, where the day matters, for all days that were tried. A rule
// that stands over another is warned of only when it has no tests.
// `each` runs over the rules.
Diagnostics Lint(const Report& report, const std::vector<rules::SourceFile>& files, const LintOptions& options = {},
                 const ForEach& each = OneAfterTheOther());
// The codes of all warnings, sorted.
const std::vector<std::string>& LintCodes();
// The page that explains an error or a warning: "docs/errors/unused-param.md".
std::string PageOf(std::string_view code);

// The same with messages and hints in the language: "zh"; anything else: as they are, in English. Names, keys and code
// stay, in Chinese texts within back quotes. For mistakes and warnings of rule folders and of the configuration; a text
// that the catalogue does not have stays English.
Diagnostics InLanguage(Diagnostics diagnostics, std::string_view lang);

// Check, then the tests beside the rules. Without a ruleset no test is run: `report` says why.
struct TestRun {
  Report report;
  rules::TestReport tests;
  bool ok() const { return report.ok() && tests.failed == 0; }
};
TestRun RunAll(const std::vector<rules::SourceFile>& files);

}  // namespace zhitui::authoring
