#pragma once

// The vendors behind the doors of logging (spdlog) and metrics (prometheus-cpp).

#include <memory>
#include <string>

#include "base/base.h"

namespace zhitui::daemon {

// Lines on standard error. `format`: json, text, or auto (text on a terminal). A JSON line holds ts (UTC), level, event
// and the fields.
std::unique_ptr<Logger> NewLogger(const std::string& format, LogLevel level);
bool IsTextFormat(const std::string& format);  // what auto comes to here

class PrometheusMetrics final : public Metrics {
 public:
  PrometheusMetrics();
  ~PrometheusMetrics() override;
  Counter& GetCounter(std::string_view name, std::string_view help, MetricLabels labels = {}) override;
  Gauge& GetGauge(std::string_view name, std::string_view help, MetricLabels labels = {}) override;
  Histogram& GetHistogram(std::string_view name, std::string_view help, MetricLabels labels = {}) override;
  std::string Text() const;  // text exposition 0.0.4

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace zhitui::daemon
