// Writes the benchmark's set: a folder of rules in the shape of a national catalogue of benefits, residents for it, and
// what every engine has to answer.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "bench/benchset/catalogue.h"
#include "bench/benchset/model.h"
#include "bench/benchset/people.h"

namespace {

namespace fs = std::filesystem;
using namespace zhitui::benchset;  // NOLINT(google-build-using-namespace): the program of that library

struct Options {
  std::string out;
  std::uint64_t rules = 431;
  std::uint64_t profiles = 100000;
  std::uint64_t seed = 1;
  std::string at = "2026-03-01";
  double missing = 0;
  bool amounts = true;
  std::uint64_t peer_profiles = 5000;
};

bool Write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) std::fprintf(stderr, "zhitui-benchset: cannot write %s\n", path.c_str());
  return static_cast<bool>(file);
}

std::string Subject(std::uint64_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "r-%07llu", static_cast<unsigned long long>(number + 1));
  return text;
}

std::string JsonText(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string PeerRules(const std::vector<Rule>& rules, std::int64_t today) {
  std::string out = "{\"today\":" + std::to_string(today) + ",\n\"variables\":{";
  bool first = true;
  for (const PlainVariable& v : PlainVariables()) {
    out += (first ? "" : ",") + JsonText(v.name) + ':' + JsonText(v.type);
    first = false;
  }
  out += "},\n\"rules\":[\n";
  for (std::size_t i = 0; i < rules.size(); ++i) {
    out += "{\"id\":" + JsonText(rules[i].id) + ",\"when\":" + JsonText(PlainExpression(rules[i])) +
           (i + 1 < rules.size() ? "},\n" : "}\n");
  }
  return out + "]}\n";
}

std::string Drl(const std::vector<Rule>& rules) {
  const std::map<std::string, std::string> kTypes = {{"bool", "boolean"},
                                                     {"int", "int"},
                                                     {"string", "String"},
                                                     {"list(int)", "java.util.List"},
                                                     {"list(string)", "java.util.List"}};
  std::string out = "package zhitui.bench\n\ndeclare Resident\n";
  for (const PlainVariable& v : PlainVariables()) out += "  " + v.name + " : " + kTypes.at(v.type) + '\n';
  out += "end\n\nglobal java.util.function.IntConsumer eligible\n\n";
  for (std::size_t i = 0; i < rules.size(); ++i) {
    out += "rule " + JsonText(rules[i].id) + " when\n  Resident(" + DrlConstraints(rules[i]) +
           ")\nthen\n  eligible.accept(" + std::to_string(i) + ");\nend\n";
  }
  return out;
}

int Run(const Options& o, std::int64_t today) {
  const fs::path out(o.out);
  std::vector<Rule> rules;
  std::map<std::string, std::uint64_t> conditions;
  fs::remove_all(out / "rules");
  if (!Write(out / "rules/facts/resident.yaml", SchemaYaml())) return 73;
  for (std::uint64_t i = 0; i < o.rules; ++i) {
    rules.push_back(MakeRule(o.seed, i, today, o.amounts));
    const Rule& rule = rules.back();
    if (!Write(out / "rules" / rule.folder / (rule.id + ".yaml"), rule.yaml)) return 73;
    for (const Criterion& c : rule.criteria) ++conditions[Print(c.when, Dialect::kPlain)];
  }
  if (!Write(out / "peers.json", PeerRules(rules, today)) || !Write(out / "peers.drl", Drl(rules))) return 73;

  std::ofstream profiles(out / "profiles.ndjson", std::ios::binary);
  std::ofstream plain(out / "peers.ndjson", std::ios::binary);
  struct Count {
    std::uint64_t eligible = 0, unknown = 0, among_peers = 0;
    std::int64_t fen = 0;
  };
  std::vector<Count> counts(rules.size());
  Count all;
  std::uint64_t bytes = 0;
  const auto ppm = static_cast<std::uint32_t>(std::lround(o.missing * 1e6));
  for (std::uint64_t i = 0; i < o.profiles; ++i) {
    const Resident r = MakeResident(o.seed, i, today, ppm);
    const std::string facts = FactsJson(r);
    bytes += facts.size();
    profiles << "{\"subject\":\"" << Subject(i) << R"(","kind":"resident","facts":)" << facts << "}\n";
    const bool peer = i < o.peer_profiles;
    if (peer) plain << PlainJson(r, today) << '\n';
    for (std::size_t k = 0; k < rules.size(); ++k) {
      const Answer answer = Decide(rules[k], r, today);
      counts[k].eligible += answer.eligible == Truth::kTrue;
      counts[k].among_peers += peer && answer.eligible == Truth::kTrue;
      counts[k].unknown += answer.eligible == Truth::kUnknown;
      counts[k].fen += answer.fen;
    }
    if (i % 10000 == 9999 && isatty(2) != 0) {
      std::fprintf(stderr, "\r%llu of %llu residents", static_cast<unsigned long long>(i + 1),
                   static_cast<unsigned long long>(o.profiles));
    }
  }
  if (o.profiles >= 10000 && isatty(2) != 0) std::fputc('\n', stderr);
  profiles.close();
  plain.close();
  if (!profiles || !plain) {
    std::fprintf(stderr, "zhitui-benchset: cannot write the profiles in %s\n", o.out.c_str());
    return 73;
  }
  std::string by_rule;
  for (std::size_t k = 0; k < rules.size(); ++k) {
    const Count& c = counts[k];
    all.eligible += c.eligible;
    all.unknown += c.unknown;
    all.among_peers += c.among_peers;
    by_rule += (k == 0 ? "\n" : ",\n") + JsonText(rules[k].id) + ":{\"eligible\":" + std::to_string(c.eligible) +
               ",\"unknown\":" + std::to_string(c.unknown) + ",\"fen\":" + std::to_string(c.fen) +
               ",\"peers\":" + std::to_string(c.among_peers) + "}";
  }
  const std::uint64_t peers = std::min(o.profiles, o.peer_profiles);
  if (!Write(out / "expected.json",
             "{\"at\":\"" + DayText(today) + "\",\"rules\":" + std::to_string(o.rules) +
                 ",\"residents\":" + std::to_string(o.profiles) + ",\"eligible\":" + std::to_string(all.eligible) +
                 ",\"unknown\":" + std::to_string(all.unknown) + ",\"peer_residents\":" + std::to_string(peers) +
                 ",\"peer_eligible\":" + std::to_string(all.among_peers) + ",\n\"by_rule\":{" + by_rule + "}}\n")) {
    return 73;
  }
  const double pairs = static_cast<double>(o.profiles) * static_cast<double>(o.rules);
  std::printf(
      "%s: %llu rules, %zu distinct criteria, %llu residents of %.0f bytes, at %s: %llu pairs eligible (%.1f %%), "
      "%llu unknown (%.1f %%)\n",
      o.out.c_str(), static_cast<unsigned long long>(o.rules), conditions.size(),
      static_cast<unsigned long long>(o.profiles),
      static_cast<double>(bytes) / static_cast<double>(std::max<std::uint64_t>(o.profiles, 1)), DayText(today).c_str(),
      static_cast<unsigned long long>(all.eligible), 100.0 * static_cast<double>(all.eligible) / pairs,
      static_cast<unsigned long long>(all.unknown), 100.0 * static_cast<double>(all.unknown) / pairs);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{
      "The benchmark's set: DIR/rules, DIR/profiles.ndjson, the answers (expected.json) and the same for other engines "
      "(peers.json, peers.drl, peers.ndjson). All invented; the same options give the same bytes on every machine."};
  app.option_defaults()->always_capture_default();
  app.add_option("--out", options.out, "Folder to write; DIR/rules in it is replaced")->required();
  app.add_option("--rules", options.rules, "How many rules")->check(CLI::Range(1, 100000));
  app.add_option("--profiles", options.profiles, "How many residents")->check(CLI::Range(0, 100000000));
  app.add_option("--seed", options.seed, "Another seed gives another set");
  app.add_option("--at", options.at, "The day the answers are for, from 2025-01-01 to 2026-12-31");
  app.add_option("--missing", options.missing, "Share of the facts that are not known")->check(CLI::Range(0.0, 1.0));
  app.add_option("--peer-profiles", options.peer_profiles, "How many of the residents are written for other engines");
  app.add_flag("--amounts,!--no-amounts", options.amounts, "A tenth of the rules has a table of amounts (the default)");
  CLI11_PARSE(app, argc, argv);
  int year = 0;
  int month = 0;
  int day = 0;
  char rest = 0;
  const bool read = std::sscanf(options.at.c_str(), "%4d-%2d-%2d%c", &year, &month, &day, &rest) == 3;
  // The params change on the first of 2025 and of 2027 and are the same in between.
  if (!read || (year != 2025 && year != 2026) || DayText(DayOf({year, month, day})) != options.at) {
    std::fprintf(stderr, "zhitui-benchset: --at needs a day like 2026-03-01, from 2025-01-01 to 2026-12-31\n");
    return 64;
  }
  return Run(options, DayOf({year, month, day}));
}
