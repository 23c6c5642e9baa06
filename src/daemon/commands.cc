// config and rules subcommands, evaluate, and what all subcommands share.

#include "daemon/commands.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <string_view>

#include "facts/facts.h"
#include "rules/rules.h"
#include "value/value.h"

namespace zhitui::daemon {
namespace {

constexpr std::chrono::days kHorizon{130 * 366};
constexpr std::uintmax_t kMaxFactsBytes = 1 << 20;

std::string ToJson(const Diagnostics& diagnostics) {
  const Diagnostics zh = authoring::InLanguage(diagnostics, "zh");
  std::string out;
  for (std::size_t i = 0; i < zh.size(); ++i) {
    const Diagnostic& d = diagnostics[i];
    out += std::string(out.empty() ? "" : ",\n ") + "{\"file\":" + JsonQuote(d.at.file) +
           ",\"line\":" + std::to_string(d.at.line) + ",\"column\":" + std::to_string(d.at.column) +
           ",\"severity\":" + (d.severity == Severity::kWarning ? "\"warning\"" : "\"error\"") +
           ",\"code\":" + JsonQuote(d.code) + ",\"message\":" + JsonQuote(d.message) +
           ",\"hint\":" + JsonQuote(d.hint) + ",\"message_zh\":" + JsonQuote(zh[i].message) +
           ",\"hint_zh\":" + JsonQuote(zh[i].hint) + ",\"page\":" + JsonQuote(authoring::PageOf(d.code)) + "}";
  }
  return "[" + out + "]\n";
}

std::string Count(std::size_t n, const char* one) { return std::to_string(n) + " " + one + (n == 1 ? "" : "s"); }

std::string MistakesIn(const std::string& where, const Diagnostics& found) {
  return Language() == "zh" ? where + "：" + std::to_string(found.size()) + " 处错误"
                            : Count(found.size(), "mistake") + " in " + where;
}

std::string WarningsIn(const std::string& where, const Diagnostics& found) {
  return Language() == "zh" ? where + "：" + std::to_string(found.size()) + " 处警告"
                            : Count(found.size(), "warning") + " in " + where;
}

std::string LanguageOfEnvironment() {
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return std::string_view(value).starts_with("zh") ? "zh" : "en";
  }
  return "en";
}

std::string& TheLanguage() {
  static std::string language = LanguageOfEnvironment();
  return language;
}

std::optional<std::string> ReadAll(const std::string& path) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::error_code error;
  if (std::filesystem::file_size(path, error) > kMaxFactsBytes || error) return std::nullopt;
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::optional<std::vector<rules::SourceFile>> FilesOrExit(const std::string& folder, int* code) {
  Result<std::vector<rules::SourceFile>> files = authoring::LoadFolder(folder);
  if (files) return std::move(*files);
  const bool missing = !std::filesystem::exists(folder);
  *code = missing ? Fail(EX_NOINPUT, files.error().message) : Fail(files.error());
  return std::nullopt;
}

// One line for each code, where to read more.
std::string Pages(const Diagnostics& found) {
  std::set<std::string> codes;
  for (const Diagnostic& d : found) codes.insert(d.code);
  std::string out;
  for (const std::string& code : codes) out += "page: " + authoring::PageOf(code) + "\n";
  return out;
}

}  // namespace

const std::string& Language() { return TheLanguage(); }
void SetLanguage(const std::string& lang) { TheLanguage() = lang; }

std::string Shown(const Diagnostics& diagnostics) {
  return FormatDiagnostics(authoring::InLanguage(diagnostics, Language()), Language());
}

int Fail(int code, const std::string& message) {
  std::cerr << "zhitui: " << message << "\n";
  return code;
}

int Fail(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kInvalid:
      return Fail(EX_CONFIG, error.message);
    case ErrorKind::kUnavailable:
    case ErrorKind::kDeadline:
      return Fail(EX_UNAVAILABLE, error.message);
    case ErrorKind::kDuplicate:
    case ErrorKind::kFatal:
      break;
  }
  return Fail(EX_SOFTWARE, error.message);
}

std::unique_ptr<Config> ConfigOrExit(const std::string& path, int* code) {
  Diagnostics diagnostics;
  Result<std::unique_ptr<Config>> config = LoadConfig(path, &diagnostics);
  if (!config) {
    *code = Fail(EX_NOINPUT, config.error().message);
    return nullptr;
  }
  if (!diagnostics.empty()) {
    std::cerr << Shown(diagnostics);
    *code = Fail(EX_CONFIG, MistakesIn(path, diagnostics));
    return nullptr;
  }
  return std::move(*config);
}

std::optional<authoring::Report> RulesOrExit(const std::string& folder, int* code,
                                             std::vector<rules::SourceFile>* read) {
  std::optional<std::vector<rules::SourceFile>> files = FilesOrExit(folder, code);
  if (!files) return std::nullopt;
  authoring::Report report = authoring::Check(*files, OnThreads());
  if (!report.ok()) {
    std::cerr << Shown(report.diagnostics);
    *code = Fail(EX_CONFIG, MistakesIn(folder, report.diagnostics));
    return std::nullopt;
  }
  if (read != nullptr) *read = std::move(*files);
  return report;
}

