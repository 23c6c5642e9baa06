// zhitui serve: the service in real time, or a replay under a driven clock.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "api/api.h"
#include "daemon/commands.h"
#include "daemon/observe.h"
#include "daemon/reload.h"
#include "daemon/settings.h"
#include "daemon/signals.h"
#include "daemon/wiring.h"

namespace zhitui::daemon {
namespace {

struct Span {
  Instant from;
  Instant until;
};

// A moment as people write it: a time with its offset, or a date.
Result<Instant> Moment(const std::string& text, bool end_of_day, const char* option) {
  if (const Result<Date> day = ParseDate(text)) {
    return end_of_day ? kShanghai.StartOf(*day + std::chrono::days(1)) - Millis(1) : kShanghai.StartOf(*day);
  }
  if (const Result<Instant> at = ParseInstant(text)) return *at;
  return Invalid(std::string(option) + " takes a date such as 2026-03-01 or a time such as 2026-03-01T08:00+08:00");
}

nlohmann::ordered_json ToJson(const pipeline::Totals& t) {
  return {{"events", t.events},
          {"applied", t.applied},
          {"replayed", t.replayed},
          {"stale", t.stale},
          {"dead_letters", t.dead_letters},
          {"time_events", t.dues},
          {"evaluations", t.evaluations},
          {"decisions", t.decisions},
          {"planned", t.planned},
          {"suppressed", t.suppressed},
          {"attempts", t.attempts},
          {"receipts", t.receipts},
          {"decisions_by", t.decisions_by}};
}

void PrintSummary(const pipeline::Totals& totals, Instant now, bool complete, bool json) {
  nlohmann::ordered_json all = ToJson(totals);
  if (json) {
    all["clock"] = FormatInstant(now);
    all["complete"] = complete;
    std::cout << all.dump() << "\n" << std::flush;
    return;
  }
  std::cout << (complete ? "replayed to " : "stopped at ") << FormatInstant(now) << "\n";
  for (const auto& [name, value] : all.items()) {
    if (value.is_number()) std::printf("  %-14s %12llu\n", name.c_str(), value.get<unsigned long long>());
  }
  for (const auto& [name, n] : totals.decisions_by) {
    std::printf("    %-40s %10llu\n", name.c_str(), static_cast<unsigned long long>(n));
  }
  std::fflush(stdout);
}

bool WritePorts(const std::string& path, int port, int admin) {
  // Readers see both ports or no file.
  const std::string part = path + ".part";
  {
    std::ofstream out(part, std::ios::trunc);
    out << port << ' ' << admin << '\n';
    if (!out.flush()) return false;
  }
  return std::rename(part.c_str(), path.c_str()) == 0;
}

// A message that a connector has no template id for would fail at every send: said once, at the start.
void WarnOfTemplates(const Config& config, const message::TemplateSet& templates, Logger& logger) {
  for (const ConnectorConfig& connector : config.connectors) {
    const auto kind = std::find_if(ConnectorKinds().begin(), ConnectorKinds().end(),
                                   [&](const ConnectorKind& k) { return k.name == connector.name; });
    const bool by_template = std::any_of(kind->settings.begin(), kind->settings.end(),
                                         [](const delivery::SettingDoc& doc) { return doc.key == "templates.*"; });
    if (!by_template) continue;
    for (const auto& [name, t] : templates.all()) {
      const std::string& wanted = kind->channel == Channel::kWechat ? t.wechat_template : t.sms_template;
      if (wanted.empty() || connector.templates.contains(wanted)) continue;
      logger.Warn("template_without_id", {{"connector", connector.name},
                                          {"message", name},
                                          {"set", "connectors." + connector.name + ".templates." + wanted}});
    }
  }
}

class Service {
 public:
  Service(const ServeArguments& arguments, Config& config, const authoring::Report& rules)
      : arguments_(arguments),
        config_(config),
        rules_(rules),
        logger_(NewLogger(config.log_format, config.log_level)),
        stop_(config.shutdown, *logger_) {}

