#pragma once

// One function per subcommand; each gives its exit code and writes what it has to say.

#include <sysexits.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "authoring/authoring.h"
#include "daemon/config.h"
#include "facts/facts.h"
#include "rules/rules.h"

namespace CLI {
class App;
}

namespace zhitui::daemon {

// The language of mistakes and warnings, "zh" or "en". Until it is set, before a command runs, that of the environment:
// zh when the first of LC_ALL, LC_MESSAGES and LANG that is set begins with it.
const std::string& Language();
void SetLanguage(const std::string& lang);

struct ServeArguments {
  std::string config;
  std::string instance;  // overrides service.instance
  std::string clock;     // empty: real time
  std::string until;
  std::string port_file;  // "PORT ADMIN_PORT" once listening
  bool json = false;      // the summary of a replay
  std::string version;
};
int Serve(const ServeArguments& arguments);

int ConfigCheck(const std::string& path, bool json);
int ConfigShow(const std::string& path);

struct RulesCheckArguments {
  std::string folder;
  std::string at;  // the day of LintOptions; empty: its default
  int stale_years = 3;
  bool strict = false;  // a warning is a failure
  bool json = false;
};
int RulesCheck(const RulesCheckArguments& arguments);
struct RulesTestArguments {
  std::string folder;
  std::vector<std::string> rules;  // ids; empty: all
  bool coverage = false;
  bool mutate = false;
  bool cases = false;
  std::string junit;  // file; empty: none
  bool json = false;
  std::string locale = Language();
  std::size_t threads = 2;
};
// EX_CONFIG when a test failed. What tests leave unproved is reported and no failure.
int RulesTest(const RulesTestArguments& arguments);
struct EvaluateArguments {
  std::string rules;
  std::string facts;  // file, or "-"
  std::string at;
  std::string kind = "resident";
  std::string locale = "zh";
  bool json = false;
};
int Evaluate(const EvaluateArguments& arguments);

struct ExplainArguments {
  std::string rules;
  std::string facts;  // file, or "-"
  std::string at;
  std::string rule;  // empty: all of the kind
  std::string kind = "resident";
  std::string locale = "zh";
  bool show_sensitive = false;
  bool json = false;
};
int RulesExplain(const ExplainArguments& arguments);

struct BenchArguments {
  std::string rules;
  std::string profiles;
  std::string at = "2026-03-01";
  std::string kind = "resident";
  std::size_t threads = 2;
  bool json = false;
};
int RulesBench(const BenchArguments& arguments);

struct SimulateArguments {
  std::string rules;     // the draft
  std::string profiles;  // NDJSON file, or "-"
  std::string at;
  std::string against;   // the rules in force; empty: nothing is compared
  std::string by;        // names of facts, with commas
  std::string subjects;  // file for those who are affected; empty: none
  std::size_t threads = 2;
  bool json = false;
};
int RulesSimulate(const SimulateArguments& arguments);

struct CelTestArguments {
  std::string file;
  std::string suite;  // empty: all
  bool json = false;
};
// Exit 1 when a case failed.
int CelTest(const CelTestArguments& arguments);

struct FormatArguments {
  std::vector<std::string> paths;
  std::string stdin_path;  // not empty: standard input, under this name
  bool check = false;
};
// lsp, rules fmt and schema; `rules` is there already. All arguments have to outlive the command.
void AddEditing(CLI::App& app, FormatArguments& format, std::string& schema, std::function<int()>& command);
int RulesFormat(const FormatArguments& arguments);
// The JSON Schema of the configuration.
std::string ConfigSchema();

int Ingest(const std::string& config, const std::string& file);
int Ledger(const std::string& config, bool json);
int Decisions(const std::string& config, bool json);
int DeadLetters(const std::string& config);

// ---- What they share
// Prints "zhitui: …" and gives the exit code of the error's kind.
int Fail(const Error& error);
int Fail(int code, const std::string& message);
// As they are printed, in the language of mistakes and warnings.
std::string Shown(const Diagnostics& diagnostics);
// nullptr and `code` when the configuration cannot be used; everything has been printed then.
std::unique_ptr<Config> ConfigOrExit(const std::string& path, int* code);
// nullopt and `code` likewise. `read` (may be nullptr) gets the files of a folder without mistakes.
std::optional<authoring::Report> RulesOrExit(const std::string& folder, int* code,
                                             std::vector<rules::SourceFile>* read = nullptr);
// The facts of one subject: a file of a JSON object, or "-". `folder` is named where the kind is not known.
std::optional<facts::Profile> ProfileOrExit(const rules::RuleSet& ruleset, const std::string& kind,
                                            const std::string& folder, const std::string& path, int* code);
// As far as `evaluate` and `rules explain` look ahead: nobody's rights change later.
Date HorizonOf(Date day);

}  // namespace zhitui::daemon
