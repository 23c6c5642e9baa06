#include "daemon/observe.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <map>
#include <mutex>

namespace zhitui::daemon {
namespace {

// From a quick evaluation to a slow provider.
const prometheus::Histogram::BucketBoundaries kSeconds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                          0.1,    0.25,  0.5,    1,     2.5,  5,     10};

std::string NumberText(double v) {
  if (!std::isfinite(v)) return "0";
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.6g", v);
  return buffer;
}

std::string ValueText(const LogField& field, bool json) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    // Quoted in both forms where a space or a control character would break the line apart.
    if (json || text->find_first_of(" \"\n\r\t\\") != std::string_view::npos || text->empty()) return JsonQuote(*text);
    return std::string(*text);
  }
  if (const auto* number = std::get_if<std::int64_t>(&field.value)) return std::to_string(*number);
  if (const auto* real = std::get_if<double>(&field.value)) return NumberText(*real);
  return std::get<bool>(field.value) ? "true" : "false";
}

const char* LevelWord(LogLevel level) {
  constexpr std::array<const char*, 4> kWords = {"debug", "info", "warn", "error"};
  return kWords[static_cast<std::size_t>(level)];
}

class SpdLogger final : public Logger {
 public:
  SpdLogger(bool json, LogLevel level)
      : json_(json), level_(level), log_("zhitui", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    log_.set_pattern("%v");
    log_.set_level(spdlog::level::trace);
    log_.flush_on(spdlog::level::trace);
  }

  void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) override {
    if (level < level_) return;
    const Instant now = clock_.Now();
    std::string line;
    if (json_) {
      line = R"({"ts":")" + FormatInstant(now, Zone{std::chrono::minutes(0)}) + R"(","level":")" + LevelWord(level) +
             R"(","event":)" + JsonQuote(event);
      for (const LogField& f : fields) line += "," + JsonQuote(f.key) + ":" + ValueText(f, true);
      line += "}";
    } else {
      line = FormatInstant(now) + " " + LevelWord(level) + " " + std::string(event);
      for (const LogField& f : fields) line += " " + std::string(f.key) + "=" + ValueText(f, false);
    }
    log_.log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
  }

 private:
  const bool json_;
  const LogLevel level_;
  const SystemClock clock_;
  spdlog::logger log_;
};

class OneCounter final : public Counter {
 public:
  explicit OneCounter(prometheus::Counter& c) : c_(c) {}
  void Add(double n) override { c_.Increment(n); }

 private:
  prometheus::Counter& c_;
};
class OneGauge final : public Gauge {
 public:
  explicit OneGauge(prometheus::Gauge& g) : g_(g) {}
  void Set(double v) override { g_.Set(v); }

 private:
  prometheus::Gauge& g_;
};
class OneHistogram final : public Histogram {
 public:
  explicit OneHistogram(prometheus::Histogram& h) : h_(h) {}
  void Observe(double v) override { h_.Observe(v); }

 private:
  prometheus::Histogram& h_;
};

std::string KeyOf(std::string_view name, MetricLabels labels) {
  std::string key(name);
  for (const auto& [label, value] : labels) key.append("\n").append(label).append("=").append(value);
  return key;
}

std::map<std::string, std::string> LabelsOf(MetricLabels labels) {
  std::map<std::string, std::string> out;
  for (const auto& [label, value] : labels) out.emplace(label, value);
  return out;
}

}  // namespace

bool IsTextFormat(const std::string& format) {
  return format == "text" || (format == "auto" && ::isatty(STDERR_FILENO) == 1);
}

std::unique_ptr<Logger> NewLogger(const std::string& format, LogLevel level) {
  return std::make_unique<SpdLogger>(!IsTextFormat(format), level);
}

struct PrometheusMetrics::Impl {
  mutable std::mutex mutex;
  prometheus::Registry registry;
  std::map<std::string, std::unique_ptr<OneCounter>> counters;
  std::map<std::string, std::unique_ptr<OneGauge>> gauges;
  std::map<std::string, std::unique_ptr<OneHistogram>> histograms;
};

PrometheusMetrics::PrometheusMetrics() : impl_(std::make_unique<Impl>()) {}
PrometheusMetrics::~PrometheusMetrics() = default;

Counter& PrometheusMetrics::GetCounter(std::string_view name, std::string_view help, MetricLabels labels) {
  const std::scoped_lock lock(impl_->mutex);
  std::unique_ptr<OneCounter>& slot = impl_->counters[KeyOf(name, labels)];
  if (!slot) {
    auto& family = prometheus::BuildCounter().Name(std::string(name)).Help(std::string(help)).Register(impl_->registry);
    slot = std::make_unique<OneCounter>(family.Add(LabelsOf(labels)));
  }
  return *slot;
}

Gauge& PrometheusMetrics::GetGauge(std::string_view name, std::string_view help, MetricLabels labels) {
  const std::scoped_lock lock(impl_->mutex);
  std::unique_ptr<OneGauge>& slot = impl_->gauges[KeyOf(name, labels)];
  if (!slot) {
    auto& family = prometheus::BuildGauge().Name(std::string(name)).Help(std::string(help)).Register(impl_->registry);
    slot = std::make_unique<OneGauge>(family.Add(LabelsOf(labels)));
  }
  return *slot;
}

Histogram& PrometheusMetrics::GetHistogram(std::string_view name, std::string_view help, MetricLabels labels) {
  const std::scoped_lock lock(impl_->mutex);
  std::unique_ptr<OneHistogram>& slot = impl_->histograms[KeyOf(name, labels)];
  if (!slot) {
    auto& family =
        prometheus::BuildHistogram().Name(std::string(name)).Help(std::string(help)).Register(impl_->registry);
    slot = std::make_unique<OneHistogram>(family.Add(LabelsOf(labels), kSeconds));
  }
  return *slot;
}

std::string PrometheusMetrics::Text() const {
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace zhitui::daemon