  // Opens everything; an error says what to do.
  Status Open(const std::optional<Span>& span) {
    span_ = span;
    Result<Backends> backends = OpenBackends(config_, *rules_.ruleset, *logger_);
    if (!backends) return std::unexpected(backends.error());
    log_ = std::move(backends->log);
    std::vector<std::shared_ptr<delivery::Connector>> connectors;
    for (const ConnectorConfig& c : config_.connectors) connectors.push_back(c.make(logger_.get()));
    WarnOfTemplates(config_, *rules_.templates_set, *logger_);
    if (span) driven_ = std::make_unique<DrivenClock>(span->from);
    const Clock* clock = driven_ ? static_cast<const Clock*>(driven_.get()) : &system_;

    pipeline::Parts parts;
    parts.store = std::move(backends->store);
    parts.sources = std::move(backends->sources);
    parts.sink = std::move(backends->sink);
    parts.ruleset = rules_.ruleset;
    parts.templates = rules_.templates_set;
    parts.dispatcher =
        std::make_shared<delivery::Dispatcher>(std::move(connectors), config_.delivery_threads, config_.delivery_queue);
    parts.clock = clock;
    parts.real_clock = &system_;
    parts.logger = logger_.get();
    parts.metrics = &metrics_;
    pipeline_ = std::make_unique<pipeline::Pipeline>(PipelineOptions(config_), std::move(parts));
    if (driven_) {
      const Result<std::optional<Instant>> stored = pipeline_->StoredClock();
      if (!stored) return std::unexpected(stored.error());
      if (*stored) driven_->AdvanceTo(**stored);
    }
    if (Status s = OpenApi(*clock); !s) return s;
    if (!driven_) WatchRules();
    return {};
  }

  int Run() {
    const Millis drain = config_.shutdown / 2;  // the rest is for closing
    Status status;
    if (driven_) {
      status = pipeline_->Replay(*driven_, span_->until, stop_.stop(),
                                 [&](Instant now, const pipeline::Totals& t) { Progress(now, t); });
    } else {
      status = pipeline_->Run(stop_.stop(), drain);
    }
    reload_.reset();
    api_->Stop();
    const pipeline::Totals t = pipeline_->totals();
    if (!status) {
      logger_->Error("failed", {{"kind", ErrorKindName(status.error().kind)}, {"error", status.error().message}});
      return Fail(status.error());
    }
    if (driven_) {
      PrintSummary(t, driven_->Now(), driven_->Now() >= span_->until, arguments_.json);
    }
    logger_->Info("stopped", {{"events", t.events}, {"decisions", t.decisions}, {"attempts", t.attempts}});
    return EX_OK;
  }

 private:
  Gauge& BuildInfo(const rules::RuleSet& ruleset) {
    return metrics_.GetGauge("zhitui_build_info", "1 for what runs, as the labels say; 0 for rules used before",
                             {{"version", arguments_.version}, {"ruleset", ruleset.hash().substr(0, 12)}});
  }

  void WatchRules() {
    RulesReload::Options options;
    options.folder = config_.rules_dir;
    options.every = config_.rules_watch;
    options.hash = rules_.ruleset->hash();
    options.asked = [this] { return stop_.hangups(); };
    options.publish = [this](authoring::Report& report) -> Status {
      // Subscribers' topics of new rules, before anything is decided by them.
      if (config_.kafka) {
        if (Status s = EnsureTopics(config_, report.ruleset.get()); !s) return s;
      }
      WarnOfTemplates(config_, *report.templates_set, *logger_);
      const std::shared_ptr<const rules::RuleSet> before = pipeline_->ruleset();
      if (Status s = pipeline_->Publish(report.ruleset, report.templates_set); !s) return s;
      BuildInfo(*before).Set(0);
      BuildInfo(*report.ruleset).Set(1);
      return {};
    };
    reload_ = std::make_unique<RulesReload>(std::move(options), *logger_, metrics_);
  }