std::optional<facts::Profile> ProfileOrExit(const rules::RuleSet& ruleset, const std::string& kind,
                                            const std::string& folder, const std::string& path, int* code) {
  const std::shared_ptr<const facts::Schema> schema = ruleset.SchemaOf(kind);
  if (schema == nullptr) {
    *code = Fail(EX_USAGE, "no kind " + kind + " in " + folder + "/facts");
    return std::nullopt;
  }
  const std::optional<std::string> json = ReadAll(path);
  if (!json) {
    *code = Fail(EX_NOINPUT, "cannot read " + path + ", or it is larger than 1 MiB");
    return std::nullopt;
  }
  facts::Profile profile(schema);
  if (const auto set = profile.SetFromJson(*json); !set) {
    *code = Fail(EX_DATAERR, path + ": " + facts::RefusalName(set.error().reason) + ": " + set.error().detail);
    return std::nullopt;
  }
  return profile;
}

Date HorizonOf(Date day) { return std::min(day + kHorizon, MakeDate(9999, 12, 31)); }

int ConfigCheck(const std::string& path, bool json) {
  Diagnostics diagnostics;
  const Result<std::unique_ptr<Config>> config = LoadConfig(path, &diagnostics);
  if (!config) return Fail(EX_NOINPUT, config.error().message);
  if (json) {
    std::cout << ToJson(diagnostics);
    return diagnostics.empty() ? EX_OK : EX_CONFIG;
  }
  if (!diagnostics.empty()) {
    std::cerr << Shown(diagnostics);
    return Fail(EX_CONFIG, MistakesIn(path, diagnostics));
  }
  std::cout << path << ": ok\n";
  return EX_OK;
}

int ConfigShow(const std::string& path) {
  int code = EX_OK;
  const std::unique_ptr<Config> config = ConfigOrExit(path, &code);
  if (!config) return code;
  std::cout << ShowConfig(*config);
  return EX_OK;
}

int RulesCheck(const RulesCheckArguments& arguments) {
  authoring::LintOptions options;
  options.stale_years = arguments.stale_years;
  if (!arguments.at.empty()) {
    const Result<Date> day = ParseDate(arguments.at);
    if (!day) return Fail(EX_USAGE, "--at takes a date such as 2026-03-01");
    options.at = *day;
  }
  int code = EX_OK;
  const std::optional<std::vector<rules::SourceFile>> files = FilesOrExit(arguments.folder, &code);
  if (!files) return code;
  const authoring::Report report = authoring::Check(*files, OnThreads());
  const Diagnostics found = report.ok() ? authoring::Lint(report, *files, options, OnThreads()) : report.diagnostics;
  const bool good = found.empty() || (report.ok() && !arguments.strict);
  if (arguments.json) {
    std::cout << ToJson(found);
    return good ? EX_OK : EX_CONFIG;
  }
  std::cerr << Shown(found) << Pages(found);
  if (!report.ok()) return Fail(EX_CONFIG, MistakesIn(arguments.folder, found));
  if (!good) return Fail(EX_CONFIG, WarningsIn(arguments.folder, found));
  std::cout << arguments.folder << ": ok, " << Count(report.ruleset->rules().size(), "rule") << ", "
            << Count(report.templates_set->all().size(), "message") << ", "
            << (found.empty() ? "" : Count(found.size(), "warning") + ", ") << "ruleset "
            << report.ruleset->hash().substr(0, 12) << "\n";
  for (const rules::Rule& rule : report.ruleset->rules()) {
    if (!rule.over) continue;
    const Location& larger = report.ruleset->Find(rule.over->id)->at;
    std::cout << "  " << rule.id << " (" << rule.area << ", " << rule.at.file << ":" << rule.at.line << ") stands over "
              << rule.over->id << " (" << rule.over->area << ", " << larger.file << ":" << larger.line << ")\n";
  }
  return EX_OK;
}

int Evaluate(const EvaluateArguments& arguments) {
  int code = EX_OK;
  const std::optional<authoring::Report> report = RulesOrExit(arguments.rules, &code);
  if (!report) return code;
  const Result<Date> day = ParseDate(arguments.at);
  if (!day) return Fail(EX_USAGE, "--at takes a date such as 2026-03-01");
  const std::optional<facts::Profile> profile =
      ProfileOrExit(*report->ruleset, arguments.kind, arguments.rules, arguments.facts, &code);
  if (!profile) return code;
  const Date horizon = HorizonOf(*day);
  value::Arena arena;
  std::string out;
  for (const std::uint32_t i : report->ruleset->RulesOf(arguments.kind)) {
    arena.Reset();
    const rules::Rule& rule = report->ruleset->rules()[i];
    const rules::Determination d = rules::Evaluate(rule, *profile, *day, arena);
    const rules::Outlook outlook = rules::LookAhead(rule, *profile, d, *day, horizon, arena);
    if (arguments.json) {
      out += (out.empty() ? "" : ",\n ") + rules::ToJson(rule, *profile, d, outlook, *day);
    } else {
      out += (out.empty() ? "" : "\n") + rules::ToText(rule, *profile, d, outlook, *day, arguments.locale);
    }
  }
  std::cout << (arguments.json ? "[" + out + "]\n" : out);
  return EX_OK;
}

}  // namespace zhitui::daemon
