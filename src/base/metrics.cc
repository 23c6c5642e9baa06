#include "base/metrics.h"

namespace zhitui {
namespace {
class SilentMetrics final : public Metrics {
 public:
  Counter& GetCounter(std::string_view, std::string_view, MetricLabels) override { return counter_; }
  Gauge& GetGauge(std::string_view, std::string_view, MetricLabels) override { return gauge_; }
  Histogram& GetHistogram(std::string_view, std::string_view, MetricLabels) override { return histogram_; }

 private:
  struct : Counter {
    void Add(double) override {}
  } counter_;
  struct : Gauge {
    void Set(double) override {}
  } gauge_;
  struct : Histogram {
    void Observe(double) override {}
  } histogram_;
};
}  // namespace

Metrics& NullMetrics() {
  static SilentMetrics metrics;
  return metrics;
}

}  // namespace zhitui