  Status OpenApi(const Clock& clock) {
    api::Options options = config_.api;
    options.version = arguments_.version;
    api::Deps deps;
    deps.pipeline = pipeline_.get();
    deps.clock = &clock;
    deps.logger = logger_.get();
    deps.metrics = &metrics_;
    deps.ready = [this] { return !stop_.stop() && pipeline_->Ready(); };
    BuildInfo(*rules_.ruleset).Set(1);
    Gauge& ready = metrics_.GetGauge("zhitui_ready", "1 when the input has been read and the store answers");
    deps.metrics_text = [this, &ready] {
      ready.Set(pipeline_->Ready() ? 1 : 0);
      return metrics_.Text();
    };
    api_ = std::make_unique<api::Server>(std::move(options), std::move(deps));
    const Result<int> port = api_->Start();
    if (!port) return std::unexpected(port.error());
    if (!arguments_.port_file.empty() && !WritePorts(arguments_.port_file, *port, api_->admin_port())) {
      return Unavailable("cannot write " + arguments_.port_file);
    }
    logger_->Info("started", {{"version", arguments_.version},
                              {"instance", config_.pipeline.instance},
                              {"ruleset", rules_.ruleset->hash()},
                              {"rules", rules_.ruleset->rules().size()},
                              {"stream", config_.kafka ? "kafka" : "embedded"},
                              {"store", config_.redis ? "redis" : "sqlite"},
                              {"connectors", config_.connectors.size()},
                              {"api_keys", config_.api.keys.size()},
                              {"port", *port},
                              {"admin_port", api_->admin_port()}});
    return {};
  }

  void Progress(Instant now, const pipeline::Totals& t) {
    if (!IsTextFormat(config_.log_format)) {
      logger_->Info(
          "replay_progress",
          {{"clock", FormatInstant(now)}, {"events", t.events}, {"decisions", t.decisions}, {"attempts", t.attempts}});
      return;
    }
    std::fprintf(stderr, "%s  events %llu  decisions %llu  sends %llu\n", FormatInstant(now).substr(0, 16).c_str(),
                 static_cast<unsigned long long>(t.events), static_cast<unsigned long long>(t.decisions),
                 static_cast<unsigned long long>(t.attempts));
  }

  const ServeArguments& arguments_;
  Config& config_;
  const authoring::Report& rules_;
  std::optional<Span> span_;
  // Destroyed from the last to the first: the API before the pipeline, the pipeline before what it uses.
  const SystemClock system_;
  std::unique_ptr<Logger> logger_;
  PrometheusMetrics metrics_;
  StopSignal stop_;
  std::unique_ptr<DrivenClock> driven_;
  std::shared_ptr<stream::Log> log_;
  std::unique_ptr<pipeline::Pipeline> pipeline_;
  std::unique_ptr<api::Server> api_;
  std::unique_ptr<RulesReload> reload_;
};

}  // namespace

int Serve(const ServeArguments& arguments) {
  std::optional<Span> span;
  if (!arguments.clock.empty()) {
    const Result<Instant> from = Moment(arguments.clock, false, "--clock");
    if (!from) return Fail(EX_USAGE, from.error().message);
    const Result<Instant> until = Moment(arguments.until, true, "--until");
    if (!until) return Fail(EX_USAGE, until.error().message);
    if (*until < *from) return Fail(EX_USAGE, "--until is before --clock");
    span = Span{*from, *until};
  }
  int code = EX_OK;
  const std::unique_ptr<Config> config = ConfigOrExit(arguments.config, &code);
  if (!config) return code;
  if (!arguments.instance.empty()) config->pipeline.instance = arguments.instance;
  const std::optional<authoring::Report> rules = RulesOrExit(config->rules_dir, &code);
  if (!rules) return code;
  if (Status s = MakeFolders(*config); !s) return Fail(EX_CANTCREAT, s.error().message);
  Service service(arguments, *config, *rules);
  if (Status s = service.Open(span); !s) return Fail(s.error());
  return service.Run();
}

}  // namespace zhitui::daemon
