#pragma once

#include <initializer_list>
#include <string_view>
#include <utility>

namespace zhitui {

class Counter {
 public:
  virtual ~Counter() = default;
  virtual void Add(double n = 1) = 0;
};
class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void Set(double v) = 0;
};
class Histogram {
 public:
  virtual ~Histogram() = default;
  virtual void Observe(double v) = 0;  // seconds
};

using MetricLabels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// The door of metrics; the vendor stands behind it in daemon. Thread-safe. Names follow Prometheus
// ("zhitui_events_total", "_seconds", "_bytes"). The same name and labels give the same object, which lives as long as
// the registry: look it up once, keep the reference. Label values come from small fixed sets, never from a subject.
class Metrics {
 public:
  virtual ~Metrics() = default;
  virtual Counter& GetCounter(std::string_view name, std::string_view help, MetricLabels labels = {}) = 0;
  virtual Gauge& GetGauge(std::string_view name, std::string_view help, MetricLabels labels = {}) = 0;
  virtual Histogram& GetHistogram(std::string_view name, std::string_view help, MetricLabels labels = {}) = 0;
};

Metrics& NullMetrics();  // swallows everything

}  // namespace zhitui
