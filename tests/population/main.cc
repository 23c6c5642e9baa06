#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <string>

#include "population/population.h"

namespace {

// "-" is stdout. False, with a line on stderr, if not all was written.
bool WriteAll(const std::string& path, const std::string& text) {
  const bool to_stdout = path == "-";
  std::FILE* file = to_stdout ? stdout : std::fopen(path.c_str(), "wb");
  bool ok = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (file != nullptr) ok = (to_stdout ? std::fflush(file) : std::fclose(file)) == 0 && ok;
  if (!ok) std::fprintf(stderr, "zhitui-population: cannot write %s\n", path.c_str());
  return ok;
}

}  // namespace

int main(int argc, char** argv) {
  zhitui::population::Options options;
  std::string from = "2026-03-01";
  std::string out = "-";
  std::string summary;
  double magic_rate = 0.01;
  double anomalies = 1.0;
  CLI::App app{"Synthetic residents of Futian and their life events, as CloudEvents (NDJSON). All invented."};
  app.option_defaults()->always_capture_default();
  app.add_option("--residents", options.residents, "Residents at the start")->check(CLI::Range(1, 1000000));
  app.add_option("--seed", options.seed, "The same seed and options give the same bytes");
  app.add_option("--from", from, "First day of the window, Asia/Shanghai (1990 to 2100)");
  app.add_option("--months", options.months, "Length of the window")->check(CLI::Range(1, 24));
  app.add_option("--out", out, "File to write; - is stdout");
  app.add_option("--summary", summary, "File for the counts, as JSON; empty = none");
  app.add_option("--magic-rate", magic_rate, "Share of contacts that the provider simulator treats in a special way")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--rate-anomalies", anomalies, "Factor on late, repeated and corrected events; 0 = none")
      ->check(CLI::Range(0.0, 20.0));
  CLI11_PARSE(app, argc, argv);

  const auto day = zhitui::ParseDate(from);
  if (!day || *day < zhitui::MakeDate(1990, 1, 1) || *day > zhitui::MakeDate(2100, 1, 1)) {
    std::fprintf(stderr, "zhitui-population: --from needs a day like 2026-03-01, from 1990 to 2100\n");
    return 64;
  }
  options.from = *day;
  options.magic_ppm = static_cast<std::uint32_t>(std::lround(magic_rate * 1e6));
  options.anomaly_percent = static_cast<std::uint32_t>(std::lround(anomalies * 100));
  const zhitui::population::Output output = zhitui::population::Generate(options);
  if (!WriteAll(out, output.ndjson)) return 73;
  if (!summary.empty() && !WriteAll(summary, output.summary.ToJson())) return 73;
  return 0;
}
