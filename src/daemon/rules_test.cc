// `zhitui rules test`: the tests beside the rules, and how well they prove them.

#include <chrono>
#include <fstream>
#include <iostream>
#include <mutex>

#include "daemon/commands.h"
#include "proving/proving.h"

namespace zhitui::daemon {
namespace {

constexpr auto kProgressEvery = std::chrono::seconds(1);

// Says how far it is, once it has taken longer than a second. For any thread.
class Progress {
 public:
  void operator()(std::size_t done, std::size_t all) {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (now - said_ < kProgressEvery || done <= highest_) return;
    said_ = now;
    highest_ = done;
    std::cerr << "zhitui: " << done << " of " << all << " mutants tried\n";
  }

 private:
  std::mutex mutex_;
  std::chrono::steady_clock::time_point said_ = std::chrono::steady_clock::now();
  std::size_t highest_ = 0;
};

}  // namespace

int RulesTest(const RulesTestArguments& arguments) {
  int code = EX_OK;
  std::vector<rules::SourceFile> files;
  const std::optional<authoring::Report> checked = RulesOrExit(arguments.folder, &code, &files);
  if (!checked) return code;
  for (const std::string& id : arguments.rules) {
    if (checked->ruleset->Find(id) == nullptr) return Fail(EX_USAGE, "no rule " + id + " in " + arguments.folder);
  }
  proving::Options options;
  options.coverage = arguments.coverage;
  options.mutants = arguments.mutate;
  options.cases = arguments.cases;
  options.rules = arguments.rules;
  Progress progress;
  const proving::Report report = proving::Prove(files, options, OnThreads(arguments.threads),
                                                [&](std::size_t done, std::size_t all) { progress(done, all); });
  if (!arguments.junit.empty()) {
    std::ofstream out(arguments.junit, std::ios::binary | std::ios::trunc);
    out << proving::ToJunit(report);
    if (!out.flush()) return Fail(EX_CANTCREAT, "cannot write " + arguments.junit);
  }
  if (arguments.json) {
    std::cout << proving::ToJson(report);
  } else {
    std::cerr << proving::FailuresToText(report, arguments.locale);
    std::cout << proving::ToText(report, arguments.locale);
    const bool zh = arguments.locale == "zh";
    std::cout << arguments.folder << (zh ? "：" : ": ") << report.tests.passed << (zh ? " 项通过，" : " passed, ")
              << report.tests.failed << (zh ? " 项失败" : " failed") << "\n";
  }
  return report.tests.failed == 0 ? EX_OK : EX_CONFIG;
}

}  // namespace zhitui::daemon
