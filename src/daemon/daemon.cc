#include "daemon/daemon.h"

#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>
#include <functional>
#include <iostream>

#include "daemon/commands.h"
#include "daemon/signals.h"

namespace zhitui::daemon {
namespace {

using Command = std::function<int()>;

void AddConfigOption(CLI::App* app, std::string& path) {
  app->add_option("--config", path, "The configuration, one YAML file (docs/config.md)")->required();
}

// What was typed, in one place; the command runs once parsing is over.
struct Line {
  ServeArguments serve;
  EvaluateArguments evaluate;
  ExplainArguments explain;
  RulesTestArguments rules_test;
  BenchArguments bench;
  SimulateArguments simulate;
  CelTestArguments cel_test;
  FormatArguments format;
  std::string schema;
  std::string config;
  RulesCheckArguments check;
  std::string file;
  std::string speed = "max";
  bool json = false;
  Command command;
};

void AddServe(CLI::App& app, Line& line) {
  CLI::App* serve = app.add_subcommand("serve", "Run the service; with --clock: replay a span of time and exit");
  AddConfigOption(serve, line.serve.config);
  serve->add_option("--instance", line.serve.instance, "Name of this instance, instead of service.instance");
  CLI::Option* clock = serve->add_option("--clock", line.serve.clock, "Drive the clock from this date or time");
  CLI::Option* until =
      serve->add_option("--until", line.serve.until, "... to this one (a date: to its end), then exit");
  serve->add_option("--speed", line.speed, "How fast the driven clock goes")
      ->check(CLI::IsMember({"max"}))
      ->needs(clock);
  clock->needs(until);
  until->needs(clock);
  serve->add_option("--port-file", line.serve.port_file, "Write 'PORT ADMIN_PORT' to this file once listening");
  serve->add_flag("--json", line.serve.json, "The summary of a replay as JSON");
  serve->callback([&line] { line.command = [&line] { return Serve(line.serve); }; });
}

void AddConfig(CLI::App& app, Line& line) {
  CLI::App* config = app.add_subcommand("config", "Check and show the configuration");
  config->require_subcommand(1);
  CLI::App* check = config->add_subcommand("check", "Print all mistakes at once");
  AddConfigOption(check, line.config);
  check->add_flag("--json", line.json, "The mistakes as JSON");
  check->callback([&line] { line.command = [&line] { return ConfigCheck(line.config, line.json); }; });
  CLI::App* show = config->add_subcommand("show", "Print what is in effect, one key a line; secrets are ***");
  AddConfigOption(show, line.config);
  show->callback([&line] { line.command = [&line] { return ConfigShow(line.config); }; });
  CLI::App* reference = config->add_subcommand("reference", "Print the reference of all keys (docs/config.md)");
  reference->callback([&line] {
    line.command = [] {
      std::cout << ConfigReference();
      return EX_OK;
    };
  });
}

void AddExplain(CLI::App* rules, ExplainArguments& arguments, Command& command) {
  CLI::App* explain = rules->add_subcommand("explain", "Say why, until when, and what would make the subject eligible");
  explain->add_option("--rules", arguments.rules, "The rules folder")->required();
  explain->add_option("--facts", arguments.facts, "JSON object of facts; - is standard input")->required();
  explain->add_option("--at", arguments.at, "The day, such as 2026-03-01")->required();
  explain->add_option("--rule", arguments.rule, "Only this rule");
  explain->add_option("--kind", arguments.kind, "Kind of subject")->capture_default_str();
  explain->add_option("--lang", arguments.locale, "zh or en")
      ->check(CLI::IsMember({"zh", "en"}))
      ->capture_default_str();
  explain->add_flag("--show-sensitive", arguments.show_sensitive, "Show the values of sensitive facts too");
  explain->add_flag("--json", arguments.json, "As JSON");
  explain->callback([&arguments, &command, explain] {
    if (explain->count("--lang") > 0) SetLanguage(arguments.locale);
    command = [&] { return RulesExplain(arguments); };
  });
}

void AddRulesTest(CLI::App* rules, RulesTestArguments& arguments, Command& command) {
  CLI::App* test = rules->add_subcommand("test", "Run the tests beside the rules, and say how well they prove them");
  test->add_option("DIR", arguments.folder, "The rules folder")->required();
  test->add_option("RULE", arguments.rules, "Only these rules");
  test->add_flag("--coverage", arguments.coverage, "Which criteria, rows, articles and conditions the tests exercise");
  test->add_flag("--mutate", arguments.mutate, "Make small mistakes in each rule and list those no test notices");
  test->add_flag("--cases", arguments.cases, "Propose tests for boundaries that none stands on; nothing is written");
  test->add_option("--junit", arguments.junit, "Write a JUnit report to this file");
  test->add_flag("--json", arguments.json, "As JSON");
  test->add_option("--lang", arguments.locale, "zh or en")->check(CLI::IsMember({"zh", "en"}))->capture_default_str();
  test->add_option("--threads", arguments.threads, "How many work at once")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  test->callback([&arguments, &command, test] {
    if (test->count("--lang") > 0) SetLanguage(arguments.locale);
    arguments.locale = Language();
    command = [&] { return RulesTest(arguments); };
  });
}

void AddRules(CLI::App& app, Line& line) {
  CLI::App* rules = app.add_subcommand("rules", "Check and test a folder of rules");
  rules->require_subcommand(1);
  CLI::App* check = rules->add_subcommand("check", "Print all mistakes at once; without mistakes, all warnings");
  check->add_option("DIR", line.check.folder, "The rules folder")->required();
  check->add_flag("--strict", line.check.strict, "Fail on warnings too");
  check->add_option("--at", line.check.at, "The day by which values are stale; default: the newest in the files");
  check->add_option("--stale-years", line.check.stale_years, "A param is stale when its last value is older")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  check->add_flag("--json", line.check.json, "As JSON");
  check->callback([&line] { line.command = [&line] { return RulesCheck(line.check); }; });
  AddRulesTest(rules, line.rules_test, line.command);
  AddExplain(rules, line.explain, line.command);

  CLI::App* simulate = rules->add_subcommand("simulate", "Who would be eligible, and who gains or loses by a change");
  simulate->add_option("--rules", line.simulate.rules, "The rules folder; with --against: the draft")->required();
  simulate
      ->add_option("--profiles", line.simulate.profiles,
                   R"(NDJSON: {"subject": …, "kind": …, "facts": {…}}; - is standard input)")
      ->required();
  simulate->add_option("--at", line.simulate.at, "The day, such as 2026-03-01")->required();
  simulate->add_option("--against", line.simulate.against, "The rules folder in force now, to compare the draft with");
  simulate->add_option("--by", line.simulate.by,
                       "Count by these facts too: street,age_band or any facts with few values");
  simulate->add_option("--subjects", line.simulate.subjects,
                       "Write those who gain or lose to this file; it holds personal data");
  simulate->add_option("--threads", line.simulate.threads, "How many work at once")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  simulate->add_flag("--json", line.simulate.json, "As JSON");
  simulate->callback([&line] { line.command = [&line] { return RulesSimulate(line.simulate); }; });

  CLI::App* bench = rules->add_subcommand("bench", "Measure how fast the rules answer for a file of profiles");
  bench->add_option("--rules", line.bench.rules, "The rules folder")->required();
  bench->add_option("--profiles", line.bench.profiles, R"(NDJSON: {"subject": …, "kind": …, "facts": {…}})")
      ->required();
  bench->add_option("--at", line.bench.at, "The day")->capture_default_str();
  bench->add_option("--kind", line.bench.kind, "Kind of subject; others are skipped")->capture_default_str();
  bench->add_option("--threads", line.bench.threads, "Of the population run")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  bench->add_flag("--json", line.bench.json, "As JSON");
  bench->callback([&line] { line.command = [&line] { return RulesBench(line.bench); }; });

  CLI::App* evaluate = app.add_subcommand("evaluate", "Determine all rules for the facts of one subject");
  evaluate->add_option("--rules", line.evaluate.rules, "The rules folder")->required();
  evaluate->add_option("--facts", line.evaluate.facts, "JSON object of facts; - is standard input")->required();
  evaluate->add_option("--at", line.evaluate.at, "The day, such as 2026-03-01")->required();
  evaluate->add_option("--kind", line.evaluate.kind, "Kind of subject")->capture_default_str();
  evaluate->add_option("--locale", line.evaluate.locale, "zh or en")
      ->check(CLI::IsMember({"zh", "en"}))
      ->capture_default_str();
  evaluate->add_flag("--json", line.evaluate.json, "As JSON");
  evaluate->callback([&line] { line.command = [&line] { return Evaluate(line.evaluate); }; });
}

void AddCel(CLI::App& app, Line& line) {
  CLI::App* cel = app.add_subcommand("cel", "The expression language");
  cel->require_subcommand(1);
  CLI::App* test = cel->add_subcommand("test", "Run conformance cases, one JSON object a line");
  test->add_option("FILE", line.cel_test.file, "NDJSON file of cases")->required();
  test->add_option("--suite", line.cel_test.suite, "Only the cases of this suite");
  test->add_flag("--json", line.cel_test.json, "One JSON object a case; the counts go to standard error");
  test->callback([&line] { line.command = [&line] { return CelTest(line.cel_test); }; });
}

void AddTopics(CLI::App& app, Line& line) {
  CLI::App* ingest = app.add_subcommand("ingest", "Append CloudEvents, one a line, to the input topics");
  AddConfigOption(ingest, line.config);
  ingest->add_option("FILE", line.file, "NDJSON file; - is standard input")->required();
  ingest->callback([&line] { line.command = [&line] { return Ingest(line.config, line.file); }; });

  CLI::App* ledger =
      app.add_subcommand("ledger", "Count the notifications in the store (SQLite: while serve is not running)");
  AddConfigOption(ledger, line.config);
  ledger->add_flag("--json", line.json, "As JSON");
  ledger->callback([&line] { line.command = [&line] { return Ledger(line.config, line.json); }; });

  CLI::App* decisions =
      app.add_subcommand("decisions", "Print the distinct decision ids of the decisions topic, sorted");
  AddConfigOption(decisions, line.config);
  decisions->add_flag("--json", line.json, "One JSON object a line");
  decisions->callback([&line] { line.command = [&line] { return Decisions(line.config, line.json); }; });

  CLI::App* dead =
      app.add_subcommand("dead-letters", "Print the dead letters with their reasons, one JSON object a line");
  AddConfigOption(dead, line.config);
  dead->callback([&line] { line.command = [&line] { return DeadLetters(line.config); }; });
}

int Run(int argc, char** argv, const std::string& version) {
  CLI::App app{"zhitui (智推): tells people what they are entitled to, when it becomes true."};
  app.require_subcommand(1);
  // Every command takes it, wherever it stands.
  app.fallthrough();
  app.add_option_function<std::string>("--lang", SetLanguage, "zh or en: the language of mistakes and warnings")
      ->check(CLI::IsMember({"zh", "en"}))
      ->default_str(Language());
  Line line;
  line.serve.version = version;
  AddServe(app, line);
  AddConfig(app, line);
  AddRules(app, line);
  AddEditing(app, line.format, line.schema, line.command);
  AddCel(app, line);
  AddTopics(app, line);
  app.add_subcommand("version", "Print the version")->callback([&line, &version] {
    line.command = [&version] {
      std::cout << "zhitui " << version << "\n";
      return EX_OK;
    };
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EX_OK : EX_USAGE;
  }
  std::signal(SIGPIPE, SIG_IGN);  // a peer that went away is an error of that call, not the end of the process
  // Only a service drains on a signal; the other commands end at once, as is usual.
  if (app.got_subcommand("serve")) StopSignal::Block();
  return line.command();
}

}  // namespace

int Main(int argc, char** argv, const std::string& version) {
  try {
    return Run(argc, argv, version);
  } catch (const std::exception& error) {
    std::cerr << "zhitui: internal error: " << error.what() << "\n";
    return EX_SOFTWARE;
  }
}

}  // namespace zhitui::daemon
