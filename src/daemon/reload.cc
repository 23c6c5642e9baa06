#include "daemon/reload.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace zhitui::daemon {
namespace {

constexpr Millis kSlice{100};  // how soon a request is noticed

}  // namespace

RulesReload::RulesReload(Options options, Logger& logger, Metrics& metrics)
    : options_(std::move(options)),
      logger_(logger),
      accepted_(metrics.GetCounter("zhitui_rule_reloads_total", "Changed rules folders that were read",
                                   {{"result", "accepted"}})),
      refused_(metrics.GetCounter("zhitui_rule_reloads_total", "Changed rules folders that were read",
                                  {{"result", "refused"}})),
      thread_([this](const std::stop_token& stop) { Watch(stop); }) {}

void RulesReload::Watch(const std::stop_token& stop) {
  using Clock = std::chrono::steady_clock;
  const auto stamp = [this] {
    const Result<std::string> now = authoring::FolderStamp(options_.folder);
    return now ? *now : now.error().message;
  };
  std::string loaded = stamp();
  std::string seen = loaded;
  std::uint64_t asked = options_.asked();
  auto looked = Clock::now();
  std::mutex mutex;
  std::condition_variable_any wake;
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex);
      wake.wait_for(lock, stop, kSlice, [] { return false; });
    }
    if (stop.stop_requested()) return;
    if (const std::uint64_t now = options_.asked(); now != asked) {
      asked = now;
      loaded = seen = stamp();
      Load();
      continue;
    }
    if (options_.every == Millis(0) || Clock::now() - looked < options_.every) continue;
    looked = Clock::now();
    std::string now = stamp();
    if (now != loaded && now == seen) {
      loaded = now;
      Load();
    }
    seen = std::move(now);
  }
}

void RulesReload::Load() {
  const auto refuse = [this](const std::string& error, std::size_t mistakes) {
    refused_.Add();
    logger_.Error("rules_refused", {{"error", error}, {"mistakes", mistakes}, {"in_use", options_.hash}});
  };
  const Result<std::vector<rules::SourceFile>> files = authoring::LoadFolder(options_.folder);
  if (!files) return refuse(files.error().message, 1);
  authoring::Report report = authoring::Check(*files);
  if (!report.ok()) {
    const Diagnostic& first = report.diagnostics.front();
    return refuse(first.at.file + ":" + std::to_string(first.at.line) + ":" + std::to_string(first.at.column) + ": " +
                      first.message,
                  report.diagnostics.size());
  }
  std::string hash = report.ruleset->hash();
  if (Status s = options_.publish(report); !s) return refuse(s.error().message, 1);
  accepted_.Add();
  logger_.Info("rules_read", {{"ruleset", hash}, {"before", options_.hash}, {"rules", report.rules}});
  options_.hash = std::move(hash);
}

}  // namespace zhitui::daemon
